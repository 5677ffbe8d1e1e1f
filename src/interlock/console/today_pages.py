"""The first page: the figures of the day, what a person must look at, and the orders."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.console.case_list import CaseRow, case_queue
from interlock.console.order_list import OrderInList, found_orders, latest_orders
from interlock.console.pages import Console, given_text
from interlock.console.today import Today, figures_of_today


def today_routes(routes: APIRouter, console: Console) -> None:
    """Add the first page to the console."""
    parts = console.parts

    @routes.get("/")
    async def today(request: Request, q: str = "") -> Response:
        number, now = given_text(q), parts.clock.now()

        def read(c: Connection) -> tuple[list[OrderInList], Today, list[CaseRow]]:
            listed = found_orders(c, number) if number else latest_orders(c)
            return listed, figures_of_today(c, now), case_queue(c, 5)

        listed, figures, queue = await console.read(read)
        return console.page(
            request, "today", "Orders", orders=listed, figures=figures, queue=queue, number=number
        )
