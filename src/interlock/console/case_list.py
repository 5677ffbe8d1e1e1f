"""Cases as lists and pages show them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, case, select

from interlock.cases.store import answers, cases
from interlock.console import wording
from interlock.engine.store import (
    connections,
)
from interlock.orders.store import orders

_SEVERITY_ORDER = case({"urgent": 0, "today": 1}, value=cases.c.severity, else_=2)


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One case, with the order or connection it belongs to. `answered_by` is who has answered and is not yet heard."""

    id: int
    order_id: int | None
    connection_id: int | None
    connection: str
    order_name: str
    kind: str
    reason: str
    title: str
    subject: str
    owner: str
    severity: str
    sentence: str
    options: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    due_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    closed_because: str
    answered_by: str


def case_queue(c: Connection, limit: int = 200) -> list[CaseRow]:
    """Open cases in the order in which they do damage: by due time, then severity, then age."""
    return case_rows(c, cases.c.closed_at.is_(None), limit=limit)


def one_case(c: Connection, case_id: int) -> CaseRow | None:
    """One case by its number, open or closed."""
    found = case_rows(c, cases.c.id == case_id)
    return found[0] if found else None


def case_rows(c: Connection, condition: Any, limit: int = 500) -> list[CaseRow]:
    """Cases that meet a condition, soonest due first."""
    waiting = (
        select(answers.c.who)
        .where(
            answers.c.order_id == cases.c.order_id,
            answers.c.reason == cases.c.reason,
            answers.c.subject == cases.c.subject,
            answers.c.taken_at.is_(None),
        )
        .order_by(answers.c.id)
        .limit(1)
        .scalar_subquery()
    )
    rows = c.execute(
        select(
            cases,
            connections.c.name.label("connection"),
            orders.c.mirakl_order_id,
            orders.c.shopify_name,
            waiting.label("answered_by"),
        )
        .outerjoin(orders, orders.c.id == cases.c.order_id)
        .outerjoin(connections, connections.c.id == cases.c.connection_id)
        .where(condition)
        .order_by(cases.c.due_at.asc().nulls_last(), _SEVERITY_ORDER, cases.c.opened_at, cases.c.id)
        .limit(limit)
    )
    return [
        CaseRow(
            id=row.id,
            order_id=row.order_id,
            connection_id=row.connection_id,
            connection=row.connection or "",
            order_name=row.shopify_name or row.mirakl_order_id or "",
            kind=row.kind,
            reason=row.reason,
            title=wording.reason_title(row.reason),
            subject=row.subject,
            owner=row.owner,
            severity=row.severity,
            sentence=row.sentence,
            options=tuple(row.options),
            facts=tuple((str(name), str(value)) for name, value in row.facts),
            due_at=row.due_at,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            closed_because=row.closed_because or "",
            answered_by=row.answered_by or "",
        )
        for row in rows
    ]
