"""Stock as people see it: what every offer may show and why, what was told to the marketplace, and the settings."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from interlock.access.audit_log import LONGEST
from interlock.access.roles import sees
from interlock.cases.store import cases
from interlock.console import wording
from interlock.console.desk import WrongRow, file_rows, none_wrong
from interlock.console.policy_changes import changed, note_policies
from interlock.engine.capabilities import keep_rules
from interlock.engine.queue import Queue
from interlock.engine.stock import publishing_ends
from interlock.engine.stock_figures import Ground, ground, parts_of, told_of, walk_began_at
from interlock.engine.stock_reading import selling_from
from interlock.engine.store import ConnectionRow
from interlock.inventory import store
from interlock.inventory.decide import may_be_sold
from interlock.inventory.observed import is_offered
from interlock.inventory.store import StockImport, stock_figures
from interlock.inventory.target import ABSURD
from interlock.orders.connection import ConnectionRules, Pause
from interlock.orders.reasons import Reason
from interlock.orders.store import orders

STOCK_REASONS = (
    Reason.STOCK_LOCATION_GONE,
    Reason.STOCK_FILE_REFUSED,
    Reason.STOCK_LINE_REFUSED,
    Reason.STOCK_IMPORT_STUCK,
    Reason.STOCK_ABSURD,
    Reason.OVERSOLD,
)
MOST_SHOWN = 200
MAY_BE_SOLD = (
    "The marketplace shows fewer than it was told. They may have been sold, so the figure rises only after the marketplace's "
    "orders were read once more."
)


class StockRefused(ValueError):
    """A setting of the stock cannot be what was asked; nothing was changed."""


@dataclass(frozen=True, slots=True)
class FigureLine:
    """One offer: what it may show (`target`), what was last published and last confirmed, and what the marketplace is
    believed to show; None where that is not known."""

    sku: str
    target: int | None
    published: int | None
    confirmed: int | None
    believed: int | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StockPage:
    """The stock of one connection. `open` are offers that do not show what they may, at most 200 of `differing`."""

    connection: str
    publishes: bool
    paused: Pause | None
    zeroed: str
    locations: tuple[str, ...]
    buffer: int
    offers: int
    without: int
    differing: int
    open: tuple[FigureLine, ...]
    in_flight: StockImport | None
    files: tuple[StockImport, ...]
    read_at: datetime | None
    closed_locations: tuple[str, ...]
    cases: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class LevelLine:
    """Units of an item at one location, and whether they count for this connection."""

    location: str
    available: int
    counts: bool


@dataclass(frozen=True, slots=True)
class PartLine:
    """One article an offer is made of."""

    sku: str
    per_unit: int
    tracked: bool
    unclaimed: int
    levels: tuple[LevelLine, ...]


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A living marketplace order with units of the offer's articles that Shopify has not confirmed a claim for."""

    marketplace: str
    order: str
    sku: str
    units: int
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Explained:
    """Why one offer shows what it shows."""

    connection: str
    sku: str
    target: int | None
    because: tuple[str, ...]
    parts: tuple[PartLine, ...]
    sold: tuple[SoldLine, ...]
    buffer: int
    published: int | None
    published_at: datetime | None
    confirmed: int | None
    confirmed_at: datetime | None
    believed: int | None
    shown: int | None
    shown_at: datetime | None
    refused_why: str
    drifted_at: datetime | None
    drifted_to: int | None
    waits: str


def stock_page(c: Connection, row: ConnectionRow, now: datetime) -> StockPage:
    """The stock of a connection as it is kept."""
    of_row = stock_figures.c.connection_id == row.id
    differs = stock_figures.c.target.is_distinct_from(stock_figures.c.believed)
    counted = c.execute(
        select(
            func.count(),
            func.count().filter(stock_figures.c.target.is_(None)),
            func.count().filter(differs),
        ).where(of_row)
    ).one()
    shown = c.execute(
        select(stock_figures).where(of_row, differs).order_by(stock_figures.c.sku).limit(MOST_SHOWN)
    )
    known = c.execute(select(store.stock_shops).where(store.stock_shops.c.shop == row.shopify_shop)).first()
    told = c.execute(
        select(cases.c.id, cases.c.reason, cases.c.sentence)
        .where(
            cases.c.connection_id == row.id,
            cases.c.closed_at.is_(None),
            cases.c.reason.in_([reason.value for reason in STOCK_REASONS]),
        )
        .order_by(cases.c.id)
        .limit(MOST_SHOWN)
    )
    return StockPage(
        connection=row.name,
        publishes=row.rules.publish_stock,
        paused=row.rules.paused("stock", now),
        zeroed=row.rules.stock_zeroed,
        locations=row.rules.stock_locations,
        buffer=row.rules.stock_buffer,
        offers=int(counted[0]),
        without=int(counted[1]),
        differing=int(counted[2]),
        open=tuple(_line(one) for one in shown),
        in_flight=store.import_in_flight(c, row.id),
        files=store.latest_imports(c, row.id, 10),
        read_at=None if known is None else known.read_at,
        closed_locations=() if known is None else tuple(known.closed),
        cases=tuple((one.id, one.reason, one.sentence) for one in told),
    )


