"""What the commands of maps that are kept in a connection's settings share: a file that comes in or goes out, and the way
back."""

from datetime import datetime
from pathlib import Path

import typer
from sqlalchemy import Connection

from interlock.cli.installation import opened
from interlock.cli.maps import change_map, connection_or_end, moment_or_end
from interlock.cli.telling import print_json
from interlock.console import desk
from interlock.console.setting_maps import SettingMap
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow
from interlock.orders.connection import ConnectionRules


def entries_of(kept: SettingMap, rules: ConnectionRules) -> list[dict[str, str]]:
    """The entries of the map as programs get them."""
    return [dict(zip(kept.columns, row, strict=True)) for row in kept.rows(rules)]


def import_map(kept: SettingMap, connection: str, file: Path, who: str, as_json: bool) -> None:
    """Keep the entries of a file."""
    body = file.read_bytes()

    def work(c: Connection, queue: Queue, row: ConnectionRow, now: datetime) -> desk.Mapped:
        return kept.keep(c, queue, row, kept.read_file(row, file.name, body), who, now)

    change_map(connection, kept.name, work, as_json, from_file=True)


def export_map(kept: SettingMap, connection: str, as_json: bool) -> None:
    """Print the map as the file that is taken again."""
    with opened() as installation:
        row = connection_or_end(installation, connection)
    if as_json:
        print_json(entries_of(kept, row.rules))
    else:
        typer.echo(kept.as_file(row.rules), nl=False)


def roll_back_map(kept: SettingMap, connection: str, to: str, why: str, who: str, as_json: bool) -> None:
    """Make the map what it was at a moment."""
    moment = moment_or_end(to)

    def work(c: Connection, queue: Queue, row: ConnectionRow, now: datetime) -> desk.Mapped:
        return kept.roll_back(c, queue, row, moment, who, why, now)

    change_map(connection, kept.name, work, as_json)
