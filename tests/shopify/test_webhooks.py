"""Deliveries: only signed ones count, and what cannot be read is named."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.shopify.webhooks import (
    MAX_BODY_BYTES,
    TOPICS,
    Delivery,
    UnreadableDelivery,
    read_delivery,
    verify,
)

BODY = b'{"order_edit":{"id":1,"order_id":820982911946154500}}'
NEW, OLD = b"shpss_new", b"shpss_old"


def signed(body: bytes, secret: bytes) -> str:
    return base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()


def deliver(topic: str, body: bytes, webhook_id: str = "w-1", triggered: str = "") -> Delivery:
    return read_delivery(topic, "shop.myshopify.com", webhook_id, triggered, body)


def test_a_signature_of_any_live_secret_is_valid() -> None:
    assert verify(BODY, signed(BODY, OLD), (NEW, OLD))
    assert verify(BODY, signed(BODY, NEW), (NEW, OLD))


def test_a_signature_of_another_body_or_secret_is_not_valid() -> None:
    assert not verify(BODY + b" ", signed(BODY, NEW), (NEW, OLD))
    assert not verify(BODY, signed(BODY, b"shpss_other"), (NEW, OLD))
    assert not verify(BODY, signed(BODY, b""), (b"",))
    assert not verify(BODY, signed(BODY, NEW), ())


@pytest.mark.parametrize(
    "header", ["", "é", "not base64!", signed(BODY, NEW) + "\n", signed(BODY, NEW).rstrip("="), "AAAA"]
)
def test_a_header_that_is_not_strict_base64_of_a_digest_is_not_valid(header: str) -> None:
    assert not verify(BODY, header, (NEW,))


@given(st.binary(max_size=200), st.text(max_size=60))
def test_no_made_up_header_is_valid(body: bytes, header: str) -> None:
    assert not verify(body, header, (NEW, OLD))


def test_an_edit_names_its_order_with_a_number_beyond_floats() -> None:
    delivery = read_delivery(
        "orders/edited", "shop.myshopify.com", "w-1", "2026-02-02T11:00:05.123456789-05:00", BODY
    )
    assert delivery.order_id == "gid://shopify/Order/820982911946154500"
    assert delivery.kind == "edit"
    assert delivery.triggered_at == datetime(2026, 2, 2, 16, 0, 5, 123456, UTC)


def test_a_hold_names_its_fulfillment_order_and_the_order_where_it_is_told() -> None:
    body = {"fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/7", "status": "on_hold"}}
    delivery = read_delivery("fulfillment_orders/placed_on_hold", "s", "w", "", json.dumps(body).encode())
    assert (delivery.order_id, delivery.fulfillment_order_id) == (None, "gid://shopify/FulfillmentOrder/7")
    body["remaining_fulfillment_order"] = {"order_id": "12"}
    delivery = read_delivery("fulfillment_orders/placed_on_hold", "s", "w", "", json.dumps(body).encode())
    assert delivery.order_id == "gid://shopify/Order/12"


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_every_topic_is_read_from_the_fields_it_asks_for(topic: str) -> None:
    known = TOPICS[topic]
    body: dict[str, object] = {}
    for path in (known.order_at, known.fulfillment_order_at, known.item_at):
        value: object = 12
        for name in reversed(path):
            value = {name: value}
        if isinstance(value, dict):
            body |= value
    kept = {
        name: value
        for name, value in body.items()
        if not known.include_fields or name in known.include_fields
    }
    delivery = read_delivery(topic, "s", "w", "", json.dumps(kept).encode())
    assert bool(delivery.order_id) == bool(known.order_at)
    assert bool(delivery.fulfillment_order_id) == bool(known.fulfillment_order_at)
    assert bool(delivery.item_id) == bool(known.item_at)


@pytest.mark.parametrize(
    ("topic", "more"),
    [
        ("inventory_levels/update", {"available": 4, "updated_at": "2026-02-02T11:00:00-05:00"}),
        ("inventory_levels/connect", {"available": None, "updated_at": "2026-02-02T11:00:00-05:00"}),
        ("inventory_levels/disconnect", {}),
    ],
)
def test_what_happens_to_stock_at_a_location_names_the_item_with_or_without_a_figure(
    topic: str, more: dict[str, object]
) -> None:
    body = {"inventory_item_id": 271878346596884015, "location_id": 24826418, **more}
    delivery = deliver(topic, json.dumps(body).encode())
    assert delivery.item_id == "gid://shopify/InventoryItem/271878346596884015"
    assert (delivery.kind, delivery.order_id) == ("inventory", None)


def test_privacy_topics_are_read_without_looking_for_an_order() -> None:
    assert read_delivery("shop/redact", "s", "w", "", b'{"shop_id":1}').kind == "privacy"


@pytest.mark.parametrize(
    ("topic", "body", "field"),
    [
        ("orders/printed", b"{}", "X-Shopify-Topic"),
        ("ORDERS_EDITED", b"{}", "X-Shopify-Topic"),
        ("orders/edited", b"", "body"),
        ("orders/edited", b"<html>", "body"),
        ("orders/edited", b"[]", "body"),
        ("orders/edited", b"\xff\xfe{}", "body"),
        ("orders/edited", b"{" * 100_000, "body"),
        ("orders/edited", b'{"a":' * 60 + b"1" + b"}" * 60, "body"),
        ("orders/edited", b'{"a":"' + b"x" * MAX_BODY_BYTES + b'"}', "body"),
        ("orders/edited", b"{}", "order_edit.order_id"),
        ("orders/edited", b'{"order_edit":{"order_id":true}}', "order_edit.order_id"),
        ("orders/edited", b'{"order_edit":{"order_id":1.5}}', "order_edit.order_id"),
        ("orders/edited", b'{"order_edit":{"order_id":-4}}', "order_edit.order_id"),
        ("orders/edited", b'{"order_edit":{"order_id":"12; drop"}}', "order_edit.order_id"),
        ("orders/create", b'{"id":"gid://shopify/Customer/3"}', "id"),
        ("refunds/create", b'{"id":3}', "order_id"),
        ("fulfillment_holds/added", b'{"fulfillment_order":[]}', "fulfillment_order.id"),
        ("inventory_levels/disconnect", b'{"location_id":3}', "inventory_item_id"),
    ],
)
def test_a_delivery_that_cannot_be_read_names_the_field(topic: str, body: bytes, field: str) -> None:
    with pytest.raises(UnreadableDelivery) as raised:
        deliver(topic, body)
    assert raised.value.field == field


@pytest.mark.parametrize("webhook_id", ["", "x" * 300, "a\nb"])
def test_a_delivery_without_a_usable_webhook_id_is_refused(webhook_id: str) -> None:
    with pytest.raises(UnreadableDelivery, match="X-Shopify-Webhook-Id"):
        deliver("orders/edited", BODY, webhook_id)


@pytest.mark.parametrize("triggered", ["yesterday", "2026-02-02T11:00:05"])
def test_a_moment_that_is_none_is_refused(triggered: str) -> None:
    with pytest.raises(UnreadableDelivery, match="X-Shopify-Triggered-At"):
        deliver("orders/edited", BODY, "w-1", triggered)


@given(st.sampled_from(sorted(TOPICS)), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_and_nothing_else(topic: str, body: bytes) -> None:
    try:
        told = ""
        deliver(topic, body)
    except UnreadableDelivery as refused:
        told = refused.field
    assert told in (
        "",
        "body",
        *(
            ".".join(path)
            for path in (TOPICS[topic].order_at, TOPICS[topic].fulfillment_order_at, TOPICS[topic].item_at)
        ),
    )


@pytest.mark.parametrize(
    ("attributes", "marker"),
    [
        ([{"name": "gift", "value": "yes"}, {"name": "mirakl_order_id", "value": "atlas:M-1"}], "atlas:M-1"),
        ([{"name": "mirakl_order_id", "value": 7}], ""),
        ([{"name": "mirakl_order_id", "value": "x" * 301}], ""),
        (["mirakl_order_id"], ""),
        ({"mirakl_order_id": "atlas:M-1"}, ""),
        (None, ""),
    ],
)
def test_our_mark_is_read_from_the_order_attributes(attributes: object, marker: str) -> None:
    body = json.dumps({"id": 12, "note_attributes": attributes}).encode()
    assert read_delivery("orders/create", "s", "w", "", body).marker == marker
