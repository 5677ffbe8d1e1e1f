"""The audit log: who did what, when and to what. It only grows, and each entry carries the digest of the one before.

An entry holds handles, row numbers, codes, and the reason somebody typed for revealing a document; nothing of ours puts a
name, an address or anything a customer wrote into it. The chain shows
that an entry was altered, removed or put in; that the newest ones were cut off shows only against a head that was noted
elsewhere (`interlock audit-log verify --head`), which is why the head is printed with every verification and export.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Column, Connection, Index, Integer, Table, Text, func, insert, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.clock import Clock
from interlock.storage.append_only import APPEND_ONLY, unguarded
from interlock.storage.database import Store, metadata
from interlock.storage.types import UtcDateTime

T = TypeVar("T")

# Entries are written one after another: each waits until the transaction of the one before has ended.
_LOCK = 4_731_004
_ROWS_A_READ = 2000
LONGEST = 200
BEGINNING = "0" * 64


class Did(StrEnum):
    """What can have been done. Codes are stored: add at the end, never rename."""

    CHANGED = "changed"
    """A form of the console changed something; the subject is its address, the fact `right` the permission used."""
    DENIED = "denied"
    """Somebody asked for what they may not do; nothing was changed."""
    SIGNED_IN = "signed_in"
    SIGN_IN_REFUSED = "sign_in_refused"
    SIGNED_OUT = "signed_out"
    SESSION_ENDED = "session_ended"
    PASSWORD_CHANGED = "password_changed"
    SECOND_FACTOR_SET = "second_factor_set"
    SECOND_FACTOR_RESET = "second_factor_reset"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    PERSON_INVITED = "person_invited"
    LINK_USED = "link_used"
    ROLES_CHANGED = "roles_changed"
    PERSON_DEACTIVATED = "person_deactivated"
    PERSON_REACTIVATED = "person_reactivated"
    API_KEY_MADE = "api_key_made"
    API_KEY_REVOKED = "api_key_revoked"
    REVEALED = "revealed"
    EXPORTED = "exported"
    CASE_ANSWERED = "case_answered"
    ORDER_EDITED = "order_edited"
    LABEL_OVERRIDDEN = "label_overridden"
    MAPPING_CHANGED = "mapping_changed"
    FLOW_PAUSED = "flow_paused"
    FLOW_RESUMED = "flow_resumed"
    POLICY_CHANGED = "policy_changed"
    ALERTS_CHANGED = "alerts_changed"
    AUDIT_LOG_VERIFIED = "audit_log_verified"
    ALERT_ACKNOWLEDGED = "alert_acknowledged"
    """By the link of a message; the fact `channel` says by which channel it was sent."""
    PRIVACY_ANSWERED = "privacy_answered"


audit_log = Table(
    "audit_log",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("did", Text, nullable=False),
    Column("subject", Text, nullable=False),
    # Not a foreign key: the log outlives what it speaks of.
    Column("connection_id", BigInteger),
    Column("facts", JSONB, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index("ix_audit_log_who", "who", "id"),
    Index("ix_audit_log_subject", "subject", "id"),
    info=APPEND_ONLY,
)

audit_heads = Table(
    "audit_heads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)
"""One row: the newest entry of the last walk that found the log whole, so that cutting it off shows too."""


@dataclass(slots=True)
class Asking:
    """A form that is being answered. The transaction that changes something because of it leaves an entry: the form's
    own if it wrote one (`recorded`), else one that names the address."""

    who: str
    right: str
    path: str
    connection: int | None
    recorded: bool = False


asking: ContextVar[Asking | None] = ContextVar("asking", default=None)
"""The form this task is answering; set by the console's doors."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `digest` covers everything before it in this list, and through `previous` every entry before."""

    id: int
    at: datetime
    who: str
    did: str
    subject: str
    connection_id: int | None
    facts: Mapping[str, str]
    previous: str
    digest: str


class FactRefused(ValueError):
    """An entry was about to hold something that has no place in the log: a defect in whoever wrote it."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"The audit log cannot hold {what}: entries are short texts that can be shown, and nothing of them changes "
            "later. Nothing was written."
        )


def record(
    c: Connection,
    who: str,
    did: Did,
    subject: str = "",
    *,
    now: datetime,
    connection: int | None = None,
    facts: Mapping[str, str] | None = None,
) -> Entry:
    """Add an entry in the caller's transaction: it is there if and only if what it tells of is.

    `who` is a handle (`person.handle`), `API key …` or the operating system's user; `subject` what was acted upon, such
    as `case 12` or `person 3`; `connection` the row number of the connection it belongs to. Call it last in a
    transaction: others who record wait until it ends. Raises FactRefused.
    """
    given = dict(facts or {})
    for value in (who, subject, *given, *given.values()):
        if not isinstance(value, str) or len(value) > LONGEST or not (value == "" or value.isprintable()):
            raise FactRefused(f"a text of more than {LONGEST} characters or with control characters in it")
    if not who:
        raise FactRefused("an entry of nobody")
    c.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    last = c.execute(
        select(audit_log.c.id, audit_log.c.digest).order_by(audit_log.c.id.desc()).limit(1)
    ).first()
    number, previous = (1, BEGINNING) if last is None else (last.id + 1, last.digest)
    digest = digest_of(number, now, who, did.value, subject, connection, given, previous)
    entry = Entry(number, now, who, did.value, subject, connection, given, previous, digest)
    c.execute(
        insert(audit_log).values(
            id=number,
            at=now,
            who=who,
            did=did.value,
            subject=subject,
            connection_id=connection,
            facts=given,
            previous=previous,
            digest=digest,
        )
    )
    form = asking.get()
    if form is not None:
        form.recorded = True
    return entry


def recorded(fn: Callable[[Connection], T], now: datetime) -> Callable[[Connection], T]:
    """`fn` in its transaction. Where somebody's request or command is being answered, what it changes leaves an entry."""
    asked = asking.get()

    def both(c: Connection) -> T:
        found = fn(c)
        if asked is not None:
            record_form(c, asked, now)
        return found

    return both


