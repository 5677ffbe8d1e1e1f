"""A simulated shop in this process, spoken to over its real HTTP face."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from interlock.simulator.clock import PlatformClock
from interlock.simulator.shopify import ShopifyWorld, WebhookWeather
from interlock.simulator.shopify.state import App, Order
from interlock.simulator.transport import ClockedASGITransport

ADDRESS = {
    "firstName": "A",
    "lastName": "B",
    "address1": "1 Main St",
    "city": "Toronto",
    "provinceCode": "ON",
    "zip": "M5H 2M9",
    "countryCode": "CA",
}
ORDER_ERRORS = "userErrors { field message code }"
PLAIN_ERRORS = "userErrors { field message }"


class Client:
    """An app of the shop, making one request at a time."""

    def __init__(self, world: ShopifyWorld, app: App | None = None) -> None:
        self.world = world
        self.app = app or world.main_app
        self.token = world.token_for(self.app)
        self.headers: dict[str, str] = {}

    def post(self, path: str, body: Any, headers: dict[str, str] | None = None) -> httpx2.Response:
        async def send() -> httpx2.Response:
            transport = ClockedASGITransport(self.world.app)
            async with httpx2.AsyncClient(
                transport=transport, base_url=f"https://{self.world.shop.domain}"
            ) as http:
                return await http.post(path, json=body, headers=headers)

        return asyncio.run(send())

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole response document."""
        response = self.post(
            "/admin/api/2026-10/graphql.json",
            {"query": query, "variables": variables},
            {"X-Shopify-Access-Token": self.token, **self.headers},
        )
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a document without top-level errors."""
        document = self.ask(query, **variables)
        assert "errors" not in document, document["errors"]
        data: dict[str, Any] = document["data"]
        return data

    def create_order(self, **more: Any) -> dict[str, Any]:
        """orderCreate of two units of SKU-A unless told otherwise; returns the payload."""
        options = more.pop("options", {"inventoryBehaviour": "DECREMENT_OBEYING_POLICY"})
        line = {
            "variantId": self.world.variant("SKU-A").gid,
            "quantity": 2,
            "requiresShipping": True,
            "priceSet": {"shopMoney": {"amount": "19.99", "currencyCode": "CAD"}},
        }
        given = {
            "lineItems": [line],
            "shippingAddress": ADDRESS,
            "currency": "CAD",
            "financialStatus": "PAID",
            "transactions": [
                {"gateway": "Mirakl", "amountSet": {"shopMoney": {"amount": "39.98", "currencyCode": "CAD"}}}
            ],
            **more,
        }
        payload: dict[str, Any] = self.data(
            "mutation($order: OrderCreateOrderInput!, $options: OrderCreateOptionsInput) {"
            " orderCreate(order: $order, options: $options) {"
            " order { id name lineItems(first: 5) { nodes { id sku quantity requiresShipping } }"
            f" fulfillmentOrders(first: 5) {{ nodes {{ id status }} }} }} {ORDER_ERRORS} }} }}",
            order=given,
            options=options,
        )["orderCreate"]
        return payload

    def create_draft(self, **more: Any) -> dict[str, Any]:
        given = {
            "lineItems": [
                {
                    "variantId": self.world.variant("SKU-A").gid,
                    "quantity": 2,
                    "customAttributes": [{"key": "_mirakl_line_id", "value": "L1"}],
                },
                {"variantId": self.world.variant("SKU-B").gid, "quantity": 1},
            ],
            "shippingAddress": ADDRESS,
            "tags": ["mirakl"],
            "customAttributes": [{"key": "mirakl_order_id", "value": "M-1"}],
            "taxExempt": True,
            **more,
        }
        payload: dict[str, Any] = self.data(
            "mutation($input: DraftOrderInput!) { draftOrderCreate(input: $input) {"
            f" draftOrder {{ id status totalPriceSet {{ shopMoney {{ amount }} }} }} {PLAIN_ERRORS} }} }}",
            input=given,
        )["draftOrderCreate"]
        return payload

    def complete(self, draft_id: str) -> dict[str, Any]:
        payload: dict[str, Any] = self.data(
            "mutation($id: ID!) { draftOrderComplete(id: $id) {"
            f" draftOrder {{ id status order {{ id name tags customAttributes {{ key value }} }} }} {PLAIN_ERRORS} }} }}",
            id=draft_id,
        )["draftOrderComplete"]
        return payload

    def hold(self, fulfillment_order: str, handle: str = "ours") -> dict[str, Any]:
        payload: dict[str, Any] = self.data(
            "mutation($id: ID!, $hold: FulfillmentOrderHoldInput!) {"
            " fulfillmentOrderHold(id: $id, fulfillmentHold: $hold) {"
            f" fulfillmentHold {{ id handle }} fulfillmentOrder {{ id status }} {ORDER_ERRORS} }} }}",
            id=fulfillment_order,
            hold={"reason": "OTHER", "handle": handle},
        )["fulfillmentOrderHold"]
        return payload


class Receiver:
    """Stands where the webhook endpoint of an app would be."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.status: int | None = 200

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> int | None:
        self.got.append((url, headers, body))
        return self.status

    def topics(self) -> list[str]:
        return [headers["X-Shopify-Topic"] for _, headers, _ in self.got]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def make_world(receiver: Receiver) -> Callable[..., ShopifyWorld]:
    def make(**more: Any) -> ShopifyWorld:
        clock = PlatformClock(source=lambda: 0.0)
        weather = more.pop("weather", WebhookWeather(delay_mean=0.0))
        values = more.pop("switched", {})
        world = ShopifyWorld(clock, more.pop("seed", 7), webhook_sender=receiver, weather=weather, **more)
        for name, value in {"index_lag": "none", **values}.items():
            world.switches.set(name, value)
        world.add_variant("SKU-A", "24.50", 10)
        world.add_variant("SKU-B", "5.00", 10)
        return world

    return make


@pytest.fixture
def world(make_world: Callable[..., ShopifyWorld]) -> ShopifyWorld:
    return make_world()


@pytest.fixture
def client(world: ShopifyWorld) -> Client:
    return Client(world)


def draft_order_of(client: Client, **more: Any) -> Order:
    """An order by the draft route."""
    draft = client.create_draft(**more)["draftOrder"]
    return client.world.order(client.complete(draft["id"])["draftOrder"]["order"]["id"])


def settle(world: ShopifyWorld, seconds: float = 3600.0) -> None:
    asyncio.run(world.settle(seconds))
