"""What stands now, read from the tables for the alerts' rule: open cases, running windows, pages nobody acknowledged."""

import re
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Connection, and_, exists, select

from interlock.cases.store import answers, cases
from interlock.engine.ledger import operations
from interlock.engine.store import all_connections
from interlock.monitoring.composing import CallOutcome
from interlock.monitoring.decide import CaseStanding, PageStanding, WindowStanding
from interlock.monitoring.ladders import Deadline, Team
from interlock.monitoring.outbox import alerts, one_alert
from interlock.orders.reasons import Reason
from interlock.orders.store import orders

MOST_CASES = 5000
MOST_WINDOWS = 2000
# One look-up for each case: a join would rather read every order there ever was.
_ITS_ORDER = select(orders.c.mirakl_order_id).where(orders.c.id == cases.c.order_id).scalar_subquery()
_CODE = re.compile(r"[A-Za-z0-9_.:-]{1,60}")


def case_standings(c: Connection, now: datetime) -> tuple[CaseStanding, ...]:
    """The open cases, the most urgent first, at most MOST_CASES."""
    names = {row.id: row.name for row in all_connections(c)}
    answered = exists().where(
        answers.c.order_id == cases.c.order_id,
        answers.c.reason == cases.c.reason,
        answers.c.subject == cases.c.subject,
        answers.c.at >= cases.c.opened_at,
    )
    acknowledged = exists().where(alerts.c.case_id == cases.c.id, alerts.c.acknowledged_at.is_not(None))
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
            (answered | acknowledged | (cases.c.assignee != "") | (cases.c.snoozed_until > now)).label(
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
    """First pages of the last hours that nobody acknowledged and whose cause still stands."""
    rows = c.execute(
        select(alerts.c.id, alerts.c.at, alerts.c.repeats)
        .outerjoin(cases, cases.c.id == alerts.c.case_id)
        .outerjoin(orders, orders.c.id == alerts.c.order_id)
        .where(
            alerts.c.severity == "page",
            alerts.c.acknowledged_at.is_(None),
            alerts.c.repeat_of.is_(None),
            alerts.c.at > now - timedelta(hours=6),
            (alerts.c.case_id.is_not(None) & cases.c.closed_at.is_(None))
            | and_(
                alerts.c.case_id.is_(None),
                alerts.c.order_id.is_not(None),
                orders.c.mirakl_state == "WAITING_ACCEPTANCE",
            ),
        )
        .order_by(alerts.c.id)
    ).all()
    found = []
    for row in rows:
        alert = one_alert(c, row.id)
        if alert is not None:
            found.append(PageStanding(row.id, row.at, row.repeats, alert))
    return tuple(found)


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
