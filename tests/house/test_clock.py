"""The clock and identifier ports: what production and simulation have in common."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from interlock.clock import Identifiers, LoopClock, SeededIdentifiers, SystemClock, SystemIdentifiers

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_the_system_clock_gives_aware_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_setting_the_machines_clock_changes_nothing_until_it_is_measured_again() -> None:
    machine, seconds = [START], [0.0]
    clock = SystemClock(lambda: machine[0], lambda: seconds[0])
    clock.follow(timedelta(seconds=30))

    machine[0] += timedelta(minutes=5)
    seconds[0] = 10.0

    assert clock.now() == START + timedelta(seconds=40)
    clock.follow(timedelta(minutes=-5))
    assert clock.now() == START


def test_a_loop_clock_follows_its_loop_from_its_start() -> None:
    seconds = [0.0]
    clock = LoopClock(lambda: seconds[0], START, skew=timedelta(seconds=-5))

    seconds[0] = 90.0

    assert clock.now() == START + timedelta(seconds=85)
    assert clock.monotonic() == 90.0


def test_a_loop_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware start"):
        LoopClock(lambda: 0.0, START.replace(tzinfo=None))


def test_sleeping_takes_the_loops_own_time() -> None:
    async def nap() -> float:
        loop = asyncio.get_running_loop()
        clock = LoopClock(loop.time, START)
        before = clock.monotonic()
        await clock.sleep(0.02)
        return clock.monotonic() - before

    assert 0.015 < asyncio.run(nap()) < 5


@pytest.mark.parametrize("source", [SystemIdentifiers(), SeededIdentifiers(random.Random(1))])
def test_identifiers_differ_and_are_version_seven(source: Identifiers) -> None:
    made = [source.new_id() for _ in range(1000)]

    assert len(set(made)) == 1000
    assert {UUID(one).version for one in made} == {7}
    assert {UUID(one).variant for one in made} == {"specified in RFC 4122"}


def test_seeded_identifiers_sort_in_the_order_they_were_made() -> None:
    source = SeededIdentifiers(random.Random(1))
    made = [source.new_id() for _ in range(100)]

    assert made == sorted(made)


def test_the_same_seed_makes_the_same_identifiers() -> None:
    first, second, other = (SeededIdentifiers(random.Random(seed)) for seed in (7, 7, 8))
    made = first.new_id()

    assert second.new_id() == made
    assert other.new_id() != made
