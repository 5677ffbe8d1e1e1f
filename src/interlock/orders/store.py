"""Tables of the orders themselves: the row that drives the work, the marketplace's document, plans, the timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Update,
    and_,
    bindparam,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.dml import ReturningUpdate

from interlock.orders.actions import Lane
from interlock.orders.changes import History
from interlock.orders.codec import decode, encode
from interlock.orders.label import Label
from interlock.orders.memory import Kin, Memory
from interlock.orders.snapshots import BEFORE_DEBIT_DONE, ENDED, TO_SHIP
from interlock.orders.view import Claim
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

SOLD_AT = "((last_view -> 'mirakl') ->> 'created_at')"
"""When the marketplace made an order, as text that begins with the day in UTC; null until it has been read."""
TRACKING_NUMBERS = (
    "(jsonb_path_query_array(last_view, '$.shopify.fulfillments[*].tracking_number') || "
    "jsonb_path_query_array(last_view, '$.mirakl.tracking_number ? (@ != \"\")'))"
)
"""Every tracking number that either side showed last, as an array of the database."""

_STILL_TO_SHIP = f"mirakl_state IN {(*BEFORE_DEBIT_DONE, *TO_SHIP)}"

orders = Table(
    "orders",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("connection_id", BigInteger, ForeignKey("connections.id"), nullable=False),
    Column("mirakl_order_id", Text, nullable=False),
    Column("commercial_id", Text, nullable=False, server_default=""),
    Column("created_at", UtcDateTime, nullable=False),
    # the work: hints that came, hints that were answered, and who is at it
    Column("lane", Text, nullable=False, server_default="rest"),
    Column("hints", BigInteger, nullable=False, server_default="0"),
    Column("handled", BigInteger, nullable=False, server_default="0"),
    Column("hinted_at", UtcDateTime),
    # the unanswered hints are echoes of our own writes and may wait until then to be answered together
    Column("quiet_until", UtcDateTime),
    Column("next_look_at", UtcDateTime),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("lease_owner", Text),
    Column("lease_until", UtcDateTime),
    Column("leased_at", UtcDateTime),
    Column("hour", UtcDateTime),
    Column("runs_in_hour", Integer, nullable=False, server_default="0"),
    # what is known
    Column("memory", JSONB, nullable=False),
    Column("last_view", JSONB),
    Column("shopify_order_id", Text),
    Column("shopify_name", Text),
    Column("draft_id", Text),
    Column("mirakl_state", Text),
    Column("acceptance_due_at", UtcDateTime),
    Column("shopify_seen_at", UtcDateTime),
    Column("shopify_updated_at", UtcDateTime),
    # the last look could not read Shopify, and settled nothing that Shopify has to show
    Column("shopify_unread", Boolean, nullable=False, server_default=text("false")),
    Column("mirakl_seen_at", UtcDateTime),
    Column("mirakl_wanted_since", UtcDateTime),
    Column("mirakl_written_at", UtcDateTime),
    # when the marketplace was first seen to have ended it; null again if it comes back to life
    Column("ended_at", UtcDateTime),
    # keyed digests of the linked Shopify order's e-mail and address: what a copy of it shares
    Column("shopify_email", Text),
    Column("shopify_address", Text),
    # what a label printer is told, as of `shopify_seen_at`; null until the Shopify order was seen
    Column("label_yes", Boolean),
    Column("label_reason", Text),
    Column("label_who", Text),
    Column("label_parcels", ARRAY(Text)),
    Column("label_until", UtcDateTime),
    # who changed the linked Shopify order, as last read
    Column("history", JSONB),
    UniqueConstraint("connection_id", "mirakl_order_id"),
    # A Shopify order stands for one marketplace order at most.
    Index("uq_orders_shopify_order_id", "shopify_order_id", unique=True),
    Index("ix_orders_shopify_email", "shopify_email"),
    Index("ix_orders_shopify_address", "shopify_address"),
    Index("ix_orders_next_look_at", "next_look_at"),
    # what sweeps and desks ask every few seconds: each holds only the rows that are meant, however many orders there are
    Index("ix_orders_unanswered", "lane", "hinted_at", postgresql_where=text("hints > handled")),
    Index("ix_orders_unread", "id", postgresql_where=text("shopify_unread")),
    Index("ix_orders_leased", "lease_until", postgresql_where=text("lease_until IS NOT NULL")),
    Index(
        "ix_orders_wanted",
        "mirakl_wanted_since",
        "id",
        postgresql_where=text(
            "mirakl_wanted_since IS NOT NULL AND (mirakl_seen_at IS NULL OR mirakl_seen_at < mirakl_wanted_since)"
        ),
    ),
    Index("ix_orders_to_ship", "mirakl_seen_at", postgresql_where=text(_STILL_TO_SHIP)),
    # also for the first part of a number, whatever the database's collation
    Index(
        "ix_orders_mirakl_order_id",
        "mirakl_order_id",
        postgresql_ops={"mirakl_order_id": "text_pattern_ops"},
    ),
    Index("ix_orders_commercial_id", "commercial_id"),
    Index("ix_orders_shopify_name", "shopify_name", postgresql_ops={"shopify_name": "text_pattern_ops"}),
    Index(
        "ix_orders_tracking",
        text(TRACKING_NUMBERS),
        postgresql_using="gin",
        postgresql_where=text(f"{TRACKING_NUMBERS} <> '[]'"),
    ),
    Index("ix_orders_created_at", "created_at"),
    Index("ix_orders_sold_at", text(SOLD_AT)),
    # orders whose units may still be wanted of the stock
    Index("ix_orders_living", "connection_id", postgresql_where=text("ended_at IS NULL")),
    # what boards show first: orders that wait for acceptance by time left, and parcels on our hold
    Index(
        "ix_orders_to_accept",
        "acceptance_due_at",
        "id",
        postgresql_where=text("mirakl_state = 'WAITING_ACCEPTANCE'"),
    ),
    Index("ix_orders_held", "id", postgresql_where=text("memory -> 'held' <> '[]'")),
)

fulfillment_orders = Table(
    "fulfillment_orders",
    metadata,
    Column("fulfillment_order_id", Text, primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id"), nullable=False),
)

# Other Shopify orders than the linked one that may stand, stand no more, or were said not to stand for this sale.
kin = Table(
    "kin",
    metadata,
    Column("order_id", BigInteger, ForeignKey("orders.id"), primary_key=True),
    Column("shopify_order_id", Text, primary_key=True),
    Column("name", Text, nullable=False, server_default=""),
    # `noted` until it was weighed and while it stands beside the linked one, then its place in the lineage, or `stranger`
    Column("role", Text, nullable=False, server_default="noted"),
    Column("noted_at", UtcDateTime, nullable=False),
    # read with the order at every look
    Column("watched", Boolean, nullable=False, server_default=text("true")),
    Index("ix_kin_shopify_order_id", "shopify_order_id"),
    Index("ix_kin_name", "name"),
)

mirakl_documents = Table(
    "mirakl_documents",
    metadata,
    Column("order_id", BigInteger, ForeignKey("orders.id"), primary_key=True),
    Column("observed_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("digest", Text, nullable=False),
    Column("ended_at", UtcDateTime),
    Column(
        "body",
        LargeBinary,
        nullable=False,
        info={
            "personal": {
                "purpose": "the marketplace's order as last shown: names, addresses and proxy e-mail for the Shopify order",
                "retention": "90 days after the order ended",
            }
        },
    ),
    Index("ix_mirakl_documents_ended_at", "ended_at", postgresql_where=text("ended_at IS NOT NULL")),
)

plans = Table(
    "plans",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("view", JSONB, nullable=False),
    Column("plan", JSONB, nullable=False),
    Index("ix_plans_order_id", "order_id", "id"),
    # Rows are added in the order of their time: a block range says where the old ones are, at next to no cost.
    Index("ix_plans_at", "at", postgresql_using="brin"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Index("ix_timeline_order_id", "order_id", "id"),
    Index("ix_timeline_at", "at", postgresql_using="brin"),
)

EMPTY_MEMORY = encode(Memory())
DOCUMENT_KEPT_FOR = timedelta(days=90)
"""From the moment at which the order was seen to have ended."""
MOST_KIN = 8
"""At most so many other Shopify orders are read with one order."""
LANES: tuple[Lane, ...] = ("acceptance", "holds", "edits", "shipping", "rest")
"""Every lane, the most urgent first."""


# Statements that run all day are built once: building one takes longer than running it.
_THIS_ORDER = orders.c.id == bindparam("row_id")
_OF_THIS_EPOCH = and_(_THIS_ORDER, orders.c.epoch == bindparam("of_epoch"))
_FREE = or_(orders.c.lease_until.is_(None), orders.c.lease_until <= bindparam("now"))
_STOLEN = or_(_FREE, orders.c.leased_at <= bindparam("leased_before"))


def _taking_lease(may_be_taken: ColumnElement[bool]) -> ReturningUpdate[Any]:
    # The row is locked first, without waiting for whoever has it, and as it was before tells whose it was.
    before = (
        select(orders.c.id, orders.c.lease_until.label("lease_before"))
        .where(_THIS_ORDER, may_be_taken)
        .with_for_update(skip_locked=True)
        .cte("before")
    )
    return (
        update(orders)
        .where(orders.c.id == before.c.id)
        .values(
            epoch=orders.c.epoch + 1,
            lease_owner=bindparam("owner"),
            lease_until=bindparam("until"),
            leased_at=bindparam("now"),
        )
        .returning(orders, before.c.lease_before)
    )


_TAKE_FREE, _TAKE_STOLEN = _taking_lease(_FREE), _taking_lease(_STOLEN)
_READ_ORDER = select(orders).where(_THIS_ORDER)
_STILL_MINE = select(orders.c.id).where(_OF_THIS_EPOCH).with_for_update()
_WRITE_AS_MINE = update(orders).where(_OF_THIS_EPOCH)
_RELEASE_LEASE = update(orders).where(_OF_THIS_EPOCH).returning(orders.c.hints, orders.c.quiet_until)
_DUE_ORDERS = (
    select(orders.c.id, orders.c.lane)
    .where(
        _FREE,
        or_(
            and_(
                orders.c.hints > orders.c.handled,
                or_(orders.c.quiet_until.is_(None), orders.c.quiet_until <= bindparam("now")),
            ),
            orders.c.next_look_at <= bindparam("now"),
            orders.c.lease_until <= bindparam("now"),
        ),
    )
    .order_by(orders.c.lane != "acceptance", orders.c.next_look_at.asc().nulls_first(), orders.c.id)
    .limit(bindparam("most"))
)
_DOCUMENT_HEAD = (
    select(mirakl_documents.c.digest, mirakl_documents.c.observed_at, mirakl_documents.c.updated_at)
    .where(mirakl_documents.c.order_id == bindparam("row_id"))
    .with_for_update()
)
_ADD_DOCUMENT = upsert(mirakl_documents)
_KEEP_DOCUMENT = _ADD_DOCUMENT.on_conflict_do_update(
    index_elements=["order_id"],
    set_={
        name: _ADD_DOCUMENT.excluded[name]
        for name in ("observed_at", "updated_at", "digest", "body", "ended_at")
    },
)
_ENDED = bindparam("ended", type_=UtcDateTime)
_SEEN_AT_MIRAKL = (
    update(orders)
    .where(_THIS_ORDER)
    .values(
        mirakl_state=bindparam("state"),
        mirakl_seen_at=bindparam("seen_at"),
        ended_at=case((_ENDED.is_(None), None), else_=func.coalesce(orders.c.ended_at, _ENDED)),
    )
    .returning(orders.c.ended_at)
)
_KEPT_DOCUMENT = select(mirakl_documents.c.observed_at, mirakl_documents.c.body).where(
    mirakl_documents.c.order_id == bindparam("row_id")
)
_WANTED_DOCUMENTS = (
    select(orders.c.id, orders.c.mirakl_order_id, orders.c.connection_id)
    .where(
        orders.c.connection_id.in_(bindparam("connection_ids", expanding=True)),
        orders.c.mirakl_wanted_since.is_not(None),
        or_(orders.c.mirakl_seen_at.is_(None), orders.c.mirakl_seen_at < orders.c.mirakl_wanted_since),
    )
    .order_by(orders.c.mirakl_wanted_since, orders.c.id)
    .limit(bindparam("most"))
)
_UNSEEN_SINCE = (
    select(orders.c.mirakl_order_id)
    .where(
        orders.c.connection_id.in_(bindparam("connection_ids", expanding=True)),
        text(_STILL_TO_SHIP),
        orders.c.mirakl_seen_at < bindparam("before"),
    )
    .order_by(orders.c.mirakl_seen_at)
    .limit(bindparam("most"))
)
_BY_SHOPIFY_ID = (
    select(orders.c.id)
    .where(
        orders.c.shopify_order_id == bindparam("gid"),
        orders.c.connection_id.in_(bindparam("connection_ids", expanding=True)),
    )
    .order_by(orders.c.id)
    .limit(1)
)
_LINKED_ID = select(orders.c.shopify_order_id).where(_THIS_ORDER)
_NOTE_KIN = upsert(kin).on_conflict_do_nothing().returning(kin.c.shopify_order_id)
_KIN_OF = (
    select(kin.c.shopify_order_id)
    .where(kin.c.order_id == bindparam("row_id"), kin.c.watched)
    .order_by(kin.c.noted_at.desc(), kin.c.shopify_order_id.desc())
    .limit(MOST_KIN)
)
_BY_KIN = (
    select(kin.c.order_id)
    .join(orders, orders.c.id == kin.c.order_id)
    .where(
        kin.c.shopify_order_id == bindparam("gid"),
        kin.c.watched,
        orders.c.connection_id.in_(bindparam("connection_ids", expanding=True)),
    )
    .order_by(kin.c.order_id)
)
_SHOPIFY_UPDATED_AT = select(orders.c.shopify_updated_at).where(_THIS_ORDER)
_BY_FULFILLMENT_ORDER = select(fulfillment_orders.c.order_id).where(
    fulfillment_orders.c.fulfillment_order_id == bindparam("gid")
)
_FILE_PARCEL = upsert(fulfillment_orders)
_FILE_PARCEL_BESIDE = _FILE_PARCEL.on_conflict_do_nothing()
_FILE_PARCEL_LINKED = _FILE_PARCEL.on_conflict_do_update(
    index_elements=["fulfillment_order_id"],
    set_={"order_id": _FILE_PARCEL.excluded.order_id},
    where=fulfillment_orders.c.order_id != _FILE_PARCEL.excluded.order_id,
)
_TELL = insert(timeline)


class LeaseLost(Exception):
    """Another worker has taken this order over; nothing of this transaction was kept."""

    def __init__(self, order_id: int, epoch: int) -> None:
        super().__init__(
            f"Order row {order_id}: the lease of epoch {epoch} was taken over by another worker. "
            "This worker stops; the other one goes on from what was kept."
        )


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order's row while it is leased. `hints` is the count of hints this look will have answered."""

    id: int
    connection_id: int
    mirakl_order_id: str
    epoch: int
    hints: int
    memory: Memory
    shopify_order_id: str
    draft_id: str
    mirakl_written_at: datetime | None
    mirakl_wanted_since: datetime | None
    runs_in_hour: int
    taken_over: bool
    history: History | None


