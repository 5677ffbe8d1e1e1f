"""What the marketplace's answers prove about what it allows, where no field of its API says it."""

from dataclasses import dataclass
from datetime import timedelta

from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    CancelQuantities,
    RefundLines,
    SendMessage,
)
from interlock.orders.memory import Memory
from interlock.orders.outcomes import Confirmed, Outcome, Refused
from interlock.orders.snapshots import MiraklOrder

# Refusals that speak of the right to do it at all, not of this order. Elsewhere a 404 names the order or line.
_NOT_FOR_US = ("FEATURE_DISABLED", "FORBIDDEN", "HTTP_403", "REFUND_NOT_PERMITTED")


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that was seen: `name` of the profile entry, whether it is allowed, and by which answer."""

    name: str
    allowed: bool
    evidence: str


def observed(action: Action, outcome: Outcome) -> Observation | None:
    """What the end of this call proves, if anything."""
    match action, outcome:
        case CancelQuantities(), Confirmed():
            return Observation("partial_cancelation", True, "OR30 cancelled part of an order")
        case CancelQuantities(), Refused(code=code) if code in (*_NOT_FOR_US, "HTTP_404"):
            return Observation("partial_cancelation", False, f"OR30 was refused ({code})")
        case AnswerAcceptance(lines=lines), Confirmed() if len({accepted for _, accepted in lines}) > 1:
            return Observation("partial_acceptance", True, "OR21 took a refusal of single lines")
        case AnswerAcceptance(), Refused(code="ORDER_PARTIAL_ACCEPTANCE_DISABLED" as code):
            return Observation("partial_acceptance", False, f"OR21 was refused ({code})")
        case RefundLines(), Confirmed():
            return Observation("refunds", True, "OR28 made a refund")
        case RefundLines(), Refused(code=code) if code in _NOT_FOR_US:
            return Observation("refunds", False, f"OR28 was refused ({code})")
        case SendMessage(), Confirmed():
            return Observation("messages", True, "OR43 opened a thread")
        case SendMessage(), Refused(code=code) if code in _NOT_FOR_US:
            return Observation("messages", False, f"OR43 was refused ({code})")
        case _:
            return None


SAME = timedelta(minutes=1)
LATE = timedelta(hours=1)
"""The window counts as proved by an order that was refused so shortly before or after its end: dates are rounded, and a
marketplace may look at its orders once an hour."""


def window_shown(mirakl: MiraklOrder | None, memory: Memory, window: timedelta | None) -> Observation | None:
    """What an order that the marketplace refused by itself proves about the time to accept: it was seen waiting, is in
    REFUSED, and no decision of the shop is dated (`acceptance_decision_date` is null when the decision was automatic).
    Refused sooner than the setting says, the window is shorter. Refused much later nothing is proved: time in STAGING does
    not count, and the date of the last change may be of a later one."""
    if mirakl is None or window is None or memory.acceptance_due_at is None or memory.first_seen_at is None:
        return None
    ended_at = min(mirakl.updated_at, mirakl.observed_at)
    automatic = mirakl.state == "REFUSED" and mirakl.acceptance_decided_at is None
    if not automatic or ended_at <= memory.first_seen_at:
        return None
    lasted = ended_at - mirakl.created_at
    if lasted > window + LATE:
        return None
    minutes = int(lasted / timedelta(minutes=1))
    said = f"{minutes // 60} h {minutes % 60} min"
    evidence = f"an order that nobody accepted was refused by the marketplace {said} after it was made"
    return Observation("acceptance_window", lasted >= window - SAME, evidence)
