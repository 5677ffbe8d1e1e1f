"""One rehearsed world: a shop, marketplaces, a database, and service processes that keep them together."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import httpx2
from sqlalchemy import Connection, insert
from sqlalchemy.exc import OperationalError
from starlette.datastructures import Headers

from interlock.clock import Clock, LoopClock, SeededIdentifiers
from interlock.comparing import Comparing
from interlock.engine.capabilities import keep_capability
from interlock.engine.desk import DeskRules
from interlock.engine.gateways import Connections
from interlock.engine.sending import refuse_late_writes
from interlock.engine.store import (
    ConnectionRow,
    add_connection,
    duty_is_due,
    one_connection,
    take_duty,
)
from interlock.imports.store import map_skus
from interlock.mirakl import read as mirakl_read
from interlock.offers.matching import Component
from interlock.offers.store import keep_bundle
from interlock.orders.connection import CarrierMapping, ConnectionRules
from interlock.rehearsal.faults import SeededFaults, none
from interlock.rehearsal.forgers import Forger
from interlock.rehearsal.judging.evidence import Forged
from interlock.rehearsal.processes import (
    Outage,
    ProcessStore,
    ProcessWorld,
    ServiceProcess,
    Wakeups,
)
from interlock.shipping.store import map_carriers
from interlock.shopify import perform as shopify_perform
from interlock.shopify import subscriptions
from interlock.shopify.classify import CallFailed
from interlock.shopify.webhooks import TOPICS
from interlock.simulator.clock import PlatformClock
from interlock.simulator.mirakl.generate import CATALOGUE, CatalogueItem
from interlock.simulator.mirakl.profile import MarketplaceProfile
from interlock.simulator.mirakl.switches import mirakl_switches
from interlock.simulator.mirakl.world import MiraklWorld
from interlock.simulator.shopify.state import Subscription
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.shopify.webhooks import WebhookWeather
from interlock.simulator.shopify.world import ShopifyWorld
from interlock.simulator.switches import Switches
from interlock.simulator.transport import ClockedASGITransport
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from interlock.storage.installation import installation
from interlock.web import Answer, Ingress, WebParts
from interlock.wiring import StoredConnections

ADDRESS_KEY = b"a rehearsal has no secrets to keep"
INGRESS = "https://interlock.example/webhooks/shopify"
SHOP_CURRENCY = "EUR"
AUDIT_EVERY = timedelta(minutes=10)
# The carrier names warehouse staff type, and what the marketplaces call them. `Express Bike` is mapped by a person.
CARRIER_NAMES = ("DHL Express", "dpd", "UPS", "Express Bike")


@dataclass(frozen=True)
class SoldBundle:
    """A marketplace SKU that is several articles of the shop: (SKU, units) of each in one unit of it. The marketplaces offer
    it at `price`; the shop has no variant of that SKU."""

    sku: str
    title: str
    price: Decimal
    articles: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class WorldPlan:
    """What a world is made of. Durations in seconds of platform time.

    With `subscribed` the shop has its webhook subscriptions from an earlier connection; else they are made one by one.
    `database_ahead` is how far the database's clock, which the service follows, is ahead of the platforms' clocks;
    `machine_error` how far the clocks of the service's machines may be wrong, either way. With `forgers` strangers
    deliver what nobody should believe. `taxes_included` says whether the shop's prices contain taxes; left open, the shop
    shows them as its first marketplace does. A marketplace whose profile says nothing else works its prices out from those.
    """

    seed: int
    marketplaces: tuple[MarketplaceProfile, ...]
    rules: ConnectionRules
    processes: int = 2
    poll_seconds: float = 60.0
    shopify_switches: Switches | None = None
    mirakl_switches: Switches | None = None
    shopify_faults: SeededFaults = field(default_factory=none)
    mirakl_faults: SeededFaults = field(default_factory=none)
    weather: WebhookWeather = field(default_factory=WebhookWeather)
    lost_wakeups: float = 0.0
    plus_shop: bool = True
    database_ahead: float = 0.0
    machine_error: float = 0.0
    subscribed: bool = False
    bundles: tuple[SoldBundle, ...] = ()
    forgers: bool = False
    taxes_included: bool | None = None

    @property
    def shop_includes_taxes(self) -> bool:
        if self.taxes_included is None:
            return self.marketplaces[0].tax_mode == "TAX_INCLUDED"
        return self.taxes_included


class World:
    """A running world. Make it inside the event loop it lives in; `start` before use, `stop` at the end."""

    def __init__(self, plan: WorldPlan, database: Database, keyring: Keyring) -> None:
        loop = asyncio.get_running_loop()
        self.plan = plan
        self.database = database
        self.keyring = keyring
        self.rng = random.Random(plan.seed)
        self.clock = PlatformClock(source=loop.time)
        start = self.clock.now() - timedelta(seconds=loop.time())
        self.service_clock = LoopClock(loop.time, start, timedelta(seconds=plan.database_ahead))
        self.shopify = ShopifyWorld(
            self.clock,
            plan.seed,
            switches=plan.shopify_switches or Switches(SHOPIFY_SWITCHES),
            faults=plan.shopify_faults,
            plan="plus" if plan.plus_shop else "standard",
            webhook_sender=self._receive_webhook,
            weather=plan.weather,
            currency=SHOP_CURRENCY,
            taxes_included=plan.shop_includes_taxes,
        )
        of_the_shop = "TAX_INCLUDED" if plan.shop_includes_taxes else "TAX_EXCLUDED"
        self.mirakl: dict[str, MiraklWorld] = {}
        for number, profile in enumerate(plan.marketplaces):
            as_shown = profile.catalogue_prices == "AS_SHOWN"
            catalogue_prices = of_the_shop if as_shown else profile.catalogue_prices
            self.mirakl[profile.name] = MiraklWorld(
                self.clock,
                plan.seed * 10 + number,
                replace(profile, currency=SHOP_CURRENCY, catalogue_prices=catalogue_prices),
                switches=plan.mirakl_switches or mirakl_switches(),
                faults=plan.mirakl_faults,
                catalogue=(
                    *CATALOGUE,
                    *(CatalogueItem(one.sku, one.title, one.price) for one in plan.bundles),
                ),
            )
        self.outage = Outage()
        self.wakeups = Wakeups(random.Random(plan.seed + 1), plan.lost_wakeups)
        self.crash_at: Callable[[str], bool] = lambda name: False
        self.web_away = False
        self.connection_ids: dict[str, int] = {}
        self.processes: list[ServiceProcess] = []
        self._born = 0
        self._background: list[asyncio.Task[None]] = []
        self._transports = {
            "https://interlock-demo.myshopify.com": ClockedASGITransport(self.shopify.app),
            **{
                f"https://{name}.mirakl.example": ClockedASGITransport(world.app)
                for name, world in self.mirakl.items()
            },
        }
        self._wrapped: dict[str, httpx2.AsyncBaseTransport] = {}
        self.asked_urls: list[str] = []
        self._ingress_store = ProcessStore(database, self.outage)
        self._forger = Forger(random.Random(f"{plan.seed}:forged"), plan.forgers)
        self.forged: list[Forged] = []
        self.process_world = ProcessWorld(
            database=database,
            outage=self.outage,
            clock=self.service_clock,
            identifiers=SeededIdentifiers(random.Random(plan.seed + 2)),
            wakeups=self.wakeups,
            keyring=keyring,
            connections_for=self._connections,
            desk_rules=DeskRules(timedelta(seconds=plan.poll_seconds), 6),
            shops={},
            crash_at=self._crash_at,
            audit=self._audit,
            stock=plan.rules.publish_stock,
        )
        parts = WebParts(
            self._ingress_store,
            self.service_clock,
            self.process_world.identifiers,
            self.wakeups,
            keyring,
        )
        self._ingress = Ingress(parts)

    # -- set-up ----------------------------------------------------------------------------------------

    def _crash_at(self, name: str) -> bool:
        return self.crash_at(name)

    def http_for(self, origin: str) -> httpx2.AsyncClient:
        """A client for one platform, in this process."""
        transport = self._wrapped.get(origin, self._transports[origin])
        hooks = {"request": [refuse_late_writes(self.service_clock), self._note_url]}
        return httpx2.AsyncClient(transport=transport, trust_env=False, event_hooks=hooks)

    async def _note_url(self, request: httpx2.Request) -> None:
        self.asked_urls.append(str(request.url))

    def wrap_transports(
        self, wrap: Callable[[str, httpx2.AsyncBaseTransport], httpx2.AsyncBaseTransport]
    ) -> None:
        """Put something between the service and each platform, before `start`; `wrap` is given the platform's
        origin and its transport."""
        self._wrapped = {origin: wrap(origin, transport) for origin, transport in self._transports.items()}

    def _connections(self, store: ProcessStore, clock: Clock) -> StoredConnections:
        return StoredConnections(store, clock, self.keyring, ADDRESS_KEY, self.http_for, loopback_http=False)

    async def start(self) -> None:
        """Connect every marketplace, register webhooks, start the platforms' own life and the processes."""
        with self.database.begin() as c:
            key = self.keyring.encrypt(ADDRESS_KEY)
            made_at = self.service_clock.now()
            c.execute(
                insert(installation).values(id=1, instance="rehearsal", made_at=made_at, address_key=key)
            )
        for name in self.mirakl:
            await self._connect(name)
        self._background = [
            asyncio.get_running_loop().create_task(self.shopify.run()),
            *(asyncio.get_running_loop().create_task(world.run()) for world in self.mirakl.values()),
        ]
        for _ in range(self.plan.processes):
            self.start_process()

    async def _connect(self, name: str) -> None:
        world = self.mirakl[name]
        app = self.shopify.main_app
        shop = self.shopify.shop
        now = self.service_clock.now()
        rules = replace(self.plan.rules, name=name, hold_handle=f"interlock:{name}")
        rules = replace(
            rules,
            acceptance_window=timedelta(hours=world.profile.acceptance_window_hours),
            partial_acceptance=world.profile.partial_acceptance,
            partial_cancelation=world.profile.partial_cancelation,
            cancelation_reason=next(
                r.code for r in world.profile.reasons if r.type == "CANCELATION" and r.is_shop_right
            ),
            refund_reason=next(
                r.code for r in world.profile.reasons if r.type == "REFUND" and r.is_shop_right
            ),
        )
        with self.database.begin() as c:
            connection_id = add_connection(
                c,
                rules,
                now,
                live=True,
                mirakl_origin=f"https://{name}.mirakl.example",
                mirakl_shop_id=world.shop_id,
                mirakl_key=self.keyring.encrypt(world.api_key.encode()),
                shopify_shop=shop.domain,
                shopify_origin=f"https://{shop.domain}",
                shopify_client_id=app.client_id,
                shopify_client_secret=self.keyring.encrypt(app.secrets[0].encode()),
            )
            registered = {carrier.code for carrier in world.profile.carriers}
            known = (("DHL Express", "DHL"), ("dpd", "DPD"), ("UPS", "UPS"))
            mappings = [CarrierMapping(shop_name, code) for shop_name, code in known if code in registered]
            map_carriers(c, connection_id, mappings, "set-up", now)
            map_skus(c, connection_id, {}, "set-up", now)
            for bundle in self.plan.bundles:
                parts = [Component(sku, units) for sku, units in bundle.articles]
                keep_bundle(c, connection_id, bundle.sku, parts, "set-up", now)
            row = one_connection(c, connection_id)
        self.connection_ids[name] = connection_id
        self.process_world.shops[connection_id] = shop.domain
        await self.read_capability(name)
        shopify = self._set_up().shopify_client(row)
        await shopify_perform.define_marker(shopify)
        if self.plan.subscribed:
            self._subscribed_before()
        await subscriptions.ensure(shopify, INGRESS)

    def _subscribed_before(self) -> None:
        """Every topic is subscribed to already."""
        app, subscriptions = self.shopify.main_app, self.shopify.shop.subscriptions
        known = {item.topic for item in subscriptions.values() if item.app is app}
        for topic in TOPICS.values():
            if topic.name in known:
                continue
            number = self.shopify.number()
            fields = list(topic.include_fields)
            subscriptions[number] = Subscription(
                number, app, topic.name, INGRESS, "JSON", None, fields, [], None, self.clock.now()
            )

    def _set_up(self) -> StoredConnections:
        return self._connections(ProcessStore(self.database, self.outage), self.service_clock)

    async def _audit(self, of: Connections, connection_id: int) -> None:
        """Subscriptions that Shopify removed come back, as `Service` sees to every ten minutes."""
        if not isinstance(of, StoredConnections):
            raise TypeError("a rehearsal's processes have stored connections")
        now = self.service_clock.now()
        with self.database.begin() as c:
            row = one_connection(c, connection_id)
            duty = f"subscriptions {row.shopify_account}"
            if not take_duty(c, duty, now, AUDIT_EVERY):
                return
        try:
            await subscriptions.ensure(of.shopify_client(row), INGRESS)
        except CallFailed:
            with self.database.begin() as c:
                duty_is_due(c, duty, now)

    async def read_capability(self, name: str) -> None:
        """Read what the marketplace allows and store it, as `Service` does at set-up and once a day. Raises ReadError."""
        row = self.connection_row(name)
        capability = await mirakl_read.capability(self._set_up().mirakl_client(row))
        read_at = self.service_clock.now()
        with self.database.begin() as c:
            keep_capability(c, self.wakeups, row, capability, read_at)

    async def compare(self, name: str) -> None:
        """Read what one marketplace offers and what the shop sells, and compare the two, as `Service` does once a day. The
        platforms' time passes meanwhile."""
        comparing = Comparing(ProcessStore(self.database, self.outage), self.service_clock, self._set_up())
        await comparing.read_variants(self.connection_row(name))
        for _ in range(400):
            if await comparing.step(self.connection_row(name)):
                return
            await asyncio.sleep(15)

    def start_process(self) -> ServiceProcess:
        """A new service process; nothing of a former one is known to it but the database."""
        self._born += 1
        wrong_by = self.plan.machine_error
        error = self.rng.uniform(-wrong_by, wrong_by) if wrong_by else 0.0
        process = ServiceProcess(self.process_world, f"worker-{self._born}", error)
        self.processes.append(process)
        process.start()
        return process

    async def stop(self) -> None:
        """End everything and wait until it has ended."""
        for process in self.processes:
            process.kill()
        tasks = [task for process in self.processes for task in process.tasks] + self._background
        for task in self._background:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for transport in self._transports.values():
            await transport.drain()

    # -- ingress ---------------------------------------------------------------------------------------

    async def _receive_webhook(self, url: str, headers: dict[str, str], body: bytes) -> int | None:
        """What the web process does with a delivery, by its own code; a stranger's may come just before."""
        del url
        if self.web_away:
            return None
        given = {name.lower(): value for name, value in headers.items()}
        secret = self.shopify.main_app.secrets[0]
        forged = None if self.outage.down else self._forger.before(given, body, secret)
        if forged is not None:
            with self.database.begin() as c:
                answer = self._take(c, forged.headers, forged.body)
            self.forged.append(forged.answered(answer.status))
        try:
            answer = await self._ingress_store.tx(lambda c: self._take(c, given, body))
        except OperationalError:
            return 503
        if answer.status == 200:
            # Our own echo only marks the order: the due sweep has to find it.
            self.wakeups.changes += 1
        return answer.status

    def _take(self, c: Connection, headers: dict[str, str], body: bytes) -> Answer:
        return self._ingress.take(
            c, self.shopify.shop.domain, Headers(headers), body, self.service_clock.now()
        )

    def connection_row(self, name: str) -> ConnectionRow:
        """The stored connection of one marketplace."""
        with self.database.begin() as c:
            return one_connection(c, self.connection_ids[name])
