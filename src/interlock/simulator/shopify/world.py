"""The simulated platform: shops, apps, tokens, a queue of things that will happen, and the people who act."""

import asyncio
import contextlib
import heapq
import random
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from starlette.types import ASGIApp

from interlock.simulator.clock import PlatformClock
from interlock.simulator.faults import ArmedFaults, FaultPlan
from interlock.simulator.record import Effect, Record
from interlock.simulator.shopify import payloads
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.addresses import canary
from interlock.simulator.shopify.buckets import CostBucket
from interlock.simulator.shopify.editors import EditingApps
from interlock.simulator.shopify.gids import tail
from interlock.simulator.shopify.server import build_app
from interlock.simulator.shopify.state import (
    SYSTEM,
    Actor,
    App,
    Draft,
    FulfillmentOrder,
    Level,
    Location,
    Order,
    Shop,
    Staff,
    Token,
    Variant,
)
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.shopify.warehouse import Warehouse
from interlock.simulator.shopify.webhooks import Webhooks, WebhookSender, WebhookWeather
from interlock.simulator.switches import Switches

FIRST_NUMBER = 9_107_199_254_740_993  # above 2**53: ids must not pass through floats (reference 9.4)
TOKEN_SECONDS = 86_399

ALL_SCOPES = (
    "read_orders",
    "write_orders",
    "read_all_orders",
    "read_order_edits",
    "write_order_edits",
    "read_draft_orders",
    "write_draft_orders",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "read_third_party_fulfillment_orders",
    "write_third_party_fulfillment_orders",
    "read_assigned_fulfillment_orders",
    "read_fulfillments",
    "read_returns",
    "read_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_customers",
)


@dataclass(frozen=True)
class IndexLag:
    """Mean and worst lag of the search index, in platform seconds. None takes the switch `index_lag`'s figures."""

    mean: float
    worst: float


_LAGS = {"none": IndexLag(0, 0), "seconds": IndexLag(3, 20), "minutes": IndexLag(60, 600)}


