"""Reads what every marketplace offers and what every shop sells, a step at a time, so that the two can be compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from interlock.clock import Clock
from interlock.engine.offers import (
    VARIANTS_EVERY,
    keep_all_variants,
    keep_export,
    to_look_closer,
)
from interlock.engine.store import ConnectionRow, count, duty_is_due, take_duty
from interlock.logs import logger
from interlock.mirakl import exports
from interlock.mirakl.failures import ReadError, ReadRefused, ReadUnavailable
from interlock.offers.matching import Variant
from interlock.offers.reading import (
    Failure,
    OfferRead,
    Wanted,
    changed_since,
    given_up,
    pending_too_long,
    put_off,
    wanted_read,
)
from interlock.offers.store import keep_offer_read, keep_references, offer_read
from interlock.shopify import read as shopify_read
from interlock.shopify.classify import CallFailed
from interlock.storage.database import Store
from interlock.wiring import StoredConnections

STEP_EVERY = timedelta(seconds=20)
AGAIN_AFTER = timedelta(minutes=15)
REFUSED_FOR = timedelta(hours=6)


@dataclass(frozen=True)
class Comparing:
    """The duty of comparing, over one process's connections. Every step is one look at one export, so nothing waits for a
    marketplace, and a process that dies leaves the next one where it was."""

    store: Store
    clock: Clock
    connections: StoredConnections

    async def work(self, rows: Sequence[ConnectionRow]) -> None:
        """One step for each connection, and the variants of each shop once a day. Shared by all workers."""
        for row in rows:
            now = self.clock.now()
            if await self.store.tx(
                lambda c, row=row, now=now: take_duty(c, f"offers {row.id}", now, STEP_EVERY)  # type: ignore[misc]
            ):
                await self.step(row)
        for shop, row in {row.shopify_shop: row for row in reversed(rows)}.items():
            now = self.clock.now()
            if await self.store.tx(
                lambda c, shop=shop, now=now: take_duty(c, f"variants {shop}", now, VARIANTS_EVERY)  # type: ignore[misc]
            ):
                await self.read_variants(row)

    # -- offers ------------------------------------------------------------------------------------------

    async def step(self, row: ConnectionRow) -> bool:
        """Ask for an export of the connection's offers, look how far it is, or read it. True when something was read."""
        now = self.clock.now()
        read = await self.store.tx(lambda c: offer_read(c, row.id))
        if read.not_before is not None and now < read.not_before:
            return False
        wanted = None if read.tracking_id else wanted_read(read, now)
        try:
            if read.tracking_id:
                return await self._look(row, read)
            if wanted is not None:
                await self._ask(row, read, wanted)
        except ReadError as failed:
            await self._failed(row, read, wanted, failed, now)
        return False

    async def _ask(self, row: ConnectionRow, read: OfferRead, wanted: Wanted) -> None:
        now = self.clock.now()
        whole = wanted == "whole"
        tracking_id = await exports.ask(
            self.connections.mirakl_client(row), None if whole else changed_since(read, now)
        )
        if tracking_id == read.last_tracking_id:
            # The marketplace answers a same request with the export there is: it says nothing new.
            later = put_off(whole, now, AGAIN_AFTER)
            await self.store.tx(lambda c: keep_offer_read(c, row.id, **later))
            return
        await self.store.tx(
            lambda c: keep_offer_read(c, row.id, tracking_id=tracking_id, asked_at=now, whole=whole)
        )

    async def _look(self, row: ConnectionRow, read: OfferRead) -> bool:
        client = self.connections.mirakl_client(row)
        export = await exports.state_of(client, read.tracking_id)
        now = self.clock.now()
        if export.state == "pending" and not pending_too_long(read, now):
            return False
        if export.state != "complete":
            logger().warning("offers.export_failed", connection=row.name, reason=export.why or "pending")

            def failed(c: Connection) -> None:
                keep_offer_read(c, row.id, tracking_id="", **put_off(read.whole, now, AGAIN_AFTER))
                count(c, "offer_export_failed", row.name)

            await self.store.tx(failed)
            return False
        found = await exports.files_of(client, export)
        read_at = self.clock.now()

        def keep(c: Connection) -> None:
            if found.unreadable:
                count(c, "offer_unreadable", row.name, by=found.unreadable)
            keep_export(c, row, read, found.offers, read_at)

        await self.store.tx(keep)
        logger().info("offers.read", connection=row.name, count=len(found.offers))
        await self._look_closer(row)
        return True

    async def _look_closer(self, row: ConnectionRow) -> None:
        """Read the codes of the products behind offers that lead to no product of the shop (OF21), a few at a time: a
        barcode may tell a person which product is meant. One that cannot be read is looked at after the next export."""
        client = self.connections.mirakl_client(row)
        for sku in await self.store.tx(lambda c: to_look_closer(c, row, self.clock.now())):
            try:
                references = await exports.references_of(client, sku)
            except ReadError as failed:
                logger().warning("offer.unread", connection=row.name, exc_info=failed)
                await self.store.tx(lambda c: count(c, "offer_look_failed", row.name))
                return
            at = self.clock.now()
            await self.store.tx(
                lambda c, sku=sku, references=references, at=at: keep_references(  # type: ignore[misc]
                    c, row.id, sku, references, at
                )
            )

    async def _failed(
        self, row: ConnectionRow, read: OfferRead, wanted: Wanted | None, failed: ReadError, now: datetime
    ) -> None:
        """Put off what could not be asked for, or, with `wanted` None, what could not be looked at."""
        failure: Failure
        match failed:
            case ReadUnavailable():
                failure, wait = "unavailable", timedelta(seconds=failed.retry_after or 60)
            case ReadRefused():
                failure, wait = "refused", REFUSED_FOR
            case _:
                failure, wait = "unreadable", AGAIN_AFTER
        values: dict[str, Any]
        if wanted is not None:
            values = {**put_off(wanted == "whole", now, wait)}
        elif given_up(read, failure, now):
            values = {"tracking_id": "", **put_off(read.whole, now, wait)}
        else:
            values = {"not_before": now + wait}
        logger().warning("offers.unread", connection=row.name, exc_info=failed)

        def keep(c: Connection) -> None:
            keep_offer_read(c, row.id, **values)
            count(c, "offers_unread", row.name)

        await self.store.tx(keep)

    # -- variants ----------------------------------------------------------------------------------------

    async def read_variants(self, row: ConnectionRow) -> int:
        """Read every variant of the connection's shop; returns how many. A walk that fails is done again later."""
        client = self.connections.shopify_client(row)
        asked_at = self.clock.now()
        found: list[Variant] = []
        after: str | None = None
        try:
            while True:
                page = await shopify_read.all_variants(client, after)
                found += page.variants
                after = page.after
                if after is None:
                    break
        except CallFailed as failed:
            logger().warning("variants.unread", shop=row.shopify_shop, exc_info=failed)
            again = self.clock.now() + AGAIN_AFTER

            def put_off(c: Connection) -> None:
                duty_is_due(c, f"variants {row.shopify_shop}", again)
                count(c, "variants_unread", row.shopify_shop)

            await self.store.tx(put_off)
            return 0
        now = self.clock.now()
        await self.store.tx(
            lambda c: keep_all_variants(c, row.shopify_shop, found, page.currency, asked_at, now)
        )
        logger().info("variants.read", shop=row.shopify_shop, count=len(found))
        return len(found)
