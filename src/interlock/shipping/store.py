"""The carrier map: how each carrier name of the shop is called at each marketplace."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Table, Text, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.orders.connection import CarrierMapping
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

carrier_mappings = Table(
    "carrier_mappings",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("shop_name", Text, primary_key=True),
    # empty for every country and every shipping method
    Column("country", Text, primary_key=True, server_default=""),
    Column("service", Text, primary_key=True, server_default=""),
    Column("code", Text, nullable=False, server_default=""),
    Column("name", Text, nullable=False, server_default=""),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

_CARRIER_MAP = (
    select(
        carrier_mappings.c.shop_name,
        carrier_mappings.c.code,
        carrier_mappings.c.name,
        carrier_mappings.c.country,
        carrier_mappings.c.service,
    )
    .where(carrier_mappings.c.connection_id == bindparam("connection_id"))
    .order_by(carrier_mappings.c.shop_name, carrier_mappings.c.country, carrier_mappings.c.service)
)


def carrier_map(c: Connection, connection_id: int) -> tuple[CarrierMapping, ...]:
    """Every mapping of the connection, by shop name."""
    rows = c.execute(_CARRIER_MAP, {"connection_id": connection_id})
    return tuple(CarrierMapping(row.shop_name, row.code, row.name, row.country, row.service) for row in rows)


def map_carriers(
    c: Connection, connection_id: int, mappings: Sequence[CarrierMapping], who: str, at: datetime
) -> None:
    """Add or replace mappings."""
    for mapping in mappings:
        values = {"code": mapping.code, "name": mapping.name, "changed_by": who, "changed_at": at}
        c.execute(
            upsert(carrier_mappings)
            .values(
                connection_id=connection_id,
                shop_name=mapping.shop_name,
                country=mapping.country,
                service=mapping.service,
                **values,
            )
            .on_conflict_do_update(
                index_elements=["connection_id", "shop_name", "country", "service"], set_=values
            )
        )


def unmap_carrier(c: Connection, connection_id: int, mapping: CarrierMapping) -> bool:
    """Remove the mapping of this name and scope; False when there was none."""
    done = c.execute(
        delete(carrier_mappings).where(
            carrier_mappings.c.connection_id == connection_id,
            carrier_mappings.c.shop_name == mapping.shop_name,
            carrier_mappings.c.country == mapping.country,
            carrier_mappings.c.service == mapping.service,
        )
    )
    return bool(done.rowcount)
