"""A database as it is after years: copies of a few orders that the real rules decided about, made by the database itself,
so that a hundred thousand of them take seconds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Table, select, text, update

from interlock.cases.store import case_events, cases
from interlock.engine.ledger import operations
from interlock.engine.store import deliveries
from interlock.monitoring.rollup import edit_clock_rows
from interlock.orders.actions import SetSellerReference
from interlock.orders.codec import encode
from interlock.orders.store import orders, plans, timeline
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.build import a_view
from tests.console.seed import connect, edited_up, keep, shipped_with, sku_unknown
from tests.refunds.test_decide import look, shopify_refund

KINDS = (
    "CreateDraft",
    "CompleteDraft",
    "MarkOrder",
    "PlaceHold",
    "AnswerAcceptance",
    "SetSellerReference",
    "ReleaseHold",
    "ShowStatus",
    "SetTracking",
    "ShipOrder",
)
YEAR = 31_536_000
"""Its seconds."""
CALLS_AN_ORDER = len(KINDS)


GROWING = ("orders", "operations", "cases", "case_events", "timeline", "plans", "deliveries")
"""Tables that grow with every order, for ever or for long."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is in the database: orders, open cases among them, and rows of the ledger (CALLS_AN_ORDER for each)."""

    orders: int
    open_cases: int

    @property
    def calls(self) -> int:
        return self.orders * CALLS_AN_ORDER


YEARS = Size(orders=100_000, open_cases=5_000)


def fill(database: Database, keyring: Keyring, size: Size, now: datetime) -> None:
    """Fill the database. Every open case belongs to one order; the other orders went through and are closed. Of the open
    cases a quarter wait for one carrier and a quarter for carriers of their own, a quarter are edits that cannot be
    expressed, and the rest are refund tasks, with a hundred at most that wait for acceptance. Every order had one more
    case, which is closed."""
    with database.begin() as c:
        c.execute(text("SET LOCAL statement_timeout = 0"))
        # Foreign keys hold by construction; checking each of a million would be most of the time this takes.
        c.execute(text("SET LOCAL session_replication_role = replica"))
        connection = connect(c, keyring)
        views = {
            "agreed": a_view(),
            "edit": edited_up(),
            "carrier": shipped_with("Royal Mail 24"),
            "refund": look(shopify_refund()),
            "waiting": sku_unknown(),
        }
        originals: dict[str, int] = {}
        for name, view in views.items():
            originals[name], _ = keep(c, connection, view)
            c.execute(
                update(orders)
                .where(orders.c.id == originals[name])
                .values(mirakl_order_id=name, shopify_order_id=name)
            )
        _copy_orders(c, originals, size, now)
        _copy_rows(c, plans, {"at": "o.created_at"})
        _copy_rows(
            c,
            cases,
            {"cause": _CAUSE, "severity": _SEVERITY, "damage_at": _DAMAGE, "opened_at": "o.created_at"},
        )
        _copy_rows(c, timeline, {"at": "o.created_at"})
        _history(c, now)
        for number in originals.values():
            for table in (plans, cases, timeline, operations):
                c.execute(table.delete().where(table.c.order_id == number))
            c.execute(text("DELETE FROM fulfillment_orders WHERE order_id = :id"), {"id": number})
            c.execute(orders.delete().where(orders.c.id == number))
        c.execute(text("DROP TABLE copied"))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as c:
        c.execute(text("SET statement_timeout = 0"))
        c.execute(text("VACUUM ANALYZE"))
        c.execute(text("RESET statement_timeout"))


_CAUSE = "CASE WHEN s.cause = '' OR o.id % 8 < 4 THEN s.cause ELSE s.cause || ' ' || o.id END"
_SEVERITY = "CASE WHEN s.reason = 'carrier_unknown' THEN 'urgent' ELSE s.severity END"
_DAMAGE = "s.damage_at + make_interval(secs => o.id % 100000)"


