"""Every write and what its answer means."""

import asyncio
from typing import Any

import httpx2
import pytest

from interlock.orders.actions import (
    CancelShopifyOrder,
    CompleteDraft,
    DeleteDraft,
    FillDraftAddress,
    FillOrderAddress,
    MarkOrder,
    MarkPaid,
    PlaceHold,
    ReleaseHold,
    ShopifyAction,
)
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown
from interlock.shopify.perform import define_marker, perform
from interlock.shopify.subscriptions import WebhookAddressRefused, ensure
from interlock.shopify.webhooks import TOPICS
from tests.shopify.orders import bag, context, create_draft, create_order, no_more
from tests.shopify.shop import Shop, data

ORDER, DRAFT, FO = "gid://shopify/Order/9", "gid://shopify/DraftOrder/1", "gid://shopify/FulfillmentOrder/5"
MADE = {"id": ORDER, "name": "#1001"}
ORDER_FACTS = Confirmed((("shopify_order_id", ORDER), ("shopify_order_name", "#1001")))

COMPLETE = CompleteDraft(DRAFT)
HOLD = PlaceHold(FO, "Order edited; waiting for the marketplace.")
RELEASE = ReleaseHold(FO, ("gid://shopify/FulfillmentHold/1",))
CANCEL = CancelShopifyOrder(ORDER, "x" * 300)

ACTIONS: list[tuple[ShopifyAction, str, str]] = [
    (create_draft(), "CreateDraft", "draftOrderCreate"),
    (FillDraftAddress(DRAFT, "d"), "UpdateDraft", "draftOrderUpdate"),
    (COMPLETE, "CompleteDraft", "draftOrderComplete"),
    (DeleteDraft(DRAFT), "DeleteDraft", "draftOrderDelete"),
    (create_order(), "CreateOrder", "orderCreate"),
    (FillOrderAddress(ORDER, "d"), "UpdateOrderAddress", "orderUpdate"),
    (MarkPaid(ORDER), "MarkPaid", "orderMarkAsPaid"),
    (HOLD, "Hold", "fulfillmentOrderHold"),
    (RELEASE, "Release", "fulfillmentOrderReleaseHold"),
    (CANCEL, "CancelOrder", "orderCancel"),
]


def done(action: ShopifyAction, **answers: Any) -> Outcome:
    shop = Shop({name: [answer] for name, answer in answers.items()})
    return asyncio.run(perform(shop.client(), action, context()))


def refusing(root: str, message: str, code: str | None = None, **fields: Any) -> dict[str, Any]:
    """A payload with one user error and nothing else but `fields`."""
    items = {
        "draftOrderCreate": "draftOrder",
        "draftOrderUpdate": "draftOrder",
        "draftOrderComplete": "draftOrder",
        "draftOrderDelete": "deletedId",
        "orderCreate": "order",
        "orderUpdate": "order",
        "orderMarkAsPaid": "order",
    }
    payload: dict[str, Any] = {items[root]: None} if root in items else {}
    if root == "fulfillmentOrderHold":
        payload = {"fulfillmentHold": None, "fulfillmentOrder": None}
    if root == "fulfillmentOrderReleaseHold":
        payload = {"fulfillmentOrder": None}
    if root == "orderCancel":
        payload = {"job": None, "jobResult": None}
    errors = [{"field": ["input", 0], "message": message, "code": code}]
    name = "orderCancelUserErrors" if root == "orderCancel" else "userErrors"
    return data(**{root: payload | {name: errors} | fields})


@pytest.mark.parametrize(("action", "operation", "root"), ACTIONS)
def test_a_business_refusal_is_refused_with_its_words(
    action: ShopifyAction, operation: str, root: str
) -> None:
    state = data(
        order={
            "id": ORDER,
            "name": "#1",
            "cancelledAt": None,
            "fullyPaid": False,
            "displayFinancialStatus": None,
        }
    )
    found = done(action, **{operation: refusing(root, "Jane may not.")}, OrderState=state)
    assert isinstance(found, Refused)
    assert found.code == "USER_ERROR"


@pytest.mark.parametrize(("action", "operation", "root"), ACTIONS)
def test_a_broken_answer_is_unknown(action: ShopifyAction, operation: str, root: str) -> None:
    for answer in (
        httpx2.ReadTimeout("x"),
        httpx2.Response(502),
        data(**{root: None}),
        data(**{root: {"odd": 1}}),
    ):
        assert isinstance(done(action, **{operation: answer}), Unknown)


@pytest.mark.parametrize(("action", "operation", "root"), ACTIONS)
def test_an_answer_with_neither_item_nor_error_is_unknown(
    action: ShopifyAction, operation: str, root: str
) -> None:
    empty = refusing(root, "")
    for name in ("userErrors", "orderCancelUserErrors"):
        if name in empty["data"][root]:
            empty["data"][root][name] = []
    assert isinstance(done(action, **{operation: empty}), Unknown)