def add_order(
    c: Connection, connection_id: int, mirakl_order_id: str, commercial_id: str, at: datetime
) -> int:
    """The row of this marketplace order, made if it is new. Exactly one row per connection and order id."""
    statement = (
        upsert(orders)
        .values(
            connection_id=connection_id,
            mirakl_order_id=mirakl_order_id,
            commercial_id=commercial_id,
            created_at=at,
            memory=EMPTY_MEMORY,
        )
        .on_conflict_do_update(
            index_elements=["connection_id", "mirakl_order_id"], set_={"commercial_id": commercial_id}
        )
        .returning(orders.c.id)
    )
    return int(c.execute(statement).scalar_one())


def mark_dirty(
    c: Connection, order_id: int, lane: Lane, at: datetime, quiet_until: datetime | None = None
) -> None:
    """Count one more hint. The lane only ever becomes more urgent until the order is looked at.

    With `quiet_until` the look may wait until then, unless another hint that is still unanswered may not.
    """
    if quiet_until is None:
        c.execute(_MARK_DIRTY[lane], {"row_id": order_id, "now": at})
    else:
        c.execute(_MARK_QUIET[lane], {"row_id": order_id, "now": at, "quiet": quiet_until})


def _marking_dirty(lane: Lane, quiet_until: Any) -> Update:
    urgent = LANES[: LANES.index(lane)]
    waits_in_a_more_urgent = and_(orders.c.hints > orders.c.handled, orders.c.lane.in_(urgent))
    return (
        update(orders)
        .where(_THIS_ORDER)
        .values(
            hints=orders.c.hints + 1,
            hinted_at=bindparam("now"),
            lane=case((waits_in_a_more_urgent, orders.c.lane), else_=lane),
            quiet_until=quiet_until,
        )
    )


