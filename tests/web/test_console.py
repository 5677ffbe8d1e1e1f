"""The console's pages as a person reads and uses them."""

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import select, update

from interlock.cases.store import answers, cases, open_connection_case
from interlock.engine.capabilities import keep_capability
from interlock.engine.store import ConnectionRow, beat, counts, keep_services, one_connection, polls
from interlock.imports.store import sku_map
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.connection import Carrier
from interlock.orders.reasons import Reason
from interlock.orders.store import orders, tell
from interlock.shipping.store import carrier_map
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.build import a_fulfillment_order, a_shopify_line, a_shopify_order, a_view
from tests.console.seed import (
    CLOCK,
    TESTER,
    Numbered,
    Stopped,
    Wakes,
    edited_up,
    keep,
    shipped_with,
    sku_unknown,
)
from tests.web.browser import Browser, text_of


@pytest.fixture
def edited(database: Database, connection: ConnectionRow) -> int:
    """An order whose edit the marketplace cannot take."""
    with database.begin() as c:
        return keep(c, connection, edited_up())[0]


def case_of(database: Database, order_id: int) -> int:
    with database.begin() as c:
        return int(c.execute(select(cases.c.id).where(cases.c.order_id == order_id)).scalars().one())


def test_orders_are_filtered_by_the_days_on_which_they_were_sold_and_taken_away_so(
    browser: Browser, edited: int
) -> None:
    for query, there in (
        ("sold_from=2026-03-02&sold_to=2026-03-02", True),
        ("sold_from=2026-03-03", False),
        ("sold_to=2026-03-01", False),
    ):
        page, file = browser.get(f"/orders?{query}"), browser.get(f"/orders.csv?{query}")
        assert (f'href="/orders/{edited}"' in page.text, "M-1001-A" in file.text) == (there, there), query
    assert 'name="sold_from" value="2026-03-03"' in browser.get("/orders?sold_from=2026-03-03").text
    for path in ("/orders", "/orders.csv"):
        refused = browser.get(f"{path}?sold_to=monday")
        assert (refused.status_code, "The last day cannot be read" in text_of(refused)) == (422, True)


def test_the_list_of_orders_filters_by_what_the_marketplace_says(browser: Browser, edited: int) -> None:
    for query, there in (
        ("state=SHIPPING", True),
        ("state=SHIPPED", False),
        ("state=SHIPPING&show=urgent", False),
    ):
        page, file = browser.get(f"/orders?{query}"), browser.get(f"/orders.csv?{query}")
        assert (f'href="/orders/{edited}"' in page.text, "M-1001-A" in file.text) == (there, there), query
    assert '<option value="SHIPPED" selected>shipped</option>' in browser.get("/orders?state=SHIPPED").text
    for path in ("/orders", "/orders.csv"):
        for query, words in (("state=LOST", "no state 'LOST'"), ("show=everything", "no list 'everything'")):
            refused = browser.get(f"{path}?{query}")
            assert (refused.status_code, words in text_of(refused)) == (422, True), query


def test_the_list_of_orders_says_where_they_stand(
    browser: Browser, database: Database, connection: ConnectionRow, edited: int
) -> None:
    with database.begin() as c:
        keep(c, connection, sku_unknown())

    page = text_of(browser.get("/orders"))

    assert "M-1001-A" in page
    assert "M-1003-A" in page
    assert "It waits for a person." in page
    assert "47 h 54 min left" in page


def test_an_order_that_waits_for_a_person_is_not_green_although_it_has_left(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, shipped_with("Pigeon Post"))
        c.execute(update(orders).where(orders.c.id == order_id).values(mirakl_state="SHIPPED"))

    page = browser.get(f"/orders/{order_id}")

    assert 'class="verdict trouble"' in page.text
    text = text_of(page)
    assert (
        text.count("Map the carrier") == 1
    )  # the button of the case, which elsewhere is led to by its title
    assert "An answer to the case above" in text
    with database.begin() as c:
        (sentence,) = c.execute(select(cases.c.sentence).where(cases.c.order_id == order_id)).scalars()
    assert text.count(sentence) == 1


