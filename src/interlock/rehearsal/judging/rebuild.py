"""I23: when everything we know of the orders is lost, the mapping comes back from both platforms and nothing is made twice."""

import asyncio
from datetime import timedelta

from sqlalchemy import delete, select, update

from interlock.engine.store import polls
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, DEAD, GONE_OUT
from interlock.orders.store import orders
from interlock.rehearsal.judging.verdict import Verdict
from interlock.rehearsal.world import World
from interlock.tables import metadata

LOST = (
    "orders",
    "instance_marks",
    "strangers",
    *(
        table.name
        for table in metadata.sorted_tables
        if any(key.column.table.name == "orders" for key in table.foreign_keys)
    ),
)
MAKING = ("orderCreate", "draftOrderCreate", "draftOrderComplete", "OR28", "OR29", "OR30")


async def i23_the_mapping_can_be_rebuilt(world: World, verdict: Verdict, seconds: float = 900.0) -> None:
    """I23: after the loss of every row about orders, a fresh process finds the same Shopify order for every marketplace
    order that still lives, makes no order, and reduces nothing: the shop's mark tells it that another database wrote
    before, and in quarantine nothing is written.

    Call it inside the world's running loop once it is at rest and judged; it ends every process and destroys the
    rows. `seconds` of platform time are given to the first full pass.
    """
    for process in world.processes:
        process.kill()
    await asyncio.sleep(1)
    before = _links(world)
    with world.database.begin() as c:
        for table in reversed(metadata.sorted_tables):
            if table.name in LOST:
                c.execute(delete(table))
        # A connection that is set up anew begins to read a day back.
        c.execute(
            update(polls).values(
                cursor=world.service_clock.now() - timedelta(days=1),
                ticks=0,
                owner=None,
                lease_until=None,
                last_ok_at=None,
                next_at=None,
            )
        )
    world.wakeups.waiting.clear()
    records = {"Shopify": world.shopify.record, **{name: m.record for name, m in world.mirakl.items()}}
    seen = {name: len(record.calls) for name, record in records.items()}
    world.start_process()
    await asyncio.sleep(seconds)
    now = world.clock.now()
    for name, record in records.items():
        for call in record.calls[seen[name] :]:
            if call.operation in MAKING and call.reference is not None:
                verdict.violation(
                    "I23",
                    call.order_ids[0] if call.order_ids else "",
                    call.at,
                    f"{call.operation} was sent to {name} in the first pass after everything was lost.",
                    call.reference,
                )
    after = _links(world)
    for (connection_id, order_id), shopify_order_id in before.items():
        market = next(name for name, number in world.connection_ids.items() if number == connection_id)
        state = world.mirakl[market].orders[order_id].state
        if state in (*DEAD, *GONE_OUT, *BEFORE_ACCEPTANCE) or shopify_order_id is None:
            continue
        verdict.checked["I23"] += 1
        found = after.get((connection_id, order_id))
        if found != shopify_order_id:
            verdict.violation(
                "I23",
                order_id,
                now,
                "After everything was lost, the order is not linked to its Shopify order again.",
                f"was {shopify_order_id}, is {found or 'none'}",
            )


def _links(world: World) -> dict[tuple[int, str], str | None]:
    with world.database.begin() as c:
        rows = c.execute(
            select(orders.c.connection_id, orders.c.mirakl_order_id, orders.c.shopify_order_id).order_by(
                orders.c.id
            )
        )
        return {(row.connection_id, row.mirakl_order_id): row.shopify_order_id for row in rows}
