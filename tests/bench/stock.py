"""A whole warehouse is counted: every figure of fifty thousand offers changes at once."""

import asyncio
import time
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

import httpx2
from sqlalchemy import delete, insert, update

from interlock.clock import LoopClock, SystemIdentifiers
from interlock.engine.run import EngineParts
from interlock.engine.stock import StockDesk
from interlock.engine.stock_figures import keep_figures
from interlock.engine.stock_reading import selling_from
from interlock.engine.store import ConnectionRow, add_connection, one_connection, polls
from interlock.inventory import store
from interlock.inventory.observed import ShownItem, ShownLevel
from interlock.inventory.store import stock_figures
from interlock.offers.matching import Linked, Offered, Variant
from interlock.offers.store import keep_links, keep_offers
from interlock.orders.connection import ConnectionRules
from interlock.rehearsal.history import on_virtual_time
from interlock.simulator.clock import PlatformClock
from interlock.simulator.mirakl import PROFILES, CatalogueItem, MiraklWorld
from interlock.simulator.transport import ClockedASGITransport
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring, new_key
from interlock.wiring import StoredConnections
from tests.console.seed import Wakes
from tests.databases import ThrowawayServer

OFFERS = 50_000
SMALL = 5_000
PLACE = "gid://shopify/Location/1"
SHOP = "bench.myshopify.com"


@dataclass(frozen=True)
class Stocked:
    """What one run found: files until every offer shows its new figure, seconds, and megabytes at the peak."""

    offers: int
    files: int
    computed: float
    bare: float
    sent: float
    memory_mb: float
    small: int
    memory_small_mb: float


def stocked() -> Stocked:
    """Measure with many offers, and the memory with a tenth of them."""
    with ThrowawayServer() as server:
        small = _run(server, SMALL)
        large = _run(server, OFFERS)
    return replace(large, small=SMALL, memory_small_mb=small.memory_mb)


def _run(server: ThrowawayServer, offers: int) -> Stocked:
    database = Database(server.new_database(), pool_size=3)
    try:
        # Waits between two files pass at once; what is measured is measured on the machine's own clock.
        return on_virtual_time(1, lambda: _all_change(database, offers))
    finally:
        server.drop_database(database)


async def _all_change(database: Database, offers: int) -> Stocked:
    loop = asyncio.get_running_loop()
    platform = PlatformClock(source=loop.time)
    profile = PROFILES["automatic"].changed({"offer_quantity": 3})
    catalogue = tuple(CatalogueItem(f"SKU-{n}", "A thing", Decimal(5)) for n in range(offers))
    world = MiraklWorld(platform, 1, profile, catalogue=catalogue)
    clock = LoopClock(loop.time, platform.now() - timedelta(seconds=loop.time()))
    keyring = Keyring([new_key()])
    row = _filled(database, keyring, world, offers, clock.now())
    transport = ClockedASGITransport(world.app)
    kept = InlineStore(database)
    connected = StoredConnections(
        kept,
        clock,
        keyring,
        b"a benchmark has no secrets",
        lambda origin: httpx2.AsyncClient(transport=transport, trust_env=False),
        loopback_http=False,
    )
    parts = EngineParts(kept, clock, SystemIdentifiers(), Wakes(), connected, keyring, "bench")
    platforms = await connected.get(row.id)
    computed, bare = _computed(database, row, clock.now()), _bare(database, row, clock.now())
    tracemalloc.start()
    desk = StockDesk(parts, SHOP)
    began = time.perf_counter()
    while not (_shown(world) and _settled(database, row)):
        await desk.work(platforms)
        await asyncio.sleep(30)
    sent = time.perf_counter() - began
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    await transport.drain()
    files = sum(call.operation == "STO01" for call in world.record.calls)
    return Stocked(offers, files, computed, bare, sent, peak / 2**20, 0, 0.0)


def _filled(
    database: Database, keyring: Keyring, world: MiraklWorld, offers: int, now: datetime
) -> ConnectionRow:
    """A connection with so many offers, each linked to an item of which there are seven; the marketplace shows three."""
    rules = ConnectionRules("bench", "interlock:bench", publish_stock=True)
    with database.begin() as c:
        number = add_connection(
            c,
            rules,
            now,
            live=True,
            mirakl_origin="https://bench.mirakl.example",
            mirakl_shop_id=world.shop_id,
            mirakl_key=keyring.encrypt(world.api_key.encode()),
            shopify_shop=SHOP,
            shopify_origin=f"https://{SHOP}",
            shopify_client_id="bench",
            shopify_client_secret=keyring.encrypt(b"secret"),
        )
        row = one_connection(c, number)
        items = [
            ShownItem(
                f"gid://shopify/InventoryItem/{n}",
                f"gid://shopify/ProductVariant/{n}",
                f"SKU-{n}",
                True,
                (ShownLevel(PLACE, 7, True),),
            )
            for n in range(offers)
        ]
        keep_offers(c, number, [Offered(n, f"SKU-{n}", 3) for n in range(offers)], now)
        linked = (
            Linked(item.sku, ((Variant(item.variant_id, item.sku, item.item_id), 1),), "sku")
            for item in items
        )
        keep_links(c, number, linked, now)
        store.shop_stock(c, SHOP)
        for start in range(0, offers, 250):
            store.keep_items(c, SHOP, items[start : start + 250], now)
        # As good as read all the time: what grows stale is not measured here.
        store.was_read(c, SHOP, read_at=now + timedelta(hours=1), listed_at=now)
        c.execute(update(polls).values(last_ok_at=now + timedelta(hours=1)))
    return row


def _computed(database: Database, row: ConnectionRow, now: datetime) -> float:
    began = time.perf_counter()
    with database.begin() as c:
        keep_figures(c, selling_from(c, SHOP), row.id, now)
    return time.perf_counter() - began


def _bare(database: Database, row: ConnectionRow, now: datetime) -> float:
    """The least that it takes: the stock of every item is read and a figure is written for each; taken back."""
    began = time.perf_counter()
    with suppress(_TakenBack), database.begin() as c:
        c.execute(delete(stock_figures))
        found = [(item.sku, item.available) for item in store.items_at(c, SHOP, ())]
        for start in range(0, len(found), store.LINES_AT_ONCE):
            c.execute(
                insert(stock_figures),
                [
                    {"connection_id": row.id, "sku": sku, "target": units, "computed_at": now}
                    for sku, units in found[start : start + store.LINES_AT_ONCE]
                ],
            )
        raise _TakenBack
    return time.perf_counter() - began


class _TakenBack(Exception):
    """Nothing of it stays."""


def _shown(world: MiraklWorld) -> bool:
    world.tick()
    return all(offer.quantity == 7 for offer in world.offers.offers.values())


def _settled(database: Database, row: ConnectionRow) -> bool:
    with database.begin() as c:
        return store.import_in_flight(c, row.id) is None
