"""I4 and I15 where the marketplace knows single parcels: each unit that left is told of exactly once, with the tracking it
has, and never a unit that was cancelled. Where it knows whole orders, I15 asks that a shipped one shows a parcel's number."""

from datetime import timedelta

from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD
from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.rest import is_at_rest
from interlock.rehearsal.judging.truth import WITHDRAWN, Truth, numbers_of
from interlock.rehearsal.judging.verdict import Verdict
from interlock.shipping.parcels import marker_of
from interlock.simulator.mirakl.orders import SimShipment
from interlock.simulator.record import Effect
from interlock.simulator.shopify.state import Fulfillment

JUST_CHANGED = timedelta(seconds=60)
ASKED_AGAIN = timedelta(minutes=2)
"""Within so much time a call that was sent again on a person's word, and refused again, is a case again."""
_CHANGES = ("cancelation", "fulfillment_cancelled", "display_status_changed", "tracking_updated", WITHDRAWN)


def i4_no_parcel_is_told_too_much(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I4: whenever we say that a shipment left, the units that were said to have left on a line, by us or by others, exceed
    neither what left in Shopify nor what is agreed, and the shipment's parcel was told of never before.

    A change within the last minute (a label cancelled or given back, a line cancelled, a word in the portal) is bounded.
    """
    us = truth.marketplace.us
    told: dict[str, int] = {}
    markers: dict[str, str] = {}
    portal: Effect | None = None
    for effect in truth.marketplace.record.effects:
        if effect.order_id != truth.id or effect.kind != "shipment_shipped":
            continue
        for line, units in effect.detail["lines"].items():
            told[line] = told.get(line, 0) + units
        if effect.actor != us:
            portal = effect
            continue
        verdict.checked["I4 parcels"] += 1
        moment = truth.at(effect.at)
        wrong = []
        for line in effect.detail["lines"]:
            left = told[line] if moment.as_decided else moment.left.get(line, 0)
            most = min(left, moment.agreed.get(line, 0))
            if told[line] > most:
                wrong.append(
                    f"{line}: told of {told[line]}, {moment.left.get(line, 0)} left, "
                    f"{moment.agreed.get(line, 0)} agreed"
                )
        if wrong:
            since = effect.at - JUST_CHANGED - evidence.unavailable(effect.at - JUST_CHANGED, effect.at)
            changed = [m.at for m in truth.moments if m.kind in _CHANGES and m.actor != us]
            if portal is not None:
                changed.append(portal.at)
            sentence = "The marketplace was told of more units than had left, or than were agreed."
            if any(since <= at < effect.at for at in changed):
                verdict.bound("I4", truth.id, effect.at, sentence, *wrong)
            else:
                verdict.violation("I4", truth.id, effect.at, sentence, *wrong, f"call {effect.reference}")
        marker = effect.detail["marker"]
        if marker in markers:
            verdict.violation(
                "I4",
                truth.id,
                effect.at,
                f"The parcel {marker} was told of twice.",
                f"shipments {markers[marker]} and {effect.detail['shipment']}",
            )
        markers[marker] = effect.detail["shipment"]


def i15_every_parcel_is_told_of(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I15, at rest: the marketplace was told of every unit that left and is agreed, and each shipment of ours shows the
    tracking number its parcel has now; otherwise a case is open. Orders that ended, and those the operator's own logistics
    takes, are not the shop's to tell; what a person decided to ship as it was edited is told of once all of it has left."""
    order, last = truth.order, truth.last
    if not truth.marketplace.world.profile.multi_shipment or truth.row is None or last.state in DEAD:
        return
    if not is_at_rest(evidence, truth) or not last.live or not any(last.left.values()):
        return
    explained = bool(evidence.open_cases(truth.row, truth.id))
    verdict.checked["I15 parcels"] += 1
    waits_for_the_rest = last.as_decided and last.still_here
    untold = [
        f"{line.sku}: {order.in_shipments(line, validated=True)} told, {last.left.get(line.id, 0)} left"
        for line in (() if waits_for_the_rest else order.lines)
        if order.in_shipments(line, validated=True)
        < min(last.left.get(line.id, 0), last.agreed.get(line.id, 0))
    ]
    if untold and last.state == "SHIPPING" and not explained:
        verdict.violation(
            "I15", truth.id, evidence.now, "Units left and the marketplace was never told.", *untold
        )
    if last.state in ("RECEIVED", "CLOSED"):
        return
    numbers = _numbers(evidence, truth)
    for shipment in order.shipments:
        wanted = numbers.get(shipment.invoice_reference or "")
        if not shipment.alive or not wanted or explained:
            continue
        verdict.checked["I15 tracking"] += 1
        if shipment.tracking_number != wanted:
            verdict.violation(
                "I15",
                truth.id,
                evidence.now,
                "A shipment shows another tracking number than its parcel has, and nobody is told.",
                f"{shipment.tracking_number} instead of {wanted}",
            )
    for shipment in () if explained else _left_anew(evidence, truth):
        verdict.checked["I15 left anew"] += 1
        if shipment.tracking_number not in numbers.values():
            verdict.violation(
                "I15",
                truth.id,
                evidence.now,
                "The units of a cancelled parcel left anew, and its shipment shows a number that leads nowhere.",
                f"{shipment.tracking_number or 'none'} instead of {' or '.join(numbers.values())}",
            )


def _left_anew(evidence: Evidence, truth: Truth) -> list[SimShipment]:
    """The shipments of parcels that were cancelled after they were told of, where everything the marketplace was told of has
    left and every parcel that is on its way has a number. Where a shipment was made in the portal too, nobody knows which
    parcel it is."""
    shopify = evidence.shopify_orders.get(truth.shopify_gid)
    parcels = shopify.fulfillments if shopify is not None else []
    alive = [one for one in truth.order.shipments if one.alive]
    gone = {marker_of(parcel.gid) for parcel in parcels if parcel.status == "CANCELLED"}
    live = {marker_of(parcel.gid) for parcel in parcels if parcel.status != "CANCELLED"}
    left, numbers = truth.last.left, _numbers(evidence, truth)
    whole = all(
        truth.order.in_shipments(line, validated=True) <= left.get(line.id, 0) for line in truth.order.lines
    )
    if not live or not whole or set(numbers) != live:
        return []
    if any((one.invoice_reference or "") not in gone | live for one in alive):
        return []
    return [one for one in alive if one.invoice_reference in gone and one.validated]


def i15_a_shipped_order_has_its_number(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I15, at rest, where the marketplace knows whole orders: an order on its way shows the number of a parcel it left in,
    also one that landed after the dispatch; otherwise a case is open. A number without the name of a carrier counts where
    the marketplace shows none: a person knows of it. An order the customer has, or that ended, needs none any more."""
    order, last = truth.order, truth.last
    if truth.marketplace.world.profile.multi_shipment or truth.row is None:
        return
    if last.state not in ("SHIPPED", "TO_COLLECT") or not last.live or not is_at_rest(evidence, truth):
        return
    shown = order.tracking_number or ""
    numbers = _numbers(evidence, truth, named=bool(shown)).values()
    if not numbers:
        return
    verdict.checked["I15 number"] += 1
    if shown in numbers or shown in _of_another_label(evidence, truth):
        return
    if evidence.open_cases(truth.row, truth.id) or _asked_of_late(evidence, truth):
        return
    verdict.violation(
        "I15",
        truth.id,
        evidence.now,
        "A shipped order shows another tracking number than its parcels have, or none, and nobody is told.",
        f"{shown or 'none'} instead of {' or '.join(numbers)}",
    )


def _numbers(evidence: Evidence, truth: Truth, named: bool = True) -> dict[str, str]:
    """The tracking number of every parcel that is on its way and has a carrier, by the marker of its shipment; without
    `named` also where no carrier is named. Nothing is on its way under a label that was given back, unless a person said
    so."""
    shopify = evidence.shopify_orders.get(truth.shopify_gid)
    said = [answer.subject for answer in evidence.answers_of(truth.row, Option.LEFT_UNDER_NUMBER.value)]
    return {
        marker_of(parcel.gid): number
        for parcel in (shopify.fulfillments if shopify is not None else ())
        if parcel.status != "CANCELLED"
        and (number := _number(parcel, named))
        and (parcel.display_status != "LABEL_VOIDED" or f"{parcel.gid} {number}" in said)
    }


def _asked_of_late(evidence: Evidence, truth: Truth) -> bool:
    """Whether the case about it was closed a moment ago, since a person had the number sent again: what was answered opens it
    once more."""
    asked = evidence.cases_of(truth.row, Reason.TRACKING_NOT_CORRECTED.value)
    return any(one.closed_at is not None and one.closed_at >= evidence.now - ASKED_AGAIN for one in asked)


def _of_another_label(evidence: Evidence, truth: Truth) -> set[str]:
    """The numbers that fulfillments show instead of those whose labels were given back: a parcel may be on its way under one,
    or it was the next label's before anybody could see the former one's."""
    shown: dict[str, list[str]] = {}
    given_back: dict[str, list[str]] = {}
    for effect in truth.effects(evidence):
        fulfillment = str(effect.detail.get("fulfillment", ""))
        if "tracking" in effect.detail:
            shown[fulfillment] = numbers_of(effect)
        if effect.detail.get("display_status") == "LABEL_VOIDED":
            given_back[fulfillment] = shown.get(fulfillment, [])
    anew = (shown.get(gid, []) for gid, former in given_back.items() if shown.get(gid, []) != former)
    return {number for numbers in anew for number in numbers}


def _number(parcel: Fulfillment, named: bool) -> str:
    return next((item.number for item in parcel.tracking if item.number and (item.company or not named)), "")


def count_parcels(evidence: Evidence, truth: Truth) -> dict[str, int]:
    """What occurred to parcels that are told of one by one, by counter."""
    us = truth.marketplace.us
    found: dict[str, int] = {}

    def add(name: str, times: int = 1) -> None:
        found[name] = found.get(name, 0) + times

    names = {
        "shipment_created": "shipment made by Interlock",
        "shipment_shipped": "parcel told by Interlock",
        "shipment_tracking": "shipment's tracking sent by Interlock",
        "shipment_deleted": "shipment taken back by Interlock",
    }
    with_number = False
    for effect in truth.marketplace.record.effects:
        if effect.order_id != truth.id:
            continue
        if effect.kind in names and effect.actor == us:
            add(names[effect.kind])
        elif effect.kind == "shipment_shipped" and effect.actor == "staff":
            add("parcel told in the portal")
        elif effect.kind == "tracking" and effect.actor == us and truth.at(effect.at).state == "SHIPPED":
            corrected = "order's tracking corrected by Interlock"
            add(corrected if with_number else "number told after the dispatch")
        with_number = with_number or effect.kind == "tracking"
    if sum(1 for shipment in truth.order.shipments if shipment.validated and shipment.by == us) > 1:
        add("order told of in several parcels")
    for row in evidence.operations_of.get(truth.row.id, []) if truth.row is not None else []:
        if row.kind == "CreateShipment" and (row.code == "observed" or row.attempt > 1):
            add("ST01 settled by reading back")
    add("tracking not corrected", len(evidence.cases_of(truth.row, Reason.TRACKING_NOT_CORRECTED.value)))
    return found
