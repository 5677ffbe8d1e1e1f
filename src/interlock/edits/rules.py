"""What becomes of every change: the ordered rules of the edit compiler. Read them from the top; the first that matches
answers.

Each rule names changes, situations and conditions, gives one answer and says it in a sentence an operator can read.
`interlock.edits.proof` shows by enumeration that every combination has an answer and that no rule is idle. What the
marketplace can and cannot do is section 7 of the Mirakl reference.
"""

from interlock.edits.table import (
    WITHOUT_CONSEQUENCE,
    Answer,
    Change,
    Condition,
    Facts,
    Rule,
    Situation,
    Workflow,
)
from interlock.orders.reasons import Reason

# -- conditions --------------------------------------------------------------------------------------------

PAID = Condition("the customer was debited", lambda facts: facts.paid)
NEVER_SAYS_PAID = Condition(
    "the payment workflow is NO_CUSTOMER_PAYMENT_CONFIRMATION, which never shows a debit",
    lambda facts: facts.workflow is Workflow.NO_CONFIRMATION,
)
MAY_CANCEL = Condition(
    "the marketplace allows a cancelation now (can_cancel)", lambda facts: facts.can_cancel
)
MAY_REFUND = Condition(
    "the marketplace allows a refund of the lines now (can_refund)", lambda facts: facts.can_refund
)
MAY_NOT_SHIP = Condition(
    "the marketplace does not let the shop ship (can_shop_ship is off)", lambda facts: not facts.can_ship
)
ONLY_WHOLE_ORDERS = Condition(
    "the shop may cancel only whole orders here", lambda facts: not facts.partial_cancelation
)
NO_REASON_CODE = Condition("no cancelation reason is set", lambda facts: not facts.reason_code)
LINES_REFUSABLE = Condition(
    "lines may be refused one by one here (partial acceptance)", lambda facts: facts.partial_acceptance
)
BY_APPROVAL = Condition("reduction_after_debit is approve", lambda facts: facts.after_debit == "approve")
BY_ITSELF = Condition("reduction_after_debit is automatic", lambda facts: facts.after_debit == "automatic")
AFTER_A_CLICK = Condition(
    "reduction_after_debit is approve or automatic", lambda facts: facts.after_debit != "task"
)
MIRROR_OFF = Condition("mirror_marketplace_changes is off", lambda facts: not facts.mirror)
NOT_EDITABLE = Condition("our app may not edit the Shopify order", lambda facts: not facts.editable)
EVERYTHING_GONE = Condition(
    "Shopify shows nothing of what was agreed any more", lambda facts: facts.everything_gone
)
REST_IMPOSSIBLE = Condition(
    "the same edit contains something the marketplace cannot take", lambda facts: facts.rest_impossible
)
MARKETPLACE_CHANGED = Condition(
    "the marketplace changed units or figures too and that is not settled yet",
    lambda facts: facts.marketplace_changed,
)
BOTH_CHANGED = Condition("both sides changed it", lambda facts: facts.both_changed)
REFUND_ASKED = Condition("a refund is asked for or made for all of it", lambda facts: facts.refund_asked)
UNITS_LEFT = Condition("units of the order have left in Shopify", lambda facts: facts.units_left)
LINEAGE_OPEN = Condition("another Shopify order may replace this one", lambda facts: facts.lineage_open)
REFUND_DECLINED = Condition(
    "somebody closed the refund task for it by hand", lambda facts: facts.refund_declined
)
MONEY_ONLY = Condition("no unit of it is left to refund", lambda facts: facts.money_only)
TAXES_ONLY = Condition("only taxes were recalculated", lambda facts: facts.taxes_only)

# -- groups ------------------------------------------------------------------------------------------------

REDUCTIONS = (Change.QUANTITY_DOWN, Change.LINE_REMOVED)
"""What the marketplace can take as a cancelation or a refund."""
CUTS = (Change.LINE_CANCELLED_IN_PART, Change.LINE_CANCELLED_WHOLE, Change.LINE_REFUSED)
"""Units the marketplace no longer sells."""
EVERY_CHANGE = tuple(Change)
CONTENTS = tuple(change for change in Change if change not in WITHOUT_CONSEQUENCE)
"""What can matter to the marketplace: everything but notes and the archive."""

