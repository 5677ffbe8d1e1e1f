"""What an offer may show: the table of the rule, and what holds whatever the figures are."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.inventory.target import STOPS_RAISES, WHY_CAUTIOUS, Caution, Part, Stock, to_offer


def part(
    *available: int, per_unit: int = 1, unclaimed: int = 0, sku: str = "A", tracked: bool = True
) -> Part:
    stocks = tuple(Stock(f"L{number}", units) for number, units in enumerate(available))
    return Part(sku, per_unit, (stocks,), unclaimed, tracked)


@pytest.mark.parametrize(
    ("parts", "buffer", "cautions", "shown", "wanted"),
    [
        # (available at the locations, unclaimed), buffer -> to offer
        ((part(10),), 0, (), None, 10),
        ((part(10, 5),), 0, (), None, 15),
        ((part(10, unclaimed=3),), 2, (), None, 5),
        ((part(2, unclaimed=3),), 0, (), None, 0),
        ((part(3),), 5, (), None, 0),
        # a location that was oversold takes from the others
        ((part(-3, 5),), 0, (), None, 2),
        ((part(-3),), 0, (), None, 0),
        # bundles: the scarcest article, rounded down, the buffer last
        ((part(10, per_unit=3), part(100, sku="B")), 0, (), None, 3),
        ((part(10, per_unit=3, unclaimed=2), part(100, sku="B")), 1, (), None, 1),
        ((part(10), part(0, sku="B")), 0, (), None, 0),
        # not counted: no limit; nothing counted at all: nothing to say
        ((part(0, tracked=False), part(4, sku="B")), 0, (), None, 4),
        ((part(0, tracked=False),), 0, (), 7, None),
        # stale input: never up, always down, nothing where nothing is known
        ((part(10),), 0, ("orders_stale",), 4, 4),
        ((part(3),), 0, ("orders_stale",), 4, 3),
        ((part(10),), 0, ("levels_stale",), None, None),
        # a location that is gone is simply not counted
        ((part(10),), 0, ("location_gone",), 4, 10),
        # absurd stock
        ((part(2_000_000),), 0, (), 4, 4),
        ((part(2_000_000),), 0, (), None, None),
        # never read
        ((Part("A", 1, ()),), 0, (), 4, None),
        ((Part("A", 1, ()), part(9, sku="B")), 0, (), 4, 4),
        # the shop has it no more: nothing, whatever is stale
        ((Part("A", 1, (), gone=True),), 0, (), 4, 0),
        ((Part("A", 1, (), gone=True),), 0, (), None, 0),
        ((Part("A", 1, (), gone=True),), 0, ("orders_stale",), 4, 0),
        ((Part("A", 2, (), gone=True), part(9, sku="B")), 0, (), 4, 0),
        ((Part("A", 1, (), tracked=False, gone=True),), 0, (), 4, 0),
        # two variants with one SKU: the smaller
        ((Part("A", 1, ((Stock("L", 7),), (Stock("L", 4),))),), 0, (), None, 4),
    ],
)
def test_the_rule(
    parts: tuple[Part, ...],
    buffer: int,
    cautions: tuple[Caution, ...],
    shown: int | None,
    wanted: int | None,
) -> None:
    assert to_offer(parts, buffer, cautions, shown).quantity == wanted


def test_it_says_how_it_came_to_the_figure() -> None:
    found = to_offer((part(10, unclaimed=3),), 2, (), None)
    assert found.because == (
        "5 to offer: 10 available at the connection's locations, less 3 sold on marketplaces and not claimed in Shopify "
        "yet, less 2 as safety buffer.",
    )


def test_care_is_said() -> None:
    found = to_offer((part(10),), 0, ("orders_stale",), 4)
    assert any(WHY_CAUTIOUS["orders_stale"] in sentence for sentence in found.because)
    assert "The lower figure stays: 4, which the marketplace shows." in found.because


def test_a_stock_that_was_read_long_ago_is_said_with_its_time() -> None:
    read_at = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
    said = to_offer((part(10),), 0, ("levels_stale",), 4, read_at).because

    assert "With care: the shop's stock has not been read for a while, last at 2026-03-01 12:30 UTC." in said
    assert not any("12:30" in one for one in to_offer((part(10),), 0, ("orders_stale",), 4, read_at).because)


units = st.integers(-5_000, 5_000)
some_parts = st.lists(
    st.builds(
        lambda available, per_unit, unclaimed: part(*available, per_unit=per_unit, unclaimed=unclaimed),
        st.lists(units, min_size=1, max_size=4),
        st.integers(1, 9),
        st.integers(0, 200),
    ),
    min_size=1,
    max_size=4,
).map(tuple)
cautions = st.lists(st.sampled_from(sorted(WHY_CAUTIOUS)), max_size=3).map(tuple)


@given(some_parts, st.integers(0, 50), cautions, st.none() | st.integers(0, 100))
def test_never_below_zero_and_never_more_than_there_is(
    parts: tuple[Part, ...], buffer: int, care: tuple[Caution, ...], shown: int | None
) -> None:
    found = to_offer(parts, buffer, care, shown).quantity
    if found is None:
        return
    assert found >= 0
    for one in parts:
        available = sum(stock.available for stock in one.variants[0])
        assert found == 0 or found * one.per_unit + one.unclaimed + buffer * one.per_unit <= available


@given(some_parts, st.integers(0, 50), cautions, st.integers(0, 100))
def test_care_never_raises(
    parts: tuple[Part, ...], buffer: int, care: tuple[Caution, ...], shown: int
) -> None:
    found = to_offer(parts, buffer, care, shown).quantity
    plain = to_offer(parts, buffer, (), shown).quantity
    assert found is not None
    assert plain is not None
    assert found <= plain
    if not STOPS_RAISES.isdisjoint(care):
        assert found <= shown


@given(some_parts, st.integers(0, 50), st.integers(0, 20), st.integers(0, 20))
def test_more_stock_never_offers_less_and_more_sold_never_offers_more(
    parts: tuple[Part, ...], buffer: int, more: int, sold: int
) -> None:
    before = to_offer(parts, buffer, (), None).quantity
    first = parts[0]
    richer = Part(first.sku, first.per_unit, ((*first.variants[0], Stock("new", more)),), first.unclaimed)
    poorer = Part(first.sku, first.per_unit, first.variants, first.unclaimed + sold)
    assert before is not None
    assert (to_offer((richer, *parts[1:]), buffer, (), None).quantity or 0) >= before
    assert (to_offer((poorer, *parts[1:]), buffer, (), None).quantity or 0) <= before
