"""I17, I18 and I24, at rest: what differs has a case, nothing is left undone, and no case outlives its reason."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row

from interlock.orders.ending import is_declined
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.refund_tasks import is_open
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, BEFORE_DEBIT_DONE, DEAD, GONE_OUT
from interlock.rehearsal.judging.destinations import address_changed_at, parcels_astray
from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.truth import Moment, Truth, not_moving_because
from interlock.rehearsal.judging.verdict import Verdict

QUARTER = timedelta(minutes=15)
REST_MAY_FOLLOW_FOR = timedelta(hours=2)
"""So long units that the marketplace was told of in its portal may still leave before somebody is asked."""
SENT_AFTER_A_READ = timedelta(minutes=2)
ASKED_WITHIN = timedelta(minutes=6)
"""Shopify is given five minutes to carry a changed address on to the parcels before somebody is asked."""
IN_MOTION = ("PLANNED", "IN_FLIGHT", "UNKNOWN")
KEEPS_FROM_IMPORT = (
    Reason.SKU_UNKNOWN,
    Reason.SKU_AMBIGUOUS,
    Reason.STOCK_SHORT,
    Reason.IMPORT_REFUSED,
    Reason.DRAFT_WITHOUT_STOCK,
)
"""Cases of a sale of which no Shopify order could be made yet."""


def at_rest_after(poll: timedelta, ahead: timedelta) -> timedelta:
    """How long nothing may have happened before everything is known: a quarter of an hour, or where the marketplace is
    read rarely the two intervals between walks over changes, and what a wrong database clock adds to them."""
    return max(QUARTER, 2 * poll + abs(ahead) + timedelta(minutes=2))


def is_at_rest(evidence: Evidence, truth: Truth) -> bool:
    """Whether both platforms have stood still for so long that the service must know how things are."""
    since = truth.last.at
    needed = at_rest_after(evidence.poll, evidence.ahead) + evidence.unavailable(since, evidence.now)
    return evidence.now - since >= needed


def i17_differences_have_cases(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I17, at rest: every difference between the two sides that has stood for a quarter of an hour has an open case:
    quantities, units never sold, an order that ended on one side only, a parcel only one side knows of, units that the
    marketplace counts as sent and that are still here."""
    last = truth.last
    if not is_at_rest(evidence, truth):
        return
    verdict.checked["I17"] += 1
    difference = _difference(truth) or _sent_elsewhere(evidence, truth)
    if not difference:
        return
    if evidence.open_cases(truth.row, truth.id) or _settled_by_a_person(evidence, truth):
        return
    if _is_about_to_be_sent_again(evidence, truth):
        return
    verdict.violation(
        "I17",
        truth.id,
        evidence.now,
        "The two sides differ at rest and no case is open.",
        difference,
        f"so since {last.at:%H:%M:%S}",
    )


def _is_about_to_be_sent_again(evidence: Evidence, truth: Truth) -> bool:
    """Whether a person asked so short a time ago for a refused call to be sent again that the marketplace may not have been read
    since, which goes before it: where a key may read it every quarter of an hour, the answer waits as long."""
    asked: list[datetime] = [said.at for said in evidence.answers_of(truth.row, Option.SEND_AGAIN.value)]
    if not asked:
        return False
    unread = SENT_AFTER_A_READ + evidence.poll + evidence.unavailable(max(asked), evidence.now)
    return evidence.now - max(asked) < unread


