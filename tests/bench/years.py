"""The console over a database of years: each page against the bare query it stands on, and against itself over a hundredth."""

import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx2
from sqlalchemy import Connection, func, select

from interlock.cases.store import cases
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.storage.database import Database, ThreadStore
from interlock.storage.encryption import Keyring, new_key
from interlock.web import WebParts, create_app
from tests.console.seed import CLOCK, TESTER, Numbered, Stopped, Wakes
from tests.databases import ThrowawayServer
from tests.explained import listening, whole_scans
from tests.filled import GROWING, YEARS, Size, fill, some_order
from tests.periodic import periodic

ROUNDS = 40
A_HUNDREDTH = Size(YEARS.orders // 100, YEARS.open_cases // 100)
Bare = Callable[[Connection, int], object]


def _one_order(c: Connection, order_id: int) -> object:
    return c.execute(select(orders).where(orders.c.id == order_id)).one()


def _newest_orders(c: Connection, _: int) -> object:
    shown = select(
        orders.c.id, orders.c.mirakl_order_id, orders.c.shopify_name, orders.c.mirakl_state, orders.c.memory
    )
    return c.execute(shown.order_by(orders.c.id.desc()).limit(50)).all()


def _first_cases(c: Connection, _: int) -> object:
    waits = select(cases).where(cases.c.closed_at.is_(None))
    return c.execute(waits.order_by(cases.c.damage_at, cases.c.id).limit(50)).all()


def _first_refunds(c: Connection, _: int) -> object:
    due = cases.c.closed_at.is_(None) & (cases.c.reason == Reason.REFUND_TASK.value)
    of_orders = select(cases, orders.c.memory, orders.c.last_view).join(
        orders, orders.c.id == cases.c.order_id
    )
    return c.execute(of_orders.where(due).order_by(cases.c.damage_at, cases.c.id).limit(50)).all()


def _number_of_cases(c: Connection, _: int) -> object:
    return c.execute(select(func.count()).select_from(cases).where(cases.c.closed_at.is_(None))).scalar_one()


PAGES: tuple[tuple[str, str, str, Bare], ...] = (
    ("order page", "/orders/{order}", "its row", _one_order),
    ("case list, first page, causes folded", "/cases", "the 50 cases that do damage first", _first_cases),
    ("orders list, first page", "/orders", "the 50 newest rows", _newest_orders),
    ("Today", "/", "the number of open cases", _number_of_cases),
    ("refund tasks, first page", "/refund-tasks", "the 50 first due with their orders", _first_refunds),
)
"""Title, address, what the bare query asks for, and the bare query."""


@dataclass(frozen=True)
class PageTimes:
    """Seconds of one page over the filled database, of its bare query there, and of the page over a hundredth of it."""

    title: str
    bare_is: str
    page: list[float]
    bare: list[float]
    small: list[float]


@dataclass(frozen=True)
class Years:
    """What was found over the filled databases: `statements` are those that are run again and again, `whole` those of
    them whose plan reads a whole table."""

    pages: tuple[PageTimes, ...]
    statements: int
    whole: int


async def years() -> Years:
    """Fill two databases on a server of their own, and look at every page in turns."""
    keyring = Keyring([new_key()])
    with ThrowawayServer() as server, tempfile.TemporaryDirectory() as folder:
        large, small = (Database(server.new_database()) for _ in range(2))
        fill(large, keyring, YEARS, CLOCK)
        fill(small, keyring, A_HUNDREDTH, CLOCK)
        try:
            found = [await _page(large, small, keyring, *page) for page in PAGES]
            statements, whole = await _statements(large, keyring, Path(folder))
        finally:
            large.dispose()
            small.dispose()
    return Years(tuple(found), statements, whole)


async def _page(
    large: Database, small: Database, keyring: Keyring, title: str, address: str, bare_is: str, bare: Bare
) -> PageTimes:
    with large.begin() as c:
        order_id = some_order(c)
    with small.begin() as c:
        small_order_id = some_order(c)
    store = ThreadStore(large)
    took: dict[str, list[float]] = {"page": [], "bare": [], "small": []}
    async with _console(large, keyring) as here, _console(small, keyring) as there:
        for turn in range(ROUNDS + 1):
            seconds = {
                "bare": await _timed(lambda: store.tx(lambda c: bare(c, order_id))),
                "page": await _timed(lambda: _get(here, address.format(order=order_id))),
                "small": await _timed(lambda: _get(there, address.format(order=small_order_id))),
            }
            if turn:  # the first fills the caches
                for name, value in seconds.items():
                    took[name].append(value)
    return PageTimes(title, bare_is, took["page"], took["bare"], took["small"])


def _console(database: Database, keyring: Keyring) -> httpx2.AsyncClient:
    parts = WebParts(ThreadStore(database), Stopped(), Numbered(), Wakes(), keyring, everyone=TESTER)
    transport = httpx2.ASGITransport(create_app(parts))
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost", trust_env=False)


async def _get(client: httpx2.AsyncClient, address: str) -> None:
    response = await client.get(address)
    if response.status_code != 200:
        raise AssertionError(f"{address} answered {response.status_code}: {response.text[:200]}")


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


async def _statements(database: Database, keyring: Keyring, folder: Path) -> tuple[int, int]:
    jobs = periodic(database, keyring, folder)
    with listening(database) as statements:
        for job in jobs.values():
            await job()
    with database.begin() as c:
        return len(statements.seen), len(whole_scans(c, statements, GROWING))
