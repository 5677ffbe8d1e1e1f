"""Shipments of the simulated marketplace: ST01, ST06, ST11, ST12, ST23 and ST24, the portal, and the operator's logistics."""

from typing import Any

import pytest

from interlock.simulator.mirakl import ActionRefused, SimOrder
from tests.simulator.mirakl.seller import Seller


def ready(seller: Seller, *quantities: int) -> SimOrder:
    """An order of these quantities that is to be shipped."""
    order = seller.world.create_generated(lines=len(quantities) or 1, quantities=list(quantities) or [2])
    assert order.state == "SHIPPING"
    return order


def a_parcel(order: SimOrder, quantity: int = 1, line: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "order_id": order.id,
        "shipment_lines": [{"order_line_id": order.lines[line].id, "quantity": quantity}],
        "tracking": {"carrier_code": "UPS", "tracking_number": "1Z"},
        "invoice_reference": "IL-1",
        **fields,
    }


def made(seller: Seller, *parcels: dict[str, Any]) -> list[dict[str, Any]]:
    answer = seller.call("POST", "/api/shipments", {"shipments": list(parcels)})
    assert answer.status_code == 201, answer.text
    found: list[dict[str, Any]] = answer.json()["shipment_success"]
    return found


def on(seller: Seller, verb: str, *ids: str) -> dict[str, Any]:
    answer = seller.put(f"/api/shipments/{verb}", {"shipments": [{"id": one} for one in ids]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(seller: Seller, **params: Any) -> list[dict[str, Any]]:
    answer = seller.get("/api/shipments", **params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/shipments"),
        ("GET", "/api/shipments"),
        ("PUT", "/api/shipments/delete"),
        ("PUT", "/api/shipments/ship"),
        ("POST", "/api/shipments/tracking"),
        ("GET", "/api/shipments/items_to_ship"),
    ],
)
def test_without_multi_shipment_every_operation_is_404(method: str, path: str) -> None:
    """Section 6, from Mirakl's own connector."""
    body = {"shipments": [{"id": "x"}]} if method != "GET" else None
    assert Seller().call(method, path, body).status_code == 404


def test_a_shipment_is_made_read_by_its_marker_and_shipped() -> None:
    """Section 6: ST01 answers 201 with a UUID, ST11 shows the invoice reference, ST24 ships what is in SHIPPING."""
    seller = Seller("all-or-nothing", multi_shipment=True, payment_workflow="PAY_ON_DELIVERY")
    order = seller.world.create_generated(lines=1, quantities=[2])
    seller.accept(order)

    (one,) = made(seller, a_parcel(order))
    assert (one["status"], one["invoice_reference"], one["order_id"]) == ("SHIPPING", "IL-1", order.id)
    assert len(one["id"]) == 36
    assert (
        listed(seller, order_id=order.id)[0]["tracking"]["tracking_url"] == "https://track.ups.example/?n=1Z"
    )
    assert on(seller, "ship", one["id"])["shipment_success"] == [{"id": one["id"]}]
    assert (listed(seller)[0]["status"], order.state) == ("SHIPPED", "SHIPPING")
    assert "must be 'SHIPPING'" in on(seller, "ship", one["id"])["shipment_errors"][0]["message"]

    (rest,) = made(seller, a_parcel(order, shipped=True))
    assert rest["status"] == "SHIPPED"
    assert order.state == "SHIPPED"


def test_errors_stand_inside_a_success_item_by_item() -> None:
    """Section 1.8: no index, no line: errors of ST01 name the order alone, the others the shipment."""
    seller = Seller(multi_shipment=True)
    order = ready(seller, 2)
    answer = seller.call(
        "POST",
        "/api/shipments",
        {"shipments": [a_parcel(order), a_parcel(order, 2), {**a_parcel(order), "order_id": "nowhere"}]},
    )

    assert answer.status_code == 201
    assert len(answer.json()["shipment_success"]) == 1
    assert [error["order_id"] for error in answer.json()["shipment_errors"]] == [order.id, "nowhere"]
    assert answer.json()["shipment_errors"][0]["message"] == "Shipment quantity is invalid."
    assert on(seller, "delete", "nothing")["shipment_errors"] == [
        {"id": "nothing", "message": "There is no shipment with the id 'nothing'."}
    ]


def test_a_repeat_makes_another_shipment_while_enough_is_left() -> None:
    """Section 1.9."""
    seller = Seller(multi_shipment=True)
    order = ready(seller, 2)
    assert len({made(seller, a_parcel(order))[0]["id"] for _ in range(2)}) == 2
    answer = seller.call("POST", "/api/shipments", {"shipments": [a_parcel(order)]})
    assert (answer.status_code, answer.json()["shipment_success"]) == (201, [])


def test_only_a_shipment_that_has_not_left_can_be_deleted_and_its_units_are_to_ship_again() -> None:
    """Sections 3.6 and 6 (ST06, ST12)."""
    seller = Seller(multi_shipment=True, payment_workflow="PAY_ON_DELIVERY")
    order = ready(seller, 2, 1)
    first, second = made(seller, a_parcel(order, 2), a_parcel(order, 1, line=1))
    assert seller.get("/api/shipments/items_to_ship", order_id=order.id).json()["data"] == []
    on(seller, "ship", second["id"])

    assert on(seller, "delete", first["id"])["shipment_success"] == [{"id": first["id"]}]
    assert "must be 'SHIPPING'" in on(seller, "delete", second["id"])["shipment_errors"][0]["message"]
    (row,) = seller.get("/api/shipments/items_to_ship", order_id=order.id).json()["data"]
    assert [line["quantity"] for line in row["shipment_lines"]] == [2]
    assert [one["status"] for one in listed(seller, order_id=order.id)] == ["CANCELED", "SHIPPED"]


@pytest.mark.parametrize(("switch", "taken"), [("allowed", True), ("refused", False)])
def test_whether_a_tracking_is_taken_after_the_dispatch_is_a_switch(switch: str, taken: bool) -> None:
    """Sections 1.9 and 6 (ST23)."""
    seller = Seller(
        multi_shipment=True, payment_workflow="PAY_ON_DELIVERY", switches={"st23_after_shipped": switch}
    )
    order = ready(seller, 2)
    (one,) = made(seller, a_parcel(order))
    on(seller, "ship", one["id"])
    tracking = {"carrier_name": "Van", "tracking_number": "7", "tracking_url": "https://van.example/7"}
    answer = seller.call(
        "POST", "/api/shipments/tracking", {"shipments": [{"id": one["id"], "tracking": tracking}]}
    )

    assert answer.status_code == 200
    assert bool(answer.json()["shipment_success"]) is taken
    assert listed(seller)[0]["tracking"]["tracking_number"] == ("7" if taken else "1Z")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tracking": {"carrier_code": "NOBODY"}}, "not registered"),
        ({"tracking": {"tracking_number": "1"}}, "carrier_code or carrier_name"),
        ({"shipping_from": {"warehouse": {"code": "NOWHERE"}}}, "Warehouse code 'NOWHERE'"),
        ({"shipment_lines": [{"order_line_id": "other", "quantity": 1}]}, "Shipment line is invalid"),
    ],
)
def test_a_shipment_that_cannot_be_is_an_item_error(fields: dict[str, Any], words: str) -> None:
    """Section 1.8 and the carrier rules at the end of section 6."""
    seller = Seller(multi_shipment=True)
    order = ready(seller, 2)
    answer = seller.call("POST", "/api/shipments", {"shipments": [{**a_parcel(order), **fields}]})

    assert answer.status_code == 201
    assert words in answer.json()["shipment_errors"][0]["message"]
    assert order.shipments == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"shipments": []},
        {"shipments": [{"order_id": ""}]},
        {"shipments": [{"order_id": "x", "shipment_lines": []}]},
        {"shipments": [{"order_id": "x", "shipment_lines": [{"order_line_id": "y", "quantity": 0}]}]},
        {
            "shipments": [
                {
                    "order_id": "x",
                    "shipment_lines": [{"order_line_id": "y", "quantity": 1}],
                    "invoice_reference": "a b",
                }
            ]
        },
    ],
)
def test_a_body_the_contract_does_not_allow_is_400(wrong: dict[str, Any]) -> None:
    """Section 6 (ST01: required members, 1,000 shipments, `invoice_reference` without blanks) and 1.7 (400)."""
    seller = Seller(multi_shipment=True)
    assert seller.call("POST", "/api/shipments", wrong).status_code == 400


