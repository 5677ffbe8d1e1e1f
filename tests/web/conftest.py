"""The web application over a clean database with one connection."""

import pytest

from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.console.seed import TESTER, Numbered, Stopped, Wakes, connect
from tests.web.browser import Browser


@pytest.fixture
def wakes() -> Wakes:
    return Wakes()


@pytest.fixture
def stopped() -> Stopped:
    return Stopped()


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.fixture
def browser(store: InlineStore, keyring: Keyring, wakes: Wakes, stopped: Stopped) -> Browser:
    return Browser(create_app(WebParts(store, stopped, Numbered(), wakes, keyring, everyone=TESTER)))
