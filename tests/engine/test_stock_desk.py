"""What the stock desk makes of what a marketplace says of its files, tick by tick."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from sqlalchemy import Row, select, update

from interlock.cases.store import cases
from interlock.clock import SystemIdentifiers
from interlock.console.flows import pause_flow
from interlock.console.stock import set_publishing
from interlock.engine.gateways import ConnectedPlatforms
from interlock.engine.run import EngineParts
from interlock.engine.stock import UNTOLD, StockDesk, others_refused, tells_nothing
from interlock.engine.stock_reading import read_shop
from interlock.engine.store import ConnectionRow, connections, one_connection
from interlock.inventory import store
from interlock.inventory.files import StockLine
from interlock.inventory.observed import ChangedAt, ImportShown
from interlock.inventory.store import StockImport, latest_imports
from interlock.orders.codec import encode
from interlock.orders.outcomes import Confirmed, Outcome, Refused
from interlock.orders.ports import ReadFailed
from interlock.orders.reasons import Reason
from interlock.storage.database import Database, InlineStore
from interlock.storage.encryption import Keyring
from tests.build import NOW
from tests.console.seed import Stopped
from tests.engine.rows import Wakes, a_connection
from tests.inventory.seed import HERE, item, stocked

TICK = 30.0
REPORT = b'"1";"The offer is being checked"\n'
NONE_REFUSED = ImportShown("COMPLETE", 2, 0, False)
ONE_REFUSED = ImportShown("COMPLETE", 1, 1, True)
LINES_MISSING = ImportShown("COMPLETE", 0, 0, False)
RUNNING = ImportShown("RUNNING", None, None, False)
FAILED = ImportShown("FAILED", None, None, False)
UNREAD = ReadFailed("mirakl", "STO03 answered 503")


class Market:
    """A marketplace and a shop that answer what a test says. `meanwhile` happens while they answer."""

    def __init__(self) -> None:
        self.files = 0
        self.answer: Outcome | None = None
        self.shown = NONE_REFUSED
        self.report: bytes | ReadFailed = REPORT
        self.meanwhile: Callable[[], None] = lambda: None
        self.places: dict[str, ChangedAt | None] = {}
        self.asked_for: list[str] = []

    async def publish_stock(self, action: object, rows: Iterable[StockLine], reference: str) -> Outcome:
        del action, reference
        self.files += bool(list(rows))
        self.meanwhile()
        return self.answer or Confirmed((("import_id", f"I{self.files}"),))

    async def stock_import(self, import_id: str) -> ImportShown:
        self.meanwhile()
        return self.shown

    async def stock_import_errors(self, import_id: str) -> bytes:
        if isinstance(self.report, ReadFailed):
            raise self.report
        return self.report

    async def stock_changed_at(self, place: str, since: datetime) -> ChangedAt | None:
        self.asked_for.append(place)
        self.meanwhile()
        return self.places.get(place)

    async def stock_listed(self) -> AsyncIterator[tuple[()]]:
        yield ()


class Room:
    """One connection that publishes two offers, its desk, and the marketplace behind it."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.database = database
        self.clock = Stopped()
        self.clock.moment = NOW
        self.market = Market()
        with database.begin() as c:
            self.row: ConnectionRow = one_connection(c, a_connection(c, publish_stock=True))
            stocked(c, self.row, (item("LAMP", 3), item("MUG", 7)), NOW)
        self.probe: Callable[[str], None] = lambda name: None
        self.parts = EngineParts(
            InlineStore(database),
            self.clock,
            SystemIdentifiers(),
            Wakes(),
            cast(Any, None),
            keyring,
            "w1",
            lambda name: self.probe(name),
        )
        gateway = cast(Any, self.market)
        self.platforms = ConnectedPlatforms(
            self.row.id, self.row.rules, "mirakl", "shop", gateway, gateway, True
        )
        self.desk = StockDesk(self.parts, self.row.shopify_shop)

    def ticks(self, enough: Callable[[], bool], most: int = 200) -> None:
        """The desk works every half a minute until it is enough."""

        async def live() -> None:
            for _ in range(most):
                if enough():
                    return
                await self.desk.work(self.platforms)
                await self.clock.sleep(TICK)
            raise AssertionError("it never came to that")

        asyncio.run(live())

    def passes(self, seconds: float) -> None:
        until = self.clock.now() + timedelta(seconds=seconds)
        self.ticks(lambda: self.clock.now() >= until)

    def does(self, what: Callable[[], Awaitable[object]]) -> None:
        async def live() -> None:
            await what()

        asyncio.run(live())

    def names(self, *places: str) -> None:
        """The connection offers the stock of these locations alone."""
        with self.database.begin() as c:
            rules = encode(self.row.rules) | {"stock_locations": list(places)}
            c.execute(update(connections).values(rules=rules))

    def settled(self) -> list[StockImport]:
        """The files that came to an end, the newest first."""
        with self.database.begin() as c:
            return [one for one in latest_imports(c, self.row.id, 100) if one.settled_at is not None]

    def files_end(self, number: int) -> None:
        self.ticks(lambda: len(self.settled()) >= number)

    def open_cases(self) -> list[Row[Any]]:
        with self.database.begin() as c:
            return list(c.execute(select(cases).where(cases.c.closed_at.is_(None)).order_by(cases.c.id)))

    def reasons(self) -> list[tuple[str, str]]:
        return [(row.reason, row.subject) for row in self.open_cases()]

    def publishing_ends(self) -> None:
        with self.database.begin() as c:
            row = one_connection(c, self.row.id)
            if row.rules.publish_stock:
                set_publishing(c, Wakes(), row, False, "Ada", "the operator does it", self.clock.now())


