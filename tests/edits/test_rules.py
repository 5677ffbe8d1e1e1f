"""The rules over their whole product: every combination has an answer, no rule is idle, and each says what it should."""

import random
from dataclasses import fields, replace
from math import prod
from typing import Any

import pytest

from interlock.edits.proof import ALL_VALUES, proof, values_of, walks
from interlock.edits.rules import RULES, Unanswered, rule_for
from interlock.edits.table import (
    ANSWERS,
    CHANGES,
    WITHOUT_CONSEQUENCE,
    Answer,
    Change,
    Facts,
    Situation,
    Workflow,
)
from interlock.orders.reasons import Reason


def facts(situation: Situation = Situation.SHIPPING_UNPAID, **changes: Any) -> Facts:
    """A marketplace that allows everything, and an edit that is nothing special."""
    usual = Facts(
        situation,
        workflow=Workflow.PAY_ON_DELIVERY,
        paid=situation is Situation.SHIPPING_PAID,
        units_left=situation is Situation.PART_SHIPPED,
        can_cancel=True,
        can_refund=True,
        can_ship=True,
        partial_cancelation=True,
        reason_code=True,
        mirror=True,
        editable=True,
    )
    return replace(usual, **changes)


# -- the proof ---------------------------------------------------------------------------------------------


def test_every_combination_has_an_answer_and_every_rule_is_reached() -> None:
    found = proof()

    assert found.unanswered == 0
    assert found.unreachable_rules == ()
    assert {(row.change, row.situation) for row in found.rules} == {
        (change.value, situation.value) for change in Change for situation in Situation
    }


def test_the_walks_cover_the_whole_product_once() -> None:
    assert proof().combinations == sum(
        len(Change) * prod(len(values_of(fact, situation)) for fact in ALL_VALUES) for situation in Situation
    )
    assert set(ALL_VALUES) | {"situation"} == {field.name for field in fields(Facts)}


def test_a_walk_answers_like_every_combination_it_stands_for() -> None:
    chance = random.Random(7)
    for change in Change:
        for situation in Situation:
            for walk in walks(change, situation):
                read = dict(walk.read)
                drawn = {fact: chance.choice(values_of(fact, situation)) for fact in ALL_VALUES}
                combination: Any = {**drawn, **read}
                assert rule_for(change, Facts(**combination)) is walk.rule


def test_every_fact_is_read_by_some_rule() -> None:
    read = {
        fact
        for change in Change
        for situation in Situation
        for walk in walks(change, situation)
        for fact, _ in walk.read
    }

    assert read == {field.name for field in fields(Facts)}


def test_every_rule_reads_as_a_sentence_and_every_decision_opens_a_case() -> None:
    for rule in RULES:
        assert rule.sentence.endswith(".")
        assert len({condition.name for condition in rule.conditions}) == len(rule.conditions)
        assert (rule.reason is not None) == (rule.answer in (Answer.DECISION, Answer.IMPOSSIBLE))
    assert len({rule.sentence for rule in RULES}) >= len(RULES) - 4
    assert {rule.answer for rule in RULES} == set(ANSWERS)
    assert set(CHANGES) == set(Change)


def test_a_combination_without_a_rule_would_be_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interlock.edits.rules._RULES_OF", {Change.NOTE_CHANGED: ()})

    with pytest.raises(Unanswered, match="note_changed"):
        rule_for(Change.NOTE_CHANGED, facts())


# -- what they answer --------------------------------------------------------------------------------------

S = Situation
C = Change
A = Answer
BEFORE_SHIPPING = (S.STAGING, S.WAITING_ACCEPTANCE, S.ACCEPTED)
TO_SHIP = (S.SHIPPING_UNPAID, S.SHIPPING_PAID, S.PART_SHIPPED)
GONE_OUT = (S.SHIPPED, S.RECEIVED, S.CLOSED)
REDUCTIONS = (C.QUANTITY_DOWN, C.LINE_REMOVED)
CUTS = (C.LINE_CANCELLED_IN_PART, C.LINE_CANCELLED_WHOLE, C.LINE_REFUSED)


