"""When the marketplace hears that the parcel is on its way: exactly what was agreed, with the carrier it knows."""

from dataclasses import replace
from datetime import datetime, timedelta

from interlock.orders.actions import SetTracking, ShipOrder
from interlock.orders.agreement import (
    Quantities,
    agreed_quantities,
    fulfilled_quantities,
    link_of,
    mirakl_line_id_of,
    parts_of,
)
from interlock.orders.differences import Difference
from interlock.orders.leaving import as_it_left, given_back_subject, stays_here
from interlock.orders.memory import Incident, Memory
from interlock.orders.plan import Case, Part, earliest
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import ENDED, GONE_OUT, TO_SHIP, Fulfillment, MiraklOrder, ShopifyOrder
from interlock.orders.timeline import counted
from interlock.orders.view import View
from interlock.shipping import parcels
from interlock.shipping.carriers import CarrierChoice, NotMapped
from interlock.shipping.telling import (
    WITHOUT_CARRIER,
    Tracking,
    as_given_in_portal,
    choice_for,
    half_tracked,
    is_complete,
    is_given_in_portal,
    is_told,
    left_behind_case,
    live_parcels,
    missing_case,
    not_mapped_case,
    only_the_url_differs,
    refused_unseen,
    sent,
    shows,
    told_last,
    unusable_case,
    want,
    with_numbers_carried,
)
from interlock.shipping.tracking import number_problem, sent_number


def decide(view: View, memory: Memory, differences: tuple[Difference, ...], as_decided: bool = False) -> Part:
    """The shipping room's part, about what left: a label that was given back takes its parcel back with it, whether or
    not Shopify keeps the fulfillment."""
    shopify = view.shopify
    if shopify is None or not any(stays_here(parcel, memory) for parcel in shopify.fulfillments):
        return _decide(view, memory, differences, as_decided)
    part = _decide(replace(view, shopify=as_it_left(shopify, memory)), memory, differences, as_decided)
    if view.mirakl is None or view.mirakl.state not in TO_SHIP or not shopify.live:
        return part
    cases, look_at = _given_back(view, part.memory, view.mirakl, shopify)
    return replace(
        part,
        because=(_GIVEN_BACK, *part.because),
        cases=(*part.cases, *cases),
        look_at=earliest(part.look_at, look_at),
    )


def _given_back(
    view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder
) -> tuple[tuple[Case, ...], datetime | None]:
    """The cases of labels that were given back and for which nobody has bought another one meanwhile, and when to look
    next. Of a parcel the marketplace was told of the incident asks already."""
    cases: list[Case] = []
    look_at: datetime | None = None
    since = {label.fulfillment_id: label.back_since for label in memory.labels_seen}
    told = {
        incident.about
        for incident in memory.incidents
        if incident.reason is Reason.FULFILLMENT_CANCELLED and incident.closed_at is None
    }
    for parcel in shopify.fulfillments:
        if not stays_here(parcel, memory) or told & {parcel.id, parcels.marker_of(parcel.id)}:
            continue
        asks_at = (since.get(parcel.id) or view.now) + ANOTHER_LABEL_WITHIN
        if view.now < asks_at:
            look_at = earliest(look_at, asks_at)
            continue
        units = sum(count for _, count in parcel.lines)
        case = Case(
            Reason.LABEL_GIVEN_BACK,
            given_back_subject(parcel),
            f"The label of a parcel was given back in Shopify, but its fulfillment stands: {counted(units, 'unit')} {'counts' if units == 1 else 'count'} as fulfilled "
            "there, so nobody packs them again, and the marketplace is told of nothing. Buy another label for the "
            "fulfillment, or cancel it in Shopify so that the units can be packed anew. If the parcel left all the same "
            "under the number the fulfillment shows, say so here.",
            (Option.LEFT_UNDER_NUMBER,),
            (("Units", str(units)),),
            due_at=mirakl.shipping_deadline,
        )
        cases.append(case)
    return tuple(cases), look_at


ANOTHER_LABEL_WITHIN = timedelta(minutes=10)
"""So long whoever gave a label back may take to buy the next one before somebody is asked."""

_GIVEN_BACK = (
    "The label of a parcel was given back in Shopify, so nothing has left under it: it is told of once it has another "
    "label, or its units leave with another parcel."
)


