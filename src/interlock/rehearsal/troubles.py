"""What befalls the service from outside: crashes, freezes, outages, wrong clocks, failing commits, changed settings."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal

from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from interlock.engine.store import connections, one_connection
from interlock.mirakl.failures import ReadError
from interlock.orders.codec import encode
from interlock.orders.connection import ConnectionRules
from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.judging.evidence import Interruption
from interlock.rehearsal.judging.rebuild import Copy, copy_of
from interlock.rehearsal.processes import ServiceProcess
from interlock.rehearsal.themes import NO_THEME, Theme
from interlock.rehearsal.world import World

ACTIVE_SECONDS = 2700.0
"""How long things go wrong; whatever takes its time begins early enough to be over by then."""
CLOCK_STEP = 300.0


@dataclass
class Ended:
    """What a history left behind for the judge and the counters. `nobody_restarts` while dead processes stay dead."""

    seed: int
    world: World
    crowd: Crowd
    stories: list[str]
    theme: Theme = NO_THEME
    crashes: Counter[str] = field(default_factory=Counter)
    interruptions: list[Interruption] = field(default_factory=list)
    nobody_restarts: bool = False
    capability_read: bool = False
    copy: Copy | None = None

    @property
    def calls(self) -> int:
        """Calls the platforms received."""
        marketplaces = sum(len(world.record.calls) for world in self.world.mirakl.values())
        return len(self.world.shopify.record.calls) + marketplaces


async def interruptions(rng: random.Random, world: World, ended: Ended) -> None:
    """Crashes at named points, frozen processes, a database that goes away, platforms that are down."""
    crash_rate = rng.choice((0.0, 0.002, 0.01))
    freeze = rng.random() < ended.theme.freeze
    outage = rng.random() < 0.3
    platform_down = rng.random() < 0.3

    def crash_at(name: str) -> bool:
        if rng.random() >= crash_rate:
            return False
        ended.crashes[name.partition(":")[0]] += 1
        return True

    world.crash_at = crash_at
    if freeze:
        world.process_world.freeze_at = _freezing(rng, world, ended)
    while world.process_world.clock.monotonic() < ACTIVE_SECONDS:
        await asyncio.sleep(rng.uniform(60, 600))
        if freeze and rng.random() < 0.5:
            process = rng.choice([p for p in world.processes if not p.died.is_set()] or world.processes)
            process.freeze()
            await _interrupted("frozen", rng.uniform(5, 200), world, ended)
            process.thaw()
        if outage and rng.random() < 0.3:
            world.outage.down = True
            await _interrupted("database away", rng.uniform(2, 120), world, ended)
            world.outage.down = False
        if platform_down and rng.random() < 0.3:
            which = rng.choice((world.plan.shopify_faults, world.plan.mirakl_faults))
            which.down += 1
            await _interrupted("platform down", rng.uniform(60, 900), world, ended)
            which.down -= 1


def _freezing(rng: random.Random, world: World, ended: Ended) -> Callable[[ServiceProcess, str], None]:
    """Now and then a process stands still between a commit and a send, often longer than its lease lasts."""

    async def stand_still(process: ServiceProcess) -> None:
        await _interrupted("frozen", rng.uniform(30, 200), world, ended)
        process.thaw()

    standing: list[asyncio.Task[None]] = []

    def freeze_at(process: ServiceProcess, name: str) -> None:
        del name
        if rng.random() < ended.theme.freeze_rate and world.process_world.clock.monotonic() < ACTIVE_SECONDS:
            process.freeze()
            standing.append(asyncio.get_running_loop().create_task(stand_still(process)))

    return freeze_at


async def backup(rng: random.Random, world: World, ended: Ended) -> None:
    """Somebody takes a copy of the database while orders are open."""
    await asyncio.sleep(rng.uniform(600, 2400))
    ended.copy = copy_of(world)


async def web_away(rng: random.Random, world: World, ended: Ended) -> None:
    """The web process cannot be reached for a while: Shopify's deliveries fail, and subscriptions may be removed."""
    if rng.random() >= ended.theme.web_away:
        return
    await asyncio.sleep(rng.uniform(0, 900))
    ended.crashes["web process away"] += 1
    world.web_away = True
    await asyncio.sleep(rng.uniform(300, 1500))
    world.web_away = False


async def _interrupted(kind: str, seconds: float, world: World, ended: Ended) -> None:
    """Wait out an interruption that began now. It ends with the active part at the latest."""
    began = world.clock.now()
    ended.crashes[kind] += 1
    position = len(ended.interruptions)
    ended.interruptions.append(Interruption(kind, began, began + timedelta(seconds=seconds)))
    await asyncio.sleep(seconds)
    ended.interruptions[position] = Interruption(kind, began, world.clock.now())


async def clocks(rng: random.Random, world: World, ended: Ended) -> None:
    """Somebody sets the clock of a machine of the service, by up to five minutes either way."""
    if world.plan.database_ahead:
        ended.crashes["database clock skewed"] += 1
    if world.plan.machine_error:
        ended.crashes["machine clocks wrong"] += 1
    if rng.random() < 0.5:
        return
    while True:
        await asyncio.sleep(rng.uniform(60, 900))
        if world.process_world.clock.monotonic() >= ACTIVE_SECONDS:
            return
        process = rng.choice(world.processes)
        process.machine_error += rng.choice((-CLOCK_STEP, CLOCK_STEP, rng.uniform(-CLOCK_STEP, CLOCK_STEP)))
        ended.crashes["machine clock stepped"] += 1


