"""After a person's word the marketplace is read at once, at growing distances, and then daily for a while."""

from datetime import timedelta

import pytest

from interlock.orders.portal import reads_after_a_word
from tests.build import NOW


@pytest.mark.parametrize(
    ("minutes", "since", "again"),
    [
        pytest.param(0, 0, 1, id="just said"),
        pytest.param(0.5, 0, 1, id="before the next read"),
        pytest.param(1, 1, 5, id="at the next read"),
        pytest.param(59, 15, 60, id="an hour later"),
        pytest.param(7 * 60, 6 * 60, 24 * 60, id="the next day"),
        pytest.param(40 * 60, 24 * 60, 48 * 60, id="the last day"),
        pytest.param(72 * 60, 48 * 60, None, id="looked for long enough"),
    ],
)
def test_what_was_done_in_the_portal_is_looked_for(minutes: float, since: int, again: int | None) -> None:
    found = reads_after_a_word(NOW, NOW + timedelta(minutes=minutes), days=2)

    assert found == (
        NOW + timedelta(minutes=since),
        None if again is None else NOW + timedelta(minutes=again),
    )
