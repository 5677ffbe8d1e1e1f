"""Signing in with the organisation's own provider."""

import re
from datetime import datetime
from typing import Any

import httpx2
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection, select

from interlock.access import administration, people, sessions
from interlock.access.audit_log import Did, record
from interlock.access.outside import Identity, Provider, ProviderAway, SignInRefused, under_way
from interlock.access.people import PersonRefused, parsed_roles
from interlock.access.sessions import Session
from interlock.console import hands
from interlock.console.connections import connection_names
from interlock.console.doors import give_session, open_to_strangers
from interlock.console.pages import Console, PageMissing, own_path, sealed, seen_other
from interlock.engine.store import count

UNDER_WAY = "outside"
BACK = "/login/outside/back"


def outside_routes(routes: APIRouter, console: Console, transport: httpx2.AsyncBaseTransport | None) -> None:
    """Add the provider's sign-in to the console; without a provider its addresses lead nowhere."""
    parts = console.parts
    rules, keyring, key = parts.rules, parts.keyring, parts.address_key

    def provider() -> Provider:
        if rules.outside is None:
            raise PageMissing("This installation has no sign-in but its own.")
        return Provider(rules.outside, f"{rules.public_url}{BACK}", transport)

    def refused(request: Request, status: int, sentence: str) -> Response:
        return console.page(
            request,
            "outside_refused",
            "Not signed in",
            status,
            live=False,
            signing_in=True,
            sentence=sentence,
        )

    @routes.get("/login/outside")
    @open_to_strangers
    async def begin(request: Request, back: str = "/") -> Response:
        there = provider()
        try:
            address, started = await there.begin(own_path(back), parts.clock.now())
        except ProviderAway as away:
            await console.tally(lambda c: count(c, "sign_in_refused", "provider away"))
            return refused(request, 503, str(away))
        response = sealed(RedirectResponse(address, status_code=303))
        response.set_cookie(
            rules.cookie(UNDER_WAY),
            started.sealed(keyring),
            max_age=600,
            httponly=True,
            secure=rules.secure,
            samesite="lax",
            path="/",
        )
        return response

    @routes.get(BACK)
    @open_to_strangers
    async def come_back(request: Request, code: str = "", state: str = "", error: str = "") -> Response:
        there, now = provider(), parts.clock.now()
        try:
            started = under_way(keyring, request.cookies.get(rules.cookie(UNDER_WAY), ""), state, now)
            if error or not code:
                raise SignInRefused("The provider did not let you in.")
            identity = await there.identity(code, started, now)
            if not identity.roles:
                # A transaction of its own: what is refused below takes nothing back of it.
                await parts.store.tx(lambda c: take_what_there_is(c, identity, now))
                raise SignInRefused(
                    "You are in no group that has a role here. Ask an administrator which group that would be."
                )
            token = await parts.store.tx(lambda c: signed_in(c, request, identity, now))
        except ProviderAway as away:
            await console.tally(lambda c: count(c, "sign_in_refused", "provider away"))
            return refused(request, 503, str(away))
        except (SignInRefused, PersonRefused) as wrong:
            why = str(wrong)

            def note(c: Connection) -> None:
                count(c, "sign_in_refused", "provider")
                record(c, "unknown", Did.SIGN_IN_REFUSED, now=now, facts={"by": "provider"})

            await parts.store.tx(note)
            response = refused(request, 403, why)
            response.delete_cookie(rules.cookie(UNDER_WAY), path="/", secure=rules.secure, httponly=True)
            return response
        response = seen_other(started.back)
        response.delete_cookie(rules.cookie(UNDER_WAY), path="/", secure=rules.secure, httponly=True)
        give_session(response, rules, token)
        return response

    def account_of(c: Connection, identity: Identity) -> tuple[str, Any | None]:
        assert rules.outside is not None
        digest = identity.digest(key, rules.outside.issuer)
        found = c.execute(select(people.people).where(people.people.c.outside_identity == digest))
        return digest, found.one_or_none()

    def take_what_there_is(c: Connection, identity: Identity, now: datetime) -> None:
        _, row = account_of(c, identity)
        if row is not None:
            administration.take_roles(c, row.id, connection_names(c), "provider", now)
            hands.give_back(c, row.id, "provider", now)

    def signed_in(c: Connection, request: Request, identity: Identity, now: datetime) -> str:
        """Find or make the account, give it the roles of its groups, and begin a session. Raises SignInRefused and
        PersonRefused."""
        names = connection_names(c)
        roles = parsed_roles(identity.roles, {name: number for number, name in names.items()})
        digest, row = account_of(c, identity)
        if row is None:
            handle = free_handle(c, identity.wanted_handle)
            number = people.add_person(c, keyring, handle, identity.name[:100], "", roles, "provider", now)
            people.keep_outside_identity(c, keyring, number, digest, identity.email)
            facts = {"handle": handle, "roles": administration.in_words(roles, names)[:200]}
            record(c, "provider", Did.PERSON_INVITED, f"person {number}", now=now, facts=facts)
        elif row.deactivated_at is not None:
            raise SignInRefused("Your account here was deactivated.")
        else:
            number, handle = row.id, row.handle
            if set(people.grants_of(c, number)) != set(roles):
                administration.change_roles(c, number, roles, names, "provider", now)
                hands.give_back(c, number, "provider", now)
        former: Session | None = request.state.session
        if former is not None:
            sessions.end(c, former.id, now)
        browser = request.headers.get("User-Agent", "")
        token = sessions.begin(c, keyring, number, browser, now, rules.longest, from_outside=True)
        record(c, handle, Did.SIGNED_IN, f"person {number}", now=now, facts={"by": "provider"})
        return token


def free_handle(c: Connection, wanted: str) -> str:
    """A handle like the one that is wanted, that nobody has. An account that is there already is never taken over."""
    plain = re.sub(r"[^a-z0-9]+", ".", wanted.lower()).strip(".")
    plain = plain if plain[:1].isalpha() and len(plain) > 1 else f"person.{plain}".strip(".")
    plain = plain[:34].rstrip(".")
    taken = set(
        c.execute(
            select(people.people.c.handle).where(people.people.c.handle.startswith(plain, autoescape=True))
        ).scalars()
    )
    return next(
        name
        for number in range(1, len(taken) + 3)
        if (name := plain if number == 1 else f"{plain}-{number}") not in taken
    )
