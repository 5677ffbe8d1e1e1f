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
_STRANGER = (
    "This database does not know the mark that the shop shows, so another database wrote after it: a backup was "
    "restored, a copy is running beside it, or it was made anew."
)


async def keep_mark(
    parts: EngineParts, platforms: ConnectedPlatforms, every: timedelta | None = None
) -> bool:
    """Compare the shop's mark with this database's and move it on. True when the comparison began a quarantine. A shop
    that cannot be read is compared next time.

    With `every` nothing is done when some worker of this database moved the mark within that time: what one of them
    compared holds for all. A process that starts compares in any case.
    """
    account = platforms.shopify_account
    began = parts.clock.now()
    since = None if every is None else began - every
    before = await parts.store.tx(lambda c: store.claim(c, account, began, began + BUSY_FOR, since))
    if before is None:
        return False

    def unread(c: Connection) -> None:
        count(c, "mark_unread", platforms.rules.name)
        store.give_back(c, account)

    try:
        shown = await platforms.shopify.instance_mark()
    except ReadFailed:
        await parts.store.tx(unread)
        return False
    now = parts.clock.now()
    mark = parts.identifiers.new_id()

    def compared(c: Connection) -> tuple[bool, bool]:
        """Whether a quarantine began, and whether the mark is to be moved."""
        # A worker that was slow may have moved the mark while we read it, so what is kept is asked twice.
        after = store.kept_mark(c, account)
        began = False
        if judge(before, shown.value) == "stranger" and judge(after, shown.value) == "stranger":
            began = enter(c, _STRANGER, now)
        elif not store.in_quarantine(c):
            store.mark_leaves(c, account, mark)
            return False, True
        store.give_back(c, account)
        return began, False

    quarantined, moves = await parts.store.tx(compared)
    if not moves:
        return quarantined
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
        store.give_back(c, account)

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
        because = f"{who} ended the quarantine."
        close_connection_cases(c, row.id, Reason.QUARANTINE, "writes", now, because)
    living = orders.c.mirakl_state.is_(None) | orders.c.mirakl_state.not_in((*DEAD, *GONE_OUT))
    c.execute(update(orders).where(living).values(mirakl_wanted_since=now, next_look_at=now))
    return True
