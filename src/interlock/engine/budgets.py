"""Call ceilings per platform account, shared by every worker through the database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from interlock.clock import Clock
from interlock.engine.store import seconds_until_allowed, wait_until, waits_of
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
    "OF52": Ceiling(1, timedelta(minutes=1)),
    "OF52:full": Ceiling(1, timedelta(hours=20)),
    "OF53": Ceiling(1, timedelta(seconds=10)),
    "STO01": Ceiling(1, timedelta(minutes=1)),
    "STO02": Ceiling(1, timedelta(seconds=15)),
    "STO03": Ceiling(1, timedelta(minutes=1)),
}


WAITS_KNOWN_FOR_SECONDS = 1.0
COUNTED_WITHIN_SECONDS = 2.0


class SharedBudget:
    """The ceilings of one account. An operation without a ceiling may always go, unless the platform said to wait.

    What a platform asked one worker to wait for, every worker knows within a second; what it asked this one, at once.
    """

    def __init__(self, store: Store, clock: Clock, account: str, ceilings: Mapping[str, Ceiling]) -> None:
        self._store = store
        self._clock = clock
        self.account = account
        self._ceilings = dict(ceilings)
        self._waits: dict[str, datetime] = {}
        self._waits_read_at: float | None = None

    async def take(self, operation: str, lane: Lane) -> float:
        del lane  # every ceiling we know is per operation, and each operation belongs to one lane
        ceiling = self._ceilings.get(operation)
        if ceiling is None:
            now = self._clock.now()
            until = (await self._known_waits(now)).get(operation)
            return 0.0 if until is None or until <= now else (until - now).total_seconds()
        return await self._counted(operation, ceiling.calls, ceiling.window)

    async def _counted(self, operation: str, limit: int, window: timedelta) -> float:
        while True:
            started, now = self._clock.monotonic(), self._clock.now()

            def ask(c: Connection, now: datetime = now) -> float:
                return seconds_until_allowed(c, self.account, operation, limit, window, now)

            wait = await self._store.tx(ask)
            # A worker that stood still meanwhile has counted its call at a time that is long over.
            if self._clock.monotonic() - started <= COUNTED_WITHIN_SECONDS:
                return wait

    async def told_to_wait(self, operation: str, seconds: float) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        self._waits[operation] = until
        await self._store.tx(lambda c: wait_until(c, self.account, operation, until))

    async def _known_waits(self, now: datetime) -> Mapping[str, datetime]:
        asked_at = self._clock.monotonic()
        if self.wants_to_know(asked_at):
            shared = await self._store.tx(lambda c: waits_of(c, (self.account,), now))
            self.hear(shared[self.account], now, asked_at)
        return self._waits

    def wants_to_know(self, at: float) -> bool:
        """Whether what this worker knows of the waits of others is older than it may be, at this time on the clock that
        never goes back."""
        return self._waits_read_at is None or at - self._waits_read_at >= WAITS_KNOWN_FOR_SECONDS

    def hear(self, shared: Mapping[str, datetime], now: datetime, asked_at: float) -> None:
        """Take over what every worker was told, as it was read at `asked_at` on that clock."""
        self._waits_read_at = asked_at
        # What this worker was told while it read stays known.
        own = {operation: until for operation, until in self._waits.items() if until > now}
        self._waits = {**own, **shared}
