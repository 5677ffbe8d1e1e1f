"""Refund tasks as several rooms see them: what they promise, what answered them, and which units they cover."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from interlock.orders.actions import RefundLines
from interlock.orders.connection import KindOfEdit
from interlock.orders.memory import Memory, OrderedLine, RefundDue, RefundTask
from interlock.orders.money import smallest_unit
from interlock.orders.reasons import Option, Reason
from interlock.orders.shares import Portion, portion_of, total_of
from interlock.orders.snapshots import MiraklLine, MiraklOrder, Reduction
from interlock.orders.view import OpenOperation

EDIT = "edit:"
SUPERSEDED = "superseded"
COVERED = f"{SUPERSEDED} by "
UNDONE = "no longer needed"
ZERO = Decimal(0)


def is_open(task: RefundTask) -> bool:
    """Neither answered by the marketplace nor closed otherwise."""
    return task.settled_at is None and not task.dismissed_by


def is_of_an_edit(task: RefundTask) -> bool:
    """Whether an edit after debit asked for it, and not a Shopify refund."""
    return task.subject.startswith(EDIT)


def is_begun(task: RefundTask, operations: Iterable[OpenOperation]) -> bool:
    """Whether money is on its way for the task: our refund was confirmed, or was sent and is unclear, or the
    marketplace shows a part of it."""
    sent = any(
        isinstance(operation.action, RefundLines)
        and operation.action.subject == task.subject
        and operation.state in ("IN_FLIGHT", "UNKNOWN")
        for operation in operations
    )
    return sent or task.made_at is not None or bool(task.settled_by)


def answering(memory: Memory) -> frozenset[str]:
    """The refunds and cancelations of the marketplace that answer a task, or that Interlock made for one, by their ids."""
    settled = (i for task in memory.refund_tasks for i in task.settled_by)
    ours = (made.refund_id for task in memory.refund_tasks for made in task.made)
    return frozenset((*settled, *ours))


def with_task(memory: Memory, task: RefundTask) -> Memory:
    """Remember the task, in place of one with the same subject or as the last."""
    if any(known.subject == task.subject for known in memory.refund_tasks):
        tasks = tuple(task if known.subject == task.subject else known for known in memory.refund_tasks)
    else:
        tasks = (*memory.refund_tasks, task)
    return replace(memory, refund_tasks=tasks)


def closed(memory: Memory, task: RefundTask, by: str) -> Memory:
    """The task is closed without an answer of the marketplace; `by` says who or what closed it."""
    return with_task(memory, replace(task, dismissed_by=by))


def covered(memory: Memory, tasks: Sequence[RefundTask], refund_id: str, at: datetime) -> Memory:
    """The Shopify refund is remembered as the money of these tasks of edits, which go on asking for it."""
    lines = tuple(due for task in tasks for due in task.lines)
    by = f"{COVERED}{', '.join(task.subject for task in tasks)}"
    return with_task(memory, RefundTask(refund_id, at, lines, dismissed_by=by))


def is_covered(memory: Memory, task: RefundTask) -> bool:
    """Whether a Shopify refund is remembered as the money of this task of an edit."""
    return any(
        task.subject in other.dismissed_by.removeprefix(COVERED).split(", ")
        for other in memory.refund_tasks
        if other.dismissed_by.startswith(COVERED)
    )


def refund_subject(refund_id: str) -> str:
    """The subject of the question whether units that were refunded at the marketplace still ship."""
    return f"refund:{refund_id}"


def next_edit_subject(memory: Memory) -> str:
    """`edit:<n>`, counted within the order."""
    return f"{EDIT}{1 + sum(1 for task in memory.refund_tasks if is_of_an_edit(task))}"


def taken_so_far(line: MiraklLine, memory: Memory) -> tuple[Portion, ...]:
    """What cancelations and refunds took of a line. Refunds took units where they answered a task for units or
    count as withdrawn; every other refund took money alone, whatever quantity it names (OR28: informative)."""
    taken = [
        Portion(c.quantity, c.amount, c.shipping_amount, c.taxes, c.shipping_taxes, c.fees)
        for c in line.cancelations
    ]
    rest = list(line.refunds)
    for task in memory.refund_tasks:
        answered = [r for r in rest if r.id in task.settled_by]
        units = sum(due.quantity for due in task.lines if due.line_id == line.id)
        if not answered or not units or task.settled_at is None or was_declined(memory, task):
            continue
        rest = [r for r in rest if r.id not in task.settled_by]
        due = next(due for due in task.lines if due.line_id == line.id and due.quantity)
        taken += _with_these_units(_together(answered, units), due)
    for withdrawn in memory.withdrawn:
        # Refunded at the marketplace without a task of ours, and a person said that the units stay here.
        answered = [r for r in rest if withdrawn.line_id == line.id and r.id == withdrawn.refund_id]
        if answered:
            rest = [r for r in rest if r not in answered]
            taken.append(_together(answered, withdrawn.quantity))
    taken += [Portion(0, r.amount, r.shipping_amount, r.taxes, r.shipping_taxes, r.fees) for r in rest]
    return tuple(taken)


def _with_these_units(given: Portion, due: RefundDue) -> tuple[Portion, ...]:
    """What was given back for the units of a task. Where a person chose another amount than their share, they took their share
    all the same, so that the other units keep theirs; what went beyond it was money alone."""
    more = given.amount - due.amount, given.shipping_amount - due.shipping_amount
    if more == (ZERO, ZERO):
        return (given,)
    share = Portion(given.units, due.amount, due.shipping_amount, due.taxes, due.shipping_taxes, due.fees)
    return share, Portion(0, max(more[0], ZERO), max(more[1], ZERO), (), ())


def _together(parts: list[Reduction], units: int) -> Portion:
    return Portion(
        units,
        sum((part.amount for part in parts), ZERO),
        sum((part.shipping_amount for part in parts), ZERO),
        tuple(tax for part in parts for tax in part.taxes),
        tuple(tax for part in parts for tax in part.shipping_taxes),
        tuple(fee for part in parts for fee in part.fees),
    )


def due_for(
    ordered: OrderedLine,
    line: MiraklLine,
    units: int,
    currency: str,
    memory: Memory,
    since: datetime | None,
) -> RefundDue:
    """What has to be refunded for these units, after what is taken already and what open tasks ask for.

    `since` is when the reason for the refund arose: a refund of the marketplace made after it may be its
    answer even if it was seen first."""
    seen = seen_before(line, since)
    # Refunds that may answer this very task, or answered a part of an open one, are not taken off once more.
    partial = [i for task in memory.refund_tasks if is_open(task) for i in task.settled_by]
    given = [i for task in memory.refund_tasks for i in task.settled_by]
    counted = tuple(r for r in line.refunds if r.id not in partial and (r.id in seen or r.id in given))
    taken = list(taken_so_far(replace(line, refunds=counted), memory))
    for task in memory.refund_tasks:
        if is_open(task):
            taken += [
                Portion(
                    due.quantity, due.amount, due.shipping_amount, due.taxes, due.shipping_taxes, due.fees
                )
                for due in task.lines
                if due.line_id == line.id
            ]
    portion = portion_of(ordered, taken, units, currency)
    return RefundDue(
        line_id=line.id,
        quantity=units,
        amount=portion.amount,
        shipping_amount=portion.shipping_amount,
        taxes=portion.taxes,
        shipping_taxes=portion.shipping_taxes,
        seen_refunds=seen,
        fees=portion.fees,
    )


def seen_before(line: MiraklLine, since: datetime | None) -> tuple[str, ...]:
    """The refunds and cancelations of a line that cannot be the answer to something that arose at `since`."""
    return tuple(
        r.id
        for r in (*line.refunds, *line.cancelations)
        if since is None or r.created_at is None or r.created_at < since
    )


def covered_units(memory: Memory, line_id: str, tasks: Iterable[RefundTask] | None = None) -> int:
    """Units of a line that a task stands for and that are not withdrawn yet: open tasks, and answered ones that
    wait for a person's word that the units will not ship. Units that had left cover none of those that are taken out."""
    return sum(
        due.quantity
        for task in (memory.refund_tasks if tasks is None else tasks)
        for due in task.lines
        if due.line_id == line_id
        and not due.left
        and (is_open(task) or awaits_confirmation(memory, task, due))
    )


