"""STO01 to STO03 (reference section 9): files are taken at once, worked off later, and may overwrite each other."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from interlock.simulator.mirakl import CatalogueItem, OfferBook, mirakl_switches
from interlock.simulator.mirakl.stock_imports import StockImports
from interlock.simulator.switches import Switches

NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
HEAD = '"offer-sku";"quantity";"warehouse-code";"update-delete"\r\n'


def file(*rows: str) -> bytes:
    return (HEAD + "".join(f"{row}\r\n" for row in rows)).encode()


@pytest.fixture
def switches() -> Switches:
    return mirakl_switches()


@pytest.fixture
def book(switches: Switches) -> OfferBook:
    made = OfferBook(switches, 1, "Shop", "EUR")
    for sku in ("A", "B"):
        made.add(CatalogueItem(sku, sku, Decimal(5)), 100, NOW)
    return made


@pytest.fixture
def imports(switches: Switches, book: OfferBook) -> StockImports:
    return StockImports(switches, book, 1)


def test_a_file_is_worked_off_some_time_after_it_was_taken(imports: StockImports, book: OfferBook) -> None:
    made = imports.take(file('"A";"7";"";""'), NOW, "api:shop", "ref")
    assert (imports.status_of(made, NOW), book.offer("A").quantity) == ("WAITING", 100)
    imports.work_off(made.due - timedelta(milliseconds=1))
    assert book.offer("A").quantity == 100
    assert imports.status_of(made, made.due - timedelta(seconds=1)) == "RUNNING"
    imports.work_off(made.due)
    assert (made.status, made.taken, book.offer("A").quantity) == ("COMPLETE", 1, 7)
    assert (book.changes[-1].why, book.changes[-1].reference, book.changes[-1].at) == (
        "import",
        "ref",
        made.due,
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('"NOPE";"7";"";""', "There is no offer NOPE."),
        ('"A";"-7";"";""', "quantity is not a whole number"),
        ('"A";"1.5";"";""', "quantity is not a whole number"),
        ('"A";"7";"PARIS";""', "The warehouse PARIS does not exist"),
        ('"A";"7";"";"maybe"', "update-delete has an unknown value"),
        ('"A";"7"', "4 columns are expected"),
    ],
)
def test_a_wrong_line_is_refused_and_the_others_are_taken(
    imports: StockImports, book: OfferBook, row: str, reason: str
) -> None:
    made = imports.take(file(row, '"B";"3";"";""'), NOW, "api:shop", None)
    imports.work_off(made.due)
    assert (made.status, made.taken, len(made.refused)) == ("COMPLETE", 1, 1)
    assert (book.offer("A").quantity, book.offer("B").quantity) == (100, 3)
    head, line = imports.report(made).splitlines()
    assert head.startswith('"error-line";"error-message"')
    assert line.startswith(f'"1";"{reason}"')


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"sku;quantity\r\nA;7\r\n"])
def test_a_file_without_the_header_is_rejected_whole(
    imports: StockImports, book: OfferBook, body: bytes
) -> None:
    made = imports.take(body, NOW, "api:shop", None)
    imports.work_off(made.due)
    assert (made.status, book.offer("A").quantity) == ("FAILED", 100)


def test_files_keep_their_order_unless_the_switch_says_otherwise(book: OfferBook, switches: Switches) -> None:
    """A late old file overwrites a newer one only where imports may overtake each other."""
    overtaken = {"no": 0, "yes": 0}
    for overtakes in overtaken:
        switches.set("stock_imports_overtake", overtakes)
        for seed in range(40):
            imports = StockImports(switches, book, random.Random(seed).randrange(10**6))
            old = imports.take(file('"A";"1";"";""'), NOW, "api:shop", None)
            new = imports.take(file('"A";"2";"";""'), NOW + timedelta(seconds=1), "api:shop", None)
            imports.work_off(max(old.due, new.due))
            overtaken[overtakes] += book.offer("A").quantity == 1
    assert overtaken["no"] == 0
    assert overtaken["yes"] > 5
