"""The queue of cases, one case with its manual page beside it, causes and their replays, and the refund tasks."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from markupsafe import Markup
from sqlalchemy import Connection

from interlock.access.roles import Permission, Person
from interlock.cases import work
from interlock.cases.catalogue import entry_of
from interlock.cases.replays import Impact, Progress, latest, progress
from interlock.cases.store import CannotAnswer, GivenAnswer, latest_answer
from interlock.cases.work import NotDone, checked_words, history
from interlock.console import desk, manual
from interlock.console.case_list import (
    NOBODY,
    OWN_FILTERS,
    SEVERITIES,
    STATUSES,
    CaseRow,
    cases_page,
    cause_written,
    conditions_of,
    folded_page,
    one_case,
    reasons_there,
    who_has_cases,
)
from interlock.console.case_steps import Button, buttons
from interlock.console.case_story import Told, story_of
from interlock.console.doors import Asker, Who, needs, needs_the_cases_team, own_of, signed_in
from interlock.console.export import Cell, csv_file, note_export
from interlock.console.hands import give, who_may_have
from interlock.console.lacking import answering, lacking
from interlock.console.lists import asked_of, choices
from interlock.console.oversold import InSum, as_offered, orders_in_question
from interlock.console.pages import Console, PageMissing, given_text, seen_other
from interlock.console.refund_tasks import ABOUT_REFUNDS, RefundTaskRow, refund_tasks_page
from interlock.console.refund_tasks import OWN_FILTERS as REFUND_FILTERS
from interlock.engine.replays import replay_all
from interlock.orders.reasons import WITH_TEXT, Reason

EXPORTED_AT_ONCE = 500
RESTS_FOR = (("1", "an hour"), ("4", "four hours"), ("24", "a day"), ("72", "three days"), ("168", "a week"))
CASE_COLUMNS = (
    "case",
    "severity",
    "damage from",
    "at risk",
    "currency",
    "reason",
    "what it says",
    "cause",
    "order",
    "connection",
    "team",
    "with",
    "status",
    "open since",
    "reopened",
    "sentence",
    "closed",
    "closed because",
)
REFUND_COLUMNS = (
    "case",
    "reason",
    "order",
    "marketplace order",
    "connection",
    "due",
    "line",
    "SKU",
    "units",
    "amount",
    "shipping",
    "taxes",
    "shipping_taxes",
    "fees",
    "reason code",
    "commission back",
    "other amount in Shopify",
    "currency",
    "with",
    "portal",
)
_ROW_ID = re.compile(r"[0-9]{1,18}")


def case_routes(routes: APIRouter, console: Console) -> None:
    """Add the cases and the refund tasks to the console."""
    _list_routes(routes, console)
    _case_routes(routes, console)
    _refund_routes(routes, console)


def _written(c: Connection, one: Progress) -> Progress:
    """A replay with its cause as the platform writes it."""
    return replace(one, cause=cause_written(c, one.connection_id, one.reason, one.cause))


# -- the queue ---------------------------------------------------------------------------------------------


def _list_routes(routes: APIRouter, console: Console) -> None:
    parts = console.parts

    @routes.get("/cases")
    @needs(Permission.SEE, lists=True)
    async def queue(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()
        found = await console.read(
            lambda c: (
                choices(c, asked),
                reasons_there(c, asked.connection),
                who_has_cases(c, asked),
                folded_page(c, asked, who, now),
                [_written(c, one) for one in latest(c, now, 5, asked.own) if not one.ended],
            )
        )
        offered, reasons, people, (lines, next_mark), replays = found
        return console.page(
            request,
            "cases",
            "Cases",
            asked=asked,
            choices=offered,
            reasons=reasons,
            statuses=STATUSES,
            severities=SEVERITIES,
            people=(NOBODY, *people),
            lines=lines,
            next_mark=next_mark,
            replays=replays,
        )

    @routes.get("/cases.csv")
    @needs(Permission.EXPORT, lists=True)
    async def as_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *OWN_FILTERS), parts.clock.now()
        conditions_of(asked, who, now)  # what cannot be filtered by is said before the file begins
        await console.read(lambda c: note_export(c, who, "cases", asked, now))

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            at = replace(asked, after=mark or "")
            found, next_mark = cases_page(c, at, who, now, EXPORTED_AT_ONCE)
            return [_case_cells(row, now) for row in found], next_mark or None

        return csv_file(parts.store, "cases", CASE_COLUMNS, batch)

    @routes.get("/cases/replays/{replay_id}")
    @needs(Permission.SEE)
    async def replay_page(request: Request, replay_id: int) -> Response:
        def read(c: Connection) -> Progress | None:
            one = progress(c, replay_id, parts.clock.now())
            return None if one is None else _written(c, one)

        found = await console.read(read)
        if found is None:
            raise PageMissing(f"There is no replay {replay_id}.")
        return console.page(request, "replay", f"Replay {replay_id}", replay=found)


def _case_cells(row: CaseRow, now: datetime) -> Sequence[Cell]:
    return (
        row.id,
        row.severity,
        row.damage_at,
        row.at_risk,
        row.currency,
        row.reason,
        row.title,
        row.cause,
        row.order_name,
        row.connection,
        row.owner,
        row.assignee,
        row.status(now),
        row.opened_at,
        row.reopened,
        row.sentence,
        row.closed_at,
        row.closed_because,
    )


# -- one case ----------------------------------------------------------------------------------------------


def _case_routes(routes: APIRouter, console: Console) -> None:
    parts = console.parts

    async def case_page(
        request: Request, person: Person, case_id: int, option: str, why: str = "", refused: str = ""
    ) -> Response:
        now = parts.clock.now()

        def read(
            c: Connection,
        ) -> (
            tuple[
                CaseRow,
                GivenAnswer | None,
                list[Told],
                Impact | None,
                desk.ForAll | None,
                InSum | None,
                tuple[Button, ...],
                tuple[str, ...] | None,
            ]
            | None
        ):
            row = one_case(c, case_id)
            if row is None:
                return None
            told = list(story_of(history(c, case_id), parts.keyring))
            row, asked_about = as_offered(c, row, now), orders_in_question(c, row, now, own_of(request))
            steps = buttons(c, row, person)
            there = who_may_have(c, row.connection_id)
            last, unlocked, every = (
                latest_answer(c, case_id),
                _unlocked(c, row),
                _for_all(c, row, person.handle),
            )
            return row, last, told, unlocked, every, asked_about, steps, there

        found = await console.read(read)
        if found is None:
            raise PageMissing(f"There is no case {case_id}.")
        row, last, told, unlocked, every, in_question, steps, there = found
        page = manual.manual_page(f"{manual.CASES}{row.reason}")
        return console.page(
            request,
            "case",
            f"Case {case_id}",
            422 if refused else 200,
            watch=f"case-{case_id}",
            # What it refreshes is the page of the case, also after a form that was refused.
            request_path=f"/cases/{case_id}",
            steps=steps,
            case=row,
            standing=row.status(now),
            entry=entry_of(Reason(row.reason)),
            chosen=option if option in row.options else "",
            last=last,
            asks_for_text=any(offered in WITH_TEXT for offered in row.options),
            why=why,
            refused=refused,
            told=told,
            lacking=lacking(person, row),
            lacks_answer=answering(person),
            unlocked=unlocked,
            for_all=every,
            in_question=in_question,
            rests_for=RESTS_FOR,
            who_may_have=there,
            # The page's own title stands above it already; the rest was escaped when it was rendered.
            manual_steps=Markup("" if page is None else page.html.partition("</h1>")[2]),
        )

    @routes.get("/cases/{case_id}")
    @needs(Permission.SEE)
    async def one(request: Request, person: Asker, case_id: int, option: str = "") -> Response:
        return await case_page(request, person, case_id, option)

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
        back: Annotated[str, Form()] = "",
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
            return await case_page(
                request, signed_in(request), case_id, option, given_text(why), str(refused)
            )
        if _ROW_ID.fullmatch(back):
            return seen_other(f"/cases/{back}#orders")
        return seen_other(f"/orders/{order_id}?answered={case_id}")

    async def done(request: Request, case_id: int, act: Callable[[Connection], None]) -> Response:
        """Do something to the case and show it again, with the sentence of a refusal."""
        try:
            await console.read(act)
        except NotDone as refused:
            return await case_page(request, signed_in(request), case_id, "", refused=str(refused))
        return seen_other(f"/cases/{case_id}#history")

    @routes.post("/cases/{case_id}/work")
    @needs(Permission.WORK_CASES)
    async def hands(
        request: Request,
        who: Who,
        case_id: int,
        token: Annotated[str, Form()] = "",
        act: Annotated[str, Form()] = "",
        to: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()

        def change(c: Connection) -> None:
            match act:
                case "begin":
                    work.begin(c, case_id, who, now)
                case "put back":
                    work.put_back(c, case_id, who, now)
                case "assign":
                    give(c, case_id, to, who, now)
                case "wake":
                    work.wake(c, case_id, who, now)
                case _:
                    raise NotDone("The form does not say what to do. Nothing was changed.")

        return await done(request, case_id, change)

    @routes.post("/cases/{case_id}/snooze")
    @needs(Permission.WORK_CASES)
    async def rest(
        request: Request,
        who: Who,
        case_id: int,
        token: Annotated[str, Form()] = "",
        hours: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()

        def change(c: Connection) -> None:
            if hours not in dict(RESTS_FOR):
                raise NotDone("Choose how long the case shall rest. Nothing was changed.")
            sealed = parts.keyring.encrypt(checked_words(why, "The reason").encode())
            work.snooze(c, case_id, now + timedelta(hours=int(hours)), who, sealed, now)

        return await done(request, case_id, change)

    @routes.post("/cases/{case_id}/comment")
    @needs(Permission.WORK_CASES)
    async def write(
        request: Request,
        who: Who,
        case_id: int,
        token: Annotated[str, Form()] = "",
        words: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()

        def change(c: Connection) -> None:
            sealed = parts.keyring.encrypt(checked_words(words, "The comment").encode())
            work.comment(c, case_id, who, sealed, now)

        return await done(request, case_id, change)

    @routes.post("/cases/{case_id}/replay")
    @needs(Permission.REPLAY)
    async def replay(
        request: Request, who: Who, case_id: int, token: Annotated[str, Form()] = ""
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()

        def begin(c: Connection) -> int | None:
            row = one_case(c, case_id)
            if row is None:
                raise NotDone(f"There is no case {case_id}. Nothing was changed.")
            cause = desk.cause_of_case(row)
            return replay_all(c, parts.queue, cause.connection_id, cause.reason, (cause.name,), who, now)

        try:
            number = await console.read(begin)
        except NotDone as refused:
            return await case_page(request, signed_in(request), case_id, "", refused=str(refused))
        return seen_other(f"/cases/{case_id}" if number is None else f"/cases/replays/{number}")

    @routes.post("/cases/{case_id}/answer-all")
    @needs_the_cases_team
    async def answer_all(
        request: Request,
        who: Who,
        case_id: int,
        token: Annotated[str, Form()] = "",
        option: Annotated[str, Form()] = "",
        why: Annotated[str, Form()] = "",
    ) -> Response:
        console.check_form(request, token)
        now = parts.clock.now()

        def keep(c: Connection) -> int:
            row = one_case(c, case_id)
            if row is None:
                raise NotDone(f"There is no case {case_id}. Nothing was changed.")
            return desk.answer_cause(c, parts.queue, row, option, who, given_text(why), now)

        try:
            number = await console.read(keep)
        except NotDone as refused:
            return await case_page(request, signed_in(request), case_id, "", refused=str(refused))
        return seen_other(f"/cases/replays/{number}")


def _for_all(c: Connection, row: CaseRow, who: str) -> desk.ForAll | None:
    """What may be answered to every case of its cause at once; None where there is no such answer."""
    try:
        return desk.for_all(c, row, who)
    except NotDone:
        return None


def _unlocked(c: Connection, row: CaseRow) -> Impact | None:
    """What an answer to the cause of the case would free; None where it has no cause."""
    try:
        return desk.unlocked_by(c, desk.cause_of_case(row))
    except NotDone:
        return None


# -- refund tasks ------------------------------------------------------------------------------------------


def _refund_routes(routes: APIRouter, console: Console) -> None:
    parts = console.parts

    @routes.get("/refund-tasks")
    @needs(Permission.SEE, lists=True)
    async def listed(request: Request) -> Response:
        asked, now = asked_of(request, *REFUND_FILTERS), parts.clock.now()
        offered, (tasks, next_mark) = await console.read(
            lambda c: (choices(c, asked), refund_tasks_page(c, asked, now))
        )
        return console.page(
            request,
            "refund_tasks",
            "Refund tasks",
            asked=asked,
            choices=offered,
            reasons=ABOUT_REFUNDS,
            lacks_answer=answering(signed_in(request)),
            tasks=tasks,
            next_mark=next_mark,
        )

    @routes.get("/refund-tasks.csv")
    @needs(Permission.EXPORT, lists=True)
    async def as_file(request: Request, who: Who) -> Response:
        asked, now = asked_of(request, *REFUND_FILTERS), parts.clock.now()
        await console.read(lambda c: note_export(c, who, "refund tasks", asked, now))

        def batch(c: Connection, mark: str | None) -> tuple[Sequence[Sequence[Cell]], str | None]:
            at = replace(asked, after=mark or "")
            found, next_mark = refund_tasks_page(c, at, now, EXPORTED_AT_ONCE)
            return [cells for task in found for cells in _task_cells(task)], next_mark or None

        return csv_file(parts.store, "refund-tasks", REFUND_COLUMNS, batch)


def _by_code(amounts: Sequence[tuple[str, Decimal]]) -> str:
    return "; ".join(f"{code} {amount}" for code, amount in amounts)


def _task_cells(task: RefundTaskRow) -> list[Sequence[Cell]]:
    """One row for each line; a task whose lines are not known is one row without figures."""
    before = (
        task.case_id,
        task.reason,
        task.order_name,
        task.mirakl_order_id,
        task.connection,
        task.due_at,
    )
    after = (task.in_shopify, task.currency, task.assignee, task.portal.address)
    if not task.lines:
        return [(*before, "", "", None, None, None, "", "", "", "", None, *after)]
    return [
        (
            *before,
            line.line_id,
            line.sku,
            line.units,
            line.amount,
            line.shipping,
            _by_code(line.taxes),
            _by_code(line.shipping_taxes),
            _by_code(line.fees),
            line.reason_code,
            line.commission,
            *after,
        )
        for line in task.lines
    ]
