"""Fulfilment services, labels, and fulfilment orders that split, move and wait."""

from collections.abc import Callable
from typing import Any

import pytest

from interlock.simulator.shopify import ShopifyWorld
from interlock.simulator.shopify.fulfillment import supported_actions
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import FulfillmentOrder, Service
from tests.simulator.shopify.conftest import Client, Receiver, settle

MakeWorld = Callable[..., ShopifyWorld]


def service_order(world: ShopifyWorld, behaviour: Service | None = None, units: int = 2) -> FulfillmentOrder:
    """The fulfilment order of an order whose stock a fulfilment service keeps."""
    location = world.add_location("Warehouse of others", fulfillment_service=True)
    if behaviour is not None:
        world.run_service(location, behaviour)
    world.add_variant("SOFA", "99.00", 10, location=location)
    return world.customer_order([("SOFA", units)]).fulfillment_orders[0]


def actions(world: ShopifyWorld, parcel: FulfillmentOrder) -> list[str]:
    return supported_actions(parcel, world.main_app, world.switches)


def subscribed(client: Client, *topics: str) -> None:
    for topic in topics:
        made = client.data(
            "mutation($topic: WebhookSubscriptionTopic!, $sub: WebhookSubscriptionInput!) {"
            " webhookSubscriptionCreate(topic: $topic, webhookSubscription: $sub) { userErrors { message } } }",
            topic=topic,
            sub={"uri": "https://app.example/hooks", "format": "JSON"},
        )
        assert made["webhookSubscriptionCreate"]["userErrors"] == []


def shown(client: Client, parcel: FulfillmentOrder) -> dict[str, Any]:
    found: dict[str, Any] = client.data(
        "query($id: ID!) { fulfillmentOrder(id: $id) { status requestStatus"
        " assignedLocation { location { isFulfillmentService } }"
        " merchantRequests(first: 5, kind: CANCELLATION_REQUEST) { nodes { kind message sentAt } } } }",
        id=parcel.gid,
    )["fulfillmentOrder"]
    return found


def test_what_a_service_accepted_cannot_be_held_and_can_only_be_asked_back(world: ShopifyWorld) -> None:
    """Reference 10.2 and 10.4: a hold cannot recall what a third party accepted."""
    parcel = service_order(world)
    assert "REQUEST_FULFILLMENT" in actions(world, parcel)
    world.request_fulfillment(parcel)
    assert (parcel.status, parcel.request) == ("OPEN", "SUBMITTED")
    world.service_accepts(parcel)
    assert (parcel.status, parcel.request) == ("IN_PROGRESS", "ACCEPTED")
    assert "HOLD" not in actions(world, parcel)
    assert "REQUEST_CANCELLATION" in actions(world, parcel)
    with pytest.raises(Refused):
        world.place_hold(parcel)


@pytest.mark.parametrize(("value", "offered"), [("offered", True), ("not_offered", False)])
def test_whether_a_submitted_request_can_be_held_is_a_switch(
    make_world: MakeWorld, value: str, offered: bool
) -> None:
    """Reference 10.4, [?]; and held or not, the service ships what it accepts."""
    world = make_world(switched={"hold_of_submitted_request": value})
    parcel = service_order(world)
    world.request_fulfillment(parcel)
    assert ("HOLD" in actions(world, parcel)) is offered
    if offered:
        world.place_hold(parcel)
        world.service_accepts(parcel)
        world.service_ships(parcel)
        assert parcel.order.fulfillment_status == "FULFILLED"


def test_right_after_a_cancellation_request_the_status_still_reads_accepted(
    world: ShopifyWorld, client: Client
) -> None:
    """Recorded, reference 10.1: only the list of merchant requests tells."""
    parcel = service_order(world)
    world.request_fulfillment(parcel)
    world.service_accepts(parcel)
    answer = client.data(
        "mutation($id: ID!) { fulfillmentOrderSubmitCancellationRequest(id: $id, message: $m) {"
        " fulfillmentOrder { requestStatus } userErrors { message } } }".replace(
            "($id: ID!)", "($id: ID!, $m: String)", 1
        ),
        id=parcel.gid,
        m="Changed",
    )["fulfillmentOrderSubmitCancellationRequest"]
    assert (answer["fulfillmentOrder"]["requestStatus"], answer["userErrors"]) == ("ACCEPTED", [])
    found = shown(client, parcel)
    assert found["requestStatus"] == "ACCEPTED"
    assert [asked["message"] for asked in found["merchantRequests"]["nodes"]] == ["Changed"]
    assert found["assignedLocation"]["location"]["isFulfillmentService"] is True
    world.service_rejects(parcel)
    assert shown(client, parcel)["requestStatus"] == "CANCELLATION_REJECTED"


