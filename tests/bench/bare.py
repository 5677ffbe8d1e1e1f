"""What a bare script needs for the two things that have to go fast: to accept an order once its Shopify order exists, and to
hold a parcel once an edit is heard of. The script makes the calls that the service makes, over the same clients, and keeps
nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

import httpx2

from interlock.engine.gateways import ConnectedPlatforms
from interlock.mirakl.account import MiraklAccount
from interlock.orders.actions import AnswerAcceptance, CompleteDraft, MiraklAction, PlaceHold, ShopifyAction
from interlock.orders.outcomes import Confirmed
from interlock.orders.ports import OrderContext
from interlock.simulator.mirakl.world import MiraklWorld
from interlock.simulator.record import Call
from interlock.simulator.shopify.state import Order
from interlock.simulator.transport import ClockedASGITransport
from interlock.wiring import MiraklAdapter, mirakl_to_try
from tests.bench.stage import MIRAKL, Stage


async def accepted_by_script(stage: Stage, found: Order, reads: int) -> float:
    """Seconds of the script's own from the answer that makes a Shopify order to the moment OR21 leaves, with as many reads of
    the order between them. The order waits at a marketplace that nobody is connected to, so nobody else accepts it."""
    platforms = await stage.service.connections.get(stage.connection_id)
    elsewhere = MiraklWorld(stage.mirakl.clock, 3, stage.mirakl.profile)
    order = elsewhere.create_generated(lines=2)
    async with httpx2.AsyncClient(transport=ClockedASGITransport(elsewhere.app), trust_env=False) as http:
        account = MiraklAccount(MIRAKL, elsewhere.api_key, str(elsewhere.shop_id))
        mirakl = MiraklAdapter(mirakl_to_try(account, http), stage.mirakl.profile.tax_mode, b"bench")
        stage.shopify.duplicate_as_draft(found, complete=False)
        draft = next(reversed(stage.shopify.shop.drafts.values()))
        before = len(stage.shopify.record.calls)
        context = _context(platforms, order.id)
        await _done(platforms, CompleteDraft(draft.gid), context)
        exists = stage.shopify.record.calls[-1].ended_at
        for _ in range(reads):
            await platforms.shopify.order(found.gid, "holds")
        outcome = await mirakl.perform(
            AnswerAcceptance(tuple((line.id, True) for line in order.lines)),
            replace(context, reference="bare.1.1"),
        )
        assert isinstance(outcome, Confirmed), outcome
    leaves = next(call.at for call in elsewhere.record.calls if call.operation == "OR21")
    return own_time(stage.shopify.record.calls[before:], exists, leaves)


async def held_by_script(stage: Stage, found: Order, reads: int) -> float:
    """Seconds of the script's own from the moment it hears of the order to the moment the hold leaves, with so many reads of
    the order before it."""
    platforms = await stage.service.connections.get(stage.connection_id)
    before, heard = len(stage.shopify.record.calls), stage.now()
    part = next(part for part in found.fulfillment_orders if part.status == "OPEN")
    for _ in range(reads):
        await platforms.shopify.order(found.gid, "holds")
    await _done(platforms, PlaceHold(part.gid, "bench"), _context(platforms, "bare"))
    calls = stage.shopify.record.calls[before:]
    leaves = next(call.at for call in calls if "fulfillmentOrderHold" in call.operation)
    return own_time(calls, heard, leaves)


def own_time(calls: Iterable[Call], began: datetime, ended: datetime) -> float:
    """The seconds between two moments, less what the platform took for calls that began and ended within them."""
    taken = sum((call.ended_at - call.at).total_seconds() for call in within(calls, began, ended))
    return (ended - began).total_seconds() - taken


def within(calls: Iterable[Call], began: datetime, ended: datetime) -> Sequence[Call]:
    """The calls that began and ended between two moments."""
    return [call for call in calls if began <= call.at and call.ended_at <= ended]


def _context(platforms: ConnectedPlatforms, order_id: str) -> OrderContext:
    rules = platforms.rules
    return OrderContext(rules.name, order_id, f"{rules.name}:{order_id}", rules.hold_handle, "bare.1.1", None)


async def _done(
    platforms: ConnectedPlatforms, action: ShopifyAction | MiraklAction, context: OrderContext
) -> None:
    gateway = platforms.mirakl if action.platform == "mirakl" else platforms.shopify
    outcome = await gateway.perform(action, context)  # type: ignore[arg-type]
    if not isinstance(outcome, Confirmed):
        raise AssertionError(f"{type(action).__name__}: {outcome}")
