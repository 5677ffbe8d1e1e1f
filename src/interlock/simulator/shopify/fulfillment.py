"""Routing, holds and shipments: the fulfilment gate of reference 10 and 11."""

from collections.abc import Callable
from dataclasses import astuple, replace
from datetime import datetime, timedelta
from typing import Any

from interlock.simulator.shopify import payloads, stock
from interlock.simulator.shopify.acts import Act, system_act
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import (
    Actor,
    Address,
    App,
    Fulfillment,
    FulfillmentLine,
    FulfillmentOrder,
    FulfillmentOrderLine,
    Hold,
    LineItem,
    Location,
    Order,
    Tracking,
)
from interlock.simulator.switches import Switches

HOLDS_PER_APP = 10
HANDLE_LENGTH = 64

# Carriers with an automatic tracking link (a few of reference 11's list; others get no link).
_TRACKING_PAGES = {
    "Canada Post": "https://www.canadapost-postescanada.ca/track-reperage/en#/details/{}",
    "UPS": "https://www.ups.com/WebTracking?trackNums={}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={}",
    "DHL Express": "https://www.dhl.com/en/express/tracking.html?AWB={}",
    "Royal Mail": "https://www.royalmail.com/track-your-item#/tracking-results/{}",
    "USPS": "https://tools.usps.com/go/TrackConfirmAction?tLabels={}",
    "Chronopost": "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={}",
}


def copy_address(value: Address | None) -> Address | None:
    """Fulfilment orders keep a snapshot of their destination (reference 15.16)."""
    if value is None:
        return None
    return Address(
        value.first_name,
        value.last_name,
        value.company,
        value.address1,
        value.address2,
        value.city,
        value.province,
        value.province_code,
        value.zip,
        value.country_code,
        value.phone,
        value.number,
    )


def goes_astray(order: FulfillmentOrder) -> bool:
    """Whether something is left to ship from it, and its destination is not the order's address (reference 15.16)."""
    if not any(item.remaining > 0 and item.line.requires_shipping for item in order.lines):
        return False
    there, wanted = order.destination, order.order.shipping_address
    if there is None or wanted is None:
        return there is not wanted
    return _place(there) != _place(wanted)


def _place(address: Address) -> tuple[Any, ...]:
    """What of an address names the place a label sends to. The province is written there too, but names no other place than
    street, postcode, city and country do: one side may show it where the other does not."""
    return astuple(replace(address, number=0, phone=None, province=None, province_code=None))


def begin_routing(act: Act, order: Order) -> None:
    """Fulfilment orders come at once or after a delay (switch `routing`, reference 5.1)."""
    when = act.world.switches["routing"]
    if when == "at_creation":
        _route(act, order)
        return
    low, high = (1.0, 8.0) if when == "after_seconds" else (30.0, 300.0)
    delay = act.world.rng("routing").uniform(low, high)
    world, shop = act.world, act.shop

    async def later() -> None:
        routed = system_act(world, shop)
        _route(routed, order)
        routed.finish()

    world.schedule(world.clock.now() + timedelta(seconds=delay), later)


def _route(act: Act, order: Order) -> None:
    order.routed = True
    if order.cancelled_at:
        return
    by_location: dict[int, list[LineItem]] = {}
    for line in order.lines:
        if line.unfulfilled_quantity <= 0:
            continue
        claimed = next((number for number, units in line.claims.items() if units > 0), None)
        number = claimed or stock.route(act.shop, line.variant, line.unfulfilled_quantity).number
        by_location.setdefault(number, []).append(line)
    for number, lines in by_location.items():
        created = _new(
            act, order, act.shop.locations[number], [(line, line.unfulfilled_quantity) for line in lines]
        )
        _announce(act, "FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE", created)
        if created.location.service is not None and created.location.service.auto_request:
            act.world.hand_over(created)
    act.touch(order)


