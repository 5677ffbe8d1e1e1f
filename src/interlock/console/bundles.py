"""What an offer is made of, as people tell it: one bundle, or many from a file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from sqlalchemy import Connection, select

from interlock.cases.replays import impact
from interlock.console import desk
from interlock.console.export import csv_text
from interlock.engine.offers import relink
from interlock.engine.queue import Queue
from interlock.engine.replays import replay_all
from interlock.engine.store import ConnectionRow, note_map_changes
from interlock.offers.matching import Component
from interlock.offers.store import bundle_components, bundles, keep_bundles
from interlock.orders.reasons import Reason

MOST_COMPONENTS = 50
MOST_UNITS = 10_000
COLUMNS = ("offer_sku", "component_sku", "quantity")
"""The columns of a file of bundles; a row is one component, and `quantity` the units of it in one unit of the offer."""
_BETWEEN_COMPONENTS = re.compile(r" \+ (?=[0-9]+ x )")


def told(components: Sequence[Component]) -> str:
    """What an offer is made of, as people read it and by SKU: 1 x LID + 4 x MUG."""
    by_sku = sorted(components, key=lambda one: one.shop_sku)
    return " + ".join(f"{one.units} x {one.shop_sku}" for one in by_sku)


def made_of(text: str) -> tuple[Component, ...]:
    """The components that `told` wrote so."""
    found = []
    for part in _BETWEEN_COMPONENTS.split(text) if text else ():
        units, _, sku = part.partition(" x ")
        found.append(Component(sku, int(units)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class BundleEntry:
    """One bundle: what one unit of the offer is made of, by SKU, and who said so when."""

    mirakl_sku: str
    components: tuple[Component, ...]
    changed_by: str
    changed_at: datetime


def bundle_entries(c: Connection, connection_id: int) -> tuple[BundleEntry, ...]:
    """Every bundle of a connection, by marketplace SKU."""
    rows = c.execute(
        select(bundle_components)
        .where(bundle_components.c.connection_id == connection_id)
        .order_by(bundle_components.c.mirakl_sku, bundle_components.c.shop_sku)
    )
    # The components of a bundle are told together, so each says the same person and moment.
    return tuple(
        BundleEntry(
            sku,
            tuple(Component(row.shop_sku, row.units) for row in parts),
            parts[0].changed_by,
            parts[0].changed_at,
        )
        for sku, parts in ((sku, list(parts)) for sku, parts in groupby(rows, lambda row: row.mirakl_sku))
    )


def replay_bundles(
    c: Connection, queue: Queue, connection_id: int, skus: Sequence[str], who: str, now: datetime
) -> tuple[int, int | None]:
    """Have every order looked at that waits for one of these bundles or its stock. Returns how many, and the replay."""
    unlocked, replay_id = 0, None
    for reason in (Reason.SKU_UNKNOWN, Reason.SKU_AMBIGUOUS, Reason.STOCK_SHORT) if skus else ():
        unlocked += impact(c, connection_id, reason, skus).orders
        replay_id = replay_all(c, queue, connection_id, reason, skus, who.strip(), now) or replay_id
    return unlocked, replay_id


def set_bundle(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    sku: str,
    components: Sequence[Component],
    who: str,
    now: datetime,
    why: str = "",
) -> desk.Mapped:
    """Say what one unit of an offer is made of, in somebody's name; without components it is no bundle any more. Orders
    that wait for it are looked at again. Raises MapRefused, and changes nothing then."""
    if not components and not bundles(c, connection.id).get(sku):
        _check(who, {sku: components})
        raise desk.MapRefused(f"{sku!r} is no bundle. Nothing was changed.", field="mirakl_sku")
    return set_bundles(c, queue, connection, {sku: components}, who, now, why)


def set_bundles(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    wanted: Mapping[str, Sequence[Component]],
    who: str,
    now: datetime,
    why: str = "",
) -> desk.Mapped:
    """Say what one unit of each of these offers is made of, by marketplace SKU, all of them or none; what is said of other
    offers stays. Orders that wait for one are looked at again. Raises MapRefused, and changes nothing then."""
    _check(who, wanted)
    present = {sku: parts for sku, parts in bundles(c, connection.id).items() if sku in wanted}
    keep_bundles(c, connection.id, wanted, who.strip(), now)
    before = {sku: told(parts) for sku, parts in present.items()}
    after = {sku: told(parts) for sku, parts in wanted.items() if parts}
    note_map_changes(c, connection.id, "bundles", before, after, who.strip(), why.strip(), now)
    relink(c, connection, now)
    unlocked, replay_id = replay_bundles(c, queue, connection.id, list(wanted), who, now)
    kept = sum(len(parts) for parts in wanted.values())
    return desk.Mapped(kept, unlocked, sum(1 for sku in before if sku not in after), replay_id)


def _check(who: str, wanted: Mapping[str, Sequence[Component]]) -> None:
    if not who.strip():
        raise desk.MapRefused("A bundle needs the name of who tells it. Nothing was changed.", field="who")
    for sku, components in wanted.items():
        wrong = _bundle_problem(sku, components)
        if wrong is not None:
            raise desk.MapRefused(f"{wrong[1]} Nothing was changed.", field=wrong[0])


def _bundle_problem(sku: str, components: Sequence[Component]) -> tuple[str, str] | None:
    wrong = desk.sku_problem(sku, "x")
    if wrong is not None:
        return wrong
    if len(components) > MOST_COMPONENTS:
        return "components", f"A bundle has at most {MOST_COMPONENTS} components."
    names = [one.shop_sku for one in components]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        return "components", f"{twice!r} is named twice; give the number of its units once."
    for one in components:
        why = _name_problem(one.shop_sku) or _units_problem(one)
        if why:
            return "components", why
    return None


def _name_problem(shop_sku: str) -> str:
    wrong = desk.sku_problem("x", shop_sku)
    if wrong is not None:
        return wrong[1]
    if _BETWEEN_COMPONENTS.search(shop_sku):
        return f"{shop_sku!r} reads like several components."
    return ""


def _units_problem(one: Component) -> str:
    if 1 <= one.units <= MOST_UNITS:
        return ""
    return f"{one.units} units of {one.shop_sku!r}: 1 to {MOST_UNITS} is expected."


def component_of(text: str) -> Component:
    """A component as people write it, `MUG=4` or `MUG` for one unit. Raises MapRefused."""
    sku, _, units = text.rpartition("=") if "=" in text else (text, "", "1")
    number = _whole(units.strip())
    if number is None:
        raise desk.MapRefused(
            f"{text!r} is no component: SKU=UNITS is expected, such as MUG=4. Nothing was changed.",
            field="components",
        )
    return Component(sku.strip(), number)


def _whole(text: str) -> int | None:
    """A whole number in digits, None for anything else; what is longer than any number of units is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None


