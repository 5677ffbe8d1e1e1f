"""What the SKU map has besides its entries: bundles, and both sides line by line as a file."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from interlock.access.audit_log import Did, record
from interlock.access.roles import Permission
from interlock.console import desk
from interlock.console.connections import connection_named
from interlock.console.doors import Who, needs
from interlock.console.export import csv_file
from interlock.console.pages import Console, PageMissing, given_text, seen_other
from interlock.console.skus import COMPARED_COLUMNS, compared, compared_rows, component_of, set_bundle
from interlock.engine.store import ConnectionRow


def sku_routes(routes: APIRouter, console: Console) -> None:
    """Add bundles and the comparison's file to the console."""
    parts = console.parts

    async def connection_of(connection_id: int) -> ConnectionRow:
        found = await console.read(lambda c: connection_named(c, str(connection_id)))
        if found is None:
            raise PageMissing(f"There is no connection with the row number {connection_id}.")
        return found

    @routes.post("/connections/{connection_id}/skus/bundle")
    @needs(Permission.CHANGE_MAPPINGS)
    async def bundle(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        mirakl_sku: Annotated[str, Form(max_length=400)] = "",
        components: Annotated[str, Form(max_length=4000)] = "",
    ) -> Response:
        console.check_form(request, token)
        row, now = await connection_of(connection_id), parts.clock.now()
        given = [part for part in given_text(components).split(",") if part.strip()]
        try:
            made_of = [component_of(part.strip()) for part in given]
            await console.read(lambda c: set_bundle(c, row, given_text(mirakl_sku), made_of, who, now))
        except desk.MapRefused as refused:
            return console.problem(request, 422, str(refused))
        return seen_other(f"/connections/{connection_id}/skus#bundles")

    @routes.get("/connections/{connection_id}/offers.csv")
    @needs(Permission.EXPORT)
    async def offers_file(request: Request, who: Who, connection_id: int) -> Response:
        row, now = await connection_of(connection_id), parts.clock.now()
        await console.read(
            lambda c: record(
                c, who, Did.EXPORTED, f"offers of connection {row.id}", now=now, connection=row.id
            )
        )
        return csv_file(
            parts.store,
            f"{row.name}-offers",
            COMPARED_COLUMNS,
            lambda c, _: (compared_rows(compared(c, row, now)), None),
        )
