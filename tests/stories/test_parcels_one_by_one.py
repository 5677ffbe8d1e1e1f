"""Where the marketplace knows single parcels: each is told of once, with its own units and tracking."""

from dataclasses import replace

import pytest

from interlock.console import desk
from interlock.engine.store import one_connection
from interlock.orders.connection import CarrierMapping
from interlock.orders.reasons import Option, Reason
from interlock.rehearsal.scenarios import Stage
from interlock.simulator.faults import Fault
from interlock.simulator.mirakl.orders import SimShipment
from interlock.simulator.mirakl.profile import MarketplaceProfile
from interlock.simulator.shopify.state import Fulfillment
from tests.stories.stage import Broken, Theatre, answer_case, marketplace, open_cases

ONE_BY_ONE = marketplace("all-or-nothing", multi_shipment=True)


def leave(stage: Stage, number: str | None, company: str | None = "UPS", **units: int) -> Fulfillment:
    """A parcel with these units leaves; all that is left without any."""
    item = next(one for one in stage.shopify_order().fulfillment_orders if one.remaining)
    chosen = [(sku.replace("_", "-"), count) for sku, count in units.items()] or None
    return stage.world.shopify.fulfill(item, company=company, number=number, units=chosen)


def told(stage: Stage) -> list[tuple[str, str | None, str | None, dict[str, int]]]:
    """Every shipment of the order that exists: state, carrier, number, units by SKU."""
    skus = {line.id: line.sku for line in stage.order.lines}
    return [
        (one.status, one.carrier_code, one.tracking_number, {skus[line]: n for line, n in one.units.items()})
        for one in stage.order.shipments
        if one.alive
    ]


def only(stage: Stage) -> SimShipment:
    (shipment,) = stage.order.shipments
    return shipment


