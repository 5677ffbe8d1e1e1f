"""I8: the parcel waits while the two sides disagree, and whoever moves it all the same is answered at once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from interlock.orders.agreement import broken_bundles, standing_quantities, unlinked
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.rehearsal.judging.evidence import Evidence, PlanRow, Reference, first_after
from interlock.rehearsal.judging.truth import (
    MIRAKL,
    SHOPIFY,
    Moment,
    Parcel,
    Truth,
    not_moving_because,
)
from interlock.rehearsal.judging.verdict import Verdict
from interlock.simulator.record import Effect

HOLD_WITHIN = timedelta(seconds=30)
HOLD_POSSIBLE_FOR = timedelta(seconds=60)
JUST_EDITED = timedelta(seconds=60)
ANSWERED_WITHIN = timedelta(seconds=60)
SWEPT_WITHIN = timedelta(minutes=16)
"""Without a webhook an edit is found by the sweep of every five minutes, behind an index that may lag ten."""

INCIDENTS = (
    Reason.LABEL_BEFORE_AGREEMENT.value,
    Reason.SHIPPED_ON_DISAGREEMENT.value,
    Reason.ENDED_AFTER_PICKING.value,
    Reason.HOLD_RELEASED_BY_OTHERS.value,
    Reason.CANNOT_HOLD.value,
    Reason.SERVICE_DOES_NOT_STOP.value,
    Reason.LABEL_OVERRIDDEN.value,
)


def _mirakl_allowance(evidence: Evidence) -> timedelta:
    """How long a change at the marketplace may stay unseen: changes are walked every second tick."""
    return 2 * evidence.poll + timedelta(seconds=60)


def _known_at(evidence: Evidence, truth: Truth, since: datetime, side: str) -> datetime | None:
    """When the service first could know of something that is so since then: by a read of ours or a delivery.

    A change at the marketplace is known by OR11 only, and acted on when Shopify is read after it.
    """
    if side == MIRAKL:
        return first_after(evidence.mirakl_reads.get((truth.marketplace.name, truth.id), []), since)
    gid = truth.gid_at(since)
    times = [
        first_after(evidence.webhooks.get(gid, []), since),
        first_after(evidence.shopify_reads.get(gid, []), since),
    ]
    there = [moment for moment in times if moment is not None]
    return min(there) if there else None


# -- the hold comes on ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Closed:
    """A stretch of time in which nothing of the order may leave."""

    began: datetime
    ended: datetime | None
    cause_at: datetime
    side: str
    why: str


def _closed_stretches(truth: Truth) -> list[_Closed]:
    found: list[_Closed] = []
    open_one: tuple[datetime, datetime, str, str] | None = None
    for moment, after in truth.spans():
        closed = moment.live and moment.must_not_move and moment.unfulfilled > 0
        if closed and open_one is None:
            cause = truth.cause(moment)
            open_one = (moment.at, cause.at, cause.side, not_moving_because(moment))
        if open_one is not None and (not closed or after is None):
            began, cause_at, side, why = open_one
            found.append(_Closed(began, None if closed else moment.at, cause_at, side, why))
            open_one = None
    return found


def i8_held_in_time(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I8, first part: our hold is on within 30 s of the first read that shows that the sides disagree, or that the
    marketplace has not said SHIPPING, while units are unfulfilled.

    Injected faults and interruptions stretch the time: then it is bounded. A fulfillment order that cannot be held, or
    that somebody freed twice, has its case instead.
    """
    for stretch in _closed_stretches(truth):
        for parcel in truth.parcels.values():
            for stood_from, stood_until in truth.stood(parcel.order_gid):
                began = max(stretch.began, parcel.born, stood_from)
                ended = _earliest(stretch.ended, parcel.gone, stood_until)
                if ended is not None and ended <= began:
                    continue
                reads = evidence.shopify_reads.get(parcel.order_gid, [])
                if stretch.side == MIRAKL:
                    # Whenever the parcel appeared: what the marketplace changed is known from its first read after that.
                    known = _known_at(evidence, truth, stretch.cause_at, MIRAKL)
                    seen = None if known is None else first_after(reads, max(known, began))
                else:
                    seen = first_after(reads, began)
                if seen is None or (ended is not None and seen >= ended):
                    continue
                verdict.checked["I8"] += 1
                _judge_hold(evidence, truth, verdict, stretch, parcel, seen, ended)


