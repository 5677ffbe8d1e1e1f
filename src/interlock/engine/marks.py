"""The mark of this installation in each shop: compared before anything is written, and moved every few minutes.

Two databases that both believe to be the current one cannot both be right: a backup that was restored, a copy that was
started beside the original, a database made anew. The shop remembers which of them wrote last.
"""

from datetime import datetime, timedelta
from typing import Literal

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
TRIED_AGAIN_AFTER = timedelta(seconds=15)
"""So soon is compared again what could not be compared. The workers share the wait."""

Comparison = Literal["moved on", "quarantine began", "left alone", "failed"]
"""What came of it: the mark was this database's and was moved; it was another's; another worker is at it or was lately, or a
quarantine is open anyway; or it is not known whose it is, as the shop was not read or did not take the new one."""

_STRANGER = (
    "This database does not know the mark that the shop shows, so another database wrote after it: a backup was "
    "restored, a copy is running beside it, or it was made anew."
)


async def keep_mark(
    parts: EngineParts, platforms: ConnectedPlatforms, every: timedelta | None = None
) -> Comparison:
    """Compare the shop's mark with this database's and move it on. What failed proves nothing: it is counted, and whoever
    asks once TRIED_AGAIN_AFTER has passed tries it again.

    With `every` nothing is done when some worker of this database moved the mark within that time: what one of them
    compared holds for all. A process that starts compares in any case.
    """
    account = platforms.shopify_account
    began = parts.clock.now()
    since = None if every is None else began - every
    before = await parts.store.tx(lambda c: store.claim(c, account, began, began + BUSY_FOR, since))
    if before is None:
        return "left alone"

    def failed(c: Connection, what: str, at: datetime) -> None:
        count(c, what, platforms.rules.name)
        store.give_back(c, account, at + TRIED_AGAIN_AFTER)

    try:
        shown = await platforms.shopify.instance_mark()
    except ReadFailed:
        unread_at = parts.clock.now()
        await parts.store.tx(lambda c: failed(c, "mark_unread", unread_at))
        return "failed"
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
        return "quarantine began" if quarantined else "left alone"
    outcome = await platforms.shopify.set_instance_mark(shown.installation_id, mark, shown.digest)
    ended_at = parts.clock.now()

    def ended(c: Connection) -> Comparison:
        match outcome:
            case Confirmed():
                store.mark_confirmed(c, account, mark, ended_at)
                store.give_back(c, account)
                return "moved on"
            case Refused():
                # Somebody else moved it since we read it: the next comparison says who.
                store.mark_refused(c, account, mark)
                failed(c, "mark_refused", ended_at)
            case _:
                failed(c, "mark_unclear", ended_at)
        return "failed"

    return await parts.store.tx(ended)


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
