"""An app replaces an order: the marketplace order moves to the new one, and the old one never ships."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

import pytest
from sqlalchemy import select

from interlock.console import lineage
from interlock.engine.hints import hint
from interlock.holds.store import find_labels
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import MOST_KIN, find_orders, note_kin, orders
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.shopify.state import Order
from interlock.simulator.shopify.switches import SHOPIFY_SWITCHES
from interlock.simulator.shopify.webhooks import WebhookWeather
from interlock.simulator.switches import Switches
from tests.stories.stage import RULES, Theatre, Told, answer_case, marketplace, open_cases, row_id

READY = marketplace("automatic")
OURS = f"interlock:{READY.name}"
COPIED = ("note_attributes", "line_properties", "tags", "source_identifier", "note")


def copying(*what: str) -> Switches:
    """A shop whose editing apps copy exactly this."""
    switches = Switches(SHOPIFY_SWITCHES)
    for name in COPIED:
        switches.set(f"copied_{name}", "yes" if name in what else "no")
    return switches


def holds_of(order: Order) -> list[str]:
    return [hold.handle or "" for item in order.fulfillment_orders if item.open for hold in item.holds]


def markers_of(order: Order) -> list[str]:
    return [field.value for field in order.metafields.values() if field.type == "id"]


def assert_moved_to(told: Told, new: Order) -> None:
    """The marketplace order stands in the new Shopify order alone, on all three sides."""
    stage = told.stage
    assert stage.shopify_order() is new
    assert [order for order in told.live_orders if order is not new] == []
    assert stage.order.reference_for_seller == new.name
    marker = f"{READY.name}:{stage.order.id}"
    for order in stage.world.shopify.shop.orders.values():
        assert markers_of(order) == ([marker] if order is new else [])
    assert told.marketplace_calls("OR29") == 0
    assert told.of(Reason.TWO_LIVE_ORDERS) == []
    assert told.of(Reason.REFUND_TASK) == []


@dataclass(frozen=True)
class App:
    """One known way to replace an order (Shopify reference, section 13), and what it copies."""

    name: str
    copies: tuple[str, ...]
    make: Callable[[Stage], Awaitable[Order]]


def shopify_order_of(stage: Stage, mirakl_order_id: str) -> Order:
    """The Shopify order linked to that marketplace order."""
    with stage.world.database.begin() as c:
        gid = c.execute(
            select(orders.c.shopify_order_id).where(orders.c.mirakl_order_id == mirakl_order_id)
        ).scalar_one()
    return stage.world.shopify.order(gid)


async def _renames_copy_first(stage: Stage) -> Order:
    return stage.world.shopify.replace_order(stage.shopify_order())


async def _renames_cancel_first(stage: Stage) -> Order:
    return stage.world.shopify.replace_order(stage.shopify_order(), copy_first=False)


async def _cancels_first_and_creates_minutes_later(stage: Stage) -> Order:
    shopify, original = stage.world.shopify, stage.shopify_order()
    shopify.cancel_order(original, refund=True)
    await stage.until(700)
    return shopify.replace_order(original, cancel=False)


async def _copies_and_cancels_at_once(stage: Stage) -> Order:
    return stage.world.shopify.copy_order(stage.shopify_order(), cancel_after=3.0)


async def _copies_and_cancels_minutes_later(stage: Stage) -> Order:
    return stage.world.shopify.copy_order(stage.shopify_order(), cancel_after=400.0)


APPS = (
    App("name and tags, copy first", (), _renames_copy_first),
    App("name and tags, cancel first", (), _renames_cancel_first),
    App("name and tags, minutes after the cancel", (), _cancels_first_and_creates_minutes_later),
    App("copies attributes, cancels at once", ("note_attributes",), _copies_and_cancels_at_once),
    App("copies line properties, cancels at once", ("line_properties",), _copies_and_cancels_at_once),
    App("copies everything, cancels at once", COPIED, _copies_and_cancels_at_once),
    App("copies tags and note, cancels minutes later", ("tags", "note"), _copies_and_cancels_minutes_later),
)
WEATHERS = {"webhooks": WebhookWeather(), "sweep only": WebhookWeather(lost=1.0)}


@pytest.mark.parametrize("weather", WEATHERS.values(), ids=WEATHERS.keys())
@pytest.mark.parametrize("app", APPS, ids=lambda app: app.name)
def test_a_known_apps_replacement_takes_over_by_itself(
    theatre: Theatre, app: App, weather: WebhookWeather
) -> None:
    made: list[Order] = []

    async def story(stage: Stage) -> None:
        await stage.until(400)
        made.append(await app.make(stage))
        await stage.until(2000)
        stage.world.shopify.pick(made[0], company="UPS", number="PARCEL1")

    told = theatre.tell(story, READY, 3000, shopify_switches=copying(*app.copies), weather=weather)
    assert_moved_to(told, made[0])
    assert told.stage.order.state == "SHIPPED"
    assert told.stage.order.tracking_number == "PARCEL1"
    assert [line.live_quantity for line in told.stage.order.lines] == [3, 1]
    assert told.open_reasons == []
    assert f"Order {made[0].name} takes over from" in told.timeline


def test_an_original_that_must_never_ship_is_held_until_it_is_cancelled(theatre: Theatre) -> None:
    """Copy first, cancel optional: nobody cancels, and an impatient picker tries both orders all the time."""
    made: list[Order] = []
    labels: list[datetime] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(200)
        original = stage.shopify_order()
        made.extend([original, shopify.copy_order(original)])
        for second in range(215, 1200, 15):
            await stage.until(second)
            for order in made:
                shopify.pick(order, company="UPS", number=f"PARCEL{second}")
            labels.extend(told_labels(stage))
        assert labels == []
        assert [holds_of(order) for order in made] == [[OURS], [OURS]]
        (case,) = open_cases(stage)
        assert case.reason == Reason.ORIGINAL_NOT_CANCELLED.value
        assert case.options == [Option.CANCEL_ORIGINAL.value, Option.NO_SUCCESSOR.value]
        answer_case(stage, Reason.ORIGINAL_NOT_CANCELLED, Option.CANCEL_ORIGINAL)

    def told_labels(stage: Stage) -> list[datetime]:
        return [e.at for e in stage.world.shopify.record.effects if e.kind == "fulfillment_created"]

    told = theatre.tell(story, READY, 1800, shopify_switches=copying("note_attributes"))
    original, copy = made
    assert_moved_to(told, copy)
    assert original.cancelled_at is not None
    assert told.open_reasons == []
    assert told.shopify_effects("cancelled", "api:") != []
    stock = {v.sku: v.available for v in told.stage.world.shopify.shop.variants.values()}
    assert (stock["MUG-BLUE"], stock["KETTLE-1L"]) == (97, 99)


def test_an_edit_in_the_replacement_reaches_the_marketplace(theatre: Theatre) -> None:
    made: list[Order] = []

    async def story(stage: Stage) -> None:
        await stage.until(400)
        lines = [("MUG-BLUE", 2), ("KETTLE-1L", 1)]
        made.append(stage.world.shopify.replace_order(stage.shopify_order(), lines=lines))

    told = theatre.tell(story, READY, 1500, shopify_switches=copying())
    assert_moved_to(told, made[0])
    assert [line.live_quantity for line in told.stage.order.lines] == [2, 1]
    assert told.marketplace_calls("OR30") == 1
    assert told.open_reasons == []


def test_a_replacement_of_a_replacement(theatre: Theatre) -> None:
    made: list[Order] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        for second in (400, 1000, 1600):
            await stage.until(second)
            made.append(shopify.replace_order(stage.shopify_order(), copy_first=second != 1000))

    told = theatre.tell(story, READY, 2600, shopify_switches=copying())
    assert_moved_to(told, made[2])
    assert [order.name[-1] for order in made] == ["A", "B", "C"]
    assert told.open_reasons == []
    with told.stage.world.database.begin() as c:
        for order in made:
            assert len(find_orders(c, order.name)) == 1


def test_the_refund_of_the_replaced_order_asks_for_nothing_at_the_marketplace(theatre: Theatre) -> None:
    made: list[Order] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        old = stage.shopify_order()
        shopify.refund(old, money="5.00")
        shopify.cancel_order(old)
        await stage.until(800)
        made.append(shopify.replace_order(old, cancel=False))
        await stage.until(1600)
        assert open_cases(stage) == []
        # Whatever is refunded there from now on is no part of the replacement.
        shopify.refund(old, money="3.00")

    told = theatre.tell(story, READY, 2400, shopify_switches=copying())
    assert told.stage.shopify_order() is made[0]
    (task,) = told.of(Reason.REFUND_TASK)
    assert "3.00" in task.sentence
    assert told.marketplace_calls("OR29") == 0


def test_a_duplicate_without_any_link_is_asked_and_taken_over_by_a_person(theatre: Theatre) -> None:
    made: list[Order] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        original = stage.shopify_order()
        copy = shopify.duplicate_as_draft(original)
        assert copy is not None
        made.append(copy)
        shopify.cancel_order(original)
        await stage.until(1500)
        (case,) = open_cases(stage)
        assert (case.reason, case.subject) == (Reason.POSSIBLE_SUCCESSOR.value, copy.gid)
        assert ["it goes to the same address", "+20"] in [list(fact) for fact in case.facts]
        assert holds_of(copy) == [OURS]
        assert stage.order.state == "SHIPPING"
        answer_case(stage, Reason.POSSIBLE_SUCCESSOR, Option.TAKE_OVER)

    told = theatre.tell(story, READY, 2200, shopify_switches=copying())
    assert_moved_to(told, made[0])
    # The admin's Duplicate leaves out the shipping charge, which is an edit like any other.
    assert told.open_reasons == [Reason.EDIT_CANNOT_BE_EXPRESSED.value]


def test_a_replaced_order_says_to_staff_that_it_was_replaced_and_the_new_one_where_it_stands(
    theatre: Theatre,
) -> None:
    orders_of: dict[str, Order] = {}

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        original = stage.shopify_order()
        copy = shopify.duplicate_as_draft(original)
        assert copy is not None
        orders_of.update(before=original, after=copy)
        shopify.cancel_order(original)
        await stage.until(1500)
        assert "Interlock: needs decision" in original.tags
        answer_case(stage, Reason.POSSIBLE_SUCCESSOR, Option.TAKE_OVER)
        await stage.until(1700)
        assert [tag for tag in original.tags if tag.startswith("Interlock")] == ["Interlock: replaced"]
        original.tags.remove("Interlock: replaced")

    told = theatre.tell(
        story, READY, 8000, rules=replace(RULES, show_status=True), shopify_switches=copying()
    )
    shown = {
        name: [tag for tag in order.tags if tag.startswith("Interlock")] for name, order in orders_of.items()
    }
    # Somebody took the tag off: it is not put back on an order that stands for nothing.
    assert shown == {"before": [], "after": ["Interlock: needs decision"]}
    assert told.timeline.count("Shopify order shows staff: replaced") == 1


@pytest.mark.parametrize("holdable", ["offered", "not_offered"])
def test_a_duplicate_that_a_fulfilment_service_has_is_for_people_to_stop(
    theatre: Theatre, holdable: str
) -> None:
    made: list[Order] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        original = stage.shopify_order()
        for location in shopify.shop.locations.values():
            location.fulfillment_service = True
        copy = shopify.duplicate_as_draft(original)
        assert copy is not None
        made.append(copy)
        shopify.request_fulfillment(copy.fulfillment_orders[0])
        shopify.cancel_order(original)
        await stage.until(1500)
        told = {case.reason: case.sentence for case in open_cases(stage)}
        assert set(told) == {Reason.POSSIBLE_SUCCESSOR.value, Reason.CANNOT_HOLD.value}
        assert "Interlock cannot stop it" in told[Reason.CANNOT_HOLD.value]
        assert "It is held." not in told[Reason.POSSIBLE_SUCCESSOR.value]
        assert "which Interlock cannot stop: ring the service" in told[Reason.POSSIBLE_SUCCESSOR.value]
        answer_case(stage, Reason.POSSIBLE_SUCCESSOR, Option.TAKE_OVER)

    switches = copying()
    switches.set("hold_of_submitted_request", holdable)
    told = theatre.tell(story, READY, 2200, shopify_switches=switches)
    # Once it stands for the sale, its service is asked like any other, where Shopify offers that beside a hold.
    asked = len(told.shopify_effects("service_asked", "api:"))
    assert told.of(Reason.CANNOT_HOLD)[0].closed_at is not None
    assert asked == (0 if holdable == "offered" else 1)
    assert bool(told.of(Reason.SERVICE_DOES_NOT_STOP)) is (holdable == "offered")


def test_an_order_that_has_nothing_to_do_with_it_is_released_and_the_cancelation_carried(
    theatre: Theatre,
) -> None:
    made: list[Order] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        original = stage.shopify_order()
        copy = shopify.duplicate_as_draft(original)
        assert copy is not None
        made.append(copy)
        shopify.cancel_order(original)
        await stage.until(1500)
        answer_case(stage, Reason.POSSIBLE_SUCCESSOR, Option.NO_SUCCESSOR)

    told = theatre.tell(story, READY, 2200, shopify_switches=copying())
    assert told.stage.order.state == "CANCELED"
    assert holds_of(made[0]) == []
    assert told.open_reasons == []


def sales_of(stage: Stage, order: Order) -> set[tuple[str, int]]:
    """What a label printer that names the order, or one of its parcels, is told about: how it is named, and how many
    marketplace orders are meant."""
    numbers = [("order", order.gid), *(("parcel", fo.gid) for fo in order.fulfillment_orders)]
    with stage.world.database.begin() as c:
        return {(what, len(find_labels(c, number))) for what, number in numbers}


def test_a_stranger_that_was_looked_at_is_no_other_order_of_the_sale(theatre: Theatre) -> None:
    seen: list[set[tuple[str, int]]] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        stranger = shopify.customer_order([("KETTLE-1L", 1)], email="new@shop.example")
        with stage.world.database.begin() as c:
            assert note_kin(c, row_id(stage), stranger.gid, stage.world.service_clock.now(), stranger.name)
        seen.append(sales_of(stage, stranger))
        looked_at_again(stage)
        await stage.until(460)
        seen.append(sales_of(stage, stranger))
        seen.append(sales_of(stage, stage.shopify_order()))

    theatre.tell(story, READY, 700)
    assert seen == [
        {("order", 1), ("parcel", 0)},
        {("order", 0), ("parcel", 0)},
        {("order", 1), ("parcel", 1)},
    ]


def test_a_copy_is_an_order_of_the_sale_until_a_person_says_what_it_is(theatre: Theatre) -> None:
    seen: list[set[tuple[str, int]]] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        original = stage.shopify_order()
        copy = shopify.duplicate_as_draft(original)
        assert copy is not None
        shopify.cancel_order(original)
        await stage.until(1500)
        seen.append(sales_of(stage, copy))
        answer_case(stage, Reason.POSSIBLE_SUCCESSOR, Option.NO_SUCCESSOR)
        await stage.until(1560)
        seen.append(sales_of(stage, copy))

    theatre.tell(story, READY, 2200, shopify_switches=copying())
    assert seen == [{("order", 1), ("parcel", 1)}, {("order", 0), ("parcel", 0)}]


def looked_at_again(stage: Stage) -> None:
    with stage.world.database.begin() as c:
        hint(c, stage.world.wakeups, row_id(stage), "edits", stage.world.service_clock.now())


def test_a_candidate_is_read_whatever_came_after_it_and_asked_about_once_it_is_deleted(
    theatre: Theatre,
) -> None:
    asked: list[list[str]] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        original = stage.shopify_order()
        copy = shopify.duplicate_as_draft(original)
        assert copy is not None
        shopify.cancel_order(original)
        await stage.until(1500)
        with stage.world.database.begin() as c:
            for number in range(MOST_KIN):
                gid = f"gid://shopify/Order/{77000 + number}"
                assert note_kin(c, row_id(stage), gid, stage.world.service_clock.now())
        looked_at_again(stage)
        await stage.until(1560)
        asked.append(open_cases(stage)[0].options)
        del shopify.shop.orders[copy.number]
        looked_at_again(stage)
        await stage.until(1620)
        asked.append(open_cases(stage)[0].options)
        assert stage.order.state == "SHIPPING"
        answer_case(stage, Reason.POSSIBLE_SUCCESSOR, Option.NO_SUCCESSOR)

    told = theatre.tell(story, READY, 2200, shopify_switches=copying())
    assert asked == [
        [Option.TAKE_OVER.value, Option.NO_SUCCESSOR.value],
        [Option.NO_SUCCESSOR.value],
    ]
    assert told.stage.order.state == "CANCELED"
    assert told.open_reasons == []


def said_by_hand(stage: Stage, say: Callable[..., object], *about: str) -> None:
    """Somebody links or unlinks on the order's page."""
    now = stage.world.service_clock.now()
    with stage.world.database.begin() as c:
        say(c, stage.world.wakeups, row_id(stage), *about, "Ada Agent", "Seen in Shopify.", now)


