"""The judge knows what the customer paid, and that the shop's own price is no discrepancy."""

from tests.simulation.bench import Bench, a_case

WORTH = "The Shopify order is not worth what the customer paid."
WRONG = "A price is said to differ that is the one the shop asks."


def _said(bench: Bench) -> list[str]:
    return [f.sentence for f in bench.judge().broken if f.sentence in (WORTH, WRONG)]


def test_i6_an_order_worth_a_cent_less_than_was_paid(bench: Bench) -> None:
    (created,) = bench.effects("order_created", ours=True)
    assert _said(bench) == []
    assert bench.judge().checked["I6 total"] == 1
    bench.unhappen(created)
    bench.happen(created, detail={"total": "0.01"})
    assert _said(bench) == [WORTH]


def test_i6_figures_that_changed_before_the_order_was_made_are_not_compared(bench: Bench) -> None:
    (created,) = bench.effects("order_created", ours=True)
    bench.unhappen(created)
    bench.happen(created, detail={"total": "0.01"})
    bench.happen(bench.effects("cancelation")[0], kind="recalculated", at=created.at)
    assert _said(bench) == []


def test_i24_a_price_that_is_right_is_called_wrong(bench: Bench) -> None:
    bench.unhappen(*bench.effects("cancelation"))
    assert _said(bench) == []
    assert bench.judge().checked["I24 price"] == 1
    a_case(bench, "price_discrepancy", bench.edit_at())
    assert _said(bench) == [WRONG]


def test_i24_a_price_that_was_computed_anew_may_differ(bench: Bench) -> None:
    cut = bench.effects("cancelation")[0]
    bench.unhappen(cut)
    bench.happen(cut, kind="recalculated")
    a_case(bench, "price_discrepancy", bench.edit_at())
    assert _said(bench) == []
