"""The page of one order."""

import re
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import Response
from sqlalchemy import Connection, select

from interlock.access.roles import Permission
from interlock.cases.store import GivenAnswer, cases, latest_answer
from interlock.console import desk, editing
from interlock.console.doors import Asker, Who, needs
from interlock.console.explain import explain
from interlock.console.lacking import lacking, lacking_for_order
from interlock.console.lineage import said_in_shop
from interlock.console.order import OrderPage, order_page
from interlock.console.pages import Console, PageMissing, own_path, seen_other

SHOWN_EDITS = 3


_ROW_ID = re.compile(r"[1-9][0-9]{0,17}")
JUST_NOW = timedelta(minutes=10)


def _just_answered(c: Connection, order_id: int, case: str, now: datetime) -> GivenAnswer | None:
    """The answer that led here, while it is young. A case of another order says nothing here."""
    if not _ROW_ID.fullmatch(case):
        return None
    mine = select(cases.c.id).where(cases.c.id == int(case), cases.c.order_id == order_id)
    if c.execute(mine).one_or_none() is None:
        return None
    given = latest_answer(c, int(case))
    return None if given is None or now - given.at > JUST_NOW else given


def order_routes(routes: APIRouter, console: Console) -> None:
    """Add the page of an order to the console."""
    parts = console.parts

    @routes.get("/orders/{order_id}")
    @needs(Permission.SEE)
    async def order(
        request: Request, person: Asker, order_id: int, answered: Annotated[str, Query(max_length=20)] = ""
    ) -> Response:
        now = parts.clock.now()

        def read(c: Connection) -> tuple[OrderPage, tuple[editing.Progress, ...], GivenAnswer | None] | None:
            page = order_page(c, order_id, now)
            if page is None:
                return None
            given = _just_answered(c, order_id, answered, now)
            return page, editing.all_progress(c, page)[:SHOWN_EDITS], given

        found = await console.read(read)
        if found is None:
            raise PageMissing(f"There is no order with the row number {order_id}.")
        page, edits, given = found
        return console.page(
            request,
            "order",
            page.shopify_name or page.mirakl_order_id,
            order=page,
            why=explain(page, now),
            edits=edits,
            given=given,
            answered=answered,
            lacking_of=partial(lacking, person),
            lacks=lacking_for_order(person, page.connection_id),
            watch=f"order-{order_id}",
            may_edit=editing.may_be_edited(page),
            in_shop=said_in_shop(page.memory, page.mirakl_state),
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