def _new(act: Act, order: Order, location: Location, units: list[tuple[LineItem, int]]) -> FulfillmentOrder:
    created = FulfillmentOrder(
        act.number(),
        order,
        location,
        [FulfillmentOrderLine(act.number(), line, count, count) for line, count in units],
        copy_address(order.shipping_address),
        act.now,
        act.now,
    )
    order.fulfillment_orders.append(created)
    act.shop.fulfillment_orders[created.number] = created
    return created


def _announce(act: Act, topic: str, order: FulfillmentOrder) -> None:
    act.announce(topic, order.order.gid, lambda _app: payloads.fulfillment_order(order))


def supported_actions(order: FulfillmentOrder, app: App | None, switches: Switches) -> list[str]:
    """The table of reference 10.1."""
    partly_holdable = switches["partly_fulfilled_holdable"] == "yes"
    submitted_holdable = switches["hold_of_submitted_request"] == "offered"
    status = order.status
    if status in ("CLOSED", "CANCELLED"):
        return []
    if status == "ON_HOLD":
        mine = sum(1 for hold in order.holds if hold.app is app)
        return ["RELEASE_HOLD", "MOVE"] if mine >= HOLDS_PER_APP else ["RELEASE_HOLD", "HOLD", "MOVE"]
    if status == "SCHEDULED":
        return ["MARK_AS_OPEN", *(["HOLD"] if switches["scheduled_holdable"] == "yes" else [])]
    if order.with_service:
        # what a service has taken on cannot be held any more, only asked back (reference 10.2, 10.4)
        asked = ["REQUEST_CANCELLATION"] if order.request == "ACCEPTED" else []
        return ["CREATE_FULFILLMENT", *asked]
    if order.request == "SUBMITTED":
        return ["REQUEST_CANCELLATION", *(["HOLD"] if submitted_holdable else [])]
    if order.progress_reported:
        return ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "HOLD", "MARK_AS_OPEN"]
    if order.partly_fulfilled:
        actions = ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE"]
        return [*actions, "HOLD"] if partly_holdable else actions
    actions = ["CREATE_FULFILLMENT", "REPORT_PROGRESS", "MOVE", "HOLD"]
    if order.location.fulfillment_service:
        actions.append("REQUEST_FULFILLMENT")
    if order.remaining > 1:
        actions.append("SPLIT")
    if any(
        other is not order and other.status == "OPEN" and other.location is order.location
        for other in order.order.fulfillment_orders
    ):
        actions.append("MERGE")
    return actions


def hold(
    act: Act,
    order: FulfillmentOrder,
    *,
    reason: str,
    handle: str = "",
    notes: str | None = None,
    parts: list[tuple[FulfillmentOrderLine, int]] | None = None,
) -> tuple[Hold, FulfillmentOrder | None]:
    """Place a hold (reference 10.2); with `parts` only those units are held and the rest moves to a new fulfilment
    order. Returns the hold and that rest. Raises Refused with the typed codes."""
    app = act.actor.app
    mine = [item for item in order.holds if item.app is app]
    if len(handle) > HANDLE_LENGTH:
        raise Refused(
            f"Handle is too long (maximum is {HANDLE_LENGTH} characters)", ("fulfillmentHold", "handle")
        )
    if any(item.handle == handle for item in mine) and app is not None:
        raise Refused(
            "The handle of a fulfillment hold must be unique for the app on the fulfillment order.",
            ("fulfillmentHold", "handle"),
            "DUPLICATE_FULFILLMENT_HOLD_HANDLE",
        )
    if order.label_pending and act.world.switches["hold_during_label_purchase"] == "hold_refused":
        raise Refused("The fulfillment order cannot be held: a label is being bought for it.", ("id",))
    if len(mine) >= HOLDS_PER_APP:
        raise Refused(
            f"The maximum number of holds ({HOLDS_PER_APP}) of an app on a fulfillment order has been reached.",
            ("id",),
            "FULFILLMENT_ORDER_HOLD_LIMIT_REACHED",
        )
    if "HOLD" not in supported_actions(order, app, act.world.switches):
        raise Refused(f"The fulfillment order cannot be held: its status is {order.status.lower()}.", ("id",))
    rest = _split(act, order, parts) if parts else None
    placed = Hold(act.number(), reason, notes, handle, app, act.actor, act.now)
    was_held = bool(order.holds)
    order.holds.append(placed)
    order.updated_at = act.now
    act.touch(order.order)
    gid = order.order.gid
    act.announce(
        "FULFILLMENT_HOLDS_ADDED", gid, lambda receiver: payloads.hold_event(order, placed, receiver)
    )
    if not was_held:
        act.announce(
            "FULFILLMENT_ORDERS_PLACED_ON_HOLD",
            gid,
            lambda receiver: payloads.placed_on_hold(order, placed, receiver, rest),
        )
    act.effect(
        "hold_placed",
        gid,
        app=None if app is None else app.name,
        handle=handle,
        hold_id=placed.gid,
        fulfillment_order=order.gid,
    )
    return placed, rest


