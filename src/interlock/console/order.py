"""Everything the page of one order shows, as one query and the values it gives."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Connection, select

from interlock.cases.store import cases
from interlock.console.case_list import CaseRow, case_rows
from interlock.console.order_list import needs_its_connection
from interlock.console.portal import PortalPage, portal_page
from interlock.console.said import Said, need_of, said_to
from interlock.console.stages import Standing, standing_of
from interlock.edits.diff import differences
from interlock.edits.reading import Edit
from interlock.edits.sentences import sentence_of
from interlock.edits.table import ANSWERS
from interlock.engine.ledger import operations
from interlock.engine.store import (
    one_connection,
)
from interlock.orders.agreement import (
    BrokenBundle,
    agreed_quantities,
    broken_bundles,
    fulfilled_quantities,
    mirakl_line_id_of,
    ordered_of,
    shopify_quantities,
    standing_quantities,
    unlinked,
)
from interlock.orders.codec import decode
from interlock.orders.memory import Memory
from interlock.orders.money import Money
from interlock.orders.plan import Plan
from interlock.orders.snapshots import GONE_OUT, ShopifyOrder
from interlock.orders.store import orders, plans, timeline
from interlock.orders.view import View


@dataclass(frozen=True, slots=True)
class LineSides:
    """One line as the three sides see it. None where a side does not show the line. `note` says what is odd.
    `line_id` names the line to the edit desk: its Mirakl line id, or its Shopify line id where nothing was sold. `sent_back`
    are units that left and were refunded since, which Shopify shows no more."""

    line_id: str
    sku: str
    title: str
    ordered: int | None
    shopify: int | None
    agreed: int | None
    mirakl: int | None
    cancelled: int
    refunded: int
    shipped: int
    mirakl_state: str
    price: str
    agrees: bool
    note: str
    sent_back: int = 0


@dataclass(frozen=True, slots=True)
class AnsweredDifference:
    """One difference, what becomes of it, and the rule that says so."""

    difference: str
    answer: str
    rule: str


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change of the Shopify order: when, by whom (an app, `staff` or Interlock), and what, in words."""

    at: datetime
    by: str
    what: str


@dataclass(frozen=True, slots=True)
class HoldState:
    """Whether the parcel may move: ours is our hold, others are holds of somebody else."""

    word: str
    tone: str
    sentence: str
    fulfillment_orders: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class OperationRow:
    """One row of the ledger in words."""

    id: str
    kind: str
    platform: str
    state: str
    attempt: int
    planned_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    not_before: datetime | None
    code: str
    words: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class OrderPage:
    """All that the page of one order shows. `seen` is None before the first look at it; `said` are the answers to open cases
    that a platform has to show first. `number_is_shared` says whether another order bears the same marketplace number."""

    id: int
    connection_id: int
    connection: str
    number_is_shared: bool
    live: bool
    mirakl_order_id: str
    commercial_id: str
    shopify_order_id: str
    shopify_name: str
    shopify_admin_url: str
    portal: PortalPage
    mirakl_state: str
    created_at: datetime
    mirakl_seen_at: datetime | None
    shopify_seen_at: datetime | None
    mirakl_wanted_since: datetime | None
    next_look_at: datetime | None
    hinted_at: datetime | None
    waiting: bool
    leased: bool
    due_at: datetime | None
    window: timedelta | None
    standing: Standing
    hold: HoldState
    lines: tuple[LineSides, ...]
    differs: tuple[str, ...]
    answers: tuple[AnsweredDifference, ...]
    changes: tuple[ChangeRow, ...]
    currency: str
    shopify_total: str
    mirakl_total: str
    tracking: tuple[tuple[str, str], ...]
    because: tuple[str, ...]
    planned_at: datetime | None
    cases: tuple[CaseRow, ...]
    said: tuple[Said, ...]
    closed_cases: tuple[CaseRow, ...]
    operations: tuple[OperationRow, ...]
    story: tuple[tuple[datetime, str, str], ...]
    seen: View | None
    memory: Memory
    plan: Plan | None

    def said_to(self, case_id: int) -> Said | None:
        """The answer to that case whose effect is still waited for."""
        return next((one for one in self.said if one.case_id == case_id), None)

    def case_told(self, sentence: str) -> CaseRow | None:
        """The case that an entry of the story says word by word, which the page shows elsewhere."""
        return next((one for one in (*self.cases, *self.closed_cases) if one.sentence == sentence), None)

    def told(self, said: Said, now: datetime) -> str:
        """Who answered what and when, and what is waited for."""
        return said.sentence(bool(self.differs) and self.hold.word in ("held", "partly held"), now)


