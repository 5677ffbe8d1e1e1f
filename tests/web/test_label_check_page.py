"""The label check in the console: what a person is told of a number, and the label that is printed all the same."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from interlock.access.audit_log import entries
from interlock.access.roles import Grant, Role
from interlock.cases.store import answers
from interlock.engine.store import ConnectionRow
from interlock.holds.store import end_override, label_overrides, waiting_override
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import note_kin, orders, timeline_of
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.access.conftest import People, SignedIn, app, passwords, signed_in, somebody
from tests.api.test_label_check import PARCEL, SECOND, agreed, edited, shown, stored
from tests.build import NOW, a_memory
from tests.console.seed import Stopped, connect
from tests.web.browser import Browser, text_of

__all__ = ["app", "passwords", "signed_in", "somebody"]

WHY = "The customer waits at the door."


@pytest.fixture
def clock() -> Stopped:
    clock = Stopped()
    clock.moment = NOW + timedelta(seconds=10)
    return clock


@pytest.fixture
def stopped(clock: Stopped) -> Stopped:
    return clock


def look(browser: Browser, number: str, connection: str = "") -> Any:
    return browser.submit("/label-check", "/label-check", data={"number": number, "connection": connection})


def kept(database: Database) -> int:
    with database.begin() as c:
        return int(c.execute(select(func.count()).select_from(label_overrides)).scalar_one())


@pytest.mark.parametrize("number", ["#1001", "1001", "M-1001-A", "501", PARCEL])
def test_a_number_is_answered_with_its_reason_and_age_and_is_in_no_address(
    browser: Browser, database: Database, connection: ConnectionRow, number: str
) -> None:
    order_id = stored(database, connection, agreed())

    answer = look(browser, number)

    assert answer.status_code == 200
    assert "Yes, print it. Both sides agree" in text_of(answer)
    assert "as it was seen last, 10 s ago" in text_of(answer)
    assert "Print it all the same" not in answer.text
    assert f'href="/orders/{order_id}"' in answer.text
    assert f'href="/orders/{order_id}/label"' in browser.get(f"/orders/{order_id}").text
    assert "Yes, print it." in text_of(browser.get(f"/orders/{order_id}/label"))


def test_a_no_names_who_can_change_it(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    stored(database, connection, edited())

    page = text_of(look(browser, "#1001"))

    assert "No, do not print it." in page
    assert "Who can change it: CX." in page


def test_a_number_that_is_unclear_or_unknown_is_said(
    browser: Browser, database: Database, connection: ConnectionRow, keyring: Keyring
) -> None:
    stored(database, connection, agreed())
    with database.begin() as c:
        birch = connect(c, keyring, "birch", shop_id=2002)
    gid = "gid://shopify/Order/1002"
    parcels = shown(("gid://shopify/FulfillmentOrder/601",), id=gid)
    stored(database, birch, agreed(shopify=parcels, memory=a_memory(shopify_order_id=gid, released_at=NOW)))

    unknown, unclear, one, malformed = (
        look(browser, *given) for given in (("9999",), ("M-1001-A",), ("M-1001-A", "birch"), ("gid://x",))
    )

    assert (unknown.status_code, "neither a yes nor a no" in text_of(unknown)) == (404, True)
    assert unclear.status_code == 422
    assert f'name="number" value="{gid}"' in unclear.text
    assert "M-1001-A on birch" in text_of(unclear)
    assert "M-1001-A on birch" in text_of(one)
    assert malformed.status_code == 422
    assert browser.get("/orders/999999/label").status_code == 404


def test_the_number_of_a_replaced_order_is_answered_for_that_one(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    order_id = stored(database, connection, agreed())
    with database.begin() as c:
        note_kin(c, order_id, "gid://shopify/Order/900", NOW, "#900")

    page = look(browser, "#900")

    assert "Another Shopify order stands for this sale" in text_of(page)
    assert "Print it all the same" not in page.text


def test_looking_uses_up_no_override_and_an_override_is_kept_once_with_its_incident(
    browser: Browser, database: Database, connection: ConnectionRow, somebody: People, signed_in: SignedIn
) -> None:
    order_id = stored(database, connection, edited())
    ada, place = signed_in(somebody("ada", Role.OPERATIONS)), f"/orders/{order_id}/label"
    given = {"parcel": PARCEL, "why": WHY, "sure": "on"}

    answer = ada.submit(place, place, data=given)
    with database.begin() as c:
        c.execute(update(orders).values(handled=orders.c.hints))
    again = ada.submit(place, place, data=given)

    assert (answer.status_code, answer.headers["location"]) == (303, place)
    assert (again.status_code, "ada has overridden" in text_of(again)) == (422, True)
    for page in (look(ada, "#1001"), ada.get(place), look(ada, "#1001")):
        assert "ada has the next check of fulfillment order 501 say yes, once, since" in text_of(page)
        assert "No, do not print it." in text_of(page)
        assert "Print it all the same" not in page.text
    assert kept(database) == 1
    with database.begin() as c:
        (row,) = c.execute(select(answers)).all()
        assert (row.reason, row.option, row.who, row.why) == (
            Reason.LABEL_OVERRIDDEN.value,
            Option.PRINT_ANYWAY.value,
            "ada",
            WHY,
        )
        assert any("Has a label printed (console)" in said for _, _, said in timeline_of(c, order_id))
        assert [(e.who, e.subject, e.facts["right"]) for e in entries(c)] == [
            ("ada", place, "override_label")
        ]
        waiting = waiting_override(c, order_id, PARCEL)
        assert waiting is not None
        end_override(c, waiting, NOW)
    assert "say yes, once" not in text_of(ada.get(place))


def test_an_override_for_another_reason_is_named_and_may_be_given_again(
    browser: Browser, database: Database, connection: ConnectionRow, somebody: People, signed_in: SignedIn
) -> None:
    order_id = stored(database, connection, edited())
    ada, place = signed_in(somebody("ada", Role.OPERATIONS)), f"/orders/{order_id}/label"
    given = {"parcel": PARCEL, "why": WHY, "sure": "on"}
    ada.submit(place, place, data=given)
    with database.begin() as c:
        c.execute(update(orders).values(label_reason="The edit window is open.", handled=orders.c.hints))

    page = ada.get(place)

    assert "The override of fulfillment order 501 by ada" in text_of(page)
    assert "does not count any more. It was for another reason" in text_of(page)
    assert "say yes, once, since" not in text_of(page)
    assert ada.submit(place, place, data=given).status_code == 303
    assert kept(database) == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"sure": ""}, "Say that it shall be printed all the same."),
        ({"why": " "}, "An override needs why"),
        ({"parcel": "gid://shopify/FulfillmentOrder/9"}, "Nothing is left to ship of this fulfillment order"),
        ({"parcel": ""}, "name one"),
    ],
)
def test_an_override_that_cannot_be_kept_says_why(
    browser: Browser, database: Database, connection: ConnectionRow, given: dict[str, str], said: str
) -> None:
    order_id = stored(database, connection, edited((PARCEL, SECOND)))
    place = f"/orders/{order_id}/label"
    assert '<option value="gid://shopify/FulfillmentOrder/502">502</option>' in browser.get(place).text

    answer = browser.submit(place, place, data={"parcel": PARCEL, "why": "It waits.", "sure": "on", **given})

    assert (answer.status_code, said in text_of(answer)) == (422, True)
    assert kept(database) == 0


def test_what_may_be_printed_is_not_overridden(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    place = f"/orders/{stored(database, connection, agreed())}/label"

    answer = browser.submit(place, place, data={"parcel": PARCEL, "why": WHY, "sure": "on"})

    assert (answer.status_code, "may be printed as it is" in text_of(answer)) == (422, True)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CX, Role.FINANCE])
def test_who_may_not_override_sees_the_verdict_and_no_form(
    database: Database, connection: ConnectionRow, somebody: People, signed_in: SignedIn, role: Role
) -> None:
    order_id = stored(database, connection, edited())
    browser = signed_in(somebody("ada", role))

    page = look(browser, "#1001")
    refused = browser.submit("/label-check", f"/orders/{order_id}/label", data={"why": WHY, "sure": "on"})

    assert "No, do not print it." in text_of(page)
    assert "Print it all the same" not in page.text
    assert refused.status_code == 403
    assert kept(database) == 0


def test_somebody_of_one_connection_is_told_of_no_order_of_another(
    database: Database,
    connection: ConnectionRow,
    keyring: Keyring,
    somebody: People,
    signed_in: SignedIn,
) -> None:
    with database.begin() as c:
        birch = connect(c, keyring, "birch", shop_id=2002)
    mine = stored(database, connection, edited())
    gid = "gid://shopify/Order/1002"
    foreign = stored(
        database,
        birch,
        agreed(
            order_id="M-1002-A",
            mirakl=replace(agreed().mirakl, order_id="M-1002-A"),  # type: ignore[type-var]
            shopify=shown(("gid://shopify/FulfillmentOrder/601",), id=gid),
            memory=a_memory(shopify_order_id=gid, released_at=NOW),
        ),
    )
    ada = signed_in(somebody("ada", Grant(Role.OPERATIONS, connection.id)))

    theirs, nowhere = look(ada, "M-1002-A"), look(ada, "M-9002-A")

    assert (theirs.status_code, nowhere.status_code) == (404, 404)
    assert text_of(theirs).replace("1002", "9002") == text_of(nowhere)
    # Both orders have this name in the shop: there is one that may be found.
    assert "M-1001-A on atlas" in text_of(look(ada, "#1001"))
    assert "There is no connection birch" in text_of(look(ada, "M-1002-A", "birch"))
    assert "birch" not in look(ada, "#1001").text
    assert ada.get(f"/orders/{foreign}/label").status_code == 403
    refused = ada.submit("/label-check", f"/orders/{foreign}/label", data={"why": WHY, "sure": "on"})
    assert (refused.status_code, kept(database)) == (403, 0)
    assert "Print it all the same" in text_of(ada.get(f"/orders/{mine}/label"))
