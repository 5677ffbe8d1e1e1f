"""One mapping frees every order of its carrier, over both simulated platforms, from the click to the dispatch. The tests tell
it of a hundred orders; `python -m tests.stories.fix_once --orders 5000` of as many as asked, and prints the figures."""

import argparse
import asyncio
import html
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx2
from sqlalchemy import func, select

from interlock.cases.replays import Progress, progress
from interlock.cases.store import cases
from interlock.clock import SeededIdentifiers
from interlock.orders.store import orders
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.mirakl import SimOrder
from interlock.simulator.record import Call
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring, new_key
from interlock.web import WebParts, create_app
from tests.console.seed import TESTER
from tests.databases import ThrowawayServer
from tests.stories.stage import Theatre, Told, marketplace, open_cases

AT_REST = 600.0
SOLD_A_MINUTE = 100
LONG_ENOUGH = 2.0
"""Seconds of the world that an order may take in each part of the story, on the average, before it counts as stuck."""


class StoryStuck(AssertionError):
    """A part of the story did not come to its end in the time that so many orders may take."""

    def __init__(self, part: str, done: int, wanted: int) -> None:
        super().__init__(f"{part}: only {done} of {wanted} orders within the time they may take.")


@dataclass
class Freed:
    """What the person saw: the case before the click, the progress after it; how long another order waited for its
    acceptance before the click and while its replay ran; when the click came and how many seconds of the world the replay
    took."""

    orders: int
    case_page: str = ""
    seen: list[Progress] = field(default_factory=list)
    half_way_page: str = ""
    half_way: int = 0
    kills: int = 0
    waited_before: timedelta = timedelta()
    waited_meanwhile: timedelta = timedelta()
    seconds: float = 0.0
    clicked_at: datetime | None = None


Say = Callable[[str, int], None]
"""Is told the part of the story and how many orders have come through it."""


def _silent(part: str, done: int) -> None:
    del part, done


def free_them_all(theatre: Theatre, many: int, say: Say = _silent) -> tuple[Freed, Told]:
    """`many` orders leave with a carrier nobody mapped, somebody maps it, and every order goes on. The process dies when a
    quarter of them is free; meanwhile somebody buys. StoryStuck when a part does not end."""
    freed = Freed(many)

    async def story(stage: Stage) -> None:
        await _left_with_an_unknown_carrier(stage, many, say)
        freed.waited_before = await accepted_after(stage)
        (connection_id,) = stage.world.connection_ids.values()
        with looking_at(stage) as person:
            freed.case_page = (await person.get(f"/cases/{open_cases(stage)[0].id}")).text
            began, freed.clicked_at = asyncio.get_running_loop().time(), stage.world.clock.now()
            replay = await map_carrier(person, connection_id, "Express Bike", "DHL")
            other = await _watched(stage, person, replay, freed, say)
            freed.seconds = asyncio.get_running_loop().time() - began
        await asyncio.sleep(AT_REST)
        freed.waited_meanwhile = acceptance_of(stage, other)

    told = theatre.tell(story, marketplace("all-or-nothing"), 0, skus=["MUG-BLUE"], quantities=[1])
    return freed, told


async def _left_with_an_unknown_carrier(stage: Stage, many: int, say: Say) -> None:
    world = stage.world
    (mug,) = [one for one in world.shopify.shop.variants.values() if one.sku == "MUG-BLUE"]
    world.shopify.set_stock(mug, 2 * many, next(iter(world.shopify.shop.locations.values())))
    for number in range(1, many):
        stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        if number % SOLD_A_MINUTE == 0:
            await asyncio.sleep(60)
    longest = 3600 + LONG_ENOUGH * many
    sold = list(stage.marketplace.orders.values())
    while waiting := sum(order.state != "SHIPPING" for order in sold):
        if asyncio.get_running_loop().time() > longest:
            raise StoryStuck("imported and accepted", many - waiting, many)
        say("imported and accepted", many - waiting)
        await asyncio.sleep(60)
    left = 0
    while left < many:
        if world.shopify.pick(company="Express Bike", number=f"PARCEL{left}") is not None:
            left += 1
            continue
        if asyncio.get_running_loop().time() > longest:
            raise StoryStuck("picked", left, many)
        say("picked", left)
        await asyncio.sleep(60)
    longest += 1200 + LONG_ENOUGH * many
    while (asked := _open_cases(stage)) < many:
        if asyncio.get_running_loop().time() > longest:
            raise StoryStuck("asked about", asked, many)
        say("asked about", asked)
        await asyncio.sleep(60)


