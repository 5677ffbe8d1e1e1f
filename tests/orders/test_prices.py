"""The marketplace's unit price against the shop's: only in one currency, only beyond the tolerance, and with like taxes."""

from dataclasses import replace
from decimal import Decimal

import pytest

from interlock.orders.memory import ShopPrice
from interlock.orders.money import smallest_unit
from interlock.orders.prices import (
    Compared,
    as_facts,
    compared,
    discrepancies,
    in_words,
    not_compared,
    shop_prices,
    subject_of,
)
from interlock.orders.snapshots import MiraklOrder, Tax
from tests.build import LINES, a_cancelation, a_line, an_offer, an_order

TEN = Decimal(10)
NONE = Decimal(0)


def prices(mug: str, lamp: str = "30.00", with_taxes: bool = True) -> tuple[ShopPrice, ...]:
    return (ShopPrice("L1", Decimal(mug), with_taxes), ShopPrice("L2", Decimal(lamp), with_taxes))


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
        "The marketplace sold MUG at 10.00 EUR a unit; the shop asks 20.00 EUR, both with taxes."
    )
    assert ("LAMP: shop", "3.00 EUR") in as_facts(found, "EUR")
    assert ("LAMP: compared", "both with taxes") in as_facts(found, "EUR")
    assert subject_of(found) != subject_of(discrepancies(an_order(), prices("21.00", "3.00"), TEN))


def test_a_line_that_ended_is_not_compared() -> None:
    ended = an_order(lines=(replace(LINES[0], state="CANCELED"), LINES[1]))

    assert discrepancies(ended, prices("20.00"), TEN) == ()


def test_prices_in_another_currency_are_never_compared_and_the_order_says_so_once() -> None:
    offers = tuple(
        replace(an_offer(sku), unit_price=Decimal("99.00"), currency="USD", taxes_included=True)
        for sku in ("MUG", "LAMP")
    )
    order = an_order()
    prices = shop_prices(order, offers)

    assert [price.currency for price in prices] == ["USD", "USD"]
    assert discrepancies(order, prices, TEN) == compared(order, prices) == ()
    assert not_compared(order, prices, TEN) == (
        "The prices are not compared: the shop's are in USD, the order's in EUR.",
    )
    assert not_compared(order, prices, None) == ()


def test_a_price_in_the_orders_currency_is_taken_as_it_is() -> None:
    mug = replace(an_offer(), unit_price=Decimal("20.00"), currency="EUR", taxes_included=True)

    assert shop_prices(an_order(), (mug,)) == (ShopPrice("L1", Decimal("20.00"), True),)
    assert shop_prices(an_order(), (replace(mug, unit_price=None), an_offer("BOX"))) == ()


# -- with taxes and without ----------------------------------------------------------------------------------

ONE = (("VAT", "20"),)
SEVERAL = (("STATE", "6.25"), ("CITY", "2.5"))
NET_AND_GROSS = (
    # The net price of one unit, what its taxes come to, and what both make together.
    ("EUR", ONE, "10.75", ("2.15",), "12.90"),
    ("EUR", SEVERAL, "10.75", ("0.67", "0.27"), "11.69"),
    ("JPY", ONE, "1075", ("215",), "1290"),
    ("JPY", SEVERAL, "1075", ("67", "27"), "1169"),
    ("KWD", ONE, "10.753", ("2.151",), "12.904"),
    ("KWD", SEVERAL, "10.753", ("0.672", "0.269"), "11.694"),
)
BOTH = (True, False)


def sold(
    there: str,
    currency: str,
    rates: tuple[tuple[str, str | None], ...],
    amounts: tuple[str, ...],
    with_taxes: bool,
    quantity: int = 3,
) -> MiraklOrder:
    """Some units of one article at `there` each. `amounts` are the taxes of one unit."""
    taxes = tuple(
        Tax(
            code,
            Decimal(amount) * quantity,
            None if rate is None else Decimal(rate),
            "PROPORTIONAL_TO_AMOUNT",
        )
        for (code, rate), amount in zip(rates, amounts, strict=True)
    )
    line = a_line(quantity=quantity, price=str(Decimal(there) * quantity), shipping="0", taxes=taxes)
    mode = "TAX_INCLUDED" if with_taxes else "TAX_EXCLUDED"
    return an_order(lines=(line,), currency=currency, tax_mode=mode)


@pytest.mark.parametrize(("currency", "rates", "net", "amounts", "gross"), NET_AND_GROSS)
@pytest.mark.parametrize("rated", BOTH, ids=["rates", "amounts only"])
@pytest.mark.parametrize("there_with", BOTH, ids=["TAX_INCLUDED", "TAX_EXCLUDED"])
@pytest.mark.parametrize("here_with", BOTH, ids=["shop with taxes", "shop without taxes"])
def test_like_is_compared_with_like(
    currency: str,
    rates: tuple[tuple[str, str], ...],
    net: str,
    amounts: tuple[str, ...],
    gross: str,
    rated: bool,
    there_with: bool,
    here_with: bool,
) -> None:
    """The same price shown both ways is no discrepancy, however small the tolerance; any other price is one, above and
    below, by exactly as much as it differs on the order's own footing."""
    there = gross if there_with else net
    told = rates if rated else tuple((code, None) for code, _ in rates)
    order = sold(there, currency, told, amounts, there_with)

    def at(factor: str) -> tuple[ShopPrice, ...]:
        asked = Decimal(gross if here_with else net) * Decimal(factor)
        return (ShopPrice("L1", asked, here_with),)

    (one,) = compared(order, at("1"))
    assert (one.there, one.asked) == (Decimal(there), Decimal(gross if here_with else net))
    assert one.apart <= (smallest_unit(currency) if here_with != there_with else NONE)
    assert (one.with_taxes, one.converted) == (there_with, here_with != there_with)
    assert one.here == one.here.quantize(smallest_unit(currency))
    assert discrepancies(order, at("1"), NONE) == ()
    assert not_compared(order, at("1"), NONE) == ()
    assert discrepancies(order, at("1.05"), TEN) == discrepancies(order, at("0.95"), TEN) == ()
    assert len(discrepancies(order, at("1.2"), TEN)) == len(discrepancies(order, at("0.85"), TEN)) == 1


