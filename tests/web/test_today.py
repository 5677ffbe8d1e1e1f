"""Today: the pages nobody has seen, what is mine, my team's first, one line for each cause, and one connection alone."""

import re

import pytest
from sqlalchemy import select, update

from interlock.access.roles import Grant, Person, Role
from interlock.cases.store import cases
from interlock.engine.store import ConnectionRow
from interlock.monitoring import outbox
from interlock.monitoring.decide import Alert
from interlock.orders.reasons import Reason
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.console.seed import CLOCK, TESTER, Numbered, Stopped, Wakes, connect, edited_up, keep, shipped_with
from tests.web.browser import Browser, text_of


@pytest.fixture
def full(database: Database, connection: ConnectionRow) -> None:
    """One edit, which is customer service's, and ten orders that one carrier stops, which are operations'."""
    with database.begin() as c:
        keep(c, connection, edited_up())
        for number in range(10):
            keep(c, connection, shipped_with("Pigeon Post", f"M-20{number:02}-A"))


def of(reason: Reason, database: Database) -> int:
    with database.begin() as c:
        return int(
            c.execute(
                select(cases.c.id).where(cases.c.reason == reason.value).order_by(cases.c.id).limit(1)
            ).scalar_one()
        )


def as_person(store: InlineStore, keyring: Keyring, *grants: Grant) -> Browser:
    """What somebody with these roles sees."""
    return Browser(
        create_app(
            WebParts(store, Stopped(), Numbered(), Wakes(), keyring, everyone=Person(7, "ada", grants))
        )
    )


def titles(page: str, prefix: str) -> list[str]:
    return re.findall(rf'<a id="{prefix}-\d+"[^>]*>([^<]+)</a>', page)


def tell(
    database: Database, key: str, teams: tuple[str, ...] = ("operations",), row: ConnectionRow | None = None
) -> None:
    with database.begin() as c:
        number, name = (None, "") if row is None else (row.id, row.name)
        outbox.keep(c, [Alert(key, key, "page", teams, f"trouble {key}", "", number, name)], CLOCK)  # type: ignore[arg-type]


def test_ten_orders_of_one_carrier_are_one_line(browser: Browser, full: None) -> None:
    found = titles(browser.get("/").text, "queue")

    assert len(found) == 2
    assert any("10 orders" in title for title in found)


def test_what_my_team_owns_stands_first(
    store: InlineStore, keyring: Keyring, database: Database, full: None
) -> None:
    # Without a team the one that does damage first is first: the edit here.
    with database.begin() as c:
        c.execute(update(cases).where(cases.c.owner == "CX").values(damage_at=CLOCK))
    cx, operations = (
        titles(as_person(store, keyring, Grant(role)).get("/").text, "queue")
        for role in (Role.CX, Role.OPERATIONS)
    )

    assert "edit" in cx[0]
    assert "Pigeon Post" in operations[0]
    assert sorted(cx) == sorted(operations)


def test_what_is_mine_has_its_own_place_and_a_link_to_all_of_it(
    browser: Browser, database: Database, full: None
) -> None:
    edit = of(Reason.EDIT_CANNOT_BE_EXPRESSED, database)
    assert "Mine" not in text_of(browser.get("/"))
    with database.begin() as c:
        c.execute(update(cases).where(cases.c.id == edit).values(assignee=TESTER.handle))

    page = browser.get("/").text

    assert f'id="mine-{edit}"' in page
    assert f'id="queue-{edit}"' not in page
    assert 'href="/cases?status=mine"' in page
    assert f'id="case-{edit}"' in browser.get("/cases?status=mine").text


def test_a_page_nobody_has_seen_is_seen_from_here(browser: Browser, database: Database, full: None) -> None:
    assert "Pages nobody has seen" not in browser.get("/").text
    tell(database, "one")
    assert titles(browser.get("/").text, "page") == []
    assert "trouble one" in text_of(browser.get("/"))
    number = re.search(r'action="/alerts/(\d+)/acknowledge"', browser.get("/").text)
    assert number is not None

    done = browser.submit("/", f"/alerts/{number[1]}/acknowledge", data={"back": "/"})

    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert "trouble one" not in text_of(browser.get("/"))


def test_the_way_back_leads_nowhere_else(browser: Browser, database: Database, full: None) -> None:
    tell(database, "one")
    with database.begin() as c:
        number = outbox.latest_alerts(c)[0].id

    done = browser.submit("/", f"/alerts/{number}/acknowledge", data={"back": "//elsewhere.example/"})

    assert done.headers["location"] == "/"


def test_my_teams_pages_come_first_and_who_only_looks_has_no_button(
    store: InlineStore, keyring: Keyring, database: Database, full: None
) -> None:
    for number in range(5):
        tell(database, f"finance {number}", ("finance",))
    tell(database, "mine", ("CX", "operations"))
    for number in range(5, 10):
        tell(database, f"finance {number}", ("finance",))

    page = text_of(as_person(store, keyring, Grant(Role.CX)).get("/"))
    assert page.index("trouble mine") < page.index("trouble finance 9")
    assert "All 11 of them" in page
    viewer = as_person(store, keyring, Grant(Role.VIEWER)).get("/").text
    assert "trouble finance 9" in viewer
    assert "I have seen it" not in viewer


def test_a_page_that_was_repeated_is_one(browser: Browser, database: Database, full: None) -> None:
    tell(database, "one")
    with database.begin() as c:
        first = outbox.latest_alerts(c)[0].id
        again = Alert(
            f"again:{first}:1", "again", "page", ("operations",), "nobody has acknowledged (1): one"
        )
        outbox.keep(c, [again], CLOCK)

    page = text_of(browser.get("/"))

    assert "repeated 1 ×" in page
    assert "nobody has acknowledged" not in page


def test_somebody_of_one_connection_has_a_today_of_it_alone(
    store: InlineStore, keyring: Keyring, database: Database, connection: ConnectionRow, full: None
) -> None:
    with database.begin() as c:
        other = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        keep(c, other, shipped_with("Owl Mail", "M-3001-A"))
    tell(database, "own", row=connection)
    tell(database, "far", row=other)
    tell(database, "all")
    ada = as_person(store, keyring, Grant(Role.OPERATIONS, connection.id))

    assert ada.get("/").headers["location"] == "/?connection=atlas"
    page = text_of(ada.get("/?connection=atlas"))

    assert "trouble own" in page
    assert "Pigeon Post" in page
    assert "11 open cases" in page
    for foreign in ("trouble far", "trouble all", "borealis"):
        assert foreign not in page
    assert ada.get("/?connection=borealis").status_code == 403


def test_who_sees_all_may_look_at_one(
    browser: Browser, keyring: Keyring, database: Database, connection: ConnectionRow, full: None
) -> None:
    with database.begin() as c:
        other = connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)
        keep(c, other, shipped_with("Owl Mail", "M-3001-A"))

    assert 'href="/?connection=borealis"' in browser.get("/").text
    page = browser.get("/?connection=borealis").text
    assert titles(page, "queue") == ["The carrier is not mapped: “Owl Mail”"]
    assert 'href="/cases?connection=borealis"' in page
    assert browser.get("/?connection=nowhere").status_code == 422