def _open_cases(stage: Stage) -> int:
    with stage.world.database.begin() as c:
        return c.execute(select(func.count()).where(cases.c.closed_at.is_(None))).scalar_one()


async def _watched(stage: Stage, person: httpx2.AsyncClient, replay: int, freed: Freed, say: Say) -> SimOrder:
    """Look at the progress until the replay ends; the order that somebody bought meanwhile."""
    world = stage.world
    other: SimOrder | None = None
    longest = asyncio.get_running_loop().time() + 1200 + LONG_ENOUGH * freed.orders
    while not (freed.seen and freed.seen[-1].ended):
        await asyncio.sleep(max(1.0, freed.orders / 500))
        with world.database.begin() as c:
            found = progress(c, replay, world.service_clock.now())
        assert found is not None
        freed.seen.append(found)
        say("freed", found.done)
        if found.done >= freed.orders // 4 and other is None:
            freed.half_way = found.done
            freed.half_way_page = (await person.get(f"/cases/replays/{replay}")).text
            world.processes[-1].kill()
            freed.kills += 1
            await asyncio.sleep(20)
            world.start_process()
            other = stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        if asyncio.get_running_loop().time() > longest:
            raise StoryStuck("freed", found.done, freed.orders)
    assert other is not None, "the replay ended before anybody could look at it"
    return other


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


# -- as many as asked ------------------------------------------------------------------------------------------


def refused_for_haste(calls: Sequence[Call], since: datetime | None = None) -> list[Call]:
    """Calls from then on that a platform turned away because there were too many."""
    later = [call for call in calls if since is None or call.at >= since]
    return [call for call in later if call.status == 429 or "THROTTLED" in call.detail.get("errors", ())]


def busiest_minute(calls: Sequence[Call]) -> tuple[int, str]:
    """The most calls of one operation within one minute of the clock, and which operation it was."""
    minutes = Counter((call.operation, call.at.replace(second=0, microsecond=0)) for call in calls)
    (operation, _), most = max(minutes.items(), key=lambda item: item[1])
    return most, operation


def _shown(part: str, done: int) -> None:
    print(f"\r{part}: {done}   ", end="", file=sys.stderr, flush=True)


def main() -> int:
    """Tell the story and print what it took; 1 when an order was not freed, or a platform was asked too often."""
    parser = argparse.ArgumentParser(description="One mapping frees every order of its carrier.")
    parser.add_argument(
        "--orders", type=int, default=5000, help="how many orders wait for it (default: 5000)"
    )
    many = parser.parse_args().orders
    began = time.perf_counter()
    with ThrowawayServer() as server:
        database = Database(server.new_database(), pool_size=4, check_connections=False)
        freed, told = free_them_all(Theatre(database, Keyring([new_key()])), many, _shown)
        database.dispose()
    marketplace_calls, shop_calls = told.stage.marketplace.record.calls, told.stage.world.shopify.record.calls
    told_of = Counter(call.operation for call in marketplace_calls)["OR24"]
    hasty = refused_for_haste([*marketplace_calls, *shop_calls], freed.clicked_at)
    last = freed.seen[-1]
    print(
        f"{last.done} of {last.total} orders free, {last.blocked} blocked, after {freed.seconds:.0f} seconds of the world;"
    )
    print(
        f"{told_of} dispatches told, {len(told.open_reasons)} cases open, {len(hasty)} calls turned away for haste since the click;"
    )
    print(
        f"open cases: {dict(Counter(told.open_reasons))}; turned away: {dict(Counter(call.operation for call in hasty))};"
    )
    for name, calls in (("marketplace", marketplace_calls), ("shop", shop_calls)):
        most, operation = busiest_minute(calls)
        print(f"busiest minute of the {name}: {most} x {operation};")
    print(f"another order was accepted after {freed.waited_before.total_seconds():.1f} s before the click,")
    print(f"after {freed.waited_meanwhile.total_seconds():.1f} s while the replay ran;")
    print(f"{time.perf_counter() - began:.0f} s of this machine.")
    return 0 if (last.done, told_of, hasty, told.open_reasons) == (many, many, [], []) else 1


if __name__ == "__main__":
    raise SystemExit(main())
