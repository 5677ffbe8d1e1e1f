"""What a simulated shop holds: its nouns, with the derived figures of reference section 6."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from interlock.simulator.shopify.money import ZERO, Amount, Bag, rounded


@dataclass(slots=True, eq=False, repr=False)
class App:
    """An app of the same organisation. `secrets` are in order of creation; webhooks use the first unrevoked."""

    number: int
    name: str
    handle: str
    client_id: str
    secrets: list[str]
    scopes: tuple[str, ...]
    installed_in: list[str] = field(default_factory=list)

    @property
    def gid(self) -> str:
        return f"gid://shopify/App/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class Staff:
    """A member of the shop's staff."""

    number: int
    first_name: str
    last_name: str
    email: str

    @property
    def gid(self) -> str:
        return f"gid://shopify/StaffMember/{self.number}"

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something. `label` is the word used in the effect log."""

    label: str
    app: App | None = None
    staff: Staff | None = None


SYSTEM = Actor("system")


@dataclass(slots=True, eq=False, repr=False)
class Token:
    """An access token: of one app in one shop, bound to the secret it was obtained with."""

    value: str
    app: App
    shop: "Shop"
    secret: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Service:
    """How a fulfilment service behaves by itself; seconds, and None means that it waits to be told.

    `auto_request` has orders submitted to it as soon as they are routed. `cancellation` is what it does with a request
    to give an order back: `accepts`, `rejects` or `ignores`. It ships `ships_after` seconds after it accepted.
    """

    auto_request: bool = False
    accepts: bool = True
    answers_after: float | None = None
    cancellation: str = "accepts"
    cancellation_after: float | None = None
    ships_after: float | None = None


@dataclass(slots=True, eq=False, repr=False)
class Location:
    number: int
    name: str
    active: bool = True
    fulfillment_service: bool = False
    fulfills_online_orders: bool = True
    ships_inventory: bool = True
    country: str = "CA"
    service: Service | None = None

    @property
    def gid(self) -> str:
        return f"gid://shopify/Location/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class Level:
    """Stock of one item at one location. on_hand = available + committed + reserved (reference 14.1). One that is not
    `stocked` any more is inactive: only who asks for inactive levels is shown it.

    For judges: `counted_in` is everything stock counts ever put there, `shipped` what left with fulfilments, `past` what
    was available from when on."""

    variant: "Variant"
    location: Location
    available: int
    committed: int = 0
    reserved: int = 0
    stocked: bool = True
    updated_at: datetime | None = None
    counted_in: int = 0
    shipped: int = 0
    past: list[tuple[datetime, int]] = field(default_factory=list)

    @property
    def on_hand(self) -> int:
        return self.available + self.committed + self.reserved

    @property
    def gid(self) -> str:
        return f"gid://shopify/InventoryLevel/{self.location.number}?inventory_item_id={self.variant.item_number}"

    @property
    def active(self) -> bool:
        return self.stocked and self.location.active


@dataclass(slots=True, eq=False, repr=False)
class Variant:
    number: int
    item_number: int
    product_number: int
    sku: str | None
    title: str
    price: Decimal
    created_at: datetime
    requires_shipping: bool = True
    taxable: bool = True
    tracked: bool = True
    oversell: bool = False
    vendor: str | None = None
    barcode: str | None = None
    variant_title: str | None = None
    product_status: str = "ACTIVE"
    requires_components: bool = False
    deleted: bool = False
    levels: dict[int, Level] = field(default_factory=dict)

    @property
    def gid(self) -> str:
        return f"gid://shopify/ProductVariant/{self.number}"

    @property
    def item_gid(self) -> str:
        return f"gid://shopify/InventoryItem/{self.item_number}"

    @property
    def available(self) -> int:
        return sum(level.available for level in self.levels.values() if level.location.active)


@dataclass(slots=True, eq=False, repr=False)
class Address:
    """A postal address; the country is its two-letter code."""

    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    province: str | None = None
    province_code: str | None = None
    zip: str | None = None
    country_code: str | None = None
    phone: str | None = None
    number: int = 0

    @property
    def gid(self) -> str:
        return f"gid://shopify/MailingAddress/{self.number}?model_name=Address"

    @property
    def name(self) -> str | None:
        return " ".join(part for part in (self.first_name, self.last_name) if part) or None


@dataclass(slots=True, eq=False, repr=False)
class TaxLine:
    """A tax on a line for all units ever ordered; `amount` is in the order's presentment currency."""

    title: str
    rate: Decimal
    amount: Decimal
    channel_liable: bool | None = None


