"""The Shopify order that stands for a sale is not shown any more, and was not cancelled when it was seen last, or nothing is
kept of what it showed then."""

from dataclasses import replace
from datetime import timedelta

from interlock.orders.memory import Decision, Memory
from interlock.orders.pauses import WHAT_WAITS
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT, TO_SHIP, MiraklOrder, ShopifyOrder
from interlock.orders.view import View

ASKED_AFTER = timedelta(minutes=5)
"""So long Shopify may fail to show an order that is there. It shows none that was deleted, none older than 60 days to an app
without read_all_orders, and none at all to one without read_orders (Shopify reference 1, 6.4)."""


def noted(view: View, memory: Memory) -> Memory:
    """The memory with since when the linked order is missing, and with a person's word that it is gone for good: from then on
    it counts as cancelled."""
    if not memory.shopify_order_id or view.shopify_unreadable:
        return memory
    if view.shopify is not None:
        if view.shopify.live and view.shopify.id == memory.shopify_order_id:
            # What a person called gone is there all the same.
            memory = replace(memory, shopify_cancelled_seen_at=None)
        return replace(memory, missing_since=None)
    memory = replace(memory, missing_since=memory.missing_since or view.now)
    if _called_gone(memory) is not None and memory.shopify_cancelled_seen_at is None:
        memory = replace(memory, shopify_cancelled_seen_at=view.now)
    return memory


def gone_unseen(view: View, memory: Memory) -> Decision | None:
    """The word of a person by which the order is gone for good, where that word is all there is: nothing is kept of what it
    showed. None while what it showed last was not looked for yet, which is done once it counts as cancelled."""
    looked_for = view.memory.shopify_cancelled_seen_at is not None and not view.shopify_unreadable
    return _called_gone(memory) if looked_for and view.shopify is None else None


def _called_gone(memory: Memory) -> Decision | None:
    """The word of a person, said since it is missing, that the order is gone for good."""
    said = memory.decision(Reason.SHOPIFY_ORDER_MISSING, memory.shopify_order_id)
    if said is None or said.option is not Option.CANCEL_AT_MARKETPLACE or memory.missing_since is None:
        return None
    return said if said.at >= memory.missing_since else None


def decide(view: View, memory: Memory) -> Part:
    """Somebody is asked while the sale still waits for the parcel of an order that nobody can see."""
    mirakl = view.mirakl
    if mirakl is None or memory.missing_since is None or mirakl.state in (*DEAD, *GONE_OUT):
        return Part(memory)
    if _called_gone(memory) is not None:
        return Part(memory)
    asked_at = memory.missing_since + ASKED_AFTER
    if view.now < asked_at:
        return Part(memory, look_at=asked_at)
    return Part(memory, cases=(_case(memory, mirakl),))


_OF_THE_DISPATCH = (
    Reason.CARRIER_UNKNOWN,
    Reason.TRACKING_MISSING,
    Reason.TRACKING_UNUSABLE,
    Reason.SHIPPING_REFUSED,
    Reason.SHIPPING_DEADLINE_NEAR,
)
"""What keeps the marketplace from being told of a parcel, and is over once it was told, by whomever."""


def seen_without_the_order(view: View) -> tuple[Reason, ...]:
    """The cases that may close although the linked order is not shown: they ask about just that, or that they are over is seen
    without it."""
    if view.mirakl is None:
        return ()
    reasons = [] if view.shopify_unreadable else [Reason.SHOPIFY_ORDER_MISSING]
    if view.mirakl.state != "WAITING_ACCEPTANCE":
        reasons += [Reason.ACCEPTANCE_RUNNING_OUT, Reason.ACCEPTANCE_REFUSED]
    if view.mirakl.state in GONE_OUT:
        reasons += _OF_THE_DISPATCH
    if not view.mirakl.has_incident:
        reasons.append(Reason.INCIDENT_OPEN)
        if view.mirakl.state in (*TO_SHIP, *GONE_OUT):
            reasons.append(Reason.EDIT_WAITING)  # what it waited for is there
    if not any(view.rules.paused(flow, view.now) for flow in WHAT_WAITS):
        reasons.append(Reason.FLOW_PAUSED)
    return tuple(reasons)


def as_cancelled(shown: ShopifyOrder, memory: Memory) -> ShopifyOrder:
    """What an order that is gone showed last, as the cancelled order that it counts for: a cancelation that was shown cannot be
    taken back, and one that was not shown stands by a person's word."""
    if not shown.live:
        return shown
    lines = tuple(replace(line, current_quantity=0) for line in shown.lines)
    return replace(shown, cancelled_at=memory.shopify_cancelled_seen_at, lines=lines, fulfillment_orders=())


def _case(memory: Memory, mirakl: MiraklOrder) -> Case:
    name = memory.shopify_order_name or "the order"
    if memory.shopify_cancelled_seen_at is None:
        sentence = (
            f"Shopify does not show {name} any more, and it was not cancelled when it was seen last: it was deleted, or the app may "
            "not read it (orders older than 60 days need read_all_orders). The marketplace still waits for its parcel, and "
            "nothing is carried across while nobody can see what is to be sent. Look for it in Shopify. If it is there, see to "
            "it that the app may read it. If it is gone and nothing is to be sent, cancel the whole order here; a Shopify order "
            "that takes its place can be linked until the marketplace is told."
        )
    else:
        sentence = (
            f"Shopify does not show {name} any more. It was cancelled, but nothing is kept of what it showed then, so nobody here "
            "knows whether units of it had left. The marketplace still waits for its parcel. Find out whether one is on its "
            "way; then settle the order in the marketplace portal. If nothing left and nothing is to be sent, cancel the whole order here."
        )
    return Case(
        Reason.SHOPIFY_ORDER_MISSING,
        memory.shopify_order_id,
        sentence,
        (Option.CANCEL_AT_MARKETPLACE,),
        (("marketplace state", mirakl.state),),
        mirakl.shipping_deadline,
    )
