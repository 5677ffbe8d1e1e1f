"""Which adapters stand behind the engine's ports, and how a stored connection becomes one that works."""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import httpx2
from sqlalchemy import Connection, Row

from interlock.clock import Clock
from interlock.engine.budgets import MIRAKL_CEILINGS, SharedBudget
from interlock.engine.gateways import (
    ChangedOrder,
    ConnectedPlatforms,
    Document,
    Read,
    ShownMark,
    Unreadable,
)
from interlock.engine.store import (
    ConnectionRow,
    all_connections,
    connection_of,
    connection_record,
    keep_shop_token,
    shop_token,
    waits_of,
)
from interlock.inventory.files import StockLine
from interlock.inventory.observed import ChangedAt, ImportShown, ShownItem
from interlock.marketplaces.reasons import with_usable_reasons
from interlock.marketplaces.settings import as_observed
from interlock.mirakl import perform as mirakl_perform
from interlock.mirakl import read as mirakl_read
from interlock.mirakl.account import MiraklAccount
from interlock.mirakl.client import MiraklClient
from interlock.mirakl.exact import parsed, written
from interlock.mirakl.failures import ReadError, ReadUnavailable, ReadUnreadable, trouble_of
from interlock.mirakl.translate import UnreadableOrder, order_from
from interlock.orders.actions import Lane, MiraklAction, PublishStock, ShopifyAction
from interlock.orders.capability import Capability
from interlock.orders.changes import Change, VariantPrice
from interlock.orders.codec import decode
from interlock.orders.connection import CarrierMapping, ConnectionRules
from interlock.orders.outcomes import Outcome, Unavailable
from interlock.orders.ports import OrderContext, ReadFailed
from interlock.orders.snapshots import Draft, MiraklOrder, Offer, ShopifyOrder, Stranger
from interlock.shipping.store import carrier_map
from interlock.shopify import perform as shopify_perform
from interlock.shopify import read as shopify_read
from interlock.shopify.account import ShopifyShop
from interlock.shopify.classify import CallFailed
from interlock.shopify.client import ShopifyClient, Token
from interlock.shopify.names import ORDER_TAG
from interlock.storage.database import Store
from interlock.storage.encryption import Keyring, Undecipherable

HttpFor = Callable[[str], httpx2.AsyncClient]


class MiraklAdapter:
    """The engine's marketplace, over one account of the seller API."""

    def __init__(
        self, client: MiraklClient, tax_mode: str, address_key: bytes, multi_shipment: bool = False
    ) -> None:
        self._client = client
        self._multi_shipment = multi_shipment
        self._tax_mode = tax_mode
        self._address_key = address_key

    def snapshot(self, document: Document, observed_at: datetime) -> MiraklOrder:
        try:
            return order_from(document, observed_at, self._address_key)
        except UnreadableOrder as wrong:
            raise Unreadable("An order of the marketplace", wrong.where) from wrong

    def written(self, document: Document) -> bytes:
        return written(document).encode()

    def read_back(self, body: bytes) -> Document:
        document = parsed(body)
        if not isinstance(document, dict):
            raise Unreadable("A kept order of the marketplace", "it is not an object")
        return document

    async def walk_updated(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[Document]]:
        try:
            async for page in mirakl_read.walk_updated(self._client, since, until, self._tax_mode):
                if self._multi_shipment:
                    yield await mirakl_read.with_shipments(self._client, page.documents)
                else:
                    yield page.documents
        except ReadError as failed:
            raise _mirakl_read_failed(failed) from failed

    async def walk_waiting(self) -> AsyncIterator[Sequence[Document]]:
        try:
            waiting = ("WAITING_ACCEPTANCE",)
            async for page in mirakl_read.walk_states(self._client, waiting, self._tax_mode, "acceptance"):
                yield page.documents
        except ReadError as failed:
            raise _mirakl_read_failed(failed) from failed

    async def by_ids(self, order_ids: Sequence[str]) -> Sequence[Document]:
        try:
            found = (await mirakl_read.by_ids(self._client, order_ids, self._tax_mode)).documents
            if not self._multi_shipment:
                return found
            # ST12 and ST11: only an account with multi-shipment has them
            found = await mirakl_read.with_items_to_ship(self._client, found)
            return await mirakl_read.with_shipments(self._client, found)
        except ReadError as failed:
            raise _mirakl_read_failed(failed) from failed

    async def perform(self, action: MiraklAction, context: OrderContext) -> Outcome:
        return await mirakl_perform.perform(self._client, action, context)

    async def set_references(
        self, values: Sequence[tuple[str, str]], reference: str
    ) -> Mapping[str, Outcome]:
        return await mirakl_perform.set_references(self._client, values, reference)

    async def publish_stock(self, action: PublishStock, rows: Iterable[StockLine], reference: str) -> Outcome:
        return await mirakl_perform.publish_stock(self._client, action, rows, reference)

    async def stock_import(self, import_id: str) -> ImportShown:
        try:
            return await mirakl_read.stock_import(self._client, import_id)
        except ReadError as failed:
            raise _mirakl_read_failed(failed) from failed

    async def stock_import_errors(self, import_id: str) -> bytes:
        try:
            return await self._client.stock_import_errors(import_id)
        except ReadError as failed:
            raise _mirakl_read_failed(failed) from failed


