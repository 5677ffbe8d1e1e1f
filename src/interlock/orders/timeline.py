"""What happened to an order, in sentences an operator can read."""

from typing import assert_never

from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    AskServiceToStop,
    CancelMiraklOrder,
    CancelQuantities,
    CancelShopifyOrder,
    ClearMarker,
    ClearStatus,
    CompleteDraft,
    CreateDraft,
    CreateOrder,
    CreateShipment,
    DeleteDraft,
    DeleteShipment,
    EditShopifyOrder,
    FillDraftAddress,
    FillOrderAddress,
    MarkOrder,
    MarkPaid,
    PlaceHold,
    RefundLines,
    ReleaseHold,
    SendMessage,
    SetOrderAddress,
    SetSellerReference,
    SetTracking,
    ShipOrder,
    ShowStatus,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.changes import Change
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown
from interlock.orders.snapshots import ShopifyOrder


def counted(number: int, noun: str) -> str:
    """A number of things: `1 order`, `2 orders`. Only for nouns that take an s."""
    return f"{number} {plural(number, noun)}"


def plural(number: int, noun: str) -> str:
    """The noun alone as it stands behind that number. Only for nouns that take an s."""
    return noun if number == 1 else f"{noun}s"


def sentence_of(action: Action, outcome: Outcome) -> str:
    """One sentence for the timeline about an action and how it ended."""
    what = _what(action)
    match outcome:
        case Confirmed():
            return f"{what}: confirmed."
        case Refused(code, words):
            return f"{what}: refused ({code}{': ' + words if words else ''})."
        case Unavailable(why):
            return f"{what}: not possible right now ({why}); it is tried again."
        case Unknown(why):
            return f"{what}: the answer is unclear ({why}); it is read back before anything is sent again."
        case _:
            assert_never(outcome)


def _what(action: Action) -> str:
    match action:
        case CreateDraft(lines):
            return f"Draft order with {counted(len(lines), 'line')} created in Shopify, stock reserved"
        case FillDraftAddress():
            return "Address written to the draft order"
        case CompleteDraft():
            return "Draft order completed: the Shopify order exists"
        case DeleteDraft():
            return "Draft order deleted, its stock given back"
        case CreateOrder(lines):
            return f"Shopify order with {counted(len(lines), 'line')} created"
        case FillOrderAddress():
            return "Address written to the Shopify order"
        case MarkOrder():
            return "Shopify order marked with the marketplace order's number"
        case MarkPaid():
            return "Shopify order marked as paid"
        case PlaceHold():
            return "Parcel put on hold"
        case ReleaseHold():
            return "Hold released: the parcel may leave"
        case CancelShopifyOrder():
            return "Shopify order cancelled, stock put back"
        case EditShopifyOrder(_, _, quantities, added):
            return f"Shopify order edited by Interlock ({counted(len(quantities) + len(added), 'line')})"
        case SetOrderAddress():
            return "New address written to the Shopify order"
        case AskServiceToStop():
            return "Fulfilment service asked to stop the parcel"
        case ShowStatus(_, status):
            return f"Shopify order shows staff: {status}"
        case ClearStatus():
            return "What the Shopify order said to staff taken off it"
        case ClearMarker():
            return "Marketplace number taken off the replaced Shopify order"
        case AnswerAcceptance(lines):
            accepted = sum(yes for _, yes in lines)
            if accepted == len(lines):
                return f"Order accepted at the marketplace ({counted(accepted, 'line')})"
            return f"Marketplace told: {counted(accepted, 'line')} accepted, {len(lines) - accepted} refused"
        case SetSellerReference(value):
            return f"Marketplace order marked with our number {value}"
        case CancelQuantities(lines):
            units = sum(line.quantity for line in lines)
            return f"{counted(units, 'unit')} on {counted(len(lines), 'line')} cancelled at the marketplace"
        case CancelMiraklOrder():
            return "Order cancelled at the marketplace"
        case RefundLines(_, lines):
            return f"Refund on {counted(len(lines), 'line')} made at the marketplace"
        case SendMessage(_, _, recipients):
            return f"Message sent through the marketplace to {' and '.join(r.lower() for r in recipients)}"
        case SetTracking(code, name):
            return f"Tracking sent to the marketplace (carrier {code or name})"
        case ShipOrder():
            return "Marketplace told that the parcel is on its way"
        case CreateShipment(_, lines, code, name):
            units = sum(count for _, count in lines)
            tracked = f", carrier {code or name}" if code or name else ""
            return f"Shipment of {counted(units, 'unit')} made at the marketplace{tracked}"
        case TrackShipment(_, code, name):
            return f"Tracking of a shipment sent to the marketplace (carrier {code or name})"
        case ValidateShipment():
            return "Marketplace told that a parcel is on its way"
        case DeleteShipment():
            return "Shipment taken back at the marketplace"
        case _:
            assert_never(action)


_KINDS = {
    "ORDER_EDIT": "Edited the Shopify order",
    "REFUND": "Refunded in Shopify",
    "RETURN": "Took a return in Shopify",
}


def sentence_of_change(change: Change, order: ShopifyOrder) -> str:
    """One sentence about a change of the Shopify order that others made; who and when stand beside it."""
    skus = {line.id: line.sku or line.title for line in order.lines}
    parts = [
        f"{skus.get(line_id, 'a line')} {f'{units:+d}' if units else 'price'}"
        for line_id, units in change.lines
    ]
    what = _KINDS.get(change.kind, "Changed the Shopify order")
    return f"{what}: {', '.join(parts)}." if parts else f"{what}."