@dataclass(slots=True, eq=False, repr=False)
class LineGroup:
    """The bundle some lines are the components of."""

    number: int
    title: str
    quantity: int

    @property
    def gid(self) -> str:
        return f"gid://shopify/LineItemGroup/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class LineItem:
    """One line. Units are counted where they end: `removed` before fulfilment, `returned` after it."""

    number: int
    order: "Order"
    variant: Variant | None
    sku: str | None
    title: str
    variant_title: str | None
    vendor: str | None
    quantity: int
    unit_price: Decimal
    requires_shipping: bool
    taxable: bool
    attributes: list[tuple[str, str]]
    taxes: list[TaxLine]
    gift_card: bool = False
    discount_per_unit: Decimal = ZERO
    removed: int = 0
    returned: int = 0
    fulfilled: int = 0
    claims: dict[int, int] = field(default_factory=dict)
    group: LineGroup | None = None

    @property
    def gid(self) -> str:
        return f"gid://shopify/LineItem/{self.number}"

    @property
    def name(self) -> str:
        return f"{self.title} - {self.variant_title}" if self.variant_title else self.title

    @property
    def current_quantity(self) -> int:
        """Ordered minus removed and refunded units (reference 6.1)."""
        return self.quantity - self.removed - self.returned

    @property
    def unfulfilled_quantity(self) -> int:
        return self.quantity - self.removed - self.fulfilled

    @property
    def net_unit_price(self) -> Decimal:
        return self.unit_price - self.discount_per_unit

    def held_quantity(self) -> int:
        return sum(
            item.remaining
            for order in self.order.fulfillment_orders
            if order.holds
            for item in order.lines
            if item.line is self
        )

    def tax_of(self, units: int) -> Decimal:
        """The line's tax for so many units at today's discount."""
        if not self.taxes or self.quantity == 0:
            return ZERO
        whole = sum((tax.amount for tax in self.taxes), ZERO)
        share = whole * units / self.quantity
        if self.discount_per_unit and self.unit_price:
            share = share * self.net_unit_price / self.unit_price
        return rounded(share, self.order.presentment_currency)


@dataclass(slots=True, eq=False, repr=False)
class ShippingLine:
    number: int
    title: str
    code: str | None
    source: str | None
    price: Decimal
    taxes: list[TaxLine] = field(default_factory=list)
    removed: bool = False

    @property
    def gid(self) -> str:
        return f"gid://shopify/ShippingLine/{self.number}"

    @property
    def tax(self) -> Decimal:
        return sum((tax.amount for tax in self.taxes), ZERO)


@dataclass(slots=True, eq=False, repr=False)
class Transaction:
    number: int
    kind: str
    status: str
    gateway: str
    amount: Decimal
    at: datetime
    test: bool = False
    parent: "Transaction | None" = None

    @property
    def gid(self) -> str:
        return f"gid://shopify/OrderTransaction/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class RefundLine:
    number: int
    line: LineItem
    quantity: int
    restock_type: str
    location: Location | None
    subtotal: Decimal
    tax: Decimal
    had_left: int = 0

    @property
    def restocked(self) -> bool:
        return self.restock_type in ("CANCEL", "RETURN")


@dataclass(slots=True, eq=False, repr=False)
class Refund:
    number: int
    order: "Order"
    at: datetime
    note: str | None
    lines: list[RefundLine]
    transactions: list[Transaction]
    shipping: Decimal = ZERO
    adjustment: Decimal = ZERO
    adjustment_reason: str | None = None
    staff: Staff | None = None

    @property
    def gid(self) -> str:
        return f"gid://shopify/Refund/{self.number}"

    @property
    def money(self) -> Decimal:
        """What really went back: successful refund transactions only (reference 12)."""
        return sum(
            (t.amount for t in self.transactions if t.kind == "REFUND" and t.status == "SUCCESS"), ZERO
        )


@dataclass(slots=True, eq=False, repr=False)
class Sale:
    """One signed entry of an agreement (reference 6.3)."""

    number: int
    action: str
    line_type: str
    quantity: int | None
    amount: Decimal
    tax: Decimal
    line: LineItem | None = None
    shipping: ShippingLine | None = None


