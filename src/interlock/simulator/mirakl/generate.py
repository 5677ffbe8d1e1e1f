"""Where orders come from: a seed, or a document in the shape of OR11."""

import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from interlock.simulator.mirakl.orders import (
    PROPORTIONAL,
    ZERO,
    Amounts,
    SimCancelation,
    SimLine,
    SimOrder,
    SimRefund,
    Tax,
    cent,
    rounded,
)
from interlock.simulator.mirakl.profile import PAYMENT_WORKFLOWS, MarketplaceProfile

ORDER_STATES = (
    "STAGING",
    "WAITING_ACCEPTANCE",
    "WAITING_DEBIT",
    "WAITING_DEBIT_PAYMENT",
    "SHIPPING",
    "SHIPPED",
    "TO_COLLECT",
    "RECEIVED",
    "CLOSED",
    "REFUSED",
    "CANCELED",
)


@dataclass(frozen=True)
class CatalogueItem:
    """An offer of the shop; `price` with or without taxes as the profile's `catalogue_prices` says."""

    sku: str
    title: str
    price: Decimal


CATALOGUE = (
    CatalogueItem("MUG-BLUE", "Stoneware mug, blue", Decimal("12.90")),
    CatalogueItem("MUG-GREEN", "Stoneware mug, green", Decimal("12.90")),
    CatalogueItem("KETTLE-1L", "Enamel kettle, 1 l", Decimal("49.99")),
    CatalogueItem("TOWEL-SET", "Linen towels, set of 3", Decimal("27.35")),
    CatalogueItem("LAMP-OAK", "Oak desk lamp", Decimal("119.00")),
    CatalogueItem("BOARD-L", "Cutting board, large", Decimal("34.50")),
    CatalogueItem("KNIFE-20", "Chef's knife, 20 cm", Decimal("64.95")),
    CatalogueItem("CANDLE-03", "Beeswax candle", Decimal("7.99")),
)

# Members of an OR11 order or line that the simulator derives itself; everything else in a document is kept as is.
_ORDER_DERIVED = frozenset(
    (
        "order_id",
        "commercial_id",
        "order_state",
        "order_state_reason_code",
        "order_state_reason_label",
        "created_date",
        "last_updated_date",
        "acceptance_decision_date",
        "customer_debited_date",
        "transaction_date",
        "transaction_number",
        "payment_workflow",
        "payment_duration",
        "currency_iso_code",
        "order_tax_mode",
        "price",
        "shipping_price",
        "total_price",
        "total_commission",
        "can_cancel",
        "can_shop_ship",
        "fully_refunded",
        "has_incident",
        "references",
        "shipping_deadline",
        "shipping_carrier_code",
        "shipping_carrier_standard_code",
        "shipping_company",
        "shipping_tracking",
        "shipping_tracking_url",
        "customer",
        "order_lines",
        "order_taxes",
        "order_refunds",
    )
)
_LINE_DERIVED = frozenset(
    (
        "order_line_id",
        "order_line_index",
        "order_line_state",
        "order_line_state_reason_code",
        "order_line_state_reason_label",
        "created_date",
        "last_updated_date",
        "debited_date",
        "shipped_date",
        "received_date",
        "offer_sku",
        "product_title",
        "quantity",
        "price_unit",
        "price",
        "shipping_price",
        "total_price",
        "taxes",
        "shipping_taxes",
        "commission_fee",
        "commission_taxes",
        "commission_vat",
        "commission_rate_vat",
        "total_commission",
        "fees",
        "can_refund",
        "refunds",
        "cancelations",
        "price_amount_breakdown",
        "shipping_price_amount_breakdown",
    )
)
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:?\d{2})$")


