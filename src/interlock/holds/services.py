"""Parcels that a fulfilment service has: a hold does not recall them, so the service is asked to stop and answers.

Right after it was asked, Shopify may still show the request as it was (reference 10.1), so when we asked is remembered.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from interlock.orders.actions import AskServiceToStop
from interlock.orders.memory import Memory, ServiceAsked
from interlock.orders.plan import Case, earliest
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import FulfillmentOrder, ShopifyOrder
from interlock.orders.view import View

MESSAGE = (
    "Please stop: the marketplace order and this order do not agree at the moment. If nothing has left yet, accept this "
    "cancellation; the parcel is requested again once both sides agree."
)
"""Read by the fulfilment service."""

CAN_BE_ASKED_BACK = ("SUBMITTED", "ACCEPTED")
WITH_A_SERVICE = (*CAN_BE_ASKED_BACK, "CANCELLATION_REQUESTED", "CANCELLATION_REJECTED")
GIVEN_BACK = ("UNSUBMITTED", "CANCELLATION_ACCEPTED")
ASK_AGAIN_AFTER = timedelta(minutes=5)
"""A request of ours that left no trace may have been lost; asking twice is harmless."""


@dataclass(frozen=True, slots=True)
class Stopping:
    """What is done about one parcel at a service."""

    memory: Memory
    action: AskServiceToStop | None = None
    case: Case | None = None
    because: str = ""
    look_at: datetime | None = None


def stop(view: View, memory: Memory, fo: FulfillmentOrder) -> Stopping:
    """Have the service stop this parcel: ask once, wait for `service_wait`, then it is a person's."""
    action = AskServiceToStop(fo.id, MESSAGE)
    if fo.request_status == "CANCELLATION_REJECTED":
        return Stopping(memory, case=_case(fo, "The fulfilment service was asked to stop and refused."))
    asked = asked_of(memory, fo.id)
    if asked is None and fo.request_status not in CAN_BE_ASKED_BACK:
        # Somebody else asked, or we did in an earlier life: its time counts from now.
        asked = ServiceAsked(fo.id, fo.location_id, view.now, view.now)
        memory = with_asked(memory, asked)
    if asked is None:
        memory = with_asked(memory, ServiceAsked(fo.id, fo.location_id, view.now, view.now))
        because = "The parcel is with a fulfilment service, which is asked to stop; its answer is awaited."
        return Stopping(memory, action, because=because, look_at=view.now + ASK_AGAIN_AFTER)
    operation = next((op for op in view.operations if op.action == action), None)
    if operation is not None and operation.state == "REJECTED":
        said = f"Shopify did not take our request that the fulfilment service stop: “{operation.words}”."
        return Stopping(memory, action, _case(fo, said, (Option.SEND_AGAIN,)))
    until = asked.at + view.rules.service_wait
    if view.now >= until:
        minutes = int(view.rules.service_wait.total_seconds() // 60)
        said = f"The fulfilment service was asked to stop and has not answered within {minutes} minutes."
        return Stopping(memory, action if operation is not None else None, _case(fo, said))
    wanted = operation is not None
    if fo.request_status in CAN_BE_ASKED_BACK and view.now >= asked.last_at + ASK_AGAIN_AFTER:
        memory, wanted = with_asked(memory, replace(asked, last_at=view.now)), True
        asked = replace(asked, last_at=view.now)
    because = "The fulfilment service was asked to stop; its answer is awaited."
    look_at = earliest(until, asked.last_at + ASK_AGAIN_AFTER)
    return Stopping(memory, action if wanted else None, because=because, look_at=look_at)


def _case(fo: FulfillmentOrder, what: str, options: tuple[Option, ...] = ()) -> Case:
    facts = (("status", fo.status), ("request", fo.request_status))
    return Case(
        Reason.SERVICE_DOES_NOT_STOP,
        fo.id,
        f"{what} The parcel may leave although both sides do not agree. Call the service; if it cannot be stopped, "
        "settle the difference in the marketplace portal.",
        options,
        facts,
    )


def to_ask_again(memory: Memory, shopify: ShopifyOrder) -> tuple[Case, ...]:
    """The gate is open, and what a service gave back to us waits for somebody to request it anew: Interlock does not
    request shipments."""
    places = {asked.location_id for asked in memory.services_asked}
    return tuple(
        Case(
            Reason.SERVICE_TO_ASK_AGAIN,
            fo.id,
            "The fulfilment service stopped this parcel because we asked it to. Both sides agree now, so it may leave: "
            "request its fulfilment again in Shopify. This closes once the service has it.",
            facts=(("status", fo.status), ("request", fo.request_status)),
        )
        for fo in shopify.fulfillment_orders
        if fo.is_open and fo.request_status in GIVEN_BACK and fo.location_id in places
    )


def asked_of(memory: Memory, fulfillment_order_id: str) -> ServiceAsked | None:
    """When a service was asked to stop this fulfillment order, if it was."""
    for asked in memory.services_asked:
        if asked.fulfillment_order_id == fulfillment_order_id:
            return asked
    return None


def with_asked(memory: Memory, asked: ServiceAsked) -> Memory:
    """Remember the request in place of an earlier one for the same fulfillment order."""
    others = tuple(a for a in memory.services_asked if a.fulfillment_order_id != asked.fulfillment_order_id)
    return replace(memory, services_asked=(*others, asked))
