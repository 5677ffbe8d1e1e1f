"""The figures of the day."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from interlock.cases.store import cases
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.orders.store import orders


@dataclass(frozen=True, slots=True)
class Today:
    """The figures above the list of orders."""

    orders: int
    new_today: int
    held: int
    to_accept: int
    open_cases: int
    urgent_cases: int
    shipped_today: int


def figures_of_today(c: Connection, now: datetime) -> Today:
    """The figures of the day, which begins at midnight UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    state = orders.c.mirakl_state
    held = func.jsonb_array_length(func.coalesce(orders.c.memory["held"], func.jsonb_build_array())) > 0
    row = c.execute(
        select(
            func.count().label("orders"),
            func.count().filter(orders.c.created_at >= midnight).label("new_today"),
            func.count().filter(held, or_(state.is_(None), state.not_in((*GONE_OUT, *DEAD)))).label("held"),
            func.count().filter(state == "WAITING_ACCEPTANCE").label("to_accept"),
            func.count()
            .filter(state.in_(GONE_OUT), orders.c.mirakl_seen_at >= midnight)
            .label("shipped_today"),
        ).select_from(orders)
    ).one()
    open_ones = c.execute(
        select(func.count(), func.count().filter(cases.c.severity == "urgent")).where(
            cases.c.closed_at.is_(None)
        )
    ).one()
    return Today(
        orders=int(row.orders),
        new_today=int(row.new_today),
        held=int(row.held),
        to_accept=int(row.to_accept),
        shipped_today=int(row.shipped_today),
        open_cases=int(open_ones[0]),
        urgent_cases=int(open_ones[1]),
    )
