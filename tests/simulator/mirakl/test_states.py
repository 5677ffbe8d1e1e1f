"""Order and line states, deadlines and flags (reference, section 3)."""

import pytest

from tests.simulator.mirakl.seller import Seller


def test_an_order_nobody_decides_on_is_refused_without_a_decision_date() -> None:
    """Section 3.4: the window has no field; expiry gives REFUSED and acceptance_decision_date stays null."""
    seller = Seller("all-or-nothing", acceptance_window_hours=2.0)
    order = seller.world.create_generated(lines=2)
    seller.world.advance(7199)
    assert order.state == "WAITING_ACCEPTANCE"
    seller.world.advance(1)
    shown = seller.read(order)
    assert shown["order_state"] == "REFUSED"
    assert shown["acceptance_decision_date"] is None
    assert "auto_refused" in seller.kinds(order)


def test_automatic_acceptance_leaves_no_decision_date() -> None:
    """Section 3.4 and PC01 order_acceptance AUTOMATIC."""
    seller = Seller("automatic")
    order = seller.world.create_generated()
    shown = seller.read(order)
    assert (shown["order_state"], shown["acceptance_decision_date"]) == ("SHIPPING", None)


def test_pay_on_acceptance_walks_through_both_debit_states() -> None:
    """Section 3.3: WAITING_DEBIT, WAITING_DEBIT_PAYMENT, then SHIPPING with the debit dates set."""
    seller = Seller("all-or-nothing", debit_request_delay=10.0, debit_delay=20.0)
    order = seller.world.create_generated()
    assert seller.accept(order).status_code == 204
    assert order.state == "WAITING_DEBIT"
    seller.world.advance(10)
    assert order.state == "WAITING_DEBIT_PAYMENT"
    seller.world.advance(20)
    shown = seller.read(order)
    assert shown["order_state"] == "SHIPPING"
    assert shown["customer_debited_date"] is not None
    assert shown["order_lines"][0]["can_refund"] is True


@pytest.mark.parametrize("workflow", ["PAY_ON_DELIVERY", "PAY_ON_DUE_DATE", "PAY_ON_SHIPMENT"])
def test_other_workflows_reach_shipping_undebited_and_cancellable(workflow: str) -> None:
    """Section 3.3 and OR29: a non-debited order may be cancelled by the shop."""
    seller = Seller("automatic", payment_workflow=workflow)
    shown = seller.read(seller.world.create_generated())
    assert shown["order_state"] == "SHIPPING"
    assert shown["customer_debited_date"] is None
    assert shown["can_cancel"] is True
    assert shown["order_lines"][0]["can_refund"] is False


def test_without_payment_confirmation_the_debit_dates_stay_null() -> None:
    """Section 3.3: Mirakl never learns the payment status; unshipped orders may be cancelled."""
    seller = Seller("automatic", payment_workflow="NO_CUSTOMER_PAYMENT_CONFIRMATION")
    order = seller.world.create_generated()
    assert seller.read(order)["can_cancel"] is True
    seller.put(f"/api/orders/{order.id}/tracking", {"carrier_code": "UPS", "tracking_number": "1"})
    seller.put(f"/api/orders/{order.id}/ship")
    seller.world.advance(90 * 86400)
    shown = seller.read(order)
    assert shown["order_state"] == "CLOSED"
    assert shown["customer_debited_date"] is None


def test_pay_on_due_date_is_debited_after_its_days() -> None:
    """Section 3.3: debit after payment_duration days."""
    seller = Seller(
        "automatic", payment_workflow="PAY_ON_DUE_DATE", switches={"due_date_counts_from": "accepted"}
    )
    order = seller.world.create_generated()
    seller.world.advance(30 * 86400 - 1)
    assert seller.read(order)["customer_debited_date"] is None
    seller.world.advance(1)
    assert seller.read(order)["customer_debited_date"] is not None
    assert seller.read(order)["can_cancel"] is False


