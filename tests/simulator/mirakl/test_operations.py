"""Each modelled operation: its checks, answers and errors (reference, sections 1 and 5)."""

from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.mirakl.seller import Seller


def test_an_unknown_key_is_401_and_changes_nothing() -> None:
    """Section 1.7."""
    seller = Seller()
    seller.key = "Bearer something"
    assert seller.get("/api/orders").status_code == 401
    assert seller.world.record.calls[-1].caller == "unknown"


def test_a_missing_role_is_403_for_that_operation_only() -> None:
    """Section 1.1: 403 means the capability is missing."""
    seller = Seller()
    seller.key = seller.world.add_key("reader", denied=["OR24"])
    order = seller.world.create_generated()
    assert seller.put(f"/api/orders/{order.id}/ship").status_code == 403
    assert seller.get("/api/orders").status_code == 200


def test_another_shops_id_is_403() -> None:
    """Section 1.1: shop_id selects the shop."""
    seller = Seller()
    assert seller.get("/api/orders", shop_id=1).status_code == 403
    assert seller.get("/api/orders", shop_id=seller.world.shop_id).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("PUT", "/api/orders/adjust", "OR32"),
        ("PUT", "/api/shipments", "ST07"),
        ("GET", "/api/offers/1", "OF22"),
    ],
)
def test_an_operation_that_is_not_modelled_says_so(method: str, path: str, code: str) -> None:
    answer = Seller().call(method, path, {} if method != "GET" else None)
    assert answer.status_code == 501
    assert answer.json()["operation"] == code


# -- OR21 ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "VALIDATION_ERROR"),
        ([None], "ORDER_LINE_NULL_ELEMENT"),
        ([{"id": "1", "accepted": True}, {"id": "1", "accepted": True}], "ORDER_LINE_DUPLICATE_ID"),
        ([{"id": "nowhere", "accepted": True}], "ORDER_LINE_NOT_FOUND"),
        ([{"id": "LINE-1", "accepted": True}], "ORDER_LINE_ACCEPTANCE_DECISION_MISSING"),
        (
            [{"id": "LINE-1", "accepted": True}, {"id": "LINE-2", "accepted": False}],
            "ORDER_PARTIAL_ACCEPTANCE_DISABLED",
        ),
    ],
)
def test_or21_answers_its_published_codes(lines: list[Any], code: str) -> None:
    """OR21, section 5."""
    seller = Seller("all-or-nothing")
    order = seller.world.create_generated(lines=2)
    named = [
        {**line, "id": line["id"].replace("LINE-1", order.lines[0].id).replace("LINE-2", order.lines[1].id)}
        if line
        else line
        for line in lines
    ]
    answer = seller.put(f"/api/orders/{order.id}/accept", {"order_lines": named})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert order.state == "WAITING_ACCEPTANCE"


def test_or21_twice_is_an_invalid_state_and_an_unknown_order_404() -> None:
    """Section 1.9 and OR21."""
    seller = Seller("all-or-nothing")
    order = seller.world.create_generated()
    seller.accept(order)
    assert seller.accept(order).json()["code"] == "ORDER_INVALID_STATE"
    answer = seller.put("/api/orders/nothing-A/accept", {"order_lines": [{"id": "1", "accepted": True}]})
    assert (answer.status_code, answer.json()["code"]) == (404, "ORDER_NOT_FOUND")


def test_or21_may_refuse_one_line_where_partial_acceptance_is_on() -> None:
    """Section 12.14: a refused line keeps its own total and is not in the order's."""
    seller = Seller("hidden-address")
    order = seller.world.create_generated(lines=2)
    before = seller.read(order)
    assert seller.accept(order, True, False).status_code == 204
    after = seller.read(order)
    assert after["order_lines"][1]["order_line_state"] == "REFUSED"
    assert after["order_lines"][1]["total_price"] == before["order_lines"][1]["total_price"]
    assert after["total_price"] == before["order_lines"][0]["total_price"]


@pytest.mark.parametrize(
    ("shape", "keys"),
    [("message_status", {"message", "status"}), ("with_code", {"message", "status", "code"})],
)
def test_the_error_body_is_a_switch(shape: str, keys: set[str]) -> None:
    """Section 1.7 [?] and 15.1."""
    seller = Seller("automatic", switches={"error_body": shape})
    order = seller.world.create_generated()
    assert set(seller.accept(order).json()) == keys


def test_the_error_body_may_be_bare() -> None:
    """Section 1.7: old instances answer 400 without a reason."""
    seller = Seller("automatic", switches={"error_body": "bare"})
    answer = seller.accept(seller.world.create_generated())
    assert (answer.status_code, answer.content) == (400, b"")


