"""A connection and an order in the database, as the engine's own tests need them."""

import random
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from interlock.clock import SeededIdentifiers
from interlock.engine.ledger import Reconciled, ToSend, begin, finish, reconcile
from interlock.engine.store import add_connection
from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    CancelQuantities,
    CreateDraft,
    Lane,
    LineCancelation,
    PlaceHold,
    ShipOrder,
)
from interlock.orders.outcomes import Outcome
from interlock.orders.store import OrderRow, add_order, take_lease
from interlock.orders.view import View
from tests.build import NOW, ORDER_ID, a_view, an_order, some_rules

ZERO = Decimal(0)
HOLD = PlaceHold("FO1", "notes")
ACCEPT = AnswerAcceptance((("L1", True), ("L2", True)))
SHIP = ShipOrder()
DRAFT = CreateDraft((), ZERO, "EUR", True)
CANCEL = CancelQuantities(
    (LineCancelation("L1", 1, 1, Decimal("10.00"), ZERO, (), ()),), "EUR", "TAX_INCLUDED", "34", True
)


def a_connection(c: Connection, name: str = "atlas", shop: int = 2000, **rules: Any) -> int:
    """A live connection of one marketplace account."""
    return add_connection(
        c,
        some_rules(name=name, **rules),
        NOW,
        live=True,
        mirakl_origin=f"https://{name}.example",
        mirakl_shop_id=shop,
        mirakl_key=b"key",
        shopify_shop="shop.myshopify.com",
        shopify_origin="https://shop.myshopify.com",
        shopify_client_id="client",
        shopify_client_secret=b"secret",
    )


def a_leased_order(c: Connection, now: datetime = NOW, mirakl_order_id: str = ORDER_ID) -> OrderRow:
    """A new order of a new connection, leased by `worker-1` for a minute."""
    order_id = add_order(c, a_connection(c), mirakl_order_id, "M-1001", NOW)
    row = take_lease(c, order_id, "worker-1", now, now + timedelta(seconds=60))
    assert row is not None
    return row


class Wakes:
    """A queue that only remembers who was woken."""

    def __init__(self) -> None:
        self.woken: list[tuple[int, Lane]] = []
        self.reads: list[int] = []

    def wake(self, c: Connection, order_id: int, lane: Lane) -> None:
        del c
        self.woken.append((order_id, lane))

    def read_wanted(self, c: Connection, connection_id: int) -> None:
        del c
        self.reads.append(connection_id)


class Book:
    """The ledger of one order, with short words for what tests do to it."""

    def __init__(self, c: Connection) -> None:
        self.c = c
        self.row = a_leased_order(c)
        self.identifiers = SeededIdentifiers(random.Random(1))

    def want(self, *wanted: Action, at: datetime = NOW, view: View | None = None, **more: Any) -> Reconciled:
        """Reconcile with a plan of these actions. The view's clock is `at`."""
        seen = view if view is not None else view_at(at)
        row = self.row
        return reconcile(
            self.c, row.id, row.connection_id, row.epoch, seen, wanted, at, self.identifiers, **more
        )

    def send(self, operation: ToSend, outcome: Outcome, at: datetime = NOW) -> None:
        """The operation leaves and ends at the same moment."""
        begin(self.c, self.row.id, operation, at)
        finish(self.c, self.row.id, operation, outcome, at)

    def ended(self, action: Action, outcome: Outcome, at: datetime = NOW) -> None:
        """The action was wanted, sent, and ended like this."""
        (operation,) = self.want(action, at=at).send
        self.send(operation, outcome, at)


def view_at(now: datetime, seen: datetime | None = None) -> View:
    """An agreed order at `now` whose marketplace snapshot was taken at `seen`, a second before by default."""
    observed = seen if seen is not None else now - timedelta(seconds=1)
    return a_view(now=now, mirakl=an_order(observed_at=observed))