@pytest.mark.parametrize("number", ["M-1002-A", "M-1002", "#1002", "1002", "RM123456785GB", " M-1002-A "])
def test_an_order_is_found_by_any_of_its_numbers(
    browser: Browser, database: Database, connection: ConnectionRow, edited: int, number: str
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, shipped_with("Royal Mail 24"))

    page = browser.get("/orders?q=" + number.replace("#", "%23").replace(" ", "%20"))

    assert f'href="/orders/{order_id}"' in page.text
    assert f'href="/orders/{edited}"' not in page.text


def test_a_unit_that_left_and_was_refunded_is_told_beside_its_line_and_is_no_difference(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    mugs = a_shopify_line(current_quantity=1, fulfilled_quantity=1)
    rest = a_fulfillment_order(remaining=(("S1", 1), ("S2", 1)))
    shopify = a_shopify_order(lines=(mugs, a_shopify_order().lines[1]), fulfillment_orders=(rest,))
    with database.begin() as c:
        order_id, _ = keep(c, connection, a_view(shopify=shopify))
    response = browser.get(f"/orders/{order_id}")

    assert "1 in parcels, 1 of them refunded since" in text_of(response)
    assert 'class="differs"' not in response.text
    assert 'name="units.L1" value="1"' in response.text
    assert re.search(r'min="0"[^>]*name="units.L1"', response.text)


@pytest.mark.parametrize("number", ["nothing", "%' OR 1=1 --", "$.shopify", '"'])
def test_a_number_nobody_carries_finds_nothing(browser: Browser, edited: int, number: str) -> None:
    import urllib.parse

    page = browser.get("/orders?q=" + urllib.parse.quote(number))

    assert page.status_code == 200
    assert "No order carries this number" in text_of(page)


def test_the_order_page_shows_the_three_sides_of_every_line_and_why(browser: Browser, edited: int) -> None:
    response = browser.get(f"/orders/{edited}")
    page = text_of(response)

    assert "MUG" in page
    assert 'class="differs"' in response.text
    assert 'class="same"' in response.text
    assert "needs a person: the marketplace cannot take this edit" in page
    assert "Shopify shows 5 of MUG, more than the 2 the marketplace agreed to." in page
    assert "held" in page
    for station in ("Imported", "Accepted", "Held", "Agreed", "Shipped"):
        assert station in page


def test_a_page_that_has_not_changed_is_not_sent_again(
    browser: Browser, database: Database, edited: int
) -> None:
    import re

    whole = browser.get(f"/orders/{edited}").text
    shown = re.search(r'"X-Shown": "([0-9a-f]+)"', whole)
    assert shown is not None
    asked = {"HX-Request": "true", "X-Shown": shown[1]}

    unchanged = browser.get(f"/orders/{edited}", headers=asked)
    with database.begin() as c:
        tell(c, edited, CLOCK, "Ada", ["Rang the customer."])
    changed = browser.get(f"/orders/{edited}", headers=asked)

    assert (unchanged.status_code, unchanged.content) == (204, b"")
    assert changed.status_code == 200
    assert "Rang the customer." in changed.text
    assert "<html" not in changed.text


@pytest.mark.parametrize("path", ["/orders/999999", "/orders/5.0", "/orders?state=NO_SUCH"])
def test_a_page_that_cannot_be_shown_any_more_is_loaded_anew_and_then_says_why(
    browser: Browser, edited: int, path: str
) -> None:
    asked = browser.get(path, headers={"HX-Request": "true"})
    by_hand = browser.get(path)

    assert 400 <= asked.status_code < 500
    assert asked.headers["HX-Refresh"] == "true"
    assert "HX-Refresh" not in by_hand.headers
    assert 'id="live"' not in by_hand.text


def test_an_answer_is_kept_with_who_and_why_and_the_order_is_looked_at(
    browser: Browser, database: Database, edited: int, wakes: Wakes
) -> None:
    case_id = case_of(database, edited)
    form = {"option": "undo_in_shopify", "who": "Ada", "why": "The customer orders again."}

    response = browser.submit(f"/cases/{case_id}", f"/cases/{case_id}/answer", data=form)

    there = f"/orders/{edited}?answered={case_id}"
    assert (response.status_code, response.headers["location"]) == (303, there)
    with database.begin() as c:
        kept = c.execute(select(answers)).one()
    assert (kept.option, kept.who, kept.why) == ("undo_in_shopify", "Ada", "The customer orders again.")
    assert wakes.woken == [(edited, "edits")]
    assert "Ada has answered" in text_of(browser.get(f"/orders/{edited}"))
    assert f"Kept: Ada answered “I undo the edit in Shopify” to case {case_id} ." in text_of(
        browser.get(there)
    )


@pytest.mark.parametrize("case", ["", "0", "999", "1;--", "'"])
def test_an_address_that_names_no_answer_of_the_order_says_nothing_of_one(
    browser: Browser, edited: int, case: str
) -> None:
    page = browser.get(f"/orders/{edited}?answered={quote(case)}")

    assert page.status_code == 200
    assert "Kept:" not in text_of(page)


def test_an_answer_to_a_case_of_another_order_is_not_told(
    browser: Browser, database: Database, connection: ConnectionRow, edited: int
) -> None:
    with database.begin() as c:
        other, _ = keep(c, connection, shipped_with("Pigeon Post"))
    case_id = case_of(database, edited)
    form = {"option": "undo_in_shopify", "who": "Ada", "why": "The customer orders again."}
    browser.submit(f"/cases/{case_id}", f"/cases/{case_id}/answer", data=form)

    assert "Kept:" not in text_of(browser.get(f"/orders/{other}?answered={case_id}"))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"option": "undo_in_shopify", "who": "Ada", "why": ""}, "needs the name of who gives it"),
        ({"option": "refuse_order", "who": "Ada", "why": "so"}, "does not offer 'refuse_order'"),
    ],
)
def test_an_answer_that_cannot_be_taken_says_why_and_changes_nothing(
    browser: Browser, database: Database, edited: int, wakes: Wakes, form: dict[str, str], said: str
) -> None:
    case_id = case_of(database, edited)

    response = browser.submit(f"/cases/{case_id}", f"/cases/{case_id}/answer", data=form)

    assert response.status_code == 422
    assert said in text_of(response)
    assert wakes.woken == []
    with database.begin() as c:
        assert c.execute(select(answers)).all() == []