@dataclass(slots=True, eq=False, repr=False)
class Agreement:
    number: int
    order: "Order"
    kind: str
    at: datetime
    actor: Actor
    sales: list[Sale]
    refund: Refund | None = None

    @property
    def gid(self) -> str:
        return f"gid://shopify/{_AGREEMENT_TYPES[self.kind]}/{self.number}"

    @property
    def type_name(self) -> str:
        return _AGREEMENT_TYPES[self.kind]


_AGREEMENT_TYPES = {
    "ORDER": "OrderAgreement",
    "ORDER_EDIT": "OrderEditAgreement",
    "REFUND": "RefundAgreement",
}


@dataclass(slots=True, eq=False, repr=False)
class TimelineEvent:
    number: int
    action: str
    message: str
    at: datetime
    actor: Actor

    @property
    def gid(self) -> str:
        return f"gid://shopify/BasicEvent/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class Metafield:
    number: int
    namespace: str
    key: str
    type: str
    value: str
    created_at: datetime
    updated_at: datetime
    owner_type: str

    @property
    def gid(self) -> str:
        return f"gid://shopify/Metafield/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class AppData:
    """The metafields of an AppInstallation: only its app sees them, and they need no scope."""

    number: int
    metafields: dict[tuple[str, str], Metafield] = field(default_factory=dict)


@dataclass(slots=True, eq=False, repr=False)
class Customer:
    """A customer of the shop, known by an e-mail address (reference 5.1: an address alone makes or links one).
    `marketing` is a CustomerEmailAddressMarketingState."""

    number: int
    email: str
    marketing: str = "NOT_SUBSCRIBED"

    @property
    def gid(self) -> str:
        return f"gid://shopify/Customer/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class MetafieldDefinition:
    number: int
    namespace: str
    key: str
    type: str
    name: str
    owner_type: str

    @property
    def gid(self) -> str:
        return f"gid://shopify/MetafieldDefinition/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class Hold:
    number: int
    reason: str
    notes: str | None
    handle: str
    app: App | None
    actor: Actor
    placed_at: datetime

    @property
    def gid(self) -> str:
        return f"gid://shopify/FulfillmentHold/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class FulfillmentOrderLine:
    number: int
    line: LineItem
    total: int
    remaining: int

    @property
    def gid(self) -> str:
        return f"gid://shopify/FulfillmentOrderLineItem/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class MerchantRequest:
    """What a fulfilment service was asked: kind FULFILLMENT_REQUEST or CANCELLATION_REQUEST."""

    number: int
    fulfillment_order: "FulfillmentOrder"
    kind: str
    message: str | None
    sent_at: datetime

    @property
    def gid(self) -> str:
        return f"gid://shopify/FulfillmentOrderMerchantRequest/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class FulfillmentOrder:
    number: int
    order: "Order"
    location: Location
    lines: list[FulfillmentOrderLine]
    destination: Address | None
    created_at: datetime
    updated_at: datetime
    closed: bool = False
    closed_at: datetime | None = None
    cancelled: bool = False
    progress_reported: bool = False
    holds: list[Hold] = field(default_factory=list)
    split_rest: "FulfillmentOrder | None" = None
    fulfillments: list["Fulfillment"] = field(default_factory=list)
    request: str = "UNSUBMITTED"
    request_before: str = "UNSUBMITTED"
    request_shows_from: datetime | None = None
    requests: list[MerchantRequest] = field(default_factory=list)
    scheduled_for: datetime | None = None
    label_pending: bool = False

    @property
    def gid(self) -> str:
        return f"gid://shopify/FulfillmentOrder/{self.number}"

    @property
    def remaining(self) -> int:
        return sum(item.remaining for item in self.lines)

    @property
    def partly_fulfilled(self) -> bool:
        return any(item.remaining < item.total for item in self.lines)

    @property
    def status(self) -> str:
        if self.cancelled:
            return "CANCELLED"
        if self.closed:
            return "CLOSED"
        if self.holds:
            return "ON_HOLD"
        if self.scheduled_for is not None:
            return "SCHEDULED"
        if self.progress_reported or self.partly_fulfilled or self.with_service:
            return "IN_PROGRESS"
        return "OPEN"

    @property
    def with_service(self) -> bool:
        """Whether a fulfilment service has accepted the request and has not given it back."""
        return self.request in ("ACCEPTED", "CANCELLATION_REQUESTED", "CANCELLATION_REJECTED")

    def request_status(self, now: datetime) -> str:
        """What `requestStatus` reads: right after a cancellation request still what it was (recorded, reference 10.1)."""
        late = self.request_shows_from is None or now < self.request_shows_from
        return self.request_before if self.request == "CANCELLATION_REQUESTED" and late else self.request

    @property
    def open(self) -> bool:
        return not self.closed and not self.cancelled


