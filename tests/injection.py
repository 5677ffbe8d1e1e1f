"""What somebody may write where people and platforms may write, and a database with it in every column they can fill."""

import json
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    DateTime,
    LargeBinary,
    Numeric,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from interlock.access.audit_log import Did, record
from interlock.access.erasures import keep_request
from interlock.access.store import make_key
from interlock.cases.store import cases
from interlock.cases.work import comment
from interlock.engine.capabilities import keep_rules
from interlock.engine.store import ConnectionRow
from interlock.monitoring import outbox
from interlock.monitoring.decide import Alert
from interlock.orders.connection import ShippingMethod
from interlock.orders.store import mirakl_documents
from interlock.orders.view import View
from interlock.storage.encryption import Keyring
from interlock.storage.types import UtcDateTime
from interlock.tables import metadata
from tests.console.seed import CLOCK, Wakes, connect, edited_up, keep, shipped_with, sku_unknown
from tests.console.served import refunded_in_shopify

MARK = "hurt"
"""What every string of the corpus holds, so that it is found wherever it comes out."""

CORPUS = {
    "script": "<script>hurt()</script>",
    "handler": "<img src=x onerror=hurt()>",
    "vector": "<svg/onload=hurt()>",
    "double quote": '" onmouseover="hurt()" x="',
    "single quote": "' onfocus='hurt()' autofocus='",
    "end of a field": "</textarea></title></select></style><hurt>",
    "end of a comment": "--><hurt a=1>",
    "script address": "javascript:hurt()",
    "data address": "data:text/html,<hurt>",
    "entities": "&lt;hurt&gt;&#60;hurt&#62;&quot; onclick=hurt()",
    "template": "{{1337*7}}${1337*7}#{1337*7}<%=1337*7%>{% hurt %}",
    "formula": "=cmd|'/C calc'!A0+hurt",
    "formula with a sign": '+HYPERLINK("http://hurt.example")',
    "formula of a macro": "@SUM(1+1)*hurt",
    "formula behind marks": "\u200f \t=1+hurt",
    "lines": 'hurt\r\nSet-Cookie: hurt=1\r\n\r\n{"event":"hurt.forged"}',
    "terminal": "\x1b[31mhurt\x1b[0m\x1b]0;hurt\x07",
    "direction": "hurt\u202etxt.exe\u2066hurt",
    "query": "hurt'); DROP TABLE orders; --",
    "query with quotes": 'hurt" OR "1"="1 %s %(hurt)s {0} \\',
}

FILLED: dict[str, tuple[str, ...]] = {
    "alert_channels": ("name", "masked", "made_by"),
    "alert_deliveries": ("words",),
    "alert_routes": ("made_by",),
    "alerts": ("title", "acknowledged_by"),
    "answers": ("subject", "who", "why"),
    "api_keys": ("name", "created_by", "revoked_by"),
    "bundle_components": ("mirakl_sku", "shop_sku", "changed_by"),
    "capability_observations": ("evidence",),
    "carrier_mappings": ("shop_name", "country", "service", "code", "name", "changed_by"),
    "case_events": ("who", "detail"),
    "cases": ("subject", "sentence", "cause", "closed_because", "closed_in_short", "assignee"),
    "kin": ("name",),
    "label_overrides": ("against", "who", "why"),
    "map_changes": ("name", "former", "present", "who", "why"),
    "offer_links": ("offer_sku", "shop_sku"),
    "offers": ("sku", "title"),
    "operations": ("code", "words"),
    "orders": ("mirakl_order_id", "commercial_id", "shopify_name", "label_reason", "label_who"),
    "people": ("made_by",),
    "privacy_requests": ("shop", "done_by"),
    "quarantines": ("because", "ended_by", "ended_why"),
    "replays": ("cause", "who"),
    "shop_variants": ("sku", "barcode", "title"),
    "sku_health": ("sku",),
    "sku_mappings": ("mirakl_sku", "shop_sku", "changed_by"),
    "stock_buffers": ("sku", "changed_by"),
    "stock_figures": ("sku", "refused_why"),
    "stock_import_lines": ("sku",),
    "stock_imports": ("words",),
    "stock_items": ("sku",),
    "stock_refusals": ("sku",),
    "timeline": ("who", "sentence"),
    "troubles": ("detail",),
    "unreadable": ("problem",),
}
"""The columns whose text comes from a person or a platform. What the audit log, personal columns and stored views hold is
put there by `world` itself."""

