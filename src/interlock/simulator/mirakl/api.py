"""The seller API as Mirakl answers it: the modelled operations, their checks and their error answers."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from email.parser import BytesParser
from email.policy import HTTP
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from starlette.types import Receive, Scope, Send

from interlock.simulator.mirakl.ceilings import FULL_EXPORT, ceiling
from interlock.simulator.mirakl.generate import ORDER_STATES, parsed_instant
from interlock.simulator.mirakl.offers import SimExport, request_key
from interlock.simulator.mirakl.operations import MODELLED, operation_at, other_methods
from interlock.simulator.mirakl.orders import (
    PROPORTIONAL,
    REFUND_STATES,
    SHIPPED_STATES,
    ZERO,
    Amounts,
    ShareRefused,
    SimLine,
    SimOrder,
    Tax,
    cent,
    share_of,
)
from interlock.simulator.mirakl.profile import PAYMENT_WORKFLOWS, TAX_MODES, MarketplaceProfile
from interlock.simulator.mirakl.render import (
    can_cancel,
    dumps,
    instant,
    order_text,
    part_amounts,
    render_key,
    without_nulls,
)
from interlock.simulator.mirakl.shipments import SimTracking
from interlock.simulator.mirakl.stock_imports import SimStockImport
from interlock.simulator.record import Call

if TYPE_CHECKING:
    from interlock.simulator.mirakl.world import ApiKey, MiraklWorld

_LIST_LIMIT = 100
_REFERENCE_LENGTH = 2000
_MESSAGE_LENGTH = (3, 50_000)


class ApiRefusal(Exception):
    """Mirakl answers an error: HTTP status, machine code, message, and perhaps when to come back."""

    def __init__(self, status: int, code: str, message: str, retry_after: int | None = None) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after


LISTING_LAG = timedelta(seconds=60)
RenderKey = tuple[str | int, ...]


@dataclass(slots=True)
class _Shown:
    """What a read showed of an order: the order as it was then, and its text by tax mode and profile."""

    order: SimOrder
    texts: dict[RenderKey, str]


@dataclass(slots=True)
class ApiCall:
    """One request to a modelled operation."""

    operation: str
    key: "ApiKey"
    api_key: str
    now: datetime
    reference: str | None
    query: dict[str, list[str]]
    path_values: tuple[str, ...]
    body: bytes
    content_type: str
    base_url: str
    path: str
    order_ids: list[str] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def actor(self) -> str:
        return f"api:{self.key.caller}"

    def one(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        values = self.query.get(name)
        return values[-1] if values else None

    def listed(self, name: str) -> list[str] | None:
        """A comma-separated parameter, at most 100 values (section 1.4)."""
        text = self.one(name)
        if text is None or text == "":
            return None
        values = [value for value in text.split(",") if value]
        if len(values) > _LIST_LIMIT:
            raise ApiRefusal(
                400, "VALIDATION_ERROR", f"The limit of {_LIST_LIMIT} is exceeded for parameter {name}"
            )
        return values

    def moment(self, name: str) -> datetime | None:
        text = self.one(name)
        if text is None:
            return None
        moment = parsed_instant(text)
        if moment is None:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"Parameter {name} is not a date and time")
        return moment

    def flag(self, name: str) -> bool | None:
        text = self.one(name)
        if text is None:
            return None
        if text not in ("true", "false"):
            raise ApiRefusal(400, "VALIDATION_ERROR", f"Parameter {name} is not a boolean")
        return text == "true"

    def whole(self, name: str, default: int, least: int, most: int | None) -> int:
        text = self.one(name)
        if text is None:
            return default
        if not text.isascii() or not text.isdigit():
            raise ApiRefusal(400, "VALIDATION_ERROR", f"Parameter {name} is not a number")
        value = int(text)
        if value < least or (most is not None and value > most):
            raise ApiRefusal(400, "VALIDATION_ERROR", f"Parameter {name} is out of bounds")
        return value

    def choice(self, name: str, allowed: tuple[str, ...]) -> str | None:
        text = self.one(name)
        if text is not None and text not in allowed:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"Parameter {name} has an unknown value")
        return text

    def document(self) -> dict[str, Any]:
        """The JSON body; numbers with a point are Decimal."""
        try:
            value = json.loads(self.body, parse_float=Decimal)
        except ValueError as wrong:
            raise ApiRefusal(400, "VALIDATION_ERROR", "The body is not valid JSON") from wrong
        if not isinstance(value, dict):
            raise ApiRefusal(400, "VALIDATION_ERROR", "The body must be a JSON object")
        return value


@dataclass(slots=True)
class ApiAnswer:
    """What goes back: status, text (None for no body) and what it is, further headers."""

    status: int
    text: str | None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    content_type: bytes = b"application/json"


@dataclass(frozen=True, slots=True)
class _Refund:
    """One checked entry of OR28."""

    order: SimOrder
    line: SimLine
    quantity: int
    amounts: Amounts
    reason: str
    excluded: bool


class SellerApi:
    """The ASGI application under /api."""

    def __init__(self, world: "MiraklWorld") -> None:
        # Imported here because it needs the words of this module.
        from interlock.simulator.mirakl.shipments_api import ShipmentOperations

        shipments = ShipmentOperations(world)
        self._world = world
        self._static: dict[str, tuple[int, str]] = {}
        self._shown: dict[str, _Shown] = {}
        self._handlers: dict[str, Callable[[ApiCall], ApiAnswer]] = {
            "A01": self._a01,
            "OF21": self._of21,
            "OF52": self._of52,
            "OF53": self._of53,
            "OF54": self._of54,
            "OR04": self._or04,
            "OR11": self._or11,
            "OR21": self._or21,
            "OR23": self._or23,
            "OR24": self._or24,
            "OR28": self._or28,
            "OR29": self._or29,
            "OR30": self._or30,
            "OR43": self._or43,
            "PC01": self._pc01,
            "RE01": self._re01,
            "SH12": self._sh12,
            "SH21": self._sh21,
            "ST01": shipments.create,
            "ST06": shipments.delete,
            "ST11": shipments.listed,
            "ST12": shipments.items_to_ship,
            "ST23": shipments.track,
            "ST24": shipments.ship,
            "STO01": self._sto01,
            "STO02": self._sto02,
            "STO03": self._sto03,
            "V01": self._v01,
        }
        assert tuple(self._handlers) == MODELLED

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        world = self._world
        world.tick()
        now = world.clock.now()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        method, path = scope["method"], scope["path"]
        found = operation_at(method, path)
        operation = found[0] if found is not None else "?"
        api_key = headers.get(b"authorization", "")
        key = world.keys.get(api_key)
        reference = headers.get(b"x-client-reference")
        order_ids: list[str] = []
        detail: dict[str, Any] = {}
        try:
            if key is None:
                raise ApiRefusal(401, "UNAUTHORIZED", "Unauthorized")
            if found is None:
                answer = _not_modelled(method, path)
            elif operation not in self._handlers:
                answer = _not_modelled_operation(operation)
            else:
                query: dict[str, list[str]] = {}
                for name, value in parse_qsl(
                    scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True
                ):
                    query.setdefault(name, []).append(value)
                host = headers.get(b"host") or "localhost"
                call = ApiCall(
                    operation=operation,
                    key=key,
                    api_key=api_key,
                    now=now,
                    reference=reference,
                    query=query,
                    path_values=found[1],
                    body=body,
                    content_type=headers.get(b"content-type", ""),
                    base_url=f"{scope.get('scheme', 'http')}://{host}",
                    path=path,
                    order_ids=order_ids,
                    detail=detail,
                )
                self._check_shop(call)
                self._check_ceiling(call)
                answer = self._handlers[operation](call)
        except ApiRefusal as refusal:
            answer = self._refused(refusal)
        world.tick()
        state = scope.get("state")
        world.record.calls.append(
            Call(
                now,
                world.clock.now(),
                operation,
                key.caller if key is not None else "unknown",
                reference,
                answer.status,
                tuple(order_ids),
                state.get("fault") if state else None,
                detail,
                timedelta(seconds=state.get("late", 0) if state else 0),
            )
        )
        payload = answer.text.encode() if answer.text is not None else b""
        out = [(b"content-length", str(len(payload)).encode()), *answer.headers]
        if answer.text is not None:
            out.append((b"content-type", answer.content_type))
        if answer.status == 204:
            out = answer.headers
        await send({"type": "http.response.start", "status": answer.status, "headers": out})
        await send({"type": "http.response.body", "body": payload, "more_body": False})

    # -- checks that all operations share ------------------------------------------------------------------

    def _check_shop(self, call: ApiCall) -> None:
        shop = call.one("shop_id")
        if shop is not None:
            if not shop.isascii() or not shop.isdigit():
                raise ApiRefusal(400, "VALIDATION_ERROR", "Parameter shop_id is not a number")
            if int(shop) != call.key.shop_id:
                raise ApiRefusal(403, "FORBIDDEN", "This shop is not yours")
        if call.operation in call.key.denied:
            raise ApiRefusal(403, "FORBIDDEN", "Your role does not allow this operation")

    def _check_ceiling(self, call: ApiCall) -> None:
        world = self._world
        operation = call.operation
        persona = call.key.persona or world.profile.persona
        limit = ceiling(operation, persona, world.profile, world.switches)
        if limit is None:
            return
        if operation == "OR11":
            if "order_ids" in call.query and world.switches["by_id_reads_counted"] == "no":
                return
            later_page = call.query.get("offset", ["0"])[-1] not in ("", "0")
            if later_page and world.switches["pages_counted"] == "no":
                return
        self._count(call, operation, limit)

    def _count(self, call: ApiCall, operation: str, limit: tuple[int, float]) -> None:
        wait = self._world.meter.count(call.api_key, operation, limit, call.now)
        if wait is not None:
            allowed, seconds = limit
            raise ApiRefusal(
                429,
                "TOO_MANY_REQUESTS",
                f"You made more than {allowed} calls of {operation} in {int(seconds)} seconds",
                retry_after=wait,
            )

    def _refused(self, refusal: ApiRefusal) -> ApiAnswer:
        switches = self._world.switches
        headers = []
        if refusal.retry_after is not None:
            headers.append((b"retry-after", str(refusal.retry_after).encode()))
        shape = switches["error_body"]
        if shape == "bare":
            return ApiAnswer(refusal.status, None, headers)
        specific = switches["error_messages"] == "specific" or refusal.status != 400
        body: dict[str, Any] = {
            "message": refusal.message if specific else "Bad Request",
            "status": refusal.status,
        }
        if shape == "with_code":
            body["code"] = refusal.code
        return ApiAnswer(refusal.status, dumps(body), headers)

    def _order(self, call: ApiCall) -> SimOrder:
        """The order named in the path; 404 when this shop has none of that id."""
        order_id = call.path_values[0]
        call.order_ids.append(order_id)
        order = self._world.orders.get(order_id)
        if order is None:
            raise ApiRefusal(404, "ORDER_NOT_FOUND", f"Order {order_id} does not exist")
        return order

    # -- OF21 --------------------------------------------------------------------------------------------

    def _of21(self, call: ApiCall) -> ApiAnswer:
        """OF21, section 9: the shop's offers, deleted ones apart, a page at a time; `sku` names one of them."""
        for name in ("product_id", "offer_state_codes", "favorite", "pricing_channel_code", "sort", "order"):
            if call.one(name) is not None:
                return _not_modelled_part("OF21", name)
        documents = self._world.offers.listed(call.one("sku"))
        size, offset = call.whole("max", 10, 1, 100), call.whole("offset", 0, 0, 10**9)
        shown = without_nulls(documents[offset : offset + size])
        return ApiAnswer(200, dumps({"offers": shown, "total_count": len(documents)}))

    # -- OF52 to OF54 ------------------------------------------------------------------------------------

    def _of52(self, call: ApiCall) -> ApiAnswer:
        """OF52, section 9: an export of offers is made in the background. A date makes it differential: then inactive and
        deleted offers are in it, too, and `include_inactive_offers` must not be given."""
        world = self._world
        body = call.document()
        kind = body.get("export_type", "text/csv")
        if kind not in ("text/csv", "application/json"):
            raise ApiRefusal(400, "VALIDATION_ERROR", "export_type has an unknown value")
        for name in ("channel_codes", "ongoing_discount_campaign_identifiers", "shipping_zones"):
            if body.get(name):
                return _not_modelled_part("OF52", name)
        if kind == "text/csv":
            return _not_modelled_part("OF52", "export_type text/csv")
        if "rename_fields" in body:
            raise ApiRefusal(400, "VALIDATION_ERROR", "rename_fields is only supported for CSV")
        since = body.get("last_request_date")
        moment = parsed_instant(since) if isinstance(since, str) else None
        if since is not None and moment is None:
            raise ApiRefusal(400, "VALIDATION_ERROR", "last_request_date is not a date and time")
        inactive = body.get("include_inactive_offers", False)
        if not isinstance(inactive, bool):
            raise ApiRefusal(400, "VALIDATION_ERROR", "include_inactive_offers is not a boolean")
        if moment is not None and "include_inactive_offers" in body:
            raise ApiRefusal(
                400, "VALIDATION_ERROR", "include_inactive_offers cannot be used with last_request_date"
            )
        fields = body.get("include_fields")
        if fields is not None and (
            not isinstance(fields, list) or any(not isinstance(name, str) for name in fields)
        ):
            raise ApiRefusal(400, "VALIDATION_ERROR", "include_fields must be a list of texts")
        per_chunk = body.get("items_per_chunk", 1_000_000)
        least = world.profile.least_items_per_chunk
        if (
            isinstance(per_chunk, bool)
            or not isinstance(per_chunk, int)
            or not least <= per_chunk <= 1_000_000
        ):
            raise ApiRefusal(400, "VALIDATION_ERROR", f"items_per_chunk must be between {least} and 1000000")
        if moment is None:
            persona = call.key.persona or world.profile.persona
            limit = ceiling(FULL_EXPORT, persona, world.profile, world.switches)
            assert limit is not None
            self._count(call, FULL_EXPORT, limit)
        export = world.offers.ask(
            request_key(body),
            since=moment,
            inactive_too=inactive,
            fields=tuple(fields) if fields is not None else None,
            per_chunk=per_chunk,
            at=call.now,
            takes=timedelta(seconds=world.profile.offer_export_delay),
        )
        call.detail["export"] = export.id
        return ApiAnswer(200, dumps({"tracking_id": export.id}))

    def _export(self, call: ApiCall) -> SimExport:
        export = self._world.offers.exports.get(call.path_values[0])
        if export is None:
            raise ApiRefusal(404, "NOT_FOUND", "There is no such export")
        call.detail["export"] = export.id
        return export

    def _of53(self, call: ApiCall) -> ApiAnswer:
        """OF53, section 9: PENDING, COMPLETED with the addresses of the files, or FAILED with an error."""
        export = self._export(call)
        document: dict[str, Any] = {
            "status": export.status,
            "last_updated": instant(export.last_updated or export.asked),
        }
        if export.status == "COMPLETED":
            document["urls"] = [
                f"{call.base_url}/api/offers/export/async/file/{export.id}?file=of52-export%2Foffers%2F{n}.json"
                for n in range(export.chunks)
            ]
        elif export.status == "FAILED":
            document["error"] = {"code": "1", "detail": "Internal error"}
        return ApiAnswer(200, dumps(document))

    def _of54(self, call: ApiCall) -> ApiAnswer:
        """OF54: one file of a complete export, at an address OF53 gave."""
        export = self._export(call)
        name = call.one("file") or ""
        number = name.removeprefix("of52-export/offers/").removesuffix(".json")
        text = None
        if number.isascii() and number.isdigit() and export.status == "COMPLETED":
            text = self._world.offers.chunk(export, int(number))
        if text is None:
            raise ApiRefusal(404, "NOT_FOUND", "There is no such file")
        return ApiAnswer(200, text)

    # -- STO01 to STO03 ----------------------------------------------------------------------------------

    def _sto01(self, call: ApiCall) -> ApiAnswer:
        """STO01, section 9: a CSV file in the part `file` is taken and worked off later."""
        body = _file_part(call, "file")
        made = self._world.stock_imports.take(body, call.now, call.actor, call.reference)
        call.detail["import"] = made.id
        location = f"{call.base_url}{call.path}/{made.id}/status"
        return ApiAnswer(201, dumps({"import_id": made.id}), [(b"location", location.encode())])

    def _stock_import(self, call: ApiCall) -> SimStockImport:
        found = self._world.stock_imports.imports.get(call.path_values[0])
        if found is None:
            raise ApiRefusal(404, "NOT_FOUND", "There is no such import")
        call.detail["import"] = found.id
        return found

    def _sto02(self, call: ApiCall) -> ApiAnswer:
        """STO02, section 9: how far a file has come and how many of its lines were taken."""
        found = self._stock_import(call)
        document = {
            "date_created": instant(found.received),
            "has_error_report": bool(found.refused),
            "import_id": found.id,
            "lines_in_error": len(found.refused),
            "lines_in_success": found.taken,
            "shop_id": call.key.shop_id,
            "status": self._world.stock_imports.status_of(found, call.now),
        }
        return ApiAnswer(200, dumps(document))

    def _sto03(self, call: ApiCall) -> ApiAnswer:
        """STO03, section 9: the lines that were not taken, as CSV."""
        found = self._stock_import(call)
        if not found.refused:
            raise ApiRefusal(404, "NOT_FOUND", "There is no error report")
        return ApiAnswer(200, self._world.stock_imports.report(found), content_type=b"text/csv")

    # -- OR11 --------------------------------------------------------------------------------------------

    def _or11(self, call: ApiCall) -> ApiAnswer:
        """OR11, sections 1.3, 1.4 and 5: filters over live data, sorted by creation, paged by offset.

        A list may be behind (switch `listing_lag`): it then shows an order as an earlier read showed it. Reads by id
        never are.
        """
        world = self._world
        by_id = "order_ids" in call.query
        call.detail["read"] = "by_id" if by_id else "walk"
        mode = call.choice("order_tax_mode", TAX_MODES) or world.profile.tax_mode
        page = call.whole("max", 10, 1, 100)
        offset = call.whole("offset", 0, 0, None)
        call.choice("sort", ("dateCreated",))
        descending = call.choice("order", ("asc", "desc")) == "desc"
        key = render_key(mode, world.profile_epoch, world.switches)
        lags = not by_id and world.switches["listing_lag"] != "none" and world.listing_rng.random() < 0.5
        found = self._matching(call, key if lags else None)
        if descending:
            found.reverse()
        total = len(found)
        unpaged = call.one("paginate") == "false"
        chosen = found if unpaged else found[offset : offset + page]
        call.order_ids.extend(order.id for order in chosen)
        profile, switches = world.profile, world.switches
        behind = [order.id for order in chosen if order is not world.orders[order.id]]
        if behind:
            call.detail["behind"] = tuple(behind)
        texts = [
            self._shown[order.id].texts[key]
            if order.id in behind
            else self._show(order, key, order_text(order, key, mode, profile, switches))
            for order in chosen
        ]
        links = []
        if not unpaged and offset + page < total:
            links.append(self._link(call, offset + page, page, "next"))
        if not unpaged and offset > 0:
            links.append(self._link(call, max(0, offset - page), page, "previous"))
        headers = [(b"link", ", ".join(links).encode("latin-1"))] if links else []
        return ApiAnswer(200, f'{{"orders":[{",".join(texts)}],"total_count":{total}}}', headers)

    def _link(self, call: ApiCall, offset: int, page: int, rel: str) -> str:
        pairs = [
            (name, value)
            for name, values in call.query.items()
            if name not in ("max", "offset")
            for value in values
        ]
        pairs += [("max", str(page)), ("offset", str(offset))]
        return f'<{call.base_url}{call.path}?{urlencode(pairs)}>; rel="{rel}"'

    def _show(self, order: SimOrder, key: RenderKey, text: str) -> str:
        """Remember what a read showed; a list that is behind may show it once more."""
        shown = self._shown.get(order.id)
        if shown is None or shown.order.version != order.version:
            shown = self._shown[order.id] = _Shown(copy.copy(order), {})
        shown.texts[key] = text
        return text

    def _behind(self, order: SimOrder, key: RenderKey, now: datetime) -> SimOrder:
        """The order as a list that is behind shows it; only what lists filter by is told right by the copy."""
        shown = self._shown.get(order.id)
        if shown is None or shown.order.version == order.version or key not in shown.texts:
            return order
        return shown.order if now - order.changed_at[shown.order.version + 1] <= LISTING_LAG else order

    def _matching(self, call: ApiCall, behind: RenderKey | None = None) -> list[SimOrder]:
        world = self._world
        ids = call.listed("order_ids")
        found: list[SimOrder]
        if ids is None:
            found = list(world.by_creation)
            if behind is not None:
                found = [self._behind(order, behind, call.now) for order in found]
        else:
            wanted = dict.fromkeys(ids)
            found = [world.orders[order_id] for order_id in wanted if order_id in world.orders]
            found.sort(key=lambda order: (order.created, order.id))
        states = call.listed("order_state_codes")
        if states is not None:
            for state in states:
                if state not in ORDER_STATES:
                    raise ApiRefusal(400, "VALIDATION_ERROR", "Parameter order_state_codes is unknown")
            found = [order for order in found if order.state in states]
        for name in ("seller", "customer"):
            references = call.listed(f"order_references_for_{name}")
            if references is not None:
                found = [order for order in found if getattr(order, f"reference_for_{name}") in references]
        since, until = call.moment("start_date"), call.moment("end_date")
        if since is not None:
            found = [order for order in found if order.created >= since]
        if until is not None:
            found = [order for order in found if order.created <= until]
        since, until = call.moment("start_update_date"), call.moment("end_update_date")
        if since is not None:
            since -= timedelta(seconds=int(world.switches["update_delta_seconds"]))
            found = [order for order in found if order.updated >= since]
        if until is not None:
            found = [order for order in found if order.updated <= until]
        debited = call.flag("customer_debited")
        if debited is not None:
            found = [order for order in found if (order.debited is not None) == debited]
        workflow = call.choice("payment_workflow", PAYMENT_WORKFLOWS)
        if workflow is not None:
            found = [order for order in found if order.workflow == workflow]
        incident = call.flag("has_incident")
        if incident is not None:
            found = [order for order in found if order.has_incident == incident]
        channels = call.listed("channel_codes")
        if call.flag("only_null_channel"):
            found = [order for order in found if order.static.get("channel") is None]
        elif channels is not None:
            found = [order for order in found if (order.static.get("channel") or {}).get("code") in channels]
        centers = call.query.get("fulfillment_center_code")
        if centers:
            found = [
                order
                for order in found
                if order.static.get("fulfillment", {}).get("center", {}).get("code") in centers
            ]
        return found

    # -- writes ------------------------------------------------------------------------------------------

    def _or21(self, call: ApiCall) -> ApiAnswer:
        """OR21, section 5: every line decided, in WAITING_ACCEPTANCE only; the nine published codes."""
        document = call.document()
        order = self._order(call)
        entries = document.get("order_lines")
        if not isinstance(entries, list) or not entries:
            raise ApiRefusal(400, "VALIDATION_ERROR", "order_lines is required")
        decisions: dict[str, bool] = {}
        for entry in entries:
            if entry is None:
                raise ApiRefusal(400, "ORDER_LINE_NULL_ELEMENT", "The order lines contain a null element")
            if (
                not isinstance(entry, dict)
                or not isinstance(entry.get("id"), str)
                or not isinstance(entry.get("accepted"), bool)
            ):
                raise ApiRefusal(400, "VALIDATION_ERROR", "An order line needs id and accepted")
            if entry["id"] in decisions:
                raise ApiRefusal(400, "ORDER_LINE_DUPLICATE_ID", f"Line {entry['id']} occurs twice")
            decisions[entry["id"]] = entry["accepted"]
        if order.state != "WAITING_ACCEPTANCE":
            raise ApiRefusal(
                400,
                "ORDER_INVALID_STATE",
                f"Order {order.id} must be 'WAITING_ACCEPTANCE' but is '{order.state}'",
            )
        if order.static.get("fulfillment", {}).get("center", {}).get("code") not in (None, "DEFAULT"):
            raise ApiRefusal(400, "ORDER_FULFILLED_UNAUTHORIZED", "This order is fulfilled by someone else")
        for line_id in decisions:
            if order.line(line_id) is None:
                raise ApiRefusal(400, "ORDER_LINE_NOT_FOUND", f"Order {order.id} has no line {line_id}")
        if any(line.id not in decisions for line in order.active_lines):
            raise ApiRefusal(400, "ORDER_LINE_ACCEPTANCE_DECISION_MISSING", "Some lines miss a decision")
        chosen = {decisions[line.id] for line in order.active_lines}
        if len(chosen) > 1 and not self._world.profile.partial_acceptance:
            raise ApiRefusal(
                400, "ORDER_PARTIAL_ACCEPTANCE_DISABLED", "Partial acceptance is disabled for this shop"
            )
        self._world.decide(order, decisions, call.now, call.actor, call.reference)
        return ApiAnswer(204, None)

    def _or23(self, call: ApiCall) -> ApiAnswer:
        """OR23 and the carrier rules at the end of section 6; a second call overwrites."""
        world = self._world
        document = call.document()
        order = self._order(call)
        values: dict[str, str | None] = {}
        for name in (
            "carrier_code",
            "carrier_name",
            "carrier_url",
            "carrier_standard_code",
            "tracking_number",
        ):
            value = document.get(name)
            if value is not None and not isinstance(value, str):
                raise ApiRefusal(400, "VALIDATION_ERROR", f"{name} must be a text")
            values[name] = value or None
        allowed = (
            order.state == "SHIPPING"
            or (
                order.state in ("WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT")
                and world.switches["or23_before_shipping"] == "allowed"
            )
            or (
                order.state in SHIPPED_STATES
                and order.state != "CLOSED"
                and world.switches["or23_after_shipped"] == "allowed"
            )
        )
        if not allowed:
            raise ApiRefusal(
                400, "ORDER_INVALID_STATE", f"Order status must be 'SHIPPING' but is '{order.state}'"
            )
        self._check_ships_whole()
        number = values["tracking_number"]
        tracking = tracking_of(
            world.profile,
            values["carrier_code"],
            values["carrier_name"],
            values["carrier_standard_code"],
            number,
            values["carrier_url"],
        )
        order.carrier_code = tracking.carrier_code
        order.carrier_standard_code = tracking.carrier_standard_code
        order.carrier_name = tracking.carrier_name
        order.tracking_url = tracking.url
        order.tracking_number = number
        world.touch(order, call.now)
        world.effect(
            order,
            "tracking",
            call.now,
            call.actor,
            call.reference,
            carrier=order.carrier_code or order.carrier_name,
            number=number,
        )
        return ApiAnswer(204, None)

    def _or24(self, call: ApiCall) -> ApiAnswer:
        """OR24, section 5: SHIPPING only, the whole remaining order, tracking first where it is mandatory."""
        world = self._world
        order = self._order(call)
        if order.state != "SHIPPING" or order.ship_asked:
            raise ApiRefusal(
                400, "ORDER_INVALID_STATE", f"Order status must be 'SHIPPING' but is '{order.state}'"
            )
        self._check_ships_whole()
        if not order.shop_can_ship:
            raise ApiRefusal(400, "ORDER_INVALID_STATE", "The shop cannot ship this order")
        method = next(
            (kind for kind in world.profile.shipping_types if kind.code == order.shipping_type_code), None
        )
        if (
            method is not None
            and method.mandatory_tracking
            and (order.tracking_number is None and order.tracking_url is None)
        ):
            raise ApiRefusal(
                400, "TRACKING_MANDATORY", "Tracking details are mandatory for this shipping method"
            )
        world.ship(order, call.now, call.actor, call.reference)
        return ApiAnswer(204, None)

    def _check_ships_whole(self) -> None:
        """Whether OR23 and OR24 work beside shipments is undocumented (section 6): a switch."""
        world = self._world
        if world.profile.multi_shipment and world.switches["or24_with_multi_shipment"] == "refused":
            raise ApiRefusal(
                400, "MULTI_SHIPMENT_ENABLED", "Orders are shipped by shipments on this marketplace"
            )

    def _or29(self, call: ApiCall) -> ApiAnswer:
        """OR29, section 5: the whole order, where `can_cancel` says so."""
        world = self._world
        order = self._order(call)
        if order.state == "CANCELED" and world.switches["or29_repeat"] == "204":
            return ApiAnswer(204, None)
        if not can_cancel(order, world.switches):
            raise ApiRefusal(
                400, "ORDER_INVALID_STATE", f"Order {order.id} cannot be canceled in state {order.state}"
            )
        world.cancel_all(order, call.now, call.actor, call.reference, None)
        return ApiAnswer(204, None)

    def _or30(self, call: ApiCall) -> ApiAnswer:
        """OR30, section 5: amounts drive, quantity informs; all or nothing per call; a repeat cancels again."""
        world = self._world
        profile = world.profile
        document = call.document()
        if not profile.partial_cancelation:
            status = int(world.switches["or30_when_feature_off"])
            raise ApiRefusal(status, "FEATURE_DISABLED", "Partial cancelation is not enabled for shops")
        mode = document.get("order_tax_mode") or profile.tax_mode
        if mode not in TAX_MODES:
            raise ApiRefusal(400, "VALIDATION_ERROR", "order_tax_mode is unknown")
        if profile.order_level_tax_calculation and mode != profile.tax_mode:
            raise ApiRefusal(
                400, "VALIDATION_ERROR", "order_tax_mode must be the platform's with order level taxes"
            )
        entries = document.get("cancelations")
        if not isinstance(entries, list) or not entries:
            raise ApiRefusal(400, "VALIDATION_ERROR", "cancelations is required")
        # Every entry is checked against what the entries before it leave, before anything is written.
        taken: dict[str, Amounts] = {}
        planned: list[tuple[SimOrder, SimLine, int, Amounts, str]] = []
        for entry in entries:
            order, line, quantity, amounts, reason = self._one_cancelation(call, entry, mode, taken)
            planned.append((order, line, quantity, amounts, reason))
            taken[line.id] = _sum(taken.get(line.id), amounts)
        included = mode == "TAX_INCLUDED"
        answers = []
        touched: dict[str, SimOrder] = {}
        for order, line, quantity, amounts, reason in planned:
            part = world.cancel_part(
                order, line, quantity, amounts, reason, call.now, call.actor, call.reference
            )
            touched[order.id] = order
            answers.append(
                {
                    "cancelation_id": part.id,
                    "order_line_id": line.id,
                    "currency_iso_code": order.currency,
                    "quantity": quantity,
                    "reason_code": reason,
                    **part_amounts(amounts, line, included, profile),
                }
            )
        for order in touched.values():
            world.after_cancelations(order, call.now, call.actor, call.reference)
        return ApiAnswer(200, self._json({"order_tax_mode": mode, "cancelations": answers}))

    def _one_cancelation(
        self, call: ApiCall, entry: Any, mode: str, taken: dict[str, Amounts]
    ) -> tuple[SimOrder, SimLine, int, Amounts, str]:
        world = self._world
        profile = world.profile
        if not isinstance(entry, dict):
            raise ApiRefusal(400, "VALIDATION_ERROR", "A cancelation must be an object")
        line_id = entry.get("order_line_id")
        if not isinstance(line_id, str):
            raise ApiRefusal(400, "VALIDATION_ERROR", "order_line_id is required")
        order, line = self._line_of(line_id)
        if order.id not in call.order_ids:
            call.order_ids.append(order.id)
        amount = _amount(entry, "amount", required=True)
        shipping_amount = _amount(entry, "shipping_amount", required=True)
        quantity = entry.get("quantity")
        if isinstance(quantity, bool) or not isinstance(quantity, int) or quantity < 0:
            raise ApiRefusal(400, "VALIDATION_ERROR", "quantity is required")
        reason = self._shop_reason(entry, "CANCELATION", "cancelation")
        currency = entry.get("currency_iso_code")
        if currency is not None and currency != order.currency:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"The currency of this order is {order.currency}")
        if not can_cancel(order, world.switches):
            raise ApiRefusal(
                400, "ORDER_INVALID_STATE", f"Order {order.id} cannot be canceled in state {order.state}"
            )
        if not line.active:
            raise ApiRefusal(400, "ORDER_LINE_INVALID_STATE", f"Line {line.id} is {line.state}")
        by_order = profile.order_level_tax_calculation and mode == "TAX_EXCLUDED"
        if by_order and ("taxes" in entry or "shipping_taxes" in entry):
            raise ApiRefusal(
                400, "VALIDATION_ERROR", "taxes must be omitted with order level taxes in TAX_EXCLUDED"
            )
        left = line.refundable()
        if line.id in taken:
            left = left.minus(taken[line.id])
        omitted = world.switches["or30_omitted_proportional_taxes"]
        try:
            amounts = share_of(
                line,
                left,
                mode=mode,
                unit=cent(order.currency),
                amount=amount,
                shipping_amount=shipping_amount,
                taxes=_coded(entry, "taxes"),
                shipping_taxes=_coded(entry, "shipping_taxes"),
                fees=_coded(entry, "fees"),
                omitted="computed" if by_order else omitted,
            )
        except ShareRefused as refused:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"Line {line.id}: {refused}") from refused
        empty = not (amounts.product or amounts.shipping or amounts.taxes or amounts.shipping_taxes)
        if empty and not any(amounts.fees.values()) and world.switches["or30_zero_amount"] == "refused":
            raise ApiRefusal(400, "VALIDATION_ERROR", "Nothing would be canceled")
        return order, line, quantity, amounts, reason

    def _or28(self, call: ApiCall) -> ApiAnswer:
        """OR28, section 5: debited lines only, never more than what is left; all or nothing per call, and nothing
        recognises a repeat (section 1.9)."""
        world = self._world
        document = call.document()
        mode = document.get("order_tax_mode") or world.profile.tax_mode
        if mode not in TAX_MODES:
            raise ApiRefusal(400, "VALIDATION_ERROR", "order_tax_mode is unknown")
        entries = document.get("refunds")
        if not isinstance(entries, list) or not entries:
            raise ApiRefusal(400, "VALIDATION_ERROR", "refunds is required")
        taken: dict[str, Amounts] = {}
        planned: list[_Refund] = []
        for entry in entries:
            refund = self._one_refund(call, entry, mode, taken)
            planned.append(refund)
            taken[refund.line.id] = _sum(taken.get(refund.line.id), refund.amounts)
        self._check_balances(planned)
        included = mode == "TAX_INCLUDED"
        requested = world.switches["or28_lands_as"] == "request"
        groups = {order_id: world.new_group() for order_id in dict.fromkeys(one.order.id for one in planned)}
        answers = []
        for one in planned:
            part = world.refund_part(
                one.order,
                one.line,
                one.quantity,
                one.amounts,
                one.reason,
                one.excluded,
                groups[one.order.id],
                call.now,
                call.actor,
                call.reference,
                requested=requested,
            )
            answers.append(
                {
                    "refund_id": part.id,
                    "order_refund_id": part.order_refund_id,
                    "order_line_id": one.line.id,
                    "currency_iso_code": one.order.currency,
                    "quantity": one.quantity,
                    "reason_code": one.reason,
                    "excluded_from_shipment": one.excluded,
                    **part_amounts(one.amounts, one.line, included, world.profile),
                }
            )
        return ApiAnswer(200, self._json({"order_tax_mode": mode, "refunds": answers}))

    def _one_refund(self, call: ApiCall, entry: Any, mode: str, taken: dict[str, Amounts]) -> "_Refund":
        world = self._world
        if not isinstance(entry, dict):
            raise ApiRefusal(400, "VALIDATION_ERROR", "A refund must be an object")
        line_id = entry.get("order_line_id")
        if not isinstance(line_id, str):
            raise ApiRefusal(400, "VALIDATION_ERROR", "order_line_id is required")
        order, line = self._line_of(line_id)
        if order.id not in call.order_ids:
            call.order_ids.append(order.id)
        amount = _amount(entry, "amount", required=True)
        shipping_amount = _amount(entry, "shipping_amount", required=True)
        quantity = entry.get("quantity", 0)
        if isinstance(quantity, bool) or not isinstance(quantity, int) or quantity < 0:
            raise ApiRefusal(400, "VALIDATION_ERROR", "quantity is not a number of units")
        excluded = entry.get("excluded_from_shipment", False)
        if not isinstance(excluded, bool):
            raise ApiRefusal(400, "VALIDATION_ERROR", "excluded_from_shipment is not a boolean")
        reason = self._shop_reason(entry, "REFUND", "refund")
        currency = entry.get("currency_iso_code")
        if currency is not None and currency != order.currency:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"The currency of this order is {order.currency}")
        self._check_refundable(order, line)
        left = line.refundable()
        if line.id in taken:
            left = left.minus(taken[line.id])
        taxes, shipping_taxes = _coded(entry, "taxes"), _coded(entry, "shipping_taxes")
        if world.switches["or28_sent_proportional_taxes"] == "recomputed":
            taxes = _without_proportional(line.taxes, taxes)
            shipping_taxes = _without_proportional(line.shipping_taxes, shipping_taxes)
            omitted = "computed"
        else:
            omitted = world.switches["or28_omitted_proportional_taxes"]
        try:
            amounts = share_of(
                line,
                left,
                mode=mode,
                unit=cent(order.currency),
                amount=amount,
                shipping_amount=shipping_amount,
                taxes=taxes,
                shipping_taxes=shipping_taxes,
                fees=_coded(entry, "fees"),
                omitted=omitted,
            )
        except ShareRefused as refused:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"Line {line.id}: {refused}") from refused
        if amounts.total_with_tax == ZERO:
            raise ApiRefusal(400, "VALIDATION_ERROR", "Nothing would be refunded")
        if excluded and quantity > line.live_quantity:
            raise ApiRefusal(
                400,
                "VALIDATION_ERROR",
                f"Line {line.id}: {quantity} exceeds the {line.live_quantity} units left to ship",
            )
        return _Refund(order, line, quantity, amounts, reason, excluded)

    def _check_refundable(self, order: SimOrder, line: SimLine) -> None:
        """What section 5 names as frequent rejections of OR28, but for the balance."""
        switches = self._world.switches
        if order.state not in REFUND_STATES or (
            order.state == "SHIPPING" and switches["or28_in_shipping"] == "refused"
        ):
            raise ApiRefusal(
                400, "ORDER_INVALID_STATE", f"Order {order.id} cannot be refunded in state {order.state}"
            )
        if not line.active:
            raise ApiRefusal(400, "ORDER_LINE_INVALID_STATE", f"Line {line.id} is {line.state}")
        unconfirmed = order.workflow == "NO_CUSTOMER_PAYMENT_CONFIRMATION" and (
            switches["refund_without_payment_confirmation"] == "after_shipping" and line.shipped is not None
        )
        if line.debited is None and not unconfirmed:
            raise ApiRefusal(400, "ORDER_LINE_NOT_DEBITED", f"Order line {line.id} has not been debited")
        running = any(part.state != "REFUNDED" for part in line.refunds)
        if running and switches["or28_while_refund_running"] == "refused":
            raise ApiRefusal(
                400, "REFUND_IN_PROGRESS", f"A refund is already in progress on order line {line.id}"
            )

    def _check_balances(self, planned: list["_Refund"]) -> None:
        """SHIPPING and SHIPPED draw on the pending balance, RECEIVED on the payable one (section 5 OR28)."""
        wanted: dict[str, Decimal] = {}
        for one in planned:
            balance = "payable" if one.order.state == "RECEIVED" else "pending"
            wanted[balance] = wanted.get(balance, ZERO) + one.amounts.total_with_tax
        for balance, amount in wanted.items():
            if amount > self._world.balance("RECEIVED" if balance == "payable" else "SHIPPING"):
                raise ApiRefusal(
                    400,
                    "SHOP_BALANCE_TOO_LOW",
                    f"The shop does not have a sufficient {balance} balance for the refund",
                )

    def _shop_reason(self, entry: dict[str, Any], kind: str, name: str) -> str:
        """The entry's reason code: one of that type which a shop may give (RE01 `is_shop_right`)."""
        code = entry.get("reason_code")
        if code is None or isinstance(code, bool) or not isinstance(code, str | int):
            raise ApiRefusal(400, "VALIDATION_ERROR", "reason_code is required")
        reason = str(code)
        known = self._world.profile.reasons
        if not any(one.type == kind and one.code == reason and one.is_shop_right for one in known):
            raise ApiRefusal(400, "REASON_NOT_FOUND", f"Reason {reason} is not a {name} reason")
        return reason

    def _or43(self, call: ApiCall) -> ApiAnswer:
        """OR43, section 5: a message in a new thread; multipart, with a JSON part `thread_input`."""
        order = self._order(call)
        found = _json_part(call, "thread_input")
        body, to, topic = found.get("body"), found.get("to"), found.get("topic")
        shortest, longest = _MESSAGE_LENGTH
        if not isinstance(body, str) or not shortest <= len(body) <= longest:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"body must have {shortest} to {longest} characters")
        if (
            not isinstance(to, list)
            or not to
            or any(one not in ("CUSTOMER", "OPERATOR", "SHOP") for one in to)
        ):
            raise ApiRefusal(400, "VALIDATION_ERROR", "to must name CUSTOMER or OPERATOR")
        if "SHOP" in to:
            raise ApiRefusal(400, "VALIDATION_ERROR", "A shop cannot write to itself")
        if (
            not isinstance(topic, dict)
            or topic.get("type") not in ("FREE_TEXT", "REASON_CODE")
            or not isinstance(topic.get("value"), str)
            or not topic["value"].strip()
        ):
            raise ApiRefusal(400, "VALIDATION_ERROR", "topic needs a type and a value")
        if topic["type"] == "REASON_CODE":
            self._shop_reason({"reason_code": topic["value"]}, "ORDER_MESSAGING", "message")
        thread = self._world.open_thread(
            order, topic["type"], topic["value"], body, tuple(to), call.now, call.actor, call.reference
        )
        return ApiAnswer(201, dumps({"message_id": thread.message_id, "thread_id": thread.id}))

    def _line_of(self, line_id: str) -> tuple[SimOrder, SimLine]:
        order = self._world.line_owners.get(line_id)
        line = order.line(line_id) if order is not None else None
        if order is not None and line is not None:
            return order, line
        raise ApiRefusal(404, "ORDER_LINE_NOT_FOUND", f"Order line {line_id} does not exist")

    def _or04(self, call: ApiCall) -> ApiAnswer:
        """OR04, sections 1.8 and 5: the seller's reference and eco contributions, result per order."""
        document = call.document()
        entries = document.get("orders")
        if not isinstance(entries, list) or not entries:
            raise ApiRefusal(400, "VALIDATION_ERROR", "orders is required")
        if len(entries) > _LIST_LIMIT:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"Too many orders: at most {_LIST_LIMIT}")
        return ApiAnswer(200, self._json({"updated_orders": [self._update(call, e) for e in entries]}))

    def _update(self, call: ApiCall, entry: Any) -> dict[str, Any]:
        world = self._world
        if not isinstance(entry, dict) or not isinstance(entry.get("order_id"), str):
            raise ApiRefusal(400, "VALIDATION_ERROR", "order_id is required")
        order_id = entry["order_id"]
        call.order_ids.append(order_id)
        order = world.orders.get(order_id)
        if order is None:
            message = f"Order {order_id} does not exist"
            return _item_error(order_id, "ORDER_NOT_FOUND", "order_id", message)
        updated: dict[str, Any] = {}
        references = entry.get("references")
        if isinstance(references, dict) and "order_reference_for_seller" in references:
            value = references["order_reference_for_seller"]
            name = "references.order_reference_for_seller"
            if value is not None and (not isinstance(value, str) or not value.strip()):
                return _item_error(order_id, "VALIDATION_ERROR", name, "The reference must not be blank")
            if value is not None and len(value) > _REFERENCE_LENGTH:
                return _item_error(order_id, "VALIDATION_ERROR", name, "The reference is too long")
            order.reference_for_seller = value
            updated["references"] = {"order_reference_for_seller": value}
            bump = world.switches["reference_bumps_update_date"] == "yes"
            world.touch(order, call.now, bump=bump)
            world.effect(order, "reference", call.now, call.actor, call.reference, value=value)
        lines = []
        for part in entry.get("order_lines") or []:
            line = order.line(str(part.get("order_line_id"))) if isinstance(part, dict) else None
            if line is None:
                message = f"Order {order_id} has no such line"
                return _item_error(order_id, "ORDER_LINE_NOT_FOUND", "order_lines", message)
            eco = [_eco(contribution, line) for contribution in part.get("eco_contributions") or []]
            line.static = {**line.static, "eco_contributions": eco}
            world.touch(order, call.now)
            lines.append({"order_line_id": line.id, "eco_contributions": eco})
        if lines:
            updated["order_lines"] = lines
        return {"order_id": order_id, "updated": updated, "errors": []}

    # -- reference data ----------------------------------------------------------------------------------

    def _json(self, document: Any) -> str:
        if self._world.switches["absent_values"] == "omitted":
            document = without_nulls(document)
        return dumps(document)

    def _constant(self, name: str, make: Callable[[], Any]) -> ApiAnswer:
        known = self._static.get(name)
        if known is None or known[0] != self._world.profile_epoch:
            known = (self._world.profile_epoch, dumps(without_nulls(make())))
            self._static[name] = known
        return ApiAnswer(200, known[1])

    def _v01(self, call: ApiCall) -> ApiAnswer:
        return self._constant("V01", lambda: {"version": "simulated"})

    def _re01(self, call: ApiCall) -> ApiAnswer:
        """RE01: by type, then in the operator's order."""
        reasons = sorted(self._world.profile.reasons, key=lambda reason: reason.type)
        return self._constant(
            "RE01",
            lambda: {
                "reasons": [
                    {
                        "type": reason.type,
                        "code": reason.code,
                        "label": reason.label,
                        "is_shop_right": reason.is_shop_right,
                    }
                    for reason in reasons
                ],
                "total_count": len(reasons),
            },
        )

    def _sh12(self, call: ApiCall) -> ApiAnswer:
        return self._constant(
            "SH12",
            lambda: {
                "shipping_types": [
                    {
                        "code": kind.code,
                        "label": kind.label,
                        "description": kind.label,
                        "standard_code": kind.standard_code,
                        "mandatory_tracking": kind.mandatory_tracking,
                        "click_and_collect": kind.click_and_collect,
                        "delivery_by_operator": kind.delivery_by_operator,
                        "ignore_lead_time_to_ship": False,
                    }
                    for kind in self._world.profile.shipping_types
                ]
            },
        )

    def _sh21(self, call: ApiCall) -> ApiAnswer:
        """SH21: by label."""
        return self._constant(
            "SH21",
            lambda: {
                "carriers": [
                    {
                        "code": carrier.code,
                        "label": carrier.label,
                        "standard_code": carrier.standard_code,
                        "tracking_url": carrier.tracking_url,
                    }
                    for carrier in sorted(self._world.profile.carriers, key=lambda known: known.label)
                ]
            },
        )

    def _pc01(self, call: ApiCall) -> ApiAnswer:
        return self._constant("PC01", self._configuration)

    def _configuration(self) -> dict[str, Any]:
        """PC01: the capability probe. What it cannot say (section 10) is not in it."""
        profile = self._world.profile
        workflows = {
            "no_customer_payment_confirmation": profile.payment_workflow
            == "NO_CUSTOMER_PAYMENT_CONFIRMATION",
            "order_acceptance": profile.order_acceptance,
            "pause_debit_workflow": False,
            "pay_on_due_date": profile.payment_workflow == "PAY_ON_DUE_DATE",
            "pay_on_shipment": profile.payment_workflow == "PAY_ON_SHIPMENT",
            "sellers_edit_shipping_origin": False,
            "shipping_and_billing_details_before_acceptance": profile.addresses_from
            in ("STAGING", "WAITING_ACCEPTANCE"),
        }
        return {
            "features": {
                "catalog": {
                    "allow_shop_contribution_to_all_channels": False,
                    "exclude_invalid_products": False,
                    "list_of_multiple_values_separator": "|",
                    "product_acceptance_by_channel": False,
                    "product_data_validation_by_channel": False,
                    "product_import_only_on_leaf": True,
                },
                "circular_economy_data_collection": False,
                "competitive_pricing_tool": False,
                "direct_payment_customer_store": {"activated": False, "refund_cancel_authorized": False},
                "disable_seller_alternative_carrier": not profile.alternative_carrier,
                "dropship": {"retail_pricing_enabled": False},
                "kyc_status_per_seller": False,
                "lead_time_to_ship_by_sellers_enabled": "YES",
                "multi_currency": False,
                "multi_payout_psp_per_seller": False,
                "no_reply_needed": True,
                "offer_prices_decimals": "2",
                "operator_csv_delimiter": "SEMICOLON",
                "order_conditions": {
                    "lead_time_to_ship": True,
                    "maximum_order_quantity": False,
                    "minimum_order_quantity": False,
                    "package_order_quantity": False,
                },
                "order_tax_mode": profile.tax_mode,
                "order_workflows": workflows,
                "payment_confirmation": profile.payment_workflow != "NO_CUSTOMER_PAYMENT_CONFIRMATION",
                "pricing": {
                    "channel_pricing": "DISABLED",
                    "discount_period_required": False,
                    "discount_price_creation_in_the_past_blocked": False,
                    "scheduled_pricing": False,
                    "volume_discount": False,
                    "volume_pricing": False,
                },
                "product_data_validation_by_channel": False,
                "promotion": {
                    "cart_promotion_campaign": False,
                    "discount_campaign": False,
                    "seller_promotion": False,
                },
                "returns": {"drop_ship": False, "marketplace": False, "one_creditor": False},
                "shipment": {
                    "multi_part_item_shipment": False,
                    "multi_shipment": profile.multi_shipment,
                },
                "shop_tax_options": {
                    "local_tax_number": {"mandatory": False},
                    "tax_identification_number": {"mandatory": False},
                },
                "tax_collection": {
                    "activated": "YES" if profile.tax_collected_by_operator else "NO",
                    "product_tax_code_mandatory": False,
                    "tax_collection_by_operator": profile.tax_collected_by_operator,
                },
                "tax_id_number": {"mandatory": False},
                "warehouses": {"geolocation": False, "restricted_countries": []},
            },
            "modules": {
                "mirakl_catalog_integrator": False,
                "mirakl_catalog_manager": False,
                "mirakl_catalog_transformer": False,
                "mirakl_platform_services": False,
                "offer_management": True,
                "order_management": True,
                "promotions": False,
                "quotes": False,
                "tax_manager": {"activated": False, "tax_provider": {"avalara": False, "vertex": False}},
            },
            "platform_configuration": {
                "customer_model": {"b2b": True, "b2c": True},
                "enhanced_seller_invoicing": {"enabled": False},
                "platform_model": {"drop_ship": False, "marketplace": True, "one_creditor": False},
            },
            "platform_name": profile.name,
            "tenant_name": f"{profile.name}-sim",
            "timezone": profile.timezone,
        }

    def _a01(self, call: ApiCall) -> ApiAnswer:
        """A01: credential check, currency, shop id, balances."""
        world = self._world
        profile = world.profile
        since = instant(world.started)
        document = {
            "shop_id": call.key.shop_id,
            "shop_name": f"Shop on {profile.name}",
            "shop_state": "OPEN",
            "model": "MARKETPLACE",
            "currency_iso_code": profile.currency,
            "channels": [],
            "domains": ["PRODUCT"],
            "date_created": since,
            "last_updated_date": since,
            "billing_info": {},
            "contact_informations": {
                "city": "Sample town",
                "country": profile.country,
                "email": "shop@shop.example",
                "lastname": "Shop",
                "street1": "1 Sample street",
            },
            "default_billing_information": {
                "default_language": profile.locale,
                "id": f"billing-{call.key.shop_id}",
                "registration_address": {
                    "city": "Sample town",
                    "country_iso_code": profile.country,
                    "street_1": "1 Sample street",
                },
            },
            "evaluations_count": 0,
            "free_shipping": False,
            "is_professional": True,
            "kyc": {"status": "APPROVED"},
            "offers_count": sum(not offer.deleted for offer in world.offers.offers.values()),
            "orders_count": len(world.orders),
            "payment_details": {
                "paid_balance": ZERO,
                "payable_balance": world.balance("RECEIVED"),
                "pending_balance": world.balance("SHIPPING"),
                "reserve_balance": ZERO,
            },
            "payment_method_mandatory": False,
            "premium": False,
            "pro_details": {},
            "shipping": {"lead_time_to_ship": profile.leadtime_to_ship_days},
            "shipping_country": profile.country,
            "shipping_types": [kind.code for kind in profile.shipping_types],
            "shipping_zones": ["DOM"],
            "shippings": [
                {
                    "shipping_type_code": kind.code,
                    "shipping_type_label": kind.label,
                    "shipping_type_standard_code": kind.standard_code,
                    "shipping_zone_code": "DOM",
                    "shipping_zone_label": "Domestic",
                }
                for kind in profile.shipping_types
            ],
            "shop_additional_fields": [],
        }
        return ApiAnswer(200, dumps(without_nulls(document)))


