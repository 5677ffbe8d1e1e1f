"""The judge knows what a pause means: what is paused waits, and a planted call in the middle of a pause is found."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import get_args

import pytest

from interlock.orders.actions import Action, PublishStock
from interlock.orders.connection import ConnectionRules
from interlock.orders.pauses import flow_of
from interlock.rehearsal.actors import Crowd, Temper
from interlock.rehearsal.judging.evidence import FlowPaused
from interlock.rehearsal.judging.pauses import FLOW_OF
from interlock.rehearsal.pausing import are_set, end_all, of_stock_are_set, set_pause
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from tests.simulation.bench import NAME, PROFILE, Bench, a_case, put_back
from tests.simulation.living import lived
from tests.simulation.runner import regressions

RULES = ConnectionRules(NAME, f"interlock:{NAME}")
BEFORE_PAUSES = 50
"""How many seeds had been committed when pauses came in."""
BEFORE_PAUSES_OF_STOCK = 121
"""The same for pauses of stock."""


async def _an_hour_with_a_pause(database: Database) -> tuple[World, Crowd]:
    """Edits are paused, a unit is taken out of an order meanwhile, and the pause is ended after ten minutes."""
    plan = WorldPlan(seed=7, marketplaces=(PROFILE,), rules=RULES, processes=1)
    world = World(plan, database, Keyring([new_key()]))
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    crowd = Crowd(world, random.Random(7), Temper())
    world.mirakl[NAME].create_generated(lines=1, quantities=[3])
    await asyncio.sleep(900)
    order = next(iter(world.shopify.shop.orders.values()))
    set_pause(crowd, world.connection_ids[NAME], "edits", 15)
    await asyncio.sleep(5)
    world.shopify.set_quantity(order, 0, 2)
    await asyncio.sleep(600)
    end_all(crowd)
    await asyncio.sleep(900)
    assert world.shopify.pick(order, company="DHL Express", number="PARCEL1") is not None
    await asyncio.sleep(2700)
    await world.stop()
    return world, crowd


@pytest.fixture(scope="module")
def finished(server: ThrowawayServer) -> Iterator[tuple[World, Crowd]]:
    """The clean history, lived once for all tests of this file."""
    with lived(server, 7, _an_hour_with_a_pause) as told:
        yield told


@pytest.fixture
def bench(finished: tuple[World, Crowd]) -> Iterator[Bench]:
    world, crowd = finished
    with put_back(world), world.database.engine.connect() as connection:
        yield Bench(world, connection, paused=list(crowd.paused))
        connection.rollback()


def cut_at(bench: Bench) -> datetime:
    return bench.call("OR30").sent_at


def test_a_history_with_a_pause_is_clean_and_what_waited_went_out_after_it(bench: Bench) -> None:
    (pause,) = bench.paused
    assert (pause.flow, pause.ended - pause.began) == ("edits", timedelta(seconds=605))
    assert pause.ended <= cut_at(bench) < pause.ended + timedelta(minutes=2)
    verdict = bench.judge()
    assert [str(finding) for finding in verdict.broken] == []
    assert [str(finding) for finding in verdict.bounded] == []
    assert verdict.checked["pause"] > 3
    assert verdict.counters["case flow_paused"] == 1


@pytest.mark.parametrize(
    ("flow", "before", "after", "found"),
    [
        ("edits", 300, 900, "broken"),
        ("edits", 61, 900, "broken"),
        # planned before the pause was known
        ("edits", 59, 900, "bounded"),
        # taken for over by a machine whose clock is ahead
        ("edits", 300, 359, "bounded"),
        ("edits", -1, 900, ""),
        ("edits", 300, -1, ""),
        ("shipping", 300, 900, ""),
    ],
)
def test_a_call_of_a_flow_that_was_paused(
    bench: Bench, flow: str, before: int, after: int, found: str
) -> None:
    at, pause = cut_at(bench), bench.paused[0]
    began, ended = at - timedelta(seconds=before), at + timedelta(seconds=after)
    if flow == "shipping":
        # Nothing was shipped in that time, and the cut is no business of shipping.
        ended = min(ended, bench.call("OR23").sent_at - timedelta(seconds=1))
    bench.paused.append(FlowPaused(pause.connection_id, flow, began, ended))
    verdict = bench.judge()
    assert ("pause" in {finding.invariant for finding in verdict.broken}) == (found == "broken")
    assert ("pause" in {finding.invariant for finding in verdict.bounded}) == (found == "bounded")


def test_the_pause_of_another_connection_stops_nothing_here(bench: Bench) -> None:
    at, pause = cut_at(bench), bench.paused[0]
    began, ended = at - timedelta(seconds=300), at + timedelta(seconds=900)
    bench.paused.append(FlowPaused(pause.connection_id + 1, "edits", began, ended))
    assert bench.broken() == set()


def test_i24_a_case_about_a_pause_is_closed_when_the_pause_is_over(bench: Bench) -> None:
    now = bench.world.clock.now()
    a_case(bench, "flow_paused", now - timedelta(minutes=20), subject="edits")
    assert bench.broken() == {"I24"}
    paused = replace(bench.paused[0], began=now - timedelta(minutes=20), ended=now + timedelta(minutes=1))
    bench.paused.append(paused)
    assert bench.broken() == set()


def test_the_judge_knows_every_operation_of_a_flow() -> None:

    kinds = {kind.__name__: kind for kind in get_args(Action)}
    for name, kind in kinds.items():
        assert flow_of(kind.__new__(kind)) == FLOW_OF.get(name), name
    assert FLOW_OF.keys() - kinds.keys() == {PublishStock.__name__}  # of a connection, and of no order


def test_about_every_tenth_history_has_pauses_and_no_seed_that_was_committed_before() -> None:
    assert 35 <= sum(are_set(seed) for seed in range(600)) <= 80
    assert [seed for seed in regressions()[:BEFORE_PAUSES] if are_set(seed)] == []


def test_stock_is_paused_in_some_histories_and_in_none_that_was_committed_before() -> None:
    assert 10 <= sum(of_stock_are_set(seed) for seed in range(600)) <= 35
    assert [seed for seed in regressions()[:BEFORE_PAUSES_OF_STOCK] if of_stock_are_set(seed)] == []
