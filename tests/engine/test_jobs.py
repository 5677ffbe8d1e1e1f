"""Wake-ups as jobs: coalesced, part of the caller's transaction, in order of urgency, and never lost for long."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import procrastinate
from sqlalchemy import Connection, text

from interlock.clock import SystemClock
from interlock.engine.jobs import JobWorkers, ProcrastinateQueue, lock_of, queue_of, waiting_jobs
from interlock.engine.store import beat, counts
from interlock.orders.actions import Lane
from interlock.storage.database import Database

QUEUE = ProcrastinateQueue()
NOW = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


class Desk:
    """Stands for the engine: remembers which orders were looked at, and what was reported."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.looked: list[int] = []
        self.failed: list[tuple[int, Lane, str]] = []
        self.rescued: list[tuple[int, Lane]] = []
        self.act: Callable[[int], Awaitable[bool]] | None = None

    async def look(self, order_id: int) -> bool:
        self.looked.append(order_id)
        return True if self.act is None else await self.act(order_id)

    async def report(self, order_id: int, lane: Lane, error: BaseException) -> None:
        self.failed.append((order_id, lane, type(error).__name__))

    async def wake(self, rescued: Sequence[tuple[int, Lane]]) -> None:
        self.rescued.extend(rescued)
        with self.database.begin() as c:
            for order_id, lane in rescued:
                QUEUE.wake(c, order_id, lane)

    def workers(self, orders: int = 10) -> JobWorkers:
        return JobWorkers(
            self.database.conninfo,
            "test",
            SystemClock(),
            self.look,
            self.report,
            self.wake,
            orders_concurrency=orders,
        )


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    for _ in range(round(seconds / 0.02)):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("It did not happen in time.")


async def work_until(desk: Desk, condition: Callable[[], bool], orders: int = 10) -> None:
    stop = asyncio.Event()
    running = asyncio.ensure_future(desk.workers(orders).run(stop))
    try:
        await until(condition)
    finally:
        stop.set()
        await running


def wake(database: Database, *wanted: tuple[int, Lane]) -> None:
    with database.begin() as c:
        for order_id, lane in wanted:
            QUEUE.wake(c, order_id, lane)


def waiting(database: Database) -> dict[str, int]:
    with database.begin() as c:
        return waiting_jobs(c)


def wait_for_a_lock(database: Database) -> None:
    """Return once some transaction waits for another."""
    blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    for _ in range(250):
        with database.begin() as c:
            if c.execute(blocked).scalar_one():
                return
            c.execute(text("SELECT pg_sleep(0.01)"))
    raise AssertionError("Nobody waited for anybody.")


def break_inserts(c: Connection) -> None:
    c.execute(
        text("ALTER TABLE procrastinate_jobs ADD CONSTRAINT nothing_new CHECK (task_name = '') NOT VALID")
    )


def test_waking_an_order_twice_in_one_lane_leaves_one_job(database: Database) -> None:
    wake(database, (7, "edits"), (7, "edits"))
    wake(database, (7, "edits"))
    assert waiting(database) == {"orders": 1}


def test_two_transactions_that_wake_the_same_order_at_once_both_commit(database: Database) -> None:
    def second() -> None:
        with database.begin() as c:
            c.execute(text("SET LOCAL lock_timeout = '60s'"))  # however slow the machine is
            beat(c, "second", NOW)
            QUEUE.wake(c, 7, "edits")

    with ThreadPoolExecutor(1) as threads:
        with database.begin() as first:
            QUEUE.wake(first, 7, "edits")
            # It cannot see the first one's job: its insert waits until that is committed, and is then refused.
            waits = threads.submit(second)
            wait_for_a_lock(database)
        waits.result(60)
    with database.begin() as c:
        assert c.execute(text("SELECT name FROM heartbeats")).scalars().all() == ["second"]
        assert counts(c) == {}
    assert waiting(database) == {"orders": 1}


def test_a_job_table_that_stays_locked_costs_the_wake_up_and_nothing_else(database: Database) -> None:
    with database.engine.connect() as other, other.begin():
        QUEUE.wake(other, 7, "edits")
        with database.begin() as c:
            c.execute(text("SET LOCAL lock_timeout = '100ms'"))
            QUEUE.wake(c, 7, "edits")
    with database.begin() as c:
        assert counts(c) == {("wake_failed", "edits"): 1}


def test_lanes_of_one_order_wait_beside_each_other(database: Database) -> None:
    wake(database, (7, "edits"), (7, "acceptance"), (7, "rest"))
    assert waiting(database) == {"acceptance": 1, "orders": 2}


def test_a_transaction_that_is_rolled_back_leaves_no_job(database: Database) -> None:
    with database.engine.connect() as c, c.begin() as transaction:
        QUEUE.wake(c, 7, "edits")
        transaction.rollback()
    assert waiting(database) == {}


def test_a_job_table_that_refuses_does_not_break_the_callers_transaction(own_database: Database) -> None:
    with own_database.begin() as c:
        break_inserts(c)
    with own_database.begin() as c:
        beat(c, "before", NOW)
        QUEUE.wake(c, 7, "holds")
        beat(c, "after", NOW)
    with own_database.begin() as c:
        names = c.execute(text("SELECT name FROM heartbeats ORDER BY name")).scalars().all()
        assert (names, counts(c)) == (["after", "before"], {("wake_failed", "holds"): 1})


