"""How the service is."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from interlock.access.roles import Permission
from interlock.console.assets import STATIC, VENDOR
from interlock.console.doors import needs
from interlock.console.health import service_health
from interlock.console.pages import Console
from interlock.monitoring.board import kept_board


def health_routes(routes: APIRouter, console: Console) -> None:
    """Add the health page to the console."""
    parts = console.parts

    @routes.get("/health")
    @needs(Permission.SEE, whole=True)
    async def health(request: Request) -> Response:
        now = parts.clock.now()
        found, board = await console.read(lambda c: (service_health(c, now), kept_board(c)))
        plots = STATIC / "vendor" / VENDOR["plots"]
        return console.page(request, "health", "Health", health=found, board=board, has_plots=plots.exists())
