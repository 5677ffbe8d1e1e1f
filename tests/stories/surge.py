"""Many orders sold in one instant, over both simulated platforms: how long each parcel stays without its hold, and each order
without its acceptance. `python -m tests.stories.surge --orders 300` prints the figures; the tests tell it of fewer."""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from interlock.rehearsal.scenarios import Stage
from interlock.simulator.record import Effect
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from tests.stories.stage import Theatre, Told, marketplace

LONG_ENOUGH = 6.0
"""Seconds of the world that an order may take on the average before the surge counts as stuck."""


class SurgeStuck(AssertionError):
    """Not every order was accepted in the time that so many orders may take."""

    def __init__(self, accepted: int, many: int) -> None:
        super().__init__(f"only {accepted} of {many} orders were accepted within the time they may take.")


@dataclass(frozen=True, slots=True)
class Surge:
    """Seconds, shortest first: from the Shopify order to our hold on it, and from the sale to its acceptance."""

    unheld: tuple[float, ...]
    unaccepted: tuple[float, ...]


def sell_at_once(theatre: Theatre, many: int, points: float | None = None) -> tuple[Surge, Told]:
    """`many` orders are sold in one instant; nobody picks. With `points` so many are left then of what the shop lets its
    callers spend. SurgeStuck when not all of the orders are accepted in time."""

    async def story(stage: Stage) -> None:
        world = stage.world
        (mug,) = [one for one in world.shopify.shop.variants.values() if one.sku == "MUG-BLUE"]
        world.shopify.set_stock(mug, 2 * many, next(iter(world.shopify.shop.locations.values())))
        for bucket in world.shopify.buckets.values():
            bucket.available = bucket.available if points is None else points
        for _ in range(1, many):
            stage.marketplace.create_generated(skus=["MUG-BLUE"], quantities=[1])
        longest = 1200 + LONG_ENOUGH * many
        while waiting := sum(order.state != "SHIPPING" for order in stage.marketplace.orders.values()):
            if asyncio.get_running_loop().time() > longest:
                raise SurgeStuck(many - waiting, many)
            await asyncio.sleep(30)
        await asyncio.sleep(600)

    told = theatre.tell(story, marketplace("all-or-nothing"), 0, skus=["MUG-BLUE"], quantities=[1])
    shop, market = told.stage.world.shopify.record.effects, told.stage.marketplace.record.effects
    return Surge(
        _seconds(shop, "order_created", shop, "hold_placed"),
        _seconds(market, "created", market, "accepted"),
    ), told


def _seconds(first: Sequence[Effect], began: str, then: Sequence[Effect], ended: str) -> tuple[float, ...]:
    """From the first effect of one kind to the first of another, order by order; orders without the latter are left out."""
    starts, ends = _firsts(first, began), _firsts(then, ended)
    return tuple(sorted((ends[one] - at).total_seconds() for one, at in starts.items() if one in ends))


def _firsts(effects: Sequence[Effect], kind: str) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for effect in effects:
        if effect.kind == kind and effect.order_id is not None:
            found.setdefault(effect.order_id, effect.at)
    return found


def share(seconds: Sequence[float], percent: int) -> float:
    """The value below which so many of a hundred lie; the list is sorted and not empty."""
    return seconds[min(len(seconds) * percent // 100, len(seconds) - 1)]


def main() -> int:
    """Tell the story and print what it took."""
    parser = argparse.ArgumentParser(description="Many orders sold in one instant.")
    parser.add_argument("--orders", type=int, default=300, help="how many at once (default: 300)")
    many = parser.parse_args().orders
    began = time.perf_counter()
    with ThrowawayServer() as server:
        database = Database(server.new_database(), pool_size=4, check_connections=False)
        surge, told = sell_at_once(Theatre(database, Keyring([new_key()])), many)
        database.dispose()
    for name, seconds in (("without a hold", surge.unheld), ("until accepted", surge.unaccepted)):
        parts = ", ".join(f"p{percent} {share(seconds, percent):.1f} s" for percent in (50, 95, 99))
        print(f"{name}: {len(seconds)} orders, {parts}, at most {seconds[-1]:.1f} s;")
    print(f"{len(told.open_reasons)} cases open; {time.perf_counter() - began:.0f} s of this machine.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
