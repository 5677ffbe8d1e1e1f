"""When an export of the offers is asked for and when it is given up, in values."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from interlock.offers.reading import (
    OVERLAP,
    Failure,
    OfferRead,
    changed_since,
    given_up,
    put_off,
    wanted_read,
)
from tests.build import NOW

HOUR = timedelta(hours=1)


def test_which_export_is_wanted() -> None:
    """All offers once a day, what changed when somebody waits for it and at most every five minutes."""
    fresh = OfferRead(asked_at=NOW, read_at=NOW, read_whole_at=NOW)
    later = NOW + timedelta(minutes=6)
    assert wanted_read(OfferRead(), NOW) == "whole"
    assert wanted_read(OfferRead(not_before=NOW + HOUR), NOW) is None
    assert wanted_read(fresh, NOW + 23 * HOUR) is None
    assert wanted_read(fresh, NOW + 24 * HOUR) == "whole"
    wanting = OfferRead(asked_at=NOW, read_at=NOW, read_whole_at=NOW, wanted_at=NOW + timedelta(minutes=1))
    assert wanted_read(wanting, NOW + timedelta(minutes=2)) is None
    assert wanted_read(wanting, later) == "changes"
    told = OfferRead(asked_at=NOW, read_at=later, read_whole_at=NOW, wanted_at=NOW + timedelta(minutes=1))
    assert wanted_read(told, NOW + HOUR) is None


OWED = OfferRead(whole_not_before=NOW + 20 * HOUR)
READ = replace(OWED, asked_at=NOW, read_at=NOW, read_whole_at=NOW - 24 * HOUR)


@pytest.mark.parametrize(
    ("read", "now", "wanted"),
    [
        pytest.param(OWED, NOW, "changes", id="nothing was ever read"),
        pytest.param(replace(OWED, asked_at=NOW), NOW + timedelta(minutes=4), None, id="one just asked for"),
        pytest.param(replace(OWED, not_before=NOW + HOUR), NOW, None, id="the changes have to wait, too"),
        pytest.param(READ, NOW + HOUR, None, id="nobody waits"),
        pytest.param(replace(READ, wanted_at=NOW + HOUR), NOW + HOUR, "changes", id="somebody waits"),
        pytest.param(
            replace(READ, read_at=NOW - 24 * HOUR),
            NOW + HOUR,
            "changes",
            id="nobody waits, but it is a day old",
        ),
        pytest.param(OWED, NOW + 20 * HOUR, "whole", id="all offers as early as may be"),
        pytest.param(
            replace(READ, wanted_at=NOW + HOUR), NOW + 20 * HOUR, "whole", id="all offers before changes"
        ),
        pytest.param(replace(READ, read_whole_at=NOW), NOW + HOUR, None, id="all offers are not owed"),
    ],
)
def test_while_all_offers_may_not_be_asked_for_what_changed_is(
    read: OfferRead, now: datetime, wanted: str | None
) -> None:
    assert wanted_read(read, now) == wanted


def test_what_could_not_be_asked_for_is_put_off() -> None:
    """An export of all offers for as long as it has to wait; what changed may be asked for five minutes later."""
    assert put_off(True, NOW, 19 * HOUR) == {
        "whole_not_before": NOW + 19 * HOUR,
        "not_before": NOW + timedelta(minutes=5),
    }
    soon = NOW + timedelta(minutes=1)
    assert put_off(True, NOW, timedelta(minutes=1)) == {"whole_not_before": soon, "not_before": soon}
    assert put_off(False, NOW, HOUR) == {"not_before": NOW + HOUR}


def test_a_differential_export_reaches_back_to_the_last_read_or_a_day() -> None:
    assert changed_since(OfferRead(read_at=NOW - HOUR), NOW) == NOW - HOUR - OVERLAP
    assert changed_since(OfferRead(), NOW) == NOW - 24 * HOUR - OVERLAP


@pytest.mark.parametrize(
    ("failure", "whole", "asked", "anew"),
    [
        ("unavailable", True, NOW - 9 * HOUR, False),
        ("unavailable", False, NOW - 9 * HOUR, False),
        ("refused", True, NOW, True),
        ("refused", False, NOW, True),
        ("unreadable", False, NOW, True),
        ("unreadable", True, NOW, False),
        ("unreadable", True, NOW - 2 * HOUR + timedelta(seconds=1), False),
        ("unreadable", True, NOW - 2 * HOUR, True),
        ("unreadable", True, None, True),
    ],
)
def test_what_could_not_be_read_is_asked_for_anew(
    failure: Failure, whole: bool, asked: datetime | None, anew: bool
) -> None:
    """The one export of all offers a day outlives an answer that was cut off; nothing outlives a no."""
    assert given_up(OfferRead("t", asked, whole), failure, NOW) is anew