def i17_parcels_astray_have_their_case(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I17, at rest: where a parcel of a live order goes to another address than its order, or to none, and that has been so
    for as long as it takes to see and ask, a person is asked."""
    last = truth.last
    if last.state in DEAD or last.state in GONE_OUT:
        return
    verdict.checked["I17"] += 1
    astray = parcels_astray(evidence, truth)
    if not astray:
        return
    since = max(last.at, *(parcel.created_at for parcel in astray), address_changed_at(evidence, last.gid))
    needed = at_rest_after(evidence.poll, evidence.ahead) + ASKED_WITHIN
    if evidence.now - since < needed + evidence.unavailable(since, evidence.now):
        return
    asked = evidence.cases_of(truth.row, Reason.DESTINATION_DIFFERS.value)
    if not any(case.closed_at is None for case in asked):
        verdict.violation(
            "I17",
            truth.id,
            evidence.now,
            "A parcel goes to another address than its order, or to none, and nobody is asked.",
            astray[0].gid,
            f"so since {since:%H:%M:%S}",
        )


def _settled_by_a_person(evidence: Evidence, truth: Truth) -> bool:
    """Whether a person settled an order that ended on one side, or closed an incident: then the difference is theirs."""
    return is_declined(truth.memory) or any(
        truth.row is not None
        and row.order_id == truth.row.id
        and row.option == Option.DISMISS.value
        and (
            row.reason == Reason.CANCELLED_IN_SHOPIFY.value
            or CATALOGUE[Reason(row.reason)].kind == "incident"
        )
        for row in evidence.answers
    )


def _difference(truth: Truth) -> str:
    last = truth.last
    left = {line: units for line, units in last.left.items() if units}
    if last.state in DEAD:
        return "the marketplace order ended and the Shopify order lives" if last.live else ""
    if last.state in BEFORE_ACCEPTANCE:
        # An order of which every unit was cancelled keeps its state on some marketplaces: nothing is left to accept.
        waits = last.state == "WAITING_ACCEPTANCE" and any(last.agreed.values())
        return "the order still waits to be accepted" if waits else ""
    if not last.live:
        if last.state in GONE_OUT or truth.order.fully_refunded or not any(last.agreed.values()):
            return ""
        if waits_as_a_draft(truth):
            return ""
        what = "is cancelled" if last.exists else "was never made"
        return f"the marketplace order is {last.state} and the Shopify order {what}"
    if last.state not in GONE_OUT and not last.agrees and not last.as_decided:
        return not_moving_because(last)
    exactly = all(last.left.get(line, 0) == units for line, units in last.agreed.items())
    whole = any(last.agreed.values()) and (not last.still_here if last.as_decided else exactly)
    told = truth.order.ship_asked or told_in_parcels(truth)
    if last.state == "SHIPPING" and whole and truth.order.shop_can_ship and not told:
        return "everything left in Shopify and the marketplace was not told"
    if last.state not in (*GONE_OUT, "SHIPPING") and left:
        return f"units left although the marketplace says {last.state}"
    return ""


def _sent_elsewhere(evidence: Evidence, truth: Truth) -> str:
    """Units the marketplace counts as sent that have not left in Shopify: they may follow for a while, unless our hold is
    on them, or were refunded."""
    last = truth.last
    if last.state not in GONE_OUT or not last.live or truth.order.fully_refunded:
        return ""
    here = sold_and_here(last)
    held = any(
        parcel.order_gid == last.gid and parcel.gone is None and parcel.is_held(evidence.now)
        for parcel in truth.parcels.values()
    )
    if not here or not (held or evidence.now - last.at > REST_MAY_FOLLOW_FOR + QUARTER):
        return ""
    return f"the marketplace says {last.state} and {sum(here.values())} units have not left" + (
        ", under our hold" if held else ""
    )


def sold_and_here(moment: Moment) -> dict[str, int]:
    """Units of each line that were sold, may still leave by the Shopify order and have not left."""
    here = {
        line: min(units, moment.standing(line)) - moment.left.get(line, 0)
        for line, units in moment.agreed.items()
    }
    return {line: units for line, units in here.items() if units > 0}


def waits_as_a_draft(truth: Truth) -> bool:
    """Whether an order that was accepted while its address is hidden stands as a draft, its stock reserved, until the
    customer has paid: the marketplace says when, and nothing is wrong meanwhile."""
    last = truth.last
    hidden = not truth.order.address_shown
    return hidden and not last.exists and bool(last.drafts) and last.state in BEFORE_DEBIT_DONE


def told_in_parcels(truth: Truth) -> bool:
    """Whether shipments that were said to have left hold everything that is agreed."""
    order = truth.order
    return bool(order.shipments) and all(
        order.in_shipments(line, validated=True) >= truth.last.agreed.get(line.id, 0) for line in order.lines
    )


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
    """I24, at rest: a condition or a task whose reason both platforms show to be gone, for a quarter of an hour, is not
    open any more. Incidents are a person's to close."""
    if truth.row is None or not is_at_rest(evidence, truth):
        return
    for case in evidence.cases_of(truth.row):
        if case.closed_at is not None or CATALOGUE[Reason(case.reason)].kind == "incident":
            continue
        if evidence.now - case.opened_at < QUARTER:
            continue
        verdict.checked["I24"] += 1
        gone = reason_gone(evidence, truth, case, truth.last, evidence.now)
        if gone:
            verdict.violation(
                "I24",
                truth.id,
                case.opened_at,
                f"The case {case.reason} is open although {gone}.",
                case.sentence,
            )


def _is_of_another_order(evidence: Evidence, gid: str, parcel: str) -> bool:
    """Whether a parcel is one of a live order beside this one."""
    return any(
        parcel in (one.gid for one in order.fulfillment_orders)
        for order in evidence.shopify_orders.values()
        if order.gid != gid and order.cancelled_at is None
    )


def reason_gone(evidence: Evidence, truth: Truth, case: Row[Any], then: Moment, at: datetime) -> str:
    """What shows that the case has no reason any more as things stood `then`, which was `at`; empty where nothing does."""
    match Reason(case.reason):
        case Reason.ACCEPTANCE_RUNNING_OUT | Reason.ACCEPTANCE_REFUSED:
            if then.state != "WAITING_ACCEPTANCE":
                return f"the marketplace says {then.state}"
        case reason if reason in KEEPS_FROM_IMPORT:
            if then.live and case.subject not in truth.memory.custom_line_skus:
                return "the Shopify order exists"
        case (
            Reason.CARRIER_UNKNOWN
            | Reason.TRACKING_MISSING
            | Reason.TRACKING_UNUSABLE
            | Reason.SHIPPING_REFUSED
            | Reason.SHIPMENT_IN_PORTAL
            | Reason.SHIPMENTS_HIDDEN
            | Reason.OPERATOR_SHIPS
        ):
            if then.state in GONE_OUT:
                return "the marketplace has been told"
        case Reason.STILL_HERE:
            if not then.live or not sold_and_here(then):
                return "nothing that was sold is still here"
        case Reason.ENDED_WITH_REST:
            if not then.live or not then.unfulfilled or not any(then.left.values()):
                return "nothing of it is still here, or nothing of it left"
        case Reason.CANCELLED_IN_SHOPIFY:
            if then.live or then.state in DEAD:
                return "both sides have ended, or neither"
        case Reason.CANNOT_HOLD:
            if _is_of_another_order(evidence, then.gid, case.subject):
                return ""  # of one that may stand for the sale, whatever became of this one
            if not then.live or (then.state in GONE_OUT and not then.beyond_what_was_sold):
                return "nothing is left to hold"
        case Reason.DESTINATION_DIFFERS:
            if not parcels_astray(evidence, truth):
                return "no parcel goes to another address than its order"
        case Reason.FLOW_PAUSED:
            paused = any(
                pause.connection_id == case.connection_id and pause.flow == case.subject and pause.ended > at
                for pause in evidence.paused
            )
            return "" if paused else "nothing is paused"
        case Reason.EDIT_WAITING | Reason.BOTH_SIDES_CHANGED:
            if then.agrees or then.state in DEAD or not then.live:
                return "no line differs"
        case Reason.REDUCTION_NOT_ALLOWED | Reason.REDUCTION_REFUSED | Reason.EDIT_CANNOT_BE_EXPRESSED:
            if then.state in DEAD or not then.live:
                return "the order has ended"
        case Reason.INCIDENT_OPEN if truth.marketplace.world.switches["incident_bumps_update_date"] == "yes":
            if not any(line.state == "INCIDENT_OPEN" for line in truth.order.lines):
                return "no line has an incident"
        case Reason.POSSIBLE_SUCCESSOR | Reason.ORIGINAL_NOT_CANCELLED:
            other = evidence.shopify_orders.get(case.subject)
            if other is not None and other.cancelled_at is not None and other.cancelled_at <= at:
                return f"{other.name} is cancelled"
        case Reason.DESK_EDIT_STUCK:
            if any(edit.id == case.subject and edit.ended for edit in truth.memory.desk_edits):
                return "the edit has ended"
        case Reason.REFUND_TASK | Reason.REFUND_APPROVAL | Reason.REFUND_REFUSED | Reason.REFUND_MADE_ALREADY:
            if not any(task.subject == case.subject and is_open(task) for task in truth.memory.refund_tasks):
                return "its task is closed"
        case _:
            return ""
    return ""
