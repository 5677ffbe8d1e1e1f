"""What the marketplace sent of an order, with personal data masked until somebody says why they must be seen."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from interlock.access.roles import Permission
from interlock.console.doors import Who, needs
from interlock.console.evidence import Evidence, RevealRefused, evidence_of, reveal
from interlock.console.pages import Console, PageMissing, given_text


def evidence_routes(routes: APIRouter, console: Console) -> None:
    """Add the raw evidence of an order to the console."""
    parts = console.parts

    def page(request: Request, order_id: int, found: Evidence, refused: str = "") -> Response:
        return console.page(
            request,
            "evidence",
            f"Evidence of {found.name}",
            422 if refused else 200,
            live=False,
            order_id=order_id,
            evidence=found,
            refused=refused,
        )

    async def masked_of(order_id: int) -> Evidence:
        found = await console.read(lambda c: evidence_of(c, parts.keyring, order_id))
        if found is None:
            raise PageMissing(
                "There is no document of this order: it was not read yet, or it was deleted when its time was over."
            )
        return found

    @routes.get("/orders/{order_id}/evidence")
    @needs(Permission.SEE)
    async def evidence(request: Request, order_id: int) -> Response:
        return page(request, order_id, await masked_of(order_id))

    @routes.post("/orders/{order_id}/evidence")
    @needs(Permission.REVEAL_PERSONAL_DATA)
    async def show(
        request: Request,
        who: Who,
        order_id: int,
        token: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now, reason = parts.clock.now(), given_text(why)
        try:
            found = await console.read(lambda c: reveal(c, parts.keyring, order_id, who, reason, now))
        except RevealRefused as refused:
            return page(request, order_id, await masked_of(order_id), str(refused))
        return page(request, order_id, found)
