"""Mappings are removed by name and reason, and every change of a map is written down."""

from datetime import timedelta

import pytest

from interlock.console import desk
from interlock.console.mappings import carrier_desk, sku_desk
from interlock.engine.store import ConnectionRow
from interlock.imports.store import sku_map
from interlock.orders.connection import CarrierMapping
from interlock.shipping.store import carrier_map
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW
from tests.console.seed import connect
from tests.engine.rows import Wakes

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


def test_a_sku_is_mapped_changed_and_removed(database: Database, connection: ConnectionRow) -> None:
    queue = Wakes()
    with database.begin() as c:
        desk.map_sku_names(c, queue, connection, [("A", "B"), ("X", "Y")], "Ada", NOW)
        desk.map_sku_names(c, queue, connection, [("A", "C"), ("X", "Y")], "Bob", NOW)
        removed = desk.unmap_sku_name(c, connection, " A ", "Cy", "the shop uses the same name now", LATER)
        assert removed.removed == 1
        assert sku_map(c, connection.id) == {"X": "Y"}
        told = sku_desk(c, connection).history
    assert [(one.name, one.former, one.present, one.who, one.why) for one in told] == [
        ("A", "C", "", "Cy", "the shop uses the same name now"),
        ("A", "B", "C", "Bob", ""),
        ("X", "", "Y", "Ada", ""),
        ("A", "", "B", "Ada", ""),
    ]


def test_a_carrier_is_removed_however_it_is_written(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        mapping = CarrierMapping("Royal Mail", "RM24")
        desk.map_carrier_names(c, Wakes(), connection, [mapping], "Ada", NOW)
        removed = desk.unmap_carrier_name(c, connection, "royal mail ", "Bob", "we changed it", LATER)
        assert removed.removed == 1
        assert carrier_map(c, connection.id) == ()
        (last, _) = carrier_desk(c, connection).history
    assert (last.name, last.former, last.present) == ("Royal Mail", "RM24", "")


@pytest.mark.parametrize(
    ("name", "who", "why", "field"),
    [
        ("A", "", "because", "who"),
        ("A", "Ada", " ", "why"),
        ("A", "Ada", "x" * 201, "why"),
        ("A", "Ada", "two\nlines", "why"),
        ("B", "Ada", "because", "mirakl_sku"),
    ],
)
def test_a_removal_that_is_refused_changes_nothing(
    database: Database, connection: ConnectionRow, name: str, who: str, why: str, field: str
) -> None:
    with database.begin() as c:
        desk.map_sku_names(c, Wakes(), connection, [("A", "B")], "Ada", NOW)
        with pytest.raises(desk.MapRefused) as refused:
            desk.unmap_sku_name(c, connection, name, who, why, LATER)
        assert refused.value.field == field
        assert "Nothing was changed." in str(refused.value)
        assert sku_map(c, connection.id) == {"A": "B"}
        assert len(sku_desk(c, connection).history) == 1


def test_a_carrier_that_is_not_mapped_cannot_be_removed(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c, pytest.raises(desk.MapRefused, match="No carrier 'DHL' is mapped"):
        desk.unmap_carrier_name(c, connection, "DHL", "Ada", "because", NOW)
