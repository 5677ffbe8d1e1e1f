"""The board of health: objectives, durations, edits by SKU, stock that drifts. Computed every minute by one worker, kept in one row, read by
the page, the command and the metrics, however long the history is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Table,
    Text,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.access.erasures import answered_since, waiting_since
from interlock.cases.store import cases
from interlock.engine.ledger import operations
from interlock.engine.store import all_connections, one_connection
from interlock.monitoring.decide import Finding
from interlock.monitoring.measures import BOUNDS, TITLES, Counted, Measure
from interlock.monitoring.objectives import BURN_WINDOWS, Numbers, Objective, burn, objectives
from interlock.monitoring.rollup import OF_NO_CONNECTION, by_slot, counted_since, edit_clock_rows
from interlock.monitoring.skus import Drift, drift_of_all
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.orders.timeline import counted
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

PERIOD = timedelta(days=30)
SETTLED_WITHIN = timedelta(minutes=15)
MOST_SKUS = 200
REFUND_DEBT = tuple(
    reason.value
    for reason in (
        Reason.REFUND_TASK,
        Reason.REFUND_MADE_ALREADY,
        Reason.REFUND_APPROVAL,
        Reason.REFUND_REFUSED,
        Reason.REFUND_MISMATCH,
        Reason.REFUND_NOT_PAID,
        # The customer of an order that is cancelled on one side waits for all of the money.
        Reason.CANCELLED_IN_SHOPIFY,
    )
)
GROWING_FROM = 10

boards = Table(
    "boards",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("body", JSONB, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Histogram:
    """Durations of one measure over the period: how many in each class, and the shares people ask for. A share that lies
    beyond every class is None."""

    measure: str
    title: str
    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    p50: float | None
    p95: float | None
    p99: float | None
    number: int


@dataclass(frozen=True, slots=True)
class Day:
    """Edits of one day: how many were settled, and p50 and p95 from edit to settled, in seconds."""

    day: str
    number: int
    p50: float | None
    p95: float | None


@dataclass(frozen=True, slots=True)
class SkuHealth:
    """How edits of one SKU get through: confirmed ones with p50 and p95 in seconds, and blocked ones by cause."""

    sku: str
    edits: int
    p50: float | None
    p95: float | None
    blocked: tuple[tuple[str, int], ...]
    waiting: int


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that is measured, as of `at`."""

    at: datetime
    objectives: tuple[Objective, ...]
    histograms: tuple[Histogram, ...]
    edits_by_day: tuple[Day, ...]
    blocked: tuple[tuple[str, int], ...]
    skus: tuple[SkuHealth, ...]
    oldest_by_lane: tuple[tuple[str, int, float], ...]
    drift: tuple[Drift, ...] = ()


_AS_JSON = TypeAdapter(Board)


def working_days_before(now: datetime, days: int) -> datetime:
    """The moment so many working days (Monday to Friday) before."""
    moment, left = now, days
    while left:
        moment -= timedelta(days=1)
        if moment.weekday() < 5:
            left -= 1
    return moment


OF_THE_INSTALLATION = ("S7", "S13")
"""The objectives that are of no one connection: a shop tells of all its connections at once, and so does a request about
personal data."""


def make_board(c: Connection, now: datetime, connection_id: int | None = None) -> Board:
    """Compute the board of all connections, or of the one with this row number without OF_THE_INSTALLATION. Reads rollup
    rows, open cases and the edits of the period; no order's history."""
    since = now - PERIOD
    durations = counted_since(c, "hour", since, connection_id)
    name = "" if connection_id is None else one_connection(c, connection_id).name
    return Board(
        at=now,
        objectives=tuple(
            one
            for one in objectives(_numbers(c, now, durations, connection_id))
            if connection_id is None or one.code not in OF_THE_INSTALLATION
        ),
        histograms=tuple(_histogram(measure, durations.get(measure, Counted())) for measure in TITLES),
        edits_by_day=_by_day(c, since, connection_id),
        blocked=_blocked(c, since, connection_id),
        skus=_skus(c, since, connection_id),
        oldest_by_lane=_lanes(c, now, connection_id),
        drift=drift_of_all(c, now, name),
    )