@pytest.mark.parametrize(("currency", "rates", "net", "amounts", "gross"), NET_AND_GROSS)
def test_one_number_on_two_footings_is_two_prices(
    currency: str, rates: tuple[tuple[str, str], ...], net: str, amounts: tuple[str, ...], gross: str
) -> None:
    """What a comparison of bare numbers hides: sold at the shop's figure, but once with taxes and once without."""
    tolerance = Decimal(5)
    with_taxes = sold(gross, currency, rates, amounts, True)
    without = sold(net, currency, rates, amounts, False)

    assert discrepancies(with_taxes, (ShopPrice("L1", Decimal(gross), True),), tolerance) == ()
    assert discrepancies(without, (ShopPrice("L1", Decimal(net), False),), tolerance) == ()
    assert len(discrepancies(with_taxes, (ShopPrice("L1", Decimal(gross), False),), tolerance)) == 1
    assert len(discrepancies(without, (ShopPrice("L1", Decimal(net), True),), tolerance)) == 1


@pytest.mark.parametrize(
    ("there_with", "here_with", "words"),
    [
        (True, True, "sold MUG at 30.00 EUR a unit; the shop asks 12.00 EUR, both with taxes."),
        (False, False, "sold MUG at 30.00 EUR a unit; the shop asks 12.00 EUR, both without taxes."),
        (
            True,
            False,
            "sold MUG at 30.00 EUR a unit; the shop asks 14.40 EUR, both with taxes (in the shop it is 12.00 EUR without them).",
        ),
        (
            False,
            True,
            "sold MUG at 30.00 EUR a unit; the shop asks 10.00 EUR, both without taxes (in the shop it is 12.00 EUR with them).",
        ),
    ],
)
def test_the_sentence_says_on_which_footing(there_with: bool, here_with: bool, words: str) -> None:
    order = sold("30.00", "EUR", ONE, ("6.00",), there_with)
    found = discrepancies(order, (ShopPrice("L1", Decimal("12.00"), here_with),), TEN)

    assert in_words(found, "EUR") == f"The marketplace {words}"


@pytest.mark.parametrize("there_with", BOTH)
def test_without_any_tax_told_only_equal_footings_are_compared(there_with: bool) -> None:
    """A line without tax entries may be free of tax, or its marketplace does not itemise taxes."""
    order = sold("30.00", "EUR", (), (), there_with)
    like, unlike = (
        ShopPrice("L1", Decimal("12.00"), here_with) for here_with in (there_with, not there_with)
    )

    assert len(discrepancies(order, (like,), TEN)) == 1
    assert not_compared(order, (like,), TEN) == ()
    assert discrepancies(order, (unlike,), TEN) == compared(order, (unlike,)) == ()
    there, here = ("with", "without") if there_with else ("without", "with")
    assert not_compared(order, (unlike,), TEN) == (
        f"The price of MUG is not compared: the marketplace shows it {there} taxes, the shop {here}, and the order does "
        "not tell how much they are.",
    )
    assert not_compared(order, (unlike,), None) == ()


@pytest.mark.parametrize(
    ("rates", "known"),
    [
        # a rate of zero is told: the article is free of tax
        ((("VAT", "0"),), True),
        ((("VAT", None),), False),
        # a fixed levy has no rate, so the amounts would have to tell
        ((("VAT", "20"), ("LEVY", None)), False),
    ],
)
def test_amounts_tell_no_rate_once_units_were_cancelled(
    rates: tuple[tuple[str, str | None], ...], known: bool
) -> None:
    order = sold("10.00", "EUR", rates, ("0",) * len(rates), False)
    (line,) = order.lines
    reduced = replace(order, lines=(replace(line, cancelations=(a_cancelation(1, "10.00"),)),))
    price = (ShopPrice("L1", Decimal("10.00"), True),)

    assert len(compared(order, price)) == 1
    assert len(compared(reduced, price)) == known
    assert len(not_compared(reduced, price, TEN)) == (not known)


def test_a_line_given_away_tells_no_rate_by_its_amounts() -> None:
    price = (ShopPrice("L1", Decimal("10.00"), True),)
    free = sold("0", "EUR", (("VAT", None),), ("0",), False)

    assert compared(free, price) == ()
    (one,) = discrepancies(sold("0", "EUR", ONE, ("0",), False), price, TEN)
    assert one == Compared("L1", "MUG", 3, NONE, Decimal("8.33"), Decimal("10.00"), False, True)


@pytest.mark.parametrize(
    ("currency", "net", "gross", "off"),
    [("EUR", "10.82", "12.99", "10.84"), ("JPY", "1082", "1299", "1084"), ("KWD", "1.083", "1.299", "1.084")],
)
def test_rounding_is_no_discrepancy_but_the_next_unit_is(
    currency: str, net: str, gross: str, off: str
) -> None:
    """12.99 with 20 % is 10.825 without, and 10.83 as an amount: one unit more or less is the same price."""
    step = smallest_unit(currency)
    price = (ShopPrice("L1", Decimal(gross), True),)

    def apart(there: Decimal) -> bool:
        return bool(discrepancies(sold(str(there), currency, ONE, ("0",), False, 1), price, NONE))

    assert [apart(Decimal(net)), apart(Decimal(off))] == [False, False]
    assert apart(Decimal(off) + step)
