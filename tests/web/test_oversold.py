"""More was sold than there is: the page of that case lists the orders in question and takes an answer for each of them."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select, update

from interlock.cases.store import answers, cases
from interlock.engine.stock_figures import keep_figures
from interlock.engine.stock_reading import selling_from
from interlock.engine.store import ConnectionRow
from interlock.inventory.store import SoldOrder, keep_sold
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.orders.view import View
from interlock.storage.database import Database
from tests.build import NOW, OFFERS, an_offer, not_imported
from tests.console.seed import Wakes, keep, sku_unknown
from tests.inventory.seed import item, stocked
from tests.web.browser import Browser, text_of


def waiting(order_id: str, due_at: datetime) -> View:
    """An order that wants two mugs, of which there is one."""
    view = sku_unknown(order_id)
    memory = not_imported(acceptance_due_at=due_at)
    return replace(view, memory=memory, offers=(an_offer(available=1), OFFERS[1]))


@pytest.fixture
def sold(database: Database, connection: ConnectionRow) -> tuple[int, int, int]:
    """Two orders for two mugs each, the second of which runs out first; their rows, and the case."""
    with database.begin() as c:
        stocked(c, connection, (item("MUG", 3),), NOW)
        found = []
        for order_id, due_at in (("M-1", NOW + timedelta(hours=40)), ("M-2", NOW + timedelta(hours=1))):
            number, _ = keep(c, connection, waiting(order_id, due_at))
            found.append(number)
        c.execute(update(orders).values(created_at=NOW - timedelta(hours=1)))
        keep_sold(
            c,
            [SoldOrder(n, connection.id, "", "WAITING_ACCEPTANCE", (("MUG", 2),), None) for n in found],
        )
        keep_figures(c, selling_from(c, connection.shopify_shop), connection.id, NOW)
        case_id = c.execute(select(cases.c.id).where(cases.c.reason == Reason.OVERSOLD.value)).scalar_one()
    return found[0], found[1], int(case_id)


def own_case(c: Connection, order_id: int) -> int:
    found = select(cases.c.id).where(cases.c.order_id == order_id, cases.c.reason == Reason.STOCK_SHORT.value)
    return int(c.execute(found).scalar_one())


def test_the_orders_stand_in_the_order_in_which_they_would_be_served(
    browser: Browser, sold: tuple[int, int, int]
) -> None:
    page = text_of(browser.get(f"/cases/{sold[2]}"))
    assert "4 units of MUG are wanted, 3 are there." in page
    assert page.index("would be served M-2 on atlas · 2 units") < page.index(
        "would lose M-1 on atlas · 2 units"
    )
    assert "Answer for M-2" in page
    assert "Answer for M-1" not in page
    assert "It may be refused" in page


def test_an_order_loses_on_the_page_of_the_case(
    browser: Browser, database: Database, sold: tuple[int, int, int], wakes: Wakes
) -> None:
    _, second, case_id = sold
    with database.begin() as c:
        own = own_case(c, second)
    place = f"/cases/{case_id}"
    done = browser.submit(
        place,
        f"/cases/{own}/answer",
        data={"option": "refuse_order", "why": "The other customer waits for longer.", "back": str(case_id)},
    )
    assert done.headers["location"] == f"{place}#orders"
    with database.begin() as c:
        (answer,) = c.execute(select(answers.c.order_id, answers.c.option)).all()
    assert tuple(answer) == (second, "refuse_order")
    assert wakes.woken == [(second, "acceptance")]
    assert "has answered; the next look takes it up." in text_of(browser.get(place))


@pytest.mark.parametrize("back", ["//elsewhere.example", "1/../../people", ""])
def test_the_way_back_leads_to_a_case_or_to_the_order(
    browser: Browser, database: Database, sold: tuple[int, int, int], back: str
) -> None:
    _, second, case_id = sold
    with database.begin() as c:
        own = own_case(c, second)
    answered = {"option": "refuse_order", "why": "Nothing is left.", "back": back}
    done = browser.submit(f"/cases/{case_id}", f"/cases/{own}/answer", data=answered)
    assert done.headers["location"] == f"/orders/{second}"


def test_once_there_is_enough_no_order_is_in_question(
    browser: Browser, database: Database, sold: tuple[int, int, int]
) -> None:
    with database.begin() as c:
        c.execute(cases.update().where(cases.c.id == sold[2]).values(subject="LAMP"))
    assert "The orders in question" not in text_of(browser.get(f"/cases/{sold[2]}"))
