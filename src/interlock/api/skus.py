"""`/v1/skus`: how every SKU is at every marketplace; `/v1/connections/…/offers`: both sides line by line."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, Field
from sqlalchemy import Connection

from interlock.access.store import Scope
from interlock.api.gate import Caller, Gate
from interlock.api.maps import NameOfConnection, NoSuchConnection, connection_there
from interlock.api.places import OF_CONNECTION, OF_LIST
from interlock.api.problems import NotDone, responses
from interlock.api.values import Answer, shown
from interlock.clock import Clock
from interlock.console.skus import LineState, compared
from interlock.engine.store import all_connections
from interlock.monitoring.sku_health import SkuHealth, SkuState
from interlock.monitoring.skus import mark_of, sku_page
from interlock.storage.database import Store


class MarkRefused(NotDone):
    """The place where the page shall begin cannot be read."""

    status, error = 422, "invalid"

    def __init__(self) -> None:
        super().__init__(
            "`after` is no mark that a page of this list gave; leave it out for the first page.", "after"
        )


class SkuAnswer(Answer):
    """How one SKU is at one marketplace. Prices are decimal numbers as text, durations seconds."""

    connection: str
    sku: str
    state: SkuState
    cause: str = Field(description="Why it is not fine, in words; empty when it is.")
    shop_skus: list[str] = Field(
        description="The products of the shop behind the offer; several for a bundle."
    )
    last_sale_at: datetime | None
    last_edit_at: datetime | None
    edit_to_confirmed_p50: float | None = Field(description="Of the last 30 days, without the quiet period.")
    edit_to_confirmed_p95: float | None
    may_show: int | None = Field(description="The quantity the marketplace may show.")
    shows: int | None = Field(description="The quantity it shows, as far as it is known.")
    drift: int | None = Field(description="What it shows beyond what it may; negative for less.")
    drift_since: datetime | None
    drift_minutes_this_week: int
    published: int | None
    published_at: datetime | None
    confirmed_at: datetime | None
    offer_price: str | None
    shop_price: str | None
    currency: str
    careful: list[str] = Field(
        description="Inputs of the figure that are not believed, so that the lower figure is published."
    )
    stock_read_at: datetime | None = Field(description="When the shop's stock was last read.")


class SkuPage(Answer):
    """A page of the list."""

    entries: list[SkuAnswer]
    next: str = Field(description="Give it as `after` for the next page; empty after the last.")


class OfferLine(Answer):
    """One line of the comparison of offers and products."""

    offer_sku: str = Field(description="Empty for a product without an offer.")
    state: LineState
    shop_sku: str
    units: int = Field(
        description="Units of the product in one unit of the offer; 0 where nothing is linked."
    )
    quantity: int | None
    offer_price: str | None
    shop_price: str | None
    price_differs: bool


def _answer(one: SkuHealth) -> SkuAnswer:
    facts = one.facts
    return SkuAnswer(
        connection=facts.connection,
        sku=facts.sku,
        state=one.state,
        cause=one.cause,
        shop_skus=list(facts.shop_skus),
        last_sale_at=facts.last_sale_at,
        last_edit_at=one.last_edit_at,
        edit_to_confirmed_p50=one.p50,
        edit_to_confirmed_p95=one.p95,
        may_show=facts.target,
        shows=facts.shown,
        drift=one.drift,
        drift_since=facts.drift_since,
        drift_minutes_this_week=facts.drift_minutes,
        published=facts.published,
        published_at=facts.published_at,
        confirmed_at=facts.confirmed_at,
        offer_price=None if facts.offer_price is None else str(facts.offer_price),
        shop_price=None if facts.shop_price is None else str(facts.shop_price),
        currency=facts.currency,
        careful=list(facts.careful),
        stock_read_at=facts.stock_read_at,
    )


def sku_routes(gate: Gate, store: Store, clock: Clock) -> APIRouter:
    """The routes of SKUs and offers."""
    routes = APIRouter(tags=["mappings"])
    may_read = gate.needs(Scope.MAPPINGS_READ, OF_CONNECTION)
    may_list = gate.needs(Scope.MAPPINGS_READ, OF_LIST)

    @routes.get("/skus", responses=responses(404, 422), operation_id="list_skus")
    async def skus(
        caller: Annotated[Caller, Depends(may_list)],
        connection: Annotated[str, Query(max_length=200), AfterValidator(shown)] = "",
        state: SkuState | None = None,
        sku: Annotated[
            str, Query(max_length=200, description="Only SKUs that begin so."), AfterValidator(shown)
        ] = "",
        after: Annotated[
            str, Query(max_length=300, description="The mark the page before gave."), AfterValidator(shown)
        ] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> SkuPage:
        """List how every SKU is at every marketplace, by connection and SKU."""
        now = clock.now()
        begins = mark_of(after) if after else None
        if after and begins is None:
            raise MarkRefused()

        def read(c: Connection) -> SkuPage:
            rows = {row.name: row.id for row in all_connections(c)}
            if connection and connection not in rows:
                raise NoSuchConnection(connection)
            found, following = sku_page(
                c,
                now,
                connection_id=rows.get(connection),
                state="" if state in (None, "fine") else str(state),
                sku=sku,
                after=begins,
                limit=limit,
            )
            chosen = [one for one in found if state != "fine" or one.state == "fine"]
            return SkuPage(
                entries=[_answer(one) for one in chosen], next="" if following is None else str(following)
            )

        return await store.tx(read)

    @routes.get(
        "/connections/{connection}/offers", responses=responses(404, 422), operation_id="compare_offers"
    )
    async def offers(
        caller: Annotated[Caller, Depends(may_read)],
        connection: NameOfConnection,
        state: LineState | None = None,
    ) -> list[OfferLine]:
        """Compare the offers of a marketplace with the products of the shop, as both were last read."""
        now = clock.now()

        def read(c: Connection) -> list[OfferLine]:
            row = connection_there(c, connection)
            return [
                OfferLine(
                    offer_sku=one.offer_sku,
                    state=one.state,
                    shop_sku=one.shop_sku,
                    units=one.units,
                    quantity=one.quantity,
                    offer_price=None if one.offer_price is None else str(one.offer_price),
                    shop_price=None if one.shop_price is None else str(one.shop_price),
                    price_differs=one.price_differs,
                )
                for one in compared(c, row, now)
                if state in (None, one.state)
            ]

        return await store.tx(read)

    return routes
