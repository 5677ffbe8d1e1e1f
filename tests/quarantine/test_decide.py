"""Whose a mark is, and what an order owes to a quarantine that ended."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from interlock.decide import decide as decide_all
from interlock.orders.actions import CancelMiraklOrder, CancelQuantities, ReleaseHold
from interlock.orders.agreement import agreed_quantities
from interlock.orders.memory import Memory, Withdrawn
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import ShopifyOrder
from interlock.quarantine.decide import UNTOLD, KeptMark, decide, judge, withheld
from tests.build import (
    CREATED,
    NOW,
    a_cancelation,
    a_decision,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_order,
    some_rules,
)

ENDED = NOW - timedelta(seconds=30)
AFTER = Reason.DIFFERENCE_AFTER_QUARANTINE
LAMP = a_line("L2", "LAMP", 1, "30.00", "0")
LESS = a_shopify_order(lines=(a_shopify_line(quantity=1), a_shopify_line("S2", "LAMP", 1, "30.00", "L2")))
REFUNDED_AFTER_IT_LEFT = a_shopify_order(
    lines=(
        a_shopify_line(current_quantity=1, fulfilled_quantity=2),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2"),
    )
)
COMPARED = NOW - timedelta(seconds=10)
GAP = Withdrawn("L1", 1, f"{UNTOLD}L1", "", COMPARED)


@pytest.mark.parametrize(
    ("kept", "shown", "whose"),
    [
        (KeptMark(), "", "first"),
        (KeptMark("a"), "", "first"),
        (KeptMark("a"), "a", "ours"),
        (KeptMark("a", ("b",)), "a", "ours"),
        (KeptMark("a", ("b", "c")), "b", "ours"),
        (KeptMark("a"), "b", "stranger"),
        (KeptMark(), "b", "stranger"),
        (KeptMark("a", adopt=True), "b", "ours"),
    ],
)
def test_whose_mark_it_is(kept: KeptMark, shown: str, whose: Literal["ours", "first", "stranger"]) -> None:
    assert judge(kept, shown) == whose


@pytest.mark.parametrize(
    ("given", "memory", "withdrawn", "asked"),
    [
        pytest.param({"shopify": LESS, "writing_since": None}, {}, (), (), id="there never was one"),
        pytest.param({"shopify": LESS, "quarantined": True}, {}, (), (), id="it is still on"),
        pytest.param({}, {}, (), (), id="the two agree"),
        pytest.param({"shopify": LESS}, {}, (("L1", 1, ""),), ("L1",), id="shopify shows less"),
        pytest.param(
            {"shopify": replace(LESS, created_at=NOW)}, {}, (), (), id="an order that is younger than its end"
        ),
        pytest.param(
            {"shopify": LESS, "mirakl": an_order(observed_at=ENDED - timedelta(seconds=1))},
            {},
            (),
            (),
            id="the marketplace was not read since",
        ),
        pytest.param(
            {
                "shopify": LESS,
                "mirakl": an_order(lines=(a_line(cancelations=(a_cancelation(1, "10.00"),)), LAMP)),
            },
            {},
            (),
            (),
            id="the marketplace shows the cancelation already",
        ),
        pytest.param(
            {"shopify": LESS}, {"compared_at": COMPARED}, (), (), id="an edit since it was compared"
        ),
        pytest.param(
            {"shopify": LESS},
            {"compared_at": COMPARED, "withdrawn": (GAP,)},
            (("L1", 1, ""),),
            ("L1",),
            id="nobody has answered",
        ),
        pytest.param(
            {"shopify": LESS},
            {
                "compared_at": COMPARED,
                "withdrawn": (GAP,),
                "decisions": (a_decision(AFTER, "L1", Option.CONFIRM_WITHDRAWN),),
            },
            (("L1", 1, "Ada"),),
            (),
            id="a person confirmed",
        ),
        pytest.param(
            {"shopify": LESS},
            {
                "compared_at": COMPARED,
                "withdrawn": (GAP,),
                "decisions": (a_decision(AFTER, "L1", Option.CANCEL_AT_MARKETPLACE),),
            },
            (),
            (),
            id="a person wants it cancelled",
        ),
        pytest.param(
            {}, {"compared_at": COMPARED, "withdrawn": (GAP,)}, (), (), id="it was put back in Shopify"
        ),
        pytest.param(
            {"shopify": REFUNDED_AFTER_IT_LEFT}, {}, (), (), id="the units left and were refunded since"
        ),
        pytest.param(
            {"shopify": LESS, "mirakl": an_order("SHIPPED")}, {}, (), (), id="the parcel is on its way"
        ),
    ],
)
def test_the_lower_of_both_sides_is_taken_once(
    given: dict[str, Any],
    memory: dict[str, Any],
    withdrawn: tuple[tuple[str, int, str], ...],
    asked: tuple[str, ...],
) -> None:
    view = a_view(**{"writing_since": ENDED, **given})
    part = decide(view, a_memory(**memory))
    assert tuple((w.line_id, w.quantity, w.confirmed_by) for w in part.memory.withdrawn) == withdrawn
    assert tuple(case.subject for case in part.cases) == asked


def test_the_lower_side_is_agreed_and_the_parcel_may_leave_with_it() -> None:
    view = a_view(shopify=LESS, writing_since=ENDED)
    first = decide_all(view)
    assert not any(isinstance(a, CancelQuantities) for a in first.actions)
    assert dict(agreed_quantities(an_order(), first.memory)) == {"L1": 1, "L2": 1}
    assert first.look_at == NOW
    plan = decide_all(replace(view, memory=first.memory))
    assert [case.reason for case in plan.cases] == [AFTER]
    assert any(isinstance(a, ReleaseHold) for a in plan.actions)
    assert not any(isinstance(a, CancelQuantities) for a in plan.actions)


def test_a_person_who_wants_it_cancelled_gets_the_usual_cancelation() -> None:
    memory = a_memory(
        compared_at=COMPARED,
        withdrawn=(GAP,),
        decisions=(a_decision(AFTER, "L1", Option.CANCEL_AT_MARKETPLACE),),
        content="x",
    )
    view = a_view(
        shopify=replace(LESS, observed_at=NOW - timedelta(minutes=5)),
        memory=memory,
        writing_since=ENDED,
        rules=some_rules(partial_cancelation=True, cancelation_reason="OUT"),
    )
    view = replace(view, memory=decide_all(view).memory)
    (cancel,) = [a for a in decide_all(view).actions if isinstance(a, CancelQuantities)]
    assert [(line.line_id, line.quantity) for line in cancel.lines] == [("L1", 1)]


def _cancelled(at: timedelta) -> ShopifyOrder:
    return a_shopify_order(cancelled_at=ENDED + at)


@pytest.mark.parametrize(
    ("shopify", "memory", "goes", "asked"),
    [
        (_cancelled(-timedelta(minutes=1)), a_memory(), False, ["order"]),
        (
            _cancelled(-timedelta(minutes=1)),
            a_memory(decisions=(a_decision(AFTER, "order", Option.CANCEL_AT_MARKETPLACE),)),
            True,
            [],
        ),
        (_cancelled(timedelta(seconds=20)), a_memory(compared_at=COMPARED), True, []),
        (replace(_cancelled(-timedelta(minutes=1)), created_at=NOW), a_memory(), True, []),
    ],
)
def test_a_whole_order_is_not_cancelled_on_what_was_there_before(
    shopify: ShopifyOrder, memory: Memory, goes: bool, asked: list[str]
) -> None:
    view = a_view(shopify=shopify, writing_since=ENDED)
    actions, cases = withheld(view, memory, [CancelMiraklOrder()])
    assert (actions == (CancelMiraklOrder(),)) is goes
    assert [case.subject for case in cases] == asked


def test_reductions_wait_until_both_sides_were_compared() -> None:
    view = a_view(shopify=LESS, writing_since=ENDED)
    assert withheld(view, a_memory(), [CancelMiraklOrder(), ReleaseHold("FO1", ("H1",))])[0] == (
        ReleaseHold("FO1", ("H1",)),
    )
    compared = a_memory(compared_at=COMPARED)
    assert withheld(view, compared, [CancelMiraklOrder()])[0] == (CancelMiraklOrder(),)
    assert CREATED < ENDED
