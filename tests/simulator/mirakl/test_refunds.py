"""OR28: refunds by the shop, their checks, their states, and what they take out of the parcel (reference, section 5)."""

from decimal import Decimal
from typing import Any

import httpx2
import pytest

from interlock.simulator.faults import Fault
from interlock.simulator.mirakl import SimOrder
from tests.simulator.mirakl.seller import Seller

D = Decimal


def debited(seller: Seller, **made: Any) -> SimOrder:
    """An order in SHIPPING whose customer has paid."""
    order = seller.world.create_generated(**{"lines": 1, "quantities": [3], **made})
    if order.state == "WAITING_ACCEPTANCE":
        assert seller.accept(order).status_code == 204
        seller.world.advance(1)
    if order.debited is None:
        seller.world.debit_now(order.id)
    assert order.state == "SHIPPING"
    return order


def refund(seller: Seller, order: SimOrder, amount: Any, line: int = 0, **fields: Any) -> httpx2.Response:
    """OR28 with one entry."""
    entry = {
        "order_line_id": order.lines[line].id,
        "amount": str(amount) if isinstance(amount, Decimal) else amount,
        "shipping_amount": 0,
        "reason_code": "15",
        **fields,
    }
    return seller.put("/api/orders/refund", {"refunds": [entry]})


def refused(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_refund_is_confirmed_with_its_ids_and_paid_back_later() -> None:
    """Sections 5 OR28 and 3.7: WAITING_REFUND, WAITING_REFUND_PAYMENT, REFUNDED; the answer names no commission."""
    seller = Seller("all-or-nothing")
    order = debited(seller)

    answer = refund(seller, order, "5.00", quantity=1)

    assert answer.status_code == 200
    (made,) = answer.json()["refunds"]
    assert made["order_line_id"] == order.lines[0].id
    assert made["refund_id"]
    assert made["order_refund_id"]
    assert not [name for name in made if name.startswith("commission")]
    states = []
    for seconds in (0, seller.world.profile.refund_contact_delay, seller.world.profile.refund_payment_delay):
        seller.world.advance(seconds)
        (shown,) = seller.read(order)["order_lines"][0]["refunds"]
        states.append(shown["refund_state"])
    assert states == ["WAITING_REFUND", "WAITING_REFUND_PAYMENT", "REFUNDED"]
    assert (shown["id"], shown["amount"]) == (made["refund_id"], D("5.00"))
    assert shown["transaction_number"]


def test_commission_is_given_back_per_refund() -> None:
    """Section 8.1: commission_amount and commission_taxes of the refund, in OR11 only."""
    seller = Seller("automatic")
    order = debited(seller)
    line = order.lines[0]

    refund(seller, order, line.ordered.product_with_tax)

    (shown,) = seller.read(order)["order_lines"][0]["refunds"]
    assert shown["commission_amount"] == line.commission_fee
    assert shown["commission_total_amount"] == line.commission_fee + line.commission_taxes[0][2]


def test_a_repeat_makes_a_second_refund() -> None:
    """Section 1.9: nothing recognises a repeat as long as money is left."""
    seller = Seller("automatic")
    order = debited(seller)

    assert [refund(seller, order, 1).status_code for _ in range(2)] == [200, 200]

    assert len(seller.read(order)["order_lines"][0]["refunds"]) == 2


def test_where_one_refund_at_a_time_is_allowed_a_repeat_is_refused_until_it_is_paid() -> None:
    """Section 5 OR28: "refund already in progress on the marketplace"; a switch."""
    seller = Seller("automatic", switches={"or28_while_refund_running": "refused"})
    order = debited(seller)

    assert refund(seller, order, 1).status_code == 200
    assert refused(refund(seller, order, 1)) == (400, "REFUND_IN_PROGRESS")
    seller.world.advance(200_000)
    assert refund(seller, order, 1).status_code == 200


def test_only_debited_lines_are_refunded() -> None:
    """Section 5 OR28: precondition "line debited"."""
    seller = Seller("automatic")
    order = seller.world.create_generated(lines=1)
    assert (order.state, order.debited) == ("SHIPPING", None)

    assert refused(refund(seller, order, 1)) == (400, "ORDER_LINE_NOT_DEBITED")


def test_a_closed_order_is_too_late() -> None:
    """Section 5 OR28: CLOSED is rejected."""
    seller = Seller("automatic")
    order = debited(seller)
    seller.put(f"/api/orders/{order.id}/ship")
    seller.world.advance(3600 * 24 * 60)
    assert order.state == "CLOSED"

    assert refused(refund(seller, order, 1)) == (400, "ORDER_INVALID_STATE")


def test_a_marketplace_may_refuse_refunds_before_dispatch() -> None:
    """Section 15.3, a switch."""
    seller = Seller("automatic", switches={"or28_in_shipping": "refused"})

    assert refused(refund(seller, debited(seller), 1)) == (400, "ORDER_INVALID_STATE")


def test_amounts_are_capped_at_what_is_left_and_a_call_is_all_or_nothing() -> None:
    """Sections 1.8 and 5: two entries of one line together must fit."""
    seller = Seller("automatic")
    order = debited(seller)
    whole = order.lines[0].ordered.product_with_tax
    entry = {"order_line_id": order.lines[0].id, "shipping_amount": 0, "reason_code": "15"}
    entries = [{**entry, "amount": str(whole)}, {**entry, "amount": "0.01"}]

    answer = seller.put("/api/orders/refund", {"refunds": entries})

    assert refused(answer) == (400, "VALIDATION_ERROR")
    assert order.lines[0].refunds == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"reason_code": "34"}, "REASON_NOT_FOUND"),
        ({"reason_code": "20"}, "REASON_NOT_FOUND"),
        ({"reason_code": None}, "VALIDATION_ERROR"),
        ({"order_line_id": 7}, "VALIDATION_ERROR"),
        ({"shipping_amount": None}, "VALIDATION_ERROR"),
        ({"quantity": -1}, "VALIDATION_ERROR"),
        ({"quantity": 4, "excluded_from_shipment": True}, "VALIDATION_ERROR"),
        ({"currency_iso_code": "CHF"}, "VALIDATION_ERROR"),
        ({"amount": 0}, "VALIDATION_ERROR"),
        ({"taxes": [{"code": "NOPE", "amount": 1}]}, "VALIDATION_ERROR"),
    ],
)
def test_what_does_not_fit_is_named_and_changes_nothing(fields: dict[str, Any], code: str) -> None:
    """Section 5 OR28; an operator's reason is not the shop's (RE01)."""
    seller = Seller("automatic")
    order = debited(seller)

    assert refused(refund(seller, order, fields.pop("amount", 1), **fields)) == (400, code)
    assert order.lines[0].refunds == []


