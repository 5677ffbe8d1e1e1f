"""Which Shopify order stands for a marketplace order: a new one takes over, a person is asked, or nothing happens."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from interlock.orders.actions import Action, CancelShopifyOrder, ClearMarker
from interlock.orders.hold_words import HoldWords
from interlock.orders.holding import let_go_of, our_holds
from interlock.orders.memory import Decision, Kin, Memory
from interlock.orders.plan import Case, Part, earliest
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT, FulfillmentOrder, MiraklOrder, ShopifyOrder
from interlock.orders.timeline import counted
from interlock.orders.view import Claim, View
from interlock.replacements.evidence import Band, Evidence, Original, has_more, units_of, weigh
from interlock.replacements.holding import holds, look_for_parcels_at, releases
from interlock.replacements.links import links_of_replacement
from interlock.replacements.twins import is_twin

NOTES = (
    "Interlock: this order may replace another one that stands for a marketplace order. Ship neither before that is "
    "settled; what is missing is on the marketplace order's page in Interlock."
)
"""Shown to staff on the new order's hold. Always the same words, so that the hold is recognised."""

COPY_FIRST_SETTLES = timedelta(minutes=2)
"""Apps that copy first cancel the original within seconds. Both are held meanwhile; a person is asked only after this."""

CLAIMS_SETTLE = timedelta(minutes=3)
"""How long it may take until every marketplace order has heard of a new Shopify order that may stand for it."""

ASKED_WITH = (
    Reason.POSSIBLE_SUCCESSOR,
    Reason.ORIGINAL_NOT_CANCELLED,
    Reason.REPLACEMENT_SPLIT,
    Reason.REPLACEMENT_MERGED,
)
"""The reasons under which a person says what an order is to another; the subject is always its Shopify id."""

RULED_OUT = (Option.NO_SUCCESSOR, Option.SECOND_DELIVERY)
"""Answers that say that an order does not take over."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An order that may take over. `who` and `why` are Interlock and the evidence, or a person and a reason."""

    order: ShopifyOrder
    evidence: Evidence
    band: Band
    who: str
    why: str
    claims: tuple[Claim, ...]


def decide(view: View, memory: Memory) -> Part:
    """The lineage's part: people's words first, then every other order is weighed, then one may take over.

    Nothing is concluded about an order that cannot be seen. A plan never links an order that stands or stood for
    another marketplace order, one in another currency, or one that this order's lineage has left behind.
    """
    mirakl, linked = view.mirakl, view.shopify
    if linked is None:
        part = _beside_the_unseen(view, memory)
        return replace(part, because=(*part.because, *_nothing_to_compare(view, memory)))
    if mirakl is None or linked.id != memory.shopify_order_id:
        return Part(memory)
    refused = _not_taken_back(view, memory)
    taken_back = None if refused is not None else _taken_back(view, memory)
    if taken_back is not None:
        return taken_back
    # What was refused changes nothing about the other orders: they are weighed as before.
    part = _with(refused or Part(memory), _tidied(view, memory if refused is None else refused.memory))
    memory, found, refusals = _weighed(view, part.memory, mirakl, linked)
    part = replace(part, memory=memory, because=(*part.because, *refusals))
    waiting = [candidate for candidate in found if candidate.band != "weak"]
    part = _with(part, _let_go(view, part.memory, waiting))
    part = _with(part, _out_of_sight(view, part.memory, mirakl, linked))
    if not waiting:
        return part
    successor = _successor(mirakl, linked, waiting, view.now)
    if successor is not None:
        return _with(part, _takes_over(view, part.memory, linked, successor))
    return _with(part, _wait(view, part.memory, mirakl, linked, waiting))


def as_linked(view: View, memory: Memory) -> View:
    """The view with the order that is linked now in its place, and the one it replaced among its kin."""
    shopify = view.shopify
    if shopify is None or shopify.id == memory.shopify_order_id:
        return view
    linked = next((order for order in view.kin if order.id == memory.shopify_order_id), None)
    if linked is None:
        return view
    kin = (*(order for order in view.kin if order.id != linked.id), shopify)
    return replace(view, shopify=linked, kin=kin)


