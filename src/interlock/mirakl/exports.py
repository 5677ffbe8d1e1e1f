"""Offers as the marketplace exports them (OF52 to OF54), leniently: what cannot be read is left out and counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from interlock.mirakl.client import MiraklClient
from interlock.mirakl.failures import ReadUnreadable
from interlock.offers.matching import Offered
from interlock.orders.actions import Lane

ExportState = Literal["pending", "complete", "failed"]
LONGEST_SKU = 255
LONGEST_CODE = 100
MOST_CODES = 20
LARGEST_QUANTITY = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Export:
    """How far an export is (OF53): its state, and the addresses of its files. `why` is the marketplace's own word for a
    failure."""

    state: ExportState
    files: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """The offers of an export, and of how many of its rows the offer or its quantity could not be read."""

    offers: tuple[Offered, ...]
    unreadable: int = 0


async def ask(client: MiraklClient, since: datetime | None, lane: Lane = "rest") -> str:
    """Ask for an export of all offers that are not deleted, or of all that changed since; returns its tracking id. Nothing
    of the shop changes by it (OF52). Raises ReadError."""
    return await client.ask_for_offers(since, lane)


async def state_of(client: MiraklClient, tracking_id: str, lane: Lane = "rest") -> Export:
    """How far an export is. A state nobody knew counts as pending. Raises ReadError."""
    document = await client.offer_export(tracking_id, lane)
    status = document.get("status")
    if status == "COMPLETED":
        files = document.get("urls")
        if not isinstance(files, list) or not all(isinstance(one, str) for one in files):
            raise ReadUnreadable("OF53", "a complete export without the addresses of its files", b"")
        return Export("complete", tuple(files))
    if status in ("FAILED", "CANCELED"):
        error = document.get("error")
        detail = error.get("detail") if isinstance(error, Mapping) else None
        return Export("failed", why=detail[:200] if isinstance(detail, str) else str(status))
    return Export("pending")


async def files_of(client: MiraklClient, export: Export, lane: Lane = "rest") -> Exported:
    """Everything a complete export lists. Raises ReadError: a part must not pass for the whole."""
    rows: list[Mapping[str, Any]] = []
    for address in export.files:
        rows += await client.offer_file(address, lane)
    return offers_from(rows)


def offers_from(rows: Sequence[Mapping[str, Any]]) -> Exported:
    """The offers in these rows (OF54). A row without an id or a SKU is left out. One whose quantity is none stands among
    the offers, as it is offered, and is counted with the others that could not be read: what it shows is not known."""
    found = []
    for row in rows:
        offer_id, sku = row.get("offer_id"), row.get("shop_sku")
        if isinstance(offer_id, bool) or not isinstance(offer_id, int):
            continue
        if not isinstance(sku, str) or not sku or len(sku) > LONGEST_SKU or "\0" in sku:
            continue
        quantity = row.get("quantity")
        known = isinstance(quantity, int) and not isinstance(quantity, bool) and quantity >= 0
        deleted = row.get("deleted") is True
        found.append(
            Offered(
                offer_id=offer_id,
                sku=sku,
                quantity=min(quantity, LARGEST_QUANTITY) if known and isinstance(quantity, int) else 0,
                price=_price(row.get("prices")),
                currency=_text(row.get("currency_iso_code")),
                active=row.get("active") is not False and not deleted,
                deleted=deleted,
                title=_text(row.get("description"))[:200],
                product_ids=tuple(filter(None, (_text(row.get("product_sku")),))),
                quantity_known=known,
            )
        )
    return Exported(tuple(found), len(rows) - sum(offer.quantity_known for offer in found))


async def references_of(client: MiraklClient, sku: str, lane: Lane = "rest") -> tuple[str, ...]:
    """The codes of the product behind the offer of this SKU, such as its EAN (OF21 `product_references`: the export has
    none). Whatever their type: the operator names the types. Raises ReadError."""
    found = []
    for row in await client.offers_of(sku, lane):
        shown = row.get("product_references") if row.get("shop_sku") == sku else None
        for one in shown if isinstance(shown, list) else ():
            code = _text(one.get("reference")) if isinstance(one, Mapping) else ""
            if code and len(code) <= LONGEST_CODE:
                found.append(code)
    return tuple(dict.fromkeys(found))[:MOST_CODES]


def _price(prices: Any) -> Decimal | None:
    """The price every customer pays: the one without a context, discounted where a discount is shown."""
    for price in prices if isinstance(prices, list) else ():
        if isinstance(price, Mapping) and not price.get("context"):
            shown = price.get("discount_price", price.get("origin_price"))
            if isinstance(shown, int | Decimal) and not isinstance(shown, bool):
                return Decimal(shown)
    return None


def _text(value: Any) -> str:
    return value.replace("\0", "").strip() if isinstance(value, str) else ""
