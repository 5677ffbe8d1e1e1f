"""What goes wrong around a dispatch without a call of ours: the deadline comes near, only a part has left, or a parcel the
marketplace was told of has come back."""

from datetime import datetime, timedelta

from interlock.orders.agreement import (
    agreed_quantities,
    fulfilled_quantities,
    standing_quantities,
)
from interlock.orders.leaving import as_it_left, stays_here, with_parcel_back
from interlock.orders.memory import Memory
from interlock.orders.plan import Case, Part, earliest
from interlock.orders.reasons import Reason, Severity
from interlock.orders.refunded import goods_are_refunded
from interlock.orders.snapshots import GONE_OUT, TO_SHIP, MiraklOrder, ShopifyOrder
from interlock.orders.view import View

NEAR, VERY_NEAR = 0.6, 0.75
"""From which part of the time to ship on a person is told, and from which on it is urgent."""
TIME_LEFT = timedelta(minutes=30)
"""However short the time to ship is, so much of it is left when it is urgent."""
MAY_SHIP_WITHIN = timedelta(minutes=15)
"""So long after a parcel left the marketplace may take to let the shop say so."""
REST_FOLLOWS_WITHIN = timedelta(hours=2)
"""So long the rest of an order may follow its first parcel before somebody is asked."""


def watched(view: View, memory: Memory) -> Part:
    """The cases about an order's dispatch that ask for no call."""
    mirakl = view.mirakl
    if mirakl is None:
        return Part(memory)
    shopify = None if view.shopify is None else as_it_left(view.shopify, memory)
    if mirakl.state in GONE_OUT:
        return _sent(view, _came_back(view, memory, mirakl, shopify), mirakl, shopify)
    if mirakl.state not in TO_SHIP:
        return Part(memory)
    found: list[tuple[Case | None, datetime | None]] = []
    if mirakl.shipping_deadline is not None:
        found.append(_deadline(view, memory, mirakl, mirakl.shipping_deadline, shopify))
    if shopify is not None and shopify.live:
        found.append(_only_a_part(view, memory, mirakl, shopify))
        found.append(_may_not_ship(view, mirakl, shopify))
    cases = tuple(case for case, _ in found if case is not None)
    return Part(memory, cases=cases, look_at=earliest(*(at for _, at in found)))


# -- the deadline ------------------------------------------------------------------------------------------


def _deadline(
    view: View,
    memory: Memory,
    mirakl: MiraklOrder,
    deadline: datetime,
    shopify: ShopifyOrder | None,
) -> tuple[Case | None, datetime | None]:
    """The case about a shipping deadline that comes near, and when it has to be looked at next (OR11
    `shipping_deadline`)."""
    rungs = _rungs(mirakl, deadline)
    next_at = next((rung for rung in rungs if rung > view.now), None)
    reached = [rung for rung in rungs if rung <= view.now]
    if not reached:
        return None, next_at
    severity: Severity = "today" if len(reached) == 1 else "urgent"
    what = "is over" if len(reached) == len(rungs) else "comes near"
    why = "Nothing of the order has left in Shopify yet."
    if shopify is not None and any(fulfillment.live for fulfillment in shopify.fulfillments):
        why = (
            "A parcel has left in Shopify, but the marketplace has not been told of the whole order yet: the other cases of "
            "this order, or its story, say why."
        )
    if view.shopify is not None and any(stays_here(parcel, memory) for parcel in view.shopify.fulfillments):
        why = (
            f"{why} The label of a parcel was given back in Shopify: buy another one for its fulfillment, or cancel that "
            "fulfillment, so that its units can be packed anew."
        )
    case = Case(
        Reason.SHIPPING_DEADLINE_NEAR,
        "order",
        f"The time to ship this order {what}. {why} Send the parcel, settle what holds it, or agree with the marketplace on "
        "a later date; otherwise it counts as late, and the marketplace may cancel it.",
        facts=(("Ship until", f"{deadline:%Y-%m-%d %H:%M} UTC"),),
        due_at=deadline,
        due_from=mirakl.to_ship_from,
        severity=severity,
    )
    return case, next_at


