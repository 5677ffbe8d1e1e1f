"""A refund in the portal that is not the money of its task: both figures are shown, and a person may accept it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.orders.memory import Decision, Memory, RefundDue
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Fee, MiraklOrder, Reduction, Tax
from interlock.refunds.decide import decide
from tests.build import LINES, NOW, a_decision, a_refund
from tests.refunds.test_decide import an_edit_task, look, paid, with_tasks

MINUTE = timedelta(minutes=1)
TASK = an_edit_task()
"""Asks for 10.00 and 2.00 shipping on L1; it was opened a minute ago."""
DONE = a_decision(Reason.REFUND_TASK, "edit:1", Option.DONE_IN_PORTAL, at=NOW - MINUTE)
ACCEPTED = a_decision(Reason.REFUND_MISMATCH, "edit:1", Option.DISMISS)


def made(amount: str, shipping: str = "0", id: str = "R1", minutes_ago: int = 0, **changes: Any) -> Reduction:
    refund = a_refund(1, amount, id, shipping)
    return replace(refund, created_at=NOW - minutes_ago * MINUTE, **changes)


def decided(*refunds: Reduction, said: tuple[Decision, ...] = (), mirakl: MiraklOrder | None = None) -> Part:
    return decide(look(mirakl=mirakl or paid(*refunds)), with_tasks(TASK, decisions=said))


def asked(part: Part) -> list[Reason]:
    return [case.reason for case in part.cases if case.reason is not Reason.CONFIRM_WITHDRAWN]


def is_settled(memory: Memory) -> bool:
    return memory.refund_tasks[0].settled_at is not None


# -- which money is the task's -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refunds", "settled"),
    [
        ([made("10.00", "2.00")], True),
        ([made("10.00"), made("0", "2.00", "R2")], True),
        ([made("4.00", "2.00"), made("6.00", "0", "R2")], True),
        ([made("3.00"), made("10.00", "0", "R2"), made("0", "2.00", "R3")], True),
        ([made("10.00")], False),
        ([made("10.00", "1.99")], False),
        ([made("10.00", "2.01")], False),
        ([made("12.00")], False),
        ([made("9.99", "2.00")], False),
        ([made("10.01", "2.00")], False),
    ],
)
def test_a_task_is_settled_by_exactly_its_product_amount_and_its_shipping(
    refunds: list[Reduction], settled: bool
) -> None:
    assert is_settled(decided(*refunds).memory) is settled


VAT = (Tax("VAT", Decimal("2.00")),)
ON_SHIPPING = (Tax("VAT", Decimal("0.40")),)


@pytest.mark.parametrize(
    ("mode", "taxes", "settled"),
    [
        ("TAX_EXCLUDED", ("2.00", "0.40"), True),
        ("TAX_EXCLUDED", ("2.01", "0.39"), True),  # two taxes, each rounded by the marketplace
        ("TAX_EXCLUDED", ("1.98", "0.40"), True),
        ("TAX_EXCLUDED", ("1.97", "0.40"), False),
        ("TAX_EXCLUDED", ("0", "0"), False),
        ("TAX_INCLUDED", ("0", "0"), True),  # the taxes are inside the amounts
    ],
)
def test_taxes_count_where_they_come_on_top(mode: str, taxes: tuple[str, str], settled: bool) -> None:
    due = replace(TASK.lines[0], taxes=VAT, shipping_taxes=ON_SHIPPING)
    refund = made(
        "10.00",
        "2.00",
        taxes=(Tax("VAT", Decimal(taxes[0])),),
        shipping_taxes=(Tax("VAT", Decimal(taxes[1])),),
    )

    part = decide(look(mirakl=paid(refund, tax_mode=mode)), with_tasks(replace(TASK, lines=(due,))))

    assert is_settled(part.memory) is settled


@pytest.mark.parametrize(("fees", "settled"), [((Fee("DEPOSIT", Decimal("0.25")),), True), ((), False)])
def test_fees_of_the_units_are_part_of_it(fees: tuple[Fee, ...], settled: bool) -> None:
    due = replace(TASK.lines[0], fees=(Fee("DEPOSIT", Decimal("0.25")),))

    part = decide(
        look(mirakl=paid(made("10.00", "2.00", fees=fees))), with_tasks(replace(TASK, lines=(due,)))
    )

    assert is_settled(part.memory) is settled


# -- what is said about another amount ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("refund", "said", "expected"),
    [
        (made("10.00"), (), Reason.REFUND_TASK),  # the shipping may still follow
        (made("10.00", minutes_ago=15), (), Reason.REFUND_MISMATCH),
        (made("10.00"), (DONE,), Reason.REFUND_MISMATCH),
        (made("9.00", "2.00", minutes_ago=15), (), Reason.REFUND_TASK),
        (made("9.00", "2.00"), (DONE,), Reason.REFUND_MISMATCH),
        (made("10.01", "2.00"), (), Reason.REFUND_MISMATCH),
        (made("10.00", "4.00"), (), Reason.REFUND_MISMATCH),
    ],
)
def test_less_is_told_once_somebody_said_it_was_done_or_the_rest_does_not_follow_and_more_at_once(
    refund: Reduction, said: tuple[Decision, ...], expected: Reason
) -> None:
    task = replace(TASK, opened_at=NOW - 20 * MINUTE)
    part = decide(look(mirakl=paid(refund)), with_tasks(task, decisions=said))

    assert asked(part) == [expected]
    assert not is_settled(part.memory)


@pytest.mark.parametrize(
    ("mode", "changes", "too_much"),
    [
        ("TAX_EXCLUDED", {"taxes": (Tax("VAT", Decimal("3.00")),)}, [True]),
        ("TAX_EXCLUDED", {"taxes": (Tax("VAT", Decimal("1.00")),)}, []),  # the rest may still follow
        ("TAX_INCLUDED", {"fees": (Fee("DEPOSIT", Decimal("0.25")),)}, [True]),
    ],
)
def test_taxes_or_fees_that_nobody_asked_for_are_too_much_at_once(
    mode: str, changes: dict[str, Any], too_much: list[bool]
) -> None:
    due = replace(TASK.lines[0], taxes=VAT, shipping_taxes=ON_SHIPPING)
    refund = made("10.00", "2.00", **{"taxes": VAT, "shipping_taxes": ON_SHIPPING, **changes})

    part = decide(look(mirakl=paid(refund, tax_mode=mode)), with_tasks(replace(TASK, lines=(due,))))

    told = [case.sentence for case in part.cases if case.reason is Reason.REFUND_MISMATCH]
    assert ["too much comes back only through" in sentence for sentence in told] == too_much


def test_both_figures_are_shown_and_when_it_is_told() -> None:
    (case,) = decided(made("10.00"), said=(DONE,)).cases
    waits = decided(made("10.00"))

    assert (
        "asks for 10.00 EUR of MUG and 2.00 EUR shipping; the marketplace shows 10.00 EUR of MUG and 0.00 EUR shipping (R1)"
        in case.sentence
    )
    assert case.options == (Option.DISMISS,)
    assert case.facts == (
        ("MUG: amount asked for", "10.00 EUR"),
        ("MUG: amount refunded", "10.00 EUR"),
        ("MUG: shipping asked for", "2.00 EUR"),
        ("MUG: shipping refunded", "0.00 EUR"),
        ("MUG: total asked for", "12.00 EUR"),
        ("MUG: total refunded", "10.00 EUR"),
    )
    assert waits.look_at == NOW + 15 * MINUTE


def test_a_word_that_is_younger_than_the_read_waits_for_the_next_one() -> None:
    said = replace(DONE, at=NOW)

    assert asked(decided(made("10.00"), said=(said,))) == [Reason.REFUND_TASK]


@pytest.mark.parametrize("refund", [made("10.00"), made("9.00"), made("12.00"), made("10.00", "4.00")])
def test_a_person_may_take_it_as_it_is_and_the_units_are_refunded_with_it(refund: Reduction) -> None:
    part = decided(refund, said=(DONE, ACCEPTED))

    (task,) = part.memory.refund_tasks
    assert (task.settled_by, task.settled_at, task.dismissed_by) == (("R1",), NOW, "")
    assert [withdrawn.refund_id for withdrawn in part.memory.withdrawn] == ["R1"]
    assert part.cases == ()


def test_nothing_is_accepted_where_nothing_was_refunded() -> None:
    part = decided(said=(ACCEPTED,))

    assert asked(part) == [Reason.REFUND_TASK]
    assert not is_settled(part.memory)


def test_the_rest_settles_it_without_a_word() -> None:
    part = decided(made("10.00"), made("0", "2.00", "R2"), said=(DONE,))

    assert part.memory.refund_tasks[0].settled_by == ("R1", "R2")
    assert asked(part) == []


def test_money_without_units_is_compared_as_what_the_customer_got() -> None:
    due = RefundDue("", 0, Decimal("5.00"), Decimal(0), (), (), ())
    task = replace(TASK, lines=(due,))
    for refund, expected in ((made("4.00", "1.00"), []), (made("4.00", "2.00"), [Reason.REFUND_MISMATCH])):
        part = decide(look(mirakl=paid(refund)), with_tasks(task))
        assert asked(part) == expected


def test_the_other_line_of_the_task_may_still_follow() -> None:
    """Somebody said it was done, and of the lamp nothing is shown: it may wait for the operator."""
    lamp = RefundDue("L2", 1, Decimal("30.00"), Decimal(0), (), (), ())
    task = replace(TASK, lines=(TASK.lines[0], lamp))

    part = decide(look(mirakl=paid(made("10.00", "2.00"))), with_tasks(task, decisions=(DONE,)))

    assert LINES[1].id == "L2"
    assert asked(part) == [Reason.REFUND_TASK]
