"""API keys: what a program shows to prove who it is, what it may do with it, and how it is taken away again.

A personal key is one that somebody made in their own name while signed in: it proves the person, may do at most what the
person may, and ends with the account.

The secret is shown once, when the key is made; only its digest is kept. It has 256 random bits, so a plain digest is
as good as a slow one.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Identity,
    Table,
    Text,
    exists,
    insert,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from interlock.access.audit_log import Did, record
from interlock.access.people import grants_of, people
from interlock.access.roles import (
    ANSWERS,
    PERMISSION_WORDS,
    Permission,
    Person,
    may,
    may_somewhere,
    narrowed,
)
from interlock.access.sessions import sessions
from interlock.clock import system_random
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

PREFIX = "il"
LONGEST_NAME = 60
SEEN_WITHIN = timedelta(days=30)
"""Who came by the organisation's sign-in has to come so again for their keys to open anything: of a leaver nobody tells us.
A password of their own here says nothing of that. Sessions are kept for as long after their end."""
_NO_DIGEST = "0" * 64
# At most 18 digits fit into the column that holds the number.
_TOKEN = re.compile(rf"{PREFIX}_([1-9][0-9]{{0,17}})_([A-Za-z0-9_-]{{43}})")


class Scope(StrEnum):
    """What a key may be used for. A key has only the scopes it was given; none includes another."""

    ORDERS_READ = "orders:read"
    ORDERS_EDIT = "orders:edit"
    LABELS_CHECK = "labels:check"
    LABELS_OVERRIDE = "labels:override"
    CASES_READ = "cases:read"
    CASES_ANSWER = "cases:answer"
    CASES_WORK = "cases:work"
    MAPPINGS_READ = "mappings:read"
    MAPPINGS_WRITE = "mappings:write"
    HEALTH_READ = "health:read"


SCOPE_WORDS: Mapping[Scope, str] = MappingProxyType(
    {
        Scope.ORDERS_READ: "read orders and their timelines",
        Scope.ORDERS_EDIT: "edit and cancel orders at the desk",
        Scope.LABELS_CHECK: "ask whether a label may be printed",
        Scope.LABELS_OVERRIDE: "print a label against the interlock",
        Scope.CASES_READ: "read cases and decisions",
        Scope.CASES_ANSWER: "answer cases",
        Scope.CASES_WORK: "assign, comment on and put off cases",
        Scope.MAPPINGS_READ: "read mappings",
        Scope.MAPPINGS_WRITE: "change mappings",
        Scope.HEALTH_READ: "read health",
    }
)
"""What each scope lets a key do, as people read it."""

PERMISSION_OF: Mapping[Scope, Permission] = MappingProxyType(
    {
        Scope.ORDERS_EDIT: Permission.EDIT_ORDERS,
        Scope.LABELS_OVERRIDE: Permission.OVERRIDE_LABEL,
        Scope.CASES_WORK: Permission.WORK_CASES,
        Scope.MAPPINGS_WRITE: Permission.CHANGE_MAPPINGS,
    }
)
"""What the person of a personal key needs for a scope, where the call speaks of; for any other scope it is the right to see.
Whether they may answer a case depends on the case's team as well."""


def rights_for(scope: Scope) -> frozenset[Permission]:
    """What somebody needs who gives this scope to a program. A program answers cases of every team."""
    return ANSWERS if scope is Scope.CASES_ANSWER else frozenset({PERMISSION_OF.get(scope, Permission.SEE)})


def may_give(maker: Person, scope: Scope) -> bool:
    """Whether there is a connection for which the person may give a program this scope."""
    return all(may_somewhere(maker, right) for right in rights_for(scope))


