"""Tables of the engine: connections, webhook deliveries, polls, heartbeats, call budgets and counts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Row,
    Table,
    Text,
    and_,
    bindparam,
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

from interlock.marketplaces.store import capability_observations
from interlock.orders.codec import decode, encode
from interlock.orders.connection import ConnectionRules
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

STRANGER_READ_AGAIN = timedelta(minutes=1)
STRANGER_CHANGES_FOR = timedelta(hours=1)
SECRET = {"purpose": "a credential of a platform", "retention": "until the connection is removed"}

connections = Table(
    "connections",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("live", Boolean, nullable=False, server_default=text("false")),
    # when it went live; empty where that was not noted
    Column("live_since", UtcDateTime),
    Column("mirakl_origin", Text, nullable=False),
    Column("mirakl_shop_id", BigInteger, nullable=False),
    Column("mirakl_key", LargeBinary, nullable=False, info={"personal": SECRET}),
    Column("shopify_shop", Text, nullable=False),
    Column("shopify_origin", Text, nullable=False),
    Column("shopify_client_id", Text, nullable=False),
    Column("shopify_client_secret", LargeBinary, nullable=False, info={"personal": SECRET}),
    Column("rules", JSONB, nullable=False),
    Column("capability", JSONB),
    # when somebody last set out to read it, and when it was last read
    Column("capability_at", UtcDateTime),
    Column("capability_read_at", UtcDateTime),
    # names of the shop's fulfilment services, whose labels no hold stops
    Column("services", ARRAY(Text), nullable=False, server_default="{}"),
    Column("services_read_at", UtcDateTime),
    Column("rules_changed_at", UtcDateTime),
    Column("poll_seconds", Integer, nullable=False, server_default="60"),
    Column("event_reads_per_minute", Integer, nullable=False, server_default="6"),
    Index("uq_connections_mirakl_account", "mirakl_origin", "mirakl_shop_id", unique=True),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("webhook_id", Text, primary_key=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("triggered_at", Text, nullable=False, server_default=""),
    Column("shopify_order_id", Text),
    Column("fulfillment_order_id", Text),
    Column("resolved_at", UtcDateTime),
    Index("ix_deliveries_received_at", "received_at"),
    Index("ix_deliveries_unresolved", "received_at", postgresql_where=text("resolved_at IS NULL")),
)

# Shopify orders that are linked to nothing: each is read once, to see whether it takes another one's place.
strangers = Table(
    "strangers",
    metadata,
    Column("shopify_order_id", Text, primary_key=True),
    Column("shop", Text, nullable=False),
    Column("noted_at", UtcDateTime, nullable=False),
    Column("looked_at", UtcDateTime),
    Index("ix_strangers_waiting", "shop", "noted_at", postgresql_where=text("looked_at IS NULL")),
)

unreadable = Table(
    "unreadable",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("source", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("problem", Text, nullable=False),
    Column(
        "body",
        LargeBinary,
        nullable=False,
        info={
            "personal": {
                "purpose": "a message we could not understand, for the engineer who mends it",
                "retention": "7 days",
            }
        },
    ),
)

polls = Table(
    "polls",
    metadata,
    Column("name", Text, primary_key=True),
    Column("cursor", UtcDateTime),
    Column("ticks", BigInteger, nullable=False, server_default="0"),
    Column("owner", Text),
    Column("lease_until", UtcDateTime),
    Column("epoch", BigInteger, nullable=False, server_default="0"),
    Column("last_ok_at", UtcDateTime),
    Column("next_at", UtcDateTime),
    Column("event_reads_off_until", UtcDateTime),
)

heartbeats = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
)

budget_calls = Table(
    "budget_calls",
    metadata,
    Column("account", Text, nullable=False),
    Column("operation", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_budget_calls", "account", "operation", "at"),
)

budget_waits = Table(
    "budget_waits",
    metadata,
    Column("account", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("until", UtcDateTime, nullable=False),
)

# The access token of each shop and app, for all workers: a shop may end the former one when it gives another.
shop_tokens = Table(
    "shop_tokens",
    metadata,
    Column("account", Text, primary_key=True),
    Column("token", LargeBinary, nullable=False, info={"personal": SECRET}),
    Column("refresh_at", UtcDateTime, nullable=False),
)

# What some worker does now and then for all of them, and when it is due again.
duties = Table(
    "duties",
    metadata,
    Column("name", Text, primary_key=True),
    Column("due_at", UtcDateTime, nullable=False),
)

map_changes = Table(
    "map_changes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("connection_id", BigInteger, ForeignKey("connections.id"), nullable=False),
    # carriers, skus, bundles or reasons; or a list of the marketplace itself, whose changes a person does not make
    Column("map", Text, nullable=False),
    Column("name", Text, nullable=False),
    # empty where there was none before, or is none since
    Column("former", Text, nullable=False),
    Column("present", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_map_changes", "connection_id", "map", "id"),
)

tallies = Table(
    "tallies",
    metadata,
    Column("name", Text, primary_key=True),
    Column("label", Text, primary_key=True),
    Column("count", BigInteger, nullable=False),
)


# Statements that run all day are built once: building one takes longer than running it.
_ADD_TALLY = upsert(tallies)
_COUNT = _ADD_TALLY.on_conflict_do_update(
    index_elements=["name", "label"], set_={"count": tallies.c.count + _ADD_TALLY.excluded["count"]}
)
_ADD_BEAT = upsert(heartbeats)
_BEAT = _ADD_BEAT.on_conflict_do_update(
    index_elements=["name"], set_={"at": _ADD_BEAT.excluded["at"], "detail": _ADD_BEAT.excluded["detail"]}
)
_REFUTED = (
    select(func.jsonb_object_agg(capability_observations.c.name, capability_observations.c.evidence))
    .where(
        capability_observations.c.connection_id == connections.c.id,
        capability_observations.c.allowed.is_(False),
    )
    .scalar_subquery()
    .label("refuted")
)
_ONE_CONNECTION = select(connections, _REFUTED).where(connections.c.id == bindparam("row_id"))
_ALL_CONNECTIONS = select(connections, _REFUTED).order_by(connections.c.id)
_POLL = select(polls).where(polls.c.name == bindparam("poll"))
_LEAD_POLL = (
    update(polls)
    .where(
        polls.c.name == bindparam("poll"),
        or_(
            polls.c.owner == bindparam("leader"),
            polls.c.owner.is_(None),
            polls.c.lease_until <= bindparam("now"),
        ),
    )
    .values(epoch=polls.c.epoch + 1, owner=bindparam("leader"), lease_until=bindparam("until"))
    .returning(polls)
)
_KEEP_DELIVERY = upsert(deliveries).on_conflict_do_nothing().returning(deliveries.c.webhook_id)
_RESOLVE_DELIVERY = (
    update(deliveries)
    .where(
        deliveries.c.shop == bindparam("of_shop"),
        deliveries.c.topic == bindparam("of_topic"),
        deliveries.c.webhook_id == bindparam("of_webhook"),
    )
    .values(resolved_at=bindparam("now"))
)
_UNRESOLVED_DELIVERIES = (
    select(deliveries)
    .where(
        deliveries.c.resolved_at.is_(None),
        deliveries.c.fulfillment_order_id.is_not(None),
        deliveries.c.shop.in_(bindparam("shops", expanding=True)),
    )
    .order_by(deliveries.c.received_at, deliveries.c.webhook_id)
    .limit(bindparam("most"))
)

_LOCK_ACCOUNT = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("of_account"), 0)))
_TOLD_TO_WAIT = select(budget_waits.c.until).where(
    budget_waits.c.account == bindparam("of_account"), budget_waits.c.operation == bindparam("of_operation")
)
_OF_OPERATION = and_(
    budget_calls.c.account == bindparam("of_account"), budget_calls.c.operation == bindparam("of_operation")
)
_FORGET_CALLS = delete(budget_calls).where(_OF_OPERATION, budget_calls.c.at <= bindparam("before"))
_CALLS_IN_WINDOW = select(func.count(), func.min(budget_calls.c.at)).where(_OF_OPERATION)
_ADD_CALL = insert(budget_calls)
_WAITS = (
    select(budget_waits.c.account, budget_waits.c.operation, budget_waits.c.until)
    .where(
        budget_waits.c.account.in_(bindparam("accounts", expanding=True)),
        budget_waits.c.until > bindparam("now"),
    )
    .order_by(budget_waits.c.account, budget_waits.c.operation)
)
_ADD_DUTY = upsert(duties).values(name=bindparam("duty"), due_at=bindparam("next_at", type_=UtcDateTime))
_TAKE_DUTY = _ADD_DUTY.on_conflict_do_update(
    index_elements=["name"],
    set_={"due_at": _ADD_DUTY.excluded.due_at},
    # later than we would set it ourselves: another clock's, which proves nothing
    where=or_(duties.c.due_at <= bindparam("now"), duties.c.due_at > bindparam("next_at")),
).returning(duties.c.name)
_SHOP_TOKEN = select(shop_tokens.c.token, shop_tokens.c.refresh_at).where(
    shop_tokens.c.account == bindparam("of_account")
)
_ADD_TOKEN = upsert(shop_tokens)
_KEEP_TOKEN = _ADD_TOKEN.on_conflict_do_update(
    index_elements=["account"],
    set_={"token": _ADD_TOKEN.excluded["token"], "refresh_at": _ADD_TOKEN.excluded["refresh_at"]},
)
_WAITING_STRANGERS = (
    select(strangers.c.shopify_order_id)
    .where(strangers.c.shop == bindparam("of_shop"), strangers.c.looked_at.is_(None))
    .order_by(strangers.c.noted_at, strangers.c.shopify_order_id)
    .limit(bindparam("most"))
)


def count(c: Connection, name: str, label: str = "", by: int = 1) -> None:
    """Count something a person may want to know of: refused webhooks, unreadable documents, odd versions."""
    c.execute(_COUNT, {"name": name, "label": label, "count": by})


def counts(c: Connection) -> dict[tuple[str, str], int]:
    """Every count, by name and label."""
    rows = c.execute(select(tallies).order_by(tallies.c.name, tallies.c.label))
    return {(name, label): int(n) for name, label, n in rows}


def beat(c: Connection, name: str, at: datetime, detail: str = "") -> None:
    """Note that this part of the service worked just now."""
    c.execute(_BEAT, {"name": name, "at": at, "detail": detail})


def worker_heard_at(c: Connection) -> datetime | None:
    """When a worker was heard last, whichever; None when none runs."""
    return c.execute(
        select(func.max(heartbeats.c.at)).where(heartbeats.c.name.startswith("worker "))
    ).scalar_one_or_none()


def keep_unreadable(
    c: Connection, source: str, problem: str, encrypted: bytes, digest: str, at: datetime
) -> bool:
    """Keep what could not be understood, encrypted, once. True when it was not there yet."""
    done = c.execute(
        upsert(unreadable)
        .values(digest=digest, source=source, problem=problem, body=encrypted, received_at=at)
        .on_conflict_do_nothing()
        .returning(unreadable.c.digest)
    ).one_or_none()
    return done is not None


def forget_unreadable(c: Connection, before: datetime) -> int:
    """Delete bodies we could not read and kept long enough (7 days)."""
    return int(c.execute(delete(unreadable).where(unreadable.c.received_at < before)).rowcount)


def body_digest(body: bytes) -> str:
    """A fingerprint of a message body."""
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def document_digest(document: Mapping[str, Any]) -> str:
    """A fingerprint of a platform document, whatever the order of its fields."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"), default=str)
    return body_digest(canonical.encode())


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection as it is stored; the secrets are still encrypted. `refuted` are the things the marketplace was seen
    to refuse, as (name, evidence). `live_since` is None where it was not noted when the connection went live."""

    id: int
    name: str
    created_at: datetime
    live: bool
    mirakl_origin: str
    mirakl_shop_id: int
    mirakl_key: bytes
    shopify_shop: str
    shopify_origin: str
    shopify_client_id: str
    shopify_client_secret: bytes
    rules: ConnectionRules
    capability: dict[str, Any] | None
    poll_seconds: int
    event_reads_per_minute: int
    capability_read_at: datetime | None = None
    services: tuple[str, ...] = ()
    services_read_at: datetime | None = None
    rules_changed_at: datetime | None = None
    refuted: tuple[tuple[str, str], ...] = ()
    live_since: datetime | None = None

    @property
    def mirakl_account(self) -> str:
        """The name of the Mirakl account whose budgets and poll this connection uses."""
        return f"mirakl {self.mirakl_origin} {self.mirakl_shop_id}"

    @property
    def shopify_account(self) -> str:
        """The name of the Shopify shop and app whose budget this connection shares."""
        return f"shopify {self.shopify_shop} {self.shopify_client_id}"


MIRAKL_ACCOUNT = func.concat("mirakl ", connections.c.mirakl_origin, " ", connections.c.mirakl_shop_id)
"""`ConnectionRow.mirakl_account` in the database's words."""


