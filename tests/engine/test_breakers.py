"""The circuit breaker of an account: when it opens and closes, what waits for a turn, and what it costs."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import OperationalError

from interlock.clock import LoopClock
from interlock.engine.breakers import (
    CLOSED,
    PROBE_EVERY,
    Breaker,
    Tally,
    breakers,
    breakers_of,
    count_ends,
    open_breakers,
)
from interlock.engine.budgets import MIRAKL_CEILINGS, SharedBudget
from interlock.engine.store import counts
from interlock.orders.actions import Lane
from interlock.storage.database import Database, InlineStore

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def lived(*ends: tuple[float, int, int]) -> Breaker:
    """The breaker after calls that ended at so many seconds: so many failed, so many were answered."""
    breaker = CLOSED
    for seconds, failed, answered in ends:
        breaker = breaker.after(failed, answered, False, at(seconds))
    return breaker


@pytest.mark.parametrize(
    ("ends", "is_open"),
    [
        (((0, 4, 0),), False),
        (((0, 5, 0),), True),
        (((0, 0, 5), (1, 5, 0)), False),
        (((0, 0, 4), (1, 5, 0)), True),
        # The former half minute counts, and what is older does not.
        (((0, 3, 0), (31, 2, 0)), True),
        (((0, 3, 0), (61, 2, 0)), False),
        (((0, 0, 20), (61, 5, 0)), True),
        (((0, 3, 0), (20, 0, 1), (35, 2, 0)), True),
    ],
)
def test_it_opens_when_most_calls_of_the_last_minute_failed(
    ends: tuple[tuple[float, int, int], ...], is_open: bool
) -> None:
    assert lived(*ends).is_open is is_open


def test_it_stays_open_until_a_probe_is_answered_and_counts_anew_then() -> None:
    opened = lived((0, 5, 0))
    assert opened.opened_at == NOW
    later = opened.after(3, 0, False, at(300))
    assert later.opened_at == NOW
    # One answer among failures, to a call that did not have to wait, is not enough.
    assert later.after(0, 1, False, at(301)).is_open
    closed = later.after(0, 1, True, at(301))
    assert (closed.is_open, closed.tally) == (False, Tally(at(301)))
    assert not closed.after(4, 0, False, at(302)).is_open


def test_it_closes_without_a_probe_once_as_many_are_answered_as_fail() -> None:
    opened = lived((0, 5, 0))
    assert opened.after(0, 4, False, at(5)).is_open
    assert not opened.after(0, 5, False, at(5)).is_open
    # Nobody probed for long, and an acceptance is answered: nothing that still counts says that it fails.
    assert not opened.after(0, 1, False, at(120)).is_open


def test_a_clock_that_was_set_back_keeps_nobody_waiting() -> None:
    opened = lived((0, 5, 0))
    assert opened.wait("edits", at(0)) == 12.0
    assert opened.wait("edits", at(-3600)) == 0.0
    assert Tally(NOW, 7, 0).at(at(-3600)) == Tally(at(-3600))


@pytest.mark.parametrize(
    ("lane", "waits"),
    [("acceptance", 0.0), ("holds", 0.0), ("edits", 7.0), ("shipping", 7.0), ("rest", 7.0)],
)
def test_only_acceptances_and_holds_do_not_wait(lane: Lane, waits: float) -> None:
    assert lived((0, 5, 0)).wait(lane, at(5)) == waits
    assert CLOSED.wait(lane, at(5)) == 0.0


class Counted(InlineStore):
    """Counts its transactions; `away` refuses them."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.number = 0
        self.away = False

    async def tx(self, fn: Callable[[Connection], Any]) -> Any:
        self.number += 1
        if self.away:
            raise OperationalError("away", {}, Exception())
        return await super().tx(fn)


class Workers:
    """Two workers' budgets of one account on one clock."""

    def __init__(self, database: Database) -> None:
        self.seconds = 0.0
        clock = LoopClock(lambda: self.seconds, NOW)
        self.store = Counted(database)
        self.first, self.second = (
            SharedBudget(self.store, clock, "shop a", MIRAKL_CEILINGS) for _ in range(2)
        )

    async def fail(self, times: int = 5) -> None:
        for _ in range(times):
            await self.first.ended("edits", failed=True)


