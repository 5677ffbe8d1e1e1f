"""What is known of every SKU at every marketplace: sampled once a minute where something drifts, read for pages and
programs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    CompoundSelect,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    Table,
    Text,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    tuple_,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.cases.store import cases
from interlock.engine.store import ConnectionRow, all_connections, connections
from interlock.imports.store import sku_mappings
from interlock.inventory.store import SHOWN, shown_of, stock_figures, stock_shops
from interlock.inventory.target import WITH_CARE
from interlock.monitoring.measures import BOUNDS, class_of
from interlock.monitoring.rollup import add_counts, edit_clock_rows, measured
from interlock.monitoring.sku_health import SkuEdit, SkuFacts, SkuHealth, judged
from interlock.offers.store import (
    bundle_components,
    is_linked,
    known_offers,
    links,
    offer_links,
    offers,
    shop_variants,
    variant_reads,
    variants_read,
)
from interlock.orders.store import orders
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

EDITS_OF = timedelta(days=30)
MOST_ORDERS = 2000
LONGEST_STEP = timedelta(minutes=5)
"""No more than this counts between two samples: while nobody sampled, nobody knows."""
MOST_NAMED = 50
"""SKUs of a connection that the metrics name: a series for each SKU there is would be tens of thousands (decision 0024)."""
_READY_AFTER = timedelta(hours=1)
_REASONS = (
    "offer_without_variant",
    "offer_ambiguous",
    "offer_sku_unusable",
    "sku_unknown",
    "sku_ambiguous",
    "stock_line_refused",
    "stock_absurd",
    "oversold",
    "stock_short",
)
_OF_THE_FILE = ("stock_file_refused", "stock_import_stuck")
"""Reasons for which no figure of a connection gets through, or nobody learns which do."""

sku_health = Table(
    "sku_health",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("sku", Text, primary_key=True),
    Column("last_sale_at", UtcDateTime),
    # since when a sample has shown another figure than may be offered
    Column("drift_since", UtcDateTime),
    # the ISO week, such as 2026-W48, and what was counted in it
    Column("week", Text, nullable=False, server_default=""),
    Column("drift_seconds", Integer, nullable=False, server_default="0"),
    Index("ix_sku_health_drifting", "connection_id", postgresql_where=text("drift_since IS NOT NULL")),
)


@dataclass(frozen=True, slots=True)
class Drift:
    """The SKUs of one connection at a glance: how many have a known figure, how many show another one, how many show more
    than there is, and the minutes of all of them this week. `states` are its offers by OFFER_STATES, each once. `worst` are at
    most MOST_NAMED of those that show another figure, with the units beyond what they may (negative for less): what is
    oversold first, then what is offered too little, each by how many units."""

    connection: str
    known: int
    drifting: int
    oversold: int
    minutes: int
    states: tuple[tuple[str, int], ...] = ()
    worst: tuple[tuple[str, int], ...] = ()


def week_of(moment: datetime) -> str:
    """The ISO week of a moment in UTC, such as 2026-W48."""
    year, week, _ = moment.isocalendar()
    return f"{year}-W{week:02d}"


# -- sampling ----------------------------------------------------------------------------------------------


def sample_skus(c: Connection, now: datetime) -> int:
    """Note which SKUs show another figure than may be offered, and for how long; count them for the burn rate. Returns how
    many drift. The caller sees to it that one worker samples at a time."""
    c.execute(upsert(measured).values(name="skus", until=now, position=0).on_conflict_do_nothing())
    before = c.execute(select(measured.c.until).where(measured.c.name == "skus")).scalar_one()
    step = max(timedelta(0), min(now - before, LONGEST_STEP))
    c.execute(update(measured).where(measured.c.name == "skus").values(until=now))
    number = 0
    for row in all_connections(c):
        if row.live and row.rules.publish_stock:
            number += _sample(c, row.id, now, step)
        else:
            # Nothing there has a figure it may show: what is published later drifts from then on.
            c.execute(
                update(sku_health)
                .where(sku_health.c.connection_id == row.id, sku_health.c.drift_since.is_not(None))
                .values(drift_since=None)
            )
    return number


def _sample(c: Connection, connection_id: int, now: datetime, step: timedelta) -> int:
    f, h = stock_figures.c, sku_health.c
    known = and_(f.connection_id == connection_id, f.target.is_not(None), SHOWN.is_not(None))
    drifts = and_(known, f.target != SHOWN)
    week, seconds = week_of(now), round(step.total_seconds())
    same_week = case((h.week == week, h.drift_seconds), else_=0)
    # While the marketplace's figure is not known a drift goes on: nothing has shown that it is over.
    wanted = exists().where(f.connection_id == connection_id, f.target.is_not(None), f.sku == h.sku)
    right = exists().where(known, f.target == SHOWN, f.sku == h.sku)
    drifting = (h.connection_id == connection_id, h.drift_since.is_not(None))
    c.execute(update(sku_health).where(*drifting, or_(right, ~wanted)).values(drift_since=None))
    c.execute(update(sku_health).where(*drifting).values(week=week, drift_seconds=same_week + seconds))
    fresh = select(f.connection_id, f.sku, literal(now, UtcDateTime), literal(week), literal(0)).where(drifts)
    new = upsert(sku_health).from_select(
        ["connection_id", "sku", "drift_since", "week", "drift_seconds"], fresh
    )
    c.execute(
        new.on_conflict_do_update(
            index_elements=["connection_id", "sku"],
            set_={
                "drift_since": func.coalesce(h.drift_since, new.excluded.drift_since),
                "week": week,
                "drift_seconds": same_week,
            },
        )
    )
    ages = c.execute(select(h.drift_since).where(*drifting)).scalars()
    counts = [0] * (len(BOUNDS) + 1)
    number = 0
    for since in ages:
        counts[class_of((now - since).total_seconds())] += 1
        number += 1
    agree = select(func.count()).select_from(stock_figures).where(known, f.target == SHOWN)
    counts[0] += c.execute(agree).scalar_one()
    if any(counts):
        add_counts(c, connection_id, "stock_drift", now, counts)
    return number


def note_sales(c: Connection, now: datetime) -> int:
    """Note the last sale of each SKU: every order once, by the lines it was sold with. Returns how many orders were
    counted."""
    c.execute(upsert(measured).values(name="sku sales", until=now, position=0).on_conflict_do_nothing())
    position = c.execute(select(measured.c.position).where(measured.c.name == "sku sales")).scalar_one()
    rows = c.execute(
        select(
            orders.c.id,
            orders.c.connection_id,
            orders.c.created_at,
            orders.c.last_view["mirakl"]["created_at"].astext.label("sold_at"),
            orders.c.memory["ordered"].label("ordered"),
        )
        .where(orders.c.id > position)
        .order_by(orders.c.id)
        .limit(MOST_ORDERS)
    ).all()
    sold: dict[tuple[int, str], datetime] = {}
    last, number = position, 0
    for row in rows:
        lines = row.ordered if isinstance(row.ordered, list) else []
        # An order that was not looked at yet says nothing of its lines; one that never will is passed after an hour.
        if not lines and now - row.created_at < _READY_AFTER:
            break
        last, number = row.id, number + 1
        # By the marketplace's clock: an order that was read late was sold before.
        sold_at = row.created_at if row.sold_at is None else datetime.fromisoformat(row.sold_at)
        for line in lines:
            key = (row.connection_id, str(line.get("sku", "")))
            if key[1]:
                sold[key] = max(sold.get(key, sold_at), sold_at)
    if sold:
        new = upsert(sku_health).values(
            [
                {"connection_id": connection_id, "sku": sku, "last_sale_at": at}
                for (connection_id, sku), at in sorted(sold.items())
            ]
        )
        latest = func.greatest(sku_health.c.last_sale_at, new.excluded.last_sale_at)
        c.execute(
            new.on_conflict_do_update(index_elements=["connection_id", "sku"], set_={"last_sale_at": latest})
        )
    if last != position:
        c.execute(update(measured).where(measured.c.name == "sku sales").values(position=last, until=now))
    return number


def drift_of_all(c: Connection, now: datetime, connection: str = "") -> tuple[Drift, ...]:
    """The SKUs of every live connection at a glance, or of the one of that name."""
    found = []
    for row in all_connections(c):
        if not row.live or connection not in ("", row.name):
            continue
        f = stock_figures.c
        both = and_(f.target.is_not(None), SHOWN.is_not(None))
        known, drifting, oversold = c.execute(
            select(
                func.count().filter(both),
                func.count().filter(and_(both, f.target != SHOWN)),
                func.count().filter(and_(both, f.target < SHOWN)),
            ).where(f.connection_id == row.id)
        ).one()
        h = sku_health.c
        seconds = c.execute(
            select(func.coalesce(func.sum(h.drift_seconds), 0)).where(
                h.connection_id == row.id, h.week == week_of(now)
            )
        ).scalar_one()
        beyond = SHOWN - f.target
        worst = c.execute(
            select(f.sku, beyond)
            .where(f.connection_id == row.id, both, f.target != SHOWN)
            .order_by(beyond < 0, func.abs(beyond).desc(), f.sku)
            .limit(MOST_NAMED)
        )
        found.append(
            Drift(
                row.name,
                known,
                drifting,
                oversold,
                int(seconds) // 60,
                offer_states(c, row),
                tuple((one[0], int(one[1])) for one in worst),
            )
        )
    return tuple(found)


OFFER_STATES = (
    "in agreement",
    "drifting",
    "oversold",
    "refused",
    "not known",
    "unmapped",
    "ambiguous",
    "deleted",
)
"""What an offer of a connection is counted as: it shows what it may, less, or more; the marketplace refused its figure; what
it may or does show is not known; no product stands behind it, or several that carry its SKU; it was deleted."""


def offer_states(c: Connection, row: ConnectionRow) -> tuple[tuple[str, int], ...]:
    """How many offers of a connection are in each of OFFER_STATES; every offer is counted once."""
    f = stock_figures.c
    figure = and_(f.connection_id == offers.c.connection_id, f.sku == offers.c.sku)
    living = offers.alias("living")
    twin = exists().where(
        living.c.connection_id == offers.c.connection_id,
        living.c.sku == offers.c.sku,
        living.c.deleted.is_(False),
    )
    state = case(
        (offers.c.deleted, "deleted"),
        (~is_linked(offers.c.connection_id, offers.c.sku), "unmapped"),
        (f.target < SHOWN, "oversold"),
        (f.target > SHOWN, "drifting"),
        (f.refused_why != "", "refused"),
        (f.target == SHOWN, "in agreement"),
        else_="not known",
    )
    rows = c.execute(
        select(state.label("state"), func.count(offers.c.sku.distinct()).label("number"))
        .select_from(offers.outerjoin(stock_figures, figure))
        .where(offers.c.connection_id == row.id, or_(offers.c.deleted.is_(False), ~twin))
        .group_by(state)
    )
    number = {one.state: int(one.number) for one in rows}
    ambiguous = _ambiguous(c, row) if number.get("unmapped") else 0
    number["unmapped"] = number.get("unmapped", 0) - ambiguous
    number["ambiguous"] = ambiguous
    return tuple((name, number.get(name, 0)) for name in OFFER_STATES)


def _ambiguous(c: Connection, row: ConnectionRow) -> int:
    """Offers that lead to no product because several carry the SKU that is looked for."""
    mapped = and_(
        sku_mappings.c.connection_id == offers.c.connection_id, sku_mappings.c.mirakl_sku == offers.c.sku
    )
    bundle = exists().where(
        bundle_components.c.connection_id == offers.c.connection_id,
        bundle_components.c.mirakl_sku == offers.c.sku,
    )
    carried = (
        select(func.count())
        .select_from(shop_variants)
        .where(
            shop_variants.c.shop == row.shopify_shop,
            shop_variants.c.gone.is_(False),
            shop_variants.c.sku == func.coalesce(sku_mappings.c.shop_sku, offers.c.sku),
        )
        .scalar_subquery()
    )
    query = (
        select(func.count(offers.c.sku.distinct()))
        .select_from(offers.outerjoin(sku_mappings, mapped))
        .where(
            offers.c.connection_id == row.id,
            offers.c.deleted.is_(False),
            ~is_linked(offers.c.connection_id, offers.c.sku),
            ~bundle,
            carried > 1,
        )
    )
    return int(c.execute(query).scalar_one())


# -- reading -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SkuMark:
    """Where a page of the list begins: after this connection's SKU."""

    connection_id: int
    sku: str

    def __str__(self) -> str:
        return f"{self.connection_id}:{self.sku}"