@pytest.mark.parametrize(
    ("switch", "between"), [("shipping_until_debited", "SHIPPING"), ("shipped_at_once", "SHIPPED")]
)
def test_pay_on_shipment_debits_after_or24(switch: str, between: str) -> None:
    """Sections 3.3 and 6: the debit belongs to the shipment; the state meanwhile is a switch."""
    seller = Seller("automatic", switches={"pay_on_shipment_debit": switch})
    order = seller.world.create_generated()
    seller.put(f"/api/orders/{order.id}/tracking", {"carrier_code": "UPS", "tracking_number": "1"})
    assert seller.put(f"/api/orders/{order.id}/ship").status_code == 204
    assert order.state == between
    assert seller.read(order)["can_cancel"] is False
    assert seller.put(f"/api/orders/{order.id}/ship").status_code == 400
    seller.world.advance(121)
    assert (order.state, order.debited is not None) == ("SHIPPED", True)


def test_a_failed_payment_cancels_the_order() -> None:
    """Section 3.2: failure or time-out of the debit gives CANCELED."""
    seller = Seller("all-or-nothing", payment_failure_probability=1.0)
    order = seller.world.create_generated()
    seller.accept(order)
    seller.world.advance(3600)
    assert seller.read(order)["order_state"] == "CANCELED"


def test_a_stalled_payment_is_cancelled_at_its_time_out() -> None:
    """Section 3.4: 72 hours without confirmation."""
    seller = Seller("all-or-nothing", debit_request_delay=0.0)
    order = seller.world.create_generated()
    seller.accept(order)
    seller.world.stall_payment(order.id)
    seller.world.advance(72 * 3600 - 1)
    assert order.state == "WAITING_DEBIT_PAYMENT"
    seller.world.advance(1)
    assert order.state == "CANCELED"


def test_the_address_stays_null_until_shipping_where_the_marketplace_hides_it() -> None:
    """Section 4.2, visibility."""
    seller = Seller("hidden-address", debit_request_delay=1.0, debit_delay=1.0)
    order = seller.world.create_generated()
    assert seller.read(order)["customer"]["shipping_address"] is None
    seller.accept(order)
    assert seller.read(order)["customer"]["billing_address"] is None
    seller.world.advance(2)
    shown = seller.read(order)["customer"]
    assert "CANARY-" in shown["shipping_address"]["street_1"]
    assert len(shown["shipping_address"]["country_iso_code"]) == 3
    assert "address_shown" in seller.kinds(order)


def test_a_staging_order_waits_for_the_operator() -> None:
    """Section 3.2: STAGING is not actionable by the seller."""
    seller = Seller("all-or-nothing")
    order = seller.world.create_generated(staging=True)
    assert seller.accept(order).status_code == 400
    seller.world.release(order.id)
    assert seller.accept(order).status_code == 204


@pytest.mark.parametrize(("counted", "state"), [("no", "WAITING_ACCEPTANCE"), ("yes", "REFUSED")])
def test_whether_staging_uses_up_the_window_is_a_switch(counted: str, state: str) -> None:
    """Section 3.4 [?]."""
    seller = Seller(
        "all-or-nothing",
        acceptance_window_hours=2.0,
        switches={"staging_counts_toward_window": counted},
    )
    order = seller.world.create_generated(staging=True)
    seller.world.advance(3600)
    seller.world.release(order.id)
    seller.world.advance(3600)
    assert order.state == state


def test_received_and_closed_follow_by_themselves() -> None:
    """Section 3.4: RECEIVED some days after shipping, CLOSED later."""
    seller = Seller("automatic", auto_received_hours=24.0, auto_closed_hours=48.0)
    order = seller.world.create_generated()
    seller.put(f"/api/orders/{order.id}/tracking", {"carrier_code": "UPS", "tracking_number": "1"})
    seller.put(f"/api/orders/{order.id}/ship")
    seller.world.advance(120 + 24 * 3600)
    assert order.state == "RECEIVED"
    seller.world.advance(48 * 3600)
    assert order.state == "CLOSED"


