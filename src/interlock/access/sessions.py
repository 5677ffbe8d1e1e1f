"""Sessions: kept here and not in the browser, so that they can be ended; the browser holds a token of which we keep the
digest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
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
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from interlock.access.digests import digest_of, new_token
from interlock.access.people import grants_of, people
from interlock.access.roles import Person
from interlock.storage.database import metadata
from interlock.storage.encryption import Keyring
from interlock.storage.personal_data import personal
from interlock.storage.types import UtcDateTime

SECOND_FACTOR_WITHIN = timedelta(minutes=5)
NOTED_EVERY = timedelta(minutes=1)
FORMER_TOKEN_LASTS = timedelta(minutes=1)
KEPT_AFTER_END = timedelta(days=30)

sessions = Table(
    "sessions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    # The token before the last renewal, for requests that were on their way.
    Column("former_digest", Text),
    Column("renewed_at", UtcDateTime, nullable=False),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    # Password right, second factor not shown yet: opens nothing but the page that asks for it.
    Column("half", Boolean, nullable=False),
    Column("from_outside", Boolean, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column(
        "browser",
        LargeBinary,
        nullable=False,
        info=personal(
            purpose="which browser a session runs in, for its owner to recognise",
            retention="30 days after the session",
        ),
    ),
    Index("ix_sessions_person", "person_id"),
    Index("ix_sessions_former", "former_digest"),
)


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is open now. `renewed` is the new token its browser has to be given, or empty."""

    id: int
    person: Person
    half: bool
    from_outside: bool
    has_second_factor: bool
    renewed: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as its owner sees it."""

    id: int
    browser: str
    made_at: datetime
    seen_at: datetime
    from_outside: bool


def begin(
    c: Connection,
    keyring: Keyring,
    person_id: int,
    browser: str,
    now: datetime,
    longest: timedelta,
    *,
    half: bool = False,
    from_outside: bool = False,
) -> str:
    """Begin a session and give the token for its browser."""
    token = new_token()
    c.execute(
        insert(sessions).values(
            digest=digest_of(token),
            renewed_at=now,
            person_id=person_id,
            half=half,
            from_outside=from_outside,
            made_at=now,
            seen_at=now,
            ends_at=now + (SECOND_FACTOR_WITHIN if half else longest),
            browser=keyring.encrypt(browser[:200].encode()),
        )
    )
    forget_sessions(c, now)
    if not half:
        c.execute(update(people).where(people.c.id == person_id).values(signed_in_at=now))
    return token


def forget_sessions(c: Connection, now: datetime) -> int:
    """Delete sessions that are over for 30 days, however they ended; returns how many."""
    over = func.least(sessions.c.ended_at, sessions.c.ends_at)
    return int(c.execute(delete(sessions).where(over < now - KEPT_AFTER_END)).rowcount)


def session_of(c: Connection, token: str, now: datetime, idle: timedelta, *, by_hand: bool) -> Session | None:
    """The open session of a token. Its token is renewed when the rights of its person have changed since.

    `by_hand` is whether a person asked, and not a page that refreshes itself: only that keeps a session from ending by
    idleness.
    """
    digest = digest_of(token)
    former = (sessions.c.former_digest == digest) & (sessions.c.renewed_at > now - FORMER_TOKEN_LASTS)
    row = c.execute(
        select(sessions, people.c.handle, people.c.rights_changed_at, people.c.second_factor)
        .join(people, people.c.id == sessions.c.person_id)
        .where(
            or_(sessions.c.digest == digest, former),
            sessions.c.ended_at.is_(None),
            sessions.c.ends_at > now,
            sessions.c.seen_at > now - idle,
            people.c.deactivated_at.is_(None),
        )
    ).one_or_none()
    if row is None:
        return None
    if by_hand and now - row.seen_at > NOTED_EVERY:
        c.execute(update(sessions).where(sessions.c.id == row.id).values(seen_at=now))
    renewed = _renewed(c, row, now) if row.digest == digest else ""
    person = Person(row.person_id, row.handle, grants_of(c, row.person_id))
    return Session(row.id, person, row.half, row.from_outside, row.second_factor is not None, renewed)


def gone_sessions(c: Connection, ids: Sequence[int], now: datetime) -> frozenset[int]:
    """Which of these sessions are none any more: ended, over, or of somebody whose account was closed."""
    if not ids:
        return frozenset()
    live = c.execute(
        select(sessions.c.id)
        .join(people, people.c.id == sessions.c.person_id)
        .where(
            sessions.c.id.in_(ids),
            sessions.c.ended_at.is_(None),
            sessions.c.ends_at > now,
            people.c.deactivated_at.is_(None),
        )
    ).scalars()
    return frozenset(ids) - frozenset(live)


def _renewed(c: Connection, row: Any, now: datetime) -> str:
    if row.rights_changed_at <= row.renewed_at:
        return ""
    token = new_token()
    done = c.execute(
        update(sessions)
        .where(sessions.c.id == row.id, sessions.c.digest == row.digest)
        .values(digest=digest_of(token), former_digest=row.digest, renewed_at=now)
    )
    return token if done.rowcount else ""


def end(c: Connection, session_id: int, now: datetime) -> None:
    """End one session."""
    c.execute(
        update(sessions)
        .where(sessions.c.id == session_id, sessions.c.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_all(c: Connection, person_id: int, now: datetime, but: int | None = None) -> int:
    """End every session of a person, except `but`, and say how many there were."""
    mine = (sessions.c.person_id == person_id) & sessions.c.ended_at.is_(None) & (sessions.c.ends_at > now)
    if but is not None:
        mine &= sessions.c.id != but
    return c.execute(update(sessions).where(mine).values(ended_at=now)).rowcount


def open_sessions(
    c: Connection, keyring: Keyring, person_id: int, now: datetime, idle: timedelta
) -> list[SessionRow]:
    """The open sessions of a person, the newest first."""
    rows = c.execute(
        select(sessions)
        .where(
            sessions.c.person_id == person_id,
            sessions.c.ended_at.is_(None),
            sessions.c.ends_at > now,
            sessions.c.seen_at > now - idle,
            ~sessions.c.half,
        )
        .order_by(sessions.c.id.desc())
    )
    return [
        SessionRow(row.id, keyring.decrypt(row.browser).decode(), row.made_at, row.seen_at, row.from_outside)
        for row in rows
    ]
