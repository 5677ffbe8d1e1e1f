"""SKUs that are changed in Shopify while the marketplaces go on selling under the old one, and people who map it, or do not.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random

from interlock.console.desk import map_sku_names
from interlock.engine.store import duty_is_due
from interlock.rehearsal import stock
from interlock.rehearsal.actors import Crowd
from interlock.simulator.shopify.inventory import change_sku

RENAMED = (0.415, 0.4817)
"""Between these the first choice of a history with a renamed SKU falls: every fifteenth one, and none of the seeds that were
committed before there were any."""
WHERE_STOCK_IS_PUBLISHED = (0.69, 0.99)
"""Between these it falls where stock is published besides, which few histories do."""
MAPPED = 0.6
LOOKED_FOR = 60
"""How often somebody looks whether the database is there; 30 seconds apart."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:sku renamed")


def is_drawn(seed: int) -> bool:
    """Whether a SKU is changed in the shop in this history."""
    choice = stream(seed).random()
    least, most = WHERE_STOCK_IS_PUBLISHED
    return RENAMED[0] <= choice < RENAMED[1] or (least <= choice < most and stock.is_drawn(seed))


async def rename_one(seed: int, crowd: Crowd) -> None:
    """Somebody changes the SKU of one variant that is in no bundle. The shop's variants are compared with the offers once a
    day: that falls into the time after it. In a part of the histories somebody maps the old SKU to the new one."""
    rng = stream(seed)
    rng.random()
    world = crowd.world
    await asyncio.sleep(rng.choice((60.0, 600.0, 1500.0)) * rng.uniform(0.2, 1.0))
    in_bundles = {sku for bundle in world.plan.bundles for sku, _ in bundle.articles}
    variants = [one for one in world.shopify.shop.variants.values() if one.sku and one.sku not in in_bundles]
    variant = rng.choice(variants)
    old, new = variant.sku or "", f"{variant.sku}-NEW"
    change_sku(world.shopify, variant, new)
    crowd.renamed[old] = new
    crowd.did["sku renamed in the shop"] += 1
    await asyncio.sleep(rng.uniform(30, 500))
    await _database_there(crowd)
    with world.database.begin() as c:
        duty_is_due(c, f"variants {world.shopify.shop.domain}", world.service_clock.now())
    if rng.random() >= MAPPED:
        return
    await asyncio.sleep(rng.choice((0.0, 300.0, 1500.0)) * rng.uniform(0.5, 1.5))
    await _database_there(crowd)
    map_anew(crowd, old)


async def _database_there(crowd: Crowd) -> None:
    for _ in range(LOOKED_FOR):
        if not crowd.world.outage.down:
            return
        await asyncio.sleep(30)


def map_anew(crowd: Crowd, old: str) -> None:
    """Somebody maps the SKU that was renamed, on every connection."""
    world = crowd.world
    for name in sorted(world.mirakl):
        row = world.connection_row(name)
        with world.database.begin() as c:
            now = world.service_clock.now()
            map_sku_names(c, world.wakeups, row, [(old, crowd.renamed[old])], "Otto Ops", now)
    crowd.did["renamed sku mapped"] += 1
