"""Passwords: what makes one too weak, and how one is kept. No rule about kinds of characters: length is what counts."""

import re

import anyio.to_thread
from anyio import CapacityLimiter
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn import zxcvbn

SHORTEST = 15
LONGEST = 200
_FEWEST_GUESSES = 3 * 10**12
"""So many guesses a password has to stand, counted as zxcvbn does: lists of leaked passwords, words, names, dates, rows of
keys and repetitions are tried first. Hashing lets an attacker make about ten a second with each processor."""
_LOOKED_AT = 72
"""zxcvbn's time grows with the square of the length; what comes later only makes a password better."""
_OURS = ("interlock", "shopify", "mirakl", "marketplace")
_AT_A_TIME = 2


class PasswordTooWeak(ValueError):
    """A password others would guess; the sentence never repeats it."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why} Nothing was changed. Take at least {SHORTEST} characters, for example four or five words that belong "
            "together only for you; no other rule."
        )


def check_password(password: str, handle: str) -> None:
    """Raise PasswordTooWeak when the password is short, long, or would be guessed soon: for that it is compared with the
    30,000 most common leaked passwords and with what people build them from, the sign-in name among it."""
    if len(password) < SHORTEST:
        raise PasswordTooWeak(f"This password is shorter than {SHORTEST} characters.")
    if len(password) > LONGEST:
        raise PasswordTooWeak(f"This password is longer than {LONGEST} characters.")
    parts = [part for part in re.split(r"[._-]", handle) if len(part) > 2]
    judged = zxcvbn(password[:_LOOKED_AT], user_inputs=[*_OURS, handle, *parts])
    if judged["guesses"] < _FEWEST_GUESSES:
        raise PasswordTooWeak(
            "This password is one of those that are tried first: common passwords and words, names, dates, rows of keys, "
            "repetitions."
        )


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
