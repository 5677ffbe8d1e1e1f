"""Connections, their policies, what their marketplaces allow, and the switches that pause one flow of them."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission, Person, connections_for
from interlock.console import flows
from interlock.console.connection_list import COLUMNS, OWN_FILTERS, STATES, cards_asked_for, file_row
from interlock.console.connections import ConnectionCard, connection_cards, connection_named
from interlock.console.doors import Asker, Who, needs
from interlock.console.export import Cell, csv_file, note_export
from interlock.console.lists import Choices, asked_of
from interlock.console.pages import Console, PageMissing, given_text, seen_other
from interlock.engine.store import ConnectionRow


def connection_routes(routes: APIRouter, console: Console) -> None:
    """Add the connections to the console."""
    parts = console.parts

    def cards_for(c: Connection, person: Person, permission: Permission) -> list[ConnectionCard]:
        own = connections_for(person, permission)
        return [card for card in connection_cards(c, parts.clock.now()) if own is None or card.id in own]

    @routes.get("/connections")
    @needs(Permission.SEE)
    async def connections(request: Request, person: Asker) -> Response:
        asked = asked_of(request, *OWN_FILTERS)
        cards = await console.read(lambda c: cards_for(c, person, Permission.SEE))
        return console.page(
            request,
            "connections",
            "Connections",
            asked=asked,
            choices=Choices(tuple(card.name for card in cards)),
            states=STATES,
            cards=cards_asked_for(cards, asked),
        )

    @routes.get("/connections.csv")
    @needs(Permission.EXPORT)
    async def as_file(request: Request, person: Asker) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()

        def first(c: Connection) -> None:
            # What cannot be filtered by is said before the file begins, in the words of who asks.
            cards_asked_for(cards_for(c, person, Permission.EXPORT), asked)
            note_export(c, person.handle, "connections", asked, now)

        await console.read(first)

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            del mark
            cards = cards_for(c, person, Permission.EXPORT)
            return [file_row(card) for card in cards_asked_for(cards, asked)], None

        return csv_file(parts.store, "connections", COLUMNS, batch)

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
