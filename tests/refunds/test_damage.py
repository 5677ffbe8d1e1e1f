"""A refund in the portal made twice or on another line is told, in any state and whatever became of the Shopify order."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from interlock.orders.memory import Memory, RefundTask, Withdrawn
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import MiraklOrder, Reduction
from interlock.orders.view import View
from interlock.refunds import elsewhere
from interlock.refunds.decide import decide
from tests.build import LINES, NOW, a_decision, a_refund
from tests.refunds.test_decide import an_edit_task, look, paid, with_tasks

QUARTER = timedelta(minutes=15)
LONG_AGO = NOW - timedelta(hours=2)
FIRST = replace(a_refund(1, "10.00", "R1", "2.00"), created_at=NOW - timedelta(hours=1))
AGAIN = replace(FIRST, id="R2", created_at=NOW - QUARTER)
SETTLED = an_edit_task(opened_at=LONG_AGO, settled_by=("R1",), settled_at=NOW - timedelta(minutes=59))
WITHDRAWN = Withdrawn("L1", 1, "R1", "Ada", NOW)
OPEN = an_edit_task(opened_at=LONG_AGO)


def decided(
    *refunds: Reduction,
    task: RefundTask = SETTLED,
    state: str = "SHIPPED",
    live: bool = True,
    now: datetime = NOW,
) -> Part:
    return decide(shown(*refunds, state=state, live=live, now=now), with_tasks(task, withdrawn=(WITHDRAWN,)))


def shown(*refunds: Reduction, state: str = "SHIPPED", live: bool = True, now: datetime = NOW) -> View:
    view = look(mirakl=paid(*refunds, state=state), now=now)
    assert view.shopify is not None
    cancelled_at = None if live else LONG_AGO
    return replace(view, shopify=replace(view.shopify, cancelled_at=cancelled_at))


def damage(memory: Memory) -> list[str]:
    return [one.subject for one in memory.incidents if one.closed_at is None]


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("state", ["SHIPPING", "SHIPPED", "RECEIVED", "CLOSED"])
def test_a_later_refund_of_the_line_and_the_amount_is_one_made_twice(state: str, live: bool) -> None:
    part = decided(FIRST, AGAIN, state=state, live=live)

    (incident,) = part.memory.incidents
    assert (incident.reason, incident.subject) == (Reason.REFUND_MISMATCH, "R1:R2")
    assert "MUG was refunded twice" in incident.sentence
    assert "10.00 EUR and 2.00 EUR shipping" in incident.sentence


@pytest.mark.parametrize(
    ("other", "is_one"),
    [
        (AGAIN, True),
        (replace(AGAIN, shipping_amount=AGAIN.amount * 0), True),
        (replace(AGAIN, created_at=None), True),
        (replace(AGAIN, amount=AGAIN.amount - 1), False),
        (replace(AGAIN, created_at=LONG_AGO - timedelta(seconds=1)), False),
        (replace(AGAIN, created_at=NOW - QUARTER + timedelta(seconds=1)), False),  # it may still be explained
    ],
)
def test_a_goodwill_of_another_amount_or_from_before_is_none(other: Reduction, is_one: bool) -> None:
    assert damage(decided(FIRST, other).memory) == (["R1:R2"] if is_one else [])


def test_what_may_still_be_explained_is_looked_at_again_and_is_no_task_of_its_own_meanwhile() -> None:
    fresh = replace(AGAIN, created_at=NOW)
    part = decided(FIRST, fresh)

    assert part.look_at == NOW + QUARTER
    assert elsewhere.decide(shown(FIRST, fresh), part.memory).cases == ()


def test_a_second_refund_that_answers_a_task_of_its_own_closes_it() -> None:
    """The edit behind it was read late."""
    told = decided(FIRST, AGAIN).memory
    second = an_edit_task(subject="edit:2")

    part = decide(shown(FIRST, AGAIN), replace(told, refund_tasks=(*told.refund_tasks, second)))

    assert part.memory.refund_tasks[-1].settled_by == ("R2",)
    assert damage(part.memory) == []
    assert part.memory.incidents[0].closed_because == "The refund answers a task by now."


def test_one_question_about_one_refund_until_a_person_has_spoken() -> None:
    part = decided(FIRST, AGAIN)
    view = shown(FIRST, AGAIN)
    answered = replace(part.memory.incidents[0], closed_at=NOW, closed_because="Ada: meant")
    after = replace(
        part.memory,
        incidents=(answered,),
        decisions=(a_decision(Reason.REFUND_MISMATCH, "R1:R2", Option.DISMISS),),
    )

    assert elsewhere.decide(view, part.memory).cases == ()
    # It was meant, so the books of the two sides differ by it like by any goodwill.
    assert [case.reason for case in elsewhere.decide(view, after).cases] == [
        Reason.REFUND_ONLY_AT_MARKETPLACE
    ]
    assert damage(decide(view, after).memory) == []


def test_money_without_units_made_twice_is_told_on_whatever_line() -> None:
    due = replace(SETTLED.lines[0], line_id="", quantity=0)
    assert damage(decided(FIRST, AGAIN, task=replace(SETTLED, lines=(due,))).memory) == ["R1:R2"]


def test_a_further_goodwill_beside_one_that_shopify_only_recorded_is_none() -> None:
    due = replace(SETTLED.lines[0], quantity=0)
    assert damage(decided(FIRST, AGAIN, task=replace(SETTLED, lines=(due,))).memory) == []


# -- on another line ------------------------------------------------------------------------------------------


def on_the_lamp(refund: Reduction) -> MiraklOrder:
    return replace(paid(), lines=(LINES[0], replace(LINES[1], refunds=(refund,))))


@pytest.mark.parametrize(
    ("refund", "is_one"),
    [
        (AGAIN, True),
        (replace(AGAIN, shipping_amount=AGAIN.amount * 0), True),
        (replace(AGAIN, amount=AGAIN.amount + 1), False),
        (replace(AGAIN, created_at=LONG_AGO - timedelta(seconds=1)), False),
        (replace(AGAIN, created_at=NOW), False),
    ],
)
def test_the_money_of_an_open_task_on_another_line_is_told_and_the_task_stays_open(
    refund: Reduction, is_one: bool
) -> None:
    part = decide(look(mirakl=on_the_lamp(refund)), with_tasks(OPEN))

    assert damage(part.memory) == (["edit:1:R2"] if is_one else [])
    assert part.memory.refund_tasks[0].settled_at is None
    assert [case.reason for case in part.cases] == [Reason.REFUND_TASK]
    if is_one:
        assert "is asked for on MUG" in part.memory.incidents[0].sentence
        assert "stands on LAMP" in part.memory.incidents[0].sentence


def test_a_refund_of_the_other_line_that_has_its_own_task_is_none() -> None:
    lamp = replace(OPEN.lines[0], line_id="L2")
    second = replace(OPEN, subject="edit:2", lines=(lamp,))

    part = decide(look(mirakl=on_the_lamp(AGAIN)), with_tasks(OPEN, second))

    assert part.memory.refund_tasks[1].settled_by == ("R2",)
    assert damage(part.memory) == []