@pytest.fixture
def room(database: Database, keyring: Keyring) -> Room:
    return Room(database, keyring)


def worked_off(*words: str) -> list[StockImport]:
    """Files that came to an end with these words, the newest first; a file that was read whole has none."""
    states = {"": "complete", "the marketplace shows its figures": "complete", "refused": "refused"}
    return [
        StockImport(number, "op", "I", states.get(said, "lost"), 1, 0, NOW, None, None, NOW, said)
        for number, said in enumerate(words)
    ]


@pytest.mark.parametrize(
    ("words", "nothing"),
    [
        ((UNTOLD, UNTOLD, UNTOLD), True),
        ((UNTOLD, UNTOLD, UNTOLD, ""), True),
        ((UNTOLD, UNTOLD), False),
        ((UNTOLD, UNTOLD, "", UNTOLD), False),
        (("", UNTOLD, UNTOLD, UNTOLD), False),
        # these have no report: they neither begin nor end a row of them
        ((UNTOLD, "refused", UNTOLD, "the marketplace shows its figures", UNTOLD), True),
        (("it was not seen to arrive in all the time it may take", UNTOLD, UNTOLD), False),
        ((), False),
    ],
)
def test_three_files_in_a_row_whose_reports_tell_nothing(words: tuple[str, ...], nothing: bool) -> None:
    assert tells_nothing(worked_off(*words)) is nothing


@pytest.mark.parametrize(
    ("shown", "report"), [(ONE_REFUSED, UNREAD), (ONE_REFUSED, b"<html>"), (LINES_MISSING, b"")]
)
def test_reports_that_tell_nothing_are_a_case_until_one_is_read_whole(
    room: Room, shown: ImportShown, report: bytes | ReadFailed
) -> None:
    room.market.shown, room.market.report = shown, report
    room.files_end(2)
    assert room.reasons() == []
    room.files_end(4)
    assert {one.state for one in room.settled()} == {"lost"}
    (case,) = room.open_cases()
    assert (case.reason, case.subject) == (Reason.STOCK_IMPORT_STUCK.value, "report")
    assert "atlas does not say what became of each line of its stock files" in case.sentence
    assert "the last 3" in case.sentence

    room.market.shown, room.market.report = NONE_REFUSED, b""
    room.files_end(5)
    assert room.settled()[0].state == "complete"
    assert room.reasons() == []
    with room.database.begin() as c:
        because = c.execute(select(cases.c.closed_because).where(cases.c.id == case.id)).scalar_one()
    assert because == "The report of a stock file was read whole again."


