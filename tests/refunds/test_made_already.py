"""A refund in Shopify that is the money of a removal, or of a refund the portal made first, asks for nothing a second time."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory, RefundDue, RefundTask, Withdrawn
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Reduction, ShopifyRefund
from interlock.refunds.decide import decide
from interlock.refunds.policy import may_be_sent
from tests.build import CREATED, LINES, NOW, a_decision, a_line, a_memory, a_refund, a_view, an_order, ordered
from tests.refunds.test_decide import AGO, an_edit_task, look, paid, shopify_refund, with_tasks

BEFORE = NOW - timedelta(hours=1)
ASKED = Reason.REFUND_MADE_ALREADY
UNIT = (("S1", 1),)
ALONE: tuple[tuple[str, int], ...] = ()


def in_the_portal(amount: str = "10.00", shipping: str = "2.00", id: str = "R1") -> Reduction:
    return replace(a_refund(1, amount, id, shipping), created_at=BEFORE)


def kept_here(id: str = "R1") -> Withdrawn:
    return Withdrawn("L1", 1, id, "Ada", BEFORE)


def reasons(part: Part) -> list[tuple[Reason, str]]:
    return [(case.reason, case.subject) for case in part.cases]


def answered(refund: ShopifyRefund, option: Option) -> Memory:
    return a_memory(decisions=(a_decision(ASKED, refund.id, option),))


# -- made in the portal first --------------------------------------------------------------------------------


@pytest.mark.parametrize("units", [UNIT, ALONE])
@pytest.mark.parametrize("state", ["SHIPPING", "SHIPPED", "RECEIVED"])
@pytest.mark.parametrize("withdrawn", [(), (kept_here(),)])
def test_recording_in_shopify_what_the_portal_gave_back_asks_for_no_second_refund(
    units: tuple[tuple[str, int], ...], state: str, withdrawn: tuple[Withdrawn, ...]
) -> None:
    view = look(shopify_refund("12.00", units), mirakl=paid(in_the_portal(), state=state))

    part = decide(view, a_memory(withdrawn=withdrawn))

    (task,) = part.memory.refund_tasks
    assert (task.settled_by, task.settled_at) == (("R1",), NOW)
    assert all(reason is Reason.CONFIRM_WITHDRAWN for reason, _ in reasons(part))
    assert "records what the marketplace gave back before (R1)" in part.because[0]


@pytest.mark.parametrize(
    ("state", "withdrawn", "asks"),
    [("SHIPPING", (), True), ("SHIPPING", (kept_here(),), False), ("SHIPPED", (), False)],
)
def test_units_of_which_nobody_has_spoken_are_asked_about_once_the_money_is_recorded(
    state: str, withdrawn: tuple[Withdrawn, ...], asks: bool
) -> None:
    view = look(shopify_refund("12.00", ALONE), mirakl=paid(in_the_portal(), state=state), mugs=2)

    part = decide(view, a_memory(withdrawn=withdrawn))

    assert reasons(part) == ([(Reason.CONFIRM_WITHDRAWN, "gid://r/1")] if asks else [])
    assert bool(part.keep_held) is asks


def test_the_next_unit_costs_its_own_share_and_not_half_of_what_is_left() -> None:
    mirakl = paid(in_the_portal(), state="SHIPPED")
    recorded = decide(look(shopify_refund(), mirakl=mirakl), a_memory()).memory

    part = decide(look(shopify_refund(), shopify_refund(id="gid://r/2"), mirakl=mirakl, mugs=0), recorded)

    (due,) = part.memory.refund_tasks[1].lines
    assert (due.amount, due.shipping_amount) == (Decimal("10.00"), Decimal("2.00"))


def test_two_refunds_of_the_portal_are_recorded_by_one_of_both_units() -> None:
    mirakl = paid(in_the_portal(), in_the_portal(id="R2"), state="SHIPPED")

    part = decide(look(shopify_refund("24.00", (("S1", 2),)), mirakl=mirakl, mugs=0), a_memory())

    assert part.memory.refund_tasks[0].settled_by == ("R1", "R2")
    assert part.cases == ()


def test_a_removal_that_was_paid_back_is_not_taken_for_the_refund_that_somebody_made_in_the_portal_since() -> (
    None
):
    removal = an_edit_task()
    settled = replace(removal, settled_by=("R1",), settled_at=BEFORE)
    mirakl = paid(in_the_portal(), in_the_portal(id="R2"), state="SHIPPED")
    refund = shopify_refund("12.00", ALONE)

    part = decide(look(refund, mirakl=mirakl), with_tasks(settled))
    assert [task.settled_by for task in part.memory.refund_tasks] == [("R1",), ("R2",)]

    # Nobody made another one: then it is the removal's, and no refund of the marketplace answers two tasks.
    part = decide(look(refund, mirakl=paid(in_the_portal(), state="SHIPPED")), with_tasks(settled))
    assert [(task.subject, task.settled_by) for task in part.memory.refund_tasks] == [
        (removal.subject, ()),
        (refund.id, ("R1",)),
    ]


@pytest.mark.parametrize("units", [UNIT, ALONE])
def test_of_two_alike_the_one_is_recorded_whose_unit_was_not_taken_out_here(
    units: tuple[tuple[str, int], ...],
) -> None:
    mirakl = paid(in_the_portal(), in_the_portal(id="R2"), state="SHIPPED")

    part = decide(look(shopify_refund("12.00", units), mirakl=mirakl), a_memory(withdrawn=(kept_here(),)))

    assert part.memory.refund_tasks[0].settled_by == ("R2",)


@pytest.mark.parametrize("state", ["SHIPPING", "SHIPPED"])
@pytest.mark.parametrize(
    ("portal", "units", "money"),
    [
        ((in_the_portal(),), UNIT, "10.00"),
        ((in_the_portal("10.00", "0"),), UNIT, "12.00"),
        ((in_the_portal("3.00", "0"), in_the_portal("4.00", "0", "R2")), ALONE, "7.00"),
    ],
)
def test_another_amount_of_the_same_units_is_asked_about_and_nothing_is_to_be_paid(
    state: str, portal: tuple[Reduction, ...], units: tuple[tuple[str, int], ...], money: str
) -> None:
    view = look(shopify_refund(money, units), mirakl=paid(*portal, state=state))

    part = decide(view, a_memory())

    (case,) = part.cases
    assert (case.reason, case.subject) == (ASKED, "gid://r/1")
    assert case.options == (Option.ANOTHER_REFUND, Option.DISMISS)
    assert f"Shopify refunded {money} EUR" in case.sentence
    assert "Until then refund nothing for it" in case.sentence
    assert decide(view, part.memory) == part


def test_the_same_refund_is_recorded_and_another_one_is_a_task() -> None:
    refund = shopify_refund("10.00")
    view = look(refund, mirakl=paid(in_the_portal(), state="SHIPPED"))
    question = decide(view, a_memory()).memory

    same = decide(view, replace(question, decisions=answered(refund, Option.DISMISS).decisions))
    other = decide(view, replace(question, decisions=answered(refund, Option.ANOTHER_REFUND).decisions))

    assert (same.cases, same.memory.refund_tasks[0].settled_by) == ((), ("R1",))
    assert reasons(other) == [(Reason.REFUND_TASK, "gid://r/1")]
    assert other.memory.refund_tasks[0].asks == ()


def test_what_somebody_said_stands_in_the_books_already_is_asked_about() -> None:
    said = a_decision(Reason.REFUND_ONLY_AT_MARKETPLACE, "R1", Option.DISMISS)
    view = look(shopify_refund("12.00", ALONE), mirakl=paid(in_the_portal(), state="SHIPPED"))

    assert reasons(decide(view, a_memory(decisions=(said,)))) == [(ASKED, "gid://r/1")]


@pytest.mark.parametrize(("units", "money"), [((("S2", 1),), "12.00"), (ALONE, "4.00"), (UNIT, "9.00")])
def test_money_of_another_line_or_of_another_amount_is_a_task_as_ever(
    units: tuple[tuple[str, int], ...], money: str
) -> None:
    goodwill = in_the_portal("12.00", "0") if units and units[0][0] == "S2" else in_the_portal("3.00", "0")

    part = decide(look(shopify_refund(money, units), mirakl=paid(goodwill, state="SHIPPED")), a_memory())

    assert reasons(part) == [(Reason.REFUND_TASK, "gid://r/1")]


def test_a_refund_of_the_portal_made_after_shopifys_is_no_record_but_its_answer() -> None:
    later = replace(in_the_portal(), created_at=NOW)

    part = decide(look(shopify_refund(), mirakl=paid(later, state="SHIPPED")), a_memory())

    (task,) = part.memory.refund_tasks
    assert task.settled_by == ("R1",)
    assert not any("records" in sentence for sentence in part.because)


def test_what_answers_an_earlier_refund_in_full_is_recorded_by_no_later_one() -> None:
    """Both are seen in one look: the portal's refund, made for the first, and the second, made in Shopify since."""
    first = decide(look(shopify_refund(), mirakl=paid(state="SHIPPED")), a_memory()).memory
    second = shopify_refund(id="gid://r/2")

    part = decide(
        look(shopify_refund(), second, mirakl=paid(in_the_portal(), state="SHIPPED"), mugs=0), first
    )

    assert [(task.subject, task.settled_by, task.asks) for task in part.memory.refund_tasks] == [
        ("gid://r/1", ("R1",), ()),
        ("gid://r/2", (), ()),
    ]
    assert reasons(part) == [(Reason.REFUND_TASK, "gid://r/2")]


