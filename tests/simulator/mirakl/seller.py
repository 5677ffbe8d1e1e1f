"""A seller's client of one simulated marketplace whose clock stands still until a test moves it."""

import asyncio
import dataclasses
import json
from decimal import Decimal
from typing import Any

import httpx2

from interlock.simulator.clock import PlatformClock
from interlock.simulator.mirakl import PROFILES, MarketplaceProfile, MiraklWorld, SimOrder, mirakl_switches
from interlock.simulator.transport import ClockedASGITransport


class Seller:
    """`world` is the marketplace; the verbs below call its API and return the answer."""

    def __init__(
        self, profile: str = "automatic", seed: int = 7, switches: dict[str, str] | None = None, **fields: Any
    ) -> None:
        chosen: MarketplaceProfile = dataclasses.replace(PROFILES[profile], **fields)
        self.world = MiraklWorld(PlatformClock(lambda: 0.0), seed, chosen, mirakl_switches(switches))
        self.key = self.world.api_key

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx2.Response:
        async def send() -> httpx2.Response:
            transport = ClockedASGITransport(self.world.app)
            base = "http://market.example"
            async with httpx2.AsyncClient(transport=transport, base_url=base) as client:
                sent = {"Authorization": self.key, **(headers or {})}
                return await client.request(method, path, json=body, params=params, headers=sent)

        return asyncio.run(send())

    def get(self, path: str, **params: Any) -> httpx2.Response:
        return self.call("GET", path, params=params or None)

    def put(self, path: str, body: Any = None) -> httpx2.Response:
        return self.call("PUT", path, body)

    def read(self, order: SimOrder, **params: Any) -> dict[str, Any]:
        """The order by id through OR11; numbers are Decimal."""
        answer = self.get("/api/orders", order_ids=order.id, **params)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = json.loads(answer.text, parse_float=Decimal)["orders"][0]
        return found

    def accept(self, order: SimOrder, *decisions: bool) -> httpx2.Response:
        """OR21 with one decision per line; all true when none is given."""
        chosen = decisions or (True,) * len(order.lines)
        lines = [
            {"id": line.id, "accepted": accepted} for line, accepted in zip(order.lines, chosen, strict=False)
        ]
        return self.put(f"/api/orders/{order.id}/accept", {"order_lines": lines})

    def cancel(self, line_id: str, amount: Any, **fields: Any) -> httpx2.Response:
        """OR30 with one entry."""
        entry = {
            "order_line_id": line_id,
            "amount": amount,
            "shipping_amount": 0,
            "quantity": 1,
            "reason_code": "34",
            **fields,
        }
        return self.put("/api/orders/cancel", {"cancelations": [entry]})

    def kinds(self, order: SimOrder) -> list[str]:
        """The kinds of the order's effects, in the order they happened."""
        return [effect.kind for effect in self.world.record.effects if effect.order_id == order.id]
