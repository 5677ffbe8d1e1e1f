"""What a program reads and keeps of the titles of shipping methods."""

import pytest

from interlock.console.shipping_methods import method_map
from interlock.engine.store import ConnectionRow, map_history, one_connection
from interlock.storage.database import Database
from tests.api.conftest import MakeKey
from tests.web.browser import Browser

METHODS = "/v1/connections/atlas/methods"


@pytest.fixture
def headers(key: MakeKey, connection: ConnectionRow) -> dict[str, str]:
    return key("mappings:read", "mappings:write")


def titles(database: Database, connection: ConnectionRow) -> dict[str, str]:
    with database.begin() as c:
        return method_map(one_connection(c, connection.id).rules)


def test_a_title_is_set_changed_by_version_and_taken_away(
    program: Browser, database: Database, connection: ConnectionRow, headers: dict[str, str]
) -> None:
    place = f"{METHODS}/STD"
    assert program.get(METHODS, headers=headers).json() == {"entries": [], "offered": ["STD"]}
    first = program.put(place, headers=headers, json={"title": " Parcel ", "who": "Olga"})
    again = program.put(place, headers=headers, json={"title": "Parcel", "who": "Olga"})
    blind = program.put(place, headers=headers, json={"title": "Letter", "who": "Ben"})
    (entry,) = program.get(METHODS, headers=headers).json()["entries"]
    seen = program.put(
        place, headers=headers, json={"title": "Letter", "who": "Ben", "version": entry["version"]}
    )
    stale = program.delete(f"{place}?who=Ben&why=tidy&version={entry['version']}", headers=headers)
    (present,) = program.get(METHODS, headers=headers).json()["entries"]
    kept = titles(database, connection)
    leave = f"{place}?who=Ben&why=tidy&version={present['version']}"
    gone, twice = program.delete(leave, headers=headers), program.delete(leave, headers=headers)

    assert (entry["code"], entry["title"]) == ("STD", "Parcel")
    assert [answer.json() for answer in (first, again, seen, gone)] == [{"orders": 0, "left_out": 0}] * 4
    assert [(one.status_code, one.json()["error"]) for one in (blind, stale, twice)] == [
        (409, "stale_version"),
        (409, "stale_version"),
        (404, "not_mapped"),
    ]
    assert kept == {"STD": "Letter"}
    assert titles(database, connection) == {}
    with database.begin() as c:
        latest, changed, first_kept = map_history(c, connection.id, "methods")
    assert (latest.former, latest.present, latest.who, latest.why) == (
        "Letter",
        "",
        "Ben (API key warehouse)",
        "tidy",
    )
    assert (changed.former, changed.present) == ("Parcel", "Letter")
    assert (first_kept.former, first_kept.present, first_kept.who) == (
        "",
        "Parcel",
        "Olga (API key warehouse)",
    )


@pytest.mark.parametrize(
    ("place", "title", "status", "error", "field"),
    [
        ("atlas/methods/EXP", "Express", 422, "mapping_refused", "code"),
        ("atlas/methods/STD", "x" * 101, 422, "invalid", "title"),
        ("atlas/methods/STD", " ", 422, "invalid", "title"),
        ("atlas/methods/STD", "two\nlines", 422, "invalid", "title"),
        ("nobody/methods/STD", "Parcel", 404, "not_found", "connection"),
    ],
)
def test_a_title_that_cannot_be_kept_is_refused_in_words(
    program: Browser,
    database: Database,
    connection: ConnectionRow,
    headers: dict[str, str],
    place: str,
    title: str,
    status: int,
    error: str,
    field: str,
) -> None:
    answer = program.put(f"/v1/connections/{place}", headers=headers, json={"title": title, "who": "Olga"})

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert field in answer.json()["field"]
    assert titles(database, connection) == {}