def test_a_form_of_another_site_is_refused(
    browser: Browser, store: InlineStore, keyring: Keyring, database: Database, edited: int
) -> None:
    case_id = case_of(database, edited)
    form = {"option": "undo_in_shopify", "who": "Eve", "why": "so"}
    stranger = Browser(create_app(WebParts(store, Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER)))
    sealed_for_another = stranger._send("GET", f"/cases/{case_id}").text.split('name="token" value="')[1]
    sealed_for_another = sealed_for_another.split('"')[0]
    browser.get("/")
    browser._cookies = dict.fromkeys(browser._cookies, "f" * 32)

    for token in ("", "x", sealed_for_another):
        response = browser.post(f"/cases/{case_id}/answer", data={**form, "token": token})
        assert response.status_code == 403

    with database.begin() as c:
        assert c.execute(select(answers)).all() == []


def test_another_look_is_asked_for_with_fresh_readings(
    browser: Browser, database: Database, edited: int, wakes: Wakes, connection: ConnectionRow
) -> None:
    response = browser.submit(f"/orders/{edited}", f"/orders/{edited}/replay", data={"who": "Ada"})

    assert response.status_code == 303
    assert wakes.woken == [(edited, "edits")]
    assert wakes.wanted == [connection.id]
    with database.begin() as c:
        assert c.execute(select(orders.c.mirakl_wanted_since)).scalar_one() == CLOCK
    assert "Asked for another look at both sides. Ada" in text_of(browser.get(f"/orders/{edited}"))


