"""Whether the marketplace sold at the shop's prices: the two unit prices of a line compared, in the order's currency."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from interlock.orders.memory import ShopPrice
from interlock.orders.money import Money
from interlock.orders.snapshots import DEAD, MiraklOrder, Offer


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """The marketplace sold a line at `there` a unit, the shop asks `here`. Both are what customers are shown, without
    taxes that come on top (Mirakl `price_unit`, ProductVariant.price)."""

    line_id: str
    sku: str
    there: Decimal
    here: Decimal


def shop_prices(mirakl: MiraklOrder, offers: Iterable[Offer]) -> tuple[ShopPrice, ...]:
    """What the shop asks for each line's SKU. A price in another currency than the order's cannot be compared."""
    known = {offer.sku: offer for offer in offers if offer.currency == mirakl.currency}
    return tuple(
        ShopPrice(line.id, offer.unit_price)
        for line in mirakl.lines
        if (offer := known.get(line.sku)) is not None and offer.unit_price is not None
    )


def discrepancies(
    mirakl: MiraklOrder, prices: Iterable[ShopPrice], tolerance: Decimal | None
) -> tuple[Discrepancy, ...]:
    """The living lines whose prices are further apart than `tolerance` per cent of the shop's price; none where that is
    None. A shop price of zero has no per cent: then every other price counts as apart."""
    here = {price.line_id: price.amount for price in prices}
    if tolerance is None:
        return ()
    return tuple(
        Discrepancy(line.id, line.sku, line.price_unit, here[line.id])
        for line in mirakl.lines
        if line.state not in DEAD
        and line.id in here
        and abs(line.price_unit - here[line.id]) * 100 > tolerance * here[line.id]
    )


def in_words(found: Iterable[Discrepancy], currency: str) -> str:
    """Both figures of every line, in one sentence each."""
    return " ".join(
        f"The marketplace sold {one.sku} at {Money(one.there, currency)} a unit; the shop asks {Money(one.here, currency)}."
        for one in found
    )


def as_facts(found: Iterable[Discrepancy], currency: str) -> tuple[tuple[str, str], ...]:
    """Both figures of every line as facts of a case."""
    return tuple(
        fact
        for one in found
        for fact in (
            (f"{one.sku}: marketplace", str(Money(one.there, currency))),
            (f"{one.sku}: shop", str(Money(one.here, currency))),
        )
    )


def subject_of(found: Iterable[Discrepancy]) -> str:
    """The same figures are one question; other figures ask anew."""
    return ",".join(f"{one.line_id}={one.there}/{one.here}" for one in found)