def test_an_unknown_line_is_404() -> None:
    seller = Seller("automatic")

    assert refused(refund(seller, debited(seller), 1, order_line_id="nowhere")) == (
        404,
        "ORDER_LINE_NOT_FOUND",
    )


@pytest.mark.parametrize(("received", "field"), [(False, "pending"), (True, "payable")])
def test_a_shop_balance_that_is_too_low_refuses_the_refund(received: bool, field: str) -> None:
    """Section 5 OR28: SHIPPING and SHIPPED draw on the pending balance, RECEIVED on the payable one."""
    seller = Seller("automatic")
    order = debited(seller)
    if received:
        seller.put(f"/api/orders/{order.id}/ship")
        seller.world.receive(order.id)
    whole = order.lines[0].ordered.total_with_tax
    shown = seller.get("/api/account").json()["payment_details"][f"{field}_balance"]
    assert D(str(shown)) == whole

    seller.world.change_profile({f"{field}_adjustment": str(-whole)})
    answer = refund(seller, order, 1)
    seller.world.change_profile({f"{field}_adjustment": 0})

    assert refused(answer) == (400, "SHOP_BALANCE_TOO_LOW")
    assert f"sufficient {field} balance" in answer.json()["message"]
    assert refund(seller, order, 1).status_code == 200


@pytest.mark.parametrize(("excluded", "left"), [(True, 2), (False, 3)])
def test_excluded_units_no_longer_ship(excluded: bool, left: int) -> None:
    """Section 5 OR28: `excluded_from_shipment` takes the quantity out of what remains to ship."""
    seller = Seller("automatic")
    order = debited(seller)

    answer = refund(seller, order, 1, quantity=1, excluded_from_shipment=excluded)

    assert answer.json()["refunds"][0]["excluded_from_shipment"] is excluded
    assert order.lines[0].live_quantity == left


def test_a_refund_in_tax_excluded_brings_its_taxes_on_top() -> None:
    """Section 1.6; taxes with the rule NONE are refunded only if sent."""
    seller = Seller("hidden-address", debit_request_delay=0.0, debit_delay=0.0)
    order = debited(seller, quantities=[1])
    line = order.lines[0]
    taxes = [{"code": tax.code, "amount": str(tax.amount)} for tax in line.taxes]

    answer = refund(seller, order, line.ordered.product, taxes=taxes)

    assert answer.status_code == 200, answer.text
    shown = seller.read(order)["order_lines"][0]["refunds"][0]
    assert {tax["code"]: tax["amount"] for tax in shown["taxes"]} == line.ordered.taxes
    assert line.refundable().product_with_tax == 0


