"""`interlock methods …`: what each shipping method of the marketplace is called on the Shopify order."""

from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy import Connection

from interlock.cli.installation import opened
from interlock.cli.maps import File, Name, To, Why, change_map, connection_or_end, say_changes
from interlock.cli.setting_maps import entries_of, export_map, import_map, roll_back_map
from interlock.cli.telling import AsJson, Exit, Who, end, print_json, table
from interlock.console import desk
from interlock.console.shipping_methods import METHODS, method_map, offered_methods, set_methods
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, map_history

commands = typer.Typer(
    no_args_is_help=True,
    help="The titles of shipping methods: list, map, unmap, import, export, rollback.",
)
Code = Annotated[str, typer.Argument(help="The marketplace's code of the shipping method.")]


@commands.command("list")
def list_methods(connection: Name, as_json: AsJson = False) -> None:
    """List the marketplace's shipping methods with the titles that are set, and their latest changes."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
        history = installation.tx(lambda c: map_history(c, row.id, METHODS.name))
    titles, offered = method_map(row.rules), offered_methods(row)
    if as_json:
        print_json({"methods": entries_of(METHODS, row.rules), "offered": offered, "history": history})
        return
    table(
        "Shipping methods",
        ("code", "title in Shopify", ""),
        (
            (
                code,
                titles.get(code, "as the marketplace says"),
                "" if code in offered else "not offered any more",
            )
            for code in sorted({*offered, *titles})
        ),
    )
    say_changes(history)


@commands.command("map")
def map_method(
    connection: Name,
    code: Code,
    title: Annotated[str, typer.Argument(help="What the Shopify order's shipping line is called.")],
    who: Who = "",
    as_json: AsJson = False,
) -> None:
    """Say what one shipping method is called on orders that are created from now on."""
    if not title.strip():
        end(
            Exit.REFUSED, "The title is empty. Nothing was changed; `interlock methods unmap` takes one away."
        )

    def work(c: Connection, queue: Queue, row: ConnectionRow, now: datetime) -> desk.Mapped:
        return set_methods(c, queue, row, {code.strip(): title.strip()}, who, now)

    change_map(connection, METHODS.name, work, as_json)


@commands.command("unmap")
def unmap_method(connection: Name, code: Code, why: Why = "", who: Who = "", as_json: AsJson = False) -> None:
    """Take the title of one shipping method away; new orders carry the marketplace's own label."""

    def work(c: Connection, queue: Queue, row: ConnectionRow, now: datetime) -> desk.Mapped:
        desk.check_reason(who, why)
        return set_methods(c, queue, row, {code.strip(): ""}, who, now, why)

    change_map(connection, METHODS.name, work, as_json)


@commands.command("import")
def import_methods(connection: Name, file: File, who: Who = "", as_json: AsJson = False) -> None:
    """Set the titles of a CSV file (code and title); all rows or none.

    What the file does not name stays. Orders that exist keep their title."""
    import_map(METHODS, connection, file, who, as_json)


@commands.command("export")
def export_methods(connection: Name, as_json: AsJson = False) -> None:
    """Print the titles as the CSV file that `interlock methods import` takes."""
    export_map(METHODS, connection, as_json)


@commands.command("rollback")
def roll_back(connection: Name, to: To = "", why: Why = "", who: Who = "", as_json: AsJson = False) -> None:
    """Make the titles what they were at a moment; all of them or none, and the history stays."""
    roll_back_map(METHODS, connection, to, why, who, as_json)
