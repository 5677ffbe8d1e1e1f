"""How the service is."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console.assets import STATIC, VENDOR
from interlock.console.budgets import budget_lines
from interlock.console.connections import connection_named
from interlock.console.doors import needs
from interlock.console.health import service_health
from interlock.console.lists import asked_of, choices
from interlock.console.pages import Console
from interlock.monitoring.board import kept_board, make_board


def health_routes(routes: APIRouter, console: Console) -> None:
    """Add the health page to the console."""
    parts = console.parts

    @routes.get("/health")
    @needs(Permission.SEE, whole=True)
    async def health(request: Request) -> Response:
        asked, now = asked_of(request), parts.clock.now()

        def read(c: Connection) -> dict[str, Any]:
            offered = choices(c, asked)
            row = connection_named(c, asked.connection) if asked.connection else None
            return {
                "choices": offered,
                "health": service_health(c, now),
                "budgets": budget_lines(c, now),
                # The board of all is kept, made anew every minute; that of one is made for whoever asks.
                "board": kept_board(c) if row is None else make_board(c, now, row.id),
            }

        found = await console.read(read)
        plots = STATIC / "vendor" / VENDOR["plots"]
        return console.page(request, "health", "Health", asked=asked, has_plots=plots.exists(), **found)