def test_a_manual_link_its_undoing_and_its_unlinking(theatre: Theatre) -> None:
    """A recreated order without a trace: linked by hand, taken back, linked again, unlinked."""
    made: list[Order] = []
    linked: list[str] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        original = stage.shopify_order()
        copy = shopify.customer_order([("MUG-BLUE", 3), ("KETTLE-1L", 1)], email="new@shop.example")
        made.extend([original, copy])
        said_by_hand(stage, lineage.link, copy.gid)
        await stage.until(420)
        assert [holds_of(order) for order in made] == [[OURS], [OURS]]
        assert [case.reason for case in open_cases(stage)] == [Reason.ORIGINAL_NOT_CANCELLED.value]
        shopify.cancel_order(original)
        await stage.until(600)
        linked.append(stage.shopify_order().name)
        said_by_hand(stage, lineage.undo_link)
        await stage.until(800)
        linked.append(stage.shopify_order().name)
        assert [case.reason for case in open_cases(stage)] == [Reason.POSSIBLE_SUCCESSOR.value]
        assert (markers_of(original), markers_of(copy)) == ([f"automatic:{stage.order.id}"], [])
        said_by_hand(stage, lineage.link, copy.name)
        await stage.until(1000)
        linked.append(stage.shopify_order().name)
        said_by_hand(stage, lineage.unlink, copy.name)
        await stage.until(1300)
        assert stage.order.state == "SHIPPING"

    told = theatre.tell(story, READY, 2200, shopify_switches=copying())
    original, copy = made
    assert linked == [copy.name, original.name, copy.name]
    assert told.stage.shopify_order() is original
    assert told.stage.order.state == "CANCELED"
    assert (holds_of(copy), markers_of(copy)) == ([], [])
    assert "Ada Agent took the take-over back (Seen in Shopify.)" in told.timeline
    assert told.open_reasons == []