_QUIET = case(
    (orders.c.hints > orders.c.handled, orders.c.quiet_until), else_=bindparam("quiet", type_=UtcDateTime)
)
_MARK_DIRTY = {lane: _marking_dirty(lane, None) for lane in LANES}
_MARK_QUIET = {lane: _marking_dirty(lane, _QUIET) for lane in LANES}


def take_lease(
    c: Connection,
    order_id: int,
    owner: str,
    now: datetime,
    until: datetime,
    steal_leased_before: datetime | None = None,
) -> OrderRow | None:
    """Become the one writer of this order, or None if another worker is.

    A lease that ran out is taken over; one that began before `steal_leased_before` is taken over even if it still
    runs (the acceptance watchdog waits for no job). Every take raises the epoch.
    """
    given = {"row_id": order_id, "owner": owner, "until": until, "now": now}
    if steal_leased_before is None:
        taken = c.execute(_TAKE_FREE, given)
    else:
        taken = c.execute(_TAKE_STOLEN, {**given, "leased_before": steal_leased_before})
    row = taken.one_or_none()
    return None if row is None else _order_row(row, now, taken_over=row.lease_before is not None)


def read_order(c: Connection, order_id: int) -> OrderRow:
    """The order's row for reading; nothing may be written on its account. Raises NoResultFound."""
    row = c.execute(_READ_ORDER, {"row_id": order_id}).one()
    return _order_row(row, row.created_at, taken_over=False)