def _not_modelled_operation(operation: str) -> ApiAnswer:
    message = f"The simulator does not model {operation}; it models {', '.join(MODELLED)}."
    return ApiAnswer(501, dumps({"message": message, "status": 501, "operation": operation}))


def _not_modelled_part(operation: str, part: str) -> ApiAnswer:
    message = f"The simulator does not model {part} of {operation}."
    return ApiAnswer(501, dumps({"message": message, "status": 501, "operation": operation}))


def _not_modelled(method: str, path: str) -> ApiAnswer:
    others = other_methods(path)
    if others:
        message = f"{method} is not allowed here; {', '.join(others)} is."
        allow = [(b"allow", ", ".join(others).encode())]
        return ApiAnswer(405, dumps({"message": message, "status": 405}), allow)
    message = f"Mirakl publishes no seller operation at {method} of this path, so none is modelled."
    return ApiAnswer(501, dumps({"message": message, "status": 501, "operation": None}))


def tracking_of(
    profile: MarketplaceProfile,
    code: str | None,
    name: str | None,
    standard_code: str | None,
    number: str | None,
    url: str | None,
) -> SimTracking:
    """The tracking as the marketplace keeps it: the rules at the end of section 6. Raises ApiRefusal."""
    if code is None:
        if name is None:
            raise ApiRefusal(400, "VALIDATION_ERROR", "carrier_code or carrier_name is mandatory")
        if not profile.alternative_carrier:
            raise ApiRefusal(
                400, "CARRIER_NOT_ALLOWED", "Only registered carriers are allowed on this marketplace"
            )
        return SimTracking(None, standard_code, name, number, url)
    carrier = next((known for known in profile.carriers if known.code == code), None)
    if carrier is None:
        raise ApiRefusal(400, "CARRIER_NOT_FOUND", f"Carrier {code} is not registered")
    template = carrier.tracking_url
    if template is not None and "{trackingId}" in template and number is None:
        raise ApiRefusal(400, "VALIDATION_ERROR", "tracking_number is mandatory for this carrier")
    computed = template.replace("{trackingId}", number or "") if template else None
    return SimTracking(carrier.code, carrier.standard_code, carrier.label, number, computed)


