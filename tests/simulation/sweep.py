"""Crashes the service at every boundary of every golden scenario and compares each end with the undisturbed one."""

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from interlock.rehearsal.history import on_virtual_time
from interlock.rehearsal.scenarios import SCENARIOS, SEED, Played, Scenario, play
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key
from tests.databases import ThrowawayServer, empty

ONCE = (
    "mirakl accepted",
    "mirakl shipped",
    "mirakl cancelation",
    "shopify order_created",
    "shopify marked_paid",
    "shopify cancelled",
    "shopify edited",
)
"""Effects that must happen exactly as often as without a crash, whatever is read back or sent again."""

Choose = Callable[[list[str]], Iterable[int]]


ChoosePairs = Callable[[int], Iterable[tuple[int, int]]]
"""Given how many boundaries there are undisturbed: the first crash, and how many boundaries later the second one is."""

SHORTEST = SCENARIOS[4]
MOST_LATER = 60
"""No process of the shortest scenario passes more boundaries after its first crash than this."""


def every_pair(boundaries: int) -> Iterable[tuple[int, int]]:
    """Every ordered pair."""
    return ((first, gap) for first in range(boundaries) for gap in range(1, boundaries + MOST_LATER))


def every(boundaries: list[str]) -> Iterable[int]:
    """All boundaries."""
    return range(len(boundaries))


def perform(scenario: Scenario, database: Database, keyring: Keyring, crash_at: Sequence[int] = ()) -> Played:
    """One performance on an empty database and a loop of its own."""
    empty(database)
    return on_virtual_time(SEED, lambda: play(scenario, database, keyring, crash_at))


def wrong_with(calm: Played, crashed: Played) -> list[str]:
    """What a crash changed for good; empty when nothing."""
    wrong = []
    for name in ("marketplace", "shopify", "drafts", "stock", "open_cases"):
        before, after = getattr(calm.end, name), getattr(crashed.end, name)
        if before != after:
            wrong.append(f"{name}: {after!r} instead of {before!r}")
    for effect in ONCE:
        if calm.effects[effect] != crashed.effects[effect]:
            wrong.append(f"{effect}: {crashed.effects[effect]} times instead of {calm.effects[effect]}")
    wrong += crashed.open_operations + crashed.troubles
    return wrong


def sweep(
    scenario: Scenario, database: Database, keyring: Keyring, choose: Choose = every
) -> Iterator[tuple[int, str, list[str]]]:
    """Crash at the chosen boundaries: number and name of each, and what was wrong afterwards.

    Raises AssertionError when the undisturbed performance itself leaves something open.
    """
    calm = perform(scenario, database, keyring)
    assert not calm.open_operations, calm.open_operations
    assert not calm.troubles, calm.troubles
    for number in choose(calm.boundaries):
        crashed = perform(scenario, database, keyring, (number,))
        assert crashed.crashed_at == (calm.boundaries[number],), (
            "the performance before the crash is not the same"
        )
        yield number, calm.boundaries[number], wrong_with(calm, crashed)


def sweep_pairs(
    scenario: Scenario, database: Database, keyring: Keyring, choose: ChoosePairs = every_pair
) -> Iterator[tuple[tuple[int, int], str, list[str]]]:
    """Crash twice: at a boundary, and at one that comes after the restart. Numbers and names of each pair, and what was
    wrong afterwards.

    The boundaries after a crash are those of the performance with that crash, so each first crash is performed alone
    before its pairs.
    """
    calm = perform(scenario, database, keyring)
    once: dict[int, list[str]] = {}
    for first, gap in choose(len(calm.boundaries)):
        if first not in once:
            once[first] = perform(scenario, database, keyring, (first,)).boundaries
        second = first + gap
        if second >= len(once[first]):
            continue
        crashed = perform(scenario, database, keyring, (first, second))
        assert crashed.crashed_at == (calm.boundaries[first], once[first][second]), (
            "the performance before the second crash is not the same"
        )
        names = f"{crashed.crashed_at[0]}, then {crashed.crashed_at[1]}"
        yield (first, second), names, wrong_with(calm, crashed)


def main() -> int:
    """Every boundary of every scenario, and with `--pairs` every ordered pair of the shortest one; prints the figures,
    and the reproduction of each failure."""
    failures = 0
    with ThrowawayServer() as server:
        database = Database(server.new_database(), pool_size=4, check_connections=False)
        keyring = Keyring([new_key()])
        for scenario in SCENARIOS:
            began = time.perf_counter()
            kinds: Counter[str] = Counter()
            failed = 0
            for number, name, wrong in sweep(scenario, database, keyring):
                kinds[name.partition(":")[0]] += 1
                if wrong:
                    failed += 1
                    print(f"  {scenario.name}, boundary {number} ({name}):")
                    for sentence in wrong:
                        print(f"    {sentence}")
            failures += failed
            places = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
            print(
                f"{scenario.name}: {kinds.total()} crashes ({places}), {failed} failed, "
                f"{time.perf_counter() - began:.0f} s",
                flush=True,
            )
        if "--pairs" in sys.argv[1:]:
            failures += pairs(database, keyring)
        database.dispose()
    return 1 if failures else 0


def pairs(database: Database, keyring: Keyring) -> int:
    """Every ordered pair of the shortest scenario; prints the figures and gives back how many failed."""
    began = time.perf_counter()
    crashed = failed = 0
    for numbers, names, wrong in sweep_pairs(SHORTEST, database, keyring):
        crashed += 1
        if wrong:
            failed += 1
            print(f"  {SHORTEST.name}, boundaries {numbers[0]} and {numbers[1]} ({names}):")
            for sentence in wrong:
                print(f"    {sentence}")
    print(
        f"{SHORTEST.name}: {crashed} ordered pairs of crashes, {failed} failed, {time.perf_counter() - began:.0f} s"
    )
    return failed


if __name__ == "__main__":
    sys.exit(main())
