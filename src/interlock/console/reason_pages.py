"""The page of a connection's reason codes."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console.doors import Who, needs
from interlock.console.map_pages import setting_map_routes
from interlock.console.missing_reasons import missing_reasons
from interlock.console.pages import Console, given_text
from interlock.console.reason_codes import EDITS, REASONS, offered_codes, reason_rows
from interlock.engine.store import ConnectionRow


def reason_routes(routes: APIRouter, console: Console) -> None:
    """Add the reason codes to the console."""
    set_entry = setting_map_routes(routes, console, REASONS, _shown_besides)

    @routes.post("/connections/{connection_id}/reasons")
    @needs(Permission.CHANGE_MAPPINGS)
    async def one_reason(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        choice: Annotated[str, Form(max_length=400)] = "",
        edit: Annotated[str, Form(max_length=60)] = "",
    ) -> Response:
        console.check_form(request, token)
        use, _, code = given_text(choice).partition(" ")
        return await set_entry(request, connection_id, who, f"{use} {given_text(edit)}".strip(), code)


def _shown_besides(c: Connection, row: ConnectionRow) -> dict[str, Any]:
    missing, _ = missing_reasons(c, row)
    return {
        "codes": reason_rows(row.rules),
        "offered": offered_codes(row),
        "edits": EDITS,
        "missing": missing,
    }
