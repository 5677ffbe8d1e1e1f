"""Whatever people and platforms write comes out as text: on every page, in every file, alert and line of the log."""

import csv
import io
import json
import logging
import re
import unicodedata
from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from sqlalchemy import func, select

from interlock import logs
from interlock.access.roles import Role
from interlock.cases.store import cases
from interlock.monitoring.composing import CallOutcome, compose
from interlock.monitoring.decide import Alert
from interlock.orders.store import orders
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from interlock.tables import metadata
from tests.access.conftest import People, SignedIn
from tests.access.test_every_route import EXPECTED
from tests.databases import empty
from tests.injection import CORPUS, FILLED, MARK, OURS, VIEWS, named, text_columns, world
from tests.lines import plain
from tests.web.browser import Browser

PLAIN = tuple(f"plain hurt {number}" for number in range(len(CORPUS)))
NOTHING_OF_ANYBODY = ("/connections.csv", "reasons.csv")
"""Connections and codes are named by rules of ours."""
NO_PAGES = ("GET /events", "GET /account/second-factor.svg")
HARMLESS = re.compile(r"/|#|\?|https?://|mailto:")
NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")

Shape = tuple[str, frozenset[str]]


class Page(HTMLParser):
    """What a browser makes of a page: its elements with the names of their attributes, and the addresses it would follow."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.shapes: set[Shape] = set()
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shapes.add((tag, frozenset(name for name, _ in attrs)))
        followed = ("href", "src", "action", "formaction", "data")
        self.addresses += [value for name, value in attrs if name in followed and value]

    def handle_data(self, data: str) -> None:
        self.text += data


def places(database: Database, connection_id: int, texts: int = len(CORPUS)) -> list[tuple[str, str]]:
    """Every GET route of the console, as (route, address): what belongs to one order with an order and a case for each of
    the first `texts`, of every kind of order in turn."""
    with database.begin() as c:
        ids = c.execute(select(orders.c.id).order_by(orders.c.id)).scalars().all()
        some = [ids[number * len(VIEWS) + number % len(VIEWS)] for number in range(texts)]
        first_case = select(func.min(cases.c.id)).where(cases.c.order_id.in_(some)).group_by(cases.c.order_id)
        some_cases = c.execute(first_case).scalars().all()
        replays = c.execute(select(metadata.tables["replays"].c.id)).scalars().all()
    wanted = {
        "order_id": some,
        "case_id": some_cases,
        "replay_id": replays[:3],
        "connection_id": [connection_id],
        "kind": ["carriers", "skus"],
        "person_id": [1],
        "place:path": ["operations"],
        "place": ["nowhere"],
        "seal": ["none"],
    }
    found = []
    for route in EXPECTED:
        if not route.startswith("GET ") or route in NO_PAGES:
            continue
        addresses = [route.removeprefix("GET ")]
        for name, values in wanted.items():
            addresses = [
                address.replace(f"{{{name}}}", str(value))
                for address in addresses
                for value in (values if f"{{{name}}}" in address else [""])
            ]
        assert not any("{" in address for address in addresses), f"say what {route} is asked with"
        found += [(route, address) for address in addresses]
    return found


@pytest.fixture
def admin(somebody: People, signed_in: SignedIn) -> Browser:
    return signed_in(somebody("root", Role.ADMIN))


def test_every_text_column_is_written_by_people_or_is_ours() -> None:
    assert named(FILLED) | named(OURS) == text_columns(), "say of each new column who writes it"
    assert not named(FILLED) & named(OURS)
    assert all(MARK in text for text in CORPUS.values())


def test_nothing_that_anybody_writes_becomes_part_of_a_page(
    database: Database, keyring: Keyring, somebody: People, signed_in: SignedIn
) -> None:
    def seeded(*texts: str) -> tuple[Browser, int]:
        empty(database)
        browser = signed_in(somebody("root", Role.ADMIN))
        with database.begin() as c:
            return browser, world(c, keyring, texts).id

    browser, connection_id = seeded(*PLAIN)
    known: set[Shape] = set()
    for _, address in places(database, connection_id, len(VIEWS)):
        answer = browser.get(address)
        if answer.headers.get("content-type", "").startswith("text/html"):
            known |= Page(answer.text).shapes
    assert len(known) > 50
    browser, connection_id = seeded(*CORPUS.values())
    asked = places(database, connection_id)
    asked += [("a search", f"/orders?q={quote(text)}") for text in CORPUS.values()]
    asked += [("a page that is not there", f"/orders/{quote(text, safe='')}") for text in CORPUS.values()]
    shown = dict.fromkeys(CORPUS, 0)
    for route, address in asked:
        answer = browser.get(address)
        assert answer.status_code < 500, (route, address)
        assert not any(MARK in name.lower() for name in answer.headers), route
        assert MARK not in answer.headers.get("set-cookie", ""), route
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        page = Page(answer.text)
        assert page.shapes <= known, (route, address, page.shapes - known)
        assert all(HARMLESS.match(target) for target in page.addresses), (route, page.addresses)
        assert "9359" not in page.text, (route, "a template was filled in")
        words = " ".join(page.text.split())
        for name, text in CORPUS.items():
            shown[name] += " ".join(text.split()) in words
    # All of it was shown, often, as it was written.
    assert min(shown.values()) > 10, shown
    with database.begin() as c:
        assert c.execute(select(func.count()).select_from(orders)).scalar_one() == len(VIEWS) * len(CORPUS)


def begins_a_formula(cell: str) -> bool:
    """Whether a spreadsheet program might run the cell: judged apart from the console's own rule."""
    begins = "".join(
        letter for letter in cell if not letter.isspace() and unicodedata.category(letter) not in ("Cf", "Cc")
    )[:1]
    return begins in set("=+-@|%") and NUMBER.fullmatch(cell) is None


