"""When the parcel may move: holds placed on evidence, released on better evidence, and never fought over."""

from dataclasses import replace

from interlock.holds.astray import watched
from interlock.holds.gate import Gate, disagreeing, gate_of, label_of
from interlock.holds.services import stop, to_ask_again
from interlock.orders.actions import AskServiceToStop, MarkPaid, PlaceHold, ReleaseHold
from interlock.orders.agreement import (
    agreed_quantities,
    broken_bundles,
    mirakl_line_id_of,
    shopify_quantities,
    standing_quantities,
    unlinked,
)
from interlock.orders.content import content_of
from interlock.orders.destination import is_same, moved_here, moved_there
from interlock.orders.holding import (
    MOST_RELEASES,
    may_hold_again,
    our_holds,
    refusal_of_hold,
    rehold_of,
    releases_told,
    with_release_told,
)
from interlock.orders.label import BY_ITSELF
from interlock.orders.memory import Incident, Memory, Rehold
from interlock.orders.plan import Case, Part, earliest
from interlock.orders.reasons import Option, Reason
from interlock.orders.routing import look_for_parcels_at
from interlock.orders.snapshots import (
    GONE_OUT,
    TO_SHIP,
    Fulfillment,
    FulfillmentOrder,
    MiraklOrder,
    ShopifyOrder,
)
from interlock.orders.view import View

NOTES = (
    "Interlock: waiting until the marketplace order is ready to ship and agrees with this order in lines and "
    "address. Comes off by itself; what is missing is on the order's page in Interlock."
)
"""Shown to staff on the hold. Always the same words, so that repeating a hold is recognised as the same hold."""


# -- on sight: before the marketplace is asked -------------------------------------------------------------


def on_sight(view: View) -> tuple[PlaceHold, ...]:
    """The holds that the Shopify snapshot alone demands, with the marketplace as last known.

    An order in agreement is not held again, and missing data is no evidence: an order that was never released is
    held, one that was released is held only when its lines, prices, shipping charge or address left what was
    agreed (or what a person decided to ship), or the marketplace was last seen in another state than SHIPPING or with
    another address.
    """
    shopify, memory, mirakl = view.shopify, view.memory, view.mirakl
    if shopify is None or not shopify.live:
        return ()
    if mirakl is not None and mirakl.state in GONE_OUT:
        return ()
    to_ship = mirakl is None or mirakl.state in TO_SHIP
    if (
        memory.released_at is not None
        and to_ship
        and not (mirakl is not None and moved_there(mirakl, memory) and not is_same(mirakl, shopify))
        and (_as_agreed(shopify, memory) or _as_decided(shopify, memory))
    ):
        return ()
    return tuple(
        PlaceHold(fo.id, NOTES)
        for fo in shopify.fulfillment_orders
        if fo.is_open
        and fo.can_hold
        and fo.id not in memory.held  # a hold that others took off is answered by `decide`, which counts them
        and not our_holds(fo, view.rules)
        and (memory.released_at is not None or may_hold_again(fo, memory))
    )


def _as_agreed(shopify: ShopifyOrder, memory: Memory) -> bool:
    if not memory.settled or unlinked(shopify, memory) or broken_bundles(shopify, memory):
        return False
    shown = dict(standing_quantities(shopify, memory))
    settled = dict(memory.settled)
    if any(shown.get(line_id, 0) != quantity for line_id, quantity in settled.items()):
        return False
    if any(quantity and line_id not in settled for line_id, quantity in shown.items()):
        return False
    links = {link.shopify_line_id: link for link in memory.links}
    if any(
        line.current_quantity > 0 and line.id in links and not links[line.id].accepts(line.unit_price)
        for line in shopify.lines
    ):
        return False
    if not memory.accepts_shipping(shopify.shipping_total):
        return False
    return not moved_here(shopify, memory)


def _as_decided(shopify: ShopifyOrder, memory: Memory) -> bool:
    return bool(memory.released_as) and memory.released_as == content_of(shopify)


# -- the gate ----------------------------------------------------------------------------------------------