def mark_of(written: str) -> SkuMark | None:
    """The mark a page gave, or None for what is none."""
    number, between, sku = written.partition(":")
    if not between or not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    return SkuMark(int(number), sku)


def sku_page(
    c: Connection,
    now: datetime,
    *,
    connection_id: int | None = None,
    state: str = "",
    sku: str = "",
    after: SkuMark | None = None,
    limit: int = 50,
) -> tuple[tuple[SkuHealth, ...], SkuMark | None]:
    """SKUs by connection and name, and where the next page begins. `state` keeps those of one state, `sku` those whose
    name begins so."""
    chosen = _chosen(connection_id, state, sku, after).limit(limit + 1)
    keys = [(row.connection_id, row.sku) for row in c.execute(chosen)]
    page = keys[:limit]
    following = SkuMark(*page[-1]) if len(keys) > limit and page else None
    names = {row.id: row for row in all_connections(c)}
    found: list[SkuHealth] = []
    for of_connection in dict.fromkeys(key[0] for key in page):
        skus = [name for number, name in page if number == of_connection]
        found += _facts(c, names[of_connection], skus, now)
    return tuple(found), following


def _chosen(
    connection_id: int | None, state: str, sku: str, after: SkuMark | None
) -> Select[tuple[int, str]]:
    keys = _keys(state).subquery()
    key = (keys.c.connection_id, keys.c.sku)
    query = select(*key).order_by(*key)
    if connection_id is not None:
        query = query.where(keys.c.connection_id == connection_id)
    if sku:
        query = query.where(keys.c.sku.startswith(sku, autoescape=True))
    if after is not None:
        query = query.where(tuple_(*key) > tuple_(literal(after.connection_id), literal(after.sku)))
    return query