def test_the_question_about_units_that_have_not_left_stands_for_them() -> None:
    """So that the edit which the Shopify refund is asks for them no second time."""
    part = decide(look(shopify_refund("10.00"), mirakl=paid(in_the_portal())), a_memory())

    (task,) = part.memory.refund_tasks
    assert [(due.line_id, due.quantity) for due in task.lines] == [("L1", 1)]
    assert task.settled_at is None


# -- the money of a removal ----------------------------------------------------------------------------------


def removal(number: int, amount: str, shipping: str = "0", line: str = "L1", units: int = 1) -> RefundTask:
    due = RefundDue(line, units, Decimal(amount), Decimal(shipping), (), (), ())
    return RefundTask(f"edit:{number}", AGO, (due,))


def test_a_cent_that_both_sides_round_otherwise_makes_no_second_task() -> None:
    odd = (a_line(price="20.01"), LINES[1])
    view = look(shopify_refund("10.00", ALONE), mirakl=an_order(debited_at=CREATED, lines=odd))

    part = decide(view, with_tasks(removal(1, "10.01"), ordered=ordered(odd)))

    assert reasons(part) == [(Reason.REFUND_TASK, "gid://r/1")]
    assert "Refund 10.01 EUR" in part.cases[0].sentence


@pytest.mark.parametrize(
    ("money", "units"),
    [("42.00", ALONE), ("40.00", ALONE), ("42.01", ALONE), ("42.00", (("S1", 1), ("S2", 1)))],
)
@pytest.mark.parametrize("settled", [True, False])
def test_one_refund_of_two_removals_is_one_of_neither_anew(
    money: str, units: tuple[tuple[str, int], ...], settled: bool
) -> None:
    tasks = [removal(1, "10.00", "2.00"), removal(2, "30.00", line="L2")]
    if settled:
        tasks = [replace(t, settled_by=(f"R{n}",), settled_at=AGO) for n, t in enumerate(tasks)]
    view = look(shopify_refund(money, units), mirakl=paid(state="SHIPPED"))

    part = decide(view, with_tasks(*tasks))

    *before, new = part.memory.refund_tasks
    assert [task.subject for task in before] == ["edit:1", "edit:2"]
    assert new.dismissed_by == "superseded by edit:1, edit:2"
    assert (
        reasons(part) == [] if settled else [(Reason.REFUND_TASK, "edit:1"), (Reason.REFUND_TASK, "edit:2")]
    )