def test_a_cancellation_request_may_show_after_a_while(make_world: MakeWorld) -> None:
    """Reference 10.1: right after a cancellation request `requestStatus` still reads ACCEPTED; for how long, nobody knows."""
    world = make_world(switched={"cancellation_request_shows": "after_seconds"})
    parcel = service_order(world)
    world.request_fulfillment(parcel)
    world.service_accepts(parcel)
    world.ask_to_cancel(parcel)
    now = world.clock.now
    assert parcel.request_status(now()) == "ACCEPTED"
    world.advance(60)
    assert parcel.request_status(now()) == "CANCELLATION_REQUESTED"


@pytest.mark.parametrize(
    ("value", "parcels"),
    [
        ("reopens_same", [("OPEN", "CANCELLATION_ACCEPTED", 2)]),
        ("closes_and_reopens", [("CLOSED", "CANCELLATION_ACCEPTED", 0), ("OPEN", "UNSUBMITTED", 2)]),
    ],
)
def test_what_a_service_gives_back_can_be_held_again(
    make_world: MakeWorld, value: str, parcels: list[tuple[str, str, int]]
) -> None:
    """Reference 10.1 (`CANCELLATION_ACCEPTED`; ids are not stable) and 10.5, row 3; which of the two happens is a switch."""
    world = make_world(switched={"accepted_cancellation": value})
    parcel = service_order(world)
    world.request_fulfillment(parcel)
    world.service_accepts(parcel)
    world.ask_to_cancel(parcel)
    world.service_accepts(parcel)
    found = parcel.order.fulfillment_orders
    assert [(item.status, item.request, item.remaining) for item in found] == parcels
    world.place_hold(found[-1])
    assert found[-1].status == "ON_HOLD"


@pytest.mark.parametrize(
    ("behaviour", "request_left", "shipped"),
    [
        (Service(True, answers_after=30, cancellation="ignores", ships_after=600), "CLOSED", True),
        (Service(True, accepts=False, answers_after=30), "REJECTED", False),
        (Service(True), "SUBMITTED", False),
        (Service(False, answers_after=30), "UNSUBMITTED", False),
    ],
)
def test_a_service_behaves_by_itself(
    world: ShopifyWorld, behaviour: Service, request_left: str, shipped: bool
) -> None:
    """Reference 10.1: the values of `requestStatus` in their order; 10.4: a service ships what it was given."""
    parcel = service_order(world, behaviour)
    settle(world)
    assert parcel.request == request_left
    assert (parcel.order.fulfillment_status == "FULFILLED") is shipped
    by = [effect.actor for effect in world.record.effects if effect.kind == "fulfillment_created"]
    assert by == (["service"] if shipped else [])


@pytest.mark.parametrize(
    ("cancellation", "request_left", "shipped"),
    [("accepts", "CANCELLATION_ACCEPTED", False), ("rejects", "CLOSED", True), ("ignores", "CLOSED", True)],
)
def test_a_service_answers_a_cancellation_in_its_own_time(
    world: ShopifyWorld, cancellation: str, request_left: str, shipped: bool
) -> None:
    """Reference 10.1 (CANCELLATION_REQUESTED to CANCELLATION_ACCEPTED or CANCELLATION_REJECTED) and 10.5, row 3."""
    behaviour = Service(
        True, answers_after=10, cancellation=cancellation, cancellation_after=60, ships_after=300
    )
    parcel = service_order(world, behaviour)
    settle(world, 20)
    world.ask_to_cancel(parcel)
    settle(world)
    assert parcel.request == request_left
    assert (parcel.order.fulfillment_status == "FULFILLED") is shipped


def test_each_step_of_a_request_is_announced(world: ShopifyWorld, client: Client, receiver: Receiver) -> None:
    """Topics of reference 9.3; none of them names the order."""
    steps = ("FULFILLMENT_REQUEST_SUBMITTED", "FULFILLMENT_REQUEST_ACCEPTED", "CANCELLATION_REQUEST_REJECTED")
    subscribed(client, *(f"FULFILLMENT_ORDERS_{step}" for step in steps))
    parcel = service_order(world)
    world.request_fulfillment(parcel)
    world.service_accepts(parcel)
    world.ask_to_cancel(parcel)
    world.service_rejects(parcel)
    settle(world)
    assert sorted(receiver.topics()) == sorted(f"fulfillment_orders/{step.lower()}" for step in steps)
    assert all(b"order_id" not in body for _, _, body in receiver.got)


def test_a_held_order_is_not_submitted(world: ShopifyWorld) -> None:
    """Reference 10.4: a hold stops requests to fulfilment services."""
    parcel = service_order(world)
    world.place_hold(parcel)
    with pytest.raises(Refused):
        world.request_fulfillment(parcel)


# Labels


def parcel_of(world: ShopifyWorld, units: int = 2) -> FulfillmentOrder:
    return world.customer_order([("SKU-A", units)]).fulfillment_orders[0]


