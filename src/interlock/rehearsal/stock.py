"""Stock in a rehearsal: what service processes do about it, what people and the world do to it, and when it is at rest."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from interlock.comparing import Comparing
from interlock.engine.gateways import ConnectedPlatforms
from interlock.engine.stock import StockDesk
from interlock.engine.stock_reading import read_shop
from interlock.engine.store import all_connections
from interlock.imports.store import sku_map
from interlock.inventory.store import keep_buffers, stock_figures, stock_imports
from interlock.offers.matching import Offered, Variant, match
from interlock.offers.store import bundles, keep_links, keep_offers, keep_variants
from interlock.simulator.mirakl import PROFILES
from interlock.simulator.shopify.inventory import close_location, count_stock
from interlock.wiring import StoredConnections

if TYPE_CHECKING:
    from interlock.rehearsal.actors import Crowd
    from interlock.rehearsal.processes import ServiceProcess
    from interlock.rehearsal.world import World, WorldPlan

TICK_SECONDS = 60.0
COMPARED_EVERY = 3
"""Every how many ticks what the marketplaces offer is looked at."""
FOLLOWS_SECONDS = 180.0
"""How often a process looks whether it may lead, where another one does."""
SHARE = 0.08
"""The part of all histories in which stock is published."""
BUFFERS_SHARE = 0.4
LOCATIONS_SHARE = 0.2
COUNTER_SHARE = 0.3
"""The parts of the histories with stock in which SKUs have buffers of their own, and in which a location is closed."""
LONGER_QUIET_SECONDS = 1800.0
"""A stock file of unclear outcome is waited for, and what it leaves open is told after it: so much longer a history with
stock may take to come to rest."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:inventory")


def is_drawn(seed: int) -> bool:
    """Whether stock is published in the history of this seed."""
    return stream(seed).random() < SHARE


def drawn(seed: int, plan: "WorldPlan") -> "WorldPlan":
    """The plan with stock published, and sold on up to three marketplaces, in a share of the histories. Every choice is of
    its own, so that the others stay the histories they were."""
    if not is_drawn(seed):
        return plan
    rng = stream(seed)
    rng.random()
    first = plan.marketplaces[0]
    names = [name for name in sorted(PROFILES) if name != first.name]
    more = [
        PROFILES[name].changed(
            {"acceptance_window_hours": 2.0, "debit_delay": 300.0, "tax_mode": first.tax_mode}
        )
        for name in rng.sample(names, rng.choice((0, 1, 2)))
    ]
    rules = replace(plan.rules, publish_stock=True, stock_buffer=rng.choice((0, 0, 0, 2)))
    return replace(plan, rules=rules, marketplaces=(first, *more))


def longer_quiet(plan: "WorldPlan") -> float:
    """How many seconds longer the quiet end of this history may take."""
    return LONGER_QUIET_SECONDS if plan.rules.publish_stock else 0.0


# -- what the service does ---------------------------------------------------------------------------------


def loops_of(process: "ServiceProcess") -> list[Callable[[], Awaitable[None]]]:
    """The stock loops of one service process, as `Service` has them: nothing where the world publishes no stock."""
    if not process.world.stock:
        return []
    return [lambda: _tend(process)]


async def _tend(process: "ServiceProcess") -> None:
    parts, shops = process.parts, process.world.shops
    desks = {connection_id: StockDesk(parts, shop) for connection_id, shop in shops.items()}
    first = {shop: connection_id for connection_id, shop in reversed(shops.items())}

    platforms: dict[int, ConnectedPlatforms] = {}
    rounds = itertools.count()

    async def work() -> bool:
        """One round; whether anything was this process's to do."""
        leads = False
        for connection_id in shops:
            if connection_id not in platforms:
                platforms[connection_id] = await parts.connections.get(connection_id)
        for shop, connection_id in first.items():
            leads |= await read_shop(parts, platforms[connection_id], shop)
        for connection_id, desk in desks.items():
            leads |= await desk.work(platforms[connection_id])
        compares = next(rounds) % COMPARED_EVERY == 0
        if leads and compares and isinstance(parts.connections, StoredConnections):
            rows = await parts.store.tx(all_connections)
            await Comparing(parts.store, parts.clock, parts.connections).work(rows)
        return leads

    leading: list[bool] = []

    async def attempt() -> None:
        leading.append(await work())

    while True:
        leading.clear()
        await process.attempt(attempt)
        follows = leading == [False]
        await process.world.clock.sleep(FOLLOWS_SECONDS if follows else TICK_SECONDS)