def _of(column: ColumnElement[Any], connection_id: int | None) -> ColumnElement[bool]:
    """The condition that a row belongs to the connection; to any, where none is asked for."""
    return true() if connection_id is None else column == connection_id


def keep_board(c: Connection, now: datetime) -> Board:
    """Compute the board and keep it in its row."""
    board = make_board(c, now)
    body = _AS_JSON.dump_python(board, mode="json")
    c.execute(
        upsert(boards)
        .values(name="health", at=now, body=body)
        .on_conflict_do_update(index_elements=["name"], set_={"at": now, "body": body})
    )
    return board


def is_younger(c: Connection, moment: datetime) -> bool:
    """Whether the kept board was computed after that moment."""
    at = c.execute(select(boards.c.at).where(boards.c.name == "health")).scalar_one_or_none()
    return at is not None and at > moment


def kept_board(c: Connection) -> Board | None:
    """The board as last computed; None before the first time."""
    body = c.execute(select(boards.c.body).where(boards.c.name == "health")).scalar_one_or_none()
    return None if body is None else _AS_JSON.validate_python(body)


# -- numbers of the objectives -----------------------------------------------------------------------------


def _numbers(
    c: Connection, now: datetime, durations: dict[Measure, Counted], connection_id: int | None
) -> Numbers:
    since = now - PERIOD
    edits = c.execute(
        select(
            func.count(),
            func.count().filter(
                func.coalesce(edit_clock_rows.c.settled_at, now)
                - edit_clock_rows.c.edited_at
                - func.make_interval(0, 0, 0, 0, 0, 0, edit_clock_rows.c.quiet_seconds)
                > SETTLED_WITHIN
            ),
        ).where(edit_clock_rows.c.edited_at >= since, _of(edit_clock_rows.c.connection_id, connection_id))
    ).one()
    late = and_(cases.c.due_at.is_not(None), func.coalesce(cases.c.closed_at, now) > cases.c.due_at)
    closed = c.execute(
        select(func.count(), func.count().filter(late)).where(
            cases.c.opened_at >= since,
            cases.c.severity != "note",
            _of(cases.c.connection_id, connection_id),
        )
    ).one()
    during, other = _around_poison(c, since, connection_id)
    return Numbers(
        durations=durations,
        lost=_lost(c, since, connection_id),
        edits=int(edits[0]),
        edits_overdue=int(edits[1]),
        cases=int(closed[0]),
        cases_late=int(closed[1]),
        unclear=_unclear(c, now, connection_id),
        debt=_debt(c, working_days_before(now, 3), connection_id),
        erasures=answered_since(c, since, now),
        while_poisoned=during,
        otherwise=other,
    )


def _lost(c: Connection, since: datetime, connection_id: int | None) -> int:
    """Orders the marketplace ended by itself: their time was over and no answer of ours had been confirmed."""
    answered = exists().where(
        operations.c.order_id == orders.c.id,
        operations.c.kind == "AnswerAcceptance",
        operations.c.state == "CONFIRMED",
    )
    return int(
        c.execute(
            select(func.count())
            .select_from(orders)
            .where(
                orders.c.created_at >= since,
                orders.c.mirakl_state.in_(("REFUSED", "CANCELED")),
                orders.c.acceptance_due_at.is_not(None),
                orders.c.acceptance_due_at <= orders.c.mirakl_seen_at,
                ~answered,
                _of(orders.c.connection_id, connection_id),
            )
        ).scalar_one()
    )


def _unclear(c: Connection, now: datetime, connection_id: int | None) -> int:
    return int(
        c.execute(
            select(func.count())
            .select_from(operations)
            .where(
                operations.c.done_at.is_(None),
                operations.c.state == "UNKNOWN",
                operations.c.planned_at < now - timedelta(minutes=10),
                _of(operations.c.connection_id, connection_id),
            )
        ).scalar_one()
    )