def _keys(state: str) -> Select[Any] | CompoundSelect[Any]:
    """Connection and SKU of what is in a state, or of every SKU that is known at a marketplace."""
    f = stock_figures.c
    figure = select(f.connection_id, f.sku)
    match state:
        case "oversold":
            return figure.where(f.target < SHOWN)
        case "drifting":
            return figure.where(f.target > SHOWN)
        case "refused":
            return figure.where(f.refused_why != "")
        case "price differs":
            return _at_another_price()
        case "no product":
            every = _every().subquery()
            key = (every.c.connection_id, every.c.sku)
            return select(*key).where(~is_linked(*key))
        case "edit blocked":
            return _with_blocked_edits()
        case "not known":
            return _with_unknown_figures()
        case _:
            return _every()


def _every() -> CompoundSelect[Any]:
    f = stock_figures.c
    return union(
        select(offers.c.connection_id, offers.c.sku).where(offers.c.deleted.is_(False)),
        select(f.connection_id, f.sku),
        select(sku_health.c.connection_id, sku_health.c.sku),
    )


def _with_unknown_figures() -> Select[Any]:
    """Offers of which it is not known what they may show, or what they do show; those without a counted stock have no figure
    to know."""
    f = stock_figures.c
    figure = and_(f.connection_id == offers.c.connection_id, f.sku == offers.c.sku)
    careful = f.because.cast(Text).contains(WITH_CARE)
    return (
        select(offers.c.connection_id, offers.c.sku)
        .distinct()
        .join(connections, connections.c.id == offers.c.connection_id)
        .outerjoin(stock_figures, figure)
        .where(
            offers.c.deleted.is_(False),
            is_linked(offers.c.connection_id, offers.c.sku),
            connections.c.rules["publish_stock"].as_boolean(),
            or_(
                f.sku.is_(None),
                and_(f.target.is_(None), careful),
                and_(f.target.is_not(None), SHOWN.is_(None)),
            ),
        )
    )


