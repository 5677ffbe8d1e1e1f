"""Pauses in a rehearsal: a person stops one flow of a connection for a while, and ends the pause, or lets it end by itself.

Everything is drawn from streams of its own, so that a history without pauses stays the history it was.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from interlock.console.flows import PauseRefused, pause_flow, resume_flow
from interlock.orders.connection import FLOWS_OF_ORDERS
from interlock.rehearsal import stock
from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.rehearsal.judging.evidence import FlowPaused

PAUSED = (0.125, 0.22)
"""Between these the first choice of a history with pauses falls: every tenth one, and none of the seeds that were committed
before there were any."""
STOCK_PAUSED = ((0.275, 0.48), (0.58, 0.69), (0.9, 1.0))
"""The same for pauses of stock, of the histories in which stock is published."""
WHO = "Cleo Operations"
MINUTES = (15, 15, 15, 60)


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:pauses")


def are_set(seed: int) -> bool:
    """Whether anybody pauses a flow in this history."""
    return first_choice_falls(stream(seed), PAUSED)


async def pause_for_ever(seed: int, crowd: Crowd) -> None:
    """Somebody pauses a flow of orders now and then; of two pauses one is ended before its time."""
    await _pause_for_ever(stream(seed), FLOWS_OF_ORDERS, crowd)


def of_stock_are_set(seed: int) -> bool:
    """Whether anybody pauses the stock of a connection in this history."""
    return stock.is_drawn(seed) and first_choice_falls(_stock_stream(seed), *STOCK_PAUSED)


async def pause_stock_for_ever(seed: int, crowd: Crowd) -> None:
    """The same for the stock of the connections."""
    await _pause_for_ever(_stock_stream(seed), ("stock",), crowd)


def _stock_stream(seed: int) -> random.Random:
    return random.Random(f"{seed}:stock pauses")


async def _pause_for_ever(rng: random.Random, pausable: Sequence[str], crowd: Crowd) -> None:
    rng.random()
    while True:
        await asyncio.sleep(rng.choice((30.0, 120.0, 400.0)) * rng.uniform(0.5, 1.5))
        name, flow, minutes = (
            rng.choice(sorted(crowd.world.mirakl)),
            rng.choice(pausable),
            rng.choice(MINUTES),
        )
        early, after = rng.random() < 0.5, rng.uniform(30, 600)
        if not crowd.active or crowd.world.outage.down:
            continue
        set_pause(crowd, crowd.world.connection_ids[name], flow, minutes)
        if early:
            await asyncio.sleep(after)
            _resume(crowd, crowd.world.connection_ids[name], flow)


def end_all(crowd: Crowd) -> None:
    """Whatever is paused goes on."""
    now = crowd.world.clock.now()
    for pause in [one for one in crowd.paused if one.ended > now]:
        _resume(crowd, pause.connection_id, pause.flow)


def set_pause(crowd: Crowd, connection_id: int, flow: str, minutes: int) -> None:
    """A person pauses a flow for so long (one of `console.flows.CHOICES`)."""
    world = crowd.world
    _ended(crowd, connection_id, flow)
    with world.database.begin() as c:
        at = world.service_clock.now()
        pause_flow(c, world.wakeups, connection_id, flow, str(minutes), WHO, "Stocktaking.", at)
    began = world.clock.now()
    crowd.paused.append(FlowPaused(connection_id, flow, began, began + timedelta(minutes=minutes)))
    crowd.did[f"{flow} paused"] += 1


def _resume(crowd: Crowd, connection_id: int, flow: str) -> None:
    world = crowd.world
    try:
        with world.database.begin() as c:
            resume_flow(c, world.wakeups, connection_id, flow, WHO, world.service_clock.now())
    except PauseRefused:
        crowd.did["nothing left to resume"] += 1
        return
    _ended(crowd, connection_id, flow)
    crowd.did["flow resumed"] += 1


def _ended(crowd: Crowd, connection_id: int, flow: str) -> None:
    """The pause of this flow is over now, where it was not before."""
    now = crowd.world.clock.now()
    crowd.paused[:] = [
        replace(one, ended=now)
        if (one.connection_id, one.flow) == (connection_id, flow) and one.ended > now
        else one
        for one in crowd.paused
    ]
