"""What is said of a parcel that waits and is not on hold."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.decide import decide
from interlock.edits.rules import RULES
from interlock.edits.table import Rule
from interlock.orders.hold_words import NOT_ON_HOLD, HoldWords, speaks_of_the_hold
from interlock.orders.memory import Rehold
from interlock.orders.plan import Plan
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import Hold
from tests.build import (
    FOREIGN_HOLD,
    NOW,
    OUR_HOLD,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_order,
    ordered,
)

RELEASED_TWICE = (Rehold("FO1", NOW - timedelta(hours=1), 2),)
LONG_AGO = NOW - timedelta(hours=2)


def raised_to_three(holds: tuple[Hold, ...], can_hold: bool = True, times: int = 2, sku: str = "MUG") -> Plan:
    """Shopify shows three mugs, of which the marketplace sold two: an edit that it cannot take."""
    sold = (a_line(sku=sku), a_line("L2", "LAMP", 1, "30.00", "0.00"))
    lines = (
        a_shopify_line(sku=sku, quantity=3, current_quantity=3),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2"),
    )
    fo = a_fulfillment_order(holds=holds, can_hold=can_hold, remaining=(("S1", 3), ("S2", 1)))
    shopify = a_shopify_order(
        lines=lines, fulfillment_orders=(fo,), observed_at=NOW - timedelta(minutes=5), updated_at=LONG_AGO
    )
    memory = a_memory(ordered=ordered(sold), reholds=tuple(replace(r, times=times) for r in RELEASED_TWICE))
    view = a_view(mirakl=an_order(lines=sold), shopify=shopify, memory=memory)
    view = replace(view, memory=replace(decide(view).memory, content_since=LONG_AGO))
    return decide(view)


def said_of_the_edit(plan: Plan) -> str:
    (case,) = [case for case in plan.cases if case.reason is Reason.EDIT_CANNOT_BE_EXPRESSED]
    return case.sentence


def test_a_case_does_not_say_that_a_parcel_is_held_whose_hold_was_taken_off() -> None:
    plan = raised_to_three(())
    assert plan.actions == ()
    assert "is held" not in said_of_the_edit(plan)
    assert "The parcel should be held." in said_of_the_edit(plan)
    assert said_of_the_edit(plan).endswith(NOT_ON_HOLD)
    assert not any("parcel is held" in said for said in plan.because)


def test_nor_of_one_that_cannot_be_held() -> None:
    plan = raised_to_three((), can_hold=False, times=0)
    assert Reason.CANNOT_HOLD in [case.reason for case in plan.cases]
    assert said_of_the_edit(plan).endswith(NOT_ON_HOLD)


@pytest.mark.parametrize(
    ("holds", "times"),
    [((OUR_HOLD,), 2), ((FOREIGN_HOLD,), 2), ((), 1)],
    ids=["ours", "theirs", "on its way"],
)
def test_a_parcel_that_is_on_hold_or_about_to_be_is_said_to_be_held(
    holds: tuple[Hold, ...], times: int
) -> None:
    assert "The parcel is held." in said_of_the_edit(raised_to_three(holds, times=times))


def test_words_that_are_not_ours_are_quoted_as_they_are() -> None:
    said = said_of_the_edit(raised_to_three((), sku="The parcel is held"))
    assert "Shopify shows 3 of The parcel is held, more than" in said
    assert "The parcel should be held." in said


@pytest.mark.parametrize(
    ("hold", "said"),
    [
        (HoldWords(), ("is held", "stays held", "held", "")),
        (HoldWords(let_go=True), ("should be held", "should stay held", "to be held", f" {NOT_ON_HOLD}")),
    ],
)
def test_how_a_sentence_speaks_of_the_hold(hold: HoldWords, said: tuple[str, ...]) -> None:
    assert (hold.is_held, hold.stays_held, hold.held, hold.lacking) == said
    assert speaks_of_the_hold(
        f"{hold.of_the_parcel} The marketplace has not released the order for shipping."
    )
    assert not speaks_of_the_hold("The edit window is open.")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence[:60])
def test_every_rule_that_speaks_of_a_held_parcel_knows_one_without_a_hold(rule: Rule) -> None:
    claims = [
        words for words in ("parcel is held", "parcel stays held", "parcel held") if words in rule.sentence
    ]
    assert bool(claims) is rule.speaks_of_hold
    assert not any(words in rule.said(HoldWords(let_go=True)) for words in claims)
