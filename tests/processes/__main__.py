"""Kills real processes and stops a real database while orders flow, then has everything judged."""

import argparse
import asyncio
import sys

from tests.processes.run import Dose, Result, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.processes", description=__doc__)
    parser.add_argument("--kills", type=int, default=8, help="SIGKILL, SIGSTOP, SIGTERM")
    parser.add_argument("--stops", type=int, default=2, help="immediate stops of PostgreSQL")
    parser.add_argument("--orders", type=int, default=0, help="default: two for each kill")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--freeze", type=float, default=3.0, help="longest freeze in seconds")
    parser.add_argument("--patient", action="store_true", help="wait for real instead of moving stored times")
    given = parser.parse_args()
    dose = Dose(
        kills=given.kills,
        stops=given.stops,
        orders=given.orders or 2 * given.kills,
        freeze=given.freeze,
        seed=given.seed,
        hurry=not given.patient,
        rest=400.0 if given.patient else 300.0,
    )
    return show(asyncio.run(run(dose)))


def show(result: Result) -> int:
    """Print the figures; 0 when nothing was wrong."""
    for title, numbers in (("did", result.did), ("end states", result.states), ("counted", result.counts)):
        print(f"{title}: " + ", ".join(f"{name} {number}" for name, number in sorted(numbers.items())))
    print("judged: " + ", ".join(f"{name} {number}" for name, number in sorted(result.checked.items())))
    print(
        f"{result.calls} calls, {result.seconds:.0f} s, of which {result.rest_seconds:.0f} s to come to rest"
    )
    for line in result.stories:
        print(line)
    for bounded in result.bounded:
        print(f"BOUNDED {bounded}")
    for wrong in result.wrong:
        print(f"WRONG {wrong}")
    print(f"{len(result.wrong)} wrong, {len(result.bounded)} bounded")
    return 1 if result.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
