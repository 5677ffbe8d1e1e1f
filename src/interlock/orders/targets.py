"""Whether the platforms already show what an action was to reach: the read-back for an outcome that stayed unclear."""

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
    ShipmentAction,
    ShipOrder,
    ShowStatus,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.shown_status import says_something, shows
from interlock.orders.snapshots import (
    DEAD,
    GONE_OUT,
    FulfillmentOrder,
    MiraklOrder,
    Shipment,
    ShopifyOrder,
)
from interlock.orders.view import View


def is_reached(action: Action, view: View) -> bool:
    """True when the snapshots show the action's target, whoever brought it about. False when they do not show
    it, or show nothing at all."""
    match action:
        case CreateDraft():
            return bool(view.memory.draft_id or view.memory.shopify_order_id)
        case CreateOrder():
            return bool(view.memory.shopify_order_id)
        case CompleteDraft():
            return bool(view.memory.shopify_order_id)
        case DeleteDraft(draft_id):
            return all(draft.id != draft_id for draft in view.drafts)
        case FillDraftAddress(draft_id, digest):
            return any(d.id == draft_id and d.address.digest == digest for d in view.drafts)
        case (
            FillOrderAddress()
            | MarkOrder()
            | MarkPaid()
            | PlaceHold()
            | ReleaseHold()
            | CancelShopifyOrder()
            | EditShopifyOrder()
            | SetOrderAddress()
            | AskServiceToStop()
            | ShowStatus()
            | ClearStatus()
        ):
            about = _order_of(action, view)
            return about is not None and _shown_by_shopify(action, about, view)
        case ClearMarker(shopify_order_id):
            marker = f"{view.rules.name}:{view.order_id}"
            seen = [order for order in (view.shopify, *view.kin) if order is not None]
            replaced = [order.marker for order in seen if order.id == shopify_order_id]
            # The marker is unique: where another order shows it, it has left this one.
            return marker not in replaced if replaced else any(order.marker == marker for order in seen)
        case SendMessage():
            return False
        case (
            AnswerAcceptance()
            | SetSellerReference()
            | CancelQuantities()
            | CancelMiraklOrder()
            | RefundLines()
            | SetTracking()
            | ShipOrder()
        ):
            return view.mirakl is not None and _shown_by_mirakl(action, view.mirakl)
        case CreateShipment() | TrackShipment() | ValidateShipment() | DeleteShipment():
            shipments = None if view.mirakl is None else view.mirakl.shipments
            return shipments is not None and _shown_by_shipments(action, shipments)
        case _:
            assert_never(action)


def _shown_by_shopify(
    action: FillOrderAddress
    | MarkOrder
    | MarkPaid
    | PlaceHold
    | ReleaseHold
    | CancelShopifyOrder
    | EditShopifyOrder
    | SetOrderAddress
    | AskServiceToStop
    | ShowStatus
    | ClearStatus,
    shopify: ShopifyOrder,
    view: View,
) -> bool:
    match action:
        case FillOrderAddress(_, digest):
            return shopify.address.digest == digest
        case MarkOrder():
            return shopify.marker == f"{view.rules.name}:{view.order_id}"
        case MarkPaid():
            return shopify.paid
        case PlaceHold(fulfillment_order_id):
            found = _fulfillment_order(shopify, fulfillment_order_id)
            return found is not None and any(
                hold.ours and hold.handle == view.rules.hold_handle for hold in found.holds
            )
        case ReleaseHold(fulfillment_order_id, hold_ids):
            found = _fulfillment_order(shopify, fulfillment_order_id)
            return found is None or all(hold.id not in hold_ids for hold in found.holds)
        case CancelShopifyOrder():
            return not shopify.live
        case EditShopifyOrder(_, _, quantities, added):
            shown = {line.id: line.current_quantity for line in shopify.lines}
            # What is added gets a line of its own, so a line that the edit names is not what it adds.
            others = [line for line in shopify.lines if line.id not in dict(quantities)]
            return all(shown.get(line_id, 0) == wanted for line_id, wanted in quantities) and all(
                any(
                    line.variant_id == new.variant_id and line.current_quantity >= new.quantity
                    for line in others
                )
                for new in added
            )
        case SetOrderAddress(_, _, digest):
            return shopify.address.digest == digest
        case AskServiceToStop(fulfillment_order_id):
            found = _fulfillment_order(shopify, fulfillment_order_id)
            return found is None or bool(found.stop_request) or not found.with_service
        case ShowStatus(_, status):
            return shows(shopify, status)
        case ClearStatus():
            return not says_something(shopify)
        case _:
            assert_never(action)


def _shown_by_mirakl(
    action: AnswerAcceptance
    | SetSellerReference
    | CancelQuantities
    | CancelMiraklOrder
    | RefundLines
    | SetTracking
    | ShipOrder,
    mirakl: MiraklOrder,
) -> bool:
    match action:
        case AnswerAcceptance():
            return mirakl.state not in ("STAGING", "WAITING_ACCEPTANCE")
        case SetSellerReference(value):
            return mirakl.seller_reference == value
        case CancelQuantities(lines):
            cancelled = {line.id: sum(c.quantity for c in line.cancelations) for line in mirakl.lines}
            return all(cancelled.get(line.line_id, 0) >= line.cancelled_total for line in lines)
        case CancelMiraklOrder():
            return mirakl.state in DEAD
        case RefundLines(_, lines):
            refunds = {line.id: line.refunds for line in mirakl.lines}
            return all(
                any(
                    refund.id not in wanted.seen_refunds and refund.amount == wanted.amount
                    for refund in refunds.get(wanted.line_id, ())
                )
                for wanted in lines
            )
        case SetTracking(code, name, number):
            carrier = mirakl.tracking_carrier_code == code if code else mirakl.tracking_carrier_name == name
            return carrier and mirakl.tracking_number == number
        case ShipOrder():
            return mirakl.state in GONE_OUT
        case _:
            assert_never(action)


def _shown_by_shipments(action: ShipmentAction, shipments: tuple[Shipment, ...]) -> bool:
    match action:
        case CreateShipment(marker):
            return any(shipment.alive and shipment.marker == marker for shipment in shipments)
        case TrackShipment(shipment_id, code, name, number):
            return any(
                shipment.id == shipment_id
                and (shipment.carrier_code == code if code else shipment.carrier_name == name)
                and shipment.tracking_number == number
                for shipment in shipments
            )
        case ValidateShipment(shipment_id):
            return any(shipment.id == shipment_id and shipment.validated for shipment in shipments)
        case DeleteShipment(shipment_id):
            return all(shipment.id != shipment_id or not shipment.alive for shipment in shipments)
        case _:
            assert_never(action)


def _order_of(action: Action, view: View) -> ShopifyOrder | None:
    """The Shopify order the action is about: the linked one, or another of its kin."""
    for order in view.kin:
        if isinstance(action, (PlaceHold, ReleaseHold)):
            if _fulfillment_order(order, action.fulfillment_order_id) is not None:
                return order
        elif (
            isinstance(action, (MarkOrder, CancelShopifyOrder, ShowStatus, ClearStatus))
            and action.shopify_order_id == order.id
        ):
            return order
    return view.shopify


def _fulfillment_order(shopify: ShopifyOrder, fulfillment_order_id: str) -> FulfillmentOrder | None:
    for fulfillment_order in shopify.fulfillment_orders:
        if fulfillment_order.id == fulfillment_order_id:
            return fulfillment_order
    return None