def all_connections(c: Connection) -> list[ConnectionRow]:
    """Every connection, in the order they were made."""
    return [connection_of(row) for row in c.execute(_ALL_CONNECTIONS)]


def one_connection(c: Connection, connection_id: int) -> ConnectionRow:
    """One connection by its row id. Raises sqlalchemy's NoResultFound when it is gone."""
    return connection_of(connection_record(c, connection_id))


def connection_record(c: Connection, connection_id: int) -> Row[Any]:
    """The same as it is stored, for who has read it before: comparing is cheaper than reading it anew. Raises
    NoResultFound."""
    return c.execute(_ONE_CONNECTION, {"row_id": connection_id}).one()


def connection_of(row: Row[Any]) -> ConnectionRow:
    """What a stored row says."""
    return ConnectionRow(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        live=row.live,
        mirakl_origin=row.mirakl_origin,
        mirakl_shop_id=row.mirakl_shop_id,
        mirakl_key=row.mirakl_key,
        shopify_shop=row.shopify_shop,
        shopify_origin=row.shopify_origin,
        shopify_client_id=row.shopify_client_id,
        shopify_client_secret=row.shopify_client_secret,
        rules=decode(ConnectionRules, row.rules),
        capability=row.capability,
        poll_seconds=row.poll_seconds,
        event_reads_per_minute=row.event_reads_per_minute,
        capability_read_at=row.capability_read_at,
        services=tuple(row.services),
        services_read_at=row.services_read_at,
        rules_changed_at=row.rules_changed_at,
        refuted=tuple(sorted((row.refuted or {}).items())),
        live_since=row.live_since,
    )


