"""An order sold at a price far from the shop's is accepted by a person only, and never forgotten."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from interlock.acceptance.decide import decide
from interlock.decide import decide as decide_all
from interlock.orders.actions import AnswerAcceptance
from interlock.orders.memory import ShopPrice
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from tests.build import CREATED, OFFERS, a_decision, a_memory, a_view, an_order, not_imported, some_rules

APART = (ShopPrice("L1", Decimal("20.00"), True),)


def look(**changes: Any) -> Part:
    memory = a_memory(**{"accepted_seen_at": None, "shop_prices": APART, **changes.pop("memory", {})})
    view = a_view(mirakl=an_order("WAITING_ACCEPTANCE"), memory=memory, **changes)
    return decide(view, memory)


def test_it_is_not_accepted_before_somebody_has_looked_and_the_case_shows_both_prices() -> None:
    part = look()

    (case,) = part.cases
    assert part.actions == ()
    assert (case.reason, case.how_severe) == (Reason.PRICE_DISCREPANCY, "urgent")
    assert case.options == (Option.ACCEPT_ANYWAY, Option.REFUSE_ORDER)
    assert case.due_at == CREATED + timedelta(days=2)
    assert ("MUG: marketplace", "10.00 EUR") in case.facts
    assert ("MUG: shop", "20.00 EUR") in case.facts


def test_the_window_never_runs_out_silently() -> None:
    part = look(now=CREATED + timedelta(hours=30))

    assert {case.reason for case in part.cases} == {Reason.PRICE_DISCREPANCY, Reason.ACCEPTANCE_RUNNING_OUT}
    assert any("whether its prices stand" in case.sentence for case in part.cases)


def test_an_order_without_a_shopify_order_waits_for_its_prices_first() -> None:
    """Accepting it would do nothing before they are answered, so it is not offered."""
    memory = not_imported(shop_prices=APART)
    view = a_view(
        mirakl=an_order("WAITING_ACCEPTANCE"), shopify=None, memory=memory, now=CREATED + timedelta(hours=40)
    )

    cases = {case.reason: case for case in decide(view, memory).cases}

    running_out = cases[Reason.ACCEPTANCE_RUNNING_OUT]
    assert running_out.options == (Option.REFUSE_ORDER,)
    assert "that has to be answered before it can be accepted" in running_out.sentence


def test_a_person_accepts_or_refuses_exactly_these_figures() -> None:
    subject = look().cases[0].subject

    def answered(option: Option, subject: str = subject) -> tuple[Any, ...]:
        decision = a_decision(Reason.PRICE_DISCREPANCY, subject, option)
        return look(memory={"decisions": (decision,)}).actions

    assert answered(Option.ACCEPT_ANYWAY) == (AnswerAcceptance((("L1", True), ("L2", True))),)
    assert answered(Option.REFUSE_ORDER) == (AnswerAcceptance((("L1", False), ("L2", False))),)
    assert answered(Option.ACCEPT_ANYWAY, "L1=10.00/19.00") == ()


def test_within_the_tolerance_or_without_one_it_is_accepted_at_once() -> None:
    assert look(rules=some_rules(price_tolerance=Decimal(60))).actions
    assert look(rules=some_rules(price_tolerance=None)).actions


def test_where_the_order_does_not_tell_its_taxes_it_is_accepted_and_said_that_nothing_was_compared() -> None:
    part = look(memory={"shop_prices": (replace(APART[0], taxes_included=False),)})

    assert part.cases == ()
    assert part.actions
    assert (
        "The price of MUG is not compared: the marketplace shows it with taxes, the shop without"
        in " ".join(part.because)
    )


def test_where_the_shop_has_another_currency_it_is_accepted_and_said_once_that_nothing_was_compared() -> None:
    part = look(memory={"shop_prices": (replace(APART[0], currency="CAD"),)})

    assert part.cases == ()
    assert part.actions
    assert part.because[1:] == ("The prices are not compared: the shop's are in CAD, the order's in EUR.",)


def test_the_shops_prices_are_remembered_when_the_offers_are_looked_up() -> None:
    offers = tuple(
        replace(offer, unit_price=Decimal("20.00"), currency="EUR", taxes_included=True) for offer in OFFERS
    )
    view = a_view(mirakl=an_order("WAITING_ACCEPTANCE"), shopify=None, memory=not_imported(), offers=offers)

    assert decide_all(view).memory.shop_prices == (
        ShopPrice("L1", Decimal("20.00"), True),
        ShopPrice("L2", Decimal("20.00"), True),
    )
