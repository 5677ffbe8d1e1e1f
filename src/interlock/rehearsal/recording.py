"""Refunds that people make in the marketplace's portal and bring into Shopify's books afterwards: by the unit, or as money alone.

Everything is drawn from a stream of its own, so that a history without it stays the history it was.
"""

import asyncio
import random
from decimal import Decimal
from functools import partial

from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.drawing import first_choice_falls
from interlock.simulator.mirakl import MiraklWorld, SimOrder
from interlock.simulator.mirakl.orders import REFUND_STATES, SimLine, SimRefund
from interlock.simulator.shopify.state import LineItem, Order

DRAWN = ((0.258, 0.297), (0.327, 0.372), (0.616, 0.656))
"""Between these the first choice of a history with such refunds falls: every eighth one, and none of the seeds that were
committed before there were any."""
RECORDS = "Refunded at the marketplace: "
"""How the note of such a refund in Shopify begins; the number of the marketplace's refund follows."""


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:refunds recorded in Shopify")


def are_recorded(seed: int) -> bool:
    """Whether people record refunds in this history."""
    return first_choice_falls(stream(seed), *DRAWN)


def recorded_refund(note: str | None) -> str:
    """The number of the marketplace's refund that a refund with this note records; empty where it records none."""
    return note.removeprefix(RECORDS) if note is not None and note.startswith(RECORDS) else ""


async def record_for_ever(seed: int, crowd: Crowd) -> None:
    """Customer service gives a unit's money back in the portal now and then, and records it in Shopify after a while. Orders
    of which somebody else refunded anything in Shopify are left alone."""
    rng = stream(seed)
    rng.random()
    while True:
        await asyncio.sleep(rng.choice((120.0, 300.0, 600.0)) * rng.uniform(0.5, 1.5))
        chosen, which, by_unit, later = rng.random(), rng.random(), rng.random() < 0.5, rng.uniform(20, 1200)
        excluded = rng.random() < 0.5
        if not crowd.active:
            continue
        found = [one for one in _paid(crowd) if _lines(one[1])]
        if not found:
            continue
        market, order, shown = found[int(chosen * len(found))]
        lines = _lines(order)
        line = lines[int(which * len(lines))]
        refund = partial(market.refund_line, order.id, line.id, quantity=1, excluded_from_shipment=excluded)
        if not crowd.attempt("refunded in the portal alone", refund):
            continue
        made = line.refunds[-1]
        await asyncio.sleep(later)
        if shown.cancelled_at is None and _is_untouched(shown):
            _record(crowd, shown, made, _line_of(shown, line.id) if by_unit else None)


def _paid(crowd: Crowd) -> list[tuple[MiraklWorld, SimOrder, Order]]:
    return [
        (market, order, shown)
        for name, market in crowd.world.mirakl.items()
        for order in market.by_creation
        if order.state in REFUND_STATES
        and (shown := crowd.shopify_order(name, order)) is not None
        and _is_untouched(shown)
    ]


def _is_untouched(shown: Order) -> bool:
    return all(recorded_refund(refund.note) for refund in shown.refunds)


def _lines(order: SimOrder) -> list[SimLine]:
    """Lines the customer was charged for, of which units are left to refund."""
    return [
        line
        for line in order.lines
        if line.debited is not None
        and line.active
        and line.quantity > line.canceled_quantity + sum(part.quantity for part in line.refunds)
    ]


def _line_of(shown: Order, line_id: str) -> LineItem | None:
    """A line of the Shopify order that still shows a unit of this line of the marketplace and stands for it alone."""
    same = [line for line in shown.lines if dict(line.attributes).get("_mirakl_line_id") == line_id]
    return same[0] if len(same) == 1 and same[0].current_quantity > 0 else None


def _record(crowd: Crowd, shown: Order, made: SimRefund, line: LineItem | None) -> None:
    amounts = made.amounts
    money = amounts.product_with_tax + amounts.shipping_with_tax + sum(amounts.fees.values(), Decimal(0))
    refund = partial(
        crowd.world.shopify.refund,
        shown,
        lines=[] if line is None else [(line.gid, 1)],
        money=money,
        # What has not left goes back on the shelf; what has, stays with the customer.
        restock_type="CANCEL" if line is not None and line.unfulfilled_quantity else "NO_RESTOCK",
        note=f"{RECORDS}{made.id}",
    )
    crowd.attempt("refund recorded as money" if line is None else "refund recorded by the unit", refund)
