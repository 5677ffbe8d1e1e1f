"""Staff who clean up the shop: Shopify orders that were cancelled are deleted for good after a while, and now and then one
that was archived although its marketplace order still waits.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from functools import partial

from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls

DELETED = ((0.253, 0.286), (0.7511, 0.8125))
"""Between these the first choice of a history with deleted orders falls: every eleventh one, and none of the seeds that were
committed before there were any."""
CHANCE = 0.6
"""Of each cancelled order that somebody sees, that it is deleted."""
ONE_THAT_STANDS = 0.3
"""The share of such histories in which one that was not cancelled is deleted as well."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:orders deleted")


def are_drawn(seed: int) -> bool:
    """Whether staff delete cancelled orders in this history."""
    return first_choice_falls(stream(seed), *DELETED)


async def delete_for_ever(seed: int, crowd: Crowd) -> None:
    """Now and then somebody looks for orders that were cancelled and deletes some of them, perhaps seconds after the
    cancelation."""
    rng = stream(seed)
    rng.random()
    shop = crowd.world.shopify
    one_that_stands = rng.random() < ONE_THAT_STANDS
    while True:
        await asyncio.sleep(rng.choice((5.0, 60.0, 300.0)) * rng.uniform(0.5, 1.5))
        if not crowd.active:
            continue
        if one_that_stands and (standing := crowd.not_left()):
            one_that_stands = False
            _, _, order = rng.choice(standing)
            shop.archive(order)
            crowd.attempt("order deleted that was not cancelled", partial(shop.delete_order, order.gid))
        for order in [one for one in shop.shop.orders.values() if one.cancelled_at is not None]:
            if rng.random() < CHANCE:
                crowd.attempt("cancelled order deleted", partial(shop.delete_order, order.gid))
