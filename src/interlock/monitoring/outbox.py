"""Alerts and their deliveries: kept before anything is sent, and kept with how the sending ended.

A delivery is PLANNED, then SENDING once a worker has claimed it, then SENT, or PLANNED again after a failure, or
GIVEN_UP. A delivery left in SENDING by a worker that is gone is sent again: a repeated alert is harmless, a lost one is
not. This is the one kind of message of ours that is repeated blindly.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
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
    case,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.monitoring.channels import Channel, alert_channels, alerting, all_channels, all_routes
from interlock.monitoring.decide import GROUPED_FOR, MOST_NAMED, Alert, grouped
from interlock.monitoring.ladders import Severity, Team
from interlock.monitoring.routing import ways_for
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

SENDING_FOR = timedelta(minutes=2)
"""A delivery in SENDING for longer belongs to a worker that is gone."""
PAUSES = (30, 60, 120, 300, 600, 1200, 1800)
"""Seconds before each further attempt; after the last the delivery is given up."""
SECOND_CHANNEL_AFTER: Mapping[str, int] = {"page": 1, "message": 3, "ticket": 3}
"""After so many failed attempts the second channel is used besides."""
KEPT_FOR = timedelta(days=90)

alerts = Table(
    "alerts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("grouping", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("teams", ARRAY(Text), nullable=False),
    Column("title", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("connection_id", BigInteger, ForeignKey("connections.id")),
    Column("connection", Text, nullable=False, server_default=""),
    Column("orders", ARRAY(Text), nullable=False),
    Column("count", Integer, nullable=False),
    Column("order_id", BigInteger),
    Column("case_id", BigInteger),
    Column("due_at", UtcDateTime),
    Column("repeats", Integer, nullable=False, server_default="0"),
    Column("repeat_of", BigInteger),
    Column("at", UtcDateTime, nullable=False),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", Text),
    Index("ix_alerts_at", "at"),
    Index(
        "ix_alerts_unacknowledged",
        "at",
        postgresql_where=text("acknowledged_at IS NULL AND severity = 'page'"),
    ),
)

alert_keys = Table(
    "alert_keys",
    metadata,
    Column("key", Text, primary_key=True),
    Column("alert_id", BigInteger, ForeignKey("alerts.id"), nullable=False),
    # what this one was about: a message of many stands for each of them
    Column("order_id", BigInteger),
    Column("case_id", BigInteger),
    Column("opening", Integer),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_alert_keys_alert_id", "alert_id"),
    Index("ix_alert_keys_case_id", "case_id"),
    Index("ix_alert_keys_at", "at"),
)
"""Everything that was said, and in which message. `opening` is of the case, None where a time that ends was told."""

alert_deliveries = Table(
    "alert_deliveries",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("alert_id", BigInteger, ForeignKey("alerts.id")),
    Column("channel_id", BigInteger, ForeignKey("alert_channels.id"), nullable=False),
    Column("state", Text, nullable=False),
    Column("planned_at", UtcDateTime, nullable=False),
    Column("not_before", UtcDateTime, nullable=False),
    Column("claimed_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    # how the last attempt ended, in words of ours
    Column("words", Text, nullable=False, server_default=""),
    # the delivery whose failure called for this one
    Column("instead_of", BigInteger),
    Index(
        "ix_alert_deliveries_open",
        "not_before",
        postgresql_where=text("state IN ('PLANNED', 'SENDING')"),
    ),
    Index("ix_alert_deliveries_alert_id", "alert_id"),
)


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery this worker has claimed and has to send now."""

    id: int
    alert_id: int | None
    channel_id: int
    kind: str
    zone: str
    attempts: int
    alert: Alert | None


