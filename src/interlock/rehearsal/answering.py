"""Those who answer cases in a rehearsal: customer service, operations and finance, who take any option that is offered."""

import asyncio
from functools import partial

from sqlalchemy import select
from sqlalchemy.engine import Row

from interlock.cases.store import CannotAnswer, cases
from interlock.console.desk import answer_case, written
from interlock.engine.hints import hint
from interlock.imports.store import map_skus
from interlock.orders.codec import decode
from interlock.orders.connection import CarrierMapping
from interlock.orders.memory import Memory
from interlock.orders.reasons import CATALOGUE, WITH_TEXT, Option, Reason
from interlock.orders.store import orders
from interlock.rehearsal import renaming, telephones
from interlock.rehearsal.actors import Crowd
from interlock.shipping.store import carrier_map, map_carriers
from interlock.simulator.mirakl import MiraklWorld, SimOrder
from interlock.simulator.shopify.state import Address, LineItem, Order

Case = Row[tuple[object, ...]]

PEOPLE = ("Ada Agent", "Bela Finance", "Cleo Operations")
MESSAGE = "CANARY-message-00000001: we are sorry, the item is out of stock and your order was cancelled."
LAST_RESORTS = (Option.REFUSE_ORDER, Option.ACCEPT_WITHOUT_ORDER, Option.CREATE_WITH_CUSTOM_LINE)
"""What is offered late in the acceptance window to an order that cannot be imported."""
CHOSEN_FREELY = (
    Reason.EDIT_CANNOT_BE_EXPRESSED,
    Reason.REDUCTION_NOT_ALLOWED,
    Reason.BOTH_SIDES_CHANGED,
    Reason.POSSIBLE_SUCCESSOR,
    Reason.ORIGINAL_NOT_CANCELLED,
    Reason.REPLACEMENT_SPLIT,
    Reason.REPLACEMENT_MERGED,
    Reason.DESK_EDIT_STUCK,
    Reason.REFUND_APPROVAL,
    Reason.REFUND_REFUSED,
    Reason.REFUND_MADE_ALREADY,
    Reason.ACCEPTANCE_RUNNING_OUT,
    Reason.CANCELLED_IN_SHOPIFY,
)
"""Reasons to which one person says this and another that."""


