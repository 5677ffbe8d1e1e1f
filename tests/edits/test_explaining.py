"""Every difference is explained by the rule that answered it, the facts it looked at, and what would change the answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.cancellations.decide import decide as end
from interlock.edits.explaining import Explained, explained, facts_used
from interlock.edits.proof import values_of
from interlock.edits.reading import SITUATION_OF, Edit
from interlock.edits.rules import RULES, rule_for
from interlock.edits.table import FACT_VALUES, FACTS, Answer, Change, Facts, Situation
from interlock.imports.decide import decide as fill_in
from interlock.orders.actions import CancelMiraklOrder, FillOrderAddress
from interlock.orders.memory import Kin
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import MiraklOrder
from tests.build import (
    HIDDEN,
    LINES,
    NOW,
    a_fulfillment,
    a_memory,
    a_refund,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_order,
    some_rules,
)

LAMP = a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
ONE_MUG = a_shopify_order(lines=(a_shopify_line(current_quantity=1), LAMP))


def told(**changes: Any) -> Explained:
    view = a_view(**{"shopify": ONE_MUG, "rules": some_rules(partial_cancelation=True), **changes})
    (one,) = explained(view, view.memory)
    return one


def test_the_rule_its_facts_and_what_would_change_the_answer_are_named() -> None:
    one = told()

    assert one.difference == "Shopify shows 1 of MUG; the marketplace agreed to 2."
    assert (one.change, one.answer) == ("quantity_down", "a person decides")
    assert RULES[one.rule - 1].sentence == one.sentence
    assert "cancelation reason" in one.sentence
    facts = dict(one.facts)
    assert facts["where the order stands"] == "to be shipped, not paid yet"
    assert facts["a cancelation reason is set"] == "no"
    assert facts["the marketplace allows a cancelation"] == "yes"
    assert (
        "If “a cancelation reason is set” were yes: cancel the units at the marketplace (OR30)."
        in one.would_change
    )


def test_while_another_order_may_take_over_nothing_is_said_to_be_sent() -> None:
    rules = some_rules(partial_cancelation=True, cancelation_reason="15")
    kin = Kin("SO2", "#1002", "candidate", NOW, "Interlock", "it looks alike")
    settled, open_ = told(rules=rules), told(rules=rules, memory=a_memory(lineage=(kin,)))

    assert settled.answer == "cancel the units at the marketplace (OR30)"
    assert open_.answer == "wait until it is settled whether another order replaces it"
    assert open_.sentence.startswith("No edit is carried across until")
    assert open_.sentence.endswith(settled.sentence)
    assert open_.would_change[0] == f"Once that is settled for this order: {settled.answer}."
    assert open_.rule == settled.rule


def test_every_value_of_a_fact_has_words() -> None:
    assert set(FACT_VALUES["situation"]) == set(Situation)
    for name in set(FACTS) - {"situation"}:
        for situation in Situation:
            for value in values_of(name, situation):
                assert isinstance(value, bool) or str(value) in FACT_VALUES[name], (name, value)


def test_only_facts_that_were_looked_at_are_named() -> None:
    assert facts_used(Change.NOTE_CHANGED, Facts(Situation.SHIPPED)) == ("situation",)
    assert "mirror" not in facts_used(Change.QUANTITY_DOWN, Facts(Situation.SHIPPING_UNPAID))


def test_an_incident_and_an_agreement_are_explained_too() -> None:
    assert told(shopify=a_shopify_order(), mirakl=an_order(has_incident=True)).change == "incident_opened"
    assert explained(a_view(), a_memory()) == ()
    assert explained(a_view(mirakl=None), a_memory()) == ()


def test_a_cancelled_order_is_one_difference() -> None:
    one = told(shopify=a_shopify_order(cancelled_at=NOW), memory=a_memory(shopify_cancelled_seen_at=NOW))

    assert (one.change, one.answer) == (
        "order_cancelled",
        "wait until it is settled whether another order replaces it",
    )


# -- the room that ends orders does what the rules say -----------------------------------------------------

FULL = tuple(
    replace(line, refunds=(a_refund(line.quantity, str(line.price), shipping=str(line.shipping_price)),))
    for line in LINES
)


@pytest.mark.parametrize("state", [state for state in (*SITUATION_OF, "SHIPPING")])
@pytest.mark.parametrize("can_cancel", [True, False])
@pytest.mark.parametrize("refunded", [True, False])
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("incident", [True, False])
@pytest.mark.parametrize("minutes", [1, 60])
def test_ending_an_order_follows_the_rules(
    state: str, can_cancel: bool, refunded: bool, left: bool, incident: bool, minutes: int
) -> None:
    mirakl: MiraklOrder = an_order(
        state, FULL if refunded else LINES, can_cancel=can_cancel, has_incident=incident
    )
    shopify = a_shopify_order(
        cancelled_at=NOW - timedelta(minutes=minutes),
        lines=(a_shopify_line(fulfilled_quantity=2 if left else 0), LAMP),
        fulfillments=(a_fulfillment(lines=(("S1", 2),)),) if left else (),
    )
    memory = a_memory(shopify_cancelled_seen_at=NOW - timedelta(minutes=minutes))
    view = a_view(mirakl=mirakl, shopify=shopify, memory=memory)
    judged = Edit(view, mirakl, shopify, memory, ()).judged_end()
    part = end(view, memory)

    assert judged.rule is rule_for(Change.ORDER_CANCELLED, judged.facts)
    match judged.rule.answer:
        case Answer.CANCEL_ORDER:
            assert (part.actions, part.cases) == ((CancelMiraklOrder(),), ())
        case Answer.DECISION:
            assert part.actions == ()
            assert [(c.reason, c.how_severe) for c in part.cases] == [(Reason.CANCELLED_IN_SHOPIFY, "urgent")]
        case Answer.WAIT_FOR_SHIPPING:
            assert part.actions == ()
            assert [(c.reason, c.how_severe) for c in part.cases] == [(Reason.CANCELLED_IN_SHOPIFY, "note")]
        case Answer.WAIT_FOR_LINEAGE:
            assert (part.actions, part.cases) == ((), ())
            assert part.look_at is not None
        case Answer.REFUND_TASK:
            assert (part.actions, part.cases) == ((), ())
            assert [task.ending for task in part.memory.refund_tasks] == [True]
        case Answer.WAIT_FOR_CHECK | Answer.NOTHING:
            assert (part.actions, part.cases, part.look_at) == ((), (), None)
        case other:
            raise AssertionError(other)


# -- the room that fills in an address does what the rules say ---------------------------------------------


@pytest.mark.parametrize("state", [*SITUATION_OF, "SHIPPING"])
@pytest.mark.parametrize("incident", [True, False])
@pytest.mark.parametrize("debited", [True, False])
def test_an_address_that_appears_follows_the_rules(state: str, incident: bool, debited: bool) -> None:
    mirakl = an_order(state, has_incident=incident, debited_at=NOW if debited else None)
    shopify, memory = a_shopify_order(address=HIDDEN), a_memory(agreed_address="")
    view = a_view(mirakl=mirakl, shopify=shopify, memory=memory)

    facts = Edit(view, mirakl, shopify, memory, ()).facts(None)
    part = fill_in(view, memory)

    filled = FillOrderAddress(shopify.id, mirakl.address.digest) in part.actions
    assert filled is (rule_for(Change.ADDRESS_APPEARED, facts).answer is Answer.MIRROR)
    assert bool(part.keep_held) is filled
