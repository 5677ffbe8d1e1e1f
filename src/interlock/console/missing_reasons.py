"""How many orders wait because a use of a reason code has none that the marketplace takes."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, select

from interlock.cases.store import cases
from interlock.edits.diff import differences
from interlock.edits.reading import Edit
from interlock.edits.rules import NO_REASON_CODE
from interlock.engine.store import ConnectionRow
from interlock.marketplaces.reasons import Use
from interlock.orders.codec import decode
from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory
from interlock.orders.reasons import Reason
from interlock.orders.refund_tasks import kind_of_edit
from interlock.orders.store import orders
from interlock.orders.view import View
from interlock.refunds.policy import is_ours
from interlock.wiring import rules_of

WAITING_AS = (Reason.REDUCTION_NOT_ALLOWED, Reason.REFUND_TASK, Reason.REFUND_APPROVAL)
"""The cases of orders that may wait for a reason code."""


def orders_by_use(c: Connection, row: ConnectionRow) -> dict[Use, int]:
    """How many orders of the connection wait for a code of each use, by its settings and the marketplace's list as they
    are now: a cancelation that cannot be sent, a refund that Interlock would make itself."""
    rules = rules_of(row, ())
    found: dict[Use, int] = {"cancelation": 0, "refund": 0}
    asked_about = select(cases.c.order_id).where(
        cases.c.connection_id == row.id,
        cases.c.reason.in_([reason.value for reason in WAITING_AS]),
        cases.c.closed_at.is_(None),
    )
    kept = select(orders.c.last_view, orders.c.memory).where(
        orders.c.id.in_(asked_about), orders.c.last_view.is_not(None)
    )
    for one in c.execute(kept):
        view: View = decode(View, one.last_view)
        for use in uses_waited_for(replace(view, rules=rules), decode(Memory, one.memory)):
            found[use] += 1
    return found


def missing_reasons(c: Connection, row: ConnectionRow) -> tuple[tuple[tuple[str, int], ...], int]:
    """The uses and codes the connection's open cases are about, each with how many orders wait for its use, and how many
    orders go on once all of them are set."""
    subjects: Sequence[str] = (
        c.execute(
            select(cases.c.subject)
            .where(
                cases.c.connection_id == row.id,
                cases.c.reason == Reason.REASON_CODE_MISSING.value,
                cases.c.closed_at.is_(None),
            )
            .order_by(cases.c.subject)
        )
        .scalars()
        .all()
    )
    if not subjects:
        return (), 0
    waiting = {str(use): number for use, number in orders_by_use(c, row).items()}
    uses = dict.fromkeys(subject.partition(" ")[0] for subject in subjects)
    each = tuple((subject, waiting.get(subject.partition(" ")[0], 0)) for subject in subjects)
    return each, sum(waiting.get(use, 0) for use in uses)


def uses_waited_for(view: View, memory: Memory) -> tuple[Use, ...]:
    """The uses for which this order waits for a code, under the rules of the view."""
    return (
        *(("cancelation",) if _waits_to_cancel(view, memory) else ()),
        *(("refund",) if _waits_to_refund(view.rules, memory) else ()),
    )


def _waits_to_cancel(view: View, memory: Memory) -> bool:
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or not shopify.live or not memory.shopify_order_id:
        return False
    edit = Edit(view, mirakl, shopify, memory, differences(view, memory))
    return any(NO_REASON_CODE in one.rule.conditions for one in edit.judged())


def _waits_to_refund(rules: ConnectionRules, memory: Memory) -> bool:
    return any(
        not rules.refund_reason_for(kind_of_edit(memory, due))
        for task in memory.refund_tasks
        if is_ours(rules, task) and task.made_at is None
        for due in task.lines
    )
