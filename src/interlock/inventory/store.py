"""Tables of the stock: what the shop showed, what marketplaces sold, what each offer may show, and what was published."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Row,
    Table,
    Text,
    and_,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.inventory.observed import ShownItem, is_offered
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

# One row for each shop whose stock is read. `changes` counts whatever may have moved a figure.
stock_shops = Table(
    "stock_shops",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("changes", BigInteger, nullable=False, server_default="0"),
    # up to when changes are known to have been read, and when every variant was last listed
    Column("read_at", UtcDateTime),
    Column("listed_at", UtcDateTime),
    # locations that are closed or gone
    Column("closed", JSONB, nullable=False, server_default="[]"),
)

stock_items = Table(
    "stock_items",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("variant_id", Text, nullable=False),
    Column("sku", Text, nullable=False),
    Column("tracked", Boolean, nullable=False),
    # when the shop was asked for what is kept here
    Column("observed_at", UtcDateTime, nullable=False),
    Index("ix_stock_items_sku", "shop", "sku"),
)

stock_levels = Table(
    "stock_levels",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("location_id", Text, primary_key=True),
    Column("available", BigInteger, nullable=False),
    Column("active", Boolean, nullable=False),
)

# The locations of a shop, as it last showed them, and whether they fulfil online orders.
stock_places = Table(
    "stock_places",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("location_id", Text, primary_key=True),
    Column("online", Boolean, nullable=False),
)

# Locations the shop does not have, and when it last said so.
stock_places_gone = Table(
    "stock_places_gone",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("location_id", Text, primary_key=True),
    Column("asked_at", UtcDateTime, nullable=False),
)

# Items whose stock may be another than what is kept: a delivery, a sweep or a new claim says so.
stock_hints = Table(
    "stock_hints",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("item_id", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    # the first of them that no read has answered
    Column("since", UtcDateTime, nullable=False),
)

# Living marketplace orders as the stock knows them: units by SKU, and whether Shopify claims stock for them.
stock_sold = Table(
    "stock_sold",
    metadata,
    Column("order_id", BigInteger, ForeignKey("orders.id"), primary_key=True),
    Column("connection_id", BigInteger, ForeignKey("connections.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("units", JSONB, nullable=False),
    # those of them that no claim covers, although there is an order in Shopify
    Column("unreserved", JSONB, nullable=False, server_default="[]"),
    # when the claim was first seen to be confirmed: a level read later says it itself
    Column("claimed_at", UtcDateTime),
    Index("ix_stock_sold_connection", "connection_id"),
)

# Offers of which an order was refused, until their figure was taken again. Some operators set them to zero.
stock_refusals = Table(
    "stock_refusals",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id"), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    # when the marketplace was first seen to show none
    Column("zero_seen_at", UtcDateTime),
)

stock_buffers = Table(
    "stock_buffers",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("units", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

# The figures of each offer. `believed` is what the marketplace shows as far as it is known; null where it is not.
stock_figures = Table(
    "stock_figures",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("target", BigInteger),
    Column("available", BigInteger),
    Column("unclaimed", BigInteger, nullable=False, server_default="0"),
    Column("buffer", BigInteger, nullable=False, server_default="0"),
    Column("because", JSONB, nullable=False, server_default="[]"),
    # how old the stock is that it was computed from, and when it was computed
    Column("observed_at", UtcDateTime),
    Column("computed_at", UtcDateTime),
    Column("published", BigInteger),
    Column("published_at", UtcDateTime),
    Column("confirmed", BigInteger),
    Column("confirmed_at", UtcDateTime),
    Column("believed", BigInteger),
    # what it was known to show when a file left of which nobody knows yet what became of it
    Column("shown_before", BigInteger),
    # something happened that may have moved the marketplace's own figure: a sale, an answer, a cancelation
    Column("touched_at", UtcDateTime),
    Column("shown", BigInteger),
    Column("shown_at", UtcDateTime),
    Column("refused", BigInteger),
    Column("refused_at", UtcDateTime),
    Column("refused_why", Text, nullable=False, server_default=""),
    # when the marketplace last showed something else than was published to it, and what
    Column("drifted_at", UtcDateTime),
    Column("drifted_to", BigInteger),
    # when it was read to show fewer than it was told: they may be sold, and their order not read yet
    Column("lowered_at", UtcDateTime),
    Index(
        "ix_stock_figures_open", "connection_id", postgresql_where=text("target IS DISTINCT FROM believed")
    ),
)

SHOWN: ColumnElement[int | None] = func.coalesce(stock_figures.c.believed, stock_figures.c.shown_before)
"""What the marketplace shows of an offer as far as anybody knows: while a file is under way or was refused, what it showed
before. To be measured and shown; what is sent next hangs on `believed` alone."""

ImportState = Literal["leaving", "waiting", "unclear", "complete", "refused", "lost"]
"""`leaving` until its call has ended, `waiting` for the marketplace to work it off, `unclear` where nobody knows whether it
arrived; the others are final: worked off, refused as a whole, or given up. Stored; never renamed."""

stock_imports = Table(
    "stock_imports",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("connection_id", BigInteger, ForeignKey("connections.id"), nullable=False),
    Column("operation_id", Text, nullable=False),
    # the marketplace's own number (STO01 `import_id`), empty until it gave one
    Column("import_id", Text, nullable=False, server_default=""),
    Column("state", Text, nullable=False),
    Column("lines", Integer, nullable=False),
    Column("lines_refused", Integer, nullable=False, server_default="0"),
    Column("sent_at", UtcDateTime, nullable=False),
    # the youngest order that was known when it left
    Column("orders_known", BigInteger, nullable=False),
    Column("ask_at", UtcDateTime),
    # when it was first seen to be worked off, kept where its report could not be read then
    Column("worked_off_at", UtcDateTime),
    Column("settled_at", UtcDateTime),
    Column("words", Text, nullable=False, server_default=""),
    # one import in flight for each connection
    Index(
        "uq_stock_imports_in_flight",
        "connection_id",
        unique=True,
        postgresql_where=text("settled_at IS NULL"),
    ),
    Index("ix_stock_imports_connection", "connection_id", "id"),
)

stock_import_lines = Table(
    "stock_import_lines",
    metadata,
    Column("import_no", BigInteger, ForeignKey("stock_imports.id"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("sku", Text, nullable=False),
    Column("quantity", BigInteger, nullable=False),
    # how old the stock was that the figure was computed from, and what the marketplace was believed to show before
    Column("observed_at", UtcDateTime),
    Column("was", BigInteger),
)

LINES_AT_ONCE = 5_000
LINES_KEPT = 200_000
"""Lines of settled imports that stay, for each connection, so that somebody can look what was told."""


# -- shops -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ShopStock:
    """What is known of a shop's stock as a whole."""

    changes: int
    read_at: datetime | None
    listed_at: datetime | None
    closed: tuple[str, ...] = ()


