"""Fix once, replay all: the orders one cause stops are looked at again, a few at a time, with the progress in sight."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Table,
    Text,
    and_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    true,
    tuple_,
    update,
)

from interlock.cases.causes import cause_key
from interlock.cases.store import IS_ANSWERED_BY, answers, case_events, cases
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

MOST_AT_ONCE = 20
"""So many orders of all replays together are on their way at a time, so that nothing else waits behind them."""
PLACE_HELD_FOR = timedelta(minutes=2)
"""So long an order that was woken holds a place before a look at it has ended: twice as long as a look that crashed keeps its
lease. After that others go on, and it is tried again beside them."""
LATE_IN_A_ROW = 10
"""After so many late ones in a row a replay tries one order at a time, until one ends well: what stops these looks is likely to
stop the next ones too, and each is tried again by itself."""
TRIED_EVERY = timedelta(minutes=15)
"""So long at least lies between two orders that are tried so."""
MOST_SENTENCES = 5

replays = Table(
    "replays",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("connection_id", BigInteger, ForeignKey("connections.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # what was answered to every case of it; empty where its orders are only looked at again
    Column("option", Text, nullable=False, server_default=""),
    # so many of its cases keep the other answer of somebody else
    Column("left_out", Integer, nullable=False, server_default="0"),
    Column("woken_all_at", UtcDateTime),
    Index("ix_replays_waking", "id", postgresql_where=text("woken_all_at IS NULL")),
)

replay_orders = Table(
    "replay_orders",
    metadata,
    Column("replay_id", BigInteger, ForeignKey("replays.id"), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id"), primary_key=True),
    Column("case_id", BigInteger, ForeignKey("cases.id"), nullable=False),
    Column("place", Integer, nullable=False),
    Column("woken_at", UtcDateTime),
    # the order's count of hints with the one that woke it: once so many are handled, a look at it has ended
    Column("asked", BigInteger),
    Index("ix_replay_orders_waiting", "replay_id", "place", postgresql_where=text("woken_at IS NULL")),
    Index("ix_replay_orders_woken", "order_id", postgresql_where=text("woken_at IS NOT NULL")),
)


@dataclass(frozen=True, slots=True)
class Impact:
    """What an answer to a cause unlocks: how many orders wait for it, when the first begins to do damage, and the money
    at risk by currency."""

    orders: int
    first_damage_at: datetime | None
    money: tuple[tuple[Decimal, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Answerable:
    """What one answer to a whole cause would answer, or has answered: so many cases, of so many orders. `left_out` cases
    have the other answer of somebody else, which it does not replace."""

    cases: int
    orders: int
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a replay is, in orders. `done` are those whose case has closed, `waiting` those whose turn has not come, `late`
    those whose turn came longer than `PLACE_HELD_FOR` ago without a look at them having ended, `blocked` those that were
    looked at and still have the case; `why` says what they say now, the most frequent first. `slowed` says that so many of the
    last ones are late that the next are tried one by one. `option` is what was answered to all of them, empty where they are
    only looked at again; `left_out` is how many cases were not answered, because somebody else had answered them otherwise."""

    id: int
    connection_id: int
    reason: str
    cause: str
    who: str
    at: datetime
    option: str
    left_out: int
    total: int
    done: int
    waiting: int
    under_way: int
    late: int
    blocked: int
    slowed: bool
    why: tuple[tuple[str, int], ...] = ()

    @property
    def ended(self) -> bool:
        """Whether every order has had its turn: was looked at, or is late and tried again by itself."""
        return not self.waiting and not self.under_way


def _keys(causes: Collection[str]) -> list[str]:
    return sorted({cause_key(cause) for cause in causes} - {""})


def _caused(connection_id: int, reason: Reason, causes: Collection[str]) -> ColumnElement[bool]:
    """Open cases of orders with one of these causes."""
    return and_(
        cases.c.connection_id == connection_id,
        cases.c.reason == reason.value,
        cases.c.cause.in_(_keys(causes)),
        cases.c.closed_at.is_(None),
        cases.c.order_id.is_not(None),
    )


def open_causes(
    c: Connection,
    connection_id: int,
    reason: Reason,
    option: Option | None = None,
    fact: tuple[str, str] | None = None,
) -> tuple[str, ...]:
    """What the open cases of orders with this reason that offer the answer, or state the fact, have in common, each cause
    once, as `cause_key` writes it."""
    which: ColumnElement[bool] = true()
    if option is not None:
        which = cases.c.options.contains([option.value])
    if fact is not None:
        which = and_(which, cases.c.facts.contains([list(fact)]))
    rows = c.execute(
        select(cases.c.cause)
        .where(
            cases.c.connection_id == connection_id,
            cases.c.reason == reason.value,
            cases.c.cause != "",
            cases.c.closed_at.is_(None),
            cases.c.order_id.is_not(None),
            which,
        )
        .distinct()
        .order_by(cases.c.cause)
    )
    return tuple(rows.scalars())


