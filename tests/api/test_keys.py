"""A program proves who it is with a key, and every way that can fail is answered in words."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from interlock.access.store import KeyRefused, all_keys, api_keys, key_of, make_key, revoke_key
from interlock.api.gate import BURST
from interlock.engine.store import ConnectionRow, counts
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.api.conftest import MakeKey
from tests.build import NOW
from tests.console.seed import TESTER, Numbered, Stopped, Wakes
from tests.web.browser import Browser


class Running(Stopped):
    """A clock whose monotonic time is its own time."""

    def monotonic(self) -> float:
        return self.moment.timestamp()


@pytest.fixture
def stopped() -> Stopped:
    return Running()


def refused(database: Database) -> dict[str, int]:
    with database.begin() as c:
        return {label: number for (name, label), number in counts(c).items() if name == "api_refused"}


def test_a_key_opens_what_its_scopes_say(program: Browser, key: MakeKey, connection: ConnectionRow) -> None:
    response = program.get("/v1/key", headers=key("labels:check", "orders:read"))

    assert response.status_code == 200
    shown = response.json()
    assert isinstance(shown.pop("id"), int)
    assert shown == {
        "name": "warehouse",
        "scopes": ["labels:check", "orders:read"],
        "connections": [],
        "person": "",
    }
    only = program.get("/v1/key", headers=key("orders:read", name="one", connections=[connection.id])).json()
    assert only["connections"] == ["atlas"]


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ({}, "key_missing"),
        ({"Authorization": "Basic YWRhOmFkYQ=="}, "key_missing"),
        ({"Authorization": "Bearer "}, "key_missing"),
        ({"Authorization": "Bearer il_1_short"}, "key_invalid"),
        ({"Authorization": f"Bearer il_1_{'a' * 43}"}, "key_invalid"),
        ({"Authorization": f"Bearer il_{'9' * 30}_{'a' * 43}"}, "key_invalid"),
    ],
)
def test_without_a_good_key_nothing_is_answered(
    program: Browser, database: Database, key: MakeKey, headers: dict[str, str], error: str
) -> None:
    key("labels:check")

    response = program.get("/v1/key", headers=headers)

    assert (response.status_code, response.json()["error"]) == (401, error)
    assert "interlock api-key create" in response.json()["detail"]
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert refused(database) == {error: 1}


def test_a_secret_of_another_key_opens_nothing(program: Browser, key: MakeKey) -> None:
    one, other = key("orders:read"), key("orders:read", name="other")
    secret = one["Authorization"].rpartition("_")[2]
    mixed = other["Authorization"].rpartition("_")[0]

    response = program.get("/v1/key", headers={"Authorization": f"{mixed}_{secret}"})

    assert response.json()["error"] == "key_invalid"


def test_a_revoked_key_stops_within_two_seconds(
    program: Browser, database: Database, key: MakeKey, stopped: Running
) -> None:
    headers = key("orders:read")
    assert program.get("/v1/key", headers=headers).status_code == 200
    with database.begin() as c:
        [one] = all_keys(c)
        revoke_key(c, one.id, "Ada Admin", NOW)

    stopped.moment += timedelta(seconds=2)
    response = program.get("/v1/key", headers=headers)

    assert (response.status_code, response.json()["error"]) == (401, "key_revoked")
    assert "'warehouse' was revoked" in response.json()["detail"]


def test_a_key_that_is_used_too_fast_is_told_to_wait(
    program: Browser, database: Database, key: MakeKey, stopped: Running
) -> None:
    headers = key("orders:read")
    answers = [program.get("/v1/key", headers=headers).status_code for _ in range(int(BURST) + 1)]

    assert answers == [200] * int(BURST) + [429]
    stopped.moment += timedelta(seconds=1)
    assert program.get("/v1/key", headers=headers).status_code == 200
    assert refused(database) == {"too_many_calls": 1}


def test_use_is_counted_and_the_last_one_dated(
    program: Browser, database: Database, key: MakeKey, stopped: Running
) -> None:
    headers = key("orders:read")
    for _ in range(3):
        program.get("/v1/key", headers=headers)
    stopped.moment += timedelta(seconds=11)
    program.get("/v1/key", headers=headers)

    with database.begin() as c:
        [one] = all_keys(c)
        assert counts(c)[("api_calls", "")] == 4
    assert (one.calls, one.last_used_at) == (4, stopped.moment)


def test_the_secret_is_nowhere_in_the_database(database: Database, key: MakeKey) -> None:
    secret = key("orders:read")["Authorization"].rpartition("_")[2]

    with database.begin() as c:
        row = c.execute(select(api_keys)).one()
    assert secret not in json.dumps([str(value) for value in row])


@pytest.mark.parametrize(
    ("name", "scopes", "who", "field"),
    [
        ("", ["orders:read"], "Ada", "name"),
        ("x" * 61, ["orders:read"], "Ada", "name"),
        ("two\nlines", ["orders:read"], "Ada", "name"),
        ("warehouse", [], "Ada", "scope"),
        ("warehouse", ["orders:write"], "Ada", "scope"),
        ("warehouse", ["orders:read"], " ", "who"),
        ("taken", ["orders:read"], "Ada", "name"),
    ],
)
def test_a_key_that_cannot_be_made_says_why(
    database: Database, name: str, scopes: list[str], who: str, field: str
) -> None:
    with database.begin() as c:
        make_key(c, "taken", ["orders:read"], "Ada", NOW)
        with pytest.raises(KeyRefused, match=r"Nothing was changed") as wrong:
            make_key(c, name, scopes, who, NOW)
        assert wrong.value.field == field
        assert len(all_keys(c)) == 1


def test_a_name_is_free_again_once_its_key_is_revoked(database: Database) -> None:
    with database.begin() as c:
        first, token = make_key(c, "warehouse", ["orders:read"], "Ada", NOW)
        revoked = revoke_key(c, first.id, "Bo", NOW)
        make_key(c, "warehouse", ["orders:read"], "Ada", NOW)
        found = key_of(c, token)
        again = revoke_key(c, first.id, "Cy", NOW + timedelta(hours=1))
        assert revoke_key(c, 10**6, "Ada", NOW) is None
    assert found == revoked == again
    assert revoked is not None
    assert (revoked.revoked_at, revoked.revoked_by) == (NOW, "Bo")


# -- the application around it ------------------------------------------------------------------------------


def test_the_api_describes_itself_without_a_key(program: Browser) -> None:
    document = program.get("/v1/openapi.json").json()

    assert document["openapi"].startswith("3.")
    assert document["servers"] == [{"url": "/v1"}]
    assert document["components"]["securitySchemes"]["API key"]["scheme"] == "bearer"
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            assert {"401", "403", "429", "503"} <= set(operation["responses"]), (path, method)
            assert operation["security"] == [{"API key": []}], (path, method)


@pytest.mark.parametrize(
    ("path", "method", "status", "error"),
    [
        ("/v1/", "GET", 404, "not_found"),
        ("/v1/nothing", "GET", 404, "not_found"),
        ("/v1/key", "POST", 405, "method_not_allowed"),
    ],
)
def test_a_wrong_address_is_answered_in_json(
    program: Browser, path: str, method: str, status: int, error: str
) -> None:
    response = program.get(path) if method == "GET" else program.post(path, content=b"{}")

    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["detail"].endswith(".")


def test_a_database_that_is_away_is_said(keyring: Keyring) -> None:
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none", pool_size=1)
    program = Browser(
        create_app(WebParts(InlineStore(database), Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER))
    )

    response = program.get("/v1/key", headers={"Authorization": f"Bearer il_1_{'a' * 43}"})

    assert (response.status_code, response.json()["error"]) == (503, "database_unavailable")
    database.dispose()


@pytest.mark.parametrize(
    ("host", "status"),
    [("interlock.example", 200), ("interlock.example:8443", 200), ("evil.example", 421), ("localhost", 200)],
)
def test_the_api_answers_under_the_names_configured_for_it_and_the_console_does_not(
    store: InlineStore, keyring: Keyring, key: MakeKey, host: str, status: int
) -> None:
    parts = WebParts(
        store, Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER, api_hosts=("interlock.example",)
    )
    program = Browser(create_app(parts), f"http://{host}")

    assert program.get("/v1/key", headers=key("orders:read")).status_code == status
    assert program.get("/").status_code == (200 if host == "localhost" else 421)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_that_is_too_long_is_not_read(program: Browser, key: MakeKey, method: str) -> None:
    content = b"x" * (256 * 1024 + 1)
    response = program.ask(method, "/v1/key", content=content, headers=key("orders:read"))

    assert (response.status_code, response.json()["error"]) == (413, "body_too_large")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_body_that_does_not_say_how_long_it_is_is_not_read(program: Browser, method: str) -> None:
    headers = {"Transfer-Encoding": "chunked"}
    response = program.ask(method, "/v1/connections/atlas/skus/X1", content=endless(), headers=headers)

    assert (response.status_code, response.json()["error"]) == (411, "length_required")


async def endless() -> AsyncIterator[bytes]:
    """A body that ends only because somebody read far too much of it."""
    yield b'{"shop_sku": "'
    raise AssertionError("the body was read")
