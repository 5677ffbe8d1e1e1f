"""What we create in Shopify, built from an action and the marketplace's own document: drafts, orders, addresses."""

import json
import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from interlock.orders.actions import CreateDraft, CreateOrder, ImportLine
from interlock.orders.addresses import AddressParts
from interlock.orders.countries import alpha2
from interlock.orders.ports import OrderContext
from interlock.orders.snapshots import Tax
from interlock.shopify.generated.input_types import (
    AttributeInput,
    DraftOrderInput,
    DraftOrderLineItemInput,
    MailingAddressInput,
    MetafieldInput,
    MetafieldsSetInput,
    MoneyBagInput,
    MoneyInput,
    OrderCreateCustomAttributeInput,
    OrderCreateLineItemInput,
    OrderCreateLineItemPropertyInput,
    OrderCreateOptionsInput,
    OrderCreateOrderInput,
    OrderCreateOrderTransactionInput,
    OrderCreateShippingLineInput,
    OrderCreateTaxLineInput,
    OrderInput,
    ShippingLineInput,
)
from interlock.shopify.names import (
    LINE_ATTRIBUTE,
    LINEAGE_KEY,
    MARKER_KEY,
    MARKER_NAMESPACE,
    METHOD_ATTRIBUTE,
    ORDER_ATTRIBUTE,
    PICKUP_ATTRIBUTE,
    TAXES_ATTRIBUTE,
    order_tags,
)

# How long a draft keeps stock for us. A marketplace may show the address days after acceptance; completing or
# deleting the draft ends the reservation earlier.
RESERVATION = timedelta(days=30)
GATEWAY = "Mirakl"
_SHIPPING_TITLE = "Marketplace shipping"
# Countries whose provinces Shopify knows by code. Elsewhere a province is sent as it is written.
_WITH_PROVINCE_CODES = " AE AR AU BR CA CL CN CO EG ES GT HK ID IE IN IT JP KR KW MX MY NG NZ PA PE PH PT RO RU SV TH US UY VE ZA "
_PROVINCE_CODE = re.compile(r"(?:[A-Z]{2}-)?([A-Z0-9]{1,3})")
# User-assigned codes that marketplaces use and CLDR's alias table lacks.
_RATE_DIGITS = Decimal("0.000001")


