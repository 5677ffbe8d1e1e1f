"""A refund of an edit is sent by Interlock only when the setting, the approvals and the marketplace allow it, and once."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.cases.causes import cause_of
from interlock.edits.diff import differences
from interlock.orders.actions import LineRefund, RefundLines
from interlock.orders.connection import ConnectionRules, ReasonOfEdit
from interlock.orders.memory import Decision, Memory, RefundDue, RefundTask
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import Fee, MiraklOrder
from interlock.orders.view import View
from interlock.refunds import decide as room
from interlock.refunds.policy import approvals_needed
from interlock.refunds.sending import decide
from tests.build import (
    CREATED,
    LINES,
    NOW,
    a_decision,
    a_memory,
    a_refund,
    a_shopify_line,
    a_shopify_order,
    a_tax,
    a_view,
    an_operation,
    an_order,
    some_rules,
)

AGO = NOW - timedelta(minutes=5)
DUE = RefundDue("L1", 1, Decimal("10.00"), Decimal("2.00"), (), (), ())
TASK = RefundTask("edit:1", AGO, (DUE,))
ACTION = RefundLines(
    "edit:1",
    (LineRefund("L1", 1, Decimal("10.00"), Decimal("2.00"), (), (), True, (), (), "15"),),
    "EUR",
    "TAX_INCLUDED",
    "15",
)


def rules(how: str = "approve", **changes: Any) -> ConnectionRules:
    return some_rules(**{"reduction_after_debit": how, "refund_reason": "15", **changes})


def paid_order(**changes: Any) -> MiraklOrder:
    return an_order(**{"debited_at": CREATED, "can_cancel": False, **changes})


def approval(who: str = "Ada") -> Decision:
    return replace(a_decision(Reason.REFUND_APPROVAL, "edit:1", Option.APPROVE_REFUND), who=who)


def memory(*decisions: Decision, task: RefundTask = TASK, **changes: Any) -> Memory:
    return a_memory(refund_tasks=(task,), decisions=decisions, **changes)


def a_look(mirakl: MiraklOrder | None = None, mugs: int = 1, **changes: Any) -> View:
    lamp = a_shopify_line("S2", "LAMP", 1, "30.00", "L2")
    shopify = a_shopify_order(lines=(a_shopify_line(current_quantity=mugs), lamp))
    return a_view(**{"rules": rules(), "mirakl": mirakl or paid_order(), "shopify": shopify, **changes})


def decided(view: View, memory: Memory) -> Part:
    return decide(view, memory, differences(view, memory))


def shown(view: View, memory: Memory) -> list[Reason]:
    return [case.reason for case in room.decide(view, memory).cases]


# -- approvals ---------------------------------------------------------------------------------------------


def test_by_default_a_refund_is_a_persons_task() -> None:
    view = a_look(rules=some_rules(refund_reason="15"))

    assert decided(view, memory(approval())).actions == ()
    assert shown(view, memory()) == [Reason.REFUND_TASK]


@pytest.mark.parametrize(
    ("seconds", "own", "sent"),
    [
        pytest.param(59, "", False, id="somebody may still be editing"),
        pytest.param(60, "", True, id="a quiet minute"),
        pytest.param(5, "edited", True, id="made at our own desk, complete"),
        pytest.param(5, "before", False, id="edited since at our own desk"),
    ],
)
def test_a_refund_waits_for_a_quiet_minute_unless_the_edit_came_from_our_desk(
    seconds: int, own: str, sent: bool
) -> None:
    since = NOW - timedelta(seconds=seconds)
    remembered = memory(approval(), content="edited", own_content=own, content_since=since)

    part = decided(a_look(), remembered)

    assert [type(action) for action in part.actions] == ([RefundLines] if sent else [])
    assert part.look_at == (None if sent else since + timedelta(minutes=1))


def test_approve_asks_one_person_and_then_sends_exactly_the_task() -> None:
    (case,) = room.decide(a_look(), memory()).cases

    assert decided(a_look(), memory()).actions == ()
    assert (case.reason, case.options) == (
        Reason.REFUND_APPROVAL,
        (Option.APPROVE_REFUND, Option.DONE_IN_PORTAL, Option.DISMISS),
    )
    assert "12.00 EUR" in case.sentence
    assert decided(a_look(), memory(approval())).actions == (ACTION,)
    assert shown(a_look(), memory(approval())) == []


@pytest.mark.parametrize(
    ("names", "sent"),
    [(("Ada",), False), (("Ada", "ada "), False), (("Ada", "  ADA"), False), (("Ada", "Ben"), True)],
)
def test_above_the_limit_two_different_people_have_to_approve(names: tuple[str, ...], sent: bool) -> None:
    view = a_look(rules=rules(refund_limit=Decimal("11.99")))
    kept = memory(*(approval(who) for who in names))

    assert bool(decided(view, kept).actions) is sent
    if not sent:
        assert "second, different person" in room.decide(view, kept).cases[0].sentence


def test_at_the_limit_one_person_is_enough() -> None:
    assert decided(a_look(rules=rules(refund_limit=Decimal("12.00"))), memory(approval())).actions


@pytest.mark.parametrize(("cap", "sent"), [("12.00", True), ("11.99", False), (None, False)])
def test_automatic_sends_up_to_its_cap_and_asks_above_it(cap: str | None, sent: bool) -> None:
    view = a_look(rules=rules("automatic", refund_cap=None if cap is None else Decimal(cap)))

    assert bool(decided(view, memory()).actions) is sent
    assert (shown(view, memory()) == [Reason.REFUND_APPROVAL]) is not sent


LAMP_DUE = RefundDue("L2", 1, Decimal("30.00"), Decimal(0), (), (), ())
LAMP_TASK = RefundTask("edit:2", AGO, (LAMP_DUE,))
MADE = replace(TASK, made_at=AGO, settled_by=("R1",), settled_at=AGO)


@pytest.mark.parametrize(
    ("first", "counts"),
    [
        pytest.param(MADE, True, id="made by Interlock"),
        pytest.param(TASK, True, id="to be made before"),
        pytest.param(replace(TASK, settled_by=("R1",), settled_at=AGO), False, id="made in the portal"),
        pytest.param(replace(TASK, dismissed_by="superseded"), False, id="replaced"),
        pytest.param(replace(MADE, subject="gid://r/1"), False, id="of a Shopify refund"),
    ],
)
@pytest.mark.parametrize("how", ["automatic", "approve"])
def test_the_limits_are_of_the_order_and_not_of_one_removal(
    how: str, first: RefundTask, counts: bool
) -> None:
    limits = rules(how, refund_cap=Decimal("41.99"), refund_limit=Decimal("41.99"))
    kept = a_memory(refund_tasks=(first, LAMP_TASK))

    needed = approvals_needed(limits, paid_order(), kept, LAMP_TASK)

    assert needed == (2 if counts else (0 if how == "automatic" else 1))


def test_what_was_refunded_besides_is_said_where_it_makes_the_difference() -> None:
    view = a_look(rules=rules("automatic", refund_cap=Decimal(40)))
    kept = a_memory(refund_tasks=(MADE, LAMP_TASK))

    (case,) = [case for case in room.decide(view, kept).cases if case.reason is Reason.REFUND_APPROVAL]

    assert "refunds 12.00 EUR of this order besides, so it is judged as 42.00 EUR" in case.sentence
    assert "above the 40.00 EUR that need no approval" in case.sentence


def test_a_first_task_that_waits_counts_what_was_made_after_it() -> None:
    later = replace(MADE, subject="edit:2", lines=(LAMP_DUE,))
    limits = rules("automatic", refund_cap=Decimal("41.99"))

    assert approvals_needed(limits, paid_order(), a_memory(refund_tasks=(TASK, later)), TASK) == 1


@pytest.mark.parametrize(
    ("state", "cap", "expected"),
    [
        ("SHIPPING", "12.00", []),
        ("SHIPPING", "11.99", [Reason.REFUND_APPROVAL]),
        ("CLOSED", "12.00", [Reason.REFUND_TASK]),
    ],
)
def test_a_refused_refund_that_may_not_be_sent_any_more_is_still_somebodys(
    state: str, cap: str, expected: list[Reason]
) -> None:
    """The room that sends asks about it only as long as it may be sent."""
    refused = an_operation(ACTION, state="REJECTED", code="REFUND_BALANCE_TOO_LOW")
    view = a_look(
        paid_order(state=state), rules=rules("automatic", refund_cap=Decimal(cap)), operations=(refused,)
    )

    assert shown(view, memory()) == expected
    assert bool(decided(view, memory()).cases) is not bool(expected)


def test_once_the_order_counts_as_sent_somebody_approves_whatever_the_amount() -> None:
    view = a_look(paid_order(state="SHIPPED"), rules=rules("automatic", refund_cap=Decimal(1000)))
    (case,) = room.decide(view, memory()).cases

    assert case.reason is Reason.REFUND_APPROVAL
    assert "did not get these units" in case.sentence
    assert "need no approval" not in case.sentence
    assert "held" not in case.sentence
    assert decided(view, memory()).actions == ()
    assert len(decided(view, memory(approval())).actions) == 1


def test_the_refund_of_a_cancelled_order_is_approved_whatever_its_amount_and_then_made_whole() -> None:
    gone = a_shopify_order(
        cancelled_at=AGO, lines=tuple(replace(line, current_quantity=0) for line in a_shopify_order().lines)
    )
    view = a_look(rules=rules("automatic", refund_cap=Decimal(1000)), shopify=gone)
    lamp = RefundDue("L2", 1, Decimal("30.00"), Decimal(0), (), (), ())
    mugs = replace(DUE, quantity=2, amount=Decimal("20.00"), shipping_amount=Decimal("4.00"))
    task = replace(TASK, lines=(mugs, lamp), ending=True)
    (case,) = room.decide(view, memory(task=task)).cases

    assert case.reason is Reason.REFUND_APPROVAL
    assert "54.00 EUR" in case.sentence
    assert "cancelled in Shopify" in case.sentence
    assert "need no approval" not in case.sentence
    assert decided(view, memory(task=task)).actions == ()
    long_ago = NOW - timedelta(hours=1)
    approved = memory(approval(), task=task, shopify_cancelled_seen_at=long_ago)
    (action,) = decided(view, approved).actions
    assert isinstance(action, RefundLines)
    assert [(line.quantity, line.amount, line.excluded_from_shipment) for line in action.lines] == [
        (2, Decimal("20.00"), True),
        (1, Decimal("30.00"), True),
    ]
    lives_again = a_look(rules=rules(), shopify=a_shopify_order())
    assert decided(lives_again, approved).actions == ()


def test_refunded_units_of_a_cancelled_order_need_nobodys_word() -> None:
    gone = a_shopify_order(cancelled_at=AGO)
    refund = a_refund(1, "10.00", shipping="2.00")
    lines = (replace(LINES[0], refunds=(refund,)), LINES[1])
    view = a_look(paid_order(lines=lines), shopify=gone, rules=some_rules())
    kept = room.decide(view, memory(task=replace(TASK, ending=True)))

    assert kept.cases == ()
    assert [(w.line_id, w.quantity, w.confirmed_by) for w in kept.memory.withdrawn] == [
        ("L1", 1, room.CANCELLED_HERE)
    ]
    assert any("cancelled in Shopify, so 1 refunded unit" in said for said in kept.because)


def test_a_refund_made_in_shopify_is_always_a_task() -> None:
    task = replace(TASK, subject="gid://shopify/Refund/1")
    view = a_look(rules=rules("automatic", refund_cap=Decimal(1000)))

    assert decided(view, memory(task=task)).actions == ()
    assert shown(view, memory(task=task)) == [Reason.REFUND_TASK]


@pytest.mark.parametrize("option", [Option.DONE_IN_PORTAL, Option.DISMISS])
def test_whoever_settles_it_by_hand_stops_interlock(option: Option) -> None:
    by_hand = a_decision(Reason.REFUND_APPROVAL, "edit:1", option)

    assert decided(a_look(), memory(approval(), by_hand)).actions == ()


# -- when it may not be sent -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"debited_at": None}, "has not charged"),
        ({"state": "CLOSED"}, "takes no refund"),
        ({"state": "WAITING_DEBIT_PAYMENT"}, "takes no refund"),
        ({"has_incident": True}, "open incident"),
        ({"customer_pays_seller": True}, "pays the shop directly"),
        ({"lines": (replace(LINES[0], refunds=(a_refund(0, "4.00", "R7"),)), LINES[1])}, "begun to refund"),
    ],
)
def test_what_stands_in_the_way_makes_it_a_task_in_the_portal(changes: dict[str, Any], said: str) -> None:
    view = a_look(paid_order(**changes))
    kept = room.decide(view, memory(approval()))

    assert decided(view, kept.memory).actions == ()
    (case,) = kept.cases
    assert case.reason is Reason.REFUND_TASK
    assert said in case.sentence


def test_never_more_than_is_left_on_the_line() -> None:
    task = replace(TASK, lines=(replace(DUE, seen_refunds=("R7",)),))
    view = a_look(paid_order(lines=(replace(LINES[0], refunds=(a_refund(0, "10.01", "R7"),)), LINES[1])))

    assert decided(view, memory(approval(), task=task)).actions == ()
    assert "Less is left" in room.decide(view, memory(approval(), task=task)).cases[0].sentence


def test_without_a_reason_code_nothing_is_sent() -> None:
    view = a_look(rules=some_rules(reduction_after_debit="approve"))

    assert decided(view, memory(approval())).actions == ()
    assert "--refund-reason" in room.decide(view, memory(approval())).cases[0].sentence


def test_the_kind_of_edit_chooses_the_reason_code() -> None:
    removed = replace(TASK, lines=(replace(DUE, quantity=2, amount=Decimal("20.00")),))
    mapped = rules(reasons_by_edit=(ReasonOfEdit("line_removed", refund="19"),))

    (lowered,) = decided(a_look(rules=mapped), memory(approval())).actions
    (gone,) = decided(a_look(mugs=0, rules=mapped), memory(approval(), task=removed)).actions

    assert isinstance(lowered, RefundLines)
    assert isinstance(gone, RefundLines)
    assert (lowered.lines[0].reason_code, gone.lines[0].reason_code) == ("15", "19")


def test_nothing_is_sent_while_the_edit_may_go_on() -> None:
    kept = memory(approval(), content_since=NOW - timedelta(seconds=59))
    part = decided(a_look(), kept)

    assert part.actions == ()
    assert part.look_at == NOW + timedelta(seconds=1)


def test_nothing_is_sent_on_an_old_snapshot() -> None:
    part = decided(a_look(paid_order(observed_at=AGO - timedelta(seconds=1))), memory(approval()))

    assert part.actions == ()
    assert part.mirakl_since == AGO


@pytest.mark.parametrize("mugs", [0, 2])
def test_nothing_is_sent_for_an_edit_that_asks_for_something_else_by_now(mugs: int) -> None:
    assert decided(a_look(mugs=mugs), memory(approval())).actions == ()


def test_nothing_is_sent_beside_an_addition() -> None:
    shopify = a_look().shopify
    assert shopify is not None
    added = a_shopify_line("S9", "NEW", 1, line_id="")
    view = a_look(shopify=replace(shopify, lines=(*shopify.lines, added)))

    assert decided(view, memory(approval())).actions == ()


def test_units_that_have_left_stay_in_the_marketplaces_parcel() -> None:
    """The order has shipped: the refund is money alone."""
    (action,) = decided(a_look(paid_order(state="SHIPPED")), memory(approval())).actions

    assert isinstance(action, RefundLines)
    assert action.lines[0].excluded_from_shipment is False


def test_taxes_and_fees_go_along_and_proportional_ones_only_if_wanted() -> None:
    taxes = (a_tax("2.00", rule="PROPORTIONAL_TO_AMOUNT"), a_tax("0.50", "CITY", "NONE"))
    due = replace(DUE, taxes=taxes, fees=(Fee("DEPOSIT", Decimal("0.25")), Fee("CARD", Decimal(0))))
    kept = memory(approval(), task=replace(TASK, lines=(due,)))

    (all_of_them,) = decided(a_look(), kept).actions
    (needed,) = decided(a_look(rules=rules(proportional_taxes=False)), kept).actions

    assert isinstance(all_of_them, RefundLines)
    assert isinstance(needed, RefundLines)
    assert all_of_them.lines[0].taxes == taxes
    assert needed.lines[0].taxes == taxes[1:]
    assert needed.lines[0].fees == (Fee("DEPOSIT", Decimal("0.25")),)


# -- calls under way and refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["IN_FLIGHT", "UNKNOWN"])
def test_an_unclear_refund_is_wanted_unchanged_and_nothing_else_is_shown(state: Any) -> None:
    changed = rules(refund_reason="16")
    view = a_look(rules=changed, operations=(an_operation(ACTION, state),))

    assert decided(view, memory(approval())).actions == (ACTION,)
    assert shown(view, memory(approval())) == []


@pytest.mark.parametrize(
    ("mugs", "said", "wanted"),
    [
        pytest.param(1, False, True, id="unclear, and the edit stands"),
        pytest.param(1, True, True, id="a person has it sent again"),
        pytest.param(2, False, True, id="the edit was undone; it is read back all the same"),
        pytest.param(2, True, False, id="a person has it sent again, but the edit was undone"),
    ],
)
def test_an_unclear_refund_is_sent_again_only_while_the_edit_asks_for_it(
    mugs: int, said: bool, wanted: bool
) -> None:
    later = NOW + timedelta(seconds=1)
    again = (a_decision(Reason.OUTCOME_UNCLEAR, "op1", Option.SEND_AGAIN, later),) if said else ()
    view = a_look(mugs=mugs, operations=(an_operation(ACTION, "UNKNOWN"),))
    part = decided(view, memory(approval(), *again))

    assert part.actions == ((ACTION,) if wanted else ())
    assert any("not sent again" in sentence for sentence in part.because) is not wanted


@pytest.mark.parametrize(
    ("code", "helps"),
    [
        ("REFUND_BALANCE_TOO_LOW", "balance"),
        ("REFUND_NOT_DEBITED", "not been charged"),
        ("REFUND_WRONG_STATE", "state"),
        ("HTTP_400", "send it again once the reason is gone"),
    ],
)
def test_a_refusal_is_a_case_that_says_what_helps(code: str, helps: str) -> None:
    refused = an_operation(ACTION, code=code, words="no")
    view = a_look(operations=(refused,))
    part = decided(view, memory(approval()))

    (case,) = part.cases
    assert case.reason is Reason.REFUND_REFUSED
    assert helps in case.sentence
    assert part.actions == (ACTION,)
    assert shown(view, memory(approval())) == []


def test_a_refusal_after_an_attempt_that_stayed_unclear_does_not_say_that_no_money_moved() -> None:
    first = replace(an_operation(ACTION, code="HTTP_400"), attempt=1)
    for attempt, says, cause in (
        (1, "No money moved and", "http_400"),
        (2, "an earlier one may still wait", ""),
    ):
        view = a_look(operations=(replace(first, attempt=attempt),))
        (case,) = decided(view, memory(approval())).cases
        assert says in case.sentence
        assert cause_of(case) == cause, "what is looked up in the portal first is a case of its own"


def test_a_refusal_for_a_reason_code_is_over_once_another_is_set() -> None:
    view = a_look(rules=some_rules(reduction_after_debit="approve", refund_reason="16"))
    view = replace(view, operations=(an_operation(ACTION, code="REFUND_REASON_UNKNOWN"),))
    part = decided(view, memory(approval()))

    assert part.cases == ()
    assert part.actions != (ACTION,)


def test_sent_again_by_a_person_the_case_is_gone() -> None:
    again = a_decision(Reason.REFUND_REFUSED, "edit:1", Option.SEND_AGAIN, NOW + timedelta(seconds=1))
    part = decided(a_look(operations=(an_operation(ACTION),)), memory(approval(), again))

    assert (part.cases, part.actions) == ((), (ACTION,))


def test_refused_once_more_the_case_is_back_even_if_the_answer_was_stamped_ahead() -> None:
    again = a_decision(Reason.REFUND_REFUSED, "edit:1", Option.SEND_AGAIN, NOW + timedelta(minutes=5))
    refused = an_operation(ACTION, asked_again_at=again.at)
    part = decided(a_look(operations=(refused,)), memory(approval(), again))

    assert [case.reason for case in part.cases] == [Reason.REFUND_REFUSED]


def test_a_confirmed_refund_is_never_sent_a_second_time() -> None:
    made = replace(TASK, made_at=AGO)

    assert decided(a_look(), memory(approval(), task=made)).actions == ()


def test_a_refusal_is_kept_in_sight_while_the_marketplace_is_read_again() -> None:
    """Our own call made the snapshot old: a refusal that is not wanted for a moment would be forgotten and sent anew."""
    view = a_look(operations=(an_operation(ACTION, code="X"),), mirakl_written_at=NOW)

    assert decided(view, memory(approval())).actions == (ACTION,)
