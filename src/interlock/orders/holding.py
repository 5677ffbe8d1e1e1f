"""Our hold on a fulfillment order as several rooms see it: whether it is on, and whether it will be placed (again)."""

from collections.abc import Collection
from datetime import datetime

from interlock.orders.actions import Action, PlaceHold
from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Incident, Memory, Rehold
from interlock.orders.plan import Case
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import FulfillmentOrder, ShopifyOrder
from interlock.orders.view import OpenOperation, View

MOST_RELEASES = 2
"""So often others take our hold off before it is left to people: after the first time it is placed once more."""


def our_holds(fo: FulfillmentOrder, rules: ConnectionRules) -> tuple[str, ...]:
    """Holds that our app placed under our handle; nobody else's is ever touched."""
    return tuple(hold.id for hold in fo.holds if hold.ours and hold.handle == rules.hold_handle)


def let_go_of(
    order: ShopifyOrder, actions: Collection[Action], cases: Collection[Case]
) -> tuple[FulfillmentOrder, ...]:
    """Open parcels of the order on which no hold is, whoever's, and none is about to be placed: a hold among `actions` that
    one of `cases` says Shopify does not take is none. One that a service goes on with is let go with a hold, too."""
    placing = {action.fulfillment_order_id for action in actions if isinstance(action, PlaceHold)}
    placing -= {case.subject for case in cases if case.reason is Reason.CANNOT_HOLD}
    return tuple(
        fo
        for fo in order.fulfillment_orders
        if fo.is_open and (service_goes_on(fo) or (not fo.holds and fo.id not in placing))
    )


def service_goes_on(fo: FulfillmentOrder) -> bool:
    """Whether a fulfilment service has the parcel and did not give it back: a hold recalls nothing there."""
    return fo.with_service and fo.stop_request != "ACCEPTED"


def rehold_of(fo: FulfillmentOrder, memory: Memory) -> Rehold | None:
    """What is remembered of others having taken our hold off this fulfillment order."""
    return next((rehold for rehold in memory.reholds if rehold.fulfillment_order_id == fo.id), None)


def may_hold_again(fo: FulfillmentOrder, memory: Memory) -> bool:
    """After a second release by others only a later change of the linked order is a reason to hold its parcel once more."""
    rehold = rehold_of(fo, memory)
    if rehold is None or rehold.times < MOST_RELEASES:
        return True
    return memory.content_since is not None and memory.content_since > rehold.at


def releases_told(memory: Memory, fo: FulfillmentOrder) -> tuple[Incident, ...]:
    """The incidents that others took our hold off this fulfillment order, open or closed."""
    return tuple(
        one for one in memory.incidents if one.reason is Reason.HOLD_RELEASED_BY_OTHERS and one.about == fo.id
    )


def with_release_told(memory: Memory, fo: FulfillmentOrder, at: datetime, sentence: str) -> Memory:
    """The hold is left to people, which an incident tells them unless one that is open does; each after the first has a number
    behind its subject."""
    told = releases_told(memory, fo)
    if any(one.closed_at is None for one in told):
        return memory
    subject = f"{fo.id} {1 + len(told)}" if told else fo.id
    return memory.with_incident(Incident(Reason.HOLD_RELEASED_BY_OTHERS, subject, at, sentence))


def refusal_of_hold(view: View, fo: FulfillmentOrder) -> OpenOperation | None:
    """Our latest hold of it that Shopify refused, as long as that stands."""
    refused = [
        op
        for op in view.operations
        if op.state == "REJECTED"
        and isinstance(op.action, PlaceHold)
        and op.action.fulfillment_order_id == fo.id
    ]
    return refused[-1] if refused else None