def _with(part: Part, more: Part) -> Part:
    return Part(
        more.memory,
        (*part.actions, *more.actions),
        (*part.cases, *more.cases),
        (*part.keep_held, *more.keep_held),
        (*part.because, *more.because),
        earliest(part.look_at, more.look_at),
    )


# -- what people said --------------------------------------------------------------------------------------


def _said(memory: Memory, shopify_order_id: str) -> Decision | None:
    """The latest word about this order, if it is younger than its place in the lineage."""
    kin = memory.kin(shopify_order_id)
    for decision in reversed(memory.decisions):
        if decision.subject != shopify_order_id:
            continue
        if decision.reason is Reason.TWO_LIVE_ORDERS and decision.option is Option.DISMISS:
            return replace(decision, option=Option.NO_SUCCESSOR)
        if decision.reason in ASKED_WITH:
            settled = kin is not None and kin.role != "candidate" and decision.at <= kin.since
            return None if settled else decision
    return None


def _nothing_to_compare(view: View, memory: Memory) -> tuple[str, ...]:
    """What becomes of a person's word that an order takes over while the one it would take over from cannot be seen."""
    stands = (
        f"Shopify does not show {memory.shopify_order_name or 'the order'} that stands for this sale"
        if memory.shopify_order_id
        else "no Shopify order stands for this sale that it could take over from"
    )
    return tuple(
        f"{answer.who} asked to link {answer.subject}, but {stands}, so the two could not be compared and nothing was changed. "
        "Ask again once it is there; if it does not come, settle the sale in the marketplace portal."
        for answer in view.answers
        if answer.reason in ASKED_WITH and answer.option in (Option.TAKE_OVER, Option.CANCEL_ORIGINAL)
    )


def _beside_the_unseen(view: View, memory: Memory) -> Part:
    """What was a candidate when the linked order was seen last goes on waiting, and a person is asked: nobody can compare the
    two now. A person may rule it out; what takes over is known only once somebody said what became of the linked one."""
    part = Part(memory)
    if view.mirakl is None or view.mirakl.state in DEAD:
        return part
    for order in view.kin:
        kin = memory.kin(order.id)
        claimed = any(claim.shopify_order_id == order.id and claim.role == "live" for claim in view.claims)
        if kin is None or kin.role != "candidate" or not order.live or claimed:
            continue
        said = _said(part.memory, order.id)
        if said is not None and said.option in RULED_OUT:
            ruled_out, sentence = _ruled_out(part.memory, order.id, order.name, said, view.now)
            part = _with(part, Part(ruled_out, _freed(view, order), because=(sentence,), look_at=view.now))
            continue
        seen, placed, impossible = holds(view, part.memory, order, NOTES)
        cases = impossible if view.shopify_unreadable else (*impossible, _beside_unseen_case(kin, memory))
        part = _with(part, Part(seen, placed, cases, look_at=look_for_parcels_at(view, order)))
    return part


def _beside_unseen_case(kin: Kin, memory: Memory) -> Case:
    name = memory.shopify_order_name or "the order that stands for it"
    return Case(
        Reason.POSSIBLE_SUCCESSOR,
        kin.shopify_order_id,
        f"Order {kin.name} may stand for this sale too ({kin.why}), and Shopify does not show {name} any more, so the two cannot "
        f"be compared. {kin.name} waits. Find out what became of {name}: once its own case is answered, {kin.name} can take its "
        "place. If it has nothing to do with this sale, say so.",
        (Option.NO_SUCCESSOR,),
    )


def _asked_back(memory: Memory) -> tuple[Kin, Decision] | None:
    """The order that stands by a take-over, and the word of a person who takes that back."""
    live = memory.kin(memory.shopify_order_id)
    said = None if live is None or live.role != "live" else _said(memory, live.shopify_order_id)
    if live is None or said is None or said.option not in (Option.NO_SUCCESSOR, Option.UNDO_TAKE_OVER):
        return None
    return live, said


def _before(memory: Memory) -> Kin | None:
    return next((kin for kin in reversed(memory.lineage) if kin.role == "superseded"), None)


