"""Tables of the cases and of the answers people gave to them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Identity,
    Index,
    Table,
    Text,
    and_,
    bindparam,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from interlock.orders.codec import encode
from interlock.orders.memory import Decision, same_person
from interlock.orders.plan import Case
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

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
    Column("opened_at", UtcDateTime, nullable=False),
    Column("closed_at", UtcDateTime),
    Column("closed_because", Text),
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
)

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
    Index("ix_answers_waiting", "order_id", postgresql_where=text("taken_at IS NULL")),
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
)
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


def sync_cases(
    c: Connection, order_id: int, connection_id: int, wanted: Sequence[Case], now: datetime, may_close: bool
) -> Change:
    """Make the order's open cases equal to `wanted`. `may_close` is false when a platform could not be read: what
    is missing then closes nothing."""
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
        content = _content(case)
        row = there.get(key)
        if row is None:
            page = CATALOGUE[case.reason]
            c.execute(
                insert(cases).values(
                    order_id=order_id,
                    connection_id=connection_id,
                    kind=page.kind,
                    reason=case.reason.value,
                    subject=case.subject,
                    owner=page.owner,
                    opened_at=now,
                    **content,
                )
            )
            opened.append(case.sentence)
            alarming.append(case)
        elif any(getattr(row, name) != value for name, value in content.items()):
            c.execute(update(cases).where(cases.c.id == row.id).values(**content))
            if row.severity != content["severity"] or row.facts != content["facts"]:
                alarming.append(case)
    for key, row in there.items():
        if key not in keys and may_close:
            c.execute(
                update(cases)
                .where(cases.c.id == row.id)
                .values(closed_at=now, closed_because="The reason for it is gone.")
            )
            closed.append(f"Settled: {CATALOGUE[Reason(row.reason)].title}.")
    urgent = tuple(case for case in alarming if case.how_severe == "urgent")
    return Change(tuple(opened), tuple(closed), urgent)


def _content(case: Case) -> dict[str, Any]:
    return {
        "severity": case.how_severe,
        "sentence": case.sentence,
        "options": [option.value for option in case.options],
        "facts": encode(case.facts),
        "due_at": case.due_at,
    }


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
    page = CATALOGUE[reason]
    c.execute(
        insert(cases).values(
            order_id=None,
            connection_id=connection_id,
            kind=page.kind,
            reason=reason.value,
            subject=subject,
            owner=page.owner,
            severity=page.severity,
            sentence=sentence,
            options=[],
            facts=[],
            opened_at=now,
        )
    )
    return True


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
    )
    return int(done.rowcount)


class CannotAnswer(ValueError):
    """An answer to a case was not possible."""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """The latest answer to a case that is still open."""

    id: int
    who: str
    option: str
    at: datetime


def latest_answer(c: Connection, case_id: int) -> GivenAnswer | None:
    """What was answered last to this case since it opened, taken up or not."""
    row = c.execute(
        select(answers.c.id, answers.c.who, answers.c.option, answers.c.at)
        .join(
            cases,
            and_(
                cases.c.order_id == answers.c.order_id,
                cases.c.reason == answers.c.reason,
                cases.c.subject == answers.c.subject,
            ),
        )
        .where(cases.c.id == case_id, answers.c.at >= cases.c.opened_at)
        .order_by(answers.c.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else GivenAnswer(row.id, row.who, row.option, row.at)


def answer(
    c: Connection,
    case_id: int,
    option: str,
    who: str,
    why: str,
    now: datetime,
    text_id: str = "",
    instead_of: int | None = None,
) -> int:
    """Keep what a person answered and return the order's row id; the order has to be hinted by the caller. `text_id`
    names words the person wrote besides. Another person's answer is only overruled by naming its id in `instead_of`.

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
    if option not in row.options:
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
