"""Structured logs that can only say what is on a list, so that no personal data slips in by accident."""

import logging
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType, TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

FIELDS = frozenset(
    {
        "action",
        "address",
        "at",
        "attempt",
        "call",
        "case",
        "connection",
        "count",
        "cursor",
        "delivery",
        "due_at",
        "duration_ms",
        "epoch",
        "error",
        "event",
        "field",
        "folder",
        "frames",
        "hint",
        "lane",
        "level",
        "library",
        "mirakl_order",
        "operation",
        "order",
        "outcome",
        "port",
        "reason",
        "retry_after_s",
        "revision",
        "seconds",
        "seed",
        "shop",
        "shopify_order",
        "signal",
        "since",
        "status",
        "switch",
        "task",
        "timestamp",
        "topic",
        "version",
        "wait_s",
        "worker",
    }
)
"""The only fields a line may have: identifiers, codes, counts and moments. Add one only if no value of it can be
about a person. `address` is where we listen, never a customer's."""

_EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)*")
_LONGEST = 200
_WITHHELD = "[withheld]"
_CANARY = "canary"

_dropped: Counter[str] = Counter()


def configure(
    level: str = "info",
    style: Literal["json", "console"] = "json",
    stream: TextIO | None = None,
    now: Callable[[], datetime] | None = None,
    canaries: Sequence[str] = (),
) -> None:
    """Send our lines, and what libraries log, to `stream` (standard error by default).

    A line that holds one of `canaries`, pieces of a made-up customer, is held back and counted. `now` stamps the lines with the clock port's time; without it they carry none, for a collector that stamps them.
    """
    output = sys.stderr if stream is None else stream
    threshold = logging.getLevelNamesMapping()[level.upper()]
    processors: list[Processor] = [structlog.processors.add_log_level, _without_traceback]
    if now is not None:
        processors.append(_stamp(now))
    processors += [only_listed, _without(canaries), structlog.processors.StackInfoRenderer()]
    if style == "json":
        processors.append(structlog.processors.JSONRenderer(sort_keys=False, default=str))
    else:
        processors.append(structlog.dev.ConsoleRenderer(colors=output.isatty(), event_key="event"))
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.PrintLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers = [_LibraryHandler()]
    root.setLevel(max(threshold, logging.WARNING))
    # Set by web servers on loggers of their own, which would write past us.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True


def logger(**fields: Any) -> FilteringBoundLogger:
    """A logger whose lines all carry `fields`. Events are constant dotted words, such as `edit.held`."""
    bound: FilteringBoundLogger = structlog.get_logger(**fields)
    return bound


def dropped_fields() -> Mapping[str, int]:
    """How often a field was dropped or a value withheld since the process started, by name, for the metrics."""
    return MappingProxyType(_dropped)


def only_listed(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    """Drop every field that is not listed and withhold every value that could be free text about somebody."""
    kept: dict[str, Any] = {}
    for name, value in event_dict.items():
        if name not in FIELDS:
            # Counted without its name: a name made from data could be personal itself.
            _dropped["unlisted"] += 1
        elif name == "event":
            kept[name] = value if isinstance(value, str) and _EVENT.fullmatch(value) else _withhold(name)
        else:
            kept[name] = _harmless(name, value)
    return kept


def canaries_seen() -> int:
    """How many lines were held back since the process started, because they held a piece of a made-up customer."""
    return _dropped[_CANARY]


def _without(canaries: Sequence[str]) -> Processor:
    wanted = tuple(piece.strip().casefold() for piece in canaries if piece.strip())

    def hold_back(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
        if not any(piece in str(value).casefold() for value in event_dict.values() for piece in wanted):
            return event_dict
        _dropped[_CANARY] += 1
        return {"event": "log.canary", "level": "error"}

    return hold_back


def _harmless(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float, Decimal, datetime)):
        return value
    if isinstance(value, str):
        return _withhold(name) if "@" in value or len(value) > _LONGEST else _one_line(value)
    if name == "frames" and isinstance(value, list):
        return value
    return _withhold(name)


def _one_line(value: str) -> str:
    """The text without line ends, orders to a terminal and turns of direction, which would forge or hide a line."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in value)


def _withhold(name: str) -> str:
    _dropped[name] += 1
    return _WITHHELD


def _stamp(now: Callable[[], datetime]) -> Processor:
    def stamp(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
        event_dict["timestamp"] = now().isoformat(timespec="milliseconds")
        return event_dict

    return stamp


def _without_traceback(_: WrappedLogger, __: str, event_dict: EventDict) -> EventDict:
    """Put the error's class and where it was raised in place of its text, which may quote what a customer wrote."""
    raised = event_dict.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()[1]
    elif isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event_dict["error"] = type(raised).__qualname__
        event_dict["frames"] = _frames(raised.__traceback__)
    return event_dict


def _frames(trace: TracebackType | None) -> list[str]:
    places = []
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "?")
        places.append(f"{module}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places


class _LibraryHandler(logging.Handler):
    """Reports that a library logged something and from where; its text may quote addresses or documents."""

    def emit(self, record: logging.LogRecord) -> None:
        fields: MutableMapping[str, Any] = {"library": record.name, "at": f"{record.module}:{record.lineno}"}
        if record.exc_info and record.exc_info[1] is not None:
            fields["exc_info"] = record.exc_info
        report = {"WARNING": "warning", "ERROR": "error", "CRITICAL": "critical"}.get(
            record.levelname, "info"
        )
        getattr(structlog.get_logger(), report)("library.reported", **fields)
