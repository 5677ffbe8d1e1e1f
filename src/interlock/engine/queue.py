"""The port to the job engine: a wake-up says "look at this order now" and nothing else.

The truth is in the order's own row; a lost wake-up costs a few seconds, because a sweep asks the rows.
"""

from typing import Protocol

from sqlalchemy import Connection

from interlock.orders.actions import Lane


class Queue(Protocol):
    """Where wake-ups go."""

    def wake(self, c: Connection, order_id: int, lane: Lane) -> None:
        """Ask, inside the caller's transaction, that a worker looks at this order. Asking twice is asking once."""
        ...

    def read_wanted(self, c: Connection, connection_id: int) -> None:
        """Tell the connection's read desk, inside the caller's transaction, that a younger marketplace snapshot is
        wanted. The desk also asks the rows by itself every second."""
        ...
