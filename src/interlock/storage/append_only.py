"""Tables whose rows nobody changes or deletes: declared on the table, enforced by triggers that the revisions make.

PostgreSQL fires no ordinary trigger in a session with `session_replication_role = replica`, which only a superuser may
set. A restore works that way, and so do tests that empty a database; the service never does.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, text

_KEY = "append_only"
FUNCTION = "refuse_to_change_history"
_TRIGGER = "only_grows"

APPEND_ONLY = {_KEY: True}
"""The `info` of a table that only grows: `Table("audit_log", metadata, …, info=APPEND_ONLY)`."""


def append_only_tables(metadata: MetaData) -> list[str]:
    """The names of the tables declared so, in alphabetical order."""
    return sorted(table.name for table in metadata.tables.values() if table.info.get(_KEY))


def statements(table: str) -> Iterator[str]:
    """What makes the table one that only grows."""
    yield (
        f"CREATE OR REPLACE FUNCTION {FUNCTION}() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'Rows of % are never changed or deleted.', TG_TABLE_NAME "
        "USING ERRCODE = 'insufficient_privilege'; END $$"
    )
    yield (
        f"CREATE TRIGGER {_TRIGGER} BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION}()"
    )


def unguarded(c: Connection, metadata: MetaData) -> list[str]:
    """The tables that are declared so and whose trigger is missing or switched off."""
    guarded = set(
        c.execute(
            text(
                "SELECT tgrelid::regclass::text FROM pg_trigger "
                "WHERE tgname = :name AND tgenabled IN ('O', 'A') AND NOT tgisinternal"
            ),
            {"name": _TRIGGER},
        ).scalars()
    )
    return [name for name in append_only_tables(metadata) if name not in guarded]


def without_guards(c: Connection) -> None:
    """Until this transaction ends no trigger fires and no foreign key is checked: for a restore, a rehearsal that starts
    over, and tests. Raises ProgrammingError unless the database's user is a superuser."""
    c.execute(text("SET LOCAL session_replication_role = replica"))
