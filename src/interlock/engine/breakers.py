"""A circuit breaker for each platform account: what calls came to, and how few go out while the platform fails.

A platform that asks for a pause is given it (`budgets`). One that fails without such a word (5xx, time-outs, broken connections,
a gateway's page in place of an answer) is left alone but for a few probes a minute, over all workers. Calls for an acceptance
or a hold never wait for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Integer, Row, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert as upsert

from interlock.engine.store import count
from interlock.orders.actions import Lane
from interlock.storage.database import metadata
from interlock.storage.types import UtcDateTime

PROBES_A_MINUTE = 5
PROBE_EVERY = timedelta(minutes=1) / PROBES_A_MINUTE
HALF = timedelta(seconds=30)
"""Outcomes are counted by halves of a minute, and the present half and the one before it count: what is judged is the last
half minute at least and the last minute at most."""
LEAST_FAILURES = 5
"""Fewer failures than this say nothing about the platform."""
UNHINDERED: tuple[Lane, ...] = ("acceptance", "holds")
"""Lanes whose calls go out whatever the breaker says: a deadline or a parcel does not wait."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the calls of the present and of the former half minute came to. `began` is when the present half began, None
    before the first call. A refusal counts as answered."""

    began: datetime | None = None
    failed: int = 0
    answered: int = 0
    failed_before: int = 0
    answered_before: int = 0

    def at(self, now: datetime) -> "Tally":
        """The same as it counts now: halves that are over move on, and what is older is forgotten. A clock that was set
        back begins anew."""
        if self.began is None or now < self.began - HALF or now >= self.began + 2 * HALF:
            return Tally(now)
        if now < self.began + HALF:
            return self
        return Tally(self.began + HALF, 0, 0, self.failed, self.answered)

    def plus(self, failed: int, answered: int, now: datetime) -> "Tally":
        """With so many calls more that ended now."""
        present = self.at(now)
        return replace(present, failed=present.failed + failed, answered=present.answered + answered)

    @property
    def failures(self) -> int:
        return self.failed + self.failed_before

    @property
    def answers(self) -> int:
        return self.answered + self.answered_before

    @property
    def says_it_fails(self) -> bool:
        """Whether so many calls failed, and more than half of all, that the platform is to be left alone."""
        return self.failures >= LEAST_FAILURES and self.failures > self.answers


@dataclass(frozen=True, slots=True)
class Breaker:
    """The breaker of one account. `opened_at` is since when it is open, None while it is closed; the next probe may go out
    at `probe_at`."""

    tally: Tally = Tally()
    opened_at: datetime | None = None
    probe_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.opened_at is not None

    def after(self, failed: int, answered: int, probed: bool, now: datetime) -> "Breaker":
        """The breaker after so many calls more. `probed` says that one of the answered was a probe: then it closes. It closes
        also when by all that was counted of late the platform does not fail any more, and counts anew from then on."""
        tally = self.tally.plus(failed, answered, now)
        if not self.is_open:
            return Breaker(tally, now, now + PROBE_EVERY) if tally.says_it_fails else Breaker(tally)
        if answered and (probed or tally.answers >= tally.failures):
            return Breaker(Tally(now))
        return replace(self, tally=tally)

    def wait(self, lane: Lane, now: datetime) -> float:
        """Seconds until a call of this lane may be the next probe; 0.0 where it need not be one, or may be it now."""
        if self.probe_at is None or lane in UNHINDERED:
            return 0.0
        # Further off than it is ever set: by a clock that was ahead.
        wait = (self.probe_at - now).total_seconds()
        return wait if 0.0 < wait <= PROBE_EVERY.total_seconds() else 0.0

    def probes(self, lane: Lane) -> bool:
        """Whether a call of this lane that goes out now is a probe."""
        return self.is_open and lane not in UNHINDERED

    def probed(self, now: datetime) -> "Breaker":
        """The breaker once a probe left."""
        return replace(self, probe_at=now + PROBE_EVERY)

    def is_troubled(self, now: datetime) -> bool:
        """Whether it is open, or any call failed of late: then answers are worth counting."""
        return self.is_open or self.tally.at(now).failures > 0


CLOSED = Breaker()


breakers = Table(
    "breakers",
    metadata,
    Column("account", Text, primary_key=True),
    # the present half minute of calls, and the one before it
    Column("half_began", UtcDateTime),
    Column("failed", Integer, nullable=False),
    Column("answered", Integer, nullable=False),
    Column("failed_before", Integer, nullable=False),
    Column("answered_before", Integer, nullable=False),
    # null while it is closed
    Column("opened_at", UtcDateTime),
    Column("probe_at", UtcDateTime),
)

_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("of_account"), 1)))
_OF = select(breakers).where(breakers.c.account.in_(bindparam("accounts", expanding=True)))
_KEEP = upsert(breakers)
_KEPT = _KEEP.on_conflict_do_update(
    index_elements=["account"],
    set_={column.name: _KEEP.excluded[column.name] for column in breakers.c if not column.primary_key},
)


def breakers_of(c: Connection, accounts: Sequence[str]) -> Mapping[str, Breaker]:
    """The breakers of these accounts; one that never counted a failure is closed."""
    found = {row.account: _breaker(row) for row in c.execute(_OF, {"accounts": accounts})}
    return {account: found.get(account, CLOSED) for account in accounts}


def open_breakers(c: Connection) -> Mapping[str, Breaker]:
    """Every breaker that is open, by account."""
    rows = c.execute(select(breakers).where(breakers.c.opened_at.is_not(None)).order_by(breakers.c.account))
    return {row.account: _breaker(row) for row in rows}


def count_ends(
    c: Connection, account: str, failed: int, answered: int, probed: bool, now: datetime
) -> Breaker:
    """Count calls of the account that ended: so many failed by the platform's own fault, so many were answered. Gives the
    breaker as it is then."""
    before = _locked(c, account)
    after = before.after(failed, answered, probed, now)
    _keep(c, account, after)
    if after.is_open != before.is_open:
        count(c, "breaker_opened" if after.is_open else "breaker_closed", account)
    return after


def take_turn(c: Connection, account: str, lane: Lane, now: datetime) -> tuple[float, Breaker]:
    """Take the next probe for a call of this lane if the breaker is open: the seconds until there is one, 0.0 when the call
    may leave, and the breaker as it is then."""
    breaker = _locked(c, account)
    wait = breaker.wait(lane, now)
    if wait > 0 or not breaker.probes(lane):
        return wait, breaker
    probed = breaker.probed(now)
    _keep(c, account, probed)
    return 0.0, probed


def _locked(c: Connection, account: str) -> Breaker:
    c.execute(_LOCK, {"of_account": account})
    return breakers_of(c, (account,))[account]


def _keep(c: Connection, account: str, breaker: Breaker) -> None:
    tally = breaker.tally
    c.execute(
        _KEPT,
        {
            "account": account,
            "half_began": tally.began,
            "failed": tally.failed,
            "answered": tally.answered,
            "failed_before": tally.failed_before,
            "answered_before": tally.answered_before,
            "opened_at": breaker.opened_at,
            "probe_at": breaker.probe_at,
        },
    )


def _breaker(row: Row[tuple[object, ...]]) -> Breaker:
    tally = Tally(row.half_began, row.failed, row.answered, row.failed_before, row.answered_before)
    return Breaker(tally, row.opened_at, row.probe_at)