def test_a_removal_whose_money_shopify_gave_back_covers_no_second_refund() -> None:
    both = (removal(1, "10.00", "2.00"), removal(2, "30.00", line="L2"))
    view = look(shopify_refund("42.00", ALONE), mirakl=paid(state="SHIPPED"))
    memory = decide(view, with_tasks(*both)).memory

    again = look(
        shopify_refund("42.00", ALONE),
        shopify_refund("12.00", ALONE, "gid://r/2"),
        mirakl=paid(state="SHIPPED"),
    )
    part = decide(again, memory)

    assert (Reason.REFUND_TASK, "gid://r/2") in reasons(part)
    assert not any(task.asks for task in part.memory.refund_tasks)


@pytest.mark.parametrize(
    ("money", "units", "other"),
    [
        ("11.00", ALONE, "12.00"),
        ("15.00", ALONE, "12.00"),
        ("41.00", ALONE, "42.00"),
        ("24.00", (("S1", 2),), "12.00"),
    ],
)
def test_money_near_a_removal_is_asked_about(
    money: str, units: tuple[tuple[str, int], ...], other: str
) -> None:
    view = look(shopify_refund(money, units), mirakl=paid(state="SHIPPED"))

    part = decide(view, with_tasks(removal(1, "10.00", "2.00"), removal(2, "30.00", line="L2")))

    (case,) = [case for case in part.cases if case.reason is ASKED]
    assert f"Shopify refunded {money} EUR" in case.sentence
    assert f"{other} EUR is asked for" in case.sentence
    assert (Reason.REFUND_TASK, "gid://r/1") not in reasons(part)


