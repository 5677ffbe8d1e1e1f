"""A parcel that a fulfilment service has is asked back, waited for, and left to people when that fails."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.decide import decide as whole
from interlock.holds.decide import NOTES, decide
from interlock.holds.services import ASK_AGAIN_AFTER, MESSAGE
from interlock.orders.actions import AskServiceToStop, PlaceHold, ReleaseHold
from interlock.orders.memory import Memory, ServiceAsked
from interlock.orders.plan import Part
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import FulfillmentOrder
from tests.build import (
    NOW,
    OUR_HOLD,
    a_fulfillment_order,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_operation,
)

ASK = AskServiceToStop("FO1", MESSAGE)
PLACE = PlaceHold("FO1", NOTES)
WHY = ("The mugs differ.",)
WAIT = timedelta(minutes=15)


def at_service(request: str, can_hold: bool = False, **changes: Any) -> FulfillmentOrder:
    fo = a_fulfillment_order(holds=(), can_hold=can_hold, request_status=request)
    return replace(fo, **{"location_id": "3PL", **changes})


def asked(minutes_ago: float, last_minutes_ago: float | None = None) -> Memory:
    at = NOW - timedelta(minutes=minutes_ago)
    last = at if last_minutes_ago is None else NOW - timedelta(minutes=last_minutes_ago)
    return a_memory(services_asked=(ServiceAsked("FO1", "3PL", at, last),))


def closed(memory: Memory, fo: FulfillmentOrder, **changes: Any) -> Part:
    view = a_view(memory=memory, shopify=a_shopify_order(fulfillment_orders=(fo,)), **changes)
    return decide(view, memory, WHY)


@pytest.mark.parametrize("request_status", ["SUBMITTED", "ACCEPTED"])
def test_a_service_that_has_the_parcel_is_asked_to_stop(request_status: str) -> None:
    part = closed(a_memory(), at_service(request_status))

    assert part.actions == (ASK,)
    assert part.cases == ()
    assert part.memory.services_asked == (ServiceAsked("FO1", "3PL", NOW, NOW),)
    assert part.look_at == NOW + ASK_AGAIN_AFTER


def test_a_hold_that_is_still_offered_is_placed_besides() -> None:
    assert closed(a_memory(), at_service("SUBMITTED", can_hold=True)).actions == (ASK, PLACE)


def test_a_held_parcel_at_a_service_is_asked_back_too() -> None:
    part = closed(a_memory(), at_service("SUBMITTED", holds=(OUR_HOLD,), status="ON_HOLD"))
    assert part.actions == (ASK,)
    assert part.memory.held == ("FO1",)


@pytest.mark.parametrize("request_status", ["ACCEPTED", "CANCELLATION_REQUESTED"])
def test_its_answer_is_waited_for(request_status: str) -> None:
    part = closed(asked(2), at_service(request_status))

    assert (part.actions, part.cases) == ((), ())
    assert "its answer is awaited" in " ".join(part.because)
    assert part.look_at == NOW + timedelta(minutes=3)


def test_a_request_that_is_on_its_way_stays_wanted() -> None:
    assert closed(asked(2), at_service("ACCEPTED"), operations=(an_operation(ASK, "PLANNED"),)).actions == (
        ASK,
    )


def test_a_request_that_left_no_trace_is_made_again() -> None:
    part = closed(asked(6), at_service("ACCEPTED"))

    assert part.actions == (ASK,)
    assert part.memory.services_asked == (ServiceAsked("FO1", "3PL", NOW - timedelta(minutes=6), NOW),)
    assert closed(asked(6), at_service("CANCELLATION_REQUESTED")).actions == ()


@pytest.mark.parametrize(
    ("memory", "request_status", "words"),
    [
        (asked(2), "CANCELLATION_REJECTED", "refused"),
        (a_memory(), "CANCELLATION_REJECTED", "refused"),
        (asked(15), "ACCEPTED", "has not answered within 15 minutes"),
        (asked(15), "CANCELLATION_REQUESTED", "has not answered within 15 minutes"),
    ],
)
def test_a_service_that_refuses_or_keeps_silent_is_an_urgent_case(
    memory: Memory, request_status: str, words: str
) -> None:
    [case] = closed(memory, at_service(request_status)).cases

    assert (case.reason, case.subject, case.how_severe) == (Reason.SERVICE_DOES_NOT_STOP, "FO1", "urgent")
    assert words in case.sentence
    assert case.options == ()


def test_somebody_elses_request_to_stop_is_waited_for_as_well() -> None:
    part = closed(a_memory(), at_service("CANCELLATION_REQUESTED"))

    assert (part.actions, part.cases) == ((), ())
    assert part.memory.services_asked == (ServiceAsked("FO1", "3PL", NOW, NOW),)


def test_what_shopify_did_not_take_is_a_case_with_its_words_and_no_second_one() -> None:
    refusal = an_operation(ASK, words="not permitted")
    memory = asked(1)
    fo = at_service("ACCEPTED")
    [case] = closed(memory, fo, operations=(refusal,)).cases
    assert "not permitted" in case.sentence

    lines = (a_shopify_line(quantity=5), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    shopify = a_shopify_order(fulfillment_orders=(fo,), lines=lines)
    plan = whole(a_view(memory=memory, shopify=shopify, operations=(refusal,)))
    assert Reason.PLATFORM_REFUSED not in [c.reason for c in plan.cases]
    assert Reason.SERVICE_DOES_NOT_STOP in [c.reason for c in plan.cases]


def test_a_parcel_that_was_given_back_is_held() -> None:
    assert closed(asked(2), at_service("CANCELLATION_ACCEPTED", can_hold=True)).actions == (PLACE,)
    assert closed(asked(2), at_service("UNSUBMITTED", can_hold=True)).actions == (PLACE,)


# -- once both sides agree ---------------------------------------------------------------------------------


def opened(memory: Memory, fo: FulfillmentOrder) -> Part:
    return decide(a_view(memory=memory, shopify=a_shopify_order(fulfillment_orders=(fo,))), memory, ())


@pytest.mark.parametrize("request_status", ["CANCELLATION_ACCEPTED", "UNSUBMITTED"])
def test_a_service_that_stopped_has_to_be_asked_again_by_a_person(request_status: str) -> None:
    part = opened(asked(9), at_service(request_status, holds=(OUR_HOLD,), status="ON_HOLD", can_hold=True))

    assert part.actions == (ReleaseHold("FO1", ("H1",)),)
    assert [(case.reason, case.subject) for case in part.cases] == [(Reason.SERVICE_TO_ASK_AGAIN, "FO1")]


@pytest.mark.parametrize(
    ("memory", "fo"),
    [
        (asked(9), at_service("SUBMITTED")),
        (asked(9), at_service("UNSUBMITTED", location_id="OWN")),
        (asked(9), at_service("CANCELLATION_ACCEPTED", remaining=(("S1", 0),))),
        (a_memory(), at_service("UNSUBMITTED")),
    ],
)
def test_nobody_is_bothered_where_no_service_waits(memory: Memory, fo: FulfillmentOrder) -> None:
    assert opened(memory, fo).cases == ()


def test_an_order_in_agreement_asks_no_service_to_stop() -> None:
    assert opened(a_memory(), at_service("ACCEPTED")).actions == ()
