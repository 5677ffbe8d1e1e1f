"""The offer book: what orders do to quantities, and the asynchronous export (reference, section 9)."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from interlock.simulator.mirakl import CATALOGUE, OfferRefused
from interlock.simulator.mirakl.generate import offer_number
from tests.simulator.mirakl.seller import Seller

SKU = "KETTLE-1L"


def _quantity(seller: Seller, sku: str = SKU) -> int:
    return seller.world.offers.offer(sku).quantity


def _export(seller: Seller, **body: Any) -> httpx2.Response:
    return seller.call("POST", "/api/offers/export/async", {"export_type": "application/json", **body})


def _rows(seller: Seller, **body: Any) -> list[dict[str, Any]]:
    """OF52, a wait, OF53, OF54 of every file."""
    asked = _export(seller, **body)
    assert asked.status_code == 200, asked.text
    tracking = asked.json()["tracking_id"]
    assert seller.get(f"/api/offers/export/async/status/{tracking}").json()["status"] == "PENDING"
    seller.world.advance(60)
    done = seller.get(f"/api/offers/export/async/status/{tracking}").json()
    assert done["status"] == "COMPLETED"
    found: list[dict[str, Any]] = []
    for url in done["urls"]:
        answer = seller.call("GET", url)
        assert answer.status_code == 200
        found += json.loads(answer.text, parse_float=Decimal)
    return found


def test_every_catalogue_item_has_an_offer_of_the_id_its_orders_carry() -> None:
    """Section 4.4: `offer_id` and `offer_sku` of a line name the offer."""
    seller = Seller()
    order = seller.world.create_generated(skus=[item.sku for item in CATALOGUE])
    shown = {line["offer_sku"]: line["offer_id"] for line in seller.read(order)["order_lines"]}
    assert shown == {sku: offer.id for sku, offer in seller.world.offers.offers.items()}
    assert len(set(shown.values())) == len(CATALOGUE)
    assert shown[SKU] == offer_number(SKU)


@pytest.mark.parametrize(
    ("falls", "placed", "accepted"), [("ordered", 98, 98), ("accepted", 100, 98), ("never", 100, 100)]
)
def test_a_sale_lowers_the_quantity_when_the_switch_says(falls: str, placed: int, accepted: int) -> None:
    """Section 9: Mirakl decrements offer stock itself when orders are placed [X]."""
    seller = Seller("all-or-nothing", switches={"offer_quantity_falls": falls})
    order = seller.world.create_generated(skus=[SKU], quantities=[2])
    assert _quantity(seller) == placed
    assert seller.accept(order).status_code == 204
    assert _quantity(seller) == accepted


@pytest.mark.parametrize(("switch", "left"), [("unchanged", 98), ("zeroed", 0), ("restocked", 100)])
def test_what_a_refusal_does_to_the_offer_is_a_switch(switch: str, left: int) -> None:
    """Section 9: after a refusal some operators set stock to zero."""
    seller = Seller("all-or-nothing", switches={"refusal_and_offer": switch})
    order = seller.world.create_generated(skus=[SKU], quantities=[2])
    assert seller.accept(order, False).status_code == 204
    assert _quantity(seller) == left
    assert seller.world.offers.available(SKU) == left


def test_a_refusal_by_the_timer_is_one_too() -> None:
    """Section 3.4: the window ends in an automatic refusal."""
    seller = Seller("all-or-nothing")
    seller.world.create_generated(skus=[SKU], quantities=[2])
    seller.world.advance(73 * 3600)
    change = seller.world.offers.changes[-1]
    assert (change.why, change.after, change.actor) == ("refusal", 0, "system")


def test_a_refused_line_that_took_nothing_gives_nothing_back() -> None:
    """Section 9 [?]: only what was taken can come back."""
    seller = Seller(
        "all-or-nothing", switches={"offer_quantity_falls": "accepted", "refusal_and_offer": "restocked"}
    )
    order = seller.world.create_generated(skus=[SKU], quantities=[2])
    seller.accept(order, False)
    assert _quantity(seller) == 100


@pytest.mark.parametrize(("switch", "left"), [("no", 97), ("yes", 98)])
def test_whether_a_cancelation_restocks_is_a_switch(switch: str, left: int) -> None:
    """Section 9: Mirakl restocking on cancel/refund is undocumented [?]."""
    seller = Seller("automatic", switches={"cancelation_restocks_offer": switch})
    order = seller.world.create_generated(skus=[SKU], quantities=[3])
    line = seller.read(order)["order_lines"][0]
    assert seller.cancel(line["order_line_id"], str(line["price_unit"])).status_code == 200
    assert _quantity(seller) == left


def test_a_quantity_never_falls_below_nothing() -> None:
    seller = Seller("automatic")
    seller.world.create_generated(skus=[SKU], quantities=[150])
    assert _quantity(seller) == 0
    assert not seller.world.offers.offer(SKU).active


def test_a_sku_nobody_offered_had_an_offer_all_the_same() -> None:
    seller = Seller("automatic")
    seller.world.create_generated(skus=["NEW-ONE"], quantities=[2])
    assert _quantity(seller, "NEW-ONE") == 0


@pytest.mark.parametrize(
    ("sku", "quantity", "field"), [("NOPE", 1, "sku"), (SKU, -1, "quantity"), (SKU, True, "quantity")]
)
def test_a_wrong_quantity_is_refused_and_changes_nothing(sku: str, quantity: Any, field: str) -> None:
    seller = Seller()
    book = seller.world.offers
    with pytest.raises(OfferRefused) as refused:
        book.set_quantity(sku, quantity, seller.world.clock.now(), "staff", "portal")
    assert refused.value.field == field
    assert book.changes == []


# -- OF52 to OF54 --------------------------------------------------------------------------------------------


def test_a_full_export_lists_the_active_offers_and_with_the_flag_the_others() -> None:
    """OF52: without last_request_date active offers only, unless include_inactive_offers."""
    seller = Seller("automatic")
    now = seller.world.clock.now()
    seller.world.offers.set_quantity(SKU, 0, now, "staff", "portal")
    seller.world.offers.change("LAMP-OAK", now, deleted=True)
    shown = _rows(seller)
    assert {row["shop_sku"] for row in shown} == {item.sku for item in CATALOGUE} - {SKU, "LAMP-OAK"}
    assert all(row["active"] and not row["deleted"] for row in shown)
    with_inactive = _rows(seller, include_inactive_offers=True)
    assert {row["shop_sku"] for row in with_inactive} == {item.sku for item in CATALOGUE} - {"LAMP-OAK"}


def test_a_differential_export_lists_what_changed_also_what_is_inactive_or_deleted() -> None:
    """OF52: last_request_date gives all offers updated since, including deleted and inactive ones."""
    seller = Seller("automatic")
    seller.world.advance(600)
    since = seller.world.clock.now().isoformat()
    seller.world.advance(60)
    now = seller.world.clock.now()
    seller.world.create_generated(skus=["BOARD-L"], quantities=[3])
    seller.world.offers.set_quantity(SKU, 0, now, "staff", "portal")
    seller.world.offers.change("LAMP-OAK", now, deleted=True)
    rows = {row["shop_sku"]: row for row in _rows(seller, last_request_date=since)}
    assert set(rows) == {"BOARD-L", SKU, "LAMP-OAK"}
    assert (rows["BOARD-L"]["quantity"], rows[SKU]["active"], rows["LAMP-OAK"]["deleted"]) == (
        97,
        False,
        True,
    )


def test_a_sale_may_stay_out_of_the_differential_export() -> None:
    """Section 9 [?]: whether a sale changes last_updated is a switch."""
    seller = Seller("automatic", switches={"sale_updates_offer": "no"})
    seller.world.advance(600)
    since = seller.world.clock.now().isoformat()
    seller.world.advance(60)
    seller.world.create_generated(skus=["BOARD-L"], quantities=[3])
    assert _rows(seller, last_request_date=since) == []


@pytest.mark.parametrize(("shows", "quantity"), [("request", 100), ("completion", 7)])
def test_what_an_export_shows_of_a_change_while_it_is_pending(shows: str, quantity: int) -> None:
    """Section 9 [?]."""
    seller = Seller("automatic", switches={"offer_export_shows": shows})
    tracking = _export(seller).json()["tracking_id"]
    world = seller.world
    world.advance(5)
    world.offers.set_quantity(SKU, 7, world.clock.now(), "staff", "portal")
    world.advance(60)
    url = seller.get(f"/api/offers/export/async/status/{tracking}").json()["urls"][0]
    rows = {row["shop_sku"]: row["quantity"] for row in seller.call("GET", url).json()}
    assert rows[SKU] == quantity


def test_an_export_does_not_see_what_happens_after_it_was_complete() -> None:
    """OF54 gives files, not a live view."""
    seller = Seller("automatic")
    tracking = _export(seller).json()["tracking_id"]
    seller.world.advance(60)
    seller.world.offers.set_quantity(SKU, 1, seller.world.clock.now(), "staff", "portal")
    url = seller.get(f"/api/offers/export/async/status/{tracking}").json()["urls"][0]
    rows = {row["shop_sku"]: row["quantity"] for row in seller.call("GET", url).json()}
    assert rows[SKU] == 100


def test_an_export_comes_in_as_many_files_as_its_chunks() -> None:
    """OF52 items_per_chunk; on test environments the minimum is lower."""
    seller = Seller("automatic", least_items_per_chunk=1)
    shown = _rows(seller, items_per_chunk=3, include_fields=["shop_sku", "quantity"])
    assert len(shown) == len(CATALOGUE)
    assert set(shown[0]) == {"shop_sku", "quantity"}
    export = next(iter(seller.world.offers.exports.values()))
    assert export.chunks == 3


@pytest.mark.parametrize(("switch", "same_later"), [("while_pending", False), ("within_an_hour", True)])
def test_a_same_request_is_answered_with_the_export_there_is(switch: str, same_later: bool) -> None:
    """Section 1.9: Mirakl detects duplicate requests and returns the existing id [S]; for how long is [?]."""
    seller = Seller("automatic", switches={"offer_export_duplicate": switch})
    first = _export(seller).json()["tracking_id"]
    assert _export(seller).json()["tracking_id"] == first
    other = _export(seller, include_inactive_offers=True).json()["tracking_id"]
    assert other != first
    seller.world.advance(300)
    assert (_export(seller).json()["tracking_id"] == first) is same_later


def test_an_export_may_fail_and_says_so() -> None:
    """OF53: FAILED carries an error."""
    seller = Seller("automatic")
    seller.call("POST", "/_sim/offers/exports-fail", {})
    tracking = _export(seller).json()["tracking_id"]
    seller.world.advance(60)
    answer = seller.get(f"/api/offers/export/async/status/{tracking}").json()
    assert (answer["status"], answer["error"]["code"]) == ("FAILED", "1")
    assert "urls" not in answer


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"export_type": "application/xml"}, 400),
        ({"export_type": "text/csv"}, 501),
        ({"shipping_zones": ["DOM1"]}, 501),
        ({"rename_fields": {"offer-id": "id"}}, 400),
        ({"last_request_date": "yesterday"}, 400),
        ({"last_request_date": "2026-11-01T00:00:00Z", "include_inactive_offers": True}, 400),
        ({"items_per_chunk": 10}, 400),
        ({"include_fields": "shop_sku"}, 400),
    ],
)
def test_of52_refuses_what_is_wrong_and_says_what_it_does_not_model(
    body: dict[str, Any], status: int
) -> None:
    seller = Seller("automatic")
    assert _export(seller, **body).status_code == status
    assert seller.world.offers.exports == {}


def test_a_full_export_is_possible_a_few_times_a_day_only() -> None:
    """Section 2: OF52 full once a day, differential once a minute."""
    seller = Seller("automatic", call_tolerance=0)
    assert _export(seller).status_code == 200
    seller.world.advance(3600)
    answer = _export(seller)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 3600
    since = seller.world.clock.now().isoformat()
    assert _export(seller, last_request_date=since).status_code == 200


def test_an_unknown_export_or_file_is_404() -> None:
    seller = Seller("automatic")
    assert seller.get("/api/offers/export/async/status/nothing").status_code == 404
    tracking = _export(seller).json()["tracking_id"]
    file = f"/api/offers/export/async/file/{tracking}"
    assert seller.get(file, file="of52-export/offers/0.json").status_code == 404
    seller.world.advance(60)
    assert seller.get(file, file="of52-export/offers/0.json").status_code == 200
    assert seller.get(file, file="of52-export/offers/1.json").status_code == 404


def test_offers_are_added_and_changed_over_the_control_endpoints() -> None:
    seller = Seller("automatic")
    made = seller.call("POST", "/_sim/offers", {"sku": "X1", "price": "9.90", "quantity": 4})
    assert made.status_code == 200
    assert seller.call("POST", "/_sim/offers", {"sku": "X1", "price": 1}).json()["field"] == "sku"
    changed = seller.call("POST", "/_sim/offers/change", {"sku": "X1", "quantity": 9, "suspended": True})
    assert (changed.json()["quantity"], changed.json()["suspended"]) == (9, True)
    assert seller.world.offers.available("X1") == 0
    listed = seller.get("/_sim/offers").json()["offers"]
    assert listed[-1]["sku"] == "X1"
    assert listed[-1]["updated"].startswith(
        (seller.world.clock.now() - timedelta(seconds=0)).date().isoformat()
    )


def test_a_listed_offer_names_its_product_by_the_references_an_export_does_not_have() -> None:
    """Section 9, OF21: `product_references[]`, found by `sku`."""
    seller = Seller()
    seller.world.offers.offers[SKU].ean = "4006381333931"
    answer = seller.get(f"/api/offers?sku={SKU}").json()
    assert answer["total_count"] == 1
    (shown,) = answer["offers"]
    assert shown["shop_sku"] == SKU
    assert shown["product_references"] == [{"reference_type": "EAN", "reference": "4006381333931"}]
    assert all("product_references" not in row for row in _rows(seller))
    assert seller.get("/api/offers?sku=NONE").json() == {"offers": [], "total_count": 0}
    assert len(seller.get("/api/offers?max=3&offset=2").json()["offers"]) == 3
    assert seller.get("/api/offers?favorite=true").status_code == 501
