"""Sweeps: what makes things true when a webhook, a wake-up or a worker was lost."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select

from interlock.engine.gateways import ConnectedPlatforms
from interlock.engine.hints import hint, note_marked
from interlock.engine.run import EngineParts, look_at
from interlock.engine.store import (
    all_connections,
    beat,
    count,
    forget_unreadable,
    keep_poll,
    lead_poll,
    resolve_delivery,
    unresolved_deliveries,
)
from interlock.orders.actions import Lane
from interlock.orders.ports import ReadFailed
from interlock.orders.store import due_orders, order_by_shopify_id, orders
from interlock.orders.texts import forget_old_texts

SHOPIFY_OVERLAP = timedelta(minutes=10)
SHOPIFY_SWEEP_EVERY = timedelta(minutes=5)
# Longer than a run stays with an acceptance by itself (run.ACCEPT_FOR) and than any single call may take.
WATCHDOG_STEALS_AFTER = timedelta(seconds=75)
KEEP_UNREADABLE = timedelta(days=7)
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
    """Wake a worker for every order that has unanswered hints, whose time has come, or whose worker is gone."""
    now = parts.clock.now()

    def wake(c: Connection) -> int:
        due = due_orders(c, now, limit)
        for order_id, lane in due:
            parts.queue.wake(c, order_id, _lane(lane))
        beat(c, "due sweep", now)
        return len(due)

    return await parts.store.tx(wake)


def _lane(name: str) -> Lane:
    match name:
        case "acceptance" | "holds" | "edits" | "shipping":
            return name
        case _:
            return "rest"


async def sweep_shopify(parts: EngineParts, platforms: ConnectedPlatforms) -> int:
    """Hint every linked order that Shopify changed since the last sweep (`updated_at`, with overlap).

    Returns how many orders were hinted that no webhook had announced.
    """
    now = parts.clock.now()
    name = f"sweep {platforms.shopify_account}"
    poll = await parts.store.tx(lambda c: lead_poll(c, name, parts.worker, now, now + timedelta(seconds=120)))
    if poll is None or (poll.next_at is not None and poll.next_at > now):
        return 0
    since = (poll.cursor or now - timedelta(days=1)) - SHOPIFY_OVERLAP
    try:
        changed = await platforms.shopify.orders_updated_since(since)
    except ReadFailed:
        again = now + timedelta(seconds=60)
        await parts.store.tx(lambda c: keep_poll(c, poll, next_at=again))
        await parts.store.tx(lambda c: count(c, "shopify_sweep_failed", platforms.rules.name))
        return 0

    def record(c: Connection) -> int:
        found = 0
        selling = _connections_of(c, platforms)
        for order in changed:
            order_id = order_by_shopify_id(c, selling, order.id)
            if order_id is None:
                order_id = note_marked(c, selling, order.marker, order.id, order.cancelled)
            if order_id is None:
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
        lambda c: forget_unreadable(c, now - KEEP_UNREADABLE) + forget_old_texts(c, now)
    )
