"""Every write to a marketplace, on one page."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, assert_never

from interlock.inventory.files import StockLine, written
from interlock.mirakl.client import MiraklClient
from interlock.orders.actions import (
    AnswerAcceptance,
    CancelMiraklOrder,
    CancelQuantities,
    CreateShipment,
    DeleteShipment,
    LineCancelation,
    LineRefund,
    MiraklAction,
    PublishStock,
    RefundLines,
    SendMessage,
    SetSellerReference,
    SetTracking,
    ShipOrder,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.outcomes import Outcome, Refused
from interlock.orders.ports import OrderContext
from interlock.orders.snapshots import Fee, Tax

# What OR43 takes, in characters.
SHORTEST_MESSAGE = 3
LONGEST_MESSAGE = 50_000


async def perform(client: MiraklClient, action: MiraklAction, context: OrderContext) -> Outcome:
    """Carry out one action on the order of `context` with exactly one call, and say how it ended."""
    order_id, lane, reference = context.order_id, action.lane, context.reference
    match action:
        case AnswerAcceptance(lines=lines):
            # OR21: accept or refuse each line
            return await client.answer_acceptance(order_id, lines, lane, reference)
        case SetSellerReference(value=value):
            # OR04: our reference on the order
            return (await set_references(client, [(order_id, value)], reference))[order_id]
        case CancelQuantities(lines=lines, tax_mode=tax_mode):
            # OR30: cancel units of lines; all lines of the order in one call
            cancelations = [_cancelation(line, action) for line in lines]
            return await client.cancel_lines(tax_mode, cancelations, lane, reference)
        case CancelMiraklOrder():
            # OR29: cancel the whole order
            return await client.cancel_order(order_id, lane, reference)
        case RefundLines(lines=lines, tax_mode=tax_mode):
            # OR28: refund debited lines; all lines of the task in one call
            refunds = [_refund(line, action) for line in lines]
            return await client.refund_lines(tax_mode, refunds, lane, reference)
        case SendMessage(topic=topic, recipients=recipients):
            # OR43: a message a person approved, in a new thread on the order
            if not SHORTEST_MESSAGE <= len(context.text) <= LONGEST_MESSAGE:
                return Refused("MESSAGE_LENGTH", _message_length(context.text))
            return await client.open_thread(order_id, topic, context.text, recipients, lane, reference)
        case SetTracking():
            # OR23: the order's tracking
            tracking = _tracking(action)
            if tracking is None:
                return Refused("CARRIER_MISSING", "Neither a carrier code nor a carrier name was given.")
            return await client.set_tracking(order_id, tracking, lane, reference)
        case ShipOrder():
            # OR24: the whole order is shipped
            return await client.ship(order_id, lane, reference)
        case CreateShipment():
            # ST01: one shipment with our marker in it
            return await client.create_shipment(_shipment(order_id, action), lane, reference)
        case TrackShipment(shipment_id=shipment_id):
            # ST23: the tracking of one shipment
            tracking = _shipment_tracking(action)
            if not tracking:
                return Refused("CARRIER_MISSING", "Neither a carrier code nor a carrier name was given.")
            return await client.track_shipment(shipment_id, tracking, lane, reference)
        case ValidateShipment(shipment_id=shipment_id):
            # ST24: one shipment has left
            return await client.validate_shipment(shipment_id, lane, reference)
        case DeleteShipment(shipment_id=shipment_id):
            # ST06: one shipment that has not left is gone
            return await client.delete_shipment(shipment_id, lane, reference)
        case _:
            assert_never(action)


async def set_references(
    client: MiraklClient, values: Sequence[tuple[str, str]], reference: str
) -> Mapping[str, Outcome]:
    """OR04: our reference on up to 100 orders, given as (order id, reference), in one call; an outcome per order id."""
    return await client.set_seller_references(values, SetSellerReference.lane, reference)


async def publish_stock(
    client: MiraklClient, action: PublishStock, rows: Iterable[StockLine], reference: str
) -> Outcome:
    """STO01: the offers of `rows` show these quantities, in one file; never OF24, which resets what it is not told.
    Confirmed with `import_id` says that the file was taken, not that it was worked off (STO02)."""
    return await client.import_stock(written(rows), action.lane, reference)


def _cancelation(line: LineCancelation, action: CancelQuantities) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "order_line_id": line.line_id,
        "quantity": line.quantity,
        "amount": line.amount,
        "shipping_amount": line.shipping_amount,
        "reason_code": line.reason_code or action.reason_code,
        "currency_iso_code": action.currency,
    }
    if line.fees:
        entry["fees"] = _fees(line.fees)
    if action.send_taxes:
        # With order level tax calculation in TAX_EXCLUDED the arrays must be absent, not empty.
        entry["taxes"] = _taxes(line.taxes)
        entry["shipping_taxes"] = _taxes(line.shipping_taxes)
    return entry


def _refund(line: LineRefund, action: RefundLines) -> dict[str, Any]:
    return {
        "order_line_id": line.line_id,
        "quantity": line.quantity,
        "amount": line.amount,
        "shipping_amount": line.shipping_amount,
        "reason_code": line.reason_code or action.reason_code,
        "currency_iso_code": action.currency,
        "taxes": _taxes(line.taxes),
        "shipping_taxes": _taxes(line.shipping_taxes),
        "fees": _fees(line.fees),
        "excluded_from_shipment": line.excluded_from_shipment,
    }


def _message_length(text: str) -> str:
    return (
        f"A message must have {SHORTEST_MESSAGE} to {LONGEST_MESSAGE} characters and this one has {len(text)}. Nothing "
        "was sent; write it anew."
    )


def _fees(fees: tuple[Fee, ...]) -> list[dict[str, Any]]:
    return [{"code": fee.code, "amount": fee.amount} for fee in fees]


def _taxes(taxes: tuple[Tax, ...]) -> list[dict[str, Any]]:
    return [{"code": tax.code, "amount": tax.amount} for tax in taxes]


def _tracking(action: SetTracking) -> dict[str, str] | None:
    """OR23's body. A registered carrier's URL is computed by Mirakl, so ours would only be ignored."""
    if action.carrier_code:
        body = {"carrier_code": action.carrier_code, "tracking_number": action.number}
    elif action.carrier_name:
        body = {
            "carrier_name": action.carrier_name,
            "tracking_number": action.number,
            "carrier_url": action.url,
        }
    else:
        return None
    return {name: value for name, value in body.items() if value}


def _shipment(order_id: str, action: CreateShipment) -> dict[str, Any]:
    """An entry of ST01's body. `shipped` stays false: until ST24 says that the parcel left it can be deleted (ST06)."""
    entry: dict[str, Any] = {
        "order_id": order_id,
        "shipment_lines": [{"order_line_id": line_id, "quantity": units} for line_id, units in action.lines],
        "shipped": False,
        "invoice_reference": action.marker,
    }
    tracking = _shipment_tracking(action)
    if tracking:
        entry["tracking"] = tracking
    if action.warehouse:
        entry["shipping_from"] = {"warehouse": {"code": action.warehouse}}
    return entry


def _shipment_tracking(action: CreateShipment | TrackShipment) -> dict[str, str]:
    """The tracking of ST01 and ST23, where OR23's `carrier_url` is called `tracking_url`; empty without a carrier."""
    if action.carrier_code:
        body = {"carrier_code": action.carrier_code, "tracking_number": action.number}
    elif action.carrier_name:
        body = {
            "carrier_name": action.carrier_name,
            "tracking_number": action.number,
            "tracking_url": action.url,
        }
    else:
        return {}
    return {name: value for name, value in body.items() if value}