def _mirakl_read_failed(failed: ReadError) -> ReadFailed:
    if not isinstance(failed, ReadUnavailable):
        body = failed.body if isinstance(failed, ReadUnreadable) else b""
        return ReadFailed("The marketplace", str(failed), trouble=trouble_of(failed), body=body)
    return ReadFailed(
        "The marketplace", str(failed), failed.retry_after, trouble_of(failed), failed.too_many_calls
    )


class ShopifyAdapter:
    """The engine's shop, over one app's access to the Admin API, and the locations whose stock the connection sells."""

    def __init__(
        self, client: ShopifyClient, address_key: bytes, clock: Clock, stock_locations: tuple[str, ...]
    ) -> None:
        self._client = client
        self._address_key = address_key
        self._clock = clock
        self._stock_locations = stock_locations

    async def order(self, shopify_order_id: str, lane: Lane) -> ShopifyOrder | None:
        try:
            return await shopify_read.order(
                self._client, shopify_order_id, self._address_key, self._clock.now(), lane=lane
            )
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def order_by_marker(self, marker: str) -> ShopifyOrder | None:
        try:
            found = await shopify_read.order_by_marker(self._client, marker, lane="acceptance")
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed
        return None if found is None else await self.order(found.id, "acceptance")

    async def draft(self, draft_id: str) -> Draft | None:
        try:
            return await shopify_read.draft(
                self._client, draft_id, self._address_key, self._clock.now(), lane="acceptance"
            )
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def drafts_of(self, marker: str, order_id: str) -> tuple[Draft, ...]:
        try:
            return await shopify_read.drafts_by_tag(
                self._client, order_id, marker, self._address_key, self._clock.now(), lane="acceptance"
            )
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def offers(self, skus: Sequence[tuple[str, str]]) -> tuple[Offer, ...]:
        wanted = tuple(dict.fromkeys(shop_sku for _, shop_sku in skus))
        try:
            found = await shopify_read.offers(self._client, wanted, self._stock_locations, lane="acceptance")
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed
        by_sku = {offer.sku: offer for offer in found}
        return tuple(replace(by_sku[shop_sku], sku=sku) for sku, shop_sku in skus if shop_sku in by_sku)

    async def kin(
        self, shopify_order_id: str, mirakl_order_id: str, numbers: Sequence[str]
    ) -> ShopifyOrder | None:
        try:
            return await shopify_read.order(
                self._client,
                shopify_order_id,
                self._address_key,
                self._clock.now(),
                lane="edits",
                numbers=tuple(numbers),
                mirakl_order_id=mirakl_order_id,
            )
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def stranger(self, shopify_order_id: str) -> Stranger | None:
        try:
            return await shopify_read.stranger(self._client, shopify_order_id, self._address_key)
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def changes(self, shopify_order_id: str) -> tuple[Change, ...]:
        try:
            return await shopify_read.changes(self._client, shopify_order_id)
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def variant_prices(self, variant_ids: Sequence[str]) -> tuple[VariantPrice, ...]:
        try:
            return await shopify_read.variant_prices(self._client, variant_ids)
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def orders_updated_since(self, since: datetime) -> tuple[ChangedOrder, ...]:
        return tuple(
            ChangedOrder(
                order.id,
                order.name,
                order.created_at,
                order.updated_at or order.created_at,
                order.cancelled,
                order.marker,
                tuple(tag[len(ORDER_TAG) :] for tag in order.tags if tag.startswith(ORDER_TAG)),
            )
            for order in await self._updated_since(since)
        )

    async def _updated_since(self, since: datetime) -> list[shopify_read.FoundOrder]:
        found: list[shopify_read.FoundOrder] = []
        after: str | None = None
        while True:
            try:
                page = await shopify_read.orders_updated_since(self._client, since, after)
            except CallFailed as failed:
                raise _shopify_read_failed(failed) from failed
            found.extend(page.orders)
            after = page.after
            if after is None:
                return found

    async def fulfillment_order_owner(self, fulfillment_order_id: str) -> str | None:
        try:
            owner = await shopify_read.fulfillment_order_owner(self._client, fulfillment_order_id)
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed
        return None if owner is None else owner.order_id

    async def stock_listed(self) -> AsyncIterator[Sequence[ShownItem]]:
        try:
            async for page in shopify_read.stock_listed(self._client):
                yield page
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def stock_of_items(self, item_ids: Sequence[str]) -> Sequence[ShownItem]:
        try:
            return await shopify_read.stock_of_items(self._client, item_ids)
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def stock_changed_at(self, location_id: str, since: datetime) -> ChangedAt | None:
        try:
            return await shopify_read.stock_changed_at(self._client, location_id, since)
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed

    async def instance_mark(self) -> ShownMark:
        try:
            shown = await shopify_read.instance_mark(self._client)
        except CallFailed as failed:
            raise _shopify_read_failed(failed) from failed
        return ShownMark(shown.installation_id, shown.value, shown.digest)

    async def set_instance_mark(self, installation_id: str, mark: str, digest: str) -> Outcome:
        return await shopify_perform.set_instance_mark(
            self._client, installation_id, mark, digest, f"mark.{mark}"
        )

    async def perform(self, action: ShopifyAction, context: OrderContext) -> Outcome:
        return await shopify_perform.perform(self._client, action, context)


