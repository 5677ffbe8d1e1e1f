"""I15 and I17 all along: whatever differed for so long that it had to be known has a case, also where it went away later."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.orders.snapshots import DEAD
from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.rest import at_rest_after
from interlock.rehearsal.judging.truth import Moment, Truth, not_moving_because
from interlock.rehearsal.judging.verdict import Verdict

LATEST_CAN_SHIP = timedelta(minutes=2)
"""So long after an order came to be shipped a marketplace may still take no word of it."""

LEFT = "everything left in Shopify and the marketplace was not told"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which the sides differed in one and the same way; `ended` is None where they still do."""

    began: datetime
    ended: datetime | None
    difference: str


def differences_had_cases(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I17, and I15 for goods that left: every difference of an order that is to be shipped, and every order that ended on
    one side only, had a case once it had stood for a quarter of an hour and whatever may wait had waited. Time in which
    nothing could be done does not count, what was paused waits, and a call of ours that is under way settles it or
    becomes a case."""
    if truth.row is None:
        return
    cases = evidence.cases_of(truth.row)
    for stretch in _stretches(truth):
        ended = stretch.ended or evidence.now
        due = evidence.due_after(stretch.began, _room(evidence, truth, stretch))
        if due >= ended or _waits_rightly(evidence, truth, stretch.began, due):
            continue
        invariant = "I15" if stretch.difference == LEFT else "I17"
        verdict.checked[f"{invariant} standing"] += 1
        if any(case.opened_at <= due and (case.closed_at or due) >= stretch.began for case in cases):
            continue
        verdict.violation(
            invariant,
            truth.id,
            due,
            "The two sides differed for long and no case said so.",
            stretch.difference,
            f"from {stretch.began:%H:%M:%S} to {ended:%H:%M:%S}",
        )


def _room(evidence: Evidence, truth: Truth, stretch: Stretch) -> timedelta:
    """How long a difference may stand before somebody is asked: what a rest takes, and what may wait before."""
    known = at_rest_after(evidence.poll, evidence.ahead)
    if stretch.difference == LEFT:
        # The tracking goes first, an unclear answer is read back, and the dispatch follows a read that shows it.
        return known + LATEST_CAN_SHIP + 2 * evidence.poll
    return known + max(
        max((rules.edit_window or timedelta(0)) + rules.quiet_period, rules.lineage_wait)
        for rules in (truth.marketplace.rules, evidence.rules_before or truth.marketplace.rules)
    )


def _stretches(truth: Truth) -> Iterator[Stretch]:
    began: datetime | None = None
    difference = ""
    for moment, ended in truth.spans():
        now = _difference(truth, moment)
        # Each edit is waited after anew, also one that leaves the same difference, and so is a refund we asked for.
        asked_for = moment.kind == "refund_request" and moment.actor == truth.marketplace.us
        # An edit that leaves nothing here of an order that has ended asks for nothing: what left has its own case.
        edited = moment.kind == "edited" and (moment.state not in DEAD or moment.unfulfilled > 0)
        if now != difference or began is None or edited or asked_for:
            if began is not None and difference:
                yield Stretch(began, moment.at, difference)
            began, difference = moment.at, now
        if ended is None and difference:
            yield Stretch(began, None, difference)


def _difference(truth: Truth, moment: Moment) -> str:
    """How the sides differ at that moment, where it is for Interlock or for people to mend; empty where they do not."""
    if moment.state in DEAD:
        return "the marketplace order ended and the Shopify order lives" if moment.live else ""
    if moment.state != "SHIPPING" or not any(moment.agreed.values()):
        return ""
    if moment.exists and not moment.live:
        return "the marketplace order is SHIPPING and the Shopify order is cancelled"
    if not moment.live:
        return ""
    if not moment.agrees and not moment.as_decided:
        return not_moving_because(moment)
    left = {line: units for line, units in moment.left.items() if units}
    exactly = all(left.get(line, 0) == units for line, units in moment.agreed.items())
    whole = not moment.still_here if moment.as_decided else exactly
    if whole and not truth.marketplace.world.profile.multi_shipment and not _told(truth, moment.at):
        return LEFT
    return ""


def _told(truth: Truth, at: datetime) -> bool:
    """Whether somebody had told the marketplace by then that the order left: it may go on saying SHIPPING until it is
    paid."""
    return any(moment.kind == "shipped" and moment.at <= at for moment in truth.moments)


def _waits_rightly(evidence: Evidence, truth: Truth, began: datetime, due: datetime) -> bool:
    """Whether people paused a flow of the connection meanwhile, or a call for the order is under way at `due`."""
    row = truth.row
    paused = any(
        pause.connection_id == truth.marketplace.connection_id and pause.began < due and pause.ended > began
        for pause in evidence.paused
    )
    under_way = any(
        operation.planned_at <= due and (operation.done_at is None or operation.done_at > due)
        for operation in (evidence.operations_of.get(row.id, []) if row is not None else [])
        if operation.kind != "SetSellerReference"
    )
    return paused or under_way
