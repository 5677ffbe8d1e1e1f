"""The one place that reads time, sleeps, and makes identifiers, with twins driven by a loop and a seed."""

import asyncio
import random
import secrets
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how to wait. Everything that needs time is given one of these."""

    def now(self) -> datetime:
        """The present moment, aware and in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start that never go backwards: for durations only."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds on the running event loop's own clock."""
        ...


class Identifiers(Protocol):
    """Where new identifiers come from."""

    def new_id(self) -> str:
        """A new 32 digit hexadecimal identifier; identifiers made later by one source sort later."""
        ...


def _machine_time() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the port itself


class SystemClock:
    """The machine's clock, corrected by a measured offset so that all workers follow the database's clock.

    Between two measurements time passes at the pace of the monotonic clock, so that setting the machine's clock
    changes nothing here. `wall` and `monotonic` are the machine's two clocks; a rehearsal brings its own.
    """

    def __init__(
        self,
        wall: Callable[[], datetime] = _machine_time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._anchor = wall()
        self._anchored_at = monotonic()

    def now(self) -> datetime:
        return self._anchor + timedelta(seconds=self._monotonic() - self._anchored_at)

    def monotonic(self) -> float:
        return self._monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def follow(self, offset: timedelta) -> None:
        """From now on report the machine's present time plus `offset` (see `storage.database.clock_offset`)."""
        self._anchor = self._wall() + offset
        self._anchored_at = self._monotonic()


class LoopClock:
    """A clock that tells the time of an event loop, whose seconds need not pass at the speed of ours.

    `loop_time` is usually `loop.time`. `start` is the moment at which the loop's time is zero. `skew` is how far this clock is
    wrong: two workers of one simulation may be given different skews.
    """

    def __init__(
        self, loop_time: Callable[[], float], start: datetime, skew: timedelta = timedelta(0)
    ) -> None:
        if start.tzinfo is None:
            raise ValueError("LoopClock needs an aware start: a moment without a zone is not a moment.")
        self._loop_time = loop_time
        self._start = start.astimezone(UTC)
        self._skew = skew

    def now(self) -> datetime:
        return self._start + self._skew + timedelta(seconds=self._loop_time())

    def monotonic(self) -> float:
        return self._loop_time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _time_ordered(milliseconds: int, random_bits: int) -> str:
    """Lay out 48 bits of time and 74 random bits as a version 7 UUID (RFC 9562, section 5.7)."""
    upper = random_bits >> 62 & 0xFFF
    lower = random_bits & (1 << 62) - 1
    value = (milliseconds & (1 << 48) - 1) << 80 | 7 << 76 | upper << 64 | 0b10 << 62 | lower
    return uuid.UUID(int=value).hex


class SystemIdentifiers:
    """Identifiers from the machine's time (to the millisecond) and its source of randomness."""

    def new_id(self) -> str:
        return _time_ordered(time.time_ns() // 1_000_000, secrets.randbits(74))


class SeededIdentifiers:
    """Identifiers that a seed decides: a counter stands where the time would be."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._count = 0

    def new_id(self) -> str:
        self._count += 1
        return _time_ordered(self._count, self._rng.getrandbits(74))


def system_random() -> random.Random:
    """Unpredictable randomness for production (jitter, tokens); a simulation passes `random.Random(seed)`."""
    return random.SystemRandom()
