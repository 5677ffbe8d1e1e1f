"""Files of bundles: what is taken, how a wrong row is named, and that a file brings back what it took out."""

import pytest

from interlock.console.bundles import (
    MOST_COMPONENTS,
    bundles_as_file,
    read_bundle_file,
    set_bundle,
    set_bundles,
)
from interlock.console.desk import MapRefused
from interlock.console.mappings import sku_desk
from interlock.console.skus import roll_back_skus
from interlock.engine.store import ConnectionRow
from interlock.offers.matching import Component
from interlock.offers.store import bundles
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW
from tests.console.seed import connect, keep, sku_unknown
from tests.console.test_maps import LATER, MINUTE
from tests.engine.rows import Wakes

HEADER = b"offer_sku,component_sku,quantity\n"


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.mark.parametrize(
    "body",
    [
        HEADER + b"SET,MUG,4\nSET,LID,1\nPAIR,MUG,2\n",
        b"\xef\xbb\xbfQuantity;Offer_SKU;Component_SKU\r\n4;SET;MUG\r\n\r\n2;PAIR;MUG\r\n 1 ;SET; LID \r\n",
    ],
    ids=["in order", "as a spreadsheet has it, the rows of an offer apart"],
)
def test_a_file_of_bundles_is_read(body: bytes) -> None:
    assert read_bundle_file("sets.csv", body) == {
        "SET": (Component("MUG", 4), Component("LID", 1)),
        "PAIR": (Component("MUG", 2),),
    }


@pytest.mark.parametrize(
    ("rows", "row", "field", "words"),
    [
        (b"SET,MUG,0\n", 2, "quantity", "'0': a whole number from 1 to 10000"),
        (b"SET,MUG,4\nSET,LID,10001\n", 3, "quantity", "'10001'"),
        (b"SET,MUG,1.5\n", 2, "quantity", "'1.5'"),
        (b"SET,MUG,four\n", 2, "quantity", "'four'"),
        ("SET,MUG,\u0664\n".encode(), 2, "quantity", "a whole number"),
        (b"SET,MUG," + b"9" * 5000 + b"\n", 2, "quantity", "a whole number"),
        (b"SET,MUG,-1\n", 2, "quantity", "begins like a formula"),
        (b"SET,MUG,\n", 2, "quantity", "It is empty"),
        (b"SET,,1\n", 2, "component_sku", "It is empty."),
        (b"SET," + b"x" * 201 + b",1\n", 2, "component_sku", "longer than 200"),
        (b"SET,A + 2 x B,1\n", 2, "component_sku", "reads like several"),
        (b",MUG,1\n", 2, "offer_sku", "It is empty."),
        (b"S\x07,MUG,1\n", 2, "offer_sku", "cannot be shown"),
        (b"=SET,MUG,1\n", 2, "offer_sku", "begins like a formula"),
        (b"SET,MUG,1\nPAIR,MUG,1\nSET,MUG,2\n", 4, "component_sku", "'MUG' is in 'SET' by row 2 already"),
        (b"".join(b"SET,M%d,1\n" % n for n in range(51)), 52, "component_sku", "the most a bundle has"),
        (b"SET,MUG\n", 2, "quantity", "The row has 2 fields"),
        (b"SET,MUG,1,x\n", 2, "quantity", "The row has 4 fields"),
    ],
)
def test_a_wrong_row_is_named_by_file_row_and_field(rows: bytes, row: int, field: str, words: str) -> None:
    with pytest.raises(MapRefused) as refused:
        read_bundle_file("sets.csv", HEADER + rows)

    assert (refused.value.file, refused.value.row, refused.value.field) == ("sets.csv", row, field)
    assert words in str(refused.value)
    assert "Nothing of the file was taken" in str(refused.value)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"offer_sku,component_sku\nSET,MUG\n", "quantity"),
        (b"offer_sku,component_sku,quantity,price\nSET,MUG,1,2\n", "price"),
        (b"mirakl_sku,shop_sku\nA,B\n", "offer_sku"),
    ],
    ids=["a column is missing", "a column too many", "the file of the other map"],
)
def test_a_wrong_header_is_named(body: bytes, field: str) -> None:
    with pytest.raises(MapRefused) as refused:
        read_bundle_file("sets.csv", body)
    assert (refused.value.row, refused.value.field) == (1, field)