def _decide(view: View, memory: Memory, differences: tuple[Difference, ...], as_decided: bool) -> Part:
    """The shipping room's part: tracking (OR23), then the dispatch of the whole order (OR24), or why not. Where the
    marketplace knows single parcels (multi-shipment), `parcels` tells of each of them instead.

    With `as_decided` a person has decided to ship what Shopify shows although the sides differ: then the dispatch is
    reported once everything Shopify shows has left.
    """
    mirakl, shopify = view.mirakl, view.shopify
    if mirakl is None or shopify is None or not shopify.live or shopify.id != memory.shopify_order_id:
        return Part(memory)
    if mirakl.state in ENDED:
        return Part(memory)
    live = live_parcels(shopify)
    one_by_one = view.rules.multi_shipment and mirakl.shipments_hidden != "off"
    memory = with_numbers_carried(memory, shopify)
    if mirakl.state in GONE_OUT:
        if one_by_one:
            return parcels.decide(view, memory, differences, as_decided)
        return _corrected(view, memory, mirakl, live)
    agreed = agreed_quantities(mirakl, memory)
    fulfilled = fulfilled_quantities(shopify, memory)
    too_much = () if as_decided else _too_much(shopify, memory, agreed, fulfilled)
    memory = _incidents(view, memory, live, too_much)
    if one_by_one:
        return parcels.decide(view, memory, differences, as_decided)
    if too_much:
        because = f"More left in Shopify than the marketplace agreed to ({', '.join(too_much)}), so the dispatch is not reported."
        return Part(memory, because=(because,))
    if not live or mirakl.state not in TO_SHIP or not mirakl.can_ship:
        return Part(memory)
    if not view.mirakl_is_current:
        return refused_unseen(view, memory, (ShipOrder(), *_tracking_wanted(view, mirakl, live)))
    if differences and not as_decided:
        because = (
            "Units have left in Shopify, but the two sides disagree, so the dispatch is not reported yet."
        )
        return Part(memory, cases=_foreseen(view, mirakl, live), because=(because,))
    waiting = parcels.still_here(shopify) if as_decided else _waiting_for(mirakl, agreed, dict(fulfilled))
    if waiting:
        because = (
            f"Waiting for the rest: {waiting}. The marketplace can only be told of the whole order at once."
        )
        return Part(memory, cases=_foreseen(view, mirakl, live), because=(because,))
    if not any(quantity for _, quantity in agreed):
        return Part(memory)
    return _report(view, memory, mirakl, live)


def _waiting_for(mirakl: MiraklOrder, agreed: Quantities, fulfilled: dict[str, int]) -> str:
    skus = {line.id: line.sku for line in mirakl.lines}
    return ", ".join(
        f"{fulfilled.get(line_id, 0)} of {quantity} of {skus[line_id]} have left"
        for line_id, quantity in agreed
        if fulfilled.get(line_id, 0) < quantity
    )


# -- shipped too much --------------------------------------------------------------------------------------


def _too_much(
    shopify: ShopifyOrder, memory: Memory, agreed: Quantities, fulfilled: Quantities
) -> tuple[str, ...]:
    """What left beyond the agreed quantities, in words; empty when nothing did."""
    allowed = dict(agreed)
    skus = {mirakl_line_id_of(line, memory): line.sku for line in reversed(shopify.lines)}
    over = [
        f"{quantity} of {skus[line_id]} instead of {allowed.get(line_id, 0)}"
        for line_id, quantity in fulfilled
        if quantity > allowed.get(line_id, 0) and not parts_of(line_id, memory)
    ]
    over += _too_many_articles(shopify, memory, allowed)
    over += [
        f"{line.fulfilled_quantity} of {line.sku or line.title}, which was never sold there"
        for line in shopify.lines
        if line.fulfilled_quantity > 0 and not mirakl_line_id_of(line, memory)
    ]
    return tuple(over)


def _too_many_articles(shopify: ShopifyOrder, memory: Memory, allowed: dict[str, int]) -> list[str]:
    """Articles of a bundle of which more left than the agreed bundles hold."""
    left: dict[tuple[str, str], int] = {}
    skus: dict[str, str] = {}
    for line in shopify.lines:
        link = link_of(line, memory)
        if link is not None and link.part:
            article = (link.mirakl_line_id, link.part)
            left[article] = left.get(article, 0) + line.fulfilled_quantity
            skus[link.part] = line.sku or line.title
    most = {
        (line_id, part): allowed.get(line_id, 0) * parts_of(line_id, memory)[part] for line_id, part in left
    }
    return [
        f"{units} of {skus[article[1]]} instead of {most[article]}"
        for article, units in left.items()
        if units > most[article]
    ]


