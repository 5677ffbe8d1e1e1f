"""What Interlock refunded is followed: shown once, on its line, with its amount, out of the parcel, and paid."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.edits import decide as edits
from interlock.orders.memory import Memory, RefundDue, RefundTask, Withdrawn
from interlock.orders.reasons import Option, Reason
from interlock.orders.snapshots import MiraklOrder, Reduction, ShopifyRefund
from interlock.orders.view import RefundMade, View
from interlock.refunds.decide import decide
from tests.build import LINES, NOW, a_decision, a_memory, a_refund, a_shopify_order, an_operation
from tests.refunds.test_sending import ACTION, AGO, TASK, a_look, approval, paid_order

MADE = RefundMade(ACTION, AGO, (("L1", "R1"),))
R1 = a_refund(1, "10.00", "R1", "2.00")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def with_refunds(*refunds: Reduction, line: int = 0) -> MiraklOrder:
    lines = [replace(one, refunds=refunds if n == line else ()) for n, one in enumerate(LINES)]
    return paid_order(lines=lines)


def look(*refunds: Reduction, **changes: Any) -> View:
    return a_look(**{"mirakl": with_refunds(*refunds), "refunds_made": (MADE,), **changes})


def memory(**changes: Any) -> Memory:
    return a_memory(**{"refund_tasks": (TASK,), "decisions": (approval(),), **changes})


def test_our_own_refund_settles_the_task_and_withdraws_its_units_by_itself() -> None:
    part = decide(look(R1), memory())

    (task,) = part.memory.refund_tasks
    assert (task.settled_by, task.settled_at, task.made_at) == (("R1",), NOW, AGO)
    assert part.memory.withdrawn == (Withdrawn("L1", 1, "R1", "OR28", NOW),)
    assert part.cases == ()
    assert part.look_at == NOW


def test_confirmed_but_not_shown_withdraws_nothing_and_asks_nobody_yet() -> None:
    """It may have landed as a request that the operator has to approve."""
    part = decide(look(), memory())

    (task,) = part.memory.refund_tasks
    assert (task.settled_at, task.made_at) == (None, AGO)
    assert (part.memory.withdrawn, part.cases) == ((), ())
    assert part.look_at == AGO + timedelta(minutes=15)


def test_not_shown_for_a_quarter_of_an_hour_is_told() -> None:
    (case,) = decide(look(now=AGO + timedelta(minutes=15)), memory()).cases

    assert case.reason is Reason.REFUND_NOT_PAID
    assert "not sent again" in case.sentence


def test_units_that_could_not_be_excluded_are_money_alone_until_somebody_says_otherwise() -> None:
    action = replace(ACTION, lines=(replace(ACTION.lines[0], excluded_from_shipment=False),))
    part = decide(look(R1, refunds_made=(replace(MADE, action=action),)), memory())

    assert part.memory.withdrawn == ()
    assert [case.reason for case in part.cases] == [Reason.CONFIRM_WITHDRAWN]


def test_a_refund_that_only_the_platform_showed_asks_a_person_about_the_units() -> None:
    """The answer to our call was lost: nobody told us that the units are out of the parcel."""
    part = decide(look(R1, refunds_made=(replace(MADE, refund_ids=()),)), memory())

    assert part.memory.refund_tasks[0].settled_by == ("R1",)
    assert [case.reason for case in part.cases] == [Reason.CONFIRM_WITHDRAWN]


@pytest.mark.parametrize(
    ("listed", "withdrawn"), [((("L1", 1), ("L2", 1)), True), ((("L1", 2), ("L2", 1)), False), ((), False)]
)
def test_items_to_ship_withdraw_units_where_they_say_exactly_that(
    listed: tuple[tuple[str, int], ...], withdrawn: bool
) -> None:
    """ST12: one mug is left to ship of two, so the refunded one stays here."""
    mirakl = replace(with_refunds(R1), to_ship=listed)
    part = decide(look(mirakl=mirakl, refunds_made=()), memory())

    assert bool(part.memory.withdrawn) is withdrawn
    if withdrawn:
        assert part.memory.withdrawn[0].confirmed_by == "ST12"


def test_paid_is_remembered() -> None:
    waiting = replace(R1, state="WAITING_REFUND")

    first = decide(look(waiting), memory())
    second = decide(look(R1), first.memory)

    assert [m.refund_tasks[0].paid_at for m in (first.memory, second.memory)] == [None, NOW]


def test_not_paid_for_ten_days_is_told_until_somebody_knows_why() -> None:
    waiting = with_refunds(replace(R1, state="WAITING_REFUND_PAYMENT"))
    later = AGO + 10 * DAY
    view = look(mirakl=replace(waiting, observed_at=later), now=later)
    known = a_decision(Reason.REFUND_NOT_PAID, "edit:1", Option.DISMISS, at=later)

    (case,) = decide(view, memory()).cases
    assert case.reason is Reason.REFUND_NOT_PAID
    assert case.facts == (("R1", "WAITING_REFUND_PAYMENT"),)
    assert decide(view, memory(decisions=(known,))).cases == ()


@pytest.mark.parametrize(
    ("mirakl", "said"),
    [
        (with_refunds(R1, a_refund(1, "10.00", "R2")), "refunded twice"),
        (with_refunds(R1, line=1), "stands on LAMP"),
        (with_refunds(replace(R1, amount=Decimal("9.99"))), "shows 11.99 EUR"),
        (with_refunds(replace(R1, shipping_amount=Decimal(0))), "shows 10.00 EUR"),
    ],
)
def test_twice_on_another_line_or_with_another_amount_is_an_incident(mirakl: MiraklOrder, said: str) -> None:
    kept = decide(look(mirakl=mirakl), memory()).memory
    again = decide(look(mirakl=mirakl), kept).memory

    (incident,) = kept.incidents
    assert incident.reason is Reason.REFUND_MISMATCH
    assert said in incident.sentence
    assert again.incidents == kept.incidents


@pytest.mark.parametrize(
    "other",
    [
        a_refund(0, "3.00", "R2"),
        replace(a_refund(1, "10.00", "R2"), created_at=AGO - timedelta(seconds=1)),
    ],
)
def test_a_refund_of_something_else_is_no_double(other: Reduction) -> None:
    assert decide(look(R1, other), memory()).memory.incidents == ()


def test_a_second_task_of_the_same_amount_is_no_double() -> None:
    due = RefundDue("L1", 1, Decimal("10.00"), Decimal("2.00"), (), (), ("R1",))
    second = RefundTask("edit:2", NOW, (due,))
    part = decide(look(R1, a_refund(1, "10.00", "R2")), memory(refund_tasks=(TASK, second)))

    assert part.memory.refund_tasks[1].settled_by == ("R2",)
    assert part.memory.incidents == ()


def test_money_moved_in_shopify_for_units_we_pay_back_already_asks_for_nothing_more() -> None:
    money = ShopifyRefund("gid://r/1", AGO, Decimal("12.00"), (("S1", 1),))
    shopify = a_look().shopify
    assert shopify is not None
    shopify = a_shopify_order(lines=shopify.lines, refunds=(money,))
    for changes in (
        {"refunds_made": (MADE,)},
        {"refunds_made": (), "operations": (an_operation(ACTION, "UNKNOWN"),)},
    ):
        part = decide(look(shopify=shopify, **changes), memory())

        ours, covered = part.memory.refund_tasks
        assert (ours.subject, ours.dismissed_by) == ("edit:1", "")
        assert covered.dismissed_by == "superseded by edit:1"
        assert part.cases == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"refunds_made": (MADE,)},
        {"refunds_made": (), "operations": (an_operation(ACTION, "UNKNOWN"),)},
    ],
    ids=["confirmed", "unclear"],
)
def test_an_edit_taken_back_after_its_refund_was_sent_still_holds_the_parcel(changes: dict[str, Any]) -> None:
    """Shopify shows everything again, but the money for one unit is on its way back to the customer."""
    view = look(**{"mugs": 2, "now": NOW, **changes})
    part = decide(view, memory())

    edited = edits.decide(view, part.memory, ())
    (task,) = edited.memory.refund_tasks
    assert task.dismissed_by == ""
    assert part.keep_held == (
        "A refund of 1 of MUG is on its way at the marketplace; the parcel waits until it is shown there.",
    )


def test_a_refund_that_the_operator_turned_down_holds_nothing() -> None:
    said = a_decision(Reason.REFUND_NOT_PAID, "edit:1", Option.TURNED_DOWN)
    part = decide(look(mugs=2), memory(decisions=(approval(), said)))

    (task,) = part.memory.refund_tasks
    assert task.dismissed_by.startswith(said.who)
    assert (part.keep_held, part.cases) == ((), ())


def test_a_closed_reminder_leaves_the_task_and_the_hold_as_they_are() -> None:
    """The operator's approval is still to come: whoever knows that ends the reminder, not the refund."""
    said = a_decision(Reason.REFUND_NOT_PAID, "edit:1", Option.DISMISS, at=AGO + 20 * MINUTE)
    view = look(mugs=2, now=AGO + HOUR)
    part = decide(view, memory(decisions=(approval(), said)))

    assert part.memory.refund_tasks[0].dismissed_by == ""
    assert part.cases == ()
    assert part.keep_held == (
        "A refund of 1 of MUG is on its way at the marketplace; the parcel waits until it is shown there.",
    )


