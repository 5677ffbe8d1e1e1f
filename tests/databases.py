"""A PostgreSQL for one test process: a migrated template, clean databases, thrown away at the end."""

import itertools
import shutil
import tempfile
from pathlib import Path
from types import TracebackType

import psycopg
from psycopg import sql
from sqlalchemy import text

from interlock.storage.append_only import without_guards
from interlock.storage.database import Database
from interlock.storage.embedded import EmbeddedServer
from interlock.storage.migrations import upgrade
from interlock.tables import metadata

QUEUE_TABLES = (
    "procrastinate_events",
    "procrastinate_periodic_defers",
    "procrastinate_jobs",
    "procrastinate_workers",
)


class ThrowawayServer:
    """An embedded server in a temporary folder; a context manager that leaves nothing behind."""

    def __enter__(self) -> "ThrowawayServer":
        self.folder = Path(tempfile.mkdtemp(prefix="interlock-test-"))
        # As root the server runs as another user, who must be able to pass through.
        self.folder.chmod(0o711)
        self.server = EmbeddedServer(self.folder, test_mode=True)
        self._numbers = itertools.count(1)
        try:
            self.server.ensure_started()
            self._administrate(sql.SQL("CREATE DATABASE template"))
            template = Database(self.server.url("template"), pool_size=1)
            upgrade(template)
            template.dispose()
        except BaseException:
            self._throw_away()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._throw_away()

    def _throw_away(self) -> None:
        self.server.stop("immediate")
        shutil.rmtree(self.server.socket_folder, ignore_errors=True)
        shutil.rmtree(self.folder)

    def new_database(self, *, migrated: bool = True) -> str:
        """The address of a new database; about 20 ms."""
        name = f"database_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        template = "template" if migrated else "template0"
        self._administrate(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return self.server.url(name)

    def drop_database(self, database: Database) -> None:
        """Close the database's connections and remove it."""
        database.dispose()
        name = database.engine.url.database or ""
        self._administrate(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _administrate(self, statement: sql.SQL | sql.Composed) -> None:
        url = Database(self.server.url("postgres"), pool_size=1)
        with psycopg.connect(url.conninfo, autocommit=True) as connection:
            connection.execute(statement)


def empty(database: Database) -> None:
    """Delete every row of ours and of the queue in one round trip; under a millisecond when little is there."""
    ours = [table.name for table in reversed(metadata.sorted_tables)]
    statements = "; ".join(f'DELETE FROM "{name}"' for name in [*ours, *QUEUE_TABLES])
    with database.begin() as connection:
        without_guards(connection)
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute(statements)


def count_from_one(database: Database) -> None:
    """Every key of a new row begins at 1 again, as on a new database: what is ordered or spread by keys then is the same."""
    every = "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false) FROM pg_sequences"
    with database.begin() as connection:
        connection.execute(text(every))


def compact(database: Database) -> None:
    """Give back the room that deleted rows still take; nothing vacuums a throwaway server, and scans grow with it."""
    names = ", ".join(f'"{table.name}"' for table in metadata.sorted_tables)
    with database.begin() as connection:
        without_guards(connection)
        connection.execute(text(f"TRUNCATE {names}"))
