"""What people say of a connection's settings: they say one anew that the marketplace has refuted, or that it is so, and what the
shop calls a shipping method.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from interlock.console.shipping_methods import offered_methods, set_methods
from interlock.engine.capabilities import keep_rules, open_subjects
from interlock.orders.connection import ConnectionRules
from interlock.orders.reasons import Reason
from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.rehearsal.judging.evidence import SettingSaid

SAID = ((0.027, 0.063), (0.08, 0.113), (0.212, 0.251), (0.31, 0.359), (0.366, 0.423), (0.811, 0.879))
"""Between these the first choice of a history with such people falls: more than every fourth one, since few settings are
refuted; and none of the seeds that were committed before there were any."""
WHO = "Cleo Operations"
TITLE = "Rehearsed delivery"


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:what people say of settings")


def is_drawn(seed: int) -> bool:
    """Whether anybody looks after the settings in this history."""
    return first_choice_falls(stream(seed), *SAID)


async def say_for_ever(seed: int, crowd: Crowd) -> None:
    """One shipping method is given a title early on. Every setting that was refuted is said anew after a while, mostly, or set
    to what the marketplace allows."""
    rng = stream(seed)
    rng.random()
    world = crowd.world
    name = rng.choice(sorted(world.mirakl))
    await asyncio.sleep(rng.uniform(1, 400))
    if not world.outage.down:
        _give_a_title(rng, crowd, name)
    while True:
        await asyncio.sleep(rng.choice((60.0, 200.0, 400.0)) * rng.uniform(0.5, 1.5))
        name, anew = rng.choice(sorted(world.mirakl)), rng.random() < 0.7
        if not crowd.active or world.outage.down:
            continue
        with world.database.begin() as c:
            for subject in open_subjects(c, world.connection_ids[name], Reason.SETTING_REFUTED):
                _say(c, crowd, name, subject, anew)


def _give_a_title(rng: random.Random, crowd: Crowd, name: str) -> None:
    world = crowd.world
    row = world.connection_row(name)
    code = rng.choice(offered_methods(row))
    with world.database.begin() as c:
        set_methods(c, world.wakeups, row, {code: f"{TITLE} {code}"}, WHO, world.service_clock.now())
    crowd.did["title of a shipping method set"] += 1


def _say(c: Connection, crowd: Crowd, name: str, subject: str, anew: bool) -> None:
    world = crowd.world
    row = world.connection_row(name)
    hours = world.mirakl[name].profile.acceptance_window_hours
    rules = row.rules if anew else allowed(row.rules, subject, timedelta(hours=hours))
    # Whoever sets it names it, whatever they set it to: that is their word on it.
    keep_rules(c, world.wakeups, row, rules, world.service_clock.now(), (subject,))
    crowd.settings_said.append(SettingSaid(row.id, subject, world.clock.now()))
    crowd.did["refuted setting said anew" if anew else "refuted setting taken back"] += 1


def allowed(rules: ConnectionRules, setting: str, window: timedelta) -> ConnectionRules:
    """The rules with this setting as the marketplace allows it; `window` is its time to accept."""
    match setting:
        case "acceptance_window":
            return replace(rules, acceptance_window=window)
        case "refunds":
            return replace(rules, reduction_after_debit="task")
        case "partial_acceptance":
            return replace(rules, partial_acceptance=False)
        case "partial_cancelation":
            return replace(rules, partial_cancelation=False)
        case "messages":
            return replace(rules, messages=False)
        case _:
            raise ValueError(f"There is no setting {setting!r} that a marketplace refutes.")