def refunded_after_leaving(memory: Memory, line_id: str) -> int:
    """Units of a line that left and whose money a task asks for or has seen go back: they stay agreed."""
    return sum(
        due.quantity
        for task in memory.refund_tasks
        for due in task.lines
        if due.line_id == line_id and due.left and not task.dismissed_by
    )


def awaits_confirmation(memory: Memory, task: RefundTask, due: RefundDue) -> bool:
    """Whether the marketplace refunded whole units of a line and nobody has said yet if they still ship."""
    return (
        due.quantity > 0
        and not due.left
        and task.settled_at is not None
        and not task.dismissed_by
        and not is_withdrawn(memory, task, due)
        and not was_declined(memory, task)
    )


def is_withdrawn(memory: Memory, task: RefundTask, due: RefundDue) -> bool:
    """Whether this task's units of the line count as withdrawn already."""
    return any(
        w.line_id == due.line_id and w.refund_id in (task.subject, *task.settled_by) for w in memory.withdrawn
    )


def was_declined(memory: Memory, task: RefundTask) -> bool:
    """Whether a person said that the refunded units ship all the same."""
    decision = memory.decision(Reason.CONFIRM_WITHDRAWN, task.subject)
    return decision is not None and decision.option is Option.DISMISS


def kind_of_edit(memory: Memory, due: RefundDue) -> KindOfEdit:
    """Whether the edit behind a due removed the line or only lowered its quantity: nothing of it is left then."""
    ordered = memory.ordered_line(due.line_id)
    gone = sum(w.quantity for w in memory.withdrawn if w.line_id == due.line_id)
    whole = ordered is not None and due.quantity + gone >= ordered.quantity
    return "line_removed" if whole else "quantity_reduced"


