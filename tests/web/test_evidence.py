"""The marketplace's document: masked for everybody, in full only with a reason that is kept."""

import json

import pytest
from sqlalchemy import insert, select

from interlock.access.audit_log import audit_log
from interlock.console.evidence import MASK, masked
from interlock.engine.store import ConnectionRow
from interlock.orders.store import mirakl_documents
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, TESTER, edited_up, keep
from tests.web.browser import Browser, text_of

DOCUMENT = {
    "order_id": "M-1001-A",
    "order_state": "SHIPPING",
    "created_date": "2026-03-02T11:00:00Z",
    "total_price": 54.5,
    "customer": {
        "customer_id": "C-77",
        "firstname": "Jo",
        "lastname": "Smith",
        "shipping_address": {
            "street_1": "1 Mill Lane",
            "zip_code": "AB1 2CD",
            "city": "Leeds",
            "phone": "0113",
        },
    },
    "customer_notification_email": "jo-7@notify.example",
    "order_lines": [{"offer_sku": "MUG", "quantity": 2, "product_title": "A mug", "order_line_id": "L1"}],
    "order_additional_fields": [{"code": "gift-note", "value": "For Ann"}],
    "a_new_field": "Jo Smith again",
}
PRIVATE = ("Jo", "Smith", "Mill Lane", "AB1 2CD", "Leeds", "0113", "notify.example", "For Ann", "C-77")


@pytest.fixture
def order_id(database: Database, connection: ConnectionRow, keyring: Keyring) -> int:
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())
        body = keyring.encrypt(json.dumps(DOCUMENT).encode())
        c.execute(
            insert(mirakl_documents).values(
                order_id=order_id, observed_at=CLOCK, updated_at=CLOCK, digest="d", body=body
            )
        )
    return order_id


def test_what_is_about_a_person_is_masked_and_what_is_about_the_trade_is_not(
    browser: Browser, order_id: int
) -> None:
    page = text_of(browser.get(f"/orders/{order_id}/evidence"))

    for private in PRIVATE:
        assert private not in page
    for plain in ('"order_id": "M-1001-A"', '"SHIPPING"', "54.5", '"offer_sku": "MUG"', '"quantity": 2'):
        assert plain in page


def test_a_field_nobody_knows_is_masked() -> None:
    assert masked({"a_new_field": "Jo", "deep": [{"thing": "Jo", "paid": True}]}) == {
        "a_new_field": MASK,
        "deep": [{"thing": MASK, "paid": True}],
    }


def test_showing_it_needs_a_reason_which_stays_in_the_audit_log(
    browser: Browser, database: Database, connection: ConnectionRow, order_id: int
) -> None:
    place = f"/orders/{order_id}/evidence"

    refused = browser.submit(place, place, data={"why": "  "})
    with database.begin() as c:
        assert c.execute(select(audit_log)).all() == []
    shown = browser.submit(place, place, data={"why": "The courier asks for the street."})

    assert refused.status_code == 422
    assert "Mill Lane" not in refused.text
    assert "1 Mill Lane" in text_of(shown)
    assert shown.headers["cache-control"] == "no-store"
    with database.begin() as c:
        entry = c.execute(select(audit_log)).one()
    assert (entry.who, entry.did, entry.subject) == (TESTER.handle, "revealed", f"order {order_id}")
    assert entry.facts == {"why": "The courier asks for the street."}


def test_an_order_that_was_not_read_has_no_evidence(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())

    response = browser.get(f"/orders/{order_id}/evidence")

    assert response.status_code == 404
    assert "There is no document of this order" in text_of(response)