def order_page(c: Connection, order_id: int, now: datetime) -> OrderPage | None:
    """The page of one order, None when there is no such row."""
    row = c.execute(select(orders).where(orders.c.id == order_id)).one_or_none()
    if row is None:
        return None
    connection = one_connection(c, row.connection_id)
    memory = decode(Memory, row.memory)
    seen = None if row.last_view is None else decode(View, row.last_view)
    last = c.execute(
        select(plans).where(plans.c.order_id == order_id).order_by(plans.c.id.desc()).limit(1)
    ).one_or_none()
    plan = None if last is None else decode(Plan, last.plan)
    everything = case_rows(c, cases.c.order_id == order_id)
    open_ones = tuple(one for one in everything if one.closed_at is None)
    said = said_to(c, open_ones)
    found = () if seen is None else differences(seen, memory)
    currency = seen.mirakl.currency if seen is not None and seen.mirakl is not None else ""
    differs = tuple(sentence_of(difference, currency) for difference in found)
    shopify = None if seen is None else seen.shopify
    return OrderPage(
        id=row.id,
        connection_id=connection.id,
        connection=connection.name,
        number_is_shared=needs_its_connection(c, row.id, row.mirakl_order_id),
        live=connection.live,
        mirakl_order_id=row.mirakl_order_id,
        commercial_id=row.commercial_id,
        shopify_order_id=row.shopify_order_id or "",
        shopify_name=row.shopify_name or "",
        shopify_admin_url=admin_page(connection.shopify_shop, row.shopify_order_id or ""),
        portal=portal_page(connection.mirakl_origin, connection.rules.order_in_portal, row.mirakl_order_id),
        mirakl_state=row.mirakl_state or "",
        created_at=row.created_at,
        mirakl_seen_at=row.mirakl_seen_at,
        shopify_seen_at=row.shopify_seen_at,
        mirakl_wanted_since=row.mirakl_wanted_since,
        next_look_at=row.next_look_at,
        hinted_at=row.hinted_at,
        waiting=row.hints > row.handled,
        leased=row.lease_until is not None and row.lease_until > now,
        due_at=row.acceptance_due_at if row.mirakl_state == "WAITING_ACCEPTANCE" else None,
        window=connection.rules.acceptance_window,
        standing=standing_of(
            memory,
            row.mirakl_state,
            need_of(open_ones, said),
            bool(differs) or memory.disagreeing_since is not None,
        ),
        hold=_hold_state(shopify, row.mirakl_state or ""),
        lines=_lines(seen, memory),
        differs=differs,
        answers=_answers(seen, memory),
        changes=_changes(seen),
        currency=currency,
        shopify_total=_amount(shopify.total, shopify.currency) if shopify is not None else "",
        mirakl_total=_amount(seen.mirakl.total_price, currency) if seen and seen.mirakl else "",
        tracking=_tracking(seen),
        because=() if plan is None else plan.because,
        planned_at=None if last is None else last.at,
        cases=open_ones,
        said=said,
        closed_cases=tuple(one for one in everything if one.closed_at is not None),
        operations=_operations(c, order_id),
        story=_story(c, order_id),
        seen=seen,
        memory=memory,
        plan=plan,
    )


