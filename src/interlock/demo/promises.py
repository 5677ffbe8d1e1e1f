"""What became of the promises on a day: counted from the platforms' own logs, our database and the judge's findings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from sqlalchemy import select

from interlock.cases.store import cases
from interlock.demo.day import Day
from interlock.orders.codec import decode
from interlock.orders.memory import Memory, RefundTask
from interlock.orders.store import orders
from interlock.orders.timeline import counted
from interlock.rehearsal.judge import judge
from interlock.rehearsal.judging.verdict import Finding, Verdict
from interlock.simulator.mirakl import MiraklWorld, SimOrder
from interlock.simulator.shopify.state import Order

LABELS = "no label is printed for lines the marketplace does not agree with"
ACCEPTANCE = "no order is lost because nobody accepted it in time"
MONEY = "no money is refunded on one side only"
PARCELS = "no parcel ships that the marketplace never hears of"
STOCK = "no stock is offered that is not there"
UNDERNEATH = (
    "what the promises stand on (one order each way, one writer, every call in the ledger, ceilings, privacy)"
)

# Which promise a finding of the judge concerns; every other invariant is one that the promises stand on.
PROMISE_OF = {
    "label": LABELS,
    "label answered": LABELS,
    "I5": LABELS,
    "I8": LABELS,
    "I2": ACCEPTANCE,
    "I3": ACCEPTANCE,
    "I11": ACCEPTANCE,
    "I15": ACCEPTANCE,
    "I6": MONEY,
    "I7": MONEY,
    "I4": PARCELS,
    "I26": STOCK,
    "I27": STOCK,
}
MOST_EVIDENCE = 12


@dataclass
class Promise:
    """One promise and its count: everything checked either held, was bounded, or is broken."""

    name: str
    held: int = 0
    bounded: int = 0
    broken: int = 0
    evidence: list[str] = field(default_factory=list)

    @property
    def checked(self) -> int:
        return self.held + self.bounded + self.broken

    def add(self, other: "Promise") -> None:
        """Count another day's result to this one."""
        self.held += other.held
        self.bounded += other.bounded
        self.broken += other.broken
        self.evidence += other.evidence

    def as_dict(self) -> dict[str, object]:
        """As the report writes it; broken cases come first in the evidence."""
        shown = sorted(self.evidence, key=lambda line: not line.startswith("broken"))[:MOST_EVIDENCE]
        return {
            "name": self.name,
            "checked": self.checked,
            "held": self.held,
            "bounded": self.bounded,
            "broken": self.broken,
            "evidence": shown,
        }


@dataclass(frozen=True, slots=True)
class _Sale:
    """A marketplace order beside what became of it in Shopify and with us."""

    marketplace: str
    world: MiraklWorld
    order: SimOrder
    shopify: Order | None
    memory: Memory | None
    open_cases: int

    @property
    def name(self) -> str:
        return f"{self.marketplace} {self.order.id}"


def tally(day: Day) -> tuple[list[Promise], Verdict]:
    """Every promise of a day that is over and at rest, in the order of the design, and the judge's verdict."""
    verdict = judge(day.world, quiescent=True)
    sales = _sales(day)
    found = [
        _labels(sales, verdict),
        _accepted(sales),
        _money(sales),
        _parcels(sales),
        _stock(verdict),
        _underneath(verdict),
    ]
    by_name = {promise.name: promise for promise in found}
    for violation in verdict.broken:
        _break(by_name[PROMISE_OF.get(violation.invariant, UNDERNEATH)], violation)
    for failure in (*day.failures, *day.world.process_world.troubles):
        by_name[UNDERNEATH].broken += 1
        by_name[UNDERNEATH].evidence.append(f"broken: something failed and was not expected to: {failure}")
    return found, verdict


def _break(promise: Promise, violation: Finding) -> None:
    promise.broken += 1
    promise.held = max(promise.held - 1, 0)
    promise.evidence.append(f"broken: {violation}")


def _sales(day: Day) -> list[_Sale]:
    """Each marketplace order with the Shopify order that is linked to it, in the order they were placed."""
    world = day.world
    names = {number: name for name, number in world.connection_ids.items()}
    with world.database.begin() as c:
        rows = {
            (names[row.connection_id], row.mirakl_order_id): row
            for row in c.execute(select(orders).order_by(orders.c.id))
        }
        unsettled: dict[int, int] = {}
        for (order_id,) in c.execute(select(cases.c.order_id).where(cases.c.closed_at.is_(None))):
            unsettled[order_id] = unsettled.get(order_id, 0) + 1
    sales = []
    for name, marketplace in world.mirakl.items():
        for order in marketplace.orders.values():
            row = rows.get((name, order.id))
            shopify = None
            if row is not None and row.shopify_order_id:
                shopify = world.shopify.order(row.shopify_order_id)
            memory = decode(Memory, row.memory) if row is not None else None
            open_cases = unsettled.get(row.id, 0) if row is not None else 0
            sales.append(_Sale(name, marketplace, order, shopify, memory, open_cases))
    return sales


