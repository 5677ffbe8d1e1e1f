"""More was sold than there is: the orders that wait for the article, as they would be served now, and what may be chosen of
each of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, and_, select

from interlock.access.roles import sees
from interlock.cases.store import cases
from interlock.console import wording
from interlock.console.case_list import CaseRow, case_rows
from interlock.engine.capabilities import open_subjects
from interlock.engine.stock_figures import wanted_too_much
from interlock.engine.store import all_connections
from interlock.imports.decide import LATE_AFTER
from interlock.inventory.oversell import IMPORT_WAITS, Sold, may_lose
from interlock.orders.connection import ConnectionRules
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.wiring import rules_of

REFUSE = Option.REFUSE_ORDER.value


@dataclass(frozen=True, slots=True)
class InQuestion:
    """One order that wants units of the article. `served` says whether the proposal gives it its units, `case` is its own
    open case, `choices` what may be answered to it now, and `early_until` is set while refusing it does not wait as long as
    stock usually may. An order that may not be named has an empty name."""

    order: Sold
    money: str
    served: bool
    case: CaseRow | None
    choices: tuple[str, ...]
    early_until: datetime | None


@dataclass(frozen=True, slots=True)
class InSum:
    """All of them, those that would be served first; `available` are the units there are, in all `wanted` are."""

    available: int
    wanted: int
    orders: tuple[InQuestion, ...]


def orders_in_question(
    c: Connection, row: CaseRow, now: datetime, own: frozenset[int] | None = None
) -> InSum | None:
    """The orders that this case is about as they stand now; None for any other case, for one that is closed, and where
    there is enough by now. Of orders of other connections than `own` only units and deadline are said."""
    if row.reason != Reason.OVERSOLD.value or row.closed_at is not None or row.connection_id is None:
        return None
    found = wanted_too_much(c, row.connection_id, row.subject, now)
    if found is None:
        return None
    available, divided = found
    ordered = (*divided.served, *divided.losing)
    ids = [order.order_id for order in ordered]
    open_cases = case_rows(c, and_(cases.c.order_id.in_(ids), cases.c.closed_at.is_(None)))
    every = all_connections(c)
    rules = {one.name: rules_of(one, ()) for one in every}
    named = {one.name for one in every if sees(own, one.id)}
    refusable = _refusable(c, open_cases, rules)
    return InSum(
        max(available, 0),
        sum(order.units for order in ordered),
        tuple(
            _in_question(
                order,
                order in divided.served,
                [one for one in open_cases if one.order_id == order.order_id],
                refusable,
                rules[order.marketplace].acceptance_window,
                now,
            )
            if order.marketplace in named
            else _elsewhere(order, order in divided.served)
            for order in ordered
        ),
    )


def as_offered(c: Connection, row: CaseRow, now: datetime) -> CaseRow:
    """The case with all that may be answered to it now: an order of which more was sold than there is may be refused before
    its own case offers that."""
    if row.reason not in IMPORT_WAITS or row.closed_at is not None or REFUSE in row.options:
        return row
    if row.connection_id is None or not (skus := open_subjects(c, row.connection_id, Reason.OVERSOLD)):
        return row
    if not _refusable(c, [row], {one.name: rules_of(one, ()) for one in all_connections(c)}):
        return row
    for sku in skus:
        found = wanted_too_much(c, row.connection_id, sku, now)
        if found is not None and any(
            order.order_id == row.order_id for order in (*found[1].served, *found[1].losing)
        ):
            return replace(row, options=(*row.options, REFUSE))
    return row


def _refusable(
    c: Connection, of: Collection[CaseRow], rules: Mapping[str, ConnectionRules]
) -> frozenset[int]:
    """The numbers of those of these cases whose order may be refused at once if it is in question."""
    rows = c.execute(
        select(orders.c.id, orders.c.mirakl_state, orders.c.shopify_order_id, orders.c.draft_id).where(
            orders.c.id.in_([one.order_id for one in of])
        )
    )
    standing = {row.id: (row.mirakl_state, bool(row.shopify_order_id or row.draft_id)) for row in rows}
    return frozenset(
        one.id
        for one in of
        if one.order_id in standing
        and may_lose(one.reason, *standing[one.order_id], rules[one.connection].accepts_by_itself)
    )


def _elsewhere(order: Sold, served: bool) -> InQuestion:
    unnamed = replace(order, order_id=0, marketplace=wording.ELSEWHERE, name="", value=Decimal(0))
    return InQuestion(unnamed, "", served, None, (), None)


def _in_question(
    order: Sold,
    served: bool,
    own: list[CaseRow],
    refusable: frozenset[int],
    window: timedelta | None,
    now: datetime,
) -> InQuestion:
    own.sort(key=lambda one: (one.reason != Reason.STOCK_SHORT.value, REFUSE not in one.options))
    found = own[0] if own else None
    choices = () if found is None or found.answered_by else found.options
    early_until = None
    if found is not None and not found.answered_by and found.id in refusable:
        choices = choices if REFUSE in choices else (*choices, REFUSE)
        if order.due_at is not None and window is not None:
            late_at = order.due_at - window * (1 - LATE_AFTER)
            early_until = late_at if now < late_at else None
    return InQuestion(order, wording.money(order.value, order.currency), served, found, choices, early_until)
