"""How log lines look in tests: with a plain traceback. The library's own default draws one with every local variable, which
takes seconds on a busy machine, and takes them from the event loop that is being tested."""

import structlog


def plain() -> None:
    """Have lines printed where they were printed before, each with its traceback as Python writes it."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ]
    )
