"""Hints: one order may need attention. A hint carries no truth; it marks the row and asks for a look."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from interlock.engine.ledger import creation_is_unclear, wrote_to_shopify
from interlock.engine.queue import Queue
from interlock.engine.store import connections, count, keep_delivery, note_stranger, resolve_delivery
from interlock.inventory.store import stock_hint, stock_is_read
from interlock.orders.actions import Lane
from interlock.orders.snapshots import DEAD, GONE_OUT, Stranger
from interlock.orders.store import (
    kin,
    mark_dirty,
    note_kin,
    order_by_fulfillment_order,
    order_by_shopify_id,
    orders,
    rows_by_kin,
    shopify_changed_after,
)
from interlock.replacements.evidence import bases_of

MOST_RELATIVES = 10
"""A stranger is weighed for at most so many orders of ours, the youngest first."""


ECHOES = frozenset(
    {
        "orders/create",
        "orders/updated",
        "fulfillment_orders/placed_on_hold",
        "fulfillment_orders/hold_released",
        "fulfillment_holds/added",
        "fulfillment_holds/released",
    }
)
"""What our own writes bring back, several deliveries for each. An edit announces itself by `orders/edited` besides."""

ECHOES_FOR = timedelta(seconds=10)
ECHOES_WAIT = timedelta(seconds=2)


def hint(c: Connection, queue: Queue, order_id: int, lane: Lane, now: datetime) -> None:
    """Mark the order and wake a worker for it, in the caller's transaction."""
    mark_dirty(c, order_id, lane, now)
    queue.wake(c, order_id, lane)


def note_relatives(
    c: Connection, connection_ids: list[int], stranger: Stranger, now: datetime
) -> tuple[int, ...]:
    """Note a Shopify order that is linked to nothing with every order of ours it may replace.

    Returns the rows that have to be looked at because of it: those linked to another Shopify order, and those of which it
    is not clear whether Shopify made their order, when the stranger carries their number. While another row is not
    linked, the run that links it reads the note. A cancelled order takes nobody's place and is not noted.
    """
    found: list[int] = []
    for row, carries_its_number in _relatives(c, connection_ids, stranger):
        if stranger.cancelled or row.shopify_order_id == stranger.id:
            continue
        if note_kin(c, row.id, stranger.id, now, stranger.name):
            count(c, "kin_noted")
        if row.shopify_order_id or (carries_its_number and creation_is_unclear(c, row.id)):
            found.append(int(row.id))
    return tuple(found)


def _relatives(
    c: Connection, connection_ids: list[int], stranger: Stranger
) -> list[tuple[Row[Any, Any], bool]]:
    """Orders of ours the stranger points to: by our own number, else by a name or number; and by the person. Each with
    whether it is by our own number.

    Names and other numbers on an order that carries our own number were copied with it and point nowhere else. The person
    does: an app that merges two orders copies the number of one of them. It counts only for orders that can still be
    changed.
    """
    of_ours = (
        select(orders.c.id, orders.c.shopify_order_id)
        .where(orders.c.connection_id.in_(connection_ids))
        .order_by(orders.c.id.desc())
        .limit(MOST_RELATIVES)
    )
    marked: list[Row[Any, Any]] = []
    if ":" in stranger.marker:
        length = func.length(connections.c.name)
        of_number = of_ours.join(connections, connections.c.id == orders.c.connection_id).where(
            orders.c.mirakl_order_id == func.substr(stranger.marker, length + 2),
            connections.c.name + ":" + orders.c.mirakl_order_id == stranger.marker,
        )
        marked = list(c.execute(of_number))
    bases = () if marked else bases_of(stranger.name)
    words = () if marked else stranger.words
    names = [*bases, *words, *(f"#{word}" for word in words)]
    pointed: list[ColumnElement[bool]] = []
    if not marked and (stranger.order_ids or words):
        pointed.append(orders.c.mirakl_order_id.in_([*stranger.order_ids, *stranger.words]))
        pointed.append(func.lower(orders.c.mirakl_order_id).in_(stranger.words))
    if names:
        pointed.append(orders.c.shopify_name.in_(names))
        once = select(kin.c.order_id).where(kin.c.name.in_(names), kin.c.role == "superseded")
        pointed.append(orders.c.id.in_(once))
    person: list[ColumnElement[bool]] = []
    if stranger.email:
        person.append(orders.c.shopify_email == stranger.email)
    if stranger.address:
        person.append(orders.c.shopify_address == stranger.address)
    if person:
        pointed.append(and_(orders.c.mirakl_state.not_in((*DEAD, *GONE_OUT)), or_(*person)))
    others = c.execute(of_ours.where(or_(*pointed))) if pointed else ()
    known = {row.id for row in marked}
    return [
        *((row, True) for row in marked),
        *((row, False) for row in others if row.id not in known),
    ]


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
    name: str = "",
    item_id: str = "",
) -> bool:
    """Turn a verified delivery into a hint, once. False when it was a repeat.

    `changed_at` is the order's `updatedAt` the delivery speaks of. When the last snapshot is of a later one, the
    change was seen already (our own echoes mostly) and nobody is woken; the same second proves nothing.
    A delivery for a Shopify order that is linked to nothing wakes every order of ours that knows it, or that `marker`
    (our order attribute) or `name` points to; it is noted as a stranger as well, so that the next tick reads the rest of
    what it says of itself. One that names only a fulfillment order not seen yet stays unresolved until the sweep has
    asked Shopify whose it is.
    """
    if not keep_delivery(
        c, shop, topic, webhook_id, triggered_at, shopify_order_id, fulfillment_order_id, now
    ):
        count(c, "webhook_repeated", topic)
        return False
    if item_id:
        # A delivery about stock carries a figure that may be stale (Shopify reference 14.2): the item is read again.
        hinted = stock_is_read(c, shop)
        if hinted:
            stock_hint(c, shop, [item_id], now)
        resolve_delivery(c, shop, topic, webhook_id, now)
        count(c, "webhook_of_stock" if hinted else "webhook_of_other_order", topic)
        return True
    order_id = None
    if shopify_order_id is not None:
        order_id = order_by_shopify_id(c, connection_ids, shopify_order_id)
        kin_rows = rows_by_kin(c, connection_ids, shopify_order_id)
        if order_id is None and not kin_rows:
            note_stranger(c, shop, shopify_order_id, now)
            stranger = Stranger(shopify_order_id, name, marker=marker)
            kin_rows = note_relatives(c, connection_ids, stranger, now)
        for row in kin_rows:
            # The snapshot that may have seen the change is the linked order's: they are looked at in any case.
            hint(c, queue, row, "edits", now)
        if order_id is None and kin_rows:
            resolve_delivery(c, shop, topic, webhook_id, now)
            count(c, "webhook_of_kin", topic)
            return True
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
    if topic in ECHOES and wrote_to_shopify(c, order_id, now - ECHOES_FOR):
        # Most likely our own doing: answered once for all of them, by the sweep over what is due.
        mark_dirty(c, order_id, "edits", now, now + ECHOES_WAIT)
        return True
    hint(c, queue, order_id, "edits", now)
    return True
