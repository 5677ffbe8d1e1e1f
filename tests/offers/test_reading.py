"""When an export of the offers is asked for and when it is given up, in values."""

from datetime import datetime, timedelta

import pytest

from interlock.offers.reading import Failure, OfferRead, given_up, wanted_read
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
