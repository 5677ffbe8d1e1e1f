"""The crowd of a rehearsal: who acts in one world, how they find the order they mean, and what they really did."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from interlock.orders.reasons import Option
from interlock.orders.store import orders
from interlock.rehearsal.judging.evidence import FlowPaused, LabelAsked, SettingSaid
from interlock.rehearsal.world import World
from interlock.simulator.mirakl import ActionRefused, MiraklWorld, SimOrder
from interlock.simulator.shopify.refusals import Refused
from interlock.simulator.shopify.state import Order

NOT_LEFT = ("WAITING_ACCEPTANCE", "WAITING_DEBIT", "WAITING_DEBIT_PAYMENT", "SHIPPING")
"""The states in which a marketplace order stands and was not told as sent."""


@dataclass(frozen=True)
class Temper:
    """How this rehearsal's people behave. Probabilities per order or per round; times in platform seconds.

    With `waits_for_options` nobody mends the shop for an order that cannot be imported: they wait for what the case
    offers late in the acceptance window, and choose from that. Without `maps_skus` nobody ever mends an unknown SKU. With
    `approves` whoever is asked about a refund says yes. `asks_first` is the share of parcels for which the picker asks
    the label check before printing. `says` is the answer that everybody prefers wherever it is offered.
    """

    picker_every: float = 300.0
    picker_chance: float = 0.6
    desk_every: float = 240.0
    desk_chance: float = 0.8
    unknown_carrier: float = 0.15
    tracking_missing: float = 0.05
    label_bought: float = 0.3
    label_voided: float = 0.1
    waits_for_options: bool = False
    maps_skus: bool = True
    approves: bool = False
    asks_first: float = 0.0
    says: Option | None = None


@dataclass
class Crowd:
    """Everybody who acts in one world. `did` counts what really happened; refused attempts are counted apart.
    `renamed` has the new SKU of whatever is called otherwise in the shop than it was; `gone_all_the_same` the fulfillments whose
    label was given back and whose parcel went, so that nobody makes another label; `told` when the alert scheduler kept what
    was due."""

    world: World
    rng: random.Random
    temper: Temper
    did: Counter[str] = field(default_factory=Counter)
    asked: list[LabelAsked] = field(default_factory=list)
    paused: list[FlowPaused] = field(default_factory=list)
    settings_said: list[SettingSaid] = field(default_factory=list)
    told: list[datetime] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    gone_all_the_same: set[str] = field(default_factory=set)
    active: bool = True
    picking: bool = True

    def not_left(self) -> list[tuple[MiraklWorld, SimOrder, Order]]:
        """Every marketplace order that stands and was not told as sent, with the live Shopify order that stands for it."""
        return [
            (market, order, shown)
            for name, market in self.world.mirakl.items()
            for order in market.by_creation
            if order.state in NOT_LEFT and (shown := self.shopify_order(name, order)) is not None
        ]

    def shopify_order(self, marketplace: str, order: SimOrder) -> Order | None:
        """The live Shopify order that stands for this marketplace order, if it exists already."""
        with self.world.database.begin() as c:
            linked = c.execute(
                select(orders.c.shopify_order_id).where(
                    orders.c.connection_id == self.world.connection_ids[marketplace],
                    orders.c.mirakl_order_id == order.id,
                )
            ).scalar_one_or_none()
        for found in self.world.shopify.shop.orders.values():
            if found.gid == linked and found.cancelled_at is None:
                return found
        return None

    def row_id(self, marketplace: str, order: SimOrder) -> int | None:
        """Our row of this marketplace order, if there is one."""
        with self.world.database.begin() as c:
            found: int | None = c.execute(
                select(orders.c.id).where(
                    orders.c.connection_id == self.world.connection_ids[marketplace],
                    orders.c.mirakl_order_id == order.id,
                )
            ).scalar_one_or_none()
        return found

    def marketplace(self, connection_id: int) -> tuple[str, MiraklWorld]:
        """The marketplace behind a connection, with its name."""
        name = next(name for name, number in self.world.connection_ids.items() if number == connection_id)
        return name, self.world.mirakl[name]

    def some_sku(self) -> str:
        """Any SKU of the shop."""
        variants = list(self.world.shopify.shop.variants.values())
        return self.rng.choice([variant.sku for variant in variants if variant.sku])

    def attempt(self, name: str, act: Callable[[], object]) -> bool:
        """Try something a person may want; platforms may say no."""
        try:
            act()
        except (Refused, ActionRefused, KeyError, StopIteration):
            self.did[f"{name} refused"] += 1
            return False
        self.did[name] += 1
        return True
