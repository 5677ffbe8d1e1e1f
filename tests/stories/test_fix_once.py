"""One answer frees every order its cause stops, on simulated platforms from the click to the dispatch."""

import asyncio
import html
import random
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import httpx2
from sqlalchemy import select

from interlock.cases.replays import MOST_AT_ONCE, Progress, progress
from interlock.clock import SeededIdentifiers
from interlock.console import desk
from interlock.engine.store import one_connection
from interlock.orders.connection import CarrierMapping
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.mirakl import SimOrder
from interlock.storage.database import InlineStore
from interlock.web import WebParts, create_app
from tests.console.seed import TESTER
from tests.stories.stage import Theatre, marketplace, open_cases

ORDERS = 100
WAITS_LONGER = timedelta(seconds=5)
"""So much more than before the replay an order may wait for its acceptance while it runs."""


def test_one_mapping_frees_every_order_of_the_carrier(theatre: Theatre) -> None:
    """Its number is said before the click, its progress while it runs; the process dies in the middle of it; another order
    is accepted meanwhile as quickly as ever; and neither platform is asked more than it allows."""
    told_before: list[str] = []
    seen: list[Progress] = []
    waited: list[timedelta] = []

    async def story(stage: Stage) -> None:
        world = stage.world
        (mug,) = [one for one in world.shopify.shop.variants.values() if one.sku == "MUG-BLUE"]
        world.shopify.set_stock(mug, 2 * ORDERS, next(iter(world.shopify.shop.locations.values())))
        for _ in range(ORDERS - 1):
            stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        await stage.until(1800)
        for number in range(ORDERS):
            assert world.shopify.pick(company="Express Bike", number=f"PARCEL{number}") is not None
        await stage.until(3000)
        assert Counter(row.reason for row in open_cases(stage)) == {Reason.CARRIER_UNKNOWN.value: ORDERS}
        waited.append(await accepted_after(stage))
        (connection_id,) = world.connection_ids.values()
        with looking_at(stage) as person:
            case = f"/cases/{open_cases(stage)[0].id}"
            told_before.append((await person.get(case)).text)
            replay = await map_carrier(person, connection_id, "Express Bike", "DHL")
            killed = False
            while not (seen and seen[-1].ended):
                await asyncio.sleep(1)
                with world.database.begin() as c:
                    found = progress(c, replay)
                assert found is not None
                seen.append(found)
                if found.done >= ORDERS // 4 and not killed:
                    killed = True
                    assert not found.ended
                    page = (await person.get(f"/cases/replays/{replay}")).text
                    assert f"{found.done} of {ORDERS} orders are free" in page
                    world.processes[-1].kill()
                    await asyncio.sleep(20)
                    world.start_process()
                    other = stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
            assert killed
        await asyncio.sleep(600)
        waited.append(acceptance_of(stage, other))

    told = theatre.tell(story, marketplace("all-or-nothing"), 6000, skus=["MUG-BLUE"], quantities=[1])
    assert f"It frees {ORDERS} orders." in html.unescape(told_before[0])
    last = seen[-1]
    assert (last.total, last.done, last.blocked) == (ORDERS, ORDERS, 0)
    assert [one.done for one in seen] == sorted(one.done for one in seen)
    assert max(one.under_way for one in seen) <= MOST_AT_ONCE
    # Nothing was told twice, although the process died with orders on their way.
    shipped = {order.id: order for order in told.stage.marketplace.orders.values() if order.tracking_number}
    assert Counter(order.state for order in shipped.values()) == {"SHIPPED": ORDERS}
    calls = told.stage.marketplace.record.calls
    assert Counter(call.operation for call in calls)["OR24"] == ORDERS
    assert not [call for call in (*calls, *told.stage.world.shopify.record.calls) if call.status == 429]
    before, during = waited
    assert during <= before + WAITS_LONGER, (before, during)
    assert told.open_reasons == []


async def accepted_after(stage: Stage) -> timedelta:
    """How long a new order waits for its acceptance now, once Interlock knows it."""
    order = stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
    await asyncio.sleep(600)
    return acceptance_of(stage, order)


def acceptance_of(stage: Stage, order: SimOrder) -> timedelta:
    (at,) = [
        effect.at
        for effect in stage.marketplace.record.effects
        if effect.kind == "accepted" and effect.order_id == order.id
    ]
    with stage.world.database.begin() as c:
        known: datetime = c.execute(
            select(orders.c.created_at).where(orders.c.mirakl_order_id == order.id)
        ).scalar_one()
    return at - known


@contextmanager
def looking_at(stage: Stage) -> Iterator[httpx2.AsyncClient]:
    """Somebody at the console of this world."""
    world = stage.world
    app = create_app(
        WebParts(
            InlineStore(world.database),
            world.service_clock,
            SeededIdentifiers(random.Random(5)),
            world.wakeups,
            world.keyring,
            everyone=TESTER,
        )
    )
    yield httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost:8080")


async def map_carrier(person: httpx2.AsyncClient, connection_id: int, shop_name: str, code: str) -> int:
    """Map a carrier on the connection's page; the replay that the answer leads to."""
    page = f"/connections/{connection_id}/carriers"
    token = re.search(r'name="token" value="([^"]+)"', (await person.get(page)).text)
    assert token is not None
    data = {"token": html.unescape(token[1]), "shop_name": shop_name, "code": code}
    answer = await person.post(page, data=data)
    assert answer.status_code == 200, answer.text
    found = re.search(r"/cases/replays/(\d+)", answer.text)
    assert found is not None
    return int(found[1])


def test_one_mapping_sends_the_number_that_waits_for_it_after_the_dispatch(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("or23_after_shipped", "allowed")
        stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        await stage.until(500)
        shop = stage.world.shopify
        parcel = shop.pick(company="DHL Express", number="OLD")
        assert parcel is not None
        assert shop.pick(company="Express Bike", number="OTHER") is not None
        await stage.until(900)
        shop.update_tracking(parcel, company="Express bike ", number="NEW")
        await stage.until(1200)
        waiting = {row.reason: row.cause for row in open_cases(stage)}
        assert waiting == {
            Reason.CARRIER_UNKNOWN.value: "express bike",
            Reason.TRACKING_NOT_CORRECTED.value: "express bike",
        }
        (connection_id,) = stage.world.connection_ids.values()
        with stage.world.database.begin() as c:
            connection = one_connection(c, connection_id)
            now = stage.world.service_clock.now()
            mapping = [CarrierMapping("Express Bike", "DHL")]
            mapped = desk.map_carrier_names(c, stage.world.wakeups, connection, mapping, "Otto Ops", now)
        assert mapped.orders == len(waiting)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1500)
    shown = {(order.state, order.tracking_number) for order in told.stage.marketplace.orders.values()}
    assert shown == {("SHIPPED", "NEW"), ("SHIPPED", "OTHER")}
    assert told.open_reasons == []