# -- OR30 and OR29 -----------------------------------------------------------------------------------------


def _one_line(seller: Seller, quantity: int = 3) -> tuple[Any, dict[str, Any]]:
    order = seller.world.create_generated(skus=["KETTLE-1L"], quantities=[quantity])
    return order, seller.read(order)["order_lines"][0]


def test_or30_takes_the_amount_and_its_proportional_taxes() -> None:
    """OR30: amounts drive; PROPORTIONAL_TO_AMOUNT taxes are computed when they are left out."""
    seller = Seller("automatic")
    order, line = _one_line(seller)
    answer = seller.cancel(line["order_line_id"], str(line["price_unit"]))
    assert answer.status_code == 200
    cancelation = answer.json()["cancelations"][0]
    assert Decimal(str(cancelation["taxes"][0]["amount"])) == Decimal("8.33")
    shown = seller.read(order)
    assert shown["order_lines"][0]["cancelations"][0]["id"] == cancelation["cancelation_id"]
    assert shown["price"] == line["price"] - line["price_unit"]


@pytest.mark.parametrize(
    ("switch", "quantity", "shrinks"),
    [("unchanged", 3, False), ("shrinks", 2, True), ("price_only", 3, True)],
)
def test_whether_the_line_shrinks_after_or30_is_a_switch(switch: str, quantity: int, shrinks: bool) -> None:
    """Section 4.3 [?] and 15.2."""
    seller = Seller("automatic", switches={"line_after_cancelation": switch})
    order, line = _one_line(seller)
    seller.cancel(line["order_line_id"], str(line["price_unit"]))
    after = seller.read(order)["order_lines"][0]
    assert after["quantity"] == quantity
    assert (after["price"] == line["price"] - line["price_unit"]) is shrinks


def test_or30_again_makes_a_second_cancelation_while_amount_remains() -> None:
    """Section 1.9: nothing protects a repeat."""
    seller = Seller("automatic")
    order, line = _one_line(seller)
    body = str(line["price_unit"])
    assert seller.cancel(line["order_line_id"], body).status_code == 200
    assert seller.cancel(line["order_line_id"], body).status_code == 200
    assert len(seller.read(order)["order_lines"][0]["cancelations"]) == 2
    assert seller.cancel(line["order_line_id"], str(line["price"])).status_code == 400


def test_cancelling_everything_with_or30_cancels_the_order_and_leaves_no_money() -> None:
    """Section 12.14: cancelled amounts vanish from total_price and reappear in cancelations."""
    seller = Seller("automatic")
    order, line = _one_line(seller)
    answer = seller.cancel(
        line["order_line_id"], str(line["price"]), shipping_amount=str(line["shipping_price"]), quantity=3
    )
    assert answer.status_code == 200
    shown = seller.read(order)
    assert (shown["order_state"], shown["total_price"]) == ("CANCELED", 0)
    assert shown["order_lines"][0]["order_line_state"] == "CANCELED"


def test_three_unit_cancelations_take_exactly_what_the_line_had() -> None:
    """Section 7, notes: the last partial takes the remainder, tax included."""
    seller = Seller("hidden-address", payment_workflow="PAY_ON_DELIVERY")
    order = seller.world.create_generated(skus=["BOARD-L"], quantities=[3])
    seller.accept(order)
    line = order.lines[0]
    for _ in range(3):
        entry = [
            {"code": tax.code, "amount": str(tax.amount / 3)} for tax in line.taxes if tax.rule == "NONE"
        ]
        assert seller.cancel(line.id, str(line.price_unit), taxes=entry).status_code == 200
    left = line.net()
    assert left.product_with_tax == 0
    assert left.product == 0


def test_a_none_tax_is_cancelled_only_when_it_is_sent() -> None:
    """OR28/OR30: `NONE` taxes are not given back unless sent."""
    seller = Seller("hidden-address", payment_workflow="PAY_ON_DELIVERY")
    order = seller.world.create_generated(skus=["BOARD-L"], quantities=[2])
    seller.accept(order)
    answer = seller.cancel(order.lines[0].id, str(order.lines[0].price_unit))
    assert [tax["code"] for tax in answer.json()["cancelations"][0]["taxes"]] == ["STATE"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"reason_code": "15"}, "not a cancelation reason"),
        ({"reason_code": "36"}, "not a cancelation reason"),
        ({"currency_iso_code": "USD"}, "currency"),
        ({"quantity": None}, "quantity"),
        ({"amount": None}, "amount"),
        ({"amount": "-1"}, "negative"),
        ({"amount": "NaN"}, "number"),
        ({"amount": 0}, "Nothing"),
        ({"taxes": [{"code": "NOPE", "amount": 1}]}, "no tax NOPE"),
    ],
)
def test_or30_refuses_what_is_wrong_and_changes_nothing(fields: dict[str, Any], words: str) -> None:
    """OR30, section 5."""
    seller = Seller("automatic")
    order, line = _one_line(seller)
    answer = seller.cancel(line["order_line_id"], **{"amount": "1", **fields})
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert seller.read(order)["order_lines"][0]["cancelations"] == []


