"""What a paid order that was cancelled in Shopify still owes the customer: one refund of everything that is left."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from interlock.orders.agreement import agreed_quantities, ordered_of
from interlock.orders.memory import Memory, RefundTask
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import (
    SUPERSEDED,
    UNDONE,
    closed,
    covered,
    covered_units,
    due_for,
    is_a_share,
    is_begun,
    is_of_an_edit,
    is_open,
    line_of,
    next_edit_subject,
    refunded_after_leaving,
    shares,
    with_task,
)
from interlock.orders.snapshots import MiraklOrder, ShopifyOrder, ShopifyRefund
from interlock.orders.view import View

ZERO = Decimal(0)
AT_THE_SAME_TIME = timedelta(minutes=2)
"""Shopify makes the refund and the cancelation one after the other."""
CHARGED = "charged"
"""Subject of the case about the order that is asked where no task can ask."""


def is_asked_back(memory: Memory) -> bool:
    """Whether the refund of everything that was left is asked for and not made yet."""
    return any(task.ending and is_open(task) for task in memory.refund_tasks)


def was_paid_back(memory: Memory) -> bool:
    """Whether the marketplace has answered that refund. Nothing is asked for a second time."""
    return any(task.ending and task.settled_at is not None for task in memory.refund_tasks)


def is_declined(memory: Memory) -> bool:
    """Whether a person said that no money is due, or none any more: on the refund task or on the case about the order."""
    said = memory.decision(Reason.CANCELLED_IN_SHOPIFY, CHARGED)
    return (said is not None and said.option is Option.DISMISS) or any(
        task.ending
        and task.dismissed_by
        and task.settled_at is None
        and not task.dismissed_by.startswith((SUPERSEDED, UNDONE))
        for task in memory.refund_tasks
    )


def units_not_asked_for(mirakl: MiraklOrder, memory: Memory) -> dict[str, int]:
    """Units per Mirakl line that are still agreed and that no refund task stands for."""
    rest = {
        line_id: units - covered_units(memory, line_id) - refunded_after_leaving(memory, line_id)
        for line_id, units in agreed_quantities(mirakl, memory)
    }
    return {line_id: units for line_id, units in rest.items() if units > 0}


def with_everything_asked_back(
    view: View, mirakl: MiraklOrder, shopify: ShopifyOrder, memory: Memory
) -> Memory:
    """The memory with one task for all that is left. It takes the place of every open task that nobody has begun, and the
    refunds made in Shopify are part of its money. Unchanged where no unit is left to ask for.

    Where Shopify refunded another amount with the cancelation, it is the task of that refund: a person decides which of the
    two the customer gets."""
    asked = memory
    replaced = tuple(
        task for task in memory.refund_tasks if is_open(task) and not is_begun(task, view.operations)
    )
    for task in replaced:
        asked = closed(asked, task, SUPERSEDED)
    rest = units_not_asked_for(mirakl, asked)
    ordered = {line.line_id: line for line in ordered_of(mirakl, asked)}
    dues = tuple(
        due_for(ordered[line_id], line, units, mirakl.currency, asked, shopify.cancelled_at)
        for line_id, units in rest.items()
        if (line := line_of(mirakl, line_id)) is not None and ordered[line_id].quantity > 0
    )
    dues = tuple(due for due in dues if shares((due,), mirakl.tax_mode)[0])
    if not dues:
        return memory
    ids = [task.subject for task in replaced if not is_of_an_edit(task)]
    made_here = [refund for refund in shopify.refunds if refund.id in ids]
    whole = RefundTask(next_edit_subject(asked), view.now, dues, ending=True)
    with_it = [refund for refund in made_here if _is_made_with_the_cancelation(refund, shopify)]
    money = sum((refund.money for refund in made_here), ZERO)
    if with_it and not is_a_share(money, dues, mirakl):
        whole = replace(whole, subject=with_it[-1].id, money=money)
    asked = with_task(asked, whole)
    for refund_id in ids:
        if refund_id != whole.subject:
            asked = covered(asked, (whole,), refund_id, view.now)
    return asked


def _is_made_with_the_cancelation(refund: ShopifyRefund, shopify: ShopifyOrder) -> bool:
    return shopify.cancelled_at is not None and refund.created_at >= shopify.cancelled_at - AT_THE_SAME_TIME