def _copy_orders(c: Connection, originals: Mapping[str, int], size: Size, now: datetime) -> None:
    """The orders of the last year, the oldest first; those with an open case are among its last weeks."""
    waiting = min(100, size.open_cases // 10)
    c.execute(
        text(
            """
            CREATE TEMPORARY TABLE copied ON COMMIT DROP AS
            SELECT g AS number, nextval(pg_get_serial_sequence('orders', 'id')) AS id,
                   CASE WHEN g <= :orders - :cases * step THEN :agreed
                        WHEN g % step <> 0 THEN :agreed
                        WHEN (:orders - g) / step < :waiting THEN :awaits
                        ELSE (ARRAY[:carrier, :edit, :carrier, :refund])[1 + (g / step) % 4]
                   END AS original
            FROM generate_series(1, :orders) AS g,
                 (SELECT greatest(:orders / (10 * :cases), 1) AS step) AS spread
            ORDER BY g
            """
        ),
        {
            "orders": size.orders,
            "cases": size.open_cases,
            "waiting": waiting,
            "agreed": originals["agreed"],
            "carrier": originals["carrier"],
            "edit": originals["edit"],
            "refund": originals["refund"],
            "awaits": originals["waiting"],
        },
    )
    closed = f"n.original = {originals['agreed']}"
    changed = {
        "id": "n.id",
        "mirakl_order_id": "'M-' || n.number || '-A'",
        "commercial_id": "'M-' || n.number",
        "shopify_order_id": "CASE WHEN s.shopify_name IS NULL THEN NULL ELSE 'gid://shopify/Order/' || n.number END",
        "shopify_name": "'#' || n.number",
        "created_at": "CAST(:now AS timestamptz) - make_interval(secs => :every * (:orders - n.number))",
        "shopify_email": "md5('e' || n.number)",
        "shopify_address": "md5('a' || n.number % 50000)",
        "mirakl_state": f"CASE WHEN {closed} THEN 'CLOSED' ELSE s.mirakl_state END",
        # What is over is looked at no more; the rest has its next look ahead.
        "next_look_at": f"CASE WHEN NOT {closed} THEN CAST(:now AS timestamptz) + make_interval(secs => 60 + n.number % 9000) END",
        "hints": "5",
        "handled": "5",
        "hinted_at": "CAST(:now AS timestamptz) - make_interval(secs => :every * (:orders - n.number))",
        "mirakl_wanted_since": "CAST(:now AS timestamptz) - interval '1 day'",
        "mirakl_seen_at": "CAST(:now AS timestamptz) - interval '1 hour'",
    }
    names = [column.name for column in orders.columns]
    values = [changed.get(name, f's."{name}"') for name in names]
    c.execute(
        text(
            f"INSERT INTO orders ({', '.join(names)}) OVERRIDING SYSTEM VALUE SELECT {', '.join(values)} "
            "FROM copied n JOIN orders s ON s.id = n.original ORDER BY n.number"
        ),
        {"now": now, "orders": size.orders, "every": YEAR / size.orders},
    )


def _copy_rows(c: Connection, table: Table, changed: Mapping[str, str]) -> None:
    """For each copy of an order, its rows of this table."""
    names = [column.name for column in table.columns if column.name != "id"]
    values = ["n.id" if name == "order_id" else changed.get(name, f's."{name}"') for name in names]
    c.execute(
        text(
            f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {', '.join(values)} "
            f"FROM copied n JOIN {table.name} s ON s.order_id = n.original JOIN orders o ON o.id = n.id "
            "ORDER BY n.number"
        )
    )


def _history(c: Connection, now: datetime) -> None:
    """What was over long ago: calls, closed cases, deliveries, measured edits; and a few calls that are open."""
    reference = encode(SetSellerReference("#1001"))
    c.execute(
        text(
            f"""
            INSERT INTO {operations.name} (id, order_id, connection_id, epoch, kind, platform, call_class, action, digest,
                state, planned_at, sent_at, ended_at, done_at, code)
            SELECT md5(o.id || '-' || k), o.id, o.connection_id, 1, (CAST(:kinds AS text[]))[k],
                CASE WHEN k IN (5, 6, 9, 10) THEN 'mirakl' ELSE 'shopify' END, 'B', CAST(:action AS jsonb), md5('d' || k),
                CASE WHEN is_open THEN CASE WHEN o.id % 2 = 0 THEN 'UNKNOWN' ELSE 'PLANNED' END ELSE 'CONFIRMED' END,
                o.created_at + make_interval(secs => k), o.created_at + make_interval(secs => k),
                o.created_at + make_interval(secs => k + 1),
                CASE WHEN NOT is_open THEN o.created_at + make_interval(secs => k + 1) END,
                CASE WHEN is_open THEN 'unclear' ELSE '' END
            FROM orders o JOIN copied n ON n.id = o.id CROSS JOIN generate_series(1, {CALLS_AN_ORDER}) AS k,
                LATERAL (SELECT o.id % 1000 < 2 AND k = 6 AS is_open) AS which
            ORDER BY o.id, k
            """
        ),
        {"kinds": list(KINDS), "action": json.dumps(reference)},
    )
    c.execute(
        text(
            f"""
            INSERT INTO {cases.name} (order_id, connection_id, kind, reason, subject, owner, severity, sentence, options,
                facts, first_opened_at, opened_at, closed_at, closed_because)
            SELECT o.id, o.connection_id, 'condition', 'carrier_unknown', 'DHL', 'operations', 'today',
                'The carrier is unknown.', '[]', '[]', o.created_at, o.created_at, o.created_at + interval '1 hour',
                'The reason for it is gone.'
            FROM orders o JOIN copied n ON n.id = o.id ORDER BY o.id
            """
        )
    )
    c.execute(
        text(
            f"""
            INSERT INTO {case_events.name} (case_id, at, who, what)
            SELECT k.id, e.at, 'Interlock', e.what FROM cases k,
                LATERAL (VALUES (k.opened_at, 'opened'), (k.closed_at, 'closed')) AS e(at, what)
            WHERE e.at IS NOT NULL ORDER BY k.id, e.at
            """
        )
    )
    c.execute(
        text(
            f"""
            INSERT INTO {timeline.name} (order_id, at, who, sentence)
            SELECT o.id, o.created_at + make_interval(secs => k), 'Interlock', 'Something was done.'
            FROM orders o JOIN copied n ON n.id = o.id CROSS JOIN generate_series(1, 4) AS k ORDER BY o.id, k
            """
        )
    )
    c.execute(
        text(
            f"""
            INSERT INTO {deliveries.name} (shop, topic, webhook_id, received_at, shopify_order_id, resolved_at)
            SELECT 'atlas-shop.myshopify.com', 'orders/updated', md5(o.id || '-' || k),
                CAST(:now AS timestamptz) - make_interval(secs => (o.id * 3 + k) % 2500000), o.shopify_order_id, :now
            FROM orders o JOIN copied n ON n.id = o.id CROSS JOIN generate_series(1, 3) AS k ORDER BY o.id, k
            """
        ),
        {"now": now},
    )
    c.execute(
        text(
            f"""
            INSERT INTO {edit_clock_rows.name} (order_id, change_id, connection_id, edited_at, skus, quiet_seconds, held_at,
                settled_at, outcome)
            SELECT o.id, 'edit', o.connection_id, o.created_at, '{{MUG}}', 0, o.created_at, o.created_at + interval '1 minute',
                'confirmed'
            FROM orders o JOIN copied n ON n.id = o.id WHERE o.id % 10 = 0 ORDER BY o.id
            """
        )
    )
    c.execute(
        text(
            """
            INSERT INTO measured (name, until, position)
            SELECT 'orders', CAST(:now AS timestamptz) - interval '1 minute', max(id) FROM timeline
            """
        ),
        {"now": now},
    )


def some_order(c: Connection, of: str = "edit_cannot_be_expressed") -> int:
    """The row id of an order with an open case of this reason."""
    asked = (
        select(cases.c.order_id).where(cases.c.reason == of, cases.c.closed_at.is_(None)).order_by(cases.c.id)
    )
    return int(c.execute(asked.limit(1)).scalar_one())
