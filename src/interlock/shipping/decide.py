"""When the marketplace hears that the parcel is on its way: exactly what was agreed, with the carrier it knows."""

from dataclasses import replace
from typing import assert_never

from interlock.orders.actions import SetTracking, ShipOrder
from interlock.orders.agreement import (
    Quantities,
    agreed_quantities,
    fulfilled_quantities,
    mirakl_line_id_of,
)
from interlock.orders.differences import Difference
from interlock.orders.memory import Incident, Memory
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT, TO_SHIP, Fulfillment, MiraklOrder, ShopifyOrder
from interlock.orders.view import OpenOperation, View
from interlock.shipping.carriers import CarrierChoice, NotMapped, resolve
from interlock.shipping.suggest import suggest
from interlock.shipping.tracking import number_problem, sent_number

SUGGESTIONS = 5
_SHOWN = 200
"""So much of what somebody typed into Shopify is shown; longer names cannot be mapped."""


def decide(view: View, memory: Memory, differences: tuple[Difference, ...], as_decided: bool = False) -> Part:
    """The shipping room's part: tracking (OR23), then the dispatch of the whole order (OR24), or why not.

    With `as_decided` a person has decided to ship what Shopify shows although the sides differ: then the dispatch is
    reported once everything Shopify shows has left.
    """
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or not shopify.live or shopify.id != memory.shopify_order_id:
        return Part(memory)
    if mirakl.state in GONE_OUT or mirakl.state in DEAD:
        return Part(memory)
    agreed = agreed_quantities(mirakl, memory)
    fulfilled = fulfilled_quantities(shopify, memory)
    live = _live(shopify)
    too_much = "" if as_decided else _too_much(shopify, memory, agreed, fulfilled)
    memory = _incidents(view, memory, live, too_much)
    if too_much:
        because = f"More left in Shopify than the marketplace agreed to ({too_much}), so the dispatch is not reported."
        return Part(memory, because=(because,))
    if not live or mirakl.state not in TO_SHIP or not mirakl.can_ship:
        return Part(memory)
    if not view.mirakl_is_current:
        return Part(memory, mirakl_since=view.mirakl_written_at)
    if differences and not as_decided:
        because = (
            "Units have left in Shopify, but the two sides disagree, so the dispatch is not reported yet."
        )
        return Part(memory, cases=_foreseen(view, mirakl, live), because=(because,))
    waiting = _still_here(shopify) if as_decided else _waiting_for(mirakl, agreed, dict(fulfilled))
    if waiting:
        because = (
            f"Waiting for the rest: {waiting}. The marketplace can only be told of the whole order at once."
        )
        return Part(memory, cases=_foreseen(view, mirakl, live), because=(because,))
    if not any(quantity for _, quantity in agreed):
        return Part(memory)
    return _report(view, memory, mirakl, live)


def _live(shopify: ShopifyOrder) -> tuple[Fulfillment, ...]:
    """Fulfillments that exist, the first made first."""
    found = [fulfillment for fulfillment in shopify.fulfillments if fulfillment.live]
    return tuple(sorted(found, key=lambda fulfillment: (fulfillment.created_at, fulfillment.id)))


def _waiting_for(mirakl: MiraklOrder, agreed: Quantities, fulfilled: dict[str, int]) -> str:
    skus = {line.id: line.sku for line in mirakl.lines}
    return ", ".join(
        f"{fulfilled.get(line_id, 0)} of {quantity} of {skus[line_id]} have left"
        for line_id, quantity in agreed
        if fulfilled.get(line_id, 0) < quantity
    )


def _still_here(shopify: ShopifyOrder) -> str:
    return ", ".join(
        f"{line.fulfilled_quantity} of {line.current_quantity} of {line.sku or line.title} have left"
        for line in shopify.lines
        if line.fulfilled_quantity < line.current_quantity
    )


# -- shipped too much --------------------------------------------------------------------------------------


def _too_much(shopify: ShopifyOrder, memory: Memory, agreed: Quantities, fulfilled: Quantities) -> str:
    """What left beyond the agreed quantities, in words; empty when nothing did."""
    allowed = dict(agreed)
    skus = {mirakl_line_id_of(line, memory): line.sku for line in reversed(shopify.lines)}
    over = [
        f"{quantity} of {skus[line_id]} instead of {allowed.get(line_id, 0)}"
        for line_id, quantity in fulfilled
        if quantity > allowed.get(line_id, 0)
    ]
    over += [
        f"{line.fulfilled_quantity} of {line.sku or line.title}, which was never sold there"
        for line in shopify.lines
        if line.fulfilled_quantity > 0 and not mirakl_line_id_of(line, memory)
    ]
    return ", ".join(over)


