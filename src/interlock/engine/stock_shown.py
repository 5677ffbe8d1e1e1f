"""What a marketplace shows of the stock it was told: believed, or told again where it shows something else."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from interlock.engine.refused_offers import zeros_seen
from interlock.engine.store import ConnectionRow, count
from interlock.inventory.store import keep_shown


def stock_shown(
    c: Connection, row: ConnectionRow, quantities: Mapping[str, int], asked_at: datetime, read_at: datetime
) -> int:
    """Keep what the marketplace showed of its offers' quantities (OF52 to OF54), by SKU, when it was asked at `asked_at` and
    answered at `read_at`. Returns how many show something else than was told: those are counted and told again, with the
    next file or, where they show fewer, once a walk has shown that nobody has bought them."""
    if not row.rules.publish_stock:
        return 0
    drifted = keep_shown(c, row.id, quantities, asked_at, read_at)
    zeros_seen(c, row, quantities, asked_at)
    if drifted:
        count(c, "stock_drifted", row.name, len(drifted))
        zeroed = sum(1 for _, believed, shown in drifted if shown == 0 and believed > 0)
        if zeroed:
            count(c, "stock_zeroed_by_others", row.name, zeroed)
    return len(drifted)