def _order_row(row: Any, now: datetime, taken_over: bool) -> OrderRow:
    return OrderRow(
        id=row.id,
        connection_id=row.connection_id,
        mirakl_order_id=row.mirakl_order_id,
        epoch=row.epoch,
        hints=row.hints,
        memory=decode(Memory, row.memory),
        shopify_order_id=row.shopify_order_id or "",
        draft_id=row.draft_id or "",
        mirakl_written_at=row.mirakl_written_at,
        mirakl_wanted_since=row.mirakl_wanted_since,
        runs_in_hour=row.runs_in_hour if row.hour == hour_of(now) else 0,
        taken_over=taken_over,
        history=None if row.history is None else decode(History, row.history),
    )


def hour_of(moment: datetime) -> datetime:
    """The full hour the moment lies in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def still_mine(c: Connection, order_id: int, epoch: int, **values: Any) -> None:
    """Write `values` to the order's row, provided the epoch is still ours. Raises LeaseLost."""
    mine = {"row_id": order_id, "of_epoch": epoch}
    if values:
        ours = c.execute(_WRITE_AS_MINE, {**mine, **values}).rowcount == 1
    else:
        ours = c.execute(_STILL_MINE, mine).one_or_none() is not None
    if not ours:
        raise LeaseLost(order_id, epoch)