OURS: dict[str, tuple[str, ...]] = {
    "alert_channels": ("kind", "zone", "removed_by"),
    "alert_deliveries": ("state",),
    "alert_keys": ("key",),
    "alert_routes": ("team", "severity", "hours"),
    "alerts": ("grouping", "severity", "reason", "connection"),
    "answers": ("reason", "option", "text_id"),
    "api_keys": ("secret_digest",),
    "audit_heads": ("digest",),
    "audit_log": ("who", "did", "subject", "previous", "digest"),
    "boards": ("name",),
    "budget_calls": ("account", "operation"),
    "budget_waits": ("account", "operation"),
    "capability_observations": ("name",),
    "case_events": ("what",),
    "cases": ("kind", "reason", "owner", "severity", "currency"),
    "connections": ("name", "mirakl_origin", "shopify_shop", "shopify_origin", "shopify_client_id"),
    "deliveries": ("shop", "topic", "webhook_id", "triggered_at", "shopify_order_id", "fulfillment_order_id"),
    "desk_edits": ("id",),
    "duties": ("name",),
    "edit_clocks": ("change_id", "outcome"),
    "fulfillment_orders": ("fulfillment_order_id",),
    "grants": ("role",),
    "heartbeats": ("name", "detail"),
    "installation": ("instance", "webhook_base"),
    "instance_marks": ("account", "mark"),
    "kin": ("shopify_order_id", "role"),
    "label_overrides": ("fulfillment_order_id",),
    "latency_counts": ("grain", "measure"),
    "map_changes": ("map",),
    "measured": ("name",),
    "mirakl_documents": ("digest",),
    "offer_links": ("variant_id", "item_id", "how"),
    "offer_reads": ("tracking_id", "last_tracking_id"),
    "offers": ("currency",),
    "one_time_links": ("digest", "made_by"),
    "onsets": ("key", "told_as"),
    "operations": ("id", "kind", "platform", "call_class", "digest", "state"),
    "orders": (
        "lane",
        "lease_owner",
        "shopify_order_id",
        "draft_id",
        "mirakl_state",
        "shopify_email",
        "shopify_address",
    ),
    "people": ("handle", "outside_identity"),
    "polls": ("name", "owner"),
    "privacy_requests": ("topic", "webhook_id"),
    "recovery_codes": ("digest",),
    "replays": ("reason", "option"),
    "sessions": ("digest", "former_digest"),
    "shop_tokens": ("account",),
    "shop_variants": ("shop", "variant_id", "item_id"),
    "sku_health": ("week",),
    "stock_hints": ("shop", "item_id"),
    "stock_imports": ("operation_id", "import_id", "state"),
    "stock_items": ("shop", "item_id", "variant_id"),
    "stock_levels": ("shop", "item_id", "location_id"),
    "stock_places": ("shop", "location_id"),
    "stock_places_gone": ("shop", "location_id"),
    "stock_shops": ("shop",),
    "stock_sold": ("digest", "state"),
    "strangers": ("shopify_order_id", "shop"),
    "tallies": ("name", "label"),
    "texts": ("id", "kind"),
    "throttles": ("subject",),
    "troubles": ("part", "code"),
    "unreadable": ("digest", "source"),
    "variant_reads": ("shop", "currency"),
}
"""The columns that hold codes, digests, numbers of ours, and names that are checked when they are given."""

CODES: dict[tuple[str, str], Any] = {
    ("alert_channels", "kind"): "chat",
    ("alert_deliveries", "state"): "sent",
    ("map_changes", "map"): "carriers",
    ("kin", "role"): "candidate",
    ("offer_links", "how"): "sku",
    ("orders", "lane"): "rest",
    ("privacy_requests", "topic"): "customers/redact",
    ("quarantines", "ended_at"): CLOCK,
    ("replays", "option"): "send_again",
    ("replays", "reason"): "carrier_unknown",
    ("stock_imports", "settled_at"): CLOCK,
    ("stock_imports", "state"): "COMPLETE",
    ("troubles", "code"): "scope_missing",
    ("unreadable", "source"): "OR11",
}
"""What a made-up row holds in a column where only certain values make sense."""


def text_columns() -> set[tuple[str, str]]:
    """Every column of ours that holds text."""
    return {
        (table.name, column.name)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, Text)
    }


def named(columns: dict[str, tuple[str, ...]]) -> set[tuple[str, str]]:
    return {(table, column) for table, names in columns.items() for column in names}


def spoiled(value: Any, text: str, number: str) -> Any:
    """The value with `text` in place of every name, SKU, title, carrier and number that people or platforms chose, and
    `number` behind what has to be told apart."""
    if isinstance(value, str):
        if value in UNIQUE:
            return f"{value}{number}"
        return f"{text} {value}" if value in CHOSEN else value
    if isinstance(value, tuple):
        return tuple(spoiled(one, text, number) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: spoiled(getattr(value, one.name), text, number) for one in fields(value)}
        return replace(value, **changed)
    return value