EVERYWHERE = tuple(Situation)
DEAD = (Situation.REFUSED, Situation.CANCELLED)
BEFORE_ACCEPTANCE = (Situation.STAGING, Situation.WAITING_ACCEPTANCE)
BEFORE_SHIPPING = (*BEFORE_ACCEPTANCE, Situation.ACCEPTED)
TO_SHIP = (Situation.SHIPPING_UNPAID, Situation.SHIPPING_PAID, Situation.PART_SHIPPED)
GONE_OUT = (Situation.SHIPPED, Situation.RECEIVED, Situation.CLOSED)
STANDING = (*BEFORE_SHIPPING, *TO_SHIP, Situation.REFUND_RUNNING, Situation.INCIDENT_OPEN)
"""The order is alive and the marketplace has not heard of a parcel."""
ALIVE = (*STANDING, *GONE_OUT)
PERHAPS_LEFT = tuple(s for s in STANDING if s not in (Situation.SHIPPING_UNPAID, Situation.SHIPPING_PAID))
"""Units may have left in Shopify: for certain where a part has shipped, too early anywhere else."""
NOT_LEFT = tuple(s for s in STANDING if s is not Situation.PART_SHIPPED)
CHARGEABLE = (
    Situation.SHIPPING_UNPAID,
    Situation.SHIPPING_PAID,
    Situation.REFUND_RUNNING,
    Situation.INCIDENT_OPEN,
)

# -- the rules ---------------------------------------------------------------------------------------------

WHAT_CHANGES_NOTHING = (
    Rule(
        (Change.NOTE_CHANGED,),
        EVERYWHERE,
        (),
        Answer.NOTHING,
        "Notes, tags and attributes are Shopify's own: the marketplace has no place for them.",
    ),
    Rule(
        (Change.ORDER_ARCHIVED,),
        EVERYWHERE,
        (),
        Answer.NOTHING,
        "The archive only hides the order from Shopify's list; what was sold stays as it is.",
    ),
    Rule(
        (Change.ORDER_REOPENED,),
        EVERYWHERE,
        (),
        Answer.NOTHING,
        "An order taken out of the archive was never away; at the marketplace nothing can be reopened.",
    ),
)

# A debit in SHIPPING is possible under PAY_ON_DELIVERY (debited "at the latest" on collection), PAY_ON_DUE_DATE and
# PAY_ON_SHIPMENT, and an undebited order in SHIPPING under PAY_ON_ACCEPTANCE is left to its flags: the exact moments are
# not documented (Mirakl reference 3.3). Only what the reference rules out is impossible.
WHAT_CANNOT_BE = (
    Rule(
        CONTENTS,
        (Situation.UNKNOWN,),
        (),
        Answer.NOTHING,
        "The marketplace shows a state this version does not know; nothing is sent on a guess.",
    ),
    Rule(
        # The end of a whole order is left to its flag: nothing has to be chosen there.
        tuple(change for change in CONTENTS if change is not Change.ORDER_CANCELLED),
        (Situation.SHIPPING_PAID, Situation.PART_SHIPPED, Situation.REFUND_RUNNING, Situation.INCIDENT_OPEN),
        (PAID, NEVER_SAYS_PAID),
        Answer.IMPOSSIBLE,
        "The marketplace shows a debit although its payment workflow never tells of one, so it is not known whether "
        "a cancelation or a refund would be right.",
        Reason.IMPOSSIBLE_COMBINATION,
    ),
    Rule(
        (Change.LINE_REFUNDED,),
        BEFORE_SHIPPING,
        (),
        Answer.IMPOSSIBLE,
        "The marketplace shows a refund of an order that it has not debited yet.",
        Reason.IMPOSSIBLE_COMBINATION,
    ),
    Rule(
        (Change.LINE_REFUSED,),
        (Situation.STAGING,),
        (),
        Answer.IMPOSSIBLE,
        "The marketplace shows a refused line in an order that nobody could accept or refuse yet.",
        Reason.IMPOSSIBLE_COMBINATION,
    ),
    Rule(
        CONTENTS,
        DEAD,
        (),
        Answer.NOTHING,
        "The marketplace ended this order, so no edit can reach it any more.",
    ),
)

