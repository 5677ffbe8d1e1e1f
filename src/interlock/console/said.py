"""Answers that a platform has to show before they settle anything: who said what, and what is waited for now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from interlock.cases.store import latest_answer
from interlock.console import wording
from interlock.console.case_list import CaseRow
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
    """Of these open cases of one order, the answers that wait to be shown."""
    found = []
    for case in cases:
        last = None if case.answered_by else latest_answer(c, case.id)
        if last is not None and last.option in SHOWN_LATER and last.option in case.options:
            found.append(Said(case.id, last.who, last.option, last.at))
    return tuple(found)