def _at_another_price() -> Select[Any]:
    """Offers of one unit of one product whose price is another than the product's, in the shop's currency."""
    return (
        select(offers.c.connection_id, offers.c.sku)
        .distinct()
        .join(
            offer_links,
            and_(
                offer_links.c.connection_id == offers.c.connection_id, offer_links.c.offer_sku == offers.c.sku
            ),
        )
        .join(shop_variants, shop_variants.c.variant_id == offer_links.c.variant_id)
        .join(variant_reads, variant_reads.c.shop == shop_variants.c.shop)
        .where(
            offers.c.deleted.is_(False),
            offer_links.c.units == 1,
            offer_links.c.how != "bundle",
            offers.c.currency == variant_reads.c.currency,
            offers.c.price != shop_variants.c.price,
        )
    )


def _with_blocked_edits() -> CompoundSelect[Any]:
    """SKUs of edits that did not get through, under their own name at the marketplace or that of a product behind them."""
    blocked = (
        select(edit_clock_rows.c.connection_id, func.unnest(edit_clock_rows.c.skus).label("sku"))
        .distinct()
        .where(edit_clock_rows.c.outcome.not_in(("", "confirmed", "released")))
        .subquery()
    )
    every = _every().subquery()
    both = and_(every.c.connection_id == blocked.c.connection_id, every.c.sku == blocked.c.sku)
    of_product = and_(
        offer_links.c.connection_id == blocked.c.connection_id, offer_links.c.shop_sku == blocked.c.sku
    )
    return union(
        select(every.c.connection_id, every.c.sku).join(blocked, both),
        select(offer_links.c.connection_id, offer_links.c.offer_sku.label("sku")).join(blocked, of_product),
    )