def test_notes_and_the_archive_never_matter() -> None:
    for change in (C.NOTE_CHANGED, C.ORDER_ARCHIVED, C.ORDER_REOPENED):
        for situation in Situation:
            assert rule_for(change, facts(situation)).answer is A.NOTHING


def test_what_is_only_a_fact_is_answered_with_nothing_and_everything_else_somewhere_with_something() -> None:
    rules = {change: {rule.answer for rule in RULES if change in rule.changes} for change in Change}
    for change, answers in rules.items():
        assert (answers == {Answer.NOTHING}) is (change in WITHOUT_CONSEQUENCE), change


def test_an_ended_order_and_an_unknown_state_get_nothing_sent() -> None:
    for change in Change:
        for situation in (S.REFUSED, S.CANCELLED, S.UNKNOWN):
            assert rule_for(change, facts(situation, paid=True)).answer is A.NOTHING


@pytest.mark.parametrize(
    ("situation", "changes", "answer"),
    [
        (S.STAGING, {}, A.WAIT_FOR_SHIPPING),
        (S.WAITING_ACCEPTANCE, {}, A.WAIT_FOR_SHIPPING),
        (S.ACCEPTED, {}, A.WAIT_FOR_SHIPPING),
        (S.ACCEPTED, {"everything_gone": True}, A.CANCEL_ORDER),
        (S.ACCEPTED, {"everything_gone": True, "can_cancel": False}, A.WAIT_FOR_SHIPPING),
        (S.SHIPPING_UNPAID, {}, A.CANCEL_QUANTITY),
        (S.SHIPPING_UNPAID, {"everything_gone": True, "partial_cancelation": False}, A.CANCEL_ORDER),
        (S.SHIPPING_UNPAID, {"partial_cancelation": False}, A.DECISION),
        (S.SHIPPING_UNPAID, {"reason_code": False}, A.DECISION),
        (S.SHIPPING_UNPAID, {"can_cancel": False}, A.REFUND_TASK),
        (S.SHIPPING_UNPAID, {"can_cancel": False, "after_debit": "approve"}, A.REFUND_APPROVAL),
        (S.SHIPPING_UNPAID, {"can_cancel": False, "after_debit": "automatic"}, A.AUTOMATIC_REFUND),
        (S.SHIPPING_UNPAID, {"can_cancel": False, "refund_declined": True}, A.DECISION),
        (S.SHIPPING_UNPAID, {"can_cancel": False, "can_refund": False}, A.DECISION),
        (S.SHIPPING_UNPAID, {"can_cancel": False, "can_refund": False, "can_ship": False}, A.DECISION),
        (S.SHIPPING_PAID, {}, A.REFUND_TASK),
        (S.SHIPPING_PAID, {"can_refund": False, "after_debit": "automatic"}, A.REFUND_TASK),
        (S.SHIPPING_PAID, {"after_debit": "approve"}, A.REFUND_APPROVAL),
        (S.SHIPPING_PAID, {"after_debit": "automatic"}, A.AUTOMATIC_REFUND),
        (S.SHIPPING_PAID, {"refund_declined": True}, A.DECISION),
        (S.PART_SHIPPED, {"everything_gone": True}, A.CANCEL_QUANTITY),
        (S.PART_SHIPPED, {"paid": True}, A.REFUND_TASK),
        (S.REFUND_RUNNING, {}, A.WAIT_FOR_REFUND),
        (S.INCIDENT_OPEN, {}, A.WAIT_FOR_INCIDENT),
        (S.SHIPPED, {}, A.REFUND_TASK),
        (S.SHIPPED, {"after_debit": "approve"}, A.REFUND_APPROVAL),
        (S.RECEIVED, {"after_debit": "automatic"}, A.REFUND_APPROVAL),
        (S.RECEIVED, {"after_debit": "automatic", "can_refund": False}, A.REFUND_TASK),
        (S.SHIPPED, {"refund_asked": True}, A.NOTHING),
        (S.CLOSED, {}, A.DECISION),
        (S.SHIPPING_UNPAID, {"rest_impossible": True}, A.WAIT_FOR_REST),
        (S.SHIPPING_PAID, {"rest_impossible": True}, A.WAIT_FOR_REST),
        (S.SHIPPING_UNPAID, {"marketplace_changed": True}, A.WAIT_FOR_MARKETPLACE_CHANGE),
        (S.SHIPPING_UNPAID, {"both_changed": True}, A.DECISION),
    ],
)
def test_a_reduction(situation: Situation, changes: dict[str, Any], answer: Answer) -> None:
    for change in REDUCTIONS:
        assert rule_for(change, facts(situation, **changes)).answer is answer


