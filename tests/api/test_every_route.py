"""Every route of `/v1`, as its own description lists them, with every scope, every role, and no key at all."""

import re

import pytest

from interlock.access import people
from interlock.access.roles import PERMISSIONS, Grant, Permission, Person, Role
from interlock.access.store import PERMISSION_OF, Scope, make_key
from interlock.api.application import ApiParts, create_api
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from tests.api.conftest import MakeKey
from tests.build import NOW
from tests.console.seed import Numbered, Stopped, Wakes
from tests.web.browser import Browser

EXPECTED = {
    "GET /key": "",
    "GET /label-check": "labels:check",
    "POST /label-check/override": "labels:override",
    "GET /orders": "orders:read",
    "GET /orders/{number}": "orders:read",
    "GET /orders/{number}/explain": "orders:read",
    "POST /orders/{number}/edit-preview": "orders:read",
    "POST /orders/{number}/edit": "orders:edit",
    "GET /orders/{number}/edits/{edit_id}": "orders:read",
    "GET /cases": "cases:read",
    "GET /cases/catalogue": "cases:read",
    "GET /cases/{case}": "cases:read",
    "POST /cases/{case}/answer": "cases:answer",
    "GET /cases/{case}/assignee": "cases:read",
    "PUT /cases/{case}/assignee": "cases:work",
    "POST /cases/{case}/comments": "cases:work",
    "POST /cases/{case}/snooze": "cases:work",
    "GET /decisions": "cases:read",
    "GET /connections": "mappings:read",
    "GET /connections/{connection}/carriers": "mappings:read",
    "PUT /connections/{connection}/carriers/{shop_name}": "mappings:write",
    "DELETE /connections/{connection}/carriers/{shop_name}": "mappings:write",
    "GET /connections/{connection}/skus": "mappings:read",
    "PUT /connections/{connection}/skus/{mirakl_sku}": "mappings:write",
    "DELETE /connections/{connection}/skus/{mirakl_sku}": "mappings:write",
    "GET /connections/{connection}/bundles": "mappings:read",
    "PUT /connections/{connection}/bundles/{mirakl_sku}": "mappings:write",
    "DELETE /connections/{connection}/bundles/{mirakl_sku}": "mappings:write",
    "GET /connections/{connection}/reasons": "mappings:read",
    "PUT /connections/{connection}/reasons/{use}": "mappings:write",
    "GET /connections/{connection}/methods": "mappings:read",
    "PUT /connections/{connection}/methods/{code}": "mappings:write",
    "DELETE /connections/{connection}/methods/{code}": "mappings:write",
    "GET /connections/{connection}/offers": "mappings:read",
    "GET /skus": "mappings:read",
    "GET /health": "health:read",
    "GET /health/objectives": "health:read",
}
"""What each route needs; empty where any key may ask."""


@pytest.fixture
def described(store: InlineStore, keyring: Keyring) -> dict[str, str]:
    app = create_api(ApiParts(store, Stopped(), Numbered(), Wakes(), keyring))
    return {
        f"{method.upper()} {path}": operation["x-scope"]
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }


def test_the_description_has_every_route_and_what_it_needs(described: dict[str, str]) -> None:
    assert described == EXPECTED


def asked(program: Browser, route: str, headers: dict[str, str] | None) -> tuple[int, str, str]:
    """Ask with nothing that a route could take: who may not ask is told so before anything else is looked at."""
    method, path = route.split(" ")
    body: dict[str, str] | None = None if method == "GET" else {}
    answer = program.ask(method, "/v1" + re.sub(r"\{\w+\}", "1", path), headers=headers, json=body)
    said = answer.json() if answer.status_code >= 400 else {}
    return answer.status_code, said.get("error", ""), said.get("detail", "")


def test_nobody_asks_without_a_key(program: Browser, described: dict[str, str]) -> None:
    for route in described:
        assert asked(program, route, None)[0] == 401, route


@pytest.mark.parametrize("scope", list(Scope))
def test_a_scope_opens_its_own_routes_and_no_other(
    program: Browser, key: MakeKey, connection: ConnectionRow, described: dict[str, str], scope: Scope
) -> None:
    only, without = key(scope.value, name="only"), key(*(s for s in Scope if s is not scope), name="without")
    for route, needed in described.items():
        opened = asked(program, route, only)
        if needed in ("", scope.value):
            assert opened[0] not in (401, 403), (route, opened)
        else:
            assert opened[:2] == (403, "scope_missing"), (route, opened)
            assert needed in opened[2]
        if needed == scope.value:
            assert asked(program, route, without)[:2] == (403, "scope_missing"), route


@pytest.mark.parametrize("role", list(Role))
def test_a_personal_key_opens_what_the_role_of_its_person_gives(
    program: Browser,
    database: Database,
    keyring: Keyring,
    connection: ConnectionRow,
    described: dict[str, str],
    role: Role,
) -> None:
    with database.begin() as c:
        number = people.add_person(c, keyring, "ada", "Ada", "", [Grant(role)], "test", NOW)
        owner = Person(number, "ada", (Grant(role),))
        _, token = make_key(c, "own", [scope.value for scope in Scope], "ada", NOW, owner)
    headers = {"Authorization": f"Bearer {token}"}
    for route, needed in described.items():
        permission = PERMISSION_OF.get(Scope(needed), Permission.SEE) if needed else Permission.SEE
        status, error, _ = asked(program, route, headers)
        if not needed or permission in PERMISSIONS[role]:
            assert status not in (401, 403), (route, status, error)
        else:
            assert (status, error) == (403, "right_missing"), route
