"""Two live Shopify orders stand for one marketplace order: both wait until one of them is cancelled."""

from datetime import timedelta

from interlock.orders.memory import Incident, Memory
from interlock.orders.plan import Part, earliest
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, ShopifyOrder
from interlock.orders.view import View
from interlock.replacements.evidence import bases_of
from interlock.replacements.holding import holds, look_for_parcels_at, releases

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
    for twin in view.kin:
        if not is_twin(view, memory, twin):
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


def is_twin(view: View, memory: Memory, order: ShopifyOrder) -> bool:
    """Whether the order is a second one of our own making, and no replacement.

    It carries our number and was made by the app that made the linked order, or nobody knows by which. A copy that
    another app made, or that has its place in the lineage, is judged as a replacement.
    """
    shopify = view.shopify
    if shopify is None or order.id == shopify.id or memory.kin(order.id) is not None:
        return False
    marker = f"{view.rules.name}:{view.order_id}"
    ours = marker in (order.traces.attribute, order.marker)
    return ours and order.traces.app in ("", shopify.traces.app) and not bases_of(order.name)


def _one(view: View, memory: Memory, shopify: ShopifyOrder, twin: ShopifyOrder) -> Part:
    incident = memory.incident(Reason.TWO_LIVE_ORDERS, twin.id)
    if not twin.live:
        return Part(_closed(view, memory, twin, because=f"Order {twin.name} is cancelled."))
    if not shopify.live:
        # One of the two is gone. Whether the other takes over, or has to go too, is the question of endings.
        if view.mirakl is None or view.mirakl.state not in DEAD:
            memory = _closed(view, memory, twin, because=f"Order {shopify.name} is cancelled.")
        foreign = memory.decision(Reason.POSSIBLE_SUCCESSOR, twin.id)
        free = foreign is not None and foreign.option is Option.NO_SUCCESSOR
        return Part(memory, releases(view, twin) if free else ())
    if incident is not None and incident.closed_at is not None:
        # A person said that the two do not stand for the same sale.
        return Part(memory, releases(view, twin))
    held = (
        f"Order {twin.name} stands for the same marketplace order; one of the two has to be cancelled first."
    )
    opens_at = twin.created_at + REPLACING_TAKES
    if incident is None and view.now >= opens_at:
        memory = memory.with_incident(
            Incident(Reason.TWO_LIVE_ORDERS, twin.id, view.now, _sentence(shopify, twin))
        )
    memory, placed, cases = holds(view, memory, twin, NOTES)
    return Part(
        memory,
        placed,
        cases,
        keep_held=(held,),
        look_at=earliest(opens_at if view.now < opens_at else None, look_for_parcels_at(view, twin)),
    )


def _closed(view: View, memory: Memory, twin: ShopifyOrder, because: str) -> Memory:
    return memory.with_incidents_closed(Reason.TWO_LIVE_ORDERS, view.now, because, (twin.id,))


def _sentence(shopify: ShopifyOrder, twin: ShopifyOrder) -> str:
    gone = [order.name for order in (shopify, twin) if any(f.live for f in order.fulfillments)]
    on_its_way = f" Units of {' and '.join(gone)} already have a label or are on their way." if gone else ""
    return (
        f"Shopify orders {shopify.name} and {twin.name} both stand for this marketplace order. Both have to "
        f"wait and neither is cancelled by itself.{on_its_way} Decide which one the customer should get and cancel the other in "
        "Shopify with its stock put back; the rest goes on by itself. If they are two different sales, or a second delivery "
        "was agreed with the customer, say so."
    )
