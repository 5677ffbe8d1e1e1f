"""People and programs with a will of their own: staff, pickers, other apps, the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from interlock.simulator.shopify import drafts, edits, fulfillment, metafields, orders, refunds, stock
from interlock.simulator.shopify.acts import Act
from interlock.simulator.shopify.addresses import invented_address, where
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import (
    Actor,
    Address,
    App,
    EditSession,
    Fulfillment,
    FulfillmentOrder,
    LineGroup,
    LineItem,
    Order,
    Refund,
    Shop,
    Variant,
)
from interlock.simulator.shopify.tags import merged_tags

if TYPE_CHECKING:
    from interlock.simulator.shopify.world import ShopifyWorld


class People:
    """World methods: each is one thing a person or another program does. All raise Refused where the admin would
    say no, and change nothing then. `order` may be an Order, its gid or its name."""

    # Who

    def staff(self, index: int = 0, shop: Shop | None = None) -> Actor:
        return Actor("staff", None, (shop or self._world.shop).staff[index])

    def picker(self) -> Actor:
        return Actor("picker", None, self._world.shop.staff[-1])

    def as_app(self, app: App) -> Actor:
        return Actor(f"app:{app.name}", app)

    @property
    def _world(self) -> ShopifyWorld:
        return cast("ShopifyWorld", self)

    def _act(self, actor: Actor | None, shop: Shop | None = None) -> Act:
        return Act(self._world, shop or self._world.shop, actor or self.staff())

    def _found(self, order: Order | str) -> Order:
        found = order if isinstance(order, Order) else self._world.order(order)
        if found.number in found.shop.deleted_orders:
            raise Refused(f"Order {found.name} was deleted.")
        return found

    def line(self, order: Order | str, which: str | int) -> LineItem:
        """A line by SKU, gid or position. Raises KeyError."""
        found = self._found(order)
        if isinstance(which, int):
            return found.lines[which]
        for line in found.lines:
            if which in (line.sku, line.gid):
                return line
        raise KeyError(f"{found.name} has no line {which}.")

    # Native edits: the same session and commit that the API uses (reference 7)

    def edit(
        self,
        order: Order | str,
        *,
        actor: Actor | None = None,
        quantities: Sequence[tuple[str | int, int]] = (),
        add: Sequence[tuple[Variant | str, int]] = (),
        custom: Sequence[tuple[str, str | Decimal, int]] = (),
        discounts: Sequence[tuple[str | int, str | Decimal]] = (),
        shipping: str | Decimal | None = None,
        restock: bool = True,
        tags: Sequence[str] = (),
        note: str | None = None,
    ) -> Order:
        """One committed edit with any mix of changes: `quantities` are (line, new quantity), `add` (variant or SKU,
        units), `custom` (title, price, units), `discounts` (line, amount per unit), `shipping` its new price."""
        found = self._found(order)
        act = self._act(actor, found.shop)
        session = edits.begin(act, found)
        for which, quantity in quantities:
            line = self.line(found, which)
            edits.set_quantity(session, str(line.number), quantity, restock=restock, location=None)
        for variant, units in add:
            chosen = self.variant(variant, found.shop) if isinstance(variant, str) else variant
            edits.add_variant(act, session, chosen, units, allow_duplicates=True, location=None)
        for title, price, units in custom:
            edits.add_custom_item(
                act, session, title, Decimal(price), units, taxable=True, requires_shipping=True
            )
        for which, amount in discounts:
            line = self.line(found, which)
            edits.add_discount(session, str(line.number), Decimal(amount), None, "Discount")
        if shipping is not None:
            edits.set_shipping(session, Decimal(shipping))
        self._commit(act, session, note)
        if tags:
            found.tags = merged_tags(found.tags, tags)
            act.touch(found)
        act.finish()
        return found

    def _commit(self, act: Act, session: EditSession, note: str | None) -> None:
        edits.commit(act, session, notify=False, note=note)

    def add_bundle(
        self, order: Order | str, title: str, parts: Sequence[tuple[str, int]], *, actor: Actor | None = None
    ) -> Order:
        """Staff add a bundle: its components (SKU, units) become lines of their own that share a group (reference
        15.17)."""
        found = self._found(order)
        before = len(found.lines)
        self.edit(found, add=list(parts), actor=actor)
        group = LineGroup(self._world.number(), title, 1)
        for line in found.lines[before:]:
            line.group = group
        return found

    def set_attributes(
        self, order: Order | str, attributes: Sequence[tuple[str, str]], *, actor: Actor | None = None
    ) -> None:
        """Somebody rewrites the order's attributes as a whole (reference 15.15)."""
        found = self._found(order)
        act = self._act(actor, found.shop)
        found.attributes = list(attributes)
        act.touch(found)
        act.finish()

    def begin_edit(self, order: Order | str, *, actor: Actor | None = None) -> EditSession:
        """Somebody opens the order for editing and has not saved yet."""
        found = self._found(order)
        return edits.begin(self._act(actor, found.shop), found)

    def reopen(self, order: Order | str, *, actor: Actor | None = None) -> None:
        """Staff unarchive an order."""
        found = self._found(order)
        act = self._act(actor, found.shop)
        orders.reopen(act, found)
        act.finish()

    def variant(self, sku: str, shop: Shop | None = None) -> Variant:
        """The first variant with this SKU. Raises KeyError."""
        for variant in (shop or self._world.shop).variants.values():
            if variant.sku == sku and not variant.deleted:
                return variant
        raise KeyError(f"There is no variant with SKU {sku}.")

    def set_quantity(
        self,
        order: Order | str,
        which: str | int,
        quantity: int,
        *,
        restock: bool = True,
        actor: Actor | None = None,
    ) -> Order:
        return self.edit(order, quantities=[(which, quantity)], restock=restock, actor=actor)

    def remove_line(
        self, order: Order | str, which: str | int, *, restock: bool = True, actor: Actor | None = None
    ) -> Order:
        return self.edit(order, quantities=[(which, 0)], restock=restock, actor=actor)

    # Changes that are not edits (reference 8)

    def change_address(
        self, order: Order | str, address: Address | None = None, *, actor: Actor | None = None
    ) -> Address:
        """A new shipping address; without one an invented address with canary tokens."""
        found = self._found(order)
        act = self._act(actor, found.shop)
        was = where(found.shipping_address)
        found.shipping_address = address or invented_address(self._world.rng("people"), act.number())
        fulfillment.address_changed(act, found)
        act.touch(found)
        act.effect("address_changed", found.gid, was=was, where=where(found.shipping_address))
        act.finish()
        return found.shipping_address

    def change_telephone(self, order: Order | str, number: str, *, actor: Actor | None = None) -> Address:
        """Another telephone number in the shipping address, and nothing else. Raises ValueError for an order without an
        address."""
        found = self._found(order)
        address = found.shipping_address
        if address is None:
            raise ValueError(f"Order {found.name} has no shipping address.")
        act = self._act(actor, found.shop)
        was = address.phone or ""
        found.shipping_address = replace(address, phone=number)
        fulfillment.address_changed(act, found)
        act.touch(found)
        act.effect("telephone_changed", found.gid, was=was, now=number)
        act.finish()
        return found.shipping_address

    def set_note(self, order: Order | str, note: str, *, actor: Actor | None = None) -> None:
        found = self._found(order)
        act = self._act(actor, found.shop)
        found.note = note
        act.touch(found)
        act.finish()

    def add_tags(self, order: Order | str, tags: Sequence[str], *, actor: Actor | None = None) -> None:
        found = self._found(order)
        act = self._act(actor, found.shop)
        found.tags = merged_tags(found.tags, tags)
        act.touch(found)
        act.finish()

    def set_email(self, order: Order | str, email: str | None, *, actor: Actor | None = None) -> None:
        """Staff replace the contact e-mail of an order, or take it off."""
        found = self._found(order)
        act = self._act(actor, found.shop)
        found.email = email
        act.touch(found)
        act.effect("email_changed", found.gid)
        act.finish()

    def set_consent(
        self, order: Order | str, marketing: str = "SUBSCRIBED", *, actor: Actor | None = None
    ) -> None:
        """Staff or an app set whether the order's customer takes e-mail marketing. It is a change of the customer: the
        order keeps its updatedAt and nobody is told. Raises ValueError for an order without an e-mail address."""
        found = self._found(order)
        if not found.email:
            raise ValueError(f"Order {found.name} has no e-mail address, so it has no customer.")
        act = self._act(actor, found.shop)
        found.shop.customer_of(found.email).marketing = marketing
        act.effect("consent_changed", found.gid, marketing=marketing)
        act.finish()

    def remove_tags(self, order: Order | str, tags: Sequence[str], *, actor: Actor | None = None) -> None:
        found = self._found(order)
        act = self._act(actor, found.shop)
        found.tags = [tag for tag in found.tags if tag not in tags]
        act.touch(found)
        act.finish()

    def cancel_order(
        self,
        order: Order | str,
        *,
        reason: str = "CUSTOMER",
        refund: bool = False,
        restock: bool = True,
        actor: Actor | None = None,
        note: str | None = None,
    ) -> Order:
        """Cancel at once, as the admin does (the API's cancel is a job)."""
        found = self._found(order)
        orders.check_cancellable(found)
        act = self._act(actor, found.shop)
        orders.cancel(act, found, reason=reason, restock=restock, refund=refund, note=note)
        act.finish()
        return found

    def delete_order(self, order: Order | str, *, actor: Actor | None = None) -> None:
        """Delete an order for good. Raises Refused unless it was cancelled or archived, as the admin asks for first."""
        found = self._found(order)
        if found.cancelled_at is None and found.closed_at is None:
            raise Refused("Only a cancelled or archived order can be deleted.")
        act = self._act(actor, found.shop)
        metafields.forget(found.shop, found)
        found.shop.deleted_orders[found.number] = found.shop.orders.pop(found.number)
        for parcel in found.fulfillment_orders:
            found.shop.fulfillment_orders.pop(parcel.number, None)
        act.effect("deleted", found.gid)
        act.announce("ORDERS_DELETE", found.gid, lambda _app: {"id": found.number})
        act.finish()

    def archive(self, order: Order | str, *, actor: Actor | None = None) -> None:
        found = self._found(order)
        act = self._act(actor, found.shop)
        orders.close(act, found)
        act.finish()

    def mark_paid(self, order: Order | str, *, actor: Actor | None = None) -> None:
        found = self._found(order)
        act = self._act(actor, found.shop)
        orders.mark_as_paid(act, found)
        act.finish()

    def refund(
        self,
        order: Order | str,
        *,
        lines: Sequence[tuple[str | int, int]] = (),
        money: str | Decimal = "0",
        restock_type: str = "NO_RESTOCK",
        note: str | None = None,
        actor: Actor | None = None,
    ) -> Refund:
        """Refund lines, money, or both; `money` is in the order's presentment currency."""
        found = self._found(order)
        act = self._act(actor, found.shop)
        location = stock.primary_location(found.shop)
        chosen = [(self.line(found, which), units, restock_type, location) for which, units in lines]
        parent = refunds.paying_transaction(found)
        made = refunds.create(act, found, chosen, Decimal(money), parent, note=note)
        act.finish()
        return made

    # The warehouse

    def release_holds(
        self, order: Order | str, *, handle: str | None = None, actor: Actor | None = None
    ) -> int:
        """Staff release holds in the admin: all of them, or those with one handle. Returns how many."""
        found = self._found(order)
        act = self._act(actor, found.shop)
        released = 0
        for item in found.fulfillment_orders:
            numbers = [hold.number for hold in item.holds if handle is None or hold.handle == handle]
            if numbers:
                fulfillment.release(act, item, numbers)
                released += len(numbers)
        act.finish()
        return released

    def place_hold(
        self,
        fulfillment_order: FulfillmentOrder,
        *,
        reason: str = "OTHER",
        handle: str = "",
        notes: str | None = None,
        actor: Actor | None = None,
    ) -> None:
        act = self._act(actor, fulfillment_order.order.shop)
        fulfillment.hold(act, fulfillment_order, reason=reason, handle=handle, notes=notes)
        act.finish()

    def report_progress(self, fulfillment_order: FulfillmentOrder, *, actor: Actor | None = None) -> None:
        if fulfillment_order.status not in ("OPEN", "IN_PROGRESS"):
            raise Refused("Cannot report progress on a fulfillment order in this state.", ("id",))
        act = self._act(actor or self.picker(), self._found(fulfillment_order.order).shop)
        fulfillment.progress(act, fulfillment_order, started=True)
        act.finish()

    def fulfill(
        self,
        fulfillment_order: FulfillmentOrder,
        *,
        company: str | None = None,
        number: str | None = None,
        url: str | None = None,
        units: Sequence[tuple[str, int]] | None = None,
        display_status: str = "FULFILLED",
        actor: Actor | None = None,
    ) -> Fulfillment:
        """Ship a fulfilment order, whole or `units` as (SKU or line gid, count). Refused when it is held."""
        act = self._act(actor or self.picker(), self._found(fulfillment_order.order).shop)
        lines = None
        if units is not None:
            lines = []
            for which, count in units:
                item = next(
                    item for item in fulfillment_order.lines if which in (item.line.sku, item.line.gid)
                )
                lines.append((item, count))
        tracking = fulfillment.tracking_of(company, [number] if number else [], [url] if url else [])
        made = fulfillment.fulfill(act, [(fulfillment_order, lines)], tracking, display_status)
        act.finish()
        return made

    def pick(
        self,
        order: Order | str | None = None,
        *,
        company: str | None = "Canada Post",
        number: str | None = None,
    ) -> Fulfillment | None:
        """The picker prints a label for the first fulfilment order that nobody holds, without waiting for anyone.

        With `order`, only that order's. None when there is nothing unheld to ship.
        """
        orders_seen = [self._found(order)] if order is not None else list(self._world.shop.orders.values())
        for found in orders_seen:
            for item in found.fulfillment_orders:
                if item.status in ("OPEN", "IN_PROGRESS") and item.remaining:
                    code = number or f"TRK{self._world.rng('tracking').randrange(10**9):09d}"
                    return self.fulfill(item, company=company, number=code, display_status="LABEL_PRINTED")
        return None

    def update_tracking(
        self, shipment: Fulfillment, *, company: str | None, number: str | None, url: str | None = None
    ) -> None:
        act = self._act(self.picker(), shipment.order.shop)
        tracking = fulfillment.tracking_of(company, [number] if number else [], [url] if url else [])
        fulfillment.update_tracking(act, shipment, tracking)
        act.finish()

    def cancel_fulfillment(self, shipment: Fulfillment, *, actor: Actor | None = None) -> None:
        act = self._act(actor or self.picker(), shipment.order.shop)
        fulfillment.cancel(act, shipment)
        act.finish()

    # Others

    def customer_order(self, lines: Sequence[tuple[str, int]], *, email: str | None = None) -> Order:
        """A buyer's own order in the online store, for the noise every shop has: editable by staff, paid, stock taken."""
        world = self._world
        act = self._act(Actor("customer"))
        draft = drafts.create(
            act,
            {
                "lineItems": [{"variantId": self.variant(sku).gid, "quantity": n} for sku, n in lines],
                "email": email,
            },
        )
        draft.shipping_address = invented_address(world.rng("people"), act.number())
        made = drafts.complete(act, draft)
        del world.shop.drafts[draft.number]
        made.app = None
        act.finish()
        return made

    def delete_marker(self, order: Order | str, *, actor: Actor | None = None) -> None:
        """Somebody clears the id metafields of an order."""
        found = self._found(order)
        act = self._act(actor, found.shop)
        for namespace, key in list(found.metafields):
            metafields.delete(act, found, namespace, key)
        act.finish()
