"""A marketplace's documents as our own snapshots, leniently: no field is trusted to be there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from interlock.orders.addresses import AddressParts, digest, email_digest, is_complete
from interlock.orders.capability import Capability, OperatorReason
from interlock.orders.connection import Carrier
from interlock.orders.countries import alpha2
from interlock.orders.snapshots import (
    KNOWN_STATES,
    NO_ADDRESS,
    Address,
    Fee,
    MiraklLine,
    MiraklOrder,
    Reduction,
    Shipment,
    Tax,
)
from interlock.storage.text import REPLACEMENT

# What this version knows of each field that decisions look at; every other value is reported, not guessed.
PAYMENT_WORKFLOWS = (
    "PAY_ON_ACCEPTANCE",
    "PAY_ON_DELIVERY",
    "PAY_ON_DUE_DATE",
    "PAY_ON_SHIPMENT",
    "NO_CUSTOMER_PAYMENT_CONFIRMATION",
)
TAX_MODES = ("TAX_INCLUDED", "TAX_EXCLUDED")
LINE_STATES = (
    *KNOWN_STATES,
    "INCIDENT_OPEN",
    "INCIDENT_CLOSED",
    "REFUNDED",
    "WAITING_REFUND",
    "WAITING_REFUND_PAYMENT",
)
SHIPMENT_STATES = (
    "SHIPPING",
    "READY_FOR_PICK_UP",
    "SHIPMENT_PREPARED",
    "SHIPPED",
    "TO_COLLECT",
    "RECEIVED",
    "CLOSED",
    "CANCELED",
)
REFUND_STATES = ("WAITING_REFUND_TAX_CONFIRMATION", "WAITING_REFUND", "WAITING_REFUND_PAYMENT", "REFUNDED")
ZERO = Decimal(0)
# Not a field of OR11: what ST12 lists for the order, put into its document by the reader that asked for it.
ITEMS_TO_SHIP = "items_to_ship"
# Nor is this: the rows ST11 lists for the order, or why it lists none (`off`, `forbidden`).
SHIPMENTS = "shipments_of_order"
SHIPMENTS_OFF, SHIPMENTS_FORBIDDEN = "off", "forbidden"
_LARGEST_EXPONENT = 15
# PC01 names these workflows; PAY_ON_ACCEPTANCE and PAY_ON_DELIVERY have no flag.
_WORKFLOW_FLAGS = (
    ("pay_on_due_date", "PAY_ON_DUE_DATE"),
    ("pay_on_shipment", "PAY_ON_SHIPMENT"),
    ("no_customer_payment_confirmation", "NO_CUSTOMER_PAYMENT_CONFIRMATION"),
)
_LONGEST_SHOWN = 60
LONGEST_CODE = 500
"""What an id, a SKU or a state may have: they are looked up, and no index takes a text of thousands of characters."""


class UnreadableOrder(ValueError):
    """An order without a usable id, state or lines. `order_id` is empty when even that is missing; `where`
    names the field, as a path."""

    def __init__(self, order_id: str, where: str, what: str) -> None:
        self.order_id = order_id
        self.where = where
        named = f"Order {order_id}" if order_id else "An order without an id"
        super().__init__(
            f"{named} cannot be read: {where} {what}. It was left alone; an engineer has to compare the "
            "document with the marketplace's documentation."
        )


@dataclass(frozen=True, slots=True)
class ShippingAddress:
    """The shipping address of an order in neutral parts, with what only a parcel needs. Hidden from repr."""

    parts: AddressParts = field(repr=False)
    phone: str = field(default="", repr=False)
    instructions: str = field(default="", repr=False)

    @property
    def complete(self) -> bool:
        """Whether a parcel could be delivered with it."""
        return is_complete(self.parts)


def order_from(document: Mapping[str, Any], observed_at: datetime, address_key: bytes) -> MiraklOrder:
    """One order of OR11 as a snapshot. `observed_at` is when it was asked for; `address_key` keys the address
    digest. Raises UnreadableOrder if id, state or lines cannot be used; anything else that is missing becomes
    its neutral value, and where a decision depends on it an entry of `unknown`."""
    order_id = _text(document.get("order_id"))
    if not order_id:
        raise UnreadableOrder("", "order_id", "is missing")
    # A comma divides the ids of one read (OR11 `order_ids`): the order could never be read by its id.
    if (
        len(order_id) > LONGEST_CODE
        or not order_id.isprintable()
        or REPLACEMENT in order_id
        or "," in order_id
    ):
        raise UnreadableOrder("", "order_id", "is not an id")
    reading = _Reading(order_id)
    state = reading.code(document, "order_state", "order_state")
    if not state:
        raise UnreadableOrder(order_id, "order_state", "is missing")
    lines = reading.lines(document)
    reading.known("order_state", state, KNOWN_STATES)
    workflow = reading.known("payment_workflow", _text(document.get("payment_workflow")), PAYMENT_WORKFLOWS)
    tax_mode = reading.known("order_tax_mode", _text(document.get("order_tax_mode")), TAX_MODES)
    currency = _text(document.get("currency_iso_code"))
    if not currency:
        reading.missing("currency_iso_code")
    updated = reading.moment("last_updated_date", document)
    created = reading.moment("created_date", document)
    if created is None:
        reading.missing("created_date")
    total = reading.optional_amount(document.get("total_price"), "total_price")
    if total is None:
        reading.missing("total_price")
        total = sum((line.price + line.shipping_price for line in lines), ZERO)
    shipments = reading.shipments(document)
    references = _object(document.get("references"))
    center = _object(_object(document.get("fulfillment")).get("center"))
    return MiraklOrder(
        order_id=order_id,
        commercial_id=reading.code(document, "commercial_id", "commercial_id"),
        state=state,
        created_at=created or updated or observed_at,
        updated_at=updated or created or observed_at,
        observed_at=observed_at,
        payment_workflow=workflow,
        currency=currency,
        tax_mode=tax_mode,
        total_price=total,
        can_cancel=reading.flag("can_cancel", document),
        can_ship=reading.flag("can_shop_ship", document),
        has_incident=document.get("has_incident") is True,
        debited_at=reading.moment("customer_debited_date", document),
        acceptance_decided_at=reading.moment("acceptance_decision_date", document),
        shipping_deadline=reading.moment("shipping_deadline", document),
        shipping_type_code=_text(document.get("shipping_type_code")),
        tracking_carrier_code=_text(document.get("shipping_carrier_code")),
        tracking_carrier_name=_text(document.get("shipping_company")),
        tracking_number=_text(document.get("shipping_tracking")),
        tracking_url=_text(document.get("shipping_tracking_url")),
        seller_reference=_text(references.get("order_reference_for_seller")),
        fulfillment_center=_text(center.get("code")),
        customer_pays_seller=document.get("customer_directly_pays_seller") is True,
        address=address_of(shipping_address(document), address_key),
        lines=lines,
        unknown=tuple(reading.unknown),
        to_ship=reading.to_ship(document),
        # The feature "order level tax calculation" is not in PC01: an order that carries `order_taxes` proves it.
        order_level_tax=bool(_objects(document.get("order_taxes"))),
        country=_country(shipping_address(document)),
        relay=email_digest(_text(document.get("customer_notification_email")), address_key),
        shipments=shipments,
        shipments_hidden=_hidden(document.get(SHIPMENTS)),
    )


def _hidden(shipments: Any) -> Literal["", "off", "forbidden"]:
    if shipments == SHIPMENTS_OFF:
        return "off"
    return "forbidden" if shipments == SHIPMENTS_FORBIDDEN else ""


def _country(address: ShippingAddress | None) -> str:
    return "" if address is None else address.parts.country_code


def shipping_address(document: Mapping[str, Any]) -> ShippingAddress | None:
    """The order's shipping address; None while the marketplace hides it (null until SHIPPING, or acceptance)."""
    raw = _object(_object(document.get("customer")).get("shipping_address"))
    if not raw:
        return None
    parts = AddressParts(
        first_name=_text(raw.get("firstname")),
        last_name=_text(raw.get("lastname")),
        company=" ".join(name for name in (_text(raw.get("company")), _text(raw.get("company_2"))) if name),
        line1=_text(raw.get("street_1")),
        line2=_text(raw.get("street_2")),
        city=_text(raw.get("city")),
        postcode=_text(raw.get("zip_code")),
        province=_text(raw.get("state")),
        # The display name of the country is localised free text, so only the code is trusted.
        country_code=alpha2(_text(raw.get("country_iso_code"))),
    )
    phone = _text(raw.get("phone")) or _text(raw.get("phone_secondary"))
    return ShippingAddress(parts, phone, _text(raw.get("additional_info")))


