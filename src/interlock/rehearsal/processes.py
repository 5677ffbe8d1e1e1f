"""Service processes of a rehearsal: they run the engine's real code, crash, freeze, lose their database, and come back."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from interlock.clock import Clock, Identifiers, SystemClock
from interlock.engine.desk import Desk, DeskRules
from interlock.engine.gateways import ConnectedPlatforms, Connections
from interlock.engine.marks import TRIED_AGAIN_AFTER, keep_mark
from interlock.engine.run import EngineParts, look_at
from interlock.engine.store import shops_with_loose_ends
from interlock.engine.sweeps import (
    look_at_strangers,
    resolve_deliveries,
    sweep_shopify,
    wake_due,
    watch_acceptance,
)
from interlock.orders.actions import Lane
from interlock.orders.store import orders
from interlock.rehearsal import stock
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring

T = TypeVar("T")
FOLLOWS_SECONDS = 60.0


MARKS_SECONDS = 300.0
AUDIT_EVERY_PASSES = 8
"""Every so many passes of the shop sweep the webhook subscriptions are looked after."""


_NEXT_DUE = select(
    func.least(
        func.min(orders.c.next_look_at),
        func.min(orders.c.lease_until),
        func.min(orders.c.quiet_until).filter(orders.c.hints > orders.c.handled),
    )
)


class SimulatedCrash(BaseException):
    """The worker died at a named point. Nothing in the service may catch it."""


@dataclass
class Wakeups:
    """The queue port on virtual time: at most one waiting wake-up per order and lane, shared by all processes.

    `lost` is the share of wake-ups that never arrive; the due sweep has to find those. `changes` counts what may have
    made an order due: hints, and looks that ended; `looking` counts looks under way in any process. `quiet` is what the
    last due sweep that found nothing, of whichever process, leaves behind: `changes` then, and when an order is due.
    """

    rng: random.Random
    lost: float = 0.0
    waiting: dict[tuple[int, Lane], None] = field(default_factory=dict)
    reads_wanted: Counter[int] = field(default_factory=Counter)
    arrived: dict[bool, asyncio.Event] = field(
        default_factory=lambda: {True: asyncio.Event(), False: asyncio.Event()}
    )
    read_signal: asyncio.Event = field(default_factory=asyncio.Event)
    quiet: tuple[int, datetime | None] | None = None
    dropped: int = 0
    changes: int = 0
    looking: int = 0

    def wake(self, c: Connection, order_id: int, lane: Lane) -> None:
        del c
        self.changes += 1
        if self.lost and self.rng.random() < self.lost:
            self.dropped += 1
            return
        self.waiting[(order_id, lane)] = None
        self.arrived[lane == "acceptance"].set()

    def read_wanted(self, c: Connection, connection_id: int) -> None:
        del c
        self.reads_wanted[connection_id] += 1
        self.read_signal.set()

    async def read_is_wanted(self, connection_id: int, heard: int) -> None:
        """Wait until a read is wanted of this connection that was not among the first `heard`."""
        while self.reads_wanted[connection_id] == heard:
            self.read_signal.clear()
            await self.read_signal.wait()

    async def next_order(self, acceptance: bool) -> int:
        """Wait for the next wake-up of the acceptance lane, or of all others."""
        arrived = self.arrived[acceptance]
        while True:
            for key in self.waiting:
                if (key[1] == "acceptance") == acceptance:
                    del self.waiting[key]
                    return key[0]
            arrived.clear()
            await arrived.wait()


def every_commit_succeeds() -> Literal["", "before", "after"]:
    """A database that fails no commit."""
    return ""


@dataclass
class Outage:
    """Whether the database can be reached, for every process at once, and which commits fail.

    `commit_fails` is asked in every transaction: "before" loses what it did, "after" keeps it although whoever
    committed hears of a broken connection.
    """

    down: bool = False
    commit_fails: Callable[[], Literal["", "before", "after"]] = every_commit_succeeds


class ProcessStore:
    """A process's way to the database: runs transactions inline, waits while the process is frozen."""

    def __init__(self, database: Database, outage: Outage) -> None:
        self._database = database
        self._outage = outage
        self.running = asyncio.Event()
        self.running.set()
        self.dead = False

    async def tx(self, fn: Callable[[Connection], T]) -> T:
        if not self.running.is_set():
            await self.running.wait()
        if self.dead:
            # What the process had under way beside the call it died in ends here too.
            raise SimulatedCrash("the process is gone")
        if self._outage.down:
            raise OperationalError("the database is down", None, ConnectionError("connection refused"))
        fails = self._outage.commit_fails()
        with self._database.begin() as connection:
            done = fn(connection)
            if fails == "before":
                raise OperationalError("COMMIT", None, ConnectionError("the server closed the connection"))
        if fails == "after":
            raise OperationalError("COMMIT", None, ConnectionError("the server closed the connection"))
        return done


