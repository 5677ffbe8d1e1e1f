"""What the engine asks of the two platforms; the adapters are fitted to it in `wiring`."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from interlock.inventory.files import StockLine
from interlock.inventory.observed import ChangedAt, ImportShown, ShownItem
from interlock.orders.actions import Lane, MiraklAction, PublishStock, ShopifyAction
from interlock.orders.changes import Change, VariantPrice
from interlock.orders.connection import ConnectionRules
from interlock.orders.outcomes import Outcome
from interlock.orders.ports import OrderContext
from interlock.orders.snapshots import Draft, MiraklOrder, Offer, ShopifyOrder, Stranger

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChangedOrder:
    """A Shopify order the sweep saw. `marker` is our order attribute's value, which an editing app may have copied;
    `order_ids` are the Mirakl orders that tags of ours on it name."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime
    cancelled: bool
    marker: str
    order_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownMark:
    """The mark of the installation that wrote last, as the shop shows it: both empty while there is none. `digest` is
    what the next write is compared with."""

    installation_id: str
    value: str
    digest: str


class ShopifyGateway(Protocol):
    """One Shopify shop. Every read raises ReadFailed when the shop could not be read."""

    async def order(self, shopify_order_id: str, lane: Lane) -> ShopifyOrder | None:
        """The order by id. `lane` says for whose sake it is read, and so how much of the budget the read leaves to others."""
        ...

    async def order_by_marker(self, marker: str) -> ShopifyOrder | None: ...

    async def draft(self, draft_id: str) -> Draft | None: ...

    async def drafts_of(self, marker: str, order_id: str) -> tuple[Draft, ...]:
        """Every draft that carries this order's tag and attribute, oldest first (search: it may lag)."""
        ...

    async def offers(self, skus: Sequence[tuple[str, str]]) -> tuple[Offer, ...]:
        """One offer per (marketplace SKU, SKU or variant id to look for in the shop)."""
        ...

    async def kin(
        self, shopify_order_id: str, mirakl_order_id: str, numbers: Sequence[str]
    ) -> ShopifyOrder | None:
        """The order, with the places in which it names the Mirakl order or one of these numbers (`Traces.mentions`)."""
        ...

    async def stranger(self, shopify_order_id: str) -> Stranger | None:
        """What an order that is linked to nothing says of where it came from."""
        ...

    async def changes(self, shopify_order_id: str) -> tuple[Change, ...]:
        """Who changed the order, oldest first (Order.agreements)."""
        ...

    async def variant_prices(self, variant_ids: Sequence[str]) -> tuple[VariantPrice, ...]:
        """What the shop asks for these variants today."""
        ...

    async def orders_updated_since(self, since: datetime) -> tuple[ChangedOrder, ...]: ...

    async def fulfillment_order_owner(self, fulfillment_order_id: str) -> str | None: ...

    def stock_listed(self) -> AsyncIterator[Sequence[ShownItem]]:
        """Every variant with its stock, page by page."""
        ...

    async def stock_of_items(self, item_ids: Sequence[str]) -> Sequence[ShownItem]:
        """The stock of these items; those that are gone are left out."""
        ...

    async def stock_changed_at(self, location_id: str, since: datetime) -> ChangedAt | None:
        """Which items changed at a location (search: it may lag); None where the location is gone."""
        ...

    async def instance_mark(self) -> ShownMark: ...

    async def set_instance_mark(self, installation_id: str, mark: str, digest: str) -> Outcome:
        """Write the mark if the shop still shows the one of `digest`."""
        ...

    async def perform(self, action: ShopifyAction, context: OrderContext) -> Outcome: ...


class MiraklGateway(Protocol):
    """One Mirakl shop account. Every read raises ReadFailed when the marketplace could not be read."""

    def snapshot(self, document: Document, observed_at: datetime) -> MiraklOrder:
        """The document without personal data. Raises Unreadable."""
        ...

    def written(self, document: Document) -> bytes:
        """The document as it is kept, every amount exact."""
        ...

    def read_back(self, body: bytes) -> Document:
        """The document `written` made. Raises Unreadable."""
        ...

    def walk_updated(self, since: datetime, until: datetime) -> AsyncIterator[Sequence[Document]]:
        """Orders changed in the window, page by page (OR11)."""
        ...

    def walk_waiting(self) -> AsyncIterator[Sequence[Document]]:
        """Every order in WAITING_ACCEPTANCE (OR11)."""
        ...

    async def by_ids(self, order_ids: Sequence[str]) -> Sequence[Document]:
        """At most 100 orders by id (OR11)."""
        ...

    async def perform(self, action: MiraklAction, context: OrderContext) -> Outcome: ...

    async def publish_stock(self, action: PublishStock, rows: Iterable[StockLine], reference: str) -> Outcome:
        """Send one stock file (STO01)."""
        ...

    async def stock_import(self, import_id: str) -> ImportShown:
        """How far a stock file has come (STO02)."""
        ...

    async def stock_import_errors(self, import_id: str) -> bytes:
        """The error report of a stock file (STO03)."""
        ...

    async def set_references(
        self, values: Sequence[tuple[str, str]], reference: str
    ) -> Mapping[str, Outcome]:
        """Write the seller's reference of up to 100 orders in one call (OR04); an outcome per order id."""
        ...


class Unreadable(Exception):
    """A document of a platform could not be understood. `field` names what was wrong with it."""

    def __init__(self, what: str, field: str) -> None:
        super().__init__(
            f"{what} could not be understood: {field}. It was kept and became a case; nothing was done with it."
        )
        self.field = field


@dataclass(frozen=True)
class ConnectedPlatforms:
    """A connection ready for work: its row id, rules, accounts and gateways.

    `mirakl_account` and `shopify_account` name the platform accounts whose budgets several connections may
    share. `live_since` is when it went live, None where that was not noted.
    """

    connection_id: int
    rules: ConnectionRules
    mirakl_account: str
    shopify_account: str
    shopify: ShopifyGateway
    mirakl: MiraklGateway
    live: bool
    live_since: datetime | None = None


Read = Callable[[Connection, int], Callable[[], ConnectedPlatforms]]
"""Reads a connection, by its row id, in the caller's transaction. What it gives back makes the connection ready once
that transaction is over."""


class Connections(Protocol):
    """The connections as they are configured now."""

    async def get(self, connection_id: int) -> ConnectedPlatforms: ...

    def reader(self) -> Read:
        """What reads a connection in a transaction that begins now."""
        ...

    async def all(self) -> tuple[ConnectedPlatforms, ...]: ...
