"""A SKU map brought back to what it was."""

from datetime import datetime

from sqlalchemy import Connection

from interlock.console import desk
from interlock.console.carriers import changes_since
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, note_map_changes
from interlock.imports.store import map_skus, sku_map, unmap_sku
from interlock.shipping.history import as_it_was


def roll_back_skus(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    to: datetime,
    who: str,
    why: str,
    now: datetime,
) -> desk.Mapped:
    """Make the SKU map what it was at the moment `to`, all of it or nothing, in somebody's name and with a reason. The
    changes since then stay in the history, and so does this one. Orders that exist keep their lines. Raises
    MapRefused."""
    desk.check_reason(who, why)
    if to >= now:
        raise desk.MapRefused("The moment is not past. Nothing was changed.", field="to")
    before = sku_map(c, connection.id)
    wanted = as_it_was(before, changes_since(c, connection.id, "skus", to))
    if wanted == before:
        raise desk.MapRefused("The SKU map is as it was at that moment. Nothing was changed.", field="to")
    changed = {mirakl: shop for mirakl, shop in wanted.items() if before.get(mirakl) != shop}
    dropped = [mirakl for mirakl in before if mirakl not in wanted]
    for mirakl in dropped:
        unmap_sku(c, connection.id, mirakl)
    map_skus(c, connection.id, changed, who.strip(), now)
    note_map_changes(c, connection.id, "skus", before, wanted, who.strip(), why.strip(), now)
    unlocked, replay_id = desk.replay_skus(c, queue, connection.id, tuple(changed.items()), who, now)
    return desk.Mapped(len(changed), unlocked, len(dropped), replay_id)
