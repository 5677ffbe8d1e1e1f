"""Two live Shopify orders stand for one marketplace order: both wait until one of them is cancelled."""

from dataclasses import replace
from datetime import datetime, timedelta

from interlock.orders.actions import Action, PlaceHold, ReleaseHold
from interlock.orders.memory import Incident, Memory, Rehold
from interlock.orders.plan import Case, Part, earliest
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, FulfillmentOrder, ShopifyOrder
from interlock.orders.view import View

NOTES = (
    "Interlock: another Shopify order stands for the same marketplace order. Ship neither before one of the two is "
    "cancelled; which one is on the order's page in Interlock."
)
"""Shown to staff on the second order's hold. Always the same words, so that the hold is recognised."""

REPLACING_TAKES = timedelta(seconds=30)
"""An editing app makes the new order first and cancels the old one a moment later. Both are held at once; the urgent
incident opens when both still live after this."""


def decide(view: View, memory: Memory) -> Part:
    """Hold the linked order's twins and the linked order itself, tell somebody, and end it on evidence.

    Nothing is cancelled here: which of two orders a customer should get, software does not know. A twin that cannot be
    seen neither opens nor closes anything.
    """
    shopify = view.shopify
    if shopify is None or not memory.shopify_order_id or shopify.id != memory.shopify_order_id:
        return Part(memory)
    part = Part(memory)
    for twin in view.twins:
        if twin.id == shopify.id:
            continue
        said = _one(view, part.memory, shopify, twin)
        part = Part(
            said.memory,
            (*part.actions, *said.actions),
            (*part.cases, *said.cases),
            (*part.keep_held, *said.keep_held),
            look_at=earliest(part.look_at, said.look_at),
        )
    return part


def _one(view: View, memory: Memory, shopify: ShopifyOrder, twin: ShopifyOrder) -> Part:
    incident = memory.incident(Reason.TWO_LIVE_ORDERS, twin.id)
    if not twin.live:
        return Part(_closed(memory, incident, view.now, f"Order {twin.name} is cancelled."))
    if not shopify.live:
        # One of the two is gone. Whether the other takes over, or has to go too, is the question of endings.
        if view.mirakl is None or view.mirakl.state not in DEAD:
            memory = _closed(memory, incident, view.now, f"Order {shopify.name} is cancelled.")
        foreign = memory.decision(Reason.POSSIBLE_SUCCESSOR, twin.id)
        free = foreign is not None and foreign.option is Option.NO_SUCCESSOR
        return Part(memory, _releases(view, twin) if free else ())
    if incident is not None and incident.closed_at is not None:
        # A person said that the two do not stand for the same sale.
        return Part(memory, _releases(view, twin))
    held = (
        f"Order {twin.name} stands for the same marketplace order; one of the two has to be cancelled first."
    )
    opens_at = twin.created_at + REPLACING_TAKES
    if incident is None and view.now >= opens_at:
        memory = memory.with_incident(
            Incident(Reason.TWO_LIVE_ORDERS, twin.id, view.now, _sentence(shopify, twin))
        )
    memory, holds = _holds(view, memory, twin)
    return Part(
        memory,
        holds,
        tuple(_cannot_hold(twin, fo) for fo in twin.fulfillment_orders if fo.is_open and not fo.can_hold),
        keep_held=(held,),
        look_at=opens_at if view.now < opens_at else None,
    )


def _sentence(shopify: ShopifyOrder, twin: ShopifyOrder) -> str:
    gone = [order.name for order in (shopify, twin) if any(f.live for f in order.fulfillments)]
    on_its_way = f" Units of {' and '.join(gone)} already have a label or are on their way." if gone else ""
    return (
        f"Shopify orders {shopify.name} and {twin.name} both stand for this marketplace order. Both are held and "
        f"neither is cancelled by itself.{on_its_way} Decide which one the customer should get and cancel the other in "
        "Shopify with its stock put back; the rest goes on by itself. If they are two different sales, say so."
    )


def _closed(memory: Memory, incident: Incident | None, at: datetime, because: str) -> Memory:
    if incident is None or incident.closed_at is not None:
        return memory
    closed = replace(incident, closed_at=at, closed_because=because)
    return replace(memory, incidents=tuple(closed if i is incident else i for i in memory.incidents))


def _our_holds(view: View, fo: FulfillmentOrder) -> tuple[str, ...]:
    return tuple(hold.id for hold in fo.holds if hold.ours and hold.handle == view.rules.hold_handle)


def _holds(view: View, memory: Memory, twin: ShopifyOrder) -> tuple[Memory, tuple[Action, ...]]:
    """A hold that others took off is placed once more and then left to people: the incident is open."""
    actions: list[Action] = []
    for fo in twin.fulfillment_orders:
        if not fo.is_open:
            continue
        before = next((rehold for rehold in memory.reholds if rehold.fulfillment_order_id == fo.id), None)
        times = 0 if before is None else before.times
        if _our_holds(view, fo):
            if fo.id not in memory.twins_held:
                memory = replace(memory, twins_held=(*memory.twins_held, fo.id))
            continue
        if fo.id in memory.twins_held:
            times += 1
            memory = replace(
                memory,
                twins_held=tuple(held for held in memory.twins_held if held != fo.id),
                reholds=(*(r for r in memory.reholds if r is not before), Rehold(fo.id, view.now, times)),
            )
        if fo.can_hold and times < 2:
            actions.append(PlaceHold(fo.id, NOTES))
    return memory, tuple(actions)


def _releases(view: View, twin: ShopifyOrder) -> tuple[Action, ...]:
    return tuple(
        ReleaseHold(fo.id, hold_ids)
        for fo in twin.fulfillment_orders
        if fo.is_open and (hold_ids := _our_holds(view, fo))
    )


def _cannot_hold(twin: ShopifyOrder, fo: FulfillmentOrder) -> Case:
    return Case(
        Reason.CANNOT_HOLD,
        fo.id,
        f"Shopify does not offer to put a parcel of order {twin.name} on hold although another order stands for the "
        "same sale. Tell the warehouse to ship neither before one of the two is cancelled.",
        (Option.SEND_AGAIN,),
        (("order", twin.name), ("status", fo.status), ("request", fo.request_status)),
    )
