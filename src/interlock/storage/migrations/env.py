"""What Alembic runs: the revisions, inside the transaction of whoever called."""

from typing import Any, Literal

from alembic import context

from interlock.storage.migrations import is_ours
from interlock.storage.types import UtcDateTime


def _rendered(kind: str, item: Any, _: Any) -> str | Literal[False]:
    """Write our own column types as what they are in the database: a revision must not change with the code."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    include_name=is_ours,
    render_item=_rendered,
    # The caller's transaction holds everything, so a failed revision leaves nothing behind.
    transaction_per_migration=False,
)
context.run_migrations()
