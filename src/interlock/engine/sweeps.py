"""Sweeps: what makes things true when a webhook, a wake-up or a worker was lost."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select

from interlock.access.sessions import forget_sessions
from interlock.cases.store import WORDS_KEPT_FOR, forget_old_words
from interlock.engine.gateways import ChangedOrder, ConnectedPlatforms
from interlock.engine.hints import hint, note_relatives
from interlock.engine.replays import wake_next
from interlock.engine.run import EngineParts, look_at
from interlock.engine.store import (
    Poll,
    all_connections,
    beat,
    count,
    forget_deliveries,
    forget_strangers,
    forget_unreadable,
    keep_poll,
    lead_poll,
    note_stranger,
    poll_of,
    resolve_delivery,
    stranger_was_read,
    unresolved_deliveries,
    waiting_strangers,
)
from interlock.engine.troubles import note_trouble
from interlock.holds.store import forget_old_reasons
from interlock.orders.actions import Lane
from interlock.orders.ports import ReadFailed
from interlock.orders.snapshots import Stranger
from interlock.orders.store import due_orders, forget_documents, order_by_shopify_id, orders, rows_by_kin
from interlock.orders.texts import forget_old_texts

SHOPIFY_OVERLAP = timedelta(minutes=10)
SHOPIFY_SWEEP_EVERY = timedelta(minutes=5)
# Longer than a run stays with an acceptance by itself (run.ACCEPT_FOR) and than any single call may take.
WATCHDOG_STEALS_AFTER = timedelta(seconds=75)
KEEP_UNREADABLE = timedelta(days=7)
KEEP_STRANGERS = timedelta(days=7)
KEEP_DELIVERIES = timedelta(days=30)
STRANGER_FOR = timedelta(days=1)
"""An order that is older when the sweep first meets it replaces nothing."""
MOST_STRANGERS = 20
_LAST_SNAPSHOT = select(orders.c.shopify_seen_at, orders.c.shopify_updated_at).where(
    orders.c.id == bindparam("row_id")
)
_STUCK_ACCEPTANCES = (
    select(orders.c.id)
    .where(
        orders.c.mirakl_state == "WAITING_ACCEPTANCE",
        orders.c.lease_until.is_not(None),
        orders.c.leased_at <= bindparam("stuck_since"),
        orders.c.lease_owner != bindparam("worker"),
    )
    .order_by(orders.c.acceptance_due_at.asc().nulls_last(), orders.c.id)
    .limit(20)
)


async def wake_due(parts: EngineParts, limit: int = 200) -> int:
    """Wake a worker for every order that has unanswered hints, whose time has come, or whose worker is gone, and for the
    next orders of a replay."""
    now = parts.clock.now()

    def wake(c: Connection) -> int:
        due = due_orders(c, now, limit)
        for order_id, lane in due:
            parts.queue.wake(c, order_id, _lane(lane))
        replayed = wake_next(c, parts.queue, now)
        beat(c, "due sweep", now)
        return len(due) + replayed

    return await parts.store.tx(wake)


def _lane(name: str) -> Lane:
    match name:
        case "acceptance" | "holds" | "edits" | "shipping":
            return name
        case _:
            return "rest"


def _stranger_swept(
    parts: EngineParts, c: Connection, selling: list[int], shop: str, order: ChangedOrder, now: datetime
) -> int:
    """An order that is linked to nothing: whoever it may replace is looked at, and the rest of it is read later."""
    known = rows_by_kin(c, selling, order.id)
    if known:
        # It is read at every look of these, so their last look has seen what is older.
        rows = tuple(row for row in known if not _seen_since(c, row, order.updated_at))
    else:
        stranger = Stranger(order.id, order.name, order.cancelled, order.marker, order.order_ids)
        rows = note_relatives(c, selling, stranger, now)
        if order.created_at > now - STRANGER_FOR:
            note_stranger(c, shop, order.id, now)
    for row in rows:
        hint(c, parts.queue, row, "edits", now)
    return len(rows)


def _seen_since(c: Connection, order_id: int, updated_at: datetime) -> bool:
    """Whether Shopify was read for this order later than `updated_at`; the same second proves nothing."""
    seen: datetime | None = c.execute(
        select(orders.c.shopify_seen_at).where(orders.c.id == order_id)
    ).scalar_one()
    return seen is not None and seen > updated_at + timedelta(seconds=1)


async def look_at_strangers(parts: EngineParts, platforms: ConnectedPlatforms, shop: str) -> int:
    """Read what orders that are linked to nothing say of where they came from, and have every order of ours looked at
    that one of them may replace. At most MOST_STRANGERS a tick; returns how many were read."""
    waiting = await parts.store.tx(lambda c: waiting_strangers(c, shop, MOST_STRANGERS))
    for number, shopify_order_id in enumerate(waiting):
        try:
            stranger = await platforms.shopify.stranger(shopify_order_id)
        except ReadFailed:
            return number
        now = parts.clock.now()

        def note(
            c: Connection,
            shopify_order_id: str = shopify_order_id,
            stranger: Stranger | None = stranger,
            now: datetime = now,
        ) -> None:
            stranger_was_read(c, shopify_order_id, now)
            selling = _connections_of(c, platforms)
            if stranger is None:
                return
            # Linked meanwhile or not: another order of the same person may have a claim to it.
            for row in note_relatives(c, selling, stranger, now):
                hint(c, parts.queue, row, "edits", now)

        await parts.store.tx(note)
    return len(waiting)


async def sweep_shopify(parts: EngineParts, platforms: ConnectedPlatforms) -> int:
    """Hint every linked order that Shopify changed since the last sweep (`updated_at`, with overlap).

    Returns how many orders were hinted that no webhook had announced.
    """
    now = parts.clock.now()
    name = f"sweep {platforms.shopify_account}"

    def lead(c: Connection) -> Poll | None:
        poll = poll_of(c, name)
        if poll is None or (poll.next_at is not None and poll.next_at > now):
            return None
        return lead_poll(c, name, parts.worker, now, now + timedelta(seconds=120))

    poll = await parts.store.tx(lead)
    if poll is None:
        return 0
    since = (poll.cursor or now - timedelta(days=1)) - SHOPIFY_OVERLAP
    try:
        changed = await platforms.shopify.orders_updated_since(since)
    except ReadFailed as failed:
        again = now + timedelta(seconds=60)
        trouble = failed.trouble

        def unread(c: Connection) -> None:
            keep_poll(c, poll, next_at=again)
            count(c, "shopify_sweep_failed", platforms.rules.name)
            note_trouble(c, name, trouble, now)

        await parts.store.tx(unread)
        return 0

    def record(c: Connection) -> int:
        found = 0
        rows = [row for row in all_connections(c) if row.shopify_account == platforms.shopify_account]
        selling, shop = [row.id for row in rows], rows[0].shopify_shop
        for order in changed:
            order_id = order_by_shopify_id(c, selling, order.id)
            if order_id is None:
                found += _stranger_swept(parts, c, selling, shop, order, now)
                continue
            last = c.execute(_LAST_SNAPSHOT, {"row_id": order_id}).one()
            # Shopify's own time decides, as our clock may differ from it; within one second of it, ours does.
            older = last.shopify_updated_at is None or last.shopify_updated_at < order.updated_at
            if older or last.shopify_seen_at <= order.updated_at + timedelta(seconds=1):
                hint(c, parts.queue, order_id, "edits", now)
                found += 1
        # The index behind this search lags by an unknown time, so the cursor stays behind the present.
        keep_poll(
            c, poll, cursor=now, next_at=now + SHOPIFY_SWEEP_EVERY, last_ok_at=now, ticks=poll.ticks + 1
        )
        beat(c, f"shopify sweep {platforms.rules.name}", now)
        if found:
            count(c, "found_only_by_sweep", platforms.rules.name, found)
        return found

    return await parts.store.tx(record)


def _connections_of(c: Connection, platforms: ConnectedPlatforms) -> list[int]:
    """Every connection that sells from this shop: one sweep of a shop answers for all its marketplaces."""
    rows = all_connections(c)
    return [row.id for row in rows if row.shopify_account == platforms.shopify_account]


async def resolve_deliveries(parts: EngineParts, platforms: ConnectedPlatforms, shop: str) -> int:
    """Ask Shopify whose the fulfillment orders are that webhooks named before we had seen them."""
    waiting = await parts.store.tx(lambda c: unresolved_deliveries(c, [shop], 20))
    done = 0
    for of_shop, topic, webhook_id, fulfillment_order_id in waiting:
        try:
            owner = await platforms.shopify.fulfillment_order_owner(fulfillment_order_id)
        except ReadFailed:
            return done
        now = parts.clock.now()

        def resolve(
            c: Connection,
            owner: str | None = owner,
            key: tuple[str, str, str] = (of_shop, topic, webhook_id),
            now: datetime = now,
        ) -> None:
            resolve_delivery(c, *key, now)
            order_id = None if owner is None else order_by_shopify_id(c, _connections_of(c, platforms), owner)
            if order_id is not None:
                hint(c, parts.queue, order_id, "edits", now)

        await parts.store.tx(resolve)
        done += 1
    return done


async def watch_acceptance(parts: EngineParts) -> int:
    """Run orders that wait for acceptance while their worker seems stuck: take the epoch, wait for no job."""
    now = parts.clock.now()
    stuck_since = now - WATCHDOG_STEALS_AFTER

    def find(c: Connection) -> list[int]:
        rows = c.execute(_STUCK_ACCEPTANCES, {"stuck_since": stuck_since, "worker": parts.worker})
        beat(c, "acceptance watchdog", now)
        return [int(row.id) for row in rows]

    stuck = await parts.store.tx(find)
    for order_id in stuck:
        await look_at(parts, order_id, WATCHDOG_STEALS_AFTER)
    return len(stuck)


async def forget(parts: EngineParts) -> int:
    """Delete what was kept only for a while."""
    now = parts.clock.now()
    return await parts.store.tx(
        lambda c: (
            forget_unreadable(c, now - KEEP_UNREADABLE)
            + forget_old_texts(c, now)
            + forget_old_words(c, now)
            + forget_old_reasons(c, now - WORDS_KEPT_FOR)
            + forget_strangers(c, now - KEEP_STRANGERS)
            + forget_deliveries(c, now - KEEP_DELIVERIES)
            + forget_documents(c, now)
            + forget_sessions(c, now)
        )
    )
