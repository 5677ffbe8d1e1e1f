"""`/v1/cases`: what a person has to look at, the answers to it, and the decisions that were taken."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Literal, TypeVar

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, Field, StrictInt, StrictStr
from sqlalchemy import Connection, select

from interlock.access.audit_log import asking
from interlock.access.roles import answers_for
from interlock.access.store import Scope
from interlock.api.gate import Caller, Gate, PersonNeeded
from interlock.api.places import ANYWHERE, OF_CASE, OF_LIST, check_listed
from interlock.api.problems import NotDone, responses
from interlock.api.values import (
    After,
    Answer,
    Body,
    Filter,
    Limit,
    Page,
    RowId,
    Who,
    Why,
    page_of,
    said,
    shown,
    shown_lines,
    version_of,
)
from interlock.cases import work
from interlock.cases.catalogue import Entry, entries
from interlock.cases.store import (
    NEEDS_A_PERSON,
    CannotAnswer,
    answers,
    cases,
    latest_answer,
    latest_answers,
)
from interlock.cases.store import GivenAnswer as KeptAnswer
from interlock.clock import Clock
from interlock.console import hands
from interlock.console.case_list import (
    DAMAGE_MARK,
    FIRST_DAMAGE,
    NOBODY,
    CaseRow,
    DamageMark,
    case_rows,
    conditions_of,
    one_case,
)
from interlock.console.desk import LONGEST_TEXT, answer_case, count_refused_answer, written
from interlock.console.editing import Desk
from interlock.console.lists import Asked, MarkUnreadable, row_mark
from interlock.console.oversold import as_offered
from interlock.orders.reasons import Owner, Severity
from interlock.orders.store import orders
from interlock.storage.database import Store

T = TypeVar("T")

STATUS_OF: Mapping[str, str] = MappingProxyType(
    {
        "open": "not closed",
        "in_progress": "in progress",
        "snoozed": "snoozed",
        "closed": "closed",
        "all": "all",
    }
)
"""The status in the console's list of what a program asks for."""
LONGEST_REST_HOURS = work.LONGEST_SNOOZE // timedelta(hours=1)


class NoSuchCase(NotDone):
    """There is no such case."""

    status, error = 404, "not_found"

    def __init__(self, case_id: int) -> None:
        super().__init__(f"There is no case {case_id}.", "case")


class AnswerRefused(NotDone):
    """The answer was not taken."""

    status, error = 409, "answer_refused"


class WorkRefused(NotDone):
    """What was asked of the case cannot be done."""

    status, error = 409, "not_done"


class AssignedMeanwhile(NotDone):
    """Somebody else has the case by now."""

    status, error = 409, "stale_version"

    def __init__(self, case_id: int) -> None:
        super().__init__(
            f"Case {case_id} belongs to somebody else by now. Nothing was changed. Read who has it and say so in `seen`.",
            "seen",
        )


class NotAMark(NotDone):
    """A page of a list cannot begin there."""

    status, error = 422, "mark_unreadable"

    def __init__(self, order: str) -> None:
        super().__init__(
            f"This is not where a page of cases in the order {order!r} begins. Give the `next` of the page before, with the "
            "same `order`, or leave `after` out.",
            "after",
        )


class CaseChanged(NotDone):
    """The case is not any more what the caller saw."""

    status, error = 409, "stale_version"

    def __init__(self, case_id: int) -> None:
        super().__init__(
            f"Case {case_id} has changed since it was read. Nothing was changed. Read it again and answer with its "
            "present version.",
            "version",
        )


class Fact(Answer):
    """A figure that belongs to a case."""

    name: str
    value: str


class LatestAnswer(Answer):
    """What somebody answered."""

    option: str
    who: str
    at: datetime