def address_of(address: ShippingAddress | None, key: bytes) -> Address:
    """The address as digest and completeness; NO_ADDRESS for none."""
    return NO_ADDRESS if address is None else digest(address.parts, key, address.phone)


def capability_from(
    pc01: Mapping[str, Any],
    re01: Sequence[Mapping[str, Any]],
    sh12: Sequence[Mapping[str, Any]],
    sh21: Sequence[Mapping[str, Any]],
    a01: Mapping[str, Any],
) -> Capability:
    """The capability profile from the answers as `MiraklClient` reads them (lists already unwrapped)."""
    features = _object(pc01.get("features"))
    workflows = _object(features.get("order_workflows"))
    shipment = _object(features.get("shipment"))
    no_alternative = _flag(features.get("disable_seller_alternative_carrier"))
    return Capability(
        tax_mode=_text(features.get("order_tax_mode")),
        acceptance=_text(workflows.get("order_acceptance")),
        address_before_acceptance=_flag(workflows.get("shipping_and_billing_details_before_acceptance")),
        unregistered_carriers=None if no_alternative is None else not no_alternative,
        carriers=tuple(
            Carrier(
                _text(entry.get("code")),
                _text(entry.get("label")),
                _text(entry.get("standard_code")),
            )
            for entry in sh21
            if _text(entry.get("code"))
        ),
        shipping_types=tuple(_text(entry.get("code")) for entry in sh12 if _text(entry.get("code"))),
        tracking_mandatory_for=tuple(
            _text(entry.get("code"))
            for entry in sh12
            if _text(entry.get("code")) and entry.get("mandatory_tracking") is True
        ),
        cancelation_reasons=_reasons(re01, "CANCELATION"),
        refund_reasons=_reasons(re01, "REFUND"),
        message_reasons=_reasons(re01, "ORDER_MESSAGING"),
        workflows=tuple(code for flag, code in _WORKFLOW_FLAGS if workflows.get(flag) is True),
        currency=_text(a01.get("currency_iso_code")),
        shop_id=_text(a01.get("shop_id")),
        shop_name=_text(a01.get("shop_name")),
        shop_state=_text(a01.get("shop_state")),
        shop_model=_text(a01.get("model")),
        time_zone=_text(pc01.get("timezone")),
        multi_shipment=_flag(shipment.get("multi_shipment")),
    )


