"""Cases as work: who has one, when it may rest, what people write to it, and what has happened to it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, func, select, update

from interlock.cases.store import IS_ANSWERED_BY, answers, case_events, cases, keep_event

Status = Literal["open", "in progress", "snoozed", "closed"]

LONGEST_SNOOZE = timedelta(days=7)
LONGEST_WORDS = 2000
LONGEST_NAME = 200


class NotDone(ValueError):
    """Something that was asked of a case cannot be done; the sentence says why. Nothing was changed."""


class NoSuchCase(NotDone):
    """There is no case with that number."""

    def __init__(self, case_id: int) -> None:
        super().__init__(f"There is no case {case_id}. Nothing was changed.")


@dataclass(frozen=True, slots=True)
class Event:
    """One entry in the history of a case. `words` is what a person wrote, still encrypted; None where nothing was
    written or it was erased. `why` is the reason of an answer, None once it was erased."""

    at: datetime
    who: str
    what: str
    detail: str
    words: bytes | None
    why: str | None = ""


def status_of(
    closed_at: datetime | None, snoozed_until: datetime | None, begun_at: datetime | None, now: datetime
) -> Status:
    """What a case is at the moment. A snooze ends by itself."""
    if closed_at is not None:
        return "closed"
    if snoozed_until is not None and snoozed_until > now:
        return "snoozed"
    return "open" if begun_at is None else "in progress"


def assign(c: Connection, case_id: int, to: str, who: str, now: datetime) -> None:
    """Give the case to a person, or to nobody with an empty `to`. Raises NotDone."""
    row = _open_case(c, case_id)
    to, who = _name(to, "The name", needed=False), _name(who, "Your name")
    if row.assignee == to:
        return
    since = now if to else None
    c.execute(
        update(cases).where(cases.c.id == case_id).values(assignee=to, assigned_at=since, begun_at=None)
    )
    keep_event(c, case_id, now, who, "assigned", to or "nobody")


def begin(c: Connection, case_id: int, who: str, now: datetime) -> None:
    """Take the case and work on it: it is yours and in progress, and it does not rest any more. Raises NotDone, also
    when another person is working on it."""
    row = _open_case(c, case_id)
    who = _name(who, "Your name")
    if row.begun_at is not None and row.assignee != who:
        raise NotDone(
            f"{row.assignee} is working on case {case_id} since {row.begun_at:%Y-%m-%d %H:%M} UTC. Nothing was changed. "
            "Speak to them, or assign the case to yourself first."
        )
    if row.begun_at is None:
        c.execute(
            update(cases)
            .where(cases.c.id == case_id)
            .values(assignee=who, assigned_at=now, begun_at=now, snoozed_until=None)
        )
        keep_event(c, case_id, now, who, "begun")


def put_back(c: Connection, case_id: int, who: str, now: datetime) -> None:
    """Give the case back to the team: it is nobody's and open. Raises NotDone."""
    row = _open_case(c, case_id)
    who = _name(who, "Your name")
    if row.assignee or row.begun_at is not None:
        c.execute(
            update(cases).where(cases.c.id == case_id).values(assignee="", assigned_at=None, begun_at=None)
        )
        keep_event(c, case_id, now, who, "put back")


def snooze(c: Connection, case_id: int, until: datetime, who: str, why: bytes, now: datetime) -> None:
    """Let the case rest until then. `why` is the reason as the person wrote it, encrypted.

    A case rests at most a week, and never beyond the moment at which it begins to do damage: what does damage already
    does not rest. A case that becomes more urgent, or whose damage comes nearer than its end, wakes by itself. Raises
    NotDone.
    """
    row = _open_case(c, case_id)
    who = _name(who, "Your name")
    if until <= now:
        raise NotDone(f"Case {case_id} cannot rest until a moment that has passed. Nothing was changed.")
    if until - now > LONGEST_SNOOZE:
        raise NotDone(f"Case {case_id} may rest for at most {LONGEST_SNOOZE.days} days. Nothing was changed.")
    if row.damage_at is not None and until > row.damage_at:
        when = (
            "does damage already, so it does not rest"
            if row.damage_at <= now
            else f"does damage from {row.damage_at:%Y-%m-%d %H:%M} UTC on; it may rest until then and no longer"
        )
        raise NotDone(f"Case {case_id} {when}. Nothing was changed.")
    c.execute(update(cases).where(cases.c.id == case_id).values(snoozed_until=until, begun_at=None))
    keep_event(c, case_id, now, who, "snoozed", f"until {until:%Y-%m-%d %H:%M} UTC", why)


def wake(c: Connection, case_id: int, who: str, now: datetime) -> None:
    """End the rest of a case. Raises NotDone."""
    row = _open_case(c, case_id)
    who = _name(who, "Your name")
    if row.snoozed_until is not None:
        c.execute(update(cases).where(cases.c.id == case_id).values(snoozed_until=None))
        keep_event(c, case_id, now, who, "woken")


def comment(c: Connection, case_id: int, who: str, words: bytes, now: datetime) -> None:
    """Add what a person wrote, encrypted, to a case, open or closed. Raises NotDone."""
    if c.execute(select(cases.c.id).where(cases.c.id == case_id)).one_or_none() is None:
        raise NoSuchCase(case_id)
    keep_event(c, case_id, now, _name(who, "Your name"), "commented", words=words)


def checked_words(words: str, what: str) -> str:
    """A text of a person as it may be kept. Raises NotDone when it is empty or too long."""
    words = words.strip()
    if not words:
        raise NotDone(f"{what} is empty. Nothing was changed.")
    if len(words) > LONGEST_WORDS:
        raise NotDone(f"{what} is longer than {LONGEST_WORDS} characters. Nothing was changed.")
    return words


def history(c: Connection, case_id: int) -> list[Event]:
    """What has happened to the case, the first first."""
    # An answer and its entry here are written by one transaction, with one moment.
    reason_given = (
        select(func.max(answers.c.why))
        .join(cases, IS_ANSWERED_BY)
        .where(
            cases.c.id == case_events.c.case_id,
            case_events.c.what == "answered",
            answers.c.at == case_events.c.at,
            answers.c.who == case_events.c.who,
            answers.c.option == case_events.c.detail,
        )
        .scalar_subquery()
    )
    rows = c.execute(
        select(case_events, reason_given.label("why"))
        .where(case_events.c.case_id == case_id)
        .order_by(case_events.c.id)
    )
    return [
        Event(row.at, row.who, row.what, row.detail, row.words, "" if row.why is None else row.why or None)
        for row in rows
    ]


def _open_case(c: Connection, case_id: int) -> Any:
    row = c.execute(select(cases).where(cases.c.id == case_id).with_for_update()).one_or_none()
    if row is None:
        raise NoSuchCase(case_id)
    if row.closed_at is not None:
        raise NotDone(f"Case {case_id} is closed: {row.closed_because} Nothing was changed.")
    return row


def _name(name: str, what: str, needed: bool = True) -> str:
    name = name.strip()
    if needed and not name:
        raise NotDone(f"{what} is needed. Nothing was changed.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise NotDone(
            f"{what} is longer than {LONGEST_NAME} characters or holds characters that cannot be shown. "
            "Nothing was changed."
        )
    return name
