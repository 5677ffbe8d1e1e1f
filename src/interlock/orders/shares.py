"""Which part of a sold line's money belongs to some of its units, so that all parts add up to the whole."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from interlock.orders.memory import OrderedLine
from interlock.orders.money import Money, cumulative_share, rounded
from interlock.orders.snapshots import Fee, Tax

ZERO = Decimal(0)
PROPORTIONAL = "PROPORTIONAL_TO_AMOUNT"


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of one line's money: taken already, promised, or to be taken. `units` is 0 where only money is
    meant. All figures are in the order's tax mode and currency."""

    units: int
    amount: Decimal
    shipping_amount: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]
    fees: tuple[Fee, ...] = ()


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
                tax.operator_collected,
            )
            for tax in merged(whole)
        )

    fees = tuple(
        Fee(fee.code, share(fee.amount, [(p.units, _amount_of(fee.code, p.fees)) for p in taken]))
        for fee in _merged_fees(ordered.fees)
    )
    return Portion(
        units=units,
        amount=share(ordered.price, [(p.units, p.amount) for p in taken]),
        shipping_amount=share(ordered.shipping_price, [(p.units, p.shipping_amount) for p in taken]),
        taxes=shares_of_taxes(ordered.taxes, [(p.units, p.taxes) for p in taken]),
        shipping_taxes=shares_of_taxes(ordered.shipping_taxes, [(p.units, p.shipping_taxes) for p in taken]),
        fees=fees,
    )


def rounding_of(ordered: OrderedLine, units: int, currency: str) -> str:
    """One sentence where a figure of the line does not divide into shares of `units` units; empty where all do."""
    figures = [
        ("The price", ordered.price),
        ("The shipping charge", ordered.shipping_price),
        *((f"Tax {tax.code}", tax.amount) for tax in merged((*ordered.taxes, *ordered.shipping_taxes))),
        *((f"Fee {fee.code}", fee.amount) for fee in _merged_fees(ordered.fees)),
    ]
    for name, whole in figures:
        if not 0 < units < ordered.quantity:
            break
        exact = whole * units / ordered.quantity
        if exact != rounded(exact, currency):
            return (
                f"{name} of {ordered.sku or ordered.line_id}, {Money(whole, currency)} for {ordered.quantity} units, "
                f"has no exact share for {units}: shares are rounded, and the last unit takes what is left, so that "
                "all parts add up to the whole."
            )
    return ""


def to_send(taxes: tuple[Tax, ...], proportional_too: bool) -> tuple[Tax, ...]:
    """The taxes to name in OR28 or OR30. Taxes with the rule NONE are given back only if they are named; a
    proportional one is computed by the marketplace where it is left out (Mirakl reference, OR28; the two statements
    of the contract about it conflict, so it is a setting)."""
    return tuple(tax for tax in taxes if proportional_too or tax.rule != PROPORTIONAL)


def merged(taxes: tuple[Tax, ...]) -> tuple[Tax, ...]:
    """One tax per code, amounts added, in the order of first appearance. It counts as the operator's only where every
    entry of the code does."""
    sums: dict[str, Tax] = {}
    for tax in taxes:
        known = sums.get(tax.code)
        sums[tax.code] = (
            tax
            if known is None
            else Tax(
                tax.code,
                known.amount + tax.amount,
                known.rate,
                known.rule,
                known.operator_collected and tax.operator_collected,
            )
        )
    return tuple(sums.values())


def _merged_fees(fees: tuple[Fee, ...]) -> tuple[Fee, ...]:
    sums: dict[str, Decimal] = {}
    for fee in fees:
        sums[fee.code] = sums.get(fee.code, ZERO) + fee.amount
    return tuple(Fee(code, amount) for code, amount in sums.items())


def _amount_of(code: str, entries: Iterable[Tax | Fee]) -> Decimal:
    return sum((entry.amount for entry in entries if entry.code == code), ZERO)


def sum_of(entries: Iterable[Tax | Fee]) -> Decimal:
    """The amounts of taxes or fees together."""
    return sum((entry.amount for entry in entries), ZERO)


def total_of(
    amount: Decimal,
    shipping: Decimal,
    taxes: Sequence[Tax],
    tax_mode: str,
    fees: Sequence[Fee] = (),
) -> Decimal:
    """What the customer pays for it: in TAX_EXCLUDED the taxes come on top, in TAX_INCLUDED they are inside."""
    on_top = sum_of(taxes) if tax_mode == "TAX_EXCLUDED" else ZERO
    return amount + shipping + on_top + sum_of(fees)


def operators_part(taxes: Iterable[Tax]) -> Decimal:
    """What of these taxes the operator collects. The customer gets it back like the rest, so it is part of what is
    sent (a tax that OR28 does not name may stay unrefunded); the seller never had it, so it is no part of what a
    refund costs him."""
    return sum_of(tax for tax in taxes if tax.operator_collected)
