"""Snapshots: what the shop shows, complete or not at all."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.orders.addresses import AddressParts, digest
from interlock.orders.outcomes import Refused, Unavailable, Unknown
from interlock.orders.snapshots import ShopifyOrder
from interlock.shopify import read
from interlock.shopify.classify import CallFailed
from tests.shopify.orders import KEY, NOW, bag, line, no_more, order, refund, shipment, to_ship
from tests.shopify.shop import Shop, data

ID = "gid://shopify/Order/9"
JANE = AddressParts("jane", "DOE", "Elm & Sons", "12 Elm Street Flat 3", "", "Toronto", "M5H 2M9", "ON", "CA")


def seen(**changes: Any) -> ShopifyOrder:
    shop = Shop({"OrderSnapshot": [data(order=order(**changes))]})
    found = asyncio.run(read.order(shop.client(), ID, KEY, NOW))
    assert found is not None
    return found


def test_an_order_is_read_with_its_links_and_its_money() -> None:
    found = seen()
    assert (found.id, found.name, found.marker, found.currency) == (ID, "#1001", "mkt-ca:12345-A", "CAD")
    assert (found.total, found.shipping_total) == (Decimal("44.0"), Decimal("4.0"))
    assert [(item.mirakl_line_id, item.current_quantity) for item in found.lines] == [
        ("L1", 2),
        ("L2", 2),
        ("", 2),
    ]
    assert found.observed_at == NOW
    assert not found.paid


def test_addresses_become_digests_that_agree_across_spellings() -> None:
    found = seen()
    assert found.address == digest(JANE, KEY, "4165550199")
    assert found.fulfillment_orders[0].destination == digest(JANE, KEY)
    for private in ("Jane", "Doe", "Elm Street", "Toronto", "0199"):
        assert private not in repr(found)


def test_a_withheld_address_is_no_address() -> None:
    assert seen(shippingAddress=None).address.digest == ""


@pytest.mark.parametrize(
    ("method", "delivery", "collected"),
    [
        ({"methodType": "SHIPPING"}, "SHIPPING", False),
        ({"methodType": "LOCAL"}, "LOCAL", False),
        ({"methodType": "PICK_UP"}, "PICK_UP", True),
        ({"methodType": "RETAIL"}, "RETAIL", True),
        (None, "", False),
    ],
)
def test_how_a_parcel_reaches_the_customer(
    method: dict[str, str] | None, delivery: str, collected: bool
) -> None:
    nodes = {"nodes": [to_ship(1, (1, 2), deliveryMethod=method, destination=None)], "pageInfo": no_more()}
    (found,) = seen(fulfillmentOrders=nodes).fulfillment_orders
    assert (found.delivery, found.collected, found.destination.digest) == (delivery, collected, "")


@pytest.mark.parametrize(
    ("fully", "status", "paid"),
    [
        (True, None, True),
        (False, "PAID", True),
        (False, "PARTIALLY_REFUNDED", True),
        (False, "PARTIALLY_PAID", False),
    ],
)
def test_whether_an_order_is_paid(fully: bool, status: str | None, paid: bool) -> None:
    assert seen(fullyPaid=fully, displayFinancialStatus=status).paid is paid


def test_holds_tell_ours_from_others_and_new_values_pass_through() -> None:
    ours = {"id": "h1", "handle": "interlock:mkt-ca", "reasonNotes": "edited", "heldByRequestingApp": True}
    other = {"id": "h2", "handle": None, "reasonNotes": None, "heldByRequestingApp": False}
    shown = to_ship(5, (1, 2), status="BRAND_NEW", fulfillmentHolds=[ours, other], supportedActions=[])
    found = seen(fulfillmentOrders={"nodes": [shown], "pageInfo": no_more()}).fulfillment_orders[0]
    assert (found.status, found.can_hold, found.location_id) == (
        "BRAND_NEW",
        False,
        "gid://shopify/Location/1",
    )
    assert [(hold.id, hold.handle, hold.ours) for hold in found.holds] == [
        ("h1", "interlock:mkt-ca", True),
        ("h2", "", False),
    ]


def test_shipped_quantities_count_every_fulfillment_that_was_not_cancelled() -> None:
    number = {"company": "Canada Post", "number": "CP1", "url": "https://example.org/CP1"}
    bare = {"company": None, "number": "X", "url": None}
    found = seen(
        fulfillments=[
            shipment(1, "SUCCESS", (1, 1), (2, 2), tracking=[bare, number]),
            shipment(2, "CANCELLED", (1, 1)),
            shipment(3, "ERROR", (1, 1)),
        ]
    )
    assert [item.fulfilled_quantity for item in found.lines] == [2, 2, 0]
    assert [item.live for item in found.fulfillments] == [True, False, True]
    assert (found.fulfillments[0].carrier, found.fulfillments[0].tracking_number) == ("Canada Post", "CP1")
    assert found.fulfillments[1].tracking_number == ""


def test_only_successful_refund_transactions_are_money() -> None:
    found = seen(
        refunds=[
            refund(1, [], (1, 2)),
            refund(2, [("REFUND", "SUCCESS", "7.50"), ("REFUND", "PENDING", "9"), ("SALE", "SUCCESS", "1")]),
        ]
    )
    assert [(item.money, item.lines) for item in found.refunds] == [
        (Decimal(0), (("gid://shopify/LineItem/1", 2),)),
        (Decimal("7.50"), ()),
    ]
    assert found.refunds[0].created_at == found.updated_at


def test_an_order_the_shop_does_not_show_is_none() -> None:
    gone = {
        "data": {"order": None},
        "errors": [{"message": "Invalid id: x", "extensions": {"code": "RESOURCE_NOT_FOUND"}}],
    }
    for answer in (data(order=None), gone):
        assert asyncio.run(read.order(Shop({"OrderSnapshot": [answer]}).client(), ID, KEY, NOW)) is None


def test_large_orders_are_paged_to_the_end() -> None:
    first = order(
        lineItems={"nodes": [line(1)], "pageInfo": {"hasNextPage": True, "endCursor": "a"}},
        fulfillmentOrders={
            "nodes": [
                to_ship(5, (1, 2))
                | {
                    "lineItems": to_ship(5, (1, 1))["lineItems"]
                    | {"pageInfo": {"hasNextPage": True, "endCursor": "l"}}
                }
            ],
            "pageInfo": {"hasNextPage": True, "endCursor": "f"},
        },
    )
    at = first["updatedAt"]
    shop = Shop(
        {
            "OrderSnapshot": [data(order=first)],
            "OrderLinesAfter": [
                data(
                    order={
                        "updatedAt": at,
                        "lineItems": {
                            "nodes": [line(2)],
                            "pageInfo": {"hasNextPage": True, "endCursor": "b"},
                        },
                    }
                ),
                data(order={"updatedAt": at, "lineItems": {"nodes": [line(3)], "pageInfo": no_more()}}),
            ],
            "OrderFulfillmentOrdersAfter": [
                data(
                    order={
                        "updatedAt": at,
                        "fulfillmentOrders": {"nodes": [to_ship(6, (2, 2))], "pageInfo": no_more()},
                    }
                )
            ],
            "FulfillmentOrderLinesAfter": [
                data(fulfillmentOrder={"lineItems": to_ship(5, (3, 4))["lineItems"]})
            ],
        }
    )
    found = asyncio.run(read.order(shop.client(), ID, KEY, NOW))
    assert found is not None
    assert [item.id[-1] for item in found.lines] == ["1", "2", "3"]
    assert [item.remaining for item in found.fulfillment_orders] == [
        (("gid://shopify/LineItem/1", 1), ("gid://shopify/LineItem/3", 4)),
        (("gid://shopify/LineItem/2", 2),),
    ]


def test_an_order_that_changes_between_its_pages_is_read_again() -> None:
    paged = order(lineItems={"nodes": [line(1)], "pageInfo": {"hasNextPage": True, "endCursor": "a"}})
    changed = {"updatedAt": "2026-11-20T09:31:00Z", "lineItems": {"nodes": [line(2)], "pageInfo": no_more()}}
    shop = Shop(
        {"OrderSnapshot": [data(order=paged), data(order=order())], "OrderLinesAfter": [data(order=changed)]}
    )
    found = asyncio.run(read.order(shop.client(), ID, KEY, NOW))
    assert found is not None
    assert len(found.lines) == 3
    restless = Shop({"OrderSnapshot": [data(order=paged)], "OrderLinesAfter": [data(order=changed)]})
    with pytest.raises(CallFailed) as raised:
        asyncio.run(read.order(restless.client(), ID, KEY, NOW))
    assert isinstance(raised.value.outcome, Unavailable)


def test_a_full_list_of_refunds_is_asked_for_again_with_more() -> None:
    five = [refund(number, []) for number in range(5)]
    shop = Shop(
        {
            "OrderSnapshot": [
                data(order=order(refunds=five)),
                data(order=order(refunds=[*five, refund(5, [])])),
            ]
        }
    )
    found = asyncio.run(read.order(shop.client(), ID, KEY, NOW))
    assert found is not None
    assert len(found.refunds) == 6
    assert [variables["listed"] for _, variables, _ in shop.requests] == [5, 50]


def test_a_read_with_errors_beside_its_data_is_refused_as_a_whole() -> None:
    partial = data(order=order()) | {
        "errors": [{"message": "Access denied for destination", "extensions": {"code": "ACCESS_DENIED"}}]
    }
    with pytest.raises(CallFailed) as raised:
        asyncio.run(read.order(Shop({"OrderSnapshot": [partial]}).client(), ID, KEY, NOW))
    assert isinstance(raised.value.outcome, Refused)
    assert raised.value.outcome.code == "PARTIAL_ANSWER"


def test_an_answer_of_another_shape_names_the_field_and_nothing_of_its_content() -> None:
    odd = order()
    odd["shippingAddress"]["zip"] = ["SECRET-ZIP"]
    with pytest.raises(CallFailed) as raised:
        asyncio.run(read.order(Shop({"OrderSnapshot": [data(order=odd)]}).client(), ID, KEY, NOW))
    assert isinstance(raised.value.outcome, Unknown)
    assert "order.shippingAddress.zip" in str(raised.value)
    assert "SECRET" not in str(raised.value)


def draft_node(number: int, marker: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/DraftOrder/{number}",
        "status": "OPEN",
        "createdAt": f"2026-11-20T09:0{9 - number}:00Z",
        "reserveInventoryUntil": (NOW + timedelta(days=1)).isoformat(),
        "presentmentCurrencyCode": "CAD",
        "totalPriceSet": bag("44.0"),
        "customAttributes": [{"key": "mirakl_order_id", "value": marker}],
        "order": None,
        "shippingAddress": None,
    } | changes


def test_drafts_are_those_with_exactly_our_marker_oldest_first() -> None:
    nodes = [
        draft_node(1, "mkt-ca:12345-A"),
        draft_node(2, "mkt-ca:12345-A"),
        draft_node(3, "MKT-CA:12345-a"),
    ]
    shop = Shop({"DraftsByTag": [data(draftOrders={"nodes": nodes, "pageInfo": no_more()})]})
    found = asyncio.run(read.drafts_by_tag(shop.client(), "12345-A", "mkt-ca:12345-A", KEY, NOW))
    assert [item.id[-1] for item in found] == ["2", "1"]
    assert shop.requests[0][1]["search"] == "tag:'mirakl-order:12345-A'"


@pytest.mark.parametrize(
    ("changes", "reserved"),
    [
        ({}, True),
        ({"reserveInventoryUntil": None}, False),
        ({"reserveInventoryUntil": "2026-11-20T09:59:59Z"}, False),
        ({"status": "COMPLETED", "order": {"id": ID, "name": "#1"}}, False),
    ],
)
def test_whether_a_draft_holds_stock_for_us(changes: dict[str, Any], reserved: bool) -> None:
    shop = Shop({"DraftSnapshot": [data(draftOrder=draft_node(1, "m", **changes))]})
    found = asyncio.run(read.draft(shop.client(), "gid://shopify/DraftOrder/1", KEY, NOW))
    assert found is not None
    assert found.reserved is reserved


def test_an_ignored_search_filter_is_an_error_not_a_wider_answer() -> None:
    wide = data(draftOrders={"nodes": [draft_node(1, "m")], "pageInfo": no_more()})
    wide["extensions"]["search"] = [{"warnings": [{"field": "tag", "message": "?", "code": "invalid_field"}]}]
    with pytest.raises(CallFailed) as raised:
        asyncio.run(read.drafts_by_tag(Shop({"DraftsByTag": [wide]}).client(), "1", "m", KEY, NOW))
    assert isinstance(raised.value.outcome, Refused)
    assert raised.value.outcome.code == "SEARCH_FILTER_IGNORED"


def variant(number: int, sku: str, *stock: tuple[str, bool, int], tracked: bool = True) -> dict[str, Any]:
    return {
        "id": f"gid://shopify/ProductVariant/{number}",
        "sku": sku,
        "price": "19.99",
        "product": {"status": "ACTIVE"},
        "inventoryItem": {
            "id": f"gid://shopify/InventoryItem/{number}",
            "tracked": tracked,
            "inventoryLevels": {
                "nodes": [
                    {
                        "isActive": True,
                        "location": {"id": place, "isActive": True, "fulfillsOnlineOrders": online},
                        "quantities": [{"name": "available", "quantity": units}],
                    }
                    for place, online, units in stock
                ],
                "pageInfo": no_more(),
            },
        },
    }


def offers(
    nodes: list[dict[str, Any]], *skus: str, locations: tuple[str, ...] = (), taxes_included: bool = True
) -> Any:
    shop = Shop(
        {
            "VariantsBySku": [
                data(
                    shop={"currencyCode": "EUR", "taxesIncluded": taxes_included},
                    productVariants={"nodes": nodes, "pageInfo": no_more()},
                )
            ]
        }
    )
    client = shop.client()
    return asyncio.run(read.offers(client, skus, locations)), client, shop


def test_offers_match_case_exactly_and_count_their_stock() -> None:
    nodes = [
        variant(1, "lamp", ("A", True, 3)),
        variant(2, "LAMP", ("A", True, 3), ("B", True, -1), ("C", False, 9)),
    ]
    (offer,), _, _ = offers(nodes, "LAMP")
    assert (offer.variant_id, offer.matches, offer.available) == ("gid://shopify/ProductVariant/2", 1, 2)
    assert (offer.unit_price, offer.currency) == (Decimal("19.99"), "EUR")
    assert offer.taxes_included
    (offer,), _, _ = offers(nodes, "LAMP", locations=("C",), taxes_included=False)
    assert offer.available == 9
    assert not offer.taxes_included


def test_an_ambiguous_an_unknown_and_an_untracked_sku() -> None:
    nodes = [variant(1, "A"), variant(2, "A"), variant(3, "U", tracked=False)]
    found, client, shop = offers(nodes, "A", "B", "U", "A", "it's")
    assert [(item.sku, item.matches, item.variant_id == "", item.available) for item in found] == [
        ("A", 2, True, None),
        ("B", 0, True, None),
        ("U", 1, False, None),
        ("it's", 0, True, None),
    ]
    assert client.counters.ambiguous_skus == 1
    assert shop.requests[0][1]["search"] == "sku:'A' OR sku:'B' OR sku:'U' OR sku:'it\\'s'"


def test_a_sweep_goes_on_where_its_page_ended() -> None:
    node = {
        "id": ID,
        "name": "#1",
        "createdAt": "2026-11-20T09:00:00Z",
        "updatedAt": "2026-11-20T09:30:00Z",
        "cancelledAt": None,
        "tags": ["mirakl"],
        "customAttributes": [{"key": "mirakl_order_id", "value": "m"}],
    }
    shop = Shop(
        {
            "OrdersUpdatedSince": [
                data(orders={"nodes": [node], "pageInfo": {"hasNextPage": True, "endCursor": "c"}})
            ]
        }
    )
    page = asyncio.run(read.orders_updated_since(shop.client(), datetime(2026, 11, 20, 9, tzinfo=UTC)))
    assert page.after == "c"
    assert [(item.id, item.marker) for item in page.orders] == [(ID, "m")]
    assert shop.requests[0][1]["search"] == "updated_at:>='2026-11-20T09:00:00Z'"


def test_a_page_without_a_new_cursor_is_not_taken_for_the_last() -> None:
    shop = Shop(
        {
            "OrdersUpdatedSince": [
                data(orders={"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}})
            ]
        }
    )
    with pytest.raises(CallFailed, match="no new cursor"):
        asyncio.run(read.orders_updated_since(shop.client(), NOW))


@pytest.mark.parametrize(
    "said",
    [
        "Access denied for customer field. Required access: `read_customers` access scope.",
        "This app is not approved to access the Customer object.",
        "This app is not approved to use the phone field.",
    ],
)
def test_customers_that_are_kept_from_us_do_not_keep_the_order(said: str) -> None:
    withheld = {"data": {"order": order()}, "errors": [{"message": said, "path": ["order", "customer"]}]}
    shop = Shop({"OrderSnapshot": [withheld, data(order=order())]})

    found = asyncio.run(read.order(shop.client(), "gid://shopify/Order/1", KEY, NOW))

    assert found is not None
    assert [variables["customer"] for _, variables, _ in shop.requests] == [True, False]


def test_anything_else_that_is_withheld_still_refuses_the_order() -> None:
    withheld = {
        "data": {"order": order()},
        "errors": [{"message": "Access denied for fulfillmentOrders field.", "path": ["order"]}],
    }
    shop = Shop({"OrderSnapshot": [withheld]})

    with pytest.raises(CallFailed, match="withheld"):
        asyncio.run(read.order(shop.client(), "gid://shopify/Order/1", KEY, NOW))


def test_readiness_names_the_scopes_that_are_missing() -> None:
    granted = [scope for scope in read.REQUIRED_SCOPES if scope not in ("read_fulfillments", "read_orders")]
    answer = data(
        currentAppInstallation={"id": "i", "accessScopes": [{"handle": scope} for scope in granted]},
        shop={
            "id": "s",
            "name": "Demo",
            "myshopifyDomain": "demo.myshopify.com",
            "currencyCode": "CAD",
            "taxesIncluded": False,
            "ianaTimezone": "America/Toronto",
            "plan": {"publicDisplayName": "Plus", "partnerDevelopment": False},
        },
        publicApiVersions=[{"handle": "2026-10", "supported": True}],
        locations={"nodes": [], "pageInfo": no_more()},
    )
    found = asyncio.run(read.startup(Shop({"StartupCheck": [answer]}).client()))
    assert found.missing_scopes == ("read_fulfillments",)
    assert not found.ready
    assert found.version_supported


# Facts for the gate and for edits (reference 6.1, 6.2, 10.1, 11)


def asked(kind: str, at: str) -> dict[str, str]:
    return {"kind": kind, "sentAt": at}


FIRST, SECOND, THIRD = "2026-11-20T09:00:00Z", "2026-11-20T09:30:00Z", "2026-11-20T09:45:00Z"
TO_FULFIL, TO_CANCEL = asked("FULFILLMENT_REQUEST", FIRST), asked("CANCELLATION_REQUEST", SECOND)


@pytest.mark.parametrize(
    ("status", "requests", "expected"),
    [
        ("UNSUBMITTED", [], ""),
        ("SUBMITTED", [TO_FULFIL], ""),
        ("ACCEPTED", [TO_FULFIL], ""),
        ("ACCEPTED", [TO_CANCEL, TO_FULFIL], "ASKED"),
        ("CANCELLATION_REQUESTED", [], "ASKED"),
        ("CANCELLATION_REJECTED", [TO_CANCEL, TO_FULFIL], "REFUSED"),
        ("CANCELLATION_ACCEPTED", [TO_CANCEL, TO_FULFIL], "ACCEPTED"),
        ("ACCEPTED", [TO_FULFIL, TO_CANCEL, asked("FULFILLMENT_REQUEST", THIRD)], ""),
        ("REJECTED", [TO_CANCEL, TO_FULFIL], ""),
        ("CLOSED", [TO_CANCEL, TO_FULFIL], ""),
    ],
)
def test_what_became_of_asking_a_service_to_stop(
    status: str, requests: list[dict[str, str]], expected: str
) -> None:
    """Right after the request the status still reads ACCEPTED; the list of requests tells (reference 10.1)."""
    place = {"location": {"id": "gid://shopify/Location/2", "isFulfillmentService": True}}
    shown = to_ship(
        5, (1, 2), requestStatus=status, merchantRequests={"nodes": requests}, assignedLocation=place
    )
    found = seen(fulfillmentOrders={"nodes": [shown], "pageInfo": no_more()}).fulfillment_orders[0]
    assert (found.third_party, found.stop_request) == (True, expected)


def test_a_location_of_our_own_is_no_third_party() -> None:
    found = seen().fulfillment_orders[0]
    assert (found.third_party, found.with_service, found.can_ask_to_stop) == (False, False, False)


@pytest.mark.parametrize(
    ("shown", "label", "voided"),
    [
        ("LABEL_PURCHASED", True, False),
        ("LABEL_PRINTED", True, False),
        ("LABEL_VOIDED", False, True),
        ("IN_TRANSIT", False, False),
        (None, False, False),
    ],
)
def test_how_far_a_label_is(shown: str | None, label: bool, voided: bool) -> None:
    found = seen(fulfillments=[shipment(1, "SUCCESS", (1, 1)) | {"displayStatus": shown}]).fulfillments[0]
    assert (found.only_a_label, found.label_voided) == (label, voided)


def test_why_our_app_may_not_edit_is_told_in_the_shops_words() -> None:
    found = seen(merchantEditable=False, merchantEditableErrors=["It was created by jane@example.org."])
    assert (found.editable, found.edit_obstacles) == (False, ("It was created by …",))


def test_custom_items_and_parts_of_bundles_are_told_apart() -> None:
    odd = line(1) | {"variant": None}
    part = line(2) | {"lineItemGroup": {"id": "gid://shopify/LineItemGroup/7"}}
    found = seen(lineItems={"nodes": [odd, part, line(3)], "pageInfo": no_more()})
    assert [item.custom for item in found.lines] == [True, False, False]
    assert [item.group for item in found.lines] == ["", "gid://shopify/LineItemGroup/7", ""]


def test_a_changed_note_or_attribute_changes_the_digest_and_is_not_kept() -> None:
    gift = [{"key": "gift", "value": "For Jane"}]
    plain = seen()
    noted = seen(note="Ring twice, Jane")
    attributed = seen(customAttributes=gift)
    on_line = seen(lineItems={"nodes": [line(1) | {"customAttributes": gift}], "pageInfo": no_more()})
    digests = [found.notes_digest for found in (plain, noted, attributed, on_line)]
    assert len(set(digests)) == 4
    assert seen(note="Ring twice, Jane").notes_digest == noted.notes_digest
    two = [{"key": "a", "value": "1"}, {"key": "b", "value": None}]
    assert seen(customAttributes=two).notes_digest == seen(customAttributes=two[::-1]).notes_digest
    for found in (noted, attributed, on_line):
        assert "Jane" not in repr(found)
