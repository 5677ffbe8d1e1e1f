"""Orders: creation with its surprising defaults, and everything done to a whole order (reference 5 and 7.4)."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from interlock.simulator.shopify import fulfillment, metafields, payloads, refunds, stock
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.addresses import address_from_input, where
from interlock.simulator.shopify.money import ZERO, rounded
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import (
    Agreement,
    Job,
    LineItem,
    Order,
    Sale,
    ShippingLine,
    TaxLine,
    Transaction,
    Variant,
)
from interlock.simulator.shopify.tags import merged_tags

CREATIONS_PER_MINUTE = 5
NOTE_LENGTH = 5000


def next_name(act: Act) -> tuple[int, str]:
    act.shop.order_sequence += 1
    return act.shop.order_sequence, f"#{act.shop.order_sequence}"


def _limit_creations(act: Act) -> None:
    """Development and trial stores take five orders a minute (reference 5.1)."""
    if act.shop.plan != "development":
        return
    since = act.world.clock.now() - timedelta(minutes=1)
    act.shop.creations[:] = [at for at in act.shop.creations if at > since]
    if len(act.shop.creations) >= CREATIONS_PER_MINUTE:
        raise Refused("Too many attempts. Please try again later.", None, None)
    act.shop.creations.append(act.world.clock.now())


def create(act: Act, given: dict[str, Any], options: dict[str, Any]) -> Order:
    """orderCreate. Nothing is idempotent and nothing is recalculated (reference 5.1). Raises Refused with codes."""
    _limit_creations(act)
    items = given.get("lineItems") or []
    if not items:
        raise Refused("Line items must have at least one line item", ("order", "lineItems"), "INVALID")
    if given.get("customerId") and given.get("customer"):
        raise Refused("Only one customer may be given", ("order", "customer"), "REDUNDANT_CUSTOMER_FIELDS")
    note = given.get("note")
    if note and len(note) > NOTE_LENGTH:
        raise Refused(f"Note is too long (maximum is {NOTE_LENGTH} characters)", ("order", "note"), "INVALID")
    if given.get("taxLines") and any(item.get("taxLines") for item in items):
        raise Refused(
            "Tax lines belong to the order or to its lines, not both", ("order", "taxLines"), "INVALID"
        )
    currency = given.get("currency") or act.shop.currency
    presentment = given.get("presentmentCurrency") or currency
    sequence, name = next_name(act)
    app = act.actor.app
    now = act.now
    order = Order(
        act.number(),
        act.shop,
        sequence,
        given.get("name") or name,
        "order",
        app,
        act.actor,
        now,
        min(given.get("processedAt") or now, now),
        now,
        currency,
        presentment,
        _fx(items, currency, presentment),
        bool(given.get("taxesIncluded")),
        source_identifier=given.get("sourceIdentifier"),
        source_name=given.get("sourceName") or (None if app is None else str(app.number)),
        source_url=given.get("sourceUrl"),
        po_number=given.get("poNumber"),
        note=note,
        email=given.get("email"),
        phone=given.get("phone"),
        tags=merged_tags([], given.get("tags") or []),
        attributes=[(item["key"], item["value"]) for item in given.get("customAttributes") or []],
        shipping_address=address_from_input(act, given.get("shippingAddress")),
        billing_address=address_from_input(act, given.get("billingAddress")),
        stated_financial_status=given.get("financialStatus"),
        test=bool(given.get("test")),
        tax_rate_of_additions=act.shop.tax_rate,
        closed_at=given.get("closedAt"),
    )
    order.lines = [_line(act, order, item, index) for index, item in enumerate(items)]
    for item in given.get("shippingLines") or []:
        order.shipping_lines.append(
            ShippingLine(
                act.number(),
                item["title"],
                item.get("code"),
                item.get("source"),
                _buyer_amount(item["priceSet"]),
                _taxes(item.get("taxLines")),
            )
        )
    order.order_taxes = _taxes(given.get("taxLines"))
    order.order_taxes_base = order.subtotal(current=False)
    for item in given.get("transactions") or []:
        order.transactions.append(
            Transaction(
                act.number(),
                item.get("kind") or "SALE",
                item.get("status") or "SUCCESS",
                item.get("gateway") or "manual",
                _buyer_amount(item["amountSet"]),
                item.get("processedAt") or now,
                bool(item.get("test")),
            )
        )
    marker_refused = _metafields(act, order, given.get("metafields") or [])
    _claim(act, order, options.get("inventoryBehaviour") or "BYPASS")
    register(act, order)
    if (
        marker_refused is not None
        and act.world.switches["duplicate_marker_in_order_create"] == "order_left_behind"
    ):
        raise marker_refused
    return order


def register(act: Act, order: Order) -> None:
    """The order exists from here on: agreement, routing, webhooks and effect are the same for both routes."""
    order.original_total = order.total(current=False)
    sales = [
        Sale(
            act.number(),
            "ORDER",
            "PRODUCT",
            line.quantity,
            rounded(line.net_unit_price * line.quantity, order.presentment_currency),
            line.tax_of(line.quantity),
            line,
        )
        for line in order.lines
    ]
    sales.extend(
        Sale(act.number(), "ORDER", "SHIPPING", 1, item.price, item.tax, None, item)
        for item in order.shipping_lines
    )
    order.agreements.append(Agreement(act.number(), order, "ORDER", act.now, act.actor, sales))
    act.shop.orders[order.number] = order
    act.timeline(order, "placed", "This order was created.")
    act.announce("ORDERS_CREATE", order.gid, lambda _app: payloads.order(order))
    if order.financial_status == "PAID":
        act.announce("ORDERS_PAID", order.gid, lambda _app: payloads.order(order))
    fulfillment.begin_routing(act, order)
    act.touch(order)
    act.effect(
        "order_created",
        order.gid,
        route=order.route,
        app=None if order.app is None else order.app.name,
        name=order.name,
        tags=sorted(order.tags),
        marker=metafields.unique_values_of(act.shop, order),
        source_identifier=order.source_identifier,
        custom_attributes=dict(order.attributes),
        lines=[
            {
                "line_id": line.gid,
                "sku": line.sku,
                "quantity": line.quantity,
                "attributes": dict(line.attributes),
            }
            for line in order.lines
        ],
        total=format(order.original_total, "f"),
    )


def _fx(items: list[dict[str, Any]], currency: str, presentment: str) -> Decimal:
    """Shop-side units per presentment unit, taken from the first price that names both."""
    if currency == presentment:
        return Decimal(1)
    for item in items:
        bag = item.get("priceSet")
        if bag and bag.get("presentmentMoney") and bag["presentmentMoney"]["amount"]:
            return Decimal(bag["shopMoney"]["amount"] / bag["presentmentMoney"]["amount"])
    return Decimal(1)


def _buyer_amount(bag: dict[str, Any]) -> Decimal:
    amount: Decimal = (bag.get("presentmentMoney") or bag["shopMoney"])["amount"]
    return amount


def _taxes(given: list[dict[str, Any]] | None) -> list[TaxLine]:
    taxes = []
    for item in given or []:
        amount = _buyer_amount(item["priceSet"]) if item.get("priceSet") else ZERO
        taxes.append(TaxLine(item["title"], item["rate"], amount, bool(item.get("channelLiable"))))
    return taxes


def _line(act: Act, order: Order, given: dict[str, Any], index: int) -> LineItem:
    variant: Variant | None = None
    if given.get("variantId"):
        variant = act.world.find_variant(act.shop, given["variantId"])
        if variant is None or variant.deleted:
            raise Refused(
                "Variant does not exist", ("order", "lineItems", str(index), "variantId"), "INVALID"
            )
    title = given.get("title") or (variant.title if variant else None)
    if not title:
        raise Refused("Title can't be blank", ("order", "lineItems", str(index), "title"), "INVALID")
    if given["quantity"] <= 0:
        raise Refused(
            "Quantity must be greater than 0", ("order", "lineItems", str(index), "quantity"), "INVALID"
        )
    catalogue = variant.price if variant else ZERO
    price = _buyer_amount(given["priceSet"]) if given.get("priceSet") else catalogue
    shipped = given.get("requiresShipping", False)
    if "requiresShipping" not in given and variant is not None:
        shipped = (
            variant.requires_shipping
            if act.world.switches["omitted_requires_shipping"] == "variant"
            else False
        )
    return LineItem(
        act.number(),
        order,
        variant,
        given.get("sku") or (variant.sku if variant else None),
        title,
        given.get("variantTitle") or (variant.variant_title if variant else None),
        given.get("vendor") or (variant.vendor if variant else None),
        given["quantity"],
        price,
        bool(shipped),
        bool(given.get("taxable", True)),
        [(item["name"], item["value"]) for item in given.get("properties") or []],
        _taxes(given.get("taxLines")),
        gift_card=bool(given.get("giftCard")),
    )


def _metafields(act: Act, order: Order, given: list[dict[str, Any]]) -> Refused | None:
    """What a taken id metafield does to orderCreate is a switch (reference 5.5, 17.2)."""
    refused: Refused | None = None
    for index, item in enumerate(given):
        try:
            metafields.put(act, order, item, ("order", "metafields", str(index), "value"))
        except Refused as no:
            if act.world.switches["duplicate_marker_in_order_create"] == "refused_whole":
                metafields.forget(act.shop, order)
                raise Refused(no.message, no.field, "INVALID") from no
            refused = Refused(no.message, no.field, "INVALID")
    return refused


def _claim(act: Act, order: Order, behaviour: str) -> None:
    """BYPASS claims nothing; OBEYING refuses what the variant's policy does not allow (reference 1.3, 5.1)."""
    if behaviour == "BYPASS":
        return
    if behaviour == "DECREMENT_OBEYING_POLICY":
        wanted: dict[int, int] = {}
        for line in order.lines:
            if line.variant is not None:
                wanted[line.variant.number] = wanted.get(line.variant.number, 0) + line.quantity
        for line in order.lines:
            if line.variant is not None and not stock.can_take(line.variant, wanted[line.variant.number]):
                metafields.forget(act.shop, order)
                raise Refused(
                    "Unable to claim inventory: insufficient stock.",
                    ("order", "lineItems", str(order.lines.index(line))),
                    "INVENTORY_CLAIM_FAILED",
                )
    for line in order.lines:
        if line.variant is not None:
            stock.claim(act, line, line.quantity, stock.route(act.shop, line.variant, line.quantity))


