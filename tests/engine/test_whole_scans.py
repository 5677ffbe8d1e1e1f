"""Whatever is asked again and again reads the rows it is about, and never a whole table, however long the history is.

Asked of PostgreSQL's own plans, with the statistics of a filled database; nothing here is timed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.console.seed import CLOCK
from tests.databases import ThrowawayServer
from tests.explained import Statements, listening, whole_scans
from tests.filled import GROWING, Size, fill
from tests.periodic import Job, periodic

A_TENTH = Size(orders=10_000, open_cases=500)
"""Of what `./dev bench` fills, which asks the same: enough for the planner to prefer an index where there is one."""


@pytest.fixture(scope="module")
def grown(server: ThrowawayServer) -> Iterator[tuple[Database, Keyring]]:
    """A database with ten thousand orders and a hundred thousand rows in the ledger."""
    keyring = Keyring([new_key()])
    database = Database(server.new_database(), check_connections=False)
    fill(database, keyring, A_TENTH, CLOCK)
    yield database, keyring
    server.drop_database(database)


def test_no_statement_of_a_duty_reads_a_whole_table(grown: tuple[Database, Keyring], tmp_path: Path) -> None:
    found = []
    for name, job in periodic(*grown, tmp_path).items():
        with listening(grown[0]) as statements:
            asyncio.run(_once(job))
        assert statements.seen, name
        with grown[0].begin() as c:
            wrong = whole_scans(c, statements, GROWING)
        found += [f"{name}: {', '.join(what)}: {said}" for said, what in wrong.items()]

    assert not found, "\n\n".join(found)


async def _once(job: Job) -> None:
    await job()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("SELECT count(*) FROM orders WHERE hints = 77", "Seq Scan of orders"),
        ("SELECT id FROM orders WHERE hints > 0 ORDER BY id LIMIT 5", "all of pk_orders"),
        ("UPDATE operations SET attempt = 1 WHERE code = 'none'", "Seq Scan of operations"),
    ],
)
def test_a_statement_without_an_index_is_noticed(
    grown: tuple[Database, Keyring], statement: str, says: str
) -> None:
    with grown[0].begin() as c:
        assert whole_scans(c, Statements({statement: None}), GROWING) == {statement: [says]}
