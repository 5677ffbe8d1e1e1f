"""The two texts of a stock import: the file that is sent (STO01) and the report of what was refused (STO03)."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from interlock.inventory.target import ABSURD

HEADER = '"offer-sku";"quantity";"warehouse-code";"update-delete"\r\n'
LONGEST_SKU = 100
"""Characters; a SKU that is longer or holds a line break stands in no file."""


@dataclass(frozen=True, slots=True)
class StockLine:
    """One line of a file: the offer's SKU at the marketplace and the absolute number of units it is to show."""

    sku: str
    quantity: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """One line of an error report: its number, counted from 1 for the first line after the header, and the marketplace's
    reason. `sku` is empty where the report does not repeat the line."""

    line: int
    sku: str
    reason: str


class FigureUnusable(ValueError):
    """A figure that no marketplace may be told."""

    def __init__(self, sku: str, quantity: object) -> None:
        super().__init__(
            f"{quantity!r} is not a number of units that can be offered for {sku!r}: it has to be a whole number from 0 to "
            f"{ABSURD}. Nothing was published for it."
        )


class ReportUnreadable(ValueError):
    """An error report (STO03) that is not the documented text."""

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The error report of a stock import cannot be read: {why}. Which lines it refuses is not known, so every line "
            "of the file is checked against what the marketplace shows."
        )


def usable_sku(sku: str) -> bool:
    """Whether a SKU can stand in a file."""
    return bool(sku) and len(sku) <= LONGEST_SKU and sku.isprintable()


def written(rows: Iterable[StockLine]) -> bytes:
    """The file of STO01 in UTF-8: one line an offer, global quantities (no warehouse code), `update-delete` left to its
    meaning of update. Raises FigureUnusable."""
    return b"".join(_lines(rows))


def _lines(rows: Iterable[StockLine]) -> Iterator[bytes]:
    yield HEADER.encode()
    for row in rows:
        whole = isinstance(row.quantity, int) and not isinstance(row.quantity, bool)
        if not usable_sku(row.sku) or not whole or not 0 <= row.quantity <= ABSURD:
            raise FigureUnusable(row.sku, row.quantity)
        sku = row.sku.replace('"', '""')
        yield f'"{sku}";"{row.quantity}";"";""\r\n'.encode()


def refused_rows(body: bytes) -> tuple[RefusedRow, ...]:
    """The lines that an error report refuses (STO03: line number, reason, then the line itself). Raises
    ReportUnreadable."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ReportUnreadable("it is not UTF-8") from None
    found = []
    try:
        for number, fields in enumerate(csv.reader(io.StringIO(text), delimiter=";", strict=True), start=1):
            if not fields or (number == 1 and not fields[0].strip().isdigit()):
                continue
            first = fields[0].strip()
            if not first.isascii() or not first.isdigit() or len(fields) < 2:
                raise ReportUnreadable(f"line {number} does not begin with a line number and a reason")
            sku = fields[2] if len(fields) > 2 else ""
            found.append(RefusedRow(int(first), sku, fields[1].strip()[:200]))
    except csv.Error as wrong:
        raise ReportUnreadable("its quotation marks do not match") from wrong
    return tuple(found)
