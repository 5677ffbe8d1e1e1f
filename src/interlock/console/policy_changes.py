"""What somebody changed of a connection's settings, as the audit log keeps it: by setting, the value before and after."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from interlock.access.audit_log import Did, record
from interlock.engine.store import ConnectionRow
from interlock.orders.connection import ConnectionRules

SHOWN = 90
"""So many characters of a value, so that before and after have room in one fact."""
_UNITS = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))


def note_policies(
    c: Connection, row: ConnectionRow, who: str, now: datetime, facts: Mapping[str, str]
) -> None:
    """Leave an entry about the connection's settings in the audit log. Raises FactRefused."""
    record(c, who, Did.POLICY_CHANGED, f"connection {row.id}", now=now, connection=row.id, facts=facts)


def changed(before: ConnectionRules, after: ConnectionRules) -> dict[str, str]:
    """By setting that differs, what it was and what it is now."""
    values = (
        (one.name, getattr(before, one.name), getattr(after, one.name)) for one in fields(ConnectionRules)
    )
    return {name.replace("_", " "): then_and_now(was, now) for name, was, now in values if was != now}


def then_and_now(was: object, now: object) -> str:
    """Two values of a setting in one fact."""
    return f"{_shown(was)} → {_shown(now)}"


def _shown(value: object) -> str:
    text = "".join(each if each.isprintable() else " " for each in _written(value))
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"


def _written(value: object) -> str:
    match value:
        case None | "" | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case timedelta():
            return _length(int(value.total_seconds()))
        case tuple():
            return ", ".join(_written(each) for each in value)
        case _ if is_dataclass(value):
            return " ".join(_written(getattr(value, one.name)) for one in fields(value))
        case _:
            return str(value)


def _length(seconds: int) -> str:
    """Exactly, as the options of `interlock connect` take it: 90s, 10min, 48h."""
    whole = (each for each in _UNITS if seconds >= each[1] and seconds % each[1] == 0)
    unit, size = next(whole, ("s", 1))
    return f"{seconds // size}{unit}"