def _split(
    act: Act, order: FulfillmentOrder, parts: list[tuple[FulfillmentOrderLine, int]]
) -> FulfillmentOrder | None:
    if order.holds:
        raise Refused("The fulfillment order is not splittable.", ("id",), "FULFILLMENT_ORDER_NOT_SPLITTABLE")
    numbers = [item.number for item, _ in parts]
    if len(numbers) != len(dict.fromkeys(numbers)):
        raise Refused(
            "The fulfillment order line items are not unique.",
            ("fulfillmentHold", "fulfillmentOrderLineItems"),
            "DUPLICATED_FULFILLMENT_ORDER_LINE_ITEMS",
        )
    for item, units in parts:
        if units <= 0:
            raise Refused("Quantity must be greater than 0.", ("fulfillmentHold",), "GREATER_THAN_ZERO")
        if units > item.remaining:
            raise Refused("Invalid line item quantity.", ("fulfillmentHold",), "INVALID_LINE_ITEM_QUANTITY")
    held = {item.number: units for item, units in parts}
    moved = [
        (item.line, item.remaining - held.get(item.number, 0))
        for item in order.lines
        if item.remaining > held.get(item.number, 0)
    ]
    if not moved:
        return None
    for item in order.lines:
        leaving = item.remaining - held.get(item.number, 0)
        item.remaining -= leaving
        item.total -= leaving
    order.split_rest = _new(act, order.order, order.location, moved)
    return order.split_rest


def release(act: Act, order: FulfillmentOrder, hold_numbers: list[int] | None) -> None:
    """Release holds. None releases everybody's (reference 10.3). Raises Refused."""
    if hold_numbers is None:
        chosen = list(order.holds)
    else:
        chosen = [item for item in order.holds if item.number in hold_numbers]
        foreign = [item for item in chosen if act.actor.app is not None and item.app is not act.actor.app]
        if foreign and act.world.switches["release_of_foreign_hold"] == "refused":
            raise Refused("The app cannot release this hold.", ("holdIds",), "INVALID_ACCESS")
    _lift(act, order, chosen)


def _lift(act: Act, order: FulfillmentOrder, chosen: list[Hold], actor: Actor | None = None) -> None:
    if not chosen:
        return
    gid = order.order.gid
    for item in chosen:
        order.holds.remove(item)
        act.announce("FULFILLMENT_HOLDS_RELEASED", gid, _hold_event(order, item))
        act.effect(
            "hold_released",
            gid,
            actor=actor,
            app=None if item.app is None else item.app.name,
            handle=item.handle,
            hold_id=item.gid,
            fulfillment_order=order.gid,
            astray=goes_astray(order),
        )
    order.updated_at = act.now
    act.touch(order.order)
    if order.holds:
        return
    _merge_back(act, order)
    if order.open:
        _announce(act, "FULFILLMENT_ORDERS_HOLD_RELEASED", order)


def _hold_event(order: FulfillmentOrder, item: Hold) -> Callable[[App | None], dict[str, Any]]:
    return lambda receiver: payloads.hold_event(order, item, receiver)


def _merge_back(act: Act, order: FulfillmentOrder) -> None:
    """Releasing a partial hold merges the rest back and closes the sibling (recorded, reference 10.1)."""
    rest, order.split_rest = order.split_rest, None
    if rest is None or rest.status != "OPEN":
        return
    for item in rest.lines:
        own = next((mine for mine in order.lines if mine.line is item.line), None)
        if own is None:
            order.lines.append(item)
        else:
            own.total += item.total
            own.remaining += item.remaining
    rest.lines = [FulfillmentOrderLine(item.number, item.line, 0, 0) for item in rest.lines]
    _ended(act, rest)


def add_units(act: Act, line: LineItem, units: int, location: Location) -> None:
    """Where an edit's addition lands (reference 7.3; switches `edit_addition`, `held_absorbs_additions`)."""
    order = line.order
    if not order.routed or units == 0:
        return
    target: FulfillmentOrder | None = None
    candidates = [item for item in order.fulfillment_orders if item.open and item.location is location]
    if act.world.switches["held_absorbs_additions"] == "yes":
        target = next((item for item in candidates if item.holds), None)
    if target is None and act.world.switches["edit_addition"] == "open_fulfillment_order":
        target = next((item for item in candidates if not item.holds), None)
    if target is None:
        created = next((item for item in candidates if item.number in act.born), None)
        if created is None:
            created = _new(act, order, location, [])
            act.born.append(created.number)
            _announce(act, "FULFILLMENT_ORDERS_ORDER_ROUTING_COMPLETE", created)
        target = created
    own = next((item for item in target.lines if item.line is line), None)
    if own is None:
        target.lines.append(FulfillmentOrderLine(act.number(), line, units, units))
    else:
        own.total += units
        own.remaining += units
    target.updated_at = act.now


def remove_units(act: Act, line: LineItem, units: int) -> None:
    """A removal shrinks fulfilment-order lines, youngest fulfilment orders first; empty ones close."""
    left = units
    for order in reversed(line.order.fulfillment_orders):
        if not order.open or left == 0:
            continue
        for item in order.lines:
            if item.line is not line or left == 0:
                continue
            taken = min(left, item.remaining)
            if taken == 0:
                continue
            item.remaining -= taken
            item.total -= taken
            left -= taken
            order.updated_at = act.now
            if order.holds and act.world.switches["edit_on_held_order"] == "drops_hold":
                _lift(act, order, list(order.holds))
        if order.remaining == 0:
            _close(act, order)


def _close(act: Act, order: FulfillmentOrder) -> None:
    _ended(act, order)
    order.progress_reported = False
    if order.holds:
        _lift(act, order, list(order.holds))
    order.updated_at = act.now


def _ended(act: Act, order: FulfillmentOrder) -> None:
    order.closed = True
    order.closed_at = act.world.clock.now()


def reopen_in_new(act: Act, order: FulfillmentOrder) -> FulfillmentOrder:
    """Close a fulfilment order and put what it still had to ship into a new one."""
    left = [(item.line, item.remaining) for item in order.lines if item.remaining]
    for item in order.lines:
        item.total -= item.remaining
        item.remaining = 0
    _close(act, order)
    return _new(act, order.order, order.location, left)


def close_all(act: Act, order: Order) -> None:
    """A cancelled order leaves its fulfilment orders with zero quantities (reference 7.4)."""
    stay = act.world.switches["cancel_of_held_order"] == "holds_stay"
    for item in order.fulfillment_orders:
        if not item.open:
            continue
        for line in item.lines:
            line.total -= line.remaining
            line.remaining = 0
        if act.world.switches["cancelled_status"] == "CANCELLED":
            item.cancelled = True
        _ended(act, item)
        item.progress_reported = False
        if item.holds and not stay:
            _lift(act, item, list(item.holds))
        item.updated_at = act.now
        _announce(act, "FULFILLMENT_ORDERS_CANCELLED", item)


