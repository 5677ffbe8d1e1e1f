"""What every list of the console has: filters in its address, pages that stay what they are, a file to take away."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import get_args
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy import Connection, select

from interlock.access.roles import sees
from interlock.engine.store import connections
from interlock.orders.reasons import Owner

PAGE_LENGTH = 50
TEAMS: tuple[str, ...] = get_args(Owner)


class FilterUnknown(ValueError):
    """A filter of a list's address names something that there is not."""

    def __init__(self, name: str, value: str, known: Sequence[str]) -> None:
        super().__init__(
            f"There is no {name} {value[:80]!r} to filter by. Known are: {', '.join(known) or 'none yet'}. "
            "Choose one on the page of the list."
        )


class FilterUnreadable(ValueError):
    """A filter of a list that should be a day is none."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} cannot be read: write a day such as 2026-03-01, or nothing. Nothing is shown."
        )


class MarkUnreadable(ValueError):
    """The place where a page of a list shall begin cannot be read."""

    def __init__(self) -> None:
        super().__init__(
            "This address does not say where the page of the list begins. Open the list's first page and go on from there."
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of a list asks for. `connection` and `team` are empty for all; `after` is where the page begins,
    the mark that the page before gave; `extra` are the list's own filters, name and value. `own` are the row numbers of the
    connections that may be named to whoever asks; None for all there are, as on the command line."""

    path: str
    connection: str = ""
    team: str = ""
    after: str = ""
    extra: tuple[tuple[str, str], ...] = ()
    own: frozenset[int] | None = None

    def link(self, path: str = "", after: str = "") -> str:
        """The address of this list, or of another with the same filters, from the mark `after` on."""
        given = (("connection", self.connection), ("team", self.team), *self.extra, ("after", after))
        query = urlencode([(name, value) for name, value in given if value])
        return (path or self.path) + (f"?{query}" if query else "")

    def of_team(self, team: str) -> str:
        """The address of this list with the same filters for one team."""
        return replace(self, team=team).link()

    @property
    def as_file(self) -> str:
        """The address of the whole filtered list as a CSV file."""
        return self.link(f"{self.path}.csv")

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.connection or self.team or any(value for _, value in self.extra))

    def other(self, name: str) -> str:
        """The value of the list's own filter `name`, empty when it is not set."""
        return dict(self.extra).get(name, "")


@dataclass(frozen=True, slots=True)
class Choices:
    """What the filters of a list offer."""

    connections: tuple[str, ...]
    teams: tuple[str, ...] = TEAMS


def asked_of(request: Request, *extra: str) -> Asked:
    """The filters of the request's address; those named in `extra` are the list's own."""

    def given(name: str, longest: int = 200) -> str:
        # No text of the database can hold this character, so nothing is found by it.
        return request.query_params.get(name, "").replace("\x00", "").strip()[:longest]

    return Asked(
        request.url.path.removesuffix(".csv"),
        given("connection"),
        given("team", 40),
        given("after"),
        tuple((name, given(name)) for name in extra),
        request.state.own,
    )


def known(name: str, value: str, there: Sequence[str]) -> str:
    """The value of a filter, which may be empty. Raises FilterUnknown when it is none of those there are."""
    if value and value not in there:
        raise FilterUnknown(name, value, there)
    return value


def day_of(name: str, text: str) -> date | None:
    """The day of a filter; None where it is empty. Raises FilterUnreadable."""
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise FilterUnreadable(name) from None


def choices(c: Connection, asked: Asked) -> Choices:
    """What may be filtered by; of the connections those that may be named to whoever asks. Raises FilterUnknown when the
    address asks for something else."""
    rows = c.execute(select(connections.c.id, connections.c.name).order_by(connections.c.name))
    names = tuple(row.name for row in rows if sees(asked.own, row.id))
    if asked.connection and asked.connection not in names:
        raise FilterUnknown("connection", asked.connection, names)
    if asked.team and asked.team not in TEAMS:
        raise FilterUnknown("team", asked.team, TEAMS)
    return Choices(names)


def row_mark(after: str) -> int:
    """The row number in a page's mark. Raises MarkUnreadable."""
    if not (after.isascii() and after.isdigit() and len(after) < 19):
        raise MarkUnreadable
    return int(after)