@pytest.mark.parametrize(("action", "operation", "root"), ACTIONS)
def test_the_creation_limit_is_unavailable(action: ShopifyAction, operation: str, root: str) -> None:
    answer = refusing(root, "Too many attempts. Please try again later.")
    assert isinstance(done(action, **{operation: answer}), Unavailable)


def test_a_draft_is_confirmed_with_its_id() -> None:
    made = {"id": DRAFT, "status": "OPEN", "reserveInventoryUntil": None, "totalPriceSet": bag("44.0")}
    answer = data(draftOrderCreate={"draftOrder": made, "userErrors": []})
    assert done(create_draft(), CreateDraft=answer) == Confirmed((("draft_id", DRAFT),))


def test_a_completed_draft_is_confirmed_with_its_order_also_the_second_time() -> None:
    made = {"id": DRAFT, "status": "COMPLETED", "order": MADE}
    again = [{"field": None, "message": "This order has been paid"}]
    first = data(draftOrderComplete={"draftOrder": made, "userErrors": []})
    second = data(draftOrderComplete={"draftOrder": made, "userErrors": again})
    assert done(COMPLETE, CompleteDraft=first) == ORDER_FACTS
    assert done(COMPLETE, CompleteDraft=second) == ORDER_FACTS


def test_a_completion_that_names_no_order_is_looked_up() -> None:
    again = refusing("draftOrderComplete", "This order has been paid")
    node: dict[str, Any] = {
        "id": DRAFT,
        "status": "COMPLETED",
        "createdAt": "2026-11-20T09:00:00Z",
        "reserveInventoryUntil": None,
        "presentmentCurrencyCode": "CAD",
        "totalPriceSet": bag("44.0"),
        "customAttributes": [],
        "order": MADE,
        "shippingAddress": None,
    }
    assert done(COMPLETE, CompleteDraft=again, DraftSnapshot=data(draftOrder=node)) == ORDER_FACTS
    assert isinstance(done(COMPLETE, CompleteDraft=again, DraftSnapshot=data(draftOrder=None)), Unknown)


def test_missing_stock_is_told_apart_on_both_routes() -> None:
    drafted = done(
        create_draft(),
        CreateDraft=refusing("draftOrderCreate", "Lamp is not available in the requested quantity"),
    )
    ordered = done(
        create_order(),
        CreateOrder=refusing("orderCreate", "Unable to claim inventory", "INVENTORY_CLAIM_FAILED"),
    )
    for found in (drafted, ordered):
        assert isinstance(found, Refused)
        assert found.code == "INVENTORY_CLAIM_FAILED"


def test_a_draft_that_is_gone_is_deleted() -> None:
    gone = refusing("draftOrderDelete", "Draft order does not exist")
    invalid = {
        "data": {"draftOrderDelete": None},
        "errors": [{"message": "Invalid id", "extensions": {"code": "RESOURCE_NOT_FOUND"}}],
    }
    for answer in (gone, invalid):
        assert isinstance(done(DeleteDraft(DRAFT), DeleteDraft=answer), Confirmed)


def test_a_refused_creation_whose_marker_is_taken_finds_the_order_that_exists() -> None:
    taken = refusing("orderCreate", "Value has already been taken", "INVALID")
    taken["data"]["orderCreate"]["userErrors"][0]["field"] = ["order", "metafields", 0, "value"]
    node = MADE | {
        "createdAt": "2026-11-20T09:00:00Z",
        "cancelledAt": None,
        "marker": {"value": "mkt-ca:12345-A"},
    }
    assert done(create_order(), CreateOrder=taken, OrderByMarker=data(orderByIdentifier=node)) == ORDER_FACTS
    hidden = done(create_order(), CreateOrder=taken, OrderByMarker=data(orderByIdentifier=None))
    # An earlier attempt made it; to create once more could only make a second order.
    assert hidden == Refused("TAKEN", "Value has already been taken")
    other = node | {"marker": {"value": "mkt-ca:12345-a"}}
    foreign = done(create_order(), CreateOrder=taken, OrderByMarker=data(orderByIdentifier=other))
    assert foreign == Refused("TAKEN", "Value has already been taken")


def test_an_order_left_behind_without_its_marker_is_named_beside_the_one_that_has_it() -> None:
    answer = refusing(
        "orderCreate", "Value has already been taken", "INVALID", order={"id": "left", "name": "#1002"}
    )
    answer["data"]["orderCreate"]["userErrors"][0]["field"] = ["order", "metafields", 0, "value"]
    node = MADE | {
        "createdAt": "2026-11-20T09:00:00Z",
        "cancelledAt": None,
        "marker": {"value": "mkt-ca:12345-A"},
    }
    found = done(create_order(), CreateOrder=answer, OrderByMarker=data(orderByIdentifier=node))
    assert found == Confirmed((*ORDER_FACTS.facts, ("left_behind_order_id", "left")))


