"""A real event loop on which a day passes faster: its sockets are real, its seconds are shorter."""

import asyncio
import selectors
from collections.abc import Mapping
from typing import Any

from interlock.clock import SystemClock


class _HastySelector(selectors.BaseSelector):
    """Waits for real sockets, but only as long as the loop's shorter seconds last, and counts what passed."""

    def __init__(self, speed: float) -> None:
        self._inner = selectors.DefaultSelector()
        self.speed = speed
        self._clock = SystemClock()
        self.passed = 0.0

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._inner.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is not None and timeout <= 0:
            return self._inner.select(0)
        began = self._clock.monotonic()
        ready = self._inner.select(None if timeout is None else timeout / self.speed)
        waited = (self._clock.monotonic() - began) * self.speed
        if timeout is not None:
            # Never past the next timer: a machine that woke us late makes the day longer, not wrong.
            waited = min(waited, timeout) if ready else timeout
        self.passed += waited
        return ready

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._inner.get_map()

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._inner.get_key(fileobj)

    def close(self) -> None:
        self._inner.close()


class HastyLoop(asyncio.SelectorEventLoop):
    """Its time starts at 0 and passes `speed` times as fast as ours while it waits, and not at all while it works.

    Everything in a rehearsal reads the loop's time, so platforms, people and service hurry together. Because work
    takes no time of the day, a slow machine shows the same day, only later: nobody misses a deadline for being
    watched. `speed` is above 0.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._hasty = _HastySelector(speed)
        super().__init__(self._hasty)
        self._clock_resolution = 1e-9

    def slow_down(self, speed: float) -> None:
        """Let time pass `speed` times as fast as ours from now on."""
        self.speed = self._hasty.speed = speed

    def time(self) -> float:
        return self._hasty.passed
