"""Which variant of the shop stands behind an offer: by a person's word, or by exactly the same SKU, never by likeness."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

How = Literal["sku", "table", "bundle"]


@dataclass(frozen=True, slots=True)
class Offered:
    """An offer as the marketplace shows it (OF54 `shop_sku`, `offer_id`, `prices`, `quantity`, `active`, `deleted`).
    `price` in `currency`, None where none is shown; `product_ids` are the codes the marketplace has for its product. Where
    the quantity it shows is none, `quantity` is 0 and `quantity_known` false."""

    offer_id: int
    sku: str
    quantity: int = 0
    price: Decimal | None = None
    currency: str = ""
    active: bool = True
    deleted: bool = False
    title: str = ""
    product_ids: tuple[str, ...] = ()
    quantity_known: bool = True


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant of the shop (ProductVariant). `archived` when its product is (Product.status ARCHIVED), `gone` when the
    shop has it no more. `bundle` when Shopify takes its components from stock (requiresComponents)."""

    id: str
    sku: str
    item_id: str = ""
    barcode: str = ""
    title: str = ""
    price: Decimal | None = None
    archived: bool = False
    gone: bool = False
    bundle: bool = False


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
    """An offer nothing stands behind for sure. `shop_sku` is the SKU that was looked for, `matches` how many variants
    carry it (0 or several), `gone` how many carried it that the shop has no more."""

    offer_sku: str
    shop_sku: str
    matches: int
    gone: int = 0
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

    A SKU is taken to the letter, case and leading zeros included, as the import takes it. An archived product does not
    make a SKU ambiguous that another one carries, and is what is meant where none does.
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
        there = [variant for variant in known if not variant.gone]
        meant = [variant for variant in there if not variant.archived] or there
        if len(meant) != 1:
            return Unlinked(sku, component.shop_sku, len(meant), len(known) - len(there), how)
        (variant,) = meant
        units = found[variant.id][1] if variant.id in found else 0
        found[variant.id] = (variant, units + component.units)
    return Linked(sku, tuple(found.values()), how)