def test_an_order_that_was_linked_and_unlinked_says_nothing_to_staff_any_more(theatre: Theatre) -> None:
    made: list[Order] = []

    def says(order: Order) -> tuple[list[str], list[str]]:
        fields = [field.value for (_, key), field in order.metafields.items() if key == "order_status"]
        return [tag for tag in order.tags if tag.startswith("Interlock")], fields

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        original = stage.shopify_order()
        copy = shopify.customer_order([("MUG-BLUE", 3), ("KETTLE-1L", 1)], email="new@shop.example")
        made.append(copy)
        shopify.cancel_order(original)
        said_by_hand(stage, lineage.link, copy.gid)
        await stage.until(2000)
        assert says(copy) == (["Interlock: needs decision"], ["needs decision"])
        said_by_hand(stage, lineage.unlink, copy.name)
        await stage.until(2400)
        assert says(copy) == ([], [])
        # It is nobody's any more: what staff write on it stays.
        copy.tags.append("Interlock: in sync")

    told = theatre.tell(
        story, READY, 6000, rules=replace(RULES, show_status=True), shopify_switches=copying()
    )
    assert says(made[0]) == (["Interlock: in sync"], [])
    assert told.timeline.count("What the Shopify order said to staff taken off it") == 1


def test_an_innocent_look_alike_is_left_alone(theatre: Theatre) -> None:
    made: list[Order] = []

    async def story(stage: Stage) -> None:
        shopify = stage.world.shopify
        await stage.until(400)
        lines = [("MUG-BLUE", 3), ("KETTLE-1L", 1)]
        made.append(shopify.customer_order(lines, email="somebody@shop.example"))
        shopify.cancel_order(stage.shopify_order())
        made.append(shopify.customer_order(lines, email="somebody@shop.example"))

    told = theatre.tell(story, READY, 1800, shopify_switches=copying())
    assert told.stage.order.state == "CANCELED"
    assert [holds_of(order) for order in made] == [[], []]
    assert told.of(Reason.POSSIBLE_SUCCESSOR) == []
    assert told.shopify_effects("hold_placed", "api:")[1:] == []


