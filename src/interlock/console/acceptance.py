"""The acceptance board: orders that wait for a yes, by the time that is left, and what each of them waits for."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from interlock.cases.store import cases
from interlock.console import wording
from interlock.console.lists import PAGE_LENGTH, Asked, MarkUnreadable
from interlock.engine.store import all_connections, connections
from interlock.orders.store import orders, plans


@dataclass(frozen=True, slots=True)
class Waiting:
    """One order that waits for acceptance. `gone` is the fraction of its window that is over, from 0 to 1, None where the
    connection has no window. `case_id` is the case that keeps it, `waits_for` the sentence that says why it waits."""

    order_id: int
    mirakl_order_id: str
    connection: str
    created_at: datetime
    due_at: datetime | None
    gone: float | None
    waits_for: str
    case_id: int | None
    team: str


IS_WAITING = orders.c.mirakl_state == "WAITING_ACCEPTANCE"


def waiting_orders(
    c: Connection, asked: Asked, now: datetime, limit: int = PAGE_LENGTH
) -> tuple[list[Waiting], str]:
    """Orders that wait for acceptance, least time left first, and the mark of the next page. Raises MarkUnreadable."""
    first_case = (
        select(cases.c.id)
        .where(cases.c.order_id == orders.c.id, cases.c.closed_at.is_(None))
        .order_by(cases.c.due_at.asc().nulls_last(), cases.c.id)
        .limit(1)
        .scalar_subquery()
    )
    because = (
        select(plans.c.plan["because"])
        .where(plans.c.order_id == orders.c.id)
        .order_by(plans.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(
            orders.c.id,
            orders.c.mirakl_order_id,
            orders.c.connection_id,
            orders.c.created_at,
            orders.c.acceptance_due_at,
            first_case.label("case_id"),
            because.label("because"),
        )
        .where(IS_WAITING)
        .order_by(orders.c.acceptance_due_at.asc().nulls_last(), orders.c.id)
        .limit(limit + 1)
    )
    if asked.after:
        query = query.where(_after(asked.after))
    if asked.connection:
        wanted = select(connections.c.id).where(connections.c.name == asked.connection).scalar_subquery()
        query = query.where(orders.c.connection_id == wanted)
    if asked.team:
        of_team = select(cases.c.order_id).where(cases.c.closed_at.is_(None), cases.c.owner == asked.team)
        query = query.where(orders.c.id.in_(of_team))
    rows = c.execute(query).all()
    by_id = {row.id: row for row in all_connections(c)}
    keeping = {
        row.id: row
        for row in c.execute(
            select(cases.c.id, cases.c.reason, cases.c.owner).where(
                cases.c.id.in_([row.case_id for row in rows if row.case_id is not None])
            )
        )
    }
    found = []
    for row in rows[:limit]:
        window = by_id[row.connection_id].rules.acceptance_window
        case = keeping.get(row.case_id)
        said = list(row.because or ())
        found.append(
            Waiting(
                order_id=row.id,
                mirakl_order_id=row.mirakl_order_id,
                connection=by_id[row.connection_id].name,
                created_at=row.created_at,
                due_at=row.acceptance_due_at,
                gone=None
                if not window or row.acceptance_due_at is None
                else min(max(1 - (row.acceptance_due_at - now) / window, 0.0), 1.0),
                waits_for=wording.reason_title(case.reason)
                if case is not None
                else (said[-1] if said else "It is being looked at for the first time."),
                case_id=None if case is None else int(case.id),
                team="" if case is None else case.owner,
            )
        )
    if len(rows) <= limit:
        return found, ""
    last = rows[limit - 1]
    due = "" if last.acceptance_due_at is None else last.acceptance_due_at.isoformat()
    return found, f"{due}~{last.id}"


def _after(mark: str) -> ColumnElement[bool]:
    due, _, number = mark.partition("~")
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        raise MarkUnreadable
    if not due:
        return and_(orders.c.acceptance_due_at.is_(None), orders.c.id > int(number))
    try:
        moment = datetime.fromisoformat(due)
    except ValueError:
        raise MarkUnreadable from None
    if moment.tzinfo is None:
        raise MarkUnreadable
    return or_(
        orders.c.acceptance_due_at > moment,
        and_(orders.c.acceptance_due_at == moment, orders.c.id > int(number)),
        orders.c.acceptance_due_at.is_(None),
    )


def number_waiting(c: Connection, connection: str = "") -> int:
    """How many orders wait for acceptance; with a name, those of that connection."""
    query = select(func.count()).select_from(orders).where(IS_WAITING)
    if connection:
        named = select(connections.c.id).where(connections.c.name == connection).scalar_subquery()
        query = query.where(orders.c.connection_id == named)
    return int(c.execute(query).scalar_one())