def decide(
    view: View,
    memory: Memory,
    keep_held: tuple[str, ...],
    settled_by: str = BY_ITSELF,
    as_decided: str = "",
) -> Part:
    """Open the gate when everything agrees, keep it closed on evidence, and change nothing where data is missing.

    `keep_held` are the other rooms' reasons why the parcel must not move, `settled_by` who can settle them, and
    `as_decided` a person's decision to ship exactly what Shopify shows now.
    """
    mirakl, shopify = view.mirakl, view.shopify
    if shopify is None or not shopify.live or not memory.shopify_order_id:
        return Part(memory, label=label_of(view, None))
    if mirakl is not None and mirakl.state in GONE_OUT:
        return replace(_after_the_rest(view, memory, shopify, mirakl, as_decided), label=label_of(view, None))
    gate = gate_of(view, memory, shopify, keep_held, settled_by, as_decided)
    if mirakl is not None:
        memory = _labels(view, memory, shopify, mirakl, gate)
    part = replace(_gate(view, memory, shopify, gate), label=label_of(view, gate))
    astray = watched(view, part.memory, shopify, mirakl)
    part = replace(
        part,
        memory=astray.memory,
        cases=(*part.cases, *astray.cases),
        look_at=earliest(part.look_at, astray.look_at),
    )
    if not any(shopify.to_leave(line) > 0 for line in shopify.lines):
        # Every parcel has left: whether one may move is no longer a question worth a sentence.
        return replace(part, because=())
    return part


def _after_the_rest(
    view: View, memory: Memory, shopify: ShopifyOrder, mirakl: MiraklOrder, as_decided: str
) -> Part:
    """What was sold has left, so its holds rest. Units beyond that, which the marketplace took back or never sold, must not
    follow: what is open of their fulfillment orders is held."""
    beyond = () if as_decided else _beyond_what_was_sold(shopify, memory, mirakl)
    open_ones = tuple(
        fo
        for fo in shopify.fulfillment_orders
        if fo.is_open and any(count > 0 and line_id in beyond for line_id, count in fo.remaining)
    )
    if not open_ones:
        return Part(memory)
    if not view.mirakl_is_current:
        return Part(memory, mirakl_since=view.mirakl_written_at)
    part = _keep_closed(view, memory, replace(shopify, fulfillment_orders=open_ones))
    because = "What was sold has left. Units that the marketplace did not sell, or took back, are held: they must not follow."
    return replace(part, because=(*part.because, because))


def _beyond_what_was_sold(shopify: ShopifyOrder, memory: Memory, mirakl: MiraklOrder) -> tuple[str, ...]:
    """Ids of the Shopify lines that show more than is agreed and of which units have not left."""
    agreed = dict(agreed_quantities(mirakl, memory))
    shown = dict(shopify_quantities(shopify, memory))
    return tuple(
        line.id
        for line in shopify.lines
        if shopify.to_leave(line) > 0
        and (
            not (line_id := mirakl_line_id_of(line, memory)) or shown.get(line_id, 0) > agreed.get(line_id, 0)
        )
    )


def _gate(view: View, memory: Memory, shopify: ShopifyOrder, gate: Gate) -> Part:
    if gate.closed:
        part = _keep_closed(view, memory, shopify)
        reasons = " ".join(obstacle.sentence for obstacle in gate.closed)
        because = (*part.because, f"{view.hold.of_the_parcel} {reasons}")
        return replace(part, because=because, look_at=earliest(part.look_at, gate.window_ends))
    if gate.missing:
        if memory.released_at is not None:
            # It was released on evidence; what we merely cannot see does not take that back.
            return Part(memory, mirakl_since=gate.seen_since)
        part = _keep_closed(view, memory, shopify)
        reasons = " ".join(obstacle.sentence for obstacle in gate.missing)
        because = (*part.because, f"{view.hold.of_the_parcel} {reasons}")
        return replace(part, because=because, mirakl_since=gate.seen_since)
    if gate.unpaid:
        part = _keep_closed(view, memory, shopify)
        because = (
            *part.because,
            "Everything agrees; the Shopify order is marked paid before it is released.",
        )
        return replace(part, actions=(*part.actions, MarkPaid(shopify.id)), because=because)
    return _open(view, memory, shopify, gate)


def _open(view: View, memory: Memory, shopify: ShopifyOrder, gate: Gate) -> Part:
    releases = tuple(
        ReleaseHold(fo.id, hold_ids)
        for fo in shopify.fulfillment_orders
        if fo.is_open and (hold_ids := our_holds(fo, view.rules))
    )
    memory = replace(
        memory,
        released_at=memory.released_at or view.now,
        held=(),
        released_as=content_of(shopify) if gate.as_decided else "",
    )
    because = gate.as_decided or "Both sides agree and the marketplace waits for the parcel: it may move."
    return Part(memory, releases, to_ask_again(memory, shopify), because=(because,))