def test_a_native_edit_with_tags_is_no_replacement(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.edit_natively(stage.shopify_order(), quantities=[("MUG-BLUE", 2)])

    told = theatre.tell(story, READY, 1200)
    assert [line.live_quantity for line in told.stage.order.lines] == [2, 1]
    assert told.open_reasons == []
    assert "takes over" not in told.timeline


def test_a_split_is_asked_never_automatic(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.world.shopify.split_order(stage.shopify_order(), [("KETTLE-1L", 1)])

    told = theatre.tell(story, READY, 1800, shopify_switches=copying("tags"))
    assert told.open_reasons == [Reason.REPLACEMENT_SPLIT.value]
    assert [holds_of(order) for order in told.live_orders] == [[OURS], [OURS]]
    assert told.marketplace_calls("OR30") == 0
    assert told.stage.order.state == "SHIPPING"


@pytest.mark.parametrize("copied", [("tags",), ("note_attributes",), COPIED, ()])
def test_a_merge_of_two_marketplace_orders_is_asked_never_automatic(
    theatre: Theatre, copied: tuple[str, ...]
) -> None:
    made: list[Order] = []
    ids: list[str] = []

    async def story(stage: Stage) -> None:
        second = stage.marketplace.create_generated(skus=["LAMP-OAK"], quantities=[2])
        second.shipping_address = stage.order.shipping_address
        ids.extend([stage.order.id, second.id])
        await stage.until(500)
        both = [shopify_order_of(stage, mirakl_order_id) for mirakl_order_id in ids]
        made.append(stage.world.shopify.merge_orders(both))

    told = theatre.tell(story, READY, 2400, shopify_switches=copying(*copied))
    assert set(told.open_reasons) == {Reason.REPLACEMENT_MERGED.value}
    assert len({case.order_id for case in told.cases if case.closed_at is None}) == 2
    assert holds_of(made[0]) == ["om", OURS]
    assert told.marketplace_calls("OR29") == 0
    assert [told.stage.marketplace.orders[i].state for i in ids] == ["SHIPPING", "SHIPPING"]
