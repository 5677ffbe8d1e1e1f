"""What machines read: liveness and metrics."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from interlock.access.store import make_key
from interlock.engine.store import ConnectionRow, beat, count
from interlock.orders.store import mark_dirty
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from interlock.web import WebParts, create_app
from tests.build import a_view
from tests.console.seed import CLOCK, TESTER, Numbered, Stopped, Wakes, edited_up, keep, sku_unknown
from tests.web.browser import Browser


def test_a_running_service_says_so_and_when_a_worker_was_heard_last(
    browser: Browser, database: Database
) -> None:
    response = browser.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "worker_heard_seconds": None})

    with database.begin() as c:
        beat(c, "worker w-1", CLOCK - timedelta(seconds=40))
        beat(c, "worker w-2", CLOCK - timedelta(seconds=12))
        beat(c, "due sweep", CLOCK)
    assert browser.get("/healthz").json()["worker_heard_seconds"] == 12.0


def test_metrics_show_counts_heartbeats_backlog_windows_and_cases(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        order_id, _ = keep(c, connection, edited_up())
        keep(c, connection, sku_unknown())
        mark_dirty(c, order_id, "edits", CLOCK - timedelta(seconds=90))
        beat(c, "due sweep", CLOCK - timedelta(seconds=12))
        count(c, "webhook_accepted", "orders/edited", 3)

    text = browser.get("/metrics").text

    assert 'interlock_events_total{label="orders/edited",name="webhook_accepted"} 3.0' in text
    assert 'interlock_heartbeat_age_seconds{part="due sweep"} 12.0' in text
    assert 'interlock_backlog_orders{lane="edits"} 1.0' in text
    assert "interlock_oldest_hint_seconds 90.0" in text
    assert "interlock_windows_open 1.0" in text
    assert "interlock_cases_open{" in text


def test_metrics_name_no_order_and_no_person(
    browser: Browser, database: Database, connection: ConnectionRow
) -> None:
    with database.begin() as c:
        keep(c, connection, a_view())

    text = browser.get("/metrics").text

    assert "M-1001" not in text
    assert "#1001" not in text


HERE, THERE = "127.0.0.1", "10.1.2.3"
OWN, NAMED, FOR_PROGRAMS = "http://localhost:8080", "https://interlock.example", "https://api.example"


@pytest.fixture
def parts(store: InlineStore, keyring: Keyring) -> WebParts:
    return WebParts(
        store,
        Stopped(),
        Numbered(),
        Wakes(),
        keyring,
        hosts=("interlock.example",),
        api_hosts=("api.example",),
        everyone=TESTER,
    )


def a_key(database: Database, scopes: Sequence[str]) -> dict[str, str]:
    with database.begin() as c:
        _, token = make_key(c, "prometheus", scopes, "Ada Admin", CLOCK)
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.0.0.9", "::1"])
def test_a_program_on_this_machine_reads_the_metrics_without_a_key(parts: WebParts, peer: str) -> None:
    assert Browser(create_app(parts), OWN, peer).get("/metrics").status_code == 200


@pytest.mark.parametrize(
    ("peer", "address", "headers"),
    [
        (THERE, NAMED, {}),
        (THERE, OWN, {}),
        ("testclient", OWN, {}),
        (HERE, NAMED, {}),
        (HERE, FOR_PROGRAMS, {}),
        (HERE, OWN, {"X-Forwarded-For": "127.0.0.1"}),
        (HERE, OWN, {"X-Forwarded-For": ""}),
        (HERE, OWN, {"Forwarded": "for=10.1.2.3"}),
        (HERE, OWN, {"X-Real-IP": "10.1.2.3"}),
        (HERE, OWN, {"Via": "1.1 proxy"}),
    ],
)
def test_whoever_may_be_elsewhere_needs_a_key_for_the_metrics(
    parts: WebParts, database: Database, peer: str, address: str, headers: dict[str, str]
) -> None:
    program = Browser(create_app(parts), address, peer)

    refused = program.get("/metrics", headers=headers)

    assert (refused.status_code, refused.json()["error"]) == (401, "key_missing")
    assert "interlock api-key create" in refused.json()["detail"]
    assert refused.headers["www-authenticate"] == "Bearer"
    shown = {**headers, **a_key(database, ["health:read"])}
    assert "interlock_problems" in program.get("/metrics", headers=shown).text


def test_a_key_for_the_metrics_has_the_scope_that_reads_health(parts: WebParts, database: Database) -> None:
    program = Browser(create_app(parts), NAMED, THERE)

    refused = program.get("/metrics", headers=a_key(database, ["orders:read"]))
    unknown = program.get("/metrics", headers={"Authorization": "Bearer il_1_nobody"})

    assert (refused.status_code, refused.json()["error"]) == (403, "scope_missing")
    assert "--scope health:read" in refused.json()["detail"]
    assert (unknown.status_code, unknown.json()["error"]) == (401, "key_invalid")
