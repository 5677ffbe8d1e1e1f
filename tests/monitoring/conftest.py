"""What the tests of the monitoring room share: a receiver, a connection, an alert scheduler."""

from collections.abc import Iterator

import pytest

from interlock.engine.store import ConnectionRow
from interlock.monitoring.duty import Alerting
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from tests.console.seed import Stopped, connect
from tests.monitoring.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def clock() -> Stopped:
    return Stopped()


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.fixture
def alerting(store: InlineStore, clock: Stopped, keyring: Keyring) -> Alerting:
    return Alerting(store, clock, keyring, "https://interlock.example")
