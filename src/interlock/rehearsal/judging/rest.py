"""I17, I18 and I24, at rest: what differs has a case, nothing is left undone, and no case outlives its reason."""

from datetime import timedelta

from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, DEAD, GONE_OUT
from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.truth import Truth, not_moving_because
from interlock.rehearsal.judging.verdict import Verdict

AT_REST = timedelta(minutes=15)
IN_MOTION = ("PLANNED", "IN_FLIGHT", "UNKNOWN")


def i17_differences_have_cases(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I17, at rest: every difference between the two sides that has stood for a quarter of an hour has an open case:
    quantities, units never sold, an order that ended on one side only, a parcel only one side knows of."""
    last = truth.last
    if evidence.now - last.at < AT_REST + evidence.unavailable(last.at, evidence.now):
        return
    verdict.checked["I17"] += 1
    difference = _difference(truth)
    if not difference:
        return
    if evidence.open_cases(truth.row, truth.id) or _settled_by_a_person(evidence, truth):
        return
    verdict.violation(
        "I17",
        truth.id,
        evidence.now,
        "The two sides differ at rest and no case is open.",
        difference,
        f"so since {last.at:%H:%M:%S}",
    )


def _settled_by_a_person(evidence: Evidence, truth: Truth) -> bool:
    """Whether a person settled an order that ended on one side, or closed an incident: then the difference is theirs."""
    return truth.row is not None and any(
        row.order_id == truth.row.id
        and (
            (row.reason == Reason.CANCELLED_IN_SHOPIFY.value and row.option == Option.DONE_IN_PORTAL.value)
            or (CATALOGUE[Reason(row.reason)].kind == "incident" and row.option == Option.DISMISS.value)
        )
        for row in evidence.answers
    )


def _difference(truth: Truth) -> str:
    last = truth.last
    left = {line: units for line, units in last.fulfilled.items() if units}
    if last.state in DEAD:
        return "the marketplace order ended and the Shopify order lives" if last.live else ""
    if last.state in BEFORE_ACCEPTANCE:
        # An order of which every unit was cancelled keeps its state on some marketplaces: nothing is left to accept.
        waits = last.state == "WAITING_ACCEPTANCE" and any(last.agreed.values())
        return "the order still waits to be accepted" if waits else ""
    if not last.live:
        if last.state in GONE_OUT or truth.order.fully_refunded or not any(last.agreed.values()):
            return ""
        what = "is cancelled" if last.exists else "was never made"
        return f"the marketplace order is {last.state} and the Shopify order {what}"
    if last.state not in GONE_OUT and not last.agrees:
        return not_moving_because(last)
    whole = any(last.agreed.values()) and all(
        last.fulfilled.get(line, 0) == units for line, units in last.agreed.items()
    )
    if last.state == "SHIPPING" and whole and truth.order.shop_can_ship and not truth.order.ship_asked:
        return "everything left in Shopify and the marketplace was not told"
    if last.state not in (*GONE_OUT, "SHIPPING") and left:
        return f"units left although the marketplace says {last.state}"
    return ""


def i18_nothing_left_undone(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I18, at rest: no operation is planned, in flight or unclear, and no hint unanswered, unless it waits for a time
    that has not come or a case explains it."""
    row = truth.row
    if row is None:
        return
    explained = bool(evidence.open_cases(row, truth.id))
    for operation in evidence.operations_of.get(row.id, []):
        verdict.checked["I18"] += 1
        if operation.done_at is not None or operation.state not in IN_MOTION:
            continue
        waits = operation.not_before is not None and operation.not_before > evidence.now
        fresh = evidence.now - operation.planned_at < timedelta(minutes=3)
        if not (explained or waits or fresh):
            verdict.violation(
                "I18",
                truth.id,
                operation.planned_at,
                f"{operation.kind} is still {operation.state} at rest and nothing explains it.",
                f"operation {operation.id}, attempt {operation.attempt}",
                *((operation.words,) if operation.words else ()),
            )
    if row.hints > row.handled and not (row.lease_until is not None and row.lease_until > evidence.now):
        since = row.hinted_at or row.created_at
        if evidence.now - since > timedelta(minutes=3):
            verdict.violation(
                "I18",
                truth.id,
                since,
                f"{row.hints - row.handled} hints of the order were never answered.",
            )


def i24_no_case_outlives_its_reason(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I24, at rest, reported and not judged: a case whose reason can be seen to be gone is still open."""
    last = truth.last
    if truth.row is None or evidence.now - last.at < AT_REST:
        return
    for case in evidence.cases_of(truth.row):
        if case.closed_at is not None:
            continue
        verdict.checked["I24"] += 1
        gone = _reason_gone(truth, case.reason)
        if gone:
            verdict.oddity(
                "I24",
                truth.id,
                case.opened_at,
                f"The case {case.reason} is open although {gone}.",
                case.sentence,
            )


def _reason_gone(truth: Truth, reason: str) -> str:
    last = truth.last
    match reason:
        case Reason.ACCEPTANCE_RUNNING_OUT.value | Reason.ACCEPTANCE_REFUSED.value:
            if last.state != "WAITING_ACCEPTANCE":
                return f"the marketplace says {last.state}"
        case Reason.SKU_UNKNOWN.value | Reason.STOCK_SHORT.value | Reason.IMPORT_REFUSED.value:
            if last.live:
                return "the Shopify order exists"
        case Reason.CARRIER_UNKNOWN.value | Reason.TRACKING_MISSING.value | Reason.SHIPPING_REFUSED.value:
            if last.state in GONE_OUT:
                return "the marketplace has been told"
        case Reason.CANCELLED_IN_SHOPIFY.value:
            if last.live or last.state in DEAD:
                return "both sides have ended, or neither"
        case Reason.CANNOT_HOLD.value:
            if last.state in GONE_OUT or not last.live:
                return "nothing is left to hold"
        case _:
            return ""
    return ""
