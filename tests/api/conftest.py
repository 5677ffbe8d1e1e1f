"""The web application over a clean database, asked by a program that has keys."""

from collections.abc import Callable, Collection

import pytest

from interlock.access.store import make_key
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.build import NOW
from tests.console.seed import TESTER, Numbered, Stopped, Wakes, connect
from tests.web.browser import Browser

MakeKey = Callable[..., dict[str, str]]


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
def program(store: InlineStore, keyring: Keyring, wakes: Wakes, stopped: Stopped) -> Browser:
    """Asks without a key unless one is given."""
    return Browser(create_app(WebParts(store, stopped, Numbered(), wakes, keyring, everyone=TESTER)))


@pytest.fixture
def key(database: Database) -> MakeKey:
    """Makes a key with these scopes and returns the headers that show it."""

    def make(*scopes: str, name: str = "warehouse", connections: Collection[int] = ()) -> dict[str, str]:
        with database.begin() as c:
            _, token = make_key(c, name, scopes, "Ada Admin", NOW, connections=connections)
        return {"Authorization": f"Bearer {token}"}

    return make
