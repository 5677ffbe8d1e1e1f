"""What console and command line show: every query of theirs, as plain functions from a transaction to values."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, String, and_, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import JSONPATH

from interlock.cases.store import answers, cases
from interlock.console import wording
from interlock.console.stages import Standing, standing_of
from interlock.edits.diff import differences
from interlock.edits.forecast import EditForecast, forecast, share_in_words
from interlock.edits.reading import Edit
from interlock.edits.sentences import sentence_of
from interlock.edits.table import ANSWERS
from interlock.engine.ledger import operations
from interlock.engine.store import (
    ConnectionRow,
    MapChange,
    all_connections,
    budget_calls,
    budget_waits,
    connections,
    counts,
    deliveries,
    heartbeats,
    map_history,
    one_connection,
    polls,
    unreadable,
)
from interlock.imports.store import sku_mappings
from interlock.marketplaces.profile import profile_of
from interlock.marketplaces.store import observations_of
from interlock.orders.agreement import (
    agreed_quantities,
    fulfilled_quantities,
    mirakl_line_id_of,
    ordered_of,
    shopify_quantities,
    unlinked,
)
from interlock.orders.capability import Capability
from interlock.orders.codec import decode
from interlock.orders.connection import ConnectionRules
from interlock.orders.memory import Memory
from interlock.orders.money import Money
from interlock.orders.plan import Plan
from interlock.orders.snapshots import DEAD, GONE_OUT, ShopifyOrder
from interlock.orders.store import find_orders, fulfillment_orders, orders, plans, timeline
from interlock.orders.view import View
from interlock.quarantine.store import latest as latest_quarantine
from interlock.shipping.carriers import suggestions
from interlock.shipping.store import carrier_mappings
from interlock.wiring import rules_of

STALE_AFTER = timedelta(minutes=5)
STALE_POLLS = 3
SHORTEST_TRACKING = 4
LISTED = 50

_SEVERITY_ORDER = case({"urgent": 0, "today": 1}, value=cases.c.severity, else_=2)


# -- orders in a list --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OrderInList:
    """One order as a row of a list. `due_at` is the end of the acceptance window while it still runs."""

    id: int
    connection: str
    mirakl_order_id: str
    commercial_id: str
    shopify_name: str
    created_at: datetime
    mirakl_state: str
    standing: Standing
    due_at: datetime | None
    open_cases: int
    urgent_cases: int
    held: bool
    waits_since: datetime | None


@dataclass(frozen=True, slots=True)
class Today:
    """The figures above the list of orders."""

    orders: int
    new_today: int
    held: int
    to_accept: int
    open_cases: int
    urgent_cases: int
    shipped_today: int


def latest_orders(c: Connection, limit: int = LISTED) -> list[OrderInList]:
    """The newest orders, with those that have an urgent case first."""
    return _listed(c, None, limit)


def found_orders(c: Connection, number: str, limit: int = LISTED) -> list[OrderInList]:
    """Orders that carry this number anywhere: Mirakl, checkout or Shopify number, fulfillment order, tracking number."""
    ids = find_orders(c, number, limit)
    ids += [i for i in _by_fulfillment_order(c, number) if i not in ids]
    ids += [i for i in _by_tracking(c, number, limit) if i not in ids]
    rows = {row.id: row for row in _listed(c, ids, limit)} if ids else {}
    return [rows[i] for i in ids if i in rows]


def one_order_id(c: Connection, number: str) -> int | None:
    """The one order a person means by this number or row id; None when there is none or more than one."""
    found = found_orders(c, number, 3)
    exact = [
        o
        for o in found
        if number.strip() in (o.mirakl_order_id, o.shopify_name, o.shopify_name.removeprefix("#"))
    ]
    chosen = exact or found
    return chosen[0].id if len(chosen) == 1 else None


def _by_fulfillment_order(c: Connection, number: str) -> list[int]:
    wanted = number.strip()
    rows = c.execute(
        select(fulfillment_orders.c.order_id).where(
            fulfillment_orders.c.fulfillment_order_id.in_(
                [wanted, f"gid://shopify/FulfillmentOrder/{wanted}"]
            )
        )
    )
    return [int(row.order_id) for row in rows]


def _by_tracking(c: Connection, number: str, limit: int) -> list[int]:
    wanted = number.strip()
    if len(wanted) < SHORTEST_TRACKING:
        return []
    numbers = cast(literal("$.shopify.fulfillments[*].tracking_number ? (@ == $number)"), JSONPATH)
    variables = func.jsonb_build_object("number", cast(literal(wanted), String))
    in_shopify = func.jsonb_path_exists(orders.c.last_view, numbers, variables)
    at_marketplace = orders.c.last_view["mirakl"]["tracking_number"].astext == wanted
    rows = c.execute(
        select(orders.c.id).where(or_(at_marketplace, in_shopify)).order_by(orders.c.id.desc()).limit(limit)
    )
    return [int(row.id) for row in rows]


def _listed(c: Connection, ids: list[int] | None, limit: int) -> list[OrderInList]:
    open_cases = (
        select(
            cases.c.order_id,
            func.count().label("open_cases"),
            func.count().filter(cases.c.severity == "urgent").label("urgent_cases"),
        )
        .where(cases.c.closed_at.is_(None), cases.c.order_id.is_not(None))
        .group_by(cases.c.order_id)
        .subquery()
    )
    urgent = func.coalesce(open_cases.c.urgent_cases, 0)
    query = (
        select(
            orders.c.id,
            orders.c.mirakl_order_id,
            orders.c.commercial_id,
            orders.c.shopify_name,
            orders.c.created_at,
            orders.c.mirakl_state,
            orders.c.acceptance_due_at,
            orders.c.memory,
            orders.c.hints,
            orders.c.handled,
            orders.c.hinted_at,
            connections.c.name.label("connection"),
            func.coalesce(open_cases.c.open_cases, 0).label("open_cases"),
            urgent.label("urgent_cases"),
        )
        .join(connections, connections.c.id == orders.c.connection_id)
        .outerjoin(open_cases, open_cases.c.order_id == orders.c.id)
        .order_by((urgent > 0).desc(), orders.c.id.desc())
        .limit(limit)
    )
    if ids is not None:
        query = query.where(orders.c.id.in_(ids))
    return [_in_list(row) for row in c.execute(query)]


def _in_list(row: Any) -> OrderInList:
    memory = decode(Memory, row.memory)
    waiting = row.mirakl_state == "WAITING_ACCEPTANCE"
    return OrderInList(
        id=row.id,
        connection=row.connection,
        mirakl_order_id=row.mirakl_order_id,
        commercial_id=row.commercial_id,
        shopify_name=row.shopify_name or "",
        created_at=row.created_at,
        mirakl_state=row.mirakl_state or "",
        standing=standing_of(
            memory, row.mirakl_state, row.open_cases > 0, memory.disagreeing_since is not None
        ),
        due_at=row.acceptance_due_at if waiting else None,
        open_cases=int(row.open_cases),
        urgent_cases=int(row.urgent_cases),
        held=bool(memory.held),
        waits_since=row.hinted_at if row.hints > row.handled else None,
    )


def today(c: Connection, now: datetime) -> Today:
    """The figures of the day, which begins at midnight UTC."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    state = orders.c.mirakl_state
    held = func.jsonb_array_length(func.coalesce(orders.c.memory["held"], func.jsonb_build_array())) > 0
    row = c.execute(
        select(
            func.count().label("orders"),
            func.count().filter(orders.c.created_at >= midnight).label("new_today"),
            func.count().filter(held, or_(state.is_(None), state.not_in((*GONE_OUT, *DEAD)))).label("held"),
            func.count().filter(state == "WAITING_ACCEPTANCE").label("to_accept"),
            func.count()
            .filter(state.in_(GONE_OUT), orders.c.mirakl_seen_at >= midnight)
            .label("shipped_today"),
        ).select_from(orders)
    ).one()
    open_ones = c.execute(
        select(func.count(), func.count().filter(cases.c.severity == "urgent")).where(
            cases.c.closed_at.is_(None)
        )
    ).one()
    return Today(
        orders=int(row.orders),
        new_today=int(row.new_today),
        held=int(row.held),
        to_accept=int(row.to_accept),
        shipped_today=int(row.shipped_today),
        open_cases=int(open_ones[0]),
        urgent_cases=int(open_ones[1]),
    )