@dataclass(slots=True, eq=False, repr=False)
class Tracking:
    company: str | None
    number: str | None
    url: str | None


@dataclass(slots=True, eq=False, repr=False)
class FulfillmentLine:
    number: int
    line: LineItem
    quantity: int
    source: FulfillmentOrderLine
    fulfillment_order: FulfillmentOrder

    @property
    def gid(self) -> str:
        return f"gid://shopify/FulfillmentLineItem/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class Fulfillment:
    number: int
    order: "Order"
    name: str
    location: Location
    lines: list[FulfillmentLine]
    tracking: list[Tracking]
    created_at: datetime
    updated_at: datetime
    display_status: str = "FULFILLED"
    status: str = "SUCCESS"

    @property
    def gid(self) -> str:
        return f"gid://shopify/Fulfillment/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class Order:
    """An order. `route` is `order` (orderCreate) or `draft` (completed draft)."""

    number: int
    shop: "Shop"
    sequence: int
    name: str
    route: str
    app: App | None
    created_by: Actor
    created_at: datetime
    processed_at: datetime
    updated_at: datetime
    currency: str
    presentment_currency: str
    fx: Decimal
    taxes_included: bool
    source_identifier: str | None = None
    source_name: str | None = None
    source_url: str | None = None
    po_number: str | None = None
    note: str | None = None
    email: str | None = None
    phone: str | None = None
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    metafields: dict[tuple[str, str], Metafield] = field(default_factory=dict)
    shipping_address: Address | None = None
    billing_address: Address | None = None
    lines: list[LineItem] = field(default_factory=list)
    shipping_lines: list[ShippingLine] = field(default_factory=list)
    order_taxes: list[TaxLine] = field(default_factory=list)
    order_taxes_base: Decimal = ZERO
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    agreements: list[Agreement] = field(default_factory=list)
    edits: int = 0
    events: list[TimelineEvent] = field(default_factory=list)
    fulfillment_orders: list[FulfillmentOrder] = field(default_factory=list)
    fulfillments: list[Fulfillment] = field(default_factory=list)
    tax_rate_of_additions: Decimal = ZERO
    stated_financial_status: str | None = None
    original_total: Decimal = ZERO
    test: bool = False
    tax_exempt: bool = False
    edited: bool = False
    routed: bool = False
    closed_at: datetime | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    cancel_note: str | None = None
    indexed: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)

    @property
    def gid(self) -> str:
        return f"gid://shopify/Order/{self.number}"

    def bag(self, amount: Decimal) -> Bag:
        """An amount given in the presentment currency, in both currencies."""
        if self.currency == self.presentment_currency:
            one = Amount(amount, self.currency)
            return Bag(one, one)
        return Bag(
            Amount(rounded(amount * self.fx, self.currency), self.currency),
            Amount(amount, self.presentment_currency),
        )

    # Sums of section 6.2: the `current` family counts what is left, the others what was ever ordered.

    def subtotal(self, *, current: bool) -> Decimal:
        return sum(
            (
                line.net_unit_price * (line.current_quantity if current else line.quantity)
                for line in self.lines
            ),
            ZERO,
        )

    def shipping_total(self) -> Decimal:
        return ZERO if self.cancelled_at else self.shipping_ordered()

    def shipping_ordered(self) -> Decimal:
        return sum((line.price for line in self.shipping_lines if not line.removed), ZERO)

    def tax_total(self, *, current: bool) -> Decimal:
        total = sum(
            (line.tax_of(line.current_quantity if current else line.quantity) for line in self.lines), ZERO
        )
        if not (current and self.cancelled_at):
            total += sum((line.tax for line in self.shipping_lines if not line.removed), ZERO)
        if self.order_taxes:
            whole = sum((tax.amount for tax in self.order_taxes), ZERO)
            base = self.order_taxes_base
            share = self.subtotal(current=current) / base if base else Decimal(1)
            total += rounded(whole * share, self.presentment_currency)
        return total

    def total(self, *, current: bool) -> Decimal:
        shipping = self.shipping_total() if current else self.shipping_ordered()
        tax = ZERO if self.taxes_included else self.tax_total(current=current)
        return self.subtotal(current=current) + shipping + tax

    @property
    def received(self) -> Decimal:
        return sum(
            (t.amount for t in self.transactions if t.kind in ("SALE", "CAPTURE") and t.status == "SUCCESS"),
            ZERO,
        )

    @property
    def refunded(self) -> Decimal:
        return sum(
            (t.amount for t in self.transactions if t.kind == "REFUND" and t.status == "SUCCESS"), ZERO
        )

    @property
    def net_payment(self) -> Decimal:
        return self.received - self.refunded

    @property
    def outstanding(self) -> Decimal:
        """Negative means a refund is owed (reference 6.2)."""
        return self.total(current=True) - self.net_payment

    @property
    def financial_status(self) -> str | None:
        if self.stated_financial_status is not None:
            return self.stated_financial_status
        received, refunded = self.received, self.refunded
        if refunded and refunded >= received:
            return "REFUNDED"
        if refunded:
            return "PARTIALLY_REFUNDED"
        if received and received < self.total(current=True):
            return "PARTIALLY_PAID"
        if received:
            return "PAID"
        if self.cancelled_at:
            return "VOIDED"
        return "PENDING" if self.total(current=False) else "PAID"

    @property
    def fulfillment_status(self) -> str:
        """`displayFulfillmentStatus`: held only if every unfulfilled item is held (reference 6.2)."""
        fulfilled = sum(line.fulfilled for line in self.lines)
        unfulfilled = sum(line.unfulfilled_quantity for line in self.lines)
        if fulfilled and not unfulfilled:
            return "FULFILLED"
        if fulfilled:
            return "PARTIALLY_FULFILLED"
        waiting = [order for order in self.fulfillment_orders if order.open]
        if waiting and all(order.holds for order in waiting):
            return "ON_HOLD"
        if any(order.progress_reported for order in waiting):
            return "IN_PROGRESS"
        return "UNFULFILLED"