def keep_services(c: Connection, connection_id: int, names: Sequence[str], now: datetime) -> None:
    """Keep which fulfilment services the shop of this connection has."""
    c.execute(
        update(connections)
        .where(connections.c.id == connection_id)
        .values(services=list(names), services_read_at=now)
    )


def add_connection(c: Connection, rules: ConnectionRules, at: datetime, **values: Any) -> int:
    """Store a new connection and start its poll one day back. Returns its row id."""
    connection_id = int(
        c.execute(
            insert(connections)
            .values(name=rules.name, rules=encode(rules), created_at=at, **values)
            .returning(connections.c.id)
        ).scalar_one()
    )
    row = one_connection(c, connection_id)
    for name in (row.mirakl_account, f"sweep {row.shopify_account}"):
        c.execute(upsert(polls).values(name=name, cursor=at - timedelta(days=1)).on_conflict_do_nothing())
    return connection_id


@dataclass(frozen=True, slots=True)
class Poll:
    """The state of one poll while we lead it."""

    name: str
    cursor: datetime | None
    ticks: int
    epoch: int
    last_ok_at: datetime | None
    next_at: datetime | None
    event_reads_off_until: datetime | None


def poll_of(c: Connection, name: str) -> Poll | None:
    """The state of a poll, whoever leads it; nothing may be written on its account."""
    row = c.execute(_POLL, {"poll": name}).one_or_none()
    return None if row is None else _poll(row)