class CaseAnswer(Answer):
    """One case."""

    case: int
    version: str = Field(description="Changes when the case does; an answer has to name it.")
    connection: str
    order: str = Field(description="Name of the order; empty where the case concerns a connection.")
    reason: str = Field(description="Code of the catalogue.")
    subject: str
    kind: str
    title: str
    owner: str
    severity: str
    sentence: str
    options: list[str]
    facts: list[Fact]
    due_at: datetime | None
    damage_at: datetime | None = Field(description="When it begins to do damage.")
    at_risk: Decimal | None = Field(description="The money at risk, where it can be counted.")
    currency: str
    opened_at: datetime
    closed_at: datetime | None
    closed_because: str
    assignee: str = Field(description="Who has it; empty for nobody.")
    begun_at: datetime | None = Field(description="Since when they work on it.")
    snoozed_until: datetime | None
    answered_by: str = Field(description="Who has answered, until the next look takes it up.")
    latest_answer: LatestAnswer | None = Field(
        description="The last answer since the case opened, also where a look has taken it up; null where nobody answered. "
        "The version changes with it."
    )
    manual_page: str


class GivenAnswer(Body):
    """An answer to a case."""

    version: StrictStr = Field(min_length=1, max_length=60, description="The version that was seen.")
    option: StrictStr = Field(min_length=1, max_length=60, description="One of the case's options.")
    who: Who
    why: Why
    text: Annotated[
        StrictStr,
        Field(max_length=LONGEST_TEXT, description="The message to the customer, for options that send one."),
        AfterValidator(shown_lines),
    ] = ""


class Assignee(Body):
    """Who shall have a case."""

    to: Annotated[
        StrictStr,
        Field(
            max_length=200,
            description="The sign-in name of somebody who may work on cases of the connection; empty for nobody.",
        ),
        AfterValidator(shown),
    ]
    seen: Annotated[
        StrictStr, Field(max_length=200, description="Who had it when it was read."), AfterValidator(shown)
    ] = ""
    who: Who


class Assigned(Answer):
    """Who has a case."""

    case: int
    assignee: str


class Comment(Body):
    """Words for a case. They may name a customer, so they are kept encrypted and are in no list."""

    who: Who
    words: Annotated[
        StrictStr, Field(min_length=1, max_length=work.LONGEST_WORDS), AfterValidator(shown_lines)
    ]


class Commented(Answer):
    """The comment that is kept."""

    case: int
    who: str


class Rest(Body):
    """How long a case may rest, and why. The reason may name a customer, so it is kept encrypted and is in no list."""

    who: Who
    hours: StrictInt = Field(ge=1, le=LONGEST_REST_HOURS)
    why: Annotated[StrictStr, Field(min_length=1, max_length=work.LONGEST_WORDS), AfterValidator(said)]


class Rests(Answer):
    """Until when a case rests. It wakes by itself, and earlier when it becomes more urgent."""

    case: int
    until: datetime


class AnswerKept(Answer):
    """What was kept. The order is looked at because of it, within seconds."""

    case: int
    option: str
    who: str
    at: datetime


class Decision(Answer):
    """What somebody answered to a case."""

    id: int
    order: str = Field(description="Mirakl order id.")
    reason: str
    subject: str
    option: str
    who: str
    why: str = Field(description="The reason that was given; empty once it was erased, a year later.")
    at: datetime
    taken_at: datetime | None = Field(description="When a look at the order took it up.")


