"""I15: no acceptance window ends unnoticed."""

from bisect import bisect_right
from datetime import datetime, timedelta

from interlock.orders.reasons import Reason
from interlock.rehearsal.judging.evidence import Evidence, Marketplace, went_well
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Call

TOLD_BY = 0.4
SLACK = timedelta(seconds=60)


def window_of(truth: Truth) -> tuple[datetime, datetime] | None:
    """When the acceptance window began and ends; None where the marketplace decides by itself, or never asked."""
    order, world = truth.order, truth.marketplace.world
    if order.waiting_since is None or world.profile.accepts_automatically:
        return None
    counted = world.switches["staging_counts_toward_window"] == "yes"
    began = order.created if counted else order.waiting_since
    ends = began + timedelta(hours=world.profile.acceptance_window_hours)
    return order.waiting_since, max(ends, order.waiting_since)


def _walks(marketplace: Marketplace) -> list[Call]:
    """Our walks over the orders of a marketplace: only they show an order that nobody knows yet. Which read it was is not
    known of one that never reached the marketplace, so that counts as a walk."""
    return [call for call in marketplace.order_reads() if call.detail.get("read", "walk") == "walk"]


def _first_shown(truth: Truth, since: datetime) -> datetime | None:
    """When a read of ours first showed the order from then on."""
    return next(
        (
            call.at
            for call in truth.marketplace.order_reads()
            if call.at >= since and truth.id in call.order_ids and went_well(call)
        ),
        None,
    )


def _cost_of(evidence: Evidence, marketplace: Marketplace, missed: list[Call]) -> timedelta:
    """What lost walks cost: the time until the next one each, an interval at most. Made again at once, a walk could be one
    too many for the marketplace's ceiling."""
    times = sorted(call.sent_at for call in _walks(marketplace))
    cost = timedelta(0)
    for call in missed:
        after = bisect_right(times, call.sent_at)
        gap = times[after] - call.sent_at if after < len(times) else evidence.poll
        cost += min(gap, evidence.poll)
    return cost


def _state_shown_again(evidence: Evidence, truth: Truth, late: datetime) -> datetime | None:
    """When the marketplace showed the order's state again, where it showed one that nobody knows at `late`, or so shortly
    before that no walk of ours had to have read it since; None where it did not."""
    for span in truth.shown_instead(evidence):
        if span.hides_the_state and span.since <= late <= span.until + 2 * evidence.poll:
            return span.until
    return None


def i15_deadline_met_or_told(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I15: an order is decided before 40 % of its acceptance window is gone, or a case has said by then that the time
    runs out. Time in which the marketplace could not be read does not count: a platform that was away for most of it, or
    every walk of it lost on its way."""
    window = window_of(truth)
    if window is None:
        return
    began, ends = window
    late = began + (ends - began) * TOLD_BY
    decided = next(
        (m.at for m in truth.moments if m.at >= began and m.state not in ("STAGING", "WAITING_ACCEPTANCE")),
        None,
    )
    if decided is not None and decided <= late:
        verdict.checked["I15"] += 1
        return
    if evidence.now <= late:
        return
    verdict.checked["I15"] += 1
    told = [case.opened_at for case in evidence.cases_of(truth.row, Reason.ACCEPTANCE_RUNNING_OUT.value)]
    foreign = evidence.cases_of(truth.row, Reason.NOT_OURS_TO_SHIP.value)
    if foreign:
        return
    walks = [call for call in _walks(truth.marketplace) if began <= call.at <= late]
    shown_at = _first_shown(truth, began)
    # Once we were shown that the order waits, the time runs in our own book, and no walk has to come for it.
    missed = [call for call in walks if not went_well(call) and (shown_at is None or call.at < shown_at)]
    due = late + SLACK + evidence.unavailable(began, late) + _cost_of(evidence, truth.marketplace, missed)
    if told and min(told) <= due:
        return
    shown = _state_shown_again(evidence, truth, late)
    if shown is not None:
        # Nobody could see that it waits. Who was told of the value had been told to see to it; we are due once it shows.
        asked = [case.opened_at for case in evidence.cases_of(truth.row, Reason.UNKNOWN_VALUE.value)]
        seen = shown + 2 * evidence.poll
        due_then = max(due, seen + SLACK + evidence.unavailable(shown, seen))
        if asked and min(asked) <= due and (evidence.now <= due_then or (told and min(told) <= due_then)):
            return
    lost = next((m.at for m in truth.moments if m.kind == "auto_refused"), None)
    reads = evidence.mirakl_reads.get((truth.marketplace.name, truth.id), [])
    all_lost = bool(walks) and not any(went_well(call) for call in walks)
    away = evidence.unavailable(began, late) > (late - began) / 2
    if not any(began <= at <= late for at in reads) and (away or all_lost):
        verdict.bound("I15", truth.id, late, "The marketplace could not be read in this time.")
        return
    verdict.violation(
        "I15",
        truth.id,
        lost or late,
        "The order was lost without a word." if lost else "Nobody was told that the time to accept runs out.",
        f"window {began:%H:%M:%S} to {ends:%H:%M:%S}",
        f"first told {min(told):%H:%M:%S}" if told else "never told",
    )