def test_every_wrong_row_is_named_in_one_go_and_as_many_components_as_may_be_are_taken() -> None:
    with pytest.raises(
        MapRefused, match=r"2 rows are wrong\.\nrow 2, field quantity.*\nrow 4, field offer_sku"
    ):
        read_bundle_file("sets.csv", HEADER + b"SET,MUG,x\nSET,LID,1\n,LID,1\n")
    most = HEADER + b"".join(b"SET,M%d,1\n" % n for n in range(MOST_COMPONENTS))
    assert len(read_bundle_file("sets.csv", most)["SET"]) == MOST_COMPONENTS


def test_a_file_brings_in_what_it_took_out_and_leaves_other_bundles(
    database: Database, connection: ConnectionRow
) -> None:
    told = {"SET": (Component("-10-BLUE", 4), Component("A, B", 1)), "PAIR": (Component("MUG", 2),)}
    with database.begin() as c:
        set_bundles(c, Wakes(), connection, told, "Ada", NOW)
        written = bundles_as_file(c, connection.id)
        set_bundle(c, Wakes(), connection, "SET", (), "Ada", LATER)
        set_bundle(c, Wakes(), connection, "OTHER", (Component("X", 1),), "Ada", LATER)
        set_bundles(c, Wakes(), connection, read_bundle_file("s.csv", written.encode()), "Bob", LATER)
        assert bundles(c, connection.id) == {**told, "OTHER": (Component("X", 1),)}
    assert "'-10-BLUE" in written


def test_a_file_is_in_the_history_line_by_line_and_taken_back_with_the_map(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        set_bundle(c, Wakes(), connection, "SET", (Component("MUG", 4),), "Ada", NOW)
        wanted = read_bundle_file("s.csv", HEADER + b"SET,MUG,6\nPAIR,MUG,2\nPAIR,LID,1\n")
        done = set_bundles(c, Wakes(), connection, wanted, "Bob", LATER)
        newest = sku_desk(c, connection).history[:2]
        assert (done.mappings, done.removed) == (3, 0)
        assert {(one.name, one.former, one.present, one.who) for one in newest} == {
            ("SET", "4 x MUG", "6 x MUG", "Bob"),
            ("PAIR", "", "1 x LID + 2 x MUG", "Bob"),
        }
        roll_back_skus(c, Wakes(), connection, NOW, "Cy", "Bob's file was wrong", LATER + MINUTE)
        assert bundles(c, connection.id) == {"SET": (Component("MUG", 4),)}


def test_a_file_wakes_the_orders_that_wait_for_its_offers(
    database: Database, connection: ConnectionRow
) -> None:
    wakes = Wakes()
    with database.begin() as c:
        order_id, _ = keep(c, connection, sku_unknown())
        none = set_bundles(c, wakes, connection, {"PAIR": (Component("MUG", 2),)}, "Ada", NOW)
        assert (none.orders, none.replay, wakes.woken) == (0, None, [])
        done = set_bundles(c, wakes, connection, {"LAMP": (Component("MUG", 2),)}, "Ada", NOW)
    assert done.orders == 1
    assert done.replay is not None
    assert [woken for woken, _ in wakes.woken] == [order_id]


def test_a_file_without_a_name_or_with_one_wrong_bundle_changes_nothing(
    database: Database, connection: ConnectionRow
) -> None:
    good, wrong = {"SET": (Component("MUG", 4),)}, {"SET": (Component("MUG", 4),), "X": (Component("Y", 0),)}
    with database.begin() as c:
        for wanted, who, field in ((good, " ", "who"), (wrong, "Ada", "components")):
            with pytest.raises(MapRefused) as refused:
                set_bundles(c, Wakes(), connection, wanted, who, NOW)
            assert refused.value.field == field
        assert bundles(c, connection.id) == {}
