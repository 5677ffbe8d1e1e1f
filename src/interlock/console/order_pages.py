"""The page of one order."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console import desk, editing
from interlock.console.doors import Who, needs
from interlock.console.explain import explain
from interlock.console.order import OrderPage, order_page
from interlock.console.pages import Console, PageMissing, own_path, seen_other

SHOWN_EDITS = 3


def order_routes(routes: APIRouter, console: Console) -> None:
    """Add the page of an order to the console."""
    parts = console.parts

    @routes.get("/orders/{order_id}")
    @needs(Permission.SEE)
    async def order(request: Request, order_id: int) -> Response:
        now = parts.clock.now()

        def read(c: Connection) -> tuple[OrderPage, tuple[editing.Progress, ...]] | None:
            page = order_page(c, order_id, now)
            return None if page is None else (page, editing.all_progress(c, page)[:SHOWN_EDITS])

        found = await console.read(read)
        if found is None:
            raise PageMissing(f"There is no order with the row number {order_id}.")
        page, edits = found
        return console.page(
            request,
            "order",
            page.shopify_name or page.mirakl_order_id,
            order=page,
            why=explain(page, now),
            edits=edits,
            watch=f"order-{order_id}",
            may_edit=editing.may_be_edited(page),
            address_labels=editing.ADDRESS_LABELS,
        )

    @routes.post("/orders/{order_id}/replay")
    @needs(Permission.REPLAY)
    async def replay(
        request: Request,
        who: Who,
        order_id: int,
        token: Annotated[str, Form()] = "",
        back: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        try:
            await console.read(lambda c: desk.replay(c, parts.queue, order_id, who, now))
        except desk.NoSuchOrder as missing:
            raise PageMissing(str(missing)) from missing
        return seen_other(own_path(back) if back else f"/orders/{order_id}")
