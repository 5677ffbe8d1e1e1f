"""A console with accounts, and people who sign in at it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pyotp
import pytest
from argon2 import Type
from fastapi import FastAPI
from pwdlib.hashers.argon2 import Argon2Hasher

from interlock.access import people, sessions
from interlock.access.passwords import Passwords
from interlock.access.roles import Grant, Role
from interlock.access.rules import AccessRules
from interlock.console.doors import SESSION
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.console.seed import Numbered, Stopped, Wakes
from tests.web.browser import Browser

PASSWORD = "an owl reads by lamplight"
KEY = b"the key of digests"
RULES = AccessRules()

People = Callable[..., int]
SignedIn = Callable[..., Browser]


@pytest.fixture(scope="session")
def passwords() -> Passwords:
    """Argon2 that is quick, for tests of everything but its strength."""
    return Passwords(Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1, type=Type.ID))


@pytest.fixture
def clock() -> Stopped:
    return Stopped()


@pytest.fixture
def wakes() -> Wakes:
    return Wakes()


@pytest.fixture
def app(store: InlineStore, keyring: Keyring, clock: Stopped, wakes: Wakes, passwords: Passwords) -> FastAPI:
    """The console as `serve` makes it: everybody signs in."""
    return create_app(
        WebParts(store, clock, Numbered(), wakes, keyring, address_key=KEY, rules=RULES, passwords=passwords)
    )


@pytest.fixture
def stranger(app: FastAPI) -> Browser:
    """Somebody who is not signed in."""
    return Browser(app)


@pytest.fixture
def somebody(database: Database, keyring: Keyring, clock: Stopped, passwords: Passwords) -> People:
    """Make an account that can sign in, with an authenticator app unless it is asked for without."""
    import asyncio

    hashed = asyncio.run(passwords.hashed(PASSWORD))

    def make(handle: str, *roles: Role | Grant, app: str | None = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP") -> int:
        given = [Grant(role) if isinstance(role, Role) else role for role in roles]
        with database.begin() as c:
            number = people.add_person(c, keyring, handle, f"{handle} Canary", "", given, "test", clock.now())
            people.keep_password(c, keyring, number, hashed)
            if app is not None:
                people.offer_second_factor(c, keyring, number, app)
                earlier = clock.now() - timedelta(minutes=10)
                assert people.confirm_second_factor(
                    c, keyring, number, code_of(app, earlier.timestamp()), earlier
                )
        return number

    return make


@pytest.fixture
def signed_in(app: FastAPI, database: Database, keyring: Keyring, clock: Stopped) -> SignedIn:
    """A browser in which the person with this row number is signed in."""

    def sign_in(person_id: int) -> Browser:
        with database.begin() as c:
            token = sessions.begin(c, keyring, person_id, "Test browser", clock.now(), RULES.longest)
        browser = Browser(app)
        browser.keep_cookie(RULES.cookie(SESSION), token)
        return browser

    return sign_in


def code_of(secret: str, moment: float) -> str:
    return pyotp.TOTP(secret).generate_otp(int(moment) // 30)


def secret_on(page: str) -> str:
    """The key that the page of a second factor shows."""
    found = re.search(r"Key: <code>([A-Z2-7 ]+)</code>", page)
    assert found is not None
    return found[1].replace(" ", "")
