"""The stock desk of one connection: it computes what every offer may show, sends what differs in one file at a time, and
follows the file until the marketplace has worked it off."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from interlock.cases.store import close_connection_cases, open_connection_case
from interlock.engine import ledger
from interlock.engine.capabilities import open_subjects
from interlock.engine.gateways import ConnectedPlatforms
from interlock.engine.refused_offers import repairs_taken
from interlock.engine.run import SEND_WITHIN_SECONDS, EngineParts
from interlock.engine.sending import SEND_BY
from interlock.engine.stock_figures import keep_figures, told_of, walk_began_at
from interlock.engine.stock_reading import Selling, fold_sold, selling_from
from interlock.engine.store import ConnectionRow, Poll, beat, count, keep_poll, lead_duty
from interlock.inventory import store
from interlock.inventory.decide import next_file
from interlock.inventory.files import StockLine
from interlock.inventory.observed import ImportShown
from interlock.inventory.reports import refused_of
from interlock.inventory.store import StockImport
from interlock.offers.decide import MOST_CASES, OTHERS
from interlock.offers.store import offer_read, want_offers
from interlock.orders.actions import PublishStock
from interlock.orders.outcomes import Confirmed, Outcome, Refused, Unavailable, Unknown
from interlock.orders.ports import ReadFailed
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.quarantine.store import in_quarantine

LEAD_FOR = timedelta(seconds=120)
RECOMPUTE_EVERY = timedelta(seconds=60)
"""Figures are computed again when something moved, and so often anyway: what grows stale moves nothing."""
LEFT_BEHIND = timedelta(seconds=20)
"""A call ends within this time, or its worker is gone."""
ASK_EVERY = timedelta(seconds=20)
SETTLES = timedelta(minutes=15)
"""How long a file of unclear outcome may still be worked off. Nothing is published meanwhile, unless the marketplace shows
that it was."""
STUCK = timedelta(minutes=45)
"""A file that is still not worked off after so long is somebody's case."""
REPORT_WAITS = timedelta(minutes=5)
"""So long after a file was first seen to be worked off, its report is asked for again where it cannot be read."""
TELL_NOTHING = 3
"""So many files in a row of which nobody learns what became of each line are somebody's case."""
SKUS_SHOWN = 10
REASONS_SHOWN = 3
"""So much of the offers beyond the first ones stands in the sentence about them."""
GIVEN_UP = timedelta(hours=6)
READ_BACK_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class _Departure:
    """A file whose intent is committed."""

    number: int
    operation: ledger.ToSendForConnection
    rows: tuple[tuple[str, int], ...]


