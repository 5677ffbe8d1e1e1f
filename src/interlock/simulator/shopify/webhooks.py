"""Webhook deliveries: signed, at least once, unordered, sometimes lost (reference 9.1)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from interlock.simulator.record import Effect
from interlock.simulator.shopify.state import App, Shop, Subscription

if TYPE_CHECKING:
    from interlock.simulator.shopify.acts import Act
    from interlock.simulator.shopify.world import ShopifyWorld

API_VERSION = "2026-10"
WebhookSender = Callable[[str, dict[str, str], bytes], Awaitable[int | None]]

DELIVERY_BUDGET_SECONDS = 5.0
# Eight retries over four hours, growing (reference 9.1 gives the count and the span, not the steps).
RETRY_AFTER_SECONDS = (60, 120, 300, 600, 1200, 2400, 3600, 6120)
_FAILURES_THAT_REMOVE = 8

_RESOURCES = (
    ("FULFILLMENT_ORDERS_", "fulfillment_orders/"),
    ("FULFILLMENT_HOLDS_", "fulfillment_holds/"),
    ("FULFILLMENTS_", "fulfillments/"),
    ("DRAFT_ORDERS_", "draft_orders/"),
    ("ORDER_TRANSACTIONS_", "order_transactions/"),
    ("INVENTORY_LEVELS_", "inventory_levels/"),
    ("ORDERS_", "orders/"),
    ("REFUNDS_", "refunds/"),
    ("APP_", "app/"),
)

# What an app must be allowed to read before it may subscribe (reference 2.2, 9.2): any one of them.
_FULFILLMENT_ORDER_READ = (
    "read_merchant_managed_fulfillment_orders",
    "read_third_party_fulfillment_orders",
    "read_assigned_fulfillment_orders",
    "read_marketplace_fulfillment_orders",
)
TOPIC_SCOPES = (
    ("FULFILLMENT_ORDERS_", _FULFILLMENT_ORDER_READ),
    ("FULFILLMENT_HOLDS_", _FULFILLMENT_ORDER_READ),
    ("FULFILLMENTS_", ("read_fulfillments",)),
    ("DRAFT_ORDERS_", ("read_draft_orders", "write_draft_orders")),
    ("INVENTORY_LEVELS_", ("read_inventory", "write_inventory")),
    ("ORDER_TRANSACTIONS_", ("read_orders", "write_orders")),
    ("ORDERS_", ("read_orders", "write_orders")),
    ("REFUNDS_", ("read_orders", "write_orders")),
)


def header_topic(topic: str) -> str:
    """`ORDERS_EDITED` is `orders/edited` on the wire (reference 9.3)."""
    for prefix, resource in _RESOURCES:
        if topic.startswith(prefix):
            return resource + topic[len(prefix) :].lower()
    raise ValueError(f"The topic {topic} is not modelled.")


@dataclass(frozen=True)
class WebhookWeather:
    """How badly deliveries fare. `lost`, `repeated` and `tail_share` are probabilities, delays are platform seconds.

    A delivery waits an exponential time with mean `delay_mean`; with probability `tail_share` it is instead up to
    `delay_tail` late. A repeated delivery comes twice with the same webhook id.
    """

    lost: float = 0.0
    repeated: float = 0.0
    delay_mean: float = 1.0
    delay_tail: float = 0.0
    tail_share: float = 0.0

    @classmethod
    def drawn(cls, rng: random.Random) -> WebhookWeather:
        """Weather for one seeded history: each kind of trouble is absent half of the time."""

        def sometimes(high: float) -> float:
            return rng.uniform(0, high) if rng.random() < 0.5 else 0.0

        return cls(
            lost=sometimes(0.1),
            repeated=sometimes(0.3),
            delay_mean=rng.choice((0.2, 1.0, 5.0, 30.0)),
            delay_tail=rng.choice((600.0, 7200.0, 86400.0)),
            tail_share=sometimes(0.05),
        )


@dataclass(frozen=True, slots=True)
class _Delivery:
    shop: Shop
    subscription: Subscription
    topic: str
    order_gid: str
    headers: dict[str, str]
    body: bytes


class Webhooks:
    """Sends what acts announce to the subscriptions of each app."""

    def __init__(
        self, world: ShopifyWorld, sender: WebhookSender | None, weather: WebhookWeather, rng: random.Random
    ) -> None:
        self.world = world
        self.sender = sender
        self.weather = weather
        self._rng = rng
        self._serial = 0

    def announce(self, act: Act, topic: str, order_gid: str, build: Callable[[App], dict[str, Any]]) -> None:
        """Queue a delivery for every subscription of the topic. The payload is that of this moment, as the
        receiving app sees it (a hold says whether it is the receiver's own)."""
        subscriptions = [item for item in act.shop.subscriptions.values() if item.topic == topic]
        if not subscriptions:
            return
        triggered = self.world.clock.now().isoformat()
        for subscription in subscriptions:
            self._queue(act, subscription, topic, order_gid, build(subscription.app), triggered)

    def _queue(
        self,
        act: Act,
        subscription: Subscription,
        topic: str,
        order_gid: str,
        payload: dict[str, Any],
        triggered: str,
    ) -> None:
        self._serial += 1
        weather, rng = self.weather, self._rng
        if weather.lost and rng.random() < weather.lost:
            self._log("webhook_lost", order_gid, topic)
            return
        if subscription.include_fields:
            payload = {key: value for key, value in payload.items() if key in subscription.include_fields}
        body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": header_topic(topic),
            "X-Shopify-Hmac-Sha256": sign(subscription.app, body),
            "X-Shopify-Shop-Domain": act.shop.domain,
            "X-Shopify-API-Version": API_VERSION,
            "X-Shopify-Webhook-Id": self.world.uuid("webhook", self._serial),
            "X-Shopify-Event-Id": act.event_id,
            "X-Shopify-Triggered-At": triggered,
        }
        if subscription.name:
            headers["X-Shopify-Name"] = subscription.name
        delivery = _Delivery(act.shop, subscription, topic, order_gid, headers, body)
        times = 2 if weather.repeated and rng.random() < weather.repeated else 1
        for _ in range(times):
            delay = rng.expovariate(1 / weather.delay_mean) if weather.delay_mean > 0 else 0.0
            if weather.tail_share and rng.random() < weather.tail_share:
                delay = rng.uniform(0, weather.delay_tail)
            self._later(delivery, 0, delay)

    def _later(self, delivery: _Delivery, attempt: int, seconds: float) -> None:
        due = self.world.clock.now() + timedelta(seconds=seconds)
        self.world.schedule(due, lambda: self._attempt(delivery, attempt))

    async def _attempt(self, delivery: _Delivery, attempt: int) -> None:
        subscription = delivery.subscription
        if delivery.topic != "APP_UNINSTALLED" and subscription.number not in delivery.shop.subscriptions:
            return
        status = await self._send(delivery)
        if status is not None and 200 <= status < 300:
            subscription.failures_in_a_row = 0
            self._log("webhook_delivered", delivery.order_gid, delivery.topic, status=status, attempt=attempt)
            return
        subscription.failures_in_a_row += 1
        self._log("webhook_failed", delivery.order_gid, delivery.topic, status=status, attempt=attempt)
        counted = self.world.switches["subscription_removal_counts"]
        if counted == "any_attempts":
            removed = subscription.failures_in_a_row >= _FAILURES_THAT_REMOVE
        else:
            removed = attempt >= _FAILURES_THAT_REMOVE
        if removed:
            delivery.shop.subscriptions.pop(subscription.number, None)
            self._log("subscription_removed", delivery.order_gid, delivery.topic, app=subscription.app.name)
        elif attempt < len(RETRY_AFTER_SECONDS):
            self._later(delivery, attempt + 1, RETRY_AFTER_SECONDS[attempt])

    async def _send(self, delivery: _Delivery) -> int | None:
        if self.sender is None:
            return None
        try:
            async with asyncio.timeout(self.world.clock.source_seconds(DELIVERY_BUDGET_SECONDS)):
                return await self.sender(delivery.subscription.uri, dict(delivery.headers), delivery.body)
        except TimeoutError:
            return None

    def _log(self, kind: str, order_gid: str, topic: str, **detail: Any) -> None:
        self.world.record.effects.append(
            Effect(
                self.world.clock.now(),
                "system",
                kind,
                order_gid,
                None,
                {"topic": header_topic(topic), **detail},
            )
        )


def sign(app: App, body: bytes) -> str:
    """The HMAC header: over the raw body, with the oldest unrevoked secret of the app (reference 9.1, 2.1)."""
    digest = hmac.new(app.secrets[0].encode(), body, hashlib.sha256).digest()
    return base64.b64encode(digest).decode()