@pytest.mark.parametrize(
    ("switches", "outcome"),
    [
        ({"or28_omitted_proportional_taxes": "computed"}, "computed"),
        ({"or28_omitted_proportional_taxes": "zero"}, "zero"),
        ({"or28_omitted_proportional_taxes": "refused"}, "refused"),
    ],
)
def test_what_becomes_of_taxes_that_are_not_sent_is_a_switch(switches: dict[str, str], outcome: str) -> None:
    """Section 5 OR28, 15.4: the contract says both "required" and "need not be sent"."""
    seller = Seller("hidden-address", switches=switches, debit_request_delay=0.0, debit_delay=0.0)
    order = debited(seller, quantities=[1])

    answer = refund(seller, order, order.lines[0].ordered.product)

    if outcome == "refused":
        assert refused(answer) == (400, "VALIDATION_ERROR")
        return
    state = order.lines[0].ordered.taxes["STATE"] if outcome == "computed" else None
    assert order.lines[0].refunds[0].amounts.taxes.get("STATE") == state
    assert "CITY" not in order.lines[0].refunds[0].amounts.taxes


def test_sent_proportional_taxes_may_be_computed_anew() -> None:
    """Section 5 OR28, 15.4."""
    seller = Seller(
        "hidden-address",
        switches={"or28_sent_proportional_taxes": "recomputed"},
        debit_request_delay=0.0,
        debit_delay=0.0,
    )
    order = debited(seller, quantities=[1])
    line = order.lines[0]

    refund(seller, order, line.ordered.product, taxes=[{"code": "STATE", "amount": "0.01"}])

    assert line.refunds[0].amounts.taxes == {"STATE": line.ordered.taxes["STATE"]}


@pytest.mark.parametrize("approved", [True, False])
def test_a_refund_may_land_as_a_request_the_operator_decides(approved: bool) -> None:
    """Sections 5 OR28 and 15.5: role REFUND_REQUEST; OR11 shows nothing until it is approved."""
    seller = Seller("automatic", switches={"or28_lands_as": "request"})
    order = debited(seller)

    made = refund(seller, order, 1, quantity=1, excluded_from_shipment=True).json()["refunds"][0]

    assert seller.read(order)["order_lines"][0]["refunds"] == []
    assert order.lines[0].live_quantity == 3
    body = {"order_id": order.id, "refund_id": made["refund_id"], "approved": approved}
    assert seller.call("POST", "/_sim/refunds/decide", body).status_code == 200
    assert [one["id"] for one in seller.read(order)["order_lines"][0]["refunds"]] == (
        [made["refund_id"]] if approved else []
    )
    assert order.lines[0].live_quantity == (2 if approved else 3)
    assert seller.call("POST", "/_sim/refunds/decide", body).json()["field"] == "refund_id"


def test_a_request_is_approved_by_itself_after_a_while() -> None:
    seller = Seller("automatic", switches={"or28_lands_as": "request"})
    order = debited(seller)
    refund(seller, order, 1)

    seller.world.advance(seller.world.profile.refund_approval_delay)

    assert seller.read(order)["order_lines"][0]["refunds"][0]["refund_state"] == "WAITING_REFUND"


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        ("message_status", {"status", "message"}),
        ("with_code", {"status", "message", "code"}),
        ("bare", None),
    ],
)
def test_a_refusal_comes_in_every_shape_a_client_must_read(shape: str, body: set[str] | None) -> None:
    """Section 1.7, 15.1."""
    seller = Seller("automatic", switches={"error_body": shape})

    answer = refund(seller, debited(seller), 1, reason_code="99")

    assert answer.status_code == 400
    assert (set(answer.json()) if answer.content else None) == body


def test_an_answer_may_lack_what_it_is_about() -> None:
    """Section 5 OR28: the answer is read item by item, because a success that does not name the refund proves nothing."""
    seller = Seller("all-or-nothing")
    order = debited(seller)
    seller.world.armed.arm("OR28", Fault("items_missing"))

    answer = refund(seller, order, "5.00", quantity=1)

    assert (answer.status_code, answer.json()["refunds"]) == (200, [])
    assert len(order.lines[0].refunds) == 1


def test_a_platform_may_show_what_nobody_knew() -> None:
    """Section 1: values and fields may be added at any time; the order itself is what it was."""
    seller = Seller("all-or-nothing")
    order = debited(seller)

    seller.world.show_instead(order.id, {"order_state": "SOMETHING_NEW", "added": {"of": [1]}})
    shown = seller.read(order)
    assert (shown["order_state"], shown["added"], order.state) == ("SOMETHING_NEW", {"of": [1]}, "SHIPPING")

    seller.world.show_instead(order.id, {})
    assert seller.read(order)["order_state"] == "SHIPPING"
