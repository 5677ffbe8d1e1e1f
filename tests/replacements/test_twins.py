"""Two live Shopify orders for one marketplace order: both wait, somebody is told, and nothing is cancelled."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.decide import decide
from interlock.orders.actions import Action, CancelMiraklOrder, CancelShopifyOrder, PlaceHold, ReleaseHold
from interlock.orders.memory import Incident, Memory, Rehold
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import ShopifyOrder, Traces
from interlock.replacements import twins
from tests.build import (
    CREATED,
    MARKER,
    NOW,
    OUR_HOLD,
    a_decision,
    a_fulfillment,
    a_fulfillment_order,
    a_memory,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
)

HELD = a_fulfillment_order("FO2")
OPEN = a_fulfillment_order("FO2", holds=())
CANCELLED = NOW - timedelta(seconds=1)
INCIDENT = Incident(Reason.TWO_LIVE_ORDERS, "SO2", CREATED, "Two orders.")
HOLD = PlaceHold("FO2", twins.NOTES)


def a_twin(**changes: Any) -> ShopifyOrder:
    traces = Traces(attribute=MARKER)
    twin = a_shopify_order(id="SO2", name="#1002", marker="", traces=traces, fulfillment_orders=(OPEN,))
    return replace(twin, **changes)


@pytest.mark.parametrize(
    ("given", "memory", "actions", "incident", "held"),
    [
        pytest.param({"kin": ()}, {}, (), None, False, id="alone"),
        pytest.param({"kin": (a_twin(),)}, {}, (HOLD,), "open", True, id="two that live"),
        pytest.param(
            {"kin": (a_twin(created_at=NOW - timedelta(seconds=5)),)},
            {},
            (HOLD,),
            None,
            True,
            id="just made",
        ),
        pytest.param({"kin": (a_twin(fulfillment_orders=(HELD,)),)}, {}, (), "open", True, id="held already"),
        pytest.param(
            {"kin": (a_twin(cancelled_at=CANCELLED),)},
            {"incidents": (INCIDENT,)},
            (),
            "closed",
            False,
            id="the twin was cancelled",
        ),
        pytest.param(
            {"kin": (a_twin(),), "shopify": a_shopify_order(cancelled_at=CANCELLED)},
            {"incidents": (INCIDENT,)},
            (),
            "closed",
            False,
            id="the linked one was cancelled",
        ),
        pytest.param(
            {
                "kin": (a_twin(),),
                "shopify": a_shopify_order(cancelled_at=CANCELLED),
                "mirakl": an_order("CANCELED"),
            },
            {"incidents": (INCIDENT,)},
            (),
            "open",
            False,
            id="the marketplace ended it and the twin still lives",
        ),
        pytest.param({"kin": ()}, {"incidents": (INCIDENT,)}, (), "open", False, id="a twin out of sight"),
        pytest.param(
            {"kin": (a_twin(),), "shopify": None},
            {"incidents": (INCIDENT,)},
            (),
            "open",
            False,
            id="unread",
        ),
        pytest.param(
            {"kin": (a_twin(fulfillment_orders=(HELD,)),)},
            {"incidents": (replace(INCIDENT, closed_at=NOW, closed_because="Ada: two sales"),)},
            (ReleaseHold("FO2", (OUR_HOLD.id,)),),
            "closed",
            False,
            id="a person said they are two sales",
        ),
        pytest.param(
            {
                "kin": (a_twin(fulfillment_orders=(HELD,)),),
                "shopify": a_shopify_order(cancelled_at=CANCELLED),
            },
            {"decisions": (a_decision(Reason.POSSIBLE_SUCCESSOR, "SO2", Option.NO_SUCCESSOR),)},
            (ReleaseHold("FO2", (OUR_HOLD.id,)),),
            None,
            False,
            id="a person said it is no successor",
        ),
        pytest.param(
            {"kin": (a_twin(),)},
            {"kin_held": ("FO2",), "incidents": (INCIDENT,)},
            (HOLD,),
            "open",
            True,
            id="somebody released the twin's hold",
        ),
        pytest.param(
            {"kin": (a_twin(),)},
            {"kin_held": ("FO2",), "reholds": (Rehold("FO2", CREATED, 1),), "incidents": (INCIDENT,)},
            (),
            "open",
            True,
            id="somebody released it again",
        ),
    ],
)
def test_two_orders(
    given: dict[str, Any],
    memory: dict[str, Any],
    actions: tuple[Action, ...],
    incident: str | None,
    held: bool,
) -> None:
    view = a_view(**given)
    part = twins.decide(view, a_memory(**memory))
    assert part.actions == actions
    assert bool(part.keep_held) is held
    found = part.memory.incident(Reason.TWO_LIVE_ORDERS, "SO2")
    state = None if found is None else "open" if found.closed_at is None else "closed"
    assert state == incident


def test_both_are_held_and_named_and_none_is_cancelled() -> None:
    twin = a_twin(fulfillments=(a_fulfillment(),))
    free = a_fulfillment_order(holds=())
    view = a_view(
        kin=(twin,),
        shopify=a_shopify_order(fulfillment_orders=(free,)),
        memory=a_memory(released_at=CREATED),
    )
    plan = decide(view)
    assert {a.fulfillment_order_id for a in plan.actions if isinstance(a, PlaceHold)} == {"FO1", "FO2"}
    assert not any(isinstance(a, (CancelShopifyOrder, CancelMiraklOrder)) for a in plan.actions)
    (case,) = plan.cases
    assert (case.reason, case.subject, case.how_severe) == (Reason.TWO_LIVE_ORDERS, "SO2", "urgent")
    assert "#1001 and #1002" in case.sentence
    assert "Units of #1002 already have a label" in case.sentence


def test_the_incident_waits_until_an_editing_app_would_have_cancelled_the_old_order() -> None:
    made = NOW - timedelta(seconds=5)
    part = twins.decide(a_view(kin=(a_twin(created_at=made),)), a_memory())
    assert part.look_at == made + twins.REPLACING_TAKES
    assert part.memory == a_memory()


def test_a_parcel_that_cannot_be_held_is_told_of() -> None:
    stuck = replace(OPEN, can_hold=False)
    part = twins.decide(a_view(kin=(a_twin(fulfillment_orders=(stuck,)),)), a_memory())
    assert part.actions == ()
    assert [(case.reason, case.subject) for case in part.cases] == [(Reason.CANNOT_HOLD, "FO2")]
    assert "#1002" in part.cases[0].sentence


def test_a_refused_hold_is_told_of_and_may_be_sent_again() -> None:
    refused = an_operation(HOLD, "REJECTED", words="Ten holds at most.", code="TOO_MANY_HOLDS")
    part = twins.decide(a_view(kin=(a_twin(),), operations=(refused,)), a_memory())
    assert part.actions == (HOLD,)
    (case,) = part.cases
    assert (case.reason, case.subject, case.options) == (Reason.CANNOT_HOLD, "FO2", (Option.SEND_AGAIN,))
    assert "Ten holds at most." in case.sentence


def test_a_service_that_has_the_parcel_is_to_be_asked_by_people() -> None:
    there = replace(OPEN, can_hold=False, request_status="ACCEPTED")
    (case,) = twins.decide(a_view(kin=(a_twin(fulfillment_orders=(there,)),)), a_memory()).cases
    assert "Interlock cannot stop it" in case.sentence
    assert "Ring the service, or cancel the request in Shopify" in case.sentence
    assert case.options == ()


@pytest.mark.parametrize(
    ("request_status", "stop_request", "can_hold", "said"),
    [
        ("SUBMITTED", "", False, "Ring the service, or cancel"),
        ("SUBMITTED", "", True, "Ring the service, or cancel"),
        ("CANCELLATION_REQUESTED", "ASKED", False, "has not answered: ring it"),
        ("CANCELLATION_REJECTED", "REFUSED", False, "refused: ring it"),
        ("ACCEPTED", "ACCEPTED", True, ""),
        ("CANCELLATION_ACCEPTED", "ACCEPTED", True, ""),
        ("UNSUBMITTED", "", True, ""),
    ],
)
def test_what_a_service_has_and_did_not_give_back_is_told_whether_or_not_it_can_be_held(
    request_status: str, stop_request: str, can_hold: bool, said: str
) -> None:
    there = replace(
        OPEN, can_hold=can_hold, request_status=request_status, stop_request=stop_request, location_id="L/77"
    )
    part = twins.decide(a_view(kin=(a_twin(fulfillment_orders=(there,)),)), a_memory())
    assert [case.reason for case in part.cases] == ([Reason.CANNOT_HOLD] if said else [])
    assert part.actions == ((HOLD,) if can_hold else ())
    for case in part.cases:
        assert said in case.sentence
        assert ("location", "77") in case.facts


@pytest.mark.parametrize(("times", "told"), [(0, False), (1, True)])
def test_the_second_release_by_others_is_an_incident(times: int, told: bool) -> None:
    before = Rehold("FO2", CREATED, times, earlier=2)
    memory = a_memory(kin_held=("FO2",), reholds=(before,), incidents=(INCIDENT,))
    view = a_view(kin=(a_twin(),))

    part = twins.decide(view, memory)

    assert part.memory.reholds == (Rehold("FO2", NOW, times + 1, earlier=2),)
    found = part.memory.incident(Reason.HOLD_RELEASED_BY_OTHERS, "FO2")
    assert (found is not None and "#1002" in found.sentence) is told
    assert twins.decide(view, part.memory).memory == part.memory


def test_nothing_is_known_before_the_order_is_linked() -> None:
    part = twins.decide(a_view(kin=(a_twin(),)), Memory())
    assert part == twins.decide(a_view(), Memory())
