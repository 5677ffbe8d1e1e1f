"""A rehearsed world rests when everything is over on both sides and nothing of ours waits; and not a moment before."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from interlock.engine.ledger import operations
from interlock.orders.store import orders
from interlock.rehearsal.resting import LOOK_SECONDS, still_for, until_at_rest
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.engine.bench import Bench, on_bench, virtually

LONGEST = timedelta(hours=3)


async def _over(bench: Bench) -> int:
    """One order that was refused at the marketplace and for which nothing is left to do."""
    order_id = await bench.import_one()
    (order,) = bench.marketplace.orders.values()
    order.state = "REFUSED"
    settled = {
        "handled": orders.c.hints,
        "lease_until": None,
        "mirakl_wanted_since": None,
        "next_look_at": None,
    }
    with bench.world.database.begin() as c:
        c.execute(update(orders).values(**settled))
        c.execute(update(operations).values(done_at=bench.world.clock.now()))
    return order_id


async def _waited(bench: Bench, stories: list["asyncio.Task[None]"] | None = None) -> timedelta:
    """How long the world was let run."""
    began = bench.world.clock.now()
    await until_at_rest(bench.world, stories or [], LONGEST.total_seconds())
    return bench.world.clock.now() - began


def _on_bench(
    database: Database, keyring: Keyring, story: Callable[[Bench, int], Awaitable[timedelta]]
) -> timedelta:
    async def tell() -> timedelta:
        async with on_bench(database, keyring) as bench:
            return await story(bench, await _over(bench))

    return virtually(tell)


def test_a_world_in_which_all_is_over_ends_once_it_was_still_long_enough(
    database: Database, keyring: Keyring
) -> None:
    enough: list[timedelta] = []

    async def story(bench: Bench, _: int) -> timedelta:
        enough.append(still_for(bench.world))
        return await _waited(bench)

    waited = _on_bench(database, keyring, story)

    assert enough[0] <= waited <= enough[0] + timedelta(seconds=2 * LOOK_SECONDS)


@pytest.mark.parametrize("what", ["hint", "lease", "wanted", "timer"])
def test_an_order_that_waits_for_something_keeps_the_world_running(
    database: Database, keyring: Keyring, what: str
) -> None:
    async def story(bench: Bench, order_id: int) -> timedelta:
        now = bench.world.clock.now()
        waiting: dict[str, dict[str, Any]] = {
            "hint": {"hints": orders.c.handled + 1},
            "lease": {"lease_until": now},
            "wanted": {"mirakl_wanted_since": now + timedelta(hours=1)},
            "timer": {"next_look_at": now + timedelta(hours=2)},
        }
        with bench.world.database.begin() as c:
            c.execute(update(orders).where(orders.c.id == order_id).values(**waiting[what]))
        return await _waited(bench)

    assert _on_bench(database, keyring, story) >= LONGEST


def test_a_timer_beyond_the_end_is_not_waited_for(database: Database, keyring: Keyring) -> None:
    async def story(bench: Bench, order_id: int) -> timedelta:
        later = bench.world.clock.now() + LONGEST + timedelta(hours=1)
        with bench.world.database.begin() as c:
            c.execute(update(orders).where(orders.c.id == order_id).values(next_look_at=later))
        return await _waited(bench)

    assert _on_bench(database, keyring, story) < LONGEST


@pytest.mark.parametrize(("state", "waits"), [("PLANNED", True), ("UNKNOWN", True), ("REJECTED", False)])
def test_a_call_that_is_not_settled_keeps_the_world_running(
    database: Database, keyring: Keyring, state: str, waits: bool
) -> None:
    async def story(bench: Bench, order_id: int) -> timedelta:
        call = {
            "id": "a call of the test's own",
            "order_id": order_id,
            "connection_id": bench.row(order_id).connection_id,
            "epoch": 1,
            "kind": "MarkOrder",
            "platform": "shopify",
            "call_class": "B",
            "action": {},
            "digest": "",
            "state": state,
            "planned_at": bench.world.clock.now(),
        }
        with bench.world.database.begin() as c:
            c.execute(insert(operations).values(**call))
        return await _waited(bench)

    assert (_on_bench(database, keyring, story) >= LONGEST) is waits


def test_an_order_that_has_not_ended_at_the_marketplace_gets_all_the_time(
    database: Database, keyring: Keyring
) -> None:
    async def story(bench: Bench, _: int) -> timedelta:
        (order,) = bench.marketplace.orders.values()
        order.state = "SHIPPING"
        return await _waited(bench)

    assert _on_bench(database, keyring, story) >= LONGEST


def test_a_story_that_is_still_told_keeps_the_world_running(database: Database, keyring: Keyring) -> None:
    told = timedelta(hours=1)

    async def story(bench: Bench, _: int) -> timedelta:
        return await _waited(bench, [asyncio.ensure_future(asyncio.sleep(told.total_seconds()))])

    waited = _on_bench(database, keyring, story)

    assert told <= waited <= told + timedelta(seconds=2 * LOOK_SECONDS)
