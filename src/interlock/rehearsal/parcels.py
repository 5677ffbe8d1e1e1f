"""Parcels told of one by one: which histories have a marketplace with multi-shipment, and what people do with its parcels.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from functools import partial

from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.rehearsal.world import CARRIER_NAMES
from interlock.simulator.mirakl import MiraklWorld, SimOrder
from interlock.simulator.mirakl.profile import MarketplaceProfile
from interlock.simulator.shopify.state import Fulfillment, FulfillmentOrder

ONE_BY_ONE = (0.0, 0.15)
"""Between these the first choice of a history whose marketplace has multi-shipment falls."""
WHOLE_ORDERS = (0.8, 0.86)
"""Between these it falls where people are as busy with parcels, and the marketplace is told of whole orders."""
UNHEARD = 0.2
"""The share of those with multi-shipment in which nobody hears what became of the first shipment that is made (ST01)."""
IN_THE_PORTAL = 0.1
"""The chance, each time somebody does something with a parcel, that a whole order is said to have left in the portal."""
OPERATOR = 0.1
"""The share of those with multi-shipment in which the operator's own logistics takes a parcel now and then."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:parcel by parcel")


def drawn(seed: int, profile: MarketplaceProfile) -> MarketplaceProfile:
    """The marketplace of this history, with multi-shipment where that is drawn."""
    one_by_one = first_choice_falls(stream(seed), ONE_BY_ONE)
    return profile.changed({"multi_shipment": True}) if one_by_one else profile


def unheard(seed: int) -> tuple[tuple[str, str], ...]:
    """The fault that the first ST01 of this history meets, if that is drawn: the operation and the kind of fault."""
    rng = random.Random(f"{seed}:a shipment unheard")
    if not first_choice_falls(stream(seed), ONE_BY_ONE) or rng.random() >= UNHEARD:
        return ()
    return (("ST01", rng.choice(("reply_lost", "server_error_after", "truncated", "refused_before"))),)


def are_busy(seed: int) -> bool:
    """Whether people do anything with single parcels in this history."""
    return first_choice_falls(stream(seed), ONE_BY_ONE, WHOLE_ORDERS)


async def handle_for_ever(seed: int, crowd: Crowd) -> None:
    """The warehouse sends a part of an order, corrects a number, or takes a parcel back; somebody says in the portal that
    a parcel left; the operator takes one over."""
    rng = stream(seed)
    rng.random()
    portal = random.Random(f"{seed}:a whole order in the portal")
    operator = rng.random() < OPERATOR
    number = 0
    while True:
        await asyncio.sleep(rng.choice((30.0, 120.0, 300.0)) * rng.uniform(0.5, 1.5))
        if not crowd.active:
            continue
        number += 1
        if portal.random() < IN_THE_PORTAL:
            _tell_of_a_whole_order(portal, crowd)
        acts = [_send_a_part, _send_a_part, _correct_a_number, _correct_a_number, _take_back]
        if any(market.profile.multi_shipment for market in crowd.world.mirakl.values()):
            acts += [_tell_in_the_portal, _tell_in_the_portal, _validate_in_the_portal]
            acts += [_operator_takes] if operator else []
        rng.choice(acts)(rng, crowd, number)


# -- the warehouse -----------------------------------------------------------------------------------------


def _send_a_part(rng: random.Random, crowd: Crowd, number: int) -> None:
    """One unit of a line leaves alone."""
    parts: list[FulfillmentOrder] = [
        item
        for order in crowd.world.shopify.shop.orders.values()
        if order.cancelled_at is None
        for item in order.fulfillment_orders
        if item.status in ("OPEN", "IN_PROGRESS")
        and item.remaining > 1
        and not item.label_pending
        and not item.location.fulfillment_service
    ]
    if not parts:
        return
    item = rng.choice(parts)
    line = rng.choice([one.line for one in item.lines if one.remaining])
    company = rng.choice(CARRIER_NAMES[:3])
    sent = partial(
        crowd.world.shopify.fulfill,
        item,
        company=company,
        number=f"PART{number:06d}",
        units=[(line.gid, 1)],
        display_status="LABEL_PRINTED",
    )
    crowd.attempt("part of an order left", sent)


