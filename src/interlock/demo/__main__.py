"""Starts the demo without the command line's other verbs."""

import argparse
import sys
from pathlib import Path

from interlock.demo.command import DEFAULT_PORT, DEFAULT_SPEED, SEEDS_A_RUN, main, seeds_of

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m interlock.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="headless, on virtual time")
    parser.add_argument("--json", type=Path, default=None, help="with --once: write the verdict to this file")
    parser.add_argument(
        "--seeds", type=seeds_of, default=SEEDS_A_RUN, help="with --once: A:B, B not included"
    )
    parser.add_argument("--speed", type=float, default=DEFAULT_SPEED, help="seconds of the day in a second")
    parser.add_argument("--folder", type=Path, default=None, help="keep the database here")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="where the console listens")
    given = parser.parse_args()
    sys.exit(
        main(
            once=given.once,
            json_file=given.json,
            seeds=given.seeds,
            speed=given.speed,
            folder=given.folder,
            port=given.port,
        )
    )
