"""What one order, or one marketplace, must not take away from the others: its turn, and the shop's sweep."""

import asyncio

from sqlalchemy import select

from interlock.engine.sweeps import sweep_shopify
from interlock.orders.connection import ConnectionRules
from interlock.orders.store import orders
from interlock.rehearsal.history import on_virtual_time
from interlock.rehearsal.processes import ServiceProcess
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE, PROFILES
from interlock.simulator.shopify.webhooks import WebhookWeather
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring

RULES = ConnectionRules("marketplace", "interlock:marketplace")


async def started(plan: WorldPlan, database: Database, keyring: Keyring) -> World:
    world = World(plan, database, keyring)
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    return world


def test_an_order_that_was_accepted_is_free_at_once(database: Database, keyring: Keyring) -> None:
    """Nobody waits inside a run for the next snapshot to show an acceptance that is already confirmed."""

    async def scenario() -> list[str | None]:
        plan = WorldPlan(1, (PROFILES["all-or-nothing"],), RULES, processes=1, poll_seconds=120.0)
        world = await started(plan, database, keyring)
        marketplace = world.mirakl["all-or-nothing"]
        marketplace.create_generated(lines=1)
        try:
            await asyncio.sleep(20)
            accepted = [call.operation for call in marketplace.record.calls if call.operation == "OR21"]
            with database.begin() as c:
                return [*accepted, *c.execute(select(orders.c.lease_owner)).scalars()]
        finally:
            await world.stop()

    assert on_virtual_time(1, scenario) == ["OR21", None]


def test_the_sweep_of_a_shop_finds_the_edits_of_all_its_marketplaces(
    database: Database, keyring: Keyring
) -> None:
    """Several connections sell from one shop, and the sweep of one of them is the sweep of all."""

    async def scenario() -> list[bool]:
        profiles = tuple(PROFILES[name] for name in ("automatic", "all-or-nothing"))
        weather = WebhookWeather(lost=1.0)
        plan = WorldPlan(1, profiles, RULES, processes=1, poll_seconds=60.0, weather=weather)
        world = await started(plan, database, keyring)
        for marketplace in world.mirakl.values():
            marketplace.create_generated(lines=1, quantities=[3])
        await asyncio.sleep(4 * 3600)
        world.processes[0].kill()
        for order in world.shopify.shop.orders.values():
            world.shopify.set_quantity(order, order.lines[0].gid, 4)
        await asyncio.sleep(900)
        idle = ServiceProcess(world.process_world, "idle")
        first = await idle.parts.connections.get(world.connection_ids["automatic"])
        try:
            await sweep_shopify(idle.parts, first)
            with database.begin() as c:
                hinted = c.execute(select(orders.c.hints > orders.c.handled).order_by(orders.c.id))
                return list(hinted.scalars())
        finally:
            await world.stop()

    assert on_virtual_time(1, scenario) == [True, True]
