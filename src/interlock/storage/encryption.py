"""Encryption of credentials and personal data at rest, with keys that can be replaced while running."""

import contextlib
import os
import stat
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class KeyRefused(Exception):
    """The encryption key cannot be used as it is; the sentence says what to do, never the key."""


class KeyFileUnusable(KeyRefused):
    """The key file can neither be read nor made."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(
            f"The key file {path} can neither be read nor made: {error.strerror or type(error).__name__}. Nothing was changed. "
            "INTERLOCK_DATA_FOLDER has to name a folder that whoever starts Interlock may read and write."
        )


class KeyMalformed(KeyRefused):
    """A key is not 32 bytes in URL-safe base64."""

    def __init__(self, source: str, position: int) -> None:
        super().__init__(
            f"Key number {position} of {source} is not a Fernet key (32 bytes in URL-safe base64, 44 characters). "
            f"Nothing was decrypted. Correct it, or make a new one with `interlock db new-key`."
        )


class KeyFileOpen(KeyRefused):
    """Others than the owner may read the key file."""

    def __init__(self, path: Path, mode: int) -> None:
        super().__init__(
            f"The key file {path} has mode {mode:04o}, so others than its owner can read the key that protects "
            f"credentials and personal data. Close it with `chmod 600 {path}`; if others may have read it, put a new "
            f"key in front of it and start again."
        )


class Undecipherable(Exception):
    """A stored value was made with a key that is not at hand, or was changed."""

    def __init__(self) -> None:
        super().__init__(
            "A stored value cannot be decrypted: the key it was written with is not among the keys given, or the value "
            "was altered. Add the former key after the present one in INTERLOCK_KEY or in the key file."
        )


class Keyring:
    """Keys in order: the first encrypts, every one decrypts. Its text form never shows a key."""

    def __init__(self, keys: list[str], source: str = "the keyring") -> None:
        fernets = []
        for position, key in enumerate(keys, start=1):
            try:
                fernets.append(Fernet(key))
            except ValueError:
                raise KeyMalformed(source, position) from None
        if not fernets:
            raise KeyMalformed(source, 1)
        self._first = fernets[0]
        self._fernets = MultiFernet(fernets)
        self._source = source

    def __repr__(self) -> str:
        return f"Keyring from {self._source}"

    def encrypt(self, plain: bytes) -> bytes:
        """Ciphertext of `plain`, about a third longer, with the first key."""
        return self._fernets.encrypt(plain)

    def decrypt(self, cipher: bytes) -> bytes:
        """The bytes once given to `encrypt`. Raises Undecipherable."""
        try:
            return self._fernets.decrypt(cipher)
        except InvalidToken:
            raise Undecipherable from None

    def is_current(self, cipher: bytes) -> bool:
        """Whether the first key alone can read the value."""
        try:
            self._first.decrypt(cipher)
        except InvalidToken:
            return False
        return True

    def reencrypt(self, cipher: bytes) -> bytes:
        """The same value under the first key, for retiring a former one. Raises Undecipherable."""
        try:
            return self._fernets.rotate(cipher)
        except InvalidToken:
            raise Undecipherable from None


def new_key() -> str:
    """A new random key in the form that INTERLOCK_KEY takes."""
    return Fernet.generate_key().decode()


def open_keyring(key: str | None, data_folder: Path) -> Keyring:
    """The keyring of an installation: `key` (comma separated) if given, else the file `key` in the data folder.

    The file holds one key a line, is made with mode 0600 when missing, and is refused (KeyFileOpen) when
    others may read it, and where it cannot be used (KeyFileUnusable). Raises KeyMalformed.
    """
    if key is not None:
        return Keyring([part.strip() for part in key.split(",")], "INTERLOCK_KEY")
    path = data_folder / "key"
    try:
        if not path.exists():
            _make_key_file(path)
        with path.open() as file:
            status = os.fstat(file.fileno())
            if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise KeyFileOpen(path, stat.S_IMODE(status.st_mode))
            lines = [line.strip() for line in file]
    except OSError as error:
        raise KeyFileUnusable(path, error) from error
    return Keyring([line for line in lines if line], f"the key file {path}")


def _make_key_file(path: Path) -> None:
    """Write a new key beside its place and link it there: two first starts at once end with one key."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    # A name nobody else has, mode 0600: process numbers are the same in every container.
    descriptor, name = tempfile.mkstemp(prefix="key.", suffix=".new", dir=path.parent)
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(new_key() + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(unfinished, path)
    finally:
        unfinished.unlink()
