"""What the calls about the maps of a connection share: its name, the version of an entry, and how a change is refused."""

from collections.abc import Callable
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
Key = Annotated[str, Path(min_length=1, max_length=maps.LONGEST_FIELD), AfterValidator(shown)]
Value = Annotated[StrictStr, Field(max_length=maps.LONGEST_FIELD), AfterValidator(shown)]
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

    status, error = 404, "not_mapped"

    def __init__(self, key: str) -> None:
        super().__init__(f"{key[:80]!r} is not mapped. Nothing was changed.", "key")


class EntryChanged(NotDone):
    """Somebody else has changed the entry since it was seen."""

    status, error = 409, "stale_version"

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The entry {key[:80]!r} is not any more what was seen. Nothing was changed. Read the map again and write "
            "with the entry's present version.",
            "version",
        )


class MapNotTaken(NotDone):
    """The entry cannot be kept as given."""

    status, error = 422, "mapping_refused"


class Kept(Answer):
    """What a change of a map did."""

    orders: int = Field(description="How many waiting orders are looked at because of it.")


def connection_there(c: Connection, name: str) -> ConnectionRow:
    """The connection of that name. Raises NoSuchConnection."""
    row = next((row for row in all_connections(c) if row.name == name), None)
    if row is None:
        raise NoSuchConnection(name)
    return row


async def changed(store: Store, connection: str, keep: Callable[[Connection, ConnectionRow], Kept]) -> Kept:
    """Change a map of that connection, in one transaction. Raises NoSuchConnection and MapNotTaken."""
    try:
        return await store.tx(lambda c: keep(c, connection_there(c, connection)))
    except maps.MapRefused as refused:
        raise MapNotTaken(str(refused), refused.field) from refused


def check_written(key: str, present: str | None, seen: str) -> None:
    """Whether the entry may be written by somebody who saw the version `seen`, empty for none: it is at version
    `present`, None where there is none. Raises EntryChanged."""
    if (present or "") != seen:
        raise EntryChanged(key)


def check_removed(key: str, present: str | None, seen: str) -> None:
    """Whether the entry may be removed by somebody who saw the version `seen`: it is at version `present`, None where
    there is none. Raises NotMapped and EntryChanged."""
    if present is None:
        raise NotMapped(key)
    if present != seen:
        raise EntryChanged(key)
