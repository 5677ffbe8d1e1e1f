"""What one order remembers: a closed set of dated facts that only a plan writes. Timers are `now` minus one of them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Literal

from interlock.orders.actions import AddedLine
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Fee, Tax


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """A Mirakl line as it was when we first saw it: what was sold, before any cancelation. `recalculated` once the
    marketplace's later figures were taken instead, which it may change until the order ships."""

    line_id: str
    sku: str
    title: str
    quantity: int
    price_unit: Decimal
    price: Decimal
    shipping_price: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]
    fees: tuple[Fee, ...] = ()
    recalculated: bool = False


@dataclass(frozen=True, slots=True)
class LineLink:
    """One Shopify line stands for (part of) one Mirakl line. `evidence` says how we know: `attribute`,
    `import` or a person's name. `unit_price` is the one agreed at import; `also` are those the marketplace recalculated it
    to: the Shopify line may keep the one or show the other.

    Of a bundle each Shopify line is one article: `part` is its variant, `per_unit` how many of it are in one unit of the
    Mirakl line. `part` is empty for a line whose units are those of the Mirakl line."""

    mirakl_line_id: str
    shopify_line_id: str
    unit_price: Decimal
    evidence: str
    part: str = ""
    per_unit: int = 1
    also: tuple[Decimal, ...] = ()

    def accepts(self, unit_price: Decimal) -> bool:
        """Whether the Shopify line may show this price."""
        return unit_price == self.unit_price or unit_price in self.also


@dataclass(frozen=True, slots=True)
class BundlePart:
    """One article of a bundle when its order was imported: `units` of it in one unit of the bundle, which carry `weight`
    parts of its price."""

    sku: str
    variant_id: str
    units: int
    weight: int


@dataclass(frozen=True, slots=True)
class Bundle:
    """A marketplace SKU that the Shopify order was created with as its articles."""

    sku: str
    parts: tuple[BundlePart, ...]


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Units refunded before shipping that will not ship: they count against the agreed quantity."""

    line_id: str
    quantity: int
    refund_id: str
    confirmed_by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RefundDue:
    """One line of a refund task: the figures a person types into the portal, and the refunds that existed
    when the task was opened (so that the new one is recognised). `left` where its units had left when they were refunded:
    nothing of them is to be kept back."""

    line_id: str
    quantity: int
    amount: Decimal
    shipping_amount: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]
    seen_refunds: tuple[str, ...]
    fees: tuple[Fee, ...] = ()
    left: bool = False


@dataclass(frozen=True, slots=True)
class MadeRefund:
    """One refund of ours as the marketplace confirmed it (OR28): which line, under which refund id, with which product
    and shipping amount; with `excluded`, these units no longer ship."""

    line_id: str
    refund_id: str
    amount: Decimal
    shipping_amount: Decimal
    excluded: bool


@dataclass(frozen=True, slots=True)
class RefundTask:
    """A refund to be made at the marketplace. `subject` is unique within the order: the Shopify refund's id, or
    `edit:<n>` for an edit after debit. `settled_by` lists the Mirakl refund ids that answered it.

    `made_at` is when the marketplace confirmed our own refunds for it (OR28), `made` what it confirmed (empty where the
    answer was lost and only OR11 showed them), and `paid_at` when it showed all of them REFUNDED.

    `asks` is not empty while a person is asked whether the Shopify refund is only the money of what stands there: the
    tasks of edits, or the refunds of the marketplace. Until the answer nothing is asked for. `money` is what Shopify moved,
    where it is not the money of these units at the marketplace, neither with nor without their shipping: a person then
    decides which of the two the customer gets.

    `ending` where it asks for everything that was left of an order that was cancelled in Shopify."""

    subject: str
    opened_at: datetime
    lines: tuple[RefundDue, ...]
    settled_by: tuple[str, ...] = ()
    settled_at: datetime | None = None
    dismissed_by: str = ""
    made_at: datetime | None = None
    made: tuple[MadeRefund, ...] = ()
    paid_at: datetime | None = None
    asks: tuple[str, ...] = ()
    money: Decimal | None = None
    ending: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person answered to a case. It stays true until the case's subject changes. `text_id` names the words
    the person wrote besides (a message to the customer), which are kept encrypted."""

    reason: Reason
    subject: str
    option: Option
    who: str
    why: str
    at: datetime
    text_id: str = ""


DeskKind = Literal["lines", "cancel", "undo", "address"]


