"""The periodic job: read what stands, ask the rule, keep what it says, and send what is due."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
from sqlalchemy import Connection, func, select

from interlock.clock import Clock
from interlock.engine.store import beat, count
from interlock.engine.troubles import note_trouble, trouble_is_over
from interlock.logs import logger
from interlock.monitoring import board, deadlines, links, outbox, rollup, skus
from interlock.monitoring.channels import Channel, address_of, alerting, all_channels, all_routes
from interlock.monitoring.composing import Composed, compose
from interlock.monitoring.deadlines import MOST_DEADLINES, LastKnown, OrderDeadline
from interlock.monitoring.decide import Alert, Finding, Situation, decide
from interlock.monitoring.ladders import TEAMS
from interlock.monitoring.onsets import keep_onsets
from interlock.monitoring.outbox import Due
from interlock.monitoring.routing import ways_for
from interlock.monitoring.sending import NotSent, Sent, beat_outside, send
from interlock.monitoring.standings import case_standings, last_calls, page_standings, window_standings
from interlock.monitoring.watching import watch_connections
from interlock.storage.database import Store
from interlock.storage.encryption import Keyring

WATCHDOG_FILE = "watchdog.json"
"""The name of the watchdog's file, in the data folder."""
FORGET_EVERY = timedelta(hours=6)
MEASURED_EVERY = timedelta(seconds=45)
"""However many workers there are, the board is computed no more often than that."""
_ONE_MEASURES = select(func.pg_try_advisory_xact_lock(0x6D656173757265))


