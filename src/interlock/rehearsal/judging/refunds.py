"""I6 and I7: money goes back at the marketplace for one task each, with the approvals it needs, and never twice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from interlock.orders.actions import RefundLines
from interlock.orders.codec import decode
from interlock.orders.memory import same_person
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import is_of_an_edit, is_open
from interlock.rehearsal.judging.evidence import Evidence, Reference, first_after
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Effect

ZERO = Decimal(0)
TASK_WITHIN = timedelta(minutes=2)
JUST_MADE = timedelta(seconds=60)
CHANGES = ("order_created", "edited", "refund_created", "cancelation", "refund", "linked", "state", "debited")
CLOCKS_MAY_ERR = timedelta(minutes=6)
MADE = ("refund", "refund_request")


def _our_refunds(truth: Truth) -> list[Effect]:
    """Every refund of ours, once each: the effect that made it."""
    found: dict[str, Effect] = {}
    for effect in truth.marketplace.record.effects:
        if (
            effect.order_id == truth.id
            and effect.kind in MADE
            and effect.detail.get("by", effect.actor) == truth.marketplace.us
        ):
            found.setdefault(effect.detail.get("id", effect.reference or ""), effect)
    return list(found.values())


def i6_refunds_are_approved(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I6: every refund of ours is what its task asks for to the cent, is sent once, and was approved by as many people
    as the connection's rules demanded when it was planned; where they say `task`, none is made. One that a person had
    sent again after an unclear answer is bounded. What is taken from a line, by anybody, is never more than it had."""
    by_call: dict[str, list[Effect]] = {}
    for effect in _our_refunds(truth):
        verdict.checked["I6 refund"] += 1
        by_call.setdefault(effect.reference or "", []).append(effect)
    seen: dict[str, str] = {}
    for call, effects in by_call.items():
        reference = Reference.of(call)
        row = None if reference is None else evidence.operation_of.get(reference.operation)
        if row is None or row.kind != "RefundLines" or truth.row is None or row.order_id != truth.row.id:
            _broken(verdict, truth, effects[0], "A refund of ours has no refund in the ledger.", call)
            continue
        action: RefundLines = decode(RefundLines, row.action)
        if action.subject in seen and seen[action.subject] != call:
            twice = f"Task {action.subject} was refunded twice."
            if _sent_again_by_a_person(evidence, truth, row.id, effects[0]):
                verdict.bound("I6", truth.id, effects[0].at, twice, "a person had it sent again", call)
            else:
                _broken(verdict, truth, effects[0], twice, call)
        seen[action.subject] = call
        _as_the_task_says(truth, verdict, action, effects)
        _approved(evidence, truth, verdict, row, action, effects)
    _never_more_than_the_line(truth, verdict)


def _sent_again_by_a_person(evidence: Evidence, truth: Truth, operation: str, effect: Effect) -> bool:
    """Whether a person had the unclear refund sent again: while the operator has not approved it the marketplace shows
    it nowhere that we can read, so only the person can know."""
    return any(
        said.subject == operation and said.at <= effect.at
        for said in evidence.answers_of(truth.row, Option.SEND_AGAIN.value)
    )


def _broken(verdict: Verdict, truth: Truth, effect: Effect, sentence: str, *facts: str) -> None:
    verdict.violation("I6", truth.id, effect.at, sentence, *facts)


def _as_the_task_says(truth: Truth, verdict: Verdict, action: RefundLines, effects: list[Effect]) -> None:
    task = next((task for task in truth.memory.refund_tasks if task.subject == action.subject), None)
    if task is None or not is_of_an_edit(task):
        _broken(
            verdict, truth, effects[0], f"A refund was made for {action.subject}, which is no edit's task."
        )
        return
    due = {part.line_id: (part.quantity, part.amount, part.shipping_amount) for part in task.lines}
    included = action.tax_mode == "TAX_INCLUDED"
    for effect in effects:
        detail = effect.detail
        names = ("amount_with_tax", "shipping_amount_with_tax") if included else ("amount", "shipping_amount")
        made = (detail["quantity"], detail[names[0]], detail[names[1]])
        if made != due.get(detail["line"]):
            _broken(
                verdict,
                truth,
                effect,
                "What the marketplace refunded is not what the task says.",
                f"task {due.get(detail['line'])}, refunded {made}",
            )


