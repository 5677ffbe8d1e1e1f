"""One answer frees the orders its cause stops: what the click costs over five thousand of them, how many a minute go on, and
what other orders feel of it."""

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, func, select, text, update

from interlock.cases.replays import MOST_AT_ONCE, progress, replay_orders, replays
from interlock.cases.store import cases
from interlock.console import desk
from interlock.engine.replays import replay_all, wake_next
from interlock.engine.store import one_connection
from interlock.orders.actions import SetTracking, ShipOrder
from interlock.orders.connection import CarrierMapping
from interlock.orders.outcomes import Confirmed
from interlock.orders.reasons import Reason
from interlock.service import Pace
from interlock.simulator.mirakl import SimOrder
from interlock.storage.database import Database
from tests.bench.parcels import context_of, is_free, linked
from tests.bench.stage import Stage
from tests.bench.waiting import until
from tests.build import NOW
from tests.cases.test_replays import blocked, looked_at
from tests.console.seed import Wakes
from tests.databases import ThrowawayServer

T = TypeVar("T")

BLOCKED = 5000
FEW = 50
ROUNDS = 7
FREED = 60
BY_SCRIPT = 15
OTHERS = 3
UNKNOWN = Reason.CARRIER_UNKNOWN
CARRIER = "Snail Mail"


@dataclass(frozen=True)
class Freed:
    """Seconds over many blocked orders beside the bare statements, and over few; orders freed a minute by the service, by a
    bare script and at most by the pace; seconds from the sale to the acceptance of other orders before and meanwhile."""

    click: float
    click_bare: float
    page: float
    page_bare: float
    wake: float
    wake_few: float
    a_minute: float
    by_script: float
    by_pace: float
    before: float
    meanwhile: float
    refused: int


async def freed() -> Freed:
    """Measure over many rows, then on both platforms with as many orders as one sitting allows."""
    click, click_bare, page, page_bare, wake = await asyncio.to_thread(_over_rows, BLOCKED)
    *_, wake_few = await asyncio.to_thread(_over_rows, FEW)
    async with Stage() as stage:
        made = [stage.mirakl.create_generated(lines=2) for _ in range(BY_SCRIPT + FREED)]
        await until(lambda: all(is_free(stage, order) for order in made), "all orders to be released", 600.0)
        await asyncio.sleep(3.0)  # echoes of our own last calls
        by_script = await _by_script(stage, made[:BY_SCRIPT])
        waiting = made[BY_SCRIPT:]
        for number, order in enumerate(waiting):
            for part in linked(stage, order).fulfillment_orders:
                stage.shopify.fulfill(part, company=CARRIER, number=f"BENCH{number}")
        await until(lambda: _open(stage) == FREED, "every parcel to wait for its carrier", 300.0)
        before = await _others(stage)
        a_minute, meanwhile = await _by_service(stage, waiting)
        calls = (*stage.mirakl.record.calls, *stage.shopify.record.calls)
        refused = sum(call.status == 429 for call in calls)
    return Freed(
        click,
        click_bare,
        page,
        page_bare,
        wake,
        wake_few,
        a_minute,
        by_script,
        60 * MOST_AT_ONCE / Pace().due,
        before,
        meanwhile,
        refused,
    )


# -- over rows ---------------------------------------------------------------------------------------------


def _over_rows(number: int) -> tuple[float, float, float, float, float]:
    """Seconds of the click and of writing a bare row for each of these orders, of what the page of the replay shows and of
    counting its rows, and of waking the next orders; medians, in turns."""
    with ThrowawayServer() as server:
        database = Database(server.new_database(), pool_size=3)
        try:
            return _rounds(database, number)
        finally:
            server.drop_database(database)


def _rounds(database: Database, number: int) -> tuple[float, float, float, float, float]:
    with database.begin() as c:
        connection_id = blocked(c, number)
        c.execute(text("CREATE TABLE bare (order_id bigint PRIMARY KEY, case_id bigint NOT NULL)"))
    rounds = [_one_round(database, connection_id) for _ in range(ROUNDS)]
    click, bare, page, counting, wake = (statistics.median(figures) for figures in zip(*rounds, strict=True))
    return click, bare, page, counting, wake


