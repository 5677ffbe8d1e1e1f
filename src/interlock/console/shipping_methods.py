"""What the shipping methods of a marketplace (SH12) are called in the shop: the title of the Shopify order's shipping line, as
warehouses and shipping apps read it. A method without a name of its own carries the marketplace's.

The names are settings of the connection and hold for orders that are created from then on.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from interlock.console import desk
from interlock.console.carriers import changes_since
from interlock.console.setting_maps import SettingMap
from interlock.engine.capabilities import keep_rules
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow, note_map_changes, one_connection
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.connection import ConnectionRules, ShippingMethod
from interlock.shipping.history import as_it_was

COLUMNS = ("code", "title")
MAP = "methods"
"""Under which name the history of maps keeps it."""
LONGEST_TITLE = 100


def method_map(rules: ConnectionRules) -> dict[str, str]:
    """The titles that are set, by the marketplace's code."""
    return {one.code: one.title for one in rules.shipping_methods}


def offered_methods(row: ConnectionRow) -> tuple[str, ...]:
    """The codes of the marketplace's shipping methods; none until its list was read."""
    return () if row.capability is None else decode(Capability, row.capability).shipping_types


def set_methods(
    c: Connection,
    queue: Queue,
    connection: ConnectionRow,
    titles: Mapping[str, str],
    who: str,
    now: datetime,
    why: str = "",
) -> desk.Mapped:
    """Keep these titles by code, in somebody's name; an empty one takes the method's away, others stay. Raises MapRefused,
    and changes nothing then."""
    if not who.strip():
        raise desk.MapRefused("A mapping needs the name of who makes it. Nothing was changed.", field="who")
    row = one_connection(c, connection.id)
    before = method_map(row.rules)
    for code, title in titles.items():
        if wrong := method_problem(row, code, title):
            raise desk.MapRefused(f"{wrong[1]} Nothing was changed.", field=wrong[0])
        if not title and code not in before:
            raise desk.MapRefused(f"{code[:40]!r} has no title. Nothing was changed.", field="code")
    _keep(c, queue, row, {**before, **titles}, who, why, now)
    gone = sum(1 for title in titles.values() if not title)
    return desk.Mapped(len(titles) - gone, 0, gone)


def roll_back_methods(
    c: Connection, queue: Queue, connection: ConnectionRow, to: datetime, who: str, why: str, now: datetime
) -> desk.Mapped:
    """Make the titles what they were at the moment `to`, all of them or none, in somebody's name and with a reason. The
    changes since then stay in the history, and so does this one. Raises MapRefused."""
    desk.check_roll_back(to, who, why, now)
    row = one_connection(c, connection.id)
    before = method_map(row.rules)
    wanted = as_it_was(before, changes_since(c, connection.id, MAP, to))
    if wanted == before:
        raise desk.MapRefused("The titles are as they were at that moment. Nothing was changed.", field="to")
    _keep(c, queue, row, wanted, who, why, now)
    changed = sum(1 for code, title in wanted.items() if before.get(code) != title)
    return desk.Mapped(changed, 0, sum(1 for code in before if code not in wanted))


def _keep(
    c: Connection,
    queue: Queue,
    row: ConnectionRow,
    titles: Mapping[str, str],
    who: str,
    why: str,
    now: datetime,
) -> None:
    kept = {code: title for code, title in sorted(titles.items()) if title}
    methods = tuple(ShippingMethod(code, title) for code, title in kept.items())
    keep_rules(c, queue, row, replace(row.rules, shipping_methods=methods), now)
    note_map_changes(c, row.id, MAP, method_map(row.rules), kept, who.strip(), why.strip(), now)


def method_problem(row: ConnectionRow, code: str, title: str) -> tuple[str, str] | None:
    """The field because of which a title cannot be kept for a method, and why; None when it can. An empty title always
    can."""
    offered = offered_methods(row)
    if not title:
        return None
    if code not in offered:
        has = ", ".join(offered)[:300] or "none"
        return "code", f"{code[:40]!r} is no shipping method of this marketplace. It has: {has}."
    if not title.isprintable() or len(title) > LONGEST_TITLE:
        return "title", f"A title is a text of up to {LONGEST_TITLE} characters in one line."
    return None


def read_method_file(row: ConnectionRow, file: str, body: bytes) -> dict[str, str]:
    """The titles of a CSV file with the columns code and title. Raises MapRefused, which names every wrong row."""
    rows, wrong = desk.file_rows(file, body, COLUMNS, ())
    found: dict[str, str] = {}
    for one in rows:
        code, title = one.fields["code"], one.fields["title"]
        if not title:
            wrong.append(desk.WrongRow(one.number, "title", "It is empty."))
        elif code in found:
            wrong.append(desk.WrongRow(one.number, "code", f"{code[:40]!r} is there twice."))
        elif problem := method_problem(row, code, title):
            wrong.append(desk.WrongRow(one.number, *problem))
        else:
            found[code] = title
    desk.none_wrong(file, wrong)
    return found


def method_rows(rules: ConnectionRules) -> list[tuple[str, str]]:
    """The titles as their file has them: what can be given again as it is."""
    return list(method_map(rules).items())


METHODS = SettingMap(
    MAP, "Shipping methods", COLUMNS, method_rows, read_method_file, set_methods, roll_back_methods
)
