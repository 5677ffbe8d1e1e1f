"""`/v1/label-check`: a label printer asks whether it may print, and a person may have it print all the same."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from interlock.access.roles import Permission
from interlock.access.store import Scope
from interlock.api.gate import Caller, Gate
from interlock.api.orders import OfConnection
from interlock.api.places import ANYWHERE
from interlock.api.problems import NotDone, responses
from interlock.clock import Clock
from interlock.engine.labels import LONGEST_NUMBER, LONGEST_WORDS, Checked, LabelCheck, LabelRefused
from interlock.holds.store import LabelRow

_STATUS = {
    "unknown_order": 404,
    "unknown_connection": 404,
    "ambiguous_order": 409,
    "ambiguous_parcel": 409,
    "parcel_not_open": 409,
    "nothing_to_override": 409,
    "already_overridden": 409,
}


class LabelNotChecked(NotDone):
    """A label check or override that is not possible as asked."""

    def __init__(self, refused: LabelRefused) -> None:
        more = {"candidates": list(refused.candidates)} if refused.candidates else {}
        super().__init__(str(refused), refused.field, more=more)
        self.status = _STATUS.get(refused.code, 422)
        self.error = refused.code


class OrderNamed(BaseModel):
    """The numbers of the order the answer is about."""

    mirakl: str = Field(description="Mirakl order id.")
    shopify: str = Field(description="gid of the Shopify order; empty while there is none.")
    name: str = Field(description="Name of the Shopify order, such as #1001.")
    fulfillment_order: str | None = Field(description="gid of the fulfillment order that was named.")


class LabelAnswer(BaseModel):
    """Whether the label may be printed, and on what that rests."""

    print: bool = Field(description="Print only on true.")
    reason: str
    who_can_change_it: str = Field(
        description="A team, the marketplace, or that it settles by itself; empty for a yes."
    )
    order: OrderNamed
    as_of: datetime | None = Field(description="When the Shopify order was seen on which the answer rests.")
    age_seconds: float | None
    source: Literal["stored", "read now", "override", "none"]


class OverrideAsked(BaseModel):
    """Have a label printed although the answer is no."""

    model_config = ConfigDict(extra="forbid")

    order: str = Field(max_length=LONGEST_NUMBER, description="Any number of the order, as for the check.")
    fulfillment_order: str = Field(
        default="", max_length=LONGEST_NUMBER, description="Its id or gid; may be left out where one is open."
    )
    connection: str = Field(
        default="", max_length=200, description="The connection of the order, where its number is of several."
    )
    who: str = Field(max_length=LONGEST_WORDS, description="Name of the person who decides it.")
    why: str = Field(max_length=LONGEST_WORDS, description="The reason; it is kept and shown.")


class OverrideKept(BaseModel):
    """What was kept."""

    order: OrderNamed
    against: str = Field(description="The reason of the no that was overridden.")
    who: str
    why: str
    at: datetime


def label_routes(gate: Gate, labels: LabelCheck, clock: Clock) -> APIRouter:
    """The routes of the label check."""
    routes = APIRouter(tags=["label check"])

    @routes.get("/label-check", responses=responses(404, 409, 422), operation_id="check_label")
    async def check(
        caller: Annotated[Caller, Depends(gate.needs(Scope.LABELS_CHECK, ANYWHERE))],
        order: Annotated[
            str,
            Query(
                max_length=LONGEST_NUMBER,
                description="A Shopify order's id, gid or name, a fulfillment order's id or gid, or a Mirakl order id.",
            ),
        ],
        connection: OfConnection = "",
    ) -> LabelAnswer:
        """May the label of this order or fulfillment order be printed? Needs `labels:check`. An override is used up by the
        yes it gives. Only orders of the connections that the key opens are there."""
        try:
            found = await labels.check(order, connection, caller.own())
        except LabelRefused as refused:
            raise LabelNotChecked(refused) from refused
        return _answer(found, clock.now())

    @routes.post(
        "/label-check/override", responses=responses(404, 409, 422), operation_id="override_label_check"
    )
    async def override(
        caller: Annotated[Caller, Depends(gate.needs(Scope.LABELS_OVERRIDE, ANYWHERE))], asked: OverrideAsked
    ) -> OverrideKept:
        """Have the next check of one fulfillment order say yes, once. Needs `labels:override`; the person and the reason
        are kept, told in the order's story, and become an incident. It counts for an hour, while `against` is the reason
        of the no."""
        try:
            row, kept = await labels.override(
                asked.order,
                asked.fulfillment_order,
                asked.who if caller.person is None else caller.signed(asked.who),
                asked.why,
                f"API key {caller.name}",
                asked.connection,
                caller.own(Permission.OVERRIDE_LABEL),
            )
        except LabelRefused as refused:
            raise LabelNotChecked(refused) from refused
        return OverrideKept(
            order=_named(row, kept.fulfillment_order_id),
            against=kept.against,
            who=kept.who,
            why=kept.why,
            at=kept.at,
        )

    return routes


def _answer(found: Checked, now: datetime) -> LabelAnswer:
    age = None if found.as_of is None else max((now - found.as_of).total_seconds(), 0.0)
    return LabelAnswer(
        print=found.label.yes,
        reason=found.label.reason,
        who_can_change_it=found.label.who,
        order=_named(found.row, found.row.parcel),
        as_of=found.as_of,
        age_seconds=age,
        source=found.source,
    )


def _named(row: LabelRow, parcel: str) -> OrderNamed:
    return OrderNamed(
        mirakl=row.mirakl_order_id,
        shopify=row.shopify_order_id,
        name=row.shopify_name,
        fulfillment_order=parcel or None,
    )
