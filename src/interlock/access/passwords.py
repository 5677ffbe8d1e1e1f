"""Passwords: what makes one too weak, and how one is kept. No rule about kinds of characters: length is what counts."""

import anyio.to_thread
from anyio import CapacityLimiter
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

SHORTEST = 15
LONGEST = 200
_FEWEST_DIFFERENT = 6
_RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol",
)
_COMMON = (
    "password",
    "passwort",
    "letmein",
    "welcome",
    "iloveyou",
    "administrator",
    "admin",
    "changeme",
    "interlock",
    "shopify",
    "mirakl",
    "marketplace",
    "monkey",
    "dragon",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "master",
    "secret",
    "trustno",
    "qwerty",
    "qwertz",
    "azerty",
)
_AT_A_TIME = 2


class PasswordTooWeak(ValueError):
    """A password others would guess; the sentence never repeats it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why} Nothing was changed. Take at least {SHORTEST} characters, for example four or five words that belong "
            "together only for you; no other rule."
        )


def check_password(password: str, handle: str) -> None:
    """Raise PasswordTooWeak when the password is short, long, or among those that are tried first.

    Those are lists of leaked passwords in practice. Of that length they are nearly all made of one or two common words,
    runs of the keyboard, repetitions and digits, so what is left after taking those away has to be a password still.
    """
    if len(password) < SHORTEST:
        raise PasswordTooWeak(f"This password is shorter than {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise PasswordTooWeak(f"This password is longer than {LONGEST} characters.")
    plain = "".join(sign for sign in password.lower() if sign.isalnum())
    if len(set(password)) < _FEWEST_DIFFERENT or _repeats(plain):
        raise PasswordTooWeak("This password repeats itself.")
    rest = plain
    for word in sorted(
        (*_COMMON, *(part for part in handle.lower().split(".") if len(part) > 2)), key=len, reverse=True
    ):
        rest = rest.replace(word, "")
    rest = _without_runs(rest)
    if len("".join(sign for sign in rest if not sign.isdigit())) + len(set(password) - set(plain)) < 4:
        raise PasswordTooWeak(
            "This password is one of those that are tried first: common words, rows of keys and digits."
        )


def _repeats(plain: str) -> bool:
    """Whether the text is one piece over and over."""
    return any(
        plain == (plain[:length] * (len(plain) // length + 1))[: len(plain)]
        for length in range(1, len(plain) // 2 + 1)
    )


def _without_runs(text: str) -> str:
    """The text without pieces of four and more that follow the alphabet, the digits or a row of keys."""
    runs = [*_RUNS, *(run[::-1] for run in _RUNS)]
    left, at = "", 0
    while at < len(text):
        length = next(
            (n for n in range(len(text) - at, 3, -1) if any(text[at : at + n] in run for run in runs)), 0
        )
        if length:
            at += length
        else:
            left += text[at]
            at += 1
    return left


class Passwords:
    """Hashes passwords with argon2id, on threads and few at a time: each takes 64 MiB and a good part of a second."""

    def __init__(self, hasher: Argon2Hasher | None = None) -> None:
        self._hash = PasswordHash((hasher or Argon2Hasher(),))
        self._limiter = CapacityLimiter(_AT_A_TIME)
        self._nobodys = self._hash.hash("nobody has this password")

    async def hashed(self, password: str) -> str:
        """The password as it is kept."""
        return await anyio.to_thread.run_sync(self._hash.hash, password, limiter=self._limiter)

    async def right(self, password: str, kept: str | None) -> bool:
        """Whether this is the password that was kept. Takes as long where there is none."""
        found = await anyio.to_thread.run_sync(
            self._hash.verify,
            password[:LONGEST],
            self._nobodys if kept is None else kept,
            limiter=self._limiter,
        )
        return found and kept is not None
