"""The read desk: every OR11 call of one Mirakl account, and the batches of OR04.

One paged walk per tick: the changes since the cursor, or (every second tick and after a gap) everything that waits
for acceptance. Reads by id are collected for a second and sent together, within a small budget of their own. The
cursor moves only after every order of the walk is recorded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from interlock.cases.store import close_connection_cases, open_connection_case
from interlock.engine import ledger
from interlock.engine.capabilities import open_subjects
from interlock.engine.gateways import ConnectedPlatforms, Document, Unreadable
from interlock.engine.hints import hint
from interlock.engine.run import EngineParts
from interlock.engine.store import (
    Poll,
    beat,
    body_digest,
    count,
    document_digest,
    keep_poll,
    keep_unreadable,
    lead_poll,
    seconds_until_allowed,
)
from interlock.engine.troubles import TroubleCode, note_trouble
from interlock.engine.walking import LISTS_MAY_LAG, again_after
from interlock.imports.eligibility import unknown_values
from interlock.inventory.store import touch
from interlock.orders.actions import Lane
from interlock.orders.outcomes import Outcome, Unavailable
from interlock.orders.ports import ReadFailed
from interlock.orders.reasons import Reason
from interlock.orders.snapshots import DEAD, GONE_OUT, MiraklOrder
from interlock.orders.store import add_order, keep_document, orders, tell, unseen_since, wanted_documents
from interlock.orders.timeline import sentence_of
from interlock.quarantine.store import in_quarantine

OVERLAP = timedelta(minutes=10)
"""By how much windows of changes overlap, and reach ahead: so far our clock and the marketplace's may be apart."""
LEAD_FOR = timedelta(seconds=120)
GAP = timedelta(minutes=3)
EVENT_READS_OFF_FOR = timedelta(hours=1)
MOST_IDS = 100
MOST_ENDED = 1000
MOST_KEPT_BYTES = 64 * 1024
"""So much of an answer that could not be read is kept: its beginning tells what it is, and one comes at every walk."""
LONGEST_NAMED = 100
"""A case is named by the order's id as the document gives it, unless that is no id anyone could look for."""
WANTED_AGAIN = timedelta(seconds=5)
SEEN_AGAIN_AFTER = timedelta(minutes=15)
"""So long at most the marketplace's side of an order that is still to be shipped goes unseen: nothing promises that
every change by the operator moves `last_updated_date` (Mirakl reference 15.7), and a walk shows only what moved."""
REFERENCES_EVERY = timedelta(seconds=60)
_KNOWN = select(orders.c.id, orders.c.mirakl_wanted_since).where(
    orders.c.connection_id == bindparam("of_connection"), orders.c.mirakl_order_id == bindparam("named")
)


@dataclass(frozen=True, slots=True)
class DeskRules:
    """How often this account is read. `event_reads_per_minute` counts reads by id."""

    poll_every: timedelta
    event_reads_per_minute: int


@dataclass(frozen=True, slots=True)
class _Errands:
    """What there is to do beside walks: orders to read by id, in how many seconds, and whether references wait."""

    wanted: tuple[str, ...] = ()
    wait: float = 0.0
    references: bool = False


