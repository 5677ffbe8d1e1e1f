"""`interlock label …`: have a label printed although the label check says no."""

import asyncio
from typing import Annotated

import typer

from interlock.cli.installation import opened
from interlock.cli.orders import OfConnection
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, say
from interlock.engine.labels import LabelCheck, LabelRefused
from interlock.storage.database import InlineStore

commands = typer.Typer(no_args_is_help=True, help="The label check: override.")


@commands.command("override")
def override(
    number: Annotated[str, typer.Argument(help="Any number of the order that the label check takes.")],
    fulfillment_order: Annotated[
        str, typer.Option("--fulfillment-order", help="Its id; needed where several are open.")
    ] = "",
    connection: OfConnection = "",
    why: Annotated[str, typer.Option("--why", help="The reason, kept and shown.")] = "",
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Have the next label check of one fulfillment order say yes, once."""
    with opened() as installation:
        labels = LabelCheck(
            InlineStore(installation.database), installation.clock, installation.queue, engine=None
        )
        try:
            row, kept = asyncio.run(
                labels.override(number, fulfillment_order, who, why, "command line", connection)
            )
        except LabelRefused as refused:
            code = Exit.NOT_FOUND if refused.code in ("unknown_order", "unknown_connection") else Exit.REFUSED
            named = "; ".join(", ".join(one.values()) for one in refused.candidates)
            end(code, f"{refused} {named}".strip())
        if as_json:
            print_json({"order": row.mirakl_order_id, "override": kept})
            return
        say(f"The next label check of {kept.fulfillment_order_id} says yes, once. Against: {kept.against}")