def test_a_file_that_was_worked_off_is_taken_whatever_its_report_says(room: Room) -> None:
    room.market.shown = FAILED
    room.files_end(1)
    assert room.reasons() == [(Reason.STOCK_FILE_REFUSED.value, "file")]
    room.market.shown = LINES_MISSING
    room.files_end(2)
    assert room.settled()[0].words == UNTOLD
    assert room.reasons() == []


@pytest.mark.parametrize("minutes", [6, 44])
def test_a_report_is_waited_for_from_when_its_file_was_seen_worked_off(room: Room, minutes: int) -> None:
    room.market.shown = RUNNING
    room.passes(minutes * 60)
    room.market.shown, room.market.report = ONE_REFUSED, UNREAD
    room.passes(180)
    assert room.settled() == []
    # a file that was worked off is not stuck
    assert room.reasons() == []
    room.market.report = REPORT
    room.files_end(1)
    assert (room.settled()[0].state, room.settled()[0].lines_refused) == ("complete", 1)
    assert room.reasons() == [(Reason.STOCK_LINE_REFUSED.value, "LAMP")]


def test_lines_beyond_the_first_ones_are_one_case_until_their_figures_are_taken(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interlock.engine.stock.MOST_CASES", 0)
    room.market.shown, room.market.report = ONE_REFUSED, REPORT
    room.files_end(1)
    (case,) = room.open_cases()
    assert (case.reason, case.subject) == (Reason.STOCK_LINE_REFUSED.value, "others")
    assert "atlas does not take the stock of 1 more offer: LAMP. Most often: " in case.sentence

    room.market.shown, room.market.report = NONE_REFUSED, b""
    room.passes(3700)
    room.files_end(2)
    assert room.reasons() == []


def test_the_sentence_about_other_refused_lines_is_short_however_many_there_are() -> None:
    refused = {f"SKU-{number:05d}": "unknown offer" if number % 4 else "" for number in range(50_000)}

    sentence = others_refused("atlas", refused)

    assert "of 50000 more offers: SKU-00000, SKU-00001," in sentence
    assert "and 49990 more. Most often: unknown offer (37500); no reason was given (12500)." in sentence
    assert len(sentence) < 500


def test_a_report_is_given_up_five_minutes_after_its_file_was_seen_worked_off(room: Room) -> None:
    room.market.shown = RUNNING
    room.passes(600)
    room.market.shown, room.market.report = ONE_REFUSED, UNREAD
    before = room.clock.now()
    room.files_end(1)
    (ended,) = room.settled()
    assert (ended.state, ended.words) == ("lost", UNTOLD)
    assert ended.settled_at is not None
    assert timedelta(minutes=5) <= ended.settled_at - before <= timedelta(minutes=6)


@pytest.mark.parametrize(
    ("answer", "shown"),
    [(None, ONE_REFUSED), (None, FAILED), (Refused("400", "no such column"), NONE_REFUSED)],
)
def test_what_comes_of_a_file_is_no_case_once_stock_is_not_published(
    room: Room, answer: Outcome | None, shown: ImportShown
) -> None:
    room.market.answer, room.market.shown = answer, shown
    if answer is None:
        room.ticks(lambda: room.market.files == 1)
    room.market.meanwhile = room.publishing_ends
    room.files_end(1)
    assert room.reasons() == []


def test_no_file_leaves_once_stock_is_not_published(room: Room) -> None:
    room.probe = lambda name: room.publishing_ends() if name == "stock:computed" else None
    room.passes(120)
    assert room.market.files == 0
    assert room.reasons() == []


def test_while_stock_is_paused_figures_are_computed_and_none_is_told_until_it_ends(room: Room) -> None:
    with room.database.begin() as c:
        pause_flow(c, Wakes(), room.row.id, "stock", "15", "Ada", "Stocktaking.", room.clock.now())
    room.passes(14 * 60)
    assert room.market.files == 0
    with room.database.begin() as c:
        assert {row.target for row in store.open_figures(c, room.row.id)} == {3, 7}
    room.files_end(1)
    assert room.settled()[0].sent_at < NOW + timedelta(minutes=17)


def test_a_file_that_left_before_the_pause_is_followed_to_its_end(room: Room) -> None:
    room.ticks(lambda: room.market.files == 1)
    with room.database.begin() as c:
        pause_flow(c, Wakes(), room.row.id, "stock", "60", "Ada", "Stocktaking.", room.clock.now())
    room.files_end(1)
    assert room.settled()[0].state == "complete"


@pytest.mark.parametrize("happens", ["publishing ends", "the location is taken out", "another is named"])
def test_a_closed_location_is_no_case_where_what_was_asked_for_does_not_hold_any_more(
    room: Room, happens: str
) -> None:
    other = "gid://shopify/Location/9"

    names = room.names
    names(HERE)
    if happens == "publishing ends":
        room.market.meanwhile = room.publishing_ends
    elif happens == "the location is taken out":
        room.market.meanwhile = lambda: names()
    else:
        room.market.places[HERE] = ChangedAt("Here", True, ())
        room.market.meanwhile = lambda: names(HERE, other)
    with room.database.begin() as c:
        store.was_read(c, room.row.shopify_shop, read_at=NOW - timedelta(minutes=9))
    room.does(lambda: read_shop(room.parts, room.platforms, room.row.shopify_shop))
    assert room.reasons() == []


def test_a_location_that_is_gone_is_asked_for_once_a_day_and_its_case_stays_until_it_is_back(
    room: Room,
) -> None:
    shop, away = room.row.shopify_shop, "gid://shopify/Location/9"
    back = ChangedAt("Nine", True, ())

    def sweeps(hours: float) -> int:
        """How often the location is asked for in so many hours, the shop being looked at every five minutes."""
        room.market.asked_for.clear()
        for _ in range(round(hours * 12)):
            with room.database.begin() as c:
                # what a whole listing would put off is no matter here
                store.was_read(c, shop, listed_at=room.clock.now())
            room.does(lambda: read_shop(room.parts, room.platforms, shop))
            room.clock.moment += timedelta(minutes=5)
        assert room.market.asked_for.count(HERE) == round(hours * 12)
        return room.market.asked_for.count(away)

    def gone() -> list[str]:
        return [case.subject for case in room.open_cases() if case.reason == "stock_location_gone"]

    room.market.places[HERE] = ChangedAt("Here", True, ())
    room.names(HERE, away)
    with room.database.begin() as c:
        store.was_read(c, shop, read_at=NOW - timedelta(minutes=9))
    assert (sweeps(24), gone()) == (1, [away])
    assert (sweeps(24), gone()) == (1, [away])
    assert (sweeps(1), gone()) == (1, [away])

    room.names(HERE)
    sweeps(0.25)
    room.names(HERE, away)
    assert (sweeps(0.25), gone()) == (0, [away])

    room.market.places[away] = back
    assert (sweeps(1), gone()) == (0, [away])
    with room.database.begin() as c:
        # an item is shown there, as after a delivery about it
        shown = item("LAMP", 3)
        levels = (replace(shown.levels[0], location_id=away),)
        store.keep_items(c, shop, (replace(shown, levels=levels),), room.clock.now())
    assert (sweeps(1), gone()) == (12, [])

    room.market.places[away] = None
    assert (sweeps(12), gone()) == (1, [away])
    room.market.places[away] = back
    assert sweeps(24) > 100
    assert gone() == []
