"""The shipment operations of the seller API (section 6): ST01, ST06, ST11, ST12, ST23 and ST24.

All of them answer 404 where multi-shipment is off, and with a success status what was refused item by item (section 1.8).
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

from interlock.simulator.mirakl.api import ApiAnswer, ApiCall, ApiRefusal, tracking_of
from interlock.simulator.mirakl.orders import SimOrder, SimShipment
from interlock.simulator.mirakl.render import dumps, instant, without_nulls
from interlock.simulator.mirakl.shipments import SimTracking

if TYPE_CHECKING:
    from interlock.simulator.mirakl.world import MiraklWorld

_MOST_SHIPMENTS = 1000
_INVOICE_REFERENCE = re.compile(r"[0-9a-zA-Z_-]{0,255}")
SHIPMENT_STATES = (
    "SHIPPING",
    "READY_FOR_PICK_UP",
    "SHIPMENT_PREPARED",
    "SHIPPED",
    "TO_COLLECT",
    "RECEIVED",
    "CLOSED",
    "CANCELED",
)
_TRACKABLE = ("SHIPPING", "READY_FOR_PICK_UP", "SHIPMENT_PREPARED")
_ON_ITS_WAY = ("SHIPPED", "TO_COLLECT")


class ItemRefused(Exception):
    """One item of a call is refused; the others go on."""


class ShipmentOperations:
    """The handlers, beside those of `SellerApi`."""

    def __init__(self, world: "MiraklWorld") -> None:
        self._world = world

    # ST01
    def create(self, call: ApiCall) -> ApiAnswer:
        """ST01: shipments of orders in SHIPPING. A repeat makes another one while enough is left (section 1.9)."""
        made: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for entry in self._entries(call):
            order_id = entry.get("order_id")
            if not isinstance(order_id, str) or not order_id:
                raise ApiRefusal(400, "VALIDATION_ERROR", "order_id is required")
            try:
                made.append(self._shown(self._create(call, order_id, entry)))
            except ItemRefused as refused:
                errors.append({"order_id": order_id, "message": str(refused)})
        answer = {"shipment_success": made, "shipment_errors": errors}
        return ApiAnswer(201, dumps(without_nulls(answer)))

    # ST06
    def delete(self, call: ApiCall) -> ApiAnswer:
        """ST06: only shipments in SHIPPING."""

        def one(shipment: SimShipment, entry: dict[str, Any]) -> None:
            del entry
            if shipment.status != "SHIPPING":
                raise ItemRefused(f"The shipment status must be 'SHIPPING' but it is '{shipment.status}'.")
            self._world.shipments.delete(shipment, call.now, call.actor, call.reference)

        return self._each(call, one)

    # ST23
    def track(self, call: ApiCall) -> ApiAnswer:
        """ST23: the last tracking wins (section 1.9)."""

        def one(shipment: SimShipment, entry: dict[str, Any]) -> None:
            allowed = shipment.status in _TRACKABLE or (
                shipment.status in _ON_ITS_WAY and self._world.switches["st23_after_shipped"] == "allowed"
            )
            if not allowed:
                raise ItemRefused(f"The tracking of a shipment in '{shipment.status}' cannot be changed.")
            tracking = self._tracking(entry.get("tracking"))
            if tracking is None:
                raise ApiRefusal(400, "VALIDATION_ERROR", "tracking is required")
            self._world.shipments.track(shipment, tracking, call.now, call.actor, call.reference)

        return self._each(call, one)

    # ST24
    def ship(self, call: ApiCall) -> ApiAnswer:
        """ST24: a shipment in SHIPPING left; tracking first where the shipping method demands it."""

        def one(shipment: SimShipment, entry: dict[str, Any]) -> None:
            del entry
            self._check_may_leave(self._world.orders[shipment.order_id], shipment)
            self._world.shipments.validate(shipment, call.now, call.actor, call.reference)

        return self._each(call, one)

    # ST11
    def listed(self, call: ApiCall) -> ApiAnswer:
        """ST11: shipments, oldest first, page by page (section 1.3)."""
        self._check_on()
        start = _place(call)
        limit = call.whole("limit", 10, 1, 100)
        states = call.query.get("shipment_state_code")
        for state in states or ():
            if state not in SHIPMENT_STATES:
                raise ApiRefusal(400, "VALIDATION_ERROR", "Parameter shipment_state_code is unknown")
        asked = call.query.get("order_id")
        since, until = call.moment("last_updated_from"), call.moment("last_updated_to")
        found = [
            shipment
            for shipment in self._world.shipments.by_id.values()
            if (asked is None or shipment.order_id in asked)
            and (states is None or shipment.status in states)
            and (since is None or shipment.updated >= since)
            and (until is None or shipment.updated <= until)
        ]
        found.sort(key=lambda shipment: (shipment.created, shipment.id))
        page = found[start : start + limit]
        call.order_ids.extend(dict.fromkeys(shipment.order_id for shipment in page))
        answer: dict[str, Any] = {"data": [self._shown(shipment) for shipment in page]}
        if start + limit < len(found):
            answer["next_page_token"] = _token(call, start + limit)
        return ApiAnswer(200, dumps(without_nulls(answer)))

    # ST12
    def items_to_ship(self, call: ApiCall) -> ApiAnswer:
        """ST12: what remains to ship of orders in SHIPPING; nothing of units that are in a shipment already."""
        self._check_on()
        world = self._world
        start = _place(call)
        limit = call.whole("limit", 10, 1, 100)
        asked = call.query.get("order_id")
        found = [
            order
            for order in world.by_creation
            if order.state == "SHIPPING"
            and not order.ship_asked
            and not order.operator_ships
            and order.shipping_address is not None
            and (asked is None or order.id in asked)
        ]
        found.sort(key=lambda order: (order.shipping_deadline or order.created, order.id))
        shown = [(order, self._to_ship(order)) for order in found]
        listed = [(order, row) for order, row in shown if row["shipment_lines"] or not order.shipments]
        page = listed[start : start + limit]
        call.order_ids.extend(order.id for order, _ in page)
        answer: dict[str, Any] = {"data": [row for _, row in page]}
        if start + limit < len(listed):
            answer["next_page_token"] = _token(call, start + limit)
        return ApiAnswer(200, dumps(without_nulls(answer)))

    def _to_ship(self, order: SimOrder) -> dict[str, Any]:
        switches = self._world.switches
        lines = []
        for line in order.lines:
            quantity = line.quantity - order.in_shipments(line)
            if switches["st12_reflects_cancelations"] == "yes":
                quantity -= line.canceled_quantity
            if switches["st12_reflects_withdrawn"] == "yes":
                quantity -= line.withdrawn_quantity
            if line.active and quantity > 0:
                lines.append(
                    {
                        "order_line_id": line.id,
                        "offer_sku": line.sku,
                        "product_title": line.title,
                        "quantity": quantity,
                    }
                )
        return {
            "order_id": order.id,
            "references": {
                "order_reference_for_customer": order.reference_for_customer,
                "order_reference_for_seller": order.reference_for_seller,
            },
            "fulfillment": order.static.get("fulfillment"),
            "shipping_type_code": order.shipping_type_code,
            "shipping_deadline": instant(order.shipping_deadline),
            "shipping_date": instant(order.shipping_deadline or order.created),
            "shipping_address": order.shipping_address,
            "shipment_lines": lines,
        }

    # -- checks --------------------------------------------------------------------------------------------

    def _check_on(self) -> None:
        if not self._world.profile.multi_shipment:
            raise ApiRefusal(404, "NOT_FOUND", "The requested resource does not exist")

    def _entries(self, call: ApiCall) -> list[dict[str, Any]]:
        self._check_on()
        entries = call.document().get("shipments")
        if not isinstance(entries, list) or not 1 <= len(entries) <= _MOST_SHIPMENTS:
            raise ApiRefusal(400, "VALIDATION_ERROR", "shipments must be a list of 1 to 1000 entries")
        if any(not isinstance(entry, dict) for entry in entries):
            raise ApiRefusal(400, "VALIDATION_ERROR", "shipments must hold objects")
        return entries

    def _each(self, call: ApiCall, act: Callable[[SimShipment, dict[str, Any]], None]) -> ApiAnswer:
        done: list[dict[str, str]] = []
        errors: list[dict[str, str]] = []
        for entry in self._entries(call):
            shipment_id = entry.get("id")
            if not isinstance(shipment_id, str) or not shipment_id:
                raise ApiRefusal(400, "VALIDATION_ERROR", "id is required")
            try:
                shipment = self._world.shipments.by_id.get(shipment_id)
                if shipment is None:
                    raise ItemRefused(f"There is no shipment with the id '{shipment_id}'.")
                call.order_ids.append(shipment.order_id)
                act(shipment, entry)
                done.append({"id": shipment_id})
            except ItemRefused as refused:
                errors.append({"id": shipment_id, "message": str(refused)})
        return ApiAnswer(200, dumps({"shipment_success": done, "shipment_errors": errors}))

    def _create(self, call: ApiCall, order_id: str, entry: dict[str, Any]) -> SimShipment:
        world = self._world
        call.order_ids.append(order_id)
        units, packages = _units(entry)
        reference = entry.get("invoice_reference")
        if reference is not None and (
            not isinstance(reference, str) or not _INVOICE_REFERENCE.fullmatch(reference)
        ):
            raise ApiRefusal(400, "VALIDATION_ERROR", "invoice_reference is invalid")
        order = world.orders.get(order_id)
        if order is None:
            raise ItemRefused(f"There is no order with the id '{order_id}'.")
        if order.state != "SHIPPING" or order.ship_asked:
            raise ItemRefused(f"The order status must be 'SHIPPING' but it is '{order.state}'.")
        if not order.shop_can_ship:
            raise ItemRefused("The shop cannot ship this order.")
        for line_id, quantity in units.items():
            line = order.line(line_id)
            if line is None or not line.active:
                raise ItemRefused("Shipment line is invalid.")
            if quantity > world.shipments.left_to_ship(order, line):
                raise ItemRefused("Shipment quantity is invalid.")
        tracking = self._tracking(entry.get("tracking")) or SimTracking()
        shipped = entry.get("shipped") is True
        if shipped:
            self._check_tracked(order, tracking.number, tracking.url)
        made = world.shipments.create(
            order,
            units,
            call.now,
            call.actor,
            call.reference,
            tracking=tracking,
            invoice_reference=reference or None,
            warehouse=self._warehouse(entry.get("shipping_from")),
            package_references=packages,
        )
        if shipped:
            world.shipments.validate(made, call.now, call.actor, call.reference)
        return made

    def _warehouse(self, origin: Any) -> str | None:
        warehouse = origin.get("warehouse") if isinstance(origin, dict) else None
        code = warehouse.get("code") if isinstance(warehouse, dict) else None
        if code is None:
            return None
        if code in self._world.profile.warehouses:
            return str(code)
        if self._world.switches["st01_warehouse"] == "refused":
            raise ItemRefused(f"Warehouse code '{code}' is unknown.")
        return None

    def _tracking(self, given: Any) -> SimTracking | None:
        if given is None:
            return None
        if not isinstance(given, dict):
            raise ApiRefusal(400, "VALIDATION_ERROR", "tracking must be an object")
        names = ("carrier_code", "carrier_name", "carrier_standard_code", "tracking_number", "tracking_url")
        values: list[str | None] = []
        for name in names:
            value = given.get(name)
            if value is not None and not isinstance(value, str):
                raise ApiRefusal(400, "VALIDATION_ERROR", f"{name} must be a text")
            values.append(value or None)
        if not any(values):
            return SimTracking()
        try:
            return tracking_of(self._world.profile, *values)
        except ApiRefusal as refused:
            raise ItemRefused(f"{refused.message}.") from refused

    def _check_may_leave(self, order: SimOrder, shipment: SimShipment) -> None:
        if shipment.status != "SHIPPING":
            raise ItemRefused(f"The shipment status must be 'SHIPPING' but it is '{shipment.status}'.")
        if order.state != "SHIPPING":
            raise ItemRefused(f"The order status must be 'SHIPPING' but it is '{order.state}'.")
        if shipment.by == "operator":
            raise ItemRefused("The shop cannot ship this order.")
        self._check_tracked(order, shipment.tracking_number, shipment.tracking_url)

    def _check_tracked(self, order: SimOrder, number: str | None, url: str | None) -> None:
        methods = self._world.profile.shipping_types
        method = next((kind for kind in methods if kind.code == order.shipping_type_code), None)
        if method is not None and method.mandatory_tracking and number is None and url is None:
            raise ItemRefused("Tracking details are mandatory for this shipping method.")

    # -- how a shipment is shown -----------------------------------------------------------------------------

    def _shown(self, shipment: SimShipment) -> dict[str, Any]:
        order = self._world.orders[shipment.order_id]
        skus = {line.id: line.sku for line in order.lines}
        tracked = shipment.carrier_code or shipment.carrier_name or shipment.tracking_number
        return {
            "id": shipment.id,
            "order_id": shipment.order_id,
            "status": shipment.status,
            "status_customer_debit": _debit_state(order, shipment),
            "created_date": instant(shipment.created),
            "last_updated_date": instant(shipment.updated),
            "shipped_date": instant(shipment.shipped),
            "invoice_reference": shipment.invoice_reference,
            "shipment_lines": [
                {
                    "order_line_id": line_id,
                    "offer_sku": skus[line_id],
                    "quantity": quantity,
                    "package_reference": shipment.package_references.get(line_id),
                }
                for line_id, quantity in shipment.units.items()
            ],
            "shipping_from": {"warehouse": {"code": shipment.warehouse}} if shipment.warehouse else None,
            "tracking": {
                "carrier_code": shipment.carrier_code,
                "carrier_name": shipment.carrier_name,
                "carrier_standard_code": shipment.carrier_standard_code,
                "tracking_number": shipment.tracking_number,
                "tracking_url": shipment.tracking_url,
                "validity_status": "UNVERIFIED" if shipment.tracking_number else "MISSING_TRACKING",
            }
            if tracked
            else None,
        }


def _units(entry: dict[str, Any]) -> tuple[dict[str, int], dict[str, str]]:
    lines = entry.get("shipment_lines")
    if not isinstance(lines, list) or not lines:
        raise ApiRefusal(400, "VALIDATION_ERROR", "shipment_lines is required")
    units: dict[str, int] = {}
    packages: dict[str, str] = {}
    for line in lines:
        line_id = line.get("order_line_id") if isinstance(line, dict) else None
        quantity = line.get("quantity") if isinstance(line, dict) else None
        if not isinstance(line_id, str):
            raise ApiRefusal(400, "VALIDATION_ERROR", "order_line_id is required")
        if isinstance(quantity, bool) or not isinstance(quantity, int) or quantity < 1:
            raise ApiRefusal(400, "VALIDATION_ERROR", "quantity must be 1 or more")
        units[line_id] = units.get(line_id, 0) + quantity
        if isinstance(line.get("package_reference"), str):
            packages[line_id] = line["package_reference"]
    return units, packages


def _debit_state(order: SimOrder, shipment: SimShipment) -> str:
    if order.workflow == "NO_CUSTOMER_PAYMENT_CONFIRMATION":
        return "NO_DEBIT"
    if shipment.status == "CANCELED":
        return "CANCELED"
    if order.debited is not None or shipment.debited is not None:
        return "DEBIT_OK"
    return "WAITING_DEBIT_CONFIRMATION" if shipment.status == "SHIPMENT_PREPARED" else "NOT_STARTED"


def _place(call: ApiCall) -> int:
    """Where the page begins. A token carries everything else of the first request (section 1.3)."""
    token = call.one("page_token")
    if token is None:
        return 0
    place, _, asked = token.partition(":")
    if not place.isascii() or not place.isdigit():
        raise ApiRefusal(400, "VALIDATION_ERROR", "page_token is invalid")
    call.query.clear()
    for name, value in parse_qsl(asked):
        call.query.setdefault(name, []).append(value)
    return int(place)


def _token(call: ApiCall, place: int) -> str:
    asked = [(name, value) for name, values in call.query.items() if name != "shop_id" for value in values]
    return f"{place}:{urlencode(asked)}"