def test_what_interlock_gave_back_with_another_amount_is_asked_about() -> None:
    made = an_edit_task(made_at=AGO, settled_by=("R1",), settled_at=AGO)
    view = look(shopify_refund("3.00"), mirakl=paid(a_refund(1, "10.00", shipping="2.00"), state="SHIPPED"))

    part = decide(view, with_tasks(made))

    assert reasons(part) == [(ASKED, "gid://r/1")]
    assert "12.00 EUR was given back" in part.cases[0].sentence


def sendable(view_rules: ConnectionRules, memory: Memory) -> list[str]:
    mirakl = paid(state="SHIPPING")
    return [t.subject for t in memory.refund_tasks if may_be_sent(view_rules, mirakl, memory, t)]


def test_interlock_refunds_no_removal_while_its_money_is_asked_about() -> None:
    rules = replace(
        a_view().rules, reduction_after_debit="automatic", refund_cap=Decimal(50), refund_reason="WISH"
    )
    memory = with_tasks(an_edit_task())
    view = look(shopify_refund("11.00", ALONE), mirakl=paid(state="SHIPPED"), rules=rules)

    question = decide(view, memory)

    assert sendable(rules, memory) == ["edit:1"]
    assert sendable(rules, question.memory) == []
    assert sorted(reasons(question)) == sorted([(Reason.REFUND_TASK, "edit:1"), (ASKED, "gid://r/1")])


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (Option.DISMISS, [(Reason.REFUND_TASK, "gid://r/1")]),
        (Option.ANOTHER_REFUND, [(Reason.REFUND_TASK, "edit:1"), (Reason.REFUND_TASK, "gid://r/1")]),
    ],
)
def test_the_answer_makes_it_one_task_or_two(option: Option, expected: list[tuple[Reason, str]]) -> None:
    refund = shopify_refund("11.00", ALONE)
    view = look(refund, mirakl=paid(state="SHIPPED"))
    question = decide(view, with_tasks(an_edit_task())).memory

    part = decide(view, replace(question, decisions=answered(refund, option).decisions))

    assert reasons(part) == expected


def test_the_question_ends_when_the_removal_is_taken_back() -> None:
    view = look(shopify_refund("11.00", ALONE), mirakl=paid(state="SHIPPED"))
    question = decide(view, with_tasks(an_edit_task())).memory
    undone = tuple(
        replace(task, dismissed_by="no longer needed") if task.subject == "edit:1" else task
        for task in question.refund_tasks
    )

    part = decide(view, replace(question, refund_tasks=undone))

    assert reasons(part) == [(Reason.REFUND_TASK, "gid://r/1")]


def test_a_question_asked_again_is_the_same_question() -> None:
    view = look(shopify_refund("11.00", ALONE), mirakl=paid(state="SHIPPED"))
    first = decide(view, with_tasks(an_edit_task()))
    later: datetime = NOW + timedelta(hours=1)

    assert decide(replace(view, now=later), first.memory).memory == first.memory
