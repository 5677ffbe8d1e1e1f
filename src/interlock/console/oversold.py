"""More was sold than there is: the orders that wait for the article, as they would be served now, and what may be chosen of
each of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_

from interlock.cases.store import cases
from interlock.console import wording
from interlock.console.case_list import CaseRow, case_rows
from interlock.engine.stock_figures import wanted_too_much
from interlock.engine.store import all_connections
from interlock.imports.decide import LATE_AFTER
from interlock.inventory.oversell import Sold
from interlock.orders.reasons import Option, Reason


@dataclass(frozen=True, slots=True)
class InQuestion:
    """One order that wants units of the article. `served` says whether the proposal gives it its units, `case` is its own
    open case, `choices` what may be answered there now, and `later_at` from when more may be."""

    order: Sold
    money: str
    served: bool
    case: CaseRow | None
    choices: tuple[str, ...]
    later_at: datetime | None


@dataclass(frozen=True, slots=True)
class InSum:
    """All of them, those that would be served first; `available` are the units there are, in all `wanted` are."""

    available: int
    wanted: int
    orders: tuple[InQuestion, ...]


def orders_in_question(c: Connection, row: CaseRow, now: datetime) -> InSum | None:
    """The orders that this case is about as they stand now; None for any other case, for one that is closed, and where
    there is enough by now."""
    if row.reason != Reason.OVERSOLD.value or row.closed_at is not None or row.connection_id is None:
        return None
    found = wanted_too_much(c, row.connection_id, row.subject, now)
    if found is None:
        return None
    available, divided = found
    ordered = (*divided.served, *divided.losing)
    ids = [order.order_id for order in ordered]
    open_cases = case_rows(c, and_(cases.c.order_id.in_(ids), cases.c.closed_at.is_(None)))
    windows = {one.name: one.rules.acceptance_window for one in all_connections(c)}
    return InSum(
        max(available, 0),
        sum(order.units for order in ordered),
        tuple(
            _in_question(order, order in divided.served, open_cases, windows.get(order.marketplace), now)
            for order in ordered
        ),
    )


def _in_question(
    order: Sold, served: bool, open_cases: list[CaseRow], window: timedelta | None, now: datetime
) -> InQuestion:
    own = [one for one in open_cases if one.order_id == order.order_id]
    own.sort(
        key=lambda one: (one.reason != Reason.STOCK_SHORT.value, Option.REFUSE_ORDER.value not in one.options)
    )
    found = own[0] if own else None
    choices = () if found is None or found.answered_by else found.options
    later_at = None
    if order.due_at is not None and window is not None and Option.REFUSE_ORDER.value not in choices:
        later_at = order.due_at - window * (1 - LATE_AFTER)
    return InQuestion(
        order,
        wording.money(order.value, order.currency),
        served,
        found,
        choices,
        later_at if later_at is not None and later_at > now else None,
    )
