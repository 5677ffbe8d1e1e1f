"""What the Shopify order should say of where it stands, and when it is worth a call.

The status is for people's eyes, so it comes after everything else: it is written only while nothing else is to be sent,
only when it says something new, and only once that has stood for a while.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from interlock.orders.actions import Action, ClearStatus, SetSellerReference, ShowStatus
from interlock.orders.memory import Memory
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import CATALOGUE
from interlock.orders.shown_status import ShownStatus, says_something, shows, status_tag, status_tags
from interlock.orders.snapshots import (
    BEFORE_ACCEPTANCE,
    BEFORE_DEBIT_DONE,
    DEAD,
    GONE_OUT,
    MiraklOrder,
    ShopifyOrder,
)
from interlock.orders.view import View

HELD_SETTLES = timedelta(minutes=2)
"""Most edits are carried across sooner, and such a hold is over before anybody could act on a tag."""
IMPORT_SETTLES = timedelta(minutes=10)
"""An order that was never released is held as a matter of course, and Shopify itself shows the hold."""
DECISION_SETTLES = timedelta(seconds=20)
TOLD_AGAIN_AFTER = timedelta(hours=1)
"""A status that somebody keeps taking off is not fought over: it is put back once an hour."""


def decide(view: View, memory: Memory, cases: Sequence[Case], actions: Sequence[Action]) -> Part:
    """The status actions whose turn it is: of the linked order, of those it replaced, and of those that were unlinked. `cases`
    and `actions` are all that the other rooms said."""
    part = _of_the_linked(view, memory, cases, actions)
    if view.shopify_unreadable or any(_is_under_way(other, view) for other in actions):
        return part
    others: tuple[Action, ...] = (*_of_the_replaced(view, part.memory), *_of_the_unlinked(view, part.memory))
    return replace(part, actions=(*part.actions, *others))


def is_to_be_cleared(view: View, memory: Memory, order: ShopifyOrder) -> bool:
    """Whether what an order says to staff has to go, because a person said that it has nothing to do with the sale, or is a
    second delivery of it: nobody follows it any more. One that stands or stood for another sale says what is true there."""
    kin = memory.kin(order.id)
    if not view.rules.show_status or kin is None or kin.role != "unlinked" or not says_something(order):
        return False
    elsewhere = ("live", "superseded")
    return not any(claim.shopify_order_id == order.id and claim.role in elsewhere for claim in view.claims)


def _of_the_unlinked(view: View, memory: Memory) -> tuple[ClearStatus, ...]:
    """It is taken off once: an order that says nothing is not read any more."""
    return tuple(
        ClearStatus(order.id, status_tags(order))
        for order in view.kin
        if is_to_be_cleared(view, memory, order)
    )


def _of_the_replaced(view: View, memory: Memory) -> tuple[ShowStatus, ...]:
    """What an order said while it stood for the sale is not true of it any more: that it was replaced is written over it, once.
    One that never said anything, or from which somebody took it, is left alone, and so is one that stands for another sale."""
    if not view.rules.show_status:
        return ()
    elsewhere = {claim.shopify_order_id for claim in view.claims if claim.role == "live"}
    replaced = {kin.shopify_order_id for kin in memory.lineage if kin.role == "superseded"} - elsewhere
    return tuple(
        ShowStatus(order.id, ShownStatus.REPLACED.value, _stale(order, ShownStatus.REPLACED))
        for order in view.kin
        if order.id in replaced and order.status and order.status != ShownStatus.REPLACED
    )


def _stale(shopify: ShopifyOrder, status: ShownStatus) -> tuple[str, ...]:
    """The status tags that have to go when it says this status."""
    wanted = status_tag(status).casefold()
    return tuple(tag for tag in status_tags(shopify) if tag.casefold() != wanted)


def _of_the_linked(view: View, memory: Memory, cases: Sequence[Case], actions: Sequence[Action]) -> Part:
    shopify, mirakl = view.shopify, view.mirakl
    if (
        not view.rules.show_status
        or shopify is None
        or mirakl is None
        or view.shopify_unreadable
        or shopify.id != memory.shopify_order_id
    ):
        return Part(_settled(memory))
    status = status_of(view, memory, mirakl, shopify, cases)
    if shows(shopify, status) or (not shopify.status and _is_over(mirakl, shopify, status)):
        return Part(_settled(memory))
    if memory.status_wanted != status or memory.status_since is None:
        # What was wanted before and never showed was perhaps never sent.
        told = "" if memory.status_wanted else memory.status_told
        memory = replace(memory, status_wanted=status.value, status_since=view.now, status_told=told)
    action = ShowStatus(shopify.id, status.value, _stale(shopify, status))
    if any(operation.action == action for operation in view.operations):
        return Part(memory, (action,))  # begun already: the ledger paces what was refused or is unclear
    due = _due(memory, status, shopify, view)
    if view.now < due:
        return Part(memory, look_at=due)
    if any(_is_under_way(other, view) for other in actions):
        return Part(memory)  # what is sent now is followed by another look
    return Part(replace(memory, status_told=status.value, status_told_at=view.now), (action,))


def status_of(
    view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder, cases: Sequence[Case]
) -> ShownStatus:
    """Where the order stands. A person's work comes first, then our hold, and what is neither is in sync."""
    if any(_asks_a_person(case) for case in cases):
        return ShownStatus.NEEDS_DECISION
    # A parcel that was never let go is held even before our hold on it was seen.
    waits = memory.released_at is None and mirakl.state not in (*DEAD, *GONE_OUT)
    if not shopify.live or not (memory.held or waits):
        return ShownStatus.IN_SYNC
    if mirakl.state in BEFORE_ACCEPTANCE:
        return ShownStatus.NOT_ACCEPTED
    if mirakl.state in BEFORE_DEBIT_DONE:
        return ShownStatus.MARKETPLACE_WAITS
    if not mirakl.address.complete or not shopify.address.complete:
        return ShownStatus.ADDRESS_MISSING
    if memory.disagreeing_since is not None or memory.unsent_edit:
        return ShownStatus.EDIT_ON_ITS_WAY
    if view.rules.edit_window is not None and view.now < shopify.created_at + view.rules.edit_window:
        return ShownStatus.EDIT_WINDOW
    return ShownStatus.BEING_CHECKED


