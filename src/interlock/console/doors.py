"""The console's doors: who is asking, and whether they may. Every route says what it needs, in one line:

    @routes.post("/orders/{order_id}/replay")
    @needs(Permission.REPLAY)
    async def replay(request: Request, order_id: int, who: Who) -> Response: …

A route that says nothing opens to administrators only, and a test names it. A path with `order_id`, `case_id`,
`replay_id`, `alert_id` or `connection_id` asks for the permission at that thing's own connection. `own_of` says which
connections the page may name besides: every list, filter and drop-down asks it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import quote, urlencode

from fastapi import Depends, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from sqlalchemy import Connection, func, select
from starlette.exceptions import HTTPException

from interlock.access.audit_log import Asking, Did, asking, record
from interlock.access.roles import (
    PERMISSION_WORDS,
    Permission,
    Person,
    answers_for,
    connections_for,
    may_there,
)
from interlock.access.rules import AccessRules
from interlock.access.sessions import Session, session_of
from interlock.cases.replays import replays
from interlock.cases.store import cases
from interlock.clock import Clock
from interlock.engine.store import connections
from interlock.monitoring.outbox import alerts
from interlock.orders.store import orders
from interlock.storage.database import Store

F = TypeVar("F", bound=Callable[..., Any])

SESSION = "session"
SAFE_METHODS = ("GET", "HEAD")
_LARGEST_NUMBER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Need:
    """What a route needs. `permission` is None where nobody has to be signed in: signing in itself. With `of_the_case` it is
    the permission to answer the case of the path, which depends on the team it belongs to. With `lists` the page is a list
    that its address filters by `connection`: somebody with roles for some connections sees those one by one. With `whole` it
    shows the whole installation, so that only a role for all connections gives it."""

    permission: Permission | None
    of_the_case: bool = False
    lists: bool = False
    whole: bool = False


UNDECLARED = Need(Permission.MANAGE_PEOPLE)
"""What a route needs that does not say: an administrator, because a mistake must not open anything."""


def needs(permission: Permission, *, lists: bool = False, whole: bool = False) -> Callable[[F], F]:
    """Say which permission a route needs, with `lists` that it shows a list filtered by its address, and with `whole` that
    it shows all connections. Stands between the route's own decorator and the function."""
    return _declared(Need(permission, lists=lists, whole=whole))


def _declared(need: Need) -> Callable[[F], F]:
    def keep(function: F) -> F:
        function.__dict__["need"] = need
        return function

    return keep


def needs_the_cases_team(function: F) -> F:
    """Say that a route needs the permission to answer the case in its path."""
    return _declared(Need(Permission.WORK_CASES, of_the_case=True))(function)


def open_to_strangers(function: F) -> F:
    """Say that a route needs nobody to be signed in."""
    return _declared(Need(None))(function)


def need_of(endpoint: Callable[..., Any]) -> Need | None:
    """What a route's function said it needs; None when it said nothing."""
    found: Need | None = getattr(endpoint, "need", None)
    return found


class SignedOut(Exception):
    """Nobody is signed in and somebody has to be. `back` is the page to show after signing in."""

    def __init__(self, back: str) -> None:
        super().__init__("Nobody is signed in here, or the session has ended. Nothing was changed.")
        self.back = back

    @property
    def login(self) -> str:
        return "/login" + (f"?back={quote(self.back, safe='')}" if self.back not in ("", "/") else "")


class SecondFactorDue(Exception):
    """The person has to set up a second factor before anything else."""

    def __init__(self) -> None:
        super().__init__(
            "A second factor has to be set up first, on the page of your account. Nothing was changed."
        )


class OneConnectionOnly(Exception):
    """The list is of all connections and the person may see some: `instead` is the same list of one of theirs."""

    def __init__(self, instead: str) -> None:
        super().__init__("This list shows more connections than the person may see.")
        self.instead = instead


class NotPermitted(Exception):
    """The person who is signed in may not do this."""

    def __init__(self, person: Person, permission: Permission, *, whole: bool = False) -> None:
        where = "for all connections, because this page is of the whole installation" if whole else "here"
        super().__init__(
            f"This needs the right to {PERMISSION_WORDS[permission]}, which {person.handle} does not have {where}. Nothing "
            "was changed. An administrator gives rights on the page People."
        )
        self.permission = permission