def case_routes(gate: Gate, store: Store, clock: Clock, desk: Desk) -> APIRouter:
    """The routes of cases and decisions."""
    routes = APIRouter(tags=["cases"])
    may_read, may_list = gate.needs(Scope.CASES_READ, OF_CASE), gate.needs(Scope.CASES_READ, OF_LIST)
    may_answer, may_work = gate.needs(Scope.CASES_ANSWER, OF_CASE), gate.needs(Scope.CASES_WORK, OF_CASE)
    may_read_all, may_know = gate.needs(Scope.CASES_READ), gate.needs(Scope.CASES_READ, ANYWHERE)

    @routes.get("/cases", responses=responses(422), operation_id="list_cases")
    async def listed(
        caller: Annotated[Caller, Depends(may_list)],
        state: Annotated[
            Literal["open", "in_progress", "snoozed", "closed", "all"],
            Query(
                description="Open ones, unless asked: those in progress and those that rest are open, too. `in_progress` and "
                "`snoozed` are those alone."
            ),
        ] = "open",
        connection: Filter = "",
        reason: Filter = "",
        owner: Annotated[Owner | None, Query(description="The team whose work it is.")] = None,
        severity: Annotated[Severity | None, Query(description="How much it presses.")] = None,
        assignee: Annotated[Filter, Query(description=f"Who has it; `{NOBODY}` for what nobody has.")] = "",
        order: Annotated[
            Literal["newest", "damage"],
            Query(
                description="`damage` is the order of the console: by `damage_at`, then the most `at_risk`; what has no such "
                "moment or money is last."
            ),
        ] = "newest",
        after: Annotated[
            str,
            Query(
                pattern=rf"^([0-9]{{1,18}}|{DAMAGE_MARK})?$",
                description="Where the page begins: `next` of the page before with the same `order`; empty for the first page.",
            ),
        ] = "",
        limit: Limit = 50,
    ) -> Page[CaseAnswer]:
        """List cases, the newest first or what does damage first."""
        own = (
            ("status", STATUS_OF[state]),
            ("reason", reason),
            ("severity", severity or ""),
            ("assignee", assignee),
        )
        asked = Asked("/cases", connection, owner or "", after, own)
        conditions = [*conditions_of(asked, "", clock.now())]
        by_damage = order == "damage"
        if after:
            try:
                conditions.append(DamageMark.read(after).later if by_damage else cases.c.id < row_mark(after))
            except MarkUnreadable as wrong:
                raise NotAMark(order) from wrong
        sorting = FIRST_DAMAGE if by_damage else (cases.c.id.desc(),)

        def read(c: Connection) -> tuple[list[CaseRow], Mapping[int, KeptAnswer]]:
            check_listed(c, connection, caller.own())
            wanted = select(cases.c.id).where(*conditions).order_by(*sorting).limit(limit + 1)
            ids = [int(found) for found in c.execute(wanted).scalars()]
            rows = {row.id: row for row in case_rows(c, cases.c.id.in_(ids))} if ids else {}
            return [rows[number] for number in ids], latest_answers(c, ids)

        rows, last_of = await store.tx(read)
        marks = [str(DamageMark(row.damage_at, row.at_risk, row.id)) if by_damage else row.id for row in rows]
        return page_of([case_answer(row, last_of.get(row.id)) for row in rows[:limit]], marks, limit)

    @routes.get("/cases/catalogue", responses=responses(), operation_id="show_catalogue")
    async def catalogue(caller: Annotated[Caller, Depends(may_know)]) -> list[Entry]:
        """Every reason there is: who owns it, what it costs and when, how it closes, what may be answered."""
        return list(entries())

    @routes.get("/cases/{case}", responses=responses(404, 422), operation_id="show_case")
    async def one(
        caller: Annotated[Caller, Depends(may_read)], case: RowId, response: Response
    ) -> CaseAnswer:
        """Show one case, open or closed. Its version is the ETag too."""
        now = clock.now()

        def read(c: Connection) -> tuple[CaseRow, CaseRow, KeptAnswer | None] | None:
            row = one_case(c, case)
            return None if row is None else (row, as_offered(c, row, now), latest_answer(c, case))

        found = await store.tx(read)
        if found is None:
            raise NoSuchCase(case)
        kept, offered, last = found
        # The version is that of the case as it is kept: lists show the same, and an answer is checked against it.
        shown = case_answer(kept, last).model_copy(update={"options": list(offered.options)})
        response.headers["ETag"] = f'"{shown.version}"'
        return shown

    @routes.post(
        "/cases/{case}/answer",
        status_code=202,
        responses=responses(404, 409, 422),
        operation_id="answer_case",
    )
    async def answer(
        caller: Annotated[Caller, Depends(may_answer)], case: RowId, given: GivenAnswer
    ) -> AnswerKept:
        """Answer a case in a person's name. The same answer of the same person to the same version counts once, however
        often it is sent. A refund is approved only with a key that the person made in their own name."""
        if given.option in NEEDS_A_PERSON and caller.person is None:
            raise PersonNeeded
        now, who = clock.now(), caller.signed(given.who)
        text = written(given.text, desk.identifiers, desk.keyring)

        def keep(c: Connection) -> AnswerKept:
            found = one_case(c, case)
            if found is None:
                raise NoSuchCase(case)
            caller.check(answers_for(found.owner), found.connection_id)
            last = latest_answer(c, case)
            seen_as_it_is = case_answer(found, last).version == given.version
            # Sent again is what names the version from before it was kept, or waits still. Whoever names the present version
            # has seen the earlier answer and gives another one.
            sent_again = last is not None and (last.who, last.option) == (who, given.option)
            if last is not None and sent_again and (found.answered_by or not seen_as_it_is):
                return AnswerKept(case=case, option=last.option, who=last.who, at=last.at)
            if not seen_as_it_is:
                raise CaseChanged(case)
            answer_case(
                c,
                desk.queue,
                case,
                given.option,
                who,
                given.why,
                now,
                text,
                None if last is None else last.id,
            )
            return AnswerKept(case=case, option=given.option, who=who, at=now)

        try:
            return await store.tx(keep)
        except CannotAnswer as refused:
            asking.set(None)  # a refusal changes nothing that anybody asked for
            await store.tx(lambda c: count_refused_answer(c, given.option))
            raise AnswerRefused(str(refused), "option") from refused

    @routes.put("/cases/{case}/assignee", responses=responses(404, 409, 422), operation_id="assign_case")
    async def assign(caller: Annotated[Caller, Depends(may_work)], case: RowId, wanted: Assignee) -> Assigned:
        """Give a case to a person, or to nobody. Giving it to who has it already changes nothing."""
        now, who = clock.now(), caller.signed(wanted.who)

        def keep(c: Connection) -> Assigned:
            found = one_case(c, case)
            if found is None:
                raise NoSuchCase(case)
            if assignee_of(c, case) != wanted.seen:
                if assignee_of(c, case) == wanted.to.strip():
                    return Assigned(case=case, assignee=wanted.to.strip())
                raise AssignedMeanwhile(case)
            return Assigned(case=case, assignee=hands.give(c, case, wanted.to, who, now))

        return await _worked(store, keep)

    @routes.get("/cases/{case}/assignee", responses=responses(404, 422), operation_id="show_assignee")
    async def shows_assignee(caller: Annotated[Caller, Depends(may_read)], case: RowId) -> Assigned:
        """Say who has a case; empty when nobody has it."""

        def read(c: Connection) -> Assigned:
            if one_case(c, case) is None:
                raise NoSuchCase(case)
            return Assigned(case=case, assignee=assignee_of(c, case))

        return await store.tx(read)

    @routes.post(
        "/cases/{case}/comments",
        status_code=201,
        responses=responses(404, 409, 422),
        operation_id="comment_case",
    )
    async def comment(caller: Annotated[Caller, Depends(may_work)], case: RowId, given: Comment) -> Commented:
        """Add a comment to a case, open or closed. The same words of the same person twice in a row count once."""
        now, who = clock.now(), caller.signed(given.who)

        def keep(c: Connection) -> Commented:
            if one_case(c, case) is None:
                raise NoSuchCase(case)
            words = work.checked_words(given.words, "The comment")
            so_far = work.history(c, case)
            last = so_far[-1] if so_far else None
            if last is None or last.who != who or last.words is None:
                said_before = False
            else:
                said_before = desk.keyring.decrypt(last.words).decode() == words
            if not said_before:
                work.comment(c, case, who, desk.keyring.encrypt(words.encode()), now)
            return Commented(case=case, who=who)

        return await _worked(store, keep)

    @routes.post("/cases/{case}/snooze", responses=responses(404, 409, 422), operation_id="snooze_case")
    async def snooze(caller: Annotated[Caller, Depends(may_work)], case: RowId, wanted: Rest) -> Rests:
        """Let a case rest for some hours from now on, never beyond the moment at which it does damage."""
        now, who = clock.now(), caller.signed(wanted.who)
        until = now + timedelta(hours=wanted.hours)

        def keep(c: Connection) -> Rests:
            if one_case(c, case) is None:
                raise NoSuchCase(case)
            why = desk.keyring.encrypt(work.checked_words(wanted.why, "The reason").encode())
            work.snooze(c, case, until, who, why, now)
            return Rests(case=case, until=until)

        return await _worked(store, keep)

    @routes.get("/decisions", responses=responses(422), operation_id="list_decisions")
    async def decisions(
        caller: Annotated[Caller, Depends(may_read_all)],
        order: Annotated[Filter, Query(description="A Mirakl order id.")] = "",
        after: After = "",
        limit: Limit = 50,
    ) -> Page[Decision]:
        """List what people answered, the newest first."""
        query = (
            select(answers, orders.c.mirakl_order_id)
            .join(orders, orders.c.id == answers.c.order_id)
            .order_by(answers.c.id.desc())
            .limit(limit + 1)
        )
        if order:
            query = query.where(orders.c.mirakl_order_id == order)
        if after:
            query = query.where(answers.c.id < int(after))
        rows = await store.tx(lambda c: c.execute(query).all())
        found = [
            Decision(
                id=row.id,
                order=row.mirakl_order_id,
                reason=row.reason,
                subject=row.subject,
                option=row.option,
                who=row.who,
                why=row.why,
                at=row.at,
                taken_at=row.taken_at,
            )
            for row in rows[:limit]
        ]
        return page_of(found, [row.id for row in rows], limit)

    return routes


