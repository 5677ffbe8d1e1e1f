"""What was told, as a list: filtered by its address, the newest first."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection

from interlock.console.export import Cell
from interlock.console.lists import PAGE_LENGTH, Asked, FilterUnknown, row_mark
from interlock.monitoring.ladders import LOUDEST
from interlock.monitoring.outbox import AlertRow, alert_rows, alerts

OWN_FILTERS = ("severity", "seen")
SEEN = ("yes", "no")
COLUMNS = (
    "number",
    "at",
    "how loud",
    "connection",
    "what",
    "how often",
    "orders",
    "for",
    "told to",
    "seen by",
    "seen at",
)


def alerts_page(c: Connection, asked: Asked, limit: int = PAGE_LENGTH) -> tuple[tuple[AlertRow, ...], str]:
    """The alerts a list's address asks for, and the mark of the next page: empty when this is the last. Raises
    FilterUnknown and MarkUnreadable."""
    found = alert_rows(c, limit + 1, *_conditions(asked))
    return found[:limit], str(found[limit - 1].id) if len(found) > limit else ""


def _conditions(asked: Asked) -> list[ColumnElement[bool]]:
    wanted: list[ColumnElement[bool]] = []
    if asked.after:
        wanted.append(alerts.c.id < row_mark(asked.after))
    if asked.connection:
        wanted.append(alerts.c.connection == asked.connection)
    if asked.team:
        wanted.append(alerts.c.teams.contains([asked.team]))
    severity, seen = (asked.other(name) for name in OWN_FILTERS)
    if severity:
        if severity not in LOUDEST:
            raise FilterUnknown("severity", severity, LOUDEST)
        wanted.append(alerts.c.severity == severity)
    match seen:
        case "":
            pass
        case "yes":
            wanted.append(alerts.c.acknowledged_at.is_not(None))
        case "no":
            wanted.append(alerts.c.acknowledged_at.is_(None))
        case _:
            raise FilterUnknown("answer", seen, SEEN)
    return wanted


def file_row(row: AlertRow) -> Sequence[Cell]:
    """One alert as the file has it."""
    alert = row.alert
    return (
        row.id,
        row.at,
        alert.severity,
        alert.connection,
        alert.title,
        alert.count,
        ", ".join(alert.orders),
        ", ".join(alert.teams),
        "; ".join(f"{name}: {state}" for name, state, _, _ in row.deliveries),
        row.acknowledged_by,
        row.acknowledged_at,
    )
