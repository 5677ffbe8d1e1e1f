"""Everything Interlock may do to a platform, as target states, never deltas.

Each action names its call class (what may happen when its outcome is unclear), its lane and its platform:
A keyed, B guarded by state or last write wins, C findable by a marker, D neither.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal, TypeAlias

from interlock.orders.snapshots import Tax

CallClass = Literal["A", "B", "C", "D"]
Lane = Literal["acceptance", "holds", "edits", "shipping", "rest"]
Platform = Literal["mirakl", "shopify"]


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One line to create in Shopify. Several may stand for one Mirakl line (when its total does not divide by
    its quantity). `variant_id` is empty for a custom line. `unit_price` is what the customer pays per unit,
    taxes included."""

    mirakl_line_id: str
    sku: str
    title: str
    variant_id: str
    quantity: int
    unit_price: Decimal
    taxes: tuple[Tax, ...] = ()


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
    cancelled once it is reached; the other figures are what is sent now."""

    line_id: str
    cancelled_total: int
    quantity: int
    amount: Decimal
    shipping_amount: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]


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
)
MiraklAction: TypeAlias = (
    AnswerAcceptance | SetSellerReference | CancelQuantities | CancelMiraklOrder | SetTracking | ShipOrder
)
Action: TypeAlias = ShopifyAction | MiraklAction
