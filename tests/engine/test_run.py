"""One run of one order: what it does at once, what it keeps, and what it leaves alone."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from interlock.engine.budgets import SharedBudget
from interlock.engine.ledger import operations
from interlock.engine.store import connections
from interlock.engine.sweeps import wake_due, watch_acceptance
from interlock.orders.actions import Lane
from interlock.orders.changes import History
from interlock.orders.codec import decode
from interlock.orders.reasons import Reason
from interlock.orders.store import EMPTY_MEMORY, hour_of, kin_of, orders, plans
from interlock.orders.view import View
from interlock.simulator.faults import Fault
from interlock.simulator.shopify.state import Order
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.switches import Switches
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.databases import empty
from tests.engine.bench import Bench, Broken, on_bench, virtually

MINUTE = timedelta(minutes=1)


async def _released(bench: Bench) -> tuple[int, Order]:
    """An order of a marketplace that accepts by itself, imported, agreed and free to ship."""
    order_id = await bench.import_one()
    await bench.look(order_id)
    for _ in range(3):
        await bench.sleep(130)
        await bench.desk.work()
        await bench.look(order_id)
    (order,) = bench.world.shopify.shop.orders.values()
    assert [hold for item in order.fulfillment_orders for hold in item.holds] == []
    assert "it may move" in bench.story(order_id)
    return order_id, order


def test_an_edit_is_held_on_sight_though_the_marketplace_cannot_be_read(
    database: Database, keyring: Keyring
) -> None:
    away = Broken("*", "refused_before")

    async def edits() -> None:
        async with on_bench(database, keyring, "automatic", mirakl_faults=away) as bench:
            order_id, order = await _released(bench)
            away.active = True
            bench.world.shopify.set_quantity(order, "MUG-BLUE", 1)
            holds = bench.calls("fulfillmentOrderHold")
            seen = len(bench.marketplace.record.calls)
            await bench.look(order_id)
            assert all(item.status == "ON_HOLD" for item in order.fulfillment_orders if item.open)
            assert bench.calls("fulfillmentOrderHold") == holds + 1
            assert len(bench.marketplace.record.calls) == seen
            await bench.sleep(61)  # the quiet period: only then is the marketplace's side wanted
            await bench.look(order_id)
            assert bench.row(order_id).mirakl_wanted_since is not None

    virtually(edits)


def test_the_acceptance_and_the_hold_do_not_wait_for_each_other(database: Database, keyring: Keyring) -> None:
    for slow in ("OR21", "fulfillmentOrderHold"):
        trouble = Broken(slow, "slow", seconds=8.0)

        async def imports(trouble: Broken = trouble) -> list[float]:
            both = on_bench(database, keyring, mirakl_faults=trouble, shopify_faults=trouble)
            async with both as bench:
                order_id = await bench.import_one()
                trouble.active = True
                await bench.look(order_id)
                effects = [*bench.marketplace.record.effects, *bench.world.shopify.record.effects]
                return [
                    next(e.at for e in effects if e.kind == kind).timestamp()
                    for kind in ("order_created", "accepted", "hold_placed")
                ]

        empty(database)
        created, accepted, held = virtually(imports)
        quick, late = sorted((accepted, held))
        assert quick - created < 1
        assert 8 <= late - created < 9
        assert (accepted > held) is (slow == "OR21")


def test_the_acceptance_is_retried_in_the_run_for_a_minute_and_then_left_to_the_watch(
    database: Database, keyring: Keyring
) -> None:
    trouble = Broken("OR21", "refused_before")

    async def imports() -> None:
        async with on_bench(database, keyring, mirakl_faults=trouble) as bench:
            order_id = await bench.import_one()
            trouble.active = True
            began = bench.world.service_clock.now()
            await bench.look(order_id)
            ended = bench.world.service_clock.now()
            assert 30 <= (ended - began).total_seconds() <= 61
            assert bench.calls("OR21") >= 5
            row = bench.row(order_id)
            assert row.lease_until is None
            assert ended < row.next_look_at <= ended + MINUTE
            trouble.active = False
            await bench.sleep((row.next_look_at - ended).total_seconds())
            assert await wake_due(bench.parts) == 1
            await bench.look(await bench.world.wakeups.next_order(True))
            (order,) = bench.marketplace.orders.values()
            assert order.acceptance_decision is not None

    virtually(imports)


def test_the_watchdog_takes_the_order_from_a_worker_that_is_stuck(
    database: Database, keyring: Keyring
) -> None:
    async def hangs() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            plans_kept: list[str] = []

            def freeze(name: str) -> bool:
                plans_kept.append(name)
                if name == "after_outcome:CompleteDraft":
                    bench.process.freeze()
                return False

            bench.world.crash_at = freeze
            stuck = asyncio.get_running_loop().create_task(bench.look(order_id))
            await bench.sleep(10)
            bench.world.crash_at = lambda name: False
            second = await Bench.made(bench.world, "worker-2")
            assert await watch_acceptance(second.parts) == 0
            await bench.sleep(70)
            assert bench.calls("OR21") == 0
            assert await watch_acceptance(second.parts) == 1
            (order,) = bench.marketplace.orders.values()
            assert order.acceptance_decision is not None
            bench.process.thaw()
            assert await stuck is False
            assert (bench.calls("OR21"), len(bench.world.shopify.shop.orders)) == (1, 1)
            assert bench.row(order_id).lease_until is None

    virtually(hangs)


def test_while_shopify_cannot_be_read_only_the_acceptance_is_sent(
    database: Database, keyring: Keyring
) -> None:
    refusing = Broken("OR21", "refused_before")
    away = Broken("*", "refused_before")

    async def imports() -> None:
        async with on_bench(database, keyring, mirakl_faults=refusing, shopify_faults=away) as bench:
            order_id = await bench.import_one()
            refusing.active = True
            await bench.look(order_id)
            bench.world.shopify.release_holds(next(iter(bench.world.shopify.shop.orders.values())))
            refusing.active, away.active = False, True
            await bench.sleep(31)
            with database.begin() as c:
                before = len(c.execute(select(operations.c.id)).all())
            await bench.look(order_id)
            (order,) = bench.marketplace.orders.values()
            assert order.acceptance_decision is not None
            with database.begin() as c:
                assert len(c.execute(select(operations.c.id)).all()) == before
            row = bench.row(order_id)
            assert row.next_look_at <= bench.world.service_clock.now() + MINUTE
            assert "Shopify cannot be read at the moment" in bench.story(order_id)

    virtually(imports)


def test_a_connection_that_is_not_live_sends_nothing_and_still_says_what_it_would_do(
    database: Database, keyring: Keyring
) -> None:
    async def imports() -> None:
        async with on_bench(database, keyring) as bench:
            with database.begin() as c:
                c.execute(update(connections).values(live=False))
            order_id = await bench.import_one()
            await bench.look(order_id)
            await bench.sleep(61)
            await bench.desk.work()
            shop = bench.world.shopify.shop
            assert (len(shop.drafts), len(shop.orders), bench.calls("OR21")) == (0, 0, 0)
            with database.begin() as c:
                assert c.execute(select(operations.c.id)).all() == []
            assert "A draft order with reserved stock is created" in bench.story(order_id)

    virtually(imports)


def test_an_order_that_was_written_to_in_twenty_runs_of_an_hour_is_parked_until_the_hour_is_over(
    database: Database, keyring: Keyring
) -> None:
    async def keeps_coming_back() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            hour = hour_of(bench.world.service_clock.now())
            with database.begin() as c:
                c.execute(update(orders).values(hour=hour, runs_in_hour=20))
            await bench.look(order_id)
            assert len(bench.world.shopify.shop.drafts) == 0
            (case,) = bench.open_cases()
            assert case.reason == Reason.TOO_MANY_CYCLES.value
            assert "in 20 runs within an hour" in case.sentence
            await bench.sleep(3601)
            await bench.look(order_id)
            assert len(bench.world.shopify.shop.orders) == 1
            assert bench.row(order_id).runs_in_hour == 1
            assert bench.open_cases() == []

    virtually(keeps_coming_back)


def test_a_run_counts_once_however_many_calls_it_makes_and_an_idle_run_not_at_all(
    database: Database, keyring: Keyring
) -> None:
    async def runs() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            await bench.look(order_id)
            assert bench.row(order_id).runs_in_hour == 1
            await bench.look(order_id)
            assert bench.row(order_id).runs_in_hour == 1

    virtually(runs)


def test_a_plan_is_kept_and_told_when_it_says_something_new_and_only_then(
    database: Database, keyring: Keyring
) -> None:
    away = Broken("*", "refused_before")

    async def runs() -> None:
        async with on_bench(database, keyring, shopify_faults=away) as bench:
            order_id = await bench.import_one()
            away.active = True
            for _ in range(5):
                await bench.look(order_id)
                await bench.sleep(31)
            with database.begin() as c:
                assert len(c.execute(select(plans.c.id)).all()) == 1
                viewed = c.execute(select(orders.c.last_view)).scalar_one()["now"]
            assert bench.story(order_id).count("Shopify cannot be read at the moment") == 1
            last_run = bench.world.service_clock.now() - timedelta(seconds=31)
            assert viewed == last_run.isoformat()

    virtually(runs)


def test_once_an_unclear_cancelation_is_settled_the_edit_that_waited_for_it_is_sent_in_the_same_run(
    database: Database, keyring: Keyring
) -> None:
    async def edits() -> None:
        async with on_bench(database, keyring, "automatic") as bench:
            order_id, order = await _released(bench)
            sold = order.lines[0].current_quantity
            bench.marketplace.armed.arm("OR30", Fault("server_error"), times=1)
            bench.world.shopify.set_quantity(order, "MUG-BLUE", sold - 1)
            for _ in range(2):
                await bench.look(order_id)
                await bench.sleep(61)
                await bench.desk.work()
            await bench.look(order_id)
            assert (bench.calls("OR30"), "answer is unclear" in bench.story(order_id)) == (1, True)
            bench.world.shopify.set_quantity(order, "MUG-BLUE", sold - 2)
            await bench.look(order_id)
            for _ in range(4):
                await bench.sleep(61)
                await bench.desk.work()
            await bench.look(order_id)
            assert bench.calls("OR30") == 2
            line = next(iter(bench.marketplace.orders.values())).lines[0]
            assert [part.quantity for part in line.cancelations] == [2]

    virtually(edits)


def test_hints_that_come_during_a_run_are_answered_by_another_one(
    database: Database, keyring: Keyring
) -> None:
    async def hinted() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            bench.world.wakeups.waiting.clear()

            def edit(name: str) -> bool:
                if name == "after_outcome:PlaceHold":
                    (order,) = bench.world.shopify.shop.orders.values()
                    bench.world.shopify.set_note(order, "Called.")
                return False

            bench.world.crash_at = edit
            await bench.look(order_id)
            await bench.sleep(5)
            assert bench.row(order_id).hints > 1
            assert [key for key, _ in bench.world.wakeups.waiting] == [order_id]

    virtually(hinted)


def test_two_workers_that_look_at_the_same_time_are_one(database: Database, keyring: Keyring) -> None:
    async def races() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            second = await Bench.made(bench.world, "worker-2")
            looked = await asyncio.gather(bench.look(order_id), second.look(order_id))
            assert sorted(looked) == [False, True]
            assert len(bench.world.shopify.shop.orders) == 1

    virtually(races)


def test_an_order_of_ours_that_was_made_twice_is_held_beside_the_first(
    database: Database, keyring: Keyring
) -> None:
    async def imports_again() -> None:
        switches = Switches(SHOPIFY_SWITCHES)
        switches.set("duplicate_marker_in_order_create", "order_left_behind")
        async with on_bench(database, keyring, route="order", shopify_switches=switches) as bench:
            order_id = await bench.import_one()
            await bench.look(order_id)
            with database.begin() as c:
                # The database forgets the creation before the marketplace was given the order's name.
                c.execute(delete(operations))
                c.execute(update(orders).values(memory=EMPTY_MEMORY, shopify_order_id=None))
            await bench.look(order_id)
            first, second = bench.world.shopify.shop.orders.values()
            assert bench.row(order_id).shopify_order_id == first.gid
            await bench.sleep(31)
            with database.begin() as c:
                assert kin_of(c, order_id) == (second.gid,)
            await bench.look(order_id)
            for order in (first, second):
                assert all(item.holds for item in order.fulfillment_orders if item.open)
            (case,) = bench.open_cases()
            assert (case.reason, case.subject) == (Reason.TWO_LIVE_ORDERS.value, second.gid)
            assert (first.cancelled_at, second.cancelled_at) == (None, None)
            bench.world.shopify.cancel_order(second)
            await bench.look(order_id)
            assert bench.open_cases() == []
            with database.begin() as c:
                assert kin_of(c, order_id) == ()

    virtually(imports_again)


# Who changed the order (Order.agreements)


def test_who_changed_the_order_is_read_once_per_change_told_and_kept(
    database: Database, keyring: Keyring
) -> None:
    async def edits() -> None:
        async with on_bench(database, keyring, "automatic") as bench:
            order_id, order = await _released(bench)
            assert bench.calls("currentAppInstallation+order") == 0
            bench.world.shopify.edit_natively(order, quantities=[("MUG-BLUE", 1)])
            await bench.look(order_id)
            await bench.look(order_id)
            assert bench.calls("currentAppInstallation+order") == 1
            assert bench.calls("shop+nodes") == 1
            history = decode(History, bench.row(order_id).history)
            assert [(change.kind, change.by) for change in history.changes] == [
                ("ORDER", "Interlock"),
                ("ORDER_EDIT", "Order Editing"),
            ]
            assert [price.currency for price in history.prices] == ["EUR", "EUR"]
            assert bench.told_by_others(order_id) == [
                ("Order Editing", "Edited the Shopify order: MUG-BLUE -2.")
            ]
            assert decode(View, bench.row(order_id).last_view).changes == history.changes

    virtually(edits)


def test_a_history_that_cannot_be_read_holds_nothing_up_and_is_read_later(
    database: Database, keyring: Keyring
) -> None:
    away = Broken("currentAppInstallation+order", "refused_before")

    async def edits() -> None:
        async with on_bench(database, keyring, "automatic", shopify_faults=away) as bench:
            order_id, order = await _released(bench)
            away.active = True
            bench.world.shopify.set_quantity(order, "MUG-BLUE", 1)
            await bench.look(order_id)
            assert all(item.status == "ON_HOLD" for item in order.fulfillment_orders if item.open)
            assert decode(History, bench.row(order_id).history).changes == ()
            assert bench.row(order_id).next_look_at <= bench.world.clock.now() + timedelta(seconds=20)
            away.active = False
            await bench.sleep(20)
            await bench.look(order_id)
            kinds = [change.by for change in decode(History, bench.row(order_id).history).changes]
            assert kinds == ["Interlock", "staff"]

    virtually(edits)


def test_an_edit_of_many_calls_may_take_longer_than_one_call_may_wait(
    database: Database, keyring: Keyring
) -> None:
    """An intent is sent within two seconds or not at all; an edit of several calls renews it before each of them."""
    slow = Broken("orderEditSetQuantity", "slow", seconds=1.5)

    async def mirrors() -> None:
        async with on_bench(database, keyring, "automatic", shopify_faults=slow) as bench:
            order_id, order = await _released(bench)
            mirakl_id = bench.row(order_id).mirakl_order_id
            for line in bench.marketplace.order(mirakl_id).lines:
                bench.marketplace.cancel_line(mirakl_id, line.id, quantity=1)
            slow.active = True
            for _ in range(4):
                await bench.sleep(61)
                await bench.desk.work()
                await bench.look(order_id)
            assert [line.current_quantity for line in order.lines] == [2, 0]
            assert (bench.calls("orderEditSetQuantity"), bench.calls("orderEditCommit")) == (2, 1)

    virtually(mirrors)


def test_an_order_that_waits_for_its_acceptance_or_was_never_seen_is_read_ahead_of_all_others(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lane decides how much of the shop's bucket a read leaves to others."""
    lanes: list[str] = []
    take = SharedBudget.take

    async def noted(budget: SharedBudget, operation: str, lane: Lane) -> float:
        if operation == "OrderSnapshot":
            lanes.append(lane)
        return await take(budget, operation, lane)

    monkeypatch.setattr(SharedBudget, "take", noted)

    async def story() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            await bench.look(order_id)
            assert lanes
            assert set(lanes) == {"acceptance"}
            await bench.sleep(61)
            await bench.desk.work()
            assert bench.marketplace.order(bench.row(order_id).mirakl_order_id).state != "WAITING_ACCEPTANCE"
            lanes.clear()
            await bench.look(order_id)
            assert lanes
            assert set(lanes) == {"edits"}

    virtually(story)
