"""Orders that somebody accepted before the connection went live: the shop may have an order of its own for them."""

from dataclasses import replace
from datetime import UTC, datetime

from interlock.orders.actions import CompleteDraft, CreateDraft, CreateOrder
from interlock.orders.memory import Decision, Memory
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT, MiraklOrder
from interlock.orders.view import View


def sold_before_live(mirakl: MiraklOrder, live_since: datetime | None) -> bool:
    """Whether the order was made at the marketplace before the connection went live, as far as that was noted."""
    return live_since is not None and mirakl.created_at < live_since


def is_somebody_elses(view: View, memory: Memory) -> bool:
    """Whether the order may stand in the shop as an order that somebody else made: it is older than the connection, had been
    accepted when it was first seen, and nothing of ours stands for it. Not where a person said to create it."""
    mirakl = view.mirakl
    if mirakl is None or not sold_before_live(mirakl, view.live_since):
        return False
    if view.shopify_unreadable or memory.acceptance_due_at is not None or mirakl.state == "STAGING":
        return False
    ours = memory.shopify_order_id or memory.draft_id or view.made_order_id or view.shopify or view.drafts
    asked = any(isinstance(op.action, CreateDraft | CreateOrder | CompleteDraft) for op in view.operations)
    said = _said(memory)
    to_create = said is not None and said.option is Option.CREATE_ORDER
    return not ours and not asked and not to_create


def decide(view: View, memory: Memory, mirakl: MiraklOrder) -> Part:
    """What becomes of such an order: a person says whether the shop has it. Once it has left or ended nothing is asked."""
    if mirakl.state in (*GONE_OUT, *DEAD):
        because = (
            "The order was accepted before the connection went live, and others have shipped or ended it."
        )
        return Part(replace(memory, left_alone=True), because=(because,))
    said = _said(memory)
    if said is not None and said.option is Option.IN_SHOP_ALREADY:
        because = (
            f"{said.who} says that the shop has this order already, so Interlock leaves it alone: {said.why}"
        )
        return Part(replace(memory, left_alone=True), because=(because,))
    return Part(memory, cases=(_case(view, mirakl),))


def taken_back(memory: Memory) -> Part:
    """Of an order that was left alone and is to be created after all: nobody else looks after it any more."""
    said = _said(memory)
    if not memory.left_alone or said is None or said.option is not Option.CREATE_ORDER:
        return Part(memory)
    because = (
        f"{said.who} says that the shop does not have this order after all, so it is created: {said.why}"
    )
    return Part(replace(memory, left_alone=False), because=(because,))


def _said(memory: Memory) -> Decision | None:
    return memory.decision(Reason.OLDER_THAN_CONNECTION, "order")


def _case(view: View, mirakl: MiraklOrder) -> Case:
    sold, live = _day(mirakl.created_at), _day(view.live_since)
    return Case(
        Reason.OLDER_THAN_CONNECTION,
        "order",
        f"This order was sold on {sold} and accepted by somebody else; {view.rules.name} went live on {live}. Interlock creates "
        "no Shopify order for it by itself: the shop may have one already, by hand or by another connector, and a second one "
        "would send a second parcel. Look for the sale in Shopify. Where it is there, say so, and Interlock leaves it alone: "
        "ship it as you did before. Where it is not, have it created.",
        (Option.IN_SHOP_ALREADY, Option.CREATE_ORDER),
        (("Sold", sold), ("Live since", live)),
    )


def _day(at: datetime | None) -> str:
    return "" if at is None else f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"
