"""Mail that would reach a marketplace's customer past the marketplace: people do it in the simulated shop, and undo it."""

from dataclasses import replace

from sqlalchemy import select

from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.rehearsal.scenarios import Stage
from tests.stories.stage import RULES, Theatre, answer_case, look_again, marketplace, open_cases, row_id

OWN_ADDRESS = "jane.doe@mail.example"


def reasons(stage: Stage) -> list[str]:
    return [row.reason for row in open_cases(stage)]


def test_staff_replace_the_relay_address_and_put_it_back(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        order = stage.shopify_order()
        relay = order.email
        assert relay
        assert reasons(stage) == []
        stage.world.shopify.set_email(order, OWN_ADDRESS)
        await stage.until(800)
        assert reasons(stage) == [Reason.EMAIL_NOT_RELAY.value]
        kept = kept_of(stage)
        assert OWN_ADDRESS not in kept
        assert relay not in kept
        stage.world.shopify.set_email(order, relay.upper())

    told = theatre.tell(story, marketplace("all-or-nothing"), 1300)
    (case,) = told.of(Reason.EMAIL_NOT_RELAY)
    assert OWN_ADDRESS not in f"{case.sentence} {case.subject}"
    assert told.open_reasons == []


def test_an_address_that_was_taken_off_is_fine_where_no_mail_is_wanted(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.set_email(stage.shopify_order(), None)

    told = theatre.tell(story, marketplace("all-or-nothing"), 900)
    assert told.of(Reason.EMAIL_NOT_RELAY) == []


def test_where_shipping_mails_are_wanted_an_order_without_an_address_is_a_case(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        relay = stage.shopify_order().email
        stage.world.shopify.set_email(stage.shopify_order(), None)
        await stage.until(800)
        assert reasons(stage) == [Reason.EMAIL_NOT_RELAY.value]
        stage.world.shopify.set_email(stage.shopify_order(), relay)

    wanted = replace(RULES, customer_mail="shipping")
    told = theatre.tell(story, marketplace("all-or-nothing"), 1300, rules=wanted)
    (case,) = told.of(Reason.EMAIL_NOT_RELAY)
    assert "gets none" in case.sentence
    assert told.open_reasons == []


def test_an_app_sets_a_marketing_tag_and_it_is_taken_off(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.add_tags(stage.shopify_order(), ["Newsletter"])
        await stage.until(800)
        assert reasons(stage) == [Reason.MARKETING_POSSIBLE.value]
        stage.world.shopify.remove_tags(stage.shopify_order(), ["Newsletter"])

    told = theatre.tell(story, marketplace("all-or-nothing"), 1300)
    assert told.open_reasons == []


def test_consent_of_the_customer_is_seen_at_the_next_look_and_its_end_within_the_hour(
    theatre: Theatre,
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        order = stage.shopify_order()
        stage.world.shopify.set_consent(order)
        look_again(stage)
        await stage.until(700)
        assert reasons(stage) == [Reason.MARKETING_POSSIBLE.value]
        stage.world.shopify.set_consent(order, "UNSUBSCRIBED")

    told = theatre.tell(story, marketplace("all-or-nothing"), 4600)
    assert told.open_reasons == []


def test_a_person_dismisses_a_tag_that_means_something_else(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.add_tags(stage.shopify_order(), ["marketing"])
        await stage.until(800)
        answer_case(stage, Reason.MARKETING_POSSIBLE, Option.DISMISS)

    told = theatre.tell(story, marketplace("all-or-nothing"), 1300)
    (case,) = told.of(Reason.MARKETING_POSSIBLE)
    assert case.closed_at is not None
    assert told.open_reasons == []


def kept_of(stage: Stage) -> str:
    """What is kept of the order outside the encrypted columns, as text."""
    number = row_id(stage)
    with stage.world.database.begin() as c:
        row = c.execute(select(orders).where(orders.c.id == number)).one()
    return " ".join(str(value) for value in row)