def parcels_made(crowd: Crowd) -> list[Fulfillment]:
    """Every parcel that was made and not taken back, of orders that nobody cancelled."""
    return [
        parcel
        for order in crowd.world.shopify.shop.orders.values()
        if order.cancelled_at is None
        for parcel in order.fulfillments
        if parcel.status != "CANCELLED"
    ]


def _correct_a_number(rng: random.Random, crowd: Crowd, number: int) -> None:
    tracked = [parcel for parcel in parcels_made(crowd) if any(item.number for item in parcel.tracking)]
    if tracked:
        parcel = rng.choice(tracked)
        company = rng.choice(CARRIER_NAMES[:3])
        corrected = partial(
            crowd.world.shopify.update_tracking, parcel, company=company, number=f"RIGHT{number:06d}"
        )
        crowd.attempt("tracking corrected", corrected)


def _take_back(rng: random.Random, crowd: Crowd, number: int) -> None:
    del number
    found = parcels_made(crowd)
    if found and rng.random() < 0.3:
        crowd.attempt("parcel taken back", partial(crowd.world.shopify.cancel_fulfillment, rng.choice(found)))


# -- the portal --------------------------------------------------------------------------------------------


def _to_ship(crowd: Crowd) -> list[tuple[str, MiraklWorld, SimOrder]]:
    return [
        (name, market, order)
        for name, market in crowd.world.mirakl.items()
        if market.profile.multi_shipment
        for order in market.by_creation
        if order.state == "SHIPPING" and not order.operator_ships
    ]


def _tell_in_the_portal(rng: random.Random, crowd: Crowd, number: int) -> None:
    """Somebody says there that one unit left: of a parcel that is on its way, or before the warehouse has packed it."""
    waiting = [
        (name, market, order, line)
        for name, market, order in _to_ship(crowd)
        for line in order.active_lines
        if market.shipments.left_to_ship(order, line) > 0
    ]
    if not waiting or rng.random() < 0.5:
        return
    _, market, order, line = rng.choice(waiting)
    told = partial(
        market.portal_ship, order.id, {line.id: 1}, carrier_code="UPS", number=f"PORTAL{number:06d}"
    )
    crowd.attempt("told in the portal", told)


def _tell_of_a_whole_order(rng: random.Random, crowd: Crowd) -> None:
    """Somebody says there that an order left, whatever of it is packed, on a marketplace that knows whole orders only."""
    waiting = [
        (market, order)
        for market in crowd.world.mirakl.values()
        if not market.profile.multi_shipment
        for order in market.by_creation
        if order.state == "SHIPPING" and not order.operator_ships and not order.ship_asked
    ]
    if waiting:
        market, order = rng.choice(waiting)
        crowd.attempt("order told in the portal", partial(market.portal_ship, order.id))


def _validate_in_the_portal(rng: random.Random, crowd: Crowd, number: int) -> None:
    """Somebody validates a shipment of ours before we do."""
    del number
    open_ones = [
        (market, shipment.id)
        for _, market, order in _to_ship(crowd)
        for shipment in order.shipments
        if shipment.status == "SHIPPING"
    ]
    if open_ones:
        market, shipment_id = rng.choice(open_ones)
        crowd.attempt("validated in the portal", partial(market.portal_validate, shipment_id))


def _operator_takes(rng: random.Random, crowd: Crowd, number: int) -> None:
    del number
    found = [(market, order) for _, market, order in _to_ship(crowd) if not order.shipments]
    if found:
        market, order = rng.choice(found)
        crowd.attempt("operator took a parcel", partial(market.operator_takes, order.id))
