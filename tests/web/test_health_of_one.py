"""Health of one connection, and what was called beside what may be."""

from datetime import timedelta

import pytest
from sqlalchemy import insert, update

from interlock.cases.store import cases, open_connection_case
from interlock.console.budgets import budget_lines
from interlock.engine.store import ConnectionRow, budget_calls, connections, seconds_until_allowed, wait_until
from interlock.monitoring.board import OF_THE_INSTALLATION, keep_board, make_board
from interlock.monitoring.measures import Latency
from interlock.monitoring.rollup import add, edit_clock_rows
from interlock.orders.reasons import Reason
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, connect, edited_up, keep, sku_unknown
from tests.web.browser import Browser, text_of

HOUR = timedelta(hours=1)


@pytest.fixture
def other(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring, "borealis", shop="borealis.myshopify.com", shop_id=2002)


@pytest.fixture
def measured(database: Database, connection: ConnectionRow, other: ConnectionRow) -> None:
    """Atlas is quick. Borealis is slow, has lost an order, has an edit that was blocked, and old debts."""
    with database.begin() as c:
        for row, seconds in ((connection, 5.0), (other, 900.0)):
            add(c, row.id, [Latency("seen_accepted", CLOCK - HOUR, seconds)] * 3)
        ours, _ = keep(c, connection, edited_up())
        theirs, _ = keep(c, other, sku_unknown())
        for row, order_id, outcome in (
            (connection, ours, "confirmed"),
            (other, theirs, "both_sides_changed"),
        ):
            c.execute(
                insert(edit_clock_rows).values(
                    order_id=order_id,
                    change_id="E1",
                    connection_id=row.id,
                    edited_at=CLOCK - HOUR,
                    skus=[f"SKU-{row.name}"],
                    quiet_seconds=0,
                    settled_at=CLOCK - HOUR + timedelta(seconds=30),
                    outcome=outcome,
                )
            )
        open_connection_case(c, other.id, Reason.REFUND_TASK, "R1", "It is so.", CLOCK)
        c.execute(
            update(cases)
            .where(cases.c.reason == Reason.REFUND_TASK.value)
            .values(first_opened_at=CLOCK - timedelta(days=9))
        )
        keep_board(c, CLOCK)


def test_the_board_of_one_connection_counts_what_is_its_own(
    database: Database, connection: ConnectionRow, other: ConnectionRow, measured: None
) -> None:
    with database.begin() as c:
        whole, quick, slow = (make_board(c, CLOCK, number) for number in (None, connection.id, other.id))

    def verdicts(board: object) -> dict[str, str]:
        return {one.code: one.verdict for one in board.objectives}  # type: ignore[attr-defined]

    assert verdicts(whole)["S2"] == verdicts(slow)["S2"] == "broken"
    assert verdicts(quick)["S2"] == "held"
    assert (verdicts(whole)["S11"], verdicts(quick)["S11"], verdicts(slow)["S11"]) == (
        "broken",
        "held",
        "broken",
    )
    assert [sku.sku for sku in quick.skus] == ["SKU-atlas"]
    assert [sku.sku for sku in slow.skus] == ["SKU-borealis"]
    assert (quick.blocked, slow.blocked) == ((), (("both_sides_changed", 1),))
    assert [day.number for day in whole.edits_by_day] == [2]
    assert [day.number for day in quick.edits_by_day] == [1]
    assert [one.connection for one in slow.drift] == ["borealis"]
    # What no connection has of its own is not said of one.
    assert set(verdicts(whole)) - set(verdicts(quick)) == set(OF_THE_INSTALLATION)


def test_the_page_shows_one_connection_or_all(browser: Browser, measured: None) -> None:
    everything, one = browser.get("/health"), browser.get("/health?connection=atlas")

    assert 'href="/health?connection=borealis"' in everything.text
    assert "Objectives, last 30 days" in text_of(everything)
    assert "Objectives of atlas, last 30 days" in text_of(one)
    assert ("SKU-borealis" in everything.text, "SKU-borealis" in one.text) == (True, False)
    assert browser.get("/health?connection=nowhere").status_code == 422


def test_calls_stand_beside_their_ceiling_in_its_own_window(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    account = connection.mirakl_account
    with database.begin() as c:
        c.execute(update(connections).values(event_reads_per_minute=7))
        for operation, minutes in (("RE01", 600), ("RE01", 5), ("OF52", 5), ("OR11:event", 0), ("OR21", 0)):
            at = CLOCK - timedelta(minutes=minutes, seconds=5)
            c.execute(insert(budget_calls).values(account=account, operation=operation, at=at))
        wait_until(c, account, "OR21", CLOCK + HOUR)
        lines = {line.operation: line for line in budget_lines(c, CLOCK)}

    assert lines["RE01"].in_words == "2 of 4 in 24 h"
    assert lines["OR11:event"].in_words == "1 of 7 in 1 min"
    assert lines["OR21"].in_words == "1 in a minute, no ceiling"
    # Its window is a minute, and the call is five minutes old.
    assert "OF52" not in lines
    assert [line.operation for line in lines.values() if line.full] == ["OR21"]
    assert "2 of 4 in 24 h" in text_of(browser.get("/health"))


def test_a_full_budget_is_one_whose_next_call_waits(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        seconds_until_allowed(c, connection.mirakl_account, "OF52", 1, timedelta(minutes=1), CLOCK)
        (line,) = budget_lines(c, CLOCK)

    assert (line.in_words, line.full) == ("1 of 1 in 1 min", True)
