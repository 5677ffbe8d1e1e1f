"""Hands at the cases of a rehearsal, and the alert scheduler beside them: who takes a case, puts it off, comments, takes the
same alert as somebody else, and leaves an entry in the audit log each time.

None of it answers anything, so nothing of it may change what becomes of an order. Everything is drawn from a stream of its
own, so that a history without it stays the history it was.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from interlock.access.audit_log import Did, record
from interlock.cases import work
from interlock.cases.store import cases
from interlock.monitoring import outbox
from interlock.monitoring.duty import Alerting
from interlock.rehearsal.actors import Crowd
from interlock.rehearsal.world import World

T = TypeVar("T")

SHARE = 0.3
"""The share of histories with hands and alerts."""
PEOPLE = ("ada.agent", "bela.finance", "cleo.operations")
WORDS = b"CANARY-words-00000001: rang the customer, who calls back tomorrow."
TOLD_EVERY = 60.0
MEASURED_EVERY = 300.0


def stream(seed: int) -> random.Random:
    """What this room draws from."""
    return random.Random(f"{seed}:hands")


def are_busy(seed: int) -> bool:
    """Whether anybody works on cases besides answering them in this history."""
    return stream(seed).random() < SHARE


async def work_for_ever(seed: int, crowd: Crowd) -> None:
    """Somebody does something to a case now and then: to any, open or closed, whoever has it."""
    rng = stream(seed)
    rng.random()
    world = crowd.world
    while True:
        await asyncio.sleep(rng.choice((20.0, 90.0, 400.0)) * rng.uniform(0.5, 1.5))
        kind = rng.choice((_assign, _begin, _put_back, _snooze, _wake, _comment))
        who, to, hours, chosen = rng.choice(PEOPLE), rng.choice(PEOPLE), rng.uniform(0.05, 30.0), rng.random()
        act = kind(crowd, to, who, timedelta(hours=hours))
        if world.outage.down:
            continue
        now = world.service_clock.now()
        try:
            with world.database.begin() as c:
                case_id = _some_case(c, chosen)
                if case_id is None:
                    continue
                act(c, case_id)
                record(c, who, Did.CHANGED, f"case {case_id}", now=now, facts={"right": "work_cases"})
        except work.NotDone:
            crowd.did[f"hands{kind.__name__} refused"] += 1
        else:
            crowd.did[f"hands{kind.__name__}"] += 1


async def alert_for_ever(seed: int, crowd: Crowd) -> None:
    """The alert scheduler of one process; people acknowledge what it tells, twice at times."""
    rng = random.Random(f"{seed}:alerts")
    world = crowd.world
    alerting = Alerting(_OwnStore(world), world.service_clock, world.keyring)
    told = 0.0
    while True:
        await asyncio.sleep(TOLD_EVERY * rng.uniform(0.8, 1.2))
        told += TOLD_EVERY
        began = world.clock.now()
        try:
            made = await alerting.tell()
            crowd.told.append(began)
            if told >= MEASURED_EVERY:
                told = 0.0
                await alerting.measure()
        except OperationalError:
            crowd.did["alerts met an outage"] += 1
            continue
        crowd.did["alerts told"] += made
        if rng.random() < 0.5 and not world.outage.down:
            who, now = rng.choice(PEOPLE), world.service_clock.now()
            with world.database.begin() as c:
                latest = outbox.latest_alerts(c, 5)
                if latest:
                    seen = rng.choice(latest)
                    outbox.acknowledge(c, seen.id, who, now)
                    record(c, who, Did.ALERT_ACKNOWLEDGED, f"alert {seen.id}", now=now)
                    crowd.did["alert acknowledged"] += 1


@dataclass(frozen=True)
class _OwnStore:
    """The scheduler's way to the database. Commits that fail are drawn from a stream of others, so none of its own do."""

    world: World

    async def tx(self, fn: Callable[[Connection], T]) -> T:
        if self.world.outage.down:
            raise OperationalError("the database is down", None, ConnectionError("connection refused"))
        with self.world.database.begin() as connection:
            return fn(connection)


Act = Callable[[Connection, int], None]


def _some_case(c: Connection, chosen: float) -> int | None:
    found = c.execute(select(cases.c.id).where(cases.c.order_id.is_not(None)).order_by(cases.c.id))
    numbers = list(found.scalars())
    return numbers[int(chosen * len(numbers))] if numbers else None


def _assign(crowd: Crowd, to: str, who: str, length: timedelta) -> Act:
    now = crowd.world.service_clock.now()
    return lambda c, case_id: work.assign(c, case_id, to if length > timedelta(hours=5) else "", who, now)


def _begin(crowd: Crowd, to: str, who: str, length: timedelta) -> Act:
    now = crowd.world.service_clock.now()
    return lambda c, case_id: work.begin(c, case_id, who, now)


def _put_back(crowd: Crowd, to: str, who: str, length: timedelta) -> Act:
    now = crowd.world.service_clock.now()
    return lambda c, case_id: work.put_back(c, case_id, who, now)


def _snooze(crowd: Crowd, to: str, who: str, length: timedelta) -> Act:
    now, words = crowd.world.service_clock.now(), crowd.world.keyring.encrypt(WORDS)
    return lambda c, case_id: work.snooze(c, case_id, now + length, who, words, now)


def _wake(crowd: Crowd, to: str, who: str, length: timedelta) -> Act:
    now = crowd.world.service_clock.now()
    return lambda c, case_id: work.wake(c, case_id, who, now)


def _comment(crowd: Crowd, to: str, who: str, length: timedelta) -> Act:
    now, words = crowd.world.service_clock.now(), crowd.world.keyring.encrypt(WORDS)
    return lambda c, case_id: work.comment(c, case_id, who, words, now)
