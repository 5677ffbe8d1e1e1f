"""The people who may sign in: accounts, their roles, and the one-time links by which they begin."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Table,
    Text,
    delete,
    insert,
    select,
    text,
    update,
)

from interlock.access.digests import digest_of, keyed_digest, new_token
from interlock.access.roles import Grant, Person, Role
from interlock.access.second_factor import accepted_step, as_typed, new_recovery_codes
from interlock.storage.database import metadata
from interlock.storage.encryption import Keyring
from interlock.storage.personal_data import personal
from interlock.storage.types import UtcDateTime

FIRST_ADMIN_LASTS = timedelta(hours=24)
INVITATION_LASTS = timedelta(days=3)
LONGEST_NAME = 100
_HANDLE = re.compile(r"[a-z][a-z0-9]*([._-][a-z0-9]+)*")
_EMAIL = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,190}")
_WHILE_ACCOUNT = "until the account is erased"

people = Table(
    "people",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("handle", Text, nullable=False, unique=True),
    Column(
        "name",
        LargeBinary,
        nullable=False,
        info=personal(purpose="the name of a colleague, on the page People", retention=_WHILE_ACCOUNT),
    ),
    Column(
        "email",
        LargeBinary,
        info=personal(purpose="how a colleague is reached", retention=_WHILE_ACCOUNT),
    ),
    Column(
        "password",
        LargeBinary,
        info=personal(purpose="the argon2 hash a password is compared with", retention=_WHILE_ACCOUNT),
    ),
    Column(
        "second_factor",
        LargeBinary,
        info=personal(purpose="the secret of the authenticator app", retention=_WHILE_ACCOUNT),
    ),
    Column(
        "second_factor_offered",
        LargeBinary,
        info=personal(
            purpose="the secret an authenticator app is being set up with", retention="until it is confirmed"
        ),
    ),
    Column("last_step", BigInteger, nullable=False, server_default=text("0")),
    Column("outside_identity", Text, unique=True),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("signed_in_at", UtcDateTime),
    Column("rights_changed_at", UtcDateTime, nullable=False),
    Column("deactivated_at", UtcDateTime),
)

grants = Table(
    "grants",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("connection_id", BigInteger, ForeignKey("connections.id")),
    Index("ix_grants_person", "person_id"),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("digest", Text, nullable=False),
    Column("used_at", UtcDateTime),
    Index("ix_recovery_codes_person", "person_id"),
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    # None for the link that makes the first administrator.
    Column("person_id", BigInteger, ForeignKey("people.id")),
    Column("made_at", UtcDateTime, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)


class PersonRefused(ValueError):
    """Something about a person cannot be kept as asked; nothing was changed. `field` names what was wrong."""

    def __init__(self, sentence: str, field: str) -> None:
        super().__init__(f"{sentence} Nothing was changed.")
        self.field = field


class LinkRefused(Exception):
    """A one-time link opens nothing: it was used, has expired, was replaced, or never was one."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"{why} Nothing was changed. Ask an administrator for a new one; whoever runs Interlock gets the very first by "
            "starting `interlock serve` again."
        )


@dataclass(frozen=True, slots=True)
class Account:
    """A person as administrators see them. Name and e-mail address are personal data: for the page, for nothing else."""

    id: int
    handle: str
    name: str = field(repr=False)
    email: str = field(repr=False)
    grants: tuple[Grant, ...]
    has_password: bool
    has_second_factor: bool
    from_outside: bool
    made_at: datetime
    made_by: str
    signed_in_at: datetime | None
    rights_changed_at: datetime
    deactivated_at: datetime | None

    @property
    def active(self) -> bool:
        return self.deactivated_at is None

    @property
    def person(self) -> Person:
        """The account as somebody who asks."""
        return Person(self.id, self.handle, self.grants)


def given_handle(text: str) -> str:
    """A handle as it is kept. Raises PersonRefused."""
    handle = text.strip().lower()
    if not 2 <= len(handle) <= 40 or _HANDLE.fullmatch(handle) is None:
        raise PersonRefused(
            "A sign-in name has 2 to 40 letters and digits, begins with a letter, and may be parted by dots and dashes, such "
            "as ada or ada.byron.",
            "handle",
        )
    return handle


