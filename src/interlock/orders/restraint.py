"""What of a plan may be sent at all: not to a shop that cannot be read, nothing to an order that is gone from it, not on a
connection that is not live, not what is paused, not in circles."""

from dataclasses import replace
from datetime import timedelta

from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    CancelShopifyOrder,
    ClearMarker,
    ClearStatus,
    EditShopifyOrder,
    FillOrderAddress,
    MarkOrder,
    MarkPaid,
    PlaceHold,
    SetOrderAddress,
    ShowStatus,
)
from interlock.orders.pauses import without_paused
from interlock.orders.plan import Case, Plan, earliest
from interlock.orders.reasons import Reason
from interlock.orders.view import View

MOST_WRITING_RUNS_IN_HOUR = 20
WRITE_TO_AN_ORDER = (
    FillOrderAddress,
    MarkOrder,
    MarkPaid,
    CancelShopifyOrder,
    EditShopifyOrder,
    SetOrderAddress,
    ClearMarker,
    ShowStatus,
    ClearStatus,
)
PARKED_LOOKS_AGAIN = timedelta(minutes=10)


def restrained(plan: Plan, view: View) -> Plan:
    """The plan with only the actions that may be sent, and the case of an order that keeps coming back.

    While Shopify cannot be read only the acceptance goes out. Nothing is written to a cancelled order that is gone from the
    shop. An order that was written to in many runs of this hour
    is parked until the hour is over: only holds and its acceptance still go out.
    """
    actions = plan.actions
    if view.shopify_unreadable:
        actions = tuple(action for action in actions if isinstance(action, AnswerAcceptance))
    if view.shopify_gone and view.shopify is not None:
        actions = tuple(action for action in actions if not _is_written_to(action, view.shopify.id))
    if not view.live:
        actions = ()
    plan = without_paused(replace(plan, actions=actions), view)
    actions = plan.actions
    if view.writing_runs < MOST_WRITING_RUNS_IN_HOUR or not actions:
        return replace(plan, actions=actions)
    case = Case(
        Reason.TOO_MANY_CYCLES,
        "order",
        f"This order was written to in {view.writing_runs} runs within an hour and is parked until the hour is over; "
        "only holds and its acceptance still go out. Look at its timeline for two systems that undo each other.",
    )
    return replace(
        plan,
        actions=tuple(action for action in actions if isinstance(action, (AnswerAcceptance, PlaceHold))),
        cases=(*plan.cases, case),
        look_at=earliest(plan.look_at, view.now + PARKED_LOOKS_AGAIN),
    )


def _is_written_to(action: Action, shopify_order_id: str) -> bool:
    return isinstance(action, WRITE_TO_AN_ORDER) and action.shopify_order_id == shopify_order_id
