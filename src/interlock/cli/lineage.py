"""`interlock order link`, `unlink`, `undo-link` and `create`: say by hand which Shopify order stands for a marketplace
order."""

from collections.abc import Callable
from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.cli.installation import Installation, opened
from interlock.cli.orders import Number, OfConnection, found_order
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say
from interlock.console import lineage
from interlock.console.lineage import Asked, LineageRefused

ShopifyOrder = Annotated[
    str,
    typer.Argument(
        help="The Shopify order: a name Interlock knows, its id, or its address in the Shopify admin."
    ),
]
Why = Annotated[str, typer.Option("--why", help="The reason, kept with it.")]


def link_order(
    number: Number,
    shopify_order: ShopifyOrder,
    connection: OfConnection = "",
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Let a Shopify order take over a marketplace order.

    Both orders are held until the one it replaces is cancelled in Shopify. [How a replacement is
    recognised](../how-it-works/replacements.md)
    """
    with opened() as installation:
        order_id, now = found_order(installation, number, connection).id, installation.clock.now()
        _done(
            installation,
            lambda c: lineage.link(c, installation.queue, order_id, shopify_order, who, why, now),
            as_json,
        )


def unlink_order(
    number: Number,
    shopify_order: ShopifyOrder,
    connection: OfConnection = "",
    why: Why = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Say that a Shopify order has nothing to do with a marketplace order: it is released and not asked about again."""
    with opened() as installation:
        order_id, now = found_order(installation, number, connection).id, installation.clock.now()
        _done(
            installation,
            lambda c: lineage.unlink(c, installation.queue, order_id, shopify_order, who, why, now),
            as_json,
        )


def undo_link(
    number: Number, connection: OfConnection = "", why: Why = "", who: Who = "", as_json: AsJson = False
) -> None:
    """Take the last take-over back: the order before it stands again, and somebody is asked what the new one is."""
    with opened() as installation:
        order_id, now = found_order(installation, number, connection).id, installation.clock.now()
        _done(
            installation,
            lambda c: lineage.undo_link(c, installation.queue, order_id, who, why, now),
            as_json,
        )


def create_order(
    number: Number, connection: OfConnection = "", why: Why = "", who: Who = "", as_json: AsJson = False
) -> None:
    """Create the Shopify order after all of which somebody said that the shop has it already.

    Look for the sale in Shopify first: a second order would send a second parcel.
    """
    with opened() as installation:
        order_id, now = found_order(installation, number, connection).id, installation.clock.now()
        _done(
            installation,
            lambda c: lineage.create_after_all(c, installation.queue, order_id, who, why, now),
            as_json,
        )


def _done(installation: Installation, work: Callable[[Connection], Asked], as_json: bool) -> None:
    try:
        asked = installation.tx(work)
    except LineageRefused as refused:
        end(Exit.REFUSED, str(refused))
    if as_json:
        print_json(asked)
        return
    say(f"{asked.mirakl_order_id}: {asked.sentence} It is looked at within seconds if a worker runs.")
