"""Orders as OR11 shows them, as exact JSON text, kept until the order changes."""

from datetime import datetime
from decimal import Decimal
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from interlock.simulator.mirakl.orders import (
    ZERO,
    Amounts,
    SimCancelation,
    SimLine,
    SimOrder,
    SimRefund,
    Tax,
    cent,
)
from interlock.simulator.mirakl.profile import MarketplaceProfile
from interlock.simulator.switches import Switches

_ADDRESS_ONLY = ("accounting_contact", "delivery_contact")


def instant(moment: datetime | None) -> str | None:
    """UTC with `Z`; milliseconds only when there are any (section 1.5)."""
    if moment is None:
        return None
    millis = moment.microsecond // 1000
    text = moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{millis:03d}Z" if millis else f"{text}Z"


def number(value: Decimal) -> str:
    """A decimal as a JSON number, exactly, without exponent; whole amounts without a fraction."""
    if value == value.to_integral_value():
        return format(value.quantize(Decimal(1)), "f")
    return format(value, "f")


def dumps(value: Any) -> str:
    """Compact JSON that writes Decimal exactly as it is."""
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Decimal):
        return number(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, dict):
        return "{" + ",".join([f"{quoted(key)}:{dumps(item)}" for key, item in value.items()]) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join([dumps(item) for item in value]) + "]"
    if isinstance(value, datetime):
        return quoted(instant(value) or "")
    if isinstance(value, float):
        return repr(value)
    raise TypeError(f"A {type(value).__name__} cannot be sent as JSON.")


def without_nulls(value: Any) -> Any:
    """The same document with every null member left out."""
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def render_key(mode: str, profile_epoch: int, switches: Switches) -> tuple[str | int, ...]:
    """Everything outside an order that its text depends on; made once per request."""
    return (
        mode,
        profile_epoch,
        switches["line_after_cancelation"],
        switches["commission_after_cancelation"],
        switches["absent_values"],
        switches["unknown_fields"],
        switches["cancel_pay_on_acceptance"],
        switches["refund_without_payment_confirmation"],
        switches["shipping_deadline_before_shipping"],
    )


def order_text(
    order: SimOrder,
    key: tuple[str | int, ...],
    mode: str,
    profile: MarketplaceProfile,
    switches: Switches,
) -> str:
    """The order's JSON text in one tax mode, from the cache when neither it nor `key` changed since."""
    known = order.rendered.get(key)
    if known is not None and known[0] == order.version:
        return known[1]
    document = order_document(order, mode, profile, switches)
    if switches["absent_values"] == "omitted":
        document = without_nulls(document)
    text = dumps(document)
    order.rendered = {other: kept for other, kept in order.rendered.items() if kept[0] == order.version}
    order.rendered[key] = (order.version, text)
    return text


def can_cancel(order: SimOrder, switches: Switches) -> bool:
    """OR11 `can_cancel`: may the shop cancel the whole order now (sections 3.5 and 5 OR29)."""
    if order.workflow == "PAY_ON_ACCEPTANCE":
        return (
            switches["cancel_pay_on_acceptance"] == "yes"
            and order.state in ("WAITING_DEBIT", "WAITING_DEBIT_PAYMENT")
            and order.debited is None
        )
    if order.state != "SHIPPING" or order.ship_asked or any(part.validated for part in order.shipments):
        return False
    return order.workflow == "NO_CUSTOMER_PAYMENT_CONFIRMATION" or order.debited is None


def can_refund(order: SimOrder, line: SimLine, switches: Switches) -> bool:
    """OR11 `can_refund`: may the line's full amount be refunded (section 3.5)."""
    if order.state in ("REFUSED", "CANCELED", "CLOSED") or not line.active:
        return False
    if any(refund for refund in line.refunds):
        left = line.refundable()
        if left.product == ZERO and left.shipping == ZERO:
            return False
    if order.workflow == "NO_CUSTOMER_PAYMENT_CONFIRMATION":
        return (
            switches["refund_without_payment_confirmation"] == "after_shipping" and line.shipped is not None
        )
    return line.debited is not None


