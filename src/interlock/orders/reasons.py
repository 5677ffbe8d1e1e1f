"""Why a person is needed: every reason a case can have, who owns it, and what may be answered to it.

Each reason has a page of the same name in docs/operations/cases/.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Kind = Literal["condition", "task", "incident"]
Owner = Literal["customer service", "operations", "finance", "engineer"]
Severity = Literal["urgent", "today", "note"]


class Reason(StrEnum):
    """The code of a reason; stable, stored, and the name of its manual page."""

    # before the Shopify order exists
    SKU_UNKNOWN = "sku_unknown"
    STOCK_SHORT = "stock_short"
    IMPORT_REFUSED = "import_refused"
    TOTALS_DIFFER = "totals_differ"
    NOT_OURS_TO_SHIP = "not_ours_to_ship"
    TWO_LIVE_ORDERS = "two_live_orders"
    # acceptance
    ACCEPTANCE_RUNNING_OUT = "acceptance_running_out"
    ACCEPTANCE_REFUSED = "acceptance_refused"
    ACCEPTED_WITHOUT_ORDER = "accepted_without_order"
    # edits
    EDIT_CANNOT_BE_EXPRESSED = "edit_cannot_be_expressed"
    REDUCTION_NOT_ALLOWED = "reduction_not_allowed"
    REDUCTION_REFUSED = "reduction_refused"
    REFUND_TASK = "refund_task"
    CONFIRM_WITHDRAWN = "confirm_withdrawn"
    MARKETPLACE_CHANGED = "marketplace_changed"
    INCIDENT_OPEN = "incident_open"
    # holds
    HOLD_RELEASED_BY_OTHERS = "hold_released_by_others"
    CANNOT_HOLD = "cannot_hold"
    LABEL_BEFORE_AGREEMENT = "label_before_agreement"
    SHIPPED_ON_DISAGREEMENT = "shipped_on_disagreement"
    SERVICE_DOES_NOT_STOP = "service_does_not_stop"
    SERVICE_TO_ASK_AGAIN = "service_to_ask_again"
    LABEL_OVERRIDDEN = "label_overridden"
    # shipping
    CARRIER_UNKNOWN = "carrier_unknown"
    TRACKING_MISSING = "tracking_missing"
    SHIPPING_REFUSED = "shipping_refused"
    # endings
    CANCELLED_IN_SHOPIFY = "cancelled_in_shopify"
    POSSIBLE_SUCCESSOR = "possible_successor"
    ENDED_AFTER_PICKING = "ended_after_picking"
    # our own edit desk
    DESK_EDIT_STUCK = "desk_edit_stuck"
    ORIGINAL_NOT_CANCELLED = "original_not_cancelled"
    REPLACEMENT_SPLIT = "replacement_split"
    REPLACEMENT_MERGED = "replacement_merged"
    # the engineer's
    UNKNOWN_VALUE = "unknown_value"
    UNREADABLE_ORDER = "unreadable_order"
    OUTCOME_UNCLEAR = "outcome_unclear"
    PLATFORM_REFUSED = "platform_refused"
    TOO_MANY_CYCLES = "too_many_cycles"
    # refunds that Interlock makes
    REFUND_APPROVAL = "refund_approval"
    REFUND_REFUSED = "refund_refused"
    REFUND_NOT_PAID = "refund_not_paid"
    REFUND_MISMATCH = "refund_mismatch"
    # what the marketplace allows
    REASON_CODE_MISSING = "reason_code_missing"
    # after a rebuild or a restore
    QUARANTINE = "quarantine"
    DIFFERENCE_AFTER_QUARANTINE = "difference_after_quarantine"
    IMPOSSIBLE_COMBINATION = "impossible_combination"
    # edits that wait, and edits on both sides
    EDIT_WAITING = "edit_waiting"
    BOTH_SIDES_CHANGED = "both_sides_changed"
    PRICE_DISCREPANCY = "price_discrepancy"


class Option(StrEnum):
    """What a person may answer to a case."""

    MAP_SKU = "map_sku"
    MAP_CARRIER = "map_carrier"
    CREATE_WITH_CUSTOM_LINE = "create_with_custom_line"
    ACCEPT_WITHOUT_ORDER = "accept_without_order"
    REFUSE_ORDER = "refuse_order"
    ACCEPT_ANYWAY = "accept_anyway"
    UNDO_IN_SHOPIFY = "undo_in_shopify"
    UNDO_BY_INTERLOCK = "undo_by_interlock"
    CANCEL_LINE = "cancel_line"
    CANCEL_AND_MESSAGE = "cancel_and_message"
    CANCEL_AT_MARKETPLACE = "cancel_at_marketplace"
    DONE_IN_PORTAL = "done_in_portal"
    CONFIRM_WITHDRAWN = "confirm_withdrawn"
    SHIP_AS_EDITED = "ship_as_edited"
    NO_SUCCESSOR = "no_successor"
    TAKE_OVER = "take_over"
    CANCEL_ORIGINAL = "cancel_original"
    UNDO_TAKE_OVER = "undo_take_over"
    SEND_AGAIN = "send_again"
    APPROVE_REFUND = "approve_refund"
    DISMISS = "dismiss"
    GIVE_UP = "give_up"
    PRINT_ANYWAY = "print_anyway"


WITH_TEXT: tuple[Option, ...] = (Option.CANCEL_AND_MESSAGE,)
"""The options to whose answer a person writes a text besides: the words of a message to the customer."""


@dataclass(frozen=True, slots=True)
class ReasonPage:
    """What the catalogue says of one reason. `title` is a short clause for lists."""

    kind: Kind
    owner: Owner
    severity: Severity
    title: str


CATALOGUE: dict[Reason, ReasonPage] = {
    Reason.SKU_UNKNOWN: ReasonPage(
        "condition", "operations", "urgent", "a SKU of the order is not in the shop"
    ),
    Reason.STOCK_SHORT: ReasonPage("condition", "operations", "urgent", "the shop does not have the stock"),
    Reason.IMPORT_REFUSED: ReasonPage(
        "condition", "engineer", "urgent", "Shopify refused to create the order"
    ),
    Reason.TOTALS_DIFFER: ReasonPage(
        "condition", "finance", "urgent", "the two orders do not add up to the same"
    ),
    Reason.NOT_OURS_TO_SHIP: ReasonPage(
        "condition", "operations", "today", "the marketplace ships this order itself"
    ),
    Reason.TWO_LIVE_ORDERS: ReasonPage(
        "incident", "operations", "urgent", "two Shopify orders stand for one order"
    ),
    Reason.ACCEPTANCE_RUNNING_OUT: ReasonPage(
        "condition", "operations", "urgent", "the time to accept is running out"
    ),
    Reason.ACCEPTANCE_REFUSED: ReasonPage(
        "condition", "engineer", "urgent", "the marketplace refused our acceptance"
    ),
    Reason.ACCEPTED_WITHOUT_ORDER: ReasonPage(
        "incident", "operations", "urgent", "accepted, but no Shopify order exists yet"
    ),
    Reason.EDIT_CANNOT_BE_EXPRESSED: ReasonPage(
        "condition", "customer service", "today", "the marketplace cannot take this edit"
    ),
    Reason.REDUCTION_NOT_ALLOWED: ReasonPage(
        "condition", "customer service", "today", "the marketplace does not allow this cancelation now"
    ),
    Reason.REDUCTION_REFUSED: ReasonPage(
        "condition", "customer service", "urgent", "the marketplace refused the cancelation"
    ),
    Reason.REFUND_TASK: ReasonPage(
        "task", "finance", "today", "a refund has to be made in the marketplace portal"
    ),
    Reason.CONFIRM_WITHDRAWN: ReasonPage(
        "task", "customer service", "today", "confirm that refunded units will not ship"
    ),
    Reason.MARKETPLACE_CHANGED: ReasonPage(
        "condition", "customer service", "urgent", "the marketplace changed the order"
    ),
    Reason.INCIDENT_OPEN: ReasonPage(
        "condition", "customer service", "today", "the marketplace has an open incident on the order"
    ),
    Reason.HOLD_RELEASED_BY_OTHERS: ReasonPage(
        "incident", "operations", "urgent", "somebody released our hold"
    ),
    Reason.CANNOT_HOLD: ReasonPage("condition", "operations", "urgent", "the parcel cannot be put on hold"),
    Reason.LABEL_BEFORE_AGREEMENT: ReasonPage(
        "incident", "operations", "urgent", "a label exists for lines the marketplace does not agree with"
    ),
    Reason.SHIPPED_ON_DISAGREEMENT: ReasonPage(
        "incident", "operations", "urgent", "more was shipped than the marketplace agreed to"
    ),
    Reason.SERVICE_DOES_NOT_STOP: ReasonPage(
        "condition", "operations", "urgent", "a fulfilment service would not stop the parcel"
    ),
    Reason.SERVICE_TO_ASK_AGAIN: ReasonPage(
        "condition", "operations", "today", "a fulfilment service waits to be asked again"
    ),
    Reason.LABEL_OVERRIDDEN: ReasonPage(
        "incident", "operations", "today", "somebody had a label printed against a no"
    ),
    Reason.CARRIER_UNKNOWN: ReasonPage("condition", "operations", "today", "the carrier is not mapped"),
    Reason.TRACKING_MISSING: ReasonPage(
        "condition", "operations", "today", "the marketplace demands tracking"
    ),
    Reason.SHIPPING_REFUSED: ReasonPage(
        "condition", "operations", "urgent", "the marketplace refused the dispatch"
    ),
    Reason.CANCELLED_IN_SHOPIFY: ReasonPage(
        "condition", "customer service", "urgent", "cancelled in Shopify, still alive at the marketplace"
    ),
    Reason.POSSIBLE_SUCCESSOR: ReasonPage(
        "condition", "customer service", "urgent", "another Shopify order may replace this one"
    ),
    Reason.ENDED_AFTER_PICKING: ReasonPage(
        "incident", "operations", "urgent", "the marketplace ended an order whose parcel is on its way"
    ),
    Reason.DESK_EDIT_STUCK: ReasonPage(
        "condition", "customer service", "today", "an edit from our desk cannot be made"
    ),
    Reason.ORIGINAL_NOT_CANCELLED: ReasonPage(
        "condition", "operations", "urgent", "a replaced order is not cancelled"
    ),
    Reason.REPLACEMENT_SPLIT: ReasonPage(
        "condition", "operations", "urgent", "an order was split into several"
    ),
    Reason.REPLACEMENT_MERGED: ReasonPage(
        "condition", "operations", "urgent", "one order may stand for two marketplace orders"
    ),
    Reason.UNKNOWN_VALUE: ReasonPage(
        "condition", "engineer", "today", "the marketplace sent a value we do not know"
    ),
    Reason.UNREADABLE_ORDER: ReasonPage("condition", "engineer", "urgent", "an order could not be read"),
    Reason.OUTCOME_UNCLEAR: ReasonPage(
        "incident", "engineer", "urgent", "a call's outcome stayed unclear twice"
    ),
    Reason.PLATFORM_REFUSED: ReasonPage(
        "condition", "engineer", "today", "a platform refused one of our calls"
    ),
    Reason.TOO_MANY_CYCLES: ReasonPage("condition", "engineer", "today", "the order keeps coming back"),
    Reason.REFUND_APPROVAL: ReasonPage(
        "task", "finance", "today", "a refund at the marketplace waits for approval"
    ),
    Reason.REFUND_REFUSED: ReasonPage("condition", "finance", "urgent", "the marketplace refused our refund"),
    Reason.REFUND_NOT_PAID: ReasonPage(
        "condition", "finance", "note", "a refund we made is not paid back yet"
    ),
    Reason.REFUND_MISMATCH: ReasonPage(
        "incident", "finance", "urgent", "a refund at the marketplace is not what was asked for"
    ),
    Reason.REASON_CODE_MISSING: ReasonPage(
        "condition", "operations", "today", "the marketplace does not take a reason code we use"
    ),
    Reason.QUARANTINE: ReasonPage(
        "condition", "engineer", "urgent", "nothing is written: this database may not be the current one"
    ),
    Reason.DIFFERENCE_AFTER_QUARANTINE: ReasonPage(
        "task", "customer service", "today", "a difference from before the quarantine needs a person's word"
    ),
    Reason.IMPOSSIBLE_COMBINATION: ReasonPage(
        "condition", "engineer", "today", "the marketplace shows what cannot be"
    ),
    Reason.EDIT_WAITING: ReasonPage(
        "condition", "customer service", "note", "an edit waits for the marketplace"
    ),
    Reason.PRICE_DISCREPANCY: ReasonPage(
        "condition", "operations", "urgent", "the marketplace sold at another price than the shop's"
    ),
    Reason.BOTH_SIDES_CHANGED: ReasonPage(
        "condition", "customer service", "urgent", "both sides changed the same line"
    ),
}