class CannotBuild(ValueError):
    """The marketplace's document lacks what the request needs. `code` is ours; no personal data is shown."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{words} Nothing was sent to Shopify.")
        self.code = code
        self.words = words


def draft_input(action: CreateDraft, context: OrderContext, now: datetime) -> DraftOrderInput:
    """A draft with reserved stock, at the marketplace's gross prices and without taxes of Shopify's own (DraftOrderInput).
    Raises CannotBuild."""
    built = DraftOrderInput(
        lineItems=[_draft_line(line, action.currency) for line in action.lines],
        presentmentCurrencyCode=action.currency,
        shippingLine=ShippingLineInput(
            title=_shipping_title(context), priceWithCurrency=_money(action.shipping, action.currency)
        ),
        customAttributes=[AttributeInput(key=key, value=value) for key, value in _attributes(context)],
        tags=list(order_tags(context.connection, context.order_id)),
        note=_note(context),
        poNumber=context.order_id,
        taxExempt=True,
        acceptAutomaticDiscounts=False,
        allowDiscountCodesInCheckout=False,
        visibleToCustomer=False,
        reserveInventoryUntil=now + RESERVATION,
    )
    email = _contact_email(context)
    if email:
        built.email = email
    if action.with_address:
        built.shipping_address = shipping_address(context)
    return built


def draft_address_input(context: OrderContext) -> DraftOrderInput:
    """Nothing but the address, and the relay address and pick-up point that come with it: what a draft's update does not
    name stays as it was. Raises CannotBuild."""
    built = DraftOrderInput(shippingAddress=shipping_address(context))
    email = _contact_email(context)
    if email:
        built.email = email
    if _pickup_point(context):
        built.custom_attributes = [
            AttributeInput(key=key, value=value) for key, value in _attributes(context)
        ]
    return built


def order_input(action: CreateOrder, context: OrderContext) -> OrderCreateOrderInput:
    """An order with exactly the marketplace's prices and taxes; Shopify stores them and computes nothing
    (OrderCreateOrderInput). Prices are taken as the action has them: gross where `taxes_included`, else net.
    Raises CannotBuild."""
    currency = action.currency
    built = OrderCreateOrderInput(
        lineItems=[_order_line(line, currency, action.taxes_included) for line in action.lines],
        shippingLines=[
            OrderCreateShippingLineInput(
                title=_shipping_title(context),
                code=_text(_document(context), "shipping_type_code") or None,
                priceSet=_bag(action.shipping, currency),
                taxLines=_tax_lines(action.shipping_taxes, action.shipping, currency, action.taxes_included),
            )
        ],
        currency=currency,
        presentmentCurrency=currency,
        taxesIncluded=action.taxes_included,
        sourceIdentifier=context.order_id,
        poNumber=context.order_id,
        note=_note(context),
        tags=list(order_tags(context.connection, context.order_id)),
        customAttributes=[
            OrderCreateCustomAttributeInput(key=key, value=value) for key, value in _attributes(context)
        ],
        metafields=[
            MetafieldInput(namespace=MARKER_NAMESPACE, key=MARKER_KEY, type="id", value=context.marker)
        ],
    )
    if action.pending_payment:
        built.financial_status = "PENDING"
    else:
        # PAID without a transaction would leave nothing to refund against (reference 5.1)
        built.transactions = [
            OrderCreateOrderTransactionInput(
                kind="SALE", status="SUCCESS", gateway=GATEWAY, amountSet=_bag(order_total(action), currency)
            )
        ]
    email = _contact_email(context)
    if email:
        built.email = email
    if action.with_address:
        built.shipping_address = shipping_address(context)
    return built


def order_options() -> OrderCreateOptionsInput:
    """Stock is claimed or the creation fails; nobody is mailed. Shopify's defaults are the opposite of the first."""
    return OrderCreateOptionsInput(
        inventoryBehaviour="DECREMENT_OBEYING_POLICY", sendReceipt=False, sendFulfillmentReceipt=False
    )


def order_total(action: CreateOrder) -> Decimal:
    """What the order adds up to: lines and shipping, and their taxes where the prices are net."""
    total = sum((line.unit_price * line.quantity for line in action.lines), action.shipping)
    if action.taxes_included:
        return total
    taxes = [tax.amount for line in action.lines for tax in line.taxes]
    return sum((*taxes, *(tax.amount for tax in action.shipping_taxes)), total)


def order_address_input(shopify_order_id: str, context: OrderContext) -> OrderInput:
    """The address of an existing order (OrderInput). Raises CannotBuild."""
    return OrderInput(id=shopify_order_id, shippingAddress=shipping_address(context))


def given_address_input(shopify_order_id: str, context: OrderContext) -> OrderInput:
    """The address a person gave for an existing order (OrderInput), from the JSON in `context.text`. Parts that are
    not given are sent empty, so that nothing of the address before stays. Raises CannotBuild."""
    given = _given_address(context)
    country = alpha2(given.get("country_code", ""))
    if not country:
        raise CannotBuild("COUNTRY_UNKNOWN", "The country of the address has no ISO code we know.")
    built = MailingAddressInput(countryCode=country)
    for name, ours in (
        ("first_name", "first_name"),
        ("last_name", "last_name"),
        ("company", "company"),
        ("address_1", "line1"),
        ("address_2", "line2"),
        ("city", "city"),
        ("zip_", "postcode"),
        ("phone", "phone"),
    ):
        setattr(built, name, given.get(ours, ""))
    _set_province(built, country, given.get("province", ""))
    return OrderInput(id=shopify_order_id, shippingAddress=built)


def _given_address(context: OrderContext) -> dict[str, str]:
    """The parts a person gave, blanks around them gone. Raises CannotBuild for anything but texts under known names."""
    unusable = CannotBuild("ADDRESS_UNREADABLE", "The address that was given for this order cannot be read.")
    try:
        given = json.loads(context.text)
    except ValueError:
        raise unusable from None
    if not isinstance(given, dict):
        raise unusable
    known = {field.name for field in fields(AddressParts)} | {"phone"}
    if any(name not in known or not isinstance(value, str) for name, value in given.items()):
        raise unusable
    return {name: value.strip() for name, value in given.items()}