def keep(c: Connection, due: Sequence[Alert], now: datetime) -> int:
    """Keep the alerts that were not said yet and plan their deliveries; returns how many messages that makes.

    Alerts of one group make one message. A message or ticket of a group that was told within GROUPED_FOR joins that
    one, which counts it and names its order as long as there is room; a page never does, and nothing joins what somebody
    has acknowledged and will not look at again. Two workers that keep at once say each key once.
    """
    if not due:
        return 0
    c.execute(_ONE_KEEPER)
    keys = [alert.key for alert in due]
    said = set(c.execute(select(alert_keys.c.key).where(alert_keys.c.key.in_(keys))).scalars())
    fresh = [alert for alert in due if alert.key not in said]
    routes, channels = all_routes(c), tuple(channel.id for channel in alerting(all_channels(c)))
    made = 0
    for alert, together in grouped(fresh):
        joined = None if alert.severity == "page" else _recent(c, alert, now)
        if joined is not None:
            _join(c, joined, alert)
            alert_id = joined.id
        else:
            alert_id = _add(c, alert, now)
            for way in ways_for(alert, routes, channels, now):
                _plan(c, alert_id, way.channel_id, now, way.not_before)
            made += 1
        c.execute(
            upsert(alert_keys).on_conflict_do_nothing(),
            [
                {
                    "key": one.key,
                    "alert_id": alert_id,
                    "order_id": one.order_id,
                    "case_id": one.case_id,
                    "opening": one.opening,
                    "at": now,
                }
                for one in together
            ],
        )
    return made


_ONE_KEEPER = select(func.pg_advisory_xact_lock(0x616C657274))


def _recent(c: Connection, alert: Alert, now: datetime) -> Row[Any, Any] | None:
    """The alert that this one joins: of the same group and as loud, so that nothing louder is lost in a quieter one."""
    return c.execute(
        select(alerts.c.id, alerts.c.orders)
        .where(
            alerts.c.grouping == alert.group,
            alerts.c.severity == alert.severity,
            alerts.c.at > now - GROUPED_FOR,
            alerts.c.acknowledged_at.is_(None),
        )
        .order_by(alerts.c.id.desc())
        .limit(1)
    ).one_or_none()


def _join(c: Connection, told: Row[Any, Any], alert: Alert) -> None:
    """Count what joins an alert that was told, name its orders there and keep the nearest deadline: who opens it finds them."""
    named = tuple(dict.fromkeys((*told.orders, *alert.orders)))[:MOST_NAMED]
    c.execute(
        update(alerts)
        .where(alerts.c.id == told.id)
        .values(
            count=alerts.c.count + alert.count,
            orders=list(named),
            due_at=func.least(alerts.c.due_at, bindparam("joins_at", alert.due_at, UtcDateTime())),
        )
    )


def _add(c: Connection, alert: Alert, now: datetime) -> int:
    repeat_of = None
    if alert.key.startswith("again:"):
        _, first, number = alert.key.split(":")
        repeat_of = int(first)
        c.execute(update(alerts).where(alerts.c.id == repeat_of).values(repeats=int(number)))
    made = insert(alerts).values(
        grouping=alert.group,
        severity=alert.severity,
        teams=list(alert.teams),
        title=alert.title,
        reason=alert.reason,
        connection_id=alert.connection_id,
        connection=alert.connection,
        orders=list(alert.orders),
        count=alert.count,
        order_id=alert.order_id,
        case_id=alert.case_id,
        due_at=alert.due_at,
        repeat_of=repeat_of,
        at=now,
    )
    return int(c.execute(made.returning(alerts.c.id)).scalar_one())


def _plan(
    c: Connection,
    alert_id: int | None,
    channel_id: int,
    now: datetime,
    not_before: datetime,
    instead_of: int | None = None,
) -> int:
    made = insert(alert_deliveries).values(
        alert_id=alert_id,
        channel_id=channel_id,
        state="PLANNED",
        planned_at=now,
        not_before=not_before,
        instead_of=instead_of,
    )
    return int(c.execute(made.returning(alert_deliveries.c.id)).scalar_one())


def plan_test(c: Connection, channel: Channel, now: datetime) -> int:
    """Plan a message that only says that the channel works; returns the delivery's id."""
    return _plan(c, None, channel.id, now, now)


# -- sending -----------------------------------------------------------------------------------------------


def channels_with_due(c: Connection, now: datetime) -> tuple[int, ...]:
    """The channels by which something is to be sent now."""
    rows = c.execute(select(alert_deliveries.c.channel_id).where(_is_due(now)).distinct())
    return tuple(sorted(rows.scalars()))


def claim(c: Connection, now: datetime, channel_id: int) -> Due | None:
    """Claim the channel's next delivery whose time has come: pages first, tickets last, the oldest first of each. It goes
    to one worker. One at a time, because what waits behind a slow one would be taken for left by a worker that is gone."""
    return _claim(c, now, alert_deliveries.c.channel_id == channel_id)


