"""Which plans PostgreSQL makes for the statements that a piece of code runs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event

from interlock.storage.database import Database


@dataclass
class Statements:
    """The statements that were run, each once, with the parameters of its first run."""

    seen: dict[str, Any] = field(default_factory=dict)

    def keep(self, statement: str, parameters: Any, many: bool) -> None:
        self.seen.setdefault(statement, parameters[0] if many else parameters)


@contextmanager
def listening(database: Database) -> Iterator[Statements]:
    """Collect what is run over this database's engine."""
    found = Statements()

    def before(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        found.keep(statement, parameters, many)

    event.listen(database.engine, "before_cursor_execute", before)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", before)


def whole_scans(c: Connection, statements: Statements, tables: Sequence[str]) -> dict[str, list[str]]:
    """By statement, what in its plan reads one of these tables from end to end: a sequential scan, or a walk through an
    index that holds every row, without a condition and without a limit above it that surely stops it."""
    partial = set(
        c.exec_driver_sql(
            "SELECT i.relname FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indpred IS NOT NULL"
        ).scalars()
    )
    found = {}
    for statement, parameters in statements.seen.items():
        if statement.split(None, 1)[0].upper() not in ("SELECT", "WITH", "INSERT", "UPDATE", "DELETE"):
            continue
        explained = c.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
        wrong = list(_wholes(explained[0]["Plan"], tables, partial, limited=False))
        if wrong:
            found[statement] = wrong
    return found


def _wholes(
    plan: Mapping[str, Any], tables: Sequence[str], partial: set[str], *, limited: bool
) -> Iterator[str]:
    kind, table = plan["Node Type"], plan.get("Relation Name")
    if table in tables and kind == "Seq Scan":
        yield f"Seq Scan of {table}"
    if table in tables and kind in ("Index Scan", "Index Only Scan") and "Index Cond" not in plan:
        index = plan["Index Name"]
        if index not in partial and (not limited or "Filter" in plan):
            yield f"all of {index}"
    if kind == "Bitmap Index Scan" and "Index Cond" not in plan and plan["Index Name"] not in partial:
        yield f"all of {plan['Index Name']}"
    # A sort below a limit reads everything first; what a limit stops early reads only its part.
    below = (limited or kind == "Limit") and kind not in ("Sort", "Aggregate", "Hash")
    for part in plan.get("Plans", ()):
        yield from _wholes(part, tables, partial, limited=below)