def marker_metafields(shopify_order_id: str, context: OrderContext) -> list[MetafieldsSetInput]:
    """Our unique marker, and the lineage marker, on an order that exists already."""
    unique = MetafieldsSetInput(
        ownerId=shopify_order_id, namespace=MARKER_NAMESPACE, key=MARKER_KEY, type="id", value=context.marker
    )
    return [unique, *lineage_metafields(shopify_order_id, context)]


def lineage_metafields(shopify_order_id: str, context: OrderContext) -> list[MetafieldsSetInput]:
    """The lineage marker alone: the order stands or stood for this marketplace order."""
    return [
        MetafieldsSetInput(
            ownerId=shopify_order_id,
            namespace=MARKER_NAMESPACE,
            key=LINEAGE_KEY,
            type="single_line_text_field",
            value=context.marker,
        )
    ]


def shipping_address(context: OrderContext) -> MailingAddressInput:
    """The marketplace's shipping address as Shopify takes it. What is missing stays missing: there are no
    placeholders. Raises CannotBuild when the marketplace hides the address or its country is not one."""
    raw = _raw_address(context)
    if not raw:
        raise CannotBuild("ADDRESS_MISSING", "The marketplace shows no shipping address for this order yet.")
    country = alpha2(_text(raw, "country_iso_code"))
    if not country:
        raise CannotBuild("COUNTRY_UNKNOWN", "The country of the shipping address has no ISO code we know.")
    company = " ".join(name for name in (_text(raw, "company"), _text(raw, "company_2")) if name)
    built = MailingAddressInput(countryCode=country)
    for name, value in (
        ("first_name", _text(raw, "firstname")),
        ("last_name", _text(raw, "lastname")),
        ("company", company),
        ("address_1", _text(raw, "street_1")),
        ("address_2", _text(raw, "street_2")),
        ("city", _text(raw, "city")),
        ("zip_", _text(raw, "zip_code")),
        ("phone", _text(raw, "phone") or _text(raw, "phone_secondary")),
    ):
        if value:
            setattr(built, name, value)
    _set_province(built, country, _text(raw, "state"))
    return built


def _set_province(built: MailingAddressInput, country: str, province: str) -> None:
    code = _PROVINCE_CODE.fullmatch(province.upper()) if f" {country} " in _WITH_PROVINCE_CODES else None
    if code:
        built.province_code = code.group(1)
    elif province:
        built.province = province


def private_texts(context: OrderContext) -> tuple[str, ...]:
    """What Shopify's messages might repeat and must not leave through them."""
    raw = _raw_address(context)
    names = ("firstname", "lastname", "company", "company_2", "street_1", "street_2", "city", "zip_code")
    texts = [_text(raw, name) for name in (*names, "phone", "phone_secondary", "additional_info")]
    texts.append(_contact_email(context))
    return tuple(text for text in texts if text)


def given_texts(context: OrderContext) -> tuple[str, ...]:
    """The same for an address that a person gave. Raises CannotBuild."""
    return tuple(text for text in _given_address(context).values() if text)


def _draft_line(line: ImportLine, currency: str) -> DraftOrderLineItemInput:
    """Variant lines ignore every price but the override; custom lines carry their own (reference 5.4)."""
    attributes = [AttributeInput(key=LINE_ATTRIBUTE, value=line.mirakl_line_id)]
    if line.taxes:
        attributes.append(AttributeInput(key=TAXES_ATTRIBUTE, value=taxes_text(line.taxes)))
    if line.variant_id:
        return DraftOrderLineItemInput(
            variantId=line.variant_id,
            quantity=line.quantity,
            priceOverride=_money(line.unit_price, currency),
            requiresShipping=True,
            customAttributes=attributes,
        )
    return DraftOrderLineItemInput(
        title=line.title or line.sku,
        sku=line.sku,
        quantity=line.quantity,
        originalUnitPriceWithCurrency=_money(line.unit_price, currency),
        requiresShipping=True,
        taxable=False,
        customAttributes=attributes,
    )


