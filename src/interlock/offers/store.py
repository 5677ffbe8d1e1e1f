"""What was read of offers and variants, what an offer is made of, and the map between the two."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    Table,
    Text,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.offers.matching import Component, Linked, Match, Offered, Variant
from interlock.offers.reading import OfferRead
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

_ROWS_AT_ONCE = 2000

# What a marketplace last showed of each offer (OF54), also of deleted ones.
offers = Table(
    "offers",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("offer_id", BigInteger, primary_key=True),
    Column("sku", Text, nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("product_ids", ARRAY(Text), nullable=False, server_default="{}"),
    # the codes of its product that only a closer look shows (OF21), and when that was last had
    Column("product_references", ARRAY(Text), nullable=False, server_default="{}"),
    Column("looked_at", UtcDateTime),
    Column("quantity", Integer, nullable=False),
    Column("price", Numeric),
    Column("currency", Text, nullable=False, server_default=""),
    Column("active", Boolean, nullable=False),
    Column("deleted", Boolean, nullable=False),
    # when it was first seen to be deleted, of an offer that was known before
    Column("deleted_at", UtcDateTime),
    # when the marketplace was asked for what is written here
    Column("seen_at", UtcDateTime, nullable=False),
    Index("ix_offers_sku", "connection_id", "sku"),
)

# What a shop last showed of each variant, also of those that are gone.
shop_variants = Table(
    "shop_variants",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("variant_id", Text, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("barcode", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("price", Numeric),
    Column("archived", Boolean, nullable=False),
    Column("gone", Boolean, nullable=False),
    Column("bundle", Boolean, nullable=False, server_default="false"),
    Column("seen_at", UtcDateTime, nullable=False),
    Index("ix_shop_variants_sku", "shop", "sku"),
    Index("ix_shop_variants_variant", "variant_id"),
)

# What a person says one unit of an offer is made of.
bundle_components = Table(
    "bundle_components",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("mirakl_sku", Text, primary_key=True),
    Column("shop_sku", Text, primary_key=True),
    Column("units", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# Where the reading of a connection's offers is: the export that was asked for and is not read yet, and what was read.
offer_reads = Table(
    "offer_reads",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("tracking_id", Text, nullable=False, server_default=""),
    Column("asked_at", UtcDateTime),
    Column("whole", Boolean, nullable=False, server_default="false"),
    # what was read last: its tracking id, and when the marketplace was asked for it
    Column("last_tracking_id", Text, nullable=False, server_default=""),
    Column("read_at", UtcDateTime),
    Column("read_whole_at", UtcDateTime),
    # since when somebody waits for a younger read
    Column("wanted_at", UtcDateTime),
    Column("not_before", UtcDateTime),
    # the same for an export of all offers, which has a ceiling of its own
    Column("whole_not_before", UtcDateTime),
)

# When all variants of a shop were last read, and the shop's currency.
variant_reads = Table(
    "variant_reads",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("read_at", UtcDateTime, nullable=False),
    Column("currency", Text, nullable=False),
)

# The offer map: which variants stand behind which offer now, and how many units of each are in one unit of it.
offer_links = Table(
    "offer_links",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("offer_sku", Text, primary_key=True),
    Column("variant_id", Text, primary_key=True),
    Column("item_id", Text, nullable=False),
    Column("shop_sku", Text, nullable=False),
    Column("units", Integer, nullable=False),
    Column("how", Text, nullable=False),
    Column("linked_at", UtcDateTime, nullable=False),
    Index("ix_offer_links_variant", "variant_id"),
    Index("ix_offer_links_item", "item_id"),
)


@dataclass(frozen=True, slots=True)
class OfferLink:
    """One variant behind an offer: `units` of it are in one unit of the offer. An offer of several variants, or of
    several units of one, is a bundle; it can be sold as often as its scarcest component allows."""

    connection_id: int
    offer_sku: str
    variant_id: str
    item_id: str
    shop_sku: str
    units: int
    how: str
    linked_at: datetime


# -- what was read -----------------------------------------------------------------------------------------


_ADD_OFFER = upsert(offers)
_KEEP_OFFER = _ADD_OFFER.on_conflict_do_update(
    index_elements=["connection_id", "offer_id"],
    set_={
        **{
            name: _ADD_OFFER.excluded[name]
            for name in ("sku", "title", "quantity", "price", "currency", "active", "deleted", "seen_at")
        },
        # The export does not say all of these; what a closer look found stays.
        "product_ids": case(
            (func.cardinality(_ADD_OFFER.excluded.product_ids) > 0, _ADD_OFFER.excluded.product_ids),
            else_=offers.c.product_ids,
        ),
        "deleted_at": case(
            (_ADD_OFFER.excluded.deleted.is_(False), None),
            (offers.c.deleted.is_(False), _ADD_OFFER.excluded.seen_at),
            else_=offers.c.deleted_at,
        ),
    },
    where=offers.c.seen_at <= _ADD_OFFER.excluded.seen_at,
)
_ADD_VARIANT = upsert(shop_variants)
_KEEP_VARIANT = _ADD_VARIANT.on_conflict_do_update(
    index_elements=["shop", "variant_id"],
    set_={
        name: _ADD_VARIANT.excluded[name]
        for name in ("item_id", "sku", "barcode", "title", "price", "archived", "gone", "bundle", "seen_at")
    },
    where=shop_variants.c.seen_at <= _ADD_VARIANT.excluded.seen_at,
)


def keep_offers(c: Connection, connection_id: int, read: Sequence[Offered], asked_at: datetime) -> None:
    """Write what an export showed; `asked_at` is when it was asked for. What was read later stays."""
    latest = list({offer.offer_id: offer for offer in read}.values())
    for start in range(0, len(latest), _ROWS_AT_ONCE):
        c.execute(
            _KEEP_OFFER,
            [
                {
                    "connection_id": connection_id,
                    "offer_id": offer.offer_id,
                    "sku": offer.sku,
                    "title": offer.title,
                    "product_ids": list(offer.product_ids),
                    "quantity": offer.quantity,
                    "price": offer.price,
                    "currency": offer.currency,
                    "active": offer.active,
                    "deleted": offer.deleted,
                    "seen_at": asked_at,
                }
                for offer in latest[start : start + _ROWS_AT_ONCE]
            ],
        )


def unseen_are_deleted(c: Connection, connection_id: int, asked_at: datetime) -> int:
    """After a full export with inactive offers: what it did not show is not there any more. Returns how many."""
    done = c.execute(
        update(offers)
        .where(
            offers.c.connection_id == connection_id,
            offers.c.seen_at < asked_at,
            offers.c.deleted.is_(False),
        )
        .values(deleted=True, active=False, quantity=0, seen_at=asked_at, deleted_at=asked_at)
    )
    return int(done.rowcount)


def deleted_offers(c: Connection, connection_id: int, since: datetime) -> tuple[tuple[str, datetime], ...]:
    """The SKUs whose offer was seen to be deleted since then, and when."""
    rows = c.execute(
        select(offers.c.sku, func.max(offers.c.deleted_at).label("at"))
        .where(
            offers.c.connection_id == connection_id, offers.c.deleted.is_(True), offers.c.deleted_at >= since
        )
        .group_by(offers.c.sku)
        .order_by(offers.c.sku)
    )
    return tuple((row.sku, row.at) for row in rows)


def known_offers(
    c: Connection, connection_id: int, skus: Collection[str] | None = None
) -> tuple[Offered, ...]:
    """The offers of a connection, or those of some SKUs, by SKU; a deleted one only where no other has its SKU."""
    query = select(offers).where(offers.c.connection_id == connection_id)
    if skus is not None:
        query = query.where(offers.c.sku.in_(sorted(set(skus))))
    rows = c.execute(query.order_by(offers.c.sku, offers.c.deleted.desc(), offers.c.offer_id))
    latest: dict[str, Offered] = {}
    for row in rows:
        latest[row.sku] = Offered(
            row.offer_id,
            row.sku,
            row.quantity,
            row.price,
            row.currency,
            row.active,
            row.deleted,
            row.title,
            tuple(dict.fromkeys((*row.product_ids, *row.product_references))),
        )
    return tuple(latest.values())


def not_looked_at(
    c: Connection, connection_id: int, skus: Collection[str], before: datetime, limit: int
) -> tuple[str, ...]:
    """Of these SKUs of living offers, those without a closer look since then, the longest without one first."""
    rows = c.execute(
        select(offers.c.sku)
        .where(
            offers.c.connection_id == connection_id,
            offers.c.sku.in_(sorted(set(skus))),
            offers.c.deleted.is_(False),
            func.coalesce(offers.c.looked_at, datetime.min.replace(tzinfo=before.tzinfo)) < before,
        )
        .order_by(offers.c.looked_at.nulls_first(), offers.c.sku)
        .limit(limit)
    )
    return tuple(row.sku for row in rows)


def keep_references(
    c: Connection, connection_id: int, sku: str, references: Sequence[str], at: datetime
) -> None:
    """Write the codes that a closer look at an offer showed for its product."""
    c.execute(
        update(offers)
        .where(offers.c.connection_id == connection_id, offers.c.sku == sku)
        .values(product_references=list(references), looked_at=at)
    )


def keep_variants(c: Connection, shop: str, read: Sequence[Variant], asked_at: datetime) -> None:
    """Write what a walk over the shop's variants showed."""
    latest = list({one.id: one for one in read}.values())
    for start in range(0, len(latest), _ROWS_AT_ONCE):
        c.execute(
            _KEEP_VARIANT,
            [
                {
                    "shop": shop,
                    "variant_id": variant.id,
                    "item_id": variant.item_id,
                    "sku": variant.sku,
                    "barcode": variant.barcode,
                    "title": variant.title,
                    "price": variant.price,
                    "archived": variant.archived,
                    "gone": variant.gone,
                    "bundle": variant.bundle,
                    "seen_at": asked_at,
                }
                for variant in latest[start : start + _ROWS_AT_ONCE]
            ],
        )


