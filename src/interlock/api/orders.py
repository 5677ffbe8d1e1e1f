"""`/v1/orders`: which orders there are, where one stands, and why."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, Field
from sqlalchemy import Connection

from interlock.access.store import Scope
from interlock.api.cases import CaseAnswer, Fact, case_answer
from interlock.api.gate import Caller, Gate
from interlock.api.places import OF_LIST, OF_ORDER, check_listed
from interlock.api.problems import NotDone, responses
from interlock.api.values import After, Answer, Filter, Limit, Number, Page, shown
from interlock.cases.store import GivenAnswer, latest_answers
from interlock.clock import Clock
from interlock.console import desk
from interlock.console.explain import Explanation, explain
from interlock.console.lists import Asked
from interlock.console.order import OrderPage, order_page
from interlock.console.order_list import (
    OrderInList,
    connection_of_name,
    found_orders,
    one_order_id,
    orders_meant,
    orders_page,
)
from interlock.orders.reasons import Owner
from interlock.storage.database import Store

State = Literal[
    "STAGING",
    "WAITING_ACCEPTANCE",
    "WAITING_DEBIT",
    "WAITING_DEBIT_PAYMENT",
    "SHIPPING",
    "SHIPPED",
    "TO_COLLECT",
    "RECEIVED",
    "CLOSED",
    "REFUSED",
    "CANCELED",
]
"""The states of a marketplace order (OR11, `order_state`)."""


class NoSuch(NotDone):
    """There is no such order or edit."""

    status, error = 404, "not_found"


class NumberAmbiguous(NotDone):
    """The number is of more than one order; `found` are marketplace numbers with their connections."""

    status, error = 409, "ambiguous_order"

    def __init__(self, number: str, found: Sequence[tuple[str, str]]) -> None:
        candidates = [{"mirakl": order, "connection": connection} for order, connection in found]
        by = "connection" if len({connection for _, connection in found}) > 1 else "number"
        sentence = str(desk.NumberAmbiguous(number[:80], found, "connection="))
        super().__init__(sentence, by, more={"candidates": candidates})


OfConnection = Annotated[
    str,
    Query(
        max_length=200,
        description="The connection of the order, where its number stands on more than one.",
    ),
    AfterValidator(shown),
]


def found_order(c: Connection, caller: Caller, number: str, connection: str) -> int:
    """The row number of the one order meant by this number, on the connection of that name or on any. Raises NoSuch, and
    NumberAmbiguous, which names only what the caller may see."""
    order_id = one_order_id(c, number, connection)
    if order_id is not None:
        return order_id
    own = caller.own()
    if connection:
        named = connection_of_name(c, connection)
        own = named if own is None else named & own
    meant = orders_meant(c, number, own)
    if meant:
        raise NumberAmbiguous(number, [(one.mirakl_order_id, one.connection) for one in meant])
    where = f" on a connection {connection[:80]!r}" if connection else ""
    raise NoSuch(f"There is no order {number[:80]!r}{where}.", "number")


class OrderListed(Answer):
    """An order in a list."""

    order: str = Field(description="Mirakl order id.")
    connection: str
    shopify_name: str = Field(description="Such as #1001; empty while there is no Shopify order.")
    created_at: datetime = Field(description="When Interlock first saw it.")
    sold_at: datetime | None = Field(
        description="When the marketplace made the order; null until it has been read."
    )
    marketplace_state: str = Field(description="The marketplace's own word; empty before the first reading.")
    standing: str = Field(description="Where it stands, in a sentence.")
    held: bool = Field(description="Whether our hold is on a parcel of it.")
    open_cases: int
    urgent_cases: int
    accept_until: datetime | None = Field(description="End of the time to accept, while it runs.")


class Line(Answer):
    """One line as the sides see it; null where a side does not show it."""

    line: str = Field(description="Its Mirakl line id, or its Shopify line id where nothing was sold.")
    sku: str
    ordered: int | None
    shopify: int | None
    agreed: int | None = Field(description="What the marketplace has confirmed.")
    marketplace: int | None
    cancelled: int
    refunded: int
    shipped: int
    agrees: bool
    note: str


class Told(Answer):
    """An entry of the order's story."""

    at: datetime
    by: str
    what: str


class Evidence(Answer):
    """One link of the chain a verdict rests on."""

    kind: str
    sentence: str
    at: datetime | None = Field(description="When it became true.")
    until: datetime | None = Field(description="How long it stays so by itself.")


class Difference(Answer):
    """One difference between the two sides, and the rule that answered it."""

    difference: str
    change: str
    rule: int = Field(description="Number of the rule in the table of this change, counted from the top.")
    answer: str
    sentence: str
    facts: list[Fact] = Field(description="What the rules looked at until one answered.")
    would_change: list[str]


class Why(Answer):
    """Why an order is as it is."""

    verdict: str
    waits_for: str
    until: datetime | None
    chain: list[Evidence]
    would_change: list[str] = Field(description="What would lead to another verdict.")
    differences: list[Difference]


class OrderAnswer(OrderListed):
    """One order with everything that is known of it, without personal data."""

    shopify_order: str = Field(description="gid of the Shopify order; empty while there is none.")
    live: bool = Field(description="Whether the connection writes to the platforms.")
    hold: str = Field(description="What the hold says, in a sentence.")
    lines: list[Line]
    differs: list[str] = Field(description="What differs between the two sides, a sentence each.")
    because: list[str] = Field(description="What was decided at the last look, and why.")
    cases: list[CaseAnswer]
    story: list[Told] = Field(description="What happened, newest first.")
    shopify_seen_at: datetime | None
    marketplace_seen_at: datetime | None


