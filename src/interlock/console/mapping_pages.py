"""The carrier and SKU maps of a connection, kept one by one or from a file."""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.audit_log import Did, record
from interlock.access.roles import Permission
from interlock.console import desk
from interlock.console.bundles import read_bundle_file, set_bundles
from interlock.console.carriers import roll_back_carriers
from interlock.console.connections import connection_named
from interlock.console.doors import Who, needs
from interlock.console.export import csv_file, note_export
from interlock.console.lists import asked_of, choices
from interlock.console.mappings import carrier_desk, every_mapping, map_overview, map_rows, sku_desk
from interlock.console.pages import Console, PageMissing, given_text
from interlock.console.skus import offer_state, roll_back_skus
from interlock.engine.store import ConnectionRow, one_connection
from interlock.orders.connection import CarrierMapping

Kind = Literal["carriers", "skus"]
FILE_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "carriers": ("shop_name", "code", "name", "country", "service"),
    "skus": ("mirakl_sku", "shop_sku"),
}
OVERVIEW_COLUMNS = ("connection", "map", "name", "mapped to", "by", "at")


def mapping_routes(routes: APIRouter, console: Console) -> None:
    """Add the maps to the console."""
    parts = console.parts

    async def connection_of(connection_id: int) -> ConnectionRow:
        def find(c: Connection) -> ConnectionRow | None:
            return connection_named(c, str(connection_id))

        found = await console.read(find)
        if found is None:
            raise PageMissing(f"There is no connection with the row number {connection_id}.")
        return found

    async def map_page(
        request: Request, connection_id: int, kind: str, refused: str = "", mapped: desk.Mapped | None = None
    ) -> Response:
        row = await connection_of(connection_id)
        subject = "" if mapped is not None else given_text(request.query_params.get("subject", ""))
        context: dict[str, Any] = {
            "connection": row,
            "refused": refused,
            "mapped": mapped,
            "subject": subject,
        }
        if kind == "carriers":
            context["desk"] = await console.read(lambda c: carrier_desk(c, row))
        else:
            now = parts.clock.now()
            context["desk"], context["state"] = await console.read(
                lambda c: (sku_desk(c, row), offer_state(c, row, subject, now))
            )
        title = f"{'Carrier' if kind == 'carriers' else 'SKU'} map of {row.name}"
        return console.page(request, kind, title, 422 if refused else 200, live=False, **context)

    async def keep(
        request: Request,
        connection_id: int,
        kind: str,
        work: Callable[[Connection], desk.Mapped],
        file_of: str = "",
    ) -> Response:
        try:
            mapped = await console.read(work)
        except desk.MapRefused as refused:
            if file_of:
                await console.tally(lambda c: desk.count_refused_file(c, file_of))
            return await map_page(request, connection_id, kind, refused=str(refused))
        return await map_page(request, connection_id, kind, mapped=mapped)

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
        await connection_of(connection_id)
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

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
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
        await connection_of(connection_id)
        now = parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
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
        await connection_of(connection_id)
        now, unmapped, reason = parts.clock.now(), given_text(name), given_text(why)
        scope = given_text(country), given_text(service)

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            if kind == "carriers":
                return desk.unmap_carrier_name(c, row, unmapped, who, reason, now, *scope)
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
        await connection_of(connection_id)
        now, reason = parts.clock.now(), given_text(why)

        def work(c: Connection) -> desk.Mapped:
            row, to = one_connection(c, connection_id), moment_before(undo)
            if kind == "carriers":
                return roll_back_carriers(c, parts.queue, row, to, who, reason, now)
            return roll_back_skus(c, parts.queue, row, to, who, reason, now)

        return await keep(request, connection_id, kind, work)

    @routes.get("/connections/{connection_id}/{kind}.csv")
    @needs(Permission.EXPORT)
    async def as_file(request: Request, who: Who, connection_id: int, kind: Kind) -> Response:
        row, now = await connection_of(connection_id), parts.clock.now()
        await console.read(
            lambda c: record(
                c, who, Did.EXPORTED, f"{kind} of connection {row.id}", now=now, connection=row.id
            )
        )
        return csv_file(
            parts.store, f"{row.name}-{kind}", FILE_COLUMNS[kind], lambda c, _: (map_rows(c, row, kind), None)
        )

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

    @routes.post("/connections/{connection_id}/carriers/file")
    @needs(Permission.CHANGE_MAPPINGS)
    async def carrier_file(
        request: Request,
        who: Who,
        connection_id: int,
        file: UploadFile,
        token: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        await connection_of(connection_id)
        named, body = file_name(file), await file.read(desk.LARGEST_FILE_BYTES + 1)
        now = parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            mappings = desk.read_carrier_file(row, named, body)
            return desk.map_carrier_names(c, parts.queue, row, mappings, who, now)

        return await keep(request, connection_id, "carriers", work, file_of="carriers")

    @routes.post("/connections/{connection_id}/skus/file")
    @needs(Permission.CHANGE_MAPPINGS)
    async def sku_file(
        request: Request,
        who: Who,
        connection_id: int,
        file: UploadFile,
        token: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        await connection_of(connection_id)
        named, body = file_name(file), await file.read(desk.LARGEST_FILE_BYTES + 1)
        now = parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            pairs = desk.read_sku_file(named, body)
            return desk.map_sku_names(c, parts.queue, row, pairs, who, now)

        return await keep(request, connection_id, "skus", work, file_of="skus")

    @routes.post("/connections/{connection_id}/bundles/file")
    @needs(Permission.CHANGE_MAPPINGS)
    async def bundle_file(
        request: Request,
        who: Who,
        connection_id: int,
        file: UploadFile,
        token: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        await connection_of(connection_id)
        named, body = file_name(file), await file.read(desk.LARGEST_FILE_BYTES + 1)
        now = parts.clock.now()

        def work(c: Connection) -> desk.Mapped:
            row = one_connection(c, connection_id)
            return set_bundles(c, parts.queue, row, read_bundle_file(named, body), who, now)

        return await keep(request, connection_id, "skus", work, file_of="bundles")


def file_name(file: UploadFile) -> str:
    """The name of a file that was given, without folders and short enough to be repeated."""
    return (file.filename or "the file").rpartition("/")[2][:100]


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
