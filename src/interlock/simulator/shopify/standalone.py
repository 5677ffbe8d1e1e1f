"""The simulated Shopify as a server of its own, on loopback."""

import asyncio
import json
import socket
from collections.abc import Callable
from typing import Any

import httpx2
import uvicorn

from interlock.simulator.clock import present_clock
from interlock.simulator.shopify.webhooks import WebhookSender
from interlock.simulator.shopify.world import ShopifyWorld


def http_sender(client: httpx2.AsyncClient) -> WebhookSender:
    """Deliver webhooks over real HTTP; no answer at all is None. Redirects count as failures (reference 9.1)."""

    async def send(url: str, headers: dict[str, str], body: bytes) -> int | None:
        try:
            response = await client.post(url, content=body, headers=headers, follow_redirects=False)
        except httpx2.HTTPError:
            return None
        return response.status_code

    return send


def announcement(world: ShopifyWorld, port: int) -> dict[str, Any]:
    """What a client needs to know, as printed on the one line."""
    return {
        "platform": "shopify",
        "base_url": f"http://127.0.0.1:{port}",
        "shop": world.shop.domain,
        "client_id": world.main_app.client_id,
        "client_secret": world.main_app.secrets[0],
        "api_version": "2026-10",
        "control": f"http://127.0.0.1:{port}/_sim/",
    }


async def serve(
    port: int = 0,
    seed: int = 1,
    *,
    speed: float = 1.0,
    plan: str = "standard",
    currency: str = "EUR",
    prepare: Callable[[ShopifyWorld], None] | None = None,
    say: Callable[[str], None] = print,
) -> None:
    """Serve until cancelled or interrupted. Port 0 takes a free one. `prepare` may fill the catalogue first.

    Raises OSError when the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    # Whoever reads the line may call at once: from here on a call waits until it is answered.
    listener.listen()
    async with httpx2.AsyncClient(timeout=5.0) as client:
        world = ShopifyWorld(
            present_clock(speed), seed, plan=plan, webhook_sender=http_sender(client), currency=currency
        )
        if prepare is not None:
            prepare(world)
        server = uvicorn.Server(
            uvicorn.Config(world.app, log_level="warning", access_log=False, lifespan="off")
        )
        say(json.dumps(announcement(world, listener.getsockname()[1])))
        deliveries = asyncio.ensure_future(world.run())
        try:
            await server.serve(sockets=[listener])
        finally:
            deliveries.cancel()
            await asyncio.gather(deliveries, return_exceptions=True)


def run(port: int = 0, seed: int = 1, *, speed: float = 1.0, plan: str = "standard") -> None:
    """The blocking form for a command line."""
    asyncio.run(serve(port, seed, speed=speed, plan=plan))
