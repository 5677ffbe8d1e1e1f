"""How the service is."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from interlock.access.roles import Permission
from interlock.console.doors import needs
from interlock.console.health import service_health
from interlock.console.pages import Console


def health_routes(routes: APIRouter, console: Console) -> None:
    """Add the health page to the console."""
    parts = console.parts

    @routes.get("/health")
    @needs(Permission.SEE)
    async def health(request: Request) -> Response:
        now = parts.clock.now()
        found = await console.read(lambda c: service_health(c, now))
        return console.page(request, "health", "Health", health=found)
