"""What the operator may change of an order that a seller cannot: where it goes, and what it costs (section 5, OR04 and OR21)."""

from decimal import Decimal

import pytest

from interlock.simulator.mirakl import ActionRefused
from tests.simulator.mirakl.seller import Seller


def test_an_address_the_operator_changes_shows_in_or11_and_moves_the_update_date() -> None:
    """Section 5, OR04: the operator edits addresses; OR21: they may change between acceptance and SHIPPING."""
    seller = Seller("automatic")
    order = seller.world.create_generated(lines=1)
    before = seller.read(order)
    seller.world.advance(60)
    seller.world.change_address(order.id, {"street_1": "9 Weir Road"})
    after = seller.read(order)
    assert after["customer"]["shipping_address"]["street_1"] == "9 Weir Road"
    assert after["customer"]["shipping_address"]["city"] == before["customer"]["shipping_address"]["city"]
    assert after["last_updated_date"] > before["last_updated_date"]
    (effect,) = [e for e in seller.world.record.effects if e.kind == "address_changed"]
    assert (effect.actor, effect.detail["where"][1][:11]) == ("operator", "9 Weir Road")
    assert effect.detail["was"] != effect.detail["where"]


def test_whether_it_moves_the_update_date_is_not_documented() -> None:
    """Section 4.1: the switch stands for it."""
    seller = Seller("automatic")
    seller.world.switches.set("address_change_bumps_update_date", "no")
    order = seller.world.create_generated(lines=1)
    before = seller.read(order)["last_updated_date"]
    seller.world.advance(60)
    seller.world.change_address(order.id)
    assert seller.read(order)["last_updated_date"] == before


def test_nobody_changes_the_address_of_an_order_that_ended_or_a_part_that_does_not_exist() -> None:
    seller = Seller("automatic")
    order = seller.world.create_generated(lines=1)
    with pytest.raises(ActionRefused):
        seller.world.change_address(order.id, {"planet": "Mars"})
    seller.world.cancel_order(order.id)
    with pytest.raises(ActionRefused):
        seller.world.change_address(order.id)


@pytest.mark.parametrize("mode", ["TAX_INCLUDED", "TAX_EXCLUDED"])
def test_taxes_that_are_computed_anew_leave_the_price_of_the_marketplaces_mode_as_it_was(mode: str) -> None:
    """Section 5, OR21: taxes may be recalculated between acceptance and SHIPPING."""
    seller = Seller("automatic", tax_mode=mode)
    order = seller.world.create_generated(lines=1, quantities=[2])
    before = seller.read(order)["order_lines"][0]
    seller.world.recalculate(order.id, order.lines[0].id, taxes=Decimal("0.5"))
    after = seller.read(order)["order_lines"][0]
    assert after["price"] == before["price"]
    assert after["shipping_price"] == before["shipping_price"]
    for name in ("taxes", "shipping_taxes"):
        for old, new in zip(before[name], after[name], strict=True):
            assert abs(new["amount"] - old["amount"] / 2) <= Decimal("0.01")


def test_a_price_and_a_shipping_charge_are_computed_anew() -> None:
    seller = Seller("automatic")
    order = seller.world.create_generated(lines=1, quantities=[2])
    seller.world.recalculate(
        order.id, order.lines[0].id, price=Decimal("18.00"), shipping_price=Decimal("1.00"), taxes=Decimal(0)
    )
    (line,) = seller.read(order)["order_lines"]
    assert (line["price"], line["shipping_price"], line["price_unit"]) == (18, 1, 9)


def test_figures_of_which_something_was_taken_back_or_that_have_left_stand() -> None:
    seller = Seller("automatic")
    order = seller.world.create_generated(lines=1, quantities=[2])
    seller.world.cancel_line(order.id, order.lines[0].id, quantity=1)
    with pytest.raises(ActionRefused):
        seller.world.recalculate(order.id, order.lines[0].id, taxes=Decimal("0.5"))
