"""Why an edit has not reached the marketplace, for every thing that can stop it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from interlock.cases.store import answer, cases
from interlock.console.explain import Explanation, explain
from interlock.console.order import order_page
from interlock.engine.ledger import operations
from interlock.engine.store import ConnectionRow, connections
from interlock.orders.store import mark_dirty
from interlock.orders.view import View
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW, a_memory, a_shopify_line, a_shopify_order, a_view, an_order, some_rules
from tests.console.seed import CLOCK, Wakes, connect, edited_up, keep

LAMP = a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
ONE_MUG_LESS = a_shopify_order(lines=(a_shopify_line(current_quantity=1), LAMP))
MAY_CANCEL = some_rules(partial_cancelation=True, cancelation_reason="OUT")


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


def explained(database: Database, connection: ConnectionRow, view: View, **operation: Any) -> Explanation:
    with database.begin() as c:
        order_id, _ = keep(c, connection, view)
        if operation:
            c.execute(update(operations).values(**operation))
        page = order_page(c, order_id, CLOCK)
        assert page is not None
        return explain(page, CLOCK)


def test_a_fresh_edit_waits_for_the_quiet_period(database: Database, connection: ConnectionRow) -> None:
    why = explained(database, connection, a_view(shopify=ONE_MUG_LESS, rules=MAY_CANCEL))

    assert "quiet period after the last edit is still running" in why.verdict
    assert why.until == NOW + timedelta(seconds=60)
    assert "Wait: the edit is sent by itself when the quiet period is over." in why.would_change


def an_edit_to_send() -> View:
    """A reduction whose quiet period is over."""
    view = a_view(shopify=ONE_MUG_LESS, rules=MAY_CANCEL)
    from interlock.decide import decide

    seen = decide(view).memory
    return replace(view, memory=replace(seen, content_since=NOW - timedelta(minutes=5)))


def test_an_edit_that_is_planned_is_on_its_way(database: Database, connection: ConnectionRow) -> None:
    why = explained(database, connection, an_edit_to_send())

    assert why.verdict.startswith("It is on its way: CancelQuantities to the marketplace is planned")


def test_an_unclear_call_is_read_back_first(database: Database, connection: ConnectionRow) -> None:
    why = explained(
        database, connection, an_edit_to_send(), state="UNKNOWN", attempt=1, words="timeout", ended_at=NOW
    )

    assert "ended unclear" in why.verdict
    assert any(e.kind == "operation" and "read back before" in e.sentence for e in why.chain)


def test_an_edit_the_marketplace_cannot_take_waits_for_a_person(
    database: Database, connection: ConnectionRow
) -> None:
    why = explained(database, connection, edited_up())

    assert "needs a person" in why.verdict
    assert any("Undo the edit in Shopify" in sentence for sentence in why.would_change)


def test_an_answer_not_yet_taken_up_is_said(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())
        case_id = c.execute(cases.select()).one().id
        answer(c, case_id, "undo_in_shopify", "Ada", "so", CLOCK)
        page = order_page(c, order_id, CLOCK)
        assert page is not None

    assert "Ada has answered case" in explain(page, CLOCK).verdict


def test_before_debit_the_marketplace_takes_nothing(database: Database, connection: ConnectionRow) -> None:
    mirakl = an_order("WAITING_DEBIT_PAYMENT")

    why = explained(database, connection, a_view(shopify=ONE_MUG_LESS, mirakl=mirakl, rules=MAY_CANCEL))

    assert any("can_cancel is off" in e.sentence for e in why.chain)


def test_a_connection_that_is_not_live_sends_nothing(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        c.execute(update(connections).values(live=False))

    why = explained(database, connection, edited_up())

    assert "is not live" in why.verdict
    assert any("interlock connect --name atlas --live" in sentence for sentence in why.would_change)


def test_an_order_nobody_has_looked_at_says_so(database: Database, connection: ConnectionRow) -> None:
    from interlock.orders.store import add_order

    with database.begin() as c:
        order_id = add_order(c, connection.id, "M-7", "", CLOCK)
        mark_dirty(c, order_id, "acceptance", CLOCK)
        page = order_page(c, order_id, CLOCK)
        assert page is not None
    why = explain(page, CLOCK)

    assert why.verdict == "The order has not been looked at yet."
    assert any(e.sentence == "A hint waits for a worker." for e in why.chain)


def test_both_sides_in_agreement_need_no_explanation(database: Database, connection: ConnectionRow) -> None:
    why = explained(database, connection, a_view(memory=a_memory()))

    assert why.verdict.startswith("Every edit has reached the marketplace")
    assert why.would_change == ()


def test_asking_again_wakes_a_worker(database: Database, connection: ConnectionRow) -> None:
    from interlock.console.desk import NoSuchOrder, replay

    wakes = Wakes()
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())
        replay(c, wakes, order_id, "Ada", CLOCK)
        with pytest.raises(NoSuchOrder):
            replay(c, wakes, 999, "Ada", CLOCK)

    assert wakes.woken == [(order_id, "edits")]
