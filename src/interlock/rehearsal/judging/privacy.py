"""I12: nothing readable that we keep, write down or ask for contains personal data."""

from collections.abc import Iterable

from sqlalchemy import Connection, LargeBinary, text

from interlock.console.health import service_health
from interlock.logs import dropped_fields
from interlock.monitoring.board import kept_board
from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.verdict import Verdict
from interlock.tables import metadata
from interlock.web import metrics_page

TOKEN = "CANARY-"
"""Every name, address, telephone number and e-mail address of the simulated worlds contains it."""


def _statement() -> str:
    """One statement that names every table in which a row shows the token, in the clear or in unencrypted bytes."""
    parts = []
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        tests = [f"t::text ILIKE '%{TOKEN}%'"]
        tests += [
            f"position(convert_to('{TOKEN}', 'UTF8') in t.\"{column.name}\") > 0"
            for column in table.columns
            if isinstance(column.type, LargeBinary)
        ]
        where = " OR ".join(tests)
        parts.append(
            f"(SELECT '{table.name}' AS name, count(*) AS rows FROM \"{table.name}\" AS t WHERE {where})"
        )
    return " UNION ALL ".join(parts)


SEARCH = text(_statement())


def i12_no_personal_data(evidence: Evidence, c: Connection, verdict: Verdict) -> None:
    """I12: no canary token occurs in any column of any table (what alerts say is a table's), in bytes that should be
    ciphertext, in a log line, in the URL of a call of ours, or on the page of the metrics."""
    for name, rows in c.execute(SEARCH):
        verdict.checked["I12"] += 1
        if rows:
            verdict.violation(
                "I12",
                "",
                evidence.now,
                f"{rows} rows of the table {name} hold personal data that can be read.",
            )
    page = metrics_page(
        service_health(c, evidence.now + evidence.ahead), dropped_fields(), kept_board(c)
    ).decode()
    _search(evidence, verdict, "logs", "A log line", evidence.logs)
    _search(evidence, verdict, "urls", "The URL of a call of ours", evidence.urls)
    _search(evidence, verdict, "metrics", "A line of the metrics", page.splitlines())


def _search(evidence: Evidence, verdict: Verdict, name: str, what: str, lines: Iterable[str]) -> None:
    """Upper and lower case are alike here: an e-mail address is often written small."""
    for line in lines:
        verdict.checked[f"I12 {name}"] += 1
        if TOKEN in line.upper():
            verdict.violation(
                "I12",
                "",
                evidence.now,
                f"{what} holds personal data.",
                f"line {verdict.checked[f'I12 {name}']}, {len(line)} characters",
            )