def _given_name(text: str) -> str:
    name = " ".join(text.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise PersonRefused(f"A name of 1 to {LONGEST_NAME} characters is needed.", "name")
    return name


def _given_email(text: str) -> str:
    email = text.strip()
    if email and _EMAIL.fullmatch(email) is None:
        raise PersonRefused(
            "The e-mail address cannot be read: it needs one @ with something on both sides.", "email"
        )
    return email


def add_person(
    c: Connection,
    keyring: Keyring,
    handle: str,
    name: str,
    email: str,
    roles: Sequence[Grant],
    who: str,
    now: datetime,
) -> int:
    """Make an account that cannot sign in yet, and give its row number. Raises PersonRefused."""
    handle, name, email = given_handle(handle), _given_name(name), _given_email(email)
    if c.execute(select(people.c.id).where(people.c.handle == handle)).first() is not None:
        raise PersonRefused(
            f"There is somebody with the sign-in name {handle} already, active or not.", "handle"
        )
    number: int = c.execute(
        insert(people)
        .values(
            handle=handle,
            name=keyring.encrypt(name.encode()),
            email=keyring.encrypt(email.encode()) if email else None,
            made_at=now,
            made_by=who,
            rights_changed_at=now,
        )
        .returning(people.c.id)
    ).scalar_one()
    _keep_grants(c, number, roles)
    return number


def set_roles(c: Connection, person_id: int, roles: Sequence[Grant], now: datetime) -> None:
    """Give exactly these roles. Raises PersonRefused when nobody would be left who manages people."""
    had_one = has_admin(c)
    _keep_grants(c, person_id, roles)
    c.execute(update(people).where(people.c.id == person_id).values(rights_changed_at=now))
    _refuse_to_lose_the_last_admin(c, had_one)


def deactivate(c: Connection, person_id: int, now: datetime) -> None:
    """From now on the person cannot sign in. Sessions are ended by the caller. Raises PersonRefused for the last admin."""
    had_one = has_admin(c)
    c.execute(
        update(people)
        .where(people.c.id == person_id, people.c.deactivated_at.is_(None))
        .values(deactivated_at=now, rights_changed_at=now)
    )
    c.execute(update(one_time_links).where(one_time_links.c.person_id == person_id).values(ends_at=now))
    _refuse_to_lose_the_last_admin(c, had_one)


def reactivate(c: Connection, person_id: int, now: datetime) -> None:
    """Let the person sign in again, as before."""
    c.execute(
        update(people).where(people.c.id == person_id).values(deactivated_at=None, rights_changed_at=now)
    )


def keep_outside_identity(c: Connection, keyring: Keyring, person_id: int, digest: str, email: str) -> None:
    """Let the person sign in by a provider's word. The e-mail address is kept if it can be read."""
    kept = keyring.encrypt(email.encode()) if _EMAIL.fullmatch(email) else None
    c.execute(update(people).where(people.c.id == person_id).values(outside_identity=digest, email=kept))


def _keep_grants(c: Connection, person_id: int, roles: Sequence[Grant]) -> None:
    c.execute(delete(grants).where(grants.c.person_id == person_id))
    wanted = sorted(set(roles), key=lambda grant: (grant.role, grant.connection or 0))
    if wanted:
        c.execute(
            insert(grants),
            [
                {"person_id": person_id, "role": grant.role.value, "connection_id": grant.connection}
                for grant in wanted
            ],
        )


def _refuse_to_lose_the_last_admin(c: Connection, had_one: bool) -> None:
    if had_one and not has_admin(c):
        raise PersonRefused(
            "Then nobody would be left who manages people. Make somebody else an administrator of all connections first.",
            "roles",
        )


def has_admin(c: Connection) -> bool:
    """Whether there is an active administrator of all connections who has a way to sign in."""
    found = c.execute(
        select(people.c.id)
        .join(grants, grants.c.person_id == people.c.id)
        .where(
            people.c.deactivated_at.is_(None),
            grants.c.role == Role.ADMIN.value,
            grants.c.connection_id.is_(None),
            people.c.password.is_not(None) | people.c.outside_identity.is_not(None),
        )
        .limit(1)
    )
    return found.first() is not None


# -- reading ------------------------------------------------------------------------------------------------


def accounts(c: Connection, keyring: Keyring) -> list[Account]:
    """Everybody, active or not, by handle."""
    roles = _grants_of(c, None)
    rows = c.execute(select(people).order_by(people.c.handle))
    return [_account(row, roles.get(row.id, ()), keyring) for row in rows]


def account(c: Connection, keyring: Keyring, person_id: int) -> Account | None:
    """One account by its row number."""
    row = c.execute(select(people).where(people.c.id == person_id)).one_or_none()
    return None if row is None else _account(row, _grants_of(c, person_id).get(person_id, ()), keyring)


def account_named(c: Connection, keyring: Keyring, handle: str) -> Account | None:
    """One account by its handle."""
    number = c.execute(
        select(people.c.id).where(people.c.handle == handle.strip().lower())
    ).scalar_one_or_none()
    return None if number is None else account(c, keyring, number)


def active_people(c: Connection) -> list[Person]:
    """Everybody whose account is active, with their roles, by handle."""
    roles = _grants_of(c, None)
    rows = c.execute(
        select(people.c.id, people.c.handle)
        .where(people.c.deactivated_at.is_(None))
        .order_by(people.c.handle)
    )
    return [Person(row.id, row.handle, roles.get(row.id, ())) for row in rows]


def handle_of(c: Connection, person_id: int) -> str:
    """The sign-in name of somebody who has an account, active or not."""
    return str(c.execute(select(people.c.handle).where(people.c.id == person_id)).scalar_one())


def grants_by_handle(c: Connection) -> dict[str, tuple[Grant, ...]]:
    """The roles of everybody who has an account, active or not, by handle."""
    roles = _grants_of(c, None)
    return {row.handle: roles.get(row.id, ()) for row in c.execute(select(people.c.id, people.c.handle))}


def grants_of(c: Connection, person_id: int) -> tuple[Grant, ...]:
    """The roles of one person."""
    return _grants_of(c, person_id).get(person_id, ())


def _grants_of(c: Connection, person_id: int | None) -> dict[int, tuple[Grant, ...]]:
    query = select(grants).order_by(grants.c.person_id, grants.c.id)
    if person_id is not None:
        query = query.where(grants.c.person_id == person_id)
    found: dict[int, tuple[Grant, ...]] = {}
    for row in c.execute(query):
        found[row.person_id] = (*found.get(row.person_id, ()), Grant(Role(row.role), row.connection_id))
    return found


def _account(row: Any, roles: tuple[Grant, ...], keyring: Keyring) -> Account:
    return Account(
        id=row.id,
        handle=row.handle,
        name=keyring.decrypt(row.name).decode(),
        email="" if row.email is None else keyring.decrypt(row.email).decode(),
        grants=roles,
        has_password=row.password is not None,
        has_second_factor=row.second_factor is not None,
        from_outside=row.outside_identity is not None,
        made_at=row.made_at,
        made_by=row.made_by,
        signed_in_at=row.signed_in_at,
        rights_changed_at=row.rights_changed_at,
        deactivated_at=row.deactivated_at,
    )


# -- password -----------------------------------------------------------------------------------------------


def kept_password(c: Connection, keyring: Keyring, handle: str) -> tuple[int, str] | None:
    """The row number and password hash of an active account; None where there is none to compare with."""
    row = c.execute(
        select(people.c.id, people.c.password).where(
            people.c.handle == handle, people.c.deactivated_at.is_(None)
        )
    ).one_or_none()
    return None if row is None or row.password is None else (row.id, keyring.decrypt(row.password).decode())


def keep_password(c: Connection, keyring: Keyring, person_id: int, hashed: str) -> None:
    """Keep the hash of a new password."""
    c.execute(
        update(people).where(people.c.id == person_id).values(password=keyring.encrypt(hashed.encode()))
    )


# -- second factor ------------------------------------------------------------------------------------------


def second_factor_is_set(c: Connection, person_id: int) -> bool:
    """Whether the person has to show a second factor."""
    found = c.execute(select(people.c.second_factor).where(people.c.id == person_id)).scalar_one_or_none()
    return found is not None


def offer_second_factor(c: Connection, keyring: Keyring, person_id: int, secret: str) -> str:
    """Keep a secret until the person has shown a code of it; the one already offered stays, so that a page may be loaded
    twice."""
    row = c.execute(
        select(people.c.second_factor_offered).where(people.c.id == person_id).with_for_update()
    ).one()
    if row.second_factor_offered is not None:
        return keyring.decrypt(row.second_factor_offered).decode()
    c.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(second_factor_offered=keyring.encrypt(secret.encode()))
    )
    return secret