def _item_error(order_id: str, code: str, name: str, message: str) -> dict[str, Any]:
    return {"order_id": order_id, "errors": [{"code": code, "field": name, "message": message}]}


def _eco(contribution: Any, line: SimLine) -> dict[str, Any]:
    if not isinstance(contribution, dict) or not isinstance(contribution.get("epr_category_code"), str):
        raise ApiRefusal(400, "VALIDATION_ERROR", "epr_category_code is required")
    unit = _amount(contribution, "unit_amount", required=False)
    return {
        "epr_category_code": contribution["epr_category_code"],
        "producer_id": str(contribution.get("producer_id") or ""),
        "producer_id_owner": "SELLER",
        "unit_amount": unit,
        "total_amount": unit * line.quantity,
    }


def _amount(entry: dict[str, Any], name: str, *, required: bool) -> Decimal:
    """An amount as a JSON number or, as the published examples also show, as a text (section 1.6)."""
    value = entry.get(name)
    if value is None:
        if required:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"{name} is required")
        return ZERO
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise ApiRefusal(400, "VALIDATION_ERROR", f"{name} is not a number")
    try:
        amount = Decimal(value)
    except InvalidOperation as wrong:
        raise ApiRefusal(400, "VALIDATION_ERROR", f"{name} is not a number") from wrong
    if not amount.is_finite():
        raise ApiRefusal(400, "VALIDATION_ERROR", f"{name} is not a number")
    return amount


