"""The job engine behind the queue port: wake-ups as Procrastinate jobs, and the workers that answer them.

A job means "look at this order now" and nothing else. It catches everything, is never retried and never scheduled
ahead: what still has to be done stands in the order's own row, and a sweep asks the rows every few seconds.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import procrastinate
from procrastinate import jobs
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.worker import Worker
from sqlalchemy import Connection, text

from interlock.clock import Clock
from interlock.engine.store import count
from interlock.logs import logger
from interlock.orders.actions import Lane

TASK = "interlock.look_at"
TIDY_TASK = "interlock.tidy_jobs"
ACCEPTANCE_QUEUE = "acceptance"
ORDERS_QUEUE = "orders"
PRIORITIES: dict[Lane, int] = {"acceptance": 40, "holds": 30, "edits": 20, "shipping": 10, "rest": 0}

FETCH_EVERY_SECONDS = 0.5
HEARTBEAT_SECONDS = 5.0
STALLED_AFTER_SECONDS = 15.0
RESCUE_EVERY_SECONDS = 5.0
"""A dead worker's job is found at most STALLED_AFTER_SECONDS + RESCUE_EVERY_SECONDS after its last heartbeat."""
KEEP_ENDED_HOURS = 1
GRACE_SECONDS = 10.0

# A look that comes while a hint is being written finds the row locked for a moment and comes back after so long.
_TRY_AGAIN_AFTER = (0.05, 0.25)
_WAITING = text(
    "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = :lock AND status = 'todo' ORDER BY id LIMIT 1"
)


def queue_of(lane: Lane) -> str:
    """The queue whose workers answer a lane: orders that wait for acceptance never stand behind others."""
    return ACCEPTANCE_QUEUE if lane == "acceptance" else ORDERS_QUEUE


def lock_of(order_id: int, lane: Lane) -> str:
    """At most one job with this name waits; while it runs, one more may."""
    return f"{order_id}:{lane}"


class ProcrastinateQueue:
    """Puts wake-ups into the transaction of whoever gives the hint: both are committed, or neither."""

    def __init__(self) -> None:
        # Never opened: every job travels on the connection of the caller's transaction.
        self._app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())

    def wake(self, c: Connection, order_id: int, lane: Lane) -> None:
        """Ask that a worker looks at this order once this transaction is committed.

        Asking twice is asking once. A job table that refuses costs the wake-up and nothing else: the caller's
        transaction goes on, and the due sweep finds the order by its row.
        """
        lock = lock_of(order_id, lane)
        # Asked first because a refused insert would be written to the database's log as an error each time.
        if c.execute(_WAITING, {"lock": lock}).one_or_none() is not None:
            return
        try:
            with c.begin_nested():
                self._app.configure_task(
                    TASK,
                    queue=queue_of(lane),
                    queueing_lock=lock,
                    priority=PRIORITIES[lane],
                    connection=c.connection.driver_connection,
                ).defer(order_id=order_id, lane=lane)
        except AlreadyEnqueued:
            return
        except ConnectorException as error:
            logger().error("queue.wake_failed", order=order_id, lane=lane, exc_info=error)
            count(c, "wake_failed", lane)

    def read_wanted(self, c: Connection, connection_id: int) -> None:
        """Nothing to send: the desk that leads asks the rows every second, and a row says what it wants."""
        del c, connection_id


Look = Callable[[int], Awaitable[bool]]
Report = Callable[[int, Lane, BaseException], Awaitable[None]]
Wake = Callable[[Sequence[tuple[int, Lane]]], Awaitable[None]]