def shop_stock(c: Connection, shop: str) -> ShopStock:
    """The shop's row, made when it is not there."""
    row = c.execute(select(stock_shops).where(stock_shops.c.shop == shop)).one_or_none()
    if row is None:
        c.execute(upsert(stock_shops).values(shop=shop).on_conflict_do_nothing())
        return ShopStock(0, None, None)
    return ShopStock(row.changes, row.read_at, row.listed_at, tuple(row.closed))


def stock_is_read(c: Connection, shop: str) -> bool:
    """Whether anybody reads this shop's stock."""
    return c.execute(select(stock_shops.c.shop).where(stock_shops.c.shop == shop)).first() is not None


def note_change(c: Connection, shop: str) -> None:
    """Something may have moved a figure that comes from this shop's stock."""
    c.execute(update(stock_shops).where(stock_shops.c.shop == shop).values(changes=stock_shops.c.changes + 1))


def was_read(c: Connection, shop: str, **values: datetime) -> None:
    """Keep when the shop's stock was read (`read_at`) or listed (`listed_at`)."""
    c.execute(update(stock_shops).where(stock_shops.c.shop == shop).values(**values))


def list_again(c: Connection, shop: str) -> None:
    """Every variant of the shop is listed with the next tick."""
    c.execute(update(stock_shops).where(stock_shops.c.shop == shop).values(listed_at=None))


def close_locations(c: Connection, shop: str, closed: Sequence[str]) -> bool:
    """Keep which locations are closed or gone: their levels count no more. True when that differs from before."""
    before = set(shop_stock(c, shop).closed)
    if before == set(closed):
        return False
    c.execute(update(stock_shops).where(stock_shops.c.shop == shop).values(closed=sorted(closed)))
    mine = (stock_levels.c.shop == shop, stock_levels.c.location_id.in_(closed))
    c.execute(update(stock_levels).where(*mine).values(active=False))
    note_change(c, shop)
    return True


def known_locations(c: Connection, shop: str) -> tuple[str, ...]:
    """Every location at which the shop shows a level."""
    rows = c.execute(
        select(stock_levels.c.location_id)
        .where(stock_levels.c.shop == shop)
        .distinct()
        .order_by(stock_levels.c.location_id)
    )
    return tuple(rows.scalars())


def places(c: Connection, shop: str) -> dict[str, bool]:
    """Every location the shop has shown, and whether it fulfils online orders."""
    rows = c.execute(
        select(stock_places).where(stock_places.c.shop == shop).order_by(stock_places.c.location_id)
    )
    return {row.location_id: row.online for row in rows}


def keep_places(c: Connection, shop: str, shown: Mapping[str, bool]) -> None:
    """Keep which locations fulfil online orders: where none is named, what lies at the others is not sold. One that is shown
    is not gone."""
    mine = (stock_places_gone.c.shop == shop, stock_places_gone.c.location_id.in_(shown))
    c.execute(delete(stock_places_gone).where(*mine))
    before = places(c, shop)
    others = sorted((place, online) for place, online in shown.items() if before.get(place) != online)
    if others:
        rows = [{"shop": shop, "location_id": place, "online": online} for place, online in others]
        c.execute(_KEEP_PLACE, rows)
        note_change(c, shop)