def test_a_refund_that_is_not_shown_is_told_once_more_after_ten_days() -> None:
    said = a_decision(Reason.REFUND_NOT_PAID, "edit:1", Option.DISMISS, at=AGO + 20 * MINUTE)

    (case,) = decide(look(now=AGO + 10 * DAY), memory(decisions=(approval(), said))).cases

    assert case.options == (Option.TURNED_DOWN, Option.DISMISS)


def test_a_refund_that_is_shown_although_it_was_turned_down_counts() -> None:
    said = a_decision(Reason.REFUND_NOT_PAID, "edit:1", Option.TURNED_DOWN)
    before = decide(look(mugs=2), memory(decisions=(approval(), said))).memory

    part = decide(look(R1, mugs=2), before)

    (task,) = part.memory.refund_tasks
    assert (task.dismissed_by, task.settled_by) == ("", ("R1",))
    assert part.memory.withdrawn == (Withdrawn("L1", 1, "R1", "OR28", NOW),)
    assert part.memory.incidents == ()


def test_a_refund_that_is_shown_after_the_units_left_is_damage() -> None:
    said = a_decision(Reason.REFUND_NOT_PAID, "edit:1", Option.TURNED_DOWN)
    before = decide(look(mugs=2), memory(decisions=(approval(), said))).memory

    left = replace(with_refunds(R1), state="SHIPPED")
    part = decide(look(mirakl=left, mugs=2), before)

    (incident,) = part.memory.incidents
    assert (incident.reason, incident.subject) == (Reason.REFUND_MISMATCH, "R1:late")
    assert decide(look(mirakl=left, mugs=2), part.memory).memory.incidents == (incident,)


