"""`/v1/connections/…/carriers` and `…/skus`: the two maps, entry by entry."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, Field
from sqlalchemy import Connection

from interlock.access.store import Scope
from interlock.api.gate import Caller, Gate
from interlock.api.maps import (
    Kept,
    Key,
    NameOfConnection,
    SeenVersion,
    Value,
    Version,
    WhoAsks,
    changed,
    check_removed,
    check_written,
    connection_there,
)
from interlock.api.places import ANYWHERE, OF_CONNECTION
from interlock.api.problems import responses
from interlock.api.values import Answer, Body, Who, shown, version_of
from interlock.clock import Clock
from interlock.console import desk as maps
from interlock.console.editing import Desk
from interlock.console.list_changes import ListChange, list_changes
from interlock.console.mappings import carrier_entries, sku_entries, waiting_carriers, waiting_names
from interlock.engine.store import ConnectionRow, all_connections
from interlock.orders.connection import CarrierMapping
from interlock.storage.database import Store

Scoped = Annotated[str, Query(max_length=maps.LONGEST_FIELD), AfterValidator(shown)]


class ConnectionAnswer(Answer):
    """One connection."""

    name: str
    live: bool
    shop: str
    marketplace: str


class CarrierEntry(Answer):
    """How one carrier name of the shop is called at the marketplace: a registered code, or a free name. With a country
    (ISO 3166) or a shipping method it holds for those parcels alone; the name `*` is the default."""

    shop_name: str
    country: str
    service: str
    code: str
    name: str
    version: str
    changed_by: str
    changed_at: datetime


class SkuEntry(Answer):
    """How one SKU of the marketplace is called in the shop."""

    mirakl_sku: str
    shop_sku: str
    version: str
    changed_by: str
    changed_at: datetime


class Waiting(Answer):
    """A name or SKU that open cases wait for, and for how many orders."""

    key: str
    orders: int


class ListChanged(Answer):
    """One change of a list the marketplace keeps itself, carriers or shipping methods: what the code was called (empty
    where it is new) and is called (empty where it is gone)."""

    at: datetime
    kind: str
    code: str
    former: str
    present: str


class CarrierMap(Answer):
    """The carrier map, what waits for an entry, and what the marketplace changed in its own lists lately."""

    entries: list[CarrierEntry]
    waiting: list[Waiting]
    marketplace_changes: list[ListChanged]


class SkuMap(Answer):
    """The SKU map, and what waits for an entry."""

    entries: list[SkuEntry]
    waiting: list[Waiting]


class CarrierWanted(Body):
    """What the carrier shall be called: `code` or `name`, not both; for a country or shipping method alone where given."""

    code: Value = ""
    name: Value = ""
    country: Value = ""
    service: Value = ""
    who: Who
    version: Version = ""


class SkuWanted(Body):
    """What the SKU is called in the shop."""

    shop_sku: Annotated[Value, Field(min_length=1)]
    who: Who
    version: Version = ""


def mapping_routes(gate: Gate, store: Store, clock: Clock, desk: Desk) -> APIRouter:
    """The routes of connections and their maps."""
    routes = APIRouter(tags=["mappings"])
    may_read = gate.needs(Scope.MAPPINGS_READ, OF_CONNECTION)
    may_write = gate.needs(Scope.MAPPINGS_WRITE, OF_CONNECTION)
    may_know = gate.needs(Scope.MAPPINGS_READ, ANYWHERE)

    @routes.get("/connections", responses=responses(), operation_id="list_connections")
    async def listed(caller: Annotated[Caller, Depends(may_know)]) -> list[ConnectionAnswer]:
        """List the connections by name; with somebody's own key, those at which its person has a role."""
        rows = await store.tx(all_connections)
        return [
            ConnectionAnswer(
                name=row.name, live=row.live, shop=row.shopify_shop, marketplace=row.mirakl_origin
            )
            for row in sorted(rows, key=lambda row: row.name)
            if caller.sees(row.id)
        ]

    @routes.get(
        "/connections/{connection}/carriers", responses=responses(404, 422), operation_id="show_carriers"
    )
    async def carriers(
        caller: Annotated[Caller, Depends(may_read)], connection: NameOfConnection
    ) -> CarrierMap:
        """Show the carrier map of a connection."""

        def read(
            c: Connection,
        ) -> tuple[Sequence[Any], Sequence[tuple[str, int]], Sequence[ListChange]]:
            row = connection_there(c, connection)
            return carrier_entries(c, row.id), waiting_carriers(c, row.id), list_changes(c, row.id)

        entries, waiting, changes = await store.tx(read)
        return CarrierMap(
            entries=[
                CarrierEntry(
                    shop_name=key,
                    country=country,
                    service=service,
                    code=code,
                    name=name,
                    version=version_of(code, name, at),
                    changed_by=by,
                    changed_at=at,
                )
                for key, code, name, by, at, country, service in entries
            ],
            waiting=[Waiting(key=key, orders=number) for key, number in waiting],
            marketplace_changes=[
                ListChanged(at=one.at, kind=one.kind, code=one.code, former=one.former, present=one.present)
                for one in changes
            ],
        )

    @routes.put(
        "/connections/{connection}/carriers/{shop_name:path}",
        responses=responses(404, 409, 422),
        operation_id="map_carrier",
    )
    async def map_carrier(
        caller: Annotated[Caller, Depends(may_write)],
        connection: NameOfConnection,
        shop_name: Key,
        wanted: CarrierWanted,
    ) -> Kept:
        """Say how a carrier name of the shop is called at the marketplace. Orders that wait for it go on. What is there
        already is written again without a version."""
        now, who = clock.now(), caller.signed(wanted.who)

        def keep(c: Connection, row: ConnectionRow) -> Kept:
            place = (shop_name, wanted.country, wanted.service)
            entries = {(entry[0], entry[5], entry[6]): entry for entry in carrier_entries(c, row.id)}
            present = entries.get(place)
            if present is not None and (present[1], present[2]) == (wanted.code, wanted.name):
                return Kept(orders=0)
            version = None if present is None else version_of(present[1], present[2], present[4])
            check_written(shop_name, version, wanted.version)
            mapping = CarrierMapping(shop_name, wanted.code, wanted.name, wanted.country, wanted.service)
            return Kept(orders=maps.map_carrier_names(c, desk.queue, row, [mapping], who, now).orders)

        return await changed(store, connection, keep)

    @routes.delete(
        "/connections/{connection}/carriers/{shop_name:path}",
        responses=responses(404, 409, 422),
        operation_id="unmap_carrier",
    )
    async def unmap_carrier(
        caller: Annotated[Caller, Depends(may_write)],
        connection: NameOfConnection,
        shop_name: Key,
        who: WhoAsks,
        why: WhoAsks,
        version: SeenVersion,
        country: Scoped = "",
        service: Scoped = "",
    ) -> Kept:
        """Remove an entry. Parcels that name the carrier afterwards wait as cases again."""
        now, said = clock.now(), caller.signed(who)

        def keep(c: Connection, row: ConnectionRow) -> Kept:
            versions = [
                version_of(entry[1], entry[2], entry[4])
                for entry in carrier_entries(c, row.id)
                if entry[0].strip().casefold() == shop_name.strip().casefold()
                and entry[5:] == (country, service)
            ]
            for present in versions or (None,):
                check_removed(shop_name, present, version)
            maps.unmap_carrier_name(c, row, shop_name, said, why, now, country, service)
            return Kept(orders=0)

        return await changed(store, connection, keep)

    @routes.get("/connections/{connection}/skus", responses=responses(404, 422), operation_id="show_skus")
    async def skus(caller: Annotated[Caller, Depends(may_read)], connection: NameOfConnection) -> SkuMap:
        """Show the SKU map of a connection."""

        def read(c: Connection) -> tuple[Sequence[Any], Sequence[tuple[str, int]]]:
            row = connection_there(c, connection)
            return sku_entries(c, row.id), waiting_names(c, row.id, "sku_unknown")

        entries, waiting = await store.tx(read)
        return SkuMap(
            entries=[
                SkuEntry(
                    mirakl_sku=key, shop_sku=sku, version=version_of(sku, at), changed_by=by, changed_at=at
                )
                for key, sku, by, at in entries
            ],
            waiting=[Waiting(key=key, orders=number) for key, number in waiting],
        )

    @routes.put(
        "/connections/{connection}/skus/{mirakl_sku:path}",
        responses=responses(404, 409, 422),
        operation_id="map_sku",
    )
    async def map_sku(
        caller: Annotated[Caller, Depends(may_write)],
        connection: NameOfConnection,
        mirakl_sku: Key,
        wanted: SkuWanted,
    ) -> Kept:
        """Say what a SKU of the marketplace is called in the shop. Orders that wait for it go on."""
        now, who = clock.now(), caller.signed(wanted.who)

        def keep(c: Connection, row: ConnectionRow) -> Kept:
            present = {entry[0]: entry for entry in sku_entries(c, row.id)}.get(mirakl_sku)
            if present is not None and present[1] == wanted.shop_sku:
                return Kept(orders=0)
            check_written(
                mirakl_sku, None if present is None else version_of(present[1], present[3]), wanted.version
            )
            entry = (mirakl_sku, wanted.shop_sku)
            return Kept(orders=maps.map_sku_names(c, desk.queue, row, [entry], who, now).orders)

        return await changed(store, connection, keep)

    @routes.delete(
        "/connections/{connection}/skus/{mirakl_sku:path}",
        responses=responses(404, 409, 422),
        operation_id="unmap_sku",
    )
    async def unmap_sku(
        caller: Annotated[Caller, Depends(may_write)],
        connection: NameOfConnection,
        mirakl_sku: Key,
        who: WhoAsks,
        why: WhoAsks,
        version: SeenVersion,
    ) -> Kept:
        """Remove an entry. New orders look for the SKU as the marketplace writes it."""
        now, said = clock.now(), caller.signed(who)

        def keep(c: Connection, row: ConnectionRow) -> Kept:
            present = {entry[0]: entry for entry in sku_entries(c, row.id)}.get(mirakl_sku.strip())
            check_removed(
                mirakl_sku, None if present is None else version_of(present[1], present[3]), version
            )
            maps.unmap_sku_name(c, row, mirakl_sku, said, why, now)
            return Kept(orders=0)

        return await changed(store, connection, keep)

    return routes