UNIQUE = frozenset({"M-1001-A", "M-1002-A", "M-1003-A", "M-1005-A", "SO1", "SO2", "SO5", "FO1", "F1"})
CHOSEN = frozenset(
    {"MUG", "LAMP", "Mug", "Lamp", "Pigeon Post", "RM123456785GB", "#1001", "#1002", "#1005", "STD"}
)
VIEWS = (edited_up, lambda: shipped_with("Pigeon Post"), sku_unknown, refunded_in_shopify)


def world(c: Connection, keyring: Keyring, texts: Sequence[str]) -> ConnectionRow:
    """A connection with four orders for each of the texts, and a row for each in every table people or platforms write to."""
    row = connect(c, keyring)
    titles = tuple(ShippingMethod(f"M{number}", text) for number, text in enumerate(texts))
    keep_rules(c, Wakes(), row, replace(row.rules, shipping_methods=titles), CLOCK)
    for number, text in enumerate(texts):
        for kind, make in enumerate(VIEWS):
            view: View = spoiled(make(), text, f" {number}-{kind}")
            _order(c, keyring, row, view, text)
        title = Alert(f"k{number}", f"g{number}", "page", ("operations",), text, connection=row.name)
        outbox.keep(c, [title], CLOCK)
        # The audit log takes nothing that cannot be shown.
        shown = "".join(letter if letter.isprintable() else " " for letter in text)
        record(c, shown, Did.CHANGED, shown, now=CLOCK, connection=row.id, facts={"why": shown})
        keep_request(c, text, "customers/redact", f"w{number}", keyring.encrypt(text.encode()), CLOCK)
        make_key(c, f"key {number}", ["orders:read"], "Ada", CLOCK)
    made = Made(c, keyring, row)
    for table in (table for table in metadata.sorted_tables if table.name in FILLED):
        if c.execute(select(table).limit(1)).first() is not None:
            _fill(c, table, FILLED[table.name], texts)
            continue
        for number, text in enumerate(texts):
            made.insert(table, number, text)
    for number, (case_id,) in enumerate(c.execute(select(cases.c.id).order_by(cases.c.id)).all()):
        text = texts[number % len(texts)]
        c.execute(update(cases).where(cases.c.id == case_id).values(facts=[[text, text]]))
        comment(c, case_id, "Ada", keyring.encrypt(text.encode()), CLOCK)
    return row


def _order(c: Connection, keyring: Keyring, row: ConnectionRow, view: View, text: str) -> None:
    order_id, _ = keep(c, row, view)
    document = json.dumps({"order_id": view.order_id, "customer": {"lastname": text}})
    body = keyring.encrypt(document.encode())
    kept = {"order_id": order_id, "observed_at": CLOCK, "updated_at": CLOCK, "digest": "d", "body": body}
    c.execute(insert(mirakl_documents).values(kept))


class Made:
    """Makes rows of any table, with what its columns ask for."""

    def __init__(self, c: Connection, keyring: Keyring, row: ConnectionRow) -> None:
        self._c, self._keyring, self._row = c, keyring, row

    def insert(self, table: Table, number: int, text: str) -> None:
        """One row; the texts that people or platforms write are `text`."""
        values = {
            column.name: self._value(table, column, number, text)
            for column in table.columns
            if column.name in FILLED[table.name]
            or (table.name, column.name) in CODES
            or not (column.nullable or column.server_default is not None or column.identity is not None)
        }
        self._c.execute(insert(table).values(values))

    def _value(self, table: Table, column: Any, number: int, text: str) -> Any:
        if (table.name, column.name) in CODES:
            return CODES[table.name, column.name]
        for key in column.foreign_keys:
            ids = self._c.execute(select(key.column).order_by(key.column)).scalars().all()
            return ids[number % len(ids)]
        if column.name == "shop":
            return self._row.shopify_shop
        kind = column.type
        match kind:
            case LargeBinary():
                return self._keyring.encrypt(text.encode())
            case Text():
                return f"{text} {number}" if column.name in FILLED[table.name] else f"{column.name}-{number}"
            case Boolean():
                return True
            case UtcDateTime() | DateTime():
                return CLOCK
            case JSONB() | ARRAY():
                return []
            case Numeric():
                return Decimal(1)
            case _:
                return number + 1


def _fill(c: Connection, table: Table, columns: Sequence[str], texts: Sequence[str]) -> None:
    """Put the texts into these columns of every row, in turns; a number behind each keeps what must be unique so."""
    keys = list(table.primary_key.columns)
    for number, found in enumerate(c.execute(select(*keys).order_by(*keys)).all()):
        here = [key == value for key, value in zip(keys, found, strict=True)]
        text = texts[number % len(texts)]
        c.execute(update(table).where(*here).values({name: f"{text} {number}" for name in columns}))
