"""Requests about personal data: what a shop asked to be erased or handed out, until when, and that it was done."""

import json
from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access import erasures
from interlock.access.erasures import NoSuchRequest
from interlock.access.roles import Permission
from interlock.console.doors import SAFE_METHODS, Who, needs
from interlock.console.export import Cell, csv_file, note_export
from interlock.console.lists import Asked, asked_of
from interlock.console.pages import Console, PageMissing, seen_other
from interlock.console.privacy_list import (
    COLUMNS,
    OWN_FILTERS,
    STATES,
    file_row,
    requests_asked_for,
    shops_of,
)

PLACE = "/privacy"
ASKS_FOR = {
    "customers/data_request": "hand out what is kept of a customer",
    "customers/redact": "erase a customer",
    "shop/redact": "erase everything of the shop",
}
"""What each of Shopify's privacy topics asks for, as people read it."""


def privacy_routes(routes: APIRouter, console: Console) -> None:
    """Add the page of requests about personal data to the console."""
    parts = console.parts

    async def page(request: Request, shown: int = 0, about: str = "") -> Response:
        """The list; with `about`, whom request `shown` is about."""
        asked = asked_of(request, *OWN_FILTERS) if request.method in SAFE_METHODS else Asked(PLACE)
        every = await console.read(erasures.requests)
        found = requests_asked_for(every, asked)
        return console.page(
            request,
            "privacy",
            "Requests about personal data",
            live=False,
            waiting=[one for one in found if one.done_at is None],
            answered=[one for one in reversed(found) if one.done_at is not None],
            asks_for=ASKS_FOR,
            asked=asked,
            shops=shops_of(every),
            states=STATES,
            shown=shown,
            about=about,
        )

    @routes.get(PLACE)
    @needs(Permission.REVEAL_PERSONAL_DATA, whole=True)
    async def every_request(request: Request) -> Response:
        return await page(request)

    @routes.get(f"{PLACE}.csv")
    @needs(Permission.EXPORT, whole=True)
    async def as_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()

        def first(c: Connection) -> None:
            requests_asked_for(erasures.requests(c), asked)  # said before the file begins
            note_export(c, who, "privacy requests", asked, now)

        await console.read(first)

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            del mark
            return [file_row(one) for one in requests_asked_for(erasures.requests(c), asked)], None

        return csv_file(parts.store, "privacy-requests", COLUMNS, batch)

    @routes.post(f"{PLACE}/{{request_id}}/show")
    @needs(Permission.REVEAL_PERSONAL_DATA, whole=True)
    async def show(
        request: Request, who: Who, request_id: int, token: Annotated[str, Form()] = ""
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        try:
            body = await console.read(lambda c: erasures.reveal(c, request_id, who, now))
        except NoSuchRequest as missing:
            raise PageMissing(str(missing)) from None
        about = json.dumps(json.loads(parts.keyring.decrypt(body)), indent=2, ensure_ascii=False)
        return await page(request, request_id, about)

    @routes.post(f"{PLACE}/{{request_id}}/done")
    @needs(Permission.REVEAL_PERSONAL_DATA, whole=True)
    async def done(
        request: Request, who: Who, request_id: int, token: Annotated[str, Form()] = ""
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        try:
            await console.read(lambda c: erasures.answered(c, request_id, who, now))
        except NoSuchRequest as missing:
            raise PageMissing(str(missing)) from None
        return seen_other(PLACE)
