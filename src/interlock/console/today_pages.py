"""The first page: what needs a person now, and the figures of the day."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console.case_list import CaseRow, case_queue
from interlock.console.doors import needs
from interlock.console.pages import Console
from interlock.console.today import Today, figures_of_today

SHOWN_CASES = 8


def today_routes(routes: APIRouter, console: Console) -> None:
    """Add the first page to the console."""
    parts = console.parts

    @routes.get("/")
    @needs(Permission.SEE)
    async def today(request: Request) -> Response:
        now = parts.clock.now()

        def read(c: Connection) -> tuple[Today, list[CaseRow]]:
            return figures_of_today(c, now), case_queue(c, SHOWN_CASES, now)

        figures, queue = await console.read(read)
        return console.page(request, "today", "Today", figures=figures, queue=queue)
