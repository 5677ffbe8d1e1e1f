"""I8: our hold comes off only a parcel that goes to the address of its order."""

from dataclasses import replace
from datetime import datetime

from interlock.orders.reasons import Option
from interlock.rehearsal.judging.evidence import Evidence, Reference, first_after
from interlock.rehearsal.judging.holds import JUST_EDITED, judge_label
from interlock.rehearsal.judging.truth import MIRAKL, SHOPIFY, Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Effect
from interlock.simulator.shopify.addresses import where
from interlock.simulator.shopify.fulfillment import goes_astray
from interlock.simulator.shopify.state import FulfillmentOrder


def i8_released_to_the_address_of_the_order(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I8: when our hold comes off by a release of ours, the fulfillment order's destination is the address of its order. Bounded
    where somebody else changed the order's address within the last minute."""
    for effect in truth.effects(evidence):
        if effect.kind != "hold_released" or effect.actor != evidence.us:
            continue
        reference = Reference.of(effect.reference)
        operation = None if reference is None else evidence.operation_of.get(reference.operation)
        if operation is not None and operation.kind != "ReleaseHold":
            continue  # a parcel of which nothing is left takes its holds with it
        verdict.checked["I8"] += 1
        if not effect.detail["astray"]:
            continue
        sentence = (
            "Our hold was released from a parcel that goes to another address than its order, or to none."
        )
        if _just_changed(evidence, effect):
            verdict.bound(
                "I8", truth.id, effect.at, sentence, "the address was changed within the last minute"
            )
            continue
        verdict.violation("I8", truth.id, effect.at, sentence, str(effect.detail["fulfillment_order"]))


def i8_no_label_while_the_address_moved(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I8: no label is made once we have read that the marketplace changed the address, while the Shopify order shows another
    one and nobody let that stand. Judged as labels on lines that are not agreed, from that read on."""
    moves = [
        effect
        for effect in truth.marketplace.record.effects
        if effect.kind == "address_changed" and effect.order_id == truth.id
    ]
    if not moves or any(said.option is Option.KEEP_ADDRESS for said in truth.memory.decisions):
        return
    reads = evidence.mirakl_reads.get((truth.marketplace.name, truth.id), [])
    for effect in truth.effects(evidence):
        if effect.kind != "fulfillment_created" or truth.at(effect.at).state != "SHIPPING":
            continue
        before = [move for move in moves if move.at <= effect.at]
        if not before:
            continue
        verdict.checked["I8 address"] += 1
        read = first_after(reads, before[-1].at)
        if read is None or read >= effect.at:
            continue
        if _same_place(before[-1].detail["where"], _shown_at(evidence, effect)):
            continue
        left = _left_again(evidence, effect, before[-1])
        if left is not None:
            since = replace(truth.at(left.at), at=left.at, side=SHOPIFY)
            judge_label(evidence, truth, verdict, effect, since, "Shopify left the marketplace's new address")
            continue
        since = replace(truth.at(read), at=read, side=MIRAKL)
        judge_label(evidence, truth, verdict, effect, since, "the marketplace changed the address")


def _left_again(evidence: Evidence, label: Effect, move: Effect) -> Effect | None:
    """The change in Shopify by which the order, having shown what the marketplace shows since `move`, showed another address
    again before the label; None while it had never shown that."""
    changes = _address_changes(evidence, label.order_id)
    since = [change for change in changes if move.at <= change.at <= label.at]
    leaving = [change for change in since if _same_place(move.detail["where"], change.detail["was"])]
    return leaving[-1] if leaving else None


def _shown_at(evidence: Evidence, effect: Effect) -> list[str]:
    """The address of the Shopify order when this happened to it."""
    changes = _address_changes(evidence, effect.order_id)
    before = [change for change in changes if change.at <= effect.at]
    if before:
        shown: list[str] = before[-1].detail["where"]
    elif changes:
        shown = changes[0].detail["was"]
    else:
        order = evidence.shopify_orders.get(effect.order_id)
        shown = where(None if order is None else order.shipping_address)
    return shown


def _same_place(one: list[str], other: list[str]) -> bool:
    return [" ".join(part.casefold().split()) for part in one] == [
        " ".join(part.casefold().split()) for part in other
    ]


def _just_changed(evidence: Evidence, effect: Effect) -> bool:
    changed = [other for other in _address_changes(evidence, effect.order_id) if other.at <= effect.at]
    if not changed or changed[-1].actor == evidence.us:
        return False
    room = JUST_EDITED + evidence.unavailable(changed[-1].at, effect.at)
    return effect.at - changed[-1].at <= room


def parcels_astray(evidence: Evidence, truth: Truth) -> list[FulfillmentOrder]:
    """The parcels still to ship of the order that stands now that do not go to its address, if it has a whole one."""
    order = evidence.shopify_orders.get(truth.last.gid)
    if order is None or order.cancelled_at is not None or order.gid in evidence.deleted:
        return []
    there = order.shipping_address
    if there is None or not all((there.last_name, there.address1, there.city, there.zip, there.country_code)):
        return []
    return [parcel for parcel in order.fulfillment_orders if parcel.open and goes_astray(parcel)]


def address_changed_at(evidence: Evidence, gid: str) -> datetime:
    """When the address of this order was changed last; the beginning of time where it never was."""
    changes = _address_changes(evidence, gid)
    return changes[-1].at if changes else datetime.min.replace(tzinfo=evidence.now.tzinfo)


def _address_changes(evidence: Evidence, gid: str) -> list[Effect]:
    return [other for other in evidence.shopify_effects_of.get(gid, []) if other.kind == "address_changed"]