def places_gone(c: Connection, shop: str) -> dict[str, datetime]:
    """The locations the shop does not have, and when it last said so."""
    rows = c.execute(select(stock_places_gone).where(stock_places_gone.c.shop == shop))
    return {row.location_id: row.asked_at for row in rows}


def keep_places_gone(c: Connection, shop: str, gone: Collection[str], asked_at: datetime) -> None:
    """Keep that the shop said of these that it has no such location."""
    if gone:
        rows = [{"shop": shop, "location_id": place, "asked_at": asked_at} for place in sorted(gone)]
        c.execute(_KEEP_PLACE_GONE, rows)


# -- what the shop shows -----------------------------------------------------------------------------------

_ADD_ITEM = upsert(stock_items)
_KEEP_ITEM = _ADD_ITEM.on_conflict_do_update(
    index_elements=["shop", "item_id"],
    set_={
        "variant_id": func.coalesce(
            func.nullif(_ADD_ITEM.excluded["variant_id"], ""), stock_items.c.variant_id
        ),
        "sku": _ADD_ITEM.excluded["sku"],
        "tracked": _ADD_ITEM.excluded["tracked"],
        "observed_at": _ADD_ITEM.excluded["observed_at"],
    },
)
_ADD_LEVEL = upsert(stock_levels)
_KEEP_LEVEL = _ADD_LEVEL.on_conflict_do_update(
    index_elements=["shop", "item_id", "location_id"],
    set_={"available": _ADD_LEVEL.excluded["available"], "active": _ADD_LEVEL.excluded["active"]},
)
_ADD_PLACE = upsert(stock_places)
_KEEP_PLACE = _ADD_PLACE.on_conflict_do_update(
    index_elements=["shop", "location_id"], set_={"online": _ADD_PLACE.excluded["online"]}
)
_ADD_PLACE_GONE = upsert(stock_places_gone)
_KEEP_PLACE_GONE = _ADD_PLACE_GONE.on_conflict_do_update(
    index_elements=["shop", "location_id"], set_={"asked_at": _ADD_PLACE_GONE.excluded["asked_at"]}
)
_ADD_HINT = upsert(stock_hints)
_KEEP_HINT = _ADD_HINT.on_conflict_do_update(
    index_elements=["shop", "item_id"], set_={"at": _ADD_HINT.excluded["at"]}
)


def keep_items(c: Connection, shop: str, items: Sequence[ShownItem], observed_at: datetime) -> int:
    """Keep what the shop showed of these items when it was asked at `observed_at`; an answer that is older than what is
    kept changes nothing. Returns how many levels are others than before."""
    ids = [item.item_id for item in items]
    mine = (stock_items.c.shop == shop, stock_items.c.item_id.in_(ids))
    known = {row.item_id: row for row in c.execute(select(stock_items).where(*mine))}
    fresh = [
        item for item in items if item.item_id not in known or known[item.item_id].observed_at <= observed_at
    ]
    if not fresh:
        return 0
    keep_places(c, shop, {level.location_id: level.online for item in fresh for level in item.levels})
    before = {
        (row.item_id, row.location_id): (row.available, row.active)
        for row in c.execute(
            select(stock_levels).where(
                stock_levels.c.shop == shop, stock_levels.c.item_id.in_([item.item_id for item in fresh])
            )
        )
    }
    c.execute(
        _KEEP_ITEM,
        [
            {
                "shop": shop,
                "item_id": item.item_id,
                "variant_id": item.variant_id,
                "sku": item.sku,
                "tracked": item.tracked,
                "observed_at": observed_at,
            }
            for item in fresh
        ],
    )
    now = {
        (item.item_id, level.location_id): (level.available, level.active)
        for item in fresh
        for level in item.levels
    }
    others = {key: value for key, value in now.items() if before.get(key) != value}
    if others:
        c.execute(
            _KEEP_LEVEL,
            [
                {"shop": shop, "item_id": item_id, "location_id": place, "available": units, "active": active}
                for (item_id, place), (units, active) in others.items()
            ],
        )
    gone = [key for key in before if key not in now]
    if gone:
        key = tuple_(stock_levels.c.item_id, stock_levels.c.location_id)
        c.execute(delete(stock_levels).where(stock_levels.c.shop == shop, key.in_(gone)))
    changed = len(others) + len(gone)
    renamed = any(
        item.item_id not in known
        or (known[item.item_id].sku, known[item.item_id].tracked) != (item.sku, item.tracked)
        for item in fresh
    )
    if changed or renamed:
        note_change(c, shop)
    return changed


def items_unseen(c: Connection, shop: str, since: datetime) -> list[str]:
    """Items that were not shown since then."""
    unseen = select(stock_items.c.item_id).where(
        stock_items.c.shop == shop, stock_items.c.observed_at < since
    )
    return list(c.execute(unseen.order_by(stock_items.c.item_id)).scalars())


