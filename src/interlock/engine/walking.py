"""When a walk over a marketplace's orders that failed is made again, and when what was walked is too old to rely on."""

from datetime import datetime, timedelta

AGAIN_AFTER = timedelta(minutes=2)
"""Mirakl takes one walk a minute at most (OR11, default persona), and one whose answer did not come may still be on its way
to it: after twice the minute neither is counted with the other."""
PARTNERS_WALK_EVERY = timedelta(minutes=15)
"""A key of an external partner may walk no more often than this, whatever failed. The API does not tell whose key it is, so
an interval as long as this says so."""
LISTS_MAY_LAG = timedelta(minutes=2)
"""How old what a walk shows is taken to be, unless its date proves it younger: nothing promises that lists of OR11 show
a write at once (Mirakl reference 15.7), so only a read by id tells what followed one of ours."""
STALE_AFTER = timedelta(minutes=15)
"""So long ago a marketplace may have been read while what it showed is still acted on."""


def stale_after(poll_every: timedelta) -> timedelta:
    """How old the last read of a marketplace may be that is walked every `poll_every`. Changes are walked every second time,
    so that one walk that failed is no reason to stop anything."""
    return max(STALE_AFTER, 4 * poll_every)


def again_after(
    poll_every: timedelta, last_ok_at: datetime | None, now: datetime, pause: timedelta, too_many: bool
) -> timedelta:
    """How long to wait after a walk that failed `now`, where one is due every `poll_every`: two minutes, then as long as
    it has been failing, so that the waits double, and never longer than the interval, unless the marketplace asks for a longer
    `pause`. One that was refused for load (`too_many`), has never worked, or may be a partner's waits the whole
    interval."""
    if too_many or last_ok_at is None or poll_every >= PARTNERS_WALK_EVERY:
        return max(pause, poll_every)
    failing_for = now - (last_ok_at + poll_every)
    return max(pause, min(poll_every, max(AGAIN_AFTER, failing_for)))
