"""What the shop showed of its stock."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ShownLevel:
    """Units of one item at one location (InventoryLevel `available`). `active` is false where the location is closed or
    does not stock the item any more: its units cannot be sold."""

    location_id: str
    available: int
    active: bool


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
    """Which items changed at one location since a moment. `active` is false for a location that is closed."""

    name: str
    active: bool
    item_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportShown:
    """What STO02 says of a stock file: `status` is the marketplace's word (WAITING, RUNNING, COMPLETE, FAILED), the counts
    are of lines, None where it does not say."""

    status: str
    taken: int | None
    refused: int | None
    has_report: bool