def test_or30_is_all_or_nothing_per_call() -> None:
    """Section 1.8."""
    seller = Seller("automatic")
    order = seller.world.create_generated(skus=["KETTLE-1L", "LAMP-OAK"], quantities=[1, 1])
    good, bad = (
        {"order_line_id": line.id, "amount": amount, "shipping_amount": 0, "quantity": 1, "reason_code": 34}
        for line, amount in zip(order.lines, ("1", "9999"), strict=True)
    )
    assert seller.put("/api/orders/cancel", {"cancelations": [good, bad]}).status_code == 400
    assert "cancelation" not in seller.kinds(order)


@pytest.mark.parametrize("status", ["404", "400", "403"])
def test_or30_where_partial_cancelation_is_off(status: str) -> None:
    """OR30: needs the feature, which PC01 does not show; the answer is a switch."""
    seller = Seller("automatic", partial_cancelation=False, switches={"or30_when_feature_off": status})
    _, line = _one_line(seller)
    assert seller.cancel(line["order_line_id"], "1").status_code == int(status)


def test_or30_follows_can_cancel() -> None:
    """OR29/OR30: PAY_ON_ACCEPTANCE is not cancellable by the shop."""
    seller = Seller("hidden-address", debit_request_delay=0.0, debit_delay=0.0)
    order = seller.world.create_generated()
    seller.accept(order)
    seller.world.tick()
    assert seller.read(order)["can_cancel"] is False
    assert seller.cancel(order.lines[0].id, "1").status_code == 400


def test_order_level_taxes_forbid_another_mode_and_tax_arrays() -> None:
    """OR30: with order level tax calculation the mode is the platform's and TAX_EXCLUDED omits taxes."""
    seller = Seller("hidden-address", payment_workflow="PAY_ON_DELIVERY", order_level_tax_calculation=True)
    order = seller.world.create_generated(skus=["BOARD-L"], quantities=[2])
    seller.accept(order)
    entry = {
        "order_line_id": order.lines[0].id,
        "amount": 1,
        "shipping_amount": 0,
        "quantity": 0,
        "reason_code": "34",
    }
    path = "/api/orders/cancel"
    wrong_mode = {"order_tax_mode": "TAX_INCLUDED", "cancelations": [entry]}
    assert seller.put(path, wrong_mode).status_code == 400
    assert seller.put(path, {"cancelations": [{**entry, "taxes": []}]}).status_code == 400
    assert seller.put(path, {"cancelations": [entry]}).status_code == 200
    assert {tax["code"] for tax in seller.read(order)["order_taxes"]} == {"STATE", "CITY"}


@pytest.mark.parametrize("answer", ["400", "204"])
def test_or29_cancels_all_and_its_repeat_is_a_switch(answer: str) -> None:
    """OR29 and section 1.9 [X]."""
    seller = Seller("automatic", switches={"or29_repeat": answer})
    order = seller.world.create_generated(lines=2)
    assert seller.put(f"/api/orders/{order.id}/cancel").status_code == 204
    shown = seller.read(order)
    assert (shown["order_state"], shown["total_price"], shown["can_cancel"]) == ("CANCELED", 0, False)
    assert seller.put(f"/api/orders/{order.id}/cancel").status_code == int(answer)


# -- OR23, OR24 --------------------------------------------------------------------------------------------


def test_a_registered_carrier_makes_its_own_url() -> None:
    """Section 6, tracking rules 1 and 2: the URL is computed, a supplied one ignored."""
    seller = Seller("automatic")
    order = seller.world.create_generated()
    body = {"carrier_code": "UPS", "tracking_number": "1Z9", "carrier_url": "https://elsewhere.example"}
    assert seller.put(f"/api/orders/{order.id}/tracking", body).status_code == 204
    shown = seller.read(order)
    assert shown["shipping_tracking_url"] == "https://track.ups.example/?n=1Z9"
    assert (shown["shipping_carrier_code"], shown["shipping_company"]) == ("UPS", "UPS")