def _approved(
    evidence: Evidence,
    truth: Truth,
    verdict: Verdict,
    row: Any,
    action: RefundLines,
    effects: list[Effect],
) -> None:
    plan = evidence.plans_at.get((row.order_id, row.planned_at))
    if plan is None:
        _broken(verdict, truth, effects[0], "A refund of ours was sent and no kept plan asked for it.")
        return
    rules = plan.view.rules
    total = sum((_with_tax(e) for e in effects), ZERO) + sum(
        (fee.amount for line in action.lines for fee in line.fees), ZERO
    )
    before = row.planned_at - evidence.ahead - CLOCKS_MAY_ERR
    # The limits are of an order: what Interlock had refunded of it by then counts along.
    total += sum((_with_tax(e) for e in _our_refunds(truth) if e.at < before and e not in effects), ZERO)
    needed = 1
    if (
        rules.reduction_after_debit == "automatic"
        and rules.refund_cap is not None
        and total <= rules.refund_cap
    ):
        needed = 0
    elif rules.refund_limit is not None and total > rules.refund_limit:
        needed = 2
    people: list[str] = []
    for said in evidence.answers_of(truth.row, Option.APPROVE_REFUND.value):
        new = not any(same_person(said.who, other) for other in people)
        if said.subject == action.subject and said.at <= effects[0].at and new and said.who != "Interlock":
            people.append(said.who)
    if rules.reduction_after_debit == "task" or len(people) < needed:
        _broken(
            verdict,
            truth,
            effects[0],
            f"A refund of {total} was made with {len(people)} approvals; {needed} were needed.",
            f"reduction_after_debit is {rules.reduction_after_debit}",
            f"limit {rules.refund_limit}, cap {rules.refund_cap}",
        )


def _with_tax(effect: Effect) -> Decimal:
    return Decimal(effect.detail["amount_with_tax"]) + Decimal(effect.detail["shipping_amount_with_tax"])


