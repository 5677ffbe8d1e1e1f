"""Orders as rows of a list, and the search for an order by any number it carries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH

from interlock.cases.store import cases
from interlock.console.stages import Standing, standing_of
from interlock.engine.store import (
    connections,
)
from interlock.orders.codec import decode
from interlock.orders.memory import Memory
from interlock.orders.store import find_orders, fulfillment_orders, orders

SHORTEST_TRACKING = 4
LISTED = 50


@dataclass(frozen=True, slots=True)
class OrderInList:
    """One order as a row of a list. `due_at` is the end of the acceptance window while it still runs."""

    id: int
    connection: str
    mirakl_order_id: str
    commercial_id: str
    shopify_name: str
    created_at: datetime
    mirakl_state: str
    standing: Standing
    due_at: datetime | None
    open_cases: int
    urgent_cases: int
    held: bool
    waits_since: datetime | None


def latest_orders(c: Connection, limit: int = LISTED) -> list[OrderInList]:
    """The newest orders, with those that have an urgent case first."""
    return _listed(c, None, limit)


def found_orders(c: Connection, number: str, limit: int = LISTED) -> list[OrderInList]:
    """Orders that carry this number anywhere: Mirakl, checkout or Shopify number, fulfillment order, tracking number."""
    ids = find_orders(c, number, limit)
    ids += [i for i in _by_fulfillment_order(c, number) if i not in ids]
    ids += [i for i in _by_tracking(c, number, limit) if i not in ids]
    rows = {row.id: row for row in _listed(c, ids, limit)} if ids else {}
    return [rows[i] for i in ids if i in rows]


def one_order_id(c: Connection, number: str) -> int | None:
    """The one order a person means by this number or row id; None when there is none or more than one."""
    found = found_orders(c, number, 3)
    exact = [
        o
        for o in found
        if number.strip() in (o.mirakl_order_id, o.shopify_name, o.shopify_name.removeprefix("#"))
    ]
    chosen = exact or found
    return chosen[0].id if len(chosen) == 1 else None


def _by_fulfillment_order(c: Connection, number: str) -> list[int]:
    wanted = number.strip()
    rows = c.execute(
        select(fulfillment_orders.c.order_id).where(
            fulfillment_orders.c.fulfillment_order_id.in_(
                [wanted, f"gid://shopify/FulfillmentOrder/{wanted}"]
            )
        )
    )
    return [int(row.order_id) for row in rows]


def _by_tracking(c: Connection, number: str, limit: int) -> list[int]:
    wanted = number.strip()
    if len(wanted) < SHORTEST_TRACKING:
        return []
    numbers = cast(literal("$.shopify.fulfillments[*].tracking_number ? (@ == $number)"), JSONPATH)
    variables = func.jsonb_build_object("number", cast(literal(wanted), String))
    in_shopify = func.jsonb_path_exists(orders.c.last_view, numbers, variables)
    at_marketplace = orders.c.last_view["mirakl"]["tracking_number"].astext == wanted
    rows = c.execute(
        select(orders.c.id).where(or_(at_marketplace, in_shopify)).order_by(orders.c.id.desc()).limit(limit)
    )
    return [int(row.id) for row in rows]


def _listed(c: Connection, ids: list[int] | None, limit: int) -> list[OrderInList]:
    open_cases = (
        select(
            cases.c.order_id,
            func.count().label("open_cases"),
            func.count().filter(cases.c.severity == "urgent").label("urgent_cases"),
        )
        .where(cases.c.closed_at.is_(None), cases.c.order_id.is_not(None))
        .group_by(cases.c.order_id)
        .subquery()
    )
    urgent = func.coalesce(open_cases.c.urgent_cases, 0)
    query = (
        select(
            orders.c.id,
            orders.c.mirakl_order_id,
            orders.c.commercial_id,
            orders.c.shopify_name,
            orders.c.created_at,
            orders.c.mirakl_state,
            orders.c.acceptance_due_at,
            orders.c.memory,
            orders.c.hints,
            orders.c.handled,
            orders.c.hinted_at,
            connections.c.name.label("connection"),
            func.coalesce(open_cases.c.open_cases, 0).label("open_cases"),
            urgent.label("urgent_cases"),
        )
        .join(connections, connections.c.id == orders.c.connection_id)
        .outerjoin(open_cases, open_cases.c.order_id == orders.c.id)
        .order_by((urgent > 0).desc(), orders.c.id.desc())
        .limit(limit)
    )
    if ids is not None:
        query = query.where(orders.c.id.in_(ids))
    return [_in_list(row) for row in c.execute(query)]


def _in_list(row: Any) -> OrderInList:
    memory = decode(Memory, row.memory)
    waiting = row.mirakl_state == "WAITING_ACCEPTANCE"
    return OrderInList(
        id=row.id,
        connection=row.connection,
        mirakl_order_id=row.mirakl_order_id,
        commercial_id=row.commercial_id,
        shopify_name=row.shopify_name or "",
        created_at=row.created_at,
        mirakl_state=row.mirakl_state or "",
        standing=standing_of(
            memory, row.mirakl_state, row.open_cases > 0, memory.disagreeing_since is not None
        ),
        due_at=row.acceptance_due_at if waiting else None,
        open_cases=int(row.open_cases),
        urgent_cases=int(row.urgent_cases),
        held=bool(memory.held),
        waits_since=row.hinted_at if row.hints > row.handled else None,
    )
