"""Tells open pages that what they show has changed, by server-sent events.

A page that hears so asks for its living part again. One short query a second serves every page of the process, and
none is made while no page is open, so a page holds no database connection. Pages also ask by themselves every few
seconds: an event that is lost costs time and nothing else.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import BigInteger, Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from interlock.access.sessions import gone_sessions
from interlock.clock import Clock
from interlock.storage.database import Store

EVERYTHING = "everything"
MOST_STREAMS = 400
"""So many pages of one process hear of changes at once; the others ask by themselves."""

_EVERYTHING = text(
    """
    SELECT concat_ws('.',
        (SELECT max(id) FROM timeline), (SELECT max(id) FROM plans), (SELECT max(id) FROM orders),
        (SELECT max(id) FROM cases), (SELECT max(id) FROM answers), (SELECT max(id) FROM map_changes),
        (SELECT concat_ws('-', count(*), max(xmin::text::bigint)) FROM cases WHERE closed_at IS NULL),
        (SELECT max(xmin::text::bigint) FROM connections), (SELECT max(xmin::text::bigint) FROM polls),
        (SELECT max(id) FROM alerts),
        (SELECT concat_ws('-', count(*), max(xmin::text::bigint)) FROM alerts
            WHERE acknowledged_at IS NULL AND severity = 'page')
    )
    """
)
# A row's xmin is the transaction that wrote it last: it changes with every change of the row, whoever makes it.
_ORDERS = text(
    """
    SELECT o.id, concat_ws('.', o.xmin::text,
        (SELECT max(t.id) FROM timeline t WHERE t.order_id = o.id),
        (SELECT concat_ws('-', count(*), max(p.xmin::text::bigint)) FROM operations p WHERE p.order_id = o.id),
        (SELECT concat_ws('-', count(*), max(k.xmin::text::bigint)) FROM cases k WHERE k.order_id = o.id))
    FROM orders o WHERE o.id = ANY(:ids) ORDER BY o.id
    """
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))


_CASES = text(
    """
    SELECT k.id, concat_ws('.', k.xmin::text,
        (SELECT max(e.id) FROM case_events e WHERE e.case_id = k.id),
        (SELECT concat_ws('-', count(*), max(a.xmin::text::bigint)) FROM answers a WHERE a.order_id = k.order_id))
    FROM cases k WHERE k.id = ANY(:ids) ORDER BY k.id
    """
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
_ROWS = {"order": _ORDERS, "case": _CASES}


def versions(c: Connection, topics: Sequence[str]) -> dict[str, str]:
    """For each topic a word that is another one after every change of what the topic means: `everything`, or `order-` or
    `case-` and the row id of one. What does not exist has none."""
    found = {}
    if EVERYTHING in topics:
        found[EVERYTHING] = str(c.execute(_EVERYTHING).scalar_one())
    for kind, query in _ROWS.items():
        ids = [int(topic.removeprefix(f"{kind}-")) for topic in topics if topic.startswith(f"{kind}-")]
        if ids:
            rows = c.execute(query, {"ids": sorted(ids)})
            found |= {f"{kind}-{row[0]}": str(row[1]) for row in rows}
    return found


def is_topic(topic: str) -> bool:
    """Whether pages may ask to be told of it."""
    kind, _, number = topic.partition("-")
    return topic == EVERYTHING or (
        kind in _ROWS and number.isascii() and number.isdigit() and len(number) < 19
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """How often the database is asked, how often a quiet stream shows that it lives, and how long it lasts at most,
    all in seconds. A page whose stream ended opens another."""

    look: float = 1.0
    beat: float = 15.0
    last: float = 900.0


class Changes:
    """Watches the topics that open pages name, with one task for all of them, which ends with the last page."""

    def __init__(self, store: Store, clock: Clock, pace: Pace | None = None) -> None:
        self._store = store
        self._clock = clock
        self._pace = pace or Pace()
        self._topics: Counter[str] = Counter()
        self._known: dict[str, str] = {}
        self._sessions: Counter[int] = Counter()
        self._gone: frozenset[int] = frozenset()
        self._task: asyncio.Task[None] | None = None
        self._turned = asyncio.Condition()
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether no further stream is taken."""
        return self._closed or self._topics.total() >= MOST_STREAMS

    async def close(self) -> None:
        """End every stream, so that the web server can stop."""
        self._closed = True
        async with self._turned:
            self._turned.notify_all()

    async def stream(self, topic: str, seen: str = "", session: int | None = None) -> AsyncIterator[bytes]:
        """The events of one page: `changed` at once unless `seen` is the present version, then after every change. It
        ends within a few seconds of the row of `session`, where one is given, having ended."""
        loop = asyncio.get_running_loop()
        ends, told = loop.time() + self._pace.last, seen
        if session is not None:
            self._sessions[session] += 1
        self._topics[topic] += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._watch())
        try:
            yield b"retry: 1000\n\n"
            while loop.time() < ends:
                version = await self._another(topic, told, session)
                if self._over(session):
                    return
                if version is None:
                    yield b": still here\n\n"
                else:
                    told = version
                    yield f"event: changed\nid: {told}\ndata: {topic}\n\n".encode()
        finally:
            self._topics[topic] -= 1
            if not self._topics[topic]:
                del self._topics[topic]
            if session is not None:
                self._sessions[session] -= 1
                if not self._sessions[session]:
                    del self._sessions[session]

    def _over(self, session: int | None) -> bool:
        return self._closed or session in self._gone

    async def _another(self, topic: str, told: str, session: int | None) -> str | None:
        """The topic's version once it is another one than `told`; None when it was not for a whole beat."""

        def is_other() -> bool:
            return self._over(session) or self._known.get(topic, told) != told

        try:
            async with asyncio.timeout(self._pace.beat), self._turned:
                await self._turned.wait_for(is_other)
        except TimeoutError:
            return None
        return self._known.get(topic)

    async def _watch(self) -> None:
        while self._topics and not self._closed:
            # A database that is away is said by the pages themselves, when they ask; here it is asked again.
            with suppress(DBAPIError, PoolTimeout):
                asked = partial(
                    _look, topics=sorted(self._topics), sessions=sorted(self._sessions), now=self._clock.now()
                )
                found, gone = await self._store.tx(asked)
                if found != self._known or gone != self._gone:
                    async with self._turned:
                        self._known, self._gone = found, gone
                        self._turned.notify_all()
            await asyncio.sleep(self._pace.look)
        self._known, self._gone = {}, frozenset()


def _look(
    c: Connection, topics: Sequence[str], sessions: Sequence[int], now: datetime
) -> tuple[dict[str, str], frozenset[int]]:
    return versions(c, topics), gone_sessions(c, sessions, now)
