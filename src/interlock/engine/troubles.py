"""What went wrong with a part as a whole (an account, a shop's subscriptions, one order's runs), dated and without words of others.

A trouble is a fact, not a judgement: whoever meets it notes it, and the monitoring room decides what it means and when it
is over.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Column, Connection, Integer, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

TroubleCode = Literal[
    "credential_refused",
    "scope_missing",
    "subscription_missing",
    "crash",
    "clock_skew",
    "unreachable",
    "audit_log_broken",
    "backup_old",
    "canary_in_log",
    "ingress_redirects",
    "heartbeat_missing",
]

troubles = Table(
    "troubles",
    metadata,
    # the account, `subscriptions <shop>`, `scopes <shop>`, `ingress <shop>`, `order <row id>`, `clock <worker>`,
    # `log <worker>`, `heartbeat <channel>`, `backup` or `audit log`
    Column("part", Text, primary_key=True),
    Column("code", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("times", Integer, nullable=False, server_default="1"),
    # codes, topics, scopes or a number of seconds
    Column("detail", Text, nullable=False, server_default=""),
)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble as noted: how often, since when, and when last."""

    part: str
    code: str
    since: datetime
    last_at: datetime
    times: int
    detail: str


_NOTE = upsert(troubles)
_NOTE_AGAIN = _NOTE.on_conflict_do_update(
    index_elements=["part", "code"],
    set_={
        "last_at": _NOTE.excluded["last_at"],
        "detail": _NOTE.excluded["detail"],
        "times": troubles.c.times + 1,
    },
)


def note_trouble(c: Connection, part: str, code: TroubleCode, now: datetime, detail: str = "") -> None:
    """Note that this part is in trouble now; noting again moves its last time and counts it."""
    c.execute(
        _NOTE_AGAIN,
        {"part": part, "code": code, "since": now, "last_at": now, "times": 1, "detail": detail[:400]},
    )


def trouble_is_over(c: Connection, part: str, code: str) -> bool:
    """Forget a trouble; True when it was there."""
    return bool(c.execute(delete(troubles).where(troubles.c.part == part, troubles.c.code == code)).rowcount)


def all_troubles(c: Connection) -> tuple[Trouble, ...]:
    """Every trouble that is noted, by part."""
    rows = c.execute(select(troubles).order_by(troubles.c.part, troubles.c.code))
    return tuple(Trouble(row.part, row.code, row.since, row.last_at, row.times, row.detail) for row in rows)
