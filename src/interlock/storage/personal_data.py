"""Which columns are encrypted, why, and for how long: declared on the column, listed on one page."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Column, LargeBinary, MetaData

_KEY = "personal"
_FIELDS = ("purpose", "retention")


class EncryptedColumn(NamedTuple):
    """A column that holds personal data or a credential, as ciphertext."""

    table: str
    column: str
    purpose: str
    retention: str


class ColumnUndeclared(TypeError):
    """A column's type and its declaration about personal data contradict each other."""

    def __init__(self, table: str, column: str, why: str) -> None:
        super().__init__(
            f"{table}.{column} {why}. What may be about a person, or opens a door, is stored encrypted: make the "
            f"column LargeBinary, write it through the keyring and declare purpose and retention with personal(…)."
        )


def personal(*, purpose: str, retention: str) -> dict[str, Any]:
    """The `info` of a column that may hold personal data or a credential.

    Both are phrases for the page that operators and auditors read. Use as `Column("document", LargeBinary,
    info=personal(purpose="the order as last shown", retention="90 days after the order ended"))`.
    """
    return {_KEY: {"purpose": purpose, "retention": retention}}


def encrypted_columns(metadata: MetaData) -> Iterator[EncryptedColumn]:
    """The declared columns by table and column name.

    Raises ColumnUndeclared where bytes are stored without a declaration, where a declared column is
    readable, or where purpose or retention is missing.
    """
    for table in sorted(metadata.tables.values(), key=lambda table: table.name):
        for column in sorted(table.columns, key=lambda column: column.name):
            declared = _declaration(table.name, column)
            if declared is not None:
                yield EncryptedColumn(table.name, column.name, declared["purpose"], declared["retention"])


def _declaration(table: str, column: Column[Any]) -> Mapping[str, str] | None:
    declared: Mapping[str, str] | None = column.info.get(_KEY)
    binary = isinstance(column.type, LargeBinary)
    if declared is None:
        if binary:
            raise ColumnUndeclared(table, column.name, "holds bytes and does not say what they are for")
        return None
    if not binary:
        raise ColumnUndeclared(table, column.name, "is declared to hold personal data in a readable form")
    if not all(declared.get(field, "").strip() for field in _FIELDS):
        raise ColumnUndeclared(table, column.name, "is declared without a purpose or without a retention")
    return declared


def page(metadata: MetaData) -> str:
    """The reference page about personal data, in Markdown; generated, and compared by a test."""
    lines = [
        "# Personal data and credentials that Interlock stores",
        "",
        "This page is generated from the tables by `./dev generate`. Every column named here is encrypted at rest;",
        "nothing of ours puts a name, an address, a telephone number, an e-mail address or a credential into another one.",
        "What staff write in their own words is in",
        "[a table of its own](../operations/privacy-requests.md#what-people-write-themselves).",
        "",
        "| table | column | purpose | kept |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {row.table} | {row.column} | {row.purpose} | {row.retention} |"
        for row in encrypted_columns(metadata)
    ]
    return "\n".join(lines) + "\n"
