"""The first page: what needs a person now."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from interlock.access.roles import Permission, connections_for
from interlock.console.doors import Asker, needs
from interlock.console.pages import Console, seen_other
from interlock.console.today import first_page


def today_routes(routes: APIRouter, console: Console) -> None:
    """Add the first page to the console."""
    parts = console.parts

    @routes.get("/")
    @needs(Permission.SEE)
    async def today(request: Request, person: Asker) -> Response:
        if connections_for(person, Permission.SEE) is not None:
            # This page is of all connections; somebody with roles for some begins with the cases of theirs.
            return seen_other("/cases")
        now = parts.clock.now()
        found = await console.read(lambda c: first_page(c, person.handle, now))
        return console.page(request, "today", "Today", today=found)