def _rungs(mirakl: MiraklOrder, deadline: datetime) -> list[datetime]:
    """When a deadline is near, when very near, and when it is over."""
    began = mirakl.to_ship_from
    latest = max(began, deadline - TIME_LEFT)
    near, very_near = (min(began + (deadline - began) * part, latest) for part in (NEAR, VERY_NEAR))
    return [near, very_near, deadline]


# -- the operator's own logistics ----------------------------------------------------------------------------


def _may_not_ship(
    view: View, mirakl: MiraklOrder, shopify: ShopifyOrder
) -> tuple[Case | None, datetime | None]:
    """The case about a parcel that left although the marketplace does not let the shop ship (OR11 `can_shop_ship`).

    Under PAY_ON_SHIPMENT that also means that the customer's payment is awaited; only a shipment the operator made tells
    the difference there.
    """
    parcels = [fulfillment for fulfillment in shopify.fulfillments if fulfillment.live]
    theirs = any(shipment.alive and not shipment.marker for shipment in mirakl.shipments or ())
    if mirakl.can_ship or not parcels or (mirakl.payment_workflow == "PAY_ON_SHIPMENT" and not theirs):
        return None, None
    asks_at = min(parcel.created_at for parcel in parcels) + MAY_SHIP_WITHIN
    if view.now < asks_at:
        return None, asks_at
    made = "The marketplace's own logistics has made a shipment for it. " if theirs else ""
    case = Case(
        Reason.OPERATOR_SHIPS,
        "order",
        f"A parcel has left in Shopify, but the marketplace does not let the shop say so. {made}Mostly that means that the "
        "operator's logistics fetches the parcels of this shipping method. Look at the order in the portal: say there that "
        "the parcel is ready, or tell the operator that it left with your own carrier.",
        facts=(("Shipping method", mirakl.shipping_type_code),) if mirakl.shipping_type_code else (),
        due_at=mirakl.shipping_deadline,
        due_from=mirakl.to_ship_from,
    )
    return case, None


# -- only a part -------------------------------------------------------------------------------------------


def _only_a_part(
    view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder
) -> tuple[Case | None, datetime | None]:
    """The case about an order of which a part has left and the rest does not follow, where the marketplace can only be
    told of the whole order at once (OR24)."""
    if view.rules.multi_shipment and mirakl.shipments_hidden != "off":
        return None, None
    agreed = agreed_quantities(mirakl, memory)
    fulfilled = dict(fulfilled_quantities(shopify, memory))
    missing = [
        (line_id, quantity - fulfilled.get(line_id, 0))
        for line_id, quantity in agreed
        if quantity > fulfilled.get(line_id, 0)
    ]
    parcels = [fulfillment for fulfillment in shopify.fulfillments if fulfillment.live]
    if not parcels or not missing:
        return None, None
    asks_at = min(parcel.created_at for parcel in parcels) + REST_FOLLOWS_WITHIN
    if mirakl.shipping_deadline is not None:
        # Before the order is late there must be time to do something about it.
        asks_at = min(asks_at, _rungs(mirakl, mirakl.shipping_deadline)[0])
    if view.now < asks_at:
        return None, asks_at
    skus = {line.id: line.sku for line in mirakl.lines}
    rest = ", ".join(f"{units} of {skus[line_id]}" for line_id, units in missing)
    case = Case(
        Reason.PARTIAL_SHIPMENT,
        "order",
        f"A part of the order has left and the rest has not followed: {rest}. This marketplace can only be told of the "
        "whole order at once, so the customer knows of nothing. Send the rest, or take it out of the order.",
        facts=(
            *((skus[line_id], f"{units} still here") for line_id, units in missing),
            ("If it cannot be sent", _without_the_rest(view, mirakl)),
        ),
        due_at=mirakl.shipping_deadline,
        due_from=mirakl.to_ship_from,
    )
    return case, None


