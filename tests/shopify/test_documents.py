"""What is created in Shopify: exact prices and taxes, real addresses, nobody mailed."""

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLInputType, build_schema
from graphql.utilities import coerce_input_value

import interlock
from interlock.orders.countries import alpha2
from interlock.orders.snapshots import Tax
from interlock.shopify.client import plain
from interlock.shopify.documents import (
    CannotBuild,
    draft_address_input,
    draft_input,
    order_address_input,
    order_input,
    order_options,
    order_total,
    private_texts,
    shipping_address,
)
from interlock.shopify.names import LONGEST_TAG, order_tag, order_tags
from tests.shopify.orders import ADDRESS, HST, LAMP, NOW, RUG, context, create_draft, create_order, document

SCHEMA = build_schema(
    (Path(interlock.__file__).parent / "simulator" / "shopify" / "schema.graphql").read_text(encoding="utf-8")
)


def as_sent(built: Any) -> dict[str, Any]:
    """The input as JSON, after the schema has accepted it."""
    sent = json.loads(json.dumps(plain(built)))
    kind = SCHEMA.type_map[type(built).__name__]
    assert isinstance(kind, GraphQLInputType)
    coerce_input_value(sent, kind)
    assert isinstance(sent, dict)
    return sent


def test_a_draft_reserves_stock_at_gross_prices_without_tax_or_mail() -> None:
    sent = as_sent(draft_input(create_draft(), context(), NOW))
    assert sent["taxExempt"] is True
    assert sent["acceptAutomaticDiscounts"] is False
    assert sent["visibleToCustomer"] is False
    assert sent["reserveInventoryUntil"] > NOW.isoformat()
    assert sent["email"] == "abc@notification.mirakl.net"
    assert sent["presentmentCurrencyCode"] == "CAD"
    assert sent["shippingLine"] == {
        "title": "Standard",
        "priceWithCurrency": {"amount": "4.00", "currencyCode": "CAD"},
    }
    assert sent["customAttributes"][0] == {"key": "mirakl_order_id", "value": "mkt-ca:12345-A"}
    assert sent["tags"] == ["mirakl", "mirakl:mkt-ca", "mirakl-order:12345-A"]


def test_a_variant_line_overrides_the_price_and_a_custom_line_has_its_own() -> None:
    lamp, rug = as_sent(draft_input(create_draft(), context(), NOW))["lineItems"]
    assert lamp["variantId"] == LAMP.variant_id
    assert lamp["priceOverride"] == {"amount": "22.60", "currencyCode": "CAD"}
    assert lamp["requiresShipping"] is True
    assert lamp["customAttributes"] == [
        {"key": "_mirakl_line_id", "value": "L1"},
        {"key": "_mirakl_taxes", "value": '[{"code":"HST","amount":"5.20","rate":"13"}]'},
    ]
    assert "variantId" not in rug
    assert rug["originalUnitPriceWithCurrency"] == {"amount": "10.00", "currencyCode": "CAD"}
    assert (rug["title"], rug["sku"], rug["requiresShipping"]) == ("Rug", "RUG", True)


def test_a_hidden_address_is_left_out_or_refused_but_never_invented() -> None:
    hidden = context(document(customer={"customer_id": "c-1", "shipping_address": None}))
    assert "shippingAddress" not in as_sent(draft_input(create_draft(with_address=False), hidden, NOW))
    for build in (
        lambda: draft_input(create_draft(), hidden, NOW),
        lambda: draft_address_input(hidden),
        lambda: order_input(create_order(), hidden),
        lambda: order_address_input("gid://shopify/Order/9", hidden),
    ):
        with pytest.raises(CannotBuild) as raised:
            build()
        assert raised.value.code == "ADDRESS_MISSING"


