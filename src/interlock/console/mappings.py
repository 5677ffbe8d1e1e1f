"""The carrier and SKU maps of a connection as people keep them, and what waits for a mapping."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, func, select

from interlock.cases.causes import cause_key
from interlock.cases.store import cases
from interlock.console.list_changes import ListChange, list_changes
from interlock.console.missing_reasons import missing_reasons
from interlock.console.reason_codes import reason_map
from interlock.console.shipping_methods import method_map
from interlock.engine.earlier_carriers import earlier_choices
from interlock.engine.store import (
    ConnectionRow,
    MapChange,
    all_connections,
    map_history,
)
from interlock.imports.store import sku_mappings
from interlock.offers.store import bundle_components
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.reasons import Option, Reason
from interlock.shipping.carriers import default_for
from interlock.shipping.store import carrier_map, carrier_mappings
from interlock.shipping.suggest import Suggestion, suggest
from interlock.wiring import rules_of


@dataclass(frozen=True, slots=True)
class CarrierDesk:
    """The carrier map of a connection, what the marketplace takes, and what waits for a mapping. A mapping is the name
    the shop writes, code, free name, who, when, country and service. `suggested` are the carriers each name that waits
    could mean; `default` what every other carrier is sent as, empty where nothing is; `marketplace_changes` what the
    marketplace's own lists of carriers and shipping methods gained, lost and renamed, the newest first."""

    connection: str
    connection_id: int
    mappings: tuple[tuple[str, str, str, str, datetime, str, str], ...]
    registered: tuple[tuple[str, str], ...]
    unregistered_allowed: bool
    wanted: tuple[tuple[str, int, tuple[str, ...]], ...]
    history: tuple[MapChange, ...] = ()
    suggested: tuple[tuple[str, tuple[Suggestion, ...]], ...] = ()
    default: str = ""
    marketplace_changes: tuple[ListChange, ...] = ()


@dataclass(frozen=True, slots=True)
class SkuDesk:
    """The SKU map of a connection, and the SKUs that wait for a mapping with how many orders."""

    connection: str
    connection_id: int
    mappings: tuple[tuple[str, str, str, datetime], ...]
    wanted: tuple[tuple[str, int], ...]
    history: tuple[MapChange, ...] = ()


def carrier_entries(
    c: Connection, connection_id: int
) -> tuple[tuple[str, str, str, str, datetime, str, str], ...]:
    """What is mapped: shop name, code, name, by whom and when, country and shipping method."""
    table = carrier_mappings
    mapped = c.execute(
        select(table)
        .where(table.c.connection_id == connection_id)
        .order_by(table.c.shop_name, table.c.country, table.c.service)
    )
    return tuple(
        (m.shop_name, m.code, m.name, m.changed_by, m.changed_at, m.country, m.service) for m in mapped
    )


def sku_entries(c: Connection, connection_id: int) -> tuple[tuple[str, str, str, datetime], ...]:
    """What is mapped: marketplace SKU, shop SKU, by whom and when."""
    mapped = c.execute(
        select(sku_mappings)
        .where(sku_mappings.c.connection_id == connection_id)
        .order_by(sku_mappings.c.mirakl_sku)
    )
    return tuple((m.mirakl_sku, m.shop_sku, m.changed_by, m.changed_at) for m in mapped)


def carrier_desk(c: Connection, row: ConnectionRow, own: frozenset[int] | None = None) -> CarrierDesk:
    """The carrier map as people keep it, with what was chosen before in the connections `own`, or in any."""
    rules = rules_of(row, carrier_map(c, row.id))
    wanted = waiting_carriers(c, row.id)
    earlier = earlier_choices(c, [name for name, _ in wanted], own) if wanted else ()
    suggested = tuple((name, suggest(rules.carriers, name, earlier=earlier, limit=5)) for name, _ in wanted)
    codes = {name: tuple(one.code for one in found) for name, found in suggested}
    default = default_for(rules.carrier_mappings)
    return CarrierDesk(
        connection=row.name,
        connection_id=row.id,
        mappings=carrier_entries(c, row.id),
        registered=tuple((carrier.code, carrier.label) for carrier in rules.carriers),
        unregistered_allowed=rules.unregistered_carriers,
        wanted=tuple((name, number, codes[name]) for name, number in wanted),
        history=map_history(c, row.id, "carriers"),
        suggested=suggested,
        default="" if default is None else default.code or default.name,
        marketplace_changes=list_changes(c, row.id),
    )


