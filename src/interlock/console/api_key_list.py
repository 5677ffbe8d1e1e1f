"""The API keys as a list: filtered by its address, in the order in which they were made."""

from collections.abc import Mapping, Sequence

from interlock.access.roles import Grant, sees, teams_of_roles
from interlock.access.store import ApiKey, KeyRefused
from interlock.console.export import Cell
from interlock.console.lists import TEAMS, Asked, known

OWN_FILTERS = ("owner", "state")
PROGRAMS = "a program's"
"""Whose a key is that nobody made in their own name. No handle has a blank in it."""
STATES = ("in use", "revoked")
COLUMNS = (
    "number",
    "name",
    "whose",
    "may",
    "connections",
    "made at",
    "made by",
    "calls",
    "last used at",
    "revoked at",
    "revoked by",
)


def whose(key: ApiKey) -> str:
    """Whose key it is, in words."""
    return key.person or PROGRAMS


def names_in(names: Mapping[int, str], connections: frozenset[int] | None) -> list[str]:
    """The names of the connections a key is for; none where it is for all there are."""
    return sorted(names.get(number, str(number)) for number in connections or ())


def connections_named(
    names: Mapping[int, str], wanted: Sequence[str], own: frozenset[int] | None = None
) -> frozenset[int]:
    """The row numbers of the connections a new key shall be for, of those in `own`. Raises KeyRefused."""
    there = {name: number for number, name in names.items() if sees(own, number)}
    for name in wanted:
        if name not in there:
            raise KeyRefused(
                f"There is no connection {name[:80]!r}. There are: {', '.join(sorted(there)) or 'none'}.",
                "connection",
            )
    return frozenset(there[name] for name in wanted)


def owners_of(keys: Sequence[ApiKey]) -> tuple[str, ...]:
    """Whom the keys belong to: what the list may be filtered by."""
    return tuple(sorted({whose(key) for key in keys}))


def keys_asked_for(
    keys: Sequence[ApiKey],
    asked: Asked,
    grants: Mapping[str, tuple[Grant, ...]],
    names: Mapping[int, str],
) -> list[ApiKey]:
    """Those of the keys that a list's address asks for. `grants` are the roles of the owners by handle, `names` the
    connections' by row number: a personal key opens something at a connection where its owner has a role, a program's at
    every one, and either only at those it is for. A team's keys are its people's; a program's belongs to none. Raises FilterUnknown."""
    team = known("team", asked.team, TEAMS)
    owner = known("owner", asked.other("owner"), owners_of(keys))
    state = known("state", asked.other("state"), STATES)

    def fits(key: ApiKey) -> bool:
        if owner and whose(key) != owner:
            return False
        if team and team not in teams_of_roles(grants.get(key.person, ())):
            return False
        if state and (key.revoked_at is None) != (state == "in use"):
            return False
        if key.connections is not None and asked.connection not in ("", *names_in(names, key.connections)):
            return False
        return (
            not asked.connection
            or not key.person
            or any(
                grant.connection is None or names.get(grant.connection) == asked.connection
                for grant in grants.get(key.person, ())
            )
        )

    return [key for key in keys if fits(key)]


def file_row(key: ApiKey, names: Mapping[int, str]) -> Sequence[Cell]:
    """One key as the file has it; the connections are empty where it is for all, and of its secret nothing is kept that could be shown."""
    return (
        key.id,
        key.name,
        whose(key),
        " ".join(scope.value for scope in key.scopes),
        ", ".join(names_in(names, key.connections)),
        key.created_at,
        key.created_by,
        key.calls,
        key.last_used_at,
        key.revoked_at,
        key.revoked_by,
    )