def _not_taken_back(view: View, memory: Memory) -> Part | None:
    """A take-over that a person takes back, and that has to stay; the answer is heard and used up."""
    asked = _asked_back(memory)
    if asked is None:
        return None
    live, said = asked
    if _before(memory) is None:
        because = f"{said.who} asked to unlink {live.name}, but no other order stood for this sale before it."
        return Part(memory.with_kin(replace(live, since=view.now)), because=(because,))
    moved = 0 if view.shopify is None else moved_units(view.shopify)
    if said.option is Option.NO_SUCCESSOR and moved:
        because = (
            f"{said.who} asked to unlink {live.name}, but {_counted_as_moved(moved)}: the sale would be cancelled at the "
            "marketplace although its parcel may be on its way. Nothing was changed. If the parcel is still here, cancel its "
            "label in Shopify and ask again; if the order was linked by mistake, take the take-over back, and decide on "
            "the case that opens."
        )
        return Part(memory.with_kin(replace(live, since=view.now)), because=(because,))
    return None


def _taken_back(view: View, memory: Memory) -> Part | None:
    """A person takes the last take-over back: the order before it stands for the marketplace order again."""
    asked, before = _asked_back(memory), _before(memory)
    if asked is None or before is None:
        return None
    live, said = asked
    unlinked = said.option is Option.NO_SUCCESSOR
    after = replace(live, role="unlinked" if unlinked else "candidate", since=view.now)
    memory = memory.with_kin(replace(after, who=said.who, why=said.why))
    memory = memory.with_kin(replace(before, role="live", since=view.now, who=said.who, why=said.why))
    memory = _linked(memory, before.shopify_order_id, before.name, view.now)
    what = "has nothing to do with this sale" if unlinked else "is asked about again"
    because = (
        f"{said.who} took the take-over back ({said.why}): {before.name} stands for the marketplace order again, and "
        f"{live.name} {what}."
    )
    return Part(memory, because=(because,), look_at=view.now)


def _linked(memory: Memory, shopify_order_id: str, name: str, now: datetime) -> Memory:
    """The memory with another Shopify order linked: what was agreed stays, what was seen of the other one goes."""
    return replace(
        memory,
        shopify_order_id=shopify_order_id,
        shopify_order_name=name,
        linked_at=now,
        totals_apart=False,
        marked=False,
        referenced="",
        content="",
        content_since=None,
        disagreeing_since=None,
        held=(),
        released_at=None,
        shopify_cancelled_seen_at=None,
    )


# -- orders that are no candidates (any more) --------------------------------------------------------------


def _tidied(view: View, memory: Memory) -> Part:
    """The unique marker leaves every order but the linked one, and so do our holds an order that was ruled out."""
    marker = f"{view.rules.name}:{view.order_id}"
    actions: list[Action] = []
    for order in view.kin:
        kin = memory.kin(order.id)
        if kin is None or kin.role == "live":
            continue
        if order.marker == marker:
            actions.append(ClearMarker(order.id))
        if kin.role == "unlinked":
            actions.extend(_freed(view, order))
    return Part(memory, tuple(actions))


def _let_go(view: View, memory: Memory, waiting: list[_Candidate]) -> Part:
    """What was a candidate and is none now: forgotten, and our holds come off it."""
    still = {candidate.order.id for candidate in waiting}
    actions: list[Action] = []
    because: list[str] = []
    for order in view.kin:
        kin = memory.kin(order.id)
        if order.id in still or (kin is not None and kin.role != "candidate"):
            continue
        if kin is not None:
            memory = memory.without_kin(order.id)
            because.append(f"{order.name} does not take over: {_why_not(view, order)}")
        if view.shopify is not None and not (view.shopify.live and is_twin(view, memory, order)):
            actions.extend(_freed(view, order))
    return Part(memory, tuple(actions), because=tuple(because))


def _freed(view: View, order: ShopifyOrder) -> tuple[Action, ...]:
    """Our holds come off, unless another marketplace order of the connection knows the order: then they may be there for that
    one."""
    claimed = any(claim.shopify_order_id == order.id and claim.same_connection for claim in view.claims)
    return releases(view, order) if order.live and not claimed else ()


