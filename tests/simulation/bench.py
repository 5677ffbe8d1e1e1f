"""A finished clean history that tests may spoil: what the judge then finds is what was planted."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from interlock.orders.connection import ConnectionRules
from interlock.rehearsal.judge import Interruption, Verdict, judge_evidence
from interlock.rehearsal.judging.evidence import Evidence, FlowPaused, LabelAsked, SettingSaid, gather
from interlock.rehearsal.world import World, WorldPlan
from interlock.simulator.mirakl import CATALOGUE, PROFILES
from interlock.simulator.mirakl.orders import SimOrder
from interlock.simulator.mirakl.world import MiraklWorld
from interlock.simulator.record import Call, Effect
from interlock.storage.database import Database
from interlock.storage.encryption import Keyring, new_key

NAME = "shoply"
PROFILE = replace(
    PROFILES["hidden-address"],
    name=NAME,
    payment_workflow="PAY_ON_SHIPMENT",
    tax_mode="TAX_INCLUDED",
    debit_delay=300.0,
)
RULES = ConnectionRules(NAME, f"interlock:{NAME}")


@dataclass
class Bench:
    """A finished clean history that a test may spoil; everything is put back afterwards."""

    world: World
    connection: Connection
    quiescent: bool = True
    interruptions: list[Interruption] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)
    asked: list[LabelAsked] = field(default_factory=list)
    paused: list[FlowPaused] = field(default_factory=list)
    settings_said: list[SettingSaid] = field(default_factory=list)
    told: list[datetime] = field(default_factory=list)

    @property
    def mirakl(self) -> MiraklWorld:
        return self.world.mirakl[NAME]

    @property
    def order(self) -> SimOrder:
        return next(iter(self.mirakl.orders.values()))

    @property
    def shopify_gid(self) -> str:
        return next(e.order_id for e in self.world.shopify.record.effects if e.kind == "order_created")

    def evidence(self) -> Evidence:
        return gather(
            self.world.mirakl,
            self.world.connection_ids,
            self.world.shopify,
            self.connection,
            timedelta(seconds=self.world.plan.poll_seconds),
            self.interruptions,
            self.logs,
            asked=self.asked,
            bundles={bundle.sku: dict(bundle.articles) for bundle in self.world.plan.bundles},
            paused=self.paused,
            urls=[*self.world.asked_urls, *self.urls],
            settings_said=self.settings_said,
            told=self.told,
        )

    def judge(self) -> Verdict:
        return judge_evidence(self.evidence(), self.connection, self.quiescent)

    def broken(self) -> set[str]:
        return {finding.invariant for finding in self.judge().broken}

    def sql(self, statement: str, **values: Any) -> None:
        done = self.connection.execute(text(statement), values)
        assert done.rowcount > 0, "the planted change touched no row"

    def effects(self, kind: str, *, ours: bool | None = None) -> list[Effect]:
        """Effects of either platform on the one order, oldest first."""
        found = [
            e
            for e in (*self.mirakl.record.effects, *self.world.shopify.record.effects)
            if e.kind == kind
            and e.order_id in (self.order.id, self.shopify_gid)
            and (ours is None or e.actor.startswith("api:") == ours)
        ]
        return sorted(found, key=lambda e: e.at)

    def happen(self, like: Effect, **changes: Any) -> Effect:
        """Plant an effect that resembles another."""
        detail = {**like.detail, **changes.pop("detail", {})}
        made = replace(like, detail=detail, **changes)
        self._record_of(like).append(made)
        self._record_of(like).sort(key=lambda e: e.at)
        return made

    def unhappen(self, *effects: Effect) -> None:
        for effect in effects:
            self._record_of(effect).remove(effect)

    def _record_of(self, effect: Effect) -> list[Effect]:
        ours = self.mirakl.record.effects
        return ours if effect.order_id == self.order.id else self.world.shopify.record.effects

    def call(self, operation: str) -> Call:
        """A call of ours with that operation, undisturbed."""
        calls = (*self.mirakl.record.calls, *self.world.shopify.record.calls)
        return next(c for c in calls if c.operation == operation)

    def edit_at(self) -> datetime:
        return self.effects("edited")[0].at


async def a_calm_hour(database: Database) -> World:
    """One order of three units: imported, accepted, edited to two, cancelled by one, labelled and shipped."""
    plan = WorldPlan(seed=7, marketplaces=(PROFILE,), rules=RULES, processes=1)
    world = World(plan, database, Keyring([new_key()]))
    for item in CATALOGUE:
        world.shopify.add_variant(item.sku, item.price, 100, title=item.title)
    await world.start()
    world.mirakl[NAME].create_generated(lines=1, quantities=[3])
    await asyncio.sleep(900)
    order = next(iter(world.shopify.shop.orders.values()))
    world.shopify.set_quantity(order, 0, 2)
    await asyncio.sleep(900)
    assert world.shopify.pick(order, company="DHL Express", number="PARCEL1") is not None
    await asyncio.sleep(2700)
    await world.stop()
    return world


@contextmanager
def put_back(world: World) -> Iterator[None]:
    records = [world.shopify.record, *(marketplace.record for marketplace in world.mirakl.values())]
    before = [(list(record.calls), list(record.effects)) for record in records]
    orders = [
        (order, order.waiting_since, order.reference_for_seller, order.updated)
        for marketplace in world.mirakl.values()
        for order in marketplace.orders.values()
    ]
    try:
        yield
    finally:
        for record, (calls, effects) in zip(records, before, strict=True):
            record.calls[:] = calls
            record.effects[:] = effects
        for order, waiting, reference, updated in orders:
            order.waiting_since, order.reference_for_seller, order.updated = waiting, reference, updated


def a_case(
    bench: Bench, reason: str, at: datetime, *, subject: str = "order", closed_at: datetime | None = None
) -> None:
    """A case of the one order, opened by Interlock, and closed by it where `closed_at` is given."""
    bench.sql(
        "WITH planted AS (INSERT INTO cases (order_id, connection_id, kind, reason, subject, owner, severity, sentence, "
        "options, facts, first_opened_at, opened_at, closed_at) SELECT id, connection_id, 'condition', :reason, :subject, "
        "'operations', 'urgent', 'planted', '[]', '[]', :at, :at, :closed FROM orders LIMIT 1 RETURNING *) "
        "INSERT INTO case_events (case_id, at, who, what) SELECT id, opened_at, 'Interlock', 'opened' FROM planted "
        "UNION ALL SELECT id, closed_at, 'Interlock', 'closed' FROM planted WHERE closed_at IS NOT NULL",
        reason=reason,
        subject=subject,
        at=at,
        closed=closed_at,
    )
