"""The first page: what needs a person now."""

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console.doors import Asker, needs
from interlock.console.lists import asked_of, choices
from interlock.console.pages import Console
from interlock.console.today import Today, first_page


def today_routes(routes: APIRouter, console: Console) -> None:
    """Add the first page to the console."""
    parts = console.parts

    # Of all connections, or of one: somebody with roles for some begins with the first of theirs.
    @routes.get("/")
    @needs(Permission.SEE, lists=True)
    async def today(request: Request, person: Asker) -> Response:
        asked, now = asked_of(request), parts.clock.now()

        def read(c: Connection) -> tuple[Today, tuple[str, ...]]:
            names = choices(c, asked).connections
            return first_page(c, asked, person, now), names

        found, names = await console.read(read)
        return console.page(
            request, "today", "Today", today=found, asked=asked, names=names, whole=asked.own is None
        )
