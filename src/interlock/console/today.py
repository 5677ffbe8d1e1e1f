"""What the first page shows: what needs a person now, what runs out, what is at stake, and how fresh it all is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from interlock.cases.store import cases
from interlock.console.acceptance import Waiting, number_waiting, waiting_orders
from interlock.console.case_list import CaseRow, case_queue
from interlock.console.health import Pulse, sources
from interlock.console.holds import number_held
from interlock.console.lists import Asked
from interlock.orders.money import Money
from interlock.orders.store import orders

SHOWN_CASES = 8
SHOWN_WINDOWS = 6
RUNNING_OUT = 0.25
"""A window of which this fraction is gone is shown; an undisturbed order never gets so far."""


@dataclass(frozen=True, slots=True)
class Today:
    """The first page. `at_stake` are amounts, one for each currency: the money at risk in urgent cases, of each order once."""

    new_today: int
    held: int
    to_accept: int
    open_cases: int
    urgent_cases: int
    mine: int
    at_stake: tuple[str, ...]
    windows: tuple[Waiting, ...]
    queue: tuple[CaseRow, ...]
    sources: tuple[Pulse, ...]


def first_page(c: Connection, who: str, now: datetime) -> Today:
    """What needs a person now, and what `who` has taken on. The day begins at midnight UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    new = c.execute(select(func.count()).select_from(orders).where(orders.c.created_at >= midnight))
    counted = c.execute(
        select(
            func.count(),
            func.count().filter(cases.c.severity == "urgent"),
            func.count().filter(cases.c.assignee == who),
        ).where(cases.c.closed_at.is_(None))
    ).one()
    ending, _ = waiting_orders(c, Asked("/acceptance"), now, SHOWN_WINDOWS)
    return Today(
        new_today=int(new.scalar_one()),
        held=number_held(c),
        to_accept=number_waiting(c),
        open_cases=int(counted[0]),
        urgent_cases=int(counted[1]),
        mine=int(counted[2]),
        at_stake=_at_stake(c),
        windows=tuple(one for one in ending if one.gone is not None and one.gone >= RUNNING_OUT),
        queue=tuple(case_queue(c, SHOWN_CASES, now)),
        sources=sources(c, now),
    )


def _at_stake(c: Connection) -> tuple[str, ...]:
    """Of an order with several urgent cases the largest amount counts: they put the same money at risk."""
    of_order = (
        select(cases.c.currency, func.max(cases.c.at_risk).label("money"))
        .where(
            cases.c.closed_at.is_(None),
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