class Desk:
    """The read desk of one connection. Several workers may each have one; only the one that leads reads."""

    def __init__(
        self,
        parts: EngineParts,
        platforms: ConnectedPlatforms,
        rules: DeskRules,
    ) -> None:
        self._parts = parts
        self._platforms = platforms
        self._rules = rules
        self._references_at: datetime | None = None
        # Orders that ended before they were known, by id, with the change of them that was last heeded.
        self._ended_unseen: dict[str, datetime] = {}

    async def work(self) -> datetime | None:
        """Do what is due now: a walk, reads by id, a batch of references. Meant to be called every second.

        Returns when to come back at the latest: for the next walk, or sooner while orders were wanted by id. None while
        another worker leads.
        """
        parts = self._parts
        now = parts.clock.now()
        account = self._platforms.mirakl_account

        def look(c: Connection) -> tuple[Poll, bool, _Errands] | None:
            poll = lead_poll(c, account, parts.worker, now, now + LEAD_FOR)
            if poll is None:
                return None
            walks = poll.next_at is None or poll.next_at <= now
            return poll, walks, _Errands() if walks else self._errands(c, poll, now)

        found = await parts.store.tx(look)
        if found is None:
            return None
        poll, walks, errands = found
        next_at = poll.next_at or now
        if walks:
            poll, next_at = await self._tick(poll, now)
            # Also after a walk: lists may be behind, so what follows a write of ours is seen by id only.
            errands = await parts.store.tx(lambda c: self._errands(c, poll, now, with_unseen=True))
        if errands.wanted and not errands.wait:
            await self._read_wanted(poll, now, errands.wanted)
        if errands.references:
            await self._send_references(now)
        if errands.wanted:
            # It may not have been shown, or not be young enough.
            return min(next_at, now + max(timedelta(seconds=errands.wait), WANTED_AGAIN))
        return next_at

    def _errands(self, c: Connection, poll: Poll, now: datetime, with_unseen: bool = False) -> "_Errands":
        """What there is to do beside walks. Reads by id are counted as soon as there is one to make."""
        ids = [self._platforms.connection_id]
        wanted: tuple[str, ...] = ()
        wait = 0.0
        if not self._rides_the_poll(poll, now):
            wanted = self._wanted(c, now, with_unseen)
        if wanted:
            per_minute = self._rules.event_reads_per_minute
            account = self._platforms.mirakl_account
            wait = seconds_until_allowed(c, account, "OR11:event", per_minute, timedelta(minutes=1), now)
        rests = self._references_at is not None and now - self._references_at < REFERENCES_EVERY
        return _Errands(wanted, wait, not rests and ledger.has_open_references(c, ids))

    def _wanted(self, c: Connection, now: datetime, with_unseen: bool) -> tuple[str, ...]:
        """The orders to read by id. A call takes a hundred: what was long unseen fills the places that are left, and
        with `with_unseen` is reason enough for a call."""
        ids = [self._platforms.connection_id]
        wanted = tuple(name for _, name, _ in wanted_documents(c, ids, MOST_IDS))
        if (wanted or with_unseen) and len(wanted) < MOST_IDS:
            unseen = unseen_since(c, ids, now - SEEN_AGAIN_AFTER, MOST_IDS)
            wanted = tuple(dict.fromkeys((*wanted, *unseen)))[:MOST_IDS]
        return wanted

    # -- walks -----------------------------------------------------------------------------------------

    async def _tick(self, poll: Poll, now: datetime) -> tuple[Poll, datetime]:
        """Walk once. Returns the poll as it is now as far as reads by id are concerned, and when to walk next."""
        parts = self._parts
        after_gap = poll.last_ok_at is None or now - poll.last_ok_at > max(GAP, 2 * self._rules.poll_every)
        waiting = after_gap or poll.ticks % 2 == 1
        try:
            wanted: tuple[str, ...] = ()
            if self._rides_the_poll(poll, now) and poll.ticks % 3 == 2:
                wanted = await parts.store.tx(lambda c: self._wanted(c, now, with_unseen=True))
            moved: dict[str, Any]
            if wanted:
                await self._read_by_id(wanted)
                moved = {}
            elif waiting:
                await self._walk_waiting()
                moved = {}
            else:
                await self._walk_updated(poll, now)
                moved = {"cursor": now}
        except ReadFailed as failed:
            pause = timedelta(seconds=failed.retry_after or 0)
            next_at = now + again_after(
                self._rules.poll_every, poll.last_ok_at, now, pause, failed.too_many_calls
            )
            why, trouble = failed.why, failed.trouble
            # Refused for load, a walk tells the same as a read by id: they are counted together after all.
            after = self._without_reads_by_id(poll, now) if failed.too_many_calls else poll
            keep = self._kept_body(failed, now)

            def note(c: Connection) -> None:
                keep(c)
                self._failed(c, after, now, next_at, why, trouble)

            await parts.store.tx(note)
            return after, next_at
        ok_at = parts.clock.now()
        # After a gap the walk over what waits for acceptance came first; the changes follow one interval later.
        ticks = poll.ticks + 1 if not after_gap else 2
        next_at = now + self._rules.poll_every
        await parts.store.tx(
            lambda c: self._succeeded(c, poll, ok_at, next_at=next_at, ticks=ticks, moved=moved)
        )
        parts.probe("desk:ticked")
        return poll, next_at

    def _rides_the_poll(self, poll: Poll, now: datetime) -> bool:
        return poll.event_reads_off_until is not None and poll.event_reads_off_until > now

    def _without_reads_by_id(self, poll: Poll, now: datetime) -> Poll:
        return replace(poll, event_reads_off_until=now + EVENT_READS_OFF_FOR)

    async def _walk_updated(self, poll: Poll, now: datetime) -> None:
        since = (poll.cursor or now - timedelta(days=1)) - OVERLAP
        observed_at = now
        # The marketplace dates changes by its own clock: where ours is behind, a window that ended now would leave out
        # what has just happened. What enters the window while it is read belongs to the next one, as they overlap.
        async for page in self._platforms.mirakl.walk_updated(since, now + OVERLAP):
            await self._record(page, observed_at)
            self._parts.probe("desk:page_recorded")
            observed_at = self._parts.clock.now()

    async def _walk_waiting(self) -> None:
        observed_at = self._parts.clock.now()
        async for page in self._platforms.mirakl.walk_waiting():
            await self._record(page, observed_at)
            observed_at = self._parts.clock.now()

    def _failed(
        self, c: Connection, poll: Poll, now: datetime, next_at: datetime, why: str, trouble: TroubleCode
    ) -> None:
        keep_poll(c, poll, next_at=next_at, event_reads_off_until=poll.event_reads_off_until)
        note_trouble(c, poll.name, trouble, now)
        count(c, "poll_failed", self._platforms.rules.name)
        if poll.last_ok_at is not None and now - poll.last_ok_at > 3 * self._rules.poll_every:
            open_connection_case(
                c,
                self._platforms.connection_id,
                Reason.PLATFORM_REFUSED,
                "poll",
                f"{self._platforms.rules.name}: the marketplace could not be read for more than three intervals "
                f"({why}). New orders are not seen meanwhile and their acceptance windows run. Check the marketplace's "
                "status and the key of the connection; reading goes on by itself.",
                now,
            )

    def _succeeded(
        self, c: Connection, poll: Poll, ok_at: datetime, next_at: datetime, ticks: int, moved: dict[str, Any]
    ) -> None:
        keep_poll(c, poll, last_ok_at=ok_at, next_at=next_at, ticks=ticks, **moved)
        beat(c, f"poll {self._platforms.rules.name}", ok_at)
        close_connection_cases(
            c,
            self._platforms.connection_id,
            Reason.PLATFORM_REFUSED,
            "poll",
            ok_at,
            "The marketplace answers again.",
        )

    # -- reads by id -----------------------------------------------------------------------------------

    async def _read_wanted(self, poll: Poll, now: datetime, wanted: Sequence[str]) -> None:
        parts = self._parts
        try:
            await self._read_by_id(wanted)
        except ReadFailed as failed:
            name = self._platforms.rules.name
            # Refused for load: the marketplace counts these reads after all, and they ride the poll for an hour.
            after = self._without_reads_by_id(poll, now) if failed.too_many_calls else poll
            keep = self._kept_body(failed, now)

            def note(c: Connection) -> None:
                keep(c)
                keep_poll(c, poll, event_reads_off_until=after.event_reads_off_until)
                count(c, "event_read_failed", name)

            await parts.store.tx(note)

    async def _read_by_id(self, wanted: Sequence[str]) -> None:
        observed_at = self._parts.clock.now()
        await self._record(await self._platforms.mirakl.by_ids(wanted), observed_at, timedelta(0))

    def _kept_body(self, failed: ReadFailed, now: datetime) -> Callable[[Connection], None]:
        """Keeps what came in place of the page, if anything did: its fingerprint, the reason, and its beginning."""
        if not failed.body:
            return lambda c: None
        encrypted = self._parts.keyring.encrypt(failed.body[:MOST_KEPT_BYTES])
        digest = body_digest(failed.body)

        def keep(c: Connection) -> None:
            count(c, "unreadable_page", self._platforms.rules.name)
            keep_unreadable(c, "OR11", failed.why, encrypted, digest, now)

        return keep

    # -- recording -------------------------------------------------------------------------------------

    async def _record(
        self, page: Sequence[Document], observed_at: datetime, may_lag: timedelta = LISTS_MAY_LAG
    ) -> None:
        """Record every order of the page in one transaction, before anything moves on."""
        if not page:
            return
        parts = self._parts
        # A page that shows an order twice is wrong, whichever of the two is right: the first is taken, and a later walk
        # shows what it should have been.
        named: dict[str, Document] = {}
        for document in page:
            named.setdefault(str(document.get("order_id") or document_digest(document)), document)
        repeated = len(page) - len(named)
        prepared = [self._prepare(document, observed_at, may_lag) for document in named.values()]

        def record(c: Connection) -> None:
            if repeated:
                count(c, "order_repeated", self._platforms.rules.name, repeated)
            for _, keep in prepared:
                keep(c)
            self._understood(c, {name for name, _ in prepared if name}, observed_at)

        try:
            await parts.store.tx(record)
        except BaseException:
            # Nothing of the page may have been kept, and what it heeded is heeded again.
            self._ended_unseen.clear()
            raise

    def _understood(self, c: Connection, names: set[str], now: datetime) -> None:
        """Close the cases of orders that could not be read before and can be now."""
        connection_id, because = self._platforms.connection_id, "The order can be read again."
        for name in names.intersection(open_subjects(c, connection_id, Reason.UNREADABLE_ORDER)):
            close_connection_cases(c, connection_id, Reason.UNREADABLE_ORDER, name, now, because)

    def _prepare(
        self, document: Document, observed_at: datetime, may_lag: timedelta
    ) -> tuple[str, Callable[[Connection], None]]:
        """The order's id, empty when the document cannot be understood, and what keeps it."""
        parts = self._parts
        platforms = self._platforms
        body = platforms.mirakl.written(document)
        encrypted = parts.keyring.encrypt(body)
        try:
            snapshot = platforms.mirakl.snapshot(document, observed_at)
        except Unreadable as problem:
            digest = body_digest(body)
            wrong = problem.field
            shown = str(document.get("order_id") or "")
            name = shown if shown.isprintable() and 0 < len(shown) <= LONGEST_NAMED else digest
            sentence = (
                f"{platforms.rules.name}: order {name} could not be understood ({wrong}). It was kept for the "
                "engineer for 7 days and nothing was done with it; its acceptance window may be running. Handle it in "
                "the portal and report the field."
            )

            def refuse(c: Connection) -> None:
                count(c, "unreadable_order", platforms.rules.name)
                keep_unreadable(c, "OR11", wrong, encrypted, digest, observed_at)
                open_connection_case(
                    c, platforms.connection_id, Reason.UNREADABLE_ORDER, name, sentence, observed_at
                )

            return "", refuse
        digest = document_digest(document)
        unknown = unknown_values(snapshot)
        shown_at = min(observed_at, max(observed_at - may_lag, snapshot.updated_at))

        def keep(c: Connection) -> None:
            known = c.execute(
                _KNOWN, {"of_connection": platforms.connection_id, "named": snapshot.order_id}
            ).one_or_none()
            if known is None and snapshot.state in (*DEAD, *GONE_OUT):
                self._ended_before_known(c, snapshot, observed_at)
                return
            order_id = (
                known.id
                if known is not None
                else add_order(
                    c, platforms.connection_id, snapshot.order_id, snapshot.commercial_id, observed_at
                )
            )
            changed = keep_document(
                c, order_id, shown_at, snapshot.updated_at, digest, encrypted, snapshot.state
            )
            if changed and unknown:
                count(c, "unknown_value", platforms.rules.name)
            wanted = (
                known is not None
                and known.mirakl_wanted_since is not None
                and shown_at >= known.mirakl_wanted_since
            )
            if changed or wanted:
                lane: Lane = "acceptance" if snapshot.state == "WAITING_ACCEPTANCE" else "rest"
                hint(c, parts.queue, order_id, lane, observed_at)

        return snapshot.order_id, keep

    def _ended_before_known(self, c: Connection, ended: MiraklOrder, now: datetime) -> None:
        """There is nothing to keep together of such an order. But its sale has moved the quantities of its offers, and
        nothing promises that an export of changes shows that (Mirakl reference, OF52): their figures are told again, once
        for each change of the order, which the walks show several times."""
        if self._ended_unseen.get(ended.order_id) == ended.updated_at:
            return
        if len(self._ended_unseen) >= MOST_ENDED:
            self._ended_unseen.clear()
        self._ended_unseen[ended.order_id] = ended.updated_at
        count(c, "ended_before_known", self._platforms.rules.name)
        touch(c, self._platforms.connection_id, (line.sku for line in ended.lines), now)

    # -- references ------------------------------------------------------------------------------------

    async def _send_references(self, now: datetime) -> None:
        """Send waiting seller references together: OR04 takes 100 orders and may be called once a minute."""
        parts = self._parts
        ids = [self._platforms.connection_id]

        def take(c: Connection) -> list[tuple[str, int, Any, int, str]]:
            ledger.references_left_behind(c, ids, now - timedelta(minutes=2))
            rows = ledger.planned_references(c, ids, now, MOST_IDS)
            if not rows or not self._platforms.live or in_quarantine(c):
                return []
            ledger.references_leave(c, [row[0] for row in rows], now)
            names = c.execute(
                select(orders.c.id, orders.c.mirakl_order_id).where(orders.c.id.in_([row[1] for row in rows]))
            )
            by_row = {row.id: row.mirakl_order_id for row in names}
            return [(op, row_id, action, attempt, by_row[row_id]) for op, row_id, action, attempt in rows]

        rows = await parts.store.tx(take)
        if not rows:
            return
        self._references_at = now
        parts.probe("before_send:SetSellerReference")
        outcomes = await self._platforms.mirakl.set_references(
            [(mirakl_id, action.value) for _, _, action, _, mirakl_id in rows], f"{rows[0][0]}.batch.0"
        )
        parts.probe("after_send:SetSellerReference")
        ended_at = parts.clock.now()

        def finish(c: Connection) -> None:
            for operation_id, row_id, action, attempt, mirakl_id in rows:
                outcome: Outcome = outcomes.get(
                    mirakl_id, Unavailable("the answer did not mention this order")
                )
                ledger.record(c, operation_id, action, attempt + 1, outcome, ended_at)
                tell(c, row_id, ended_at, "Interlock", [sentence_of(action, outcome)])

        await parts.store.tx(finish)