def label_columns(label: Label | None, until: datetime) -> dict[str, object]:
    """What the row keeps of the answer to a label printer, and until when it is young enough to be given."""
    if label is None:
        return dict.fromkeys(("label_yes", "label_reason", "label_who", "label_parcels", "label_until"))
    return {
        "label_until": until,
        "label_yes": label.yes,
        "label_reason": label.reason,
        "label_who": label.who,
        "label_parcels": list(label.parcels),
    }


def release_lease(
    c: Connection,
    order_id: int,
    epoch: int,
    handled: int,
    next_look_at: datetime | None,
    now: datetime | None = None,
    **values: Any,
) -> bool:
    """Give the order back, and write `values` to its row. True when hints came in the meantime and it must be looked at
    again at once. Raises LeaseLost."""
    row = c.execute(
        _RELEASE_LEASE,
        {
            "row_id": order_id,
            "of_epoch": epoch,
            "handled": handled,
            "next_look_at": next_look_at,
            "lease_owner": None,
            "lease_until": None,
            "leased_at": None,
            **values,
        },
    ).one_or_none()
    if row is None:
        raise LeaseLost(order_id, epoch)
    may_wait = now is not None and row.quiet_until is not None and row.quiet_until > now
    return bool(row.hints > handled) and not may_wait


