"""What a service asks its database over and over, as pieces that a test may run one by one."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import httpx2

from interlock.console.health import service_health
from interlock.console.live import EVERYTHING, versions
from interlock.engine import ledger
from interlock.engine.run import read_stored
from interlock.engine.store import (
    all_connections,
    shops_with_loose_ends,
    unresolved_deliveries,
    waiting_strangers,
)
from interlock.engine.sweeps import forget, wake_due, watch_acceptance
from interlock.orders.store import order_by_shopify_id, take_lease, unseen_since, wanted_documents
from interlock.service import Service
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, SHOP, Numbered, Stopped
from tests.filled import some_order

Job = Callable[[], Awaitable[object]]


def _no_http(origin: str) -> httpx2.AsyncClient:
    raise AssertionError(f"Something was about to be sent to {origin}.")


def periodic(database: Database, keyring: Keyring, folder: Path) -> dict[str, Job]:
    """By name, every duty of a service that asks only the database, what its read desks and runs ask on the way, and what
    open pages and the metrics ask. `folder` takes the watchdog's file."""
    service = Service(
        database,
        Stopped(),
        Numbered(),
        keyring,
        b"an address key of the test's own",
        _no_http,
        loopback_http=False,
        worker="worker-1",
    )
    parts, tx = service.parts, service.store.tx
    with database.begin() as c:
        ids = [row.id for row in all_connections(c)]
        order_id = some_order(c)
    until = CLOCK + timedelta(minutes=1)
    return {
        "due sweep": lambda: wake_due(parts),
        "acceptance watchdog": lambda: watch_acceptance(parts),
        "alerts": service.alerting.tell,
        "alert sending": service.alerting.send_due,
        "measures": service.alerting.measure,
        "watchdog file": lambda: service.alerting.write_deadlines(folder / "watchdog.json"),
        "forget": lambda: forget(parts),
        "loose ends": lambda: tx(shops_with_loose_ends),
        "unresolved deliveries": lambda: tx(lambda c: unresolved_deliveries(c, [SHOP], 20)),
        "waiting strangers": lambda: tx(lambda c: waiting_strangers(c, SHOP, 20)),
        "desk: wanted documents": lambda: tx(lambda c: wanted_documents(c, ids, 100)),
        "desk: orders to ship, long unseen": lambda: tx(
            lambda c: unseen_since(c, ids, CLOCK - timedelta(minutes=15), 100)
        ),
        "desk: open references": lambda: tx(lambda c: ledger.has_open_references(c, ids)),
        "desk: references left behind": lambda: tx(lambda c: ledger.references_left_behind(c, ids, CLOCK)),
        "desk: planned references": lambda: tx(lambda c: ledger.planned_references(c, ids, CLOCK, 100)),
        "sweep: order by its id": lambda: tx(lambda c: order_by_shopify_id(c, ids, "gid://shopify/Order/5")),
        "run: lease": lambda: tx(lambda c: take_lease(c, order_id, "worker-1", CLOCK, until)),
        "run: what is stored": lambda: tx(lambda c: read_stored(c, order_id)),
        "live pages": lambda: tx(lambda c: versions(c, [EVERYTHING, f"order-{order_id}"])),
        "health and metrics": lambda: tx(lambda c: service_health(c, CLOCK)),
    }
