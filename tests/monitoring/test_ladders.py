"""When a rung is reached, in values."""

from datetime import UTC, datetime, timedelta

import pytest

from interlock.monitoring.ladders import (
    ACCEPTANCE,
    CARRIER,
    LADDERS,
    SHIPPING,
    Deadline,
    Ladder,
    next_rung_at,
    rungs_reached,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def window(hours: float) -> Deadline:
    return Deadline(NOON, NOON + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("ladder", "hours", "minutes", "percents"),
    [
        (ACCEPTANCE, 10, 0, []),
        (ACCEPTANCE, 10, 149, []),
        (ACCEPTANCE, 10, 150, [25]),
        (ACCEPTANCE, 10, 239, [25]),
        (ACCEPTANCE, 10, 240, [25, 40]),
        (ACCEPTANCE, 10, 360, [25, 40, 60]),
        (ACCEPTANCE, 10, 450, [25, 40, 60, 75]),
        (ACCEPTANCE, 10, 480, [25, 40, 60, 75, 80]),
        (ACCEPTANCE, 10, 600, [25, 40, 60, 75, 80, 100]),
        # a window under two hours: the first page at a quarter of it
        (ACCEPTANCE, 1.5, 22, []),
        (ACCEPTANCE, 1.5, 23, [25, 40]),
        # never less than 30 minutes between the first page and the end
        (ACCEPTANCE, 0.6, 6, [25, 40]),
        (ACCEPTANCE, 0.4, 0, [25, 40]),
        (SHIPPING, 10, 359, []),
        (SHIPPING, 10, 360, [60]),
        (SHIPPING, 10, 450, [60, 75]),
        (SHIPPING, 10, 480, [60, 75, 80]),
        (CARRIER, 10, 299, []),
        (CARRIER, 10, 300, [50]),
        (CARRIER, 10, 450, [50, 75]),
        (CARRIER, 10, 480, [50, 75, 80]),
        (SHIPPING, 1, 29, []),
        (SHIPPING, 1, 30, [60, 75]),
    ],
)
def test_the_rungs_of_a_deadline(ladder: Ladder, hours: float, minutes: int, percents: list[int]) -> None:
    reached = rungs_reached(ladder, window(hours), NOON + timedelta(minutes=minutes))

    assert [rung.percent for rung in reached] == percents


def test_the_next_rung_is_the_nearest_that_is_not_reached() -> None:
    assert next_rung_at(ACCEPTANCE, window(10), NOON) == NOON + timedelta(hours=2.5)
    assert next_rung_at(ACCEPTANCE, window(10), NOON + timedelta(hours=10)) is None


@pytest.mark.parametrize("ladder", LADDERS)
def test_a_ladder_only_gets_louder(ladder: Ladder) -> None:
    percents = [rung.percent for rung in ladder.rungs]
    loud = [rung.severity for rung in ladder.rungs]

    assert percents == sorted(set(percents))
    assert loud == sorted(loud, key=["message", "page"].index)
    assert ladder.rungs[-1].percent == 100
