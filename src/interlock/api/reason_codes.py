"""`/v1/connections/…/reasons`: which reason code of the marketplace each kind of reduction gives."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path
from pydantic import Field
from sqlalchemy import Connection

from interlock.access.store import Scope
from interlock.api.gate import Caller, Gate
from interlock.api.maps import (
    Kept,
    NameOfConnection,
    Standing,
    Value,
    Version,
    connection_there,
    written,
)
from interlock.api.places import OF_CONNECTION
from interlock.api.problems import responses
from interlock.api.values import Answer, Body, Who, version_of
from interlock.clock import Clock
from interlock.console.desk import Mapped
from interlock.console.editing import Desk
from interlock.console.reason_codes import offered_codes, reason_map, set_reasons
from interlock.engine.store import ConnectionRow
from interlock.marketplaces.reasons import Use
from interlock.orders.connection import KindOfEdit
from interlock.storage.database import Store

UseOfReason = Annotated[
    Use, Path(description="`cancelation` before the debit of an order, `refund` after it.")
]
OfEdit = Annotated[
    KindOfEdit | Literal[""],
    Field(description="The kind of edit it is for; empty for every other."),
]


class ReasonEntry(Answer):
    """The code one kind of edit gives, before the debit of an order (cancelation) or after it (refund)."""

    use: str
    edit: str = Field(description="The kind of edit it is for; empty for every other.")
    code: str
    label: str = Field(description="What the marketplace calls it; empty for one it lists no more.")
    version: str


class OfferedReason(Answer):
    """A code the marketplace lets a shop give (RE01), and what it is called there."""

    use: str
    code: str
    label: str


class ReasonMap(Answer):
    """The codes that are set, and those that may be; the latter are none until the marketplace's list was read."""

    entries: list[ReasonEntry]
    offered: list[OfferedReason]


class ReasonWanted(Body):
    """The code that shall be given."""

    code: Annotated[Value, Field(min_length=1)]
    edit: OfEdit = ""
    who: Who
    version: Version = ""


def reason_routes(gate: Gate, store: Store, clock: Clock, desk: Desk) -> APIRouter:
    """The routes of reason codes. A code is replaced and never taken away, as a reduction without one would wait."""
    routes = APIRouter(tags=["mappings"])
    may_read = gate.needs(Scope.MAPPINGS_READ, OF_CONNECTION)
    may_write = gate.needs(Scope.MAPPINGS_WRITE, OF_CONNECTION)

    @routes.get(
        "/connections/{connection}/reasons", responses=responses(404, 422), operation_id="show_reasons"
    )
    async def reasons(
        caller: Annotated[Caller, Depends(may_read)], connection: NameOfConnection
    ) -> ReasonMap:
        """Show the reason codes of a connection and those its marketplace offers."""
        return _shown(await store.tx(lambda c: connection_there(c, connection)))

    @routes.put(
        "/connections/{connection}/reasons/{use}",
        responses=responses(404, 409, 422),
        operation_id="set_reason",
    )
    async def set_reason(
        caller: Annotated[Caller, Depends(may_write)],
        connection: NameOfConnection,
        use: UseOfReason,
        wanted: ReasonWanted,
    ) -> Kept:
        """Say which code a kind of edit gives. Orders that wait for it go on. What is there already is written again
        without a version."""
        now, who = clock.now(), caller.signed(wanted.who)
        place = f"{use} {wanted.edit}".strip()

        def entries(c: Connection, row: ConnectionRow) -> list[Standing]:
            code = reason_map(row.rules).get(place)
            return [] if code is None else [Standing(code, version_of(place, code))]

        def write(c: Connection, row: ConnectionRow) -> Mapped:
            return set_reasons(c, desk.queue, row, {place: wanted.code}, who, now)

        return await written(store, connection, place, entries, wanted.code, wanted.version, write)

    return routes


def _shown(row: ConnectionRow) -> ReasonMap:
    offered = offered_codes(row)
    labels: dict[tuple[str, str], str] = {(use, code): label for use, code, label in offered}
    entries = []
    for place, code in reason_map(row.rules).items():
        use, _, edit = place.partition(" ")
        label = labels.get((use, code), "")
        entries.append(
            ReasonEntry(use=use, edit=edit, code=code, label=label, version=version_of(place, code))
        )
    return ReasonMap(
        entries=entries,
        offered=[OfferedReason(use=use, code=code, label=label) for use, code, label in offered],
    )
