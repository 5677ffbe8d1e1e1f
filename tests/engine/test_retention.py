"""What is kept for a while is gone after it: every retention that the tables state is enforced by a sweep or by the act that
ends it."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, Table, func, insert, select, update

from interlock.access.people import people
from interlock.access.sessions import begin, end, forget_sessions, sessions
from interlock.cases.store import case_events, cases, keep_event, open_connection_case
from interlock.engine import retention
from interlock.engine.ledger import operations
from interlock.engine.retention import forget_history
from interlock.engine.store import deliveries, keep_delivery, keep_unreadable, unreadable
from interlock.engine.sweeps import forget
from interlock.holds.store import end_override, keep_override, label_overrides
from interlock.orders.reasons import Reason
from interlock.orders.store import (
    forget_documents,
    keep_document,
    mirakl_documents,
    orders,
    plans,
    tell,
    timeline,
)
from interlock.orders.texts import keep_text, texts
from interlock.service import Service
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from interlock.storage.personal_data import encrypted_columns
from interlock.tables import metadata
from tests.console.seed import CLOCK, Numbered, Stopped
from tests.engine.rows import a_leased_order

MOMENT = timedelta(seconds=1)


def _person(c: Connection, now: datetime) -> int:
    values = {"handle": "ada", "name": b"x", "made_at": now, "made_by": "set-up", "rights_changed_at": now}
    return int(c.execute(insert(people).values(**values).returning(people.c.id)).scalar_one())


def _count(c: Connection, table: Table) -> int:
    return int(c.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.mark.parametrize("state", ["CLOSED", "RECEIVED", "REFUSED", "CANCELED"])
def test_a_document_is_deleted_ninety_days_after_its_order_was_seen_to_have_ended(
    database: Database, state: str
) -> None:
    with database.begin() as c:
        row = a_leased_order(c)
        keep_document(c, row.id, CLOCK, CLOCK, "d1", b"x", state)
        # Reading it again does not start the ninety days anew.
        keep_document(c, row.id, CLOCK + timedelta(days=80), CLOCK, "d2", b"y", state)

        assert forget_documents(c, CLOCK + timedelta(days=90)) == 0
        assert forget_documents(c, CLOCK + timedelta(days=90) + MOMENT) == 1
        keep_document(c, row.id, CLOCK + timedelta(days=95), CLOCK, "d2", b"y", state)
        assert forget_documents(c, CLOCK + timedelta(days=95)) == 1
        assert _count(c, mirakl_documents) == 0


def test_the_document_of_an_order_that_goes_on_is_kept(database: Database) -> None:
    with database.begin() as c:
        row = a_leased_order(c)
        keep_document(c, row.id, CLOCK, CLOCK, "d1", b"x", "CANCELED")
        keep_document(c, row.id, CLOCK + timedelta(days=1), CLOCK, "d2", b"x", "SHIPPING")

        assert c.execute(select(orders.c.ended_at).where(orders.c.id == row.id)).scalar_one() is None
        assert forget_documents(c, CLOCK + timedelta(days=400)) == 0


@pytest.mark.parametrize("ended_early", [True, False])
def test_a_session_is_deleted_thirty_days_after_it_ended(
    database: Database, keyring: Keyring, ended_early: bool
) -> None:
    longest = timedelta(hours=12)
    with database.begin() as c:
        begin(c, keyring, _person(c, CLOCK), "Firefox", CLOCK, longest)
        over = CLOCK + longest
        if ended_early:
            over = CLOCK + timedelta(hours=1)
            end(c, c.execute(select(sessions.c.id)).scalar_one(), over)

        assert forget_sessions(c, over + timedelta(days=30)) == 0
        assert forget_sessions(c, over + timedelta(days=30) + MOMENT) == 1


def test_the_hourly_sweep_leaves_nothing_that_has_had_its_time(database: Database, keyring: Keyring) -> None:
    clock = Stopped()
    service = Service(
        database,
        clock,
        Numbered(),
        keyring,
        b"an address key of the test's own",
        lambda origin: pytest.fail(f"{origin} was called"),
        loopback_http=False,
        worker="worker-1",
    )
    with database.begin() as c:
        row = a_leased_order(c)
        keep_document(c, row.id, CLOCK, CLOCK, "d", b"x", "CLOSED")
        keep_text(c, "t", row.id, "message", b"x", CLOCK)
        keep_unreadable(c, "OR11", "odd", b"x", "u", CLOCK)
        keep_delivery(c, "shop", "orders/updated", "w", "", None, None, CLOCK)
        begin(c, keyring, _person(c, CLOCK), "Firefox", CLOCK, timedelta(hours=12))
        open_connection_case(c, row.connection_id, Reason.PLATFORM_REFUSED, "poll", "It was refused.", CLOCK)
        keep_event(c, c.execute(select(cases.c.id)).scalar_one(), CLOCK, "ada", "commented", words=b"x")
        for parcel in ("FO1", "FO2"):
            override = keep_override(c, row.id, parcel, "held", "Ada", "Mrs Example rang.", CLOCK)
        end_override(c, override, CLOCK)

    asyncio.run(forget(service.parts))
    kept = (mirakl_documents, texts, unreadable, deliveries, sessions)
    with database.begin() as c:
        assert [_count(c, table) for table in kept] == [1, 1, 1, 1, 1]
        assert c.execute(select(func.count()).where(label_overrides.c.why != "")).scalar_one() == 2

    clock.moment += timedelta(days=366)
    asyncio.run(forget(service.parts))

    with database.begin() as c:
        assert [_count(c, table) for table in kept] == [0, 0, 0, 0, 0]
        assert c.execute(select(func.count(case_events.c.words))).scalar_one() == 0
        # An override that still waits says why.
        said = select(label_overrides.c.fulfillment_order_id).where(label_overrides.c.why != "")
        assert c.execute(said).scalars().all() == ["FO1"]


def test_every_retention_with_a_time_is_one_of_those_that_are_tested_here() -> None:
    """Whoever states another time has to add the sweep that keeps it, and its test."""
    timed = {
        (column.table, column.column)
        for column in encrypted_columns(metadata)
        if any(unit in column.retention for unit in ("hour", "day", "week", "month", "year"))
    }

    assert timed == {
        ("case_events", "words"),
        ("mirakl_documents", "body"),
        ("sessions", "browser"),
        ("texts", "body"),
        ("unreadable", "body"),
    }


def _call(c: Connection, order_id: int, connection_id: int, name: str, at: datetime, kind: str) -> None:
    c.execute(
        insert(operations).values(
            id=name,
            order_id=order_id,
            connection_id=connection_id,
            epoch=0,
            kind=kind,
            platform="shopify",
            call_class="B",
            action={},
            digest=name,
            state="CONFIRMED",
            planned_at=at,
            ended_at=at,
            done_at=at,
        )
    )


@pytest.mark.parametrize("ended", [True, False])
def test_the_past_of_an_order_goes_after_its_days_but_for_what_the_next_look_needs(
    database: Database, keyring: Keyring, ended: bool
) -> None:
    clock = Stopped()
    parts = Service(
        database,
        clock,
        Numbered(),
        keyring,
        b"key",
        lambda origin: pytest.fail(f"{origin} was called"),
        loopback_http=False,
        worker="w1",
    ).parts
    old, young = CLOCK - timedelta(days=800), CLOCK - timedelta(days=10)
    with database.begin() as c:
        row = a_leased_order(c)
        if ended:
            c.execute(update(orders).values(ended_at=CLOCK - timedelta(days=731)))
        for at in (old, old + MOMENT, young):
            tell(c, row.id, at, "Interlock", [f"told at {at}"])
        # Nobody has looked for two years: the newest decision is old, and stays.
        for number in range(3):
            kept = {"order_id": row.id, "at": old + number * MOMENT, "epoch": number, "view": {}, "plan": {}}
            c.execute(insert(plans).values(kept))
        for name, at, kind in (
            ("hold", old, "PlaceHold"),
            ("refund", old, "RefundLines"),
            ("recent", young, "PlaceHold"),
        ):
            _call(c, row.id, row.connection_id, name, at, kind)

    gone = asyncio.run(forget_history(parts, timedelta(days=730)))

    with database.begin() as c:
        assert list(c.execute(select(plans.c.epoch)).scalars()) == [2]
        assert _count(c, timeline) == (1 if ended else 3)
        left = set(c.execute(select(operations.c.id)).scalars())
    assert left == ({"refund", "recent"} if ended else {"hold", "refund", "recent"})
    assert gone == (5 if ended else 2)
    assert asyncio.run(forget_history(parts, timedelta(days=730))) == 0


def test_much_past_goes_in_steps(
    database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 3)
    parts = Service(
        database,
        Stopped(),
        Numbered(),
        keyring,
        b"key",
        lambda origin: pytest.fail(f"{origin} was called"),
        loopback_http=False,
        worker="w1",
    ).parts
    with database.begin() as c:
        row = a_leased_order(c)
        kept = {"order_id": row.id, "at": CLOCK - timedelta(days=800), "epoch": 1, "view": {}, "plan": {}}
        c.execute(insert(plans), [kept] * 10)

    assert asyncio.run(forget_history(parts, timedelta(days=730))) == 9
