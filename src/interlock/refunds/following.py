"""What becomes of the refunds that settled a task, whoever made them: they appear, and are paid back.

Paying back moves no date that a walk would show (Mirakl reference, OR11), so the order is read by its id for it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from interlock.orders.memory import Memory, RefundTask
from interlock.orders.plan import Case, earliest, latest
from interlock.orders.portal import reads_after_a_word
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import is_open, with_task
from interlock.orders.snapshots import MiraklOrder, Reduction
from interlock.orders.view import View
from interlock.refunds.policy import taken_over_by

# A refund that the operator has to approve first is not shown until then; nobody publishes how long that takes.
SHOWN_WITHIN = timedelta(minutes=15)
# Paying back depends on the operator's payment system and takes days (Mirakl reference 3.7).
PAID_WITHIN = timedelta(days=10)
PAID = "REFUNDED"
# After that long nobody waits for the payment any more: a case has asked for it, and other reads still show it.
FOLLOWED_FOR = timedelta(days=60)
DAY = timedelta(days=1)


def paid(mirakl: MiraklOrder, memory: Memory, now: datetime) -> Memory:
    """Remember when all refunds of a task were paid back: those Interlock made, or those that settled it."""
    for task in memory.refund_tasks:
        ids = _followed(task)
        shown = [shown_as(mirakl, id) for id in ids]
        if ids and task.paid_at is None and all(r is not None and r.state == PAID for r in shown):
            memory = with_task(memory, replace(task, paid_at=now))
    return memory


def progress(memory: Memory, now: datetime) -> tuple[str, ...]:
    """A sentence for each task that is settled and whose money is still on its way, or has just been paid back."""
    pending = tuple(
        f"Refund {', '.join(_followed(task))} is made at the marketplace; its payment is pending."
        for task in memory.refund_tasks
        if task.settled_at is not None and task.paid_at is None and _followed(task)
    )
    paid = tuple(
        f"The marketplace shows refund {', '.join(_followed(task))} as paid back."
        for task in memory.refund_tasks
        if task.paid_at == now
    )
    return (*pending, *paid)


def _followed(task: RefundTask) -> tuple[str, ...]:
    """The refunds to be seen paid. Units that were cancelled instead were never charged for."""
    if task.made:
        return tuple(one.refund_id for one in task.made)
    return () if task.settled_at is None or task.dismissed_by else task.settled_by


def _since(task: RefundTask) -> datetime | None:
    return task.made_at if task.made else task.settled_at


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


def of_payments(view: View, memory: Memory) -> tuple[datetime | None, datetime | None]:
    """From when on the marketplace must have been read for the refunds that are not paid back yet: once a day, until it
    has shown them as paid, or for as long as somebody may still wait. And when that has to be younger next."""
    since: datetime | None = None
    look_at: datetime | None = None
    for task in memory.refund_tasks:
        began = _since(task)
        if began is None or task.paid_at is not None or not _followed(task):
            continue
        days = (view.now - began) // DAY
        if 0 < days <= FOLLOWED_FOR // DAY:
            since = latest(since, began + days * DAY)
        if days < FOLLOWED_FOR // DAY:
            look_at = earliest(look_at, began + (max(days, 0) + 1) * DAY)
    seen = None if view.mirakl is None else view.mirakl.observed_at
    if since is not None and seen is not None and seen >= since:
        since = None
    return since, look_at


def unpaid(view: View, memory: Memory) -> tuple[tuple[Case, ...], datetime | None]:
    """Cases for refunds of ours that do not appear, and for any that are not paid back in time, and when to look next."""
    cases: list[Case] = []
    look_at: datetime | None = None
    for task in memory.refund_tasks:
        began, ids = _since(task), _followed(task)
        if began is None or task.paid_at is not None or not ids or view.mirakl is None:
            continue
        shown = [shown_as(view.mirakl, id) for id in ids]
        there = all(refund is not None for refund in shown)
        due_at = began + (PAID_WITHIN if there or not task.made else SHOWN_WITHIN)
        if view.now < due_at:
            look_at = earliest(look_at, due_at)
            continue
        if not there and view.now < began + PAID_WITHIN:
            look_at = earliest(look_at, began + PAID_WITHIN)
        elif not there:
            due_at = began + PAID_WITHIN
        if view.mirakl.observed_at < due_at and there:
            continue  # it is read once more first, see `of_payments`
        said = memory.decision(Reason.REFUND_NOT_PAID, task.subject)
        if said is not None and (said.at >= due_at or (was_turned_down(memory, task) and not there)):
            continue
        names = tuple(
            (id, "not shown" if refund is None else refund.state or "no state shown")
            for id, refund in zip(ids, shown, strict=True)
        )
        sentence = _not_paid(task, ", ".join(ids), there)
        options = (Option.DISMISS,) if there or not task.made else (Option.TURNED_DOWN, Option.DISMISS)
        cases.append(Case(Reason.REFUND_NOT_PAID, task.subject, sentence, options, names))
    return tuple(cases), look_at


def _not_paid(task: RefundTask, ids: str, there: bool) -> str:
    if not task.made:
        return (
            f"Refund {ids} settled its task more than {PAID_WITHIN.days} days ago, and the marketplace has not paid it back "
            "yet. Ask the operator; the customer waits for it."
        )
    if there:
        return (
            f"The marketplace confirmed our refund {ids} more than {PAID_WITHIN.days} days ago and has not paid it back "
            "yet. Ask the operator; the customer waits for it."
        )
    return (
        f"The marketplace confirmed our refund {ids}, but does not show it on the order. Where refunds of a shop "
        "need the operator's approval, that is normal until they give it; otherwise ask them. It is not sent again. Its units "
        "do not ship before it is shown, or somebody says that the operator turned it down."
    )


def was_turned_down(memory: Memory, task: RefundTask) -> bool:
    """Whether a person said last that the operator turned our refund down. That holds for as long as the marketplace does not
    show it."""
    said = memory.decision(Reason.REFUND_NOT_PAID, task.subject)
    return said is not None and said.option is Option.TURNED_DOWN


def is_shown(mirakl: MiraklOrder, task: RefundTask) -> bool:
    """Whether the marketplace shows anything of the refunds that Interlock made for the task."""
    return any(shown_as(mirakl, one.refund_id) is not None for one in task.made)


def shown_as(mirakl: MiraklOrder, refund_id: str) -> Reduction | None:
    """The refund as the marketplace shows it, on whatever line."""
    for line in mirakl.lines:
        for refund in line.refunds:
            if refund.id == refund_id:
                return refund
    return None
