"""Telephone numbers: staff change that of an order's delivery address in Shopify, and nothing else of it.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from functools import partial

from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.simulator.mirakl import MiraklWorld, SimOrder
from interlock.simulator.shopify.addresses import canary
from interlock.simulator.shopify.state import Order
from interlock.simulator.shopify.world import ShopifyWorld

CHANGED = ((0.212, 0.278), (0.52, 0.554))
"""Between these the first choice of a history with such changes falls: every tenth one, and none of the seeds that were
committed before there were any."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:telephone changed")


def are_changed(seed: int) -> bool:
    """Whether staff change telephone numbers in this history."""
    return first_choice_falls(stream(seed), *CHANGED)


async def change_for_ever(seed: int, crowd: Crowd) -> None:
    """Staff change the number of an order that has not left now and then. Of four changes one is set back by staff after a
    while, and the operator learns of another and sets the same."""
    rng = stream(seed)
    rng.random()
    while True:
        await asyncio.sleep(rng.choice((60.0, 200.0, 500.0)) * rng.uniform(0.5, 1.5))
        chosen, then, later = rng.random(), rng.choice(("", "", "set back", "followed")), rng.uniform(20, 400)
        number = f"+49 30 {rng.randrange(10**8):08d} {canary(rng, 'phone')}"
        if not crowd.active:
            continue
        found = [one for one in crowd.not_left() if one[2].shipping_address is not None]
        if found:
            await _change(crowd, *found[int(chosen * len(found))], number, then, later)


async def _change(
    crowd: Crowd, market: MiraklWorld, order: SimOrder, shown: Order, number: str, then: str, later: float
) -> None:
    shop = crowd.world.shopify
    if not crowd.attempt("telephone number changed", partial(shop.change_telephone, shown, number)):
        return
    if not then:
        return
    await asyncio.sleep(later)
    if then == "set back":
        set_back(crowd, shown)
    else:
        follow = partial(market.change_address, order.id, {"phone": number})
        crowd.attempt("telephone number followed by the marketplace", follow)


def set_back(crowd: Crowd, shown: Order) -> None:
    """Staff put the number back that the order had first, where it has another one."""
    first = first_number(crowd.world.shopify, shown)
    address = shown.shipping_address
    if first and address is not None and address.phone != first:
        crowd.attempt(
            "telephone number set back", partial(crowd.world.shopify.change_telephone, shown, first)
        )


def first_number(shop: ShopifyWorld, shown: Order) -> str:
    """The number before staff first changed it; empty where nobody ever did."""
    for effect in shop.record.effects:
        if effect.kind == "telephone_changed" and effect.order_id == shown.gid:
            return str(effect.detail["was"])
    return ""