def stock_hint(c: Connection, shop: str, item_ids: Iterable[str], now: datetime) -> None:
    """The stock of these items may have changed: it is read with the next tick."""
    rows = [
        {"shop": shop, "item_id": item_id, "at": now, "since": now} for item_id in dict.fromkeys(item_ids)
    ]
    if rows:
        c.execute(_KEEP_HINT, rows)


def hinted_items(c: Connection, shop: str, limit: int) -> tuple[str, ...]:
    """Items whose stock has to be read again, those that wait longest first."""
    rows = c.execute(
        select(stock_hints.c.item_id)
        .where(stock_hints.c.shop == shop)
        .order_by(stock_hints.c.since, stock_hints.c.item_id)
        .limit(limit)
    )
    return tuple(rows.scalars())


def items_waiting(c: Connection, shop: str, before: datetime) -> frozenset[str]:
    """Items whose stock was said to have changed before that moment and was not read since."""
    rows = c.execute(
        select(stock_hints.c.item_id).where(stock_hints.c.shop == shop, stock_hints.c.since < before)
    )
    return frozenset(rows.scalars())


def stock_known_to(c: Connection) -> dict[str, datetime | None]:
    """Up to when the stock of each shop is known: when its changes were last looked for, or from when on one of them waits to be
    read; None where it never was."""
    waits = select(func.min(stock_hints.c.since)).where(stock_hints.c.shop == stock_shops.c.shop)
    rows = c.execute(
        select(
            stock_shops.c.shop, stock_shops.c.read_at, waits.scalar_subquery().label("waits_since")
        ).order_by(stock_shops.c.shop)
    )
    return {
        row.shop: row.read_at
        if row.read_at is None or row.waits_since is None
        else min(row.read_at, row.waits_since)
        for row in rows
    }


def hints_answered(c: Connection, shop: str, item_ids: Sequence[str], observed_at: datetime) -> None:
    """These items were read; what was hinted while the read was under way is read again."""
    mine = (stock_hints.c.shop == shop, stock_hints.c.item_id.in_(item_ids))
    c.execute(delete(stock_hints).where(*mine, stock_hints.c.at <= observed_at))
    c.execute(update(stock_hints).where(*mine).values(since=stock_hints.c.at))


def items_gone(c: Connection, shop: str, item_ids: Sequence[str]) -> None:
    """The shop has these items no more."""
    if item_ids:
        c.execute(
            delete(stock_levels).where(stock_levels.c.shop == shop, stock_levels.c.item_id.in_(item_ids))
        )
        c.execute(delete(stock_items).where(stock_items.c.shop == shop, stock_items.c.item_id.in_(item_ids)))
        note_change(c, shop)


def items_by_sku(c: Connection, shop: str, skus: Collection[str] | None = None) -> dict[str, tuple[str, ...]]:
    """The items that carry each SKU, or each of these; more than one where it is ambiguous."""
    found: dict[str, tuple[str, ...]] = {}
    query = select(stock_items.c.sku, stock_items.c.item_id).where(
        stock_items.c.shop == shop, stock_items.c.sku != ""
    )
    if skus is not None:
        query = query.where(stock_items.c.sku.in_(sorted(set(skus))))
    for row in c.execute(query.order_by(stock_items.c.item_id)):
        found[row.sku] = (*found.get(row.sku, ()), row.item_id)
    return found


def unread_since(
    c: Connection, shop: str, claims: Mapping[int, tuple[datetime | None, Sequence[str]]]
) -> frozenset[int]:
    """Of claims (when confirmed, which items) by order: those with an item that was not read since."""
    wanted = sorted({item_id for _, items in claims.values() for item_id in items})
    read_at = {
        row.item_id: row.observed_at
        for row in c.execute(
            select(stock_items.c.item_id, stock_items.c.observed_at).where(
                stock_items.c.shop == shop, stock_items.c.item_id.in_(wanted)
            )
        )
    }
    return frozenset(
        order_id
        for order_id, (at, items) in claims.items()
        if at is not None and any(item in read_at and read_at[item] <= at for item in items)
    )


@dataclass(frozen=True, slots=True)
class KeptItem:
    """One item with its units at a connection's locations, 0 where none of them stocks it."""

    item_id: str
    variant_id: str
    sku: str
    tracked: bool
    observed_at: datetime
    available: int


def items_at(
    c: Connection, shop: str, locations: Sequence[str], item_ids: Collection[str] | None = None
) -> Iterator[KeptItem]:
    """Every item of the shop, or each of these, with the units that a connection with these locations may sell."""
    offered = [place for place, online in places(c, shop).items() if is_offered(place, online, locations)]
    at = and_(stock_levels.c.active, stock_levels.c.location_id.in_(offered))
    summed = func.coalesce(func.sum(stock_levels.c.available).filter(at), 0)
    rows = c.execute(
        select(
            stock_items.c.item_id,
            stock_items.c.variant_id,
            stock_items.c.sku,
            stock_items.c.tracked,
            stock_items.c.observed_at,
            summed.label("available"),
        )
        .outerjoin(
            stock_levels,
            (stock_levels.c.shop == stock_items.c.shop) & (stock_levels.c.item_id == stock_items.c.item_id),
        )
        .where(
            stock_items.c.shop == shop,
            true() if item_ids is None else stock_items.c.item_id.in_(sorted(set(item_ids))),
        )
        .group_by(*stock_items.primary_key, *stock_items.c)
        .order_by(stock_items.c.item_id)
    )
    for row in rows:
        yield KeptItem(row.item_id, row.variant_id, row.sku, row.tracked, row.observed_at, int(row.available))


