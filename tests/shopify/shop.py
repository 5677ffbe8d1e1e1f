"""A shop made of prepared answers, behind the real client."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import httpx2

from interlock.orders.actions import Lane
from interlock.shopify.account import ShopifyShop
from interlock.shopify.client import ShopifyClient
from tests.shopify.orders import NOW

Answer = dict[str, Any] | httpx2.Response | Exception
COST = {
    "requestedQueryCost": 10,
    "throttleStatus": {"maximumAvailable": 2000, "currentlyAvailable": 1990, "restoreRate": 100},
}


class OpenBudget:
    """Lets everything through and remembers what it was told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Lane]] = []
        self.waits: list[tuple[str, float]] = []
        self.answers: list[float] = []

    async def take(self, operation: str, lane: Lane) -> float:
        wait = self.answers.pop(0) if self.answers else 0.0
        if wait <= 0:
            self.taken.append((operation, lane))
        return wait

    async def told_to_wait(self, operation: str, seconds: float) -> None:
        self.waits.append((operation, seconds))


@dataclass
class Shop:
    """Answers operations by name, one prepared answer after the other; the last one stays."""

    answers: dict[str, list[Answer]]
    now: datetime = NOW
    tokens: int = 0
    token_answer: Callable[[int], Answer] = lambda count: {
        "access_token": f"shpat_{count}",
        "expires_in": 86399,
    }
    requests: list[tuple[str, dict[str, Any], httpx2.Headers]] = field(default_factory=list)
    budget: OpenBudget = field(default_factory=OpenBudget)

    def client(self) -> ShopifyClient:
        shop = ShopifyShop("demo.myshopify.com", "https://demo.myshopify.com", "app-1", "shpss_secret")
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(self._serve))
        return ShopifyClient(shop, http, self.budget, lambda: self.now)

    def pass_time(self, **units: float) -> None:
        self.now += timedelta(**units)

    def _serve(self, request: httpx2.Request) -> httpx2.Response:
        asked = json.loads(request.content)
        if request.url.path == "/admin/oauth/access_token":
            self.tokens += 1
            return self._response(self.token_answer(self.tokens))
        assert request.url.path == "/admin/api/2026-10/graphql.json"
        name = asked["operationName"]
        self.requests.append((name, asked["variables"], request.headers))
        prepared = self.answers[name]
        return self._response(prepared.pop(0) if len(prepared) > 1 else prepared[0])

    def _response(self, answer: Answer) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx2.Response):
            return answer
        return httpx2.Response(200, json=answer, headers={"X-Shopify-API-Version": "2026-10"})


def data(**fields: Any) -> dict[str, Any]:
    return {"data": fields, "extensions": {"cost": COST}}