def _without_the_rest(view: View, mirakl: MiraklOrder) -> str:
    """How the units that are still here can leave the order: what the marketplace takes now (OR30, OR28)."""
    if mirakl.debited_at is not None:
        return "Take it out of the order in Shopify. The customer has paid for it, so it is refunded at the marketplace."
    if view.rules.partial_cancelation:
        return "Take it out of the order in Shopify. It is cancelled at the marketplace (OR30)."
    return (
        "This marketplace lets a shop cancel whole orders only: ask its operator to cancel the rest, and it is taken out of "
        "the Shopify order by itself."
        if view.rules.mirror_marketplace_changes
        else "This marketplace lets a shop cancel whole orders only: ask its operator to cancel the rest."
    )


# -- a parcel that came back -------------------------------------------------------------------------------


def _came_back(view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder | None) -> Memory:
    """The incident of an order the marketplace shows as shipped whose parcel was cancelled in Shopify afterwards, or its
    label given back. It closes by itself once everything has left anew."""
    if shopify is None or not shopify.live or shopify.id != memory.shopify_order_id:
        return memory
    gone = [fulfillment for fulfillment in shopify.fulfillments if not fulfillment.live]
    fulfilled = dict(fulfilled_quantities(shopify, memory))
    whole = all(fulfilled.get(line_id, 0) >= units for line_id, units in agreed_quantities(mirakl, memory))
    if whole or goods_are_refunded(mirakl, memory):
        because = "Everything has left anew, or was refunded."
        return memory.with_incidents_closed(Reason.FULFILLMENT_CANCELLED, view.now, because)
    if not gone:
        return memory
    parcel = max(gone, key=lambda fulfillment: (fulfillment.created_at, fulfillment.id))
    sentence = (
        "The marketplace shows the order as shipped, but its parcel was cancelled or its label given back in Shopify "
        "afterwards and nothing has left in its place. Find out where the goods are: send them anew, or refund the customer in the marketplace portal "
        "and close this with the reason."
    )
    return with_parcel_back(memory, parcel.id, parcel.id, view.now, sentence)


# -- sent at the marketplace alone ---------------------------------------------------------------------------


def _sent(view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder | None) -> Part:
    """The case about units the marketplace counts as sent, because somebody said so in its portal or with another
    program, while Shopify shows them unfulfilled. Where a parcel came back, its incident asks already."""
    if shopify is None or not shopify.live or shopify.id != memory.shopify_order_id:
        return Part(memory)
    fulfilled = dict(fulfilled_quantities(shopify, memory))
    standing = dict(standing_quantities(shopify, memory))
    here = [
        (line_id, min(units, standing.get(line_id, 0)) - fulfilled.get(line_id, 0))
        for line_id, units in agreed_quantities(mirakl, memory)
        if min(units, standing.get(line_id, 0)) > fulfilled.get(line_id, 0)
    ]
    came_back = any(not fulfillment.live for fulfillment in shopify.fulfillments)
    if not here or came_back or goods_are_refunded(mirakl, memory):
        return Part(memory)
    held = any(
        hold.ours and hold.handle == view.rules.hold_handle
        for fo in shopify.fulfillment_orders
        if fo.is_open
        for hold in fo.holds
    )
    asks_at = (memory.sent_seen_at or view.now) + REST_FOLLOWS_WITHIN
    if not held and view.now < asks_at:
        return Part(memory, look_at=asks_at)
    skus = {line.id: line.sku for line in mirakl.lines}
    rest = ", ".join(f"{units} of {skus[line_id]}" for line_id, units in here)
    hold = " Our hold is still on them." if held else ""
    case = Case(
        Reason.STILL_HERE,
        "order",
        f"The marketplace counts the whole order as sent: somebody said so in its portal. In Shopify {rest} have not left."
        f"{hold} If they still leave, {'take the hold off and ' if held else ''}fulfil them in Shopify; if they left in another "
        "way, mark them as fulfilled there; if they do not leave, refund them in the marketplace portal.",
        facts=tuple((skus[line_id], f"{units} still here") for line_id, units in here),
    )
    return Part(memory, cases=(case,))
