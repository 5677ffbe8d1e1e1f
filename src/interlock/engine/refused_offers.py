"""Reports what becomes of an offer after a refusal in the story of the order that was refused: that the marketplace set it to
zero, and that it took the figure again."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.cases.store import BY_ITSELF
from interlock.engine.store import ConnectionRow, count
from interlock.inventory.refusals import repaired, zeroed
from interlock.inventory.store import stock_figures, stock_refusals
from interlock.orders.store import tell

WATCHED_FOR = timedelta(hours=24)
"""A zero that is seen later than so long after a refusal has another cause."""

_SKU = (
    stock_figures.c.connection_id == stock_refusals.c.connection_id,
    stock_figures.c.sku == stock_refusals.c.sku,
)


def watch_refused(
    c: Connection, connection_id: int, order_id: int, skus: Iterable[str], now: datetime
) -> None:
    """Watch the offers of these SKUs, of which the order was refused just now."""
    rows = [
        {"connection_id": connection_id, "sku": sku, "order_id": order_id, "at": now}
        for sku in dict.fromkeys(skus)
    ]
    if rows:
        c.execute(upsert(stock_refusals).on_conflict_do_nothing(), rows)


def zeros_seen(c: Connection, row: ConnectionRow, quantities: Mapping[str, int], asked_at: datetime) -> None:
    """The marketplace showed these quantities by SKU, asked at `asked_at`: of an offer that shows none and was refused, the
    order's story says so, once."""
    none = sorted(sku for sku, quantity in quantities.items() if quantity == 0)
    if not none:
        return
    found = c.execute(
        select(stock_refusals.c.order_id, stock_refusals.c.sku, stock_figures.c.target)
        .join(stock_figures, _SKU[0] & _SKU[1])
        .where(
            stock_refusals.c.connection_id == row.id,
            stock_refusals.c.sku.in_(none),
            stock_refusals.c.zero_seen_at.is_(None),
            stock_figures.c.target > 0,
            # What was published since the refusal, or is on its way, may not have arrived when it was asked.
            stock_figures.c.shown_at == asked_at,
        )
        .order_by(stock_refusals.c.order_id, stock_refusals.c.sku)
    ).all()
    for one in found:
        c.execute(
            update(stock_refusals)
            .where(
                stock_refusals.c.connection_id == row.id,
                stock_refusals.c.sku == one.sku,
                stock_refusals.c.order_id == one.order_id,
            )
            .values(zero_seen_at=asked_at)
        )
        tell(c, one.order_id, asked_at, BY_ITSELF, [zeroed(one.sku, one.target)])
        count(c, "offer_zeroed_by_refusal", row.name)


def repairs_taken(c: Connection, connection_id: int, name: str, now: datetime) -> None:
    """Of each watched offer whose figure the marketplace has taken since the refusal, the order's story says so; it is
    watched no longer, and neither is what is long ago."""
    found = c.execute(
        select(
            stock_refusals.c.order_id,
            stock_refusals.c.sku,
            stock_refusals.c.zero_seen_at,
            stock_figures.c.confirmed,
        )
        .join(stock_figures, _SKU[0] & _SKU[1])
        .where(
            stock_refusals.c.connection_id == connection_id,
            stock_figures.c.published_at > stock_refusals.c.at,
            stock_figures.c.confirmed_at > stock_refusals.c.at,
            stock_figures.c.believed == stock_figures.c.confirmed,
        )
        .order_by(stock_refusals.c.order_id, stock_refusals.c.sku)
    ).all()
    for one in found:
        if one.confirmed:
            tell(
                c,
                one.order_id,
                now,
                BY_ITSELF,
                [repaired(one.sku, one.confirmed, one.zero_seen_at is not None)],
            )
            count(c, "offer_repaired_after_refusal", name)
        _forget(c, connection_id, one.sku, one.order_id)
    c.execute(
        delete(stock_refusals).where(
            stock_refusals.c.connection_id == connection_id, stock_refusals.c.at < now - WATCHED_FOR
        )
    )


def _forget(c: Connection, connection_id: int, sku: str, order_id: int) -> None:
    c.execute(
        delete(stock_refusals).where(
            stock_refusals.c.connection_id == connection_id,
            stock_refusals.c.sku == sku,
            stock_refusals.c.order_id == order_id,
        )
    )
