"""What each platform showed of one order at one moment. No personal data: addresses are digests.

Enumerations of the platforms stay strings, because both platforms add values without notice.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

# Mirakl order states, grouped by what a seller may do (Mirakl reference 3.2).
BEFORE_ACCEPTANCE = ("STAGING", "WAITING_ACCEPTANCE")
BEFORE_DEBIT_DONE = ("WAITING_DEBIT", "WAITING_DEBIT_PAYMENT")
TO_SHIP = ("SHIPPING",)
GONE_OUT = ("SHIPPED", "TO_COLLECT", "RECEIVED", "CLOSED")
DEAD = ("REFUSED", "CANCELED")
ENDED = ("RECEIVED", "CLOSED", *DEAD)
"""The marketplace expects nothing more of the shop in these states."""
KNOWN_STATES = (*BEFORE_ACCEPTANCE, *BEFORE_DEBIT_DONE, *TO_SHIP, *GONE_OUT, *DEAD)


@dataclass(frozen=True, slots=True)
class Address:
    """An address as a keyed digest of its normalised parts. `digest` is empty when the platform showed none;
    `complete` means a parcel could be delivered with it (name, street, city, postcode where the country has
    one, country). `contact` is a keyed digest of its telephone number, empty when the platform showed none; it is no
    part of `digest`, because platforms write numbers differently."""

    digest: str
    complete: bool
    contact: str = ""


NO_ADDRESS = Address("", False)


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax of a line, a cancelation or a refund. `rule` is PROPORTIONAL_TO_AMOUNT, NONE or unknown (None).

    `operator_collected` means that the customer pays it and the seller never receives it: no part of its amount
    breakdown is `payable_to_shop` (OR11).
    """

    code: str
    amount: Decimal
    rate: Decimal | None = None
    rule: str | None = None
    operator_collected: bool = False


@dataclass(frozen=True, slots=True)
class Fee:
    """One order fee charged on a line, such as a deposit (OR11 `fees`). It carries no tax of its own."""

    code: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Reduction:
    """A cancelation (OR30, or made by the operator) or a refund (OR28, or made in the portal) of one line.

    `quantity` is what the platform says and only informative for it; `amount` and `shipping_amount` drive it.
    `state` is empty for cancelations and the refund state for refunds. `fees` are the order fees it took back,
    `commission` the commission with its taxes (`commission_total_amount`).
    """

    id: str
    quantity: int
    amount: Decimal
    shipping_amount: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]
    reason_code: str
    created_at: datetime | None
    state: str = ""
    fees: tuple[Fee, ...] = ()
    commission: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class MiraklLine:
    """One order line of OR11. Amounts are in the order's tax mode. `fees` are the line's order fees, which the order's
    total contains besides prices and shipping. `commission` is what the marketplace keeps of the line, its taxes
    included (`total_commission`); `fees` are no part of it."""

    id: str
    sku: str
    title: str
    state: str
    quantity: int
    price_unit: Decimal
    price: Decimal
    shipping_price: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]
    can_refund: bool
    debited_at: datetime | None
    cancelations: tuple[Reduction, ...] = ()
    refunds: tuple[Reduction, ...] = ()
    fees: tuple[Fee, ...] = ()
    commission: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Shipment:
    """One shipment of a marketplace order, where multi-shipment is on (ST11). `lines` are units per order line; `marker`
    is its `invoice_reference`, by which ours are found again."""

    id: str
    state: str
    lines: tuple[tuple[str, int], ...]
    marker: str = ""
    carrier_code: str = ""
    carrier_name: str = ""
    tracking_number: str = ""
    tracking_url: str = ""

    @property
    def alive(self) -> bool:
        return self.state != "CANCELED"

    @property
    def validated(self) -> bool:
        """Whether somebody has said that it left (Mirakl reference 3.6)."""
        return self.state not in ("SHIPPING", "READY_FOR_PICK_UP", "CANCELED")