def due_orders(c: Connection, now: datetime, limit: int) -> list[tuple[int, str]]:
    """Orders that need a look and are nobody's at the moment, acceptance first, then by how long they wait."""
    rows = c.execute(_DUE_ORDERS, {"now": now, "most": limit})
    return [(row.id, row.lane) for row in rows]


def keep_document(
    c: Connection,
    order_id: int,
    observed_at: datetime,
    updated_at: datetime,
    digest: str,
    body: bytes,
    mirakl_state: str,
) -> bool:
    """Keep the marketplace's document unless a younger one is kept already. True when its content changed.

    `observed_at` is by our clock the moment as of which the document is certain, which for one out of a list that may be behind
    can be earlier than that of an older document; `updated_at` is the marketplace's own date (last_updated_date, OR11), of
    which a later one is younger whatever our clock says."""
    before = c.execute(_DOCUMENT_HEAD, {"row_id": order_id}).one_or_none()
    if before is not None and before.observed_at >= observed_at:
        if before.updated_at >= updated_at:
            return False
        observed_at = before.observed_at
    ended = observed_at if mirakl_state in ENDED else None
    seen = {"row_id": order_id, "state": mirakl_state, "seen_at": observed_at, "ended": ended}
    ended_at = c.execute(_SEEN_AT_MIRAKL, seen).scalar_one_or_none()
    values = {
        "observed_at": observed_at,
        "updated_at": updated_at,
        "digest": digest,
        "body": body,
        "ended_at": ended_at,
    }
    c.execute(_KEEP_DOCUMENT, {"order_id": order_id, **values})
    return before is None or before.digest != digest


def kept_document(c: Connection, order_id: int) -> tuple[datetime, bytes] | None:
    """When the marketplace's document was observed, and its encrypted body."""
    row = c.execute(_KEPT_DOCUMENT, {"row_id": order_id}).one_or_none()
    return None if row is None else (row.observed_at, row.body)


def forget_documents(c: Connection, now: datetime) -> int:
    """Delete the marketplace's documents of orders that ended 90 days ago; returns how many. One that is read again
    after that lasts until the next time this is called: the order ended when it ended."""
    old = mirakl_documents.c.ended_at < now - DOCUMENT_KEPT_FOR
    return int(c.execute(delete(mirakl_documents).where(old)).rowcount)


def wanted_documents(c: Connection, connection_ids: Sequence[int], limit: int) -> list[tuple[int, str, int]]:
    """Orders for which a younger marketplace snapshot is wanted than the kept one: row id, Mirakl id and connection."""
    rows = c.execute(_WANTED_DOCUMENTS, {"connection_ids": connection_ids, "most": limit})
    return [(row.id, row.mirakl_order_id, row.connection_id) for row in rows]


def unseen_since(c: Connection, connection_ids: Sequence[int], before: datetime, limit: int) -> list[str]:
    """Mirakl ids of accepted orders still to be shipped whose marketplace side was last seen before then, the longest
    unseen first."""
    values = {"connection_ids": connection_ids, "before": before, "most": limit}
    return list(c.execute(_UNSEEN_SINCE, values).scalars())


def order_by_shopify_id(c: Connection, connection_ids: Sequence[int], shopify_order_id: str) -> int | None:
    """The row linked to this Shopify order, if any."""
    found = c.execute(
        _BY_SHOPIFY_ID, {"gid": shopify_order_id, "connection_ids": connection_ids}
    ).scalar_one_or_none()
    return None if found is None else int(found)


