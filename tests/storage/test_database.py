"""Transactions: what is kept, what is not, and what is refused."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import anyio
import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, literal, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import OperationalError, StatementError

from interlock.clock import LoopClock, SystemClock
from interlock.storage.database import Database, InlineStore, Store, ThreadStore, clock_offset
from interlock.storage.types import NaiveDateTime, UtcDateTime

scratch = MetaData()
numbers = Table("numbers", scratch, Column("number", Integer, primary_key=True))
moments = Table("moments", scratch, Column("at", UtcDateTime), Column("document", JSONB))


@pytest.fixture(params=[InlineStore, ThreadStore])
def any_store(request: pytest.FixtureRequest, own_database: Database) -> Store:
    """Each kind of store over a database with scratch tables."""
    scratch.create_all(own_database.engine)
    store: Store = request.param(own_database)
    return store


def insert_one(connection: Connection) -> str:
    connection.execute(numbers.insert().values(number=1))
    return "inserted"


def count(connection: Connection) -> int:
    return len(connection.execute(select(numbers)).all())


def test_a_transaction_that_returns_is_kept(any_store: Store) -> None:
    assert asyncio.run(any_store.tx(insert_one)) == "inserted"
    assert asyncio.run(any_store.tx(count)) == 1


def test_a_transaction_that_raises_leaves_nothing(any_store: Store) -> None:
    def insert_and_fail(connection: Connection) -> None:
        insert_one(connection)
        raise RuntimeError("changed my mind")

    with pytest.raises(RuntimeError, match="changed my mind"):
        asyncio.run(any_store.tx(insert_and_fail))
    assert asyncio.run(any_store.tx(count)) == 0


def test_more_tasks_than_connections_all_get_their_turn(own_database: Database) -> None:
    database = Database(own_database.url, pool_size=2)
    scratch.create_all(database.engine)
    store = ThreadStore(database)

    async def insert_many() -> None:
        async with anyio.create_task_group() as group:
            for number in range(20):
                statement = numbers.insert().values(number=number)
                group.start_soon(
                    store.tx, lambda connection, statement=statement: connection.execute(statement)
                )

    asyncio.run(insert_many())

    assert asyncio.run(store.tx(count)) == 20
    database.dispose()


def test_a_statement_that_runs_too_long_is_ended(own_database: Database) -> None:
    database = Database(own_database.url, pool_size=1, statement_timeout=timedelta(milliseconds=50))

    with pytest.raises(OperationalError, match="statement timeout"), database.begin() as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    database.dispose()


def test_a_wait_for_a_locked_row_is_ended(own_database: Database) -> None:
    scratch.create_all(own_database.engine)
    database = Database(own_database.url, pool_size=2, lock_timeout=timedelta(milliseconds=50))
    with own_database.begin() as connection:
        insert_one(connection)

    with own_database.begin() as holder:
        holder.execute(select(numbers).with_for_update())
        with pytest.raises(OperationalError, match="lock timeout"), database.begin() as waiter:
            waiter.execute(select(numbers).with_for_update())
    database.dispose()


def test_a_moment_comes_back_as_the_same_moment_in_utc(own_database: Database) -> None:
    scratch.create_all(own_database.engine)
    given = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    with own_database.begin() as connection:
        connection.execute(moments.insert().values(at=given))

        found = connection.execute(select(moments.c.at)).scalar_one()

    assert found == given
    assert found.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(own_database: Database) -> None:
    naive = datetime(2026, 3, 29, 3, 30)  # noqa: DTZ001 - what is refused
    with own_database.begin() as connection, pytest.raises(StatementError) as refusal:
        connection.execute(select(literal(naive, UtcDateTime)))

    assert isinstance(refusal.value.orig, NaiveDateTime)


def test_numbers_in_documents_come_back_exact(own_database: Database) -> None:
    with own_database.begin() as connection:
        found = connection.execute(text("""SELECT '{"amount": 0.10}'::jsonb""")).scalar_one()

    assert found == {"amount": Decimal("0.10")}


def test_a_failed_statement_does_not_quote_its_parameters(own_database: Database) -> None:
    with own_database.begin() as connection, pytest.raises(StatementError) as failure:
        connection.execute(text("SELECT nothing FROM nowhere WHERE name = :name"), {"name": "Amélie Canary"})

    assert "Canary" not in str(failure.value)


def test_a_connection_lost_while_idle_is_replaced(own_database: Database) -> None:
    with own_database.begin() as connection:
        lost = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    other = Database(own_database.url, pool_size=1)
    with other.begin() as connection:
        connection.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": lost})
    other.dispose()

    with own_database.begin() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1


def test_a_clock_that_is_wrong_learns_how_far_the_databases_clock_is_ahead(own_database: Database) -> None:
    truth = SystemClock()
    behind = SystemClock(lambda: truth.now() - timedelta(hours=3))

    offset = clock_offset(own_database, behind)

    assert abs(offset - timedelta(hours=3)) < timedelta(seconds=1)
    behind.follow(offset)
    assert abs(behind.now() - truth.now()) < timedelta(seconds=1)


def test_the_offset_is_measured_from_the_given_clock_and_not_the_machines(own_database: Database) -> None:
    epoch = LoopClock(lambda: 0.0, datetime(2000, 1, 1, tzinfo=UTC))

    assert clock_offset(own_database, epoch) > timedelta(days=365 * 20)
