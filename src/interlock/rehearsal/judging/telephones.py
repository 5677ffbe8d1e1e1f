"""I8 and I17 for the telephone number of a delivery address, changed in Shopify alone: the parcel waits and somebody is asked."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from interlock.orders.reasons import Option
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.rehearsal.judging.evidence import Evidence, Reference, first_after
from interlock.rehearsal.judging.holds import judge_label
from interlock.rehearsal.judging.rest import at_rest_after
from interlock.rehearsal.judging.truth import SHOPIFY, Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Effect

KEPT_WITHIN = timedelta(seconds=60)
"""So long after a read what it showed is remembered at the latest."""
CLOCKS_DIFFER = timedelta(minutes=6)
"""So far the clock of the process that took an answer may have been from the platforms'."""


def i17_another_number_is_asked_about(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I17, at rest: where the order to be shipped shows another number than the one agreed on, which the marketplace does not
    have either and nobody let stand, a case is open."""
    last = truth.last
    change = _differs_since(evidence, truth, evidence.now)
    if change is None or not last.live or last.state in (*DEAD, *GONE_OUT):
        return
    since = max(change.at, last.at)
    needed = at_rest_after(evidence.poll, evidence.ahead) + evidence.unavailable(since, evidence.now)
    if evidence.now - since < needed:
        return
    verdict.checked["I17 telephone"] += 1
    if not evidence.open_cases(truth.row, truth.id):
        verdict.violation(
            "I17",
            truth.id,
            evidence.now,
            "Only Shopify shows another telephone number, at rest, and no case is open.",
            f"so since {change.at:%H:%M:%S}",
        )


def i8_nothing_leaves_under_another_number(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I8: once we have read another number that only Shopify shows, our hold stays on and no label is made until it is the
    same again, the marketplace has it too, or a person let it stand."""
    for effect in _leaving(evidence, truth):
        change = _differs_since(evidence, truth, effect.at)
        if change is None or change.order_id != effect.order_id or truth.at(effect.at).state != "SHIPPING":
            continue
        verdict.checked["I8 telephone"] += 1
        if effect.kind == "fulfillment_created":
            since = replace(truth.at(change.at), at=change.at, side=SHOPIFY)
            judge_label(
                evidence, truth, verdict, effect, since, "only Shopify shows another telephone number"
            )
            continue
        reference = Reference.of(effect.reference)
        operation = None if reference is None else evidence.operation_of.get(reference.operation)
        read = first_after(evidence.shopify_reads.get(effect.order_id, []), change.at)
        if operation is None or operation.kind != "ReleaseHold" or read is None:
            continue
        if read < operation.planned_at:
            verdict.violation(
                "I8",
                truth.id,
                effect.at,
                "Our hold was released although only Shopify shows another telephone number.",
                f"so since {change.at:%H:%M:%S}, read {read:%H:%M:%S}",
            )


def _leaving(evidence: Evidence, truth: Truth) -> Iterator[Effect]:
    for effect in truth.effects(evidence):
        released = effect.kind == "hold_released" and effect.actor == evidence.us
        if released or effect.kind == "fulfillment_created":
            yield effect


def _differs_since(evidence: Evidence, truth: Truth, at: datetime) -> Effect | None:
    """The change by which the Shopify order that stood then came to show a number that is not agreed on; None where it does
    not, or where it cannot be said: the address was changed as well, or nobody had read a former number with it."""
    gid = truth.gid_at(at)
    effects = [effect for effect in evidence.shopify_effects_of.get(gid, []) if effect.at <= at]
    changes = [effect for effect in effects if effect.kind == "telephone_changed"]
    known = _number_known_at(evidence, truth, gid)
    if not changes or known is None or changes[-1].at <= known or _moved(truth, effects):
        return None
    last = changes[-1]
    former = {effect.detail["was"] for effect in changes}
    if last.detail["now"] in former or last.detail["now"] in _given(truth, last.at, at):
        return None
    # Where the first number that was known is none, the next one shown is agreed on.
    before = [effect for effect in changes if effect.at > known]
    stands = any(
        said.at + CLOCKS_DIFFER >= last.at
        for said in evidence.answers_of(truth.row, Option.KEEP_ADDRESS.value)
    )
    return None if stands or not before[0].detail["was"] else last


def _given(truth: Truth, since: datetime, at: datetime) -> set[str | None]:
    """The numbers the marketplace showed from one moment to another, none before it gave an address included."""
    address = truth.order.shipping_address
    changes = [
        effect
        for effect in truth.marketplace.record.effects
        if effect.kind == "address_changed" and effect.order_id == truth.id and "number" in effect.detail
    ]
    before = [effect.detail["number"] for effect in changes if effect.at <= since]
    first = changes[0].detail["number_was"] if changes else address["phone"] if address else None
    return {
        before[-1] if before else first,
        *(effect.detail["number"] for effect in changes if since < effect.at <= at),
    }


def _moved(truth: Truth, effects: list[Effect]) -> bool:
    """Whether either side's address was changed, with the number or without."""
    return any(effect.kind == "address_changed" for effect in effects) or any(
        effect.kind == "address_changed"
        and effect.order_id == truth.id
        and effect.detail["was"] != effect.detail["where"]
        for effect in truth.marketplace.record.effects
    )


def _number_known_at(evidence: Evidence, truth: Truth, gid: str) -> datetime | None:
    """By when the number that the Shopify order showed was known as the one that goes with the agreed address: the
    marketplace's address had been read, and Shopify's after it."""
    order = truth.order
    if not order.address_shown:
        return None
    shown = next(
        (
            effect.at
            for effect in truth.marketplace.record.effects
            if effect.kind == "address_shown" and effect.order_id == truth.id
        ),
        order.created,
    )
    there = first_after(evidence.mirakl_reads.get((truth.marketplace.name, truth.id), []), shown)
    here = None if there is None else first_after(evidence.shopify_reads.get(gid, []), there)
    return None if here is None else evidence.due_after(here, KEPT_WITHIN)
