"""What `interlock demo` does with its options."""

import sys
from pathlib import Path

from rich.console import Console

from interlock.demo import live as spectacle
from interlock.demo import once as headless
from interlock.storage.embedded import EmbeddedServerRefused

DEFAULT_SPEED = 60.0
DEFAULT_PORT = 8080
SEEDS_A_RUN = range(1, 2)
FASTEST = 600.0


class SeedsUnreadable(ValueError):
    """The seeds were not given as two numbers."""

    def __init__(self, given: str) -> None:
        super().__init__(
            f"{given!r} names no seeds. Give the first seed and the one after the last, for example 1:3."
        )


def seeds_of(given: str) -> range:
    """Read `A:B`, B not included. Raises SeedsUnreadable."""
    first, _, last = given.partition(":")
    if not first.isdecimal() or not last.isdecimal() or int(first) >= int(last):
        raise SeedsUnreadable(given)
    return range(int(first), int(last))


def main(
    *,
    once: bool = False,
    json_file: Path | None = None,
    seeds: range = SEEDS_A_RUN,
    speed: float = DEFAULT_SPEED,
    folder: Path | None = None,
    port: int = DEFAULT_PORT,
) -> int:
    """Run the demo and return its exit code.

    `once`: headless on virtual time, a day for each of `seeds`, verdict to `json_file`; 0 only if nothing broke.
    Otherwise live: `speed` seconds of the day in a second of ours, database in `folder` (temporary when None), console
    on `port` of 127.0.0.1, or on a free one when that is taken; ends after the day or on Ctrl-C; 2 for bad options.
    """
    console = Console()
    try:
        if once:
            return headless.run(seeds, json_file, console)
        if json_file is not None:
            print("A verdict is written for whole days only: use --json with --once.", file=sys.stderr)
            return 2
        if not 0 < speed <= FASTEST:
            print(
                f"A day cannot pass at speed {speed:g}; give a number above 0 and up to {FASTEST:g}.",
                file=sys.stderr,
            )
            return 2
        return spectacle.run(seeds[0], speed, folder, port, console)
    except EmbeddedServerRefused as refused:
        print(str(refused), file=sys.stderr)
        return 2