def order_document(
    order: SimOrder, mode: str, profile: MarketplaceProfile, switches: Switches
) -> dict[str, Any]:
    """The order as an OR11 entry; amounts are Decimal, dates are texts."""
    included = mode == "TAX_INCLUDED"
    net = [line.net() for line in order.lines]
    counted = [
        amounts
        for line, amounts in zip(order.lines, net, strict=True)
        if line.state not in ("REFUSED", "CANCELED")
    ]
    price = sum((a.product_with_tax if included else a.product for a in counted), ZERO)
    shipping = sum((a.shipping_with_tax if included else a.shipping for a in counted), ZERO)
    fees = sum((sum(a.fees.values(), ZERO) for a in counted), ZERO)
    lines = [
        _line(order, line, amounts, included, profile, switches)
        for line, amounts in zip(order.lines, net, strict=True)
    ]
    shown = order.address_shown
    customer = dict(order.customer)
    if not shown:
        for name in _ADDRESS_ONLY:
            if name in customer:
                customer[name] = None
        if customer.get("organization"):
            customer["organization"] = {
                **customer["organization"],
                "address": None,
                "identification_number": None,
                "organization_id": None,
                "tax_identification_number": None,
            }
    customer["billing_address"] = order.billing_address if shown else None
    customer["shipping_address"] = order.shipping_address if shown else None
    deadline: datetime | None = order.shipping_deadline
    if (
        order.state in ("STAGING", "WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT")
        and switches["shipping_deadline_before_shipping"] == "null"
    ):
        deadline = None
    document: dict[str, Any] = {
        **order.static,
        "order_id": order.id,
        "commercial_id": order.commercial_id,
        "order_state": order.state,
        "order_state_reason_code": None,
        "order_state_reason_label": None,
        "created_date": instant(order.created),
        "last_updated_date": instant(order.updated),
        "acceptance_decision_date": instant(order.acceptance_decision),
        "customer_debited_date": instant(order.debited),
        "transaction_date": instant(order.transaction_date),
        "transaction_number": order.transaction_number,
        "payment_workflow": order.workflow,
        "payment_duration": order.payment_duration,
        "currency_iso_code": order.currency,
        "order_tax_mode": mode,
        "price": price,
        "shipping_price": shipping,
        "total_price": price + shipping + fees,
        "total_commission": sum((line["total_commission"] for line in lines), ZERO),
        "can_cancel": can_cancel(order, switches),
        "can_shop_ship": order.shop_can_ship,
        "fully_refunded": order.fully_refunded,
        "has_incident": order.has_incident,
        "references": {
            "order_reference_for_customer": order.reference_for_customer,
            "order_reference_for_seller": order.reference_for_seller,
        },
        "shipping_deadline": instant(deadline),
        "shipping_carrier_code": order.carrier_code,
        "shipping_carrier_standard_code": order.carrier_standard_code,
        "shipping_company": order.carrier_name,
        "shipping_tracking": order.tracking_number,
        "shipping_tracking_url": order.tracking_url,
        "customer": customer,
        "order_lines": lines,
    }
    if profile.order_level_tax_calculation:
        document["order_taxes"] = _order_taxes(order, net)
        document["order_refunds"] = _order_refunds(order)
    if switches["unknown_fields"] == "present":
        document["fulfilment_hints"] = {"priority": "NORMAL"}
    return {**document, **order.shown_instead}


