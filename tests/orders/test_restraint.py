"""Which actions of a plan may be sent."""

from datetime import timedelta
from typing import Any

import pytest

from interlock.orders.actions import AnswerAcceptance, MarkPaid, PlaceHold, ReleaseHold
from interlock.orders.memory import Memory
from interlock.orders.plan import Plan
from interlock.orders.reasons import Reason
from interlock.orders.restraint import MOST_WRITING_RUNS_IN_HOUR, restrained
from tests.build import NOW, a_view

ACCEPT = AnswerAcceptance((("L1", True),))
HOLD = PlaceHold("FO1", "notes")
RELEASE = ReleaseHold("FO1", ("H1",))
PAID = MarkPaid("SO1")
ALL = (RELEASE, HOLD, ACCEPT, PAID)
MANY = MOST_WRITING_RUNS_IN_HOUR


@pytest.mark.parametrize(
    ("view", "wanted", "sent", "parked"),
    [
        ({}, ALL, ALL, False),
        ({"shopify_unreadable": True}, ALL, (ACCEPT,), False),
        ({"shopify_gone": True}, (*ALL, MarkPaid("SO2")), (RELEASE, HOLD, ACCEPT, MarkPaid("SO2")), False),
        ({"live": False}, ALL, (), False),
        ({"live": False, "writing_runs": MANY}, ALL, (), False),
        ({"writing_runs": MANY - 1}, ALL, ALL, False),
        ({"writing_runs": MANY}, ALL, (HOLD, ACCEPT), True),
        ({"writing_runs": MANY}, (PAID,), (), True),
        ({"writing_runs": MANY}, (), (), False),
        ({"writing_runs": MANY, "shopify_unreadable": True}, ALL, (ACCEPT,), True),
    ],
)
def test_what_may_be_sent(
    view: dict[str, Any], wanted: tuple[Any, ...], sent: tuple[Any, ...], parked: bool
) -> None:
    plan = restrained(Plan(Memory(), wanted), a_view(**view))
    assert plan.actions == sent
    assert [case.reason for case in plan.cases] == ([Reason.TOO_MANY_CYCLES] if parked else [])
    assert (plan.look_at == NOW + timedelta(minutes=10)) is parked
