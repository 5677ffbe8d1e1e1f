"""`/v1/connections/…/bundles`: what an offer is made of, entry by entry."""

from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import Field, StrictInt
from sqlalchemy import Connection

from interlock.access.store import Scope
from interlock.api.gate import Caller, Gate
from interlock.api.maps import (
    Kept,
    Key,
    NameOfConnection,
    SeenVersion,
    Standing,
    Value,
    Version,
    WhoAsks,
    connection_there,
    removed,
    written,
)
from interlock.api.places import OF_CONNECTION
from interlock.api.problems import responses
from interlock.api.values import Answer, Body, Who, version_of
from interlock.clock import Clock
from interlock.console import bundles
from interlock.console.desk import Mapped, check_reason
from interlock.console.editing import Desk
from interlock.engine.store import ConnectionRow
from interlock.offers.matching import Component
from interlock.storage.database import Store


class ComponentAnswer(Answer):
    """An article of the shop and how many units of it are in one unit of the offer."""

    shop_sku: str
    units: int


class BundleAnswer(Answer):
    """What one unit of an offer is made of, by SKU of the shop."""

    mirakl_sku: str
    components: list[ComponentAnswer]
    version: str
    changed_by: str
    changed_at: datetime


class ComponentWanted(Body):
    """An article of the shop and how many units of it are in one unit of the offer."""

    shop_sku: Annotated[Value, Field(min_length=1)]
    units: Annotated[StrictInt, Field(ge=1, le=bundles.MOST_UNITS)]


class BundleWanted(Body):
    """What one unit of the offer is made of: all of it, each article once."""

    components: Annotated[list[ComponentWanted], Field(min_length=1, max_length=bundles.MOST_COMPONENTS)]
    who: Who
    version: Version = ""


def bundle_routes(gate: Gate, store: Store, clock: Clock, desk: Desk) -> APIRouter:
    """The routes of bundles."""
    routes = APIRouter(tags=["mappings"])
    may_read = gate.needs(Scope.MAPPINGS_READ, OF_CONNECTION)
    may_write = gate.needs(Scope.MAPPINGS_WRITE, OF_CONNECTION)

    @routes.get(
        "/connections/{connection}/bundles", responses=responses(404, 422), operation_id="list_bundles"
    )
    async def listed(
        caller: Annotated[Caller, Depends(may_read)], connection: NameOfConnection
    ) -> list[BundleAnswer]:
        """List the bundles of a connection by SKU of the marketplace."""
        entries = await store.tx(lambda c: bundles.bundle_entries(c, connection_there(c, connection).id))
        return [
            BundleAnswer(
                mirakl_sku=entry.mirakl_sku,
                components=[
                    ComponentAnswer(shop_sku=one.shop_sku, units=one.units) for one in entry.components
                ],
                version=_version(entry),
                changed_by=entry.changed_by,
                changed_at=entry.changed_at,
            )
            for entry in entries
        ]

    @routes.put(
        "/connections/{connection}/bundles/{mirakl_sku:path}",
        responses=responses(404, 409, 422),
        operation_id="set_bundle",
    )
    async def set_bundle(
        caller: Annotated[Caller, Depends(may_write)],
        connection: NameOfConnection,
        mirakl_sku: Key,
        wanted: BundleWanted,
    ) -> Kept:
        """Say what one unit of an offer is made of. Orders that wait for it go on. What is there already is written again
        without a version."""
        now, who = clock.now(), caller.signed(wanted.who)
        components = [Component(one.shop_sku, one.units) for one in wanted.components]

        def write(c: Connection, row: ConnectionRow) -> Mapped:
            return bundles.set_bundle(c, desk.queue, row, mirakl_sku, components, who, now)

        entries, says = partial(_standing, mirakl_sku), frozenset(components)
        return await written(store, connection, mirakl_sku, entries, says, wanted.version, write)

    @routes.delete(
        "/connections/{connection}/bundles/{mirakl_sku:path}",
        responses=responses(404, 409, 422),
        operation_id="drop_bundle",
    )
    async def drop_bundle(
        caller: Annotated[Caller, Depends(may_write)],
        connection: NameOfConnection,
        mirakl_sku: Key,
        who: WhoAsks,
        why: WhoAsks,
        version: SeenVersion,
    ) -> Kept:
        """Say that an offer is no bundle any more. New orders look for its SKU as for any other; those that exist keep
        their lines."""
        now, said = clock.now(), caller.signed(who)

        def remove(c: Connection, row: ConnectionRow) -> Mapped:
            check_reason(said, why)
            return bundles.set_bundle(c, desk.queue, row, mirakl_sku, (), said, now, why)

        return await removed(store, connection, mirakl_sku, partial(_standing, mirakl_sku), version, remove)

    return routes


def _standing(mirakl_sku: str, c: Connection, row: ConnectionRow) -> list[Standing]:
    return [
        Standing(frozenset(entry.components), _version(entry))
        for entry in bundles.bundle_entries(c, row.id)
        if entry.mirakl_sku == mirakl_sku
    ]


def _version(entry: bundles.BundleEntry) -> str:
    return version_of(bundles.told(entry.components), entry.changed_at)