# -- a closed gate -----------------------------------------------------------------------------------------


def _keep_closed(view: View, memory: Memory, shopify: ShopifyOrder) -> Part:
    was_open = memory.released_at is not None
    if was_open:
        memory = _counted_anew(memory)
    memory = replace(memory, released_at=None, released_as="")
    actions: list[PlaceHold | AskServiceToStop] = []
    cases: list[Case] = []
    because: list[str] = []
    held: list[str] = []
    look_at = look_for_parcels_at(shopify, memory.linked_at or shopify.created_at, view.now)
    for fo in shopify.fulfillment_orders:
        if not fo.is_open:
            continue
        if fo.with_service:
            stopping = stop(view, memory, fo)
            memory, look_at = stopping.memory, earliest(look_at, stopping.look_at)
            actions.extend(a for a in (stopping.action,) if a is not None)
            cases.extend(c for c in (stopping.case,) if c is not None)
            because.extend(b for b in (stopping.because,) if b)
        if our_holds(fo, view.rules):
            held.append(fo.id)
            continue
        if (
            fo.id in memory.held
            and not was_open
            and not _gone_with_an_edit(view, memory)
            and not _we_released(view, fo)
        ):
            memory, sentence = _released_by_others(view, memory, fo)
            because.append(sentence)
            # Who waits for the hold is told on the next look whether it is placed again.
            look_at = earliest(look_at, view.now)
        if not may_hold_again(fo, memory):
            continue
        case = _cannot_hold_case(view, fo)
        if case is not None:
            cases.append(case)
        if fo.can_hold:
            actions.append(PlaceHold(fo.id, NOTES))
    memory = replace(memory, held=tuple(held))
    return Part(memory, tuple(actions), tuple(cases), because=tuple(because), look_at=look_at)


def _gone_with_an_edit(view: View, memory: Memory) -> bool:
    """Whether the order changed since the last look: an edit may take holds off, and nobody did it on purpose."""
    return view.shopify is not None and memory.content_since == view.shopify.observed_at


def _we_released(view: View, fo: FulfillmentOrder) -> bool:
    """Whether a release of ours for it is still on its way or unclear."""
    return any(
        isinstance(op.action, ReleaseHold)
        and op.action.fulfillment_order_id == fo.id
        and op.state in ("PLANNED", "IN_FLIGHT", "UNKNOWN")
        and op.attempt > 0
        for op in view.operations
    )


def _counted_anew(memory: Memory) -> Memory:
    """The parcel had been let go, so a hold now has a new reason: what was done to the former ones says nothing of it."""
    return replace(
        memory,
        reholds=tuple(rehold if rehold.times < MOST_RELEASES else _anew(rehold) for rehold in memory.reholds),
    )


def _anew(rehold: Rehold) -> Rehold:
    return replace(rehold, times=0, earlier=rehold.earlier + rehold.times)


def _released_by_others(view: View, memory: Memory, fo: FulfillmentOrder) -> tuple[Memory, str]:
    before = rehold_of(fo, memory)
    rehold = before or Rehold(fo.id, view.now, 0)
    dealt_with = all(one.closed_at is not None for one in releases_told(memory, fo))
    if rehold.times >= MOST_RELEASES and dealt_with:
        # Somebody has dealt with the releases before, and the order was changed since, or it would not have been held.
        rehold = _anew(rehold)
    rehold = replace(rehold, at=view.now, times=rehold.times + 1)
    kept = tuple(known for known in memory.reholds if known is not before)
    memory = replace(memory, reholds=(*kept, rehold))
    if rehold.times < MOST_RELEASES:
        return memory, "Somebody released our hold while the order was not ready; it is placed once more."
    memory = with_release_told(
        memory,
        fo,
        view.now,
        "Somebody released our hold again while the order was not ready to ship. Interlock does not place it a "
        "third time. Tell the warehouse not to ship before the reasons on the order's page are gone, or put the "
        "fulfillment order on hold yourself.",
    )
    return memory, "Somebody released our hold again; it is left to people now."


