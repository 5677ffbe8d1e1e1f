"""What a Shopify order says of where it came from, read without keeping anything personal."""

import asyncio
from typing import Any

import pytest

from interlock.orders.addresses import email_digest
from interlock.orders.snapshots import ShopifyOrder, Stranger
from interlock.shopify import read
from tests.shopify.orders import KEY, NOW, order
from tests.shopify.shop import Shop, data

ID = "gid://shopify/Order/9"
NUMBERS = ("12345-A", "mkt-ca:12345-A", "gid://shopify/Order/7", "7", "#1031")
ADDRESS = order()["shippingAddress"]


def kin(**changes: Any) -> ShopifyOrder:
    shop = Shop({"OrderSnapshot": [data(order=order(**changes))]})
    found = asyncio.run(read.order(shop.client(), ID, KEY, NOW, numbers=NUMBERS, mirakl_order_id="12345-A"))
    assert found is not None
    return found


def attribute(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


@pytest.mark.parametrize(
    ("changes", "mentions"),
    [
        ({}, ()),
        ({"tags": ["mirakl-order:12345-A"]}, ("tag",)),
        ({"tags": ["mirakl-order:12345-B"]}, ()),
        ({"note": "Edited copy of #1031."}, ("note",)),
        ({"note": "Order 10310, not ours"}, ()),
        ({"customAttributes": [attribute("original_order", "#1031")]}, ("attribute",)),
        ({"customAttributes": [attribute("parent", "gid://shopify/Order/7")]}, ("attribute",)),
        # Our own attribute is a trace of its own.
        ({"customAttributes": [attribute("mirakl_order_id", "mkt-ca:12345-A")]}, ()),
        ({"sourceIdentifier": "12345-A"}, ("source",)),
        ({"sourceIdentifier": "12345-A", "note": "(1031)"}, ("source", "note")),
    ],
)
def test_where_an_order_names_another_one(changes: dict[str, Any], mentions: tuple[str, ...]) -> None:
    assert kin(**{"tags": [], **changes}).traces.mentions == mentions


def test_traces_hold_digests_and_no_words() -> None:
    found = kin(
        email="Jane.Doe@proxy.example",
        note="Jane Doe wants #1031 sooner, call +1 416 555 0100",
        app={"name": "Cleverific"},
        lineage={"value": "mkt-ca:12345-A"},
        customAttributes=[attribute("mirakl_order_id", "mkt-ca:12345-A")],
    )
    traces = found.traces
    assert (traces.app, traces.attribute, traces.lineage) == ("Cleverific", *["mkt-ca:12345-A"] * 2)
    assert traces.email == email_digest(" jane.doe@PROXY.example", KEY) != ""
    assert email_digest("jane.doe@proxy.example", b"another key") != traces.email
    for private in ("Jane", "jane", "proxy.example", "416"):
        assert private not in repr(found)


def test_an_order_is_read_without_traces_where_the_shop_withholds_them() -> None:
    assert kin(email=None, note=None, app=None, tags=[]).traces.email == ""


def stranger(**changes: Any) -> Stranger | None:
    shown = {
        "id": ID,
        "name": "#1031A",
        "cancelledAt": None,
        "tags": ["mirakl-order:12345-A", "vip"],
        "email": "jane.doe@proxy.example",
        "note": "as #1031",
        "sourceIdentifier": None,
        "lineage": None,
        "customAttributes": [attribute("parent", "Order-77")],
        "shippingAddress": ADDRESS,
        **changes,
    }
    shop = Shop({"Stranger": [data(order=shown)]})
    return asyncio.run(read.stranger(shop.client(), ID, KEY))


def test_a_stranger_tells_what_to_look_for_among_our_orders() -> None:
    assert stranger() == Stranger(
        id=ID,
        name="#1031A",
        order_ids=("12345-A",),
        words=("order-77", "1031"),
        email=email_digest("jane.doe@proxy.example", KEY),
        address=kin().address.digest,
    )
    marked = stranger(lineage={"value": "mkt-ca:1-A"}, customAttributes=[])
    assert marked is not None
    assert marked.marker == "mkt-ca:1-A"


def test_a_stranger_that_is_gone_is_nobody() -> None:
    shop = Shop({"Stranger": [data(order=None)]})
    assert asyncio.run(read.stranger(shop.client(), ID, KEY)) is None