@pytest.mark.parametrize(
    ("said_ago", "seen_ago", "read_since", "look_in"),
    [
        (timedelta(0), MINUTE, timedelta(0), MINUTE),
        (2 * MINUTE, 3 * MINUTE, MINUTE, 3 * MINUTE),
        (2 * MINUTE, timedelta(seconds=30), None, 3 * MINUTE),
        (16 * MINUTE, 5 * MINUTE, MINUTE, 44 * MINUTE),
        (3 * DAY + HOUR, 2 * HOUR, HOUR, DAY - HOUR),
        (11 * DAY, DAY / 2, None, None),
    ],
)
def test_after_the_word_of_a_person_the_order_is_read_at_growing_distances(
    said_ago: timedelta, seen_ago: timedelta, read_since: timedelta | None, look_in: timedelta | None
) -> None:
    """How long ago it was said and the order was seen; how young a read has to be, and when to look again."""
    word = a_decision(Reason.REFUND_TASK, TASK.subject, Option.DONE_IN_PORTAL, at=NOW - said_ago)
    view = look(mirakl=replace(with_refunds(), observed_at=NOW - seen_ago), refunds_made=())

    part = decide(view, memory(decisions=(word,)))

    assert part.mirakl_since == (None if read_since is None else NOW - read_since)
    assert part.look_at == (None if look_in is None else NOW + look_in)


