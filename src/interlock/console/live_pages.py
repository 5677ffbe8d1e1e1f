"""The stream of events that open pages listen to."""

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse

from interlock.access.roles import Permission, Person, connections_for, may
from interlock.access.sessions import Session
from interlock.console.doors import Asker, connection_of, needs
from interlock.console.live import EVERYTHING, is_topic
from interlock.console.pages import Console, PageMissing, sealed


def live_routes(routes: APIRouter, console: Console) -> None:
    """Add the stream of events to the console."""

    async def visible(topic: str, person: Person) -> bool:
        """Whether the person may see the order or case of a topic. That anything at all has changed says nothing of
        anybody."""
        if topic == EVERYTHING or connections_for(person, Permission.SEE) is None:
            return True
        kind, _, number = topic.partition("-")
        connection = await console.read(lambda c: connection_of(c, {f"{kind}_id": number}))
        return connection is not None and may(person, Permission.SEE, connection)

    @routes.get("/events")
    @needs(Permission.SEE)
    async def events(request: Request, person: Asker, of: str = "") -> Response:
        if not is_topic(of) or not await visible(of, person):
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