def impact(c: Connection, connection_id: int, reason: Reason, causes: Collection[str]) -> Impact:
    """What an answer to these causes would unlock."""
    rows = c.execute(
        select(
            cases.c.currency,
            func.count(cases.c.order_id.distinct()).label("number"),
            func.min(cases.c.damage_at).label("first"),
            func.sum(cases.c.at_risk).label("money"),
        )
        .where(_caused(connection_id, reason, causes))
        .group_by(cases.c.currency)
        .order_by(cases.c.currency)
    ).all()
    firsts = [row.first for row in rows if row.first is not None]
    return Impact(
        sum(row.number for row in rows),
        min(firsts, default=None),
        tuple((row.money, row.currency) for row in rows if row.money is not None),
    )


def answerable(
    c: Connection, connection_id: int, reason: Reason, cause: str, option: Option, who: str
) -> Answerable:
    """How many `answer_all` would answer at this moment, and how many it would leave out."""
    otherwise = _answered_otherwise(option, who)
    row = c.execute(
        select(
            func.count().filter(~otherwise).label("cases"),
            func.count(cases.c.order_id.distinct()).filter(~otherwise).label("orders"),
            func.count().filter(otherwise).label("left_out"),
        ).where(_open_to(connection_id, reason, cause, option))
    ).one()
    return Answerable(row.cases, row.orders, row.left_out)


def _open_to(connection_id: int, reason: Reason, cause: str, option: Option) -> ColumnElement[bool]:
    """Open cases of a cause that offer the answer and that nobody has just answered."""
    return and_(
        _caused(connection_id, reason, (cause,)),
        cases.c.options.contains([option.value]),
        ~exists().where(IS_ANSWERED_BY, answers.c.taken_at.is_(None)),
    )


def _answered_otherwise(option: Option, who: str) -> ColumnElement[bool]:
    """Cases of which the last answer since they opened is another one, of somebody else."""
    every = answers.alias()
    last = (
        select(func.max(every.c.id))
        .where(
            every.c.order_id == cases.c.order_id,
            every.c.reason == cases.c.reason,
            every.c.subject == cases.c.subject,
            every.c.at >= cases.c.opened_at,
        )
        .scalar_subquery()
        .correlate(cases)
    )
    return exists().where(answers.c.id == last, answers.c.option != option.value, answers.c.who != who)


def _just_answered(who: str, now: datetime) -> ColumnElement[bool]:
    """Cases that this person has answered at this very moment."""
    return exists().where(
        IS_ANSWERED_BY, answers.c.taken_at.is_(None), answers.c.at == now, answers.c.who == who
    )


def begin(
    c: Connection,
    connection_id: int,
    reason: Reason,
    causes: Collection[str],
    who: str,
    now: datetime,
    answered: Option | None = None,
    left_out: int = 0,
) -> int | None:
    """Note every order that one of these causes stops, soonest damage first; None when there is none. With `answered`, only
    those to whose case the person has given this answer at this moment; `left_out` is how many were not given it. Whoever
    begins a replay wakes its first orders too; a sweep wakes the others. An order another replay has still to wake is in
    both, which costs nothing: it is woken once more."""
    chosen = _caused(connection_id, reason, causes)
    if answered is not None:
        chosen = and_(chosen, _just_answered(who, now))
    if c.execute(select(exists().where(chosen))).scalar_one() is False:
        return None
    replay_id = c.execute(
        insert(replays)
        .values(
            connection_id=connection_id,
            reason=reason.value,
            cause=", ".join(_keys(causes))[:200],
            who=who,
            at=now,
            option="" if answered is None else answered.value,
            left_out=left_out,
        )
        .returning(replays.c.id)
    ).scalar_one()
    first = (
        select(
            cases.c.order_id,
            func.min(cases.c.id).label("id"),
            func.min(cases.c.damage_at).label("damage_at"),
        )
        .where(chosen)
        .group_by(cases.c.order_id)
        .subquery()
    )
    place = func.row_number().over(order_by=(first.c.damage_at.asc().nulls_last(), first.c.id))
    c.execute(
        insert(replay_orders).from_select(
            ["replay_id", "order_id", "case_id", "place"],
            select(literal(replay_id), first.c.order_id, first.c.id, place),
        )
    )
    c.execute(
        insert(case_events).from_select(
            ["case_id", "at", "who", "what", "detail"],
            select(
                replay_orders.c.case_id,
                literal(now, UtcDateTime),
                literal(who),
                literal("replayed"),
                literal(f"replay {replay_id}"),
            )
            .where(replay_orders.c.replay_id == replay_id)
            .order_by(replay_orders.c.place),
        )
    )
    return int(replay_id)


