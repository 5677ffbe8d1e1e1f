"""Whether the marketplace sold at the shop's prices: the two unit prices of a line compared in the order's currency, both
with taxes or both without.

The order shows its prices in its tax mode (OR11 `order_tax_mode`), the shop with or without taxes as it is set
(Shop.taxesIncluded). Where they differ, the shop's price is brought to the order's mode by the taxes of the order's
own line. A line that does not tell them is not compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from interlock.orders.memory import ShopPrice
from interlock.orders.money import Money, rounded, smallest_unit
from interlock.orders.shares import sum_of
from interlock.orders.snapshots import DEAD, MiraklLine, MiraklOrder, Offer

UNKNOWN_CURRENCY = "a currency that is not known"


@dataclass(frozen=True, slots=True)
class Compared:
    """The marketplace sold `quantity` units of a line at `there` a unit (`price_unit`), the shop asks `here`: both with
    taxes where `with_taxes`, else both without. `asked` is the shop's price as it stands in the shop; it is another
    amount than `here` only where the shop shows its prices the other way (`converted`). All in the order's currency."""

    line_id: str
    sku: str
    quantity: int
    there: Decimal
    here: Decimal
    asked: Decimal
    with_taxes: bool
    converted: bool

    @property
    def apart(self) -> Decimal:
        """By how much one unit was sold above or below the shop's price, never negative."""
        return abs(self.there - self.here)


def shop_prices(mirakl: MiraklOrder, offers: Iterable[Offer]) -> tuple[ShopPrice, ...]:
    """What the shop asks for each line's SKU."""
    known = {offer.sku: offer for offer in offers}
    return tuple(
        ShopPrice(line.id, offer.unit_price, offer.taxes_included, _foreign(offer.currency, mirakl))
        for line in mirakl.lines
        if (offer := known.get(line.sku)) is not None and offer.unit_price is not None
    )


def _foreign(currency: str, mirakl: MiraklOrder) -> str:
    """The currency of a shop's price where it is another than the order's, else nothing. One that is not known is never
    taken for the order's."""
    return "" if currency == mirakl.currency else currency or UNKNOWN_CURRENCY


def compared(mirakl: MiraklOrder, prices: Iterable[ShopPrice]) -> tuple[Compared, ...]:
    """Both prices of every living line on one footing; without the lines of which that cannot be known."""
    return tuple(one for _, one in _pairs(mirakl, prices) if one is not None)


def not_compared(
    mirakl: MiraklOrder, prices: Iterable[ShopPrice], tolerance: Decimal | None
) -> tuple[str, ...]:
    """One sentence where the shop's prices are in another currency, and one for each living line whose prices cannot be
    brought to one footing; none where prices are not compared at all (`tolerance` is None)."""
    if tolerance is None:
        return ()
    here, there = ("without", "with") if mirakl.tax_mode == "TAX_INCLUDED" else ("with", "without")
    prices = tuple(prices)
    abroad = in_other_currencies(mirakl, (price.currency for price in prices), tolerance)
    return abroad + tuple(
        f"The price of {line.sku} is not compared: the marketplace shows it {there} taxes, the shop {here}, and the order "
        "does not tell how much they are."
        for line, one in _pairs(mirakl, prices)
        if one is None
    )


def in_other_currencies(
    mirakl: MiraklOrder, currencies: Iterable[str], tolerance: Decimal | None
) -> tuple[str, ...]:
    """The sentence that says so where prices of the shop are in these `currencies`, of which an empty one is the order's; none
    where prices are not compared at all."""
    others = sorted({currency for currency in currencies if currency not in ("", mirakl.currency)})
    if tolerance is None or not others:
        return ()
    shops = " and ".join(others)
    return (f"The prices are not compared: the shop's are in {shops}, the order's in {mirakl.currency}.",)


def discrepancies(
    mirakl: MiraklOrder, prices: Iterable[ShopPrice], tolerance: Decimal | None
) -> tuple[Compared, ...]:
    """The living lines whose prices are further apart than `tolerance` per cent of the shop's price; none where that is
    None. A shop price of zero has no per cent: then every other price counts as apart. A price that had to be converted
    may be off by one smallest unit of the currency, which is rounding and never counts."""
    if tolerance is None:
        return ()
    step = smallest_unit(mirakl.currency)
    return tuple(
        one
        for one in compared(mirakl, prices)
        if one.apart * 100 > tolerance * one.here and not (one.converted and one.apart <= step)
    )


def in_words(found: Iterable[Compared], currency: str) -> str:
    """Both figures of every line and on which footing they are, in one sentence each."""
    return " ".join(
        f"The marketplace sold {one.sku} at {Money(one.there, currency)} a unit; the shop asks "
        f"{Money(one.here, currency)}, {_footing(one, currency)}."
        for one in found
    )


def as_facts(found: Iterable[Compared], currency: str) -> tuple[tuple[str, str], ...]:
    """Both figures of every line, and on which footing they are, as facts of a case."""
    return tuple(
        fact
        for one in found
        for fact in (
            (f"{one.sku}: marketplace", str(Money(one.there, currency))),
            (f"{one.sku}: shop", str(Money(one.here, currency))),
            (f"{one.sku}: compared", _footing(one, currency)),
        )
    )


def subject_of(found: Iterable[Compared]) -> str:
    """The same figures are one question; other figures ask anew."""
    return ",".join(f"{one.line_id}={one.there}/{one.here}" for one in found)


def _footing(one: Compared, currency: str) -> str:
    taxes, others = ("with taxes", "without them") if one.with_taxes else ("without taxes", "with them")
    shown = f" (in the shop it is {Money(one.asked, currency)} {others})" if one.converted else ""
    return f"both {taxes}{shown}"


def _pairs(
    mirakl: MiraklOrder, prices: Iterable[ShopPrice]
) -> tuple[tuple[MiraklLine, Compared | None], ...]:
    known = {price.line_id: price for price in prices if not price.currency}
    return tuple(
        (line, _pair(mirakl, line, known[line.id]))
        for line in mirakl.lines
        if line.state not in DEAD and line.id in known
    )


def _pair(mirakl: MiraklOrder, line: MiraklLine, price: ShopPrice) -> Compared | None:
    with_taxes = mirakl.tax_mode == "TAX_INCLUDED"
    converted = price.taxes_included != with_taxes
    here = price.amount
    if converted:
        taxes = _taxes_per_net(line, with_taxes)
        if taxes is None:
            return None
        here = rounded(here * (1 + taxes) if with_taxes else here / (1 + taxes), mirakl.currency)
    return Compared(
        line.id, line.sku, line.quantity, line.price_unit, here, price.amount, with_taxes, converted
    )


def _taxes_per_net(line: MiraklLine, with_taxes: bool) -> Decimal | None:
    """All taxes of the line as a share of its price without them: 0.2 for 20 %. None where the line does not tell.

    The rates count where every tax has one; amounts are rounded. Otherwise the amounts do, but not once something was
    cancelled: a tax may stay whole while its price shrinks (`tax_calculation_rule` NONE, OR30). A line without any tax
    entry may be free of tax or on a marketplace that does not itemise taxes: nobody can tell.
    """
    rates = [tax.rate for tax in line.taxes if tax.rate is not None]
    if not line.taxes:
        return None
    if len(rates) == len(line.taxes):
        return sum(rates, Decimal(0)) / 100
    if line.cancelations:
        return None
    taxes = sum_of(line.taxes)
    net = line.price - taxes if with_taxes else line.price
    return taxes / net if net > 0 else None
