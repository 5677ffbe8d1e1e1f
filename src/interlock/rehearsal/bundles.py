"""Bundles in a rehearsal: which histories sell any, what they are made of, and who buys them.

Everything is drawn from a stream of its own, so that a history without them stays the history it was.
"""

import asyncio
import random
from dataclasses import replace
from decimal import Decimal

from interlock.rehearsal import bundle_stories, stories
from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.world import SoldBundle, WorldPlan
from interlock.simulator.mirakl import CATALOGUE, MiraklWorld

SOLD = ((0.18, 0.26), (0.28, 0.37))
"""Between these the first choice of a history with bundles falls: every sixth one, and none of the seeds that were committed
before there were bundles."""
CHEAPER = (Decimal(1), Decimal(1), Decimal("0.95"), Decimal("0.8"))
"""What a bundle costs of its articles' prices; the last one is more than a connection's tolerance away from them."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:bundles")


def are_sold(seed: int) -> bool:
    """Whether the marketplaces sell bundles in the history of this seed."""
    first = stream(seed).random()
    return any(least <= first < most for least, most in SOLD)


def drawn(seed: int, plan: WorldPlan) -> WorldPlan:
    """The plan with one or two bundles, in a share of the histories."""
    if not are_sold(seed):
        return plan
    rng = stream(seed)
    rng.random()
    count = rng.choice((1, 1, 2))
    # Stock is published in few histories: with two bundles each they show enough of what bundles are offered.
    count = 2 if plan.rules.publish_stock else count
    return replace(plan, bundles=tuple(_invented(rng, f"SET-{n + 1}") for n in range(count)))


def _invented(rng: random.Random, sku: str) -> SoldBundle:
    items = rng.sample(CATALOGUE, rng.choice((1, 2, 2, 2, 3)))
    units = [rng.choice((2, 3) if len(items) == 1 else (1, 1, 2, 3)) for _ in items]
    price = sum((item.price * count for item, count in zip(items, units, strict=True)), Decimal(0))
    return SoldBundle(
        sku,
        " and ".join(item.title for item in items),
        (price * rng.choice(CHEAPER)).quantize(Decimal("0.01")),
        tuple((item.sku, count) for item, count in zip(items, units, strict=True)),
    )


async def sell(seed: int, crowd: Crowd, told: list[str]) -> None:
    """Customers buy bundles, alone and with articles, and something happens to most of these orders. Returns once every story
    was told; `told` are the stories."""
    rng = random.Random(f"{seed}:bundles sold")
    await asyncio.gather(
        *(_one_order(random.Random(rng.random()), crowd, told) for _ in range(rng.choice((1, 1, 2))))
    )


async def _one_order(rng: random.Random, crowd: Crowd, told: list[str]) -> None:
    await asyncio.sleep(rng.uniform(0, 900))
    world = crowd.world
    name = rng.choice(sorted(world.mirakl))
    market = world.mirakl[name]
    bundle = rng.choice(world.plan.bundles)
    skus, quantities = [bundle.sku], [rng.choice((1, 2, 2, 3, 4))]
    if rng.random() < 0.4:
        # An article of the bundle alone, or anything else.
        skus.append(rng.choice((bundle.articles[0][0], rng.choice(CATALOGUE).sku)))
        quantities.append(rng.randint(1, 3))
    if world.plan.rules.publish_stock and _sold_out(market, skus, quantities):
        crowd.did["bundle found sold out"] += 1
        return
    order = market.create_generated(lines=len(skus), skus=skus, quantities=quantities)
    crowd.did["bundle bought"] += 1
    if rng.random() < 0.5:
        story, tell = rng.choice(bundle_stories.OFTEN), bundle_stories.live_through
    else:
        story, tell = stories.draw_stories(rng)[0], stories.live_through
    told.append(story)
    await tell(crowd, name, order, story)


def _sold_out(market: MiraklWorld, skus: list[str], quantities: list[int]) -> bool:
    return any(market.offers.available(sku) < units for sku, units in zip(skus, quantities, strict=True))
