"""A simulated marketplace alone, over plain HTTP on loopback."""

import asyncio
import contextlib
import json
import sys
from typing import TextIO

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from interlock.simulator.clock import present_clock
from interlock.simulator.faults import ConnectionLost
from interlock.simulator.mirakl.profile import PROFILES
from interlock.simulator.mirakl.world import MiraklWorld


class UnknownProfile(ValueError):
    """There is no marketplace profile of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no marketplace profile {name!r}. Known: {', '.join(PROFILES)}.")


class _Server(uvicorn.Server):
    """Says where it listens once it does."""

    def __init__(self, config: uvicorn.Config, world: MiraklWorld, out: TextIO) -> None:
        super().__init__(config)
        self._world = world
        self._out = out

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup()
        if not self.started:
            return
        port = self.servers[0].sockets[0].getsockname()[1]
        world = self._world
        line = {
            "platform": "mirakl",
            "base_url": f"http://127.0.0.1:{port}",
            "api_key": world.api_key,
            "shop_id": world.shop_id,
            "profile": world.profile.name,
            "currency": world.profile.currency,
            "control_url": f"http://127.0.0.1:{port}/_sim",
        }
        print(json.dumps(line), file=self._out, flush=True)


def _closing(app: ASGIApp) -> ASGIApp:
    """Turns ConnectionLost into a connection that really breaks.

    uvicorn answers an exception before the response starts with a 500. A start that promises a body which never
    comes makes it close the connection instead, and the caller reads an incomplete answer.
    """

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except ConnectionLost:
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [(b"content-length", b"1"), (b"connection", b"close")],
                }
            )

    return wrapped


async def serve(
    port: int,
    seed: int,
    profile_name: str = "automatic",
    speed: float = 1.0,
    out: TextIO | None = None,
) -> None:
    """Serve one marketplace on 127.0.0.1 until stopped; prints one JSON line once it listens (port 0: any).

    `speed` is platform seconds per real second. Raises UnknownProfile.
    """
    profile = PROFILES.get(profile_name)
    if profile is None:
        raise UnknownProfile(profile_name)
    world = MiraklWorld(present_clock(speed), seed, profile)
    config = uvicorn.Config(
        _closing(world.app),
        host="127.0.0.1",
        port=port,
        log_level="critical",
        access_log=False,
        lifespan="off",
    )
    server = _Server(config, world, out if out is not None else sys.stdout)
    loop = asyncio.get_running_loop()
    timers = loop.create_task(world.run())
    serving = loop.create_task(server.serve())
    try:
        await asyncio.shield(serving)
    finally:
        server.should_exit = True
        await asyncio.wait([serving])
        timers.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await timers
