"""What was observed of each marketplace."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Column, Connection, ForeignKey, Table, Text, delete, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.marketplaces.observed import Observation
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

capability_observations = Table(
    "capability_observations",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("allowed", Boolean, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


def observe(c: Connection, connection_id: int, seen: Observation, at: datetime) -> bool:
    """Note what an answer of the marketplace proved. True when that is new or contradicts what was seen before."""
    table = capability_observations
    values = {"allowed": seen.allowed, "evidence": seen.evidence, "at": at}
    news = c.execute(
        upsert(table)
        .values(connection_id=connection_id, name=seen.name, **values)
        .on_conflict_do_update(
            index_elements=["connection_id", "name"],
            set_=values,
            where=or_(table.c.allowed != seen.allowed, table.c.evidence != seen.evidence),
        )
        .returning(table.c.name)
    ).first()
    return news is not None


def forget(c: Connection, connection_id: int, names: Sequence[str]) -> tuple[str, ...]:
    """Drop what was seen to be refused of these, and whatever was seen of a time; returns the names of which there was
    something to drop."""
    table = capability_observations
    dropped = c.execute(
        delete(table)
        .where(
            table.c.connection_id == connection_id,
            table.c.name.in_(names),
            or_(table.c.allowed.is_(False), table.c.name == "acceptance_window"),
        )
        .returning(table.c.name)
    ).scalars()
    return tuple(sorted(dropped))


def observations_of(c: Connection, connection_id: int) -> dict[str, tuple[Observation, datetime]]:
    """What was observed of this connection's marketplace, by name, with when it was first seen to be so."""
    table = capability_observations
    rows = c.execute(select(table).where(table.c.connection_id == connection_id).order_by(table.c.name))
    return {row.name: (Observation(row.name, row.allowed, row.evidence), row.at) for row in rows}