@dataclass
class Alerting:
    """What the alert scheduler of one process is made of. `address` is where people reach the console, without a slash
    at its end; empty where nobody said. `http_for` gives the client of an origin, for heartbeats alone. `sending` is what is
    under way, by the row id of its channel."""

    store: Store
    clock: Clock
    keyring: Keyring
    address: str = ""
    http_for: Callable[[str], httpx2.AsyncClient] | None = None
    forgot_at: datetime | None = None
    sending: dict[int, asyncio.Future[int]] = field(default_factory=dict)

    async def measure(self) -> int:
        """Count what has ended, sample how fresh the reads are, compute the board anew, and tell what it shows. Returns
        how many durations were counted. One worker at a time does it."""
        now = self.clock.now()

        def work(c: Connection) -> tuple[int, tuple[Finding, ...]]:
            if not c.execute(_ONE_MEASURES).scalar_one() or board.is_younger(c, now - MEASURED_EVERY):
                return 0, ()
            number = rollup.measure_ended(c, now)
            rollup.sample_freshness(c, now)
            skus.note_sales(c, now)
            skus.sample_skus(c, now)
            board.keep_board(c, now)
            beat(c, "measures", now)
            return number, keep_onsets(c, board.findings(c, now), now)

        number, found = await self.store.tx(work)
        if found:
            await self.tell(found)
        return number

    async def tell(self, findings: Sequence[Finding] = ()) -> int:
        """Open and close the cases of whole connections, and keep every alert that is due and was not said yet. Returns
        how many messages that makes."""
        now = self.clock.now()

        def keep(c: Connection) -> int:
            watch_connections(c, now)
            made = outbox.keep(c, decide(situation(c, now, findings)), now)
            beat(c, "alerts", now)
            if made:
                count(c, "alerts_made", by=made)
            return made

        made = await self.store.tx(keep)
        if self.forgot_at is None or now - self.forgot_at > FORGET_EVERY:
            self.forgot_at = now
            await self.store.tx(lambda c: outbox.forget_alerts(c, now - outbox.KEPT_FOR))
            await self.store.tx(lambda c: rollup.forget_counts(c, now))
        return made

    async def start_sending(self) -> int:
        """Begin to send what is due, by every channel that is not sending yet, and wait for none: one that does not answer
        keeps no other waiting. Returns how many deliveries were taken in what has ended since the last call."""
        ended = [channel_id for channel_id, task in self.sending.items() if task.done()]
        taken = await asyncio.gather(*(self.sending.pop(channel_id) for channel_id in ended))
        now = self.clock.now()
        for channel_id in await self.store.tx(lambda c: outbox.channels_with_due(c, now)):
            if channel_id not in self.sending:
                self.sending[channel_id] = asyncio.ensure_future(self._send_all(channel_id))
        return sum(taken)

    async def send_due(self) -> int:
        """Send what is due, and wait for every channel. Returns how many deliveries the channels took."""
        taken = await self.start_sending()
        ended = await asyncio.gather(*self.sending.values())
        self.sending.clear()
        return taken + sum(ended)

    async def send_one(self, delivery_id: int) -> bool:
        """Send this delivery alone. Whether its channel took it."""
        now = self.clock.now()
        due = await self.store.tx(lambda c: outbox.claim_one(c, now, delivery_id))
        return due is not None and await self._send(due)

    async def _send_all(self, channel_id: int) -> int:
        """Send what is due by this channel, one after another. What comes meanwhile has its turn by how loud it is."""
        taken = 0
        while due := await self.store.tx(lambda c: outbox.claim(c, self.clock.now(), channel_id)):
            taken += await self._send(due)
        return taken

    async def _send(self, due: Due) -> bool:
        now = self.clock.now()

        def prepare(c: Connection) -> tuple[str | None, Composed]:
            return address_of(c, self.keyring, due.channel_id), self._composed(c, due, now)

        url, message = await self.store.tx(prepare)
        ended: Sent | NotSent
        if url is None:
            ended = NotSent("the channel was removed")
        elif due.kind == "heartbeat":
            ended = await self._beat(url)
        else:
            ended = await send(url, "message" if due.alert is None else due.alert.severity, message)
        done_at = self.clock.now()

        def finish(c: Connection) -> None:
            match ended:
                case Sent():
                    outbox.sent(c, due.id, done_at)
                    count(c, "alert_sent")
                case NotSent(why):
                    outbox.failed(c, due, why, done_at)
                    count(c, "alert_not_sent")

        await self.store.tx(finish)
        if isinstance(ended, NotSent) and due.alert is not None:
            logger().warning("alert.not_sent", delivery=due.id, attempt=due.attempts)
        return isinstance(ended, Sent)

    def _composed(self, c: Connection, due: Due, now: datetime) -> Composed:
        alert = due.alert
        if alert is None or due.alert_id is None:
            return Composed(
                "[Test] Interlock can reach this channel",
                "This message was asked for with the button Test, or with `interlock alerts test`. Nothing is wrong.",
            )
        look = acknowledge = ""
        if self.address:
            sealed = links.seal(self.keyring, due.alert_id, due.channel_id, now)
            acknowledge = f"{self.address}/alerts/acknowledge/{sealed}"
            if alert.case_id is not None:
                look = f"{self.address}/cases/{alert.case_id}"
            elif alert.order_id is not None:
                look = f"{self.address}/orders/{alert.order_id}"
            else:
                look = f"{self.address}/health"
        return compose(alert, last_calls(c, alert.order_id), look, acknowledge, due.zone)

    async def write_deadlines(self, path: Path) -> None:
        """Write the watchdog's file: who waits for acceptance until when, and the addresses that take pages."""
        now = self.clock.now()

        def read(c: Connection) -> LastKnown:
            routes = all_routes(c)
            channels = [channel.id for channel in alerting(all_channels(c))]
            paged = {
                way.channel_id
                for team in TEAMS
                for way in ways_for(Alert("", "", "page", (team,), ""), routes, channels, now)
            }
            urls = (address_of(c, self.keyring, channel_id) for channel_id in sorted(paged))
            waiting = (
                OrderDeadline(one.order, one.connection, one.deadline.starts_at, one.deadline.due_at)
                for one in window_standings(c)
            )
            return LastKnown(now, tuple(waiting)[:MOST_DEADLINES], tuple(url for url in urls if url))

        known = await self.store.tx(read)
        await asyncio.to_thread(deadlines.write, path, known)

    async def beat_outside(self) -> int:
        """Send the heartbeat to every address that waits for one. Returns how many took it."""

        def read(c: Connection) -> list[tuple[Channel, str]]:
            found = []
            for channel in all_channels(c):
                url = address_of(c, self.keyring, channel.id) if channel.kind == "heartbeat" else None
                if url is not None:
                    found.append((channel, url))
            return found

        taken = 0
        for channel, url in await self.store.tx(read):
            ended = await self._beat(url)
            fine = isinstance(ended, Sent)
            taken += fine
            now = self.clock.now()
            name = f"heartbeat {channel.name}"

            def keep(c: Connection, name: str = name, now: datetime = now, fine: bool = fine) -> None:
                if fine:
                    beat(c, name, now)
                    trouble_is_over(c, name, "heartbeat_missing")
                else:
                    note_trouble(c, name, "heartbeat_missing", now)
                    count(c, "heartbeat_not_taken")

            await self.store.tx(keep)
        return taken

    async def _beat(self, url: str) -> Sent | NotSent:
        if self.http_for is None:
            return NotSent("this process sends no heartbeats")
        parts = urlsplit(url)
        return await beat_outside(self.http_for(f"{parts.scheme}://{parts.netloc}"), url)


def situation(c: Connection, now: datetime, findings: Sequence[Finding] = ()) -> Situation:
    """Everything the rule looks at, read in one transaction."""
    return Situation(
        now, case_standings(c, now), window_standings(c), page_standings(c, now), tuple(findings)
    )
