"""What a program reads and keeps of bundles and reason codes."""

from typing import Any

import pytest

from interlock.console.reason_codes import reason_map
from interlock.engine.store import ConnectionRow, map_history, one_connection
from interlock.offers.matching import Component
from interlock.offers.store import bundles
from interlock.storage.database import Database
from tests.api.conftest import MakeKey
from tests.cli.test_reasons import takes
from tests.console.seed import Wakes, keep, sku_unknown
from tests.web.browser import Browser

BUNDLES = "/v1/connections/atlas/bundles"
REASONS = "/v1/connections/atlas/reasons"
SET: dict[str, Any] = {
    "components": [{"shop_sku": "MUG", "units": 4}, {"shop_sku": "LID", "units": 1}],
    "who": "Olga",
}


@pytest.fixture
def headers(key: MakeKey, connection: ConnectionRow) -> dict[str, str]:
    return key("mappings:read", "mappings:write")


@pytest.fixture
def told(database: Database, connection: ConnectionRow) -> None:
    """The marketplace has told which reasons a shop may give, and cancelations give 34."""
    with database.begin() as c:
        takes(c, connection)


@pytest.fixture
def waiting(database: Database, connection: ConnectionRow) -> int:
    """The row of an order that waits because of an unknown SKU."""
    with database.begin() as c:
        order_id, _ = keep(c, connection, sku_unknown())
    return order_id


def test_a_bundle_is_told_once_changed_by_version_and_dropped(
    program: Browser, database: Database, connection: ConnectionRow, headers: dict[str, str]
) -> None:
    place = f"{BUNDLES}/SET%2F1"
    first = program.put(place, headers=headers, json=SET)
    same = {**SET, "components": SET["components"][::-1]}
    again = program.put(place, headers=headers, json=same)
    other = {"components": [{"shop_sku": "MUG", "units": 6}], "who": "Ben"}
    blind = program.put(place, headers=headers, json=other)
    (entry,) = program.get(BUNDLES, headers=headers).json()
    seen = program.put(place, headers=headers, json={**other, "version": entry["version"]})
    stale = program.delete(f"{place}?who=Ben&why=sold&version={entry['version']}", headers=headers)
    (present,) = program.get(BUNDLES, headers=headers).json()
    with database.begin() as c:
        kept = bundles(c, connection.id)
    leave = f"{place}?who=Ben&why=sold%20out&version={present['version']}"
    gone = program.delete(leave, headers=headers)

    assert [answer.json() for answer in (first, again, seen, gone)] == [{"orders": 0, "left_out": 0}] * 4
    assert (entry["mirakl_sku"], entry["changed_by"]) == ("SET/1", "Olga (API key warehouse)")
    assert entry["components"] == [{"shop_sku": "LID", "units": 1}, {"shop_sku": "MUG", "units": 4}]
    for refused in (blind, stale):
        assert (refused.status_code, refused.json()["error"]) == (409, "stale_version")
    assert kept == {"SET/1": (Component("MUG", 6),)}
    missing = program.delete(leave, headers=headers)
    assert (missing.status_code, missing.json()["error"]) == (404, "not_mapped")
    with database.begin() as c:
        assert bundles(c, connection.id) == {}
        dropped, changed, made = map_history(c, connection.id, "bundles")
    assert (dropped.former, dropped.present, dropped.why) == ("6 x MUG", "", "sold out")
    assert (changed.former, changed.present) == ("1 x LID + 4 x MUG", "6 x MUG")
    assert (made.former, made.present) == ("", "1 x LID + 4 x MUG")


def test_an_order_that_waits_for_a_bundle_goes_on(
    program: Browser,
    headers: dict[str, str],
    wakes: Wakes,
    waiting: int,
) -> None:
    kept = program.put(f"{BUNDLES}/LAMP", headers=headers, json=SET)

    assert kept.json() == {"orders": 1, "left_out": 0}
    assert [woken for woken, _ in wakes.woken] == [waiting]


@pytest.mark.parametrize(
    ("place", "change", "status", "error", "field"),
    [
        ("atlas/bundles/SET", {"components": []}, 422, "invalid", "components"),
        (
            "atlas/bundles/SET",
            {"components": [{"shop_sku": "MUG", "units": 0}]},
            422,
            "invalid",
            "components.0.units",
        ),
        (
            "atlas/bundles/SET",
            {"components": [{"shop_sku": "MUG", "units": True}]},
            422,
            "invalid",
            "components.0.units",
        ),
        (
            "atlas/bundles/SET",
            {"components": [{"shop_sku": "A + 2 x B", "units": 1}]},
            422,
            "mapping_refused",
            "components",
        ),
        (
            "atlas/bundles/SET",
            {"components": [{"shop_sku": "MUG", "units": 1}, {"shop_sku": "MUG", "units": 2}]},
            422,
            "mapping_refused",
            "components",
        ),
        ("atlas/bundles/SET", {"who": " "}, 422, "invalid", "who"),
        ("atlas/bundles/SET", {"version": "an old one"}, 409, "stale_version", "version"),
        ("nobody/bundles/SET", {}, 404, "not_found", "connection"),
    ],
)
def test_a_bundle_that_cannot_be_kept_is_refused_in_words(
    program: Browser,
    database: Database,
    connection: ConnectionRow,
    headers: dict[str, str],
    place: str,
    change: dict[str, Any],
    status: int,
    error: str,
    field: str,
) -> None:
    answer = program.put(f"/v1/connections/{place}", headers=headers, json={**SET, **change})

    said = answer.json()
    assert (answer.status_code, said["error"], said["field"].removeprefix("body.")) == (status, error, field)
    with database.begin() as c:
        assert bundles(c, connection.id) == {}