def update(act: Act, order: Order, given: dict[str, Any]) -> None:
    """orderUpdate: overwrites what it is given (reference 5.3). Raises Refused."""
    if set(given) <= {"id"}:
        raise Refused("No valid update parameters have been provided")
    if "shippingAddress" in given:
        address = address_from_input(act, given["shippingAddress"])
        if address is None or not address.last_name:
            raise Refused("Last name can't be blank", ("input", "shippingAddress", "lastName"))
        if not address.zip:
            raise Refused("Zip is not valid", ("input", "shippingAddress", "zip"))
        was = where(order.shipping_address)
        order.shipping_address = address
        fulfillment.address_changed(act, order)
        act.effect("address_changed", order.gid, was=was, where=where(address))
    if "note" in given:
        order.note = given["note"]
    if "email" in given:
        order.email = given["email"]
    if "phone" in given:
        order.phone = given["phone"]
    if "poNumber" in given:
        order.po_number = given["poNumber"]
    if "tags" in given:
        order.tags = merged_tags([], given["tags"] or [])
    if "customAttributes" in given:
        order.attributes = [(item["key"], item["value"]) for item in given["customAttributes"] or []]
    for index, item in enumerate(given.get("metafields") or []):
        metafields.put(act, order, item, ("input", "metafields", str(index), "value"))
    act.touch(order)