# -- one order ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineSides:
    """One line as the three sides see it. None where a side does not show the line. `note` says what is odd.
    `line_id` names the line to the edit desk: its Mirakl line id, or its Shopify line id where nothing was sold."""

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
class CaseRow:
    """One case, with the order or connection it belongs to. `answered_by` is who has answered and is not yet heard."""

    id: int
    order_id: int | None
    connection_id: int | None
    connection: str
    order_name: str
    kind: str
    reason: str
    title: str
    subject: str
    owner: str
    severity: str
    sentence: str
    options: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    due_at: datetime | None
    opened_at: datetime
    closed_at: datetime | None
    closed_because: str
    answered_by: str


@dataclass(frozen=True, slots=True)
class OrderPage:
    """All that the page of one order shows. `seen` is None before the first look at it."""

    id: int
    connection_id: int
    connection: str
    live: bool
    mirakl_order_id: str
    commercial_id: str
    shopify_order_id: str
    shopify_name: str
    shopify_admin_url: str
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
    closed_cases: tuple[CaseRow, ...]
    operations: tuple[OperationRow, ...]
    story: tuple[tuple[datetime, str, str], ...]
    seen: View | None
    memory: Memory
    plan: Plan | None


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
    found = () if seen is None else differences(seen, memory)
    currency = seen.mirakl.currency if seen is not None and seen.mirakl is not None else ""
    differs = tuple(sentence_of(difference, currency) for difference in found)
    shopify = None if seen is None else seen.shopify
    return OrderPage(
        id=row.id,
        connection_id=connection.id,
        connection=connection.name,
        live=connection.live,
        mirakl_order_id=row.mirakl_order_id,
        commercial_id=row.commercial_id,
        shopify_order_id=row.shopify_order_id or "",
        shopify_name=row.shopify_name or "",
        shopify_admin_url=_admin_url(connection.shopify_shop, row.shopify_order_id or ""),
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
            memory, row.mirakl_state, bool(open_ones), bool(differs) or memory.disagreeing_since is not None
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
        closed_cases=tuple(one for one in everything if one.closed_at is not None),
        operations=_operations(c, order_id),
        story=_story(c, order_id),
        seen=seen,
        memory=memory,
        plan=plan,
    )


