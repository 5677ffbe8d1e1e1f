"""The texts of a stock import, and which figures go into the next one."""

from datetime import UTC, datetime, timedelta

import pytest

from interlock.inventory.decide import AFTER_REFUSAL, FASTEST, MOST_ROWS, USUAL, Figure, next_file
from interlock.inventory.files import (
    FigureUnusable,
    RefusedRow,
    ReportUnreadable,
    StockLine,
    refused_rows,
    written,
)

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def test_a_file_has_one_line_for_each_offer() -> None:
    assert written([StockLine("A-1", 5), StockLine('B "x"; y', 0)]).decode() == (
        '"offer-sku";"quantity";"warehouse-code";"update-delete"\r\n"A-1";"5";"";""\r\n"B ""x""; y";"0";"";""\r\n'
    )


@pytest.mark.parametrize(
    ("sku", "quantity"), [("A", -1), ("A", 1_000_001), ("A", True), ("", 1), ("A\nB", 1), ("A", 1.5)]
)
def test_a_figure_that_nobody_can_mean_is_in_no_file(sku: str, quantity: int) -> None:
    with pytest.raises(FigureUnusable, match="Nothing was published for it"):
        written([StockLine(sku, quantity)])


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", ()),
        (
            b'line;error;offer-sku;quantity\r\n2;"unknown offer";"B";"4"\r\n',
            (RefusedRow(2, "B", "unknown offer"),),
        ),
        (b'\xef\xbb\xbf"1";"bad"\r\n', (RefusedRow(1, "", "bad"),)),
    ],
)
def test_an_error_report_is_read(body: bytes, wanted: tuple[RefusedRow, ...]) -> None:
    assert refused_rows(body) == wanted


@pytest.mark.parametrize("body", [b"\xff\xfe", b"line;error\r\nfirst;bad\r\n", b'1;"open\r\n', b"1\r\n"])
def test_a_report_that_is_not_one_is_said_to_be_none(body: bytes) -> None:
    with pytest.raises(ReportUnreadable, match="cannot be read"):
        refused_rows(body)


def figure(sku: str, target: int | None, believed: int | None) -> Figure:
    return Figure(sku, target, believed)


@pytest.mark.parametrize(
    ("figures", "rows"),
    [
        ((), ()),
        ((figure("A", 5, 5), figure("B", None, 3)), ()),
        ((figure("A", 5, 3),), (("A", 5),)),
        # zero-outs first, then what falls or was never known, then what rises
        (
            (figure("A", 5, 3), figure("B", 2, 4), figure("C", 0, 9), figure("D", 7, None)),
            (("C", 0), ("B", 2), ("D", 7), ("A", 5)),
        ),
        # refused with this very figure a moment ago
        ((Figure("A", 5, 3, 5, NOW - timedelta(minutes=1)),), ()),
        ((Figure("A", 5, 3, 4, NOW - timedelta(minutes=1)),), (("A", 5),)),
        ((Figure("A", 5, 3, 5, NOW - timedelta(hours=2)),), (("A", 5),)),
    ],
)
def test_what_goes_into_the_next_file(figures: tuple[Figure, ...], rows: tuple[tuple[str, int], ...]) -> None:
    assert next_file(figures, None, NOW).rows == rows


LOWERED = NOW - timedelta(minutes=3)


@pytest.mark.parametrize(
    ("target", "believed", "shown", "walked_at", "goes"),
    [
        # the last unit may be sold, and no walk has begun since
        (1, 0, 0, LOWERED, False),
        (1, 0, 0, None, False),
        (1, 0, 0, LOWERED + timedelta(seconds=1), True),
        # an order of it was seen meanwhile, so that nobody knows what is shown; what was shown last still is the most
        (2, None, 1, LOWERED, False),
        (1, None, 1, LOWERED, True),
        # it falls
        (1, 2, 2, LOWERED, True),
        (0, None, 1, LOWERED, True),
    ],
)
def test_what_the_marketplace_showed_lower_rises_after_a_walk_that_began_since(
    target: int, believed: int | None, shown: int, walked_at: datetime | None, goes: bool
) -> None:
    offer = Figure("A", target, believed, shown=shown, walk_after=LOWERED)
    file = next_file((offer, figure("B", 5, 5)), None, NOW, walked_at=walked_at)
    assert file.rows == ((("A", target),) if goes else ())


def test_what_falls_leaves_as_soon_as_the_ceiling_allows_and_what_rises_waits() -> None:
    sent = NOW - timedelta(seconds=10)
    assert next_file((figure("A", 0, 9),), sent, NOW).at == sent + FASTEST
    assert next_file((figure("A", 9, 1),), sent, NOW).at == sent + USUAL
    assert next_file((figure("A", 9, 1),), None, NOW).at == NOW


def test_after_a_file_that_was_refused_as_a_whole_the_next_one_rests() -> None:
    figures, refused = (figure("A", 0, 9),), NOW - timedelta(minutes=1)
    assert next_file(figures, NOW - FASTEST, NOW, refused).at == refused + AFTER_REFUSAL
    assert next_file(figures, NOW - FASTEST, NOW, NOW - AFTER_REFUSAL).at == NOW


def test_one_file_takes_fifty_thousand_lines() -> None:
    figures = [figure(str(number), 1, 2) for number in range(MOST_ROWS + 1)]
    assert len(next_file(figures, None, NOW).rows) == MOST_ROWS