def _why_not(view: View, order: ShopifyOrder) -> str:
    if not order.live:
        return "it is cancelled."
    if view.mirakl is not None and view.mirakl.state in GONE_OUT:
        return "the marketplace order has shipped."
    return "not enough points to it any more."


# -- weighing ----------------------------------------------------------------------------------------------


def _weighed(
    view: View, memory: Memory, mirakl: MiraklOrder, linked: ShopifyOrder
) -> tuple[Memory, tuple[_Candidate, ...], tuple[str, ...]]:
    """Every live order beside the linked one with what speaks for it, a person's word before any evidence."""
    names = tuple(dict.fromkeys((linked.name, *(kin.name for kin in _of_the_line(memory)))))
    line_ids = tuple(line.id for line in mirakl.lines)
    original = Original(linked, names, f"{view.rules.name}:{view.order_id}", line_ids)
    found: list[_Candidate] = []
    refusals = [
        f"{answer.who} asked to link {answer.subject}, but the shop shows no such order. Nothing was changed."
        for answer in view.answers
        if answer.option is Option.TAKE_OVER
        and answer.reason in ASKED_WITH
        and answer.subject not in {linked.id, *(order.id for order in view.kin)}
    ]
    for order in view.kin:
        kin = memory.kin(order.id)
        claims = tuple(claim for claim in view.claims if claim.shopify_order_id == order.id)
        said = _said(memory, order.id)
        left = mirakl.state in GONE_OUT
        if said is not None and said.option in (Option.TAKE_OVER, Option.CANCEL_ORIGINAL) and not left:
            refused = _refused(order, linked, kin, claims)
            if refused:
                refusals.append(f"{said.who} asked to link {order.name}: {refused} Nothing was changed.")
                continue
            found.append(_Candidate(order, weigh(original, order), "certain", said.who, said.why, claims))
            memory = memory.with_kin(_candidate_kin(found[-1], kin, view.now))
            continue
        if not order.live or (kin is not None and kin.role in ("superseded", "unlinked", "live")):
            continue
        if said is not None and said.option in RULED_OUT:
            memory, sentence = _ruled_out(memory, order.id, order.name, said, view.now)
            refusals.append(sentence)
            continue
        if linked.live and is_twin(view, memory, order):
            continue
        evidence = weigh(original, order)
        # After a take-over that a person took back, only a person decides.
        band: Band = evidence.band if said is None else "likely"
        if band == "likely" and said is None and memory.cancelled_at_our_desk:
            band = "weak"  # whoever cancels here means an end, not the first half of a replacement
        if left and not _may_ship_again(kin, band, claims, said):
            band = "weak"
        found.append(_Candidate(order, evidence, band, "Interlock", evidence.sentence, claims))
        if band != "weak":
            memory = memory.with_kin(_candidate_kin(found[-1], kin, view.now))
    return memory, tuple(found), tuple(refusals)


def _ruled_out(
    memory: Memory, shopify_order_id: str, name: str, said: Decision, now: datetime
) -> tuple[Memory, str]:
    """A person says that the order does not take over, and what it is instead."""
    memory = memory.with_kin(Kin(shopify_order_id, name, "unlinked", now, said.who, said.why))
    again = said.option is Option.SECOND_DELIVERY
    is_what = "is a second delivery of this sale" if again else "has nothing to do with this sale"
    return memory, f"{said.who} said that {name} {is_what}: {said.why}"


def _out_of_sight(view: View, memory: Memory, mirakl: MiraklOrder, linked: ShopifyOrder) -> Part:
    """Candidates that the shop does not show any more. What is missing proves nothing, so each stays one, and a person is
    asked, until a person rules it out or it shows again."""
    part = Part(memory)
    for kin in memory.candidates:
        if kin.shopify_order_id in {linked.id, *(order.id for order in view.kin)}:
            continue
        said = _said(part.memory, kin.shopify_order_id)
        if said is not None and said.option in RULED_OUT:
            memory, sentence = _ruled_out(part.memory, kin.shopify_order_id, kin.name, said, view.now)
            part = _with(part, Part(memory, because=(sentence,), look_at=view.now))
            continue
        waits = linked.live and mirakl.state not in GONE_OUT
        held = (
            (f"Order {kin.name} may replace this one and cannot be seen; this one waits.",) if waits else ()
        )
        part = _with(part, Part(part.memory, cases=(_unseen_case(kin, linked),), keep_held=held))
    return part