def test_a_line_may_be_refused_only_by_a_person_and_only_before_acceptance() -> None:
    for situation in Situation:
        rule = rule_for(C.LINE_REMOVED, facts(situation, partial_acceptance=True))
        decided = situation in (S.WAITING_ACCEPTANCE, S.CLOSED)
        assert (rule.answer is A.DECISION) is decided


def test_nothing_that_makes_an_order_larger_or_dearer_is_ever_sent() -> None:
    for change in (
        C.QUANTITY_UP,
        C.LINE_ADDED,
        C.CUSTOM_LINE,
        C.SKU_REPLACED,
        C.BUNDLE_COMPONENT,
        C.PRICE_CHANGED,
        C.SHIPPING_CHANGED,
        C.ADDRESS_CHANGED,
    ):
        for situation in (*BEFORE_SHIPPING, *TO_SHIP, *GONE_OUT, S.INCIDENT_OPEN, S.REFUND_RUNNING):
            rule = rule_for(change, facts(situation))
            assert (rule.answer, rule.reason) == (A.DECISION, Reason.EDIT_CANNOT_BE_EXPRESSED)


@pytest.mark.parametrize(
    ("situation", "changes", "answer"),
    [
        (S.STAGING, {}, A.WAIT_FOR_CHECK),
        (S.WAITING_ACCEPTANCE, {}, A.DECISION),
        (S.ACCEPTED, {}, A.CANCEL_ORDER),
        (S.ACCEPTED, {"can_cancel": False}, A.WAIT_FOR_SHIPPING),
        (S.SHIPPING_UNPAID, {}, A.CANCEL_ORDER),
        (S.SHIPPING_UNPAID, {"lineage_open": True}, A.WAIT_FOR_LINEAGE),
        (S.SHIPPING_PAID, {"can_cancel": False}, A.REFUND_TASK),
        (S.SHIPPING_PAID, {"can_cancel": False, "after_debit": "approve"}, A.REFUND_APPROVAL),
        (S.INCIDENT_OPEN, {"can_cancel": False, "after_debit": "automatic"}, A.REFUND_APPROVAL),
        (S.SHIPPING_PAID, {"can_cancel": False, "money_only": True}, A.DECISION),
        (S.SHIPPING_PAID, {"can_cancel": False, "refund_declined": True}, A.NOTHING),
        (S.SHIPPING_PAID, {"can_cancel": False, "refund_asked": True}, A.NOTHING),
        (S.PART_SHIPPED, {"units_left": True}, A.DECISION),
        (S.WAITING_ACCEPTANCE, {"units_left": True}, A.DECISION),
        (S.SHIPPED, {}, A.DECISION),
        (S.SHIPPED, {"units_left": True}, A.DECISION),
        (S.SHIPPED, {"refund_asked": True}, A.NOTHING),
    ],
)
def test_an_order_cancelled_in_shopify(situation: Situation, changes: dict[str, Any], answer: Answer) -> None:
    assert rule_for(C.ORDER_CANCELLED, facts(situation, **changes)).answer is answer