@pytest.mark.parametrize("option", [Option.DISMISS, None])
def test_without_a_word_that_it_was_done_nothing_is_read_for_it(option: Option | None) -> None:
    words = () if option is None else (a_decision(Reason.REFUND_TASK, TASK.subject, option),)

    part = decide(look(refunds_made=()), memory(decisions=words))

    assert (part.mirakl_since, part.look_at) == (None, None)


# -- refunds that people made in the portal ------------------------------------------------------------------

SETTLED = replace(TASK, settled_by=("R1",), settled_at=AGO)
WAITING = replace(R1, state="WAITING_REFUND")


def in_portal(now_after: timedelta, seen_after: timedelta, refund: Reduction = WAITING) -> View:
    """The task was settled by a refund in the portal; how long after that it is now, and the order was read."""
    mirakl = replace(with_refunds(refund), state="SHIPPED", observed_at=AGO + seen_after)
    return look(mirakl=mirakl, now=AGO + now_after, refunds_made=())


def test_a_task_settled_in_the_portal_says_that_its_payment_is_pending_and_remembers_when_it_was_paid() -> (
    None
):
    pending = decide(in_portal(HOUR, HOUR), memory(refund_tasks=(SETTLED,)))
    paid = decide(in_portal(DAY, DAY, R1), pending.memory)

    assert pending.because == ("Refund R1 is made at the marketplace; its payment is pending.",)
    assert pending.memory.refund_tasks[0].paid_at is None
    assert paid.because == ("The marketplace shows refund R1 as paid back.",)
    assert paid.memory.refund_tasks[0].paid_at == AGO + DAY
    assert (paid.look_at, paid.mirakl_since) == (None, None)


@pytest.mark.parametrize(
    ("now_after", "seen_after", "asked", "read_since", "look_in"),
    [
        (HOUR, HOUR, False, None, DAY),
        (DAY + HOUR, HOUR, False, DAY, 2 * DAY),
        (DAY + HOUR, DAY + MINUTE, False, None, 2 * DAY),
        (10 * DAY + HOUR, 9 * DAY, False, 10 * DAY, 11 * DAY),
        (10 * DAY + HOUR, 10 * DAY + MINUTE, True, None, 11 * DAY),
        (70 * DAY, 69 * DAY, True, None, None),
    ],
)
def test_a_refund_in_the_portal_is_read_once_a_day_and_told_when_it_is_not_paid_in_ten(
    now_after: timedelta,
    seen_after: timedelta,
    asked: bool,
    read_since: timedelta | None,
    look_in: timedelta | None,
) -> None:
    """Paying back moves no update date, so nothing is told on an old read."""
    part = decide(in_portal(now_after, seen_after), memory(refund_tasks=(SETTLED,)))

    assert [case.reason for case in part.cases] == ([Reason.REFUND_NOT_PAID] if asked else [])
    assert part.mirakl_since == (None if read_since is None else AGO + read_since)
    assert part.look_at == (None if look_in is None else AGO + look_in)


def test_whoever_knows_why_it_takes_longer_closes_it_and_the_task_stays_settled() -> None:
    known = a_decision(Reason.REFUND_NOT_PAID, "edit:1", Option.DISMISS, at=AGO + 11 * DAY)
    part = decide(in_portal(11 * DAY, 11 * DAY), memory(refund_tasks=(SETTLED,), decisions=(known,)))

    assert part.cases == ()
    assert part.memory.refund_tasks[0] == SETTLED


def test_units_that_were_cancelled_instead_are_never_waited_for() -> None:
    cancelled = replace(
        SETTLED, settled_by=("C1",), dismissed_by="the marketplace cancelled the units instead"
    )
    part = decide(in_portal(11 * DAY, 11 * DAY), memory(refund_tasks=(cancelled,)))

    assert (part.cases, part.look_at, part.because) == ((), None, ())
