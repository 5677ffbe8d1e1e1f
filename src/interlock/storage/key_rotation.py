"""Replacing the encryption key: every stored value is written again under the first key, in small steps that may be interrupted."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Column, MetaData, Table, and_, select, tuple_, update

from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, Undecipherable
from interlock.storage.personal_data import encrypted_columns

ROWS_A_STEP = 200


@dataclass(frozen=True, slots=True)
class RotatedColumn:
    """What became of one column: values written anew, values that were under the first key already, and values that no
    key at hand can read."""

    table: str
    column: str
    rewritten: int
    current: int
    unreadable: int


def rotate(
    database: Database, metadata: MetaData, keyring: Keyring, rows_a_step: int = ROWS_A_STEP
) -> Iterator[RotatedColumn]:
    """Write every credential and personal value again under the keyring's first key, column by column.

    Each step is a transaction of its own, so an interrupted rotation is simply started again: what is done is
    recognised. A value that somebody writes meanwhile is left as they wrote it. Once nothing is unreadable, no value
    needs the former keys any more.
    """
    for declared in encrypted_columns(metadata):
        table = metadata.tables[declared.table]
        yield _column(database, table, table.c[declared.column], keyring, rows_a_step)


def _column(
    database: Database, table: Table, column: Column[bytes], keyring: Keyring, rows_a_step: int
) -> RotatedColumn:
    keys = list(table.primary_key.columns)
    rewritten = current = unreadable = 0
    last: tuple[object, ...] | None = None
    while True:
        with database.begin() as c:
            page = select(*keys, column).where(column.is_not(None)).order_by(*keys).limit(rows_a_step)
            if last is not None:
                page = page.where(tuple_(*keys) > last)
            rows = c.execute(page).all()
            for row in rows:
                *of, cipher = row
                if keyring.is_current(cipher):
                    current += 1
                    continue
                try:
                    anew = keyring.reencrypt(cipher)
                except Undecipherable:
                    unreadable += 1
                    continue
                mine = and_(*(key == value for key, value in zip(keys, of, strict=True)))
                done = c.execute(update(table).where(mine, column == cipher).values({column: anew}))
                rewritten += done.rowcount
        if len(rows) < rows_a_step:
            return RotatedColumn(table.name, column.name, rewritten, current, unreadable)
        last = tuple(rows[-1][:-1])