@dataclass(frozen=True, slots=True)
class MiraklOrder:
    """One logistic order as OR11 showed it at `observed_at`.

    `unknown` lists values of decision fields this version does not know, as `field=value`. `to_ship` is what is left
    to ship per line (ST12), None where it was not asked or is not offered; a line that is missing has nothing left.
    `order_level_tax` means that taxes are computed for the whole order (it carries `order_taxes`). `country` is where
    the parcel goes (ISO 3166 alpha-2), empty while the address is hidden or the platform names none. `relay` is a keyed
    digest of the marketplace's relay address for the customer (`customer_notification_email`), empty where none is shown.
    `shipments` are those of the order, oldest first (ST11); None where they were not asked for, or not shown:
    `shipments_hidden` is then `off` where the marketplace has no multi-shipment, and `forbidden` where our key's role
    may not read them.
    """

    order_id: str
    commercial_id: str
    state: str
    created_at: datetime
    updated_at: datetime
    observed_at: datetime
    payment_workflow: str
    currency: str
    tax_mode: str
    total_price: Decimal
    can_cancel: bool
    can_ship: bool
    has_incident: bool
    debited_at: datetime | None
    acceptance_decided_at: datetime | None
    shipping_deadline: datetime | None
    shipping_type_code: str
    tracking_carrier_code: str
    tracking_carrier_name: str
    tracking_number: str
    seller_reference: str
    fulfillment_center: str
    customer_pays_seller: bool
    address: Address
    lines: tuple[MiraklLine, ...]
    unknown: tuple[str, ...] = ()
    to_ship: tuple[tuple[str, int], ...] | None = None
    order_level_tax: bool = False
    country: str = ""
    relay: str = ""
    shipments: tuple[Shipment, ...] | None = None
    shipments_hidden: Literal["", "off", "forbidden"] = ""
    tracking_url: str = ""

    @property
    def to_ship_from(self) -> datetime:
        """When the time to ship began that ends at `shipping_deadline`: with the debit, where there was one (OR11
        `customer_debited_date`), else with the acceptance."""
        return self.debited_at or self.acceptance_decided_at or self.created_at


@dataclass(frozen=True, slots=True)
class ShopifyLine:
    """One LineItem. `current_quantity` is what the customer is to get; `quantity` never goes down.

    `unit_price` is after all discounts, in presentment money. `mirakl_line_id` is our line attribute
    `_mirakl_line_id`, empty when the line carries none. `fulfilled_quantity` counts live fulfillments. `group` is the
    LineItemGroup a bundle's component belongs to, empty for any other line.
    """

    id: str
    sku: str
    title: str
    variant_id: str
    quantity: int
    current_quantity: int
    fulfilled_quantity: int
    unit_price: Decimal
    requires_shipping: bool
    mirakl_line_id: str
    group: str = ""

    @property
    def custom(self) -> bool:
        """Whether no variant stands behind it: a custom item, or one whose variant was deleted (LineItem.variant)."""
        return not self.variant_id


@dataclass(frozen=True, slots=True)
class Hold:
    """A FulfillmentHold. `ours` means held by the requesting app, whatever the handle."""

    id: str
    handle: str
    ours: bool
    notes: str


@dataclass(frozen=True, slots=True)
class FulfillmentOrder:
    """A FulfillmentOrder with what is left to ship per Shopify line id.

    `third_party` means that its location is a fulfilment service. `stop_request` tells whether that service was asked
    to give the request back: `ASKED`, `ACCEPTED` or `REFUSED`, empty where it was not asked since the last request;
    `request_status` alone may still read ACCEPTED (Shopify reference 10.1). `can_hold` and `can_ask_to_stop` are
    what Shopify offers now (supportedActions HOLD, REQUEST_CANCELLATION). `delivery` is how its units reach the customer
    (DeliveryMethodType), empty where Shopify does not say.
    """

    id: str
    status: str
    request_status: str
    can_hold: bool
    holds: tuple[Hold, ...]
    remaining: tuple[tuple[str, int], ...]
    destination: Address
    location_id: str
    third_party: bool = False
    stop_request: str = ""
    can_ask_to_stop: bool = False
    delivery: str = ""

    @property
    def collected(self) -> bool:
        """Whether the customer fetches it, so that it goes to no address (DeliveryMethodType PICK_UP, RETAIL)."""
        return self.delivery in ("PICK_UP", "RETAIL")

    @property
    def with_service(self) -> bool:
        """Whether a fulfilment service has the request, so that a hold recalls nothing (Shopify reference 10.4)."""
        return self.request_status in (
            "SUBMITTED",
            "ACCEPTED",
            "CANCELLATION_REQUESTED",
            "CANCELLATION_REJECTED",
        )

    @property
    def is_open(self) -> bool:
        """Whether anything could still be shipped from it."""
        return self.status not in ("CLOSED", "CANCELLED") and any(n > 0 for _, n in self.remaining)


@dataclass(frozen=True, slots=True)
class Fulfillment:
    """A Fulfillment that exists (cancelled ones have `live` false). `tracking` is the first complete one.

    `display_status` is what Shopify calls it: LABEL_PURCHASED, LABEL_PRINTED or LABEL_VOIDED for a label bought in
    Shopify, else how far the parcel is; empty where Shopify names none. `location_id` is where it left from.
    """

    id: str
    live: bool
    created_at: datetime
    lines: tuple[tuple[str, int], ...]
    carrier: str
    tracking_number: str
    tracking_url: str
    display_status: str = ""
    location_id: str = ""

    @property
    def only_a_label(self) -> bool:
        """Whether there is a label but no sign yet that the parcel moved."""
        return self.live and self.display_status in ("LABEL_PURCHASED", "LABEL_PRINTED")

    @property
    def label_voided(self) -> bool:
        """Whether its label was given back: the parcel does not leave under it."""
        return self.display_status == "LABEL_VOIDED"