def assignee_of(c: Connection, case_id: int) -> str:
    """Who has the case; empty for nobody."""
    return str(c.execute(select(cases.c.assignee).where(cases.c.id == case_id)).scalar_one() or "")


async def _worked(store: Store, keep: Callable[[Connection], T]) -> T:
    try:
        return await store.tx(keep)
    except hands.NobodyOfThatName as refused:
        raise WorkRefused(str(refused), "to") from refused
    except work.NotDone as refused:
        raise WorkRefused(str(refused), "case") from refused


def case_answer(row: CaseRow, last: KeptAnswer | None) -> CaseAnswer:
    """A case as the API tells it. `last` is its latest answer since it opened, taken up or not."""
    answered = None if last is None else last.id
    return CaseAnswer(
        case=row.id,
        version=version_of(row.id, row.opened_at, row.sentence, row.options, row.closed_at, answered),
        connection=row.connection,
        order=row.order_name,
        reason=row.reason,
        subject=row.subject,
        kind=row.kind,
        title=row.title,
        owner=row.owner,
        severity=row.severity,
        sentence=row.sentence,
        options=list(row.options),
        facts=[Fact(name=name, value=value) for name, value in row.facts],
        due_at=row.due_at,
        damage_at=row.damage_at,
        at_risk=row.at_risk,
        currency=row.currency,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        closed_because=row.closed_because,
        assignee=row.assignee,
        begun_at=row.begun_at,
        snoozed_until=row.snoozed_until,
        answered_by=row.answered_by,
        latest_answer=None if last is None else LatestAnswer(option=last.option, who=last.who, at=last.at),
        manual_page=f"/manual/operations/cases/{row.reason}",
    )
