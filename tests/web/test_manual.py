"""The manual's pages as a person reads them in the console."""

from sqlalchemy import select

from interlock.cases.store import cases
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from tests.console.seed import keep, shipped_with
from tests.web.browser import Browser, text_of


def test_the_console_shows_contents_search_and_a_page(browser: Browser) -> None:
    assert "Running the business" in text_of(browser.get("/manual"))
    assert "The carrier is not mapped" in text_of(browser.get("/manual?find=carrier"))
    assert "No title has all of these words" in text_of(browser.get("/manual?find=%3Cscript%3E"))
    assert "<script>" not in browser.get("/manual?find=%3Cscript%3E").text.split("<main")[1]

    page = browser.get("/manual/operations/cases/carrier_unknown")

    assert page.status_code == 200
    assert "How it closes" in text_of(page)
    assert browser.get("/manual/operations/none").status_code == 404


def test_a_case_leads_to_its_page_of_the_manual(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, shipped_with("Express Bike"))
        case_id = c.execute(select(cases.c.id).where(cases.c.reason == "carrier_unknown")).scalar_one()

    assert 'href="/manual/operations/cases/carrier_unknown"' in browser.get(f"/cases/{case_id}").text
