"""A database that is not the one that wrote last writes nothing: restored, copied, made anew."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update

from interlock.cases.store import answer
from interlock.engine.ledger import operations
from interlock.engine.marks import TRIED_AGAIN_AFTER, Comparison, enter, keep_mark, leave
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.quarantine import store
from interlock.quarantine.store import in_quarantine, instance_marks, kept_mark, latest
from interlock.rehearsal.judging.rebuild import LOST
from interlock.storage.append_only import without_guards
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from interlock.tables import metadata
from tests.build import NOW
from tests.engine.bench import Bench, Broken, on_bench, virtually

WRITES = ("OR21", "OR04", "OR23", "OR24", "OR29", "OR30", "metafieldsSet", "fulfillmentOrderHold")


@contextmanager
def _backups(database: Database) -> Iterator[Callable[[], Callable[[], None]]]:
    """Makes backups of every table; each is a function that restores it."""
    names: list[str] = []

    def backup() -> Callable[[], None]:
        name = f"backup_{len(names)}"
        names.append(name)
        with database.begin() as c:
            c.execute(text(f"CREATE SCHEMA {name}"))
            for table in metadata.sorted_tables:
                c.execute(text(f"CREATE TABLE {name}.{table.name} AS TABLE {table.name}"))

        def restore() -> None:
            with database.begin() as c:
                without_guards(c)
                for table in reversed(metadata.sorted_tables):
                    c.execute(delete(table))
                for table in metadata.sorted_tables:
                    c.execute(text(f"INSERT INTO {table.name} SELECT * FROM {name}.{table.name}"))

        return restore

    try:
        yield backup
    finally:
        with database.begin() as c:
            for name in names:
                c.execute(text(f"DROP SCHEMA {name} CASCADE"))


async def _marked(bench: Bench, every: timedelta | None = None) -> Comparison:
    (connection_id,) = bench.world.connection_ids.values()
    return await keep_mark(bench.parts, await bench.parts.connections.get(connection_id), every)


async def _read_and_look(bench: Bench, order_id: int, times: int = 3) -> None:
    for _ in range(times):
        await bench.sleep(130)
        await bench.desk.work()
        await bench.sleep(1)
        await bench.desk.work()  # what was wanted by number
        await bench.look(order_id)


def _writes(bench: Bench) -> int:
    return sum(bench.calls(operation) for operation in WRITES)


def _leave(bench: Bench) -> None:
    with bench.world.database.begin() as c:
        assert leave(c, "Ada", "The other one is stopped.", bench.world.service_clock.now())


def test_the_mark_moves_on_and_is_known_again(database: Database, keyring: Keyring) -> None:
    async def moves() -> None:
        async with on_bench(database, keyring) as bench:
            seen = []
            for _ in range(3):
                assert await _marked(bench) == "moved on"
                with database.begin() as c:
                    (row,) = c.execute(select(instance_marks)).all()
                seen.append(row.mark)
                assert (row.sent, row.busy_until) == ([], None)
                await bench.sleep(300)
            assert len(set(seen)) == 3
            with database.begin() as c:
                assert not in_quarantine(c)

    virtually(moves)


def test_what_one_worker_compared_holds_for_all_until_it_is_old(database: Database, keyring: Keyring) -> None:
    async def shared() -> None:
        async with on_bench(database, keyring) as bench:
            every = timedelta(minutes=4)
            read = bench.calls("currentAppInstallation")
            assert await _marked(bench) == "moved on"
            assert await _marked(bench, every) == "left alone"
            assert bench.calls("currentAppInstallation") == read + 1
            assert await _marked(bench) == "moved on"  # a process that starts
            assert bench.calls("currentAppInstallation") == read + 2
            await bench.sleep(240)
            assert await _marked(bench, every) == "moved on"
            assert bench.calls("currentAppInstallation") == read + 3
            with database.begin() as c:
                # moved by a clock that is far ahead: it proves nothing
                ahead = bench.world.service_clock.now() + timedelta(hours=1)
                c.execute(update(instance_marks).values(moved_at=ahead))
            assert await _marked(bench, every) == "moved on"
            assert bench.calls("currentAppInstallation") == read + 4

    virtually(shared)


@pytest.mark.parametrize("kind", ["server_error_after", "refused_before"])
def test_a_mark_whose_write_was_unclear_is_known_whether_it_was_written_or_not(
    database: Database, keyring: Keyring, kind: str
) -> None:
    trouble = Broken("metafieldsSet", kind)

    async def loses() -> None:
        async with on_bench(database, keyring, shopify_faults=trouble) as bench:
            assert await _marked(bench) == "moved on"
            trouble.active = True
            assert await _marked(bench) == "failed"
            trouble.active = False
            assert await _marked(bench) == "left alone"
            await bench.sleep(TRIED_AGAIN_AFTER.total_seconds())
            for _ in range(2):
                assert await _marked(bench) == "moved on"
            with database.begin() as c:
                assert not in_quarantine(c)

    virtually(loses)


@pytest.mark.parametrize(
    ("confirmed", "kept"),
    [
        (["M1"], ("M1", ("M2",))),
        (["M2"], ("M2", ())),
        (["M1", "M2"], ("M2", ())),
        (["M2", "M1"], ("M2", ())),  # a worker that slept over its answer takes nothing back
    ],
)
def test_a_mark_confirmed_late_replaces_none_that_came_after_it(
    database: Database, confirmed: list[str], kept: tuple[str, tuple[str, ...]]
) -> None:
    with database.begin() as c:
        store.claim(c, "shop/app", NOW, NOW + timedelta(minutes=2), None)
        for mark in ("M1", "M2"):
            store.mark_leaves(c, "shop/app", mark)
        for mark in confirmed:
            store.mark_confirmed(c, "shop/app", mark, NOW)
        found = store.kept_mark(c, "shop/app")
    assert (found.mark, found.sent) == kept


def test_a_shop_that_cannot_be_read_proves_nothing_and_is_read_again_in_a_moment(
    database: Database, keyring: Keyring
) -> None:
    away = Broken("*", "refused_before")
    every = timedelta(minutes=5)
    again = TRIED_AGAIN_AFTER.total_seconds()

    async def unread() -> None:
        async with on_bench(database, keyring, shopify_faults=away) as bench:
            away.active = True
            for times in (1, 2):
                assert await _marked(bench, every) == "failed"
                assert bench.count("mark_unread") == times
                read = bench.calls("currentAppInstallation")
                assert await _marked(bench, every) == "left alone"  # another worker, a moment later
                assert bench.calls("currentAppInstallation") == read
                await bench.sleep(again)
            away.active = False
            assert await _marked(bench, every) == "moved on"
            assert bench.count("mark_unread") == 2
            with database.begin() as c:
                assert kept_mark(c, "").mark == ""
                assert not in_quarantine(c)

    virtually(unread)


def test_a_restored_backup_reads_and_writes_nothing_until_somebody_says_so(
    database: Database, keyring: Keyring
) -> None:
    async def restores() -> None:
        async with on_bench(database, keyring, "automatic") as bench:
            order_id = await bench.import_one()
            await bench.look(order_id)
            await _read_and_look(bench, order_id)
            await _marked(bench)
            restore = backup()
            (order,) = bench.world.shopify.shop.orders.values()
            bench.world.shopify.set_quantity(order, "MUG-BLUE", 2)
            await _read_and_look(bench, order_id, 4)
            assert bench.calls("OR30") == 1
            await bench.sleep(300)
            await _marked(bench)

            restore()
            assert await _marked(bench) == "quarantine began"
            assert await _marked(bench) == "left alone"  # it is on already
            written = _writes(bench)
            bench.world.shopify.set_quantity(order, "KETTLE-1L", 0)
            await _read_and_look(bench, order_id)
            assert _writes(bench) == written
            assert "Interlock is in quarantine" in bench.story(order_id)
            assert Reason.QUARANTINE.value in [case.reason for case in bench.open_cases()]

            _leave(bench)
            assert await _marked(bench) == "moved on"
            await _read_and_look(bench, order_id)
            # The mug was cancelled before and is shown so; the kettle is asked about.
            assert bench.calls("OR30") == 1
            (case,) = bench.open_cases()
            assert case.reason == Reason.DIFFERENCE_AFTER_QUARANTINE.value
            assert ["SKU", "KETTLE-1L"] in case.facts
            with database.begin() as c:
                now = bench.world.service_clock.now()
                answer(c, case.id, Option.CANCEL_AT_MARKETPLACE.value, "Ada", "Never settled.", now)
            await _read_and_look(bench, order_id)
            assert bench.calls("OR30") == 2
            assert bench.open_cases() == []

    with _backups(database) as backup:
        virtually(restores)


def test_of_two_copies_the_one_nobody_spoke_for_falls_silent(database: Database, keyring: Keyring) -> None:
    async def both() -> None:
        async with on_bench(database, keyring) as bench:
            await _marked(bench)
            to_original = backup()
            await _marked(bench)  # the copy runs first
            to_copy = backup()
            to_original()
            assert await _marked(bench) == "quarantine began"
            _leave(bench)
            assert await _marked(bench) == "moved on"
            with database.begin() as c:
                assert not in_quarantine(c)
            to_copy()
            assert await _marked(bench) == "quarantine began"

    with _backups(database) as backup:
        virtually(both)


def test_a_database_made_anew_finds_its_orders_and_makes_none(database: Database, keyring: Keyring) -> None:
    async def rebuilds() -> None:
        async with on_bench(database, keyring) as bench:
            first = await bench.import_one()
            await bench.look(first)
            await _marked(bench)
            linked = bench.row(first).shopify_order_id
            assert bench.calls("OR04") == 0  # the marketplace does not know the order's name yet
            with database.begin() as c:
                for table in reversed(metadata.sorted_tables):
                    if table.name in LOST:
                        c.execute(delete(table))
            assert await _marked(bench) == "quarantine began"
            written = _writes(bench)
            await bench.sleep(130)
            await bench.desk.work()
            await bench.sleep(130)
            await bench.desk.work()
            (mirakl,) = bench.marketplace.orders.values()
            again = bench.row_of(mirakl.id).id
            await bench.look(again)
            assert bench.row(again).shopify_order_id == linked
            assert _writes(bench) == written
            _leave(bench)
            await _read_and_look(bench, again)
            assert len(bench.world.shopify.shop.orders) == 1
            assert [case.reason for case in bench.open_cases()] == []

    virtually(rebuilds)


def test_a_quarantine_in_the_middle_of_a_run_stops_the_next_call(
    database: Database, keyring: Keyring
) -> None:
    async def interrupted() -> None:
        async with on_bench(database, keyring) as bench:
            order_id = await bench.import_one()

            def begins(name: str) -> bool:
                if name == "after_outcome:CreateDraft":
                    with database.begin() as c:
                        assert enter(c, "Ada began it.", bench.world.service_clock.now())
                return False

            bench.world.crash_at = begins
            await bench.look(order_id)
            assert bench.calls("draftOrderCreate") == 1
            assert bench.calls("draftOrderComplete") == 0
            bench.world.crash_at = lambda name: False
            with database.begin() as c:
                states = c.execute(
                    select(operations.c.kind, operations.c.state).where(operations.c.done_at.is_(None))
                ).all()
                assert ("CompleteDraft", "PLANNED") in [tuple(row) for row in states]
                assert (found := latest(c)) is not None
                assert found.open
                c.execute(update(orders).values(next_look_at=None))
            _leave(bench)
            await bench.look(order_id)
            assert bench.calls("draftOrderComplete") == 1
            assert bench.calls("OR21") == 1

    virtually(interrupted)
