"""What a label printer is told from our own database, and the overrides people gave.

The answer to the check stands in the order's row, written with the plan that saw the Shopify order last; asking for it is one
look-up by index and decodes nothing.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Select,
    Table,
    Text,
    bindparam,
    exists,
    insert,
    null,
    or_,
    select,
    text,
    update,
)

from interlock.holds.overriding import Override
from interlock.orders.store import fulfillment_orders, kin, orders
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

label_overrides = Table(
    "label_overrides",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id"), nullable=False),
    Column("fulfillment_order_id", Text, nullable=False),
    Column("against", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # when a check said yes by it, or another override of the same parcel took its place
    Column("ended_at", UtcDateTime),
    Index("ix_label_overrides_words", "at", postgresql_where=text("why <> '' AND ended_at IS NOT NULL")),
    Index(
        "uq_label_overrides_waiting",
        "order_id",
        "fulfillment_order_id",
        unique=True,
        postgresql_where=text("ended_at IS NULL"),
    ),
)

ORDER_GID = "gid://shopify/Order/"
PARCEL_GID = "gid://shopify/FulfillmentOrder/"

_SHOWN: tuple[Any, ...] = (
    orders.c.id,
    orders.c.connection_id,
    orders.c.mirakl_order_id,
    orders.c.shopify_order_id,
    orders.c.shopify_name,
    orders.c.shopify_seen_at,
    orders.c.label_yes,
    orders.c.label_reason,
    orders.c.label_who,
    orders.c.label_parcels,
    orders.c.label_until,
    (orders.c.hints > orders.c.handled).label("is_hinted"),
    exists(
        select(label_overrides.c.id).where(
            label_overrides.c.order_id == orders.c.id, label_overrides.c.ended_at.is_(None)
        )
    ).label("is_overridden"),
)


def _of_order(*conditions: Any) -> Select[Any]:
    return select(*_SHOWN, null().label("parcel")).where(*conditions)


_BY_ROW = _of_order(orders.c.id == bindparam("row_id"))
_BY_ORDER_GID = _of_order(orders.c.shopify_order_id == bindparam("order_gid"))
_BY_PARCEL_GID = (
    select(*_SHOWN, fulfillment_orders.c.fulfillment_order_id.label("parcel"))
    .join_from(fulfillment_orders, orders, orders.c.id == fulfillment_orders.c.order_id)
    .where(fulfillment_orders.c.fulfillment_order_id == bindparam("parcel_gid"))
)
_BY_NAME = _of_order(orders.c.shopify_name.in_((bindparam("name"), bindparam("hash_name"))))
_BY_MIRAKL_ID = _of_order(orders.c.mirakl_order_id == bindparam("name"))
# Built once; each part has an index of its own.
_BY_WORDS = _BY_NAME.union_all(_BY_MIRAKL_ID)
_BY_DIGITS = _BY_ORDER_GID.union_all(_BY_PARCEL_GID, _BY_NAME, _BY_MIRAKL_ID)
_BY_KIN = (
    select(*_SHOWN, null().label("parcel"), kin.c.shopify_order_id.label("named"))
    .join_from(kin, orders, orders.c.id == kin.c.order_id)
    .where(
        or_(
            kin.c.shopify_order_id == bindparam("order_gid"),
            kin.c.name.in_((bindparam("name"), bindparam("hash_name"))),
        ),
        kin.c.role != "unlinked",
        kin.c.role != "stranger",
    )
)


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One order as a label printer may name it. `parcel` is the fulfillment order that was named, if one was. The
    label fields are None until the Shopify order was seen; after `until` what they say is too old. `is_hinted` says that
    something may have happened since, `is_overridden` that an override waits, `is_kin` that the number
    is of another Shopify order of the same sale than the linked one."""

    order_id: int
    connection_id: int
    mirakl_order_id: str
    shopify_order_id: str
    shopify_name: str
    parcel: str
    seen_at: datetime | None
    yes: bool | None
    reason: str
    who: str
    parcels: tuple[str, ...]
    until: datetime | None
    is_hinted: bool
    is_overridden: bool
    is_kin: bool = False


def label_of(c: Connection, order_id: int) -> LabelRow | None:
    """The order with this row number."""
    row = c.execute(_BY_ROW, {"row_id": order_id}).one_or_none()
    return None if row is None else _label_row(row)