def _incidents(view: View, memory: Memory, live: tuple[Fulfillment, ...], too_much: str) -> Memory:
    if too_much and live:
        sentence = (
            f"A parcel left in Shopify with more than the marketplace agreed to: {too_much}. The marketplace has not "
            "been told of any dispatch. Stop the parcel or cancel the fulfillment in Shopify if you still can; "
            "otherwise settle it with the marketplace operator and close this with the reason."
        )
        incident = Incident(Reason.SHIPPED_ON_DISAGREEMENT, live[-1].id, view.now, sentence)
        open_ones = [i for i in memory.incidents if _is_open(i)]
        # One parcel too much is one incident, also when a later fulfillment follows it.
        return memory if open_ones else memory.with_incident(incident)
    if too_much:
        return memory
    return replace(
        memory,
        incidents=tuple(
            replace(
                incident,
                closed_at=view.now,
                closed_because="What has left in Shopify no longer exceeds what the marketplace agreed to.",
            )
            if _is_open(incident)
            else incident
            for incident in memory.incidents
        ),
    )


def _is_open(incident: Incident) -> bool:
    return incident.reason is Reason.SHIPPED_ON_DISAGREEMENT and incident.closed_at is None


# -- reporting the dispatch --------------------------------------------------------------------------------


def _report(view: View, memory: Memory, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> Part:
    tracked = _tracked(live)
    choice = None if tracked is None else _choice(view, mirakl, tracked)
    if tracked is None or not isinstance(choice, CarrierChoice):
        hindrance = _hindrance(view, mirakl, live)
        if hindrance is None:
            return _without_tracking(view, memory, mirakl, live)
        return Part(
            memory, cases=(replace(hindrance, sentence=f"Everything agreed has left. {hindrance.sentence}"),)
        )
    said = f"{_how_found(choice, tracked)}{_several(live, tracked)}"
    if not _shown(view, mirakl, choice, tracked):
        url = tracked.tracking_url.strip() if choice.name else ""
        action = SetTracking(choice.code, choice.name, sent_number(tracked.tracking_number), url)
        return _want(view, memory, action, (f"The tracking goes to the marketplace first.{said}",))
    return _want(view, memory, ShipOrder(), (f"Everything agreed has left; the dispatch is reported.{said}",))


def _tracked(live: tuple[Fulfillment, ...]) -> Fulfillment | None:
    """The first parcel whose tracking is complete and can be sent."""
    complete = (f for f in live if f.tracking_number.strip() and f.carrier.strip())
    return next((f for f in complete if not number_problem(f.tracking_number)), None)


def _choice(view: View, mirakl: MiraklOrder, tracked: Fulfillment) -> CarrierChoice | NotMapped:
    return resolve(
        view.rules, tracked.carrier, tracked.tracking_url, mirakl.country, mirakl.shipping_type_code
    )


def _how_found(choice: CarrierChoice, tracked: Fulfillment) -> str:
    match choice.found:
        case "mapped":
            return ""
        case "by name":
            return f" “{tracked.carrier.strip()}” is the name of a carrier in the marketplace's own list."
        case "default":
            return (
                f" “{tracked.carrier.strip()}” is not mapped; the default carrier of this connection is sent."
            )
        case _:
            assert_never(choice.found)


def _foreseen(view: View, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> tuple[Case, ...]:
    """What will stop the dispatch from being told, said as soon as the parcel is there and not when its time has come."""
    hindrance = _hindrance(view, mirakl, live)
    return () if hindrance is None else (hindrance,)


def _hindrance(view: View, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> Case | None:
    """Why these parcels cannot be told of as they are: a carrier nobody mapped, a number that can be none, or no
    tracking where the shipping method demands it (SH12 `mandatory_tracking`)."""
    tracked = _tracked(live)
    if tracked is not None:
        choice = _choice(view, mirakl, tracked)
        return _carrier_case(view, mirakl, tracked, choice.why) if isinstance(choice, NotMapped) else None
    unusable = next(
        (f for f in live if f.tracking_number.strip() and number_problem(f.tracking_number)), None
    )
    if unusable is not None:
        return _unusable_case(mirakl, unusable)
    half = _half(live)
    if mirakl.tracking_number and half is None:
        return None
    if mirakl.shipping_type_code not in view.rules.tracking_mandatory_for:
        return None
    return _missing_case(mirakl, live, half)


def _half(live: tuple[Fulfillment, ...]) -> Fulfillment | None:
    return next((f for f in live if f.tracking_number.strip() or f.carrier.strip()), None)


def _several(live: tuple[Fulfillment, ...], tracked: Fulfillment) -> str:
    numbers = {sent_number(f.tracking_number): None for f in live if f.tracking_number.strip()}
    if len(numbers) < 2:
        return ""
    return (
        f" The order left in {len(live)} parcels, but the marketplace takes one tracking number: the first complete "
        "one is sent."
    )


def _shown(view: View, mirakl: MiraklOrder, choice: CarrierChoice, tracked: Fulfillment) -> bool:
    """Whether the marketplace already shows this tracking (OR11 `shipping_tracking`, carrier code or name)."""
    if sent_number(mirakl.tracking_number) != sent_number(tracked.tracking_number):
        return False
    if choice.code:
        labels = [carrier.label.casefold() for carrier in view.rules.carriers if carrier.code == choice.code]
        by_label = not mirakl.tracking_carrier_code and mirakl.tracking_carrier_name.casefold() in labels
        return mirakl.tracking_carrier_code == choice.code or by_label
    return mirakl.tracking_carrier_name.strip().casefold() == choice.name.strip().casefold()


def _without_tracking(view: View, memory: Memory, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> Part:
    because = (
        "Everything agreed has left; this shipping method needs no tracking, so the dispatch is reported."
    )
    if mirakl.tracking_number and _half(live) is None:
        because = (
            "Everything agreed has left and the marketplace has a tracking number; the dispatch is reported."
        )
    return _want(view, memory, ShipOrder(), (because,))


def _missing_case(mirakl: MiraklOrder, live: tuple[Fulfillment, ...], half: Fulfillment | None) -> Case:
    missing = "no tracking"
    if half is not None:
        missing = (
            "a tracking number without a carrier"
            if half.tracking_number.strip()
            else "a carrier without a number"
        )
    return Case(
        Reason.TRACKING_MISSING,
        "order",
        f"The parcel has {missing} in Shopify and the marketplace demands tracking for the shipping method "
        f"{mirakl.shipping_type_code}. Add carrier and tracking number to the fulfillment in Shopify; the dispatch is "
        "then reported by itself.",
        facts=(("Shipping method", mirakl.shipping_type_code), ("Fulfillments", str(len(live)))),
        due_at=mirakl.shipping_deadline,
    )


def _unusable_case(mirakl: MiraklOrder, parcel: Fulfillment) -> Case:
    return Case(
        Reason.TRACKING_UNUSABLE,
        parcel.id,
        f"The tracking number of the parcel in Shopify cannot be sent: {number_problem(parcel.tracking_number)} The "
        "marketplace is told neither the number nor the dispatch. Put the number right in the fulfillment in Shopify; "
        "the dispatch is then reported by itself.",
        facts=(("Carrier in Shopify", parcel.carrier.strip()[:_SHOWN] or "none"),),
        due_at=mirakl.shipping_deadline,
    )


def _carrier_case(view: View, mirakl: MiraklOrder, tracked: Fulfillment, why: str) -> Case:
    facts = [("Carrier in Shopify", tracked.carrier.strip()[:_SHOWN])]
    if mirakl.country:
        facts.append(("Goes to", mirakl.country))
    if mirakl.shipping_type_code:
        facts.append(("Shipping method", mirakl.shipping_type_code))
    found = suggest(
        view.rules.carriers,
        tracked.carrier,
        tracking=tracked.tracking_number,
        country=mirakl.country,
        limit=SUGGESTIONS,
    )
    for rank, one in enumerate(found, start=1):
        facts.append((f"Sounds like {rank}", f"{one.label} ({one.code}): {'; '.join(one.reasons)}"))
    return Case(
        Reason.CARRIER_UNKNOWN,
        tracked.carrier.strip()[:_SHOWN],
        f"{why} The marketplace is not told of the dispatch until the carrier is mapped; nothing is guessed. Map it "
        "once and every waiting order with this carrier goes on by itself.",
        (Option.MAP_CARRIER,),
        tuple(facts),
        due_at=mirakl.shipping_deadline,
    )


def _want(view: View, memory: Memory, action: SetTracking | ShipOrder, because: tuple[str, ...]) -> Part:
    """Want the call; after a refusal it stays wanted, so that the ledger keeps it in sight and paces a repetition."""
    for operation in view.operations:
        if operation.state == "REJECTED" and operation.action == action:
            if _sent_again(memory, operation):
                return Part(memory, actions=(action,), because=because)
            return Part(memory, actions=(action,), cases=(_refused_case(action, operation),))
    return Part(memory, actions=(action,), because=because)


def _subject(action: SetTracking | ShipOrder) -> str:
    return f"tracking {action.number}" if isinstance(action, SetTracking) else "dispatch"


def _sent_again(memory: Memory, operation: OpenOperation) -> bool:
    action = operation.action
    if not isinstance(action, SetTracking | ShipOrder):
        return False
    return operation.is_sent_again_by(memory.decision(Reason.SHIPPING_REFUSED, _subject(action)))


def _refused_case(action: SetTracking | ShipOrder, operation: OpenOperation) -> Case:
    what = "the tracking" if isinstance(action, SetTracking) else "the dispatch"
    words = operation.words or operation.code or "no reason given"
    facts = [("The marketplace's words", words)]
    if isinstance(action, SetTracking):
        facts.append(("Carrier", action.carrier_code or action.carrier_name))
        facts.append(("Tracking number", action.number))
    return Case(
        Reason.SHIPPING_REFUSED,
        _subject(action),
        f"The parcel has left, but the marketplace refused {what}: {words}. The customer has not been told and the "
        "order counts as not shipped. Put right what it names, then send it again.",
        (Option.SEND_AGAIN,),
        tuple(facts),
    )
