"""Control endpoints under /_sim/: act as customer, operator or a person in the portal, and read the logs."""

import dataclasses
import json
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from interlock.simulator.faults import Fault
from interlock.simulator.mirakl.generate import CatalogueItem, DocumentError
from interlock.simulator.mirakl.offers import OfferRefused
from interlock.simulator.mirakl.orders import SimOrder
from interlock.simulator.mirakl.profile import ProfileError
from interlock.simulator.mirakl.render import dumps, order_document
from interlock.simulator.mirakl.switches import SWITCHES
from interlock.simulator.switches import UnknownSwitch

if TYPE_CHECKING:
    from interlock.simulator.mirakl.world import MiraklWorld

_LOG_PAGE = 1000


class ControlError(ValueError):
    """A control request that cannot be done; `field` is the one that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class Fields:
    """The JSON body of a control request; every reader raises ControlError naming the field."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values
        self._read: dict[str, None] = {}

    def text(self, name: str, default: str | None = None) -> str:
        value = self._get(name, default)
        if not isinstance(value, str) or not value:
            raise ControlError(name, "A text is expected.")
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self._get(name, None) is None else self.text(name)

    def whole(self, name: str, default: int | None = None) -> int:
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            raise ControlError(name, "A whole number is expected.")
        return value

    def optional_whole(self, name: str) -> int | None:
        return None if self._get(name, None) is None else self.whole(name)

    def number(self, name: str, default: float | None = None) -> float:
        value = self._get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            raise ControlError(name, "A number is expected.")
        return float(value)

    def optional_amount(self, name: str) -> Decimal | None:
        value = self._get(name, None)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
            raise ControlError(name, "An amount is expected.")
        try:
            return Decimal(value)
        except ArithmeticError as wrong:
            raise ControlError(name, "An amount is expected.") from wrong

    def flag(self, name: str, default: bool | None = None) -> bool:
        value = self._get(name, default)
        if not isinstance(value, bool):
            raise ControlError(name, "true or false is expected.")
        return value

    def mapping(self, name: str) -> dict[str, Any]:
        value = self._get(name, None)
        if not isinstance(value, dict):
            raise ControlError(name, "An object is expected.")
        return value

    def optional_list(self, name: str, kind: type) -> list[Any] | None:
        value = self._get(name, None)
        if value is None:
            return None
        if not isinstance(value, list) or any(type(item) is not kind for item in value):
            raise ControlError(name, f"A list of {kind.__name__} values is expected.")
        return value

    def has(self, name: str) -> bool:
        return name in self._values

    def finish(self) -> None:
        """Names that nobody asked for are mistakes, too."""
        for name in self._values:
            if name not in self._read:
                raise ControlError(name, f"Not known here. Known: {', '.join(self._read)}.")

    def _get(self, name: str, default: Any) -> Any:
        self._read[name] = None
        return self._values.get(name, default)


def application(world: "MiraklWorld", api: ASGIApp) -> Starlette:
    """The whole simulated platform: /api is Mirakl, /_sim is ours."""
    return Starlette(
        routes=[
            Mount("/api", app=api),
            Mount("/_sim", routes=Control(world).routes()),
        ]
    )


