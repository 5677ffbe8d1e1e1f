"""Loads every module that declares tables, so that one metadata holds them all.

A room that gets tables of its own is added here; a test compares this list with the sources.
"""

import interlock.access.audit_log
import interlock.access.erasures
import interlock.access.people
import interlock.access.sessions
import interlock.access.store
import interlock.access.throttle
import interlock.cases.replays
import interlock.cases.store
import interlock.desk.store
import interlock.engine.ledger
import interlock.engine.store
import interlock.engine.troubles
import interlock.holds.store
import interlock.imports.store
import interlock.inventory.store
import interlock.marketplaces.store
import interlock.monitoring.board
import interlock.monitoring.channels
import interlock.monitoring.onsets
import interlock.monitoring.outbox
import interlock.monitoring.rollup
import interlock.monitoring.skus
import interlock.offers.store
import interlock.orders.store
import interlock.orders.texts
import interlock.quarantine.store
import interlock.shipping.store
import interlock.storage.installation  # noqa: F401 - imported for the tables it declares
from interlock.storage.database import metadata

__all__ = ["metadata"]
