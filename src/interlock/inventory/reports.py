"""Which lines of a stock file a marketplace refused, by what it says of the import and by its report."""

from collections.abc import Sequence

from interlock.inventory.files import ReportUnreadable, refused_rows
from interlock.inventory.observed import ImportShown


def refused_of(
    sent: Sequence[tuple[int, str, int]], shown: ImportShown, report: bytes
) -> dict[str, str] | None:
    """Why lines of a file that was worked off were refused, by SKU. `sent` are its lines: number from 1, SKU, units; `report`
    is empty where there is none.

    None where that does not say what became of every line: the report cannot be read or names what was not sent, it holds other
    than the number of lines in error (STO02 `lines_in_error`), or fewer were taken than were not refused (`lines_in_success`).
    """
    try:
        rows = refused_rows(report)
    except ReportUnreadable:
        return None
    by_line = {line: sku for line, sku, _ in sent}
    known = set(by_line.values())
    found: dict[str, str] = {}
    for row in rows:
        sku = row.sku if row.sku in known else by_line.get(row.line)
        if sku is None:
            return None
        found[sku] = row.reason
    if shown.refused is not None and len(found) != shown.refused:
        return None
    if shown.taken is not None and shown.taken + len(found) < len(sent):
        return None
    return found
