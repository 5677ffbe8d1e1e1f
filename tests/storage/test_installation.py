"""The installation's own row: one identity and one address key, whatever happens to the encryption keys."""

from datetime import UTC, datetime

import pytest

from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, Undecipherable, new_key
from interlock.storage.installation import open_installation, set_webhook_base, webhook_base

NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


def test_the_first_start_makes_the_installation_and_later_ones_find_it(
    database: Database, keyring: Keyring
) -> None:
    with database.begin() as c:
        first = open_installation(c, keyring, "first", NOW)
    with database.begin() as c:
        assert open_installation(c, keyring, "second", NOW) == first
    assert (first.instance, len(first.address_key)) == ("first", 44)


def test_the_address_key_stays_when_a_new_encryption_key_is_put_in_front(database: Database) -> None:
    old, new = new_key(), new_key()
    with database.begin() as c:
        before = open_installation(c, Keyring([old]), "first", NOW)
        after = open_installation(c, Keyring([new, old]), "first", NOW)
    assert after.address_key == before.address_key


def test_a_foreign_keyring_is_refused(database: Database, keyring: Keyring) -> None:
    with database.begin() as c:
        open_installation(c, keyring, "first", NOW)
        with pytest.raises(Undecipherable):
            open_installation(c, Keyring([new_key()]), "first", NOW)


def test_the_address_key_is_in_no_text_form(database: Database, keyring: Keyring) -> None:
    with database.begin() as c:
        opened = open_installation(c, keyring, "first", NOW)
    assert opened.address_key.decode() not in repr(opened)


def test_the_public_address_is_kept_without_a_slash_at_its_end(database: Database, keyring: Keyring) -> None:
    with database.begin() as c:
        open_installation(c, keyring, "first", NOW)
        assert webhook_base(c) is None
        set_webhook_base(c, "https://interlock.example/")
        assert webhook_base(c) == "https://interlock.example"
