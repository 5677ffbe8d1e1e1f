"""The audit log as a list: filtered by its address, the newest entry first."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType

from sqlalchemy import Connection

from interlock.access.audit_log import Did, Entry, Wanted, found
from interlock.access.people import grants_by_handle
from interlock.access.roles import Grant, teams_of_roles
from interlock.console.export import Cell
from interlock.console.lists import TEAMS, Asked, FilterUnreadable, day_of, known, row_mark

LISTED = 100
OWN_FILTERS = ("who", "did", "subject", "since", "until")
DEEDS: tuple[str, ...] = tuple(did.value for did in Did)
COLUMNS = (
    "number",
    "at",
    "who",
    "did",
    "subject",
    "connection",
    "connection number",
    "facts",
    "previous",
    "digest",
)


def wanted_of(
    asked: Asked, names: Mapping[int, str], grants: Mapping[str, tuple[Grant, ...]] = MappingProxyType({})
) -> Wanted:
    """What a list's address asks for; `names` are the connections' by row number, `grants` everybody's roles by handle:
    a team's entries are those of the people who belong to it now. Raises FilterUnknown, FilterUnreadable and
    MarkUnreadable."""
    team = known("team", asked.team, TEAMS)
    of_team = tuple(handle for handle, roles in grants.items() if team in teams_of_roles(roles))
    numbers = {name: number for number, name in names.items()}
    return Wanted(
        who=asked.other("who"),
        did=known("deed", asked.other("did"), DEEDS),
        subject=asked.other("subject"),
        since=_beginning("The first day", asked.other("since"), 0),
        until=_beginning("The last day", asked.other("until"), 1),
        connection=numbers[name] if (name := known("connection", asked.connection, tuple(numbers))) else None,
        before=row_mark(asked.after) if asked.after else None,
        one_of=of_team if team else None,
    )


def entries_page(
    c: Connection, asked: Asked, names: Mapping[int, str], limit: int = LISTED
) -> tuple[list[Entry], str]:
    """The entries a list's address asks for, and the mark of the next page: empty when this is the last. Raises as
    `wanted_of` does."""
    rows = found(c, wanted_of(asked, names, grants_by_handle(c) if asked.team else {}), limit + 1)
    return rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else ""


def file_row(entry: Entry, names: Mapping[int, str]) -> Sequence[Cell]:
    """One entry as the file has it. The log outlives its connections: one that is gone has a number and no name."""
    return (
        entry.id,
        entry.at,
        entry.who,
        entry.did,
        entry.subject,
        "" if entry.connection_id is None else names.get(entry.connection_id, ""),
        entry.connection_id,
        "; ".join(f"{name}: {value}" for name, value in sorted(entry.facts.items())),
        entry.previous,
        entry.digest,
    )


def _beginning(name: str, text: str, days_later: int) -> datetime | None:
    day = day_of(name, text)
    try:
        return None if day is None else datetime.combine(day, time(), UTC) + timedelta(days=days_later)
    except OverflowError:
        raise FilterUnreadable(name) from None
