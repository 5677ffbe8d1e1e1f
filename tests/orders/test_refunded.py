"""Whether goods are still due, and whether the money is back: measured from what was sold."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from interlock.orders.refunded import goods_are_refunded, money_is_back, money_kept
from interlock.orders.snapshots import Fee, MiraklLine, MiraklOrder
from tests.build import a_cancelation, a_line, a_memory, a_refund, a_tax, an_order, ordered

SOLD = a_line(quantity=3, price="30.00", shipping="6.00")
CANCELLED = a_cancelation(1, "10.00", shipping="2.00")
SHRUNK = replace(
    SOLD, quantity=2, price=Decimal("20.00"), shipping_price=Decimal("4.00"), cancelations=(CANCELLED,)
)
WHOLE = replace(SOLD, cancelations=(CANCELLED,))


def shown(line: MiraklLine, *refunds: Any, **changes: Any) -> MiraklOrder:
    return an_order(lines=(replace(line, refunds=refunds),), **changes)


MEMORY = a_memory(ordered=ordered((SOLD,)))


@pytest.mark.parametrize("line", [SHRUNK, WHOLE], ids=["a line that shrinks", "a line that stays"])
@pytest.mark.parametrize(
    ("refund", "goods", "kept"),
    [
        (a_refund(1, "10.00", shipping="2.00"), False, "12.00"),
        (a_refund(2, "20.00"), True, "4.00"),
        (a_refund(2, "20.00", shipping="4.00"), True, "0"),
        (a_refund(2, "19.99", shipping="4.00"), False, "0.01"),
    ],
    ids=["one of two", "shipping forgotten", "all of it", "a cent too little"],
)
def test_refunds_are_measured_from_what_was_sold(
    line: MiraklLine, refund: Any, goods: bool, kept: str
) -> None:
    order = shown(line, refund)
    assert goods_are_refunded(order, MEMORY) is goods
    assert money_kept(order, MEMORY) == Decimal(kept)
    assert money_is_back(order, MEMORY) is (kept == "0")


def test_taxes_on_top_and_fees_are_the_customers_money() -> None:
    sold = replace(
        SOLD,
        taxes=(a_tax("6.00"),),
        shipping_taxes=(a_tax("1.20"),),
        fees=(Fee("eco", Decimal("0.90")),),
    )
    memory = a_memory(ordered=(replace(ordered((sold,))[0], fees=sold.fees),))
    bare = a_refund(3, "30.00", shipping="6.00")
    whole = replace(bare, taxes=sold.taxes, shipping_taxes=sold.shipping_taxes, fees=sold.fees)
    assert money_kept(shown(sold, bare, tax_mode="TAX_EXCLUDED"), memory) == Decimal("8.10")
    assert money_kept(shown(sold, bare), memory) == Decimal("0.90")
    assert money_is_back(shown(sold, whole, tax_mode="TAX_EXCLUDED"), memory)
    rounded_there = replace(whole, taxes=(a_tax("5.99"),))
    assert money_is_back(shown(sold, rounded_there, tax_mode="TAX_EXCLUDED"), memory)
    short = replace(whole, taxes=(a_tax("5.90"),))
    assert money_kept(shown(sold, short, tax_mode="TAX_EXCLUDED"), memory) == Decimal("0.10")


@pytest.mark.parametrize("state", ["CANCELED", "REFUSED"])
def test_an_order_that_ended_undebited_was_not_refunded(state: str) -> None:
    order = shown(replace(SOLD, state=state))
    assert not goods_are_refunded(order, MEMORY)
    assert not money_is_back(order, MEMORY)


def test_a_line_that_the_marketplace_calls_refunded_is_so_unless_its_figures_say_otherwise() -> None:
    called = replace(SOLD, state="REFUNDED")
    assert money_is_back(shown(called), MEMORY)
    assert money_kept(shown(called, a_refund(3, "30.00")), MEMORY) == Decimal("6.00")
    assert goods_are_refunded(shown(called, a_refund(3, "30.00")), MEMORY)


def test_cancelled_units_alone_are_no_refund() -> None:
    all_cancelled = replace(SOLD, cancelations=(a_cancelation(3, "30.00", shipping="6.00"),))
    assert not money_is_back(shown(all_cancelled), MEMORY)
    assert money_kept(shown(all_cancelled), MEMORY) == 0