class Control:
    """Everything that people and judges can do to the world over HTTP."""

    def __init__(self, world: "MiraklWorld") -> None:
        self._world = world

    def routes(self) -> list[Route]:
        posts: dict[str, Callable[[Fields], Any]] = {
            "/orders": self._create,
            "/orders/release": self._release,
            "/orders/decide": self._decide,
            "/orders/cancel": self._cancel_order,
            "/lines/cancel": self._cancel_line,
            "/lines/refund": self._refund,
            "/refunds/decide": self._decide_refund,
            "/lines/incident": self._incident,
            "/orders/address": self._address,
            "/lines/recalculate": self._recalculate,
            "/orders/debit": self._debit,
            "/orders/payment-failed": self._fail_payment,
            "/orders/payment-stalled": self._stall_payment,
            "/orders/receive": self._receive,
            "/offers": self._add_offer,
            "/offers/change": self._change_offer,
            "/offers/exports-fail": self._fail_exports,
            "/orders/ship": self._ship,
            "/orders/operator": self._operator,
            "/shipments/validate": self._validate,
            "/clock/advance": self._advance,
            "/faults": self._faults,
            "/switches": self._set_switches,
            "/profile": self._set_profile,
            "/keys": self._add_key,
        }
        gets: dict[str, Callable[[Request], Any]] = {
            "/state": self._state,
            "/calls": self._calls,
            "/effects": self._effects,
            "/offers": self._offers,
            "/switches": self._switches,
            "/orders/{order_id}": self._inner,
        }
        made = [Route(path, _posted(handle), methods=["POST"]) for path, handle in posts.items()]
        made += [Route(path, _read(handle), methods=["GET"]) for path, handle in gets.items()]
        return made

    # -- orders ------------------------------------------------------------------------------------------

    def _create(self, fields: Fields) -> Any:
        world = self._world
        if fields.has("document"):
            document = fields.mapping("document")
            state = fields.optional_text("state")
            keep_dates = fields.flag("keep_dates", False)
            fields.finish()
            if "orders" in document:
                entries = document["orders"]
                if not isinstance(entries, list) or len(entries) != 1:
                    raise ControlError("document.orders", "Exactly one order is expected.")
                document = entries[0]
            return self._shown(world.create_from_document(document, state=state, keep_dates=keep_dates))
        count = fields.optional_whole("lines")
        if count is not None and not 1 <= count <= 50:
            raise ControlError("lines", "1 to 50 lines are expected.")
        skus = fields.optional_list("skus", str)
        quantities = fields.optional_list("quantities", int)
        workflow = fields.optional_text("workflow")
        staging = fields.flag("staging", False)
        fields.finish()
        return self._shown(
            world.create_generated(
                lines=count, skus=skus, quantities=quantities, workflow=workflow, staging=staging
            )
        )

    def _release(self, fields: Fields) -> Any:
        order_id = fields.text("order_id")
        fields.finish()
        self._world.release(order_id)
        return self._after(order_id)

    def _decide(self, fields: Fields) -> Any:
        order_id = fields.text("order_id")
        if fields.has("lines"):
            decisions: dict[str, bool] | bool = fields.mapping("lines")
            assert isinstance(decisions, dict)
            if any(not isinstance(value, bool) for value in decisions.values()):
                raise ControlError("lines", "true or false is expected for every line.")
        else:
            decisions = fields.flag("accepted")
        fields.finish()
        self._world.portal_decide(order_id, decisions)
        return self._after(order_id)

    def _cancel_order(self, fields: Fields) -> Any:
        order_id, by = fields.text("order_id"), fields.text("by", "operator")
        reason = fields.optional_text("reason_code")
        fields.finish()
        self._world.cancel_order(order_id, by, reason)
        return self._after(order_id)

    def _cancel_line(self, fields: Fields) -> Any:
        order_id, line_id = fields.text("order_id"), fields.text("line_id")
        quantity = fields.optional_whole("quantity")
        amount = fields.optional_amount("amount")
        shipping_amount = fields.optional_amount("shipping_amount")
        by = fields.text("by", "operator")
        fields.finish()
        part = self._world.cancel_line(
            order_id,
            line_id,
            quantity=quantity,
            amount=amount,
            shipping_amount=shipping_amount,
            by=by,
        )
        return {"cancelation_id": part.id, **self._after(order_id)}

    def _refund(self, fields: Fields) -> Any:
        order_id, line_id = fields.text("order_id"), fields.text("line_id")
        quantity = fields.whole("quantity", 0)
        amount = fields.optional_amount("amount")
        shipping_amount = fields.optional_amount("shipping_amount")
        by = fields.text("by", "staff")
        reason = fields.text("reason_code", "15")
        excluded = fields.flag("excluded_from_shipment", False)
        fields.finish()
        part = self._world.refund_line(
            order_id,
            line_id,
            quantity=quantity,
            amount=amount,
            shipping_amount=shipping_amount,
            by=by,
            reason_code=reason,
            excluded_from_shipment=excluded,
        )
        return {"refund_id": part.id, **self._after(order_id)}

    def _decide_refund(self, fields: Fields) -> Any:
        order_id, refund_id = fields.text("order_id"), fields.text("refund_id")
        approved = fields.flag("approved")
        fields.finish()
        self._world.decide_refund(order_id, refund_id, approved)
        return self._after(order_id)

    def _incident(self, fields: Fields) -> Any:
        order_id, line_id = fields.text("order_id"), fields.text("line_id")
        opened = fields.flag("open")
        fields.finish()
        if opened:
            self._world.open_incident(order_id, line_id)
        else:
            self._world.close_incident(order_id, line_id)
        return self._after(order_id)

    def _address(self, fields: Fields) -> Any:
        order_id = fields.text("order_id")
        given = fields.mapping("address") if fields.has("address") else None
        if given is not None and any(
            value is not None and type(value) is not str for value in given.values()
        ):
            raise ControlError("address", "A text or null is expected for every part.")
        fields.finish()
        self._world.change_address(order_id, given)
        return self._after(order_id)

    def _recalculate(self, fields: Fields) -> Any:
        order_id, line_id = fields.text("order_id"), fields.text("line_id")
        price, shipping = fields.optional_amount("price"), fields.optional_amount("shipping_price")
        taxes = fields.optional_amount("taxes")
        fields.finish()
        self._world.recalculate(order_id, line_id, price=price, shipping_price=shipping, taxes=taxes)
        return self._after(order_id)

    def _debit(self, fields: Fields) -> Any:
        order_id = fields.text("order_id")
        fields.finish()
        self._world.debit_now(order_id)
        return self._after(order_id)

    def _fail_payment(self, fields: Fields) -> Any:
        order_id = fields.text("order_id")
        fields.finish()
        self._world.fail_payment(order_id)
        return self._after(order_id)

    def _stall_payment(self, fields: Fields) -> Any:
        order_id = fields.text("order_id")
        fields.finish()
        self._world.stall_payment(order_id)
        return self._after(order_id)

    def _receive(self, fields: Fields) -> Any:
        order_id = fields.text("order_id")
        fields.finish()
        self._world.receive(order_id)
        return self._after(order_id)

    def _ship(self, fields: Fields) -> Any:
        order_id = fields.text("order_id")
        units = fields.mapping("units") if fields.has("units") else None
        if units is not None and any(type(count) is not int for count in units.values()):
            raise ControlError("units", "A whole number is expected for every line.")
        code, number = fields.optional_text("carrier_code"), fields.optional_text("number")
        fields.finish()
        self._world.portal_ship(order_id, units, carrier_code=code, number=number)
        return self._after(order_id)

    def _operator(self, fields: Fields) -> Any:
        order_id = fields.text("order_id")
        fields.finish()
        self._world.operator_takes(order_id)
        return self._after(order_id)

    def _validate(self, fields: Fields) -> Any:
        shipment_id = fields.text("shipment_id")
        fields.finish()
        self._world.portal_validate(shipment_id)
        return self._after(self._world.shipments.by_id[shipment_id].order_id)

    # -- offers ------------------------------------------------------------------------------------------

    def _add_offer(self, fields: Fields) -> Any:
        sku, title = fields.text("sku"), fields.text("title", "An item")
        price = fields.optional_amount("price")
        quantity = fields.whole("quantity", self._world.profile.offer_quantity)
        ean = fields.optional_text("ean") or ""
        fields.finish()
        if price is None or price < 0:
            raise ControlError("price", "An amount from 0 is expected.")
        world = self._world
        world.tick()
        made = world.offers.add(CatalogueItem(sku, title, price), quantity, world.clock.now(), ean)
        return _plain(made)

    def _change_offer(self, fields: Fields) -> Any:
        sku = fields.text("sku")
        quantity = fields.optional_whole("quantity")
        price = fields.optional_amount("price")
        deleted = fields.flag("deleted") if fields.has("deleted") else None
        suspended = fields.flag("suspended") if fields.has("suspended") else None
        fields.finish()
        world = self._world
        world.tick()
        now = world.clock.now()
        world.offers.change(sku, now, price=price, deleted=deleted, suspended=suspended)
        if quantity is not None:
            world.offers.set_quantity(sku, quantity, now, "staff", "portal")
        return _plain(world.offers.offer(sku))

    def _fail_exports(self, fields: Fields) -> Any:
        times = fields.whole("times", 1)
        fields.finish()
        self._world.offers.failures_armed = times
        return {"armed": times}

    # -- the world ---------------------------------------------------------------------------------------

    def _advance(self, fields: Fields) -> Any:
        seconds = fields.number("seconds")
        fields.finish()
        if seconds < 0:
            raise ControlError("seconds", "Platform time never goes back.")
        self._world.advance(seconds)
        return {"now": self._world.clock.now()}

    def _faults(self, fields: Fields) -> Any:
        if fields.has("clear"):
            fields.flag("clear")
            fields.finish()
            self._world.armed.clear()
            return {"armed": 0}
        operation, kind = fields.text("operation"), fields.text("kind")
        seconds, status = fields.number("seconds", 0.0), fields.whole("status", 500)
        times = fields.whole("times", 1)
        fields.finish()
        try:
            fault = Fault(kind, seconds, status)
        except ValueError as wrong:
            raise ControlError("kind", str(wrong)) from wrong
        self._world.armed.arm(operation, fault, times)
        return {"armed": times}

    def _set_switches(self, fields: Fields) -> Any:
        values = fields.mapping("values")
        fields.finish()
        for name, value in values.items():
            try:
                self._world.switches.set(name, str(value))
            except UnknownSwitch as wrong:
                raise ControlError(name, str(wrong)) from wrong
        return self._world.switches.as_dict()

    def _set_profile(self, fields: Fields) -> Any:
        values = fields.mapping("fields")
        fields.finish()
        self._world.change_profile(values)
        return dataclasses.asdict(self._world.profile)

    def _add_key(self, fields: Fields) -> Any:
        caller = fields.text("caller")
        persona = fields.optional_text("persona")
        denied = fields.optional_list("denied", str) or []
        fields.finish()
        if persona not in (None, "default", "external_partner"):
            raise ControlError("persona", "default or external_partner is expected.")
        return {"api_key": self._world.add_key(caller, persona, denied), "shop_id": self._world.shop_id}

    # -- reading -----------------------------------------------------------------------------------------

    def _state(self, request: Request) -> Any:
        world = self._world
        return {
            "platform": "mirakl",
            "now": world.clock.now(),
            "next_due": world.next_due(),
            "shop_id": world.shop_id,
            "profile": dataclasses.asdict(world.profile),
            "orders": {order.id: order.state for order in world.by_creation},
            "calls": len(world.record.calls),
            "effects": len(world.record.effects),
        }

    def _calls(self, request: Request) -> Any:
        return self._log(request, self._world.record.calls)

    def _effects(self, request: Request) -> Any:
        return self._log(request, self._world.record.effects)

    def _offers(self, request: Request) -> Any:
        book = self._world.offers
        return {"offers": [_plain(offer) for offer in book.offers.values()], "changes": len(book.changes)}

    def _log(self, request: Request, entries: list[Any]) -> Any:
        text = request.query_params.get("since", "0")
        if not text.isascii() or not text.isdigit():
            raise ControlError("since", "The number of entries already read is expected.")
        since = int(text)
        chosen = entries[since : since + _LOG_PAGE]
        return {
            "total": len(entries),
            "next": since + len(chosen),
            "entries": [_plain(entry) for entry in chosen],
        }

    def _switches(self, request: Request) -> Any:
        values = self._world.switches.as_dict()
        return {
            "switches": [{**dataclasses.asdict(switch), "value": values[switch.name]} for switch in SWITCHES]
        }

    def _inner(self, request: Request) -> Any:
        order = self._world.order(request.path_params["order_id"])
        return self._shown(order)

    def _after(self, order_id: str) -> dict[str, Any]:
        return {"order_id": order_id, "order_state": self._world.order(order_id).state}

    def _shown(self, order: SimOrder) -> dict[str, Any]:
        """The order as OR11 would show it, and what OR11 hides."""
        world = self._world
        return {
            "order_id": order.id,
            "order_state": order.state,
            "timers": dict(order.timers),
            "address_shown": order.address_shown,
            "payment_will_fail": order.payment_will_fail,
            "ship_asked": order.ship_asked,
            "operator_ships": order.operator_ships,
            "shipments": [
                {"id": one.id, "status": one.status, "by": one.by, "units": dict(one.units)}
                for one in order.shipments
            ],
            "threads": [
                {"id": one.id, "topic": one.topic, "to": list(one.to), "length": len(one.body), "by": one.by}
                for one in order.threads
            ],
            "lines": [
                {
                    "order_line_id": line.id,
                    "offer_sku": line.sku,
                    "state": line.state,
                    "ordered": line.quantity,
                    "canceled": line.canceled_quantity,
                    "withdrawn": line.withdrawn_quantity,
                    "live": line.live_quantity,
                    "cancelations": [{"id": part.id, "by": part.by} for part in line.cancelations],
                    "refunds": [{"id": part.id, "by": part.by, "state": part.state} for part in line.refunds],
                }
                for line in order.lines
            ],
            "document": order_document(order, world.profile.tax_mode, world.profile, world.switches),
        }


def _posted(handle: Callable[[Fields], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            values = json.loads(await request.body() or b"{}", parse_float=Decimal)
        except ValueError:
            return _answer({"field": "body", "message": "The body is not valid JSON."}, 400)
        if not isinstance(values, dict):
            return _answer({"field": "body", "message": "A JSON object is expected."}, 400)
        return _tried(lambda: handle(Fields(values)))

    return endpoint


def _read(handle: Callable[[Request], Any]) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        return _tried(lambda: handle(request))

    return endpoint


def _tried(action: Callable[[], Any]) -> Response:
    from interlock.simulator.mirakl.world import ActionRefused

    try:
        return _answer(action(), 200)
    except (ControlError, DocumentError, ProfileError, ActionRefused, OfferRefused) as wrong:
        return _answer({"field": wrong.field, "message": str(wrong)}, 400)


def _answer(value: Any, status: int) -> Response:
    return Response(dumps(value), status, media_type="application/json")


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, datetime):
        return value.isoformat()
    return value
