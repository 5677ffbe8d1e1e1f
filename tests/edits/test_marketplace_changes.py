"""What the marketplace did on its own: a refund before dispatch, a new price, a bundle it sold as one."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.decide import decide as decide_all
from interlock.edits.decide import decide
from interlock.edits.diff import differences
from interlock.orders.actions import EditShopifyOrder
from interlock.orders.memory import Memory
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.view import View
from tests.build import (
    LINES,
    NOW,
    a_decision,
    a_memory,
    a_refund,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_order,
    some_rules,
)

EDITED = NOW - timedelta(seconds=61)
RULES = some_rules(partial_cancelation=True, cancelation_reason="15")
REFUNDED = an_order(
    lines=(replace(LINES[0], refunds=(a_refund(1, "10.00"),)), LINES[1]), debited_at=NOW, can_cancel=False
)


def look(**changes: Any) -> View:
    return a_view(**{"rules": RULES, "memory": a_memory(content_since=EDITED), **changes})


def asked(view: View, memory: Memory | None = None) -> Part:
    memory = memory or view.memory
    return decide(view, memory, differences(view, memory))


def test_a_refund_made_in_the_portal_holds_the_parcel_and_asks_whether_the_units_ship() -> None:
    part = asked(look(mirakl=REFUNDED))

    (case,) = part.cases
    assert (case.reason, case.subject) == (Reason.CONFIRM_WITHDRAWN, "refund:R1")
    assert case.options == (Option.CONFIRM_WITHDRAWN, Option.DISMISS)
    assert part.keep_held
    assert part.actions == ()


def test_units_that_stay_here_are_taken_out_of_shopify_and_money_alone_changes_nothing() -> None:
    view = look(mirakl=REFUNDED)

    def after(option: Option) -> View:
        said = a_decision(Reason.CONFIRM_WITHDRAWN, "refund:R1", option)
        first = decide_all(replace(view, memory=replace(view.memory, decisions=(said,))))
        return replace(view, memory=replace(first.memory, content_since=EDITED))

    here = after(Option.CONFIRM_WITHDRAWN)
    assert [(w.line_id, w.quantity, w.refund_id) for w in here.memory.withdrawn] == [("L1", 1, "R1")]
    (action,) = (a for a in decide_all(here).actions if isinstance(a, EditShopifyOrder))
    assert action.quantities == (("S1", 1),)

    money = after(Option.DISMISS)
    assert money.memory.withdrawn == ()
    assert asked(money).keep_held == ()


@pytest.mark.parametrize("state", ["WAITING_DEBIT", "WAITING_ACCEPTANCE"])
def test_a_refund_before_the_debit_is_not_looked_at(state: str) -> None:
    view = look(mirakl=replace(REFUNDED, state=state))

    assert differences(view, view.memory) == ()


def test_a_new_price_holds_the_parcel_until_a_person_says_that_it_stands() -> None:
    dearer = replace(LINES[0], price_unit=Decimal("11.00"), price=Decimal("22.00"))
    view = look(mirakl=an_order(lines=(dearer, LINES[1])))

    (case,) = asked(view).cases
    assert (case.reason, case.options) == (Reason.MARKETPLACE_CHANGED, (Option.ACCEPT_ANYWAY,))
    assert ("Sold at", "20.00 EUR") in case.facts
    assert asked(view).keep_held
    said = a_decision(case.reason, case.subject, Option.ACCEPT_ANYWAY)
    part = asked(view, replace(view.memory, decisions=(said,)))
    line = part.memory.ordered_line("L1")
    assert line is not None
    assert (line.price_unit, line.price) == (Decimal("11.00"), Decimal("22.00"))
    assert differences(view, part.memory) == ()


def test_a_component_of_a_bundle_is_never_cancelled_alone_but_the_whole_bundle_is() -> None:
    def shown(mugs: int, lamps: int) -> View:
        lines = (
            a_shopify_line(current_quantity=mugs, group="G1"),
            a_shopify_line("S2", "LAMP", 1, "30.00", "L2", current_quantity=lamps, group="G1"),
        )
        return look(shopify=a_shopify_order(lines=lines))

    part = asked(shown(0, 1))
    (case,) = part.cases
    assert case.reason is Reason.EDIT_CANNOT_BE_EXPRESSED
    assert "sold the bundle as one item" in case.sentence
    assert part.actions == ()
    assert len(asked(shown(0, 0)).actions) == 1
