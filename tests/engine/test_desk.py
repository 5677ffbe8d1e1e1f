"""The read desk loses nothing, whatever happens between two pages, and never believes half a page."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from interlock.engine.desk import MOST_KEPT_BYTES
from interlock.engine.ledger import digest_of, operations
from interlock.engine.store import unreadable
from interlock.inventory.store import stock_figures
from interlock.orders.actions import SetSellerReference
from interlock.orders.codec import encode
from interlock.orders.reasons import Reason
from interlock.orders.store import add_order, kept_document, orders
from interlock.rehearsal.processes import SimulatedCrash
from interlock.simulator.faults import Fault
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.engine.bench import Bench, on_bench, virtually

LATER = timedelta(seconds=60)


def test_a_crash_between_two_pages_loses_no_order_and_leaves_the_cursor(
    database: Database, keyring: Keyring
) -> None:
    async def crashes() -> None:
        async with on_bench(database, keyring, "automatic") as bench:
            for _ in range(130):
                bench.marketplace.create_generated(lines=1)
            await bench.desk.work()  # what waits for acceptance comes first, and nothing does
            before = bench.poll().cursor
            bench.world.crash_at = lambda name: name == "desk:page_recorded"
            await bench.sleep(61)
            with pytest.raises(SimulatedCrash):
                await bench.desk.work()
            assert 0 < bench.known() < 130
            assert bench.poll().cursor == before
            bench.world.crash_at = lambda name: False
            await bench.sleep(121)
            second = await Bench.made(bench.world, "worker-2")
            for _ in range(3):
                await second.desk.work()
                await bench.sleep(61)
            assert bench.known() == 130
            assert bench.poll().cursor > before

    virtually(crashes)


@pytest.mark.parametrize("kind", ["html", "truncated"])
def test_a_page_that_is_not_whole_moves_nothing_and_is_counted(
    database: Database, keyring: Keyring, kind: str
) -> None:
    async def fails() -> None:
        async with on_bench(database, keyring, "automatic") as bench:
            await bench.desk.work()
            bench.marketplace.create_generated(lines=1)
            before = bench.poll().cursor
            bench.marketplace.armed.arm("OR11", Fault(kind), times=20)
            await bench.sleep(61)
            due = await bench.desk.work()
            now = bench.world.service_clock.now()
            assert due is not None
            assert timedelta(0) < due - now <= LATER
            assert (bench.poll().cursor, bench.known(), bench.count("poll_failed")) == (before, 0, 1)
            assert bench.count("unreadable_page") == 1
            with database.begin() as c:
                (kept,) = c.execute(select(unreadable)).all()
            assert kept.source == "OR11"
            assert "cannot be read" in kept.problem
            body = keyring.decrypt(kept.body)
            assert body.startswith(b"<html" if kind == "html" else b"{")
            assert body not in kept.body
            for _ in range(4):
                await bench.sleep(61)
                await bench.desk.work()
            (case,) = bench.open_cases()
            assert (case.reason, case.subject) == (Reason.PLATFORM_REFUSED.value, "poll")
            assert "could not be read for more than three intervals" in case.sentence
            bench.marketplace.armed.clear()
            for _ in range(2):
                await bench.sleep(61)
                await bench.desk.work()
            assert (bench.known(), bench.open_cases()) == (1, [])
            assert bench.poll().cursor > before

    virtually(fails)


def test_a_document_that_cannot_be_read_becomes_a_case_and_the_others_of_its_page_are_kept(
    database: Database, keyring: Keyring
) -> None:
    def spoil(body: Any) -> None:
        for order in body.get("orders", [])[1:2]:
            order["order_lines"][0]["quantity"] = "three"

    async def reads() -> None:
        async with on_bench(database, keyring, spoil=spoil) as bench:
            made = [bench.marketplace.create_generated(lines=1) for _ in range(3)]
            await bench.desk.work()
            assert bench.known() == 2
            (case,) = bench.open_cases()
            assert case.reason == Reason.UNREADABLE_ORDER.value
            assert case.subject in [order.id for order in made]
            assert "quantity" in case.sentence
            assert bench.count("unreadable_order") == 1
            with database.begin() as c:
                (kept,) = c.execute(select(unreadable)).all()
            assert case.subject.encode() in keyring.decrypt(kept.body)
            assert case.subject.encode() not in kept.body
            assert bench.poll().last_ok_at is not None

    virtually(reads)


@pytest.mark.parametrize(
    ("field", "value", "readable"),
    [
        ("order_id", "A\u0000B", False),
        ("order_id", "A\ud83d", False),
        ("order_id", "x" * 9000, False),
        ("order_id", "A\nB", False),
        ("order_state", "HALF\u0000SHIPPED", True),
        ("order_state", "HALF\ud83d", True),
        ("order_state", "x" * 9000, False),
        ("commercial_id", "C\u0000", True),
        ("commercial_id", "C\udc00", True),
        ("commercial_id", "x" * 9000, False),
        ("currency_iso_code", "E\u0000R", True),
        ("order_lines.product_title", "Mug \ud83d", True),
        ("order_lines.product_title", "Mug \u0000", True),
        ("order_lines.offer_sku", "MUG\u0000", True),
        ("order_lines.offer_sku", "x" * 9000, False),
        ("order_lines.order_line_id", "L\u0000", True),
    ],
)
def test_a_text_that_cannot_be_kept_stops_neither_its_page_nor_its_order(
    database: Database, keyring: Keyring, field: str, value: str, readable: bool
) -> None:
    of_line, _, name = field.rpartition(".")

    def spoil(body: Any) -> None:
        shown = body.get("orders", []) if isinstance(body, dict) else []
        for order in shown[1:2]:
            (order["order_lines"][0] if of_line else order)[name] = value

    async def reads() -> None:
        async with on_bench(database, keyring, spoil=spoil) as bench:
            for _ in range(3):
                bench.marketplace.create_generated(lines=1)
            await bench.desk.work()
            assert bench.known() == (3 if readable else 2)
            assert bench.count("unreadable_order") == (0 if readable else 1)
            assert [name in case.sentence for case in bench.open_cases()] == ([] if readable else [True])
            with database.begin() as c:
                rows = c.execute(select(orders.c.id)).scalars().all()
            for row_id in rows:
                await bench.look(row_id)

    virtually(reads)


def test_a_value_the_marketplace_never_sent_before_does_not_stop_the_page(
    database: Database, keyring: Keyring
) -> None:
    def spoil(body: Any) -> None:
        for order in body.get("orders", []):
            order["order_state"] = "HALF_SHIPPED"
            order["a_new_field"] = {"nested": [1]}

    async def reads() -> None:
        async with on_bench(database, keyring, spoil=spoil) as bench:
            order_id = await bench.import_one()
            assert await bench.look(order_id)
            (case,) = bench.open_cases()
            assert case.reason == Reason.UNKNOWN_VALUE.value
            assert "HALF_SHIPPED" in case.sentence
            assert bench.count("unknown_value") == 1
            await bench.sleep(61)
            await bench.desk.work()
            assert bench.count("unknown_value") == 1, "the same document again tells nothing new"
            assert len(bench.world.shopify.shop.drafts) == 0

    virtually(reads)


def test_an_order_that_a_page_shows_twice_is_taken_once_and_counted(
    database: Database, keyring: Keyring
) -> None:
    def spoil(body: Any) -> None:
        body["orders"] = [order for order in body.get("orders", []) for _ in range(2)]

    async def reads() -> None:
        async with on_bench(database, keyring, spoil=spoil) as bench:
            bench.marketplace.create_generated(lines=1)
            await bench.desk.work()
            assert (bench.known(), bench.count("order_repeated")) == (1, 1)
            assert bench.open_cases() == []
            with database.begin() as c:
                assert c.execute(select(orders.c.hints)).scalars().all() == [1]

    virtually(reads)


def test_an_answer_that_cannot_be_read_is_kept_only_in_its_beginning(
    database: Database, keyring: Keyring
) -> None:
    def spoil(body: Any) -> None:
        body.clear()
        body["something_else"] = "x" * (MOST_KEPT_BYTES + 1)

    async def reads() -> None:
        async with on_bench(database, keyring, spoil=spoil) as bench:
            await bench.desk.work()
            assert (bench.count("poll_failed"), bench.count("unreadable_page")) == (1, 1)
            with database.begin() as c:
                (kept,) = c.execute(select(unreadable)).all()
            assert len(keyring.decrypt(kept.body)) == MOST_KEPT_BYTES

    virtually(reads)


def test_the_same_order_twice_is_one_row_and_an_unchanged_document_is_no_hint(
    database: Database, keyring: Keyring
) -> None:
    async def reads() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            hints = bench.row(order_id).hints
            for _ in range(3):
                await bench.sleep(61)
                await bench.desk.work()
            assert (bench.known(), bench.row(order_id).hints) == (1, hints)

    virtually(reads)


def test_an_order_that_ended_before_it_was_known_has_moved_its_offers_and_their_figures_are_told_again_once(
    database: Database, keyring: Keyring
) -> None:
    def believed() -> dict[str, int | None]:
        with database.begin() as c:
            rows = c.execute(select(stock_figures.c.sku, stock_figures.c.believed))
            return {row.sku: row.believed for row in rows}

    def told(bench: Bench) -> None:
        (connection_id,) = bench.world.connection_ids.values()
        with database.begin() as c:
            c.execute(delete(stock_figures))
            for sku in ("MUG-BLUE", "LAMP-OAK"):
                c.execute(
                    insert(stock_figures).values(connection_id=connection_id, sku=sku, target=9, believed=9)
                )

    async def reads() -> None:
        async with on_bench(database, keyring) as bench:
            await bench.desk.work()
            told(bench)
            order = bench.marketplace.create_generated(lines=1, skus=["MUG-BLUE"])
            bench.marketplace.portal_decide(order.id, False)
            for _ in range(2):
                await bench.sleep(61)
                await bench.desk.work()
            assert (bench.known(), order.state, bench.count("ended_before_known")) == (0, "REFUSED", 1)
            assert believed() == {"MUG-BLUE": None, "LAMP-OAK": 9}
            # The walks show the order for ten minutes more, and it has not changed.
            told(bench)
            for _ in range(3):
                await bench.sleep(61)
                await bench.desk.work()
            assert believed() == {"MUG-BLUE": 9, "LAMP-OAK": 9}
            assert bench.count("ended_before_known") == 1

    virtually(reads)


def test_only_the_desk_that_leads_reads(database: Database, keyring: Keyring) -> None:
    async def reads() -> None:
        async with on_bench(database, keyring) as bench:
            second = await Bench.made(bench.world, "worker-2")
            assert await bench.desk.work() is not None
            calls = bench.calls("OR11")
            assert await second.desk.work() is None
            assert bench.calls("OR11") == calls

    virtually(reads)


def _want(bench: Bench, *order_ids: int) -> None:
    with bench.world.database.begin() as c:
        now = bench.world.service_clock.now()
        c.execute(update(orders).where(orders.c.id.in_(order_ids)).values(mirakl_wanted_since=now))


def test_what_a_walk_shows_is_younger_than_our_write_only_if_its_date_says_so(
    database: Database, keyring: Keyring
) -> None:
    async def reads() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            await bench.sleep(10)
            _want(bench, order_id)
            await bench.desk.work()
            by_id = bench.row(order_id).mirakl_seen_at
            assert by_id == bench.world.service_clock.now()
            await bench.sleep(61)
            await bench.desk.work()
            assert bench.row(order_id).mirakl_seen_at == by_id
            order = bench.marketplace.orders[bench.row(order_id).mirakl_order_id]
            bench.marketplace.cancel_line(order.id, order.lines[0].id, quantity=1)
            for _ in range(2):
                await bench.sleep(61)
                await bench.desk.work()
            assert bench.row(order_id).mirakl_seen_at > by_id

    virtually(reads)


def test_orders_wanted_younger_are_read_together_by_id_and_their_runs_are_woken(
    database: Database, keyring: Keyring
) -> None:
    async def reads() -> None:
        async with on_bench(database, keyring) as bench:
            first = await bench.import_one()
            second = bench.marketplace.create_generated(lines=1)
            for _ in range(2):
                await bench.sleep(61)
                await bench.desk.work()
            ids = [first, bench.row_of(second.id).id]
            await bench.sleep(5)
            calls = bench.calls("OR11")
            hints = [bench.row(n).hints for n in ids]
            _want(bench, *ids)
            await bench.desk.work()
            assert bench.calls("OR11") == calls + 1
            assert [bench.row(n).hints for n in ids] == [n + 1 for n in hints]
            now = bench.world.service_clock.now()
            assert [bench.row(n).mirakl_seen_at for n in ids] == [now] * len(ids)
            await bench.desk.work()
            assert bench.calls("OR11") == calls + 1

    virtually(reads)


def _kept(bench: Bench, order_id: int) -> str:
    """The marketplace's document as the service keeps it."""
    with bench.world.database.begin() as c:
        kept = kept_document(c, order_id)
    assert kept is not None
    return bench.parts.keyring.decrypt(kept[1]).decode().replace(" ", "")


