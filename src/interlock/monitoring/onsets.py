"""Since when findings that last have been found: kept at every measure, so that a page about one is repeated as long as it is
found, and comes again when it begins again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, Connection, Table, Text, select
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.monitoring.decide import Finding, Onset, begun
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

onsets = Table(
    "onsets",
    metadata,
    Column("key", Text, primary_key=True),
    # the key of the alert that told of it
    Column("told_as", Text, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("found_at", UtcDateTime, nullable=False),
)


def keep_onsets(c: Connection, found: Sequence[Finding], now: datetime) -> tuple[Finding, ...]:
    """What of these findings says something of its own, with its onset; and keep that it was found now."""
    rows = c.execute(select(onsets))
    kept = begun(found, {row.key: Onset(row.since, row.found_at) for row in rows}, now)
    lasting = [
        {"key": one.key, "told_as": one.told_as, "since": one.since, "found_at": now}
        for one in kept
        if one.lasts
    ]
    if lasting:
        made = upsert(onsets)
        columns = {name: made.excluded[name] for name in ("told_as", "since", "found_at")}
        c.execute(made.on_conflict_do_update(index_elements=["key"], set_=columns), lasting)
    return kept
