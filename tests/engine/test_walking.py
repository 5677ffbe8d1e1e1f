"""A walk that failed is made again sooner than the next one is due, within what the marketplace takes."""

from datetime import timedelta

import pytest

from interlock.engine.walking import again_after, stale_after
from interlock.orders.view import Unread, unread_since
from tests.build import NOW


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


@pytest.mark.parametrize(
    ("poll", "ok_ago", "pause", "too_many", "wait"),
    [
        (300, 300, 0, False, 120),  # the first that failed
        (300, 420, 0, False, 120),
        (300, 540, 0, False, 240),  # the waits double
        (300, 900, 0, False, 300),  # and end at the interval
        (300, 9000, 0, False, 300),
        (60, 60, 0, False, 60),
        (30, 30, 0, False, 30),  # nobody waits longer than the interval
        (120, 120, 0, False, 120),
        (300, 300, 150, False, 150),  # the marketplace asks for it
        (300, 300, 900, False, 900),
        (900, 900, 0, False, 900),  # an external partner's key takes no walk in between
        (900, 1800, 0, False, 900),
        (600, 600, 0, False, 120),
        (300, 300, 0, True, 300),  # refused for load
        (300, None, 0, False, 300),  # it has never worked
    ],
)
def test_how_long_a_walk_that_failed_waits(
    poll: float, ok_ago: float | None, pause: float, too_many: bool, wait: float
) -> None:
    last = None if ok_ago is None else NOW - seconds(ok_ago)
    assert again_after(seconds(poll), last, NOW, seconds(pause), too_many) == seconds(wait)


@pytest.mark.parametrize(("poll", "old"), [(60, 900), (225, 900), (300, 1200), (900, 3600)])
def test_a_marketplace_is_unread_after_a_quarter_of_an_hour_or_four_intervals(
    poll: float, old: float
) -> None:
    old_after = stale_after(seconds(poll))

    assert unread_since(NOW - seconds(old), old_after, NOW) is None
    since = NOW - seconds(old + 1)
    assert unread_since(since, old_after, NOW) == Unread(since, since + seconds(old))


def test_a_marketplace_that_was_never_read_is_not_called_unread() -> None:
    assert unread_since(None, seconds(900), NOW) is None
