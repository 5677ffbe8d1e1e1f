"""Requests about personal data on the command line: listed without whom they are about, shown with a trace, answered."""

import pytest

from interlock.access.audit_log import entries
from interlock.access.erasures import keep_request
from interlock.cli.telling import Exit
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.cli.conftest import Run, document
from tests.console.seed import CLOCK


def test_a_request_is_listed_shown_and_answered(interlock: Run, database: Database, keyring: Keyring) -> None:
    body = b'{"customer": {"email": "ada@canary.example"}}'
    with database.begin() as c:
        keep_request(c, "atlas.myshopify.com", "customers/redact", "w1", keyring.encrypt(body), CLOCK)

    listed = interlock("privacy", "list", "--json")
    (request,) = document(listed)
    assert "canary" not in listed.stdout
    number = str(request["id"])
    assert "ada@canary.example" in interlock("privacy", "show", number, "--who", "kim").stdout
    assert "was answered by kim" in interlock("privacy", "done", number, "--who", "kim").stdout
    assert "done by kim" in interlock("privacy", "list").stdout
    for verb in ("show", "done"):
        again = interlock("privacy", verb, number, "--who", "kim")
        assert again.exit_code == Exit.NOT_FOUND
        assert f"No request {number} waits" in again.stderr
    with database.begin() as c:
        assert [one.did for one in entries(c)] == ["revealed", "privacy_answered"]


@pytest.mark.parametrize(
    "command",
    [
        ("cases", "show", "99999999999999999999"),
        ("cases", "progress", "99999999999999999999"),
        ("privacy", "done", "99999999999999999999", "--who", "kim"),
    ],
)
def test_a_number_too_large_to_be_any_is_refused_in_words(interlock: Run, command: tuple[str, ...]) -> None:
    refused = interlock(*command)

    assert refused.exit_code in (Exit.REFUSED, Exit.NOT_FOUND)
    assert "Nothing was changed" in refused.stderr or "There is no" in refused.stderr
    assert "Traceback" not in refused.stderr
