"""The demo for a spectator: the day at a chosen speed, its progress in the terminal, and the console in the browser."""

import asyncio
import random
import signal
import socket
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import uvicorn
from rich import table as rich_table
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from sqlalchemy import func, select

from interlock.access.roles import everything
from interlock.cases.store import cases
from interlock.clock import SeededIdentifiers
from interlock.demo.day import Day, live, open_day
from interlock.demo.ground import Ground
from interlock.demo.pace import HastyLoop
from interlock.demo.promises import tally
from interlock.engine.ledger import operations
from interlock.engine.store import beat
from interlock.monitoring.duty import Alerting
from interlock.orders.store import orders, timeline
from interlock.rehearsal.processes import ProcessStore
from interlock.storage.database import InlineStore
from interlock.storage.encryption import Keyring, new_key
from interlock.web import WebParts, create_app

HOST = "127.0.0.1"
REFRESH_SECONDS = 0.25
MEASURED_EVERY = 60.0
"""In seconds of the day."""
SENTENCES = 14
LONGEST_SENTENCE = 150
NOT_ACCEPTED = ("STAGING", "WAITING_ACCEPTANCE", "REFUSED")


def run(seed: int, speed: float, folder: Path | None, port: int, console: Console) -> int:
    """Show one day. 0 unless a promise was broken on it."""
    with Ground(folder) as ground:
        loop = HastyLoop(speed)
        asyncio.set_event_loop(loop)
        try:
            return loop.run_until_complete(_spectacle(seed, speed, ground, port, console))
        finally:
            asyncio.set_event_loop(None)
            loop.close()


async def _spectacle(seed: int, speed: float, ground: Ground, port: int, console: Console) -> int:
    keyring = Keyring([new_key()])
    day = open_day(seed, ground.database, keyring)
    loop = asyncio.get_running_loop()
    assert isinstance(loop, HastyLoop)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, day.stop.set)
    listening = _listen(port)
    server = _PacedServer(_web(day, keyring), loop)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    address = f"http://{HOST}:{listening.getsockname()[1]}/"
    console.print(f"The console is at [bold]{address}[/]  (Ctrl-C ends the day)")
    over = asyncio.Event()
    show = asyncio.create_task(_show(day, over, speed, address, console))
    measuring = asyncio.create_task(_measure_for_ever(day, keyring))
    verdict = 0

    async def stay_open() -> None:
        """A day that nobody watches ends; for somebody who does, everything stays open at their own pace."""
        nonlocal verdict
        over.set()
        await show
        verdict = _summary(day, console)
        if console.is_terminal:
            loop.slow_down(1.0)
            console.print(f"Everything stays open for a look at [bold]{address}[/] until you press Ctrl-C.")
            await day.stop.wait()

    try:
        await live(day, stay_open)
    finally:
        day.stop.set()
        over.set()
        await show
        measuring.cancel()
        await asyncio.wait((measuring,))
        server.should_exit = True
        await serving
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    if not measuring.cancelled():
        measuring.result()
    return verdict if day.came_to_rest else _summary(day, console)


async def _measure_for_ever(day: Day, keyring: Keyring) -> None:
    """What a worker does beside the orders: it measures the objectives, and tells what an alert is for."""
    store, clock = InlineStore(day.world.database), day.world.service_clock
    alerting = Alerting(store, clock, keyring)
    while True:
        await asyncio.sleep(MEASURED_EVERY)
        # The world leaves out a due sweep that can find nothing. It is there all the same, and nobody is paged for it.
        await store.tx(lambda c: beat(c, "due sweep", clock.now()))
        await alerting.measure()
        await alerting.tell()


# -- the console in the browser ----------------------------------------------------------------------------


def _listen(port: int) -> socket.socket:
    """A listening socket on `port` of this machine, or on a free one when somebody has that."""
    for wanted in (port, 0):
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, wanted))
            listening.listen()
        except OSError:
            listening.close()
            if wanted == 0:
                raise
            continue
        return listening
    raise AssertionError("one of the two ports was free or the system said why not")


def _web(day: Day, keyring: Keyring) -> uvicorn.Config:
    world = day.world
    app = create_app(
        WebParts(
            store=InlineStore(world.database),
            clock=world.service_clock,
            identifiers=SeededIdentifiers(random.Random(f"{world.plan.seed}:web")),
            queue=world.wakeups,
            keyring=keyring,
            connections=world.process_world.connections_for(
                ProcessStore(world.database, world.outage), world.service_clock
            ),
            everyone=everything("demo"),
        )
    )
    return uvicorn.Config(app, host=HOST, log_level="error", access_log=False, lifespan="off")


