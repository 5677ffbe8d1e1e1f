"""Sweeps find what webhooks, wake-ups and workers lost."""

from datetime import timedelta

from sqlalchemy import update

from interlock.engine.store import keep_delivery, keep_unreadable, polls, unresolved_deliveries
from interlock.engine.sweeps import forget, resolve_deliveries, sweep_shopify, wake_due
from interlock.orders.store import mark_dirty, orders
from interlock.simulator.shopify.webhooks import WebhookWeather
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.engine.bench import Bench, Broken, on_bench, virtually

SILENCE = WebhookWeather(lost=1.0)


async def _imported(bench: Bench) -> int:
    order_id = await bench.import_one()
    await bench.look(order_id)
    bench.world.wakeups.waiting.clear()
    return order_id


async def _sweep(bench: Bench) -> int:
    (connection_id,) = bench.world.connection_ids.values()
    return await sweep_shopify(bench.parts, await bench.parts.connections.get(connection_id))


def test_a_change_no_webhook_announced_is_found_by_the_sweep(database: Database, keyring: Keyring) -> None:
    async def loses() -> None:
        async with on_bench(database, keyring, weather=SILENCE) as bench:
            order_id = await _imported(bench)
            await bench.sleep(120)
            await bench.look(order_id)
            hints = bench.row(order_id).hints
            assert await _sweep(bench) == 0
            (order,) = bench.world.shopify.shop.orders.values()
            bench.world.shopify.set_quantity(order, "MUG-BLUE", 1)
            assert await _sweep(bench) == 0  # it is not due yet
            await bench.sleep(301)
            assert await _sweep(bench) == 1
            assert bench.row(order_id).hints == hints + 1
            assert bench.count("found_only_by_sweep") == 1

    virtually(loses)


def test_a_sweep_that_cannot_read_shopify_moves_no_cursor(database: Database, keyring: Keyring) -> None:
    away = Broken("*", "refused_before")

    async def fails() -> None:
        async with on_bench(database, keyring, shopify_faults=away) as bench:
            with database.begin() as c:
                before = c.execute(polls.select().where(polls.c.name.startswith("sweep "))).one()
            away.active = True
            assert await _sweep(bench) == 0
            with database.begin() as c:
                after = c.execute(polls.select().where(polls.c.name.startswith("sweep "))).one()
            assert after.cursor == before.cursor
            assert after.next_at == bench.world.service_clock.now() + timedelta(seconds=60)
            assert bench.count("shopify_sweep_failed") == 1

    virtually(fails)


def test_a_delivery_that_named_only_a_fulfillment_order_leads_to_its_order(
    database: Database, keyring: Keyring
) -> None:
    away = Broken("*", "refused_before")

    async def resolves() -> None:
        async with on_bench(database, keyring, weather=SILENCE, shopify_faults=away) as bench:
            order_id = await _imported(bench)
            shop = bench.world.shopify.shop
            (order,) = shop.orders.values()
            topic, gid = "fulfillment_orders/hold_released", order.fulfillment_orders[0].gid
            now = bench.world.service_clock.now()
            with database.begin() as c:
                keep_delivery(c, shop.domain, topic, "w1", "", None, gid, now)
                keep_delivery(c, shop.domain, topic, "w2", "", None, "gid://shopify/FulfillmentOrder/1", now)
            hints = bench.row(order_id).hints
            (connection_id,) = bench.world.connection_ids.values()
            platforms = await bench.parts.connections.get(connection_id)
            away.active = True
            assert await resolve_deliveries(bench.parts, platforms, shop.domain) == 0
            away.active = False
            assert await resolve_deliveries(bench.parts, platforms, shop.domain) == 2
            assert bench.row(order_id).hints == hints + 1
            with database.begin() as c:
                assert unresolved_deliveries(c, [shop.domain], 10) == []

    virtually(resolves)


def test_an_order_whose_worker_died_or_whose_wakeup_was_lost_is_woken(
    database: Database, keyring: Keyring
) -> None:
    async def wakes() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await _imported(bench)
            with database.begin() as c:
                c.execute(update(orders).values(next_look_at=None, handled=orders.c.hints))
            assert await wake_due(bench.parts) == 0
            now = bench.world.service_clock.now()
            with database.begin() as c:
                mark_dirty(c, order_id, "edits", now)
            assert await wake_due(bench.parts) == 1
            assert list(bench.world.wakeups.waiting) == [(order_id, "edits")]
            with database.begin() as c:
                dead = {"handled": orders.c.hints, "lease_owner": "gone", "lease_until": now}
                c.execute(update(orders).values(**dead))
            assert await wake_due(bench.parts) == 1

    virtually(wakes)


def test_what_could_not_be_read_is_forgotten_after_a_week(database: Database, keyring: Keyring) -> None:
    async def forgets() -> None:
        async with on_bench(database, keyring) as bench:
            now = bench.world.service_clock.now()
            with database.begin() as c:
                keep_unreadable(c, "OR11", "quantity", b"old", "d1", now - timedelta(days=8))
                keep_unreadable(c, "OR11", "quantity", b"new", "d2", now - timedelta(days=6))
            assert await forget(bench.parts) == 1
            assert await forget(bench.parts) == 0

    virtually(forgets)
