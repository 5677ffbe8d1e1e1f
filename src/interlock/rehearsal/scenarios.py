"""Golden scenarios: one order each, no chance and no faults, so that a crash at every single boundary can be compared with none."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from sqlalchemy import func, select

from interlock.cases.store import cases
from interlock.clock import SeededIdentifiers
from interlock.console import editing
from interlock.desk.requests import Wish
from interlock.engine.ledger import operations
from interlock.orders.connection import ConnectionRules
from interlock.orders.store import orders
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE, PROFILES, MiraklWorld, SimOrder
from interlock.simulator.mirakl.profile import MarketplaceProfile
from interlock.simulator.shopify.state import Order
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring

RESTARTED_AFTER = 5.0
SEED = 7
OPEN_STATES = ("PLANNED", "IN_FLIGHT", "UNKNOWN")


@dataclass
class Stage:
    """A running world with one order on it, and the hands of the people who act on that order."""

    world: World
    marketplace: MiraklWorld
    order: SimOrder

    def shopify_order(self) -> Order:
        """The Shopify order linked to the marketplace order. Raises KeyError while there is none."""
        name = self.marketplace.profile.name
        with self.world.database.begin() as c:
            gid = c.execute(
                select(orders.c.shopify_order_id).where(
                    orders.c.connection_id == self.world.connection_ids[name],
                    orders.c.mirakl_order_id == self.order.id,
                )
            ).scalar_one_or_none()
        if gid is None:
            raise KeyError(f"No Shopify order is linked to {self.order.id}.")
        return self.world.shopify.order(gid)

    async def until(self, second: float) -> None:
        """Wait until so many seconds of the world have passed."""
        await asyncio.sleep(second - asyncio.get_running_loop().time())


Act = Callable[[Stage], Awaitable[None]]
Wrap = Callable[[str, httpx2.AsyncBaseTransport], httpx2.AsyncBaseTransport]


@dataclass(frozen=True)
class Scenario:
    """One golden story: `act` is what people do at fixed seconds, `seconds` when everything must be at rest."""

    name: str
    profile: MarketplaceProfile
    rules: ConnectionRules
    act: Act
    seconds: float
    skus: tuple[str, ...] = (CATALOGUE[0].sku, CATALOGUE[1].sku)
    quantities: tuple[int, ...] = (3, 1)


@dataclass(frozen=True)
class EndState:
    """What both platforms and the case queue show when everything is at rest, without ids that depend on the path."""

    marketplace: tuple[Any, ...]
    shopify: tuple[Any, ...]
    drafts: tuple[str, ...]
    stock: tuple[tuple[str, int], ...]
    open_cases: tuple[str, ...]


@dataclass
class Played:
    """One performance of a scenario. `boundaries` are the names of the probe points in the order they were passed."""

    boundaries: list[str]
    crashed_at: tuple[str, ...]
    end: EndState
    effects: Counter[str]
    open_operations: list[str]
    troubles: list[str] = field(default_factory=list)


async def play(
    scenario: Scenario, database: Database, keyring: Keyring, crash_at: Sequence[int] = ()
) -> Played:
    """Perform the scenario on a clean database. The process dies at each of the probe points `crash_at` (counted from
    0 over all processes, in rising order), and a new one starts 5 seconds later."""
    plan = WorldPlan(SEED, (scenario.profile,), scenario.rules, processes=1)
    boundaries: list[str] = []
    crashed: list[str] = []

    def reached(name: str) -> bool:
        boundaries.append(name)
        if len(crashed) < len(crash_at) and len(boundaries) > crash_at[len(crashed)]:
            crashed.append(name)
            return True
        return False

    async with staged(plan, database, keyring, scenario.skus, scenario.quantities) as stage:
        stage.world.crash_at = reached
        revival = asyncio.create_task(_revive(stage.world))
        try:
            await scenario.act(stage)
            await stage.until(scenario.seconds)
        finally:
            revival.cancel()
    return Played(
        boundaries,
        tuple(crashed),
        end_state(stage),
        effects_of(stage),
        open_operations(database),
        list(stage.world.process_world.troubles),
    )


@asynccontextmanager
async def staged(
    plan: WorldPlan,
    database: Database,
    keyring: Keyring,
    skus: Sequence[str],
    quantities: Sequence[int],
    wrap: Wrap | None = None,
) -> AsyncIterator[Stage]:
    """A running world whose shop has 100 of everything, with one order of these SKUs on its first marketplace.

    `wrap` may put something between the service and a platform, given the platform's origin and its transport.
    """
    world = World(plan, database, keyring)
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    if wrap is not None:
        world.wrap_transports(wrap)
    await world.start()
    marketplace = world.mirakl[plan.marketplaces[0].name]
    order = marketplace.create_generated(skus=list(skus), quantities=list(quantities))
    try:
        yield Stage(world, marketplace, order)
    finally:
        await world.stop()


async def _revive(world: World) -> None:
    """Whoever watches over the service starts a new process when one has died."""
    while True:
        process = world.processes[-1]
        await process.died.wait()
        await asyncio.sleep(RESTARTED_AFTER)
        world.start_process()


# -- what is compared --------------------------------------------------------------------------------------


def end_state(stage: Stage) -> EndState:
    """What the platforms show now."""
    stage.marketplace.tick()
    order = stage.order
    marketplace = (
        order.state,
        order.reference_for_seller,
        order.carrier_code or order.carrier_name,
        order.tracking_number,
        tuple(
            (line.id, line.state, line.live_quantity, tuple(c.quantity for c in line.cancelations))
            for line in order.lines
        ),
    )
    shop = stage.world.shopify.shop
    shopify = tuple(_shown(found) for found in shop.orders.values())
    drafts = tuple(sorted(draft.status for draft in shop.drafts.values()))
    stock = tuple((variant.sku or "", variant.available) for variant in shop.variants.values())
    with stage.world.database.begin() as c:
        open_cases = tuple(
            c.execute(
                select(cases.c.reason).where(cases.c.closed_at.is_(None)).order_by(cases.c.reason)
            ).scalars()
        )
    return EndState(marketplace, shopify, drafts, stock, open_cases)


def _shown(order: Order) -> tuple[Any, ...]:
    address = order.shipping_address
    return (
        order.name,
        order.cancelled_at is not None,
        order.financial_status,
        order.fulfillment_status,
        order.total(current=True),
        tuple((line.sku, line.current_quantity, line.fulfilled) for line in order.lines),
        tuple(hold.handle for item in order.fulfillment_orders for hold in item.holds),
        tuple(sorted(order.tags)),
        tuple(sorted(field.value for field in order.metafields.values())),
        None if address is None else (address.address1, address.zip, address.city),
    )


def effects_of(stage: Stage) -> Counter[str]:
    """How often each platform really did something, by platform and kind."""
    found: Counter[str] = Counter()
    ours = f"api:{stage.world.shopify.main_app.name}"
    for effect in stage.marketplace.record.effects:
        if effect.actor.startswith("api:"):
            found[f"mirakl {effect.kind}"] += 1
    for effect in stage.world.shopify.record.effects:
        if effect.actor == ours:
            found[f"shopify {effect.kind}"] += 1
    return found


def open_operations(database: Database) -> list[str]:
    """Operations whose end is not known."""
    with database.begin() as c:
        rows = c.execute(
            select(operations.c.kind, operations.c.state)
            .where(operations.c.state.in_(OPEN_STATES))
            .order_by(operations.c.planned_at, operations.c.id)
        ).all()
        leased = c.execute(
            select(func.count()).select_from(orders).where(orders.c.lease_until.is_not(None))
        ).scalar_one()
    found = [f"{row.kind} {row.state}" for row in rows]
    return [*found, *(["an order is still leased"] * leased)]


# -- the stories -------------------------------------------------------------------------------------------


async def _ship_when_released(stage: Stage, *looks_at: float) -> None:
    """A picker looks now and then and prints a label for what nobody holds."""
    for second in looks_at:
        await stage.until(second)
        stage.world.shopify.pick(company="UPS", number="PARCEL1")


async def _accept_and_ship(stage: Stage) -> None:
    await _ship_when_released(stage, 500, 800)


async def _accept_and_ship_late(stage: Stage) -> None:
    # An order whose creation was unclear is looked for a long while before it is created again.
    await _ship_when_released(stage, 500, 800, 1500)


async def _lower_and_ship(stage: Stage) -> None:
    await stage.until(330)
    staff = stage.world.shopify
    staff.set_quantity(stage.shopify_order(), stage.order.lines[0].sku, 1)
    await _ship_when_released(stage, 600, 900)


async def _operator_cancels(stage: Stage) -> None:
    await stage.until(330)
    stage.marketplace.cancel_order(stage.order.id)


def _ask_at_the_desk(stage: Stage, wish: Wish) -> None:
    """Somebody looks at the preview of an edit and asks for it."""
    world = stage.world
    desk = editing.Desk(world.wakeups, world.keyring, SeededIdentifiers(random.Random(SEED)))
    asked, now = editing.Asked(wish), world.service_clock.now()
    with world.database.begin() as c:
        order_id = c.execute(
            select(orders.c.id).where(orders.c.mirakl_order_id == stage.order.id)
        ).scalar_one()
        seen = editing.preview_of(c, desk, order_id, asked, now)
        editing.ask(c, desk, order_id, asked, seen.version, "Ada Agent", "asked by phone", now)


async def _lower_at_the_desk_and_ship(stage: Stage) -> None:
    # An order whose creation was unclear is created again after ten minutes only.
    await stage.until(1000)
    _ask_at_the_desk(stage, Wish(quantities=((stage.order.lines[0].sku, 1),)))
    await _ship_when_released(stage, 1250, 1500)


async def _cancel_at_the_desk(stage: Stage) -> None:
    await stage.until(1000)
    _ask_at_the_desk(stage, Wish(cancel=True))


def _marketplace(name: str, **changes: Any) -> MarketplaceProfile:
    quick = {"debit_request_delay": 10.0, "debit_delay": 60.0, "can_shop_ship_delay": 30.0}
    return PROFILES[name].changed({**quick, **changes})


RULES = ConnectionRules("marketplace", "interlock:marketplace")
ORDER_ROUTE = ConnectionRules("marketplace", "interlock:marketplace", import_route="order")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        "imported as a draft, accepted, shipped",
        _marketplace("all-or-nothing"),
        RULES,
        _accept_and_ship,
        1050,
    ),
    Scenario(
        "the address appears when the customer has paid",
        _marketplace("hidden-address", debit_delay=120.0),
        RULES,
        _accept_and_ship,
        1050,
    ),
    Scenario(
        "created as an order, marked paid, shipped",
        _marketplace("all-or-nothing"),
        ORDER_ROUTE,
        _accept_and_ship_late,
        1750,
    ),
    Scenario(
        "a quantity is lowered before the parcel leaves",
        _marketplace("automatic"),
        RULES,
        _lower_and_ship,
        1150,
    ),
    Scenario(
        "the marketplace cancels the order",
        _marketplace("all-or-nothing", debit_delay=3000.0),
        RULES,
        _operator_cancels,
        750,
    ),
    Scenario(
        "a quantity is lowered at our own desk",
        _marketplace("automatic"),
        ORDER_ROUTE,
        _lower_at_the_desk_and_ship,
        1750,
    ),
    Scenario(
        "an order is cancelled at our own desk",
        _marketplace("automatic"),
        RULES,
        _cancel_at_the_desk,
        1400,
    ),
)
