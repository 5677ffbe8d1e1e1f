"""How often somebody may try to sign in: longer and longer waits, never a lock for ever."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Integer, Table, Text, delete, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.access.digests import keyed_digest
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

FORGOTTEN_AFTER = timedelta(hours=24)

throttles = Table(
    "throttles",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("failed_at", UtcDateTime, nullable=False),
    Column("until", UtcDateTime, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Rule:
    """`free` failures cost nothing; each later one doubles the wait, from a second up to `longest`."""

    kind: str
    free: int
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long the next attempt has to wait after so many failures."""
        if failures < self.free:
            return timedelta(0)
        return min(timedelta(seconds=2.0 ** min(failures - self.free, 20)), self.longest)


# From one place at one account: somebody who guesses, or who has forgotten.
HERE = Rule("account and address", 5, timedelta(minutes=15))
# From one place at all accounts: an office behind one address fails now and then.
PLACE = Rule("address", 30, timedelta(minutes=15))
# From everywhere at one account. The wait stays short, so that strangers cannot keep somebody out.
ACCOUNT = Rule("account", 50, timedelta(seconds=30))


class TooManyAttempts(Exception):
    """Too many attempts failed; the sentence says when the next may be made."""

    def __init__(self, until: datetime) -> None:
        super().__init__(
            f"Too many attempts to sign in have failed. Try again after {until:%H:%M:%S} UTC; nothing is locked for longer."
        )
        self.until = until


def subjects(key: bytes, handle: str, address: str) -> tuple[tuple[str, Rule], ...]:
    """What an attempt counts against, as digests: neither account nor address can be read from the table."""
    return (
        (keyed_digest(key, "throttle both", f"{handle}\0{address}"), HERE),
        (keyed_digest(key, "throttle address", address), PLACE),
        (keyed_digest(key, "throttle account", handle), ACCOUNT),
    )


def begin_attempt(c: Connection, of: tuple[tuple[str, Rule], ...], now: datetime) -> None:
    """Count an attempt as failed before it is looked at, so that many at once gain nothing. Raises TooManyAttempts."""
    waits = []
    for subject, _ in sorted(of, key=lambda pair: pair[0]):
        fresh = upsert(throttles).values(subject=subject, failures=0, failed_at=now, until=now)
        c.execute(fresh.on_conflict_do_nothing())
        row = c.execute(select(throttles).where(throttles.c.subject == subject).with_for_update()).one()
        if row.until > now:
            waits.append(row.until)
    if waits:
        raise TooManyAttempts(max(waits))
    for subject, rule in of:
        row = c.execute(select(throttles).where(throttles.c.subject == subject)).one()
        failures = 1 if now - row.failed_at > FORGOTTEN_AFTER else row.failures + 1
        c.execute(
            update(throttles)
            .where(throttles.c.subject == subject)
            .values(failures=failures, failed_at=now, until=now + rule.wait(failures))
        )


def succeeded(c: Connection, of: tuple[tuple[str, Rule], ...]) -> None:
    """Forget the failures of an attempt that was right; of its address only this one."""
    for subject, rule in of:
        mine = throttles.c.subject == subject
        if rule is PLACE:
            c.execute(
                update(throttles)
                .where(mine)
                .values(failures=throttles.c.failures - 1, until=throttles.c.failed_at)
            )
        else:
            c.execute(delete(throttles).where(mine))


def forget_old(c: Connection, now: datetime) -> None:
    """Delete what has been quiet for a day."""
    c.execute(delete(throttles).where(throttles.c.failed_at < now - FORGOTTEN_AFTER))
