"""Holds on Shopify orders beside the linked one: our app can hold any order's fulfilment orders."""

from dataclasses import replace
from datetime import datetime

from interlock.orders import routing
from interlock.orders.actions import Action, PlaceHold, ReleaseHold
from interlock.orders.holding import (
    MOST_RELEASES,
    our_holds,
    refusal_of_hold,
    rehold_of,
    service_goes_on,
    with_release_told,
)
from interlock.orders.memory import Memory, Rehold
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import FulfillmentOrder, ShopifyOrder
from interlock.orders.view import OpenOperation, View


def holds(
    view: View, memory: Memory, order: ShopifyOrder, notes: str
) -> tuple[Memory, tuple[Action, ...], tuple[Case, ...]]:
    """Every open parcel of the order on hold, and a case for those that cannot be held. Those that Shopify has not made
    yet are looked for with `look_for_parcels_at`.

    A hold that others took off is placed once more; after the second time an incident tells people, whose it is then.
    """
    actions: list[Action] = []
    cases: list[Case] = []
    for fo in order.fulfillment_orders:
        if not fo.is_open:
            continue
        if service_goes_on(fo):
            cases.append(_at_a_service(order, fo))
        elif not fo.can_hold:
            said = f"Shopify does not offer to put a parcel of order {order.name} on hold. Tell the warehouse to wait"
            cases.append(_cannot(order, fo, said))
        if our_holds(fo, view.rules):
            if fo.id not in memory.kin_held:
                memory = replace(memory, kin_held=(*memory.kin_held, fo.id))
            continue
        if fo.id in memory.kin_held:
            memory = _released_by_others(view, memory, order, fo)
        before = rehold_of(fo, memory)
        if not fo.can_hold or (before is not None and before.times >= MOST_RELEASES):
            continue
        actions.append(PlaceHold(fo.id, notes))
        refusal = refusal_of_hold(view, fo)
        if refusal is not None and not service_goes_on(fo):
            cases.append(_refused(order, fo, refusal))
    return memory, tuple(actions), tuple(cases)


def look_for_parcels_at(view: View, order: ShopifyOrder) -> datetime | None:
    """When to look for parcels that Shopify has not made yet, so that they can be held; None when they are there."""
    return routing.look_for_parcels_at(order, order.created_at, view.now)


def releases(view: View, order: ShopifyOrder) -> tuple[Action, ...]:
    """Our holds come off every open parcel of the order."""
    return tuple(
        ReleaseHold(fo.id, hold_ids)
        for fo in order.fulfillment_orders
        if fo.is_open and (hold_ids := our_holds(fo, view.rules))
    )


def _released_by_others(view: View, memory: Memory, order: ShopifyOrder, fo: FulfillmentOrder) -> Memory:
    before = rehold_of(fo, memory)
    rehold = before or Rehold(fo.id, view.now, 0)
    rehold = replace(rehold, at=view.now, times=rehold.times + 1)
    memory = replace(
        memory,
        kin_held=tuple(held for held in memory.kin_held if held != fo.id),
        reholds=(*(known for known in memory.reholds if known is not before), rehold),
    )
    if rehold.times < MOST_RELEASES:
        return memory
    return with_release_told(
        memory,
        fo,
        view.now,
        f"Somebody released our hold on order {order.name} again although more than one order may stand for this sale. "
        "Interlock does not place it a third time. Tell the warehouse not to ship it before that is settled, or put the "
        "fulfillment order on hold yourself.",
    )


def _at_a_service(order: ShopifyOrder, fo: FulfillmentOrder) -> Case:
    """A hold can be taken off an order that turns out to be a stranger's; a request that its service gave back cannot be
    made again by us. So stopping the service is left to people until it is known what the order is."""
    asked = {
        "ASKED": "The service was asked in Shopify to stop and has not answered: ring it",
        "REFUSED": "The service was asked in Shopify to stop and refused: ring it",
    }.get(fo.stop_request, "Ring the service, or cancel the request in Shopify")
    return _cannot(
        order,
        fo,
        f"A fulfilment service has a parcel of order {order.name}. A hold does not recall it, and Interlock cannot stop it: it "
        f"asks no service to stop an order that may be another sale's. {asked}",
        facts=(("location", fo.location_id.rpartition("/")[2]),),
    )


def _refused(order: ShopifyOrder, fo: FulfillmentOrder, refusal: OpenOperation) -> Case:
    said = f"Shopify refused to put a parcel of order {order.name} on hold: “{refusal.words}”. Tell the warehouse to wait"
    return _cannot(order, fo, said, (Option.SEND_AGAIN,), refusal.code)


def _cannot(
    order: ShopifyOrder,
    fo: FulfillmentOrder,
    said: str,
    options: tuple[Option, ...] = (),
    code: str = "",
    facts: tuple[tuple[str, str], ...] = (),
) -> Case:
    return Case(
        Reason.CANNOT_HOLD,
        fo.id,
        f"{said}: more than one order may stand for this sale, and it must not move before that is settled.",
        options,
        (
            ("order", order.name),
            ("status", fo.status),
            ("request", fo.request_status),
            *((("code", code),) if code else ()),
            *facts,
        ),
    )