def _unseen_case(kin: Kin, linked: ShopifyOrder) -> Case:
    return Case(
        Reason.POSSIBLE_SUCCESSOR,
        kin.shopify_order_id,
        f"Order {kin.name} may replace {linked.name} ({kin.why}), but Shopify does not show it any more: it was deleted, or "
        "Interlock may not read it. Until somebody decides, nothing is carried to the marketplace. Look in Shopify: if it is "
        "gone, say that it has nothing to do with this sale. If it is there and takes over, see to it that the app may read "
        "it.",
        (Option.NO_SUCCESSOR,),
    )


def _may_ship_again(kin: Kin | None, band: Band, claims: tuple[Claim, ...], said: Decision | None) -> bool:
    """Whether the order may send the goods of a sale that has been delivered already: it carries what only a copy of
    the linked order carries, it was asked about before the parcel left, or a person pointed at it. An order that is merely alike is a customer
    who buys again."""
    if any(claim.role in ("live", "superseded") for claim in claims):
        return False  # it stands for another sale
    asked_before = said is not None or (kin is not None and kin.role == "candidate")
    return band == "certain" or (band == "likely" and asked_before)


def _of_the_line(memory: Memory) -> tuple[Kin, ...]:
    return tuple(kin for kin in memory.lineage if kin.role in ("live", "superseded"))


def _candidate_kin(candidate: _Candidate, before: Kin | None, now: datetime) -> Kin:
    same = before is not None and before.role == "candidate"
    since = before.since if same and before is not None else now
    return Kin(candidate.order.id, candidate.order.name, "candidate", since, candidate.who, candidate.why)


def _refused(order: ShopifyOrder, linked: ShopifyOrder, kin: Kin | None, claims: tuple[Claim, ...]) -> str:
    """Why a person's link cannot be made; empty when it can."""
    if kin is not None and kin.role == "superseded":
        return "it was replaced in this very lineage, and a lineage never goes in a circle."
    if not order.live:
        return "it is cancelled."
    if order.currency != linked.currency:
        return f"it is in {order.currency}, the marketplace order in {linked.currency}."
    for claim in claims:
        if claim.role in ("live", "superseded"):
            return f"it stands or stood for marketplace order {claim.mirakl_order_id}."
    return ""


# -- taking over -------------------------------------------------------------------------------------------


def _successor(
    mirakl: MiraklOrder, linked: ShopifyOrder, waiting: list[_Candidate], now: datetime
) -> _Candidate | None:
    """The one order that takes over by itself, or by a person's word; None while something has to be asked or waited
    for."""
    told = [candidate for candidate in waiting if candidate.who != "Interlock"]
    sure = told or [candidate for candidate in waiting if candidate.band == "certain"]
    if linked.live or len(sure) != 1:
        return None
    [candidate] = sure
    if candidate.who != "Interlock":
        return candidate
    if (
        mirakl.state in (*DEAD, *GONE_OUT)
        or moved_units(linked)
        or _is_split(linked, waiting)
        or _merged_with(linked, candidate)
        or _is_settling(linked, candidate, now)
    ):
        return None
    return candidate


def _is_settling(linked: ShopifyOrder, candidate: _Candidate, now: datetime) -> bool:
    """Whether other marketplace orders may yet claim this candidate: it has more than ours, and they hear of it later."""
    young = now < candidate.order.created_at + CLAIMS_SETTLE
    unclaimed = candidate.who == "Interlock" and not candidate.claims
    return young and unclaimed and has_more(linked, candidate.order)