def nothing_freezes(process: "ServiceProcess", name: str) -> None:
    """No process stops in the middle of what it does."""
    del process, name


async def no_audit(of: Connections, connection_id: int) -> None:
    """Nobody looks after the webhook subscriptions."""
    del of, connection_id


@dataclass
class ProcessWorld:
    """What every process shares. `clock` is the database's."""

    database: Database
    outage: Outage
    clock: Clock
    identifiers: Identifiers
    wakeups: Wakeups
    keyring: Keyring
    connections_for: Callable[["ProcessStore", Clock], Connections]
    desk_rules: DeskRules
    shops: dict[int, str]
    stock: bool = False
    due_sweep_seconds: float = 30.0
    crash_at: Callable[[str], bool] = lambda name: False
    freeze_at: Callable[["ServiceProcess", str], None] = nothing_freezes
    audit: Callable[[Connections, int], Awaitable[None]] = no_audit
    troubles: list[str] = field(default_factory=list)


class ServiceProcess:
    """One worker process: a general worker, an acceptance worker, read desks and sweeps.

    `machine_error` is how far its machine's clock is wrong, in seconds; it may be set at any time.
    """

    def __init__(self, world: ProcessWorld, name: str, machine_error: float = 0.0) -> None:
        self.world = world
        self.name = name
        self.machine_error = machine_error
        self.clock = SystemClock(self._machine_time, world.clock.monotonic)
        self._follow_database()
        self.store = ProcessStore(world.database, world.outage)
        self.parts = EngineParts(
            store=self.store,
            clock=self.clock,
            identifiers=world.identifiers,
            queue=world.wakeups,
            connections=world.connections_for(self.store, self.clock),
            keyring=world.keyring,
            worker=name,
            probe=self._probe,
        )
        self.tasks: list[asyncio.Task[None]] = []
        self.died: asyncio.Event = asyncio.Event()

    def _machine_time(self) -> datetime:
        return self.world.clock.now() + timedelta(seconds=self.machine_error)

    def _follow_database(self) -> None:
        """What `Service` does every few seconds: measure the database's clock and follow it."""
        self.clock.follow(self.world.clock.now() - self._machine_time())

    def _probe(self, name: str) -> None:
        if self.store.dead or self.world.crash_at(name):
            self.store.dead = True
            raise SimulatedCrash(name)
        self.world.freeze_at(self, name)

    def start(self) -> None:
        """Begin every loop of the process."""
        loops: list[Callable[[], Awaitable[None]]] = [
            lambda: self._work(True),
            lambda: self._work(False),
            lambda: self._sweep_due(),
            lambda: self._watch(),
        ]
        for connection_id in self.world.shops:
            loops.append(lambda connection_id=connection_id: self._desk(connection_id))  # type: ignore[misc]
            loops.append(lambda connection_id=connection_id: self._sweep_shop(connection_id))  # type: ignore[misc]
        for connection_id in self._one_connection_per_shop():
            loops.append(lambda connection_id=connection_id: self._keep_mark(connection_id))  # type: ignore[misc]

        loops += stock.loops_of(self)

        async def begin() -> None:
            # Before anything is written, as in `Service`: is this the database that wrote last?
            for connection_id in self._one_connection_per_shop():
                platforms = await self._platforms(connection_id)
                await self.attempt(lambda platforms=platforms: keep_mark(self.parts, platforms))  # type: ignore[misc]
            for run in loops:
                self.tasks.append(asyncio.get_running_loop().create_task(self._until_crash(run)))

        self.tasks.append(asyncio.get_running_loop().create_task(self._until_crash(begin)))

    def _one_connection_per_shop(self) -> tuple[int, ...]:
        last = sorted(self.world.shops.items(), reverse=True)
        return tuple({shop: number for number, shop in last}.values())

    async def _until_crash(self, run: Callable[[], Awaitable[None]]) -> None:
        try:
            await run()
        except SimulatedCrash:
            self.kill()

    def kill(self) -> None:
        """The process is gone: every task ends where it stands, memory is lost, the database stays."""
        self.died.set()
        self.store.dead = True
        self.store.running.set()
        for task in self.tasks:
            task.cancel()

    def freeze(self) -> None:
        """The process stops in the middle of what it does, like one that was sent SIGSTOP."""
        self.store.running.clear()

    def thaw(self) -> None:
        self.store.running.set()

    async def attempt(self, work: Callable[[], Awaitable[T]]) -> T | None:
        """Run one piece of work and hand back what it says; a database that is away is waited for, anything else is a defect
        and reported."""
        try:
            return await work()
        except OperationalError:
            await self.world.clock.sleep(1.0)
        except Exception as error:
            self.world.troubles.append(f"{self.name}: {type(error).__name__}: {error}")
            await self.world.clock.sleep(1.0)
        return None

    async def _work(self, acceptance: bool) -> None:
        while True:
            order_id = await self.world.wakeups.next_order(acceptance)
            await self.attempt(lambda order_id=order_id: self._look_at(order_id))  # type: ignore[misc]

    async def _look_at(self, order_id: int) -> None:
        wakeups = self.world.wakeups
        wakeups.looking += 1
        try:
            await look_at(self.parts, order_id)
        finally:
            wakeups.looking -= 1
            wakeups.changes += 1

    async def _sweep_due(self) -> None:
        """The due sweep. One that cannot find anything is left out: nothing changed since the last one found nothing,
        and no order's time has come."""
        wakeups = self.world.wakeups

        async def sweep() -> None:
            changes = wakeups.changes
            if not await wake_due(self.parts):
                wakeups.quiet = changes, await self.store.tx(lambda c: c.execute(_NEXT_DUE).scalar_one())

        while True:
            quiet = wakeups.quiet
            still = quiet is not None and quiet[0] == wakeups.changes
            if quiet is None or not still or (quiet[1] is not None and quiet[1] <= self.clock.now()):
                await self.attempt(sweep)
            await self.world.clock.sleep(self.world.due_sweep_seconds)
            self._follow_database()

    async def _watch(self) -> None:
        """The acceptance watchdog. Without a look under way nobody can be stuck in one."""
        while True:
            await self.world.clock.sleep(60.0)
            if self.world.wakeups.looking:
                await self.attempt(lambda: watch_acceptance(self.parts))

    async def _platforms(self, connection_id: int) -> ConnectedPlatforms:
        while True:
            try:
                return await self.parts.connections.get(connection_id)
            except OperationalError:
                await self.world.clock.sleep(1.0)

    async def _desk(self, connection_id: int) -> None:
        desk = Desk(self.parts, await self._platforms(connection_id), self.world.desk_rules)
        wakeups = self.world.wakeups
        while True:
            heard = wakeups.reads_wanted[connection_id]
            due: list[float] = []

            async def work(due: list[float] = due) -> None:
                at = await desk.work()
                if at is not None:
                    due.append((at - self.clock.now()).total_seconds())

            await self.attempt(work)
            if not due:
                await self.world.clock.sleep(FOLLOWS_SECONDS)
                continue
            try:
                async with asyncio.timeout(min(max(due[0], 0.0) + 0.05, 60.0)):
                    await wakeups.read_is_wanted(connection_id, heard)
            except TimeoutError:
                continue
            await self.world.clock.sleep(1.0)  # collect reads for a second

    async def _keep_mark(self, connection_id: int) -> None:
        platforms = await self._platforms(connection_id)
        pause = MARKS_SECONDS
        while True:
            await self.world.clock.sleep(pause)
            found = await self.attempt(
                lambda: keep_mark(self.parts, platforms, timedelta(seconds=0.8 * MARKS_SECONDS))
            )
            pause = TRIED_AGAIN_AFTER.total_seconds() if found == "failed" else MARKS_SECONDS

    async def _sweep_shop(self, connection_id: int) -> None:
        passes = 0
        platforms = await self._platforms(connection_id)
        shop = self.world.shops[connection_id]

        async def tie_up() -> None:
            if shop in await self.store.tx(shops_with_loose_ends):
                await resolve_deliveries(self.parts, platforms, shop)
                await look_at_strangers(self.parts, platforms, shop)

        while True:
            await self.world.clock.sleep(150.0)
            passes += 1
            if passes % AUDIT_EVERY_PASSES == 0:
                await self.attempt(lambda: self.world.audit(self.parts.connections, connection_id))
            await self.attempt(lambda: sweep_shopify(self.parts, platforms))
            await self.attempt(tie_up)