def lead_poll(c: Connection, name: str, owner: str, now: datetime, until: datetime) -> Poll | None:
    """Become or stay the one who polls this account; None while another worker leads.

    Who leads and has more than half of that time left goes on without a write.
    """
    row = c.execute(_POLL, {"poll": name}).one_or_none()
    if row is None:
        return None
    if row.lease_until is not None and row.owner is not None and row.lease_until > now:
        if row.owner != owner:
            return None
        if now + (until - now) / 2 < row.lease_until <= until:
            return _poll(row)
    row = c.execute(_LEAD_POLL, {"poll": name, "leader": owner, "now": now, "until": until}).one_or_none()
    return None if row is None else _poll(row)


def lead_duty(c: Connection, name: str, owner: str, now: datetime, until: datetime) -> Poll | None:
    """The same for what begins when it is first wanted: its row is made where there is none."""
    if poll_of(c, name) is None:
        c.execute(upsert(polls).values(name=name).on_conflict_do_nothing())
    return lead_poll(c, name, owner, now, until)


def _poll(row: Row[Any]) -> Poll:
    return Poll(
        row.name, row.cursor, row.ticks, row.epoch, row.last_ok_at, row.next_at, row.event_reads_off_until
    )


def keep_poll(c: Connection, poll: Poll, **values: Any) -> bool:
    """Write to the poll's row if we still lead it; False when another worker took over."""
    done = c.execute(
        update(polls).where(polls.c.name == poll.name, polls.c.epoch == poll.epoch).values(**values)
    )
    return bool(done.rowcount)


