"""The command `python -m tests.simulation`; the work is in `runner`, where child processes can find it."""

import sys

from tests.simulation.runner import main

if __name__ == "__main__":
    sys.exit(main())
