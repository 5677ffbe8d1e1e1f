"""A shop and a marketplace that show their prices with taxes or without: what the same price is, and what is not."""

from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import pytest

from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.mirakl.profile import TAX_MODES, MarketplaceProfile, TaxRule
from tests.stories.stage import RULES, Theatre, answer_case, marketplace, nothing, open_cases

ONE = (TaxRule("MWST19", Decimal("19")),)
SEVERAL = (TaxRule("STATE", Decimal("6.25")), TaxRule("CITY", Decimal("7.5"), "NONE"))


def asks_first(tax_mode: str, **changes: Any) -> MarketplaceProfile:
    return marketplace("all-or-nothing", tax_mode=tax_mode, **changes)


@pytest.mark.parametrize(("taxes", "route"), [(ONE, "draft"), (SEVERAL, "order")])
@pytest.mark.parametrize("tax_mode", TAX_MODES)
@pytest.mark.parametrize("taxes_included", [True, False])
def test_the_shops_own_price_is_no_discrepancy_however_it_is_shown(
    theatre: Theatre,
    taxes: tuple[TaxRule, ...],
    route: Literal["draft", "order"],
    tax_mode: str,
    taxes_included: bool,
) -> None:
    """And the Shopify order is what the customer paid with all taxes, whatever the shop's setting, on both routes."""
    profile = replace(asks_first(tax_mode, order_fees=False), taxes=taxes)
    rules = replace(RULES, import_route=route)
    told = theatre.tell(nothing, profile, 400, rules=rules, taxes_included=taxes_included)

    assert told.cases == []
    assert "is not compared" not in told.timeline
    assert told.stage.order.state == "SHIPPING"
    (order,) = told.live_orders
    sold = [line.ordered for line in told.stage.order.lines]
    paid = sum(line.product + line.product_tax + line.shipping + line.shipping_tax for line in sold)
    assert order.total(current=True) == paid
    assert order.taxes_included == (taxes_included or route == "order")


@pytest.mark.parametrize(
    ("tax_mode", "wrongly", "taxes_included", "words", "at_risk"),
    [
        # 12.90 with taxes was listed as if it were the price without them: the customer paid 15.35.
        (
            "TAX_EXCLUDED",
            "TAX_EXCLUDED",
            True,
            "sold MUG-BLUE at 12.90 EUR a unit; the shop asks 10.84 EUR, both without taxes (in the shop it is 12.90 EUR "
            "with them).",
            "14.16",
        ),
        # 12.90 without taxes was listed as if they were in it: the shop gets 10.84.
        (
            "TAX_INCLUDED",
            "TAX_INCLUDED",
            False,
            "sold MUG-BLUE at 12.90 EUR a unit; the shop asks 15.35 EUR, both with taxes (in the shop it is 12.90 EUR "
            "without them).",
            "16.85",
        ),
    ],
)
def test_an_offer_listed_with_the_wrong_taxes_waits_for_a_person_before_it_is_accepted(
    theatre: Theatre, tax_mode: str, wrongly: str, taxes_included: bool, words: str, at_risk: str
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(300)
        assert stage.order.state == "WAITING_ACCEPTANCE"
        (case,) = open_cases(stage)
        assert f"The marketplace {words}" in case.sentence
        # Three mugs and a kettle of 49.99, each by what it is off on the order's own footing.
        assert case.at_risk == Decimal(at_risk)
        answer_case(stage, Reason.PRICE_DISCREPANCY, Option.ACCEPT_ANYWAY)

    profile = asks_first(tax_mode, catalogue_prices=wrongly)
    told = theatre.tell(story, profile, 700, taxes_included=taxes_included)
    assert told.stage.order.state == "SHIPPING"
    assert [row.reason for row in told.cases] == [Reason.PRICE_DISCREPANCY]
    assert told.open_reasons == []


@pytest.mark.parametrize(("tax_mode", "taxes_included"), [("TAX_INCLUDED", False), ("TAX_EXCLUDED", True)])
def test_where_the_marketplace_itemises_no_taxes_it_is_said_that_nothing_was_compared(
    theatre: Theatre, tax_mode: str, taxes_included: bool
) -> None:
    profile = replace(asks_first(tax_mode), taxes=())
    told = theatre.tell(nothing, profile, 400, taxes_included=taxes_included)

    assert told.cases == []
    assert told.stage.order.state == "SHIPPING"
    assert "The price of MUG-BLUE is not compared: the marketplace shows it" in told.timeline


def test_on_an_edit_the_prices_are_compared_on_the_orders_footing_again(theatre: Theatre) -> None:
    """The shop raised its price after the sale, and shows it with taxes; the marketplace shows its prices without."""

    async def story(stage: Stage) -> None:
        await stage.until(300)
        assert stage.order.state in ("SHIPPING", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT")
        stage.world.shopify.variant("MUG-BLUE").price = Decimal("25.80")
        stage.world.shopify.edit(stage.shopify_order(), quantities=[("MUG-BLUE", 2)])
        await stage.until(500)

    told = theatre.tell(story, asks_first("TAX_EXCLUDED"), 700, taxes_included=True)
    (case,) = told.of(Reason.PRICE_DISCREPANCY)
    assert "sold MUG-BLUE at 10.84 EUR a unit; the shop asks 21.68 EUR, both without taxes" in case.sentence