def test_a_creation_refused_for_another_reason_of_its_metafield_is_refused() -> None:
    answer = refusing("orderCreate", "Type 'id' requires a metafield definition.", "INVALID")
    answer["data"]["orderCreate"]["userErrors"][0]["field"] = ["order", "metafields", 0, "value"]
    assert isinstance(
        done(create_order(), CreateOrder=answer, OrderByMarker=data(orderByIdentifier=None)), Refused
    )


def test_a_created_order_counts_although_a_field_of_the_answer_was_denied() -> None:
    denied = [
        {
            "message": "Access denied",
            "path": ["orderCreate", "order", "x"],
            "extensions": {"code": "ACCESS_DENIED"},
        }
    ]
    answer = data(orderCreate={"order": MADE, "userErrors": []}) | {"errors": denied}
    assert done(create_order(), CreateOrder=answer) == ORDER_FACTS


def test_words_of_a_refusal_carry_nothing_of_the_address() -> None:
    answer = refusing("orderUpdate", "Zip M5H 2M9 is not valid for Jane Doe in Toronto")
    found = done(FillOrderAddress(ORDER, "d"), UpdateOrderAddress=answer)
    assert isinstance(found, Refused)
    for private in ("M5H", "Jane", "Doe", "Toronto"):
        assert private not in found.words


def test_an_address_that_is_hidden_sends_nothing() -> None:
    shop = Shop({})
    hidden = context({"order_id": "12345-A", "customer": {"shipping_address": None}})
    found = asyncio.run(perform(shop.client(), FillDraftAddress(DRAFT, "d"), hidden))
    assert isinstance(found, Refused)
    assert found.code == "ADDRESS_MISSING"
    assert shop.requests == []


def test_marking_needs_both_halves() -> None:
    marked = {"metafields": [{"id": "m", "value": "mkt-ca:12345-A"}], "userErrors": []}
    taken = {
        "metafields": None,
        "userErrors": [{"field": None, "message": "Value has already been taken", "code": "TAKEN"}],
    }
    tagged: dict[str, Any] = {"userErrors": []}
    assert isinstance(done(MarkOrder(ORDER), Annotate=data(metafieldsSet=marked, tagsAdd=tagged)), Confirmed)
    found = done(MarkOrder(ORDER), Annotate=data(metafieldsSet=taken, tagsAdd=tagged))
    assert found == Refused("TAKEN", "Value has already been taken")
    half = {
        "data": {"metafieldsSet": marked, "tagsAdd": None},
        "errors": [{"message": "x", "extensions": {"code": "ACCESS_DENIED"}}],
    }
    assert isinstance(done(MarkOrder(ORDER), Annotate=half), Unknown)


def test_an_order_that_is_paid_already_is_paid() -> None:
    refused = refusing("orderMarkAsPaid", "Order cannot be marked as paid.")
    state = {
        "id": ORDER,
        "name": "#1",
        "cancelledAt": None,
        "fullyPaid": True,
        "displayFinancialStatus": "PAID",
    }
    assert isinstance(done(MarkPaid(ORDER), MarkPaid=refused, OrderState=data(order=state)), Confirmed)
    found = done(
        MarkPaid(ORDER),
        MarkPaid=refused,
        OrderState=data(order=state | {"fullyPaid": False, "displayFinancialStatus": "VOIDED"}),
    )
    assert isinstance(found, Refused)
    assert found.code == "CANNOT_BE_MARKED_PAID"


def test_a_hold_is_confirmed_with_its_id() -> None:
    placed = {"id": "h1", "handle": "interlock:mkt-ca", "heldByRequestingApp": True}
    answer = data(
        fulfillmentOrderHold={
            "fulfillmentHold": placed,
            "fulfillmentOrder": {"id": FO, "status": "ON_HOLD"},
            "userErrors": [],
        }
    )
    shop = Shop({"Hold": [answer]})
    assert asyncio.run(perform(shop.client(), HOLD, context())) == Confirmed((("hold_id", "h1"),))
    sent = shop.requests[0][1]["hold"]
    assert sent == {
        "reason": "OTHER",
        "reasonNotes": HOLD.notes,
        "handle": "interlock:mkt-ca",
        "externalId": "op-1/1",
        "notifyMerchant": False,
    }


