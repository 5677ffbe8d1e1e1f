"""The page of reason codes: one is chosen, many come from a file, and a change is undone."""

import re

import pytest

from interlock.console.reason_codes import reason_map
from interlock.engine.store import ConnectionRow, counts, one_connection
from interlock.storage.database import Database
from tests.cli.test_reasons import takes
from tests.web.browser import Browser, text_of


@pytest.fixture
def place(database: Database, connection: ConnectionRow) -> str:
    with database.begin() as c:
        takes(c, connection)
    return f"/connections/{connection.id}/reasons"


def codes(database: Database, connection: ConnectionRow) -> dict[str, str]:
    with database.begin() as c:
        return reason_map(one_connection(c, connection.id).rules)


def test_a_code_is_chosen_from_the_marketplaces_list_and_the_choice_undone(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    shown = text_of(browser.get(place))
    assert "refund: 19 (Damaged)" in shown
    assert "Fraud" not in shown
    kept = browser.submit(place, place, data={"choice": "refund 19", "edit": "line_removed"})
    assert "1 mapping kept" in text_of(kept)
    assert "refund line removed 19" in text_of(kept)
    assert codes(database, connection) == {"cancelation": "34", "refund line_removed": "19"}
    assert f'href="{place}"' in browser.get("/mappings").text

    (undo,) = re.findall(r'name="undo" value="([^"]+)"', browser.get(place).text)
    assert browser.submit(place, f"{place}/rollback", data={"undo": "x", "why": "w"}).status_code == 422
    assert browser.submit(place, f"{place}/rollback", data={"undo": undo, "why": ""}).status_code == 422
    done = browser.submit(place, f"{place}/rollback", data={"undo": undo, "why": "the wrong one"})
    assert "1 mapping removed." in text_of(done)
    assert codes(database, connection) == {"cancelation": "34"}


@pytest.mark.parametrize(
    "form",
    [
        {"choice": "refund 34"},
        {"choice": "cancelation 36"},
        {"choice": "cancel 34"},
        {"choice": "refund 19", "edit": "price"},
        {"choice": ""},
    ],
)
def test_a_wrong_choice_is_refused_and_changes_nothing(
    browser: Browser, database: Database, connection: ConnectionRow, place: str, form: dict[str, str]
) -> None:
    refused = browser.submit(place, place, data=form)
    assert refused.status_code == 422
    assert "Nothing was changed." in text_of(refused)
    assert codes(database, connection) == {"cancelation": "34"}
    assert browser.post(place, data={"choice": "refund 19"}).status_code == 403


def test_codes_come_from_a_file_and_go_to_one_and_a_wrong_row_is_named(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    def given(body: bytes) -> str:
        answer = browser.submit(place, f"{place}/file", files={"file": ("r.csv", body, "text/csv")})
        return text_of(answer)

    assert "2 mappings kept" in given(b"use,edit,code\nrefund,,15\nrefund,quantity_reduced,19\n")
    assert browser.get(f"{place}.csv").content == b"\xef\xbb\xbf" + (
        b"use,edit,code\r\ncancelation,,34\r\nrefund,,15\r\nrefund,quantity_reduced,19\r\n"
    )
    assert "atlas,reason,refund quantity_reduced,19,," in browser.get("/mappings.csv").text.splitlines()
    before = codes(database, connection)
    assert "r.csv, row 3, field code: '99' is not" in given(b"use,edit,code\nrefund,,19\nrefund,,99\n")
    assert codes(database, connection) == before
    with database.begin() as c:
        assert counts(c)[("map_file_refused", "reasons")] == 1