def shopify_changed_after(c: Connection, order_id: int, moment: datetime) -> bool:
    """Whether the last Shopify snapshot of the order is of a later `updatedAt` than `moment`. Both are Shopify's own
    time, whose resolution is a second."""
    seen: datetime | None = c.execute(_SHOPIFY_UPDATED_AT, {"row_id": order_id}).scalar_one_or_none()
    return seen is not None and seen > moment


def note_kin(c: Connection, order_id: int, shopify_order_id: str, now: datetime, name: str = "") -> bool:
    """Note a Shopify order that may stand for this sale without being the linked one. True when it is new.

    While nothing is linked yet it may be the very order that is being linked; whoever reads decides.
    """
    linked: str | None = c.execute(_LINKED_ID, {"row_id": order_id}).scalar_one()
    if linked == shopify_order_id:
        return False
    values = {"order_id": order_id, "shopify_order_id": shopify_order_id, "name": name, "noted_at": now}
    return c.execute(_NOTE_KIN, values).one_or_none() is not None


def kin_of(c: Connection, order_id: int) -> tuple[str, ...]:
    """The other Shopify orders that are read with this one, oldest first; the youngest MOST_KIN of them."""
    found = c.execute(_KIN_OF, {"row_id": order_id}).scalars()
    return tuple(reversed(list(found)))


def forget_kin(c: Connection, order_id: int, shopify_order_ids: Sequence[str]) -> None:
    """These were noted and mean nothing (any more): they are cancelled, or one of them is the linked order itself."""
    if shopify_order_ids:
        c.execute(
            delete(kin).where(kin.c.order_id == order_id, kin.c.shopify_order_id.in_(shopify_order_ids))
        )


def keep_lineage(
    c: Connection, order_id: int, lineage: Sequence[Kin], unwatched: Sequence[str], now: datetime
) -> None:
    """Make the table say what the memory says of every other order of the lineage. `unwatched` need no further reads."""
    for known in lineage:
        if known.role == "live":
            forget_kin(c, order_id, [known.shopify_order_id])
            continue
        values = {"name": known.name, "role": known.role, "watched": known.shopify_order_id not in unwatched}
        c.execute(
            upsert(kin)
            .values(order_id=order_id, shopify_order_id=known.shopify_order_id, noted_at=now, **values)
            .on_conflict_do_update(index_elements=["order_id", "shopify_order_id"], set_=values)
        )


def keep_strangers(c: Connection, order_id: int, strangers: Sequence[str], others: Sequence[str]) -> None:
    """Say of these Shopify orders that they were weighed and are strangers to the sale, and of `others` that they are none; both
    have no place in the lineage, which may change at any look."""
    for role, shopify_order_ids in (("stranger", strangers), ("noted", others)):
        if shopify_order_ids:
            c.execute(
                update(kin)
                .where(
                    kin.c.order_id == order_id,
                    kin.c.shopify_order_id.in_(shopify_order_ids),
                    kin.c.role != role,
                )
                .values(role=role)
            )


def stop_watching(c: Connection, order_id: int, noted_before: datetime) -> None:
    """Orders that were noted long ago and never found a place in the lineage are not read any more."""
    c.execute(
        update(kin)
        .where(
            kin.c.order_id == order_id,
            kin.c.role.in_(("noted", "stranger")),
            kin.c.noted_at < noted_before,
        )
        .values(watched=False)
    )


def claims_of(c: Connection, order_id: int, shopify_order_ids: Sequence[str]) -> tuple[Claim, ...]:
    """What other marketplace orders know of these Shopify orders."""
    if not shopify_order_ids:
        return ()
    ours = select(orders.c.connection_id).where(orders.c.id == order_id).scalar_subquery()
    same = func.coalesce(orders.c.connection_id == ours, False).label("same")
    live = c.execute(
        select(orders.c.shopify_order_id, orders.c.mirakl_order_id, same)
        .where(orders.c.shopify_order_id.in_(shopify_order_ids), orders.c.id != order_id)
        .order_by(orders.c.id)
    )
    found = [Claim(row.shopify_order_id, row.mirakl_order_id, "live", row.same) for row in live]
    known = c.execute(
        select(kin.c.shopify_order_id, orders.c.mirakl_order_id, kin.c.role, same)
        .join(orders, orders.c.id == kin.c.order_id)
        .where(
            kin.c.shopify_order_id.in_(shopify_order_ids),
            kin.c.order_id != order_id,
            kin.c.role != "unlinked",
        )
        .order_by(kin.c.order_id, kin.c.shopify_order_id)
    )
    found += [Claim(row.shopify_order_id, row.mirakl_order_id, row.role, row.same) for row in known]
    return tuple(found)


