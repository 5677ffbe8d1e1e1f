"""The stock page: what an offer shows and why, and every form of it."""

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import update

from interlock.engine.store import ConnectionRow, connections, one_connection, polls
from interlock.inventory.store import figure_of, keep_shown, stock_figures
from interlock.orders.codec import encode
from interlock.storage.database import Database
from tests.console.seed import CLOCK, TESTER
from tests.inventory.seed import item, stocked
from tests.web.browser import Browser, text_of


@pytest.fixture
def place(database: Database, connection: ConnectionRow) -> str:
    """The page of a connection that publishes two offers."""
    with database.begin() as c:
        rules = encode(connection.rules) | {"publish_stock": True}
        c.execute(update(connections).values(live=True, rules=rules))
        stocked(c, connection, (item("LAMP", 7, 3), item("<b>RUG</b>", 2)), CLOCK)
    return f"/connections/{connection.id}/stock"


def test_the_page_says_what_is_still_to_be_told_and_why(browser: Browser, place: str) -> None:
    shown = text_of(browser.get(place))
    assert "Stock of atlas published" in shown
    assert "10 to offer: 10 available at the connection's locations" in shown
    assert "<b>RUG</b>" not in browser.get(place).text
    explained = text_of(browser.get(f"{place}?sku=LAMP"))
    assert "gid://shopify/Location/2 3 yes" in explained
    assert "There is no figure for it" in text_of(browser.get(f"{place}?sku=NOPE"))


def test_the_page_says_why_an_offer_that_shows_fewer_is_not_raised(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    with database.begin() as c:
        c.execute(update(stock_figures).values(believed=6, published=10))
        read_at = CLOCK + timedelta(minutes=1)
        assert keep_shown(c, connection.id, {"LAMP": 5}, CLOCK, read_at) == (("LAMP", 6, 5),)
    assert "They may have been sold" in text_of(browser.get(f"{place}?sku=LAMP"))
    assert "They may have been sold" not in text_of(browser.get(f"{place}?sku=<b>RUG</b>"))
    with database.begin() as c:
        c.execute(polls.update().values(cursor=read_at + timedelta(minutes=3)))
    assert "They may have been sold" not in text_of(browser.get(f"{place}?sku=LAMP"))


def test_a_pause_is_said_with_its_end_and_keeps_what_could_not_be_told_from_being_asked_for(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    flows = f"/connections/{connection.id}/flows"
    form = {"flow": "stock", "minutes": "60", "why": "Stocktaking."}
    assert browser.submit(flows, f"{flows}/pause", data=form).status_code == 303

    assert f"Paused by {TESTER.handle}, 1 h left: Stocktaking." in text_of(browser.get(place))
    assert "1 h left: more can be sold than there is." in text_of(browser.get("/"))
    refused = browser.submit(place, f"{place}/zero", data={"zero": "on", "why": "We move."})
    assert refused.status_code == 422
    assert "End the pause first." in text_of(refused)
    assert browser.submit(flows, f"{flows}/resume", data={"flow": "stock"}).status_code == 303
    assert "Paused by" not in text_of(browser.get(place))
    with database.begin() as c:
        assert one_connection(c, connection.id).rules.stock_zeroed == ""


def test_a_stock_that_is_not_published_cannot_be_paused(browser: Browser, connection: ConnectionRow) -> None:
    flows = f"/connections/{connection.id}/flows"
    assert "Pause stock" not in text_of(browser.get(flows))
    form = {"flow": "stock", "minutes": "60", "why": "Stocktaking."}
    refused = browser.submit(flows, f"{flows}/pause", data=form)
    assert refused.status_code == 422
    assert "is not published, so that there is nothing to pause" in text_of(refused)


def test_every_figure_is_taken_away_as_a_file(browser: Browser, place: str) -> None:
    assert f'href="{place}.csv"' in browser.get(place).text

    file = browser.get(f"{place}.csv")

    assert file.headers["content-disposition"] == 'attachment; filename="atlas-stock.csv"'
    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert [row["SKU"] for row in rows] == sorted(row["SKU"] for row in rows)
    (lamp,) = [row for row in rows if row["SKU"] == "LAMP"]
    assert (lamp["may show"], lamp["published"], lamp["believed"]) == ("10", "", "")
    assert "10 to offer" in lamp["because"]
    assert browser.get("/connections/999/stock.csv").status_code == 404


def test_selling_nothing_needs_a_reason_and_is_ended_by_the_same_button(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    refused = browser.submit(place, f"{place}/zero", data={"zero": "on", "why": ""})
    assert refused.status_code == 422
    assert browser.submit(place, f"{place}/zero", data={"zero": "on", "why": "We move."}).status_code == 303
    with database.begin() as c:
        assert one_connection(c, connection.id).rules.stock_zeroed == f"{TESTER.handle}: We move."
    assert "Every offer shows nothing for now." in text_of(browser.get(place))
    assert browser.submit(place, f"{place}/zero", data={"zero": "off", "why": "Moved."}).status_code == 303
    with database.begin() as c:
        assert one_connection(c, connection.id).rules.stock_zeroed == ""


def test_every_figure_is_told_again(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    with database.begin() as c:
        c.execute(update(stock_figures).values(believed=stock_figures.c.target))
    assert browser.submit(place, f"{place}/again", data={}).status_code == 303
    with database.begin() as c:
        figure = figure_of(c, connection.id, "LAMP")
    assert figure is not None
    assert figure.believed is None