def _facts(c: Connection, row: Any, skus: Sequence[str], now: datetime) -> list[SkuHealth]:
    offered = {one.sku: one for one in known_offers(c, row.id, skus)}
    linked: dict[str, list[Any]] = {}
    for link in links(c, row.id, offer_skus=skus):
        linked.setdefault(link.offer_sku, []).append(link)
    variants = [link.variant_id for of_sku in linked.values() for link in of_sku]
    prices = {
        one.variant_id: one.price
        for one in c.execute(
            select(shop_variants.c.variant_id, shop_variants.c.price).where(
                shop_variants.c.shop == row.shopify_shop, shop_variants.c.variant_id.in_(variants)
            )
        )
    }
    shop_read = variants_read(c, row.shopify_shop)
    currency = "" if shop_read is None else shop_read[1]
    figures = {one.sku: one for one in _rows(c, stock_figures, row.id, skus)}
    health = {one.sku: one for one in _rows(c, sku_health, row.id, skus)}
    problems = _problems(c, row.id, skus)
    edits = _edits(c, row.id, skus, linked, now)
    week, file_problem = week_of(now), _file_problem(c, row.id)
    pause = row.rules.paused("stock", now)
    paused = "" if pause is None else f"No figure is told: the stock is {pause.in_words}"
    stock_read_at = c.execute(
        select(stock_shops.c.read_at).where(stock_shops.c.shop == row.shopify_shop)
    ).scalar_one_or_none()
    found = []
    for sku in skus:
        offer, behind = offered.get(sku), linked.get(sku, [])
        figure, sampled = figures.get(sku), health.get(sku)
        single = len(behind) == 1 and behind[0].units == 1 and behind[0].how != "bundle"
        same_money = offer is not None and offer.currency == currency and not offer.deleted
        price = prices.get(behind[0].variant_id) if single and same_money else None
        found.append(
            judged(
                SkuFacts(
                    connection=row.name,
                    connection_id=row.id,
                    sku=sku,
                    linked=bool(behind),
                    shop_skus=tuple(link.shop_sku for link in behind),
                    last_sale_at=None if sampled is None else sampled.last_sale_at,
                    edits=tuple(edits.get(sku, ())),
                    target=None if figure is None else figure.target,
                    shown=None if figure is None else shown_of(figure),
                    published=None if figure is None else figure.published,
                    published_at=None if figure is None else figure.published_at,
                    confirmed_at=None if figure is None else figure.confirmed_at,
                    refused_why="" if figure is None else figure.refused_why,
                    drift_since=None if sampled is None else sampled.drift_since,
                    drift_minutes=0
                    if sampled is None or sampled.week != week
                    else sampled.drift_seconds // 60,
                    offer_price=offer.price if offer is not None and price is not None else None,
                    shop_price=price,
                    currency=currency,
                    problem=problems.get(sku, ""),
                    file_problem=file_problem,
                    paused=paused,
                    careful=()
                    if figure is None
                    else tuple(said for said in figure.because if said.startswith(WITH_CARE)),
                    stock_read_at=stock_read_at,
                    publishes=row.rules.publish_stock,
                    uncounted=figure is not None
                    and figure.computed_at is not None
                    and figure.target is None
                    and not any(said.startswith(WITH_CARE) for said in figure.because),
                )
            )
        )
    return found


