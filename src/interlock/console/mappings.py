"""The carrier and SKU maps of a connection as people keep them, and what waits for a mapping."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from interlock.cases.store import cases
from interlock.engine.store import (
    ConnectionRow,
    MapChange,
    map_history,
)
from interlock.imports.store import sku_mappings
from interlock.shipping.store import carrier_mappings
from interlock.shipping.suggest import suggest
from interlock.wiring import rules_of


@dataclass(frozen=True, slots=True)
class CarrierDesk:
    """The carrier map of a connection, what the marketplace takes, and what waits for a mapping."""

    connection: str
    connection_id: int
    mappings: tuple[tuple[str, str, str, str, datetime], ...]
    registered: tuple[tuple[str, str], ...]
    unregistered_allowed: bool
    wanted: tuple[tuple[str, int, tuple[str, ...]], ...]
    history: tuple[MapChange, ...] = ()


@dataclass(frozen=True, slots=True)
class SkuDesk:
    """The SKU map of a connection, and the SKUs that wait for a mapping with how many orders."""

    connection: str
    connection_id: int
    mappings: tuple[tuple[str, str, str, datetime], ...]
    wanted: tuple[tuple[str, int], ...]
    history: tuple[MapChange, ...] = ()


def carrier_desk(c: Connection, row: ConnectionRow) -> CarrierDesk:
    """The carrier map as people keep it."""
    rules = rules_of(row, ())
    mapped = c.execute(
        select(carrier_mappings)
        .where(carrier_mappings.c.connection_id == row.id)
        .order_by(carrier_mappings.c.shop_name)
    )
    return CarrierDesk(
        connection=row.name,
        connection_id=row.id,
        mappings=tuple((m.shop_name, m.code, m.name, m.changed_by, m.changed_at) for m in mapped),
        registered=tuple((carrier.code, carrier.label) for carrier in rules.carriers),
        unregistered_allowed=rules.unregistered_carriers,
        wanted=tuple(
            (name, number, tuple(one.code for one in suggest(rules.carriers, name, limit=5)))
            for name, number in _wanted(c, row.id, "carrier_unknown")
        ),
        history=map_history(c, row.id, "carriers"),
    )


def sku_desk(c: Connection, row: ConnectionRow) -> SkuDesk:
    """The SKU map as people keep it."""
    mapped = c.execute(
        select(sku_mappings).where(sku_mappings.c.connection_id == row.id).order_by(sku_mappings.c.mirakl_sku)
    )
    return SkuDesk(
        connection=row.name,
        connection_id=row.id,
        mappings=tuple((m.mirakl_sku, m.shop_sku, m.changed_by, m.changed_at) for m in mapped),
        wanted=tuple(_wanted(c, row.id, "sku_unknown")),
        history=map_history(c, row.id, "skus"),
    )


def _wanted(c: Connection, connection_id: int, reason: str) -> list[tuple[str, int]]:
    number = func.count().label("number")
    rows = c.execute(
        select(cases.c.subject, number)
        .where(cases.c.connection_id == connection_id, cases.c.reason == reason, cases.c.closed_at.is_(None))
        .group_by(cases.c.subject)
        .order_by(number.desc(), cases.c.subject)
    )
    return [(row.subject, int(row.number)) for row in rows]
