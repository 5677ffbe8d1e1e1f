"""Hints: one order may need attention. A hint carries no truth; it marks the row and asks for a look."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from interlock.engine.queue import Queue
from interlock.engine.store import connections, count, keep_delivery, resolve_delivery
from interlock.orders.actions import Lane
from interlock.orders.store import (
    mark_dirty,
    note_twin,
    order_by_fulfillment_order,
    order_by_shopify_id,
    orders,
    shopify_changed_after,
)


def hint(c: Connection, queue: Queue, order_id: int, lane: Lane, now: datetime) -> None:
    """Mark the order and wake a worker for it, in the caller's transaction."""
    mark_dirty(c, order_id, lane, now)
    queue.wake(c, order_id, lane)


def note_marked(
    c: Connection, connection_ids: list[int], marker: str, shopify_order_id: str, cancelled: bool = False
) -> int | None:
    """Note a Shopify order that is linked to nothing but carries our mark (`<connection>:<marketplace order>`).

    Returns the row that has to be looked at because of it: one that is linked to another Shopify order. While the row
    is not linked, the run that links it reads the note; a cancelled order stands for nothing and is not noted.
    """
    if ":" not in marker:
        return None
    row = c.execute(
        select(orders.c.id, orders.c.shopify_order_id, orders.c.twins)
        .join(connections, connections.c.id == orders.c.connection_id)
        .where(
            orders.c.connection_id.in_(connection_ids),
            orders.c.mirakl_order_id == func.substr(marker, func.length(connections.c.name) + 2),
            connections.c.name + ":" + orders.c.mirakl_order_id == marker,
        )
        .order_by(orders.c.id)
        .limit(1)
    ).one_or_none()
    if row is None or (cancelled and shopify_order_id not in row.twins):
        return None
    if note_twin(c, row.id, shopify_order_id):
        count(c, "twin_noted")
    return int(row.id) if row.shopify_order_id else None


def webhook_hint(
    c: Connection,
    queue: Queue,
    connection_ids: list[int],
    shop: str,
    topic: str,
    webhook_id: str,
    triggered_at: str,
    shopify_order_id: str | None,
    fulfillment_order_id: str | None,
    now: datetime,
    changed_at: datetime | None = None,
    marker: str = "",
) -> bool:
    """Turn a verified delivery into a hint, once. False when it was a repeat.

    `changed_at` is the order's `updatedAt` the delivery speaks of. When the last snapshot is of a later one, the
    change was seen already (our own echoes mostly) and nobody is woken; the same second proves nothing.
    A delivery for a Shopify order that is none of ours ends here, unless it carries `marker`, our order attribute: then
    the marketplace order that is named there has two Shopify orders. One that names only a fulfillment order not seen
    yet stays unresolved until the sweep has asked Shopify whose it is.
    """
    if not keep_delivery(
        c, shop, topic, webhook_id, triggered_at, shopify_order_id, fulfillment_order_id, now
    ):
        count(c, "webhook_repeated", topic)
        return False
    order_id = None
    if shopify_order_id is not None:
        order_id = order_by_shopify_id(c, connection_ids, shopify_order_id)
        if order_id is None:
            order_id = note_marked(c, connection_ids, marker, shopify_order_id)
            changed_at = None  # the snapshot that may have seen it is the linked order's
    elif fulfillment_order_id is not None:
        order_id = order_by_fulfillment_order(c, fulfillment_order_id)
        if order_id is None:
            count(c, "webhook_unresolved", topic)
            return True
    resolve_delivery(c, shop, topic, webhook_id, now)
    if order_id is None:
        count(c, "webhook_of_other_order", topic)
        return True
    if changed_at is not None and shopify_changed_after(c, order_id, changed_at):
        count(c, "webhook_seen_already", topic)
        return True
    count(c, "webhook_accepted", topic)
    hint(c, queue, order_id, "edits", now)
    return True
