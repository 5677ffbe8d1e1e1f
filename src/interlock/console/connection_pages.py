"""Connections, their policies, and what their marketplaces allow."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from interlock.access.roles import Permission
from interlock.console.connections import connection_cards
from interlock.console.doors import needs
from interlock.console.pages import Console


def connection_routes(routes: APIRouter, console: Console) -> None:
    """Add the connections to the console."""
    parts = console.parts

    @routes.get("/connections")
    @needs(Permission.SEE)
    async def connections(request: Request) -> Response:
        now = parts.clock.now()
        cards = await console.read(lambda c: connection_cards(c, now))
        return console.page(request, "connections", "Connections", cards=cards)
