"""Customers who want their money back for a unit that left, perhaps while other units of the same line have not left yet.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from functools import partial

from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.rehearsal.parcels import are_busy
from interlock.simulator.shopify.state import LineItem

RETURNED = ((0.103, 0.245), (0.39, 0.447), (0.62, 0.705), (0.915, 0.965))
"""Between these the first choice of a history with returns falls, of those in which parts of orders leave: every fourteenth
history, and none of the seeds that were committed before there were any."""
REST_STILL_HERE = 0.8
"""How often a line is chosen of which something is still to leave, where there is one."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:units sent back")


def are_drawn(seed: int) -> bool:
    """Whether units that left are refunded as returned in this history."""
    return are_busy(seed) and first_choice_falls(stream(seed), *RETURNED)


async def return_for_ever(seed: int, crowd: Crowd) -> None:
    """Now and then staff refund a unit that left, with its money, as the admin's Return page does."""
    rng = stream(seed)
    rng.random()
    while True:
        await asyncio.sleep(rng.choice((20.0, 60.0, 180.0)) * rng.uniform(0.5, 1.5))
        if not crowd.active:
            continue
        left = [
            line
            for order in crowd.world.shopify.shop.orders.values()
            if order.cancelled_at is None
            for line in order.lines
            if line.fulfilled > line.returned
        ]
        partly = [line for line in left if line.unfulfilled_quantity > 0]
        if left and rng.random() < 0.5:
            _send_back(rng.choice(partly if partly and rng.random() < REST_STILL_HERE else left), crowd)


def _send_back(line: LineItem, crowd: Crowd) -> None:
    refunded = partial(
        crowd.world.shopify.refund,
        line.order,
        lines=[(line.gid, 1)],
        money=line.net_unit_price,
        restock_type="RETURN",
    )
    rest = line.unfulfilled_quantity > 0
    crowd.attempt("unit sent back while others wait" if rest else "unit sent back", refunded)
