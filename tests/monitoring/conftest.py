"""What the tests of the monitoring room share: a receiver, a connection, an alert scheduler."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update

from interlock.engine.store import ConnectionRow, polls
from interlock.monitoring.duty import Alerting
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, Stopped, connect
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
        row = connect(c, keyring)
        # Nothing reads the platforms here, and nothing is to be late because of it.
        c.execute(update(polls).values(last_ok_at=CLOCK + timedelta(days=1)))
        return row


@pytest.fixture
def alerting(store: InlineStore, clock: Stopped, keyring: Keyring) -> Alerting:
    return Alerting(store, clock, keyring, "https://interlock.example")
