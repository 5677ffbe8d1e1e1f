"""One worker on a bench: its desk and its runs are started by hand, against the simulators, on virtual time."""

import json
import random
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Literal, TypeVar

import httpx2
from sqlalchemy import Row, select

from interlock.cases.store import cases
from interlock.engine.desk import Desk, DeskRules
from interlock.engine.run import look_at
from interlock.engine.store import counts, polls
from interlock.orders.connection import ConnectionRules
from interlock.orders.store import orders, timeline_of
from interlock.rehearsal.faults import SeededFaults
from interlock.rehearsal.history import on_virtual_time
from interlock.rehearsal.processes import ServiceProcess
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.faults import Fault
from interlock.simulator.mirakl import CATALOGUE, PROFILES, MiraklWorld
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.witnessed import witness

T = TypeVar("T")


class Broken(SeededFaults):
    """The same fault on every call of one operation, `*` for any, while `active`."""

    def __init__(self, operation: str, kind: str, seconds: float = 0.0) -> None:
        super().__init__(random.Random(0), {})
        self._operation = operation
        self._kind = kind
        self._seconds = seconds

    def next_fault(self, operation: str) -> Fault | None:
        if self.active and self._operation in ("*", operation):
            return Fault(self._kind, self._seconds)
        return None


class Spoiling(httpx2.AsyncBaseTransport):
    """Changes every JSON answer on its way."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, change: Callable[[Any], None]) -> None:
        self._inner = inner
        self._change = change

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        answer = await self._inner.handle_async_request(request)
        body = json.loads(await answer.aread() or b"null")
        self._change(body)
        # Escaped, as JSON may carry what UTF-8 cannot.
        content, headers = json.dumps(body).encode(), {"content-type": "application/json"}
        return httpx2.Response(answer.status_code, content=content, headers=headers, request=request)


class Bench:
    """What is on the bench."""

    def __init__(self, world: World, process: ServiceProcess, desk: Desk) -> None:
        self.world = world
        self.process = process
        self.parts = process.parts
        self.desk = desk
        self.marketplace: MiraklWorld = next(iter(world.mirakl.values()))

    @classmethod
    async def made(cls, world: World, name: str) -> "Bench":
        process = ServiceProcess(world.process_world, name)
        (connection_id,) = world.connection_ids.values()
        platforms = await process.parts.connections.get(connection_id)
        return cls(world, process, Desk(process.parts, platforms, DeskRules(timedelta(seconds=60), 6)))

    async def sleep(self, seconds: float) -> None:
        await self.world.service_clock.sleep(seconds)

    async def import_one(self) -> int:
        """A customer buys; the desk sees it. Returns the order's row id; nothing has been done for it yet."""
        order = self.marketplace.create_generated(skus=["MUG-BLUE", "KETTLE-1L"], quantities=[3, 1])
        await self.desk.work()
        if order.state != "WAITING_ACCEPTANCE":
            await self.sleep(61)  # the desk's first walk is over what waits for acceptance only
            await self.desk.work()
        return int(self.row_of(order.id).id)

    async def look(self, order_id: int) -> bool:
        return await look_at(self.parts, order_id)

    def row_of(self, mirakl_order_id: str) -> Row[Any]:
        with self.world.database.begin() as c:
            return c.execute(select(orders).where(orders.c.mirakl_order_id == mirakl_order_id)).one()

    def row(self, order_id: int) -> Row[Any]:
        with self.world.database.begin() as c:
            return c.execute(select(orders).where(orders.c.id == order_id)).one()

    def known(self) -> int:
        with self.world.database.begin() as c:
            return len(c.execute(select(orders.c.id)).all())

    def poll(self) -> Row[Any]:
        with self.world.database.begin() as c:
            return c.execute(select(polls).where(polls.c.name.startswith("mirakl "))).one()

    def open_cases(self) -> list[Row[Any]]:
        with self.world.database.begin() as c:
            return list(c.execute(select(cases).where(cases.c.closed_at.is_(None)).order_by(cases.c.id)))

    def count(self, name: str) -> int:
        with self.world.database.begin() as c:
            return sum(number for (counted, _), number in counts(c).items() if counted == name)

    def story(self, order_id: int) -> str:
        with self.world.database.begin() as c:
            return "\n".join(sentence for _, _, sentence in timeline_of(c, order_id))

    def told_by_others(self, order_id: int) -> list[tuple[str, str]]:
        """What the timeline says that others did: who, and the sentence."""
        with self.world.database.begin() as c:
            return [(who, said) for _, who, said in timeline_of(c, order_id) if who != "Interlock"]

    def calls(self, operation: str) -> int:
        """Calls of one operation that either platform received."""
        both = [*self.marketplace.record.calls, *self.world.shopify.record.calls]
        return sum(call.operation == operation for call in both)


@asynccontextmanager
async def on_bench(
    database: Database,
    keyring: Keyring,
    profile: str = "all-or-nothing",
    spoil: Callable[[Any], None] | None = None,
    route: Literal["draft", "order"] = "draft",
    show_status: bool = False,
    **plan: Any,
) -> AsyncIterator[Bench]:
    """A connected world without a single process of its own."""
    rules = ConnectionRules(
        "marketplace", "interlock:marketplace", import_route=route, show_status=show_status
    )
    world = World(WorldPlan(5, (PROFILES[profile],), rules, processes=0, **plan), database, keyring)
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 1000, title=item.title)
    await world.start()
    if spoil is not None:
        spoiler = spoil
        world.wrap_transports(lambda origin, inner: Spoiling(inner, spoiler) if "mirakl" in origin else inner)
    try:
        yield await Bench.made(world, "worker-1")
        witness(database)
    finally:
        await world.stop()


def virtually(make: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run on a virtual loop."""
    return on_virtual_time(3, make)
