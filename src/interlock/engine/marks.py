"""The mark of this installation in each shop: compared before anything is written, and moved every few minutes.

Two databases that both believe to be the current one cannot both be right: a backup that was restored, a copy that was
started beside the original, a database made anew. The shop remembers which of them wrote last.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, update

from interlock.cases.store import close_connection_cases, open_connection_case
from interlock.engine.gateways import ConnectedPlatforms
from interlock.engine.ledger import everything_open_is_unclear
from interlock.engine.run import EngineParts
from interlock.engine.store import all_connections, count
from interlock.orders.outcomes import Confirmed, Refused
from interlock.orders.ports import ReadFailed
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import DEAD, GONE_OUT
from interlock.orders.store import orders
from interlock.quarantine import store
from interlock.quarantine.decide import judge

BUSY_FOR = timedelta(seconds=120)


async def keep_mark(parts: EngineParts, platforms: ConnectedPlatforms) -> bool:
    """Compare the shop's mark with this database's and move it on. True when the comparison began a quarantine. A shop
    that cannot be read is compared next time."""
    account = platforms.shopify_account
    now = parts.clock.now()
    if not await parts.store.tx(lambda c: store.claim(c, account, now, now + BUSY_FOR)):
        return False
    try:
        return await _compared(parts, platforms, account)
    finally:
        await parts.store.tx(lambda c: store.give_back(c, account))


async def _compared(parts: EngineParts, platforms: ConnectedPlatforms, account: str) -> bool:
    before = await parts.store.tx(lambda c: store.kept_mark(c, account))
    try:
        shown = await platforms.shopify.instance_mark()
    except ReadFailed:
        await parts.store.tx(lambda c: count(c, "mark_unread", platforms.rules.name))
        return False
    now = parts.clock.now()
    # A worker that was slow may have moved the mark while we read it, so what is kept is asked twice.
    after = await parts.store.tx(lambda c: store.kept_mark(c, account))
    if judge(before, shown.value) == "stranger" and judge(after, shown.value) == "stranger":
        because = (
            "This database does not know the mark that the shop shows, so another database wrote after it: a backup "
            "was restored, a copy is running beside it, or it was made anew."
        )
        return await parts.store.tx(lambda c: enter(c, because, now))

    mark = parts.identifiers.new_id()

    def leaves(c: Connection) -> bool:
        if store.in_quarantine(c):
            return False
        store.mark_leaves(c, account, mark)
        return True

    if not await parts.store.tx(leaves):
        return False
    outcome = await platforms.shopify.set_instance_mark(shown.installation_id, mark, shown.digest)
    ended_at = parts.clock.now()

    def ended(c: Connection) -> None:
        match outcome:
            case Confirmed():
                store.mark_confirmed(c, account, mark, ended_at)
            case Refused():
                # Somebody else moved it since we read it: the next comparison says who.
                store.mark_refused(c, account, mark)
                count(c, "mark_refused", platforms.rules.name)
            case _:
                count(c, "mark_unclear", platforms.rules.name)

    await parts.store.tx(ended)
    return False


def enter(c: Connection, because: str, now: datetime) -> bool:
    """Begin a quarantine: nothing is written any more, whatever was on its way is unclear, and the engineer is told.
    False when one is open already."""
    if not store.begin(c, because, now):
        return False
    everything_open_is_unclear(c, now)
    for row in all_connections(c):
        open_connection_case(
            c,
            row.id,
            Reason.QUARANTINE,
            "writes",
            f"{row.name}: nothing is written to any platform. {because} Orders are read and acceptance windows watched "
            "all the same; accept urgent ones in the portal. Find out which database is the current one. If it is this "
            "one, end the quarantine with `interlock quarantine leave`; if not, stop this one.",
            now,
        )
    count(c, "quarantine_entered")
    return True


def leave(c: Connection, who: str, why: str, now: datetime) -> bool:
    """End the quarantine in somebody's name and have every living order looked at with fresh readings. False when
    none is open."""
    if not store.end(c, who, why, now):
        return False
    for row in all_connections(c):
        because = f"{who} ended the quarantine: {why}"
        close_connection_cases(c, row.id, Reason.QUARANTINE, "writes", now, because)
    living = orders.c.mirakl_state.is_(None) | orders.c.mirakl_state.not_in((*DEAD, *GONE_OUT))
    c.execute(update(orders).where(living).values(mirakl_wanted_since=now, next_look_at=now))
    return True
