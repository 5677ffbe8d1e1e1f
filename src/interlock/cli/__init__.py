"""The command line of Interlock. Every command takes `--json`; the exit codes are in `interlock.cli.telling`."""

from interlock.cli.program import app, main

__all__ = ["app", "main"]
