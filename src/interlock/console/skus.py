"""The SKU map of a connection beside what the marketplace offers and the shop sells: what is linked, what is not, and what
a SKU could mean."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import Connection, select

from interlock.access.roles import sees
from interlock.cases.store import cases
from interlock.console import desk
from interlock.console.bundles import made_of, replay_bundles, told
from interlock.console.carriers import changes_since
from interlock.console.export import csv_text
from interlock.engine.offers import relink, sides_of
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, all_connections, note_map_changes
from interlock.imports.store import map_skus, sku_map, sku_mappings, unmap_sku
from interlock.offers.decide import without_offer
from interlock.offers.matching import Linked, Offered, Unlinked, Variant
from interlock.offers.store import (
    bundles,
    keep_bundles,
    known_offers,
    known_variants,
    offer_read,
    variants_read,
)
from interlock.offers.suggest import EarlierChoice, SkuSuggestion, shop_of, suggest
from interlock.orders.reasons import Reason
from interlock.shipping.history import as_it_was

LineState = Literal["linked", "bundle", "without product", "ambiguous", "inactive", "deleted", "not offered"]
SETTLED_AT_ONCE = 30
"""So many SKUs without a product are shown with suggestions; all of them are in the file."""
COMPARED_COLUMNS = (
    "connection",
    "offer sku",
    "state",
    "shop sku",
    "units",
    "product",
    "quantity",
    "offer price",
    "shop price",
    "currency",
    "price differs",
)


def roll_back_skus(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    to: datetime,
    who: str,
    why: str,
    now: datetime,
) -> desk.Mapped:
    """Make the SKU map and the bundles what they were at the moment `to`, all of it or nothing, in somebody's name and
    with a reason. The changes since then stay in the history, and so does this one. Orders that exist keep their lines.
    Raises MapRefused."""
    desk.check_roll_back(to, who, why, now)
    before = sku_map(c, connection.id)
    wanted = as_it_was(before, changes_since(c, connection.id, "skus", to))
    sets = {sku: told(parts) for sku, parts in bundles(c, connection.id).items()}
    sets_wanted = as_it_was(sets, changes_since(c, connection.id, "bundles", to))
    if wanted == before and sets_wanted == sets:
        raise desk.MapRefused("The SKU map is as it was at that moment. Nothing was changed.", field="to")
    other_sets = sorted(sku for sku in {*sets, *sets_wanted} if sets.get(sku, "") != sets_wanted.get(sku, ""))
    restored = {sku: made_of(sets_wanted.get(sku, "")) for sku in other_sets}
    keep_bundles(c, connection.id, restored, who.strip(), now)
    note_map_changes(c, connection.id, "bundles", sets, sets_wanted, who.strip(), why.strip(), now)
    changed = {mirakl: shop for mirakl, shop in wanted.items() if before.get(mirakl) != shop}
    dropped = [mirakl for mirakl in before if mirakl not in wanted]
    for mirakl in dropped:
        unmap_sku(c, connection.id, mirakl)
    map_skus(c, connection.id, changed, who.strip(), now)
    note_map_changes(c, connection.id, "skus", before, wanted, who.strip(), why.strip(), now)
    relink(c, connection, now)
    unlocked, replay_id, left_out = desk.replay_skus(
        c, queue, connection.id, tuple(changed.items()), who, now
    )
    more, later_id = replay_bundles(c, queue, connection.id, other_sets, who, now)
    gone = len(dropped) + sum(1 for sku in other_sets if sku not in sets_wanted)
    kept = len(changed) + sum(1 for sku in other_sets if sku in sets_wanted)
    return desk.Mapped(kept, unlocked + more, gone, replay_id or later_id, left_out)


# -- suggestions -------------------------------------------------------------------------------------------


def earlier_sku_choices(
    c: Connection, connection_id: int, own: frozenset[int] | None = None
) -> tuple[EarlierChoice, ...]:
    """What a marketplace SKU was mapped to in the other connections; with `own`, in those with these row numbers."""
    names = {row.id: row.name for row in all_connections(c)}
    rows = c.execute(
        select(sku_mappings.c.connection_id, sku_mappings.c.mirakl_sku, sku_mappings.c.shop_sku)
        .where(sku_mappings.c.connection_id != connection_id)
        .order_by(sku_mappings.c.connection_id, sku_mappings.c.mirakl_sku)
    )
    return tuple(
        EarlierChoice(row.mirakl_sku, row.shop_sku, names[row.connection_id])
        for row in rows
        if sees(own, row.connection_id)
    )


def suggestions(
    c: Connection,
    row: ConnectionRow,
    skus: Collection[str],
    limit: int = 5,
    variants: Sequence[Variant] | None = None,
    own: frozenset[int] | None = None,
) -> dict[str, tuple[SkuSuggestion, ...]]:
    """What each marketplace SKU could mean in the shop, by what its offer shows; empty until the shop was read.
    Choices of other connections than `own` are left out."""
    if not skus:
        return {}
    shop = shop_of(known_variants(c, row.shopify_shop) if variants is None else variants)
    offered = {offer.sku: offer for offer in known_offers(c, row.id, skus)}
    earlier = earlier_sku_choices(c, row.id, own)
    found = {}
    for sku in skus:
        offer = offered.get(sku)
        found[sku] = suggest(
            sku,
            shop,
            title="" if offer is None else offer.title,
            product_ids=() if offer is None else offer.product_ids,
            earlier=earlier,
            limit=limit,
        )
    return found


# -- both sides --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SkuToSettle:
    """A marketplace SKU that leads to no product, or to several: how many orders wait for it, and what it could mean."""

    sku: str
    why: str
    orders: int
    suggested: tuple[SkuSuggestion, ...]


@dataclass(frozen=True, slots=True)
class OfferState:
    """How the offers of a connection and the products of its shop stand to each other. `offers` counts those that are not
    deleted, `linked` those a product stands behind; the moments are when each side was asked for, None for never."""

    offers: int
    linked: int
    bundles: int
    without_product: int
    ambiguous: int
    products: int
    without_offer: int
    offers_at: datetime | None
    products_at: datetime | None
    to_settle: tuple[SkuToSettle, ...] = ()
    told: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedSku:
    """One line of the comparison. `state` is linked, bundle, without product, ambiguous, inactive, deleted or not offered;
    `shop_sku` is the product behind the offer, of a bundle one line each with its units."""

    connection: str
    offer_sku: str
    state: LineState
    shop_sku: str
    units: int
    product: str
    quantity: int | None
    offer_price: Decimal | None
    shop_price: Decimal | None
    currency: str
    price_differs: bool


def offer_state(
    c: Connection,
    row: ConnectionRow,
    subject: str = "",
    now: datetime | None = None,
    own: frozenset[int] | None = None,
) -> OfferState:
    """How both sides of a connection stand to each other, and the SKUs a person has to settle: those orders wait for
    first, `subject` before all. What was chosen elsewhere is shown of the connections `own`, or of any."""
    read, shop_read = offer_read(c, row.id), variants_read(c, row.shopify_shop)
    waiting = waiting_skus(c, row.id)
    sides = sides_of(c, row, now or row.created_at)
    unlinked = [one for one in sides.matches if isinstance(one, Unlinked)]
    linked = [one for one in sides.matches if isinstance(one, Linked)]
    active = {offer.sku for offer in sides.offers if offer.active}
    settle = dict.fromkeys(
        (
            *((subject,) if subject and (subject in waiting or subject not in sku_map(c, row.id)) else ()),
            *sorted(waiting, key=lambda sku: (-waiting[sku], sku)),
            *(one.offer_sku for one in unlinked if one.offer_sku in active),
        )
    )
    why = {one.offer_sku: _why(one) for one in unlinked}
    first = list(settle)[:SETTLED_AT_ONCE]
    found = suggestions(c, row, first, 3, sides.variants, own)
    sold = [one for one in sides.variants if one.sku and not one.gone and not one.archived]
    return OfferState(
        offers=len(sides.matches),
        linked=len(linked),
        bundles=sum(1 for one in linked if one.how == "bundle"),
        without_product=sum(1 for one in unlinked if one.matches == 0),
        ambiguous=sum(1 for one in unlinked if one.matches > 1),
        products=len(sold),
        without_offer=len(without_offer(sides.variants, sides.matches)),
        offers_at=read.read_at,
        products_at=None if shop_read is None else shop_read[0],
        to_settle=tuple(
            SkuToSettle(sku, why.get(sku, "an order waits for it"), waiting.get(sku, 0), found.get(sku, ()))
            for sku in first
        ),
        told=tuple((sku, told(parts)) for sku, parts in bundles(c, row.id).items()),
    )


def waiting_skus(c: Connection, connection_id: int) -> dict[str, int]:
    """The SKUs that orders wait for, unknown or ambiguous, with how many orders."""
    rows = c.execute(
        select(cases.c.subject).where(
            cases.c.connection_id == connection_id,
            cases.c.reason.in_([Reason.SKU_UNKNOWN.value, Reason.SKU_AMBIGUOUS.value]),
            cases.c.closed_at.is_(None),
            cases.c.order_id.is_not(None),
        )
    ).scalars()
    found: dict[str, int] = {}
    for sku in rows:
        found[sku] = found.get(sku, 0) + 1
    return found


def compared(c: Connection, row: ConnectionRow, now: datetime) -> list[ComparedSku]:
    """Both sides of a connection line by line: every offer with the products behind it, then the products without an
    offer."""
    sides = sides_of(c, row, now)
    shop_read = variants_read(c, row.shopify_shop)
    currency = "" if shop_read is None else shop_read[1]
    lines: list[ComparedSku] = []
    matched = {one.offer_sku: one for one in sides.matches}
    for offer in sides.offers:
        one = matched.get(offer.sku)
        if isinstance(one, Linked):
            for variant, units in one.components:
                whole = len(one.components) == 1 and units == 1
                lines.append(_line(row, offer, "linked" if whole else "bundle", variant, units, currency))
        else:
            lines.append(_line(row, offer, _state(offer, one), None, 0, currency, one))
    for variant in without_offer(sides.variants, sides.matches):
        lines.append(
            ComparedSku(
                row.name,
                "",
                "not offered",
                variant.sku,
                0,
                variant.title,
                None,
                None,
                variant.price,
                currency,
                False,
            )
        )
    return lines


def _line(
    row: ConnectionRow,
    offer: Offered,
    state: LineState,
    variant: Variant | None,
    units: int,
    currency: str,
    unlinked: Unlinked | None = None,
) -> ComparedSku:
    price = None if variant is None else variant.price
    comparable = state == "linked" and offer.currency == currency and None not in (offer.price, price)
    return ComparedSku(
        row.name,
        offer.sku,
        state if not (state == "linked" and not offer.active) else "inactive",
        (unlinked.shop_sku if unlinked is not None else "") if variant is None else variant.sku,
        units,
        offer.title if variant is None else variant.title,
        offer.quantity,
        offer.price,
        price,
        offer.currency,
        comparable and offer.price != price,
    )


def _state(offer: Offered, one: Unlinked | None) -> LineState:
    if offer.deleted or one is None:
        return "deleted"
    return "ambiguous" if one.matches > 1 else "without product"


def _why(one: Unlinked) -> str:
    if one.matches > 1:
        return f"{one.matches} products carry {one.shop_sku}"
    if one.gone:
        return f"the shop has {one.shop_sku} no more"
    return f"no product carries {one.shop_sku}"


def compared_rows(lines: Sequence[ComparedSku]) -> list[tuple[str, ...]]:
    """The comparison as a file has it."""
    return [
        (
            one.connection,
            one.offer_sku,
            one.state,
            one.shop_sku,
            str(one.units or ""),
            one.product,
            "" if one.quantity is None else str(one.quantity),
            "" if one.offer_price is None else str(one.offer_price),
            "" if one.shop_price is None else str(one.shop_price),
            one.currency,
            "yes" if one.price_differs else "",
        )
        for one in lines
    ]


def skus_as_file(c: Connection, connection_id: int) -> str:
    """A SKU map as the CSV file that `interlock skus import` takes."""
    return csv_text([("mirakl_sku", "shop_sku"), *sku_map(c, connection_id).items()])