def find_labels(c: Connection, number: str) -> list[LabelRow]:
    """The orders that `number` may mean: a gid of an order or fulfillment order, the digits of one, a Shopify order's
    name with or without #, or a Mirakl order id; also those of which it names another Shopify order than the linked one.
    Each order once, and a Shopify order that is linked is of the sale it is linked to, whoever else took it for a relative."""
    linked = _linked(c, number)
    if linked and number.startswith("gid:"):
        return linked
    known = {row.order_id for row in linked}
    stands = {row.shopify_order_id for row in linked}
    return [*linked, *(row for row in _kin(c, number, stands) if row.order_id not in known)]


def _linked(c: Connection, number: str) -> list[LabelRow]:
    values = {
        "order_gid": ORDER_GID + number,
        "parcel_gid": PARCEL_GID + number,
        "name": number,
        "hash_name": f"#{number}",
    }
    if number.startswith(ORDER_GID):
        rows = c.execute(_BY_ORDER_GID, {"order_gid": number})
    elif number.startswith(PARCEL_GID):
        rows = c.execute(_BY_PARCEL_GID, {"parcel_gid": number})
    elif number.isdecimal():
        rows = c.execute(_BY_DIGITS, values)
    else:
        rows = c.execute(_BY_WORDS, values)
    found = {row.id: row for row in rows}
    return [_label_row(found[row_id]) for row_id in sorted(found)]


def _kin(c: Connection, number: str, but_not: Collection[str]) -> list[LabelRow]:
    """The orders that know another Shopify order than the linked one by this id, gid or name: it was replaced, may
    replace it, or stands beside it. `but_not` are Shopify orders that are not meant."""
    gid = number if number.startswith(ORDER_GID) else ORDER_GID + number
    rows = c.execute(_BY_KIN, {"order_gid": gid, "name": number, "hash_name": f"#{number}"})
    found = {row.id: row for row in rows if row.named not in but_not}
    return [_label_row(found[row_id], is_kin=True) for row_id in sorted(found)]


def _label_row(row: Any, is_kin: bool = False) -> LabelRow:
    return LabelRow(
        order_id=row.id,
        connection_id=row.connection_id,
        mirakl_order_id=row.mirakl_order_id,
        shopify_order_id=row.shopify_order_id or "",
        shopify_name=row.shopify_name or "",
        parcel=row.parcel or "",
        seen_at=row.shopify_seen_at,
        yes=row.label_yes,
        reason=row.label_reason or "",
        who=row.label_who or "",
        parcels=tuple(row.label_parcels or ()),
        until=row.label_until,
        is_hinted=row.is_hinted,
        is_overridden=row.is_overridden,
        is_kin=is_kin,
    )


# -- overrides ---------------------------------------------------------------------------------------------


def keep_override(
    c: Connection, order_id: int, parcel: str, against: str, who: str, why: str, now: datetime
) -> Override:
    """Keep an override; the caller has made sure that none waits for this parcel."""
    made = c.execute(
        insert(label_overrides)
        .values(order_id=order_id, fulfillment_order_id=parcel, against=against, who=who, why=why, at=now)
        .returning(label_overrides)
    ).one()
    return _override(made)


def waiting_override(c: Connection, order_id: int, parcel: str) -> Override | None:
    """The override of this parcel that was neither used nor replaced yet. Its row is locked until the transaction ends, and that of the
    order, so that two people at once do not keep two."""
    c.execute(select(orders.c.id).where(orders.c.id == order_id).with_for_update())
    row = c.execute(
        select(label_overrides)
        .where(
            label_overrides.c.order_id == order_id,
            label_overrides.c.fulfillment_order_id == parcel,
            label_overrides.c.ended_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    return None if row is None else _override(row)


def waiting_overrides(c: Connection, order_id: int) -> tuple[Override, ...]:
    """The overrides of an order that no check has used yet, the oldest first."""
    rows = c.execute(
        select(label_overrides)
        .where(label_overrides.c.order_id == order_id, label_overrides.c.ended_at.is_(None))
        .order_by(label_overrides.c.id)
    )
    return tuple(_override(row) for row in rows)


def end_override(c: Connection, override: Override, now: datetime) -> None:
    """No later check says yes by this override; whoever ends it has its row locked (`waiting_override`)."""
    c.execute(update(label_overrides).where(label_overrides.c.id == override.id).values(ended_at=now))


def forget_old_reasons(c: Connection, before: datetime) -> int:
    """Erase why people overrode the check, of overrides that were kept before this moment and have ended; returns of how
    many."""
    old = update(label_overrides).where(
        label_overrides.c.why != "", label_overrides.c.ended_at.is_not(None), label_overrides.c.at < before
    )
    return int(c.execute(old.values(why="")).rowcount)


def _override(row: Any) -> Override:
    return Override(row.id, row.fulfillment_order_id, row.against, row.who, row.why, row.at)