def _admin_url(shop: str, shopify_order_id: str) -> str:
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


def _lines(seen: View | None, memory: Memory) -> tuple[LineSides, ...]:
    """Every Mirakl line with its Shopify units beside it, then Shopify lines that stand for nothing sold."""
    if seen is None:
        return ()
    mirakl, shopify = seen.mirakl, seen.shopify
    shown = {} if shopify is None else dict(shopify_quantities(shopify, memory))
    shipped = {} if shopify is None else dict(fulfilled_quantities(shopify, memory))
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
                    agrees=there is None or max(there, shipped.get(line.id, 0)) == agreed[line.id],
                    note="",
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


# -- cases -------------------------------------------------------------------------------------------------


def case_queue(c: Connection, limit: int = 200) -> list[CaseRow]:
    """Open cases in the order in which they do damage: by due time, then severity, then age."""
    return case_rows(c, cases.c.closed_at.is_(None), limit=limit)


def one_case(c: Connection, case_id: int) -> CaseRow | None:
    """One case by its number, open or closed."""
    found = case_rows(c, cases.c.id == case_id)
    return found[0] if found else None


def case_rows(c: Connection, condition: Any, limit: int = 500) -> list[CaseRow]:
    """Cases that meet a condition, soonest due first."""
    waiting = (
        select(answers.c.who)
        .where(
            answers.c.order_id == cases.c.order_id,
            answers.c.reason == cases.c.reason,
            answers.c.subject == cases.c.subject,
            answers.c.taken_at.is_(None),
        )
        .order_by(answers.c.id)
        .limit(1)
        .scalar_subquery()
    )
    rows = c.execute(
        select(
            cases,
            connections.c.name.label("connection"),
            orders.c.mirakl_order_id,
            orders.c.shopify_name,
            waiting.label("answered_by"),
        )
        .outerjoin(orders, orders.c.id == cases.c.order_id)
        .outerjoin(connections, connections.c.id == cases.c.connection_id)
        .where(condition)
        .order_by(cases.c.due_at.asc().nulls_last(), _SEVERITY_ORDER, cases.c.opened_at, cases.c.id)
        .limit(limit)
    )
    return [
        CaseRow(
            id=row.id,
            order_id=row.order_id,
            connection_id=row.connection_id,
            connection=row.connection or "",
            order_name=row.shopify_name or row.mirakl_order_id or "",
            kind=row.kind,
            reason=row.reason,
            title=wording.reason_title(row.reason),
            subject=row.subject,
            owner=row.owner,
            severity=row.severity,
            sentence=row.sentence,
            options=tuple(row.options),
            facts=tuple((str(name), str(value)) for name, value in row.facts),
            due_at=row.due_at,
            opened_at=row.opened_at,
            closed_at=row.closed_at,
            closed_because=row.closed_because or "",
            answered_by=row.answered_by or "",
        )
        for row in rows
    ]


