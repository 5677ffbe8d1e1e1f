"""Whether a parcel could be delivered with the address the marketplace shows."""

from interlock.orders.hold_words import HoldWords
from interlock.orders.plan import Case
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import TO_SHIP, MiraklOrder


def incomplete_address_case(mirakl: MiraklOrder, hold: HoldWords) -> Case | None:
    """The case of an order that is ready to ship and whose address lacks a part (OR11 `customer.shipping_address`). An
    address that is not shown at all proves nothing: marketplaces hide it at times."""
    if mirakl.state not in TO_SHIP or not mirakl.address.digest or mirakl.address.complete:
        return None
    return Case(
        Reason.ADDRESS_INCOMPLETE,
        "order",
        "The marketplace shows an address that lacks a name, a street, a city, a postcode or the country, so no parcel can "
        "be delivered with it. "
        f"The parcel {hold.is_held}. Ask the customer or the operator through the marketplace for the missing part, and have the "
        f"address corrected there; the order goes on by itself.{hold.lacking}",
        due_at=mirakl.shipping_deadline,
        due_from=mirakl.to_ship_from,
    )
