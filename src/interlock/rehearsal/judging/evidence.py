"""What the judge looks at: both platforms' logs and states, every table, and when the service was interrupted."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Row, Select, select, text

from interlock.access.audit_log import BEGINNING, Verified, verify
from interlock.cases.store import answers, each_time_open
from interlock.engine.ledger import operations
from interlock.engine.offers import VARIANTS_EVERY
from interlock.engine.store import deliveries, duties, map_changes, one_connection, polls, tallies
from interlock.imports.store import sku_mappings
from interlock.inventory.store import stock_buffers, stock_import_lines, stock_imports
from interlock.orders.codec import decode
from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory, Withdrawn
from interlock.orders.plan import Plan
from interlock.orders.snapshots import ShopifyOrder
from interlock.orders.store import mirakl_documents, orders, plans
from interlock.orders.view import View
from interlock.simulator.mirakl.orders import SimOrder
from interlock.simulator.mirakl.world import MiraklWorld
from interlock.simulator.record import Call, Effect, Record
from interlock.simulator.shopify.execution import schema
from interlock.simulator.shopify.state import Order, Shop, Variant
from interlock.simulator.shopify.world import ShopifyWorld

# A lease of a minute, and the next sweep after it.
LEASE = timedelta(seconds=95)
LISTS_MAY_LAG = timedelta(minutes=2)
"""How much older than its walk a document may be said to be: a list of the marketplace may be behind."""
FAULT_COSTS = timedelta(seconds=45)
"""What one injected fault may cost: a time-out, the pause after it, and the repetition."""

# Faults after which the caller cannot know whether the call had an effect, by whether it had.
APPLIED_UNHEARD = ("reply_lost", "late_apply", "server_error_after", "truncated", "items_missing")
NOT_APPLIED_UNHEARD = ("refused_before", "server_error", "html")
DELAYED = ("slow", "late_apply")

WRITES_TO_MIRAKL = (
    "OR04",
    "OR21",
    "OR23",
    "OR24",
    "OR28",
    "OR29",
    "OR30",
    "OR31",
    "ST01",
    "ST06",
    "ST23",
    "ST24",
)
WHOLE_ORDER = frozenset({"lineItems", "refunds", "fulfillmentOrders"})
SETTING_UP = ("metafieldDefinitionCreate", "webhookSubscriptionCreate", "webhookSubscriptionDelete")

NO_LEASE_LEFT_BEHIND = ("database away", "platform down")

# Plans are large; only those that did one of these are looked at.
JUDGED_ACTIONS = ("AnswerAcceptance", "CancelQuantities", "RefundLines", "ReleaseHold")
_JUDGED = " || ".join(f'@ == "{name}"' for name in JUDGED_ACTIONS)
_WITH_JUDGED_ACTIONS = text(f"""jsonb_path_exists(plans.plan, '$.actions[*]."_" ? ({_JUDGED})')""")

# Every line of every stock file, with what was known when it left.
_STOCK_LINES = (
    select(
        stock_imports.c.connection_id,
        stock_imports.c.state,
        stock_imports.c.sent_at,
        stock_imports.c.orders_known,
        stock_import_lines.c.sku,
        stock_import_lines.c.quantity,
        stock_import_lines.c.observed_at,
    )
    .join(stock_imports, stock_imports.c.id == stock_import_lines.c.import_no)
    .order_by(stock_imports.c.id, stock_import_lines.c.line)
)

# When the plans first named another Shopify order as the linked one.
_LINKED = text("""
    SELECT order_id, at, gid FROM (
        SELECT id, order_id, at, plan->'memory'->>'shopify_order_id' AS gid,
            lag(plan->'memory'->>'shopify_order_id') OVER (PARTITION BY order_id ORDER BY id) AS former
        FROM plans
    ) AS named WHERE gid <> '' AND gid IS DISTINCT FROM former ORDER BY id