# -- connections and maps ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProfileLine:
    """One entry of a connection's capability profile; `age` and `remark` in words."""

    name: str
    value: str
    source: str
    verified: bool
    at: datetime | None
    age: str
    remark: str


@dataclass(frozen=True, slots=True)
class ProfileView:
    """What a connection's marketplace allows, what becomes of edits there, and how much of it needs nobody."""

    entries: tuple[ProfileLine, ...]
    forecasts: tuple[EditForecast, ...]
    share: str


@dataclass(frozen=True, slots=True)
class ConnectionCard:
    """One connection as its card shows it: its policies with what each of them means."""

    id: int
    name: str
    live: bool
    marketplace: str
    shop: str
    policies: tuple[tuple[str, str, str], ...]
    profile: ProfileView
    services: str
    orders: int
    open_cases: int
    carriers_mapped: int
    carriers_known: int
    skus_mapped: int


@dataclass(frozen=True, slots=True)
class CarrierDesk:
    """The carrier map of a connection, what the marketplace takes, and what waits for a mapping."""

    connection: str
    connection_id: int
    mappings: tuple[tuple[str, str, str, str, datetime], ...]
    registered: tuple[tuple[str, str], ...]
    unregistered_allowed: bool
    wanted: tuple[tuple[str, int, tuple[str, ...]], ...]
    history: tuple[MapChange, ...] = ()


@dataclass(frozen=True, slots=True)
class SkuDesk:
    """The SKU map of a connection, and the SKUs that wait for a mapping with how many orders."""

    connection: str
    connection_id: int
    mappings: tuple[tuple[str, str, str, datetime], ...]
    wanted: tuple[tuple[str, int], ...]
    history: tuple[MapChange, ...] = ()


def connection_named(c: Connection, name: str) -> ConnectionRow | None:
    """The connection of that name or row id."""
    for row in all_connections(c):
        if row.name == name or str(row.id) == name:
            return row
    return None


def connection_cards(c: Connection, now: datetime) -> list[ConnectionCard]:
    """Every connection, in the order they were made. Ages are counted to `now`."""
    return [_card(c, row, now) for row in all_connections(c)]


def _card(c: Connection, row: ConnectionRow, now: datetime) -> ConnectionCard:
    def number(table: Any, *conditions: Any) -> int:
        query = select(func.count()).select_from(table).where(table.c.connection_id == row.id, *conditions)
        return int(c.execute(query).scalar_one())

    return ConnectionCard(
        id=row.id,
        name=row.name,
        live=row.live,
        marketplace=row.mirakl_origin,
        shop=row.shopify_shop,
        policies=policies_of(row),
        profile=profile_view(c, row, now),
        services=services_in_words(row),
        orders=number(orders),
        open_cases=number(cases, cases.c.closed_at.is_(None)),
        carriers_mapped=number(carrier_mappings),
        carriers_known=len(rules_of(row, ()).carriers),
        skus_mapped=number(sku_mappings),
    )


