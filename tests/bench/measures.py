"""What is measured, each as a ratio or as time of our own within one run."""

import asyncio
import base64
import hashlib
import hmac
import json
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx2
from sqlalchemy import BigInteger, Column, Identity, LargeBinary, MetaData, Table, insert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interlock.simulator.mirakl import SimOrder
from interlock.simulator.record import Call
from interlock.simulator.shopify.state import Order
from interlock.simulator.transport import ClockedASGITransport
from tests.bench.bare import accepted_by_script, held_by_script, own_time, within
from tests.bench.desk import desk_edits, previews
from tests.bench.labels import label_checks
from tests.bench.stage import INGRESS, Stage
from tests.bench.waiting import until

DELIVERIES = 400
ORDERS = 10
BURST = 60
GONE = ("SHIPPED", "RECEIVED", "CLOSED")
# Without any one of these an order cannot go from the marketplace to the customer by the draft route: offers read,
# draft created, draft completed, order read, held, accepted, released, shipment read, tracked, shipped.
MANDATORY = (
    "productVariants",
    "draftOrderCreate",
    "draftOrderComplete",
    "order (held by its fulfillment orders)",
    "fulfillmentOrderHold",
    "OR21",
    "fulfillmentOrderReleaseHold",
    "order (what was shipped)",
    "OR23",
    "OR24",
)


@dataclass(frozen=True)
class Spread:
    """The middle and the slow end of some durations, in milliseconds."""

    median: float
    p95: float
    number: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> "Spread":
        ordered = sorted(1000 * value for value in seconds)
        return cls(statistics.median(ordered), ordered[int(0.95 * (len(ordered) - 1))], len(ordered))


@dataclass(frozen=True)
class Measures:
    """Everything one run found."""

    bare: Spread
    ingress: Spread
    calls: dict[str, float]
    orders_a_minute: float
    ceiling_a_minute: float
    points_an_order: float
    bare_read: Spread
    label: Spread
    script: Spread
    desk: Spread
    two_reads: Spread
    preview: Spread

    @property
    def calls_an_order(self) -> float:
        return sum(self.calls.values())


@dataclass(frozen=True)
class Ways:
    """Own time until OR21 leaves and until a hold leaves, of the service and of a bare script."""

    accepted: Spread
    accepted_bare: Spread
    held: Spread
    held_bare: Spread


async def ways() -> Ways:
    """Both ways of some orders, then of the script, on a stage of their own."""
    async with Stage() as stage:
        made = [stage.mirakl.create_generated(lines=2)]
        await until(lambda: _is_linked(stage, made[0]), "the first order to be imported")
        accepted, held, _ = await _lives(stage)
        accepted_bare, held_bare = await _by_script(stage, accepted, held)
    return Ways(
        Spread.of([one.seconds for one in accepted]),
        accepted_bare,
        Spread.of([one.seconds for one in held]),
        held_bare,
    )


async def measure() -> Measures:
    """All measures, one after the other on one stage."""
    async with Stage() as stage:
        made = [stage.mirakl.create_generated(lines=2)]
        await until(lambda: _is_linked(stage, made[0]), "the first order to be imported")
        bare, ingress = await _ingress(stage)
        _, _, calls = await _lives(stage)
        scripted, asked = await desk_edits(stage)
        reads, previewed = await previews(stage)
        orders_a_minute, points = await _burst(stage)
        bare_reads, labels = await label_checks(stage)
    ceiling = 60 * 1000.0 / points  # a Plus shop's bucket refills with 1000 points a second (reference 4.1)
    return Measures(
        bare,
        ingress,
        calls,
        orders_a_minute,
        ceiling,
        points,
        Spread.of(bare_reads),
        Spread.of(labels),
        Spread.of(scripted),
        Spread.of(asked),
        Spread.of(reads),
        Spread.of(previewed),
    )


# -- deliveries ------------------------------------------------------------------------------------------


async def _ingress(stage: Stage) -> tuple[Spread, Spread]:
    """The same deliveries, in turns, to an endpoint that only inserts a row and to ours."""
    order = next(iter(stage.shopify.shop.orders.values()))
    shop, secret = stage.shopify.shop.domain, stage.shopify.main_app.secrets[0].encode()
    bare_app = _bare(stage)
    body = json.dumps(
        {"id": int(order.gid.rpartition("/")[2]), "updated_at": stage.now().isoformat()}
    ).encode()
    signature = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
    headers = {
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Topic": "orders/updated",
        "X-Shopify-Shop-Domain": shop,
    }
    bare: list[float] = []
    ours: list[float] = []
    async with httpx2.AsyncClient(transport=ClockedASGITransport(bare_app), trust_env=False) as client:
        for number in range(DELIVERIES):
            given = {**headers, "X-Shopify-Webhook-Id": f"bench-{number}"}
            bare.append(await _post(client, "http://bare/", body, given))
            ours.append(await _post(stage.ingress, f"{INGRESS}/webhooks/shopify/{shop}", body, given))
            # Looks that the deliveries cause would otherwise be measured with the next one.
            await asyncio.sleep(0.004)
    return Spread.of(bare), Spread.of(ours)


