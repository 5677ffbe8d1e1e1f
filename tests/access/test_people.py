"""Administrators look after accounts, in the console and on the command line."""

import re

import pytest
from fastapi import FastAPI

from interlock.access import people
from interlock.access.audit_log import entries, verify
from interlock.access.people import PersonRefused
from interlock.access.roles import Grant, Role
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.access.conftest import PASSWORD, People, SignedIn
from tests.console.seed import connect
from tests.web.browser import Browser, text_of


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.fixture
def admin(somebody: People, signed_in: SignedIn) -> Browser:
    return signed_in(somebody("root", Role.ADMIN))


def link_on(page: str) -> str:
    found = re.search(r"<code>http://localhost:8080(/welcome/[A-Za-z0-9_-]{43})</code>", page)
    assert found is not None
    return found[1]


INVITED = {
    "handle": "ada",
    "name": "Ada Canary",
    "email": "ada@canary.example",
    "role": ["cx@atlas", "finance"],
}


def test_somebody_is_invited_by_a_link_and_gets_the_roles_that_were_chosen(
    app: FastAPI, admin: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    page = admin.submit("/people", "/people", data=INVITED)
    link = link_on(page.text)
    ada = Browser(app)
    welcome = ada.get(link)
    begun = ada.submit(link, link, data={"password": PASSWORD})

    with database.begin() as c:
        found = people.account_named(c, keyring, "ada")
        log = [(entry.who, entry.did, entry.facts.get("roles")) for entry in entries(c)]
    assert found is not None
    assert found.grants == (Grant(Role.CX, connection.id), Grant(Role.FINANCE))
    assert (found.name, found.email, found.made_by) == ("Ada Canary", "ada@canary.example", "root")
    assert "Welcome, ada" in text_of(welcome)
    assert begun.status_code == 303
    assert log[0] == ("root", "person_invited", "cx@atlas, finance")
    assert [entry[:2] for entry in log[1:]] == [("ada", "link_used"), ("ada", "signed_in")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"role": []}, "choose at least one"),
        ({"role": ["king"]}, "'king' is not a role"),
        ({"role": ["cx@nowhere"]}, "There is no connection 'nowhere'"),
        ({"handle": "root"}, "somebody with the sign-in name root already"),
        ({"handle": "<b>"}, "A sign-in name has"),
        ({"name": ""}, "A name of 1 to"),
    ],
)
def test_an_invitation_that_cannot_be_made_says_why_and_makes_nobody(
    admin: Browser,
    database: Database,
    keyring: Keyring,
    connection: ConnectionRow,
    changes: dict[str, object],
    said: str,
) -> None:
    page = admin.submit("/people", "/people", data={**INVITED, **changes})

    assert page.status_code == 422
    assert said in text_of(page)
    with database.begin() as c:
        assert [account.handle for account in people.accounts(c, keyring)] == ["root"]


def test_the_last_administrator_stays_one(
    admin: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        number = people.accounts(c, keyring)[0].id

    demoted = admin.submit(
        f"/people/{number}", f"/people/{number}/roles", data={"role": ["viewer", "admin@atlas"]}
    )
    away = admin.submit(f"/people/{number}", f"/people/{number}/deactivate")

    assert (demoted.status_code, away.status_code) == (422, 422)
    assert "nobody would be left who manages people" in text_of(demoted)
    with database.begin() as c:
        assert people.accounts(c, keyring)[0].grants == (Grant(Role.ADMIN),)
        assert list(entries(c)) == []


def test_deactivating_ends_sessions_and_links_at_once_and_can_be_taken_back(
    admin: Browser, database: Database, somebody: People, signed_in: SignedIn, app: FastAPI
) -> None:
    number = somebody("ada", Role.CX)
    ada = signed_in(number)
    link = link_on(admin.submit(f"/people/{number}", f"/people/{number}/link").text)

    admin.submit(f"/people/{number}", f"/people/{number}/deactivate")
    gone = (ada.get("/").status_code, Browser(app).get(link).status_code)
    admin.submit(f"/people/{number}", f"/people/{number}/reactivate")

    assert gone == (303, 410)
    assert signed_in(number).get("/").status_code == 200
    with database.begin() as c:
        assert [entry.did for entry in entries(c)] == [
            "person_invited",
            "person_deactivated",
            "person_reactivated",
        ]
        assert verify(c).whole


def test_a_reset_second_factor_is_set_up_anew_at_the_next_sign_in(
    admin: Browser, somebody: People, signed_in: SignedIn
) -> None:
    number = somebody("ada", Role.CX)
    ada = signed_in(number)

    admin.submit(f"/people/{number}", f"/people/{number}/reset-second-factor")

    assert ada.get("/").status_code == 303
    assert signed_in(number).get("/").headers["location"] == "/account/second-factor"


def test_the_audit_log_is_read_filtered_taken_away_and_verified(
    admin: Browser, database: Database, somebody: People, connection: ConnectionRow
) -> None:
    number = somebody("ada", Role.CX)
    admin.submit(f"/people/{number}", f"/people/{number}/roles", data={"role": ["viewer"]})

    page = text_of(admin.get("/audit-log?who=root"))
    nobody = text_of(admin.get("/audit-log?who=nobody"))
    wrong = admin.get("/audit-log?since=yesterday")
    file = admin.get("/audit-log.csv").text.splitlines()
    verified = text_of(admin.submit("/audit-log", "/audit-log/verify"))

    assert "roles changed" in page
    assert "from: cx; to: viewer" in page
    assert "No entry fits these filters." in nobody
    assert wrong.status_code == 422
    assert "The first day cannot be read" in text_of(wrong)
    assert file[0].lstrip("\ufeff").startswith("number,at,who,did,subject")
    assert len(file) == 3  # the entry, and that it was taken away
    assert "The chain is whole: 2 entries" in verified


def test_names_with_marks_are_shown_as_text(admin: Browser, connection: ConnectionRow) -> None:
    page = admin.submit("/people", "/people", data={**INVITED, "name": "<script>alert(1)</script>"})

    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in admin.get("/people").text


def test_a_handle_is_kept_small_and_a_role_for_a_connection_is_parsed() -> None:
    assert people.given_handle(" Ada.Byron ") == "ada.byron"
    assert people.parsed_roles(["cx@atlas", "viewer"], {"atlas": 4}) == (
        Grant(Role.CX, 4),
        Grant(Role.VIEWER),
    )
    with pytest.raises(PersonRefused):
        people.given_handle("a")
