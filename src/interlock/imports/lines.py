"""The Shopify lines that stand for a marketplace order, equal to it to the cent in both tax modes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from interlock.orders.actions import ImportLine
from interlock.orders.agreement import agreed_quantities, ordered_of
from interlock.orders.memory import Bundle, BundlePart, Memory, OrderedLine
from interlock.orders.money import cumulative_share, rounded, smallest_unit
from interlock.orders.snapshots import MiraklLine, MiraklOrder, Tax

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class ActiveLine:
    """What is left of one marketplace line: its units, and what the customer pays for all of them, taxes included."""

    line_id: str
    sku: str
    title: str
    quantity: int
    total: Decimal
    shipping: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]


def active_lines(mirakl: MiraklOrder, memory: Memory) -> tuple[ActiveLine, ...]:
    """The lines with units left, without what was refused or cancelled, in the order's own sequence.

    In TAX_EXCLUDED the taxes come on top of `price` and `shipping_price`; in TAX_INCLUDED they are inside (OR11
    `order_tax_mode`).
    """
    quantities = dict(agreed_quantities(mirakl, memory))
    return tuple(
        _active(mirakl, line, ordered, quantities[line.id])
        for line, ordered in zip(mirakl.lines, ordered_of(mirakl, memory), strict=True)
        if quantities[line.id] > 0
    )


def sold_lines(mirakl: MiraklOrder, memory: Memory) -> tuple[ActiveLine, ...]:
    """All lines as they were sold, with all their units, at the figures last agreed; none that ended."""
    return tuple(
        ActiveLine(
            line_id=line.line_id,
            sku=line.sku,
            title=line.title or line.sku,
            quantity=line.quantity,
            total=_with_taxes(line.price, line.taxes, mirakl),
            shipping=_with_taxes(line.shipping_price, line.shipping_taxes, mirakl),
            taxes=line.taxes,
            shipping_taxes=line.shipping_taxes,
        )
        for line in memory.ordered
        if line.quantity > 0
    )


def _with_taxes(amount: Decimal, taxes: tuple[Tax, ...], mirakl: MiraklOrder) -> Decimal:
    on_top = sum((tax.amount for tax in taxes), ZERO) if mirakl.tax_mode == "TAX_EXCLUDED" else ZERO
    return rounded(amount + on_top, mirakl.currency)


def _active(mirakl: MiraklOrder, line: MiraklLine, ordered: OrderedLine, quantity: int) -> ActiveLine:
    price, shipping = line.price, line.shipping_price
    taxes, shipping_taxes = line.taxes, line.shipping_taxes
    if line.price == ordered.price:
        # The line still shows what was sold, so this marketplace does not shrink it: take off what was cancelled.
        price -= sum((c.amount for c in line.cancelations), ZERO)
        shipping -= sum((c.shipping_amount for c in line.cancelations), ZERO)
        taxes = _less(taxes, [tax for c in line.cancelations for tax in c.taxes])
        shipping_taxes = _less(shipping_taxes, [tax for c in line.cancelations for tax in c.shipping_taxes])
    if mirakl.tax_mode == "TAX_EXCLUDED":
        price += sum((tax.amount for tax in taxes), ZERO)
        shipping += sum((tax.amount for tax in shipping_taxes), ZERO)
    return ActiveLine(
        line_id=line.id,
        sku=line.sku,
        title=line.title or line.sku,
        quantity=quantity,
        total=rounded(price, mirakl.currency),
        shipping=rounded(shipping, mirakl.currency),
        taxes=taxes,
        shipping_taxes=shipping_taxes,
    )


def _less(taxes: tuple[Tax, ...], taken: Iterable[Tax]) -> tuple[Tax, ...]:
    gone: dict[str, Decimal] = {}
    for tax in taken:
        gone[tax.code] = gone.get(tax.code, ZERO) + tax.amount
    left = []
    for tax in taxes:
        off = min(gone.get(tax.code, ZERO), tax.amount)
        gone[tax.code] = gone.get(tax.code, ZERO) - off
        left.append(replace(tax, amount=tax.amount - off))
    return tuple(left)


def import_lines(
    active: Iterable[ActiveLine],
    currency: str,
    variants: Mapping[str, str],
    bundles: Iterable[Bundle] = (),
) -> tuple[ImportLine, ...]:
    """The Shopify lines for these marketplace lines. `variants` gives a variant id per SKU; a SKU without one
    becomes a custom line, one of `bundles` a line for each of its articles.

    Unit price times quantity, summed over the lines of one marketplace line, is exactly its total: a total that
    does not divide by the quantity becomes two lines whose unit prices are neighbours.
    """
    parts = {bundle.sku: bundle.parts for bundle in bundles}
    lines: list[ImportLine] = []
    for line in active:
        if line.sku in parts:
            lines += _articles(line, parts[line.sku], currency)
            continue
        start = 0
        for quantity, unit_price in split(line.total, line.quantity, currency):
            lines.append(
                ImportLine(
                    mirakl_line_id=line.line_id,
                    sku=line.sku,
                    title=line.title,
                    variant_id=variants.get(line.sku, ""),
                    quantity=quantity,
                    unit_price=unit_price,
                    taxes=_share(line.taxes, start, start + quantity, line.quantity, currency),
                )
            )
            start += quantity
    return tuple(lines)


def _articles(line: ActiveLine, parts: tuple[BundlePart, ...], currency: str) -> list[ImportLine]:
    """The lines of a bundle: each article carries the share of price and taxes that its weight gives it."""
    found: list[ImportLine] = []
    weight, so_far = sum(part.weight for part in parts), 0
    for part in parts:
        upto = so_far + part.weight
        total = cumulative_share(line.total, upto, weight, currency) - cumulative_share(
            line.total, so_far, weight, currency
        )
        taxes = _share(line.taxes, so_far, upto, weight, currency)
        so_far, units, start = upto, part.units * line.quantity, 0
        for quantity, unit_price in split(total, units, currency):
            shared = _share(taxes, start, start + quantity, units, currency)
            found.append(
                ImportLine(
                    line.line_id,
                    part.sku,
                    line.title,
                    part.variant_id,
                    quantity,
                    unit_price,
                    shared,
                    part.units,
                )
            )
            start += quantity
    return found


def split(total: Decimal, quantity: int, currency: str) -> tuple[tuple[int, Decimal], ...]:
    """(units, unit price) pairs that add up to `total`: one pair, or two with neighbouring prices.

    `total` must be a multiple of the currency's smallest unit and `quantity` positive; otherwise ValueError.
    """
    if quantity <= 0:
        raise ValueError(f"A line of {quantity} units has no unit price.")
    step = smallest_unit(currency)
    steps = total / step
    if steps != steps.to_integral_value():
        raise ValueError(f"{total} is not a multiple of the smallest unit of {currency}.")
    low, dearer = divmod(int(steps), quantity)
    pairs = ((quantity - dearer, low * step), (dearer, (low + 1) * step))
    return tuple(pair for pair in pairs if pair[0] > 0)


def _share(taxes: tuple[Tax, ...], first: int, last: int, of: int, currency: str) -> tuple[Tax, ...]:
    return tuple(
        replace(
            tax,
            amount=cumulative_share(tax.amount, last, of, currency)
            - cumulative_share(tax.amount, first, of, currency),
        )
        for tax in taxes
    )


def shipping_of(active: Iterable[ActiveLine]) -> Decimal:
    """What the customer pays for shipping, taxes included."""
    return sum((line.shipping for line in active), ZERO)


def shipping_taxes_of(active: Iterable[ActiveLine]) -> tuple[Tax, ...]:
    """The shipping taxes of all lines, one per code and rate, in order of first appearance."""
    merged: dict[tuple[str, Decimal | None, str | None], Tax] = {}
    for line in active:
        for tax in line.shipping_taxes:
            key = (tax.code, tax.rate, tax.rule)
            known = merged.get(key)
            merged[key] = tax if known is None else replace(known, amount=known.amount + tax.amount)
    return tuple(merged.values())


def expected_total(active: Iterable[ActiveLine]) -> Decimal:
    """What the whole Shopify order must add up to: lines plus shipping, taxes included."""
    return sum((line.total + line.shipping for line in active), ZERO)