def _reasons(re01: Sequence[Mapping[str, Any]], kind: str) -> tuple[OperatorReason, ...]:
    return tuple(
        OperatorReason(
            _text(entry.get("code")), _text(entry.get("label")), entry.get("is_shop_right") is True
        )
        for entry in re01
        if entry.get("type") == kind and _text(entry.get("code"))
    )


class _Reading:
    """One order while it is read: its id for errors, and what was not understood."""

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        self.unknown: list[str] = []

    def known(self, name: str, value: str, values: tuple[str, ...]) -> str:
        if not value:
            self.missing(name)
        elif value not in values:
            self.note(f"{name}={value[:_LONGEST_SHOWN]}")
        return value

    def missing(self, name: str) -> None:
        self.note(f"{name}=missing")

    def note(self, entry: str) -> None:
        if entry not in self.unknown:
            self.unknown.append(entry)

    def flag(self, name: str, source: Mapping[str, Any]) -> bool:
        """A flag that allows something: absent means not allowed, and is reported."""
        value = _flag(source.get(name))
        if value is None:
            self.missing(name)
        return value is True

    def moment(self, name: str, source: Mapping[str, Any]) -> datetime | None:
        value = source.get(name)
        if value is None or value == "":
            return None
        try:
            moment = datetime.fromisoformat(value)
            # A date-time without a zone is UTC, like every other of the API.
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            self.note(f"{name}=unreadable")
            return None

    def lines(self, document: Mapping[str, Any]) -> tuple[MiraklLine, ...]:
        raw = document.get("order_lines")
        if not isinstance(raw, list) or not raw:
            raise UnreadableOrder(self.order_id, "order_lines", "is missing or empty")
        lines: dict[str, MiraklLine] = {}
        for index, entry in enumerate(raw):
            where = f"order_lines[{index}]"
            if not isinstance(entry, dict):
                raise UnreadableOrder(self.order_id, where, "is not an object")
            line = self.line(entry, where)
            if line.id in lines:
                raise UnreadableOrder(self.order_id, f"{where}.order_line_id", "occurs twice")
            lines[line.id] = line
        return tuple(lines.values())

    def line(self, entry: Mapping[str, Any], where: str) -> MiraklLine:
        line_id = self.required_text(entry, "order_line_id", where)
        state = self.required_text(entry, "order_line_state", where)
        self.known("order_line_state", state, LINE_STATES)
        quantity = self.whole(entry.get("quantity"), f"{where}.quantity")
        price_unit, price = self.prices(entry, quantity, where)
        return MiraklLine(
            id=line_id,
            sku=self.code(entry, "offer_sku", f"{where}.offer_sku"),
            title=_text(entry.get("product_title")),
            state=state,
            quantity=quantity,
            price_unit=price_unit,
            price=price,
            shipping_price=self.amount(entry.get("shipping_price"), f"{where}.shipping_price"),
            taxes=self.taxes(entry.get("taxes"), f"{where}.taxes"),
            shipping_taxes=self.taxes(entry.get("shipping_taxes"), f"{where}.shipping_taxes"),
            can_refund=self.flag("can_refund", entry),
            debited_at=self.moment("debited_date", entry),
            cancelations=self.reductions(entry.get("cancelations"), f"{where}.cancelations"),
            refunds=self.reductions(entry.get("refunds"), f"{where}.refunds", refunds=True),
            fees=self.fees(entry.get("fees"), f"{where}.fees"),
            commission=self.amount(entry.get("total_commission"), f"{where}.total_commission"),
        )

    def prices(self, entry: Mapping[str, Any], quantity: int, where: str) -> tuple[Decimal, Decimal]:
        """Unit price and line price; either one can be found from the other, but one must be there."""
        unit = self.optional_amount(entry.get("price_unit"), f"{where}.price_unit")
        price = self.optional_amount(entry.get("price"), f"{where}.price")
        if unit is None and price is None:
            raise UnreadableOrder(self.order_id, f"{where}.price", "and price_unit are missing")
        if price is None:
            price = (unit or ZERO) * quantity
        if unit is None:
            unit = price / quantity if quantity else ZERO
        return unit, price

    def reductions(self, value: Any, where: str, refunds: bool = False) -> tuple[Reduction, ...]:
        found: list[Reduction] = []
        for index, entry in enumerate(_objects(value)):
            at = f"{where}[{index}]"
            state = ""
            if refunds:
                # `state` is the older field and lacks the newer values.
                state = _text(entry.get("refund_state")) or _text(entry.get("state"))
                self.known("refund_state", state, REFUND_STATES)
            found.append(
                Reduction(
                    id=self.required_text(entry, "id", at),
                    quantity=self.whole(entry.get("quantity") or 0, f"{at}.quantity"),
                    amount=self.amount(entry.get("amount"), f"{at}.amount"),
                    shipping_amount=self.amount(entry.get("shipping_amount"), f"{at}.shipping_amount"),
                    taxes=self.taxes(entry.get("taxes"), f"{at}.taxes"),
                    shipping_taxes=self.taxes(entry.get("shipping_taxes"), f"{at}.shipping_taxes"),
                    reason_code=_text(entry.get("reason_code")),
                    created_at=self.moment("created_date", entry),
                    state=state,
                    fees=self.fees(entry.get("fees"), f"{at}.fees"),
                    commission=self.amount(
                        entry.get("commission_total_amount"), f"{at}.commission_total_amount"
                    ),
                )
            )
        return tuple(found)

    def to_ship(self, document: Mapping[str, Any]) -> tuple[tuple[str, int], ...] | None:
        """What is left to ship per line, where the reader added it (see ITEMS_TO_SHIP)."""
        items = document.get(ITEMS_TO_SHIP)
        if not isinstance(items, list):
            return None
        left: dict[str, int] = {}
        for index, entry in enumerate(_objects(items)):
            line_id = _text(entry.get("order_line_id"))
            units = self.whole(entry.get("quantity") or 0, f"{ITEMS_TO_SHIP}[{index}].quantity")
            left[line_id] = left.get(line_id, 0) + units
        return tuple(left.items())

    def shipments(self, document: Mapping[str, Any]) -> tuple[Shipment, ...] | None:
        """The order's shipments, where the reader added them (see SHIPMENTS), oldest first."""
        rows = document.get(SHIPMENTS)
        if not isinstance(rows, list):
            return None
        made = sorted(_objects(rows), key=lambda row: (_text(row.get("created_date")), _text(row.get("id"))))
        # Of the two names a line may have in ST11 only the older one is sure to be there (`offer_sku`).
        by_sku: dict[str, list[str]] = {}
        for line in _objects(document.get("order_lines")):
            by_sku.setdefault(_text(line.get("offer_sku")), []).append(_text(line.get("order_line_id")))
        return tuple(self._shipment(row, f"{SHIPMENTS}[{index}]", by_sku) for index, row in enumerate(made))

    def _shipment(self, row: Mapping[str, Any], where: str, by_sku: Mapping[str, list[str]]) -> Shipment:
        tracking = _object(row.get("tracking"))
        lines: dict[str, int] = {}
        for index, entry in enumerate(_objects(row.get("shipment_lines"))):
            named = by_sku.get(_text(entry.get("offer_sku")), [])
            line_id = _text(entry.get("order_line_id")) or (named[0] if len(named) == 1 else "")
            if not line_id:
                self.missing(f"{where}.shipment_lines[{index}].order_line_id")
            units = self.whole(entry.get("quantity") or 0, f"{where}.shipment_lines[{index}].quantity")
            lines[line_id] = lines.get(line_id, 0) + units
        return Shipment(
            id=self.required_text(row, "id", where),
            state=self.known(f"{where}.status", _text(row.get("status")), SHIPMENT_STATES),
            lines=tuple(lines.items()),
            marker=_text(row.get("invoice_reference")),
            carrier_code=_text(tracking.get("carrier_code")),
            carrier_name=_text(tracking.get("carrier_name")),
            tracking_number=_text(tracking.get("tracking_number")),
            tracking_url=_text(tracking.get("tracking_url")),
        )

    def taxes(self, value: Any, where: str) -> tuple[Tax, ...]:
        return tuple(
            Tax(
                code=_text(entry.get("code")),
                amount=self.amount(entry.get("amount"), f"{where}[{index}].amount"),
                rate=self.optional_amount(entry.get("rate"), f"{where}[{index}].rate"),
                rule=_text(entry.get("tax_calculation_rule")) or None,
                operator_collected=_only_the_operators(entry.get("amount_breakdown")),
            )
            for index, entry in enumerate(_objects(value))
        )

    def fees(self, value: Any, where: str) -> tuple[Fee, ...]:
        return tuple(
            Fee(_text(entry.get("code")), self.amount(entry.get("amount"), f"{where}[{index}].amount"))
            for index, entry in enumerate(_objects(value))
        )

    def code(self, entry: Mapping[str, Any], name: str, where: str) -> str:
        """An id, SKU or state; empty where it is missing. Raises UnreadableOrder for one that is too long to be any."""
        value = _text(entry.get(name))
        if len(value) > LONGEST_CODE:
            raise UnreadableOrder(self.order_id, where, f"has more than {LONGEST_CODE} characters")
        return value

    def required_text(self, entry: Mapping[str, Any], name: str, where: str) -> str:
        value = self.code(entry, name, f"{where}.{name}")
        if not value:
            raise UnreadableOrder(self.order_id, f"{where}.{name}", "is missing")
        return value

    def amount(self, value: Any, where: str) -> Decimal:
        found = self.optional_amount(value, where)
        return ZERO if found is None else found

    def optional_amount(self, value: Any, where: str) -> Decimal | None:
        """A JSON number or a string holding one; None for null. Anything else makes the order unreadable."""
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
            raise UnreadableOrder(self.order_id, where, "is not an amount")
        try:
            found = Decimal(value)
        except InvalidOperation as wrong:
            raise UnreadableOrder(self.order_id, where, "is not an amount") from wrong
        if not found.is_finite() or abs(found.adjusted()) > _LARGEST_EXPONENT:
            raise UnreadableOrder(self.order_id, where, "is not an amount anyone pays")
        return found

    def whole(self, value: Any, where: str) -> int:
        number = self.optional_amount(value, where)
        if number is None or number != number.to_integral_value() or number < 0:
            raise UnreadableOrder(self.order_id, where, "is not a whole number of units")
        return int(number)


def _only_the_operators(breakdown: Any) -> bool:
    """Whether no part of an amount goes to the shop (OR11 `amount_breakdown`, `payable_to_shop`)."""
    parts = _objects(_object(breakdown).get("parts"))
    return bool(parts) and all(part.get("payable_to_shop") is False for part in parts)


def _text(value: Any) -> str:
    """Strings without outer blanks; ids that came as numbers as text; everything else empty."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return ""


def _flag(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []
