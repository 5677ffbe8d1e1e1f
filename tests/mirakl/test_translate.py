"""How a marketplace's documents become snapshots."""

import json
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from interlock.mirakl.exact import parsed
from interlock.mirakl.translate import (
    UnreadableOrder,
    capability_from,
    order_from,
    shipping_address,
)
from interlock.orders.addresses import AddressKeyUnusable, AddressParts, digest, is_complete
from interlock.orders.capability import OperatorReason
from interlock.orders.countries import alpha2
from interlock.orders.ports import OrderContext
from interlock.orders.snapshots import NO_ADDRESS, MiraklOrder, Reduction, Shipment, Tax
from interlock.shopify import documents
from tests.mirakl.marketplace_documents import ORDER, line_document, order_document

NOW = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
KEY = b"address key"


def read(**changes: Any) -> MiraklOrder:
    return order_from(order_document(**changes), NOW, KEY)


SHIPMENT_ROW = {
    "id": "X1",
    "created_date": "2026-03-02T12:00:00Z",
    "status": "SHIPPED",
    "invoice_reference": "IL-1",
    "tracking": {
        "carrier_code": "UPS",
        "carrier_name": "UPS",
        "tracking_number": "1Z",
        "tracking_url": "https://ups/1Z",
    },
}


@pytest.mark.parametrize(
    ("entry", "line", "unknown"),
    [
        ({"order_line_id": "L1", "quantity": 2}, "L1", ()),
        ({"offer_sku": "MUG", "quantity": 2}, "L1", ()),
        # two lines of one SKU: nobody can tell which was shipped
        (
            {"offer_sku": "LAMP", "quantity": 2},
            "",
            ("shipments_of_order[0].shipment_lines[0].order_line_id=missing",),
        ),
    ],
)
def test_a_shipment_names_its_lines_by_id_or_by_a_sku_that_stands_for_one(
    entry: dict[str, Any], line: str, unknown: tuple[str, ...]
) -> None:
    """ST11 `shipment_lines`: neither name is required by the contract."""
    lines = [
        line_document(order_line_id=line_id, offer_sku=sku)
        for line_id, sku in (("L1", "MUG"), ("L2", "LAMP"), ("L3", "LAMP"))
    ]

    order = read(order_lines=lines, shipments_of_order=[{**SHIPMENT_ROW, "shipment_lines": [entry]}])

    known = Shipment("X1", "SHIPPED", ((line, 2),), "IL-1", "UPS", "UPS", "1Z", "https://ups/1Z")
    assert order.shipments == (known,)
    assert tuple(note for note in order.unknown if "shipments" in note) == unknown


def test_a_shipment_in_a_state_nobody_knows_is_said_and_an_absent_list_says_nothing() -> None:
    strange = read(shipments_of_order=[{**SHIPMENT_ROW, "status": "TELEPORTED", "shipment_lines": []}])

    assert "shipments_of_order[0].status=TELEPORTED" in strange.unknown
    for value, hidden in (("off", "off"), ("forbidden", "forbidden"), (None, "")):
        order = read(shipments_of_order=value)
        assert (order.shipments, order.shipments_hidden) == (None, hidden)


def test_a_full_order_is_read_to_the_last_cent() -> None:
    order = order_from(parsed(ORDER.encode()), NOW, KEY)

    assert order.unknown == ()
    assert (order.order_id, order.commercial_id, order.state) == ("C7-A", "C7", "SHIPPING")
    assert order.updated_at == datetime(2026, 11, 2, 9, 30, 0, 250_000, UTC)
    assert order.total_price == Decimal("34.90")
    assert (order.can_cancel, order.can_ship, order.has_incident) == (True, True, False)
    assert order.seller_reference == "#1001"
    assert order.fulfillment_center == "DEFAULT"
    assert order.address.complete
    (line,) = order.lines
    assert (line.id, line.sku, line.quantity, line.price, line.shipping_price) == (
        "C7-A-1",
        "MUG",
        3,
        Decimal(30),
        Decimal("4.90"),
    )
    assert line.taxes == (Tax("TVA20", Decimal(5), Decimal(20), "PROPORTIONAL_TO_AMOUNT"),)
    assert line.shipping_taxes == ()
    assert line.cancelations == (
        Reduction("81", 1, Decimal(10), Decimal(0), (), (), "34", datetime(2026, 11, 2, 9, 30, tzinfo=UTC)),
    )
    assert line.refunds == (
        Reduction("90", 0, Decimal("1.50"), Decimal(0), (), (), "15", None, "WAITING_REFUND"),
    )


