"""API keys in the console: those of programs, and those that somebody makes in their own name."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.people import grants_by_handle
from interlock.access.roles import Permission, Person
from interlock.access.store import (
    SCOPE_WORDS,
    ApiKey,
    KeyRefused,
    Scope,
    all_keys,
    keys_of,
    make_key,
    may_give,
    revoke_key,
)
from interlock.console.api_key_list import (
    COLUMNS,
    OWN_FILTERS,
    STATES,
    connections_named,
    file_row,
    keys_asked_for,
    names_in,
    owners_of,
    whose,
)
from interlock.console.connections import connection_names
from interlock.console.doors import SAFE_METHODS, Asker, Who, needs, own_of
from interlock.console.export import Cell, csv_file, note_export
from interlock.console.lists import Asked, asked_of, choices
from interlock.console.pages import Console, PageMissing, given_text, seen_other

ALL_KEYS, OWN_KEYS = "/api-keys", "/account/keys"


def api_key_routes(routes: APIRouter, console: Console) -> None:
    """Add the page of all API keys and the page of one's own to the console."""
    parts = console.parts

    async def page(
        request: Request,
        owner: Person | None,
        status: int = 200,
        *,
        refused: str = "",
        secret: str = "",
        name: str = "",
        chosen: tuple[str, ...] = (),
        places: tuple[str, ...] = (),
    ) -> Response:
        """The list, with what was refused or the one appearance of a secret. With `owner` their own keys alone."""
        filtered = owner is None and request.method in SAFE_METHODS
        asked = (
            asked_of(request, *OWN_FILTERS)
            if filtered
            else Asked(ALL_KEYS if owner is None else OWN_KEYS, own=own_of(request))
        )

        def read(c: Connection) -> dict[str, Any]:
            keys = all_keys(c) if owner is None else keys_of(c, owner.id)
            return {
                "choices": choices(c, asked),
                "owners": owners_of(keys),
                "keys": _those(c, keys, asked),
                "names": connection_names(c),
            }

        found = await console.read(read)
        keys: list[ApiKey] = found.pop("keys")
        return console.page(
            request,
            "api_keys",
            "API keys" if owner is None else "Your keys",
            status,
            live=False,
            own=owner is not None,
            action=ALL_KEYS if owner is None else OWN_KEYS,
            in_use=[key for key in keys if key.revoked_at is None],
            revoked=[key for key in keys if key.revoked_at is not None],
            asked=asked,
            states=STATES,
            whose=whose,
            scope_words=_to_give(request.state.person) if owner is None else SCOPE_WORDS,
            refused=refused,
            secret=secret,
            given=name,
            chosen=chosen,
            places=places,
            names_in=names_in,
            **found,
        )

    async def create(
        request: Request,
        who: Person,
        owner: Person | None,
        token: str,
        name: str,
        scopes: list[str] | None,
        connections: list[str] | None,
    ) -> Response:
        console.check_form(request, token)
        now, chosen, places = parts.clock.now(), tuple(scopes or ()), tuple(connections or ())
        own = own_of(request)

        def make(c: Connection) -> tuple[ApiKey, str]:
            numbers = connections_named(connection_names(c), places, own)
            maker = who if owner is None else None
            return make_key(c, name, chosen, who.handle, now, owner, numbers, maker)

        try:
            _, secret = await console.read(make)
        except KeyRefused as refused:
            given = given_text(name)
            return await page(
                request, owner, 422, refused=str(refused), name=given, chosen=chosen, places=places
            )
        return await page(request, owner, secret=secret)

    async def revoke(
        request: Request, who: Person, owner: Person | None, token: str, key_id: int
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        if await console.read(lambda c: revoke_key(c, key_id, who.handle, now, owner)) is None:
            raise PageMissing(f"There is no API key {key_id} here. Nothing was changed.")
        return seen_other(ALL_KEYS if owner is None else OWN_KEYS)

    @routes.get(ALL_KEYS)
    @needs(Permission.MANAGE_API_KEYS)
    async def every_key(request: Request) -> Response:
        return await page(request, None)

    @routes.get(f"{ALL_KEYS}.csv")
    @needs(Permission.MANAGE_API_KEYS)
    async def as_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()

        def first(c: Connection) -> None:
            _those(c, all_keys(c), asked)  # what cannot be filtered by is said before the file begins
            note_export(c, who, "API keys", asked, now)

        await console.read(first)

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            del mark
            names = connection_names(c)
            return [file_row(key, names) for key in _those(c, all_keys(c), asked)], None

        return csv_file(parts.store, "api-keys", COLUMNS, batch)

    @routes.post(ALL_KEYS)
    @needs(Permission.MANAGE_API_KEYS)
    async def make_one(
        request: Request,
        who: Asker,
        token: Annotated[str, Form()] = "",
        name: Annotated[str, Form(max_length=400)] = "",
        scope: Annotated[list[str] | None, Form()] = None,
        connection: Annotated[list[str] | None, Form()] = None,
    ) -> Response:
        return await create(request, who, None, token, name, scope, connection)

    @routes.post(f"{ALL_KEYS}/{{key_id}}/revoke")
    @needs(Permission.MANAGE_API_KEYS)
    async def revoke_one(
        request: Request, who: Asker, key_id: int, token: Annotated[str, Form()] = ""
    ) -> Response:
        return await revoke(request, who, None, token, key_id)

    @routes.get(OWN_KEYS)
    @needs(Permission.OWN_KEYS)
    async def own_keys(request: Request, who: Asker) -> Response:
        return await page(request, _with_account(who))

    @routes.post(OWN_KEYS)
    @needs(Permission.OWN_KEYS)
    async def make_own(
        request: Request,
        who: Asker,
        token: Annotated[str, Form()] = "",
        name: Annotated[str, Form(max_length=400)] = "",
        scope: Annotated[list[str] | None, Form()] = None,
        connection: Annotated[list[str] | None, Form()] = None,
    ) -> Response:
        return await create(request, who, _with_account(who), token, name, scope, connection)

    @routes.post(f"{OWN_KEYS}/{{key_id}}/revoke")
    @needs(Permission.OWN_KEYS)
    async def revoke_own(
        request: Request, who: Asker, key_id: int, token: Annotated[str, Form()] = ""
    ) -> Response:
        return await revoke(request, who, _with_account(who), token, key_id)


def _those(c: Connection, keys: Sequence[ApiKey], asked: Asked) -> list[ApiKey]:
    return keys_asked_for(keys, asked, grants_by_handle(c), connection_names(c))


def _to_give(maker: Person) -> dict[Scope, str]:
    return {scope: words for scope, words in SCOPE_WORDS.items() if may_give(maker, scope)}


def _with_account(who: Person) -> Person:
    if not who.id:
        raise PageMissing("Nobody has keys of their own where nobody signs in, as on a demo.")
    return who
