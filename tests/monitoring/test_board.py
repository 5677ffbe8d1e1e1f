"""The board of health over what really happened on simulated platforms, and over long histories."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, insert, select, update

from interlock.cases.store import cases, open_connection_case
from interlock.engine.store import polls
from interlock.monitoring import outbox, rollup
from interlock.monitoring.board import (
    Board,
    findings,
    keep_board,
    kept_board,
    make_board,
    working_days_before,
)
from interlock.monitoring.duty import Alerting
from interlock.monitoring.measures import BOUNDS
from interlock.monitoring.rollup import (
    by_slot,
    counted_since,
    edit_clock_rows,
    forget_counts,
    latency_counts,
    measure_ended,
    sample_freshness,
    slot_of,
)
from interlock.orders.reasons import Reason
from interlock.orders.store import add_order
from interlock.rehearsal.scenarios import Stage
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, Stopped, connect
from tests.effort import calls_made
from tests.stories.stage import Theatre, marketplace


def measured_once(database: Database, now: datetime) -> dict[str, int]:
    with database.begin() as c:
        found = counted_since(c, "hour", now - timedelta(days=1))
        assert found == counted_since(c, "5min", now - timedelta(days=1))
        return {measure: total.number for measure, total in found.items() if measure != "freshness"}


@pytest.mark.parametrize(
    ("one_by_one", "dispatches"),
    [pytest.param(True, 2, id="told of one by one"), pytest.param(False, 1, id="told of as a whole")],
)
def test_an_order_that_leaves_in_two_halves_is_told_in_time(
    database: Database, keyring: Keyring, one_by_one: bool, dispatches: int
) -> None:
    async def story(stage: Stage) -> None:
        for number, moment in enumerate((400.0, 1800.0)):
            await stage.until(moment)
            shopify = stage.shopify_order()
            (parcel,) = [one for one in shopify.fulfillment_orders if one.remaining]
            units = [("MUG-BLUE", 2)] if number == 0 else None
            stage.world.shopify.fulfill(parcel, company="UPS", number=f"1Z{number}", units=units)
        await stage.until(2600)
        with stage.world.database.begin() as c:
            measure_ended(c, stage.world.service_clock.now())

    told = Theatre(database, keyring).tell(
        story, marketplace("all-or-nothing", multi_shipment=one_by_one), 2700
    )

    assert told.stage.order.state == "SHIPPED"
    with database.begin() as c:
        found = counted_since(c, "hour", told.stage.world.service_clock.now() - timedelta(days=1))
    assert (found["dispatch_told"].number, found["dispatch_told"].within(120)) == (dispatches, dispatches)


def test_an_order_from_sale_to_dispatch_is_measured_once(database: Database, keyring: Keyring) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        stage.world.shopify.set_quantity(stage.shopify_order(), "MUG-BLUE", 1)
        for minute in range(14):
            await asyncio.sleep(60)
            if minute == 5:
                stage.world.shopify.pick(company="UPS", number="PARCEL1")
            with stage.world.database.begin() as c:
                measure_ended(c, stage.world.service_clock.now())
                sample_freshness(c, stage.world.service_clock.now())

    told = Theatre(database, keyring).tell(story, marketplace("automatic"), 1300)

    now = told.stage.world.service_clock.now()
    assert told.stage.order.state == "SHIPPED"
    # this marketplace accepts by itself, so no acceptance of ours is measured
    assert measured_once(database, now) == {"edit_held": 1, "edit_settled": 1, "dispatch_told": 1}
    with database.begin() as c:
        durations = counted_since(c, "hour", now - timedelta(days=1))
        board = keep_board(c, now)
        assert kept_board(c) == board
    assert durations["edit_held"].within(60) == 1
    assert durations["edit_settled"].within(60) == 1
    assert durations["freshness"].within(3) == durations["freshness"].number > 0
    (sku,) = board.skus
    assert (sku.sku, sku.edits, sku.blocked, sku.waiting) == ("MUG-BLUE", 1, (), 0)
    assert sku.p95 is not None
    assert sku.p95 < 60
    verdicts = {one.code: one.verdict for one in board.objectives}
    assert verdicts["S1"] == verdicts["S8"] == verdicts["S10"] == "held"


def test_an_acceptance_is_measured_and_an_edit_that_is_a_case_is_counted_as_blocked(
    database: Database, keyring: Keyring
) -> None:
    async def story(stage: Stage) -> None:
        await stage.until(330)
        stage.world.shopify.edit(stage.shopify_order(), add=[("LAMP-OAK", 1)])
        await stage.until(600)
        with stage.world.database.begin() as c:
            measure_ended(c, stage.world.service_clock.now())
            # nothing is counted twice
            measure_ended(c, stage.world.service_clock.now() + timedelta(seconds=1))

    told = Theatre(database, keyring).tell(story, marketplace("all-or-nothing"), 700)

    now = told.stage.world.service_clock.now()
    numbers = measured_once(database, now)
    assert numbers["seen_accepted"] == numbers["sold_accepted"] == numbers["order_accepted"] == 1
    assert numbers["edit_settled"] == 1
    with database.begin() as c:
        board = make_board(c, now)
    assert board.blocked == (("edit_cannot_be_expressed", 1),)
    assert board.skus[0].blocked == (("edit_cannot_be_expressed", 1),)


def many(database: Database, keyring: Keyring, edits: int, days: int) -> None:
    """A long history: an hour row for every measure and hour, and edits over the last 30 days."""
    with database.begin() as c:
        connection = connect(c, keyring)
        order = add_order(c, connection.id, "M-1", "", CLOCK)
        slots = [
            {
                "grain": "hour",
                "measure": measure,
                "connection_id": connection.id,
                "slot": slot_of(CLOCK, timedelta(hours=1)) - timedelta(hours=hour),
                "counts": [1] * (len(BOUNDS) + 1),
            }
            for hour in range(days * 24)
            for measure in ("seen_accepted", "edit_settled", "dispatch_told", "ingress", "freshness")
        ]
        c.execute(insert(latency_counts), slots)
        c.execute(
            insert(edit_clock_rows),
            [
                {
                    "order_id": order,
                    "change_id": str(number),
                    "connection_id": connection.id,
                    "edited_at": CLOCK - timedelta(minutes=number % 43000),
                    "skus": [f"SKU-{number % 500}"],
                    "quiet_seconds": 60,
                    "held_at": None,
                    "settled_at": CLOCK - timedelta(minutes=number % 43000) + timedelta(seconds=90),
                    "outcome": "confirmed" if number % 10 else "edit_cannot_be_expressed",
                }
                for number in range(edits)
            ],
        )


def test_a_long_history_does_not_make_the_board_slow(database: Database, keyring: Keyring) -> None:
    """50,000 edits of the last month: the board asks the database some twenty questions, each within the time that every
    statement has, and works itself a few steps for each edit; the page reads one row."""
    many(database, keyring, 50_000, 40)
    asked: list[str] = []

    with database.begin() as c:
        event.listen(c, "before_cursor_execute", lambda *args: asked.append(args[2]))
        board, made = calls_made(lambda: keep_board(c, CLOCK))
        computed = len(asked)
        shown = kept_board(c)

    assert isinstance(shown, Board)
    assert shown == board
    assert len(board.skus) == 200
    assert board.skus[0].edits == 100
    assert computed < 40
    assert len(asked) - computed == 1
    assert made < 8 * 50_000


def test_counts_are_kept_as_long_as_their_grain_is(database: Database, keyring: Keyring) -> None:
    many(database, keyring, 10, 50)

    with database.begin() as c:
        assert forget_counts(c, CLOCK) > 0
        oldest = min(slot for _, slot, _ in by_slot(c, "hour", CLOCK - timedelta(days=100)))
    assert oldest >= CLOCK - timedelta(days=40)


def test_working_days_leave_the_weekend_out() -> None:
    monday = datetime.fromisoformat("2026-03-02T12:00:00+00:00")

    assert working_days_before(monday, 1).date().isoformat() == "2026-02-27"
    assert working_days_before(monday, 3).date().isoformat() == "2026-02-25"


def test_a_budget_that_burns_reaches_people(
    database: Database, keyring: Keyring, alerting: Alerting, clock: Stopped
) -> None:
    with database.begin() as c:
        connection = connect(c, keyring)
        counts = [0] * len(BOUNDS) + [150]
        c.execute(
            insert(latency_counts).values(
                grain="5min",
                measure="ingress",
                connection_id=connection.id,
                slot=slot_of(CLOCK - timedelta(minutes=4), timedelta(minutes=5)) + timedelta(minutes=5),
                counts=counts,
            )
        )
        (found,) = findings(c, CLOCK + timedelta(minutes=4))
    assert (found.severity, found.connection) == ("page", "atlas")
    assert found.title.startswith("S7")


def test_a_page_about_a_budget_is_repeated_while_it_burns_and_comes_again_when_it_burns_again(
    database: Database, keyring: Keyring, alerting: Alerting, clock: Stopped
) -> None:
    with database.begin() as c:
        connection = connect(c, keyring)

    def after(minutes: int, fails: bool) -> list[str]:
        """The titles of all pages by then; many deliveries were not answered just before, or none came."""
        clock.moment = CLOCK + timedelta(minutes=minutes)
        with database.begin() as c:
            c.execute(update(polls).values(last_ok_at=clock.now()))
            if fails:
                rollup.add_counts(
                    c, connection.id, "ingress", clock.now() - timedelta(minutes=2), [0] * len(BOUNDS) + [150]
                )
        asyncio.run(alerting.measure())
        asyncio.run(alerting.tell())
        with database.begin() as c:
            rows = reversed(outbox.latest_alerts(c))
            return [row.alert.title.partition(" (")[0] for row in rows if row.alert.severity == "page"]

    again = "nobody has acknowledged"
    assert after(4, fails=True) == ["S7"]
    assert after(9, fails=True) == ["S7"]
    assert after(14, fails=True) == ["S7", again]
    assert after(24, fails=False) == ["S7", again]
    assert after(34, fails=False) == ["S7", again]
    assert after(184, fails=True) == ["S7", again, "S7"]


def test_two_workers_measure_once_a_minute(
    database: Database, keyring: Keyring, alerting: Alerting, clock: Stopped
) -> None:
    with database.begin() as c:
        connect(c, keyring)
    asyncio.run(alerting.measure())
    with database.begin() as c:
        first = c.execute(
            select(rollup.measured.c.until).where(rollup.measured.c.name == "orders")
        ).scalar_one()
    clock.moment += timedelta(seconds=30)
    asyncio.run(alerting.measure())
    with database.begin() as c:
        assert (
            c.execute(select(rollup.measured.c.until).where(rollup.measured.c.name == "orders")).scalar_one()
            == first
        )
    clock.moment += timedelta(seconds=30)
    asyncio.run(alerting.measure())
    with database.begin() as c:
        assert (
            c.execute(select(rollup.measured.c.until).where(rollup.measured.c.name == "orders")).scalar_one()
            > first
        )


@pytest.mark.parametrize(
    ("reason", "owed"),
    [
        (Reason.REFUND_TASK, True),
        (Reason.REFUND_MADE_ALREADY, True),
        (Reason.REFUND_APPROVAL, True),
        (Reason.REFUND_REFUSED, True),
        (Reason.REFUND_MISMATCH, True),
        (Reason.REFUND_NOT_PAID, True),
        (Reason.CANCELLED_IN_SHOPIFY, True),
        (Reason.REFUND_ONLY_AT_MARKETPLACE, False),
        (Reason.TRACKING_MISSING, False),
    ],
)
@pytest.mark.parametrize("old", [True, False])
def test_money_of_one_side_counts_from_the_day_its_case_first_appeared(
    database: Database, keyring: Keyring, reason: Reason, owed: bool, old: bool
) -> None:
    first = CLOCK - timedelta(days=9 if old else 1)
    with database.begin() as c:
        connection = connect(c, keyring)
        open_connection_case(c, connection.id, reason, "R1", "It is so.", CLOCK)
        c.execute(update(cases).values(first_opened_at=first))
        (debt,) = [one for one in make_board(c, CLOCK).objectives if one.code == "S11"]

    assert (debt.verdict == "broken") is (owed and old)
