"""What is kept of each order's past, and for how long: a setting, in days."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, select

from interlock.engine.ledger import REMEMBERED, operations
from interlock.engine.run import EngineParts
from interlock.orders.store import orders, plans, timeline

AT_ONCE = 2000
"""So many rows of one table are deleted in one transaction."""


async def forget_history(parts: EngineParts, keep: timedelta) -> int:
    """Delete what lies further back than `keep`, step by step; returns how many rows.

    Of an order's decisions the newest stays, whatever its age: the next look compares with it. Its story and its calls go
    only once the marketplace order itself ended so long ago, and of the calls only those that no rule looks at again.
    """
    before = parts.clock.now() - keep
    gone = 0
    for step in (_old_plans, _old_story, _old_calls):
        while True:
            deleted = await parts.store.tx(lambda c, step=step: step(c, before))  # type: ignore[misc]
            gone += deleted
            if deleted < AT_ONCE:
                break
    return gone


def _old_plans(c: Connection, before: datetime) -> int:
    younger = plans.alias("younger")
    newer = exists().where(younger.c.order_id == plans.c.order_id, younger.c.id > plans.c.id)
    old = select(plans.c.id).where(plans.c.at < before, newer).limit(AT_ONCE)
    return int(c.execute(delete(plans).where(plans.c.id.in_(old))).rowcount)


def _old_story(c: Connection, before: datetime) -> int:
    old = (
        select(timeline.c.id)
        .join(orders, orders.c.id == timeline.c.order_id)
        .where(timeline.c.at < before, orders.c.ended_at < before)
        .limit(AT_ONCE)
    )
    return int(c.execute(delete(timeline).where(timeline.c.id.in_(old))).rowcount)


def _old_calls(c: Connection, before: datetime) -> int:
    old = (
        select(operations.c.id)
        .join(orders, orders.c.id == operations.c.order_id)
        .where(
            operations.c.planned_at < before,
            operations.c.done_at < before,
            operations.c.kind.not_in(REMEMBERED),
            orders.c.ended_at < before,
        )
        .limit(AT_ONCE)
    )
    return int(c.execute(delete(operations).where(operations.c.id.in_(old))).rowcount)
