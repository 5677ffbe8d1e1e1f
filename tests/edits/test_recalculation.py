"""Figures the marketplace recalculated after the import: taxes are taken as they stand, prices and shipping are asked about,
and no cancelation is ever made with figures that are not shown any more."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.decide import decide, noticed
from interlock.orders.actions import CancelQuantities, CompleteDraft, CreateDraft, PlaceHold, ReleaseHold
from interlock.orders.codec import decode, encode
from interlock.orders.memory import LineLink, Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import is_open
from interlock.orders.snapshots import MiraklLine
from interlock.orders.view import View
from tests.build import (
    LINES,
    NOW,
    OFFERS,
    a_decision,
    a_draft,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_tax,
    a_view,
    an_order,
    not_imported,
    ordered,
    some_rules,
)

LAMP = LINES[1]
TAXED = a_line(taxes=(a_tax("4.00"),), shipping_taxes=(a_tax("0.80"),))
CHEAPER_TAX = replace(TAXED, taxes=(a_tax("2.00"),), shipping_taxes=(a_tax("0.40"),))
RULES = some_rules(partial_cancelation=True, cancelation_reason="15", quiet_period=timedelta(0))
SEEN = NOW - timedelta(seconds=2)
LESS = (a_shopify_line(current_quantity=1), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))


def sold_as(line: MiraklLine, **changes: Any) -> Memory:
    return a_memory(**{"ordered": ordered((line, LAMP)), "released_at": NOW, **changes})


def at_rest(view: View, rounds: int = 4) -> tuple[View, Any]:
    """Decide with what the last decision remembered until nothing changes any more."""
    for _ in range(rounds):
        plan = decide(view)
        if plan.memory == view.memory:
            break
        view = replace(view, memory=plan.memory, answers=())
    return view, plan


def cancelled(plan: Any) -> Any:
    (action,) = [a for a in plan.actions if isinstance(a, CancelQuantities)]
    return action.lines[0]


def test_recalculated_taxes_are_taken_and_hold_nothing() -> None:
    free = a_shopify_order(fulfillment_orders=(a_fulfillment_order(holds=()),))
    view = a_view(mirakl=an_order(lines=(CHEAPER_TAX, LAMP)), shopify=free, memory=sold_as(TAXED))

    plan = decide(view)
    assert not any(isinstance(action, PlaceHold) for action in plan.actions)
    assert plan.cases == ()
    assert plan.memory.ordered[0].taxes == CHEAPER_TAX.taxes
    assert plan.memory.disagreeing_since is None
    assert "Exact taxes are the marketplace's: its figures are used as they stand." in plan.because


def test_a_cancelation_after_it_names_its_share_of_the_new_taxes() -> None:
    view = a_view(
        rules=RULES,
        mirakl=an_order(lines=(CHEAPER_TAX, LAMP)),
        shopify=a_shopify_order(lines=LESS, observed_at=SEEN),
        memory=sold_as(TAXED),
    )
    line = cancelled(decide(view))
    assert [tax.amount for tax in line.taxes] == [Decimal("1.00")]
    assert [tax.amount for tax in line.shipping_taxes] == [Decimal("0.20")]


def test_taxes_on_top_that_changed_leave_the_shopify_order_as_it_was_imported() -> None:
    """In TAX_EXCLUDED Shopify's prices contain the taxes of the import; neither they nor the total are wrong by that."""
    order = an_order(lines=(replace(CHEAPER_TAX, price=Decimal("16.00")), LAMP), tax_mode="TAX_EXCLUDED")
    sold = replace(TAXED, price=Decimal("16.00"))
    shopify = a_shopify_order(shipping_total=Decimal("4.80"), total=Decimal("54.80"))
    view = a_view(mirakl=order, shopify=shopify, memory=sold_as(sold, agreed_shipping=Decimal("4.80")))
    _, plan = at_rest(view)
    assert plan.cases == ()
    assert any(isinstance(action, ReleaseHold) for action in plan.actions)