def test_an_order_with_next_to_nothing_in_it_can_still_be_read() -> None:
    order = order_from(
        {
            "order_id": "C7-A",
            "order_state": "WAITING_ACCEPTANCE",
            "order_lines": [
                {"order_line_id": 5, "order_line_state": "WAITING_ACCEPTANCE", "quantity": 2, "price": "8"}
            ],
        },
        NOW,
        KEY,
    )
    assert order.lines[0].id == "5"
    assert order.lines[0].price_unit == Decimal(4)
    assert order.total_price == Decimal(8)
    assert order.created_at == NOW
    assert order.address == NO_ADDRESS
    assert not order.can_ship
    assert order.unknown == (
        "can_refund=missing",
        "payment_workflow=missing",
        "order_tax_mode=missing",
        "currency_iso_code=missing",
        "created_date=missing",
        "total_price=missing",
        "can_cancel=missing",
        "can_shop_ship=missing",
    )


@pytest.mark.parametrize(
    ("changes", "unknown"),
    [
        ({"order_state": "ON_THE_MOON"}, "order_state=ON_THE_MOON"),
        ({"payment_workflow": "PAY_LATER"}, "payment_workflow=PAY_LATER"),
        ({"order_tax_mode": "TAX_MIXED"}, "order_tax_mode=TAX_MIXED"),
        ({"order_lines": [line_document(order_line_state="BROKEN")]}, "order_line_state=BROKEN"),
        (
            {"order_lines": [line_document(refunds=[{"id": "1", "refund_state": "HALF_DONE", "amount": 1}])]},
            "refund_state=HALF_DONE",
        ),
        ({"shipping_deadline": "soon"}, "shipping_deadline=unreadable"),
        ({"can_shop_ship": None}, "can_shop_ship=missing"),
    ],
)
def test_a_value_this_version_does_not_know_is_listed_and_not_guessed(
    changes: dict[str, Any], unknown: str
) -> None:
    assert read(**changes).unknown == (unknown,)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"order_id": None}, "order_id"),
        ({"order_id": "C7,C8"}, "order_id"),
        ({"order_state": ""}, "order_state"),
        ({"order_lines": None}, "order_lines"),
        ({"order_lines": []}, "order_lines"),
        ({"order_lines": ["C7-A-1"]}, "order_lines[0]"),
        ({"order_lines": [line_document(order_line_id=None)]}, "order_lines[0].order_line_id"),
        ({"order_lines": [line_document(), line_document()]}, "order_lines[1].order_line_id"),
        ({"order_lines": [line_document(quantity=None)]}, "order_lines[0].quantity"),
        ({"order_lines": [line_document(quantity="1.5")]}, "order_lines[0].quantity"),
        ({"order_lines": [line_document(quantity=-1)]}, "order_lines[0].quantity"),
        ({"order_lines": [line_document(price="ten")]}, "order_lines[0].price"),
        ({"order_lines": [line_document(price=True)]}, "order_lines[0].price"),
        ({"order_lines": [line_document(price="1e99")]}, "order_lines[0].price"),
        ({"order_lines": [line_document(price=None, price_unit=None)]}, "order_lines[0].price"),
        ({"order_lines": [line_document(refunds=[{"amount": 1}])]}, "order_lines[0].refunds[0].id"),
    ],
)
def test_an_order_is_unreadable_only_for_a_reason_that_is_named(changes: dict[str, Any], where: str) -> None:
    with pytest.raises(UnreadableOrder) as caught:
        read(**changes)
    assert caught.value.where == where
    assert where in str(caught.value)


