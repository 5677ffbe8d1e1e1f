"""The command line over a clean database with one connection."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from interlock.cli import app
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.console.seed import connect

Run = Callable[..., Result]


@pytest.fixture
def key() -> str:
    return new_key()


@pytest.fixture
def keyring(key: str) -> Keyring:
    return Keyring([key])


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.fixture
def interlock(database: Database, key: str) -> Run:
    """Run a command with the settings of this test."""
    settings = {
        "INTERLOCK_DATABASE_URL": database.url,
        "INTERLOCK_KEY": key,
        "USER": "ada",
        "COLUMNS": "300",
        "INTERLOCK_ALLOW_LOOPBACK_HTTP": "true",
    }

    def run(*arguments: str, **environment: str) -> Result:
        return CliRunner().invoke(app, list(arguments), env={**settings, **environment})

    return run


def document(result: Result) -> Any:
    """What a command printed for programs."""
    return json.loads(result.stdout)
