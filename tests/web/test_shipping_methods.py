"""The page of shipping methods: a title is set, taken away, brought back, and comes from a file."""

import re

import pytest

from interlock.console.shipping_methods import method_map
from interlock.engine.store import ConnectionRow, counts, one_connection
from interlock.storage.database import Database
from tests.web.browser import Browser, text_of


@pytest.fixture
def place(connection: ConnectionRow) -> str:
    return f"/connections/{connection.id}/methods"


def titles(database: Database, connection: ConnectionRow) -> dict[str, str]:
    with database.begin() as c:
        return method_map(one_connection(c, connection.id).rules)


def test_a_title_is_set_taken_away_and_brought_back(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    assert 'aria-label="Title of STD"' in browser.get(place).text
    kept = browser.submit(place, place, data={"code": "STD", "title": "Parcel, two days"})
    assert "1 mapping kept" in text_of(kept)
    assert titles(database, connection) == {"STD": "Parcel, two days"}
    overview = browser.get("/mappings").text
    assert f'href="{place}"' in overview
    assert "Parcel, two days" in overview
    assert 'atlas,shipping method,STD,"Parcel, two days",,' in browser.get("/mappings.csv").text

    gone = browser.submit(place, place, data={"code": "STD", "title": ""})
    assert "1 mapping removed." in text_of(gone)
    assert titles(database, connection) == {}
    undo, *_ = re.findall(r'name="undo" value="([^"]+)"', browser.get(place).text)
    assert browser.submit(place, f"{place}/rollback", data={"undo": undo, "why": ""}).status_code == 422


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"code": "EXPRESS", "title": "Express"}, "is no shipping method of this marketplace. It has: STD."),
        ({"code": "STD", "title": "x" * 101}, "up to 100 characters"),
        ({"code": "STD", "title": ""}, "has no title"),
        ({"code": "", "title": "Express"}, "is no shipping method"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    browser: Browser,
    database: Database,
    connection: ConnectionRow,
    place: str,
    form: dict[str, str],
    says: str,
) -> None:
    refused = browser.submit(place, place, data=form)
    assert refused.status_code == 422
    assert says in text_of(refused)
    assert "Nothing was changed." in text_of(refused)
    assert titles(database, connection) == {}


def test_titles_come_from_a_file_and_go_to_one_and_a_wrong_row_is_named(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    def given(body: bytes) -> str:
        answer = browser.submit(place, f"{place}/file", files={"file": ("m.csv", body, "text/csv")})
        return text_of(answer)

    assert "1 mapping kept" in given(b"code,title\nSTD,Parcel\n")
    assert browser.get(f"{place}.csv").content == b"\xef\xbb\xbfcode,title\r\nSTD,Parcel\r\n"
    assert "m.csv, row 3, field code: 'EXP' is no shipping method" in given(
        b"code,title\nSTD,Other\nEXP,Express\n"
    )
    assert titles(database, connection) == {"STD": "Parcel"}
    with database.begin() as c:
        assert counts(c)[("map_file_refused", "methods")] == 1