def unseen_are_gone(c: Connection, shop: str, asked_at: datetime) -> int:
    """After a walk over all variants: what it did not show is not in the shop any more. Returns how many."""
    done = c.execute(
        update(shop_variants)
        .where(
            shop_variants.c.shop == shop,
            shop_variants.c.seen_at < asked_at,
            shop_variants.c.gone.is_(False),
        )
        .values(gone=True, seen_at=asked_at)
    )
    return int(done.rowcount)


def known_variants(c: Connection, shop: str) -> tuple[Variant, ...]:
    """Every variant of a shop that was ever read, by id."""
    rows = c.execute(
        select(shop_variants).where(shop_variants.c.shop == shop).order_by(shop_variants.c.variant_id)
    )
    return tuple(
        Variant(
            row.variant_id,
            row.sku,
            row.item_id,
            row.barcode,
            row.title,
            row.price,
            row.archived,
            row.gone,
            row.bundle,
        )
        for row in rows
    )


# -- what people say ---------------------------------------------------------------------------------------


def bundles(
    c: Connection, connection_id: int, skus: Collection[str] | None = None
) -> dict[str, tuple[Component, ...]]:
    """The components of every offer that a person said is made of several units, or of those among `skus`, by marketplace
    SKU."""
    query = (
        select(bundle_components.c.mirakl_sku, bundle_components.c.shop_sku, bundle_components.c.units)
        .where(bundle_components.c.connection_id == connection_id)
        .order_by(bundle_components.c.mirakl_sku, bundle_components.c.shop_sku)
    )
    if skus is not None:
        query = query.where(bundle_components.c.mirakl_sku.in_(skus))
    found: dict[str, tuple[Component, ...]] = {}
    for row in c.execute(query):
        found[row.mirakl_sku] = (*found.get(row.mirakl_sku, ()), Component(row.shop_sku, row.units))
    return found