@pytest.mark.parametrize(
    ("now", "shown"),
    [
        (replace(LINES[0], price_unit=Decimal(9), price=Decimal(18)), "18.00"),
        (replace(LINES[0], shipping_price=Decimal("3.00")), "3.00"),
    ],
)
def test_a_price_or_shipping_charge_holds_and_is_asked_about(now: MiraklLine, shown: str) -> None:
    free = a_shopify_order(fulfillment_orders=(a_fulfillment_order(holds=()),))
    plan = decide(a_view(mirakl=an_order(lines=(now, LAMP)), shopify=free, memory=a_memory(released_at=NOW)))

    (case,) = plan.cases
    assert (case.reason, case.options) == (Reason.MARKETPLACE_CHANGED, (Option.ACCEPT_ANYWAY,))
    assert shown in case.sentence
    assert any(isinstance(action, PlaceHold) for action in plan.actions)


PRICED = an_order(lines=(replace(LINES[0], price_unit=Decimal(9), price=Decimal(18)), LAMP))
SHIPPED_FOR_LESS = an_order(lines=(replace(LINES[0], shipping_price=Decimal("3.00")), LAMP))
AT_NINE = (a_shopify_line(price="9.00"), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))


@pytest.mark.parametrize(
    ("mirakl", "shopify"),
    [
        (PRICED, a_shopify_order()),
        (PRICED, a_shopify_order(lines=AT_NINE, total=Decimal("52.00"))),
        (SHIPPED_FOR_LESS, a_shopify_order()),
        (SHIPPED_FOR_LESS, a_shopify_order(shipping_total=Decimal("3.00"), total=Decimal("53.00"))),
    ],
    ids=["price kept", "price adapted", "shipping kept", "shipping adapted"],
)
def test_once_it_stands_either_figure_in_shopify_lets_the_parcel_go(mirakl: Any, shopify: Any) -> None:
    view = a_view(mirakl=mirakl, shopify=shopify)
    asked = decide(view)
    case = next(case for case in asked.cases if case.reason is Reason.MARKETPLACE_CHANGED)
    said = a_decision(case.reason, case.subject, Option.ACCEPT_ANYWAY)

    _, plan = at_rest(replace(view, memory=asked.memory, answers=(said,)))
    assert plan.cases == ()
    assert any(isinstance(action, ReleaseHold) for action in plan.actions)


def test_a_price_that_stood_once_is_asked_about_again_when_it_comes_back_after_another_one() -> None:
    sold = an_order(lines=LINES)
    memory, asked = a_memory(), []
    for day, mirakl in enumerate((PRICED, sold, PRICED)):
        view = a_view(now=NOW + timedelta(days=day), mirakl=mirakl, memory=memory)
        plan = decide(view)
        (case,) = (case for case in plan.cases if case.reason is Reason.MARKETPLACE_CHANGED)
        asked.append(case.subject)
        said = a_decision(case.reason, case.subject, Option.ACCEPT_ANYWAY)
        memory = decide(replace(view, memory=plan.memory, answers=(said,))).memory

    assert len(set(asked)) == 3


