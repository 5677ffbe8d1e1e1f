"""Reading orders: walks over many, a few by id, and what the marketplace allows. No cursor and no database here."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from interlock.inventory.observed import ImportShown
from interlock.mirakl.client import LARGEST_PAGE, MiraklClient, Page, TooManyIds
from interlock.mirakl.failures import ReadError, ReadRefused, ReadUnavailable, ReadUnreadable
from interlock.mirakl.translate import (
    ITEMS_TO_SHIP,
    SHIPMENTS,
    SHIPMENTS_FORBIDDEN,
    SHIPMENTS_OFF,
    capability_from,
)
from interlock.orders.actions import Lane
from interlock.orders.capability import Capability

# Rows that a page shares with the one before it.
OVERLAP = 10
# Of the shipments of at most 100 orders; an order has a handful of parcels.
_MOST_SHIPMENT_PAGES = 50
# Reads by id are counted apart from walks, and a 429 for them does not stop the walks.
BY_ID = "OR11:event"


class PagingNeverSettles(ReadUnreadable):
    """A walk was given page after page without coming to an end."""

    def __init__(self, operation: str, pages: int) -> None:
        super().__init__(operation, f"a list that did not come to an end within {pages} pages", b"")


def walk_updated(
    client: MiraklClient,
    since: datetime,
    until: datetime,
    tax_mode: str,
    lane: Lane = "rest",
    patience: float = 0.0,
) -> AsyncIterator[Page]:
    """Every order last updated between `since` and `until`, in pages that repeat no order of an earlier page.

    `until` freezes the window, so new updates cannot enter it; they only leave it, and belong to the next
    window. Rows that become visible late (Mirakl's index) are found by letting windows overlap, which is the
    caller's to do, as is moving its cursor only after the last page. See `_walk` for what happens while rows
    leave. Raises ReadError; `patience` is how many seconds in all may be waited for the budget between pages.
    """
    return _walk(client, tax_mode, lane, patience, updated_from=since, updated_to=until)


def walk_states(
    client: MiraklClient, states: Sequence[str], tax_mode: str, lane: Lane = "rest", patience: float = 0.0
) -> AsyncIterator[Page]:
    """Every order now in one of `states`, in pages that repeat no order of an earlier page.

    There is no window and no cursor: an order that enters a state while the walk has passed its place is found by
    the next walk. Raises ReadError.
    """
    return _walk(client, tax_mode, lane, patience, states=tuple(states))


async def by_ids(client: MiraklClient, order_ids: Sequence[str], tax_mode: str, lane: Lane = "rest") -> Page:
    """1 to 100 orders by id in one call. An id the marketplace does not show is simply absent, which proves
    nothing. Raises TooManyIds, ReadError."""
    asked = tuple(dict.fromkeys(order_ids))
    if not 1 <= len(asked) <= LARGEST_PAGE:
        raise TooManyIds("OR11", f"{len(asked)} were given")
    if any("," in order_id or not order_id.strip() for order_id in asked):
        raise TooManyIds("OR11", "one of them is blank or holds a comma")
    page = await client.orders(tax_mode, order_ids=asked, lane=lane, budget=BY_ID)
    # A marketplace that ignored the filter would answer with orders nobody asked for.
    found: dict[str, Mapping[str, Any]] = {}
    for document in page.documents:
        order_id = str(document.get("order_id"))
        if order_id in asked:
            found.setdefault(order_id, document)
    return replace(page, documents=tuple(found.values()))


async def with_items_to_ship(
    client: MiraklClient, documents: Sequence[Mapping[str, Any]], lane: Lane = "rest"
) -> tuple[Mapping[str, Any], ...]:
    """The same OR11 documents; those in SHIPPING that carry a refund also say what is left to ship (ST12, one call).

    That is what tells whether refunded units still ship. The documents come back as they are where there is nothing to
    ask, where multi-shipment is off, and while ST12 may not be called (once in 5 minutes): missing data decides
    nothing. An order ST12 does not list is left as it is, because its parcels may exist already.
    """
    asked = [
        str(document["order_id"])
        for document in documents
        if document.get("order_state") == "SHIPPING" and document.get("order_id") and _has_refund(document)
    ][:LARGEST_PAGE]
    if not asked:
        return tuple(documents)
    try:
        rows = await client.items_to_ship(asked, lane)
    except ReadError:
        return tuple(documents)
    listed = {str(row.get("order_id")): row.get("shipment_lines") for row in rows}
    return tuple(
        {**document, ITEMS_TO_SHIP: listed[str(document.get("order_id"))]}
        if isinstance(listed.get(str(document.get("order_id"))), list)
        else document
        for document in documents
    )


_WITH_SHIPMENTS = ("SHIPPING", "SHIPPED", "TO_COLLECT")


async def with_shipments(
    client: MiraklClient, documents: Sequence[Mapping[str, Any]], lane: Lane = "rest"
) -> tuple[Mapping[str, Any], ...]:
    """The same OR11 documents; those in SHIPPING or on their way also carry their shipments (ST11).

    Where the marketplace answers 404 the documents say that multi-shipment is off, on 403 that our key's role may not
    read shipments. While ST11 cannot be read otherwise they come back as they are: missing data decides nothing.
    """
    asked = [
        str(document["order_id"])
        for document in documents
        if document.get("order_state") in _WITH_SHIPMENTS and document.get("order_id")
    ][:LARGEST_PAGE]
    if not asked:
        return tuple(documents)
    found: dict[str, Any] = {order_id: [] for order_id in asked}
    try:
        rows = await _all_shipments(client, asked, lane)
    except ReadRefused as refused:
        if refused.status not in (403, 404):
            return tuple(documents)
        found = dict.fromkeys(asked, SHIPMENTS_OFF if refused.status == 404 else SHIPMENTS_FORBIDDEN)
    except ReadError:
        return tuple(documents)
    else:
        for row in rows:
            if str(row.get("order_id")) in found:
                found[str(row.get("order_id"))].append(row)
    return tuple(
        {**document, SHIPMENTS: found[str(document.get("order_id"))]}
        if str(document.get("order_id")) in found
        else document
        for document in documents
    )


async def _all_shipments(
    client: MiraklClient, order_ids: Sequence[str], lane: Lane
) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    token = ""
    for _ in range(_MOST_SHIPMENT_PAGES):
        rows, token = await client.shipments(order_ids, token, lane)
        found.extend(rows)
        if not token:
            return found
    raise PagingNeverSettles("ST11", _MOST_SHIPMENT_PAGES)


def _has_refund(document: Mapping[str, Any]) -> bool:
    lines = document.get("order_lines")
    return isinstance(lines, list) and any(isinstance(line, dict) and line.get("refunds") for line in lines)


async def capability(client: MiraklClient, lane: Lane = "rest") -> Capability:
    """The marketplace's capability profile (PC01, RE01, SH12, SH21, A01: five calls). Raises ReadError."""
    return capability_from(
        pc01=await client.platform_configuration(lane),
        re01=await client.reasons(lane),
        sh12=await client.shipping_methods(lane),
        sh21=await client.carriers(lane),
        a01=await client.shop(lane),
    )


async def _walk(
    client: MiraklClient,
    tax_mode: str,
    lane: Lane,
    patience: float,
    states: tuple[str, ...] = (),
    updated_from: datetime | None = None,
    updated_to: datetime | None = None,
) -> AsyncIterator[Page]:
    """Offset pages over a list from which rows leave while we read.

    Rows are sorted by creation, which never changes, so they keep their order among each other; but a row that
    leaves moves all later ones forward, and the next offset would jump over as many unread rows. Therefore every
    page after the first begins inside the rows already read: if its first row was seen before, then so was
    everything in front of it, and the page continues without a gap. If not, rows may have slipped through, and
    the page is asked for again further back, twice as far each time, until it connects. The total count only
    says when to stop, never where to go on.
    """
    given: dict[str, None] = {}
    without_gap: dict[str, None] = {}
    offset = 0
    back = OVERLAP
    asked = 0
    allowed = 20
    while True:
        if asked >= allowed:
            raise PagingNeverSettles("OR11", asked)
        while True:
            try:
                page = await client.orders(tax_mode, offset, states, (), updated_from, updated_to, lane)
                break
            except ReadUnavailable as later:
                wait = later.retry_after
                if asked == 0 or wait is None or wait > patience:
                    raise
                patience -= wait
                await asyncio.sleep(wait)
        asked += 1
        if page.total_count is not None:
            allowed = max(allowed, 20 + 2 * page.total_count // (LARGEST_PAGE - OVERLAP))
        ids = [str(document.get("order_id") or "") for document in page.documents]
        first = next((order_id for order_id in ids if order_id), "")
        connected = offset == 0 or (first in without_gap if first else bool(ids))
        # Rows of a page that does not connect are real all the same, so they are handed on at once. A row
        # without an id cannot be recognised again; it is handed on each time, for a person to see.
        # Pages overlap on purpose, so what an earlier one showed is left out; what this one shows twice is for the
        # caller to count.
        fresh = [
            document
            for order_id, document in zip(ids, page.documents, strict=True)
            if not order_id or order_id not in given
        ]
        given.update(dict.fromkeys(ids))
        if connected:
            without_gap.update(dict.fromkeys(ids))
        yield replace(page, documents=tuple(fresh))
        if not connected:
            offset = max(0, offset - back)
            back *= 2
            continue
        end = offset + len(ids)
        if len(ids) < LARGEST_PAGE or (page.total_count is not None and end >= page.total_count):
            return
        back = OVERLAP
        offset = end - OVERLAP


async def stock_import(client: MiraklClient, import_id: str) -> ImportShown:
    """How far a stock file has come (STO02). Raises ReadError."""
    document = await client.stock_import(import_id)
    status = document.get("status")
    if not isinstance(status, str):
        raise ReadUnreadable("STO02", "JSON without the text 'status'", b"")
    taken, refused = (_count(document.get(name)) for name in ("lines_in_success", "lines_in_error"))
    return ImportShown(status, taken, refused, bool(document.get("has_error_report")) or bool(refused))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
