"""What cases the stories really opened and how each closed, and whether that proves the catalogue of reasons.

Every story that is told leaves what it saw here. A run of all the stories is judged at its end, over all worker
processes together (`tests/conftest.py`); a run of some of them proves nothing and is not judged.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select

from interlock.cases.store import answers, case_events, cases
from interlock.orders.reasons import CATALOGUE, Reason, ReasonPage, manual_page
from interlock.storage.database import Database

ROOT = Path(__file__).resolve().parents[1]
WITNESSES = ("tests/stories", "tests/monitoring", "tests/engine")
"""Folders of tests in which people and platforms act and the running service opens and closes the cases itself."""

Closing = Literal["not yet", "by itself", "answered", "by a person with a reason", "by hand"]


@dataclass(frozen=True, slots=True)
class Opening:
    """One time that a case was open. `story` is the test that saw it; `answer` the option a person chose meanwhile.
    `by hand` means that the row was written past the service, which proves nothing."""

    story: str
    reason: str
    closed: Closing
    answer: str = ""


BY_PERSON: Closing = "by a person with a reason"

SEEN: list[Opening] = []
"""What the tests of this process saw."""


def witness(database: Database) -> None:
    """Keep what is in the case queue at the end of the test that runs now."""
    story = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" (")[0]
    SEEN.extend(openings(database, story))


def openings(database: Database, story: str) -> list[Opening]:
    """Every time a case was open, as its history tells it."""
    with database.begin() as c:
        rows = c.execute(select(cases).order_by(cases.c.id)).all()
        happened = c.execute(select(case_events).order_by(case_events.c.id)).all()
        given = c.execute(select(answers).order_by(answers.c.id)).all()
    found = []
    for row in rows:
        begun: Any = None
        for event in (event for event in happened if event.case_id == row.id):
            if event.what in ("opened", "reopened"):
                begun = event
            if event.what == "closed" and begun is not None:
                said = [
                    answer
                    for answer in given
                    if (answer.order_id, answer.reason, answer.subject)
                    == (row.order_id, row.reason, row.subject)
                    and begun.at <= answer.at <= event.at
                ]
                found.append(_closed(story, row, said))
                begun = None
        if begun is not None:
            found.append(Opening(story, row.reason, "not yet" if row.closed_at is None else "by hand"))
    return found


def _closed(story: str, row: Any, said: Sequence[Any]) -> Opening:
    if not said:
        return Opening(story, row.reason, "by itself")
    last = said[-1]
    with_reason = bool(last.who.strip() and last.why.strip())
    return Opening(story, row.reason, "by a person with a reason" if with_reason else "answered", last.option)


def told(seen: Iterable[Opening]) -> list[dict[str, str]]:
    """The openings as plain values that one process can send another."""
    return [asdict(one) for one in seen]


def heard(sent: Iterable[dict[str, Any]]) -> list[Opening]:
    """The openings another process sent."""
    return [Opening(**one) for one in sent]


def unproven(seen: Iterable[Opening], reasons: Iterable[Reason] = tuple(Reason)) -> list[str]:
    """What the openings leave unproven of what the catalogue says, in sentences; nothing when every reason was reached,
    has its manual page, and was seen to close as its kind says and in no other way."""
    by_reason: dict[str, list[Opening]] = {}
    for one in seen:
        by_reason.setdefault(one.reason, []).append(one)
    found: list[str] = []
    for reason in reasons:
        if not (ROOT / manual_page(reason)).is_file():
            found.append(f"{reason.value}: {manual_page(reason)} is missing")
        found.extend(
            f"{reason.value}: {trouble}"
            for trouble in _troubles(CATALOGUE[reason], by_reason.get(reason.value, []))
        )
    return found


def _troubles(page: ReasonPage, seen: Sequence[Opening]) -> list[str]:
    real = [one for one in seen if one.closed != "by hand"]
    if not real:
        return ["no story opens it"]
    ways = {one.closed for one in real}
    troubles = [
        f"an answer without a name or a reason closes it in {one.story}"
        for one in real
        if one.closed == "answered"
    ]
    match page.kind:
        case "condition" if "by itself" not in ways and not (says_answer(page) and BY_PERSON in ways):
            troubles.append("a condition, and in no story the facts close it")
        case "incident":
            if BY_PERSON not in ways:
                troubles.append("an incident, and in no story a person closes it with a reason")
            if not says_evidence(page):
                troubles.extend(
                    f"only a person may close it, and it closes by itself in {one.story}"
                    for one in real
                    if one.closed == "by itself"
                )
        case "task" if not ways & {"by itself", BY_PERSON}:
            troubles.append("a task, and in no story it is done or dismissed")
        case _:
            pass
    return troubles


def says_evidence(page: ReasonPage) -> bool:
    """Whether the catalogue lets facts alone close it."""
    return "itself" in page.closes_when or "when" in page.closes_when.casefold()


def says_answer(page: ReasonPage) -> bool:
    """Whether the catalogue says that an answer alone closes it."""
    return "answer" in page.closes_when or "by the word" in page.closes_when
