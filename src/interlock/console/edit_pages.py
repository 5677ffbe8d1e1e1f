"""The edit desk in the console: ask what an edit would do, see the preview, and have it done."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from interlock.access.roles import Permission
from interlock.console import editing
from interlock.console.doors import Who, needs
from interlock.console.editing import ADDRESS_FIELDS, ADDRESS_LABELS, Asked, Desk
from interlock.console.order import OrderPage, order_page
from interlock.console.pages import Console, PageMissing, seen_other
from interlock.desk.requests import RequestRefused, Wish, quantity_of
from interlock.orders.reasons import Option
from interlock.preview import Preview

UNITS, WAS, PART = "units.", "was.", "address."


def edit_routes(routes: APIRouter, console: Console) -> None:
    """Add the desk's pages to the console's."""
    parts = console.parts
    desk = Desk(parts.queue, parts.keyring, parts.identifiers)

    async def order_of(order_id: int) -> OrderPage:
        now = parts.clock.now()
        found = await console.read(lambda c: order_page(c, order_id, now))
        if found is None:
            raise PageMissing(f"There is no order with the row number {order_id}.")
        return found

    async def page(
        request: Request,
        order_id: int,
        form: Mapping[str, str],
        preview: Preview | None = None,
        refused: str = "",
    ) -> Response:
        order = await order_of(order_id)
        title = f"Edit {order.shopify_name or order.mirakl_order_id}"
        return console.page(
            request,
            "edit",
            title,
            422 if refused else 200,
            live=False,
            order=order,
            form=form,
            preview=preview,
            refused=refused,
            address_labels=ADDRESS_LABELS,
        )

    @routes.post("/orders/{order_id}/edit-preview")
    @needs(Permission.EDIT_ORDERS)
    async def preview_edit(request: Request, order_id: int, token: Annotated[str, Form()] = "") -> Response:
        console.check_form(request, token)
        form = await _given(request)
        now = parts.clock.now()
        try:
            asked = asked_by(form)
            found = await console.read(lambda c: editing.preview_of(c, desk, order_id, asked, now))
        except RequestRefused as wrong:
            code = wrong.code
            await console.tally(lambda c: editing.count_refused(c, "preview", code))
            return await page(request, order_id, form, refused=str(wrong))
        return await page(request, order_id, form, found)

    @routes.post("/orders/{order_id}/edit")
    @needs(Permission.EDIT_ORDERS)
    async def ask_for_edit(
        request: Request, who: Who, order_id: int, token: Annotated[str, Form()] = ""
    ) -> Response:
        console.check_form(request, token)
        form = await _given(request)
        now = parts.clock.now()
        why, version = (form.get(name, "") for name in ("why", "version"))

        def ask(c: Connection) -> None:
            editing.ask(c, desk, order_id, asked_by(form), version, who, why, now)

        try:
            await console.read(ask)
        except RequestRefused as wrong:
            code = wrong.code
            await console.tally(lambda c: editing.count_refused(c, "edit", code))
            return await page(request, order_id, form, refused=str(wrong))
        return seen_other(f"/orders/{order_id}#edits")


async def _given(request: Request) -> dict[str, str]:
    """The form's texts. A field that is given twice counts as its last."""
    given = await request.form()
    return {
        name: value.strip() for name, value in given.items() if isinstance(value, str) and name != "token"
    }


def asked_by(form: Mapping[str, str]) -> Asked:
    """The edit a form asks for: only lines whose units were changed in it. Raises RequestRefused."""
    kind = form.get("kind", "")
    decision = form.get("decision", "")
    if decision and decision not in {option.value for option in Option}:
        raise RequestRefused("option_not_legal", "decision", "There is no such answer.")
    answer = Option(decision) if decision else None
    match kind:
        case "cancel":
            return Asked(Wish(cancel=True, decision=answer))
        case "undo":
            return Asked(Wish(undo=True, decision=answer))
        case "address":
            given = {name: form.get(PART + name, "") for name in ADDRESS_FIELDS}
            return Asked(Wish(decision=answer), {name: value for name, value in given.items() if value})
        case "lines":
            return Asked(Wish(quantities=_changed(form), added=_added(form), decision=answer))
        case _:
            raise RequestRefused("nothing_asked", "edit", "Choose what to edit.")


def _changed(form: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    return tuple(
        (name.removeprefix(UNITS), quantity_of(value, name.removeprefix(UNITS)))
        for name, value in form.items()
        if name.startswith(UNITS) and value != form.get(WAS + name.removeprefix(UNITS))
    )


def _added(form: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    sku = form.get("add_sku", "")
    return ((sku, quantity_of(form.get("add_units", ""), "add")),) if sku else ()
