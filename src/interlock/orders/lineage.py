"""The lineage as several rooms see it: while a successor may still come, nothing of the old order is carried across."""

from datetime import datetime

from interlock.orders.memory import Memory
from interlock.orders.reasons import Option
from interlock.orders.view import View


def waits_for_successor_until(view: View, memory: Memory) -> datetime | None:
    """Until when another order may still take the cancelled Shopify order's place; None where nothing is waited for:
    it lives, it was cancelled at our own desk, `lineage_wait` is over, or a person said since then of another order that it
    is none."""
    cancelled_at = memory.shopify_cancelled_seen_at
    if view.shopify is None or view.shopify.live or memory.cancelled_at_our_desk:
        return None
    since = cancelled_at or view.now
    if any(
        # Of the linked order itself it asks for another one in its place, and stands only where that was refused.
        decision.option is Option.NO_SUCCESSOR
        and decision.at > since
        and decision.subject != memory.shopify_order_id
        for decision in memory.decisions
    ):
        return None
    ends = since + view.rules.lineage_wait
    return ends if view.now < ends else None
