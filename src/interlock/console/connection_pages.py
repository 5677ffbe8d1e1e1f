"""Connections, their policies, what their marketplaces allow, and the switches that pause one flow of them."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission, connections_for
from interlock.console import flows
from interlock.console.connections import connection_cards, connection_named
from interlock.console.doors import Asker, Who, needs
from interlock.console.pages import Console, PageMissing, given_text, seen_other
from interlock.engine.store import ConnectionRow


def connection_routes(routes: APIRouter, console: Console) -> None:
    """Add the connections to the console."""
    parts = console.parts

    @routes.get("/connections")
    @needs(Permission.SEE)
    async def connections(request: Request, person: Asker) -> Response:
        now, own = parts.clock.now(), connections_for(person, Permission.SEE)
        cards = await console.read(lambda c: connection_cards(c, now))
        cards = [card for card in cards if own is None or card.id in own]
        return console.page(request, "connections", "Connections", cards=cards)

    async def flows_page(request: Request, connection_id: int, refused: str = "") -> Response:
        now = parts.clock.now()

        def read(c: Connection) -> tuple[ConnectionRow, tuple[flows.FlowState, ...]] | None:
            row = connection_named(c, str(connection_id))
            return None if row is None else (row, flows.flow_states(c, row, now))

        found = await console.read(read)
        if found is None:
            raise PageMissing(f"There is no connection with the row number {connection_id}.")
        row, states = found
        return console.page(
            request,
            "flows",
            f"Flows of {row.name}",
            422 if refused else 200,
            live=False,
            connection=row,
            states=states,
            choices=flows.CHOICES,
            refused=refused,
        )

    @routes.get("/connections/{connection_id}/flows")
    @needs(Permission.SEE)
    async def flows_of(request: Request, connection_id: int) -> Response:
        return await flows_page(request, connection_id)

    @routes.post("/connections/{connection_id}/flows/pause")
    @needs(Permission.PAUSE_FLOWS)
    async def pause(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        flow: Annotated[str, Form()] = "",
        minutes: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now, reason = parts.clock.now(), given_text(why)
        try:
            await console.read(
                lambda c: flows.pause_flow(c, parts.queue, connection_id, flow, minutes, who, reason, now)
            )
        except flows.PauseRefused as refused:
            return await flows_page(request, connection_id, str(refused))
        return seen_other(f"/connections/{connection_id}/flows")

    @routes.post("/connections/{connection_id}/flows/resume")
    @needs(Permission.PAUSE_FLOWS)
    async def resume(
        request: Request,
        who: Who,
        connection_id: int,
        token: Annotated[str, Form()] = "",
        flow: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        try:
            await console.read(lambda c: flows.resume_flow(c, parts.queue, connection_id, flow, who, now))
        except flows.PauseRefused as refused:
            return await flows_page(request, connection_id, str(refused))
        return seen_other(f"/connections/{connection_id}/flows")