def _line(
    order: SimOrder,
    line: SimLine,
    net: Amounts,
    included: bool,
    profile: MarketplaceProfile,
    switches: Switches,
) -> dict[str, Any]:
    shrink = switches["line_after_cancelation"]
    shown = line.ordered if shrink == "unchanged" else net
    quantity = max(0, line.quantity - line.canceled_quantity) if shrink == "shrinks" else line.quantity
    price = shown.product_with_tax if included else shown.product
    shipping = shown.shipping_with_tax if included else shown.shipping
    unit_price = line.price_unit
    if included and line.quantity:
        unit_price = _exact(line.ordered.product_with_tax / line.quantity, cent(order.currency))
    commission, commission_taxes = line.commission_fee, line.commission_taxes
    if switches["commission_after_cancelation"] == "reduced":
        for part in line.cancelations:
            commission -= part.commission
            given_back = dict(part.commission_taxes)
            commission_taxes = [
                (code, rate, amount - given_back.get(code, ZERO)) for code, rate, amount in commission_taxes
            ]
    total_commission = commission + sum((amount for _, _, amount in commission_taxes), ZERO)
    document: dict[str, Any] = {
        **line.static,
        "order_line_id": line.id,
        "order_line_index": line.index,
        "order_line_state": line.state,
        "order_line_state_reason_code": line.reason_code,
        "order_line_state_reason_label": line.reason_label,
        "created_date": instant(line.created),
        "last_updated_date": instant(line.updated),
        "debited_date": instant(line.debited),
        "shipped_date": instant(line.shipped),
        "received_date": instant(line.received),
        "offer_sku": line.sku,
        "product_title": line.title,
        "quantity": quantity,
        "price_unit": unit_price,
        "price": price,
        "shipping_price": shipping,
        "total_price": price + shipping + sum(shown.fees.values(), ZERO),
        "taxes": _line_taxes(line.taxes, shown.taxes, profile),
        "shipping_taxes": _line_taxes(line.shipping_taxes, shown.shipping_taxes, profile),
        "commission_fee": commission,
        "commission_taxes": [
            {"code": code, "rate": rate, "amount": amount} for code, rate, amount in commission_taxes
        ],
        "commission_vat": commission_taxes[0][2] if commission_taxes else ZERO,
        "commission_rate_vat": commission_taxes[0][1] if commission_taxes else ZERO,
        "total_commission": total_commission,
        "fees": [{"code": code, "amount": amount} for code, amount in shown.fees.items()],
        "can_refund": can_refund(order, line, switches),
        "refunds": [_refund(part, line, included, profile) for part in line.refunds if not part.requested],
        "cancelations": [_cancelation(part, line, included, profile) for part in line.cancelations],
    }
    if profile.amount_breakdown:
        document["price_amount_breakdown"] = _breakdown(
            shown.product, shown.product_tax if included else ZERO, profile
        )
        document["shipping_price_amount_breakdown"] = _breakdown(
            shown.shipping, shown.shipping_tax if included else ZERO, profile
        )
    return document


def _exact(value: Decimal, unit: Decimal) -> Decimal:
    """The value in whole cents where it is that, else to four places: price, not price_unit, is binding."""
    whole = value.quantize(unit)
    return whole if whole == value else value.quantize(Decimal("0.0001"))


def _line_taxes(
    taxes: list[Tax], amounts: dict[str, Decimal], profile: MarketplaceProfile
) -> list[dict[str, Any]]:
    entries = []
    for tax in taxes:
        amount = amounts.get(tax.code, ZERO)
        entry: dict[str, Any] = {"code": tax.code, "amount": amount, "rate": tax.rate}
        if tax.rule is not None:
            entry["tax_calculation_rule"] = tax.rule
        if profile.amount_breakdown:
            entry["amount_breakdown"] = _breakdown(ZERO, amount, profile)
        entries.append(entry)
    return entries


def _breakdown(net: Decimal, tax: Decimal, profile: MarketplaceProfile) -> dict[str, Any]:
    """Parts whose sum is the amount; a tax the operator collects is not payable to the shop (section 4.5)."""
    parts: list[dict[str, Any]] = []
    if net or not tax:
        parts.append(
            {
                "amount": net,
                "commissionable": True,
                "debitable_from_customer": True,
                "payable_to_shop": True,
            }
        )
    if tax:
        parts.append(
            {
                "amount": tax,
                "commissionable": False,
                "debitable_from_customer": True,
                "payable_to_shop": not profile.tax_collected_by_operator,
            }
        )
    return {"parts": parts}