def _incidents(
    view: View, memory: Memory, live: tuple[Fulfillment, ...], too_much: tuple[str, ...]
) -> Memory:
    if too_much and live:
        sentence = (
            f"A parcel left in Shopify with more than the marketplace agreed to: {', '.join(too_much)}. The marketplace is told of "
            f"{'nothing that goes beyond' if view.rules.multi_shipment else 'no dispatch'}. Stop the parcel or cancel the fulfillment in Shopify if you still can; "
            "otherwise settle it with the marketplace operator and close this with the reason."
        )
        incident = Incident(Reason.SHIPPED_ON_DISAGREEMENT, live[-1].id, view.now, sentence, named=too_much)
        # One parcel too much is one incident, also when a later fulfillment follows it.
        told = tuple(one for one in memory.incidents if one.reason is incident.reason)
        return memory.with_incident_anew(incident, told)
    if too_much:
        return memory
    because = "What has left in Shopify no longer exceeds what the marketplace agreed to."
    return memory.with_incidents_over(Reason.SHIPPED_ON_DISAGREEMENT, view.now, because)


# -- reporting the dispatch --------------------------------------------------------------------------------


def _report(view: View, memory: Memory, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> Part:
    tracking = _to_tell(view, mirakl, live)
    if tracking is None:
        hindrance = _hindrance(view, mirakl, live)
        if hindrance is None:
            return _without_tracking(view, memory, mirakl, live)
        return Part(
            memory, cases=(replace(hindrance, sentence=f"Everything agreed has left. {hindrance.sentence}"),)
        )
    said = f"{tracking.said}{_several(live)}"
    if not _shown(view, mirakl, tracking) and not _shown_otherwise(view, mirakl, tracking):
        because = (f"The tracking goes to the marketplace first.{said}",)
        return want(view, memory, _action(tracking), because)
    return want(view, memory, ShipOrder(), (f"Everything agreed has left; the dispatch is reported.{said}",))


def _corrected(view: View, memory: Memory, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> Part:
    """The marketplace shows the order as shipped, with another tracking than the parcel has by now, or with none: the
    new one is sent (OR23), or a case says why it cannot be. A number that somebody gave in the portal stays,
    unless Shopify's was changed too and a person chooses that one."""
    shown = sent_number(mirakl.tracking_number)
    if shown and any(sent_number(parcel.tracking_number) == shown for parcel in live):
        return _carrier_corrected(view, memory, mirakl, live, shown)
    parcel = _tracked(view, mirakl, live) or _untracked(live)
    if parcel is None or shown == sent_number(parcel.tracking_number):
        return Part(memory)
    tracking = _to_tell(view, mirakl, live)
    wanted = None if tracking is None else _action(tracking)
    if wanted is not None and not shown and is_told(view, wanted):
        return Part(memory)
    if not view.mirakl_is_current:
        return refused_unseen(view, memory, _tracking_wanted(view, mirakl, live))
    if is_given_in_portal(view, memory, shown, wanted):
        return as_given_in_portal(view, memory, parcel, shown, wanted)
    left_behind = left_behind_case(view, mirakl, parcel, shown)
    if left_behind is not None:
        return Part(memory, cases=(left_behind,))
    if tracking is None:
        return Part(memory)
    what = "was changed in Shopify after the dispatch; the new one is sent."
    if not shown:
        what = f"was not there when the dispatch was told; it is sent now.{_several(live)}"
    return want(view, memory, _action(tracking), (f"The tracking number {what}{tracking.said}",))


def _carrier_corrected(
    view: View, memory: Memory, mirakl: MiraklOrder, live: tuple[Fulfillment, ...], shown: str
) -> Part:
    """The marketplace has the number of a parcel. Where we told it with another carrier than the parcel leads to by now,
    or an unregistered one with another URL, because the carrier map or the fulfillment was put right, the right one follows, once: the marketplace may show a
    carrier otherwise than it was sent, so what we told it counts, and not what it shows."""
    parcels = tuple(parcel for parcel in live if sent_number(parcel.tracking_number) == shown)
    tracking = _to_tell(view, mirakl, parcels)
    if tracking is None or _shown(view, mirakl, tracking):
        return Part(memory)
    action = _action(tracking)
    told = told_last(view, action)
    if told is None or told.number != shown or is_told(view, action):
        return Part(memory)
    if not view.mirakl_is_current:
        return refused_unseen(view, memory, (action,))
    what = "The carrier is another one than the marketplace was told; the right one is sent."
    if only_the_url_differs(view, action):
        what = "The tracking URL was changed in Shopify after the dispatch; the new one is sent."
    return want(view, memory, action, (f"{what}{tracking.said}",))


def _to_tell(view: View, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> Tracking | None:
    """The tracking the order's parcels are told of with as it is now; None where they have none that can be told."""
    tracked = _tracked(view, mirakl, live)
    choice = None if tracked is None else choice_for(view, mirakl, tracked)
    if tracked is None or not isinstance(choice, CarrierChoice):
        return None
    return sent(choice, tracked)


def _tracking_wanted(
    view: View, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]
) -> tuple[SetTracking, ...]:
    tracking = _to_tell(view, mirakl, live)
    return () if tracking is None else (_action(tracking),)


def _action(tracking: Tracking) -> SetTracking:
    return SetTracking(tracking.code, tracking.name, tracking.number, tracking.url)


def _shown(view: View, mirakl: MiraklOrder, tracking: Tracking) -> bool:
    """Whether the marketplace already shows this tracking (OR11 `shipping_tracking`, carrier code or name)."""
    code, name = mirakl.tracking_carrier_code, mirakl.tracking_carrier_name
    return shows(view, code, name, mirakl.tracking_number, mirakl.tracking_url, _action(tracking))


def _shown_otherwise(view: View, mirakl: MiraklOrder, tracking: Tracking) -> bool:
    """Whether the marketplace took exactly this tracking from us and shows its number, with the carrier as it calls it."""
    return sent_number(mirakl.tracking_number) == tracking.number and is_told(view, _action(tracking))


def _tracked(view: View, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> Fulfillment | None:
    """The first parcel whose tracking is complete and can be sent."""
    complete = (f for f in live if is_complete(view, mirakl, f))
    return next((f for f in complete if not number_problem(f.tracking_number)), None)


def _untracked(live: tuple[Fulfillment, ...]) -> Fulfillment | None:
    """Of parcels without complete tracking the one that shows what is wrong: one with a number goes first."""
    numbered = next((f for f in live if f.tracking_number.strip()), None)
    return numbered or half_tracked(live) or next(iter(live), None)


def _foreseen(view: View, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> tuple[Case, ...]:
    """What will stop the dispatch from being told, said as soon as the parcel is there and not when its time has come."""
    hindrance = _hindrance(view, mirakl, live)
    return () if hindrance is None else (hindrance,)


def _hindrance(view: View, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> Case | None:
    """Why these parcels cannot be told of as they are: a carrier nobody mapped, a number that can be none, or no
    tracking where the shipping method demands it (SH12 `mandatory_tracking`)."""
    tracked = _tracked(view, mirakl, live)
    if tracked is not None:
        choice = choice_for(view, mirakl, tracked)
        return not_mapped_case(view, mirakl, tracked, choice) if isinstance(choice, NotMapped) else None
    unusable = next(
        (f for f in live if f.tracking_number.strip() and number_problem(f.tracking_number)), None
    )
    if unusable is not None:
        return unusable_case(mirakl, unusable)
    if mirakl.tracking_number and half_tracked(live) is None:
        return None
    if mirakl.shipping_type_code not in view.rules.tracking_mandatory_for:
        return None
    return missing_case(mirakl, live)


def _several(live: tuple[Fulfillment, ...]) -> str:
    numbers = {sent_number(f.tracking_number): None for f in live if f.tracking_number.strip()}
    if len(numbers) < 2:
        return ""
    return (
        f" The order left in {len(live)} parcels, but the marketplace takes one tracking number: the first complete "
        "one is sent."
    )


def _without_tracking(view: View, memory: Memory, mirakl: MiraklOrder, live: tuple[Fulfillment, ...]) -> Part:
    because = (
        "Everything agreed has left; this shipping method needs no tracking, so the dispatch is reported."
    )
    if any(parcel.tracking_number.strip() for parcel in live):
        because = f"{because} {WITHOUT_CARRIER}"
    if mirakl.tracking_number and half_tracked(live) is None:
        because = (
            "Everything agreed has left and the marketplace has a tracking number; the dispatch is reported."
        )
    return want(view, memory, ShipOrder(), (because,))