def test_moments_are_understood_with_and_without_zone() -> None:
    assert read(shipping_deadline="2026-11-02T10:00:00+02:00").shipping_deadline == datetime(
        2026, 11, 2, 8, tzinfo=UTC
    )
    assert read(shipping_deadline="2026-11-02T10:00:00").shipping_deadline == datetime(
        2026, 11, 2, 10, tzinfo=UTC
    )


def test_a_hidden_address_is_no_address() -> None:
    assert read(customer={"shipping_address": None}).address == NO_ADDRESS
    assert read(customer=None).address == NO_ADDRESS
    assert shipping_address(order_document(customer={"shipping_address": None})) is None


def test_an_address_has_the_same_digest_after_a_shop_has_stored_it() -> None:
    address = shipping_address(order_document())
    assert address is not None
    stored = AddressParts(
        first_name="ANNA",
        last_name=" Kowal ",
        company="",
        line1="Rue de  l'E\u0301toile 5",
        city="PARIS",
        postcode="75017",
        province="",
        country_code="FR",
    )
    assert digest(stored, KEY) == digest(address.parts, KEY)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"firstname": None},
        {"company": "ACME", "company_2": "Hall 2", "street_2": "Door 5"},
        {"country_iso_code": "USA", "state": "NY", "zip_code": "10012-1234"},
        {"zip_code": None, "state": None},
    ],
)
def test_what_the_shop_is_sent_has_the_digest_of_what_the_marketplace_showed(changes: dict[str, Any]) -> None:
    document = order_document()
    document["customer"]["shipping_address"].update(changes)
    context = OrderContext("conn", "C7-A", "conn:C7-A", "interlock", "op", document)
    sent = documents.shipping_address(context)
    stored = AddressParts(
        sent.first_name or "",
        sent.last_name or "",
        sent.company or "",
        sent.address_1 or "",
        sent.address_2 or "",
        sent.city or "",
        sent.zip_ or "",
        sent.province or "",
        sent.country_code or "",
    )
    address = shipping_address(document)
    assert address is not None
    assert digest(stored, KEY) == digest(address.parts, KEY)


HOME_PHONE = "+33 6 12 34 56 78"


@pytest.mark.parametrize(
    ("phone", "same"),
    [
        ("0612345678", True),
        ("0033 6.12.34.56.78", True),
        ("(06) 12 34-56 78", True),
        ("+33 6 12 34 56 79", False),
        ("12345", False),
        ("1234", None),
        ("unknown", None),
        ("", None),
    ],
)
def test_a_telephone_number_is_the_same_however_it_is_written_and_no_part_of_the_address(
    phone: str, same: bool | None
) -> None:
    parts = AddressParts("Jane", "Doe", "", "1 rue X", "", "Paris", "75001", "", "FR")
    home, other = digest(parts, KEY, HOME_PHONE), digest(parts, KEY, phone)

    assert (other.digest, other.complete) == (home.digest, home.complete)
    assert (other.contact == home.contact) is bool(same)
    assert bool(other.contact) is (same is not None)
    assert "12345678" not in repr(other)
    assert digest(AddressParts(), KEY, HOME_PHONE) == NO_ADDRESS


@pytest.mark.parametrize("part", ["first_name", "company", "line1", "city", "postcode", "country_code"])
def test_another_place_or_person_has_another_digest(part: str) -> None:
    address = shipping_address(order_document())
    assert address is not None
    other = replace(address.parts, **{part: "GB" if part == "country_code" else "Other"})
    assert digest(other, KEY).digest != digest(address.parts, KEY).digest


def test_a_digest_depends_on_its_key_and_needs_one() -> None:
    parts = AddressParts(line1="Street 1")
    assert digest(parts, KEY).digest != digest(parts, b"other").digest
    for key in (b"", b"x" * 65):
        with pytest.raises(AddressKeyUnusable):
            digest(parts, key)


