"""One thing somebody does to a shop: it gathers what changed and tells the index and the webhooks when it is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from interlock.simulator.record import Effect
from interlock.simulator.shopify import payloads
from interlock.simulator.shopify.state import SYSTEM, Actor, App, Draft, Order, Shop, TimelineEvent

if TYPE_CHECKING:
    from interlock.simulator.shopify.world import ShopifyWorld


class Act:
    """One API call, click or timer. Changes are made at once; `finish` stamps, indexes and announces them.

    Announcements of one act share an event id, as the deliveries of one merchant action do (reference 9.1).
    """

    __slots__ = (
        "_announcements",
        "_drafts",
        "actor",
        "born",
        "event_id",
        "now",
        "reference",
        "shop",
        "touched",
        "world",
    )

    def __init__(self, world: ShopifyWorld, shop: Shop, actor: Actor, reference: str | None = None) -> None:
        self.world = world
        self.shop = shop
        self.actor = actor
        self.reference = reference
        self.now: datetime = world.clock.now().replace(microsecond=0)
        self.event_id = world.event_id()
        self.touched: dict[int, Order] = {}
        self.born: list[int] = []  # numbers of the fulfilment orders this act made
        self._drafts: dict[int, Draft] = {}
        self._announcements: list[tuple[str, str, Callable[[App], dict[str, Any]]]] = []

    def number(self) -> int:
        return self.world.number()

    def touch(self, order: Order) -> None:
        """The order changed: `updatedAt`, the index and `orders/updated` follow."""
        self.touched[order.number] = order

    def touch_draft(self, draft: Draft) -> None:
        self._drafts[draft.number] = draft

    def announce(self, topic: str, order_gid: str, build: Callable[[App], dict[str, Any]]) -> None:
        self._announcements.append((topic, order_gid, build))

    def effect(self, kind: str, order_gid: str, *, actor: Actor | None = None, **detail: Any) -> None:
        who = (actor or self.actor).label
        self.world.record.effects.append(
            Effect(self.world.clock.now(), who, kind, order_gid, self.reference, detail)
        )

    def timeline(self, order: Order, action: str, message: str) -> None:
        order.events.append(TimelineEvent(self.number(), action, message, self.now, self.actor))

    def finish(self) -> None:
        """Idempotent: what was announced once is not announced again."""
        for order in self.touched.values():
            order.updated_at = self.now
            self.world.index_order(order)
        for draft in self._drafts.values():
            draft.updated_at = self.now
            self.world.index_draft(draft)
        for topic, order_gid, build in self._announcements:
            self.world.webhooks.announce(self, topic, order_gid, build)
        for order in self.touched.values():
            self.world.webhooks.announce(self, "ORDERS_UPDATED", order.gid, _payload_of(order))
        self._announcements.clear()
        self.touched.clear()
        self._drafts.clear()


def _payload_of(order: Order) -> Callable[[App], dict[str, Any]]:
    return lambda _app: payloads.order(order)


def system_act(world: ShopifyWorld, shop: Shop) -> Act:
    """An act of the platform's own timers."""
    return Act(world, shop, SYSTEM)
