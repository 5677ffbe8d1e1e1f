"""Offers, variants and stock of one connection in the database, for tests of what is computed and shown."""

from datetime import datetime

from sqlalchemy import Connection

from interlock.engine.stock_figures import keep_figures
from interlock.engine.stock_reading import selling_from
from interlock.engine.store import ConnectionRow, polls
from interlock.inventory import store
from interlock.inventory.observed import ShownItem, ShownLevel
from interlock.offers.matching import Component, Offered, Variant, match
from interlock.offers.store import keep_links, keep_offers, keep_variants

HERE, THERE = "gid://shopify/Location/1", "gid://shopify/Location/2"


def item(sku: str, *available: int, number: int = 0, tracked: bool = True) -> ShownItem:
    """One item with its units at the first, second, … location."""
    name = f"{sku}-{number}" if number else sku
    levels = tuple(
        ShownLevel(place, units, True) for place, units in zip((HERE, THERE), available, strict=False)
    )
    return ShownItem(f"gid://shopify/InventoryItem/{name}", f"variant {name}", sku, tracked, levels)


def stocked(
    c: Connection,
    row: ConnectionRow,
    items: tuple[ShownItem, ...],
    now: datetime,
    *,
    bundles: dict[str, tuple[Component, ...]] | None = None,
    offers: tuple[str, ...] | None = None,
) -> None:
    """Items of the shop, an offer for each SKU (or those named), the map between them, everything read just now, and the
    figures that follow."""
    shop = row.shopify_shop
    skus = offers if offers is not None else tuple(dict.fromkeys(one.sku for one in items))
    offered = tuple(Offered(number, sku, 0) for number, sku in enumerate(skus, start=1))
    variants = tuple(Variant(one.variant_id, one.sku, one.item_id) for one in items)
    keep_offers(c, row.id, offered, now)
    keep_variants(c, shop, variants, now)
    keep_links(c, row.id, match(offered, variants, {}, bundles or {}), now)
    store.shop_stock(c, shop)
    store.keep_items(c, shop, items, now)
    store.was_read(c, shop, read_at=now, listed_at=now)
    c.execute(polls.update().where(polls.c.name == row.mirakl_account).values(last_ok_at=now))
    keep_figures(c, selling_from(c, shop), row.id, now)