def _debt(c: Connection, before: datetime, connection_id: int | None = None) -> int:
    return int(
        c.execute(
            select(func.count())
            .select_from(cases)
            .where(
                cases.c.closed_at.is_(None),
                cases.c.reason.in_(REFUND_DEBT),
                # A case that closed for a while and came back is as old as its debt.
                cases.c.first_opened_at < before,
                _of(cases.c.connection_id, connection_id),
            )
        ).scalar_one()
    )


def _around_poison(c: Connection, since: datetime, connection_id: int | None) -> tuple[Counted, Counted]:
    """Acceptances in hours in which an order was poisoned, and in all others."""
    spans = c.execute(
        select(cases.c.opened_at, cases.c.closed_at).where(
            cases.c.reason == Reason.POISON_ORDER.value,
            or_(cases.c.closed_at.is_(None), cases.c.closed_at >= since),
            _of(cases.c.connection_id, connection_id),
        )
    ).all()
    during, other = Counted(), Counted()
    for measure, slot, total in by_slot(c, "hour", since, connection_id):
        if measure != "seen_accepted":
            continue
        end = slot + timedelta(hours=1)
        if any(row.opened_at < end and (row.closed_at is None or row.closed_at > slot) for row in spans):
            during = during.plus(total)
        else:
            other = other.plus(total)
    return during, other


# -- what is drawn -----------------------------------------------------------------------------------------


def _histogram(measure: Measure, durations: Counted) -> Histogram:
    return Histogram(
        measure,
        TITLES[measure],
        BOUNDS,
        durations.counts,
        _finite(durations.at(0.5)),
        _finite(durations.at(0.95)),
        _finite(durations.at(0.99)),
        durations.number,
    )


def _finite(seconds: float | None) -> float | None:
    return None if seconds is None or seconds == float("inf") else float(seconds)


_TOOK = func.extract("epoch", edit_clock_rows.c.settled_at - edit_clock_rows.c.edited_at)
_CONFIRMED = edit_clock_rows.c.outcome.in_(("confirmed", "released"))


def _share(share: float, condition: Any) -> Any:
    took = case((condition, _TOOK - edit_clock_rows.c.quiet_seconds))
    return func.percentile_cont(share).within_group(func.greatest(took, 0 * took))


def _by_day(c: Connection, since: datetime, connection_id: int | None) -> tuple[Day, ...]:
    day = func.to_char(edit_clock_rows.c.edited_at, "YYYY-MM-DD")
    rows = c.execute(
        select(day.label("day"), func.count(), _share(0.5, _CONFIRMED), _share(0.95, _CONFIRMED))
        .where(edit_clock_rows.c.edited_at >= since, _of(edit_clock_rows.c.connection_id, connection_id))
        .group_by(text("1"))
        .order_by(text("1"))
    )
    return tuple(Day(row[0], int(row[1]), _number(row[2]), _number(row[3])) for row in rows)


def _blocked(c: Connection, since: datetime, connection_id: int | None) -> tuple[tuple[str, int], ...]:
    rows = c.execute(
        select(edit_clock_rows.c.outcome, func.count())
        .where(
            edit_clock_rows.c.edited_at >= since,
            edit_clock_rows.c.outcome.not_in(("", "confirmed", "released")),
            _of(edit_clock_rows.c.connection_id, connection_id),
        )
        .group_by(edit_clock_rows.c.outcome)
        .order_by(func.count().desc(), edit_clock_rows.c.outcome)
    )
    return tuple((row[0], int(row[1])) for row in rows)


