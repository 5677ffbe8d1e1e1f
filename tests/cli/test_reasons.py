"""`interlock reasons …`: the reason codes of a connection as a file, their history, and back to what they were."""

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Connection, update

from interlock.console.desk import MapRefused
from interlock.console.reason_codes import (
    REASONS,
    read_reason_file,
    reason_map,
    roll_back_reasons,
    set_reasons,
    with_reason_map,
)
from interlock.engine.store import ConnectionRow, connections, counts, map_history, one_connection
from interlock.orders.capability import Capability, OperatorReason
from interlock.orders.codec import decode, encode
from interlock.orders.connection import ReasonOfEdit
from interlock.storage.database import Database
from tests.build import NOW, some_rules
from tests.cli.conftest import Run, document
from tests.console.seed import keep, sku_unknown
from tests.console.test_maps import LATER, MINUTE
from tests.engine.rows import Wakes

CANCELATIONS = (OperatorReason("34", "Customer's wish", True), OperatorReason("36", "Fraud", False))
REFUNDS = (OperatorReason("15", "Out of stock", True), OperatorReason("19", "Damaged", True))
HEADER = b"use,edit,code\n"


def takes(c: Connection, row: ConnectionRow, refunds: tuple[OperatorReason, ...] = REFUNDS) -> ConnectionRow:
    """The connection once its marketplace told which reasons a shop may give."""
    assert row.capability is not None
    told = replace(
        decode(Capability, row.capability), cancelation_reasons=CANCELATIONS, refund_reasons=refunds
    )
    rules = with_reason_map(row.rules, {"cancelation": "34"})
    c.execute(
        update(connections)
        .where(connections.c.id == row.id)
        .values(capability=encode(told), rules=encode(rules))
    )
    return one_connection(c, row.id)


@pytest.fixture
def row(database: Database, connection: ConnectionRow) -> ConnectionRow:
    with database.begin() as c:
        return takes(c, connection)


def codes(c: Connection, row: ConnectionRow) -> dict[str, str]:
    return reason_map(one_connection(c, row.id).rules)


def test_the_map_is_what_the_rules_say() -> None:
    rules = replace(
        some_rules(),
        cancelation_reason="34",
        refund_reason="15",
        reasons_by_edit=(ReasonOfEdit("line_removed", "", "19"),),
    )
    assert reason_map(rules) == {"cancelation": "34", "refund": "15", "refund line_removed": "19"}
    assert (
        with_reason_map(some_rules(), reason_map(rules)) == with_reason_map(rules, reason_map(rules)) == rules
    )
    assert REASONS.as_file(rules) == "use,edit,code\ncancelation,,34\nrefund,,15\nrefund,line_removed,19\n"


def test_a_file_is_read_and_brings_in_what_it_took_out(row: ConnectionRow) -> None:
    assert read_reason_file(row, "r.csv", b"code;use\n34;cancelation\n") == {"cancelation": "34"}
    rules = with_reason_map(row.rules, {"refund": "15", "refund quantity_reduced": "19"})
    assert read_reason_file(row, "r.csv", REASONS.as_file(rules).encode()) == reason_map(rules)


@pytest.mark.parametrize(
    ("rows", "number", "field", "words"),
    [
        (b"cancel,,34\n", 2, "use", "'cancel' is no use of a reason; there are cancelation and refund"),
        (b",,34\n", 2, "use", "no use of a reason"),
        (b"refund,price,15\n", 2, "edit", "'price' is no kind of edit"),
        (b"refund,,\n", 2, "code", "It is empty."),
        (b"refund,,34\n", 2, "code", "'34' is not a refund reason a shop may give here. It may give: 15, 19"),
        (b"cancelation,,36\n", 2, "code", "'36' is not a cancelation reason a shop may give"),
        (b"refund,,15\nrefund,,19\n", 3, "use", "the same as in row 2"),
        (b"refund,line_removed,15\nrefund,line_removed,15\n", 3, "edit", "the same as in row 2"),
        (b"refund,,=15\n", 2, "code", "begins like a formula"),
        (b"refund,15\n", 2, "code", "The row has 2 fields"),
    ],
)
def test_a_wrong_row_is_named_by_file_row_and_field(
    row: ConnectionRow, rows: bytes, number: int, field: str, words: str
) -> None:
    with pytest.raises(MapRefused) as refused:
        read_reason_file(row, "r.csv", HEADER + rows)
    assert (refused.value.file, refused.value.row, refused.value.field) == ("r.csv", number, field)
    assert words in str(refused.value)


def test_a_list_that_was_not_read_yet_takes_no_code(row: ConnectionRow) -> None:
    with pytest.raises(MapRefused, match="list of reasons was not read yet"):
        read_reason_file(replace(row, capability=None), "r.csv", HEADER + b"refund,,15\n")


