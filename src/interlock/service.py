"""The running service: workers, read desks and sweeps of one process, and the web application beside them."""

import asyncio
import errno
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import psycopg
import uvicorn
from procrastinate.exceptions import ConnectorException
from sqlalchemy import Connection, delete, or_, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.types import ASGIApp

from interlock import logs
from interlock.access.people import first_admin_link
from interlock.access.rules import AccessRules, OutsideSignIn
from interlock.clock import Clock, Identifiers, SystemClock, SystemIdentifiers
from interlock.comparing import Comparing
from interlock.engine.capabilities import keep_capability
from interlock.engine.desk import Desk, DeskRules
from interlock.engine.hosts import only_public
from interlock.engine.jobs import JobWorkers, ProcrastinateQueue
from interlock.engine.marks import TRIED_AGAIN_AFTER, keep_mark
from interlock.engine.retention import forget_history
from interlock.engine.run import EngineParts, look_at
from interlock.engine.sending import refuse_late_writes
from interlock.engine.stock import StockDesk
from interlock.engine.stock_reading import read_shop
from interlock.engine.store import (
    ConnectionRow,
    all_connections,
    beat,
    connections,
    count,
    duty_is_due,
    heartbeats,
    keep_services,
    one_connection,
    polls,
    shops_with_loose_ends,
    take_duty,
)
from interlock.engine.sweeps import (
    forget,
    look_at_strangers,
    resolve_deliveries,
    sweep_shopify,
    wake_due,
    watch_acceptance,
)
from interlock.engine.troubles import TroubleCode, note_trouble, trouble_is_over
from interlock.logs import logger
from interlock.mirakl import read as mirakl_read
from interlock.mirakl.failures import ReadError
from interlock.monitoring.duty import WATCHDOG_FILE, Alerting
from interlock.monitoring.own_checks import OwnChecks
from interlock.orders.actions import Lane
from interlock.orders.plan import Case
from interlock.quarantine.store import in_quarantine
from interlock.settings import Settings, SettingsInvalid, console_address
from interlock.shopify import read as shopify_read
from interlock.shopify import subscriptions
from interlock.shopify.account import is_loopback
from interlock.shopify.classify import CallFailed
from interlock.storage.database import Database, Store, ThreadStore, clock_offset
from interlock.storage.embedded import EmbeddedServer
from interlock.storage.encryption import Keyring, open_keyring
from interlock.storage.installation import Installation, open_installation, webhook_base
from interlock.storage.migrations import check, upgrade
from interlock.storage.trouble import DatabaseRefused, trouble_of
from interlock.tables import metadata
from interlock.wiring import HttpFor, StoredConnections

POOL_SIZE = 16
DESK_SECONDS = 1.0
FOLLOWING_DESK_SECONDS = 5.0
CAPABILITY_EVERY = timedelta(hours=24)
CAPABILITY_AGAIN = timedelta(hours=1)
LONGEST_PAUSE = 30.0
SHARED = 0.8
"""What one worker did, no other does again within this share of the duty's pace: less than all of it, as a worker that
comes a moment early would else leave the duty undone for nearly twice as long."""
FORGET_WORKER_AFTER = timedelta(minutes=15)
GRACE_SECONDS = 12.0
BACKLOG = 2048
"""So many connections wait until the web application takes them, as many as its server would let wait."""
CLOCK_MAY_DIFFER = timedelta(seconds=2)
"""How far a machine's clock may be from the database's before somebody is told; the work itself follows the database's."""


class NotThisMachine(Exception):
    """Other machines may reach the console only over TLS: its own, or that of a proxy which was named."""

    def __init__(self, host: str, lacking: str) -> None:
        super().__init__(
            f"`serve` was asked to listen on {host}, which other machines may reach, but {lacking}. Nothing was started. "
            "Set INTERLOCK_PUBLIC_URL to the https address people use, and either INTERLOCK_TLS_CERTIFICATE and "
            "INTERLOCK_TLS_KEY, or INTERLOCK_TRUSTED_PROXIES to the address of the proxy that speaks TLS in front. Or set "
            "INTERLOCK_HTTP_HOST to 127.0.0.1."
        )


class CannotListen(Exception):
    """`serve` cannot listen where it is told to; the sentence says why and what to do."""