def test_no_file_holds_a_formula_or_a_broken_row(
    database: Database, keyring: Keyring, admin: Browser
) -> None:
    with database.begin() as c:
        connection_id = world(c, keyring, list(CORPUS.values())).id
    seen: dict[str, int] = {}

    for route, address in places(database, connection_id):
        if not route.endswith(".csv"):
            continue
        answer = admin.get(address)
        assert answer.status_code == 200, (route, answer.text[:300])
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert MARK not in answer.headers["content-disposition"]
        header, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"), newline=""))
        assert {len(row) for row in rows} <= {len(header)}, route
        for row in rows:
            assert not any(begins_a_formula(cell) for cell in row), (route, row)
        seen[address] = sum(MARK in cell for row in rows for cell in row)
    assert len(seen) > 15
    silent = [address for address, number in seen.items() if not number]
    assert all(address.endswith(NOTHING_OF_ANYBODY) for address in silent), silent


@pytest.mark.parametrize("text", CORPUS.values(), ids=CORPUS.keys())
def test_an_alert_is_one_title_and_lines_of_ours(text: str) -> None:
    alert = Alert("k", "g", "page", ("operations",), text, connection=text, orders=(text,))
    calls = (CallOutcome("ShipOrder", "REJECTED", text),)

    told = compose(alert, calls, "https://interlock.example/cases/1", "https://interlock.example/a/1", "UTC")

    assert MARK in told.title
    assert all(shows(letter) for letter in told.title), ascii(told.title)
    first, *lines = told.body.split("\n")
    assert MARK in first
    labels = [line.partition(": ")[0] for line in lines]
    assert labels == ["Marketplace order", "Last calls", "For", "What to do", "Acknowledge"]
    assert all(shows(letter) for line in lines for letter in line), ascii(told.body)


def shows(letter: str) -> bool:
    """Whether the letter is one, and not an order to a terminal or a turn of direction."""
    return unicodedata.category(letter) not in ("Cc", "Cf", "Zl", "Zp")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield io.StringIO()
    plain()
    root.handlers = handlers
    root.setLevel(level)


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_line_of_the_log_stays_one_line(stream: io.StringIO, style: str) -> None:
    logs.configure("info", style, stream)  # type: ignore[arg-type]
    names = sorted(logs.FIELDS - {"event", "level", "timestamp", "frames"})

    for text in CORPUS.values():
        logs.logger().info("edit.held", **dict.fromkeys(names, text))
        logs.logger().info(text)
        logging.getLogger("library").warning("%s", text)
        try:
            raise ValueError(text)
        except ValueError:
            logs.logger().exception("edit.failed")

    lines = stream.getvalue().removesuffix("\n").split("\n")
    assert len(lines) == 4 * len(CORPUS)
    assert all(shows(letter) for line in lines for letter in line)
    if style == "json":
        said = [json.loads(line) for line in lines]
        assert {one["event"] for one in said} == {
            "edit.held",
            "[withheld]",
            "library.reported",
            "edit.failed",
        }
        assert {name for one in said for name in one} <= logs.FIELDS
