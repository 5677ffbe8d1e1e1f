"""Every write and what its answer means."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from interlock.orders.actions import (
    AddedLine,
    AskServiceToStop,
    CancelShopifyOrder,
    ClearMarker,
    ClearStatus,
    CompleteDraft,
    DeleteDraft,
    EditShopifyOrder,
    FillDraftAddress,
    FillOrderAddress,
    MarkOrder,
    MarkPaid,
    PlaceHold,
    ReleaseHold,
    SetOrderAddress,
    ShopifyAction,
    ShowStatus,
)
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown
from interlock.shopify.perform import define_marker, define_status, perform
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

GIVEN = json.dumps(
    {
        "first_name": "Kim",
        "last_name": "Novak",
        "line1": "8 Oak Road",
        "city": "Toronto",
        "postcode": "M4B 1B3",
        "province": "ON",
        "country_code": "CA",
    }
)
ADDRESS = SetOrderAddress(ORDER, "t-1", "d")
STOP = AskServiceToStop(FO, "The order was changed at the marketplace.")
CLEAR = ClearMarker(ORDER)
CALCULATED, VARIANT = "gid://shopify/CalculatedOrder/77", "gid://shopify/ProductVariant/1"
EDIT = EditShopifyOrder(
    ORDER,
    "case-1",
    (("gid://shopify/LineItem/1", 1), ("gid://shopify/LineItem/2", 3)),
    (AddedLine(VARIANT, 2, "L3"),),
    "The marketplace cancelled one lamp.",
)

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
    (ADDRESS, "UpdateOrderAddress", "orderUpdate"),
    (STOP, "AskServiceToStop", "fulfillmentOrderSubmitCancellationRequest"),
]


def done(action: ShopifyAction, **answers: Any) -> Outcome:
    shop = Shop({name: [answer] for name, answer in answers.items()})
    return asyncio.run(perform(shop.client(), action, context(text=GIVEN)))


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
    if root == "fulfillmentOrderSubmitCancellationRequest":
        payload = {"fulfillmentOrder": None}
    errors = [{"field": ["input", 0], "message": message, "code": code}]
    name = "orderCancelUserErrors" if root == "orderCancel" else "userErrors"
    return data(**{root: payload | {name: errors} | fields})


def request_state(status: str, *asked: tuple[str, str]) -> dict[str, Any]:
    return {
        "id": FO,
        "requestStatus": status,
        "merchantRequests": {"nodes": [{"kind": kind, "sentAt": at} for kind, at in asked]},
    }


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
    request = request_state("ACCEPTED")
    found = done(
        action,
        **{operation: refusing(root, "Jane may not.")},
        OrderState=state,
        ServiceRequest=data(fulfillmentOrder=request),
    )
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
    marked = {"metafields": [{"key": "mirakl_order_id", "value": "mkt-ca:12345-A"}], "userErrors": []}
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


# Our own edits (reference 7)


def calculated(number: int, quantity: int) -> dict[str, Any]:
    return {"id": f"gid://shopify/CalculatedLineItem/{number}", "quantity": quantity}


def begun(*lines: tuple[int, int], more: bool = False) -> dict[str, Any]:
    nodes = [calculated(number, quantity) for number, quantity in lines]
    order = {"id": CALCULATED, "lineItems": {"nodes": nodes, "pageInfo": {"hasNextPage": more}}}
    return data(orderEditBegin={"calculatedOrder": order, "userErrors": []})


def edited(root: str, *lines: tuple[int, int], added: int = 2) -> dict[str, Any]:
    order = {
        "id": CALCULATED,
        "lineItems": {"nodes": [calculated(number, quantity) for number, quantity in lines]},
        "addedLineItems": {"nodes": [{"quantity": added, "variant": {"id": VARIANT}}]},
    }
    payload = {"calculatedLineItem": calculated(1, 1), "calculatedOrder": order, "userErrors": []}
    return data(**{root: payload})


def step(root: str) -> dict[str, Any]:
    """An answer to a change that is not the last one: without the calculated order."""
    return data(**{root: {"calculatedLineItem": calculated(1, 1), "userErrors": []}})


SAVED = data(orderEditCommit={"order": {"id": ORDER}, "userErrors": []})
STAGED = {
    "EditBegin": begun((1, 2), (2, 3), (3, 5)),
    "EditSetQuantity": step("orderEditSetQuantity"),
    "EditAddVariant": edited("orderEditAddVariant", (1, 1), (2, 3), (3, 5)),
    "EditCommit": SAVED,
}
REACHED = Confirmed((("shopify_order_id", ORDER),))


def attempted(action: ShopifyAction, answers: dict[str, Any]) -> tuple[Outcome, list[tuple[str, Any]]]:
    shop = Shop({name: [answer] for name, answer in answers.items()})
    outcome = asyncio.run(perform(shop.client(), action, context(text=GIVEN)))
    return outcome, [(name, variables) for name, variables, _ in shop.requests]


def test_an_edit_changes_what_differs_adds_and_is_saved_without_a_mail() -> None:
    outcome, sent = attempted(EDIT, STAGED)
    assert outcome == REACHED
    assert [name for name, _ in sent] == ["EditBegin", "EditSetQuantity", "EditAddVariant", "EditCommit"]
    lowered = sent[1][1]
    assert (lowered["lineItemId"], lowered["quantity"]) == ("gid://shopify/CalculatedLineItem/1", 1)
    assert lowered["restock"] is True
    assert sent[2][1] == {"id": CALCULATED, "variantId": VARIANT, "quantity": 2, "last": True}
    assert sent[3][1] == {"id": CALCULATED, "staffNote": "The marketplace cancelled one lamp."}


def test_a_raised_quantity_restocks_nothing() -> None:
    raising = EditShopifyOrder(ORDER, "case-1", (("gid://shopify/LineItem/1", 5),), (), "")
    answer = edited("orderEditSetQuantity", (1, 5), (2, 3))
    answer["data"]["orderEditSetQuantity"]["calculatedOrder"]["addedLineItems"]["nodes"] = []
    outcome, sent = attempted(
        raising, STAGED | {"EditBegin": begun((1, 2), (2, 3)), "EditSetQuantity": answer}
    )
    assert outcome == REACHED
    assert (sent[1][1]["restock"], sent[1][1]["last"]) == (False, True)


def test_an_order_that_shows_the_wanted_quantities_is_not_edited() -> None:
    wanted = EditShopifyOrder(ORDER, "case-1", EDIT.quantities, (), "")
    outcome, sent = attempted(wanted, {"EditBegin": begun((1, 1), (2, 3))})
    assert outcome == REACHED
    assert [name for name, _ in sent] == ["EditBegin"]


@pytest.mark.parametrize(
    "shown",
    [
        edited("orderEditAddVariant", (1, 2), (2, 3), (3, 5)),
        edited("orderEditAddVariant", (1, 1), (2, 3), (3, 4)),
        edited("orderEditAddVariant", (1, 1), (2, 3)),
        edited("orderEditAddVariant", (1, 1), (2, 3), (3, 5), added=1),
    ],
    ids=["not lowered", "another line changed", "another line gone", "too few added"],
)
def test_an_edit_that_would_show_anything_else_is_not_saved(shown: dict[str, Any]) -> None:
    outcome, sent = attempted(EDIT, STAGED | {"EditAddVariant": shown})
    assert isinstance(outcome, Refused)
    assert outcome.code == "EDIT_DIFFERS"
    assert "EditCommit" not in [name for name, _ in sent]


@pytest.mark.parametrize("operation", ["EditBegin", "EditSetQuantity", "EditAddVariant"])
@pytest.mark.parametrize("answer", [httpx2.ReadTimeout("x"), httpx2.Response(502)])
def test_what_breaks_before_the_commit_had_no_effect(operation: str, answer: Any) -> None:
    outcome, sent = attempted(EDIT, STAGED | {operation: answer})
    assert isinstance(outcome, Unavailable)
    assert "EditCommit" not in [name for name, _ in sent]


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.ReadTimeout("x"),
        httpx2.Response(502),
        data(orderEditCommit=None),
        data(orderEditCommit={"odd": 1}),
    ],
)
def test_only_an_unclear_commit_is_unknown(answer: Any) -> None:
    outcome, _ = attempted(EDIT, STAGED | {"EditCommit": answer})
    assert isinstance(outcome, Unknown)


def failing(root: str, message: str) -> dict[str, Any]:
    item = {"orderEditCommit": "order", "orderEditBegin": "calculatedOrder"}.get(root, "calculatedLineItem")
    return data(**{root: {item: None, "userErrors": [{"field": None, "message": message}]}})


@pytest.mark.parametrize(
    ("operation", "root", "message", "expected"),
    [
        ("EditBegin", "orderEditBegin", "The order cannot be edited.", "CANNOT_BE_EDITED"),
        ("EditBegin", "orderEditBegin", "The order does not exist.", "NOT_FOUND"),
        ("EditSetQuantity", "orderEditSetQuantity", "The quantity can't be lower.", "USER_ERROR"),
        ("EditAddVariant", "orderEditAddVariant", "The variant does not exist.", "NOT_FOUND"),
        ("EditCommit", "orderEditCommit", "The order cannot be edited.", "CANNOT_BE_EDITED"),
    ],
)
def test_a_refused_edit_names_its_class(operation: str, root: str, message: str, expected: str) -> None:
    outcome, _ = attempted(EDIT, STAGED | {operation: failing(root, message)})
    assert isinstance(outcome, Refused)
    assert outcome.code == expected


def test_a_commit_without_a_change_means_that_it_is_reached() -> None:
    """Recorded message, reference 7.1."""
    answer = failing("orderEditCommit", "There must be at least one change to be made.")
    assert attempted(EDIT, STAGED | {"EditCommit": answer})[0] == REACHED


def test_a_session_that_ended_is_opened_again_later() -> None:
    answer = failing("orderEditCommit", "The calculated order does not exist.")
    assert isinstance(attempted(EDIT, STAGED | {"EditCommit": answer})[0], Unavailable)


def test_an_order_with_more_lines_than_we_can_check_is_left_alone() -> None:
    outcome, _ = attempted(EDIT, STAGED | {"EditBegin": begun((1, 2), more=True)})
    assert isinstance(outcome, Refused)
    assert outcome.code == "ORDER_TOO_LARGE"


def test_a_writer_that_lost_the_order_saves_no_edit() -> None:
    class Lost(Exception):
        pass

    async def lost() -> None:
        raise Lost

    shop = Shop({name: [answer] for name, answer in STAGED.items()})
    with pytest.raises(Lost):
        asyncio.run(perform(shop.client(), EDIT, replace(context(), still_ours=lost)))
    assert [name for name, _, _ in shop.requests] == ["EditBegin"]


# An address a person gave


def test_a_given_address_is_sent_whole_and_what_it_lacks_is_emptied() -> None:
    made = data(orderUpdate={"order": MADE, "userErrors": []})
    outcome, sent = attempted(ADDRESS, {"UpdateOrderAddress": made})
    assert outcome == ORDER_FACTS
    assert sent[0][1]["input"]["shippingAddress"] == {
        "firstName": "Kim",
        "lastName": "Novak",
        "company": "",
        "address1": "8 Oak Road",
        "address2": "",
        "city": "Toronto",
        "zip": "M4B 1B3",
        "phone": "",
        "provinceCode": "ON",
        "countryCode": "CA",
    }


def test_a_refused_address_is_told_without_the_address() -> None:
    outcome, _ = attempted(
        ADDRESS, {"UpdateOrderAddress": refusing("orderUpdate", "8 Oak Road is not in Toronto")}
    )
    assert isinstance(outcome, Refused)
    assert "Oak" not in outcome.words


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "ADDRESS_UNREADABLE"),
        ("[]", "ADDRESS_UNREADABLE"),
        ('{"street": "x"}', "ADDRESS_UNREADABLE"),
        ('{"line1": 5}', "ADDRESS_UNREADABLE"),
        ('{"line1": "x", "country_code": "Nowhere"}', "COUNTRY_UNKNOWN"),
    ],
)
def test_an_unusable_address_is_refused_and_nothing_is_sent(text: str, code: str) -> None:
    shop = Shop({})
    outcome = asyncio.run(perform(shop.client(), ADDRESS, context(text=text)))
    assert isinstance(outcome, Refused)
    assert (outcome.code, shop.requests) == (code, [])


# Fulfilment services and markers


def test_a_service_that_was_asked_before_is_confirmed() -> None:
    """Right after the request its status still reads ACCEPTED: the list of requests tells (reference 10.1)."""
    refused = refusing("fulfillmentOrderSubmitCancellationRequest", "Cannot request cancellation.")
    asked = request_state(
        "ACCEPTED",
        ("CANCELLATION_REQUEST", "2026-11-20T10:00:00Z"),
        ("FULFILLMENT_REQUEST", "2026-11-20T09:00:00Z"),
    )
    confirmed = Confirmed((("fulfillment_order_id", FO),))
    for state in (asked, request_state("CANCELLATION_REQUESTED"), request_state("CANCELLATION_REJECTED")):
        found = done(STOP, AskServiceToStop=refused, ServiceRequest=data(fulfillmentOrder=state))
        assert found == confirmed
    answered = data(fulfillmentOrderSubmitCancellationRequest={"fulfillmentOrder": asked, "userErrors": []})
    assert done(STOP, AskServiceToStop=answered) == confirmed


LINEAGE = {"key": "mirakl_lineage", "value": "mkt-ca:12345-A"}
KEPT = {"metafields": [LINEAGE], "userErrors": []}


@pytest.mark.parametrize("gone", [{"key": "mirakl_order_id"}, None])
def test_a_cleared_marker_is_confirmed_whether_or_not_it_was_there(gone: Any) -> None:
    answer = data(metafieldsSet=KEPT, metafieldsDelete={"deletedMetafields": [gone], "userErrors": []})
    assert done(CLEAR, ClearMarker=answer) == REACHED


def test_a_marker_that_cannot_be_cleared_is_refused() -> None:
    wrong = [{"field": ["metafields", 0], "message": "No access.", "code": "INVALID"}]
    cleared = {"deletedMetafields": [None], "userErrors": []}
    for answer in (
        data(metafieldsSet={"metafields": None, "userErrors": wrong}, metafieldsDelete=cleared),
        data(metafieldsSet=KEPT, metafieldsDelete={"deletedMetafields": None, "userErrors": wrong}),
    ):
        assert isinstance(done(CLEAR, ClearMarker=answer), Refused)


@pytest.mark.parametrize(
    "answer",
    [
        data(metafieldsSet=None, metafieldsDelete={"deletedMetafields": [None], "userErrors": []}),
        data(metafieldsSet=KEPT, metafieldsDelete=None),
        data(
            metafieldsSet={"metafields": [], "userErrors": []},
            metafieldsDelete={"deletedMetafields": [None], "userErrors": []},
        ),
    ],
)
def test_half_an_answer_about_a_marker_is_unknown(answer: dict[str, Any]) -> None:
    assert isinstance(done(CLEAR, ClearMarker=answer), Unknown)


# -- what the order says to staff --------------------------------------------------------------------------

STATUS = ShowStatus(ORDER, "in sync", ("Interlock: needs decision",))
TIDIED: dict[str, Any] = {"userErrors": []}
WRITTEN = {"metafields": [{"key": "order_status", "value": "in sync"}], "userErrors": []}
NO = [{"field": ["tags"], "message": "Tags can't be more than 250", "code": None}]


def test_a_status_is_confirmed_when_every_part_of_it_is() -> None:
    answer = data(tagsRemove=TIDIED, tagsAdd=TIDIED, metafieldsSet=WRITTEN)
    assert done(STATUS, ShowStatus=answer) == REACHED


def test_nothing_is_taken_off_where_nothing_is_stale() -> None:
    shop = Shop({"ShowStatus": [data(tagsAdd=TIDIED, metafieldsSet=WRITTEN)]})
    outcome = asyncio.run(perform(shop.client(), replace(STATUS, stale_tags=()), context()))
    assert outcome == REACHED
    ((_, variables, _),) = shop.requests
    assert variables["tidy"] is False


@pytest.mark.parametrize(
    "answer",
    [
        data(tagsRemove={"userErrors": NO}, tagsAdd=TIDIED, metafieldsSet=WRITTEN),
        data(tagsRemove=TIDIED, tagsAdd={"userErrors": NO}, metafieldsSet=WRITTEN),
        data(tagsRemove=TIDIED, tagsAdd=TIDIED, metafieldsSet={"metafields": None, "userErrors": NO}),
    ],
)
def test_a_status_of_which_a_part_was_refused_is_refused(answer: dict[str, Any]) -> None:
    assert isinstance(done(STATUS, ShowStatus=answer), Refused)


@pytest.mark.parametrize(
    "answer",
    [
        data(tagsRemove=None, tagsAdd=TIDIED, metafieldsSet=WRITTEN),
        data(tagsRemove=TIDIED, tagsAdd=None, metafieldsSet=WRITTEN),
        data(tagsRemove=TIDIED, tagsAdd=TIDIED, metafieldsSet=None),
        data(tagsRemove=TIDIED, tagsAdd=TIDIED, metafieldsSet={"metafields": [], "userErrors": []}),
    ],
)
def test_half_an_answer_about_a_status_is_unknown(answer: dict[str, Any]) -> None:
    assert isinstance(done(STATUS, ShowStatus=answer), Unknown)


SILENCE = ClearStatus(ORDER, ("Interlock: needs decision",))
DELETED: dict[str, Any] = {"deletedMetafields": [{"key": "order_status"}], "userErrors": []}


def test_that_nothing_is_said_is_confirmed_when_every_part_of_it_is_also_where_nothing_was_said() -> None:
    assert done(SILENCE, ClearStatus=data(tagsRemove=TIDIED, metafieldsDelete=DELETED)) == REACHED
    nothing = DELETED | {"deletedMetafields": [None]}
    assert done(SILENCE, ClearStatus=data(tagsRemove=TIDIED, metafieldsDelete=nothing)) == REACHED
    assert done(replace(SILENCE, tags=()), ClearStatus=data(metafieldsDelete=DELETED)) == REACHED


@pytest.mark.parametrize(
    ("tags", "metafield", "outcome"),
    [
        ({"userErrors": NO}, DELETED, Refused),
        (TIDIED, {"deletedMetafields": None, "userErrors": NO}, Refused),
        (None, DELETED, Unknown),
        (TIDIED, None, Unknown),
        (TIDIED, {"deletedMetafields": None, "userErrors": []}, Unknown),
    ],
)
def test_half_of_it_is_refused_or_unknown(tags: Any, metafield: Any, outcome: type) -> None:
    assert isinstance(done(SILENCE, ClearStatus=data(tagsRemove=tags, metafieldsDelete=metafield)), outcome)


def test_a_shop_with_too_many_pinned_fields_shows_the_status_unpinned() -> None:
    full = [{"field": ["definition"], "message": "Limit of 20 pinned.", "code": "PINNED_LIMIT_REACHED"}]
    made = {"id": "gid://shopify/MetafieldDefinition/1", "namespace": "app--1", "key": "order_status"}
    shop = Shop(
        {
            "DefineMarker": [
                data(metafieldDefinitionCreate={"createdDefinition": None, "userErrors": full}),
                data(metafieldDefinitionCreate={"createdDefinition": made, "userErrors": []}),
            ]
        }
    )
    assert asyncio.run(define_status(shop.client())) == Confirmed()