def test_a_change_that_no_walk_shows_is_seen_within_a_quarter_of_an_hour(
    database: Database, keyring: Keyring
) -> None:
    """Mirakl reference 15.7: an operator's cancelation may leave last_updated_date as it was."""

    async def reads() -> None:
        async with on_bench(database, keyring, "automatic") as bench:
            bench.marketplace.switches.set("cancelation_bumps_update_date", "no")
            order_id = await bench.import_one()
            order = bench.marketplace.orders[bench.row(order_id).mirakl_order_id]
            for _ in range(2):
                await bench.look(order_id)
                await bench.sleep(130)
                await bench.desk.work()
            assert order.state == "SHIPPING"
            for _ in range(12):  # the walks' overlap is ten minutes
                await bench.sleep(61)
                await bench.desk.work()
            assert '"cancelations":[]' in _kept(bench, order_id)
            bench.marketplace.cancel_line(order.id, order.lines[0].id, quantity=1)
            for _ in range(16):
                await bench.sleep(61)
                await bench.desk.work()
            assert '"cancelations":[{' in _kept(bench, order_id)

    virtually(reads)


def test_a_clock_that_is_behind_the_marketplaces_hides_no_change(
    database: Database, keyring: Keyring
) -> None:
    async def reads() -> None:
        async with on_bench(database, keyring, database_ahead=-300.0) as bench:
            await bench.import_one()
            while bench.poll().ticks % 2:  # until a walk over what changed comes next
                await bench.sleep(61)
                await bench.desk.work()
            known = bench.known()
            bench.marketplace.create_generated(lines=1)
            await bench.sleep(61)
            await bench.desk.work()
            assert bench.known() == known + 1

    virtually(reads)


