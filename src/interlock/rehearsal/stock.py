"""Stock in a rehearsal: what service processes do about it, and what people and the world do to it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from interlock.engine.stock import StockDesk
from interlock.engine.stock_reading import read_shop
from interlock.imports.store import sku_map
from interlock.offers.matching import Offered, Variant, match
from interlock.offers.store import bundles, keep_links, keep_offers, keep_variants

if TYPE_CHECKING:
    from interlock.rehearsal.processes import ServiceProcess
    from interlock.rehearsal.world import World

TICK_SECONDS = 15.0


def loops_of(process: "ServiceProcess") -> list[Callable[[], Awaitable[None]]]:
    """The stock loops of one service process, as `Service` has them: nothing where the world publishes no stock."""
    if not process.world.stock:
        return []
    return [lambda: _tend(process)]


async def _tend(process: "ServiceProcess") -> None:
    parts, shops = process.parts, process.world.shops
    desks = {connection_id: StockDesk(parts, shop) for connection_id, shop in shops.items()}
    first = {shop: connection_id for connection_id, shop in reversed(shops.items())}

    async def read() -> None:
        for shop, connection_id in first.items():
            await read_shop(parts, await parts.connections.get(connection_id), shop)

    while True:
        await process.attempt(read)
        for connection_id, desk in desks.items():

            async def publish(connection_id: int = connection_id, desk: StockDesk = desk) -> None:
                await desk.work(await parts.connections.get(connection_id))

            await process.attempt(publish)
        await process.world.clock.sleep(TICK_SECONDS)


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
