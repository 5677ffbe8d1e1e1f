"""The reason codes of a connection: set one by one or from a file, taken away as one, and brought back."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console import desk
from interlock.console.doors import Who, needs
from interlock.console.export import map_file
from interlock.console.map_pages import change_map, connection_of, given_file, moment_before
from interlock.console.missing_reasons import missing_reasons
from interlock.console.pages import Console, given_text
from interlock.console.reason_codes import (
    COLUMNS,
    EDITS,
    offered_codes,
    read_reason_file,
    reason_rows,
    roll_back_reasons,
    set_reasons,
)
from interlock.engine.store import ConnectionRow, map_history


def reason_routes(routes: APIRouter, console: Console) -> None:
    """Add the reason codes to the console."""
    parts = console.parts

    async def shown(
        request: Request, connection_id: int, refused: str = "", mapped: desk.Mapped | None = None
    ) -> Response:
        row = await connection_of(console, connection_id)
        history, (missing, _) = await console.read(
            lambda c: (map_history(c, row.id, "reasons"), missing_reasons(c, row))
        )
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
            history=history,
            missing=missing,
        )

    @routes.get("/connections/{connection_id}/reasons")
    @needs(Permission.SEE)
    async def reasons(request: Request, connection_id: int) -> Response:
        return await shown(request, connection_id)

    @routes.get("/connections/{connection_id}/reasons.csv")
    @needs(Permission.EXPORT)
    async def as_file(request: Request, who: Who, connection_id: int) -> Response:
        row = await connection_of(console, connection_id)
        return await map_file(console, who, row, "reasons", COLUMNS, lambda c: reason_rows(row.rules))

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

        return await change_map(console, connection_id, work, partial(shown, request, connection_id))

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
        (named, body), now = await given_file(file), parts.clock.now()

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return set_reasons(c, parts.queue, row, read_reason_file(row, named, body), who, now)

        return await change_map(
            console, connection_id, work, partial(shown, request, connection_id), file_of="reasons"
        )

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

        return await change_map(console, connection_id, work, partial(shown, request, connection_id))
