"""Amounts of money as decimals with a currency, and shares of them that always add up."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from babel.numbers import get_currency_precision


class CurrencyMismatch(ValueError):
    """Two amounts of different currencies were combined."""

    def __init__(self, left: str, right: str) -> None:
        super().__init__(
            f"An amount in {left} cannot be combined with one in {right}. "
            "Nothing was computed; compare the currency of the order on both platforms."
        )


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in major units and its ISO 4217 code. Equality is numeric: 10 EUR equals 10.00 EUR."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        self._same_currency(other)
        return Money(self.amount - other.amount, self.currency)

    def __str__(self) -> str:
        return f"{rounded(self.amount, self.currency)} {self.currency}"

    def _same_currency(self, other: "Money") -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(self.currency, other.currency)


def smallest_unit(currency: str) -> Decimal:
    """The smallest amount the currency knows: 0.01 for EUR, 1 for JPY, 0.001 for KWD (ISO 4217 exponents)."""
    return Decimal(1).scaleb(-get_currency_precision(currency))


def rounded(amount: Decimal, currency: str) -> Decimal:
    """`amount` rounded half up to the currency's smallest unit."""
    return amount.quantize(smallest_unit(currency), ROUND_HALF_UP)


def cumulative_share(whole: Decimal, part: int, of: int, currency: str) -> Decimal:
    """The rounded share of `whole` that belongs to the first `part` of `of` equal units.

    Because every share is measured from the start, the differences between neighbouring shares add up to the
    whole: taking one unit n times gives the same total as taking n units once. `of` must be positive and
    `part` between 0 and `of`; otherwise ValueError.
    """
    if of <= 0 or not 0 <= part <= of:
        raise ValueError(f"There is no share of {part} in {of} units.")
    if part == of:
        return whole
    return rounded(whole * part / of, currency)