api_keys = Table(
    "api_keys",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("secret_digest", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", Text, nullable=False),
    # the row numbers of the connections it is for; null for all there are
    Column("connections", ARRAY(BigInteger)),
    # whose it is, when somebody made it in their own name
    Column("person_id", BigInteger, ForeignKey("people.id")),
    Column("calls", BigInteger, nullable=False, server_default=text("0")),
    Column("last_used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("revoked_by", Text),
)


class KeyRefused(ValueError):
    """An API key cannot be made or revoked as asked; nothing was changed. `field` names what was wrong."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(f"{sentence} Nothing was changed.")
        self.field = field


class SignInNeeded(KeyRefused):
    """A personal key of somebody for whom the organisation's sign-in has not vouched for SEEN_WITHIN."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The key {name!r} is of somebody who signs in with the organisation's sign-in and has not done so for "
            f"{SEEN_WITHIN.days} days. It opens again once they have signed in to the console with it.",
            "key",
        )


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is stored, without its secret. `person` is the handle of whose it is, empty for a program's;
    `connections` are the row numbers of those it is for, None for all there are."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    created_by: str
    calls: int
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str
    person: str = ""
    connections: frozenset[int] | None = None


def make_key(
    c: Connection,
    name: str,
    scopes: Sequence[str],
    who: str,
    now: datetime,
    owner: Person | None = None,
    connections: Collection[int] = (),
    maker: Person | None = None,
) -> tuple[ApiKey, str]:
    """Make a key and return it with its token, `il_<number>_<secret>`, which nobody can read again later. With `owner` it
    is that person's own: only to be given by what has seen them sign in. `connections` are the row numbers of those it is
    for; none for all there are. `maker` is who makes a program's key and gives it no more than they have there; None where
    the server itself is, whose command line may give all. A key of one's own needs none: it never does more than its person.

    Raises KeyRefused when the name is empty, long or in use, a scope is unknown or not the maker's to give, or nobody says
    who makes it.
    """
    name, who = name.strip(), who.strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise KeyRefused(f"A key needs a name of 1 to {LONGEST_NAME} characters that can be shown.", "name")
    if not who:
        raise KeyRefused("A key needs the name of who makes it.", "who")
    known = {scope.value for scope in Scope}
    wrong = [scope for scope in scopes if scope not in known]
    if wrong or not scopes:
        asked = f"{wrong[0][:40]!r} is not a scope." if wrong else "A key needs at least one scope."
        raise KeyRefused(f"{asked} There are: {', '.join(sorted(known))}.", "scope")
    if maker is not None:
        _refuse_what_is_not_theirs(maker, [Scope(scope) for scope in scopes], connections)
    in_use = select(api_keys.c.id).where(api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
    if c.execute(in_use).first() is not None:
        raise KeyRefused(f"A key named {name!r} is in use already. Choose another name.", "name")
    secret = base64.urlsafe_b64encode(system_random().randbytes(32)).decode().rstrip("=")
    row = c.execute(
        insert(api_keys)
        .values(
            name=name,
            secret_digest=_digest(secret),
            scopes=sorted(set(scopes)),
            created_at=now,
            created_by=who,
            person_id=None if owner is None else owner.id,
            connections=sorted(connections) or None,
        )
        .returning(api_keys.c.id)
    ).one()
    (key,) = _keys(c, api_keys.c.id == row.id)
    facts = {"scopes": " ".join(key.scopes), **({"of": key.person} if key.person else {})}
    if connections:
        facts["connections"] = " ".join(str(number) for number in sorted(connections))
    record(c, who, Did.API_KEY_MADE, f"API key {key.id}", now=now, facts=facts)
    return key, f"{PREFIX}_{key.id}_{secret}"


def _refuse_what_is_not_theirs(maker: Person, scopes: Sequence[Scope], connections: Collection[int]) -> None:
    for scope in scopes:
        for right in sorted(rights_for(scope)):
            if all(may(maker, right, number) for number in connections or (None,)):
                continue
            where = "at each connection the key is for" if connections else "at all connections"
            raise KeyRefused(
                f"Nobody gives a program more than they have: {scope.value} needs the right to {PERMISSION_WORDS[right]} "
                f"{where}. Somebody who has it makes this key, or it is made on the server with `interlock api-key create`.",
                "scope",
            )


def revoke_key(
    c: Connection, key_id: int, who: str, now: datetime, owner: Person | None = None
) -> ApiKey | None:
    """Make a key unusable for ever; None when there is no such key. Revoking twice changes nothing more. With `owner` only
    a key of that person's own is found.

    Raises KeyRefused when nobody says who does it.
    """
    if not who.strip():
        raise KeyRefused("Revoking a key needs the name of who does it.", "who")
    mine = true() if owner is None else api_keys.c.person_id == owner.id
    done = c.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None), mine)
        .values(revoked_at=now, revoked_by=who.strip())
    )
    if done.rowcount:
        record(c, who.strip(), Did.API_KEY_REVOKED, f"API key {key_id}", now=now)
    return next(iter(_keys(c, api_keys.c.id == key_id, mine)), None)


