"""The marketplace's own document of an order: masked for everybody, in full only for who says why."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from interlock.access.audit_log import LONGEST, Did, record
from interlock.orders.store import mirakl_documents, orders
from interlock.storage.encryption import Keyring, Undecipherable

MASK = "•••"
# Branches of an OR11 document in which everything may be about a person.
_PERSONAL = (
    "customer",
    "address",
    "contact",
    "name",
    "phone",
    "email",
    "message",
    "note",
    "comment",
    "additional",
)
# Ends of field names whose values are codes, numbers or moments of the trade.
_PLAIN_ENDS = (
    "_id",
    "_state",
    "_sku",
    "_date",
    "_code",
    "_type",
    "_status",
    "_number",
    "_deadline",
    "status",
    "type",
)
_NEVER_PLAIN = ("zip_code", "postal_code", "tax_identification_number", "customer_id")


class RevealRefused(ValueError):
    """Personal data cannot be shown as asked; nothing was shown."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The document as text, when it was read from the marketplace, and whether personal data are masked in it."""

    name: str
    read_at: datetime
    text: str
    masked: bool


def evidence_of(c: Connection, keyring: Keyring, order_id: int) -> Evidence | None:
    """The document with everything masked that may be about a person; None before the order was read."""
    found = _document(c, keyring, order_id)
    if found is None:
        return None
    name, read_at, document = found
    return Evidence(name, read_at, _text(masked(document)), True)


def reveal(c: Connection, keyring: Keyring, order_id: int, who: str, why: str, now: datetime) -> Evidence:
    """The document in full. Who looked and why stays in the audit log. Raises RevealRefused."""
    if not why or not why.isprintable() or len(why) > LONGEST:
        raise RevealRefused(
            f"Say in one line of at most {LONGEST} characters why you have to see it: the reason is kept with your name. "
            "Nothing was shown."
        )
    found = _document(c, keyring, order_id)
    if found is None:
        raise RevealRefused("There is no document of this order, or it was deleted when its time was over.")
    name, read_at, document = found
    connection = c.execute(select(orders.c.connection_id).where(orders.c.id == order_id)).scalar_one()
    record(c, who, Did.REVEALED, f"order {order_id}", now=now, connection=int(connection), facts={"why": why})
    return Evidence(name, read_at, _text(document), False)


def masked(value: Any, key: str = "") -> Any:
    """The document with every text masked but codes, numbers and moments of the trade. What is not known to be harmless
    is masked: a new field of the marketplace shows nothing before somebody has looked at it."""
    match value:
        case Mapping():
            return {
                name: _hidden(one) if _is_personal(name) else masked(one, name) for name, one in value.items()
            }
        case list():
            return [masked(one, key) for one in value]
        case str():
            return value if _is_plain(key) or not value else MASK
        case _:
            return value


def _is_personal(name: str) -> bool:
    return name in _NEVER_PLAIN or any(part in name for part in _PERSONAL)


def _is_plain(name: str) -> bool:
    return name not in _NEVER_PLAIN and name.endswith(_PLAIN_ENDS)


def _hidden(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _hidden(one) for name, one in value.items()}
        case list():
            return [_hidden(one) for one in value]
        case None | bool():
            return value
        case _:
            return MASK


def _document(c: Connection, keyring: Keyring, order_id: int) -> tuple[str, datetime, Any] | None:
    row = c.execute(
        select(
            orders.c.shopify_name,
            orders.c.mirakl_order_id,
            mirakl_documents.c.observed_at,
            mirakl_documents.c.body,
        )
        .join(mirakl_documents, mirakl_documents.c.order_id == orders.c.id)
        .where(orders.c.id == order_id)
    ).one_or_none()
    if row is None:
        return None
    try:
        document = json.loads(keyring.decrypt(row.body), parse_float=Decimal)
    except Undecipherable as unreadable:
        raise RevealRefused(str(unreadable)) from unreadable
    return row.shopify_name or row.mirakl_order_id, row.observed_at, document


def _text(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, default=str)
