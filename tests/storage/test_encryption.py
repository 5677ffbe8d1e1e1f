"""Keys: made once, kept closed, replaced without loss, never shown."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from interlock.storage.encryption import (
    KeyFileOpen,
    KeyMalformed,
    Keyring,
    Undecipherable,
    new_key,
    open_keyring,
)


def test_what_was_encrypted_is_read_back() -> None:
    keyring = Keyring([new_key()])

    cipher = keyring.encrypt(b"12 rue de la Paix")

    assert b"Paix" not in cipher
    assert keyring.decrypt(cipher) == b"12 rue de la Paix"


def test_a_former_key_still_reads_and_the_first_one_writes() -> None:
    former, present = new_key(), new_key()
    written_before = Keyring([former]).encrypt(b"secret")

    both = Keyring([present, former])

    assert both.decrypt(written_before) == b"secret"
    assert Keyring([present]).decrypt(both.encrypt(b"secret")) == b"secret"


def test_reencrypting_lets_the_former_key_go() -> None:
    former, present = new_key(), new_key()
    written_before = Keyring([former]).encrypt(b"secret")

    moved = Keyring([present, former]).reencrypt(written_before)

    assert Keyring([present]).decrypt(moved) == b"secret"


@pytest.mark.parametrize(
    "spoil", [lambda cipher: cipher[:-1] + b"A", lambda cipher: b"", lambda cipher: b"plain"]
)
def test_an_altered_value_is_refused(spoil) -> None:  # type: ignore[no-untyped-def]
    keyring = Keyring([new_key()])

    with pytest.raises(Undecipherable, match="INTERLOCK_KEY"):
        keyring.decrypt(spoil(keyring.encrypt(b"secret")))


def test_a_value_under_an_unknown_key_is_refused() -> None:
    with pytest.raises(Undecipherable):
        Keyring([new_key()]).decrypt(Keyring([new_key()]).encrypt(b"secret"))


def test_the_first_start_makes_a_closed_key_file_and_later_starts_use_it(tmp_path: Path) -> None:
    cipher = open_keyring(None, tmp_path / "data").encrypt(b"secret")

    assert (tmp_path / "data" / "key").stat().st_mode & 0o777 == 0o600
    assert open_keyring(None, tmp_path / "data").decrypt(cipher) == b"secret"
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["key"]


def test_what_a_first_start_of_the_same_process_number_left_half_made_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f"key.{os.getpid()}.new").write_text("half a k")

    cipher = open_keyring(None, tmp_path).encrypt(b"secret")

    assert open_keyring(None, tmp_path).decrypt(cipher) == b"secret"


def test_two_first_starts_at_once_end_with_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as starts:
        keyrings = list(starts.map(lambda _: open_keyring(None, tmp_path), range(8)))

    cipher = keyrings[0].encrypt(b"secret")
    assert [keyring.decrypt(cipher) for keyring in keyrings] == [b"secret"] * 8
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    open_keyring(None, tmp_path)
    (tmp_path / "key").chmod(mode)

    with pytest.raises(KeyFileOpen, match=r"chmod 600"):
        open_keyring(None, tmp_path)


def test_the_environments_keys_come_before_the_file(tmp_path: Path) -> None:
    given = new_key()

    keyring = open_keyring(f"{given}, {new_key()}", tmp_path)

    assert Keyring([given]).decrypt(keyring.encrypt(b"secret")) == b"secret"
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize(
    "key", ["short", "", "x" * 44, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,broken"]
)
def test_a_malformed_key_is_refused_without_being_shown(tmp_path: Path, key: str) -> None:
    with pytest.raises(KeyMalformed, match="of INTERLOCK_KEY is not a Fernet key") as refusal:
        open_keyring(key, tmp_path)

    assert not key or key not in str(refusal.value)


def test_a_keyring_never_shows_its_keys() -> None:
    key = new_key()

    assert key not in repr(Keyring([key])) + str(vars(Keyring([key])))
