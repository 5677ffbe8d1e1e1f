"""What a label printer asks is found by index, however the order is named."""

from typing import Any

import pytest
from sqlalchemy import Connection, insert, text

from interlock.holds import store
from interlock.orders.store import EMPTY_MEMORY, orders
from interlock.storage.database import Database
from tests.build import NOW
from tests.engine.rows import a_connection

MANY = 3000
NAMES = {"order_gid": "gid://shopify/Order/7", "parcel_gid": "gid://shopify/FulfillmentOrder/7"}
VALUES = {**NAMES, "name": "M-7-A", "hash_name": "#M-7-A"}


def many_orders(c: Connection) -> None:
    connection_id = a_connection(c)
    c.execute(
        insert(orders),
        [
            {
                "connection_id": connection_id,
                "mirakl_order_id": f"M-{number}-A",
                "created_at": NOW,
                "memory": EMPTY_MEMORY,
                "shopify_order_id": f"gid://shopify/Order/{number}",
                "shopify_name": f"#{number}",
            }
            for number in range(MANY)
        ],
    )


@pytest.mark.parametrize(
    "statement",
    [store._BY_ORDER_GID, store._BY_PARCEL_GID, store._BY_WORDS, store._BY_DIGITS, store._BY_KIN],
    ids=["order gid", "fulfillment order gid", "name or Mirakl id", "digits", "kin"],
)
def test_no_look_up_walks_through_all_orders(own_database: Database, statement: Any) -> None:
    with own_database.begin() as c:
        many_orders(c)
        c.execute(text("ANALYZE orders"))
        compiled = statement.compile(own_database.engine)
        values = compiled.construct_params({n: v for n, v in VALUES.items() if n in compiled.params})
        rows = c.exec_driver_sql(f"EXPLAIN {compiled}", values)
        plan = "\n".join(row[0] for row in rows)

    assert "Seq Scan on orders" not in plan, plan
    assert "Index" in plan, plan


def test_each_order_is_found_once_whatever_names_it(database: Database) -> None:
    with database.begin() as c:
        many_orders(c)
        for number in ("gid://shopify/Order/7", "7", "#7", "M-7-A"):
            assert [row.mirakl_order_id for row in store.find_labels(c, number)] == ["M-7-A"], number
        assert store.find_labels(c, "M-7") == []