@dataclass(frozen=True, slots=True)
class DeskEdit:
    """An edit a person asked for at our own edit desk, and what has become of it.

    `version` is the state of the order the person saw. `quantities` are (Shopify line id, wanted
    `currentQuantity`), `added` what is added besides. An address is kept encrypted under `text_id`. `decision` is
    what the person answers to the case the edit will open, if the marketplace cannot take it.

    `shopify_order_id` is the order it is made in: it says nothing of one that takes that order's place.
    `base` is the Shopify content the edit starts from, `expected` the one it leads to, and `between` those with one half
    of it made where it takes two calls, all without the lines it adds. `taken_at`, `held_at`, `shown_at` and `agreed_at`
    are when it was taken up, when the parcel was held for it, when Shopify showed it, and when both sides agreed again.
    `shown_as` is the content it was shown with, empty where others changed the order in the same moment: `decision` is about
    that and nothing else. `answered_at` is when it was given to the case, or found to fit none.
    `ended` says how it ended, empty while it is under way, and `because` why.
    """

    id: str
    kind: DeskKind
    who: str
    why: str
    at: datetime
    version: str
    quantities: tuple[tuple[str, int], ...] = ()
    added: tuple[AddedLine, ...] = ()
    address_digest: str = ""
    text_id: str = ""
    decision: Option | None = None
    shopify_order_id: str = ""
    base: str = ""
    expected: str = ""
    between: tuple[str, ...] = ()
    taken_at: datetime | None = None
    held_at: datetime | None = None
    shown_at: datetime | None = None
    shown_as: str = ""
    answered_at: datetime | None = None
    agreed_at: datetime | None = None
    ended_at: datetime | None = None
    ended: Literal["", "done", "refused", "given up", "overtaken"] = ""
    because: str = ""


def same_person(one: str, other: str) -> bool:
    """Whether two names mean the same person: case and blanks make nobody somebody else."""
    return " ".join(one.split()).casefold() == " ".join(other.split()).casefold()


@dataclass(frozen=True, slots=True)
class Incident:
    """Damage that was done. It closes on its own evidence or by a person with a reason, never by forgetting.

    `named` is what is wrong, where one thing may go wrong in several ways; `over` says that its evidence has gone, so that
    the same found again is new damage."""

    reason: Reason
    subject: str
    at: datetime
    sentence: str
    closed_at: datetime | None = None
    closed_because: str = ""
    named: tuple[str, ...] = ()
    over: bool = False

    @property
    def about(self) -> str:
        """The thing it is about: its subject without what tells it from others about the same thing."""
        return self.subject.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Rehold:
    """Somebody released our hold on this fulfillment order `times` times, and when we answered it last. Counting begins anew
    once the parcel was let go or the incident about it was closed; `earlier` are the times before that."""

    fulfillment_order_id: str
    at: datetime
    times: int
    earlier: int = 0


Role = Literal["live", "superseded", "candidate", "unlinked"]


@dataclass(frozen=True, slots=True)
class Kin:
    """One Shopify order of the lineage. At most one is `live`: the one that stands for the marketplace order now.

    `superseded` ones stood for it before, oldest first; a `candidate` may take over and waits for something; an
    `unlinked` one has nothing to do with it (any more). `who` is Interlock or a person, `why` the evidence or reason.
    """

    shopify_order_id: str
    name: str
    role: Role
    since: datetime
    who: str
    why: str


