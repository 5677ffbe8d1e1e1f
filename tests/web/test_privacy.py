"""The page of requests about personal data: nobody is named before somebody asks, and then it stands in the audit log."""

import re

from interlock.access.audit_log import entries
from interlock.access.erasures import keep_request, requests
from interlock.engine.store import ConnectionRow
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, TESTER
from tests.web.browser import Browser, text_of

EVIL = "<script>window.hurt=1</script>=cmd|'/C calc'!A0"


def ask(database: Database, keyring: Keyring, name: str) -> int:
    body = b'{"customer": {"email": "ada@canary.example", "note": "<script>window.hurt=1</script>"}}'
    with database.begin() as c:
        assert keep_request(c, EVIL, "customers/redact", name, keyring.encrypt(body), CLOCK)
        return requests(c)[-1].id


def test_a_request_is_shown_to_whoever_asks_and_forgotten_once_it_was_done(
    browser: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    assert "No request waits" in text_of(browser.get("/privacy"))
    first, second = ask(database, keyring, "w1"), ask(database, keyring, "w2")

    page = browser.get("/privacy")
    assert "erase a customer" in page.text
    assert "canary" not in page.text
    assert "<script>window" not in page.text
    shown = browser.submit("/privacy", f"/privacy/{first}/show")
    assert "ada@canary.example" in shown.text
    assert "<script>window" not in shown.text
    assert "no-store" in shown.headers["cache-control"]
    assert browser.submit("/privacy", f"/privacy/{first}/done").status_code == 303

    page = browser.get("/privacy")
    assert f"by {TESTER.handle}" in text_of(page)
    assert re.findall(r'action="/privacy/(\d+)/done"', page.text) == [str(second)]
    for verb in ("show", "done"):
        again = browser.submit("/privacy", f"/privacy/{first}/{verb}")
        assert again.status_code == 404
        assert f"No request {first} waits" in text_of(again)
    with database.begin() as c:
        done = [
            (one.who, one.did, one.subject) for one in entries(c) if one.subject == f"privacy request {first}"
        ]
    assert done == [
        (TESTER.handle, "revealed", f"privacy request {first}"),
        (TESTER.handle, "privacy_answered", f"privacy request {first}"),
    ]


def test_the_file_of_requests_names_nobody_and_holds_no_formula(
    browser: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    ask(database, keyring, "w1")
    with database.begin() as c:
        keep_request(c, "=cmd()", "customers/data_request", "w2", keyring.encrypt(b"{}"), CLOCK)

    lines = browser.get("/privacy.csv").content.decode("utf-8-sig").splitlines()

    assert lines[0] == "number,shop,asks for,asked at,answer by,answered at,answered by"
    assert len(lines) == 3
    assert ",'=cmd()," in lines[2]
    assert "canary" not in "".join(lines)
    with database.begin() as c:
        assert [(one.did, one.subject) for one in entries(c)] == [("exported", "privacy requests")]


def test_a_form_that_was_not_sent_from_the_page_changes_nothing(
    browser: Browser, database: Database, keyring: Keyring, connection: ConnectionRow
) -> None:
    number = ask(database, keyring, "w1")

    assert browser.post(f"/privacy/{number}/done", data={}).status_code == 403
    with database.begin() as c:
        assert requests(c)[0].done_at is None
