"""Stock from the command line: shown, explained, set up, and refused where a figure can be none."""

from pathlib import Path

import pytest
from sqlalchemy import update

from interlock.cli.telling import Exit
from interlock.clock import SystemClock
from interlock.engine.store import ConnectionRow, connections
from interlock.inventory.store import buffers
from interlock.storage.database import Database
from tests.cli.conftest import Run, document
from tests.inventory.seed import HERE, item, stocked

NAMED = ("--who", "Ada", "--why", "go-live")


@pytest.fixture
def offered(database: Database, connection: ConnectionRow) -> ConnectionRow:
    """A lamp of which seven are here and three there."""
    with database.begin() as c:
        c.execute(update(connections).values(live=True))
        stocked(c, connection, (item("LAMP", 7, 3),), SystemClock().now())
    return connection


def test_stock_is_off_until_somebody_turns_it_on(interlock: Run, offered: ConnectionRow) -> None:
    shown = document(interlock("stock", "show", offered.name, "--json"))
    assert (shown["publishes"], shown["offers"], shown["differing"]) == (False, 1, 1)
    assert interlock("stock", "publish", offered.name, "on", *NAMED).exit_code == Exit.DONE
    assert document(interlock("stock", "show", offered.name, "--json"))["publishes"] is True
    assert interlock("stock", "publish", offered.name, "again", "--who", "Ada").exit_code == Exit.DONE
    assert interlock("stock", "publish", offered.name, "off", *NAMED).exit_code == Exit.DONE


def test_a_figure_is_explained(interlock: Run, offered: ConnectionRow) -> None:
    found = document(interlock("stock", "explain", offered.name, "LAMP", "--json"))
    assert found["target"] == 10
    assert found["because"][0].startswith("10 to offer: 10 available at the connection's locations")
    assert [level["available"] for level in found["parts"][0]["levels"]] == [7, 3]
    assert "7" in interlock("stock", "explain", offered.name, "LAMP").stdout
    unknown = interlock("stock", "explain", offered.name, "RUG")
    assert unknown.exit_code == Exit.NOT_FOUND
    assert "no stock figure for 'RUG'" in unknown.stderr


def test_locations_and_a_zero_for_a_while(interlock: Run, offered: ConnectionRow) -> None:
    assert interlock("stock", "locations", offered.name, "1", *NAMED).exit_code == Exit.DONE
    assert document(interlock("stock", "show", offered.name, "--json"))["locations"] == [HERE]
    refused = interlock("stock", "locations", offered.name, "99", *NAMED)
    assert refused.exit_code == Exit.REFUSED
    assert "shows no stock at gid://shopify/Location/99" in refused.stderr
    early = interlock("stock", "zero", offered.name, "on", *NAMED)
    assert "is not published" in early.stderr
    interlock("stock", "publish", offered.name, "on", *NAMED)
    assert interlock("stock", "zero", offered.name, "on", *NAMED).exit_code == Exit.DONE
    assert document(interlock("stock", "show", offered.name, "--json"))["zeroed"] == "Ada: go-live"


@pytest.mark.parametrize("units", ["-1", "1.5", "1000001", "many", ""])
def test_a_buffer_that_can_be_none_changes_nothing(
    interlock: Run, offered: ConnectionRow, units: str
) -> None:
    refused = interlock("stock", "buffer", offered.name, *NAMED, "--", units)
    assert refused.exit_code == Exit.REFUSED
    assert "is not a number of units" in refused.stderr
    assert document(interlock("stock", "show", offered.name, "--json"))["buffer"] == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("LAMP,1.5\n", "row 2, field buffer"),
        ("LAMP,-2\n", "row 2, field buffer"),
        ("LAMP,1\nLAMP,2\n", "row 3, field sku"),
        (",4\n", "row 2, field sku"),
    ],
)
def test_a_file_of_buffers_is_taken_whole_or_not_at_all(
    interlock: Run, offered: ConnectionRow, database: Database, tmp_path: Path, rows: str, said: str
) -> None:
    file = tmp_path / "buffers.csv"
    file.write_text("sku,buffer\n" + rows)
    refused = interlock("stock", "buffers", offered.name, str(file), "--who", "Ada")
    assert refused.exit_code == Exit.REFUSED
    assert said in refused.stderr
    with database.begin() as c:
        assert buffers(c, offered.id) == {}
    file.write_text("sku,buffer\nLAMP,4\nRUG,\n")
    assert interlock("stock", "buffers", offered.name, str(file), "--who", "Ada").exit_code == Exit.DONE
    with database.begin() as c:
        assert buffers(c, offered.id) == {"LAMP": 4}


def test_nobody_changes_it_without_a_name_and_a_reason(interlock: Run, offered: ConnectionRow) -> None:
    assert "needs a reason" in interlock("stock", "publish", offered.name, "on", "--who", "Ada").stderr
    assert "needs the name" in interlock("stock", "publish", offered.name, "on", "--who", " ").stderr