def levels_of(c: Connection, shop: str, item_ids: Sequence[str]) -> tuple[Row[Any], ...]:
    """The kept levels of these items, by item and location."""
    return tuple(
        c.execute(
            select(stock_levels)
            .where(stock_levels.c.shop == shop, stock_levels.c.item_id.in_(item_ids))
            .order_by(stock_levels.c.item_id, stock_levels.c.location_id)
        )
    )


# -- what marketplaces sold --------------------------------------------------------------------------------

_ADD_SOLD = upsert(stock_sold)
_KEEP_SOLD = _ADD_SOLD.on_conflict_do_update(
    index_elements=["order_id"],
    set_={
        "digest": _ADD_SOLD.excluded["digest"],
        "state": _ADD_SOLD.excluded["state"],
        "units": _ADD_SOLD.excluded["units"],
        "unreserved": _ADD_SOLD.excluded["unreserved"],
        "claimed_at": _ADD_SOLD.excluded["claimed_at"],
    },
)


@dataclass(frozen=True, slots=True)
class SoldOrder:
    """A living marketplace order as the stock knows it; `units` by marketplace SKU. `claimed_at` is when the claim for them
    was first seen to be confirmed in Shopify, `unreserved` the units that it does not cover: lines that reserve nothing."""

    order_id: int
    connection_id: int
    digest: str
    state: str
    units: tuple[tuple[str, int], ...]
    claimed_at: datetime | None
    unreserved: tuple[tuple[str, int], ...] = ()


def sold_orders(c: Connection, connection_ids: Sequence[int]) -> dict[int, SoldOrder]:
    """Every living order of these connections, by its row id."""
    rows = c.execute(select(stock_sold).where(stock_sold.c.connection_id.in_(connection_ids)))
    return {
        row.order_id: SoldOrder(
            row.order_id,
            row.connection_id,
            row.digest,
            row.state,
            tuple((sku, int(units)) for sku, units in row.units),
            row.claimed_at,
            tuple((sku, int(units)) for sku, units in row.unreserved),
        )
        for row in rows
    }


def keep_sold(c: Connection, found: Sequence[SoldOrder]) -> None:
    if found:
        c.execute(
            _KEEP_SOLD,
            [
                {
                    "order_id": one.order_id,
                    "connection_id": one.connection_id,
                    "digest": one.digest,
                    "state": one.state,
                    "units": [list(pair) for pair in one.units],
                    "unreserved": [list(pair) for pair in one.unreserved],
                    "claimed_at": one.claimed_at,
                }
                for one in found
            ],
        )


def forget_sold(c: Connection, order_ids: Sequence[int]) -> None:
    if order_ids:
        c.execute(delete(stock_sold).where(stock_sold.c.order_id.in_(order_ids)))


# -- buffers -----------------------------------------------------------------------------------------------


def buffers(c: Connection, connection_id: int) -> dict[str, int]:
    """Safety buffers by marketplace SKU, where they differ from the connection's own."""
    rows = c.execute(
        select(stock_buffers.c.sku, stock_buffers.c.units).where(
            stock_buffers.c.connection_id == connection_id
        )
    )
    return {row.sku: row.units for row in rows}


def keep_buffers(
    c: Connection, connection_id: int, wanted: Mapping[str, int | None], who: str, now: datetime
) -> None:
    """Set buffers; None takes one away, so that the connection's own holds again."""
    gone = [sku for sku, units in wanted.items() if units is None]
    if gone:
        c.execute(
            delete(stock_buffers).where(
                stock_buffers.c.connection_id == connection_id, stock_buffers.c.sku.in_(gone)
            )
        )
    for sku, units in wanted.items():
        if units is not None:
            values = {"units": units, "changed_by": who, "changed_at": now}
            c.execute(
                upsert(stock_buffers)
                .values(connection_id=connection_id, sku=sku, **values)
                .on_conflict_do_update(index_elements=["connection_id", "sku"], set_=values)
            )


# -- figures -----------------------------------------------------------------------------------------------