def test_urgent_lanes_are_answered_first(database: Database) -> None:
    wake(database, (1, "rest"), (2, "shipping"), (3, "edits"), (4, "holds"))
    desk = Desk(database)
    asyncio.run(work_until(desk, lambda: len(desk.looked) == 4, orders=1))
    assert desk.looked == [4, 3, 2, 1]


def test_acceptance_does_not_wait_behind_busy_workers(database: Database) -> None:
    desk = Desk(database)
    wake(database, (1, "edits"), (2, "acceptance"))

    async def scenario() -> None:
        accepted = asyncio.Event()

        async def act(order_id: int) -> bool:
            if order_id == 2:
                accepted.set()
            else:
                await accepted.wait()  # the only worker for other orders is busy until then
            return True

        desk.act = act
        await work_until(desk, lambda: accepted.is_set() and not waiting(database), orders=1)

    asyncio.run(scenario())
    assert sorted(desk.looked) == [1, 2]


def test_answered_jobs_leave_no_row(database: Database) -> None:
    wake(database, (1, "edits"))
    desk = Desk(database)
    asyncio.run(work_until(desk, lambda: desk.looked == [1]))
    with database.begin() as c:
        assert (
            c.execute(text("SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'orders'")).scalar()
            == 0
        )


def test_a_wake_up_that_comes_while_its_order_is_looked_at_is_answered_afterwards(database: Database) -> None:
    desk = Desk(database)
    wake(database, (1, "edits"))

    async def act(order_id: int) -> bool:
        if len(desk.looked) == 1:
            wake(database, (1, "edits"), (1, "edits"))
        return True

    desk.act = act
    asyncio.run(work_until(desk, lambda: len(desk.looked) == 2 and not waiting(database)))
    assert desk.looked == [1, 1]


def test_a_look_that_fails_is_reported_and_not_retried(database: Database) -> None:
    desk = Desk(database)
    wake(database, (1, "edits"), (2, "rest"))

    async def act(order_id: int) -> bool:
        if order_id == 1:
            raise ValueError("a defect")
        return True

    desk.act = act
    asyncio.run(work_until(desk, lambda: 2 in desk.looked, orders=1))
    assert (desk.looked, desk.failed) == ([1, 2], [(1, "edits", "ValueError")])


def test_a_look_that_finds_the_order_taken_comes_back_a_little_later(database: Database) -> None:
    desk = Desk(database)
    wake(database, (1, "edits"))

    async def act(order_id: int) -> bool:
        return len(desk.looked) == 2

    desk.act = act
    asyncio.run(work_until(desk, lambda: len(desk.looked) == 2))
    assert desk.looked == [1, 1]


def test_the_job_of_a_dead_worker_is_removed_and_its_order_woken_again(database: Database) -> None:
    desk = Desk(database)
    wake(database, (5, "holds"), (6, "edits"))
    with database.begin() as c:
        dead = c.execute(
            text(
                "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '16 seconds') RETURNING id"
            )
        ).scalar_one()
        alive = c.execute(
            text("INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id")
        ).scalar_one()
        take = text(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker WHERE queueing_lock = :lock"
        )
        c.execute(take, {"worker": dead, "lock": lock_of(5, "holds")})
        c.execute(take, {"worker": alive, "lock": lock_of(6, "edits")})

    async def rescue() -> int:
        workers = desk.workers()
        connector = procrastinate.PsycopgConnector(conninfo=database.conninfo, min_size=1, max_size=1)
        async with procrastinate.App(connector=connector).open_async() as app:
            return await workers.rescue(app)

    assert asyncio.run(rescue()) == 1
    assert desk.rescued == [(5, "holds")]
    with database.begin() as c:
        rows = c.execute(text("SELECT queueing_lock, status::text FROM procrastinate_jobs ORDER BY id"))
        assert [tuple(row) for row in rows] == [("6:edits", "doing"), ("5:holds", "todo")]


def test_workers_that_are_asked_to_stop_while_they_start_end_at_once(database: Database) -> None:
    """Asked at every point of their start, so that the wish also comes in an instant in which they wait for nothing."""
    desk = Desk(database)

    async def asked_after(turns: int) -> None:
        stop = asyncio.Event()
        running = asyncio.ensure_future(desk.workers().run(stop))
        for _ in range(turns):
            await asyncio.sleep(0.0008)
        stop.set()
        # Far less than the ten seconds which what is under way is given.
        await asyncio.wait_for(running, 8)

    async def scenario() -> None:
        for turns in range(60):
            await asked_after(turns)

    asyncio.run(scenario())


def test_every_lane_but_acceptance_shares_a_queue() -> None:
    lanes: tuple[Lane, ...] = ("acceptance", "holds", "edits", "shipping", "rest")
    assert [queue_of(lane) for lane in lanes] == ["acceptance", "orders", "orders", "orders", "orders"]
