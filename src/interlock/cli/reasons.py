"""`interlock reasons …`: which reason code of the marketplace each kind of reduction gives, as a file and as it was."""

from datetime import datetime

import typer
from sqlalchemy import Connection

from interlock.cli.installation import opened
from interlock.cli.maps import File, Name, To, Why, change_map, connection_or_end, moment_or_end, say_changes
from interlock.cli.telling import AsJson, Who, print_json, table
from interlock.console import desk
from interlock.console.reason_codes import (
    read_reason_file,
    reason_rows,
    reasons_as_file,
    roll_back_reasons,
    set_reasons,
)
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, map_history

commands = typer.Typer(no_args_is_help=True, help="The reason codes: list, import, export, rollback.")


@commands.command("list")
def list_reasons(connection: Name, as_json: AsJson = False) -> None:
    """List the reason codes this connection gives the marketplace, and their latest changes."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
        history = installation.tx(lambda c: map_history(c, row.id, "reasons"))
    rows = reason_rows(row.rules)
    if as_json:
        print_json(
            {
                "reasons": [{"use": use, "edit": edit, "code": code} for use, edit, code in rows],
                "history": history,
            }
        )
        return
    table(
        "Reason codes",
        ("use", "edit", "code"),
        ((use, edit or "every other", code) for use, edit, code in rows),
    )
    say_changes(history)


@commands.command("import")
def import_reasons(connection: Name, file: File, who: Who = "", as_json: AsJson = False) -> None:
    """Set the reason codes of a CSV file (use, edit and code); all rows or none.

    What the file does not name stays. Orders that wait are looked at again."""
    body = file.read_bytes()

    def work(c: Connection, queue: Queue, row: ConnectionRow, now: datetime) -> desk.Mapped:
        return set_reasons(c, queue, row, read_reason_file(row, file.name, body), who, now)

    change_map(connection, "reasons", work, as_json, from_file=True)


@commands.command("export")
def export_reasons(connection: Name, as_json: AsJson = False) -> None:
    """Print the reason codes as the CSV file that `interlock reasons import` takes."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
    if as_json:
        print_json([{"use": use, "edit": edit, "code": code} for use, edit, code in reason_rows(row.rules)])
        return
    typer.echo(reasons_as_file(row.rules), nl=False)


@commands.command("rollback")
def roll_back(connection: Name, to: To = "", why: Why = "", who: Who = "", as_json: AsJson = False) -> None:
    """Make the reason codes what they were at a moment; all of them or none, and the history stays."""
    moment = moment_or_end(to)
    change_map(
        connection,
        "reasons",
        lambda c, queue, row, now: roll_back_reasons(c, queue, row, moment, who, why, now),
        as_json,
    )
