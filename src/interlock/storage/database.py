"""A connection pool, short transactions as plain functions, and the metadata that every table belongs to."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Protocol, TypeVar

import anyio.to_thread
from anyio import CapacityLimiter
from sqlalchemy import Connection, Engine, MetaData, create_engine, text
from sqlalchemy.engine import make_url

from interlock.clock import Clock

T = TypeVar("T")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of ours hangs here, whichever room declares it; `interlock.tables` loads them all."""


class Database:
    """One PostgreSQL database: a pool of connections with time-outs that end what must not last.

    `statement_timeout` ends a statement that runs too long, `lock_timeout` one that waits too long for a row,
    and a transaction left idle for `idle_timeout` loses its connection.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        statement_timeout: timedelta = timedelta(seconds=10),
        lock_timeout: timedelta = timedelta(seconds=3),
        idle_timeout: timedelta = timedelta(seconds=60),
        check_connections: bool = True,
    ) -> None:
        options = " ".join(
            f"-c {name}={value}"
            for name, value in (
                ("statement_timeout", round(statement_timeout.total_seconds() * 1000)),
                ("lock_timeout", round(lock_timeout.total_seconds() * 1000)),
                ("idle_in_transaction_session_timeout", round(idle_timeout.total_seconds() * 1000)),
                ("TimeZone", "UTC"),
            )
        )
        self.pool_size = pool_size
        self.engine: Engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            pool_pre_ping=check_connections,
            # Errors quote parameters otherwise, and parameters may be personal data.
            hide_parameters=True,
            json_serializer=partial(json.dumps, ensure_ascii=False, allow_nan=False),
            json_deserializer=partial(json.loads, parse_float=Decimal),
            connect_args={"options": options, "connect_timeout": 10, "application_name": "interlock"},
        )

    @property
    def url(self) -> str:
        """The address including its password: for opening another connection, never for showing."""
        return self.engine.url.render_as_string(hide_password=False)

    @property
    def conninfo(self) -> str:
        """The same address as libpq writes it, for what speaks to psycopg directly."""
        return make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        with self.engine.begin() as connection:
            yield connection

    def dispose(self) -> None:
        """Close every connection of the pool; a later use opens new ones."""
        self.engine.dispose()


NOT_KEPT = "What was given holds a character no text can be kept with, or a number too large to be the number of anything."
"""What a `DataError` of the database means to whoever gave the value."""


class Store(Protocol):
    """Runs plain functions, each in one short transaction; nothing is ever awaited inside one."""

    async def tx(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` in a transaction of its own and give back what it returned.

        Committed when `fn` returns, rolled back when it raises. `fn` gets a Core connection, must not keep it and
        must not reach for the network or the clock.
        """
        ...


class ThreadStore:
    """Transactions on worker threads, never more at once than the pool has connections.

    When the awaiting task is cancelled, the transaction that already started still ends by itself, committed or
    not: as after a crash, the row and not the caller knows.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._limiter = CapacityLimiter(database.pool_size)

    async def tx(self, fn: Callable[[Connection], T]) -> T:
        def work() -> T:
            with self._database.begin() as connection:
                return fn(connection)

        return await anyio.to_thread.run_sync(work, limiter=self._limiter)


class InlineStore:
    """Transactions on the event loop itself, one after another: exact and repeatable, for simulation and tests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tx(self, fn: Callable[[Connection], T]) -> T:
        with self._database.begin() as connection:
            return fn(connection)


def clock_offset(database: Database, clock: Clock) -> timedelta:
    """How far the database's clock is ahead of `clock`, measured to within half a round trip.

    Leases of workers on several machines compare one clock, the database's: give the result to
    `SystemClock.follow`. `clock` must be one that follows nothing yet.
    """
    with database.begin() as connection:
        connection.execute(text("SELECT 1"))
        before = clock.now()
        there: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        after = clock.now()
    return there - (before + (after - before) / 2)
