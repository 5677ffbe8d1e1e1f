"""Order-editing apps as they are known: some edit in place, others recreate the order (reference 13)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from interlock.simulator.shopify import drafts, fulfillment, orders
from interlock.simulator.shopify.actors import People
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import Actor, App, Draft, Order

_NAMED = re.compile(r"(?P<base>.*\d)(?P<letter>[A-Z]?)")


class EditingApps(People):
    """World methods, each one act of an app, of a buyer through an app, or of the admin's own Duplicate.

    An app that recreates an order keeps what the buyer paid: prices and shipping charge are the original's (vendors say
    that transactions are copied without charging).

    What an app that recreates an order copies is documented for none of them; it is a switch each (`copied_…`).
    """

    def editing_app(self, name: str = "Order Editing") -> App:
        """An installed order-editing app, made on first use."""
        for app in self._world.apps.values():
            if app.name == name:
                return app
        app = self._world.add_app(name)
        self._world.install(app)
        return app

    # In place

    def edit_natively(self, order: Order | str, *, app: App | None = None, **changes: Any) -> Order:
        """An editing app edits in place and leaves its tags (Order Editing)."""
        editor = self.as_app(app or self.editing_app())
        return self.edit(order, actor=editor, tags=_tags_of(changes), **changes)

    def buyer_edits(self, order: Order | str, *, app: App | None = None, **changes: Any) -> Order:
        """A buyer edits on the app's self-service page: for the shop it is the app that edits."""
        buyer = Actor("buyer", app or self.editing_app())
        return self.edit(order, actor=buyer, tags=_tags_of(changes), **changes)

    # Cancel and recreate

    def replace_order(
        self,
        order: Order | str,
        *,
        app: App | None = None,
        lines: Sequence[tuple[str, int]] | None = None,
        copy_first: bool = True,
        cancel: bool = True,
        copy_attributes: bool | None = None,
        route: str = "order",
    ) -> Order:
        """An app recreates the order and cancels the original (Cleverific, advanced mode): name plus the next letter,
        tags `Edit Order` and `Edit Order - Cancelled`. `lines` are (SKU, units), the original's by default;
        `copy_first` creates before it cancels; `cancel` off leaves both standing. `copy_attributes` copies note
        attributes and line properties or does not; left out, their switches decide."""
        original = self._found(order)
        editor = self.as_app(app or self.editing_app("Cleverific"))
        if cancel and not copy_first:
            self._cancel_original(original, editor)
        created = self._copied(
            [original],
            editor,
            lines,
            name=_next_name(original.name),
            tags=["Edit Order"],
            copy_attributes=copy_attributes,
            route=route,
        )
        if cancel and copy_first:
            self._cancel_original(original, editor)
        return created

    def copy_order(
        self,
        order: Order | str,
        *,
        app: App | None = None,
        lines: Sequence[tuple[str, int]] | None = None,
        cancel_after: float | None = None,
        copy_attributes: bool | None = None,
    ) -> Order:
        """An app duplicates the order under a new number and cancels the original after so many seconds, or never
        (Editify, LionApps). The app as its maker is the only trace besides what it copies; `copy_attributes` as for
        `replace_order`. A cancel that comes too late is an effect of its own: the app leaves both standing."""
        original = self._found(order)
        editor = self.as_app(app or self.editing_app("Editify"))
        created = self._copied([original], editor, lines, copy_attributes=copy_attributes)
        if cancel_after is not None:

            async def cancels() -> None:
                try:
                    self.cancel_order(original, reason="OTHER", actor=editor, note="Edited copy made")
                except Refused as refused:
                    self._world.log(editor, "app_cancel_refused", original.gid, why=str(refused))

            self._world.schedule(self._world.clock.now() + timedelta(seconds=cancel_after), cancels)
        return created

    def merge_orders(self, merged: Sequence[Order | str], *, app: App | None = None) -> Order:
        """A merging app makes one order of several, holds it while its window is open, and cancels the others."""
        originals = [self._found(order) for order in merged]
        if len(originals) < 2:
            raise Refused("At least two orders are needed.", ("orders",))
        editor = self.as_app(app or self.editing_app("Order Merger"))
        wanted: dict[str, int] = {}
        for original in originals:
            for sku, units in _units_of(original):
                wanted[sku] = wanted.get(sku, 0) + units
        created = self._copied(originals, editor, list(wanted.items()), tags=["om:edit-order-hold"])
        for item in created.fulfillment_orders:
            self.place_hold(item, handle="om", notes="Order in edit window", actor=editor)
        for original in originals:
            self.cancel_order(original, reason="OTHER", actor=editor, note=f"Merged into {created.name}")
        return created

    def split_order(
        self, order: Order | str, units: Sequence[tuple[str, int]], *, app: App | None = None
    ) -> Order:
        """A splitting app moves `units` (SKU, count) into a new order and takes them off the original."""
        original = self._found(order)
        editor = self.as_app(app or self.editing_app("Order Splitter"))
        left = [(sku, self.line(original, sku).current_quantity - count) for sku, count in units]
        if any(remaining < 0 for _, remaining in left):
            raise Refused("There are not so many units on the order.", ("lines",))
        created = self._copied([original], editor, units)
        self.edit(original, quantities=left, actor=editor)
        return created

    def duplicate_as_draft(self, order: Order | str, *, complete: bool = True) -> Order | None:
        """Admin, Duplicate: a draft with the same lines and no link at all; staff complete it, or leave it."""
        original = self._found(order)
        act = self._act(None, original.shop)
        draft = drafts.create(
            act,
            {
                "lineItems": [
                    {"variantId": line.variant.gid, "quantity": line.current_quantity}
                    for line in original.lines
                    if line.variant is not None and line.current_quantity
                ],
                "email": original.email,
            },
        )
        draft.shipping_address = fulfillment.copy_address(original.shipping_address)
        made = drafts.complete(act, draft) if complete else None
        act.finish()
        return made

    def delete_draft(self, draft: Draft) -> None:
        """Admin, Drafts: staff delete an open draft. What it reserved is available again."""
        act = self._act(None, draft.shop)
        drafts.delete(act, draft)
        act.finish()

    def _copied(
        self,
        originals: Sequence[Order],
        editor: Actor,
        lines: Sequence[tuple[str, int]] | None,
        *,
        name: str | None = None,
        tags: Sequence[str] = (),
        copy_attributes: bool | None = None,
        route: str = "order",
    ) -> Order:
        """A new order of the app's own (orderCreate) that looks like the first of `originals`."""
        original = originals[0]
        world = self._world
        attributes = _chosen(copy_attributes, world.switches["copied_note_attributes"])
        properties = _chosen(copy_attributes, world.switches["copied_line_properties"])
        given: dict[str, Any] = {
            "lineItems": [
                {
                    "variantId": self.variant(sku, original.shop).gid,
                    "quantity": units,
                    "requiresShipping": True,
                    "properties": _properties(originals, sku) if properties else [],
                    **_price_of(originals, sku),
                }
                for sku, units in (lines if lines is not None else _units_of(original))
                if units
            ],
            "tags": [*tags, *(original.tags if world.switches["copied_tags"] == "yes" else ())],
            "email": original.email,
            "currency": original.currency,
            "presentmentCurrency": original.presentment_currency,
            "taxesIncluded": original.taxes_included,
            "financialStatus": "PAID",
            "shippingLines": [
                {"title": item.title, "code": item.code, "priceSet": _money(original, item.price)}
                for item in original.shipping_lines
                if not item.removed
            ],
            "customAttributes": [
                {"key": key, "value": value} for key, value in original.attributes if attributes
            ],
        }
        if name is not None:
            given["name"] = name
        if world.switches["copied_note"] == "yes":
            given["note"] = original.note
        if world.switches["copied_source_identifier"] == "yes":
            given["sourceIdentifier"] = original.source_identifier
        act = self._act(editor, original.shop)
        created = orders.create(act, given, {"inventoryBehaviour": "DECREMENT_IGNORING_POLICY"})
        created.shipping_address = fulfillment.copy_address(original.shipping_address)
        for item in created.fulfillment_orders:
            item.destination = fulfillment.copy_address(created.shipping_address)
        created.route = route
        act.finish()
        return created

    def _cancel_original(self, original: Order, editor: Actor) -> None:
        self.add_tags(original, ["Edit Order - Cancelled"], actor=editor)
        self.cancel_order(original, reason="OTHER", actor=editor, note="Replaced by an edited copy")


