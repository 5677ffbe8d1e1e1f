"""Parcels that a fulfilment service has: a hold does not recall them, so the service is asked to stop and answers.

Whether it was asked, and what it answered, is in the snapshot; since when it is waited for is remembered.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from interlock.orders.actions import AskServiceToStop
from interlock.orders.memory import Memory, ServiceAsked
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import FulfillmentOrder, ShopifyOrder
from interlock.orders.view import View

MESSAGE = (
    "Please stop: the marketplace order and this order do not agree at the moment. If nothing has left yet, accept this "
    "cancellation; the parcel is requested again once both sides agree."
)
"""Read by the fulfilment service."""

GIVEN_BACK = ("UNSUBMITTED", "CANCELLATION_ACCEPTED")


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
    if fo.stop_request == "REFUSED":
        return Stopping(memory, case=_case(fo, "The fulfilment service was asked to stop and refused."))
    if fo.stop_request == "ACCEPTED":
        return Stopping(memory)
    asked = asked_of(memory, fo.id)
    if asked is None:
        # Whoever asked: the time of the answer counts from when we first saw it.
        asked = ServiceAsked(fo.id, fo.location_id, view.now)
        memory = replace(memory, services_asked=(*memory.services_asked, asked))
    wanted = action if not fo.stop_request else None
    if wanted is not None and not fo.can_ask_to_stop:
        said = "A fulfilment service has this parcel, and Shopify does not offer to ask it to stop."
        return Stopping(memory, case=_case(fo, said))
    refused = next((op for op in view.operations if op.action == action and op.state == "REJECTED"), None)
    if wanted is not None and refused is not None:
        said = f"Shopify did not take our request that the fulfilment service stop: “{refused.words}”."
        return Stopping(memory, wanted, _case(fo, said, (Option.SEND_AGAIN,)))
    until = asked.at + view.rules.service_wait
    if view.now >= until:
        minutes = int(view.rules.service_wait.total_seconds() // 60)
        did = "has not answered" if fo.stop_request else "could not be asked"
        said = f"The fulfilment service was to stop this parcel and {did} within {minutes} minutes."
        return Stopping(memory, wanted, _case(fo, said))
    because = "The parcel is with a fulfilment service, which is asked to stop; its answer is awaited."
    return Stopping(memory, wanted, because=because, look_at=until)


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
