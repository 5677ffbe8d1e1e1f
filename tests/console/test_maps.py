"""Mappings are removed by name and reason, and every change of a map is written down."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select

from interlock.cases.store import answers
from interlock.console import desk
from interlock.console.bundles import set_bundle
from interlock.console.mappings import carrier_desk, sku_desk
from interlock.console.skus import roll_back_skus
from interlock.engine.store import ConnectionRow
from interlock.imports.store import sku_map
from interlock.offers.matching import Component
from interlock.offers.store import bundles
from interlock.orders.connection import CarrierMapping
from interlock.orders.reasons import Reason
from interlock.shipping.store import carrier_map
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW
from tests.console.seed import connect, keep, sku_unknown
from tests.engine.rows import Wakes

LATER = NOW + timedelta(minutes=5)
MINUTE = timedelta(minutes=1)


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


def test_a_mapping_that_no_case_waits_for_costs_no_statement_of_its_own(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id, plan = keep(c, connection, sku_unknown())
        (waiting,) = (case.subject for case in plan.cases if case.reason is Reason.SKU_UNKNOWN)
        asked: list[str] = []
        event.listen(c, "before_cursor_execute", lambda *args: asked.append(args[2]))
        costs = []
        for many in (1, 40):
            rows = [(f"N-{number}", "SOLD") for number in range(many)]
            asked.clear()
            assert desk.replay_skus(c, Wakes(), connection.id, rows, "Ada", NOW) == (0, None, 0)
            costs.append(len(asked))
        assert costs[0] == costs[1]

        rows = [*rows, (f" {waiting.lower()}", "LAMP-2")]
        unlocked, replay_id, left_out = desk.replay_skus(c, Wakes(), connection.id, rows, "Ada", NOW)
        given = c.execute(select(answers.c.order_id, answers.c.option, answers.c.why)).all()
    assert (unlocked, left_out, replay_id is None) == (1, 0, False)
    assert [tuple(row) for row in given] == [(order_id, "map_sku", "Mapped to LAMP-2.")]


def test_a_carrier_is_removed_however_it_is_written(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        mapping = CarrierMapping("Royal Mail", "RM24")
        desk.map_carrier_names(c, Wakes(), connection, [mapping], "Ada", NOW)
        removed = desk.unmap_carrier_name(
            c, Wakes(), connection, "royal mail ", "Bob", "we changed it", LATER
        )
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
        desk.unmap_carrier_name(c, Wakes(), connection, "DHL", "Ada", "because", NOW)


def test_the_sku_map_is_brought_back_and_the_history_goes_on(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        desk.map_sku_names(c, Wakes(), connection, [("A", "B"), ("X", "Y")], "Ada", NOW)
        desk.map_sku_names(c, Wakes(), connection, [("A", "C"), ("N", "M")], "Bob", LATER)
        desk.unmap_sku_name(c, connection, "X", "Bob", "not needed", LATER)
        done = roll_back_skus(c, Wakes(), connection, NOW, "Cy", "Bob's file was wrong", LATER + MINUTE)
        assert sku_map(c, connection.id) == {"A": "B", "X": "Y"}
        newest = sku_desk(c, connection).history[:3]

    assert (done.mappings, done.removed) == (2, 1)
    assert {(one.name, one.former, one.present, one.who, one.why) for one in newest} == {
        ("A", "C", "B", "Cy", "Bob's file was wrong"),
        ("N", "M", "", "Cy", "Bob's file was wrong"),
        ("X", "", "Y", "Cy", "Bob's file was wrong"),
    }


def test_bundles_are_brought_back_with_the_map(database: Database, connection: ConnectionRow) -> None:
    mug, lid = Component("MUG", 4), Component("A + B", 1)
    with database.begin() as c:
        set_bundle(c, Wakes(), connection, "SET", (mug, lid), "Ada", NOW)
        set_bundle(c, Wakes(), connection, "SET", (mug,), "Bob", LATER)
        set_bundle(c, Wakes(), connection, "NEW", (lid,), "Bob", LATER)
        done = roll_back_skus(c, Wakes(), connection, NOW, "Cy", "Bob was wrong", LATER + MINUTE)
        assert bundles(c, connection.id) == {"SET": (lid, mug)}
        newest = sku_desk(c, connection).history[:2]

    assert (done.mappings, done.removed) == (1, 1)
    assert {(one.name, one.former, one.present, one.who) for one in newest} == {
        ("NEW", "1 x A + B", "", "Cy"),
        ("SET", "4 x MUG", "1 x A + B + 4 x MUG", "Cy"),
    }


def test_a_component_that_reads_like_several_is_refused(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c, pytest.raises(desk.MapRefused, match="reads like several"):
        set_bundle(c, Wakes(), connection, "SET", (Component("A + 2 x B", 1),), "Ada", NOW)


@pytest.mark.parametrize(
    ("to", "why", "field"),
    [(NOW, "nothing changed", "to"), (LATER + MINUTE, "ahead", "to"), (NOW - MINUTE, " ", "why")],
)
def test_a_way_back_of_skus_that_leads_nowhere_changes_nothing(
    database: Database, connection: ConnectionRow, to: datetime, why: str, field: str
) -> None:
    with database.begin() as c:
        desk.map_sku_names(c, Wakes(), connection, [("A", "B")], "Ada", NOW)
        with pytest.raises(desk.MapRefused) as refused:
            roll_back_skus(c, Wakes(), connection, to, "Cy", why, LATER)
        assert refused.value.field == field
        assert sku_map(c, connection.id) == {"A": "B"}
