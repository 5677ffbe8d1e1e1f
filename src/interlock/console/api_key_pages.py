"""API keys in the console: those of programs, and those that somebody makes in their own name."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission, Person
from interlock.access.store import SCOPE_WORDS, ApiKey, KeyRefused, all_keys, keys_of, make_key, revoke_key
from interlock.console.doors import Asker, needs
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
    ) -> Response:
        """The list, with what was refused or the one appearance of a secret. With `owner` their own keys alone."""
        found = await console.read(lambda c: all_keys(c) if owner is None else keys_of(c, owner.id))
        return console.page(
            request,
            "api_keys",
            "API keys" if owner is None else "Your keys",
            status,
            live=False,
            own=owner is not None,
            action=ALL_KEYS if owner is None else OWN_KEYS,
            in_use=[key for key in found if key.revoked_at is None],
            revoked=[key for key in found if key.revoked_at is not None],
            scope_words=SCOPE_WORDS,
            refused=refused,
            secret=secret,
            given=name,
            chosen=chosen,
        )

    async def create(
        request: Request, who: Person, owner: Person | None, token: str, name: str, scopes: list[str] | None
    ) -> Response:
        console.check_form(request, token)
        now, chosen = parts.clock.now(), tuple(scopes or ())

        def make(c: Connection) -> tuple[ApiKey, str]:
            return make_key(c, name, chosen, who.handle, now, owner)

        try:
            _, secret = await console.read(make)
        except KeyRefused as refused:
            return await page(request, owner, 422, refused=str(refused), name=given_text(name), chosen=chosen)
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

    @routes.post(ALL_KEYS)
    @needs(Permission.MANAGE_API_KEYS)
    async def make_one(
        request: Request,
        who: Asker,
        token: Annotated[str, Form()] = "",
        name: Annotated[str, Form(max_length=400)] = "",
        scope: Annotated[list[str] | None, Form()] = None,
    ) -> Response:
        return await create(request, who, None, token, name, scope)

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
    ) -> Response:
        return await create(request, who, _with_account(who), token, name, scope)

    @routes.post(f"{OWN_KEYS}/{{key_id}}/revoke")
    @needs(Permission.OWN_KEYS)
    async def revoke_own(
        request: Request, who: Asker, key_id: int, token: Annotated[str, Form()] = ""
    ) -> Response:
        return await revoke(request, who, _with_account(who), token, key_id)


def _with_account(who: Person) -> Person:
    if not who.id:
        raise PageMissing("Nobody has keys of their own where nobody signs in, as on a demo.")
    return who