def keep_delivery(
    c: Connection,
    shop: str,
    topic: str,
    webhook_id: str,
    triggered_at: str,
    shopify_order_id: str | None,
    fulfillment_order_id: str | None,
    now: datetime,
) -> bool:
    """Keep a verified delivery once. True when this call inserted it."""
    done = c.execute(
        _KEEP_DELIVERY,
        {
            "shop": shop,
            "topic": topic,
            "webhook_id": webhook_id,
            "received_at": now,
            "triggered_at": triggered_at,
            "shopify_order_id": shopify_order_id,
            "fulfillment_order_id": fulfillment_order_id,
        },
    ).one_or_none()
    return done is not None


def forget_deliveries(c: Connection, before: datetime) -> int:
    """Delete the notes of deliveries that came before then; returns how many. They tell a repeated delivery from a new
    one, and Shopify repeats none for longer than some hours."""
    return int(c.execute(delete(deliveries).where(deliveries.c.received_at < before)).rowcount)


def note_stranger(c: Connection, shop: str, shopify_order_id: str, now: datetime) -> None:
    """Note a Shopify order that is linked to nothing, to be read once; and once more when it is heard of again after a
    minute of its first hour, because some apps put their tags on later."""
    again = and_(
        strangers.c.looked_at < now - STRANGER_READ_AGAIN, strangers.c.noted_at > now - STRANGER_CHANGES_FOR
    )
    c.execute(
        upsert(strangers)
        .values(shopify_order_id=shopify_order_id, shop=shop, noted_at=now)
        .on_conflict_do_update(index_elements=["shopify_order_id"], set_={"looked_at": None}, where=again)
    )


def waiting_strangers(c: Connection, shop: str, limit: int) -> list[str]:
    """The strangers of this shop that nobody has read yet, oldest first."""
    rows = c.execute(_WAITING_STRANGERS, {"of_shop": shop, "most": limit})
    return list(rows.scalars())


def stranger_was_read(c: Connection, shopify_order_id: str, now: datetime) -> None:
    c.execute(update(strangers).where(strangers.c.shopify_order_id == shopify_order_id).values(looked_at=now))


def forget_strangers(c: Connection, before: datetime) -> int:
    """Delete the notes of strangers older than that; returns how many."""
    return int(c.execute(delete(strangers).where(strangers.c.noted_at < before)).rowcount)


_SHOPS_WITH_LOOSE_ENDS = (
    select(deliveries.c.shop)
    .where(deliveries.c.resolved_at.is_(None), deliveries.c.fulfillment_order_id.is_not(None))
    .union(select(strangers.c.shop).where(strangers.c.looked_at.is_(None)))
)


def shops_with_loose_ends(c: Connection) -> frozenset[str]:
    """Shops with a delivery that names an order not known yet, or with an order that is linked to nothing and was not
    read yet."""
    return frozenset(c.execute(_SHOPS_WITH_LOOSE_ENDS).scalars())


def resolve_delivery(c: Connection, shop: str, topic: str, webhook_id: str, now: datetime) -> None:
    """The delivery has led to its order, or is known to concern none of ours."""
    c.execute(_RESOLVE_DELIVERY, {"of_shop": shop, "of_topic": topic, "of_webhook": webhook_id, "now": now})


def unresolved_deliveries(c: Connection, shops: list[str], limit: int) -> list[tuple[str, str, str, str]]:
    """Deliveries that named only a fulfillment order we had not seen: shop, topic, id, fulfillment order."""
    rows = c.execute(_UNRESOLVED_DELIVERIES, {"shops": shops, "most": limit})
    return [(row.shop, row.topic, row.webhook_id, row.fulfillment_order_id) for row in rows]