def rows_by_kin(c: Connection, connection_ids: Sequence[int], shopify_order_id: str) -> tuple[int, ...]:
    """The rows that know this Shopify order as one of their kin, be it only one that was replaced."""
    found = c.execute(_BY_KIN, {"gid": shopify_order_id, "connection_ids": connection_ids}).scalars()
    return tuple(int(number) for number in found)


def order_by_fulfillment_order(c: Connection, fulfillment_order_id: str) -> int | None:
    """The row whose Shopify order last showed this fulfillment order, if any."""
    found = c.execute(_BY_FULFILLMENT_ORDER, {"gid": fulfillment_order_id}).scalar_one_or_none()
    return None if found is None else int(found)


def remember_fulfillment_orders(
    c: Connection, order_id: int, ids: Sequence[str], linked: bool = True
) -> None:
    """Note which fulfillment orders belong to the order: their webhooks carry no order id. Those of the Shopify order that is
    `linked` are its own, whoever else took them for a relative's."""
    if ids:
        statement = _FILE_PARCEL_LINKED if linked else _FILE_PARCEL_BESIDE
        c.execute(statement, [{"fulfillment_order_id": i, "order_id": order_id} for i in ids])


def forget_fulfillment_orders(c: Connection, order_id: int, ids: Sequence[str]) -> None:
    """These belong to a Shopify order that has nothing to do with the sale (any more)."""
    if ids:
        c.execute(
            delete(fulfillment_orders).where(
                fulfillment_orders.c.order_id == order_id, fulfillment_orders.c.fulfillment_order_id.in_(ids)
            )
        )


def tell(c: Connection, order_id: int, at: datetime, who: str, sentences: Sequence[str]) -> None:
    """Add sentences to the order's timeline."""
    if sentences:
        c.execute(_TELL, [{"order_id": order_id, "at": at, "who": who, "sentence": s} for s in sentences])


def timeline_of(c: Connection, order_id: int) -> list[tuple[datetime, str, str]]:
    """The order's story in the order it happened: when, who, what."""
    rows = c.execute(
        select(timeline.c.at, timeline.c.who, timeline.c.sentence)
        .where(timeline.c.order_id == order_id)
        .order_by(timeline.c.id)
    )
    return [(row.at, row.who, row.sentence) for row in rows]


def find_orders(c: Connection, number: str, limit: int = 50) -> list[int]:
    """Rows that carry this number anywhere: Mirakl id, checkout id, Shopify name or id. Exact first, then prefix."""
    wanted = number.strip()
    exact = or_(
        orders.c.mirakl_order_id == wanted,
        orders.c.commercial_id == wanted,
        orders.c.shopify_name == wanted,
        orders.c.shopify_name == "#" + wanted,
        orders.c.shopify_order_id == wanted,
        orders.c.shopify_order_id == "gid://shopify/Order/" + wanted,
    )
    related = orders.c.id.in_(
        select(kin.c.order_id).where(
            or_(
                kin.c.name == wanted,
                kin.c.name == "#" + wanted,
                kin.c.shopify_order_id == wanted,
                kin.c.shopify_order_id == "gid://shopify/Order/" + wanted,
            ),
            kin.c.role.not_in(("noted", "stranger")),
        )
    )
    begins = or_(
        orders.c.mirakl_order_id.startswith(wanted, autoescape=True),
        orders.c.shopify_name.startswith(wanted, autoescape=True),
    )
    newest = select(orders.c.id).order_by(orders.c.id.desc()).limit(limit)
    # Three questions, as each has an index and the three together would have none.
    best, *others = (
        [int(i) for i in c.execute(newest.where(condition)).scalars()]
        for condition in (exact, related, begins)
    )
    rest = sorted({i for ids in others for i in ids} - set(best), reverse=True)
    return [*best, *rest][:limit]
