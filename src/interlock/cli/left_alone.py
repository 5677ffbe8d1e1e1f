"""`interlock order create`: have an order created of which somebody said that the shop has it already."""

from interlock.cli.installation import opened
from interlock.cli.lineage import Why
from interlock.cli.orders import Number, OfConnection, found_order
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say
from interlock.console.left_alone import CannotCreate, create_after_all


def create_order(
    number: Number, connection: OfConnection = "", why: Why = "", who: Who = "", as_json: AsJson = False
) -> None:
    """Create the Shopify order after all of which somebody said that the shop has it already.

    Look for the sale in Shopify first: a second order would send a second parcel.
    """
    with opened() as installation:
        order_id, now = found_order(installation, number, connection).id, installation.clock.now()
        try:
            asked = installation.tx(
                lambda c: create_after_all(c, installation.queue, order_id, who, why, now)
            )
        except CannotCreate as refused:
            end(Exit.REFUSED, str(refused))
        if as_json:
            print_json(asked)
            return
        say(f"{asked.mirakl_order_id}: {asked.sentence} It is looked at within seconds if a worker runs.")
