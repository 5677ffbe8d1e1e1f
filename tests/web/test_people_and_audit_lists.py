"""The audit log and the people as lists: filtered by their addresses, and taken away as files."""

import csv
import io
import re
from datetime import timedelta

import pytest

from interlock.access import people
from interlock.access.audit_log import Did, entries, record
from interlock.access.people import Account
from interlock.access.roles import Grant, Role
from interlock.console.audit_list import wanted_of
from interlock.console.audit_words import subject_in_words
from interlock.console.lists import Asked, FilterUnknown, FilterUnreadable, MarkUnreadable
from interlock.console.people_list import people_asked_for
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, TESTER, connect
from tests.web.browser import Browser, text_of

DAY = timedelta(days=1)
NAMES = {4: "atlas", 5: "borealis"}


def asking(connection: str = "", after: str = "", team: str = "", **extra: str) -> Asked:
    return Asked("/list", connection, team, after, tuple(extra.items()))


def rows_of(browser: Browser, path: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(browser.get(path).content.decode("utf-8-sig"))))


def account(handle: str, *grants: Grant, active: bool = True) -> Account:
    gone = None if active else CLOCK
    return Account(1, handle, "N", "", grants, True, False, False, CLOCK, "root", None, CLOCK, gone)


EVERYBODY = (
    account("admin", Grant(Role.ADMIN)),
    account("both", Grant(Role.CX, 4), Grant(Role.FINANCE, 5)),
    account("cx", Grant(Role.CX)),
    account("gone", Grant(Role.CX, 5), active=False),
    account("nothing"),
)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        (asking(), ["admin", "both", "cx", "gone", "nothing"]),
        (asking(role="cx"), ["both", "cx", "gone"]),
        (asking("atlas"), ["admin", "both", "cx"]),
        (asking("borealis"), ["admin", "both", "cx", "gone"]),
        # the role has to be one at that connection
        (asking("borealis", role="cx"), ["cx", "gone"]),
        (asking("borealis", role="cx", account="active"), ["cx"]),
        (asking(account="deactivated"), ["gone"]),
        (asking(role="viewer"), []),
        (asking(team="CX"), ["both", "cx", "gone"]),
        (asking("borealis", team="CX"), ["cx", "gone"]),
        (asking("borealis", team="finance"), ["both"]),
        (asking(team="engineer"), []),
    ],
)
def test_people_are_listed_by_the_roles_they_have_and_where(asked: Asked, shown: list[str]) -> None:
    assert [one.handle for one in people_asked_for(EVERYBODY, asked, NAMES)] == shown


@pytest.mark.parametrize("extra", [{"role": "king"}, {"account": "asleep"}, {"team": "kings"}])
def test_a_filter_of_the_people_that_there_is_not_is_named(extra: dict[str, str]) -> None:
    with pytest.raises(FilterUnknown):
        people_asked_for((), asking(**extra), NAMES)


def test_the_address_of_the_audit_log_is_read_as_what_it_says() -> None:
    wanted = wanted_of(
        asking("borealis", "17", who="ada", did="revealed", since="2026-03-01", until="2026-03-01"), NAMES
    )

    assert (wanted.who, wanted.did, wanted.connection, wanted.before) == ("ada", "revealed", 5, 17)
    assert wanted.since is not None
    assert wanted.until == wanted.since + DAY
    assert wanted_of(asking(), NAMES).connection is None
    assert wanted_of(asking(), NAMES).one_of is None


