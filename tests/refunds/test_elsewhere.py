"""Money the marketplace gave back that Shopify does not know of: a task, until Shopify records it or a person speaks."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from interlock.orders.memory import Memory
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Reduction, ShopifyRefund, Tax
from interlock.orders.view import View
from interlock.refunds import decide as refunds
from interlock.refunds.elsewhere import decide
from tests.build import NOW, a_decision, a_memory, a_refund
from tests.refunds.test_decide import look, paid, shopify_refund

BEFORE = NOW - timedelta(hours=1)


def goodwill(amount: str = "3.00", id: str = "R1") -> Reduction:
    return replace(a_refund(1, amount, id), created_at=BEFORE)


def asked(view: View, memory: Memory | None = None) -> list[tuple[Reason, str]]:
    return [(case.reason, case.subject) for case in decide(view, memory or a_memory()).cases]


def shown(*made: ShopifyRefund, state: str = "SHIPPED") -> View:
    return look(*made, mirakl=paid(goodwill(), state=state), mugs=2)


def test_a_refund_nobody_asked_for_is_a_task_once_the_order_has_left() -> None:
    assert asked(shown()) == [(Reason.REFUND_ONLY_AT_MARKETPLACE, "R1")]
    assert asked(shown(state="SHIPPING")) == []


def test_a_person_may_close_it() -> None:
    said = a_decision(Reason.REFUND_ONLY_AT_MARKETPLACE, "R1", Option.DISMISS)

    assert asked(shown(), a_memory(decisions=(said,))) == []


def test_recording_it_in_shopify_closes_it_and_asks_for_no_second_refund() -> None:
    view = shown(shopify_refund("3.00", ()))

    part = refunds.decide(view, a_memory())

    (task,) = part.memory.refund_tasks
    assert (task.settled_by, task.settled_at) == (("R1",), NOW)
    assert part.cases == ()
    assert asked(view, part.memory) == []


def test_other_money_in_shopify_is_a_refund_task_as_ever() -> None:
    view = shown(shopify_refund("4.00", ()))

    part = refunds.decide(view, a_memory())

    assert [case.reason for case in part.cases] == [Reason.REFUND_TASK]
    assert asked(view, part.memory) == [(Reason.REFUND_ONLY_AT_MARKETPLACE, "R1")]


def test_the_figure_is_what_the_customer_got_and_recording_just_that_closes_it() -> None:
    taxed = replace(goodwill(), taxes=(Tax("VAT", Decimal("0.60")),))
    mirakl = replace(paid(taxed, state="SHIPPED"), tax_mode="TAX_EXCLUDED")

    (case,) = decide(look(mirakl=mirakl, mugs=2), a_memory()).cases
    recorded = refunds.decide(look(shopify_refund("3.60", ()), mirakl=mirakl, mugs=2), a_memory())

    assert "refunded 3.60 EUR" in case.sentence
    assert recorded.cases == ()