def learn_offers(world: "World") -> None:
    """What a first export and a first walk over the variants would tell: which offers there are, and what stands behind
    them."""
    now = world.service_clock.now()
    shop = world.shopify.shop
    variants = tuple(
        Variant(one.gid, one.sku or "", one.item_gid, price=one.price)
        for one in shop.variants.values()
        if not one.deleted
    )
    with world.database.begin() as c:
        keep_variants(c, shop.domain, variants, now)
        for name, marketplace in world.mirakl.items():
            connection_id = world.connection_ids[name]
            offered = tuple(
                Offered(one.id, one.sku, one.quantity, one.price, "EUR", one.active, one.deleted, one.title)
                for one in marketplace.offers.offers.values()
            )
            keep_offers(c, connection_id, offered, now)
            found = match(offered, variants, sku_map(c, connection_id), bundles(c, connection_id))
            keep_links(c, connection_id, found, now)


# -- what is set up and taken down -------------------------------------------------------------------------


def give_buffers(crowd: "Crowd", seed: int) -> None:
    """In a share of the histories some SKUs have a safety buffer of their own at some marketplaces, from the beginning."""
    rng = random.Random(f"{seed}:buffers")
    if rng.random() >= BUFFERS_SHARE:
        return
    world = crowd.world
    now = world.service_clock.now()
    with world.database.begin() as c:
        for name in sorted(world.mirakl):
            skus = [sku for sku in sorted(world.mirakl[name].offers.offers) if rng.random() < 0.3]
            buffers: dict[str, int | None] = {sku: rng.choice((0, 1, 3, 8)) for sku in skus}
            keep_buffers(c, world.connection_ids[name], buffers, "Ada Agent", now)
            crowd.did["stock: buffer of a SKU"] += len(buffers)


def open_a_counter(crowd: "Crowd", seed: int) -> None:
    """In a share of the histories the shop also sells over a counter, with stock that serves no online order."""
    rng = random.Random(f"{seed}:counter")
    if rng.random() >= COUNTER_SHARE:
        return
    shopify = crowd.world.shopify
    counter = shopify.add_location("Store", online=False)
    for variant in list(shopify.shop.variants.values()):
        if rng.random() < 0.7:
            count_stock(shopify, variant, rng.choice((1, 5, 30)), counter)
            crowd.did["stock: kept at a counter"] += 1


def closes_a_location(seed: int) -> bool:
    """Whether a location is closed in the history of this seed, where stock is published at all."""
    return _of_locations(seed).random() < LOCATIONS_SHARE


def _of_locations(seed: int) -> random.Random:
    return random.Random(f"{seed}:second location")


async def close_a_location(crowd: "Crowd", seed: int) -> None:
    """The shop has one more location, which is closed after a while, without a word to us, and in some histories opened
    again. Shopify lets nobody close one from which orders are still to be shipped."""
    rng = _of_locations(seed)
    rng.random()
    shopify = crowd.world.shopify
    second = shopify.add_location("Second warehouse")
    for variant in list(shopify.shop.variants.values()):
        if rng.random() < 0.5:
            count_stock(shopify, variant, rng.choice((2, 10, 40)), second)
    await asyncio.sleep(rng.uniform(300, 1500))
    reopens = rng.random() < 0.4
    levels = [variant.levels.get(second.number) for variant in shopify.shop.variants.values()]
    if not crowd.active or any(level is not None and level.committed for level in levels):
        crowd.did["stock: location in use stayed open"] += 1
        return
    close_location(shopify, second)
    crowd.did["stock: location closed"] += 1
    if reopens:
        await asyncio.sleep(rng.uniform(300, 900))
        if crowd.active:
            second.active = True
            crowd.did["stock: location opened again"] += 1


# -- what people and the world do --------------------------------------------------------------------------


async def trade(crowd: "Crowd", seed: int) -> None:
    """Customers buy on every marketplace and in the shop itself, people count stock and refuse orders in portals, and
    marketplaces reject lines and files, as long as the history is active."""
    rng = random.Random(f"{seed}:trade")
    acts: tuple[Callable[[random.Random, Crowd], None], ...] = (
        _sold_in_the_shop,
        _sold_on_a_marketplace,
        _sold_on_a_marketplace,
        _counted,
        _sold_out,
        _refused_in_the_portal,
        _edited,
        _file_rejected,
        _line_rejected,
    )
    while crowd.active:
        await asyncio.sleep(rng.uniform(20, 240))
        if crowd.active:
            rng.choice(acts)(rng, crowd)


