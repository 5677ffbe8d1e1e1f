"""Order editing: a session, staged changes, and what its commit does (reference 7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from interlock.simulator.shopify import fulfillment, payloads, refunds, stock
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.money import ZERO, rounded
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import (
    Actor,
    Agreement,
    EditSession,
    LineItem,
    Location,
    Order,
    RefundLine,
    Sale,
    StagedLine,
    TaxLine,
    Variant,
)
from interlock.simulator.switches import Switches

ACTIVE_LINES = 500
_LIFETIME = {"an_hour": timedelta(hours=1), "five_minutes": timedelta(minutes=5)}


def alive(session: EditSession, now: datetime, switches: Switches) -> bool:
    """Whether the session can still be used: not committed, and not left alone for too long (switch)."""
    return not session.committed and now - session.begun_at < _LIFETIME[switches["edit_session_lifetime"]]


def may_edit(order: Order, actor: Actor, switches: Switches) -> bool:
    """An orderCreate order belongs to the app that made it (reference 1.1, 8); a completed draft to everyone."""
    if order.route == "draft" or (actor.app is not None and actor.app is order.app):
        return True
    name = "staff_edit_of_app_order" if actor.app is None else "foreign_app_edit_of_app_order"
    return switches[name] == "allowed"


def editable_state(order: Order, switches: Switches) -> bool:
    if order.cancelled_at or order.financial_status in ("REFUNDED", "VOIDED"):
        return False
    return order.closed_at is None or switches["archived_orders_editable"] == "yes"


def begin(act: Act, order: Order) -> EditSession:
    """Raises Refused "The order cannot be edited." with no field, as recorded (reference 7.1)."""
    switches = act.world.switches
    if not may_edit(order, act.actor, switches) or not editable_state(order, switches):
        raise Refused("The order cannot be edited.")
    if switches["second_edit_session"] == "refused" and any(
        session.order is order and alive(session, act.now, switches) and session.actor is not act.actor
        for session in act.shop.sessions.values()
    ):
        raise Refused("The order is being edited by somebody else.")
    lines = [
        StagedLine(
            str(line.number),
            line,
            line.variant,
            line.title,
            line.sku,
            line.unit_price,
            line.current_quantity,
            line.current_quantity,
            line.requires_shipping,
            line.taxable,
        )
        for line in order.lines
        if line.current_quantity > 0 or switches["removed_line_in_edit"] == "yes"
    ]
    session = EditSession(act.number(), order, act.actor, act.now, lines, edits_before=order.edits)
    act.shop.sessions[session.number] = session
    return session


def set_quantity(
    session: EditSession, line_id: str, quantity: int, *, restock: bool, location: Location | None
) -> StagedLine:
    staged = _staged(session, line_id)
    if quantity < 0:
        raise Refused("The quantity must be greater than or equal to 0", ("quantity",))
    if staged.line is not None:
        shipped = staged.before - staged.line.unfulfilled_quantity
        if quantity < min(shipped, staged.before):
            raise Refused("The quantity can't be lower than the fulfilled quantity.", ("quantity",))
    staged.quantity = quantity
    staged.restock = restock
    staged.location = location
    return staged


def add_variant(
    act: Act,
    session: EditSession,
    variant: Variant,
    quantity: int,
    *,
    allow_duplicates: bool,
    location: Location | None,
) -> StagedLine:
    if quantity <= 0:
        raise Refused("The quantity must be greater than 0", ("quantity",))
    if not allow_duplicates and any(item.variant is variant and item.quantity > 0 for item in session.lines):
        raise Refused(f"{variant.title} was not added because it's already on the order.", ("variantId",))
    if len(session.lines) >= ACTIVE_LINES:
        raise Refused("The order can't have more line items.", ("id",))
    staged = StagedLine(
        act.world.uuid("staged", act.number()),
        None,
        variant,
        variant.title,
        variant.sku,
        variant.price,
        0,
        quantity,
        variant.requires_shipping,
        variant.taxable,
        location=location,
    )
    session.lines.append(staged)
    return staged


def add_custom_item(
    act: Act,
    session: EditSession,
    title: str,
    price: Decimal,
    quantity: int,
    *,
    taxable: bool,
    requires_shipping: bool,
) -> StagedLine:
    if quantity <= 0:
        raise Refused("The quantity must be greater than 0", ("quantity",))
    staged = StagedLine(
        act.world.uuid("staged", act.number()),
        None,
        None,
        title,
        None,
        price,
        0,
        quantity,
        requires_shipping,
        taxable,
    )
    session.lines.append(staged)
    return staged


def add_discount(
    session: EditSession, line_id: str, per_unit: Decimal | None, percent: Decimal | None, note: str | None
) -> StagedLine:
    staged = _staged(session, line_id)
    if per_unit is None:
        if percent is None:
            raise Refused("A discount value is required.", ("discount",))
        per_unit = rounded(staged.unit_price * percent / 100, session.order.presentment_currency)
    if per_unit <= 0 or per_unit > staged.unit_price:
        raise Refused("The discount must be greater than 0 and at most the price.", ("discount",))
    staged.discount_per_unit = per_unit
    staged.discount_note = note
    return staged


def set_shipping(session: EditSession, price: Decimal) -> None:
    """Replace what the customer pays for shipping (orderEditUpdateShippingLine)."""
    if price < 0 or not session.order.shipping_lines:
        raise Refused("The shipping line cannot be changed.", ("shippingLineId",))
    session.shipping = price


def _staged(session: EditSession, line_id: str) -> StagedLine:
    for staged in session.lines:
        if staged.id == line_id:
            return staged
    raise Refused("The calculated line item does not exist.", ("lineItemId",))


def preview_total(session: EditSession) -> Decimal:
    """The order's total if the session were committed now; tax in proportion to each line."""
    order = session.order
    total = order.shipping_total()
    for staged in session.lines:
        net = staged.unit_price - _discount(staged)
        total += net * staged.quantity
        if order.taxes_included:
            continue
        if staged.line is not None and staged.line.quantity:
            total += staged.line.tax_of(1) * staged.quantity
        elif staged.taxable:
            total += rounded(net * staged.quantity * order.tax_rate_of_additions, order.presentment_currency)
    if not order.taxes_included:
        total += sum((line.tax for line in order.shipping_lines if not line.removed), ZERO)
    return total