def test_each_parcel_is_told_of_when_it_leaves(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        leave(stage, "1Z1", MUG_BLUE=2)
        await stage.until(700)
        assert told(stage) == [("SHIPPED", "UPS", "1Z1", {"MUG-BLUE": 2})]
        assert stage.order.state == "SHIPPING"
        leave(stage, "1Z2", company="DHL Express")

    seen = theatre.tell(story, ONE_BY_ONE, 1200)

    assert told(seen.stage) == [
        ("SHIPPED", "UPS", "1Z1", {"MUG-BLUE": 2}),
        ("SHIPPED", "DHL", "1Z2", {"MUG-BLUE": 1, "KETTLE-1L": 1}),
    ]
    assert seen.stage.order.state == "SHIPPED"
    assert seen.open_reasons == []
    calls = {code: seen.marketplace_calls(code) for code in ("ST01", "ST24", "ST23", "ST06", "OR23", "OR24")}
    assert calls == {"ST01": 2, "ST24": 2, "ST23": 0, "ST06": 0, "OR23": 0, "OR24": 0}
    assert seen.timeline.index("Shipment of 2 units made") < seen.timeline.index(
        "Marketplace told that a parcel is on its way"
    )


@pytest.mark.parametrize("kind", ["reply_lost", "server_error_after", "late_apply"])
def test_an_answer_that_was_lost_makes_no_second_shipment(theatre: Theatre, kind: str) -> None:
    """ST01 is class C: it is read back by the marker in the shipment before anything is sent again."""
    faults = Broken(Fault(kind, 20.0), "ST01", times=1)

    async def story(stage: Stage) -> None:
        await stage.until(400)
        faults.active = True
        leave(stage, "1Z1", MUG_BLUE=1)

    seen = theatre.tell(story, ONE_BY_ONE, 900, mirakl_faults=faults)

    assert told(seen.stage) == [("SHIPPED", "UPS", "1Z1", {"MUG-BLUE": 1})]
    assert len(seen.stage.order.shipments) == 1
    assert "the answer is unclear" in seen.timeline
    assert seen.open_reasons == []


def test_an_error_inside_a_success_is_a_case_of_that_parcel_alone(theatre: Theatre) -> None:
    """ST01 answers 201 and lists the refused shipment among the errors (Mirakl reference 1.8)."""

    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.marketplace.change_profile(
            {"carriers": [{"code": "DHL", "label": "DHL", "standard_code": None, "tracking_url": None}]}
        )
        leave(stage, "1Z1", MUG_BLUE=1)
        leave(stage, "JD01", company="DHL Express", MUG_BLUE=1)
        await stage.until(700)
        (case,) = open_cases(stage)
        assert case.reason == Reason.SHIPPING_REFUSED.value
        assert "Carrier UPS is not registered" in case.sentence
        assert told(stage) == [("SHIPPED", "DHL", "JD01", {"MUG-BLUE": 1})]
        shipment = stage.shopify_order().fulfillments[0]
        stage.world.shopify.update_tracking(shipment, company="DHL Express", number="JD02")

    seen = theatre.tell(story, ONE_BY_ONE, 1200)

    assert [row[2] for row in told(seen.stage)] == ["JD01", "JD02"]
    assert seen.open_reasons == []


@pytest.mark.parametrize("later", ["allowed", "refused"])
def test_a_number_that_is_corrected_later_follows_the_parcel(theatre: Theatre, later: str) -> None:
    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("st23_after_shipped", later)
        await stage.until(400)
        parcel = leave(stage, "1Z-WRONG", MUG_BLUE=1)
        await stage.until(700)
        assert [row[2] for row in told(stage)] == ["1Z-WRONG"]
        stage.world.shopify.update_tracking(parcel, company="UPS", number="1Z-RIGHT")

    seen = theatre.tell(story, ONE_BY_ONE, 1200)

    assert [row[2] for row in told(seen.stage)] == ["1Z-RIGHT" if later == "allowed" else "1Z-WRONG"]
    assert seen.open_reasons == ([] if later == "allowed" else [Reason.TRACKING_NOT_CORRECTED.value])
    assert seen.marketplace_calls("ST01") == 1


@pytest.mark.parametrize("later", ["allowed", "refused"])
def test_a_number_that_is_corrected_later_follows_a_whole_order_too(theatre: Theatre, later: str) -> None:
    """OR23 after the dispatch: whether it is taken is not documented (Mirakl reference 15.6)."""

    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("or23_after_shipped", later)
        await stage.until(400)
        parcel = leave(stage, "1Z-WRONG")
        await stage.until(700)
        assert stage.order.state == "SHIPPED"
        stage.world.shopify.update_tracking(parcel, company="UPS", number="1Z-RIGHT")

    seen = theatre.tell(story, marketplace("all-or-nothing"), 1200)

    assert seen.stage.order.tracking_number == ("1Z-RIGHT" if later == "allowed" else "1Z-WRONG")
    assert seen.open_reasons == ([] if later == "allowed" else [Reason.TRACKING_NOT_CORRECTED.value])


@pytest.mark.parametrize("one_by_one", [True, False])
def test_a_number_that_is_put_right_in_the_portal_stays(theatre: Theatre, one_by_one: bool) -> None:
    """Somebody mistyped the number in Shopify and sees it when the customer asks."""

    async def story(stage: Stage) -> None:
        await stage.until(400)
        leave(stage, "1Z-WRONG")
        await stage.until(700)
        shown = only(stage) if one_by_one else stage.order
        assert shown.tracking_number == "1Z-WRONG"
        shown.tracking_number = "1Z-PORTAL"
        stage.marketplace.touch(stage.order, stage.marketplace.clock.now())

    seen = theatre.tell(story, ONE_BY_ONE if one_by_one else marketplace("all-or-nothing"), 2400)

    assert (only(seen.stage) if one_by_one else seen.stage.order).tracking_number == "1Z-PORTAL"
    assert seen.marketplace_calls("ST23") == 0
    assert seen.marketplace_calls("OR23") == (0 if one_by_one else 1)
    assert seen.open_reasons == []


@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize("settled_by", ["send_number", "dismiss", "the portal", "Shopify"])
def test_a_number_that_is_put_right_on_both_sides_to_different_ones_is_asked_about_once(
    theatre: Theatre, settled_by: str, one_by_one: bool
) -> None:
    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("st23_after_shipped", "allowed")
        stage.marketplace.switches.set("or23_after_shipped", "allowed")

        def in_portal(number: str) -> None:
            shown = only(stage) if one_by_one else stage.order
            shown.tracking_number = number
            stage.marketplace.touch(stage.order, stage.marketplace.clock.now())

        await stage.until(400)
        parcel = leave(stage, "1Z-WRONG")
        await stage.until(700)
        in_portal("1Z-PORTAL")
        await stage.until(800)
        assert open_cases(stage) == []
        stage.world.shopify.update_tracking(parcel, company="UPS", number="1Z-SHOP")
        await stage.until(1000)
        (row,) = open_cases(stage)
        assert row.reason == Reason.TRACKING_NOT_CORRECTED.value
        assert "portal shows 1Z-PORTAL, Shopify 1Z-SHOP" in row.sentence
        match settled_by:
            case "the portal":
                in_portal("1Z-SHOP")
            case "Shopify":
                stage.world.shopify.update_tracking(parcel, company="UPS", number="1Z-PORTAL")
            case _:
                answer_case(stage, Reason.TRACKING_NOT_CORRECTED, Option(settled_by))

    seen = theatre.tell(story, ONE_BY_ONE if one_by_one else marketplace("all-or-nothing"), 2400)

    shown = (only(seen.stage) if one_by_one else seen.stage.order).tracking_number
    assert shown == ("1Z-SHOP" if settled_by in ("send_number", "the portal") else "1Z-PORTAL")
    calls = sum(seen.marketplace_calls(code) for code in ("OR23", "ST23"))
    assert calls == (not one_by_one) + (settled_by == "send_number")
    assert seen.open_reasons == []


@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize("later", ["allowed", "refused"])
@pytest.mark.parametrize("carrier_first", [True, False])
def test_a_number_that_lands_after_the_dispatch_reaches_the_customer_or_a_person(
    theatre: Theatre, later: str, one_by_one: bool, carrier_first: bool
) -> None:
    """The warehouse marks the order as fulfilled, and the number follows minutes later, perhaps without its carrier first."""

    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("st23_after_shipped", later)
        stage.marketplace.switches.set("or23_after_shipped", later)
        await stage.until(400)
        parcel = leave(stage, None, company=None)
        await stage.until(700)
        assert stage.order.state == "SHIPPED"
        assert open_cases(stage) == []
        if not carrier_first:
            stage.world.shopify.update_tracking(parcel, company=None, number="1Z-LATE")
            await stage.until(900)
            (row,) = open_cases(stage)
            assert row.reason == Reason.TRACKING_NOT_CORRECTED.value
            assert "set a default carrier" in row.sentence
        stage.world.shopify.update_tracking(parcel, company="UPS", number="1Z-LATE")

    seen = theatre.tell(story, _demands_no_tracking(one_by_one), 1300)

    shown = (only(seen.stage) if one_by_one else seen.stage.order).tracking_number
    assert (shown or "") == ("1Z-LATE" if later == "allowed" else "")
    assert seen.open_reasons == ([] if later == "allowed" else [Reason.TRACKING_NOT_CORRECTED.value])
    assert sum(seen.marketplace_calls(code) for code in ("OR24", "ST24")) == 1


@pytest.mark.parametrize("one_by_one", [True, False])
def test_a_default_carrier_takes_the_number_that_stands_without_one(
    theatre: Theatre, one_by_one: bool
) -> None:
    """Set after the dispatch it sends the number that waits; from then on every number goes with it."""

    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("st23_after_shipped", "allowed")
        stage.marketplace.switches.set("or23_after_shipped", "allowed")
        await stage.until(400)
        leave(stage, "1Z-BARE", company=None)
        await stage.until(800)
        assert stage.order.state == "SHIPPED"
        (row,) = open_cases(stage)
        assert row.reason == Reason.TRACKING_NOT_CORRECTED.value
        assert _map(stage, CarrierMapping("*", "DPD")) == 1

    seen = theatre.tell(story, _demands_no_tracking(one_by_one), 1300)

    shown = only(seen.stage) if one_by_one else seen.stage.order
    assert (shown.carrier_code, shown.tracking_number) == ("DPD", "1Z-BARE")
    assert seen.open_reasons == []


@pytest.mark.parametrize("one_by_one", [True, False])
def test_a_mapping_put_right_after_the_dispatch_repairs_the_carrier_once(
    theatre: Theatre, one_by_one: bool
) -> None:
    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("st23_after_shipped", "allowed")
        stage.marketplace.switches.set("or23_after_shipped", "allowed")
        _map(stage, CarrierMapping("House", "UPS"))
        await stage.until(400)
        leave(stage, "1Z1", company="House")
        await stage.until(800)
        assert stage.order.state == "SHIPPED"
        _map(stage, CarrierMapping("House", "DPD"))

    seen = theatre.tell(story, ONE_BY_ONE if one_by_one else marketplace("all-or-nothing"), 1600)

    shown = only(seen.stage) if one_by_one else seen.stage.order
    assert (shown.carrier_code, shown.tracking_number) == ("DPD", "1Z1")
    assert seen.open_reasons == []
    assert sum(seen.marketplace_calls(code) for code in ("OR23", "ST23")) == (1 if one_by_one else 2)


def _demands_no_tracking(one_by_one: bool) -> MarketplaceProfile:
    method = {"code": "STD", "label": "Standard", "standard_code": "CU_ADD-STD", "mandatory_tracking": False}
    return marketplace("all-or-nothing", multi_shipment=one_by_one, shipping_types=[method])


def _map(stage: Stage, mapping: CarrierMapping) -> int:
    """The mapping is kept by a person; how many orders are said to wait for it."""
    (connection_id,) = stage.world.connection_ids.values()
    with stage.world.database.begin() as c:
        connection = one_connection(c, connection_id)
        now = stage.world.service_clock.now()
        return desk.map_carrier_names(c, stage.world.wakeups, connection, [mapping], "Otto Ops", now).orders


@pytest.mark.parametrize("one_by_one", [True, False])
def test_tracking_taken_out_of_shopify_after_the_dispatch_is_a_case_until_it_is_back(
    theatre: Theatre, one_by_one: bool
) -> None:
    async def story(stage: Stage) -> None:
        stage.marketplace.switches.set("st23_after_shipped", "allowed")
        stage.marketplace.switches.set("or23_after_shipped", "allowed")
        await stage.until(400)
        parcel = leave(stage, "1Z-FIRST")
        await stage.until(700)
        assert stage.order.state == "SHIPPED"
        stage.world.shopify.update_tracking(parcel, company=None, number=None)
        await stage.until(1000)
        (row,) = open_cases(stage)
        assert (row.reason, row.subject) == (Reason.TRACKING_NOT_CORRECTED.value, parcel.gid)
        stage.world.shopify.update_tracking(parcel, company="UPS", number="1Z-FIRST")
        await stage.until(1300)
        assert open_cases(stage) == []
        stage.world.shopify.update_tracking(parcel, company="UPS", number="1Z-SECOND")

    seen = theatre.tell(story, ONE_BY_ONE if one_by_one else marketplace("all-or-nothing"), 1700)

    order = seen.stage.order
    assert (only(seen.stage) if one_by_one else order).tracking_number == "1Z-SECOND"
    assert seen.open_reasons == []
    assert sum(seen.marketplace_calls(code) for code in ("OR23", "ST23")) == (1 if one_by_one else 2)


@pytest.mark.parametrize("one_by_one", [True, False])
@pytest.mark.parametrize("value", ["fulfillment_stays", "fulfillment_cancelled"])
@pytest.mark.parametrize("told_before", [False, True])
def test_a_label_that_was_given_back_is_told_of_once_it_has_another_one(
    theatre: Theatre, value: str, one_by_one: bool, told_before: bool
) -> None:
    """Whether Shopify keeps the fulfillment of a voided label is not documented (Shopify reference 10.5): what is true of
    the parcel does not hang on it."""

    async def story(stage: Stage) -> None:
        shop = stage.world.shopify
        shop.switches.set("voided_label", value)
        stage.marketplace.switches.set("st23_after_shipped", "allowed")
        stage.marketplace.switches.set("or23_after_shipped", "allowed")
        await stage.until(400)
        (waiting,) = [one for one in stage.shopify_order().fulfillment_orders if one.remaining]
        label = shop.fulfill(waiting, company="UPS", number="1Z-FIRST", display_status="LABEL_PURCHASED")
        if told_before:
            await stage.until(700)
            assert stage.order.state == "SHIPPED"
        shop.void_label(label)
        await stage.until(1000)
        assert stage.order.state == ("SHIPPED" if told_before else "SHIPPING")
        open_now = [row.reason for row in open_cases(stage)]
        assert open_now == ([Reason.FULFILLMENT_CANCELLED.value] if told_before else [])
        _another_label(stage, label, "1Z-SECOND")

    seen = theatre.tell(story, ONE_BY_ONE if one_by_one else marketplace("all-or-nothing"), 1500)

    order = seen.stage.order
    assert order.state == "SHIPPED"
    assert (only(seen.stage) if one_by_one else order).tracking_number == "1Z-SECOND"
    assert seen.open_reasons == []
    if value == "fulfillment_stays" and not told_before:
        assert "The label of a parcel was given back in Shopify" in seen.timeline


def _another_label(stage: Stage, label: Fulfillment, number: str) -> None:
    """For a fulfillment that stands, or else for the fulfillment order in which its units are again."""
    shop = stage.world.shopify
    if label.status != "CANCELLED":
        shop.update_tracking(label, company="UPS", number=number)
        return
    again = next(one for one in stage.shopify_order().fulfillment_orders if one.remaining)
    shop.fulfill(again, company="UPS", number=number, display_status="LABEL_PURCHASED")


@pytest.mark.parametrize("one_by_one", [True, False])
def test_an_order_shipped_in_the_portal_whose_units_are_held_is_a_case_until_they_left(
    theatre: Theatre, one_by_one: bool
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        shop = stage.world.shopify
        shop.set_quantity(stage.shopify_order(), 0, 9)  # more than was sold: held, and a person is asked
        await stage.until(600)
        stage.marketplace.portal_ship(stage.order.id)
        shop.set_quantity(stage.shopify_order(), 0, stage.order.lines[0].quantity)
        await stage.until(1000)
        (row,) = open_cases(stage)
        assert row.reason == Reason.STILL_HERE.value
        assert shop.release_holds(stage.shopify_order()) > 0
        leave(stage, "1Z-LATE")

    seen = theatre.tell(story, ONE_BY_ONE if one_by_one else marketplace("all-or-nothing"), 1500)

    assert seen.stage.order.state == "SHIPPED"
    assert seen.open_reasons == []
    assert sum(seen.marketplace_calls(code) for code in ("ST01", "OR24")) == 0


def test_what_is_cancelled_of_an_order_whose_other_parcel_left_is_held(theatre: Theatre) -> None:
    """The marketplace counts the order as shipped as soon as nothing else of it is left to ship."""

    async def story(stage: Stage) -> None:
        await stage.until(400)
        mugs, kettle = stage.order.lines
        leave(stage, "1Z1", MUG_BLUE=mugs.quantity)
        await stage.until(700)
        stage.marketplace.cancel_line(stage.order.id, kettle.id, quantity=kettle.quantity)
        assert stage.order.state == "SHIPPED"
        await stage.until(1100)
        assert [row.reason for row in open_cases(stage)] == [Reason.MARKETPLACE_CHANGED.value]
        (waiting,) = [one for one in stage.shopify_order().fulfillment_orders if one.remaining]
        assert waiting.holds
        stage.world.shopify.set_quantity(stage.shopify_order(), 1, 0)

    seen = theatre.tell(story, ONE_BY_ONE, 1500)

    assert seen.open_reasons == []
    assert told(seen.stage) == [("SHIPPED", "UPS", "1Z1", {"MUG-BLUE": 3})]


def test_what_was_told_in_the_portal_is_not_told_twice(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        mug = next(line for line in stage.order.lines if line.sku == "MUG-BLUE")
        stage.marketplace.portal_ship(stage.order.id, {mug.id: 2}, carrier_code="UPS", number="1Z1")
        leave(stage, "1Z1", MUG_BLUE=2)
        await stage.until(700)
        assert len(told(stage)) == 1
        leave(stage, "1Z2")

    seen = theatre.tell(story, ONE_BY_ONE, 1200)

    assert [(row[2], row[3]) for row in told(seen.stage)] == [
        ("1Z1", {"MUG-BLUE": 2}),
        ("1Z2", {"MUG-BLUE": 1, "KETTLE-1L": 1}),
    ]
    assert seen.stage.order.state == "SHIPPED"
    assert seen.open_reasons == []
    assert "told of a parcel's units already" in seen.timeline


def test_a_shipment_somebody_made_in_the_portal_waits_for_them(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        market, order = stage.marketplace, stage.order
        mug = next(line for line in order.lines if line.sku == "MUG-BLUE")
        made = market.shipments.create(order, {mug.id: 1}, market.clock.now(), "staff")
        leave(stage, "1Z1", MUG_BLUE=1)
        await stage.until(800)
        assert [row.reason for row in open_cases(stage)] == [Reason.SHIPMENT_IN_PORTAL.value]
        market.portal_validate(made.id)

    seen = theatre.tell(story, ONE_BY_ONE, 1400)

    assert len(told(seen.stage)) == 1
    assert seen.open_reasons == []
    assert seen.marketplace_calls("ST01") == 0


def test_a_parcel_that_is_taken_back_in_time_is_taken_back_at_the_marketplace(theatre: Theatre) -> None:
    """Between ST01 and ST24 a shipment can still be deleted (ST06)."""
    faults = Broken(Fault("server_error", status=503), "ST24")

    async def story(stage: Stage) -> None:
        await stage.until(400)
        faults.active = True
        parcel = leave(stage, "1Z1", MUG_BLUE=1)
        await stage.until(500)
        assert [row[0] for row in told(stage)] == ["SHIPPING"]
        stage.world.shopify.cancel_fulfillment(parcel)
        await stage.until(800)
        faults.active = False
        assert told(stage) == []
        leave(stage, "1Z2")
        leave(stage, "1Z3")

    seen = theatre.tell(story, ONE_BY_ONE, 1500, mirakl_faults=faults)

    assert [row[2] for row in told(seen.stage)] == ["1Z2", "1Z3"]
    assert seen.stage.order.state == "SHIPPED"
    assert seen.open_reasons == []


def test_a_parcel_that_comes_back_is_an_incident_until_it_leaves_anew(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        parcel = leave(stage, "1Z1", MUG_BLUE=1)
        await stage.until(600)
        assert [row[0] for row in told(stage)] == ["SHIPPED"]
        stage.world.shopify.cancel_fulfillment(parcel)
        await stage.until(900)
        assert [row.reason for row in open_cases(stage)] == [Reason.FULFILLMENT_CANCELLED.value]
        leave(stage, "1Z2", MUG_BLUE=1)

    seen = theatre.tell(story, ONE_BY_ONE, 1400)

    assert [(row[0], row[2]) for row in told(seen.stage)] == [("SHIPPED", "1Z2")]
    assert seen.marketplace_calls("ST01") == 1
    assert seen.open_reasons == []


def test_cancelled_units_are_never_told_of(theatre: Theatre) -> None:
    """The operator cancels a line while its parcel leaves; the other parcel of the order is told of all the same."""

    async def story(stage: Stage) -> None:
        await stage.until(400)
        kettle = next(line for line in stage.order.lines if line.sku == "KETTLE-1L")
        leave(stage, "1Z1", MUG_BLUE=3)
        stage.marketplace.cancel_line(stage.order.id, kettle.id)
        leave(stage, "1Z2", KETTLE_1L=1)

    seen = theatre.tell(story, ONE_BY_ONE, 1200)

    assert [row[3] for row in told(seen.stage)] == [{"MUG-BLUE": 3}]
    assert Reason.SHIPPED_ON_DISAGREEMENT.value in seen.open_reasons


def test_a_key_that_may_not_read_shipments_sends_nothing(theatre: Theatre) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        key = stage.marketplace.keys[stage.marketplace.api_key]
        stage.marketplace.keys[stage.marketplace.api_key] = replace(key, denied=("ST11",))
        leave(stage, "1Z1", MUG_BLUE=1)
        await stage.until(900)
        assert [case.reason for case in open_cases(stage)] == [Reason.SHIPMENTS_HIDDEN.value]
        assert not [call for call in stage.marketplace.record.calls if call.operation == "ST01"]
        stage.marketplace.keys[stage.marketplace.api_key] = key

    seen = theatre.tell(story, ONE_BY_ONE, 3000)

    assert seen.open_reasons == []
    assert seen.marketplace_calls("ST01") == 1


def test_where_it_was_switched_off_since_the_order_is_told_of_as_a_whole(theatre: Theatre) -> None:
    """The shipment operations answer 404 then (Mirakl reference, section 6), before PC01 is read again."""

    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.marketplace.change_profile({"multi_shipment": False})
        leave(stage, "1Z1")

    seen = theatre.tell(story, ONE_BY_ONE, 900)

    assert seen.stage.order.state == "SHIPPED"
    assert (seen.marketplace_calls("ST01"), seen.marketplace_calls("OR24")) == (0, 1)
    assert seen.open_reasons == []


def test_a_parcel_the_operators_logistics_should_fetch_is_a_case(theatre: Theatre) -> None:
    """can_shop_ship is false and the shipment exists already (Mirakl reference 3.5)."""

    async def story(stage: Stage) -> None:
        await stage.until(400)
        stage.marketplace.operator_takes(stage.order.id)
        leave(stage, "1Z1")
        await stage.until(2400)
        assert [case.reason for case in open_cases(stage)] == [Reason.OPERATOR_SHIPS.value]
        assert only(stage).status == "SHIPPING"
        stage.marketplace.portal_validate(only(stage).id)

    seen = theatre.tell(story, ONE_BY_ONE, 4000)

    assert seen.open_reasons == []
    assert seen.marketplace_calls("ST01") == 0


def test_payment_on_shipment_is_waited_for(theatre: Theatre) -> None:
    """A shipment sits in SHIPMENT_PREPARED until the customer has paid for it (Mirakl reference 3.6)."""

    async def story(stage: Stage) -> None:
        await stage.until(400)
        leave(stage, "1Z1", MUG_BLUE=1)
        await stage.until(600)
        assert [row[0] for row in told(stage)] == ["SHIPMENT_PREPARED"]
        leave(stage, "1Z2")

    profile = marketplace("automatic", multi_shipment=True, debit_delay=900.0)
    seen = theatre.tell(story, profile, 2400)

    assert [row[0] for row in told(seen.stage)] == ["SHIPPED", "SHIPPED"]
    assert seen.stage.order.state == "SHIPPED"
    assert seen.open_reasons == []


@pytest.mark.parametrize("number", ["📦 12", "9" * 500])
def test_a_number_that_can_be_none_stops_its_own_parcel_only(theatre: Theatre, number: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(400)
        parcel = leave(stage, number, MUG_BLUE=1)
        leave(stage, " 1Z 1 ", KETTLE_1L=1)
        await stage.until(800)
        assert [row.reason for row in open_cases(stage)] == [Reason.TRACKING_UNUSABLE.value]
        assert [row[2] for row in told(stage)] == ["1Z1"]
        stage.world.shopify.update_tracking(parcel, company="UPS", number="1Z2")

    seen = theatre.tell(story, ONE_BY_ONE, 1300)

    assert [row[2] for row in told(seen.stage)] == ["1Z1", "1Z2"]
    assert seen.open_reasons == []