class StockDesk:
    """The stock desk of one connection. Several workers may each have one; only the one that leads does anything."""

    def __init__(self, parts: EngineParts, shop: str) -> None:
        self._parts = parts
        self._shop = shop
        self._computed: tuple[int, datetime] | None = None

    async def work(self, platforms: ConnectedPlatforms) -> bool:
        """Do what is due now for this connection. Meant to be called every few seconds. False where there is nothing to do
        here: another worker leads, or its stock is not published."""
        self._platforms = platforms
        parts = self._parts
        now = parts.clock.now()
        begun = await parts.store.tx(lambda c: self._begin(c, now))
        if begun is None:
            return False
        parts.probe("stock:computed")
        poll, flying = begun
        if flying is not None:
            await self._follow(flying, now)
            return True
        departure = await parts.store.tx(lambda c: self._depart(c, poll, now))
        if departure is not None:
            await self._send(departure)
        return True

    def _begin(self, c: Connection, now: datetime) -> tuple[Poll, StockImport | None] | None:
        selling = selling_from(c, self._shop)
        row = self._publishing(selling)
        if row is None:
            return None
        poll = lead_duty(c, f"stock {row.name}", self._parts.worker, now, now + LEAD_FOR)
        if poll is None:
            return None
        if in_quarantine(c):
            store.nothing_is_believed(c, row.id, now)
            return None
        beat(c, f"stock desk {row.name}", now)
        read = offer_read(c, row.id)
        if read.wanted_at is None or now - read.wanted_at >= READ_BACK_EVERY:
            # An operator moves figures of orders that were never seen here, too.
            want_offers(c, row.id, now)
        flying = store.import_in_flight(c, row.id)
        if flying is not None:
            self._compute(c, selling, now)
        return poll, flying

    def _publishing(self, selling: Selling) -> ConnectionRow | None:
        """This connection, where its stock is published."""
        return next(
            (
                row
                for row in selling.rows
                if row.id == self._platforms.connection_id and row.live and row.rules.publish_stock
            ),
            None,
        )

    def _open_case(self, c: Connection, reason: Reason, subject: str, sentence: str, now: datetime) -> None:
        """Open a case of the connection, unless somebody ended the publishing while a platform was being asked: nobody would
        close it."""
        if self._publishing(selling_from(c, self._shop)) is not None:
            open_connection_case(c, self._platforms.connection_id, reason, subject, sentence, now)

    # -- figures ---------------------------------------------------------------------------------------

    def _compute(self, c: Connection, selling: Selling, now: datetime) -> None:
        """Compute every figure again, where something moved or time has passed."""
        known = store.shop_stock(c, self._shop)
        if known.listed_at is None and known.read_at is None:
            return
        if self._computed is not None:
            changes, at = self._computed
            if changes == known.changes and now - at < RECOMPUTE_EVERY:
                return
        keep_figures(c, selling, self._platforms.connection_id, now)
        self._taken_again(c, now)
        self._computed = known.changes, now

    # -- sending ---------------------------------------------------------------------------------------

    def _depart(self, c: Connection, poll: Poll, now: datetime) -> _Departure | None:
        """Commit the intent to send the next file, where one is due."""
        platforms = self._platforms
        connection_id = platforms.connection_id
        selling = selling_from(c, self._shop)
        row = self._publishing(selling)
        if row is None:
            return None
        # Read before the orders are: what a walk has kept that is said here to be over is among them.
        walked_at = walk_began_at(c, self._platforms.mirakl_account)
        # What is known at this moment decides, down to the order that came in a second ago.
        fold_sold(c, selling, now)
        self._compute(c, selling, now)
        if row.rules.paused("stock", now) is not None:
            return None
        latest = next(iter(store.latest_imports(c, connection_id, 1)), None)
        open_rows = store.open_figures(c, connection_id)
        figures = map(told_of, open_rows)
        sent_at, refused_at = (None, None) if latest is None else (latest.sent_at, _refused_at(latest))
        file = next_file(figures, sent_at, now, refused_at, walked_at)
        if file.at is None or file.at > now:
            return None
        # Whoever lost the lead meanwhile does not send.
        if not keep_poll(c, poll, ticks=poll.ticks + 1):
            return None
        action = PublishStock(len(file.rows), _digest(file.rows))
        operation = ledger.leaves_for_connection(
            c, connection_id, poll.epoch, action, now, self._parts.identifiers
        )
        if operation is None:
            return None
        before = {row.sku: (row.observed_at, row.believed) for row in open_rows}
        known = int(c.execute(select(func.coalesce(func.max(orders.c.id), 0))).scalar_one())
        number = store.add_import(c, connection_id, operation.id, file.rows, before, known, now)
        store.lines_leave(c, connection_id, number)
        return _Departure(number, operation, file.rows)

    async def _send(self, departure: _Departure) -> None:
        parts = self._parts
        platforms = self._platforms
        started = parts.clock.monotonic()
        parts.probe("before_send:PublishStock")
        in_time = SEND_BY.set(started + SEND_WITHIN_SECONDS)
        try:
            rows = (StockLine(sku, quantity) for sku, quantity in departure.rows)
            outcome = await platforms.mirakl.publish_stock(
                departure.operation.action, rows, departure.operation.reference
            )
        finally:
            SEND_BY.reset(in_time)
        parts.probe("after_send:PublishStock")
        ended_at = parts.clock.now()
        await parts.store.tx(lambda c: self._sent(c, departure, outcome, ended_at))
        parts.probe("after_outcome:PublishStock")

    def _sent(self, c: Connection, departure: _Departure, outcome: Outcome, now: datetime) -> None:
        connection_id, number = self._platforms.connection_id, departure.number
        operation = departure.operation
        match outcome:
            case Confirmed(facts):
                ledger.record(c, operation.id, operation.action, 1, outcome, now)
                import_id = dict(facts).get("import_id", "")
                store.keep_import(c, number, state="waiting", import_id=import_id, ask_at=now + ASK_EVERY)
                store.lines_sent(c, connection_id, number, now)
                count(c, "stock_file_sent", self._platforms.rules.name)
                count(c, "stock_line_sent", self._platforms.rules.name, len(departure.rows))
            case Unknown(why):
                ledger.record(c, operation.id, operation.action, 1, outcome, now)
                store.keep_import(c, number, state="unclear", words=why)
                store.lines_sent(c, connection_id, number, now)
                count(c, "stock_file_unclear", self._platforms.rules.name)
            case Unavailable(why):
                ledger.settled_for_connection(c, operation.id, "REJECTED", "unavailable", why, now)
                store.keep_import(c, number, state="refused", settled_at=now, words=UNSENT)
            case Refused(code, words):
                ledger.settled_for_connection(c, operation.id, "REJECTED", code, words, now)
                self._refused_whole(c, number, f"{words} ({code})" if words else code, now)

    # -- following -------------------------------------------------------------------------------------

    async def _follow(self, flying: StockImport, now: datetime) -> None:
        """Bring the file in flight nearer to its end."""
        parts = self._parts
        match flying.state:
            case "leaving":
                if now >= flying.sent_at + LEFT_BEHIND:
                    await parts.store.tx(lambda c: self._left_behind(c, flying, now))
            case "unclear":
                await parts.store.tx(lambda c: self._settle_unclear(c, flying, now))
            case _:
                if flying.ask_at is None or flying.ask_at <= now:
                    await self._ask(flying, now)

    def _left_behind(self, c: Connection, flying: StockImport, now: datetime) -> None:
        why = "the worker that sent it is gone"
        ledger.record(c, flying.operation_id, _SOME, 1, Unknown(why), now)
        store.keep_import(c, flying.id, state="unclear", words=why)
        store.lines_sent(c, self._platforms.connection_id, flying.id, flying.sent_at)

    def _settle_unclear(self, c: Connection, flying: StockImport, now: datetime) -> None:
        """A file that may or may not have arrived settles when the marketplace shows one of its figures, or when it is too
        late for it to be worked off. What was not shown by then is not known, and is told again."""
        connection_id = self._platforms.connection_id
        if store.arrival_is_seen(c, connection_id, flying.id, flying.sent_at):
            words = ARRIVED
            ledger.settled_for_connection(c, flying.operation_id, "CONFIRMED", "observed", words, now)
            store.lines_seen(c, connection_id, flying.id, flying.sent_at, now)
            self._settled(c, flying, "complete", now, words)
            self._files_are_taken(c, now)
        elif now >= flying.sent_at + SETTLES:
            words = "it was not seen to arrive in all the time it may take"
            ledger.settled_for_connection(c, flying.operation_id, "REJECTED", "not_applied", words, now)
            self._settled(c, flying, "lost", now, words)
            count(c, "stock_file_lost", self._platforms.rules.name)

    async def _ask(self, flying: StockImport, now: datetime) -> None:
        """STO02, and STO03 where lines were refused."""
        parts, mirakl = self._parts, self._platforms.mirakl
        report = b""
        worked_off_at = flying.worked_off_at
        try:
            shown = await mirakl.stock_import(flying.import_id)
            worked_off = shown.status == "COMPLETE"
            if worked_off and worked_off_at is None:
                worked_off_at = now
            if worked_off and (shown.has_report or shown.refused):
                report = await mirakl.stock_import_errors(flying.import_id)
        except ReadFailed as failed:
            pause, why = timedelta(seconds=failed.retry_after or 30.0), failed.why
            await parts.store.tx(lambda c: self._unread(c, flying, worked_off_at, pause, why, now))
            return
        ended_at = parts.clock.now()
        await parts.store.tx(lambda c: self._told(c, flying, shown, report, ended_at))

    def _unread(
        self,
        c: Connection,
        flying: StockImport,
        worked_off_at: datetime | None,
        pause: timedelta,
        why: str,
        now: datetime,
    ) -> None:
        """The progress of a file, or the report of one that was worked off, could not be read."""
        if worked_off_at is not None and now >= worked_off_at + REPORT_WAITS:
            # It can overwrite nothing any more, so that nothing has to wait for its report.
            self._unread_report(c, flying, now)
            return
        count(c, "stock_import_unread", self._platforms.rules.name)
        ask_at = now + max(pause, ASK_EVERY)
        store.keep_import(c, flying.id, ask_at=ask_at, worked_off_at=worked_off_at)
        if worked_off_at is None:
            self._watch(c, flying, why, now)

    def _told(
        self, c: Connection, flying: StockImport, shown: ImportShown, report: bytes, now: datetime
    ) -> None:
        connection_id = self._platforms.connection_id
        match shown.status:
            case "COMPLETE":
                refused = refused_of(store.lines_of(c, flying.id), shown, report)
                if refused is None:
                    self._unread_report(c, flying, now)
                    return
                store.lines_settle(c, connection_id, flying.id, flying.sent_at, now, refused)
                store.keep_import(c, flying.id, lines_refused=len(refused))
                self._settled(c, flying, "complete", now, "")
                because = "The report of a stock file was read whole again."
                close_connection_cases(c, connection_id, Reason.STOCK_IMPORT_STUCK, "report", now, because)
                self._say_refused(c, refused, now)
                self._files_are_taken(c, now)
                if refused:
                    count(c, "stock_line_refused", self._platforms.rules.name, len(refused))
            case "FAILED":
                self._refused_whole(c, flying.id, "it was rejected as a whole (STO02 FAILED)", now)
            case _:
                store.keep_import(c, flying.id, ask_at=now + ASK_EVERY)
                self._watch(c, flying, f"it is {shown.status}", now)

    def _files_are_taken(self, c: Connection, now: datetime) -> None:
        because = "The marketplace takes stock files again."
        connection_id = self._platforms.connection_id
        close_connection_cases(c, connection_id, Reason.STOCK_FILE_REFUSED, "file", now, because)

    def _unread_report(self, c: Connection, flying: StockImport, now: datetime) -> None:
        """Nobody knows which lines were taken: nothing of the file is believed, and what the marketplace shows decides."""
        platforms = self._platforms
        name = platforms.rules.name
        count(c, "stock_report_unreadable", name)
        self._settled(c, flying, "lost", now, UNTOLD)
        self._files_are_taken(c, now)
        if tells_nothing(store.latest_imports(c, platforms.connection_id)):
            self._open_case(
                c,
                Reason.STOCK_IMPORT_STUCK,
                "report",
                f"{name} does not say what became of each line of its stock files: of the last {TELL_NOTHING} the report "
                f"(STO03) could not be read, or it does not tell of every line; the latest is the file {flying.import_id} of "
                f"{flying.sent_at:%H:%M} UTC. Which offers it refuses is not known: customers of those see the former figure. "
                "Look the import up in the portal, put the offers right that it names, and ask the marketplace why its "
                "report cannot be had.",
                now,
            )

    def _taken_again(self, c: Connection, now: datetime) -> None:
        """Close the case of each offer whose figure was taken, or that is gone."""
        connection_id = self._platforms.connection_id
        subjects = set(open_subjects(c, connection_id, Reason.STOCK_LINE_REFUSED))
        still = store.refused_figures(c, connection_id) if subjects else {}
        for sku in sorted(subjects):
            if sku in still or (sku == OTHERS and not subjects.issuperset(still)):
                continue
            if sku == OTHERS:
                because = (
                    "The marketplace took a figure of each of these offers, or they have cases of their own."
                )
            elif store.figure_of(c, connection_id, sku) is not None:
                because = "The marketplace took a figure of this offer."
            else:
                because = "There is no such offer any more."
            close_connection_cases(c, connection_id, Reason.STOCK_LINE_REFUSED, sku, now, because)

    def _say_refused(self, c: Connection, refused: dict[str, str], now: datetime) -> None:
        """A case for each offer whose figure the marketplace does not take, and beyond MOST_CASES one for all the others;
        closed when it takes one again."""
        self._taken_again(c, now)
        row = self._publishing(selling_from(c, self._shop))
        if row is None:
            return
        known = set(open_subjects(c, row.id, Reason.STOCK_LINE_REFUSED)) - {OTHERS}
        new = sorted(refused.keys() - known)[: max(MOST_CASES - len(known), 0)]
        named = known.union(new)
        for sku, why in refused.items():
            if sku not in named:
                continue
            open_connection_case(
                c,
                row.id,
                Reason.STOCK_LINE_REFUSED,
                sku,
                f"{row.name} does not take the stock of {sku}: {why or 'no reason was given'}. Its customers "
                "see the former figure. Put the offer right in the portal; the figure is sent again by itself when it "
                "changes, and every hour.",
                now,
            )

        others = {sku: why for sku, why in store.refused_figures(c, row.id).items() if sku not in named}
        if others:
            sentence = others_refused(row.name, others)
            open_connection_case(c, row.id, Reason.STOCK_LINE_REFUSED, OTHERS, sentence, now)

    def _refused_whole(self, c: Connection, number: int, why: str, now: datetime) -> None:
        """The marketplace took no line of a file: nothing is lost, as every figure is still to be told."""
        platforms = self._platforms
        store.keep_import(c, number, state="refused", settled_at=now, words=why[:400])
        count(c, "stock_file_refused", platforms.rules.name)
        self._open_case(
            c,
            Reason.STOCK_FILE_REFUSED,
            "file",
            f"{platforms.rules.name} refused a whole stock file: {why}. No figure was changed there; all of them are sent "
            "again in five minutes. Until it takes one its customers see the former figures: if this goes on, ask the "
            "marketplace, and set what is sold out to zero in the portal.",
            now,
        )

    def _watch(self, c: Connection, flying: StockImport, why: str, now: datetime) -> None:
        platforms = self._platforms
        if now >= flying.sent_at + GIVEN_UP:
            self._settled(
                c, flying, "lost", now, f"given up after {GIVEN_UP.total_seconds() / 3600:g} hours: {why}"
            )
            return
        if now >= flying.sent_at + STUCK:
            self._open_case(
                c,
                Reason.STOCK_IMPORT_STUCK,
                "file",
                f"{platforms.rules.name} has not worked off the stock file {flying.import_id} of "
                f"{flying.sent_at:%H:%M} UTC: {why}. No other file is sent meanwhile, as the older one could overwrite it. "
                "Ask the marketplace; set what is sold out to zero in the portal.",
                now,
            )

    def _settled(
        self, c: Connection, flying: StockImport, state: store.ImportState, now: datetime, words: str
    ) -> None:
        connection_id = self._platforms.connection_id
        store.keep_import(c, flying.id, state=state, settled_at=now, words=words)
        store.forget_lines(c, connection_id)
        repairs_taken(c, connection_id, self._platforms.rules.name, now)
        # Read back what the marketplace shows now (OF52 to OF54).
        want_offers(c, connection_id, now)
        close_connection_cases(
            c, connection_id, Reason.STOCK_IMPORT_STUCK, "file", now, "The file is out of the way."
        )