def profile_view(c: Connection, row: ConnectionRow, now: datetime) -> ProfileView:
    """The capability profile of a connection with source and age of each entry."""
    capability = None if row.capability is None else decode(Capability, row.capability)
    entries = profile_of(
        row.rules,
        row.rules_changed_at or row.created_at,
        timedelta(seconds=row.poll_seconds),
        capability,
        row.capability_read_at,
        observations_of(c, row.id),
    )
    lines = tuple(
        ProfileLine(
            entry.name,
            entry.value,
            entry.source,
            entry.verified,
            entry.at,
            "unknown" if entry.at is None else wording.span(now - entry.at),
            "; ".join(part for part in ("" if entry.verified else "unverified", entry.note) if part),
        )
        for entry in entries
    )
    forecasts = forecast(rules_of(row, ()), capability)
    return ProfileView(lines, forecasts, share_in_words(forecasts))


def services_in_words(row: ConnectionRow) -> str:
    """Where labels come from that nobody can stop once the place has the parcel."""
    if row.services_read_at is None:
        return "Which places of the shop are fulfilment services has not been read yet."
    if not row.services:
        return "Every place the shop ships from is its own: a hold stops every label."
    return (
        f"Labels nobody can stop: {', '.join(row.services)}. A fulfilment service that has a parcel already is asked to "
        "stop and may refuse; a hold only keeps it from being asked to ship. An edit window keeps parcels here meanwhile."
    )


def policies_of(row: ConnectionRow) -> tuple[tuple[str, str, str], ...]:
    """The connection's settings: name, value, and what the value means for the people who work with it."""
    rules = row.rules
    draft = rules.import_route == "draft"
    window = rules.acceptance_window
    return (
        (
            "import route",
            rules.import_route,
            "Staff and editing apps can edit the order; Shopify computes tax, the marketplace's exact taxes are kept "
            "beside it."
            if draft
            else "The order carries the marketplace's exact taxes, but only Interlock can edit it.",
        ),
        (
            "payment lock",
            "not used" if draft else ("on" if rules.payment_lock else "off"),
            "Orders of the draft route are paid from the start; the hold alone keeps the parcel."
            if draft
            else (
                "The order stays unpaid until the first release, a second lock beside the hold."
                if rules.payment_lock
                else "The order is paid from the start; the hold alone keeps the parcel."
            ),
        ),
        (
            "quiet period",
            wording.span(rules.quiet_period),
            "Nothing irreversible is sent to the marketplace until the last edit is this old.",
        ),
        (
            "lineage wait",
            wording.span(rules.lineage_wait),
            "A cancelation in Shopify waits this long for a replacement order before it is carried over.",
        ),
        (
            "edit window",
            "none" if rules.edit_window is None else wording.span(rules.edit_window),
            "Orders are released as soon as both sides agree."
            if rules.edit_window is None
            else "Every order stays held this long after its import, so that staff can edit it.",
        ),
        (
            "label check",
            wording.span(rules.label_max_age),
            "A label printer that asks hears yes only on a look at Shopify this young; an older one is taken anew.",
        ),
        (
            "service wait",
            wording.span(rules.service_wait),
            "A fulfilment service that was asked to stop a parcel has this long to answer before it is an urgent case.",
        ),
        (
            "acceptance window",
            "not set" if window is None else wording.span(window),
            "Without it the connection cannot go live: no field of the marketplace says it."
            if window is None
            else "An order not accepted within it is cancelled by the marketplace.",
        ),
        (
            "partial acceptance",
            "allowed" if rules.partial_acceptance else "not allowed",
            "Lines can be refused one by one."
            if rules.partial_acceptance
            else "An order is taken whole or not at all.",
        ),
        (
            "partial cancelation",
            "allowed" if rules.partial_cancelation else "not allowed",
            "Single units and lines can be cancelled before debit (OR30)."
            if rules.partial_cancelation
            else "Before debit only whole orders can be cancelled; a smaller edit becomes a case.",
        ),
        (
            "cancelation reason",
            rules.cancelation_reason or "not set",
            "The code that cancelations give to the marketplace and the customer."
            if rules.cancelation_reason
            else "Without it no cancelation can be sent; every reduction becomes a case.",
        ),
        *_refund_policies(rules),
        (
            "mirror marketplace changes",
            "on" if rules.mirror_marketplace_changes else "off",
            "What the marketplace cancels of an order is taken out of the Shopify order, where our app may edit it."
            if rules.mirror_marketplace_changes
            else "What the marketplace cancels of an order is a case: a person takes it out of the Shopify order.",
        ),
        (
            "price tolerance",
            "none" if rules.price_tolerance is None else f"{rules.price_tolerance} %",
            "Nobody is asked, whatever price an order was sold at."
            if rules.price_tolerance is None
            else "An order sold at a price further from the shop's is accepted only when a person says so.",
        ),
        (
            "poll interval",
            f"{row.poll_seconds} s",
            "How often the marketplace is asked for changes, besides "
            f"{row.event_reads_per_minute} reads by number a minute.",
        ),
    )


