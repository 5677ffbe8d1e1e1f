"""Orders as rows of a list, and the search for an order by any number it carries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Text, and_, exists, func, literal_column, or_, select, text
from sqlalchemy.dialects.postgresql import JSONB

from interlock.cases.store import cases
from interlock.console import wording
from interlock.console.case_list import CaseRow, case_rows
from interlock.console.lists import PAGE_LENGTH, Asked, day_of, known, row_mark
from interlock.console.said import need_of, said_to
from interlock.console.stages import Need, Standing, standing_of
from interlock.engine.store import (
    connections,
)
from interlock.orders.codec import decode
from interlock.orders.memory import Memory
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.orders.store import SOLD_AT, TRACKING_NUMBERS, find_orders, fulfillment_orders, orders

SHORTEST_TRACKING = 4
LISTED = 50
SHOWN = ("cases", "urgent", "held")
"""What a list of orders may be filtered by: those with an open case, with an urgent one, or on hold."""
MOST_MEANT = 20

is_held = and_(
    text("orders.memory -> 'held' <> '[]'"),
    or_(orders.c.mirakl_state.is_(None), orders.c.mirakl_state.not_in((*GONE_OUT, *DEAD))),
)
"""That a parcel of the order is on our hold, and has not gone out or ended."""


@dataclass(frozen=True, slots=True)
class OrderInList:
    """One order as a row of a list. `due_at` is the end of the acceptance window while it still runs; `sold_at` is when the
    marketplace made the order, None until it has been read."""

    id: int
    connection: str
    mirakl_order_id: str
    commercial_id: str
    shopify_name: str
    created_at: datetime
    sold_at: datetime | None
    mirakl_state: str
    standing: Standing
    due_at: datetime | None
    open_cases: int
    urgent_cases: int
    held: bool
    waits_since: datetime | None


def latest_orders(c: Connection, limit: int = LISTED) -> list[OrderInList]:
    """The newest orders, with those that have an urgent case first."""
    open_ones = and_(cases.c.closed_at.is_(None), cases.c.severity == "urgent", cases.c.order_id.is_not(None))
    urgent = select(cases.c.order_id).where(open_ones).distinct().order_by(cases.c.order_id.desc())
    newest = select(orders.c.id).order_by(orders.c.id.desc())
    ids = [int(i) for query in (urgent, newest) for i in c.execute(query.limit(limit)).scalars()]
    return _rows_of(c, list(dict.fromkeys(ids))[:limit])


def orders_page(c: Connection, asked: Asked, limit: int = PAGE_LENGTH) -> tuple[list[OrderInList], str]:
    """The orders a list's address asks for, the newest first, and the mark where the next page begins: empty when
    this is the last. Raises FilterUnknown, FilterUnreadable and MarkUnreadable."""
    query = select(orders.c.id).order_by(orders.c.id.desc()).limit(limit + 1)
    query = query.where(*conditions_of(asked))
    if asked.after:
        query = query.where(orders.c.id < row_mark(asked.after))
    ids = [int(i) for i in c.execute(query).scalars()]
    return _rows_of(c, ids[:limit]), str(ids[limit - 1]) if len(ids) > limit else ""


def conditions_of(asked: Asked) -> Sequence[ColumnElement[bool]]:
    """Which orders the address of a list asks for, but for a number that is searched. What the marketplace has not shown yet
    was sold on no day, and is in no state. Raises FilterUnknown and FilterUnreadable."""
    wanted: list[ColumnElement[bool]] = []
    if asked.connection:
        named = select(connections.c.id).where(connections.c.name == asked.connection).scalar_subquery()
        wanted.append(orders.c.connection_id == named)
    if asked.team:
        wanted.append(_has_case(cases.c.owner == asked.team))
    if state := known("state", asked.other("state"), tuple(wording.MIRAKL_STATES)):
        wanted.append(orders.c.mirakl_state == state)
    match known("list", asked.other("show"), SHOWN):
        case "cases":
            wanted.append(_has_case())
        case "urgent":
            wanted.append(_has_case(cases.c.severity == "urgent"))
        case "held":
            wanted.append(is_held)
        case _:
            pass
    if buyer := asked.other("buyer"):
        wanted.append(orders.c.shopify_email == buyer)
    sold_at = literal_column(SOLD_AT, Text)
    if (first := day_of("The first day", asked.other("sold_from"))) is not None:
        wanted.append(sold_at >= first.isoformat())
    if (last := day_of("The last day", asked.other("sold_to"))) is not None:
        wanted.append(sold_at < f"{last.isoformat()}T99")  # behind every moment of that day
    return wanted


def _has_case(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(cases.c.order_id == orders.c.id, cases.c.closed_at.is_(None), *conditions)


def found_orders(
    c: Connection, number: str, limit: int = LISTED, own: frozenset[int] | None = None
) -> list[OrderInList]:
    """Orders that carry this number anywhere: Mirakl, checkout or Shopify number, fulfillment order, tracking number.
    With `own`, only orders of the connections with these row numbers."""
    # Among so few that carry one number, those of somebody's own connections are picked out afterwards.
    most = limit if own is None else LISTED
    ids = find_orders(c, number, most)
    ids += [i for i in _by_fulfillment_order(c, number) if i not in ids]
    ids += [i for i in _by_tracking(c, number, most) if i not in ids]
    return _rows_of(c, _of_own(c, ids, own)[:limit])


def orders_of_buyer(c: Connection, buyer: str, limit: int, own: frozenset[int] | None = None) -> list[int]:
    """Row ids of orders whose Shopify order carries the e-mail with this keyed digest, the newest first. With `own`, only
    those of the connections with these row numbers."""
    query = (
        select(orders.c.id).where(orders.c.shopify_email == buyer).order_by(orders.c.id.desc()).limit(limit)
    )
    if own is not None:
        query = query.where(orders.c.connection_id.in_(own))
    return [int(i) for i in c.execute(query).scalars()]


def _of_own(c: Connection, ids: list[int], own: frozenset[int] | None) -> list[int]:
    if own is None or not ids:
        return ids
    mine = set(
        c.execute(select(orders.c.id).where(orders.c.id.in_(ids), orders.c.connection_id.in_(own))).scalars()
    )
    return [number for number in ids if number in mine]


def orders_meant(c: Connection, number: str, own: frozenset[int] | None = None) -> list[OrderInList]:
    """The orders a person may mean by this number: those that bear it as their own, else those that carry it anywhere.
    With `own`, only orders of the connections with these row numbers."""
    found = found_orders(c, number, MOST_MEANT, own)
    exact = [
        o
        for o in found
        if number.strip() in (o.mirakl_order_id, o.shopify_name, o.shopify_name.removeprefix("#"))
    ]
    return exact or found


def one_order_id(c: Connection, number: str, connection: str = "") -> int | None:
    """The one order a person means by this number, on the connection of that name or on any; None when there is none or
    more than one."""
    meant = orders_meant(c, number, connection_of_name(c, connection) if connection else None)
    return meant[0].id if len(meant) == 1 else None


def connection_of_name(c: Connection, name: str) -> frozenset[int]:
    """The row number of the connection of that name; none where there is no such connection."""
    return frozenset(c.execute(select(connections.c.id).where(connections.c.name == name)).scalars())


def needs_its_connection(c: Connection, order_id: int, mirakl_order_id: str) -> bool:
    """Whether an order's marketplace number stands for another order too, so that only its connection tells them apart."""
    return any(o.id != order_id for o in orders_meant(c, mirakl_order_id))


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
    # The index holds orders that have a number at all, and serves who asks for one of those.
    any_number = text(f"{TRACKING_NUMBERS} <> '[]'")
    carries = literal_column(TRACKING_NUMBERS, JSONB).contains([wanted])
    # OFFSET 0 keeps the two apart: else the newest orders are walked through until enough of them match.
    found = select(orders.c.id).where(any_number, carries).offset(0).subquery()
    rows = c.execute(select(found.c.id).order_by(found.c.id.desc()).limit(limit))
    return [int(row.id) for row in rows]


