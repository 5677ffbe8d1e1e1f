"""Held parcels: since when, why, and who can free them; and holds of ours that somebody else took off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from interlock.cases.store import cases
from interlock.console.lists import PAGE_LENGTH, Asked, row_mark
from interlock.console.order_list import is_held
from interlock.engine.ledger import operations
from interlock.engine.store import connections
from interlock.orders.codec import decode
from interlock.orders.label import BY_ITSELF
from interlock.orders.memory import Memory
from interlock.orders.snapshots import FulfillmentOrder
from interlock.orders.store import orders


@dataclass(frozen=True, slots=True)
class HeldParcel:
    """One order whose parcel is held. `since` is when our hold came on, None when that was not by a call of ours.
    `who` can free it. `taken_off` says how often somebody took our hold off, and `others` who else holds the parcel.
    `case_id` is the open case by which a person frees it: one of the team that can, the first to do damage."""

    order_id: int
    name: str
    mirakl_order_id: str
    connection: str
    since: datetime | None
    why: str
    who: str
    taken_off: int
    others: tuple[str, ...]
    case_id: int | None

    @property
    def by_itself(self) -> bool:
        """Whether nobody needs to do anything."""
        return self.who == BY_ITSELF


def held_parcels(c: Connection, asked: Asked, limit: int = PAGE_LENGTH) -> tuple[list[HeldParcel], str]:
    """Held parcels, the oldest order first, and the mark of the next page. Raises MarkUnreadable."""
    query = (
        select(
            orders.c.id,
            orders.c.shopify_name,
            orders.c.mirakl_order_id,
            orders.c.label_reason,
            orders.c.label_who,
            orders.c.memory,
            orders.c.last_view["shopify"]["fulfillment_orders"].label("parts"),
            connections.c.name.label("connection"),
        )
        .join(connections, connections.c.id == orders.c.connection_id)
        .where(is_held)
        .order_by(orders.c.id)
        .limit(limit + 1)
    )
    if asked.after:
        query = query.where(orders.c.id > row_mark(asked.after))
    if asked.connection:
        query = query.where(connections.c.name == asked.connection)
    if asked.team:
        query = query.where(orders.c.label_who == asked.team)
    match asked.other("show"):
        case "people":
            query = query.where(orders.c.label_who != BY_ITSELF)
        case "taken-off":
            query = query.where(func.jsonb_array_length(orders.c.memory["reholds"]) > 0)
        case _:
            pass
    rows = c.execute(query).all()
    held_since = _held_since(c, [row.id for row in rows[:limit]])
    waiting = _cases_of(c, [row.id for row in rows[:limit]])
    found = []
    for row in rows[:limit]:
        who = row.label_who or BY_ITSELF
        memory = decode(Memory, row.memory)
        parts = [decode(FulfillmentOrder, part) for part in row.parts or ()]
        others = [hold.handle or "somebody else" for part in parts for hold in part.holds if not hold.ours]
        found.append(
            HeldParcel(
                order_id=row.id,
                name=row.shopify_name or row.mirakl_order_id,
                mirakl_order_id=row.mirakl_order_id,
                connection=row.connection,
                since=held_since.get(row.id) or memory.disagreeing_since or memory.linked_at,
                why=row.label_reason or "It was not compared yet.",
                who=who,
                taken_off=sum(rehold.times + rehold.earlier for rehold in memory.reholds),
                others=tuple(dict.fromkeys(others)),
                case_id=None if who == BY_ITSELF else waiting.get((row.id, who)),
            )
        )
    return found, str(rows[limit - 1].id) if len(rows) > limit else ""


def _cases_of(c: Connection, order_ids: Sequence[int]) -> dict[tuple[int, str], int]:
    """By order and team, the open case that does damage first."""
    rows = c.execute(
        select(cases.c.order_id, cases.c.owner, cases.c.id)
        .where(cases.c.order_id.in_(order_ids), cases.c.closed_at.is_(None))
        .order_by(cases.c.damage_at.desc().nulls_first(), cases.c.id.desc())
    )
    return {(row.order_id, row.owner): row.id for row in rows}


def _held_since(c: Connection, order_ids: Sequence[int]) -> dict[int, datetime]:
    """By order, when the first of our holds came on that no call of ours has released since."""
    rows = c.execute(
        select(operations.c.order_id, operations.c.kind, operations.c.ended_at)
        .where(
            operations.c.order_id.in_(order_ids),
            operations.c.kind.in_(("PlaceHold", "ReleaseHold")),
            operations.c.state == "CONFIRMED",
        )
        .order_by(operations.c.ended_at, operations.c.kind)
    )
    since: dict[int, datetime] = {}
    for row in rows:
        if row.kind == "ReleaseHold":
            since.pop(row.order_id, None)
        else:
            since.setdefault(row.order_id, row.ended_at)
    return since


def number_held(c: Connection, connection: str = "") -> int:
    """How many orders have their parcel on our hold; with a name, those of that connection."""
    query = select(func.count()).select_from(orders).where(is_held)
    if connection:
        named = select(connections.c.id).where(connections.c.name == connection).scalar_subquery()
        query = query.where(orders.c.connection_id == named)
    return int(c.execute(query).scalar_one())
