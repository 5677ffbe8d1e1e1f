"""Reductions after the customer has paid, refunded at the marketplace by Interlock: approved by people, or by itself."""

from dataclasses import asdict, replace
from decimal import Decimal

import pytest

from interlock.cases.store import CannotAnswer, answer
from interlock.engine.hints import hint
from interlock.marketplaces.store import observations_of
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.faults import Fault
from tests.stories.stage import RULES, Broken, Theatre, Told, answer_case, marketplace, open_cases

NEW_REASON = {"type": "CANCELATION", "code": "90", "label": "Another one", "is_shop_right": True}
QUICK = {"refund_contact_delay": 60.0, "refund_payment_delay": 120.0}


def approve(stage: Stage, who: str) -> None:
    """One person approves the refund that waits. Raises CannotAnswer."""
    case = next(row for row in open_cases(stage) if row.reason == Reason.REFUND_APPROVAL.value)
    now = stage.world.service_clock.now()
    with stage.world.database.begin() as c:
        number = answer(c, case.id, Option.APPROVE_REFUND.value, who, "Figures compared.", now)
        hint(c, stage.world.wakeups, number, "edits", now)


async def _two_mugs_fewer(stage: Stage) -> None:
    await stage.until(400)
    assert stage.order.debited is not None
    stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)


async def _picked_when_allowed(stage: Stage, first: float, last: float) -> None:
    second = first
    while second < last:
        await stage.until(second)
        stage.world.shopify.pick(company="UPS", number="PARCEL1")
        second += 30


def _refunded_once_and_shipped(told: Told) -> None:
    mugs = told.stage.order.lines[0]
    (refund,) = mugs.refunds
    assert (refund.quantity, refund.excluded_from_shipment, refund.by) == (2, True, "api:shop")
    assert refund.state == "REFUNDED"
    assert mugs.live_quantity == 1
    assert told.marketplace_calls("OR28") == 1
    assert told.stage.order.state == "SHIPPED"
    (label,) = told.shopify_effects("fulfillment_created")
    assert max(told.marketplace_effects("refund")[:1]) < label
    assert [line.fulfilled for line in told.live_orders[0].lines] == [1, 1]
    assert told.open_reasons == []
    assert "took 2 refunded units of MUG-BLUE out of what is to ship" in told.timeline


def test_a_reduction_after_payment_is_refunded_once_two_different_people_have_approved_it(
    theatre: Theatre,
) -> None:
    rules = replace(RULES, reduction_after_debit="approve", refund_limit=Decimal("5.00"))

    async def story(stage: Stage) -> None:
        await _two_mugs_fewer(stage)
        await stage.until(600)
        assert [row.reason for row in open_cases(stage)] == [Reason.REFUND_APPROVAL.value]
        approve(stage, "Ada Agent")
        await stage.until(630)
        with pytest.raises(CannotAnswer, match="a second, different person"):
            approve(stage, "ada agent")
        await stage.until(700)
        assert stage.order.lines[0].refunds == []
        approve(stage, "Ben Finance")
        await _picked_when_allowed(stage, 720, 1300)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1800, rules=rules)
    _refunded_once_and_shipped(told)
    assert "a second, different person has to approve it too" in told.of(Reason.REFUND_APPROVAL)[0].sentence


def test_a_reduction_after_payment_is_refunded_by_itself_up_to_the_cap(theatre: Theatre) -> None:
    rules = replace(RULES, reduction_after_debit="automatic", refund_cap=Decimal("500.00"))

    async def story(stage: Stage) -> None:
        await _two_mugs_fewer(stage)
        await _picked_when_allowed(stage, 420, 1300)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1800, rules=rules)
    _refunded_once_and_shipped(told)
    assert told.cases == []
    (connection_id,) = told.stage.world.connection_ids.values()
    with told.stage.world.database.begin() as c:
        seen = {name: one.allowed for name, (one, _) in observations_of(c, connection_id).items()}
    assert seen == {"refunds": True}