def part_amounts(
    amounts: Amounts, line: SimLine, included: bool, profile: MarketplaceProfile
) -> dict[str, Any]:
    """The members that cancelations and refunds share, in OR11 and in OR30's own answer."""
    entry: dict[str, Any] = {
        "amount": amounts.product_with_tax if included else amounts.product,
        "shipping_amount": amounts.shipping_with_tax if included else amounts.shipping,
        "taxes": _part_taxes(line.taxes, amounts.taxes, profile),
        "shipping_taxes": _part_taxes(line.shipping_taxes, amounts.shipping_taxes, profile),
        "fees": [{"code": code, "amount": amount} for code, amount in amounts.fees.items()],
        "eco_contributions": [],
    }
    if profile.amount_breakdown:
        entry["amount_breakdown"] = _breakdown(
            amounts.product, amounts.product_tax if included else ZERO, profile
        )
        entry["shipping_amount_breakdown"] = _breakdown(
            amounts.shipping, amounts.shipping_tax if included else ZERO, profile
        )
    return entry


def _part_taxes(
    taxes: list[Tax], amounts: dict[str, Decimal], profile: MarketplaceProfile
) -> list[dict[str, Any]]:
    entries = []
    for tax in taxes:
        if tax.code in amounts:
            entry: dict[str, Any] = {"code": tax.code, "amount": amounts[tax.code], "rate": tax.rate}
            if profile.amount_breakdown:
                entry["amount_breakdown"] = _breakdown(ZERO, amounts[tax.code], profile)
            entries.append(entry)
    return entries


def _cancelation(
    part: SimCancelation, line: SimLine, included: bool, profile: MarketplaceProfile
) -> dict[str, Any]:
    return {
        "id": part.id,
        "quantity": part.quantity,
        "reason_code": part.reason_code,
        "created_date": instant(part.created),
        "commission_amount": part.commission,
        "commission_taxes": [{"code": code, "amount": amount} for code, amount in part.commission_taxes],
        "commission_total_amount": part.commission
        + sum((amount for _, amount in part.commission_taxes), ZERO),
        **part_amounts(part.amounts, line, included, profile),
    }


def _refund(part: SimRefund, line: SimLine, included: bool, profile: MarketplaceProfile) -> dict[str, Any]:
    taxes = part.commission_taxes
    return {
        "id": part.id,
        "order_refund_id": part.order_refund_id,
        "refund_state": part.state,
        "state": part.state,
        "quantity": part.quantity,
        "reason_code": part.reason_code,
        "created_date": instant(part.created),
        "transaction_number": part.transaction_number,
        "transaction_date": instant(part.transaction_date),
        "commission_amount": part.commission,
        "commission_taxes": [{"code": code, "amount": amount} for code, amount in taxes],
        "commission_tax_amount": taxes[0][1] if taxes else ZERO,
        "commission_total_amount": part.commission + sum((amount for _, amount in taxes), ZERO),
        **part_amounts(part.amounts, line, included, profile),
    }


def _order_taxes(order: SimOrder, net: list[Amounts]) -> list[dict[str, Any]]:
    totals: dict[tuple[str, Decimal | None], Decimal] = {}
    for line, amounts in zip(order.lines, net, strict=True):
        if line.state in ("REFUSED", "CANCELED"):
            continue
        _add_taxes(totals, line, amounts)
    return [{"code": code, "rate": rate, "total_amount": sum_} for (code, rate), sum_ in totals.items()]


def _order_refunds(order: SimOrder) -> list[dict[str, Any]]:
    groups: dict[str, dict[tuple[str, Decimal | None], Decimal]] = {}
    for line in order.lines:
        for part in line.refunds:
            if part.requested:
                continue
            _add_taxes(groups.setdefault(part.order_refund_id, {}), line, part.amounts)
    return [
        {
            "order_refund_id": group,
            "taxes": [
                {"code": code, "rate": rate, "total_amount": sum_} for (code, rate), sum_ in totals.items()
            ],
        }
        for group, totals in groups.items()
    ]


def _add_taxes(totals: dict[tuple[str, Decimal | None], Decimal], line: SimLine, amounts: Amounts) -> None:
    for taxes, values in ((line.taxes, amounts.taxes), (line.shipping_taxes, amounts.shipping_taxes)):
        for tax in taxes:
            key = (tax.code, tax.rate)
            totals[key] = totals.get(key, ZERO) + values.get(tax.code, ZERO)