def confirm_second_factor(c: Connection, keyring: Keyring, person_id: int, code: str, now: datetime) -> bool:
    """Take the offered secret into use if the code is one of it."""
    row = c.execute(select(people).where(people.c.id == person_id).with_for_update()).one()
    if row.second_factor_offered is None:
        return False
    step = accepted_step(keyring.decrypt(row.second_factor_offered).decode(), code, now, 0)
    if step is None:
        return False
    c.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(second_factor=row.second_factor_offered, second_factor_offered=None, last_step=step)
    )
    return True


def check_second_factor(c: Connection, keyring: Keyring, person_id: int, code: str, now: datetime) -> bool:
    """Whether the code is right; it is used up by this."""
    row = c.execute(select(people).where(people.c.id == person_id).with_for_update()).one()
    if row.second_factor is None:
        return False
    step = accepted_step(keyring.decrypt(row.second_factor).decode(), code, now, row.last_step)
    if step is None:
        return False
    c.execute(update(people).where(people.c.id == person_id).values(last_step=step))
    return True


def reset_second_factor(c: Connection, person_id: int) -> None:
    """Take the second factor and its recovery codes away; the next sign-in sets up a new one."""
    c.execute(
        update(people)
        .where(people.c.id == person_id)
        .values(second_factor=None, second_factor_offered=None, last_step=0)
    )
    c.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))