def order_routes(gate: Gate, store: Store, clock: Clock) -> APIRouter:
    """The routes that read orders."""
    routes = APIRouter(tags=["orders"])
    may_read, may_list = gate.needs(Scope.ORDERS_READ, OF_ORDER), gate.needs(Scope.ORDERS_READ, OF_LIST)

    def page_of_order(c: Connection, caller: Caller, number: str, connection: str) -> OrderPage:
        found = order_page(c, found_order(c, caller, number, connection), clock.now())
        if found is None:
            raise NoSuch(f"There is no order {number[:80]!r} any more.", "number")
        return found

    @routes.get("/orders", responses=responses(422), operation_id="list_orders")
    async def listed(
        caller: Annotated[Caller, Depends(may_list)],
        number: Filter = "",
        connection: Filter = "",
        show: Annotated[
            Literal["all", "cases", "urgent", "held"],
            Query(description="Only orders with an open case, with an urgent one, or on hold."),
        ] = "all",
        owner: Annotated[
            Owner | None, Query(description="The team that has an open case of the order.")
        ] = None,
        state: Annotated[
            State | None, Query(description="Only orders in this state of the marketplace.")
        ] = None,
        sold_from: Annotated[
            date | None, Query(description="The first day, in UTC, on which the marketplace made the order.")
        ] = None,
        sold_to: Annotated[date | None, Query(description="The last such day, included.")] = None,
        after: After = "",
        limit: Limit = 50,
    ) -> Page[OrderListed]:
        """List orders, the newest first. `number` finds those that carry it anywhere, on one page, whatever else is asked."""

        def read(c: Connection) -> tuple[list[OrderInList], str]:
            if number.strip():
                return found_orders(c, number, limit), ""
            check_listed(c, connection, caller.own())
            days = (("sold_from", sold_from), ("sold_to", sold_to))
            shown = "" if show == "all" else show
            own = (
                ("show", shown),
                ("state", state or ""),
                *((name, day.isoformat()) for name, day in days if day is not None),
            )
            asked = Asked("/v1/orders", connection, owner or "", after, own)
            return orders_page(c, asked, limit)

        found, mark = await store.tx(read)
        return Page(entries=[_listed(order) for order in found], next=mark)

    @routes.get("/orders/{number}", responses=responses(404, 409, 422), operation_id="show_order")
    async def show_order(
        caller: Annotated[Caller, Depends(may_read)], number: Number, connection: OfConnection = ""
    ) -> OrderAnswer:
        """Show one order: both sides line by line, the hold, cases, and its story."""

        def read(c: Connection) -> OrderAnswer:
            page = page_of_order(c, caller, number, connection)
            return _answer(page, latest_answers(c, [case.id for case in page.cases]))

        return await store.tx(read)

    @routes.get("/orders/{number}/explain", responses=responses(404, 409, 422), operation_id="explain_order")
    async def why(
        caller: Annotated[Caller, Depends(may_read)], number: Number, connection: OfConnection = ""
    ) -> Why:
        """Say why the order is as it is: the verdict, the evidence it rests on, and what would change it."""
        page = await store.tx(lambda c: page_of_order(c, caller, number, connection))
        return _why(explain(page, clock.now()))

    return routes


def _listed(order: OrderInList) -> OrderListed:
    return OrderListed(
        order=order.mirakl_order_id,
        connection=order.connection,
        shopify_name=order.shopify_name,
        created_at=order.created_at,
        sold_at=order.sold_at,
        marketplace_state=order.mirakl_state,
        standing=order.standing.sentence,
        held=order.held,
        open_cases=order.open_cases,
        urgent_cases=order.urgent_cases,
        accept_until=order.due_at,
    )


def _why(found: Explanation) -> Why:
    return Why(
        verdict=found.verdict,
        waits_for=found.waits_for,
        until=found.until,
        chain=[Evidence.model_validate(link) for link in found.chain],
        would_change=list(found.would_change),
        differences=[
            Difference(
                difference=one.difference,
                change=one.change,
                rule=one.rule,
                answer=one.answer,
                sentence=one.sentence,
                facts=[Fact(name=name, value=value) for name, value in one.facts],
                would_change=list(one.would_change),
            )
            for one in found.differences
        ],
    )


def _answer(page: OrderPage, last_of: Mapping[int, GivenAnswer]) -> OrderAnswer:
    return OrderAnswer(
        order=page.mirakl_order_id,
        connection=page.connection,
        shopify_name=page.shopify_name,
        created_at=page.created_at,
        sold_at=None if page.seen is None or page.seen.mirakl is None else page.seen.mirakl.created_at,
        marketplace_state=page.mirakl_state,
        standing=page.standing.sentence,
        held=bool(page.memory.held),
        open_cases=len(page.cases),
        urgent_cases=len([case for case in page.cases if case.severity == "urgent"]),
        accept_until=page.due_at,
        shopify_order=page.shopify_order_id,
        live=page.live,
        hold=page.hold.sentence,
        lines=[
            Line(
                line=line.line_id,
                sku=line.sku,
                ordered=line.ordered,
                shopify=line.shopify,
                agreed=line.agreed,
                marketplace=line.mirakl,
                cancelled=line.cancelled,
                refunded=line.refunded,
                shipped=line.shipped,
                agrees=line.agrees,
                note=line.note,
            )
            for line in page.lines
        ],
        differs=list(page.differs),
        because=list(page.because),
        cases=[case_answer(case, last_of.get(case.id)) for case in page.cases],
        story=[Told(at=at, by=by, what=what) for at, by, what in page.story],
        shopify_seen_at=page.shopify_seen_at,
        marketplace_seen_at=page.mirakl_seen_at,
    )