def test_an_address_is_complete_when_a_parcel_could_arrive() -> None:
    full = AddressParts("Anna", "Kowal", "", "Street 1", "", "Paris", "75017", "", "FR")
    assert is_complete(full)
    for part in ("line1", "city", "postcode", "country_code"):
        assert not is_complete(replace(full, **{part: " "}))
    assert not is_complete(replace(full, first_name="", last_name=""))
    assert is_complete(replace(full, postcode="", country_code="AE"))
    assert "Kowal" not in repr(full)
    assert set(asdict(full)) == {
        "first_name",
        "last_name",
        "company",
        "line1",
        "line2",
        "city",
        "postcode",
        "province",
        "country_code",
    }


@pytest.mark.parametrize(
    ("code", "two"),
    [
        ("FRA", "FR"),
        ("deu", "DE"),
        ("GBR", "GB"),
        ("XKX", "XK"),
        ("US", "US"),
        ("France", ""),
        ("ZZZ", ""),
        ("", ""),
    ],
)
def test_country_codes_become_two_letters_or_nothing(code: str, two: str) -> None:
    assert alpha2(code) == two


def test_what_a_marketplace_allows_is_read_from_its_configuration() -> None:
    capability = capability_from(
        pc01={
            "features": {
                "order_tax_mode": "TAX_EXCLUDED",
                "order_workflows": {
                    "order_acceptance": "BOTH",
                    "shipping_and_billing_details_before_acceptance": True,
                },
                "shipment": {"multi_shipment": False},
                "disable_seller_alternative_carrier": True,
            },
            "timezone": "Europe/Paris",
        },
        re01=[
            {"type": "CANCELATION", "code": 34, "label": "Customer", "is_shop_right": True},
            {"type": "CANCELATION", "code": "36", "label": "Fraud", "is_shop_right": False},
            {"type": "REFUND", "code": "15", "label": "Out of stock", "is_shop_right": True},
        ],
        sh12=[{"code": "STD", "mandatory_tracking": True}, {"code": "PIP", "mandatory_tracking": False}],
        sh21=[{"code": "UPS", "label": "UPS", "standard_code": None}],
        a01={"currency_iso_code": "EUR", "shop_id": 2005, "model": "MARKETPLACE"},
    )
    assert capability.acceptance == "BOTH"
    assert capability.address_before_acceptance is True
    assert capability.unregistered_carriers is False
    assert capability.multi_shipment is False
    assert capability.tracking_mandatory_for == ("STD",)
    assert [carrier.code for carrier in capability.carriers] == ["UPS"]
    assert capability.cancelation_reasons == (
        OperatorReason("34", "Customer", True),
        OperatorReason("36", "Fraud", False),
    )
    assert (capability.shop_id, capability.currency, capability.time_zone) == ("2005", "EUR", "Europe/Paris")


def test_a_configuration_that_says_nothing_is_not_taken_for_a_no() -> None:
    capability = capability_from({}, [], [], [], {})
    assert capability.unregistered_carriers is None
    assert capability.multi_shipment is None
    assert capability.acceptance == ""


@pytest.mark.contract
def test_the_published_example_of_an_order_can_be_read() -> None:
    path = os.environ.get("INTERLOCK_MIRAKL_OPENAPI")
    if not path:
        pytest.skip("INTERLOCK_MIRAKL_OPENAPI does not name Mirakl's own document")
    document = json.loads(Path(path).read_text(encoding="utf-8"), parse_float=Decimal)
    content = document["paths"]["/api/orders"]["get"]["responses"]["200"]["content"]["application/json"]
    (published,) = content["examples"]["application/json-0"]["value"]["orders"]

    order = order_from(published, NOW, KEY)

    assert order.unknown == ()
    assert (order.state, order.tax_mode, order.total_price) == ("RECEIVED", "TAX_EXCLUDED", Decimal(173))
    assert order.address.complete
    assert order.lines[0].cancelations[0].amount == Decimal("12.34")
    assert order.lines[0].refunds[0].state == "WAITING_REFUND_PAYMENT"
    assert [tax.rule for tax in order.lines[0].taxes] == ["NONE", None]
    assert order_from(published, NOW, KEY).order_level_tax
