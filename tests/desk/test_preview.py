"""What an edit would do, asked of the real rules."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.desk.requests import RequestRefused, Wish, resolved
from interlock.orders.connection import Flow, Pause, ReductionAfterDebit
from interlock.orders.memory import Kin
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Fee, Traces
from interlock.orders.view import View
from interlock.preview import Preview, check_edit, commission_back, preview
from tests.build import (
    ELSEWHERE,
    LINES,
    MARKER,
    NOW,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_shopify_line,
    a_shopify_order,
    a_tax,
    a_view,
    an_order,
    ordered,
    some_rules,
)

RULES = some_rules(partial_cancelation=True, cancelation_reason="15")
PAID = tuple(replace(line, commission=line.price / 10) for line in LINES)


def look(**changes: Any) -> View:
    return a_view(rules=RULES, mirakl=an_order(lines=PAID), **changes)


def asked(view: View | None = None, **wish: Any) -> Preview:
    view = view or look()
    return preview(view, resolved(view, Wish(**wish), "e1", "Ada", "why", NOW), NOW)


def test_a_reduction_becomes_one_call_with_its_figures_and_releases_the_parcel_afterwards() -> None:
    found = asked(quantities=(("MUG", 1),))

    (call,) = found.calls
    (line,) = call.lines
    assert (call.operation, line.mirakl_line_id, line.quantity) == ("OR30", "L1", 1)
    assert (line.amount, line.shipping_amount, line.customer) == (
        Decimal("10.00"),
        Decimal("2.00"),
        Decimal("12.00"),
    )
    assert line.commission == Decimal("1.00")
    assert (found.refund_total, found.commission_total) == (Decimal("12.00"), Decimal("1.00"))
    assert [(line.sku, line.shopify_now, line.shopify_then, line.agreed_then) for line in found.lines] == [
        ("MUG", 2, 1, 1),
        ("LAMP", 1, 1, 1),
    ]
    assert found.parcel == "may leave once the marketplace confirms"
    assert (found.cases, found.impossible, found.refused) == ((), (), "")


def test_taxes_on_top_are_part_of_what_the_customer_gets_back() -> None:
    lines = (replace(a_line(), taxes=(a_tax("4.00"),), shipping_taxes=(a_tax("0.80"),)), LINES[1])
    view = look(memory=a_memory(ordered=ordered(lines)))
    view = replace(view, mirakl=an_order(lines=lines, tax_mode="TAX_EXCLUDED"))

    (call,) = asked(view, quantities=(("MUG", 0),)).calls

    assert call.lines[0].customer == Decimal("28.80")


def test_removing_everything_or_cancelling_cancels_the_whole_order() -> None:
    removed = asked(quantities=(("MUG", 0), ("LAMP", 0)))
    cancelled = asked(cancel=True)

    for found in (removed, cancelled):
        (call,) = found.calls
        assert call.operation == "OR29"
        assert found.refund_total == Decimal("54.00")
        assert found.commission_total == Decimal("5.00")
    assert cancelled.parcel == "stays held"


@pytest.mark.parametrize(
    "wish", [{"quantities": (("MUG", 3),)}, {"added": (("MUG", 1),)}, {"address": ELSEWHERE}]
)
def test_what_the_marketplace_cannot_take_is_said_and_not_begun(wish: dict[str, Any]) -> None:
    found = asked(**wish)

    assert found.calls == ()
    assert [case.reason for case in found.cases] == [Reason.EDIT_CANNOT_BE_EXPRESSED.value]
    assert found.impossible
    assert found.parcel == "stays held"
    assert Option.DONE_IN_PORTAL.value in found.choices
    view = look()
    edit = resolved(view, Wish(**wish), "e1", "Ada", "why", NOW)
    with pytest.raises(RequestRefused) as refused:
        check_edit(view, edit, NOW)
    assert refused.value.code == "not_possible"
    assert check_edit(view, replace(edit, decision=Option.DONE_IN_PORTAL), NOW).refused == ""


def test_a_second_order_of_the_same_sale_keeps_the_parcel_held_after_the_edit() -> None:
    twin = a_shopify_order(id="SO2", name="#1002", created_at=NOW - timedelta(hours=1))
    twin = replace(twin, traces=Traces(attribute=MARKER))

    found = asked(look(kin=(twin,)), quantities=(("MUG", 1),))

    assert [call.operation for call in found.calls] == ["OR30"]
    assert found.parcel == "stays held"


def test_an_order_that_may_take_over_lets_nothing_be_carried_across() -> None:
    kin = Kin("SO2", "#1002", "candidate", NOW, "Interlock", "it looks alike")
    copy = a_shopify_order(id="SO2", name="#1002", marker="", created_at=NOW - timedelta(seconds=30))
    copy = replace(copy, traces=Traces(app="Draft Orders", email="e1"))
    linked = a_shopify_order(traces=Traces(attribute=MARKER, app="Interlock", email="e1"))

    for seen in ((copy,), ()):
        found = asked(
            look(shopify=linked, memory=a_memory(lineage=(kin,)), kin=seen), quantities=(("MUG", 1),)
        )
        assert found.calls == ()
        assert found.parcel == "stays held"
        assert "No edit is carried across until it is settled which Shopify order stands." in found.waits


def test_an_answer_that_is_not_possible_is_refused_by_name() -> None:
    view = look()
    edit = resolved(
        view, Wish(quantities=(("MUG", 1),), decision=Option.SHIP_AS_EDITED), "e1", "Ada", "why", NOW
    )

    with pytest.raises(RequestRefused) as refused:
        check_edit(view, edit, NOW)

    assert (refused.value.code, refused.value.field) == ("option_not_legal", "decision")


def test_a_state_that_takes_nothing_is_waited_for() -> None:
    view = replace(
        look(), mirakl=an_order("WAITING_DEBIT", [replace(line, state="WAITING_DEBIT") for line in PAID])
    )

    found = asked(view, quantities=(("MUG", 1),))

    assert found.calls == ()
    assert any("WAITING_DEBIT" in said for said in found.waits)
    assert found.refused == ""


def test_after_the_customer_has_paid_the_reduction_is_a_task_with_figures() -> None:
    debited = an_order(
        lines=[replace(line, can_refund=True) for line in PAID], can_cancel=False, debited_at=NOW
    )
    view = replace(look(memory=a_memory(content="old")), mirakl=debited)

    found = asked(view, quantities=(("MUG", 1),))

    (task,) = [case for case in found.cases if case.reason == Reason.REFUND_TASK.value]
    assert task.lines[0].customer == Decimal("12.00")
    assert found.refund_total == Decimal("12.00")


@pytest.mark.parametrize(
    ("policy", "asked_for", "called", "then", "parcel"),
    [
        ("task", [Reason.REFUND_TASK], [], 2, "stays held"),
        ("approve", [Reason.REFUND_APPROVAL], [], 2, "stays held"),
        ("automatic", [], ["OR28"], 1, "may leave once the marketplace confirms"),
    ],
)
def test_whoever_makes_the_refund_its_money_is_shown_with_fees_and_what_it_leaves(
    policy: ReductionAfterDebit, asked_for: list[Reason], called: list[str], then: int, parcel: str
) -> None:
    rules = replace(RULES, reduction_after_debit=policy, refund_cap=Decimal(500), refund_reason="15")
    lines = [replace(line, can_refund=True, fees=(Fee("ECO", Decimal("0.50")),)) for line in PAID]
    debited = an_order(lines=lines, can_cancel=False, debited_at=NOW)
    memory = a_memory(content="old")
    charged = tuple(replace(line, fees=(Fee("ECO", Decimal("0.50")),)) for line in memory.ordered)
    view = replace(look(memory=replace(memory, ordered=charged)), mirakl=debited, rules=rules)

    found = asked(view, quantities=(("MUG", 1),))

    assert [case.reason for case in found.cases] == [reason.value for reason in asked_for]
    assert [call.operation for call in found.calls] == called
    in_cases = [one for case in found.cases for one in case.lines]
    (figures,) = [*in_cases, *(one for call in found.calls for one in call.lines)]
    assert (figures.fees, figures.customer) == ((Fee("ECO", Decimal("0.25")),), Decimal("12.25"))
    assert (found.refund_total, found.commission_total) == (Decimal("12.25"), Decimal("1.00"))
    (mug, _) = found.lines
    assert (mug.shopify_then, mug.agreed_then) == (1, then)
    assert found.parcel == parcel


@pytest.mark.parametrize(
    ("policy", "asked_for"),
    [
        ("task", Reason.REFUND_TASK),
        ("approve", Reason.REFUND_APPROVAL),
        ("automatic", Reason.REFUND_APPROVAL),
    ],
)
def test_cancelling_a_paid_order_shows_the_one_refund_of_everything_like_removing_it_all(
    policy: ReductionAfterDebit, asked_for: Reason
) -> None:
    rules = replace(RULES, reduction_after_debit=policy, refund_cap=Decimal(10), refund_reason="15")
    lines = [replace(line, can_refund=True) for line in PAID]
    debited = an_order(lines=lines, can_cancel=False, debited_at=NOW)
    view = replace(look(memory=a_memory(content="old")), mirakl=debited, rules=rules)

    cancelled = asked(view, cancel=True)
    removed = asked(view, quantities=(("MUG", 0), ("LAMP", 0)))

    assert [case.reason for case in cancelled.cases] == [asked_for.value]
    assert cancelled.calls == ()
    assert cancelled.refund_total == removed.refund_total == Decimal("54.00")
    assert cancelled.commission_total == removed.commission_total > 0
    assert [one.lines for one in cancelled.cases] == [one.lines for one in removed.cases]


def test_undoing_closes_the_case_and_lets_the_parcel_go() -> None:
    lines = (a_shopify_line(quantity=5), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))
    view = look(shopify=a_shopify_order(lines=lines))

    found = asked(view, undo=True)

    assert found.closes == ("the marketplace cannot take this edit",)
    assert (found.calls, found.cases, found.refused) == ((), (), "")
    assert found.parcel == "may leave"


def test_a_unit_that_left_and_was_refunded_is_no_difference_of_the_edit_of_another_line() -> None:
    mug = replace(a_shopify_line(), current_quantity=1, fulfilled_quantity=1)
    lamp = a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
    rest = a_fulfillment_order(remaining=(("S1", 1), ("S2", 1)))
    view = look(shopify=a_shopify_order(lines=(mug, lamp), fulfillment_orders=(rest,)))

    found = asked(view, quantities=(("LAMP", 0),))

    assert [(line.shopify_then, line.agreed_then, line.agrees) for line in found.lines] == [
        (1, 2, True),
        (0, 0, True),
    ]


def test_an_edit_beside_units_that_nobody_bought_leaves_both_lines_differing() -> None:
    lines = (a_shopify_line(quantity=5), a_shopify_line("S2", "LAMP", 1, "30.00", "L2"))

    found = asked(look(shopify=a_shopify_order(lines=lines)), quantities=(("LAMP", 0),))

    assert [line.agrees for line in found.lines] == [False, False]


def test_a_pause_that_would_stop_the_edit_is_said_with_its_reason() -> None:
    pause = Pause("edits", NOW - timedelta(minutes=5), NOW + timedelta(days=1), "Grace", "stocktaking")
    found = asked(replace(look(), rules=replace(RULES, pauses=(pause,))), quantities=(("MUG", 1),))

    (note,) = [note for note in found.notes if "paused" in note]
    assert "by Grace: stocktaking" in note
    assert not any("paused" in note for note in asked(quantities=(("MUG", 1),)).notes)


@pytest.mark.parametrize(("flow", "notes"), [("refunds", 1), ("acceptance", 0)])
def test_a_pause_of_the_flow_its_call_belongs_to_is_said_and_no_other(flow: Flow, notes: int) -> None:
    pause = Pause(flow, NOW - timedelta(minutes=5), NOW + timedelta(days=1), "Grace", "stocktaking")
    rules = replace(
        RULES, reduction_after_debit="automatic", refund_cap=Decimal(500), refund_reason="15", pauses=(pause,)
    )
    lines = [replace(line, can_refund=True) for line in PAID]
    debited = an_order(lines=lines, can_cancel=False, debited_at=NOW)
    view = replace(look(memory=a_memory(content="old")), mirakl=debited, rules=rules)

    found = asked(view, quantities=(("MUG", 1),))

    assert [call.operation for call in found.calls] == ["OR28"]
    told = [note for note in found.notes if "paused" in note]
    assert len(told) == notes
    assert all("Refunds are paused" in note and "by Grace: stocktaking No refund" in note for note in told)


def test_a_pause_of_shipping_is_said_where_the_edit_lets_the_parcel_go() -> None:
    pause = Pause("shipping", NOW - timedelta(minutes=5), NOW + timedelta(days=1), "Grace", "stocktaking")
    found = asked(replace(look(), rules=replace(RULES, pauses=(pause,))), quantities=(("MUG", 1),))

    assert found.parcel == "may leave once the marketplace confirms"
    assert [note.startswith("Shipping is paused") for note in found.notes if "paused" in note] == [True]


def test_the_same_question_has_the_same_answer_and_asks_nothing_of_the_clock() -> None:
    view = look()

    assert asked(view, quantities=(("MUG", 1),)) == asked(view, quantities=(("MUG", 1),))
    later = replace(view, now=NOW + timedelta(hours=3))
    assert asked(later, cancel=True) == asked(view, cancel=True)


def test_commission_is_expected_as_it_was_given_back_before() -> None:
    line = replace(a_line(quantity=3, price="30.00"), commission=Decimal("3.10"))
    (sold,) = ordered((line,))

    assert commission_back(line, sold, 1, "EUR") == Decimal("1.03")
    assert commission_back(line, sold, 3, "EUR") == Decimal("3.10")
    assert commission_back(line, sold, 0, "EUR") == Decimal("0")
