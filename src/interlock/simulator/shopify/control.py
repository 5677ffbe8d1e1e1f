"""Control endpoints under `/_sim/`: set the scene, act as somebody, move time, arm faults, read the logs."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from interlock.simulator.faults import ArmedFaults, Fault, json_body
from interlock.simulator.shopify.inventory import stock_again, stop_stocking
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import (
    Fulfillment,
    FulfillmentOrder,
    Location,
    Order,
    Service,
    Variant,
)
from interlock.simulator.switches import UnknownSwitch

if TYPE_CHECKING:
    from interlock.simulator.shopify.world import ShopifyWorld

Handler = Callable[[Request], Awaitable[Response]]
Action = Callable[["ShopifyWorld", dict[str, Any]], Any]


def control_routes(world: ShopifyWorld) -> list[Route]:
    """Every endpoint of docs/platforms/shopify-simulator.md."""

    def endpoint(action: Action) -> Handler:
        async def handle(request: Request) -> Response:
            body = await request.body()
            try:
                given = json.loads(body) if body else {}
                result = action(world, {**given, **dict(request.query_params), **request.path_params})
            except Refused as no:
                return _answer(409, {"refused": no.message, "field": no.field, "code": no.code})
            except (KeyError, ValueError, UnknownSwitch, TypeError) as bad:
                return _answer(400, {"error": str(bad)})
            return _answer(200, result)

        return handle

    async def advance(request: Request) -> Response:
        given = json.loads(await request.body())
        world.advance(float(given["seconds"]))
        happened = await world.tick()
        return _answer(200, {"now": world.clock.now(), "happened": happened})

    async def settle(request: Request) -> Response:
        del request
        await world.settle()
        return _answer(200, {"now": world.clock.now()})

    routes = [
        Route(f"/{path}", endpoint(action), methods=["POST", "GET"]) for path, action in ACTIONS.items()
    ]
    routes.append(Route("/clock/advance", advance, methods=["POST"]))
    routes.append(Route("/clock/settle", settle, methods=["POST"]))
    return routes


def _answer(status: int, value: Any) -> Response:
    return Response(json_body(plain(value)), status, media_type="application/json")


def plain(value: Any) -> Any:
    """Plain JSON of what the logs hold."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    return value


def dump_order(order: Order) -> dict[str, Any]:
    """An order as the control endpoints show it."""
    return {
        "id": order.gid,
        "name": order.name,
        "route": order.route,
        "app": None if order.app is None else order.app.name,
        "tags": order.tags,
        "custom_attributes": dict(order.attributes),
        "metafields": {f"{ns}.{key}": item.value for (ns, key), item in order.metafields.items()},
        "cancelled_at": order.cancelled_at,
        "closed_at": order.closed_at,
        "financial_status": order.financial_status,
        "fulfillment_status": order.fulfillment_status,
        "total": order.total(current=True),
        "outstanding": order.outstanding,
        "lines": [
            {
                "id": line.gid,
                "sku": line.sku,
                "quantity": line.quantity,
                "current_quantity": line.current_quantity,
                "fulfilled": line.fulfilled,
                "unit_price": line.net_unit_price,
                "attributes": dict(line.attributes),
            }
            for line in order.lines
        ],
        "fulfillment_orders": [
            {
                "id": item.gid,
                "status": item.status,
                "request": item.request,
                "location": item.location.name,
                "holds": [
                    {"id": hold.gid, "handle": hold.handle, "by": hold.actor.label} for hold in item.holds
                ],
                "lines": [
                    {"sku": row.line.sku, "total": row.total, "remaining": row.remaining}
                    for row in item.lines
                ],
            }
            for item in order.fulfillment_orders
        ],
        "fulfillments": [
            {
                "id": item.gid,
                "status": item.status,
                "display_status": item.display_status,
                "tracking": [{"company": row.company, "number": row.number} for row in item.tracking],
                "lines": [{"sku": row.line.sku, "quantity": row.quantity} for row in item.lines],
            }
            for item in order.fulfillments
        ],
        "refunds": [
            {
                "id": item.gid,
                "money": item.money,
                "lines": [{"sku": row.line.sku, "quantity": row.quantity} for row in item.lines],
            }
            for item in order.refunds
        ],
    }