def admin_page(shop: str, shopify_order_id: str) -> str:
    """The address of an order in the shop's admin; empty for an order that is not known there."""
    number = shopify_order_id.rpartition("/")[2]
    return f"https://{shop}/admin/orders/{number}" if number.isdigit() else ""


def _amount(amount: Decimal, currency: str) -> str:
    return str(Money(amount, currency))


def _tracking(seen: View | None) -> tuple[tuple[str, str], ...]:
    if seen is None or seen.shopify is None:
        return ()
    return tuple((f.carrier, f.tracking_number) for f in seen.shopify.fulfillments if f.live)


def _story(c: Connection, order_id: int) -> tuple[tuple[datetime, str, str], ...]:
    """The newest sentence first: that is what a person looks for."""
    rows = c.execute(
        select(timeline.c.at, timeline.c.who, timeline.c.sentence)
        .where(timeline.c.order_id == order_id)
        .order_by(timeline.c.id.desc())
        .limit(300)
    )
    return tuple((row.at, row.who, row.sentence) for row in rows)


def _operations(c: Connection, order_id: int) -> tuple[OperationRow, ...]:
    rows = c.execute(
        select(operations)
        .where(operations.c.order_id == order_id)
        .order_by(operations.c.planned_at.desc(), operations.c.id.desc())
        .limit(100)
    )
    return tuple(
        OperationRow(
            id=row.id,
            kind=row.kind,
            platform=row.platform,
            state=row.state,
            attempt=row.attempt,
            planned_at=row.planned_at,
            sent_at=row.sent_at,
            ended_at=row.ended_at,
            not_before=row.not_before,
            code=row.code,
            words=row.words,
            is_open=row.done_at is None and row.state != "CONFIRMED",
        )
        for row in rows
    )


def _in_words(bundle: BrokenBundle) -> str:
    """Which articles of a bundle Shopify shows, where they make no whole ones."""
    articles = ", ".join(f"{units} {sku} ({each} in one)" for sku, units, each in bundle.shown)
    return f"a bundle that is not whole in Shopify: {articles}"


def _lines(seen: View | None, memory: Memory) -> tuple[LineSides, ...]:
    """Every Mirakl line with its Shopify units beside it, then Shopify lines that stand for nothing sold."""
    if seen is None:
        return ()
    mirakl, shopify = seen.mirakl, seen.shopify
    shown = {} if shopify is None else dict(shopify_quantities(shopify, memory))
    shipped = {} if shopify is None else dict(fulfilled_quantities(shopify, memory))
    standing = {} if shopify is None else dict(standing_quantities(shopify, memory))
    broken = {} if shopify is None else {b.line_id: _in_words(b) for b in broken_bundles(shopify, memory)}
    rows: list[LineSides] = []
    if mirakl is not None:
        agreed = dict(agreed_quantities(mirakl, memory))
        for line, ordered in zip(mirakl.lines, ordered_of(mirakl, memory), strict=True):
            there = None if shopify is None else shown.get(line.id, 0)
            cancelled = sum(reduction.quantity for reduction in line.cancelations)
            rows.append(
                LineSides(
                    line_id=line.id,
                    sku=line.sku,
                    title=line.title,
                    ordered=ordered.quantity,
                    shopify=there,
                    agreed=agreed[line.id],
                    mirakl=line.quantity,
                    cancelled=cancelled,
                    refunded=len(line.refunds),
                    shipped=shipped.get(line.id, 0),
                    mirakl_state=line.state,
                    price=_amount(line.price_unit, mirakl.currency),
                    agrees=line.id not in broken
                    and (there is None or standing.get(line.id, 0) == agreed[line.id]),
                    note=broken.get(line.id, ""),
                    sent_back=standing.get(line.id, 0) - shown.get(line.id, 0),
                )
            )
    if shopify is not None and memory.shopify_order_id:
        sold = {line.id for line in mirakl.lines} if mirakl is not None else set()
        strangers = [
            line
            for line in shopify.lines
            if line.current_quantity > 0
            and mirakl_line_id_of(line, memory)
            and mirakl_line_id_of(line, memory) not in sold
        ]
        for stranger in (*unlinked(shopify, memory), *strangers):
            rows.append(
                LineSides(
                    line_id=stranger.id,
                    sku=stranger.sku,
                    title=stranger.title,
                    ordered=None,
                    shopify=stranger.current_quantity,
                    agreed=None,
                    mirakl=None,
                    cancelled=0,
                    refunded=0,
                    shipped=stranger.fulfilled_quantity,
                    mirakl_state="",
                    price=_amount(stranger.unit_price, shopify.currency),
                    agrees=False,
                    note="added in Shopify, never sold by the marketplace",
                )
            )
    return tuple(rows)