@dataclass(slots=True, eq=False, repr=False)
class DraftLine:
    number: int
    uuid: str
    variant: Variant | None
    sku: str | None
    title: str
    variant_title: str | None
    quantity: int
    unit_price: Decimal
    override: Decimal | None
    requires_shipping: bool
    taxable: bool
    attributes: list[tuple[str, str]]
    taxes: list[TaxLine]
    vendor: str | None = None
    reserved: dict[int, int] = field(default_factory=dict)

    @property
    def gid(self) -> str:
        return f"gid://shopify/DraftOrderLineItem/{self.number}"

    @property
    def price(self) -> Decimal:
        return self.unit_price if self.override is None else self.override


@dataclass(slots=True, eq=False, repr=False)
class Draft:
    number: int
    shop: "Shop"
    name: str
    app: App | None
    created_by: Actor
    created_at: datetime
    updated_at: datetime
    currency: str
    lines: list[DraftLine] = field(default_factory=list)
    shipping: ShippingLine | None = None
    tags: list[str] = field(default_factory=list)
    attributes: list[tuple[str, str]] = field(default_factory=list)
    metafields: dict[tuple[str, str], Metafield] = field(default_factory=dict)
    note: str | None = None
    email: str | None = None
    phone: str | None = None
    po_number: str | None = None
    source_name: str | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    tax_exempt: bool = False
    visible_to_customer: bool = False
    accept_automatic_discounts: bool = False
    reserve_until: datetime | None = None
    completed_at: datetime | None = None
    order: Order | None = None
    indexed: list[tuple[datetime, dict[str, Any]]] = field(default_factory=list)

    @property
    def gid(self) -> str:
        return f"gid://shopify/DraftOrder/{self.number}"

    @property
    def status(self) -> str:
        return "OPEN" if self.completed_at is None else "COMPLETED"

    @property
    def taxes_included(self) -> bool:
        return self.shop.taxes_included

    def bag(self, amount: Decimal) -> Bag:
        one = Amount(amount, self.currency)
        return Bag(one, one)

    @property
    def subtotal(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), ZERO)

    @property
    def shipping_total(self) -> Decimal:
        return self.shipping.price if self.shipping else ZERO

    @property
    def tax_total(self) -> Decimal:
        lines = sum((tax.amount for line in self.lines for tax in line.taxes), ZERO)
        return lines + (self.shipping.tax if self.shipping else ZERO)

    @property
    def total(self) -> Decimal:
        return self.subtotal + self.shipping_total + (ZERO if self.taxes_included else self.tax_total)