def sku_desk(c: Connection, row: ConnectionRow) -> SkuDesk:
    """The SKU map as people keep it."""
    return SkuDesk(
        connection=row.name,
        connection_id=row.id,
        mappings=sku_entries(c, row.id),
        wanted=tuple(waiting_names(c, row.id, "sku_unknown")),
        history=map_history(c, row.id, "skus", "bundles"),
    )


def waiting_names(c: Connection, connection_id: int, reason: str) -> list[tuple[str, int]]:
    """The names that open cases of this reason wait for, with how many orders, most first."""
    number = func.count().label("number")
    rows = c.execute(
        select(cases.c.subject, number)
        .where(cases.c.connection_id == connection_id, cases.c.reason == reason, cases.c.closed_at.is_(None))
        .group_by(cases.c.subject)
        .order_by(number.desc(), cases.c.subject)
    )
    return [(row.subject, int(row.number)) for row in rows]


def waiting_carriers(c: Connection, connection_id: int) -> list[tuple[str, int]]:
    """The carrier names that parcels or corrected numbers wait for, with how many orders, most first."""
    found = {cause_key(name): (name, number) for name, number in waiting_names(c, connection_id, _UNKNOWN)}
    # The first fact of such a case names the carrier as the shop writes it, where a mapping helps.
    corrected = c.execute(
        select(
            cases.c.cause, func.min(cases.c.facts[(0, 1)].astext).label("name"), func.count().label("number")
        )
        .where(
            cases.c.connection_id == connection_id,
            cases.c.reason == Reason.TRACKING_NOT_CORRECTED.value,
            cases.c.cause != "",
            cases.c.options.contains([Option.MAP_CARRIER.value]),
            cases.c.closed_at.is_(None),
        )
        .group_by(cases.c.cause)
        .order_by(cases.c.cause)
    )
    for row in corrected:
        name, number = found.get(row.cause, (row.name, 0))
        found[row.cause] = (name, number + int(row.number))
    return sorted(found.values(), key=lambda one: (-one[1], one[0]))


_UNKNOWN = Reason.CARRIER_UNKNOWN.value


@dataclass(frozen=True, slots=True)
class MapOverview:
    """One map of one connection at a glance. `waiting` are names that orders wait for, with how many orders each would
    free; `unlocks` is how many orders go on once all of them are mapped; `entries` what is mapped to what, where the map
    is short enough to be read at a glance. `place` is the page where it is kept; empty where the settings of the
    connection say it."""

    connection: str
    kind: str
    explained: str
    mapped: int
    waiting: tuple[tuple[str, int], ...]
    unlocks: int
    entries: tuple[tuple[str, str], ...]
    place: str


def map_overview(c: Connection, connection: str = "") -> tuple[MapOverview, ...]:
    """Every map of every connection, or of the one of that name: SKUs, carriers, reasons, shipping methods."""
    found: list[MapOverview] = []
    for row in all_connections(c):
        if connection and row.name != connection:
            continue
        found += _maps_of(c, row)
    return tuple(found)


