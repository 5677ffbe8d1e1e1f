"""The clock a simulated platform lives by: real, sped up, or driven by a test's event loop."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

DEFAULT_START = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


class PlatformClock:
    """Platform time in UTC.

    `source` returns seconds that only grow (a monotonic clock, or an event loop's own time); `speed` is
    platform seconds per source second. Both simulators of one world share one clock.
    """

    def __init__(
        self,
        source: Callable[[], float] = time.monotonic,
        start: datetime = DEFAULT_START,
        speed: float = 1.0,
    ) -> None:
        self._source = source
        self._origin = source()
        self._start = start
        self._speed = speed
        self._skipped = timedelta(0)

    def now(self) -> datetime:
        """The platform's time, aware, UTC."""
        elapsed = (self._source() - self._origin) * self._speed
        return self._start + timedelta(seconds=elapsed) + self._skipped

    def advance(self, seconds: float) -> None:
        """Skip ahead. Platform time never goes back: a negative step raises ValueError."""
        if seconds < 0:
            raise ValueError(f"A platform clock cannot go back, and {seconds} seconds were asked for.")
        self._skipped += timedelta(seconds=seconds)

    def source_seconds(self, platform_seconds: float) -> float:
        """How long to sleep on the source's own clock until `platform_seconds` have passed."""
        return platform_seconds / self._speed


def present_clock(speed: float = 1.0) -> PlatformClock:
    """A clock that begins at the machine's own present: for a platform that stands alone, whose callers ask for what
    changed since their own yesterday."""
    present = datetime.now(UTC)  # noqa: TID251 - nothing outside decides when a stand-alone platform begins
    return PlatformClock(start=present, speed=speed)