class DocumentError(ValueError):
    """A document that should become an order has a field that is missing or wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"Field {field}: {message}")
        self.field = field


def parsed_instant(text: str) -> datetime | None:
    """An ISO 8601 moment with zone (section 1.5), or None when it is not one."""
    if not _DATE.match(text):
        return None
    return datetime.fromisoformat(text)


def offer_number(sku: str) -> int:
    """The offer id a SKU gets, unless another offer has it already."""
    return 2000 + sum(sku.encode()) % 7000


class OrderMaker:
    """Makes orders of one marketplace; every random choice comes from `rng`.

    Order ids count up from the same number in every marketplace, because they are unique only within one
    (section 3.1). Every personal value contains `CANARY-` and something no other value contains.
    """

    def __init__(self, rng: random.Random, catalogue: tuple[CatalogueItem, ...] = CATALOGUE) -> None:
        self.catalogue = catalogue
        self._rng = rng
        self._orders = 0
        self._canaries = 0

    def canary(self, words: str = "") -> str:
        """A personal value that can be found again wherever it leaks to."""
        self._canaries += 1
        token = f"CANARY-{self._canaries:05d}{self._rng.getrandbits(28):07x}"
        return f"{words} {token}" if words else token

    def generated(
        self,
        profile: MarketplaceProfile,
        now: datetime,
        *,
        lines: int | None = None,
        skus: list[str] | None = None,
        quantities: list[int] | None = None,
        workflow: str | None = None,
    ) -> SimOrder:
        """An order of 1 to 4 lines in STAGING; lines may share one SKU. Unknown SKUs get a price of their own."""
        rng = self._rng
        self._orders += 1
        commercial = f"{10000 + self._orders}"
        order_id = f"{commercial}-A"
        chosen = self._chosen_items(lines, skus)
        prefix = order_id if rng.random() < 0.8 else commercial
        unit = cent(profile.currency)
        made: list[SimLine] = []
        for index, item in enumerate(chosen, start=1):
            quantity = (
                quantities[index - 1]
                if quantities is not None and index <= len(quantities)
                else rng.choice((1, 1, 1, 2, 2, 3, 4))
            )
            made.append(self._line(profile, now, f"{prefix}-{index}", index, item, quantity, unit))
        shipping_type = rng.choice(profile.shipping_types)
        used = workflow or profile.payment_workflow
        address = self._address(profile)
        order = SimOrder(
            id=order_id,
            commercial_id=commercial,
            currency=profile.currency,
            workflow=used,
            state="STAGING",
            created=now,
            updated=now,
            lines=made,
            customer=self._customer(profile),
            billing_address=address if rng.random() < 0.7 else self._address(profile),
            shipping_address={**address, "additional_info": self.canary("Ring twice")},
            shipping_type_code=shipping_type.code,
            native_mode=profile.tax_mode,
            payment_duration=profile.payment_duration_days if used == "PAY_ON_DUE_DATE" else None,
            payment_will_fail=rng.random() < profile.payment_failure_probability,
            reference_for_customer=f"REF-{commercial}",
            shipping_deadline=end_of_day(now + timedelta(days=profile.leadtime_to_ship_days), profile),
        )
        order.static = {
            "channel": None
            if rng.random() < 0.25
            else {"code": profile.country[:2], "label": f"Website {profile.country_label}"},
            "customer_directly_pays_seller": False,
            "customer_notification_email": f"notification+{self.canary()}@notification.mirakl.example",
            "delivery_date": None
            if rng.random() < 0.3
            else {
                "earliest": (now + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "latest": (now + timedelta(days=5)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
            "discount_campaigns": [],
            "fulfillment": {"center": {"code": "DEFAULT"}},
            "has_customer_message": False,
            "has_invoice": False,
            "invoice_details": None,
            "leadtime_to_ship": profile.leadtime_to_ship_days,
            "order_additional_fields": []
            if rng.random() < 0.6
            else [{"code": "gift-wrap", "type": "BOOLEAN", "value": "true"}],
            "payment_type": "CARD",
            "paymentType": "CARD",
            "promotions": {"applied_promotions": [], "total_deduced_amount": ZERO},
            "quote_id": None,
            "shipping_pudo_id": None,
            "shipping_type_code": shipping_type.code,
            "shipping_type_label": shipping_type.label,
            "shipping_type_standard_code": shipping_type.standard_code,
            "shipping_zone_code": "DOM",
            "shipping_zone_label": "Domestic",
        }
        return order

    def _chosen_items(self, lines: int | None, skus: list[str] | None) -> list[CatalogueItem]:
        rng = self._rng
        if skus is not None:
            known = {item.sku: item for item in self.catalogue}
            return [
                known.get(sku) or CatalogueItem(sku, f"Item {sku}", Decimal(rng.randrange(500, 9000)) / 100)
                for sku in skus
            ]
        count = lines if lines is not None else rng.choice((1, 1, 2, 2, 3, 4))
        chosen = [rng.choice(self.catalogue) for _ in range(count)]
        if count > 1 and rng.random() < 0.2:
            chosen[-1] = chosen[0]
        return chosen

    def _line(
        self,
        profile: MarketplaceProfile,
        now: datetime,
        line_id: str,
        index: int,
        item: CatalogueItem,
        quantity: int,
        unit: Decimal,
    ) -> SimLine:
        rng = self._rng
        item_mode = profile.tax_mode if profile.catalogue_prices == "AS_SHOWN" else profile.catalogue_prices
        price_unit, unit_taxes = _split(item.price, profile, item_mode, unit, shipping=False)
        shipping_gross = rounded(Decimal(rng.choice(("0", "0", "3.90", "4.99", "6.50"))), unit)
        shipping, shipping_taxes = _split(shipping_gross, profile, profile.tax_mode, unit, shipping=True)
        taxes = [
            Tax(rule.code, rule.rate, tax * quantity, rule.rule)
            for rule, tax in zip(profile.taxes, unit_taxes, strict=True)
        ]
        on_shipping = [
            Tax(rule.code, rule.rate, tax, rule.rule)
            for rule, tax in zip(profile.taxes, shipping_taxes, strict=True)
            if rule.on_shipping and profile.shipping_taxes
        ]
        price = price_unit * quantity
        commission = rounded(price * profile.commission_rate / 100, unit)
        fees = {"ECO": rounded(Decimal("0.25") * quantity, unit)} if profile.order_fees else {}
        line = SimLine(
            id=line_id,
            index=index,
            sku=item.sku,
            title=item.title,
            quantity=quantity,
            price_unit=price_unit,
            ordered=Amounts(
                price,
                shipping,
                {tax.code: tax.amount for tax in taxes},
                {tax.code: tax.amount for tax in on_shipping},
                fees,
            ),
            taxes=taxes,
            shipping_taxes=on_shipping,
            commission_fee=commission,
            commission_taxes=[
                (
                    "COMMISSIONTAX",
                    profile.commission_tax_rate,
                    rounded(commission * profile.commission_tax_rate / 100, unit),
                )
            ],
            state="STAGING",
            created=now,
            updated=now,
        )
        line.static = {
            "offer_id": offer_number(item.sku),
            "offer_state_code": "11",
            "product_sku": f"P-{item.sku}",
            "product_shop_sku": item.sku,
            "description": None,
            "category_code": "HOME",
            "category_label": "Home",
            "price_additional_info": None,
            "origin_unit_price": price_unit
            + (sum(unit_taxes, ZERO) if profile.tax_mode == "TAX_INCLUDED" else ZERO),
            "product_medias": [],
            "promotions": [],
            "order_line_additional_fields": [],
            "eco_contributions": [],
            "shipping_from": {
                "address": {
                    "city": None,
                    "country_iso_code": profile.country,
                    "state": None,
                    "street_1": None,
                    "street_2": None,
                    "zip_code": None,
                },
                "warehouse": None,
            },
            "tax_legal_notice": None,
        }
        return line

    def _customer(self, profile: MarketplaceProfile) -> dict[str, Any]:
        rng = self._rng
        customer: dict[str, Any] = {
            "customer_id": self.canary("C"),
            "civility": rng.choice(("Mr", "Mrs", None)),
            "firstname": self.canary(rng.choice(("Ada", "Björn", "Chloé", "Dávid"))),
            "lastname": self.canary(rng.choice(("Martin", "O'Neil", "Müller", "Sørensen"))),
            "locale": profile.locale,
        }
        if rng.random() < 0.1:
            customer["organization"] = {
                "organization_id": self.canary("ORG"),
                "name": self.canary("Atelier"),
                "identification_number": self.canary("ID"),
                "tax_identification_number": self.canary("VAT"),
                "address": {
                    "street_1": self.canary("1 Quay"),
                    "street_2": None,
                    "zip_code": self.canary("1000"),
                    "city": self.canary("Town"),
                    "state": None,
                    "country_iso_code": profile.country,
                },
            }
            for contact in ("delivery_contact", "accounting_contact"):
                customer[contact] = {
                    "customer_id": self.canary("C"),
                    "civility": None,
                    "firstname": self.canary("Eve"),
                    "lastname": self.canary("Keller"),
                    "locale": profile.locale,
                }
        return customer

    def _address(self, profile: MarketplaceProfile) -> dict[str, Any]:
        rng = self._rng
        return {
            "civility": None,
            "company": self.canary("Company") if rng.random() < 0.2 else None,
            "company_2": None,
            "firstname": self.canary("Ada"),
            "lastname": self.canary("Martin"),
            "street_1": self.canary(f"{rng.randrange(1, 200)} Mill Lane"),
            "street_2": self.canary("Floor 2") if rng.random() < 0.3 else None,
            "zip_code": self.canary(f"{rng.randrange(10000, 99999)}"),
            "city": self.canary("Springfield"),
            "state": None,
            "country": profile.country_label,
            "country_iso_code": profile.country,
            "phone": self.canary("+33 1 99 00") if rng.random() < 0.8 else None,
            "phone_secondary": None,
        }

    # -- documents ---------------------------------------------------------------------------------

    def from_document(
        self, document: dict[str, Any], profile: MarketplaceProfile, now: datetime, keep_dates: bool
    ) -> SimOrder:
        """An order from an OR11 entry; numbers are Decimal or int. Raises DocumentError naming the field.

        Amounts are read in the document's `order_tax_mode` (the marketplace's own when it has none).
        """
        self._orders += 1
        if not isinstance(document, dict):
            raise DocumentError("order", "an object is expected.")
        mode = document.get("order_tax_mode") or profile.tax_mode
        if mode not in ("TAX_INCLUDED", "TAX_EXCLUDED"):
            raise DocumentError("order_tax_mode", "TAX_INCLUDED or TAX_EXCLUDED is expected.")
        order_id = document.get("order_id") or f"{10000 + self._orders}-A"
        if not isinstance(order_id, str):
            raise DocumentError("order_id", "a text is expected.")
        state = document.get("order_state") or "STAGING"
        if state not in ORDER_STATES:
            raise DocumentError("order_state", f"one of {', '.join(ORDER_STATES)} is expected.")
        workflow = document.get("payment_workflow") or profile.payment_workflow
        if workflow not in PAYMENT_WORKFLOWS:
            raise DocumentError("payment_workflow", f"one of {', '.join(PAYMENT_WORKFLOWS)} is expected.")
        entries = document.get("order_lines")
        if not isinstance(entries, list) or not entries:
            raise DocumentError("order_lines", "a list of at least one line is expected.")
        created = _moment(document, "created_date", now) if keep_dates else now
        customer = dict(document.get("customer") or {"customer_id": "", "firstname": "", "lastname": ""})
        billing = customer.pop("billing_address", None)
        shipping = customer.pop("shipping_address", None)
        references = document.get("references") or {}
        lines = [
            self._line_from(entry, f"order_lines[{at}]", at + 1, order_id, state, mode, created, now)
            for at, entry in enumerate(entries)
        ]
        seen = {line.id for line in lines}
        if len(seen) != len(lines):
            raise DocumentError("order_lines", "two lines have the same order_line_id.")
        order = SimOrder(
            id=order_id,
            commercial_id=str(document.get("commercial_id") or order_id.rsplit("-", 1)[0]),
            currency=str(document.get("currency_iso_code") or profile.currency),
            workflow=workflow,
            state=state,
            created=created,
            updated=_moment(document, "last_updated_date", now) if keep_dates else now,
            lines=lines,
            customer=customer,
            billing_address=billing,
            shipping_address=shipping,
            shipping_type_code=str(document.get("shipping_type_code") or profile.shipping_types[0].code),
            native_mode=mode,
            payment_duration=document.get("payment_duration"),
            acceptance_decision=_optional(document, "acceptance_decision_date"),
            debited=_optional(document, "customer_debited_date"),
            transaction_number=document.get("transaction_number"),
            transaction_date=_optional(document, "transaction_date"),
            shipping_deadline=_optional(document, "shipping_deadline")
            or end_of_day(now + timedelta(days=profile.leadtime_to_ship_days), profile),
            reference_for_customer=references.get("order_reference_for_customer"),
            reference_for_seller=references.get("order_reference_for_seller"),
            carrier_code=document.get("shipping_carrier_code"),
            carrier_standard_code=document.get("shipping_carrier_standard_code"),
            carrier_name=document.get("shipping_company"),
            tracking_number=document.get("shipping_tracking"),
            tracking_url=document.get("shipping_tracking_url"),
        )
        order.static = {
            "paymentType": document.get("payment_type"),
            "fulfillment": {"center": {"code": "DEFAULT"}},
            "has_customer_message": False,
            "has_invoice": False,
            "customer_directly_pays_seller": False,
            "leadtime_to_ship": profile.leadtime_to_ship_days,
            "shipping_type_code": order.shipping_type_code,
            "shipping_type_label": order.shipping_type_code,
            "shipping_zone_code": "DOM",
            "shipping_zone_label": "Domestic",
            "order_additional_fields": [],
            **{name: value for name, value in document.items() if name not in _ORDER_DERIVED},
        }
        return order

    def _line_from(
        self,
        entry: Any,
        path: str,
        index: int,
        order_id: str,
        order_state: str,
        mode: str,
        created: datetime,
        now: datetime,
    ) -> SimLine:
        if not isinstance(entry, dict):
            raise DocumentError(path, "an object is expected.")
        quantity = entry.get("quantity")
        if not isinstance(quantity, int) or isinstance(quantity, bool) or quantity < 1:
            raise DocumentError(f"{path}.quantity", "a whole number from 1 is expected.")
        sku = entry.get("offer_sku")
        if not isinstance(sku, str) or not sku:
            raise DocumentError(f"{path}.offer_sku", "a text is expected.")
        taxes = _taxes(entry, "taxes", path)
        shipping_taxes = _taxes(entry, "shipping_taxes", path)
        amounts = _amounts(entry, "price", "shipping_price", path, mode)
        tax_unit = sum((tax.amount for tax in taxes), ZERO) / quantity if mode == "TAX_INCLUDED" else ZERO
        unit_price = entry.get("price_unit")
        commission_taxes = [
            (str(tax.get("code")), Decimal(tax.get("rate") or 0), Decimal(tax.get("amount") or 0))
            for tax in entry.get("commission_taxes") or []
        ]
        line = SimLine(
            id=str(entry.get("order_line_id") or f"{order_id}-{index}"),
            index=int(entry.get("order_line_index") or index),
            sku=sku,
            title=str(entry.get("product_title") or sku),
            quantity=quantity,
            price_unit=_decimal(unit_price, f"{path}.price_unit") - tax_unit
            if unit_price is not None
            else amounts.product / quantity,
            ordered=amounts,
            taxes=taxes,
            shipping_taxes=shipping_taxes,
            commission_fee=_decimal(entry.get("commission_fee", 0), f"{path}.commission_fee"),
            commission_taxes=commission_taxes,
            state=str(entry.get("order_line_state") or order_state),
            created=created,
            updated=now,
            debited=_optional(entry, "debited_date"),
            shipped=_optional(entry, "shipped_date"),
            received=_optional(entry, "received_date"),
        )
        for part in entry.get("cancelations") or []:
            line.cancelations.append(
                SimCancelation(
                    id=str(part["id"]),
                    line_id=line.id,
                    quantity=int(part.get("quantity") or 0),
                    amounts=_amounts(part, "amount", "shipping_amount", f"{path}.cancelations", mode),
                    reason_code=part.get("reason_code"),
                    created=_moment(part, "created_date", now),
                    by="document",
                    commission=Decimal(part.get("commission_amount") or 0),
                )
            )
        for part in entry.get("refunds") or []:
            line.refunds.append(
                SimRefund(
                    id=str(part["id"]),
                    order_refund_id=str(part.get("order_refund_id") or part["id"]),
                    line_id=line.id,
                    quantity=int(part.get("quantity") or 0),
                    amounts=_amounts(part, "amount", "shipping_amount", f"{path}.refunds", mode),
                    reason_code=str(part.get("reason_code")),
                    created=_moment(part, "created_date", now),
                    by="document",
                    state=str(part.get("refund_state") or part.get("state") or "WAITING_REFUND"),
                    commission=Decimal(part.get("commission_amount") or 0),
                )
            )
        line.static = {
            "offer_id": 2000 + sum(sku.encode()) % 7000,
            "offer_state_code": "11",
            "product_sku": f"P-{sku}",
            "description": None,
            "category_code": "HOME",
            "category_label": "Home",
            "product_medias": [],
            "promotions": [],
            "order_line_additional_fields": [],
            **{name: value for name, value in entry.items() if name not in _LINE_DERIVED},
        }
        return line


def end_of_day(moment: datetime, profile: MarketplaceProfile) -> datetime:
    """The last millisecond of that day where the marketplace does business (section 1.5)."""
    local = moment.astimezone(ZoneInfo(profile.timezone))
    return local.replace(hour=23, minute=59, second=59, microsecond=999000).astimezone(moment.tzinfo)


def _split(
    price: Decimal, profile: MarketplaceProfile, mode: str, unit: Decimal, *, shipping: bool
) -> tuple[Decimal, list[Decimal]]:
    """A price in this tax mode as net price and its taxes, one per tax of the profile, to the cent."""
    applies = [not shipping or (rule.on_shipping and profile.shipping_taxes) for rule in profile.taxes]
    if mode == "TAX_EXCLUDED":
        return price, [
            rounded(price * rule.rate / 100, unit) if on else ZERO
            for rule, on in zip(profile.taxes, applies, strict=True)
        ]
    total_rate = sum((rule.rate for rule, on in zip(profile.taxes, applies, strict=True) if on), ZERO)
    taxes = [
        rounded(price * rule.rate / (100 + total_rate), unit) if on else ZERO
        for rule, on in zip(profile.taxes, applies, strict=True)
    ]
    return price - sum(taxes, ZERO), taxes


def _decimal(value: Any, path: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise DocumentError(path, "a number is expected.")
    try:
        return Decimal(value)
    except ArithmeticError as wrong:
        raise DocumentError(path, "a number is expected.") from wrong


def _taxes(entry: dict[str, Any], name: str, path: str) -> list[Tax]:
    made = []
    for at, tax in enumerate(entry.get(name) or []):
        where = f"{path}.{name}[{at}]"
        if not isinstance(tax, dict) or not isinstance(tax.get("code"), str):
            raise DocumentError(f"{where}.code", "a text is expected.")
        rate = tax.get("rate")
        made.append(
            Tax(
                tax["code"],
                None if rate is None else _decimal(rate, f"{where}.rate"),
                _decimal(tax.get("amount"), f"{where}.amount"),
                tax.get("tax_calculation_rule") or PROPORTIONAL,
            )
        )
    return made


def _amounts(entry: dict[str, Any], price: str, shipping: str, path: str, mode: str) -> Amounts:
    amounts = Amounts(
        _decimal(entry.get(price), f"{path}.{price}"),
        _decimal(entry.get(shipping, 0), f"{path}.{shipping}"),
        {tax.code: tax.amount for tax in _taxes(entry, "taxes", path)},
        {tax.code: tax.amount for tax in _taxes(entry, "shipping_taxes", path)},
        {str(fee["code"]): _decimal(fee.get("amount"), f"{path}.fees") for fee in entry.get("fees") or []},
    )
    if mode == "TAX_INCLUDED":
        amounts.product -= amounts.product_tax
        amounts.shipping -= amounts.shipping_tax
    return amounts


def _moment(entry: dict[str, Any], name: str, default: datetime) -> datetime:
    return _optional(entry, name) or default


def _optional(entry: dict[str, Any], name: str) -> datetime | None:
    value = entry.get(name)
    if value is None:
        return None
    moment = parsed_instant(value) if isinstance(value, str) else None
    if moment is None:
        raise DocumentError(name, "an ISO 8601 date and time with zone is expected.")
    return moment