def test_a_relay_address_that_was_hidden_comes_with_the_address() -> None:
    relay = document()["customer_notification_email"]
    assert as_sent(draft_address_input(context()))["email"] == relay
    for hidden in (None, "", "nobody"):
        built = draft_address_input(context(document(customer_notification_email=hidden)))
        assert "email" not in as_sent(built)


def test_a_pick_up_point_is_carried_so_that_the_label_can_be_made_for_it() -> None:
    shown = context(document(shipping_pudo_id="FR-062049"))
    point = {"key": "Pick-up point", "value": "FR-062049"}

    for built in (
        draft_input(create_draft(), shown, NOW),
        draft_address_input(shown),
        order_input(create_order(), shown),
    ):
        assert point in as_sent(built)["customAttributes"]
    for built in (draft_input(create_draft(), context(), NOW), order_input(create_order(), context())):
        assert "Pick-up point" not in [entry["key"] for entry in as_sent(built)["customAttributes"]]
    assert "customAttributes" not in as_sent(draft_address_input(context()))


def test_the_shipping_method_is_carried_on_both_routes_so_that_the_warehouse_can_honour_it() -> None:
    """A draft's shipping line has a title only (ShippingLineInput), so the code stands in an attribute on both."""
    express = context(document(shipping_type_code="EXP", shipping_type_label="Express"))
    method = {"key": "Shipping method", "value": "EXP"}
    draft, order = draft_input(create_draft(), express, NOW), order_input(create_order(), express)

    assert all(method in as_sent(built)["customAttributes"] for built in (draft, order))
    assert as_sent(draft)["shippingLine"]["title"] == "Express"
    (shipping,) = as_sent(order)["shippingLines"]
    assert (shipping["title"], shipping["code"]) == ("Express", "EXP")
    ours = replace(express, shipping_title="Parcel, two days")
    assert as_sent(draft_input(create_draft(), ours, NOW))["shippingLine"]["title"] == "Parcel, two days"
    assert as_sent(order_input(create_order(), ours))["shippingLines"][0]["title"] == "Parcel, two days"
    unnamed = draft_input(create_draft(), context(document(shipping_type_code=None)), NOW)
    assert [entry["key"] for entry in as_sent(unnamed)["customAttributes"]] == ["mirakl_order_id"]


def test_an_address_keeps_its_parts_and_gets_shopifys_codes() -> None:
    assert as_sent(shipping_address(context())) == {
        "firstName": "Jane",
        "lastName": "Doe",
        "company": "Elm & Sons",
        "address1": "12 Elm Street",
        "address2": "Flat 3",
        "city": "Toronto",
        "provinceCode": "ON",
        "zip": "M5H 2M9",
        "countryCode": "CA",
        "phone": "+1 416 555 0199",
    }


@pytest.mark.parametrize(
    ("state", "country", "expected"),
    [
        ("US-CA", "USA", {"provinceCode": "CA"}),
        ("Ontario", "CAN", {"province": "Ontario"}),
        ("75", "FRA", {"province": "75"}),
        ("", "DEU", {}),
    ],
)
def test_a_province_is_a_code_only_where_shopify_has_codes(
    state: str, country: str, expected: dict[str, str]
) -> None:
    shown = document(customer={"shipping_address": ADDRESS | {"state": state, "country_iso_code": country}})
    sent = as_sent(shipping_address(context(shown)))
    assert {name: value for name, value in sent.items() if name.startswith("province")} == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("FRA", "FR"), ("usa", "US"), ("DE", "DE"), ("XKX", "XK"), ("ZZZZ", ""), ("", ""), ("Q9Q", "")],
)
def test_country_codes(code: str, expected: str) -> None:
    assert alpha2(code) == expected


def test_an_unknown_country_is_refused() -> None:
    shown = document(customer={"shipping_address": ADDRESS | {"country_iso_code": "Kanada"}})
    with pytest.raises(CannotBuild) as raised:
        shipping_address(context(shown))
    assert raised.value.code == "COUNTRY_UNKNOWN"
    assert "Kanada" not in str(raised.value)


def test_the_customer_gets_no_phone_no_consent_and_no_account() -> None:
    for built in (draft_input(create_draft(), context(), NOW), order_input(create_order(), context())):
        sent = as_sent(built)
        for absent in ("phone", "customer", "customerId", "purchasingEntity", "buyerAcceptsMarketing"):
            assert absent not in sent
        for private in ("Jane", "Doe", "Elm", "Toronto", "0199"):
            assert private not in sent["note"]


def test_an_order_has_exact_taxes_a_marker_and_waits_for_payment() -> None:
    sent = as_sent(order_input(create_order(), context()))
    lamp, rug = sent["lineItems"]
    assert sent["taxesIncluded"] is True
    assert lamp["taxLines"] == [
        {
            "title": "HST",
            "rate": "0.13",
            "priceSet": {"shopMoney": {"amount": "5.20", "currencyCode": "CAD"}},
            "channelLiable": False,
        }
    ]
    assert lamp["requiresShipping"] is True
    assert rug["requiresShipping"] is True
    assert sent["metafields"] == [
        {"namespace": "$app", "key": "mirakl_order_id", "type": "id", "value": "mkt-ca:12345-A"}
    ]
    assert sent["sourceIdentifier"] == "12345-A"
    assert sent["financialStatus"] == "PENDING"
    assert "transactions" not in sent
    assert as_sent(order_options()) == {
        "inventoryBehaviour": "DECREMENT_OBEYING_POLICY",
        "sendReceipt": False,
        "sendFulfillmentReceipt": False,
    }


def test_an_order_that_is_paid_at_once_has_a_payment_over_its_whole_total() -> None:
    sent = as_sent(order_input(create_order(pending=False), context()))
    assert sent["transactions"][0]["amountSet"]["shopMoney"]["amount"] == "59.20"
    assert "financialStatus" not in sent


def test_net_prices_add_their_taxes_to_the_total() -> None:
    assert order_total(create_order(LAMP, RUG, taxes_included=True)) == Decimal("59.20")
    assert order_total(create_order(LAMP, RUG, taxes_included=False)) == Decimal("64.40")


def test_the_marketplace_is_liable_only_for_the_taxes_that_it_keeps() -> None:
    """OrderCreateTaxLineInput.channelLiable; what the shop is paid it has to remit itself."""
    kept = replace(HST, code="STATE", operator_collected=True)
    sent = as_sent(order_input(create_order(_with_taxes(HST, kept)), context()))

    liable = {tax["title"]: tax["channelLiable"] for tax in sent["lineItems"][0]["taxLines"]}
    assert liable == {"HST": False, "STATE": True}


def test_a_tax_without_a_rate_gets_the_rate_its_amounts_come_to() -> None:
    bare = Tax("HST", Decimal("5.20"))
    gross = order_input(create_order(_with_taxes(bare)), context())
    net = order_input(create_order(_with_taxes(bare), taxes_included=False), context())
    assert as_sent(gross)["lineItems"][0]["taxLines"][0]["rate"] == "0.130000"
    assert as_sent(net)["lineItems"][0]["taxLines"][0]["rate"] == "0.115044"


def _with_taxes(*taxes: Tax) -> Any:
    return replace(LAMP, taxes=taxes)


def test_long_ids_still_give_short_tags_that_differ() -> None:
    one, two = order_tag("M" * 60 + "1"), order_tag("M" * 60 + "2")
    assert one != two
    for tag in (*order_tags("c" * 80, "M" * 80), one, order_tag("a,b")):
        assert len(tag) <= LONGEST_TAG
        assert "," not in tag


def test_everything_personal_is_known_as_such() -> None:
    texts = private_texts(context())
    for private in (
        "Jane",
        "Doe",
        "12 Elm Street",
        "Toronto",
        "M5H 2M9",
        "+1 416 555 0199",
        "abc@notification.mirakl.net",
    ):
        assert private in texts
