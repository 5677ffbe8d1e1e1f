"""An answer that a platform has to show first: who gave it, what is waited for, and the other answers behind a fold."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from interlock.cases.store import answer, answers, cases
from interlock.console.explain import Explanation, explain
from interlock.console.order import OrderPage, order_page
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from tests.build import a_fulfillment_order
from tests.console.seed import CLOCK, edited_up, keep
from tests.web.browser import Browser, text_of

LATER = CLOCK + timedelta(minutes=3)


def answered(
    database: Database, connection: ConnectionRow, option: str, held: bool = True
) -> tuple[int, int]:
    """An order whose edit somebody answered, and whose answer a look has taken up."""
    view = edited_up()
    assert view.shopify is not None
    if not held:
        view = replace(
            view, shopify=replace(view.shopify, fulfillment_orders=(a_fulfillment_order(holds=()),))
        )
    with database.begin() as c:
        order_id, _ = keep(c, connection, view)
        case_id = int(c.execute(select(cases.c.id)).scalar_one())
        answer(c, case_id, option, "Ada", "Rang them.", CLOCK)
        c.execute(update(answers).values(taken_at=CLOCK))
    return order_id, case_id


def explained(database: Database, order_id: int) -> tuple[OrderPage, Explanation]:
    with database.begin() as c:
        page = order_page(c, order_id, LATER)
        assert page is not None
        return page, explain(page, LATER)


@pytest.mark.parametrize(
    ("option", "held", "verdict", "waits_for"),
    [
        (
            "done_in_portal",
            True,
            "Ada said at 12:00:30 UTC that it is done in the marketplace portal; the parcel is held until the marketplace "
            "shows it.",
            "the marketplace to show what was done in its portal",
        ),
        (
            "undo_in_shopify",
            True,
            "Ada said at 12:00:30 UTC that they undo the edit in Shopify; the parcel is held until both sides show the same.",
            "Shopify to show the edit undone",
        ),
        (
            "done_in_portal",
            False,
            "Ada said at 12:00:30 UTC that it is done in the marketplace portal; the case stays open until the marketplace "
            "shows it.",
            "the marketplace to show what was done in its portal",
        ),
    ],
)
def test_the_verdict_says_who_said_what_and_what_is_waited_for(
    database: Database, connection: ConnectionRow, option: str, held: bool, verdict: str, waits_for: str
) -> None:
    order_id, case_id = answered(database, connection, option, held)

    page, why = explained(database, order_id)

    assert (why.verdict, why.waits_for) == (verdict, waits_for)
    assert page.standing.tone == "now"
    assert page.standing.sentence == f"It waits for {waits_for}."
    offered = [
        sentence for sentence in why.would_change if sentence.startswith(f"Answer case {case_id} otherwise")
    ]
    assert offered
    assert not any(f"({option})" in sentence for sentence in why.would_change)


def test_an_answer_that_nothing_has_to_show_still_leaves_the_case_to_a_person(
    database: Database, connection: ConnectionRow
) -> None:
    order_id, case_id = answered(database, connection, "done_in_portal")
    with database.begin() as c:
        c.execute(update(answers).values(option="undo_by_interlock"))

    page, why = explained(database, order_id)

    assert page.standing.tone == "trouble"
    assert page.standing.sentence == "It waits for a person."
    assert why.waits_for.startswith(f"an answer to case {case_id}")


def test_an_answer_of_before_the_case_came_back_counts_no_more(
    database: Database, connection: ConnectionRow
) -> None:
    order_id, case_id = answered(database, connection, "done_in_portal")
    with database.begin() as c:
        c.execute(update(cases).values(opened_at=CLOCK + timedelta(minutes=1)))

    _, why = explained(database, order_id)

    assert why.waits_for.startswith(f"an answer to case {case_id}")


def test_the_page_folds_the_other_answers_away(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    order_id, case_id = answered(database, connection, "done_in_portal")

    page = browser.get(f"/orders/{order_id}").text
    case = browser.get(f"/cases/{case_id}").text

    card = page.split('<article class="case')[1].split("</article>")[0]
    before, folded = card.split("<details><summary>Answer otherwise</summary>")
    assert "Ada answered “Done in the marketplace portal”" in before
    assert "btn" not in before
    assert f'id="case-{case_id}-undo_in_shopify"' in folded
    assert f'id="case-{case_id}-done_in_portal"' not in folded
    assert 'class="verdict now"' in page
    assert "<details><summary><h2>Answer otherwise</h2></summary>" in case
    assert "Waits for the marketplace to show what was done in its portal" in text_of(
        browser.get(f"/orders/{order_id}")
    )
    chosen = browser.get(f"/cases/{case_id}?option=undo_in_shopify").text
    assert "<details open><summary><h2>Answer otherwise</h2></summary>" in chosen


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        (True, "It waits for the marketplace to show"),
        (False, "It waits for the next look to take up an answer."),
    ],
)
def test_the_list_says_what_is_waited_for_in_the_tone_of_the_orders_page(
    browser: Browser, database: Database, connection: ConnectionRow, taken: bool, said: str
) -> None:
    order_id, _ = answered(database, connection, "done_in_portal")
    if not taken:
        with database.begin() as c:
            c.execute(update(answers).values(taken_at=None))

    listed = browser.get("/orders").text

    assert f'<span class="tone now">{said}' in listed
    assert "waits for a person" not in listed
    assert 'class="verdict now"' in browser.get(f"/orders/{order_id}").text


def test_a_note_alone_waits_for_nobody(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    order_id, case_id = answered(database, connection, "done_in_portal")
    with database.begin() as c:
        c.execute(delete(answers))
        c.execute(update(cases).values(severity="note"))

    _, why = explained(database, order_id)

    assert "waits for a person" not in browser.get("/orders").text
    assert f"case {case_id}" not in why.waits_for


def test_an_open_question_comes_before_one_that_was_answered(
    database: Database, connection: ConnectionRow
) -> None:
    order_id, _ = answered(database, connection, "done_in_portal")
    with database.begin() as c:
        row = c.execute(select(cases)).one()._asdict()
        row.pop("id")
        second = c.execute(cases.insert().values(**{**row, "subject": "another"}).returning(cases.c.id))
        other = second.scalar_one()

    _, why = explained(database, order_id)

    assert why.waits_for.startswith(f"an answer to case {other}")
