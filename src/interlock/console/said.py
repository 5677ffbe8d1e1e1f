"""Answers that a platform has to show before they settle anything: who said what, and what is waited for now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from interlock.cases.store import latest_answers
from interlock.console import wording
from interlock.console.case_list import CaseRow
from interlock.console.stages import Need
from interlock.orders.reasons import Option

SHOWN_LATER: dict[str, tuple[str, str, str]] = {
    Option.DONE_IN_PORTAL.value: (
        "that it is done in the marketplace portal",
        "the marketplace shows it",
        "the marketplace to show what was done in its portal",
    ),
    Option.UNDO_IN_SHOPIFY.value: (
        "that they undo the edit in Shopify",
        "both sides show the same",
        "Shopify to show the edit undone",
    ),
}
"""What each of these answers says, until when it leaves things as they are, and what is waited for meanwhile."""


@dataclass(frozen=True, slots=True)
class Said:
    """The answer somebody gave to an open case, taken up by a look, whose effect no platform shows yet."""

    case_id: int
    who: str
    option: str
    at: datetime

    @property
    def waits_for(self) -> str:
        """What is waited for now."""
        return SHOWN_LATER[self.option][2]

    def sentence(self, held: bool, now: datetime) -> str:
        """Who said what and when, and what that leaves as it is; `held` says whether the parcel is held over it."""
        what, until, _ = SHOWN_LATER[self.option]
        meanwhile = "the parcel is held until" if held else "the case stays open until"
        return f"{self.who} said at {wording.clock(self.at, now)} UTC {what}; {meanwhile} {until}."


def said_to(c: Connection, cases: Sequence[CaseRow]) -> tuple[Said, ...]:
    """Of these open cases, the answers that wait to be shown."""
    asked = [case for case in cases if not case.answered_by]
    found = []
    last_of = latest_answers(c, [case.id for case in asked]) if asked else {}
    for case in asked:
        last = last_of.get(case.id)
        if last is not None and last.option in SHOWN_LATER and last.option in case.options:
            found.append(Said(case.id, last.who, last.option, last.at))
    return tuple(found)


def asks_a_person(case: CaseRow, said: Sequence[Said]) -> bool:
    """Whether this open case waits for a person: it is more than a note, and nobody has answered it."""
    return case.severity != "note" and not case.answered_by and all(one.case_id != case.id for one in said)


def need_of(cases: Sequence[CaseRow], said: Sequence[Said]) -> Need:
    """What the open cases of one order need now; `said` are answers that wait to be shown, to these cases or to others."""
    person = any(asks_a_person(case, said) for case in cases)
    if any(case.answered_by for case in cases):
        return Need(person, "the next look to take up an answer")
    numbers = {case.id for case in cases}
    return Need(person, next((one.waits_for for one in said if one.case_id in numbers), ""))
