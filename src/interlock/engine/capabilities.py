"""Keeping what a marketplace says it allows: its profile, the reason codes it takes, and the orders a change concerns."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, or_, select, update

from interlock.cases.store import cases, close_connection_cases, open_connection_case
from interlock.engine.hints import hint
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, connections
from interlock.marketplaces.profile import changes_between
from interlock.marketplaces.reasons import missing_codes
from interlock.orders.capability import Capability
from interlock.orders.codec import decode, encode
from interlock.orders.connection import ConnectionRules
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.shipping.carriers import gone_carriers
from interlock.shipping.store import carrier_map


@dataclass(frozen=True, slots=True)
class Kept:
    """What keeping a profile or rules changed: the names of the fields, and how many orders are looked at again."""

    changes: tuple[str, ...]
    hinted: int


def keep_capability(
    c: Connection, queue: Queue, row: ConnectionRow, capability: Capability, now: datetime
) -> Kept:
    """Store what the marketplace said just now (PC01, RE01, SH12, SH21, A01). Where it differs from before, every order
    that waits for something is decided again."""
    before = None if row.capability is None else decode(Capability, row.capability)
    _write(c, row.id, capability=encode(capability), capability_read_at=now)
    check_reasons(c, row.id, row.rules, capability, now)
    check_carriers(c, row.id, capability, now)
    changes = () if before is None else changes_between(before, capability)
    return Kept(changes, hint_waiting(c, queue, row.id, now) if changes else 0)


def keep_rules(
    c: Connection, queue: Queue, row: ConnectionRow, rules: ConnectionRules, now: datetime
) -> Kept:
    """Store changed settings of a connection; what waits is decided again by them."""
    _write(c, row.id, rules=encode(rules), rules_changed_at=now)
    if row.capability is not None:
        check_reasons(c, row.id, rules, decode(Capability, row.capability), now)
    before, after = encode(row.rules), encode(rules)
    names = {*before, *after}
    changes = tuple(sorted(name for name in names if before.get(name) != after.get(name)))
    return Kept(changes, hint_waiting(c, queue, row.id, now) if changes else 0)


def _write(c: Connection, connection_id: int, **values: Any) -> None:
    c.execute(update(connections).where(connections.c.id == connection_id).values(**values))


def check_reasons(
    c: Connection, connection_id: int, rules: ConnectionRules, capability: Capability, now: datetime
) -> None:
    """One case of the connection for each reason code that is missing or no longer taken; those put right are closed."""
    missing = {f"{one.use} {one.code}".strip(): one for one in missing_codes(rules, capability)}
    for subject in open_subjects(c, connection_id, Reason.REASON_CODE_MISSING):
        if subject not in missing:
            because = "The marketplace takes the reason codes this connection uses."
            close_connection_cases(c, connection_id, Reason.REASON_CODE_MISSING, subject, now, because)
    for subject, one in missing.items():
        sentence = one.sentence(rules.name)
        open_connection_case(c, connection_id, Reason.REASON_CODE_MISSING, subject, sentence, now)


def check_carriers(c: Connection, connection_id: int, capability: Capability, now: datetime) -> None:
    """One case of the connection for each code its carrier map leads to and the marketplace has dropped (SH21), before
    a parcel needs it; those put right are closed."""
    gone = {one.code: one for one in gone_carriers(carrier_map(c, connection_id), capability.carriers)}
    for subject in open_subjects(c, connection_id, Reason.CARRIER_GONE):
        if subject not in gone:
            because = "Nothing is mapped to the code any more, or the marketplace has it again."
            close_connection_cases(c, connection_id, Reason.CARRIER_GONE, subject, now, because)
    for code, one in gone.items():
        open_connection_case(c, connection_id, Reason.CARRIER_GONE, code, one.sentence(), now)


def open_subjects(c: Connection, connection_id: int, reason: Reason) -> list[str]:
    """The subjects of the open cases of a connection as a whole with this reason."""
    found = c.execute(
        select(cases.c.subject).where(
            cases.c.connection_id == connection_id,
            cases.c.order_id.is_(None),
            cases.c.reason == reason.value,
            cases.c.closed_at.is_(None),
        )
    ).scalars()
    return list(found)


def hint_waiting(c: Connection, queue: Queue, connection_id: int, now: datetime) -> int:
    """Hint every order of the connection that waits: with an open case, with an edit that is not settled, or with a
    look to come. Returns how many."""
    waiting = or_(
        exists().where(cases.c.order_id == orders.c.id, cases.c.closed_at.is_(None)),
        orders.c.memory["disagreeing_since"].is_not(None),
        orders.c.next_look_at.is_not(None),
    )
    ids = c.execute(
        select(orders.c.id).where(orders.c.connection_id == connection_id, waiting).order_by(orders.c.id)
    ).scalars()
    found = list(ids)
    for order_id in found:
        hint(c, queue, order_id, "edits", now)
    return len(found)