def _refund_policies(rules: ConnectionRules) -> tuple[tuple[str, str, str], ...]:
    how = {
        "task": "A reduction after the customer has paid becomes a task: a person refunds it in the portal.",
        "approve": "A reduction after the customer has paid is refunded by Interlock once a person has approved it.",
        "automatic": "A reduction after the customer has paid is refunded by Interlock by itself, up to the cap.",
    }
    policies: list[tuple[str, str, str]] = [
        ("reduction after debit", rules.reduction_after_debit, how[rules.reduction_after_debit])
    ]
    if rules.reduction_after_debit != "task":
        policies += [
            (
                "refund limit",
                "none" if rules.refund_limit is None else str(rules.refund_limit),
                "One approval is enough for any refund."
                if rules.refund_limit is None
                else "Above it two different people have to approve a refund.",
            ),
            (
                "refund cap",
                "none" if rules.refund_cap is None else str(rules.refund_cap),
                "The largest refund that is made without approval, where refunds are automatic.",
            ),
            (
                "refund reason",
                rules.refund_reason or "not set",
                "The code that refunds give to the marketplace and the customer.",
            ),
        ]
    return (
        *policies,
        (
            "refund in Shopify",
            "always a task",
            "Money refunded in Shopify is refunded at the marketplace by a person, whatever the other settings say.",
        ),
        (
            "taxes that are sent",
            "all" if rules.proportional_taxes else "only those the marketplace cannot compute",
            "Cancelations and refunds name every tax with its share."
            if rules.proportional_taxes
            else "Taxes proportional to the amount are left to the marketplace.",
        ),
    )


def carrier_desk(c: Connection, row: ConnectionRow) -> CarrierDesk:
    """The carrier map as people keep it."""
    rules = rules_of(row, ())
    mapped = c.execute(
        select(carrier_mappings)
        .where(carrier_mappings.c.connection_id == row.id)
        .order_by(carrier_mappings.c.shop_name)
    )
    return CarrierDesk(
        connection=row.name,
        connection_id=row.id,
        mappings=tuple((m.shop_name, m.code, m.name, m.changed_by, m.changed_at) for m in mapped),
        registered=tuple((carrier.code, carrier.label) for carrier in rules.carriers),
        unregistered_allowed=rules.unregistered_carriers,
        wanted=tuple(
            (name, number, tuple(carrier.code for carrier in suggestions(rules, name)))
            for name, number in _wanted(c, row.id, "carrier_unknown")
        ),
        history=map_history(c, row.id, "carriers"),
    )


def sku_desk(c: Connection, row: ConnectionRow) -> SkuDesk:
    """The SKU map as people keep it."""
    mapped = c.execute(
        select(sku_mappings).where(sku_mappings.c.connection_id == row.id).order_by(sku_mappings.c.mirakl_sku)
    )
    return SkuDesk(
        connection=row.name,
        connection_id=row.id,
        mappings=tuple((m.mirakl_sku, m.shop_sku, m.changed_by, m.changed_at) for m in mapped),
        wanted=tuple(_wanted(c, row.id, "sku_unknown")),
        history=map_history(c, row.id, "skus"),
    )


