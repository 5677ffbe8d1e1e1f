"""What the pages of a connection's maps share: whose map it is, the file somebody gives, the change that is undone."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol

from fastapi import UploadFile
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.console import desk
from interlock.console.connections import connection_named
from interlock.console.pages import Console, PageMissing
from interlock.engine.store import ConnectionRow, one_connection


class Shown(Protocol):
    """Shows the page of a map with what a change of it did, or with why it was refused."""

    def __call__(self, *, refused: str = "", mapped: desk.Mapped | None = None) -> Awaitable[Response]: ...


async def connection_of(console: Console, connection_id: int) -> ConnectionRow:
    """The connection with this row number. Raises PageMissing."""
    found = await console.read(lambda c: connection_named(c, str(connection_id)))
    if found is None:
        raise PageMissing(f"There is no connection with the row number {connection_id}.")
    return found


async def change_map(
    console: Console,
    connection_id: int,
    work: Callable[[Connection, ConnectionRow], desk.Mapped],
    shown: Shown,
    file_of: str = "",
) -> Response:
    """Change a map of the connection as it is in that transaction. A refused file of `file_of` is counted; a change of one
    entry has none."""
    await connection_of(console, connection_id)
    try:
        mapped = await console.read(lambda c: work(c, one_connection(c, connection_id)))
    except desk.MapRefused as refused:
        if file_of:
            await console.tally(lambda c: desk.count_refused_file(c, file_of))
        return await shown(refused=str(refused))
    return await shown(mapped=mapped)


async def given_file(file: UploadFile) -> tuple[str, bytes]:
    """A file that was given: its name, without folders and short enough to be repeated, and what is in it, no more than
    one byte beyond the largest that is taken."""
    name = (file.filename or "the file").rpartition("/")[2][:100]
    return name, await file.read(desk.LARGEST_FILE_BYTES + 1)


def moment_before(undo: str) -> datetime:
    """The moment just before a change, which is named by its own. Raises MapRefused."""
    moment = None
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(undo) - timedelta(microseconds=1)
    if moment is None or moment.tzinfo is None:
        raise desk.MapRefused(
            "This names no change of the map. Nothing was changed; use a button under Changes.", field="undo"
        )
    return moment
