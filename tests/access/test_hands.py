"""Who may have a case where there are accounts, and what becomes of the cases of somebody who leaves."""

import pytest
from sqlalchemy import select, update

from interlock.access import administration, people
from interlock.access.roles import Grant, Role
from interlock.access.store import make_key
from interlock.cases.store import cases
from interlock.cases.work import history
from interlock.console import hands
from interlock.console.hands import NobodyOfThatName
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.access.conftest import People, SignedIn
from tests.build import NOW
from tests.console.seed import connect, keep, shipped_with, sku_unknown
from tests.web.browser import Browser, text_of


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.fixture
def case_id(database: Database, connection: ConnectionRow) -> int:
    with database.begin() as c:
        keep(c, connection, shipped_with("Pigeon Post"))
        return int(c.execute(select(cases.c.id)).scalar_one())


def who_has(database: Database, case_id: int) -> str:
    with database.begin() as c:
        return str(c.execute(select(cases.c.assignee).where(cases.c.id == case_id)).scalar_one())


def test_a_case_is_given_to_somebody_who_signs_in_and_may_work_on_it(
    database: Database, keyring: Keyring, connection: ConnectionRow, somebody: People, case_id: int
) -> None:
    with database.begin() as c:
        elsewhere = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002).id
    somebody("grace.h", Role.CX)
    somebody("olga", Grant(Role.OPERATIONS, connection.id))
    somebody("bo", Grant(Role.CX, elsewhere))
    somebody("vic", Role.VIEWER)
    left = somebody("lin", Role.CX)
    with database.begin() as c:
        people.deactivate(c, left, NOW)
        assert hands.who_may_have(c, connection.id) == ("grace.h", "olga")
        for name in ("Grace", "bo", "vic", "lin"):
            with pytest.raises(NobodyOfThatName, match=r"It may be given to: grace\.h, olga"):
                hands.give(c, case_id, name, "olga", NOW)
            with pytest.raises(NobodyOfThatName, match="may work on this case"):
                hands.begin(c, case_id, name, NOW)
        assert hands.give(c, case_id, " Grace.H ", "olga", NOW) == "grace.h"
        assert hands.give(c, case_id, "", "olga", NOW) == ""
        assert [event.detail for event in history(c, case_id) if event.what == "assigned"] == [
            "grace.h",
            "nobody",
        ]


def test_without_accounts_any_name_is_taken(database: Database, case_id: int) -> None:
    with database.begin() as c:
        assert hands.who_may_have(c, 1) is None
        assert hands.give(c, case_id, "Grace", "Ada", NOW) == "Grace"


def test_the_page_of_a_case_offers_who_may_have_it_and_refuses_others(
    database: Database, somebody: People, signed_in: SignedIn, stranger: Browser, case_id: int
) -> None:
    ada = signed_in(somebody("ada", Role.CX))
    somebody("grace.h", Role.OPERATIONS)
    place = f"/cases/{case_id}"

    assert "<option>ada</option><option>grace.h</option>" in ada.get(place).text
    refused = ada.submit(place, f"{place}/work", data={"act": "assign", "to": "Grace"})
    assert (refused.status_code, who_has(database, case_id)) == (422, "")
    assert "It may be given to: ada, grace.h. Nothing was changed." in text_of(refused)
    assert ada.submit(place, f"{place}/work", data={"act": "assign", "to": "grace.h"}).status_code == 303
    assert who_has(database, case_id) == "grace.h"
    with database.begin() as c:
        _, token = make_key(c, "erp", ["cases:work"], "ada", NOW)
    wanted = {"to": "Ada Byron", "seen": "grace.h", "who": "erp"}
    headers = {"Authorization": f"Bearer {token}"}
    told = stranger.put(f"/v1/cases/{case_id}/assignee", headers=headers, json=wanted).json()
    assert (told["error"], told["field"]) == ("not_done", "to")
    assert who_has(database, case_id) == "grace.h"


def test_whoever_is_deactivated_leaves_their_open_cases_to_the_team(
    database: Database, somebody: People, signed_in: SignedIn, case_id: int
) -> None:
    root, grace = signed_in(somebody("root", Role.ADMIN)), somebody("grace.h", Role.CX)
    with database.begin() as c:
        hands.give(c, case_id, "grace.h", "root", NOW)

    page = root.submit(f"/people/{grace}", f"/people/{grace}/deactivate")

    assert "Open cases they had are with their teams again" in text_of(page)
    assert who_has(database, case_id) == ""
    with database.begin() as c:
        assigned_at = c.execute(select(cases.c.assigned_at).where(cases.c.id == case_id)).scalar_one()
        last = history(c, case_id)[-1]
    assert (assigned_at, last.who, last.what) == (None, "root", "put back")


def test_who_loses_the_role_at_a_connection_gives_back_its_open_cases_alone(
    database: Database, keyring: Keyring, connection: ConnectionRow, somebody: People, case_id: int
) -> None:
    with database.begin() as c:
        elsewhere = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        keep(c, elsewhere, sku_unknown())
    number = somebody("grace.h", Role.CX)
    with database.begin() as c:
        other = int(c.execute(select(cases.c.id).where(cases.c.id != case_id)).scalar_one())
        closed = update(cases).where(cases.c.id == other)
        for one in (case_id, other):
            hands.give(c, one, "grace.h", "root", NOW)
        administration.change_roles(c, number, [Grant(Role.CX, elsewhere.id)], {}, "root", NOW)
        assert hands.give_back(c, number, "root", NOW) == 1
        c.execute(closed.values(closed_at=NOW))
        administration.change_roles(c, number, [], {}, "root", NOW)
        assert hands.give_back(c, number, "root", NOW) == 0

    assert (who_has(database, case_id), who_has(database, other)) == ("", "grace.h")


def test_a_case_is_begun_by_somebody_who_signs_in_and_by_any_name_where_nobody_does(
    database: Database, somebody: People, case_id: int
) -> None:
    with database.begin() as c:
        assert hands.begin(c, case_id, "Grace", NOW) == "Grace"
        hands.give(c, case_id, "", "Grace", NOW)
    somebody("grace.h", Role.CX)
    with database.begin() as c:
        assert hands.begin(c, case_id, " Grace.H ", NOW) == "grace.h"
    assert who_has(database, case_id) == "grace.h"
