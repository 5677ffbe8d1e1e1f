"""Tracking numbers that come late: parcels leave without one, and it lands minutes later, perhaps after the dispatch was
told, and perhaps without the name of a carrier at first.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from functools import partial

from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.rehearsal.parcels import parcels_made
from interlock.rehearsal.world import CARRIER_NAMES
from interlock.simulator.shopify.state import Fulfillment

DRAWN = ((0.577, 0.642), (0.904, 0.969))
"""Between these the first choice of a history with late numbers falls: every eighth one, and none of the seeds that were
committed before there were any."""
LEAVES_WITHOUT = 0.8
"""The share of parcels that leave without a number in such a history."""
PICKS_EVERY = 120.0
"""Seconds between two walks through such a warehouse: parcels leave while there is time for their numbers to come."""
COMES = 0.5
"""The chance, each time somebody looks, that what is missing of a parcel's tracking is added."""
NAMELESS = 0.3
"""The share of late numbers that stand without the name of a carrier at first."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:the number comes later")


def are_drawn(seed: int) -> bool:
    """Whether numbers come late in this history."""
    return first_choice_falls(stream(seed), *DRAWN)


def leaves_without(seed: int) -> random.Random | None:
    """What decides of each parcel whether it leaves without its number; None where numbers are never late."""
    return random.Random(f"{seed}:parcels without a number") if are_drawn(seed) else None


async def add_for_ever(seed: int, crowd: Crowd) -> None:
    """The warehouse's system writes the numbers into the fulfillments after the fact."""
    rng = stream(seed)
    rng.random()
    number = 0
    while True:
        await asyncio.sleep(rng.choice((60.0, 180.0, 300.0)) * rng.uniform(0.5, 1.5))
        if not crowd.active:
            continue
        for parcel in _incomplete(crowd):
            if rng.random() >= COMES:
                continue
            number += 1
            known = next((item.number for item in parcel.tracking if item.number), None)
            nameless = known is None and rng.random() < NAMELESS
            company = None if nameless else rng.choice(CARRIER_NAMES[:3])
            added = partial(
                crowd.world.shopify.update_tracking,
                parcel,
                company=company,
                number=known or f"AFTER{number:06d}",
            )
            crowd.attempt("number added without a carrier" if nameless else "number added late", added)


def _incomplete(crowd: Crowd) -> list[Fulfillment]:
    return [
        parcel
        for parcel in parcels_made(crowd)
        if parcel.display_status != "LABEL_VOIDED"
        and not any(item.number and item.company for item in parcel.tracking)
    ]
