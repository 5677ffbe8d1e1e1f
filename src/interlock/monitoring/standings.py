"""What stands now, read from the tables for the alerts' rule: open cases, running windows, pages nobody acknowledged."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import Connection, and_, case, exists, func, or_, select

from interlock.cases.store import IS_ANSWERED_BY, answers, cases
from interlock.engine.ledger import operations
from interlock.engine.store import all_connections
from interlock.monitoring.composing import CallOutcome
from interlock.monitoring.decide import (
    MOST_NAMED,
    Alert,
    CaseStanding,
    PageStanding,
    WindowStanding,
)
from interlock.monitoring.ladders import Deadline, Team
from interlock.monitoring.onsets import onsets
from interlock.monitoring.outbox import alert_keys, alerts, alerts_of
from interlock.orders.reasons import Reason
from interlock.orders.store import orders

MOST_CASES = 5000
MOST_WINDOWS = 2000
STILL_FOUND = timedelta(minutes=3)
"""What was found at the last measures is found now."""
REPEATED_FOR = timedelta(hours=6)
"""A page that is older is not repeated any more."""
# One look-up for each case: a join would rather read every order there ever was.
_ITS_ORDER = select(orders.c.mirakl_order_id).where(orders.c.id == cases.c.order_id).scalar_subquery()
# How often the case had come back when it was told of; a rung belongs to the time that ends, however often the case opens.
_OF_THIS_OPENING = or_(alert_keys.c.opening.is_(None), alert_keys.c.opening == cases.c.reopened)
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,60}")


def case_standings(c: Connection, now: datetime) -> tuple[CaseStanding, ...]:
    """The open cases, the most urgent first, at most MOST_CASES."""
    names = {row.id: row.name for row in all_connections(c)}
    answered = exists().where(
        IS_ANSWERED_BY,
        answers.c.at >= cases.c.opened_at,
    )
    acknowledged = exists().where(
        alert_keys.c.case_id == cases.c.id,
        _OF_THIS_OPENING,
        alerts.c.id == alert_keys.c.alert_id,
        # not what was seen before the case came back, nor before it joined the message
        alerts.c.acknowledged_at >= cases.c.opened_at,
        alerts.c.acknowledged_at >= alert_keys.c.at,
    )
    assigned = (cases.c.assignee != "") & (cases.c.assigned_at >= cases.c.opened_at)
    rows = c.execute(
        select(
            cases.c.id,
            cases.c.reason,
            cases.c.owner,
            cases.c.severity,
            cases.c.connection_id,
            cases.c.opened_at,
            cases.c.order_id,
            cases.c.due_at,
            cases.c.due_from,
            _ITS_ORDER.label("mirakl_order_id"),
            cases.c.reopened,
            func.coalesce(answered | acknowledged | assigned | (cases.c.snoozed_until > now), False).label(
                "taken"
            ),
        )
        .where(cases.c.closed_at.is_(None))
        .order_by(cases.c.due_at.asc().nulls_last(), cases.c.id.desc())
        .limit(MOST_CASES)
    )
    return tuple(
        CaseStanding(
            id=row.id,
            reason=Reason(row.reason),
            team=cast(Team, row.owner),
            severity=row.severity,
            connection_id=row.connection_id,
            connection=names.get(row.connection_id, ""),
            opened_at=row.opened_at,
            order_id=row.order_id,
            order=row.mirakl_order_id or "",
            due_at=row.due_at,
            due_from=row.due_from,
            opening=row.reopened,
            taken=row.taken,
        )
        for row in rows
    )


def window_standings(c: Connection) -> tuple[WindowStanding, ...]:
    """The orders that wait for acceptance within a known time, the nearest end first."""
    windows = {row.id: (row.name, row.rules.acceptance_window) for row in all_connections(c) if row.live}
    rows = c.execute(
        select(orders.c.id, orders.c.mirakl_order_id, orders.c.connection_id, orders.c.acceptance_due_at)
        .where(orders.c.mirakl_state == "WAITING_ACCEPTANCE", orders.c.acceptance_due_at.is_not(None))
        .order_by(orders.c.acceptance_due_at, orders.c.id)
        .limit(MOST_WINDOWS)
    )
    found = []
    for row in rows:
        name, length = windows.get(row.connection_id, ("", None))
        if length:
            deadline = Deadline(row.acceptance_due_at - length, row.acceptance_due_at)
            found.append(WindowStanding(row.id, row.mirakl_order_id, row.connection_id, name, deadline))
    return tuple(found)


def page_standings(c: Connection, now: datetime) -> tuple[PageStanding, ...]:
    """First pages of the last hours that nobody acknowledged, of which anything still stands, with what stands of each."""
    due_at = case((alert_keys.c.case_id.is_not(None), cases.c.due_at), else_=orders.c.acceptance_due_at)
    stands = or_(
        and_(cases.c.id.is_not(None), cases.c.closed_at.is_(None), _OF_THIS_OPENING),
        and_(alert_keys.c.case_id.is_(None), orders.c.mirakl_state == "WAITING_ACCEPTANCE"),
        onsets.c.found_at > now - STILL_FOUND,
    )
    rows = c.execute(
        select(
            alerts.c.id,
            alerts.c.at,
            alerts.c.repeats,
            alert_keys.c.case_id,
            alert_keys.c.opening,
            alert_keys.c.order_id,
            orders.c.mirakl_order_id,
            due_at.label("due_at"),
        )
        .join(alert_keys, alert_keys.c.alert_id == alerts.c.id)
        .outerjoin(cases, cases.c.id == alert_keys.c.case_id)
        .outerjoin(orders, orders.c.id == alert_keys.c.order_id)
        .outerjoin(onsets, onsets.c.told_as == alert_keys.c.key)
        .where(
            alerts.c.severity == "page",
            alerts.c.acknowledged_at.is_(None),
            alerts.c.repeat_of.is_(None),
            alerts.c.at > now - REPEATED_FOR,
            stands,
        )
        .order_by(alerts.c.id, due_at.asc().nulls_last(), alert_keys.c.key)
    ).all()
    standing: dict[int, list[Any]] = {}
    for row in rows:
        standing.setdefault(row.id, []).append(row)
    whole = alerts_of(c, standing)
    return tuple(
        PageStanding(alert_id, of_it[0].at, of_it[0].repeats, _what_stands(whole[alert_id], of_it))
        for alert_id, of_it in standing.items()
    )


def _what_stands(told: Alert, standing: Sequence[Any]) -> Alert:
    """The alert as told, of what still stands alone: its first by deadline, its orders and their number."""
    first = standing[0]
    named = dict.fromkeys(row.mirakl_order_id for row in standing if row.mirakl_order_id)
    return replace(
        told,
        case_id=first.case_id,
        opening=first.opening,
        order_id=first.order_id,
        orders=tuple(named)[:MOST_NAMED],
        due_at=first.due_at,
        count=len(standing),
    )


def last_calls(c: Connection, order_id: int | None) -> tuple[CallOutcome, ...]:
    """How the last three calls for an order ended, the newest first; nothing a platform wrote but its code."""
    if order_id is None:
        return ()
    rows = c.execute(
        select(operations.c.kind, operations.c.state, operations.c.code)
        .where(operations.c.order_id == order_id)
        .order_by(operations.c.planned_at.desc(), operations.c.id.desc())
        .limit(3)
    )
    return tuple(
        CallOutcome(row.kind, row.state, row.code if _CODE.fullmatch(row.code) else "") for row in rows
    )
