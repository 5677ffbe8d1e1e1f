"""How a story is told: a world, people who act in it, and what everybody can see at the end."""

import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from interlock.cases.store import answer, cases
from interlock.engine.hints import hint
from interlock.orders.connection import ConnectionRules
from interlock.orders.reasons import Option, Reason
from interlock.orders.store import orders, timeline_of
from interlock.rehearsal.faults import SeededFaults
from interlock.rehearsal.history import on_virtual_time
from interlock.rehearsal.scenarios import Stage, end_state, staged
from interlock.rehearsal.world import WorldPlan
from interlock.simulator.faults import Fault
from interlock.simulator.mirakl import PROFILES
from interlock.simulator.mirakl.profile import MarketplaceProfile
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring
from tests.witnessed import witness

RULES = ConnectionRules("marketplace", "interlock:marketplace")
Story = Callable[[Stage], Awaitable[None]]


def marketplace(name: str, **changes: Any) -> MarketplaceProfile:
    """A profile of the simulator with short payment times."""
    quick = {"debit_request_delay": 10.0, "debit_delay": 60.0, "can_shop_ship_delay": 30.0}
    return PROFILES[name].changed({**quick, **changes})


class Broken(SeededFaults):
    """Exactly one fault on every call of these operations while it is active; `*` means all of them."""

    def __init__(self, fault: Fault, *operations: str, times: int = 10**6) -> None:
        super().__init__(random.Random(0), {})
        self._fault_of = fault
        self._operations = operations
        self._times = times

    def next_fault(self, operation: str) -> Fault | None:
        wanted = "*" in self._operations or operation in self._operations
        if not self.active or not wanted or self._times == 0:
            return None
        self._times -= 1
        self.injected[self._fault_of.kind] += 1
        return self._fault_of


@dataclass
class Told:
    """What is left when a story is over."""

    stage: Stage
    timeline: str
    cases: list[Row[Any]]

    @property
    def open_reasons(self) -> list[str]:
        return [row.reason for row in self.cases if row.closed_at is None]

    def of(self, reason: Reason) -> list[Row[Any]]:
        """Every case of this reason, open or closed, oldest first."""
        return [row for row in self.cases if row.reason == reason.value]

    @property
    def live_orders(self) -> list[Any]:
        """Shopify orders that are not cancelled."""
        return [o for o in self.stage.world.shopify.shop.orders.values() if o.cancelled_at is None]

    def marketplace_effects(self, kind: str) -> list[datetime]:
        return [e.at for e in self.stage.marketplace.record.effects if e.kind == kind]

    def shopify_effects(self, kind: str, actor: str = "") -> list[datetime]:
        effects = self.stage.world.shopify.record.effects
        return [e.at for e in effects if e.kind == kind and e.actor.startswith(actor)]

    def marketplace_calls(self, operation: str) -> int:
        return sum(call.operation == operation for call in self.stage.marketplace.record.calls)


def open_cases(stage: Stage) -> list[Row[Any]]:
    """The cases open at this moment."""
    with stage.world.database.begin() as c:
        return list(c.execute(select(cases).where(cases.c.closed_at.is_(None)).order_by(cases.c.id)))


def row_id(stage: Stage) -> int:
    """The row of the story's order."""
    with stage.world.database.begin() as c:
        return int(
            c.execute(select(orders.c.id).where(orders.c.mirakl_order_id == stage.order.id)).scalar_one()
        )


def look_again(stage: Stage) -> None:
    """What the console does after a person changed a mapping."""
    number = row_id(stage)
    with stage.world.database.begin() as c:
        hint(c, stage.world.wakeups, number, "edits", stage.world.service_clock.now())


def answer_case(stage: Stage, reason: Reason, option: Option) -> None:
    """Somebody answers the open case of this reason. StopIteration when there is none."""
    case = next(row for row in open_cases(stage) if row.reason == reason.value)
    now = stage.world.service_clock.now()
    with stage.world.database.begin() as c:
        number = answer(c, case.id, option.value, "Ada Agent", "Checked on both sides.", now)
        hint(c, stage.world.wakeups, number, "edits", now)


class Theatre:
    """Tells stories on one database."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    def tell(
        self,
        story: Story,
        profile: MarketplaceProfile,
        seconds: float,
        *,
        rules: ConnectionRules = RULES,
        skus: Sequence[str] = ("MUG-BLUE", "KETTLE-1L"),
        quantities: Sequence[int] = (3, 1),
        **plan: Any,
    ) -> Told:
        """Let the story happen, wait until `seconds`, and look. `plan` are further fields of WorldPlan."""

        async def live() -> Told:
            made = WorldPlan(11, (profile,), rules, **plan)
            async with staged(made, self._database, self._keyring, skus, quantities) as stage:
                await story(stage)
                await stage.until(seconds)
                end_state(stage)
            assert stage.world.process_world.troubles == []
            witness(self._database)
            with self._database.begin() as c:
                ids = c.execute(select(orders.c.id).order_by(orders.c.id)).scalars().all()
                said = [sentence for number in ids for _, _, sentence in timeline_of(c, number)]
                found = list(c.execute(select(cases).order_by(cases.c.id)))
            return Told(stage, "\n".join(said), found)

        return on_virtual_time(11, live)


async def nothing(stage: Stage) -> None:
    """Nobody does anything."""
    del stage
