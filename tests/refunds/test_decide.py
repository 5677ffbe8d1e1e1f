"""A Shopify refund becomes exactly one task, and a task closes on what the marketplace shows."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.orders.ending import units_not_asked_for
from interlock.orders.memory import Kin, Memory, RefundDue, RefundTask, Withdrawn
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import covered_units
from interlock.orders.snapshots import MiraklOrder, Reduction, ShopifyRefund
from interlock.orders.view import View
from interlock.refunds.answers import only_records
from interlock.refunds.decide import decide
from tests.build import (
    CREATED,
    LINES,
    NOW,
    a_cancelation,
    a_decision,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_refund,
    a_shopify_line,
    a_shopify_order,
    a_tax,
    a_view,
    an_order,
    ordered,
)

AGO = NOW - timedelta(minutes=1)
LAMP = a_shopify_line("S2", "LAMP", 1, "30.00", "L2")


def shopify_refund(
    money: str = "12.00", lines: tuple[tuple[str, int], ...] = (("S1", 1),), id: str = "gid://r/1"
) -> ShopifyRefund:
    return ShopifyRefund(id, AGO, Decimal(money), lines)


def paid(*refunds: Reduction, **changes: Any) -> MiraklOrder:
    """The debited order; the refunds are on its first line."""
    return an_order(
        debited_at=CREATED, can_cancel=False, lines=(replace(LINES[0], refunds=refunds), LINES[1]), **changes
    )


def look(*refunds: ShopifyRefund, mirakl: MiraklOrder | None = None, mugs: int = 1, **changes: Any) -> View:
    shopify = a_shopify_order(lines=(a_shopify_line(current_quantity=mugs), LAMP), refunds=refunds)
    return a_view(**{"shopify": shopify, "mirakl": mirakl or paid(), **changes})


def an_edit_task(**changes: Any) -> RefundTask:
    """The task that an edit opened for one mug."""
    due = RefundDue("L1", 1, Decimal("10.00"), Decimal("2.00"), (), (), ())
    return replace(RefundTask("edit:1", AGO, (due,)), **changes)


def with_tasks(*tasks: RefundTask, **changes: Any) -> Memory:
    return a_memory(refund_tasks=tasks, **changes)


def cases_of(part: Part, reason: Reason) -> list[str]:
    return [case.subject for case in part.cases if case.reason is reason]


# -- opening -----------------------------------------------------------------------------------------------


def test_a_refund_of_units_becomes_a_task_with_the_marketplaces_own_figures() -> None:
    part = decide(look(shopify_refund(money="10.00")), a_memory())

    (task,) = part.memory.refund_tasks
    assert (task.subject, task.opened_at, task.money) == ("gid://r/1", NOW, None)
    assert task.lines == (RefundDue("L1", 1, Decimal("10.00"), Decimal("2.00"), (), (), ()),)
    (case,) = part.cases
    assert case.reason is Reason.REFUND_TASK
    assert "Refund 12.00 EUR" in case.sentence
    assert dict(case.facts)["Refunded in Shopify"] == "10.00 EUR"
    assert case.options == (Option.DONE_IN_PORTAL, Option.DISMISS)


@pytest.mark.parametrize("by_shopifys_clock", [AGO, NOW + timedelta(hours=1)])
@pytest.mark.parametrize("age", [timedelta(minutes=1, seconds=1), timedelta(seconds=1), timedelta(0)])
def test_nothing_is_asked_for_before_the_marketplace_was_read_after_the_refund(
    by_shopifys_clock: datetime, age: timedelta
) -> None:
    refund = replace(shopify_refund(), created_at=by_shopifys_clock)
    there = min(by_shopifys_clock, NOW)

    part = decide(look(refund, mirakl=paid(observed_at=NOW - age)), a_memory())

    if NOW - age >= there:
        assert len(part.memory.refund_tasks) == 1
        assert part.mirakl_since is None
    else:
        assert (part.memory.refund_tasks, part.cases, part.mirakl_since) == ((), (), there)
        assert "because it may have been given back there already" in part.because[0]


def test_a_read_between_two_refunds_is_enough_for_the_first_of_them() -> None:
    second = replace(shopify_refund(id="gid://r/2"), created_at=NOW)
    before, between = AGO - timedelta(seconds=1), AGO + timedelta(seconds=1)

    part = decide(look(shopify_refund(), second, mirakl=paid(observed_at=before), mugs=0), a_memory())
    assert (part.memory.refund_tasks, part.mirakl_since) == ((), AGO)

    part = decide(look(shopify_refund(), second, mirakl=paid(observed_at=between), mugs=0), a_memory())
    assert [task.subject for task in part.memory.refund_tasks] == ["gid://r/1"]
    assert part.mirakl_since == NOW


def test_a_refund_of_a_replaced_order_waits_for_the_same_read() -> None:
    shop = a_shopify_order(id="SO2", lines=(a_shopify_line(), LAMP))
    replaced = a_shopify_order(refunds=(shopify_refund(),))
    memory = a_memory(
        shopify_order_id="SO2", lineage=(Kin("SO1", "#1001", "superseded", CREATED, "Interlock", "replaced"),)
    )
    view = a_view(shopify=shop, kin=(replaced,), mirakl=paid(observed_at=AGO - timedelta(seconds=1)))

    part = decide(view, memory)

    assert (part.memory.refund_tasks, part.mirakl_since) == ((), AGO)
    assert decide(replace(view, mirakl=paid(observed_at=AGO)), memory).memory.refund_tasks


def test_taxes_on_top_are_part_of_the_total() -> None:
    taxed = replace(LINES[0], taxes=(a_tax("4.00"),), shipping_taxes=(a_tax("0.80"),))
    mirakl = an_order(debited_at=CREATED, tax_mode="TAX_EXCLUDED", lines=(taxed, LINES[1]))

    part = decide(look(shopify_refund(), mirakl=mirakl), a_memory(ordered=ordered([taxed, LINES[1]])))

    facts = dict(part.cases[0].facts)
    assert facts["Total for the customer"] == "14.40 EUR"
    assert (facts["MUG: tax VAT"], facts["MUG: shipping tax VAT"]) == ("2.00 EUR", "0.40 EUR")


def test_money_without_units_becomes_a_task_for_the_money() -> None:
    part = decide(look(shopify_refund("5.00", ())), a_memory())

    assert part.memory.refund_tasks[0].lines == (RefundDue("", 0, Decimal("5.00"), Decimal(0), (), (), ()),)


def test_money_for_a_line_the_marketplace_never_sold_becomes_a_task_for_the_money() -> None:
    part = decide(look(shopify_refund("5.00", (("S77", 1),))), a_memory())

    assert part.memory.refund_tasks[0].lines[0].line_id == ""


@pytest.mark.parametrize("changes", [{"mirakl": None}, {"shopify": None}])
def test_nothing_is_opened_or_closed_while_a_side_is_missing(changes: dict[str, Any]) -> None:
    view = replace(look(shopify_refund()), **changes)
    memory = with_tasks(an_edit_task())

    part = decide(view, memory)

    assert part.memory == memory
    assert cases_of(part, Reason.REFUND_TASK) == ["edit:1"]


def test_a_removal_that_moved_no_money_opens_nothing() -> None:
    part = decide(look(shopify_refund("0")), a_memory())

    assert part == Part(a_memory())


def test_a_refund_on_an_order_that_is_not_the_linked_one_opens_nothing() -> None:
    assert decide(look(shopify_refund()), a_memory(shopify_order_id="SO2")).memory.refund_tasks == ()


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_every_refund_has_exactly_one_task_however_often_it_is_seen(seen: list[int]) -> None:
    memory = a_memory()
    for upto in seen:
        refunds = tuple(shopify_refund("2.00", (), f"gid://r/{n}") for n in range(upto))
        memory = decide(look(*refunds), memory).memory

    subjects = [task.subject for task in memory.refund_tasks]
    assert subjects == [f"gid://r/{n}" for n in range(max(seen))]


# -- one task for the same units ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refund",
    [shopify_refund("10.00"), shopify_refund("12.00", ()), shopify_refund("10.00", ())],
)
def test_money_that_follows_a_removal_takes_over_the_task_of_the_edit(refund: ShopifyRefund) -> None:
    part = decide(look(refund), with_tasks(an_edit_task()))

    old, new = part.memory.refund_tasks
    assert old.dismissed_by == "superseded by gid://r/1"
    assert new == replace(old, subject="gid://r/1", dismissed_by="")
    assert cases_of(part, Reason.REFUND_TASK) == ["gid://r/1"]
    assert "make it once" in part.cases[0].sentence


def test_money_that_follows_a_refund_already_made_asks_for_nothing() -> None:
    answered = an_edit_task(settled_by=("R1",), settled_at=NOW)
    memory = with_tasks(answered, withdrawn=(Withdrawn("L1", 1, "R1", "Ada", NOW),))

    part = decide(look(shopify_refund("10.00"), mirakl=paid(a_refund(1, "10.00", shipping="2.00"))), memory)

    assert part.cases == ()
    assert part.memory.refund_tasks[1].settled_by == ("R1",)
    assert part.memory.withdrawn == memory.withdrawn


def test_a_refund_of_other_units_is_a_task_of_its_own() -> None:
    part = decide(look(shopify_refund("30.00", (("S2", 1),))), with_tasks(an_edit_task()))

    assert cases_of(part, Reason.REFUND_TASK) == ["edit:1", "gid://r/1"]


def test_two_tasks_on_one_line_share_its_money_to_the_cent() -> None:
    odd = (a_line(price="20.01", shipping="4.01"), LINES[1])
    view = look(shopify_refund(), shopify_refund(id="gid://r/2"), mirakl=an_order(lines=odd))

    part = decide(view, a_memory(ordered=ordered(odd)))

    dues = [task.lines[0] for task in part.memory.refund_tasks]
    assert [due.amount for due in dues] == [Decimal("10.01"), Decimal("10.00")]
    assert [due.shipping_amount for due in dues] == [Decimal("2.01"), Decimal("2.00")]


# -- answers of the marketplace ----------------------------------------------------------------------------


def test_a_new_refund_of_the_exact_amount_settles_the_task() -> None:
    part = decide(look(mirakl=paid(a_refund(1, "10.00", shipping="2.00"))), with_tasks(an_edit_task()))

    (task,) = part.memory.refund_tasks
    assert (task.settled_by, task.settled_at) == (("R1",), NOW)
    assert cases_of(part, Reason.REFUND_TASK) == []


def test_several_refunds_settle_it_together_and_the_way_there_is_shown() -> None:
    half, rest = a_refund(0, "4.00", "R1"), a_refund(1, "6.00", "R2", "2.00")

    first = decide(look(mirakl=paid(half)), with_tasks(an_edit_task()))
    second = decide(look(mirakl=paid(half, rest)), first.memory)

    assert "4.00 EUR of 10.00 EUR product amount and 0.00 EUR of 2.00 EUR shipping" in first.cases[0].sentence
    assert first.memory.refund_tasks[0].settled_by == ("R1",)
    assert second.memory.refund_tasks[0].settled_by == ("R1", "R2")
    assert second.memory.refund_tasks[0].settled_at == NOW


def test_a_goodwill_refund_does_not_spoil_the_exact_one() -> None:
    goodwill, exact = a_refund(0, "3.00", "R1"), a_refund(1, "10.00", "R2", "2.00")

    first = decide(look(mirakl=paid(goodwill)), with_tasks(an_edit_task()))
    second = decide(look(mirakl=paid(goodwill, exact)), first.memory)

    assert second.memory.refund_tasks[0].settled_by == ("R2",)


def test_a_refund_that_was_there_before_settles_nothing() -> None:
    due = replace(an_edit_task().lines[0], seen_refunds=("R1",))

    part = decide(
        look(mirakl=paid(a_refund(1, "10.00", shipping="2.00"))), with_tasks(an_edit_task(lines=(due,)))
    )

    assert cases_of(part, Reason.REFUND_TASK) == ["edit:1"]


@pytest.mark.parametrize(("made_at", "records"), [(CREATED, True), (AGO, False), (NOW, False)])
def test_a_portal_refund_first_seen_together_with_shopifys_is_its_answer_or_what_it_records(
    made_at: datetime, records: bool
) -> None:
    refund = replace(a_refund(1, "10.00", shipping="2.00"), created_at=made_at)

    part = decide(look(shopify_refund(), mirakl=paid(refund)), a_memory())

    (task,) = part.memory.refund_tasks
    assert task.settled_by == ("R1",)
    assert only_records(task, task.lines[0]) is records


def test_one_refund_answers_one_task() -> None:
    tasks = (an_edit_task(), an_edit_task(subject="gid://r/9"))

    part = decide(look(mirakl=paid(a_refund(1, "10.00", shipping="2.00"))), with_tasks(*tasks))

    assert [task.settled_by for task in part.memory.refund_tasks] == [("R1",), ()]


def test_every_line_of_a_task_has_to_be_answered() -> None:
    lamp = RefundDue("L2", 1, Decimal("30.00"), Decimal(0), (), (), ())
    task = an_edit_task(lines=(*an_edit_task().lines, lamp))

    part = decide(look(mirakl=paid(a_refund(1, "10.00", shipping="2.00"))), with_tasks(task))

    assert part.memory.refund_tasks[0].settled_at is None


def test_money_without_units_is_answered_by_all_the_money_of_a_refund() -> None:
    first = decide(look(shopify_refund("5.00", ())), a_memory())
    refund = replace(a_refund(0, "4.00", shipping="1.00"), created_at=NOW)

    part = decide(look(shopify_refund("5.00", ()), mirakl=paid(refund)), first.memory)

    assert part.memory.refund_tasks[0].settled_at == NOW
    assert part.cases == ()


def test_a_cancelation_before_debit_answers_the_task_and_withdraws_nothing() -> None:
    before = an_order()
    first = decide(look(shopify_refund(), mirakl=before), a_memory())
    cancelled = (replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])

    part = decide(look(shopify_refund(), mirakl=an_order(lines=cancelled)), first.memory)

    assert "not charged the customer yet" in first.cases[0].sentence
    assert part.memory.refund_tasks[0].settled_at == NOW
    assert (part.cases, part.memory.withdrawn) == ((), ())


def test_an_order_cancelled_before_debit_needs_no_refund() -> None:
    first = decide(look(shopify_refund(), mirakl=an_order()), a_memory())

    part = decide(look(shopify_refund(), mirakl=an_order("CANCELED")), first.memory)

    assert part.cases == ()


# -- people ------------------------------------------------------------------------------------------------


def test_done_in_the_portal_alone_closes_nothing() -> None:
    memory = with_tasks(
        an_edit_task(), decisions=(a_decision(Reason.REFUND_TASK, "edit:1", Option.DONE_IN_PORTAL),)
    )

    part = decide(look(), memory)

    assert cases_of(part, Reason.REFUND_TASK) == ["edit:1"]
    assert "Ada said it was done" in part.cases[0].sentence


def test_a_task_is_dismissed_by_a_person_with_a_reason() -> None:
    decision = a_decision(Reason.REFUND_TASK, "edit:1", Option.DISMISS)

    told = decide(look(), with_tasks(an_edit_task(), decisions=(decision,)))
    silent = decide(look(), with_tasks(an_edit_task(), decisions=(replace(decision, why=""),)))

    assert told.memory.refund_tasks[0].dismissed_by == "Ada: because"
    assert told.cases == ()
    assert silent.memory.refund_tasks[0].dismissed_by == ""


# -- units that will not ship ------------------------------------------------------------------------------


SETTLED = an_edit_task(settled_by=("R1",), settled_at=NOW)
REFUNDED = paid(a_refund(1, "10.00", shipping="2.00"))


def test_a_refund_of_whole_units_asks_whether_they_stay_here() -> None:
    part = decide(look(mirakl=REFUNDED), with_tasks(an_edit_task()))

    (case,) = part.cases
    assert (case.reason, case.subject) == (Reason.CONFIRM_WITHDRAWN, "edit:1")
    assert "1 of MUG" in case.sentence
    assert part.memory.withdrawn == ()


@pytest.mark.parametrize(
    ("reason", "option"),
    [
        (Reason.CONFIRM_WITHDRAWN, Option.CONFIRM_WITHDRAWN),
        (Reason.CONFIRM_WITHDRAWN, Option.DONE_IN_PORTAL),
        (Reason.REFUND_TASK, Option.DONE_IN_PORTAL),
    ],
)
def test_a_persons_word_withdraws_the_units_once(reason: Reason, option: Option) -> None:
    memory = with_tasks(an_edit_task(), decisions=(a_decision(reason, "edit:1", option),))

    part = decide(look(mirakl=REFUNDED), memory)
    again = decide(look(mirakl=REFUNDED), part.memory)

    assert part.memory.withdrawn == (Withdrawn("L1", 1, "R1", "Ada", NOW),)
    assert part.cases == ()
    assert part.look_at == NOW
    assert again.memory == part.memory
    assert again.look_at is None


def test_units_that_ship_all_the_same_are_not_withdrawn() -> None:
    decision = a_decision(Reason.CONFIRM_WITHDRAWN, "edit:1", Option.DISMISS)

    part = decide(look(mirakl=REFUNDED), with_tasks(SETTLED, decisions=(decision,)))

    assert (part.cases, part.memory.withdrawn) == ((), ())


@pytest.mark.parametrize(
    ("mugs", "memory", "held"),
    [
        (2, with_tasks(SETTLED), True),
        (1, with_tasks(SETTLED), False),  # the sides differ, which holds it
        (
            2,
            with_tasks(SETTLED, decisions=(a_decision(Reason.CONFIRM_WITHDRAWN, "edit:1", Option.DISMISS),)),
            False,
        ),
    ],
)
def test_refunded_units_put_back_into_the_order_wait_for_somebodys_word(
    mugs: int, memory: Memory, held: bool
) -> None:
    part = decide(look(mirakl=REFUNDED, mugs=mugs), memory)

    expected = (
        (
            "1 of MUG were refunded and are in the Shopify order again; the parcel waits for somebody's word "
            "whether they ship.",
        )
        if held
        else ()
    )
    assert part.keep_held == expected


def test_units_that_have_left_are_money_alone() -> None:
    left = a_shopify_order(lines=(a_shopify_line(current_quantity=1, fulfilled_quantity=2), LAMP))
    decision = a_decision(Reason.CONFIRM_WITHDRAWN, "edit:1", Option.CONFIRM_WITHDRAWN)

    part = decide(a_view(mirakl=REFUNDED, shopify=left), with_tasks(SETTLED, decisions=(decision,)))

    assert (part.cases, part.memory.withdrawn) == ((), ())


PART_LEFT = a_shopify_order(
    lines=(a_shopify_line(current_quantity=1, fulfilled_quantity=1), LAMP),
    fulfillment_orders=(a_fulfillment_order(remaining=(("S1", 1), ("S2", 1))),),
    refunds=(shopify_refund(),),
)
"""One of two mugs left and was refunded; the other one is still here."""


@pytest.mark.parametrize("done", [False, True])
def test_a_unit_that_left_and_was_refunded_says_nothing_of_one_that_is_still_here(done: bool) -> None:
    opened = decide(a_view(mirakl=paid(), shopify=PART_LEFT), a_memory()).memory
    assert [due.left for due in opened.refund_tasks[0].lines] == [True]

    word = (a_decision(Reason.REFUND_TASK, "gid://r/1", Option.DONE_IN_PORTAL),) if done else ()
    part = decide(a_view(mirakl=REFUNDED, shopify=PART_LEFT), replace(opened, decisions=word))

    assert part.memory.refund_tasks[0].settled_at == NOW
    assert (part.cases, part.keep_held, part.memory.withdrawn) == ((), (), ())
    # Nor does its money cover the other one, should that be taken out; and what left is not asked back a second time.
    assert covered_units(part.memory, "L1") == 0
    assert units_not_asked_for(REFUNDED, part.memory)["L1"] == 1


def test_a_unit_that_left_is_not_the_one_an_edit_took_out() -> None:
    """Of three one was taken out and paid back, one left and was refunded, and one is still here."""
    three = a_shopify_order(
        lines=(a_shopify_line(quantity=3, current_quantity=1, fulfilled_quantity=1), LAMP),
        fulfillment_orders=PART_LEFT.fulfillment_orders,
        refunds=(shopify_refund(),),
    )
    sold = ordered((a_line(quantity=3, price="30.00", shipping="6.00"), LINES[1]))
    mirakl = replace(REFUNDED, lines=(replace(REFUNDED.lines[0], quantity=3), LINES[1]))

    part = decide(a_view(mirakl=mirakl, shopify=three), with_tasks(SETTLED, ordered=sold))

    answered = [(task.subject, task.settled_by, task.asks) for task in part.memory.refund_tasks]
    assert answered == [("edit:1", ("R1",), ()), ("gid://r/1", (), ())]
    assert cases_of(part, Reason.REFUND_TASK) == ["gid://r/1"]


def test_a_unit_that_is_still_here_may_be_kept_back_although_another_one_left() -> None:
    taken_out = replace(PART_LEFT, fulfillment_orders=(a_fulfillment_order(remaining=(("S2", 1),)),))

    opened = decide(a_view(mirakl=paid(), shopify=taken_out), a_memory()).memory
    part = decide(a_view(mirakl=REFUNDED, shopify=taken_out), opened)

    assert [due.left for due in opened.refund_tasks[0].lines] == [False]
    assert cases_of(part, Reason.CONFIRM_WITHDRAWN) == ["gid://r/1"]


def test_after_dispatch_nothing_is_withdrawn() -> None:
    part = decide(look(mirakl=replace(REFUNDED, state="SHIPPED")), with_tasks(SETTLED))

    assert (part.cases, part.memory.withdrawn) == ((), ())
