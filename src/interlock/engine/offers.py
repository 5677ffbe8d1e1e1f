"""Keeping the offer map of a connection: what its offers and the shop's variants show, made one, and the cases about it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select

from interlock.cases.store import close_connection_cases, open_connection_case
from interlock.engine.capabilities import open_subjects
from interlock.engine.stock_shown import stock_shown
from interlock.engine.store import ConnectionRow, all_connections
from interlock.imports.store import sku_map
from interlock.inventory.files import usable_sku
from interlock.inventory.store import sold_orders, stock_figures, stock_hint, stock_items
from interlock.offers.decide import DELETED_FOR, REASONS, Deleted, Sides, findings
from interlock.offers.matching import Offered, Unlinked, Variant, match
from interlock.offers.reading import OfferRead
from interlock.offers.store import (
    bundles,
    deleted_offers,
    keep_links,
    keep_offer_read,
    keep_offers,
    keep_variants,
    keep_variants_read,
    known_offers,
    known_variants,
    links,
    not_looked_at,
    offer_read,
    shop_variants,
    unseen_are_deleted,
    unseen_are_gone,
    variants_read,
)

VARIANTS_EVERY = timedelta(hours=24)
LOOKED_AT_FOR = timedelta(days=7)
LOOKS_AT_ONCE = 20


def sides_of(c: Connection, row: ConnectionRow, now: datetime) -> Sides:
    """Both sides of a connection as they were last read, and what stands behind each offer by what people said."""
    offers = known_offers(c, row.id)
    variants = known_variants(c, row.shopify_shop)
    offered = [offer for offer in offers if not offer.deleted]
    matches = match(offered, variants, sku_map(c, row.id), bundles(c, row.id))
    deleted = tuple(Deleted(sku, at) for sku, at in deleted_offers(c, row.id, now - DELETED_FOR))
    unusable = frozenset(offer.sku for offer in offered if not usable_sku(offer.sku))
    return Sides(
        row.name,
        offers,
        variants,
        matches,
        deleted,
        _held(c, row),
        unusable if row.rules.publish_stock else frozenset(),
    )


def _held(c: Connection, row: ConnectionRow) -> frozenset[str]:
    """Offers whose figure is a zero of ours; none while every offer shows nothing for another reason."""
    if not row.rules.publish_stock or row.rules.stock_zeroed:
        return frozenset()
    return frozenset(
        c.execute(
            select(stock_figures.c.sku).where(
                stock_figures.c.connection_id == row.id,
                stock_figures.c.target == 0,
                stock_figures.c.published.is_not(None),
            )
        ).scalars()
    )


def relink(c: Connection, row: ConnectionRow, now: datetime) -> int:
    """Bring the offer map and its cases up to what is known now; returns how many rows of the map changed. Until both
    sides were read whole there is no case: what was not read yet is not missing."""
    sides = sides_of(c, row, now)
    changed = keep_links(c, row.id, sides.matches, now)
    if changed:
        _read_again(c, row, now)
    if offer_read(c, row.id).read_whole_at is not None and variants_read(c, row.shopify_shop) is not None:
        check_offers(c, row.id, sides, now)
    return changed


def _read_again(c: Connection, row: ConnectionRow, now: datetime) -> None:
    """Have the stock read again behind each offer that leads somewhere since now and that living orders name: while it led
    nowhere their claims hinted nothing, and units that were claimed count until a later level is seen."""
    sold = {sku for one in sold_orders(c, [row.id]).values() for sku, _ in one.units}
    found = links(c, row.id, offer_skus=sold) if sold else ()
    stock_hint(c, row.shopify_shop, [link.item_id for link in found if link.linked_at == now], now)


def to_look_closer(c: Connection, row: ConnectionRow, now: datetime) -> tuple[str, ...]:
    """The SKUs of a few offers that can be bought and lead to no product, whose references were not read for a week. None
    until the shop was read: what was not read yet is not missing."""
    if variants_read(c, row.shopify_shop) is None:
        return ()
    sides = sides_of(c, row, now)
    active = {offer.sku for offer in sides.offers if offer.active and not offer.deleted}
    unknown = [one.offer_sku for one in sides.matches if isinstance(one, Unlinked) and not one.matches]
    wanted = [sku for sku in unknown if sku in active]
    return not_looked_at(c, row.id, wanted, now - LOOKED_AT_FOR, LOOKS_AT_ONCE) if wanted else ()


def check_offers(c: Connection, connection_id: int, sides: Sides, now: datetime) -> None:
    """One case of the connection for each finding; those put right are closed."""
    found = {(one.reason.value, one.subject): one for one in findings(sides, now)}
    for reason in REASONS:
        for subject in open_subjects(c, connection_id, reason):
            if (reason.value, subject) not in found:
                because = "Offers and products were compared again, and it is put right."
                close_connection_cases(c, connection_id, reason, subject, now, because)
    for one in found.values():
        open_connection_case(c, connection_id, one.reason, one.subject, one.sentence, now)


def keep_export(
    c: Connection, row: ConnectionRow, read: OfferRead, offers: Collection[Offered], now: datetime
) -> None:
    """Write what an export listed that was read `now`, and bring map and cases up to it. `read` says when it was asked for, and whether it was
    of all offers: what such a one does not list is not offered any more."""
    asked_at = read.asked_at or now
    keep_offers(c, row.id, list(offers), asked_at)
    values: dict[str, Any] = {
        "tracking_id": "",
        "last_tracking_id": read.tracking_id,
        "read_at": asked_at,
        "not_before": None,
    }
    if read.whole:
        unseen_are_deleted(c, row.id, asked_at)
        values["read_whole_at"] = asked_at
        values["whole_not_before"] = None
    keep_offer_read(c, row.id, **values)
    shown = {offer.sku: offer.quantity for offer in offers if offer.quantity_known and not offer.deleted}
    stock_shown(c, row, shown, asked_at, now)
    relink(c, row, now)


def keep_all_variants(
    c: Connection, shop: str, variants: Collection[Variant], currency: str, asked_at: datetime, now: datetime
) -> None:
    """Write every variant a walk over the shop showed; what it did not show is gone. The offer map of each connection of
    the shop follows, and the stock behind a variant that has another SKU now is read again: a new name moves no level."""
    keep_variants(c, shop, list(variants), asked_at)
    unseen_are_gone(c, shop, asked_at)
    stock_hint(c, shop, _renamed(c, shop), now)
    keep_variants_read(c, shop, asked_at, currency)
    for row in all_connections(c):
        if row.shopify_shop == shop:
            relink(c, row, now)


def _renamed(c: Connection, shop: str) -> list[str]:
    """Items whose stock was read under another SKU than their variant has."""
    same = and_(
        shop_variants.c.shop == stock_items.c.shop, shop_variants.c.variant_id == stock_items.c.variant_id
    )
    query = (
        select(stock_items.c.item_id)
        .join(shop_variants, same)
        .where(
            stock_items.c.shop == shop,
            shop_variants.c.gone.is_(False),
            shop_variants.c.sku != stock_items.c.sku,
        )
        .order_by(stock_items.c.item_id)
    )
    return list(c.execute(query).scalars())
