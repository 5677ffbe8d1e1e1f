"""Whether a database is the one that wrote last, and what holds for orders that existed before a quarantine ended."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from interlock.orders.actions import Action, CancelMiraklOrder, CancelQuantities, RefundLines
from interlock.orders.agreement import agreed_quantities, standing_quantities
from interlock.orders.memory import Memory, Withdrawn
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import DEAD, GONE_OUT, MiraklOrder, ShopifyOrder
from interlock.orders.view import View

UNTOLD = "quarantine:"
"""Begins the `refund_id` of units that nobody has said anything about yet: they differ since before the quarantine."""


@dataclass(frozen=True, slots=True)
class KeptMark:
    """What this database remembers of the mark in one shop: the last one that was seen there, and every one that was
    sent since without a clear answer. `adopt` is set when a person said that this database goes on."""

    mark: str = ""
    sent: tuple[str, ...] = ()
    adopt: bool = False


def judge(kept: KeptMark, shown: str) -> Literal["ours", "first", "stranger"]:
    """Whose the mark is that the shop shows; empty means that nobody left one (or the app was installed anew)."""
    if not shown:
        return "first"
    if kept.adopt or shown == kept.mark or shown in kept.sent:
        return "ours"
    return "stranger"


# -- orders that existed before ----------------------------------------------------------------------------


def decide(view: View, memory: Memory) -> Part:
    """Take the lower of both sides once after a quarantine, and ask a person about every unit in between.

    What people confirmed before (units that were refunded and do not ship) may be lost with the database, so a
    difference that is already there proves no edit: it may have been settled long ago.
    """
    mirakl, shopify = view.mirakl, view.shopify
    since = view.writing_since
    if view.quarantined:
        return Part(
            memory,
            because=(
                "Interlock is in quarantine: it reads and watches, and sends nothing until a person ends it.",
            ),
        )
    if since is None or mirakl is None or shopify is None or not _existed_before(shopify, memory, since):
        return Part(memory)
    if mirakl.state in (*DEAD, *GONE_OUT):
        return Part(memory)
    before = memory
    if not _compared(memory, since):
        if mirakl.observed_at < since or not view.mirakl_is_current:
            return Part(
                memory,
                because=("Both sides are compared anew after the quarantine.",),
                mirakl_since=since,
            )
        memory = replace(_lower_taken(view, memory, mirakl, shopify), compared_at=view.now)
    memory = _answered(memory, mirakl, shopify)
    cases = tuple(_case(memory, w, shopify) for w in memory.withdrawn if _untold(w))
    # What counts as withdrawn changes what is agreed, so the other rooms have to look again.
    changed = before.withdrawn != memory.withdrawn
    return Part(memory, cases=cases, look_at=view.now if changed else None)


def withheld(
    view: View, memory: Memory, actions: Iterable[Action]
) -> tuple[tuple[Action, ...], tuple[Case, ...]]:
    """The actions without reductions that rest on what was there before the quarantine ended, and the case about a
    whole order that was cancelled in Shopify before."""
    given = tuple(actions)
    since, shopify = view.writing_since, view.shopify
    if view.quarantined or since is None or shopify is None or not _existed_before(shopify, memory, since):
        return given, ()
    reductions = tuple(a for a in given if isinstance(a, (CancelQuantities, CancelMiraklOrder, RefundLines)))
    if not reductions:
        return given, ()
    rest = tuple(a for a in given if a not in reductions)
    if not shopify.live and shopify.cancelled_at is not None and shopify.cancelled_at <= since:
        said = memory.decision(Reason.DIFFERENCE_AFTER_QUARANTINE, "order")
        if said is not None and said.option is Option.CANCEL_AT_MARKETPLACE and said.at >= since:
            return given, ()
        return rest, (_whole_order_case(shopify),)
    return (given, ()) if _compared(memory, since) else (rest, ())


def _existed_before(shopify: ShopifyOrder, memory: Memory, since: datetime) -> bool:
    return bool(memory.shopify_order_id) and shopify.created_at <= since


def _compared(memory: Memory, since: datetime) -> bool:
    return memory.compared_at is not None and memory.compared_at >= since


def _gaps(memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder) -> dict[str, int]:
    """Units per Mirakl line by which Shopify shows less than the marketplace agrees to, told units counted."""
    told = replace(memory, withdrawn=tuple(w for w in memory.withdrawn if not _untold(w)))
    shown = dict(standing_quantities(shopify, memory))
    return {
        line_id: agreed - shown.get(line_id, 0)
        for line_id, agreed in agreed_quantities(mirakl, told)
        if agreed > shown.get(line_id, 0)
    }


def _lower_taken(view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder) -> Memory:
    if not shopify.live:
        return memory  # the whole order is one question, not one for each line
    known = {w.line_id for w in memory.withdrawn if _untold(w)}
    found = tuple(
        Withdrawn(line_id, units, f"{UNTOLD}{line_id}", "", view.now)
        for line_id, units in _gaps(memory, mirakl, shopify).items()
        if line_id not in known
    )
    return replace(memory, withdrawn=(*memory.withdrawn, *found))


def _untold(withdrawn: Withdrawn) -> bool:
    return withdrawn.refund_id.startswith(UNTOLD) and not withdrawn.confirmed_by


def _answered(memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder) -> Memory:
    """Answers are taken, and a gap that closed by itself (cancelled in the portal, put back in Shopify) is forgotten."""
    gaps = _gaps(memory, mirakl, shopify)
    kept: list[Withdrawn] = []
    for withdrawn in memory.withdrawn:
        if not _untold(withdrawn):
            kept.append(withdrawn)
            continue
        said = memory.decision(Reason.DIFFERENCE_AFTER_QUARANTINE, withdrawn.line_id)
        if said is not None and said.at >= withdrawn.at and said.option is Option.CANCEL_AT_MARKETPLACE:
            continue
        units = min(withdrawn.quantity, gaps.get(withdrawn.line_id, 0))
        if not units:
            continue
        confirmed = said is not None and said.at >= withdrawn.at and said.option is Option.CONFIRM_WITHDRAWN
        by = said.who if said is not None and confirmed else ""
        kept.append(replace(withdrawn, quantity=units, confirmed_by=by))
    return replace(memory, withdrawn=tuple(kept))


def _case(memory: Memory, withdrawn: Withdrawn, shopify: ShopifyOrder) -> Case:
    line = memory.ordered_line(withdrawn.line_id)
    sku = withdrawn.line_id if line is None else line.sku
    units = f"{withdrawn.quantity} {'unit' if withdrawn.quantity == 1 else 'units'}"
    return Case(
        Reason.DIFFERENCE_AFTER_QUARANTINE,
        withdrawn.line_id,
        f"When writing began again, Shopify order {shopify.name} showed {units} of {sku} less than the marketplace. "
        "What was decided about them before is not known here, so nothing is sent and the parcel may leave without "
        "them. Look at the order in the portal: if they were refunded or settled, confirm that they do not ship; if "
        "not, have them cancelled at the marketplace.",
        (Option.CONFIRM_WITHDRAWN, Option.CANCEL_AT_MARKETPLACE),
        (("SKU", sku), ("units", str(withdrawn.quantity))),
    )


def _whole_order_case(shopify: ShopifyOrder) -> Case:
    return Case(
        Reason.DIFFERENCE_AFTER_QUARANTINE,
        "order",
        f"Shopify order {shopify.name} was cancelled before writing began again, and the marketplace order still "
        "lives. Whether another order replaced it, or somebody decided to leave it alone, is not known here, so "
        "nothing is sent. Look at both orders, then have the marketplace order cancelled or settle it in the portal.",
        (Option.CANCEL_AT_MARKETPLACE,),
    )
