"""I1, I2, I3, I11 and I19: one order on each side, accepted only when it exists, known as soon as it is shown."""

from datetime import datetime, timedelta

from interlock.orders.actions import AnswerAcceptance
from interlock.orders.ending import is_declined
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, DEAD, GONE_OUT, TO_SHIP
from interlock.rehearsal.judging.evidence import LISTS_MAY_LAG, Evidence, Marketplace, went_well
from interlock.rehearsal.judging.rest import is_at_rest, told_in_parcels, waits_as_a_draft
from interlock.rehearsal.judging.truth import Truth
from interlock.rehearsal.judging.verdict import Verdict

JUST_CANCELLED = timedelta(seconds=60)
SAME_SECOND = timedelta(seconds=1)
"""A walk asks by whole seconds: a change of the second in which its window ends is found by the next walk's overlap."""
KEPT_WITHIN = timedelta(seconds=2)
"""What a read showed is kept by then, unless work is cut off before."""
LIST_IS_BEHIND = timedelta(minutes=1)
"""How far a list is behind at most where the world's switch `listing_lag` says that lists are."""


def i1_one_shopify_order(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I1: for each marketplace order, our app makes at most one Shopify order (orderCreate or a completed draft).

    Copies that editing apps make are not ours and not counted.
    """
    made = [
        effect
        for gid in truth.made_by_us
        for effect in evidence.shopify_effects_of.get(gid, [])
        if effect.kind == "order_created"
    ]
    if not made:
        return
    verdict.checked["I1"] += 1
    if len(made) > 1:
        verdict.violation(
            "I1",
            truth.id,
            made[1].at,
            f"Interlock made {len(made)} Shopify orders for one marketplace order.",
            *(
                f"{effect.detail.get('name')} at {effect.at:%H:%M:%S} by {effect.reference}"
                for effect in made
            ),
        )


def i2_accepted_only_when_it_exists(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I2: when our OR21 accepts, a live Shopify order or an open draft of ours exists, or a person said to accept
    without one. A Shopify order cancelled within the last minute is bounded."""
    for effect in truth.marketplace.record.effects:
        if effect.order_id != truth.id or effect.kind != "accepted" or effect.actor != truth.marketplace.us:
            continue
        verdict.checked["I2"] += 1
        moment = truth.at(effect.at)
        if moment.live or moment.drafts or _permitted(evidence, truth, effect.at):
            continue
        if _another_stood_for_it(evidence, truth, effect.at):
            continue
        ended = [
            m for m in truth.moments if m.kind == "cancelled" and m.side == "shopify" and m.at <= effect.at
        ]
        if ended:
            room = JUST_CANCELLED + evidence.unavailable(ended[-1].at, effect.at)
            if effect.at - ended[-1].at <= room:
                verdict.bound(
                    "I2",
                    truth.id,
                    effect.at,
                    "Accepted in the minute in which somebody cancelled the Shopify order.",
                )
                continue
        verdict.violation(
            "I2",
            truth.id,
            effect.at,
            "Interlock accepted the order although no Shopify order and no draft existed and nobody had allowed it.",
            f"call {effect.reference}",
        )


def _another_stood_for_it(evidence: Evidence, truth: Truth, at: datetime) -> bool:
    """Whether an order lived then that a later one has replaced: the truth tells the life of the last one only."""
    for gid in (*truth.made_by_us, *(kin.shopify_order_id for kin in truth.memory.lineage)):
        happened = [effect.kind for effect in evidence.shopify_effects_of.get(gid, []) if effect.at <= at]
        if "order_created" in happened and "cancelled" not in happened:
            return True
    return False


def _permitted(evidence: Evidence, truth: Truth, at: object) -> bool:
    return truth.row is not None and any(
        row.order_id == truth.row.id and row.option == Option.ACCEPT_WITHOUT_ORDER.value and row.at <= at
        for row in evidence.answers
    )


def i3_acceptance_answers_are_whole(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I3: an acceptance is planned only on a snapshot that says WAITING_ACCEPTANCE, and names every line once."""
    if truth.row is None:
        return
    lines = sorted(line.id for line in truth.order.lines)
    for plan in evidence.plans:
        if plan.order_id != truth.row.id:
            continue
        for action in plan.plan.actions:
            if not isinstance(action, AnswerAcceptance):
                continue
            verdict.checked["I3"] += 1
            mirakl = plan.view.mirakl
            if mirakl is None or mirakl.state != "WAITING_ACCEPTANCE":
                said = "nothing" if mirakl is None else mirakl.state
                verdict.violation(
                    "I3",
                    truth.id,
                    plan.at,
                    f"An acceptance was planned although the marketplace showed {said}.",
                )
            named = [line for line, _ in action.lines]
            if sorted(named) != lines:
                verdict.violation(
                    "I3",
                    truth.id,
                    plan.at,
                    "An acceptance does not name every line exactly once.",
                    f"named {', '.join(named)}; the order has {', '.join(lines)}",
                )
    for operation in evidence.operations_of.get(truth.row.id, []):
        if (
            operation.kind == "AnswerAcceptance"
            and (truth.row.id, operation.planned_at) not in evidence.plans_at
        ):
            verdict.violation(
                "I3",
                truth.id,
                operation.planned_at,
                "An acceptance stands in the ledger that no kept plan asked for.",
                f"operation {operation.id}",
            )


def i11_every_shown_order_is_known(
    evidence: Evidence, marketplace: Marketplace, truth: Truth, verdict: Verdict
) -> None:
    """I11: an order that was updated before the poll's cursor has a row with a document at least as young.

    An order that ended before it was ever shown to us alive needs none.
    """
    cursor = next((row.cursor for row in evidence.polls if row.name == marketplace.account), None)
    if cursor is not None:
        # It is compared with the marketplace's dates: a clock of ours that is behind has not gone past them.
        cursor = min(cursor, cursor + evidence.ahead) - SAME_SECOND
        if marketplace.world.switches["listing_lag"] != "none":
            # Such a list filters by what it shows: a change of its last minute is found by the next walk's overlap.
            cursor -= LIST_IS_BEHIND
    order = truth.order
    if cursor is None or order.updated > cursor or truth.last.state == "STAGING":
        return
    verdict.checked["I11"] += 1
    if truth.row is None:
        if left_unseen(evidence, truth):
            return
        verdict.violation(
            "I11",
            truth.id,
            cursor,
            "The poll went past an order that Interlock has no row for.",
            f"updated {order.updated:%H:%M:%S}, cursor {cursor:%H:%M:%S}, state {truth.last.state}",
        )
        return
    document = evidence.documents.get(truth.row.id)
    if document is None or document + LISTS_MAY_LAG < order.updated:
        kept = "none" if document is None else f"{document:%H:%M:%S}"
        verdict.violation(
            "I11",
            truth.id,
            cursor,
            "The poll went past a change of the order that its kept document does not have.",
            f"updated {order.updated:%H:%M:%S}, cursor {cursor:%H:%M:%S}, document {kept}",
        )


def i19_cancelled_only_when_ended(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I19, at every instant: we cancel a Shopify order only after the marketplace ended its own, or left no unit, or when
    a person asked for it at our desk or to make room for its replacement."""
    for effect in truth.effects(evidence):
        if effect.kind != "cancelled" or effect.actor != evidence.us:
            continue
        verdict.checked["I19"] += 1
        before = truth.before(effect.at)
        if _asked_to_cancel(evidence, truth):
            continue
        if before.state not in DEAD and any(before.agreed.values()):
            verdict.violation(
                "I19",
                truth.id,
                effect.at,
                f"Interlock cancelled the Shopify order of a marketplace order that is {before.state}.",
                f"call {effect.reference}",
            )


def left_unseen(evidence: Evidence, truth: Truth) -> bool:
    """Whether the order ended or left before a read of ours showed it: there is nothing to keep together then. A read in the
    very moment in which work was cut off may have been lost with it."""
    cut_off = [gap.began for gap in evidence.interruptions]
    ended = next((m.at for m in truth.moments if m.state in (*DEAD, *GONE_OUT)), None)
    return ended is not None and not any(
        call.at < ended
        and truth.id in call.order_ids
        and went_well(call)
        and not any(call.at <= began <= call.at + KEPT_WITHIN for began in cut_off)
        for call in truth.marketplace.order_reads()
    )


def _asked_to_cancel(evidence: Evidence, truth: Truth) -> bool:
    at_the_desk = any(edit.kind == "cancel" and edit.taken_at is not None for edit in truth.memory.desk_edits)
    return at_the_desk or bool(evidence.answers_of(truth.row, Option.CANCEL_ORIGINAL.value))


def i19_mapping_agrees_three_ways(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I19, at rest: an accepted order that lives has exactly one live Shopify order linked to it, and our link, the
    marker in Shopify and the marketplace's seller reference name each other; or a case is open for it."""
    state = truth.last.state
    if truth.order.accepted_at is None or state in (*DEAD, *BEFORE_ACCEPTANCE) or truth.order.fully_refunded:
        return
    if not any(truth.last.agreed.values()):
        return
    if not is_at_rest(evidence, truth):
        return
    verdict.checked["I19"] += 1
    if evidence.open_cases(truth.row, truth.id):
        return
    if truth.row is None:
        if not left_unseen(evidence, truth):
            verdict.violation("I19", truth.id, evidence.now, "An accepted order has no row and no case.")
        return
    linked = truth.row.shopify_order_id
    shopify = evidence.shopify_orders.get(linked or "")
    if shopify is None or shopify.cancelled_at is not None:
        if waits_as_a_draft(truth):
            return
        if told_in_parcels(truth):
            return  # all of it was told of in the portal, and nothing is left for a Shopify order to do
        if truth.memory.incident(Reason.SHIPPED_WITHOUT_ORDER, "order") is not None:
            return  # somebody shipped it in the portal before, and a person who was told of it settled it
        if is_declined(truth.memory) or any(
            said.reason is Reason.CANCELLED_IN_SHOPIFY and said.option is Option.DISMISS
            for said in truth.memory.decisions
        ):
            return  # a person has said that the cancelled order needs nothing more
        what = "none" if shopify is None else f"{shopify.name}, which is cancelled"
        verdict.violation(
            "I19",
            truth.id,
            evidence.now,
            "An accepted order has no live Shopify order and no case says so.",
            f"linked: {what}",
        )
        return
    wrong = []
    if truth.memory.shopify_order_id != linked:
        wrong.append(f"memory names {truth.memory.shopify_order_id or 'no order'}, the row {linked}")
    if shopify.gid in evidence.deleted:
        if truth.last.live and truth.last.state in TO_SHIP:
            sentence = (
                "The Shopify order of a sale that waits for its parcel was deleted, and nobody is asked."
            )
            verdict.violation("I19", truth.id, evidence.now, sentence, shopify.name)
        return  # nothing can be written to it
    markers = [f.value for f in shopify.metafields.values() if f.type == "id"]
    if truth.marker not in markers:
        wrong.append(f"the Shopify order's marker is {', '.join(markers) or 'missing'}")
    if truth.order.reference_for_seller != shopify.name:
        wrong.append(
            f"the marketplace's reference is {truth.order.reference_for_seller or 'missing'}, not {shopify.name}"
        )
    if wrong:
        verdict.violation(
            "I19", truth.id, evidence.now, "The two orders do not name each other on both sides.", *wrong
        )
