"""When the whole order ends on one side, the other follows or a person decides."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from interlock.cancellations.decide import decide, has_ended
from interlock.orders.actions import Action, CancelMiraklOrder, CancelShopifyOrder, DeleteDraft
from interlock.orders.memory import DeskEdit, Kin, Memory, RefundDue, RefundTask, Withdrawn
from interlock.orders.plan import Part
from interlock.orders.reasons import Option, Reason
from interlock.orders.refund_tasks import is_open
from interlock.orders.snapshots import Fulfillment, MiraklLine, ShopifyRefund
from tests.build import (
    NOW,
    a_cancelation,
    a_decision,
    a_draft,
    a_fulfillment,
    a_fulfillment_order,
    a_line,
    a_memory,
    a_refund,
    a_shopify_line,
    a_shopify_order,
    a_view,
    an_operation,
    an_order,
    not_imported,
)

GONE = a_shopify_order(cancelled_at=NOW - timedelta(hours=1))
WAITED = NOW - timedelta(minutes=10)


def ended(memory: Memory | None = None, **changes: Any) -> Part:
    memory = memory if memory is not None else a_memory()
    return decide(a_view(**{"memory": memory, **changes}), memory)


def gone(memory: Memory | None = None, **changes: Any) -> Part:
    """The part for an order that somebody cancelled in Shopify long enough ago."""
    return ended(memory or a_memory(shopify_cancelled_seen_at=WAITED), **{"shopify": GONE, **changes})


# -- the marketplace ends it -------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["REFUSED", "CANCELED"])
def test_a_dead_order_is_held_and_cancelled_in_shopify(state: str) -> None:
    part = ended(mirakl=an_order(state))
    assert [type(action) for action in part.actions] == [CancelShopifyOrder]
    assert part.keep_held


def test_a_dead_order_gives_its_open_draft_back() -> None:
    part = ended(
        not_imported(draft_id="D1"),
        mirakl=an_order("REFUSED"),
        shopify=None,
        drafts=(a_draft(), a_draft("D2")),
    )
    assert part.actions == (DeleteDraft("D1"), DeleteDraft("D2"))


def test_a_dead_order_whose_parcel_left_is_an_incident_and_stays_held() -> None:
    part = ended(mirakl=an_order("CANCELED"), shopify=a_shopify_order(fulfillments=(a_fulfillment(),)))
    assert part.actions == ()
    assert part.keep_held
    assert [i.reason for i in part.memory.incidents] == [Reason.ENDED_AFTER_PICKING]


def test_every_parcel_of_an_ended_order_is_an_incident_of_its_own() -> None:
    first, second = a_fulfillment(lines=(("S1", 2),)), a_fulfillment("F2", lines=(("S2", 1),))
    voided = a_fulfillment("F3", live=False)
    dead = an_order("CANCELED")
    one = ended(mirakl=dead, shopify=a_shopify_order(fulfillments=(first,)))
    assert [(i.reason, i.subject) for i in one.memory.incidents] == [(Reason.ENDED_AFTER_PICKING, "F1")]
    looked_at = replace(
        one.memory,
        incidents=tuple(
            replace(i, closed_at=NOW, closed_because="Ada: stopped") for i in one.memory.incidents
        ),
    )
    both = ended(looked_at, mirakl=dead, shopify=a_shopify_order(fulfillments=(first, second, voided)))
    assert [(i.subject, i.closed_at is None) for i in both.memory.incidents] == [("F1", False), ("F2", True)]
    assert "1 of its units" in both.memory.incidents[1].sentence
    again = ended(both.memory, mirakl=dead, shopify=a_shopify_order(fulfillments=(first, second)))
    assert again.memory.incidents == both.memory.incidents


ONE_LEFT = a_fulfillment(lines=(("S1", 2),))


@pytest.mark.parametrize(
    ("lamp", "remaining", "parcel", "asked"),
    [
        pytest.param({}, (("S2", 1),), ONE_LEFT, "1 of LAMP", id="from the start"),
        pytest.param(
            {"quantity": 3, "current_quantity": 3, "fulfilled_quantity": 1},
            (("S2", 2),),
            a_fulfillment(),
            "2 of LAMP",
            id="added after all had left",
        ),
        pytest.param(
            {"quantity": 2, "current_quantity": 1, "fulfilled_quantity": 1},
            (("S2", 1),),
            a_fulfillment(),
            "1 of LAMP",
            id="beside a unit that left and was refunded",
        ),
        pytest.param({"fulfilled_quantity": 1}, (), a_fulfillment(), "", id="everything left"),
        pytest.param({"current_quantity": 0}, (), ONE_LEFT, "", id="the rest was taken out"),
        pytest.param({"requires_shipping": False}, (), ONE_LEFT, "", id="nothing that ships"),
        pytest.param({}, (("S2", 1),), replace(ONE_LEFT, live=False), "", id="the parcel came back"),
        pytest.param(
            {},
            (("S2", 1),),
            replace(ONE_LEFT, display_status="LABEL_VOIDED"),
            "",
            id="its label was given back, so that the order can go as a whole",
        ),
    ],
)
def test_what_is_still_here_of_a_dead_order_that_left_is_to_be_taken_out(
    lamp: dict[str, Any], remaining: tuple[tuple[str, int], ...], parcel: Fulfillment, asked: str
) -> None:
    mug = a_shopify_line(fulfilled_quantity=2 if parcel.live else 0)
    shopify = a_shopify_order(
        lines=(
            mug,
            a_shopify_line("S2", "LAMP", **{"quantity": 1, "price": "30.00", "line_id": "L2", **lamp}),
        ),
        fulfillments=(parcel,),
        fulfillment_orders=(a_fulfillment_order(remaining=remaining),),
    )
    part = ended(mirakl=an_order("CANCELED"), shopify=shopify)
    cases = [case for case in part.cases if case is not None]
    assert [case.reason for case in cases] == ([Reason.ENDED_WITH_REST] if asked else [])
    assert all(asked in case.sentence for case in cases)


def test_a_voided_label_does_not_count_as_left() -> None:
    shopify = a_shopify_order(fulfillments=(a_fulfillment(live=False),))
    assert [type(action) for action in ended(mirakl=an_order("CANCELED"), shopify=shopify).actions] == [
        CancelShopifyOrder
    ]


def test_a_fulfillment_whose_label_was_given_back_is_to_be_cancelled_before_its_order_can_be() -> None:
    voided = a_fulfillment(display_status="LABEL_VOIDED")
    part = ended(mirakl=an_order("CANCELED"), shopify=a_shopify_order(fulfillments=(voided,)))
    assert part.actions == ()
    (incident,) = part.memory.incidents
    assert "Cancel that fulfillment in Shopify" in incident.sentence


def test_an_order_of_which_every_unit_is_cancelled_has_ended() -> None:
    lines = (
        a_line("L1", cancelations=(a_cancelation(2, "20.00"),)),
        a_line("L2", "LAMP", 1, "30.00", "0", state="REFUSED"),
    )
    assert has_ended(an_order(lines=lines), a_memory())
    assert not has_ended(an_order(lines=(*lines[:1], a_line("L2", "LAMP", 1, "30.00"))), a_memory())


def test_two_ended_sides_need_nothing() -> None:
    assert ended(mirakl=an_order("CANCELED"), shopify=GONE).actions == ()


def test_a_missing_marketplace_order_ends_nothing() -> None:
    assert gone(mirakl=None) == Part(a_memory(shopify_cancelled_seen_at=WAITED))


def test_a_missing_shopify_order_ends_nothing() -> None:
    assert ended(shopify=None) == Part(a_memory())


@pytest.mark.parametrize(
    ("state", "can_cancel", "actions", "cases"),
    [
        pytest.param("SHIPPING", True, (CancelMiraklOrder(),), [], id="cancelled"),
        pytest.param("WAITING_ACCEPTANCE", True, (), [("order", "urgent")], id="refused by a person"),
        pytest.param("WAITING_DEBIT_PAYMENT", False, (), [("order", "note")], id="while it is being paid"),
        pytest.param("SHIPPING", False, (), [("charged", "urgent")], id="paid back in the portal"),
        pytest.param("SHIPPED", False, (), [], id="it has left"),
    ],
)
def test_by_a_persons_word_an_order_of_which_nothing_is_kept_ends_at_the_marketplace(
    state: str, can_cancel: bool, actions: tuple[Action, ...], cases: list[tuple[str, str]]
) -> None:
    said = a_decision(Reason.SHOPIFY_ORDER_MISSING, "SO1", Option.CANCEL_AT_MARKETPLACE)
    memory = a_memory(shopify_cancelled_seen_at=NOW, missing_since=WAITED, decisions=(said,))
    part = gone(memory, shopify=None, mirakl=an_order(state, can_cancel=can_cancel))
    assert part.actions == actions
    assert [(case.subject, case.how_severe) for case in part.cases] == cases
    assert all(case.reason is Reason.CANCELLED_IN_SHOPIFY for case in part.cases)


def test_what_a_gone_order_showed_last_is_looked_for_before_anything_is_cancelled() -> None:
    said = a_decision(Reason.SHOPIFY_ORDER_MISSING, "SO1", Option.CANCEL_AT_MARKETPLACE)
    asked = a_memory(missing_since=WAITED)
    memory = replace(asked, shopify_cancelled_seen_at=NOW, decisions=(said,))
    assert decide(a_view(memory=asked, shopify=None), memory) == Part(memory)
    assert gone(memory, shopify=None, shopify_unreadable=True) == Part(memory)


# -- somebody cancels it in Shopify ------------------------------------------------------------------------


def test_a_shopify_cancel_waits_for_a_successor_first() -> None:
    memory = a_memory(shopify_cancelled_seen_at=NOW)
    part = gone(memory)
    assert (part.actions, part.cases) == ((), ())
    assert part.look_at == NOW + timedelta(minutes=10)


def test_after_the_wait_the_marketplace_order_is_cancelled_where_it_may_be() -> None:
    assert gone().actions == (CancelMiraklOrder(),)


def test_a_candidate_of_the_lineage_keeps_the_marketplace_order_alone() -> None:
    candidate = Kin("SO2", "#1001A", "candidate", WAITED, "Interlock", "its name")
    part = gone(a_memory(shopify_cancelled_seen_at=WAITED, lineage=(candidate,)))
    assert (part.actions, part.cases) == ((), ())
    assert "#1001A may replace it" in part.because[0]


def test_a_person_who_rules_the_successor_out_ends_the_wait() -> None:
    said = a_decision(Reason.POSSIBLE_SUCCESSOR, "SO2", Option.NO_SUCCESSOR)
    memory = a_memory(shopify_cancelled_seen_at=NOW - timedelta(minutes=1), decisions=(said,))
    assert gone(memory).actions == (CancelMiraklOrder(),)


def test_a_word_from_before_the_cancelation_does_not_end_the_wait() -> None:
    said = a_decision(Reason.POSSIBLE_SUCCESSOR, "SO2", Option.NO_SUCCESSOR, NOW - timedelta(hours=1))
    assert gone(a_memory(shopify_cancelled_seen_at=NOW, decisions=(said,))).actions == ()


def test_a_waiting_order_is_refused_by_a_person_only() -> None:
    part = gone(mirakl=an_order("WAITING_ACCEPTANCE", can_cancel=True))
    assert part.actions == ()
    [case] = part.cases
    assert (case.reason, case.options) == (Reason.CANCELLED_IN_SHOPIFY, (Option.REFUSE_ORDER,))
    assert case.due_at is not None
    assert "link the Shopify order that is to be delivered" in case.sentence


def test_a_cancel_during_payment_waits_with_a_note() -> None:
    part = gone(mirakl=an_order("WAITING_DEBIT_PAYMENT", can_cancel=False))
    assert part.actions == ()
    assert [case.how_severe for case in part.cases] == ["note"]


PAID = an_order(can_cancel=False, debited_at=NOW)


def figures(memory: Memory) -> list[tuple[str, int, str, str]]:
    """What the open tasks ask for."""
    return [
        (due.line_id, due.quantity, str(due.amount), str(due.shipping_amount))
        for task in memory.refund_tasks
        if is_open(task)
        for due in task.lines
    ]


def test_a_cancel_after_payment_is_one_refund_of_everything_that_is_left() -> None:
    part = gone(mirakl=PAID)
    assert (part.actions, part.cases) == ((), ())
    [task] = part.memory.refund_tasks
    assert (task.subject, task.ending) == ("edit:1", True)
    assert figures(part.memory) == [("L1", 2, "20.00", "4.00"), ("L2", 1, "30.00", "0")]
    again = gone(part.memory, mirakl=PAID)
    assert (again.memory, again.cases) == (part.memory, ())


def test_it_is_asked_for_on_a_look_at_the_marketplace_after_the_cancel() -> None:
    cancelled_at = NOW - timedelta(hours=1)
    part = gone(mirakl=replace(PAID, observed_at=cancelled_at - timedelta(seconds=1)))
    assert part.memory.refund_tasks == ()
    assert part.mirakl_since == cancelled_at


def test_while_a_successor_may_come_no_refund_is_asked_for() -> None:
    memory = a_memory(shopify_cancelled_seen_at=NOW - timedelta(minutes=9))
    assert gone(memory, mirakl=PAID).memory.refund_tasks == ()
    candidate = Kin("S-2", "#1002", "candidate", NOW, "Interlock", "the same lines")
    memory = a_memory(shopify_cancelled_seen_at=WAITED, lineage=(candidate,))
    assert gone(memory, mirakl=PAID).memory.refund_tasks == ()


def a_task(subject: str, *lines: RefundDue, **changes: Any) -> RefundTask:
    return replace(RefundTask(subject, WAITED, lines), **changes)


ONE_MUG = RefundDue("L1", 1, Decimal("10.00"), Decimal("2.00"), (), (), ())


def refunded_here(money: str, minutes: int, *lines: tuple[str, int]) -> ShopifyRefund:
    """A refund made in Shopify so many minutes before the order was cancelled."""
    at = NOW - timedelta(hours=1, minutes=minutes)
    return ShopifyRefund(f"R-{minutes}", at, Decimal(money), lines)


def asked_with(*refunds: ShopifyRefund) -> Memory:
    dues = tuple(RefundDue("", 0, refund.money, Decimal(0), (), (), ()) for refund in refunds)
    tasks = tuple(a_task(refund.id, due) for refund, due in zip(refunds, dues, strict=True))
    memory = a_memory(shopify_cancelled_seen_at=WAITED, refund_tasks=tasks)
    return gone(memory, mirakl=PAID, shopify=replace(GONE, refunds=refunds)).memory


WHOLE = [("L1", 2, "20.00", "4.00"), ("L2", 1, "30.00", "0")]


@pytest.mark.parametrize(
    "refunds",
    [
        (refunded_here("54.00", 0, ("S1", 2), ("S2", 1)),),
        (refunded_here("50.00", 1),),
        (refunded_here("3.00", 30), refunded_here("51.00", 0)),
        (refunded_here("3.00", 30),),
    ],
    ids=["with its lines", "without the shipping", "in two refunds", "a goodwill before"],
)
def test_what_was_refunded_in_shopify_is_part_of_the_one_task(refunds: tuple[ShopifyRefund, ...]) -> None:
    memory = asked_with(*refunds)
    assert figures(memory) == WHOLE
    assert [t.dismissed_by for t in memory.refund_tasks if t.subject != "edit:1"] == [
        "superseded by edit:1" for _ in refunds
    ]


def test_another_amount_refunded_with_the_cancelation_is_one_task_with_both_figures() -> None:
    memory = asked_with(refunded_here("3.00", 30), refunded_here("40.00", 0))
    assert figures(memory) == WHOLE
    [task] = [task for task in memory.refund_tasks if is_open(task)]
    assert (task.subject, task.money, task.ending) == ("R-0", Decimal("43.00"), True)


def test_a_refund_in_shopify_that_was_not_looked_at_yet_is_looked_at_first() -> None:
    part = gone(mirakl=PAID, shopify=replace(GONE, refunds=(refunded_here("54.00", 0),)))
    assert (part.memory.refund_tasks, part.cases, part.look_at) == ((), (), NOW)


def test_a_removal_that_nobody_began_to_refund_becomes_part_of_it_and_one_that_is_begun_stays() -> None:
    open_one = a_memory(shopify_cancelled_seen_at=WAITED, refund_tasks=(a_task("edit:1", ONE_MUG),))
    assert figures(gone(open_one, mirakl=PAID).memory) == [
        ("L1", 2, "20.00", "4.00"),
        ("L2", 1, "30.00", "0"),
    ]
    begun = a_memory(shopify_cancelled_seen_at=WAITED, refund_tasks=(a_task("edit:1", ONE_MUG, made_at=NOW),))
    assert figures(gone(begun, mirakl=PAID).memory) == [
        ("L1", 1, "10.00", "2.00"),
        ("L1", 1, "10.00", "2.00"),
        ("L2", 1, "30.00", "0"),
    ]


def test_what_was_given_back_before_the_cancel_is_not_asked_for_again() -> None:
    before = replace(a_refund(0, "5.00"), created_at=NOW - timedelta(hours=2))
    lines = (a_line("L1", refunds=(before,)), a_line("L2", "LAMP", 1, "30.00", "0"))
    assert figures(gone(mirakl=replace(PAID, lines=lines)).memory) == [
        ("L1", 2, "15.00", "4.00"),
        ("L2", 1, "30.00", "0"),
    ]


@pytest.mark.parametrize(
    "changes",
    [{"settled_at": NOW}, {"dismissed_by": "Ada: paid back by bank transfer"}],
    ids=["paid", "not due"],
)
@pytest.mark.parametrize("state", ["SHIPPING", "SHIPPED"])
def test_once_it_is_refunded_or_a_person_says_that_none_is_due_nothing_more_is_asked(
    state: str, changes: dict[str, Any]
) -> None:
    task = a_task("edit:1", ONE_MUG, ending=True, **changes)
    memory = a_memory(shopify_cancelled_seen_at=WAITED, refund_tasks=(task,))
    part = gone(memory, mirakl=replace(PAID, state=state))
    assert (part.memory.refund_tasks, part.cases, part.actions) == ((task,), (), ())


CHARGED = an_order("SHIPPED", can_cancel=False, debited_at=NOW - timedelta(hours=2), observed_at=NOW)
REFUNDED = (
    a_line("L1", refunds=(a_refund(2, "20.00", shipping="4.00"),)),
    a_line("L2", "LAMP", 1, "30.00", "0", refunds=(a_refund(1, "30.00", "R2"),)),
)


@pytest.mark.parametrize(
    ("option", "subject", "said_ago", "lines", "asked", "read_again"),
    [
        pytest.param(
            Option.DONE_IN_PORTAL, "dispatched", -1, None, "refund every line", True, id="not read since"
        ),
        pytest.param(
            Option.DONE_IN_PORTAL, "dispatched", 5, None, "still shows", False, id="read, and not shown"
        ),
        pytest.param(Option.DONE_IN_PORTAL, "dispatched", 5, REFUNDED, "", False, id="read, and shown"),
        pytest.param(Option.DISMISS, "dispatched", 5, None, "", False, id="nothing will ever show it"),
        pytest.param(
            Option.DISMISS, "left", 5, None, "refund every line", False, id="said of another situation"
        ),
    ],
)
def test_done_in_the_portal_is_read_back_and_closes_nothing_by_itself(
    option: Option,
    subject: str,
    said_ago: int,
    lines: tuple[MiraklLine, ...] | None,
    asked: str,
    read_again: bool,
) -> None:
    at = NOW - timedelta(minutes=said_ago)
    said = a_decision(Reason.CANCELLED_IN_SHOPIFY, subject, option, at)
    order = CHARGED if lines is None else replace(CHARGED, lines=lines)
    part = gone(a_memory(shopify_cancelled_seen_at=WAITED, decisions=(said,)), mirakl=order)
    assert part.actions == ()
    assert part.mirakl_since == (at if read_again else None)
    assert [asked in case.sentence for case in part.cases] == ([True] if asked else [])
    assert ("still shows" in "".join(case.sentence for case in part.cases)) == (asked == "still shows")


def test_the_case_closes_when_every_line_is_refunded() -> None:
    lines = (
        a_line("L1", refunds=(a_refund(2, "20.00", shipping="4.00"),)),
        a_line("L2", "LAMP", 1, "30.00", "0", refunds=(a_refund(1, "30.00", "R2"),)),
    )
    assert gone(mirakl=an_order(lines=lines, can_cancel=False, debited_at=NOW)).cases == ()
    half = an_order(lines=(lines[0], a_line("L2", "LAMP", 1, "30.00")), can_cancel=False, debited_at=NOW)
    assert figures(gone(mirakl=half).memory)


def test_where_no_unit_is_left_and_the_shipping_was_forgotten_a_case_says_what_is_missing() -> None:
    lines = (
        a_line("L1", refunds=(a_refund(2, "20.00"),)),
        a_line("L2", "LAMP", 1, "30.00", "0", refunds=(a_refund(1, "30.00", "R2"),)),
    )
    order = an_order(lines=lines, can_cancel=False, debited_at=NOW)
    stay_here = (Withdrawn("L1", 2, "R1", "Ada", NOW), Withdrawn("L2", 1, "R2", "Ada", NOW))
    memory = a_memory(shopify_cancelled_seen_at=WAITED, withdrawn=stay_here)
    (case,) = gone(memory, mirakl=order).cases
    assert "4.00 EUR of what the customer paid" in case.sentence
    assert Option.DISMISS in case.options
    on_purpose = a_decision(Reason.CANCELLED_IN_SHOPIFY, "charged", Option.DISMISS, NOW)
    decided = replace(memory, decisions=(on_purpose,))
    assert gone(decided, mirakl=order).cases == ()


def test_a_refused_cancelation_is_a_case_with_the_marketplaces_words() -> None:
    part = gone(operations=(an_operation(CancelMiraklOrder(), words="debit has begun"),))
    [case] = part.cases
    assert "debit has begun" in case.sentence
    assert part.actions == (CancelMiraklOrder(),)


def test_a_cancelled_order_whose_parcel_left_is_not_cancelled_at_the_marketplace() -> None:
    left = a_shopify_order(cancelled_at=NOW, fulfillments=(a_fulfillment(),))
    part = gone(shopify=left)
    assert part.actions == ()
    assert len(part.cases) == 1


@pytest.mark.parametrize("state", ["SHIPPED", "RECEIVED", "CLOSED"])
@pytest.mark.parametrize(
    ("parcels", "refunded", "said", "asked"),
    [
        pytest.param((), False, False, True, id="no parcel any more"),
        pytest.param((a_fulfillment(live=False),), False, False, True, id="its label was voided"),
        pytest.param(
            (a_fulfillment(display_status="LABEL_VOIDED"),), False, False, True, id="its label was given back"
        ),
        pytest.param((a_fulfillment(),), False, False, True, id="the parcel is on its way"),
        pytest.param(
            (a_fulfillment(live=False), a_fulfillment("F2")),
            False,
            False,
            True,
            id="another parcel is on its way",
        ),
        pytest.param((a_fulfillment(),), True, False, False, id="on its way, and refunded"),
        pytest.param((), True, False, False, id="every line was refunded"),
        pytest.param((), False, True, False, id="a person says that nothing is to be done"),
    ],
)
def test_a_dispatched_order_cancelled_in_shopify_is_asked_about(
    state: str, parcels: tuple[Fulfillment, ...], refunded: bool, said: bool, asked: bool
) -> None:
    lines = (a_line(), a_line("L2", "LAMP", 1, "30.00", "0"))
    if refunded:
        lines = (
            a_line("L1", refunds=(a_refund(2, "20.00", shipping="4.00"),)),
            a_line("L2", "LAMP", 1, "30.00", "0", refunds=(a_refund(1, "30.00", "R2"),)),
        )
    decisions = (a_decision(Reason.CANCELLED_IN_SHOPIFY, "dispatched", Option.DISMISS),) if said else ()
    part = gone(
        a_memory(shopify_cancelled_seen_at=WAITED, decisions=decisions),
        mirakl=an_order(state, lines=lines, can_cancel=False),
        shopify=a_shopify_order(cancelled_at=NOW, fulfillments=parcels),
    )
    assert part.actions == ()
    assert [(case.reason, case.options) for case in part.cases] == (
        [(Reason.CANCELLED_IN_SHOPIFY, (Option.DONE_IN_PORTAL, Option.DISMISS))] if asked else []
    )


@pytest.mark.parametrize("answered", [True, False])
def test_units_that_left_a_cancelled_order_stay_a_question_once_it_counts_as_sent(answered: bool) -> None:
    """That the marketplace was told of the parcel answers nothing: the same case stays, and so does its answer."""
    left = a_shopify_order(cancelled_at=NOW, fulfillments=(a_fulfillment(),))
    said = (a_decision(Reason.CANCELLED_IN_SHOPIFY, "left", Option.DISMISS),) if answered else ()
    memory = a_memory(shopify_cancelled_seen_at=WAITED, decisions=said)

    subjects = [
        [case.subject for case in gone(memory, mirakl=an_order(state, can_cancel=False), shopify=left).cases]
        for state in ("SHIPPING", "SHIPPED", "CLOSED")
    ]

    assert subjects == [[] if answered else ["left"]] * 3


def test_units_that_left_a_cancelled_order_are_no_question_while_their_refund_is_asked_for() -> None:
    left = a_shopify_order(cancelled_at=NOW, fulfillments=(a_fulfillment(),))
    memory = a_memory(shopify_cancelled_seen_at=WAITED, refund_tasks=(a_task("R-1", ONE_MUG),))
    assert gone(memory, mirakl=an_order("SHIPPED", can_cancel=False), shopify=left).cases == ()


@pytest.mark.parametrize(("made_in", "waits"), [("SO1", False), ("SO0", True)])
def test_an_order_cancelled_at_our_own_desk_waits_for_no_successor_and_one_that_replaced_it_does(
    made_in: str, waits: bool
) -> None:
    edit = DeskEdit(
        "e1", "cancel", "Ada", "asked by phone", NOW, "v1", shopify_order_id=made_in, shown_at=NOW
    )
    view = a_view(
        shopify=a_shopify_order(cancelled_at=NOW),
        memory=a_memory(shopify_cancelled_seen_at=NOW, desk_edits=(edit,)),
    )

    assert decide(view, view.memory).actions == (() if waits else (CancelMiraklOrder(),))
