"""Deliveries: what is accepted, and what every kind of bad input is answered."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

import httpx2
import pytest
from sqlalchemy import func, select

from interlock.access.erasures import requests
from interlock.cases.store import cases
from interlock.engine.store import ConnectionRow, counts, deliveries, unreadable
from interlock.inventory.store import hinted_items, shop_stock
from interlock.orders.store import orders
from interlock.shopify.webhooks import MAX_BODY_BYTES
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.build import a_view
from tests.console.seed import SECRET, SHOP, TESTER, Numbered, Stopped, Wakes, connect, keep
from tests.web.browser import Browser

PLACE = f"/webhooks/shopify/{SHOP}"
EDIT = json.dumps({"order_edit": {"id": 7, "order_id": 450789469}}).encode()


def signed(body: bytes, secret: bytes = SECRET) -> str:
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()


def headers(body: bytes, **changes: str) -> dict[str, str]:
    given = {
        "X-Shopify-Topic": "orders/edited",
        "X-Shopify-Shop-Domain": SHOP,
        "X-Shopify-Webhook-Id": "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043",
        "X-Shopify-Triggered-At": "2026-03-02T12:00:00.000000000Z",
        "X-Shopify-Hmac-Sha256": signed(body),
    }
    return {**given, **{name.replace("_", "-"): value for name, value in changes.items()}}


def counted(database: Database) -> Mapping[tuple[str, str], int]:
    with database.begin() as c:
        return counts(c)


def rows(database: Database) -> dict[str, int]:
    with database.begin() as c:
        return {
            table.name: c.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (deliveries, unreadable, cases)
        }


def an_imported_order(database: Database, connection: ConnectionRow) -> int:
    with database.begin() as c:
        order_id, _ = keep(c, connection, a_view())
        c.execute(orders.update().values(shopify_order_id="gid://shopify/Order/450789469"))
    return order_id


@pytest.mark.parametrize("place", [PLACE, "/webhooks/shopify/atlas"])
def test_an_edit_marks_its_order_and_wakes_a_worker(
    browser: Browser, database: Database, connection: ConnectionRow, wakes: Wakes, place: str
) -> None:
    order_id = an_imported_order(database, connection)

    response = browser.post(place, content=EDIT, headers=headers(EDIT))

    assert (response.status_code, response.content) == (200, b"")
    assert wakes.woken == [(order_id, "edits")]
    assert counted(database)[("webhook_accepted", "orders/edited")] == 1


def test_a_repeated_delivery_wakes_nobody_twice(
    browser: Browser, database: Database, connection: ConnectionRow, wakes: Wakes
) -> None:
    an_imported_order(database, connection)

    answers = [browser.post(PLACE, content=EDIT, headers=headers(EDIT)).status_code for _ in range(3)]

    assert answers == [200, 200, 200]
    assert len(wakes.woken) == 1
    assert counted(database)[("webhook_repeated", "orders/edited")] == 2


def test_every_secret_in_use_for_the_shop_signs(
    browser: Browser, database: Database, connection: ConnectionRow, keyring: Keyring
) -> None:
    from sqlalchemy import update

    from interlock.engine.store import connections

    with database.begin() as c:
        other = connect(c, keyring, "bazaar", shop_id=2002)
        c.execute(
            update(connections)
            .where(connections.c.id == other.id)
            .values(shopify_client_secret=keyring.encrypt(b"another app's secret"))
        )

    given = headers(EDIT, X_Shopify_Hmac_Sha256=signed(EDIT, b"another app's secret"))

    assert browser.post(PLACE, content=EDIT, headers=given).status_code == 200


def test_a_wrong_signature_gets_401_and_one_sentence_that_is_the_same_for_all(
    browser: Browser, database: Database, connection: ConnectionRow, wakes: Wakes
) -> None:
    before = rows(database)
    wrong = [
        signed(EDIT, b"guessed"),
        signed(EDIT + b" "),
        "",
        "not base64",
        base64.b64encode(b"short").decode(),
    ]

    responses = [
        browser.post(PLACE, content=EDIT, headers=headers(EDIT, X_Shopify_Hmac_Sha256=value))
        for value in wrong
    ]

    said = "X-Shopify-Hmac-Sha256 is missing or does not fit the body. Nothing was kept."
    assert [r.status_code for r in responses] == [401] * len(wrong)
    assert [r.json() for r in responses] == [{"error": "signature", "detail": said}] * len(wrong)
    assert rows(database) == before
    assert wakes.woken == []
    assert counted(database)[("webhook_refused", "signature")] == len(wrong)


def test_the_signature_is_over_the_bytes_and_not_over_what_they_mean(
    browser: Browser, connection: ConnectionRow
) -> None:
    reordered = json.dumps(json.loads(EDIT), indent=2).encode()

    response = browser.post(PLACE, content=reordered, headers=headers(EDIT))

    assert response.status_code == 401


def test_a_body_over_the_limit_gets_413(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    body = b'{"id": 1, "note": "' + b"x" * MAX_BODY_BYTES + b'"}'

    response = browser.post(PLACE, content=body, headers=headers(body))

    assert response.status_code == 413
    assert response.json()["error"] == "body_too_large"
    assert counted(database) == {("webhook_refused", "too_large"): 1}


def test_a_body_that_hides_its_length_is_cut_off_at_the_limit(
    store: InlineStore, keyring: Keyring, connection: ConnectionRow
) -> None:
    sent = 0

    async def endless() -> object:
        nonlocal sent
        while sent < 100:
            sent += 1
            yield b"x" * 64 * 1024

    async def post() -> httpx2.Response:
        app = create_app(WebParts(store, Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER))
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.post(PLACE, content=endless(), headers=headers(b""))  # type: ignore[arg-type]

    response = asyncio.run(post())

    assert response.status_code == 413
    assert sent < 100


BAD = {
    "an unknown shop": (
        f"/webhooks/shopify/{'someone-else.myshopify.com'}",
        EDIT,
        {},
        404,
        "unknown_shop",
        "",
    ),
    "a foreign shop": (
        PLACE,
        EDIT,
        {"X_Shopify_Shop_Domain": "evil.myshopify.com"},
        403,
        "foreign_shop",
        "X-Shopify-Shop-Domain",
    ),
    "a missing shop": (
        PLACE,
        EDIT,
        {"X_Shopify_Shop_Domain": ""},
        403,
        "foreign_shop",
        "X-Shopify-Shop-Domain",
    ),
    "an unknown topic": (
        PLACE,
        EDIT,
        {"X_Shopify_Topic": "products/update"},
        422,
        "unknown_topic",
        "products/update",
    ),
    "a missing topic": (PLACE, EDIT, {"X_Shopify_Topic": ""}, 422, "unknown_topic", "X-Shopify-Topic"),
    "a body that is no JSON": (PLACE, b"<html>", {}, 422, "unreadable", "body"),
    "a body that is not UTF-8": (PLACE, b'{"a": "\xff"}', {}, 422, "unreadable", "body"),
    "a body that is a list": (PLACE, b"[1]", {}, 422, "unreadable", "body"),
    "a body nested too deep": (PLACE, b'{"a":' * 60 + b"1" + b"}" * 60, {}, 422, "unreadable", "body"),
    "a missing order id": (PLACE, b'{"order_edit": {}}', {}, 422, "unreadable", "order_edit.order_id"),
    "an order id that is none": (
        PLACE,
        b'{"order_edit": {"order_id": "x"}}',
        {},
        422,
        "unreadable",
        "order_edit.order_id",
    ),
    "a missing delivery id": (
        PLACE,
        EDIT,
        {"X_Shopify_Webhook_Id": ""},
        422,
        "unreadable",
        "X-Shopify-Webhook-Id",
    ),
    "a moment that is none": (
        PLACE,
        EDIT,
        {"X_Shopify_Triggered_At": "yesterday"},
        422,
        "unreadable",
        "X-Shopify-Triggered-At",
    ),
    "a moment without a counterpart in UTC": (
        PLACE,
        EDIT,
        {"X_Shopify_Triggered_At": "0001-01-01T00:00:00+14:00"},
        422,
        "unreadable",
        "X-Shopify-Triggered-At",
    ),
    "a moment without a zone": (
        PLACE,
        EDIT,
        {"X_Shopify_Triggered_At": "2026-05-01T00:00:00"},
        422,
        "unreadable",
        "X-Shopify-Triggered-At",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_named_counted_and_changes_nothing(
    browser: Browser, database: Database, connection: ConnectionRow, wakes: Wakes, name: str
) -> None:
    an_imported_order(database, connection)
    place, body, changes, status, error, wrong = BAD[name]

    response = browser.post(place, content=body, headers=headers(body, **changes))

    assert response.status_code == status
    assert response.json()["error"] == error
    assert wrong in response.json()["detail"]
    assert wakes.woken == []
    assert rows(database)["deliveries"] == 0
    assert counted(database) == {("webhook_refused", error): 1}


def test_an_unreadable_delivery_is_kept_encrypted_and_becomes_a_case_until_the_topic_is_readable(
    browser: Browser, database: Database, connection: ConnectionRow, keyring: Keyring
) -> None:
    body = b'{"order_edit": {"order_id": "Ada Lovelace"}}'

    for _ in range(2):
        browser.post(PLACE, content=body, headers=headers(body))

    with database.begin() as c:
        kept = c.execute(select(unreadable)).one()
        case = c.execute(select(cases)).one()
    assert keyring.decrypt(kept.body) == body
    assert "order_edit.order_id" in kept.problem
    assert (case.reason, case.subject, case.closed_at) == ("unreadable_order", "delivery orders/edited", None)
    assert "Lovelace" not in case.sentence + kept.problem

    browser.post(PLACE, content=EDIT, headers=headers(EDIT))

    with database.begin() as c:
        assert c.execute(select(cases.c.closed_at)).scalar_one() is not None


def test_an_order_of_nobody_ends_quietly(
    browser: Browser, database: Database, connection: ConnectionRow, wakes: Wakes
) -> None:
    response = browser.post(PLACE, content=EDIT, headers=headers(EDIT))

    assert response.status_code == 200
    assert wakes.woken == []
    assert counted(database)[("webhook_of_other_order", "orders/edited")] == 1


@pytest.mark.parametrize("topic", ["update", "connect", "disconnect"])
def test_an_article_whose_stock_changed_or_ended_at_a_location_is_read_again(
    browser: Browser, database: Database, connection: ConnectionRow, topic: str
) -> None:
    with database.begin() as c:
        shop_stock(c, SHOP)
    body = json.dumps({"inventory_item_id": 271878346596884015, "location_id": 24826418}).encode()
    of_stock = headers(body, X_Shopify_Topic=f"inventory_levels/{topic}")
    assert browser.post(PLACE, content=body, headers=of_stock).status_code == 200
    with database.begin() as c:
        assert hinted_items(c, SHOP, 10) == ("gid://shopify/InventoryItem/271878346596884015",)
    assert counted(database)[("webhook_of_stock", f"inventory_levels/{topic}")] == 1


def test_a_parcel_not_seen_before_stays_for_the_sweep(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    body = json.dumps({"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/9"}}).encode()
    topic = "fulfillment_orders/hold_released"

    response = browser.post(PLACE, content=body, headers=headers(body, X_Shopify_Topic=topic))

    assert response.status_code == 200
    with database.begin() as c:
        row = c.execute(select(deliveries)).one()
    assert (row.fulfillment_order_id, row.resolved_at) == ("gid://shopify/FulfillmentOrder/9", None)


def test_a_request_about_a_persons_data_is_taken_and_counted(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    body = b'{"shop_id": 1}'
    given = headers(body, X_Shopify_Topic="customers/redact")

    assert browser.post(PLACE, content=body, headers=given).status_code == 200
    assert counted(database)[("webhook_privacy", "customers/redact")] == 1
    assert browser.post(PLACE, content=body, headers=given).status_code == 200  # sent twice is one request
    with database.begin() as c:
        (request,) = requests(c)
    assert (request.topic, request.done_at) == ("customers/redact", None)


@pytest.mark.parametrize("path", [PLACE + "/", "/webhooks/shopify", "/webhooks/shopify/", "/webhooks"])
def test_a_wrong_address_is_never_answered_with_a_redirect(browser: Browser, path: str) -> None:
    response = browser.post(path, content=EDIT, headers=headers(EDIT))

    assert response.status_code in (404, 405)
    assert "location" not in response.headers


def test_without_a_database_the_sender_is_told_to_come_again(keyring: Keyring) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none", pool_size=1)
    browser = Browser(
        create_app(WebParts(InlineStore(away), Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER))
    )

    response = browser.post(PLACE, content=EDIT, headers=headers(EDIT))

    assert response.status_code == 503
    assert response.json()["error"] == "database_unavailable"
    assert browser.get("/healthz").status_code == 503
    assert browser.get("/").status_code == 503
