"""The stream of events that open pages listen to."""

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from interlock.access.roles import Permission
from interlock.access.sessions import Session
from interlock.console.doors import needs
from interlock.console.live import is_topic
from interlock.console.pages import Console, PageMissing, sealed


def live_routes(routes: APIRouter, console: Console) -> None:
    """Add the stream of events to the console."""

    @routes.get("/events")
    @needs(Permission.SEE)
    async def events(request: Request, of: str = "") -> Response:
        if not is_topic(of):
            raise PageMissing("There is no such stream of events.")
        if console.changes.full:
            return sealed(Response(status_code=503, headers={"Retry-After": "60"}))
        seen = request.headers.get("Last-Event-ID", "")[:200]
        session: Session | None = request.state.session
        stream = console.changes.stream(of, seen, None if session is None else session.id)
        response = StreamingResponse(stream, media_type="text/event-stream")
        # A proxy that collects what it passes on would make every event late.
        response.headers["X-Accel-Buffering"] = "no"
        return sealed(response)
