"""Many parcels leave at once, where the marketplace knows single parcels: how many a minute it hears of."""

import asyncio
from dataclasses import dataclass

from interlock.engine.gateways import ConnectedPlatforms
from interlock.orders.actions import CreateShipment, ValidateShipment
from interlock.orders.outcomes import Confirmed
from interlock.orders.ports import OrderContext
from interlock.simulator.mirakl import SimOrder
from interlock.simulator.shopify.state import Order
from tests.bench.stage import Stage
from tests.bench.waiting import until

PARCELS = 60
BY_SCRIPT = 15
POINTS_A_SECOND = 1000.0
"""What a Plus shop's bucket refills with (reference 4.1); Mirakl names no ceiling for shipments."""


@dataclass(frozen=True)
class Parcels:
    """Parcels a minute by the service, by a bare script and by Shopify's ceiling; calls and points of one parcel."""

    a_minute: float
    by_script: float
    ceiling: float
    points: float
    calls: float


async def parcels() -> Parcels:
    """Measure one parcel an order, all of them leaving in one moment."""
    async with Stage(profile={"multi_shipment": True}) as stage:
        made = [stage.mirakl.create_generated(lines=2) for _ in range(BY_SCRIPT + PARCELS)]
        await until(lambda: all(is_free(stage, order) for order in made), "all orders to be released", 240.0)
        await asyncio.sleep(3.0)  # echoes of our own last calls
        by_script = await _by_script(stage, made[:BY_SCRIPT])
        return await _by_service(stage, made[BY_SCRIPT:], by_script)


async def _by_script(stage: Stage, made: list[SimOrder]) -> float:
    """The least that it takes, one call after the other: the Shopify order read, a shipment made, the word that it left."""
    platforms = await stage.service.connections.get(stage.connection_id)
    began = asyncio.get_running_loop().time()
    for number, order in enumerate(made):
        context = context_of(platforms, order)
        await platforms.shopify.order(linked(stage, order).gid, "edits")
        units = tuple((line.id, line.quantity) for line in order.lines)
        made_one = CreateShipment(f"IL-{number}", units, "DHL", "DHL", f"SCRIPT{number}", "")
        for action in (made_one, None):
            step = action or ValidateShipment(order.shipments[-1].id)
            outcome = await platforms.mirakl.perform(step, context)
            if not isinstance(outcome, Confirmed):
                raise AssertionError(f"{type(step).__name__}: {outcome}")
    return len(made) * 60 / (asyncio.get_running_loop().time() - began)


async def _by_service(stage: Stage, made: list[SimOrder], by_script: float) -> Parcels:
    loop = asyncio.get_running_loop()
    charged = stage.points
    calls = len(stage.shopify.record.calls), len(stage.mirakl.record.calls)
    began = loop.time()
    for number, order in enumerate(made):
        for part in linked(stage, order).fulfillment_orders:
            stage.shopify.fulfill(part, company="dhl", number=f"BENCH{number}")
    await until(lambda: all(order.state == "SHIPPED" for order in made), "all parcels to be told of", 240.0)
    seconds = loop.time() - began
    points = (stage.points - charged) / len(made)
    of_orders = [
        call
        for call in (*stage.shopify.record.calls[calls[0] :], *stage.mirakl.record.calls[calls[1] :])
        if call.operation in ("order", "ST01", "ST11", "ST23", "ST24")
    ]
    return Parcels(
        a_minute=len(made) * 60 / seconds,
        by_script=by_script,
        ceiling=60 * POINTS_A_SECOND / points,
        points=points,
        calls=len(of_orders) / len(made),
    )


def context_of(platforms: ConnectedPlatforms, order: SimOrder) -> OrderContext:
    """What the service says of an order with a call."""
    rules = platforms.rules
    return OrderContext(rules.name, order.id, f"{rules.name}:{order.id}", rules.hold_handle, "bench", None)


def linked(stage: Stage, order: SimOrder) -> Order:
    """The Shopify order of a marketplace order. Raises KeyError while there is none."""
    for found in stage.shopify.shop.orders.values():
        if dict(found.attributes).get("mirakl_order_id") == f"bench:{order.id}":
            return found
    raise KeyError(order.id)


def is_free(stage: Stage, order: SimOrder) -> bool:
    """Whether the order waits for its parcel and nobody holds it any more."""
    if order.state != "SHIPPING":
        return False
    return not any(part.holds for part in linked(stage, order).fulfillment_orders)
