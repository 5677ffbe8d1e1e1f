"""What a program reads of SKUs and offers."""

import pytest

from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from tests.api.conftest import MakeKey
from tests.offers.seeded import both_sides
from tests.web.browser import Browser


@pytest.fixture(autouse=True)
def _seeded(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        both_sides(c, connection)


def test_every_sku_is_read_page_by_page(program: Browser, key: MakeKey) -> None:
    headers = key("mappings:read")
    shown, after = [], ""
    for _ in range(5):
        page = program.get(f"/v1/skus?limit=2&after={after}", headers=headers).json()
        shown += [(one["connection"], one["sku"], one["state"]) for one in page["entries"]]
        after = page["next"]
        if not after:
            break
    assert sorted(shown) == [
        ("atlas", "MUG", "price differs"),
        ("atlas", "OUT", "fine"),
        ("atlas", "SET", "no product"),
        ("atlas", "TWIN", "no product"),
        ("atlas", "lamp-2", "no product"),
    ]
    (mug,) = program.get("/v1/skus?state=price%20differs", headers=headers).json()["entries"]
    assert (mug["offer_price"], mug["shop_price"], mug["shop_skus"], mug["drift"]) == (
        "12.90",
        "11.90",
        ["MUG"],
        None,
    )


def test_both_sides_are_read_line_by_line(program: Browser, key: MakeKey) -> None:
    headers = key("mappings:read")
    lines = program.get("/v1/connections/atlas/offers?state=ambiguous", headers=headers).json()
    assert [(one["offer_sku"], one["shop_sku"], one["units"]) for one in lines] == [("TWIN", "TWIN", 0)]
    assert len(program.get("/v1/connections/atlas/offers", headers=headers).json()) == 6


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/v1/skus?after=x", 422, "invalid"),
        ("/v1/skus?state=odd", 422, "invalid"),
        ("/v1/skus?limit=0", 422, "invalid"),
        ("/v1/skus?connection=nowhere", 404, "not_found"),
        ("/v1/connections/nowhere/offers", 404, "not_found"),
        ("/v1/connections/atlas/offers?state=odd", 422, "invalid"),
    ],
)
def test_what_cannot_be_read_is_said(
    program: Browser, key: MakeKey, path: str, status: int, error: str
) -> None:
    answer = program.get(path, headers=key("mappings:read"))
    assert (answer.status_code, answer.json()["error"]) == (status, error)
