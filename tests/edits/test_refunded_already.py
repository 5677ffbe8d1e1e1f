"""A unit that was refunded in the portal and is taken off in Shopify is one refund, whichever came first."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from interlock.decide import decide
from interlock.orders.actions import RefundLines
from interlock.orders.connection import ReductionAfterDebit
from interlock.orders.memory import Decision
from interlock.orders.plan import Plan
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import refund_subject
from interlock.orders.snapshots import Reduction
from interlock.orders.view import View
from tests.build import NOW, a_decision, a_memory, a_refund, some_rules
from tests.refunds.test_decide import look, paid

EDITED = NOW - timedelta(minutes=10)
LATER = NOW + timedelta(minutes=5)
BEFORE, AFTER = EDITED - timedelta(hours=1), EDITED + timedelta(minutes=2)


def in_the_portal(at: datetime, amount: str = "10.00", shipping: str = "2.00") -> Reduction:
    return replace(a_refund(1, amount, "R1", shipping), created_at=at)


def edited(
    refund: Reduction, state: str = "SHIPPING", mode: ReductionAfterDebit = "automatic", mugs: int = 1
) -> View:
    """Staff took mugs off a paid order of two; everything has stood still for long enough."""
    rules = some_rules(reduction_after_debit=mode, refund_reason="15", refund_cap=Decimal(500))
    view = look(mirakl=paid(refund, state=state), mugs=mugs, rules=rules)
    seen = decide(replace(view, memory=a_memory()))
    return replace(view, now=LATER, memory=replace(seen.memory, content_since=EDITED))


def looks(view: View) -> tuple[Plan, Plan]:
    """What this look decides, and the next one."""
    first = decide(view)
    return first, decide(replace(view, now=LATER + timedelta(seconds=1), memory=first.memory))


@pytest.mark.parametrize("mode", ["task", "approve", "automatic"])
@pytest.mark.parametrize("at", [BEFORE, AFTER])
@pytest.mark.parametrize("state", ["SHIPPING", "SHIPPED"])
def test_a_unit_refunded_in_the_portal_and_removed_in_shopify_is_refunded_once(
    mode: ReductionAfterDebit, at: datetime, state: str
) -> None:
    first, then = looks(edited(in_the_portal(at), state, mode))

    assert not any(isinstance(action, RefundLines) for action in (*first.actions, *then.actions))
    assert first.look_at == LATER
    assert any("gave money back for these units already (R1)" in sentence for sentence in first.because)
    (task,) = then.memory.refund_tasks
    assert [(due.quantity, due.amount, due.shipping_amount) for due in task.lines] == [
        (1, Decimal("10.00"), Decimal("2.00"))
    ]
    assert (task.settled_by, task.settled_at) == (("R1",), LATER + timedelta(seconds=1))
    assert not any(case.reason is Reason.REFUND_TASK for case in then.cases)


def test_where_the_portal_gave_less_a_person_is_asked_and_nothing_is_sent() -> None:
    first, then = looks(edited(in_the_portal(BEFORE, shipping="0")))

    assert not any(isinstance(action, RefundLines) for action in (*first.actions, *then.actions))
    (task,) = then.memory.refund_tasks
    assert (task.settled_by, task.settled_at) == (("R1",), None)
    (case,) = (case for case in then.cases if case.reason is Reason.REFUND_MISMATCH)
    assert "asks for 10.00 EUR of MUG and 2.00 EUR shipping; the marketplace shows 10.00 EUR" in case.sentence


def test_of_two_units_that_were_removed_the_one_the_portal_refunded_is_not_asked_for_again() -> None:
    _, then = looks(edited(in_the_portal(BEFORE), mugs=0))

    (task,) = then.memory.refund_tasks
    assert [(due.quantity, due.amount) for due in task.lines] == [(2, Decimal("20.00"))]
    assert (task.settled_by, task.settled_at) == (("R1",), None)


@pytest.mark.parametrize(
    ("refund", "said"),
    [
        (in_the_portal(BEFORE, "3.00", "0"), ()),
        (
            in_the_portal(BEFORE),
            (a_decision(Reason.CONFIRM_WITHDRAWN, refund_subject("R1"), Option.DISMISS),),
        ),
    ],
)
def test_a_goodwill_and_a_refund_whose_units_ship_pay_for_no_unit_that_is_removed(
    refund: Reduction, said: tuple[Decision, ...]
) -> None:
    view = edited(refund)
    first, _ = looks(replace(view, memory=replace(view.memory, decisions=said)))

    (task,) = first.memory.refund_tasks
    assert task.settled_by == ()
    assert task.lines[0].quantity == 1
