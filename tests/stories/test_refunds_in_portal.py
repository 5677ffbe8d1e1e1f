"""Refunds that people make in the marketplace portal: compared figure by figure, followed until paid, and seen if they go wrong."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from interlock.orders.codec import decode
from interlock.orders.memory import Memory, RefundDue, RefundTask
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.refunds import following
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.mirakl.switches import SWITCHES
from interlock.simulator.switches import Switches
from tests.stories.stage import Theatre, Told, answer_case, marketplace, open_cases

QUICK = {"refund_contact_delay": 60.0, "refund_payment_delay": 120.0}
LATE = {"refund_contact_delay": 60.0, "refund_payment_delay": 6_900.0}


def tasks(stage: Stage) -> tuple[RefundTask, ...]:
    with stage.world.database.begin() as c:
        stored = c.execute(
            select(orders.c.memory).where(orders.c.mirakl_order_id == stage.order.id)
        ).scalar_one()
    return decode(Memory, stored).refund_tasks


async def one_mug_fewer(stage: Stage) -> RefundDue:
    """Staff take a mug off the paid order; the figures that the task asks a person to refund."""
    await stage.until(400)
    stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 2)
    await stage.until(700)
    assert reasons(stage) == [Reason.REFUND_TASK.value]
    ((due,),) = (task.lines for task in tasks(stage))
    assert due.shipping_amount > 0
    return due


def reasons(stage: Stage) -> list[str]:
    return [row.reason for row in open_cases(stage)]


def refund(stage: Stage, due: RefundDue, *, line: int = 0, shipping: Decimal | None = None) -> None:
    """Somebody enters the figures of the task in the portal."""
    stage.marketplace.refund_line(
        stage.order.id,
        stage.order.lines[line].id,
        quantity=due.quantity,
        amount=due.amount,
        shipping_amount=due.shipping_amount if shipping is None else shipping,
        fees={} if line else {fee.code: fee.amount for fee in due.fees},
    )


def done(stage: Stage) -> None:
    answer_case(stage, Reason.REFUND_TASK, Option.DONE_IN_PORTAL)


async def shipped(stage: Stage, until: float) -> None:
    stage.world.shopify.pick(company="UPS", number="PARCEL1")
    await stage.until(until)
    assert stage.order.state == "SHIPPED"


def test_a_refund_in_the_portal_is_pending_until_it_is_paid(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        refund(stage, await one_mug_fewer(stage))
        done(stage)
        await stage.until(760)
        (task,) = tasks(stage)
        assert task.settled_at is not None
        assert task.paid_at is None
        await shipped(stage, 1300)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1400)
    assert tasks(told.stage)[0].paid_at is not None
    assert "its payment is pending" in told.timeline
    assert "as paid back" in told.timeline
    assert told.open_reasons == []


def test_units_removed_after_somebody_said_shipped_in_the_portal_are_refunded_there(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.marketplace.portal_ship(stage.order.id)
        await stage.until(500)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 2)
        await stage.until(700)
        assert stage.order.state == "SHIPPED"
        assert Reason.REFUND_TASK.value in reasons(stage)
        done(stage)
        await stage.until(900)
        assert Reason.REFUND_TASK.value in reasons(stage)
        ((due,),) = (task.lines for task in tasks(stage))
        refund(stage, due)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1800)
    assert tasks(told.stage)[0].paid_at is not None
    assert Reason.REFUND_TASK.value not in told.open_reasons
    assert Reason.REDUCTION_NOT_ALLOWED.value not in told.open_reasons


def test_a_refund_without_its_shipping_is_a_case_until_the_rest_is_refunded(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        due = await one_mug_fewer(stage)
        refund(stage, due, shipping=Decimal(0))
        done(stage)
        await stage.until(900)
        assert reasons(stage) == [Reason.REFUND_MISMATCH.value]
        stage.marketplace.refund_line(
            stage.order.id, stage.order.lines[0].id, amount=Decimal(0), shipping_amount=due.shipping_amount
        )
        await stage.until(1100)
        assert reasons(stage) == []
        await shipped(stage, 1300)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1400)
    (case,) = told.of(Reason.REFUND_MISMATCH)
    assert "the marketplace shows" in case.sentence
    assert len(tasks(told.stage)[0].settled_by) == 2


def test_a_refund_without_its_shipping_may_be_accepted_by_a_person(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        refund(stage, await one_mug_fewer(stage), shipping=Decimal(0))
        done(stage)
        await stage.until(900)
        answer_case(stage, Reason.REFUND_MISMATCH, Option.DISMISS)
        await stage.until(960)
        await shipped(stage, 1300)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1400)
    assert told.open_reasons == []
    assert tasks(told.stage)[0].settled_at is not None


def _made_twice(told: Told) -> None:
    (double,) = told.of(Reason.REFUND_MISMATCH)
    assert double.closed_at is None
    assert "was refunded twice" in double.sentence
    assert told.marketplace_calls("OR28") == 0


def test_a_refund_made_twice_in_the_portal_is_told_before_the_parcel_leaves(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        due = await one_mug_fewer(stage)
        refund(stage, due)
        done(stage)
        await stage.until(900)
        refund(stage, due)

    _made_twice(theatre.tell(story, marketplace("all-or-nothing", **QUICK), 2200))


def test_a_refund_made_twice_in_the_portal_is_told_after_the_parcel_left_and_the_order_was_cancelled(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        due = await one_mug_fewer(stage)
        refund(stage, due)
        done(stage)
        await stage.until(900)
        await shipped(stage, 1200)
        found = stage.shopify_order()
        found.cancelled_at = stage.world.clock.now()
        refund(stage, due)

    _made_twice(theatre.tell(story, marketplace("all-or-nothing", **QUICK), 2500))


def test_a_refund_on_another_line_is_told_and_the_task_stays_open(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        due = await one_mug_fewer(stage)
        refund(stage, replace(due, quantity=0), line=1, shipping=Decimal(0))
        done(stage)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 2000)
    (wrong,) = told.of(Reason.REFUND_MISMATCH)
    assert "is asked for on MUG-BLUE" in wrong.sentence
    assert "stands on KETTLE-1L" in wrong.sentence
    assert sorted(told.open_reasons) == [Reason.REFUND_MISMATCH.value, Reason.REFUND_TASK.value]


def test_a_refund_that_is_not_paid_in_time_is_told_and_closes_when_it_is(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day lasts ten minutes here, so that ten of them can be told. That it is paid moves no date of the order."""
    monkeypatch.setattr(following, "DAY", timedelta(minutes=10))
    monkeypatch.setattr(following, "PAID_WITHIN", timedelta(minutes=100))

    silent = Switches(SWITCHES, {"refund_payment_bumps_update_date": "no"})

    async def story(stage: Stage) -> None:
        refund(stage, await one_mug_fewer(stage))
        done(stage)
        await stage.until(800)
        await shipped(stage, 1_300)
        await stage.until(700 + 5_700)
        assert reasons(stage) == []
        await stage.until(700 + 6_600)
        assert reasons(stage) == [Reason.REFUND_NOT_PAID.value]

    told = theatre.tell(story, marketplace("all-or-nothing", **LATE), 700 + 7_900, mirakl_switches=silent)
    (case,) = told.of(Reason.REFUND_NOT_PAID)
    assert "has not paid it back yet" in case.sentence
    assert dict(case.facts) == {tasks(told.stage)[0].settled_by[0]: "WAITING_REFUND_PAYMENT"}
    assert told.open_reasons == []
    assert tasks(told.stage)[0].paid_at is not None