def _shopify_read_failed(failed: CallFailed) -> ReadFailed:
    retry_after = failed.outcome.retry_after if isinstance(failed.outcome, Unavailable) else None
    return ReadFailed("Shopify", str(failed), retry_after, failed.trouble)


class StoredShelf:
    """The access token of one shop and app, shared by every worker through the database, encrypted.

    A token that was given for another client secret is left alone: with it a wrong secret would not be noticed.
    """

    def __init__(self, store: Store, keyring: Keyring, account: str, secret: str) -> None:
        self._store = store
        self._keyring = keyring
        self._account = account
        self._given_for = hashlib.blake2b(secret.encode(), digest_size=16).hexdigest()

    async def taken(self) -> Token | None:
        kept = await self._store.tx(lambda c: shop_token(c, self._account))
        if kept is None:
            return None
        try:
            given_for, _, value = self._keyring.decrypt(kept[0]).decode().partition(" ")
        except Undecipherable:
            return None  # kept under a key that is gone: another is asked for
        return Token(value, kept[1]) if given_for == self._given_for else None

    async def put(self, token: Token) -> None:
        encrypted = self._keyring.encrypt(f"{self._given_for} {token.value}".encode())
        await self._store.tx(lambda c: keep_shop_token(c, self._account, encrypted, token.refresh_at))


@dataclass(frozen=True)
class _Clients:
    identity: tuple[object, ...]
    mirakl: MiraklClient
    shopify: ShopifyClient
    budgets: tuple[SharedBudget, SharedBudget]