def record_form(c: Connection, form: Asking, now: datetime) -> None:
    """Leave an entry of the form if this transaction has changed anything and none was written for the form yet."""
    if form.recorded:
        return
    if c.execute(text("SELECT pg_current_xact_id_if_assigned()::text")).scalar_one() is None:
        return
    facts = {"right": form.right}
    record(c, form.who, Did.CHANGED, form.path[:LONGEST], now=now, connection=form.connection, facts=facts)


class RecordingStore:
    """Transactions of a web process: what somebody's request changes leaves an entry in the audit log, in the same one."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def tx(self, fn: Callable[[Connection], T]) -> T:
        return await self._store.tx(recorded(fn, self._clock.now()))


def digest_of(
    number: int,
    at: datetime,
    who: str,
    did: str,
    subject: str,
    connection: int | None,
    facts: Mapping[str, str],
    previous: str,
) -> str:
    """The SHA-256, in hexadecimal, of an entry and of the digest before it."""
    document = [number, at.isoformat(), who, did, subject, connection, dict(facts), previous]
    canonical = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


# -- watching -----------------------------------------------------------------------------------------------


def watch(c: Connection, now: datetime) -> str:
    """Walk along the whole chain from a head that was noted at the last good walk, and note the new one. Returns what does
    not fit, in words; empty when everything does."""
    noted = c.execute(select(audit_heads.c.entry, audit_heads.c.digest)).one_or_none()
    walked = verify(c, None if noted is None else (noted.entry, noted.digest))
    if not walked.whole:
        return f"entry {walked.broken_at}: {walked.why}"
    if audit_log.name in unguarded(c, metadata):
        return "the guard that forbids changes is gone."
    if walked.entries:
        given = {"entry": walked.entries, "digest": walked.head, "at": now}
        kept = upsert(audit_heads).values(id=1, **given)
        c.execute(kept.on_conflict_do_update(index_elements=["id"], set_=given))
    return ""


# -- reading ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verified:
    """What a walk along the chain found. `broken_at` is the first entry that does not fit, `why` says how."""

    entries: int
    head: str
    broken_at: int | None = None
    why: str = ""

    @property
    def whole(self) -> bool:
        return self.broken_at is None


def verify(c: Connection, head: tuple[int, str] | None = None) -> Verified:
    """Compute every digest again, from the first entry to the last. `head` is the number and digest of an entry that
    was noted earlier: it must still be there. Reads the whole log; about 100,000 entries in a few seconds."""
    expected, count, seen_head = BEGINNING, 0, head is None
    for entry in entries(c):
        count += 1
        if entry.id != count:
            return Verified(count - 1, expected, entry.id, f"Entry {count} is missing.")
        if entry.previous != expected:
            return Verified(count - 1, expected, entry.id, "It does not follow from the entry before it.")
        digest = digest_of(
            entry.id,
            entry.at,
            entry.who,
            entry.did,
            entry.subject,
            entry.connection_id,
            entry.facts,
            entry.previous,
        )
        if digest != entry.digest:
            return Verified(count - 1, expected, entry.id, "It was altered after it was written.")
        expected = entry.digest
        seen_head = seen_head or (entry.id, entry.digest) == head
    if not seen_head and head is not None:
        return Verified(
            count, expected, head[0], "The entry that was noted earlier is not there, or is another one."
        )
    return Verified(count, expected)


def entries(c: Connection, after: int = 0) -> Iterator[Entry]:
    """Every entry with a number above `after`, oldest first, read in steps."""
    while True:
        page = select(audit_log).where(audit_log.c.id > after).order_by(audit_log.c.id).limit(_ROWS_A_READ)
        rows = c.execute(page).all()
        yield from (_entry(row) for row in rows)
        if len(rows) < _ROWS_A_READ:
            return
        after = rows[-1].id


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries a reader asks for; empty fields ask for all. `one_of` are handles, None for everybody's; `subject`
    matches from its beginning, `connection` is the row number of the connection an entry belongs to, and `before` the
    number of the entry at which the answer ends."""

    who: str = ""
    did: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    connection: int | None = None
    before: int | None = None
    one_of: tuple[str, ...] | None = None


def found(c: Connection, wanted: Wanted, limit: int = 100) -> list[Entry]:
    """The newest entries that are asked for, newest first, at most `limit`."""
    query = select(audit_log)
    if wanted.who:
        query = query.where(audit_log.c.who == wanted.who)
    if wanted.one_of is not None:
        query = query.where(audit_log.c.who.in_(wanted.one_of))
    if wanted.did:
        query = query.where(audit_log.c.did == wanted.did)
    if wanted.subject:
        query = query.where(func.starts_with(audit_log.c.subject, wanted.subject))
    if wanted.since is not None:
        query = query.where(audit_log.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit_log.c.at < wanted.until)
    if wanted.connection is not None:
        query = query.where(audit_log.c.connection_id == wanted.connection)
    if wanted.before is not None:
        query = query.where(audit_log.c.id < wanted.before)
    rows = c.execute(query.order_by(audit_log.c.id.desc()).limit(limit))
    return [_entry(row) for row in rows]


def _entry(row: Any) -> Entry:
    return Entry(
        row.id, row.at, row.who, row.did, row.subject, row.connection_id, row.facts, row.previous, row.digest
    )