_ADD_FIGURE = upsert(stock_figures)
_KEEP_TARGET = _ADD_FIGURE.on_conflict_do_update(
    index_elements=["connection_id", "sku"],
    set_={
        name: _ADD_FIGURE.excluded[name]
        for name in ("target", "available", "unclaimed", "buffer", "because", "observed_at", "computed_at")
    },
)
_OF_LINE = (
    stock_figures.c.connection_id == bindparam("of_connection"),
    stock_figures.c.sku == bindparam("of_sku"),
)
_LINE_SHOWN = (
    update(stock_figures)
    .where(*_OF_LINE)
    .values(shown=bindparam("quantity"), shown_at=bindparam("asked_at", type_=UtcDateTime))
)
_LINE_BELIEVED = update(stock_figures).where(*_OF_LINE).values(believed=bindparam("quantity"))
_LINE_DRIFTED = (
    update(stock_figures)
    .where(*_OF_LINE)
    .values(drifted_at=bindparam("asked_at", type_=UtcDateTime), drifted_to=bindparam("quantity"))
)
_LINE_LOWERED = (
    update(stock_figures).where(*_OF_LINE).values(lowered_at=bindparam("read_at", type_=UtcDateTime))
)


@dataclass(frozen=True, slots=True)
class FigureKept:
    """What was computed for one offer."""

    sku: str
    target: int | None
    available: int | None
    unclaimed: int
    buffer: int
    because: tuple[str, ...]
    observed_at: datetime | None


def figures(c: Connection, connection_id: int) -> dict[str, Row[Any]]:
    """The figures of every offer of the connection, by marketplace SKU."""
    rows = c.execute(select(stock_figures).where(stock_figures.c.connection_id == connection_id))
    return {row.sku: row for row in rows}


def figure_of(c: Connection, connection_id: int, sku: str) -> Row[Any] | None:
    """The figures of one offer, if it has any."""
    return c.execute(
        select(stock_figures).where(
            stock_figures.c.connection_id == connection_id, stock_figures.c.sku == sku
        )
    ).one_or_none()


def open_figures(c: Connection, connection_id: int) -> tuple[Row[Any], ...]:
    """The figures that are not what the marketplace is believed to show, by SKU."""
    return tuple(
        c.execute(
            select(stock_figures)
            .where(
                stock_figures.c.connection_id == connection_id,
                stock_figures.c.target.is_distinct_from(stock_figures.c.believed),
            )
            .order_by(stock_figures.c.sku)
        )
    )


def keep_targets(c: Connection, connection_id: int, found: Sequence[FigureKept], now: datetime) -> None:
    """Keep what was computed for these offers."""
    for start in range(0, len(found), LINES_AT_ONCE):
        c.execute(
            _KEEP_TARGET,
            [
                {
                    "connection_id": connection_id,
                    "sku": one.sku,
                    "target": one.target,
                    "available": one.available,
                    "unclaimed": one.unclaimed,
                    "buffer": one.buffer,
                    "because": list(one.because),
                    "observed_at": one.observed_at,
                    "computed_at": now,
                }
                for one in found[start : start + LINES_AT_ONCE]
            ],
        )


def forget_figures(c: Connection, connection_id: int, skus: Sequence[str]) -> None:
    """Offers that are gone have no figures."""
    for start in range(0, len(skus), LINES_AT_ONCE):
        c.execute(
            delete(stock_figures).where(
                stock_figures.c.connection_id == connection_id,
                stock_figures.c.sku.in_(skus[start : start + LINES_AT_ONCE]),
            )
        )


def refused_figures(c: Connection, connection_id: int) -> dict[str, str]:
    """The offers whose last figure the marketplace refused, by SKU, each with its reason."""
    rows = c.execute(
        select(stock_figures.c.sku, stock_figures.c.refused_why)
        .where(stock_figures.c.connection_id == connection_id, stock_figures.c.refused_at.is_not(None))
        .order_by(stock_figures.c.sku)
    )
    return {row.sku: row.refused_why for row in rows}


def touch(c: Connection, connection_id: int, skus: Iterable[str], now: datetime) -> None:
    """The marketplace may have moved its own figure of these offers: it is not known any more, and is told again."""
    wanted = sorted(set(skus))
    if wanted:
        c.execute(
            update(stock_figures)
            .where(stock_figures.c.connection_id == connection_id, stock_figures.c.sku.in_(wanted))
            .values(believed=None, shown_before=None, touched_at=now)
        )


def nothing_is_believed(c: Connection, connection_id: int, now: datetime) -> None:
    """What is kept here may be an old copy: no offer's figure is taken for what the marketplace shows."""
    c.execute(
        update(stock_figures)
        .where(stock_figures.c.connection_id == connection_id, SHOWN.is_not(None))
        .values(believed=None, shown_before=None, touched_at=now)
    )


def nothing_is_wanted(c: Connection, connection_id: int, because: str) -> None:
    """No offer of the connection has a figure that it may show, for a reason in a sentence."""
    c.execute(
        update(stock_figures)
        .where(stock_figures.c.connection_id == connection_id)
        .values(target=None, available=None, unclaimed=0, because=[because], observed_at=None)
    )


# -- imports -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StockImport:
    """One file that left, or was to leave."""

    id: int
    operation_id: str
    import_id: str
    state: str
    lines: int
    lines_refused: int
    sent_at: datetime
    ask_at: datetime | None
    worked_off_at: datetime | None
    settled_at: datetime | None
    words: str


def _import(row: Row[Any]) -> StockImport:
    return StockImport(
        row.id,
        row.operation_id,
        row.import_id,
        row.state,
        row.lines,
        row.lines_refused,
        row.sent_at,
        row.ask_at,
        row.worked_off_at,
        row.settled_at,
        row.words,
    )