REDUCING = (
    Rule(
        REDUCTIONS,
        GONE_OUT,
        (REFUND_ASKED,),
        Answer.NOTHING,
        "The order has left; the smaller quantity belongs to a refund.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPED, Situation.RECEIVED),
        (MAY_REFUND, AFTER_A_CLICK),
        Answer.REFUND_APPROVAL,
        "The order has been dispatched at the marketplace, so nothing can be cancelled any more: what the customer paid for "
        "the units is a refund. Interlock makes it once somebody approves it, whatever the amount.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPED, Situation.RECEIVED),
        (),
        Answer.REFUND_TASK,
        "The order has been dispatched at the marketplace, so nothing can be cancelled any more: what the customer paid for "
        "the units is a refund that a person makes in the marketplace portal.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.CLOSED,),
        (),
        Answer.DECISION,
        "The order is closed at the marketplace. If the customer is to get money back, the operator has to do it; then "
        "mark this as done.",
        Reason.REDUCTION_NOT_ALLOWED,
    ),
    Rule(
        REDUCTIONS,
        STANDING,
        (BOTH_CHANGED,),
        Answer.DECISION,
        "Both sides changed this line since they last agreed, and neither knew of the other.",
        Reason.BOTH_SIDES_CHANGED,
    ),
    Rule(
        REDUCTIONS,
        STANDING,
        (REST_IMPOSSIBLE,),
        Answer.WAIT_FOR_REST,
        "The reductions of the same edit wait with it, because half an edit could leave the customer short.",
    ),
    Rule(
        REDUCTIONS,
        STANDING,
        (MARKETPLACE_CHANGED,),
        Answer.WAIT_FOR_MARKETPLACE_CHANGE,
        "The reduction made in Shopify waits until what the marketplace changed itself is settled.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.INCIDENT_OPEN,),
        (),
        Answer.WAIT_FOR_INCIDENT,
        lambda hold: (
            "An incident is open at the marketplace. What is settled there may change what is sold, so the reduction waits, "
            f"with the parcel {hold.held}, until the incident is closed."
        ),
    ),
    Rule(
        (Change.LINE_REMOVED,),
        (Situation.WAITING_ACCEPTANCE,),
        (LINES_REFUSABLE,),
        Answer.DECISION,
        "This marketplace lets a shop refuse single lines, which is always a person's decision, made in the marketplace "
        "portal. Unless somebody refuses it in time, the order is accepted whole and the line is cancelled or refunded "
        "afterwards.",
        Reason.REDUCTION_NOT_ALLOWED,
    ),
    Rule(
        REDUCTIONS,
        (Situation.STAGING,),
        (),
        Answer.WAIT_FOR_SHIPPING,
        lambda hold: (
            f"The marketplace is still checking its order and takes nothing. The reduction waits, with the parcel {hold.held}, "
            "until the order is accepted and paid and in SHIPPING."
        ),
    ),
    Rule(
        REDUCTIONS,
        (Situation.WAITING_ACCEPTANCE,),
        (),
        Answer.WAIT_FOR_SHIPPING,
        lambda hold: (
            f"An order that waits for acceptance takes no cancelation. The reduction waits, with the parcel {hold.held}, until "
            "the order is accepted and paid and in SHIPPING."
        ),
    ),
    Rule(
        REDUCTIONS,
        (Situation.ACCEPTED,),
        (MAY_CANCEL, EVERYTHING_GONE),
        Answer.CANCEL_ORDER,
        "Everything was removed in Shopify, so the whole order is cancelled at the marketplace before it is paid.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.ACCEPTED,),
        (),
        Answer.WAIT_FOR_SHIPPING,
        lambda hold: (
            "The marketplace takes no cancelation of units while it collects the payment. The reduction waits, with the "
            f"parcel {hold.held}, until the order is paid and in SHIPPING."
        ),
    ),
    Rule(
        REDUCTIONS,
        (Situation.REFUND_RUNNING,),
        (),
        Answer.WAIT_FOR_REFUND,
        lambda hold: (
            f"The customer has already paid, so the reduction is a refund, and it is asked for. The parcel {hold.is_held} "
            "until the marketplace shows the refund and somebody confirms that the units stay here."
        ),
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_PAID, Situation.PART_SHIPPED),
        (PAID, REFUND_DECLINED),
        Answer.DECISION,
        "The refund task for it was closed by hand, so the marketplace still agrees to more than Shopify shows.",
        Reason.REDUCTION_NOT_ALLOWED,
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_PAID, Situation.PART_SHIPPED),
        (PAID, MAY_REFUND, BY_ITSELF),
        Answer.AUTOMATIC_REFUND,
        "The customer has already paid, so the reduction is a refund. Interlock makes it and keeps the units out of the "
        "parcel.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_PAID, Situation.PART_SHIPPED),
        (PAID, MAY_REFUND, BY_APPROVAL),
        Answer.REFUND_APPROVAL,
        "The customer has already paid, so the reduction is a refund. Interlock makes it once somebody approves it.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_PAID, Situation.PART_SHIPPED),
        (PAID,),
        Answer.REFUND_TASK,
        lambda hold: (
            "The customer has already paid, so the reduction is a refund that a person makes in the marketplace portal. The "
            f"parcel {hold.is_held} until the marketplace shows the refund and somebody confirms that the units stay here."
        ),
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID,),
        (MAY_CANCEL, EVERYTHING_GONE),
        Answer.CANCEL_ORDER,
        "Everything was removed in Shopify, so the whole order is cancelled at the marketplace.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID, Situation.PART_SHIPPED),
        (MAY_CANCEL, ONLY_WHOLE_ORDERS),
        Answer.DECISION,
        "This marketplace lets a shop cancel only the whole order, not a part of it.",
        Reason.REDUCTION_NOT_ALLOWED,
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID, Situation.PART_SHIPPED),
        (MAY_CANCEL, NO_REASON_CODE),
        Answer.DECISION,
        "No cancelation reason is set for this connection (setting cancelation_reason), and the marketplace "
        "demands one. Set it and the cancelation is sent by itself.",
        Reason.REDUCTION_NOT_ALLOWED,
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID, Situation.PART_SHIPPED),
        (MAY_CANCEL,),
        Answer.CANCEL_QUANTITY,
        "The customer has not paid yet, so the units are cancelled at the marketplace.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID, Situation.PART_SHIPPED),
        (MAY_REFUND, REFUND_DECLINED),
        Answer.DECISION,
        "The refund task for it was closed by hand, so the marketplace still agrees to more than Shopify shows.",
        Reason.REDUCTION_NOT_ALLOWED,
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID, Situation.PART_SHIPPED),
        (MAY_REFUND, BY_ITSELF),
        Answer.AUTOMATIC_REFUND,
        "The marketplace takes a refund but no cancelation. Interlock makes the refund and keeps the units out of the "
        "parcel.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID, Situation.PART_SHIPPED),
        (MAY_REFUND, BY_APPROVAL),
        Answer.REFUND_APPROVAL,
        "The marketplace takes a refund but no cancelation. Interlock makes the refund once somebody approves it.",
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID, Situation.PART_SHIPPED),
        (MAY_REFUND,),
        Answer.REFUND_TASK,
        lambda hold: (
            "The marketplace takes a refund but no cancelation, so a person refunds the units in its portal. The parcel "
            f"{hold.is_held} until the marketplace shows the refund and somebody confirms that the units stay here."
        ),
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID, Situation.PART_SHIPPED),
        (MAY_NOT_SHIP,),
        Answer.DECISION,
        "The marketplace lets the shop neither cancel nor refund nor ship this order at the moment; only its operator "
        "can take units out.",
        Reason.REDUCTION_NOT_ALLOWED,
    ),
    Rule(
        REDUCTIONS,
        (Situation.SHIPPING_UNPAID, Situation.PART_SHIPPED),
        (),
        Answer.DECISION,
        "The marketplace allows neither a cancelation nor a refund of this order at the moment.",
        Reason.REDUCTION_NOT_ALLOWED,
    ),
)