def _cannot_hold_case(view: View, fo: FulfillmentOrder) -> Case | None:
    if fo.with_service:
        return None  # the service is asked to stop; what comes of it has a case of its own
    if not fo.can_hold:
        return _cannot(
            fo,
            "Shopify does not offer to put this parcel on hold although it must not move yet. Tell the warehouse "
            "to wait, and look at the fulfillment order in Shopify.",
        )
    refused = refusal_of_hold(view, fo)
    if refused is not None:
        return _cannot(
            fo,
            f"Shopify refused to put this parcel on hold: “{refused.words}”. It must not move yet. Tell the "
            "warehouse to wait.",
            (Option.SEND_AGAIN,),
            refused.code,
        )
    return None


def _cannot(fo: FulfillmentOrder, sentence: str, options: tuple[Option, ...] = (), code: str = "") -> Case:
    facts = (
        ("status", fo.status),
        ("request", fo.request_status),
        *((("code", code),) if code else ()),
    )
    return Case(Reason.CANNOT_HOLD, fo.id, sentence, options, facts)


# -- labels that came too early ----------------------------------------------------------------------------


def _labels(view: View, memory: Memory, shopify: ShopifyOrder, mirakl: MiraklOrder, gate: Gate) -> Memory:
    """Remember, once per label and line, that units left on lines the marketplace does not agree with; a fulfillment that
    was cancelled since (its label voided) makes that good, and another label of it is judged anew.

    What had left while its lines agreed, and differs only by a later edit in Shopify, is no wrong label. Nor is one of an edit
    that a person decided to ship, unless the marketplace waits for something else, such as the customer's payment.
    """
    memory = _voided(view, memory, shopify)
    decided = gate.as_decided and mirakl.state in TO_SHIP
    wrong = disagreeing(shopify, memory, mirakl)
    edited = wrong - _moved_by_the_marketplace(shopify, memory, mirakl)
    for fulfillment in shopify.fulfillments:
        if not fulfillment.live or fulfillment.label_voided:
            continue
        before = fulfillment.id in memory.labels_agreed
        early = tuple(
            (line_id, n)
            for line_id, n in fulfillment.lines
            if n and line_id in wrong and not (before and line_id in edited)
        )
        if not early or decided:
            if not before and not any(line_id in wrong for line_id, _ in fulfillment.lines):
                memory = replace(memory, labels_agreed=(*memory.labels_agreed, fulfillment.id))
            continue
        incident = _too_early(view, shopify, fulfillment, early)
        told = [
            one for one in memory.incidents if (one.reason, one.about) == (incident.reason, fulfillment.id)
        ]
        memory = memory.with_incident_anew(incident, told)
    return memory


def _too_early(
    view: View, shopify: ShopifyOrder, fulfillment: Fulfillment, early: tuple[tuple[str, int], ...]
) -> Incident:
    skus = {line.id: line.sku or line.title for line in shopify.lines}
    units = " and ".join(f"{n} of {skus.get(line_id, line_id)}" for line_id, n in early)
    return Incident(
        Reason.LABEL_BEFORE_AGREEMENT,
        fulfillment.id,
        view.now,
        f"A label or shipment exists for {units}, which the marketplace has not agreed to. Stop the parcel if you can; otherwise "
        "settle the difference in the marketplace portal.",
        named=tuple(line_id for line_id, _ in early),
    )


def _moved_by_the_marketplace(shopify: ShopifyOrder, memory: Memory, mirakl: MiraklOrder) -> frozenset[str]:
    """Ids of the Shopify lines on which the marketplace left what was agreed last: a label may be older than our
    sight of that, so it is never taken for one that was in order. Only looked up, never iterated."""
    if mirakl.state not in TO_SHIP:
        return frozenset(line.id for line in shopify.lines)
    settled = dict(memory.settled)
    moved = {
        line_id for line_id, agreed in agreed_quantities(mirakl, memory) if settled.get(line_id) != agreed
    }
    return frozenset(line.id for line in shopify.lines if mirakl_line_id_of(line, memory) in moved)


def _voided(view: View, memory: Memory, shopify: ShopifyOrder) -> Memory:
    gone = {f.id for f in shopify.fulfillments if not f.live or f.label_voided}
    because = "The label was voided: the parcel does not leave under it."
    memory = memory.with_incidents_over(Reason.LABEL_BEFORE_AGREEMENT, view.now, because, gone)
    # Another label of the same fulfillment has to be in order for itself.
    agreed = tuple(id for id in memory.labels_agreed if id not in gone)
    return memory if agreed == memory.labels_agreed else replace(memory, labels_agreed=agreed)
