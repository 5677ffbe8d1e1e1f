"""Shopify moved another amount for units than the marketplace's share: a person decides, and no amount counts silently."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from interlock.orders.memory import Memory, RefundTask
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Reduction
from interlock.refunds.decide import decide
from tests.build import NOW, a_decision, a_memory, a_refund
from tests.refunds.test_decide import an_edit_task, look, paid, shopify_refund, with_tasks

LATER = NOW + timedelta(hours=1)
DONE = a_decision(Reason.REFUND_TASK, "gid://r/1", Option.DONE_IN_PORTAL, NOW)


def portal(amount: str, shipping: str = "0", id: str = "R1") -> Reduction:
    return replace(a_refund(0, amount, id, shipping), created_at=NOW + timedelta(minutes=5))


def after(money: str, *given: Reduction, said: bool = False, memory: Memory | None = None) -> Part:
    """An hour after staff refunded `money` for one mug of 10.00 and 2.00 shipping that had left."""
    refund = shopify_refund(money)
    first = decide(look(refund, mirakl=paid(state="SHIPPED")), memory or a_memory()).memory
    mirakl = replace(paid(*given, state="SHIPPED"), observed_at=LATER)
    known = replace(first, decisions=(DONE,)) if said else first
    return decide(replace(look(refund, mirakl=mirakl), now=LATER), known)


def the_task(part: Part) -> RefundTask:
    return next(task for task in part.memory.refund_tasks if task.subject == "gid://r/1")


def reasons(part: Part) -> list[Reason]:
    return [case.reason for case in part.cases]


@pytest.mark.parametrize("money", ["12.00", "10.00", "12.01", "9.99"])
def test_the_share_with_or_without_its_shipping_is_no_other_amount(money: str) -> None:
    part = after(money)

    assert the_task(part).money is None
    assert "Refund 12.00 EUR in the marketplace portal" in part.cases[0].sentence


@pytest.mark.parametrize(
    ("money", "meaning"),
    [("3.00", "Less than the share"), ("5.00", "Less than the share"), ("17.00", "More than the share")],
)
def test_both_amounts_are_said_and_neither_is_due(money: str, meaning: str) -> None:
    (case,) = after(money).cases

    assert case.reason is Reason.REFUND_TASK
    assert (
        f"Shopify refunded {money} EUR, and the marketplace's share of the units is 12.00 EUR"
        in case.sentence
    )
    assert meaning in case.sentence
    assert "Refund 12.00" not in case.sentence
    assert "Total for the customer" not in dict(case.facts)


def test_what_the_portal_gave_back_before_is_said_too() -> None:
    goodwill = replace(a_refund(0, "3.00"), created_at=NOW - timedelta(days=1))

    (case,) = decide(look(shopify_refund("5.00"), mirakl=paid(goodwill, state="SHIPPED")), a_memory()).cases

    assert "had given back 3.00 EUR of MUG (R1) before" in case.sentence


@pytest.mark.parametrize(
    ("money", "given"),
    [
        ("3.00", (portal("3.00"),)),
        ("5.00", (portal("1.00"), portal("5.00", id="R2"))),
        ("5.00", (portal("3.00"), portal("2.00", id="R2"))),
        ("17.00", (portal("15.00", "2.00"),)),
        ("17.00", (portal("10.00", "2.00"), portal("5.00", id="R2"))),
    ],
)
def test_the_amount_of_shopify_settles_it(money: str, given: tuple[Reduction, ...]) -> None:
    part = after(money, *given)

    assert the_task(part).settled_at == LATER
    assert part.cases == ()


@pytest.mark.parametrize("money", ["3.00", "17.00"])
def test_the_share_settles_it_once_a_person_said_so_and_the_timeline_says_what_is_apart(money: str) -> None:
    part = after(money, portal("10.00", "2.00"), said=True)

    assert the_task(part).settled_at == LATER
    apart = abs(Decimal("12.00") - Decimal(money))
    assert any(f"the two sides differ by {apart} EUR" in sentence for sentence in part.because)


@pytest.mark.parametrize("money", ["3.00", "17.00"])
@pytest.mark.parametrize(("minutes", "expected"), [(14, Reason.REFUND_TASK), (15, Reason.REFUND_MISMATCH)])
def test_the_share_without_a_word_is_asked_about_a_quarter_of_an_hour_later(
    money: str, minutes: int, expected: Reason
) -> None:
    made = replace(portal("10.00", "2.00"), created_at=LATER - timedelta(minutes=minutes))

    part = after(money, made)

    assert reasons(part) == [expected]
    assert the_task(part).settled_at is None
    if expected is Reason.REFUND_MISMATCH:
        assert f"Shopify refunded {money} EUR" in part.cases[0].sentence
        said = a_decision(Reason.REFUND_MISMATCH, "gid://r/1", Option.DISMISS)
        accepted = after(money, made, memory=a_memory(decisions=(said,)))
        assert the_task(accepted).settled_at == LATER


@pytest.mark.parametrize(
    ("money", "given", "said", "expected"),
    [
        ("3.00", portal("14.00"), False, [Reason.REFUND_MISMATCH]),
        ("3.00", portal("7.00"), False, [Reason.REFUND_TASK]),
        ("3.00", portal("7.00"), True, [Reason.REFUND_MISMATCH]),
        ("17.00", portal("13.00"), True, [Reason.REFUND_MISMATCH]),
        ("17.00", portal("20.00"), False, [Reason.REFUND_MISMATCH]),
    ],
)
def test_a_third_amount_settles_nothing(
    money: str, given: Reduction, said: bool, expected: list[Reason]
) -> None:
    part = after(money, given, said=said)

    assert reasons(part) == expected
    assert the_task(part).settled_at is None


def test_a_removal_that_was_refunded_with_another_amount_is_no_longer_refunded_by_interlock() -> None:
    """Its task is now that of the Shopify refund, which a person works on."""
    part = after("3.00", memory=with_tasks(an_edit_task()))

    assert [task.subject for task in part.memory.refund_tasks if not task.dismissed_by] == ["gid://r/1"]
    assert the_task(part).money == Decimal("3.00")


@pytest.mark.parametrize(
    ("money", "given", "due"),
    [("3.00", portal("3.00"), "10.00"), ("17.00", portal("15.00", "2.00"), "5.00")],
)
def test_the_next_unit_keeps_its_own_share_and_never_gets_more_than_is_left(
    money: str, given: Reduction, due: str
) -> None:
    settled = after(money, given).memory
    second = replace(shopify_refund(due, id="gid://r/2"), created_at=LATER)
    mirakl = replace(paid(given, state="SHIPPED"), observed_at=LATER)

    part = decide(replace(look(shopify_refund(money), second, mirakl=mirakl, mugs=0), now=LATER), settled)

    (line,) = part.memory.refund_tasks[1].lines
    assert (line.amount, line.shipping_amount) == (Decimal(due), Decimal("2.00"))