WHAT_THE_MARKETPLACE_CANNOT_TAKE = (
    Rule(
        (Change.QUANTITY_UP,),
        STANDING,
        (BOTH_CHANGED,),
        Answer.DECISION,
        "Both sides changed this line since they last agreed, and neither knew of the other.",
        Reason.BOTH_SIDES_CHANGED,
    ),
    Rule(
        (Change.QUANTITY_UP, Change.LINE_ADDED),
        ALIVE,
        (),
        Answer.DECISION,
        "A marketplace order can only become smaller: the customer has to order again for more.",
        Reason.EDIT_CANNOT_BE_EXPRESSED,
    ),
    Rule(
        (Change.CUSTOM_LINE,),
        ALIVE,
        (),
        Answer.DECISION,
        "A custom line stands for nothing the marketplace sold, and nothing can be added to a marketplace order.",
        Reason.EDIT_CANNOT_BE_EXPRESSED,
    ),
    Rule(
        (Change.SKU_REPLACED,),
        ALIVE,
        (),
        Answer.DECISION,
        "Cancelling the old item alone would carry out half of the change, so nothing was cancelled.",
        Reason.EDIT_CANNOT_BE_EXPRESSED,
    ),
    Rule(
        (Change.BUNDLE_COMPONENT,),
        ALIVE,
        (),
        Answer.DECISION,
        "The marketplace sold the bundle as one item and knows nothing of its components.",
        Reason.EDIT_CANNOT_BE_EXPRESSED,
    ),
    Rule(
        (Change.PRICE_CHANGED, Change.SHIPPING_CHANGED),
        ALIVE,
        (),
        Answer.DECISION,
        "The marketplace sets the price the customer paid; sellers cannot change it on an order.",
        Reason.EDIT_CANNOT_BE_EXPRESSED,
    ),
    Rule(
        (Change.ADDRESS_CHANGED,),
        ALIVE,
        (),
        Answer.DECISION,
        "Only the marketplace operator can change where an order goes.",
        Reason.EDIT_CANNOT_BE_EXPRESSED,
    ),
)