def test_tracking_must_be_there_where_the_shipping_method_demands_it() -> None:
    """Section 6, rule 4 (SH12 `mandatory_tracking`)."""
    seller = Seller("all-or-nothing", multi_shipment=True, payment_workflow="PAY_ON_DELIVERY")
    order = seller.world.create_generated(lines=1, quantities=[2])
    seller.accept(order)
    bare = {key: value for key, value in a_parcel(order).items() if key != "tracking"}

    (one,) = made(seller, bare)
    assert "mandatory" in on(seller, "ship", one["id"])["shipment_errors"][0]["message"]
    answer = seller.call("POST", "/api/shipments", {"shipments": [{**bare, "shipped": True}]})
    assert "mandatory" in answer.json()["shipment_errors"][0]["message"]


def test_under_payment_on_shipment_a_shipment_is_prepared_until_it_is_debited() -> None:
    """Section 3.6: SHIPMENT_PREPARED only for pay-on-shipment."""
    seller = Seller(multi_shipment=True)
    order = ready(seller, 2)
    (one,) = made(seller, a_parcel(order, 2))
    on(seller, "ship", one["id"])
    assert (listed(seller)[0]["status"], order.state) == ("SHIPMENT_PREPARED", "SHIPPING")
    assert listed(seller)[0]["status_customer_debit"] == "WAITING_DEBIT_CONFIRMATION"
    seller.world.advance(600)
    assert (listed(seller)[0]["status"], order.state) == ("SHIPPED", "SHIPPED")
    assert order.debited is not None


