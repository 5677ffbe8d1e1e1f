"""One seeded history: a few orders, people, faults and crashes, a quiet end, and the verdict."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TypeVar

from interlock.orders.connection import ConnectionRules
from interlock.rehearsal import (
    bundles,
    deleting,
    faults,
    forgers,
    hands,
    hardship,
    insisting,
    late_numbers,
    operators,
    parcels,
    pausing,
    picking,
    recording,
    renaming,
    returning,
    saying,
    shortening,
    stock,
    stories,
    taxing,
    telephones,
    troubles,
)
from interlock.rehearsal.actors import Crowd, Temper
from interlock.rehearsal.answering import CaseWorkers
from interlock.rehearsal.judging.evidence import Interruption
from interlock.rehearsal.loop import VirtualLoop
from interlock.rehearsal.processes import every_commit_succeeds, nothing_freezes
from interlock.rehearsal.resting import until_at_rest
from interlock.rehearsal.themes import NO_THEME, Theme, draw_theme
from interlock.rehearsal.troubles import ACTIVE_SECONDS, Ended
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE, PROFILES, mirakl_switches
from interlock.simulator.mirakl.profile import PAYMENT_WORKFLOWS, TAX_MODES, MarketplaceProfile
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.shopify.webhooks import WebhookWeather
from interlock.simulator.switches import Switches
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring

T = TypeVar("T")
QUIET_SECONDS = 2100.0
"""How long a history runs on after the last fault, unless it has come to rest before."""
POLL_SECONDS = (60.0, 120.0, 120.0, 300.0, 300.0, 300.0)
"""How often a history's marketplace is asked for changes: once a minute, as the platform allows at most, or seldomer, as
busy sellers of many marketplaces do."""
ORDERS = 3


def on_virtual_time(seed: int, make: Callable[[], "asyncio.Future[T] | object"]) -> T:
    """Run a coroutine to its end on a virtual loop whose interleaving `seed` decides."""
    loop = VirtualLoop(random.Random(f"{seed}:loop"))
    asyncio.set_event_loop(loop)
    try:
        result: T = loop.run_until_complete(make())  # type: ignore[arg-type]
        return result
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def draw_plan(seed: int, calm: bool = False) -> WorldPlan:
    """A world for this seed. `calm` leaves out every fault and keeps every switch at its default."""
    rng = random.Random(f"{seed}:plan")
    theme = draw_theme(seed)
    profile = parcels.drawn(seed, _profile(rng, theme))
    rules = ConnectionRules(
        "marketplace",
        "interlock:marketplace",
        import_route="draft" if rng.random() < 0.7 else "order",
        payment_lock=rng.random() < 0.5,
        edit_window=timedelta(minutes=10) if rng.random() < 0.2 else None,
        reduction_after_debit=rng.choice(("task", "task", "approve", "automatic")),
        refund_limit=rng.choice((None, Decimal(30))),
        refund_cap=rng.choice((Decimal(20), Decimal(500))),
        mirror_marketplace_changes=rng.random() < 0.75,
    )
    rules = replace(rules, **theme.rules)
    plan = WorldPlan(seed=seed, marketplaces=(profile,), rules=rules, poll_seconds=120.0, subscribed=True)
    if calm:
        return plan
    # Of its own, so that what else a seed draws stays as it is.
    pace = random.Random(f"{seed}:pace")
    plan = replace(plan, poll_seconds=pace.choice(POLL_SECONDS), subscribed=pace.random() < 0.8)
    shopify_switches = Switches(SHOPIFY_SWITCHES)
    shopify_switches.draw(rng)
    shopify_switches.draw_rooms(seed)
    marketplace_switches = mirakl_switches()
    marketplace_switches.draw(rng)
    for name, value in theme.switches.items():
        marketplace_switches.set(name, value)
    marketplace_switches.draw_rooms(seed)
    mirakl_faults = faults.drawn(rng)
    if theme.fault and rng.random() < theme.fault_chance:
        mirakl_faults.armed.append((theme.fault, rng.choice(theme.faults)))
    mirakl_faults.armed.extend(parcels.unheard(seed))
    plan = replace(
        plan,
        processes=rng.choice((1, 2, 2, 3)),
        shopify_switches=shopify_switches,
        mirakl_switches=marketplace_switches,
        shopify_faults=faults.drawn(rng),
        mirakl_faults=mirakl_faults,
        weather=WebhookWeather.drawn(rng),
        lost_wakeups=rng.choice((0.0, 0.0, 0.1)),
        database_ahead=rng.choice((0.0, 0.0, 0.0, 2.0, -2.0, 300.0, -300.0)),
        machine_error=rng.choice((0.0, 0.0, 1.0, 300.0)),
    )
    plan = replace(plan, forgers=forgers.are_busy(seed))
    return taxing.drawn(seed, bundles.drawn(seed, stock.drawn(seed, plan)))


def _profile(rng: random.Random, theme: Theme) -> MarketplaceProfile:
    profile = PROFILES[rng.choice(sorted(PROFILES))]
    profile = PROFILES[theme.base] if theme.base else profile
    fields: dict[str, object] = {
        "acceptance_window_hours": rng.choice((1.0, 2.0, 6.0, 24.0)),
        "debit_delay": rng.choice((60.0, 300.0, 1500.0)),
        "can_shop_ship_delay": rng.choice((0.0, 120.0)),
        "refund_contact_delay": 300.0,
        "refund_payment_delay": 900.0,
    }
    if rng.random() < 0.5:
        fields["payment_workflow"] = rng.choice(PAYMENT_WORKFLOWS)
        fields["tax_mode"] = rng.choice(TAX_MODES)
        fields["partial_cancelation"] = rng.random() < 0.7
    return profile.changed({**fields, **theme.profile})


async def live(
    seed: int,
    plan: WorldPlan,
    database: Database,
    keyring: Keyring,
    calm: bool = False,
    at_rest: Callable[[Ended], Awaitable[None]] | None = None,
) -> Ended:
    """Let the history happen. Faults end with the active part; the quiet part lets everything come to rest.

    `at_rest` is awaited while the world still runs, after everybody has gone home.
    """
    rng = random.Random(f"{seed}:history")
    world = World(plan, database, keyring)
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    theme = draw_theme(seed)
    picking.open_warehouse(rng, world, theme)
    await world.start()
    temper = Temper(
        picker_every=rng.choice((120.0, 600.0, 1200.0, 2400.0)),
        waits_for_options=rng.random() < 0.25,
        asks_first=rng.choice((0.0, 0.0, 0.7, 1.0)),
    )
    if late_numbers.are_drawn(seed):
        temper = replace(temper, picker_every=late_numbers.PICKS_EVERY)
    crowd = Crowd(world, rng, replace(temper, **theme.temper))
    ended = Ended(seed, world, crowd, [], theme)
    if plan.taxes_included is not None:
        crowd.did["prices shown otherwise in the shop"] += 1
    people = [
        asyncio.create_task(picking.pick_for_ever(crowd)),
        asyncio.create_task(CaseWorkers(crowd).work_for_ever()),
    ]
    if plan.rules.publish_stock:
        stock.learn_offers(world)
        stock.give_buffers(crowd, seed)
        stock.open_a_counter(crowd, seed)
        if stock.closes_a_location(seed):
            people.append(asyncio.create_task(stock.close_a_location(crowd, seed)))
        people.append(asyncio.create_task(stock.trade(crowd, seed)))
    marketplace = next(iter(world.mirakl))
    plan.shopify_faults.active = plan.mirakl_faults.active = True
    told_of = [
        asyncio.create_task(
            _one_order(rng, crowd, marketplace, ended, NO_THEME if number else theme, theme.one_customer)
        )
        for number in range(ORDERS)
    ]
    if plan.bundles:
        told_of.append(asyncio.create_task(bundles.sell(seed, crowd, ended.stories)))
    people += told_of
    if parcels.are_busy(seed) and not calm:
        people.append(asyncio.create_task(parcels.handle_for_ever(seed, crowd)))
    if late_numbers.are_drawn(seed) and not calm:
        people.append(asyncio.create_task(late_numbers.add_for_ever(seed, crowd)))
    if hands.are_busy(seed) and not calm:
        people.append(asyncio.create_task(hands.work_for_ever(seed, crowd)))
        people.append(asyncio.create_task(hands.alert_for_ever(seed, crowd)))
    if operators.are_busy(seed) and not calm:
        people.append(asyncio.create_task(operators.change_for_ever(seed, crowd)))
    if telephones.are_changed(seed) and not calm:
        people.append(asyncio.create_task(telephones.change_for_ever(seed, crowd)))
    if deleting.are_drawn(seed) and not calm:
        people.append(asyncio.create_task(deleting.delete_for_ever(seed, crowd)))
    if returning.are_drawn(seed) and not calm:
        people.append(asyncio.create_task(returning.return_for_ever(seed, crowd)))
    if recording.are_recorded(seed) and not calm:
        people.append(asyncio.create_task(recording.record_for_ever(seed, crowd)))
    if renaming.is_drawn(seed) and not calm:
        people.append(asyncio.create_task(renaming.rename_one(seed, crowd)))
    if shortening.is_drawn(seed) and not calm:
        people.append(asyncio.create_task(shortening.shorten(seed, crowd, ended)))
    if insisting.is_drawn(seed) and not calm:
        people.append(asyncio.create_task(insisting.insist_for_ever(seed, crowd)))
    if saying.is_drawn(seed) and not calm:
        people.append(asyncio.create_task(saying.say_for_ever(seed, crowd)))
    if pausing.are_set(seed) and not calm:
        people.append(asyncio.create_task(pausing.pause_for_ever(seed, crowd)))
    if pausing.of_stock_are_set(seed) and not calm:
        people.append(asyncio.create_task(pausing.pause_stock_for_ever(seed, crowd)))
    if not calm:
        people.append(asyncio.create_task(_revive(rng, world, ended)))
        for trouble in (
            troubles.interruptions,
            troubles.clocks,
            troubles.swizzle,
            troubles.changes,
            troubles.web_away,
            troubles.backup,
        ):
            people.append(asyncio.create_task(trouble(rng, world, ended)))
        world.outage.commit_fails = troubles.failing_commits(rng, world, ended)
    hard = None if calm else hardship.drawn(seed)
    enduring = None
    if hard is not None:
        plan.shopify_faults.lateness = plan.mirakl_faults.lateness = hardship.LATENESS
        enduring = asyncio.create_task(hardship.endure(hard, ended))
    await asyncio.sleep(ACTIVE_SECONDS)
    crowd.active = False
    stock.calm_down(world)
    pausing.end_all(crowd)
    plan.shopify_faults.active = plan.mirakl_faults.active = False
    world.crash_at = lambda name: False
    world.outage.down = False
    world.outage.commit_fails = every_commit_succeeds
    world.process_world.freeze_at = nothing_freezes
    world.web_away = False
    for process in world.processes:
        process.thaw()
    if enduring is not None:
        await enduring
    await until_at_rest(world, told_of, QUIET_SECONDS + stock.longer_quiet(plan))
    for task in people:
        task.cancel()
    results = await asyncio.gather(*people, return_exceptions=True)
    failures = [r for r in results if isinstance(r, Exception)]
    if at_rest is not None and not failures:
        await at_rest(ended)
    await world.stop()
    if failures:
        raise failures[0]
    return ended


async def _one_order(
    rng: random.Random, crowd: Crowd, marketplace: str, ended: Ended, theme: Theme, one_customer: bool
) -> None:
    await asyncio.sleep(rng.uniform(0, 600))
    world = crowd.world.mirakl[marketplace]
    skus = None if theme.skus is None else list(theme.skus)
    if skus is None and rng.random() < 0.08 and not theme.story:
        skus = ["NOT-IN-THE-SHOP"]
        crowd.did["order with an unknown sku"] += 1
    quantities = None if theme.quantities is None else list(theme.quantities)
    lines = rng.randint(1, 3) if quantities is None else len(quantities)
    order = world.create_generated(lines=lines, skus=skus, quantities=quantities)
    if one_customer:
        first = world.by_creation[0]
        order.shipping_address = first.shipping_address
    if rng.random() < 0.05:
        for variant in crowd.world.shopify.shop.variants.values():
            location = next(iter(crowd.world.shopify.shop.locations.values()))
            crowd.world.shopify.set_stock(variant, 0, location)
        crowd.did["stock ran out"] += 1
    drawn = [theme.story] if theme.story else stories.draw_stories(rng)
    ended.stories.extend(drawn)
    await asyncio.gather(*(stories.live_through(crowd, marketplace, order, story) for story in drawn))


async def _revive(rng: random.Random, world: World, ended: Ended) -> None:
    """Whoever died is started again after a while, as a new process."""
    seen = 0
    while True:
        await asyncio.sleep(5)
        if ended.nobody_restarts:
            continue
        dead = [process for process in world.processes if process.died.is_set()]
        for _ in dead[seen:]:
            began = world.clock.now() - timedelta(seconds=5)
            await asyncio.sleep(rng.uniform(1, 60))
            world.start_process()
            ended.interruptions.append(Interruption("crash", began, world.clock.now()))
        seen = len(dead)
