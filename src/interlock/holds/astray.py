"""Whether what is left to ship goes to the address of its Shopify order, and who is asked when it does not."""

from dataclasses import replace
from datetime import timedelta

from interlock.orders.memory import Memory
from interlock.orders.plan import Case, Part
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import DEAD, FulfillmentOrder, MiraklOrder, ShopifyOrder
from interlock.orders.view import View

NOWHERE = "The fulfillment order shows no address to go to, although the Shopify order has one."
ELSEWHERE = "The fulfillment order still goes to another address than the Shopify order."
FOLLOWS_WITHIN = timedelta(minutes=5)
"""So long Shopify may take to carry a changed address to the fulfillment orders before somebody is asked."""
LOOK_AGAIN = timedelta(minutes=15)
"""Whether Shopify tells anybody when a destination follows after all is not documented, so it is looked at."""


def astray(shopify: ShopifyOrder) -> tuple[FulfillmentOrder, ...]:
    """The open fulfillment orders whose parcel would go to another address than the order's, or to none.

    A fulfillment order keeps a snapshot of its own (FulfillmentOrder.destination), which is what a label shows; whether a
    change of the order's address reaches it is not documented (Shopify reference 8, 15.16). An order without an address
    sends nothing astray: that it has none is said elsewhere. What is fetched and what needs no shipping goes nowhere.
    """
    if not shopify.address.digest:
        return ()
    shipped = {line.id: line.requires_shipping for line in shopify.lines}
    return tuple(
        fo
        for fo in shopify.fulfillment_orders
        if fo.is_open
        and not fo.collected
        and fo.destination.digest != shopify.address.digest
        and any(units > 0 and shipped.get(line_id, True) for line_id, units in fo.remaining)
    )


def astray_because(found: tuple[FulfillmentOrder, ...]) -> tuple[str, ...]:
    """What is wrong with these, in words."""
    return tuple(dict.fromkeys(ELSEWHERE if fo.destination.digest else NOWHERE for fo in found))


def watched(view: View, memory: Memory, shopify: ShopifyOrder, mirakl: MiraklOrder | None) -> Part:
    """The case about parcels that go astray, once Shopify had its time to carry the address on. It asks for no call: no
    mutation of the Admin API writes a destination (Shopify reference 10.5)."""
    if mirakl is None:
        return Part(memory)
    found = astray(shopify) if mirakl.state not in DEAD and shopify.address.complete else ()
    if not found:
        return Part(replace(memory, astray_since=None))
    since = memory.astray_since or view.now
    memory = replace(memory, astray_since=since)
    if view.now < since + FOLLOWS_WITHIN:
        return Part(memory, look_at=since + FOLLOWS_WITHIN)
    return Part(memory, cases=(_case(memory, mirakl, found),), look_at=view.now + LOOK_AGAIN)


def _case(memory: Memory, mirakl: MiraklOrder, found: tuple[FulfillmentOrder, ...]) -> Case:
    if memory.released_at is None:
        held = "It is not released before they agree."
    else:
        held = "Our hold was taken off before, so it can leave like this: tell the warehouse to wait."
    return Case(
        Reason.DESTINATION_DIFFERS,
        "order",
        f"{' '.join(astray_because(found))} Its label would show what the fulfillment order shows. {held} Save the address "
        "of the Shopify order once more; where that changes nothing, move the fulfillment order to another location, which "
        "makes a new one, and back.",
        facts=tuple(
            (
                f"Fulfillment order {fo.id.rpartition('/')[2]}",
                "goes to another address" if fo.destination.digest else "shows no address",
            )
            for fo in found
        ),
        due_at=mirakl.shipping_deadline,
    )
