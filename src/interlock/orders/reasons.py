"""Why a person is needed: every reason a case can have, who owns it, and what may be answered to it.

Each reason has a page of the same name in docs/operations/cases/, whose last two sections say the same as the entry here.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal

Kind = Literal["condition", "task", "incident"]
Owner = Literal["CX", "operations", "finance", "engineer"]
HandledBy = Literal["automatic with notice", "person"]
MoneyAtRisk = Literal["order", "refund", "difference", "nothing"]
Severity = Literal["urgent", "today", "note"]


class Reason(StrEnum):
    """The code of a reason; stable, stored, and the name of its manual page."""

    # before the Shopify order exists
    SKU_UNKNOWN = "sku_unknown"
    STOCK_SHORT = "stock_short"
    IMPORT_REFUSED = "import_refused"
    DRAFT_WITHOUT_STOCK = "draft_without_stock"
    TOTALS_DIFFER = "totals_differ"
    NOT_OURS_TO_SHIP = "not_ours_to_ship"
    OLDER_THAN_CONNECTION = "older_than_connection"
    TWO_LIVE_ORDERS = "two_live_orders"
    # acceptance
    ACCEPTANCE_RUNNING_OUT = "acceptance_running_out"
    ACCEPTANCE_REFUSED = "acceptance_refused"
    ACCEPTED_WITHOUT_ORDER = "accepted_without_order"
    SHIPPED_WITHOUT_ORDER = "shipped_without_order"
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
    DESTINATION_DIFFERS = "destination_differs"
    LABEL_BEFORE_AGREEMENT = "label_before_agreement"
    SHIPPED_ON_DISAGREEMENT = "shipped_on_disagreement"
    SERVICE_DOES_NOT_STOP = "service_does_not_stop"
    SERVICE_TO_ASK_AGAIN = "service_to_ask_again"
    LABEL_OVERRIDDEN = "label_overridden"
    # shipping
    CARRIER_UNKNOWN = "carrier_unknown"
    TRACKING_MISSING = "tracking_missing"
    SHIPPING_REFUSED = "shipping_refused"
    TRACKING_UNUSABLE = "tracking_unusable"
    CARRIER_GONE = "carrier_gone"
    # endings
    CANCELLED_IN_SHOPIFY = "cancelled_in_shopify"
    SHOPIFY_ORDER_MISSING = "shopify_order_missing"
    POSSIBLE_SUCCESSOR = "possible_successor"
    ENDED_AFTER_PICKING = "ended_after_picking"
    ENDED_WITH_REST = "ended_with_rest"
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
    SETTING_REFUTED = "setting_refuted"
    # after a rebuild or a restore
    QUARANTINE = "quarantine"
    DIFFERENCE_AFTER_QUARANTINE = "difference_after_quarantine"
    IMPOSSIBLE_COMBINATION = "impossible_combination"
    # edits that wait, and edits on both sides
    EDIT_WAITING = "edit_waiting"
    BOTH_SIDES_CHANGED = "both_sides_changed"
    PRICE_DISCREPANCY = "price_discrepancy"
    # connections as a whole, and the service itself
    CREDENTIAL_REFUSED = "credential_refused"
    SCOPE_MISSING = "scope_missing"
    SUBSCRIPTION_MISSING = "subscription_missing"
    POLLER_STALE = "poller_stale"
    BUDGET_EXHAUSTED = "budget_exhausted"
    OPERATION_UNCLEAR = "operation_unclear"
    POISON_ORDER = "poison_order"
    CLOCK_SKEW = "clock_skew"
    # what people stopped for a while
    FLOW_PAUSED = "flow_paused"
    # the same kinds of trouble, told apart; around a dispatch, an address, and money that only one side knows of
    SKU_AMBIGUOUS = "sku_ambiguous"
    SHIPPING_DEADLINE_NEAR = "shipping_deadline_near"
    PARTIAL_SHIPMENT = "partial_shipment"
    FULFILLMENT_CANCELLED = "fulfillment_cancelled"
    TRACKING_NOT_CORRECTED = "tracking_not_corrected"
    STILL_HERE = "still_here"
    LABEL_GIVEN_BACK = "label_given_back"
    SHIPMENT_IN_PORTAL = "shipment_in_portal"
    SHIPMENTS_HIDDEN = "shipments_hidden"
    OPERATOR_SHIPS = "operator_ships"
    ADDRESS_INCOMPLETE = "address_incomplete"
    REFUND_ONLY_AT_MARKETPLACE = "refund_only_at_marketplace"
    REFUND_MADE_ALREADY = "refund_made_already"
    # mail that reaches a marketplace's customer past the marketplace
    EMAIL_NOT_RELAY = "email_not_relay"
    MARKETING_POSSIBLE = "marketing_possible"
    # what the service finds out about itself
    AUDIT_LOG_BROKEN = "audit_log_broken"
    BACKUP_OLD = "backup_old"
    CANARY_IN_LOG = "canary_in_log"
    HEARTBEAT_MISSING = "heartbeat_missing"
    INGRESS_REDIRECTS = "ingress_redirects"
    # between what a marketplace offers and what the shop sells
    OFFER_WITHOUT_VARIANT = "offer_without_variant"
    OFFER_AMBIGUOUS = "offer_ambiguous"
    OFFER_DELETED = "offer_deleted"
    VARIANT_WITHOUT_OFFER = "variant_without_offer"
    OFFER_SKU_UNUSABLE = "offer_sku_unusable"
    # stock that is offered
    STOCK_LOCATION_GONE = "stock_location_gone"
    STOCK_FILE_REFUSED = "stock_file_refused"
    STOCK_LINE_REFUSED = "stock_line_refused"
    STOCK_IMPORT_STUCK = "stock_import_stuck"
    STOCK_ABSURD = "stock_absurd"
    OVERSOLD = "oversold"


class Option(StrEnum):
    """What a person may answer to a case."""

    MAP_SKU = "map_sku"
    MAP_CARRIER = "map_carrier"
    CREATE_ORDER = "create_order"
    IN_SHOP_ALREADY = "in_shop_already"
    CREATE_WITH_CUSTOM_LINE = "create_with_custom_line"
    ACCEPT_WITHOUT_ORDER = "accept_without_order"
    REFUSE_ORDER = "refuse_order"
    ACCEPT_ANYWAY = "accept_anyway"
    KEEP_ADDRESS = "keep_address"
    UNDO_IN_SHOPIFY = "undo_in_shopify"
    UNDO_BY_INTERLOCK = "undo_by_interlock"
    CANCEL_LINE = "cancel_line"
    CANCEL_AND_MESSAGE = "cancel_and_message"
    CANCEL_AT_MARKETPLACE = "cancel_at_marketplace"
    DONE_IN_PORTAL = "done_in_portal"
    CONFIRM_WITHDRAWN = "confirm_withdrawn"
    SHIP_AS_EDITED = "ship_as_edited"
    SHIP_WITH_DIFFERENCE = "ship_with_difference"
    NO_SUCCESSOR = "no_successor"
    SECOND_DELIVERY = "second_delivery"
    TAKE_OVER = "take_over"
    CANCEL_ORIGINAL = "cancel_original"
    UNDO_TAKE_OVER = "undo_take_over"
    SEND_AGAIN = "send_again"
    APPROVE_REFUND = "approve_refund"
    ANOTHER_REFUND = "another_refund"
    DISMISS = "dismiss"
    GIVE_UP = "give_up"
    TURNED_DOWN = "turned_down"
    PRINT_ANYWAY = "print_anyway"
    LEFT_UNDER_NUMBER = "left_under_number"
    SEND_NUMBER = "send_number"


WITH_TEXT: tuple[Option, ...] = (Option.CANCEL_AND_MESSAGE,)
"""The options to whose answer a person writes a text besides: the words of a message to the customer."""

FOR_A_WHOLE_CAUSE: tuple[Option, ...] = (Option.SEND_AGAIN, Option.IN_SHOP_ALREADY)
"""The options that may be answered to every case of one cause at once. Looking at such orders again changes nothing, and what
the answer says is the same for each of them."""


class DamageTime(StrEnum):
    """When an unanswered case begins to cost something; the queue is ordered by it."""

    ACCEPTANCE_DEADLINE = "acceptance deadline"
    SHIPPING_DEADLINE = "shipping deadline"
    AT_ONCE = "at once"
    AFTER_OPENING = "after opening"


@dataclass(frozen=True, slots=True)
class Damage:
    """What a case costs if nobody answers it, and when: at a deadline of the order, at once, or `after` it opened.
    A due time that a rule gives its case goes before this one. `at_risk` is the money it may cost: the total of the
    order, of the refund, the difference, or nothing that could be counted."""

    when: DamageTime
    costs: str
    at_risk: MoneyAtRisk
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class ReasonPage:
    """What the catalogue says of one reason. `title` is a short clause for lists. `automatic with notice` means that
    Interlock settles it by itself and the case only tells. `evidence` is what opened it and what it is closed on;
    `options` are all answers the reason may ever offer: a rule offers those that are legal at that moment."""

    kind: Kind
    owner: Owner
    severity: Severity
    title: str
    handled_by: HandledBy
    damage: Damage
    evidence: str
    closes_when: str
    options: tuple[Option, ...]


def manual_page(reason: Reason) -> str:
    """Where the manual explains the reason, as a path inside the repository."""
    return f"docs/operations/cases/{reason.value}.md"


CATALOGUE: dict[Reason, ReasonPage] = {
    Reason.SKU_UNKNOWN: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="a SKU of the order is not in the shop",
        handled_by="person",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "When the time to accept is over the marketplace refuses the order by itself: the sale is lost and counts against the shop. Every later order with this SKU stops in the same way.",
            "order",
        ),
        evidence="no variant of the shop carries the SKU of the marketplace line",
        closes_when="By itself, as soon as exactly one variant stands for the SKU and the order could be created, or when the marketplace order has ended.",
        options=(
            Option.MAP_SKU,
            Option.CREATE_WITH_CUSTOM_LINE,
            Option.ACCEPT_WITHOUT_ORDER,
            Option.REFUSE_ORDER,
        ),
    ),
    Reason.STOCK_SHORT: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="the shop does not have the stock",
        handled_by="person",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "When the time to accept is over the marketplace refuses the order by itself: the sale is lost and counts against the shop.",
            "order",
        ),
        evidence="the available quantity Shopify shows, or its refusal to claim the stock",
        closes_when="By itself, when the stock suffices and the order was created, or when the marketplace order has ended.",
        options=(
            Option.CREATE_WITH_CUSTOM_LINE,
            Option.ACCEPT_WITHOUT_ORDER,
            Option.REFUSE_ORDER,
            Option.SEND_AGAIN,
        ),
    ),
    Reason.IMPORT_REFUSED: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="Shopify refused to create the order",
        handled_by="person",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "Without a Shopify order nothing is accepted, and the marketplace refuses the order when the time is over; accepted already, it is never packed.",
            "order",
        ),
        evidence="Shopify's words and code in its answer to the creation",
        closes_when="By itself, when a later attempt succeeded or the call is not wanted any more.",
        options=(
            Option.SEND_AGAIN,
            Option.ACCEPT_WITHOUT_ORDER,
            Option.REFUSE_ORDER,
        ),
    ),
    Reason.DRAFT_WITHOUT_STOCK: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="the draft order is gone, shows no order, or reserves no stock",
        handled_by="person",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "Nothing is reserved in the shop, so it may sell the units. An order that waits for acceptance is not accepted, and the marketplace refuses it when the time is over; accepted already, it is never packed.",
            "order",
        ),
        evidence="the draft order of the sale, read by its id, and whatever carries the number of the sale in the shop",
        closes_when="By itself, when a draft order reserves the stock or the Shopify order exists, or when the marketplace order has ended.",
        options=(
            Option.SEND_AGAIN,
            Option.ACCEPT_WITHOUT_ORDER,
            Option.REFUSE_ORDER,
        ),
    ),
    Reason.TOTALS_DIFFER: ReasonPage(
        kind="condition",
        owner="finance",
        severity="urgent",
        title="the two orders do not add up to the same",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held, so the order is late at the marketplace; shipped with the wrong total, the books differ for ever.",
            "order",
        ),
        evidence="the totals and currencies of both orders",
        closes_when="By itself, when both sides show the same total in the same currency, or when a person says that the order ships with this difference. An edit, a cancelation or a refund of a part does not close it.",
        options=(Option.SHIP_WITH_DIFFERENCE,),
    ),
    Reason.NOT_OURS_TO_SHIP: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the marketplace ships this order itself",
        handled_by="automatic with notice",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "Nothing, if the marketplace really ships it. If it is the shop's to ship after all, it is refused or late because nobody knows of it.",
            "order",
        ),
        evidence="the fulfilment centre and the payment rule of the marketplace order",
        closes_when="When the connection's own centres include it, when the marketplace shows the order differently, or as left or ended; or by a person with a reason.",
        options=(Option.DISMISS,),
    ),
    Reason.OLDER_THAN_CONNECTION: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="accepted before the connection went live",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "Nothing, if the shop has the order and ships it. If it has none, nobody packs the parcel and it is late at the marketplace. Until it is answered or has left, its units stay off what is offered.",
            "order",
        ),
        evidence="when the order was made, when the connection went live, that it was accepted when it was first seen, and that nothing of Interlock stands for it in the shop",
        closes_when="By itself, when a Shopify order of ours or a draft stands for it, or when the marketplace order has left or ended; or when a person says that it is in the shop already, or to create it.",
        options=(Option.IN_SHOP_ALREADY, Option.CREATE_ORDER),
    ),
    Reason.TWO_LIVE_ORDERS: ReasonPage(
        kind="incident",
        owner="operations",
        severity="urgent",
        title="two Shopify orders stand for one order",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Both orders stay held and late. If somebody releases both, the customer gets everything twice and pays once.",
            "order",
        ),
        evidence="two Shopify orders with our marker or lineage, neither of them cancelled",
        closes_when="When Shopify shows one of the two as cancelled. If the marketplace order has ended, only the cancelation of the second order closes it. Otherwise by a person with a reason. Each hold comes off by itself once nothing else speaks against the parcel.",
        options=(Option.DISMISS,),
    ),
    Reason.ACCEPTANCE_RUNNING_OUT: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="the time to accept is running out",
        handled_by="person",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "When the time to accept is over the marketplace refuses the order by itself: the sale is lost and counts against the shop.",
            "order",
        ),
        evidence="the state of the marketplace order and the acceptance window of the connection",
        closes_when="By itself, when the order is accepted or refused, by whomever.",
        options=(
            Option.ACCEPT_WITHOUT_ORDER,
            Option.REFUSE_ORDER,
        ),
    ),
    Reason.ACCEPTANCE_REFUSED: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="the marketplace refused our acceptance",
        handled_by="person",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "The order is not accepted. When the time is over the marketplace refuses it by itself and the sale is lost.",
            "order",
        ),
        evidence="the marketplace's answer to the acceptance (OR21)",
        closes_when="By itself, when the order no longer waits for acceptance.",
        options=(
            Option.SEND_AGAIN,
            Option.REFUSE_ORDER,
        ),
    ),
    Reason.ACCEPTED_WITHOUT_ORDER: ReasonPage(
        kind="incident",
        owner="operations",
        severity="urgent",
        title="accepted, but no Shopify order exists yet",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "Nobody packs the order. It is late at the marketplace, then cancelled and refunded there.",
            "order",
        ),
        evidence="an acceptance in a person's name, and no Shopify order",
        closes_when="By itself when the Shopify order exists or the marketplace order has ended, or by a person with a reason.",
        options=(Option.DISMISS,),
    ),
    Reason.SHIPPED_WITHOUT_ORDER: ReasonPage(
        kind="incident",
        owner="operations",
        severity="today",
        title="shipped in the portal, and no Shopify order exists",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The shop counts units as stock that have left, and sells them once more.",
            "order",
            timedelta(hours=24),
        ),
        evidence="an order the marketplace shows as shipped, seen before that, and no Shopify order",
        closes_when="By itself when the Shopify order turns out to exist, or by a person with a reason.",
        options=(Option.DISMISS,),
    ),
    Reason.EDIT_CANNOT_BE_EXPRESSED: ReasonPage(
        kind="condition",
        owner="CX",
        severity="today",
        title="the marketplace cannot take this edit",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held and becomes late at the marketplace. The customer waits for an edit that was promised.",
            "order",
        ),
        evidence="the lines of both orders side by side, and what was agreed",
        closes_when="By itself, when both sides agree again or the order has ended. Another edit is another case.",
        options=(
            Option.UNDO_IN_SHOPIFY,
            Option.UNDO_BY_INTERLOCK,
            Option.CANCEL_LINE,
            Option.CANCEL_AT_MARKETPLACE,
            Option.CANCEL_AND_MESSAGE,
            Option.SHIP_AS_EDITED,
            Option.KEEP_ADDRESS,
            Option.DONE_IN_PORTAL,
        ),
    ),
    Reason.REDUCTION_NOT_ALLOWED: ReasonPage(
        kind="condition",
        owner="CX",
        severity="today",
        title="the marketplace does not allow this cancelation now",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held and becomes late, or once the order is closed the customer paid for units that never came.",
            "order",
        ),
        evidence="the flags and the state of the marketplace order",
        closes_when="By itself, when both sides agree or the marketplace allows the cancelation. Once the order is closed there, by the answer done in the portal, because nothing the marketplace shows later could.",
        options=(
            Option.UNDO_IN_SHOPIFY,
            Option.UNDO_BY_INTERLOCK,
            Option.CANCEL_LINE,
            Option.CANCEL_AT_MARKETPLACE,
            Option.CANCEL_AND_MESSAGE,
            Option.SHIP_AS_EDITED,
            Option.DONE_IN_PORTAL,
        ),
    ),
    Reason.REDUCTION_REFUSED: ReasonPage(
        kind="condition",
        owner="CX",
        severity="urgent",
        title="the marketplace refused the cancelation",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held and becomes late. Released by hand it ships without units the customer pays for.",
            "order",
        ),
        evidence="the marketplace's answer to the cancelation (OR30, OR29)",
        closes_when="By itself, when both sides agree, whoever brought that about, or when other figures are wanted.",
        options=(
            Option.SEND_AGAIN,
            Option.UNDO_IN_SHOPIFY,
            Option.UNDO_BY_INTERLOCK,
            Option.DONE_IN_PORTAL,
        ),
    ),
    Reason.REFUND_TASK: ReasonPage(
        kind="task",
        owner="finance",
        severity="today",
        title="a refund has to be made in the marketplace portal",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The customer has no money back or has it twice, and the marketplace keeps its commission on a sale that is gone. After the billing cycle it is hard to get back.",
            "refund",
            timedelta(hours=48),
        ),
        evidence="a Shopify refund that moved money, or an edit after debit, without a refund at the marketplace",
        closes_when="By itself, when the marketplace shows refunds of exactly its money (product amount, shipping, taxes that come on top, fees), or a cancelation of the units. Where Shopify moved another amount than the marketplace's share, that amount closes it, or the share once a person said that it is done. Any other amount becomes [a case of its own](refund_mismatch.md). Two refunds of the same removal become one task.",
        options=(
            Option.DONE_IN_PORTAL,
            Option.DISMISS,
        ),
    ),
    Reason.CONFIRM_WITHDRAWN: ReasonPage(
        kind="task",
        owner="CX",
        severity="today",
        title="confirm that refunded units will not ship",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held and becomes late at the marketplace.",
            "order",
        ),
        evidence="a refund of whole units at the marketplace before dispatch",
        closes_when="By the answer, or when the order leaves the state in which anything may ship.",
        options=(
            Option.CONFIRM_WITHDRAWN,
            Option.DISMISS,
        ),
    ),
    Reason.MARKETPLACE_CHANGED: ReasonPage(
        kind="condition",
        owner="CX",
        severity="urgent",
        title="the marketplace changed the order",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held; released by hand it carries goods nobody pays for, or goes to the wrong place.",
            "order",
        ),
        evidence="cancelations, refunds, prices or a delivery address of the marketplace that Shopify does not show",
        closes_when="By itself, when Shopify shows what the marketplace agrees to, and its address.",
        options=(Option.ACCEPT_ANYWAY, Option.KEEP_ADDRESS),
    ),
    Reason.INCIDENT_OPEN: ReasonPage(
        kind="condition",
        owner="CX",
        severity="today",
        title="the marketplace has an open incident on the order",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held and becomes late, and the marketplace decides the dispute without the shop's word.",
            "order",
        ),
        evidence="the incident flag of the marketplace order",
        closes_when="By itself, when the marketplace shows the incident closed, or the order has left or ended.",
        options=(),
    ),
    Reason.HOLD_RELEASED_BY_OTHERS: ReasonPage(
        kind="incident",
        owner="operations",
        severity="urgent",
        title="somebody released our hold",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "The parcel may leave with lines the marketplace does not agree with: goods without payment, or payment without goods.",
            "order",
        ),
        evidence="a fulfillment order without our hold that we did not release",
        closes_when="By a person with a reason.",
        options=(Option.DISMISS,),
    ),
    Reason.CANNOT_HOLD: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="the parcel cannot be put on hold",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "The parcel may leave with lines the marketplace does not agree with: goods without payment, or payment without goods.",
            "order",
        ),
        evidence="Shopify's refusal to hold, a fulfillment order that offers no hold, or the request of another order's parcel that a fulfilment service has (FulfillmentOrder.requestStatus)",
        closes_when="By itself, when our hold is on and no fulfilment service has the parcel, or when the parcel may move.",
        options=(Option.SEND_AGAIN,),
    ),
    Reason.DESTINATION_DIFFERS: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the fulfillment order goes to another address, or to none",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held and becomes late at the marketplace; released by hand, it goes to the wrong address.",
            "order",
        ),
        evidence="the destination of an open fulfillment order, and the address of its Shopify order",
        closes_when="By itself, when every open fulfillment order goes to the address of the Shopify order, or nothing is left to ship.",
        options=(),
    ),
    Reason.LABEL_BEFORE_AGREEMENT: ReasonPage(
        kind="incident",
        owner="operations",
        severity="urgent",
        title="a label exists for lines the marketplace does not agree with",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "The parcel leaves with lines the marketplace does not agree with, and nobody pays for the difference.",
            "order",
        ),
        evidence="a fulfillment made while the two sides differed",
        closes_when="By itself, when the label is voided: its fulfillment is cancelled in Shopify. Otherwise by a person with a reason. It does not close by forgetting.",
        options=(Option.DISMISS,),
    ),
    Reason.SHIPPED_ON_DISAGREEMENT: ReasonPage(
        kind="incident",
        owner="operations",
        severity="urgent",
        title="more was shipped than the marketplace agreed to",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "The shop pays for goods it sent for nothing, and the marketplace counts the order as late because no dispatch is reported.",
            "order",
        ),
        evidence="shipped quantities above the agreed ones",
        closes_when="By itself, when what has left no longer exceeds what is agreed (the fulfillment was cancelled, say); otherwise by a person with a reason.",
        options=(Option.DISMISS,),
    ),
    Reason.SERVICE_DOES_NOT_STOP: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="a fulfilment service would not stop the parcel",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "The parcel leaves with lines the marketplace does not agree with: goods without payment, or payment without goods.",
            "order",
        ),
        evidence="the fulfilment service's answer to the request to stop, or none in time",
        closes_when="By itself, when the service gives the parcel back, when both sides agree, or when the parcel has left; what has left wrongly is an incident of its own.",
        options=(Option.SEND_AGAIN,),
    ),
    Reason.SERVICE_TO_ASK_AGAIN: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="a fulfilment service waits to be asked again",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "Nobody ships the parcel, and the order becomes late at the marketplace.",
            "order",
        ),
        evidence="a fulfillment order a service gave back, with nothing against the parcel any more",
        closes_when="By itself, when the service has the parcel again or nothing is left to ship.",
        options=(),
    ),
    Reason.LABEL_OVERRIDDEN: ReasonPage(
        kind="incident",
        owner="operations",
        severity="today",
        title="somebody had a label printed against a no",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "If what left differs from what was agreed, nobody pays for the difference and nobody looks for it.",
            "order",
        ),
        evidence="an override given with the label check",
        closes_when="By a person with a reason. It does not close by forgetting.",
        options=(Option.DISMISS,),
    ),
    Reason.CARRIER_UNKNOWN: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the carrier is not mapped",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The marketplace is not told of the dispatch. When its shipping deadline is over it may cancel and refund the order while the goods are on their way. Every parcel with this carrier waits.",
            "order",
        ),
        evidence="the carrier name of the fulfillment, and the carriers the marketplace has registered (SH21)",
        closes_when="By itself, when the name leads to a carrier the marketplace takes.",
        options=(Option.MAP_CARRIER,),
    ),
    Reason.TRACKING_MISSING: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the marketplace demands tracking",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The marketplace is not told of the dispatch. When its shipping deadline is over it may cancel and refund the order while the goods are on their way.",
            "order",
        ),
        evidence="fulfillments without carrier or number, and the shipping method that demands them",
        closes_when="By itself, when the fulfillment carries both, or a number that the default carrier takes, or the dispatch was reported in the portal.",
        options=(),
    ),
    Reason.TRACKING_UNUSABLE: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the tracking of a parcel cannot be sent",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The marketplace is not told of the dispatch. When its shipping deadline is over it may cancel and refund the order while the goods are on their way.",
            "order",
        ),
        evidence="the tracking number and the tracking URL of the fulfillment as Shopify shows them",
        closes_when="By itself, when the fulfillment carries a number and a URL that can be sent, or the dispatch was reported in the portal.",
        options=(),
    ),
    Reason.CARRIER_GONE: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the marketplace has dropped a carrier or shipping method in use",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "Every parcel with such a carrier waits, or goes out by a wider mapping or the default: where it waits, the marketplace is not told of its dispatch until the carrier is mapped anew.",
            "nothing",
            timedelta(hours=24),
        ),
        evidence="the carrier map of the connection, the names on the parcels of the last 30 days, and the marketplace's carriers and shipping methods (SH21, SH12, read once a day)",
        closes_when="By itself, when the marketplace has it again, the names are mapped anew, or nothing uses it any more.",
        options=(),
    ),
    Reason.SHIPPING_REFUSED: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="the marketplace refused the dispatch",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The marketplace counts the order as not shipped. When its shipping deadline is over it may cancel and refund the order while the goods are on their way.",
            "order",
        ),
        evidence="the marketplace's answer to the tracking (OR23, ST23), a shipment (ST01) or the dispatch (OR24, ST24)",
        closes_when="By itself, when the marketplace shows the dispatch, or another carrier or number is wanted.",
        options=(Option.SEND_AGAIN,),
    ),
    Reason.CANCELLED_IN_SHOPIFY: ReasonPage(
        kind="condition",
        owner="CX",
        severity="urgent",
        title="cancelled in Shopify, still alive at the marketplace",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The customer waits for a parcel nobody packs, the order becomes late at the marketplace, and the money is refunded late.",
            "order",
        ),
        evidence="a cancelled Shopify order whose marketplace order is alive",
        closes_when="By itself, when the marketplace shows that its order has ended or that all the customer paid is refunded; or a person dismisses it with a reason.",
        options=(
            Option.DONE_IN_PORTAL,
            Option.REFUSE_ORDER,
            Option.SEND_AGAIN,
            Option.DISMISS,
        ),
    ),
    Reason.SHOPIFY_ORDER_MISSING: ReasonPage(
        kind="condition",
        owner="CX",
        severity="urgent",
        title="the Shopify order is not shown any more",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The customer waits for a parcel that nobody packs, and the order becomes late at the marketplace. If the order is there and only hidden from Interlock, its parcel leaves and the marketplace never hears of it.",
            "order",
        ),
        evidence="reads of Shopify, over five minutes, that succeed and do not show the linked order, which was not cancelled when it was seen last, or of which nothing is kept that it showed",
        closes_when="By itself, when Shopify shows the order again, or when the marketplace order has left or ended; or by the answer to cancel the whole order.",
        options=(Option.CANCEL_AT_MARKETPLACE,),
    ),
    Reason.POSSIBLE_SUCCESSOR: ReasonPage(
        kind="condition",
        owner="CX",
        severity="urgent",
        title="another Shopify order may replace this one",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The new order stays held and becomes late, or the customer gets two parcels for one payment.",
            "order",
        ),
        evidence="numbers, lines, customer and time of another Shopify order, scored",
        closes_when="By an answer, or when the other order is cancelled. An order that is merely alike is not asked about any more once the marketplace order has shipped; a copy of it is.",
        options=(
            Option.TAKE_OVER,
            Option.SECOND_DELIVERY,
            Option.NO_SUCCESSOR,
        ),
    ),
    Reason.ENDED_AFTER_PICKING: ReasonPage(
        kind="incident",
        owner="operations",
        severity="urgent",
        title="the marketplace ended an order whose parcel is on its way",
        handled_by="person",
        damage=Damage(DamageTime.AT_ONCE, "The goods are gone and nobody pays for them.", "order"),
        evidence="a live fulfillment of an order the marketplace ended",
        closes_when="By a person with a reason.",
        options=(Option.DISMISS,),
    ),
    Reason.ENDED_WITH_REST: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="units of an ended order are still here",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The units stay reserved for an order that nobody pays for, so they can be sold to nobody else.",
            "order",
            timedelta(hours=24),
        ),
        evidence="an order the marketplace ended, a parcel of it that left, and units of its Shopify order that have not left",
        closes_when="By itself, when the units were taken out of the Shopify order or left, or the order is cancelled.",
        options=(),
    ),
    Reason.DESK_EDIT_STUCK: ReasonPage(
        kind="condition",
        owner="CX",
        severity="today",
        title="an edit from our desk cannot be made",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The edit the customer was promised is not made, and the parcel stays held and becomes late.",
            "order",
        ),
        evidence="Shopify's answer to our edit",
        closes_when="By itself, when Shopify shows the edit; or with your answer to give it up.",
        options=(
            Option.GIVE_UP,
            Option.SEND_AGAIN,
        ),
    ),
    Reason.ORIGINAL_NOT_CANCELLED: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="a replaced order is not cancelled",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Both orders stay held and late. If somebody releases both, the customer gets two parcels and pays once.",
            "order",
        ),
        evidence="a replaced Shopify order that is not cancelled",
        closes_when="When one of the two is cancelled, or by the answer that they have nothing to do with each other or that a second delivery was agreed.",
        options=(
            Option.CANCEL_ORIGINAL,
            Option.SECOND_DELIVERY,
            Option.NO_SUCCESSOR,
        ),
    ),
    Reason.REPLACEMENT_SPLIT: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="an order was split into several",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE, "All parts stay held and become late at the marketplace.", "order"
        ),
        evidence="several Shopify orders that each carry a part of the lines",
        closes_when="When no more than one part is left, or by an answer.",
        options=(
            Option.TAKE_OVER,
            Option.NO_SUCCESSOR,
        ),
    ),
    Reason.REPLACEMENT_MERGED: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="one order may stand for two marketplace orders",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The new order stays held, and one of the two marketplace orders becomes late.",
            "order",
        ),
        evidence="one Shopify order that answers to two marketplace orders",
        closes_when="When the order is cancelled, by the answer, or when the marketplace order has shipped.",
        options=(Option.NO_SUCCESSOR,),
    ),
    Reason.UNKNOWN_VALUE: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="today",
        title="the marketplace sent a value we do not know",
        handled_by="person",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "Nothing but holds is written for this order: it may not be accepted, shipped or cancelled in time.",
            "order",
        ),
        evidence="a decision field of the marketplace order with a value this version does not know",
        closes_when="By itself, when the marketplace shows a known value, or a version that knows it looks at the order.",
        options=(),
    ),
    Reason.UNREADABLE_ORDER: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="an order could not be read",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "An order nobody can see is refused when its time to accept is over.",
            "nothing",
            timedelta(hours=1),
        ),
        evidence="a document that could not be read, kept encrypted for seven days",
        closes_when="By itself, when the order, or the next delivery of the topic, can be read.",
        options=(),
    ),
    Reason.OUTCOME_UNCLEAR: ReasonPage(
        kind="incident",
        owner="engineer",
        severity="urgent",
        title="a call's outcome stayed unclear twice",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "A cancelation or a refund may have happened twice or not at all, and nobody knows which.",
            "order",
        ),
        evidence="two attempts of one call without an answer, and reading back that did not tell",
        closes_when="By a person, or when a repetition was confirmed.",
        options=(
            Option.SEND_AGAIN,
            Option.DISMISS,
        ),
    ),
    Reason.PLATFORM_REFUSED: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="today",
        title="a platform refused one of our calls",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "What the call was for does not happen: the order stays unmarked, held, unpaid or untold.",
            "order",
            timedelta(hours=24),
        ),
        evidence="the platform's words and code in its answer",
        closes_when="By itself, when a later attempt succeeded, the call is not wanted any more, or the marketplace answers again.",
        options=(Option.SEND_AGAIN,),
    ),
    Reason.TOO_MANY_CYCLES: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="today",
        title="the order keeps coming back",
        handled_by="automatic with notice",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The order is parked for the hour. If the two systems go on undoing each other, it never settles and becomes late.",
            "order",
            timedelta(hours=1),
        ),
        evidence="more rounds in an hour than an order should need",
        closes_when="By itself, when the hour is over.",
        options=(),
    ),
    Reason.REFUND_APPROVAL: ReasonPage(
        kind="task",
        owner="finance",
        severity="today",
        title="a refund at the marketplace waits for approval",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The customer's money is not paid back, the parcel stays held, and the commission is not returned.",
            "refund",
            timedelta(hours=24),
        ),
        evidence="an edit after debit on a connection whose refunds need approval",
        closes_when="When the refund is sent, or the edit is undone or changed. If the order moves to a state in which the marketplace takes no refund, it becomes [a task in the portal](refund_task.md).",
        options=(
            Option.APPROVE_REFUND,
            Option.DONE_IN_PORTAL,
            Option.DISMISS,
        ),
    ),
    Reason.REFUND_REFUSED: ReasonPage(
        kind="condition",
        owner="finance",
        severity="urgent",
        title="the marketplace refused our refund",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The customer's money is not paid back, and the commission is not returned.",
            "refund",
            timedelta(hours=24),
        ),
        evidence="the marketplace's answer to the refund (OR28)",
        closes_when="When the refund is confirmed, or somebody settles it by hand.",
        options=(
            Option.SEND_AGAIN,
            Option.DONE_IN_PORTAL,
            Option.DISMISS,
        ),
    ),
    Reason.REFUND_NOT_PAID: ReasonPage(
        kind="condition",
        owner="finance",
        severity="note",
        title="a refund at the marketplace is not paid back yet",
        handled_by="automatic with notice",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The customer asks where the money is. A refund that stays unpaid over the billing cycle is missing in the payout.",
            "refund",
            timedelta(hours=168),
        ),
        evidence="the refund's state at the marketplace",
        closes_when="By itself, when the marketplace shows the refund as paid. An answer only ends the reminder: one about a refund that is not shown comes again after ten days.",
        options=(Option.TURNED_DOWN, Option.DISMISS),
    ),
    Reason.REFUND_MISMATCH: ReasonPage(
        kind="incident",
        owner="finance",
        severity="urgent",
        title="a refund at the marketplace is not what was asked for",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Money is paid twice, for the wrong line or in the wrong amount, and nobody sets it right.",
            "refund",
        ),
        evidence="refunds at the marketplace that differ in line or amount from what was asked, or were made twice",
        closes_when="A person closes it with a reason. By itself only where the refunds come to the amount of the task after all, or where the second refund turns out to answer another task.",
        options=(Option.DISMISS,),
    ),
    Reason.REASON_CODE_MISSING: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the marketplace does not take a reason code we use",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "Every cancelation or refund with that code is refused, and the parcels of those orders stay held.",
            "nothing",
            timedelta(hours=24),
        ),
        evidence="the connection's reason codes and the marketplace's list (RE01)",
        closes_when="By itself, with the next look at the marketplace's list, or when another code is set.",
        options=(),
    ),
    Reason.SETTING_REFUTED: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the marketplace does not allow what a setting says it does",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "Edits that could go by themselves are decided by people, one by one, and their parcels wait for it.",
            "nothing",
            timedelta(hours=24),
        ),
        evidence="the marketplace's refusal and the setting it speaks against",
        closes_when="By itself, when the marketplace allows it after all, or when the setting is said anew.",
        options=(),
    ),
    Reason.QUARANTINE: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="nothing is written: this database may not be the current one",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Nothing is accepted, shipped or cancelled. Acceptance windows run out and sales are lost.",
            "nothing",
        ),
        evidence="the installation's mark in the database and on the platforms",
        closes_when="When somebody ends the quarantine.",
        options=(),
    ),
    Reason.DIFFERENCE_AFTER_QUARANTINE: ReasonPage(
        kind="task",
        owner="CX",
        severity="today",
        title="a difference from before the quarantine needs a person's word",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The lower quantity stays agreed. Units the customer paid for may not be sent, and nobody cancels them.",
            "order",
        ),
        evidence="a difference that is older than this database's memory",
        closes_when="With the answer, or by itself when the two sides show the same.",
        options=(
            Option.CONFIRM_WITHDRAWN,
            Option.CANCEL_AT_MARKETPLACE,
        ),
    ),
    Reason.IMPOSSIBLE_COMBINATION: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="today",
        title="the marketplace shows what cannot be",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "Nothing is sent for the edit, the parcel stays held and becomes late.",
            "order",
        ),
        evidence="state, payment workflow and debit date of the marketplace order",
        closes_when="By itself, when the marketplace shows something possible or both sides agree.",
        options=(),
    ),
    Reason.EDIT_WAITING: ReasonPage(
        kind="condition",
        owner="CX",
        severity="note",
        title="an edit waits for the marketplace",
        handled_by="automatic with notice",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "Nothing for a while: the edit goes by itself. If the marketplace never reaches the state, the parcel stays held and becomes late.",
            "order",
        ),
        evidence="the state the marketplace order has to reach",
        closes_when="By itself, when the marketplace reaches the state, the edit is undone, or the order ends.",
        options=(),
    ),
    Reason.PRICE_DISCREPANCY: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="the marketplace sold at another price than the shop's",
        handled_by="person",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "Before the acceptance the order is lost when the time is over. Accepted at a wrong price, the difference is lost with every unit, and the next order is sold at it too.",
            "difference",
        ),
        evidence="the marketplace's unit prices and the shop's",
        closes_when="By your answer, which counts for exactly these figures; or by itself when the order has moved on or the prices are near each other again.",
        options=(
            Option.ACCEPT_ANYWAY,
            Option.REFUSE_ORDER,
            Option.DISMISS,
        ),
    ),
    Reason.BOTH_SIDES_CHANGED: ReasonPage(
        kind="condition",
        owner="CX",
        severity="urgent",
        title="both sides changed the same line",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held and becomes late at the marketplace.",
            "order",
        ),
        evidence="the agreed quantity, and two different ones on the two sides",
        closes_when="By itself, when both sides show the same number of units. Another change of the line asks anew.",
        options=(
            Option.UNDO_IN_SHOPIFY,
            Option.CANCEL_LINE,
            Option.DONE_IN_PORTAL,
        ),
    ),
    Reason.CREDENTIAL_REFUSED: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="a platform refuses the key of the connection",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Nothing is read or written on that side: orders that wait for acceptance are refused by the marketplace when their time is over, edits do not reach it, and parcels stay held.",
            "nothing",
        ),
        evidence="the answer 401 to a read of the account, or no token for the app",
        closes_when="By itself, at the first read of the account that succeeds afterwards.",
        options=(),
    ),
    Reason.SCOPE_MISSING: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="a permission that Interlock needs is missing",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Every call that needs the permission is refused: orders are not created, held or told of, whichever the permission is for.",
            "nothing",
        ),
        evidence="the scopes the shop shows for the app, or the answer 403 of the marketplace",
        closes_when="By itself, when the shop shows every scope again, or the account can be read again.",
        options=(),
    ),
    Reason.SUBSCRIPTION_MISSING: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="the shop does not tell us of changes",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "An edit is only found by the sweep, up to five minutes late: a label printed meanwhile may be for lines the marketplace does not agree with. Units that a location does not stock any more may be offered for up to a day.",
            "nothing",
        ),
        evidence="the shop's list of webhook subscriptions and its refusal to add one",
        closes_when="By itself, at the next comparison that finds every subscription.",
        options=(),
    ),
    Reason.POLLER_STALE: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="a platform was not read for too long",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "New orders are not seen and the time to accept them runs; edits whose webhook was lost are not found.",
            "nothing",
        ),
        evidence="the last good read of the account, older than three intervals",
        closes_when="By itself, at the next good read.",
        options=(),
    ),
    Reason.BUDGET_EXHAUSTED: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="today",
        title="a platform makes us wait",
        handled_by="automatic with notice",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "Calls of that kind are late by the wait. If it comes back every day, something calls more than it may, or another program uses the same key.",
            "nothing",
            timedelta(hours=4),
        ),
        evidence="the wait the platform asked for, more than a minute ahead",
        closes_when="By itself, when the wait is over.",
        options=(),
    ),
    Reason.OPERATION_UNCLEAR: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="calls have been unclear for more than ten minutes",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "Nothing is sent again for these orders until it is known whether the call happened: an acceptance may be missed, a refund may be made late.",
            "nothing",
            timedelta(minutes=30),
        ),
        evidence="operations of the ledger in state UNKNOWN for more than ten minutes",
        closes_when="By itself, when every one of them was read back.",
        options=(),
    ),
    Reason.POISON_ORDER: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="looking at one order fails again and again",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Nothing is done for this order any more: it is not accepted, its edits do not travel, and its hold neither comes nor goes. Other orders are not touched by it.",
            "order",
        ),
        evidence="three or more looks at the order that ended in an error of ours, and none that ended well since",
        closes_when="By itself, when a look at the order ends well.",
        options=(),
    ),
    Reason.CLOCK_SKEW: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="today",
        title="a machine's clock is wrong",
        handled_by="automatic with notice",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "Interlock itself follows the database's clock and goes on. Time in logs of that machine is wrong, and signatures or certificates may be refused.",
            "nothing",
            timedelta(hours=24),
        ),
        evidence="the difference between the machine's clock and the database's, more than two seconds",
        closes_when="By itself, a minute after the last measurement that was wrong.",
        options=(),
    ),
    Reason.AUDIT_LOG_BROKEN: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="the audit log was altered",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "What people did can no longer be proven from the first entry that does not fit; who could change the log could change anything in this database.",
            "nothing",
        ),
        evidence="a walk along the chain of digests, four times a day, and the newest entry of the walk before",
        closes_when="By itself, at the next walk that finds the chain whole and guarded.",
        options=(),
    ),
    Reason.BACKUP_OLD: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="the last backup is too old",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "If the database is lost now, more than a day of orders, answers and evidence has to be found again on both platforms by hand.",
            "nothing",
        ),
        evidence="the time of the file your backup writes when it has ended well (INTERLOCK_BACKUP_FILE), older than 26 hours",
        closes_when="By itself, within fifteen minutes of a backup that ended well.",
        options=(),
    ),
    Reason.CANARY_IN_LOG: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="personal data nearly got into the logs",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The line itself was held back, but what else that part of Interlock writes may be about customers. Whether it is a breach has to be decided within 72 hours.",
            "nothing",
            timedelta(hours=72),
        ),
        evidence="a made-up customer of yours (INTERLOCK_LOG_CANARIES) in a line that was about to be written",
        closes_when="By itself, a day after the last such line.",
        options=(),
    ),
    Reason.HEARTBEAT_MISSING: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="nobody outside hears that we are alive",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "If the service dies now, the watchdog outside pages late or not at all, or it pages already although nothing is wrong.",
            "nothing",
        ),
        evidence="the last heartbeat the address outside took, more than ten minutes ago",
        closes_when="By itself, at the next heartbeat that is taken.",
        options=(),
    ),
    Reason.INGRESS_REDIRECTS: ReasonPage(
        kind="condition",
        owner="engineer",
        severity="urgent",
        title="the shop is sent elsewhere with its webhooks",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Shopify follows no redirect: every webhook is lost, and after a day of failures it removes the subscriptions. Edits are found by the sweep alone, up to five minutes late.",
            "nothing",
        ),
        evidence="the answer of our own public address to a call like the shop's: a redirect",
        closes_when="By itself, at the next call that is not redirected, within ten minutes.",
        options=(),
    ),
    Reason.FLOW_PAUSED: ReasonPage(
        kind="condition",
        owner="operations",
        severity="note",
        title="a flow of the connection is paused",
        handled_by="automatic with notice",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "What is paused waits. A paused acceptance or import loses orders when their time is over; paused shipping misses the shipping deadline.",
            "order",
        ),
        evidence="the pause on the page Connections: who set it, why, and until when",
        closes_when="By itself, when the pause ends or nothing of the order waits for it any more.",
        options=(),
    ),
    Reason.SKU_AMBIGUOUS: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="a SKU of the order is carried by several products of the shop",
        handled_by="person",
        damage=Damage(
            DamageTime.ACCEPTANCE_DEADLINE,
            "When the time to accept is over the marketplace refuses the order by itself: the sale is lost and counts against the shop. Every later order with this SKU stops in the same way.",
            "order",
        ),
        evidence="more than one variant of the shop carries the SKU of the marketplace line",
        closes_when="By itself, as soon as exactly one variant stands for the SKU and the order could be created, or when the marketplace order has ended.",
        options=(
            Option.MAP_SKU,
            Option.CREATE_WITH_CUSTOM_LINE,
            Option.ACCEPT_WITHOUT_ORDER,
            Option.REFUSE_ORDER,
        ),
    ),
    Reason.SHIPPING_DEADLINE_NEAR: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the time to ship is running out",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The order counts as late at the marketplace, which lowers the shop's rating; it may then be cancelled and refunded while the goods are on their way.",
            "order",
        ),
        evidence="the shipping deadline of the marketplace order, and that it does not show the order as shipped",
        closes_when="By itself, when the marketplace shows the order as shipped, ended, or with a later deadline.",
        options=(),
    ),
    Reason.PARTIAL_SHIPMENT: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="a part of the order has left and the rest has not",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The customer is not told of the parcel that has left, and the order counts as unshipped. When its shipping deadline is over the marketplace may cancel and refund all of it.",
            "order",
        ),
        evidence="fulfillments in Shopify for fewer units than agreed, two hours after the first",
        closes_when="By itself, when everything agreed has left, or the rest was taken out of the order.",
        options=(),
    ),
    Reason.TRACKING_NOT_CORRECTED: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the marketplace has another tracking number than the parcel, or none",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The customer follows a number that leads nowhere, or has none, asks where the parcel is, and opens an incident.",
            "order",
            timedelta(hours=24),
        ),
        evidence="a tracking number or carrier in Shopify that differs from what the marketplace was told with the dispatch, and why it cannot be sent, the marketplace's answer to it (OR23, ST23), or the other number that somebody gave in its portal",
        closes_when="By itself, when the marketplace has the number and the carrier of the parcel, or a number that somebody gave in its portal while Shopify kept the one it was told; or when the customer has the parcel. Where both sides put the number right to different ones, also by your answer, which counts for exactly these two numbers.",
        options=(Option.MAP_CARRIER, Option.SEND_AGAIN, Option.SEND_NUMBER, Option.DISMISS),
    ),
    Reason.STILL_HERE: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the marketplace counts units as sent that are still here",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The customer waits for a parcel that is still in the warehouse, perhaps on hold, and opens an incident.",
            "order",
            timedelta(hours=24),
        ),
        evidence="an order the marketplace shows as shipped, and units of it that Shopify shows as unfulfilled, two hours later, or at once where our hold is on them",
        closes_when="By itself, when everything that was sold has left in Shopify, was taken out of the order or refunded.",
        options=(),
    ),
    Reason.LABEL_GIVEN_BACK: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="a label was given back and its fulfillment stands",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "Shopify counts the units as fulfilled, so nobody packs them again, and the marketplace is not told that anything left.",
            "order",
        ),
        evidence="a fulfillment whose label was voided (LABEL_VOIDED) and that shows no other tracking number ten minutes later, of an order the marketplace waits for",
        closes_when="By itself, when the fulfillment is cancelled or has another label or tracking number; or by the word that the parcel left.",
        options=(Option.LEFT_UNDER_NUMBER,),
    ),
    Reason.SHIPMENT_IN_PORTAL: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="a shipment made in the portal holds the units of a parcel",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The marketplace is not told that the parcel left. When its shipping deadline is over it may cancel and refund the units while the goods are on their way.",
            "order",
        ),
        evidence="a shipment at the marketplace that Interlock did not make and nobody validated (ST11)",
        closes_when="By itself, when the shipment is validated or deleted in the portal.",
        options=(),
    ),
    Reason.SHIPMENTS_HIDDEN: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="the marketplace does not let the key read shipments",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "No parcel of this marketplace is told of. When the shipping deadline of an order is over it may be cancelled and refunded while the goods are on their way.",
            "order",
        ),
        evidence="the marketplace's answer to the question for the order's shipments (ST11, status 403)",
        closes_when="By itself, when shipments can be read, or the order was reported as shipped in the portal.",
        options=(),
    ),
    Reason.OPERATOR_SHIPS: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="a parcel left, and the marketplace does not let the shop say so",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The marketplace does not know that the parcel left. If its own logistics was to fetch it, the goods travel twice or not at all.",
            "order",
        ),
        evidence="an order to be shipped that the shop may not ship (OR11 can_shop_ship), a quarter of an hour after its parcel left in Shopify",
        closes_when="By itself, when the marketplace lets the shop ship, or shows the order as shipped.",
        options=(),
    ),
    Reason.FULFILLMENT_CANCELLED: ReasonPage(
        kind="incident",
        owner="operations",
        severity="urgent",
        title="a parcel the marketplace was told of was cancelled in Shopify",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "The customer waits for a parcel that does not come, with a tracking number that leads nowhere, and has paid for it.",
            "order",
        ),
        evidence="a cancelled fulfillment of an order the marketplace shows as shipped, or one whose label was given back, and nothing sent in its place",
        closes_when="By itself, when everything agreed has left anew or is refunded; otherwise by a person with a reason.",
        options=(Option.DISMISS,),
    ),
    Reason.ADDRESS_INCOMPLETE: ReasonPage(
        kind="condition",
        owner="CX",
        severity="urgent",
        title="the address of the order is incomplete",
        handled_by="person",
        damage=Damage(
            DamageTime.SHIPPING_DEADLINE,
            "The parcel stays held and becomes late at the marketplace; sent anyway, it comes back.",
            "order",
        ),
        evidence="an address the marketplace shows, without a name, street, city, postcode or country",
        closes_when="By itself, when the marketplace shows a complete address, or the order leaves the state in which it may ship.",
        options=(),
    ),
    Reason.REFUND_ONLY_AT_MARKETPLACE: ReasonPage(
        kind="task",
        owner="finance",
        severity="note",
        title="the marketplace refunded what Shopify does not know of",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The revenue in Shopify is too high, and the month does not add up against the payout.",
            "nothing",
            timedelta(hours=72),
        ),
        evidence="a refund of a marketplace line that answers no task, on an order that has left",
        closes_when="By itself, when the same money is refunded in Shopify; or when a person dismisses it with a reason.",
        options=(Option.DISMISS,),
    ),
    Reason.REFUND_MADE_ALREADY: ReasonPage(
        kind="task",
        owner="finance",
        severity="today",
        title="a refund in Shopify may be made or asked for already",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "If it is another refund, the customer waits for the money. Whoever makes it without looking may pay the customer twice.",
            "refund",
            timedelta(hours=48),
        ),
        evidence="a Shopify refund beside a removal whose money it may be, or beside a refund that was made in the portal before it, and the amounts are not the same",
        closes_when="By the answer; or by itself, when what it was compared with explains it, or answers something else.",
        options=(
            Option.ANOTHER_REFUND,
            Option.DISMISS,
        ),
    ),
    Reason.EMAIL_NOT_RELAY: ReasonPage(
        kind="condition",
        owner="CX",
        severity="today",
        title="the order's e-mail address is not the marketplace's relay address",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Every mail of the shop about this order reaches somebody past the marketplace, or nobody. Marketplaces forbid it and close shops over it.",
            "nothing",
        ),
        evidence="keyed digests of the e-mail address of the Shopify order and of the relay address the marketplace shows",
        closes_when="By itself, when the Shopify order carries the relay address again (or none, where no mail is wanted) or is cancelled; or by your answer, which counts for exactly this address.",
        options=(Option.DISMISS,),
    ),
    Reason.MARKETING_POSSIBLE: ReasonPage(
        kind="condition",
        owner="CX",
        severity="today",
        title="a marketplace customer may get marketing mail",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "The next campaign or automation of the shop writes to the marketplace's customer. Marketplaces forbid it and close shops over it.",
            "nothing",
        ),
        evidence="the marketing state of the order's customer in Shopify, or a marketing tag on the Shopify order",
        closes_when="By itself, when the customer is not subscribed any more and the tag is gone, or the Shopify order is cancelled; or by your answer, which counts for exactly this consent or tag.",
        options=(Option.DISMISS,),
    ),
    Reason.OFFER_WITHOUT_VARIANT: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="a marketplace offers what the shop does not have",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The next order for it stops at the import, and is lost when its time to accept is over. No stock figure of the offer can be kept right.",
            "nothing",
            timedelta(hours=24),
        ),
        evidence="the offers of the marketplace (OF52 to OF54) and every variant of the shop, compared once a day and after each change of the SKU map",
        closes_when="By itself, when exactly one variant stands for the offer, or the offer is inactive or deleted. One that is inactive because Interlock publishes a zero for it stays open, unless the shop has the product no more.",
        options=(),
    ),
    Reason.OFFER_AMBIGUOUS: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="an offer may mean several products of the shop",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The next order for it stops at the import, and is lost when its time to accept is over. No stock figure of the offer can be kept right.",
            "nothing",
            timedelta(hours=24),
        ),
        evidence="the offers of the marketplace (OF52 to OF54) and every variant of the shop, compared once a day and after each change of the SKU map",
        closes_when="By itself, when exactly one variant stands for the offer, or the offer is inactive or deleted.",
        options=(),
    ),
    Reason.OFFER_SKU_UNUSABLE: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the SKU of an offer can stand in no stock file",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The marketplace sells what it shows by itself, whatever is there: units are sold that nobody has.",
            "nothing",
            timedelta(hours=24),
        ),
        evidence="the SKU of an offer (OF52 to OF54), longer than 100 characters or with one that cannot be printed, where stock is published",
        closes_when="By itself, when the offer has another SKU, is inactive or deleted, or stock is not published any more.",
        options=(),
    ),
    Reason.OFFER_DELETED: ReasonPage(
        kind="condition",
        owner="operations",
        severity="note",
        title="an offer was deleted while the shop still sells the product",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "Nobody buys the product at this marketplace any more.",
            "nothing",
            timedelta(hours=72),
        ),
        evidence="an offer the marketplace shows as deleted, or shows no more, and a variant of the same SKU",
        closes_when="By itself, when the SKU is offered again, the product is archived or gone, or 14 days have passed.",
        options=(),
    ),
    Reason.VARIANT_WITHOUT_OFFER: ReasonPage(
        kind="condition",
        owner="operations",
        severity="note",
        title="products of the shop are not offered at a marketplace",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "Nobody buys these products at this marketplace.",
            "nothing",
            timedelta(hours=72),
        ),
        evidence="variants for sale that stand behind no offer, at a marketplace that offers at least four fifths of them",
        closes_when="By itself, when every product for sale is offered, or more than a fifth of them is not.",
        options=(),
    ),
    Reason.STOCK_LOCATION_GONE: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="a location whose stock is offered is closed or gone",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "Its units are not offered on the marketplace any more, although they may still be there to sell.",
            "nothing",
        ),
        evidence="the connection's stock locations, and the location in Shopify (Location.isActive, or none)",
        closes_when="By itself, when the location is open again, or is taken out of the connection's stock locations, or when stock is not published any more.",
        options=(),
    ),
    Reason.STOCK_FILE_REFUSED: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="the marketplace refused a whole stock file",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "The marketplace goes on selling by the former figures: what is sold out here is sold again there.",
            "nothing",
        ),
        evidence="the answer to the file (STO01), or its status (STO02 FAILED)",
        closes_when="By itself, when the marketplace has worked off a stock file again, or when stock is not published any more.",
        options=(),
    ),
    Reason.STOCK_LINE_REFUSED: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the marketplace does not take the stock of an offer",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The offer shows its former figure: it sells what is not there, or does not sell what is.",
            "nothing",
            timedelta(hours=4),
        ),
        evidence="the error report of the stock file (STO03): the line and the marketplace's reason",
        closes_when="By itself, when the marketplace takes a figure of this offer, when there is no such offer any more, or when stock is not published any more.",
        options=(),
    ),
    Reason.STOCK_IMPORT_STUCK: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="a stock file is not worked off, or nobody learns what became of its lines",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "No stock is told to the marketplace meanwhile, because the older file could overwrite a newer one; or offers it refuses go on showing their former figures, and nobody knows which.",
            "nothing",
        ),
        evidence="the status of the stock file (STO02), 45 minutes after it was sent; or the reports (STO03) of three files in a row that could not be read or do not tell of every line",
        closes_when="By itself, when the file is worked off or is given up after six hours, when a report tells of every line again, or when stock is not published any more.",
        options=(),
    ),
    Reason.STOCK_ABSURD: ReasonPage(
        kind="condition",
        owner="operations",
        severity="today",
        title="the shop shows a stock that nobody can have",
        handled_by="person",
        damage=Damage(
            DamageTime.AFTER_OPENING,
            "The offers made of it keep their lower figure, so that they may not sell what is there.",
            "nothing",
            timedelta(hours=4),
        ),
        evidence="the item's `available` at the connection's locations, above a million or below minus a million units",
        closes_when="By itself, when the shop shows a stock that can be, or when stock is not published any more.",
        options=(),
    ),
    Reason.OVERSOLD: ReasonPage(
        kind="condition",
        owner="operations",
        severity="urgent",
        title="more was sold across the marketplaces than there is",
        handled_by="person",
        damage=Damage(
            DamageTime.AT_ONCE,
            "At least one of the orders cannot be sent: refused in time it costs a little, found out at the packing table it costs a late cancelation.",
            "nothing",
        ),
        evidence="units of orders that wait for a claim in Shopify, and where it shows less than nothing those of orders that have one and have not left, against what is available at the connections' locations",
        closes_when="By itself, when the orders that are left can be served: after refusals, cancelations or new stock, or when stock is not published any more.",
        options=(),
    ),
}
