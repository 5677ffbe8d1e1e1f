"""Lists and boards: their filters, pages and files, what is empty, and what is refused."""

import csv
import io
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from interlock.access.audit_log import audit_log
from interlock.cases.store import cases
from interlock.engine import ledger
from interlock.engine.store import ConnectionRow
from interlock.orders.addresses import email_digest
from interlock.orders.codec import encode
from interlock.orders.label import BY_ITSELF
from interlock.orders.store import add_order, orders
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.build import an_order
from tests.console.seed import CLOCK, TESTER, Numbered, Stopped, Wakes, connect, edited_up, keep, sku_unknown
from tests.web.browser import Browser, text_of

LISTS = ("/orders", "/acceptance", "/holds")


def rows_of(browser: Browser, path: str) -> list[dict[str, str]]:
    response = browser.get(path)
    assert response.status_code == 200
    assert response.content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("path", LISTS)
def test_an_empty_list_says_what_will_appear(browser: Browser, connection: ConnectionRow, path: str) -> None:
    response = browser.get(path)

    assert response.status_code == 200
    assert 'class="empty-title"' in response.text
    assert rows_of(browser, f"{path}.csv") == []


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("connection=nowhere", "There is no connection 'nowhere' to filter by. Known are: atlas."),
        ("team=pirates", "There is no team 'pirates' to filter by. Known are: CX, operations"),
        ("after=%27%3B--", "does not say where the page of the list begins"),
    ],
)
def test_an_address_that_filters_by_what_is_not_there_says_so(
    browser: Browser, connection: ConnectionRow, path: str, query: str, said: str
) -> None:
    response = browser.get(f"{path}?{query}")

    assert response.status_code == 422
    assert said in text_of(response)


def test_the_acceptance_board_says_what_an_order_waits_for_and_whose_work_it_is(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, sku_unknown("M-2-A"))
        first, _ = keep(c, connection, sku_unknown("M-1-A"))
        c.execute(
            update(orders).where(orders.c.id == first).values(acceptance_due_at=CLOCK + timedelta(minutes=9))
        )

    page = text_of(browser.get("/acceptance"))
    table = rows_of(browser, "/acceptance.csv")

    assert page.index("9 min left") < page.index("47 h 54 min left")
    assert "A SKU of the order is not in the shop operations" in page
    assert [row["marketplace order"] for row in table] == ["M-1-A", "M-2-A"]
    assert table[0]["window gone, percent"] == "100"