def _takes_over(view: View, memory: Memory, linked: ShopifyOrder, candidate: _Candidate) -> Part:
    new = candidate.order
    links = links_of_replacement(new, linked, memory)
    memory = memory.with_kin(
        Kin(linked.id, linked.name, "superseded", view.now, candidate.who, candidate.why)
    )
    memory = memory.with_kin(Kin(new.id, new.name, "live", view.now, candidate.who, candidate.why))
    memory = replace(_linked(memory, new.id, new.name, view.now), links=(*memory.links, *links))
    by = "" if candidate.who == "Interlock" else f" {candidate.who} said so."
    marker = f"{view.rules.name}:{view.order_id}"
    actions = (ClearMarker(linked.id),) if linked.marker == marker else ()
    parcels = [fo.id for fo in new.fulfillment_orders]
    memory = replace(
        memory,
        held=tuple(fo.id for fo in new.fulfillment_orders if fo.is_open and our_holds(fo, view.rules)),
        kin_held=tuple(held for held in memory.kin_held if held not in parcels),
    )
    because = (
        f"Order {new.name} takes over from {linked.name}.{by} Evidence: {candidate.why}. What was agreed stays agreed; "
        "from now on the new order's lines are compared with it."
    )
    return Part(memory, actions, because=(because,), look_at=view.now)


def moved_units(order: ShopifyOrder) -> int:
    """Units of the order that have a label or are on their way."""
    return sum(n for fulfillment in order.fulfillments if fulfillment.live for _, n in fulfillment.lines)


def _is_split(linked: ShopifyOrder, waiting: list[_Candidate]) -> bool:
    """Whether the original's lines are spread over several orders: over new ones that have them together and none of
    which has all, or over a new one and the original itself, from which its units were taken."""
    whole, parts = _whole(linked), [units_of(candidate.order) for candidate in waiting]
    together: Counter[str] = sum(parts, Counter())
    if linked.live:
        taken_off = whole - units_of(linked)
        return bool(taken_off) and bool(units_of(linked)) and not together - taken_off
    if len(parts) < 2 or any(not whole - part for part in parts):
        return False
    return not whole - together


def _whole(linked: ShopifyOrder) -> Counter[str]:
    """Units per SKU before anything was removed."""
    whole: Counter[str] = Counter()
    for line in linked.lines:
        whole[line.sku or line.title] += line.quantity
    return +whole


def _merged_with(linked: ShopifyOrder, candidate: _Candidate) -> str:
    """The other marketplace order whose lines the candidate has besides ours; empty when there is none."""
    for claim in candidate.claims:
        if claim.role in ("live", "superseded"):
            return claim.mirakl_order_id
    if candidate.claims and has_more(linked, candidate.order):
        return candidate.claims[0].mirakl_order_id
    tied = any(t.tie and t.name != "copy tag" for t in candidate.evidence.traces)
    return "" if tied or not candidate.claims else candidate.claims[0].mirakl_order_id


# -- waiting and asking ------------------------------------------------------------------------------------


def unsettled(view: View, memory: Memory) -> tuple[str, ...]:
    """Why the parcel of the order that is linked now waits: other orders may still take its place, also where it has only just
    been linked itself."""
    if view.shopify is None or not view.shopify.live or view.mirakl is None or view.mirakl.state in GONE_OUT:
        return ()
    shown = {order.id for order in view.kin}
    return tuple(_both_wait(kin.name) for kin in memory.candidates if kin.shopify_order_id in shown)


def _both_wait(name: str) -> str:
    return f"Order {name} may replace this one; both wait until that is settled."


