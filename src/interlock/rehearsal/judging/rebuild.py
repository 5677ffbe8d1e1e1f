"""I23: when everything we know of the orders is lost, the mapping comes back from both platforms and nothing is made twice."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, update

from interlock.engine.marks import leave
from interlock.engine.store import polls
from interlock.orders.snapshots import BEFORE_ACCEPTANCE, DEAD, GONE_OUT
from interlock.orders.store import orders
from interlock.rehearsal.judging.verdict import Verdict
from interlock.rehearsal.world import World
from interlock.shopify.names import ORDER_ATTRIBUTE
from interlock.storage.append_only import without_guards
from interlock.tables import metadata


def _about_orders() -> tuple[str, ...]:
    """The tables that are lost: orders, and whatever hangs on them."""
    lost = ["orders", "instance_marks", "strangers"]
    for table in metadata.sorted_tables:
        if any(key.column.table.name in lost for key in table.foreign_keys):
            lost.append(table.name)
    return tuple(lost)


LOST = _about_orders()
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
    before, said = _links(world), _set_aside_by_people(world)
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
    deleted = {order.gid for order in world.shopify.shop.deleted_orders.values()}
    for (connection_id, order_id), shopify_order_id in before.items():
        market = next(name for name, number in world.connection_ids.items() if number == connection_id)
        state = world.mirakl[market].orders[order_id].state
        if state in (*DEAD, *GONE_OUT, *BEFORE_ACCEPTANCE) or shopify_order_id is None:
            continue
        found = after.get((connection_id, order_id))
        if shopify_order_id in deleted and (found is None or found in deleted):
            continue  # nothing shows it any more, or the draft alone tells of the one that was made of it
        verdict.checked["I23"] += 1
        if (connection_id, order_id, found) in said:
            # Only what the person had said, which is lost too, told that this one is not it.
            verdict.bound(
                "I23", order_id, now, "An order is linked that a person had set aside.", f"now {found}"
            )
        elif found != shopify_order_id:
            verdict.violation(
                "I23",
                order_id,
                now,
                "After everything was lost, the order is not linked to its Shopify order again.",
                f"was {shopify_order_id}, is {found or 'none'}",
            )


@dataclass(frozen=True)
class Copy:
    """Every row of every table, as JSON text, as it was at one moment: what a backup holds."""

    taken_at: datetime
    rows: dict[str, str]


def copy_of(world: World) -> Copy:
    """A backup of the whole database, taken in one transaction."""
    with world.database.begin() as c:
        rows = {
            table.name: c.execute(text(f'SELECT json_agg(t)::text FROM "{table.name}" t')).scalar_one()
            for table in metadata.sorted_tables
        }
    return Copy(world.clock.now(), rows)


def _put_back(world: World, copy: Copy) -> None:
    with world.database.begin() as c:
        without_guards(c)
        for table in reversed(metadata.sorted_tables):
            c.execute(delete(table))
        for table in metadata.sorted_tables:
            rows = f'json_populate_recordset(NULL::"{table.name}", CAST(:rows AS json))'
            c.execute(
                text(f'INSERT INTO "{table.name}" SELECT * FROM {rows}'), {"rows": copy.rows[table.name]}
            )


async def i23_an_older_copy_makes_nothing_twice(
    world: World, copy: Copy, verdict: Verdict, seconds: float = 900.0
) -> None:
    """I23, from a backup: a service that is started on an older copy of its database writes nothing until a person ends
    the quarantine, and then makes no second Shopify order.

    Call it inside the world's running loop once it is at rest and judged, with a copy that is older than the last move
    of the shop's mark; it ends every process. `seconds` of platform time pass before the quarantine ends, and after.
    """
    for process in world.processes:
        process.kill()
    await asyncio.sleep(1)
    before = _links(world)
    _put_back(world, copy)
    world.wakeups.waiting.clear()
    records = {"Shopify": world.shopify.record, **{name: m.record for name, m in world.mirakl.items()}}
    seen = {name: len(record.calls) for name, record in records.items()}
    world.start_process()
    await asyncio.sleep(seconds)
    verdict.checked["I23 older copy"] += 1
    for name, record in records.items():
        for call in record.calls[seen[name] :]:
            if call.reference is not None:
                verdict.violation(
                    "I23",
                    call.order_ids[0] if call.order_ids else "",
                    call.at,
                    f"{call.operation} was sent to {name} from an older copy of the database.",
                    call.reference,
                    f"copy of {copy.taken_at:%H:%M:%S}",
                )
    made = len(world.shopify.record.effects)
    now = world.service_clock.now()
    with world.database.begin() as c:
        if not leave(c, "Otto Ops", "The original is gone; this copy goes on.", now):
            verdict.violation(
                "I23", "", world.clock.now(), "An older copy of the database did not notice that it is one."
            )
    await asyncio.sleep(seconds)
    linked = {order_id: gid for (_, order_id), gid in before.items() if gid}
    for effect in world.shopify.record.effects[made:]:
        marker = effect.detail.get("custom_attributes", {}).get(ORDER_ATTRIBUTE, "")
        was = linked.get(marker.partition(":")[2])
        if effect.kind == "order_created" and was is not None:
            verdict.violation(
                "I23",
                marker,
                effect.at,
                "A second Shopify order was made from an older copy of the database.",
                f"was {was}, now also {effect.order_id}",
            )


def _set_aside_by_people(world: World) -> set[tuple[int, str, str | None]]:
    """The Shopify orders that a person took out of a lineage, or back to where it is asked about, each with the marketplace
    order of that lineage."""
    with world.database.begin() as c:
        rows = c.execute(select(orders.c.connection_id, orders.c.mirakl_order_id, orders.c.memory)).all()
    return {
        (row.connection_id, row.mirakl_order_id, kin["shopify_order_id"])
        for row in rows
        for kin in (row.memory or {}).get("lineage", ())
        if kin.get("who") and kin["role"] in ("candidate", "unlinked")
    }


def _links(world: World) -> dict[tuple[int, str], str | None]:
    with world.database.begin() as c:
        rows = c.execute(
            select(orders.c.connection_id, orders.c.mirakl_order_id, orders.c.shopify_order_id).order_by(
                orders.c.id
            )
        )
        return {(row.connection_id, row.mirakl_order_id): row.shopify_order_id for row in rows}