def test_a_refund_in_shopify_that_two_of_the_portal_explain_is_asked_about(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        await shipped(stage, 700)
        for amount in ("2.00", "3.00"):
            stage.marketplace.refund_line(
                stage.order.id, stage.order.lines[0].id, amount=Decimal(amount), shipping_amount=Decimal(0)
            )
        await stage.until(1000)
        stage.world.shopify.refund(stage.shopify_order(), money="5.00")
        await stage.until(1200)
        assert reasons(stage) == [Reason.REFUND_MADE_ALREADY.value]
        answer_case(stage, Reason.REFUND_MADE_ALREADY, Option.DISMISS)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1400)
    assert told.open_reasons == []
    assert told.of(Reason.REFUND_TASK) == []
    assert "records what the marketplace gave back before" in told.timeline


def test_whether_money_is_that_of_a_removal_is_asked_until_the_removal_is_taken_back(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await one_mug_fewer(stage)
        stage.world.shopify.refund(stage.shopify_order(), money="1.00")
        await stage.until(900)
        assert sorted(reasons(stage)) == [Reason.REFUND_MADE_ALREADY.value, Reason.REFUND_TASK.value]
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 3)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1400)
    assert told.open_reasons == [Reason.REFUND_TASK.value]
    assert [task.subject.startswith("gid://") for task in tasks(told.stage) if not task.dismissed_by] == [
        True
    ]