@pytest.mark.parametrize(
    ("changes", "answer", "reason"),
    [
        ({}, A.MIRROR, None),
        ({"mirror": False}, A.DECISION, Reason.MARKETPLACE_CHANGED),
        ({"editable": False}, A.DECISION, Reason.MARKETPLACE_CHANGED),
        ({"units_left": True}, A.DECISION, Reason.MARKETPLACE_CHANGED),
        ({"both_changed": True}, A.DECISION, Reason.BOTH_SIDES_CHANGED),
    ],
)
def test_units_the_marketplace_took_away(
    changes: dict[str, Any], answer: Answer, reason: Reason | None
) -> None:
    for change in CUTS:
        for situation in (S.WAITING_ACCEPTANCE, S.ACCEPTED, S.REFUND_RUNNING, S.INCIDENT_OPEN):
            rule = rule_for(change, facts(situation, **changes))
            assert (rule.answer, rule.reason) == (answer, reason)
        for situation in GONE_OUT:
            assert rule_for(change, facts(situation)).reason is Reason.MARKETPLACE_CHANGED


def test_a_refund_made_there_asks_whether_the_units_ship() -> None:
    for situation in BEFORE_SHIPPING:
        assert rule_for(C.LINE_REFUNDED, facts(situation)).answer is A.IMPOSSIBLE
    for situation in (*TO_SHIP[:2], S.INCIDENT_OPEN):
        assert rule_for(C.LINE_REFUNDED, facts(situation)).reason is Reason.CONFIRM_WITHDRAWN
        assert rule_for(C.LINE_REFUNDED, facts(situation, refund_asked=True)).answer is A.WAIT_FOR_REFUND
    for situation in GONE_OUT:
        assert rule_for(C.LINE_REFUNDED, facts(situation)).answer is A.NOTHING


def test_recalculated_taxes_are_taken_as_they_stand_and_prices_are_asked_about() -> None:
    for situation in (*BEFORE_SHIPPING, *TO_SHIP):
        assert rule_for(C.TOTALS_RECALCULATED, facts(situation)).reason is Reason.MARKETPLACE_CHANGED
        assert rule_for(C.TOTALS_RECALCULATED, facts(situation, taxes_only=True)).answer is A.NOTHING


def test_an_address_is_carried_over_and_an_incident_holds_until_the_parcel_left() -> None:
    for situation in (*BEFORE_SHIPPING, *TO_SHIP):
        assert rule_for(C.ADDRESS_APPEARED, facts(situation)).answer is A.MIRROR
        assert rule_for(C.INCIDENT_OPENED, facts(situation)).reason is Reason.INCIDENT_OPEN
    for situation in GONE_OUT:
        assert rule_for(C.ADDRESS_APPEARED, facts(situation)).answer is A.NOTHING
        assert rule_for(C.INCIDENT_OPENED, facts(situation)).answer is A.NOTHING


@pytest.mark.parametrize("situation", [S.SHIPPING_PAID, S.PART_SHIPPED, S.REFUND_RUNNING, S.INCIDENT_OPEN])
def test_a_debit_under_a_workflow_that_never_shows_one_cannot_be(situation: Situation) -> None:
    seen = facts(situation, paid=True, workflow=Workflow.NO_CONFIRMATION)
    for change in (*REDUCTIONS, *CUTS, C.SKU_REPLACED):
        assert rule_for(change, seen).reason is Reason.IMPOSSIBLE_COMBINATION
    assert rule_for(C.ORDER_CANCELLED, seen).answer is not A.IMPOSSIBLE


def test_a_refused_line_cannot_be_before_anybody_was_asked() -> None:
    assert rule_for(C.LINE_REFUSED, facts(S.STAGING)).answer is A.IMPOSSIBLE
