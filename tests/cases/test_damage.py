"""How much money a case about a refund may cost."""

from dataclasses import replace
from decimal import Decimal

import pytest

from interlock.cases.damage import stake_of
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from tests.build import NOW, a_memory, a_refund
from tests.refunds.test_decide import an_edit_task, paid

FIRST, SECOND = a_refund(1, "10.00", "R1", "2.00"), a_refund(1, "10.00", "R2")
TASK = an_edit_task()


@pytest.mark.parametrize(
    ("subject", "money"),
    [
        pytest.param("edit:1", "12.00", id="what the task asks for"),
        pytest.param("gid://r/2", "3.00", id="what Shopify moved instead"),
        pytest.param("R1:R2", "10.00", id="the second of two"),
        pytest.param("edit:1:R2", "10.00", id="the one on another line"),
        pytest.param("R1:line", "12.00", id="ours on another line"),
        pytest.param("R1:amount", "12.00", id="ours with another amount"),
        pytest.param("R8:R9", None, id="shown no more"),
    ],
)
def test_a_refund_that_went_wrong_puts_its_own_money_at_risk(subject: str, money: str | None) -> None:
    case = Case(Reason.REFUND_MISMATCH, subject, "It is so.", (Option.DISMISS,))
    other = replace(TASK, subject="gid://r/2", money=Decimal("3.00"))

    stake = stake_of(case, NOW, paid(FIRST, SECOND), a_memory(refund_tasks=(TASK, other)))

    assert (stake.money, stake.currency) == (
        None if money is None else Decimal(money),
        "EUR" if money else "",
    )