@pytest.mark.parametrize("rolled", ["CANCELED", "REFUSED", "CLOSED"])
def test_what_refused_and_cancelled_lines_make_of_the_order_is_a_switch(rolled: str) -> None:
    """Section 3.2 [?]: how mixed line states roll up."""
    seller = Seller(
        "hidden-address", debit_request_delay=0.0, debit_delay=0.0, switches={"mixed_terminal_lines": rolled}
    )
    order = seller.world.create_generated(lines=2)
    seller.accept(order, True, False)
    seller.world.tick()
    assert order.state == "SHIPPING"
    seller.world.cancel_line(order.id, order.lines[0].id)
    assert [line.state for line in order.lines] == ["CANCELED", "REFUSED"]
    assert order.state == rolled


def test_can_shop_ship_may_come_later_than_shipping() -> None:
    """Section 3.5 [?]: whether it is true at once; OR24 is refused until then."""
    seller = Seller("automatic", switches={"can_shop_ship_at_shipping": "later"})
    order = seller.world.create_generated()
    assert seller.read(order)["can_shop_ship"] is False
    assert seller.put(f"/api/orders/{order.id}/ship").status_code == 400
    seller.world.advance(120)
    assert seller.read(order)["can_shop_ship"] is True


def test_a_portal_refund_is_paid_in_two_steps() -> None:
    """Section 3.7: WAITING_REFUND, WAITING_REFUND_PAYMENT, REFUNDED with transaction number and date."""
    seller = Seller("all-or-nothing", debit_request_delay=0.0, debit_delay=0.0)
    order = seller.world.create_generated(skus=["KETTLE-1L"], quantities=[2])
    seller.accept(order)
    seller.world.tick()
    refund = seller.world.refund_line(order.id, order.lines[0].id, quantity=1)
    states = []
    for seconds in (0, 3600, 86400):
        seller.world.advance(seconds)
        states.append(seller.read(order)["order_lines"][0]["refunds"][0]["refund_state"])
    assert states == ["WAITING_REFUND", "WAITING_REFUND_PAYMENT", "REFUNDED"]
    assert seller.read(order)["order_lines"][0]["refunds"][0]["transaction_number"] == f"RF-{refund.id}"
    assert seller.read(order)["fully_refunded"] is False


@pytest.mark.parametrize(("bump", "same"), [("yes", False), ("no", True)])
def test_whether_a_refund_payment_shows_in_the_update_date_is_a_switch(bump: str, same: bool) -> None:
    """Section 4.1 [?]: which sub-events bump last_updated_date."""
    seller = Seller(
        "all-or-nothing",
        debit_request_delay=0.0,
        debit_delay=0.0,
        switches={"refund_payment_bumps_update_date": bump},
    )
    order = seller.world.create_generated(skus=["KETTLE-1L"], quantities=[2])
    seller.accept(order)
    seller.world.tick()
    seller.world.refund_line(order.id, order.lines[0].id, quantity=1)
    before = seller.read(order)["last_updated_date"]
    seller.world.advance(100000)
    assert (seller.read(order)["last_updated_date"] == before) is same


def test_a_debited_order_refunded_in_full_closes_and_is_not_cancelled() -> None:
    """Section 7: whole-order cancel in C2 means a refund of every line; the order then closes."""
    seller = Seller("all-or-nothing", debit_request_delay=0.0, debit_delay=0.0)
    order = seller.world.create_generated(lines=1)
    seller.accept(order)
    seller.world.tick()
    seller.world.refund_line(order.id, order.lines[0].id, quantity=order.lines[0].quantity)
    assert seller.read(order)["fully_refunded"] is True
    seller.world.advance(100000)
    assert order.state == "CLOSED"


def test_an_open_incident_shows_on_order_and_line() -> None:
    """Sections 3.2, 3.5 and OR64: has_incident and the line state are the only signals."""
    seller = Seller("automatic")
    order = seller.world.create_generated(lines=2)
    seller.world.open_incident(order.id, order.lines[0].id)
    shown = seller.read(order)
    assert shown["has_incident"] is True
    assert [line["order_line_state"] for line in shown["order_lines"]] == ["INCIDENT_OPEN", "SHIPPING"]
    assert seller.get("/api/orders", has_incident="true").json()["total_count"] == 1
    seller.world.close_incident(order.id, order.lines[0].id)
    assert seller.read(order)["has_incident"] is False
