"""The stock of a connection: what its offers show, why one shows what it shows, and selling nothing for a while."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console import stock
from interlock.console.connections import connection_named
from interlock.console.doors import Who, needs, own_of
from interlock.console.export import map_file
from interlock.console.pages import Console, PageMissing, given_text, seen_other
from interlock.engine.store import ConnectionRow


def stock_routes(routes: APIRouter, console: Console) -> None:
    """Add the stock of connections to the console."""
    parts = console.parts

    async def stock_of(
        request: Request, connection_id: int, sku: str = "", refused: str = "", status: int = 200
    ) -> Response:
        now = parts.clock.now()

        def read(
            c: Connection,
        ) -> tuple[ConnectionRow, stock.StockPage, stock.Explained | None] | None:
            row = connection_named(c, str(connection_id))
            if row is None:
                return None
            found = stock.explained(c, row, sku, now, own_of(request)) if sku else None
            return row, stock.stock_page(c, row, now), found

        found = await console.read(read)
        if found is None:
            raise PageMissing(f"There is no connection with the row number {connection_id}.")
        row, page, explained = found
        return console.page(
            request,
            "stock",
            f"Stock of {row.name}",
            422 if refused else status,
            live=False,
            connection=row,
            stock=page,
            sku=sku,
            explained=explained,
            refused=refused,
        )

    @routes.get("/connections/{connection_id}/stock")
    @needs(Permission.SEE)
    async def show(request: Request, connection_id: int, sku: str = "") -> Response:
        return await stock_of(request, connection_id, given_text(sku))

    @routes.get("/connections/{connection_id}/stock.csv")
    @needs(Permission.EXPORT)
    async def as_file(request: Request, who: Who, connection_id: int) -> Response:
        row = await console.read(lambda c: connection_named(c, str(connection_id)))
        if row is None:
            raise PageMissing(f"There is no connection with the row number {connection_id}.")
        return await map_file(
            console, who, row, "stock", stock.FIGURE_COLUMNS, lambda c: stock.figure_rows(c, row)
        )

    @routes.post("/connections/{connection_id}/stock/zero")
    @needs(Permission.PAUSE_FLOWS)
    async def zero(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        zero: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now, reason = parts.clock.now(), given_text(why)

        def work(c: Connection) -> None:
            row = connection_named(c, str(connection_id))
            if row is None:
                raise PageMissing(f"There is no connection with the row number {connection_id}.")
            stock.set_zero(c, parts.queue, row, zero == "on", who, reason, now)

        try:
            await console.read(work)
        except stock.StockRefused as refused:
            return await stock_of(request, connection_id, refused=str(refused))
        return seen_other(f"/connections/{connection_id}/stock")

    @routes.post("/connections/{connection_id}/stock/again")
    @needs(Permission.REPLAY)
    async def again(
        request: Request, who: Who, connection_id: int, token: Annotated[str, Form()] = ""
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()

        def work(c: Connection) -> None:
            row = connection_named(c, str(connection_id))
            if row is None:
                raise PageMissing(f"There is no connection with the row number {connection_id}.")
            stock.tell_again(c, row, who, now)

        try:
            await console.read(work)
        except stock.StockRefused as refused:
            return await stock_of(request, connection_id, refused=str(refused))
        return seen_other(f"/connections/{connection_id}/stock")