def test_a_hold_that_stands_already_is_looked_up() -> None:
    duplicate = refusing(
        "fulfillmentOrderHold", "Handle must be unique.", "DUPLICATE_FULFILLMENT_HOLD_HANDLE"
    )
    holds = [
        {"id": "h0", "handle": "interlock:mkt-ca", "heldByRequestingApp": False},
        {"id": "h1", "handle": "interlock:mkt-ca", "heldByRequestingApp": True},
    ]
    owner = {"id": FO, "status": "ON_HOLD", "orderId": ORDER, "orderName": "#1", "fulfillmentHolds": holds}
    assert done(HOLD, Hold=duplicate, FulfillmentOrderOwner=data(fulfillmentOrder=owner)) == Confirmed(
        (("hold_id", "h1"),)
    )
    bare = owner | {"fulfillmentHolds": holds[:1]}
    assert isinstance(done(HOLD, Hold=duplicate, FulfillmentOrderOwner=data(fulfillmentOrder=bare)), Unknown)


def test_a_release_always_names_its_holds() -> None:
    shop = Shop({})
    found = asyncio.run(perform(shop.client(), ReleaseHold(FO, ()), context()))
    assert isinstance(found, Refused)
    assert shop.requests == []


def test_a_release_is_confirmed_when_none_of_ours_is_left() -> None:
    def answer(*left: str) -> dict[str, Any]:
        order = {"id": FO, "status": "ON_HOLD", "fulfillmentHolds": [{"id": name} for name in left]}
        return data(fulfillmentOrderReleaseHold={"fulfillmentOrder": order, "userErrors": []})

    assert done(RELEASE, Release=answer("gid://shopify/FulfillmentHold/2")) == Confirmed()
    assert isinstance(done(RELEASE, Release=answer("gid://shopify/FulfillmentHold/1")), Unknown)


def test_a_cancel_restocks_mails_nobody_and_moves_no_money() -> None:
    answer = data(
        orderCancel={"job": {"id": "j", "done": False}, "jobResult": None, "orderCancelUserErrors": []}
    )
    shop = Shop({"CancelOrder": [answer]})
    assert isinstance(asyncio.run(perform(shop.client(), CANCEL, context())), Confirmed)
    sent = shop.requests[0][1]
    assert sent == {
        "orderId": ORDER,
        "reason": "OTHER",
        "restock": True,
        "refundMethod": {"originalPaymentMethodsRefund": False},
        "staffNote": "x" * 255,
    }


def test_an_order_that_is_cancelled_already_is_cancelled() -> None:
    refused = refusing("orderCancel", "Cannot cancel an order that has already been canceled", "INVALID")
    assert isinstance(done(CANCEL, CancelOrder=refused), Confirmed)


def test_the_markers_definition_may_exist_already() -> None:
    taken = data(
        metafieldDefinitionCreate={
            "createdDefinition": None,
            "userErrors": [
                {"field": None, "message": "Key is in use for Order metafields.", "code": "TAKEN"}
            ],
        }
    )
    assert asyncio.run(define_marker(Shop({"DefineMarker": [taken]}).client())) == Confirmed()


URI = "https://interlock.example.org/webhooks/shopify"


def test_missing_subscriptions_are_added_and_taken_addresses_count_as_there() -> None:
    node = {
        "id": "s1",
        "topic": "ORDERS_EDITED",
        "uri": URI,
        "format": "JSON",
        "includeFields": [],
        "apiVersion": {"handle": "2026-07"},
    }
    elsewhere = node | {"id": "s2", "topic": "ORDERS_CREATE", "uri": "https://other.example.org"}
    made = data(
        webhookSubscriptionCreate={
            "webhookSubscription": {
                "id": "s3",
                "topic": "X",
                "uri": URI,
                "apiVersion": {"handle": "2026-10"},
            },
            "userErrors": [],
        }
    )
    taken = data(
        webhookSubscriptionCreate={
            "webhookSubscription": None,
            "userErrors": [
                {
                    "field": ["webhookSubscription", "callbackUrl"],
                    "message": "Address for this topic has already been taken",
                }
            ],
        }
    )
    denied = data(
        webhookSubscriptionCreate={
            "webhookSubscription": None,
            "userErrors": [{"field": None, "message": "No scope."}],
        }
    )
    listed = data(webhookSubscriptions={"nodes": [node, elsewhere], "pageInfo": no_more()})
    shop = Shop({"Subscriptions": [listed], "Subscribe": [taken, denied, made]})
    report = asyncio.run(ensure(shop.client(), URI))
    assert report.present == ("ORDERS_EDITED",)
    assert len(report.added) == len(TOPICS) - 2
    assert report.failed == (("ORDERS_UPDATED", "No scope."),)
    assert report.other_versions == ("2026-07",)
    assert not report.complete


@pytest.mark.parametrize("uri", ["http://interlock.example.org/x", "ftp://x", "interlock.example.org"])
def test_deliveries_come_over_https_only(uri: str) -> None:
    with pytest.raises(WebhookAddressRefused):
        asyncio.run(ensure(Shop({}).client(), uri, loopback_http=True))