def _chosen(asked: bool | None, switch: str) -> bool:
    return switch == "yes" if asked is None else asked


def _units_of(original: Order) -> list[tuple[str, int]]:
    """What the order has now; a cancelled one has nothing left, so what it had."""
    now = [(line.sku or "", line.current_quantity) for line in original.lines]
    return (
        now
        if any(units for _, units in now)
        else [(line.sku or "", line.quantity) for line in original.lines]
    )


def _properties(originals: Sequence[Order], sku: str) -> list[dict[str, str]]:
    for original in originals:
        for line in original.lines:
            if line.sku == sku:
                return [{"name": key, "value": value} for key, value in line.attributes]
    return []


def _price_of(originals: Sequence[Order], sku: str) -> dict[str, Any]:
    """What the buyer paid for the SKU; a product that was not on the order has its price from the catalogue."""
    for original in originals:
        for line in original.lines:
            if line.sku == sku:
                return {"priceSet": _money(original, line.net_unit_price)}
    return {}


def _money(original: Order, amount: Decimal) -> dict[str, Any]:
    return {
        "shopMoney": {"amount": amount * original.fx, "currencyCode": original.currency},
        "presentmentMoney": {"amount": amount, "currencyCode": original.presentment_currency},
    }


def _next_name(name: str) -> str:
    """`#1031` becomes `#1031A`, that `#1031B`."""
    parts = _NAMED.fullmatch(name)
    if parts is None:
        return f"{name}A"
    letter = parts["letter"]
    return parts["base"] + (chr(ord(letter) + 1) if letter and letter != "Z" else f"{letter}A")


def _tags_of(changes: dict[str, Any]) -> list[str]:
    """The tags Order Editing leaves for what was changed."""
    kinds: list[str] = []
    if changes.get("add"):
        kinds.append("product_added")
    quantities = [quantity for _, quantity in changes.get("quantities") or ()]
    if any(quantity == 0 for quantity in quantities):
        kinds.append("product_removed")
    if any(quantities):
        kinds.append("quantity")
    if changes.get("shipping") is not None:
        kinds.append("shipping")
    return ["orderediting", *(f"orderediting:{kind}" for kind in kinds)]