def others_refused(name: str, refused: Mapping[str, str]) -> str:
    """The sentence about offers whose stock the marketplace does not take and that have no case of their own: how many, the
    first of them, and the reasons most of them have. `refused` gives the reasons by SKU."""
    skus, more = sorted(refused), len(refused) - SKUS_SHOWN
    reasons = Counter(why or "no reason was given" for why in refused.values()).most_common(REASONS_SHOWN)
    return (
        f"{name} does not take the stock of {len(refused)} more {'offer' if len(refused) == 1 else 'offers'}: "
        f"{', '.join(skus[:SKUS_SHOWN])}{f' and {more} more' if more > 0 else ''}. "
        f"Most often: {'; '.join(f'{why} ({count})' for why, count in reasons)}. Their customers see the former figures. Put the "
        "offers right in the portal; each figure is sent again by itself when it changes, and every hour."
    )


OF_STOCK = (
    Reason.STOCK_FILE_REFUSED,
    Reason.STOCK_LINE_REFUSED,
    Reason.STOCK_IMPORT_STUCK,
    Reason.STOCK_ABSURD,
    Reason.STOCK_LOCATION_GONE,
    Reason.OVERSOLD,
)
"""Reasons of a connection as a whole that nobody looks after while its stock is not published."""


def publishing_ends(c: Connection, connection_id: int, now: datetime) -> None:
    """The stock of a connection is not published any more: its cases about it are over, and no offer has a figure it may
    show."""
    because = "The stock of this marketplace is not published from here any more."
    for reason in OF_STOCK:
        for subject in open_subjects(c, connection_id, reason):
            close_connection_cases(c, connection_id, reason, subject, now, because)
    store.nothing_is_wanted(c, connection_id, because)


def tells_nothing(latest: Iterable[StockImport]) -> bool:
    """Whether of the last TELL_NOTHING files, given the newest first, nobody learnt what became of each line. A file that was
    refused as a whole, or is not known to have been worked off by its own status, has no report and does not count."""
    untold = [
        one.words == UNTOLD
        for one in latest
        if one.words == UNTOLD or (one.state == "complete" and one.words != ARRIVED)
    ]
    return len(untold) >= TELL_NOTHING and all(untold[:TELL_NOTHING])


def _refused_at(latest: StockImport) -> datetime | None:
    """When the file was refused as a whole; None where it was not, or never left."""
    return latest.settled_at if latest.state == "refused" and latest.words != UNSENT else None


UNSENT = "it was not sent"
UNTOLD = "its report does not say what became of each line"
ARRIVED = "the marketplace shows its figures"
_SOME = PublishStock(0, "")


def _digest(rows: Sequence[tuple[str, int]]) -> str:
    made = hashlib.blake2b(digest_size=16)
    for sku, quantity in rows:
        made.update(f"{sku}\n{quantity}\n".encode())
    return made.hexdigest()
