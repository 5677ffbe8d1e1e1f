"""What becomes of a refund that Interlock made: it appears once, on its line, with its amount, and is paid back."""

from dataclasses import replace
from datetime import datetime, timedelta

from interlock.orders.memory import Incident, MadeRefund, Memory, RefundTask
from interlock.orders.money import Money
from interlock.orders.plan import Case, earliest, latest
from interlock.orders.portal import reads_after_a_word
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import is_open
from interlock.orders.snapshots import MiraklOrder, Reduction
from interlock.orders.view import View
from interlock.refunds.policy import taken_over_by

# A refund that the operator has to approve first is not shown until then; nobody publishes how long that takes.
SHOWN_WITHIN = timedelta(minutes=15)
# Paying back depends on the operator's payment system and takes days (Mirakl reference 3.7).
PAID_WITHIN = timedelta(days=10)
PAID = "REFUNDED"


def paid(mirakl: MiraklOrder, memory: Memory, now: datetime) -> Memory:
    """Remember when all refunds of a task that Interlock made were paid back."""
    for task in memory.refund_tasks:
        if not task.made or task.paid_at is not None:
            continue
        shown = [shown_as(mirakl, one) for one in task.made]
        if all(refund is not None and refund.state == PAID for refund in shown):
            memory = _with(memory, replace(task, paid_at=now))
    return memory


def mismatches(mirakl: MiraklOrder, memory: Memory, now: datetime) -> Memory:
    """Damage that a refund of ours shows: on another line, with another amount, or made a second time."""
    for task in memory.refund_tasks:
        for one in task.made:
            for subject, sentence in _wrong(mirakl, memory, task, one):
                memory = memory.with_incident(Incident(Reason.REFUND_MISMATCH, subject, now, sentence))
    return memory


def _wrong(
    mirakl: MiraklOrder, memory: Memory, task: RefundTask, one: MadeRefund
) -> tuple[tuple[str, str], ...]:
    asked = str(Money(one.amount, mirakl.currency))
    name = _sku(memory, one.line_id)
    found: list[tuple[str, str]] = []
    for line in mirakl.lines:
        for refund in line.refunds:
            if refund.id == one.refund_id and line.id != one.line_id:
                found.append(
                    (
                        f"{one.refund_id}:line",
                        f"Refund {refund.id} was asked for on {name} and stands on {_sku(memory, line.id)}. Settle it "
                        "with the marketplace operator; no further refund is sent for it.",
                    )
                )
            elif refund.id == one.refund_id and not _same_money(refund, one):
                shown = Money(refund.amount + refund.shipping_amount, mirakl.currency)
                wanted = Money(one.amount + one.shipping_amount, mirakl.currency)
                found.append(
                    (
                        f"{one.refund_id}:amount",
                        f"Refund {refund.id} of {name} was confirmed with {wanted} and shows {shown}. Compare it in the "
                        "portal and settle the difference with the operator.",
                    )
                )
            elif line.id == one.line_id and _is_a_double(memory, task, one, refund):
                found.append(
                    (
                        f"{one.refund_id}:{refund.id}",
                        f"{name} was refunded twice: beside our refund {one.refund_id} of {asked} the marketplace shows "
                        f"{refund.id} of the same amount. Find out who made it; money that went twice comes back only "
                        "through the operator.",
                    )
                )
    return tuple(found)


def _is_a_double(memory: Memory, task: RefundTask, one: MadeRefund, refund: Reduction) -> bool:
    """Whether a refund of the same line and amount came after the task arose and answers nothing else."""
    due = next((due for due in task.lines if due.line_id == one.line_id), None)
    if due is None or refund.id == one.refund_id or refund.amount != one.amount:
        return False
    known = (
        *due.seen_refunds,
        *(made.refund_id for other in memory.refund_tasks for made in other.made),
        *(i for other in memory.refund_tasks for i in other.settled_by),
    )
    since = refund.created_at is None or refund.created_at >= task.opened_at
    return since and refund.id not in known


def _same_money(refund: Reduction, one: MadeRefund) -> bool:
    return refund.amount == one.amount and refund.shipping_amount == one.shipping_amount


def after_a_word(view: View, memory: Memory) -> tuple[datetime | None, datetime | None]:
    """From when on the marketplace must have been read for the tasks of which a person said that they are done in the
    portal, and when that has to be younger next."""
    since: datetime | None = None
    look_at: datetime | None = None
    for task in memory.refund_tasks:
        said = taken_over_by(memory, task)
        if not is_open(task) or said is None or said.option is not Option.DONE_IN_PORTAL:
            continue
        read_since, next_at = reads_after_a_word(said.at, view.now, PAID_WITHIN.days)
        since, look_at = latest(since, read_since), earliest(look_at, next_at)
    seen = None if view.mirakl is None else view.mirakl.observed_at
    if since is not None and seen is not None and seen >= since:
        since = None
    return since, look_at


def unpaid(view: View, memory: Memory) -> tuple[tuple[Case, ...], datetime | None]:
    """Cases for refunds of ours that do not appear, or appear and are not paid back in time, and when to look next."""
    cases: list[Case] = []
    look_at: datetime | None = None
    for task in memory.refund_tasks:
        if task.made_at is None or task.paid_at is not None or not task.made or view.mirakl is None:
            continue
        shown = [shown_as(view.mirakl, one) for one in task.made]
        there = all(refund is not None for refund in shown)
        due_at = task.made_at + (PAID_WITHIN if there else SHOWN_WITHIN)
        if view.now < due_at:
            look_at = earliest(look_at, due_at)
            continue
        if memory.decision(Reason.REFUND_NOT_PAID, task.subject) is not None:
            continue
        ids = ", ".join(one.refund_id for one in task.made)
        sentence = (
            f"The marketplace confirmed our refund {ids} more than {PAID_WITHIN.days} days ago and has not paid it back "
            "yet. Ask the operator; the customer waits for it."
            if there
            else f"The marketplace confirmed our refund {ids}, but does not show it on the order. Where refunds of a shop "
            "need the operator's approval, that is normal until they give it; otherwise ask them. It is not sent again."
        )
        states = tuple(
            (one.refund_id, "not shown" if refund is None else refund.state)
            for one, refund in zip(task.made, shown, strict=True)
        )
        cases.append(Case(Reason.REFUND_NOT_PAID, task.subject, sentence, (Option.DISMISS,), states))
    return tuple(cases), look_at


def shown_as(mirakl: MiraklOrder, one: MadeRefund) -> Reduction | None:
    """The refund as the marketplace shows it, on whatever line."""
    for line in mirakl.lines:
        for refund in line.refunds:
            if refund.id == one.refund_id:
                return refund
    return None


def _with(memory: Memory, task: RefundTask) -> Memory:
    tasks = tuple(task if known.subject == task.subject else known for known in memory.refund_tasks)
    return replace(memory, refund_tasks=tasks)


def _sku(memory: Memory, line_id: str) -> str:
    line = memory.ordered_line(line_id)
    return line.sku if line is not None and line.sku else line_id
