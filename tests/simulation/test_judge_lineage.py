"""I1 over a lineage, with planted evidence: an order that an app replaced, and one that an app copied and left alive."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from interlock.rehearsal.judging.closings import i21_cases_close_on_evidence
from interlock.rehearsal.judging.rest import i24_no_case_outlives_its_reason
from interlock.rehearsal.judging.truth import truths
from interlock.rehearsal.judging.verdict import Verdict
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE
from interlock.simulator.shopify.state import Order
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from tests.simulation.bench import NAME, PROFILE, RULES, Bench, a_case, put_back
from tests.simulation.living import lived


async def _an_hour_with_a_copy(database: Database, original_is_cancelled: bool) -> World:
    """One order of three units, released; an app copies it with its numbers and cancels the original, or leaves it. What
    took over is labelled."""
    plan = WorldPlan(seed=7, marketplaces=(PROFILE,), rules=RULES, processes=1)
    world = World(plan, database, Keyring([new_key()]))
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    world.mirakl[NAME].create_generated(lines=1, quantities=[3])
    await asyncio.sleep(900)
    original = next(iter(world.shopify.shop.orders.values()))
    world.shopify.replace_order(original, cancel=original_is_cancelled, copy_attributes=True)
    await asyncio.sleep(900)
    if original_is_cancelled:
        _, copy = world.shopify.shop.orders.values()
        assert world.shopify.pick(copy, company="DHL Express", number="PARCEL1") is not None
    await asyncio.sleep(2700)
    await world.stop()
    return world


@pytest.fixture(scope="module")
def world_of_a_replacement(server: ThrowawayServer) -> Iterator[World]:
    with lived(server, 7, partial(_an_hour_with_a_copy, original_is_cancelled=True)) as told:
        yield told


@pytest.fixture(scope="module")
def world_of_two(server: ThrowawayServer) -> Iterator[World]:
    with lived(server, 7, partial(_an_hour_with_a_copy, original_is_cancelled=False)) as told:
        yield told


@pytest.fixture
def replaced(world_of_a_replacement: World) -> Iterator[Bench]:
    with put_back(world_of_a_replacement), world_of_a_replacement.database.engine.connect() as connection:
        yield Bench(world_of_a_replacement, connection)
        connection.rollback()


@pytest.fixture
def doubted(world_of_two: World) -> Iterator[Bench]:
    with put_back(world_of_two), world_of_two.database.engine.connect() as connection:
        yield Bench(world_of_two, connection)
        connection.rollback()


def both(bench: Bench) -> tuple[Order, Order]:
    """The original and its copy."""
    first, second = bench.world.shopify.shop.orders.values()
    return first, second


def effects_of(bench: Bench, order: Order, kind: str) -> list[int]:
    """Positions in Shopify's log."""
    log = bench.world.shopify.record.effects
    return [index for index, effect in enumerate(log) if (effect.kind, effect.order_id) == (kind, order.gid)]


def take_out(bench: Bench, order: Order, *kinds: str) -> None:
    log = bench.world.shopify.record.effects
    log[:] = [effect for effect in log if not (effect.order_id == order.gid and effect.kind in kinds)]


# -- what holds --------------------------------------------------------------------------------------------


def test_a_replacement_that_took_over_and_shipped_is_clean(replaced: Bench) -> None:
    verdict = replaced.judge()
    assert [str(finding) for finding in verdict.broken] == []
    assert verdict.counters["taken over by itself"] == 1
    assert replaced.order.state == "SHIPPED"


def test_two_that_are_held_and_asked_about_are_clean(doubted: Bench) -> None:
    verdict = doubted.judge()
    assert [str(finding) for finding in verdict.broken] == []
    assert verdict.checked["I1 held"]
    assert verdict.checked["I1 second"]


# -- what is planted ---------------------------------------------------------------------------------------


def test_i1_a_label_for_the_order_that_was_replaced(replaced: Bench) -> None:
    original, copy = both(replaced)
    log = replaced.world.shopify.record.effects
    label = log[effects_of(replaced, copy, "fulfillment_created")[0]]
    log.append(replace(label, order_id=original.gid, detail={**label.detail, "fulfillment": "another"}))
    assert "I1" in replaced.broken()


