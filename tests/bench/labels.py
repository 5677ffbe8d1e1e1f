"""The label check's local path under load, against a bare read of the same row."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import httpx2
from sqlalchemy import Connection, bindparam, insert, select
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from interlock.access.store import make_key
from interlock.engine.store import connections
from interlock.orders.label import Label
from interlock.orders.store import EMPTY_MEMORY, label_columns, orders
from interlock.simulator.transport import ClockedASGITransport
from tests.bench.stage import Stage

STORED = 20_000
PRINTERS = 8
ROUNDS = 30
CALLS_A_ROUND = 4
KEYS = 4
"""One key may make 100 calls a second; a warehouse with more printers has more keys."""

_ROW = select(orders.c.label_yes, orders.c.label_reason, orders.c.label_who, orders.c.shopify_seen_at).where(
    orders.c.shopify_order_id == bindparam("gid")
)


def gid(number: int) -> str:
    return f"gid://shopify/Order/{900_000_000 + number}"


async def label_checks(stage: Stage) -> tuple[list[float], list[float]]:
    """Seconds of bare reads and of label checks, in turns: `PRINTERS` at once, each asking for another order."""
    now = stage.clock.now()
    with stage.database.begin() as c:
        _store(c, stage)
        made = [make_key(c, f"printer {n}", ["labels:check"], "bench", now)[1] for n in range(KEYS)]
    keys = [{"Authorization": f"Bearer {token}"} for token in made]
    bare: list[float] = []
    ours: list[float] = []
    transport = ClockedASGITransport(_bare(stage))
    async with httpx2.AsyncClient(transport=transport, trust_env=False) as client:
        for turn in range(ROUNDS):
            numbers = [turn * PRINTERS + printer for printer in range(PRINTERS)]
            bare += await _round(client, "http://bare/", numbers, [{}])
            ours += await _round(stage.ingress, "http://localhost/v1/label-check", numbers, keys)
    return bare, ours


async def _round(
    client: httpx2.AsyncClient, url: str, numbers: Sequence[int], keys: Sequence[dict[str, str]]
) -> list[float]:
    found = await asyncio.gather(*(_printer(client, url, n, keys[n % len(keys)]) for n in numbers))
    return [seconds for one in found for seconds in one]


async def _printer(client: httpx2.AsyncClient, url: str, number: int, key: dict[str, str]) -> list[float]:
    """One printer asks one call after another and checks what it hears."""
    loop = asyncio.get_running_loop()
    took = []
    for call in range(CALLS_A_ROUND):
        wanted = (number * CALLS_A_ROUND + call) * 7 % STORED
        began = loop.time()
        response = await client.get(url, params={"order": gid(wanted)}, headers=key)
        took.append(loop.time() - began)
        if response.status_code != 200 or response.json()["print"] is not True:
            raise AssertionError(f"{url} answered {response.status_code}: {response.text[:200]}")
    return took


def _store(c: Connection, stage: Stage) -> None:
    """Orders that were seen a moment ago and may be printed."""
    now = stage.clock.now()
    connection_id = c.execute(select(connections.c.id).limit(1)).scalar_one()
    label = Label(True, "Both sides agree and the marketplace waits for the parcel.", "", ("FO",))
    columns = label_columns(label, now + timedelta(hours=1))
    c.execute(
        insert(orders),
        [
            {
                "connection_id": connection_id,
                "mirakl_order_id": f"LABEL-{number}-A",
                "created_at": now,
                "memory": EMPTY_MEMORY,
                "shopify_order_id": gid(number),
                "shopify_name": f"#L{number}",
                "shopify_seen_at": now,
                **columns,
            }
            for number in range(STORED)
        ],
    )


def _bare(stage: Stage) -> Starlette:
    """An endpoint that reads the row by its index and answers with it, over the same pool of connections."""

    async def read(request: Request) -> Response:
        wanted = request.query_params["order"]
        row = await stage.service.store.tx(lambda c: c.execute(_ROW, {"gid": wanted}).one())
        return JSONResponse(
            {
                "print": row.label_yes,
                "reason": row.label_reason,
                "who": row.label_who,
                "as_of": row.shopify_seen_at.isoformat(),
            }
        )

    return Starlette(routes=[Route("/", read)])
