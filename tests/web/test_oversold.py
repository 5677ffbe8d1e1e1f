"""More was sold than there is: the page of that case lists the orders in question and takes an answer for each of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from httpx2 import Response
from sqlalchemy import Connection, select, update

from interlock.access.store import make_key
from interlock.cases.store import answers, cases
from interlock.engine.stock_figures import keep_figures
from interlock.engine.stock_reading import selling_from
from interlock.engine.store import ConnectionRow
from interlock.inventory.oversell import IMPORT_WAITS
from interlock.inventory.store import SoldOrder, keep_sold, stock_levels
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import Offer
from interlock.orders.store import orders
from interlock.orders.view import View
from interlock.storage.database import Database
from tests.build import NOW, OFFERS, an_offer, not_imported
from tests.console.seed import Wakes, keep, sku_unknown
from tests.inventory.seed import item, stocked
from tests.web.browser import Browser, text_of

TOO_FEW, TWO_VARIANTS = an_offer(available=1), an_offer(matches=2)


def waiting(order_id: str, due_at: datetime, shown: Offer) -> View:
    """An order that wants two mugs, of which the shop shows too few, or more than one variant."""
    view = sku_unknown(order_id)
    memory = not_imported(acceptance_due_at=due_at)
    return replace(view, memory=memory, offers=(shown, OFFERS[1]))


def contest(c: Connection, connection: ConnectionRow, shown: Offer = TWO_VARIANTS) -> tuple[int, int, int]:
    """Two orders for two mugs each, of which there are three; the second runs out first. Their rows, and the case."""
    stocked(c, connection, (item("MUG", 3),), NOW)
    found = []
    for order_id, due_at in (("M-1", NOW + timedelta(hours=40)), ("M-2", NOW + timedelta(hours=1))):
        number, _ = keep(c, connection, waiting(order_id, due_at, shown))
        found.append(number)
    c.execute(update(orders).values(created_at=NOW - timedelta(hours=1)))
    keep_sold(
        c,
        [SoldOrder(n, connection.id, "", "WAITING_ACCEPTANCE", (("MUG", 2),), None) for n in found],
    )
    keep_figures(c, selling_from(c, connection.shopify_shop), connection.id, NOW)
    case_id = c.execute(select(cases.c.id).where(cases.c.reason == Reason.OVERSOLD.value)).scalar_one()
    return found[0], found[1], int(case_id)


@pytest.fixture
def sold(database: Database, connection: ConnectionRow) -> tuple[int, int, int]:
    with database.begin() as c:
        return contest(c, connection)


def own_case(c: Connection, order_id: int) -> int:
    found = select(cases.c.id).where(cases.c.order_id == order_id, cases.c.reason.in_(IMPORT_WAITS))
    return int(c.execute(found).scalar_one())


def refuse(browser: Browser, own: int, place: str, back: str | None = None) -> Response:
    """Answer the case of an order itself from the page at `place`: the order is refused."""
    told = {"option": "refuse_order", "why": "The other customer waits for longer."}
    return browser.submit(
        place, f"/cases/{own}/answer", data={**told, **({} if back is None else {"back": back})}
    )


def test_the_orders_stand_in_the_order_in_which_they_would_be_served(
    browser: Browser, sold: tuple[int, int, int]
) -> None:
    page = text_of(browser.get(f"/cases/{sold[2]}"))
    assert "4 units of MUG are wanted, 3 are there." in page
    assert page.index("would be served M-2 on atlas · 2 units") < page.index(
        "would lose M-1 on atlas · 2 units"
    )
    assert "Answer for M-2" in page
    assert "Answer for M-1" in page
    assert page.count("Refusing it now is early: until ") == 1


def test_an_order_whose_own_case_offers_to_refuse_it_says_too_that_this_is_early(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        _, _, case_id = contest(c, connection, TOO_FEW)
    assert text_of(browser.get(f"/cases/{case_id}")).count("Refusing it now is early: until ") == 1


def test_an_order_is_refused_long_before_its_own_case_offers_it(
    browser: Browser, database: Database, sold: tuple[int, int, int], wakes: Wakes
) -> None:
    first, _, case_id = sold
    with database.begin() as c:
        own = own_case(c, first)
        assert c.execute(select(cases.c.options).where(cases.c.id == own)).scalar_one() == ["map_sku"]
    assert "Refuse the order" in text_of(browser.get(f"/cases/{own}"))
    place = f"/cases/{case_id}"
    assert refuse(browser, own, place, str(case_id)).headers["location"] == f"{place}#orders"
    with database.begin() as c:
        (answer,) = c.execute(select(answers.c.order_id, answers.c.option)).all()
    assert tuple(answer) == (first, "refuse_order")
    assert wakes.woken == [(first, "acceptance")]
    page = text_of(browser.get(place))
    assert "has answered; the next look takes it up." in page
    assert "Answer for M-1" not in page
    assert refuse(browser, own, place, str(case_id)).status_code == 422


def accepted(c: Connection, order_id: int) -> None:
    """The marketplace says the order was accepted."""
    c.execute(update(orders).where(orders.c.id == order_id).values(mirakl_state="SHIPPING"))


def drafted(c: Connection, order_id: int) -> None:
    """A draft of the order is in Shopify."""
    c.execute(update(orders).where(orders.c.id == order_id).values(draft_id="gid://shopify/DraftOrder/1"))


def served(c: Connection, order_id: int) -> None:
    """There is enough of the article by now."""
    c.execute(update(stock_levels).values(available=100))


def settled(c: Connection, order_id: int) -> None:
    """The case about the article is closed."""
    c.execute(
        update(cases)
        .where(cases.c.reason == Reason.OVERSOLD.value)
        .values(closed_at=NOW, closed_because="There is enough.")
    )


@pytest.mark.parametrize("happens", [accepted, drafted, served, settled])
def test_what_is_not_in_question_is_not_refused_early(
    browser: Browser,
    database: Database,
    sold: tuple[int, int, int],
    happens: Callable[[Connection, int], None],
) -> None:
    with database.begin() as c:
        own = own_case(c, sold[0])
        happens(c, sold[0])
    assert "Refuse the order" not in text_of(browser.get(f"/cases/{own}"))
    refused = refuse(browser, own, f"/cases/{own}")
    assert refused.status_code == 422
    assert "does not offer" in text_of(refused)
    with database.begin() as c:
        assert c.execute(select(answers.c.id)).all() == []


def test_a_program_reads_that_it_may_refuse_early_and_does(
    browser: Browser, database: Database, sold: tuple[int, int, int]
) -> None:
    with database.begin() as c:
        own = own_case(c, sold[0])
        _, token = make_key(c, "desk", ("cases:read", "cases:answer"), "Ada Admin", NOW)
    headers = {"Authorization": f"Bearer {token}"}
    shown = browser.get(f"/v1/cases/{own}", headers=headers).json()
    (listed,) = [
        one for one in browser.get("/v1/cases", headers=headers).json()["entries"] if one["case"] == own
    ]
    assert shown["options"] == ["map_sku", "refuse_order"]
    assert shown["version"] == listed["version"]
    given = {"version": shown["version"], "option": "refuse_order", "who": "Olga", "why": "It loses."}
    assert browser.post(f"/v1/cases/{own}/answer", headers=headers, json=given).status_code == 202
    with database.begin() as c:
        assert c.execute(select(answers.c.order_id)).scalars().all() == [sold[0]]


def test_an_order_loses_on_the_page_of_the_case(
    browser: Browser, database: Database, sold: tuple[int, int, int], wakes: Wakes
) -> None:
    _, second, case_id = sold
    with database.begin() as c:
        own = own_case(c, second)
    place = f"/cases/{case_id}"
    assert refuse(browser, own, place, str(case_id)).headers["location"] == f"{place}#orders"
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
    done = refuse(browser, own, f"/cases/{case_id}", back)
    assert done.headers["location"] == f"/orders/{second}?answered={own}"


def test_once_there_is_enough_no_order_is_in_question(
    browser: Browser, database: Database, sold: tuple[int, int, int]
) -> None:
    with database.begin() as c:
        c.execute(cases.update().where(cases.c.id == sold[2]).values(subject="LAMP"))
    assert "The orders in question" not in text_of(browser.get(f"/cases/{sold[2]}"))