@dataclass(frozen=True, slots=True)
class ShopifyRefund:
    """A Refund. `money` is what SUCCESS refund transactions moved, zero for a removal by an edit."""

    id: str
    created_at: datetime
    money: Decimal
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Traces:
    """What a Shopify order says of where it came from, without personal data.

    `attribute` is our order attribute `mirakl_order_id` and `lineage` our plain lineage metafield: an app that copies
    an order copies the one and may copy the other. `app` is the title of the app that made it (Order.app), empty where
    the shop names none. `email` is a keyed digest of Order.email. `mentions` are the places (tag, note, attribute,
    source) in which one of the numbers that were asked for stands.
    """

    attribute: str = ""
    lineage: str = ""
    app: str = ""
    email: str = ""
    mentions: tuple[str, ...] = ()


NO_TRACES = Traces()


@dataclass(frozen=True, slots=True)
class Stranger:
    """A Shopify order that is none of ours, as far as it may tell which of ours it replaces. It is looked up and not
    kept: `marker` is our order attribute or lineage metafield, `order_ids` the Mirakl orders our tags on it name,
    `words` what in its attributes, source or note may be a number, `email` and `address` are keyed digests."""

    id: str
    name: str
    cancelled: bool = False
    marker: str = ""
    order_ids: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    email: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class ShopifyOrder:
    """One Shopify order as read by id at `observed_at`.

    `editable` is whether our app may edit its lines now (merchantEditable), `edit_obstacles` why not, in Shopify's
    words; `closed` means archived. `edited` is true once lines were edited. `notes_digest` is a keyed digest of the
    note and of all order and line attributes: it tells that they changed, not what they say. `status` is our status
    metafield, empty where there is none. `takes_marketing` means that the order's customer is or is about to be subscribed
    to e-mail marketing (CustomerEmailAddress.marketingState); false also where our app may not see customers.
    """

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    observed_at: datetime
    cancelled_at: datetime | None
    closed: bool
    editable: bool
    currency: str
    total: Decimal
    shipping_total: Decimal
    paid: bool
    marker: str
    tags: tuple[str, ...]
    address: Address
    lines: tuple[ShopifyLine, ...]
    fulfillment_orders: tuple[FulfillmentOrder, ...]
    fulfillments: tuple[Fulfillment, ...]
    refunds: tuple[ShopifyRefund, ...]
    edited: bool = False
    edit_obstacles: tuple[str, ...] = ()
    notes_digest: str = ""
    traces: Traces = NO_TRACES
    status: str = ""
    takes_marketing: bool = False

    @property
    def live(self) -> bool:
        return self.cancelled_at is None

    def to_come(self, line: ShopifyLine) -> int:
        """Units of the line that left or may still leave. `current_quantity` says less once a unit that left was refunded: it
        falls, and the units not yet shipped are as many as before."""
        left = line.fulfilled_quantity
        rest = sum(
            n for fo in self.fulfillment_orders if fo.is_open for id, n in fo.remaining if id == line.id
        )
        return max(line.current_quantity, min(left + rest, line.quantity) if left else 0)

    def to_leave(self, line: ShopifyLine) -> int:
        """Units of the line that have not left and may still leave."""
        return self.to_come(line) - line.fulfilled_quantity

    def least(self, line: ShopifyLine) -> int:
        """The lowest `current_quantity` an order edit can give the line: what left of it and was not refunded since."""
        return max(line.current_quantity - self.to_leave(line), 0)


OPEN_DRAFT = ("OPEN", "INVOICE_SENT")
"""A draft order in these states (DraftOrderStatus) was not completed."""


@dataclass(frozen=True, slots=True)
class Draft:
    """One DraftOrder. `order_id` is set once it was completed; `reserved` while it holds stock for us."""

    id: str
    status: Literal["OPEN", "INVOICE_SENT", "COMPLETED"] | str
    created_at: datetime
    observed_at: datetime
    order_id: str
    total: Decimal
    currency: str
    reserved: bool
    address: Address


@dataclass(frozen=True, slots=True)
class OfferPart:
    """One article of which `units` are in one unit of a bundle, as the shop knows it: the other fields are those of
    `Offer`."""

    sku: str
    units: int
    variant_id: str
    matches: int
    available: int | None
    unit_price: Decimal | None


@dataclass(frozen=True, slots=True)
class Offer:
    """A SKU of the order as the shop knows it. `variant_id` is empty when the SKU is unknown or ambiguous
    (`matches` tells how many variants carry it); `available` is None where stock is not tracked. `unit_price` is in `currency`,
    the shop's own; `taxes_included` says whether the shop's prices contain taxes (Shop.taxesIncluded). `parts` are the articles
    of a bundle, which has no variant of its own; its price is theirs together."""

    sku: str
    variant_id: str
    matches: int
    available: int | None
    unit_price: Decimal | None
    currency: str = ""
    parts: tuple[OfferPart, ...] = ()
    taxes_included: bool = False
