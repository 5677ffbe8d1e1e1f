"""What the pages of a connection's maps share: whose map it is, the file somebody gives, the change that is undone; and
the whole page of a map that is kept in the connection's settings."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console import desk
from interlock.console.connections import connection_named
from interlock.console.doors import Who, needs
from interlock.console.export import map_file
from interlock.console.pages import Console, PageMissing, given_text
from interlock.console.setting_maps import SettingMap
from interlock.engine.store import ConnectionRow, map_history, one_connection


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
        named = datetime.fromisoformat(undo) - timedelta(microseconds=1)
        moment = named if named.tzinfo is None else named.astimezone(UTC)
    if moment is None or moment.tzinfo is None:
        raise desk.MapRefused(
            "This names no change of the map. Nothing was changed; use a button under Changes.", field="undo"
        )
    return moment


SetEntry = Callable[[Request, int, str, str, str], Awaitable[Response]]
"""Sets one entry: the request, the connection, who, the place and what stands there."""


def setting_map_routes(
    routes: APIRouter,
    console: Console,
    kept: SettingMap,
    shown_besides: Callable[[Connection, ConnectionRow], dict[str, Any]],
) -> SetEntry:
    """Add a map's page with its history, its file, what takes one, and what brings it back. `shown_besides` is what the
    page shows of this map alone. Returns what the form of one entry calls, as each map asks for other things there."""
    parts = console.parts
    path = f"/connections/{{connection_id}}/{kept.name}"

    async def shown(
        request: Request, connection_id: int, refused: str = "", mapped: desk.Mapped | None = None
    ) -> Response:
        row = await connection_of(console, connection_id)
        context = await console.read(
            lambda c: {"history": map_history(c, row.id, kept.name), **shown_besides(c, row)}
        )
        title, status = f"{kept.title} of {row.name}", 422 if refused else 200
        context |= {"connection": row, "refused": refused, "mapped": mapped}
        return console.page(request, kept.name, title, status, live=False, **context)

    @routes.get(path)
    @needs(Permission.SEE)
    async def page(request: Request, connection_id: int) -> Response:
        return await shown(request, connection_id)

    @routes.get(f"{path}.csv")
    @needs(Permission.EXPORT)
    async def as_file(request: Request, who: Who, connection_id: int) -> Response:
        row = await connection_of(console, connection_id)
        return await map_file(console, who, row, kept.name, kept.columns, lambda c: kept.rows(row.rules))

    @routes.post(f"{path}/file")
    @needs(Permission.CHANGE_MAPPINGS)
    async def from_file(
        request: Request,
        who: Who,
        connection_id: int,
        file: UploadFile,
        token: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        (named, body), now = await given_file(file), parts.clock.now()

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return kept.keep(c, parts.queue, row, kept.read_file(row, named, body), who, now)

        show = partial(shown, request, connection_id)
        return await change_map(console, connection_id, work, show, file_of=kept.name)

    @routes.post(f"{path}/rollback")
    @needs(Permission.CHANGE_MAPPINGS)
    async def roll_back(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        undo: Annotated[str, Form(max_length=60)] = "",
        why: Annotated[str, Form(max_length=400)] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return kept.roll_back(c, parts.queue, row, moment_before(undo), who, given_text(why), now)

        return await change_map(console, connection_id, work, partial(shown, request, connection_id))

    async def set_entry(request: Request, connection_id: int, who: str, place: str, value: str) -> Response:
        now = parts.clock.now()

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return kept.keep(c, parts.queue, row, {place: value}, who, now)

        return await change_map(console, connection_id, work, partial(shown, request, connection_id))

    return set_entry
