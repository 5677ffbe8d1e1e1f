"""The calculated-cost bucket: one per app and shop (reference 4.1)."""

from dataclasses import dataclass
from datetime import datetime

_RESTORE_PER_SECOND = {"standard": 100.0, "development": 100.0, "plus": 1000.0}
_BUCKET_SECONDS = 20


@dataclass
class CostBucket:
    """Points available to one app in one shop, refilled at `restore_rate` points per second."""

    maximum: float
    restore_rate: float
    available: float
    counted_at: datetime

    @classmethod
    def of_plan(cls, plan: str, now: datetime) -> "CostBucket":
        rate = _RESTORE_PER_SECOND[plan]
        return cls(rate * _BUCKET_SECONDS, rate, rate * _BUCKET_SECONDS, now)

    def refill(self, now: datetime) -> None:
        seconds = max(0.0, (now - self.counted_at).total_seconds())
        self.available = min(self.maximum, self.available + seconds * self.restore_rate)
        self.counted_at = now

    def take(self, points: int, now: datetime) -> bool:
        """The requested cost must be there before execution; False means THROTTLED."""
        self.refill(now)
        if points > self.available:
            return False
        self.available -= points
        return True

    def give_back(self, points: int) -> None:
        """The difference between requested and actual cost."""
        self.available = min(self.maximum, self.available + points)

    def status(self) -> dict[str, float | int]:
        return {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": int(self.available),
            "restoreRate": self.restore_rate,
        }