# -- files -------------------------------------------------------------------------------------------------


def read_bundle_file(file: str, body: bytes) -> dict[str, tuple[Component, ...]]:
    """The bundles of a CSV file with the columns offer_sku, component_sku and quantity, by marketplace SKU. The rows of one
    offer need not follow each other. Raises MapRefused, which names every wrong row."""
    rows, wrong = desk.file_rows(file, body, COLUMNS, ())
    found: dict[str, dict[str, Component]] = {}
    first: dict[tuple[str, str], int] = {}
    for row in rows:
        component = _component_in(row)
        if isinstance(component, desk.WrongRow):
            wrong.append(component)
            continue
        offer_sku = row.fields["offer_sku"]
        components, place = found.setdefault(offer_sku, {}), (offer_sku, component.shop_sku)
        if place in first:
            why = f"{component.shop_sku!r} is in {offer_sku!r} by row {first[place]} already; give its quantity once."
            wrong.append(desk.WrongRow(row.number, "component_sku", why))
        elif len(components) == MOST_COMPONENTS:
            why = f"{offer_sku!r} has {MOST_COMPONENTS} components before it, the most a bundle has."
            wrong.append(desk.WrongRow(row.number, "component_sku", why))
        else:
            components[component.shop_sku] = component
            first[place] = row.number
    desk.none_wrong(file, wrong)
    return {offer_sku: tuple(components.values()) for offer_sku, components in found.items()}


def _component_in(row: desk.Row) -> Component | desk.WrongRow:
    offer_sku, shop_sku, quantity = (row.fields[name] for name in COLUMNS)
    unusable = desk.sku_problem(offer_sku, "x")
    if unusable is not None:
        return desk.WrongRow(row.number, "offer_sku", unusable[1])
    why = _name_problem(shop_sku)
    if why:
        return desk.WrongRow(row.number, "component_sku", why)
    units = _whole(quantity)
    if units is None or not 1 <= units <= MOST_UNITS:
        said = repr(quantity[:40]) if quantity else "It is empty"
        why = f"{said}: a whole number from 1 to {MOST_UNITS} is expected."
        return desk.WrongRow(row.number, "quantity", why)
    return Component(shop_sku, units)


def bundle_rows(c: Connection, connection_id: int) -> list[tuple[str, str, int]]:
    """The bundles of a connection as their file has them: what can be given again as it is."""
    return [
        (sku, one.shop_sku, one.units) for sku, parts in bundles(c, connection_id).items() for one in parts
    ]


def bundles_as_file(c: Connection, connection_id: int) -> str:
    """The bundles of a connection as the CSV file that `interlock skus import --bundles` takes."""
    return csv_text([COLUMNS, *bundle_rows(c, connection_id)])