def test_cases_come_by_the_time_at_which_they_do_damage(
    browser: Browser, database: Database, connection: ConnectionRow, edited: int
) -> None:
    with database.begin() as c:
        keep(c, connection, shipped_with("Pigeon"))
        keep(c, connection, sku_unknown())
        c.execute(
            update(cases)
            .where(cases.c.reason == "sku_unknown")
            .values(damage_at=CLOCK + timedelta(minutes=30))
        )
        open_connection_case(c, connection.id, Reason.UNREADABLE_ORDER, "M-9", "It could not be read.", CLOCK)

    page = text_of(browser.get("/cases"))

    places = [
        page.index(title)
        for title in (
            "A SKU of the order is not in the shop",
            "An order could not be read",
            "The marketplace cannot take this edit",
        )
    ]
    assert places == sorted(places)


def test_what_the_platforms_wrote_is_shown_as_text(browser: Browser, database: Database, edited: int) -> None:
    evil = '<script>alert(1)</script><img src=x onerror="alert(2)">'
    with database.begin() as c:
        tell(c, edited, CLOCK, evil, [evil])
        c.execute(update(cases).values(sentence=evil, subject=evil, facts=[[evil, evil]]))
        c.execute(update(orders).values(mirakl_order_id=evil, shopify_name=evil))

    for path in (
        "/",
        f"/orders/{edited}",
        "/cases",
        f"/cases/{case_of(database, edited)}",
        "/orders?q=%3Cscript%3E",
    ):
        response = browser.get(path)
        assert response.status_code == 200
        assert "<script>" not in response.text
        assert "<img" not in response.text


@pytest.mark.parametrize(
    "path", ["/", "/cases", "/health", "/connections", "/orders/999", "/cases/999", "/nowhere"]
)
def test_every_page_forbids_inline_scripts_and_holds_none(browser: Browser, path: str) -> None:
    response = browser.get(path)

    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert " style=" not in response.text
    assert " on" not in response.text.replace(" on ", " ").replace(" one", " ").replace(" open", " ").replace(
        " once", " "
    ).replace(" only", " ").replace(" online", " ").replace(" on the", " ")
    assert response.text.count("<script") == response.text.count('<script src="/static/')


@pytest.mark.parametrize(
    "path",
    [
        "/orders/999",
        "/cases/999",
        "/orders/x",
        "/nowhere",
        "/orders/99999999999999999999999",
        "/cases/9223372036854775808",
        "/people/99999999999999999999999",
        "/cases/replays/99999999999999999999999",
        f"/orders/{'9' * 5000}",
    ],
)
def test_a_page_that_is_not_there_says_so(browser: Browser, path: str) -> None:
    response = browser.get(path)

    assert response.status_code == 404
    assert "Not done" in text_of(response)


def test_a_strange_host_name_is_not_served(store: InlineStore, keyring: Keyring) -> None:
    app = create_app(WebParts(store, Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER))

    assert Browser(app, "http://rebound.example").get("/").status_code == 421
    assert Browser(app, "http://rebound.example").get("/metrics").status_code == 421
    assert Browser(app, "http://tunnel.example").get("/healthz").status_code == 200
    assert Browser(app, "http://127.0.0.1:9000").get("/").status_code == 200
    assert Browser(app, "http://[::1]:9000").get("/").status_code == 200


