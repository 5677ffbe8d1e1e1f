"""Amounts as the platform writes them: decimal strings with trailing zeros trimmed (reference 5.2)."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_NO_DECIMALS = (
    "BIF",
    "CLP",
    "DJF",
    "GNF",
    "JPY",
    "KMF",
    "KRW",
    "PYG",
    "RWF",
    "UGX",
    "VND",
    "VUV",
    "XAF",
    "XOF",
    "XPF",
)
_THREE_DECIMALS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")

ZERO = Decimal(0)


def exponent(currency: str) -> Decimal:
    """The smallest unit of a currency by ISO 4217, as a Decimal to quantise with."""
    if currency in _NO_DECIMALS:
        return Decimal(1)
    if currency in _THREE_DECIMALS:
        return Decimal("0.001")
    return Decimal("0.01")


def rounded(amount: Decimal, currency: str) -> Decimal:
    """The amount in whole smallest units of its currency, half up."""
    return amount.quantize(exponent(currency), rounding=ROUND_HALF_UP)


def amount_text(amount: Decimal) -> str:
    """`10.00` is written `10.0`, `19.90` is `19.9` and `1200` is `1200.0` (reference 5.2, 15.20)."""
    text = format(amount, "f")
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction or '0'}"


def payload_amount(amount: Decimal, currency: str) -> str:
    """Webhook payloads keep the currency's own number of decimals."""
    return format(rounded(amount, currency), "f")


@dataclass(frozen=True, slots=True)
class Amount:
    """One amount in one currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Bag:
    """An amount in the currency of the shop side and in the currency the buyer saw."""

    shop: Amount
    presentment: Amount
