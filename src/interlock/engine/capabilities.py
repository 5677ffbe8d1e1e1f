"""Keeping what a marketplace says it allows: its profile, the reason codes it takes, and the orders a change concerns."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, or_, select, text, update

from interlock.cases.store import cases, close_connection_cases, keep_connection_case, open_connection_case
from interlock.engine.hints import hint
from interlock.engine.queue import Queue
from interlock.engine.store import (
    ConnectionRow,
    connections,
    count,
    map_changes,
    note_map_changes,
    one_connection,
)
from interlock.marketplaces.observed import Observation
from interlock.marketplaces.profile import changes_between
from interlock.marketplaces.reasons import missing_codes
from interlock.marketplaces.settings import refuted_settings
from interlock.marketplaces.store import forget, observe
from interlock.orders.capability import Capability
from interlock.orders.codec import decode, encode
from interlock.orders.connection import Carrier, ConnectionRules
from interlock.orders.reasons import Reason
from interlock.orders.store import orders
from interlock.shipping.names import key
from interlock.shipping.store import carrier_map
from interlock.shipping.vanished import LOOKED_BACK, ParcelName, called, vanished

CARRIERS_OF_MARKETPLACE = "marketplace carriers"
METHODS_OF_MARKETPLACE = "marketplace shipping methods"
"""The two lists of a marketplace (SH21, SH12) whose changes are kept beside those of the maps people make."""


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
    if before is not None:
        _note_lists(c, row, before, capability, now)
    check_reasons(c, row.id, row.rules, capability, now)
    check_carriers(c, row.id, capability, now)
    changes = () if before is None else changes_between(before, capability)
    return Kept(changes, hint_waiting(c, queue, row.id, now) if changes else 0)


def keep_rules(
    c: Connection,
    queue: Queue,
    row: ConnectionRow,
    rules: ConnectionRules,
    now: datetime,
    said_anew: Sequence[str] = (),
) -> Kept:
    """Store changed settings of a connection; what waits is decided again by them. What a person says anew is tried
    anew: an earlier refusal of the marketplace does not speak against it any more."""
    _write(c, row.id, rules=encode(rules), rules_changed_at=now)
    forgotten = forget(c, row.id, said_anew)
    check_settings(c, one_connection(c, row.id), now)
    if row.capability is not None:
        check_reasons(c, row.id, rules, decode(Capability, row.capability), now)
    before, after = encode(row.rules), encode(rules)
    names = {*before, *after}
    changed = {name for name in names if before.get(name) != after.get(name)}
    changes = tuple(sorted(changed | set(forgotten)))
    return Kept(changes, hint_waiting(c, queue, row.id, now) if changes else 0)


def keep_observation(
    c: Connection, queue: Queue, connection_id: int, seen: Observation, now: datetime
) -> bool:
    """Note what an answer of the marketplace proved. Where it speaks against a setting that is a case of the connection
    until it is settled, and every order that waits is decided again; so it is when the marketplace allows it again. True
    when other rules hold now than before."""
    before = one_connection(c, connection_id)
    if not observe(c, connection_id, seen, now):
        return False
    after = one_connection(c, connection_id)
    check_settings(c, after, now)
    if refuted_settings(before.rules, before.refuted) == refuted_settings(after.rules, after.refuted):
        return False
    hint_waiting(c, queue, connection_id, now)
    return True


def check_settings(c: Connection, row: ConnectionRow, now: datetime) -> None:
    """One case of the connection for each setting the marketplace's answers speak against; those settled are closed."""
    refuted = {one.name: one for one in refuted_settings(row.rules, row.refuted)}
    for subject in open_subjects(c, row.id, Reason.SETTING_REFUTED):
        if subject not in refuted:
            because = "The marketplace allows it after all, or the setting was said anew."
            close_connection_cases(c, row.id, Reason.SETTING_REFUTED, subject, now, because)
    for name, one in refuted.items():
        open_connection_case(c, row.id, Reason.SETTING_REFUTED, name, one.sentence(row.name), now)


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


