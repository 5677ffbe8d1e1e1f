"""OR11: filters, paging, dates, tax modes, visibility and ceilings (reference, sections 1.3 to 1.6, 2, 4)."""

import random
import re
from decimal import Decimal
from typing import Any

import pytest

from interlock.simulator.clock import PlatformClock
from interlock.simulator.mirakl import PROFILES, SWITCHES, MiraklWorld, mirakl_switches
from tests.simulator.mirakl.seller import Seller


def test_pages_are_ten_unless_asked_and_linked_both_ways() -> None:
    """Section 1.3: default 10, `Link` with absolute next and previous, total_count."""
    seller = Seller()
    for _ in range(25):
        seller.world.create_generated(lines=1)
    first = seller.get("/api/orders", order_state_codes="SHIPPING")
    assert (len(first.json()["orders"]), first.json()["total_count"]) == (10, 25)
    links = dict((rel, url) for url, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', first.headers["link"]))
    assert list(links) == ["next"]
    assert links["next"].startswith("http://market.example/api/orders?")
    seen = [order["order_id"] for order in first.json()["orders"]]
    while "next" in links:
        page = seller.get(links["next"])
        links = {rel: url for url, rel in re.findall(r'<([^>]+)>; rel="(\w+)"', page.headers["link"])}
        seen += [order["order_id"] for order in page.json()["orders"]]
    assert list(links) == ["previous"]
    assert seen == list(seller.world.orders)


def test_an_offset_walk_over_moving_data_skips_an_order() -> None:
    """Section 1.3: pages shift, because the filter is over live data."""
    seller = Seller("all-or-nothing")
    made = [seller.world.create_generated(lines=1) for _ in range(4)]
    waiting: dict[str, Any] = {"order_state_codes": "WAITING_ACCEPTANCE", "max": 2}
    first = [o["order_id"] for o in seller.get("/api/orders", **waiting).json()["orders"]]
    seller.accept(made[0])
    second = [o["order_id"] for o in seller.get("/api/orders", offset=2, **waiting).json()["orders"]]
    assert made[2].id not in first + second


def test_descending_order_starts_with_the_newest() -> None:
    """OR11 sort dateCreated, asc by default."""
    seller = Seller()
    made = [seller.world.create_generated(lines=1).id for _ in range(3)]
    answer = seller.get("/api/orders", sort="dateCreated", order="desc").json()
    assert [order["order_id"] for order in answer["orders"]] == made[::-1]


@pytest.mark.parametrize(
    "params",
    [
        {"max": 101},
        {"max": "x"},
        {"offset": -1},
        {"order_ids": ",".join(str(n) for n in range(101))},
        {"start_update_date": "yesterday"},
        {"start_update_date": "2026-11-02T08:00:00 01:00"},
        {"order_tax_mode": "GROSS"},
        {"order_state_codes": "OPEN"},
        {"sort": "dateUpdated"},
        {"has_incident": "maybe"},
    ],
)
def test_a_wrong_parameter_is_a_400(params: dict[str, Any]) -> None:
    """Sections 1.3 to 1.5: 100 values at most, a bare `+` in a date is not a date."""
    assert Seller().get("/api/orders", **params).status_code == 400


@pytest.mark.parametrize(("delta", "found"), [("0", 0), ("60", 1), ("300", 1)])
def test_mirakl_subtracts_its_own_delta_from_start_update_date(delta: str, found: int) -> None:
    """OR11 and section 15.7 [?]: the size is a switch."""
    seller = Seller(switches={"update_delta_seconds": delta})
    order = seller.world.create_generated()
    after = order.updated.replace(second=30).isoformat()
    assert seller.get("/api/orders", start_update_date=after).json()["total_count"] == found


def test_both_tax_modes_say_the_same_money() -> None:
    """Section 1.6: TAX_INCLUDED is TAX_EXCLUDED plus the taxes, exactly."""
    for profile in PROFILES:
        seller = Seller(profile)
        for _ in range(8):
            order = seller.world.create_generated()
            net = seller.read(order, order_tax_mode="TAX_EXCLUDED")
            gross = seller.read(order, order_tax_mode="TAX_INCLUDED")
            assert (net["order_tax_mode"], gross["order_tax_mode"]) == ("TAX_EXCLUDED", "TAX_INCLUDED")
            taxes = Decimal(0)
            for one, other in zip(net["order_lines"], gross["order_lines"], strict=True):
                tax = sum((Decimal(t["amount"]) for t in one["taxes"]), Decimal(0))
                shipping = sum((Decimal(t["amount"]) for t in one["shipping_taxes"]), Decimal(0))
                assert other["price"] == one["price"] + tax
                assert other["shipping_price"] == one["shipping_price"] + shipping
                assert other["price"] == other["price_unit"] * other["quantity"]
                taxes += tax + shipping
            assert gross["total_price"] == net["total_price"] + taxes


@pytest.mark.parametrize(
    ("catalogue", "shown_with", "shown_without"),
    [
        # of 12.90 with 20 % the taxes are 2.15; on 12.90 without they are 2.58
        ("TAX_INCLUDED", ("12.90", "2.15"), ("10.75", "2.15")),
        ("TAX_EXCLUDED", ("15.48", "2.58"), ("12.90", "2.58")),
    ],
)
@pytest.mark.parametrize("tax_mode", ["TAX_INCLUDED", "TAX_EXCLUDED"])
def test_a_price_of_the_catalogue_is_shown_in_the_order_tax_mode(
    tax_mode: str, catalogue: str, shown_with: tuple[str, str], shown_without: tuple[str, str]
) -> None:
    """Section 1.6: `order_tax_mode` decides whether `price_unit` contains the taxes; AS_SHOWN takes the catalogue's price for
    what the marketplace shows."""

    def shown(prices: str) -> tuple[Decimal, Decimal, Decimal]:
        seller = Seller(tax_mode=tax_mode, catalogue_prices=prices)
        order = seller.world.create_generated(skus=["MUG-BLUE"], quantities=[3])
        (line,) = seller.read(order, order_tax_mode=tax_mode)["order_lines"]
        return line["price_unit"], line["taxes"][0]["amount"], line["origin_unit_price"]

    unit, tax = map(Decimal, shown_with if tax_mode == "TAX_INCLUDED" else shown_without)
    assert shown(catalogue) == (unit, tax * 3, unit)
    assert shown("AS_SHOWN")[0] == Decimal("12.90")


def test_breakdowns_add_up_and_name_what_the_shop_never_gets() -> None:
    """Section 4.5: the operator's taxes are not payable to the shop."""
    seller = Seller("hidden-address")
    line = seller.read(seller.world.create_generated(), order_tax_mode="TAX_INCLUDED")["order_lines"][0]
    parts = line["price_amount_breakdown"]["parts"]
    assert sum(part["amount"] for part in parts) == line["price"]
    assert [part["payable_to_shop"] for part in parts] == [True, False]


def test_absent_values_may_be_left_out() -> None:
    """Section 4: every required marker is unreliable."""
    seller = Seller("hidden-address", switches={"absent_values": "omitted"})
    assert "shipping_address" not in seller.read(seller.world.create_generated())["customer"]


def test_two_calls_in_a_minute_are_too_many_when_minutes_are_counted() -> None:
    """Section 2: OR11 once a minute, 429 with Retry-After in seconds."""
    seller = Seller("automatic", call_tolerance=0, switches={"ceiling_window": "minute"})
    assert seller.get("/api/orders").status_code == 200
    refused = seller.get("/api/orders")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    seller.world.advance(60)
    assert seller.get("/api/orders").status_code == 200


def test_an_external_partner_has_a_quarter_of_an_hour() -> None:
    """Section 2: the second persona; which one a key has is not visible."""
    seller = Seller("automatic", call_tolerance=0, persona="external_partner")
    answers = []
    for _ in range(5):
        answers.append(seller.get("/api/orders").status_code)
        seller.world.advance(600)
    assert answers == [200, 200, 200, 200, 429]


@pytest.mark.parametrize(("counted", "status"), [("no", 200), ("yes", 429)])
def test_whether_reads_by_id_count_is_a_switch(counted: str, status: int) -> None:
    """Section 2 [?]: synchronous reads "at each order page display"."""
    seller = Seller(
        "automatic",
        call_tolerance=0,
        switches={"ceiling_window": "minute", "by_id_reads_counted": counted},
    )
    order = seller.world.create_generated()
    seller.get("/api/orders", order_ids=order.id)
    assert seller.get("/api/orders", order_ids=order.id).status_code == status


def test_every_personal_value_carries_its_own_canary() -> None:
    """A leak can be found by searching for one word, and traced to its field."""
    seller = Seller("automatic")
    tokens: list[str] = []
    for _ in range(20):
        order = seller.world.create_generated()
        text = str([order.customer, order.billing_address, order.shipping_address, order.static])
        tokens += list(dict.fromkeys(re.findall(r"CANARY-[0-9a-f]+", text)))
        for name in ("firstname", "lastname", "street_1", "zip_code", "city"):
            assert order.shipping_address is not None
            assert "CANARY-" in order.shipping_address[name]
    assert len(tokens) == len(set(tokens))


def test_lines_may_share_a_sku_and_ids_are_not_built_from_the_order() -> None:
    """Section 3.1."""
    world = MiraklWorld(PlatformClock(lambda: 0.0), 3, PROFILES["automatic"])
    orders = [world.create_generated() for _ in range(60)]
    assert any(len({line.sku for line in order.lines}) < len(order.lines) for order in orders)
    assert any(not order.lines[0].id.startswith(order.id) for order in orders)


def test_the_same_seed_makes_the_same_world() -> None:
    def day(seed: int) -> str:
        seller = Seller("hidden-address", seed=seed)
        for _ in range(5):
            seller.accept(seller.world.create_generated())
        seller.world.advance(7200)
        return seller.get("/api/orders").text

    assert day(11) == day(11)
    assert day(11) != day(12)


def test_whatever_the_switches_say_orders_reach_an_end_and_money_adds_up() -> None:
    """Every combination a seed may draw keeps price, cancelations and refunds consistent."""
    for seed in range(12):
        rng = random.Random(seed)
        switches = mirakl_switches()
        switches.draw(rng)
        seller = Seller(rng.choice(list(PROFILES)), seed=seed, switches=switches.as_dict())
        orders = [seller.world.create_generated() for _ in range(4)]
        for order in orders:
            if order.state == "WAITING_ACCEPTANCE":
                seller.accept(order)
        seller.world.advance(3600)
        for order in orders:
            seller.cancel(order.lines[0].id, "1")
            tracking = {"carrier_code": "DHL", "tracking_number": "1"}
            seller.put(f"/api/orders/{order.id}/tracking", tracking)
            seller.put(f"/api/orders/{order.id}/ship")
            for line in order.lines:
                left = line.refundable()
                assert min(left.product, left.shipping, *left.taxes.values(), Decimal(0)) == 0
        seller.world.advance(200 * 86400)
        assert {order.state for order in orders} <= {"CLOSED", "CANCELED", "REFUSED"}


def test_every_switch_says_how_to_settle_it() -> None:
    """Design section 2: the switches are the go-live checklist."""
    assert len({switch.name for switch in SWITCHES}) == len(SWITCHES)
    for switch in SWITCHES:
        assert switch.question.endswith("?")
        assert switch.how_to_settle.endswith(".")
        assert len(switch.values) > 1


def test_a_list_may_be_behind_for_a_minute_and_a_read_by_id_never() -> None:
    """Section 15.7 leaves open when a list shows a change; the switch `listing_lag` shows both answers."""
    after = {"none": set[str](), "up_to_a_minute": set[str]()}
    for lag, listed in after.items():
        for seed in range(8):
            seller = Seller("all-or-nothing", seed, {"listing_lag": lag})
            order = seller.world.create_generated(lines=1)
            assert seller.read(order)["order_state"] == "WAITING_ACCEPTANCE"
            seller.accept(order)
            listed.update(o["order_state"] for o in seller.get("/api/orders").json()["orders"])
            assert seller.read(order)["order_state"] != "WAITING_ACCEPTANCE"
    assert "WAITING_ACCEPTANCE" not in after["none"]
    assert after["up_to_a_minute"] == {"WAITING_ACCEPTANCE", *after["none"]}
