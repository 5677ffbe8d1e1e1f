"""A paused flow: what waits, what goes on, and what every order it stops says."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.decide import decide
from interlock.edits import decide as edits
from interlock.edits.diff import differences
from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    CancelMiraklOrder,
    CancelQuantities,
    CreateDraft,
    PlaceHold,
    ReleaseHold,
    ShipOrder,
)
from interlock.orders.codec import decode, encode
from interlock.orders.connection import FLOWS, ConnectionRules, Flow, Pause
from interlock.orders.memory import Memory
from interlock.orders.pauses import WHAT_WAITS, without_paused
from interlock.orders.plan import Plan
from interlock.orders.reasons import Reason
from interlock.orders.restraint import restrained
from interlock.orders.view import View
from tests.build import NOW, a_memory, a_shopify_line, a_shopify_order, a_view, an_order, some_rules

HOLD, RELEASE, SHIP = PlaceHold("FO1", "notes"), ReleaseHold("FO1", ("H1",)), ShipOrder()
ACCEPT, CANCEL = AnswerAcceptance((("L1", True),)), CancelMiraklOrder()
EVERYTHING: tuple[Action, ...] = (HOLD, RELEASE, ACCEPT, CANCEL, SHIP)
IN_AN_HOUR = NOW + timedelta(hours=1)


def a_pause(flow: Flow, **changes: Any) -> Pause:
    return replace(
        Pause(flow, NOW - timedelta(minutes=5), IN_AN_HOUR, "ada", "The carrier is on strike."), **changes
    )


def paused(*pauses: Pause) -> ConnectionRules:
    return some_rules(pauses=pauses)


@pytest.mark.parametrize(
    ("flow", "waits"),
    [("import", ()), ("acceptance", (ACCEPT,)), ("edits", (CANCEL,)), ("shipping", (SHIP,)), ("refunds", ())],
)
def test_only_what_belongs_to_the_flow_waits_and_holds_never_do(
    flow: Flow, waits: tuple[Action, ...]
) -> None:
    plan = without_paused(Plan(Memory(), EVERYTHING), a_view(rules=paused(a_pause(flow))))

    assert plan.actions == tuple(action for action in EVERYTHING if action not in waits)
    assert [(case.reason, case.subject) for case in plan.cases] == [(Reason.FLOW_PAUSED, flow)] * len(waits)
    assert plan.look_at == (IN_AN_HOUR if waits else None)


def test_the_case_says_who_paused_it_why_until_when_and_what_that_means() -> None:
    (case,) = without_paused(Plan(Memory(), (SHIP,)), a_view(rules=paused(a_pause("shipping")))).cases

    assert (
        "Shipping of atlas is paused until 13:00 UTC on 02 March by ada: The carrier is on strike."
        in case.sentence
    )
    assert WHAT_WAITS["shipping"] in case.sentence
    assert case.how_severe == "note"


@pytest.mark.parametrize(
    ("why", "ends"), [("Strike", "Strike."), ("Strike.", "Strike."), ("Really?", "Really?"), ("Now!", "Now!")]
)
def test_a_pause_said_in_words_ends_like_a_sentence_however_its_reason_was_written(
    why: str, ends: str
) -> None:
    assert a_pause("shipping", why=why).in_words == f"paused until 13:00 UTC on 02 March by ada: {ends}"


@pytest.mark.parametrize("moment", [IN_AN_HOUR, IN_AN_HOUR + timedelta(days=1)])
def test_a_pause_is_over_at_its_end_without_anybody_ending_it(moment: Any) -> None:
    view = a_view(now=moment, rules=paused(a_pause("shipping")))

    assert without_paused(Plan(Memory(), EVERYTHING), view).actions == EVERYTHING


def test_an_order_that_waits_for_acceptance_shouts() -> None:
    due = NOW + timedelta(hours=3)
    view = a_view(mirakl=an_order("WAITING_ACCEPTANCE"), rules=paused(a_pause("acceptance")))

    (case,) = without_paused(Plan(Memory(acceptance_due_at=due), (ACCEPT,)), view).cases

    assert (case.how_severe, case.due_at) == ("urgent", due)


def test_an_edit_stopped_by_a_pause_was_not_sent_and_goes_when_the_pause_ends() -> None:
    lines = (a_shopify_line(current_quantity=1), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    rules = some_rules(partial_cancelation=True, cancelation_reason="15", pauses=(a_pause("edits"),))
    view = a_view(
        shopify=a_shopify_order(lines=lines),
        memory=a_memory(content_since=NOW - timedelta(seconds=61)),
        rules=rules,
    )

    wanted = _edits(view)
    stopped = restrained(wanted, view)
    later = replace(view, now=IN_AN_HOUR, memory=stopped.memory)

    assert [type(action) for action in wanted.actions] == [CancelQuantities]
    assert wanted.memory.sent_edit
    assert stopped.actions == ()
    assert (stopped.memory.sent_edit, stopped.memory.unsent_edit) == ("", wanted.memory.sent_edit)
    assert restrained(_edits(later), later).actions == wanted.actions


def _edits(view: View) -> Plan:
    part = edits.decide(view, view.memory, differences(view, view.memory))
    return Plan(part.memory, part.actions)


def test_on_a_connection_that_is_not_live_no_pause_is_spoken_of() -> None:
    view = a_view(live=False, rules=paused(*(a_pause(flow) for flow in FLOWS)))

    plan = restrained(Plan(Memory(), EVERYTHING), view)

    assert (plan.actions, plan.cases) == ((), ())


def test_pauses_are_stored_with_the_rules_and_old_rules_have_none() -> None:
    rules = paused(a_pause("import"))

    assert decode(ConnectionRules, encode(rules)) == rules
    assert "pauses" not in encode(some_rules())


def test_every_action_of_an_import_waits_while_it_is_paused() -> None:
    created = CreateDraft.__name__
    view = a_view(shopify=None, memory=Memory(), mirakl=an_order("WAITING_ACCEPTANCE"))

    assert created not in {
        type(action).__name__
        for action in restrained(decide(view), replace(view, rules=paused(a_pause("import")))).actions
    }
