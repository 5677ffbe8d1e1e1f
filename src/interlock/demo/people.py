"""The people of the demo's day: customers, staff who edit, a picker who asks nobody, and those who answer cases."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select

from interlock.console import editing
from interlock.desk.requests import RequestRefused, Wish
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders
from interlock.rehearsal.actors import Crowd, Temper
from interlock.rehearsal.answering import Case, CaseWorkers
from interlock.rehearsal.world import CARRIER_NAMES, World
from interlock.simulator.mirakl import MiraklWorld, SimOrder
from interlock.simulator.shopify.state import Order

WAVE_SECONDS = 240.0
PICKED_AFTER = timedelta(minutes=12)
"""A wave takes orders that have lain in the shop for so long; until then staff may still edit them."""

LATE = 0.6
KNOWN_CARRIERS = CARRIER_NAMES[:3]
UNKNOWN_CARRIER = CARRIER_NAMES[3]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing somebody did, in words."""

    at: datetime
    who: str
    sentence: str


@dataclass
class Team(Crowd):
    """Everybody of the day. `said` tells what they did; `answered` holds each case once somebody has answered it."""

    said: list[Said] = field(default_factory=list)
    answered: dict[int, Option] = field(default_factory=dict)
    orders: int = 0
    parcels: int = 0

    @classmethod
    def of(cls, world: World, rng: random.Random) -> "Team":
        """A team whose desk looks at the queue every three minutes and takes most of what it finds."""
        return cls(world, rng, Temper(desk_every=180.0, desk_chance=0.8))

    def say(self, who: str, sentence: str) -> None:
        """Add to what the day tells."""
        self.said.append(Said(self.world.clock.now(), who, sentence))

    # -- what a story needs ----------------------------------------------------------------------------

    async def minutes(self, low: float, high: float) -> None:
        """Let some time pass."""
        await asyncio.sleep(self.rng.uniform(low, high) * 60)

    async def in_shop(self, visit: "Bought") -> Order:
        """Wait until the order stands in Shopify."""
        while True:
            found = self.shopify_order(visit.marketplace, visit.order)
            if found is not None:
                return found
            await asyncio.sleep(20)

    async def until_free(self, found: Order) -> bool:
        """Wait until nobody holds the order; False when it ended or left before."""
        while found.cancelled_at is None:
            waiting = [item for item in found.fulfillment_orders if item.status in ("OPEN", "IN_PROGRESS")]
            if waiting and not any(item.holds for item in waiting):
                return True
            if found.fulfillments:
                return False
            await asyncio.sleep(5)
        return False

    def act(self, story: str, who: str, sentence: str, what: Callable[[], object]) -> bool:
        """Do something that a platform may refuse; counted and told either way."""
        done = self.attempt(story, what)
        self.say(who, sentence if done else f"{sentence} The platform refused it.")
        return done

    def ask_the_desk(self, visit: "Bought", name: str, wish: Wish, what: str) -> None:
        """Ask for an edit at Interlock's own desk, as it was previewed; counted and told either way."""
        world = self.world
        now = world.service_clock.now()
        desk = editing.Desk(world.wakeups, world.keyring, world.process_world.identifiers)
        asked = editing.Asked(wish, None)
        with world.database.begin() as c:
            order_id = c.execute(
                select(orders.c.id).where(
                    orders.c.connection_id == world.connection_ids[visit.marketplace],
                    orders.c.mirakl_order_id == visit.order.id,
                )
            ).scalar_one()
        try:
            with world.database.begin() as c:
                seen = editing.preview_of(c, desk, order_id, asked, now)
                editing.ask(c, desk, order_id, asked, seen.version, "Ada Agent", "Asked for by phone.", now)
        except RequestRefused as refused:
            self.did["edited at our desk refused"] += 1
            self.say("Ada Agent", f"{name}: {what}. {refused}")
            return
        self.did["edited at our desk"] += 1
        self.say("Ada Agent", f"{name}: {what}, asked for at the edit desk.")

    def print_label(self, found: Order, carrier: str) -> bool:
        """Print a label for whatever of the order nobody holds."""
        printed = False
        for item in found.fulfillment_orders:
            if item.status not in ("OPEN", "IN_PROGRESS") or not item.remaining or item.holds:
                continue
            number = f"PARCEL{self.parcels + 1:06d}"
            done = self.attempt(
                "label printed",
                partial(
                    self.world.shopify.fulfill,
                    item,
                    company=carrier,
                    number=number,
                    display_status="LABEL_PRINTED",
                ),
            )
            if done:
                self.parcels += 1
                self.say("Warehouse", f"Label printed for {found.name} with {carrier}.")
            printed = printed or done
        return printed

    # -- the warehouse ---------------------------------------------------------------------------------

    async def pick_for_ever(self) -> None:
        """A wave every few minutes prints a label for every order that nobody holds and asks nobody."""
        while True:
            await asyncio.sleep(WAVE_SECONDS * self.rng.uniform(0.7, 1.3))
            if not self.picking:
                continue
            now = self.world.clock.now()
            for found in list(self.world.shopify.shop.orders.values()):
                if found.cancelled_at is None and now - found.created_at >= PICKED_AFTER:
                    self.print_label(found, self.rng.choice(KNOWN_CARRIERS))


class Agents(CaseWorkers):
    """Those who answer the day's cases, always in the same way, and tell of it."""

    def __init__(self, team: Team) -> None:
        super().__init__(team)
        self.team = team

    def work_on(self, row: Case) -> None:
        if row.id in self.team.answered:
            return  # it closes by itself once the platforms show what was said
        match Reason(row.reason):
            case Reason.SKU_UNKNOWN | Reason.SKU_AMBIGUOUS if not self._is_late(row):
                return  # nobody has found the time yet; the ladder reminds them
            case Reason.EDIT_CANNOT_BE_EXPRESSED if "another address" in row.sentence:
                self.answer(row, Option.CANCEL_AT_MARKETPLACE)
            case Reason.LABEL_BEFORE_AGREEMENT | Reason.HOLD_RELEASED_BY_OTHERS:
                self.answer(row, Option.DISMISS)
            case _:
                super().work_on(row)

    def choose(self, row: Case, market: MiraklWorld, order: SimOrder, found: Order | None) -> None:
        match Reason(row.reason):
            case Reason.POSSIBLE_SUCCESSOR if found is None:
                self.answer(row, Option.NO_SUCCESSOR)
            case Reason.CANCELLED_IN_SHOPIFY:
                if not self.answer(row, Option.REFUSE_ORDER):
                    self.team.attempt("operator asked to cancel", lambda: market.cancel_order(order.id))
            case Reason.EDIT_CANNOT_BE_EXPRESSED | Reason.REDUCTION_NOT_ALLOWED if found is not None:
                self.undo(found, row)
            case _:
                return

    def _is_late(self, row: Case) -> bool:
        if row.due_at is None:
            return True
        name, _ = self.team.marketplace(row.connection_id)
        window = self.world.connection_row(name).rules.acceptance_window
        return bool(window and self.world.clock.now() >= row.due_at - window * (1 - LATE))

    def answer(self, row: Case, option: Option) -> bool:
        done = super().answer(row, option)
        if done:
            self.team.answered[row.id] = option
            words = option.value.replace("_", " ")
            self.team.say("Ada Agent", f"Case {row.id} of {row.mirakl_order_id} answered: {words}.")
        return done


@dataclass(frozen=True, slots=True)
class Bought:
    """An order a customer placed, with the marketplace it was placed on."""

    marketplace: str
    world: MiraklWorld
    order: SimOrder


Story = Callable[[Team, Bought], Awaitable[None]]