def _wanted(c: Connection, connection_id: int, reason: str) -> list[tuple[str, int]]:
    number = func.count().label("number")
    rows = c.execute(
        select(cases.c.subject, number)
        .where(cases.c.connection_id == connection_id, cases.c.reason == reason, cases.c.closed_at.is_(None))
        .group_by(cases.c.subject)
        .order_by(number.desc(), cases.c.subject)
    )
    return [(row.subject, int(row.number)) for row in rows]


# -- health ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pulse:
    """A part of the service that beats. `stale` when it was silent for longer than it may be."""

    name: str
    at: datetime | None
    detail: str
    stale: bool


@dataclass(frozen=True, slots=True)
class WindowEnding:
    """An order whose acceptance window is running out."""

    order_id: int
    mirakl_order_id: str
    connection: str
    due_at: datetime
    gone: float


@dataclass(frozen=True, slots=True)
class Health:
    """How the service is. `problems` are sentences; empty means that nothing is wrong."""

    at: datetime
    problems: tuple[str, ...]
    pulses: tuple[Pulse, ...]
    polls: tuple[Pulse, ...]
    backlog: tuple[tuple[str, int], ...]
    waiting: int
    oldest_hint_at: datetime | None
    due_looks: int
    leased: int
    operations: tuple[tuple[str, int], ...]
    budgets: tuple[tuple[str, str, int, datetime | None], ...]
    windows: tuple[WindowEnding, ...]
    counts: tuple[tuple[str, str, int], ...]
    open_cases: tuple[tuple[str, int], ...]
    unresolved_deliveries: int
    unreadable: int

    @property
    def ok(self) -> bool:
        return not self.problems


def health(c: Connection, now: datetime) -> Health:
    """The state of the whole service, from the database alone."""
    pulses = tuple(
        Pulse(row.name, row.at, row.detail, now - row.at > STALE_AFTER)
        for row in c.execute(select(heartbeats).order_by(heartbeats.c.name))
    )
    intervals = {row.mirakl_account: row.poll_seconds for row in all_connections(c)}
    asked = tuple(_poll_pulse(row, now, intervals) for row in c.execute(select(polls).order_by(polls.c.name)))
    backlog = c.execute(
        select(orders.c.lane, func.count())
        .where(orders.c.hints > orders.c.handled)
        .group_by(orders.c.lane)
        .order_by(orders.c.lane)
    )
    lanes = tuple((row[0], int(row[1])) for row in backlog)
    oldest = c.execute(
        select(func.min(orders.c.hinted_at)).where(orders.c.hints > orders.c.handled)
    ).scalar_one()
    looks = c.execute(
        select(
            func.count().filter(orders.c.next_look_at <= now),
            func.count().filter(orders.c.lease_until > now),
        ).select_from(orders)
    ).one()
    windows = _windows(c, now)
    open_cases = _grouped(c, cases.c.severity, cases.c.closed_at.is_(None))
    result = Health(
        at=now,
        problems=(),
        pulses=pulses,
        polls=asked,
        backlog=lanes,
        waiting=sum(number for _, number in lanes),
        oldest_hint_at=oldest,
        due_looks=int(looks[0]),
        leased=int(looks[1]),
        operations=_grouped(
            c, operations.c.state, and_(operations.c.done_at.is_(None), operations.c.state != "CONFIRMED")
        ),
        budgets=_budgets(c, now),
        windows=windows,
        counts=tuple((name, label, number) for (name, label), number in counts(c).items()),
        open_cases=open_cases,
        unresolved_deliveries=_number(c, deliveries, deliveries.c.resolved_at.is_(None)),
        unreadable=_number(c, unreadable),
    )
    held = latest_quarantine(c)
    if held is not None and held.open:
        said = f"In quarantine since {wording.stamp(held.began_at)}: nothing is written to any platform. {held.because}"
        result = replace(result, problems=(said,))
    return _with_problems(result, now)


