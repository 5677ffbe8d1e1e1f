"""The carrier and SKU maps of a connection, kept one by one or from a file."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console import desk
from interlock.console.bundles import read_bundle_file, set_bundles
from interlock.console.carriers import COLUMNS as CARRIER_COLUMNS
from interlock.console.carriers import roll_back_carriers
from interlock.console.doors import Who, needs, own_of
from interlock.console.export import csv_file, map_file, note_export
from interlock.console.lists import asked_of, choices
from interlock.console.map_pages import change_map, connection_of, given_file, moment_before
from interlock.console.mappings import carrier_desk, every_mapping, map_overview, map_rows, sku_desk
from interlock.console.pages import Console, given_text
from interlock.console.skus import offer_state, roll_back_skus
from interlock.engine.store import ConnectionRow
from interlock.orders.connection import CarrierMapping

Kind = Literal["carriers", "skus"]
KindOfFile = Literal["carriers", "skus", "bundles"]
FILE_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "carriers": CARRIER_COLUMNS,
    "skus": ("mirakl_sku", "shop_sku"),
}
OVERVIEW_COLUMNS = ("connection", "map", "name", "mapped to", "by", "at")


def mapping_routes(routes: APIRouter, console: Console) -> None:
    """Add the maps to the console."""
    parts = console.parts

    async def map_page(
        request: Request, connection_id: int, kind: str, refused: str = "", mapped: desk.Mapped | None = None
    ) -> Response:
        row = await connection_of(console, connection_id)
        subject = "" if mapped is not None else given_text(request.query_params.get("subject", ""))
        context: dict[str, Any] = {
            "connection": row,
            "refused": refused,
            "mapped": mapped,
            "subject": subject,
        }
        if kind == "carriers":
            context["desk"] = await console.read(lambda c: carrier_desk(c, row, own_of(request)))
        else:
            now = parts.clock.now()
            context["desk"], context["state"] = await console.read(
                lambda c: (sku_desk(c, row), offer_state(c, row, subject, now, own_of(request)))
            )
        title = f"{'Carrier' if kind == 'carriers' else 'SKU'} map of {row.name}"
        return console.page(request, kind, title, 422 if refused else 200, live=False, **context)

    async def keep(
        request: Request,
        connection_id: int,
        kind: str,
        work: Callable[[Connection, ConnectionRow], desk.Mapped],
        file_of: str = "",
    ) -> Response:
        return await change_map(
            console, connection_id, work, partial(map_page, request, connection_id, kind), file_of
        )

    @routes.get("/connections/{connection_id}/carriers")
    @needs(Permission.SEE)
    async def carriers(request: Request, connection_id: int) -> Response:
        return await map_page(request, connection_id, "carriers")

    @routes.get("/connections/{connection_id}/skus")
    @needs(Permission.SEE)
    async def skus(request: Request, connection_id: int) -> Response:
        return await map_page(request, connection_id, "skus")

    @routes.post("/connections/{connection_id}/carriers")
    @needs(Permission.CHANGE_MAPPINGS)
    async def map_carrier(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        shop_name: Annotated[str, Form()] = "",
        code: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
        country: Annotated[str, Form()] = "",
        service: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        mapping, now = (
            CarrierMapping(
                given_text(shop_name),
                given_text(code),
                given_text(name),
                given_text(country).upper(),
                given_text(service),
            ),
            parts.clock.now(),
        )

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            return desk.map_carrier_names(c, parts.queue, row, [mapping], who, now)

        return await keep(request, connection_id, "carriers", work)

    @routes.post("/connections/{connection_id}/skus")
    @needs(Permission.CHANGE_MAPPINGS)
    async def map_sku(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        mirakl_sku: Annotated[str, Form()] = "",
        shop_sku: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            pairs = [(given_text(mirakl_sku), given_text(shop_sku))]
            return desk.map_sku_names(c, parts.queue, row, pairs, who, now)

        return await keep(request, connection_id, "skus", work)

    @routes.post("/connections/{connection_id}/{kind}/remove")
    @needs(Permission.CHANGE_MAPPINGS)
    async def remove(
        request: Request,
        who: Who,
        connection_id: int,
        kind: Kind,
        token: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
        country: Annotated[str, Form()] = "",
        service: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now, unmapped, reason = parts.clock.now(), given_text(name), given_text(why)
        scope = given_text(country), given_text(service)

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            if kind == "carriers":
                return desk.unmap_carrier_name(c, parts.queue, row, unmapped, who, reason, now, *scope)
            return desk.unmap_sku_name(c, row, unmapped, who, reason, now)

        return await keep(request, connection_id, kind, work)

    @routes.post("/connections/{connection_id}/{kind}/rollback")
    @needs(Permission.CHANGE_MAPPINGS)
    async def roll_back(
        request: Request,
        who: Who,
        connection_id: int,
        kind: Kind,
        token: Annotated[str, Form()] = "",
        undo: Annotated[str, Form(max_length=60)] = "",
        why: Annotated[str, Form(max_length=400)] = "",
    ) -> Response:
        console.check_form(request, token)
        now, reason = parts.clock.now(), given_text(why)

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            to = moment_before(undo)
            if kind == "carriers":
                return roll_back_carriers(c, parts.queue, row, to, who, reason, now)
            return roll_back_skus(c, parts.queue, row, to, who, reason, now)

        return await keep(request, connection_id, kind, work)

    @routes.get("/connections/{connection_id}/{kind}.csv")
    @needs(Permission.EXPORT)
    async def as_file(request: Request, who: Who, connection_id: int, kind: Kind) -> Response:
        row = await connection_of(console, connection_id)
        return await map_file(console, who, row, kind, FILE_COLUMNS[kind], lambda c: map_rows(c, row, kind))

    @routes.get("/mappings")
    @needs(Permission.SEE, lists=True)
    async def overview(request: Request) -> Response:
        asked = asked_of(request)
        offered, found = await console.read(lambda c: (choices(c, asked), map_overview(c, asked.connection)))
        return console.page(request, "mappings", "Mappings", asked=asked, choices=offered, maps=found)

    @routes.get("/mappings.csv")
    @needs(Permission.EXPORT, lists=True)
    async def overview_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request), parts.clock.now()
        await console.read(lambda c: note_export(c, who, "mappings", asked, now))
        return csv_file(
            parts.store, "mappings", OVERVIEW_COLUMNS, lambda c, _: (every_mapping(c, asked.connection), None)
        )

    @routes.post("/connections/{connection_id}/{kind}/file")
    @needs(Permission.CHANGE_MAPPINGS)
    async def from_file(
        request: Request,
        who: Who,
        connection_id: int,
        kind: KindOfFile,
        file: UploadFile,
        token: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        (named, body), now = await given_file(file), parts.clock.now()

        def work(c: Connection, row: ConnectionRow) -> desk.Mapped:
            match kind:
                case "carriers":
                    mappings = desk.read_carrier_file(row, named, body)
                    return desk.map_carrier_names(c, parts.queue, row, mappings, who, now)
                case "skus":
                    pairs = desk.read_sku_file(named, body)
                    return desk.map_sku_names(c, parts.queue, row, pairs, who, now)
                case "bundles":
                    return set_bundles(c, parts.queue, row, read_bundle_file(named, body), who, now)

        page = "carriers" if kind == "carriers" else "skus"
        return await keep(request, connection_id, page, work, file_of=kind)