@pytest.mark.usefixtures("told")
def test_a_reason_code_is_chosen_among_those_offered_and_changed_by_version(
    program: Browser, database: Database, connection: ConnectionRow, headers: dict[str, str]
) -> None:
    before = program.get(REASONS, headers=headers).json()
    general = program.put(f"{REASONS}/refund", headers=headers, json={"code": "15", "who": "Olga"})
    removed = {"code": "19", "edit": "line_removed", "who": "Olga"}
    special = program.put(f"{REASONS}/refund", headers=headers, json=removed)
    again = program.put(f"{REASONS}/refund", headers=headers, json=removed)
    blind = program.put(f"{REASONS}/refund", headers=headers, json={"code": "19", "who": "Ben"})
    version = next(
        entry["version"]
        for entry in program.get(REASONS, headers=headers).json()["entries"]
        if (entry["use"], entry["edit"]) == ("refund", "")
    )
    changed = program.put(
        f"{REASONS}/refund", headers=headers, json={"code": "19", "who": "Ben", "version": version}
    )

    (only,) = before["entries"]
    assert (only["use"], only["edit"], only["code"], only["label"]) == (
        "cancelation",
        "",
        "34",
        "Customer's wish",
    )
    assert before["offered"] == [
        {"use": "cancelation", "code": "34", "label": "Customer's wish"},
        {"use": "refund", "code": "15", "label": "Out of stock"},
        {"use": "refund", "code": "19", "label": "Damaged"},
    ]
    assert [answer.status_code for answer in (general, special, again, changed)] == [200] * 4
    assert (blind.status_code, blind.json()["error"]) == (409, "stale_version")
    with database.begin() as c:
        assert reason_map(one_connection(c, connection.id).rules) == {
            "cancelation": "34",
            "refund": "19",
            "refund line_removed": "19",
        }
        latest, _, first = map_history(c, connection.id, "reasons")
    assert (latest.name, latest.former, latest.present, latest.who) == (
        "refund",
        "15",
        "19",
        "Ben (API key warehouse)",
    )
    assert (first.former, first.present) == ("", "15")


@pytest.mark.usefixtures("told")
def test_the_orders_that_wait_are_looked_at_with_the_new_code(
    program: Browser,
    headers: dict[str, str],
    wakes: Wakes,
    waiting: int,
) -> None:
    kept = program.put(f"{REASONS}/refund", headers=headers, json={"code": "15", "who": "Olga"})

    assert kept.json() == {"orders": 1, "left_out": 0}
    assert [woken for woken, _ in wakes.woken] == [waiting]


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize(
    ("place", "body", "status", "error", "field"),
    [
        ("atlas/reasons/refund", {"code": "34"}, 422, "mapping_refused", "code"),
        ("atlas/reasons/cancelation", {"code": "36", "edit": "line_removed"}, 422, "mapping_refused", "code"),
        ("atlas/reasons/refund", {"code": ""}, 422, "invalid", "code"),
        ("atlas/reasons/refund", {"code": "15", "edit": "price"}, 422, "invalid", "edit"),
        ("atlas/reasons/return", {"code": "15"}, 422, "invalid", "use"),
        ("nobody/reasons/refund", {"code": "15"}, 404, "not_found", "connection"),
    ],
)
def test_a_reason_code_that_cannot_be_kept_is_refused_in_words(
    program: Browser,
    database: Database,
    connection: ConnectionRow,
    headers: dict[str, str],
    place: str,
    body: dict[str, str],
    status: int,
    error: str,
    field: str,
) -> None:
    answer = program.put(f"/v1/connections/{place}", headers=headers, json={**body, "who": "Olga"})

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert field in answer.json()["field"]
    with database.begin() as c:
        assert reason_map(one_connection(c, connection.id).rules) == {"cancelation": "34"}


def test_until_the_marketplaces_list_was_read_no_code_is_kept(
    program: Browser, headers: dict[str, str]
) -> None:
    shown = program.get(REASONS, headers=headers).json()
    refused = program.put(f"{REASONS}/refund", headers=headers, json={"code": "15", "who": "Olga"})

    assert shown["offered"] == []
    assert refused.json()["error"] == "mapping_refused"