def test_a_bought_label_is_a_fulfilment_after_a_blind_window(world: ShopifyWorld) -> None:
    """Reference 10.5: buying a label creates a fulfilment, and the purchase takes a moment."""
    parcel = parcel_of(world)
    world.buy_label(parcel, blind_seconds=20)
    assert (parcel.status, parcel.order.fulfillments) == ("OPEN", [])
    settle(world, 60)
    (shipment,) = parcel.order.fulfillments
    assert shipment.display_status == "LABEL_PURCHASED"
    world.print_label(shipment)
    assert shipment.display_status == "LABEL_PRINTED"


@pytest.mark.parametrize(
    ("value", "held", "labels"),
    [("both_stand", True, 1), ("hold_refused", False, 1), ("purchase_fails", True, 0)],
)
def test_a_hold_in_the_blind_window_is_a_switch(
    make_world: MakeWorld, value: str, held: bool, labels: int
) -> None:
    """Reference 17.7."""
    world = make_world(switched={"hold_during_label_purchase": value})
    parcel = parcel_of(world)
    world.buy_label(parcel, blind_seconds=20)
    if held:
        world.place_hold(parcel)
    else:
        with pytest.raises(Refused):
            world.place_hold(parcel)
    settle(world, 60)
    assert len(parcel.order.fulfillments) == labels


@pytest.mark.parametrize(
    ("value", "status"), [("fulfillment_stays", "SUCCESS"), ("fulfillment_cancelled", "CANCELLED")]
)
def test_a_voided_label_is_shown_as_such(make_world: MakeWorld, value: str, status: str) -> None:
    """Reference 10.5 and 11: `displayStatus` LABEL_VOIDED; what becomes of the fulfilment is a switch."""
    world = make_world(switched={"voided_label": value})
    parcel = parcel_of(world)
    world.buy_label(parcel)
    settle(world, 60)
    (shipment,) = parcel.order.fulfillments
    world.void_label(shipment)
    assert (shipment.display_status, shipment.status) == ("LABEL_VOIDED", status)
    with pytest.raises(Refused):
        world.void_label(shipment)


# Fulfilment orders that do not stay as they were


def test_a_split_leaves_two_and_the_new_one_is_not_held(world: ShopifyWorld) -> None:
    """Reference 10.1: ids are not stable; only an open fulfilment order can be split."""
    parcel = parcel_of(world, 3)
    made = world.split_fulfillment_order(parcel, [("SKU-A", 1)])
    assert (parcel.remaining, made.remaining, made.status) == (2, 1, "OPEN")
    world.place_hold(parcel)
    with pytest.raises(Refused):
        world.split_fulfillment_order(parcel, [("SKU-A", 1)])
    with pytest.raises(Refused):
        world.split_fulfillment_order(made, [("SKU-A", 1)])


@pytest.mark.parametrize("identity", ["new_id", "same_id"])
@pytest.mark.parametrize("holds", ["yes", "no"])
def test_a_held_fulfilment_order_is_moved(make_world: MakeWorld, identity: str, holds: str) -> None:
    """Reference 10.1 (a move closes and creates fulfilment orders) and 10.5 (`fulfillmentOrderMove`)."""
    world = make_world(switched={"moved_fulfillment_order": identity, "moved_keeps_holds": holds})
    other = world.add_location("Second warehouse")
    parcel = parcel_of(world)
    world.place_hold(parcel, handle="ours")
    moved = world.move_fulfillment_order(parcel, other)
    assert (moved is parcel) is (identity == "same_id")
    assert (moved.location is other, moved.remaining) == (True, 2)
    assert moved.status == ("ON_HOLD" if holds == "yes" else "OPEN")
    if moved is not parcel:
        assert (parcel.status, parcel.remaining) == ("CLOSED", 0)


def test_open_siblings_are_merged_and_held_ones_are_not(world: ShopifyWorld) -> None:
    """Reference 10.5 (`fulfillmentOrderMerge`) and 7.3: same location, status and delivery method."""
    parcel = parcel_of(world, 3)
    made = world.split_fulfillment_order(parcel, [("SKU-A", 1)])
    world.place_hold(made)
    with pytest.raises(Refused):
        world.merge_fulfillment_orders([parcel, made])
    world.release_holds(parcel.order)
    merged = world.merge_fulfillment_orders([parcel, made])
    assert (merged.remaining, made.status) == (3, "CLOSED")


@pytest.mark.parametrize(("value", "offered"), [("yes", True), ("no", False)])
def test_a_scheduled_fulfilment_order_opens_in_its_time(
    make_world: MakeWorld, value: str, offered: bool
) -> None:
    """Reference 10.1 (SCHEDULED before `fulfillAt`) and 10.5 (`fulfillmentOrderReschedule` only there)."""
    world = make_world(switched={"scheduled_holdable": value})
    parcel = parcel_of(world)
    world.schedule_fulfillment_order(parcel, 600)
    assert parcel.status == "SCHEDULED"
    assert ("HOLD" in actions(world, parcel)) is offered
    world.schedule_fulfillment_order(parcel, 1200)
    settle(world, 900)
    assert parcel.status == "SCHEDULED"
    settle(world, 600)
    assert parcel.status == "OPEN"