class _PacedServer(uvicorn.Server):
    """A server on a hasty loop: its own seconds are made long enough to be ours again."""

    def __init__(self, config: uvicorn.Config, loop: HastyLoop) -> None:
        config.timeout_keep_alive = round(config.timeout_keep_alive * max(loop.speed, 1.0))
        super().__init__(config)
        self._loop = loop

    async def main_loop(self) -> None:
        counter = 0
        while not await self.on_tick(counter):
            counter = (counter + 1) % 864000
            await asyncio.sleep(0.1 * self._loop.speed)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Ctrl-C ends the day, and the day ends the server."""
        yield


# -- the progress in the terminal --------------------------------------------------------------------------


@dataclass
class _Seen:
    """What the display has shown so far."""

    said: int = 0
    timeline_id: int = 0
    lines: deque[tuple[datetime, str, str]] = field(default_factory=lambda: deque(maxlen=SENTENCES))

    def news(self, day: Day) -> list[tuple[datetime, str, str]]:
        """What people did and what Interlock wrote since the last look, in the order it happened."""
        fresh = [(said.at, said.who, said.sentence) for said in day.team.said[self.said :]]
        self.said = len(day.team.said)
        statement = (
            select(
                timeline.c.id,
                timeline.c.at,
                timeline.c.sentence,
                orders.c.mirakl_order_id,
                orders.c.connection_id,
            )
            .join(orders, orders.c.id == timeline.c.order_id)
            .where(timeline.c.id > self.timeline_id)
            .order_by(timeline.c.id)
        )
        names = {number: name for name, number in day.world.connection_ids.items()}
        with day.world.database.begin() as c:
            for row in c.execute(statement):
                order = f"{names[row.connection_id]} {row.mirakl_order_id}"
                fresh.append((row.at, "Interlock", f"{order}: {row.sentence}"))
                self.timeline_id = row.id
        fresh.sort(key=lambda line: line[0])
        self.lines.extend(fresh)
        return fresh


async def _show(day: Day, over: asyncio.Event, speed: float, address: str, console: Console) -> None:
    seen = _Seen()
    pause = REFRESH_SECONDS * speed
    if not console.is_terminal:
        while not over.is_set() and not day.stop.is_set():
            for at, who, sentence in seen.news(day):
                console.print(f"{at:%H:%M:%S} {who}: {sentence}", markup=False, highlight=False)
            await asyncio.sleep(pause)
        return
    with Live(console=console, auto_refresh=False, transient=True) as display:
        while not over.is_set() and not day.stop.is_set():
            seen.news(day)
            display.update(_picture(day, seen, speed, address), refresh=True)
            await asyncio.sleep(pause)


def _picture(day: Day, seen: _Seen, speed: float, address: str) -> RenderableType:
    now = day.world.clock.now()
    gone = asyncio.get_running_loop().time() / 60
    numbers = numbers_of(day)
    counts = rich_table.Table.grid(padding=(0, 3))
    for _ in numbers:
        counts.add_column(justify="center")
    counts.add_row(*(f"[bold]{number}[/]" for number in numbers.values()))
    counts.add_row(*(f"[dim]{name}[/]" for name in numbers))
    story = rich_table.Table.grid(padding=(0, 2))
    story.add_column(style="dim", no_wrap=True)
    story.add_column(no_wrap=True)
    story.add_column()
    for at, who, sentence in seen.lines:
        colour = "cyan" if who == "Interlock" else "yellow"
        story.add_row(f"{at:%H:%M:%S}", f"[{colour}]{escape(who)}[/]", escape(_short(sentence)))
    head = rich_table.Table.grid(expand=True)
    head.add_column()
    head.add_column(justify="right")
    head.add_row(f"[bold]{now:%H:%M:%S}[/]  [dim]at speed {speed:g}[/]", f"[link={address}]{address}[/]")
    bar = ProgressBar(total=day.ends_at_minute, completed=min(gone, day.ends_at_minute))
    return Panel(Group(head, bar, "", counts, "", story), title="Interlock: a day", border_style="blue")


def _short(sentence: str) -> str:
    return sentence if len(sentence) <= LONGEST_SENTENCE else f"{sentence[: LONGEST_SENTENCE - 1]}…"


def numbers_of(day: Day) -> dict[str, int]:
    """The day in numbers: orders placed, accepted, held now, edits carried over, cases, parcels and what was told."""
    with day.world.database.begin() as c:
        states: Counter[str | None] = Counter()
        for state, number in c.execute(
            select(orders.c.mirakl_state, func.count()).group_by(orders.c.mirakl_state)
        ):
            states[state] = number
        kinds: Counter[str] = Counter()
        for kind, number in c.execute(
            select(operations.c.kind, func.count())
            .where(operations.c.state == "CONFIRMED")
            .group_by(operations.c.kind)
        ):
            kinds[kind] = number
        waiting = c.execute(
            select(func.count()).select_from(cases).where(cases.c.closed_at.is_(None))
        ).scalar_one()
        all_cases = c.execute(select(func.count()).select_from(cases)).scalar_one()
    accepted = sum(n for state, n in states.items() if state is not None and state not in NOT_ACCEPTED)
    held = sum(
        1
        for found in day.world.shopify.shop.orders.values()
        if any(item.holds for item in found.fulfillment_orders)
    )
    return {
        "orders": day.team.orders,
        "accepted": accepted,
        "held now": held,
        "edits carried": kinds["CancelQuantities"] + kinds["CancelMiraklOrder"],
        "cases open": waiting,
        "cases settled": all_cases - waiting,
        "labels": day.team.parcels,
        "dispatches told": kinds["ShipOrder"],
    }


def _summary(day: Day, console: Console) -> int:
    """What the day came to. A day that was ended early is not judged as if it had come to rest."""
    numbers = ", ".join(f"{number} {name}" for name, number in numbers_of(day).items())
    console.print(f"The day ended at {day.world.clock.now():%H:%M}: {numbers}.")
    if not day.came_to_rest:
        console.print("It was ended early, so nothing was judged; ./dev demo --once judges whole days.")
        return 0
    promises, _ = tally(day)
    table = rich_table.Table()
    for column in ("promise", "held", "bounded", "broken"):
        table.add_column(column)
    for promise in promises:
        table.add_row(promise.name, str(promise.held), str(promise.bounded), str(promise.broken))
    console.print(table)
    for line in (line for promise in promises for line in promise.evidence if line.startswith("broken")):
        console.print(line, style="red", markup=False)
    return 1 if any(promise.broken for promise in promises) else 0
