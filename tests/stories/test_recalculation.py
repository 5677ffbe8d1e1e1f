"""Figures that the marketplace recalculates after the import: no cancelation names more than its share of them, and a person's
word lets the parcel go."""

from decimal import Decimal

from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from tests.stories.stage import Theatre, answer_case, marketplace
from tests.stories.test_edits import _impatient_picker


def test_an_edit_after_the_taxes_were_recalculated_cancels_its_share_of_the_new_ones(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        stage.marketplace.recalculate(stage.order.id, stage.order.lines[0].id, taxes=Decimal("0.5"))
        await stage.until(600)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await _impatient_picker(stage, 605, 1100)

    told = theatre.tell(story, marketplace("automatic"), 1500)
    line = told.stage.order.lines[0]
    (cancelled,) = line.cancelations
    assert line.ordered.taxes
    for code, whole in line.ordered.taxes.items():
        assert abs(cancelled.amounts.taxes[code] - whole * 2 / 3) <= Decimal("0.01")
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []


def test_a_new_price_holds_the_parcel_until_somebody_says_that_it_stands(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        line = stage.order.lines[0]
        stage.marketplace.recalculate(
            stage.order.id, line.id, price=line.ordered.product_with_tax - 3, taxes=Decimal("0.9")
        )
        await stage.until(600)
        stage.world.shopify.pick(company="UPS", number="PARCEL0")
        await stage.until(660)
        answer_case(stage, Reason.MARKETPLACE_CHANGED, Option.ACCEPT_ANYWAY)
        await _impatient_picker(stage, 700, 1100)

    told = theatre.tell(story, marketplace("automatic"), 1500)
    assert len(told.shopify_effects("fulfillment_created")) == 1
    assert "new figures of MUG-BLUE stand" in told.timeline
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []
