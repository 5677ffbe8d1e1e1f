"""Which connection a call speaks of, as its address says: there a key may do what it is for, and somebody's own what its person may."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import Request
from sqlalchemy import Connection, select

from interlock.access.roles import sees
from interlock.api.problems import NotDone
from interlock.console.connections import connection_names
from interlock.console.doors import connection_of
from interlock.console.order_list import one_order_id
from interlock.engine.store import connections

LONGEST_NUMBER = 200
NOWHERE = 0
"""The connection of a name that no connection has: no row has this number."""


@dataclass(frozen=True, slots=True)
class Place:
    """How to find the connection a call speaks of. `find` gives its row number; None means for a list that it is of all
    connections, and for anything else that there is no such thing, which whoever may look somewhere may be told."""

    find: Callable[[Connection, Request], int | None]
    lists: bool = False


def _of_order(c: Connection, request: Request) -> int | None:
    number = str(request.path_params.get("number", ""))
    if not number.isprintable() or len(number) > LONGEST_NUMBER:
        return None
    connection = request.query_params.get("connection", "")
    if not connection.isprintable() or len(connection) > LONGEST_NUMBER:
        return None
    order_id = one_order_id(c, number, connection)
    return None if order_id is None else connection_of(c, {"order_id": order_id})


def _of_case(c: Connection, request: Request) -> int | None:
    # What is no number here is none for the route either (`values.RowId`): it is refused before anything is read.
    return connection_of(c, {"case_id": request.path_params.get("case")})


def _named(c: Connection, name: str) -> int | None:
    if not name.isprintable() or len(name) > LONGEST_NUMBER:
        return None
    found: int | None = c.execute(
        select(connections.c.id).where(connections.c.name == name)
    ).scalar_one_or_none()
    return found


def _of_connection(c: Connection, request: Request) -> int | None:
    # To who may see some connections, a name that none has is one more that is not theirs: which there are is not said.
    found = _named(c, str(request.path_params.get("connection", "")))
    return NOWHERE if found is None else found


def _of_list(c: Connection, request: Request) -> int | None:
    # A number is looked for at all connections, whatever else the address says.
    name = request.query_params.get("connection", "")
    if not name or request.query_params.get("number", "").strip():
        return None
    found = _named(c, name)
    return NOWHERE if found is None else found


class NoSuchConnection(NotDone):
    """A list is asked for a connection that there is not."""

    status, error = 422, "invalid"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"There is no connection {name[:80]!r}. Known are: {', '.join(known) or 'none yet'}.",
            "connection",
        )


def check_listed(c: Connection, name: str, own: frozenset[int] | None) -> None:
    """Nothing, where a list is asked for no connection or for one there is. Raises NoSuchConnection, which names those
    whose row numbers are in `own`; all where that is None."""
    known = connection_names(c) if name else {}
    if name and name not in known.values():
        raise NoSuchConnection(name, [there for row_id, there in known.items() if sees(own, row_id)])


def _anywhere(c: Connection, request: Request) -> int | None:
    del c, request
    return None


OF_ORDER = Place(_of_order)
"""`/orders/{number}…`, with `?connection=` where the number is of several."""
OF_CASE = Place(_of_case)
"""`/cases/{case}…`."""
OF_CONNECTION = Place(_of_connection)
"""`/connections/{connection}…`."""
OF_LIST = Place(_of_list, lists=True)
"""A list that `?connection=` filters."""
ANYWHERE = Place(_anywhere)
"""What says nothing of any order, or leaves out by itself what the person may not see."""
EVERYWHERE = Place(_anywhere, lists=True)
"""What is of the whole installation."""
