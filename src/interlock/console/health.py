"""How the service is, from the database alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from interlock.cases.store import cases
from interlock.console import wording
from interlock.console.part_words import part_in_words
from interlock.engine.ledger import operations
from interlock.engine.store import (
    ConnectionRow,
    all_connections,
    budget_calls,
    budget_waits,
    counts,
    deliveries,
    heartbeats,
    polls,
    unreadable,
)
from interlock.inventory.store import stock_imports, stock_known_to
from interlock.monitoring.conditions import INTERVALS_ALLOWED, STOCK_DESK_SILENT, STOCK_READ_EVERY
from interlock.orders.store import orders
from interlock.quarantine.store import latest as latest_quarantine

STALE_AFTER = timedelta(minutes=5)
STALE_POLLS = 3
SWEPT_AT_LEAST_EVERY = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Pulse:
    """A part of the service that beats. `stale` when it was silent for longer than it may be. `title` is what people call
    it; empty where that is its name."""

    name: str
    at: datetime | None
    detail: str
    stale: bool
    title: str = ""

    @property
    def called(self) -> str:
        """What people call it."""
        return self.title or self.name


@dataclass(frozen=True, slots=True)
class WindowEnding:
    """An order whose acceptance window is running out."""

    order_id: int
    mirakl_order_id: str
    connection: str
    due_at: datetime
    gone: float


@dataclass(frozen=True, slots=True)
class Health:
    """How the service is. `problems` are sentences; empty means that nothing is wrong."""

    at: datetime
    problems: tuple[str, ...]
    pulses: tuple[Pulse, ...]
    polls: tuple[Pulse, ...]
    backlog: tuple[tuple[str, int], ...]
    waiting: int
    oldest_hint_at: datetime | None
    due_looks: int
    leased: int
    operations: tuple[tuple[str, int], ...]
    budgets: tuple[tuple[str, str, int, datetime | None], ...]
    windows: tuple[WindowEnding, ...]
    counts: tuple[tuple[str, str, int], ...]
    open_cases: tuple[tuple[str, int], ...]
    unresolved_deliveries: int
    unreadable: int

    @property
    def ok(self) -> bool:
        return not self.problems


def service_health(c: Connection, now: datetime) -> Health:
    """The state of the whole service, from the database alone."""
    stock = _stock(c)
    pulses = tuple(
        Pulse(row.name, row.at, row.detail, now - row.at > STALE_AFTER)
        for row in c.execute(select(heartbeats).order_by(heartbeats.c.name))
        if not row.name.startswith(_OF_STOCK)
    )
    rows = all_connections(c)
    intervals = {row.mirakl_account: row.poll_seconds for row in rows}
    asked = tuple(
        _poll_pulse(row, now, intervals)
        for row in c.execute(select(polls).order_by(polls.c.name))
        if not row.name.startswith(_OF_STOCK)
    )
    backlog = c.execute(
        select(orders.c.lane, func.count())
        .where(orders.c.hints > orders.c.handled)
        .group_by(orders.c.lane)
        .order_by(orders.c.lane)
    )
    lanes = tuple((row[0], int(row[1])) for row in backlog)
    oldest = c.execute(
        select(func.min(orders.c.hinted_at)).where(orders.c.hints > orders.c.handled)
    ).scalar_one()
    windows = _windows(c, now)
    open_cases = _grouped(c, cases.c.severity, cases.c.closed_at.is_(None))
    result = Health(
        at=now,
        problems=(),
        pulses=_titled((*pulses, *_stock_desks(c, stock, now)), rows),
        polls=_titled((*asked, *_stock_reads(c, stock, now)), rows),
        backlog=lanes,
        waiting=sum(number for _, number in lanes),
        oldest_hint_at=oldest,
        due_looks=_number(c, orders, orders.c.next_look_at <= now),
        leased=_number(c, orders, orders.c.lease_until > now),
        operations=_grouped(
            c, operations.c.state, and_(operations.c.done_at.is_(None), operations.c.state != "CONFIRMED")
        ),
        budgets=_budgets(c, now),
        windows=windows,
        counts=tuple((name, label, number) for (name, label), number in counts(c).items()),
        open_cases=open_cases,
        unresolved_deliveries=_number(c, deliveries, deliveries.c.resolved_at.is_(None)),
        unreadable=_number(c, unreadable),
    )
    held = latest_quarantine(c)
    if held is not None and held.open:
        said = f"In quarantine since {wording.stamp(held.began_at)}: nothing is written to any platform. {held.because}"
        result = replace(result, problems=(said,))
    return _with_problems(result, now)


def sources(c: Connection, now: datetime, connection: str = "") -> tuple[Pulse, ...]:
    """How fresh what we know of each platform is: the marketplaces' polls and the shops' sweeps, by connection; with a
    name, of that one."""
    found = []
    read = {row.name: row for row in c.execute(select(polls))}
    beats = {row.name: row for row in c.execute(select(heartbeats))}
    rows = all_connections(c)
    intervals = {row.mirakl_account: row.poll_seconds for row in rows}
    for row in rows:
        if connection and row.name != connection:
            continue
        if (poll := read.get(row.mirakl_account)) is not None:
            found.append(replace(_poll_pulse(poll, now, intervals), name=f"{row.name}: marketplace"))
        if (swept := beats.get(f"shopify sweep {row.name}")) is not None:
            late = now - swept.at > SWEPT_AT_LEAST_EVERY
            found.append(Pulse(f"{row.name}: shop", swept.at, swept.detail, late))
    return (*found, *_stock_reads(c, _stock(c, connection), now))


_OF_STOCK = "stock "
"""How the duties and beats begin that read a shop's stock and publish a connection's. They have limits of their own."""


def _stock(c: Connection, connection: str = "") -> tuple[ConnectionRow, ...]:
    """The connections that publish stock."""
    return tuple(
        row
        for row in all_connections(c)
        if row.live and row.rules.publish_stock and connection in ("", row.name)
    )


def _stock_reads(c: Connection, rows: tuple[ConnectionRow, ...], now: datetime) -> tuple[Pulse, ...]:
    """Up to when the stock of each shop that is published is known."""
    read_at = stock_known_to(c)
    found = []
    for shop in sorted({row.shopify_shop for row in rows}):
        at = read_at.get(shop)
        found.append(
            Pulse(f"stock of {shop}", at, "", at is None or now - at > STOCK_READ_EVERY * INTERVALS_ALLOWED)
        )
    return tuple(found)


def _stock_desks(c: Connection, rows: tuple[ConnectionRow, ...], now: datetime) -> tuple[Pulse, ...]:
    """When each desk of stock that was heard at all was last heard, and when it last sent a file."""
    beats = {row.name: row.at for row in c.execute(select(heartbeats))}
    found = []
    for row in rows:
        at = beats.get(f"stock desk {row.name}")
        if at is None:
            continue
        sent_at = c.execute(
            select(func.max(stock_imports.c.sent_at)).where(stock_imports.c.connection_id == row.id)
        ).scalar_one()
        told = "nothing published yet" if sent_at is None else f"last published {wording.ago(sent_at, now)}"
        found.append(Pulse(f"stock desk {row.name}", at, told, now - at > STOCK_DESK_SILENT))
    return tuple(found)


def _titled(pulses: tuple[Pulse, ...], rows: Sequence[ConnectionRow]) -> tuple[Pulse, ...]:
    return tuple(replace(pulse, title=part_in_words(pulse.name, rows)) for pulse in pulses)


def _with_problems(health: Health, now: datetime) -> Health:
    problems = list(health.problems)
    problems += [
        f"{pulse.called} was last heard {wording.ago(pulse.at, now)}."
        for pulse in health.pulses
        if pulse.stale
    ]
    problems += [
        f"{pulse.called} was last read {wording.ago(pulse.at, now)}."
        if pulse.at
        else f"{pulse.called} was never read."
        for pulse in health.polls
        if pulse.stale
    ]
    if not health.pulses:
        problems.append(
            "No worker has ever been heard: start one with `interlock serve` or `interlock worker`."
        )
    if health.oldest_hint_at is not None and now - health.oldest_hint_at > STALE_AFTER:
        problems.append(f"The oldest hint waits for {wording.span(now - health.oldest_hint_at)}.")
    ending = [window for window in health.windows if window.gone >= 0.6]
    if ending:
        problems.append(
            f"More than 60 % of the time to accept is gone for {wording.counted(len(ending), 'order')}."
        )
    return replace(health, problems=tuple(problems))


def _poll_pulse(row: Row[Any], now: datetime, intervals: dict[str, int]) -> Pulse:
    seconds = intervals.get(row.name)
    allowed = STALE_AFTER * 2 if seconds is None else timedelta(seconds=max(seconds * STALE_POLLS, 60))
    parts = [f"{row.ticks} walks"]
    if row.owner:
        parts.append(f"led by {row.owner}")
    if row.next_at is not None:
        parts.append(f"next {wording.clock(row.next_at, now)}")
    if row.event_reads_off_until is not None and row.event_reads_off_until > now:
        parts.append(f"reads by number off until {wording.clock(row.event_reads_off_until, now)}")
    return Pulse(
        row.name, row.last_ok_at, ", ".join(parts), row.last_ok_at is None or now - row.last_ok_at > allowed
    )


def _windows(c: Connection, now: datetime) -> tuple[WindowEnding, ...]:
    rows = c.execute(
        select(
            orders.c.id,
            orders.c.mirakl_order_id,
            orders.c.acceptance_due_at,
            orders.c.connection_id,
        )
        .where(orders.c.mirakl_state == "WAITING_ACCEPTANCE", orders.c.acceptance_due_at.is_not(None))
        .order_by(orders.c.acceptance_due_at, orders.c.id)
        .limit(20)
    ).all()
    by_id = {row.id: row for row in all_connections(c)} if rows else {}
    found = []
    for row in rows:
        connection = by_id[row.connection_id]
        window = connection.rules.acceptance_window
        gone = 0.0 if window is None else 1 - (row.acceptance_due_at - now) / window
        found.append(
            WindowEnding(
                row.id, row.mirakl_order_id, connection.name, row.acceptance_due_at, min(max(gone, 0.0), 1.0)
            )
        )
    return tuple(found)


def _budgets(c: Connection, now: datetime) -> tuple[tuple[str, str, int, datetime | None], ...]:
    """Calls of the last minute per account and operation, and pauses a platform asked for."""
    used = c.execute(
        select(budget_calls.c.account, budget_calls.c.operation, func.count())
        .where(budget_calls.c.at > now - timedelta(minutes=1))
        .group_by(budget_calls.c.account, budget_calls.c.operation)
    )
    both: dict[tuple[str, str], tuple[int, datetime | None]] = {(a, o): (int(n), None) for a, o, n in used}
    for row in c.execute(select(budget_waits).where(budget_waits.c.until > now)):
        calls = both.get((row.account, row.operation), (0, None))[0]
        both[(row.account, row.operation)] = (calls, row.until)
    return tuple((a, o, n, until) for (a, o), (n, until) in sorted(both.items()))


def _grouped(c: Connection, column: Any, condition: Any) -> tuple[tuple[str, int], ...]:
    rows = c.execute(select(column, func.count()).where(condition).group_by(column).order_by(column))
    return tuple((row[0], int(row[1])) for row in rows)


def _number(c: Connection, table: Any, *conditions: Any) -> int:
    return int(c.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())
