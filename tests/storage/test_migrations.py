"""Migrations: from nothing to the schema of this release, and drift named in words."""

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, text

from interlock.storage.database import Database
from interlock.storage.migrations import DatabaseIsNewer, check, upgrade
from interlock.tables import metadata
from tests.databases import ThrowawayServer

CATALOGUE = {
    "columns": """SELECT table_name, column_name, data_type, udt_name, is_nullable, column_default
                  FROM information_schema.columns WHERE table_schema = 'public' AND table_name LIKE 'procrastinate%'""",
    "indexes": "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename LIKE 'procrastinate%'",
    "constraints": """SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
                      WHERE conrelid::regclass::text LIKE 'procrastinate%'""",
    "functions": "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE proname LIKE 'procrastinate%'",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname LIKE 'procrastinate%'",
    "enums": """SELECT typname, array_agg(enumlabel ORDER BY enumsortorder)::text FROM pg_enum
                JOIN pg_type ON pg_type.oid = enumtypid GROUP BY typname""",
    "types": """SELECT typname, attname, atttypid::regtype::text FROM pg_type
                JOIN pg_class ON pg_class.oid = typrelid AND relkind = 'c' JOIN pg_attribute ON attrelid = typrelid
                WHERE typname LIKE 'procrastinate%'""",
}


@pytest.fixture
def bare(server: ThrowawayServer) -> Iterator[Database]:
    """A database with nothing in it."""
    database = Database(server.new_database(migrated=False))
    yield database
    server.drop_database(database)


def catalogue(database: Database, kind: str) -> list[tuple[Any, ...]]:
    with database.begin() as connection:
        return sorted(tuple(row) for row in connection.execute(text(CATALOGUE[kind])))


@pytest.mark.parametrize("kind", sorted(CATALOGUE))
def test_the_migrated_queue_schema_equals_the_one_its_package_would_install(
    kind: str, bare: Database, database: Database
) -> None:
    with bare.begin() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute((files("procrastinate.sql") / "schema.sql").read_text())

    expected = catalogue(bare, kind)

    assert expected
    assert catalogue(database, kind) == expected


def test_a_migrated_database_has_nothing_to_report(database: Database) -> None:
    assert check(database, metadata) == []


def test_upgrading_again_changes_nothing(own_database: Database) -> None:
    upgrade(own_database)

    assert check(own_database, metadata) == []


def test_an_empty_database_is_told_every_revision_it_lacks(bare: Database) -> None:
    problems = check(bare, metadata)

    assert problems
    assert all("is not applied: run `interlock db upgrade`" in problem for problem in problems)
    assert problems[0].startswith("Revision 0000 ")


def test_a_table_that_no_revision_makes_is_named(database: Database) -> None:
    wanted = MetaData()
    Table("never_migrated", wanted, Column("number", Integer, primary_key=True))

    problems = check(database, wanted)

    assert any("add_table never_migrated" in problem for problem in problems)


def test_a_column_that_no_table_declares_is_named(own_database: Database) -> None:
    with own_database.begin() as connection:
        connection.execute(text("CREATE TABLE left_over (number integer)"))

    problems = check(own_database, metadata)

    assert problems == ["The database differs from the tables in the code: remove_table left_over."]


def test_a_database_of_a_newer_release_is_refused_unchanged(own_database: Database) -> None:
    with own_database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(DatabaseIsNewer, match="revision 9999"):
        upgrade(own_database)
    with pytest.raises(DatabaseIsNewer, match="restore a backup"):
        check(own_database, metadata)
