"""Everything Interlock may do to a platform, as target states, never deltas.

Each action names its call class (what may happen when its outcome is unclear), its lane and its platform:
A keyed, B guarded by state or last write wins, C findable by a marker, D neither.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

from interlock.orders.snapshots import Fee, Tax

CallClass = Literal["A", "B", "C", "D"]
Lane = Literal["acceptance", "holds", "edits", "shipping", "rest"]
Platform = Literal["mirakl", "shopify"]


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One line to create in Shopify. Several may stand for one Mirakl line (when its total does not divide by
    its quantity). `variant_id` is empty for a custom line. `unit_price` is what the customer pays per unit,
    taxes included. `per_unit` is how many of it are in one unit of the Mirakl line where it is an article of a bundle,
    else 0."""

    mirakl_line_id: str
    sku: str
    title: str
    variant_id: str
    quantity: int
    unit_price: Decimal
    taxes: tuple[Tax, ...] = ()
    per_unit: int = 0


@dataclass(frozen=True, slots=True)
class CreateDraft:
    """A draft order with reserved stock exists for this order (draftOrderCreate). Its address, where known, is
    taken from the marketplace document when it is performed, because plans hold no personal data."""

    lines: tuple[ImportLine, ...]
    shipping: Decimal
    currency: str
    with_address: bool
    call_class: ClassVar[CallClass] = "C"
    lane: ClassVar[Lane] = "acceptance"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class FillDraftAddress:
    """The draft carries the address the marketplace now shows (draftOrderUpdate)."""

    draft_id: str
    address_digest: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "acceptance"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class CompleteDraft:
    """The draft has become an order (draftOrderComplete; completing twice gives the same order)."""

    draft_id: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "acceptance"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class DeleteDraft:
    """The draft is gone and its reservation with it (draftOrderDelete)."""

    draft_id: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "rest"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class CreateOrder:
    """A Shopify order exists for this order (orderCreate, found again by its `id` metafield)."""

    lines: tuple[ImportLine, ...]
    shipping: Decimal
    shipping_taxes: tuple[Tax, ...]
    currency: str
    taxes_included: bool
    with_address: bool
    pending_payment: bool
    call_class: ClassVar[CallClass] = "C"
    lane: ClassVar[Lane] = "acceptance"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class FillOrderAddress:
    """The Shopify order carries the address the marketplace now shows (orderUpdate)."""

    shopify_order_id: str
    address_digest: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "edits"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class MarkOrder:
    """The Shopify order carries our unique marker and tags (metafieldsSet, tagsAdd)."""

    shopify_order_id: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "holds"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class MarkPaid:
    """The Shopify order is marked paid (orderMarkAsPaid): the last step before the first release."""

    shopify_order_id: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "holds"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """The fulfillment order is on hold under our handle (fulfillmentOrderHold). `notes` is shown to staff."""

    fulfillment_order_id: str
    notes: str
    call_class: ClassVar[CallClass] = "A"
    lane: ClassVar[Lane] = "holds"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """These holds of ours are off (fulfillmentOrderReleaseHold, always with their ids)."""

    fulfillment_order_id: str
    hold_ids: tuple[str, ...]
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "holds"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class CancelShopifyOrder:
    """The Shopify order is cancelled, its stock put back, nobody mailed, no money moved (orderCancel)."""

    shopify_order_id: str
    note: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "edits"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class AddedLine:
    """A variant to add to a Shopify order; it stands for units of a Mirakl line, or for nothing sold (empty id)."""

    variant_id: str
    quantity: int
    mirakl_line_id: str


