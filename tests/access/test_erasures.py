"""Requests about personal data: kept encrypted until somebody has answered them, counted, and then forgotten."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from interlock.access.audit_log import entries
from interlock.access.erasures import (
    NoSuchRequest,
    answered,
    answered_since,
    keep_request,
    privacy_requests,
    requests,
    reveal,
    waiting_since,
)
from interlock.monitoring.board import findings, make_board
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK

DAY = timedelta(days=1)
BODY = json.dumps({"customer": {"email": "ada@canary.example"}, "orders_to_redact": [7]}).encode()


def ask(database: Database, keyring: Keyring, name: str, days_ago: float) -> None:
    with database.begin() as c:
        asked = CLOCK - days_ago * DAY
        assert keep_request(c, "atlas.myshopify.com", "customers/redact", name, keyring.encrypt(BODY), asked)


def test_a_request_is_kept_once_shown_with_a_trace_and_forgotten_when_answered(
    database: Database, keyring: Keyring
) -> None:
    ask(database, keyring, "w1", 1)
    with database.begin() as c:
        assert not keep_request(c, "atlas.myshopify.com", "customers/redact", "w1", b"x", CLOCK)
        (request,) = requests(c)
        assert request.due_at == CLOCK + 29 * DAY
        assert keyring.decrypt(reveal(c, request.id, "kim", CLOCK)) == BODY
        answered(c, request.id, "kim", CLOCK)
        assert c.execute(select(privacy_requests.c.body)).scalar_one() is None
        with pytest.raises(NoSuchRequest):
            reveal(c, request.id, "kim", CLOCK)
        with pytest.raises(NoSuchRequest):
            answered(c, request.id, "kim", CLOCK)
        assert [one.did for one in entries(c)] == ["revealed", "privacy_answered"]
        assert "canary" not in str([one.facts for one in entries(c)])


@pytest.mark.parametrize(
    ("asked_and_done", "counted", "verdict"),
    [
        ((), (0, 0, 0), "no events"),
        (((3, None),), (0, 0, 0), "no events"),  # its time is not over yet
        (((6, 0),), (1, 1, 0), "held"),
        (((8, 0),), (1, 0, 0), "bounded"),
        (((8, None), (2, 1)), (2, 1, 0), "bounded"),
        (((31, None), (2, 1)), (2, 1, 1), "broken"),
        (((35, 1),), (1, 0, 1), "broken"),
        (((80, 60),), (0, 0, 0), "no events"),
    ],
)
def test_the_objective_counts_what_was_answered_and_what_waits_too_long(
    database: Database,
    keyring: Keyring,
    asked_and_done: tuple[tuple[int, int | None], ...],
    counted: tuple[int, int, int],
    verdict: str,
) -> None:
    for number, (asked, _) in enumerate(asked_and_done):
        ask(database, keyring, f"w{number}", asked)
    with database.begin() as c:
        for request, (_, done) in zip(requests(c), asked_and_done, strict=True):
            if done is not None:
                answered(c, request.id, "kim", CLOCK - done * DAY)

        assert answered_since(c, CLOCK - 30 * DAY, CLOCK) == counted
        found = {one.code: one.verdict for one in make_board(c, CLOCK).objectives}
        assert found["S13"] == verdict


def test_a_request_that_waits_three_days_is_a_ticket(database: Database, keyring: Keyring) -> None:
    ask(database, keyring, "w1", 2.9)
    with database.begin() as c:
        assert waiting_since(c, CLOCK - 3 * DAY) == 0
        assert [one.key for one in findings(c, CLOCK)] == []
        (told,) = findings(c, CLOCK + DAY)
    assert told.title == "1 request about personal data waits for more than three days"
