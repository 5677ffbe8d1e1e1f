"""API keys, privacy requests and connections as lists: filtered by their addresses, and taken away as files."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.access import people
from interlock.access.audit_log import entries
from interlock.access.erasures import PrivacyRequest, answered, keep_request, requests
from interlock.access.roles import Grant, Person, Role
from interlock.access.store import ApiKey, Scope, all_keys, make_key, revoke_key
from interlock.console.api_key_list import PROGRAMS, keys_asked_for, owners_of
from interlock.console.lists import Asked, FilterUnknown
from interlock.console.privacy_list import requests_asked_for, shops_of
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, connect
from tests.web.browser import Browser, text_of

NAMES = {4: "atlas", 5: "borealis"}
GRANTS = {"ada": (Grant(Role.CX, 4),), "root": (Grant(Role.ADMIN),), "gone": ()}


def asking(connection: str = "", team: str = "", **extra: str) -> Asked:
    return Asked("/list", connection, team, extra=tuple(extra.items()))


def rows_of(browser: Browser, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.get(path).content.decode("utf-8-sig"))))


def key(number: int, person: str = "", revoked: bool = False) -> ApiKey:
    return ApiKey(
        number,
        f"key {number}",
        (Scope.ORDERS_READ,),
        CLOCK,
        "root",
        0,
        None,
        CLOCK if revoked else None,
        "",
        person,
    )


KEYS = (key(1), key(2, "ada"), key(3, "root"), key(4, "gone"), key(5, "ada", revoked=True))


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        (asking(), [1, 2, 3, 4, 5]),
        (asking(owner=PROGRAMS), [1]),
        (asking(owner="ada"), [2, 5]),
        (asking(owner="ada", state="in use"), [2]),
        (asking(state="revoked"), [5]),
        # a program's key opens every connection, a personal one those of its owner
        (asking("atlas"), [1, 2, 3, 5]),
        (asking("borealis"), [1, 3]),
        (asking("borealis", owner="ada"), []),
        (asking(team="CX"), [2, 5]),
        (asking(team="CX", state="in use"), [2]),
        (asking(team="finance"), []),
    ],
)
def test_keys_are_listed_by_owner_state_and_where_they_open_something(
    asked: Asked, numbers: list[int]
) -> None:
    assert [one.id for one in keys_asked_for(KEYS, asked, GRANTS, NAMES)] == numbers


@pytest.mark.parametrize(
    "extra", [{"owner": "nobody"}, {"owner": "program"}, {"state": "lost"}, {"team": "kings"}]
)
def test_a_filter_of_the_keys_that_there_is_not_is_named(extra: dict[str, str]) -> None:
    assert owners_of(KEYS) == (PROGRAMS, "ada", "gone", "root")
    with pytest.raises(FilterUnknown):
        keys_asked_for(KEYS, asking(**extra), GRANTS, NAMES)


FIRST = PrivacyRequest(1, "a.myshopify.com", "customers/redact", CLOCK, None, "")
REQUESTS = (
    FIRST,
    replace(FIRST, id=2, done_at=CLOCK, done_by="kim"),
    replace(FIRST, id=3, shop="b.myshopify.com"),
)


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        (asking(), [1, 2, 3]),
        (asking(shop="a.myshopify.com"), [1, 2]),
        (asking(state="waiting"), [1, 3]),
        (asking(state="answered"), [2]),
        (asking(shop="b.myshopify.com", state="answered"), []),
    ],
)
def test_requests_are_listed_by_shop_and_whether_they_wait(asked: Asked, numbers: list[int]) -> None:
    assert [one.id for one in requests_asked_for(REQUESTS, asked)] == numbers


@pytest.mark.parametrize("extra", [{"shop": "c.myshopify.com"}, {"state": "done"}])
def test_a_filter_of_the_requests_that_there_is_not_is_named(extra: dict[str, str]) -> None:
    assert shops_of(REQUESTS) == ("a.myshopify.com", "b.myshopify.com")
    with pytest.raises(FilterUnknown):
        requests_asked_for(REQUESTS, asking(**extra))


def test_the_keys_are_filtered_and_taken_away_without_their_secrets(
    browser: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        grant = Grant(Role.CX, connection.id)
        number = people.add_person(c, keyring, "ada", "Ada Canary", "", [grant], "root", CLOCK)
        _, secret = make_key(c, "=cmd()", ["orders:read"], "root", CLOCK)
        make_key(c, "laptop", ["orders:read", "health:read"], "ada", CLOCK, Person(number, "ada", (grant,)))
        make_key(c, "old", ["orders:read"], "@root", CLOCK, connections=[connection.id])
        revoke_key(c, all_keys(c)[-1].id, "root", CLOCK + timedelta(hours=1))

    page = browser.get("/api-keys?connection=borealis&state=in+use")
    assert "=cmd()" in page.text
    assert "laptop" not in page.text
    assert 'href="/api-keys.csv?connection=borealis&amp;state=in+use"' in page.text
    assert "No key in use fits" in text_of(browser.get("/api-keys?state=revoked"))
    for path in ("/api-keys", "/api-keys.csv"):
        assert browser.get(f"{path}?owner=nobody").status_code == 422
        assert browser.get(f"{path}?connection=nowhere").status_code == 422

    answer = browser.get("/api-keys.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="api-keys.csv"'
    assert secret.rpartition("_")[2] not in answer.text
    assert "Canary" not in answer.text
    rows = rows_of(browser, "/api-keys.csv")
    assert [(row["name"], row["whose"], row["may"], row["connections"], row["made by"]) for row in rows] == [
        ("'=cmd()", PROGRAMS, "orders:read", "", "root"),
        ("laptop", "ada", "health:read orders:read", "", "ada"),
        ("old", PROGRAMS, "orders:read", "atlas", "'@root"),
    ]
    assert [row["name"] for row in rows_of(browser, "/api-keys.csv?owner=ada")] == ["laptop"]
    with database.begin() as c:
        taken = [(one.subject, one.facts) for one in entries(c) if one.did == "exported"]
    assert taken == [("API keys", {}), ("API keys", {}), ("API keys", {"owner": "ada"})]


def test_the_requests_are_filtered_on_the_page_and_in_the_file(
    browser: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        for number, shop in enumerate(("a.myshopify.com", "a.myshopify.com", "b.myshopify.com"), 1):
            keep_request(c, shop, "customers/redact", f"w{number}", keyring.encrypt(b"{}"), CLOCK)
        first, second, third = (one.id for one in requests(c))
        answered(c, first, "kim", CLOCK)

    def shown(query: str) -> list[int]:
        found = re.findall(r"<tr><td>(\d+)</td>", browser.get(f"/privacy{query}").text)
        return [int(number) for number in found]

    assert shown("") == [second, third, first]
    assert shown("?shop=a.myshopify.com") == [second, first]
    assert shown("?state=waiting") == [second, third]
    assert shown("?state=answered") == [first]
    assert shown("?state=answered&shop=b.myshopify.com") == []
    page = browser.get("/privacy?shop=a.myshopify.com&state=waiting").text
    assert 'href="/privacy.csv?shop=a.myshopify.com&amp;state=waiting"' in page
    for path in ("/privacy", "/privacy.csv"):
        assert browser.get(f"{path}?shop=c.myshopify.com").status_code == 422
        assert browser.get(f"{path}?state=done").status_code == 422
    waiting = rows_of(browser, "/privacy.csv?state=waiting")
    assert [row["number"] for row in waiting] == [str(second), str(third)]
    assert [row["answered by"] for row in rows_of(browser, "/privacy.csv?state=answered")] == ["kim"]
    with database.begin() as c:
        taken = [one.facts for one in entries(c) if one.did == "exported"]
    assert taken == [{"state": "waiting"}, {"state": "answered"}]


def test_the_connections_are_filtered_and_taken_away(
    browser: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        connect(c, keyring, "=borealis", live=False, shop="borealis.myshopify.com", shop_id=2002)

    page = browser.get("/connections?state=live")
    assert re.findall(r"<h2[^>]*>(\S+) <span", page.text) == ["atlas"]
    assert 'href="/connections.csv?state=live"' in page.text
    assert re.findall(r"<h2[^>]*>(\S+) <span", browser.get("/connections?connection=%3Dborealis").text) == [
        "=borealis"
    ]
    assert "No connection fits" in browser.get("/connections?connection=atlas&state=not+live").text
    for path in ("/connections", "/connections.csv"):
        assert browser.get(f"{path}?state=asleep").status_code == 422
        assert browser.get(f"{path}?connection=nowhere").status_code == 422

    rows = rows_of(browser, "/connections.csv")
    assert [(row["connection"], row["live"], row["shop"], row["orders"]) for row in rows] == [
        ("atlas", "yes", connection.shopify_shop, "0"),
        ("'=borealis", "no", "borealis.myshopify.com", "0"),
    ]
    assert "quiet period: " in rows[0]["policies"]
    assert rows[0]["what the marketplace allows"]
    assert [row["connection"] for row in rows_of(browser, "/connections.csv?state=not+live")] == [
        "'=borealis"
    ]
    with database.begin() as c:
        taken = [(one.subject, one.facts) for one in entries(c) if one.did == "exported"]
    assert taken == [("connections", {}), ("connections", {"state": "not live"})]