def _note_lists(
    c: Connection, row: ConnectionRow, before: Capability, capability: Capability, now: datetime
) -> None:
    """Write down and count what its carriers (SH21) and shipping methods (SH12) gained, lost and are called otherwise."""
    lists = (
        (CARRIERS_OF_MARKETPLACE, called(before.carriers), called(capability.carriers)),
        (
            METHODS_OF_MARKETPLACE,
            {method: method for method in before.shipping_types},
            {method: method for method in capability.shipping_types},
        ),
    )
    for which, former, present in lists:
        noted = note_map_changes(c, row.id, which, former, present, "the marketplace", "", now)
        if noted:
            count(c, f"{which.replace(' ', '_')}_changed", row.name, by=noted)


def check_carriers(c: Connection, connection_id: int, capability: Capability, now: datetime) -> None:
    """One case of the connection for each carrier or shipping method that parcels resolve by and the marketplace has
    dropped (SH21, SH12), before a parcel needs it; those put right are closed."""
    rules = replace(
        one_connection(c, connection_id).rules,
        carriers=capability.carriers,
        carrier_mappings=carrier_map(c, connection_id),
    )
    open_now = open_subjects(c, connection_id, Reason.CARRIER_GONE)
    former = _former_carriers(c, connection_id, capability.carriers, now - LOOKED_BACK, open_now)
    missed = vanished(rules, capability.shipping_types, former, ())
    if missed or former:
        names = _parcel_names(c, connection_id, now)
        missed = vanished(rules, capability.shipping_types, former, names)
    there = {one.subject: one for one in missed}
    for subject in open_now:
        if subject not in there:
            because = "The marketplace has it again, the names are mapped anew, or nothing uses it any more."
            close_connection_cases(c, connection_id, Reason.CARRIER_GONE, subject, now, because)
    for subject, one in there.items():
        keep_connection_case(c, connection_id, Reason.CARRIER_GONE, subject, one.sentence, now)


def _former_carriers(
    c: Connection, connection_id: int, carriers: tuple[Carrier, ...], since: datetime, codes: list[str]
) -> tuple[Carrier, ...]:
    """Carriers that the list lost `since` then, or ever where they have one of the `codes`: it has no such code any more,
    or calls it otherwise."""
    rows = c.execute(
        select(map_changes.c.name, map_changes.c.former)
        .distinct()
        .where(
            map_changes.c.connection_id == connection_id,
            map_changes.c.map == CARRIERS_OF_MARKETPLACE,
            map_changes.c.former != "",
            or_(map_changes.c.at >= since, map_changes.c.name.in_(codes)),
        )
        .order_by(map_changes.c.name, map_changes.c.former)
    )
    now_called = {code: key(label) for code, label in called(carriers).items()}
    return tuple(Carrier(row.name, row.former) for row in rows if now_called.get(row.name) != key(row.former))


_PARCEL_NAMES = text("""
    SELECT parcel ->> 'carrier' AS name, coalesce(last_view -> 'mirakl' ->> 'country', '') AS country,
        coalesce(last_view -> 'mirakl' ->> 'shipping_type_code', '') AS service, count(*) AS parcels
    FROM orders CROSS JOIN LATERAL jsonb_array_elements(last_view -> 'shopify' -> 'fulfillments') AS parcel
    WHERE connection_id = :connection_id AND created_at >= :since
        AND coalesce(parcel ->> 'carrier', '') <> ''
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
""")


def _parcel_names(c: Connection, connection_id: int, now: datetime) -> tuple[ParcelName, ...]:
    """How the shop named the carriers of the parcels of young orders. Reads every such order: only for when a list has
    lost something that may matter."""
    rows = c.execute(_PARCEL_NAMES, {"connection_id": connection_id, "since": now - LOOKED_BACK})
    return tuple(ParcelName(row.name, row.country, row.service, int(row.parcels)) for row in rows)


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