def _judge_hold(
    evidence: Evidence,
    truth: Truth,
    verdict: Verdict,
    stretch: _Closed,
    parcel: Parcel,
    seen: datetime,
    ended: datetime | None,
) -> None:
    held = parcel.held_from(seen)
    if held is not None and held - seen <= HOLD_WITHIN:
        return
    until = _earliest(held, ended, evidence.now)
    assert until is not None
    if until - seen <= HOLD_WITHIN:
        return
    if _excused(evidence, truth, parcel):
        verdict.bound(
            "I8", truth.id, seen, "The fulfillment order could not be held; its case says so.", parcel.gid
        )
        return
    late = until - seen - evidence.unavailable(seen, until)
    how = "was never placed after" if held is None else f"came {(held - seen).total_seconds():.0f} s after"
    if late <= HOLD_WITHIN:
        verdict.bound(
            "I8", truth.id, seen, f"Our hold {how} the read that demanded it; faults explain it.", parcel.gid
        )
        return
    verdict.violation(
        "I8",
        truth.id,
        seen,
        f"Our hold {how} the read that demanded it.",
        stretch.why,
        parcel.gid,
    )


def _excused(evidence: Evidence, truth: Truth, parcel: Parcel) -> bool:
    """Whether what kept or took our hold off this parcel is on record: it cannot be held, people freed it twice, or a
    fulfilment service has it and was asked to stop."""
    cases = evidence.cases_of(
        truth.row,
        Reason.CANNOT_HOLD.value,
        Reason.HOLD_RELEASED_BY_OTHERS.value,
        Reason.SERVICE_DOES_NOT_STOP.value,
    )
    twice = any(
        r.fulfillment_order_id == parcel.gid and r.times + r.earlier >= 2 for r in truth.memory.reholds
    )
    asked = any(a.fulfillment_order_id == parcel.gid for a in truth.memory.services_asked)
    return twice or asked or any(case.subject.partition(" ")[0] == parcel.gid for case in cases)


def printed_anyway(evidence: Evidence, truth: Truth, parcel: str, at: datetime) -> bool:
    """Whether a person had overridden the label check of this fulfillment order by then."""
    return any(
        said.at <= at and said.subject.partition(" ")[0] == parcel
        for said in evidence.answers_of(truth.row, Option.PRINT_ANYWAY.value)
    )


def _earliest(*moments: datetime | None) -> datetime | None:
    there = [moment for moment in moments if moment is not None]
    return min(there) if there else None


# -- the hold comes off --------------------------------------------------------------------------------------