async def _post(client: httpx2.AsyncClient, url: str, body: bytes, headers: dict[str, str]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    response = await client.post(url, content=body, headers=headers)
    if response.status_code != 200:
        raise AssertionError(f"{url} answered {response.status_code}.")
    return loop.time() - began


def _bare(stage: Stage) -> Starlette:
    """An endpoint that reads the body and makes one durable insert, over the same pool of connections."""
    kept = MetaData()
    table = Table(
        "bench_bodies",
        kept,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("body", LargeBinary, nullable=False),
    )
    kept.create_all(stage.database.engine)

    async def keep(request: Request) -> Response:
        body = await request.body()
        await stage.service.store.tx(lambda c: c.execute(insert(table).values(body=body)))
        return Response(status_code=200)

    return Starlette(routes=[Route("/", keep, methods=["POST"])])


# -- lives of orders -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Way:
    """Seconds of our own on the way from one call or delivery to another call, and the reads of the order between them."""

    seconds: float
    reads: int


async def _by_script(stage: Stage, accepted: Sequence[Way], held: Sequence[Way]) -> tuple[Spread, Spread]:
    """The same ways of a bare script, as often, with the same reads: each way of the service names how many."""
    accepts, holds = [], []
    for way in accepted:
        accepts.append(await accepted_by_script(stage, await _released(stage), way.reads))
    for way in held:
        holds.append(await held_by_script(stage, await _released(stage), way.reads))
    return Spread.of(accepts), Spread.of(holds)


async def _released(stage: Stage) -> Order:
    """The Shopify order of a new marketplace order, free of holds, after the echoes of our own last call."""
    order = stage.mirakl.create_generated(lines=2, quantities=[3, 3])
    await until(lambda: _is_free(stage, order), "an order to be released")
    await asyncio.sleep(0.5)
    return _linked(stage, order)


async def _lives(stage: Stage) -> tuple[list[Way], list[Way], dict[str, float]]:
    """Orders from import to shipped, one at a time. The first half is edited; the calls of the other half are counted."""
    accepted: list[Way] = []
    held: list[Way] = []
    counted: Counter[str] = Counter()
    for number in range(ORDERS):
        since = len(stage.shopify.record.calls), len(stage.mirakl.record.calls)
        order = stage.mirakl.create_generated(lines=2, quantities=[3, 3])
        await until(lambda order=order: _is_free(stage, order), f"order {number} to be released")  # type: ignore[misc]
        accepted.append(_own_time_to_accept(stage, since))
        found = _linked(stage, order)
        if number % 2 == 0:
            held.append(await _own_time_to_hold(stage, found))
            continue
        for part in found.fulfillment_orders:
            stage.shopify.fulfill(part, company="dhl", number=f"BENCH{number}")
        await until(lambda order=order: order.state in GONE, f"order {number} to be shipped")  # type: ignore[misc]
        await asyncio.sleep(0.5)  # echoes of our own last call
        counted.update(_calls_since(stage, since))
    lives = ORDERS - (ORDERS + 1) // 2
    return (
        accepted,
        held,
        {name: number / lives for name, number in sorted(counted.items())},
    )


def _own_time_to_accept(stage: Stage, since: tuple[int, int]) -> Way:
    """From the answer that made the Shopify order to the moment OR21 left, less what the platforms took meanwhile."""
    shopify = stage.shopify.record.calls[since[0] :]
    exists = next(call.ended_at for call in shopify if "draftOrderComplete" in call.operation)
    leaves = next(call.at for call in stage.mirakl.record.calls[since[1] :] if call.operation == "OR21")
    return _way(shopify, exists, leaves)


async def _own_time_to_hold(stage: Stage, found: Order) -> Way:
    """From the first delivery after an edit to the moment the hold left, less what the platforms took meanwhile."""
    before = len(stage.shopify.record.calls)
    deliveries = len(stage.deliveries)
    stage.shopify.set_quantity(found, found.lines[0].gid, 1)

    def holds() -> list[Call]:
        return [c for c in stage.shopify.record.calls[before:] if "fulfillmentOrderHold" in c.operation]

    await until(lambda: bool(holds()), "the hold after an edit")
    arrived = next(
        at for at, topic in stage.deliveries[deliveries:] if topic in ("orders/edited", "orders/updated")
    )
    leaves = holds()[0].at
    return _way(stage.shopify.record.calls[before:], arrived, leaves)


def _way(calls: Sequence[Call], began: datetime, ended: datetime) -> Way:
    reads = sum(call.operation == "order" for call in within(calls, began, ended))
    return Way(own_time(calls, began, ended), reads)


def _calls_since(stage: Stage, since: tuple[int, int]) -> Counter[str]:
    """Calls made for one order: polls and set-up belong to none."""
    calls = (*stage.shopify.record.calls[since[0] :], *stage.mirakl.record.calls[since[1] :])
    shared = ("OR11", "orders", "accessToken", "webhookSubscriptions", "A01", "PC01")
    return Counter(call.operation for call in calls if call.operation not in shared)


# -- a burst ---------------------------------------------------------------------------------------------


async def _burst(stage: Stage) -> tuple[float, float]:
    """Many orders at once: how many a minute are imported and accepted, and what each costs in Shopify's points."""
    loop = asyncio.get_running_loop()
    charged = stage.points
    began = loop.time()
    made = [stage.mirakl.create_generated(lines=2) for _ in range(BURST)]
    await until(lambda: all(o.state != "WAITING_ACCEPTANCE" for o in made), "the burst to be accepted", 45.0)
    seconds = loop.time() - began
    return BURST * 60 / seconds, (stage.points - charged) / BURST


# -- what is looked for ----------------------------------------------------------------------------------


def _linked(stage: Stage, order: SimOrder) -> Order:
    for found in stage.shopify.shop.orders.values():
        if dict(found.attributes).get("mirakl_order_id") == f"bench:{order.id}":
            return found
    raise KeyError(order.id)


def _is_linked(stage: Stage, order: SimOrder) -> bool:
    try:
        _linked(stage, order)
    except KeyError:
        return False
    return order.state != "WAITING_ACCEPTANCE"


def _is_free(stage: Stage, order: SimOrder) -> bool:
    """Whether the order waits for its parcel and nobody holds it any more."""
    if order.state != "SHIPPING" or not _is_linked(stage, order):
        return False
    return not any(part.holds for part in _linked(stage, order).fulfillment_orders)
