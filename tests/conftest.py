"""What every test may ask for: a server, a clean database, a store, a keyring."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer, empty
from tests.lines import plain

SLOW_IS_NO_FAULT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
# One commit gives one verdict: the same examples every time, and no time limit of a fifth of a second for each, which a
# busy machine misses. `--hypothesis-profile explore` looks for others.
settings.register_profile("interlock", derandomize=True, database=None, **SLOW_IS_NO_FAULT)
settings.register_profile("explore", max_examples=1000, **SLOW_IS_NO_FAULT)
settings.load_profile("interlock")
plain()


@pytest.fixture(scope="session")
def server() -> Iterator[ThrowawayServer]:
    """One server for each test process, started by the first test that needs a database."""
    with ThrowawayServer() as server:
        yield server


@pytest.fixture(scope="session")
def _shared_database(server: ThrowawayServer) -> Iterator[Database]:
    database = Database(server.new_database(), pool_size=20, check_connections=False)
    yield database
    database.dispose()


@pytest.fixture
def database(_shared_database: Database) -> Database:
    """The migrated database, without a row."""
    empty(_shared_database)
    return _shared_database


@pytest.fixture
def own_database(server: ThrowawayServer) -> Iterator[Database]:
    """A migrated database for this test alone, which it may spoil."""
    database = Database(server.new_database())
    yield database
    server.drop_database(database)


@pytest.fixture
def store(database: Database) -> InlineStore:
    """Transactions on the clean database, run inline."""
    return InlineStore(database)


@pytest.fixture
def keyring() -> Keyring:
    """A keyring with one new key."""
    return Keyring([new_key()])
