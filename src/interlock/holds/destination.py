"""Whether what is left to ship goes to the address of its Shopify order."""

from interlock.orders.snapshots import FulfillmentOrder, ShopifyOrder

NOWHERE = "The fulfillment order shows no address to go to, although the Shopify order has one."
ELSEWHERE = "The fulfillment order still goes to another address than the Shopify order."


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
