"""Call ceilings per platform account, shared by every worker through the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from interlock.clock import Clock
from interlock.engine.breakers import CLOSED, Breaker, Tally, breakers_of, count_ends, take_turn
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
ANSWERS_TOLD_EVERY_SECONDS = 5.0
"""While calls of an account fail, each worker tells so often at most how many of its own were answered."""


@dataclass(frozen=True, slots=True)
class Told:
    """What every worker knows of one account: until when which operation has to wait, and the breaker."""

    waits: Mapping[str, datetime]
    breaker: Breaker = CLOSED


def told_of(c: Connection, accounts: Sequence[str], now: datetime) -> dict[str, Told]:
    """What is known of these accounts, read in the caller's transaction."""
    waits, found = waits_of(c, accounts, now), breakers_of(c, accounts)
    return {account: Told(waits[account], found[account]) for account in accounts}


class SharedBudget:
    """The ceilings and the breaker of one account. An operation without a ceiling may always go, unless the platform said to
    wait, or fails.

    What a platform asked one worker to wait for, and that it fails, every worker knows within a second; what it asked this
    one, at once. Calls that are answered cost nothing here as long as none fails.
    """

    def __init__(self, store: Store, clock: Clock, account: str, ceilings: Mapping[str, Ceiling]) -> None:
        self._store = store
        self._clock = clock
        self.account = account
        self._ceilings = dict(ceilings)
        self._waits: dict[str, datetime] = {}
        self._breaker = CLOSED
        self._ends = Tally()
        self._told_at: float | None = None
        self._waits_read_at: float | None = None

    async def take(self, operation: str, lane: Lane) -> float:
        ceiling = self._ceilings.get(operation)
        if ceiling is None:
            now = self._clock.now()
            until = (await self._known_waits(now)).get(operation)
            if until is not None and until > now:
                return (until - now).total_seconds()
            if not self._breaker.probes(lane):
                return 0.0
            return self._breaker.wait(lane, now) or await self._counted(operation, lane, None)
        return await self._counted(operation, lane, ceiling)

    async def _counted(self, operation: str, lane: Lane, ceiling: Ceiling | None) -> float:
        while True:
            started, now = self._clock.monotonic(), self._clock.now()

            def ask(c: Connection, now: datetime = now) -> tuple[float, Breaker]:
                known = breakers_of(c, (self.account,))[self.account]
                wait = known.wait(lane, now)
                if wait == 0.0 and ceiling is not None:
                    wait = seconds_until_allowed(
                        c, self.account, operation, ceiling.calls, ceiling.window, now
                    )
                return (
                    (wait, known)
                    if wait > 0 or not known.probes(lane)
                    else take_turn(c, self.account, lane, now)
                )

            wait, self._breaker = await self._store.tx(ask)
            # A worker that stood still meanwhile has counted its call at a time that is long over.
            if self._clock.monotonic() - started <= COUNTED_WITHIN_SECONDS:
                return wait

    def held_back(self, lane: Lane) -> float:
        """Seconds for which a call of this lane need not be asked for, by what this worker knows: the platform fails."""
        return self._breaker.wait(lane, self._clock.now())

    async def ended(self, lane: Lane, failed: bool) -> None:
        now = self._clock.now()
        self._ends = self._ends.plus(int(failed), int(not failed), now)
        probed = not failed and self._breaker.probes(lane)
        if not (failed or probed or (self._breaker.is_troubled(now) and self._may_tell())):
            return
        self._told_at = self._clock.monotonic()
        told, self._ends = self._ends, Tally()
        try:
            self._breaker = await self._store.tx(
                lambda c: count_ends(c, self.account, told.failures, told.answers, probed, now)
            )
        except DBAPIError:
            # Not the call's failure: whoever made it learns how it ended, and the count goes with the next one.
            self._ends = self._ends.plus(told.failures, told.answers, now)

    def _may_tell(self) -> bool:
        told_at = self._told_at
        return told_at is None or self._clock.monotonic() - told_at >= ANSWERS_TOLD_EVERY_SECONDS

    async def told_to_wait(self, operation: str, seconds: float) -> None:
        until = self._clock.now() + timedelta(seconds=seconds)
        self._waits[operation] = until
        await self._store.tx(lambda c: wait_until(c, self.account, operation, until))

    async def _known_waits(self, now: datetime) -> Mapping[str, datetime]:
        asked_at = self._clock.monotonic()
        if self.wants_to_know(asked_at):
            shared = await self._store.tx(lambda c: told_of(c, (self.account,), now))
            self.hear(shared[self.account], now, asked_at)
        return self._waits

    def wants_to_know(self, at: float) -> bool:
        """Whether what this worker knows of the account from others is older than it may be, at this time on the clock that
        never goes back."""
        return self._waits_read_at is None or at - self._waits_read_at >= WAITS_KNOWN_FOR_SECONDS

    def hear(self, shared: Told, now: datetime, asked_at: float) -> None:
        """Take over what every worker was told, as it was read at `asked_at` on that clock."""
        self._waits_read_at = asked_at
        self._breaker = shared.breaker
        # What this worker was told while it read stays known.
        own = {operation: until for operation, until in self._waits.items() if until > now}
        self._waits = {**own, **shared.waits}
