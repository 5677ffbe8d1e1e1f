"""The SKU page: offers and products, what is to be settled with suggestions, bundles."""

import pytest
from sqlalchemy import select

from interlock.cases.store import cases
from interlock.engine.store import ConnectionRow, counts
from interlock.imports.store import sku_map
from interlock.offers.store import bundles
from interlock.storage.database import Database
from tests.console.seed import Wakes, keep, sku_unknown
from tests.offers.seeded import both_sides
from tests.web.browser import Browser, text_of


@pytest.fixture
def place(database: Database, connection: ConnectionRow) -> str:
    with database.begin() as c:
        both_sides(c, connection)
    return f"/connections/{connection.id}/skus"


def open_cases(database: Database) -> list[tuple[str, str]]:
    with database.begin() as c:
        rows = c.execute(
            select(cases.c.reason, cases.c.subject)
            .where(cases.c.closed_at.is_(None))
            .order_by(cases.c.reason, cases.c.subject)
        )
        return [(row.reason, row.subject) for row in rows]


def test_nothing_read_yet_is_said(browser: Browser, connection: ConnectionRow) -> None:
    assert "The offers of the marketplace were not read yet." in text_of(
        browser.get(f"/connections/{connection.id}/skus")
    )


def test_what_waits_comes_first_with_what_it_could_mean_and_one_answer_unlocks_it(
    browser: Browser, database: Database, connection: ConnectionRow, wakes: Wakes, place: str
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, sku_unknown())
    shown = text_of(browser.get(place))
    assert "5 offers, 2 with a product behind them, 2 without, 1 that may mean several." in shown
    assert shown.index("LAMP an order waits for it 1") < shown.index("lamp-2 no product carries lamp-2")
    assert "LAMP-2 Oak desk lamp: one is part of the other: LAMP-2" in shown
    assert "2 products carry TWIN" in shown

    browser.submit(place, place, data={"mirakl_sku": "LAMP", "shop_sku": "LAMP-2"})

    assert wakes.woken == [(order_id, "acceptance")]
    with database.begin() as c:
        assert sku_map(c, connection.id) == {"LAMP": "LAMP-2"}


def test_a_mapping_closes_the_case_about_its_offer(browser: Browser, database: Database, place: str) -> None:
    assert open_cases(database) == [
        ("offer_ambiguous", "TWIN"),
        ("offer_without_variant", "SET"),
        ("offer_without_variant", "lamp-2"),
        ("variant_without_offer", "products"),
    ]
    browser.submit(place, place, data={"mirakl_sku": "lamp-2", "shop_sku": "LAMP-2"})
    assert ("offer_without_variant", "lamp-2") not in open_cases(database)


def test_a_bundle_is_kept_and_ended_and_a_wrong_one_refused(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    kept = browser.submit(
        place, f"{place}/bundle", data={"mirakl_sku": "SET", "components": "MUG=4, LAMP-2=1"}
    )
    assert kept.status_code == 303
    assert "SET 1 x LAMP-2 + 4 x MUG" in text_of(browser.get(place))
    refused = browser.submit(
        place, f"{place}/bundle", data={"mirakl_sku": "SET", "components": "<b>MUG</b>=zero"}
    )
    assert refused.status_code == 422
    assert "is no component" in text_of(refused)
    assert "<b>MUG" not in refused.text
    browser.submit(place, f"{place}/bundle", data={"mirakl_sku": "SET"})
    with database.begin() as c:
        assert bundles(c, connection.id) == {}


def test_bundles_come_from_a_file_and_go_to_one_and_a_wrong_row_is_named(
    browser: Browser, database: Database, connection: ConnectionRow, place: str
) -> None:
    of_bundles = f"/connections/{connection.id}/bundles"
    assert f'action="{of_bundles}/file"' in browser.get(place).text
    body = b"offer_sku,component_sku,quantity\nSET,MUG,4\nSET,LAMP-2,1\n"
    taken = browser.submit(place, f"{of_bundles}/file", files={"file": ("sets.csv", body, "text/csv")})
    assert "2 mappings kept" in text_of(taken)
    assert "SET 1 x LAMP-2 + 4 x MUG" in text_of(taken)

    written = browser.get(f"{of_bundles}.csv")
    assert written.content == b"\xef\xbb\xbf" + (
        b"offer_sku,component_sku,quantity\r\nSET,LAMP-2,1\r\nSET,MUG,4\r\n"
    )

    everywhere = [line.split(",")[:4] for line in browser.get("/mappings.csv").text.splitlines()]
    assert ["atlas", "bundle", "SET", "1 x LAMP-2"] in everywhere
    assert ["atlas", "bundle", "SET", "4 x MUG"] in everywhere

    wrong = b"offer_sku,component_sku,quantity\nSET,MUG,6\nPAIR,<b>MUG</b>,zero\n"
    refused = browser.submit(place, f"{of_bundles}/file", files={"file": ("sets.csv", wrong, "text/csv")})
    assert refused.status_code == 422
    assert "sets.csv, row 3, field quantity: 'zero': a whole number" in text_of(refused)
    with database.begin() as c:
        assert set(bundles(c, connection.id)) == {"SET"}
        assert {one.shop_sku: one.units for one in bundles(c, connection.id)["SET"]} == {
            "MUG": 4,
            "LAMP-2": 1,
        }
        assert counts(c)[("map_file_refused", "bundles")] == 1
    unsigned = browser.post(f"{of_bundles}/file", files={"file": ("sets.csv", body, "text/csv")})
    assert unsigned.status_code == 403


def test_both_sides_are_a_file(browser: Browser, connection: ConnectionRow, place: str) -> None:
    answer = browser.get(f"/connections/{connection.id}/offers.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = answer.text.splitlines()
    assert lines[0].lstrip("\ufeff").startswith("connection,offer sku,state")
    assert "atlas,MUG,linked,MUG,1,Stoneware mug,5,12.90,11.90,EUR,yes" in lines


def test_every_sku_is_listed_with_its_state_filters_and_a_file(browser: Browser, place: str) -> None:
    shown = text_of(browser.get("/skus"))
    assert "MUG atlas price differs Offered at 12.90 EUR, in the shop at 11.90 EUR." in shown
    assert "SET atlas no product atlas offers SET" in shown
    only = text_of(browser.get("/skus?state=price+differs&connection=atlas"))
    assert "MUG" in only
    assert "no product atlas offers SET" not in only
    assert browser.get("/skus?state=nonsense").status_code == 422
    assert browser.get("/skus?after=nonsense").status_code == 422
    lines = browser.get("/skus.csv?sku=MU").text.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith('atlas,MUG,price differs,"Offered at 12.90 EUR')


def test_no_sku_yet_is_said(browser: Browser, connection: ConnectionRow) -> None:
    assert "No SKU is known yet." in text_of(browser.get("/skus"))
