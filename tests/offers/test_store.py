"""The offer map in the database: what was read stays newest, and links follow what people and platforms say."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection

from interlock.engine.offers import relink
from interlock.engine.store import ConnectionRow, one_connection
from interlock.imports.store import map_skus
from interlock.inventory.store import SoldOrder, hinted_items, keep_sold
from interlock.offers.matching import Component, Offered, Variant
from interlock.offers.store import (
    keep_bundle,
    keep_offers,
    keep_variants,
    known_offers,
    known_variants,
    links,
    unseen_are_deleted,
    unseen_are_gone,
)
from interlock.storage.database import Database
from tests.build import NOW
from tests.engine.rows import a_connection, a_leased_order

LATER = NOW + timedelta(hours=1)
MUG = Variant("V1", "MUG", "I1", "400", "Mug", Decimal("12.90"))
LID = Variant("V2", "LID", "I2")


@pytest.fixture
def c(database: Database) -> Iterator[Connection]:
    with database.begin() as connection:
        yield connection


@pytest.fixture
def row(c: Connection) -> ConnectionRow:
    return one_connection(c, a_connection(c))


def pairs(c: Connection, row: ConnectionRow) -> list[tuple[str, str, int, str]]:
    return [(one.offer_sku, one.variant_id, one.units, one.how) for one in links(c, row.id)]


def test_the_map_follows_the_sku_the_table_and_the_bundle(c: Connection, row: ConnectionRow) -> None:
    keep_offers(c, row.id, [Offered(1, "MUG"), Offered(2, "SET"), Offered(3, "M2")], NOW)
    keep_variants(c, row.shopify_shop, [MUG, LID], NOW)
    map_skus(c, row.id, {"M2": "MUG"}, "ada", NOW)
    keep_bundle(c, row.id, "SET", (Component("MUG", 4), Component("LID", 1)), "ada", NOW)
    assert relink(c, row, NOW) == 4
    assert pairs(c, row) == [
        ("M2", "V1", 1, "table"),
        ("MUG", "V1", 1, "sku"),
        ("SET", "V1", 4, "bundle"),
        ("SET", "V2", 1, "bundle"),
    ]
    assert {one.offer_sku for one in links(c, item_ids=["I1"])} == {"M2", "MUG", "SET"}
    assert relink(c, row, LATER) == 0
    keep_bundle(c, row.id, "SET", (), "ada", LATER)
    relink(c, row, LATER)
    assert [one.offer_sku for one in links(c, row.id, offer_skus=["SET"])] == []


def test_what_was_read_earlier_does_not_overwrite_what_was_read_later(
    c: Connection, row: ConnectionRow
) -> None:
    keep_offers(c, row.id, [Offered(1, "MUG", 5)], LATER)
    keep_offers(c, row.id, [Offered(1, "MUG", 9)], NOW)
    assert known_offers(c, row.id)[0].quantity == 5
    keep_variants(c, row.shopify_shop, [LID], LATER)
    keep_variants(c, row.shopify_shop, [Variant("V2", "OLD", "I2")], NOW)
    assert [one.sku for one in known_variants(c, row.shopify_shop)] == ["LID"]


def test_what_a_whole_read_does_not_show_is_gone(c: Connection, row: ConnectionRow) -> None:
    keep_offers(c, row.id, [Offered(1, "MUG", 5), Offered(2, "LID", 5)], NOW)
    keep_variants(c, row.shopify_shop, [MUG, LID], NOW)
    relink(c, row, NOW)
    keep_offers(c, row.id, [Offered(1, "MUG", 5)], LATER)
    assert unseen_are_deleted(c, row.id, LATER) == 1
    keep_variants(c, row.shopify_shop, [LID], LATER)
    assert unseen_are_gone(c, row.shopify_shop, LATER) == 1
    assert relink(c, row, LATER) == 2
    assert pairs(c, row) == []


def test_a_new_offer_of_a_sku_goes_before_the_deleted_one(c: Connection, row: ConnectionRow) -> None:
    keep_offers(c, row.id, [Offered(9, "MUG", deleted=True), Offered(3, "MUG", 4)], NOW)
    assert [(one.offer_id, one.quantity) for one in known_offers(c, row.id, ["MUG"])] == [(3, 4)]


def test_the_stock_of_what_was_sold_while_its_offer_led_nowhere_is_read_again(c: Connection) -> None:
    """Its claim hinted no item then, and counts until a later level is seen."""
    order = a_leased_order(c)
    row = one_connection(c, order.connection_id)
    keep_sold(c, [SoldOrder(order.id, row.id, "", "SHIPPING", (("OLD", 2),), NOW)])
    keep_offers(c, row.id, [Offered(1, "OLD"), Offered(2, "LID")], NOW)
    keep_variants(c, row.shopify_shop, [MUG, LID], NOW)
    assert relink(c, row, NOW) == 1
    assert hinted_items(c, row.shopify_shop, 9) == ()
    map_skus(c, row.id, {"OLD": "MUG"}, "ada", LATER)
    assert relink(c, row, LATER) == 1
    assert hinted_items(c, row.shopify_shop, 9) == ("I1",)
