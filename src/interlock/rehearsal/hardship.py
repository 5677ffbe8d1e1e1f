"""Seldom and hard: a platform that is away for up to six hours, and calls that take hold up to a minute late."""

import asyncio
import random
from dataclasses import dataclass

from interlock.rehearsal.faults import SeededFaults
from interlock.rehearsal.judging.evidence import Interruption
from interlock.rehearsal.troubles import Ended

SHARE = 0.015
"""The share of histories that are hard; they last several times as long as others."""
SHORTEST, LONGEST = 15 * 60.0, 6 * 3600.0
LATENESS = 1.5
"""How many times as late as elsewhere a call may take hold."""


@dataclass(frozen=True, slots=True)
class Hardship:
    """When the outage begins and how long it lasts, in seconds of the history, and of which platform it is."""

    begins: float
    lasts: float
    of_shopify: bool


def drawn(seed: int) -> Hardship | None:
    """The hardship of this history, from a stream of its own; mostly none."""
    rng = random.Random(f"{seed}:hardship")
    if rng.random() >= SHARE:
        return None
    lasts = SHORTEST * (LONGEST / SHORTEST) ** rng.random()
    return Hardship(rng.uniform(120, 2400), lasts, rng.random() < 0.5)


async def endure(hardship: Hardship, ended: Ended) -> None:
    """Keep the platform away for its time, which may end long after the active part."""
    world = ended.world
    faults: SeededFaults = world.plan.shopify_faults if hardship.of_shopify else world.plan.mirakl_faults
    await asyncio.sleep(hardship.begins)
    began = world.clock.now()
    ended.crashes["platform down for long"] += 1
    faults.away = True
    try:
        await asyncio.sleep(hardship.lasts)
    finally:
        faults.away = False
    ended.interruptions.append(Interruption("platform down", began, world.clock.now()))