def answer_all(
    c: Connection,
    connection_id: int,
    reason: Reason,
    cause: str,
    option: Option,
    who: str,
    why: str,
    now: datetime,
) -> Answerable:
    """Give one answer to every open case of a cause that offers it, that nobody has just answered, and to which nobody else
    has given another one since it opened: that was said of this very order. Returns to how many. Their orders have to be
    replayed by the caller."""
    reached = answerable(c, connection_id, reason, cause, option, who)
    given = c.execute(
        insert(answers)
        .from_select(
            ["order_id", "reason", "subject", "option", "who", "why", "at", "text_id"],
            select(
                cases.c.order_id,
                cases.c.reason,
                cases.c.subject,
                literal(option.value),
                literal(who),
                literal(why),
                literal(now, UtcDateTime),
                literal(""),
            )
            .where(_open_to(connection_id, reason, cause, option), ~_answered_otherwise(option, who))
            .order_by(cases.c.id),
        )
        .returning(answers.c.order_id)
    ).all()
    if given:
        c.execute(
            insert(case_events).from_select(
                ["case_id", "at", "who", "what", "detail"],
                select(
                    cases.c.id,
                    literal(now, UtcDateTime),
                    literal(who),
                    literal("answered"),
                    literal(option.value),
                )
                .where(_caused(connection_id, reason, (cause,)), _just_answered(who, now))
                .order_by(cases.c.id),
            )
        )
    return Answerable(len(given), len({row.order_id for row in given}), reached.left_out)


