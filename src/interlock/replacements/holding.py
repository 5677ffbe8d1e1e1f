"""Holds on Shopify orders beside the linked one: our app can hold any order's fulfilment orders."""

from dataclasses import replace
from datetime import datetime

from interlock.orders import routing
from interlock.orders.actions import Action, PlaceHold, ReleaseHold
from interlock.orders.memory import Memory, Rehold
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import FulfillmentOrder, ShopifyOrder
from interlock.orders.view import View


def holds(
    view: View, memory: Memory, order: ShopifyOrder, notes: str
) -> tuple[Memory, tuple[Action, ...], tuple[Case, ...]]:
    """Every open parcel of the order on hold, and a case for those that cannot be held. Those that Shopify has not made
    yet are looked for with `look_for_parcels_at`.

    A hold that others took off is placed once more and then left to people: a case about the order is open.
    """
    actions: list[Action] = []
    for fo in order.fulfillment_orders:
        if not fo.is_open:
            continue
        before = next((rehold for rehold in memory.reholds if rehold.fulfillment_order_id == fo.id), None)
        times = 0 if before is None else before.times
        if our_holds(view, fo):
            if fo.id not in memory.kin_held:
                memory = replace(memory, kin_held=(*memory.kin_held, fo.id))
            continue
        if fo.id in memory.kin_held:
            times += 1
            memory = replace(
                memory,
                kin_held=tuple(held for held in memory.kin_held if held != fo.id),
                reholds=(*(r for r in memory.reholds if r is not before), Rehold(fo.id, view.now, times)),
            )
        if fo.can_hold and times < 2:
            actions.append(PlaceHold(fo.id, notes))
    cases = tuple(
        _cannot_hold(order, fo) for fo in order.fulfillment_orders if fo.is_open and not fo.can_hold
    )
    return memory, tuple(actions), cases


def look_for_parcels_at(view: View, order: ShopifyOrder) -> datetime | None:
    """When to look for parcels that Shopify has not made yet, so that they can be held; None when they are there."""
    return routing.look_for_parcels_at(order, order.created_at, view.now)


def releases(view: View, order: ShopifyOrder) -> tuple[Action, ...]:
    """Our holds come off every open parcel of the order."""
    return tuple(
        ReleaseHold(fo.id, hold_ids)
        for fo in order.fulfillment_orders
        if fo.is_open and (hold_ids := our_holds(view, fo))
    )


def our_holds(view: View, fo: FulfillmentOrder) -> tuple[str, ...]:
    """Holds that our app placed under our handle; nobody else's is ever touched."""
    return tuple(hold.id for hold in fo.holds if hold.ours and hold.handle == view.rules.hold_handle)


def _cannot_hold(order: ShopifyOrder, fo: FulfillmentOrder) -> Case:
    return Case(
        Reason.CANNOT_HOLD,
        fo.id,
        f"Shopify does not offer to put a parcel of order {order.name} on hold although another order stands for the "
        "same sale. Tell the warehouse to ship neither before one of the two is cancelled.",
        (Option.SEND_AGAIN,),
        (("order", order.name), ("status", fo.status), ("request", fo.request_status)),
    )
