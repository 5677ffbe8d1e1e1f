"""Requests of the shop to erase or to hand out personal data (Shopify's privacy webhooks): kept until somebody has answered
them, with how long that took.

What Interlock keeps of a customer goes by itself, each column after its own time (docs/reference/personal-data.md); whatever
else a request asks for is done by a person, who says so here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Identity,
    LargeBinary,
    Table,
    Text,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.access.audit_log import Did, record
from interlock.storage.database import metadata
from interlock.storage.personal_data import personal
from interlock.storage.types import UtcDateTime

SOON = timedelta(days=7)
LATEST = timedelta(days=30)
"""The shop has to be answered within 30 days (Shopify, `customers/redact`)."""

privacy_requests = Table(
    "privacy_requests",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("shop", Text, nullable=False),
    Column("topic", Text, nullable=False),
    # the delivery's own id: one that is sent twice is one request
    Column("webhook_id", Text, nullable=False, unique=True),
    Column("asked_at", UtcDateTime, nullable=False),
    Column(
        "body",
        LargeBinary,
        info=personal(
            purpose="whom a request to erase or hand out personal data is about",
            retention="until it is answered",
        ),
    ),
    Column("done_at", UtcDateTime),
    Column("done_by", Text),
)


class NoSuchRequest(ValueError):
    """There is no such request that waits."""

    def __init__(self, number: int) -> None:
        super().__init__(f"No request {number} waits for an answer. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class PrivacyRequest:
    """A request as it is listed, without whom it is about."""

    id: int
    shop: str
    topic: str
    asked_at: datetime
    done_at: datetime | None
    done_by: str

    @property
    def due_at(self) -> datetime:
        """Until when it has to be answered."""
        return self.asked_at + LATEST


def keep_request(
    c: Connection, shop: str, topic: str, webhook_id: str, encrypted: bytes, now: datetime
) -> bool:
    """Keep a request; False when this delivery was kept before."""
    given = {"shop": shop, "topic": topic, "webhook_id": webhook_id, "asked_at": now, "body": encrypted}
    kept = upsert(privacy_requests).values(given).on_conflict_do_nothing().returning(privacy_requests.c.id)
    return c.execute(kept).first() is not None


def requests(c: Connection) -> Sequence[PrivacyRequest]:
    """Every request, the oldest first."""
    rows = c.execute(select(privacy_requests).order_by(privacy_requests.c.id))
    return [
        PrivacyRequest(row.id, row.shop, row.topic, row.asked_at, row.done_at, row.done_by or "")
        for row in rows
    ]


def reveal(c: Connection, number: int, who: str, now: datetime) -> bytes:
    """Whom a waiting request is about, encrypted; that somebody looked is in the audit log. Raises NoSuchRequest."""
    waits = privacy_requests.c.done_at.is_(None)
    body = c.execute(
        select(privacy_requests.c.body).where(privacy_requests.c.id == number, waits)
    ).scalar_one_or_none()
    if body is None:
        raise NoSuchRequest(number)
    facts = {"reason": "to answer the request"}
    record(c, who, Did.REVEALED, f"privacy request {number}", now=now, facts=facts)
    return bytes(body)


def answered(c: Connection, number: int, who: str, now: datetime) -> None:
    """Somebody has done what the request asks for; whom it was about is forgotten. Raises NoSuchRequest."""
    done = c.execute(
        update(privacy_requests)
        .where(privacy_requests.c.id == number, privacy_requests.c.done_at.is_(None))
        .values(done_at=now, done_by=who, body=None)
    )
    if not done.rowcount:
        raise NoSuchRequest(number)
    record(c, who, Did.PRIVACY_ANSWERED, f"privacy request {number}", now=now)


def answered_since(c: Connection, since: datetime, now: datetime) -> tuple[int, int, int]:
    """Of the requests that were answered since, or wait: all that are done or whose time to be answered soon is over, how
    many of them were answered soon, and how many took longer than allowed, or still do."""
    took = func.coalesce(privacy_requests.c.done_at, now) - privacy_requests.c.asked_at
    over = privacy_requests.c.done_at.is_not(None) | (took > SOON)
    row = c.execute(
        select(
            func.count().filter(over),
            func.count().filter(over, took <= SOON),
            func.count().filter(took > LATEST),
        ).where(privacy_requests.c.done_at.is_(None) | (privacy_requests.c.done_at >= since))
    ).one()
    return int(row[0]), int(row[1]), int(row[2])


def waiting_since(c: Connection, before: datetime) -> int:
    """How many requests that came before this moment still wait."""
    waits = privacy_requests.c.done_at.is_(None)
    query = (
        select(func.count()).select_from(privacy_requests).where(waits, privacy_requests.c.asked_at < before)
    )
    return int(c.execute(query).scalar_one())
