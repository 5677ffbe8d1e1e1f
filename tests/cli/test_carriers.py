"""`interlock carriers suggest`: a marketplace's list tried before anything is connected."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run

GOOD = "code,label\nRM24,Royal Mail 24\nRM48,Royal Mail 48\nDPD,DPD UK\n"


def test_a_list_is_tried_without_a_connection(interlock: Run, tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_text(GOOD, encoding="utf-8")

    exact = json.loads(
        interlock("carriers", "suggest", "royal mail 24", "--codes", str(file), "--json").stdout
    )
    near = json.loads(
        interlock("carriers", "suggest", "Royal Mail Tracked 48", "--codes", str(file), "--json").stdout
    )
    nothing = json.loads(interlock("carriers", "suggest", "🚚", "--codes", str(file), "--json").stdout)

    assert set(exact[0]) == {"code", "label", "score", "reasons", "automatic"}
    assert (exact[0]["code"], exact[0]["automatic"], exact[0]["score"]) == ("RM24", True, 1.0)
    assert (near[0]["code"], near[0]["automatic"]) == ("RM48", False)
    assert nothing == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("code,label\nRM24,Royal Mail 24\n,No code\n", "codes.csv, row 3, field code: It is empty."),
        ("code,label\nRM24,\n", "codes.csv, row 2, field label: It is empty."),
        ("code,label\nRM24,A\nRM24,B\n", "row 3, field code: It is the same as in row 2."),
        ("code;name\nRM24;A\n", "row 1, field label: The header does not name it"),
        ("", "there is no row"),
    ],
)
def test_a_bad_file_is_named_by_row_and_field(interlock: Run, tmp_path: Path, body: str, words: str) -> None:
    file = tmp_path / "codes.csv"
    file.write_text(body, encoding="utf-8")
    plain = interlock("carriers", "suggest", "DPD", "--codes", str(file))
    told = interlock("carriers", "suggest", "DPD", "--codes", str(file), "--json")

    assert plain.exit_code == told.exit_code == 3
    assert words in plain.stderr
    assert words in json.loads(told.stdout)["error"]


def test_neither_or_both_sources_are_refused(interlock: Run, tmp_path: Path) -> None:
    assert interlock("carriers", "suggest", "DPD").exit_code == 2
