"""Both platforms, the database and the whole service in one event loop: what passes between calls is ours alone."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
from sqlalchemy import update

from interlock.clock import SystemClock, SystemIdentifiers
from interlock.engine.store import add_connection, connections, one_connection
from interlock.mirakl import read as mirakl_read
from interlock.orders.codec import encode
from interlock.orders.connection import CarrierMapping, ConnectionRules
from interlock.service import Pace, Service, webhook_address
from interlock.shipping.store import map_carriers
from interlock.shopify import perform, subscriptions
from interlock.simulator.clock import PlatformClock
from interlock.simulator.mirakl import CATALOGUE, PROFILES
from interlock.simulator.mirakl.world import MiraklWorld
from interlock.simulator.shopify.webhooks import WebhookWeather
from interlock.simulator.shopify.world import ShopifyWorld
from interlock.simulator.transport import ClockedASGITransport
from interlock.storage.database import Database
from interlock.storage.embedded import EmbeddedServer
from interlock.storage.encryption import Keyring, new_key
from interlock.storage.installation import open_installation
from interlock.storage.migrations import upgrade
from interlock.web import WebParts, create_app
from tests.console.seed import TESTER

MARKETPLACE = "all-or-nothing"
MIRAKL = "https://marketplace.mirakl.example"
INGRESS = "https://interlock.example"
# Delays of the marketplace that would only make the run longer, and ceilings that one poll a second would break.
QUICK = {
    "debit_request_delay": 0.2,
    "debit_delay": 0.5,
    "can_shop_ship_delay": 0.0,
    "call_tolerance": 1_000_000,
    "partial_cancelation": True,
}


@dataclass
class Stage:
    """A running service with one shop and one marketplace, whose profile may be changed. Use as an asynchronous context
    manager."""

    profile: Mapping[str, object] = field(default_factory=dict)
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="interlock-bench-")))
    deliveries: list[tuple[datetime, str]] = field(default_factory=list)
    points: float = 0.0

    async def __aenter__(self) -> "Stage":
        self._stack = AsyncExitStack()
        try:
            await self._set_up()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _set_up(self) -> None:
        self.folder.chmod(0o711)
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        server = EmbeddedServer(self.folder / "data")
        url = await asyncio.to_thread(server.ensure_started)
        self._stack.callback(shutil.rmtree, server.socket_folder, ignore_errors=True)
        self._stack.callback(server.stop, "immediate")
        self.database = Database(url, pool_size=16)
        self._stack.callback(self.database.dispose)
        await asyncio.to_thread(upgrade, self.database)
        self.clock = SystemClock()
        self.keyring = Keyring([new_key()])
        self._make_platforms()
        with self.database.begin() as c:
            opened = open_installation(c, self.keyring, SystemIdentifiers().new_id(), self.clock.now())
        self.service = Service(
            self.database,
            self.clock,
            SystemIdentifiers(),
            self.keyring,
            opened.address_key,
            self._http_for,
            loopback_http=False,
            worker="bench",
            pace=Pace(desks=1.0),
        )
        parts = self.service.parts
        app = create_app(
            WebParts(parts.store, parts.clock, parts.identifiers, parts.queue, self.keyring, everyone=TESTER)
        )
        self.ingress = await self._client(ClockedASGITransport(app))
        await self._connect()
        for run in (self.shopify.run, self.mirakl.run):
            task = asyncio.ensure_future(run())
            self._stack.push_async_callback(_end, task)
        stop = asyncio.Event()
        running = asyncio.ensure_future(self.service.run(stop))

        async def end() -> None:
            stop.set()
            await running

        self._stack.push_async_callback(end)

    def _make_platforms(self) -> None:
        clock = PlatformClock(start=self.clock.now())
        self.shopify = ShopifyWorld(
            clock,
            1,
            plan="plus",
            webhook_sender=self._deliver,
            weather=WebhookWeather(delay_mean=0.05),
            currency="EUR",
            taxes_included=True,
        )
        for item in CATALOGUE:
            self.shopify.add_variant(item.sku, item.price, 100_000, title=item.title)
        self.mirakl = MiraklWorld(
            clock, 2, replace(PROFILES[MARKETPLACE].changed({**QUICK, **self.profile}), currency="EUR")
        )
        self._transports = {
            f"https://{self.shopify.shop.domain}": ClockedASGITransport(self.shopify.app),
            MIRAKL: ClockedASGITransport(self.mirakl.app),
        }

    async def _client(self, transport: ClockedASGITransport) -> httpx2.AsyncClient:
        client = httpx2.AsyncClient(transport=transport, trust_env=False)
        return await self._stack.enter_async_context(client)

    def _http_for(self, origin: str) -> httpx2.AsyncClient:
        hooks = {} if origin == MIRAKL else {"response": [self._charged]}
        return httpx2.AsyncClient(transport=self._transports[origin], trust_env=False, event_hooks=hooks)

    async def _charged(self, response: httpx2.Response) -> None:
        """Add up what Shopify really charges: the call log only has what was asked for."""
        document = json.loads(await response.aread())
        cost = document.get("extensions", {}).get("cost", {})
        self.points += cost.get("actualQueryCost") or 0

    async def _deliver(self, url: str, headers: dict[str, str], body: bytes) -> int | None:
        self.deliveries.append((self.now(), headers.get("X-Shopify-Topic", "")))
        return (await self.ingress.post(url, content=body, headers=headers)).status_code

    async def _connect(self) -> None:
        shop, app, now = self.shopify.shop, self.shopify.main_app, self.clock.now()
        rules = ConnectionRules(
            "bench",
            "interlock:bench",
            quiet_period=timedelta(seconds=1),
            acceptance_window=timedelta(hours=24),
            partial_cancelation=True,
            cancelation_reason="34",
        )
        with self.database.begin() as c:
            connection_id = add_connection(
                c,
                rules,
                now,
                live=True,
                mirakl_origin=MIRAKL,
                mirakl_shop_id=self.mirakl.shop_id,
                mirakl_key=self.keyring.encrypt(self.mirakl.api_key.encode()),
                shopify_shop=shop.domain,
                shopify_origin=f"https://{shop.domain}",
                shopify_client_id=app.client_id,
                shopify_client_secret=self.keyring.encrypt(app.secrets[0].encode()),
                poll_seconds=1,
                event_reads_per_minute=600,
            )
            self.connection_id = connection_id
            map_carriers(c, connection_id, [CarrierMapping("dhl", "DHL")], "set-up", now)
            row = one_connection(c, connection_id)
        stored = self.service.connections
        capability = await mirakl_read.capability(stored.mirakl_client(row))
        with self.database.begin() as c:
            c.execute(
                update(connections)
                .where(connections.c.id == connection_id)
                .values(capability=encode(capability), capability_at=now)
            )
        shopify = stored.shopify_client(row)
        await perform.define_marker(shopify)
        await subscriptions.ensure(shopify, webhook_address(INGRESS, shop.domain))

    def now(self) -> datetime:
        """The one time of this stage."""
        return self.shopify.clock.now()


async def _end(task: "asyncio.Future[None]") -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