def _maps_of(c: Connection, row: ConnectionRow) -> list[MapOverview]:
    rules = row.rules
    capability = None if row.capability is None else decode(Capability, row.capability)
    reasons = [
        ("cancelation before debit", rules.cancelation_reason),
        ("refund after debit", rules.refund_reason),
        *((f"{one.edit.replace('_', ' ')}: cancelation", one.cancelation) for one in rules.reasons_by_edit),
        *((f"{one.edit.replace('_', ' ')}: refund", one.refund) for one in rules.reasons_by_edit),
    ]
    unknown = waiting_names(c, row.id, Reason.SKU_UNKNOWN.value)
    strange = waiting_carriers(c, row.id)
    missing, freed = missing_reasons(c, row)
    methods = () if capability is None else capability.shipping_types
    titles = method_map(rules)
    return [
        MapOverview(
            row.name,
            "SKUs",
            "Only SKUs that are called differently in the shop need a mapping.",
            _number(c, sku_mappings, row.id),
            tuple(unknown),
            sum(number for _, number in unknown),
            (),
            f"/connections/{row.id}/skus",
        ),
        MapOverview(
            row.name,
            "Carriers",
            "How each carrier name of the shop is called at this marketplace.",
            _number(c, carrier_mappings, row.id),
            tuple(strange),
            sum(number for _, number in strange),
            (),
            f"/connections/{row.id}/carriers",
        ),
        MapOverview(
            row.name,
            "Reasons",
            "The marketplace's code that each kind of reduction gives.",
            sum(1 for _, code in reasons if code),
            missing,
            freed,
            tuple((what, code or "not set") for what, code in reasons),
            f"/connections/{row.id}/reasons",
        ),
        MapOverview(
            row.name,
            "Shipping methods",
            "What the marketplace sells as shipping. The Shopify order carries it under the marketplace's own label unless a "
            "title is set here.",
            len(titles),
            (),
            0,
            tuple((method, titles.get(method, "as the marketplace says")) for method in methods),
            f"/connections/{row.id}/methods",
        ),
    ]


def _number(c: Connection, table: Table, connection_id: int) -> int:
    query = select(func.count()).select_from(table).where(table.c.connection_id == connection_id)
    return int(c.execute(query).scalar_one())


def map_rows(c: Connection, row: ConnectionRow, kind: str) -> list[tuple[str, ...]]:
    """A map as its file has it: what can be given again as it is."""
    if kind == "carriers":
        mapped = c.execute(
            select(carrier_mappings)
            .where(carrier_mappings.c.connection_id == row.id)
            .order_by(carrier_mappings.c.shop_name)
        )
        return [(one.shop_name, one.code, one.name, one.country, one.service) for one in mapped]
    pairs = c.execute(
        select(sku_mappings).where(sku_mappings.c.connection_id == row.id).order_by(sku_mappings.c.mirakl_sku)
    )
    return [(one.mirakl_sku, one.shop_sku) for one in pairs]


def every_mapping(c: Connection, connection: str = "") -> list[tuple[str | datetime, ...]]:
    """Every SKU and carrier mapping and every part of a bundle with who made it, and every reason code, connection by
    connection. A reason code is a setting of its connection; who set it is in the history of its map."""
    found: list[tuple[str | datetime, ...]] = []
    for row in all_connections(c):
        if connection and row.name != connection:
            continue
        skus, carriers = sku_desk(c, row), carrier_desk(c, row)
        found += [(row.name, "SKU", mirakl, shop, who, at) for mirakl, shop, who, at in skus.mappings]
        found += [
            (
                row.name,
                "bundle",
                one.mirakl_sku,
                f"{one.units} x {one.shop_sku}",
                one.changed_by,
                one.changed_at,
            )
            for one in c.execute(
                select(bundle_components)
                .where(bundle_components.c.connection_id == row.id)
                .order_by(bundle_components.c.mirakl_sku, bundle_components.c.shop_sku)
            )
        ]
        found += [(row.name, "reason", place, code, "", "") for place, code in reason_map(row.rules).items()]
        found += [
            (row.name, "shipping method", code, title, "", "")
            for code, title in method_map(row.rules).items()
        ]
        found += [
            (row.name, "carrier", " ".join(filter(None, (name, country, service))), code or free, who, at)
            for name, code, free, who, at, country, service in carriers.mappings
        ]
    return found
