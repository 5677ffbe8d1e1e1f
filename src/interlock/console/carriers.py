"""The carrier maps of the whole installation: what was chosen where."""

from sqlalchemy import Connection

from interlock.engine.store import all_connections
from interlock.shipping.store import carrier_map
from interlock.shipping.suggest import EarlierChoice
from interlock.wiring import rules_of


def earlier_choices(c: Connection) -> tuple[EarlierChoice, ...]:
    """What was chosen for each carrier name in any connection, by the label of the carrier there."""
    found = []
    for row in all_connections(c):
        rules = rules_of(row, carrier_map(c, row.id))
        labels = {carrier.code: carrier.label for carrier in rules.carriers}
        for mapping in rules.carrier_mappings:
            chosen = labels.get(mapping.code, mapping.code) or mapping.name
            found.append(EarlierChoice(mapping.shop_name, chosen, row.name))
    return tuple(found)