def mark_as_paid(act: Act, order: Order) -> None:
    """A manual payment of what is outstanding."""
    if order.cancelled_at or order.financial_status == "PAID" or order.outstanding <= 0:
        raise Refused("Order cannot be marked as paid.", ("id",))
    amount = order.outstanding
    order.transactions.append(
        Transaction(act.number(), "SALE", "SUCCESS", "manual", amount, act.now, order.test)
    )
    order.stated_financial_status = None
    act.timeline(order, "sale_success", "The order was marked as paid.")
    act.announce("ORDERS_PAID", order.gid, lambda _app: payloads.order(order))
    act.touch(order)
    act.effect("marked_paid", order.gid, amount=format(amount, "f"))


def close(act: Act, order: Order) -> None:
    """Archive; a no-op success when already so (reference 5.3)."""
    if order.closed_at is None:
        order.closed_at = act.now
        act.timeline(order, "closed", "The order was archived.")
        act.touch(order)


def reopen(act: Act, order: Order) -> None:
    if order.closed_at is not None and order.cancelled_at is None:
        order.closed_at = None
        act.timeline(order, "re_opened", "The order was unarchived.")
        act.touch(order)


def check_cancellable(order: Order) -> None:
    """Raises Refused (reference 7.4)."""
    if order.cancelled_at is not None:
        raise Refused("Cannot cancel an order that has already been canceled", ("orderId",), "INVALID")
    if any(item.status != "CANCELLED" for item in order.fulfillments):
        raise Refused("Cannot cancel an order with fulfilled items", ("orderId",), "INVALID")