@dataclass(frozen=True, slots=True)
class EditShopifyOrder:
    """The Shopify order shows these quantities (orderEditBegin, orderEditSetQuantity, orderEditAddVariant,
    orderEditCommit): our own edit, nobody is notified, removed units go back to stock.

    `quantities` are (Shopify line id, wanted `currentQuantity`), `added` what is added besides, each on a line of its
    own: every line the order already has of such a variant is named in `quantities`, or it would pass for the added
    one. `subject` names the case or request it belongs to, so that the same edit wanted twice for different reasons is two operations.
    """

    shopify_order_id: str
    subject: str
    quantities: tuple[tuple[str, int], ...]
    added: tuple[AddedLine, ...]
    note: str
    call_class: ClassVar[CallClass] = "D"
    lane: ClassVar[Lane] = "edits"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class SetOrderAddress:
    """The Shopify order goes to an address a person gave (orderUpdate). The address itself is kept encrypted under
    `text_id` and is read when it is performed, because plans hold no personal data."""

    shopify_order_id: str
    text_id: str
    address_digest: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "edits"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class AskServiceToStop:
    """The fulfilment service was asked to cancel its request (fulfillmentOrderSubmitCancellationRequest)."""

    fulfillment_order_id: str
    message: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "holds"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class ClearMarker:
    """The unique marker is off this Shopify order, which another one replaced; a plain lineage marker stays on it
    (metafieldsDelete, metafieldsSet)."""

    shopify_order_id: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "holds"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class ShowStatus:
    """The Shopify order says where it stands: `status` is its status metafield and, behind our prefix, its only status
    tag; `stale_tags` are those that have to go (tagsRemove, tagsAdd, metafieldsSet). For the eyes of staff and for Shopify
    Flow: nothing of ours depends on it."""

    shopify_order_id: str
    status: str
    stale_tags: tuple[str, ...]
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "rest"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class ClearStatus:
    """The Shopify order says nothing of ours to staff any more: its status metafield is gone, and so are the status `tags` it
    shows (tagsRemove, metafieldsDelete)."""

    shopify_order_id: str
    tags: tuple[str, ...]
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "rest"
    platform: ClassVar[Platform] = "shopify"


@dataclass(frozen=True, slots=True)
class AnswerAcceptance:
    """The acceptance is decided for every line of the order (OR21)."""

    lines: tuple[tuple[str, bool], ...]
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "acceptance"
    platform: ClassVar[Platform] = "mirakl"


@dataclass(frozen=True, slots=True)
class SetSellerReference:
    """The marketplace order carries the Shopify order's name (OR04 `order_reference_for_seller`)."""

    value: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "rest"
    platform: ClassVar[Platform] = "mirakl"


@dataclass(frozen=True, slots=True)
class LineCancelation:
    """One line of a CancelQuantities. `cancelled_total` is the target: how many units of the line are
    cancelled once it is reached; the other figures are what is sent now. `reason_code` is the action's where it is
    empty."""

    line_id: str
    cancelled_total: int
    quantity: int
    amount: Decimal
    shipping_amount: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]
    fees: tuple[Fee, ...] = ()
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class CancelQuantities:
    """At least `cancelled_total` units of each line are cancelled (OR30; one call carries all lines)."""

    lines: tuple[LineCancelation, ...]
    currency: str
    tax_mode: str
    reason_code: str
    send_taxes: bool
    call_class: ClassVar[CallClass] = "D"
    lane: ClassVar[Lane] = "edits"
    platform: ClassVar[Platform] = "mirakl"


@dataclass(frozen=True, slots=True)
class CancelMiraklOrder:
    """The whole marketplace order is cancelled (OR29)."""

    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "edits"
    platform: ClassVar[Platform] = "mirakl"


@dataclass(frozen=True, slots=True)
class LineRefund:
    """One line of a RefundLines: what OR28 is sent for it. `quantity` only informs, the amounts drive; with
    `excluded_from_shipment` the refunded units no longer ship. `seen_refunds` are the refunds the line had before:
    one more with this amount is the answer. `reason_code` is the action's where it is empty."""

    line_id: str
    quantity: int
    amount: Decimal
    shipping_amount: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]
    excluded_from_shipment: bool
    seen_refunds: tuple[str, ...]
    fees: tuple[Fee, ...] = ()
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class RefundLines:
    """The refund task `subject` is paid out at the marketplace (OR28; one call carries all its lines)."""

    subject: str
    lines: tuple[LineRefund, ...]
    currency: str
    tax_mode: str
    reason_code: str
    call_class: ClassVar[CallClass] = "D"
    lane: ClassVar[Lane] = "edits"
    platform: ClassVar[Platform] = "mirakl"


@dataclass(frozen=True, slots=True)
class SendMessage:
    """A message a person approved is in the order's thread (OR43). Its text is kept encrypted under `text_id`;
    `recipients` are CUSTOMER and OPERATOR. Nothing at the marketplace tells afterwards whether it arrived."""

    text_id: str
    topic: str
    recipients: tuple[str, ...]
    call_class: ClassVar[CallClass] = "D"
    lane: ClassVar[Lane] = "edits"
    platform: ClassVar[Platform] = "mirakl"