def test_a_held_parcel_says_since_when_why_and_who_can_free_it(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id, plan = keep(c, connection, edited_up())
        held = replace(plan.memory, held=("FO1",))
        c.execute(update(orders).where(orders.c.id == order_id).values(memory=encode(held)))
        c.execute(
            update(ledger.operations)
            .where(ledger.operations.c.kind == "PlaceHold")
            .values(state="CONFIRMED", ended_at=CLOCK - timedelta(minutes=20))
        )

    page = text_of(browser.get("/holds"))

    assert "1 order held" in page
    assert "#1001 M-1001-A" in page
    assert rows_of(browser, "/holds.csv")[0]["who can free it"] in page
    assert rows_of(browser, "/holds.csv?team=finance") == []
    with database.begin() as c:
        case_id = c.execute(select(cases.c.id).where(cases.c.order_id == order_id)).scalars().one()
    assert f'href="/cases/{case_id}"' in browser.get("/holds").text


def test_a_hold_that_settles_by_itself_leads_to_no_case(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id, plan = keep(c, connection, edited_up())
        held = encode(replace(plan.memory, held=("FO1",)))
        c.execute(update(orders).where(orders.c.id == order_id).values(memory=held, label_who=BY_ITSELF))

    assert 'href="/cases/' not in browser.get("/holds").text.split("<table")[1]


def test_the_list_of_orders_says_when_each_was_sold_or_first_seen(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, edited_up())
        add_order(c, connection.id, "M-NEW", "", CLOCK)

    page = text_of(browser.get("/orders"))

    assert f"M-1001-A {an_order().created_at:%Y-%m-%d %H:%M} atlas" in page
    assert "M-NEW 2026-03-02 12:00 first seen atlas" in page


def test_whoever_takes_a_list_away_is_in_the_audit_log(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    rows_of(browser, "/holds.csv?connection=atlas")

    with database.begin() as c:
        entry = c.execute(select(audit_log)).one()
    assert (entry.who, entry.did, entry.subject) == (TESTER.handle, "exported", "holds")
    assert entry.facts == {"connection": "atlas"}


def test_pages_of_a_list_neither_repeat_nor_skip_when_orders_come_meanwhile(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        for number in range(60):
            add_order(c, connection.id, f"M-{number:03}", "", CLOCK)
    first = browser.get("/orders").text
    with database.begin() as c:
        add_order(c, connection.id, "M-NEW", "", CLOCK)
    link = first.split('rel="next"')[0].rpartition('href="')[2].partition('"')[0]
    second = browser.get(link).text

    seen = [n for n in range(60) if f"M-{n:03}" in first], [n for n in range(60) if f"M-{n:03}" in second]
    assert (len(seen[0]), len(seen[1])) == (50, 10)
    assert not set(seen[0]) & set(seen[1])
    assert len(rows_of(browser, "/orders.csv")) == 61


def test_filters_stay_in_the_address_and_in_the_file(
    browser: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        other = connect(c, keyring, "birch", shop_id=2002)
        add_order(c, connection.id, "M-ATLAS", "", CLOCK)
        add_order(c, other.id, "M-BIRCH", "", CLOCK)

    page = browser.get("/orders?connection=birch")

    assert "M-BIRCH" in page.text
    assert "M-ATLAS" not in page.text
    assert 'href="/orders.csv?connection=birch"' in page.text
    assert [row["connection"] for row in rows_of(browser, "/orders.csv?connection=birch")] == ["birch"]


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\u200e=1", "＝1", '=HYPERLINK("http://x","y")')


@pytest.mark.parametrize("formula", FORMULAS)
def test_nothing_in_a_file_is_a_formula(
    browser: Browser, database: Database, connection: ConnectionRow, formula: str
) -> None:
    with database.begin() as c:
        add_order(c, connection.id, formula, formula, CLOCK)

    (row,) = rows_of(browser, "/orders.csv")

    assert row["sold"] == ""  # it has not been read yet
    assert row["marketplace order"] == f"'{formula}"
    assert row["checkout"] == f"'{formula}"


def test_an_order_is_found_by_its_number_and_opened_at_once(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())

    found = browser.submit("/orders", "/orders/find", data={"number": " #1001 "})
    unknown = browser.submit("/orders", "/orders/find", data={"number": "#9 & more"})

    assert (found.status_code, found.headers["location"]) == (303, f"/orders/{order_id}")
    assert unknown.headers["location"] == "/orders?q=%239+%26+more"


def test_an_order_is_found_by_the_buyers_email_and_no_address_holds_it(
    store: InlineStore, keyring: Keyring, database: Database, connection: ConnectionRow
) -> None:
    key, email = b"k" * 32, "jo.smith-7@notify.marketplace.example"
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())
        c.execute(update(orders).values(shopify_email=email_digest(email, key)))
        add_order(c, connection.id, "M-2", "", CLOCK)
    browser = Browser(
        create_app(WebParts(store, Stopped(), Numbered(), Wakes(), keyring, address_key=key, everyone=TESTER))
    )

    found = browser.submit("/orders", "/orders/find", data={"number": email.upper()})
    unknown = browser.submit("/orders", "/orders/find", data={"number": "nobody@marketplace.example"})

    assert found.headers["location"] == f"/orders/{order_id}"
    assert "nobody" not in unknown.headers["location"]
    assert "No order matches" in text_of(browser.get(unknown.headers["location"]))


def test_without_the_key_of_the_digests_an_email_is_not_searched(
    browser: Browser, connection: ConnectionRow
) -> None:
    response = browser.submit("/orders", "/orders/find", data={"number": "a@b.example"})

    assert response.status_code == 422
    assert "cannot be searched here" in text_of(response)


@pytest.mark.parametrize(("asked", "cookie"), [("dark", "dark"), ("light", "light"), ("", ""), ("pink", "")])
def test_light_or_dark_is_kept_by_the_browser(
    browser: Browser, connection: ConnectionRow, asked: str, cookie: str
) -> None:
    response = browser.submit("/", "/theme", data={"theme": asked, "back": "/holds"})

    assert response.headers["location"] == "/holds"
    assert browser._cookies.get("interlock_theme", "") == cookie
    assert (f'data-theme="{cookie}"' in browser.get("/").text) == bool(cookie)


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nb"])
def test_the_switch_leads_nowhere_else(browser: Browser, connection: ConnectionRow, back: str) -> None:
    response = browser.submit("/", "/theme", data={"theme": "dark", "back": back})

    assert response.headers["location"] == "/"


def test_the_menu_shows_where_one_is_and_only_what_there_is(
    browser: Browser, connection: ConnectionRow
) -> None:
    page = browser.get("/holds").text

    assert '<a href="/holds" aria-current="page">Holds</a>' in page
    assert page.count("aria-current") == 1
    for path in [part.partition('"')[0] for part in page.split('<li><a href="')[1:]]:
        assert browser.get(quote(path)).status_code == 200
