"""An order with a bundle on its page: counted as the marketplace sold it, and in articles where it is not whole any more."""

import pytest

from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from tests.console.seed import keep
from tests.imports.test_bundles import at_the_desk, shown
from tests.web.browser import Browser, text_of

BROKEN = "a bundle that is not whole in Shopify"


@pytest.mark.parametrize(
    ("lids", "mugs", "said"),
    [
        (2, 8, ""),
        (1, 4, ""),
        (2, 7, f"{BROKEN}: 2 LID (1 in one), 7 MUG (4 in one)"),
        (2, 9, f"{BROKEN}: 2 LID (1 in one), 9 MUG (4 in one)"),
    ],
)
def test_a_bundle_is_one_line_that_names_its_articles_once_it_is_broken(
    browser: Browser, database: Database, connection: ConnectionRow, lids: int, mugs: int, said: str
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, at_the_desk(shown(lids, mugs)))
    page = text_of(browser.get(f"/orders/{order_id}"))
    assert "SET" in page
    assert (said in page) if said else (BROKEN not in page)
