"""The reason codes of a connection: set one by one or from a file, taken away as one, and brought back."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.audit_log import Did, record
from interlock.access.roles import Permission
from interlock.console import desk
from interlock.console.connections import connection_named
from interlock.console.doors import Who, needs
from interlock.console.export import csv_file
from interlock.console.mapping_pages import file_name, moment_before
from interlock.console.pages import Console, PageMissing, given_text
from interlock.console.reason_codes import (
    COLUMNS,
    EDITS,
    offered_codes,
    read_reason_file,
    reason_rows,
    roll_back_reasons,
    set_reasons,
)
from interlock.engine.store import ConnectionRow, map_history, one_connection


def reason_routes(routes: APIRouter, console: Console) -> None:
    """Add the reason codes to the console."""
    parts = console.parts

    async def connection_of(connection_id: int) -> ConnectionRow:
        found = await console.read(lambda c: connection_named(c, str(connection_id)))
        if found is None:
            raise PageMissing(f"There is no connection with the row number {connection_id}.")
        return found

    async def shown(
        request: Request, connection_id: int, refused: str = "", mapped: desk.Mapped | None = None
    ) -> Response:
        row = await connection_of(connection_id)
        return console.page(
            request,
            "reasons",
            f"Reason codes of {row.name}",
            422 if refused else 200,
            live=False,
            connection=row,
            refused=refused,
            mapped=mapped,
            codes=reason_rows(row.rules),
            offered=offered_codes(row),
            edits=EDITS,
            history=await console.read(lambda c: map_history(c, row.id, "reasons")),
        )

    async def keep(
        request: Request,
        connection_id: int,
        work: Callable[[Connection, ConnectionRow], desk.Mapped],
        file: bool = False,
    ) -> Response:
        await connection_of(connection_id)
        try:
            mapped = await console.read(lambda c: work(c, one_connection(c, connection_id)))
        except desk.MapRefused as refused:
            if file:
                await console.tally(lambda c: desk.count_refused_file(c, "reasons"))
            return await shown(request, connection_id, refused=str(refused))
        return await shown(request, connection_id, mapped=mapped)

    @routes.get("/connections/{connection_id}/reasons")
    @needs(Permission.SEE)
    async def reasons(request: Request, connection_id: int) -> Response:
        return await shown(request, connection_id)

    @routes.get("/connections/{connection_id}/reasons.csv")
    @needs(Permission.EXPORT)
    async def as_file(request: Request, who: Who, connection_id: int) -> Response:
        row, now = await connection_of(connection_id), parts.clock.now()
        await console.read(
            lambda c: record(
                c, who, Did.EXPORTED, f"reasons of connection {row.id}", now=now, connection=row.id
            )
        )
        return csv_file(
            parts.store, f"{row.name}-reasons", COLUMNS, lambda c, _: (reason_rows(row.rules), None)
        )

    @routes.post("/connections/{connection_id}/reasons")
    @needs(Permission.CHANGE_MAPPINGS)
    async def one_reason(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        choice: Annotated[str, Form(max_length=400)] = "",
        edit: Annotated[str, Form(max_length=60)] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        use, _, code = given_text(choice).partition(" ")

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return set_reasons(c, parts.queue, row, {f"{use} {given_text(edit)}".strip(): code}, who, now)

        return await keep(request, connection_id, work)

    @routes.post("/connections/{connection_id}/reasons/file")
    @needs(Permission.CHANGE_MAPPINGS)
    async def reason_file(
        request: Request,
        who: Who,
        connection_id: int,
        file: UploadFile,
        token: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        named, body = file_name(file), await file.read(desk.LARGEST_FILE_BYTES + 1)
        now = parts.clock.now()

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return set_reasons(c, parts.queue, row, read_reason_file(row, named, body), who, now)

        return await keep(request, connection_id, work, file=True)

    @routes.post("/connections/{connection_id}/reasons/rollback")
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
            to = moment_before(undo)
            return roll_back_reasons(c, parts.queue, row, to, who, given_text(why), now)

        return await keep(request, connection_id, work)