def _edit(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    actor = _actor(world, given)
    changed = world.edit(
        given["order"],
        actor=actor,
        quantities=[(row["line"], int(row["quantity"])) for row in given.get("quantities", [])],
        add=[(row["sku"], int(row["quantity"])) for row in given.get("add", [])],
        custom=[(row["title"], row["price"], int(row["quantity"])) for row in given.get("custom", [])],
        discounts=[(row["line"], row["amount"]) for row in given.get("discounts", [])],
        shipping=given.get("shipping"),
        restock=bool(given.get("restock", True)),
        tags=given.get("tags", []),
    )
    return dump_order(changed)


def _actor(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    name = given.get("app")
    return world.as_app(world.editing_app(name)) if name else None


def _variant(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    made = world.add_variant(
        given["sku"],
        given["price"],
        int(given.get("stock", 100)),
        title=given.get("title"),
        oversell=bool(given.get("oversell", False)),
    )
    return {"id": made.gid, "inventory_item": made.item_gid, "sku": made.sku}


def _fulfill(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    order = world.order(given["order"])
    index = int(given.get("fulfillment_order", 0))
    units = given.get("units")
    made = world.fulfill(
        order.fulfillment_orders[index],
        company=given.get("company"),
        number=given.get("number"),
        units=None if units is None else [(row["sku"], int(row["quantity"])) for row in units],
    )
    return {"id": made.gid}


def _pick(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    made = world.pick(
        given.get("order"), company=given.get("company", "Canada Post"), number=given.get("number")
    )
    return {"id": None if made is None else made.gid}


def _replace(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    lines = given.get("lines")
    made = world.replace_order(
        given["order"],
        lines=None if lines is None else [(row["sku"], int(row["quantity"])) for row in lines],
        copy_first=bool(given.get("copy_first", True)),
        cancel=bool(given.get("cancel", True)),
        copy_attributes=given.get("copy_attributes"),
    )
    return dump_order(made)


def _units(rows: Any) -> list[tuple[str, int]]:
    return [(row["sku"], int(row["quantity"])) for row in rows]


def _copy(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    lines, after = given.get("lines"), given.get("cancel_after")
    made = world.copy_order(
        given["order"],
        lines=None if lines is None else _units(lines),
        cancel_after=None if after is None else float(after),
    )
    return dump_order(made)


def _duplicate(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    made = world.duplicate_as_draft(given["order"], complete=bool(given.get("complete", True)))
    return None if made is None else dump_order(made)


def _buyer(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    changed = world.buyer_edits(
        given["order"],
        quantities=[(row["line"], int(row["quantity"])) for row in given.get("quantities", [])],
        add=_units(given.get("add", [])),
    )
    return dump_order(changed)


def _bundle(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    return dump_order(world.add_bundle(given["order"], given["title"], _units(given["parts"])))


def _attributes(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    world.set_attributes(given["order"], list(given["attributes"].items()))
    return dump_order(world.order(given["order"]))


def _parcel(world: ShopifyWorld, given: dict[str, Any]) -> FulfillmentOrder:
    """The fulfilment order at a position of the order, the first by default."""
    return world.order(given["order"]).fulfillment_orders[int(given.get("fulfillment_order", 0))]


def _place(world: ShopifyWorld, given: dict[str, Any]) -> Location:
    for location in world.shop.locations.values():
        if given["location"] in (location.name, location.gid):
            return location
    raise KeyError(f"There is no location {given['location']}.")


def _seconds(given: dict[str, Any], name: str) -> float | None:
    return None if given.get(name) is None else float(given[name])


def _service(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    location = _place(world, given)
    if given.get("cancellation", "accepts") not in ("accepts", "rejects", "ignores"):
        raise ValueError("cancellation is accepts, rejects or ignores.")
    behaviour = Service(
        auto_request=bool(given.get("auto_request", False)),
        accepts=bool(given.get("accepts", True)),
        answers_after=_seconds(given, "answers_after"),
        cancellation=given.get("cancellation", "accepts"),
        cancellation_after=_seconds(given, "cancellation_after"),
        ships_after=_seconds(given, "ships_after"),
    )
    world.run_service(location, behaviour)
    return {"location": location.gid, **plain(behaviour)}


def _on_parcel(act: Callable[[ShopifyWorld, FulfillmentOrder, dict[str, Any]], object]) -> Action:
    """An act on one fulfilment order, answered with the order as it stands then."""

    def action(world: ShopifyWorld, given: dict[str, Any]) -> Any:
        parcel = _parcel(world, given)
        act(world, parcel, given)
        return dump_order(parcel.order)

    return action


def _on_shipment(act: Callable[[ShopifyWorld, Fulfillment], object]) -> Action:
    """An act on one fulfilment of an order, by position, the last one by default."""

    def action(world: ShopifyWorld, given: dict[str, Any]) -> Any:
        order = world.order(given["order"])
        act(world, order.fulfillments[int(given.get("fulfillment", -1))])
        return dump_order(order)

    return action


def _schedule(world: ShopifyWorld, parcel: FulfillmentOrder, given: dict[str, Any]) -> None:
    world.schedule_fulfillment_order(parcel, float(given["seconds"]))


def _merge(world: ShopifyWorld, parcel: FulfillmentOrder, given: dict[str, Any]) -> None:
    parcels = parcel.order.fulfillment_orders
    world.merge_fulfillment_orders([parcels[int(place)] for place in given["fulfillment_orders"]])


def _refund(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    made = world.refund(
        given["order"],
        lines=[(row["line"], int(row["quantity"])) for row in given.get("lines", [])],
        money=given.get("money", "0"),
        restock_type=given.get("restock_type", "NO_RESTOCK"),
    )
    return {"id": made.gid, "money": made.money}


def _cancel(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    return dump_order(
        world.cancel_order(
            given["order"],
            reason=given.get("reason", "CUSTOMER"),
            refund=bool(given.get("refund", False)),
            restock=bool(given.get("restock", True)),
            actor=_actor(world, given),
        )
    )


def _fault(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    if not isinstance(world.faults, ArmedFaults):
        raise ValueError("This world has a fault plan of its own; faults cannot be armed one by one.")
    fault = Fault(given["kind"], float(given.get("seconds", 0)), int(given.get("status", 500)))
    world.faults.arm(given.get("operation", "*"), fault, int(given.get("times", 1)))
    return {"armed": given["kind"]}


def _switch(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    if "name" in given:
        world.switches.set(given["name"], given["value"])
    return world.switches.as_dict()


def _note(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    world.set_note(given["order"], given["note"])
    return dump_order(world.order(given["order"]))


def _tags(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    world.add_tags(given["order"], given["tags"])
    return dump_order(world.order(given["order"]))


def _email(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    world.set_email(given["order"], given.get("email"))
    return dump_order(world.order(given["order"]))


def _consent(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    world.set_consent(given["order"], given.get("marketing", "SUBSCRIBED"))
    return dump_order(world.order(given["order"]))


def _address(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    return {"address": world.change_address(given["order"]).gid}


def _archive(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    world.archive(given["order"])
    return dump_order(world.order(given["order"]))


def _location(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    made = world.add_location(
        given["name"],
        fulfillment_service=bool(given.get("fulfillment_service", False)),
        online=bool(given.get("fulfills_online_orders", True)),
    )
    return {"id": made.gid}


def _stock(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    variant = world.variant(given["sku"])
    location = next(iter(world.shop.locations.values()))
    world.set_stock(variant, int(given["available"]), location)
    return {"sku": variant.sku, "available": variant.available}


def _stocking(act: Callable[[ShopifyWorld, Variant, Location], None]) -> Action:
    """An act on one SKU at one location; answered with what is left of the SKU."""

    def action(world: ShopifyWorld, given: dict[str, Any]) -> Any:
        variant = world.variant(given["sku"])
        act(world, variant, _place(world, given))
        return {"sku": variant.sku, "available": variant.available}

    return action


def _customer(world: ShopifyWorld, given: dict[str, Any]) -> Any:
    return dump_order(world.customer_order([(row["sku"], int(row["quantity"])) for row in given["lines"]]))


ACTIONS: dict[str, Action] = {
    "clock": lambda world, _given: {"now": world.clock.now(), "next_due": world.next_due()},
    "orders": lambda world, _given: [dump_order(order) for order in world.shop.orders.values()],
    "order": lambda world, given: dump_order(world.order(given["order"])),
    "calls": lambda world, given: world.record.calls[int(given.get("from", 0)) :],
    "effects": lambda world, given: world.record.effects[int(given.get("from", 0)) :],
    "switches": _switch,
    "faults": _fault,
    "catalogue/variant": _variant,
    "catalogue/location": _location,
    "catalogue/stock": _stock,
    "staff/edit": _edit,
    "staff/note": _note,
    "staff/tags": _tags,
    "staff/address": _address,
    "staff/email": _email,
    "staff/consent": _consent,
    "staff/cancel": _cancel,
    "staff/refund": _refund,
    "staff/archive": _archive,
    "staff/delete": lambda world, given: world.delete_order(given["order"]),
    "staff/unstock": _stocking(stop_stocking),
    "staff/stock": _stocking(stock_again),
    "staff/release-holds": lambda world, given: {
        "released": world.release_holds(given["order"], handle=given.get("handle"))
    },
    "staff/duplicate": _duplicate,
    "staff/bundle": _bundle,
    "staff/attributes": _attributes,
    "staff/unmark": lambda world, given: world.delete_marker(given["order"]),
    "warehouse/fulfill": _fulfill,
    "warehouse/split": _on_parcel(
        lambda world, parcel, given: world.split_fulfillment_order(parcel, _units(given["units"]))
    ),
    "warehouse/move": _on_parcel(
        lambda world, parcel, given: world.move_fulfillment_order(parcel, _place(world, given))
    ),
    "warehouse/merge": _on_parcel(_merge),
    "warehouse/schedule": _on_parcel(_schedule),
    "warehouse/open-scheduled": _on_parcel(lambda world, parcel, _given: world.open_scheduled(parcel)),
    "warehouse/progress": _on_parcel(lambda world, parcel, _given: world.report_progress(parcel)),
    "warehouse/stop-progress": _on_parcel(lambda world, parcel, _given: world.stop_progress(parcel)),
    "label/buy": _on_parcel(
        lambda world, parcel, given: world.buy_label(
            parcel, blind_seconds=float(given.get("blind_seconds", 0))
        )
    ),
    "label/print": _on_shipment(lambda world, shipment: world.print_label(shipment)),
    "label/void": _on_shipment(lambda world, shipment: world.void_label(shipment)),
    "service/behave": _service,
    "service/request": _on_parcel(lambda world, parcel, _given: world.request_fulfillment(parcel)),
    "service/ask-to-cancel": _on_parcel(lambda world, parcel, _given: world.ask_to_cancel(parcel)),
    "service/accept": _on_parcel(lambda world, parcel, _given: world.service_accepts(parcel)),
    "service/reject": _on_parcel(lambda world, parcel, _given: world.service_rejects(parcel)),
    "service/ship": _on_parcel(lambda world, parcel, _given: world.service_ships(parcel)),
    "picker/pick": _pick,
    "app/edit": lambda world, given: _edit(
        world, {"app": "Order Editing", "tags": ["orderediting"], **given}
    ),
    "app/replace": _replace,
    "app/copy": _copy,
    "app/merge": lambda world, given: dump_order(world.merge_orders(given["orders"])),
    "app/split": lambda world, given: dump_order(world.split_order(given["order"], _units(given["units"]))),
    "buyer/edit": _buyer,
    "customer/order": _customer,
}
