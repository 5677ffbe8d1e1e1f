"""After a rotation the former key can be dropped, whatever interrupted it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Table, insert, select, update

from interlock.access.people import people
from interlock.cases.store import cases
from interlock.engine.store import connections
from interlock.orders.store import add_order
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, Undecipherable, new_key
from interlock.storage.installation import open_installation
from interlock.storage.key_rotation import RotatedColumn, rotate
from interlock.storage.personal_data import EncryptedColumn, encrypted_columns
from interlock.storage.types import UtcDateTime
from interlock.tables import metadata
from tests.engine.rows import a_connection

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FORMER, NEXT = new_key(), new_key()
OLD, BOTH, NEW = Keyring([FORMER]), Keyring([NEXT, FORMER]), Keyring([NEXT])
COLUMNS = list(encrypted_columns(metadata))


def _filler(table: Table, number: int) -> dict[str, Any]:
    """Any values for the columns a row of this table cannot do without."""
    made: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable or column.server_default is not None or column.identity is not None:
            continue
        kind = datetime if isinstance(column.type, UtcDateTime) else column.type.python_type
        made[column.name] = {
            str: f"{column.name} {number}",
            int: number,
            bool: False,
            dict: {},
            object: {},
            datetime: NOW,
            bytes: OLD.encrypt(f"{table.name} {number}".encode()),
        }[kind]
    return made


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


def _fill(database: Database, rows: int) -> None:
    """Rows in every table that keeps something encrypted, every such column filled under the former key."""
    with database.begin() as c:
        connection_id = a_connection(c)
        open_installation(c, OLD, "instance", NOW)
        order_ids = [add_order(c, connection_id, f"M-{number}", "", NOW) for number in range(rows)]
        case_ids = [
            c.execute(
                insert(cases).values({**_filler(cases, number), "order_id": order_id}).returning(cases.c.id)
            ).scalar_one()
            for number, order_id in enumerate(order_ids)
        ]
        person_ids = [
            c.execute(insert(people).values(_filler(people, number)).returning(people.c.id)).scalar_one()
            for number in range(rows)
        ]
        for name in dict.fromkeys(column.table for column in COLUMNS):
            table = metadata.tables[name]
            if name not in ("connections", "installation", "people"):
                for number, order_id in enumerate(order_ids):
                    of = {
                        "order_id": order_id,
                        "connection_id": connection_id,
                        "case_id": case_ids[number],
                        "person_id": person_ids[number],
                    }
                    values = _filler(table, number) | of
                    c.execute(insert(table).values({k: v for k, v in values.items() if k in table.c}))
        for column in COLUMNS:
            if column.table != "installation":
                table = metadata.tables[column.table]
                c.execute(update(table).values({column.column: OLD.encrypt(b"kept")}))


def _values(database: Database, column: EncryptedColumn) -> list[bytes]:
    with database.begin() as c:
        field = metadata.tables[column.table].c[column.column]
        return [row[0] for row in c.execute(select(field).where(field.is_not(None)))]


def test_every_column_is_readable_without_the_former_key_afterwards(database: Database) -> None:
    _fill(database, 5)
    with database.begin() as c:
        address_key = open_installation(c, OLD, "other", NOW).address_key
    done = list(rotate(database, metadata, BOTH, rows_a_step=2))
    assert [(one.table, one.column) for one in done] == [(one.table, one.column) for one in COLUMNS]
    for one, column in zip(done, COLUMNS, strict=True):
        values = _values(database, column)
        assert values, column
        assert (one.rewritten, one.current, one.unreadable) == (len(values), 0, 0)
        for value in values:
            NEW.decrypt(value)
            with pytest.raises(Undecipherable):
                OLD.decrypt(value)
    with database.begin() as c:
        assert open_installation(c, NEW, "other", NOW).address_key == address_key


def test_an_interrupted_rotation_is_started_again(database: Database) -> None:
    _fill(database, 3)
    interrupted = rotate(database, metadata, BOTH, rows_a_step=1)
    first = next(interrupted)
    del interrupted
    again = list(rotate(database, metadata, BOTH))
    assert again[0] == RotatedColumn(first.table, first.column, 0, first.rewritten, 0)
    assert all(one.rewritten for one in again[1:])
    assert not any(one.rewritten for one in rotate(database, metadata, BOTH))


def test_a_value_of_a_foreign_key_is_counted_and_left(database: Database) -> None:
    _fill(database, 1)
    foreign = Keyring([new_key()]).encrypt(b"whose")
    with database.begin() as c:
        c.execute(update(connections).values(mirakl_key=foreign))
    done = {(one.table, one.column): one for one in rotate(database, metadata, BOTH)}
    assert done[("connections", "mirakl_key")].unreadable == 1
    assert _values(database, next(one for one in COLUMNS if one.column == "mirakl_key")) == [foreign]
    assert sum(one.unreadable for one in done.values()) == 1
