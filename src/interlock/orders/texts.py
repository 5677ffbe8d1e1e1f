"""What people write for one order and plans must not hold: an address, the words of a message. Encrypted, and short-lived."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    delete,
    insert,
    select,
)

from interlock.storage.database import metadata
from interlock.storage.personal_data import personal
from interlock.storage.types import UtcDateTime

TextKind = Literal["address", "message"]
KEPT_FOR = timedelta(days=30)

texts = Table(
    "texts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column(
        "body",
        LargeBinary,
        nullable=False,
        info=personal(
            purpose="an address or a message a person wrote for one order, until it has been sent",
            retention="until it was sent or its edit ended, at most 30 days",
        ),
    ),
    Index("ix_texts_order_id", "order_id"),
    Index("ix_texts_created_at", "created_at"),
)


def keep_text(
    c: Connection, text_id: str, order_id: int, kind: TextKind, encrypted: bytes, now: datetime
) -> None:
    """Keep what a person wrote, encrypted by the caller, under an id of its own."""
    c.execute(insert(texts).values(id=text_id, order_id=order_id, kind=kind, created_at=now, body=encrypted))


def kept_text(c: Connection, text_id: str) -> bytes | None:
    """The encrypted text; None once it was deleted."""
    body: bytes | None = c.execute(select(texts.c.body).where(texts.c.id == text_id)).scalar_one_or_none()
    return body


def forget_texts(c: Connection, text_ids: Collection[str]) -> int:
    """Delete texts that nothing needs any more; returns how many there were."""
    if not text_ids:
        return 0
    return int(c.execute(delete(texts).where(texts.c.id.in_(sorted(text_ids)))).rowcount)


def forget_old_texts(c: Connection, now: datetime) -> int:
    """Delete texts that were kept for 30 days, whatever they were for."""
    return int(c.execute(delete(texts).where(texts.c.created_at < now - KEPT_FOR)).rowcount)
