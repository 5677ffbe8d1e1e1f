"""Which orders lose when more was sold than there is."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.inventory.oversell import Sold, may_lose, proposal, sentence
from interlock.orders.reasons import Reason

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
    said = sentence("A-1", 1, found, "atlas")
    assert said.startswith("2 units of A-1 were sold on marketplaces and wait for stock, and 1 are there.")
    assert "served: M-1 on atlas (1, due 26 November 13:00 UTC, 50.00)" in said
    assert "would not: M-2 on atlas" in said


def test_the_sentence_counts_what_other_marketplaces_sold_and_names_none_of_it() -> None:
    found = proposal((sold(1, 1, 1, "50.00"), sold(2, 1, 2, "10.00"), sold(3, 2, 3, "10.00")), 1)
    assert found is not None
    said = sentence("A-1", 1, found, "borealis")
    assert "these would be served: 1 order of other marketplaces (1); and these would not: 2 orders" in said
    assert "2 orders of other marketplaces (3)." in said
    assert "atlas" not in said
    assert "M-1" not in said


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


@pytest.mark.parametrize(
    ("reason", "state", "in_shopify", "by_itself", "may"),
    [
        (Reason.STOCK_SHORT, "WAITING_ACCEPTANCE", False, False, True),
        (Reason.SKU_UNKNOWN, "WAITING_ACCEPTANCE", False, False, True),
        (Reason.SKU_AMBIGUOUS, "WAITING_ACCEPTANCE", False, False, True),
        # what might still create the order, or says nothing of it
        (Reason.ACCEPTANCE_RUNNING_OUT, "WAITING_ACCEPTANCE", False, False, False),
        (Reason.IMPORT_REFUSED, "WAITING_ACCEPTANCE", False, False, False),
        # an order or a draft of it is there
        (Reason.STOCK_SHORT, "WAITING_ACCEPTANCE", True, False, False),
        # there is nothing to refuse, or not any more
        (Reason.STOCK_SHORT, "STAGING", False, False, False),
        (Reason.STOCK_SHORT, "SHIPPING", False, False, False),
        (Reason.STOCK_SHORT, None, False, False, False),
        (Reason.STOCK_SHORT, "WAITING_ACCEPTANCE", False, True, False),
    ],
)
def test_an_order_may_lose_at_once_while_it_waits_and_is_not_in_shopify(
    reason: Reason, state: str | None, in_shopify: bool, by_itself: bool, may: bool
) -> None:
    assert may_lose(reason, state, in_shopify, by_itself) is may
