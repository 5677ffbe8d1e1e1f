"""`/v1/connections/…/methods`: what each shipping method of the marketplace is called on the Shopify order."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, Field, StrictStr
from sqlalchemy import Connection

from interlock.access.store import Scope
from interlock.api.gate import Caller, Gate
from interlock.api.maps import (
    Entries,
    Kept,
    Key,
    NameOfConnection,
    SeenVersion,
    Standing,
    Version,
    WhoAsks,
    connection_there,
    removed,
    written,
)
from interlock.api.places import OF_CONNECTION
from interlock.api.problems import responses
from interlock.api.values import Answer, Body, Who, said, version_of
from interlock.clock import Clock
from interlock.console.desk import Mapped, check_reason
from interlock.console.editing import Desk
from interlock.console.shipping_methods import LONGEST_TITLE, method_map, offered_methods, set_methods
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Store


class MethodEntry(Answer):
    """The title the Shopify order's shipping line carries for a shipping method of the marketplace."""

    code: str = Field(description="The marketplace's code of the method (SH12).")
    title: str
    version: str


class MethodMap(Answer):
    """The titles that are set, and the codes of the methods the marketplace has; none until its list was read."""

    entries: list[MethodEntry]
    offered: list[str]


class MethodWanted(Body):
    """The title that shall be carried."""

    title: Annotated[StrictStr, Field(min_length=1, max_length=LONGEST_TITLE), AfterValidator(said)]
    who: Who
    version: Version = ""


def shipping_method_routes(gate: Gate, store: Store, clock: Clock, desk: Desk) -> APIRouter:
    """The routes of the titles of shipping methods."""
    routes = APIRouter(tags=["mappings"])
    may_read = gate.needs(Scope.MAPPINGS_READ, OF_CONNECTION)
    may_write = gate.needs(Scope.MAPPINGS_WRITE, OF_CONNECTION)

    @routes.get(
        "/connections/{connection}/methods", responses=responses(404, 422), operation_id="show_methods"
    )
    async def methods(
        caller: Annotated[Caller, Depends(may_read)], connection: NameOfConnection
    ) -> MethodMap:
        """Show the titles of a connection's shipping methods, and the methods its marketplace has."""
        row = await store.tx(lambda c: connection_there(c, connection))
        return MethodMap(
            entries=[
                MethodEntry(code=code, title=title, version=version_of(code, title))
                for code, title in method_map(row.rules).items()
            ],
            offered=list(offered_methods(row)),
        )

    @routes.put(
        "/connections/{connection}/methods/{code:path}",
        responses=responses(404, 409, 422),
        operation_id="map_method",
    )
    async def map_method(
        caller: Annotated[Caller, Depends(may_write)],
        connection: NameOfConnection,
        code: Key,
        wanted: MethodWanted,
    ) -> Kept:
        """Say what a shipping method is called on orders that are created from now on. What is there already is written
        again without a version."""
        now, who, title = clock.now(), caller.signed(wanted.who), wanted.title.strip()

        def write(c: Connection, row: ConnectionRow) -> Mapped:
            return set_methods(c, desk.queue, row, {code: title}, who, now)

        return await written(store, connection, code, _of(code), title, wanted.version, write)

    @routes.delete(
        "/connections/{connection}/methods/{code:path}",
        responses=responses(404, 409, 422),
        operation_id="unmap_method",
    )
    async def unmap_method(
        caller: Annotated[Caller, Depends(may_write)],
        connection: NameOfConnection,
        code: Key,
        who: WhoAsks,
        why: WhoAsks,
        version: SeenVersion,
    ) -> Kept:
        """Take the title of a method away. Orders that are created from now on carry the marketplace's own label."""
        now, signed = clock.now(), caller.signed(who)

        def remove(c: Connection, row: ConnectionRow) -> Mapped:
            check_reason(signed, why)
            return set_methods(c, desk.queue, row, {code: ""}, signed, now, why)

        return await removed(store, connection, code, _of(code), version, remove)

    return routes


def _of(code: str) -> Entries:
    """Reads the title of this method."""

    def entries(c: Connection, row: ConnectionRow) -> list[Standing]:
        title = method_map(row.rules).get(code)
        return [] if title is None else [Standing(title, version_of(code, title))]

    return entries
