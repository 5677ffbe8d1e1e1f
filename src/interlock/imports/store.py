"""The SKU map: marketplace SKUs that are called differently in the shop."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Table, Text, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

sku_mappings = Table(
    "sku_mappings",
    metadata,
    Column("connection_id", BigInteger, ForeignKey("connections.id"), primary_key=True),
    Column("mirakl_sku", Text, primary_key=True),
    Column("shop_sku", Text, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

_SKU_MAP = (
    select(sku_mappings.c.mirakl_sku, sku_mappings.c.shop_sku)
    .where(sku_mappings.c.connection_id == bindparam("connection_id"))
    .order_by(sku_mappings.c.mirakl_sku)
)


_SHOP_SKUS = select(sku_mappings.c.mirakl_sku, sku_mappings.c.shop_sku).where(
    sku_mappings.c.connection_id == bindparam("of_connection"),
    sku_mappings.c.mirakl_sku.in_(bindparam("skus", expanding=True)),
)


def shop_skus(c: Connection, connection_id: int, skus: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """How the shop calls each of these marketplace SKUs: pairs in the order asked, the same name where none is mapped."""
    rows = c.execute(_SHOP_SKUS, {"of_connection": connection_id, "skus": skus})
    mapped = {row.mirakl_sku: row.shop_sku for row in rows}
    return tuple((sku, mapped.get(sku, sku)) for sku in skus)


def sku_map(c: Connection, connection_id: int) -> dict[str, str]:
    """Shop SKU by marketplace SKU, where they differ."""
    rows = c.execute(_SKU_MAP, {"connection_id": connection_id})
    return {row.mirakl_sku: row.shop_sku for row in rows}


def map_skus(c: Connection, connection_id: int, mappings: Mapping[str, str], who: str, at: datetime) -> None:
    """Add or replace mappings of marketplace SKU to shop SKU."""
    for mirakl_sku, shop_sku in mappings.items():
        values = {"shop_sku": shop_sku, "changed_by": who, "changed_at": at}
        c.execute(
            upsert(sku_mappings)
            .values(connection_id=connection_id, mirakl_sku=mirakl_sku, **values)
            .on_conflict_do_update(index_elements=["connection_id", "mirakl_sku"], set_=values)
        )


def unmap_sku(c: Connection, connection_id: int, mirakl_sku: str) -> bool:
    """Remove one mapping; False when there was none."""
    done = c.execute(
        delete(sku_mappings).where(
            sku_mappings.c.connection_id == connection_id, sku_mappings.c.mirakl_sku == mirakl_sku
        )
    )
    return bool(done.rowcount)