class CaseWorkers:
    """Work through the open cases, not always at once, and do in the shop or the portal what they say they do."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.world = crowd.world

    async def work_for_ever(self) -> None:
        crowd = self.crowd
        while True:
            await asyncio.sleep(crowd.temper.desk_every * crowd.rng.uniform(0.5, 1.5))
            if self.world.outage.down:
                continue
            with self.world.database.begin() as c:
                rows = c.execute(
                    select(cases, orders.c.mirakl_order_id, orders.c.memory)
                    .join(orders, orders.c.id == cases.c.order_id)
                    .where(cases.c.closed_at.is_(None))
                    .order_by(cases.c.id)
                ).all()
            for row in rows:
                if crowd.rng.random() < crowd.temper.desk_chance:
                    self.work_on(row)

    def work_on(self, row: Case) -> None:
        """Do what one case asks for."""
        name, market = self.crowd.marketplace(row.connection_id)
        order = market.orders.get(row.mirakl_order_id)
        if order is None:
            return
        found = self.crowd.shopify_order(name, order)
        reason = Reason(row.reason)
        match reason:
            case Reason.CARRIER_UNKNOWN:
                self._map_carrier(row, market)
            case (
                Reason.SKU_UNKNOWN | Reason.SKU_AMBIGUOUS | Reason.STOCK_SHORT | Reason.ACCEPTANCE_RUNNING_OUT
            ) if self.crowd.temper.waits_for_options:
                offered = [option for option in LAST_RESORTS if option in row.options]
                if offered:
                    self.answer(row, self.crowd.rng.choice(offered))
            case Reason.PRICE_DISCREPANCY:
                self.answer(row, Option.ACCEPT_ANYWAY)
            case Reason.SKU_UNKNOWN | Reason.SKU_AMBIGUOUS | Reason.ACCEPTANCE_RUNNING_OUT if (
                not self.crowd.temper.maps_skus
            ):
                return
            case Reason.SKU_UNKNOWN | Reason.SKU_AMBIGUOUS:
                self._map_sku(row)
            case Reason.STOCK_SHORT:
                self._replenish(row)
            case Reason.REFUND_TASK:
                self._refund_in_portal(row, market, order)
            case Reason.REFUND_APPROVAL if self.crowd.temper.approves:
                self.answer(row, Option.APPROVE_REFUND)
            case Reason.CONFIRM_WITHDRAWN:
                self.answer(row, Option.CONFIRM_WITHDRAWN)
            case Reason.MARKETPLACE_CHANGED if row.subject.startswith("price:"):
                self.answer(row, Option.ACCEPT_ANYWAY)
            case Reason.MARKETPLACE_CHANGED if found is not None and row.subject.startswith("address:"):
                self._follow_address(row, found, order)
            case Reason.MARKETPLACE_CHANGED if found is not None:
                self._follow_marketplace(found, order)
            case Reason.TWO_LIVE_ORDERS if found is not None:
                self._cancel_one_of_two(row, found)
            case Reason.SHIPPING_REFUSED:
                self._map_to_registered(row, market)
                self.answer(row, Option.SEND_AGAIN)
            case Reason.REDUCTION_REFUSED if found is not None:
                if not self.answer(row, Option.SEND_AGAIN):
                    self.undo(found, row)
            case (
                Reason.OUTCOME_UNCLEAR
                | Reason.IMPORT_REFUSED
                | Reason.DRAFT_WITHOUT_STOCK
                | Reason.SERVICE_DOES_NOT_STOP
            ):
                self.answer(row, Option.SEND_AGAIN)
            case Reason.TRACKING_MISSING if found is not None:
                self._add_tracking(found)
            case _ if reason in CHOSEN_FREELY:
                self.choose(row, market, order, found)
            case _ if CATALOGUE[reason].kind == "incident" and self.crowd.rng.random() < 0.1:
                self.answer(row, Option.DISMISS)
            case _:
                return

    # -- answering -----------------------------------------------------------------------------------------

    def choose(self, row: Case, market: MiraklWorld, order: SimOrder, found: Order | None) -> None:
        """Take one of the options that the case offers, and do what it says."""
        offered = [Option(option) for option in row.options]
        if not offered:
            return
        option = self.crowd.rng.choice(offered)
        preferred = self.crowd.temper.says
        option = preferred if preferred in offered else option
        if option is Option.ACCEPT_WITHOUT_ORDER and self.crowd.rng.random() < 0.7:
            return
        answered = self.answer(row, option)
        if not answered:
            return
        match option:
            case Option.UNDO_IN_SHOPIFY if found is not None:
                self.undo(found, row)
            case Option.DONE_IN_PORTAL:
                self._settle_in_portal(row, market, order, found)
            case _:
                return

    def answer(self, row: Case, option: Option) -> bool:
        """Answer a case, with words where the option wants some; false when it is not offered any more."""
        now = self.world.service_clock.now()
        who = self.crowd.rng.choice(PEOPLE)
        text = None
        if option in WITH_TEXT:
            text = written(MESSAGE, self.world.process_world.identifiers, self.world.keyring)
        try:
            with self.world.database.begin() as c:
                why = "Checked on both sides."
                answer_case(c, self.world.wakeups, row.id, option.value, who, why, now, text)
        except CannotAnswer:
            self.crowd.did[f"answer {option.value} not taken"] += 1
            return False
        self.crowd.did[f"answered {option.value}"] += 1
        return True

    def _hint(self, row: Case) -> None:
        with self.world.database.begin() as c:
            hint(c, self.world.wakeups, row.order_id, "edits", self.world.service_clock.now())

    # -- maps and stock ------------------------------------------------------------------------------------

    def _map_carrier(self, row: Case, market: MiraklWorld) -> None:
        code = market.profile.carriers[0].code
        with self.world.database.begin() as c:
            now = self.world.service_clock.now()
            map_carriers(c, row.connection_id, [CarrierMapping(row.subject, code)], "Otto Ops", now)
            hint(c, self.world.wakeups, row.order_id, "shipping", now)
        self.crowd.did["carrier mapped"] += 1

    def _map_to_registered(self, row: Case, market: MiraklWorld) -> None:
        """Map every carrier anew whose code the marketplace does not know any more."""
        codes = [carrier.code for carrier in market.profile.carriers]
        with self.world.database.begin() as c:
            gone = [m for m in carrier_map(c, row.connection_id) if m.code and m.code not in codes]
            anew = [CarrierMapping(mapping.shop_name, codes[0]) for mapping in gone]
            map_carriers(c, row.connection_id, anew, "Otto Ops", self.world.service_clock.now())
        if gone:
            self.crowd.did["carrier mapped anew"] += 1

    def _map_sku(self, row: Case) -> None:
        if row.subject in self.crowd.renamed:
            renaming.map_anew(self.crowd, row.subject)
            return
        with self.world.database.begin() as c:
            now = self.world.service_clock.now()
            map_skus(c, row.connection_id, {row.subject: "MUG-BLUE"}, "Otto Ops", now)
            hint(c, self.world.wakeups, row.order_id, "acceptance", now)
        self.crowd.did["sku mapped"] += 1

    def _replenish(self, row: Case) -> None:
        for variant in self.world.shopify.shop.variants.values():
            location = next(iter(self.world.shopify.shop.locations.values()))
            self.world.shopify.set_stock(variant, 100, location)
        self._hint(row)
        self.crowd.did["stock replenished"] += 1

    # -- in the portal -------------------------------------------------------------------------------------

    def _refund_in_portal(self, row: Case, market: MiraklWorld, order: SimOrder) -> None:
        memory = decode(Memory, row.memory)
        for task in memory.refund_tasks:
            if task.subject != row.subject or task.settled_at is not None:
                continue
            done = True
            for due in task.lines:
                if not due.line_id and market.profile.tax_mode == "TAX_EXCLUDED":
                    # The task names the money with taxes; splitting it for the portal is not this person's trade.
                    done = False
                    continue
                line_id = due.line_id or order.lines[0].id
                line = order.line(line_id)
                if line is None or any(r.id not in due.seen_refunds for r in line.refunds):
                    continue  # done in an earlier round; the money takes its time
                refund = partial(
                    market.refund_line,
                    order.id,
                    line_id,
                    quantity=due.quantity,
                    amount=due.amount,
                    shipping_amount=due.shipping_amount,
                    fees={fee.code: fee.amount for fee in due.fees if fee.amount},
                )
                done = self.crowd.attempt("portal refund", refund) and done
            self.answer(row, Option.DONE_IN_PORTAL if done else Option.DISMISS)

    def _settle_in_portal(self, row: Case, market: MiraklWorld, order: SimOrder, found: Order | None) -> None:
        """The operator takes out what Shopify does not show any more, or the whole order where nothing is left."""
        if found is None:
            self.crowd.attempt("operator asked to cancel", lambda: market.cancel_order(order.id))
            return
        shown = self._shown(found, row)
        for line in order.lines:
            surplus = (line.live_quantity if line.active else 0) - shown.get(line.id, 0)
            if surplus > 0:
                self.crowd.attempt(
                    "operator asked to cut",
                    partial(market.cancel_line, order.id, line.id, quantity=surplus),
                )

    # -- in the shop ---------------------------------------------------------------------------------------

    def _shown(self, found: Order, row: Case) -> dict[str, int]:
        """Units per marketplace line, of a bundle whole ones."""
        linked = {link.shopify_line_id: link for link in decode(Memory, row.memory).links}
        shown: dict[str, int] = {}
        articles: dict[str, dict[tuple[str, int], int]] = {}
        for link in linked.values():
            if link.part:
                articles.setdefault(link.mirakl_line_id, {})[link.part, link.per_unit] = 0
        for line in found.lines:
            of = linked.get(line.gid)
            if of is not None and of.part:
                articles[of.mirakl_line_id][of.part, of.per_unit] += line.current_quantity
            else:
                line_id = "" if of is None else of.mirakl_line_id
                shown[line_id] = shown.get(line_id, 0) + line.current_quantity
        for line_id, units in articles.items():
            whole = min(count // each for (_, each), count in units.items())
            shown[line_id] = shown.get(line_id, 0) + whole
        return shown

    def _cancel_one_of_two(self, row: Case, found: Order) -> None:
        """Somebody cancels the second order, or the first."""
        other = next((o for o in self.world.shopify.shop.orders.values() if o.gid == row.subject), None)
        if other is not None:
            gone = other if self.crowd.rng.random() < 0.7 else found
            self.crowd.attempt("one of two cancelled", lambda: self.world.shopify.cancel_order(gone))

    def undo(self, found: Order, row: Case) -> None:
        """Bring the Shopify order back to what was imported, as far as an edit can, and to its first telephone number."""
        telephones.set_back(self.crowd, found)
        memory = decode(Memory, row.memory)
        settled = dict(memory.settled)
        linked = {link.shopify_line_id: link for link in memory.links}
        per_line: dict[tuple[str, str], list[LineItem]] = {}
        quantities: list[tuple[str | int, int]] = []
        for line in found.lines:
            link = linked.get(line.gid)
            if link is None:
                if line.current_quantity > 0:
                    quantities.append((line.gid, 0))
            else:
                per_line.setdefault((link.mirakl_line_id, link.part), []).append(line)
        for (mirakl_line, _), group in per_line.items():
            wanted = settled.get(mirakl_line, 0) * linked[group[0].gid].per_unit
            short = wanted - sum(line.current_quantity for line in group)
            if short:
                target = group[0]
                quantities.append((target.gid, max(target.current_quantity + short, 0)))
        if quantities:
            self.crowd.attempt(
                "edit taken back", lambda: self.world.shopify.edit(found, quantities=quantities)
            )

    def _follow_address(self, row: Case, found: Order, order: SimOrder) -> None:
        """Put the marketplace's address into the Shopify order, or say that Shopify's stands: where units have left, always,
        and now and then elsewhere (told from the case, so that nothing is drawn)."""
        given = order.shipping_address
        if given is None or row.id % 4 == 0 or any(line.fulfilled for line in found.lines):
            self.answer(row, Option.KEEP_ADDRESS)
            return
        there = Address(
            first_name=given["firstname"],
            last_name=given["lastname"],
            company=given["company"],
            address1=given["street_1"],
            address2=given["street_2"],
            city=given["city"],
            zip=given["zip_code"],
            country_code=given["country_iso_code"][:2],
        )
        self.crowd.attempt("address followed", lambda: self.world.shopify.change_address(found, there))

    def _follow_marketplace(self, found: Order, order: SimOrder) -> None:
        """Remove in Shopify what the marketplace has cancelled."""
        recipes = {one.sku: dict(one.articles) for one in self.world.plan.bundles}
        live = {
            (line.id, article): (line.live_quantity if line.active else 0) * each
            for line in order.lines
            for article, each in recipes.get(line.sku, {"": 1}).items()
        }
        quantities: list[tuple[str | int, int]] = []
        for line in found.lines:
            mirakl_line = dict(line.attributes).get("_mirakl_line_id")
            if mirakl_line is None or line.current_quantity == 0:
                continue
            sold = (mirakl_line, line.sku or "")
            sold = sold if sold in live else (mirakl_line, "")
            rest = live.get(sold, 0)
            keep = min(line.current_quantity, rest)
            live[sold] = rest - keep
            if keep != line.current_quantity:
                quantities.append((line.gid, keep))
        if quantities:
            self.crowd.attempt(
                "marketplace followed", lambda: self.world.shopify.edit(found, quantities=quantities)
            )

    def _add_tracking(self, found: Order) -> None:
        for shipment in found.fulfillments:
            if not shipment.tracking:
                self.crowd.attempt(
                    "tracking added",
                    partial(self.world.shopify.update_tracking, shipment, company="UPS", number="LATE000001"),
                )
