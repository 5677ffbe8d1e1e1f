"""Fulfilment services: what they are asked, and what they answer (reference 10.1, 10.4)."""

from collections.abc import Callable
from datetime import timedelta

from interlock.simulator.shopify import fulfillment, payloads
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import FulfillmentOrder, MerchantRequest

SHOWS_AFTER_SECONDS = 20.0
_REQUESTABLE = ("UNSUBMITTED", "REJECTED", "CANCELLATION_ACCEPTED")


def submit(act: Act, order: FulfillmentOrder, message: str | None) -> None:
    """Ask the service to fulfil the whole fulfilment order. Refused when it is held, or with a service already."""
    if not order.location.fulfillment_service:
        raise Refused("The fulfillment order is not assigned to a fulfillment service.", ("id",))
    if order.status != "OPEN" or order.request not in _REQUESTABLE:
        raise Refused(
            f"Cannot request fulfillment for the fulfillment order: it is {order.status.lower()}.", ("id",)
        )
    asked = _ask(act, order, "FULFILLMENT_REQUEST", message)
    order.request = "SUBMITTED"
    act.announce(
        "FULFILLMENT_ORDERS_FULFILLMENT_REQUEST_SUBMITTED",
        order.order.gid,
        lambda _app: payloads.fulfillment_request_submitted(order, asked),
    )
    service = order.location.service
    if service is not None:
        answer = act.world.service_accepts if service.accepts else act.world.service_rejects
        _later(act, service.answers_after, order, "SUBMITTED", answer)


def ask_to_cancel(act: Act, order: FulfillmentOrder, message: str | None) -> None:
    """Ask the service to give a request back. Refused when it has none, or was asked already."""
    if not order.open or order.request not in ("SUBMITTED", "ACCEPTED"):
        raise Refused("Cannot request cancellation for the fulfillment order in this state.", ("id",))
    asked = _ask(act, order, "CANCELLATION_REQUEST", message)
    order.request_before = order.request
    order.request = "CANCELLATION_REQUESTED"
    shows = act.world.switches["cancellation_request_shows"] == "after_seconds"
    order.request_shows_from = act.now + timedelta(seconds=SHOWS_AFTER_SECONDS) if shows else None
    act.announce(
        "FULFILLMENT_ORDERS_CANCELLATION_REQUEST_SUBMITTED",
        order.order.gid,
        lambda _app: payloads.cancellation_request_submitted(order, asked),
    )
    service = order.location.service
    if service is not None and service.cancellation != "ignores":
        answer = act.world.service_accepts if service.cancellation == "accepts" else act.world.service_rejects
        _later(act, service.cancellation_after, order, "CANCELLATION_REQUESTED", answer)


def _later(
    act: Act,
    seconds: float | None,
    order: FulfillmentOrder,
    request: str,
    then: Callable[[FulfillmentOrder], object],
) -> None:
    """What the service does by itself after so many seconds, if the request still stands as it did."""
    if seconds is None:
        return

    async def happens() -> None:
        if _is_there(order) and order.open and order.request == request:
            then(order)

    act.world.schedule(act.world.clock.now() + timedelta(seconds=seconds), happens)


def _is_there(order: FulfillmentOrder) -> bool:
    """Whether its Shopify order was not deleted meanwhile."""
    return order.number in order.order.shop.fulfillment_orders


def _ask(act: Act, order: FulfillmentOrder, kind: str, message: str | None) -> MerchantRequest:
    asked = MerchantRequest(act.number(), order, kind, message, act.now)
    order.requests.append(asked)
    order.updated_at = act.now
    act.touch(order.order)
    act.effect("service_asked", order.order.gid, fulfillment_order=order.gid, request=kind)
    return asked


def accept(act: Act, order: FulfillmentOrder) -> None:
    """The service takes the request on: from now on a hold is not offered and would recall nothing."""
    _expect(order, "SUBMITTED")
    _answer(act, order, "ACCEPTED", "FULFILLMENT_ORDERS_FULFILLMENT_REQUEST_ACCEPTED")
    service = order.location.service
    if service is not None and service.ships_after is not None:

        async def ships() -> None:
            if _is_there(order) and order.open and order.with_service:
                act.world.service_ships(order)

        act.world.schedule(act.world.clock.now() + timedelta(seconds=service.ships_after), ships)


def reject(act: Act, order: FulfillmentOrder) -> None:
    _expect(order, "SUBMITTED")
    _answer(act, order, "REJECTED", "FULFILLMENT_ORDERS_FULFILLMENT_REQUEST_REJECTED")


def accept_cancellation(act: Act, order: FulfillmentOrder) -> None:
    """The service gives the request back; what becomes of the fulfilment order is a switch."""
    _expect(order, "CANCELLATION_REQUESTED")
    _answer(act, order, "CANCELLATION_ACCEPTED", "FULFILLMENT_ORDERS_CANCELLATION_REQUEST_ACCEPTED")
    if act.world.switches["accepted_cancellation"] == "closes_and_reopens":
        fulfillment.reopen_in_new(act, order)


def reject_cancellation(act: Act, order: FulfillmentOrder) -> None:
    """Too late: the service ships it."""
    _expect(order, "CANCELLATION_REQUESTED")
    _answer(act, order, "CANCELLATION_REJECTED", "FULFILLMENT_ORDERS_CANCELLATION_REQUEST_REJECTED")


def _expect(order: FulfillmentOrder, request: str) -> None:
    if not order.open or order.request != request:
        raise Refused(f"The fulfillment order's request is {order.request.lower()}.", ("id",))


def _answer(act: Act, order: FulfillmentOrder, request: str, topic: str) -> None:
    order.request = request
    order.request_shows_from = None
    order.updated_at = act.now
    act.touch(order.order)
    act.announce(topic, order.order.gid, lambda _app: payloads.request_answered(order, act.now))
    act.effect("service_answered", order.order.gid, fulfillment_order=order.gid, request=request)
