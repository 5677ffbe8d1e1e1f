"""Which orders lose when more was sold than there is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from interlock.inventory.oversell import Sold, proposal, sentence

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def sold(number: int, units: int, hours: int | None, value: str) -> Sold:
    due = None if hours is None else NOW + timedelta(hours=hours)
    return Sold(number, "atlas", f"M-{number}", units, due, Decimal(value))


def test_there_is_enough() -> None:
    assert proposal((sold(1, 2, 1, "5"), sold(2, 3, 1, "5")), 5) is None


def test_the_nearest_deadline_goes_first_then_the_value() -> None:
    late, dear, cheap = sold(1, 1, 9, "900"), sold(2, 1, 2, "50"), sold(3, 1, 2, "10")
    found = proposal((late, dear, cheap), 2)
    assert found is not None
    assert [order.order_id for order in found.served] == [2, 3]
    assert [order.order_id for order in found.losing] == [1]


def test_an_order_that_cannot_be_served_whole_makes_room_for_a_smaller_one() -> None:
    found = proposal((sold(1, 3, 1, "50"), sold(2, 1, 2, "10"), sold(3, 1, None, "99")), 2)
    assert found is not None
    assert [order.order_id for order in found.served] == [2, 3]


def test_the_sentence_names_both_and_what_to_do() -> None:
    found = proposal((sold(1, 1, 1, "50.00"), sold(2, 1, 2, "10.00")), 1)
    assert found is not None
    said = sentence("A-1", 1, found)
    assert said.startswith("2 units of A-1 were sold on marketplaces and wait for stock, and 1 are there.")
    assert "served: M-1 on atlas (1, due 26 November 13:00 UTC, 50.00)" in said
    assert "would not: M-2 on atlas" in said


orders = st.lists(
    st.builds(
        sold,
        st.integers(1, 99),
        st.integers(1, 5),
        st.none() | st.integers(1, 50),
        st.sampled_from(["5", "9"]),
    ),
    max_size=8,
).map(tuple)


@given(orders, st.integers(-5, 30))
def test_nobody_is_forgotten_and_nobody_is_served_from_nothing(
    asked: tuple[Sold, ...], available: int
) -> None:
    found = proposal(asked, available)
    if found is None:
        assert sum(order.units for order in asked) <= max(available, 0)
        return
    assert sorted((*found.served, *found.losing), key=id) == sorted(asked, key=id)
    assert sum(order.units for order in found.served) <= max(available, 0)
    assert found.losing