ENDING_IN_SHOPIFY = (
    Rule(
        (Change.ORDER_CANCELLED,),
        GONE_OUT,
        (REFUND_ASKED,),
        Answer.NOTHING,
        "The Shopify order is cancelled, and the marketplace has refunded what it had shipped.",
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        GONE_OUT,
        (UNITS_LEFT,),
        Answer.DECISION,
        "The Shopify order is cancelled although units of it are on their way, and the marketplace counts it as sent: somebody has "
        "to say whether the customer keeps them.",
        Reason.CANCELLED_IN_SHOPIFY,
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        GONE_OUT,
        (),
        Answer.DECISION,
        "The Shopify order is cancelled and no parcel of it is on its way any more, but the marketplace order has "
        "already shipped.",
        Reason.CANCELLED_IN_SHOPIFY,
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        PERHAPS_LEFT,
        (UNITS_LEFT,),
        Answer.DECISION,
        "Units of the cancelled order have a label or are on their way, so nothing is cancelled at the marketplace "
        "before somebody has found the parcel.",
        Reason.CANCELLED_IN_SHOPIFY,
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        NOT_LEFT,
        (LINEAGE_OPEN,),
        Answer.WAIT_FOR_LINEAGE,
        "Another Shopify order may replace the cancelled one, so the marketplace order is left alone until that is "
        "settled.",
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        (Situation.STAGING,),
        (),
        Answer.WAIT_FOR_CHECK,
        "The marketplace is still checking its order and takes nothing.",
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        (Situation.WAITING_ACCEPTANCE,),
        (),
        Answer.DECISION,
        "An order that waits for acceptance can only be refused, which is always a person's decision.",
        Reason.CANCELLED_IN_SHOPIFY,
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        (Situation.ACCEPTED, *CHARGEABLE),
        (MAY_CANCEL,),
        Answer.CANCEL_ORDER,
        "The Shopify order is cancelled and nothing replaces it, so the marketplace order is cancelled as well.",
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        (Situation.ACCEPTED,),
        (),
        Answer.WAIT_FOR_SHIPPING,
        "The marketplace takes no cancelation while it collects the payment.",
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        CHARGEABLE,
        (REFUND_ASKED,),
        Answer.NOTHING,
        "The Shopify order is cancelled and the marketplace has refunded every line.",
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        CHARGEABLE,
        (REFUND_DECLINED,),
        Answer.NOTHING,
        "The Shopify order is cancelled, and somebody closed the refund of what was left by hand.",
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        CHARGEABLE,
        (MONEY_ONLY,),
        Answer.DECISION,
        "The customer has been charged and no unit is left to refund, but not all the money is back: somebody has to see "
        "whether it is kept on purpose.",
        Reason.CANCELLED_IN_SHOPIFY,
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        CHARGEABLE,
        (AFTER_A_CLICK,),
        Answer.REFUND_APPROVAL,
        "The customer has been charged, so the marketplace takes no cancelation any more: what is left of the order is one "
        "refund. Interlock makes it once somebody approves it, whatever the amount.",
    ),
    Rule(
        (Change.ORDER_CANCELLED,),
        CHARGEABLE,
        (),
        Answer.REFUND_TASK,
        "The customer has been charged, so the marketplace takes no cancelation any more: what is left of the order is one "
        "refund that a person makes in the marketplace portal.",
    ),
)

