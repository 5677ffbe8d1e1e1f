"""Durations counted as they end, in small rows: every five minutes for alerts, every hour for the page, every day for the
long run. One worker at a time moves the cursor; what was counted is never counted again."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    delete,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.cases.store import cases
from interlock.engine.ledger import ACTION, operations
from interlock.engine.store import ConnectionRow, all_connections, polls
from interlock.monitoring.measures import (
    BOUNDS,
    Counted,
    Edit,
    EditClock,
    EndedCall,
    Latency,
    Measure,
    OrderFacts,
    class_of,
    edit_clocks,
    latencies,
)
from interlock.orders.actions import ValidateShipment
from interlock.orders.changes import OURSELVES, History
from interlock.orders.codec import decode
from interlock.orders.leaving import stays_here
from interlock.orders.snapshots import Fulfillment
from interlock.orders.store import orders, timeline
from interlock.orders.view import View
from interlock.shipping.parcels import marker_of
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

SETTLES_AFTER = timedelta(seconds=30)
"""Rows that ended so long ago are all committed: no transaction of ours lasts longer."""
MOST_ROWS = 2000
OF_NO_CONNECTION = 0
"""Under this number stands what belongs to no single connection, such as the answering of deliveries."""
EDIT_WATCHED_FOR = timedelta(days=14)
GRAINS: tuple[tuple[str, timedelta, timedelta], ...] = (
    ("5min", timedelta(minutes=5), timedelta(days=4)),
    ("hour", timedelta(hours=1), timedelta(days=40)),
    ("day", timedelta(days=1), timedelta(days=800)),
)
"""Name, width and how long rows are kept."""

latency_counts = Table(
    "latency_counts",
    metadata,
    Column("grain", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    # 0 where it concerns no connection
    Column("connection_id", BigInteger, primary_key=True),
    Column("slot", UtcDateTime, primary_key=True),
    # as many as there are classes in measures.BOUNDS, and one more
    Column("counts", ARRAY(Integer), nullable=False),
    Index("ix_latency_counts_slot", "grain", "slot"),
)

edit_clock_rows = Table(
    "edit_clocks",
    metadata,
    Column("order_id", BigInteger, ForeignKey("orders.id"), primary_key=True),
    Column("change_id", Text, primary_key=True),
    Column("connection_id", BigInteger, nullable=False),
    Column("edited_at", UtcDateTime, nullable=False),
    Column("skus", ARRAY(Text), nullable=False),
    Column("quiet_seconds", Integer, nullable=False),
    Column("held_at", UtcDateTime),
    Column("settled_at", UtcDateTime),
    Column("outcome", Text, nullable=False, server_default=""),
    Index("ix_edit_clocks_edited_at", "edited_at"),
)

measured = Table(
    "measured",
    metadata,
    Column("name", Text, primary_key=True),
    # everything that ended until then is counted
    Column("until", UtcDateTime, nullable=False),
    # the last row of the timeline that needs no second look
    Column("position", BigInteger, nullable=False),
)


def add(c: Connection, connection_id: int, found: Iterable[Latency]) -> int:
    """Count these durations in every grain; returns how many."""
    slots: dict[tuple[str, str, datetime], list[int]] = {}
    number = 0
    for latency in found:
        number += 1
        for grain, width, _ in GRAINS:
            key = (grain, latency.measure, slot_of(latency.at, width))
            slots.setdefault(key, [0] * (len(BOUNDS) + 1))[class_of(latency.seconds)] += 1
    _add_slots(c, connection_id, slots)
    return number


def add_counts(c: Connection, connection_id: int, measure: Measure, at: datetime, counts: list[int]) -> None:
    """Add what was counted elsewhere, class by class of measures.BOUNDS, to the slots of this moment."""
    _add_slots(
        c, connection_id, {(grain, measure, slot_of(at, width)): list(counts) for grain, width, _ in GRAINS}
    )


def _add_slots(c: Connection, connection_id: int, slots: dict[tuple[str, str, datetime], list[int]]) -> None:
    for (grain, measure, slot), counts in sorted(slots.items()):
        key_of = {"grain": grain, "measure": measure, "connection_id": connection_id, "slot": slot}
        made = c.execute(
            upsert(latency_counts)
            .values(**key_of, counts=counts)
            .on_conflict_do_nothing()
            .returning(latency_counts.c.slot)
        ).one_or_none()
        if made is not None:
            continue
        mine = [latency_counts.c[name] == value for name, value in key_of.items()]
        there = c.execute(select(latency_counts.c.counts).where(*mine).with_for_update()).scalar_one()
        summed = [one + two for one, two in zip(there, counts, strict=True)]
        c.execute(update(latency_counts).where(*mine).values(counts=summed))


def slot_of(moment: datetime, width: timedelta) -> datetime:
    """The start of the slot a moment lies in."""
    seconds = width.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, moment.tzinfo)


def measure_ended(c: Connection, now: datetime) -> int:
    """Count what has ended since the last time, and move the cursor. Returns how many durations were counted; another
    worker that is at it lets this one do nothing."""
    c.execute(
        upsert(measured)
        .values(name="orders", until=now - timedelta(days=1), position=0)
        .on_conflict_do_nothing()
    )
    cursor = c.execute(
        select(measured).where(measured.c.name == "orders").with_for_update(skip_locked=True)
    ).one_or_none()
    if cursor is None:
        return 0
    until = now - SETTLES_AFTER
    news = c.execute(
        select(timeline.c.id, timeline.c.order_id, timeline.c.at)
        .where(timeline.c.id > cursor.position)
        .order_by(timeline.c.id)
        .limit(MOST_ROWS)
    ).all()
    if len(news) == MOST_ROWS:
        # Catching up: only as far as these rows reach.
        until = min(until, max(cursor.until, news[-1].at - SETTLES_AFTER))
    number = 0
    by_id = {row.id: row for row in all_connections(c)}
    waiting = c.execute(
        select(edit_clock_rows.c.order_id)
        .where(edit_clock_rows.c.settled_at.is_(None), edit_clock_rows.c.edited_at > now - EDIT_WATCHED_FOR)
        .order_by(edit_clock_rows.c.order_id)
        .limit(MOST_ROWS)
    ).scalars()
    for order_id in sorted({*(row.order_id for row in news), *waiting}):
        facts = order_facts(c, by_id, order_id)
        for clock in edit_clocks(facts):
            _keep_clock(c, facts, clock)
        fresh = [one for one in latencies(facts) if cursor.until < one.at <= until]
        number += add(c, facts.connection_id, fresh)
    # What is younger may still be joined by rows with lower numbers: it is looked at once more.
    settled = [row.id for row in news if row.at <= until - SETTLES_AFTER]
    young = [row.id for row in news if row.at > until - SETTLES_AFTER]
    position = min(young) - 1 if young else max(settled, default=cursor.position)
    c.execute(
        update(measured)
        .where(measured.c.name == "orders")
        .values(until=max(until, cursor.until), position=max(position, cursor.position))
    )
    return number


def order_facts(c: Connection, by_id: dict[int, ConnectionRow], order_id: int) -> OrderFacts:
    """What the measures need of one order."""
    row = c.execute(
        select(orders.c.connection_id, orders.c.created_at, orders.c.last_view, orders.c.history).where(
            orders.c.id == order_id
        )
    ).one()
    calls = c.execute(
        select(operations.c.kind, operations.c.ended_at)
        .where(
            operations.c.order_id == order_id,
            operations.c.state == "CONFIRMED",
            operations.c.ended_at.is_not(None),
        )
        .order_by(operations.c.ended_at, operations.c.id)
    )
    opened = c.execute(
        select(cases.c.reason, cases.c.opened_at).where(cases.c.order_id == order_id).order_by(cases.c.id)
    )
    view = None if row.last_view is None else decode(View, row.last_view)
    left: tuple[Fulfillment, ...] = ()
    if view is not None and view.shopify is not None:
        left = tuple(f for f in view.shopify.fulfillments if f.live and not stays_here(f, view.memory))
    return OrderFacts(
        order_id=order_id,
        connection_id=row.connection_id,
        seen_at=row.created_at,
        sold_at=None if view is None or view.mirakl is None else view.mirakl.created_at,
        quiet=by_id[row.connection_id].rules.quiet_period,
        calls=tuple(EndedCall(call.kind, call.ended_at) for call in calls),
        cases=tuple((case.reason, case.opened_at) for case in opened),
        edits=_edits(row, view),
        left_at=tuple(parcel.created_at for parcel in left),
        told_singly=_told_singly(c, order_id, view, left),
    )


def _told_singly(
    c: Connection, order_id: int, view: View | None, left: tuple[Fulfillment, ...]
) -> tuple[tuple[datetime, datetime], ...]:
    """When each parcel of which the marketplace was told by a shipment of its own (ST24) left, and when it was told."""
    shipments = () if view is None or view.mirakl is None else view.mirakl.shipments or ()
    if not shipments:
        return ()
    rows = c.execute(
        select(operations.c.action, operations.c.ended_at).where(
            operations.c.order_id == order_id,
            operations.c.kind == ValidateShipment.__name__,
            operations.c.state == "CONFIRMED",
            operations.c.ended_at.is_not(None),
        )
    )
    said = {decode(ACTION, row.action).shipment_id: row.ended_at for row in rows}
    told = {shipment.marker: said[shipment.id] for shipment in shipments if shipment.id in said}
    return tuple(
        (parcel.created_at, told[marker_of(parcel.id)]) for parcel in left if marker_of(parcel.id) in told
    )


def _edits(row: Any, view: View | None) -> tuple[Edit, ...]:
    if row.history is None:
        return ()
    lines = view.shopify.lines if view is not None and view.shopify is not None else ()
    skus = {line.id: line.sku for line in lines}
    return tuple(
        Edit(change.id, change.at, tuple(sorted({skus.get(line, "") for line, _ in change.lines} - {""})))
        for change in decode(History, row.history).changes
        if change.kind == "ORDER_EDIT" and change.by != OURSELVES
    )


def _keep_clock(c: Connection, facts: OrderFacts, clock: EditClock) -> None:
    values = {"held_at": clock.held_at, "settled_at": clock.settled_at, "outcome": clock.outcome}
    c.execute(
        upsert(edit_clock_rows)
        .values(
            order_id=facts.order_id,
            change_id=clock.edit.id,
            connection_id=facts.connection_id,
            edited_at=clock.edit.at,
            skus=list(clock.edit.skus),
            quiet_seconds=round(facts.quiet.total_seconds()),
            **values,
        )
        .on_conflict_do_update(index_elements=["order_id", "change_id"], set_=values)
    )


def sample_freshness(c: Connection, now: datetime) -> int:
    """Count how old each live account's last good read is at this moment, in intervals of its own."""
    live = [row for row in all_connections(c) if row.live]
    every = {row.mirakl_account: (row.id, timedelta(seconds=row.poll_seconds)) for row in live}
    every |= {f"sweep {row.shopify_account}": (row.id, timedelta(minutes=5)) for row in live}
    number = 0
    for row in c.execute(select(polls).where(polls.c.last_ok_at.is_not(None)).order_by(polls.c.name)).all():
        if row.name in every:
            connection_id, interval = every[row.name]
            age = max((now - row.last_ok_at) / interval, 0.0)
            number += add(c, connection_id, [Latency("freshness", now, age)])
    return number


