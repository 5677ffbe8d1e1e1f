"""How every SKU is at every marketplace; and what the SKU map has besides its entries: bundles, both sides as a file."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console import desk
from interlock.console.bundles import COLUMNS as BUNDLE_COLUMNS
from interlock.console.bundles import bundle_rows, component_of, set_bundle
from interlock.console.doors import Who, needs
from interlock.console.export import Cell, csv_file, map_file, note_export
from interlock.console.lists import asked_of, choices
from interlock.console.map_pages import connection_of
from interlock.console.pages import Console, given_text, seen_other
from interlock.console.sku_health import COLUMNS, OWN_FILTERS, file_row, skus_page
from interlock.console.skus import COMPARED_COLUMNS, compared, compared_rows
from interlock.monitoring.sku_health import STATES
from interlock.monitoring.skus import drift_of_all

EXPORTED_AT_ONCE = 500


def sku_routes(routes: APIRouter, console: Console) -> None:
    """Add bundles and the comparison's file to the console."""
    parts = console.parts

    @routes.get("/skus")
    @needs(Permission.SEE, lists=True)
    async def skus(request: Request) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()

        def read(c: Connection) -> dict[str, Any]:
            offered = choices(c, asked)
            found, next_mark = skus_page(c, asked, now)
            drift = drift_of_all(c, now, asked.connection)
            return {"choices": offered, "skus": found, "next_mark": next_mark, "drift": drift}

        found = await console.read(read)
        return console.page(request, "sku_health", "SKUs", live=False, asked=asked, states=STATES, **found)

    @routes.get("/skus.csv")
    @needs(Permission.EXPORT, lists=True)
    async def skus_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()

        def first(c: Connection) -> None:
            choices(c, asked)
            skus_page(c, asked, now, 1)  # what cannot be filtered by is said before the file begins
            note_export(c, who, "skus", asked, now)

        await console.read(first)

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            found, next_mark = skus_page(c, replace(asked, after=mark or asked.after), now, EXPORTED_AT_ONCE)
            return [file_row(one) for one in found], next_mark or None

        return csv_file(parts.store, "skus", COLUMNS, batch)

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
        row, now = await connection_of(console, connection_id), parts.clock.now()
        given = [part for part in given_text(components).split(",") if part.strip()]
        try:
            made_of = [component_of(part.strip()) for part in given]
            await console.read(
                lambda c: set_bundle(c, parts.queue, row, given_text(mirakl_sku), made_of, who, now)
            )
        except desk.MapRefused as refused:
            return console.problem(request, 422, str(refused))
        return seen_other(f"/connections/{connection_id}/skus#bundles")

    @routes.get("/connections/{connection_id}/offers.csv")
    @needs(Permission.EXPORT)
    async def offers_file(request: Request, who: Who, connection_id: int) -> Response:
        row, now = await connection_of(console, connection_id), parts.clock.now()
        return await map_file(
            console, who, row, "offers", COMPARED_COLUMNS, lambda c: compared_rows(compared(c, row, now))
        )

    @routes.get("/connections/{connection_id}/bundles.csv")
    @needs(Permission.EXPORT)
    async def bundles_file(request: Request, who: Who, connection_id: int) -> Response:
        row = await connection_of(console, connection_id)
        return await map_file(console, who, row, "bundles", BUNDLE_COLUMNS, lambda c: bundle_rows(c, row.id))