def _discount(staged: StagedLine) -> Decimal:
    if staged.discount_per_unit is not None:
        return staged.discount_per_unit
    return ZERO if staged.line is None else staged.line.discount_per_unit


@dataclass
class _Deltas:
    additions: list[tuple[int, int]]
    removals: list[tuple[int, int]]
    discounts: list[dict[str, Any]]
    sales: list[Sale]
    refund_lines: list[RefundLine]
    changes: list[dict[str, Any]]


def commit(act: Act, session: EditSession, *, notify: bool, note: str | None) -> list[str]:
    """Apply the staged changes (reference 7.3) and return the success messages. Raises Refused."""
    order = session.order
    ended = (
        session.edits_before != order.edits
        and act.world.switches["commit_on_edited_order"] == "session_ended"
    )
    if ended or not alive(session, act.now, act.world.switches):
        raise Refused("The calculated order does not exist.", ("id",))
    if not editable_state(order, act.world.switches):
        raise Refused("The order cannot be edited.")
    if not any(_changed(staged) for staged in session.lines) and session.shipping is None:
        raise Refused("There must be at least one change to be made.", ("id",))
    for staged in session.lines:
        if staged.line is not None and staged.quantity - staged.before < -staged.line.unfulfilled_quantity:
            raise Refused("Some items have been fulfilled since the edit began.", ("id",))
    session.committed = True
    deltas = _Deltas([], [], [], [], [], [])
    for staged in session.lines:
        if _changed(staged):
            _apply(act, order, staged, deltas)
    if session.shipping is not None:
        _apply_shipping(act, order, session.shipping, deltas)
    order.edited = True
    order.edits += 1
    order.stated_financial_status = None
    messages = ["Order updated"]
    if order.closed_at is not None:
        order.closed_at = None
        messages.append("Order unarchived")
    if notify:
        messages.append("Notification sent")
    agreement = Agreement(act.number(), order, "ORDER_EDIT", act.now, act.actor, deltas.sales)
    order.agreements.append(agreement)
    paid_only = act.world.switches["restocked_quantity_in_removal_refund"] == "only_when_paid"
    if deltas.refund_lines and not (paid_only and order.received == 0):
        refunds.record(act, order, deltas.refund_lines, [], agreement=False)
    _announce(act, session, agreement, deltas, notify, note)
    return messages


def _changed(staged: StagedLine) -> bool:
    return staged.quantity != staged.before or staged.discount_per_unit is not None


def _announce(
    act: Act, session: EditSession, agreement: Agreement, deltas: _Deltas, notify: bool, note: str | None
) -> None:
    order, actor = session.order, act.actor
    same = act.world.switches["order_edit_id"] == "agreement_number"
    number = agreement.number if same else session.number
    who = actor.app.name if actor.app is not None else "A staff member"
    act.touch(order)
    act.timeline(order, "edited", f"{who} edited this order.")
    act.announce(
        "ORDERS_EDITED",
        order.gid,
        lambda _app: payloads.order_edit(
            order,
            number=number,
            app=actor.app,
            staff_number=None if actor.staff is None else actor.staff.number,
            begun_at=session.begun_at,
            committed_at=act.now,
            notify=notify,
            note=note,
            additions=deltas.additions,
            removals=deltas.removals,
            discounts=deltas.discounts,
        ),
    )
    act.effect(
        "edited",
        order.gid,
        changes=deltas.changes,
        agreement=agreement.gid,
        lines=[
            {"line_id": line.gid, "sku": line.sku, "quantity": line.current_quantity} for line in order.lines
        ],
    )


