"""`/v1/connections/…/carriers` and `…/skus`: the two maps, entry by entry."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
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
    Standing,
    Value,
    Version,
    WhoAsks,
    connection_there,
    removed,
    written,
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
        """List the connections by name; those alone that the key is for, and with somebody's own key, at which its person has a role."""
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
        mapping = CarrierMapping(shop_name, wanted.code, wanted.name, wanted.country, wanted.service)

        def entries(c: Connection, row: ConnectionRow) -> list[Standing]:
            place = (shop_name, wanted.country, wanted.service)
            found = (entry for entry in carrier_entries(c, row.id) if (entry[0], *entry[5:]) == place)
            return [_of_carrier(entry) for entry in found]

        def write(c: Connection, row: ConnectionRow) -> maps.Mapped:
            return maps.map_carrier_names(c, desk.queue, row, [mapping], who, now)

        says = (wanted.code, wanted.name)
        return await written(store, connection, shop_name, entries, says, wanted.version, write)

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

        def entries(c: Connection, row: ConnectionRow) -> list[Standing]:
            place = (shop_name.strip().casefold(), country, service)
            found = (
                entry
                for entry in carrier_entries(c, row.id)
                if (entry[0].strip().casefold(), *entry[5:]) == place
            )
            return [_of_carrier(entry) for entry in found]

        def remove(c: Connection, row: ConnectionRow) -> maps.Mapped:
            return maps.unmap_carrier_name(c, desk.queue, row, shop_name, said, why, now, country, service)

        return await removed(store, connection, shop_name, entries, version, remove)

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

        def write(c: Connection, row: ConnectionRow) -> maps.Mapped:
            pairs = [(mirakl_sku, wanted.shop_sku)]
            return maps.map_sku_names(c, desk.queue, row, pairs, who, now)

        entries = partial(_of_sku, mirakl_sku)
        return await written(store, connection, mirakl_sku, entries, wanted.shop_sku, wanted.version, write)

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

        def remove(c: Connection, row: ConnectionRow) -> maps.Mapped:
            return maps.unmap_sku_name(c, row, mirakl_sku, said, why, now)

        entries = partial(_of_sku, mirakl_sku.strip())
        return await removed(store, connection, mirakl_sku, entries, version, remove)

    return routes


def _of_carrier(entry: tuple[str, str, str, str, datetime, str, str]) -> Standing:
    _, code, name, _, at, _, _ = entry
    return Standing((code, name), version_of(code, name, at))


def _of_sku(mirakl_sku: str, c: Connection, row: ConnectionRow) -> list[Standing]:
    return [
        Standing(shop_sku, version_of(shop_sku, at))
        for name, shop_sku, _, at in sku_entries(c, row.id)
        if name == mirakl_sku
    ]