def address_changed(act: Act, order: Order) -> None:
    """Whether open fulfilment orders follow a new shipping address is a switch (reference 8, 15.16)."""
    if act.world.switches["address_change_reaches_fulfillment_orders"] == "never":
        return
    for item in order.fulfillment_orders:
        if item.open:
            item.destination = copy_address(order.shipping_address)
            item.updated_at = act.now


def tracking_of(company: str | None, numbers: list[str], urls: list[str]) -> list[Tracking]:
    """One entry per number, with the carrier's own page where the platform knows it."""
    page = _TRACKING_PAGES.get(company or "")
    result = []
    for index, number in enumerate(numbers):
        url = urls[index] if index < len(urls) else None
        result.append(Tracking(company, number, url or (page.format(number) if page else None)))
    if not numbers and (company or urls):
        result.append(Tracking(company, None, urls[0] if urls else None))
    return result


def fulfill(
    act: Act,
    parts: list[tuple[FulfillmentOrder, list[tuple[FulfillmentOrderLine, int]] | None]],
    tracking: list[Tracking],
    display_status: str = "FULFILLED",
    *,
    left_already: bool = False,
) -> Fulfillment:
    """Create a fulfilment (reference 11). `None` for lines means all that remains. Raises Refused: on hold, closed,
    several orders or locations, too many units. `left_already` is a parcel that no hold can recall any more: a service
    that accepted it before (reference 10.4), a label whose purchase was under way."""
    if not parts:
        raise Refused("Line items by fulfillment order can't be blank.", ("fulfillment",))
    first = parts[0][0]
    for order, _ in parts:
        if order.order is not first.order or order.location is not first.location:
            raise Refused(
                "All fulfillment orders must belong to the same order and location.", ("fulfillment",)
            )
        gone = left_already and order.status == "ON_HOLD"
        if order.status not in ("OPEN", "IN_PROGRESS") and not gone:
            raise Refused(
                f"Fulfillment order {order.number} has an unfulfillable status= {order.status.lower()}.",
                ("fulfillment",),
            )
    picked: list[tuple[FulfillmentOrder, FulfillmentOrderLine, int]] = []
    for order, lines in parts:
        for item, units in [(item, item.remaining) for item in order.lines] if lines is None else lines:
            if lines is not None and units <= 0:
                raise Refused("Quantity must be greater than 0", ("fulfillment",))
            if units > item.remaining:
                raise Refused("Invalid fulfillment order line item quantity requested.", ("fulfillment",))
            if units:
                picked.append((order, item, units))
    if not picked:
        raise Refused("There is nothing left to fulfill.", ("fulfillment",))
    target = first.order
    lines_made = [
        FulfillmentLine(act.number(), item.line, units, item, order) for order, item, units in picked
    ]
    made = Fulfillment(
        act.number(),
        target,
        f"{target.name}-F{len(target.fulfillments) + 1}",
        first.location,
        lines_made,
        tracking,
        act.now,
        act.now,
        display_status,
    )
    for order, item, units in picked:
        item.remaining -= units
        item.line.fulfilled += units
        stock.ship(act, item.line, units)
        order.updated_at = act.now
        if made not in order.fulfillments:
            order.fulfillments.append(made)
    for order, _ in parts:
        if order.remaining == 0:
            _close(act, order)
            if order.request != "UNSUBMITTED":
                order.request = "CLOSED"
    target.fulfillments.append(made)
    act.shop.fulfillments[made.number] = made
    act.touch(target)
    act.timeline(target, "fulfillment_success", "Items were fulfilled.")
    act.announce("FULFILLMENTS_CREATE", target.gid, lambda _app: payloads.fulfillment(made))
    whole = target.fulfillment_status == "FULFILLED"
    act.announce(
        "ORDERS_FULFILLED" if whole else "ORDERS_PARTIALLY_FULFILLED",
        target.gid,
        lambda _app: payloads.order(target),
    )
    act.effect(
        "fulfillment_created",
        target.gid,
        fulfillment=made.gid,
        fulfillment_order=first.gid,
        lines=[
            {"line_id": item.line.gid, "sku": item.line.sku, "quantity": item.quantity} for item in lines_made
        ],
        tracking=[(item.company, item.number) for item in tracking],
        display_status=display_status,
    )
    return made