def i8_released_on_evidence(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I8, second part: every release of ours was planned on a view in which both sides agreed, the marketplace said
    SHIPPING and both addresses were complete; and it was so in truth, except for what changed in the last minute or
    what the marketplace had not yet shown."""
    for effect in truth.effects(evidence):
        if effect.kind != "hold_released" or effect.actor != evidence.us:
            continue
        if effect.detail["handle"] != f"interlock:{truth.marketplace.name}":
            continue  # the hold of another marketplace's order, for which this one was a candidate
        reference = Reference.of(effect.reference)
        operation = None if reference is None else evidence.operation_of.get(reference.operation)
        if operation is not None and operation.kind in ("CancelShopifyOrder", "EditShopifyOrder"):
            continue  # a parcel of which nothing is left takes its holds with it
        verdict.checked["I8"] += 1
        plan = None
        if operation is not None:
            plan = evidence.plans_at.get((operation.order_id, operation.planned_at))
        if plan is None:
            verdict.violation(
                "I8",
                truth.id,
                effect.at,
                "Our hold was released and no kept plan asked for it.",
                f"call {effect.reference}",
            )
            continue
        lacking = _lacking(plan, truth.at(effect.at).as_decided)
        if lacking:
            verdict.violation(
                "I8", truth.id, effect.at, "Our hold was released on a view that did not allow it.", *lacking
            )
        _judge_release(evidence, truth, verdict, effect, plan, allowed=not lacking)


def _lacking(plan: PlanRow, as_decided: bool) -> list[str]:
    view, memory = plan.view, plan.plan.memory
    mirakl, shopify = view.mirakl, plan.shopify
    if mirakl is None or shopify is None:
        return ["one side had not been read"]
    lacking = []
    if mirakl.state != "SHIPPING" or not mirakl.can_ship:
        lacking.append(f"the marketplace said {mirakl.state}")
    if not mirakl.address.complete or not shopify.address.complete:
        lacking.append("an address was missing")
    elif mirakl.address.digest != shopify.address.digest and not any(
        said.option is Option.KEEP_ADDRESS for said in memory.decisions
    ):
        lacking.append("the two sides named different addresses")
    if as_decided:
        return lacking  # a person decided to ship exactly what Shopify shows
    shown = dict(standing_quantities(shopify, memory))
    for line, agreed in plan.plan.agreed:
        if shown.get(line, 0) != agreed:
            lacking.append(f"{line}: Shopify {shown.get(line, 0)}, agreed {agreed}")
    if unlinked(shopify, memory):
        lacking.append("units that were never sold")
    lacking += [
        f"{bundle.line_id}: articles that make no whole bundle" for bundle in broken_bundles(shopify, memory)
    ]
    return lacking


def _judge_release(
    evidence: Evidence, truth: Truth, verdict: Verdict, effect: Effect, plan: PlanRow, *, allowed: bool
) -> None:
    moment = truth.at(effect.at)
    if not moment.live or moment.state in GONE_OUT or not moment.must_not_move:
        return
    since = _since(truth, moment)
    if allowed and plan.marketplace_seen_at is not None:
        since = _cut_unseen(truth, moment, plan.marketplace_seen_at) or since
    if _came_before(evidence, effect, since):
        return
    why = not_moving_because(moment)
    seen = plan.marketplace_seen_at
    if since.side == MIRAKL and seen is not None:
        unseen = since.at >= seen
        room = _mirakl_allowance(evidence) + evidence.unavailable(since.at, effect.at)
        if unseen and (_silent(truth) or effect.at - since.at <= room):
            verdict.bound(
                "I8", truth.id, effect.at, "Released before the marketplace had shown its change.", why
            )
            return
    room = JUST_EDITED + evidence.unavailable(since.at, effect.at)
    edited = since.kind in ("edited", "refund_created") and since.actor != evidence.us
    if edited and effect.at - since.at <= room and since.at >= plan.decided_at - JUST_EDITED:
        verdict.bound(
            "I8", truth.id, effect.at, "Released in the minute in which somebody changed the order.", why
        )
        return
    verdict.violation(
        "I8",
        truth.id,
        effect.at,
        "Our hold was released while the sides disagreed.",
        why,
        f"since {since.at:%H:%M:%S}",
        f"call {effect.reference}",
    )


def _came_before(evidence: Evidence, effect: Effect, since: Moment) -> bool:
    """Whether the shop's own log has `effect` before what set the sides apart, when both happened in one instant."""
    if since.side != SHOPIFY or since.at != effect.at:
        return False
    log = evidence.shopify_effects_of.get(effect.order_id, [])
    causes = [
        place
        for place, other in enumerate(log)
        if (other.at, other.kind, other.actor) == (since.at, since.kind, since.actor)
    ]
    return bool(causes) and log.index(effect) < causes[0]


def _cut_unseen(truth: Truth, moment: Moment, seen: datetime) -> Moment | None:
    """The marketplace's first change of what is agreed after it was seen: where both sides agreed on the view, that is what
    set them apart, however long they had differed before."""
    before = truth.before(seen).agreed
    for later in truth.moments:
        if seen <= later.at <= moment.at and later.side == MIRAKL and later.agreed != before:
            return later
    return None


def _silent(truth: Truth) -> bool:
    """Whether this marketplace changes orders without moving their update date, so that no walk shows it."""
    return truth.marketplace.world.switches["cancelation_bumps_update_date"] == "no"


def _since(truth: Truth, moment: Moment) -> Moment:
    """The first moment of the unbroken stretch in which nothing might leave."""
    first = moment
    for earlier in reversed(truth.moments[: truth.moments.index(moment)]):
        if not (earlier.live and earlier.must_not_move):
            break
        first = earlier
    return truth.cause(first)


# -- labels --------------------------------------------------------------------------------------------------


def i8_labels_only_on_agreement(evidence: Evidence, truth: Truth, verdict: Verdict) -> None:
    """I8, third part, and the first promise: no label is made for lines on which the sides disagree, or while the
    marketplace has not said SHIPPING.

    Broken when our hold had been possible for more than a minute; otherwise bounded, and then an urgent incident has
    to be open within a minute of the next read that shows it.
    """
    for effect in truth.effects(evidence):
        if effect.kind != "fulfillment_created":
            continue
        verdict.checked["label"] += 1
        lines = [line["line_id"] for line in effect.detail["lines"]]
        moment = truth.at(effect.at)
        if not _label_is_wrong(truth, moment, lines):
            continue
        since = moment
        for earlier in reversed(truth.moments[: truth.moments.index(moment)]):
            # A line that stands for nothing sold was no difference before it was added.
            there = [line for line in lines if truth.line_of.get(line) or earlier.own.get(line)]
            if not (earlier.live and _label_is_wrong(truth, earlier, there)):
                break
            since = earlier
        since = truth.cause(since)
        judge_label(evidence, truth, verdict, effect, since, not_moving_because(moment))
        _judge_answer(evidence, truth, verdict, effect, lines, since)


def _label_is_wrong(truth: Truth, moment: Moment, lines: list[str]) -> bool:
    if moment.state in GONE_OUT:
        return False
    if moment.state != "SHIPPING":
        return True
    if moment.as_decided:
        return False
    named = [truth.line_of.get(line, "") for line in lines]
    return any(
        not line or moment.wanted(line) != moment.agreed.get(line, 0) or line in moment.broken
        for line in named
    )


def judge_label(
    evidence: Evidence, truth: Truth, verdict: Verdict, effect: Effect, since: Moment, why: str
) -> None:
    """A label that should not be there, since a moment: broken when our hold had been possible for long enough."""
    parcel = truth.parcels.get(effect.detail.get("fulfillment_order", ""))
    bought = _bought_before(evidence, effect)
    if bought is not None and parcel is not None and not parcel.is_held(bought):
        verdict.bound(
            "label",
            truth.id,
            effect.at,
            "A label that was bought before our hold appeared under it.",
            why,
            f"bought {bought:%H:%M:%S}",
        )
        return
    if effect.actor == "service" and parcel is not None and _was_asked_to_stop(evidence, effect):
        verdict.bound(
            "label", truth.id, effect.at, "A fulfilment service shipped what it was asked to stop.", why
        )
        return
    if parcel is None or parcel.is_held(effect.at):
        verdict.violation(
            "I8", truth.id, effect.at, "A label exists for a fulfillment order that was held.", why
        )
        return
    began, side = since.at, since.side
    if parcel.born > began:
        began, side = parcel.born, "shopify"
    freed = [at for at in parcel.releases(evidence.us) if at <= effect.at]
    if freed and freed[-1] > began:
        began, side = freed[-1], "shopify"
    sentence = "A label was made for lines that were not agreed."
    if printed_anyway(evidence, truth, parcel.gid, effect.at):
        verdict.bound(
            "label", truth.id, effect.at, sentence, why, "a person had it printed although the check said no"
        )
        return
    if len(freed) >= 2 or _excused(evidence, truth, parcel):
        verdict.bound(
            "label", truth.id, effect.at, sentence, why, "our hold was taken off by others, or impossible"
        )
        return
    unseen = _mirakl_allowance(evidence) if side == MIRAKL else SWEPT_WITHIN
    latest = evidence.due_after(began, unseen)
    known = _known_at(evidence, truth, began, side)
    if known is None or known > latest:
        known = effect.at if side == MIRAKL and _silent(truth) else latest
    possible = effect.at - known - evidence.unavailable(known, effect.at)
    facts = (why, f"so since {since.at:%H:%M:%S}", f"fulfillment order there since {parcel.born:%H:%M:%S}")
    if possible > HOLD_POSSIBLE_FOR:
        verdict.violation(
            "I8",
            truth.id,
            effect.at,
            f"{sentence} Our hold had been possible for {possible.total_seconds():.0f} s.",
            *facts,
        )
    else:
        verdict.bound("label", truth.id, effect.at, sentence, *facts)


def _bought_before(evidence: Evidence, effect: Effect) -> datetime | None:
    """When the purchase of the label began that this fulfilment shows: Shopify tells nobody until then."""
    started = [
        other.at
        for other in evidence.shopify_effects_of.get(effect.order_id, [])
        if other.kind == "label_purchase_started"
        and other.detail.get("fulfillment_order") == effect.detail.get("fulfillment_order")
        and other.at <= effect.at
    ]
    return started[-1] if started and effect.detail.get("display_status") == "LABEL_PURCHASED" else None


def _was_asked_to_stop(evidence: Evidence, effect: Effect) -> bool:
    return any(
        other.kind == "service_asked"
        and other.actor == evidence.us
        and other.detail.get("request") == "CANCELLATION_REQUEST"
        and other.detail.get("fulfillment_order") == effect.detail.get("fulfillment_order")
        and other.at <= effect.at
        for other in evidence.shopify_effects_of.get(effect.order_id, [])
    )


def _judge_answer(
    evidence: Evidence, truth: Truth, verdict: Verdict, effect: Effect, lines: list[str], since: Moment
) -> None:
    reads = evidence.shopify_reads.get(effect.order_id, [])
    read = first_after(reads, effect.at)
    shown = first_after(evidence.mirakl_reads.get((truth.marketplace.name, truth.id), []), since.at)
    if read is None or (since.side == MIRAKL and shown is None):
        return
    known = read
    if since.side == MIRAKL and shown is not None and shown > read:
        later = first_after(reads, shown)
        if later is None:
            return
        known = later
    seen = seen_to_be_wrong(evidence, truth, lines, known)
    later = None if seen is None else first_after(reads, seen)
    if later is None:
        return
    known = later
    after = truth.at(known)
    gone = _fulfillment_gone(evidence, truth, effect, known)
    if gone or not after.live or not _label_is_wrong(truth, after, lines):
        return  # settled before anybody could see it
    verdict.checked["label answered"] += 1
    due = evidence.due_after(known, ANSWERED_WITHIN)
    if due > evidence.now or not _stays_wrong(truth, lines, known, due):
        return
    if _fulfillment_gone(evidence, truth, effect, due):
        return  # and settled before it had to be said
    opened = [
        case.opened_at
        for case in evidence.cases_of(truth.row, *INCIDENTS)
        if case.closed_at is None or case.closed_at >= effect.at
    ]
    if not any(at <= due for at in opened):
        verdict.violation(
            "I8",
            truth.id,
            effect.at,
            "A label was made for lines that were not agreed, and no urgent case was open a minute after we could see "
            "it.",
            f"seen {known:%H:%M:%S}",
            f"opened {opened[0]:%H:%M:%S}" if opened else "never opened",
        )


def seen_to_be_wrong(evidence: Evidence, truth: Truth, lines: list[str], known: datetime) -> datetime | None:
    """When what we had read of the marketplace made the label wrong: at `known`, or later where without the changes nobody had
    read by then the sides agreed. None where those were never read."""
    shown = evidence.mirakl_reads.get((truth.marketplace.name, truth.id), [])
    unread = [
        moment
        for moment in truth.moments
        if moment.side == MIRAKL
        and moment.at <= known
        and ((read := first_after(shown, moment.at)) is None or read > known)
    ]
    if not unread:
        return known
    as_read = replace(truth.at(known), agreed=truth.before(unread[0].at).agreed)
    if _label_is_wrong(truth, as_read, lines):
        return known
    return first_after(shown, unread[-1].at)


def _stays_wrong(truth: Truth, lines: list[str], began: datetime, ended: datetime) -> bool:
    return all(
        _label_is_wrong(truth, moment, lines) and moment.live
        for moment in truth.since(began)
        if moment.at <= ended and moment.state not in DEAD
    )


def _fulfillment_gone(evidence: Evidence, truth: Truth, effect: Effect, by: datetime) -> bool:
    """Whether a fulfillment was cancelled or its label given back by then: nothing leaves under it any more."""
    return any(
        _gives_it_back(other)
        and other.detail.get("fulfillment") == effect.detail.get("fulfillment")
        and other.at <= by
        for other in evidence.shopify_effects_of.get(effect.order_id, [])
    )


def _gives_it_back(effect: Effect) -> bool:
    return effect.kind == "fulfillment_cancelled" or (
        effect.kind == "display_status_changed" and effect.detail.get("display_status") == "LABEL_VOIDED"
    )
