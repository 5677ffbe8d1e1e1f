"""Refund tasks as the people see them who refund in the portal: lines, amounts, taxes, the reason code, where to enter
them, until when, and the commission that should come back."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from interlock.cases.store import cases
from interlock.cases.work import Status, status_of
from interlock.console import wording
from interlock.console.lists import Asked, row_mark
from interlock.console.portal import PortalPage, portal_page
from interlock.engine.store import connections
from interlock.orders.codec import decode
from interlock.orders.memory import Memory, RefundDue, RefundTask
from interlock.orders.reasons import Reason
from interlock.orders.refund_tasks import kind_of_edit, line_of
from interlock.orders.snapshots import MiraklOrder
from interlock.orders.store import orders
from interlock.orders.view import View
from interlock.preview import commission_back
from interlock.refunds.policy import customers_total

ABOUT_REFUNDS = (
    Reason.REFUND_TASK,
    Reason.REFUND_APPROVAL,
    Reason.REFUND_REFUSED,
    Reason.REFUND_NOT_PAID,
    Reason.REFUND_MISMATCH,
    Reason.REFUND_MADE_ALREADY,
)
PAGE_LENGTH = 50
OWN_FILTERS = ("reason", "late")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class DueLine:
    """One line of a refund task: what a person enters in the portal. Amounts are in the task's currency and in the
    order's tax mode; `taxes`, `shipping_taxes` and `fees` are (code, amount). `reason_code` is what the connection uses for such an edit
    of the line (RE01), empty where none is set. `commission` is what should come back of it, taxes included; None where
    the marketplace's line is not known."""

    line_id: str
    sku: str
    units: int
    amount: Decimal
    shipping: Decimal
    taxes: tuple[tuple[str, Decimal], ...]
    shipping_taxes: tuple[tuple[str, Decimal], ...]
    fees: tuple[tuple[str, Decimal], ...]
    reason_code: str
    commission: Decimal | None


@dataclass(frozen=True, slots=True)
class RefundTaskRow:
    """One refund that somebody has to make, approve or look at. `portal` is where it is made.
    `total` is None where a person is to decide it first: `in_shopify` is then what Shopify moved, beside the share of `lines`."""

    case_id: int
    order_id: int
    order_name: str
    mirakl_order_id: str
    connection: str
    connection_id: int
    owner: str
    reason: str
    title: str
    severity: str
    sentence: str
    options: tuple[str, ...]
    subject: str
    opened_at: datetime
    due_at: datetime | None
    assignee: str
    status: Status
    currency: str
    total: Decimal | None
    in_shopify: Decimal | None
    commission: Decimal | None
    lines: tuple[DueLine, ...]
    portal: PortalPage
    seen: tuple[str, ...]

    @property
    def reason_codes(self) -> tuple[str, ...]:
        """The reason codes of its lines, each once."""
        return tuple(dict.fromkeys(line.reason_code for line in self.lines if line.reason_code))

    def money(self, amount: Decimal | None) -> str:
        """An amount of this task in words."""
        return "" if amount is None else wording.money(amount, self.currency)


def refund_tasks_page(
    c: Connection, asked: Asked, now: datetime, limit: int = PAGE_LENGTH
) -> tuple[list[RefundTaskRow], str]:
    """Open refund tasks, the first due first, and the mark of the next page: empty when this is the last. Raises
    MarkUnreadable."""
    begins = row_mark(asked.after) if asked.after else 0
    rows = c.execute(
        select(
            cases,
            orders.c.mirakl_order_id,
            orders.c.shopify_name,
            orders.c.memory,
            orders.c.last_view,
            connections.c.name.label("connection"),
            connections.c.mirakl_origin,
            connections.c.rules["order_in_portal"].astext.label("order_in_portal"),
        )
        .join(orders, orders.c.id == cases.c.order_id)
        .join(connections, connections.c.id == cases.c.connection_id)
        .where(*_asked_for(asked, now))
        .order_by(cases.c.damage_at.asc().nulls_last(), cases.c.at_risk.desc().nulls_last(), cases.c.id)
        .offset(begins)
        .limit(limit + 1)
    ).all()
    return [_row(row, now) for row in rows[:limit]], str(begins + limit) if len(rows) > limit else ""


def _asked_for(asked: Asked, now: datetime) -> Iterable[ColumnElement[bool]]:
    reason = asked.other("reason")
    wanted = [one.value for one in ABOUT_REFUNDS if not reason or one.value == reason]
    yield cases.c.closed_at.is_(None)
    yield cases.c.reason.in_(wanted)
    if asked.connection:
        yield connections.c.name == asked.connection
    if asked.team:
        yield cases.c.owner == asked.team
    if asked.other("late"):
        yield cases.c.damage_at <= now


def _row(row: Any, now: datetime) -> RefundTaskRow:
    memory: Memory = decode(Memory, row.memory)
    view: View | None = None if row.last_view is None else decode(View, row.last_view)
    if view is not None:
        view = replace(view, memory=memory)
    task = next((task for task in memory.refund_tasks if task.subject == row.subject), None)
    mirakl = None if view is None else view.mirakl
    currency = row.currency or ("" if mirakl is None else mirakl.currency)
    # While it is asked whether it is made already, there is nothing to enter.
    lines = () if task is None or task.asks else tuple(_line(view, memory, due) for due in task.lines)
    back = [line.commission for line in lines if line.commission is not None]
    return RefundTaskRow(
        case_id=row.id,
        order_id=row.order_id,
        order_name=row.shopify_name or row.mirakl_order_id,
        mirakl_order_id=row.mirakl_order_id,
        connection=row.connection,
        connection_id=row.connection_id,
        owner=row.owner,
        reason=row.reason,
        title=wording.reason_title(row.reason),
        severity=row.severity,
        sentence=row.sentence,
        options=tuple(row.options),
        subject=row.subject,
        opened_at=row.opened_at,
        due_at=row.damage_at,
        assignee=row.assignee,
        status=status_of(row.closed_at, row.snoozed_until, row.begun_at, now),
        currency=currency,
        total=_total(task, mirakl),
        in_shopify=None if task is None else task.money,
        commission=sum(back, ZERO) if back else None,
        lines=lines,
        portal=portal_page(str(row.mirakl_origin), row.order_in_portal or "", row.mirakl_order_id),
        seen=() if task is None else task.settled_by,
    )


def _total(task: RefundTask | None, mirakl: MiraklOrder | None) -> Decimal | None:
    """What is to be refunded; None where that is not known, or a person is to decide it first."""
    if task is None or mirakl is None or task.asks or task.money is not None:
        return None
    return customers_total(task, mirakl.tax_mode)


def _line(view: View | None, memory: Memory, due: RefundDue) -> DueLine:
    ordered = memory.ordered_line(due.line_id)
    mirakl = None if view is None else view.mirakl
    line = None if mirakl is None else line_of(mirakl, due.line_id)
    commission = None
    if mirakl is not None and line is not None and ordered is not None and due.quantity:
        commission = commission_back(line, ordered, due.quantity, mirakl.currency)
    return DueLine(
        line_id=due.line_id,
        sku="" if ordered is None else ordered.sku,
        units=due.quantity,
        amount=due.amount,
        shipping=due.shipping_amount,
        taxes=tuple((tax.code, tax.amount) for tax in due.taxes),
        shipping_taxes=tuple((tax.code, tax.amount) for tax in due.shipping_taxes),
        fees=tuple((fee.code, fee.amount) for fee in due.fees if fee.amount),
        reason_code="" if view is None else view.rules.refund_reason_for(kind_of_edit(memory, due)),
        commission=commission,
    )
