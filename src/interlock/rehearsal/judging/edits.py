"""Edits: what Interlock sends for them, and what it never sends; and what its own edits leave in Shopify."""

from collections import Counter
from datetime import datetime, timedelta

from interlock.orders.actions import CancelQuantities, EditShopifyOrder
from interlock.orders.agreement import unlinked
from interlock.orders.codec import decode
from interlock.orders.reasons import Option
from interlock.orders.snapshots import GONE_OUT
from interlock.rehearsal.judging.evidence import Evidence, Reference
from interlock.rehearsal.judging.truth import SHOPIFY, Moment, Truth
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Effect

JUST_EDITED = timedelta(seconds=60)
SAME_INSTANT = timedelta(milliseconds=1)
"""What the service remembered and what the platform did in one instant bear times of two clocks, rounded differently."""
BY_A_PERSON = (
    Option.CANCEL_LINE.value,
    Option.CANCEL_AT_MARKETPLACE.value,
    Option.CANCEL_AND_MESSAGE.value,
)


def our_own_edits_keep_what_is_agreed(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """An edit of ours that mirrors the marketplace, or that undoes an edit, never leaves less of a line in Shopify than
    the marketplace agrees to. Edits people ask for at our desk may."""
    for effect in truth.effects(evidence):
        if effect.kind != "edited" or effect.actor != evidence.us:
            continue
        action = _edit_of(evidence, effect)
        if action is None or not _restores(truth, action):
            continue
        verdict.checked["own edit"] += 1
        moment = truth.at(effect.at + SAME_INSTANT)
        touched = {truth.line_of.get(line, "") for line, _ in action.quantities}
        touched |= {new.mirakl_line_id for new in action.added}
        made = _made_and_never_linked(effect, truth, action)
        shown = {line: moment.standing(line) + made[line] for line in moment.agreed}
        short = [
            f"{line}: Shopify {shown[line]}, agreed {agreed}"
            for line, agreed in moment.agreed.items()
            if line in touched and shown[line] < agreed
        ]
        if not short or moment.state in GONE_OUT:
            continue
        sentence = "Our own edit left less in Shopify than the marketplace agrees to."
        if _edited_by_others(evidence, truth, effect.at):
            verdict.bound("own edit", truth.id, effect.at, sentence, *short)
        else:
            verdict.violation("own edit", truth.id, effect.at, sentence, *short, f"call {effect.reference}")


def _made_and_never_linked(effect: Effect, truth: Truth, action: EditShopifyOrder) -> Counter[str]:
    """Units per marketplace line that the edit added, where the service never linked the Shopify line it made: somebody took it
    out again before the answer of the edit was known."""
    unlinked = any(
        line["quantity"] and not truth.line_of.get(line["line_id"]) for line in effect.detail["lines"]
    )
    made: Counter[str] = Counter()
    for new in action.added if unlinked else ():
        made[new.mirakl_line_id] += new.quantity
    return made


def _edit_of(evidence: Evidence, effect: Effect) -> EditShopifyOrder | None:
    reference = Reference.of(effect.reference)
    row = None if reference is None else evidence.operation_of.get(reference.operation)
    if row is None or row.kind != "EditShopifyOrder":
        return None
    action: EditShopifyOrder = decode(EditShopifyOrder, row.action)
    return action


def _restores(truth: Truth, action: EditShopifyOrder) -> bool:
    if action.subject.startswith(("mirror:", "undo:")):
        return True
    return any(edit.id == action.subject and edit.kind == "undo" for edit in truth.memory.desk_edits)


def _edited_by_others(evidence: Evidence, truth: Truth, at: datetime) -> bool:
    """Whether somebody else changed the order in Shopify in the minute before."""
    room = JUST_EDITED + evidence.unavailable(at - JUST_EDITED, at)
    return any(
        moment.side == SHOPIFY
        and moment.kind in ("edited", "refund_created")
        and moment.actor != evidence.us
        and at - room <= moment.at <= at
        for moment in truth.moments
    )


def a_swap_is_never_sent_by_halves(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """No units are cancelled at the marketplace while Shopify shows units that were never sold, unless a person decided
    to cancel: what was taken out may have been swapped for them."""
    if truth.row is None:
        return
    for plan in evidence.plans:
        if plan.order_id != truth.row.id:
            continue
        if not any(isinstance(action, CancelQuantities) for action in plan.plan.actions):
            continue
        shopify = plan.shopify
        if shopify is None:
            continue
        verdict.checked["swap"] += 1
        strangers = unlinked(shopify, plan.plan.memory)
        # What the plan remembers was said before it, whatever the clocks say.
        decided = any(said.option.value in BY_A_PERSON for said in plan.plan.memory.decisions)
        decided = decided or any(
            edit.decision is not None and edit.decision.value in BY_A_PERSON
            for edit in plan.plan.memory.desk_edits
        )
        if strangers and not decided:
            verdict.violation(
                "swap",
                truth.id,
                plan.at,
                "Units were to be cancelled while Shopify showed units that were never sold.",
                *(f"{line.current_quantity} of {line.sku}" for line in strangers),
            )


def _cut_unseen(evidence: Evidence, truth: Truth, line: str, ours: Effect) -> int:
    """How many units of the line others had cancelled at the marketplace just before our cancelation, so that no read of
    ours had shown it: in the last minute, unless nothing could be read for longer."""
    since = ours.at - JUST_EDITED - evidence.unavailable(ours.at - JUST_EDITED, ours.at)
    calls = truth.marketplace.record.calls
    sent = next((n for n, call in enumerate(calls) if call.reference == ours.reference), len(calls))
    # A read and our call may bear one time: the log tells which came first.
    before = {call.at for call in calls[:sent] if call.operation == "OR11"}
    reads = [at for at in evidence.mirakl_reads.get((truth.marketplace.name, truth.id), []) if at in before]
    return sum(
        effect.detail["quantity"]
        for effect in truth.marketplace.record.effects
        if effect.order_id == truth.id
        and effect.kind == "cancelation"
        and effect.detail["line"] == line
        and effect.actor != ours.actor
        and since <= effect.at <= ours.at
        and not any(effect.at <= read <= ours.at for read in reads)
    )


def what_was_undone_is_not_sent(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """No cancelation of ours leaves a line below what Shopify shows, when Shopify has shown it for a minute: an edit
    that was taken back sends nothing. Of a bundle Shopify shows as many as hold all articles that are there."""
    for effect in truth.marketplace.record.effects:
        if (
            effect.order_id != truth.id
            or effect.actor != truth.marketplace.us
            or effect.kind != "cancelation"
        ):
            continue
        reference = Reference.of(effect.reference)
        row = None if reference is None else evidence.operation_of.get(reference.operation)
        if row is None or row.kind != "CancelQuantities":
            continue
        verdict.checked["undone"] += 1
        line = effect.detail["line"]
        moment = truth.at(effect.at)
        left, shown = moment.agreed[line], _held_by(moment, line) if moment.live else 0
        if left >= shown:
            continue
        since = effect.at
        for earlier in reversed(truth.moments[: truth.moments.index(moment)]):
            if not earlier.live or _held_by(earlier, line) < shown:
                break
            since = earlier.at
        sentence = f"Units of line {line} were cancelled that Shopify shows again."
        room = JUST_EDITED + evidence.unavailable(since, effect.at)
        if effect.at - since <= room or left + _cut_unseen(evidence, truth, line, effect) >= shown:
            verdict.bound("undone", truth.id, effect.at, sentence)
        else:
            verdict.violation(
                "undone",
                truth.id,
                effect.at,
                sentence,
                f"{left} left, Shopify {shown} since {since:%H:%M:%S}",
                f"call {effect.reference}",
            )


def _held_by(moment: Moment, line: str) -> int:
    """How many units of the line hold all that Shopify shows of it, and what left of it."""
    return max(moment.standing(line), moment.broken.get(line, 0))
