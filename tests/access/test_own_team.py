"""Whoever belongs to a team finds its work on every list by one link."""

import pytest

from interlock.access.roles import Grant, Role
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.access.conftest import People, SignedIn
from tests.console.seed import connect, keep, shipped_with, sku_unknown
from tests.web.browser import text_of


@pytest.fixture(autouse=True)
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    """A connection with a case of operations about a carrier, and one about a SKU."""
    with database.begin() as c:
        row = connect(c, keyring)
        for view in (shipped_with("Pigeon Post"), sku_unknown()):
            keep(c, row, view)
    return row


@pytest.mark.parametrize("path", ["/cases", "/orders", "/holds", "/acceptance", "/alerts"])
def test_a_list_leads_to_that_of_ones_team(path: str, somebody: People, signed_in: SignedIn) -> None:
    browser = signed_in(somebody("ada", Role.CX, Role.FINANCE))

    page = browser.get(path).text
    assert f'<a class="btn" href="{path}?team=CX">My team: CX</a>' in page
    assert f'<a class="btn" href="{path}?team=finance">My team: finance</a>' in page
    there = browser.get(f"{path}?team=CX")
    assert there.status_code == 200
    assert "My team: CX" not in there.text
    assert f'href="{path}.csv?team=CX"' in there.text


def test_the_link_keeps_the_other_filters_and_leads_to_ones_cases(
    somebody: People, signed_in: SignedIn, connection: ConnectionRow
) -> None:
    browser = signed_in(somebody("ben", Grant(Role.OPERATIONS, connection.id)))

    page = browser.get("/cases?connection=atlas&status=open")
    link = "/cases?connection=atlas&amp;team=operations&amp;status=open"
    assert f'href="{link}">My team: operations</a>' in page.text
    assert "The carrier is not mapped" in text_of(browser.get(link.replace("&amp;", "&")))
    assert "Pigeon Post" in browser.get("/cases.csv?connection=atlas&team=operations").text
    assert "Pigeon Post" not in browser.get("/cases.csv?connection=atlas&team=CX").text


def test_who_is_of_no_team_is_led_to_none(somebody: People, signed_in: SignedIn) -> None:
    for handle, role in (("vic", Role.VIEWER), ("root", Role.ADMIN)):
        assert "My team" not in signed_in(somebody(handle, role)).get("/cases").text