def signed_in(request: Request) -> Person:
    """The person who is asking."""
    person: Person = request.state.person
    return person


def own_of(request: Request) -> frozenset[int] | None:
    """The row numbers of the connections that this page may name to who is asking; None means all there are."""
    own: frozenset[int] | None = request.state.own
    return own


def handle_of(request: Request) -> str:
    """The handle of the person who is asking."""
    return signed_in(request).handle


Who = Annotated[str, Depends(handle_of)]
"""A parameter of a route: the handle of the person who is asking, for everything that keeps who did it."""

Asker = Annotated[Person, Depends(signed_in)]
"""A parameter of a route: the person who is asking."""


class Doors:
    """Finds out who asks and refuses what they may not. One of these serves one web application.

    `everyone` is who every visitor is, where there are no accounts: on a demo, and in tests of pages.
    """

    def __init__(self, store: Store, clock: Clock, everyone: Person | None, rules: AccessRules) -> None:
        self._store = store
        self._clock = clock
        self.everyone = everyone
        self.rules = rules

    async def admit(self, request: Request, need: Need) -> Asking | None:
        """Set `request.state.person` and `request.state.session`, and give what a change must be recorded as; None where
        nobody has to be signed in.

        Raises SignedOut, SecondFactorDue and NotPermitted, the last recorded in the audit log, and HTTPException (404).
        """
        session = await self._session(request)
        person = self.everyone if session is None or session.half else session.person
        request.state.session = session
        request.state.person = person
        request.state.own = frozenset()
        if need.permission is None:
            return None
        _check_numbers(request.path_params)
        if person is None:
            raise SignedOut(_path(request) if request.method in SAFE_METHODS else "")
        if (
            session is not None
            and need.permission is not Permission.OWN_ACCOUNT
            and second_factor_due(session, self.rules)
        ):
            raise SecondFactorDue
        asked, default = request.path_params, need.permission
        # What a page names besides what it is about: filters, drop-downs, hints from elsewhere.
        request.state.own = connections_for(person, need.permission)

        def read(c: Connection) -> tuple[int | None, Permission]:
            if need.lists:
                return self._listed(c, request, person, default), default
            return connection_of(c, asked), _of_the_case(c, asked, default) if need.of_the_case else default

        connection, permission = await self._store.tx(read)
        if not may_there(person, permission, connection, need.whole):
            now, path = self._clock.now(), request.url.path[:200]
            facts = {"right": permission.value}
            await self._store.tx(
                lambda c: record(
                    c, person.handle, Did.DENIED, path, now=now, connection=connection, facts=facts
                )
            )
            raise NotPermitted(person, permission, whole=need.whole)
        return Asking(person.handle, permission.value, request.url.path, connection)

    def _listed(self, c: Connection, request: Request, person: Person, permission: Permission) -> int | None:
        """The connection whose list is asked for; None for that of all. Raises OneConnectionOnly."""
        own = connections_for(person, permission)
        if own is None:
            return None
        names = select(connections.c.id, connections.c.name).order_by(connections.c.name)
        found = {row.name: row.id for row in c.execute(names)}
        given = request.query_params.get("connection", "")
        first = next((name for name, number in found.items() if number in own), "")
        if not given and first:
            query = urlencode([*request.query_params.multi_items(), ("connection", first)])
            raise OneConnectionOnly(f"{request.url.path}?{query}")
        # A name that is none of theirs is nobody's: whether there is such a connection is not said.
        return found.get(given, 0) if found.get(given) in own else 0

    async def _session(self, request: Request) -> Session | None:
        token = request.cookies.get(self.rules.cookie(SESSION), "")
        if self.everyone is not None or not token:
            return None
        now, idle = self._clock.now(), self.rules.idle
        # A page that refreshes itself, or listens, keeps nobody signed in.
        by_hand = not refreshes_itself(request) and request.url.path != "/events"
        return await self._store.tx(lambda c: session_of(c, token, now, idle, by_hand=by_hand))


def refreshes_itself(request: Request) -> bool:
    """Whether an open page asks for its living part, and nobody for a page."""
    return request.headers.get("HX-Request") == "true"