def _skus(c: Connection, since: datetime, connection_id: int | None) -> tuple[SkuHealth, ...]:
    """The SKUs with the most edits of the period, those with blocked edits first."""
    sku = func.unnest(edit_clock_rows.c.skus).label("sku")
    one = (
        select(
            sku,
            edit_clock_rows.c.outcome,
            edit_clock_rows.c.settled_at,
            edit_clock_rows.c.edited_at,
            edit_clock_rows.c.quiet_seconds,
        )
        .where(edit_clock_rows.c.edited_at >= since, _of(edit_clock_rows.c.connection_id, connection_id))
        .subquery()
    )
    took = func.extract("epoch", one.c.settled_at - one.c.edited_at) - one.c.quiet_seconds
    confirmed = one.c.outcome.in_(("confirmed", "released"))
    kept = case((confirmed, func.greatest(took, 0 * took)))
    blocked = func.count().filter(and_(~confirmed, one.c.outcome != ""))
    rows = c.execute(
        select(
            one.c.sku,
            func.count(),
            func.percentile_cont(0.5).within_group(kept),
            func.percentile_cont(0.95).within_group(kept),
            func.count().filter(one.c.outcome == ""),
        )
        .group_by(one.c.sku)
        .order_by(blocked.desc(), func.count().desc(), one.c.sku)
        .limit(MOST_SKUS)
    ).all()
    causes: dict[str, list[tuple[str, int]]] = {}
    for row in c.execute(
        select(one.c.sku, one.c.outcome, func.count())
        .where(~confirmed, one.c.outcome != "")
        .group_by(one.c.sku, one.c.outcome)
        .order_by(one.c.sku, func.count().desc(), one.c.outcome)
    ):
        causes.setdefault(row[0], []).append((row[1], int(row[2])))
    return tuple(
        SkuHealth(
            row[0], int(row[1]), _number(row[2]), _number(row[3]), tuple(causes.get(row[0], ())), int(row[4])
        )
        for row in rows
    )


def _number(value: Any) -> float | None:
    return None if value is None else round(float(value), 1)


def _lanes(c: Connection, now: datetime, connection_id: int | None) -> tuple[tuple[str, int, float], ...]:
    """Orders with unanswered hints by lane: how many, and the age of the oldest in seconds."""
    rows = c.execute(
        select(orders.c.lane, func.count(), func.min(orders.c.hinted_at))
        .where(orders.c.hints > orders.c.handled, _of(orders.c.connection_id, connection_id))
        .group_by(orders.c.lane)
        .order_by(orders.c.lane)
    )
    return tuple(
        (row[0], int(row[1]), 0.0 if row[2] is None else round((now - row[2]).total_seconds(), 1))
        for row in rows
    )


# -- what is told ------------------------------------------------------------------------------------------


def findings(c: Connection, now: datetime) -> tuple[Finding, ...]:
    """Budgets that burn too fast, a queue that grows, refunds that wait too long."""
    day = now.strftime("%Y-%m-%d")
    found: list[Finding] = []
    live = [(row.id, row.name) for row in all_connections(c) if row.live]
    spans = sorted({span for window in BURN_WINDOWS for span in (window.long, window.short)})
    for connection_id, name in (*live, (OF_NO_CONNECTION, "")):
        windows: dict[tuple[str, timedelta], Counted] = {}
        for span in spans:
            for measure, total in counted_since(c, "5min", now - span, connection_id).items():
                windows[(measure, span)] = total
        found.extend(burn(connection_id or None, name, windows, day))
    opened = [_open_at(c, now - timedelta(days=days)) for days in (3, 2, 1, 0)]
    if opened[-1] >= GROWING_FROM and all(one < two for one, two in pairwise(opened)):
        title = f"the queue of cases has grown three days in a row, from {opened[0]} to {opened[-1]}"
        found.append(Finding(f"queue:{day}", "ticket", ("operations", "CX"), title))
    debt = _debt(c, working_days_before(now, 2))
    if debt:
        title = f"{counted(debt, 'refund')} {'stands' if debt == 1 else 'stand'} on one side only for more than two working days"
        found.append(Finding(f"debt:{day}", "ticket", ("finance",), title))
    asked = waiting_since(c, now - timedelta(days=3))
    if asked:
        title = f"{counted(asked, 'request')} about personal data {'waits' if asked == 1 else 'wait'} for more than three days"
        found.append(Finding(f"privacy:{day}", "ticket", ("CX", "engineer"), title))
    return tuple(found)


def _open_at(c: Connection, moment: datetime) -> int:
    still = or_(cases.c.closed_at.is_(None), cases.c.closed_at > moment)
    return int(
        c.execute(
            select(func.count()).select_from(cases).where(cases.c.opened_at <= moment, still)
        ).scalar_one()
    )
