"""What a marketplace changed in its own lists of carriers and shipping methods."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select

from interlock.engine.capabilities import CARRIERS_OF_MARKETPLACE, METHODS_OF_MARKETPLACE
from interlock.engine.store import map_changes

LIST_CHANGES_SHOWN = 20


@dataclass(frozen=True, slots=True)
class ListChange:
    """One change of a list the marketplace keeps itself: what the code was called (`former`, empty where it is new) and
    is called (`present`, empty where it is gone). `kind` is carrier (SH21) or shipping method (SH12)."""

    at: datetime
    kind: Literal["carrier", "shipping method"]
    code: str
    former: str
    present: str

    @property
    def what(self) -> str:
        """What became of the code, in one word."""
        if not self.former:
            return "new"
        return "renamed" if self.present else "gone"


def list_changes(c: Connection, connection_id: int, most: int = LIST_CHANGES_SHOWN) -> tuple[ListChange, ...]:
    """How the marketplace's lists of carriers and shipping methods changed between two daily reads, the newest first."""
    rows = c.execute(
        select(map_changes)
        .where(
            map_changes.c.connection_id == connection_id,
            map_changes.c.map.in_((CARRIERS_OF_MARKETPLACE, METHODS_OF_MARKETPLACE)),
        )
        .order_by(map_changes.c.id.desc())
        .limit(most)
    )
    return tuple(
        ListChange(
            row.at,
            "carrier" if row.map == CARRIERS_OF_MARKETPLACE else "shipping method",
            row.name,
            row.former,
            row.present,
        )
        for row in rows
    )
