"""What becomes of an edit, given the state of the marketplace order, its flags and the connection's rules."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.cases.damage import stake_of
from interlock.edits.decide import decide, dropped
from interlock.edits.diff import differences
from interlock.orders.actions import (
    CancelMiraklOrder,
    CancelQuantities,
    EditShopifyOrder,
    LineRefund,
    RefundLines,
)
from interlock.orders.changes import Change, VariantPrice
from interlock.orders.memory import Memory, RefundDue, RefundTask, Withdrawn
from interlock.orders.outcomes import OperationState
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import is_open
from interlock.orders.snapshots import MiraklOrder, ShopifyLine, Tax
from interlock.orders.view import View
from tests.build import (
    CREATED,
    ELSEWHERE,
    LINES,
    NOW,
    a_cancelation,
    a_decision,
    a_memory,
    a_refund,
    a_shopify_line,
    a_shopify_order,
    a_tax,
    a_view,
    an_operation,
    an_order,
    ordered,
    some_rules,
)

EDITED = NOW - timedelta(seconds=61)
LAMP = a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
ONE_MUG = (a_shopify_line(current_quantity=1), LAMP)
NO_MUGS = (a_shopify_line(current_quantity=0), LAMP)
NOTHING = (a_shopify_line(current_quantity=0), replace(LAMP, current_quantity=0))
MORE_LAMPS = (ONE_MUG[0], replace(LAMP, current_quantity=2))
ADDED = (*ONE_MUG, a_shopify_line("S3", "CARD", 1, "1.00", ""))
RULES = some_rules(partial_cancelation=True, cancelation_reason="15")
DEBITED = an_order(debited_at=NOW, can_cancel=False)


def look(lines: tuple[ShopifyLine, ...] = ONE_MUG, **changes: Any) -> View:
    values: dict[str, Any] = {
        "rules": RULES,
        "shopify": a_shopify_order(lines=lines),
        "memory": a_memory(content_since=EDITED),
    }
    return a_view(**{**values, **changes})


def asked(view: View, memory: Memory | None = None) -> Part:
    memory = memory or view.memory
    return decide(view, memory, differences(view, memory))


def the_cancelation(view: View | None = None) -> CancelQuantities:
    (action,) = asked(view or look()).actions
    assert isinstance(action, CancelQuantities)
    return action


# -- agreement ---------------------------------------------------------------------------------------------


def test_an_order_in_agreement_is_left_alone() -> None:
    part = asked(a_view(), a_memory(disagreeing_since=CREATED))

    assert part == Part(a_memory())


def test_any_difference_keeps_the_parcel_held_in_words_and_is_dated_once() -> None:
    part = asked(look(), a_memory(content_since=EDITED, disagreeing_since=CREATED))

    assert part.keep_held == ("Shopify shows 1 of MUG; the marketplace agreed to 2.",)
    assert part.memory.disagreeing_since == CREATED
    assert asked(look()).memory.disagreeing_since == NOW


def test_an_open_incident_at_the_marketplace_holds_the_parcel() -> None:
    part = asked(a_view(mirakl=an_order(has_incident=True)))

    assert "open incident" in part.keep_held[0]


# -- before debit ------------------------------------------------------------------------------------------


def test_a_reduction_before_debit_becomes_one_cancelation_with_exact_figures() -> None:
    action = the_cancelation()

    (line,) = action.lines
    assert (line.line_id, line.cancelled_total, line.quantity) == ("L1", 1, 1)
    assert (line.amount, line.shipping_amount) == (Decimal("10.00"), Decimal("2.00"))
    assert (action.reason_code, action.currency, action.tax_mode) == ("15", "EUR", "TAX_INCLUDED")
    assert action.send_taxes


def test_all_reduced_lines_travel_in_one_call() -> None:
    lines = (LINES[0], replace(LINES[1], quantity=2), replace(LINES[0], id="L3"))
    shown = (
        a_shopify_line(current_quantity=1),
        replace(LAMP, current_quantity=1),
        a_shopify_line("S3", line_id="L3"),
    )
    view = look(shown, mirakl=an_order(lines=lines))
    memory = a_memory(content_since=EDITED, ordered=ordered(lines), agreed_shipping=None)

    (action,) = asked(view, memory).actions

    assert isinstance(action, CancelQuantities)
    assert [(line.line_id, line.quantity) for line in action.lines] == [("L1", 1), ("L2", 1)]


@pytest.mark.parametrize(
    ("order_level_tax", "tax_mode", "sent"),
    [
        (True, "TAX_EXCLUDED", False),
        (True, "TAX_INCLUDED", True),
        (False, "TAX_EXCLUDED", True),
        (False, "TAX_INCLUDED", True),
    ],
)
def test_tax_entries_are_left_out_only_with_order_level_taxes_on_top(
    order_level_tax: bool, tax_mode: str, sent: bool
) -> None:
    taxed = (replace(LINES[0], taxes=(a_tax("4.00"),), shipping_taxes=(a_tax("0.80"),)), LINES[1])
    view = look(
        rules=replace(RULES, order_level_tax=order_level_tax), mirakl=an_order(lines=taxed, tax_mode=tax_mode)
    )
    (action,) = asked(view, a_memory(content_since=EDITED, ordered=ordered(taxed))).actions

    assert isinstance(action, CancelQuantities)
    assert (action.send_taxes, action.tax_mode) == (sent, tax_mode)
    assert [t.amount for t in action.lines[0].taxes] == [Decimal("2.00")]
    assert [t.amount for t in action.lines[0].shipping_taxes] == [Decimal("0.40")]


def test_removing_everything_cancels_the_whole_order() -> None:
    for rules in (RULES, some_rules()):
        assert asked(look(NOTHING, rules=rules)).actions == (CancelMiraklOrder(),)


def test_removing_all_that_is_left_cancels_the_whole_order() -> None:
    cut = (replace(LINES[0], cancelations=(a_cancelation(2, "20.00"),)), LINES[1])

    assert asked(look(NOTHING, mirakl=an_order(lines=cut))).actions == (CancelMiraklOrder(),)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (some_rules(cancelation_reason="15"), "only the whole order"),
        (some_rules(partial_cancelation=True), "cancelation_reason"),
    ],
)
def test_a_reduction_the_connection_cannot_send_is_a_case(rules: Any, words: str) -> None:
    part = asked(look(rules=rules))

    (case,) = part.cases
    assert part.actions == ()
    assert case.reason is Reason.REDUCTION_NOT_ALLOWED
    assert words in case.sentence
    assert case.options == (
        Option.UNDO_IN_SHOPIFY,
        Option.UNDO_BY_INTERLOCK,
        Option.CANCEL_AT_MARKETPLACE,
        Option.CANCEL_AND_MESSAGE,
        Option.DONE_IN_PORTAL,
    )


def test_an_order_that_can_neither_be_cancelled_nor_refunded_is_a_case() -> None:
    part = asked(look(mirakl=an_order(can_cancel=False)))

    assert [case.reason for case in part.cases] == [Reason.REDUCTION_NOT_ALLOWED]
    assert Option.CANCEL_AT_MARKETPLACE not in part.cases[0].options


@pytest.mark.parametrize("state", ["STAGING", "WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT"])
def test_before_shipping_the_reduction_waits_and_says_for_what(state: str) -> None:
    part = asked(look(mirakl=an_order(state)))

    (case,) = part.cases
    assert part.actions == ()
    assert (case.reason, case.how_severe, case.options) == (Reason.EDIT_WAITING, "note", ())
    assert case.facts[0] == ("Waits for", "the state SHIPPING")
    assert state in part.because[0]
    assert "SHIPPING" in part.because[0]
    assert part.keep_held


@pytest.mark.parametrize("state", ["CANCELED", "REFUSED", "SOMETHING_NEW"])
def test_an_ended_or_unknown_state_sends_nothing(state: str) -> None:
    part = asked(look(mirakl=an_order(state)))

    assert (part.actions, part.cases) == ((), ())
    assert part.keep_held


# -- not yet -----------------------------------------------------------------------------------------------


def test_nothing_is_sent_while_the_edit_may_still_be_going_on() -> None:
    part = asked(look(memory=a_memory(content_since=NOW - timedelta(seconds=59))))

    assert part.actions == ()
    assert part.look_at == NOW + timedelta(seconds=1)


def test_nothing_is_sent_on_a_marketplace_snapshot_older_than_the_quiet_period_is_over() -> None:
    """Meanwhile the customer may have cancelled units of the same line there."""
    since = NOW - timedelta(minutes=2)
    over = since + some_rules().quiet_period
    memory = a_memory(content_since=since)

    during = asked(look(mirakl=an_order(observed_at=over - timedelta(seconds=1)), memory=memory))
    after = asked(look(mirakl=an_order(observed_at=over), memory=memory))

    assert (during.actions, during.mirakl_since) == ((), over)
    assert [type(action) for action in after.actions] == [CancelQuantities]
    assert after.mirakl_since is None


def test_nothing_is_sent_on_a_marketplace_snapshot_older_than_our_last_write() -> None:
    part = asked(look(mirakl_written_at=NOW))

    assert part.actions == ()
    assert part.mirakl_since == NOW


# -- calls on their way and refusals -----------------------------------------------------------------------


@pytest.mark.parametrize("state", ["IN_FLIGHT", "UNKNOWN"])
def test_an_unclear_cancelation_stays_wanted_as_the_very_same_value(state: Any) -> None:
    action = the_cancelation()

    part = asked(look(operations=(an_operation(action, state),), mirakl_written_at=NOW))

    assert part.actions == (action,)


@pytest.mark.parametrize("lines", [NO_MUGS, NOTHING])
def test_a_changed_edit_waits_until_the_unclear_cancelation_is_settled(lines: Any) -> None:
    view = look(lines, operations=(an_operation(the_cancelation(), "UNKNOWN"),))

    assert asked(view).actions == ()


def test_a_cancelation_that_the_marketplace_shows_is_not_wanted_again() -> None:
    shown = (replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])
    view = look(mirakl=an_order(lines=shown), operations=(an_operation(the_cancelation(), "UNKNOWN"),))

    assert asked(view).actions == ()
    assert asked(view).keep_held == ()


def test_a_refused_cancelation_becomes_a_case_with_the_words_of_the_marketplace() -> None:
    action = the_cancelation()
    part = asked(look(operations=(an_operation(action, words="Order is locked"),)))

    (case,) = part.cases
    assert case.reason is Reason.REDUCTION_REFUSED
    assert "Order is locked" in case.sentence
    # It stays in the plan: the ledger forgets a refusal that is no longer wanted, and would send it anew.
    assert part.actions == (action,)


def test_a_refusal_stays_a_case_while_the_marketplace_is_read_again() -> None:
    action = the_cancelation()
    part = asked(look(operations=(an_operation(action, words="locked"),), mirakl_written_at=NOW))

    (case,) = part.cases
    assert (case.reason, part.actions) == (Reason.REDUCTION_REFUSED, (action,))
    assert case.options == (
        Option.SEND_AGAIN,
        Option.UNDO_IN_SHOPIFY,
        Option.UNDO_BY_INTERLOCK,
        Option.DONE_IN_PORTAL,
    )


def test_a_refusal_that_is_to_be_sent_again_stays_in_sight_until_it_may_go_out() -> None:
    view = look(operations=(an_operation(the_cancelation(), words="locked"),))
    (case,) = asked(view).cases
    at = NOW + timedelta(minutes=1)
    memory = a_memory(
        content_since=EDITED, decisions=(a_decision(case.reason, case.subject, Option.SEND_AGAIN, at),)
    )
    part = asked(replace(view, mirakl_written_at=NOW), memory)

    assert (part.actions, part.cases) == ((), (case,))
    assert part.mirakl_since == NOW


@pytest.mark.parametrize(("minutes", "asks"), [(1, False), (-1, True)])
def test_a_person_may_have_a_refused_cancelation_sent_again(minutes: int, asks: bool) -> None:
    action = the_cancelation()
    view = look(operations=(an_operation(action, words="locked"),))
    subject = asked(view).cases[0].subject
    at = NOW + timedelta(minutes=minutes)
    memory = a_memory(
        content_since=EDITED,
        decisions=(a_decision(Reason.REDUCTION_REFUSED, subject, Option.SEND_AGAIN, at),),
    )

    assert bool(asked(view, memory).cases) is asks


def test_an_answer_to_a_refused_cancelation_is_not_one_to_the_same_call_for_a_later_edit() -> None:
    nothing = (a_shopify_line(current_quantity=0), replace(LAMP, current_quantity=0))
    view = look(nothing, operations=(an_operation(CancelMiraklOrder(), words="locked"),))
    first = asked(view)
    tomorrow = replace(view, now=NOW + timedelta(days=1))
    stands = asked(tomorrow, first.memory)
    taken_back = asked(replace(look((a_shopify_line(), LAMP)), now=tomorrow.now), first.memory)
    again = asked(tomorrow, taken_back.memory)

    assert first.cases == stands.cases
    assert [case.reason for case in again.cases] == [Reason.REDUCTION_REFUSED]
    assert again.cases[0].subject != first.cases[0].subject


def test_a_refusal_does_not_stop_another_target() -> None:
    view = look(NO_MUGS, operations=(an_operation(the_cancelation()),))

    assert the_cancelation(view).lines[0].cancelled_total == 2


# -- what the marketplace cannot take ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "shopify",
    [
        a_shopify_order(lines=ADDED),
        a_shopify_order(lines=(a_shopify_line(current_quantity=3), replace(LAMP, current_quantity=0))),
        a_shopify_order(lines=(a_shopify_line(unit_price=Decimal("9")), LAMP)),
        a_shopify_order(lines=ONE_MUG, shipping_total=Decimal("0")),
        a_shopify_order(lines=ONE_MUG, address=ELSEWHERE),
    ],
)
@pytest.mark.parametrize("mirakl", [an_order(), an_order("WAITING_ACCEPTANCE"), DEBITED])
def test_an_edit_that_cannot_be_expressed_is_asked_about_and_nothing_of_it_is_sent(
    shopify: Any, mirakl: MiraklOrder
) -> None:
    part = asked(look(shopify=shopify, mirakl=mirakl))

    (case,) = part.cases
    assert case.reason is Reason.EDIT_CANNOT_BE_EXPRESSED
    assert part.actions == ()
    assert part.keep_held
    assert part.memory.refund_tasks == ()
    assert (Option.CANCEL_AT_MARKETPLACE in case.options) is mirakl.can_cancel


def test_a_second_edit_asks_a_second_question() -> None:
    first = asked(look(ADDED)).cases[0].subject
    more = asked(look((*ADDED, a_shopify_line("S4", "BOX", 1, "1.00", "")))).cases[0].subject

    assert first == asked(look(ADDED)).cases[0].subject
    assert first != more


def test_a_person_may_decide_to_cancel_the_whole_order() -> None:
    subject = asked(look(ADDED)).cases[0].subject
    decision = a_decision(Reason.EDIT_CANNOT_BE_EXPRESSED, subject, Option.CANCEL_AT_MARKETPLACE)
    memory = a_memory(content_since=EDITED, decisions=(decision,))

    assert asked(look(ADDED), memory).actions == (CancelMiraklOrder(),)
    assert asked(look(ADDED, mirakl=an_order(can_cancel=False)), memory).actions == ()


def test_done_in_the_portal_keeps_the_question_open_until_the_marketplace_shows_it() -> None:
    subject = asked(look(ADDED)).cases[0].subject
    decision = a_decision(Reason.EDIT_CANNOT_BE_EXPRESSED, subject, Option.DONE_IN_PORTAL)

    part = asked(look(ADDED), a_memory(content_since=EDITED, decisions=(decision,)))

    assert len(part.cases) == 1
    assert "Ada" in part.because[0]


def test_units_cut_by_the_marketplace_are_to_be_removed_in_shopify() -> None:
    cut = (replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])

    rules = replace(RULES, mirror_marketplace_changes=False)
    part = asked(a_view(mirakl=an_order(lines=cut), rules=rules))

    (case,) = part.cases
    assert (case.reason, case.subject) == (Reason.MARKETPLACE_CHANGED, "L1")
    assert "Remove 1 of MUG" in case.sentence
    assert part.keep_held
    assert part.actions == ()


def test_a_reduction_waits_while_the_marketplace_made_a_cut_of_its_own() -> None:
    cut = (replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])
    rules = replace(RULES, mirror_marketplace_changes=False)
    view = look(
        (a_shopify_line(), replace(LAMP, current_quantity=0)), mirakl=an_order(lines=cut), rules=rules
    )

    assert asked(view).actions == ()


CUT = (replace(LINES[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])


def test_units_cut_by_the_marketplace_are_taken_out_of_shopify_by_our_own_edit() -> None:
    part = asked(look((a_shopify_line(), LAMP), mirakl=an_order(lines=CUT)))

    (action,) = part.actions
    assert isinstance(action, EditShopifyOrder)
    assert (action.quantities, action.added) == ((("S1", 1),), ())
    assert part.cases == ()
    assert part.keep_held
    assert part.memory.mirrored == (("L1", 1),)


def test_our_own_edit_waits_until_nobody_is_editing() -> None:
    view = look((a_shopify_line(), LAMP), mirakl=an_order(lines=CUT), memory=a_memory(content_since=NOW))

    assert asked(view).actions == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"shopify": a_shopify_order(lines=(a_shopify_line(), LAMP), editable=False)},
        {"shopify": a_shopify_order(lines=(a_shopify_line(fulfilled_quantity=1), LAMP))},
        {
            "shopify": a_shopify_order(lines=(a_shopify_line(), LAMP)),
            "rules": replace(RULES, mirror_marketplace_changes=False),
        },
    ],
)
def test_where_our_app_may_not_edit_or_units_left_a_person_removes_them(changes: dict[str, Any]) -> None:
    part = asked(look(**{"mirakl": an_order(lines=CUT), **changes}))

    assert part.actions == ()
    assert [case.reason for case in part.cases] == [Reason.MARKETPLACE_CHANGED]


def test_a_person_is_asked_when_our_own_edit_does_not_come_through() -> None:
    view = look((a_shopify_line(), LAMP), mirakl=an_order(lines=CUT))
    (action,) = asked(view).actions

    refused = asked(replace(view, operations=(an_operation(action),)))
    late = asked(view, replace(view.memory, disagreeing_since=NOW - timedelta(minutes=10)))

    for part in (refused, late):
        assert part.actions == (action,)
        assert [case.reason for case in part.cases] == [Reason.MARKETPLACE_CHANGED]


def test_a_line_refused_at_the_marketplace_is_taken_out_of_shopify() -> None:
    refused = (replace(LINES[0], state="REFUSED"), LINES[1])
    part = asked(look((a_shopify_line(), LAMP), mirakl=an_order(lines=refused)))

    (action,) = part.actions
    assert isinstance(action, EditShopifyOrder)
    assert action.quantities == (("S1", 0),)


# -- both sides --------------------------------------------------------------------------------------------

THREE = (replace(LINES[0], quantity=3, price=Decimal("30.00")), LINES[1])
THREE_BEFORE: dict[str, Any] = {
    "content_since": EDITED,
    "ordered": ordered(THREE),
    "settled": (("L1", 3), ("L2", 1)),
}


@pytest.mark.parametrize("units", [1, 4])
def test_both_sides_changing_one_line_is_a_case_that_shows_both(units: int) -> None:
    cut = (replace(THREE[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])
    lines = (a_shopify_line(quantity=3, current_quantity=units), LAMP)
    part = asked(look(lines, mirakl=an_order(lines=cut)), a_memory(**THREE_BEFORE))

    (case,) = part.cases
    assert case.reason is Reason.BOTH_SIDES_CHANGED
    assert ("Agreed before", "3") in case.facts
    assert ("Shopify now", str(units)) in case.facts
    assert ("Marketplace now", "2") in case.facts
    assert part.actions == ()
    assert part.keep_held


def test_what_we_asked_for_ourselves_is_not_the_marketplaces_change() -> None:
    cut = (replace(THREE[0], cancelations=(a_cancelation(1, "10.00"),)), LINES[1])
    lines = (a_shopify_line(quantity=3, current_quantity=1), LAMP)
    memory = a_memory(**THREE_BEFORE, asked_cancelled=(("L1", 1),))
    (action,) = asked(look(lines, mirakl=an_order(lines=cut)), memory).actions

    assert isinstance(action, CancelQuantities)
    assert action.lines[0].cancelled_total == 2
    assert asked(look(), a_memory(content_since=EDITED)).memory.asked_cancelled == (("L1", 1),)


# -- edits nothing was sent for ----------------------------------------------------------------------------


def test_an_edit_that_was_sent_is_not_remembered_as_waiting() -> None:
    waiting = asked(look(mirakl=an_order("WAITING_DEBIT"))).memory
    assert waiting.unsent_edit.startswith("edit:")
    sent = asked(look(), waiting).memory
    assert sent.unsent_edit == ""
    assert asked(look(mirakl_written_at=NOW), sent).memory.unsent_edit == ""
    assert asked(look(NO_MUGS, mirakl_written_at=NOW), sent).memory.unsent_edit.startswith("edit:")


def test_an_edit_taken_back_before_it_was_sent_sends_nothing_and_says_so_once() -> None:
    waiting = asked(look(mirakl=an_order("WAITING_DEBIT"))).memory
    undone = asked(a_view(mirakl=an_order("WAITING_DEBIT"), memory=waiting))

    assert undone.actions == ()
    assert undone.because == ("The edit in Shopify was taken back before anything was sent for it.",)
    assert asked(a_view(mirakl=an_order("WAITING_DEBIT"), memory=undone.memory)).because == ()


def test_an_edit_that_waited_is_dropped_with_a_reason_when_the_order_ends() -> None:
    waiting = asked(look(mirakl=an_order("WAITING_DEBIT"))).memory
    part = asked(look(shopify=a_shopify_order(cancelled_at=NOW)), waiting)

    assert "is dropped and nothing of it was sent" in part.because[0]
    assert part.memory.unsent_edit == ""
    assert dropped(part.memory, "again").because == ()


def test_what_cannot_be_is_an_engineers_case_and_sends_nothing() -> None:
    mirakl = an_order(debited_at=NOW, payment_workflow="NO_CUSTOMER_PAYMENT_CONFIRMATION")
    part = asked(look(mirakl=mirakl))

    (case,) = part.cases
    assert case.reason is Reason.IMPOSSIBLE_COMBINATION
    assert part.actions == ()
    assert part.memory.refund_tasks == ()
    assert part.keep_held


# -- after debit -------------------------------------------------------------------------------------------


def the_task(part: Part) -> RefundTask:
    return part.memory.refund_tasks[-1]


def test_a_reduction_after_debit_becomes_a_refund_task_with_exact_figures() -> None:
    part = asked(look(mirakl=DEBITED))

    task = the_task(part)
    assert (part.actions, task.subject, task.opened_at) == ((), "edit:1", NOW)
    (due,) = task.lines
    assert (due.line_id, due.quantity) == ("L1", 1)
    assert (due.amount, due.shipping_amount) == (Decimal("10.00"), Decimal("2.00"))
    assert part.look_at == NOW


def test_a_refundable_order_that_cannot_be_cancelled_gets_a_task_too() -> None:
    lines = tuple(replace(line, can_refund=True) for line in LINES)

    assert the_task(asked(look(mirakl=an_order(can_cancel=False, lines=lines)))).subject == "edit:1"


def test_the_task_waits_for_the_end_of_the_edit() -> None:
    part = asked(look(mirakl=DEBITED, memory=a_memory(content_since=NOW)))

    assert part.memory.refund_tasks == ()
    assert part.look_at == NOW + timedelta(seconds=60)


def test_one_edit_opens_one_task() -> None:
    view = look(mirakl=DEBITED)
    memory = asked(view).memory

    again = asked(view, memory)

    assert again.memory.refund_tasks == memory.refund_tasks
    assert again.look_at is None


def test_a_refund_of_before_is_remembered_as_seen_and_a_later_one_is_not() -> None:
    early = replace(a_refund(0, "1.00", "R1"), created_at=CREATED)
    late = replace(a_refund(0, "1.00", "R2"), created_at=NOW)
    lines = (replace(LINES[0], refunds=(early, late)), LINES[1])

    task = the_task(asked(look(mirakl=replace(DEBITED, lines=lines))))

    assert task.lines[0].seen_refunds == ("R1",)


def test_a_changed_edit_supersedes_the_task_nobody_began() -> None:
    memory = asked(look(mirakl=DEBITED)).memory

    part = asked(look(NO_MUGS, mirakl=DEBITED), memory)

    old, new = part.memory.refund_tasks
    assert (old.dismissed_by, new.subject) == ("superseded", "edit:2")
    assert new.lines[0].quantity == 2


def test_a_task_that_was_begun_stays_and_the_rest_becomes_another() -> None:
    memory = asked(look(mirakl=DEBITED)).memory
    begun = replace(memory.refund_tasks[0], settled_by=("R1",))

    part = asked(look(NO_MUGS, mirakl=DEBITED), replace(memory, refund_tasks=(begun,)))

    old, new = part.memory.refund_tasks
    assert (old, new.lines[0].quantity) == (begun, 1)
    assert old.lines[0].amount + new.lines[0].amount == Decimal("20.00")


def test_undoing_the_edit_closes_its_task() -> None:
    memory = asked(look(mirakl=DEBITED)).memory

    part = asked(a_view(mirakl=DEBITED), memory)

    assert the_task(part).dismissed_by == "no longer needed"
    assert part.keep_held == ()


def test_units_that_a_shopify_refund_covers_open_no_second_task() -> None:
    due = RefundDue("L1", 1, Decimal("10.00"), Decimal("2.00"), (), (), ())
    memory = a_memory(content_since=EDITED, refund_tasks=(RefundTask("gid://r/1", NOW, (due,)),))

    assert asked(look(mirakl=DEBITED), memory).memory.refund_tasks == memory.refund_tasks
    assert [d.quantity for d in the_task(asked(look(NO_MUGS, mirakl=DEBITED), memory)).lines] == [1]


def test_a_task_closed_by_hand_is_not_opened_again_but_the_disagreement_is_told() -> None:
    memory = asked(look(mirakl=DEBITED)).memory
    dismissed = replace(memory.refund_tasks[0], dismissed_by="Ada: settled by phone")

    part = asked(look(mirakl=DEBITED), replace(memory, refund_tasks=(dismissed,)))

    assert part.memory.refund_tasks == (dismissed,)
    assert "Ada: settled by phone" in part.cases[0].sentence


def test_units_confirmed_a_moment_ago_open_nothing() -> None:
    view = look(mirakl=DEBITED)
    found = differences(view, view.memory)
    memory = replace(view.memory, withdrawn=(Withdrawn("L1", 1, "R1", "Ada", NOW),))

    part = decide(view, memory, found)

    assert part.memory.refund_tasks == ()
    assert part.look_at == NOW


# -- after dispatch ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["SHIPPED", "RECEIVED"])
def test_after_dispatch_a_reduction_is_a_refund_task_with_figures(state: str) -> None:
    part = asked(look(mirakl=an_order(state)))

    assert part.cases == ()
    (task,) = part.memory.refund_tasks
    assert task.subject == "edit:1"
    assert [(d.line_id, d.quantity, d.amount, d.shipping_amount) for d in task.lines] == [
        ("L1", 1, Decimal("10.00"), Decimal("2.00"))
    ]
    dismissed = replace(task, dismissed_by="Ada: the customer got both")
    again = asked(look(mirakl=an_order(state)), a_memory(content_since=EDITED, refund_tasks=(dismissed,)))
    assert (again.cases, again.memory.refund_tasks) == ((), (dismissed,))


@pytest.mark.parametrize("state", ["SHIPPED", "RECEIVED"])
def test_after_dispatch_the_refund_of_a_mixed_edit_is_asked_for_once(state: str) -> None:
    first = asked(look(MORE_LAMPS, mirakl=an_order(state)))
    again = asked(look(MORE_LAMPS, mirakl=an_order(state)), first.memory)

    (task,) = first.memory.refund_tasks
    assert is_open(task)
    assert [case.reason for case in again.cases] == [Reason.EDIT_CANNOT_BE_EXPRESSED]
    assert again.memory.refund_tasks == (task,)
    assert again.look_at is None


def test_before_dispatch_the_refund_of_a_mixed_edit_waits_with_its_rest() -> None:
    before = asked(look(mirakl=DEBITED)).memory

    mixed = asked(look(MORE_LAMPS, mirakl=DEBITED), before)

    assert [is_open(task) for task in mixed.memory.refund_tasks] == [False]


def test_once_the_order_is_closed_there_a_reduction_is_a_case_until_somebody_settled_it() -> None:
    view = look(mirakl=an_order("CLOSED"))

    (case,) = asked(view).cases
    decision = a_decision(case.reason, case.subject, Option.DONE_IN_PORTAL)

    assert case.reason is Reason.REDUCTION_NOT_ALLOWED
    assert asked(view, a_memory(content_since=EDITED, decisions=(decision,))).cases == ()


def test_after_dispatch_a_reduction_that_a_refund_explains_is_no_case() -> None:
    due = RefundDue("L1", 1, Decimal("10.00"), Decimal("2.00"), (), (), ())
    memory = a_memory(refund_tasks=(RefundTask("gid://r/1", NOW, (due,)),))

    assert asked(look(mirakl=an_order("SHIPPED")), memory).cases == ()


@pytest.mark.parametrize(
    ("state", "operations", "left"),
    [
        pytest.param("SHIPPED", (), (1,), id="nobody began"),
        pytest.param("SHIPPED", ("UNKNOWN",), (2,), id="it may have been made"),
        pytest.param("SHIPPED", ("REJECTED",), (1,), id="it was not made"),
    ],
)
def test_after_dispatch_a_refund_of_more_than_is_missing_is_lowered(
    state: str, operations: tuple[OperationState, ...], left: tuple[int, ...]
) -> None:
    due = RefundDue("L1", 2, Decimal("20.00"), Decimal("4.00"), (), (), ())
    task = RefundTask("edit:1", EDITED, (due,))
    line = LineRefund("L1", 2, Decimal("20.00"), Decimal("4.00"), (), (), False, ())
    action = RefundLines("edit:1", (line,), "EUR", "TAX_INCLUDED", "15")
    view = look(mirakl=an_order(state), operations=tuple(an_operation(action, said) for said in operations))

    part = asked(view, a_memory(content_since=EDITED, refund_tasks=(task,)))

    assert tuple(d.quantity for t in part.memory.refund_tasks if is_open(t) for d in t.lines) == left


# -- from our own desk ---------------------------------------------------------------------------------------


def test_what_our_own_desk_made_is_sent_without_a_quiet_period() -> None:
    just_now = {"content": "abc", "content_since": NOW}
    fresh = an_order(observed_at=NOW)

    by_staff = asked(look(mirakl=fresh), a_memory(**just_now))
    by_our_desk = asked(look(mirakl=fresh), a_memory(**just_now, own_content="abc"))

    assert by_staff.actions == ()
    assert by_staff.look_at == NOW + some_rules().quiet_period
    assert [type(action) for action in by_our_desk.actions] == [CancelQuantities]


# -- prices and people -------------------------------------------------------------------------------------


def test_on_each_edit_the_prices_are_compared_with_the_shops() -> None:
    prices = (
        VariantPrice("V-MUG", Decimal("20.00"), "EUR", True),
        VariantPrice("V-LAMP", Decimal("9.00"), "USD", True),
    )
    view = look(prices=prices)

    (case,) = (c for c in asked(view).cases if c.reason is Reason.PRICE_DISCREPANCY)
    assert ("MUG: shop", "20.00 EUR") in case.facts
    assert case.how_severe == "today"
    assert the_action(asked(view)) is not None
    said = a_decision(case.reason, case.subject, Option.ACCEPT_ANYWAY)
    assert asked(view, a_memory(content_since=EDITED, decisions=(said,))).cases == ()
    assert asked(a_view(prices=prices)).cases == ()


def test_a_price_that_an_edit_brought_up_is_asked_about_until_somebody_answers() -> None:
    """The marketplace takes the edit within minutes; that answers nothing about the price."""
    prices = (VariantPrice("V-MUG", Decimal("100.00"), "EUR", True),)
    found = asked(look(prices=prices))
    (case,) = (c for c in found.cases if c.reason is Reason.PRICE_DISCREPANCY)
    agreed = a_view(prices=prices)

    after = asked(agreed, found.memory)
    unread = asked(a_view(), found.memory)
    said = a_decision(case.reason, case.subject, Option.DISMISS)
    answered = asked(agreed, replace(found.memory, decisions=(said,)))
    sent = asked(a_view(mirakl=an_order("SHIPPED"), prices=prices), found.memory)
    corrected = (VariantPrice("V-MUG", Decimal("10.00"), "EUR", True),)
    near = asked(a_view(prices=corrected), found.memory)

    assert [c.subject for c in after.cases] == [c.subject for c in unread.cases] == [case.subject]
    assert answered.cases == sent.cases == near.cases == ()
    assert answered.memory.questioned_prices == near.memory.questioned_prices == ()
    assert stake_of(case, NOW, an_order(), found.memory).money == Decimal("180.00")


def test_an_edit_of_an_order_in_another_currency_than_the_shops_says_once_that_no_price_is_compared() -> None:
    prices = tuple(VariantPrice(variant, Decimal("99.00"), "CAD", True) for variant in ("V-MUG", "V-LAMP"))
    part = asked(look(prices=prices))

    assert [case for case in part.cases if case.reason is Reason.PRICE_DISCREPANCY] == []
    said = "The prices are not compared: the shop's are in CAD, the order's in EUR."
    assert part.because.count(said) == 1


def test_prices_on_two_footings_are_compared_by_the_taxes_of_the_line_or_it_is_said_that_they_are_not() -> (
    None
):
    """10.00 with 20 % are 8.33 without; the untaxed line tells nothing, and an order before its acceptance is not ours to judge."""
    prices = (VariantPrice("V-MUG", Decimal("8.33"), "EUR", False),)
    taxed = tuple(replace(line, taxes=(Tax("VAT", Decimal("3.33"), Decimal(20)),)) for line in LINES)
    said = "The price of MUG is not compared"

    def told(**changes: Any) -> tuple[list[str], bool]:
        part = asked(look(mirakl=an_order(**changes), prices=prices))
        apart = [case.sentence for case in part.cases if case.reason is Reason.PRICE_DISCREPANCY]
        return apart, any(because.startswith(said) for because in part.because)

    assert told() == ([], True)
    assert told(lines=taxed) == ([], False)
    assert told(state="SHIPPED") == ([], False)
    dearer = tuple(replace(line, price_unit=Decimal("12.00")) for line in taxed)
    ((sentence,), unsaid) = told(lines=dearer)
    assert "12.00 EUR a unit; the shop asks 10.00 EUR, both with taxes" in sentence
    assert not unsaid


def the_action(part: Part) -> CancelQuantities | None:
    return next((action for action in part.actions if isinstance(action, CancelQuantities)), None)


def test_the_case_says_who_changed_what_with_which_app() -> None:
    at = NOW - timedelta(minutes=2)
    changes = (
        Change("A1", CREATED, "Interlock", "ORDER", (("S1", 2), ("S2", 1))),
        Change("A2", at, "Order Editing", "ORDER_EDIT", (("S1", -1),)),
        Change("A3", at, "staff", "ORDER_EDIT", (("S3", 1), ("S4", 1))),
    )
    lines = (*ADDED, a_shopify_line("S4", "BOX", 1, "1.00", ""))
    (case,) = asked(look(lines, changes=changes)).cases
    (alone,) = asked(look(changes=changes, rules=some_rules())).cases

    assert "BOX was added by staff at 11:58 UTC on 02 March." in case.sentence
    assert ("Who 1", "MUG was lowered by the app Order Editing at 11:58 UTC on 02 March.") in alone.facts
    assert asked(look(ADDED, changes=changes[:1])).cases[0].facts[-1][0] == "Change 1"