@dataclass(frozen=True)
class JobWorkers:
    """The workers of one process: one pool for orders that wait for acceptance, one for all others.

    `look` runs one order to rest and says whether it could take it. `failed` is told of every exception of a look
    and must not raise. `wake` gives new wake-ups to orders whose worker died. `conninfo` is a libpq address.
    """

    conninfo: str
    name: str
    clock: Clock
    look: Look
    failed: Report
    wake: Wake
    acceptance_concurrency: int = 4
    orders_concurrency: int = 10

    async def run(self, stop: asyncio.Event) -> None:
        """Answer wake-ups until `stop` is set; running looks then get GRACE_SECONDS to end.

        Ends early, or raises, when the database goes away: whoever supervises calls it again, and then everything is
        opened anew.
        """
        app = self._app()
        async with app.open_async():
            workers = [
                self._worker(app, ACCEPTANCE_QUEUE, self.acceptance_concurrency),
                self._worker(app, ORDERS_QUEUE, self.orders_concurrency),
            ]
            ending = asyncio.Event()
            rescuing = asyncio.ensure_future(self._rescue_until(ending, app))
            tasks = [asyncio.ensure_future(worker.run()) for worker in workers]  # type: ignore[no-untyped-call]
            tasks.append(rescuing)
            stopping = asyncio.ensure_future(stop.wait())
            try:
                await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.cancel()
                ending.set()
                rescuing.cancel()
                for worker in workers:
                    # It ends its jobs first. Its task is not cancelled: while a worker starts, it waits for the database,
                    # and a cancellation in the instant in which such a wait ends is lost.
                    worker.stop()  # type: ignore[no-untyped-call]
                ended = await asyncio.gather(*tasks, return_exceptions=True)
            for result in ended:
                if isinstance(result, Exception):
                    raise result

    async def rescue(self, app: procrastinate.App) -> int:
        """Remove the jobs of workers that are gone and wake somebody else for their orders.

        Their leases and epochs stay as they are: a worker that is only slow still cannot write beside the next one.
        """
        manager = app.job_manager
        stalled = await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS)
        again: list[tuple[int, Lane]] = []
        for job in sorted(stalled, key=lambda job: job.id or 0):
            try:
                await manager.finish_job(job, jobs.Status.FAILED, delete_job=True)
            except ConnectorException:
                continue  # another worker was quicker, or the slow one has just finished it
            if job.task_name == TASK:
                given: Any = job.task_kwargs
                again.append((given["order_id"], given["lane"]))
        if again:
            await self.wake(again)
        return len(again)

    async def _rescue_until(self, ending: asyncio.Event, app: procrastinate.App) -> None:
        # The event is looked at as well: a cancellation may be lost in a wait for the database.
        while not ending.is_set():
            await self.clock.sleep(RESCUE_EVERY_SECONDS)
            await self.rescue(app)

    def _app(self) -> procrastinate.App:
        options = {"connect_timeout": 10, "application_name": "interlock jobs", "keepalives_idle": 15}
        app = procrastinate.App(
            connector=procrastinate.PsycopgConnector(
                conninfo=self.conninfo, min_size=1, max_size=6, timeout=10.0, kwargs=options
            )
        )
        app.task(name=TASK)(self._look)

        async def tidy(timestamp: int) -> None:
            del timestamp
            await app.job_manager.delete_old_jobs(
                KEEP_ENDED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
            )

        # Besides its own work this keeps the library's watch over its side tasks awake: without any periodic
        # task the first of them ends at once, and then nobody notices a lost listener or heartbeat.
        app.periodic(cron="17 * * * *")(app.task(name=TIDY_TASK, queue=ORDERS_QUEUE)(tidy))
        return app

    def _worker(self, app: procrastinate.App, queue: str, concurrency: int) -> Worker:
        return Worker(
            app,
            queues=[queue],
            name=f"{self.name} {queue}",
            concurrency=concurrency,
            fetch_job_polling_interval=FETCH_EVERY_SECONDS,
            shutdown_graceful_timeout=GRACE_SECONDS,
            update_heartbeat_interval=HEARTBEAT_SECONDS,
            stalled_worker_timeout=STALLED_AFTER_SECONDS,
            delete_jobs="successful",
            install_signal_handlers=False,
        )

    async def _look(self, order_id: int, lane: Lane) -> None:
        try:
            if await self.look(order_id):
                return
            for pause in _TRY_AGAIN_AFTER:
                await self.clock.sleep(pause)
                if await self.look(order_id):
                    return
        except Exception as error:
            await self.failed(order_id, lane, error)


def waiting_jobs(c: Connection) -> dict[str, int]:
    """How many jobs wait in each queue: the backlog that health shows."""
    rows: Any = c.execute(
        text(
            "SELECT queue_name, count(*) FROM procrastinate_jobs WHERE status = 'todo' GROUP BY 1 ORDER BY 1"
        )
    )
    return {str(name): int(number) for name, number in rows}
