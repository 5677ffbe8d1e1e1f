"""What a message of many stands for, and a case that comes back: over the real tables, with the real rule."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from interlock.cases import work
from interlock.cases.store import cases, close_connection_cases, open_connection_case
from interlock.engine.store import ConnectionRow, polls
from interlock.monitoring import outbox
from interlock.monitoring.duty import Alerting
from interlock.monitoring.outbox import AlertRow
from interlock.orders.reasons import Reason
from interlock.orders.store import add_order, orders
from interlock.storage.database import Database
from tests.console.seed import CLOCK, Stopped

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def read_all_the_time(database: Database, connection: ConnectionRow) -> None:
    """Nothing is to be late here, however far the clock goes."""
    with database.begin() as c:
        c.execute(update(polls).values(last_ok_at=CLOCK + 30 * DAY))


def tell(alerting: Alerting) -> None:
    asyncio.run(alerting.tell())


def told(database: Database) -> list[AlertRow]:
    """Every message so far, the oldest first."""
    with database.begin() as c:
        return list(reversed(outbox.latest_alerts(c)))


def titles(database: Database) -> list[tuple[str, int]]:
    return [(row.alert.title, row.alert.count) for row in told(database)]


def acknowledge(database: Database, clock: Stopped, row: AlertRow) -> None:
    with database.begin() as c:
        assert outbox.acknowledge(c, row.id, "Kim", clock.now()) is not None


def opens(database: Database, clock: Stopped, connection: ConnectionRow, reason: Reason) -> int:
    with database.begin() as c:
        assert open_connection_case(c, connection.id, reason, "x", "Something.", clock.now())
        return int(c.execute(select(cases.c.id).where(cases.c.closed_at.is_(None))).scalar_one())


def closes(database: Database, clock: Stopped, connection: ConnectionRow, reason: Reason) -> None:
    with database.begin() as c:
        assert close_connection_cases(c, connection.id, reason, "x", clock.now(), "It is over.") == 1


def some_cases(database: Database, clock: Stopped, connection: ConnectionRow, numbers: range) -> None:
    """An urgent case of each of these orders: its SKU is unknown."""
    with database.begin() as c:
        for number in numbers:
            order_id = add_order(c, connection.id, f"M-{number}", "", clock.now())
            c.execute(
                insert(cases).values(
                    order_id=order_id,
                    connection_id=connection.id,
                    kind="condition",
                    reason=Reason.SKU_UNKNOWN.value,
                    subject="MUG",
                    owner="operations",
                    severity="urgent",
                    sentence="Nobody knows MUG.",
                    options=[],
                    facts={},
                    first_opened_at=clock.now(),
                    opened_at=clock.now(),
                )
            )


def waiting(database: Database, clock: Stopped, connection: ConnectionRow, number: int) -> None:
    """So many orders of which 40 % of the time to accept is gone."""
    window = connection.rules.acceptance_window
    assert window is not None
    with database.begin() as c:
        for each in range(1, number + 1):
            order_id = add_order(c, connection.id, f"M-{each}", "", clock.now())
            due_at = clock.now() + window * 0.6 + each * timedelta(seconds=-1)
            c.execute(
                update(orders)
                .where(orders.c.id == order_id)
                .values(mirakl_state="WAITING_ACCEPTANCE", acceptance_due_at=due_at)
            )


def accepted(database: Database, *numbers: int) -> None:
    with database.begin() as c:
        names = [f"M-{number}" for number in numbers]
        c.execute(update(orders).where(orders.c.mirakl_order_id.in_(names)).values(mirakl_state="SHIPPING"))


def test_a_page_about_what_came_back_comes_again(
    database: Database, alerting: Alerting, clock: Stopped, connection: ConnectionRow
) -> None:
    opens(database, clock, connection, Reason.QUARANTINE)
    tell(alerting)
    acknowledge(database, clock, told(database)[0])
    closes(database, clock, connection, Reason.QUARANTINE)
    clock.moment += 2 * DAY
    opens(database, clock, connection, Reason.QUARANTINE)

    tell(alerting)
    clock.moment += 10 * MINUTE
    tell(alerting)

    first, again, repeated = told(database)
    assert again.alert.severity == "page"
    assert again.alert.title == first.alert.title
    assert repeated.alert.title.startswith("nobody has acknowledged (1)")


@pytest.mark.parametrize("told_again", [False, True])
def test_what_was_taken_up_before_a_case_came_back_does_not_count(
    database: Database, alerting: Alerting, clock: Stopped, connection: ConnectionRow, told_again: bool
) -> None:
    case_id = opens(database, clock, connection, Reason.UNREADABLE_ORDER)
    tell(alerting)
    acknowledge(database, clock, told(database)[0])
    with database.begin() as c:
        work.assign(c, case_id, "kim", "kim", clock.now())
    closes(database, clock, connection, Reason.UNREADABLE_ORDER)
    clock.moment += 2 * DAY
    assert opens(database, clock, connection, Reason.UNREADABLE_ORDER) == case_id
    tell(alerting)
    if told_again:
        with database.begin() as c:
            work.begin(c, case_id, "kim", clock.now())
    clock.moment += 15 * MINUTE
    tell(alerting)

    unseen = [row for row in told(database) if row.alert.title.startswith("not taken up")]
    assert len(unseen) == (0 if told_again else 1)
    with database.begin() as c:
        assert c.execute(select(cases.c.assignee)).scalar_one() == "kim"


def test_a_page_of_many_orders_is_repeated_for_those_that_still_wait(
    database: Database, alerting: Alerting, clock: Stopped, connection: ConnectionRow
) -> None:
    waiting(database, clock, connection, 7)
    tell(alerting)
    (page,) = told(database)
    assert (page.alert.severity, page.alert.count, page.alert.orders[0]) == ("page", 7, "M-7")

    accepted(database, 7, 6)
    clock.moment += 10 * MINUTE
    tell(alerting)

    repeated = told(database)[-1].alert
    assert repeated.title.startswith("nobody has acknowledged (1)")
    assert (repeated.count, repeated.orders) == (5, ("M-5", "M-4", "M-3", "M-2", "M-1"))
    with database.begin() as c:
        first = c.execute(select(orders.c.id).where(orders.c.mirakl_order_id == "M-5")).scalar_one()
    assert repeated.order_id == first

    accepted(database, 5, 4, 3, 2, 1)
    clock.moment += 10 * MINUTE
    tell(alerting)
    assert len(told(database)) == 2


def test_whoever_acknowledges_a_message_of_many_has_seen_all_of_them(
    database: Database, alerting: Alerting, clock: Stopped, connection: ConnectionRow
) -> None:
    some_cases(database, clock, connection, range(1, 4))
    tell(alerting)
    clock.moment += 5 * MINUTE
    some_cases(database, clock, connection, range(4, 6))
    tell(alerting)
    (message,) = told(database)
    assert message.alert.count == 5
    acknowledge(database, clock, message)

    clock.moment += 20 * MINUTE
    tell(alerting)

    assert len(told(database)) == 1


def test_nobody_acknowledging_tells_of_every_one_that_was_not_taken_up(
    database: Database, alerting: Alerting, clock: Stopped, connection: ConnectionRow
) -> None:
    some_cases(database, clock, connection, range(1, 4))
    tell(alerting)
    clock.moment += 15 * MINUTE
    tell(alerting)

    assert [count for _, count in titles(database)] == [3, 3]
    assert titles(database)[1][0].startswith("not taken up for 15 minutes")


def test_nothing_joins_a_message_that_somebody_has_seen(
    database: Database, alerting: Alerting, clock: Stopped, connection: ConnectionRow
) -> None:
    some_cases(database, clock, connection, range(1, 3))
    tell(alerting)
    clock.moment += MINUTE
    acknowledge(database, clock, told(database)[0])
    clock.moment += MINUTE
    some_cases(database, clock, connection, range(3, 4))
    tell(alerting)

    assert [row.alert.orders for row in told(database)] == [("M-2", "M-1"), ("M-3",)]
    clock.moment += 15 * MINUTE
    tell(alerting)
    assert told(database)[-1].alert.orders == ("M-3",)