def test_i1_an_order_that_was_replaced_and_lives(replaced: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    original, _ = both(replaced)
    monkeypatch.setattr(original, "cancelled_at", None)
    assert "I1" in replaced.broken()


@pytest.mark.parametrize("which", [0, 1], ids=["the original", "the copy"])
def test_i1_one_of_two_that_was_not_held(doubted: Bench, which: int) -> None:
    order = both(doubted)[which]
    assert effects_of(doubted, order, "hold_placed")
    take_out(doubted, order, "hold_placed", "hold_released")
    assert "I1" in doubted.broken()


def test_i1_a_label_for_one_of_two(doubted: Bench) -> None:
    _, copy = both(doubted)
    [parcel] = copy.fulfillment_orders
    [held] = effects_of(doubted, copy, "hold_placed")
    log = doubted.world.shopify.record.effects
    log.append(
        replace(
            log[held],
            kind="fulfillment_created",
            actor="picker",
            at=log[held].at + timedelta(minutes=5),
            detail={"fulfillment": "planted", "fulfillment_order": parcel.gid, "lines": []},
        )
    )
    assert "I1" in doubted.broken()


def test_i1_a_second_live_order_of_which_no_case_tells(doubted: Bench) -> None:
    doubted.sql("UPDATE cases SET reason = 'tracking_missing' WHERE reason = 'original_not_cancelled'")
    assert "I1" in doubted.broken()


def _ended_by_us(bench: Bench) -> None:
    """Our own cancelation of the whole marketplace order, ten minutes after the copy was known."""
    _, copy = both(bench)
    bench.sql("UPDATE operations SET kind = 'CancelMiraklOrder' WHERE kind = 'SetSellerReference'")
    row = bench.connection.exec_driver_sql(
        "SELECT id, epoch FROM operations WHERE kind = 'CancelMiraklOrder'"
    ).one()
    line = bench.order.lines[0]
    created = bench.effects("created")[0]
    bench.happen(
        created,
        kind="cancelation",
        actor="api:shop",
        at=copy.created_at + timedelta(minutes=10),
        reference=f"{row.id}.1.{row.epoch}",
        detail={
            "id": "planted",
            "line": line.id,
            "quantity": line.quantity,
            "amount": line.ordered.product,
            "shipping_amount": line.ordered.shipping,
            "amount_with_tax": line.ordered.product_with_tax,
            "shipping_amount_with_tax": line.ordered.shipping_with_tax,
        },
    )


def test_i1_a_sale_that_was_ended_although_a_copy_lives(doubted: Bench) -> None:
    _ended_by_us(doubted)
    told = [f for f in doubted.judge().broken if f.invariant == "I1"]
    assert any("carries its number and lives" in finding.sentence for finding in told)


def test_i1_a_person_may_end_it(doubted: Bench) -> None:
    _ended_by_us(doubted)
    doubted.sql(
        "INSERT INTO answers (order_id, reason, subject, option, who, why, at) "
        "SELECT id, 'edit_cannot_be_expressed', 'order', 'cancel_at_marketplace', 'Ada', 'as agreed', :at FROM orders",
        at=both(doubted)[1].created_at,
    )
    told = [f for f in doubted.judge().broken if f.invariant == "I1"]
    assert not any("carries its number and lives" in finding.sentence for finding in told)


@pytest.mark.parametrize("another", [True, False])
def test_i21_the_question_about_one_order_is_over_when_another_took_over(
    replaced: Bench, another: bool
) -> None:
    """The copy was asked about; then it is not the copy that stands, but another order, or the first one still."""
    (truth,) = truths(replaced.evidence())
    began, (taken_over, copy) = truth.linked[0], truth.linked[1]
    opened, closed = taken_over - timedelta(seconds=1), taken_over + timedelta(seconds=1)
    a_case(replaced, "possible_successor", opened, subject=copy, closed_at=closed)
    evidence = replaced.evidence()
    (truth,) = truths(evidence)
    truth.linked = (began, (taken_over, "gid://shopify/Order/9")) if another else (began,)
    verdict = Verdict()
    i21_cases_close_on_evidence(evidence, truth, verdict)
    assert verdict.checked["I21 closed"] > 0
    assert bool(verdict.broken) is not another


@pytest.mark.parametrize(("which", "broken"), [(0, True), (1, False)], ids=["the original", "the copy"])
def test_i24_the_parcel_of_a_copy_is_one_to_hold_whatever_became_of_the_original(
    doubted: Bench, which: int, broken: bool
) -> None:
    original, copy = both(doubted)
    [parcel] = both(doubted)[which].fulfillment_orders
    a_case(doubted, "cannot_hold", copy.created_at, subject=parcel.gid)
    evidence = doubted.evidence()
    (truth,) = truths(evidence)
    assert truth.last.gid == original.gid
    truth.moments[-1] = replace(truth.last, live=False)
    verdict = Verdict()
    i24_no_case_outlives_its_reason(evidence, truth, verdict)
    assert verdict.checked["I24"] > 0
    assert any("cannot_hold" in str(finding) for finding in verdict.broken) is broken
