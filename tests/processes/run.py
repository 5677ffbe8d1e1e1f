"""One run: people act, a killer kills, everything comes to rest, and the judge reads what the platforms saw."""

import asyncio
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select, text

from interlock.cases.store import cases
from interlock.engine.ledger import operations
from interlock.engine.store import counts
from interlock.orders.store import orders, timeline_of
from interlock.rehearsal.judge import Interruption, judge_evidence
from interlock.rehearsal.judging.evidence import gather
from tests.processes.stand import Child, Stand, until

ENDED = ("SHIPPED", "RECEIVED", "CLOSED", "CANCELED", "REFUSED", "REFUNDED")
# The stand polls every two seconds instead of once a minute: the ceilings are judged in the simulated histories.
NOT_JUDGED_HERE = ("I14",)
ENDS_WITHIN = 60.0
"""Seconds a process may take to end: the twelve it grants to what is under way, and a slow machine's share."""
LATECOMERS = 3
"""So often the service is started again for what reached it while it was ending."""


@dataclass(frozen=True)
class Dose:
    """How much happens. `freeze` is the longest freeze in seconds, `down` the longest database outage."""

    kills: int
    stops: int
    orders: int
    pause: tuple[float, float] = (0.7, 1.6)
    freeze: float = 3.0
    down: float = 1.5
    workers: int = 3
    rest: float = 300.0
    seed: int = 1
    hurry: bool = True


@dataclass
class Result:
    """What a run did and what was wrong afterwards."""

    did: Counter[str] = field(default_factory=Counter)
    counts: dict[str, int] = field(default_factory=dict)
    states: Counter[str] = field(default_factory=Counter)
    checked: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    bounded: list[str] = field(default_factory=list)
    stories: list[str] = field(default_factory=list)
    calls: int = 0
    seconds: float = 0.0
    rest_seconds: float = 0.0