def _apply(act: Act, order: Order, staged: StagedLine, deltas: _Deltas) -> None:
    line = staged.line
    delta = staged.quantity - staged.before
    if line is None:
        if staged.quantity == 0:
            return
        line = _new_line(act, order, staged)
    elif delta > 0:
        _scale_taxes(order, line, delta)
        line.quantity += delta
    if staged.discount_per_unit is not None:
        saved = staged.discount_per_unit - line.discount_per_unit
        line.discount_per_unit = staged.discount_per_unit
        amount = rounded(-saved * staged.quantity, order.presentment_currency)
        deltas.sales.append(Sale(act.number(), "UPDATE", "PRODUCT", None, amount, ZERO, line))
        deltas.discounts.append(
            {
                "line_item_id": line.number,
                "amount": format(saved, "f"),
                "description": staged.discount_note or "",
            }
        )
        deltas.changes.append(_change(line, "discount", ZERO, staged.discount_per_unit))
    if delta > 0:
        location = staged.location or stock.route(act.shop, line.variant, delta)
        stock.claim(act, line, delta, location)
        fulfillment.add_units(act, line, delta, location)
        amount = rounded(line.net_unit_price * delta, order.presentment_currency)
        deltas.sales.append(Sale(act.number(), "ORDER", "PRODUCT", delta, amount, line.tax_of(delta), line))
        deltas.additions.append((line.number, delta))
        deltas.changes.append(
            _change(line, "added" if staged.line is None else "increased", staged.before, staged.quantity)
        )
    elif delta < 0:
        units = -delta
        kind = "CANCEL" if staged.restock else "NO_RESTOCK"
        item = refunds.refund_line(
            act, line, units, kind, staged.location or stock.route(act.shop, line.variant, 0)
        )
        line.removed += units
        fulfillment.remove_units(act, line, units)
        stock.release(act, line, units, restock=staged.restock, location=staged.location)
        deltas.refund_lines.append(item)
        deltas.sales.append(Sale(act.number(), "RETURN", "PRODUCT", -units, -item.subtotal, -item.tax, line))
        deltas.removals.append((line.number, units))
        word = "removed" if staged.quantity == 0 else "decreased"
        deltas.changes.append(_change(line, word, staged.before, staged.quantity))


def _apply_shipping(act: Act, order: Order, price: Decimal, deltas: _Deltas) -> None:
    line = next(item for item in order.shipping_lines if not item.removed)
    delta = price - line.price
    line.price = price
    deltas.sales.append(Sale(act.number(), "UPDATE", "SHIPPING", None, delta, ZERO, shipping=line))
    deltas.changes.append(
        {"change": "shipping", "from": format(price - delta, "f"), "to": format(price, "f")}
    )


def _change(line: LineItem, word: str, before: int | Decimal, after: int | Decimal) -> dict[str, Any]:
    return {
        "change": word,
        "line_id": line.gid,
        "sku": line.sku,
        "from": before if isinstance(before, int) else format(before, "f"),
        "to": after if isinstance(after, int) else format(after, "f"),
    }


def _new_line(act: Act, order: Order, staged: StagedLine) -> LineItem:
    variant = staged.variant
    line = LineItem(
        act.number(),
        order,
        variant,
        staged.sku,
        staged.title,
        None if variant is None else variant.variant_title,
        None if variant is None else variant.vendor,
        staged.quantity,
        staged.unit_price,
        staged.requires_shipping,
        staged.taxable,
        [],
        [],
    )
    if staged.taxable and order.tax_rate_of_additions:
        base = staged.unit_price * staged.quantity
        rate = order.tax_rate_of_additions
        amount = base * rate / (1 + rate) if order.taxes_included else base * rate
        line.taxes.append(
            TaxLine(act.shop.tax_title, rate, rounded(amount, order.presentment_currency), False)
        )
    order.lines.append(line)
    return line


def _scale_taxes(order: Order, line: LineItem, delta: int) -> None:
    """Tax lines speak for all units ever ordered, so an addition raises them."""
    if line.quantity == 0:
        return
    for tax in line.taxes:
        tax.amount = rounded(tax.amount * (line.quantity + delta) / line.quantity, order.presentment_currency)
