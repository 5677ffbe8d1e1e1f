"""Call ceilings per platform account, shared by every worker through the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from interlock.clock import Clock
from interlock.engine.store import seconds_until_allowed, wait_until
from interlock.orders.actions import Lane
from interlock.storage.database import Store


@dataclass(frozen=True, slots=True)
class Ceiling:
    """At most `calls` calls within any `window`."""

    calls: int
    window: timedelta


# Published maxima of the seller API (Mirakl reference, section 2). OR11 walks are paced by the read desk, whose
# event reads are counted apart as OR11:event. Calls per business event have no ceiling of their own.
MIRAKL_CEILINGS: Mapping[str, Ceiling] = {
    "OR04": Ceiling(1, timedelta(minutes=1)),
    "A01": Ceiling(4, timedelta(days=1)),
    "RE01": Ceiling(4, timedelta(days=1)),
    "SH12": Ceiling(4, timedelta(days=1)),
    "SH21": Ceiling(4, timedelta(days=1)),
    "ST12": Ceiling(1, timedelta(minutes=5)),
}


class SharedBudget:
    """The ceilings of one account. An operation without a ceiling may always go, unless the platform said to wait."""

    def __init__(self, store: Store, clock: Clock, account: str, ceilings: Mapping[str, Ceiling]) -> None:
        self._store = store
        self._clock = clock
        self._account = account
        self._ceilings = dict(ceilings)
        self._waiting: set[str] = set()

    async def take(self, operation: str, lane: Lane) -> float:
        del lane  # every ceiling we know is per operation, and each operation belongs to one lane
        ceiling = self._ceilings.get(operation)
        if ceiling is None and operation not in self._waiting:
            return 0.0
        now = self._clock.now()
        limit = None if ceiling is None else ceiling.calls
        window = timedelta(0) if ceiling is None else ceiling.window
        wait = await self._store.tx(
            lambda c: seconds_until_allowed(c, self._account, operation, limit, window, now)
        )
        if ceiling is None and wait == 0.0:
            self._waiting.discard(operation)
        return wait

    async def told_to_wait(self, operation: str, seconds: float) -> None:
        self._waiting.add(operation)
        until = self._clock.now() + timedelta(seconds=seconds)
        await self._store.tx(lambda c: wait_until(c, self._account, operation, until))
