"""What people chose before for carrier names like the ones that are asked about, in any connection."""

from collections.abc import Collection

from sqlalchemy import Connection, bindparam, select, text

from interlock.engine.store import connections
from interlock.orders.connection import ANY_CARRIER, EarlierChoice
from interlock.shipping.store import carrier_mappings
from interlock.shipping.suggest import speaks_of

_CHOSEN = (
    select(
        carrier_mappings.c.shop_name,
        carrier_mappings.c.code,
        carrier_mappings.c.name,
        carrier_mappings.c.connection_id,
        connections.c.name.label("connection"),
    )
    .distinct()
    .join(connections, connections.c.id == carrier_mappings.c.connection_id)
    .where(carrier_mappings.c.shop_name != ANY_CARRIER)
    .order_by(connections.c.name, carrier_mappings.c.shop_name, carrier_mappings.c.code)
)
_LABELS = text("""
    SELECT connections.id, carrier ->> 'code' AS code, carrier ->> 'label' AS label
    FROM connections CROSS JOIN LATERAL jsonb_array_elements(capability -> 'carriers') AS carrier
    WHERE connections.id IN :ids AND carrier ->> 'code' IN :codes
""").bindparams(bindparam("ids", expanding=True), bindparam("codes", expanding=True))


def earlier_choices(
    c: Connection, names: Collection[str], own: frozenset[int] | None = None
) -> tuple[EarlierChoice, ...]:
    """What was chosen for these carrier names, or for similar ones, in any connection, by the label of the carrier there;
    defaults are no choice for a name. With `own`, in the connections with these row numbers."""
    chosen = [
        row
        for row in c.execute(_CHOSEN)
        if (own is None or row.connection_id in own) and any(speaks_of(row.shop_name, name) for name in names)
    ]
    if not chosen:
        return ()
    given = {
        "ids": sorted({row.connection_id for row in chosen}),
        "codes": sorted({row.code for row in chosen}),
    }
    labels = {(row.id, row.code): row.label for row in c.execute(_LABELS, given)}
    return tuple(
        EarlierChoice(
            row.shop_name, labels.get((row.connection_id, row.code)) or row.code or row.name, row.connection
        )
        for row in chosen
    )
