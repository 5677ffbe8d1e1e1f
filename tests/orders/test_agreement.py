"""Agreed is ordered less cancelled less withdrawn, whatever the marketplace shows of a shrunk line."""

from dataclasses import replace
from decimal import Decimal

import pytest

from interlock.orders.agreement import (
    agreed_quantities,
    as_ordered,
    fulfilled_quantities,
    is_doubtful,
    shopify_quantities,
    unlinked,
)
from interlock.orders.memory import LineLink, Memory, Withdrawn
from interlock.orders.snapshots import Fee, MiraklLine
from tests.build import (
    NOW,
    a_cancelation,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_refund,
    a_shopify_line,
    a_shopify_order,
    an_order,
    ordered,
)

THREE = a_line(quantity=3, price="30.00", shipping="3.00")
ONE_CANCELLED = (a_cancelation(1, "10.00", shipping="1.00"),)
UNCHANGED = replace(THREE, cancelations=ONE_CANCELLED)
SHRUNK = replace(UNCHANGED, quantity=2, price=Decimal("20.00"), shipping_price=Decimal("2.00"))
PRICE_ONLY = replace(UNCHANGED, price=Decimal("20.00"), shipping_price=Decimal("2.00"))


@pytest.mark.parametrize("shown", [UNCHANGED, SHRUNK, PRICE_ONLY])
def test_a_cancelled_unit_counts_once_whether_or_not_the_line_shrinks(shown: MiraklLine) -> None:
    memory = a_memory(ordered=ordered([THREE]))

    assert agreed_quantities(an_order(lines=[shown]), memory) == (("L1", 2),)


@pytest.mark.parametrize("shown", [UNCHANGED, SHRUNK, PRICE_ONLY])
def test_what_was_sold_is_told_from_the_net_total_when_cancelations_came_before_our_first_look(
    shown: MiraklLine,
) -> None:
    order = an_order(lines=[shown], total_price=Decimal("22.00"))

    (line,) = as_ordered(order)

    assert (line.quantity, line.price, line.shipping_price) == (3, Decimal("30.00"), Decimal("3.00"))
    assert agreed_quantities(order, Memory()) == (("L1", 2),)


def test_a_total_that_fits_neither_way_never_makes_the_agreed_quantity_too_high() -> None:
    order = an_order(lines=[SHRUNK], total_price=Decimal("99.00"))

    assert agreed_quantities(order, Memory()) == (("L1", 1),)


def test_more_cancelled_than_shown_means_that_the_line_has_shrunk() -> None:
    # Four lamps were sold, three of them cancelled before anybody looked: one is left, whatever fees hide in the total.
    line = a_line(quantity=1, price="119.00", shipping="0.00", cancelations=(a_cancelation(3, "357.00"),))
    order = an_order(lines=[line], total_price=Decimal("121.50"))
    assert agreed_quantities(order, Memory()) == (("L1", 1),)
    assert not is_doubtful(order)


@pytest.mark.parametrize(("shown", "total"), [(UNCHANGED, "23.50"), (SHRUNK, "23.50")])
def test_fees_are_part_of_the_total(shown: MiraklLine, total: str) -> None:
    order = an_order(
        lines=[replace(shown, fees=(Fee("DEPOSIT", Decimal("1.50")),))], total_price=Decimal(total)
    )
    assert agreed_quantities(order, Memory()) == (("L1", 2),)
    assert not is_doubtful(order)


def test_figures_that_add_up_in_no_reading_are_doubtful() -> None:
    assert is_doubtful(an_order(lines=[SHRUNK], total_price=Decimal("99.00")))
    assert not is_doubtful(an_order(lines=[THREE], total_price=Decimal("99.00")))


@pytest.mark.parametrize(
    ("line", "agreed"),
    [
        (a_line(), 2),
        (a_line(state="REFUSED"), 0),
        (a_line(state="CANCELED"), 0),
        (a_line(cancelations=(a_cancelation(0, "5.00"),)), 2),
        (a_line(cancelations=(a_cancelation(1, "10.00"), a_cancelation(1, "10.00", "C2"))), 0),
        (a_line(cancelations=(a_cancelation(9, "20.00"),)), 0),
        (a_line(refunds=(a_refund(1, "10.00"),)), 2),
    ],
)
def test_the_agreed_quantity_of_a_line(line: MiraklLine, agreed: int) -> None:
    memory = a_memory(ordered=ordered([a_line()]))

    assert agreed_quantities(an_order(lines=[line]), memory) == (("L1", agreed),)


def test_withdrawn_units_are_not_agreed_any_more() -> None:
    memory = a_memory(withdrawn=(Withdrawn("L1", 1, "R1", "Ada", NOW),))

    assert agreed_quantities(an_order(), memory) == (("L1", 1), ("L2", 1))


def test_nothing_is_agreed_on_an_order_the_marketplace_ended() -> None:
    assert agreed_quantities(an_order("CANCELED"), a_memory()) == (("L1", 0), ("L2", 0))


def test_split_lines_count_for_the_one_line_they_stand_for() -> None:
    shopify = a_shopify_order(
        lines=(
            a_shopify_line("S1", quantity=1, fulfilled_quantity=1),
            a_shopify_line("S9", quantity=1, line_id=""),
            a_shopify_line("S2", "LAMP", 1, "30.00", "L2"),
            a_shopify_line("S3", "CARD", 1, "1.00", ""),
        )
    )
    memory = a_memory(links=(LineLink("L1", "S9", Decimal("10.00"), "Ada"),))

    assert shopify_quantities(shopify, memory) == (("L1", 2), ("L2", 1))
    assert fulfilled_quantities(shopify, memory) == (("L1", 1), ("L2", 0))
    assert [line.id for line in unlinked(shopify, memory)] == ["S3"]


def test_a_removed_addition_is_no_addition() -> None:
    gone = a_shopify_line("S3", "CARD", 1, "1.00", "", current_quantity=0)

    assert unlinked(a_shopify_order(lines=(gone,)), a_memory()) == ()


@pytest.mark.parametrize(
    ("current", "left", "remaining", "to_come", "to_leave"),
    [
        pytest.param(2, 0, 2, 2, 2, id="nothing left yet"),
        pytest.param(2, 1, 1, 2, 1, id="one left"),
        pytest.param(1, 1, 1, 2, 1, id="one left and was refunded"),
        pytest.param(0, 2, 0, 2, 0, id="both left and were refunded"),
        pytest.param(1, 1, 0, 1, 0, id="one left, the other was taken out"),
        pytest.param(1, 0, 2, 1, 1, id="one was taken out and the parcel does not show it yet"),
    ],
)
def test_what_was_refunded_after_it_left_takes_nothing_from_what_may_still_leave(
    current: int, left: int, remaining: int, to_come: int, to_leave: int
) -> None:
    line = a_shopify_line(current_quantity=current, fulfilled_quantity=left)
    shopify = a_shopify_order(
        lines=(line,), fulfillment_orders=(a_fulfillment_order(remaining=(("S1", remaining),)),)
    )

    assert (shopify.to_come(line), shopify.to_leave(line)) == (to_come, to_leave)
