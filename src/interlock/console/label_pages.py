"""The label check for people: may this label be printed, why not, and printing it all the same."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.audit_log import RecordingStore, asking
from interlock.access.roles import Permission, may
from interlock.console.connections import connection_names
from interlock.console.doors import Who, needs, own_of, signed_in
from interlock.console.lists import Asked, Choices, choices
from interlock.console.pages import Console, PageMissing, given_text, seen_other
from interlock.engine.labels import LONGEST_NUMBER, LONGEST_WORDS, Checked, LabelRefused, label_check
from interlock.holds.overriding import Override, lapsed
from interlock.holds.store import waiting_overrides

PLACE = "/label-check"
SOURCES = {
    "stored": "as it was seen last",
    "read now": "read from Shopify just now",
    "none": "nothing could be seen",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the check says of one label. `waiting` are the overrides that no printer has used yet, `lapsed` those of them
    that do not count any more, with why, `may_override` whether who is asking may make one."""

    checked: Checked
    connection: str
    waiting: tuple[Override, ...]
    lapsed: tuple[tuple[Override, str], ...]
    may_override: bool


def label_routes(routes: APIRouter, console: Console) -> None:
    """Add the label check to the console."""
    parts = console.parts
    recording = RecordingStore(parts.store, parts.clock)
    labels = label_check(
        parts.store,
        parts.clock,
        parts.identifiers,
        parts.queue,
        parts.keyring,
        parts.connections,
        "console",
        recording,
    )

    async def page(
        request: Request,
        checked: Checked | None = None,
        refused: LabelRefused | None = None,
        number: str = "",
        connection: str = "",
        why: str = "",
    ) -> Response:
        person, own = signed_in(request), own_of(request)

        def read(c: Connection) -> tuple[Choices, Verdict | None]:
            offered = choices(c, Asked(PLACE, own=own))
            if checked is None:
                return offered, None
            row = checked.row
            allowed = may(person, Permission.OVERRIDE_LABEL, row.connection_id) and bool(
                checked.label.parcels
            )
            now = parts.clock.now()
            kept = [(one, lapsed(one, checked.label, now)) for one in waiting_overrides(c, row.order_id)]
            waiting = tuple(one for one, why in kept if not why)
            over = tuple((one, why) for one, why in kept if why)
            named = connection_names(c).get(row.connection_id, "")
            return offered, Verdict(checked, named, waiting, over, allowed)

        offered, verdict = await console.read(read)
        status = 200 if refused is None else 404 if refused.code == "unknown_order" else 422
        return console.page(
            request,
            "label_check",
            "Label check",
            status,
            live=False,
            place=PLACE,
            sources=SOURCES,
            longest_number=LONGEST_NUMBER,
            longest_words=LONGEST_WORDS,
            choices=offered,
            verdict=verdict,
            refused=refused,
            number=number,
            connection=connection,
            why=why,
        )

    async def looked_at(order_id: int) -> Checked:
        try:
            return await labels.look_at(order_id)
        except LabelRefused as refused:
            raise PageMissing(str(refused)) from refused

    @routes.get(PLACE)
    @needs(Permission.SEE)
    async def empty(request: Request) -> Response:
        return await page(request)

    @routes.post(PLACE)
    @needs(Permission.SEE)
    async def look(
        request: Request,
        token: Annotated[str, Form()] = "",
        number: Annotated[str, Form()] = "",
        connection: Annotated[str, Form()] = "",
    ) -> Response:
        """The number is sent in the body: it is in no address and no history."""
        console.check_form(request, token)
        asking.set(None)  # looking changes nothing that anybody asked for
        wanted, of = given_text(number), given_text(connection)
        try:
            checked = await labels.look(wanted, of, own_of(request))
        except LabelRefused as refused:
            return await page(request, refused=refused, number=wanted, connection=of)
        return await page(request, checked, number=wanted, connection=of)

    @routes.get("/orders/{order_id}/label")
    @needs(Permission.SEE)
    async def of_order(request: Request, order_id: int) -> Response:
        return await page(request, await looked_at(order_id))

    @routes.post("/orders/{order_id}/label")
    @needs(Permission.OVERRIDE_LABEL)
    async def override(
        request: Request,
        who: Who,
        order_id: int,
        token: Annotated[str, Form()] = "",
        parcel: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
        sure: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        reason = given_text(why)
        try:
            if sure != "on":
                raise LabelRefused(
                    "not_confirmed", "Say that it shall be printed all the same. Nothing was changed.", "sure"
                )
            await labels.override_at(order_id, given_text(parcel), who, reason, "console")
        except LabelRefused as refused:
            asking.set(None)
            return await page(request, await looked_at(order_id), refused, why=reason)
        return seen_other(f"/orders/{order_id}/label")