def test_reported_progress_can_be_held_and_taken_back(world: ShopifyWorld) -> None:
    """Recorded, reference 10.1 and 10.5."""
    parcel = parcel_of(world)
    world.report_progress(parcel)
    assert parcel.status == "IN_PROGRESS"
    assert "HOLD" in actions(world, parcel)
    with pytest.raises(Refused):
        world.move_fulfillment_order(parcel, world.add_location("Second warehouse"))
    world.stop_progress(parcel)
    assert parcel.status == "OPEN"


def test_what_happens_to_fulfilment_orders_is_announced(
    world: ShopifyWorld, client: Client, receiver: Receiver
) -> None:
    """Reference 9.3 and 9.4: the topics of fulfilment orders."""
    names = (
        "SPLIT",
        "MOVED",
        "MERGED",
        "RESCHEDULED",
        "SCHEDULED_FULFILLMENT_ORDER_READY",
        "PROGRESS_REPORTED",
    )
    subscribed(client, *(f"FULFILLMENT_ORDERS_{name}" for name in names))
    parcel = parcel_of(world, 3)
    made = world.split_fulfillment_order(parcel, [("SKU-A", 1)])
    merged = world.merge_fulfillment_orders([parcel, made])
    moved = world.move_fulfillment_order(merged, world.add_location("Second warehouse"))
    world.schedule_fulfillment_order(moved, 60)
    settle(world, 120)
    world.report_progress(moved)
    settle(world)
    assert sorted(receiver.topics()) == sorted(f"fulfillment_orders/{name.lower()}" for name in names)


def test_every_act_has_a_control_endpoint(world: ShopifyWorld, client: Client) -> None:
    """As docs/platforms/shopify-simulator.md lists them."""

    def sent(path: str, **given: Any) -> Any:
        answer = client.post(f"/_sim/{path}", given)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    sent("catalogue/location", name="Second warehouse")
    sent("catalogue/location", name="Warehouse of others")
    behaving = sent("service/behave", location="Warehouse of others", cancellation="rejects")
    assert behaving["cancellation"] == "rejects"
    order = sent("customer/order", lines=[{"sku": "SKU-A", "quantity": 3}])["name"]
    sent("staff/bundle", order=order, title="Set", parts=[{"sku": "SKU-B", "quantity": 1}])
    sent("staff/attributes", order=order, attributes={"gift": "yes"})
    sent("staff/unmark", order=order)
    sent("staff/email", order=order, email="one@relay.example")
    assert world.order(order).email == "one@relay.example"
    sent("staff/consent", order=order)
    assert world.shop.customer_of("one@relay.example").marketing == "SUBSCRIBED"
    sent("staff/email", order=order)
    assert client.post("/_sim/staff/consent", {"order": order}).status_code == 400
    sent("buyer/edit", order=order, quantities=[{"line": "SKU-B", "quantity": 2}])
    parcels = sent("warehouse/split", order=order, units=[{"sku": "SKU-A", "quantity": 1}])[
        "fulfillment_orders"
    ]
    assert [row["total"] for row in parcels[0]["lines"]] == [2]
    sent("warehouse/merge", order=order, fulfillment_orders=[0, len(parcels) - 1])
    sent("warehouse/schedule", order=order, seconds=600)
    sent("warehouse/open-scheduled", order=order)
    sent("warehouse/progress", order=order)
    sent("warehouse/stop-progress", order=order)
    moved = sent("warehouse/move", order=order, location="Warehouse of others")["fulfillment_orders"]
    place = next(index for index, row in enumerate(moved) if row["location"] == "Warehouse of others")
    for step in ("request", "accept", "ask-to-cancel", "reject", "ship"):
        sent(f"service/{step}", order=order, fulfillment_order=place)
    other = sent("customer/order", lines=[{"sku": "SKU-A", "quantity": 1}])["name"]
    sent("label/buy", order=other)
    sent("clock/advance", seconds=1)
    sent("label/print", order=other)
    assert sent("label/void", order=other)["fulfillments"][-1]["display_status"] == "LABEL_VOIDED"
    third = sent("customer/order", lines=[{"sku": "SKU-A", "quantity": 2}])["name"]
    sent("staff/duplicate", order=third)
    sent("app/split", order=third, units=[{"sku": "SKU-A", "quantity": 1}])
    copy = sent("app/copy", order=third, cancel_after=60)["name"]
    sent("app/merge", orders=[third, copy])