def claim_one(c: Connection, now: datetime, delivery_id: int) -> Due | None:
    """Claim this delivery; None when its time has not come or somebody else has it."""
    return _claim(c, now, alert_deliveries.c.id == delivery_id)


def _is_due(now: datetime) -> ColumnElement[bool]:
    gone = and_(alert_deliveries.c.state == "SENDING", alert_deliveries.c.claimed_at <= now - SENDING_FOR)
    return or_(gone, and_(alert_deliveries.c.state == "PLANNED", alert_deliveries.c.not_before <= now))


_PAGES_FIRST = case({"page": 0, "ticket": 2}, value=alerts.c.severity, else_=1)


def _claim(c: Connection, now: datetime, wanted: ColumnElement[bool]) -> Due | None:
    claimed = c.execute(
        select(alert_deliveries.c.id)
        .outerjoin(alerts, alerts.c.id == alert_deliveries.c.alert_id)
        .where(_is_due(now), wanted)
        .order_by(_PAGES_FIRST, alert_deliveries.c.not_before, alert_deliveries.c.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=alert_deliveries)
    ).scalar_one_or_none()
    if claimed is None:
        return None
    c.execute(
        update(alert_deliveries)
        .where(alert_deliveries.c.id == claimed)
        .values(state="SENDING", claimed_at=now, attempts=alert_deliveries.c.attempts + 1)
    )
    row = c.execute(
        select(
            alert_deliveries.c.id,
            alert_deliveries.c.alert_id,
            alert_deliveries.c.channel_id,
            alert_deliveries.c.attempts,
            alert_channels.c.kind,
            alert_channels.c.zone,
        )
        .join(alert_channels, alert_channels.c.id == alert_deliveries.c.channel_id)
        .where(alert_deliveries.c.id == claimed)
    ).one()
    told = None if row.alert_id is None else alerts_of(c, [row.alert_id]).get(row.alert_id)
    return Due(row.id, row.alert_id, row.channel_id, row.kind, row.zone, row.attempts, told)


def sent(c: Connection, delivery_id: int, now: datetime) -> None:
    """The channel has taken the delivery."""
    c.execute(
        update(alert_deliveries)
        .where(alert_deliveries.c.id == delivery_id)
        .values(state="SENT", ended_at=now, words="")
    )


def failed(c: Connection, due: Due, words: str, now: datetime) -> None:
    """The channel has not taken the delivery: it is tried again later, and the second channel is used besides. A test
    is not repeated."""
    last = due.attempts > len(PAUSES) or due.alert is None
    values: dict[str, Any] = {"state": "GIVEN_UP", "ended_at": now, "words": words}
    if not last:
        later = now + timedelta(seconds=PAUSES[due.attempts - 1])
        values = {"state": "PLANNED", "not_before": later, "words": words}
    c.execute(update(alert_deliveries).where(alert_deliveries.c.id == due.id).values(**values))
    if due.alert is None or due.attempts < SECOND_CHANNEL_AFTER[due.alert.severity]:
        return
    second = c.execute(
        select(alert_channels.c.second_id).where(alert_channels.c.id == due.channel_id)
    ).scalar_one()
    if second is None:
        return
    there = c.execute(
        select(alert_deliveries.c.id).where(
            alert_deliveries.c.alert_id == due.alert_id, alert_deliveries.c.channel_id == second
        )
    ).first()
    if there is None:
        _plan(c, due.alert_id, second, now, now, instead_of=due.id)


# -- reading and acknowledging -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as people read it, with how its deliveries stand: (channel, state, attempts, words)."""

    id: int
    alert: Alert
    at: datetime
    repeats: int
    acknowledged_at: datetime | None
    acknowledged_by: str
    deliveries: tuple[tuple[str, str, int, str], ...] = ()


def alerts_of(c: Connection, ids: Collection[int]) -> dict[int, Alert]:
    """The alerts of these numbers, by number; one that is gone is missing."""
    if not ids:
        return {}
    rows = c.execute(select(alerts).where(alerts.c.id.in_(list(ids))))
    return {row.id: _alert(row) for row in rows}