def _answers(seen: View | None, memory: Memory) -> tuple[AnsweredDifference, ...]:
    """Every difference with the rule that answers it, as `decide` would now."""
    if seen is None or seen.mirakl is None or seen.shopify is None:
        return ()
    found = differences(seen, memory)
    edit = Edit(seen, seen.mirakl, seen.shopify, memory, found)
    return tuple(
        AnsweredDifference(
            sentence_of(one.difference, seen.mirakl.currency), ANSWERS[one.rule.answer], one.rule.sentence
        )
        for one in edit.judged()
        if one.difference is not None
    )


def _changes(seen: View | None) -> tuple[ChangeRow, ...]:
    """Who changed the Shopify order, the latest first."""
    if seen is None or seen.shopify is None:
        return ()
    names = {line.id: line.sku or line.title for line in seen.shopify.lines}
    kinds = {"ORDER": "placed", "ORDER_EDIT": "edited", "REFUND": "refunded", "RETURN": "returned"}
    rows = []
    for change in reversed(seen.changes):
        parts = [
            f"{units:+d} {names.get(line_id, 'another line')}"
            if units
            else f"price of {names.get(line_id, 'a line')}"
            for line_id, units in change.lines
        ]
        what = kinds.get(change.kind, change.kind.lower())
        rows.append(ChangeRow(change.at, change.by, f"{what}: {', '.join(parts)}" if parts else what))
    return tuple(rows)


def _hold_state(shopify: ShopifyOrder | None, mirakl_state: str) -> HoldState:
    if shopify is None:
        return HoldState(
            "no parcel yet", "off", "There is no Shopify order yet, so nothing can be shipped.", ()
        )
    parts = tuple(
        (
            part.id.rpartition("/")[2],
            part.status,
            ", ".join("Interlock" if hold.ours else (hold.handle or "somebody else") for hold in part.holds),
        )
        for part in shopify.fulfillment_orders
    )
    if not shopify.live:
        return HoldState("cancelled", "off", "The Shopify order is cancelled.", parts)
    still_open = [part for part in shopify.fulfillment_orders if part.is_open]
    if not still_open:
        return HoldState(
            "nothing left to ship", "off", "Everything of the Shopify order has left or ended.", parts
        )
    ours = [part for part in still_open if any(hold.ours for hold in part.holds)]
    others = [part for part in still_open if any(not hold.ours for hold in part.holds)]
    if len(ours) == len(still_open):
        return HoldState("held", "now", "No label can be made: our hold is on every open part.", parts)
    if ours:
        return HoldState(
            "partly held", "trouble", f"{len(ours)} of {len(still_open)} open parts carry our hold.", parts
        )
    if others:
        return HoldState("held by others", "now", "Our hold is off; somebody else's is on.", parts)
    if mirakl_state in GONE_OUT:
        return HoldState("released", "done", "Our hold is off.", parts)
    return HoldState("released", "done", "Our hold is off: the parcel may leave.", parts)
