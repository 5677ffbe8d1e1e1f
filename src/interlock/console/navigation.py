"""Where the pages are: the console's map, of which a page shows what there is."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the map. `path` is the page it leads to; every page below that path belongs to it."""

    path: str
    name: str

    def holds(self, path: str) -> bool:
        """Whether the page at `path` belongs here."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


PLACES: tuple[tuple[str, tuple[Place, ...]], ...] = (
    (
        "Work",
        (
            Place("/", "Today"),
            Place("/orders", "Orders"),
            Place("/acceptance", "Acceptance"),
            Place("/cases", "Cases"),
            Place("/refund-tasks", "Refund tasks"),
            Place("/holds", "Holds"),
            Place("/label-check", "Label check"),
            Place("/mappings", "Mappings"),
            Place("/skus", "SKUs"),
        ),
    ),
    (
        "Running it",
        (
            Place("/health", "Health"),
            Place("/alerts", "Alerts"),
            Place("/connections", "Connections"),
            Place("/people", "People"),
            Place("/api-keys", "API keys"),
            Place("/audit-log", "Audit log"),
            Place("/privacy", "Privacy requests"),
            Place("/manual", "Manual"),
        ),
    ),
)
"""Every page that may be in the menu, in the order in which people need them. One without a route is not shown."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the menu as a page shows it."""

    path: str
    name: str
    here: bool


def menu(paths: Collection[str], here: str) -> tuple[tuple[str, tuple[Entry, ...]], ...]:
    """The menu of the page at `here`: what has a route among `paths`, group by group."""
    groups = []
    for title, places in PLACES:
        entries = tuple(
            Entry(place.path, place.name, place.holds(here)) for place in places if place.path in paths
        )
        if entries:
            groups.append((title, entries))
    return tuple(groups)