def test_health_shows_a_silent_part_in_red_and_says_so(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        beat(c, "due sweep", CLOCK - timedelta(seconds=5))
        beat(c, "acceptance watchdog", CLOCK - timedelta(minutes=11))
        c.execute(update(polls).values(last_ok_at=CLOCK))

    response = browser.get("/health")

    assert "acceptance watchdog was last heard 11 min ago." in text_of(response)
    assert "due sweep was last heard" not in text_of(response)
    assert response.text.count("dot trouble") == 1


def test_a_healthy_service_says_so(browser: Browser, database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        beat(c, "due sweep", CLOCK)
        c.execute(update(polls).values(last_ok_at=CLOCK))

    assert "Everything that should beat beats." in text_of(browser.get("/health"))


def test_connections_state_what_each_policy_means(browser: Browser, connection: ConnectionRow) -> None:
    page = text_of(browser.get("/connections"))

    assert "import route draft Staff and editing apps can edit the order" in page
    assert "acceptance window 2 d" in page


def test_mapping_a_carrier_wakes_every_order_that_waits_for_it(
    browser: Browser, database: Database, connection: ConnectionRow, wakes: Wakes
) -> None:
    with database.begin() as c:
        first, _ = keep(c, connection, shipped_with("Pigeon Post"))
        keep(c, connection, shipped_with("Owl Post", "M-1009-A"))
    place = f"/connections/{connection.id}/carriers"
    assert "Pigeon Post unlocks 1 order" in text_of(browser.get(place))

    response = browser.submit(place, place, data={"shop_name": "pigeon post", "code": "DPD", "who": "Ada"})

    assert "1 mapping kept; 1 waiting order is looked at again: follow them" in text_of(response)
    assert [order for order, _ in wakes.woken] == [first]
    with database.begin() as c:
        assert [(m.shop_name, m.code) for m in carrier_map(c, connection.id)] == [("pigeon post", "DPD")]


def test_what_the_marketplace_changed_in_its_lists_is_shown_with_the_map_and_the_connection(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    place = f"/connections/{connection.id}/carriers"
    assert "What the marketplace changed" not in text_of(browser.get(place))
    with database.begin() as c:
        known = decode(Capability, one_connection(c, connection.id).capability)
        fewer = replace(known, carriers=(*known.carriers[1:], Carrier("NEW", "<b>New</b> riders")))
        keep_capability(c, Wakes(), one_connection(c, connection.id), fewer, CLOCK)

    gone = known.carriers[0]
    for page in (place, "/connections"):
        shown = text_of(browser.get(page))
        assert f"carrier {gone.code} gone {gone.label} —" in shown
        assert "carrier NEW new — <b>New</b> riders" in shown
        assert "<b>New</b>" not in browser.get(page).text


def test_mapping_a_sku_wakes_every_order_that_waits_for_it(
    browser: Browser, database: Database, connection: ConnectionRow, wakes: Wakes
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, sku_unknown())
    place = f"/connections/{connection.id}/skus"

    browser.submit(place, place, data={"mirakl_sku": "LAMP", "shop_sku": "LAMP-2", "who": "Ada"})

    assert wakes.woken == [(order_id, "acceptance")]
    with database.begin() as c:
        assert sku_map(c, connection.id) == {"LAMP": "LAMP-2"}
        said = c.execute(select(answers)).one()
    assert (said.option, said.subject, said.who, said.why) == ("map_sku", "LAMP", "Ada", "Mapped to LAMP-2.")


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"shop_name": "DPD", "code": "XYZ", "who": "Ada"}, "'XYZ' is not a carrier of this marketplace."),
        ({"shop_name": "DPD", "code": "dpd", "who": "Ada"}, "Did you mean DPD?"),
        ({"shop_name": "DPD", "code": "", "who": "Ada"}, "Give either a code"),
        ({"shop_name": "DPD", "name": "Dpd", "who": "Ada"}, "only carriers of its own list"),
        ({"shop_name": " ", "code": "DPD", "who": "Ada"}, "is empty"),
    ],
)
def test_a_wrong_mapping_is_refused_with_its_reason(
    browser: Browser, database: Database, connection: ConnectionRow, form: dict[str, str], said: str
) -> None:
    place = f"/connections/{connection.id}/carriers"

    response = browser.submit(place, place, data=form)

    assert response.status_code == 422
    assert said in text_of(response)
    with database.begin() as c:
        assert carrier_map(c, connection.id) == ()