@pytest.mark.parametrize(
    ("body", "profile", "status"),
    [
        ({"carrier_name": "Bike", "carrier_url": "https://b.example"}, "automatic", 204),
        ({"carrier_name": "Bike"}, "all-or-nothing", 400),
        ({"carrier_code": "UPS"}, "automatic", 400),
        ({"carrier_code": "LOCAL"}, "automatic", 204),
        ({"carrier_code": "NOPE", "tracking_number": "1"}, "automatic", 400),
        ({"tracking_number": "1"}, "automatic", 400),
    ],
)
def test_or23_follows_the_carrier_rules(body: dict[str, str], profile: str, status: int) -> None:
    """Section 6, tracking rules 2 and 3."""
    seller = Seller(profile, order_acceptance="AUTOMATIC", payment_workflow="PAY_ON_SHIPMENT")
    order = seller.world.create_generated()
    assert seller.put(f"/api/orders/{order.id}/tracking", body).status_code == status


@pytest.mark.parametrize(("switch", "status"), [("allowed", 204), ("refused", 400)])
def test_whether_or23_works_after_shipping_is_a_switch(switch: str, status: int) -> None:
    """OR23 states [?]."""
    seller = Seller("automatic", switches={"or23_after_shipped": switch})
    order = seller.world.create_generated()
    tracking = {"carrier_code": "UPS", "tracking_number": "1"}
    seller.put(f"/api/orders/{order.id}/tracking", tracking)
    seller.put(f"/api/orders/{order.id}/ship")
    seller.world.advance(200)
    assert order.state == "SHIPPED"
    assert seller.put(f"/api/orders/{order.id}/tracking", tracking).status_code == status


def test_or24_needs_tracking_where_the_method_says_so() -> None:
    """OR24: "Tracking details are mandatory for this shipping method"."""
    seller = Seller("all-or-nothing", debit_request_delay=0.0, debit_delay=0.0)
    order = seller.world.create_generated()
    seller.accept(order)
    seller.world.tick()
    assert seller.put(f"/api/orders/{order.id}/ship").json()["message"].startswith("Tracking details")
    seller.put(f"/api/orders/{order.id}/tracking", {"carrier_code": "DHL", "tracking_number": "1"})
    assert seller.put(f"/api/orders/{order.id}/ship").status_code == 204
    assert seller.put(f"/api/orders/{order.id}/ship").status_code == 400


# -- OR04 and reference data ---------------------------------------------------------------------------------


def test_or04_answers_per_order_inside_a_200() -> None:
    """Section 1.8: a 2xx does not mean success."""
    seller = Seller("automatic")
    order = seller.world.create_generated()
    body = {
        "orders": [
            {"order_id": order.id, "references": {"order_reference_for_seller": "#1001"}},
            {"order_id": "nowhere-A", "references": {"order_reference_for_seller": "#1002"}},
            {"order_id": order.id, "references": {"order_reference_for_seller": " "}},
        ]
    }
    results = seller.put("/api/orders", body).json()["updated_orders"]
    assert [bool(result["errors"]) for result in results] == [False, True, True]
    found = seller.get("/api/orders", order_references_for_seller="#1001", order_ids=order.id).json()
    assert found["orders"][0]["references"]["order_reference_for_seller"] == "#1001"


def test_or04_takes_at_most_100_orders() -> None:
    """OR04."""
    body = {"orders": [{"order_id": f"{n}-A"} for n in range(101)]}
    assert Seller().put("/api/orders", body).status_code == 400


def test_reference_data_mirrors_the_profile() -> None:
    """PC01, RE01, SH12, SH21, A01 (section 10)."""
    seller = Seller("all-or-nothing")
    features = seller.get("/api/platform/configuration").json()["features"]
    assert features["disable_seller_alternative_carrier"] is True
    assert features["order_tax_mode"] == "TAX_INCLUDED"
    assert features["order_workflows"]["order_acceptance"] == "NOT_AUTOMATIC"
    types = [reason["type"] for reason in seller.get("/api/reasons").json()["reasons"]]
    assert types == sorted(types)
    assert seller.get("/api/shipping/types").json()["shipping_types"][0]["mandatory_tracking"] is True
    labels = [carrier["label"] for carrier in seller.get("/api/shipping/carriers").json()["carriers"]]
    assert labels == sorted(labels)
    account = seller.get("/api/account").json()
    assert (account["shop_id"], account["currency_iso_code"]) == (seller.world.shop_id, "EUR")
    assert seller.get("/api/version").status_code == 200
