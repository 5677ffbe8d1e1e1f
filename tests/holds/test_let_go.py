"""What is said of a parcel that waits and is not on hold."""

from dataclasses import replace
from datetime import timedelta

import pytest

from interlock.decide import decide
from interlock.holds.let_go import NOT_ON_HOLD, as_let_go
from interlock.orders.memory import Rehold
from interlock.orders.plan import Plan
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import Hold
from tests.build import (
    FOREIGN_HOLD,
    NOW,
    OUR_HOLD,
    a_fulfillment_order,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
)

RELEASED_TWICE = (Rehold("FO1", NOW - timedelta(hours=1), 2),)
LONG_AGO = NOW - timedelta(hours=2)


def raised_to_three(holds: tuple[Hold, ...], can_hold: bool = True, times: int = 2) -> Plan:
    """Shopify shows three mugs, of which the marketplace sold two: an edit that it cannot take."""
    lines = (a_shopify_line(quantity=3, current_quantity=3), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    fo = a_fulfillment_order(holds=holds, can_hold=can_hold, remaining=(("S1", 3), ("S2", 1)))
    shopify = a_shopify_order(
        lines=lines, fulfillment_orders=(fo,), observed_at=NOW - timedelta(minutes=5), updated_at=LONG_AGO
    )
    view = a_view(
        shopify=shopify, memory=a_memory(reholds=tuple(replace(r, times=times) for r in RELEASED_TWICE))
    )
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


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        (
            "The reduction waits, with the parcel held, until then.",
            "The reduction waits, with the parcel to be held, until then.",
        ),
        ("The parcel is held until the refund shows.", "The parcel should be held until the refund shows."),
        ("It waits, and the parcel stays held.", "It waits, and the parcel should stay held."),
        ("Nothing is sent.", "Nothing is sent."),
    ],
)
def test_what_the_rooms_say_of_the_hold(said: str, instead: str) -> None:
    assert as_let_go(said) == instead
