"""The page of the titles of a connection's shipping methods."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console.doors import Who, needs
from interlock.console.map_pages import setting_map_routes
from interlock.console.pages import Console, given_text
from interlock.console.shipping_methods import LONGEST_TITLE, METHODS, method_map, offered_methods
from interlock.engine.store import ConnectionRow


def shipping_method_routes(routes: APIRouter, console: Console) -> None:
    """Add the shipping methods to the console."""
    set_entry = setting_map_routes(routes, console, METHODS, _shown_besides)

    @routes.post("/connections/{connection_id}/methods")
    @needs(Permission.CHANGE_MAPPINGS)
    async def one_method(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        code: Annotated[str, Form(max_length=200)] = "",
        title: Annotated[str, Form(max_length=400)] = "",
    ) -> Response:
        console.check_form(request, token)
        return await set_entry(request, connection_id, who, given_text(code), given_text(title))


def _shown_besides(c: Connection, row: ConnectionRow) -> dict[str, Any]:
    titles, offered = method_map(row.rules), offered_methods(row)
    return {
        "methods": [(code, titles.get(code, ""), code in offered) for code in sorted({*offered, *titles})],
        "longest": LONGEST_TITLE,
    }