def test_a_file_with_a_wrong_row_is_refused_whole_and_counted(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    place = f"/connections/{connection.id}/carriers"
    file = ("carriers.csv", b"shop_name,code\nRoyal Mail 24,RM24\nDPD,NOPE\n", "text/csv")

    response = browser.submit(place, f"{place}/file", data={"who": "Ada"}, files={"file": file})

    assert response.status_code == 422
    assert "carriers.csv, row 3, field code: 'NOPE' is not a carrier" in text_of(response)
    with database.begin() as c:
        assert carrier_map(c, connection.id) == ()
        assert counts(c)[("map_file_refused", "carriers")] == 1


def test_a_good_file_is_taken(browser: Browser, database: Database, connection: ConnectionRow) -> None:
    place = f"/connections/{connection.id}/skus"
    file = ("skus.csv", b"mirakl_sku;shop_sku\nA;B\nC;D\n", "text/csv")

    response = browser.submit(place, f"{place}/file", data={"who": "Ada"}, files={"file": file})

    assert "2 mappings kept" in text_of(response)
    with database.begin() as c:
        assert sku_map(c, connection.id) == {"A": "B", "C": "D"}


def test_a_change_of_a_map_is_undone_with_a_button_and_a_reason(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    place = f"/connections/{connection.id}/skus"
    browser.submit(place, place, data={"mirakl_sku": "A", "shop_sku": "B"})
    (undo,) = re.findall(r'name="undo" value="([^"]+)"', browser.get(place).text)
    early = browser.submit(place, f"{place}/rollback", data={"undo": undo, "why": ""})
    assert early.status_code == 422
    assert browser.submit(place, f"{place}/rollback", data={"undo": "x", "why": "w"}).status_code == 422

    done = browser.submit(place, f"{place}/rollback", data={"undo": undo, "why": "the wrong one"})

    assert "1 mapping removed" in text_of(done)
    with database.begin() as c:
        assert sku_map(c, connection.id) == {}


def test_a_suggested_carrier_is_mapped_with_one_button_that_says_what_it_unlocks(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, shipped_with("DPD UK Ltd"))
    place = f"/connections/{connection.id}/carriers"
    page = browser.get(place).text
    assert 'aria-label="Map to DPD: DPD UK Ltd, which unlocks 1 order"' in page
    form = dict(re.findall(r'name="(shop_name|code)" value="([^"]+)"', page))
    assert form == {"shop_name": "DPD UK Ltd", "code": "DPD"}

    done = browser.submit(place, place, data=form)

    assert "1 waiting order is looked at again" in text_of(done)


@pytest.mark.parametrize("path", ["skus?subject=%00", "stock?sku=%00", "carriers?subject=%00"])
def test_a_page_asked_for_with_a_character_that_cannot_be_kept_is_no_failure(
    browser: Browser, connection: ConnectionRow, path: str
) -> None:
    assert browser.get(f"/connections/{connection.id}/{path}").status_code in (200, 422)


def test_a_reason_with_a_character_that_cannot_be_kept_is_kept_without_it(
    browser: Browser, database: Database, edited: int
) -> None:
    case_id = case_of(database, edited)
    form = {"option": "undo_in_shopify", "who": "Ada", "why": "by phone\0"}
    response = browser.submit(f"/cases/{case_id}", f"/cases/{case_id}/answer", data=form)

    assert response.status_code == 303
    with database.begin() as c:
        assert c.execute(select(answers.c.why)).scalars().all() == ["by phone\ufffd"]


def test_a_form_that_is_too_long_is_not_read(browser: Browser, connection: ConnectionRow) -> None:
    response = browser.post(f"/connections/{connection.id}/skus/file", content=b"x" * (3 * 1024 * 1024 + 1))

    assert response.status_code == 413


def test_an_order_that_agrees_says_that_nothing_is_missing(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, a_view())

    assert "Every edit has reached the marketplace" in text_of(browser.get(f"/orders/{order_id}"))


def test_the_connections_page_names_places_whose_labels_nobody_can_stop(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    assert "has not been read yet" in text_of(browser.get("/connections"))
    with database.begin() as c:
        keep_services(c, connection.id, ("Fast Fulfilment", "Far Hall"), CLOCK)

    assert "Labels nobody can stop: Fast Fulfilment, Far Hall." in text_of(browser.get("/connections"))
