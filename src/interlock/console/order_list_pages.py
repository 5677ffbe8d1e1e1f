"""The list of orders, and the search for one by any number it carries."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console import wording
from interlock.console.doors import Who, needs, own_of
from interlock.console.export import Cell, csv_file, note_export
from interlock.console.lists import Asked, Choices, asked_of, choices
from interlock.console.order_list import (
    OrderInList,
    conditions_of,
    found_orders,
    orders_of_buyer,
    orders_page,
)
from interlock.console.pages import Console, given_text, seen_other
from interlock.orders.addresses import email_digest

EXPORTED_AT_ONCE = 500
OWN_FILTERS = ("show", "state", "q", "buyer", "sold_from", "sold_to")
COLUMNS = (
    "marketplace order",
    "connection",
    "Shopify order",
    "checkout",
    "sold",
    "known since",
    "marketplace says",
    "where it stands",
    "accept until",
    "open cases",
    "urgent cases",
    "held",
)
_LOOKS_LIKE_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def order_list_routes(routes: APIRouter, console: Console) -> None:
    """Add the list of orders and the search to the console."""
    parts = console.parts

    @routes.get("/orders")
    @needs(Permission.SEE, lists=True)
    async def listed(request: Request) -> Response:
        asked = asked_of(request, *OWN_FILTERS)

        def read(c: Connection) -> tuple[Choices, list[OrderInList], str]:
            offered = choices(c, asked)
            if number := asked.other("q"):
                return offered, found_orders(c, number, own=asked.own), ""
            return offered, *orders_page(c, asked)

        offered, found, next_mark = await console.read(read)
        return console.page(
            request,
            "orders",
            "Orders",
            asked=asked,
            choices=offered,
            orders=found,
            next_mark=next_mark,
            states=wording.MIRAKL_STATES,
        )

    @routes.get("/orders.csv")
    @needs(Permission.EXPORT, lists=True)
    async def as_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()
        conditions_of(asked)  # what cannot be filtered by is said before the file begins
        await console.read(lambda c: note_export(c, who, "orders", asked, now))
        return csv_file(parts.store, "orders", COLUMNS, lambda c, mark: _batch(c, asked, mark))

    @routes.post("/orders/find")
    @needs(Permission.SEE)
    async def find(
        request: Request, token: Annotated[str, Form()] = "", number: Annotated[str, Form()] = ""
    ) -> Response:
        console.check_form(request, token)
        wanted, own = given_text(number), own_of(request)
        if not wanted:
            return seen_other("/orders")
        if _LOOKS_LIKE_EMAIL.fullmatch(wanted):
            return await by_email(request, wanted)
        found = await console.read(lambda c: found_orders(c, wanted, 2, own))
        if len(found) == 1:
            return seen_other(f"/orders/{found[0].id}")
        return seen_other("/orders?" + urlencode({"q": wanted}))

    async def by_email(request: Request, email: str) -> Response:
        """Orders are kept with a keyed digest of the buyer's proxy e-mail: that alone is looked up and shown."""
        if not parts.address_key:
            return console.problem(
                request,
                422,
                "E-mail addresses cannot be searched here: this process was started without the key of their digests.",
            )
        buyer, own = email_digest(email, parts.address_key), own_of(request)
        found = await console.read(lambda c: orders_of_buyer(c, buyer, 2, own))
        if len(found) == 1:
            return seen_other(f"/orders/{found[0]}")
        return seen_other("/orders?" + urlencode({"buyer": buyer}))


def _batch(c: Connection, asked: Asked, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
    if number := asked.other("q"):
        return [_row(order) for order in found_orders(c, number, own=asked.own)], None
    at = replace(asked, after=mark or "")
    found, next_mark = orders_page(c, at, EXPORTED_AT_ONCE)
    return [_row(order) for order in found], next_mark or None


def _row(order: OrderInList) -> Sequence[Cell]:
    return (
        order.mirakl_order_id,
        order.connection,
        order.shopify_name,
        order.commercial_id,
        order.sold_at,
        order.created_at,
        wording.mirakl_state(order.mirakl_state),
        order.standing.sentence,
        order.due_at,
        order.open_cases,
        order.urgent_cases,
        order.held,
    )