async def run(dose: Dose) -> Result:
    """Live through one run. Nothing in it is simulated but the platforms."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    result = Result()
    async with Stand(dose.seed) as stand:
        for _ in range(dose.workers):
            await stand.start("worker")
        await stand.start("ingress")
        rng = random.Random(dose.seed)
        killer = Killer(stand, dose, random.Random(dose.seed + 1), result)
        people = asyncio.ensure_future(_people(stand, dose, rng, result, killer))
        await killer.kill()
        await people
        resting = loop.time()
        picker = asyncio.ensure_future(_pick(stand, result))
        at_rest = await _rest(stand, dose)
        await _stop(stand, result)
        # What arrives while a worker ends, the next one takes up: a hint, never lost, is no order left alone.
        for _ in range(LATECOMERS):
            if not at_rest or not _moving(stand):
                break
            for _ in range(dose.workers):
                await stand.start("worker")
            await stand.start("ingress")
            at_rest = await _rest(stand, dose)
            await _stop(stand, result)
        picker.cancel()
        result.rest_seconds = loop.time() - resting
        _judge(stand, result, killer.interruptions, at_rest)
        result.calls = sum(
            len(record.calls)
            for record in (stand.shopify.record, *(world.record for world in stand.mirakl.values()))
        )
    result.seconds = loop.time() - began
    return result


class Killer:
    """Ends, freezes and cuts off, one thing after the other, and starts again what it ended."""

    def __init__(self, stand: Stand, dose: Dose, rng: random.Random, result: Result) -> None:
        self.stand = stand
        self.dose = dose
        self.rng = rng
        self.result = result
        self.interruptions: list[Interruption] = []
        self.done = False

    async def kill(self) -> None:
        acts = ["kill"] * self.dose.kills + ["stop"] * self.dose.stops
        self.rng.shuffle(acts)
        later: list[asyncio.Future[None]] = []
        await asyncio.sleep(3)
        for act in acts:
            await asyncio.sleep(self.rng.uniform(*self.dose.pause))
            if act == "stop":
                await self._stop_database()
                continue
            match self.rng.choices(("killed", "frozen", "terminated", "ingress killed"), (5, 3, 1, 1))[0]:
                case "killed":
                    await self._end(self.rng.choice(self.stand.alive("worker")), signal.SIGKILL)
                case "terminated":
                    await self._end(self.rng.choice(self.stand.alive("worker")), signal.SIGTERM)
                case "ingress killed":
                    await self._end(self.stand.alive("ingress")[0], signal.SIGKILL)
                case _:
                    victim = self.rng.choice(self.stand.alive("worker"))
                    later.append(asyncio.ensure_future(self._freeze(victim)))
        await asyncio.gather(*later)
        self.done = True

    def _interrupted(self, kind: str, began: datetime) -> None:
        self.interruptions.append(Interruption(kind, began, self.stand.now()))

    async def _end(self, victim: Child, which: signal.Signals) -> None:
        began = self.stand.now()
        victim.send(signal.SIGCONT)  # a frozen process would not hear a request to end
        victim.send(which)
        self.result.did[f"{victim.module} {which.name}"] += 1
        await victim.process.wait()
        if which is signal.SIGTERM and victim.ended_badly():
            self.result.wrong.append(
                f"A worker that was asked to end ended with {victim.process.returncode}."
            )
        await asyncio.sleep(self.rng.uniform(0.1, 1.0))
        await self.stand.start(victim.module)
        self._interrupted("crash", began)

    async def _freeze(self, victim: Child) -> None:
        began = self.stand.now()
        if not victim.send(signal.SIGSTOP):
            return
        self.result.did["worker SIGSTOP"] += 1
        await asyncio.sleep(self.rng.uniform(1.0, self.dose.freeze))
        victim.send(signal.SIGCONT)
        self._interrupted("frozen", began)

    async def _stop_database(self) -> None:
        began = self.stand.now()
        await asyncio.to_thread(self.stand.server.stop, "immediate")
        self.result.did["database stopped"] += 1
        await asyncio.sleep(self.rng.uniform(0.0, self.dose.down))
        await asyncio.to_thread(self.stand.server.ensure_started)
        self._interrupted("database away", began)


async def _people(stand: Stand, dose: Dose, rng: random.Random, result: Result, killer: Killer) -> None:
    """Customers buy; staff, operators and the warehouse do what they do meanwhile."""
    names = list(stand.mirakl_urls)
    for number in range(dose.orders):
        url = stand.mirakl_urls[names[number % len(names)]]
        made = await stand.act(url, "orders", lines=rng.randint(1, 3))
        result.did["order"] += made is not None
        await asyncio.sleep(rng.uniform(0.1, 0.5))
        await _somebody_acts(stand, rng, result)
    while not killer.done:
        await asyncio.sleep(rng.uniform(0.3, 0.9))
        await _somebody_acts(stand, rng, result)


async def _somebody_acts(stand: Stand, rng: random.Random, result: Result) -> None:
    shop = stand.shop_url
    found = [order for order in await stand.act(shop, "orders") if order["cancelled_at"] is None]
    open_ = [order for order in found if not order["fulfillments"]]
    if not open_:
        return
    order = rng.choice(open_)
    line = rng.choice(order["lines"])
    units = line["current_quantity"]
    match rng.choices(("lower", "remove", "raise", "cancel", "operator", "pick"), (6, 3, 1, 1, 1, 1))[0]:
        case "lower" if units > 1:
            quantities = [{"line": line["id"], "quantity": units - 1}]
            done = await stand.act(shop, "staff/edit", order=order["id"], quantities=quantities)
            what = "quantity lowered"
        case "remove":
            quantities = [{"line": line["id"], "quantity": 0}]
            done = await stand.act(shop, "staff/edit", order=order["id"], quantities=quantities)
            what = "line removed"
        case "raise":
            quantities = [{"line": line["id"], "quantity": units + 1}]
            done = await stand.act(shop, "staff/edit", order=order["id"], quantities=quantities)
            what = "quantity raised"
        case "cancel":
            done = await stand.act(shop, "staff/cancel", order=order["id"])
            what = "cancelled in Shopify"
        case "operator":
            marketplace, _, mirakl_id = order["custom_attributes"].get("mirakl_order_id", "").partition(":")
            if not mirakl_id:
                return
            done = await stand.act(stand.mirakl_urls[marketplace], "orders/cancel", order_id=mirakl_id)
            what = "operator cancelled"
        case _:
            done = await stand.act(shop, "picker/pick", company="dhl")
            what = "label printed"
            done = done if done is not None and done["id"] else None
    result.did[what if done is not None else f"{what}, refused"] += 1


async def _pick(stand: Stand, result: Result) -> None:
    """The warehouse empties its list: whatever nobody holds gets a label."""
    while True:
        await asyncio.sleep(1.0)
        for order in await stand.act(stand.shop_url, "orders"):
            ready = [
                part for part in order["fulfillment_orders"] if part["status"] in ("OPEN", "IN_PROGRESS")
            ]
            if ready and not any(part["holds"] for part in ready):
                done = await stand.act(stand.shop_url, "picker/pick", order=order["id"], company="dhl")
                result.did["label printed"] += done is not None and bool(done["id"])


# -- rest ------------------------------------------------------------------------------------------------


async def _rest(stand: Stand, dose: Dose) -> bool:
    """Wait until nothing moves any more. With `hurry`, waits of the dead and of minutes are cut short."""
    calm = 0

    def at_rest() -> bool:
        nonlocal calm
        if dose.hurry:
            _let_a_minute_pass(stand)
        calm = calm + 1 if not _moving(stand) else 0
        return calm >= 4

    return await until(at_rest, dose.rest, every=2.0)


def _let_a_minute_pass(stand: Stand) -> None:
    """Move what merely waits for time a minute back: leases of the dead, polls, sweeps, shared ceilings.

    Only where nobody works: a lease that a living worker holds is renewed far more often than that.
    """
    alive = [child.process.pid for child in stand.alive("worker")]
    assert alive
    minute = "interval '60 seconds'"
    with stand.database.begin() as c:
        c.execute(
            text(
                f"UPDATE orders SET lease_until = lease_until - {minute} WHERE lease_until < now() + interval '40 seconds'"
            )
        )
        c.execute(
            text(
                f"UPDATE polls SET lease_until = lease_until - {minute} WHERE lease_until < now() + interval '105 seconds'"
            )
        )
        c.execute(text(f"UPDATE polls SET next_at = next_at - {minute} WHERE name LIKE 'sweep %'"))
        c.execute(
            text(
                f"UPDATE budget_calls SET at = at - {minute} WHERE operation = 'OR04' AND at < now() - interval '10 seconds'"
            )
        )


def _moving(stand: Stand) -> list[str]:
    """What is still under way, in words; empty at rest."""
    found = []
    with stand.database.begin() as c:
        known = {(row.connection_id, row.mirakl_order_id): row for row in c.execute(select(orders))}
        pending = c.execute(
            select(operations.c.kind, operations.c.state).where(
                operations.c.done_at.is_(None),
                operations.c.state.in_(("PLANNED", "IN_FLIGHT", "UNKNOWN")),
            )
        ).all()
        troubled = {
            row.order_id for row in c.execute(select(cases.c.order_id).where(cases.c.closed_at.is_(None)))
        }
    found += [f"{kind} is {state}" for kind, state in pending]
    for name, world in stand.mirakl.items():
        world.tick()
        for order in world.by_creation:
            row = known.get((stand.connection_ids[name], order.id))
            if row is None:
                found.append(f"{name} {order.id} is not known yet")
            elif row.hints > row.handled or row.lease_until is not None:
                found.append(f"{name} {order.id} is being worked on")
            elif order.state not in ENDED and row.id not in troubled:
                found.append(f"{name} {order.id} is {order.state}")
    return found


async def _stop(stand: Stand, result: Result) -> None:
    """End the service in an orderly way: every process has to end by itself, without an error."""
    for module in ("worker", "ingress"):
        for child in stand.alive(module):
            child.send(signal.SIGTERM)
            try:
                async with asyncio.timeout(ENDS_WITHIN):
                    await child.process.wait()
            except TimeoutError:
                result.wrong.append(f"A {module} did not end within {ENDS_WITHIN:g} s of being asked to.")
                continue
            if child.ended_badly():
                result.wrong.append(
                    f"A {module} that was asked to end ended with {child.process.returncode}."
                )


# -- judgement -------------------------------------------------------------------------------------------


def _judge(stand: Stand, result: Result, interruptions: list[Interruption], at_rest: bool) -> None:
    if not at_rest:
        result.wrong += [f"Not at rest: {what}" for what in _moving(stand)] or ["It never stayed at rest."]
        result.stories = _stories(stand)
    _own_checks(stand, result)
    # Twenty minutes in which nothing more happens: what is still open then has no excuse.
    stand.shopify.clock.advance(timedelta(minutes=20).total_seconds())
    logs = stand.log_lines()
    with stand.database.begin() as c:
        evidence = gather(
            stand.mirakl,
            stand.connection_ids,
            stand.shopify,
            c,
            timedelta(seconds=2),
            interruptions,
            logs,
        )
        verdict = judge_evidence(evidence, c, quiescent=True)
        result.counts = {" ".join(key).strip(): number for key, number in counts(c).items()}
    result.checked = verdict.checked
    result.wrong += [str(found) for found in verdict.broken if found.invariant not in NOT_JUDGED_HERE]
    result.bounded += [str(found) for found in verdict.bounded if found.invariant not in NOT_JUDGED_HERE]
    failed = Counter(
        line for line in logs if '"event": "look.failed"' in line or '"event": "duty.failed"' in line
    )
    result.wrong += [f"A defect was caught: {line}" for line in list(failed)[:5]]


def _stories(stand: Stand) -> list[str]:
    """What happened to the orders that have not ended, for whoever has to find out why."""
    told = []
    with stand.database.begin() as c:
        for name, world in stand.mirakl.items():
            for order in world.by_creation:
                row = c.execute(
                    select(orders.c.id).where(
                        orders.c.connection_id == stand.connection_ids[name],
                        orders.c.mirakl_order_id == order.id,
                    )
                ).first()
                if row is not None and order.state not in ENDED:
                    told.append(f"{world.profile.name} {order.id} {order.state}")
                    told += [f"  {at:%H:%M:%S} {who}: {what}" for at, who, what in timeline_of(c, row.id)]
    return told


def _own_checks(stand: Stand, result: Result) -> None:
    """What must be true of every order, from the platforms' own records."""
    by_marker: dict[str, list[Any]] = {}
    for found in stand.shopify.shop.orders.values():
        by_marker.setdefault(dict(found.attributes).get("mirakl_order_id", ""), []).append(found)
    for name, world in stand.mirakl.items():
        for order in world.by_creation:
            result.states[order.state] += 1
            made = by_marker.get(f"{name}:{order.id}", [])
            if len(made) != 1 and order.state not in ("CANCELED", "REFUSED", "WAITING_ACCEPTANCE"):
                result.wrong.append(f"{order.id} is {order.state} and has {len(made)} Shopify orders.")
            elif len(made) > 1:
                result.wrong.append(f"{order.id} has {len(made)} Shopify orders.")
    for world in stand.mirakl.values():
        once = Counter(
            (effect.kind, effect.order_id)
            for effect in world.record.effects
            if effect.actor == "api:shop" and effect.kind in ("accepted", "shipped")
        )
        result.wrong += [
            f"{kind} happened {n} times to {order}." for (kind, order), n in once.items() if n > 1
        ]
    with stand.database.begin() as c:
        stuck = c.execute(
            select(operations.c.kind, operations.c.state, func.count())
            .where(operations.c.done_at.is_(None), operations.c.state.in_(("IN_FLIGHT", "UNKNOWN")))
            .group_by(operations.c.kind, operations.c.state)
            .order_by(operations.c.kind)
        ).all()
    result.wrong += [f"{number} {kind} left {state}." for kind, state, number in stuck]
