"""What the first page shows: what needs a person now, what runs out, what is at stake, and how fresh it all is."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, not_, select

from interlock.access.roles import Permission, Person, may, teams_of
from interlock.cases.store import cases
from interlock.console.acceptance import Waiting, number_waiting, waiting_orders
from interlock.console.case_list import Folded, folded_page
from interlock.console.health import Pulse, sources
from interlock.console.holds import number_held
from interlock.console.lists import Asked
from interlock.engine.store import connections
from interlock.monitoring.outbox import AlertRow, alert_rows, alerts
from interlock.orders.money import Money
from interlock.orders.store import orders

SHOWN_CASES = 8
SHOWN_MINE = 8
SHOWN_PAGES = 5
SHOWN_WINDOWS = 6
RUNNING_OUT = 0.25
"""A window of which this fraction is gone is shown; an undisturbed order never gets so far."""


@dataclass(frozen=True, slots=True)
class Told:
    """An alert that pages and that nobody has seen yet. `may_say` is whether the person may say they have seen it."""

    row: AlertRow
    may_say: bool


@dataclass(frozen=True, slots=True)
class Today:
    """The first page, of one connection or of all. `at_stake` are amounts, one for each currency: the money at risk in
    urgent cases, of each order once. `queue` begins with what the teams of the person own, one line for each cause, and
    leaves out what is `mine` already; `more` says that it goes on."""

    new_today: int
    held: int
    to_accept: int
    open_cases: int
    urgent_cases: int
    number_of_mine: int
    number_of_pages: int
    at_stake: tuple[str, ...]
    pages: tuple[Told, ...]
    windows: tuple[Waiting, ...]
    mine: tuple[Folded, ...]
    queue: tuple[Folded, ...]
    more: bool
    sources: tuple[Pulse, ...]


def first_page(c: Connection, asked: Asked, person: Person, now: datetime) -> Today:
    """What needs a person now at the connection asked for, or at all. The day begins at midnight UTC."""
    named = select(connections.c.id).where(connections.c.name == asked.connection).scalar_subquery()
    here = (cases.c.closed_at.is_(None), *((cases.c.connection_id == named,) if asked.connection else ()))
    ours = (orders.c.connection_id == named,) if asked.connection else ()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    new = c.execute(
        select(func.count()).select_from(orders).where(orders.c.created_at >= midnight, *ours)
    ).scalar_one()
    counted = c.execute(
        select(
            func.count(),
            func.count().filter(cases.c.severity == "urgent"),
            func.count().filter(cases.c.assignee == person.handle),
        ).where(*here)
    ).one()
    ending, _ = waiting_orders(c, Asked("/acceptance", asked.connection), now, SHOWN_WINDOWS)
    taken = replace(asked, extra=(("status", "mine"),))
    mine, _ = folded_page(c, taken, person.handle, now, SHOWN_MINE)
    lines, further = folded_page(
        c, asked, person.handle, now, SHOWN_CASES + len(mine), first=teams_of(person)
    )
    named_already = {line.first.id for line in mine}
    queue = [line for line in lines if line.count > 1 or line.first.id not in named_already]
    number_of_pages, pages = _pages(c, asked, person)
    return Today(
        new_today=int(new),
        held=number_held(c, asked.connection),
        to_accept=number_waiting(c, asked.connection),
        open_cases=int(counted[0]),
        urgent_cases=int(counted[1]),
        number_of_mine=int(counted[2]),
        number_of_pages=number_of_pages,
        at_stake=_at_stake(c, here),
        pages=pages,
        windows=tuple(one for one in ending if one.gone is not None and one.gone >= RUNNING_OUT),
        mine=tuple(mine),
        queue=tuple(queue[:SHOWN_CASES]),
        more=bool(further) or len(queue) > SHOWN_CASES,
        sources=sources(c, now, asked.connection),
    )


def _pages(c: Connection, asked: Asked, person: Person) -> tuple[int, tuple[Told, ...]]:
    """How many pages nobody has seen, and the newest of them, those for the person's own teams first. A page that was
    repeated is one."""
    waits = [alerts.c.severity == "page", alerts.c.acknowledged_at.is_(None), alerts.c.repeat_of.is_(None)]
    if asked.connection:
        waits.append(alerts.c.connection == asked.connection)
    number = c.execute(select(func.count()).select_from(alerts).where(*waits)).scalar_one()
    for_me = alerts.c.teams.overlap(list(teams_of(person)))
    rows = (
        *alert_rows(c, SHOWN_PAGES, *waits, for_me),
        *alert_rows(c, SHOWN_PAGES, *waits, not_(for_me)),
    )
    told = [
        Told(row, may(person, Permission.WORK_CASES, row.alert.connection_id)) for row in rows[:SHOWN_PAGES]
    ]
    return int(number), tuple(told)


def _at_stake(c: Connection, here: Sequence[ColumnElement[bool]]) -> tuple[str, ...]:
    """Of an order with several urgent cases the largest amount counts: they put the same money at risk."""
    of_order = (
        select(cases.c.currency, func.max(cases.c.at_risk).label("money"))
        .where(
            *here,
            cases.c.severity == "urgent",
            cases.c.order_id.is_not(None),
            cases.c.at_risk.is_not(None),
        )
        .group_by(cases.c.order_id, cases.c.currency)
        .subquery()
    )
    rows = c.execute(
        select(of_order.c.currency, func.sum(of_order.c.money))
        .group_by(of_order.c.currency)
        .order_by(of_order.c.currency)
    )
    return tuple(str(Money(total, currency)) for currency, total in rows)
