"""Forms of an order that say which Shopify orders stand for it."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console import lineage
from interlock.console.doors import Who, needs
from interlock.console.pages import Console, given_text, seen_other


def lineage_routes(routes: APIRouter, console: Console) -> None:
    """Add what links, unlinks and asks for Shopify orders to the console."""
    parts = console.parts

    async def change(
        request: Request, order_id: int, token: str, work: Callable[[Connection, datetime], lineage.Asked]
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        try:
            await console.read(lambda c: work(c, now))
        except lineage.LineageRefused as refused:
            return console.problem(request, 422, str(refused))
        return seen_other(f"/orders/{order_id}")

    @routes.post("/orders/{order_id}/link")
    @needs(Permission.LINK_ORDERS)
    async def link(
        request: Request,
        who: Who,
        order_id: int,
        token: Annotated[str, Form()] = "",
        shopify_order: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        other, said = given_text(shopify_order), (who, given_text(why))
        return await change(
            request, order_id, token, lambda c, now: lineage.link(c, parts.queue, order_id, other, *said, now)
        )

    @routes.post("/orders/{order_id}/unlink")
    @needs(Permission.LINK_ORDERS)
    async def unlink(
        request: Request,
        who: Who,
        order_id: int,
        token: Annotated[str, Form()] = "",
        shopify_order: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        other, said = given_text(shopify_order), (who, given_text(why))
        return await change(
            request,
            order_id,
            token,
            lambda c, now: lineage.unlink(c, parts.queue, order_id, other, *said, now),
        )

    @routes.post("/orders/{order_id}/undo-link")
    @needs(Permission.LINK_ORDERS)
    async def undo(
        request: Request,
        who: Who,
        order_id: int,
        token: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        said = (who, given_text(why))
        return await change(
            request, order_id, token, lambda c, now: lineage.undo_link(c, parts.queue, order_id, *said, now)
        )

    @routes.post("/orders/{order_id}/create")
    @needs(Permission.ANSWER_OPERATIONS)
    async def create(
        request: Request,
        who: Who,
        order_id: int,
        token: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        said = (who, given_text(why))
        return await change(
            request,
            order_id,
            token,
            lambda c, now: lineage.create_after_all(c, parts.queue, order_id, *said, now),
        )
