"""I21 for cases: what closed by itself had lost its reason, or lives on under another name; else a person settled it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from interlock.orders.reasons import CATALOGUE, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.rest import (
    KEEPS_FROM_IMPORT,
    REST_MAY_FOLLOW_FOR,
    at_rest_after,
    reason_gone,
)
from interlock.rehearsal.judging.truth import Moment, Truth
from interlock.rehearsal.judging.verdict import Verdict

AT_ONCE = timedelta(seconds=5)
"""A case that takes over from another is opened in the same transaction."""

CLOCKS_DIFFER = timedelta(minutes=6)
"""So far the clock of the process that took an answer may have been from that of the one that closed the case."""

TOLD = ("shipped", "shipment_shipped", "shipment_tracking", "tracking", "shipment_deleted")
"""Words to the marketplace about what left, by anybody."""


def i21_cases_close_on_evidence(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I21: every condition or task that was closed had lost its reason by then, as far as what had been shown to us goes,
    or lost it soon after by our own doing; or another case of the order was open; or a person had answered."""
    if truth.row is None:
        return
    cases = evidence.cases_of(truth.row)
    for case in cases:
        reason = Reason(case.reason)
        if case.closed_at is None or CATALOGUE[reason].kind == "incident":
            continue
        known = at_rest_after(evidence.poll, evidence.ahead)
        until = evidence.due_after(case.closed_at, known)
        since = case.closed_at - known - evidence.unavailable(case.closed_at - known, case.closed_at)
        gone = [_is_gone(evidence, truth, case, moment, at) for moment, at in _between(truth, since, until)]
        if None in gone:
            continue
        verdict.checked["I21 closed"] += 1
        if any(gone) or _goes_on(case, cases) or _answered(evidence, case) or until > evidence.now:
            continue
        verdict.violation(
            "I21",
            truth.id,
            case.closed_at,
            f"The case {case.reason} was closed, its reason was not gone and nobody had answered.",
            case.sentence,
            f"opened {case.opened_at:%H:%M:%S}",
        )


def _is_gone(evidence: Evidence, truth: Truth, case: Row[Any], then: Moment, at: datetime) -> bool | None:
    """Whether the case has no reason as things stood `then`; None for a reason of which the evidence shows only how it
    stands in the end."""
    over = then.state in DEAD or not any(then.agreed.values())
    match Reason(case.reason):
        case Reason.ACCEPTANCE_RUNNING_OUT | Reason.ACCEPTANCE_REFUSED:
            return over or then.state != "WAITING_ACCEPTANCE"
        case reason if reason in KEEPS_FROM_IMPORT:
            return over or then.live or bool(then.drafts) or then.state in GONE_OUT
        case Reason.TRACKING_MISSING | Reason.TRACKING_UNUSABLE | Reason.SHIPPING_REFUSED:
            nothing_left = not any(then.left.values())
            return over or not then.live or nothing_left or then.state in GONE_OUT or then.kind in TOLD
        case Reason.EDIT_WAITING if _state_known_at(evidence, truth, case.opened_at) != then.state:
            return True  # what it waited for came, and the edit goes on
        case (
            Reason.EDIT_WAITING
            | Reason.BOTH_SIDES_CHANGED
            | Reason.REDUCTION_NOT_ALLOWED
            | Reason.REDUCTION_REFUSED
            | Reason.EDIT_CANNOT_BE_EXPRESSED
        ):
            return over or not then.live or then.agrees or then.as_decided or then.state in GONE_OUT
        case Reason.POSSIBLE_SUCCESSOR | Reason.ORIGINAL_NOT_CANCELLED:
            another = truth.gid_at(at) != truth.gid_at(case.opened_at)
            taken_over = case.subject in truth.gids or another
            return over or taken_over or bool(reason_gone(evidence, truth, case, then, at))
        case Reason.CANNOT_HOLD if then.agrees and then.state == "SHIPPING":
            return True  # the parcel may move, so that nothing is left to be held
        case Reason.STILL_HERE if _may_follow(truth, then, at):
            return True
        case Reason.STILL_HERE if truth.order.fully_refunded:
            return None  # what was refunded does not leave; when the last of it was, the effects do not say of each line
        case Reason.STILL_HERE | Reason.CANCELLED_IN_SHOPIFY | Reason.CANNOT_HOLD:
            return over or bool(reason_gone(evidence, truth, case, then, at))
        case Reason.ENDED_WITH_REST:
            return bool(reason_gone(evidence, truth, case, then, at))
        case Reason.UNKNOWN_VALUE:
            return not _shows_unknown(evidence, truth, at)
        case _:
            return None


def _state_known_at(evidence: Evidence, truth: Truth, at: datetime) -> str:
    """The marketplace's state that a read of ours had shown by then."""
    reads = evidence.mirakl_reads.get((truth.marketplace.name, truth.id), [])
    last = max((read for read in reads if read <= at), default=at)
    return truth.at(last).state


def _may_follow(truth: Truth, then: Moment, at: datetime) -> bool:
    """Whether units that the marketplace counts as sent may still leave: none of our holds is on them, as whoever lets them go
    takes it off, and not so long has passed that they are asked about without one."""
    sent_at = next((moment.at for moment in truth.moments if moment.state in GONE_OUT), at)
    held = any(parcel.order_gid == then.gid and parcel.is_held(at) for parcel in truth.parcels.values())
    return not held and at < sent_at + REST_MAY_FOLLOW_FOR


def _shows_unknown(evidence: Evidence, truth: Truth, at: datetime) -> bool:
    """Whether the marketplace shows a value nobody knows at that moment."""
    return any(span.since <= at <= span.until for span in truth.shown_instead(evidence))


def _between(truth: Truth, since: datetime, until: datetime) -> Iterator[tuple[Moment, datetime]]:
    """How things stood at `since` and at `until`, and every moment between them, each with its time."""
    yield truth.at(since), since
    yield truth.at(until), until
    for moment in truth.since(since):
        if moment.at <= until:
            yield moment, moment.at


def _goes_on(case: Row[Any], cases: list[Row[Any]]) -> bool:
    """Whether another case of the order was open when this one closed, or came with that."""
    return any(
        (other.id, other.opened_at) != (case.id, case.opened_at)
        and other.opened_at <= case.closed_at + AT_ONCE
        and (other.closed_at is None or other.closed_at > case.closed_at)
        for other in cases
    )


def _answered(evidence: Evidence, case: Row[Any]) -> bool:
    """Whether a person had answered this case, or another of the order while it was open."""
    return any(
        said.at - CLOCKS_DIFFER <= case.closed_at
        and (
            (said.reason, said.subject) == (case.reason, case.subject)
            or said.at + CLOCKS_DIFFER >= case.opened_at
        )
        for said in evidence.answers
        if said.order_id == case.order_id
    )
