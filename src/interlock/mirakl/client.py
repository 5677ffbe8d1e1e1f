"""One method per operation of Mirakl's seller API that we use: how a call is made, and nothing of what it means."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import httpx2

from interlock.mirakl.account import MiraklAccount
from interlock.mirakl.classify import (
    Answered,
    Broken,
    NotSent,
    Postponed,
    ReadOperation,
    Reply,
    WriteOperation,
    classify,
    classify_import,
    classify_refunds,
    refusal,
    retry_after,
)
from interlock.mirakl.exact import NotJson, parsed, written
from interlock.mirakl.failures import ReadRefused, ReadUnavailable, ReadUnreadable
from interlock.orders.actions import Lane
from interlock.orders.outcomes import Outcome
from interlock.orders.ports import CallBudget

# How long to stay away after a 429 that does not say, in seconds.
DEFAULT_RETRY_AFTER = 60.0
Params = Mapping[str, str | list[str]]
LARGEST_PAGE = 100
OFFERS_PER_FILE = 20_000
FULL_EXPORT = "OF52:full"
"""The name under which an export of all offers is counted, which may be asked for once a day."""
EXPORTED_FIELDS = (
    "active",
    "currency_iso_code",
    "deleted",
    "description",
    "last_updated",
    "offer_id",
    "prices",
    "product_sku",
    "quantity",
    "shop_sku",
)


class TooManyIds(ValueError):
    """None or more than 100 orders, or an id that cannot stand in a list, were given at once (OR11, OR04)."""

    def __init__(self, operation: str, what: str) -> None:
        super().__init__(
            f"{operation} takes 1 to {LARGEST_PAGE} order ids in one call: {what}. Nothing was sent."
        )


@dataclass(frozen=True, slots=True)
class Page:
    """Orders of one OR11 answer, as documents, in the order given. `total_count` counts the whole selection
    and is None where the answer has none; `offset` is where the page began. `took` is the seconds between
    asking and having the answer."""

    documents: tuple[Mapping[str, Any], ...] = field(repr=False)
    total_count: int | None
    offset: int
    took: float

    def observed_at(self, now: datetime) -> datetime:
        """The moment the page was asked for, if `now` is when it arrived: what it shows is at least that young."""
        return now - timedelta(seconds=self.took)


@dataclass(frozen=True, slots=True)
class CallLimits:
    """What one call may take at most: seconds to connect, seconds of silence, seconds in all, bytes of answer.

    A call ends within `whole` seconds whatever the server does: a lease must outlive three of them.
    """

    connect: float = 5.0
    read: float = 10.0
    whole: float = 15.0
    largest_body: int = 32 * 1024 * 1024


class MiraklClient:
    """Calls one marketplace as one shop. Reads raise ReadError; writes answer with an Outcome.

    No call is repeated here, none follows a redirect, and every one asks the budget first. `http` may be
    shared by all accounts: host, key and time-outs are given with each request.
    """

    def __init__(
        self,
        account: MiraklAccount,
        http: httpx2.AsyncClient,
        budget: CallBudget,
        limits: CallLimits = CallLimits(),
    ) -> None:
        self._account = account
        self._http = http
        self._budget = budget
        self._limits = limits
        self._timeout = httpx2.Timeout(
            connect=limits.connect, read=limits.read, write=limits.read, pool=limits.connect
        )

    @property
    def account(self) -> MiraklAccount:
        return self._account

    # V01: is the marketplace there, and does it take our key? Its body means nothing.
    async def check(self, lane: Lane = "rest") -> None:
        await self._read("V01", "/api/version", {}, lane)

    # A01: shop id, name, currency, state of the shop
    async def shop(self, lane: Lane = "rest") -> Mapping[str, Any]:
        return await self._document("A01", "/api/account", lane)

    # PC01: what the platform allows
    async def platform_configuration(self, lane: Lane = "rest") -> Mapping[str, Any]:
        return await self._document("PC01", "/api/platform/configuration", lane)

    # RE01: reasons for cancelations, refunds and messages
    async def reasons(self, lane: Lane = "rest") -> tuple[Mapping[str, Any], ...]:
        return await self._list("RE01", "/api/reasons", "reasons", lane)

    # SH12: shipping methods, and whether they demand tracking
    async def shipping_methods(self, lane: Lane = "rest") -> tuple[Mapping[str, Any], ...]:
        return await self._list("SH12", "/api/shipping/types", "shipping_types", lane)

    # SH21: registered carriers
    async def carriers(self, lane: Lane = "rest") -> tuple[Mapping[str, Any], ...]:
        return await self._list("SH21", "/api/shipping/carriers", "carriers", lane)

    # OF21: the offer of one SKU as it is listed, with the references of its product
    async def offers_of(self, sku: str, lane: Lane = "rest") -> tuple[Mapping[str, Any], ...]:
        return await self._list("OF21", "/api/offers", "offers", lane, {"sku": sku})

    # OF52: ask for an export of offers, all that are not deleted or all that changed since; returns its tracking id.
    # Nothing of the shop changes by it, and a repeat is answered with the export there is.
    async def ask_for_offers(self, since: datetime | None, lane: Lane = "rest") -> str:
        body: dict[str, Any] = {
            "export_type": "application/json",
            "include_fields": list(EXPORTED_FIELDS),
            "items_per_chunk": OFFERS_PER_FILE,
        }
        if since is None:
            body["include_inactive_offers"] = True
        else:
            body["last_request_date"] = _instant(since)
        counted_as = FULL_EXPORT if since is None else "OF52"
        reply = await self._call(counted_as, "POST", "/api/offers/export/async", {}, body, lane, "")
        answer = self._understood("OF52", reply)
        tracking_id = _json("OF52", answer).get("tracking_id")
        if not isinstance(tracking_id, str) or not tracking_id:
            raise ReadUnreadable("OF52", "JSON without a tracking_id", answer.body)
        return tracking_id

    # OF53: how far an export is: its state, and the addresses of its files once it is complete
    async def offer_export(self, tracking_id: str, lane: Lane = "rest") -> Mapping[str, Any]:
        return await self._document("OF53", f"/api/offers/export/async/status/{_in_path(tracking_id)}", lane)

    # OF54: one file of a complete export, at an address OF53 gave
    async def offer_file(self, address: str, lane: Lane = "rest") -> tuple[Mapping[str, Any], ...]:
        """The offers of one file. An address of another host raises ReadUnreadable: the key is sent to the marketplace
        alone. Raises ReadError."""
        parts = urlsplit(address)
        if f"{parts.scheme}://{parts.netloc}".lower() != self._account.origin:
            raise ReadUnreadable("OF53", "a file at another host, to which no key is sent", address.encode())
        wait = await self._budget.take("OF54", lane)
        if wait > 0:
            raise ReadUnavailable("OF54", "our own budget for it is used up", wait)
        request = self._http.build_request("GET", address, headers=self._headers(""), timeout=self._timeout)
        answer = self._understood("OF54", await self._exchange(request))
        try:
            rows = parsed(answer.body)
        except NotJson as wrong:
            raise ReadUnreadable("OF54", wrong.why, answer.body) from wrong
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ReadUnreadable("OF54", "JSON, but not a list of offers", answer.body)
        return tuple(rows)

    # OR11: one page of orders, oldest creation first (the only sort there is)
    async def orders(
        self,
        tax_mode: str,
        offset: int = 0,
        states: tuple[str, ...] = (),
        order_ids: tuple[str, ...] = (),
        updated_from: datetime | None = None,
        updated_to: datetime | None = None,
        lane: Lane = "rest",
        budget: str = "OR11",
    ) -> Page:
        """`budget` is the name under which the call is counted, because reads by id have an allowance apart."""
        selection = {
            "order_tax_mode": tax_mode,
            "order_state_codes": ",".join(states),
            "order_ids": ",".join(order_ids),
            "start_update_date": _instant(updated_from),
            "end_update_date": _instant(updated_to),
        }
        params = {name: value for name, value in selection.items() if value}
        params |= {"sort": "dateCreated", "order": "asc", "max": str(LARGEST_PAGE), "offset": str(offset)}
        began = asyncio.get_running_loop().time()
        answer = await self._read("OR11", "/api/orders", params, lane, budget)
        took = asyncio.get_running_loop().time() - began
        document = _json("OR11", answer)
        rows = _rows("OR11", document, "orders", answer.body)
        total = document.get("total_count")
        counted = total if isinstance(total, int) and not isinstance(total, bool) else None
        return Page(rows, counted, offset, took)

    # OR21: accept or refuse; every line of the order must be answered
    async def answer_acceptance(
        self, order_id: str, lines: tuple[tuple[str, bool], ...], lane: Lane, reference: str
    ) -> Outcome:
        body = {"order_lines": [{"id": line_id, "accepted": accepted} for line_id, accepted in lines]}
        return await self._write("OR21", f"/api/orders/{_in_path(order_id)}/accept", body, lane, reference)

    # OR04: the seller's own reference on each of up to 100 orders, in one call; an outcome per order id
    async def set_seller_references(
        self, values: Sequence[tuple[str, str]], lane: Lane, reference: str
    ) -> Mapping[str, Outcome]:
        if not 1 <= len(values) <= LARGEST_PAGE:
            raise TooManyIds("OR04", f"{len(values)} were given")
        orders = [
            {"order_id": order_id, "references": {"order_reference_for_seller": value}}
            for order_id, value in values
        ]
        reply = await self._call("OR04", "PUT", "/api/orders", {}, {"orders": orders}, lane, reference)
        return {order_id: classify("OR04", reply, (order_id,)) for order_id, _ in values}

    # OR30: cancel amounts and quantities of lines
    async def cancel_lines(
        self, tax_mode: str, cancelations: list[dict[str, Any]], lane: Lane, reference: str
    ) -> Outcome:
        body = {"order_tax_mode": tax_mode, "cancelations": cancelations}
        lines = tuple(str(entry["order_line_id"]) for entry in cancelations)
        return await self._write("OR30", "/api/orders/cancel", body, lane, reference, lines)

    # OR28: refund amounts of debited lines; nothing at the platform recognises a repeat
    async def refund_lines(
        self, tax_mode: str, refunds: list[dict[str, Any]], lane: Lane, reference: str
    ) -> Outcome:
        body = {"order_tax_mode": tax_mode, "refunds": refunds}
        reply = await self._call("OR28", "PUT", "/api/orders/refund", {}, body, lane, reference)
        wanted = tuple(
            (str(entry["order_line_id"]), entry["amount"], entry["shipping_amount"]) for entry in refunds
        )
        return classify_refunds(reply, wanted)

    # OR43: a message in a new thread on the order; a repeat is a second message
    async def open_thread(
        self, order_id: str, topic: str, text: str, to: tuple[str, ...], lane: Lane, reference: str
    ) -> Outcome:
        thread = {"topic": {"type": "FREE_TEXT", "value": topic}, "body": text, "to": list(to)}
        path = f"/api/orders/{_in_path(order_id)}/threads"
        reply = await self._call("OR43", "POST", path, {}, None, lane, reference, {"thread_input": thread})
        return classify("OR43", reply, ())

    # ST12: what is left to ship of up to 100 orders; refused with 404 where multi-shipment is off
    async def items_to_ship(
        self, order_ids: Sequence[str], lane: Lane = "rest"
    ) -> tuple[Mapping[str, Any], ...]:
        if not 1 <= len(order_ids) <= LARGEST_PAGE:
            raise TooManyIds("ST12", f"{len(order_ids)} were given")
        params: dict[str, str | list[str]] = {"order_id": list(order_ids), "limit": str(LARGEST_PAGE)}
        answer = await self._read("ST12", "/api/shipments/items_to_ship", params, lane)
        return _rows("ST12", _json("ST12", answer), "data", answer.body)

    # ST11: one page of the shipments of up to 100 orders, and the token of the next page; 404 where multi-shipment is off
    async def shipments(
        self, order_ids: Sequence[str], page_token: str = "", lane: Lane = "rest"
    ) -> tuple[tuple[Mapping[str, Any], ...], str]:
        if not 1 <= len(order_ids) <= LARGEST_PAGE:
            raise TooManyIds("ST11", f"{len(order_ids)} were given")
        params: dict[str, str | list[str]] = {"order_id": list(order_ids), "limit": str(LARGEST_PAGE)}
        if page_token:
            # The token carries everything else (seek pagination).
            params = {"page_token": page_token}
        answer = await self._read("ST11", "/api/shipments", params, lane)
        document = _json("ST11", answer)
        token = document.get("next_page_token")
        return _rows("ST11", document, "data", answer.body), token if isinstance(token, str) else ""

    # ST01: one shipment of one order. Errors of ST01 name the order alone, so two of one order could not be told apart.
    async def create_shipment(self, shipment: Mapping[str, Any], lane: Lane, reference: str) -> Outcome:
        body = {"shipments": [shipment]}
        reply = await self._call("ST01", "POST", "/api/shipments", {}, body, lane, reference)
        return classify("ST01", reply, (str(shipment["order_id"]),))

    # ST23: the tracking of one shipment; a second call replaces the first
    async def track_shipment(
        self, shipment_id: str, tracking: Mapping[str, str], lane: Lane, reference: str
    ) -> Outcome:
        body = {"shipments": [{"id": shipment_id, "tracking": tracking}]}
        reply = await self._call("ST23", "POST", "/api/shipments/tracking", {}, body, lane, reference)
        return classify("ST23", reply, (shipment_id,))

    # ST24: one shipment has left
    async def validate_shipment(self, shipment_id: str, lane: Lane, reference: str) -> Outcome:
        body = {"shipments": [{"id": shipment_id}]}
        return await self._write("ST24", "/api/shipments/ship", body, lane, reference, (shipment_id,))

    # ST06: one shipment that has not left is gone
    async def delete_shipment(self, shipment_id: str, lane: Lane, reference: str) -> Outcome:
        body = {"shipments": [{"id": shipment_id}]}
        return await self._write("ST06", "/api/shipments/delete", body, lane, reference, (shipment_id,))

    # STO01: a file of absolute quantities is taken and worked off later; nothing recognises a repeat
    async def import_stock(self, file: bytes, lane: Lane, reference: str) -> Outcome:
        path = "/api/offers/stock/imports"
        reply = await self._call("STO01", "POST", path, {}, None, lane, reference, None, file)
        return classify_import(reply)

    # STO02: how far a stock file has come
    async def stock_import(self, import_id: str, lane: Lane = "rest") -> Mapping[str, Any]:
        path = f"/api/offers/stock/imports/{_in_path(import_id)}/status"
        return await self._document("STO02", path, lane)

    # STO03: the lines of a stock file that were refused, as CSV
    async def stock_import_errors(self, import_id: str, lane: Lane = "rest") -> bytes:
        path = f"/api/offers/stock/imports/{_in_path(import_id)}/error_report"
        return (await self._read("STO03", path, {}, lane, accept="text/csv")).body

    # OR29: cancel the whole order; no body
    async def cancel_order(self, order_id: str, lane: Lane, reference: str) -> Outcome:
        return await self._write("OR29", f"/api/orders/{_in_path(order_id)}/cancel", None, lane, reference)

    # OR23: the tracking of the whole order; a second call replaces the first
    async def set_tracking(
        self, order_id: str, tracking: Mapping[str, str], lane: Lane, reference: str
    ) -> Outcome:
        return await self._write(
            "OR23", f"/api/orders/{_in_path(order_id)}/tracking", tracking, lane, reference
        )

    # OR24: the whole remaining order is shipped; no body
    async def ship(self, order_id: str, lane: Lane, reference: str) -> Outcome:
        return await self._write("OR24", f"/api/orders/{_in_path(order_id)}/ship", None, lane, reference)

    async def _write(
        self,
        operation: WriteOperation,
        path: str,
        body: Mapping[str, Any] | None,
        lane: Lane,
        reference: str,
        items: tuple[str, ...] = (),
    ) -> Outcome:
        reply = await self._call(operation, "PUT", path, {}, body, lane, reference)
        return classify(operation, reply, items)

    async def _read(
        self,
        operation: ReadOperation,
        path: str,
        params: Params,
        lane: Lane,
        budget: str = "",
        accept: str = "application/json",
    ) -> Answered:
        return self._understood(
            operation,
            await self._call(budget or operation, "GET", path, params, None, lane, "", accept=accept),
        )

    def _understood(self, operation: ReadOperation, reply: Reply) -> Answered:
        match reply:
            case Postponed(seconds=seconds):
                raise ReadUnavailable(operation, "our own budget for it is used up", seconds)
            case NotSent(why=why) | Broken(why=why):
                raise ReadUnavailable(operation, why)
            case Answered(status=200 | 204):
                return reply
            case Answered(status=429):
                told = retry_after(reply.headers)
                raise ReadUnavailable(operation, "too many calls were made", told, too_many_calls=True)
            case Answered(status=status) if status >= 500:
                raise ReadUnavailable(
                    operation, f"it was answered with status {status}", retry_after(reply.headers)
                )
            case Answered(status=status):
                raise ReadRefused(operation, status, refusal(reply)[1])

    async def _document(self, operation: ReadOperation, path: str, lane: Lane) -> Mapping[str, Any]:
        return _json(operation, await self._read(operation, path, {}, lane))

    async def _list(
        self,
        operation: ReadOperation,
        path: str,
        member: str,
        lane: Lane,
        params: Mapping[str, str] | None = None,
    ) -> tuple[Mapping[str, Any], ...]:
        answer = await self._read(operation, path, dict(params or {}), lane)
        return _rows(operation, _json(operation, answer), member, answer.body)

    async def _call(
        self,
        counted_as: str,
        method: str,
        path: str,
        params: Params,
        body: Mapping[str, Any] | None,
        lane: Lane,
        reference: str,
        parts: Mapping[str, Any] | None = None,
        file: bytes | None = None,
        accept: str = "application/json",
    ) -> Reply:
        """`parts` are JSON parts of a multipart/form-data body, by name, and `file` is its CSV part `file`; there is then no
        `body`."""
        wait = await self._budget.take(counted_as, lane)
        if wait > 0:
            return Postponed(wait)
        built = {
            name: (None, written(part).encode(), "application/json") for name, part in (parts or {}).items()
        }
        files: dict[str, tuple[str | None, bytes, str]] = {**built}
        if file is not None:
            files["file"] = ("stock.csv", file, "text/csv")
        request = self._request(method, path, params, body, reference, files, accept)
        reply = await self._exchange(request)
        if isinstance(reply, Answered) and reply.status == 429:
            told = retry_after(reply.headers)
            await self._budget.told_to_wait(counted_as, DEFAULT_RETRY_AFTER if told is None else told)
        return reply

    def _request(
        self,
        method: str,
        path: str,
        params: Params,
        body: Mapping[str, Any] | None,
        reference: str,
        files: Mapping[str, tuple[str | None, bytes, str]],
        accept: str,
    ) -> httpx2.Request:
        headers = {**self._headers(reference), "Accept": accept}
        content: bytes | None = None
        if body is not None:
            content = written(body).encode()
            headers["Content-Type"] = "application/json"
        elif method == "PUT":
            # Mirakl demands the header on a PUT without a body (OR24, OR29).
            headers["Content-Length"] = "0"
        return self._http.build_request(
            method,
            self._account.origin + path,
            # Always with the shop: a user who is later given a second shop must not change what we mean.
            params={**params, "shop_id": self._account.shop_id},
            headers=headers,
            content=content,
            files=files or None,
            timeout=self._timeout,
        )

    def _headers(self, reference: str) -> dict[str, str]:
        headers = {
            "Authorization": self._account.api_key,
            "Accept": "application/json",
            "User-Agent": "Interlock",
        }
        if reference:
            headers["X-Client-Reference"] = reference
        return headers

    async def _exchange(self, request: httpx2.Request) -> Reply:
        try:
            async with asyncio.timeout(self._limits.whole):
                return await self._answer(request)
        except TimeoutError:
            return Broken(f"no complete answer within {self._limits.whole:g} s")
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as wrong:
            return NotSent(f"no connection to the marketplace ({type(wrong).__name__})")
        except (httpx2.ProxyError, httpx2.UnsupportedProtocol, httpx2.LocalProtocolError) as wrong:
            return NotSent(f"the call could not be made ({type(wrong).__name__})")
        except httpx2.TimeoutException as wrong:
            return Broken(f"no answer in time ({type(wrong).__name__})")
        except httpx2.HTTPError as wrong:
            return Broken(f"the connection broke ({type(wrong).__name__})")

    async def _answer(self, request: httpx2.Request) -> Reply:
        response = await self._http.send(request, stream=True, auth=None, follow_redirects=False)
        try:
            parts: list[bytes] = []
            size = 0
            async for part in response.aiter_bytes():
                size += len(part)
                if size > self._limits.largest_body:
                    return Broken(f"the answer is larger than {self._limits.largest_body} bytes")
                parts.append(part)
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answered(response.status_code, headers, b"".join(parts))


def _json(operation: str, answer: Answered) -> Mapping[str, Any]:
    try:
        document = parsed(answer.body)
    except NotJson as wrong:
        raise ReadUnreadable(operation, wrong.why, answer.body) from wrong
    if not isinstance(document, dict):
        raise ReadUnreadable(operation, "JSON, but not an object", answer.body)
    return document


def _rows(
    operation: str, document: Mapping[str, Any], member: str, body: bytes
) -> tuple[Mapping[str, Any], ...]:
    rows = document.get(member)
    if not isinstance(rows, list):
        raise ReadUnreadable(operation, f"JSON without the list {member!r}", body)
    for row in rows:
        if not isinstance(row, dict):
            raise ReadUnreadable(operation, f"JSON whose {member!r} holds something else than objects", body)
    return tuple(rows)


def _instant(moment: datetime | None) -> str:
    """UTC with milliseconds and `Z`; empty for none. A moment without a zone raises ValueError."""
    if moment is None:
        return ""
    if moment.tzinfo is None:
        raise ValueError("A moment without a zone cannot be sent to a marketplace.")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_path(order_id: str) -> str:
    return quote(order_id, safe="")
