"""`interlock skus …`: what a SKU could mean, both sides compared, bundles, and the map as a file."""

import csv
import io
from pathlib import Path

import pytest

from interlock.engine.store import ConnectionRow, counts
from interlock.offers.store import bundles, links
from interlock.storage.database import Database
from tests.cli.conftest import Run, document
from tests.offers.seeded import both_sides


@pytest.fixture(autouse=True)
def _seeded(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        both_sides(c, connection)


def test_a_sku_is_suggested_with_reasons_and_nothing_is_changed(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    found = document(interlock("skus", "suggest", "atlas", "lamp-2", "--json"))
    assert found[0] == {
        "shop_sku": "LAMP-2",
        "title": "Oak desk lamp",
        "score": 0.97,
        "reasons": ["the same but for case, blanks and punctuation"],
    }
    assert "Nothing in the shop of atlas is like" in interlock("skus", "suggest", "atlas", "QQQQ").stdout
    assert interlock("skus", "suggest", "atlas", " ").exit_code == 3
    with database.begin() as c:
        assert [one.offer_sku for one in links(c, connection.id)] == ["MUG", "OUT"]


def test_both_sides_are_compared_line_by_line(interlock: Run) -> None:
    told = document(interlock("skus", "compare", "atlas", "--json"))
    assert {name: told["state"][name] for name in ("offers", "linked", "without_product", "ambiguous")} == {
        "offers": 5,
        "linked": 2,
        "without_product": 2,
        "ambiguous": 1,
    }
    assert {(one["offer_sku"] or one["shop_sku"]): one["state"] for one in told["lines"]} == {
        "MUG": "linked",
        "lamp-2": "without product",
        "TWIN": "ambiguous",
        "SET": "without product",
        "OUT": "inactive",
        "LAMP-2": "not offered",
    }
    assert told["lines"][0]["price_differs"] or any(one["price_differs"] for one in told["lines"])
    plain = interlock("skus", "compare", "atlas", "--state", "ambiguous").stdout
    assert "5 offers (read at" in plain
    assert "TWIN" in plain
    assert "lamp-2" not in plain


def test_a_mapping_and_a_bundle_link_the_offer_at_once(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    assert interlock("skus", "map", "atlas", "lamp-2", "LAMP-2").exit_code == 0
    assert interlock("skus", "bundle", "atlas", "SET", "MUG=4", "LAMP-2").exit_code == 0
    with database.begin() as c:
        assert {(one.offer_sku, one.shop_sku, one.units, one.how) for one in links(c, connection.id)} == {
            ("MUG", "MUG", 1, "sku"),
            ("OUT", "OUT", 1, "sku"),
            ("SET", "LAMP-2", 1, "bundle"),
            ("SET", "MUG", 4, "bundle"),
            ("lamp-2", "LAMP-2", 1, "table"),
        }
    assert interlock("skus", "bundle", "atlas", "SET").exit_code == 0
    with database.begin() as c:
        assert bundles(c, connection.id) == {}


@pytest.mark.parametrize(
    ("components", "words"),
    [
        (("MUG=0",), "0 units of 'MUG'"),
        (("MUG=x",), "'MUG=x' is no component"),
        (("MUG=1.5",), "is no component"),
        (("MUG=-1",), "is no component"),
        (("=4",), "It is empty."),
        (("MUG=1", "MUG=2"), "is named twice"),
        (("MUG=99999",), "1 to 10000 is expected"),
        ((), "'SET' is no bundle"),
    ],
)
def test_a_wrong_bundle_is_refused_in_words_and_changes_nothing(
    interlock: Run,
    database: Database,
    connection: ConnectionRow,
    components: tuple[str, ...],
    words: str,
) -> None:
    refused = interlock("skus", "bundle", "atlas", "SET", *components)
    assert refused.exit_code == 3
    assert words in refused.stderr
    assert "Nothing was changed." in refused.stderr
    with database.begin() as c:
        assert bundles(c, connection.id) == {}


def test_the_map_is_exported_as_import_takes_it(interlock: Run, tmp_path: Path) -> None:
    assert interlock("skus", "map", "atlas", "lamp-2", "LAMP-2").exit_code == 0
    written = interlock("skus", "export", "atlas").stdout
    assert list(csv.reader(io.StringIO(written))) == [["mirakl_sku", "shop_sku"], ["lamp-2", "LAMP-2"]]
    file = tmp_path / "skus.csv"
    file.write_text(written, encoding="utf-8")
    assert document(interlock("skus", "import", "atlas", str(file), "--json"))["mappings"] == 1


def test_a_sku_that_begins_like_a_formula_comes_back_as_it_went_out(interlock: Run, tmp_path: Path) -> None:
    assert interlock("skus", "map", "atlas", "--", "-10-BLUE", "LAMP-2").exit_code == 0
    file = tmp_path / "skus.csv"
    file.write_text(interlock("skus", "export", "atlas").stdout, encoding="utf-8")
    assert document(interlock("skus", "import", "atlas", str(file), "--json"))["mappings"] == 1
    assert document(interlock("skus", "list", "atlas", "--json"))["mappings"][0][:2] == ["-10-BLUE", "LAMP-2"]


def test_bundles_are_taken_from_a_file_and_written_to_one(
    interlock: Run, database: Database, connection: ConnectionRow, tmp_path: Path
) -> None:
    file = tmp_path / "sets.csv"
    file.write_text("offer_sku;component_sku;quantity\nSET;MUG;4\nSET;LAMP-2;1\n", encoding="utf-8")
    assert "2 mappings kept" in interlock("skus", "import", "atlas", str(file), "--bundles").stdout
    with database.begin() as c:
        assert {(one.shop_sku, one.units) for one in links(c, connection.id) if one.offer_sku == "SET"} == {
            ("MUG", 4),
            ("LAMP-2", 1),
        }
    written = interlock("skus", "export", "atlas", "--bundles").stdout
    assert list(csv.reader(io.StringIO(written))) == [
        ["offer_sku", "component_sku", "quantity"],
        ["SET", "LAMP-2", "1"],
        ["SET", "MUG", "4"],
    ]
    assert document(interlock("skus", "export", "atlas", "--bundles", "--json")) == {
        "SET": [{"shop_sku": "LAMP-2", "units": 1}, {"shop_sku": "MUG", "units": 4}]
    }


def test_a_wrong_file_of_bundles_is_refused_whole_named_and_counted(
    interlock: Run, database: Database, connection: ConnectionRow, tmp_path: Path
) -> None:
    file = tmp_path / "sets.csv"
    file.write_text("offer_sku,component_sku,quantity\nSET,MUG,4\nSET,LID,none\n", encoding="utf-8")
    refused = interlock("skus", "import", "atlas", str(file), "--bundles", "--json")
    assert refused.exit_code == 3
    assert "sets.csv, row 3, field quantity: 'none': a whole number" in refused.stderr
    said = document(refused)
    assert (said["file"], said["row"], said["field"]) == ("sets.csv", 3, "quantity")
    with database.begin() as c:
        assert bundles(c, connection.id) == {}
        assert counts(c)[("map_file_refused", "bundles")] == 1
