"""The titles of a connection's shipping methods: set one by one or from a file, taken away as one, and brought back."""

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
from interlock.console.pages import Console, given_text
from interlock.console.shipping_methods import (
    COLUMNS,
    LONGEST_TITLE,
    MAP,
    method_map,
    method_rows,
    offered_methods,
    read_method_file,
    roll_back_methods,
    set_methods,
)
from interlock.engine.store import ConnectionRow, map_history


def shipping_method_routes(routes: APIRouter, console: Console) -> None:
    """Add the shipping methods to the console."""
    parts = console.parts

    async def shown(
        request: Request, connection_id: int, refused: str = "", mapped: desk.Mapped | None = None
    ) -> Response:
        row = await connection_of(console, connection_id)
        titles, offered = method_map(row.rules), offered_methods(row)
        return console.page(
            request,
            "methods",
            f"Shipping methods of {row.name}",
            422 if refused else 200,
            live=False,
            connection=row,
            refused=refused,
            mapped=mapped,
            methods=[(code, titles.get(code, ""), code in offered) for code in sorted({*offered, *titles})],
            longest=LONGEST_TITLE,
            history=await console.read(lambda c: map_history(c, row.id, MAP)),
        )

    @routes.get("/connections/{connection_id}/methods")
    @needs(Permission.SEE)
    async def methods(request: Request, connection_id: int) -> Response:
        return await shown(request, connection_id)

    @routes.get("/connections/{connection_id}/methods.csv")
    @needs(Permission.EXPORT)
    async def as_file(request: Request, who: Who, connection_id: int) -> Response:
        row = await connection_of(console, connection_id)
        return await map_file(console, who, row, MAP, COLUMNS, lambda c: method_rows(row.rules))

    @routes.post("/connections/{connection_id}/methods")
    @needs(Permission.CHANGE_MAPPINGS)
    async def one_method(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        code: Annotated[str, Form(max_length=200)] = "",
        title: Annotated[str, Form(max_length=400)] = "",
    ) -> Response:
        console.check_form(request, token)
        now, titles = parts.clock.now(), {given_text(code): given_text(title)}

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return set_methods(c, parts.queue, row, titles, who, now)

        return await change_map(console, connection_id, work, partial(shown, request, connection_id))

    @routes.post("/connections/{connection_id}/methods/file")
    @needs(Permission.CHANGE_MAPPINGS)
    async def method_file(
        request: Request,
        who: Who,
        connection_id: int,
        file: UploadFile,
        token: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        (named, body), now = await given_file(file), parts.clock.now()

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return set_methods(c, parts.queue, row, read_method_file(row, named, body), who, now)

        return await change_map(
            console, connection_id, work, partial(shown, request, connection_id), file_of=MAP
        )

    @routes.post("/connections/{connection_id}/methods/rollback")
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
        now, reason = parts.clock.now(), given_text(why)

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return roll_back_methods(c, parts.queue, row, moment_before(undo), who, reason, now)

        return await change_map(console, connection_id, work, partial(shown, request, connection_id))
