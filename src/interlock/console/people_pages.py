"""Who may sign in: the list, one person, and what administrators do."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access import administration, people
from interlock.access.people import Account, PersonRefused, parsed_roles
from interlock.access.roles import ROLE_WORDS, Permission, Role
from interlock.console import hands
from interlock.console.connections import connection_names
from interlock.console.doors import Who, needs
from interlock.console.export import Cell, csv_file, note_export
from interlock.console.lists import Choices, asked_of, choices
from interlock.console.pages import Console, PageMissing, given_text
from interlock.console.people_list import (
    ACCOUNTS,
    COLUMNS,
    OWN_FILTERS,
    file_row,
    people_asked_for,
    second_factor,
)

Act: TypeAlias = Callable[[Connection, int, str, datetime], str | None]
"""What a button does to the person of that row number: by whom and when. Gives the token of a link where it makes one."""

BUTTONS: tuple[tuple[str, Act, str], ...] = (
    (
        "deactivate",
        hands.deactivate,
        "Every session was ended, and nobody signs in by this account. Open cases they had are with their teams again.",
    ),
    ("reactivate", administration.reactivate, "The person may sign in again."),
    ("link", administration.new_link, ""),
    (
        "reset-second-factor",
        administration.reset_second_factor,
        "The next sign-in sets up a new second factor. Keys in the person's own name stay open; what somebody else may have "
        "is revoked on the page API keys.",
    ),
)
"""The buttons of the page of a person: the end of the address, what it does, and the words afterwards."""


def people_routes(routes: APIRouter, console: Console) -> None:
    """Add the people to the console."""
    parts = console.parts
    keyring = parts.keyring

    async def list_page(
        request: Request,
        status: int = 200,
        given: dict[str, str] | None = None,
        chosen: tuple[str, ...] = (),
        refused: str = "",
    ) -> Response:
        asked = asked_of(request, *OWN_FILTERS)

        def read(c: Connection) -> tuple[Choices, list[Account], dict[int, str]]:
            offered, names = choices(c, asked), connection_names(c)
            return offered, people_asked_for(people.accounts(c, keyring), asked, names), names

        offered, found, names = await console.read(read)
        return console.page(
            request,
            "people",
            "People",
            status,
            live=False,
            asked=asked,
            choices=offered,
            people=found,
            names=names,
            second_factor=second_factor,
            account_states=ACCOUNTS,
            in_words=administration.in_words,
            role_words=ROLE_WORDS,
            known_roles=tuple(Role),
            given=given or {"handle": "", "name": "", "email": ""},
            chosen=chosen,
            refused=refused,
        )

    async def person_page(
        request: Request, person_id: int, status: int = 200, refused: str = "", link: str = "", done: str = ""
    ) -> Response:
        found, names = await console.read(
            lambda c: (people.account(c, keyring, person_id), connection_names(c))
        )
        if found is None:
            raise PageMissing(f"There is nobody with the row number {person_id}.")
        base = parts.rules.public_url or str(request.base_url).rstrip("/")
        chosen = tuple(
            grant.role.value if grant.connection is None else f"{grant.role.value}@{names[grant.connection]}"
            for grant in found.grants
        )
        return console.page(
            request,
            "person",
            found.handle,
            status,
            live=False,
            account=found,
            names=names,
            in_words=administration.in_words,
            role_words=ROLE_WORDS,
            known_roles=tuple(Role),
            chosen=chosen,
            refused=refused,
            link=f"{base}/welcome/{link}" if link else "",
            done=done,
        )

    async def change(
        request: Request, person_id: int, token: str, work: Callable[[Connection, Account], str], done: str
    ) -> Response:
        console.check_form(request, token)

        def both(c: Connection) -> str:
            found = people.account(c, keyring, person_id)
            if found is None:
                raise PageMissing(f"There is nobody with the row number {person_id}.")
            return work(c, found)

        try:
            link = await console.read(both)
        except PersonRefused as refused:
            return await person_page(request, person_id, 422, str(refused))
        return await person_page(request, person_id, link=link, done=done)

    @routes.get("/people")
    @needs(Permission.MANAGE_PEOPLE)
    async def everybody(request: Request) -> Response:
        return await list_page(request)

    @routes.get("/people.csv")
    @needs(Permission.MANAGE_PEOPLE)
    async def as_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()

        def first(c: Connection) -> None:
            people_asked_for((), asked, {})  # what cannot be filtered by is said before the file begins
            note_export(c, who, "people", asked, now)

        await console.read(first)

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            del mark
            names = connection_names(c)
            found = people_asked_for(people.accounts(c, keyring), asked, names)
            return [file_row(account, names) for account in found], None

        return csv_file(parts.store, "people", COLUMNS, batch)

    @routes.post("/people")
    @needs(Permission.MANAGE_PEOPLE)
    async def invite(
        request: Request,
        who: Who,
        token: Annotated[str, Form()] = "",
        handle: Annotated[str, Form()] = "",
        name: Annotated[str, Form()] = "",
        email: Annotated[str, Form()] = "",
        role: Annotated[list[str] | None, Form()] = None,
    ) -> Response:
        console.check_form(request, token)
        now, chosen = parts.clock.now(), tuple(role or ())
        given = {"handle": given_text(handle), "name": given_text(name), "email": given_text(email)}

        def add(c: Connection) -> tuple[int, str]:
            names = connection_names(c)
            roles = parsed_roles(chosen, {name: number for number, name in names.items()})
            return administration.invite(c, keyring, handle, name, email, roles, names, who, now)

        try:
            number, link = await console.read(add)
        except PersonRefused as refused:
            return await list_page(request, 422, given, chosen, str(refused))
        return await person_page(request, number, link=link)

    @routes.get("/people/{person_id}")
    @needs(Permission.MANAGE_PEOPLE)
    async def one(request: Request, person_id: int) -> Response:
        return await person_page(request, person_id)

    @routes.post("/people/{person_id}/roles")
    @needs(Permission.MANAGE_PEOPLE)
    async def roles(
        request: Request,
        who: Who,
        person_id: int,
        token: Annotated[str, Form()] = "",
        role: Annotated[list[str] | None, Form()] = None,
    ) -> Response:
        now = parts.clock.now()

        def work(c: Connection, found: Account) -> str:
            names = connection_names(c)
            wanted = parsed_roles(role or (), {name: number for number, name in names.items()})
            administration.change_roles(c, found.id, wanted, names, who, now)
            hands.give_back(c, found.id, who, now)
            return ""

        return await change(
            request, person_id, token, work, "The roles were changed; they count from the next click on."
        )

    def simple(path: str, act: Act, done: str) -> None:
        """Add a button of the page of a person that asks for nothing but the click."""

        @routes.post(f"/people/{{person_id}}/{path}", name=path)
        @needs(Permission.MANAGE_PEOPLE)
        async def clicked(
            request: Request, who: Who, person_id: int, token: Annotated[str, Form()] = ""
        ) -> Response:
            now = parts.clock.now()

            def work(c: Connection, found: Account) -> str:
                return act(c, found.id, who, now) or ""

            return await change(request, person_id, token, work, done)

    for path, act, done in BUTTONS:
        simple(path, act, done)