def _asks_a_person(case: Case) -> bool:
    return case.how_severe != "note" and CATALOGUE[case.reason].handled_by == "person"


def _due(memory: Memory, status: ShownStatus, shopify: ShopifyOrder, view: View) -> datetime:
    """From when the status may be written: it has stood for a while, and was not written a moment ago."""
    due = (memory.status_since or view.now) + _settles(status, shopify)
    if memory.status_told == status and memory.status_told_at is not None:
        return max(due, memory.status_told_at + TOLD_AGAIN_AFTER)
    return due


def _settles(status: ShownStatus, shopify: ShopifyOrder) -> timedelta:
    match status:
        case ShownStatus.IN_SYNC:
            return timedelta(0)
        case ShownStatus.NEEDS_DECISION:
            return DECISION_SETTLES
        case _:
            return HELD_SETTLES if shopify.status else IMPORT_SETTLES


def _is_over(mirakl: MiraklOrder, shopify: ShopifyOrder, status: ShownStatus) -> bool:
    """Whether nothing is left to say about an order that never said anything: it left, or it was cancelled."""
    ended = mirakl.state in (*DEAD, *GONE_OUT) or not shopify.live
    return ended and status is ShownStatus.IN_SYNC


def _is_under_way(action: Action, view: View) -> bool:
    """Whether the action is sent with this plan or soon after it. What was refused or is unclear waits for itself, and
    the marketplace's reference to our order travels in batches of its own."""
    if isinstance(action, SetSellerReference):
        return False
    states = [operation.state for operation in view.operations if operation.action == action]
    return not states or "PLANNED" in states


def _settled(memory: Memory) -> Memory:
    if not memory.status_wanted and memory.status_since is None:
        return memory
    return replace(memory, status_wanted="", status_since=None)