def counted_since(
    c: Connection, grain: str, since: datetime, connection_id: int | None = None
) -> dict[Measure, Counted]:
    """Durations by measure over the slots that begin at or after `since`."""
    return {
        measure: total
        for measure, total in _summed(
            (row.measure, row.counts) for row in _rows(c, grain, since, connection_id)
        ).items()
    }


def by_slot(
    c: Connection, grain: str, since: datetime, connection_id: int | None = None
) -> list[tuple[Measure, datetime, Counted]]:
    """The same, slot by slot, in order of time."""
    slots = _summed(((row.measure, row.slot), row.counts) for row in _rows(c, grain, since, connection_id))
    return sorted(((key[0], key[1], total) for key, total in slots.items()), key=lambda one: (one[0], one[1]))


def _rows(c: Connection, grain: str, since: datetime, connection_id: int | None) -> Iterable[Row[Any]]:
    asked = select(latency_counts).where(latency_counts.c.grain == grain, latency_counts.c.slot >= since)
    if connection_id is not None:
        asked = asked.where(latency_counts.c.connection_id == connection_id)
    return c.execute(asked.order_by(latency_counts.c.measure, latency_counts.c.slot))


def _summed(rows: Iterable[tuple[Any, list[int]]]) -> dict[Any, Counted]:
    totals: dict[Any, list[int]] = {}
    for key, counts in rows:
        total = totals.setdefault(key, [0] * len(counts))
        for place, number in enumerate(counts):
            total[place] += number
    return {key: Counted(tuple(total)) for key, total in totals.items()}


def forget_counts(c: Connection, now: datetime) -> int:
    """Delete rows of each grain that are older than it is kept, and the clocks of edits after 40 days."""
    gone = 0
    for grain, _, kept in GRAINS:
        old = latency_counts.c.slot < now - kept
        gone += c.execute(delete(latency_counts).where(latency_counts.c.grain == grain, old)).rowcount
    gone += c.execute(
        delete(edit_clock_rows).where(edit_clock_rows.c.edited_at < now - timedelta(days=40))
    ).rowcount
    return int(gone)
