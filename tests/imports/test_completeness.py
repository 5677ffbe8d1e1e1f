"""An address that is shown and lacks a part stops the parcel and asks; one that is not shown proves nothing."""

import pytest

from interlock.imports.completeness import incomplete_address_case
from interlock.orders.hold_words import HoldWords
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import NO_ADDRESS, Address
from tests.build import an_order

HALF = Address("digest", False)


def test_an_incomplete_address_of_an_order_to_ship_is_a_case() -> None:
    case = incomplete_address_case(an_order(address=HALF), HoldWords())

    assert case is not None
    assert case.reason is Reason.ADDRESS_INCOMPLETE


@pytest.mark.parametrize(
    ("state", "address"),
    [
        ("SHIPPING", Address("digest", True)),
        ("SHIPPING", NO_ADDRESS),
        ("WAITING_DEBIT", HALF),
        ("SHIPPED", HALF),
    ],
)
def test_nothing_else_is_one(state: str, address: Address) -> None:
    assert incomplete_address_case(an_order(state, address=address), HoldWords()) is None
