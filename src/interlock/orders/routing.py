"""Shopify's routing makes fulfillment orders a while after the order, and one that is not there cannot be held."""

from datetime import datetime, timedelta

from interlock.orders.snapshots import ShopifyOrder

LOOK_SOON = timedelta(seconds=2)
LOOK_LATER = timedelta(seconds=30)
MOSTLY_DONE = timedelta(minutes=1)
GIVEN_UP_AFTER = timedelta(minutes=30)


def look_for_parcels_at(order: ShopifyOrder, since: datetime, now: datetime) -> datetime | None:
    """When to look again for the parcels of an order that has units to ship and no open fulfillment order: soon at first,
    then less often (Shopify reference 5.1). `since` is when it was made or first seen. None where nothing is waited for."""
    waiting = any(order.to_leave(line) > 0 for line in order.lines)
    if not order.live or not waiting or any(fo.is_open for fo in order.fulfillment_orders):
        return None
    age = now - since
    if age >= GIVEN_UP_AFTER:
        return None
    return now + (LOOK_SOON if age < MOSTLY_DONE else LOOK_LATER)