@pytest.mark.parametrize(("switch", "state"), [("shipped", "SHIPPED"), ("stays_shipping", "SHIPPING")])
def test_an_order_whose_rest_is_cancelled_is_shipped_or_not(switch: str, state: str) -> None:
    """Section 3.2: undocumented, a switch."""
    seller = Seller(
        multi_shipment=True,
        payment_workflow="PAY_ON_DELIVERY",
        switches={"order_after_rest_cancelled": switch},
    )
    order = ready(seller, 2, 1)
    (one,) = made(seller, a_parcel(order, 2))
    on(seller, "ship", one["id"])
    seller.world.cancel_order(order.id)

    assert [line.canceled_quantity for line in order.lines] == [0, 1]
    assert order.state == state
    with pytest.raises(ActionRefused):
        seller.world.cancel_line(order.id, order.lines[0].id)


@pytest.mark.parametrize(("switch", "status"), [("works", 204), ("refused", 400)])
def test_whether_whole_orders_can_still_be_shipped_is_a_switch(switch: str, status: int) -> None:
    """Sections 6 and 15.6: undocumented."""
    seller = Seller(multi_shipment=True, switches={"or24_with_multi_shipment": switch})
    order = ready(seller, 2)
    tracking = {"carrier_code": "UPS", "tracking_number": "1"}
    assert seller.put(f"/api/orders/{order.id}/tracking", tracking).status_code == status
    assert seller.put(f"/api/orders/{order.id}/ship").status_code == status


def test_the_portal_ships_a_part_and_validates_what_others_made() -> None:
    """Sections 3.6 and 6 (ST24): a shipment is SHIPPED once validated, whoever made it."""
    seller = Seller(multi_shipment=True, payment_workflow="PAY_ON_DELIVERY")
    order = ready(seller, 2)
    seller.world.portal_ship(order.id, {order.lines[0].id: 1}, carrier_code="UPS", number="1")
    (one,) = made(seller, a_parcel(order))
    seller.world.portal_validate(one["id"])

    assert [shipment.by for shipment in order.shipments] == ["staff", "api:shop"]
    assert order.state == "SHIPPED"
    with pytest.raises(ActionRefused):
        seller.world.portal_ship(order.id)


def test_the_operators_logistics_takes_the_order_from_the_shop() -> None:
    """Section 3.5: shipments exist already, ST12 is empty, can_shop_ship is false."""
    seller = Seller(multi_shipment=True)
    order = ready(seller, 2)
    seller.world.operator_takes(order.id)

    assert seller.read(order)["can_shop_ship"] is False
    assert seller.get("/api/shipments/items_to_ship", order_id=order.id).json()["data"] == []
    (theirs,) = listed(seller, order_id=order.id)
    assert "cannot ship" in on(seller, "ship", theirs["id"])["shipment_errors"][0]["message"]
    answer = seller.call("POST", "/api/shipments", {"shipments": [a_parcel(order)]})
    assert "cannot ship" in answer.json()["shipment_errors"][0]["message"]


def test_shipments_come_in_pages_and_by_state() -> None:
    """Section 1.3, seek pagination."""
    seller = Seller(multi_shipment=True)
    order = ready(seller, 5)
    ids = {made(seller, a_parcel(order))[0]["id"] for _ in range(5)}
    seen: set[str] = set()
    params: dict[str, Any] = {"limit": 2, "order_id": order.id}
    while True:
        page = seller.get("/api/shipments", **params).json()
        seen |= {row["id"] for row in page["data"]}
        if not page.get("next_page_token"):
            break
        params = {"page_token": page["next_page_token"]}

    assert seen == ids
    assert len(listed(seller, shipment_state_code="SHIPPING")) == 5
    assert seller.get("/api/shipments", shipment_state_code="ELSEWHERE").status_code == 400


def test_people_act_over_the_control_endpoints_too() -> None:
    seller = Seller(multi_shipment=True, payment_workflow="PAY_ON_DELIVERY")
    order, other = ready(seller, 2), ready(seller, 1)
    body: dict[str, Any] = {
        "order_id": order.id,
        "units": {order.lines[0].id: 1},
        "carrier_code": "UPS",
        "number": "1",
    }
    assert seller.call("POST", "/_sim/orders/ship", body).status_code == 200
    (one,) = made(seller, a_parcel(order))
    assert (
        seller.call("POST", "/_sim/shipments/validate", {"shipment_id": one["id"]}).json()["order_state"]
        == "SHIPPED"
    )
    assert seller.call("POST", "/_sim/orders/operator", {"order_id": other.id}).status_code == 200
    wrong = seller.call("POST", "/_sim/orders/ship", {"order_id": order.id, "units": {"x": "1"}})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "units")
    shown = seller.get(f"/_sim/orders/{other.id}").json()
    assert (shown["operator_ships"], [s["by"] for s in shown["shipments"]]) == (True, ["operator"])
