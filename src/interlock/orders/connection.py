"""The rules of one connection: a Mirakl shop account selling from one Shopify shop, its settings and what its
marketplace allows."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, get_args

ImportRoute = Literal["draft", "order"]
ReductionAfterDebit = Literal["task", "approve", "automatic"]
KindOfEdit = Literal["quantity_reduced", "line_removed"]
CustomerMail = Literal["none", "shipping"]
Flow = Literal["import", "acceptance", "edits", "shipping", "refunds", "stock"]
FLOWS: tuple[Flow, ...] = get_args(Flow)
FLOWS_OF_ORDERS: tuple[Flow, ...] = tuple(flow for flow in FLOWS if flow != "stock")
"""The flows whose pause stops orders, each with a case. That of stock stops figures: no order waits for it."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier the marketplace has registered (SH21)."""

    code: str
    label: str
    standard_code: str = ""


@dataclass(frozen=True, slots=True)
class EarlierChoice:
    """What somebody of this installation chose for a carrier name before: the label or code of the carrier, and where."""

    shop_name: str
    carrier: str
    connection: str


ANY_CARRIER = "*"
"""The shop name of a connection's default: the mapping for every carrier that nothing else leads to."""


@dataclass(frozen=True, slots=True)
class CarrierMapping:
    """How one carrier name, as the shop writes it, is called at this marketplace: a registered `code`, or an
    unregistered `name` to be sent with the full tracking URL. Matching ignores case, accents, blanks and punctuation.

    A mapping with a `country` (where the parcel goes, ISO 3166 alpha-2) or a `service` (the marketplace's shipping
    method, SH12 code) holds for those parcels alone and goes before a wider one.
    """

    shop_name: str
    code: str = ""
    name: str = ""
    country: str = ""
    service: str = ""

    @property
    def is_default(self) -> bool:
        """Whether it is the connection's default, for every carrier that nothing else leads to."""
        return self.shop_name.strip() == ANY_CARRIER


@dataclass(frozen=True, slots=True)
class ReasonOfEdit:
    """The reason codes of RE01 for one kind of edit, where they differ from the connection's own; empty for none."""

    edit: KindOfEdit
    cancelation: str = ""
    refund: str = ""


@dataclass(frozen=True, slots=True)
class ShippingMethod:
    """What the Shopify order's shipping line is called for a shipping method of the marketplace (SH12 code)."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class ShippingOrigin:
    """The marketplace's warehouse code for a Shopify location (ST01 `shipping_from.warehouse.code`)."""

    location_id: str
    warehouse: str


@dataclass(frozen=True, slots=True)
class Pause:
    """A person has stopped one flow of a connection until a moment: nothing of it is sent, and everything else goes on."""

    flow: Flow
    since: datetime
    until: datetime
    who: str
    why: str

    @property
    def in_words(self) -> str:
        """How long, by whom and why, as the end of a sentence that begins with what "is"."""
        why = self.why if self.why.endswith((".", "!", "?")) else f"{self.why}."
        return f"paused until {self.until:%H:%M} UTC on {self.until:%d %B} by {self.who}: {why}"


@dataclass(frozen=True, slots=True)
class ConnectionRules:
    """Everything `decide` may know about a connection. Durations that are None are switched off, except
    `acceptance_window`, without which a connection cannot go live. `refund_limit` and `refund_cap` are in the order's
    currency, for all that Interlock refunds of one order, as the customer gets it; None means that there is none.

    `messages` says whether the shop may write to customers through the marketplace (OR43). `refuted` are the settings the
    marketplace's answers speak against, with the answer: (name, evidence); it is no setting and never stored.

    `stock_locations` are the Shopify locations whose stock is offered and accepted on, every active one that fulfils online
    orders where none is named;
    `stock_buffer` are units that are held back from each offer. `stock_zeroed` says why every offer shows nothing for now
    (a person and a reason), empty in ordinary times.

    `order_in_portal` is the address of an order in the marketplace's portal with {order_id} in it, empty where nobody said
    it; only pages use it."""

    name: str
    hold_handle: str
    import_route: ImportRoute = "draft"
    payment_lock: bool = True
    quiet_period: timedelta = timedelta(seconds=60)
    lineage_wait: timedelta = timedelta(minutes=10)
    edit_window: timedelta | None = None
    acceptance_window: timedelta | None = None
    accepts_by_itself: bool = False
    partial_acceptance: bool = False
    partial_cancelation: bool = False
    messages: bool = True
    tax_mode: str = "TAX_INCLUDED"
    order_level_tax: bool = False
    cancelation_reason: str = ""
    carriers: tuple[Carrier, ...] = ()
    carrier_mappings: tuple[CarrierMapping, ...] = ()
    unregistered_carriers: bool = True
    tracking_mandatory_for: tuple[str, ...] = ()
    own_fulfillment_centers: tuple[str, ...] = ("", "DEFAULT")
    label_max_age: timedelta = timedelta(seconds=30)
    service_wait: timedelta = timedelta(minutes=15)
    settle: timedelta = timedelta(seconds=60)
    reduction_after_debit: ReductionAfterDebit = "task"
    refund_limit: Decimal | None = None
    refund_cap: Decimal | None = None
    refund_reason: str = ""
    reasons_by_edit: tuple[ReasonOfEdit, ...] = ()
    proportional_taxes: bool = True
    multi_shipment: bool = False
    mirror_marketplace_changes: bool = True
    price_tolerance: Decimal | None = Decimal(10)
    show_status: bool = False
    customer_mail: CustomerMail = "none"
    pauses: tuple[Pause, ...] = ()
    shipping_origins: tuple[ShippingOrigin, ...] = ()
    publish_stock: bool = False
    stock_locations: tuple[str, ...] = ()
    stock_buffer: int = 0
    stock_zeroed: str = ""
    order_in_portal: str = ""
    shipping_methods: tuple[ShippingMethod, ...] = ()
    refuted: tuple[tuple[str, str], ...] = ()

    def refuted_by(self, name: str) -> str:
        """The marketplace's answer that speaks against this setting; empty where none does."""
        return dict(self.refuted).get(name, "")

    def paused(self, flow: Flow | None, now: datetime) -> Pause | None:
        """The pause that holds this flow at `now`, if one does. A pause is over at its end, whoever looks at it."""
        return next((pause for pause in self.pauses if pause.flow == flow and now < pause.until), None)

    def title_of_method(self, code: str) -> str:
        """What the shop calls this shipping method of the marketplace; empty where the marketplace's own label stands."""
        return next((one.title for one in self.shipping_methods if one.code == code), "")

    def warehouse_of(self, location_id: str) -> str:
        """The marketplace's code of the place a parcel leaves from; empty where none is set for it."""
        return next((one.warehouse for one in self.shipping_origins if one.location_id == location_id), "")

    def cancelation_reason_for(self, edit: KindOfEdit) -> str:
        """The reason code of RE01 that a cancelation of this kind of edit carries (OR30); empty where none is set."""
        found = next((one.cancelation for one in self.reasons_by_edit if one.edit == edit), "")
        return found or self.cancelation_reason

    def refund_reason_for(self, edit: KindOfEdit) -> str:
        """The reason code of RE01 that a refund of this kind of edit carries (OR28); empty where none is set."""
        found = next((one.refund for one in self.reasons_by_edit if one.edit == edit), "")
        return found or self.refund_reason
