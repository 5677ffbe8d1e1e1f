"""Lists as CSV files for spreadsheet programs: nothing in them is ever taken for a formula.

UTF-8 with a byte order mark, comma, quotes where needed, CRLF: what RFC 4180 says and spreadsheet programs open by a
click. A text that begins like a formula gets an apostrophe in front, as does one that hides such a beginning behind
blanks; numbers, amounts and moments are written as they are.
"""

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import TypeVar

from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Connection

from interlock.access.audit_log import Did, record
from interlock.console.formulas import looks_like_formula
from interlock.console.lists import Asked, choices
from interlock.console.pages import Console, sealed
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Store

TYPED = ("q", "who", "subject", "assignee")
"""The filters of lists that hold what somebody typed."""

Cell = str | int | Decimal | datetime | bool | None
Mark = TypeVar("Mark")


def cell(value: Cell) -> str:
    """One value as the file has it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.isoformat(timespec="seconds")
        case str():
            return f"'{value}" if looks_like_formula(value) else value
        case _:
            return str(value)


def csv_bytes(rows: Sequence[Sequence[Cell]]) -> bytes:
    """Rows of a file, without its byte order mark."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return written.getvalue().encode()


def csv_text(rows: Sequence[Sequence[Cell]]) -> str:
    """Rows of a file as the command line prints them: with line feeds alone, and safe in a spreadsheet as every file."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([cell(value) for value in row] for row in rows)
    return written.getvalue()


def note_export(c: Connection, who: str, name: str, asked: Asked, now: datetime) -> None:
    """Put into the audit log who takes which list away, as filtered. Raises FilterUnknown before anything is written."""
    choices(c, asked)
    facts = (("connection", asked.connection), ("team", asked.team), *asked.extra)
    # What somebody typed may be about anybody; that there was something is enough.
    kept = {key: "given" if key in TYPED else _shown(value) for key, value in facts if value}
    record(c, who, Did.EXPORTED, name, now=now, facts=kept)


def _shown(value: str) -> str:
    """The value as the audit log can hold it: an address may carry characters that cannot be shown."""
    return "".join(letter if letter.isprintable() else " " for letter in value)


def csv_file(
    store: Store,
    name: str,
    columns: Sequence[str],
    batch: Callable[[Connection, Mark | None], tuple[Sequence[Sequence[Cell]], Mark | None]],
) -> Response:
    """A list as a file to take away. `batch` gives the rows after a mark and the next mark, None when there are no
    more; each batch is read in a transaction of its own while the file is being sent."""

    async def body() -> AsyncIterator[bytes]:
        yield b"\xef\xbb\xbf" + csv_bytes([columns])
        mark: Mark | None = None
        while True:
            rows, mark = await store.tx(partial(_read, batch, mark))
            yield csv_bytes(rows)
            if mark is None:
                return

    response = StreamingResponse(body(), media_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return sealed(response)


async def map_file(
    console: Console,
    who: str,
    row: ConnectionRow,
    name: str,
    columns: Sequence[str],
    rows: Callable[[Connection], Sequence[Sequence[Cell]]],
) -> Response:
    """A map of one connection as a file to take away; the audit log says who took which."""
    now = console.parts.clock.now()
    await console.read(
        lambda c: record(c, who, Did.EXPORTED, f"{name} of connection {row.id}", now=now, connection=row.id)
    )
    return csv_file(console.parts.store, f"{row.name}-{name}", columns, lambda c, _: (rows(c), None))


def _read(
    batch: Callable[[Connection, Mark | None], tuple[Sequence[Sequence[Cell]], Mark | None]],
    mark: Mark | None,
    c: Connection,
) -> tuple[Sequence[Sequence[Cell]], Mark | None]:
    return batch(c, mark)
