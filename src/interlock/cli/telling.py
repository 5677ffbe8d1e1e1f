"""How commands speak: tables for people, JSON for programs, and exit codes that mean something."""

import dataclasses
import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from interlock.access.audit_log import LONGEST, Asking, asking

UNKNOWN = "unknown"
"""Who runs a command where the system names nobody."""


class Exit(IntEnum):
    """What a command's exit code says."""

    DONE = 0
    NOT_WELL = 1
    """It ran, and what it looked at is not as it should be."""
    USAGE = 2
    """The command was written wrongly."""
    REFUSED = 3
    """Something given cannot be used; nothing was changed."""
    NOT_FOUND = 4
    """There is no such order, case or connection."""
    UNREACHABLE = 5
    """The database or a platform did not answer, or could not do it at the moment."""


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document for programs.")]


def _keep_who(context: typer.Context, who: str) -> str:
    """Remember who runs which command: what it changes leaves an entry in the audit log. A name that no entry could hold ends
    the command before it has done anything."""
    named = " ".join(who.split())
    if len(named) > LONGEST or not named.isprintable():
        end(
            Exit.REFUSED,
            f"The name of who does this (--who) is longer than {LONGEST} characters or holds characters that cannot be shown. "
            "Nothing was changed.",
        )
    # The program's own name depends on how it was started.
    path = " ".join(["interlock", *context.command_path.split()[1:]])
    asking.set(Asking(named or UNKNOWN, "command line", path, None))
    return named


def asked_by() -> str:
    """Who runs the command, as the audit log names them."""
    form = asking.get()
    return UNKNOWN if form is None else form.who


Who = Annotated[
    str,
    typer.Option("--who", envvar="USER", help="Name of the person who does this.", callback=_keep_who),
]


def plain(value: Any) -> Any:
    """A value as JSON data: dataclasses by field, moments and amounts as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value


def print_json(document: Any) -> None:
    """One JSON document on standard output."""
    typer.echo(json.dumps(plain(document), ensure_ascii=False, indent=2))


def say(text: str) -> None:
    """A line for a person."""
    Console().print(Text(text), soft_wrap=True)


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table for a person; what platforms wrote is shown as text, never read as markup."""
    made = Table(title=title or None, title_justify="left", header_style="bold", box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    Console().print(made)
    if not made.row_count:
        Console().print("none", style="dim")


def end(code: Exit, sentence: str) -> NoReturn:
    """Say on standard error why the command ends, and end with this code."""
    Console(file=sys.stderr, stderr=False).print(Text(sentence), soft_wrap=True)
    raise typer.Exit(int(code))
