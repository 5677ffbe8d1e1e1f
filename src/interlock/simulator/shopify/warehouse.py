"""What warehouses do by themselves: fulfilment services, labels, and fulfilment orders that split, move and wait."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from interlock.simulator.shopify import fulfillment, services
from interlock.simulator.shopify.actors import People
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import (
    SYSTEM,
    Actor,
    Fulfillment,
    FulfillmentOrder,
    FulfillmentOrderLine,
    Location,
    Service,
)


class Warehouse(People):
    """World methods, each one act. All raise Refused where Shopify would say no, and change nothing then."""

    # Fulfilment services (reference 10.1, 10.4)

    def service(self) -> Actor:
        return Actor("service")

    def run_service(self, location: Location, behaviour: Service) -> None:
        """From now on the location is a fulfilment service that behaves like this by itself."""
        location.fulfillment_service = True
        location.service = behaviour

    def hand_over(self, fulfillment_order: FulfillmentOrder) -> None:
        """A fulfilment order was routed to a service that gets its orders automatically."""

        async def submit() -> None:
            if fulfillment_order.status == "OPEN":
                self.request_fulfillment(fulfillment_order, actor=SYSTEM)

        self._world.schedule(self._world.clock.now(), submit)

    def request_fulfillment(self, fulfillment_order: FulfillmentOrder, *, actor: Actor | None = None) -> None:
        """The merchant hands a fulfilment order to its fulfilment service."""
        act = self._act(actor, fulfillment_order.order.shop)
        services.submit(act, fulfillment_order, None)
        act.finish()

    def ask_to_cancel(self, fulfillment_order: FulfillmentOrder, *, actor: Actor | None = None) -> None:
        """Staff ask the service to give a fulfilment order back."""
        act = self._act(actor, fulfillment_order.order.shop)
        services.ask_to_cancel(act, fulfillment_order, None)
        act.finish()

    def service_accepts(self, fulfillment_order: FulfillmentOrder) -> None:
        """The service answers what it was asked: yes, to the request or to its cancellation."""
        cancellation = fulfillment_order.request == "CANCELLATION_REQUESTED"
        self._answer(fulfillment_order, services.accept_cancellation if cancellation else services.accept)

    def service_rejects(self, fulfillment_order: FulfillmentOrder) -> None:
        """The service answers what it was asked: no."""
        cancellation = fulfillment_order.request == "CANCELLATION_REQUESTED"
        self._answer(fulfillment_order, services.reject_cancellation if cancellation else services.reject)

    def _answer(
        self, fulfillment_order: FulfillmentOrder, answer: Callable[[Act, FulfillmentOrder], None]
    ) -> None:
        act = self._act(self.service(), fulfillment_order.order.shop)
        answer(act, fulfillment_order)
        act.finish()

    def service_ships(
        self, fulfillment_order: FulfillmentOrder, *, company: str = "UPS", number: str | None = None
    ) -> Fulfillment:
        """The service ships what it accepted; no hold recalls that."""
        if not fulfillment_order.with_service:
            raise Refused("The fulfillment service has not accepted this fulfillment order.", ("id",))
        return self._leaves(fulfillment_order, company, number, "FULFILLED", self.service())

    def _leaves(
        self,
        fulfillment_order: FulfillmentOrder,
        company: str,
        number: str | None,
        display_status: str,
        actor: Actor,
    ) -> Fulfillment:
        code = number or f"TRK{self._world.rng('tracking').randrange(10**9):09d}"
        tracking = fulfillment.tracking_of(company, [code], [])
        act = self._act(actor, fulfillment_order.order.shop)
        made = fulfillment.fulfill(
            act, [(fulfillment_order, None)], tracking, display_status, left_already=True
        )
        act.finish()
        return made

    # Labels (reference 10.5, 11)

    def buy_label(
        self,
        fulfillment_order: FulfillmentOrder,
        *,
        blind_seconds: float = 0.0,
        company: str = "Canada Post",
        number: str | None = None,
    ) -> None:
        """A label is bought in the admin. The fulfilment that shows it appears after `blind_seconds`, in which nothing
        tells that it is under way; what a hold in that time does is a switch. Refused when it is held."""
        if fulfillment_order.status not in ("OPEN", "IN_PROGRESS") or not fulfillment_order.remaining:
            raise Refused("A label cannot be bought for this fulfillment order.", ("id",))
        world = self._world
        shop = self._found(fulfillment_order.order).shop
        act = self._act(self.picker(), shop)
        fulfillment_order.label_pending = True
        act.effect(
            "label_purchase_started", fulfillment_order.order.gid, fulfillment_order=fulfillment_order.gid
        )
        act.finish()

        async def appears() -> None:
            fulfillment_order.label_pending = False
            held = bool(fulfillment_order.holds)
            fails = held and world.switches["hold_during_label_purchase"] == "purchase_fails"
            deleted = fulfillment_order.order.number in shop.deleted_orders
            if fulfillment_order.open and fulfillment_order.remaining and not fails and not deleted:
                self._leaves(fulfillment_order, company, number, "LABEL_PURCHASED", self.picker())

        world.schedule(world.clock.now() + timedelta(seconds=blind_seconds), appears)

    def print_label(self, shipment: Fulfillment) -> None:
        self._label(shipment, "LABEL_PURCHASED", "LABEL_PRINTED")

    def void_label(self, shipment: Fulfillment) -> None:
        """The label is given back; what becomes of its fulfilment is a switch."""
        self._label(shipment, None, "LABEL_VOIDED")
        if self._world.switches["voided_label"] == "fulfillment_cancelled":
            self.cancel_fulfillment(shipment)
            shipment.display_status = "LABEL_VOIDED"

    def _label(self, shipment: Fulfillment, expected: str | None, status: str) -> None:
        labels = ("LABEL_PURCHASED", "LABEL_PRINTED") if expected is None else (expected,)
        if shipment.status == "CANCELLED" or shipment.display_status not in labels:
            raise Refused(f"The label cannot become {status.lower()}.", ("id",))
        act = self._act(self.picker(), shipment.order.shop)
        fulfillment.change_display_status(act, shipment, status)
        act.finish()

    # Fulfilment orders that do not stay as they were routed (reference 10.1)

    def split_fulfillment_order(
        self,
        fulfillment_order: FulfillmentOrder,
        units: Sequence[tuple[str, int]],
        *,
        actor: Actor | None = None,
    ) -> FulfillmentOrder:
        """`units` as (SKU or line gid, count) move to a new fulfilment order, which is returned."""
        parts = [(self._item(fulfillment_order, which), count) for which, count in units]
        act = self._act(actor, fulfillment_order.order.shop)
        made = fulfillment.split(act, fulfillment_order, parts)
        act.finish()
        return made

    def _item(self, fulfillment_order: FulfillmentOrder, which: str) -> FulfillmentOrderLine:
        for item in fulfillment_order.lines:
            if which in (item.line.sku, item.line.gid):
                return item
        raise KeyError(f"The fulfillment order has no line {which}.")

    def move_fulfillment_order(
        self, fulfillment_order: FulfillmentOrder, location: Location, *, actor: Actor | None = None
    ) -> FulfillmentOrder:
        """All that remains moves to another location; returns what stands there."""
        act = self._act(actor, fulfillment_order.order.shop)
        moved = fulfillment.move(act, fulfillment_order, location)
        act.finish()
        return moved

    def merge_fulfillment_orders(
        self, fulfillment_orders: Sequence[FulfillmentOrder], *, actor: Actor | None = None
    ) -> FulfillmentOrder:
        act = self._act(actor, fulfillment_orders[0].order.shop)
        merged = fulfillment.merge(act, list(fulfillment_orders))
        act.finish()
        return merged

    def schedule_fulfillment_order(
        self, fulfillment_order: FulfillmentOrder, seconds: float, *, actor: Actor | None = None
    ) -> None:
        """It is SCHEDULED for so many seconds from now, also when it was scheduled before, and opens by itself then."""
        world = self._world
        at = world.clock.now() + timedelta(seconds=seconds)
        act = self._act(actor, fulfillment_order.order.shop)
        fulfillment.schedule(act, fulfillment_order, at)
        act.finish()

        async def opens() -> None:
            if fulfillment_order.scheduled_for == at:
                self.open_scheduled(fulfillment_order, actor=SYSTEM)

        world.schedule(at, opens)

    def open_scheduled(self, fulfillment_order: FulfillmentOrder, *, actor: Actor | None = None) -> None:
        if fulfillment_order.scheduled_for is None or not fulfillment_order.open:
            raise Refused("Expected fulfillment order status to be valid but it was not scheduled.", ("id",))
        act = self._act(actor, fulfillment_order.order.shop)
        fulfillment.ready(act, fulfillment_order)
        act.finish()

    def stop_progress(self, fulfillment_order: FulfillmentOrder, *, actor: Actor | None = None) -> None:
        """Picking is called off: the fulfilment order is open again (fulfillmentOrderOpen)."""
        if not fulfillment_order.progress_reported:
            raise Refused("No progress was reported on the fulfillment order.", ("id",))
        act = self._act(actor or self.picker(), fulfillment_order.order.shop)
        fulfillment.progress(act, fulfillment_order, started=False)
        act.finish()