def calm_down(world: "World") -> None:
    """The marketplaces take every line and every file again."""
    for marketplace in world.mirakl.values():
        marketplace.stock_imports.refused_skus.clear()
        marketplace.stock_imports.failures_armed = 0


def _some_offered_sku(rng: random.Random, crowd: "Crowd") -> str:
    """Some SKU as the marketplaces write it."""
    sku = _some_sku(rng, crowd)
    return next((old for old, new in crowd.renamed.items() if new == sku), sku)


def _some_sku(rng: random.Random, crowd: "Crowd") -> str:
    skus = sorted(
        {one.sku for one in crowd.world.shopify.shop.variants.values() if one.sku and not one.deleted}
    )
    return rng.choice(skus)


def _sold_in_the_shop(rng: random.Random, crowd: "Crowd") -> None:
    sku, units = _some_sku(rng, crowd), rng.randint(1, 4)
    crowd.attempt("stock: sold in the shop", lambda: crowd.world.shopify.customer_order([(sku, units)]))


def _sold_on_a_marketplace(rng: random.Random, crowd: "Crowd") -> None:
    name = rng.choice(sorted(crowd.world.mirakl))
    marketplace = crowd.world.mirakl[name]
    sku, units = _some_offered_sku(rng, crowd), rng.randint(1, 3)
    if marketplace.offers.available(sku) < units:
        crowd.did["stock: customer found it sold out"] += 1
        return
    staging = rng.random() < 0.2
    marketplace.create_generated(skus=[sku], quantities=[units], lines=1, staging=staging)
    crowd.did["stock: sold on a marketplace"] += 1


def _counted(rng: random.Random, crowd: "Crowd") -> None:
    _count(rng, crowd, rng.choice((3, 7, 20, 100)), "stock: counted")


def _sold_out(rng: random.Random, crowd: "Crowd") -> None:
    _count(rng, crowd, 0, "stock: counted to nothing")


def _count(rng: random.Random, crowd: "Crowd", units: int, name: str) -> None:
    shopify = crowd.world.shopify
    sku = _some_sku(rng, crowd)
    variant = next(one for one in shopify.shop.variants.values() if one.sku == sku)
    location = rng.choice([one for one in shopify.shop.locations.values() if one.active])
    count_stock(shopify, variant, units, location)
    crowd.did[name] += 1


def _refused_in_the_portal(rng: random.Random, crowd: "Crowd") -> None:
    waiting = [
        (marketplace, order.id)
        for marketplace in crowd.world.mirakl.values()
        for order in marketplace.orders.values()
        if order.state == "WAITING_ACCEPTANCE"
    ]
    if not waiting:
        return
    marketplace, order_id = rng.choice(waiting)
    crowd.attempt("stock: refused in the portal", lambda: marketplace.portal_decide(order_id, False))


def _edited(rng: random.Random, crowd: "Crowd") -> None:
    """A buyer's own order in the shop is edited by staff: a unit goes back to stock."""
    shopify = crowd.world.shopify
    own = [
        order
        for order in shopify.shop.orders.values()
        if order.app is None and order.cancelled_at is None and order.lines[0].current_quantity > 1
    ]
    if own:
        order = rng.choice(own)
        line = order.lines[0]
        wanted = line.current_quantity - 1
        crowd.attempt(
            "stock: own order edited",
            lambda: shopify.set_quantity(order, line.sku or "", wanted, actor=shopify.staff()),
        )


def _file_rejected(rng: random.Random, crowd: "Crowd") -> None:
    name = rng.choice(sorted(crowd.world.mirakl))
    crowd.world.mirakl[name].stock_imports.failures_armed = 1
    crowd.did["stock: file to be rejected"] += 1


def _line_rejected(rng: random.Random, crowd: "Crowd") -> None:
    name = rng.choice(sorted(crowd.world.mirakl))
    imports = crowd.world.mirakl[name].stock_imports
    if imports.refused_skus:
        imports.refused_skus.clear()
    else:
        imports.refused_skus[_some_offered_sku(rng, crowd)] = "The offer is being checked"
    crowd.did["stock: line to be rejected"] += 1


# -- rest --------------------------------------------------------------------------------------------------


def anything_waits(c: Connection) -> bool:
    """Whether a stock file is under way, or an offer is not told what it may show."""
    flying = c.execute(
        select(func.count()).select_from(stock_imports).where(stock_imports.c.settled_at.is_(None))
    ).scalar_one()
    open_figures = c.execute(
        select(func.count())
        .select_from(stock_figures)
        .where(stock_figures.c.target.is_distinct_from(stock_figures.c.believed))
    ).scalar_one()
    return bool(flying or open_figures)