def test_a_refund_whose_answer_was_lost_is_read_back_and_never_made_twice(theatre: Theatre) -> None:
    rules = replace(RULES, reduction_after_debit="automatic", refund_cap=Decimal("500.00"))
    lost = Broken(Fault("reply_lost"), "OR28", times=1)
    lost.active = True

    async def story(stage: Stage) -> None:
        await _two_mugs_fewer(stage)
        await stage.until(1000)
        answer_case(stage, Reason.CONFIRM_WITHDRAWN, Option.CONFIRM_WITHDRAWN)
        await _picked_when_allowed(stage, 1020, 1400)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1800, rules=rules, mirakl_faults=lost)
    assert told.marketplace_calls("OR28") == 1
    assert len(told.stage.order.lines[0].refunds) == 1
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []


def test_a_refund_the_balance_does_not_allow_waits_for_a_person_and_goes_when_it_does(
    theatre: Theatre,
) -> None:
    rules = replace(RULES, reduction_after_debit="automatic", refund_cap=Decimal("500.00"))

    async def story(stage: Stage) -> None:
        await stage.until(390)
        stage.marketplace.change_profile({"pending_adjustment": -100_000})
        await _two_mugs_fewer(stage)
        await stage.until(700)
        (case,) = open_cases(stage)
        assert case.reason == Reason.REFUND_REFUSED.value
        assert "balance at the marketplace is too low" in case.sentence
        stage.marketplace.change_profile({"pending_adjustment": 0})
        answer_case(stage, Reason.REFUND_REFUSED, Option.SEND_AGAIN)
        await _picked_when_allowed(stage, 720, 1300)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1800, rules=rules)
    assert told.marketplace_calls("OR28") == 2
    assert len(told.stage.order.lines[0].refunds) == 1
    assert told.stage.order.state == "SHIPPED"


def test_the_same_edit_undone_before_approval_refunds_nothing(theatre: Theatre) -> None:
    rules = replace(RULES, reduction_after_debit="approve")

    async def story(stage: Stage) -> None:
        await _two_mugs_fewer(stage)
        await stage.until(600)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 3)
        await _picked_when_allowed(stage, 620, 1000)

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 1400, rules=rules)
    assert told.marketplace_calls("OR28") == 0
    assert told.stage.order.state == "SHIPPED"
    assert [line.live_quantity for line in told.stage.order.lines] == [3, 1]
    assert told.open_reasons == []


def test_a_reason_code_that_the_marketplace_takes_away_is_a_case_and_the_edit_goes_on_when_it_is_back(
    theatre: Theatre,
) -> None:
    """RE01 changes in mid-life: nothing is sent that would be refused, and what waits is decided anew."""

    async def story(stage: Stage) -> None:
        await stage.until(330)
        marketplace_world, name = stage.marketplace, stage.marketplace.profile.name
        before = marketplace_world.profile
        kept = [asdict(reason) for reason in before.reasons if reason.type != "CANCELATION"]
        marketplace_world.change_profile({"reasons": [*kept, NEW_REASON]})
        await stage.world.read_capability(name)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(600)
        assert sorted(row.reason for row in open_cases(stage)) == [
            Reason.REASON_CODE_MISSING.value,
            Reason.REDUCTION_NOT_ALLOWED.value,
        ]
        assert not [call for call in marketplace_world.record.calls if call.operation == "OR30"]
        marketplace_world.change_profile({"reasons": [asdict(reason) for reason in before.reasons]})
        await stage.world.read_capability(name)
        await _picked_when_allowed(stage, 620, 1000)

    told = theatre.tell(story, marketplace("automatic"), 1300)
    assert told.marketplace_calls("OR30") == 1
    assert told.open_reasons == []
    assert told.stage.order.state == "SHIPPED"
    assert [line.live_quantity for line in told.stage.order.lines] == [1, 1]


def test_a_paid_order_that_is_cancelled_in_shopify_is_refunded_whole_once_somebody_approves(
    theatre: Theatre,
) -> None:
    rules = replace(RULES, reduction_after_debit="automatic", refund_cap=Decimal("5000.00"))

    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.cancel_order(stage.shopify_order(), refund=True)
        await stage.until(1300)
        assert [row.reason for row in open_cases(stage)] == [Reason.REFUND_APPROVAL.value]
        approve(stage, "Ada Agent")

    told = theatre.tell(story, marketplace("all-or-nothing", **QUICK), 2600, rules=rules)
    assert told.marketplace_calls("OR28") == 1
    assert told.stage.order.fully_refunded
    assert told.open_reasons == []
    assert told.of(Reason.CANCELLED_IN_SHOPIFY) == []
