"""Where a parcel goes when the marketplace's operator changes the address after the import, and never to the old one."""

from dataclasses import replace

from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.operators import as_the_marketplace_has_it
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.mirakl.world import where as there
from interlock.simulator.shopify.addresses import where as here
from tests.stories.stage import Theatre, answer_case, marketplace, open_cases
from tests.stories.test_edits import _impatient_picker


def test_an_address_the_operator_changes_is_in_shopify_before_the_label(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        stage.marketplace.change_address(stage.order.id)
        await stage.until(600)
        await _impatient_picker(stage, 605, 1000)

    told = theatre.tell(story, marketplace("automatic"), 1400)
    (order,) = told.live_orders
    assert told.stage.order.shipping_address is not None
    assert here(order.shipping_address) == there(told.stage.order.shipping_address)
    (label,) = told.shopify_effects("fulfillment_created")
    assert max(told.shopify_effects("address_changed", "api:")) < label
    assert told.stage.order.state == "SHIPPED"
    assert told.of(Reason.MARKETPLACE_CHANGED) == []
    assert told.open_reasons == []


def test_an_address_changed_in_shopify_goes_on_once_the_operator_sets_the_same(theatre: Theatre) -> None:
    before: list[str] = []

    async def story(stage: Stage) -> None:
        await stage.until(330)
        new = stage.world.shopify.change_address(stage.shopify_order())
        await stage.until(450)
        before.extend(row.reason for row in open_cases(stage))
        stage.marketplace.change_address(stage.order.id, as_the_marketplace_has_it(new))
        await stage.until(700)
        await _impatient_picker(stage, 705, 1100)

    told = theatre.tell(story, marketplace("automatic"), 1500)
    assert before == [Reason.EDIT_CANNOT_BE_EXPRESSED.value]
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []
    assert told.shopify_effects("address_changed", "api:") == []


def test_where_both_sides_changed_it_a_person_says_which_stands(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        stage.marketplace.change_address(stage.order.id)
        stage.world.shopify.change_address(stage.shopify_order())
        await stage.until(600)
        answer_case(stage, Reason.MARKETPLACE_CHANGED, Option.KEEP_ADDRESS)
        await stage.until(660)
        await _impatient_picker(stage, 665, 1000)

    told = theatre.tell(story, marketplace("automatic"), 1400)
    assert told.shopify_effects("address_changed", "api:") == []
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []


def test_a_parcel_that_left_for_the_old_address_is_customer_services(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        stage.world.shopify.pick(company="UPS", number="PARCEL1")
        await stage.until(400)
        stage.marketplace.change_address(stage.order.id)

    told = theatre.tell(story, marketplace("automatic"), 900)
    assert told.open_reasons == [Reason.MARKETPLACE_CHANGED.value]
    (case,) = told.of(Reason.MARKETPLACE_CHANGED)
    assert "have left for the old address" in case.sentence or "has left for the old address" in case.sentence
    assert "CANARY" not in case.sentence
    assert told.shopify_effects("address_changed", "api:") == []


def test_another_number_in_shopify_is_asked_about_and_the_same_number_in_other_words_is_not(
    theatre: Theatre,
) -> None:
    before: list[list[str]] = []

    async def story(stage: Stage) -> None:
        def call(number: str) -> None:
            order = stage.shopify_order()
            assert order.shipping_address is not None
            stage.world.shopify.change_address(order, replace(order.shipping_address, phone=number))

        def noted() -> None:
            before.append([row.reason for row in open_cases(stage)])

        await stage.until(330)
        shown = stage.shopify_order().shipping_address
        assert shown is not None
        assert shown.phone
        call(f"00 {shown.phone}".replace("+", " "))
        await stage.until(450)
        noted()
        call("+49 30 1234 5678")
        await stage.until(600)
        noted()
        await _impatient_picker(stage, 605, 700)
        assert stage.shopify_order().fulfillments == []
        answer_case(stage, Reason.EDIT_CANNOT_BE_EXPRESSED, Option.KEEP_ADDRESS)
        await stage.until(760)
        await _impatient_picker(stage, 765, 1100)

    told = theatre.tell(story, marketplace("automatic"), 1500)
    assert before == [[], [Reason.EDIT_CANNOT_BE_EXPRESSED.value]]
    assert "says that the telephone number in Shopify stands" in told.timeline
    assert "1234" not in told.timeline
    assert told.stage.order.state == "SHIPPED"
    assert told.open_reasons == []