def failing_commits(
    rng: random.Random, world: World, ended: Ended
) -> Callable[[], Literal["", "before", "after"]]:
    """Commits that fail: some have kept nothing, some have kept everything and nobody heard."""
    rate = rng.choice((0.0, 0.0, 0.001, 0.004))

    def fails() -> Literal["", "before", "after"]:
        if not rate or rng.random() >= rate:
            return ""
        how: Literal["before", "after"] = rng.choice(("before", "after"))
        ended.crashes[f"commit failed {how} it was kept"] += 1
        now = world.clock.now()
        ended.interruptions.append(Interruption("commit failed", now, now))
        return how

    return fails


async def swizzle(rng: random.Random, world: World, ended: Ended) -> None:
    """Shopify, the marketplaces, the database and the workers stop one by one and start in another order."""
    if rng.random() >= 0.2:
        return
    await asyncio.sleep(rng.uniform(200, 2000))
    parts = ["shopify", "mirakl", "database", "workers"]
    began = world.clock.now()
    ended.crashes["stopped and started in another order"] += 1
    position = len(ended.interruptions)
    ended.interruptions.append(
        Interruption("reordered start", began, began + timedelta(seconds=ACTIVE_SECONDS))
    )
    for stops in (True, False):
        rng.shuffle(parts)
        for part in parts:
            _switch(part, stops, world, ended)
            await asyncio.sleep(rng.uniform(1, 40))
    ended.interruptions[position] = Interruption("reordered start", began, world.clock.now())


def _switch(part: str, stops: bool, world: World, ended: Ended) -> None:
    match part:
        case "shopify":
            world.plan.shopify_faults.down += 1 if stops else -1
        case "mirakl":
            world.plan.mirakl_faults.down += 1 if stops else -1
        case "database":
            world.outage.down = stops
        case "workers":
            ended.nobody_restarts = stops
            for process in world.processes if stops else ():
                process.kill()
        case _:
            raise AssertionError(part)


# -- changes while orders are open --------------------------------------------------------------------------


async def changes(rng: random.Random, world: World, ended: Ended) -> None:
    """Somebody changes the connection's settings, or the marketplace what it allows or how it calls its carriers."""
    planned = [
        change
        for change, chance in ((_settings, 0.3), (_marketplace_rules, 0.2), (_carrier_table, 0.25))
        if rng.random() < chance
    ]
    for change in planned:
        await asyncio.sleep(rng.uniform(150, 900))
        for name in world.mirakl:
            await change(rng, world, name, ended)


async def _settings(rng: random.Random, world: World, name: str, ended: Ended) -> None:
    ended.crashes["settings changed"] += 1
    minute = timedelta(minutes=1)
    wanted: dict[str, tuple[Any, ...]] = {
        "quiet_period": (timedelta(0), minute, 3 * minute),
        "lineage_wait": (timedelta(0), 10 * minute),
        "edit_window": (None, 5 * minute, 20 * minute),
        "payment_lock": (True, False),
        "import_route": ("draft", "order"),
        "reduction_after_debit": ("task", "approve", "automatic"),
        "mirror_marketplace_changes": (True, False),
    }
    fields = rng.sample(sorted(wanted), 2)

    def changed(rules: ConnectionRules) -> ConnectionRules:
        return replace(rules, **{field: rng.choice(wanted[field]) for field in fields})

    with world.database.begin() as c:
        row = one_connection(c, world.connection_ids[name])
        c.execute(
            update(connections).where(connections.c.id == row.id).values(rules=encode(changed(row.rules)))
        )


async def _marketplace_rules(rng: random.Random, world: World, name: str, ended: Ended) -> None:
    ended.crashes["marketplace rules changed"] += 1
    market = world.mirakl[name]
    market.change_profile({"partial_cancelation": not market.profile.partial_cancelation})
    await _noticed(rng, world, name, ended)


async def _carrier_table(rng: random.Random, world: World, name: str, ended: Ended) -> None:
    """A carrier the connection uses is registered under another code from now on."""
    ended.crashes["carrier table changed"] += 1
    market = world.mirakl[name]
    renamed = rng.choice([carrier.code for carrier in market.profile.carriers])
    market.change_profile(
        {
            "carriers": [
                {
                    "code": f"{carrier.code}-2" if carrier.code == renamed else carrier.code,
                    "label": carrier.label,
                    "standard_code": carrier.standard_code,
                    "tracking_url": carrier.tracking_url,
                }
                for carrier in market.profile.carriers
            ]
        }
    )
    await _noticed(rng, world, name, ended)


async def _noticed(rng: random.Random, world: World, name: str, ended: Ended) -> None:
    """The service reads once a day what a marketplace allows: perhaps soon after the change, perhaps not in this
    history."""
    if rng.random() < 0.5 or ended.capability_read:
        return
    ended.capability_read = True
    await asyncio.sleep(rng.uniform(0, 300))
    try:
        await world.read_capability(name)
    except (ReadError, OperationalError):
        return  # read again tomorrow
