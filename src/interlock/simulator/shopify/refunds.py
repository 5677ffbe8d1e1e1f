"""Refunds with and without money (reference 12)."""

from collections.abc import Sequence
from decimal import Decimal

from interlock.simulator.shopify import fulfillment, payloads, stock
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.money import ZERO, payload_amount, rounded
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import (
    Agreement,
    LineItem,
    Location,
    Order,
    Refund,
    RefundLine,
    Sale,
    Transaction,
)


def refund_line(
    act: Act, line: LineItem, units: int, restock_type: str, location: Location | None
) -> RefundLine:
    """The record of units that leave the order, at today's net price."""
    subtotal = rounded(line.net_unit_price * units, line.order.presentment_currency)
    return RefundLine(act.number(), line, units, restock_type, location, subtotal, line.tax_of(units))


def record(
    act: Act,
    order: Order,
    lines: list[RefundLine],
    transactions: list[Transaction],
    *,
    note: str | None = None,
    shipping: Decimal = ZERO,
    adjustment: Decimal = ZERO,
    adjustment_reason: str | None = None,
    agreement: bool = True,
) -> Refund:
    """Write a Refund, its agreement, webhook and effect. Quantities were changed by the caller."""
    made = Refund(
        act.number(),
        order,
        act.now,
        note,
        lines,
        transactions,
        shipping,
        adjustment,
        adjustment_reason,
        act.actor.staff,
    )
    order.refunds.append(made)
    act.shop.refunds[made.number] = made
    order.transactions.extend(transactions)
    order.stated_financial_status = None
    if agreement:
        sales = [
            Sale(act.number(), "RETURN", "PRODUCT", -item.quantity, -item.subtotal, -item.tax, item.line)
            for item in lines
        ]
        if shipping:
            sales.append(Sale(act.number(), "RETURN", "SHIPPING", None, -shipping, ZERO))
        if adjustment:
            sales.append(Sale(act.number(), "RETURN", "ADJUSTMENT", None, -adjustment, ZERO))
        order.agreements.append(Agreement(act.number(), order, "REFUND", act.now, act.actor, sales, made))
    act.touch(order)
    act.announce("REFUNDS_CREATE", order.gid, lambda _app: payloads.refund(made))
    act.effect(
        "refund_created",
        order.gid,
        refund=made.gid,
        money=format(made.money, "f"),
        lines=[
            {
                "line_id": item.line.gid,
                "sku": item.line.sku,
                "quantity": item.quantity,
                "had_left": item.had_left,
            }
            for item in lines
        ],
    )
    return made


def money_back(act: Act, order: Order, amount: Decimal, parent: Transaction | None) -> Transaction:
    """A successful refund transaction; the gateway of the parent wins (reference 12)."""
    gateway = parent.gateway if parent else "manual"
    return Transaction(act.number(), "REFUND", "SUCCESS", gateway, amount, act.now, order.test, parent)


def paying_transaction(order: Order) -> Transaction | None:
    return next(
        (t for t in order.transactions if t.kind in ("SALE", "CAPTURE") and t.status == "SUCCESS"), None
    )


def create(
    act: Act,
    order: Order,
    lines: Sequence[tuple[LineItem, int, str, Location | None]],
    money: Decimal,
    parent: Transaction | None,
    *,
    note: str | None = None,
    shipping: Decimal = ZERO,
) -> Refund:
    """Refund lines, money, or both. Raises Refused with the recorded sentences of reference 12."""
    for line, units, restock_type, location in lines:
        if units <= 0 or units > line.current_quantity:
            raise Refused("Quantity cannot refund more items than were purchased", ("refundLineItems",))
        if restock_type in ("RETURN", "CANCEL") and location is None:
            raise Refused("Location is required when restocking", ("refundLineItems",))
    if money > order.net_payment:
        currency = order.presentment_currency
        raise Refused(
            f"Refund amount ${payload_amount(money, currency)} is greater than net payment received "
            f"${payload_amount(order.net_payment, currency)}"
        )
    if money and parent is None:
        raise Refused("Transactions require a parent_id associated with the order", ("transactions",))
    if not lines and not money and not shipping:
        raise Refused("Refund must have at least one line item, shipping amount or transaction")
    made: list[RefundLine] = []
    for line, units, restock_type, location in lines:
        made.append(refund_line(act, line, units, restock_type, location))
        made[-1].had_left = _take(act, line, units, restock_type, location)
    transactions = [money_back(act, order, money, parent)] if money else []
    covered = (
        sum((item.subtotal + (ZERO if order.taxes_included else item.tax) for item in made), ZERO) + shipping
    )
    adjustment = money - covered if money and money != covered else ZERO
    reason = "REFUND_DISCREPANCY" if adjustment else None
    return record(
        act,
        order,
        made,
        transactions,
        note=note,
        shipping=shipping,
        adjustment=adjustment,
        adjustment_reason=reason,
    )


def _take(act: Act, line: LineItem, units: int, restock_type: str, location: Location | None) -> int:
    """Units not yet shipped are taken first, except for a RETURN, which takes shipped ones. Returns how many had left."""
    waiting = 0 if restock_type == "RETURN" else min(units, line.unfulfilled_quantity)
    shipped = units - waiting
    on_the_way = max(0, line.fulfilled - line.returned)
    if shipped > on_the_way:
        waiting += shipped - on_the_way
        shipped = on_the_way
    if waiting:
        line.removed += waiting
        fulfillment.remove_units(act, line, waiting)
        stock.release(act, line, waiting, restock=restock_type == "CANCEL", location=location)
    if shipped:
        line.returned += shipped
        if restock_type in ("RETURN", "CANCEL") and location is not None:
            stock.put_back(act, line.variant, shipped, location)
    return shipped
