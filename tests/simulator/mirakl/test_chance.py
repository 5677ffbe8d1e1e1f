"""Random acts of everyone at once, under drawn switches: what must hold whatever happens."""

import random
from decimal import Decimal

from interlock.simulator.mirakl import PROFILES, ActionRefused, SimLine, SimOrder, mirakl_switches
from interlock.simulator.mirakl.profile import ADDRESSES_FROM, PAYMENT_WORKFLOWS
from tests.simulator.mirakl.seller import Seller


def _seller(seed: int, rng: random.Random) -> Seller:
    switches = mirakl_switches()
    switches.draw(rng)
    seller = Seller(
        rng.choice(list(PROFILES)),
        seed=seed,
        switches=switches.as_dict(),
        payment_workflow=rng.choice(PAYMENT_WORKFLOWS),
        addresses_from=rng.choice(ADDRESSES_FROM),
        partial_cancelation=rng.random() < 0.8,
        payment_failure_probability=0.2,
        order_level_tax_calculation=rng.random() < 0.3,
    )
    for _ in range(3):
        seller.world.create_generated(staging=rng.random() < 0.3)
    return seller


def _act(seller: Seller, rng: random.Random, order: SimOrder, line: SimLine) -> None:
    world = seller.world
    amounts = (line.price_unit, Decimal("1.11"), line.ordered.product_with_tax, line.ordered.product)
    match rng.randrange(12):
        case 0:
            seller.accept(order, *(rng.random() < 0.9 for _ in order.lines))
        case 1 | 2:
            seller.cancel(line.id, str(rng.choice(amounts)), quantity=rng.randrange(3))
        case 3:
            tracking = {"carrier_code": "UPS", "tracking_number": "1"}
            seller.put(f"/api/orders/{order.id}/tracking", tracking)
            seller.put(f"/api/orders/{order.id}/ship")
        case 4:
            seller.put(f"/api/orders/{order.id}/cancel")
        case 5:
            world.advance(rng.choice((10, 600, 7200, 90000)))
        case 6:
            by = rng.choice(("operator", "customer"))
            world.cancel_line(order.id, line.id, quantity=rng.randrange(3), by=by)
        case 7:
            excluded = rng.random() < 0.5
            world.refund_line(order.id, line.id, quantity=rng.randrange(3), excluded_from_shipment=excluded)
        case 8:
            world.release(order.id)
        case 9:
            world.open_incident(order.id, line.id)
        case 10:
            world.close_incident(order.id, line.id)
        case _:
            world.debit_now(order.id)


def test_no_line_ever_gives_back_more_than_it_cost() -> None:
    """Sections 3, 7 and 8: remaining amounts never fall below zero, and an order ends with its last line."""
    effects = 0
    for seed in range(40):
        rng = random.Random(seed)
        seller = _seller(seed, rng)
        world = seller.world
        for _ in range(30):
            order = rng.choice(list(world.orders.values()))
            try:
                _act(seller, rng, order, rng.choice(order.lines))
            except ActionRefused:
                continue
            for known in world.orders.values():
                for line in known.lines:
                    left = line.refundable()
                    parts = [left.product, left.shipping, *left.taxes.values()]
                    assert min(*parts, *left.shipping_taxes.values(), *left.fees.values(), Decimal(0)) == 0
                if not known.active_lines:
                    assert known.state in ("CANCELED", "REFUSED", "CLOSED"), (seed, known.state)
        world.advance(400 * 86400)
        for known in world.orders.values():
            assert known.state in ("CLOSED", "CANCELED", "REFUSED", "STAGING", "SHIPPING"), (seed, known.id)
        effects += len(world.record.effects)
    assert effects > 500


def test_effects_are_in_the_order_of_their_time() -> None:
    """A timer's effect carries the moment it was due, and never stands behind a later call's."""
    for seed in range(10):
        rng = random.Random(seed)
        seller = _seller(seed, rng)
        for _ in range(20):
            order = rng.choice(list(seller.world.orders.values()))
            try:
                _act(seller, rng, order, order.lines[0])
            except ActionRefused:
                continue
        moments = [effect.at for effect in seller.world.record.effects]
        assert moments == sorted(moments)


def test_profiles_can_be_combined_freely() -> None:
    """Every workflow with every visibility creates readable orders."""
    for workflow in PAYMENT_WORKFLOWS:
        for visible in ADDRESSES_FROM:
            seller = Seller("hidden-address", payment_workflow=workflow, addresses_from=visible)
            order = seller.world.create_generated()
            shown = seller.read(order)["customer"]["shipping_address"]
            assert (shown is not None) is (visible in ("STAGING", "WAITING_ACCEPTANCE"))