def test_another_figure_than_either_is_still_an_edit() -> None:
    memory = a_memory(
        links=(LineLink("L1", "S1", Decimal(10), "import", also=(Decimal(9),)), a_memory().links[1])
    )
    lines = (a_shopify_line(price="8.00"), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    plan = decide(a_view(shopify=a_shopify_order(lines=lines, total=Decimal("50.00")), memory=memory))
    assert [case.reason for case in plan.cases] == [Reason.EDIT_CANNOT_BE_EXPRESSED]


def test_a_total_with_something_on_top_is_still_told() -> None:
    plan = decide(a_view(shopify=a_shopify_order(total=Decimal("55.00"))))
    assert [case.reason for case in plan.cases] == [Reason.TOTALS_DIFFER]


def test_a_lowered_shipping_charge_is_cancelled_at_its_new_share() -> None:
    view = a_view(rules=RULES, mirakl=SHIPPED_FOR_LESS, shopify=a_shopify_order(lines=LESS, observed_at=SEEN))
    asked = decide(view)
    assert not any(isinstance(action, CancelQuantities) for action in asked.actions)
    case = next(case for case in asked.cases if case.reason is Reason.MARKETPLACE_CHANGED)
    said = a_decision(case.reason, case.subject, Option.ACCEPT_ANYWAY)
    _, plan = at_rest(replace(view, memory=asked.memory, answers=(said,)))
    assert cancelled(plan).shipping_amount == Decimal("1.50")


def test_a_refund_task_nobody_has_begun_is_made_anew_with_the_new_taxes() -> None:
    shopify = a_shopify_order(lines=LESS, observed_at=SEEN)

    def seen(line: MiraklLine) -> Any:
        return an_order(
            lines=(replace(line, debited_at=NOW, can_refund=True), LAMP), debited_at=NOW, can_cancel=False
        )

    view, _ = at_rest(a_view(rules=RULES, mirakl=seen(TAXED), shopify=shopify, memory=sold_as(TAXED)))
    (task,) = [task for task in view.memory.refund_tasks if is_open(task)]
    assert [tax.amount for tax in task.lines[0].taxes] == [Decimal("2.00")]

    view, _ = at_rest(replace(view, mirakl=seen(CHEAPER_TAX)))
    (task,) = [task for task in view.memory.refund_tasks if is_open(task)]
    assert [tax.amount for tax in task.lines[0].taxes] == [Decimal("1.00")]


def test_before_anything_was_created_the_present_figures_are_those_that_are_sold() -> None:
    view = a_view(mirakl=PRICED, shopify=None, memory=not_imported(), offers=OFFERS)
    plan = decide(view)
    (draft,) = [action for action in plan.actions if isinstance(action, CreateDraft)]
    assert draft.lines[0].unit_price == Decimal("9.00")
    assert plan.memory.ordered[0].price == Decimal(18)


def test_a_draft_made_before_a_recalculation_is_completed_and_asked_about_afterwards() -> None:
    view = a_view(mirakl=PRICED, shopify=None, drafts=(a_draft(),), memory=not_imported(draft_id="D1"))
    plan = decide(view)
    assert CompleteDraft("D1") in plan.actions
    fresh = replace(plan.memory, draft_id="D1", shopify_order_id="SO1", linked_at=NOW)
    memory = noticed(a_view(mirakl=PRICED, memory=fresh))
    assert memory.links[0].unit_price == Decimal("10.00")
    asked = decide(a_view(mirakl=PRICED, memory=fresh))
    assert [case.reason for case in asked.cases] == [Reason.MARKETPLACE_CHANGED]


@given(
    quantity=st.integers(2, 6),
    removed=st.integers(1, 5),
    before=st.integers(0, 5000),
    after=st.integers(0, 5000),
)
def test_never_more_than_what_is_left_is_taken_after_a_recalculation(
    quantity: int, removed: int, before: int, after: int
) -> None:
    removed = min(removed, quantity - 1)
    price = f"{quantity * 10}.00"
    line = a_line(quantity=quantity, price=price, taxes=(a_tax(str(Decimal(before) / 100)),))
    now = replace(line, taxes=(a_tax(str(Decimal(after) / 100)),))
    lines = (
        a_shopify_line(quantity=quantity, current_quantity=quantity - removed),
        a_shopify_line("S2", "LAMP", 1, "30.00", "L2"),
    )
    view = a_view(
        rules=RULES,
        mirakl=an_order(lines=(now, LAMP)),
        shopify=a_shopify_order(lines=lines, observed_at=SEEN),
        memory=sold_as(line, settled=(("L1", quantity), ("L2", 1))),
    )
    taken = sum((tax.amount for tax in cancelled(decide(view)).taxes), Decimal(0))
    whole = Decimal(after) / 100
    assert 0 <= taken <= whole
    assert abs(taken - whole * removed / quantity) < Decimal("0.01")


def test_a_memory_stored_before_figures_could_be_recalculated_still_loads() -> None:
    assert decode(Memory, encode(a_memory())) == a_memory()
    assert "recalculated" not in str(encode(a_memory()))
