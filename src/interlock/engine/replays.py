"""Wakes the orders of a replay within what the other orders leave: a few at a time, in the lowest lane."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection

from interlock.cases.replays import answer_all, begin, next_to_wake
from interlock.engine.hints import hint
from interlock.engine.queue import Queue
from interlock.orders.reasons import Option, Reason


def replay_all(
    c: Connection,
    queue: Queue,
    connection_id: int,
    reason: Reason,
    causes: Collection[str],
    who: str,
    now: datetime,
) -> int | None:
    """Have every order looked at again that one of these causes stops: the first ones at once, the others paced by the
    sweep. Returns the replay's row id; None when no order waits for it."""
    replay_id = begin(c, connection_id, reason, causes, who, now)
    if replay_id is not None:
        wake_next(c, queue, now)
    return replay_id


def answer_and_replay(
    c: Connection,
    queue: Queue,
    connection_id: int,
    reason: Reason,
    cause: str,
    option: Option,
    who: str,
    why: str,
    now: datetime,
) -> int | None:
    """Give one answer to every case of a cause that may have it, and have their orders looked at because of it, paced like
    every replay. Returns the replay's row id; None when no case was answered."""
    given = answer_all(c, connection_id, reason, cause, option, who, why, now)
    replay_id = begin(c, connection_id, reason, (cause,), who, now, option, given.left_out)
    if replay_id is not None:
        wake_next(c, queue, now)
    return replay_id


def wake_next(c: Connection, queue: Queue, now: datetime) -> int:
    """Wake the next orders of the replays that run; returns how many. An order that waits for acceptance goes into that
    lane; every other one behind all other work."""
    chosen = next_to_wake(c, now)
    for order_id, waits_for_acceptance in chosen:
        hint(c, queue, order_id, "acceptance" if waits_for_acceptance else "rest", now)
    return len(chosen)
