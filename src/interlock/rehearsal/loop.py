"""An asyncio event loop on virtual time whose interleaving a seed decides: the same seed is the same history."""

import asyncio
import collections
import heapq
import random
import selectors
from collections.abc import Mapping
from typing import Any


class NothingWillEverHappen(RuntimeError):
    """Every task waits for something that no timer will bring about."""

    def __init__(self) -> None:
        super().__init__("The simulated world stands still: every task waits and no timer is set.")


class _VirtualSelector(selectors.BaseSelector):
    """Never waits: when the loop is idle, its clock jumps to the next timer. Files are registered and never ready."""

    def __init__(self) -> None:
        self.loop: VirtualLoop | None = None
        self._map: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        key = selectors.SelectorKey(fileobj, 0, events, data)
        self._map[fileobj] = key
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._map.pop(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self._map[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return self._map[fileobj]

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise NothingWillEverHappen
        if timeout > 0 and self.loop is not None:
            self.loop.jump()
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._map

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        return self._map[fileobj]

    def close(self) -> None:
        self._map.clear()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Time starts at 0 and moves only when nothing else can run. `rng` shuffles what is ready at the same time."""

    _ready: "collections.deque[asyncio.Handle]"
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, rng: random.Random) -> None:
        self._virtual_now = 0.0
        self._rng = rng
        selector = _VirtualSelector()
        super().__init__(selector)
        selector.loop = self
        self._clock_resolution = 1e-9

    def time(self) -> float:
        return self._virtual_now

    def jump(self) -> None:
        """Move to the earliest timer that was not cancelled."""
        scheduled = self._scheduled
        while scheduled and scheduled[0].cancelled():
            handle = heapq.heappop(scheduled)
            handle._scheduled = False  # type: ignore[attr-defined]
        if scheduled:
            # Exactly the timer's moment: adding a difference would stop short of it by rounding.
            self._virtual_now = max(self._virtual_now, scheduled[0].when())

    def _run_once(self) -> None:
        ready = self._ready
        if len(ready) > 1:
            handles = list(ready)
            self._rng.shuffle(handles)
            ready.clear()
            ready.extend(handles)
        super()._run_once()  # type: ignore[misc]

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        raise RuntimeError(f"A thread was asked for ({func!r}); virtual time has none.")