def import_in_flight(c: Connection, connection_id: int) -> StockImport | None:
    """The import that has to settle before the next leaves."""
    row = c.execute(
        select(stock_imports).where(
            stock_imports.c.connection_id == connection_id, stock_imports.c.settled_at.is_(None)
        )
    ).one_or_none()
    return None if row is None else _import(row)


def latest_imports(c: Connection, connection_id: int, limit: int = 20) -> tuple[StockImport, ...]:
    """The latest files of the connection, the newest first."""
    rows = c.execute(
        select(stock_imports)
        .where(stock_imports.c.connection_id == connection_id)
        .order_by(stock_imports.c.id.desc())
        .limit(limit)
    )
    return tuple(_import(row) for row in rows)


def add_import(
    c: Connection,
    connection_id: int,
    operation_id: str,
    rows: Sequence[tuple[str, int]],
    known: Mapping[str, tuple[datetime | None, int | None]],
    orders_known: int,
    now: datetime,
) -> int:
    """A file is about to leave: it and its lines are kept, in the transaction that commits the intent. `known` gives, by
    SKU, how old the stock was and what the marketplace was believed to show. Returns the file's number."""
    number: int = c.execute(
        insert(stock_imports)
        .values(
            connection_id=connection_id,
            operation_id=operation_id,
            state="leaving",
            lines=len(rows),
            sent_at=now,
            orders_known=orders_known,
        )
        .returning(stock_imports.c.id)
    ).scalar_one()
    for start in range(0, len(rows), LINES_AT_ONCE):
        c.execute(
            insert(stock_import_lines),
            [
                {
                    "import_no": number,
                    "line": start + place,
                    "sku": sku,
                    "quantity": quantity,
                    "observed_at": known[sku][0],
                    "was": known[sku][1],
                }
                for place, (sku, quantity) in enumerate(rows[start : start + LINES_AT_ONCE], start=1)
            ],
        )
    return number


def keep_import(c: Connection, number: int, **values: Any) -> None:
    c.execute(update(stock_imports).where(stock_imports.c.id == number).values(**values))


def lines_of(c: Connection, number: int) -> tuple[tuple[int, str, int], ...]:
    """The lines of an import: number from 1, SKU, units."""
    rows = c.execute(
        select(stock_import_lines)
        .where(stock_import_lines.c.import_no == number)
        .order_by(stock_import_lines.c.line)
    )
    return tuple((row.line, row.sku, row.quantity) for row in rows)


_LINES = stock_import_lines.alias("lines")


def _figures_of_import(connection_id: int, number: int) -> tuple[Any, ...]:
    return (
        stock_figures.c.connection_id == connection_id,
        stock_figures.c.sku == _LINES.c.sku,
        _LINES.c.import_no == number,
    )


def _taken(now: datetime) -> dict[str, Any]:
    """What a figure says once the marketplace has taken its line."""
    return {
        "confirmed": _LINES.c.quantity,
        "confirmed_at": now,
        "refused": None,
        "refused_at": None,
        "refused_why": "",
    }


def shown_of(row: Row[Any]) -> int | None:
    """What the marketplace shows of an offer, of a row of its figures; see SHOWN."""
    found: int | None = row.shown_before if row.believed is None else row.believed
    return found


def most_shown(row: Row[Any]) -> int | None:
    """What a figure may not rise above while an input is not believed, of a row of its figures: what the marketplace shows or,
    where that is not known, the lowest of all that it may show. A file that is under way, was refused or was lost has not
    replaced the figure before it."""
    if row.believed is not None:
        return int(row.believed)
    seen_since = row.shown_at is not None and (row.published_at is None or row.shown_at >= row.published_at)
    known = (row.published, row.confirmed, row.shown_before, row.shown if seen_since else None)
    return min((int(units) for units in known if units is not None), default=None)


def lines_leave(c: Connection, connection_id: int, number: int) -> None:
    """The lines of an import are about to leave: until it settles nobody knows what the marketplace shows for them."""
    c.execute(
        update(stock_figures)
        .where(*_figures_of_import(connection_id, number))
        .values(believed=None, shown_before=SHOWN)
    )


def lines_sent(c: Connection, connection_id: int, number: int, at: datetime) -> None:
    """The lines of an import have left, or may have."""
    c.execute(
        update(stock_figures)
        .where(*_figures_of_import(connection_id, number))
        .values(published=_LINES.c.quantity, published_at=at)
    )


def lines_settle(
    c: Connection,
    connection_id: int,
    number: int,
    sent_at: datetime,
    now: datetime,
    refused: Mapping[str, str],
) -> None:
    """An import was worked off: its lines are what the marketplace shows, except for those it refused (reason by SKU) and
    for offers that were touched since it left."""
    mine = _figures_of_import(connection_id, number)
    taken = stock_figures.c.sku.not_in(list(refused)) if refused else text("true")
    c.execute(update(stock_figures).where(*mine, taken).values(**_taken(now)))
    c.execute(
        update(stock_figures)
        .where(*mine, taken, _untouched_since(sent_at))
        .values(believed=_LINES.c.quantity)
    )
    if refused:
        c.execute(
            update(stock_figures)
            .where(*mine, stock_figures.c.sku == bindparam("of_sku"))
            .values(refused=_LINES.c.quantity, refused_at=now, refused_why=bindparam("why")),
            [{"of_sku": sku, "why": why} for sku, why in refused.items()],
        )


