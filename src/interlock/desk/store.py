"""The desk's inbox: edits people asked for, until a plan takes them up into the order's memory."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Table,
    Text,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from interlock.orders.codec import decode, encode
from interlock.orders.memory import DeskEdit
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

desk_edits = Table(
    "desk_edits",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id"), nullable=False),
    Column("edit", JSONB, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime),
    Index("ix_desk_edits_waiting", "order_id", postgresql_where=text("taken_at IS NULL")),
)

_WAITING = (
    select(desk_edits.c.edit)
    .where(desk_edits.c.order_id == bindparam("order_id"), desk_edits.c.taken_at.is_(None))
    .order_by(desk_edits.c.at, desk_edits.c.id)
)


def ask_for_edit(c: Connection, order_id: int, edit: DeskEdit) -> None:
    """Keep a request; the order has to be hinted by the caller."""
    c.execute(insert(desk_edits).values(id=edit.id, order_id=order_id, edit=encode(edit), at=edit.at))


def waiting_edits(c: Connection, order_id: int) -> tuple[DeskEdit, ...]:
    """Requests no plan has taken up yet, oldest first."""
    return tuple(decode(DeskEdit, row.edit) for row in c.execute(_WAITING, {"order_id": order_id}))


def take_edits(c: Connection, ids: Sequence[str], now: datetime) -> None:
    """The plan that is being kept has taken these requests up."""
    if ids:
        c.execute(update(desk_edits).where(desk_edits.c.id.in_(ids)).values(taken_at=now))


def kept_edit(c: Connection, order_id: int, edit_id: str) -> DeskEdit | None:
    """The request as it was asked for, taken up or not."""
    found = c.execute(
        select(desk_edits.c.edit).where(desk_edits.c.order_id == order_id, desk_edits.c.id == edit_id)
    ).scalar_one_or_none()
    return None if found is None else decode(DeskEdit, found)