def _coded(entry: dict[str, Any], name: str) -> dict[str, Decimal]:
    values = entry.get(name)
    if values is None:
        return {}
    if not isinstance(values, list):
        raise ApiRefusal(400, "VALIDATION_ERROR", f"{name} must be a list")
    coded: dict[str, Decimal] = {}
    for value in values:
        if not isinstance(value, dict) or not isinstance(value.get("code"), str):
            raise ApiRefusal(400, "VALIDATION_ERROR", f"{name} needs a code and an amount")
        coded[value["code"]] = coded.get(value["code"], ZERO) + _amount(value, "amount", required=True)
    return coded


def _without_proportional(known: list[Tax], sent: dict[str, Decimal]) -> dict[str, Decimal]:
    """What was sent, less what Mirakl computes by itself."""
    proportional = [tax.code for tax in known if tax.rule == PROPORTIONAL]
    return {code: amount for code, amount in sent.items() if code not in proportional}


def _json_part(call: ApiCall, name: str) -> dict[str, Any]:
    """The JSON object in one part of a multipart/form-data body."""
    for part in _parts(call):
        if part.get_param("name", header="content-disposition") != name:
            continue
        payload = part.get_payload(decode=True)
        try:
            value = json.loads(payload if isinstance(payload, bytes) else b"", parse_float=Decimal)
        except ValueError as wrong:
            raise ApiRefusal(400, "VALIDATION_ERROR", f"{name} is not valid JSON") from wrong
        if isinstance(value, dict):
            return value
    raise ApiRefusal(400, "VALIDATION_ERROR", f"The part {name} is required")