def test_a_teams_entries_are_those_of_its_people_as_they_are_now(
    browser: Browser, database: Database, keyring: Keyring
) -> None:
    with database.begin() as c:
        for handle, role in (("ada", Role.CX), ("bob", Role.FINANCE)):
            people.add_person(c, keyring, handle, "N", "", [Grant(role)], "root", CLOCK)
            record(c, handle, Did.CHANGED, f"what {handle} did", now=CLOCK, facts={})

    def shown(team: str) -> list[str]:
        return [row["subject"] for row in rows_of(browser, f"/audit-log.csv?team={team}")]

    assert shown("CX") == ["what ada did"]
    assert shown("finance") == ["what bob did"]
    assert shown("operations") == []
    assert "what ada did" in browser.get("/audit-log?team=CX").text
    assert "what bob did" not in browser.get("/audit-log?team=CX").text
    assert browser.get("/audit-log?team=kings").status_code == 422


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (asking("nowhere"), FilterUnknown),
        (asking(did="ate"), FilterUnknown),
        (asking(after="x"), MarkUnreadable),
        (asking(since="yesterday"), FilterUnreadable),
        (asking(until="9999-12-31"), FilterUnreadable),
    ],
)
def test_a_filter_of_the_audit_log_that_means_nothing_is_refused(
    asked: Asked, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        wanted_of(asked, NAMES)


def test_the_audit_log_is_filtered_paged_and_taken_away(
    browser: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        other = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        for number in range(110):
            where = other.id if number % 10 == 0 else connection.id if number % 2 else None
            record(
                c,
                "ada" if number % 2 else "bo",
                Did.CHANGED,
                f"thing {number:03}",
                now=CLOCK,
                connection=where,
            )
        record(
            c,
            "=cmd()",
            Did.REVEALED,
            "@order 7",
            now=CLOCK - DAY,
            connection=999,
            facts={"why": "<b>said</b>"},
        )

    page = browser.get("/audit-log?connection=borealis")
    assert len(re.findall(r"thing \d{3}", page.text)) == 11
    assert "thing 001" not in page.text
    assert 'href="/audit-log.csv?connection=borealis"' in page.text
    first = browser.get("/audit-log")
    assert "<b>said" not in first.text
    following = re.search(r'href="(/audit-log\?after=\d+)" rel="next"', first.text)
    assert following is not None
    assert "thing 000" not in first.text
    assert "thing 000" in browser.get(following[1]).text
    assert "No entry fits" in text_of(browser.get("/audit-log?who=nobody"))
    for path in ("/audit-log", "/audit-log.csv"):
        assert browser.get(f"{path}?connection=nowhere").status_code == 422
        assert browser.get(f"{path}?did=ate").status_code == 422
        assert browser.get(f"{path}?since=yesterday").status_code == 422
    with database.begin() as c:
        assert [one for one in entries(c) if one.did == "exported"] == []

    assert {row["connection"] for row in rows_of(browser, "/audit-log.csv?connection=borealis")} == {
        "borealis"
    }
    assert len(rows_of(browser, "/audit-log.csv?who=ada&connection=atlas&did=changed")) == 55
    (row,) = rows_of(browser, "/audit-log.csv?did=revealed&subject=@order&since=2020-01-01")
    assert (row["who"], row["subject"], row["connection"], row["connection number"]) == (
        "'=cmd()",
        "'@order 7",
        "",
        "999",
    )
    assert len(rows_of(browser, "/audit-log.csv")) == 115  # 111 and the four exports
    with database.begin() as c:
        taken = [(one.who, one.facts) for one in entries(c) if one.did == "exported"]
    assert taken == [
        (TESTER.handle, {"connection": "borealis"}),
        # what was typed may be about anybody
        (TESTER.handle, {"who": "given", "connection": "atlas", "did": "changed"}),
        (TESTER.handle, {"did": "revealed", "subject": "given", "since": "2020-01-01"}),
        (TESTER.handle, {}),
    ]


def test_characters_that_nothing_can_hold_find_nothing_and_break_nothing(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    assert browser.get("/audit-log?who=%00").status_code == 200
    assert browser.get("/audit-log.csv?who=a%00%01").status_code == 200
    assert browser.get("/cases.csv?cause=a%00%07b").status_code == 200
    with database.begin() as c:
        assert [one.facts for one in entries(c)] == [{"who": "given"}, {"cause": "a b"}]


@pytest.mark.parametrize(
    ("path", "name", "facts"),
    [
        ("/cases.csv?team=CX&status=open", "cases", {"team": "CX", "status": "open"}),
        ("/refund-tasks.csv?connection=atlas", "refund tasks", {"connection": "atlas"}),
        ("/orders.csv?q=1001", "orders", {"q": "given"}),
    ],
)
def test_who_takes_a_list_away_is_in_the_audit_log(
    browser: Browser,
    database: Database,
    connection: ConnectionRow,
    path: str,
    name: str,
    facts: dict[str, str],
) -> None:
    assert browser.get(path).status_code == 200

    with database.begin() as c:
        assert [(one.who, one.did, one.subject, one.facts) for one in entries(c)] == [
            (TESTER.handle, "exported", name, facts)
        ]


def test_the_people_are_filtered_and_taken_away_without_their_names(
    browser: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        other = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        for handle, grant in (
            ("ada", Grant(Role.CX, connection.id)),
            ("bo", Grant(Role.CX, other.id)),
            ("root", Grant(Role.ADMIN)),
        ):
            people.add_person(
                c, keyring, handle, f"{handle} Canary", f"{handle}@canary.example", [grant], "=cmd()", CLOCK
            )

    page = browser.get("/people?role=cx&connection=atlas")
    assert re.findall(r'href="/people/\d+">(\w+)<', page.text) == ["ada"]
    assert 'href="/people.csv?connection=atlas&amp;role=cx"' in page.text
    assert "Nobody fits" in text_of(browser.get("/people?account=deactivated"))
    for path in ("/people", "/people.csv"):
        assert browser.get(f"{path}?role=king").status_code == 422
        assert browser.get(f"{path}?connection=nowhere").status_code == 422

    answer = browser.get("/people.csv")
    rows = rows_of(browser, "/people.csv?connection=atlas")

    assert answer.headers["content-disposition"] == 'attachment; filename="people.csv"'
    assert "anary" not in answer.text
    assert len(answer.text.splitlines()) == 4
    assert [(row["sign-in name"], row["roles"], row["second factor"], row["made by"]) for row in rows] == [
        ("ada", "cx@atlas", "no", "'=cmd()"),
        ("root", "admin", "no", "'=cmd()"),
    ]
    with database.begin() as c:
        assert [(one.subject, one.facts) for one in entries(c)] == [
            ("people", {}),
            ("people", {"connection": "atlas"}),
        ]


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("/cases/12/answer", "case 12, answered"),
        ("/connections/3/carriers/rollback", "map of carriers, taken back to an earlier state"),
        ("/v1/orders/M-1-A/edit", "order M-1-A, edited"),
        ("/people/7/roles", "person no. 7"),
        ("/nowhere/that/is/known", "/nowhere/that/is/known"),
        ("case 12", "case 12"),
    ],
)
def test_an_address_of_the_audit_log_is_read_in_words(subject: str, words: str) -> None:
    assert subject_in_words(subject) == words


def test_the_audit_log_lists_words_and_filters_by_the_code(browser: Browser, database: Database) -> None:
    with database.begin() as c:
        record(c, "ada", Did.SECOND_FACTOR_SET, "/cases/12/answer", now=CLOCK)

    page = browser.get("/audit-log?did=second_factor_set")

    assert "second factor set" in text_of(page)
    assert "case 12, answered" in text_of(page)
    assert '<option value="second_factor_set" selected>second factor set</option>' in page.text
    assert browser.get("/audit-log?did=second+factor+set").status_code == 422
