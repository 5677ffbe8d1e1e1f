"""I12: nothing readable that we keep or write down contains personal data."""

from sqlalchemy import Connection, LargeBinary, text

from interlock.rehearsal.judging.evidence import Evidence
from interlock.rehearsal.judging.verdict import Verdict
from interlock.tables import metadata

TOKEN = "CANARY-"
"""Every name, address, telephone number and e-mail address of the simulated worlds contains it."""


def _statement() -> str:
    """One statement that names every table in which a row shows the token, in the clear or in unencrypted bytes."""
    parts = []
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        tests = [f"t::text LIKE '%{TOKEN}%'"]
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
    """I12: no canary token occurs in any column of any table, in bytes that should be ciphertext, or in a log line."""
    for name, rows in c.execute(SEARCH):
        verdict.checked["I12"] += 1
        if rows:
            verdict.violation(
                "I12",
                "",
                evidence.now,
                f"{rows} rows of the table {name} hold personal data that can be read.",
            )
    for line in evidence.logs:
        verdict.checked["I12"] += 1
        if TOKEN in line:
            verdict.violation(
                "I12", "", evidence.now, "A log line holds personal data.", f"{len(line)} characters"
            )
