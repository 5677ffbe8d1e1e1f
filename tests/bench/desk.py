"""The edit desk against a script that makes the same calls, and a preview against the two reads it stands on."""

import asyncio
import time

from sqlalchemy import select

from interlock.console import editing
from interlock.console.editing import Asked
from interlock.desk.requests import Wish, resolved
from interlock.edits.amounts import cancelation_of
from interlock.engine.gateways import ConnectedPlatforms
from interlock.orders.actions import (
    CancelQuantities,
    EditShopifyOrder,
    MiraklAction,
    PlaceHold,
    ShopifyAction,
)
from interlock.orders.agreement import as_ordered
from interlock.orders.codec import decode
from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory
from interlock.orders.outcomes import Confirmed
from interlock.orders.ports import OrderContext
from interlock.orders.store import orders
from interlock.orders.view import View
from interlock.preview import preview
from interlock.simulator.mirakl import CATALOGUE, SimOrder
from interlock.simulator.shopify.state import Order
from tests.bench.stage import Stage
from tests.bench.waiting import until

EDITS = 6
PREVIEWS = 20
LINES = 50
# Paid on delivery: in SHIPPING a shop may still cancel, so that an edit becomes OR30.
WORKFLOW = "PAY_ON_DELIVERY"


async def desk_edits(stage: Stage) -> tuple[list[float], list[float]]:
    """Seconds from the request to the moment OR30 leaves: by a bare script, and from our desk; in turns."""
    script: list[float] = []
    desk: list[float] = []
    for number in range(2 * EDITS):
        order = stage.mirakl.create_generated(lines=2, quantities=[3, 3], workflow=WORKFLOW)
        await until(lambda order=order: _is_free(stage, order), f"order {number} to be released")  # type: ignore[misc]
        await asyncio.sleep(3.0)  # echoes of our own last call
        if number % 2 == 0:
            script.append(await _by_script(stage, order))
        else:
            desk.append(await _from_the_desk(stage, order))
    return script, desk


async def _from_the_desk(stage: Stage, order: SimOrder) -> float:
    """Ask for one unit less of the first line, and wait for OR30."""
    calls = len(stage.mirakl.record.calls)
    parts = stage.service.parts
    hands = editing.Desk(parts.queue, stage.keyring, parts.identifiers)
    asked = Asked(Wish(quantities=((order.lines[0].id, 2),)))
    row_id, _ = _row(stage, order)
    with stage.database.begin() as c:
        version = editing.preview_of(c, hands, row_id, asked, stage.clock.now()).version
    began = stage.now()
    with stage.database.begin() as c:
        editing.ask(c, hands, row_id, asked, version, "bench", "bench", stage.clock.now())

    def sent() -> list[float]:
        found = stage.mirakl.record.calls[calls:]
        return [(call.at - began).total_seconds() for call in found if call.operation == "OR30"]

    await until(lambda: bool(sent()), "OR30 after an edit from the desk")
    return sent()[0]


async def _by_script(stage: Stage, order: SimOrder) -> float:
    """The same calls by hand, one after the other: read, hold, edit, read both sides, cancel."""
    platforms, context = await _platforms(stage, order)
    gid, began = _linked(stage, order).gid, stage.now()
    shopify = await platforms.shopify.order(gid, "edits")
    assert shopify is not None
    for part in shopify.fulfillment_orders:
        if part.is_open:
            await _done(platforms, PlaceHold(part.id, "bench"), context)
    first = next(line for line in shopify.lines if line.mirakl_line_id == order.lines[0].id)
    await _done(platforms, EditShopifyOrder(gid, "bench", ((first.id, 2),), (), "bench"), context)
    await platforms.shopify.order(gid, "edits")
    (document,) = await platforms.mirakl.by_ids([order.id])
    mirakl = platforms.mirakl.snapshot(document, stage.clock.now())
    line, sold = mirakl.lines[0], as_ordered(mirakl)[0]
    rules = platforms.rules
    cancelation = cancelation_of(
        sold, line, 1, mirakl.currency, Memory(), reason_code=rules.cancelation_reason
    )
    action = CancelQuantities(
        (cancelation,), mirakl.currency, mirakl.tax_mode, rules.cancelation_reason, send_taxes=True
    )
    calls = len(stage.mirakl.record.calls)
    await _done(platforms, action, context)
    sent = next(call.at for call in stage.mirakl.record.calls[calls:] if call.operation == "OR30")
    return (sent - began).total_seconds()