@dataclass(frozen=True, slots=True)
class SetTracking:
    """The marketplace order carries this tracking (OR23). Either `carrier_code` (registered) or
    `carrier_name` with `url` (unregistered)."""

    carrier_code: str
    carrier_name: str
    number: str
    url: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "shipping"
    platform: ClassVar[Platform] = "mirakl"


@dataclass(frozen=True, slots=True)
class ShipOrder:
    """The whole marketplace order is shipped (OR24)."""

    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "shipping"
    platform: ClassVar[Platform] = "mirakl"


@dataclass(frozen=True, slots=True)
class CreateShipment:
    """The marketplace has a shipment of one parcel (ST01). `lines` are units per Mirakl line, `marker` its
    `invoice_reference`, by which it is found again (ST11). Either `carrier_code` (registered) or `carrier_name` with
    `url` (unregistered), or neither where the parcel has no tracking. `warehouse` is the marketplace's code of the place
    it leaves from, empty for none."""

    marker: str
    lines: tuple[tuple[str, int], ...]
    carrier_code: str = ""
    carrier_name: str = ""
    number: str = ""
    url: str = ""
    warehouse: str = ""
    call_class: ClassVar[CallClass] = "C"
    lane: ClassVar[Lane] = "shipping"
    platform: ClassVar[Platform] = "mirakl"

    @property
    def subject(self) -> str:
        """The subject of the case that a refusal opens."""
        return f"shipment {self.marker}"


@dataclass(frozen=True, slots=True)
class TrackShipment:
    """The shipment carries this tracking (ST23). `carrier_code`, `carrier_name` and `url` as in CreateShipment."""

    shipment_id: str
    carrier_code: str
    carrier_name: str
    number: str
    url: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "shipping"
    platform: ClassVar[Platform] = "mirakl"

    @property
    def subject(self) -> str:
        """The subject of the case that a refusal opens."""
        return f"tracking {self.number} of {self.shipment_id}"


@dataclass(frozen=True, slots=True)
class ValidateShipment:
    """The shipment has left (ST24)."""

    shipment_id: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "shipping"
    platform: ClassVar[Platform] = "mirakl"

    @property
    def subject(self) -> str:
        """The subject of the case that a refusal opens."""
        return f"dispatch {self.shipment_id}"


@dataclass(frozen=True, slots=True)
class DeleteShipment:
    """The shipment, of which nobody was told that it left, is gone (ST06)."""

    shipment_id: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "shipping"
    platform: ClassVar[Platform] = "mirakl"

    @property
    def subject(self) -> str:
        """The subject of the case that a refusal opens."""
        return f"deletion {self.shipment_id}"


@dataclass(frozen=True, slots=True)
class PublishStock:
    """The offers of a connection show these quantities (STO01). The lines are kept with the import; `lines` counts them and
    `digest` is theirs, so that the ledger can tell one file from another. It belongs to a connection and to no order.

    Absolute figures, the last file wins, but it wins when the marketplace works it off: a file of unclear outcome may
    still overwrite a later one, so none is sent beside it."""

    lines: int
    digest: str
    call_class: ClassVar[CallClass] = "B"
    lane: ClassVar[Lane] = "rest"
    platform: ClassVar[Platform] = "mirakl"


ShopifyAction: TypeAlias = (
    CreateDraft
    | FillDraftAddress
    | CompleteDraft
    | DeleteDraft
    | CreateOrder
    | FillOrderAddress
    | MarkOrder
    | MarkPaid
    | PlaceHold
    | ReleaseHold
    | CancelShopifyOrder
    | EditShopifyOrder
    | SetOrderAddress
    | AskServiceToStop
    | ClearMarker
    | ShowStatus
    | ClearStatus
)
StatusAction: TypeAlias = ShowStatus | ClearStatus
"""For the eyes of staff alone: nothing waits for it, and nothing is looked at again because of it."""
TellsTracking: TypeAlias = SetTracking | CreateShipment | TrackShipment
ShipmentAction: TypeAlias = CreateShipment | TrackShipment | ValidateShipment | DeleteShipment
MiraklAction: TypeAlias = (
    AnswerAcceptance
    | SetSellerReference
    | CancelQuantities
    | CancelMiraklOrder
    | RefundLines
    | SendMessage
    | SetTracking
    | ShipOrder
    | ShipmentAction
)
Action: TypeAlias = ShopifyAction | MiraklAction
ConnectionAction: TypeAlias = PublishStock
"""What is done for a connection as a whole: kept in the same ledger, wanted by no order's plan."""