def test_a_walk_that_is_due_keeps_no_wanted_order_from_being_read_by_id(
    database: Database, keyring: Keyring
) -> None:
    async def reads() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            for _ in range(2):
                await bench.sleep(61)
                _want(bench, order_id)
                await bench.desk.work()
                now = bench.world.service_clock.now()
                assert bench.poll().last_ok_at == now
                assert bench.row(order_id).mirakl_seen_at == now

    virtually(reads)


def test_after_a_429_reads_by_id_ride_the_poll_for_an_hour(database: Database, keyring: Keyring) -> None:
    async def reads() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            await bench.sleep(5)
            _want(bench, order_id)
            bench.marketplace.armed.arm("OR11", Fault("rate_limited", seconds=20.0), times=3)
            await bench.desk.work()
            bench.marketplace.armed.clear()
            now = bench.world.service_clock.now()
            assert bench.poll().event_reads_off_until == now + timedelta(hours=1)
            assert bench.count("event_read_failed") == 1
            calls = bench.calls("OR11")
            await bench.sleep(30)
            await bench.desk.work()
            assert bench.calls("OR11") == calls
            for _ in range(3):
                await bench.sleep(61)
                await bench.desk.work()
            assert bench.row(order_id).mirakl_seen_at > now

    virtually(reads)


