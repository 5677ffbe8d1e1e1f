"""When the marketplace is read again after somebody said that something was done in its portal.

A change made in the portal may move no update date, so that no walk over changes shows it (Mirakl reference, OR11): after
a person's word the order is read by id at once, at growing distances, and then daily.
"""

from datetime import datetime, timedelta

_SOON = (
    timedelta(0),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
)


def reads_after_a_word(said_at: datetime, now: datetime, days: int) -> tuple[datetime, datetime | None]:
    """From when on the marketplace must have been read by now for what somebody said at `said_at`, and when that has to
    be younger next; None once it was looked for during `days` days."""
    moments = [said_at + later for later in (*_SOON, *(timedelta(days=day) for day in range(1, days + 1)))]
    since = max((moment for moment in moments if moment <= now), default=said_at)
    return since, min((moment for moment in moments if moment > now), default=None)