def keep_bundle(
    c: Connection, connection_id: int, sku: str, components: Sequence[Component], who: str, at: datetime
) -> None:
    """Say what one unit of an offer is made of; replaces what was said before, and without components drops it."""
    keep_bundles(c, connection_id, {sku: components}, who, at)


def keep_bundles(
    c: Connection, connection_id: int, told: Mapping[str, Sequence[Component]], who: str, at: datetime
) -> None:
    """Say what one unit of each of these offers is made of, by marketplace SKU; replaces what was said of them before,
    and without components drops it. What is said of other offers stays."""
    skus = sorted(told)
    for start in range(0, len(skus), _ROWS_AT_ONCE):
        some = skus[start : start + _ROWS_AT_ONCE]
        c.execute(
            delete(bundle_components).where(
                bundle_components.c.connection_id == connection_id, bundle_components.c.mirakl_sku.in_(some)
            )
        )
        rows = [
            {
                "connection_id": connection_id,
                "mirakl_sku": sku,
                "shop_sku": one.shop_sku,
                "units": one.units,
                "changed_by": who,
                "changed_at": at,
            }
            for sku in some
            for one in told[sku]
        ]
        if rows:
            c.execute(insert(bundle_components), rows)


# -- the map -----------------------------------------------------------------------------------------------


def skus_gone(c: Connection, shop: str) -> frozenset[str]:
    """SKUs that variants of the shop had and none has any more."""
    other = shop_variants.alias("other")
    lives = exists().where(other.c.shop == shop, other.c.sku == shop_variants.c.sku, other.c.gone.is_(False))
    gone = (shop_variants.c.shop == shop, shop_variants.c.sku != "", shop_variants.c.gone)
    return frozenset(c.execute(select(shop_variants.c.sku).where(*gone, ~lives)).scalars())