@pytest.fixture
def workers(database: Database) -> Workers:
    return Workers(database)


def test_at_most_five_probes_a_minute_leave_over_all_workers(workers: Workers) -> None:
    async def a_minute() -> list[float]:
        await workers.fail()
        workers.seconds = 12.0
        left = []
        while workers.seconds < 72.0:
            for budget in (workers.first, workers.second):
                for operation in ("order", "OR30"):
                    if await budget.take(operation, "edits") == 0.0:
                        left.append(workers.seconds)
                        await budget.ended("edits", failed=True)
            workers.seconds += 0.5
        return left

    assert asyncio.run(a_minute()) == [12.0, 24.0, 36.0, 48.0, 60.0]


def test_an_acceptance_leaves_at_once_and_a_counted_call_waits_without_being_counted(
    workers: Workers,
) -> None:
    async def calls() -> list[float]:
        await workers.fail()
        taken = [await workers.second.take("OR21", "acceptance"), await workers.second.take("OR04", "rest")]
        taken.append(workers.second.held_back("shipping"))
        workers.seconds = 12.0
        taken += [await workers.second.take("OR04", "rest"), await workers.first.take("OR23", "shipping")]
        workers.seconds = 24.0
        # Its own ceiling holds this one back, and no probe is spent on it.
        return [
            *taken,
            await workers.first.take("OR04", "rest"),
            await workers.first.take("OR23", "shipping"),
        ]

    assert asyncio.run(calls()) == [0.0, 12.0, 12.0, 0.0, 12.0, 48.0, 0.0]


def test_an_answered_probe_of_one_worker_lets_the_others_go_within_a_second(workers: Workers) -> None:
    async def calls() -> list[float]:
        await workers.fail()
        taken = [await workers.second.take("order", "edits")]
        workers.seconds = 12.0
        taken.append(await workers.first.take("order", "edits"))
        await workers.first.ended("edits", failed=False)
        workers.seconds = 13.0
        return [
            *taken,
            await workers.second.take("order", "edits"),
            await workers.second.take("order", "rest"),
        ]

    assert asyncio.run(calls()) == [12.0, 0.0, 0.0, 0.0]


def test_what_is_counted_is_what_both_workers_met(workers: Workers, database: Database) -> None:
    async def calls() -> None:
        for _ in range(5):
            await workers.second.ended("edits", failed=False)
        await workers.fail(1)
        # The second worker hears of a failure, and tells what was answered to it.
        workers.seconds = 1.0
        await workers.second.take("order", "edits")
        await workers.second.ended("edits", failed=False)
        await workers.fail(5)

    asyncio.run(calls())
    with database.begin() as c:
        row = c.execute(select(breakers)).one()
    assert (row.failed, row.answered, row.opened_at) == (6, 6, None)


def test_answered_calls_cost_no_transaction_while_none_fails(workers: Workers) -> None:
    async def calls() -> int:
        await workers.first.take("order", "edits")
        before = workers.store.number
        for _ in range(100):
            await workers.first.ended("edits", failed=False)
            await workers.first.take("order", "edits")
        return workers.store.number - before

    assert asyncio.run(calls()) == 0


def test_a_count_that_could_not_be_kept_goes_with_the_next_one(workers: Workers, database: Database) -> None:
    async def calls() -> None:
        workers.store.away = True
        await workers.fail(4)
        workers.store.away = False
        await workers.fail(1)

    asyncio.run(calls())
    with database.begin() as c:
        assert [*open_breakers(c)] == ["shop a"]


def test_opening_and_closing_are_counted_for_the_account_alone(database: Database) -> None:
    with database.begin() as c:
        count_ends(c, "shop a", 5, 0, False, NOW)
        count_ends(c, "shop b", 4, 0, False, NOW)
        assert [*open_breakers(c)] == ["shop a"]
        count_ends(c, "shop a", 0, 1, True, NOW + PROBE_EVERY)
        assert breakers_of(c, ("shop a", "new")) == {
            "shop a": Breaker(Tally(NOW + PROBE_EVERY)),
            "new": CLOSED,
        }
        told = counts(c)
    assert told == {("breaker_opened", "shop a"): 1, ("breaker_closed", "shop a"): 1}
