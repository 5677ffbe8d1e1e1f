"""Another Shopify order, linked or ruled out on the order's page."""

import pytest
from sqlalchemy import select, update

from interlock.cases.store import answers
from interlock.engine.store import ConnectionRow
from interlock.orders.codec import encode
from interlock.orders.memory import Kin, Memory
from interlock.orders.store import keep_lineage, orders
from interlock.storage.database import Database
from tests.build import NOW, a_view
from tests.console.seed import Wakes, keep
from tests.web.browser import Browser, text_of

OTHER = "gid://shopify/Order/5500000000001"


@pytest.fixture
def order(database: Database, connection: ConnectionRow) -> int:
    with database.begin() as c:
        return keep(c, connection, a_view())[0]


@pytest.fixture
def replaced(database: Database, order: int) -> int:
    old = Kin("SO1", "#1001", "superseded", NOW, "Interlock", "its name continues the order's name #1001")
    new = Kin("SO1A", "#1001A", "live", NOW, "Ada Agent", "staff recreated it")
    memory = Memory(shopify_order_id="SO1A", shopify_order_name="#1001A", lineage=(old, new))
    values = {"memory": encode(memory), "shopify_order_id": "SO1A", "shopify_name": "#1001A"}
    with database.begin() as c:
        c.execute(update(orders).where(orders.c.id == order).values(**values))
        keep_lineage(c, order, memory.lineage, [], NOW)
    return order


@pytest.mark.parametrize(
    ("verb", "other", "kept"),
    [
        ("link", OTHER, (OTHER, "take_over")),
        ("unlink", "#1001A", ("SO1A", "no_successor")),
        ("undo-link", "", ("SO1A", "undo_take_over")),
    ],
)
def test_a_word_about_another_order_is_kept_and_looked_at(
    browser: Browser,
    database: Database,
    replaced: int,
    wakes: Wakes,
    verb: str,
    other: str,
    kept: tuple[str, str],
) -> None:
    place = f"/orders/{replaced}"
    form = {"shopify_order": other, "who": "Ada", "why": "Seen in Shopify."}
    response = browser.submit(place, f"{place}/{verb}", data=form)
    assert (response.status_code, response.headers["location"]) == (303, place)
    with database.begin() as c:
        word = c.execute(select(answers)).one()
    assert (word.subject, word.option, word.who, word.why) == (*kept, "Ada", "Seen in Shopify.")
    assert wakes.woken == [(replaced, "edits")]


@pytest.mark.parametrize(
    ("verb", "form", "said"),
    [
        ("link", {"shopify_order": "#1001", "who": "Ada", "why": "w"}, "stands for M-1001-A already"),
        ("link", {"shopify_order": "#4711", "who": "Ada", "why": "w"}, "no order Interlock knows by name"),
        ("unlink", {"shopify_order": "#1001", "who": "Ada", "why": "w"}, "is the order Interlock made"),
        ("undo-link", {"who": "Ada", "why": "w"}, "nothing to undo"),
    ],
)
def test_what_cannot_be_is_refused_in_words(
    browser: Browser, database: Database, order: int, wakes: Wakes, verb: str, form: dict[str, str], said: str
) -> None:
    response = browser.submit(f"/orders/{order}", f"/orders/{order}/{verb}", data=form)
    assert response.status_code == 422
    assert said in text_of(response)
    assert "Nothing was changed." in text_of(response)
    assert wakes.woken == []
    with database.begin() as c:
        assert c.execute(select(answers)).all() == []


def test_a_form_of_another_site_is_refused(browser: Browser, order: int) -> None:
    response = browser.post(f"/orders/{order}/link", data={"shopify_order": OTHER, "who": "A", "why": "w"})
    assert response.status_code == 403


def test_the_page_shows_every_order_of_the_sale_and_is_found_by_each(browser: Browser, replaced: int) -> None:
    page = text_of(browser.get(f"/orders/{replaced}"))
    assert "Shopify orders of this sale" in page
    assert "was replaced #1001" in page
    assert "stands now #1001A" in page
    assert "Ada Agent: staff recreated it" in page
    assert "Take the last take-over back" in page
    for number in ("1001A", "%231001"):
        assert "M-1001-A" in text_of(browser.get(f"/orders?q={number}"))
