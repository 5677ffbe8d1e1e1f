"""Pausing a flow of a connection: who may, what it does to orders, and that nobody overlooks it."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from interlock.access.audit_log import audit_log
from interlock.engine.store import ConnectionRow, one_connection
from interlock.storage.database import Database
from tests.console.seed import CLOCK, TESTER, Stopped, Wakes, keep, sku_unknown
from tests.web.browser import Browser, text_of


@pytest.fixture
def place(connection: ConnectionRow) -> str:
    return f"/connections/{connection.id}/flows"


def pause(
    browser: Browser, place: str, flow: str = "shipping", minutes: str = "60", why: str = "Strike."
) -> int:
    form = {"flow": flow, "minutes": minutes, "why": why}
    return int(browser.submit(place, f"{place}/pause", data=form).status_code)


def test_a_pause_is_stored_recorded_and_shown_with_its_reason_and_end(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    assert pause(browser, place) == 303

    with database.begin() as c:
        (kept,) = one_connection(c, connection.id).rules.pauses
        entry = c.execute(select(audit_log)).one()
    assert (kept.flow, kept.until, kept.who, kept.why) == (
        "shipping",
        CLOCK + timedelta(hours=1),
        TESTER.handle,
        "Strike.",
    )
    assert (entry.did, entry.who, entry.connection_id) == ("flow_paused", TESTER.handle, connection.id)
    assert "Shipping paused, 60 min left" not in text_of(browser.get("/"))
    assert "Shipping paused , 1 h left: Strike." in text_of(browser.get("/connections"))
    assert f"{TESTER.handle} paused it just now: Strike." in text_of(browser.get(place))


@pytest.mark.parametrize("flow", ["acceptance", "import"])
def test_a_pause_that_loses_orders_is_said_on_every_page(
    browser: Browser, connection: ConnectionRow, place: str, flow: str
) -> None:
    assert pause(browser, place, flow) == 303

    for path in ("/", "/orders", "/holds", "/health"):
        assert (
            f"{flow.capitalize()} of atlas is paused by {TESTER.handle}, 1 h left: orders can be lost."
            in text_of(browser.get(path))
        )


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"flow": "everything"}, "There is no flow 'everything'"),
        ({"minutes": "7"}, "Choose how long"),
        ({"minutes": "1440", "flow": "acceptance"}, "may last 4 hours at most"),
        ({"why": "  "}, "needs a reason"),
        ({"why": "x" * 201}, "needs a reason"),
        ({"why": "a\nb"}, "needs a reason"),
    ],
)
def test_a_pause_that_cannot_be_is_refused_in_words(
    browser: Browser,
    database: Database,
    connection: ConnectionRow,
    place: str,
    form: dict[str, str],
    said: str,
) -> None:
    given = {"flow": "shipping", "minutes": "60", "why": "Strike.", **form}

    response = browser.submit(place, f"{place}/pause", data=given)

    assert response.status_code == 422
    assert said in text_of(response)
    with database.begin() as c:
        assert one_connection(c, connection.id).rules.pauses == ()


def test_ending_a_pause_has_what_waited_looked_at(
    browser: Browser, database: Database, connection: ConnectionRow, place: str, wakes: Wakes
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, sku_unknown())
    pause(browser, place)
    wakes.woken.clear()

    response = browser.submit(place, f"{place}/resume", data={"flow": "shipping"})
    again = browser.submit(place, f"{place}/resume", data={"flow": "shipping"})

    assert response.status_code == 303
    assert [order for order, _ in wakes.woken] == [order_id]
    assert "has no pause any more" in text_of(again)
    with database.begin() as c:
        assert one_connection(c, connection.id).rules.pauses == ()
        assert [row.did for row in c.execute(select(audit_log).order_by(audit_log.c.id))] == [
            "flow_paused",
            "flow_resumed",
        ]


def test_a_pause_ends_by_itself(
    browser: Browser, connection: ConnectionRow, place: str, stopped: Stopped
) -> None:
    pause(browser, place, "acceptance")
    stopped.moment = CLOCK + timedelta(hours=1)

    assert "is paused" not in text_of(browser.get("/"))
    assert "running" in text_of(browser.get(place))
