"""The edit desk over the API: preview, edit, progress, and every refusal with its field."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from interlock.access.audit_log import entries
from interlock.desk.store import desk_edits
from interlock.engine.store import ConnectionRow, counts
from interlock.orders.store import orders
from interlock.orders.texts import texts
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from interlock.storage.installation import open_installation
from tests.api.conftest import MakeKey
from tests.build import NOW, a_shopify_order, a_view, an_order, some_rules
from tests.console.seed import Wakes, keep
from tests.web.browser import Browser

RULES = some_rules(partial_cancelation=True, cancelation_reason="15")
LESS: dict[str, Any] = {"set": [{"line": "MUG", "quantity": 1}]}
WHO = {"who": "Ada", "why": "asked by phone"}


@pytest.fixture
def order(database: Database, connection: ConnectionRow, keyring: Keyring) -> int:
    with database.begin() as c:
        open_installation(c, keyring, "test", NOW)
        return keep(c, connection, a_view(rules=RULES))[0]


@pytest.fixture
def headers(key: MakeKey) -> dict[str, str]:
    return key("orders:read", "orders:edit", name="crm")


def version(program: Browser, headers: dict[str, str]) -> str:
    answer = program.post("/v1/orders/1001/edit-preview", json=LESS, headers=headers)
    assert answer.status_code == 200
    return str(answer.json()["version"])


def nothing_was_kept(database: Database) -> bool:
    with database.begin() as c:
        kept = [
            c.execute(select(func.count()).select_from(table)).scalar_one() for table in (desk_edits, texts)
        ]
        return kept == [0, 0] and c.execute(select(orders.c.hints)).scalar_one() == 0


def test_a_preview_has_calls_money_and_a_version(
    program: Browser, headers: dict[str, str], database: Database, order: int
) -> None:
    found = program.post("/v1/orders/M-1001-A/edit-preview", json=LESS, headers=headers).json()

    assert [call["operation"] for call in found["calls"]] == ["OR30"]
    assert found["calls"][0]["lines"][0]["customer"] == "12.00"
    assert found["parcel"] == "may leave once the marketplace confirms"
    assert nothing_was_kept(database)


def test_an_edit_is_taken_signed_and_can_be_followed(
    program: Browser, headers: dict[str, str], database: Database, order: int, wakes: Wakes
) -> None:
    body = {**LESS, **WHO, "version": version(program, headers)}

    answer = program.post("/v1/orders/1001/edit", json=body, headers=headers)

    assert answer.status_code == 202
    edit = answer.json()["edit"]
    assert wakes.woken == [(order, "edits")]
    with database.begin() as c:
        assert c.execute(select(desk_edits.c.edit)).scalar_one()["who"] == "Ada (API key crm)"
    shown = program.get(f"/v1/orders/1001/edits/{edit}", headers=headers).json()
    assert (shown["state"], shown["steps"][0]["name"], shown["steps"][0]["state"]) == (
        "waiting",
        "Parcel held",
        "waits",
    )
    again = program.post("/v1/orders/1001/edit", json=body, headers=headers)
    assert (again.status_code, again.json()["error"]) == (409, "edit_running")


@pytest.mark.parametrize(
    ("body", "status", "error", "field"),
    [
        ({"set": [{"line": "CUP", "quantity": 1}]}, 422, "unknown_line", "set[0].line"),
        ({"set": [{"line": "MUG", "quantity": -1}]}, 422, "invalid", "set.0.quantity"),
        ({"set": [{"line": "MUG", "quantity": 1.5}]}, 422, "invalid", "set.0.quantity"),
        ({"set": [{"line": "MUG", "quantity": "1"}]}, 422, "invalid", "set.0.quantity"),
        ({"set": [{"line": "MUG", "quantity": True}]}, 422, "invalid", "set.0.quantity"),
        ({"quantities": {"MUG": 1}}, 422, "invalid", "quantities"),
        ({**LESS, "currency": "USD"}, 422, "currency_differs", "currency"),
        ({**LESS, "cancel": True}, 422, "too_much_asked", "cancel"),
        ({}, 422, "nothing_asked", "edit"),
        ({"undo": True}, 422, "nothing_to_undo", "undo"),
        ({"address": {"street": "x"}}, 422, "unknown_field", "address.street"),
        ({"address": {"country_code": "Mordor"}}, 422, "invalid_address", "address.country_code"),
        ({"address": {"country_code": "FR", "city": "Paris"}}, 422, "address_incomplete", "address"),
    ],
)
def test_what_cannot_be_previewed_names_its_field_and_is_counted(
    program: Browser,
    headers: dict[str, str],
    database: Database,
    order: int,
    body: dict[str, Any],
    status: int,
    error: str,
    field: str,
) -> None:
    answer = program.post("/v1/orders/1001/edit-preview", json=body, headers=headers)

    assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (status, error, field)
    assert "Nothing was changed." in answer.json()["detail"]
    assert nothing_was_kept(database)
    with database.begin() as c:
        assert ("preview_refused", error) in counts(c) or ("api_refused", "invalid") in counts(c)


@pytest.mark.parametrize(
    ("changes", "status", "error", "field"),
    [
        ({"version": "0000"}, 409, "stale_version", "version"),
        ({"who": "  "}, 422, "name_missing", "who"),
        ({"why": ""}, 422, "invalid", "why"),
        ({"who": "Ada\0"}, 422, "invalid", "who"),
        ({"why": "by phone\u202e"}, 422, "invalid", "why"),
        ({"set": [{"line": "MUG", "quantity": 4}]}, 422, "not_possible", "edit"),
        ({"decision": "ship_it"}, 422, "option_not_legal", "decision"),
        ({"decision": "undo_in_shopify"}, 422, "option_not_legal", "decision"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    program: Browser,
    headers: dict[str, str],
    database: Database,
    order: int,
    changes: dict[str, Any],
    status: int,
    error: str,
    field: str,
) -> None:
    body = {**LESS, **WHO, "version": version(program, headers), **changes}

    answer = program.post("/v1/orders/1001/edit", json=body, headers=headers)

    assert (answer.status_code, answer.json()["error"], answer.json()["field"]) == (status, error, field)
    assert nothing_was_kept(database)


@pytest.mark.parametrize("state", ["SHIPPED", "CANCELED", "REFUSED", "RECEIVED"])
def test_a_closed_order_is_neither_previewed_nor_edited(
    program: Browser,
    headers: dict[str, str],
    database: Database,
    connection: ConnectionRow,
    state: str,
) -> None:
    with database.begin() as c:
        keep(c, connection, a_view(rules=RULES, mirakl=an_order(state), shopify=a_shopify_order()))

    preview = program.post("/v1/orders/1001/edit-preview", json=LESS, headers=headers)
    edit = program.post("/v1/orders/1001/edit", json={**LESS, **WHO, "version": "v"}, headers=headers)

    assert (preview.status_code, preview.json()["error"]) == (409, "order_closed")
    assert (edit.status_code, edit.json()["error"]) == (409, "order_closed")
    assert nothing_was_kept(database)


def test_scopes_are_asked_for_and_strangers_are_not_found(
    program: Browser, key: MakeKey, headers: dict[str, str], order: int
) -> None:
    reader = key("orders:read", name="reader")

    edit = program.post("/v1/orders/1001/edit", json={**LESS, **WHO, "version": "v"}, headers=reader)
    nobody = program.post("/v1/orders/M-404/edit-preview", json=LESS, headers=headers)
    no_edit = program.get("/v1/orders/1001/edits/none", headers=reader)

    assert (edit.status_code, edit.json()["error"]) == (403, "scope_missing")
    assert (nobody.status_code, nobody.json()["field"]) == (404, "number")
    assert no_edit.status_code == 404


def test_no_answer_repeats_an_address(
    program: Browser, headers: dict[str, str], database: Database, order: int
) -> None:
    address = {
        "last_name": "Hopper",
        "line1": "1 Navy Yard",
        "city": "Arlington",
        "postcode": "22202",
        "country_code": "US",
    }
    seen = program.post("/v1/orders/1001/edit-preview", json={"address": address}, headers=headers)
    body = {"address": address, **WHO, "version": seen.json()["version"], "decision": "done_in_portal"}
    asked = program.post("/v1/orders/1001/edit", json=body, headers=headers)

    assert (seen.status_code, asked.status_code) == (200, 202)
    with database.begin() as c:
        kept = json.dumps(c.execute(select(desk_edits.c.edit)).scalar_one())
    for said in (seen.text, asked.text, kept):
        assert "Hopper" not in said
        assert "Navy" not in said


def test_the_description_for_programs_names_the_calls(program: Browser) -> None:
    paths = program.get("/v1/openapi.json").json()["paths"]

    assert {
        "/orders/{number}/edit-preview",
        "/orders/{number}/edit",
        "/orders/{number}/edits/{edit_id}",
    } <= set(paths)


def test_what_a_program_changes_is_in_the_audit_log_and_what_is_refused_is_not(
    program: Browser, headers: dict[str, str], database: Database, order: int
) -> None:
    seen = version(program, headers)
    program.post("/v1/orders/1001/edit", json={**LESS, **WHO, "version": "0"}, headers=headers)
    program.post("/v1/orders/1001/edit", json={**LESS, **WHO, "version": seen}, headers=headers)

    with database.begin() as c:
        kept = [(entry.who, entry.did, entry.subject) for entry in entries(c) if entry.did != "api_key_made"]
    assert kept == [("API key crm", "changed", "/v1/orders/1001/edit")]