def _rows(c: Connection, table: Table, connection_id: int, skus: Sequence[str]) -> Sequence[Row[Any]]:
    return c.execute(select(table).where(table.c.connection_id == connection_id, table.c.sku.in_(skus))).all()


def _file_problem(c: Connection, connection_id: int) -> str:
    """Why no stock file of the connection gets through, where a case says so."""
    query = select(cases.c.sentence).where(
        cases.c.connection_id == connection_id, cases.c.closed_at.is_(None), cases.c.reason.in_(_OF_THE_FILE)
    )
    return c.execute(query.order_by(cases.c.id.desc()).limit(1)).scalar_one_or_none() or ""


def _problems(c: Connection, connection_id: int, skus: Sequence[str]) -> dict[str, str]:
    rows = c.execute(
        select(cases.c.subject, cases.c.sentence)
        .where(
            cases.c.connection_id == connection_id,
            cases.c.closed_at.is_(None),
            cases.c.reason.in_(_REASONS),
            cases.c.subject.in_(skus),
        )
        .order_by(cases.c.id.desc())
    )
    return {row.subject: row.sentence for row in rows}


def _edits(
    c: Connection, connection_id: int, skus: Sequence[str], linked: dict[str, list[Any]], now: datetime
) -> dict[str, list[SkuEdit]]:
    """The edits of the last 30 days that touched each SKU, under its own name or under that of a product behind it."""
    by_name: dict[str, list[str]] = {}
    for sku in skus:
        for name in {sku, *(link.shop_sku for link in linked.get(sku, ()))}:
            by_name.setdefault(name, []).append(sku)
    rows = c.execute(
        select(edit_clock_rows)
        .where(
            edit_clock_rows.c.connection_id == connection_id,
            edit_clock_rows.c.edited_at >= now - EDITS_OF,
            edit_clock_rows.c.skus.overlap(sorted(by_name)),
        )
        .order_by(edit_clock_rows.c.edited_at, edit_clock_rows.c.order_id)
    )
    found: dict[str, list[SkuEdit]] = {}
    for row in rows:
        until = now if row.settled_at is None else row.settled_at
        seconds = max((until - row.edited_at).total_seconds() - row.quiet_seconds, 0.0)
        edit = SkuEdit(row.edited_at, seconds, row.outcome)
        for sku in dict.fromkeys(sku for name in row.skus for sku in by_name.get(name, ())):
            found.setdefault(sku, []).append(edit)
    return found
