"""I4 and I15 where parcels are told of one by one: what is right passes, and every planted breach is found."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.orders.connection import ConnectionRules
from interlock.rehearsal import late_numbers
from interlock.rehearsal.history import draw_plan
from interlock.rehearsal.judging.parcels import (
    i15_a_shipped_order_has_its_number,
    i15_every_parcel_is_told_of,
)
from interlock.rehearsal.judging.truth import truths
from interlock.rehearsal.judging.verdict import Verdict
from interlock.rehearsal.parcels import ONE_BY_ONE, WHOLE_ORDERS, are_busy, stream, unheard
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE, PROFILES
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer
from tests.simulation.bench import NAME, Bench, a_case, put_back
from tests.simulation.living import lived

PROFILE = PROFILES["all-or-nothing"].changed(
    {"name": NAME, "debit_request_delay": 10.0, "debit_delay": 60.0, "multi_shipment": True}
)
RULES = ConnectionRules(NAME, f"interlock:{NAME}")


async def _two_parcels(database: Database) -> World:
    """One paid order of three units: two leave, their number is corrected, then the last one leaves."""
    plan = WorldPlan(seed=7, marketplaces=(PROFILE,), rules=RULES, processes=1)
    world = World(plan, database, Keyring([new_key()]))
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    world.mirakl[NAME].create_generated(lines=1, quantities=[3])
    await asyncio.sleep(900)
    (order,) = world.shopify.shop.orders.values()
    (parcel,) = order.fulfillment_orders
    first = world.shopify.fulfill(parcel, company="UPS", number="ONE", units=[(order.lines[0].gid, 2)])
    await asyncio.sleep(600)
    world.shopify.update_tracking(first, company="UPS", number="ONE-RIGHT")
    await asyncio.sleep(600)
    world.shopify.fulfill(parcel, company="dpd", number="TWO")
    await asyncio.sleep(2700)
    await world.stop()
    return world


@pytest.fixture(scope="module")
def sent(server: ThrowawayServer) -> Iterator[World]:
    with lived(server, 7, _two_parcels) as told:
        yield told


@pytest.fixture
def bench(sent: World) -> Iterator[Bench]:
    (order,) = sent.mirakl[NAME].orders.values()
    before = [(one, one.status, one.tracking_number) for one in order.shipments]
    state = order.state
    with put_back(sent), sent.database.engine.connect() as connection:
        yield Bench(sent, connection)
        connection.rollback()
    order.state = state
    for shipment, status, number in before:
        shipment.status, shipment.tracking_number = status, number


def test_two_parcels_that_were_told_of_once_each_are_right(bench: Bench) -> None:
    verdict = bench.judge()

    assert [str(finding) for finding in verdict.broken] == []
    assert verdict.checked["I4 parcels"] == 2
    assert verdict.checked["I15 parcels"] == 1
    assert verdict.checked["I15 tracking"] == 2
    assert verdict.counters["parcel told by Interlock"] == 2
    assert verdict.counters["shipment's tracking sent by Interlock"] == 1
    assert verdict.counters["order told of in several parcels"] == 1
    assert bench.order.state == "SHIPPED"


def test_i4_a_parcel_told_of_before_it_left(bench: Bench) -> None:
    shipped = bench.effects("shipment_shipped", ours=True)[1]
    label = bench.effects("fulfillment_created")[1]
    bench.unhappen(shipped)
    bench.happen(shipped, at=label.at - timedelta(seconds=90))

    assert "I4" in bench.broken()


def test_i4_a_parcel_told_of_twice(bench: Bench) -> None:
    shipped = bench.effects("shipment_shipped", ours=True)[1]
    bench.happen(shipped, at=shipped.at + timedelta(minutes=5), detail={"shipment": "another"})

    assert "I4" in bench.broken()


def test_i4_a_cancelled_unit_told_of(bench: Bench) -> None:
    shipped = bench.effects("shipment_shipped", ours=True)[1]
    line = bench.order.lines[0]
    cancelation = {
        "line": line.id,
        "quantity": 1,
        "amount": line.ordered.product / 3,
        "shipping_amount": line.ordered.shipping,
        "amount_with_tax": line.ordered.product_with_tax / 3,
        "shipping_amount_with_tax": line.ordered.shipping_with_tax,
        "id": "1",
        "by": "operator",
    }
    at = shipped.at - timedelta(minutes=10)
    bench.happen(shipped, kind="cancelation", actor="operator", at=at, detail=cancelation)

    assert "I4" in bench.broken()


def test_i4_what_changed_a_moment_before_is_bounded(bench: Bench) -> None:
    """Somebody told of the same unit in the portal while our call was on its way."""
    shipped = bench.effects("shipment_shipped", ours=True)[1]
    bench.happen(
        shipped,
        actor="staff",
        at=shipped.at - timedelta(seconds=5),
        detail={"marker": None, "shipment": "portal"},
    )

    verdict = bench.judge()
    assert [finding.invariant for finding in verdict.bounded] == ["I4"]
    assert verdict.broken == []


def test_i15_a_parcel_nobody_was_told_of(bench: Bench) -> None:
    bench.order.shipments[1].status = "CANCELED"
    state = next(effect for effect in bench.effects("state") if effect.detail["to"] == "SHIPPED")
    bench.unhappen(state)
    bench.order.state = "SHIPPING"

    assert "I15" in bench.broken()


@pytest.mark.parametrize(("waits", "broken"), [(True, set()), (False, {"I15"})])
def test_i15_what_a_person_decided_to_ship_as_edited_is_told_of_with_its_last_parcel(
    bench: Bench, waits: bool, broken: set[str]
) -> None:
    bench.order.shipments[1].status = "CANCELED"
    state = next(effect for effect in bench.effects("state") if effect.detail["to"] == "SHIPPED")
    bench.unhappen(state)
    bench.order.state = "SHIPPING"
    evidence = bench.evidence()
    (truth,) = truths(evidence)
    more = {gid: units + waits for gid, units in truth.last.own.items()}
    truth.moments[-1] = replace(truth.last, as_decided=True, all_to_come=sum(more.values()))
    verdict = Verdict()

    i15_every_parcel_is_told_of(evidence, truth, verdict)

    assert {finding.invariant for finding in verdict.broken} == broken


def test_i15_a_number_that_was_never_corrected(bench: Bench) -> None:
    bench.order.shipments[0].tracking_number = "ONE"

    assert bench.broken() == {"I15"}


def test_i15_no_number_is_missing_of_a_label_that_was_given_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.order.shipments[0].tracking_number = "ONE"
    (order,) = bench.world.shopify.shop.orders.values()
    monkeypatch.setattr(order.fulfillments[0], "display_status", "LABEL_VOIDED")

    assert not [f for f in bench.judge().broken if "another tracking number" in f.sentence]


def test_i15_an_open_case_explains_it(bench: Bench) -> None:
    bench.order.shipments[0].tracking_number = "ONE"
    a_case(bench, "tracking_not_corrected", bench.world.clock.now() - timedelta(minutes=5))

    assert "I15" not in bench.broken()


@pytest.mark.parametrize(
    ("shown", "of", "asked", "checked", "broken"),
    [
        pytest.param("ONE-RIGHT", None, False, 1, True, id="the dead number stays"),
        pytest.param("ONE-RIGHT", None, True, 0, False, id="a case is open"),
        pytest.param("TWO", None, False, 1, False, id="the number of what left anew"),
        pytest.param("ONE-RIGHT", "", False, 0, False, id="another shipment was made in the portal"),
    ],
)
def test_i15_units_of_a_cancelled_parcel_that_left_anew(
    bench: Bench,
    monkeypatch: pytest.MonkeyPatch,
    shown: str,
    of: str | None,
    asked: bool,
    checked: int,
    broken: bool,
) -> None:
    """The first parcel was cancelled after it was told of, and its units are in those that left."""
    (order,) = bench.world.shopify.shop.orders.values()
    monkeypatch.setattr(order.fulfillments[0], "status", "CANCELLED")
    bench.order.shipments[0].tracking_number = shown
    if of is not None:
        monkeypatch.setattr(bench.order.shipments[1], "invoice_reference", of)
    if asked:
        a_case(bench, "tracking_not_corrected", bench.world.clock.now() - timedelta(minutes=5))

    verdict = bench.judge()

    assert verdict.checked["I15 left anew"] == checked
    assert any("leads nowhere" in finding.sentence for finding in verdict.broken) is broken


# -- whole orders ------------------------------------------------------------------------------------------------

WHOLE = PROFILES["all-or-nothing"].changed(
    {
        "name": NAME,
        "debit_request_delay": 10.0,
        "debit_delay": 60.0,
        "shipping_types": [
            {
                "code": "STD",
                "label": "Standard",
                "standard_code": "CU_ADD-STD",
                "mandatory_tracking": False,
            }
        ],
    }
)


async def _a_late_number(database: Database) -> World:
    """One paid order that leaves without a number, which lands ten minutes after the dispatch was told."""
    world = World(
        WorldPlan(seed=7, marketplaces=(WHOLE,), rules=RULES, processes=1), database, Keyring([new_key()])
    )
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    world.mirakl[NAME].switches.set("or23_after_shipped", "allowed")
    world.mirakl[NAME].create_generated(lines=1, quantities=[1])
    await asyncio.sleep(900)
    (order,) = world.shopify.shop.orders.values()
    (parcel,) = order.fulfillment_orders
    left = world.shopify.fulfill(parcel, company=None, number=None)
    await asyncio.sleep(600)
    world.shopify.update_tracking(left, company="UPS", number="LATE")
    await asyncio.sleep(2700)
    await world.stop()
    return world


@pytest.fixture(scope="module")
def late(server: ThrowawayServer) -> Iterator[World]:
    with lived(server, 7, _a_late_number) as told:
        yield told


@pytest.fixture
def whole(late: World) -> Iterator[Bench]:
    (order,) = late.mirakl[NAME].orders.values()
    (shown,) = late.shopify.shop.orders.values()
    (parcel,) = shown.fulfillments
    before = (order.state, order.tracking_number, parcel.tracking)
    with put_back(late), late.database.engine.connect() as connection:
        yield Bench(late, connection)
        connection.rollback()
    order.state, order.tracking_number, parcel.tracking = before


def test_a_number_that_was_told_after_the_dispatch_is_right(whole: Bench) -> None:
    verdict = whole.judge()

    assert (whole.order.state, whole.order.tracking_number) == ("SHIPPED", "LATE")
    assert [str(finding) for finding in verdict.broken] == []
    assert verdict.checked["I15 number"] == 1
    assert verdict.counters["number told after the dispatch"] == 1
    assert verdict.counters["order's tracking corrected by Interlock"] == 0


@pytest.mark.parametrize(
    ("shown", "company", "broken"),
    [
        pytest.param(None, "UPS", True, id="it never got there"),
        pytest.param("OTHER", "UPS", True, id="another one is there"),
        pytest.param(None, None, True, id="it has no carrier, and nobody knows"),
        pytest.param("OTHER", None, False, id="somebody gave one in the portal"),
        pytest.param("LATE", None, False, id="it is there"),
    ],
)
@pytest.mark.parametrize("asked", [False, True])
def test_i15_a_shipped_order_without_its_number(
    whole: Bench, shown: str | None, company: str | None, broken: bool, asked: bool
) -> None:
    whole.order.tracking_number = shown
    (order,) = whole.world.shopify.shop.orders.values()
    order.fulfillments[0].tracking = [replace(order.fulfillments[0].tracking[0], company=company)]
    if asked:
        a_case(whole, "tracking_not_corrected", whole.world.clock.now() - timedelta(minutes=5))

    found = [finding for finding in whole.judge().broken if "another tracking number" in finding.sentence]

    assert bool(found) is (broken and not asked)


@pytest.mark.parametrize(("shown", "broken"), [("NEXT", False), ("GONE", True)])
def test_i15_the_number_of_a_label_made_after_one_was_given_back_is_a_parcels_too(
    whole: Bench, shown: str, broken: bool
) -> None:
    made, parcel = whole.effects("fulfillment_created")[0], "gid://shopify/Fulfillment/77"
    for seconds, kind, detail in (
        (1, "fulfillment_created", {"lines": [], "tracking": [("DHL", "GONE")]}),
        (2, "display_status_changed", {"display_status": "LABEL_VOIDED"}),
        (3, "tracking_updated", {"tracking": [("DHL", "NEXT")]}),
    ):
        at = made.at + timedelta(seconds=seconds)
        whole.happen(replace(made, detail={}), kind=kind, at=at, detail={"fulfillment": parcel, **detail})
    whole.order.tracking_number = shown

    found = [finding for finding in whole.judge().broken if "another tracking number" in finding.sentence]
    assert bool(found) is broken


@pytest.mark.parametrize(("ago", "broken"), [(30, False), (600, True)])
def test_i15_a_number_that_was_sent_again_a_moment_ago_may_be_refused_again(
    whole: Bench, ago: int, broken: bool
) -> None:
    whole.order.tracking_number = None
    now = whole.world.clock.now()
    closed_at = now - timedelta(seconds=ago)
    a_case(whole, "tracking_not_corrected", now - timedelta(minutes=30), closed_at=closed_at)

    found = [finding for finding in whole.judge().broken if "another tracking number" in finding.sentence]
    assert bool(found) is broken


def test_i15_an_order_the_customer_has_needs_no_number(whole: Bench) -> None:
    whole.order.tracking_number = None
    evidence = whole.evidence()
    (truth,) = truths(evidence)
    truth.moments[-1] = replace(truth.last, state="RECEIVED")
    verdict = Verdict()

    i15_a_shipped_order_has_its_number(evidence, truth, verdict)

    assert (verdict.broken, verdict.checked["I15 number"]) == ([], 0)


def test_numbers_come_late_in_every_eighth_history() -> None:
    drawn = [seed for seed in range(1000) if late_numbers.are_drawn(seed)]

    assert 90 < len(drawn) < 170
    assert all((late_numbers.leaves_without(seed) is not None) is (seed in drawn) for seed in range(200))


def test_a_history_without_it_draws_what_it_always_drew() -> None:
    """The choice is made from a stream of its own: plan and profile of other seeds are untouched."""
    drawn = [seed for seed in range(400) if ONE_BY_ONE[0] <= stream(seed).random() < ONE_BY_ONE[1]]
    whole = [seed for seed in range(400) if WHOLE_ORDERS[0] <= stream(seed).random() < WHOLE_ORDERS[1]]

    assert 30 < len(drawn) < 90
    assert all(draw_plan(seed).marketplaces[0].multi_shipment for seed in drawn[:5])
    assert not any(draw_plan(seed).marketplaces[0].multi_shipment for seed in whole[:5])
    assert all(are_busy(seed) for seed in (*drawn, *whole))
    assert sum(are_busy(seed) for seed in range(400)) == len(drawn) + len(whole)


def test_the_first_shipment_of_some_histories_is_made_unheard() -> None:
    drawn = [seed for seed in range(400) if unheard(seed)]
    assert 5 < len(drawn) < 25
    for seed in drawn[:3]:
        plan = draw_plan(seed)
        assert plan.marketplaces[0].multi_shipment
        assert [operation for operation, _ in plan.mirakl_faults.armed].count("ST01") == 1
