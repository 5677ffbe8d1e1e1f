"""The words the rules of the edit compiler are written in: what changed, where the order stands, what may be done.

Every word has few values, so that the whole product of them can be enumerated (`interlock.edits.proof`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from interlock.orders.connection import ReductionAfterDebit
from interlock.orders.hold_words import HoldWords
from interlock.orders.reasons import Reason


class Change(StrEnum):
    """One thing that changed on one side after both sides agreed."""

    # somebody changed the Shopify order
    QUANTITY_DOWN = "quantity_down"
    LINE_REMOVED = "line_removed"
    QUANTITY_UP = "quantity_up"
    LINE_ADDED = "line_added"
    CUSTOM_LINE = "custom_line"
    SKU_REPLACED = "sku_replaced"
    BUNDLE_COMPONENT = "bundle_component"
    PRICE_CHANGED = "price_changed"
    SHIPPING_CHANGED = "shipping_changed"
    ADDRESS_CHANGED = "address_changed"
    NOTE_CHANGED = "note_changed"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_ARCHIVED = "order_archived"
    ORDER_REOPENED = "order_reopened"
    # the marketplace, its operator or the customer changed the marketplace order
    LINE_CANCELLED_IN_PART = "line_cancelled_in_part"
    LINE_CANCELLED_WHOLE = "line_cancelled_whole"
    LINE_REFUNDED = "line_refunded"
    LINE_REFUSED = "line_refused"
    TOTALS_RECALCULATED = "totals_recalculated"
    ADDRESS_APPEARED = "address_appeared"
    ADDRESS_MOVED = "address_moved"
    INCIDENT_OPENED = "incident_opened"


CHANGES: dict[Change, str] = {
    Change.QUANTITY_DOWN: "Fewer units of a line in Shopify",
    Change.LINE_REMOVED: "A line removed in Shopify",
    Change.QUANTITY_UP: "More units of a line in Shopify",
    Change.LINE_ADDED: "A line added in Shopify",
    Change.CUSTOM_LINE: "A custom line added in Shopify",
    Change.SKU_REPLACED: "An item swapped for another in Shopify",
    Change.BUNDLE_COMPONENT: "A component of a bundle changed in Shopify",
    Change.PRICE_CHANGED: "A price or discount changed in Shopify",
    Change.SHIPPING_CHANGED: "The shipping charge changed in Shopify",
    Change.ADDRESS_CHANGED: "The address or contact changed in Shopify",
    Change.NOTE_CHANGED: "A note, tag or attribute changed in Shopify",
    Change.ORDER_CANCELLED: "The order cancelled in Shopify",
    Change.ORDER_ARCHIVED: "The order archived in Shopify",
    Change.ORDER_REOPENED: "The order taken out of the archive in Shopify",
    Change.LINE_CANCELLED_IN_PART: "Units of a line cancelled at the marketplace",
    Change.LINE_CANCELLED_WHOLE: "A whole line cancelled at the marketplace",
    Change.LINE_REFUNDED: "Units refunded at the marketplace before they left",
    Change.LINE_REFUSED: "A line refused at the marketplace",
    Change.TOTALS_RECALCULATED: "Totals or taxes recalculated at the marketplace",
    Change.ADDRESS_APPEARED: "The address appeared at the marketplace",
    Change.ADDRESS_MOVED: "The address changed at the marketplace",
    Change.INCIDENT_OPENED: "An incident opened at the marketplace",
}
"""Every change as a headline."""

WITHOUT_CONSEQUENCE = (Change.NOTE_CHANGED, Change.ORDER_ARCHIVED, Change.ORDER_REOPENED)
"""Changes from which nothing ever follows: no order is looked at for them and nothing waits because of one. Their rows say
so to whoever asks."""


class Situation(StrEnum):
    """Where the marketplace order stands, as far as an edit is concerned. Exactly one holds at a time."""

    STAGING = "staging"
    WAITING_ACCEPTANCE = "waiting_acceptance"
    ACCEPTED = "accepted_not_debited"
    SHIPPING_UNPAID = "shipping_not_debited"
    SHIPPING_PAID = "shipping_debited"
    PART_SHIPPED = "part_shipped"
    REFUND_RUNNING = "refund_running"
    INCIDENT_OPEN = "incident_open"
    SHIPPED = "shipped"
    RECEIVED = "received"
    CLOSED = "closed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown_state"


class Workflow(StrEnum):
    """`payment_workflow` of the marketplace order (Mirakl reference 3.3)."""

    PAY_ON_ACCEPTANCE = "PAY_ON_ACCEPTANCE"
    PAY_ON_DELIVERY = "PAY_ON_DELIVERY"
    PAY_ON_DUE_DATE = "PAY_ON_DUE_DATE"
    PAY_ON_SHIPMENT = "PAY_ON_SHIPMENT"
    NO_CONFIRMATION = "NO_CUSTOMER_PAYMENT_CONFIRMATION"
    OTHER = "other"


class Answer(StrEnum):
    """What becomes of a change. Exactly one answer exists for every change in every situation."""

    NOTHING = "nothing"
    WAIT_FOR_CHECK = "wait_for_check"
    WAIT_FOR_SHIPPING = "wait_for_shipping"
    WAIT_FOR_INCIDENT = "wait_for_incident"
    WAIT_FOR_REFUND = "wait_for_refund"
    WAIT_FOR_REST = "wait_for_rest"
    WAIT_FOR_MARKETPLACE_CHANGE = "wait_for_marketplace_change"
    WAIT_FOR_LINEAGE = "wait_for_lineage"
    CANCEL_QUANTITY = "cancel_quantity"
    CANCEL_ORDER = "cancel_order"
    REFUND_TASK = "refund_task"
    REFUND_APPROVAL = "refund_approval"
    AUTOMATIC_REFUND = "automatic_refund"
    MIRROR = "mirror"
    DECISION = "decision"
    IMPOSSIBLE = "impossible"


ANSWERS: dict[Answer, str] = {
    Answer.NOTHING: "nothing to do",
    Answer.WAIT_FOR_CHECK: "wait until the marketplace has checked its order",
    Answer.WAIT_FOR_SHIPPING: "wait for the state SHIPPING",
    Answer.WAIT_FOR_INCIDENT: "wait until the incident is closed",
    Answer.WAIT_FOR_REFUND: "wait for the refund that runs",
    Answer.WAIT_FOR_REST: "wait with the rest of the edit",
    Answer.WAIT_FOR_MARKETPLACE_CHANGE: "wait until the marketplace's own change is settled",
    Answer.WAIT_FOR_LINEAGE: "wait until it is settled whether another order replaces it",
    Answer.CANCEL_QUANTITY: "cancel the units at the marketplace (OR30)",
    Answer.CANCEL_ORDER: "cancel the order at the marketplace (OR29)",
    Answer.REFUND_TASK: "a person refunds in the portal",
    Answer.REFUND_APPROVAL: "a person approves the refund, Interlock makes it (OR28)",
    Answer.AUTOMATIC_REFUND: "Interlock refunds (OR28)",
    Answer.MIRROR: "carry it into the Shopify order",
    Answer.DECISION: "a person decides",
    Answer.IMPOSSIBLE: "cannot be: an engineer looks",
}
"""Every answer as a clause."""

STATE_WAITED_FOR: dict[Answer, str] = {
    Answer.WAIT_FOR_CHECK: "the end of the marketplace's check",
    Answer.WAIT_FOR_SHIPPING: "the state SHIPPING",
    Answer.WAIT_FOR_INCIDENT: "the end of the incident",
}
"""The waits in which nothing can be written: they are shown to people with the state that ends them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a rule may look at besides the change itself.

    `can_cancel`, `can_refund` (of every line concerned) and `can_ship` are the marketplace's live flags. `partial_*`
    and `reason_code` are what this marketplace allows and what is set for it. `after_debit` and `mirror` are
    policies, `editable` says whether our app may edit the Shopify order. The rest is about the edit: `everything_gone`
    when Shopify shows nothing of what was agreed, `rest_impossible` when it also contains what the marketplace cannot
    take, `marketplace_changed` when the marketplace cut the order and Shopify does not show it, or when it recalculated prices or
    shipping charges and nobody has said yet that they stand, `both_changed` when
    both sides changed this very line or the address, `refund_asked` when a refund is asked for or made for all of it,
    `refund_declined` when a person closed the task for exactly that refund, `units_left` when units of the order have left, `lineage_open` when another Shopify order may replace this one,
    `money_only` when no unit of a cancelled order is left that a refund could be asked for,
    `taxes_only` when nothing but taxes was recalculated.
    """

    situation: Situation
    workflow: Workflow = Workflow.OTHER
    paid: bool = False
    can_cancel: bool = False
    can_refund: bool = False
    can_ship: bool = False
    partial_cancelation: bool = False
    partial_acceptance: bool = False
    reason_code: bool = False
    after_debit: ReductionAfterDebit = "task"
    mirror: bool = False
    editable: bool = False
    everything_gone: bool = False
    rest_impossible: bool = False
    marketplace_changed: bool = False
    both_changed: bool = False
    refund_asked: bool = False
    refund_declined: bool = False
    units_left: bool = False
    lineage_open: bool = False
    money_only: bool = False
    taxes_only: bool = False


FACTS: dict[str, str] = {
    "situation": "where the order stands",
    "workflow": "the payment workflow",
    "paid": "the customer was debited",
    "can_cancel": "the marketplace allows a cancelation",
    "can_refund": "the marketplace allows a refund of the lines",
    "can_ship": "the shop may ship",
    "partial_cancelation": "the shop may cancel units",
    "partial_acceptance": "lines may be refused one by one",
    "reason_code": "a cancelation reason is set",
    "after_debit": "who refunds a reduction after the customer has paid",
    "mirror": "changes of the marketplace are carried into Shopify",
    "editable": "our app may edit the Shopify order",
    "everything_gone": "Shopify shows nothing of what was agreed any more",
    "rest_impossible": "the edit contains something the marketplace cannot take",
    "marketplace_changed": "the marketplace changed units or figures and that is not settled",
    "both_changed": "both sides changed it",
    "refund_asked": "a refund is asked for or made for all of it",
    "refund_declined": "somebody closed the refund task by hand",
    "units_left": "units have left in Shopify",
    "lineage_open": "another Shopify order may replace this one",
    "money_only": "money may be left of the order, and no unit",
    "taxes_only": "only taxes were recalculated",
}
"""Every fact as a clause."""

FACT_VALUES: dict[str, dict[str, str]] = {
    "situation": {
        Situation.STAGING: "the marketplace is still checking it",
        Situation.WAITING_ACCEPTANCE: "waiting for acceptance",
        Situation.ACCEPTED: "accepted, not paid yet",
        Situation.SHIPPING_UNPAID: "to be shipped, not paid yet",
        Situation.SHIPPING_PAID: "to be shipped and paid",
        Situation.PART_SHIPPED: "a part has left",
        Situation.REFUND_RUNNING: "a refund is running",
        Situation.INCIDENT_OPEN: "an incident is open",
        Situation.SHIPPED: "it has left",
        Situation.RECEIVED: "it has arrived",
        Situation.CLOSED: "closed",
        Situation.REFUSED: "refused",
        Situation.CANCELLED: "cancelled",
        Situation.UNKNOWN: "in a state this version does not know",
    },
    "workflow": {
        Workflow.PAY_ON_ACCEPTANCE: "paid on acceptance",
        Workflow.PAY_ON_DELIVERY: "paid on delivery",
        Workflow.PAY_ON_DUE_DATE: "paid on a due date",
        Workflow.PAY_ON_SHIPMENT: "paid on shipment",
        Workflow.NO_CONFIRMATION: "a debit is never shown",
        Workflow.OTHER: "one this version does not know",
    },
    "after_debit": {
        "task": "a person, in the portal",
        "approve": "Interlock, once a person approves",
        "automatic": "Interlock by itself",
    },
}
"""What the values of facts that are not yes or no are called."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A pure predicate with a name that reads as a clause."""

    name: str
    holds: Callable[[Facts], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """For these changes, in these situations (none named: in every one), under these conditions: this answer.

    Rules are asked in order and the first that matches answers. `words` are the sentence for operators, or compose it where
    it speaks of the parcel's hold. `reason` is the case a decision or an impossibility opens; None where another room opens
    it.
    """

    changes: tuple[Change, ...]
    situations: tuple[Situation, ...]
    conditions: tuple[Condition, ...]
    answer: Answer
    words: str | Callable[[HoldWords], str]
    reason: Reason | None = None

    @property
    def sentence(self) -> str:
        """What the rule says in general, of a parcel whose hold is on."""
        return self.said(HoldWords())

    @property
    def speaks_of_hold(self) -> bool:
        return not isinstance(self.words, str)

    def said(self, hold: HoldWords) -> str:
        """What the rule says of a parcel with such a hold."""
        return self.words if isinstance(self.words, str) else self.words(hold)