class ShopifyWorld(Warehouse, EditingApps):
    """A simulated Shopify with one shop and one installed app; more of both can be added.

    `plan` is `standard`, `plus` or `development` and decides the cost bucket and the creation limit (reference 4.1,
    5.1). `webhook_sender(url, headers, body)` returns the receiver's status, or None for no answer; without one,
    webhooks go nowhere and count as unanswered. The same seed and the same calls give the same world.
    """

    def __init__(
        self,
        clock: PlatformClock,
        seed: int,
        switches: Switches | None = None,
        faults: FaultPlan | None = None,
        plan: str = "standard",
        webhook_sender: WebhookSender | None = None,
        weather: WebhookWeather | None = None,
        index_lag: IndexLag | None = None,
        shop_domain: str = "interlock-demo.myshopify.com",
        currency: str = "CAD",
        taxes_included: bool = False,
        token_seconds: int = TOKEN_SECONDS,
    ) -> None:
        self.clock: PlatformClock = clock
        self.seed = seed
        self.switches: Switches = switches or Switches(SHOPIFY_SWITCHES)
        self.faults: FaultPlan = faults if faults is not None else ArmedFaults()
        self.record: Record = Record()
        self.shops: dict[str, Shop] = {}
        self.apps: dict[str, App] = {}
        self.tokens: dict[str, Token] = {}
        self.buckets: dict[tuple[str, str], CostBucket] = {}
        self.token_seconds = token_seconds
        self._rngs: dict[str, random.Random] = {}
        self._numbers = FIRST_NUMBER
        self._queue: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = []
        self._queued = 0
        self._woken = asyncio.Event()
        self._events = 0
        self._index_lag = index_lag
        self.webhooks: Webhooks = Webhooks(
            self, webhook_sender, weather or WebhookWeather(), self.rng("weather")
        )
        self.shop: Shop = self.add_shop(shop_domain, currency, plan)
        self.shop.taxes_included = taxes_included
        self.main_app: App = self.add_app("Interlock", "interlock", ALL_SCOPES)
        self.install(self.main_app, self.shop)
        self.app: ASGIApp = build_app(self)

    # Chance and identity

    def rng(self, stream: str) -> random.Random:
        """Separate streams, so that one more draw for the weather does not change the routing."""
        found = self._rngs.get(stream)
        if found is None:
            found = self._rngs[stream] = random.Random(f"{self.seed}:{stream}")
        return found

    def number(self) -> int:
        self._numbers += 2
        return self._numbers

    def event_id(self) -> str:
        self._events += 1
        return self.uuid("event", self._events)

    def uuid(self, kind: str, serial: int) -> str:
        """A UUID that the seed decides."""
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"shopify:{self.seed}:{kind}:{serial}"))

    # Setting up

    def add_shop(self, domain: str, currency: str, plan: str = "standard") -> Shop:
        """A shop with one location and two members of staff. Raises ValueError for an unknown plan."""
        if plan not in ("standard", "plus", "development"):
            raise ValueError(f"There is no plan {plan!r}. Known: standard, plus, development.")
        shop = Shop(self.number(), domain, domain.partition(".")[0], currency, plan)
        self.shops[domain] = shop
        self.add_location("Main warehouse", shop=shop)
        rng = self.rng("people")
        for _ in range(2):
            name = canary(rng, "staff")
            shop.staff.append(
                Staff(self.number(), name, canary(rng, "staff"), f"{name.lower()}@staff.example")
            )
        return shop

    def add_location(
        self,
        name: str,
        *,
        shop: Shop | None = None,
        fulfillment_service: bool = False,
        online: bool = True,
        country: str = "CA",
    ) -> Location:
        """One more location; one that is not `online` fulfils no online orders, as a store that only sells over the counter."""
        shop = shop or self.shop
        location = Location(
            self.number(),
            name,
            fulfillment_service=fulfillment_service,
            fulfills_online_orders=online,
            country=country,
        )
        shop.locations[location.number] = location
        return location

    def add_app(self, name: str, handle: str | None = None, scopes: Iterable[str] = ALL_SCOPES) -> App:
        """An app of the same organisation with a client id and one secret. Install it to use it."""
        number = self.number()
        client_id = uuid.uuid5(uuid.NAMESPACE_URL, f"client:{self.seed}:{number}").hex
        secret = "shpss_" + uuid.uuid5(uuid.NAMESPACE_URL, f"secret:{self.seed}:{number}").hex
        app = App(number, name, handle or name.lower().replace(" ", "-"), client_id, [secret], tuple(scopes))
        self.apps[client_id] = app
        return app

    def add_secret(self, app: App) -> str:
        """Begin a secret rotation; webhooks stay signed with the oldest secret (reference 2.1)."""
        secret = "shpss_" + uuid.uuid5(uuid.NAMESPACE_URL, f"secret:{self.seed}:{self.number()}").hex
        app.secrets.append(secret)
        return secret

    def revoke_secret(self, app: App, secret: str) -> None:
        """Tokens obtained with the secret die with it (reference 2.1)."""
        app.secrets.remove(secret)
        for value, token in list(self.tokens.items()):
            if token.app is app and token.secret == secret:
                del self.tokens[value]

    def install(self, app: App, shop: Shop | None = None) -> None:
        shop = shop or self.shop
        if app not in shop.installed:
            shop.installed.append(app)
            app.installed_in.append(shop.domain)

    def uninstall(self, app: App, shop: Shop | None = None) -> None:
        """Kills tokens and API-created subscriptions at once; app/uninstalled is still delivered (reference 15.23)."""
        shop = shop or self.shop
        act = Act(self, shop, SYSTEM)
        act.announce("APP_UNINSTALLED", shop.gid, lambda _app: payloads.shop(shop))
        act.finish()
        shop.installed.remove(app)
        app.installed_in.remove(shop.domain)
        shop.app_data.pop(app.number, None)
        for number, subscription in list(shop.subscriptions.items()):
            if subscription.app is app:
                del shop.subscriptions[number]
        for value, token in list(self.tokens.items()):
            if token.app is app and token.shop is shop:
                del self.tokens[value]

    def issue_token(self, app: App, shop: Shop, secret: str) -> Token:
        """A client-credentials token, valid `token_seconds`."""
        if self.switches["old_token_after_refresh"] == "revoked":
            for value, old in list(self.tokens.items()):
                if old.app is app and old.shop is shop:
                    del self.tokens[value]
        serial = self.number()
        value = "shpat_" + uuid.uuid5(uuid.NAMESPACE_URL, f"token:{self.seed}:{serial}").hex
        expires = self.clock.now() + timedelta(seconds=self.token_seconds)
        token = self.tokens[value] = Token(value, app, shop, secret, expires)
        return token

    def token_for(self, app: App | None = None, shop: Shop | None = None) -> str:
        """An access token without the HTTP exchange, for tests and actors."""
        app = app or self.main_app
        return self.issue_token(app, shop or self.shop, app.secrets[0]).value

    def add_variant(
        self,
        sku: str | None,
        price: str | Decimal,
        stock: int = 100,
        *,
        title: str | None = None,
        shop: Shop | None = None,
        location: Location | None = None,
        requires_shipping: bool = True,
        taxable: bool = True,
        tracked: bool = True,
        oversell: bool = False,
    ) -> Variant:
        """A catalogue entry with stock at one location (the first by default)."""
        shop = shop or self.shop
        variant = Variant(
            self.number(),
            self.number(),
            self.number(),
            sku,
            title or f"Product {sku}",
            Decimal(price),
            self.clock.now(),
            requires_shipping,
            taxable,
            tracked,
            oversell,
        )
        shop.variants[variant.number] = variant
        shop.items[variant.item_number] = variant
        self.set_stock(variant, stock, location or next(iter(shop.locations.values())))
        return variant

    def set_stock(self, variant: Variant, available: int, location: Location) -> None:
        level = variant.levels.get(location.number)
        if level is None:
            level = variant.levels[location.number] = Level(
                variant, location, available, updated_at=self.clock.now(), counted_in=available
            )
        else:
            level.counted_in += available - level.available
            level.available = available
            level.stocked = True
            level.updated_at = self.clock.now()
        level.past.append((self.clock.now(), available))

    # Finding

    def find_variant(self, shop: Shop, gid: str) -> Variant | None:
        return shop.variants.get(tail(gid, "ProductVariant"))

    def order(self, gid_or_name: str, shop: Shop | None = None) -> Order:
        """Raises KeyError."""
        shop = shop or self.shop
        if gid_or_name.startswith("gid://"):
            return shop.orders[tail(gid_or_name, "Order")]
        found = shop.order_by_name(gid_or_name)
        if found is None:
            raise KeyError(f"There is no order {gid_or_name}.")
        return found

    def fulfillment_order(self, gid: str, shop: Shop | None = None) -> FulfillmentOrder:
        return (shop or self.shop).fulfillment_orders[tail(gid, "FulfillmentOrder")]

    def bucket(self, shop: Shop, app: App) -> CostBucket:
        key = (shop.domain, app.client_id)
        found = self.buckets.get(key)
        if found is None:
            found = self.buckets[key] = CostBucket.of_plan(shop.plan, self.clock.now())
        return found

    # The index behind searches

    def _visible_at(self) -> datetime:
        lag = self._index_lag or _LAGS[self.switches["index_lag"]]
        if lag.mean <= 0:
            return self.clock.now()
        return self.clock.now() + timedelta(
            seconds=min(lag.worst, self.rng("index").expovariate(1 / lag.mean))
        )

    def index_order(self, order: Order) -> None:
        status = ["cancelled"] if order.cancelled_at else ["closed"] if order.closed_at else ["open"]
        if order.closed_at is None:
            status.append("not_closed")
        financial = order.financial_status
        document = {
            "id": order.number,
            "name": order.name,
            "tag": tuple(order.tags),
            "source_identifier": order.source_identifier,
            "po_number": order.po_number,
            "email": order.email,
            "status": (*status, "any"),
            "test": order.test,
            "created_at": order.created_at,
            "updated_at": order.updated_at,
            "processed_at": order.processed_at,
            "financial_status": None if financial is None else financial.lower(),
            "fulfillment_status": order.fulfillment_status.lower(),
            "sku": " ".join(line.sku for line in order.lines if line.sku),
            "metafields": {
                f"metafields.{field.namespace}.{field.key}": field.value
                for field in order.metafields.values()
            },
        }
        _push(order.indexed, self._visible_at(), document)

    def index_draft(self, draft: Draft) -> None:
        document = {
            "id": draft.number,
            "name": draft.name,
            "tag": tuple(draft.tags),
            "status": (draft.status.lower(),),
            "po_number": draft.po_number,
            "email": draft.email,
            "created_at": draft.created_at,
            "updated_at": draft.updated_at,
        }
        _push(draft.indexed, self._visible_at(), document)

    # Time

    def schedule(self, due: datetime, action: Callable[[], Awaitable[None]]) -> None:
        """Have `action` happen when the platform's clock reaches `due`."""
        self._queued += 1
        heapq.heappush(self._queue, (due, self._queued, action))
        self._woken.set()

    def next_due(self) -> datetime | None:
        """When the next queued thing happens (a delivery, a job, a routing), None when nothing is queued."""
        return self._queue[0][0] if self._queue else None

    def _take_due(self) -> Callable[[], Awaitable[None]] | None:
        if self._queue and self._queue[0][0] <= self.clock.now():
            return heapq.heappop(self._queue)[2]
        return None

    async def tick(self) -> int:
        """Do everything that is due by now, one after the other; returns how many things happened."""
        done = 0
        while (action := self._take_due()) is not None:
            await action()
            done += 1
        return done

    async def settle(self, seconds: float = 3600.0) -> None:
        """Skip ahead through everything that is queued within so many platform seconds (for tests)."""
        until = self.clock.now() + timedelta(seconds=seconds)
        while (due := self.next_due()) is not None and due <= until:
            self.clock.advance(max(0.0, (due - self.clock.now()).total_seconds()))
            await self.tick()

    async def run(self) -> None:
        """Live: do things as they fall due, deliveries side by side, until cancelled."""
        running: dict[asyncio.Task[None], None] = {}
        try:
            while True:
                self._woken.clear()
                while (action := self._take_due()) is not None:
                    task = asyncio.ensure_future(_as_coroutine(action))
                    running[task] = None
                    task.add_done_callback(lambda ended: running.pop(ended, None))
                due = self.next_due()
                if due is None:
                    await self._woken.wait()
                    continue
                seconds = self.clock.source_seconds(max(0.0, (due - self.clock.now()).total_seconds()))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(max(seconds, 1e-6)):
                        await self._woken.wait()
        finally:
            for task in list(running):
                task.cancel()

    def advance(self, seconds: float) -> None:
        """Skip ahead; what falls due happens at the next tick, or at once while `run` is running."""
        self.clock.advance(seconds)
        self._woken.set()

    # Log

    def log(self, actor: Actor, kind: str, order_gid: str, **detail: object) -> None:
        self.record.effects.append(Effect(self.clock.now(), actor.label, kind, order_gid, None, detail))


async def _as_coroutine(action: Callable[[], Awaitable[None]]) -> None:
    await action()


def _push(
    indexed: list[tuple[datetime, dict[str, object]]], visible: datetime, document: dict[str, object]
) -> None:
    """Later states never become visible before earlier ones."""
    if indexed and indexed[-1][0] > visible:
        visible = indexed[-1][0]
    indexed.append((visible, document))
    if len(indexed) > 32:
        del indexed[:16]
