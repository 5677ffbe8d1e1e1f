"""The first page: what needs a person now."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from interlock.access.roles import Permission
from interlock.console.doors import needs
from interlock.console.pages import Console
from interlock.console.today import first_page


def today_routes(routes: APIRouter, console: Console) -> None:
    """Add the first page to the console."""
    parts = console.parts

    @routes.get("/")
    @needs(Permission.SEE)
    async def today(request: Request) -> Response:
        now = parts.clock.now()
        found = await console.read(lambda c: first_page(c, now))
        return console.page(request, "today", "Today", today=found)
