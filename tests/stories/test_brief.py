"""The failures the product exists for, one story each. Those told elsewhere are named here.

- An edit that must reach the marketplace before the label: `test_edits`.
- An edit after the parcel left: `test_edits`. A replaced original that must never ship: `test_replacements`.
- A refund in Shopify that must become a task: `test_parcels_and_people`, `test_refunds`.
- An acceptance that fails: `test_acceptance`. A carrier the marketplace does not know: `test_parcels_and_people`.
"""

from interlock.console.explain import Explanation, explain
from interlock.console.order import order_page
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.faults import Fault
from tests.stories.stage import Broken, Theatre, answer_case, marketplace, open_cases, row_id


def why(stage: Stage) -> Explanation:
    """What `interlock order explain` says of the story's order at this moment."""
    now = stage.world.service_clock.now()
    with stage.world.database.begin() as c:
        page = order_page(c, row_id(stage), now)
    assert page is not None
    return explain(page, now)


def in_words(said: Explanation) -> str:
    return " ".join((said.verdict, said.waits_for, *(link.sentence for link in said.chain)))


def test_a_swap_waits_for_a_person_and_ships_as_edited_if_the_customer_agreed(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        shopify.edit(stage.shopify_order(), quantities=[("KETTLE-1L", 0)], add=[("LAMP-OAK", 1)])
        for second in range(410, 700, 10):
            await stage.until(second)
            assert shopify.pick(company="UPS", number="PARCEL1") is None
        (case,) = open_cases(stage)
        assert case.reason == Reason.EDIT_CANNOT_BE_EXPRESSED.value
        assert Option.SHIP_AS_EDITED.value in case.options
        answer_case(stage, Reason.EDIT_CANNOT_BE_EXPRESSED, Option.SHIP_AS_EDITED)
        await stage.until(760)
        order = stage.shopify_order()
        for _ in order.fulfillment_orders:
            shopify.pick(order, company="UPS", number="PARCEL1")

    told = theatre.tell(story, marketplace("automatic"), 1300)
    assert [(line.sku, line.fulfilled) for line in told.live_orders[0].lines] == [
        ("MUG-BLUE", 3),
        ("KETTLE-1L", 0),
        ("LAMP-OAK", 1),
    ]
    assert told.stage.order.state == "SHIPPED"
    assert told.marketplace_calls("OR30") == 0
    assert told.open_reasons == []
    assert "Ada Agent decided to ship the order as it was edited" in told.timeline


def test_a_swap_taken_back_leaves_nothing_behind(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        order = stage.shopify_order()
        stage.world.shopify.edit(order, quantities=[("MUG-BLUE", 2)], add=[("MUG-GREEN", 1)])
        await stage.until(600)
        answer_case(stage, Reason.EDIT_CANNOT_BE_EXPRESSED, Option.UNDO_BY_INTERLOCK)

    told = theatre.tell(story, marketplace("automatic"), 1000)
    assert [(line.sku, line.current_quantity) for line in told.live_orders[0].lines] == [
        ("MUG-BLUE", 3),
        ("KETTLE-1L", 1),
        ("MUG-GREEN", 0),
    ]
    assert told.marketplace_calls("OR30") == 0
    assert told.open_reasons == []
    stock = {variant.sku: variant.available for variant in told.stage.world.shopify.shop.variants.values()}
    assert (stock["MUG-BLUE"], stock["MUG-GREEN"]) == (97, 100)


def test_an_edit_that_never_arrived_because_the_marketplace_refuses_it(theatre: Theatre) -> None:
    said: list[Explanation] = []
    refuses = Broken(Fault("server_error", status=503), "OR30")

    async def story(stage: Stage) -> None:
        await stage.until(400)
        refuses.active = True
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(900)
        said.append(why(stage))
        refuses.active = False

    told = theatre.tell(story, marketplace("automatic"), 3600, mirakl_faults=refuses)
    (then,) = said
    words = in_words(then)
    assert "MUG-BLUE" in words
    assert "503" in words or "unclear" in words, words
    assert {"difference", "operation"} <= {link.kind for link in then.chain}
    assert told.marketplace_calls("OR30") >= 1


def test_an_edit_that_waits_says_what_for_and_arrives_by_itself(theatre: Theatre) -> None:
    said: list[Explanation] = []

    async def story(stage: Stage) -> None:
        await stage.until(200)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        await stage.until(500)
        said.append(why(stage))
        assert [row.reason for row in open_cases(stage)] == [Reason.EDIT_WAITING.value]

    told = theatre.tell(
        story, marketplace("all-or-nothing", debit_delay=600.0, partial_cancelation=True), 2400
    )
    words = in_words(said[0])
    assert "while it collects the payment" in words
    assert said[0].would_change
    assert Reason.EDIT_WAITING.value not in told.open_reasons
    assert told.stage.order.lines[0].live_quantity == 1 or told.of(Reason.REFUND_TASK)


def test_an_edit_whose_mapping_is_unknown_names_the_line(theatre: Theatre) -> None:
    said: list[Explanation] = []

    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.edit(stage.shopify_order(), custom=[("Gift wrapping", "2.50", 1)])
        await stage.until(700)
        said.append(why(stage))

    told = theatre.tell(story, marketplace("automatic"), 1000)
    words = in_words(said[0])
    assert "Gift wrapping" in words
    assert "custom line stands for nothing the marketplace sold" in words
    assert told.open_reasons == [Reason.EDIT_CANNOT_BE_EXPRESSED.value]
    assert [rule.sentence for rule in said[0].differences] != []
