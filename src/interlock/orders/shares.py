"""Which part of a sold line's money belongs to some of its units, so that all parts add up to the whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from interlock.orders.memory import OrderedLine
from interlock.orders.money import cumulative_share
from interlock.orders.snapshots import Tax

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of one line's money: taken already, promised, or to be taken. `units` is 0 where only money is
    meant. All figures are in the order's tax mode and currency."""

    units: int
    amount: Decimal
    shipping_amount: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]


def portion_of(ordered: OrderedLine, taken: Sequence[Portion], units: int, currency: str) -> Portion:
    """The money of the next `units` units of a line of which `taken` is gone already.

    Shares are measured from the sold line, so n single units equal one portion of n and the last unit takes
    what is left. Money that was taken without units lowers the price of all units alike. Never more than
    what is left, never negative. Raises ValueError for units below 1 or a line that was sold with none.
    """
    if units < 1:
        raise ValueError(f"There is no portion of {units} units.")
    before = sum(portion.units for portion in taken)
    upto = min(before + units, ordered.quantity)

    def share(whole: Decimal, parts: Sequence[tuple[int, Decimal]]) -> Decimal:
        by_units = sum((amount for n, amount in parts if n > 0), ZERO)
        alone = sum((amount for n, amount in parts if n <= 0), ZERO)
        basis = max(whole - alone, ZERO)
        wanted = cumulative_share(basis, upto, ordered.quantity, currency) - by_units
        left = max(whole - alone - by_units, ZERO)
        return min(max(wanted, ZERO), left)

    def shares_of_taxes(
        whole: tuple[Tax, ...], parts: Sequence[tuple[int, tuple[Tax, ...]]]
    ) -> tuple[Tax, ...]:
        return tuple(
            Tax(
                tax.code,
                share(tax.amount, [(n, _amount_of(tax.code, taxes)) for n, taxes in parts]),
                tax.rate,
                tax.rule,
            )
            for tax in merged(whole)
        )

    return Portion(
        units=units,
        amount=share(ordered.price, [(p.units, p.amount) for p in taken]),
        shipping_amount=share(ordered.shipping_price, [(p.units, p.shipping_amount) for p in taken]),
        taxes=shares_of_taxes(ordered.taxes, [(p.units, p.taxes) for p in taken]),
        shipping_taxes=shares_of_taxes(ordered.shipping_taxes, [(p.units, p.shipping_taxes) for p in taken]),
    )


def merged(taxes: tuple[Tax, ...]) -> tuple[Tax, ...]:
    """One tax per code, amounts added, in the order of first appearance."""
    sums: dict[str, Tax] = {}
    for tax in taxes:
        known = sums.get(tax.code)
        sums[tax.code] = (
            tax if known is None else Tax(tax.code, known.amount + tax.amount, known.rate, known.rule)
        )
    return tuple(sums.values())


def _amount_of(code: str, taxes: tuple[Tax, ...]) -> Decimal:
    return sum((tax.amount for tax in taxes if tax.code == code), ZERO)


def total_of(amount: Decimal, shipping: Decimal, taxes: Sequence[Tax], tax_mode: str) -> Decimal:
    """What the customer pays for it: in TAX_EXCLUDED the taxes come on top, in TAX_INCLUDED they are inside."""
    on_top = sum((tax.amount for tax in taxes), ZERO) if tax_mode == "TAX_EXCLUDED" else ZERO
    return amount + shipping + on_top
