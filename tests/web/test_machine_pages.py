"""What machines read: liveness and metrics."""

from datetime import timedelta

from interlock.engine.store import ConnectionRow, beat, count
from interlock.orders.store import mark_dirty
from interlock.storage.database import Database
from tests.build import a_view
from tests.console.seed import CLOCK, edited_up, keep, sku_unknown
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