def forget_lines(c: Connection, connection_id: int) -> None:
    """Delete the lines of the oldest settled imports, so that LINES_KEPT stay; the figures hold what they said."""
    together = func.sum(stock_imports.c.lines).over(order_by=stock_imports.c.id.desc())
    settled = (
        select(stock_imports.c.id, together.label("together"))
        .where(stock_imports.c.connection_id == connection_id, stock_imports.c.settled_at.is_not(None))
        .subquery()
    )
    old = select(settled.c.id).where(settled.c.together > LINES_KEPT)
    c.execute(delete(stock_import_lines).where(stock_import_lines.c.import_no.in_(old)))


def lines_seen(c: Connection, connection_id: int, number: int, sent_at: datetime, now: datetime) -> None:
    """An import of which no answer came was seen to arrive: those of its lines are settled whose figure the marketplace has
    shown since. Of the others nothing is known, as it may have refused them and its report cannot be asked for: they stay
    what nobody believes, and are told again."""
    shown = (
        stock_figures.c.shown == _LINES.c.quantity,
        stock_figures.c.shown_at > sent_at,
        _untouched_since(sent_at),
    )
    c.execute(
        update(stock_figures)
        .where(*_figures_of_import(connection_id, number), *shown)
        .values(**_taken(now), believed=_LINES.c.quantity)
    )


def _untouched_since(sent_at: datetime) -> ColumnElement[bool]:
    return or_(stock_figures.c.touched_at.is_(None), stock_figures.c.touched_at < sent_at)


def arrival_is_seen(c: Connection, connection_id: int, number: int, sent_at: datetime) -> bool:
    """Whether the marketplace has shown, since the import was sent, the figure of a line that changed by it and that nothing
    else has touched: a file is worked off as a whole, so one such line proves that it arrived. A line that showed the same
    before proves nothing: the file may still come, late."""
    found = c.execute(
        select(_LINES.c.line)
        .select_from(_LINES.join(stock_figures, stock_figures.c.sku == _LINES.c.sku))
        .where(
            *_figures_of_import(connection_id, number),
            _LINES.c.was != _LINES.c.quantity,
            stock_figures.c.shown == _LINES.c.quantity,
            stock_figures.c.shown_at > sent_at,
            _untouched_since(sent_at),
        )
        .limit(1)
    )
    return found.first() is not None


# -- what the marketplace shows ----------------------------------------------------------------------------


def keep_shown(
    c: Connection, connection_id: int, quantities: Mapping[str, int], asked_at: datetime, read_at: datetime
) -> tuple[tuple[str, int, int], ...]:
    """What the marketplace showed of its offers (OF52 to OF54), asked for at `asked_at` and read at `read_at`: it may show
    any moment between the two. Believed where nothing of ours is under way and nothing has touched the offer since; of one
    that shows fewer than it was told, or than it may show, that moment is kept. Returns (SKU, what we believed, what it
    shows) of those that differ."""
    known = figures(c, connection_id)
    flying = import_in_flight(c, connection_id)
    under_way = {sku for _, sku, _ in lines_of(c, flying.id)} if flying is not None else set()
    drifted: list[tuple[str, int, int]] = []
    shown: list[dict[str, Any]] = []
    believed: list[dict[str, Any]] = []
    lowered: list[dict[str, Any]] = []
    for sku, quantity in quantities.items():
        row = known.get(sku)
        if row is None or (row.shown_at is not None and row.shown_at >= asked_at):
            continue
        line = {"of_connection": connection_id, "of_sku": sku, "quantity": quantity, "asked_at": asked_at}
        shown.append(line)
        younger = [at for at in (row.touched_at, row.confirmed_at, row.published_at) if at is not None]
        if sku in under_way or any(at >= asked_at for at in younger):
            continue
        if row.believed != quantity:
            believed.append(line)
            told = row.target if row.believed is None and row.published is not None else row.believed
            if told is not None and quantity < told:
                lowered.append({"of_connection": connection_id, "of_sku": sku, "read_at": read_at})
            if row.believed is not None:
                drifted.append((sku, int(row.believed), quantity))
    if shown:
        c.execute(_LINE_SHOWN, shown)
    if believed:
        c.execute(_LINE_BELIEVED, believed)
    if lowered:
        c.execute(_LINE_LOWERED, lowered)
    if drifted:
        c.execute(
            _LINE_DRIFTED,
            [
                {"of_connection": connection_id, "of_sku": sku, "quantity": quantity, "asked_at": asked_at}
                for sku, _, quantity in drifted
            ],
        )
    return tuple(drifted)