@dataclass(frozen=True, slots=True)
class ServiceAsked:
    """A fulfilment service is to stop a fulfillment order, since `at`. `location_id` is the service's."""

    fulfillment_order_id: str
    location_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ParcelSeen:
    """When a Shopify fulfillment was seen for the first time, where parcels are told of one by one: what the marketplace
    showed before that says nothing of it."""

    fulfillment_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class LabelSeen:
    """A Shopify fulfillment that is only a label, and its tracking number; of a label that was given back (LABEL_VOIDED)
    the one it had before, and since when it was seen given back."""

    fulfillment_id: str
    number: str
    back_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class ShopPrice:
    """What the shop asked for one unit of a Mirakl line's SKU when the order was imported, in the order's currency
    or in `currency` where that is another one: then it cannot be compared. `taxes_included` says whether the shop's prices
    contained taxes then (Shop.taxesIncluded)."""

    line_id: str
    amount: Decimal
    taxes_included: bool
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Memory:
    """All an order remembers. Every field is written by plans only and survives crashes with them."""

    first_seen_at: datetime | None = None
    # from when the marketplace counts the time to accept, and when that ends by the window as it is set now
    acceptance_from: datetime | None = None
    acceptance_due_at: datetime | None = None
    ordered: tuple[OrderedLine, ...] = ()
    # the import claim: the draft is stored here before it may be completed
    draft_id: str = ""
    # since when the claimed draft is not in the shop, and those that were given up for gone
    draft_gone_since: datetime | None = None
    drafts_gone: tuple[str, ...] = ()
    # since when the claimed draft is shown as completed, without an order that came of it
    draft_completed_since: datetime | None = None
    shopify_order_id: str = ""
    shopify_order_name: str = ""
    linked_at: datetime | None = None
    links: tuple[LineLink, ...] = ()
    custom_line_skus: tuple[str, ...] = ()
    # the SKUs that were expanded into their articles, as they were made then
    bundles: tuple[Bundle, ...] = ()
    # the Shopify order was seen to contain more or less than its prices and shipping, and has not been put right since
    totals_apart: bool = False
    marked: bool = False
    referenced: str = ""
    # what was agreed besides quantities: the marketplace's own address, and Shopify's where a person let another one stand
    agreed_address: str = ""
    agreed_address_here: str = ""
    # the telephone number the Shopify order had when the address `contact_of` was agreed, as a digest
    agreed_contact: str = ""
    contact_of: str = ""
    # the marketplace's relay address for the customer as it was shown last, as a digest
    relay: str = ""
    agreed_shipping: Decimal | None = None
    # shipping charges the marketplace recalculated it to; Shopify may show these too
    also_shipping: tuple[Decimal, ...] = ()
    # quantity per Mirakl line at the last moment both sides showed the same
    settled: tuple[tuple[str, int], ...] = ()
    # the Shopify content last seen, and since when: the quiet period counts from here
    content: str = ""
    content_since: datetime | None = None
    disagreeing_since: datetime | None = None
    # what people may be asked about edits now, each with since when it stands: what was gone in between stands anew
    standing: tuple[tuple[str, datetime], ...] = ()
    # fulfillment orders on which our hold was seen on
    held: tuple[str, ...] = ()
    reholds: tuple[Rehold, ...] = ()
    # since when open fulfillment orders go to another address than the Shopify order, or to none
    astray_since: datetime | None = None
    # fulfilment services that were asked to stop
    services_asked: tuple[ServiceAsked, ...] = ()
    # when the lower of both sides was last taken after a quarantine
    compared_at: datetime | None = None
    # every Shopify order of the lineage, once there is more than the imported one
    lineage: tuple[Kin, ...] = ()
    # fulfillment orders of other orders of the lineage on which our hold was seen on
    kin_held: tuple[str, ...] = ()
    released_at: datetime | None = None
    # the Shopify content that was released by a person's decision although the sides differed
    released_as: str = ""
    # ids of fulfillments that were seen while their lines agreed
    labels_agreed: tuple[str, ...] = ()
    shopify_cancelled_seen_at: datetime | None = None
    # since when Shopify, read without a fault, does not show the linked order
    missing_since: datetime | None = None
    accepted_seen_at: datetime | None = None
    # when the marketplace was first seen to count the whole order as sent
    sent_seen_at: datetime | None = None
    rungs: tuple[str, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    refund_tasks: tuple[RefundTask, ...] = ()
    decisions: tuple[Decision, ...] = ()
    # the words the customer gets once the marketplace shows the order cancelled, while the answer that brought them stands
    telling: str = ""
    # the Shopify edit for which nothing has been sent yet; empty once it was sent, taken back or dropped
    unsent_edit: str = ""
    # the Shopify edit for which something was sent last
    sent_edit: str = ""
    shop_prices: tuple[ShopPrice, ...] = ()
    # what the shop asked when the order was edited, of the lines whose prices are asked about since
    questioned_prices: tuple[ShopPrice, ...] = ()
    # units per Mirakl line: cancelled in all by our own cancelations, and shown after our own edits in Shopify
    asked_cancelled: tuple[tuple[str, int], ...] = ()
    mirrored: tuple[tuple[str, int], ...] = ()
    incidents: tuple[Incident, ...] = ()
    # edits from our own desk, the oldest first, and the Shopify content the last of them made
    desk_edits: tuple[DeskEdit, ...] = ()
    own_content: str = ""
    parcels_seen: tuple[ParcelSeen, ...] = ()
    # every tracking number that a parcel of the order ever carried in Shopify
    carried_numbers: tuple[str, ...] = ()
    labels_seen: tuple[LabelSeen, ...] = ()
    # what the Shopify order should say of where it stands and does not say yet, and since when
    status_wanted: str = ""
    status_since: datetime | None = None
    # the status sent to the Shopify order last, and when
    status_told: str = ""
    status_told_at: datetime | None = None
    # whether the order was never ours: it was accepted before the connection went live, and is in other hands
    left_alone: bool = False

    def accepts_shipping(self, charge: Decimal) -> bool:
        """Whether the Shopify order may show this shipping charge."""
        return self.agreed_shipping is None or charge == self.agreed_shipping or charge in self.also_shipping

    @property
    def made_at_our_desk(self) -> bool:
        """Whether the Shopify content is exactly what our own desk made of it: nobody is still editing."""
        return bool(self.content) and self.content == self.own_content

    @property
    def cancelled_at_our_desk(self) -> bool:
        """Whether the Shopify order that is linked now was cancelled from our own desk, so that no other order replaces
        it."""
        return any(
            edit.kind == "cancel"
            and edit.shown_at is not None
            and edit.shopify_order_id == self.shopify_order_id
            for edit in self.desk_edits
        )

    @property
    def texts(self) -> frozenset[str]:
        """The ids of kept texts that this memory still needs. Only looked up, never iterated."""
        edits = (edit.text_id for edit in self.desk_edits if not edit.ended)
        answers = (decision.text_id for decision in self.decisions)
        return frozenset(text_id for text_id in (*edits, *answers) if text_id)

    def decision(self, reason: Reason, subject: str) -> Decision | None:
        """The latest answer to that case, if any."""
        for decision in reversed(self.decisions):
            if decision.reason == reason and decision.subject == subject:
                return decision
        return None

    def incident(self, reason: Reason, subject: str) -> Incident | None:
        """The incident, open or closed, if it was ever recorded."""
        for incident in self.incidents:
            if incident.reason == reason and incident.subject == subject:
                return incident
        return None

    def with_incident(self, incident: Incident) -> "Memory":
        """Remember an incident once: a second report of the same reason and subject changes nothing."""
        if self.incident(incident.reason, incident.subject) is not None:
            return self
        return replace(self, incidents=(*self.incidents, incident))

    def with_incident_anew(self, incident: Incident, told: Collection[Incident]) -> "Memory":
        """Remember an incident unless one of those `told` is open, or they named all that it names. One about a subject that
        had one before gets a number behind it."""
        named = {name for one in told if not one.over for name in one.named}
        if any(one.closed_at is None for one in told) or named.issuperset(incident.named):
            return self
        before = sum(
            1 for one in self.incidents if one.reason is incident.reason and one.about == incident.subject
        )
        if before:
            incident = replace(incident, subject=f"{incident.subject} {before + 1}")
        return replace(self, incidents=(*self.incidents, incident))

    def with_incidents_over(
        self, reason: Reason, at: datetime, because: str, subjects: Collection[str] | None = None
    ) -> "Memory":
        """The evidence of these incidents has gone: of all of this reason, or of those about these subjects. The open ones
        are closed, and what is found from now on is new damage."""
        incidents = tuple(
            replace(
                one,
                over=True,
                closed_at=one.closed_at or at,
                closed_because=one.closed_because if one.closed_at else because,
            )
            if one.reason is reason and not one.over and (subjects is None or one.about in subjects)
            else one
            for one in self.incidents
        )
        return self if incidents == self.incidents else replace(self, incidents=incidents)

    def with_incidents_closed(
        self, reason: Reason, at: datetime, because: str, subjects: Collection[str] | None = None
    ) -> "Memory":
        """Close the incidents of this reason that are open: all of them, or those about these subjects."""
        incidents = tuple(
            replace(one, closed_at=at, closed_because=because)
            if one.reason is reason
            and one.closed_at is None
            and (subjects is None or one.subject in subjects)
            else one
            for one in self.incidents
        )
        return self if incidents == self.incidents else replace(self, incidents=incidents)

    def kin(self, shopify_order_id: str) -> Kin | None:
        """What is remembered of this Shopify order's place in the lineage, if anything."""
        for kin in self.lineage:
            if kin.shopify_order_id == shopify_order_id:
                return kin
        return None

    def with_kin(self, kin: Kin) -> "Memory":
        """Remember the order's place in the lineage, as the last to change."""
        rest = tuple(k for k in self.lineage if k.shopify_order_id != kin.shopify_order_id)
        return replace(self, lineage=(*rest, kin))

    def without_kin(self, shopify_order_id: str) -> "Memory":
        rest = tuple(k for k in self.lineage if k.shopify_order_id != shopify_order_id)
        return replace(self, lineage=rest)

    @property
    def candidates(self) -> tuple[Kin, ...]:
        """The orders that may take over and wait for something."""
        return tuple(kin for kin in self.lineage if kin.role == "candidate")

    def ordered_line(self, line_id: str) -> OrderedLine | None:
        for line in self.ordered:
            if line.line_id == line_id:
                return line
        return None
