"""The page Health says in words what codes, accounts and counters mean."""

import re
from pathlib import Path
from typing import get_args

import pytest
from sqlalchemy import insert, update

import interlock
from interlock.console.part_words import COUNTS, OPERATIONS, account_in_words, part_in_words
from interlock.engine.budgets import MIRAKL_CEILINGS
from interlock.engine.store import ConnectionRow, beat, budget_calls, count, polls
from interlock.mirakl.classify import ReadOperation, WriteOperation
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, connect
from tests.web.browser import Browser, text_of

COUNTED = re.compile(r"""\bcount\(\s*c,\s*"([a-z_]+)"|\b_count\(\s*"([a-z_]+)\"""")
ROOT = Path(interlock.__file__).parent


def test_every_operation_has_words() -> None:
    assert {*get_args(ReadOperation), *get_args(WriteOperation), *MIRAKL_CEILINGS} <= set(OPERATIONS)


def test_every_counter_has_words() -> None:
    counted = {
        first or second
        for file in ROOT.rglob("*.py")
        if file.relative_to(ROOT).parts[0] not in ("simulator", "rehearsal")
        for first, second in COUNTED.findall(file.read_text(encoding="utf-8"))
    }

    assert len(counted) > 40
    assert counted <= set(COUNTS)


def test_parts_and_accounts_are_called_by_their_connections(
    database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        other = connect(c, keyring, "borea", shop_id=2002)
    rows = (connection, other)

    assert [
        part_in_words(name, rows)
        for name in (
            connection.mirakl_account,
            f"sweep {connection.shopify_account}",
            "shopify sweep borea",
            "poll borea",
            f"offers {other.id}",
            f"variants {connection.shopify_shop}",
            "due sweep",
            "offers 999",
        )
    ] == [
        "atlas: marketplace",
        "atlas, borea: shop",
        "borea: shop",
        "borea: marketplace",
        "borea: offers compared",
        f"products of {connection.shopify_shop}",
        "due sweep",
        "offers 999",
    ]
    assert account_in_words("mirakl https://gone.example 7", rows) == "mirakl https://gone.example 7"


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("OF52:full", "Export of every offer OF52:full · atlas: marketplace"),
        ("RE01", "Reasons for cancelations and refunds RE01 · atlas: marketplace"),
        ("XX99", "XX99 atlas: marketplace"),
    ],
)
def test_the_page_says_what_a_call_is_about_and_whose_it_is(
    browser: Browser, database: Database, connection: ConnectionRow, operation: str, said: str
) -> None:
    with database.begin() as c:
        account = connection.mirakl_account
        c.execute(insert(budget_calls).values(account=account, operation=operation, at=CLOCK))

    assert said in text_of(browser.get("/health"))


def test_the_page_names_parts_counts_and_problems_in_words(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        beat(c, "due sweep", CLOCK)
        c.execute(update(polls).values(last_ok_at=None))
        count(c, "webhook_of_kin", "orders/updated")

    page = text_of(browser.get("/health"))

    assert "atlas: marketplace was never read." in page
    assert connection.mirakl_account not in page
    assert connection.shopify_account not in page
    assert "1 webhooks about orders that replace another or may webhook_of_kin · orders/updated" in page