def test_a_walk_refused_for_load_takes_the_reads_by_id_off_as_well(
    database: Database, keyring: Keyring
) -> None:
    """The marketplace counts both together, and here it is the walk that comes one call too late."""

    async def reads() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            await bench.sleep(61)
            _want(bench, order_id)
            bench.marketplace.armed.arm("OR11", Fault("rate_limited", seconds=20.0), times=1)
            calls = bench.calls("OR11")
            await bench.desk.work()
            now = bench.world.service_clock.now()
            assert bench.poll().event_reads_off_until == now + timedelta(hours=1)
            # not even the read by id that is due in this very second
            assert bench.calls("OR11") == calls + 1
            for _ in range(3):
                await bench.sleep(61)
                await bench.desk.work()
            assert bench.calls("OR11") == calls + 4
            assert bench.row(order_id).mirakl_seen_at > now

    virtually(reads)


def test_a_walk_that_fails_otherwise_leaves_the_reads_by_id_alone(
    database: Database, keyring: Keyring
) -> None:
    async def reads() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()
            await bench.sleep(61)
            _want(bench, order_id)
            bench.marketplace.armed.arm("OR11", Fault("server_error", status=503), times=1)
            await bench.desk.work()
            assert bench.poll().event_reads_off_until is None
            assert bench.row(order_id).mirakl_seen_at == bench.world.service_clock.now()

    virtually(reads)


