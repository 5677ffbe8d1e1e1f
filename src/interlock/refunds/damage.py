"""Money that went wrong at the marketplace: refunded a second time, on another line, or with another amount.

The seller cannot see who made a refund (Mirakl reference, OR11), so one that looks like an answer to a task and answers
none is told. A refund of some other amount is a goodwill and stays what it is.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from interlock.orders.memory import Incident, MadeRefund, Memory, RefundDue, RefundTask
from interlock.orders.money import Money
from interlock.orders.plan import earliest
from interlock.orders.reasons import Reason
from interlock.orders.refund_tasks import is_open
from interlock.orders.snapshots import MiraklLine, MiraklOrder, Reduction
from interlock.refunds.answers import answers, given_by, known_refunds, only_records

# The edit or the Shopify refund that a refund in the portal belongs to may be read, or taken as settled, after it.
EXPLAINED_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A refund that looks like an answer to a task and answers none; it is damage from `damage_at` on."""

    subject: str
    refund_id: str
    sentence: str
    damage_at: datetime | None


def told(mirakl: MiraklOrder, memory: Memory, now: datetime) -> tuple[Memory, datetime | None]:
    """Remember the damage that the marketplace shows, close what is explained by now, and say when to look again."""
    memory = _explained(memory, now)
    look_at: datetime | None = None
    for task in memory.refund_tasks:
        for one in task.made:
            for subject, sentence in _wrong(mirakl, memory, task, one):
                memory = memory.with_incident(Incident(Reason.REFUND_MISMATCH, subject, now, sentence))
    for suspect in suspects(mirakl, memory):
        if suspect.damage_at is not None and suspect.damage_at > now:
            look_at = earliest(look_at, suspect.damage_at)
        elif _told_of(memory, suspect.refund_id) is None:
            incident = Incident(Reason.REFUND_MISMATCH, suspect.subject, now, suspect.sentence)
            memory = memory.with_incident(incident)
    return memory, look_at


def asked_about(mirakl: MiraklOrder, memory: Memory) -> frozenset[str]:
    """The refunds of which somebody is asked whether they went wrong, or soon is."""
    soon = {one.refund_id for one in suspects(mirakl, memory) if _told_of(memory, one.refund_id) is None}
    asked = {
        one.subject.rpartition(":")[2]
        for one in memory.incidents
        if one.reason is Reason.REFUND_MISMATCH and one.closed_at is None
    }
    return frozenset(soon | asked)


def _told_of(memory: Memory, refund_id: str) -> Incident | None:
    """The incident of a refund made twice or on another line, open or closed."""
    for incident in memory.incidents:
        if incident.reason is Reason.REFUND_MISMATCH and incident.subject.endswith(f":{refund_id}"):
            return incident
    return None


def _explained(memory: Memory, now: datetime) -> Memory:
    """Damage whose refund answers a task by now was none."""
    known = known_refunds(memory)
    incidents = tuple(
        replace(one, closed_at=now, closed_because="The refund answers a task by now.")
        if one.reason is Reason.REFUND_MISMATCH
        and one.closed_at is None
        and one.subject.rpartition(":")[2] in known
        else one
        for one in memory.incidents
    )
    return memory if incidents == memory.incidents else replace(memory, incidents=incidents)


# -- refunds that people make in the portal --------------------------------------------------------------------


def suspects(mirakl: MiraklOrder, memory: Memory) -> tuple[Suspect, ...]:
    """Refunds that repeat what settled a task, or have the figures of an open one and stand on another line."""
    known = known_refunds(memory)
    found: dict[str, Suspect] = {}
    for task in memory.refund_tasks:
        if task.made or task.dismissed_by or task.asks:
            continue
        for due in task.lines:
            for line in mirakl.lines:
                for refund in line.refunds:
                    if refund.id in known or refund.id in due.seen_refunds:
                        continue
                    suspect = (
                        _elsewhere(mirakl, memory, task, due, line, refund)
                        if is_open(task)
                        else _again(mirakl, memory, task, due, line, refund)
                    )
                    if suspect is not None:
                        found.setdefault(refund.id, suspect)
    return tuple(found.values())


def _again(
    mirakl: MiraklOrder, memory: Memory, task: RefundTask, due: RefundDue, line: MiraklLine, refund: Reduction
) -> Suspect | None:
    """A later refund of the line and the amount that settled the task. A task that only records what the marketplace had
    given first asked for none, so nothing repeats it."""
    settled = tuple(r for r in answers(mirakl, task, due) if r in line.refunds)
    if not settled or only_records(task, due):
        return None
    earliest_answer = min((r.created_at for r in settled if r.created_at is not None), default=None)
    later = (
        refund.created_at is None
        or refund.created_at >= task.opened_at
        or (earliest_answer is not None and refund.created_at >= earliest_answer)
    )
    whole = given_by(settled)
    same = any(_money_of(refund) == _money_of(one) for one in settled) or (
        refund.amount > 0 and refund.amount in (whole.amount, *(one.amount for one in settled))
    )
    if not later or not same:
        return None
    name, first = _sku(memory, line.id), settled[0]
    return Suspect(
        f"{first.id}:{refund.id}",
        refund.id,
        f"{name} was refunded twice: refund {', '.join(r.id for r in settled)} of {_amount(mirakl, whole.amount, whole.shipping)} "
        f"settled the task, and {refund.id} of {_amount(mirakl, refund.amount, refund.shipping_amount)} came after it. Find "
        "out who made it: money that went twice comes back only through the operator. If it was meant, dismiss this with "
        "the reason.",
        _damage_at(refund),
    )


def _elsewhere(
    mirakl: MiraklOrder, memory: Memory, task: RefundTask, due: RefundDue, line: MiraklLine, refund: Reduction
) -> Suspect | None:
    """A refund with the money of an open task, made after it was opened, on a line the task does not ask for."""
    if not due.line_id or any(one.line_id == line.id for one in task.lines) or answers(mirakl, task, due):
        return None
    same = refund.amount == due.amount and refund.shipping_amount in (due.shipping_amount, Decimal(0))
    if not same or not due.amount or (refund.created_at is not None and refund.created_at < task.opened_at):
        return None
    return Suspect(
        f"{task.subject}:{refund.id}",
        refund.id,
        f"A refund of {_amount(mirakl, due.amount, due.shipping_amount)} is asked for on {_sku(memory, due.line_id)}, and "
        f"{refund.id} of {_amount(mirakl, refund.amount, refund.shipping_amount)} stands on {_sku(memory, line.id)}. The task "
        "stays open: settle it with the marketplace operator before you refund the right line.",
        _damage_at(refund),
    )


def _damage_at(refund: Reduction) -> datetime | None:
    return None if refund.created_at is None else refund.created_at + EXPLAINED_WITHIN


def _money_of(refund: Reduction) -> tuple[Decimal, Decimal]:
    return refund.amount, refund.shipping_amount


def _amount(mirakl: MiraklOrder, amount: Decimal, shipping: Decimal) -> str:
    product = str(Money(amount, mirakl.currency))
    return f"{product} and {Money(shipping, mirakl.currency)} shipping" if shipping else product


# -- refunds that Interlock made -------------------------------------------------------------------------------


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


def _sku(memory: Memory, line_id: str) -> str:
    line = memory.ordered_line(line_id)
    return line.sku if line is not None and line.sku else line_id