def _wait(
    view: View, memory: Memory, mirakl: MiraklOrder, linked: ShopifyOrder, waiting: list[_Candidate]
) -> Part:
    """Both orders are held, and nothing is carried to the marketplace, until it is settled which of them stands."""
    actions: list[Action] = []
    cases: list[Case] = []
    held: list[str] = []
    because: list[str] = []
    look_at: datetime | None = None
    split = _is_split(linked, waiting)
    for candidate in waiting:
        if not any(claim.role == "live" for claim in candidate.claims):
            # The parcel of an order that stands for another sale is that one's to hold.
            memory, placed, impossible = holds(view, memory, candidate.order, NOTES)
            actions.extend(placed)
            cases.extend(impossible)
            look_at = earliest(look_at, look_for_parcels_at(view, candidate.order))
        if linked.live and mirakl.state not in GONE_OUT:
            held.append(_both_wait(candidate.order.name))
            asks_at = candidate.order.created_at + COPY_FIRST_SETTLES
            if view.now < asks_at and candidate.who == "Interlock":
                look_at = earliest(look_at, asks_at)
                because.append(
                    f"Order {candidate.order.name} looks like a copy of this one ({candidate.why}). Both wait; "
                    "an app that copies first cancels the original in a moment."
                )
                continue
        if not linked.live and _is_settling(linked, candidate, view.now):
            look_at = earliest(look_at, candidate.order.created_at + CLAIMS_SETTLE)
            because.append(
                f"Order {candidate.order.name} may replace this one ({candidate.why}). It has more than this order had; "
                "in a moment it is known whether it was made of several orders."
            )
            continue
        hold = _Hold(candidate.order, let_go_of(candidate.order, actions, cases))
        case, cancel = _asked(view, memory, mirakl, linked, candidate, waiting, split, hold)
        cases.append(case)
        actions.extend(cancel)
    return Part(memory, tuple(actions), tuple(cases), tuple(held), tuple(because), look_at)


def _asked(
    view: View,
    memory: Memory,
    mirakl: MiraklOrder,
    linked: ShopifyOrder,
    candidate: _Candidate,
    waiting: list[_Candidate],
    split: bool,
    hold: "_Hold",
) -> tuple[Case, tuple[Action, ...]]:
    """What a person is asked about this candidate, and what an answer already given asks for."""
    new = candidate.order
    cancel: tuple[Action, ...] = ()
    options: tuple[Option, ...] = (Option.TAKE_OVER, Option.NO_SUCCESSOR)
    reason = Reason.POSSIBLE_SUCCESSOR
    merged = _merged_with(linked, candidate)
    if mirakl.state in GONE_OUT:
        options = (Option.SECOND_DELIVERY, Option.NO_SUCCESSOR)
        sentence = (
            f"The marketplace was told of a parcel of {linked.name}, and order {new.name} is a copy of it "
            f"({candidate.why}): it would send the same goods again, for one sale and one payment. "
            f"{_still_here(new, hold)} Cancel it in Shopify; or say that a second delivery was agreed with the customer, or "
            f"that it has nothing to do with this sale, and it is released.{hold.lacking}"
        )
    elif merged and candidate.who == "Interlock":
        reason, options = Reason.REPLACEMENT_MERGED, (Option.NO_SUCCESSOR,)
        sentence = (
            f"Order {new.name} may replace {linked.name} ({candidate.why}), and marketplace order {merged} has a claim "
            "to it too. One parcel cannot be followed for two marketplace orders, so nothing is linked or cancelled. "
            "Take the merge apart in Shopify; or ship it, and report both in the portal."
        )
    elif split and candidate.who == "Interlock":
        reason = Reason.REPLACEMENT_SPLIT
        parts = (*((linked.name,) if linked.live else ()), *(other.order.name for other in waiting))
        sentence = (
            f"Orders {', '.join(parts)} together have the lines of {linked.name}: it was split. One marketplace order is "
            f"followed in one Shopify order only, so all {hold.are_held}. Merge them in Shopify; or say which of them stands: "
            f"what that one lacks counts as removed.{hold.lacking}"
        )
    elif mirakl.state in DEAD:
        sentence = (
            f"Order {new.name} may replace {linked.name} ({candidate.why}), but the marketplace order has ended: nobody "
            f"there waits for this parcel. It {hold.is_held}. Let it take over, and it is cancelled like the order it replaces; "
            f"or say that it has nothing to do with it, and it is released.{hold.lacking}"
        )
    elif linked.live and candidate.band == "certain":
        reason = Reason.ORIGINAL_NOT_CANCELLED
        options, sentence, cancel = _original_lives(memory, linked, candidate, hold)
    else:
        gone = "still lives" if linked.live else "is cancelled"
        sentence = (
            f"Shopify order {linked.name} {gone}, and order {new.name} may replace it ({candidate.why}). "
            f"{_still_here(new, hold)} Nothing is cancelled at the marketplace until somebody decides.{hold.lacking}"
        )
    due_at = memory.acceptance_due_at if mirakl.state == "WAITING_ACCEPTANCE" else None
    return Case(reason, new.id, sentence, options, _side_by_side(linked, candidate), due_at), cancel


