"""Requests about personal data: what a shop asked to be erased or handed out, until when, and that it was done."""

import json
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access import erasures
from interlock.access.audit_log import Did, record
from interlock.access.erasures import NoSuchRequest
from interlock.access.roles import Permission
from interlock.console.doors import Who, needs
from interlock.console.export import Cell, csv_file
from interlock.console.pages import Console, PageMissing, seen_other

PLACE = "/privacy"
COLUMNS = ("number", "shop", "asks for", "asked at", "answer by", "answered at", "answered by")
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
        found = await console.read(erasures.requests)
        return console.page(
            request,
            "privacy",
            "Requests about personal data",
            live=False,
            waiting=[one for one in found if one.done_at is None],
            answered=[one for one in reversed(found) if one.done_at is not None],
            asks_for=ASKS_FOR,
            shown=shown,
            about=about,
        )

    @routes.get(PLACE)
    @needs(Permission.REVEAL_PERSONAL_DATA, whole=True)
    async def every_request(request: Request) -> Response:
        return await page(request)

    @routes.get(f"{PLACE}.csv")
    @needs(Permission.EXPORT, whole=True)
    async def as_file(who: Who) -> Response:
        now = parts.clock.now()
        await parts.store.tx(lambda c: record(c, who, Did.EXPORTED, "privacy requests", now=now))

        def batch(c: Connection, mark: int | None) -> tuple[list[list[Cell]], int | None]:
            del mark
            found = erasures.requests(c)
            return [
                [one.id, one.shop, one.topic, one.asked_at, one.due_at, one.done_at, one.done_by]
                for one in found
            ], None

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