@dataclass(slots=True, eq=False, repr=False)
class StagedLine:
    """A line of an edit session: an existing line, or one to be added."""

    id: str
    line: LineItem | None
    variant: Variant | None
    title: str
    sku: str | None
    unit_price: Decimal
    before: int
    quantity: int
    requires_shipping: bool
    taxable: bool
    restock: bool = False
    discount_per_unit: Decimal | None = None
    discount_note: str | None = None
    location: Location | None = None


@dataclass(slots=True, eq=False, repr=False)
class EditSession:
    number: int
    order: Order
    actor: Actor
    begun_at: datetime
    lines: list[StagedLine]
    committed: bool = False
    shipping: Decimal | None = None
    edits_before: int = 0

    @property
    def gid(self) -> str:
        return f"gid://shopify/CalculatedOrder/{self.number}"

    @property
    def session_gid(self) -> str:
        return f"gid://shopify/OrderEditSession/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class Job:
    number: int
    order: Order
    done: bool = False

    @property
    def gid(self) -> str:
        return f"gid://shopify/Job/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class Subscription:
    number: int
    app: App
    topic: str
    uri: str
    format: str
    filter: str | None
    include_fields: list[str]
    metafield_namespaces: list[str]
    name: str | None
    created_at: datetime
    failures_in_a_row: int = 0

    @property
    def gid(self) -> str:
        return f"gid://shopify/WebhookSubscription/{self.number}"


@dataclass(slots=True, eq=False, repr=False)
class Shop:
    """One shop. Dictionaries are keyed by the numeric tail of the id and keep the order of creation."""

    number: int
    domain: str
    name: str
    currency: str
    plan: str
    taxes_included: bool = False
    tax_title: str = "HST"
    tax_rate: Decimal = Decimal("0.13")
    timezone: str = "America/Toronto"
    order_sequence: int = 1000
    draft_sequence: int = 0
    locations: dict[int, Location] = field(default_factory=dict)
    variants: dict[int, Variant] = field(default_factory=dict)
    items: dict[int, Variant] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    deleted_orders: dict[int, Order] = field(default_factory=dict)
    drafts: dict[int, Draft] = field(default_factory=dict)
    fulfillment_orders: dict[int, FulfillmentOrder] = field(default_factory=dict)
    fulfillments: dict[int, Fulfillment] = field(default_factory=dict)
    refunds: dict[int, Refund] = field(default_factory=dict)
    sessions: dict[int, EditSession] = field(default_factory=dict)
    jobs: dict[int, Job] = field(default_factory=dict)
    subscriptions: dict[int, Subscription] = field(default_factory=dict)
    definitions: dict[tuple[str, str, str], MetafieldDefinition] = field(default_factory=dict)
    unique_values: dict[tuple[str, str, str], Order] = field(default_factory=dict)
    unique_set_at: dict[tuple[str, str, str], datetime] = field(default_factory=dict)
    idempotency: dict[tuple[int, str], tuple[str, datetime, Any]] = field(default_factory=dict)
    creations: list[datetime] = field(default_factory=list)
    staff: list[Staff] = field(default_factory=list)
    installed: list[App] = field(default_factory=list)
    # what each app keeps at its own installation, by the app's number; gone when it is uninstalled
    app_data: dict[int, AppData] = field(default_factory=dict)
    # by e-mail address in small letters
    customers: dict[str, Customer] = field(default_factory=dict)

    def customer_of(self, email: str) -> Customer:
        """The one customer with this address; made when there is none yet."""
        known = self.customers.get(email.casefold())
        if known is None:
            known = Customer(len(self.customers) + 1, email)
            self.customers[email.casefold()] = known
        return known

    @property
    def gid(self) -> str:
        return f"gid://shopify/Shop/{self.number}"

    @property
    def levels(self) -> Iterator[Level]:
        for variant in self.variants.values():
            yield from variant.levels.values()

    def order_by_name(self, name: str) -> Order | None:
        """The latest order with this name; names are not unique (reference 15.13)."""
        return next((order for order in reversed(self.orders.values()) if order.name == name), None)