FIGURE_COLUMNS = ("SKU", "may show", "published", "confirmed", "believed", "because")


def figure_rows(c: Connection, row: ConnectionRow) -> list[tuple[str | int | None, ...]]:
    """The figures of every offer of a connection as the file has them, by SKU."""
    rows = c.execute(
        select(stock_figures).where(stock_figures.c.connection_id == row.id).order_by(stock_figures.c.sku)
    )
    lines = (_line(one) for one in rows)
    return [
        (line.sku, line.target, line.published, line.confirmed, line.believed, " ".join(line.because))
        for line in lines
    ]


def _line(row: Row[Any]) -> FigureLine:
    return FigureLine(row.sku, row.target, row.published, row.confirmed, row.believed, tuple(row.because))


def explained(
    c: Connection, row: ConnectionRow, sku: str, now: datetime, own: frozenset[int] | None = None
) -> Explained | None:
    """Why the offer of this SKU may show what it may; None where the connection has no such figure. What other connections
    than `own` sold of it is said without their names and orders."""
    figure = store.figure_of(c, row.id, sku)
    if figure is None:
        return None
    on = ground(c, selling_from(c, row.shopify_shop), row.id, now)
    articles = on.articles[row.id].of(sku)
    return Explained(
        connection=row.name,
        sku=sku,
        target=figure.target,
        because=tuple(figure.because),
        parts=_parts(c, on, sku),
        sold=_sold(c, on, frozenset(item_id for item_id, _ in articles), own),
        buffer=figure.buffer,
        published=figure.published,
        published_at=figure.published_at,
        confirmed=figure.confirmed,
        confirmed_at=figure.confirmed_at,
        believed=figure.believed,
        shown=figure.shown,
        shown_at=figure.shown_at,
        refused_why=figure.refused_why,
        drifted_at=figure.drifted_at,
        drifted_to=figure.drifted_to,
        waits=MAY_BE_SOLD if may_be_sold(told_of(figure), walk_began_at(c, row.mirakl_account)) else "",
    )


def _parts(c: Connection, on: Ground, sku: str) -> tuple[PartLine, ...]:
    articles = on.articles[on.row.id].of(sku)
    parts = {part.sku: part for part in parts_of(on, sku)}
    levels: dict[str, list[LevelLine]] = {}
    places = store.places(c, on.selling.shop)
    for level in store.levels_of(c, on.selling.shop, [item_id for item_id, _ in articles]):
        online = places.get(level.location_id, True)
        counts = level.active and is_offered(level.location_id, online, on.row.rules.stock_locations)
        line = LevelLine(level.location_id, int(level.available), bool(counts))
        levels.setdefault(level.item_id, []).append(line)
    found = []
    for item_id, units in articles:
        item = on.items.get(item_id)
        name = item_id if item is None else item.sku or item_id
        part = parts.get(name)
        found.append(
            PartLine(
                name,
                units,
                item is None or item.tracked,
                0 if part is None else part.unclaimed,
                tuple(levels.get(item_id, ())),
            )
        )
    return tuple(found)


def _sold(
    c: Connection, on: Ground, items: frozenset[str], own: frozenset[int] | None
) -> tuple[SoldLine, ...]:
    names = {row.id: row.name for row in on.selling.rows}
    lines = [
        (one, sku, units)
        for one in on.sold
        for sku, units in one.units
        if items & {item_id for item_id, _ in on.articles[one.connection_id].of(sku)}
        and one.claimed_at is None
    ]
    ids = sorted({one.order_id for one, _, _ in lines})
    numbers = {
        row.id: row.mirakl_order_id
        for row in c.execute(select(orders.c.id, orders.c.mirakl_order_id).where(orders.c.id.in_(ids)))
    }
    return tuple(
        SoldLine(names[one.connection_id], numbers.get(one.order_id, ""), sku, units, one.claimed_at)
        if sees(own, one.connection_id)
        else SoldLine(wording.ELSEWHERE, "", sku, units, one.claimed_at)
        for one, sku, units in lines
    )


# -- settings ----------------------------------------------------------------------------------------------


def set_publishing(
    c: Connection, queue: Queue, row: ConnectionRow, publishes: bool, who: str, why: str, now: datetime
) -> None:
    """Publish the shop's stock to the marketplace from now on, or leave its figures to others. Raises StockRefused."""
    _change(c, queue, row, replace(row.rules, publish_stock=publishes), who, why, now)
    if publishes:
        # What was known before somebody else kept the figures is not known any more.
        store.nothing_is_believed(c, row.id, now)
    else:
        publishing_ends(c, row.id, now)


def set_zero(
    c: Connection, queue: Queue, row: ConnectionRow, zero: bool, who: str, why: str, now: datetime
) -> None:
    """Have every offer show nothing until this is ended, or end it. Raises StockRefused, also where a pause of the stock
    would keep the marketplace from being told."""
    if zero and not row.rules.publish_stock:
        raise StockRefused(
            f"The stock of {row.name} is not published, so nothing can be set to zero from here. Nothing was changed."
        )
    pause = row.rules.paused("stock", now)
    if pause is not None:
        raise StockRefused(
            f"The stock of {row.name} is {pause.in_words} The marketplace would not be told. End the pause first. Nothing was "
            "changed."
        )
    reason = f"{who}: {why}" if zero else ""
    _change(c, queue, row, replace(row.rules, stock_zeroed=reason), who, why, now)
    _recompute(c, row)


