"""The carrier and SKU maps of a connection as people keep them, and what waits for a mapping."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from interlock.cases.store import cases
from interlock.console.carriers import earlier_choices
from interlock.engine.store import (
    ConnectionRow,
    MapChange,
    map_history,
)
from interlock.imports.store import sku_mappings
from interlock.shipping.carriers import default_for
from interlock.shipping.store import carrier_map, carrier_mappings
from interlock.shipping.suggest import Suggestion, suggest
from interlock.wiring import rules_of


@dataclass(frozen=True, slots=True)
class CarrierDesk:
    """The carrier map of a connection, what the marketplace takes, and what waits for a mapping. A mapping is the name
    the shop writes, code, free name, who, when, country and service. `suggested` are the carriers each name that waits
    could mean; `default` what every other carrier is sent as, empty where nothing is."""

    connection: str
    connection_id: int
    mappings: tuple[tuple[str, str, str, str, datetime, str, str], ...]
    registered: tuple[tuple[str, str], ...]
    unregistered_allowed: bool
    wanted: tuple[tuple[str, int, tuple[str, ...]], ...]
    history: tuple[MapChange, ...] = ()
    suggested: tuple[tuple[str, tuple[Suggestion, ...]], ...] = ()
    default: str = ""


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
    rules = rules_of(row, carrier_map(c, row.id))
    table = carrier_mappings
    mapped = c.execute(
        select(table)
        .where(table.c.connection_id == row.id)
        .order_by(table.c.shop_name, table.c.country, table.c.service)
    )
    wanted = _wanted(c, row.id, "carrier_unknown")
    earlier = earlier_choices(c) if wanted else ()
    suggested = tuple((name, suggest(rules.carriers, name, earlier=earlier, limit=5)) for name, _ in wanted)
    codes = {name: tuple(one.code for one in found) for name, found in suggested}
    default = default_for(rules.carrier_mappings)
    return CarrierDesk(
        connection=row.name,
        connection_id=row.id,
        mappings=tuple(
            (m.shop_name, m.code, m.name, m.changed_by, m.changed_at, m.country, m.service) for m in mapped
        ),
        registered=tuple((carrier.code, carrier.label) for carrier in rules.carriers),
        unregistered_allowed=rules.unregistered_carriers,
        wanted=tuple((name, number, codes[name]) for name, number in wanted),
        history=map_history(c, row.id, "carriers"),
        suggested=suggested,
        default="" if default is None else default.code or default.name,
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
