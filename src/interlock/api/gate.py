"""Who calls: the key of a request, its scopes, how often it may be used, and the count of its use."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection

from interlock.access.audit_log import LONGEST, Asking, asking
from interlock.access.roles import (
    PERMISSION_WORDS,
    Permission,
    Person,
    connections_for,
    may,
    may_somewhere,
    sees,
)
from interlock.access.store import PERMISSION_OF, ApiKey, Scope, SignInNeeded, key_of, note_use, person_of
from interlock.api.places import EVERYWHERE, Place
from interlock.api.problems import NotDone
from interlock.clock import Clock
from interlock.engine.store import count
from interlock.orders.memory import same_person
from interlock.storage.database import Store

T = TypeVar("T")

CALLS_A_SECOND = 100.0
BURST = 300.0
REMEMBERED_SECONDS = 2.0
NOTED_EVERY_SECONDS = 10.0
MOST_REMEMBERED = 1000
NEEDED = "needed_scope"

# What changes something under these leaves an entry in the audit log. A label check is kept with its order instead: a
# warehouse asks for every parcel, and entries are written one after another.
CHANGING = (
    Scope.ORDERS_EDIT,
    Scope.LABELS_OVERRIDE,
    Scope.CASES_ANSWER,
    Scope.CASES_WORK,
    Scope.MAPPINGS_WRITE,
)

BEARER = HTTPBearer(
    auto_error=False,
    scheme_name="API key",
    description="`Authorization: Bearer il_…`, made with `interlock api-key create`.",
)


class ParameterUnknown(NotDone):
    """The address has a parameter that the route does not take: what it was to narrow down would be told as a whole."""

    status, error = 422, "invalid"

    def __init__(self, name: str, known: Collection[str]) -> None:
        takes = f"It takes {', '.join(sorted(known))}." if known else "It takes none."
        super().__init__(
            f"{name[:80]!r} is no parameter of this address. {takes} Nothing was changed.", name[:80]
        )


class KeyMissing(NotDone):
    """The request shows no key."""

    status, error = 401, "key_missing"

    def __init__(self) -> None:
        super().__init__(
            "The request shows no API key. Send it as `Authorization: Bearer il_…`; `interlock api-key create` makes one.",
            headers={"WWW-Authenticate": "Bearer"},
        )


class KeyInvalid(NotDone):
    """The key is nobody's."""

    status, error = 401, "key_invalid"

    def __init__(self) -> None:
        super().__init__(
            "This API key is not one of this installation. Check that it was copied whole, or make a new one with "
            "`interlock api-key create`.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )


class KeyRevoked(NotDone):
    """The key was taken away."""

    status, error = 401, "key_revoked"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The API key {name!r} was revoked and opens nothing any more. Ask whoever runs Interlock for a new one.",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"'},
        )


class KeyRests(NotDone):
    """The person of the key has to sign in to the console before it opens anything again."""

    status, error = 401, "sign_in_needed"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


class ScopeMissing(NotDone):
    """The key may not do this."""

    status, error = 403, "scope_missing"

    def __init__(self, name: str, scope: Scope) -> None:
        super().__init__(
            f"The API key {name!r} does not have the scope {scope.value}, which this call needs. Make a key that has it "
            f"with `interlock api-key create --scope {scope.value}`.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope.value}"'},
        )


class TooManyCalls(NotDone):
    """The key is used faster than the API answers one key."""

    status, error = 429, "too_many_calls"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The API key {name!r} makes more than {CALLS_A_SECOND:g} calls a second. Wait a second and go on more slowly.",
            headers={"Retry-After": "1"},
        )


class PersonMayNot(NotDone):
    """The person whose key it is may not do this themselves."""

    status, error = 403, "right_missing"

    def __init__(self, person: Person, permission: Permission, *, whole: bool) -> None:
        where = (
            "for all connections; a list may be asked for one of them by `connection`" if whole else "here"
        )
        super().__init__(
            f"This is a key of {person.handle}, who does not have the right to {PERMISSION_WORDS[permission]} {where}. "
            "A personal key may do at most what its person may. Nothing was changed."
        )


