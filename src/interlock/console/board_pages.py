"""Two boards: orders that wait for acceptance, and parcels that are held."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console.acceptance import Waiting, number_waiting, waiting_orders
from interlock.console.doors import Who, needs
from interlock.console.export import Cell, csv_file, note_export
from interlock.console.holds import HeldParcel, held_parcels, number_held
from interlock.console.lists import asked_of, choices
from interlock.console.pages import Console

EXPORTED_AT_ONCE = 500
ACCEPTANCE_COLUMNS = (
    "marketplace order",
    "connection",
    "known since",
    "accept until",
    "window gone, percent",
    "waits for",
    "team",
)
HOLD_COLUMNS = (
    "Shopify order",
    "marketplace order",
    "connection",
    "held since",
    "why",
    "who can free it",
    "taken off by others, times",
    "also held by",
)


def board_routes(routes: APIRouter, console: Console) -> None:
    """Add the acceptance board and the held parcels to the console."""
    parts = console.parts

    @routes.get("/acceptance")
    @needs(Permission.SEE, lists=True)
    async def acceptance(request: Request) -> Response:
        asked, now = asked_of(request), parts.clock.now()
        offered, (found, next_mark), number = await console.read(
            lambda c: (choices(c, asked), waiting_orders(c, asked, now), number_waiting(c, asked.connection))
        )
        return console.page(
            request,
            "acceptance",
            "Acceptance",
            asked=asked,
            choices=offered,
            waiting=found,
            next_mark=next_mark,
            number=number,
        )

    @routes.get("/acceptance.csv")
    @needs(Permission.EXPORT, lists=True)
    async def acceptance_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request), parts.clock.now()
        await console.read(lambda c: note_export(c, who, "acceptance", asked, now))

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            found, next_mark = waiting_orders(c, replace(asked, after=mark or ""), now, EXPORTED_AT_ONCE)
            return [_waiting_row(one) for one in found], next_mark or None

        return csv_file(parts.store, "acceptance", ACCEPTANCE_COLUMNS, batch)

    @routes.get("/holds")
    @needs(Permission.SEE, lists=True)
    async def holds(request: Request) -> Response:
        asked = asked_of(request, "show")
        offered, (found, next_mark), number = await console.read(
            lambda c: (choices(c, asked), held_parcels(c, asked), number_held(c, asked.connection))
        )
        return console.page(
            request,
            "holds",
            "Holds",
            asked=asked,
            choices=offered,
            held_parcels=found,
            next_mark=next_mark,
            number=number,
        )

    @routes.get("/holds.csv")
    @needs(Permission.EXPORT, lists=True)
    async def holds_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, "show"), parts.clock.now()
        await console.read(lambda c: note_export(c, who, "holds", asked, now))

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            found, next_mark = held_parcels(c, replace(asked, after=mark or ""), EXPORTED_AT_ONCE)
            return [_held_row(one) for one in found], next_mark or None

        return csv_file(parts.store, "holds", HOLD_COLUMNS, batch)


def _waiting_row(one: Waiting) -> Sequence[Cell]:
    gone = None if one.gone is None else round(one.gone * 100)
    return (one.mirakl_order_id, one.connection, one.created_at, one.due_at, gone, one.waits_for, one.team)


def _held_row(one: HeldParcel) -> Sequence[Cell]:
    return (
        one.name,
        one.mirakl_order_id,
        one.connection,
        one.since,
        one.why,
        one.who,
        one.taken_off,
        ", ".join(one.others),
    )