class AddressTaken(CannotListen):
    """Something else listens where `serve` wants to."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} of {host} is taken, perhaps by another Interlock. Nothing was started. Stop the other "
            "program, or choose another port with INTERLOCK_HTTP_PORT."
        )


class AddressUnusable(CannotListen):
    """Nobody could listen there on this machine."""

    def __init__(self, host: str, port: int, why: str) -> None:
        super().__init__(
            f"Nobody can listen at port {port} of {host} on this machine: {why}. Nothing was started. INTERLOCK_HTTP_HOST has "
            "to be an address of this machine, such as 127.0.0.1, and INTERLOCK_HTTP_PORT a port it may use."
        )


def is_away(error: BaseException) -> bool:
    """Whether the error means that the database cannot be reached, as against a statement that failed there."""
    if isinstance(error, (InterfaceError, PoolTimeout)):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error.__cause__
    if not isinstance(error, (DBAPIError, ConnectorException)) or not isinstance(cause, psycopg.Error):
        return False
    state = cause.sqlstate
    # No state: the connection itself broke. Class 08: connection; 57P: shut down or starting; 53300: too many.
    return isinstance(cause, psycopg.OperationalError) and (
        state is None or state.startswith(("08", "57P")) or state == "53300"
    )


@dataclass
class HttpClients:
    """One HTTP client for each origin, kept for its connections. Proxies of the environment serve all but loopback.

    Nothing is sent to a host that leads into a private network, nor, without `loopback`, to this machine.
    """

    clock: Clock
    loopback: bool = False
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    def for_origin(self, origin: str) -> httpx2.AsyncClient:
        """The client of this origin."""
        found = self.clients.get(origin)
        if found is None:
            here = is_loopback(httpx2.URL(origin).host)
            found = self.clients[origin] = httpx2.AsyncClient(
                trust_env=not here,
                follow_redirects=False,
                event_hooks={
                    "request": [
                        only_public(origin, self.clock, self.loopback),
                        # last: looking a name up takes time as well
                        refuse_late_writes(self.clock),
                    ]
                },
            )
        return found

    async def close(self) -> None:
        """Close every connection."""
        for client in self.clients.values():
            await client.aclose()
        self.clients.clear()


@dataclass(frozen=True)
class Pace:
    """How often each duty of a process is done, in seconds of its clock."""

    due: float = 3.0
    watchdog: float = 5.0
    shop_sweep: float = 60.0
    deliveries: float = 10.0
    stock: float = 5.0
    desks: float = 30.0
    capability: float = 600.0
    subscriptions: float = 600.0
    marks: float = 300.0
    forget: float = 3600.0
    history: float = 21600.0
    heartbeat: float = 10.0
    database: float = 5.0
    alerts: float = 10.0
    alert_sending: float = 3.0
    heartbeat_outside: float = 60.0
    measures: float = 60.0
    watchdog_file: float = 10.0
    own_checks: float = 300.0
    offers: float = 30.0


@dataclass(frozen=True)
class Opened:
    """A database that is ready for work. `server` is the embedded one, where that is used."""

    database: Database
    clock: SystemClock
    keyring: Keyring
    installation: Installation
    server: EmbeddedServer | None


@dataclass
class _DeskTask:
    row: ConnectionRow
    ended: asyncio.Event
    task: asyncio.Task[None]


class Service:
    """One worker process: its pools of workers, its read desks and its sweeps, each watched over by itself.

    `run` returns when its event is set, and only then: whatever fails is logged, counted and tried again. Every wait is
    on `clock`, so that a rehearsal may run faster than the world.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        identifiers: Identifiers,
        keyring: Keyring,
        address_key: bytes,
        http_for: HttpFor,
        *,
        loopback_http: bool,
        worker: str,
        server: EmbeddedServer | None = None,
        pace: Pace | None = None,
        console_address: str = "",
        watchdog_file: Path | None = None,
        backup_file: Path | None = None,
        history: timedelta = timedelta(days=730),
    ) -> None:
        self.database = database
        self.store = ThreadStore(database)
        self.queue = ProcrastinateQueue()
        self.connections = StoredConnections(
            self.store, clock, keyring, address_key, http_for, loopback_http=loopback_http
        )
        self.parts = EngineParts(
            store=self.store,
            clock=clock,
            identifiers=identifiers,
            queue=self.queue,
            connections=self.connections,
            keyring=keyring,
            worker=worker,
            alarm=self._alarm,
        )
        self.alerting = Alerting(self.store, clock, keyring, console_address, http_for)
        self.checks = OwnChecks(self.store, clock, worker, http_for, backup_file)
        self._watchdog_file = watchdog_file
        self._history = history
        self._clock = clock
        self._loopback_http = loopback_http
        self._server = server
        self._pace = pace or Pace()
        self._stop = asyncio.Event()
        self._away = False
        self._failures: dict[str, int] = {}
        self._desks: dict[int, _DeskTask] = {}
        self._stock_desks: dict[int, StockDesk] = {}
        self._log = logger(worker=worker)

    def _alarm(self, connection: str, mirakl_order: str, case: Case) -> None:
        """An urgent case goes to the log as it opens and with each rung it climbs."""
        self._log.warning(
            "case.urgent",
            reason=case.reason.value,
            connection=connection,
            mirakl_order=mirakl_order,
            due_at=case.due_at,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Do everything until `stop` is set; what is under way then gets GRACE_SECONDS to end."""
        self._stop = stop
        pace = self._pace
        workers = JobWorkers(
            self.database.conninfo, self.parts.worker, self._clock, self._look, self._look_failed, self._wake
        )
        # More often than it is moved: a comparison that failed is not left for so long.
        mark_looked_for = min(pace.marks, TRIED_AGAIN_AFTER.total_seconds())
        duties: list[tuple[str, float, Callable[[], Awaitable[object]]]] = [
            ("jobs", 0.5, lambda: workers.run(stop)),
            ("due sweep", pace.due, lambda: wake_due(self.parts)),
            ("acceptance watchdog", pace.watchdog, lambda: watch_acceptance(self.parts)),
            ("shop sweep", pace.shop_sweep, self._sweep_shops),
            ("deliveries", pace.deliveries, self._resolve_deliveries),
            ("stock", pace.stock, self._tend_stock),
            ("desks", pace.desks, self._keep_desks),
            ("capability", pace.capability, self._refresh_capabilities),
            ("offers", pace.offers, self._compare_offers),
            ("subscriptions", pace.subscriptions, self._audit_subscriptions),
            ("marks", mark_looked_for, lambda: self._keep_marks(timedelta(seconds=pace.marks))),
            ("forget", pace.forget, lambda: forget(self.parts)),
            ("history", pace.history, lambda: forget_history(self.parts, self._history)),
            ("heartbeat", pace.heartbeat, self._beat),
            ("database", pace.database, self._watch_database),
            ("alerts", pace.alerts, self.alerting.tell),
            ("measures", pace.measures, self.alerting.measure),
            ("watchdog file", pace.watchdog_file, self._write_deadlines),
            ("alert sending", pace.alert_sending, self.alerting.start_sending),
            ("heartbeat outside", pace.heartbeat_outside, self.alerting.beat_outside),
            ("own checks", pace.own_checks, self.checks.look),
        ]
        self._log.info("worker.started")
        # Before anything is written: is this the database that wrote last?
        await self._guarded("marks", self._keep_marks)
        tasks: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._supervised(*duty)) for duty in duties]
        await stop.wait()
        tasks += [*(desk.task for desk in self._desks.values()), *self.alerting.sending.values()]
        _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._guarded("farewell", self._let_go)
        self._log.info("worker.stopped", count=len(late))

    # -- supervision -----------------------------------------------------------------------------------

    async def _supervised(self, name: str, seconds: float, duty: Callable[[], Awaitable[object]]) -> None:
        while not self._stop.is_set():
            fine = await self._guarded(name, duty)
            await self._pause(seconds if fine else self._back_off(name))

    async def _guarded(self, name: str, duty: Callable[[], Awaitable[object]]) -> bool:
        """Do something that may fail without ending anything else. False when it failed."""
        try:
            await duty()
        except Exception as error:
            self._failures[name] = self._failures.get(name, 0) + 1
            if is_away(error):
                if not self._away:
                    self._log.warning("database.away", task=name, exc_info=error)
                self._away = True
                return False
            self._log.error("duty.failed", task=name, count=self._failures[name], exc_info=error)
            await self._count("duty_failed", name)
            return False
        self._failures.pop(name, None)
        return True

    def _back_off(self, name: str) -> float:
        most = 3.0 if self._away else LONGEST_PAUSE
        return min(0.5 * 2.0 ** min(self._failures.get(name, 1) - 1, 10), most)

    async def _pause(self, seconds: float, ended: asyncio.Event | None = None) -> None:
        """Wait so long, but not past the end of the service (or of `ended`)."""
        waits = [
            asyncio.ensure_future(self._clock.sleep(seconds)),
            asyncio.ensure_future(self._stop.wait()),
        ]
        if ended is not None:
            waits.append(asyncio.ensure_future(ended.wait()))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _count(self, name: str, label: str) -> None:
        try:
            await self.store.tx(lambda c: count(c, name, label))
        except DBAPIError as error:
            self._log.warning("count.lost", task=label, exc_info=error)

    async def _note_trouble(self, part: str, code: TroubleCode, detail: str) -> None:
        now = self._clock.now()
        try:
            await self.store.tx(lambda c: note_trouble(c, part, code, now, detail))
        except DBAPIError as error:
            self._log.warning("count.lost", task=code, exc_info=error)

    async def _watch_database(self) -> None:
        """Measure the database's clock, which all workers follow; start the embedded server if it is gone."""
        own = SystemClock()
        try:
            offset = await asyncio.to_thread(clock_offset, self.database, own)
        except OperationalError:
            if self._server is not None:
                await asyncio.to_thread(self._server.ensure_started)
            raise
        if isinstance(self._clock, SystemClock):
            self._clock.follow(offset)
        if abs(offset) > CLOCK_MAY_DIFFER:
            await self._note_trouble(
                f"clock {self.parts.worker}", "clock_skew", f"{offset.total_seconds():+.1f}"
            )
        if self._away:
            self._away = False
            self._log.info("database.back")

    async def _beat(self) -> None:
        now = self._clock.now()

        def write(c: Connection) -> None:
            beat(c, f"worker {self.parts.worker}", now)
            gone = heartbeats.c.at < now - FORGET_WORKER_AFTER
            c.execute(delete(heartbeats).where(heartbeats.c.name.startswith("worker "), gone))

        await self.store.tx(write)

    async def _write_deadlines(self) -> None:
        if self._watchdog_file is not None:
            self._watchdog_file.parent.mkdir(parents=True, exist_ok=True)
            await self.alerting.write_deadlines(self._watchdog_file)

    async def _let_go(self) -> None:
        """Leave nothing behind that others would have to wait for: the lead of polls, and the heartbeat."""

        def let_go(c: Connection) -> None:
            mine = polls.c.owner == self.parts.worker
            c.execute(update(polls).where(mine).values(owner=None, lease_until=None))
            c.execute(delete(heartbeats).where(heartbeats.c.name == f"worker {self.parts.worker}"))

        await self.store.tx(let_go)

    # -- orders ----------------------------------------------------------------------------------------

    async def _look(self, order_id: int) -> bool:
        return await look_at(self.parts, order_id)

    async def _look_failed(self, order_id: int, lane: Lane, error: BaseException) -> None:
        if is_away(error):
            self._log.warning("look.interrupted", order=order_id, lane=lane, exc_info=error)
            return
        self._log.error("look.failed", order=order_id, lane=lane, exc_info=error)
        await self._count("look_failed", lane)
        await self._note_trouble(f"order {order_id}", "crash", type(error).__name__)

    async def _wake(self, rescued: Sequence[tuple[int, Lane]]) -> None:
        def wake(c: Connection) -> None:
            for order_id, lane in rescued:
                self.queue.wake(c, order_id, lane)
            count(c, "job_rescued", by=len(rescued))

        await self.store.tx(wake)
        self._log.info("jobs.rescued", count=len(rescued))

    # -- read desks ------------------------------------------------------------------------------------

    async def _keep_desks(self) -> None:
        """One desk for each live connection, as its row says now."""
        rows = {row.id: row for row in await self._live()}
        for connection_id, desk in list(self._desks.items()):
            if rows.get(connection_id) != desk.row:
                desk.ended.set()
                if connection_id not in rows and desk.task.done():
                    del self._desks[connection_id]
        for row in rows.values():
            former = self._desks.get(row.id)
            if former is not None and not former.ended.is_set():
                continue
            ended = asyncio.Event()
            after = None if former is None else former.task
            self._desks[row.id] = _DeskTask(row, ended, asyncio.ensure_future(self._desk(row, ended, after)))

    async def _desk(self, row: ConnectionRow, ended: asyncio.Event, after: asyncio.Task[None] | None) -> None:
        name = f"desk {row.name}"
        rules = DeskRules(timedelta(seconds=row.poll_seconds), row.event_reads_per_minute)
        desk: list[Desk] = []
        following = [False]
        if after is not None:
            await asyncio.wait([after])

        async def work() -> None:
            if not desk:
                desk.append(Desk(self.parts, await self.connections.get(row.id), rules))
            following[0] = await desk[0].work() is None

        while not (self._stop.is_set() or ended.is_set()):
            fine = await self._guarded(name, work)
            seconds = FOLLOWING_DESK_SECONDS if following[0] else DESK_SECONDS
            await self._pause(seconds if fine else self._back_off(name), ended)

    async def _live(self) -> list[ConnectionRow]:
        rows = await self.store.tx(all_connections)
        return [row for row in rows if row.live]

    async def _shops(self) -> list[ConnectionRow]:
        """One connection for each shop in use."""
        first: dict[str, ConnectionRow] = {}
        for row in await self._live():
            first.setdefault(row.shopify_account, row)
        return list(first.values())

    # -- sweeps ----------------------------------------------------------------------------------------

    async def _sweep_shops(self) -> None:
        for row in await self._shops():
            platforms = await self.connections.get(row.id)
            await self._guarded(f"sweep {row.shopify_shop}", lambda p=platforms: sweep_shopify(self.parts, p))  # type: ignore[misc]

    async def _resolve_deliveries(self) -> None:
        waiting = await self.store.tx(shops_with_loose_ends)
        for row in await self._shops() if waiting else ():
            if row.shopify_shop not in waiting:
                continue
            platforms = await self.connections.get(row.id)
            await self._guarded(
                f"deliveries {row.shopify_shop}",
                lambda p=platforms, shop=row.shopify_shop: resolve_deliveries(self.parts, p, shop),  # type: ignore[misc]
            )
            await self._guarded(
                f"strangers {row.shopify_shop}",
                lambda p=platforms, shop=row.shopify_shop: look_at_strangers(self.parts, p, shop),  # type: ignore[misc]
            )

    async def _tend_stock(self) -> None:
        """Read the stock of every shop whose stock is published, and publish it."""
        live = [row for row in await self._live() if row.rules.publish_stock]
        for row in {row.shopify_shop: row for row in reversed(live)}.values():
            await self._guarded(f"stock {row.shopify_shop}", lambda row=row: self._read_stock(row))  # type: ignore[misc]
        for row in live:
            await self._guarded(f"stock desk {row.name}", lambda row=row: self._publish_stock(row))  # type: ignore[misc]

    async def _read_stock(self, row: ConnectionRow) -> None:
        await read_shop(self.parts, await self.connections.get(row.id), row.shopify_shop)

    async def _publish_stock(self, row: ConnectionRow) -> None:
        platforms = await self.connections.get(row.id)
        desk = self._stock_desks.get(row.id)
        if desk is None:
            desk = self._stock_desks[row.id] = StockDesk(self.parts, row.shopify_shop)
        await desk.work(platforms)

    # -- what the platforms allow ----------------------------------------------------------------------

    async def _refresh_capabilities(self) -> None:
        for row in await self._live():
            await self._guarded(f"capability {row.name}", lambda row=row: self._refresh_capability(row))  # type: ignore[misc]

    async def _refresh_capability(self, row: ConnectionRow) -> None:
        """Ask once a day what the marketplace allows (PC01, RE01, SH12, SH21, A01). The first to move the date asks."""
        now = self._clock.now()
        mine = connections.c.id == row.id
        stale = or_(
            connections.c.capability_at.is_(None), connections.c.capability_at < now - CAPABILITY_EVERY
        )

        def claim(c: Connection) -> bool:
            return bool(c.execute(update(connections).where(mine, stale).values(capability_at=now)).rowcount)

        if not await self.store.tx(claim):
            return
        try:
            capability = await mirakl_read.capability(self.connections.mirakl_client(row))
        except ReadError as error:
            later = now - CAPABILITY_EVERY + CAPABILITY_AGAIN
            await self.store.tx(
                lambda c: c.execute(update(connections).where(mine).values(capability_at=later))
            )
            self._log.warning("capability.unread", connection=row.name, exc_info=error)
            await self._count("capability_unread", row.name)
            return
        read_at = self._clock.now()
        kept = await self.store.tx(
            lambda c: keep_capability(c, self.queue, one_connection(c, row.id), capability, read_at)
        )
        self._log.info("capability.read", connection=row.name, count=kept.hinted)
        await self._refresh_services(row)

    async def _refresh_services(self, row: ConnectionRow) -> None:
        """Read which places of the shop are fulfilment services, as often as what the marketplace allows."""
        try:
            readiness = await shopify_read.startup(self.connections.shopify_client(row))
        except CallFailed as error:
            self._log.warning("services.unread", connection=row.name, exc_info=error)
            await self._count("services_unread", row.name)
            return
        now = self._clock.now()
        scopes = f"scopes {row.shopify_shop}"

        def keep(c: Connection) -> None:
            keep_services(c, row.id, readiness.services, now)
            if readiness.missing_scopes:
                note_trouble(c, scopes, "scope_missing", now, " ".join(readiness.missing_scopes))
            else:
                trouble_is_over(c, scopes, "scope_missing")

        await self.store.tx(keep)

    async def _compare_offers(self) -> None:
        """What the marketplaces offer and what the shops sell, read step by step and compared."""
        await Comparing(self.store, self._clock, self.connections).work(await self._live())

    async def _keep_marks(self, every: timedelta | None = None) -> None:
        """Compare the mark in every shop with this database's; a database that is not the current one writes nothing."""
        for row in await self._shops():
            await self._guarded(f"marks {row.shopify_shop}", lambda row=row: self._keep_mark(row, every))  # type: ignore[misc]

    async def _keep_mark(self, row: ConnectionRow, every: timedelta | None) -> None:
        found = await keep_mark(self.parts, await self.connections.get(row.id), every)
        if found == "quarantine began":
            self._log.error("quarantine.entered", shop=row.shopify_shop)
        elif found == "failed":
            self._log.warning("mark.not_compared", shop=row.shopify_shop)

    async def _audit_subscriptions(self) -> None:
        """Assert every shop's webhook subscriptions: Shopify removes them after failures, silently."""
        base = await self.store.tx(lambda c: None if in_quarantine(c) else webhook_base(c))
        if base is None:
            return
        every = timedelta(seconds=SHARED * self._pace.subscriptions)
        now = self._clock.now()
        for row in await self._shops():
            duty = f"subscriptions {row.shopify_account}"
            if not await self.store.tx(lambda c, duty=duty: take_duty(c, duty, now, every)):  # type: ignore[misc]
                continue
            await self._guarded(
                f"subscriptions {row.shopify_shop}",
                lambda row=row: self._audit_subscriptions_of(row, base),  # type: ignore[misc]
            )
            await self._guarded(
                f"ingress {row.shopify_shop}",
                lambda row=row: self.checks.ask_ingress(  # type: ignore[misc]
                    row.shopify_shop, webhook_address(base, row.shopify_shop)
                ),
            )

    async def _audit_subscriptions_of(self, row: ConnectionRow, base: str) -> None:
        try:
            report = await subscriptions.ensure(
                self.connections.shopify_client(row),
                webhook_address(base, row.shopify_shop),
                loopback_http=self._loopback_http,
            )
        except CallFailed as error:
            self._log.warning("subscriptions.unread", shop=row.shopify_shop, exc_info=error)
            duty, now = f"subscriptions {row.shopify_account}", self._clock.now()
            await self.store.tx(lambda c: duty_is_due(c, duty, now))
            await self._count("subscriptions_unread", row.shopify_shop)
            return
        for topic in report.added:
            self._log.info("subscription.added", shop=row.shopify_shop, topic=topic)
            await self._count("subscription_added", topic)
        part, missing = f"subscriptions {row.shopify_shop}", " ".join(topic for topic, _ in report.failed)
        now = self._clock.now()
        if missing:
            await self.store.tx(lambda c: note_trouble(c, part, "subscription_missing", now, missing))
        else:
            await self.store.tx(lambda c: trouble_is_over(c, part, "subscription_missing"))
        for topic, _ in report.failed:
            self._log.error("subscription.refused", shop=row.shopify_shop, topic=topic)
            await self._count("subscription_refused", topic)


def webhook_address(base: str, shop: str) -> str:
    """Where the deliveries of a shop come in, below the installation's public address."""
    return f"{base}/webhooks/shopify/{shop}"


# -- one process -------------------------------------------------------------------------------------------


def _open(
    settings: Settings, clock: SystemClock, identifiers: Identifiers, with_upgrade: bool
) -> Opened | list[str]:
    """Open the database, or say what its schema lacks. Blocks. Raises OperationalError while it is away."""
    server = None if settings.database_url is not None else EmbeddedServer(settings.data_folder)
    url = settings.database_url or ("" if server is None else server.ensure_started())
    database = Database(url, pool_size=POOL_SIZE)
    try:
        clock.follow(clock_offset(database, SystemClock()))
        keyring = open_keyring(settings.key, settings.data_folder)
        if with_upgrade or server is not None:
            upgrade(database)
        else:
            lacking = check(database, metadata)
            if lacking:
                database.dispose()
                return lacking
        with database.begin() as c:
            installation = open_installation(c, keyring, identifiers.new_id(), clock.now())
    except BaseException:
        database.dispose()
        raise
    return Opened(database, clock, keyring, installation, server)


async def opened(settings: Settings, stop: asyncio.Event, *, with_upgrade: bool) -> Opened | None:
    """The database of these settings, waited for as long as it takes; None when `stop` came first.

    The embedded server is started, and its schema is always brought up to date. For a database of one's own that is
    done with `with_upgrade` only: a worker waits until somebody has upgraded it. Raises EmbeddedServerRefused,
    KeyRefused, Undecipherable, DatabaseIsNewer, and DatabaseRefused where waiting cannot help.
    """
    clock, identifiers = SystemClock(), SystemIdentifiers()
    pause = 0.5
    while not stop.is_set():
        try:
            found = await asyncio.to_thread(_open, settings, clock, identifiers, with_upgrade)
        except OperationalError as error:
            trouble = trouble_of(error)
            if not trouble.passes:
                raise DatabaseRefused(trouble) from None
            logger().warning("database.away", wait_s=pause, reason=trouble.what, exc_info=error)
        else:
            if isinstance(found, Opened):
                return found
            logger().warning("database.not_upgraded", wait_s=pause, count=len(found))
        pause = await _paused(stop, pause)
    return None


async def _paused(stop: asyncio.Event, pause: float) -> float:
    """Wait so many seconds, or until `stop`, before the database is asked again; gives the next pause."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), pause)
    return min(pause * 2, 10.0)


async def tell_first_admin(
    store: Store, clock: Clock, address: str, stop: asyncio.Event, say: Callable[[str], None]
) -> None:
    """Say the link that makes the first administrator, as long as there is none; waits for a database that is away."""
    pause = 0.5
    while not stop.is_set():
        try:
            link = await store.tx(lambda c: first_admin_link(c, clock.now()))
        except Exception as error:
            if not is_away(error):
                raise
            reason = trouble_of(error).what
            logger().warning("database.away", wait_s=pause, reason=reason, exc_info=error)
            pause = await _paused(stop, pause)
            continue
        if link is not None:
            say(
                "Nobody can sign in yet. Whoever opens this link becomes the administrator; it works once, for 24 hours:\n"
                f"{address}/welcome/{link}"
            )
        return


def worker_name(identifiers: Identifiers) -> str:
    """A name no other process ever had: a lease must not be taken for one's own by a later incarnation."""
    return f"{socket.gethostname()[:40]}-{identifiers.new_id()[-8:]}"


async def work(settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Be one worker process until `stop` is set or the process is asked to end (SIGTERM, SIGINT)."""
    stop = _stop_on_signals() if stop is None else stop
    found = await opened(settings, stop, with_upgrade=False)
    if found is not None:
        async with AsyncExitStack() as stack:
            await (await _service(settings, found, stack)).run(stop)


async def _service(settings: Settings, found: Opened, stack: AsyncExitStack) -> Service:
    http = HttpClients(found.clock, settings.allow_loopback_http)
    stack.callback(found.database.dispose)
    stack.push_async_callback(http.close)
    identifiers = SystemIdentifiers()
    return Service(
        found.database,
        found.clock,
        identifiers,
        found.keyring,
        found.installation.address_key,
        http.for_origin,
        loopback_http=settings.allow_loopback_http,
        worker=worker_name(identifiers),
        server=found.server,
        console_address=console_address(settings),
        watchdog_file=settings.data_folder / WATCHDOG_FILE,
        backup_file=settings.backup_file,
        history=timedelta(days=settings.history_days),
    )


def _stop_on_signals() -> asyncio.Event:
    stop = asyncio.Event()

    def ask(name: str) -> None:
        logger().info("process.asked_to_stop", signal=name)
        stop.set()

    for which in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(which, ask, which.name)
    return stop


class _WebServer(uvicorn.Server):
    """uvicorn without signal handlers of its own: one signal ends web and worker together."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def refuse_unsafe(settings: Settings) -> None:
    """Raise NotThisMachine when passwords would travel in the clear, and SettingsInvalid for half a certificate or half
    a provider."""
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        missing = "INTERLOCK_TLS_KEY" if settings.tls_key is None else "INTERLOCK_TLS_CERTIFICATE"
        raise SettingsInvalid([(missing, "is missing: certificate and key go together")])
    if settings.tls_certificate is not None and settings.tls_key is not None:
        _check_certificate(settings.tls_certificate, settings.tls_key)
    if settings.oidc_issuer and not settings.oidc_client_id:
        raise SettingsInvalid([("INTERLOCK_OIDC_CLIENT_ID", "is missing: INTERLOCK_OIDC_ISSUER is set")])
    if settings.oidc_issuer and not settings.public_url:
        raise SettingsInvalid(
            [("INTERLOCK_PUBLIC_URL", "is missing: the OpenID Connect provider sends people back to it")]
        )
    if is_loopback(settings.http_host):
        return
    if not settings.public_url.startswith("https://"):
        raise NotThisMachine(settings.http_host, "INTERLOCK_PUBLIC_URL names no https address")
    if settings.tls_certificate is None and not settings.trusted_proxies:
        raise NotThisMachine(settings.http_host, "neither a certificate nor a proxy that speaks TLS is named")


def _check_certificate(certificate: Path, key: Path) -> None:
    """Raise SettingsInvalid where no connection could be encrypted with these files."""
    for name, file in (("INTERLOCK_TLS_CERTIFICATE", certificate), ("INTERLOCK_TLS_KEY", key)):
        try:
            file.read_bytes()
        except OSError as error:
            why = f"{file.absolute()} cannot be read ({error.strerror})"
            raise SettingsInvalid([(name, why)]) from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key)
    except (ssl.SSLError, ValueError) as error:
        why = "and INTERLOCK_TLS_KEY are no certificate and its private key in PEM form"
        raise SettingsInvalid([("INTERLOCK_TLS_CERTIFICATE", why)]) from error


def access_rules(settings: Settings) -> AccessRules:
    """What the settings say about signing in."""
    outside = None
    if settings.oidc_issuer:
        pairs = (pair.partition("=") for pair in settings.oidc_roles.split(",") if pair)
        outside = OutsideSignIn(
            settings.oidc_issuer,
            settings.oidc_client_id,
            settings.oidc_client_secret,
            settings.oidc_name,
            settings.oidc_groups_claim,
            tuple((group.strip(), role.strip()) for group, _, role in pairs),
        )
    return AccessRules(
        public_url=settings.public_url,
        second_factor_required=settings.second_factor == "required",
        idle=timedelta(minutes=settings.session_idle_minutes),
        longest=timedelta(hours=settings.session_hours),
        proxies=tuple(part for part in settings.trusted_proxies.split(",") if part),
        outside=outside,
    )


def listener(host: str, port: int) -> socket.socket:
    """A socket bound to this address, where nobody listens yet (see `listen`). Raises AddressTaken and AddressUnusable."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((host, port))
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressTaken(host, port) from error
        raise AddressUnusable(host, port, error.strerror or type(error).__name__) from error
    return found


def listen(sock: socket.socket) -> None:
    """Begin to listen. Raises AddressTaken: a program that was started in the same moment may have been bound as well,
    and the system lets only the first of them listen."""
    try:
        sock.listen(BACKLOG)
    except OSError as error:
        host, port = sock.getsockname()[:2]
        sock.close()
        raise AddressTaken(host, port) from error


async def serve_app(
    app: ASGIApp,
    sock: socket.socket,
    stop: asyncio.Event,
    certificate: Path | None = None,
    key: Path | None = None,
    before_end: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Answer requests on `sock` until `stop` is set; with a certificate and its key, over TLS. `before_end` ends what
    never ends by itself, so that the requests under way can be waited for."""
    server = _WebServer(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
            # Who speaks for whom is decided by our own setting.
            proxy_headers=False,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
    )

    async def end() -> None:
        await stop.wait()
        if before_end is not None:
            await before_end()
        server.should_exit = True

    ending = asyncio.ensure_future(end())
    try:
        await server.serve(sockets=[sock])
    finally:
        ending.cancel()
        stop.set()


async def answer(
    settings: Settings,
    stop: asyncio.Event | None = None,
    *,
    with_worker: bool = True,
    say: Callable[[str], None] = print,
) -> None:
    """The web application and, with `with_worker`, a worker in the same process.

    `say` is told the address, and as long as nobody can sign in, the link that makes the first administrator. Raises
    NotThisMachine, SettingsInvalid and CannotListen, and what `opened` raises.
    """
    # A worker process has no use for the web application.
    from interlock.web import WebParts, create_app

    stop = _stop_on_signals() if stop is None else stop
    refuse_unsafe(settings)
    rules = access_rules(settings)
    sock = listener(settings.http_host, settings.http_port)
    found = await opened(settings, stop, with_upgrade=True)
    if found is None:
        sock.close()
        return
    async with AsyncExitStack() as stack:
        service = await _service(settings, found, stack)
        parts = service.parts
        app = create_app(
            WebParts(
                parts.store,
                parts.clock,
                parts.identifiers,
                parts.queue,
                found.keyring,
                api_hosts=tuple(name for name in settings.api_hosts.split(",") if name),
                connections=service.connections,
                address_key=found.installation.address_key,
                hosts=(urlsplit(rules.public_url).hostname or "",) if rules.public_url else (),
                rules=rules,
            )
        )
        host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
        scheme = "http" if settings.tls_certificate is None else "https"
        address = rules.public_url or f"{scheme}://{host}:{sock.getsockname()[1]}"
        listen(sock)
        say(f"Interlock is at {address}/")
        web = serve_app(app, sock, stop, settings.tls_certificate, settings.tls_key, app.state.changes.close)
        running: list[Awaitable[Any]] = [
            web,
            tell_first_admin(parts.store, parts.clock, address, stop, say),
        ]
        if with_worker:
            running.append(service.run(stop))
        await asyncio.gather(*running)


def serve(settings: Settings) -> None:
    """`interlock serve`: database, web application and worker in one process, until it is asked to end."""
    _configure_logs(settings)
    asyncio.run(answer(settings))


def work_forever(settings: Settings) -> None:
    """`interlock worker`: one more worker process on the same database, until it is asked to end."""
    _configure_logs(settings)
    asyncio.run(work(settings))


def _configure_logs(settings: Settings) -> None:
    logs.configure(
        settings.log_level,
        settings.log_format,
        now=SystemClock().now,
        canaries=settings.log_canaries.split(","),
    )