def seconds_until_allowed(
    c: Connection, account: str, operation: str, limit: int, window: timedelta, now: datetime
) -> float:
    """Count one call against the account's ceiling of `limit` calls in `window`, if it may leave now.

    0.0 means it may and was counted; otherwise the seconds after which to ask again. A wait the platform asked for
    comes first.
    """
    mine = {"of_account": account, "of_operation": operation}
    c.execute(_LOCK_ACCOUNT, {"of_account": account})
    until = c.execute(_TOLD_TO_WAIT, mine).scalar_one_or_none()
    if until is not None and until > now:
        return float((until - now).total_seconds())
    c.execute(_FORGET_CALLS, {**mine, "before": now - window})
    used = c.execute(_CALLS_IN_WINDOW, mine).one()
    if used[0] >= limit:
        return max(float((used[1] + window - now).total_seconds()), 0.05)
    c.execute(_ADD_CALL, {"account": account, "operation": operation, "at": now})
    return 0.0


def wait_until(c: Connection, account: str, operation: str, until: datetime) -> None:
    """The platform asked for a pause: nobody calls this operation of the account before `until`."""
    c.execute(
        upsert(budget_waits)
        .values(account=account, operation=operation, until=until)
        .on_conflict_do_update(index_elements=["account", "operation"], set_={"until": until})
    )


def waits_of(c: Connection, accounts: Sequence[str], now: datetime) -> dict[str, dict[str, datetime]]:
    """By account, until when each of its operations has to wait because the platform asked for it."""
    waits: dict[str, dict[str, datetime]] = {account: {} for account in accounts}
    for row in c.execute(_WAITS, {"accounts": accounts, "now": now}):
        waits[row.account][row.operation] = row.until
    return waits


def take_duty(c: Connection, name: str, now: datetime, every: timedelta) -> bool:
    """Become the worker who does this now, for all workers; it is due again after `every`. False while it is not due."""
    given = {"duty": name, "now": now, "next_at": now + every}
    return c.execute(_TAKE_DUTY, given).one_or_none() is not None


def duty_is_due(c: Connection, name: str, now: datetime) -> None:
    """What was taken could not be done: whoever asks next does it."""
    c.execute(update(duties).where(duties.c.name == name).values(due_at=now))


def shop_token(c: Connection, account: str) -> tuple[bytes, datetime] | None:
    """The encrypted access token of this shop and app, and when a younger one is to be asked for."""
    row = c.execute(_SHOP_TOKEN, {"of_account": account}).one_or_none()
    return None if row is None else (row.token, row.refresh_at)


def keep_shop_token(c: Connection, account: str, encrypted: bytes, refresh_at: datetime) -> None:
    """Leave the access token of this shop and app for every worker."""
    c.execute(_KEEP_TOKEN, {"account": account, "token": encrypted, "refresh_at": refresh_at})


@dataclass(frozen=True, slots=True)
class MapChange:
    """One change of a mapping. `former` is empty where there was none before, `present` where there is none since."""

    at: datetime
    name: str
    former: str
    present: str
    who: str
    why: str


def note_map_changes(
    c: Connection,
    connection_id: int,
    which: str,
    former: Mapping[str, str],
    present: Mapping[str, str],
    who: str,
    why: str,
    at: datetime,
) -> int:
    """Write down how the map `which` (carriers, skus, bundles or reasons) changed from `former` to `present`; returns how many lines."""
    names = [name for name in sorted({*former, *present}) if former.get(name, "") != present.get(name, "")]
    if names:
        c.execute(
            insert(map_changes),
            [
                {
                    "connection_id": connection_id,
                    "map": which,
                    "name": name,
                    "former": former.get(name, ""),
                    "present": present.get(name, ""),
                    "who": who,
                    "why": why,
                    "at": at,
                }
                for name in names
            ],
        )
    return len(names)


_MAP_CHANGES_SHOWN = 50


def map_history(c: Connection, connection_id: int, *which: str) -> tuple[MapChange, ...]:
    """The latest changes of these maps, the newest first."""
    rows = c.execute(
        select(map_changes)
        .where(map_changes.c.connection_id == connection_id, map_changes.c.map.in_(which))
        .order_by(map_changes.c.id.desc())
        .limit(_MAP_CHANGES_SHOWN)
    )
    return tuple(MapChange(row.at, row.name, row.former, row.present, row.who, row.why) for row in rows)