def cancel(act: Act, order: Order, *, reason: str, restock: bool, refund: bool, note: str | None) -> None:
    """What the cancel job does (reference 7.4): archived at once, fulfilment orders at zero, irreversible."""
    money = order.net_payment if refund else ZERO
    lines = []
    location = stock.primary_location(act.shop)
    for line in order.lines:
        units = line.unfulfilled_quantity
        if units <= 0:
            continue
        lines.append(refunds.refund_line(act, line, units, "CANCEL" if restock else "NO_RESTOCK", location))
    shipping, tax = order.shipping_total(), order.tax_total(current=True)
    order.cancelled_at = act.now
    order.closed_at = act.now
    order.cancel_reason = reason
    order.cancel_note = note
    fulfillment.close_all(act, order)
    for item in lines:
        item.line.removed += item.quantity
        stock.release(act, item.line, item.quantity, restock=restock)
    order.stated_financial_status = None
    act.timeline(order, "cancelled", "The order was canceled.")
    act.touch(order)
    act.announce("ORDERS_CANCELLED", order.gid, lambda _app: payloads.order(order))
    act.effect("cancelled", order.gid, reason=reason, restock=restock, refund=refund, name=order.name)
    if money > 0:
        parent = refunds.paying_transaction(order)
        del tax
        refunds.record(act, order, lines, [refunds.money_back(act, order, money, parent)], shipping=shipping)


def schedule_cancel(act: Act, order: Order, **how: Any) -> Job:
    """orderCancel answers with a job that runs within a second or two (reference 15.21). Raises Refused."""
    check_cancellable(order)
    job = Job(act.number(), order)
    act.shop.jobs[job.number] = job
    world, shop, actor, reference = act.world, act.shop, act.actor, act.reference
    delay = world.rng("cancel").uniform(0.2, 2.0)

    async def run() -> None:
        job.done = True
        try:
            check_cancellable(order)
        except Refused:
            return
        later = Act(world, shop, actor, reference)
        cancel(later, order, **how)
        later.finish()

    world.schedule(_at(world.clock.now(), delay), run)
    return job


def _at(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
