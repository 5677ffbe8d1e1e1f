"""The one row that makes a database an installation: its identity, its address key, where webhooks come in."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import CheckConstraint, Column, Connection, Integer, LargeBinary, Table, Text, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.storage.database import metadata
from interlock.storage.encryption import Keyring, new_key
from interlock.storage.personal_data import personal
from interlock.storage.types import UtcDateTime

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("instance", Text, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column(
        "address_key",
        LargeBinary,
        nullable=False,
        info=personal(
            purpose="the key of address digests, without which they could be guessed",
            retention="as long as the installation",
        ),
    ),
    Column("webhook_base", Text),
    CheckConstraint("id = 1", name="only_one"),
)


@dataclass(frozen=True, slots=True)
class Installation:
    """`address_key` keys the digests that stand for addresses; it survives a change of the encryption keys, so that
    the same address keeps its digest. `webhook_base` is the public address without a path, or None."""

    instance: str
    address_key: bytes = field(repr=False)
    webhook_base: str | None


def open_installation(c: Connection, keyring: Keyring, instance: str, now: datetime) -> Installation:
    """The installation of this database, made with the identity `instance` when it has none yet. Of two first
    starts at once, both get what the first one made. Raises Undecipherable under a foreign keyring."""
    c.execute(
        upsert(installation)
        .values(id=1, instance=instance, made_at=now, address_key=keyring.encrypt(new_key().encode()))
        .on_conflict_do_nothing()
    )
    row = c.execute(select(installation)).one()
    return Installation(row.instance, keyring.decrypt(row.address_key), row.webhook_base)


def address_key(c: Connection, keyring: Keyring) -> bytes:
    """The key of address digests. Raises NoResultFound before the installation was opened once."""
    return keyring.decrypt(c.execute(select(installation.c.address_key)).scalar_one())


def check_keyring(c: Connection, keyring: Keyring) -> None:
    """Raises Undecipherable when this database was made with a key that is not among these: what a command wrote under
    another one, the service could never read. A database that is no installation yet may be opened with any."""
    made = c.execute(select(installation.c.address_key)).scalar_one_or_none()
    if made is not None:
        keyring.decrypt(made)


def webhook_base(c: Connection) -> str | None:
    """The public address that platforms reach us under, such as https://interlock.example; None until it is set."""
    found: str | None = c.execute(select(installation.c.webhook_base)).scalar_one_or_none()
    return found


def set_webhook_base(c: Connection, base: str | None) -> None:
    """From now on subscriptions point below `base`. The installation must have been opened once."""
    c.execute(update(installation).values(webhook_base=None if base is None else base.rstrip("/")))