def _effects(sale: _Sale, kind: str) -> Iterator[str]:
    """Who brought this effect about on the sale's marketplace order, oldest first."""
    for effect in sale.world.record.effects:
        if effect.order_id == sale.order.id and effect.kind == kind:
            yield effect.actor


# -- the promises ------------------------------------------------------------------------------------------


def _labels(sales: Iterable[_Sale], verdict: Verdict) -> Promise:
    """Every label that was printed, judged at the moment it was."""
    promise = Promise(LABELS)
    printed = sum(len(sale.shopify.fulfillments) for sale in sales if sale.shopify is not None)
    early = [finding for finding in verdict.bounded if finding.invariant == "label"]
    other = [finding for finding in verdict.bounded if finding.invariant == "I8"]
    promise.bounded = len(early)
    promise.held = max(printed - len(early), 0)
    promise.evidence = [f"bounded: {finding}" for finding in (*early, *other)]
    return promise


def _accepted(sales: Iterable[_Sale]) -> Promise:
    """Every order that waited for our acceptance: accepted, or ended by a person, never lost to the clock."""
    promise = Promise(ACCEPTANCE)
    for sale in sales:
        if sale.order.waiting_since is None or sale.world.profile.accepts_automatically:
            continue
        rungs = sale.memory.rungs if sale.memory is not None else ()
        if any(_effects(sale, "auto_refused")) or sale.order.state == "WAITING_ACCEPTANCE":
            promise.broken += 1
            promise.evidence.append(f"broken: {sale.name} is {sale.order.state}, and nobody accepted it")
            continue
        promise.held += 1
        if rungs:
            reached = ", ".join(f"{rung} %" for rung in rungs)
            promise.evidence.append(f"held: {sale.name} was decided in time; people were told at {reached}")
    return promise


def _money(sales: Iterable[_Sale]) -> Promise:
    """Every refund of money in Shopify and every reduction after payment: the marketplace shows it too, or somebody
    has the task open before them."""
    promise = Promise(MONEY)
    for sale in sales:
        tasks = {task.subject: task for task in sale.memory.refund_tasks} if sale.memory is not None else {}
        refunds = sale.shopify.refunds if sale.shopify is not None else []
        for refund in refunds:
            if refund.money > 0 and refund.gid not in tasks:
                promise.broken += 1
                promise.evidence.append(f"broken: {sale.name}: {refund.money} refunded in Shopify, no task")
        for task in tasks.values():
            _one_task(promise, sale, task)
    return promise


def _one_task(promise: Promise, sale: _Sale, task: RefundTask) -> None:
    made = [part.id for line in sale.order.lines for part in line.refunds if str(part.id) in task.settled_by]
    what = f"{sale.name}: {task.subject.rpartition('/')[2]}"
    if task.settled_at is not None and (made or task.dismissed_by):
        promise.held += 1
        promise.evidence.append(f"held: {what} settled by {counted(len(made), 'refund')} in the portal")
    elif task.dismissed_by.startswith(("superseded", "no longer needed")):
        promise.held += 1
    elif task.dismissed_by or sale.open_cases:
        promise.bounded += 1
        promise.evidence.append(f"bounded: {what} is with a person")
    else:
        promise.broken += 1
        promise.evidence.append(f"broken: {what} is neither settled nor open")


def _parcels(sales: Iterable[_Sale]) -> Promise:
    """Every parcel that left: the marketplace was told, or a case says why not."""
    promise = Promise(PARCELS)
    for sale in sales:
        if sale.shopify is None:
            continue
        left = [parcel for parcel in sale.shopify.fulfillments if parcel.status != "CANCELLED"]
        told = any(_effects(sale, "shipped"))
        for parcel in left:
            if told:
                promise.held += 1
            elif sale.open_cases:
                promise.bounded += 1
                promise.evidence.append(f"bounded: {sale.name}: {parcel.gid} waits for a person")
            else:
                promise.broken += 1
                promise.evidence.append(f"broken: {sale.name}: the marketplace never heard of {parcel.gid}")
    return promise


def _stock(verdict: Verdict) -> Promise:
    """Every quantity that was published, judged by what the shop had when it was sent, and every offer at the end."""
    published, shown = verdict.checked["I26"], verdict.checked["I27"]
    return Promise(
        STOCK,
        held=published + shown,
        evidence=[f"held: {published} quantities published, {shown} offers show their target at the end"],
    )


def _underneath(verdict: Verdict) -> Promise:
    """Everything else the judge checked."""
    promise = Promise(UNDERNEATH)
    promise.held = sum(n for name, n in verdict.checked.items() if name not in PROMISE_OF)
    for finding in verdict.bounded:
        if finding.invariant not in PROMISE_OF:
            promise.bounded += 1
            promise.held = max(promise.held - 1, 0)
            promise.evidence.append(f"bounded: {finding}")
    return promise
