"""I1 over a lineage: while two Shopify orders may stand for one sale both are held, and what was replaced never ships."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import GONE_OUT
from interlock.rehearsal.judging.evidence import Evidence, first_after
from interlock.rehearsal.judging.holds import printed_anyway
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.shopify.names import ORDER_ATTRIBUTE
from interlock.simulator.record import Effect
from interlock.simulator.shopify.state import FulfillmentOrder, Order

HOLD_WITHIN = timedelta(seconds=30)
POSSIBLE_FOR = timedelta(seconds=60)
CANNOT = (
    Reason.CANNOT_HOLD.value,
    Reason.HOLD_RELEASED_BY_OTHERS.value,
    Reason.SERVICE_DOES_NOT_STOP.value,
)
ENDING = (
    Option.CANCEL_AT_MARKETPLACE.value,
    Option.CANCEL_AND_MESSAGE.value,
    Option.REFUSE_ORDER.value,
)
TOLD = (
    *CANNOT,
    Reason.LABEL_OVERRIDDEN.value,
    Reason.TWO_LIVE_ORDERS.value,
    Reason.POSSIBLE_SUCCESSOR.value,
    Reason.ORIGINAL_NOT_CANCELLED.value,
    Reason.REPLACEMENT_SPLIT.value,
    Reason.REPLACEMENT_MERGED.value,
    Reason.LABEL_BEFORE_AGREEMENT.value,
    Reason.SHIPPED_ON_DISAGREEMENT.value,
)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """A time in which it is not settled which of two live orders stands: the linked one or a candidate."""

    began: datetime
    ended: datetime | None
    linked: str
    candidate: str

    def until(self, moment: datetime | None) -> "_Doubt":
        """The doubt, over at `moment` at the latest."""
        if moment is None:
            return self
        return replace(self, ended=moment if self.ended is None else min(self.ended, moment))


def i1_both_held_while_in_doubt(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I1: from the plan on that takes another live order for a possible replacement, the parcels of both are on hold
    until one of the two is cancelled or a person has ruled it out; the linked one until the marketplace was told of its
    parcel. A label made meanwhile is broken when the hold had been possible for a minute."""
    for doubt in _doubts(evidence, truth):
        for gid in (doubt.linked, doubt.candidate):
            shopify = evidence.shopify_orders.get(gid)
            if shopify is None or (gid == doubt.candidate and _stands_elsewhere(evidence, truth, gid)):
                continue
            told = _told(truth) if gid == doubt.linked else None
            for parcel in shopify.fulfillment_orders:
                verdict.checked["I1 held"] += 1
                _held(evidence, truth, verdict, doubt.until(told), shopify, parcel)


def _doubts(evidence: Evidence, truth: Truth) -> Iterator[_Doubt]:
    if truth.row is None:
        return
    roles = evidence.kin.get(truth.row.id, [])
    for index, (at, gid, role) in enumerate(roles):
        if role != "candidate":
            continue
        changed = next((later for later, other, _ in roles[index + 1 :] if other == gid), None)
        linked = truth.gid_at(at)
        ends = [
            moment
            for moment in (changed, _ended(evidence, gid), _ended(evidence, linked))
            if moment is not None
        ]
        ended = min(ends, default=None)
        if linked and linked != gid and (ended is None or ended > at):
            yield _Doubt(at, ended, linked, gid)


def _told(truth: Truth) -> datetime | None:
    """When the marketplace was told of the parcel: from then on nothing of the linked order waits any more."""
    return next((moment.at for moment in truth.moments if moment.state in GONE_OUT), None)


def _ended(evidence: Evidence, gid: str) -> datetime | None:
    """When the order was cancelled, or deleted without that."""
    shopify = evidence.shopify_orders.get(gid)
    cancelled_at = None if shopify is None else shopify.cancelled_at
    return cancelled_at or evidence.deleted.get(gid)


def _stands_elsewhere(evidence: Evidence, truth: Truth, gid: str) -> bool:
    """Whether another marketplace order knows this Shopify order as its own: then the parcel is that one's to hold."""
    return any(
        any(linked == gid for _, linked in links)
        for order_id, links in evidence.links.items()
        if truth.row is None or order_id != truth.row.id
    )


def _held(
    evidence: Evidence,
    truth: Truth,
    verdict: Verdict,
    doubt: _Doubt,
    shopify: Order,
    parcel: FulfillmentOrder,
) -> None:
    began = max(doubt.began, parcel.created_at)
    ended = min(moment for moment in (doubt.ended, evidence.now) if moment is not None)
    effects = [
        effect
        for effect in evidence.shopify_effects_of.get(shopify.gid, [])
        if effect.detail.get("fulfillment_order") == parcel.gid
    ]
    gone = next((e.at for e in effects if e.kind == "fulfillment_created"), None)
    if not (parcel.open and parcel.remaining) and gone is None:
        return  # it was closed, moved or merged; what took its place is looked at by itself
    read = first_after(evidence.shopify_reads.get(shopify.gid, []), began)
    seen = began if read is None else max(read, began)
    due = evidence.due_after(began, seen - began + HOLD_WITHIN)
    excused = any(
        case.subject.partition(" ")[0] in (parcel.gid, shopify.gid)
        for case in evidence.cases_of(truth.row, *CANNOT)
    )
    excused = excused or any(r.fulfillment_order_id == parcel.gid for r in truth.memory.reholds)
    if gone is not None and began < gone < ended:
        label = next(e for e in effects if e.kind == "fulfillment_created")
        excused = excused or printed_anyway(evidence, truth, parcel.gid, label.at)
        _label(evidence, truth, verdict, shopify, label, began, excused)
        return
    if gone is not None or ended <= due:
        return
    placed = [e.at for e in effects if e.kind == "hold_placed" and e.detail.get("app") == evidence.app]
    if any(at <= due for at in placed):
        return
    late = (min(placed) if placed else ended) - due - evidence.unavailable(began, ended)
    sentence = "Two live orders may stand for one sale and one of them was not held in time."
    if excused or late <= timedelta(0):
        verdict.bound("I1", truth.id, began, sentence, shopify.name)
    else:
        verdict.violation("I1", truth.id, began, sentence, shopify.name, parcel.gid, f"due {due:%H:%M:%S}")


