"""Keeping the offer map of a connection: what its offers and the shop's variants show, made one."""

from datetime import datetime

from sqlalchemy import Connection

from interlock.engine.store import ConnectionRow
from interlock.imports.store import sku_map
from interlock.offers.matching import Match, match
from interlock.offers.store import bundles, keep_links, known_offers, known_variants


def matches_of(c: Connection, row: ConnectionRow) -> tuple[Match, ...]:
    """What stands behind each offer of a connection that is not deleted, by what was last read and what people said."""
    offers = [offer for offer in known_offers(c, row.id) if not offer.deleted]
    return match(offers, known_variants(c, row.shopify_shop), sku_map(c, row.id), bundles(c, row.id))


def relink(c: Connection, row: ConnectionRow, now: datetime) -> int:
    """Bring the offer map up to what is known now; returns how many of its rows changed."""
    return keep_links(c, row.id, matches_of(c, row), now)
