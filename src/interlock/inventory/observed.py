"""What the shop showed of its stock, and which of it may be sold."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """Units of one item at one location (InventoryLevel `available`). `active` is false where the location is closed or
    does not stock the item any more: its units cannot be sold. `online` is whether the location fulfils online orders
    (Location `fulfillsOnlineOrders`)."""

    location_id: str
    available: int
    active: bool
    online: bool = True


def is_offered(location_id: str, online: bool, named: Collection[str]) -> bool:
    """Whether a connection sells what lies at a location: at those it names (`named`), or, where it names none, at every one
    that fulfils online orders. The one rule for the figure that is offered and for the check before an order is created,
    so that nothing is offered which the import then misses. Levels that are not active never count."""
    return location_id in named if named else online


def available_at(levels: Iterable[ShownLevel], named: Collection[str]) -> int:
    """Units of one item that a connection with these locations may sell."""
    return sum(
        level.available
        for level in levels
        if level.active and is_offered(level.location_id, level.online, named)
    )


@dataclass(frozen=True, slots=True)
class ShownItem:
    """One InventoryItem with its levels at every location. `variant_id` is empty where the read did not show it; `sku` as
    the shop writes it, which need not be unique."""

    item_id: str
    variant_id: str
    sku: str
    tracked: bool
    levels: tuple[ShownLevel, ...]


@dataclass(frozen=True, slots=True)
class ChangedAt:
    """Which items changed at one location since a moment. `active` is false for a location that is closed, `online` for
    one that fulfils no online orders."""

    name: str
    active: bool
    item_ids: tuple[str, ...]
    online: bool = True


@dataclass(frozen=True, slots=True)
class ImportShown:
    """What STO02 says of a stock file: `status` is the marketplace's word (WAITING, RUNNING, COMPLETE, FAILED), the counts
    are of lines, None where it does not say."""

    status: str
    taken: int | None
    refused: int | None
    has_report: bool
