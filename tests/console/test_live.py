"""Open pages hear of changes: of every kind, at once, and without holding anything of the database."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import OperationalError

from interlock.access import people, sessions
from interlock.access.roles import Grant, Role
from interlock.cases import work
from interlock.cases.store import answers, cases
from interlock.console.live import EVERYTHING, MOST_STREAMS, Changes, Pace, is_topic, versions
from interlock.engine.store import ConnectionRow, connections
from interlock.orders.actions import ShipOrder
from interlock.orders.store import orders, tell
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from tests.console.seed import CLOCK, Stopped, connect, edited_up, keep, planned

T = TypeVar("T")
QUICK = Pace(look=0.01, beat=0.2, last=30)


@pytest.fixture
def connection(database: Database, keyring: Keyring) -> ConnectionRow:
    with database.begin() as c:
        return connect(c, keyring)


@pytest.fixture
def order_id(database: Database, connection: ConnectionRow) -> int:
    with database.begin() as c:
        return keep(c, connection, edited_up())[0]


def told(c: Connection, order_id: int) -> None:
    tell(c, order_id, CLOCK, "Ada", ["Rang the customer."])


def hinted(c: Connection, order_id: int) -> None:
    c.execute(update(orders).where(orders.c.id == order_id).values(hints=orders.c.hints + 1))


def sent(c: Connection, order_id: int) -> None:
    of_order = select(orders.c.connection_id).where(orders.c.id == order_id)
    planned(c, order_id, c.execute(of_order).scalar_one(), ShipOrder(), "a" * 32, CLOCK)


def given(c: Connection, order_id: int) -> None:
    c.execute(update(cases).values(assignee="ada"))


def settled(c: Connection, order_id: int) -> None:
    c.execute(update(cases).values(closed_at=CLOCK, closed_because="Done."))


@pytest.mark.parametrize("change", [told, hinted, sent, given, settled])
def test_whatever_happens_to_an_order_gives_it_another_version(
    database: Database, order_id: int, change: Callable[[Connection, int], None]
) -> None:
    topic = f"order-{order_id}"
    with database.begin() as c:
        before = versions(c, [topic])
    with database.begin() as c:
        change(c, order_id)
    with database.begin() as c:
        after = versions(c, [topic])

    assert before[topic] != after[topic]


@pytest.mark.parametrize("change", [told, given, settled])
def test_whatever_a_list_may_show_gives_everything_another_version(
    database: Database, order_id: int, change: Callable[[Connection, int], None]
) -> None:
    with database.begin() as c:
        before = versions(c, [EVERYTHING])
    with database.begin() as c:
        change(c, order_id)
    with database.begin() as c:
        assert versions(c, [EVERYTHING]) != before


def answered(c: Connection, order_id: int) -> None:
    reason, subject = c.execute(select(cases.c.reason, cases.c.subject)).one()
    give_answer(c, order_id, reason, subject)


def give_answer(c: Connection, order_id: int, reason: str, subject: str) -> None:
    said = {"option": "undo_in_shopify", "who": "ada", "why": "so", "at": CLOCK}
    c.execute(insert(answers).values(order_id=order_id, reason=reason, subject=subject, **said))


def commented(c: Connection, order_id: int) -> None:
    work.comment(c, c.execute(select(cases.c.id)).scalar_one(), "ada", b"sealed", CLOCK)


@pytest.mark.parametrize("change", [given, settled, answered, commented])
def test_whatever_happens_to_a_case_gives_it_another_version(
    database: Database, order_id: int, change: Callable[[Connection, int], None]
) -> None:
    with database.begin() as c:
        topics = [f"case-{c.execute(select(cases.c.id)).scalar_one()}", "case-999"]
        before = versions(c, topics)
    with database.begin() as c:
        assert versions(c, topics) == before
        change(c, order_id)
    with database.begin() as c:
        after = versions(c, topics)

    assert list(before) == topics[:1]
    assert before != after


def test_what_did_not_change_keeps_its_version(database: Database, order_id: int) -> None:
    topics = [EVERYTHING, f"order-{order_id}", "order-999"]
    with database.begin() as c:
        before = versions(c, topics)
    with database.begin() as c:
        assert versions(c, topics) == before
    assert "order-999" not in before


def test_a_changed_setting_of_a_connection_is_noticed(database: Database, connection: ConnectionRow) -> None:
    with database.begin() as c:
        before = versions(c, [EVERYTHING])
    with database.begin() as c:
        c.execute(update(connections).values(live=False))
    with database.begin() as c:
        assert versions(c, [EVERYTHING]) != before


@pytest.mark.parametrize(
    ("topic", "known"),
    [
        (EVERYTHING, True),
        ("order-12", True),
        ("case-12", True),
        ("case-", False),
        ("case-1 OR 1=1", False),
        ("alert-1", False),
        ("order-", False),
        ("order-x", False),
        ("order-1;--", False),
        ("12", False),
        ("", False),
        ("order-" + "9" * 19, False),
    ],
)
def test_only_topics_there_are_may_be_asked_for(topic: str, known: bool) -> None:
    assert is_topic(topic) is known


class Away:
    """A database that cannot be reached for the first few questions."""

    def __init__(self, store: InlineStore, questions: int) -> None:
        self._store = store
        self.left = questions
        self.asked = 0

    async def tx(self, fn: Callable[[Connection], T]) -> T:
        self.asked += 1
        if self.left:
            self.left -= 1
            raise OperationalError("SELECT", {}, Exception("gone"))
        return await self._store.tx(fn)


async def next_event(stream: AsyncIterator[bytes]) -> bytes:
    while True:
        said = await asyncio.wait_for(anext(stream), 30)
        if said.startswith(b"event:"):
            return said


def test_a_page_hears_at_once_then_of_every_change_and_then_nobody_asks_any_more(
    database: Database, store: InlineStore, order_id: int
) -> None:
    counted = Away(store, 0)

    async def listen() -> tuple[bytes, bytes, int]:
        changes = Changes(counted, Stopped(), QUICK)
        stream = changes.stream(f"order-{order_id}")
        first = await next_event(stream)
        with database.begin() as c:
            told(c, order_id)
        second = await next_event(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        await asyncio.sleep(0.05)
        before = counted.asked
        await asyncio.sleep(0.1)
        return first, second, counted.asked - before

    first, second, asked_later = asyncio.run(listen())

    assert first.startswith(b"event: changed\nid: ")
    assert second != first
    assert asked_later == 0


def test_a_page_that_comes_back_hears_only_of_what_it_missed(store: InlineStore, order_id: int) -> None:
    async def listen() -> list[bytes]:
        changes = Changes(store, Stopped(), QUICK)
        stream = changes.stream(f"order-{order_id}")
        seen = (await next_event(stream)).split(b"id: ")[1].split(b"\n")[0].decode()
        await stream.aclose()  # type: ignore[attr-defined]
        again = changes.stream(f"order-{order_id}", seen)
        return [await asyncio.wait_for(anext(again), 30) for _ in range(2)]

    assert asyncio.run(listen()) == [b"retry: 1000\n\n", b": still here\n\n"]


def test_a_database_that_is_away_only_makes_the_page_wait(store: InlineStore, order_id: int) -> None:
    async def listen() -> bytes:
        changes = Changes(Away(store, 3), Stopped(), QUICK)
        return await next_event(changes.stream(f"order-{order_id}"))

    assert asyncio.run(listen()).startswith(b"event: changed")


def test_many_pages_cost_one_question(store: InlineStore, order_id: int) -> None:
    counted = Away(store, 0)

    async def listen() -> tuple[bool, int]:
        changes = Changes(counted, Stopped(), Pace(look=60, beat=60, last=60))
        streams: list[Any] = [changes.stream(f"order-{order_id}") for _ in range(MOST_STREAMS)]
        for stream in streams:
            await anext(stream)
        for stream in streams:
            await next_event(stream)
        full = changes.full
        for stream in streams:
            await stream.aclose()
        return full, counted.asked

    assert asyncio.run(listen()) == (True, 1)


def test_a_closing_service_ends_every_stream(store: InlineStore, order_id: int) -> None:
    async def listen() -> list[bytes]:
        changes = Changes(store, Stopped(), Pace(look=0.01, beat=60, last=60))
        stream = changes.stream(f"order-{order_id}")
        await next_event(stream)
        asyncio.get_running_loop().call_later(0.05, lambda: asyncio.ensure_future(changes.close()))
        return [said async for said in stream]

    assert asyncio.run(listen()) in ([], [b": still here\n\n"])


@pytest.mark.parametrize("how", ["ended", "over", "deactivated"])
def test_the_stream_of_a_session_that_is_none_any_more_ends_and_the_others_go_on(
    database: Database, store: InlineStore, keyring: Keyring, order_id: int, how: str
) -> None:
    with database.begin() as c:
        person = people.add_person(c, keyring, "ada", "Ada", "", [Grant(Role.CX)], "test", CLOCK)
        numbers = []
        for _ in range(2):
            sessions.begin(c, keyring, person, "a browser", CLOCK, timedelta(hours=1))
            numbers.append(int(c.execute(select(func.max(sessions.sessions.c.id))).scalar_one()))
    lost, kept = numbers
    clock = Stopped()

    def lose(c: Connection) -> None:
        of_lost = update(sessions.sessions).where(sessions.sessions.c.id == lost)
        if how == "ended":
            sessions.end(c, lost, CLOCK)
        elif how == "over":
            c.execute(of_lost.values(ends_at=CLOCK))
        else:
            c.execute(update(people.people).values(deactivated_at=CLOCK))

    async def listen() -> tuple[list[bytes], bytes]:
        changes = Changes(store, clock, Pace(look=0.01, beat=60, last=60))
        revoked = changes.stream(f"order-{order_id}", session=lost)
        other = changes.stream(f"order-{order_id}", session=None if how == "deactivated" else kept)
        await next_event(revoked)
        await next_event(other)
        with database.begin() as c:
            lose(c)
        rest = await asyncio.wait_for(_rest(revoked), 30)
        with database.begin() as c:
            told(c, order_id)
        return rest, await next_event(other)

    rest, heard = asyncio.run(listen())

    assert rest == []
    assert heard.startswith(b"event: changed")


async def _rest(stream: AsyncIterator[bytes]) -> list[bytes]:
    return [said async for said in stream]