def _rows_of(c: Connection, ids: Sequence[int]) -> list[OrderInList]:
    """These orders, in this order. Cases are counted for them alone."""
    if not ids:
        return []
    of_order = and_(cases.c.order_id == orders.c.id, cases.c.closed_at.is_(None))
    counted = select(func.count()).select_from(cases).where(of_order)
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
            orders.c.last_view["mirakl"]["created_at"].astext.label("sold_at"),
            orders.c.hints,
            orders.c.handled,
            orders.c.hinted_at,
            connections.c.name.label("connection"),
            counted.scalar_subquery().label("open_cases"),
            counted.where(cases.c.severity == "urgent").scalar_subquery().label("urgent_cases"),
        )
        .join(connections, connections.c.id == orders.c.connection_id)
        .where(orders.c.id.in_(ids))
    )
    needs = _needs_of(c, ids)
    rows = {row.id: _in_list(row, needs.get(row.id, Need())) for row in c.execute(query)}
    return [rows[i] for i in ids if i in rows]


def _needs_of(c: Connection, ids: Sequence[int]) -> dict[int, Need]:
    """What the open cases of these orders need, of each order that has one."""
    condition = and_(cases.c.order_id.in_(ids), cases.c.closed_at.is_(None))
    open_ones = case_rows(c, condition, limit=None)
    of_order: dict[int, list[CaseRow]] = {}
    for case in open_ones:
        if case.order_id is not None:
            of_order.setdefault(case.order_id, []).append(case)
    said = said_to(c, open_ones)
    return {order_id: need_of(found, said) for order_id, found in of_order.items()}


def _in_list(row: Any, need: Need) -> OrderInList:
    memory = decode(Memory, row.memory)
    waiting = row.mirakl_state == "WAITING_ACCEPTANCE"
    return OrderInList(
        id=row.id,
        connection=row.connection,
        mirakl_order_id=row.mirakl_order_id,
        commercial_id=row.commercial_id,
        shopify_name=row.shopify_name or "",
        created_at=row.created_at,
        sold_at=None if row.sold_at is None else datetime.fromisoformat(row.sold_at).astimezone(UTC),
        mirakl_state=row.mirakl_state or "",
        standing=standing_of(memory, row.mirakl_state, need, memory.disagreeing_since is not None),
        due_at=row.acceptance_due_at if waiting else None,
        open_cases=int(row.open_cases),
        urgent_cases=int(row.urgent_cases),
        held=bool(memory.held),
        waits_since=row.hinted_at if row.hints > row.handled else None,
    )
