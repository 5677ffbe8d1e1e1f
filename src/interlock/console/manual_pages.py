"""The manual inside the console: contents, search by title, and every page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from markupsafe import Markup

from interlock.access.roles import Permission
from interlock.console import manual
from interlock.console.doors import needs
from interlock.console.pages import Console, PageMissing


def manual_routes(routes: APIRouter, console: Console) -> None:
    """Add the manual's pages to the console's."""

    @routes.get("/manual")
    @needs(Permission.SEE)
    async def contents(request: Request, find: Annotated[str, Query(max_length=200)] = "") -> Response:
        return console.page(
            request,
            "manual",
            "Manual",
            live=False,
            sections=manual.contents(),
            find=find,
            found=manual.search(find),
        )

    @routes.get("/manual/{place:path}")
    @needs(Permission.SEE)
    async def page(request: Request, place: str) -> Response:
        found = manual.manual_page(place)
        if found is None:
            raise PageMissing("The manual has no page at this address. Its contents are under /manual.")
        # The text was escaped when the page was rendered; what is marked safe are our own tags.
        return console.page(
            request, "manual_page", found.title, live=False, manual=found, body=Markup(found.html)
        )