def line_of(mirakl: MiraklOrder, line_id: str) -> MiraklLine | None:
    """The Mirakl line of that id."""
    for line in mirakl.lines:
        if line.id == line_id:
            return line
    return None


def shares(dues: Iterable[RefundDue], tax_mode: str) -> tuple[Decimal, ...]:
    """What Shopify may call the money of these dues, the whole first: with its shipping and its fees, or without either.
    Taxes are in it where they come on top."""
    found = tuple(dues)

    def total(shipping: bool, fees: bool) -> Decimal:
        return sum(
            (
                total_of(
                    due.amount,
                    due.shipping_amount if shipping else ZERO,
                    (*due.taxes, *due.shipping_taxes) if shipping else due.taxes,
                    tax_mode,
                    due.fees if fees else (),
                )
                for due in found
            ),
            ZERO,
        )

    return tuple(total(shipping, fees) for shipping in (True, False) for fees in (True, False))


def is_a_share(money: Decimal, dues: Iterable[RefundDue], mirakl: MiraklOrder, rounded: bool = True) -> bool:
    """Whether an amount of Shopify is the money of these dues. With `rounded` each unit and each tax may be one smallest unit
    of the currency off, because Shopify and the marketplace round the price of one of several units each in their own way."""
    found = tuple(dues)
    roundings = sum(due.quantity + len(due.taxes) + len(due.shipping_taxes) for due in found)
    off = smallest_unit(mirakl.currency) * roundings if rounded else ZERO
    return any(abs(money - share) <= off for share in shares(found, mirakl.tax_mode))
