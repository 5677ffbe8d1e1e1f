"""The window's rungs, and its floor rules for short windows."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from interlock.acceptance.window import RUNGS, Window, due_at, starts_at, window_of
from interlock.orders.memory import Memory
from tests.build import CREATED, NOW, some_rules

lengths = st.timedeltas(timedelta(minutes=1), timedelta(days=9))


def window(length: timedelta) -> Window:
    return Window(NOW + length, length)


def test_a_long_window_has_its_rungs_where_the_percent_says() -> None:
    assert window(timedelta(hours=100)).at(40) == NOW + timedelta(hours=40)
    assert window(timedelta(hours=100)).at(10) == NOW + timedelta(hours=10)


def test_a_window_under_two_hours_pages_at_a_quarter() -> None:
    assert window(timedelta(minutes=100)).at(40) == NOW + timedelta(minutes=25)


def test_the_first_page_leaves_half_an_hour() -> None:
    assert window(timedelta(minutes=36)).at(40) == NOW + timedelta(minutes=6)
    assert window(timedelta(minutes=20)).at(40) == NOW


@given(lengths)
def test_rungs_never_go_back_and_never_leave_the_window(length: timedelta) -> None:
    moments = [window(length).at(percent) for percent in RUNGS]
    assert moments == sorted(moments)
    assert moments[0] >= NOW
    assert moments[-1] == NOW + length
    assert moments[RUNGS.index(40)] <= max(NOW, NOW + length - timedelta(minutes=30))


def test_the_window_counts_from_the_orders_creation() -> None:
    assert due_at(some_rules(), starts_at(CREATED, NOW, seen_before=False)) == CREATED + timedelta(days=2)


def test_time_we_saw_it_spend_in_staging_does_not_count() -> None:
    assert due_at(some_rules(), starts_at(CREATED, NOW, seen_before=True)) == NOW + timedelta(days=2)


def test_a_connection_without_a_window_has_no_due_time() -> None:
    assert due_at(some_rules(acceptance_window=None), CREATED) is None
    assert window_of(some_rules(acceptance_window=None), Memory(acceptance_due_at=NOW)) is None
