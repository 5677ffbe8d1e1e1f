"""The ladders: which rung of a deadline tells whom, and how loudly. Pure: moments in, rungs out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Severity = Literal["page", "message", "ticket"]
"""How loudly: a page wakes somebody and knows no quiet hours, a message waits for them, a ticket is work for the day."""
LOUDEST: tuple[Severity, ...] = ("page", "message", "ticket")

Team = Literal["CX", "operations", "finance", "engineer"]
TEAMS: tuple[Team, ...] = ("CX", "operations", "finance", "engineer")


@dataclass(frozen=True, slots=True)
class Rung:
    """At `percent` of the time gone, `teams` are told with `severity`. `what` says it for the manual."""

    percent: int
    severity: Severity
    teams: tuple[Team, ...]
    what: str


@dataclass(frozen=True, slots=True)
class Ladder:
    """One kind of deadline and its rungs, lowest first. The study's two ladders are section 5.2's table."""

    name: Literal["acceptance", "shipping", "carrier"]
    title: str
    rungs: tuple[Rung, ...]

    @property
    def first_page(self) -> int:
        return next(rung.percent for rung in self.rungs if rung.severity == "page")


ACCEPTANCE = Ladder(
    "acceptance",
    "the time to accept an order",
    (
        Rung(25, "message", ("operations",), "Message to marketplace operations."),
        Rung(40, "page", ("operations",), "Page to operations on call."),
        Rung(60, "page", ("operations", "engineer"), "Page to the operations lead and the engineer on call."),
        Rung(75, "page", ("operations", "engineer"), "Page to both again; telephone."),
        Rung(80, "page", ("operations", "engineer"), "Page that offers to accept without a Shopify order."),
        Rung(100, "page", ("operations", "engineer"), "The time is over: an incident, the merchant is told."),
    ),
)
SHIPPING = Ladder(
    "shipping",
    "the time to ship an order",
    (
        Rung(60, "message", ("operations",), "Message to marketplace operations."),
        Rung(75, "page", ("operations",), "Page to operations on call."),
        Rung(80, "page", ("operations", "engineer"), "Page to the operations lead and the engineer on call."),
        Rung(100, "page", ("operations", "engineer"), "The deadline is over: an incident."),
    ),
)
CARRIER = Ladder(
    "carrier",
    "the time to ship an order that an unknown carrier stops",
    (
        Rung(
            50,
            "page",
            ("operations",),
            "Page to operations on call: one answer frees every order of this carrier.",
        ),
        Rung(75, "page", ("operations",), "Page to operations on call again."),
        *SHIPPING.rungs[2:],
    ),
)
LADDERS: tuple[Ladder, ...] = (ACCEPTANCE, SHIPPING, CARRIER)

PAGE_LEAVES_AT_LEAST = timedelta(minutes=30)
SHORT_WINDOW = timedelta(hours=2)
SHORT_FIRST_PAGE = 25


@dataclass(frozen=True, slots=True)
class Deadline:
    """A stretch of time that ends at `due_at`."""

    starts_at: datetime
    due_at: datetime

    @property
    def length(self) -> timedelta:
        return max(self.due_at - self.starts_at, timedelta(seconds=1))

    def gone(self, now: datetime) -> float:
        """The fraction that is over, never below 0; above 1 once it has ended."""
        return max(0.0, (now - self.starts_at) / self.length)

    def at(self, ladder: Ladder, percent: int) -> datetime:
        """When this rung is reached.

        The first page never comes later than 30 minutes before the end, and at 25 % of an acceptance window under two
        hours; no rung before the first page comes after it, and none lies before the start.
        """
        moment = self.starts_at + self.length * percent / 100
        if percent <= ladder.first_page:
            moment = min(moment, self._first_page(ladder))
        return max(moment, self.starts_at)

    def _first_page(self, ladder: Ladder) -> datetime:
        short = ladder.name == "acceptance" and self.length < SHORT_WINDOW
        percent = SHORT_FIRST_PAGE if short else ladder.first_page
        return min(self.starts_at + self.length * percent / 100, self.due_at - PAGE_LEAVES_AT_LEAST)


def rungs_reached(ladder: Ladder, deadline: Deadline, now: datetime) -> tuple[Rung, ...]:
    """The rungs of this ladder that are reached at `now`, lowest first."""
    return tuple(rung for rung in ladder.rungs if deadline.at(ladder, rung.percent) <= now)


def next_rung_at(ladder: Ladder, deadline: Deadline, now: datetime) -> datetime | None:
    """When the next rung is reached; None after the last."""
    coming = (deadline.at(ladder, rung.percent) for rung in ladder.rungs)
    return min((moment for moment in coming if moment > now), default=None)


def louder(one: Severity, other: Severity) -> Severity:
    """The louder of two."""
    return min(one, other, key=LOUDEST.index)
