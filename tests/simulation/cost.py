"""What a simulated history may cost: calls and transactions are exact for a seed, whatever else the machine does, so they
are the limits; seconds are shown. Decision 0011 says where the figures come from."""

import statistics
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, event

from interlock.storage.database import Database

MEDIAN_CALLS = 330
MOST_CALLS = 5000
MEDIAN_TRANSACTIONS = 1500
MOST_TRANSACTIONS = 16000
"""Of a history of up to four hours in which a platform is away, or stock is published on three marketplaces."""
CALLS_AN_HOUR = 1200
TRANSACTIONS_AN_HOUR = 4500
"""What a longer history may cost for each hour it lasts: who asks a platform that is away goes on asking."""
ENOUGH = 20
"""The median of fewer histories is not held to anything."""


@dataclass
class Cost:
    """What one history cost until it was judged. `cpu_seconds` are this process's own, without the database's; `hours`
    are those of the history's own clock."""

    calls: int = 0
    transactions: int = 0
    hours: float = 0.0
    cpu_seconds: float = 0.0


@contextmanager
def counted(database: Database) -> Iterator[Cost]:
    """Counts the transactions that end while the block runs."""
    cost = Cost()

    def ended(_: Connection) -> None:
        cost.transactions += 1

    for name in ("commit", "rollback"):
        event.listen(database.engine, name, ended)
    try:
        yield cost
    finally:
        for name in ("commit", "rollback"):
            event.remove(database.engine, name, ended)


def too_dear(costs: Sequence[tuple[int, Cost]]) -> list[str]:
    """What exceeds a limit, in words; `costs` are seeds with what their histories cost."""
    found = [
        f"seed {seed} cost {number} {what}, and {most} are the most"
        for seed, cost in costs
        for what, number, most in (
            ("calls", cost.calls, max(MOST_CALLS, round(CALLS_AN_HOUR * cost.hours))),
            (
                "transactions",
                cost.transactions,
                max(MOST_TRANSACTIONS, round(TRANSACTIONS_AN_HOUR * cost.hours)),
            ),
        )
        if number > most
    ]
    if len(costs) >= ENOUGH:
        for what, numbers, most in (
            ("calls", [cost.calls for _, cost in costs], MEDIAN_CALLS),
            ("transactions", [cost.transactions for _, cost in costs], MEDIAN_TRANSACTIONS),
        ):
            median = statistics.median(numbers)
            if median > most:
                found.append(
                    f"half of the histories cost {median:.0f} {what} or more, and {most} are the most"
                )
    return found


def in_words(costs: Sequence[Cost]) -> str:
    """The median and the worst of each figure, on one line."""
    if not costs:
        return "no history was lived to its end"
    shown = []
    for what, numbers in (
        ("calls", [float(cost.calls) for cost in costs]),
        ("transactions", [float(cost.transactions) for cost in costs]),
        ("s of CPU without the database's", [cost.cpu_seconds for cost in costs]),
    ):
        digits = 0 if what != "s of CPU without the database's" else 2
        shown.append(f"{statistics.median(numbers):.{digits}f} (most {max(numbers):.{digits}f}) {what}")
    return "a history: " + ", ".join(shown)
