"""A carrier map with scopes and a default, taken out as a file and brought back to an earlier moment."""

from datetime import timedelta

import pytest

from interlock.cases.store import sync_cases
from interlock.console import desk
from interlock.console.carriers import as_file, roll_back_carriers
from interlock.console.mappings import carrier_desk
from interlock.engine.earlier_carriers import earlier_choices
from interlock.engine.store import ConnectionRow
from interlock.orders.connection import CarrierMapping
from interlock.orders.plan import Case
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import add_order
from interlock.shipping.store import carrier_map
from interlock.shipping.telling import NO_CARRIER
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import NOW
from tests.console.seed import connect
from tests.engine.rows import Wakes

FIRST = (
    CarrierMapping("*", "DPD"),
    CarrierMapping("Parcel", "DPD"),
    CarrierMapping("Parcel", "RM24", country="GB"),
)
MINUTE = timedelta(minutes=1)


def a_corrected_number(carrier: str, map_helps: bool) -> Case:
    options = (Option.MAP_CARRIER,) if map_helps else (Option.SEND_AGAIN,)
    facts = (("Carrier in Shopify", carrier.strip()),)
    return Case(Reason.TRACKING_NOT_CORRECTED, "F1", "It cannot be sent.", options, facts)


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        row = connect(c, keyring)
        desk.map_carrier_names(c, Wakes(), row, FIRST, "Ada", NOW)
        return row