def _alert(row: Any) -> Alert:
    return Alert(
        key=f"alert:{row.id}",
        group=row.grouping,
        severity=cast(Severity, row.severity),
        teams=cast(tuple[Team, ...], tuple(row.teams)),
        title=row.title,
        reason=row.reason,
        connection_id=row.connection_id,
        connection=row.connection,
        orders=tuple(row.orders),
        order_id=row.order_id,
        case_id=row.case_id,
        due_at=row.due_at,
        count=row.count,
    )


def latest_alerts(c: Connection, limit: int = 100, alert_id: int | None = None) -> tuple[AlertRow, ...]:
    """The latest alerts with their deliveries, the newest first; with `alert_id` that one alone."""
    return alert_rows(c, limit, *(() if alert_id is None else (alerts.c.id == alert_id,)))


def alert_rows(c: Connection, limit: int, *wanted: ColumnElement[bool]) -> tuple[AlertRow, ...]:
    """The alerts that meet all these conditions, with their deliveries, the newest first."""
    rows = c.execute(select(alerts).where(*wanted).order_by(alerts.c.id.desc()).limit(limit)).all()
    by_alert: dict[int, list[tuple[str, str, int, str]]] = {}
    told = c.execute(
        select(alert_deliveries, alert_channels.c.name)
        .join(alert_channels, alert_channels.c.id == alert_deliveries.c.channel_id)
        .where(alert_deliveries.c.alert_id.in_([row.id for row in rows]))
        .order_by(alert_deliveries.c.id)
    )
    for one in told:
        by_alert.setdefault(one.alert_id, []).append((one.name, one.state, one.attempts, one.words))
    return tuple(
        AlertRow(
            row.id,
            _alert(row),
            row.at,
            row.repeats,
            row.acknowledged_at,
            row.acknowledged_by or "",
            tuple(by_alert.get(row.id, ())),
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class ChannelTest:
    """How a test of a channel ended, or that it is under way."""

    id: int
    channel: str
    state: str
    at: datetime
    words: str


def latest_tests(c: Connection, limit: int = 20) -> tuple[ChannelTest, ...]:
    """The latest tests of channels, the newest first."""
    rows = c.execute(
        select(alert_deliveries, alert_channels.c.name)
        .join(alert_channels, alert_channels.c.id == alert_deliveries.c.channel_id)
        .where(alert_deliveries.c.alert_id.is_(None))
        .order_by(alert_deliveries.c.id.desc())
        .limit(limit)
    )
    return tuple(ChannelTest(row.id, row.name, row.state, row.planned_at, row.words) for row in rows)


def acknowledge(c: Connection, alert_id: int, who: str, now: datetime) -> AlertRow | None:
    """Somebody has seen the alert and all it is about: it is not repeated. The ladder it belongs to goes on climbing, because seeing a
    deadline does not move it. Acknowledging twice keeps the first name. None when there is no such alert."""
    first = c.execute(select(alerts.c.repeat_of).where(alerts.c.id == alert_id)).one_or_none()
    if first is None:
        return None
    about = alert_id if first.repeat_of is None else first.repeat_of
    c.execute(
        update(alerts)
        .where(
            or_(alerts.c.id == about, alerts.c.repeat_of == about),
            alerts.c.acknowledged_at.is_(None),
        )
        .values(acknowledged_at=now, acknowledged_by=who.strip()[:80])
    )
    return latest_alerts(c, 1, alert_id)[0]


def forget_alerts(c: Connection, before: datetime) -> int:
    """Delete alerts that are older than that, with their keys and deliveries; returns how many.

    The key of an alert about something that still stands is younger than KEPT_FOR only if it was said since; a case
    that is open for that long is told once more.
    """
    old = select(alerts.c.id).where(alerts.c.at < before)
    c.execute(delete(alert_deliveries).where(alert_deliveries.c.alert_id.in_(old)))
    c.execute(
        delete(alert_deliveries).where(
            alert_deliveries.c.alert_id.is_(None), alert_deliveries.c.planned_at < before
        )
    )
    c.execute(delete(alert_keys).where(alert_keys.c.alert_id.in_(old)))
    return int(c.execute(delete(alerts).where(alerts.c.at < before)).rowcount)