class StoredConnections:
    """The connections of the database, each with clients that live as long as its credentials stay the same.

    A connection is read anew each time; as long as its row and its carriers are as before, what was made of them is
    given again.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        keyring: Keyring,
        address_key: bytes,
        http_for: HttpFor,
        loopback_http: bool,
    ) -> None:
        self._store = store
        self._clock = clock
        self._keyring = keyring
        self._address_key = address_key
        self._http_for = http_for
        self._loopback_http = loopback_http
        self._clients: dict[int, _Clients] = {}
        self._ready: dict[int, tuple[Row[Any], tuple[CarrierMapping, ...], ConnectedPlatforms]] = {}

    async def get(self, connection_id: int) -> ConnectedPlatforms:
        read = self.reader()
        ready = await self._store.tx(lambda c: read(c, connection_id))
        return ready()

    def reader(self) -> Read:
        asked_at, now = self._clock.monotonic(), self._clock.now()

        def read(c: Connection, connection_id: int) -> Callable[[], ConnectedPlatforms]:
            record = connection_record(c, connection_id)
            carriers = carrier_map(c, connection_id)
            budgets = self._curious_budgets(connection_id, asked_at)
            waits = waits_of(c, tuple(budgets), now) if budgets else {}

            def ready() -> ConnectedPlatforms:
                known = self._ready.get(connection_id)
                if known is None or known[:2] != (record, carriers):
                    known = record, carriers, self._connected(connection_of(record), carriers)
                    self._ready[connection_id] = known
                for account, budget in budgets.items():
                    budget.hear(waits[account], now, asked_at)
                return known[2]

            return ready

        return read

    def _curious_budgets(self, connection_id: int, at: float) -> dict[str, SharedBudget]:
        """The budgets of a connection, by account, if it is time to read again what other workers were told to wait for:
        then it is read on the way."""
        clients = self._clients.get(connection_id)
        if clients is None or not any(budget.wants_to_know(at) for budget in clients.budgets):
            return {}
        return {budget.account: budget for budget in clients.budgets}

    async def all(self) -> tuple[ConnectedPlatforms, ...]:
        rows = await self._store.tx(all_connections)
        return tuple([await self.get(row.id) for row in rows])

    def shopify_client(self, row: ConnectionRow) -> ShopifyClient:
        """The client of this connection's shop, for set-up work the engine has no port for."""
        return self._clients_of(row).shopify

    def mirakl_client(self, row: ConnectionRow) -> MiraklClient:
        """The client of this connection's marketplace account."""
        return self._clients_of(row).mirakl

    def _connected(self, row: ConnectionRow, carriers: tuple[CarrierMapping, ...]) -> ConnectedPlatforms:
        clients = self._clients_of(row)
        rules = rules_of(row, carriers)
        return ConnectedPlatforms(
            connection_id=row.id,
            rules=rules,
            mirakl_account=row.mirakl_account,
            shopify_account=row.shopify_account,
            shopify=ShopifyAdapter(clients.shopify, self._address_key, self._clock, rules.stock_locations),
            mirakl=MiraklAdapter(clients.mirakl, rules.tax_mode, self._address_key, rules.multi_shipment),
            live=row.live,
            live_since=row.live_since,
        )

    def _clients_of(self, row: ConnectionRow) -> "_Clients":
        identity = (
            row.mirakl_origin,
            row.mirakl_shop_id,
            row.mirakl_key,
            row.shopify_origin,
            row.shopify_client_secret,
        )
        known = self._clients.get(row.id)
        if known is not None and known.identity == identity:
            return known
        key = self._keyring.decrypt(row.mirakl_key).decode()
        secret = self._keyring.decrypt(row.shopify_client_secret).decode()
        budgets = (
            SharedBudget(self._store, self._clock, row.mirakl_account, MIRAKL_CEILINGS),
            SharedBudget(self._store, self._clock, row.shopify_account, {}),
        )
        mirakl = MiraklClient(
            MiraklAccount(row.mirakl_origin, key, str(row.mirakl_shop_id)),
            self._http_for(row.mirakl_origin),
            budgets[0],
        )
        shopify = ShopifyClient(
            ShopifyShop(
                row.shopify_shop, row.shopify_origin, row.shopify_client_id, secret, self._loopback_http
            ),
            self._http_for(row.shopify_origin),
            budgets[1],
            self._clock.now,
            StoredShelf(self._store, self._keyring, row.shopify_account, secret),
        )
        self._clients[row.id] = _Clients(identity, mirakl, shopify, budgets)
        return self._clients[row.id]


class _OneShot:
    """A call budget for a handful of calls by hand. It never waits: a platform that asks for a pause ends the attempt."""

    async def take(self, operation: str, lane: Lane) -> float:
        return 0.0

    async def told_to_wait(self, operation: str, seconds: float) -> None:
        return None


def mirakl_to_try(account: MiraklAccount, http: httpx2.AsyncClient) -> MiraklClient:
    """A client for a marketplace that is not connected yet."""
    return MiraklClient(account, http, _OneShot())


def shop_to_try(shop: ShopifyShop, http: httpx2.AsyncClient, clock: Clock) -> ShopifyClient:
    """A client for a shop that is not connected yet."""
    return ShopifyClient(shop, http, _OneShot(), clock.now)


def rules_of(row: ConnectionRow, carriers: tuple[CarrierMapping, ...]) -> ConnectionRules:
    """The connection's settings, with what its marketplace said or showed that it allows and the carrier map."""
    rules = as_observed(replace(row.rules, carrier_mappings=carriers), row.refuted)
    if row.capability is None:
        return rules
    capability = decode(Capability, row.capability)
    rules = with_usable_reasons(rules, capability)
    return replace(
        rules,
        tax_mode=capability.tax_mode or rules.tax_mode,
        multi_shipment=bool(capability.multi_shipment),
        carriers=capability.carriers,
        unregistered_carriers=capability.unregistered_carriers is not False,
        tracking_mandatory_for=capability.tracking_mandatory_for,
        accepts_by_itself=capability.acceptance == "AUTOMATIC" or rules.accepts_by_itself,
    )
