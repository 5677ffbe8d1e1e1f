"""Tables of the cases and of the answers people gave to them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from interlock.cases.causes import cause_of
from interlock.cases.damage import stake_of
from interlock.orders.codec import encode
from interlock.orders.memory import Decision, Memory, same_person
from interlock.orders.plan import Case
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.refund_tasks import is_open
from interlock.orders.snapshots import MiraklOrder
from interlock.storage.database import metadata
from interlock.storage.personal_data import personal
from interlock.storage.types import UtcDateTime

BY_ITSELF = "Interlock"
"""Who opens, closes and reopens cases that the facts open and close."""
REOPENS_WITHIN = timedelta(days=7)
"""The same question about the same order within so long is the same case, with its history; later it is a new one."""
WORDS_KEPT_FOR = timedelta(days=365)
"""What people wrote to a case is erased so long after they wrote it."""

What = Literal[
    "opened",
    "reopened",
    "changed",
    "closed",
    "answered",
    "assigned",
    "begun",
    "put back",
    "snoozed",
    "woken",
    "commented",
    "replayed",
]
"""What may happen to a case. Stored; never renamed."""

cases = Table(
    "cases",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id")),
    Column("connection_id", BigInteger, ForeignKey("connections.id")),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("sentence", Text, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("due_at", UtcDateTime),
    Column("due_from", UtcDateTime),
    Column("cause", Text, nullable=False, server_default=""),
    Column("damage_at", UtcDateTime),
    Column("at_risk", Numeric),
    Column("currency", Text, nullable=False, server_default=""),
    Column("first_opened_at", UtcDateTime, nullable=False),
    Column("reopened", Integer, nullable=False, server_default="0"),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("closed_because", Text),
    # the same without what a person wrote; null where nobody wrote anything, or it was erased
    Column("closed_in_short", Text),
    Column("assignee", Text, nullable=False, server_default=""),
    Column("assigned_at", UtcDateTime),
    Column("begun_at", UtcDateTime),
    Column("snoozed_until", UtcDateTime),
    Index(
        "uq_cases_open",
        text("coalesce(order_id, 0)"),
        text("coalesce(connection_id, 0)"),
        "reason",
        "subject",
        unique=True,
        postgresql_where=text("closed_at IS NULL"),
    ),
    Index("ix_cases_order_id", "order_id"),
    Index("ix_cases_queue", "damage_at", "id", postgresql_where=text("closed_at IS NULL")),
    Index("ix_cases_opened_at", "opened_at"),
    Index("ix_cases_closed_at", "closed_at", postgresql_where=text("closed_at IS NOT NULL")),
    Index("ix_cases_words", "closed_at", postgresql_where=text("closed_in_short IS NOT NULL")),
    Index("ix_cases_cause", "connection_id", "reason", "cause", postgresql_where=text("closed_at IS NULL")),
)

case_events = Table(
    "case_events",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("case_id", BigInteger, ForeignKey("cases.id"), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column(
        "words",
        LargeBinary,
        info=personal(
            purpose="what staff wrote to a case: a comment, or why it is snoozed",
            retention="one year after it was written",
        ),
    ),
    Index("ix_case_events_case_id", "case_id", "id"),
    Index("ix_case_events_words", "at", postgresql_where=text("words IS NOT NULL")),
)
"""Who did what to a case and when; rows are only ever added, and words that have had their time are erased."""

answers = Table(
    "answers",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("order_id", BigInteger, ForeignKey("orders.id"), nullable=False),
    Column("reason", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("option", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("text_id", Text, nullable=False, server_default=""),
    Column("taken_at", UtcDateTime),
    Index("ix_answers_order_id", "order_id"),
    Index("ix_answers_waiting", "order_id", postgresql_where=text("taken_at IS NULL")),
    Index("ix_answers_words", "at", postgresql_where=text("why <> '' AND taken_at IS NOT NULL")),
)


# Statements that run all day are built once: building one takes longer than running it.
_OPEN_OF_ORDER = (
    select(cases)
    .where(cases.c.order_id == bindparam("of_order"), cases.c.closed_at.is_(None))
    .order_by(cases.c.id)
)
_CLOSE_OF_CONNECTION = (
    update(cases)
    .where(
        cases.c.connection_id == bindparam("of_connection"),
        cases.c.order_id.is_(None),
        cases.c.reason == bindparam("of_reason"),
        cases.c.subject == bindparam("of_subject"),
        cases.c.closed_at.is_(None),
    )
    .values(closed_at=bindparam("now"), closed_because=bindparam("because"))
    .returning(cases.c.id)
)
_KEEP_EVENT = insert(case_events)
_WAITING_ANSWERS = (
    select(answers)
    .where(answers.c.order_id == bindparam("of_order"), answers.c.taken_at.is_(None))
    .order_by(answers.c.id)
)


@dataclass(frozen=True, slots=True)
class Change:
    """What keeping a plan did to the queue: sentences for the timeline, and the urgent cases that are new or became
    worse (another severity, or other figures such as the next rung of the acceptance ladder)."""

    opened: tuple[str, ...]
    closed: tuple[str, ...]
    alarming: tuple[Case, ...] = ()


_WHY_NOT_JUDGED = (Reason.UNKNOWN_VALUE, Reason.NOT_OURS_TO_SHIP)
_OF_A_REFUND_TASK = (Reason.REFUND_TASK, Reason.REFUND_APPROVAL)
"""Cases whose subject is a refund task, and that are open as long as it is."""


def _is_over(reason: Reason, subject: str, memory: Memory | None) -> bool:
    """Whether a case that is not wanted any more is settled although nobody looked at the rest of its order."""
    return reason in _WHY_NOT_JUDGED or _is_remembered_as_closed(reason, subject, memory)


def _is_remembered_as_closed(reason: Reason, subject: str, memory: Memory | None) -> bool:
    """Whether the order's memory says that the incident or the refund task behind the case is over, whatever is seen now."""
    if memory is None:
        return False
    if reason in _OF_A_REFUND_TASK:
        return any(task.subject == subject and not is_open(task) for task in memory.refund_tasks)
    incident = memory.incident(reason, subject)
    return incident is not None and incident.closed_at is not None


def sync_cases(
    c: Connection,
    order_id: int,
    connection_id: int,
    wanted: Sequence[Case],
    now: datetime,
    may_close: bool,
    mirakl: MiraklOrder | None = None,
    memory: Memory | None = None,
    judged: bool = True,
    closes_unseen: Collection[Reason] = (),
) -> Change:
    """Make the order's open cases equal to `wanted`. `may_close` is false when a platform could not be read: what
    is missing then closes nothing, but for cases of the reasons `closes_unseen`, which ask about just that. Where the order
    was not `judged`, only the cases that say so close. Incidents and refund tasks that are remembered as closed close always.
    `mirakl` and `memory` tell what is at stake."""
    rows = c.execute(_OPEN_OF_ORDER, {"of_order": order_id}).all()
    there = {(row.reason, row.subject): row for row in rows}
    opened: list[str] = []
    closed: list[str] = []
    alarming: list[Case] = []
    keys = set()
    for case in wanted:
        key = (case.reason.value, case.subject)
        if key in keys:
            continue
        keys.add(key)
        row = there.get(key)
        content = _content(case, now if row is None else row.opened_at, mirakl, memory)
        if row is None:
            _open(c, order_id, connection_id, case.reason, case.subject, content, now)
            opened.append(case.sentence)
            alarming.append(case)
        elif any(getattr(row, name) != value for name, value in content.items()):
            worse = row.severity != content["severity"] or row.facts != content["facts"]
            if worse:
                alarming.append(case)
            if row.severity != content["severity"]:
                keep_event(c, row.id, now, BY_ITSELF, "changed", f"{row.severity} → {content['severity']}")
            woken_by = _wakes(row, content, worse)
            if woken_by:
                content["snoozed_until"] = None
                keep_event(c, row.id, now, BY_ITSELF, "woken", woken_by)
            c.execute(update(cases).where(cases.c.id == row.id).values(**content))
    for key, row in there.items():
        reason = Reason(row.reason)
        seen = may_close or reason in closes_unseen
        settled = seen and (judged or _is_over(reason, row.subject, memory))
        if key not in keys and (settled or _is_remembered_as_closed(reason, row.subject, memory)):
            _close(c, row, now, memory)
            closed.append(f"Settled: {CATALOGUE[reason].title}.")
    urgent = tuple(case for case in alarming if case.how_severe == "urgent")
    return Change(tuple(opened), tuple(closed), urgent)


def _wakes(row: Any, content: Mapping[str, Any], worse: bool) -> str:
    """Why a case that rests does so no longer; empty where it rests on, or does not rest."""
    if row.snoozed_until is None:
        return ""
    if worse and content["severity"] == "urgent":
        return "It became more urgent."
    nearer = content["damage_at"] is not None and content["damage_at"] < row.snoozed_until
    return "It does damage before it was to wake." if nearer else ""


def _content(
    case: Case, opened_at: datetime, mirakl: MiraklOrder | None, memory: Memory | None
) -> dict[str, Any]:
    stake = stake_of(case, opened_at, mirakl, memory)
    return {
        "severity": case.how_severe,
        "sentence": case.sentence,
        "options": [option.value for option in case.options],
        "facts": encode(case.facts),
        "due_at": case.due_at,
        "due_from": case.due_from,
        "cause": cause_of(case),
        "damage_at": stake.at,
        "at_risk": stake.money,
        "currency": stake.currency,
    }


def _open(
    c: Connection,
    order_id: int | None,
    connection_id: int,
    reason: Reason,
    subject: str,
    content: dict[str, Any],
    now: datetime,
) -> None:
    """A new case; or the one that asked the same not long ago, which goes on with its history. Whoever had it still has it,
    since when he was given it: that is before this opening, and does not count as having taken it up."""
    of_order = cases.c.order_id.is_(None) if order_id is None else cases.c.order_id == order_id
    former = c.execute(
        select(cases.c.id)
        .where(
            of_order,
            cases.c.connection_id == connection_id,
            cases.c.reason == reason.value,
            cases.c.subject == subject,
            cases.c.closed_at > now - REOPENS_WITHIN,
        )
        .order_by(cases.c.closed_at.desc(), cases.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    page = CATALOGUE[reason]
    if former is not None:
        c.execute(
            update(cases)
            .where(cases.c.id == former)
            .values(
                kind=page.kind,
                owner=page.owner,
                opened_at=now,
                reopened=cases.c.reopened + 1,
                closed_at=None,
                closed_because=None,
                closed_in_short=None,
                begun_at=None,
                snoozed_until=None,
                **content,
            )
        )
        keep_event(c, former, now, BY_ITSELF, "reopened", "")
        return
    case_id = c.execute(
        insert(cases)
        .values(
            order_id=order_id,
            connection_id=connection_id,
            kind=page.kind,
            reason=reason.value,
            subject=subject,
            owner=page.owner,
            opened_at=now,
            first_opened_at=now,
            **content,
        )
        .returning(cases.c.id)
    ).scalar_one()
    keep_event(c, case_id, now, BY_ITSELF, "opened", "")


def _close(c: Connection, row: Any, now: datetime, memory: Memory | None) -> None:
    """Close a case of an order: where a person dismissed it since it opened, with their reason, which is the person's own
    words and so no part of the history's details."""
    said = None if memory is None else memory.decision(Reason(row.reason), row.subject)
    because = detail = "The reason for it is gone."
    in_short = None
    if said is not None and said.option is Option.DISMISS and said.at >= row.opened_at:
        detail = in_short = f"{said.who} dismissed it."
        because = f"{said.who} dismissed it: {said.why}{'' if said.why.endswith(('.', '!', '?')) else '.'}"
    closed = {"closed_at": now, "closed_because": because, "closed_in_short": in_short}
    c.execute(update(cases).where(cases.c.id == row.id).values(closed))
    keep_event(c, row.id, now, BY_ITSELF, "closed", detail)


def keep_event(
    c: Connection,
    case_id: int,
    now: datetime,
    who: str,
    what: What,
    detail: str = "",
    words: bytes | None = None,
) -> None:
    """Add to the history of a case. `detail` holds no personal data; `words` is what a person wrote, encrypted."""
    c.execute(
        _KEEP_EVENT,
        {"case_id": case_id, "at": now, "who": who, "what": what, "detail": detail, "words": words},
    )


def each_time_open() -> Select[Any]:
    """Every case once for each time it was open, with `opened_at` and `closed_at` of that time, in the order in which
    cases were made."""
    closing = case_events.alias()
    others = [column for column in cases.c if column.name not in ("opened_at", "closed_at")]
    closed_at = (
        select(func.min(closing.c.at))
        .where(
            closing.c.case_id == case_events.c.case_id,
            closing.c.what == "closed",
            closing.c.id > case_events.c.id,
        )
        .scalar_subquery()
    )
    return (
        select(*others, case_events.c.at.label("opened_at"), closed_at.label("closed_at"))
        .join(case_events, case_events.c.case_id == cases.c.id)
        .where(case_events.c.what.in_(("opened", "reopened")))
        .order_by(cases.c.id, case_events.c.id)
    )


def forget_old_words(c: Connection, now: datetime) -> int:
    """Erase what staff wrote to cases a year ago: comments, why a case rests, and the reasons of their answers, also where
    they closed a case. That they wrote, answered or closed stays. Returns how many texts were erased."""
    before = now - WORDS_KEPT_FOR
    written = update(case_events).where(case_events.c.words.is_not(None), case_events.c.at < before)
    # An answer that no plan has taken yet still has to be told with its reason.
    given = update(answers).where(answers.c.why != "", answers.c.taken_at.is_not(None), answers.c.at < before)
    closed = update(cases).where(cases.c.closed_in_short.is_not(None), cases.c.closed_at < before)
    return sum(
        int(c.execute(statement).rowcount)
        for statement in (
            written.values(words=None),
            given.values(why=""),
            closed.values(closed_because=cases.c.closed_in_short, closed_in_short=None),
        )
    )


def open_connection_case(
    c: Connection, connection_id: int, reason: Reason, subject: str, sentence: str, now: datetime
) -> bool:
    """Open a case that concerns a whole connection, once. True when it was not open before."""
    there = c.execute(
        select(cases.c.id).where(
            cases.c.connection_id == connection_id,
            cases.c.order_id.is_(None),
            cases.c.reason == reason.value,
            cases.c.subject == subject,
            cases.c.closed_at.is_(None),
        )
    ).first()
    if there is not None:
        return False
    content = _content(Case(reason, subject, sentence), now, None, None)
    _open(c, None, connection_id, reason, subject, content, now)
    return True


def keep_connection_case(
    c: Connection, connection_id: int, reason: Reason, subject: str, sentence: str, now: datetime
) -> bool:
    """Open a case that concerns a whole connection, or have the open one say what is so by now. True when it was not open
    before."""
    if open_connection_case(c, connection_id, reason, subject, sentence, now):
        return True
    c.execute(
        update(cases)
        .where(
            cases.c.connection_id == connection_id,
            cases.c.order_id.is_(None),
            cases.c.reason == reason.value,
            cases.c.subject == subject,
            cases.c.closed_at.is_(None),
            cases.c.sentence != sentence,
        )
        .values(sentence=sentence)
    )
    return False


def close_connection_cases(
    c: Connection, connection_id: int, reason: Reason, subject: str, now: datetime, because: str
) -> int:
    """Close the connection's cases of this reason and subject; returns how many."""
    done = c.execute(
        _CLOSE_OF_CONNECTION,
        {
            "of_connection": connection_id,
            "of_reason": reason.value,
            "of_subject": subject,
            "now": now,
            "because": because,
        },
    ).scalars()
    closed = list(done)
    for case_id in closed:
        keep_event(c, case_id, now, BY_ITSELF, "closed", because)
    return len(closed)


class CannotAnswer(ValueError):
    """An answer to a case was not possible."""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """The latest answer to a case that is still open."""

    id: int
    who: str
    option: str
    at: datetime


IS_ANSWERED_BY = and_(
    cases.c.order_id == answers.c.order_id,
    cases.c.reason == answers.c.reason,
    cases.c.subject == answers.c.subject,
)
"""Which answers are to which case, in whatever opening of it."""


def latest_answer(c: Connection, case_id: int) -> GivenAnswer | None:
    """What was answered last to this case since it opened, taken up or not."""
    return latest_answers(c, [case_id]).get(case_id)


def latest_answers(c: Connection, case_ids: Collection[int]) -> dict[int, GivenAnswer]:
    """Of each of these cases that was answered since it opened, the last answer, taken up or not."""
    rows = c.execute(
        select(cases.c.id.label("case_id"), answers.c.id, answers.c.who, answers.c.option, answers.c.at)
        .join(cases, IS_ANSWERED_BY)
        .where(cases.c.id.in_(case_ids), answers.c.at >= cases.c.opened_at)
        .ext(distinct_on(cases.c.id))
        .order_by(cases.c.id, answers.c.id.desc())
    )
    return {row.case_id: GivenAnswer(row.id, row.who, row.option, row.at) for row in rows}


NEEDS_A_PERSON = frozenset({Option.APPROVE_REFUND.value})
"""Answers of which it counts that two different people give them: whoever takes one from outside has to know the person by
more than a name that was typed."""


def answer(
    c: Connection,
    case_id: int,
    option: str,
    who: str,
    why: str,
    now: datetime,
    text_id: str = "",
    instead_of: int | None = None,
    besides: Sequence[str] = (),
) -> int:
    """Keep what a person answered and return the order's row id; the order has to be hinted by the caller. `text_id`
    names words the person wrote besides. Another person's answer is only overruled by naming its id in `instead_of`.
    `besides` are options that may be taken at the moment though the case itself does not offer them.

    Raises CannotAnswer, naming the reason, when the case is unknown, closed, already answered, belongs to no
    order, or does not offer the option.
    """
    row = c.execute(select(cases).where(cases.c.id == case_id).with_for_update()).one_or_none()
    if row is None:
        raise CannotAnswer(f"There is no case {case_id}. Nothing was changed.")
    if row.closed_at is not None:
        raise CannotAnswer(f"Case {case_id} is closed: {row.closed_because} Nothing was changed.")
    if row.order_id is None:
        raise CannotAnswer(f"Case {case_id} concerns a connection and closes by itself. Nothing was changed.")
    if option not in row.options and option not in besides:
        offered = ", ".join(row.options) or "none"
        raise CannotAnswer(
            f"Case {case_id} does not offer {option!r}; it offers: {offered}. Nothing was changed."
        )
    if not who.strip() or not why.strip():
        raise CannotAnswer("An answer needs the name of who gives it and a reason. Nothing was changed.")
    waiting = c.execute(
        select(answers.c.who).where(
            answers.c.order_id == row.order_id,
            answers.c.reason == row.reason,
            answers.c.subject == row.subject,
            answers.c.taken_at.is_(None),
        )
    ).first()
    if waiting is not None:
        raise CannotAnswer(f"{waiting.who} has just answered case {case_id}. Nothing was changed.")
    last = latest_answer(c, case_id)
    if last is not None and last.who != who.strip() and last.option != option and last.id != instead_of:
        raise CannotAnswer(
            f"{last.who} answered case {case_id} with {last.option!r} already (answer {last.id}). Nothing was changed. "
            "Speak to them, look at the case again, and say which answer yours replaces."
        )
    if option == Option.APPROVE_REFUND.value:
        _refuse_a_second_approval(c, row, who)
    c.execute(
        insert(answers).values(
            order_id=row.order_id,
            reason=row.reason,
            subject=row.subject,
            option=option,
            who=who.strip(),
            why=why.strip(),
            at=now,
            text_id=text_id,
        )
    )
    keep_event(c, case_id, now, who.strip(), "answered", option)
    return int(row.order_id)


def volunteer(
    c: Connection,
    order_id: int,
    reason: Reason,
    subject: str,
    option: Option,
    who: str,
    why: str,
    now: datetime,
) -> None:
    """Keep what a person decided without being asked; the next plan takes it like an answer to a case. The order has to
    be hinted by the caller."""
    c.execute(
        insert(answers).values(
            order_id=order_id,
            reason=reason.value,
            subject=subject,
            option=option.value,
            who=who,
            why=why,
            at=now,
            text_id="",
        )
    )


def _refuse_a_second_approval(c: Connection, row: Any, who: str) -> None:
    """Two approvals are two people's: the same one, however the name is written, has said enough."""
    given = c.execute(
        select(answers.c.who).where(
            answers.c.order_id == row.order_id,
            answers.c.reason == row.reason,
            answers.c.subject == row.subject,
            answers.c.option == Option.APPROVE_REFUND.value,
        )
    ).scalars()
    if any(same_person(who, other) for other in given):
        raise CannotAnswer(
            f"{who.strip()} has approved this refund already; a second, different person has to. Nothing was changed."
        )


def waiting_answers(c: Connection, order_id: int) -> list[tuple[int, Decision]]:
    """Answers no plan has taken yet, oldest first."""
    rows = c.execute(_WAITING_ANSWERS, {"of_order": order_id})
    return [
        (
            row.id,
            Decision(
                Reason(row.reason), row.subject, Option(row.option), row.who, row.why, row.at, row.text_id
            ),
        )
        for row in rows
    ]


def take_answers(c: Connection, ids: Sequence[int], now: datetime) -> None:
    """The plan that is being kept has taken these answers into its memory."""
    if ids:
        c.execute(update(answers).where(answers.c.id.in_(ids)).values(taken_at=now))
