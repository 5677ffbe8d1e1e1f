"""Writing: one resolver per mutation of schema.graphql, thin over the modules that know the rules."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import wraps
from typing import Any

from graphql import StringValueNode, VariableNode

from interlock.simulator.shopify import (
    drafts,
    edits,
    fulfillment,
    metafields,
    orders,
    refunds,
    services,
    stock,
)
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.asking import Asking, Info
from interlock.simulator.shopify.gids import tail
from interlock.simulator.shopify.money import ZERO
from interlock.simulator.shopify.queries import StagedIn
from interlock.simulator.shopify.refusals import Refused, TopLevelRefusal, invalid_id
from interlock.simulator.shopify.state import (
    AppData,
    Draft,
    EditSession,
    Fulfillment,
    FulfillmentOrder,
    FulfillmentOrderLine,
    Location,
    Order,
    Subscription,
    Variant,
)
from interlock.simulator.shopify.tags import merged_tags, without_tags
from interlock.simulator.shopify.webhooks import TOPIC_SCOPES

Mutation = Callable[..., dict[str, Any]]
IDEMPOTENCY_HOURS = 24


def _mutation(
    *scopes: str, errors: str = "userErrors"
) -> Callable[[Mutation], Callable[..., dict[str, Any]]]:
    """Scope check, act, refusals as user errors, announcements at the end."""

    def decorate(change: Mutation) -> Callable[..., dict[str, Any]]:
        @wraps(change)
        def resolve(_root: object, info: Info, **args: Any) -> dict[str, Any]:
            ask: Asking = info.context
            if scopes:
                ask.need(info.field_name, *scopes)
            act = ask.act()
            try:
                payload = change(act, ask, info, args)
            except Refused as no:
                payload = {errors: [_user_error(no)]}
            for order in act.touched.values():
                ask.saw(order)
            act.finish()
            payload.setdefault(errors, [])
            payload.setdefault("userErrors", [])
            return payload

        return resolve

    return decorate


def _user_error(no: Refused) -> dict[str, Any]:
    return {
        "field": None if no.field is None else list(no.field),
        "message": no.message,
        "code": no.code,
        "elementIndex": None,
        "elementKey": None,
    }


_HOLD_SCOPES = ("write_merchant_managed_fulfillment_orders", "write_third_party_fulfillment_orders")
_SHIP_SCOPES = (*_HOLD_SCOPES, "write_assigned_fulfillment_orders")


def _find_order(
    ask: Asking, gid: str, field: tuple[str, ...], message: str = "Order does not exist"
) -> Order:
    number = tail(gid, "Order")
    if number < 0:
        raise invalid_id(gid)
    order = ask.shop.orders.get(number)
    if order is None:
        raise Refused(message, field)
    return ask.saw(order)


def _find_draft(ask: Asking, gid: str) -> Draft:
    draft = ask.shop.drafts.get(tail(gid, "DraftOrder"))
    if draft is None:
        raise Refused("Draft order does not exist", ("id",))
    return draft


def _find_location(ask: Asking, gid: str | None) -> Location | None:
    if gid is None:
        return None
    location = ask.shop.locations.get(tail(gid, "Location"))
    if location is None:
        raise invalid_id(gid)
    return location


# Orders


@_mutation("write_orders")
def order_create(act: Act, ask: Asking, info: Info, args: dict[str, Any]) -> dict[str, Any]:
    given = args["order"]
    _forget_defaults(info, ask, given)
    order = orders.create(act, given, args.get("options") or {})
    return {"order": ask.saw(order)}


def _forget_defaults(info: Info, ask: Asking, given: dict[str, Any]) -> None:
    """The library fills `requiresShipping: false` in; whether the caller said so is in the raw variables."""
    for argument in info.field_nodes[0].arguments or ():
        if argument.name.value == "order" and isinstance(argument.value, VariableNode):
            raw = ask.variables.get(argument.value.name.value) or {}
            for line, said in zip(given.get("lineItems") or [], raw.get("lineItems") or [], strict=False):
                if "requiresShipping" not in said:
                    line.pop("requiresShipping", None)


@_mutation("write_orders")
def order_update(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    order = _find_order(ask, args["input"]["id"], ("id",))
    orders.update(act, order, args["input"])
    return {"order": order}


@_mutation("write_orders")
def order_mark_as_paid(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    order = _find_order(ask, args["input"]["id"], ("id",))
    orders.mark_as_paid(act, order)
    return {"order": order}


@_mutation("write_orders", errors="orderCancelUserErrors")
def order_cancel(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    method = args.get("refundMethod")
    if method is not None and args.get("refund") is not None:
        raise Refused("Only one of refund and refundMethod may be given", ("refund",), "INVALID")
    try:
        order = _find_order(ask, args["orderId"], ("orderId",))
    except Refused as no:
        raise Refused(no.message, no.field, "NOT_FOUND") from no
    refund = bool(args.get("refund")) or bool(method and method.get("originalPaymentMethodsRefund"))
    job = orders.schedule_cancel(
        act, order, reason=args["reason"], restock=args["restock"], refund=refund, note=args.get("staffNote")
    )
    return {"job": job, "jobResult": job}


@_mutation("write_orders")
def order_close(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    order = _find_order(ask, args["input"]["id"], ("id",))
    orders.close(act, order)
    return {"order": order}


@_mutation("write_orders")
def order_open(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    order = _find_order(ask, args["input"]["id"], ("id",))
    orders.reopen(act, order)
    return {"order": order}


# Drafts


@_mutation("write_draft_orders")
def draft_order_create(act: Act, _ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    return {"draftOrder": drafts.create(act, args["input"])}


@_mutation("write_draft_orders")
def draft_order_update(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    draft = _find_draft(ask, args["id"])
    drafts.update(act, draft, args["input"])
    return {"draftOrder": draft}


@_mutation("write_draft_orders")
def draft_order_complete(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    draft = _find_draft(ask, args["id"])
    try:
        order = drafts.complete(act, draft, payment_pending=bool(args.get("paymentPending")))
    except Refused as no:
        if draft.order is None:
            raise
        ask.saw(draft.order)
        return {"draftOrder": draft, "userErrors": [_user_error(no)]}
    ask.saw(order)
    return {"draftOrder": draft}


@_mutation("write_draft_orders")
def draft_order_delete(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    draft = _find_draft(ask, args["input"]["id"])
    drafts.delete(act, draft)
    return {"deletedId": draft.gid}


# Editing


def _session(ask: Asking, gid: str) -> EditSession:
    """The calculated order and the session share a number (reference 7.1)."""
    number = max(tail(gid, "CalculatedOrder"), tail(gid, "OrderEditSession"))
    session = ask.shop.sessions.get(number)
    if session is None or not edits.alive(session, ask.world.clock.now(), ask.world.switches):
        raise Refused("The calculated order does not exist.", ("id",))
    ask.saw(session.order)
    return session


def _edited(session: EditSession, staged: Any = None) -> dict[str, Any]:
    line = None if staged is None else StagedIn(staged, session)
    return {"calculatedOrder": session, "orderEditSession": session, "calculatedLineItem": line}


@_mutation("write_order_edits")
def order_edit_begin(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    order = _find_order(ask, args["id"], ("id",), "The order does not exist.")
    return _edited(edits.begin(act, order))


@_mutation("write_order_edits")
def order_edit_set_quantity(_act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    session = _session(ask, args["id"])
    staged = edits.set_quantity(
        session,
        args["lineItemId"].rpartition("/")[2],
        args["quantity"],
        restock=bool(args.get("restock")),
        location=_find_location(ask, args.get("locationId")),
    )
    return _edited(session, staged)


@_mutation("write_order_edits")
def order_edit_add_variant(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    session = _session(ask, args["id"])
    variant: Variant | None = ask.world.find_variant(ask.shop, args["variantId"])
    if variant is None or variant.deleted:
        raise Refused("The variant does not exist.", ("variantId",))
    staged = edits.add_variant(
        act,
        session,
        variant,
        args["quantity"],
        allow_duplicates=bool(args.get("allowDuplicates")),
        location=_find_location(ask, args.get("locationId")),
    )
    return _edited(session, staged)


@_mutation("write_order_edits")
def order_edit_add_custom_item(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    session = _session(ask, args["id"])
    staged = edits.add_custom_item(
        act,
        session,
        args["title"],
        args["price"]["amount"],
        args["quantity"],
        taxable=bool(args.get("taxable", True)),
        requires_shipping=bool(args.get("requiresShipping")),
    )
    return _edited(session, staged)


@_mutation("write_order_edits")
def order_edit_add_line_item_discount(
    _act: Act, ask: Asking, _info: Info, args: dict[str, Any]
) -> dict[str, Any]:
    session = _session(ask, args["id"])
    given = args["discount"]
    fixed = given.get("fixedValue")
    percent = given.get("percentValue")
    staged = edits.add_discount(
        session,
        args["lineItemId"].rpartition("/")[2],
        None if fixed is None else fixed["amount"],
        None if percent is None else Decimal(str(percent)),
        given.get("description"),
    )
    return _edited(session, staged)


@_mutation("write_order_edits")
def order_edit_commit(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    session = _session(ask, args["id"])
    messages = edits.commit(act, session, notify=bool(args.get("notifyCustomer")), note=args.get("staffNote"))
    return {"order": session.order, "successMessages": messages}


# The gate


def _find_fulfillment_order(ask: Asking, gid: str) -> FulfillmentOrder:
    """A malformed or foreign id is a top-level error (reference 10.2)."""
    order = ask.shop.fulfillment_orders.get(tail(gid, "FulfillmentOrder"))
    if order is None or not ask.sees(order.location.fulfillment_service):
        raise invalid_id(gid)
    ask.saw(order.order)
    return order


@_mutation(*_HOLD_SCOPES)
def fulfillment_order_hold(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    order = _find_fulfillment_order(ask, args["id"])
    given = args["fulfillmentHold"]
    parts = _parts(order, given.get("fulfillmentOrderLineItems") or [])
    placed, rest = fulfillment.hold(
        act,
        order,
        reason=given["reason"],
        handle=given.get("handle") or "",
        notes=given.get("reasonNotes"),
        parts=parts or None,
    )
    return {"fulfillmentHold": placed, "fulfillmentOrder": order, "remainingFulfillmentOrder": rest}


def _parts(order: FulfillmentOrder, given: list[dict[str, Any]]) -> list[tuple[FulfillmentOrderLine, int]]:
    lines = {line.number: line for line in order.lines}
    parts = []
    for item in given:
        line = lines.get(tail(item["id"], "FulfillmentOrderLineItem"))
        if line is None:
            raise Refused("Fulfillment order line item does not exist.", ("fulfillmentOrderLineItems",))
        parts.append((line, item["quantity"]))
    return parts


@_mutation(*_HOLD_SCOPES, "write_marketplace_fulfillment_orders")
def fulfillment_order_release_hold(
    act: Act, ask: Asking, _info: Info, args: dict[str, Any]
) -> dict[str, Any]:
    order = _find_fulfillment_order(ask, args["id"])
    ids = args.get("holdIds")
    numbers = None if ids is None else [tail(gid, "FulfillmentHold") for gid in ids]
    fulfillment.release(act, order, numbers)
    return {"fulfillmentOrder": order}


@_mutation("write_third_party_fulfillment_orders")
def fulfillment_order_submit_fulfillment_request(
    act: Act, ask: Asking, _info: Info, args: dict[str, Any]
) -> dict[str, Any]:
    """Only whole fulfilment orders are modelled; lines of one are refused."""
    order = _find_fulfillment_order(ask, args["id"])
    if args.get("fulfillmentOrderLineItems"):
        raise Refused("This simulator submits whole fulfillment orders only.", ("fulfillmentOrderLineItems",))
    services.submit(act, order, args.get("message"))
    return {
        "originalFulfillmentOrder": order,
        "submittedFulfillmentOrder": order,
        "unsubmittedFulfillmentOrder": None,
    }


@_mutation("write_third_party_fulfillment_orders")
def fulfillment_order_submit_cancellation_request(
    act: Act, ask: Asking, _info: Info, args: dict[str, Any]
) -> dict[str, Any]:
    order = _find_fulfillment_order(ask, args["id"])
    services.ask_to_cancel(act, order, args.get("message"))
    return {"fulfillmentOrder": order}


@_mutation(*_SHIP_SCOPES)
def fulfillment_create(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    given = args["fulfillment"]
    parts: list[tuple[FulfillmentOrder, list[tuple[FulfillmentOrderLine, int]] | None]] = []
    for group in given["lineItemsByFulfillmentOrder"]:
        order = ask.shop.fulfillment_orders.get(tail(group["fulfillmentOrderId"], "FulfillmentOrder"))
        if order is None:
            raise Refused("Fulfillment order does not exist.", ("fulfillment",))
        ask.saw(order.order)
        lines = group.get("fulfillmentOrderLineItems")
        parts.append((order, None if lines is None else _parts(order, lines)))
    return {"fulfillment": fulfillment.fulfill(act, parts, _tracking(given.get("trackingInfo")))}


def _tracking(given: dict[str, Any] | None) -> list[Any]:
    given = given or {}
    numbers = given.get("numbers") or ([given["number"]] if given.get("number") else [])
    urls = given.get("urls") or ([given["url"]] if given.get("url") else [])
    return fulfillment.tracking_of(given.get("company"), numbers, urls)


def _find_fulfillment(ask: Asking, gid: str, field: str) -> Fulfillment:
    found = ask.shop.fulfillments.get(tail(gid, "Fulfillment"))
    if found is None:
        raise Refused("Fulfillment does not exist.", (field,))
    ask.saw(found.order)
    return found


@_mutation(*_SHIP_SCOPES)
def fulfillment_tracking_info_update(
    act: Act, ask: Asking, _info: Info, args: dict[str, Any]
) -> dict[str, Any]:
    found = _find_fulfillment(ask, args["fulfillmentId"], "fulfillmentId")
    fulfillment.update_tracking(act, found, _tracking(args["trackingInfoInput"]))
    return {"fulfillment": found}


@_mutation(*_SHIP_SCOPES)
def fulfillment_cancel(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    found = _find_fulfillment(ask, args["id"], "id")
    fulfillment.cancel(act, found)
    return {"fulfillment": found}


# Money


def _idempotency_key(info: Info, ask: Asking) -> str:
    """The key of @idempotent on this field. Raises BAD_REQUEST where it is required and missing (reference 4.5)."""
    for directive in info.field_nodes[0].directives or ():
        if directive.name.value == "idempotent" and directive.arguments:
            value = directive.arguments[0].value
            key = value.value if isinstance(value, StringValueNode) else None
            if isinstance(value, VariableNode):
                key = ask.variables.get(value.name.value)
            if not key or not key.strip():
                raise TopLevelRefusal("The idempotency key can't be blank.", "BAD_REQUEST")
            return str(key)
    raise TopLevelRefusal(
        "The @idempotent directive is required for this mutation but was not provided.", "BAD_REQUEST"
    )


def _once(
    ask: Asking, info: Info, args: dict[str, Any], change: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """Same key and parameters: the original result, for a day (reference 4.5)."""
    key = _idempotency_key(info, ask)
    asked = json.dumps([info.field_name, args], sort_keys=True, default=str)
    place = (ask.app.number, key)
    now = ask.world.clock.now()
    known = ask.shop.idempotency.get(place)
    if known is not None and now - known[1] < timedelta(hours=IDEMPOTENCY_HOURS):
        if known[0] != asked:
            raise Refused(
                "The same idempotency key cannot be used with different operation parameters.",
                None,
                "IDEMPOTENCY_KEY_PARAMETER_MISMATCH",
            )
        return dict(known[2])
    result = change()
    ask.shop.idempotency[place] = (asked, now, dict(result))
    return result


@_mutation("write_orders")
def refund_create(act: Act, ask: Asking, info: Info, args: dict[str, Any]) -> dict[str, Any]:
    given = args["input"]

    def change() -> dict[str, Any]:
        order = _find_order(ask, given["orderId"], ("orderId",))
        by_number = {line.number: line for line in order.lines}
        lines = []
        for item in given.get("refundLineItems") or []:
            line = by_number.get(tail(item["lineItemId"], "LineItem"))
            if line is None:
                raise Refused("Line item does not exist", ("refundLineItems",))
            kind = item.get("restockType") or "NO_RESTOCK"
            lines.append((line, item["quantity"], kind, _find_location(ask, item.get("locationId"))))
        money, parent = ZERO, None
        for item in given.get("transactions") or []:
            if item["kind"] != "REFUND":
                raise Refused("Transactions must be of kind refund", ("transactions",))
            money += item["amount"]
            number = tail(item.get("parentId") or "", "OrderTransaction")
            parent = next((t for t in order.transactions if t.number == number), parent)
        shipping = given.get("shipping") or {}
        amount = order.shipping_ordered() if shipping.get("fullRefund") else (shipping.get("amount") or ZERO)
        made = refunds.create(act, order, lines, money, parent, note=given.get("note"), shipping=amount)
        return {"refund": made, "order": order}

    return _once(ask, info, args, change)


# Metafields and tags


@_mutation("write_orders")
def metafield_definition_create(act: Act, _ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    return {"createdDefinition": metafields.define(act, args["definition"])}


def _owner(ask: Asking, gid: str) -> Order | Draft | AppData:
    if tail(gid, "AppInstallation") == ask.app.number:
        return ask.shop.app_data.setdefault(ask.app.number, AppData(ask.app.number))
    order = ask.shop.orders.get(tail(gid, "Order"))
    if order is not None:
        return ask.saw(order)
    draft = ask.shop.drafts.get(tail(gid, "DraftOrder"))
    if draft is None:
        raise Refused("Owner does not exist.", ("metafields", "0", "ownerId"), "INVALID")
    return draft


@_mutation()
def metafields_set(act: Act, ask: Asking, info: Info, args: dict[str, Any]) -> dict[str, Any]:
    """All or nothing: the first refusal undoes nothing because it is found before anything is written. What an app keeps
    at its own installation needs no scope."""
    given = args["metafields"]
    if any(tail(item["ownerId"], "AppInstallation") == -1 for item in given):
        ask.need(info.field_name, "write_orders", "write_draft_orders")
    if len(given) > 25:
        raise Refused(
            "Exceeded the maximum metafields input limit of 25.", ("metafields",), "LESS_THAN_OR_EQUAL_TO"
        )
    for index, item in enumerate(given):
        _owner(ask, item["ownerId"])
        del index
    written = []
    for index, item in enumerate(given):
        written.append(
            metafields.put(act, _owner(ask, item["ownerId"]), item, ("metafields", str(index), "value"))
        )
    return {"metafields": written}


@_mutation("write_orders", "write_draft_orders")
def metafields_delete(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    gone: list[dict[str, Any] | None] = []
    for item in args["metafields"]:
        namespace = metafields.namespace_of(item["namespace"], ask.app)
        there = metafields.delete(act, _owner(ask, item["ownerId"]), namespace, item["key"])
        gone.append(
            {"ownerId": item["ownerId"], "namespace": namespace, "key": item["key"]} if there else None
        )
    return {"deletedMetafields": gone}


@_mutation("write_orders", "write_draft_orders")
def tags_add(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    owner = _taggable(ask, args["id"])
    return _retag(act, owner, merged_tags(owner.tags, args["tags"]))


@_mutation("write_orders", "write_draft_orders")
def tags_remove(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    owner = _taggable(ask, args["id"])
    return _retag(act, owner, without_tags(owner.tags, args["tags"]))


def _taggable(ask: Asking, gid: str) -> Order | Draft:
    order = ask.shop.orders.get(tail(gid, "Order"))
    if order is not None:
        return ask.saw(order)
    draft = ask.shop.drafts.get(tail(gid, "DraftOrder"))
    if draft is None:
        raise invalid_id(gid)
    return draft


def _retag(act: Act, owner: Order | Draft, tags: list[str]) -> dict[str, Any]:
    """Idempotent by nature: unchanged tags change nothing (reference 4.5)."""
    if tags != owner.tags:
        owner.tags = tags
        if isinstance(owner, Order):
            act.touch(owner)
        else:
            act.touch_draft(owner)
    return {"node": owner}


# Stock


@_mutation("write_inventory")
def inventory_set_quantities(act: Act, ask: Asking, info: Info, args: dict[str, Any]) -> dict[str, Any]:
    given = args["input"]

    def change() -> dict[str, Any]:
        if given["name"] not in ("available", "on_hand"):
            raise Refused("The specified quantity name is invalid.", ("input", "name"), "INVALID_NAME")
        planned = []
        for index, item in enumerate(given["quantities"]):
            if "changeFromQuantity" not in item:
                raise TopLevelRefusal(
                    "InventoryQuantityInput must include the following argument: changeFromQuantity.",
                    "INVALID_FIELD_ARGUMENTS",
                )
            place = ("input", "quantities", str(index))
            variant = ask.shop.items.get(tail(item["inventoryItemId"], "InventoryItem"))
            location = ask.shop.locations.get(tail(item["locationId"], "Location"))
            if variant is None:
                raise Refused(
                    "The inventory item doesn't exist.", (*place, "inventoryItemId"), "INVALID_INVENTORY_ITEM"
                )
            if location is None:
                raise Refused("The location doesn't exist.", (*place, "locationId"), "INVALID_LOCATION")
            level = stock.level_of(variant, location)
            have = level.available if given["name"] == "available" else level.on_hand
            expected = item["changeFromQuantity"]
            if expected is not None and expected != have:
                raise Refused(
                    "The changeFromQuantity argument no longer matches the persisted quantity.",
                    (*place, "changeFromQuantity"),
                    "CHANGE_FROM_QUANTITY_STALE",
                )
            planned.append((level, item["quantity"] - have))
        for level, delta in planned:
            level.available += delta
            stock.changed(act, level)
        group = {
            "id": f"gid://shopify/InventoryAdjustmentGroup/{act.number()}",
            "createdAt": act.now,
            "reason": given["reason"],
            "referenceDocumentUri": given.get("referenceDocumentUri"),
            "changes": [
                {"name": given["name"], "delta": delta, "item": None, "location": level.location}
                for level, delta in planned
            ],
        }
        return {"inventoryAdjustmentGroup": group}

    return _once(ask, info, args, change)


# Webhooks


@_mutation()
def webhook_subscription_create(act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    given, topic = args["webhookSubscription"], args["topic"]
    for prefix, scopes in TOPIC_SCOPES:
        if topic.startswith(prefix):
            if not ask.may(*scopes):
                raise Refused(
                    "You cannot create a webhook subscription with the specified topic",
                    ("webhookSubscription",),
                )
            break
    uri = given.get("uri") or ""
    loopback = uri.startswith(("http://127.0.0.1", "http://localhost", "http://[::1]"))
    if not uri.startswith(("https://", "pubsub://", "arn:")) and not loopback:
        raise Refused("Address protocol http:// is not supported", ("webhookSubscription", "callbackUrl"))
    form = given.get("format") or "JSON"
    for other in ask.shop.subscriptions.values():
        if other.app is not ask.app:
            continue
        if (other.topic, other.uri, other.format, other.filter) == (topic, uri, form, given.get("filter")):
            raise Refused(
                "Address for this topic has already been taken", ("webhookSubscription", "callbackUrl")
            )
        if given.get("name") and (other.name or "").casefold() == given["name"].casefold():
            raise Refused("Name has already been taken", ("webhookSubscription", "name"))
    made = Subscription(
        act.number(),
        ask.app,
        topic,
        uri,
        form,
        given.get("filter"),
        list(given.get("includeFields") or []),
        list(given.get("metafieldNamespaces") or []),
        given.get("name"),
        act.now,
    )
    ask.shop.subscriptions[made.number] = made
    return {"webhookSubscription": made}


@_mutation()
def webhook_subscription_delete(_act: Act, ask: Asking, _info: Info, args: dict[str, Any]) -> dict[str, Any]:
    number = tail(args["id"], "WebhookSubscription")
    found = ask.shop.subscriptions.get(number)
    if found is None or found.app is not ask.app:
        raise Refused("Webhook subscription does not exist", ("id",))
    del ask.shop.subscriptions[number]
    return {"deletedWebhookSubscriptionId": found.gid}


MUTATIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "orderCreate": order_create,
    "orderUpdate": order_update,
    "orderMarkAsPaid": order_mark_as_paid,
    "orderCancel": order_cancel,
    "orderClose": order_close,
    "orderOpen": order_open,
    "draftOrderCreate": draft_order_create,
    "draftOrderUpdate": draft_order_update,
    "draftOrderComplete": draft_order_complete,
    "draftOrderDelete": draft_order_delete,
    "orderEditBegin": order_edit_begin,
    "orderEditSetQuantity": order_edit_set_quantity,
    "orderEditAddVariant": order_edit_add_variant,
    "orderEditAddCustomItem": order_edit_add_custom_item,
    "orderEditAddLineItemDiscount": order_edit_add_line_item_discount,
    "orderEditCommit": order_edit_commit,
    "fulfillmentOrderHold": fulfillment_order_hold,
    "fulfillmentOrderReleaseHold": fulfillment_order_release_hold,
    "fulfillmentOrderSubmitFulfillmentRequest": fulfillment_order_submit_fulfillment_request,
    "fulfillmentOrderSubmitCancellationRequest": fulfillment_order_submit_cancellation_request,
    "fulfillmentCreate": fulfillment_create,
    "fulfillmentTrackingInfoUpdate": fulfillment_tracking_info_update,
    "fulfillmentCancel": fulfillment_cancel,
    "refundCreate": refund_create,
    "metafieldDefinitionCreate": metafield_definition_create,
    "metafieldsSet": metafields_set,
    "metafieldsDelete": metafields_delete,
    "tagsAdd": tags_add,
    "tagsRemove": tags_remove,
    "inventorySetQuantities": inventory_set_quantities,
    "webhookSubscriptionCreate": webhook_subscription_create,
    "webhookSubscriptionDelete": webhook_subscription_delete,
}
