"""`interlock methods …`: the titles of a connection's shipping methods, one by one and as a file, and back to what they were."""

from pathlib import Path

import pytest

from interlock.console.shipping_methods import method_map
from interlock.engine.store import ConnectionRow, counts, map_history, one_connection
from interlock.storage.database import Database
from tests.cli.conftest import Run, document


def titles(database: Database, connection: ConnectionRow) -> dict[str, str]:
    with database.begin() as c:
        return method_map(one_connection(c, connection.id).rules)


def test_a_title_is_set_listed_and_taken_away_with_a_reason(
    interlock: Run, database: Database, connection: ConnectionRow
) -> None:
    assert "as the marketplace says" in interlock("methods", "list", "atlas").stdout
    kept = interlock("methods", "map", "atlas", " STD ", " Parcel, two days ", "--who", "Olga")
    assert "1 mapping kept" in kept.stdout
    assert titles(database, connection) == {"STD": "Parcel, two days"}
    assert "Parcel, two days" in interlock("methods", "list", "atlas").stdout
    listed = document(interlock("methods", "list", "atlas", "--json"))
    assert listed["methods"] == [{"code": "STD", "title": "Parcel, two days"}]
    assert listed["offered"] == ["STD"]

    blind = interlock("methods", "unmap", "atlas", "STD")
    assert blind.exit_code == 3
    assert "needs a reason" in blind.stderr
    assert titles(database, connection) == {"STD": "Parcel, two days"}
    gone = interlock("methods", "unmap", "atlas", "STD", "--why", "the app renames it", "--who", "Ben")
    assert "1 mapping removed." in gone.stdout
    assert titles(database, connection) == {}
    with database.begin() as c:
        latest, first = map_history(c, connection.id, "methods")
    assert (latest.former, latest.present, latest.who, latest.why) == (
        "Parcel, two days",
        "",
        "Ben",
        "the app renames it",
    )
    assert (first.former, first.present, first.who) == ("", "Parcel, two days", "Olga")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("map", "atlas", "EXPRESS", "Express"), "'EXPRESS' is no shipping method of this marketplace"),
        (("map", "atlas", "STD", "x" * 101), "up to 100 characters"),
        (("map", "atlas", "STD", " "), "The title is empty."),
        (("unmap", "atlas", "STD", "--why", "tidy"), "'STD' has no title"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    interlock: Run, database: Database, connection: ConnectionRow, arguments: tuple[str, ...], says: str
) -> None:
    refused = interlock("methods", *arguments)

    assert refused.exit_code == 3
    assert says in refused.stderr
    assert "Nothing was changed" in refused.stderr
    assert titles(database, connection) == {}


def test_titles_come_from_a_file_go_to_one_and_are_brought_back(
    interlock: Run, database: Database, connection: ConnectionRow, tmp_path: Path
) -> None:
    file = tmp_path / "methods.csv"
    file.write_text("code,title\nSTD,Parcel\n", encoding="utf-8")
    assert "1 mapping kept" in interlock("methods", "import", "atlas", str(file)).stdout
    assert interlock("methods", "export", "atlas").stdout == "code,title\nSTD,Parcel\n"
    assert document(interlock("methods", "export", "atlas", "--json")) == [{"code": "STD", "title": "Parcel"}]

    file.write_text("code,title\nSTD,Other\nEXP,Express\n", encoding="utf-8")
    refused = interlock("methods", "import", "atlas", str(file))
    assert refused.exit_code == 3
    assert "methods.csv, row 3, field code: 'EXP' is no shipping method" in refused.stderr
    assert titles(database, connection) == {"STD": "Parcel"}
    with database.begin() as c:
        assert counts(c)[("map_file_refused", "methods")] == 1

    back = interlock(
        "methods", "rollback", "atlas", "--to", "2020-01-01T00:00:00+00:00", "--why", "the wrong file"
    )
    assert "1 mapping removed." in back.stdout
    assert titles(database, connection) == {}
