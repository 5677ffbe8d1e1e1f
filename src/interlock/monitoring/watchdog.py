"""The watchdog: a small process outside the service. It asks whether the service answers, and pages when it does not, or when
the time of an order runs out while it does not. It needs no database and decides by the clock of its own machine.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx2

from interlock.clock import Clock
from interlock.logs import logger
from interlock.monitoring.composing import Composed, local
from interlock.monitoring.deadlines import FileUnusable, LastKnown, OrderDeadline, read
from interlock.monitoring.ladders import ACCEPTANCE, Deadline, rungs_reached
from interlock.monitoring.sending import Sent, send
from interlock.orders.timeline import counted

GONE_AFTER = timedelta(minutes=2)
SILENT_AFTER = timedelta(minutes=2)
NEVER = timedelta.max
AGAIN_EVERY = timedelta(minutes=10)
ANSWERS_WITHIN_SECONDS = 5.0
MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class Seen:
    """What the watchdog knows at a moment. `answers` is whether the service said that it and its database are well,
    `gone_since` since when it has not, `known` what its file says. `silent`: the service answers, and says that no worker
    was heard for SILENT_AFTER. `blind`: why the file has been of no use for so long, empty when it is."""

    now: datetime
    answers: bool
    gone_since: datetime | None
    known: LastKnown | None
    silent: bool = False
    blind: str = ""
    gone_after: timedelta = GONE_AFTER


def pages_due(seen: Seen, said: dict[str, datetime]) -> tuple[tuple[str, Composed], ...]:
    """What has to be paged now, each with its key. Pure; `said` is when each key was last paged.

    Gone: the service or its database has not answered for `gone_after`; said again every ten minutes, like the next two.
    Silent: the service answers, but no worker has been heard for two minutes. Blind: all of them answer, but the file has
    been of no use for two minutes, so the watchdog would not know which orders wait. A deadline: the time of an order has
    reached a paging rung while the service is gone or silent; each rung is said once.
    """
    due: list[tuple[str, Composed]] = []
    if seen.answers and not seen.silent:
        return (("blind", _blind(seen.blind)),) if seen.blind and _again(said.get("blind"), seen.now) else ()
    gone = not seen.answers and seen.gone_since is not None and seen.now - seen.gone_since >= seen.gone_after
    if gone and _again(said.get("gone"), seen.now) and seen.gone_since is not None:
        minutes = round((seen.now - seen.gone_since).total_seconds() / 60)
        due.append(("gone", _gone(minutes, seen.known)))
    if seen.silent and _again(said.get("silent"), seen.now):
        due.append(("silent", _silent()))
    if gone or seen.silent:
        for one in seen.known.deadlines if seen.known is not None else ():
            deadline = Deadline(one.starts_at, one.due_at)
            loud = [rung for rung in rungs_reached(ACCEPTANCE, deadline, seen.now) if rung.severity == "page"]
            if loud and f"{one.connection} {one.order} {loud[-1].percent}" not in said:
                due.append(
                    (f"{one.connection} {one.order} {loud[-1].percent}", _deadline(one, loud[-1].percent))
                )
    return tuple(due)


def _again(last: datetime | None, now: datetime) -> bool:
    return last is None or now - last >= AGAIN_EVERY


def _gone(minutes: int, known: LastKnown | None) -> Composed:
    lines = [
        f"Interlock or its database has not answered for {counted(minutes, 'minute')}. Nothing is accepted, held or told meanwhile.",
        "Look at the machine, the database and the log; start the service again. Accept waiting orders in the portal.",
    ]
    if known is None:
        lines.append("The watchdog's file cannot be read either, so no order is known that waits.")
    elif known.deadlines:
        lines.append(f"Orders that waited for acceptance: {len(known.deadlines)}. The nearest deadlines:")
        nearest = sorted(known.deadlines, key=lambda one: one.due_at)[:MOST_NAMED]
        lines += [f"- {one.connection} {one.order}: {local(one.due_at, 'UTC')}" for one in nearest]
    return Composed("[PAGE] Interlock does not answer", "\n".join(lines))


def _silent() -> Composed:
    return Composed(
        "[PAGE] No worker of Interlock runs",
        "The console answers, but no worker has been heard for two minutes. Nothing is accepted, held or told meanwhile. "
        "Start one with `interlock worker`, or start the service again.",
    )


def _blind(why: str) -> Composed:
    return Composed(
        "[PAGE] The watchdog of Interlock cannot see the orders that wait",
        f"{why} Interlock answers and works, but if it stopped now, nobody would be told which orders wait.",
    )


def _deadline(one: OrderDeadline, percent: int) -> Composed:
    gone = "is over" if percent >= 100 else f"is {percent} % over"
    return Composed(
        f"[PAGE] {one.connection}: the time to accept {one.order} {gone}, and Interlock does not work",
        f"Deadline: {local(one.due_at, 'UTC')}. Accept the order in the marketplace's portal; Interlock finds it accepted "
        "when it is back.",
    )


@dataclass
class Watchdog:
    """Watches one service. `file` is None where it has none and is to watch no deadlines. `channels` are addresses of its own;
    with none, those of the file are used."""

    health_url: str
    file: Path | None
    clock: Clock
    http: httpx2.AsyncClient
    channels: tuple[str, ...] = ()
    every_seconds: float = 10.0
    gone_after: timedelta = GONE_AFTER
    say: Callable[[str], None] = print
    gone_since: datetime | None = None
    unheard_since: datetime | None = None
    unread_since: datetime | None = None
    unread: str = ""
    known: LastKnown | None = None
    said: dict[str, datetime] = field(default_factory=dict)

    async def run(self, stop: asyncio.Event) -> None:
        """Look every few seconds until `stop` is set."""
        while not stop.is_set():
            await self.look()
            pause = asyncio.ensure_future(self.clock.sleep(self.every_seconds))
            ended = asyncio.ensure_future(stop.wait())
            await asyncio.wait((pause, ended), return_when=asyncio.FIRST_COMPLETED)
            pause.cancel()
            ended.cancel()

    async def look(self) -> int:
        """Look once and page what is due. Returns how many pages a channel took."""
        heard = await self._heard()
        answers = heard is not None
        now = self.clock.now()
        self._read(now)
        if answers:
            if self.gone_since is not None:
                self.say("The service answers again.")
            self.gone_since = None
        elif self.gone_since is None:
            self.gone_since = now
            self.say("The service does not answer.")
        if heard is None or heard < SILENT_AFTER:
            self.unheard_since = None
        elif self.unheard_since is None:
            # A worker that has just been stopped or not yet started has the same two minutes as one that is not heard.
            self.unheard_since = now if heard == NEVER else now - heard
        silent = self.unheard_since is not None and now - self.unheard_since >= SILENT_AFTER
        blind = self._blind(now)
        if answers and not silent and not blind:
            self.said.clear()
        taken = 0
        seen = Seen(now, answers, self.gone_since, self.known, silent, blind, self.gone_after)
        for key, message in pages_due(seen, self.said):
            # Said only once a channel has taken it: what reached nobody is tried again at the next look.
            if await self._page(message):
                self.said[key] = now
                taken += 1
        return taken

    async def _heard(self) -> timedelta | None:
        """How long ago the service heard a worker, NEVER when it names none; None when it does not answer."""
        try:
            response = await self.http.get(self.health_url, timeout=ANSWERS_WITHIN_SECONDS)
        except httpx2.HTTPError:
            return None
        if response.status_code != 200:
            return None
        try:
            return timedelta(seconds=response.json()["worker_heard_seconds"])
        except (KeyError, OverflowError, TypeError, ValueError):
            return NEVER

    def _read(self, now: datetime) -> None:
        if self.file is None:
            return
        try:
            self.known = read(self.file)
            self.unread_since, self.unread = None, ""
        except FileUnusable as wrong:
            if self.unread_since is None:
                logger().warning("watchdog.no_file", error=type(wrong).__name__)
                self.unread_since = now
            self.unread = str(wrong)

    def _blind(self, now: datetime) -> str:
        """Why the file has been of no use for two minutes; empty when it is, or when there is to be none."""
        if self.unread_since is not None:
            return self.unread if now - self.unread_since >= SILENT_AFTER else ""
        if self.file is None or self.known is None or now - self.known.written_at <= SILENT_AFTER:
            return ""
        minutes = round((now - self.known.written_at).total_seconds() / 60)
        return f"The watchdog's file {self.file} was last written {counted(minutes, 'minute')} ago."

    async def _page(self, message: Composed) -> bool:
        urls = self.channels or (self.known.channels if self.known is not None else ())
        ended = [await send(url, "page", message) for url in urls]
        taken = any(isinstance(one, Sent) for one in ended)
        self.say(f"{message.title} ({'told' if taken else 'no channel took it'})")
        return taken
