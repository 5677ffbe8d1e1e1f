"""How long deliveries of the shop take to be answered: noted in memory, kept every few seconds together."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from interlock.logs import logger
from interlock.monitoring.measures import Latency
from interlock.monitoring.rollup import OF_NO_CONNECTION, add
from interlock.storage.database import Store

KEPT_EVERY = timedelta(seconds=10)
MOST_WAITING = 10_000


@dataclass
class IngressMeter:
    """Notes each answer. An answer of ours that failed counts as one that never came, and is kept like any other: nothing may
    succeed for hours. While the database is away at most
    MOST_WAITING notes wait."""

    store: Store
    waiting: list[Latency] = field(default_factory=list)
    kept_at: datetime | None = None

    async def note(self, now: datetime, seconds: float, status: int) -> None:
        """Note one answer, and keep what waits if it is time."""
        if len(self.waiting) < MOST_WAITING:
            self.waiting.append(Latency("ingress", now, float("inf") if status >= 500 else seconds))
        if self.kept_at is not None and now - self.kept_at < KEPT_EVERY:
            return
        # However this ends: a database that is away makes one answer wait in so many seconds, and not every one.
        self.kept_at = now
        mine, self.waiting = self.waiting, []
        try:
            await self.store.tx(lambda c: add(c, OF_NO_CONNECTION, mine))
        except (DBAPIError, PoolTimeout) as error:
            self.waiting = [*mine, *self.waiting][:MOST_WAITING]
            logger().warning("count.lost", task="ingress", exc_info=error)