def _label(
    evidence: Evidence,
    truth: Truth,
    verdict: Verdict,
    shopify: Order,
    label: Effect,
    began: datetime,
    excused: bool,
) -> None:
    possible = label.at - began - evidence.unavailable(began, label.at)
    sentence = f"A label was made for {shopify.name} while another order may stand for the same sale."
    if excused or possible <= POSSIBLE_FOR or label.actor == "service":
        verdict.bound("I1", truth.id, label.at, sentence)
    else:
        verdict.violation(
            "I1",
            truth.id,
            label.at,
            sentence,
            f"in doubt since {began:%H:%M:%S}, our hold had been possible for {possible.total_seconds():.0f} s",
        )


def i1_what_was_replaced_never_ships(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I1: from the take-over on, nothing of the replaced order is labelled or shipped."""
    for gid in truth.gids:
        for effect in evidence.shopify_effects_of.get(gid, []):
            if effect.kind != "fulfillment_created" or truth.gid_at(effect.at) == gid:
                continue
            if all(since > effect.at for since, linked in truth.linked if linked == gid):
                continue  # it did not stand yet; it was a candidate, which is judged by itself
            if _role_at(evidence, truth, gid, effect.at) in ("candidate", "unlinked"):
                continue  # a person took its take-over back
            verdict.checked["I1 replaced"] += 1
            verdict.violation(
                "I1",
                truth.id,
                effect.at,
                "A label was made for an order that another one had replaced.",
                gid,
            )


def _role_at(evidence: Evidence, truth: Truth, gid: str, at: datetime) -> str:
    """The place our plans gave the order in the lineage at that moment; empty for none."""
    roles = evidence.kin.get(truth.row.id, []) if truth.row is not None else []
    return next((role for since, other, role in reversed(roles) if other == gid and since <= at), "")


def i1_a_sale_that_lives_on_is_not_ended(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I1: the marketplace order is not cancelled as a whole because one Shopify order is, while another carries its number
    and lives, unless a person decided it. What became known in the last minute is bounded."""
    if truth.row is None:
        return
    for effect in truth.marketplace.record.effects:
        ours = effect.order_id == truth.id and effect.actor == truth.marketplace.us
        if effect.kind != "cancelation" or not ours:
            continue
        if evidence.kind_of(effect.reference) != "CancelMiraklOrder":
            continue
        verdict.checked["I1 ended"] += 1
        for shopify in _copies(evidence, truth, effect.at):
            known = first_after(evidence.webhooks.get(shopify.gid, []), shopify.created_at)
            if known is None or known > effect.at or _decided_by_a_person(evidence, truth, effect.at):
                continue
            sentence = (
                f"The marketplace order was cancelled although {shopify.name} carries its number and lives."
            )
            room = POSSIBLE_FOR + evidence.unavailable(known, effect.at)
            if effect.at - known <= room:
                verdict.bound("I1", truth.id, effect.at, sentence)
            else:
                verdict.violation("I1", truth.id, effect.at, sentence, f"known since {known:%H:%M:%S}")


def _copies(evidence: Evidence, truth: Truth, at: datetime) -> Iterator[Order]:
    """Live orders beside the linked one that carried this order's number then."""
    linked = truth.gid_at(at)
    for shopify in evidence.shopify_orders.values():
        ours = dict(shopify.attributes).get(ORDER_ATTRIBUTE) == truth.marker
        ended_at = _ended(evidence, shopify.gid)
        lived = shopify.created_at <= at and (ended_at is None or ended_at > at)
        if ours and lived and shopify.gid != linked and not _stands_elsewhere(evidence, truth, shopify.gid):
            yield shopify


def _decided_by_a_person(evidence: Evidence, truth: Truth, at: datetime) -> bool:
    """Whether somebody said that the sale ends, or what the other order is."""
    said = [answer for answer in evidence.answers_of(truth.row) if answer.at <= at]
    ended_here = any(edit.kind == "cancel" for edit in truth.memory.desk_edits)
    return ended_here or any(
        answer.option in ENDING or answer.subject in evidence.shopify_orders for answer in said
    )


def i1_no_second_live_order_unnoticed(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I1, at rest: no other live Shopify order carries this order's number, unless a case tells of it, or a person said
    what it is. A copy made after everything had left would send the same goods again."""
    if truth.row is None or not truth.last.live:
        return
    for shopify in evidence.shopify_orders.values():
        ours = dict(shopify.attributes).get(ORDER_ATTRIBUTE) == truth.marker
        if not ours or shopify.gid == truth.shopify_gid or _ended(evidence, shopify.gid) is not None:
            continue
        verdict.checked["I1 second"] += 1
        ruled_out = any(said.subject == shopify.gid for said in evidence.answers_of(truth.row))
        open_ones = evidence.open_cases(truth.row, truth.id)
        if not ruled_out and not any(case.reason in TOLD for case in open_ones):
            verdict.violation(
                "I1",
                truth.id,
                evidence.now,
                f"{shopify.name} carries the number of this order and lives beside the linked one, and no case says so.",
            )
