"""What share of edits reaches one marketplace by itself: the rules, asked with what its profile and settings say."""

from dataclasses import dataclass

from interlock.edits.rules import rule_for
from interlock.edits.table import ANSWERS, CHANGES, Answer, Change, Facts, Situation, Workflow
from interlock.orders.capability import Capability
from interlock.orders.connection import ConnectionRules

EDITS = (
    Change.QUANTITY_DOWN,
    Change.LINE_REMOVED,
    Change.QUANTITY_UP,
    Change.LINE_ADDED,
    Change.CUSTOM_LINE,
    Change.SKU_REPLACED,
    Change.PRICE_CHANGED,
    Change.SHIPPING_CHANGED,
    Change.ADDRESS_CHANGED,
    Change.NOTE_CHANGED,
    Change.ORDER_CANCELLED,
)
"""What staff and editing apps do to an order in Shopify."""
BY_ITSELF = (Answer.NOTHING, Answer.CANCEL_QUANTITY, Answer.CANCEL_ORDER, Answer.AUTOMATIC_REFUND)
# Which PC01 does not name (Mirakl reference 3.3); a marketplace without flags uses one of them.
UNNAMED = (Workflow.PAY_ON_ACCEPTANCE, Workflow.PAY_ON_DELIVERY)


@dataclass(frozen=True, slots=True)
class EditForecast:
    """What becomes of one kind of edit on this marketplace while its order is to be shipped, and why."""

    edit: str
    workflow: str
    answer: str
    automatic: bool
    why: str


def forecast(rules: ConnectionRules, capability: Capability | None) -> tuple[EditForecast, ...]:
    """Every kind of edit under every payment workflow this marketplace may use, in the state in which parcels wait."""
    named = () if capability is None else tuple(Workflow(code) for code in capability.workflows)
    return tuple(_one(rules, change, workflow) for workflow in (named or UNNAMED) for change in EDITS)


def _one(rules: ConnectionRules, change: Change, workflow: Workflow) -> EditForecast:
    # Under PAY_ON_ACCEPTANCE an order that may ship is paid, and a shop cannot cancel it; under the others it can be
    # cancelled until it is (Mirakl reference, OR29).
    paid = workflow is Workflow.PAY_ON_ACCEPTANCE
    rule = rule_for(
        change,
        Facts(
            situation=Situation.SHIPPING_PAID if paid else Situation.SHIPPING_UNPAID,
            workflow=workflow,
            paid=paid,
            can_cancel=not paid,
            can_refund=paid,
            can_ship=True,
            partial_cancelation=rules.partial_cancelation,
            partial_acceptance=rules.partial_acceptance,
            reason_code=bool(rules.cancelation_reason),
            after_debit=rules.reduction_after_debit,
            mirror=rules.mirror_marketplace_changes,
            editable=rules.import_route == "draft",
        ),
    )
    automatic = rule.answer in BY_ITSELF
    why = rule.sentence
    if rule.answer is Answer.AUTOMATIC_REFUND:
        automatic = bool(rules.refund_reason) and rules.refund_cap is not None
        why = (
            f"{why} Up to {rules.refund_cap} of one order; above it a person approves." if automatic else why
        )
    return EditForecast(CHANGES[change], workflow.value, ANSWERS[rule.answer], automatic, why)


def share_in_words(forecasts: tuple[EditForecast, ...]) -> str:
    """One sentence for set-up: how many kinds of edit need nobody here."""
    automatic = sum(one.automatic for one in forecasts)
    return (
        f"{automatic} of {len(forecasts)} kinds of edit, under the payment workflows this marketplace may use, need nobody "
        f"({100 * automatic // len(forecasts)} %); every other one becomes a task or a question for a person."
    )