def _parts(call: ApiCall) -> list[Any]:
    """The parts of a multipart/form-data body."""
    if not call.content_type.lower().startswith("multipart/form-data"):
        raise ApiRefusal(415, "UNSUPPORTED_MEDIA_TYPE", "multipart/form-data is expected")
    head = f"content-type: {call.content_type}\r\n\r\n".encode("latin-1")
    message = BytesParser(policy=HTTP).parsebytes(head + call.body)
    return list(message.iter_parts()) if message.is_multipart() else []


def _file_part(call: ApiCall, name: str) -> bytes:
    """The part `name` of a multipart body, as it is."""
    for part in _parts(call):
        if part.get_param("name", header="content-disposition") == name:
            payload = part.get_payload(decode=True)
            return payload if isinstance(payload, bytes) else b""
    raise ApiRefusal(400, "VALIDATION_ERROR", f"The part {name} is required")


def _sum(first: Amounts | None, second: Amounts) -> Amounts:
    if first is None:
        return second
    return Amounts(
        first.product + second.product,
        first.shipping + second.shipping,
        _added(first.taxes, second.taxes),
        _added(first.shipping_taxes, second.shipping_taxes),
        _added(first.fees, second.fees),
    )


def _added(first: dict[str, Decimal], second: dict[str, Decimal]) -> dict[str, Decimal]:
    total = dict(first)
    for code, amount in second.items():
        total[code] = total.get(code, ZERO) + amount
    return total


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            return b"".join(parts)