async def _done(
    platforms: ConnectedPlatforms, action: ShopifyAction | MiraklAction, context: OrderContext
) -> None:
    gateway = platforms.mirakl if action.platform == "mirakl" else platforms.shopify
    outcome = await gateway.perform(action, context)  # type: ignore[arg-type]
    if not isinstance(outcome, Confirmed):
        raise AssertionError(f"{type(action).__name__}: {outcome}")


# -- previews --------------------------------------------------------------------------------------------


async def previews(stage: Stage) -> tuple[list[float], list[float]]:
    """Seconds of the two reads of an order with 50 lines, and of the preview of an edit of it; in turns."""
    skus = [CATALOGUE[number % len(CATALOGUE)].sku for number in range(LINES)]
    order = stage.mirakl.create_generated(skus=skus, quantities=[2] * LINES, workflow=WORKFLOW)
    await until(lambda: _is_free(stage, order), "the long order to be released", 60.0)
    await asyncio.sleep(3.0)  # echoes of our own last call
    platforms, _ = await _platforms(stage, order)
    gid = _linked(stage, order).gid
    _, view = _row(stage, order)
    wish = Wish(quantities=tuple((line.id, 1) for line in order.lines[:10]))
    now = stage.clock.now()
    reads: list[float] = []
    found: list[float] = []
    for _ in range(PREVIEWS):
        began = time.perf_counter()
        await platforms.shopify.order(gid, "edits")
        (document,) = await platforms.mirakl.by_ids([order.id])
        platforms.mirakl.snapshot(document, now)
        reads.append(time.perf_counter() - began)
        began = time.perf_counter()
        shown = preview(view, resolved(view, wish, "bench", "bench", "bench", now), now)
        found.append(time.perf_counter() - began)
        assert [len(call.lines) for call in shown.calls] == [10]
    return reads, found


# -- what is looked for ----------------------------------------------------------------------------------


def _linked(stage: Stage, order: SimOrder) -> Order:
    _, view = _row(stage, order)
    assert view.shopify is not None
    return stage.shopify.order(view.shopify.id)


def _row(stage: Stage, order: SimOrder) -> tuple[int, View]:
    with stage.database.begin() as c:
        row = c.execute(
            select(orders.c.id, orders.c.last_view).where(orders.c.mirakl_order_id == order.id)
        ).one()
    return row.id, decode(View, row.last_view)


def _is_free(stage: Stage, order: SimOrder) -> bool:
    """Whether the order waits for its parcel and nobody holds it any more."""
    with stage.database.begin() as c:
        gid = c.execute(
            select(orders.c.shopify_order_id).where(orders.c.mirakl_order_id == order.id)
        ).scalar_one_or_none()
    found = None if gid is None else stage.shopify.order(gid)
    return (
        order.state == "SHIPPING" and found is not None and not any(p.holds for p in found.fulfillment_orders)
    )


async def _platforms(stage: Stage, order: SimOrder) -> tuple[ConnectedPlatforms, OrderContext]:
    with stage.database.begin() as c:
        connection_id = c.execute(
            select(orders.c.connection_id).where(orders.c.mirakl_order_id == order.id)
        ).scalar_one()
    platforms = await stage.service.connections.get(connection_id)
    rules: ConnectionRules = platforms.rules
    context = OrderContext(rules.name, order.id, f"{rules.name}:{order.id}", rules.hold_handle, "bench", None)
    return platforms, context
