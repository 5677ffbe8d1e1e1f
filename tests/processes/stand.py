"""The stand: both platforms behind sockets, a database, and the processes of the service, each of which may be killed.

The platforms run here, in the process that does the killing, because they are the witnesses: they keep every call
and every effect. The service knows them only by their addresses.
"""

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from sqlalchemy import update
from starlette.types import ASGIApp

from interlock.clock import SystemClock, SystemIdentifiers
from interlock.engine.store import add_connection, connections, one_connection
from interlock.mirakl import read as mirakl_read
from interlock.orders.codec import encode
from interlock.orders.connection import CarrierMapping, ConnectionRules
from interlock.service import HttpClients, webhook_address
from interlock.shipping.store import map_carriers
from interlock.shopify import perform, subscriptions
from interlock.simulator.clock import PlatformClock
from interlock.simulator.mirakl import CATALOGUE, PROFILES
from interlock.simulator.mirakl.world import MiraklWorld
from interlock.simulator.shopify.standalone import http_sender
from interlock.simulator.shopify.world import ShopifyWorld
from interlock.storage.database import Database, ThreadStore
from interlock.storage.embedded import EmbeddedServer
from interlock.storage.encryption import Keyring, new_key
from interlock.storage.installation import open_installation, set_webhook_base
from interlock.storage.migrations import upgrade
from interlock.wiring import StoredConnections
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
# What takes minutes at a marketplace takes seconds here; its ceilings are lifted, for the polls are as fast.
QUICK = {
    "debit_request_delay": 0.5,
    "debit_delay": 3.0,
    "can_shop_ship_delay": 0.5,
    "call_tolerance": 1_000_000,
    "partial_cancelation": True,
}
MARKETPLACES = ("automatic", "all-or-nothing")


@dataclass
class Child:
    """One process of the service and where it writes."""

    module: str
    log: Path
    process: asyncio.subprocess.Process

    def ended_badly(self) -> bool:
        """Whether a process that was asked to end did it otherwise than in good order. One that was still starting
        may simply die of the signal."""
        if self.process.returncode == -signal.SIGTERM:
            return b"worker.started" in self.log.read_bytes()
        return self.process.returncode != 0

    def send(self, which: signal.Signals) -> bool:
        """Send a signal unless the process has ended."""
        if self.process.returncode is not None:
            return False
        self.process.send_signal(which)
        return True


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Any:
        yield