def all_keys(c: Connection) -> list[ApiKey]:
    """Every key that was ever made, in that order."""
    return _keys(c)


def open_keys_of(c: Connection, person_id: int) -> int:
    """How many keys in their own name of this person are not revoked."""
    return len(_keys(c, api_keys.c.person_id == person_id, api_keys.c.revoked_at.is_(None)))


def keys_of(c: Connection, person_id: int) -> list[ApiKey]:
    """Every key this person ever made in their own name, in that order."""
    return _keys(c, api_keys.c.person_id == person_id)


def person_of(c: Connection, key_id: int, now: datetime) -> Person | None:
    """Whose key it is, with the roles they have now, at the connections the key is for; None for a program's key, and when
    the account is not active. Raises SignInNeeded."""
    vouched = exists().where(
        sessions.c.person_id == people.c.id,
        sessions.c.from_outside,
        sessions.c.made_at > now - SEEN_WITHIN,
    )
    row = c.execute(
        select(
            people.c.id,
            people.c.handle,
            people.c.outside_identity,
            vouched.label("vouched"),
            api_keys.c.name,
            api_keys.c.connections,
        )
        .join(api_keys, api_keys.c.person_id == people.c.id)
        .where(api_keys.c.id == key_id, people.c.deactivated_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    if row.outside_identity is not None and not row.vouched:
        raise SignInNeeded(row.name)
    person = Person(row.id, row.handle, grants_of(c, row.id))
    return person if row.connections is None else narrowed(person, frozenset(row.connections))


def key_of(c: Connection, token: str) -> ApiKey | None:
    """The key this token belongs to, revoked or not; None when it belongs to none. Takes the same time for a wrong
    secret whatever it has in common with the right one."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    number = int(found[1])
    kept = c.execute(select(api_keys.c.secret_digest).where(api_keys.c.id == number)).scalar_one_or_none()
    right = hmac.compare_digest(kept or _NO_DIGEST, _digest(found[2]))
    return _keys(c, api_keys.c.id == number)[0] if kept is not None and right else None


def proven(c: Connection, token: str, scope: Scope, now: datetime) -> Person:
    """Who shows this personal key, which has the scope. Raises KeyRefused."""
    key = key_of(c, token.strip())
    person = None if key is None or key.revoked_at is not None else person_of(c, key.id, now)
    if key is None or person is None:
        raise KeyRefused(
            "This is no personal key that opens anything: it was not copied whole, was revoked, is a program's, or its "
            "person's account is closed. Everybody makes their own on the page Your keys of the console.",
            "key",
        )
    if scope not in key.scopes:
        raise KeyRefused(f"The key {key.name!r} does not have the scope {scope.value}.", "key")
    return person


def note_use(c: Connection, key_id: int, calls: int, now: datetime) -> None:
    """Add calls that were made with the key since the last note."""
    c.execute(
        update(api_keys)
        .where(api_keys.c.id == key_id)
        .values(calls=api_keys.c.calls + calls, last_used_at=now)
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _keys(c: Connection, *wanted: ColumnElement[bool]) -> list[ApiKey]:
    rows = c.execute(
        select(api_keys, people.c.handle)
        .outerjoin(people, people.c.id == api_keys.c.person_id)
        .where(*wanted)
        .order_by(api_keys.c.id)
    )
    return [_key(row) for row in rows]


def _key(row: Any) -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=tuple(Scope(scope) for scope in row.scopes),
        created_at=row.created_at,
        created_by=row.created_by,
        calls=row.calls,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by or "",
        person=row.handle or "",
        connections=None if row.connections is None else frozenset(row.connections),
    )