def i6_what_was_refunded_stays_here(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I6: units that our refund took out of the parcel are in no label made a minute after it was known or later, unless
    the operator declined the refund. The minute begins anew when somebody raises the line in Shopify, and with a
    fulfillment order that comes into being, as when a label is made once more: so long nothing could be held."""
    declined = {
        effect.detail["id"]
        for effect in truth.marketplace.record.effects
        if effect.order_id == truth.id and effect.kind == "refund_declined"
    }
    refunds: dict[str, list[_Kept]] = {}
    for effect in _our_refunds(truth):
        if effect.detail["excluded_from_shipment"] and effect.detail["id"] not in declined:
            known = _known_from(evidence, truth, effect)
            if known is not None:
                kept = _Kept(effect.detail["quantity"], known, _said_to_ship(evidence, truth, effect))
                refunds.setdefault(effect.detail["line"], []).append(kept)
    for line, found in refunds.items():
        for label in truth.effects(evidence):
            if label.kind != "fulfillment_created":
                continue
            known_then = [kept for kept in found if kept.stays(label.at)]
            if not known_then:
                continue
            verdict.checked["I6 parcel"] += 1
            moment = truth.at(label.at)
            units = sum(kept.units for kept in known_then)
            most = neither_nor(truth.ordered(line), truth.cancelled_at(line, label.at), units)
            if moment.fulfilled.get(line, 0) > most and not moment.as_decided:
                known = max(kept.known for kept in known_then)
                since = _could_be_held_from(truth, line, label, known)
                if label.at - since > JUST_MADE + evidence.unavailable(since, label.at):
                    _broken(
                        verdict,
                        truth,
                        label,
                        f"{moment.fulfilled.get(line, 0)} units of line {line} left; {most} were neither cancelled "
                        "nor refunded by us as not to ship.",
                    )


def _could_be_held_from(truth: Truth, line: str, label: Effect, known: datetime) -> datetime:
    """From when the refund was known and there was something to hold: the fulfillment order of the label, and on it as many
    units of the line."""
    until = [moment for moment in truth.moments if moment.at <= label.at]
    raised = [
        moment.at
        for before, moment in pairwise(until)
        if moment.shown.get(line, 0) > before.shown.get(line, 0)
    ]
    parcel = truth.parcels.get(label.detail.get("fulfillment_order", ""))
    return max(known, *raised[-1:], *(() if parcel is None else (parcel.born,)))


def neither_nor(ordered: int, cancelled: int, refunded: int) -> int:
    """Units of a line that were neither cancelled nor refunded. More than were ordered cannot have been both one and the
    other: then the operator cancelled what a refund that waits for approval had been asked for."""
    if cancelled + refunded > ordered:
        return ordered - max(cancelled, refunded)
    return ordered - cancelled - refunded


@dataclass(frozen=True, slots=True)
class _Kept:
    """Units that a refund of ours took out of the parcel: since when we could know it, and from when somebody had said
    that they ship all the same."""

    units: int
    known: datetime
    ships_from: datetime | None

    def stays(self, at: datetime) -> bool:
        """Whether they were to stay here at that moment, and it was known for a minute."""
        return self.known + JUST_MADE <= at and (self.ships_from is None or at < self.ships_from)


def _said_to_ship(evidence: Evidence, truth: Truth, made: Effect) -> datetime | None:
    """When somebody said of a refund whose answer was lost that its units ship all the same."""
    reference = Reference.of(made.reference)
    row = None if reference is None else evidence.operation_of.get(reference.operation)
    if row is None or row.code != "observed":
        return None
    subject = decode(RefundLines, row.action).subject
    said = evidence.answers_of(truth.row, Option.DISMISS.value)
    return min((answer.at for answer in said if answer.subject == subject), default=None)


def _known_from(evidence: Evidence, truth: Truth, made: Effect) -> datetime | None:
    """From when we could know of a refund of ours. One that waits for the operator's approval stands nowhere that we can
    read: without an answer to the very call that made it, it is known only by a read after the operator approved it."""
    if made.kind == "refund" or _was_answered(evidence, made):
        return made.at
    approved = next(
        (
            effect.at
            for effect in truth.marketplace.record.effects
            if effect.kind == "refund" and effect.detail.get("id") == made.detail["id"]
        ),
        None,
    )
    reads = evidence.mirakl_reads.get((truth.marketplace.name, truth.id), [])
    return None if approved is None else first_after(reads, approved)


def _was_answered(evidence: Evidence, made: Effect) -> bool:
    """Whether the call that made this refund told us so: not a later one for the same task, and no read in its place."""
    reference = Reference.of(made.reference)
    row = None if reference is None else evidence.operation_of.get(reference.operation)
    if reference is None or row is None or row.state != "CONFIRMED":
        return False
    return bool(row.attempt == reference.attempt and row.code != "observed")


def _never_more_than_the_line(truth: Truth, verdict: Verdict) -> None:
    for line in truth.order.lines:
        taken = [part.amounts for part in line.cancelations] + [part.amounts for part in line.refunds]
        money = sum((amounts.product_with_tax for amounts in taken), ZERO)
        shipping = sum((amounts.shipping_with_tax for amounts in taken), ZERO)
        if money > line.ordered.product_with_tax or shipping > line.ordered.shipping_with_tax:
            verdict.violation(
                "I6", truth.id, line.updated, f"More was taken from line {line.id} than it had."
            )


# -- tasks -------------------------------------------------------------------------------------------------


def i7_one_task_for_each_refund(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I7: every Shopify refund of the standing order that moved money has exactly one task, opened within two minutes
    of the first read that shows it, and of the first that shows the marketplace as it was after it: what was given back there
    is not asked for again. A question whether it is such money is asked in that time too, and the task follows the answer
    that it is not. While it is not settled whether another order takes over, none is due, nor while the marketplace shows a
    state that nobody knows, or once the Shopify order is gone."""
    if truth.row is None:
        return
    tasks = {task.subject: task for task in truth.memory.refund_tasks}
    for effect in truth.effects(evidence):
        if (
            effect.kind != "refund_created"
            or not Decimal(effect.detail["money"])
            or effect.actor == evidence.us
        ):
            continue
        if _in_a_replacement(evidence, truth, effect):
            continue
        here = first_after(evidence.shopify_reads.get(effect.order_id, []), effect.at)
        # The refund carries the platform's time: to a clock that is behind, an earlier read looks older than it.
        after = effect.at - min(evidence.ahead, timedelta(0))
        there = _understood(evidence, truth, after)
        if here is None or there is None:
            continue
        read = max(here, there)
        gone = evidence.deleted.get(effect.order_id)
        if gone is not None and gone < read:
            continue
        verdict.checked["I7"] += 1
        subject = effect.detail["refund"]
        asked = _asked_whether_it_is_another(evidence, truth, subject)
        if asked is not None and asked <= evidence.due_after(read, TASK_WITHIN):
            read = max(read, _said_another(evidence, truth, subject) or read)
        due = evidence.due_after(read, TASK_WITHIN)
        task = tasks.get(subject)
        opened = None if task is None else task.opened_at - evidence.ahead
        if (opened is None and due < evidence.now) or (opened is not None and opened > due):
            verdict.violation(
                "I7",
                truth.id,
                effect.at,
                "A refund in Shopify did not become a task in time.",
                f"{effect.detail['money']} refunded, first read on both sides {read:%H:%M:%S}",
                f"opened {opened:%H:%M:%S}" if opened else "never opened",
            )


def _understood(evidence: Evidence, truth: Truth, after: datetime) -> datetime | None:
    """When the marketplace order was first read as it certainly was after a moment, in a state that is known."""
    read = evidence.certainly_read(truth.marketplace.name, truth.id, after)
    for span in truth.shown_instead(evidence):
        if span.hides_the_state and read is not None and span.since <= read < span.until:
            read = evidence.certainly_read(truth.marketplace.name, truth.id, max(after, span.until))
    return read


def _asked_whether_it_is_another(evidence: Evidence, truth: Truth, refund: str) -> datetime | None:
    """When it was first asked whether a refund in Shopify is money that was given back or asked for already."""
    asked = evidence.cases_of(truth.row, Reason.REFUND_MADE_ALREADY.value)
    return min((case.opened_at for case in asked if case.subject == refund), default=None)


def _said_another(evidence: Evidence, truth: Truth, refund: str) -> datetime | None:
    """When somebody first said of a refund in Shopify that it is another one, whose money has to be asked for."""
    said = evidence.answers_of(truth.row, Option.ANOTHER_REFUND.value)
    return min((answer.at for answer in said if answer.subject == refund), default=None)


def _in_a_replacement(evidence: Evidence, truth: Truth, effect: Effect) -> bool:
    """Whether the refund was made on an order that was being replaced, or had ended."""
    if truth.row is None:
        return True
    cancelled = evidence.shopify_orders[effect.order_id].cancelled_at
    roles = evidence.kin.get(truth.row.id, [])
    return (cancelled is not None and cancelled - TASK_WITHIN <= effect.at) or bool(roles)


def i7_no_unit_is_asked_for_twice(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I7, at rest: the open tasks of edits that no refund was made for yet ask for no more units of a line than the edit took
    off it, now and when each of them was opened, and no refund of the marketplace answers two tasks. A task whose own
    refund is unclear stays open whatever became of the units: the refund may still be shown."""
    answered: dict[str, str] = {}
    for task in truth.memory.refund_tasks:
        for refund in task.settled_by:
            if refund in answered:
                verdict.violation(
                    "I7",
                    truth.id,
                    evidence.now,
                    f"Refund {refund} answers two tasks.",
                    f"{answered[refund]} and {task.subject}",
                )
            answered[refund] = task.subject
    _asked_for_no_more_than_was_taken(evidence, truth, verdict)
    rows = [] if truth.row is None else evidence.operations_of.get(truth.row.id, [])
    unclear = {
        decode(RefundLines, row.action).subject
        for row in rows
        if row.kind == "RefundLines" and row.state == "UNKNOWN"
    }
    last = truth.last
    for line, agreed in last.agreed.items():
        asked = sum(
            due.quantity
            for task in truth.memory.refund_tasks
            if is_of_an_edit(task)
            and is_open(task)
            and not (task.settled_by or task.made)
            and task.subject not in unclear
            for due in task.lines
            if due.line_id == line
        )
        if not asked:
            continue
        verdict.checked["I7"] += 1
        if (
            last.live
            and asked > agreed - last.standing(line)
            and evidence.now - last.at > timedelta(minutes=15)
        ):
            verdict.violation(
                "I7",
                truth.id,
                evidence.now,
                f"Tasks ask for {asked} units of line {line}; the edit took off {agreed - last.standing(line)}.",
            )


def _asked_for_no_more_than_was_taken(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """When a task of an edit is opened, it asks together with those still open for no more than the line lacked at any
    time just before: the clock of the machine that opened it may have been wrong by that much."""
    tasks = [task for task in truth.memory.refund_tasks if is_of_an_edit(task)]
    changes = sum(1 for moment in truth.moments if moment.kind in CHANGES)
    if len(tasks) > 1 + changes + len(evidence.answers_of(truth.row)):
        verdict.violation(
            "I7",
            truth.id,
            evidence.now,
            f"{len(tasks)} tasks were opened for {changes} changes of the order.",
        )
    for task in tasks:
        at = task.opened_at - evidence.ahead
        there = [
            other
            for other in tasks
            if other.opened_at <= task.opened_at
            and not other.dismissed_by
            and (other.settled_at is None or other.settled_at > task.opened_at)
        ]
        around = [
            moment
            for moment, ended in truth.spans()
            if moment.at <= at + CLOCKS_MAY_ERR and (ended is None or ended >= at - CLOCKS_MAY_ERR)
        ]
        for due in task.lines:
            if not due.line_id:
                continue
            asked = sum(d.quantity for other in there for d in other.lines if d.line_id == due.line_id)
            lacked = max((m.agreed.get(due.line_id, 0) - m.standing(due.line_id) for m in around), default=0)
            verdict.checked["I7 units"] += 1
            if asked > lacked:
                verdict.violation(
                    "I7",
                    truth.id,
                    at,
                    f"Tasks asked for {asked} units of line {due.line_id}; Shopify lacked {lacked}.",
                    ", ".join(other.subject for other in there),
                )
