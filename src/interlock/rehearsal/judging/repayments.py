"""I7, at rest: refunds that people made in the portal settle a task with its money, and one made twice was told."""

from datetime import datetime, timedelta
from decimal import Decimal

from interlock.orders.memory import RefundTask
from interlock.orders.reasons import Option, Reason
from interlock.refunds.answers import only_records
from interlock.rehearsal.judging.evidence import Evidence, first_after
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.rehearsal.recording import recorded_refund
from interlock.simulator.mirakl.orders import SimRefund

ZERO = Decimal(0)
QUARTER = timedelta(minutes=15)
TOLD_WITHIN = timedelta(minutes=3)
CLOCKS_MAY_ERR = timedelta(minutes=6)
PEOPLE = ("staff", "operator")
NOTHING_MOVES = (Reason.UNKNOWN_VALUE.value, Reason.NOT_OURS_TO_SHIP.value)


def i7_a_task_is_settled_by_its_money(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """The refunds that settled a task which no call of ours carried out have its product amount and its shipping on each
    line, in the marketplace's tax mode, unless a person took another amount as it is."""
    for task in truth.memory.refund_tasks:
        if not _of_people(task) or _accepted(evidence, truth, task):
            continue
        if any(part.id in task.settled_by for line in truth.order.lines for part in line.cancelations):
            continue  # nobody was charged for the units, so no shipping is given back
        verdict.checked["I7 money"] += 1
        if task.money is not None and _total(truth, task) == task.money:
            continue  # what Shopify moved, as a person decided
        if task.money is not None and not _said_so(evidence, truth, task):
            verdict.violation(
                "I7",
                truth.id,
                task.settled_at or evidence.now,
                f"Task {task.subject} is settled with another amount than Shopify moved, and nobody said so.",
                f"Shopify {task.money}, the marketplace {_total(truth, task)}",
            )
        for due in task.lines:
            if not due.line_id:
                continue
            refunds = [part for part in _refunds(truth, due.line_id) if part.id in task.settled_by]
            asked = (due.amount, due.shipping_amount)
            given = (
                sum((_figures(truth, part)[0] for part in refunds), ZERO),
                sum((_figures(truth, part)[1] for part in refunds), ZERO),
            )
            if given != asked:
                verdict.violation(
                    "I7",
                    truth.id,
                    task.settled_at or evidence.now,
                    f"Task {task.subject} is settled, and line {due.line_id} was not given its money.",
                    f"asked {asked[0]} and {asked[1]} shipping",
                    f"given {given[0]} and {given[1]} shipping",
                )


def i7_a_refund_made_twice_is_told(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """A refund of a person that has the product amount of one that settled a task of this line, came after it, and answers
    nothing, had its case within minutes once a quarter of an hour had passed and a read had shown it."""
    if any(case.reason in NOTHING_MOVES for case in evidence.open_cases(truth.row, truth.id)):
        return
    known = {
        *(i for task in truth.memory.refund_tasks for i in task.settled_by),
        *(made.refund_id for task in truth.memory.refund_tasks for made in task.made),
        *(one.refund_id for one in truth.memory.withdrawn),
    }
    told = {
        case.subject.rpartition(":")[2] for case in evidence.cases_of(truth.row, Reason.REFUND_MISMATCH.value)
    }
    reads = evidence.mirakl_reads.get((truth.marketplace.name, truth.id), [])
    for task in truth.memory.refund_tasks:
        if not _of_people(task) or task.settled_at is None:
            continue
        for due in task.lines:
            if not due.line_id or only_records(task, due):
                continue
            refunds = _refunds(truth, due.line_id)
            settled = [part for part in refunds if part.id in task.settled_by]
            for part in refunds:
                if part.id in known or part.id in due.seen_refunds or not _repeats(part, settled):
                    continue
                verdict.checked["I7 twice"] += 1
                read = first_after(reads, max(part.created + QUARTER, task.settled_at))
                due_at = None if read is None else evidence.due_after(read, TOLD_WITHIN + CLOCKS_MAY_ERR)
                if part.id not in told and due_at is not None and due_at < evidence.now:
                    verdict.violation(
                        "I7",
                        truth.id,
                        part.created,
                        f"Refund {part.id} repeats what settled {task.subject}, and nobody was told.",
                        f"on line {due.line_id}, beside {', '.join(task.settled_by)}",
                    )


def i7_what_was_recorded_is_not_asked_for_again(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """A Shopify refund that records one of the marketplace, to the cent, asks for no money unless a person said that it is
    another one: its task is that refund's, or one's that gave as much back on the same line before, or a question, or counts
    as covered by another task."""
    tasks = {task.subject: task for task in truth.memory.refund_tasks}
    another = {
        said.subject
        for said in evidence.answers_of(truth.row, Option.ANOTHER_REFUND.value)
        if said.reason == Reason.REFUND_MADE_ALREADY.value
    }
    for gid in truth.gids:
        for recorded in evidence.shopify_orders[gid].refunds:
            there, task = recorded_refund(recorded.note), tasks.get(recorded.gid)
            if not there or task is None or recorded.gid in another:
                continue
            verdict.checked["I7 recorded"] += 1
            alike = _alike(truth, there, recorded.at)
            if not (alike & {*task.settled_by} or task.dismissed_by or task.asks):
                verdict.violation(
                    "I7",
                    truth.id,
                    recorded.at,
                    "A refund that Shopify only records is asked for once more.",
                    f"{recorded.money} of refund {there}, asked for by {task.subject}",
                    f"answered by {', '.join(task.settled_by) or 'nothing yet'}",
                )


def _of_people(task: RefundTask) -> bool:
    return task.settled_at is not None and not task.dismissed_by and task.made_at is None


def _accepted(evidence: Evidence, truth: Truth, task: RefundTask) -> bool:
    return any(
        said.reason == Reason.REFUND_MISMATCH.value and said.subject == task.subject
        for said in evidence.answers_of(truth.row, Option.DISMISS.value)
    )


def _said_so(evidence: Evidence, truth: Truth, task: RefundTask) -> bool:
    """Whether a person said that the portal's refund is what was asked for, or that what Shopify moved is the money of a
    removal that was given back already."""
    done = evidence.answers_of(truth.row, Option.DONE_IN_PORTAL.value)
    same_money = [
        said
        for said in evidence.answers_of(truth.row, Option.DISMISS.value)
        if said.reason == Reason.REFUND_MADE_ALREADY.value
    ]
    return any(said.subject == task.subject for said in (*done, *same_money))


def _total(truth: Truth, task: RefundTask) -> Decimal:
    """What the customer got with the refunds that settled the task."""
    found = (
        part.amounts
        for line in truth.order.lines
        for part in _refunds(truth, line.id)
        if part.id in task.settled_by
    )
    return sum(
        (one.product_with_tax + one.shipping_with_tax + sum(one.fees.values(), ZERO) for one in found), ZERO
    )


def _refunds(truth: Truth, line_id: str) -> list[SimRefund]:
    """The refunds that OR11 shows of the line."""
    line = truth.order.line(line_id)
    return [] if line is None else [part for part in line.refunds if not part.requested]


def _alike(truth: Truth, refund: str, before: datetime) -> set[str]:
    """This refund, and those before a moment that gave as much back on its line."""
    for line in truth.order.lines:
        parts = _refunds(truth, line.id)
        for one in parts:
            if one.id == refund:
                same = (part for part in parts if _figures(truth, part) == _figures(truth, one))
                return {refund, *(part.id for part in same if part.created < before)}
    return {refund}


def _figures(truth: Truth, part: SimRefund) -> tuple[Decimal, Decimal]:
    amounts = part.amounts
    if truth.marketplace.world.profile.tax_mode == "TAX_INCLUDED":
        return amounts.product_with_tax, amounts.shipping_with_tax
    return amounts.product, amounts.shipping


def _repeats(part: SimRefund, settled: list[SimRefund]) -> bool:
    return (
        part.by in PEOPLE
        and part.amounts.product > 0
        and any(
            part.amounts.product == one.amounts.product and part.created >= one.created for one in settled
        )
    )