def second_factor_due(session: Session, rules: AccessRules) -> bool:
    """Whether the session may do nothing before a second factor is set up. A provider outside asks for its own."""
    return rules.second_factor_required and not session.has_second_factor and not session.from_outside


def give_session(response: Response, rules: AccessRules, token: str) -> None:
    """Put the token of a session into the browser's cookie. Links in messages have to find somebody signed in, so the
    cookie comes along with a click from elsewhere; forms are kept from others by their seal."""
    response.set_cookie(
        rules.cookie(SESSION), token, httponly=True, secure=rules.secure, samesite="lax", path="/"
    )


def take_session(response: Response, rules: AccessRules) -> None:
    """Take the cookie of the session out of the browser."""
    response.delete_cookie(
        rules.cookie(SESSION), path="/", httponly=True, secure=rules.secure, samesite="lax"
    )


def _path(request: Request) -> str:
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def connection_of(c: Connection, parameters: dict[str, Any]) -> int | None:
    """The connection that a path speaks of; None when it speaks of none, or of what does not exist."""
    number = row_number(parameters.get("connection_id"))
    if number is not None:
        return number
    number = row_number(parameters.get("order_id"))
    if number is not None:
        return c.execute(select(orders.c.connection_id).where(orders.c.id == number)).scalar_one_or_none()
    number = row_number(parameters.get("alert_id"))
    if number is not None:
        return c.execute(select(alerts.c.connection_id).where(alerts.c.id == number)).scalar_one_or_none()
    number = row_number(parameters.get("replay_id"))
    if number is not None:
        return c.execute(select(replays.c.connection_id).where(replays.c.id == number)).scalar_one_or_none()
    number = row_number(parameters.get("case_id"))
    if number is None:
        return None
    of_order = func.coalesce(cases.c.connection_id, orders.c.connection_id)
    query = select(of_order).select_from(cases.outerjoin(orders, orders.c.id == cases.c.order_id))
    found: int | None = c.execute(query.where(cases.c.id == number)).scalar_one_or_none()
    return found


def _of_the_case(c: Connection, parameters: dict[str, Any], default: Permission) -> Permission:
    """The permission that answers the case; `default` where there is no such case."""
    number = row_number(parameters.get("case_id"))
    query = select(cases.c.owner).where(cases.c.id == number)
    owner = None if number is None else c.execute(query).scalar_one_or_none()
    return default if owner is None else answers_for(owner)


def _check_numbers(parameters: dict[str, Any]) -> None:
    """Refuse an address whose row numbers are not plain digits. A page reads `+5` and `5.0` as 5: were the door to find
    nothing there, it would let somebody through to a thing that is not theirs. Raises HTTPException (404)."""
    for name, given in parameters.items():
        if name.endswith(("_id", "_number")) and row_number(given) is None:
            raise HTTPException(404)


def row_number(given: Any) -> int | None:
    """The row number that a part of an address is; None where it is none in plain digits. Whoever reads one of an address
    reads it here, so that nobody lets through what somebody else understands."""
    text = str(given)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST_NUMBER))):
        return None
    return int(text) if int(text) <= _LARGEST_NUMBER else None


class Door(APIRoute):
    """A route that asks the doors before it reads anything of what was sent."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        inner: Callable[[Request], Awaitable[Response]] = super().get_route_handler()
        need = need_of(self.endpoint) or UNDECLARED

        async def handle(request: Request) -> Response:
            doors: Doors = request.app.state.doors
            form = await doors.admit(request, need)
            marked = asking.set(None if request.method in SAFE_METHODS else form)
            try:
                response = await inner(request)
            finally:
                asking.reset(marked)
            session: Session | None = request.state.session
            if session is not None and session.renewed and not _gives_session(response, doors.rules):
                give_session(response, doors.rules, session.renewed)
            if doors.rules.secure:
                response.headers["Strict-Transport-Security"] = "max-age=31536000"
            return response

        return handle


def _gives_session(response: Response, rules: AccessRules) -> bool:
    given = response.headers.getlist("set-cookie")
    return any(value.startswith(f"{rules.cookie(SESSION)}=") for value in given)