def _one_round(database: Database, connection_id: int) -> tuple[float, float, float, float, float]:
    """One replay from its click until its next orders are woken, and the bare statements beside it; then it is over."""
    causes = ("Royal Mail 24",)
    click, replay_id = _timed(
        database, lambda c: replay_all(c, Wakes(), connection_id, UNKNOWN, causes, "Ada", NOW)
    )
    assert replay_id is not None
    bare, _ = _timed(database, lambda c: c.execute(text("INSERT INTO bare SELECT order_id, id FROM cases")))
    with database.begin() as c:
        c.execute(text("TRUNCATE bare"))
        looked_at(c, settled=False)
    of_replay = select(func.count()).select_from(replay_orders).where(replay_orders.c.replay_id == replay_id)
    page, _ = _timed(database, lambda c: progress(c, replay_id, NOW))
    counting, _ = _timed(database, lambda c: c.execute(of_replay).scalar_one())
    wake, woken = _timed(database, lambda c: wake_next(c, Wakes(), NOW))
    assert woken == MOST_AT_ONCE
    with database.begin() as c:
        looked_at(c, settled=False)
        c.execute(update(replays).values(woken_all_at=NOW))
    return click, bare, page, counting, wake


def _timed(database: Database, work: Callable[[Connection], T]) -> tuple[float, T]:
    """The seconds of a transaction with this work in it, and what the work gave."""
    began = time.perf_counter()
    with database.begin() as c:
        found = work(c)
    return time.perf_counter() - began, found


# -- on both platforms -------------------------------------------------------------------------------------


async def _by_script(stage: Stage, made: list[SimOrder]) -> float:
    """Orders a minute by the least that it takes, one call after the other: the Shopify order read, the tracking told
    (OR23), the order shipped (OR24)."""
    platforms = await stage.service.connections.get(stage.connection_id)
    began = asyncio.get_running_loop().time()
    for number, order in enumerate(made):
        await platforms.shopify.order(linked(stage, order).gid, "edits")
        for action in (SetTracking("DHL", "", f"SCRIPT{number}", ""), ShipOrder()):
            outcome = await platforms.mirakl.perform(action, context_of(platforms, order))
            if not isinstance(outcome, Confirmed):
                raise AssertionError(f"{type(action).__name__}: {outcome}")
    return len(made) * 60 / (asyncio.get_running_loop().time() - began)


async def _by_service(stage: Stage, waiting: list[SimOrder]) -> tuple[float, float]:
    """Orders a minute after one answer, and how long others waited for their acceptance meanwhile."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with stage.database.begin() as c:
        row = one_connection(c, stage.connection_id)
        mapping = [CarrierMapping(CARRIER, "DHL")]
        desk.map_carrier_names(c, stage.service.parts.queue, row, mapping, "Ada", stage.clock.now())
    others = asyncio.ensure_future(_others(stage))
    await until(lambda: all(order.state == "SHIPPED" for order in waiting), "all orders to be free", 600.0)
    seconds = loop.time() - began
    return len(waiting) * 60 / seconds, await others


async def _others(stage: Stage) -> float:
    """Seconds from the sale to the acceptance of some further orders, in the median."""
    made = [stage.mirakl.create_generated(lines=2) for _ in range(OTHERS)]

    def accepted() -> dict[str, float]:
        effects = (one for one in stage.mirakl.record.effects if one.kind == "accepted")
        sold = {order.id: order.created for order in made}
        return {
            one.order_id: (one.at - sold[one.order_id]).total_seconds()
            for one in effects
            if one.order_id in sold
        }

    await until(lambda: len(accepted()) == OTHERS, "further orders to be accepted", 300.0)
    return statistics.median(accepted().values())


def _open(stage: Stage) -> int:
    with stage.database.begin() as c:
        query = select(func.count()).where(cases.c.reason == UNKNOWN.value, cases.c.closed_at.is_(None))
        return int(c.execute(query).scalar_one())