def test_codes_are_kept_with_their_history_and_wake_who_waits(database: Database, row: ConnectionRow) -> None:
    wakes = Wakes()
    with database.begin() as c:
        order_id, _ = keep(c, row, sku_unknown())
        done = set_reasons(c, wakes, row, {"refund": "15", "refund line_removed": "19"}, "Ada", NOW)
        assert (done.mappings, done.orders) == (2, 1)
        assert codes(c, row) == {"cancelation": "34", "refund": "15", "refund line_removed": "19"}
        assert {
            (one.name, one.former, one.present, one.who) for one in map_history(c, row.id, "reasons")
        } == {
            ("refund", "", "15", "Ada"),
            ("refund line_removed", "", "19", "Ada"),
        }
    assert [woken for woken, _ in wakes.woken] == [order_id]


def test_codes_are_brought_back_together_and_not_where_one_is_taken_no_more(
    database: Database, row: ConnectionRow
) -> None:
    with database.begin() as c:
        set_reasons(c, Wakes(), row, {"refund": "15"}, "Ada", NOW)
        set_reasons(c, Wakes(), row, {"refund": "19", "refund line_removed": "15"}, "Bob", LATER)
        done = roll_back_reasons(c, Wakes(), row, NOW, "Cy", "Bob was wrong", LATER + MINUTE)
        assert (done.mappings, done.removed) == (1, 1)
        assert codes(c, row) == {"cancelation": "34", "refund": "15"}
        with pytest.raises(MapRefused, match="as they were at that moment"):
            roll_back_reasons(c, Wakes(), row, NOW, "Cy", "again", LATER + 2 * MINUTE)

        rules = one_connection(c, row.id).rules
        takes(c, one_connection(c, row.id), REFUNDS[:1])
        c.execute(update(connections).where(connections.c.id == row.id).values(rules=encode(rules)))
        with pytest.raises(MapRefused, match="'19', which cannot be kept any more"):
            roll_back_reasons(c, Wakes(), row, LATER, "Cy", "Bob was right", LATER + 2 * MINUTE)
        assert codes(c, row) == {"cancelation": "34", "refund": "15"}


def test_the_refund_reason_is_not_taken_away_while_refunds_are_made(
    database: Database, row: ConnectionRow
) -> None:
    with database.begin() as c:
        set_reasons(c, Wakes(), row, {"refund": "15"}, "Ada", NOW)
        rules = replace(one_connection(c, row.id).rules, reduction_after_debit="approve")
        c.execute(update(connections).where(connections.c.id == row.id).values(rules=encode(rules)))
        with pytest.raises(MapRefused, match="Interlock makes refunds now"):
            roll_back_reasons(c, Wakes(), row, NOW - MINUTE, "Cy", "why not", LATER)
        assert codes(c, row)["refund"] == "15"


def test_the_commands_take_write_list_and_bring_back(
    interlock: Run, database: Database, row: ConnectionRow, tmp_path: Path
) -> None:
    file = tmp_path / "reasons.csv"
    file.write_text("use,edit,code\nrefund,,15\nrefund,line_removed,19\n", encoding="utf-8")
    assert "2 mappings kept" in interlock("reasons", "import", "atlas", str(file)).stdout
    assert interlock("reasons", "export", "atlas").stdout == (
        "use,edit,code\ncancelation,,34\nrefund,,15\nrefund,line_removed,19\n"
    )
    listed = document(interlock("reasons", "list", "atlas", "--json"))
    assert listed["reasons"][0] == {"use": "cancelation", "edit": "", "code": "34"}
    assert {one["name"] for one in listed["history"]} == {"refund", "refund line_removed"}
    assert "every other" in interlock("reasons", "list", "atlas").stdout
    assert document(interlock("reasons", "export", "atlas", "--json")) == listed["reasons"]

    early = interlock("reasons", "rollback", "atlas", "--to", "2020-01-01T00:00:00+00:00")
    assert early.exit_code == 3
    assert "needs a reason" in early.stderr
    back = interlock(
        "reasons", "rollback", "atlas", "--to", "2020-01-01T00:00:00+00:00", "--why", "the wrong file"
    )
    assert "2 mappings removed." in back.stdout
    with database.begin() as c:
        assert codes(c, row) == {"cancelation": "34"}


def test_a_wrong_file_is_refused_whole_and_counted(
    interlock: Run, database: Database, row: ConnectionRow, tmp_path: Path
) -> None:
    file = tmp_path / "reasons.csv"
    file.write_text("use,edit,code\nrefund,,15\nrefund,line_removed,99\n", encoding="utf-8")
    refused = interlock("reasons", "import", "atlas", str(file))
    assert refused.exit_code == 3
    assert "reasons.csv, row 3, field code: '99' is not a refund reason" in refused.stderr
    with database.begin() as c:
        assert codes(c, row) == {"cancelation": "34"}
        assert counts(c)[("map_file_refused", "reasons")] == 1
