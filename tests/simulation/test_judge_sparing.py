"""The judge knows what an open breaker means: planted calls beyond five a minute are found, and what may go out is not."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from interlock.rehearsal.faults import SeededFaults, none
from interlock.rehearsal.judge import Interruption
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE
from interlock.simulator.record import Call
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from tests.engine.bench import Broken
from tests.simulation.bench import NAME, PROFILE, RULES, Bench, put_back
from tests.simulation.living import lived

SECOND = timedelta(seconds=1)
AWAY_SECONDS = 600


async def _the_shop_is_away(database: Database) -> World:
    """Two orders are imported and agreed; then the shop answers nothing for ten minutes while both are edited."""
    away: SeededFaults = Broken("*", "server_error")
    plan = WorldPlan(
        seed=7, marketplaces=(PROFILE,), rules=RULES, processes=2, shopify_faults=away, mirakl_faults=none()
    )
    world = World(plan, database, Keyring([new_key()]))
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    for _ in range(2):
        world.mirakl[NAME].create_generated(lines=1, quantities=[3])
    await asyncio.sleep(1500)
    away.active = True
    for order in world.shopify.shop.orders.values():
        world.shopify.set_quantity(order, 0, 2)
    await asyncio.sleep(AWAY_SECONDS)
    away.active = False
    await asyncio.sleep(3600)
    await world.stop()
    return world


@pytest.fixture(scope="module")
def finished(server: ThrowawayServer) -> Iterator[World]:
    """The history, lived once for all tests of this file."""
    with lived(server, 7, _the_shop_is_away) as world:
        yield world


@pytest.fixture
def bench(finished: World) -> Iterator[Bench]:
    with put_back(finished), finished.database.engine.connect() as connection:
        yield Bench(finished, connection)
        connection.rollback()


def shop_calls(bench: Bench) -> list[Call]:
    return bench.world.shopify.record.calls


def failed(bench: Bench) -> list[Call]:
    return [call for call in shop_calls(bench) if call.fault == "server_error"]


def dark_at(bench: Bench) -> datetime:
    """Five minutes into the time in which nothing is answered."""
    return failed(bench)[0].at + timedelta(minutes=5)


def said(bench: Bench) -> list[str]:
    return [finding.sentence for finding in bench.judge().broken if "besides acceptances" in finding.sentence]


def plant(bench: Bench, operation: str, number: int, **changes: object) -> None:
    """So many calls more of one operation, a second apart, none of them answered."""
    like = failed(bench)[-1]
    for index in range(number):
        at = dark_at(bench) + index * SECOND
        planted = replace(like, at=at, ended_at=at, operation=operation, reference=None)
        shop_calls(bench).append(replace(planted, **changes))  # type: ignore[arg-type]


def test_a_shop_that_fails_is_left_alone_and_its_breaker_opens_and_closes_once(bench: Bench) -> None:
    verdict = bench.judge()
    assert [str(finding) for finding in verdict.broken] == []
    assert verdict.checked["I14 spared"] > 5
    assert (verdict.counters["breaker opened"], verdict.counters["breaker closed"]) == (1, 1)
    began = failed(bench)[0].at
    later = [call for call in failed(bench) if call.at > began + timedelta(minutes=1)]
    assert 0 < len(later) <= 5 * 9


@pytest.mark.parametrize("operation", ["orders", "order", "currentAppInstallation"])
def test_more_than_five_calls_a_minute_are_found(bench: Bench, operation: str) -> None:
    plant(bench, operation, 6)
    assert len(said(bench)) == 1


def test_five_calls_a_minute_are_probes(bench: Bench) -> None:
    calls = shop_calls(bench)
    calls[:] = [call for call in calls if abs(call.at - dark_at(bench)) > timedelta(minutes=1)]
    plant(bench, "orders", 5)
    assert said(bench) == []


@pytest.mark.parametrize("operation", ["shop+productVariants", "draftOrder", "orderByIdentifier"])
def test_reads_for_an_acceptance_go_out_however_many_they_are(bench: Bench, operation: str) -> None:
    plant(bench, operation, 60)
    assert said(bench) == []


def test_reads_of_an_order_go_out_while_one_may_wait_for_its_acceptance(bench: Bench) -> None:
    bench.world.mirakl[NAME].record.effects[:] = [
        effect
        for effect in bench.world.mirakl[NAME].record.effects
        if not (effect.kind == "state" and effect.detail["from"] == "WAITING_ACCEPTANCE")
    ]
    for order in bench.mirakl.orders.values():
        order.state = "WAITING_ACCEPTANCE"
    plant(bench, "order", 60)
    assert said(bench) == []


def test_writes_count_by_the_lane_of_their_ledger_row(bench: Bench) -> None:
    kinds = {row.kind: row for row in bench.evidence().operations}
    plant(bench, "fulfillmentOrderHold", 60, reference=f"{kinds['PlaceHold'].id}.1.1")
    assert said(bench) == []
    plant(bench, "orderUpdate", 6, reference=f"{kinds['CancelQuantities'].id}.1.1")
    assert said(bench) != []


def test_one_answer_ends_it(bench: Bench) -> None:
    plant(bench, "orders", 60)
    assert said(bench) != []
    for index in range(20):
        at = dark_at(bench) + (3 * index + 0.5) * SECOND
        answered = replace(failed(bench)[0], at=at, ended_at=at, fault=None, status=200, operation="orders")
        shop_calls(bench).append(answered)
    assert said(bench) == []


def test_what_a_worker_that_stood_still_sends_late_is_bounded(bench: Bench) -> None:
    plant(bench, "orders", 8)
    at = dark_at(bench)
    bench.interruptions.append(Interruption("frozen", at - 60 * SECOND, at - SECOND))
    assert said(bench) == []
    assert any("besides acceptances" in finding.sentence for finding in bench.judge().bounded)
