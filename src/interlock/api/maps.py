"""What the calls about the maps of a connection share: its name, the version of an entry, and how an entry is written and
removed, or refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, Field, StrictStr
from sqlalchemy import Connection

from interlock.api.problems import NotDone
from interlock.api.values import Answer, said, shown
from interlock.console import desk as maps
from interlock.engine.store import ConnectionRow, all_connections
from interlock.storage.database import Store

NameOfConnection = Annotated[
    str, Path(max_length=200, description="Name of the connection."), AfterValidator(shown)
]
# Without outer blanks, as files and forms keep them and as the platforms' own names are read: with them nothing would match.
Key = Annotated[
    str,
    Path(min_length=1, max_length=maps.LONGEST_FIELD),
    AfterValidator(said),
    AfterValidator(str.strip),
]
Value = Annotated[
    StrictStr, Field(max_length=maps.LONGEST_FIELD), AfterValidator(shown), AfterValidator(str.strip)
]
WhoAsks = Annotated[str, Query(min_length=1, max_length=200), AfterValidator(said)]
SeenVersion = Annotated[
    str, Query(min_length=1, max_length=60, description="The version of the entry that was seen.")
]
Version = Annotated[
    StrictStr,
    Field(
        default="",
        max_length=60,
        description="The version of the entry that was seen, empty for one that is not there yet.",
    ),
]


class NoSuchConnection(NotDone):
    """There is no such connection."""

    status, error = 404, "not_found"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no connection {name[:80]!r}.", "connection")


class NotMapped(NotDone):
    """There is no such entry."""

    status, error, counted = 404, "not_mapped", True

    def __init__(self, key: str) -> None:
        super().__init__(f"{key[:80]!r} is not mapped. Nothing was changed.", "key")


class EntryChanged(NotDone):
    """Somebody else has changed the entry since it was seen."""

    status, error, counted = 409, "stale_version", True

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The entry {key[:80]!r} is not any more what was seen. Nothing was changed. Read the map again and write "
            "with the entry's present version.",
            "version",
        )


class MapNotTaken(NotDone):
    """The entry cannot be kept as given."""

    status, error, counted = 422, "mapping_refused", True


class Kept(Answer):
    """What a change of a map did."""

    orders: int = Field(description="How many waiting orders are looked at because of it.")
    left_out: int = Field(
        description="How many of their cases keep another answer, which somebody else gave; their orders are looked at too."
    )


def connection_there(c: Connection, name: str) -> ConnectionRow:
    """The connection of that name. Raises NoSuchConnection."""
    row = next((row for row in all_connections(c) if row.name == name), None)
    if row is None:
        raise NoSuchConnection(name)
    return row


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry as it stands: what it says, and at which version."""

    says: object
    version: str


Entries = Callable[[Connection, ConnectionRow], Sequence[Standing]]
"""Reads the entries of one key: none where nothing is there, and several only where a removal means all of them."""
Change = Callable[[Connection, ConnectionRow], maps.Mapped]


async def written(
    store: Store, connection: str, key: str, entries: Entries, wanted: object, seen: str, write: Change
) -> Kept:
    """Write an entry of a map of that connection, in one transaction, for somebody who saw the version `seen`, empty for
    none. An entry that says what is wanted is left as it is, whatever was seen. Raises NoSuchConnection, EntryChanged and
    MapNotTaken."""

    def keep(c: Connection, row: ConnectionRow) -> maps.Mapped:
        present = next(iter(entries(c, row)), None)
        if present is not None and present.says == wanted:
            return maps.Mapped(0, 0)
        if (present.version if present is not None else "") != seen:
            raise EntryChanged(key)
        return write(c, row)

    return await _changed(store, connection, keep)


async def removed(
    store: Store, connection: str, key: str, entries: Entries, seen: str, remove: Change
) -> Kept:
    """Remove an entry of a map of that connection, in one transaction, for somebody who saw the version `seen`. Raises
    NoSuchConnection, NotMapped, EntryChanged and MapNotTaken."""

    def keep(c: Connection, row: ConnectionRow) -> maps.Mapped:
        present = entries(c, row)
        if not present:
            raise NotMapped(key)
        if any(one.version != seen for one in present):
            raise EntryChanged(key)
        return remove(c, row)

    return await _changed(store, connection, keep)


async def _changed(store: Store, connection: str, change: Change) -> Kept:
    try:
        done = await store.tx(lambda c: change(c, connection_there(c, connection)))
    except maps.MapRefused as refused:
        raise MapNotTaken(str(refused), refused.field) from refused
    return Kept(orders=done.orders, left_out=done.left_out)
