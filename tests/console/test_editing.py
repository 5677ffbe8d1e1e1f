"""The edit desk in the console: form, preview, confirmation, refusals and progress, without script."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from interlock.cases.store import answer, answers, cases
from interlock.desk.store import desk_edits
from interlock.engine.store import ConnectionRow, counts
from interlock.orders.codec import encode
from interlock.orders.memory import DeskEdit
from interlock.orders.store import orders
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.storage.installation import open_installation
from interlock.web import WebParts, create_app
from tests.build import NOW, a_memory, a_view, an_order, some_rules
from tests.console.seed import CLOCK, TESTER, Numbered, Stopped, Wakes, connect, edited_up, keep
from tests.web.browser import Browser, text_of

RULES = some_rules(partial_cancelation=True, cancelation_reason="15")
LESS = {"kind": "lines", "units.L1": "1", "was.L1": "2", "units.L2": "1", "was.L2": "1"}


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        open_installation(c, keyring, "test", NOW)
        return connect(c, keyring)


@pytest.fixture
def browser(store: InlineStore, keyring: Keyring) -> Browser:
    return Browser(create_app(WebParts(store, Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER)))


@pytest.fixture
def order(database: Database, connection: ConnectionRow) -> int:
    with database.begin() as c:
        return keep(c, connection, a_view(rules=RULES))[0]


def kept(database: Database) -> list[dict[str, Any]]:
    with database.begin() as c:
        return list(c.execute(select(desk_edits.c.edit)).scalars())


def test_the_form_shows_every_line_with_its_units(browser: Browser, order: int) -> None:
    page = browser.get(f"/orders/{order}").text

    assert 'name="units.L1" value="2"' in page
    assert 'name="was.L2" value="1"' in page
    assert "Edit this order" in page


def test_a_preview_is_shown_before_anything_is_done(browser: Browser, database: Database, order: int) -> None:
    response = browser.submit(f"/orders/{order}", f"/orders/{order}/edit-preview", data=LESS)

    said = text_of(response)
    assert response.status_code == 200
    assert "OR30 The marketplace is asked to cancel 1 of MUG." in said
    assert "The customer gets 12.00 EUR back" in said
    assert "2 → 1" in said
    assert "Make this edit" in said
    assert kept(database) == []


def test_the_edit_is_asked_for_with_name_and_reason_and_shown(
    browser: Browser, database: Database, order: int
) -> None:
    page = browser.submit(f"/orders/{order}", f"/orders/{order}/edit-preview", data=LESS).text
    version = page.split('name="version" value="')[1].split('"')[0]

    done = browser.submit(
        f"/orders/{order}",
        f"/orders/{order}/edit",
        data={**LESS, "version": version, "who": "Ada", "why": "asked by phone"},
    )

    assert (done.status_code, done.headers["location"]) == (303, f"/orders/{order}#edits")
    (edit,) = kept(database)
    assert (edit["who"], edit["quantities"]) == ("Ada", [["S1", 1]])
    shown = text_of(browser.get(f"/orders/{order}"))
    assert "Edit of lines waiting" in shown
    assert "Parcel held waits" in shown


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"units.L1": "1.5"}, "is not a whole number"),
        ({"units.L1": "-3"}, "is not a whole number"),
        ({"units.L1": "2"}, "Say what to edit"),
        ({"units.L9": "1"}, "has no line"),
        ({"kind": "magic"}, "Choose what to edit"),
        ({"kind": ""}, "Choose what to edit"),
        ({"kind": "undo"}, "nothing to undo"),
        ({"kind": "address"}, "ISO code"),
        ({"kind": "address", "address.country_code": "FR", "address.city": "Paris"}, "needs a name"),
    ],
)
def test_what_cannot_be_previewed_is_said_on_the_form(
    browser: Browser, database: Database, order: int, changes: dict[str, str], said: str
) -> None:
    response = browser.submit(f"/orders/{order}", f"/orders/{order}/edit-preview", data={**LESS, **changes})

    assert response.status_code == 422
    assert said in text_of(response)
    with database.begin() as c:
        assert sum(n for (name, _), n in counts(c).items() if name == "preview_refused") == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "0"}, "has changed since"),
        ({"decision": "nonsense"}, "no such answer"),
        ({"units.L1": "5"}, "only become smaller"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    browser: Browser, database: Database, order: int, changes: dict[str, str], said: str
) -> None:
    page = browser.submit(f"/orders/{order}", f"/orders/{order}/edit-preview", data=LESS).text
    version = page.split('name="version" value="')[1].split('"')[0]
    data = {**LESS, "version": version, "who": "Ada", "why": "x", **changes}

    response = browser.submit(f"/orders/{order}", f"/orders/{order}/edit", data=data)

    assert response.status_code == 422
    assert said in text_of(response)
    assert kept(database) == []
    with database.begin() as c:
        assert c.execute(select(orders.c.hints)).scalar_one() == 0


def test_what_the_marketplace_cannot_take_asks_for_an_answer(browser: Browser, order: int) -> None:
    page = browser.submit(
        f"/orders/{order}", f"/orders/{order}/edit-preview", data={**LESS, "units.L1": "5"}
    ).text

    assert 'name="decision" value="done_in_portal" required' in page


def test_a_form_from_elsewhere_is_refused(browser: Browser, database: Database, order: int) -> None:
    for path in ("edit-preview", "edit"):
        assert browser.post(f"/orders/{order}/{path}", data={**LESS, "token": "forged"}).status_code == 403
    assert kept(database) == []


def test_a_closed_order_offers_no_edit(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order, _ = keep(c, connection, a_view(rules=RULES, mirakl=an_order("SHIPPED")))

    assert "Edit this order" not in browser.get(f"/orders/{order}").text


def test_differences_are_shown_with_the_rule_that_answers_them(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order, _ = keep(c, connection, edited_up())

    said = text_of(browser.get(f"/orders/{order}"))

    assert "What becomes of it" in said
    assert "A person decides." in said


Shape = Callable[[DeskEdit], DeskEdit]


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        (lambda e: e, "Parcel held now"),
        (lambda e: replace(e, held_at=NOW), "Changed in Shopify now"),
        (lambda e: replace(e, held_at=NOW, shown_at=NOW), "Marketplace told waits"),
        (
            lambda e: replace(e, held_at=NOW, shown_at=NOW, agreed_at=NOW, ended_at=NOW, ended="done"),
            "Both sides agree done",
        ),
        (
            lambda e: replace(e, ended_at=NOW, ended="overtaken", because="Changed by others."),
            "Changed by others.",
        ),
    ],
)
def test_the_steps_of_an_edit_are_shown(
    browser: Browser, database: Database, order: int, shape: Shape, said: str
) -> None:
    edit = shape(DeskEdit("e1", "lines", "Ada", "by phone", NOW, "v", (("S1", 1),), taken_at=NOW))
    memory = a_memory(desk_edits=(edit,), released_at=NOW - timedelta(minutes=1))
    with database.begin() as c:
        c.execute(update(orders).where(orders.c.id == order).values(memory=encode(memory)))

    assert said in text_of(browser.get(f"/orders/{order}"))


def test_an_unknown_order_has_no_desk(browser: Browser, database: Database, order: int) -> None:
    response = browser.submit(f"/orders/{order}", "/orders/999999/edit-preview", data=LESS)

    assert response.status_code == 404
    with database.begin() as c:
        assert c.execute(select(func.count()).select_from(desk_edits)).scalar_one() == 0


def test_a_case_answered_by_somebody_else_says_so_and_takes_another_answer_knowingly(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, edited_up())
        number = c.execute(select(cases.c.id)).scalar_one()
        answer(c, number, "undo_in_shopify", "Bo", "x", CLOCK)
        c.execute(update(answers).values(taken_at=CLOCK))
    mine = {"option": "done_in_portal", "why": "y"}

    blind = browser.submit(f"/cases/{number}", f"/cases/{number}/answer", data=mine)
    page = browser.get(f"/cases/{number}").text
    seen = page.split('name="seen" value="')[1].split('"')[0]
    knowing = browser.submit(f"/cases/{number}", f"/cases/{number}/answer", data={**mine, "seen": seen})

    assert (blind.status_code, "Bo answered case" in text_of(blind)) == (422, True)
    assert "Bo answered" in page
    assert knowing.status_code == 303