def update_tracking(act: Act, value: Fulfillment, tracking: list[Tracking]) -> None:
    """Replaces all tracking, also on cancelled or delivered ones (reference 11)."""
    value.tracking = tracking
    value.updated_at = act.now
    act.touch(value.order)
    act.announce("FULFILLMENTS_UPDATE", value.order.gid, lambda _app: payloads.fulfillment(value))
    act.effect(
        "tracking_updated",
        value.order.gid,
        fulfillment=value.gid,
        tracking=[(item.company, item.number) for item in tracking],
    )


def change_display_status(act: Act, value: Fulfillment, status: str) -> None:
    """How far the parcel is, as Shopify shows it (reference 11)."""
    value.display_status = status
    value.updated_at = act.now
    act.touch(value.order)
    act.announce("FULFILLMENTS_UPDATE", value.order.gid, lambda _app: payloads.fulfillment(value))
    act.effect("display_status_changed", value.order.gid, fulfillment=value.gid, display_status=status)


def cancel(act: Act, value: Fulfillment) -> None:
    """Reopens the units in new fulfilment orders; cancelling again succeeds silently (reference 11)."""
    if value.status == "CANCELLED":
        return
    value.status = "CANCELLED"
    value.display_status = "CANCELED"
    value.updated_at = act.now
    order = value.order
    reopened: list[tuple[LineItem, int]] = []
    for item in value.lines:
        item.line.fulfilled -= item.quantity
        stock.unship(act, item.line, item.quantity, value.location)
        reopened.append((item.line, item.quantity))
    _new(act, order, value.location, reopened)
    act.touch(order)
    act.announce("FULFILLMENTS_UPDATE", order.gid, lambda _app: payloads.fulfillment(value))
    act.effect("fulfillment_cancelled", order.gid, fulfillment=value.gid)


# What staff and routing do to fulfilment orders (reference 10.1: their ids are not stable)


def split(
    act: Act, order: FulfillmentOrder, parts: list[tuple[FulfillmentOrderLine, int]]
) -> FulfillmentOrder:
    """fulfillmentOrderSplit: these units move to a new fulfilment order. Only an open one can be split."""
    if order.status != "OPEN" or order.request not in ("UNSUBMITTED", "REJECTED", "CANCELLATION_ACCEPTED"):
        raise Refused(f"The fulfillment order cannot be split: it is {order.status.lower()}.", ("id",))
    if any(units <= 0 or units > item.remaining for item, units in parts) or not parts:
        raise Refused("Invalid line item quantity.", ("fulfillmentOrderLineItems",))
    if sum(units for _, units in parts) >= order.remaining:
        raise Refused("Something has to remain in the fulfillment order.", ("fulfillmentOrderLineItems",))
    made = _take_out(act, order, parts, order.location)
    act.announce(
        "FULFILLMENT_ORDERS_SPLIT",
        order.order.gid,
        lambda _app: payloads.fulfillment_order_split(order, made),
    )
    act.effect("fulfillment_order_split", order.order.gid, fulfillment_order=order.gid, into=made.gid)
    return made


def _take_out(
    act: Act,
    order: FulfillmentOrder,
    parts: list[tuple[FulfillmentOrderLine, int]],
    location: Location,
) -> FulfillmentOrder:
    for item, units in parts:
        item.total -= units
        item.remaining -= units
    made = _new(act, order.order, location, [(item.line, units) for item, units in parts])
    act.born.append(made.number)
    order.updated_at = act.now
    act.touch(order.order)
    return made


