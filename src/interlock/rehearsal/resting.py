"""When a rehearsed world has come to rest: everything is over on both platforms and nothing of ours waits for its time."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from interlock.engine.ledger import operations
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.orders.store import orders, timeline
from interlock.rehearsal import stock
from interlock.rehearsal.judging.rest import at_rest_after
from interlock.rehearsal.judging.stock import STOCK_SETTLES
from interlock.rehearsal.world import World

LONGER_THAN_REST = timedelta(minutes=5)
"""So much longer than what the judge calls rest nothing may have moved before a history ends, so that its invariants of
rest hold for every order: four rounds of the people who work through the cases."""
LOOK_SECONDS = 60.0

_WAITS = select(
    func.count().filter(orders.c.hints > orders.c.handled),
    func.count().filter(orders.c.lease_until.is_not(None)),
    func.count().filter(
        orders.c.mirakl_wanted_since.is_not(None),
        orders.c.mirakl_seen_at.is_(None) | (orders.c.mirakl_seen_at < orders.c.mirakl_wanted_since),
    ),
    func.min(orders.c.next_look_at),
).select_from(orders)
_UNSETTLED = select(func.count()).where(operations.c.done_at.is_(None), operations.c.state != "REJECTED")
_LAST_SAID = select(func.max(timeline.c.at))


def still_for(world: World) -> timedelta:
    """How long nothing may have moved before a history of this world ends."""
    poll, ahead = timedelta(seconds=world.plan.poll_seconds), timedelta(seconds=world.plan.database_ahead)
    longer = STOCK_SETTLES if world.plan.rules.publish_stock else timedelta(0)
    return at_rest_after(poll, ahead) + LONGER_THAN_REST + longer


async def until_at_rest(world: World, stories: Sequence["asyncio.Task[None]"], seconds: float) -> None:
    """Let the world run until it has come to rest, at most so many seconds.

    It is at rest when every story was told, every order has ended or left on both sides, nothing has moved for longer than the judge's rest,
    and no timer of the service would run within those seconds. A world with an order that still waits for something
    gets all of them: the platforms' own timers run then, and the people's.
    """
    began = world.clock.now()
    ends = began + timedelta(seconds=seconds)
    enough = still_for(world)
    while (now := world.clock.now()) < ends:
        await asyncio.sleep(min(LOOK_SECONDS, (ends - now).total_seconds()))
        still_since = max(began, _last_moved(world) or began)
        if world.clock.now() - still_since < enough or not all(story.done() for story in stories):
            continue
        if _has_ended(world) and not _anything_waits(world, ends):
            return


def _last_moved(world: World) -> datetime | None:
    """When an order last changed on either platform, or something was last said of one."""
    records = [world.shopify.record, *(market.record for market in world.mirakl.values())]
    moved: list[datetime | None] = [
        next((effect.at for effect in reversed(record.effects) if effect.order_id), None)
        for record in records
    ]
    if world.plan.rules.publish_stock:
        levels = (
            level for variant in world.shopify.shop.variants.values() for level in variant.levels.values()
        )
        moved += [at for level in levels for at, _ in level.past[-1:]]
    with world.database.begin() as c:
        moved.append(c.execute(_LAST_SAID).scalar_one())
    return max((at for at in moved if at is not None), default=None)


def _has_ended(world: World) -> bool:
    """Whether no order is left of which a platform or a person may still make something."""
    over = all(
        order.state in (*DEAD, *GONE_OUT)
        for market in world.mirakl.values()
        for order in market.orders.values()
    )
    return over and all(
        order.cancelled_at is not None
        or not any(item.remaining or item.label_pending for item in order.fulfillment_orders)
        for order in world.shopify.shop.orders.values()
    )


def _anything_waits(world: World, until: datetime) -> bool:
    """Whether the service has something to do, or will have before `until`."""
    with world.database.begin() as c:
        hinted, leased, wanted, next_look_at = c.execute(_WAITS).one()
        unsettled: int = c.execute(_UNSETTLED).scalar_one()
        stock_waits = world.plan.rules.publish_stock and stock.anything_waits(c)
    timer = next_look_at is not None and next_look_at <= until + timedelta(seconds=world.plan.database_ahead)
    return bool(hinted or leased or wanted or unsettled or timer or stock_waits)
