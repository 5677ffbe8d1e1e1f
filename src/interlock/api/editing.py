"""The edit desk over the API: what an edit would do, having it done, and how far it is."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from sqlalchemy import Connection

from interlock.access.audit_log import asking
from interlock.access.store import Scope
from interlock.api.gate import Caller, Gate
from interlock.api.orders import NoSuch, OfConnection, found_order
from interlock.api.places import OF_ORDER
from interlock.api.problems import NotDone, responses
from interlock.api.values import Number, shown
from interlock.clock import Clock
from interlock.console import editing
from interlock.console.editing import Asked, Desk, Progress
from interlock.console.order import order_page
from interlock.desk.requests import MOST_UNITS, RequestRefused, Wish
from interlock.orders.reasons import Option
from interlock.preview import Preview
from interlock.storage.database import Store

CONFLICTS = ("stale_version", "edit_running", "order_closed", "no_order_yet", "not_live")
OPTION_CODES = frozenset(option.value for option in Option)
Named = Annotated[StrictStr, Field(min_length=1, max_length=200), AfterValidator(shown)]
EditId = Annotated[str, Path(max_length=200), AfterValidator(shown)]
Units = Annotated[StrictInt, Field(ge=0, le=MOST_UNITS)]


class LineQuantity(BaseModel):
    """A line and the units it shall have."""

    model_config = ConfigDict(extra="forbid")
    line: Named = Field(description="Mirakl line id, Shopify line id or SKU.")
    quantity: Units


class Addition(BaseModel):
    """An item to add."""

    model_config = ConfigDict(extra="forbid")
    sku: Named = Field(description="SKU, or the variant's id.")
    quantity: Annotated[StrictInt, Field(ge=1, le=MOST_UNITS)]


class Replacement(BaseModel):
    """A line whose item gives way to another in the same quantity."""

    model_config = ConfigDict(extra="forbid")
    line: Named
    sku: Named


class EditBody(BaseModel):
    """One edit: lines, or the whole order, or undoing, or the address."""

    model_config = ConfigDict(extra="forbid")
    set: list[LineQuantity] = Field(default_factory=list, max_length=500)
    remove: list[Named] = Field(default_factory=list, max_length=500)
    add: list[Addition] = Field(default_factory=list, max_length=500)
    replace: list[Replacement] = Field(default_factory=list, max_length=500)
    cancel: StrictBool = False
    undo: StrictBool = False
    address: dict[str, StrictStr] | None = Field(
        default=None,
        description="first_name, last_name, company, line1, line2, city, postcode, province, country_code, phone.",
    )
    currency: StrictStr = Field(
        default="", max_length=10, description="Refuse unless the order is in this currency."
    )
    decision: StrictStr = Field(
        default="", max_length=60, description="The answer, where the marketplace cannot take the edit."
    )

    def asked(self) -> Asked:
        """The request as the desk takes it. Raises RequestRefused for an answer there is not."""
        if self.decision and self.decision not in OPTION_CODES:
            raise RequestRefused("option_not_legal", "decision", f"There is no answer {self.decision!r}.")
        wish = Wish(
            quantities=(
                *((line.line, line.quantity) for line in self.set),
                *((name, 0) for name in self.remove),
            ),
            added=tuple((item.sku, item.quantity) for item in self.add),
            replaced=tuple((item.line, item.sku) for item in self.replace),
            cancel=self.cancel,
            undo=self.undo,
            currency=self.currency,
            decision=Option(self.decision) if self.decision else None,
        )
        return Asked(wish, self.address)


class AskBody(EditBody):
    """An edit to be done. Nobody is notified of it."""

    version: Named = Field(description="The version the preview showed.")
    who: Annotated[StrictStr, Field(min_length=1, max_length=200), AfterValidator(shown)] = Field(
        description="Who asks for it."
    )
    why: Annotated[StrictStr, Field(min_length=1, max_length=500), AfterValidator(shown)] = Field(
        description="The reason."
    )


class AskedFor(BaseModel):
    """The edit that was taken, to be followed under `GET …/edits/{edit}`."""

    edit: str
    order: str
    preview: Preview


class EditRefused(NotDone):
    """A preview or an edit was refused in words."""

    def __init__(self, refused: RequestRefused) -> None:
        super().__init__(str(refused), refused.field)
        self.error = refused.code
        self.status = 409 if refused.code in CONFLICTS else 422


def edit_routes(gate: Gate, store: Store, clock: Clock, desk: Desk) -> APIRouter:
    """The routes of the edit desk."""
    routes = APIRouter(prefix="/orders/{number}", tags=["edits"])
    may_read, may_edit = gate.needs(Scope.ORDERS_READ, OF_ORDER), gate.needs(Scope.ORDERS_EDIT, OF_ORDER)

    async def refused(what: Any, error: RequestRefused) -> EditRefused:
        asking.set(None)  # a refusal changes nothing that anybody asked for
        await store.tx(lambda c: editing.count_refused(c, what, error.code))
        return EditRefused(error)

    @routes.post("/edit-preview", responses=responses(404, 409, 422), operation_id="preview_edit")
    async def preview(
        number: Number,
        body: EditBody,
        caller: Annotated[Caller, Depends(may_read)],
        connection: OfConnection = "",
    ) -> Preview:
        """Say what an edit would do. Nothing is sent and nothing is changed."""
        now = clock.now()
        try:
            asked = body.asked()
            return await store.tx(
                lambda c: editing.preview_of(c, desk, found_order(c, caller, number, connection), asked, now)
            )
        except RequestRefused as error:
            raise await refused("preview", error) from error

    @routes.post("/edit", status_code=202, responses=responses(404, 409, 422), operation_id="ask_for_edit")
    async def edit(
        number: Number,
        body: AskBody,
        caller: Annotated[Caller, Depends(may_edit)],
        connection: OfConnection = "",
    ) -> AskedFor:
        """Have an edit done: the parcel is held, Shopify edited, the marketplace told, and the parcel released."""
        now = clock.now()
        if not body.who.strip():
            raise await refused("edit", RequestRefused("name_missing", "who", "Say who asks for the edit."))
        who = caller.signed(body.who)
        try:
            asked = body.asked()
            made, seen = await store.tx(
                lambda c: editing.ask(
                    c,
                    desk,
                    found_order(c, caller, number, connection),
                    asked,
                    body.version,
                    who,
                    body.why,
                    now,
                )
            )
        except RequestRefused as error:
            raise await refused("edit", error) from error
        return AskedFor(edit=made.id, order=seen.order, preview=seen)

    @routes.get("/edits/{edit_id}", responses=responses(404, 409, 422), operation_id="show_edit")
    async def show(
        number: Number,
        edit_id: EditId,
        caller: Annotated[Caller, Depends(may_read)],
        connection: OfConnection = "",
    ) -> Progress:
        """How far an edit is, step by step."""
        now = clock.now()

        def read(c: Connection) -> Progress | None:
            page = order_page(c, found_order(c, caller, number, connection), now)
            return None if page is None else editing.progress_of(c, page, edit_id)

        progress = await store.tx(read)
        if progress is None:
            raise NoSuch(f"This order has no edit {edit_id[:60]!r}.", "edit")
        return progress

    return routes