def _order_line(line: ImportLine, currency: str, included: bool) -> OrderCreateLineItemInput:
    properties = [OrderCreateLineItemPropertyInput(name=LINE_ATTRIBUTE, value=line.mirakl_line_id)]
    if line.taxes:
        properties.append(
            OrderCreateLineItemPropertyInput(name=TAXES_ATTRIBUTE, value=taxes_text(line.taxes))
        )
    built = OrderCreateLineItemInput(
        quantity=line.quantity,
        priceSet=_bag(line.unit_price, currency),
        requiresShipping=True,
        taxable=bool(line.taxes),
        taxLines=_tax_lines(line.taxes, line.unit_price * line.quantity, currency, included),
        properties=properties,
    )
    if line.variant_id:
        built.variant_id = line.variant_id
    else:
        built.title = line.title or line.sku
        built.sku = line.sku
    return built


def _tax_lines(
    taxes: tuple[Tax, ...], amount: Decimal, currency: str, included: bool
) -> list[OrderCreateTaxLineInput]:
    """The marketplace is liable for the taxes it keeps, the shop for those it is paid (OrderCreateTaxLineInput.channelLiable).
    A rate is demanded: the stated percentage, or what the amounts come to."""
    net = amount - sum((tax.amount for tax in taxes), Decimal(0)) if included else amount
    built = []
    for tax in taxes:
        if tax.rate is not None:
            rate = tax.rate / 100
        else:
            rate = (tax.amount / net).quantize(_RATE_DIGITS, ROUND_HALF_UP) if net > 0 else Decimal(0)
        built.append(
            OrderCreateTaxLineInput(
                title=tax.code or "Tax",
                rate=rate,
                priceSet=_bag(tax.amount, currency),
                channelLiable=tax.operator_collected,
            )
        )
    return built


def taxes_text(taxes: tuple[Tax, ...]) -> str:
    """The marketplace's exact taxes of a line, for a line attribute: JSON, amounts as text."""
    listed = [
        {"code": tax.code, "amount": format(tax.amount, "f")}
        | ({"rate": format(tax.rate, "f")} if tax.rate is not None else {})
        for tax in taxes
    ]
    return json.dumps(listed, separators=(",", ":"))


def _money(amount: Decimal, currency: str) -> MoneyInput:
    return MoneyInput(amount=amount, currencyCode=currency)


def _bag(amount: Decimal, currency: str) -> MoneyBagInput:
    return MoneyBagInput(shopMoney=_money(amount, currency))


def _note(context: OrderContext) -> str:
    return f"Marketplace order {context.order_id}, imported by Interlock ({context.connection})."


def _attributes(context: OrderContext) -> list[tuple[str, str]]:
    """The order's own attributes: the marker, and what the warehouse has to honour: the shipping method (SH12 code) and
    the point where the customer fetches the parcel."""
    honoured = (
        (METHOD_ATTRIBUTE, _text(_document(context), "shipping_type_code")),
        (PICKUP_ATTRIBUTE, _pickup_point(context)),
    )
    return [(ORDER_ATTRIBUTE, context.marker), *((name, value) for name, value in honoured if value)]


def _pickup_point(context: OrderContext) -> str:
    """The pick-up or drop-off point the customer chose (OR11 `shipping_pudo_id`); empty for a delivery to the door."""
    return _text(_document(context), "shipping_pudo_id")


def _shipping_title(context: OrderContext) -> str:
    return context.shipping_title or _text(_document(context), "shipping_type_label") or _SHIPPING_TITLE


def _contact_email(context: OrderContext) -> str:
    """The marketplace's relay address: a contact for this order, not a customer's own address (OR11)."""
    address = _text(_document(context), "customer_notification_email")
    return address if "@" in address else ""


def _raw_address(context: OrderContext) -> Mapping[str, Any]:
    customer = _document(context).get("customer")
    raw = customer.get("shipping_address") if isinstance(customer, Mapping) else None
    return raw if isinstance(raw, Mapping) else {}


def _document(context: OrderContext) -> Mapping[str, Any]:
    return context.document or {}


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value.strip() if isinstance(value, str) else ""
