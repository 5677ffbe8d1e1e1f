"""What the service finds out about itself, each with its page that comes at once and its end."""

import asyncio
import io
import logging
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import delete, select, text, update

from interlock import logs
from interlock.access.audit_log import Did, audit_heads, audit_log, record
from interlock.cases.store import cases
from interlock.engine.store import ConnectionRow
from interlock.monitoring import channels, outbox
from interlock.monitoring.duty import Alerting
from interlock.monitoring.own_checks import AUDIT_EVERY, OwnChecks
from interlock.orders.reasons import Reason
from interlock.storage.append_only import without_guards
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, Stopped
from tests.lines import plain
from tests.monitoring.receiver import Receiver
from tests.witnessed import witness

CANARY = "Ottilie Canary"


def clients(origin: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(trust_env=False)


@pytest.fixture
def checks(
    database: Database, store: InlineStore, clock: Stopped, connection: ConnectionRow
) -> Iterator[OwnChecks]:
    yield OwnChecks(store, clock, "w1", clients)
    witness(database)


def standing(database: Database, alerting: Alerting) -> list[tuple[str, str]]:
    """The open cases of connections after the watching, as (reason, subject)."""
    asyncio.run(alerting.tell())
    with database.begin() as c:
        open_ones = select(cases.c.reason, cases.c.subject).where(cases.c.closed_at.is_(None))
        return [tuple(row) for row in c.execute(open_ones.order_by(cases.c.id))]


def pages(database: Database) -> list[str]:
    with database.begin() as c:
        return [row.alert.reason for row in outbox.latest_alerts(c) if row.alert.severity == "page"]


def entries_made(database: Database, *subjects: str) -> None:
    with database.begin() as c:
        for subject in subjects:
            record(c, "ada", Did.EXPORTED, subject, now=CLOCK)


def test_an_audit_log_that_is_whole_says_nothing_and_its_head_is_noted(
    database: Database, checks: OwnChecks, alerting: Alerting
) -> None:
    entries_made(database, "orders", "cases")
    asyncio.run(checks.look())

    assert standing(database, alerting) == []
    with database.begin() as c:
        assert c.execute(select(audit_heads.c.entry)).scalar_one() == 2


@pytest.mark.parametrize("harm", ["altered", "removed", "cut off", "unguarded"])
def test_an_audit_log_that_was_tampered_with_pages_until_it_is_whole_again(
    harm: str, database: Database, checks: OwnChecks, alerting: Alerting, clock: Stopped
) -> None:
    entries_made(database, "orders", "cases", "holds")
    asyncio.run(checks.look())
    with database.begin() as c:
        kept = [dict(row) for row in c.execute(select(audit_log)).mappings()]
    with database.begin() as c:
        without_guards(c)
        match harm:
            case "altered":
                c.execute(update(audit_log).where(audit_log.c.id == 2).values(who="kim"))
            case "removed":
                c.execute(delete(audit_log).where(audit_log.c.id == 2))
            case "cut off":
                c.execute(delete(audit_log).where(audit_log.c.id == 3))
            case _:
                c.execute(text("ALTER TABLE audit_log DISABLE TRIGGER only_grows"))
    asyncio.run(checks.look())
    assert standing(database, alerting) == []  # it is not time to walk again
    clock.moment += AUDIT_EVERY
    asyncio.run(checks.look())

    assert standing(database, alerting) == [(Reason.AUDIT_LOG_BROKEN.value, "audit log")]
    assert pages(database) == ["audit_log_broken"]
    with database.begin() as c:
        without_guards(c)
        c.execute(delete(audit_log))
        c.execute(audit_log.insert(), kept)
        c.execute(text("ALTER TABLE audit_log ENABLE TRIGGER only_grows"))
    clock.moment += AUDIT_EVERY
    asyncio.run(checks.look())
    assert standing(database, alerting) == []


def test_a_backup_that_is_too_old_or_missing_pages_until_one_ends_well(
    database: Database, checks: OwnChecks, alerting: Alerting, clock: Stopped, tmp_path: Path
) -> None:
    file = checks.backup_file = tmp_path / "backup-ended"
    asyncio.run(checks.look())
    assert standing(database, alerting) == [(Reason.BACKUP_OLD.value, "backup")]
    assert pages(database) == ["backup_old"]

    def ended(hours_ago: float) -> None:
        file.touch()
        moment = (clock.now() - timedelta(hours=hours_ago)).timestamp()
        os.utime(file, (moment, moment))
        asyncio.run(checks.look())

    ended(25.9)
    assert standing(database, alerting) == []
    ended(26.1)
    assert standing(database, alerting) == [(Reason.BACKUP_OLD.value, "backup")]
    # Nobody looks at the file any more: the setting was taken out.
    clock.moment += timedelta(minutes=16)
    assert standing(database, alerting) == []


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    logs.configure("info", "json", stream, canaries=["", CANARY.upper(), " 1 Canary Wharf"])
    yield stream
    plain()
    root.handlers = handlers
    root.setLevel(level)


def test_a_made_up_customer_in_a_log_line_is_held_back_and_pages_for_a_day(
    database: Database, checks: OwnChecks, alerting: Alerting, clock: Stopped, written: io.StringIO
) -> None:
    logs.logger(worker="w1").info("order.seen", order="M-1")
    asyncio.run(checks.look())
    assert standing(database, alerting) == []

    logs.logger(worker="w1").warning("address.odd", reason=f"no house number: {CANARY}")
    assert CANARY not in written.getvalue()
    assert '"event": "log.canary"' in written.getvalue()
    assert '"order": "M-1"' in written.getvalue()
    asyncio.run(checks.look())
    assert standing(database, alerting) == [(Reason.CANARY_IN_LOG.value, "log w1")]
    assert pages(database) == ["canary_in_log"]
    with database.begin() as c:
        assert CANARY not in str(c.execute(select(cases)).all())
    clock.moment += timedelta(hours=24, minutes=1)
    assert standing(database, alerting) == []


def test_a_heartbeat_that_nobody_takes_pages_until_it_is_taken(
    database: Database, keyring: Keyring, alerting: Alerting, connection: ConnectionRow, clock: Stopped
) -> None:
    with Receiver() as outside:
        url = f"http://127.0.0.1:{outside.port}/beat"
        with database.begin() as c:
            channels.add_channel(c, keyring, "watcher", "heartbeat", url, "Kim", CLOCK)
        alerting.http_for = clients

        def beats(minutes: int) -> list[tuple[str, str]]:
            for _ in range(minutes):
                clock.moment += timedelta(minutes=1)
                asyncio.run(alerting.beat_outside())
            return standing(database, alerting)

        assert beats(2) == []
        outside.answer = 500
        assert beats(10) == []
        assert beats(1) == [(Reason.HEARTBEAT_MISSING.value, "watcher")]
        assert pages(database) == ["heartbeat_missing"]
        outside.answer = 200
        assert beats(1) == []
        # Whoever was stopped for an hour has first to fail before anybody is told.
        clock.moment += timedelta(hours=1)
        assert standing(database, alerting) == []
        outside.answer = 500
        assert beats(2) == []
        assert beats(1) == [(Reason.HEARTBEAT_MISSING.value, "watcher")]
        with database.begin() as c:
            channels.remove_channel(c, "watcher", "Kim", clock.now())
        assert standing(database, alerting) == []
    witness(database)


def test_a_public_address_that_redirects_pages_and_one_that_refuses_does_not(
    database: Database, checks: OwnChecks, alerting: Alerting, connection: ConnectionRow
) -> None:
    shop = connection.shopify_shop
    with Receiver() as proxy:
        address = f"http://127.0.0.1:{proxy.port}/webhooks/shopify/{shop}"

        def answered(status: int) -> list[tuple[str, str]]:
            proxy.answer = status
            asyncio.run(checks.ask_ingress(shop, address))
            return standing(database, alerting)

        assert answered(405) == []
        assert answered(308) == [(Reason.INGRESS_REDIRECTS.value, "ingress")]
        assert pages(database) == ["ingress_redirects"]
        assert answered(401) == []
        assert answered(302) == [(Reason.INGRESS_REDIRECTS.value, "ingress")]
    # What cannot be reached from here says nothing about the shop.
    asyncio.run(checks.ask_ingress(shop, address))
    assert standing(database, alerting) == [(Reason.INGRESS_REDIRECTS.value, "ingress")]
