"""How many units an offer may show: one pure function, and the reasoning behind it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

ABSURD = 1_000_000
"""No shop has so many units of one thing at its locations: a figure above is taken for a mistake."""

Caution = Literal[
    "orders_stale",
    "levels_stale",
    "never_read",
    "item_waits",
    "absurd",
    "two_variants",
    "location_gone",
    "item_gone",
]
"""Why an input is not believed where it would raise the figure. Stored; never renamed."""

WHY_CAUTIOUS: dict[Caution, str] = {
    "orders_stale": "the marketplace's orders have not been read for a while, so units may have been sold that are not "
    "known here",
    "levels_stale": "the shop's stock has not been read for a while",
    "never_read": "the shop has not shown the stock of this item yet",
    "item_waits": "the shop said that the stock of this item changed, and it could not be read since",
    "absurd": "the shop shows a stock that nobody can have",
    "two_variants": "two variants of the shop carry this SKU and the smaller stock is taken",
    "item_gone": "no product of the shop carries this SKU any more",
    "location_gone": "a location of this connection is gone or closed, and its units are not counted",
}
WITH_CARE = "With care: "
"""How the sentence begins that names an input which is not believed."""
STOPS_RAISES: frozenset[Caution] = frozenset(
    {"orders_stale", "levels_stale", "never_read", "item_waits", "absurd"}
)
"""Those that leave the true figure open. The others are counted already in what is computed."""


@dataclass(frozen=True, slots=True)
class Stock:
    """What the shop shows of one variant at one location, in units; Shopify's `available`, which may be negative."""

    location_id: str
    available: int


@dataclass(frozen=True, slots=True)
class Part:
    """One article that an offer consists of, `per_unit` times for each unit of the offer.

    `variants` holds the stocks of every variant that carries its SKU: one, or several where the SKU is ambiguous.
    `unclaimed` are the units of the article that marketplace orders have sold and Shopify has not confirmed a claim for.
    An article that the shop does not count (`tracked` is false) never limits an offer; one that it has no more (`gone`)
    leaves nothing of it. One whose stock is said to have changed and was not read since (`waits`) raises nothing.
    """

    sku: str
    per_unit: int
    variants: tuple[tuple[Stock, ...], ...]
    unclaimed: int = 0
    tracked: bool = True
    gone: bool = False
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """How many units the offer may show; None while nothing can be said and nothing is published. `because` are the
    reasons in sentences, `available` what the shop has at the connection's locations, in units of the offer."""

    quantity: int | None
    available: int | None
    unclaimed: int
    buffer: int
    because: tuple[str, ...]


def to_offer(
    parts: tuple[Part, ...],
    buffer: int,
    cautions: tuple[Caution, ...],
    shown: int | None,
    read_at: datetime | None = None,
) -> Target:
    """The figure an offer may show.

    To offer = Shopify's `available` at the connection's locations
             - units of marketplace orders without a confirmed claim in Shopify
             - the safety buffer, and never below zero.

    - `available` is what can still be sold: what the shop's own orders and ours have claimed is off it already, so
      subtracting those again would count them twice. It may be negative at a location that was oversold; it is summed as
      it is, because the parcels owed there are filled from the others.
    - A marketplace order is known here before Shopify claims stock for it: while it is STAGING, while its creation is
      under way, and while the outcome of its creation is unclear. It is known after Shopify gave the stock back, while its
      Shopify order is cancelled and nothing has taken its place; and a custom line never claims any. Its units are sold whatever Shopify shows, on every
      marketplace that sells the same stock, so each such order lowers the figure of all of them. Once Shopify has
      confirmed the claim, and the level was read after that, `available` says it and the order counts no more: each unit
      is claimed exactly once.
    - An edit, a replacement or a cancelation needs no rule of its own: Shopify moves `available`, the level is read again.
    - A bundle can be sold as often as its scarcest article allows: the smallest quotient over its articles, rounded down.
    - The buffer is in units of the offer and comes off last. It covers what nobody can prevent: a sale in the shop or on
      another marketplace in the seconds before the next file arrives.
    - Where an input is stale or contradicts another one, the lower figure goes: a figure may then fall below what is
      `shown` at the marketplace but not rise above it, and where nothing is known of it only nothing itself, a zero, is published.

    `shown` is what the marketplace shows as far as it is known, `read_at` when the shop's stock was last read, which is
    said where that is long ago. The same arguments always give the same answer.
    """
    because: list[str] = []
    limits: list[tuple[int, int, int]] = []
    found: list[Caution] = list(cautions)
    for part in parts:
        if part.gone:
            found.append("item_gone")
            limits.append((0, 0, -(-part.unclaimed // part.per_unit)))
            continue
        if not part.tracked:
            because.append(
                f"The shop does not count the stock of {part.sku}, so it does not limit the offer."
            )
            continue
        if not part.variants:
            found.append("never_read")
            continue
        if part.waits:
            found.append("item_waits")
        if len(part.variants) > 1:
            found.append("two_variants")
        available = min(sum(stock.available for stock in stocks) for stocks in part.variants)
        if abs(available) > ABSURD:
            found.append("absurd")
        limits.append(
            (
                (available - part.unclaimed) // part.per_unit,
                available // part.per_unit,
                -(-part.unclaimed // part.per_unit),
            )
        )
    found = list(dict.fromkeys(found))
    because += [f"{WITH_CARE}{_why(caution, read_at)}." for caution in found]
    if not limits:
        if not found:
            because.append("No article of the offer has a counted stock, so nothing is published for it.")
        return Target(None, None, 0, buffer, tuple(because))
    free, available, unclaimed = min(limits)
    quantity = max(free - buffer, 0)
    because.insert(0, _sum(available, unclaimed, buffer, quantity, len(parts) > 1))
    if STOPS_RAISES.isdisjoint(found):
        return Target(quantity, available, unclaimed, buffer, tuple(because))
    if shown is None and quantity:
        because.append(
            "The marketplace's figure is not known either, so nothing is published until it is clear."
        )
        return Target(None, available, unclaimed, buffer, tuple(because))
    if shown is not None and shown < quantity:
        because.append(f"The lower figure stays: {shown}, which the marketplace shows.")
        quantity = shown
    return Target(quantity, available, unclaimed, buffer, tuple(because))


def _why(caution: Caution, read_at: datetime | None) -> str:
    if caution != "levels_stale" or read_at is None:
        return WHY_CAUTIOUS[caution]
    return f"{WHY_CAUTIOUS[caution]}, last at {read_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _sum(available: int, unclaimed: int, buffer: int, quantity: int, bundle: bool) -> str:
    where = " of its scarcest article" if bundle else ""
    return (
        f"{quantity} to offer: {available} available{where} at the connection's locations, less {unclaimed} sold on "
        f"marketplaces and not claimed in Shopify yet, less {buffer} as safety buffer"
        f"{', never below zero' if available - unclaimed - buffer < 0 else ''}."
    )
