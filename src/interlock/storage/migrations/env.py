"""What Alembic runs: the revisions, inside the transaction of whoever called."""

from typing import Any, Literal

from alembic import context
from alembic.operations import ops

from interlock.storage.append_only import append_only_tables, statements
from interlock.storage.migrations import is_ours
from interlock.storage.types import UtcDateTime


def _rendered(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write our own column types as what they are in the database: a revision must not change with the code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


def _guard_history(_: Any, __: Any, directives: Any) -> None:
    """Give every new table that only grows its trigger: autogeneration sees tables, not what stands on them."""
    guarded = append_only_tables(context.config.attributes["metadata"])
    for directive in directives:
        made = [op.table_name for op in directive.upgrade_ops.ops if isinstance(op, ops.CreateTableOp)]
        for table in (name for name in made if name in guarded):
            directive.upgrade_ops.ops.extend(ops.ExecuteSQLOp(line) for line in statements(table))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    include_name=is_ours,
    render_item=_rendered,
    process_revision_directives=_guard_history,
    # The caller's transaction holds everything, so a failed revision leaves nothing behind.
    transaction_per_migration=False,
)
context.run_migrations()
