"""Offers as an export lists them (OF54), read leniently."""

from decimal import Decimal
from typing import Any

import pytest

from interlock.mirakl.exports import LARGEST_QUANTITY, offers_from

ROW: dict[str, Any] = {"offer_id": 1, "shop_sku": "MUG"}


@pytest.mark.parametrize(
    ("quantity", "units", "known"),
    [
        (0, 0, True),
        (7, 7, True),
        (LARGEST_QUANTITY + 1, LARGEST_QUANTITY, True),
        (-1, 0, False),
        (Decimal("1.5"), 0, False),
        ("7", 0, False),
        (True, 0, False),
        (None, 0, False),
    ],
)
def test_a_quantity_that_is_none_is_not_known_and_its_offer_is_there_all_the_same(
    quantity: object, units: int, known: bool
) -> None:
    read = offers_from([{**ROW, "quantity": quantity}])

    (offer,) = read.offers
    assert (offer.quantity, offer.quantity_known, read.unreadable) == (units, known, 0 if known else 1)


@pytest.mark.parametrize(
    "wrong", [{"offer_id": True}, {"offer_id": "1"}, {"shop_sku": ""}, {"shop_sku": "A\0"}]
)
def test_a_row_that_names_no_offer_is_left_out_and_counted(wrong: dict[str, Any]) -> None:
    read = offers_from([{**ROW, "quantity": 7, **wrong}, {**ROW, "quantity": 7}])

    assert ([offer.sku for offer in read.offers], read.unreadable) == (["MUG"], 1)
