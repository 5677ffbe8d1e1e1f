"""Whether a parcel that has to wait is not on hold: somebody took our hold off, or none can be placed."""

from collections.abc import Collection

from interlock.orders.actions import Action
from interlock.orders.holding import let_go_of
from interlock.orders.memory import Memory
from interlock.orders.plan import Case
from interlock.orders.snapshots import ShopifyOrder


def is_let_go(
    shopify: ShopifyOrder | None, memory: Memory, actions: Collection[Action], cases: Collection[Case]
) -> bool:
    """Whether a parcel that must not leave yet has no hold, and none is about to be placed. What a fulfilment service has
    is a matter of its own."""
    if shopify is None or not shopify.live or memory.released_at is not None or not memory.shopify_order_id:
        return False
    return any(not fo.with_service for fo in let_go_of(shopify, actions, cases))
