"""What the marketplace's answers prove about what it allows, where no field of its API says it."""

from dataclasses import dataclass

from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    CancelQuantities,
    RefundLines,
    SendMessage,
)
from interlock.orders.outcomes import Confirmed, Outcome, Refused

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