""")
# From when to when the plans gave a Shopify order a place in a lineage: every change of its role.
_KIN = text("""
    SELECT order_id, at, gid, role FROM (
        SELECT plans.id, order_id, at, kin->>'shopify_order_id' AS gid, kin->>'role' AS role,
            lag(kin->>'role') OVER (
                PARTITION BY order_id, kin->>'shopify_order_id' ORDER BY plans.id
            ) AS former
        FROM plans, jsonb_array_elements(plan->'memory'->'lineage') AS kin
    ) AS placed WHERE role IS DISTINCT FROM former ORDER BY id, gid
""")


@dataclass(frozen=True, slots=True)
class Interruption:
    """A time in which (a part of) the service could not work. `kind` is `crash`, `frozen`, `database away`,
    `commit failed`, `platform down`, or `reordered start` for the time in which everything was stopped and started one
    by one. Whoever starts these things reports them; the platforms' logs do not show them."""

    kind: str
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class LabelAsked:
    """A printer's question before a label, and the answer. `at` is when the answer came, in the platforms' time;
    `source` is as in the label check's answer."""

    at: datetime
    order_gid: str
    parcel: str
    yes: bool
    source: str


@dataclass(frozen=True, slots=True)
class Forged:
    """A delivery that nobody should believe: what is wrong with it, its webhook id, what it must be answered (an HTTP
    status) and what it was answered."""

    kind: str
    webhook_id: str
    wanted: int
    answered: int


@dataclass(frozen=True, slots=True)
class FlowPaused:
    """A person's pause of one flow of a connection: from when to when, in the platforms' time."""

    connection_id: int
    flow: str
    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class SettingSaid:
    """A person's word on a setting of a connection that the marketplace had refuted: which one, and when, in the platforms'
    time."""

    connection_id: int
    setting: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Reference:
    """What our calls carry in X-Client-Reference: the operation's id, the attempt, and the writer's epoch."""

    operation: str
    attempt: int
    epoch: int

    @classmethod
    def of(cls, written: str | None) -> "Reference | None":
        """None for a call without one, and for batches of OR04, which carry many operations."""
        if written is None:
            return None
        parts = written.split(".")
        if len(parts) != 3 or not (parts[1].isdigit() and parts[2].isdigit()):
            return None
        return cls(parts[0], int(parts[1]), int(parts[2]))


@dataclass(frozen=True)
class Marketplace:
    """One simulated marketplace and the connection that serves it."""

    name: str
    connection_id: int
    account: str
    rules: ConnectionRules
    world: MiraklWorld
    caller: str = "shop"

    @property
    def us(self) -> str:
        """Our name in the effect log."""
        return f"api:{self.caller}"

    @property
    def record(self) -> Record:
        return self.world.record

    @property
    def orders(self) -> Mapping[str, SimOrder]:
        return self.world.orders

    def order_reads(self) -> Iterator[Call]:
        """Every OR11 of ours, oldest first."""
        return (call for call in self.record.calls if call.operation == "OR11" and call.caller == self.caller)


@dataclass(frozen=True)
class PlanRow:
    """A kept plan with its view, decoded when somebody asks. `at` is in the platforms' time; what the view says in
    the service's own time is `ahead` of that."""

    order_id: int
    at: datetime
    epoch: int
    raw_view: Any
    raw_plan: Any
    ahead: timedelta = timedelta(0)

    @property
    def decided_at(self) -> datetime:
        """When the view was put together, in the platforms' time."""
        return self.view.now - self.ahead

    @property
    def marketplace_seen_at(self) -> datetime | None:
        """When the marketplace had shown what the view holds of it, in the platforms' time."""
        return None if self.view.mirakl is None else self.view.mirakl.observed_at - self.ahead

    @property
    def shopify(self) -> ShopifyOrder | None:
        """The Shopify order the plan is about: where another one took over in it, that one."""
        linked = self.plan.memory.shopify_order_id
        there = (*((self.view.shopify,) if self.view.shopify is not None else ()), *self.view.kin)
        return next((order for order in there if order.id == linked), self.view.shopify)

    @cached_property
    def view(self) -> View:
        return decode(View, self.raw_view)

    @cached_property
    def plan(self) -> Plan:
        return decode(Plan, self.raw_plan)


