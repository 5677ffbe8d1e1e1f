"""The connections as a list: filtered by its address, in the order in which they were made."""

from collections.abc import Sequence

from interlock.console.connections import ConnectionCard
from interlock.console.export import Cell
from interlock.console.lists import Asked, known

OWN_FILTERS = ("state",)
STATES = ("live", "not live")
COLUMNS = (
    "number",
    "connection",
    "live",
    "marketplace",
    "shop",
    "orders",
    "open cases",
    "paused flows",
    "carriers mapped",
    "SKUs mapped",
    "policies",
    "labels",
    "what the marketplace allows",
)


def cards_asked_for(cards: Sequence[ConnectionCard], asked: Asked) -> list[ConnectionCard]:
    """Those of the connections somebody may see that a list's address asks for. Raises FilterUnknown, which names no other
    connection."""
    name = known("connection", asked.connection, tuple(card.name for card in cards))
    state = known("state", asked.other("state"), STATES)
    return [
        card
        for card in cards
        if (not name or card.name == name) and (not state or card.live == (state == "live"))
    ]


def file_row(card: ConnectionCard) -> Sequence[Cell]:
    """One connection as the file has it."""
    return (
        card.id,
        card.name,
        card.live,
        card.marketplace,
        card.shop,
        card.orders,
        card.open_cases,
        ", ".join(pause.flow for pause, _ in card.paused),
        card.carriers_mapped,
        card.skus_mapped,
        "; ".join(f"{name}: {value}" for name, value, _ in card.policies),
        card.services,
        "; ".join(f"{entry.name}: {entry.value}" for entry in card.profile.entries),
    )
