"""The theatre every story is told in."""

import pytest

from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.stories.stage import Theatre


@pytest.fixture
def theatre(database: Database, keyring: Keyring) -> Theatre:
    return Theatre(database, keyring)