class KeyMayNot(NotDone):
    """The key is for other connections than the call is about."""

    status, error = 403, "right_missing"

    def __init__(self, name: str, *, whole: bool) -> None:
        where = (
            "is for some connections only: this cannot be asked for all of them, but a list for one of them by `connection`"
            if whole
            else "is not for this connection"
        )
        super().__init__(f"The API key {name!r} {where}. Nothing was changed.")


class NotThisPerson(NotDone):
    """A personal key was to speak for somebody else."""

    status, error = 422, "not_this_person"

    def __init__(self, person: Person) -> None:
        super().__init__(
            f"This is a key of {person.handle}: `who` has to be {person.handle}. Nothing was changed.", "who"
        )


class PersonNeeded(NotDone):
    """What only a person may do was asked with a program's key."""

    status, error = 403, "person_needed"

    def __init__(self) -> None:
        super().__init__(
            "A refund is approved by people, not by names that a program gives. Send a key that somebody made in their own "
            "name, on the page Your keys of the console. Nothing was changed."
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """The key a call was made with. `who` is how it signs what it does; `person` whose own key it is, with what they may at
    the connections of the key, None for that of a program; `connections` the row numbers of those it is for, None for all
    there are."""

    id: int
    name: str
    scopes: tuple[Scope, ...]
    person: Person | None = None
    connections: frozenset[int] | None = None

    @property
    def who(self) -> str:
        return f"API key {self.name}" if self.person is None else self.person.handle

    def signed(self, given: str) -> str:
        """Who is kept for what is done in the name of `given`. Raises NotThisPerson."""
        if self.person is None:
            return f"{given.strip()} ({self.who})"
        if not same_person(given, self.person.handle):
            raise NotThisPerson(self.person)
        return self.person.handle

    def check(self, permission: Permission, connection: int | None = None) -> None:
        """Raise PersonMayNot when it is the key of somebody who may not do this, and KeyMayNot when it is not for this
        connection."""
        if not self.may(permission, connection):
            raise self.refusal(permission, whole=connection is None)

    def may(self, permission: Permission, connection: int | None = None) -> bool:
        """Whether the key opens this at the connection with this row number; with None, at all there are."""
        if self.person is not None:
            return may(self.person, permission, connection)
        return self.connections is None or connection in self.connections

    def may_somewhere(self, permission: Permission) -> bool:
        """Whether there is a connection at which the key opens this."""
        return self.person is None or may_somewhere(self.person, permission)

    def refusal(self, permission: Permission, *, whole: bool) -> NotDone:
        """What is answered where the key does not open this; `whole` where it was asked of all connections."""
        if self.person is not None:
            return PersonMayNot(self.person, permission, whole=whole)
        return KeyMayNot(self.name, whole=whole)

    def own(self, permission: Permission = Permission.SEE) -> frozenset[int] | None:
        """The row numbers of the connections at which the key opens this; None means all there are."""
        return self.connections if self.person is None else connections_for(self.person, permission)

    def sees(self, connection: int) -> bool:
        """Whether the connection with this row number may be named to whoever calls."""
        return sees(self.own(), connection)


@dataclass(slots=True)
class _Use:
    """What this process knows of one key: its bucket of calls, and calls the database has not been told of."""

    left: float
    refilled_at: float
    noted_at: float | None = None
    calls: int = 0


class Gate:
    """Checks keys. One of these serves one web process; budgets and remembered keys are the process's own.

    A key that was good is believed for REMEMBERED_SECONDS without asking the database, so a revoked key stops at the
    latest after that time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._good: dict[str, tuple[float, Caller]] = {}
        self._uses: dict[int, _Use] = {}

    def needs(self, scope: Scope, place: Place = EVERYWHERE) -> Callable[..., Awaitable[Caller]]:
        """A dependency of a route: the caller, if its key has the scope and is for the connection that `place` finds, and if
        the key is somebody's own, they have the right there. Raises the refusals of this module."""

        async def caller(
            request: Request,
            credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
        ) -> Caller:
            found = await self._identified(credentials)
            await self._only_known(request)
            if scope not in found.scopes:
                await self._count_refused("scope_missing")
                raise ScopeMissing(found.name, scope)
            connection: int | None = None
            limited = found.person is not None or found.connections is not None
            if limited or scope in CHANGING:
                # Of a change the audit log says at which connection it was made, whoever made it.
                connection = await self._store.tx(lambda c: place.find(c, request))
            if limited:
                permission = PERMISSION_OF.get(scope, Permission.SEE)
                allowed = (
                    found.may_somewhere(permission)
                    if connection is None and not place.lists
                    else found.may(permission, connection)
                )
                if not allowed:
                    await self._count_refused("right_missing")
                    raise found.refusal(permission, whole=connection is None)
            if scope in CHANGING:
                path = request.scope["path"][:LONGEST]
                asking.set(Asking(found.who[:LONGEST], scope.value, path, connection or None))
            return found

        setattr(
            caller, NEEDED, scope
        )  # for the description: what a route needs is said by its own dependency
        return caller

    async def anyone(
        self,
        request: Request,
        credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    ) -> Caller:
        """A dependency of a route that every valid key may use."""
        found = await self._identified(credentials)
        await self._only_known(request)
        return found

    async def _only_known(self, request: Request) -> None:
        """Refuse an address with a parameter that its route does not take."""
        known = _parameters(request.scope["route"].dependant)
        for name in request.query_params:
            if name not in known:
                await self._count_refused("invalid")
                raise ParameterUnknown(name, known)

    async def _identified(self, credentials: HTTPAuthorizationCredentials | None) -> Caller:
        if credentials is None or not credentials.credentials:
            await self._count_refused("key_missing")
            raise KeyMissing
        moment = self._clock.monotonic()
        token = credentials.credentials
        known = self._good.get(token)
        if known is not None and moment - known[0] < REMEMBERED_SECONDS:
            caller = known[1]
        else:
            caller = await self._looked_up(token)
            if len(self._good) >= MOST_REMEMBERED:
                self._good.clear()
            self._good[token] = (moment, caller)
        await self._count(caller, moment)
        return caller

    async def _looked_up(self, token: str) -> Caller:
        now = self._clock.now()

        def read(c: Connection) -> tuple[ApiKey | None, Person | None]:
            found = key_of(c, token)
            return found, None if found is None or found.revoked_at else person_of(c, found.id, now)

        try:
            key, person = await self._store.tx(read)
        except SignInNeeded as needed:
            await self._count_refused("sign_in_needed")
            raise KeyRests(str(needed)) from None
        if key is None:
            await self._count_refused("key_invalid")
            raise KeyInvalid
        if key.revoked_at is not None:
            await self._count_refused("key_revoked")
            raise KeyRevoked(key.name)
        if key.person and person is None:
            await self._count_refused("key_revoked")
            raise KeyRevoked(key.name)
        return Caller(key.id, key.name, key.scopes, person, key.connections)

    async def _count(self, caller: Caller, moment: float) -> None:
        """Take one call from the key's bucket, and tell the database now and then how often it was used."""
        use = self._uses.setdefault(caller.id, _Use(BURST, moment))
        use.left = min(BURST, use.left + (moment - use.refilled_at) * CALLS_A_SECOND)
        use.refilled_at = moment
        if use.left < 1:
            await self._count_refused("too_many_calls")
            raise TooManyCalls(caller.name)
        use.left -= 1
        use.calls += 1
        if use.noted_at is None or moment - use.noted_at >= NOTED_EVERY_SECONDS:
            calls, use.calls, use.noted_at = use.calls, 0, moment
            now = self._clock.now()

            def note(c: Connection) -> None:
                note_use(c, caller.id, calls, now)
                count(c, "api_calls", by=calls)

            await self._store.tx(note)

    async def _count_refused(self, why: str) -> None:
        await self._store.tx(lambda c: count(c, "api_refused", why))


def _parameters(dependant: Dependant) -> frozenset[str]:
    """The parameters that a route takes in its address behind the question mark, with those of what it depends on."""
    own = frozenset(field.alias for field in dependant.query_params)
    return own.union(*(_parameters(one) for one in dependant.dependencies))
