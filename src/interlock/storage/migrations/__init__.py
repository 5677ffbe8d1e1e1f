"""Bring a database to the schema of this release, and say in words where it differs."""

from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from interlock.storage.append_only import unguarded
from interlock.storage.database import Database

_SCRIPTS = "interlock.storage:migrations"
# One upgrade at a time in one database: workers that start together wait for the first.
_UPGRADE_LOCK = 4_731_002
_FOREIGN_PREFIXES = ("procrastinate_", "alembic_")


class DatabaseIsNewer(Exception):
    """The database was upgraded by a later release, whose revisions this one does not know."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database is at revision {revision}, which this release of Interlock does not know: a newer release "
            f"upgraded it. Nothing was changed. Run the newer release, or restore a backup taken before its upgrade."
        )
        self.revision = revision


def upgrade(database: Database) -> None:
    """Apply every revision the database lacks, all in one transaction. Raises DatabaseIsNewer."""
    with database.begin() as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = '60s'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _UPGRADE_LOCK})
        config = _config(connection, None)
        _refuse_newer(connection, ScriptDirectory.from_config(config))
        command.upgrade(config, "head")


def check(database: Database, metadata: MetaData) -> list[str]:
    """What is wrong with the schema, a sentence each; empty when database, revisions and tables agree.

    `metadata` must hold every table of ours: pass `interlock.tables.metadata`. Raises DatabaseIsNewer.
    """
    with database.begin() as connection:
        scripts = ScriptDirectory.from_config(_config(connection, None))
        _refuse_newer(connection, scripts)
        current = MigrationContext.configure(connection).get_current_heads()
        pending = [
            f"Revision {script.revision} ({script.doc}) is not applied: run `interlock db upgrade`."
            for script in reversed(list(scripts.iterate_revisions("heads", current or "base")))
        ]
        if pending:
            return pending
        context = MigrationContext.configure(connection, opts={"include_name": is_ours})
        differences = [
            f"The database differs from the tables in the code: {_described(difference)}."
            for difference in compare_metadata(context, metadata)
        ]
        return differences + [
            f"Nothing keeps rows of {table} from being changed or deleted: its trigger is missing or switched off."
            for table in unguarded(connection, metadata)
        ]


def write_revision(database: Database, message: str, metadata: MetaData) -> str:
    """Write the next revision from the difference between an upgraded database and `metadata`; gives its path."""
    with database.begin() as connection:
        config = _config(connection, metadata)
        scripts = ScriptDirectory.from_config(config)
        number = f"{1 + max(int(script.revision) for script in scripts.walk_revisions()):04}"
        script = command.revision(config, message=message, autogenerate=True, rev_id=number)
    if script is None or isinstance(script, list):
        raise RuntimeError(f"Alembic wrote {script!r} where exactly one revision was expected.")
    return script.path


def is_ours(name: str | None, kind: str, parents: Any) -> bool:
    """Whether autogeneration should look at something: the queue's tables have revisions of their own."""
    return kind != "table" or name is None or not name.startswith(_FOREIGN_PREFIXES)


def _config(connection: Connection, metadata: MetaData | None) -> Config:
    config = Config()
    config.set_main_option("script_location", _SCRIPTS)
    config.set_main_option("file_template", "r%%(rev)s_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    config.attributes["metadata"] = metadata
    return config


def _refuse_newer(connection: Connection, scripts: ScriptDirectory) -> None:
    known = {script.revision for script in scripts.walk_revisions()}
    for revision in MigrationContext.configure(connection).get_current_heads():
        if revision not in known:
            raise DatabaseIsNewer(revision)


def _described(difference: Any) -> str:
    """A difference as Alembic reports it, on one line and without addresses of Python objects."""
    parts = difference[0] if isinstance(difference, list) else difference
    return " ".join(str(getattr(part, "name", part)) for part in parts if part is not None)