def move(act: Act, order: FulfillmentOrder, location: Location) -> FulfillmentOrder:
    """fulfillmentOrderMove of all that remains; also of a held one (reference 10.1). Whether it keeps its id and its
    holds are switches. Refused for what a service has, or where progress was reported."""
    if not order.open or order.with_service or order.request == "SUBMITTED" or order.progress_reported:
        raise Refused("The fulfillment order cannot be moved in this state.", ("id",))
    if location is order.location:
        raise Refused("The fulfillment order is at this location already.", ("newLocationId",))
    source = order.location
    if act.world.switches["moved_fulfillment_order"] == "same_id":
        order.location = location
        order.updated_at = act.now
        act.touch(order.order)
        moved = order
    else:
        parts = [(item, item.remaining) for item in order.lines if item.remaining]
        moved = _take_out(act, order, parts, location)
        if act.world.switches["moved_keeps_holds"] == "yes":
            moved.holds, order.holds = order.holds, []
        _close(act, order)
    if order is moved and order.holds and act.world.switches["moved_keeps_holds"] == "no":
        _lift(act, order, list(order.holds))
    act.announce(
        "FULFILLMENT_ORDERS_MOVED",
        order.order.gid,
        lambda _app: payloads.fulfillment_order_moved(order, moved, source),
    )
    act.effect("fulfillment_order_moved", order.order.gid, fulfillment_order=order.gid, into=moved.gid)
    return moved


def merge(act: Act, orders: list[FulfillmentOrder]) -> FulfillmentOrder:
    """fulfillmentOrderMerge: open siblings at one location become the first of them."""
    if len(orders) < 2 or any(
        item.status != "OPEN" or item.location is not orders[0].location or item.order is not orders[0].order
        for item in orders
    ):
        raise Refused("The fulfillment orders cannot be merged.", ("fulfillmentOrderMergeInputs",))
    first, *others = orders
    for other in others:
        for item in other.lines:
            own = next((mine for mine in first.lines if mine.line is item.line), None)
            if own is None:
                first.lines.append(FulfillmentOrderLine(act.number(), item.line, item.total, item.remaining))
            else:
                own.total += item.total
                own.remaining += item.remaining
            item.total = item.remaining = 0
        _close(act, other)
    first.updated_at = act.now
    act.touch(first.order)
    act.announce(
        "FULFILLMENT_ORDERS_MERGED",
        first.order.gid,
        lambda _app: payloads.fulfillment_orders_merged(first, orders),
    )
    act.effect("fulfillment_orders_merged", first.order.gid, fulfillment_order=first.gid)
    return first


def schedule(act: Act, order: FulfillmentOrder, at: datetime) -> None:
    """The fulfilment order waits for its time; given another time, it is rescheduled."""
    if order.status not in ("OPEN", "SCHEDULED"):
        raise Refused("The fulfillment order cannot be rescheduled in this state.", ("id",))
    order.scheduled_for = at
    order.updated_at = act.now
    act.touch(order.order)
    act.announce(
        "FULFILLMENT_ORDERS_RESCHEDULED",
        order.order.gid,
        lambda _app: payloads.fulfillment_order_rescheduled(order),
    )
    act.effect("fulfillment_order_scheduled", order.order.gid, fulfillment_order=order.gid)


def ready(act: Act, order: FulfillmentOrder) -> None:
    """A scheduled fulfilment order's time has come, or somebody opened it."""
    order.scheduled_for = None
    order.updated_at = act.now
    act.touch(order.order)
    _announce(act, "FULFILLMENT_ORDERS_SCHEDULED_FULFILLMENT_ORDER_READY", order)


def progress(act: Act, order: FulfillmentOrder, *, started: bool) -> None:
    """Somebody reports that picking has begun, or takes that back (reference 10.5)."""
    before = order.status
    order.progress_reported = started
    order.updated_at = act.now
    act.touch(order.order)
    topic = "PROGRESS_REPORTED" if started else "MANUALLY_REPORTED_PROGRESS_STOPPED"
    act.announce(
        f"FULFILLMENT_ORDERS_{topic}",
        order.order.gid,
        lambda _app: payloads.fulfillment_order_progress(order, before),
    )