def set_locations(
    c: Connection,
    queue: Queue,
    row: ConnectionRow,
    locations: tuple[str, ...],
    who: str,
    why: str,
    now: datetime,
) -> None:
    """Offer the stock of these Shopify locations, of every active one that fulfils online orders where none is
    given. Raises StockRefused."""
    wanted = tuple(dict.fromkeys(_location(place) for place in locations))
    known = store.known_locations(c, row.shopify_shop)
    unknown = [place for place in wanted if known and place not in known]
    if unknown:
        raise StockRefused(
            f"The shop shows no stock at {', '.join(unknown)}. It shows some at {', '.join(known)}. Nothing was changed."
        )
    _change(c, queue, row, replace(row.rules, stock_locations=wanted), who, why, now)
    _recompute(c, row)


def set_buffer(
    c: Connection,
    queue: Queue,
    row: ConnectionRow,
    units: str,
    who: str,
    why: str,
    now: datetime,
    sku: str = "",
) -> None:
    """Hold back so many units of every offer, or of one SKU; empty takes the SKU's own buffer away. Raises
    StockRefused."""
    _named(who)
    if not sku:
        rules = replace(row.rules, stock_buffer=_units(units))
        _change(c, queue, row, rules, who, why, now)
    else:
        wanted = {sku: _units(units) if units else None}
        store.keep_buffers(c, row.id, wanted, who, now)
        facts = {"setting": "stock buffer", "sku": sku, "units": units or "the connection's"}
        note_policies(c, row, who, now, facts)
    _recompute(c, row)


def import_buffers(c: Connection, row: ConnectionRow, file: str, body: bytes, who: str, now: datetime) -> int:
    """Set the buffers of a CSV file (columns sku and buffer; an empty buffer takes it away): all rows or none. Returns how
    many rows. Raises MapRefused and StockRefused."""
    _named(who)
    rows, wrong = file_rows(file, body, ("sku", "buffer"), ())
    wanted: dict[str, int | None] = {}
    for one in rows:
        sku, given = one.fields["sku"], one.fields["buffer"]
        if not sku:
            wrong.append(WrongRow(one.number, "sku", "It is empty."))
        elif sku in wanted:
            wrong.append(WrongRow(one.number, "sku", f"{sku!r} is there twice."))
        else:
            try:
                wanted[sku] = _units(given) if given else None
            except StockRefused as refused:
                wrong.append(WrongRow(one.number, "buffer", str(refused)))
    none_wrong(file, wrong)
    store.keep_buffers(c, row.id, wanted, who, now)
    facts = {"setting": "stock buffers", "rows": str(len(wanted))}
    note_policies(c, row, who, now, facts)
    _recompute(c, row)
    return len(wanted)


def tell_again(c: Connection, row: ConnectionRow, who: str, now: datetime) -> None:
    """Every figure is told to the marketplace again with the next files, whatever it is believed to show. Raises
    StockRefused."""
    _named(who)
    if not row.rules.publish_stock:
        raise StockRefused(f"The stock of {row.name} is not published. Nothing was changed.")
    store.nothing_is_believed(c, row.id, now)
    facts = {"setting": "stock told again"}
    note_policies(c, row, who, now, facts)


def _change(
    c: Connection,
    queue: Queue,
    row: ConnectionRow,
    rules: ConnectionRules,
    who: str,
    why: str,
    now: datetime,
) -> None:
    _named(who)
    if not why.strip() or not why.isprintable() or len(why) > LONGEST:
        raise StockRefused(
            f"A change of the stock's settings needs a reason of at most {LONGEST} characters in one line. Nothing was "
            "changed."
        )
    keep_rules(c, queue, row, rules, now)
    note_policies(c, row, who, now, {**changed(row.rules, rules), "why": why})


def _recompute(c: Connection, row: ConnectionRow) -> None:
    store.note_change(c, row.shopify_shop)


def _named(who: str) -> None:
    if not who.strip():
        raise StockRefused(
            "A change of the stock's settings needs the name of who makes it. Nothing was changed."
        )


def _units(given: str) -> int:
    text = given.strip()
    if not text.isascii() or not text.isdigit() or int(text) > ABSURD:
        raise StockRefused(
            f"{given[:40]!r} is not a number of units: a whole number from 0 to {ABSURD} is expected. Nothing was changed."
        )
    return int(text)


def _location(given: str) -> str:
    text = given.strip()
    number = text.removeprefix("gid://shopify/Location/")
    if not number.isascii() or not number.isdigit() or len(number) > 20:
        raise StockRefused(
            f"{given[:80]!r} is not a Shopify location: its number, or gid://shopify/Location/ and its number, is expected. "
            "Nothing was changed."
        )
    return f"gid://shopify/Location/{number}"
