"""Many orders sold in one instant, more than the shop's budget of calls makes at once."""

from tests.stories.stage import Theatre
from tests.stories.surge import sell_at_once

ORDERS = 60
HELD_WITHIN = 2.0
"""Seconds. Labels are printed within minutes of an order; a hold that waits for other orders' creation is too late."""


def test_a_parcel_is_held_before_the_next_order_is_created(theatre: Theatre) -> None:
    surge, told = sell_at_once(theatre, ORDERS, points=100)

    assert len(surge.unheld) == len(surge.unaccepted) == ORDERS
    assert surge.unaccepted[-1] > HELD_WITHIN, "the budget was never short, so nothing was shown"
    assert surge.unheld[-1] <= HELD_WITHIN
    assert told.open_reasons == []
