"""An order of which somebody said that the shop has it already, created after all from its page."""

import pytest
from sqlalchemy import select, update

from interlock.cases.store import answers
from interlock.engine.store import ConnectionRow
from interlock.orders.codec import encode
from interlock.orders.memory import Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.storage.database import Database
from tests.build import a_decision, a_view
from tests.console.seed import Wakes, keep
from tests.web.browser import Browser, text_of

IN_SHOP = a_decision(Reason.OLDER_THAN_CONNECTION, "order", Option.IN_SHOP_ALREADY)


@pytest.fixture
def order(database: Database, connection: ConnectionRow) -> int:
    memory = Memory(left_alone=True, decisions=(IN_SHOP,))
    with database.begin() as c:
        number = keep(c, connection, a_view(shopify=None, memory=memory))[0]
        c.execute(update(orders).where(orders.c.id == number).values(memory=encode(memory)))
    return number


def test_it_is_created_after_all_with_a_reason_and_once(
    browser: Browser, database: Database, order: int, wakes: Wakes
) -> None:
    place = f"/orders/{order}"
    assert f"{IN_SHOP.who} said" in text_of(browser.get(place))

    assert browser.submit(place, f"{place}/create", data={"why": "  "}).status_code == 422
    assert browser.submit(place, f"{place}/create", data={"why": "Not there."}).status_code == 303
    again = browser.submit(place, f"{place}/create", data={"why": "Not there."})

    assert again.status_code == 422
    assert "has just said something else about it. Nothing was changed." in text_of(again)
    with database.begin() as c:
        word = c.execute(select(answers)).one()
    assert (word.reason, word.subject, word.option) == ("older_than_connection", "order", "create_order")
    assert wakes.woken == [(order, "edits")]


@pytest.mark.parametrize(
    "changed",
    [
        {"mirakl_state": "SHIPPED"},
        {"mirakl_state": "CANCELED"},
        {"memory": encode(Memory(left_alone=True))},
        {"memory": encode(Memory(decisions=(IN_SHOP,)))},
    ],
)
def test_what_is_over_or_was_never_said_is_not_taken_back(
    browser: Browser, database: Database, order: int, changed: dict[str, object]
) -> None:
    with database.begin() as c:
        c.execute(update(orders).where(orders.c.id == order).values(**changed))
    place = f"/orders/{order}"

    refused = browser.submit(place, f"{place}/create", data={"why": "Not there."})

    assert "Left alone" not in text_of(browser.get(place))
    assert refused.status_code == 422
    assert "Nothing was changed." in text_of(refused)
    with database.begin() as c:
        assert c.execute(select(answers)).all() == []