def _reference(bench: Bench, order_id: int, value: str) -> None:
    action = SetSellerReference(value)
    with bench.world.database.begin() as c:
        c.execute(
            insert(operations).values(
                id=f"op-{order_id}-{value}",
                order_id=order_id,
                connection_id=bench.row(order_id).connection_id,
                epoch=0,
                kind="SetSellerReference",
                platform="mirakl",
                call_class="B",
                action=encode(action),
                digest=digest_of(action),
                state="PLANNED",
                planned_at=bench.world.service_clock.now(),
            )
        )


def _states(bench: Bench) -> dict[str, str]:
    with bench.world.database.begin() as c:
        rows = c.execute(select(operations.c.id, operations.c.state).order_by(operations.c.id))
        return {row.id: row.state for row in rows}


def test_seller_references_travel_together_once_a_minute_and_each_has_its_own_end(
    database: Database, keyring: Keyring
) -> None:
    async def writes() -> None:
        async with on_bench(database, keyring) as bench:
            known = await bench.import_one()
            (connection_id,) = bench.world.connection_ids.values()
            with database.begin() as c:
                nowhere = add_order(c, connection_id, "NOWHERE", "N", bench.world.service_clock.now())
            _reference(bench, known, "#1001")
            _reference(bench, nowhere, "#1002")
            await bench.sleep(2)
            await bench.desk.work()
            assert bench.calls("OR04") == 1
            states = _states(bench)
            assert states[f"op-{known}-#1001"] == "CONFIRMED"
            assert states[f"op-{nowhere}-#1002"] == "REJECTED"
            (order,) = bench.marketplace.orders.values()
            assert order.reference_for_seller == "#1001"
            assert "Marketplace order marked with our number #1001: confirmed." in bench.story(known)
            assert "refused" in bench.story(nowhere)
            _reference(bench, known, "#1003")
            await bench.sleep(30)
            await bench.desk.work()
            assert bench.calls("OR04") == 1
            await bench.sleep(31)
            await bench.desk.work()
            assert (bench.calls("OR04"), order.reference_for_seller) == (2, "#1003")

    virtually(writes)
