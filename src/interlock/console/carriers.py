"""A carrier map as a file, and as it was."""

from datetime import datetime

from sqlalchemy import Connection, select

from interlock.console import desk
from interlock.console.export import csv_text
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, map_changes
from interlock.orders.connection import CarrierMapping
from interlock.shipping.history import Change, as_it_was, described, mapping_of
from interlock.shipping.store import carrier_map, map_carriers, unmap_carrier

COLUMNS = ("shop_name", "code", "name", "country", "service")


def as_file(mappings: tuple[CarrierMapping, ...]) -> str:
    """A carrier map as the CSV file that `interlock carriers import` takes."""
    return csv_text([COLUMNS, *((m.shop_name, m.code, m.name, m.country, m.service) for m in mappings)])


def roll_back_carriers(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    to: datetime,
    who: str,
    why: str,
    now: datetime,
) -> desk.Mapped:
    """Make the carrier map what it was at the moment `to`, all of it or nothing, in somebody's name and with a reason.
    The changes since then stay in the history, and so does this one. Raises MapRefused."""
    desk.check_roll_back(to, who, why, now)
    former = carrier_map(c, connection.id)
    before = dict(described(mapping) for mapping in former)
    wanted = as_it_was(before, changes_since(c, connection.id, "carriers", to))
    if wanted == before:
        raise desk.MapRefused("The carrier map is as it was at that moment. Nothing was changed.", field="to")
    changed = [
        mapping_of(name, leads_to) for name, leads_to in wanted.items() if before.get(name) != leads_to
    ]
    for mapping in changed:
        wrong = desk.carrier_problem(connection, mapping)
        if wrong is not None:
            name, leads_to = described(mapping)
            raise desk.MapRefused(
                f"At that moment {name!r} led to {leads_to}, which cannot be kept any more: {wrong[1]} Nothing was "
                "changed; map what you need by hand.",
                field=wrong[0],
            )
    dropped = [mapping for mapping in former if described(mapping)[0] not in wanted]
    desk.check_no_contradiction([mapping for mapping in former if mapping not in dropped], changed)
    for mapping in dropped:
        unmap_carrier(c, connection.id, mapping)
    map_carriers(c, connection.id, changed, who.strip(), now)
    desk.note_carrier_changes(c, connection.id, former, who, why, now)
    desk.carriers_changed(c, queue, connection, now)
    unlocked, replay_id = desk.replay_carriers(c, queue, connection.id, changed, who, now)
    return desk.Mapped(len(changed), unlocked, len(dropped), replay_id)


def changes_since(c: Connection, connection_id: int, which: str, moment: datetime) -> list[Change]:
    """The changes of the map `which` (carriers or skus) after a moment, the newest first."""
    rows = c.execute(
        select(map_changes.c.name, map_changes.c.former, map_changes.c.present)
        .where(
            map_changes.c.connection_id == connection_id,
            map_changes.c.map == which,
            map_changes.c.at > moment,
        )
        .order_by(map_changes.c.id.desc())
    )
    return [Change(row.name, row.former, row.present) for row in rows]
