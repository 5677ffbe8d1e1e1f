"""The acceptance window: when it ends, how much of it is gone, and the rungs at which people are told."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory

RUNGS = (10, 25, 40, 60, 75, 80, 100)
FIRST_PAGE = 40
PAGE_LEAVES_AT_LEAST = timedelta(minutes=30)
SHORT_WINDOW = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Window:
    """The time the marketplace gives to accept. No field of the API shows it: `length` is a setting."""

    due_at: datetime
    length: timedelta

    @property
    def starts_at(self) -> datetime:
        return self.due_at - self.length

    def gone(self, now: datetime) -> float:
        """The fraction of the window that is over, never below 0; above 1 once it has ended."""
        return max(0.0, (now - self.starts_at) / self.length)

    def at(self, percent: int) -> datetime:
        """When a rung is reached.

        The first page goes out at 40 %, in windows under two hours at 25 %, and never later than 30 minutes
        before the end; the rungs before it never come after it. No rung lies before the window's start.
        """
        moment = self.starts_at + self.length * percent / 100
        if percent <= FIRST_PAGE:
            page = 25 if self.length < SHORT_WINDOW else FIRST_PAGE
            moment = min(
                moment, self.starts_at + self.length * page / 100, self.due_at - PAGE_LEAVES_AT_LEAST
            )
        return max(moment, self.starts_at)

    def reached(self, now: datetime) -> tuple[int, ...]:
        """The rungs reached at `now`, lowest first."""
        return tuple(percent for percent in RUNGS if self.at(percent) <= now)

    def next_rung(self, now: datetime) -> datetime | None:
        """When the next rung is reached, None after the last."""
        return next((self.at(percent) for percent in RUNGS if self.at(percent) > now), None)


def window_of(rules: ConnectionRules, memory: Memory) -> Window | None:
    """The window of this order, None while it has no due time or the connection no window."""
    if memory.acceptance_due_at is None or not rules.acceptance_window:
        return None
    return Window(memory.acceptance_due_at, rules.acceptance_window)


def starts_at(created_at: datetime, seen_waiting_at: datetime, seen_before: bool) -> datetime:
    """From when the marketplace counts the time to accept: the order's creation, the earliest moment it may count from; the
    first sight in WAITING_ACCEPTANCE where we saw the order wait in STAGING before, because that time does not count
    against the seller."""
    return seen_waiting_at if seen_before else min(created_at, seen_waiting_at)


def due_at(rules: ConnectionRules, started_at: datetime) -> datetime | None:
    """When the marketplace will decide by itself, as the window is set now; None where none is set."""
    return started_at + rules.acceptance_window if rules.acceptance_window else None