def test_a_name_is_mapped_once_for_each_scope_and_the_default_is_said(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        assert carrier_map(c, connection.id) == FIRST
        shown = carrier_desk(c, connection)
        chosen = earlier_choices(c, ["parcel"])
        assert earlier_choices(c, ["Courier"]) == ()

    assert shown.default == "DPD"
    assert [(m[0], m[1], m[5]) for m in shown.mappings] == [
        ("*", "DPD", ""),
        ("Parcel", "DPD", ""),
        ("Parcel", "RM24", "GB"),
    ]
    assert {(one.shop_name, one.carrier) for one in chosen} >= {
        ("Parcel", "DPD"),
        ("Parcel", "Royal Mail 24"),
    }


def test_a_file_that_was_taken_out_can_be_brought_in(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        body = as_file(carrier_map(c, connection.id)).encode()

    assert desk.read_carrier_file(connection, "map.csv", body) == FIRST


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("Parcel,DPD,uk1,", "row 3, field country"),
        ("Parcel [country FR],DPD,,", "row 3, field shop_name"),
        ("Parcel,NOPE,,", "row 3, field code"),
        ("parcel,RM24,,", "row 3, field shop_name: It is the same as in row 2"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_taken(connection: ConnectionRow, row: str, words: str) -> None:
    body = f"shop_name,code,country,service\nParcel,DPD,,\n{row}\n".encode()

    with pytest.raises(desk.MapRefused, match=words):
        desk.read_carrier_file(connection, "map.csv", body)


def test_one_scope_is_removed_and_the_others_stay(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        desk.unmap_carrier_name(c, Wakes(), connection, "parcel", "Ada", "one code now", NOW + MINUTE, "GB")
        assert carrier_map(c, connection.id) == FIRST[:2]
        with pytest.raises(desk.MapRefused, match="is mapped so"):
            desk.unmap_carrier_name(c, Wakes(), connection, "parcel", "Ada", "again", NOW + MINUTE, "FR")


@pytest.mark.parametrize(
    ("mappings", "named"),
    [
        pytest.param(
            [CarrierMapping("PARCEL", "RM24")], ("“PARCEL”", "“Parcel”", "RM24", "DPD"), id="beside the map"
        ),
        pytest.param(
            [CarrierMapping("My-Van", "RM24"), CarrierMapping("My Van", "DPD")],
            ("“My-Van”", "“My Van”", "RM24", "DPD"),
            id="within one file",
        ),
        pytest.param(
            [CarrierMapping("parcel", "DPD", country="GB")],
            ("“parcel [country GB]”", "“Parcel [country GB]”", "DPD", "RM24"),
            id="for one country",
        ),
    ],
)
def test_mappings_written_alike_that_lead_elsewhere_are_refused_with_both_rows_named(
    database: Database, connection: ConnectionRow, mappings: list[CarrierMapping], named: tuple[str, ...]
) -> None:
    with database.begin() as c:
        with pytest.raises(desk.MapRefused) as refused:
            desk.map_carrier_names(c, Wakes(), connection, mappings, "Bob", NOW + MINUTE)
        assert carrier_map(c, connection.id) == FIRST

    assert [one for one in named if one not in str(refused.value)] == []


def test_mappings_written_alike_that_agree_or_are_changed_together_are_kept(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        for code in ("DPD", "RM24"):
            both = [CarrierMapping("Parcel", code), CarrierMapping("PARCEL", code)]
            desk.map_carrier_names(c, Wakes(), connection, both, "Bob", NOW + MINUTE)
        kept = {
            mapping.shop_name: mapping.code
            for mapping in carrier_map(c, connection.id)
            if not mapping.country
        }

    assert (kept["Parcel"], kept["PARCEL"]) == ("RM24", "RM24")


def test_the_map_is_brought_back_and_the_history_goes_on(
    database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        changes = [CarrierMapping("Parcel", "RM24"), CarrierMapping("New", "DPD")]
        desk.map_carrier_names(c, Wakes(), connection, changes, "Bob", NOW + 2 * MINUTE)
        desk.unmap_carrier_name(c, Wakes(), connection, "*", "Bob", "no default", NOW + 3 * MINUTE)
        done = roll_back_carriers(
            c, Wakes(), connection, NOW + MINUTE, "Cy", "Bob's file was wrong", NOW + 4 * MINUTE
        )
        assert carrier_map(c, connection.id) == FIRST
        newest = carrier_desk(c, connection).history[:3]

    assert (done.mappings, done.removed) == (2, 1)
    assert {(one.name, one.former, one.present, one.who) for one in newest} == {
        ("*", "", "DPD", "Cy"),
        ("Parcel", "RM24", "DPD", "Cy"),
        ("New", "DPD", "", "Cy"),
    }


@pytest.mark.parametrize(("name", "woken"), [("*", 2), ("Parcel", 0)])
def test_a_default_frees_the_numbers_that_stand_without_the_name_of_a_carrier(
    database: Database, connection: ConnectionRow, name: str, woken: int
) -> None:
    """Before the dispatch and after it; not the parcel that has no number either."""
    nameless = Case(Reason.TRACKING_NOT_CORRECTED, "F1", "It cannot be sent.", facts=(NO_CARRIER,))
    method = ("Shipping method", "STD")
    waiting = Case(Reason.TRACKING_MISSING, "order", "It has half of it.", facts=(method, NO_CARRIER))
    bare = Case(Reason.TRACKING_MISSING, "order", "It has none.", facts=(method,))
    wakes = Wakes()
    with database.begin() as c:
        ids = []
        for number, case in enumerate((waiting, nameless, bare)):
            order_id = add_order(c, connection.id, f"M-{number}", "", NOW)
            sync_cases(c, order_id, connection.id, (case,), NOW, may_close=True)
            ids.append(order_id)
        mapping = [CarrierMapping(name, "RM24")]
        done = desk.map_carrier_names(c, wakes, connection, mapping, "Bob", NOW + MINUTE)

    assert [order_id for order_id, _ in wakes.woken] == ids[:woken]
    assert done.orders == woken


@pytest.mark.parametrize("way", ["mapped", "as the default", "from a file", "rolled back"])
def test_a_number_that_waits_for_the_carrier_is_looked_at_however_it_was_mapped(
    database: Database, connection: ConnectionRow, way: str
) -> None:
    """Beside it two that no map helps: another carrier, and a number the marketplace refused."""
    mine, other, refused = (
        a_corrected_number(*of) for of in (("PARCEL ", True), ("DHL", True), ("Parcel", False))
    )
    wakes = Wakes()
    wanted = {("PARCEL", 1), ("DHL", 1)}
    with database.begin() as c:
        ids = []
        for number, case in enumerate((mine, other, refused)):
            order_id = add_order(c, connection.id, f"M-{number}", "", NOW)
            sync_cases(c, order_id, connection.id, (case,), NOW, may_close=True)
            ids.append(order_id)
        assert {(name, number) for name, number, _ in carrier_desk(c, connection).wanted} == wanted
        match way:
            case "mapped" | "as the default":
                name = "*" if way == "as the default" else "Parcel"
                mapping = [CarrierMapping(name, "RM24")]
                done = desk.map_carrier_names(c, wakes, connection, mapping, "Bob", NOW + MINUTE)
            case "from a file":
                mappings = desk.read_carrier_file(connection, "map.csv", b"shop_name,code\nParcel,RM24\n")
                done = desk.map_carrier_names(c, wakes, connection, mappings, "Bob", NOW + MINUTE)
            case _:
                desk.unmap_carrier_name(
                    c, Wakes(), connection, "Parcel", "Bob", "by mistake", NOW + 2 * MINUTE
                )
                done = roll_back_carriers(c, wakes, connection, NOW + MINUTE, "Cy", "wrong", NOW + 3 * MINUTE)

    expected = ids[:2] if way == "as the default" else ids[:1]
    assert [order_id for order_id, _ in wakes.woken] == expected
    assert done.orders == len(expected)


@pytest.mark.parametrize(
    ("to", "why", "field"),
    [(NOW + MINUTE, "nothing changed", "to"), (NOW + 9 * MINUTE, "ahead", "to"), (NOW - MINUTE, " ", "why")],
)
def test_a_way_back_that_leads_nowhere_changes_nothing(
    database: Database, connection: ConnectionRow, to: object, why: str, field: str
) -> None:
    with database.begin() as c, pytest.raises(desk.MapRefused) as refused:
        roll_back_carriers(c, Wakes(), connection, to, "Cy", why, NOW + 4 * MINUTE)  # type: ignore[arg-type]
    assert refused.value.field == field