def next_to_wake(c: Connection, now: datetime, most: int = MOST_AT_ONCE) -> Sequence[tuple[int, bool]]:
    """Take the next orders of the replays that run, and note that they are woken now; with whether each waits for acceptance.
    The caller hints each of them once, in this transaction. At most `most` are on their way at a time, and every replay has
    the same share of these places, so that none waits for another to end."""
    running = (
        c.execute(
            select(replays.c.id)
            .where(replays.c.woken_all_at.is_(None))
            .order_by(replays.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        .scalars()
        .all()
    )
    if not running:
        return ()
    held, late = _places_held(c, now)
    free, share = most - sum(held.values()), most // len(running)
    taken: list[tuple[int, int]] = []
    for replay_id in running:
        places = min(free - len(taken), share - held.get(replay_id, 0))
        if len(late.get(replay_id, ())) >= LATE_IN_A_ROW:
            places = min(places, _tried(c, replay_id, late[replay_id], now))
        if places > 0:
            taken += _next_of(c, replay_id, places, now)
    if not taken:
        return ()
    # Locked until the caller has hinted them, so that its hint is the next one.
    rows = c.execute(
        select(orders.c.id, orders.c.mirakl_state)
        .where(orders.c.id.in_({order_id for _, order_id in taken}))
        .order_by(orders.c.id)
        .with_for_update()
    ).all()
    c.execute(
        update(replay_orders)
        .where(
            replay_orders.c.order_id == orders.c.id,
            tuple_(replay_orders.c.replay_id, replay_orders.c.order_id).in_(taken),
        )
        .values(woken_at=now, asked=orders.c.hints + 1)
    )
    return tuple((row.id, row.mirakl_state == "WAITING_ACCEPTANCE") for row in rows)


def _places_held(c: Connection, now: datetime) -> tuple[dict[int, int], dict[int, Sequence[int]]]:
    """How many places each replay holds, and which of its orders are late, by their place in it."""
    rows = c.execute(
        select(
            replay_orders.c.replay_id,
            func.count().filter(~_late(now)).label("held"),
            func.array_agg(replay_orders.c.place).filter(_late(now)).label("late"),
        )
        .join(orders, orders.c.id == replay_orders.c.order_id)
        # The first says nothing that the second does not; it is what these orders are found by.
        .where(or_(orders.c.hints > orders.c.handled, orders.c.shopify_unread), ~_looked_at())
        .group_by(replay_orders.c.replay_id)
    ).all()
    return {row.replay_id: row.held for row in rows}, {row.replay_id: row.late or () for row in rows}


def _tried(c: Connection, replay_id: int, late: Sequence[int], now: datetime) -> int:
    """How many orders a replay may wake of which these are late: as many as there are places, unless they came in a row."""
    row = c.execute(
        select(
            func.max(replay_orders.c.place).filter(_looked_at()).label("well"),
            func.max(replay_orders.c.woken_at).label("woken_at"),
        )
        .join(orders, orders.c.id == replay_orders.c.order_id)
        .where(replay_orders.c.replay_id == replay_id)
    ).one()
    if not _in_a_row(late, row.well):
        return MOST_AT_ONCE
    return 1 if row.woken_at <= now - TRIED_EVERY else 0


def _in_a_row(late: Sequence[int], well: int | None) -> bool:
    """Whether so many are late after the last order at which a look has ended; each is named by its place."""
    return sum(place > (well or 0) for place in late) >= LATE_IN_A_ROW


def _next_of(c: Connection, replay_id: int, places: int, now: datetime) -> list[tuple[int, int]]:
    """The next orders of a replay, at most so many, each with the replay; it is noted when they are the last ones."""
    chosen = (
        c.execute(
            select(replay_orders.c.order_id)
            .where(replay_orders.c.replay_id == replay_id, replay_orders.c.woken_at.is_(None))
            .order_by(replay_orders.c.place)
            .limit(places)
        )
        .scalars()
        .all()
    )
    if len(chosen) < places:
        c.execute(update(replays).where(replays.c.id == replay_id).values(woken_all_at=now))
    return [(replay_id, order_id) for order_id in chosen]


def _looked_at() -> ColumnElement[bool]:
    """Whether a look at the order has ended since it was woken. A look that crashes, or whose process dies, has not; one
    that could not read Shopify is made again, and is none."""
    return and_(orders.c.handled >= replay_orders.c.asked, ~orders.c.shopify_unread)


def _late(now: datetime) -> ColumnElement[bool]:
    """Whether the order was woken so long ago that a look at it should have ended."""
    return replay_orders.c.woken_at <= now - PLACE_HELD_FOR


def progress(c: Connection, replay_id: int, now: datetime) -> Progress | None:
    """How far a replay is; None when there is no such replay."""
    found = _progress(c, replays.c.id == replay_id, 1, now)
    if not found:
        return None
    why = c.execute(
        select(cases.c.sentence, func.count().label("number"))
        .select_from(replay_orders)
        .join(cases, cases.c.id == replay_orders.c.case_id)
        .join(orders, orders.c.id == replay_orders.c.order_id)
        .where(
            replay_orders.c.replay_id == replay_id,
            _looked_at(),
            cases.c.closed_at.is_(None),
        )
        .group_by(cases.c.sentence)
        .order_by(func.count().desc(), cases.c.sentence)
        .limit(MOST_SENTENCES)
    ).all()
    (one,) = found
    return Progress(**_as_fields(one), why=tuple((row.sentence, row.number) for row in why))


def latest(
    c: Connection, now: datetime, limit: int = 20, of: Collection[int] | None = None
) -> list[Progress]:
    """The replays that were begun last, the youngest first, without what their blocked orders say; with `of`, those of
    the connections with these row numbers."""
    which = literal(True) if of is None else replays.c.connection_id.in_(of)
    return [Progress(**_as_fields(row)) for row in _progress(c, which, limit, now)]


def _progress(c: Connection, which: ColumnElement[bool], limit: int, now: datetime) -> Sequence[Any]:
    chosen = select(replays).where(which).order_by(replays.c.id.desc()).limit(limit).subquery()
    woken = replay_orders.c.woken_at.is_not(None)
    closed = cases.c.closed_at.is_not(None)
    return c.execute(
        select(
            chosen.c.id,
            chosen.c.connection_id,
            chosen.c.reason,
            chosen.c.cause,
            chosen.c.who,
            chosen.c.at,
            chosen.c.option,
            chosen.c.left_out,
            func.count().label("total"),
            func.count().filter(closed).label("done"),
            func.count().filter(~closed, ~woken).label("waiting"),
            func.count().filter(~closed, woken, ~_looked_at(), ~_late(now)).label("under_way"),
            func.count().filter(~closed, woken, ~_looked_at(), _late(now)).label("late"),
            func.count().filter(~closed, woken, _looked_at()).label("blocked"),
            func.array_agg(replay_orders.c.place).filter(woken, ~_looked_at(), _late(now)).label("late_ones"),
            func.max(replay_orders.c.place).filter(_looked_at()).label("well"),
        )
        .join(replay_orders, replay_orders.c.replay_id == chosen.c.id)
        .join(cases, cases.c.id == replay_orders.c.case_id)
        .join(orders, orders.c.id == replay_orders.c.order_id)
        .group_by(
            *(
                chosen.c[name]
                for name in ("id", "connection_id", "reason", "cause", "who", "at", "option", "left_out")
            )
        )
        .order_by(chosen.c.id.desc())
    ).all()


def _as_fields(row: Any) -> dict[str, Any]:
    fields = dict(row._mapping)
    late, well = fields.pop("late_ones") or (), fields.pop("well")
    return {**fields, "slowed": bool(row.waiting) and _in_a_row(late, well)}
