"""The list of SKUs at every marketplace as pages, files and programs ask for it."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from interlock.console.connections import connection_named
from interlock.console.export import Cell
from interlock.console.lists import Asked, FilterUnknown, MarkUnreadable
from interlock.monitoring.sku_health import STATES, SkuHealth
from interlock.monitoring.skus import mark_of, sku_page

OWN_FILTERS = ("state", "sku")
COLUMNS = (
    "connection",
    "sku",
    "state",
    "cause",
    "shop sku",
    "last sale",
    "last edit",
    "p50 s",
    "p95 s",
    "may be offered",
    "shown",
    "drift",
    "drift minutes this week",
    "last published",
    "last confirmed",
    "offer price",
    "shop price",
    "currency",
    "with care",
    "stock read",
)


def skus_page(
    c: Connection, asked: Asked, now: datetime, limit: int = 50
) -> tuple[tuple[SkuHealth, ...], str]:
    """A page of the list, and the mark of the next one, empty after the last. Raises FilterUnknown, MarkUnreadable."""
    state = asked.other("state")
    if state and state not in STATES:
        raise FilterUnknown("state", state, STATES)
    after = None
    if asked.after:
        after = mark_of(asked.after)
        if after is None:
            raise MarkUnreadable
    row = connection_named(c, asked.connection) if asked.connection else None
    found, following = sku_page(
        c,
        now,
        connection_id=None if row is None else row.id,
        state=state,
        sku=asked.other("sku"),
        after=after,
        limit=limit,
    )
    return found, "" if following is None else str(following)


def file_row(one: SkuHealth) -> Sequence[Cell]:
    """One line of the file."""
    facts = one.facts
    return (
        facts.connection,
        facts.sku,
        one.state,
        one.cause,
        " ".join(facts.shop_skus),
        facts.last_sale_at,
        one.last_edit_at,
        _text(one.p50),
        _text(one.p95),
        _text(facts.target),
        _text(facts.shown),
        _text(one.drift),
        facts.drift_minutes,
        facts.published_at,
        facts.confirmed_at,
        _text(facts.offer_price),
        _text(facts.shop_price),
        facts.currency,
        " ".join(facts.careful),
        facts.stock_read_at,
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)
