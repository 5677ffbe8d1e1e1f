"""Which variant of the shop stands behind an offer: by a person's word, or by exactly the same SKU, never by likeness."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

How = Literal["sku", "table", "bundle"]


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer as the marketplace shows it (OF54 `shop_sku`, `offer_id`, `prices`, `quantity`, `active`, `deleted`).
    `price` in `currency`, None where none is shown; `product_ids` are the codes the marketplace has for its product."""

    offer_id: int
    sku: str
    quantity: int = 0
    price: Decimal | None = None
    currency: str = ""
    active: bool = True
    deleted: bool = False
    title: str = ""
    product_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of the shop (ProductVariant). `retired` when its product is archived, or it is in the shop no more."""

    id: str
    sku: str
    item_id: str = ""
    barcode: str = ""
    title: str = ""
    price: Decimal | None = None
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Component:
    """So many units of one shop SKU are in one unit of an offer."""

    shop_sku: str
    units: int = 1


@dataclass(frozen=True, slots=True)
class Linked:
    """What one unit of an offer takes from the shop: (variant, units), each variant once; `how` says what decided it."""

    offer_sku: str
    components: tuple[tuple[Variant, int], ...]
    how: How


@dataclass(frozen=True, slots=True)
class Unlinked:
    """An offer nothing stands behind for sure. `shop_sku` is the SKU that was looked for, `matches` how many variants for
    sale carry it (0 or several), `retired` how many carry it that are for sale no more."""

    offer_sku: str
    shop_sku: str
    matches: int
    retired: int = 0
    how: How = "sku"


Match = Linked | Unlinked


def match(
    offers: Iterable[Offered],
    variants: Iterable[Variant],
    table: Mapping[str, str],
    bundles: Mapping[str, tuple[Component, ...]],
) -> tuple[Match, ...]:
    """What stands behind each offer, in the order given. `table` gives a shop SKU by marketplace SKU, `bundles` the
    components of an offer that is made of several units; a bundle goes before the table, the table before the SKU itself.

    A SKU is taken to the letter, case and leading zeros included, as the import takes it.
    """
    carriers: dict[str, list[Variant]] = {}
    for variant in variants:
        if variant.sku:
            carriers.setdefault(variant.sku, []).append(variant)
    return tuple(_match(offer.sku, carriers, table, bundles) for offer in offers)


def _match(
    sku: str,
    carriers: Mapping[str, list[Variant]],
    table: Mapping[str, str],
    bundles: Mapping[str, tuple[Component, ...]],
) -> Match:
    if sku in bundles:
        how: How = "bundle"
        wanted = bundles[sku]
    elif sku in table:
        how = "table"
        wanted = (Component(table[sku]),)
    else:
        how = "sku"
        wanted = (Component(sku),)
    found: dict[str, tuple[Variant, int]] = {}
    for component in wanted:
        known = carriers.get(component.shop_sku, [])
        for_sale = [variant for variant in known if not variant.retired]
        if len(for_sale) != 1:
            return Unlinked(sku, component.shop_sku, len(for_sale), len(known) - len(for_sale), how)
        (variant,) = for_sale
        units = found[variant.id][1] if variant.id in found else 0
        found[variant.id] = (variant, units + component.units)
    return Linked(sku, tuple(found.values()), how)