@dataclass
class Evidence:
    """Everything there is to judge by. Rows are as the database gave them, but for their times: those are moved to
    the platforms' clocks, which the database's clock is `ahead` of. All times are aware and in UTC."""

    now: datetime
    poll: timedelta
    marketplaces: tuple[Marketplace, ...]
    shopify: ShopifyWorld
    interruptions: tuple[Interruption, ...] = ()
    logs: tuple[str, ...] = ()
    ahead: timedelta = timedelta(0)
    asked: tuple[LabelAsked, ...] = ()
    bundles: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    paused: tuple[FlowPaused, ...] = ()
    urls: tuple[str, ...] = ()
    forged: tuple[Forged, ...] = ()
    rules_before: ConnectionRules | None = None
    settings_said: tuple[SettingSaid, ...] = ()
    told: tuple[datetime, ...] = ()
    orders: list[Row[Any]] = field(default_factory=list)
    operations: list[Row[Any]] = field(default_factory=list)
    cases: list[Row[Any]] = field(default_factory=list)
    answers: list[Row[Any]] = field(default_factory=list)
    deliveries: list[Row[Any]] = field(default_factory=list)
    polls: list[Row[Any]] = field(default_factory=list)
    tallies: list[Row[Any]] = field(default_factory=list)
    documents: dict[int, datetime] = field(default_factory=dict)
    plans: list[PlanRow] = field(default_factory=list)
    audit: Verified = field(default_factory=lambda: Verified(0, BEGINNING))
    links: dict[int, list[tuple[datetime, str]]] = field(default_factory=dict)
    kin: dict[int, list[tuple[datetime, str, str]]] = field(default_factory=dict)
    stock_lines: list[Row[Any]] = field(default_factory=list)
    buffers: dict[tuple[int, str], int] = field(default_factory=dict)
    mapped_skus: dict[tuple[int, str], tuple[str, datetime]] = field(default_factory=dict)
    """By connection and SKU of the marketplace: what it stands for, and since when somebody has last said so."""
    first_mapped: dict[tuple[int, str], datetime] = field(default_factory=dict)
    """When it was first said to stand for what it stands for; the same may be said again."""
    variants_read_at: datetime | None = None

    def buffer_of(self, marketplace: Marketplace, sku: str) -> int:
        """The safety buffer of a SKU at a marketplace: its own, else the connection's. Nobody changes one in a history."""
        return self.buffers.get((marketplace.connection_id, sku), marketplace.rules.stock_buffer)

    def load(self, c: Connection) -> None:
        """Read every table the judge needs, in this one transaction."""

        def read(statement: Select[Any]) -> list[Any]:
            return self._on_platform_time(c.execute(statement).all())

        self.orders = read(select(orders).order_by(orders.c.id))
        self.operations = read(select(operations).order_by(operations.c.planned_at, operations.c.id))
        self.cases = read(each_time_open())
        self.answers = read(select(answers).order_by(answers.c.id))
        self.deliveries = read(select(deliveries).order_by(deliveries.c.received_at, deliveries.c.webhook_id))
        self.audit = verify(c)
        self.polls = read(select(polls).order_by(polls.c.name))
        self.tallies = list(c.execute(select(tallies).order_by(tallies.c.name, tallies.c.label)))
        self.stock_lines = read(_STOCK_LINES)
        self.buffers = {
            (row.connection_id, row.sku): row.units
            for row in c.execute(
                select(stock_buffers.c.connection_id, stock_buffers.c.sku, stock_buffers.c.units)
            )
        }
        self.mapped_skus = {
            (row.connection_id, row.mirakl_sku): (row.shop_sku, row.changed_at)
            for row in read(select(sku_mappings).order_by(sku_mappings.c.mirakl_sku))
        }
        for row in read(select(map_changes).where(map_changes.c.map == "skus").order_by(map_changes.c.id)):
            place = (row.connection_id, row.name)
            if place in self.mapped_skus and self.mapped_skus[place][0] == row.present:
                self.first_mapped.setdefault(place, row.at)
        for row in read(select(duties).where(duties.c.name == f"variants {self.shop.domain}")):
            # It is due again a day after it was begun, or a little after it failed.
            self.variants_read_at = row.due_at - VARIANTS_EVERY
        self.documents = {
            row.order_id: row.observed_at
            for row in read(
                select(mirakl_documents.c.order_id, mirakl_documents.c.observed_at).order_by(
                    mirakl_documents.c.order_id
                )
            )
        }
        self.plans = [
            PlanRow(row.order_id, row.at, row.epoch, row.view, row.plan, self.ahead)
            for row in read(select(plans).where(_WITH_JUDGED_ACTIONS).order_by(plans.c.id))
        ]
        for row in self._on_platform_time(c.execute(_LINKED).all()):
            self.links.setdefault(row.order_id, []).append((row.at, row.gid))
        for row in self._on_platform_time(c.execute(_KIN).all()):
            self.kin.setdefault(row.order_id, []).append((row.at, row.gid, row.role))

    def _on_platform_time(self, rows: Sequence[Row[Any]]) -> list[Any]:
        if not self.ahead:
            return list(rows)
        return [
            SimpleNamespace(
                **{
                    name: value - self.ahead if isinstance(value, datetime) else value
                    for name, value in row._mapping.items()
                }
            )
            for row in rows
        ]

    # -- the shop ---------------------------------------------------------------------------------------

    @property
    def shop(self) -> Shop:
        return self.shopify.shop

    @property
    def us(self) -> str:
        """Our app's name in Shopify's effect log."""
        return f"api:{self.shopify.main_app.name}"

    @property
    def app(self) -> str:
        return self.shopify.main_app.name

    @cached_property
    def shopify_orders(self) -> dict[str, Order]:
        """The shop's orders by gid; one that staff deleted as it was then."""
        shown = (*self.shop.orders.values(), *self.shop.deleted_orders.values())
        return {order.gid: order for order in shown}

    @cached_property
    def deleted(self) -> dict[str, datetime]:
        """The orders that staff deleted for good, by gid, and when."""
        return {e.order_id: e.at for e in self.shopify.record.effects if e.kind == "deleted"}

    @cached_property
    def carriers(self) -> dict[str, list[Variant]]:
        """The shop's variants by SKU."""
        found: dict[str, list[Variant]] = {}
        for variant in self.shop.variants.values():
            if variant.sku and not variant.deleted:
                found.setdefault(variant.sku, []).append(variant)
        return found

    @cached_property
    def renamed(self) -> dict[str, Effect]:
        """The last change of a SKU in the shop, by the SKU it had been."""
        return {
            effect.detail["was"]: effect
            for effect in self.shopify.record.effects
            if effect.kind == "sku_changed"
        }

    @cached_property
    def variant_skus(self) -> dict[str, str]:
        """The SKU on every Shopify line of a variant, by the line's gid; a custom line has none."""
        return {
            line.gid: line.variant.sku or ""
            for order in self.shopify_orders.values()
            for line in order.lines
            if line.variant is not None
        }

    @cached_property
    def shopify_effects_of(self) -> dict[str, list[Effect]]:
        """Effects by the gid they happened to."""
        found: dict[str, list[Effect]] = {}
        for effect in self.shopify.record.effects:
            found.setdefault(effect.order_id, []).append(effect)
        return found

    @cached_property
    def shopify_reads(self) -> dict[str, list[datetime]]:
        """By order gid: when a read of ours that shows all of the order was answered undisturbed, oldest first. Where an
        order came from and whether a call took hold are asked by smaller reads, which show no units and no refunds."""
        found: dict[str, list[datetime]] = {}
        for call in self.shopify.record.calls:
            if call.operation != "order" or not went_well(call) or not shows_all(call):
                continue
            for gid in call.order_ids:
                found.setdefault(gid, []).append(call.at)
        return {gid: sorted(times) for gid, times in found.items()}

    @cached_property
    def webhooks(self) -> dict[str, list[datetime]]:
        """By order gid: when a delivery about it reached us, oldest first."""
        found: dict[str, list[datetime]] = {}
        for effect in self.shopify.record.effects:
            if effect.kind == "webhook_delivered":
                found.setdefault(effect.order_id, []).append(effect.at)
        return {gid: sorted(times) for gid, times in found.items()}

    # -- the marketplaces -------------------------------------------------------------------------------

    @cached_property
    def mirakl_reads(self) -> dict[tuple[str, str], list[datetime]]:
        """By marketplace and order id: when an OR11 of ours showed the order, undisturbed, oldest first."""
        return {key: [at for at, _ in reads] for key, reads in self._mirakl_reads.items()}

    def certainly_read(self, marketplace: str, order_id: str, moment: datetime) -> datetime | None:
        """When an OR11 of ours first showed this order as it certainly was after `moment`: a read by id since, or a walk so
        much later that even a list which is behind shows it."""
        return next(
            (
                at
                for at, walked in self._mirakl_reads.get((marketplace, order_id), ())
                if at >= moment + (LISTS_MAY_LAG if walked else timedelta(0))
            ),
            None,
        )

    @cached_property
    def _mirakl_reads(self) -> dict[tuple[str, str], list[tuple[datetime, bool]]]:
        """The same with whether it was a walk."""
        found: dict[tuple[str, str], list[tuple[datetime, bool]]] = {}
        for marketplace in self.marketplaces:
            # A change that moves no date is believed from a read by id only.
            silent = marketplace.world.switches["cancelation_bumps_update_date"] == "no"
            for call in marketplace.order_reads():
                walked = call.detail.get("read") == "walk"
                if not went_well(call) or (silent and walked):
                    continue
                # A list may be behind.
                behind = call.detail.get("behind", ())
                for order_id in call.order_ids:
                    if order_id not in behind:
                        found.setdefault((marketplace.name, order_id), []).append((call.at, walked))
        return {key: sorted(reads) for key, reads in found.items()}

    # -- our database -----------------------------------------------------------------------------------

    @cached_property
    def row_of(self) -> dict[tuple[int, str], Row[Any]]:
        """Our row by connection and marketplace order id."""
        return {(row.connection_id, row.mirakl_order_id): row for row in self.orders}

    @cached_property
    def memories(self) -> dict[int, Memory]:
        """What each order remembers, by row id; withdrawals, which become moments, in the platforms' time."""
        found: dict[int, Memory] = {}
        for row in self.orders:
            memory: Memory = decode(Memory, row.memory)
            withdrawn = tuple(self._in_platform_time(row.id, part) for part in memory.withdrawn)
            found[row.id] = replace(memory, withdrawn=withdrawn)
        return found

    def _in_platform_time(self, order_id: int, part: Withdrawn) -> Withdrawn:
        """The withdrawal, no later than the first thing we did in Shopify on the ground of it: the clock of the machine that
        kept it may have been wrong for a few seconds, until it was corrected."""
        acted = [at for at, known in self._acted_knowing.get(order_id, ()) if part in known]
        return replace(part, at=min([part.at - self.ahead, *acted]))

    @cached_property
    def _acted_knowing(self) -> dict[int, list[tuple[datetime, tuple[Withdrawn, ...]]]]:
        """When we did something in Shopify for an order, by its row id, and the withdrawals its plan knew of then."""
        found: dict[int, list[tuple[datetime, tuple[Withdrawn, ...]]]] = {}
        for effect in self.shopify.record.effects:
            reference = Reference.of(effect.reference) if effect.actor == self.us else None
            operation = None if reference is None else self.operation_of.get(reference.operation)
            plan = (
                None if operation is None else self.plans_at.get((operation.order_id, operation.planned_at))
            )
            if operation is not None and plan is not None and plan.plan.memory.withdrawn:
                known = plan.plan.memory.withdrawn
                found.setdefault(operation.order_id, []).append((effect.at, known))
        return found

    @cached_property
    def operation_of(self) -> dict[str, Row[Any]]:
        return {row.id: row for row in self.operations}

    @cached_property
    def operations_of(self) -> dict[int, list[Row[Any]]]:
        found: dict[int, list[Row[Any]]] = {}
        for row in self.operations:
            found.setdefault(row.order_id, []).append(row)
        return found

    @cached_property
    def plans_at(self) -> dict[tuple[int, datetime], PlanRow]:
        """The plan kept for an order at a moment; operations are planned in the same transaction."""
        return {(row.order_id, row.at): row for row in self.plans}

    def cases_of(self, row: Row[Any] | None, *reasons: str) -> list[Row[Any]]:
        """Every case of the order, open and closed; of these reasons, when any are given."""
        if row is None:
            return []
        return [
            case for case in self.cases if case.order_id == row.id and (not reasons or case.reason in reasons)
        ]

    def answers_of(self, row: Row[Any] | None, *options: str) -> list[Row[Any]]:
        """Every answer people gave to cases of the order; with these options, when any are given."""
        if row is None:
            return []
        return [
            said
            for said in self.answers
            if said.order_id == row.id and (not options or said.option in options)
        ]

    def open_cases(self, row: Row[Any] | None, mirakl_order_id: str) -> list[Row[Any]]:
        """Open cases about the order: its own, and those of the connection that name it."""
        return [
            case
            for case in self.cases
            if case.closed_at is None
            and (
                (row is not None and case.order_id == row.id)
                or (case.order_id is None and case.subject == mirakl_order_id)
            )
        ]

    def kind_of(self, written: str | None) -> str:
        """The action behind a call's reference, empty for none of ours."""
        reference = Reference.of(written)
        row = None if reference is None else self.operation_of.get(reference.operation)
        return "" if row is None else str(row.kind)

    # -- time in which nothing could be done -------------------------------------------------------------

    def unavailable(self, began: datetime, ended: datetime) -> timedelta:
        """How much of this time the service, or a platform it needed, could not work.

        A worker that crashed or froze keeps its lease for a while, so its interruption lasts that much longer. Every
        call of ours that a fault met counts for the time it costs to notice and repeat it.
        """
        if ended <= began:
            return timedelta(0)
        return self.interrupted(began, ended) + FAULT_COSTS * self._faults_between(began - FAULT_COSTS, ended)

    def interrupted(self, began: datetime, ended: datetime) -> timedelta:
        """How much of this time the service or its database, or a platform as a whole, was away."""
        lost = timedelta(0)
        reached = began
        for gap in sorted(self.interruptions, key=lambda gap: gap.began):
            tail = timedelta(seconds=15) if gap.kind in NO_LEASE_LEFT_BEHIND else LEASE
            start, end = max(gap.began, reached), min(gap.ended + tail, ended)
            if end > start:
                lost += end - start
                reached = end
        return lost

    def due_after(self, began: datetime, room: timedelta) -> datetime:
        """By when something must have happened for which there is so much room: time that stood still does not count, and
        neither does what of it lies in the time gained so."""
        faults = FAULT_COSTS * self._faults_between(began - FAULT_COSTS, began + room)
        due = began + room
        while (later := began + room + faults + self.interrupted(began, due)) > due:
            due = later
        return due

    def _faults_between(self, began: datetime, ended: datetime) -> int:
        sent, over = self._fault_times
        return bisect_left(sent, ended) - bisect_left(over, began)

    @cached_property
    def _fault_times(self) -> tuple[list[datetime], list[datetime]]:
        """When each disturbed call left, and when it was over: one that is late disturbs us all the way."""
        met = [call for call in self.our_calls() if call.fault is not None or call.status == 429]
        return sorted(call.sent_at for call in met), sorted(call.at for call in met)

    def our_calls(self) -> Iterator[Call]:
        """Every call of ours, by platform."""
        for call in self.shopify.record.calls:
            if call.caller in (self.app, "unknown"):
                yield call
        for marketplace in self.marketplaces:
            for call in marketplace.record.calls:
                if call.caller == marketplace.caller:
                    yield call


