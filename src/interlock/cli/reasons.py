"""`interlock reasons …`: which reason code of the marketplace each kind of reduction gives, as a file and as it was."""

import typer

from interlock.cli.installation import opened
from interlock.cli.maps import File, Name, To, Why, connection_or_end, say_changes
from interlock.cli.setting_maps import entries_of, export_map, import_map, roll_back_map
from interlock.cli.telling import AsJson, Who, print_json, table
from interlock.console.reason_codes import REASONS, reason_rows
from interlock.engine.store import map_history

commands = typer.Typer(no_args_is_help=True, help="The reason codes: list, import, export, rollback.")


@commands.command("list")
def list_reasons(connection: Name, as_json: AsJson = False) -> None:
    """List the reason codes this connection gives the marketplace, and their latest changes."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
        history = installation.tx(lambda c: map_history(c, row.id, REASONS.name))
    if as_json:
        print_json({"reasons": entries_of(REASONS, row.rules), "history": history})
        return
    table(
        "Reason codes",
        ("use", "edit", "code"),
        ((use, edit or "every other", code) for use, edit, code in reason_rows(row.rules)),
    )
    say_changes(history)


@commands.command("import")
def import_reasons(connection: Name, file: File, who: Who = "", as_json: AsJson = False) -> None:
    """Set the reason codes of a CSV file (use, edit and code); all rows or none.

    What the file does not name stays. Orders that wait are looked at again."""
    import_map(REASONS, connection, file, who, as_json)


@commands.command("export")
def export_reasons(connection: Name, as_json: AsJson = False) -> None:
    """Print the reason codes as the CSV file that `interlock reasons import` takes."""
    export_map(REASONS, connection, as_json)


@commands.command("rollback")
def roll_back(connection: Name, to: To = "", why: Why = "", who: Who = "", as_json: AsJson = False) -> None:
    """Make the reason codes what they were at a moment; all of them or none, and the history stays."""
    roll_back_map(REASONS, connection, to, why, who, as_json)
