"""A parcel that a fulfilment service has is asked back, waited for, and left to people when that fails."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from interlock.decide import decide as whole
from interlock.holds.decide import NOTES, decide
from interlock.holds.services import MESSAGE
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


def at_service(request: str, stop: str = "", can_hold: bool = False, **changes: Any) -> FulfillmentOrder:
    fo = a_fulfillment_order(
        holds=(),
        can_hold=can_hold,
        request_status=request,
        third_party=True,
        stop_request=stop,
        can_ask_to_stop=request in ("SUBMITTED", "ACCEPTED") and not stop,
    )
    return replace(fo, **{"location_id": "3PL", **changes})


def asked(minutes_ago: float) -> Memory:
    return a_memory(services_asked=(ServiceAsked("FO1", "3PL", NOW - timedelta(minutes=minutes_ago)),))


def closed(memory: Memory, fo: FulfillmentOrder, **changes: Any) -> Part:
    view = a_view(memory=memory, shopify=a_shopify_order(fulfillment_orders=(fo,)), **changes)
    return decide(view, memory, WHY)


@pytest.mark.parametrize("request_status", ["SUBMITTED", "ACCEPTED"])
def test_a_service_that_has_the_parcel_is_asked_to_stop(request_status: str) -> None:
    part = closed(a_memory(), at_service(request_status))

    assert part.actions == (ASK,)
    assert part.cases == ()
    assert part.memory.services_asked == (ServiceAsked("FO1", "3PL", NOW),)
    assert part.look_at == NOW + WAIT


def test_a_hold_that_is_still_offered_is_placed_besides() -> None:
    assert closed(a_memory(), at_service("SUBMITTED", can_hold=True)).actions == (ASK, PLACE)


def test_a_held_parcel_at_a_service_is_asked_back_too() -> None:
    part = closed(a_memory(), at_service("SUBMITTED", holds=(OUR_HOLD,), status="ON_HOLD"))
    assert part.actions == (ASK,)
    assert part.memory.held == ("FO1",)


def test_it_is_wanted_until_shopify_shows_that_it_was_asked() -> None:
    assert closed(asked(2), at_service("ACCEPTED")).actions == (ASK,)


@pytest.mark.parametrize("request_status", ["ACCEPTED", "CANCELLATION_REQUESTED"])
def test_its_answer_is_waited_for(request_status: str) -> None:
    part = closed(asked(2), at_service(request_status, "ASKED"))

    assert (part.actions, part.cases) == ((), ())
    assert "its answer is awaited" in " ".join(part.because)
    assert part.look_at == NOW + WAIT - timedelta(minutes=2)


@pytest.mark.parametrize(
    ("memory", "fo", "words"),
    [
        (asked(2), at_service("CANCELLATION_REJECTED", "REFUSED"), "refused"),
        (a_memory(), at_service("CANCELLATION_REJECTED", "REFUSED"), "refused"),
        (asked(15), at_service("ACCEPTED", "ASKED"), "has not answered within 15 minutes"),
        (asked(15), at_service("CANCELLATION_REQUESTED", "ASKED"), "has not answered within 15 minutes"),
        (asked(15), at_service("ACCEPTED"), "could not be asked within 15 minutes"),
        (a_memory(), at_service("ACCEPTED", can_ask_to_stop=False), "does not offer to ask it"),
    ],
)
def test_a_service_that_refuses_or_keeps_silent_or_cannot_be_asked_is_an_urgent_case(
    memory: Memory, fo: FulfillmentOrder, words: str
) -> None:
    [case] = closed(memory, fo).cases

    assert (case.reason, case.subject, case.how_severe) == (Reason.SERVICE_DOES_NOT_STOP, "FO1", "urgent")
    assert words in case.sentence
    assert case.options == ()


def test_somebody_elses_request_to_stop_is_waited_for_as_well() -> None:
    part = closed(a_memory(), at_service("CANCELLATION_REQUESTED", "ASKED"))

    assert (part.actions, part.cases) == ((), ())
    assert part.memory.services_asked == (ServiceAsked("FO1", "3PL", NOW),)


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
    given_back = at_service("CANCELLATION_ACCEPTED", "ACCEPTED", can_hold=True)
    assert closed(asked(2), given_back).actions == (PLACE,)
    assert closed(asked(2), at_service("UNSUBMITTED", can_hold=True)).actions == (PLACE,)


# -- once both sides agree ---------------------------------------------------------------------------------


def opened(memory: Memory, fo: FulfillmentOrder) -> Part:
    return decide(a_view(memory=memory, shopify=a_shopify_order(fulfillment_orders=(fo,))), memory, ())


@pytest.mark.parametrize("request_status", ["CANCELLATION_ACCEPTED", "UNSUBMITTED"])
def test_a_service_that_stopped_has_to_be_asked_again_by_a_person(request_status: str) -> None:
    part = opened(asked(9), at_service(request_status, holds=(OUR_HOLD,), status="ON_HOLD"))

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
