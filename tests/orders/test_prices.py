"""The marketplace's unit price against the shop's: only in one currency, only beyond the tolerance."""

from dataclasses import replace
from decimal import Decimal

import pytest

from interlock.orders.memory import ShopPrice
from interlock.orders.prices import as_facts, discrepancies, in_words, shop_prices, subject_of
from tests.build import LINES, an_offer, an_order

TEN = Decimal(10)


def prices(mug: str, lamp: str = "30.00") -> tuple[ShopPrice, ...]:
    return (ShopPrice("L1", Decimal(mug)), ShopPrice("L2", Decimal(lamp)))


@pytest.mark.parametrize(
    ("mug", "tolerance", "apart"),
    [
        ("10.00", "10", False),
        ("11.11", "10", False),
        ("11.12", "10", True),
        ("9.10", "10", False),
        ("9.09", "10", True),
        ("10.00", "0", False),
        ("10.01", "0", True),
        ("0.00", "10", True),
        ("50.00", None, False),
    ],
)
def test_prices_are_apart_beyond_the_tolerance_of_the_shops_price(
    mug: str, tolerance: str | None, apart: bool
) -> None:
    found = discrepancies(an_order(), prices(mug), None if tolerance is None else Decimal(tolerance))

    assert [one.sku for one in found] == (["MUG"] if apart else [])


def test_both_figures_are_told_and_make_the_question() -> None:
    found = discrepancies(an_order(), prices("20.00", "3.00"), TEN)

    assert in_words(found, "EUR").startswith(
        "The marketplace sold MUG at 10.00 EUR a unit; the shop asks 20.00 EUR."
    )
    assert ("LAMP: shop", "3.00 EUR") in as_facts(found, "EUR")
    assert subject_of(found) != subject_of(discrepancies(an_order(), prices("21.00", "3.00"), TEN))


def test_a_line_that_ended_is_not_compared() -> None:
    ended = an_order(lines=(replace(LINES[0], state="CANCELED"), LINES[1]))

    assert discrepancies(ended, prices("20.00"), TEN) == ()


def test_only_prices_in_the_orders_currency_are_taken() -> None:
    mug = replace(an_offer(), unit_price=Decimal("20.00"), currency="EUR")
    lamp = replace(an_offer("LAMP"), unit_price=Decimal("20.00"), currency="USD")

    assert shop_prices(an_order(), (mug, lamp)) == (ShopPrice("L1", Decimal("20.00")),)
    assert shop_prices(an_order(), (replace(mug, unit_price=None), an_offer("BOX"))) == ()
