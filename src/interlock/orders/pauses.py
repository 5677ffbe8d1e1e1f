"""Flows that a person has paused: which actions belong to which flow, and what a plan becomes while one is paused.

A paused flow is never a silent drop: every order it stops says so in a case, which closes by itself, and is looked at
again the moment the pause ends. What belongs to no flow is never paused: holds go on, and come off on evidence.
"""

from dataclasses import replace
from typing import assert_never

from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    AskServiceToStop,
    CancelMiraklOrder,
    CancelQuantities,
    CancelShopifyOrder,
    ClearMarker,
    ClearStatus,
    CompleteDraft,
    CreateDraft,
    CreateOrder,
    CreateShipment,
    DeleteDraft,
    DeleteShipment,
    EditShopifyOrder,
    FillDraftAddress,
    FillOrderAddress,
    MarkOrder,
    MarkPaid,
    PlaceHold,
    RefundLines,
    ReleaseHold,
    SendMessage,
    SetOrderAddress,
    SetSellerReference,
    SetTracking,
    ShipOrder,
    ShowStatus,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.connection import Flow, Pause
from interlock.orders.memory import Memory
from interlock.orders.plan import Case, Plan, earliest
from interlock.orders.reasons import Reason
from interlock.orders.view import View

WHAT_WAITS: dict[Flow, str] = {
    "import": "Its Shopify order is not created meanwhile, so it cannot be accepted either.",
    "acceptance": "The marketplace gets no answer meanwhile, and cancels the order when its time is over.",
    "edits": "No edit is carried across meanwhile; while the two sides differ the parcel stays held.",
    "shipping": "The marketplace is not told of parcels meanwhile; the shipping deadline goes on.",
    "refunds": "No refund is sent to the marketplace meanwhile; the customer waits for the money.",
}
"""What a pause of each flow means for an order that it stops."""


def flow_of(action: Action) -> Flow | None:
    """The flow an action belongs to; None for what is never paused."""
    match action:
        case CreateDraft() | FillDraftAddress() | CompleteDraft() | CreateOrder():
            return "import"
        case AnswerAcceptance():
            return "acceptance"
        case (
            CancelQuantities()
            | CancelMiraklOrder()
            | CancelShopifyOrder()
            | EditShopifyOrder()
            | SetOrderAddress()
        ):
            return "edits"
        case (
            SetTracking()
            | ShipOrder()
            | CreateShipment()
            | TrackShipment()
            | ValidateShipment()
            | DeleteShipment()
        ):
            return "shipping"
        case RefundLines():
            return "refunds"
        case (
            DeleteDraft()
            | FillOrderAddress()
            | MarkOrder()
            | MarkPaid()
            | PlaceHold()
            | ReleaseHold()
            | AskServiceToStop()
            | ClearMarker()
            | SetSellerReference()
            | SendMessage()
            | ShowStatus()
            | ClearStatus()
        ):
            return None
        case _:
            assert_never(action)


def without_paused(plan: Plan, view: View) -> Plan:
    """The plan without the actions of paused flows, with a case for each flow that stops something of it."""
    stopped: dict[Flow, Pause] = {}
    left: list[Action] = []
    for action in plan.actions:
        pause = view.rules.paused(flow_of(action), view.now)
        if pause is None:
            left.append(action)
        else:
            stopped[pause.flow] = pause
    if not stopped:
        return plan
    return replace(
        plan,
        memory=_unsent(plan, view) if "edits" in stopped else plan.memory,
        actions=tuple(left),
        cases=(*plan.cases, *(_case(pause, view, plan.memory) for pause in stopped.values())),
        look_at=earliest(plan.look_at, *(pause.until for pause in stopped.values())),
    )


def _unsent(plan: Plan, view: View) -> Memory:
    """The memory in which an edit counts as sent only if it was sent before the pause."""
    if plan.memory.sent_edit == view.memory.sent_edit:
        return plan.memory
    return replace(plan.memory, sent_edit=view.memory.sent_edit, unsent_edit=plan.memory.sent_edit)


def _case(pause: Pause, view: View, memory: Memory) -> Case:
    waiting = view.mirakl is not None and view.mirakl.state == "WAITING_ACCEPTANCE"
    presses = waiting and pause.flow in ("import", "acceptance")
    return Case(
        Reason.FLOW_PAUSED,
        pause.flow,
        f"{pause.flow.capitalize()} of {view.rules.name} {paused_is(pause)} {pause.in_words} "
        f"{WHAT_WAITS[pause.flow]} It goes on by itself then, or as soon as somebody ends the pause on the page "
        "Connections.",
        due_at=memory.acceptance_due_at if presses else None,
        severity="urgent" if presses else None,
    )


def paused_is(pause: Pause) -> str:
    """The verb after the flow's name: edits are, shipping is."""
    return "are" if pause.flow in ("edits", "refunds") else "is"