def went_well(call: Call) -> bool:
    """Answered with 2xx and no fault between the platform and us."""
    return call.fault is None and call.status < 300 and not call.detail.get("errors")


def shows_all(call: Call) -> bool:
    """Whether a read of a Shopify order asked for its lines, its refunds and its parcels."""
    return WHOLE_ORDER.issubset(call.detail.get("asked", ()))


MARK_REFERENCE = "mark."


def is_write(call: Call, marketplace: Marketplace | None) -> bool:
    """Whether the call may change something on the platform; set-up calls and the mark of our installation, which
    concern no order, do not count."""
    if (call.reference or "").startswith(MARK_REFERENCE):
        return False
    if marketplace is not None:
        return call.operation in WRITES_TO_MIRAKL
    mutations = schema().mutation_type
    known = {} if mutations is None else mutations.fields
    return any(name in known and name not in SETTING_UP for name in call.operation.split("+"))


def first_after(times: Sequence[datetime], moment: datetime) -> datetime | None:
    """The first of the ordered times that is not before the moment."""
    index = bisect_left(times, moment)
    return times[index] if index < len(times) else None


def gather(
    marketplaces: Mapping[str, MiraklWorld],
    connection_ids: Mapping[str, int],
    shopify: ShopifyWorld,
    c: Connection,
    poll: timedelta,
    interruptions: Sequence[Interruption] = (),
    logs: Sequence[str] = (),
    ahead: timedelta = timedelta(0),
    asked: Sequence[LabelAsked] = (),
    bundles: Mapping[str, Mapping[str, int]] | None = None,
    paused: Sequence[FlowPaused] = (),
    urls: Sequence[str] = (),
    forged: Sequence[Forged] = (),
    rules_before: ConnectionRules | None = None,
    settings_said: Sequence[SettingSaid] = (),
    told: Sequence[datetime] = (),
) -> Evidence:
    """All evidence of one world, read in the transaction of `c`. `logs` are captured log lines, if there are any;
    `ahead` is how far the database's clock is ahead of the platforms'; `asked` are the printers' questions; `bundles` what
    the shop's people said that some marketplace SKUs are made of: units by the article's SKU; `paused` what people paused; `urls`
    what our calls asked for; `forged` what strangers delivered;
    `rules_before` how the connections were set at first, where somebody changed that once; `settings_said` what people said of
    settings that were refuted; `told` when alerts that were due were kept, in the platforms' time."""
    known = []
    for name, world in marketplaces.items():
        connection = one_connection(c, connection_ids[name])
        known.append(
            Marketplace(name, connection_ids[name], connection.mirakl_account, connection.rules, world)
        )
    evidence = Evidence(
        shopify.clock.now(),
        poll,
        tuple(known),
        shopify,
        tuple(interruptions),
        tuple(logs),
        ahead,
        tuple(asked),
        bundles or {},
        tuple(paused),
        tuple(urls),
        tuple(forged),
        rules_before,
        tuple(settings_said),
        tuple(told),
    )
    evidence.load(c)
    return evidence
