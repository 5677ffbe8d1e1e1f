"""The shortest log of a failure: what the platforms and the service went through with the one order it concerns, cut to
the time around it, without the reads and the webhooks that went well. It holds codes, ids and numbers, and the timeline's own
sentences; no document of a platform."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, or_, select

from interlock.engine.ledger import operations
from interlock.orders.store import kin, orders, timeline
from interlock.rehearsal.judging.evidence import Reference, went_well
from interlock.rehearsal.judging.verdict import Finding
from interlock.rehearsal.world import World
from interlock.simulator.record import Call, Effect, Record

MOST_LINES = 60
LINES_AFTER = 15
"""How many of them at most tell what came after the failure, where there was enough before it."""
HINT = "webhook_delivered"
"""It carries no truth; what was lost, late or repeated shows in what the service did next."""
TOLD_OF_EFFECTS = ("from", "to", "state", "quantity", "amount", "by", "handle", "reason", "id", "order")


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened, in the platforms' time."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Concerned:
    """What a failure is about: order rows, their ids on both platforms, and their rows of the ledger. `everything` where
    it names no order."""

    rows: frozenset[int]
    ids: frozenset[str]
    operations: Mapping[str, str]
    everything: bool = False

    def has(self, ids: Iterable[str], reference: str | None) -> bool:
        """Whether a call or an effect with these ids and this reference belongs to it."""
        return self.everything or not self.ids.isdisjoint(ids) or _operation(reference) in self.operations


def shortest_log(world: World, c: Connection, finding: Finding) -> tuple[str, ...]:
    """At most MOST_LINES lines about the order of the finding, oldest first, the same thing several times in a row on one
    line; a line in brackets says how many were cut. About no order in particular, of all orders."""
    about = _concerned(c, finding.order, _orders_named(world, finding))
    told = list(_told_by_the_timeline(c, about, timedelta(seconds=world.plan.database_ahead)))
    for name, record in (
        ("Shopify", world.shopify.record),
        *((name, marketplace.record) for name, marketplace in world.mirakl.items()),
    ):
        told += _told_by(name, record, about)
    return cut(_folded(sorted(told, key=lambda line: line.at)), finding.at)


def cut(lines: Sequence[Line], at: datetime) -> tuple[str, ...]:
    """The lines around a moment: most of them up to it, and a few after."""
    reached = sum(line.at <= at for line in lines)
    last = min(len(lines), max(reached + LINES_AFTER, MOST_LINES))
    first = max(0, last - MOST_LINES)
    shown = [f"{line.at:%H:%M:%S} {line.text}" for line in lines[first:last]]
    if first:
        shown.insert(0, f"({first} earlier)")
    if last < len(lines):
        shown.append(f"({len(lines) - last} later)")
    return tuple(shown)


def _orders_named(world: World, finding: Finding) -> frozenset[str]:
    """Shopify orders that the finding speaks of by name or gid, whether or not the service knows them as relatives."""
    words = set(
        re.findall(r"#[\w-]+|gid://shopify/Order/\d+", " ".join((finding.sentence, *finding.evidence)))
    )
    gids = {order.name: order.gid for order in world.shopify.shop.orders.values()}
    return frozenset(gids.get(word, word) for word in words)


def _concerned(c: Connection, order: str, named_too: frozenset[str]) -> Concerned:
    """`order` is the id of either platform, or empty; `named_too` are gids that belong to the failure anyway."""
    named = or_(orders.c.mirakl_order_id == order, orders.c.shopify_order_id == order)
    taken = select(kin.c.order_id).where(kin.c.shopify_order_id == order)
    found = c.execute(
        select(orders.c.id, orders.c.mirakl_order_id, orders.c.shopify_order_id)
        .where(or_(named, orders.c.id.in_(taken)) if order else orders.c.id.is_not(None))
        .order_by(orders.c.id)
    ).all()
    rows = frozenset(row.id for row in found)
    relatives = c.execute(
        select(kin.c.shopify_order_id).where(kin.c.order_id.in_(rows)).order_by(kin.c.shopify_order_id)
    ).scalars()
    ids = {order, *relatives, *named_too}
    for row in found:
        ids |= {row.mirakl_order_id, row.shopify_order_id}
    planned = c.execute(
        select(operations.c.id, operations.c.kind)
        .where(operations.c.order_id.in_(rows))
        .order_by(operations.c.id)
    )
    known = {row.id: row.kind for row in planned}
    return Concerned(rows, frozenset(one for one in ids if one), known, everything=not order)


def _told_by_the_timeline(c: Connection, about: Concerned, ahead: timedelta) -> Iterable[Line]:
    rows = c.execute(
        select(timeline.c.at, timeline.c.who, timeline.c.sentence)
        .where(timeline.c.order_id.in_(about.rows))
        .order_by(timeline.c.id)
    )
    for row in rows:
        yield Line(row.at - ahead, f"{row.who}: {row.sentence}")


def _told_by(platform: str, record: Record, about: Concerned) -> Iterable[Line]:
    for call in record.calls:
        if not _is_undisturbed_read(call) and about.has(call.order_ids, call.reference):
            yield Line(call.at, f"{platform} < {_call(call, about)}")
    for effect in record.effects:
        if effect.kind != HINT and about.has((effect.order_id,), effect.reference):
            yield Line(effect.at, f"{platform} * {_effect(effect)}")


def _is_undisturbed_read(call: Call) -> bool:
    """Every write of the service carries its reference; what a read showed is told by what was concluded from it."""
    return call.reference is None and went_well(call)


def _call(call: Call, about: Concerned) -> str:
    said = [call.operation, str(call.status)]
    if call.reference is not None:
        said.append(f"{about.operations.get(_operation(call.reference), '')} {call.reference}".strip())
    if call.fault is not None:
        said.append(f"fault {call.fault}")
    said += [str(code) for code in call.detail.get("errors", ())]
    said += [str(code) for code, _ in call.detail.get("user_errors", ())]
    return ", ".join(said)


def _effect(effect: Effect) -> str:
    facts = [f"{name} {effect.detail[name]}" for name in TOLD_OF_EFFECTS if _is_told(effect.detail.get(name))]
    return f"{effect.kind} by {effect.actor}" + (f" ({', '.join(facts)})" if facts else "")


def _is_told(value: Any) -> bool:
    return value is not None and not isinstance(value, list | tuple | dict)


def _operation(reference: str | None) -> str:
    written = Reference.of(reference)
    return "" if written is None else written.operation


def _folded(lines: Iterable[Line]) -> list[Line]:
    """What happened several times in a row is told once, when it happened first."""
    folded: list[tuple[Line, int]] = []
    for line in lines:
        if folded and folded[-1][0].text == line.text:
            folded[-1] = (folded[-1][0], folded[-1][1] + 1)
        else:
            folded.append((line, 1))
    return [
        line if times == 1 else Line(line.at, f"{line.text}  ({times} times in a row)")
        for line, times in folded
    ]