def make_recovery_codes(c: Connection, key: bytes, person_id: int) -> tuple[str, ...]:
    """Ten new codes in place of the former ones; nobody can read them again later."""
    codes = new_recovery_codes()
    c.execute(delete(recovery_codes).where(recovery_codes.c.person_id == person_id))
    c.execute(
        insert(recovery_codes),
        [{"person_id": person_id, "digest": _code_digest(key, person_id, code)} for code in codes],
    )
    return codes


def use_recovery_code(c: Connection, key: bytes, person_id: int, code: str, now: datetime) -> bool:
    """Whether the code is one of the person's that was not used; it is used by this."""
    done = c.execute(
        update(recovery_codes)
        .where(
            recovery_codes.c.person_id == person_id,
            recovery_codes.c.digest == _code_digest(key, person_id, code),
            recovery_codes.c.used_at.is_(None),
        )
        .values(used_at=now)
    )
    return bool(done.rowcount)


def recovery_codes_left(c: Connection, person_id: int) -> int:
    """How many codes were not used yet."""
    mine = (recovery_codes.c.person_id == person_id) & recovery_codes.c.used_at.is_(None)
    return len(c.execute(select(recovery_codes.c.id).where(mine)).all())


def _code_digest(key: bytes, person_id: int, code: str) -> str:
    return keyed_digest(key, f"recovery code of {person_id}", as_typed(code))


# -- one-time links -----------------------------------------------------------------------------------------


def first_admin_link(c: Connection, now: datetime) -> str | None:
    """The token of a new link that makes the first administrator; None once there is one. Former ones end."""
    if has_admin(c):
        return None
    first = one_time_links.c.person_id.is_(None)
    c.execute(update(one_time_links).where(first, one_time_links.c.ends_at > now).values(ends_at=now))
    return _new_link(c, None, "interlock serve", now, FIRST_ADMIN_LASTS)


def link_for(c: Connection, person_id: int, who: str, now: datetime) -> str:
    """The token of a new link by which a person sets a password. Former ones of theirs end."""
    c.execute(
        update(one_time_links)
        .where(one_time_links.c.person_id == person_id, one_time_links.c.ends_at > now)
        .values(ends_at=now)
    )
    return _new_link(c, person_id, who, now, INVITATION_LASTS)


def _new_link(c: Connection, person_id: int | None, who: str, now: datetime, lasts: timedelta) -> str:
    token = new_token()
    c.execute(
        insert(one_time_links).values(
            digest=digest_of(token), person_id=person_id, made_at=now, made_by=who, ends_at=now + lasts
        )
    )
    return token


@dataclass(frozen=True, slots=True)
class Link:
    """A link that opens something now. `person_id` is None for the one that makes the first administrator."""

    id: int
    person_id: int | None


def open_link(c: Connection, token: str, now: datetime) -> Link:
    """What the link opens; it stays usable. Raises LinkRefused."""
    row = c.execute(
        select(one_time_links).where(one_time_links.c.digest == digest_of(token)).with_for_update()
    ).one_or_none()
    if row is None:
        raise LinkRefused("This is not a link of this installation.")
    if row.used_at is not None:
        raise LinkRefused("This link was used already; it works once.")
    if row.ends_at <= now:
        raise LinkRefused("This link has expired, or a newer one has taken its place.")
    if row.person_id is None and has_admin(c):
        raise LinkRefused("There is an administrator already, so this link has no use any more.")
    return Link(row.id, row.person_id)


def use_link(c: Connection, link: Link, now: datetime) -> None:
    """The link opens nothing from now on."""
    c.execute(update(one_time_links).where(one_time_links.c.id == link.id).values(used_at=now))


def parsed_roles(given: Iterable[str], connections: dict[str, int]) -> tuple[Grant, ...]:
    """Roles as they are written: `cx`, or `cx@atlas` for one connection. Raises PersonRefused."""
    found = []
    for text_ in given:
        role, _, name = text_.strip().partition("@")
        if role not in {known.value for known in Role}:
            raise PersonRefused(
                f"{role[:40]!r} is not a role. There are: {', '.join(known.value for known in Role)}.",
                "roles",
            )
        if name and name not in connections:
            raise PersonRefused(f"There is no connection {name[:40]!r}.", "roles")
        found.append(Grant(Role(role), connections[name] if name else None))
    return tuple(found)
