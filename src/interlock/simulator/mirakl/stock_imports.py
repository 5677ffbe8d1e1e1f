"""Stock files on their way into the offer book: taken, worked off some time later, perhaps not in the order they came."""

import csv
import io
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from interlock.simulator.mirakl.offers import LARGEST_QUANTITY, OfferBook, OfferRefused
from interlock.simulator.switches import Switches

COLUMNS = ("offer-sku", "quantity", "warehouse-code", "update-delete")


@dataclass(slots=True)
class RefusedLine:
    """One line that was not taken; `line` counts from 1 behind the header."""

    line: int
    fields: tuple[str, ...]
    reason: str


@dataclass(slots=True)
class SimStockImport:
    """One file (STO01). `due` is when it is worked off; `rows` are its lines, None where the file itself is none."""

    id: str
    received: datetime
    due: datetime
    actor: str
    reference: str | None
    rows: tuple[tuple[str, ...], ...] | None
    will_fail: bool
    status: str = "WAITING"
    taken: int = 0
    refused: list[RefusedLine] = field(default_factory=list)


class StockImports:
    """Every stock file of one shop. Read `imports` freely. Its choices are its own, so that nothing else a seed draws
    depends on it."""

    def __init__(self, switches: Switches, book: OfferBook, seed: int) -> None:
        self._switches = switches
        self._book = book
        self._rng = random.Random(f"{seed}:stock imports")
        self.imports: dict[str, SimStockImport] = {}
        self.failures_armed = 0
        self.refused_skus: dict[str, str] = {}
        self._numbers = 0

    def take(self, body: bytes, at: datetime, actor: str, reference: str | None) -> SimStockImport:
        """A file has come in: it waits for its turn."""
        self._numbers += 1
        longest = float(self._switches["stock_import_takes"])
        due = at + timedelta(seconds=self._rng.uniform(0.2 * longest, longest))
        if self._switches["stock_imports_overtake"] == "no":
            due = max([due, *(known.due for known in self.imports.values())])
        will_fail = self.failures_armed > 0
        self.failures_armed -= will_fail
        made = SimStockImport(str(5000 + self._numbers), at, due, actor, reference, _rows(body), will_fail)
        self.imports[made.id] = made
        return made

    def due_by(self, moment: datetime) -> list[datetime]:
        """When waiting files are due, up to then, in order."""
        return sorted(
            known.due for known in self.imports.values() if known.status == "WAITING" and known.due <= moment
        )

    def work_off(self, now: datetime) -> None:
        """Every file that is due by now is worked off, in the order in which they are due."""
        waiting = [known for known in self.imports.values() if known.status == "WAITING" and known.due <= now]
        for known in sorted(waiting, key=lambda one: (one.due, int(one.id))):
            if known.will_fail or known.rows is None:
                known.status = "FAILED"
                continue
            known.status = "COMPLETE"
            for number, fields in enumerate(known.rows, start=1):
                reason = self._refusal(fields) or self._apply(fields, known)
                if reason:
                    known.refused.append(RefusedLine(number, fields, reason))
                else:
                    known.taken += 1

    def status_of(self, known: SimStockImport, now: datetime) -> str:
        """What STO02 says: a file is RUNNING during the last part of its wait."""
        running = known.received + 0.7 * (known.due - known.received)
        return "RUNNING" if known.status == "WAITING" and now >= running else known.status

    def report(self, known: SimStockImport) -> str:
        """STO03: line number, reason, then the line itself."""
        text = io.StringIO()
        write = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
        if self._switches["stock_report_header"] == "yes":
            write.writerow(("error-line", "error-message", *COLUMNS))
        for line in known.refused:
            write.writerow((line.line, line.reason, *line.fields))
        return text.getvalue()

    def _refusal(self, fields: tuple[str, ...]) -> str:
        if len(fields) != len(COLUMNS):
            return f"{len(COLUMNS)} columns are expected"
        sku, quantity, warehouse, what = fields
        if sku in self.refused_skus:
            return self.refused_skus[sku]
        if warehouse:
            return f"The warehouse {warehouse} does not exist"
        if what not in ("", "update", "delete"):
            return "update-delete has an unknown value"
        if not quantity.isascii() or not quantity.isdigit() or int(quantity) > LARGEST_QUANTITY:
            return "quantity is not a whole number"
        return ""

    def _apply(self, fields: tuple[str, ...], known: SimStockImport) -> str:
        try:
            self._book.set_quantity(
                fields[0], int(fields[1]), known.due, known.actor, "import", known.reference
            )
        except OfferRefused as refused:
            return str(refused)
        return ""


def _rows(body: bytes) -> tuple[tuple[str, ...], ...] | None:
    """The lines of a file behind its header, or None where it has not the documented header (section 9)."""
    try:
        lines = [tuple(line) for line in csv.reader(io.StringIO(body.decode("utf-8")), delimiter=";") if line]
    except (UnicodeDecodeError, csv.Error):
        return None
    if not lines or lines[0] != COLUMNS:
        return None
    return tuple(lines[1:])