CHANGED_BY_THE_MARKETPLACE = (
    Rule(
        CUTS,
        ALIVE,
        (BOTH_CHANGED,),
        Answer.DECISION,
        "Both sides changed this line since they last agreed, and neither knew of the other.",
        Reason.BOTH_SIDES_CHANGED,
    ),
    Rule(
        CUTS,
        GONE_OUT,
        (),
        Answer.DECISION,
        "The marketplace took units out of an order that has left.",
        Reason.MARKETPLACE_CHANGED,
    ),
    Rule(
        CUTS,
        PERHAPS_LEFT,
        (UNITS_LEFT,),
        Answer.DECISION,
        "Units of the order have left, so a person has to see what is still here before the Shopify order is changed.",
        Reason.MARKETPLACE_CHANGED,
    ),
    Rule(
        CUTS,
        NOT_LEFT,
        (MIRROR_OFF,),
        Answer.DECISION,
        "Changes of the marketplace are not carried into Shopify by Interlock (setting mirror_marketplace_changes).",
        Reason.MARKETPLACE_CHANGED,
    ),
    Rule(
        CUTS,
        NOT_LEFT,
        (NOT_EDITABLE,),
        Answer.DECISION,
        "Shopify does not let Interlock edit this order.",
        Reason.MARKETPLACE_CHANGED,
    ),
    Rule(
        CUTS,
        NOT_LEFT,
        (),
        Answer.MIRROR,
        lambda hold: f"The parcel {hold.is_held} and Interlock takes the units out of the Shopify order too.",
    ),
    Rule(
        (Change.LINE_REFUNDED,),
        GONE_OUT,
        (),
        Answer.NOTHING,
        "A refund after the parcel left is money alone.",
    ),
    Rule(
        (Change.LINE_REFUNDED,),
        (*TO_SHIP, Situation.REFUND_RUNNING, Situation.INCIDENT_OPEN),
        (REFUND_ASKED,),
        Answer.WAIT_FOR_REFUND,
        "The refund answers a task of ours; its confirmation says whether the units stay here.",
    ),
    Rule(
        (Change.LINE_REFUNDED,),
        (*TO_SHIP, Situation.REFUND_RUNNING, Situation.INCIDENT_OPEN),
        (),
        Answer.DECISION,
        "A refund says nothing about the parcel: somebody has to say whether the refunded units still ship.",
        Reason.CONFIRM_WITHDRAWN,
    ),
    Rule(
        (Change.TOTALS_RECALCULATED,),
        ALIVE,
        (TAXES_ONLY,),
        Answer.NOTHING,
        "Exact taxes are the marketplace's: its figures are used as they stand.",
    ),
    Rule(
        (Change.TOTALS_RECALCULATED,),
        STANDING,
        (),
        Answer.DECISION,
        "The marketplace changed a price or a shipping charge after the order was imported, so the Shopify order shows "
        "another amount.",
        Reason.MARKETPLACE_CHANGED,
    ),
    Rule(
        (Change.TOTALS_RECALCULATED,),
        GONE_OUT,
        (),
        Answer.NOTHING,
        "The order has left; what the marketplace pays for it is a matter of reconciliation.",
    ),
    Rule(
        (Change.ADDRESS_APPEARED,),
        STANDING,
        (),
        Answer.MIRROR,
        lambda hold: (
            f"The address of the marketplace goes into the Shopify order; until then the parcel {hold.is_held}."
        ),
    ),
    Rule(
        (Change.ADDRESS_APPEARED,),
        GONE_OUT,
        (),
        Answer.NOTHING,
        "The parcel has left; an address that appears now changes nothing.",
    ),
    Rule(
        (Change.ADDRESS_MOVED,),
        (Situation.RECEIVED, Situation.CLOSED),
        (),
        Answer.NOTHING,
        "The parcel has arrived; another address changes nothing any more.",
    ),
    Rule(
        (Change.ADDRESS_MOVED,),
        (Situation.SHIPPED,),
        (),
        Answer.DECISION,
        "The parcel has left for the old address: customer service has to tell the carrier or the customer.",
        Reason.MARKETPLACE_CHANGED,
    ),
    Rule(
        (Change.ADDRESS_MOVED,),
        PERHAPS_LEFT,
        (UNITS_LEFT,),
        Answer.DECISION,
        "Units of the order have left for the old address: customer service has to tell the carrier or the customer, and "
        "to put the new address into the Shopify order for what is still here.",
        Reason.MARKETPLACE_CHANGED,
    ),
    Rule(
        (Change.ADDRESS_MOVED,),
        NOT_LEFT,
        (BOTH_CHANGED,),
        Answer.DECISION,
        "Both sides changed the address since they last agreed, and neither knew of the other.",
        Reason.MARKETPLACE_CHANGED,
    ),
    Rule(
        (Change.ADDRESS_MOVED,),
        NOT_LEFT,
        (MIRROR_OFF,),
        Answer.DECISION,
        "Changes of the marketplace are not carried into Shopify by Interlock (setting mirror_marketplace_changes).",
        Reason.MARKETPLACE_CHANGED,
    ),
    Rule(
        (Change.ADDRESS_MOVED,),
        NOT_LEFT,
        (),
        Answer.MIRROR,
        lambda hold: f"The parcel {hold.is_held} and Interlock puts the new address into the Shopify order.",
    ),
    Rule(
        (Change.INCIDENT_OPENED,),
        STANDING,
        (),
        Answer.DECISION,
        "The parcel waits until the incident is settled with the customer in the marketplace portal.",
        Reason.INCIDENT_OPEN,
    ),
    Rule(
        (Change.INCIDENT_OPENED,),
        GONE_OUT,
        (),
        Answer.NOTHING,
        "The parcel has left; the incident is settled in the marketplace portal.",
    ),
)

RULES = (
    *WHAT_CHANGES_NOTHING,
    *WHAT_CANNOT_BE,
    *REDUCING,
    *WHAT_THE_MARKETPLACE_CANNOT_TAKE,
    *ENDING_IN_SHOPIFY,
    *CHANGED_BY_THE_MARKETPLACE,
)


class Unanswered(Exception):
    """No rule answers a combination. The enumeration of the product proves that this cannot happen."""

    def __init__(self, change: Change, facts: Facts) -> None:
        super().__init__(
            f"No rule of the edit compiler answers {change} with {facts}: add one to edits/rules.py."
        )


def first_match(change: Change, facts: Facts) -> Rule | None:
    """The first rule whose change, situation and conditions all hold."""
    for rule in _RULES_OF[change]:
        if facts.situation in rule.situations and all(c.holds(facts) for c in rule.conditions):
            return rule
    return None


def rule_for(change: Change, facts: Facts) -> Rule:
    """The one rule that answers this change under these facts. Raises Unanswered where none does."""
    rule = first_match(change, facts)
    if rule is None:
        raise Unanswered(change, facts)
    return rule


_RULES_OF = {change: tuple(rule for rule in RULES if change in rule.changes) for change in Change}
