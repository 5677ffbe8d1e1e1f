"""A page shows nobody a form they may not send: it says in one line which right it needs."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from interlock.access.roles import Grant, Permission, Person, Role
from interlock.cases.store import cases
from interlock.console.lacking import lacks
from interlock.engine.store import ConnectionRow
from interlock.orders.reasons import Option, Reason
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.access.conftest import People, SignedIn
from tests.build import NOW
from tests.console.seed import connect, edited_up, keep, shipped_with
from tests.refunds.test_decide import look, shopify_refund
from tests.web.browser import Browser, text_of

P = Permission


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.mark.parametrize(
    ("grant", "permission", "connection", "whole", "there"),
    [
        (Grant(Role.CX), P.ANSWER_CUSTOMER_SERVICE, 1, False, True),
        (Grant(Role.CX, 1), P.ANSWER_CUSTOMER_SERVICE, 1, False, True),
        (Grant(Role.CX, 2), P.ANSWER_CUSTOMER_SERVICE, 1, False, False),
        (Grant(Role.CX), P.ANSWER_FINANCE, 1, False, False),
        (Grant(Role.CX, 1), P.WORK_CASES, None, False, True),
        (Grant(Role.VIEWER), P.WORK_CASES, None, False, False),
        (Grant(Role.VIEWER, 1), P.SEE, None, True, False),
        (Grant(Role.VIEWER), P.SEE, None, True, True),
    ],
)
def test_what_is_lacking_is_what_the_door_would_refuse(
    grant: Grant, permission: Permission, connection: int | None, whole: bool, there: bool
) -> None:
    said = lacks(Person(7, "ada", (grant,)), permission, connection, whole)

    assert (said == "") is there
    assert there or said.startswith("It needs the right to ")


def case_of(database: Database, reason: Reason) -> int:
    with database.begin() as c:
        found = select(cases.c.id).where(cases.c.reason == reason.value).order_by(cases.c.id).limit(1)
        return int(c.execute(found).scalar_one())


def forms(browser: Browser, place: str) -> set[str]:
    """Where the forms of the page of a case lead to, without its number and that of the order."""
    page = browser.get(place).text
    sent = re.findall(r'<form[^>]* action="/(?:cases|orders)/\d+/([a-z-]+)"', page)
    return set(sent)


WORK = {"work", "snooze", "comment"}


@pytest.mark.parametrize(
    ("role", "shown", "lines"),
    [
        (Role.VIEWER, set(), {"answer cases of operations", "assign, comment on and put off cases"}),
        (Role.FINANCE, {*WORK, "replay"}, {"answer cases of operations"}),
        (Role.CX, {*WORK, "replay"}, {"answer cases of operations"}),
        (Role.OPERATIONS, {*WORK, "replay", "answer", "answer-all"}, set()),
        (Role.ADMIN, {*WORK, "replay", "answer", "answer-all"}, set()),
    ],
)
def test_the_page_of_a_case_has_the_forms_that_may_be_sent_and_says_what_the_others_need(
    database: Database,
    connection: ConnectionRow,
    somebody: People,
    signed_in: SignedIn,
    role: Role,
    shown: set[str],
    lines: set[str],
) -> None:
    with database.begin() as c:
        for number in ("M-1002-A", "M-1003-A"):
            keep(c, connection, shipped_with("Pigeon Post", number))
        c.execute(
            update(cases).values(
                reason=Reason.SHIPPING_REFUSED.value,
                options=[Option.SEND_AGAIN.value],
                cause="or24",
                damage_at=NOW + timedelta(days=9),
            )
        )
    place = f"/cases/{case_of(database, Reason.SHIPPING_REFUSED)}"
    browser = signed_in(somebody("ada", role))
    text = text_of(browser.get(place))

    assert forms(browser, place) == shown
    assert {
        line for line in lines if f"It needs the right to {line}, which you do not have here." in text
    } == lines
    assert ("It needs the right" in text) is (role in (Role.VIEWER, Role.FINANCE, Role.CX))
    for form in {"work", "snooze", "comment", "answer", "answer-all"} - shown:
        assert browser.submit(place, f"{place}/{form}", data={}).status_code == 403


@pytest.mark.parametrize(
    ("role", "maps", "replays", "edits"),
    [
        (Role.VIEWER, False, False, False),
        (Role.CX, False, True, True),
        (Role.FINANCE, False, True, False),
        (Role.OPERATIONS, True, True, True),
    ],
)
def test_a_step_that_somebody_may_not_take_is_a_line_that_says_what_it_needs(
    database: Database,
    connection: ConnectionRow,
    somebody: People,
    signed_in: SignedIn,
    role: Role,
    maps: bool,
    replays: bool,
    edits: bool,
) -> None:
    with database.begin() as c:
        keep(c, connection, shipped_with("Pigeon Post"))
        keep(c, connection, edited_up())
    carrier, edit = (
        case_of(database, reason) for reason in (Reason.CARRIER_UNKNOWN, Reason.EDIT_CANNOT_BE_EXPRESSED)
    )
    browser = signed_in(somebody("ada", role))
    page, text = browser.get(f"/cases/{carrier}").text, text_of(browser.get(f"/cases/{carrier}"))
    edit_text = text_of(browser.get(f"/cases/{edit}"))

    assert (f"/connections/{connection.id}/carriers?subject=" in page) is maps
    assert ("It needs the right to change mappings" in text) is not maps
    assert ("Looking at them again: It needs the right" in text) is not replays
    assert ("Look at 1 order again" in text) is replays
    assert ("Look again: It needs the right to have an order looked at again" in text) is not replays
    assert ("Edit the order: It needs the right to edit orders at the desk" in edit_text) is not edits
    assert ('id="step-desk"' in browser.get(f"/cases/{edit}").text) is edits


@pytest.mark.parametrize(
    ("role", "may_answer"), [(Role.FINANCE, True), (Role.CX, False), (Role.VIEWER, False)]
)
def test_a_refund_task_offers_its_answers_to_who_may_give_them(
    database: Database,
    connection: ConnectionRow,
    somebody: People,
    signed_in: SignedIn,
    role: Role,
    may_answer: bool,
) -> None:
    with database.begin() as c:
        keep(c, connection, look(shopify_refund()))
    browser = signed_in(somebody("ada", role))
    page = browser.get("/refund-tasks")

    assert ("?option=" in page.text) is may_answer
    assert ("Answering: It needs the right to answer cases of finance" in text_of(page)) is not may_answer


@pytest.mark.parametrize(
    ("role", "maps", "answers"),
    [
        (Role.VIEWER, False, False),
        (Role.CX, False, False),
        (Role.ENGINEER, True, False),
        (Role.OPERATIONS, True, True),
    ],
)
def test_the_page_of_an_order_offers_the_answers_to_who_may_give_them(
    database: Database,
    connection: ConnectionRow,
    somebody: People,
    signed_in: SignedIn,
    role: Role,
    maps: bool,
    answers: bool,
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, shipped_with("Pigeon Post"))
        c.execute(update(cases).values(options=[Option.MAP_CARRIER.value, Option.SEND_AGAIN.value]))
    page = signed_in(somebody("ada", role)).get(f"/orders/{order_id}")
    text = text_of(page)

    assert ("/carriers?subject=" in page.text) is maps
    assert ("Map the carrier: It needs the right to change mappings" in text) is not maps
    assert ("?option=send_again" in page.text) is answers
    assert ("Send it again: It needs the right to answer cases of operations" in text) is not answers


@pytest.mark.parametrize(
    ("role", "shown"),
    [
        (Role.VIEWER, set()),
        (Role.FINANCE, {"replay"}),
        (Role.ENGINEER, {"replay"}),
        (Role.CX, {"edit-preview", "link", "replay"}),
    ],
)
def test_the_page_of_an_order_has_the_forms_that_may_be_sent_and_says_what_the_others_need(
    database: Database,
    connection: ConnectionRow,
    somebody: People,
    signed_in: SignedIn,
    role: Role,
    shown: set[str],
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, look())
    browser = signed_in(somebody("ada", role))
    place = f"/orders/{order_id}"
    text = text_of(browser.get(place))

    assert forms(browser, place) == shown
    needed = {
        "edit-preview": "edit orders at the desk",
        "link": "link and unlink orders",
        "replay": "have an order looked at again",
    }
    for form, words in needed.items():
        assert (f"It needs the right to {words}, which you do not have here." in text) is (form not in shown)
