"""Draft orders: catalogue prices, computed taxes, reservations and an idempotent completion (reference 5.4)."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from interlock.simulator.shopify import metafields, orders, payloads, stock
from interlock.simulator.shopify.acts import Act, system_act
from interlock.simulator.shopify.addresses import address_from_input
from interlock.simulator.shopify.money import ZERO, rounded
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import (
    App,
    Draft,
    DraftLine,
    LineItem,
    Order,
    ShippingLine,
    TaxLine,
    Transaction,
)
from interlock.simulator.shopify.tags import merged_tags

# The app that the platform itself names on orders made from drafts in the admin.
DRAFT_ORDERS_APP = App(1354745, "Draft Orders", "draft_orders", "", [], ())
ALREADY_PAID = "This order has been paid"


def create(act: Act, given: dict[str, Any]) -> Draft:
    """draftOrderCreate; there is no idempotency. Raises Refused."""
    if not given.get("lineItems"):
        raise Refused("Add at least 1 product", None)
    act.shop.draft_sequence += 1
    draft = Draft(
        act.number(),
        act.shop,
        f"#D{act.shop.draft_sequence}",
        act.actor.app,
        act.actor,
        act.now,
        act.now,
        given.get("presentmentCurrencyCode") or act.shop.currency,
    )
    _apply(act, draft, given)
    act.shop.drafts[draft.number] = draft
    act.touch_draft(draft)
    act.announce("DRAFT_ORDERS_CREATE", draft.gid, lambda _app: payloads.draft(draft))
    act.effect("draft_created", draft.gid, **_detail(draft))
    return draft


def update(act: Act, draft: Draft, given: dict[str, Any]) -> None:
    """draftOrderUpdate: fields that are given replace what was there. Raises Refused once completed."""
    if draft.completed_at is not None:
        raise Refused(ALREADY_PAID, None)
    if "lineItems" in given and not given["lineItems"]:
        raise Refused("Add at least 1 product", None)
    _apply(act, draft, given)
    act.touch_draft(draft)
    act.announce("DRAFT_ORDERS_UPDATE", draft.gid, lambda _app: payloads.draft(draft))
    act.effect("draft_updated", draft.gid, fields=sorted(given), **_detail(draft))


def delete(act: Act, draft: Draft) -> None:
    if draft.completed_at is not None:
        raise Refused("Completed draft orders can't be deleted", ("input", "id"))
    _unreserve(act, draft)
    del act.shop.drafts[draft.number]
    act.announce("DRAFT_ORDERS_DELETE", draft.gid, lambda _app: {"id": draft.number})
    act.effect("draft_deleted", draft.gid, tags=sorted(draft.tags))


def _detail(draft: Draft) -> dict[str, Any]:
    return {
        "app": None if draft.app is None else draft.app.name,
        "tags": sorted(draft.tags),
        "custom_attributes": dict(draft.attributes),
        "lines": [{"sku": line.sku, "quantity": line.quantity} for line in draft.lines],
        "reserved_until": draft.reserve_until,
    }


def _apply(act: Act, draft: Draft, given: dict[str, Any]) -> None:
    reserve_until: datetime | None = given.get("reserveInventoryUntil", draft.reserve_until)
    lines = draft.lines
    if "lineItems" in given:
        lines = [_line(act, draft, item, index) for index, item in enumerate(given["lineItems"])]
    if reserve_until is not None and ("lineItems" in given or "reserveInventoryUntil" in given):
        _unreserve(act, draft)
        _reserve(act, draft, lines, reserve_until)
    elif "reserveInventoryUntil" in given or "lineItems" in given:
        _unreserve(act, draft)
    draft.lines = lines
    draft.reserve_until = reserve_until
    if "tags" in given:
        draft.tags = merged_tags([], given["tags"] or [])
    if "customAttributes" in given:
        draft.attributes = [(item["key"], item["value"]) for item in given["customAttributes"] or []]
    draft.note = given.get("note", draft.note)
    draft.email = given.get("email", draft.email)
    draft.phone = given.get("phone", draft.phone)
    draft.po_number = given.get("poNumber", draft.po_number)
    if "sourceName" in given:
        draft.source_name = str(act.actor.app.number) if act.actor.app is not None else given["sourceName"]
    if "shippingAddress" in given:
        draft.shipping_address = address_from_input(act, given["shippingAddress"])
    if "billingAddress" in given:
        draft.billing_address = address_from_input(act, given["billingAddress"])
    if given.get("taxExempt") is not None:
        draft.tax_exempt = given["taxExempt"]
    if given.get("visibleToCustomer") is not None:
        draft.visible_to_customer = given["visibleToCustomer"]
    if given.get("acceptAutomaticDiscounts") is not None:
        draft.accept_automatic_discounts = given["acceptAutomaticDiscounts"]
    if "shippingLine" in given:
        draft.shipping = _shipping(act, given["shippingLine"])
    for index, item in enumerate(given.get("metafields") or []):
        metafields.put(act, draft, item, ("input", "metafields", str(index), "value"))
    _compute_taxes(act, draft)


def _shipping(act: Act, given: dict[str, Any] | None) -> ShippingLine | None:
    if given is None:
        return None
    price = given["priceWithCurrency"]["amount"] if given.get("priceWithCurrency") else ZERO
    return ShippingLine(act.number(), given.get("title") or "Shipping", "custom", None, price)


def _line(act: Act, draft: Draft, given: dict[str, Any], index: int) -> DraftLine:
    """For variant lines the catalogue wins over everything but the price override (reference 5.4)."""
    at = ("input", "lineItems", str(index))
    if given["quantity"] <= 0:
        raise Refused("Quantity must be greater than or equal to 1", (*at, "quantity"))
    override = given["priceOverride"]["amount"] if given.get("priceOverride") else None
    attributes = [(item["key"], item["value"]) for item in given.get("customAttributes") or []]
    uuid = given.get("uuid") or act.world.uuid("draft-line", act.number())
    if given.get("variantId"):
        variant = act.world.find_variant(act.shop, given["variantId"])
        if variant is None or variant.deleted:
            raise Refused(
                f"Product with ID {given['variantId'].rsplit('/', 1)[-1]} is no longer available.", at
            )
        return DraftLine(
            act.number(),
            uuid,
            variant,
            variant.sku,
            variant.title,
            variant.variant_title,
            given["quantity"],
            variant.price,
            override,
            variant.requires_shipping,
            variant.taxable,
            attributes,
            [],
            variant.vendor,
        )
    if not given.get("title"):
        raise Refused("Title can't be blank", (*at, "title"))
    if not given.get("originalUnitPriceWithCurrency"):
        raise Refused("Price can't be blank", (*at, "originalUnitPriceWithCurrency"))
    return DraftLine(
        act.number(),
        uuid,
        None,
        given.get("sku"),
        given["title"],
        None,
        given["quantity"],
        given["originalUnitPriceWithCurrency"]["amount"],
        None,
        bool(given.get("requiresShipping", True)),
        bool(given.get("taxable", True)),
        attributes,
        [],
    )


def _compute_taxes(act: Act, draft: Draft) -> None:
    """The platform computes taxes; a tax-exempt draft has none (reference 5.4)."""
    shop = act.shop

    def tax_on(amount: Decimal) -> list[TaxLine]:
        if draft.tax_exempt or not shop.tax_rate or not amount:
            return []
        rate = shop.tax_rate
        tax = amount * rate / (1 + rate) if shop.taxes_included else amount * rate
        return [TaxLine(shop.tax_title, rate, rounded(tax, draft.currency), False)]

    for line in draft.lines:
        line.taxes = tax_on(line.price * line.quantity) if line.taxable else []
    if draft.shipping is not None:
        draft.shipping.taxes = tax_on(draft.shipping.price)


def _reserve(act: Act, draft: Draft, lines: list[DraftLine], until: datetime) -> None:
    if until <= act.world.clock.now():
        return
    _check_stock(act, lines, ("input", "lineItems"))
    for line in lines:
        if line.variant is not None and line.variant.tracked:
            line.reserved = stock.reserve(act, line.variant, line.quantity)
    world, shop = act.world, act.shop

    async def expire() -> None:
        if draft.completed_at is None and draft.reserve_until == until and draft.number in shop.drafts:
            late = system_act(world, shop)
            _unreserve(late, draft)
            draft.reserve_until = None
            late.effect("reservation_expired", draft.gid)
            late.finish()

    world.schedule(until, expire)


def _check_stock(act: Act, lines: list[DraftLine], field: tuple[str, ...]) -> None:
    if act.world.switches["draft_without_stock"] == "oversells":
        return
    wanted: dict[int, int] = {}
    for line in lines:
        if line.variant is not None:
            wanted[line.variant.number] = wanted.get(line.variant.number, 0) + line.quantity
    for line in lines:
        if line.variant is not None and not stock.can_take(line.variant, wanted[line.variant.number]):
            raise Refused(f"{line.title} is not available in the requested quantity", field)


def _unreserve(act: Act, draft: Draft) -> None:
    for line in draft.lines:
        if line.variant is not None:
            stock.unreserve(act, line.variant, line.reserved)


def complete(act: Act, draft: Draft, *, payment_pending: bool = False) -> Order:
    """draftOrderComplete: paid by the `manual` gateway unless pending, stock claimed, tags and attributes copied.

    Raises Refused "This order has been paid" when it was completed before; the draft still names its one order.
    """
    if draft.completed_at is not None:
        raise Refused(ALREADY_PAID, None)
    _check_stock(act, [line for line in draft.lines if not line.reserved], ("id",))
    switches = act.world.switches
    sequence, name = orders.next_name(act)
    own = switches["draft_order_app"] == "creating_app" and draft.app is not None
    app = draft.app if own else DRAFT_ORDERS_APP
    order = Order(
        act.number(),
        act.shop,
        sequence,
        name,
        "draft",
        app,
        draft.created_by,
        act.now,
        act.now,
        act.now,
        draft.currency,
        draft.currency,
        Decimal(1),
        draft.taxes_included,
        source_name=draft.source_name or (str(app.number) if app is not None else "shopify_draft_order"),
        po_number=draft.po_number,
        note=draft.note,
        email=draft.email,
        phone=draft.phone,
        tags=list(draft.tags),
        attributes=list(draft.attributes),
        shipping_address=draft.shipping_address,
        billing_address=draft.billing_address,
        tax_exempt=draft.tax_exempt,
        tax_rate_of_additions=ZERO if draft.tax_exempt else act.shop.tax_rate,
    )
    copied = switches["draft_line_attributes_copied"] == "yes"
    for line in draft.lines:
        item = LineItem(
            act.number(),
            order,
            line.variant,
            line.sku,
            line.title,
            line.variant_title,
            line.vendor,
            line.quantity,
            line.price,
            line.requires_shipping,
            line.taxable,
            list(line.attributes) if copied else [],
            [TaxLine(tax.title, tax.rate, tax.amount, tax.channel_liable) for tax in line.taxes],
        )
        order.lines.append(item)
        if line.reserved:
            stock.commit_reserved(act, item, line.reserved)
        elif line.variant is not None:
            stock.claim(act, item, line.quantity, stock.route(act.shop, line.variant, line.quantity))
    if draft.shipping is not None:
        order.shipping_lines.append(draft.shipping)
    total = order.total(current=False)
    if not payment_pending and total:
        order.transactions.append(Transaction(act.number(), "SALE", "SUCCESS", "manual", total, act.now))
    if switches["draft_metafields_copied"] == "yes":
        _copy_metafields(act, draft, order)
    draft.completed_at = act.now
    draft.order = order
    draft.reserve_until = None
    act.touch_draft(draft)
    act.announce("DRAFT_ORDERS_UPDATE", draft.gid, lambda _app: payloads.draft(draft))
    act.effect("draft_completed", draft.gid, order=order.gid)
    orders.register(act, order)
    return order


def _copy_metafields(act: Act, draft: Draft, order: Order) -> None:
    for field in draft.metafields.values():
        given = {"namespace": field.namespace, "key": field.key, "type": field.type, "value": field.value}
        try:
            metafields.put(act, order, given, ())
        except Refused:
            # A unique value that is taken, or a definition that drafts have and orders lack, is left out.
            continue
