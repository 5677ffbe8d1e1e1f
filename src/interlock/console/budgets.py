"""What was called of each platform account, beside the ceiling its calls have."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from interlock.console import wording
from interlock.console.part_words import account_in_words
from interlock.engine.budgets import MIRAKL_CEILINGS, Ceiling
from interlock.engine.store import all_connections, budget_calls, budget_waits
from interlock.mirakl.read import BY_ID

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class BudgetLine:
    """One operation of one account: how many calls within the window of its ceiling, or within a minute where it has
    none. `until` is when the pause ends that the platform asked for, and `place` whose account it is in words."""

    account: str
    operation: str
    calls: int
    ceiling: Ceiling | None
    until: datetime | None
    place: str

    @property
    def in_words(self) -> str:
        """The calls and the ceiling: `1 of 4 in 24 h`."""
        if self.ceiling is None:
            return f"{self.calls} in a minute, no ceiling"
        return f"{self.calls} of {self.ceiling.calls} in {wording.span(self.ceiling.window)}"

    @property
    def full(self) -> bool:
        """Whether the next call has to wait."""
        return self.until is not None or (self.ceiling is not None and self.calls >= self.ceiling.calls)


def budget_lines(c: Connection, now: datetime) -> tuple[BudgetLine, ...]:
    """Every operation of which a call counts, or that waits, by account."""
    rows = all_connections(c)
    walks = {row.mirakl_account: Ceiling(row.event_reads_per_minute, MINUTE) for row in rows}

    def ceiling_of(account: str, operation: str) -> Ceiling | None:
        return walks.get(account) if operation == BY_ID else MIRAKL_CEILINGS.get(operation)

    paused = {(row.account, row.operation): row.until for row in c.execute(_WAITS.where(now < _UNTIL))}
    calls: dict[tuple[str, str], int] = {}
    for window in sorted({MINUTE, *(one.window for one in MIRAKL_CEILINGS.values())}):
        for account, operation, number in c.execute(_CALLS.where(budget_calls.c.at > now - window)):
            ceiling = ceiling_of(account, operation)
            if window == (MINUTE if ceiling is None else ceiling.window):
                calls[account, operation] = int(number)
    return tuple(
        BudgetLine(
            account,
            operation,
            calls.get((account, operation), 0),
            ceiling_of(account, operation),
            paused.get((account, operation)),
            account_in_words(account, rows),
        )
        for account, operation in sorted({*calls, *paused})
    )


_UNTIL = budget_waits.c.until
_WAITS = select(budget_waits.c.account, budget_waits.c.operation, budget_waits.c.until)
_CALLS = select(budget_calls.c.account, budget_calls.c.operation, func.count()).group_by(
    budget_calls.c.account, budget_calls.c.operation
)
