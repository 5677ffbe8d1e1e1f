"""The queue of cases, one case, and its answer."""

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response

from interlock.access.roles import Permission
from interlock.cases.store import CannotAnswer, latest_answer
from interlock.console import desk
from interlock.console.case_list import case_queue, one_case
from interlock.console.doors import Who, needs, needs_the_cases_team
from interlock.console.pages import Console, PageMissing, given_text, seen_other
from interlock.orders.reasons import WITH_TEXT

_ROW_ID = re.compile(r"[0-9]{1,18}")


def case_routes(routes: APIRouter, console: Console) -> None:
    """Add the cases to the console."""
    parts = console.parts

    @routes.get("/cases")
    @needs(Permission.SEE)
    async def queue(request: Request) -> Response:
        found = await console.read(case_queue)
        return console.page(request, "cases", "Cases", queue=found)

    async def case_page(
        request: Request, case_id: int, option: str, why: str = "", refused: str = ""
    ) -> Response:
        found, last = await console.read(lambda c: (one_case(c, case_id), latest_answer(c, case_id)))
        if found is None:
            raise PageMissing(f"There is no case {case_id}.")
        chosen = option if option in found.options else ""
        return console.page(
            request,
            "case",
            f"Case {case_id}",
            422 if refused else 200,
            live=False,
            case=found,
            chosen=chosen,
            last=last,
            asks_for_text=any(offered in WITH_TEXT for offered in found.options),
            why=why,
            refused=refused,
        )

    @routes.get("/cases/{case_id}")
    @needs(Permission.SEE)
    async def one(request: Request, case_id: int, option: str = "") -> Response:
        return await case_page(request, case_id, option)

    @routes.post("/cases/{case_id}/answer")
    @needs_the_cases_team
    async def answer(
        request: Request,
        who: Who,
        case_id: int,
        token: Annotated[str, Form()] = "",
        option: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
        text: Annotated[str, Form()] = "",
        seen: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()
        message = desk.written(text[: desk.LONGEST_TEXT], parts.identifiers, parts.keyring)
        try:
            order_id = await console.read(
                lambda c: desk.answer_case(
                    c,
                    parts.queue,
                    case_id,
                    option,
                    who,
                    given_text(why),
                    now,
                    message,
                    int(seen) if _ROW_ID.fullmatch(seen) else None,
                )
            )
        except CannotAnswer as refused:
            await console.tally(lambda c: desk.count_refused_answer(c, option))
            return await case_page(request, case_id, option, given_text(why), str(refused))
        return seen_other(f"/orders/{order_id}")