@dataclass
class Stand:
    """Everything of one run. Use as an asynchronous context manager."""

    seed: int
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="interlock-stand-")))
    children: list[Child] = field(default_factory=list)
    connection_ids: dict[str, int] = field(default_factory=dict)

    async def __aenter__(self) -> "Stand":
        self._stack = AsyncExitStack()
        try:
            await self._set_up()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        for child in self.children:
            if child.send(signal.SIGKILL):
                await child.process.wait()
        await self._stack.aclose()

    async def _set_up(self) -> None:
        # As root the database runs as another user, who must be able to pass through.
        self.folder.chmod(0o711)
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        # Not the fast and unsafe settings of other tests: what is committed has to survive.
        self.server = EmbeddedServer(self.folder / "data")
        url = await asyncio.to_thread(self.server.ensure_started)
        self._stack.callback(shutil.rmtree, self.server.socket_folder, ignore_errors=True)
        self._stack.callback(self.server.stop, "immediate")
        self.database = Database(url, pool_size=4)
        self._stack.callback(self.database.dispose)
        await asyncio.to_thread(upgrade, self.database)
        self.clock = SystemClock()
        key = new_key()
        self.keyring = Keyring([key])
        self.ingress_port = free_port()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("INTERLOCK_")},
            "INTERLOCK_DATABASE_URL": url,
            "INTERLOCK_DATA_FOLDER": str(self.folder / "data"),
            "INTERLOCK_KEY": key,
            "INTERLOCK_ALLOW_LOOPBACK_HTTP": "true",
            "INTERLOCK_HTTP_PORT": str(self.ingress_port),
        }
        await self._start_platforms()
        await self._connect()

    async def _start_platforms(self) -> None:
        platform_clock = PlatformClock(start=self.clock.now())
        deliveries = await self._stack.enter_async_context(httpx2.AsyncClient(timeout=5.0, trust_env=False))
        self.shopify = ShopifyWorld(
            platform_clock,
            self.seed,
            plan="plus",
            webhook_sender=http_sender(deliveries),
            currency="EUR",
            taxes_included=True,
        )
        for item in CATALOGUE:
            self.shopify.add_variant(item.sku, item.price, 10_000, title=item.title)
        self.mirakl = {
            name: MiraklWorld(
                platform_clock,
                self.seed + number,
                replace(PROFILES[name].changed(QUICK), currency="EUR"),
            )
            for number, name in enumerate(MARKETPLACES)
        }
        self.shop_url = await self._listen(self.shopify.app)
        self.mirakl_urls = {name: await self._listen(world.app) for name, world in self.mirakl.items()}
        for run in (self.shopify.run, *(world.run for world in self.mirakl.values())):
            task = asyncio.ensure_future(run())
            self._stack.push_async_callback(_end, task)
        # A connection for each call: one that is kept may be closed by the server while the next call is on its way.
        self.control = await self._stack.enter_async_context(
            httpx2.AsyncClient(
                trust_env=False, timeout=60.0, limits=httpx2.Limits(max_keepalive_connections=0)
            )
        )

    async def _listen(self, app: ASGIApp) -> str:
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off"))
        task = asyncio.ensure_future(server.serve(sockets=[sock]))

        async def end() -> None:
            server.should_exit = True
            server.force_exit = True
            await task

        self._stack.push_async_callback(end)
        return f"http://127.0.0.1:{sock.getsockname()[1]}"

    async def _connect(self) -> None:
        http = HttpClients(self.clock, loopback=True)
        base = f"http://127.0.0.1:{self.ingress_port}"
        shop, app, now = self.shopify.shop, self.shopify.main_app, self.clock.now()
        with self.database.begin() as c:
            opened = open_installation(c, self.keyring, SystemIdentifiers().new_id(), now)
            set_webhook_base(c, base)
        stored = StoredConnections(
            ThreadStore(self.database), self.clock, self.keyring, opened.address_key, http.for_origin, True
        )
        for name, world in self.mirakl.items():
            reason = next(
                r.code for r in world.profile.reasons if r.type == "CANCELATION" and r.is_shop_right
            )
            rules = ConnectionRules(
                name,
                f"interlock:{name}",
                quiet_period=timedelta(seconds=2),
                settle=timedelta(seconds=5),
                lineage_wait=timedelta(seconds=5),
                acceptance_window=timedelta(hours=world.profile.acceptance_window_hours),
                partial_acceptance=world.profile.partial_acceptance,
                partial_cancelation=True,
                cancelation_reason=reason,
            )
            with self.database.begin() as c:
                connection_id = add_connection(
                    c,
                    rules,
                    now,
                    live=True,
                    mirakl_origin=self.mirakl_urls[name],
                    mirakl_shop_id=world.shop_id,
                    mirakl_key=self.keyring.encrypt(world.api_key.encode()),
                    shopify_shop=shop.domain,
                    shopify_origin=self.shop_url,
                    shopify_client_id=app.client_id,
                    shopify_client_secret=self.keyring.encrypt(app.secrets[0].encode()),
                    poll_seconds=2,
                    event_reads_per_minute=60,
                )
                map_carriers(c, connection_id, [CarrierMapping("dhl", "DHL")], "set-up", now)
                row = one_connection(c, connection_id)
            self.connection_ids[name] = connection_id
            capability = await mirakl_read.capability(stored.mirakl_client(row))
            with self.database.begin() as c:
                c.execute(
                    update(connections)
                    .where(connections.c.id == connection_id)
                    .values(capability=encode(capability), capability_at=now)
                )
        shopify = stored.shopify_client(row)
        await perform.define_marker(shopify)
        await subscriptions.ensure(shopify, webhook_address(base, shop.domain), loopback_http=True)
        await http.close()

    # -- processes -------------------------------------------------------------------------------------

    async def start(self, module: str) -> Child:
        """Start a process of the service."""
        log = self.folder / f"{module}-{len(self.children)}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                f"tests.processes.{module}",
                stdout=output,
                stderr=output,
                env=self.environment,
                cwd=ROOT,
            )
        child = Child(module, log, process)
        self.children.append(child)
        return child

    def alive(self, module: str) -> list[Child]:
        """Processes of this kind that have not ended."""
        return [c for c in self.children if c.module == module and c.process.returncode is None]

    def log_lines(self) -> list[str]:
        """What every process wrote, in the order they were started."""
        return [line for child in self.children for line in child.log.read_text("utf-8").splitlines()]

    # -- people ----------------------------------------------------------------------------------------

    async def act(self, url: str, path: str, **given: Any) -> Any:
        """Do something through a control endpoint. None when the platform does not allow it."""
        answer = await self.control.post(f"{url}/_sim/{path}", json=given)
        return answer.json() if answer.status_code == 200 else None

    def now(self) -> datetime:
        """Platform time."""
        return self.shopify.clock.now()


async def _end(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def until(condition: Callable[[], bool], seconds: float, every: float = 0.5) -> bool:
    """Wait for something to become true; whether it did in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while loop.time() < deadline:
        if condition():
            return True
        await asyncio.sleep(every)
    return False
