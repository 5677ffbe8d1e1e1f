"""All that `decide` may see of one order at one moment."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.orders.actions import Action, RefundLines, TellsTracking
from interlock.orders.changes import Change, VariantPrice
from interlock.orders.connection import ConnectionRules, EarlierChoice
from interlock.orders.hold_words import HoldWords
from interlock.orders.memory import Decision, DeskEdit, Memory
from interlock.orders.outcomes import OperationState
from interlock.orders.reasons import Option
from interlock.orders.snapshots import Draft, MiraklOrder, Offer, ShopifyOrder


@dataclass(frozen=True, slots=True)
class OpenOperation:
    """A row of the operation ledger that matters to the decision: not yet settled, or refused by the platform.

    A refused row stays visible until the action it tried is no longer wanted. `code` and `words` are the platform's answer.
    `asked_again_at` is the latest answer "send it again" that was acted upon already.
    """

    id: str
    action: Action
    state: OperationState
    attempt: int
    planned_at: datetime
    ended_at: datetime | None
    code: str = ""
    words: str = ""
    asked_again_at: datetime | None = None

    def is_sent_again_by(self, answer: Decision | None) -> bool:
        """Whether a person has asked since it ended to send it once more, and it was not sent for that answer yet."""
        return (
            answer is not None
            and answer.option is Option.SEND_AGAIN
            and (self.ended_at is None or answer.at > self.ended_at)
            and (self.asked_again_at is None or answer.at > self.asked_again_at)
        )


@dataclass(frozen=True, slots=True)
class RefundMade:
    """Our own refunds for one task, confirmed by the marketplace at `at` (OR28). `refund_ids` is its id per line, empty
    where the answer was lost and the platform only showed that it happened."""

    action: RefundLines
    at: datetime
    refund_ids: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A Shopify order of `View.kin` that another marketplace order knows of too. `role` is `live` or `superseded` where
    it stands or stood for that one, `candidate` where it may take over, `noted` where nobody has weighed it yet. The holds
    of another connection have a handle of their own: `same_connection` says whether ours may be that order's too."""

    shopify_order_id: str
    mirakl_order_id: str
    role: str
    same_connection: bool = True


@dataclass(frozen=True, slots=True)
class Unread:
    """The marketplace was not read for too long: everything that changed there up to `since` is known, and from `old_at`
    on that is too old for a parcel to move by it."""

    since: datetime
    old_at: datetime


def unread_since(read_at: datetime | None, old_after: timedelta, now: datetime) -> Unread | None:
    """Whether what changed at the marketplace of late is not known: `read_at` is when it was last walked, or the order
    itself read, whichever is later. None while that is young, and before anything was read."""
    if read_at is None or now <= read_at + old_after:
        return None
    return Unread(read_at, read_at + old_after)


@dataclass(frozen=True, slots=True)
class View:
    """Two snapshots, what is remembered, open operations, new answers of people, the connection's rules, and now.

    `mirakl` and `shopify` are None where the platform showed nothing (yet, or this time): missing data neither
    opens nor closes anything. `shopify_gone` is true where the Shopify order was cancelled, or is called so by a
    person, and is not shown any more, as a deleted one is: then `shopify` is what it showed last, as a cancelled order.
    `drafts` are the drafts found for this order, oldest first. `offers` has one entry per SKU of the order, empty when
    not looked up. `kin` are further Shopify orders that may stand, or stood, for this sale, read just now, live or not,
    and `claims` what other marketplace orders know of them.
    `mirakl_written_at` is when our last write to the marketplace for this order had certainly ended, on whichever
    worker's clock: a snapshot not younger than that cannot judge its effect.
    `changes` tells who changed the Shopify order, oldest first, and `prices` what its variants cost in the shop; both
    are empty for an order that stands as it was placed.
    `shopify_unreadable` is true when Shopify could not be read this time, so that nothing may be concluded from
    what is missing. `made_order_id` is the Shopify order that Shopify confirmed having made for this one, seen since or
    not; empty while there is none. `completion_unclear` is true when a draft of the order was ever asked to become an order
    and that was not confirmed. `requests` are edits asked for at our desk that no plan has taken up yet. `refunds_made` are our
    own refunds that the marketplace confirmed, oldest first.
    `messages_sent` are the text ids of messages that went out. `trackings_told` are the trackings the marketplace took from
    us, of the order (OR23) or of a shipment (ST01, ST23), oldest first: it may show a carrier otherwise than it was sent.
    `live` is false while the connection is only watched, `live_since` is when it went live, None where that was not noted;
    `writing_runs` is how many runs of this hour wrote to a
    platform before this one. `quarantined` is true while nothing may be sent; `writing_since` is when the last quarantine ended.
    `earlier_carriers` is what people chose before, in any connection, for carrier names like those of its parcels that lead
    nowhere. `unread` is there while what changed at the marketplace of late is not known.
    `let_go` is for `decide` alone: it looks once more with it where it has found that a parcel that has to wait has no hold.
    """

    now: datetime
    rules: ConnectionRules
    order_id: str
    mirakl: MiraklOrder | None
    shopify: ShopifyOrder | None
    memory: Memory
    shopify_gone: bool = False
    drafts: tuple[Draft, ...] = ()
    offers: tuple[Offer, ...] = ()
    kin: tuple[ShopifyOrder, ...] = ()
    claims: tuple[Claim, ...] = ()
    operations: tuple[OpenOperation, ...] = ()
    answers: tuple[Decision, ...] = ()
    mirakl_written_at: datetime | None = None
    shopify_unreadable: bool = False
    made_order_id: str = ""
    completion_unclear: bool = False
    changes: tuple[Change, ...] = ()
    prices: tuple[VariantPrice, ...] = ()
    requests: tuple[DeskEdit, ...] = ()
    refunds_made: tuple[RefundMade, ...] = ()
    live: bool = True
    live_since: datetime | None = None
    writing_runs: int = 0
    messages_sent: tuple[str, ...] = ()
    trackings_told: tuple[TellsTracking, ...] = ()
    quarantined: bool = False
    writing_since: datetime | None = None
    earlier_carriers: tuple[EarlierChoice, ...] = ()
    unread: Unread | None = None
    let_go: bool = False

    @property
    def hold(self) -> HoldWords:
        """How the rooms speak of the parcel's hold."""
        return HoldWords(self.let_go)

    def quiet_period_of(self, memory: Memory) -> timedelta:
        """How long the Shopify order must stand still before anything irreversible is sent. What our own desk made is
        complete: its person has seen it as a whole before."""
        return timedelta(0) if memory.made_at_our_desk else self.rules.quiet_period

    @property
    def mirakl_is_current(self) -> bool:
        """Whether the marketplace snapshot is younger than our last write to the marketplace."""
        if self.mirakl is None:
            return False
        return self.mirakl_written_at is None or self.mirakl.observed_at > self.mirakl_written_at