def keep_links(c: Connection, connection_id: int, matches: Iterable[Match], now: datetime) -> int:
    """Make the offer map of a connection what was found; a row that stays the same keeps its date. Returns how many rows
    were added, changed or dropped."""
    wanted = {
        (one.offer_sku, variant.id): (variant.item_id, variant.sku, units, one.how)
        for one in matches
        if isinstance(one, Linked)
        for variant, units in one.components
    }
    table = offer_links.c
    present = {
        (row.offer_sku, row.variant_id): (row.item_id, row.shop_sku, row.units, row.how)
        for row in c.execute(select(offer_links).where(table.connection_id == connection_id))
    }
    stale = [pair for pair, row in present.items() if wanted.get(pair) != row]
    fresh = [pair for pair, row in wanted.items() if present.get(pair) != row]
    if stale:
        c.execute(
            delete(offer_links).where(
                table.connection_id == connection_id,
                table.offer_sku == bindparam("old_sku"),
                table.variant_id == bindparam("old_variant"),
            ),
            [{"old_sku": sku, "old_variant": variant_id} for sku, variant_id in stale],
        )
    if fresh:
        c.execute(
            insert(offer_links),
            [
                {
                    "connection_id": connection_id,
                    "offer_sku": sku,
                    "variant_id": variant_id,
                    **dict(
                        zip(("item_id", "shop_sku", "units", "how"), wanted[sku, variant_id], strict=True)
                    ),
                    "linked_at": now,
                }
                for sku, variant_id in fresh
            ],
        )
    return len({*stale, *fresh})


def is_linked(connection_id: ColumnElement[int], sku: ColumnElement[str]) -> ColumnElement[bool]:
    """The condition that a product stands behind the offer of this connection and SKU."""
    return exists().where(offer_links.c.connection_id == connection_id, offer_links.c.offer_sku == sku)


def links(
    c: Connection,
    connection_id: int | None = None,
    *,
    offer_skus: Collection[str] | None = None,
    item_ids: Collection[str] | None = None,
) -> tuple[OfferLink, ...]:
    """The offer map: of one connection or of all, of some offers, or of the offers that contain some inventory items
    (InventoryItem ids, as Shopify's inventory webhooks name them); by connection, offer and variant."""
    query = select(offer_links)
    if connection_id is not None:
        query = query.where(offer_links.c.connection_id == connection_id)
    if offer_skus is not None:
        query = query.where(offer_links.c.offer_sku.in_(sorted(set(offer_skus))))
    if item_ids is not None:
        query = query.where(offer_links.c.item_id.in_(sorted(set(item_ids))))
    order = (offer_links.c.connection_id, offer_links.c.offer_sku, offer_links.c.variant_id)
    return tuple(
        OfferLink(
            row.connection_id,
            row.offer_sku,
            row.variant_id,
            row.item_id,
            row.shop_sku,
            row.units,
            row.how,
            row.linked_at,
        )
        for row in c.execute(query.order_by(*order))
    )


# -- the reading -------------------------------------------------------------------------------------------


def offer_read(c: Connection, connection_id: int) -> OfferRead:
    """Where the reading of a connection's offers is."""
    row = c.execute(select(offer_reads).where(offer_reads.c.connection_id == connection_id)).one_or_none()
    if row is None:
        return OfferRead()
    return OfferRead(
        row.tracking_id,
        row.asked_at,
        row.whole,
        row.last_tracking_id,
        row.read_at,
        row.read_whole_at,
        row.wanted_at,
        row.not_before,
        row.whole_not_before,
    )


def keep_offer_read(c: Connection, connection_id: int, **values: Any) -> None:
    """Write down how the reading of a connection's offers went on."""
    c.execute(
        upsert(offer_reads)
        .values(connection_id=connection_id, **values)
        .on_conflict_do_update(index_elements=["connection_id"], set_=values)
    )


def want_offers(c: Connection, connection_id: int, now: datetime) -> None:
    """Have what changed at the marketplace read again soon, such as after a stock file: OF52 since the last read."""
    keep_offer_read(c, connection_id, wanted_at=now)


def variants_read(c: Connection, shop: str) -> tuple[datetime, str] | None:
    """When all variants of a shop were last read, and the shop's currency; None when never."""
    row = c.execute(select(variant_reads).where(variant_reads.c.shop == shop)).one_or_none()
    return None if row is None else (row.read_at, row.currency)


def keep_variants_read(c: Connection, shop: str, at: datetime, currency: str) -> None:
    """Write down that all variants of a shop were read."""
    values = {"read_at": at, "currency": currency}
    c.execute(
        upsert(variant_reads)
        .values(shop=shop, **values)
        .on_conflict_do_update(index_elements=["shop"], set_=values)
    )