def _with_problems(health: Health, now: datetime) -> Health:
    problems = list(health.problems)
    problems += [
        f"{pulse.name} was last heard {wording.ago(pulse.at, now)}." for pulse in health.pulses if pulse.stale
    ]
    problems += [
        f"{pulse.name} was last read {wording.ago(pulse.at, now)}."
        if pulse.at
        else f"{pulse.name} was never read."
        for pulse in health.polls
        if pulse.stale
    ]
    if not health.pulses:
        problems.append(
            "No worker has ever been heard: start one with `interlock serve` or `interlock worker`."
        )
    if health.oldest_hint_at is not None and now - health.oldest_hint_at > STALE_AFTER:
        problems.append(f"The oldest hint waits for {wording.span(now - health.oldest_hint_at)}.")
    ending = [window for window in health.windows if window.gone >= 0.6]
    if ending:
        problems.append(f"{len(ending)} acceptance window(s) are more than 60 % over.")
    return replace(health, problems=tuple(problems))


def _poll_pulse(row: Row[Any], now: datetime, intervals: dict[str, int]) -> Pulse:
    seconds = intervals.get(row.name)
    allowed = STALE_AFTER * 2 if seconds is None else timedelta(seconds=max(seconds * STALE_POLLS, 60))
    parts = [f"{row.ticks} walks"]
    if row.owner:
        parts.append(f"led by {row.owner}")
    if row.next_at is not None:
        parts.append(f"next {wording.clock(row.next_at, now)}")
    if row.event_reads_off_until is not None and row.event_reads_off_until > now:
        parts.append(f"reads by number off until {wording.clock(row.event_reads_off_until, now)}")
    return Pulse(
        row.name, row.last_ok_at, ", ".join(parts), row.last_ok_at is None or now - row.last_ok_at > allowed
    )


def _windows(c: Connection, now: datetime) -> tuple[WindowEnding, ...]:
    rows = c.execute(
        select(
            orders.c.id,
            orders.c.mirakl_order_id,
            orders.c.acceptance_due_at,
            orders.c.connection_id,
        )
        .where(orders.c.mirakl_state == "WAITING_ACCEPTANCE", orders.c.acceptance_due_at.is_not(None))
        .order_by(orders.c.acceptance_due_at, orders.c.id)
        .limit(20)
    ).all()
    by_id = {row.id: row for row in all_connections(c)} if rows else {}
    found = []
    for row in rows:
        connection = by_id[row.connection_id]
        window = connection.rules.acceptance_window
        gone = 0.0 if window is None else 1 - (row.acceptance_due_at - now) / window
        found.append(
            WindowEnding(
                row.id, row.mirakl_order_id, connection.name, row.acceptance_due_at, min(max(gone, 0.0), 1.0)
            )
        )
    return tuple(found)


def _budgets(c: Connection, now: datetime) -> tuple[tuple[str, str, int, datetime | None], ...]:
    """Calls of the last minute per account and operation, and pauses a platform asked for."""
    used = c.execute(
        select(budget_calls.c.account, budget_calls.c.operation, func.count())
        .where(budget_calls.c.at > now - timedelta(minutes=1))
        .group_by(budget_calls.c.account, budget_calls.c.operation)
    )
    both: dict[tuple[str, str], tuple[int, datetime | None]] = {(a, o): (int(n), None) for a, o, n in used}
    for row in c.execute(select(budget_waits).where(budget_waits.c.until > now)):
        calls = both.get((row.account, row.operation), (0, None))[0]
        both[(row.account, row.operation)] = (calls, row.until)
    return tuple((a, o, n, until) for (a, o), (n, until) in sorted(both.items()))


def _grouped(c: Connection, column: Any, condition: Any) -> tuple[tuple[str, int], ...]:
    rows = c.execute(select(column, func.count()).where(condition).group_by(column).order_by(column))
    return tuple((row[0], int(row[1])) for row in rows)


def _number(c: Connection, table: Any, *conditions: Any) -> int:
    return int(c.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one())