@dataclass(frozen=True, slots=True)
class _Hold:
    """What is true of an order that has to wait. `free` are its parcels without a hold: somebody took ours off, Shopify took
    none, or a service has it."""

    order: ShopifyOrder
    free: tuple[FulfillmentOrder, ...]

    @property
    def is_held(self) -> str:
        return HoldWords(bool(self.free)).is_held

    @property
    def are_held(self) -> str:
        """What is said of several orders, this one among them."""
        return "should be held" if self.free else "are held"

    @property
    def lacking(self) -> str:
        """What is to be done about the parcels without a hold; it follows what is said of the others."""
        said = ""
        if any(not fo.with_service for fo in self.free):
            said += f" A parcel of {self.order.name} has no hold now: tell the warehouse not to ship it."
        if any(fo.with_service for fo in self.free):
            said += f" A fulfilment service has a parcel of {self.order.name}, which Interlock cannot stop: ring the service."
        return said


def _still_here(order: ShopifyOrder, hold: _Hold) -> str:
    gone = moved_units(order)
    return f"{_counted_as_moved(gone)}; the rest {hold.is_held}." if gone else f"It {hold.is_held}."


def _counted_as_moved(units: int) -> str:
    return f"{units} of its {'unit has' if units == 1 else 'units have'} a label or left already"


def _original_lives(
    memory: Memory, linked: ShopifyOrder, candidate: _Candidate, hold: _Hold
) -> tuple[tuple[Option, ...], str, tuple[Action, ...]]:
    new = candidate.order
    moved = moved_units(linked)
    if moved:
        sentence = (
            f"Order {new.name} replaces {linked.name} ({candidate.why}), but {counted(moved, 'unit')} of {linked.name} "
            f"already {'has a label or is on its' if moved == 1 else 'have a label or are on their'} way, so it cannot be cancelled. Cancel the new order or its surplus in "
            "Shopify; or say that a second delivery was agreed with the customer, or that it has nothing to do with this "
            "sale."
        )
        return (Option.SECOND_DELIVERY, Option.NO_SUCCESSOR), sentence, ()
    said = _said(memory, new.id)
    wanted = said is not None and said.option is Option.CANCEL_ORIGINAL
    asked = f" {said.who} asked for it to be cancelled." if said is not None and wanted else ""
    sentence = (
        f"Order {new.name} replaces {linked.name} ({candidate.why}), but {linked.name} is not cancelled.{asked} Both "
        f"{hold.are_held}: two parcels would leave for one sale. Cancel the original in Shopify or let Interlock do it; the new "
        f"order then takes over by itself.{hold.lacking}"
    )
    cancel = (CancelShopifyOrder(linked.id, f"Replaced by {new.name}."),) if wanted else ()
    return (Option.CANCEL_ORIGINAL, Option.NO_SUCCESSOR), sentence, cancel


def _side_by_side(linked: ShopifyOrder, candidate: _Candidate) -> tuple[tuple[str, str], ...]:
    """Both orders and every piece of evidence, as the rows of a small table."""
    new = candidate.order
    return (
        (f"{linked.name}: lines", _lines(linked)),
        (f"{new.name}: lines", _lines(new)),
        (f"{new.name}: total", f"{new.total} {new.currency}"),
        (f"{new.name}: made", f"{new.created_at:%Y-%m-%d %H:%M:%S} UTC"),
        *((sentence, points) for sentence, points in candidate.evidence.facts),
    )


def _lines(order: ShopifyOrder) -> str:
    return ", ".join(f"{units} × {sku}" for sku, units in sorted(units_of(order).items())) or "none"
