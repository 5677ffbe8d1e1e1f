"""A map that is kept in the settings of its connection, such as the reason codes: what its pages and commands call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from interlock.console import desk
from interlock.console.export import csv_text
from interlock.engine.queue import Queue
from interlock.engine.store import ConnectionRow
from interlock.orders.connection import ConnectionRules


@dataclass(frozen=True, slots=True)
class SettingMap:
    """One such map: a text by place. `name` is what its address, its file and its history call it, `title` what people do.

    `rows` gives the entries as a file has them; `read_file` those of a file by its name and content, by place; `keep` sets
    some by place, in somebody's name; `roll_back` makes the map what it was at a moment, in somebody's name and with a
    reason. The last three raise MapRefused, and change nothing then."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: Callable[[ConnectionRules], Sequence[tuple[str, ...]]]
    read_file: Callable[[ConnectionRow, str, bytes], Mapping[str, str]]
    keep: Callable[[Connection, Queue, ConnectionRow, Mapping[str, str], str, datetime], desk.Mapped]
    roll_back: Callable[[Connection, Queue, ConnectionRow, datetime, str, str, datetime], desk.Mapped]

    def as_file(self, rules: ConnectionRules) -> str:
        """The map as the CSV file that its import takes."""
        return csv_text([self.columns, *self.rows(rules)])
