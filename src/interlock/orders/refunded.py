"""What of a sold order the marketplace has given back. Two questions that are not the same: whether no goods are due any more,
and whether the customer has all the money back.

Both are measured from what was sold on each line at first sight, because nobody documents whether a line's figures shrink
with its cancelations (OR11, OR30).
"""

from decimal import Decimal

from interlock.orders.agreement import ordered_of
from interlock.orders.memory import Memory, OrderedLine
from interlock.orders.money import smallest_unit
from interlock.orders.shares import merged, sum_of, total_of
from interlock.orders.snapshots import DEAD, MiraklLine, MiraklOrder, Reduction

ZERO = Decimal(0)


def goods_are_refunded(mirakl: MiraklOrder, memory: Memory) -> bool:
    """Whether the product money of every line that neither ended nor was cancelled is back, so that nothing of the order is
    due to the customer. Shipping that was kept on purpose does not matter here. False for an order without living lines."""
    alive = _alive(mirakl, memory)
    return bool(alive) and all(
        line.state == "REFUNDED"
        or (ordered.price > 0 and ordered.price <= sum((r.amount for r in _taken(line)), ZERO))
        for line, ordered in alive
    )


def money_is_back(mirakl: MiraklOrder, memory: Memory) -> bool:
    """Whether the customer has everything back that was paid for lines that did not end: products, shipping, fees, and the
    taxes that came on top. False for an order without living lines, or of which nothing was refunded."""
    alive = _alive(mirakl, memory)
    refunded = any(line.refunds or line.state == "REFUNDED" for line, _ in alive)
    return refunded and not money_kept(mirakl, memory)


def money_kept(mirakl: MiraklOrder, memory: Memory) -> Decimal:
    """What the customer paid for lines that did not end and has not got back, in the order's currency; never negative."""
    return sum((_kept(line, ordered, mirakl) for line, ordered in _alive(mirakl, memory)), ZERO)


def _alive(mirakl: MiraklOrder, memory: Memory) -> tuple[tuple[MiraklLine, OrderedLine], ...]:
    pairs = zip(mirakl.lines, ordered_of(mirakl, memory), strict=True)
    return tuple((line, ordered) for line, ordered in pairs if line.state not in DEAD)


def _kept(line: MiraklLine, ordered: OrderedLine, mirakl: MiraklOrder) -> Decimal:
    if line.state == "REFUNDED" and not line.refunds:
        return ZERO  # the marketplace says so without showing how
    taxes = (*ordered.taxes, *ordered.shipping_taxes)
    paid = total_of(ordered.price, ordered.shipping_price, taxes, mirakl.tax_mode, ordered.fees)
    back = sum(
        (
            total_of(r.amount, r.shipping_amount, (*r.taxes, *r.shipping_taxes), mirakl.tax_mode, r.fees)
            for r in _taken(line)
        ),
        ZERO,
    )
    return paid - back if paid - back > _rounding(line, ordered, mirakl) else ZERO


def _rounding(line: MiraklLine, ordered: OrderedLine, mirakl: MiraklOrder) -> Decimal:
    """By how much taxes on top may differ and still be the same: the marketplace computes proportional ones itself and may
    round each of them otherwise (Mirakl reference, OR28)."""
    on_top = (*ordered.taxes, *ordered.shipping_taxes) if mirakl.tax_mode == "TAX_EXCLUDED" else ()
    if not sum_of(on_top):
        return ZERO
    entries = len(merged(ordered.taxes)) + len(merged(ordered.shipping_taxes))
    return smallest_unit(mirakl.currency) * entries * len(_taken(line))


def _taken(line: MiraklLine) -> tuple[Reduction, ...]:
    return (*line.cancelations, *line.refunds)
