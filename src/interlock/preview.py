"""What would happen if an order were edited: the real rules, asked about the order as the edit would leave it.

Nothing is sent and nothing is remembered. Two things are taken as given, because they are what the rules would wait for
next: nobody edits any further, and the marketplace has just been read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from interlock.decide import decide
from interlock.desk.requests import RequestRefused, as_edited, both_sides, check, version_of
from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    CancelMiraklOrder,
    CancelQuantities,
    CreateShipment,
    DeleteShipment,
    LineCancelation,
    LineRefund,
    RefundLines,
    SendMessage,
    SetSellerReference,
    SetTracking,
    ShipOrder,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.agreement import (
    agreed_quantities,
    fulfilled_quantities,
    mirakl_line_id_of,
    ordered_of,
    shopify_quantities,
    standing_quantities,
)
from interlock.orders.connection import Flow
from interlock.orders.hold_words import speaks_of_the_hold
from interlock.orders.memory import DeskEdit, Memory, OrderedLine, RefundDue
from interlock.orders.money import cumulative_share, rounded
from interlock.orders.pauses import WHAT_WAITS, flow_of, paused_is
from interlock.orders.plan import Case, Plan
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.refund_tasks import is_open, taken_so_far
from interlock.orders.shares import portion_of, total_of
from interlock.orders.snapshots import Fee, MiraklLine, MiraklOrder, Reduction, ShopifyOrder, Tax
from interlock.orders.view import RefundMade, View

ZERO = Decimal(0)
NO_TIME = timedelta(0)
SETTLES_WITHIN = 4
BLOCKING = (Reason.EDIT_CANNOT_BE_EXPRESSED, Reason.REDUCTION_NOT_ALLOWED)


@dataclass(frozen=True, slots=True)
class LinePreview:
    """One line now and after the edit: units in Shopify and agreed units. `agreed_then` is what the marketplace
    agrees to once it has confirmed the calls. `agrees` says whether the sides agree on the line after the edit: units that
    left and were refunded since count, although Shopify shows them no more. Ids are empty where a side has no such line."""

    mirakl_line_id: str
    shopify_line_ids: tuple[str, ...]
    sku: str
    title: str
    shopify_now: int
    shopify_then: int
    agreed_now: int
    agreed_then: int
    shipped: int
    agrees: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """The money of some units of one line, in the order's tax mode and currency. `customer` is what the customer gets
    back, fees included; `commission` what the marketplace is expected to give back of its commission, taxes included."""

    mirakl_line_id: str
    sku: str
    quantity: int
    amount: Decimal
    shipping_amount: Decimal
    taxes: tuple[Tax, ...]
    shipping_taxes: tuple[Tax, ...]
    fees: tuple[Fee, ...]
    customer: Decimal
    commission: Decimal


@dataclass(frozen=True, slots=True)
class CallPreview:
    """A call to the marketplace that would follow by itself. `operation` is Mirakl's code."""

    operation: str
    action: str
    sentence: str
    lines: tuple[Figures, ...]


@dataclass(frozen=True, slots=True)
class CasePreview:
    """A case or task that would open for a person."""

    reason: str
    title: str
    kind: str
    owner: str
    sentence: str
    options: tuple[str, ...]
    lines: tuple[Figures, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What the edit would do. `version` belongs into the request that asks for the edit. `impossible` is what the
    marketplace cannot take, `waits` what happens only later and on what, `refused` why the desk would not do it (empty when
    it would). `choices` are the answers that may be given with an edit the marketplace cannot take.
    `parcel` is `may leave`, `may leave once the marketplace confirms`, or `stays held`. `refund_total` and
    `commission_total` add up every call and task."""

    order: str
    kind: str
    version: str
    shopify_seen_at: datetime | None
    mirakl_seen_at: datetime | None
    mirakl_state: str
    currency: str
    tax_mode: str
    lines: tuple[LinePreview, ...]
    calls: tuple[CallPreview, ...]
    cases: tuple[CasePreview, ...]
    closes: tuple[str, ...]
    impossible: tuple[str, ...]
    choices: tuple[str, ...]
    waits: tuple[str, ...]
    because: tuple[str, ...]
    parcel: str
    parcel_sentence: str
    refund_total: Decimal
    commission_total: Decimal
    notes: tuple[str, ...]
    refused: str


def preview(view: View, edit: DeskEdit, now: datetime) -> Preview:
    """What this edit would do to the order as `view` shows it. Raises RequestRefused on an order that is closed or not
    there yet."""
    mirakl, shopify = both_sides(view)
    calm = _calm(view, mirakl, shopify, now)
    before = _settled(calm)
    edited = replace(calm, shopify=as_edited(shopify, edit, now))
    if edit.kind == "cancel":
        here = replace(edit, shopify_order_id=shopify.id, taken_at=now, shown_at=now)
        edited = replace(edited, memory=replace(edited.memory, desk_edits=(*edited.memory.desk_edits, here)))
    plan = _settled(edited)
    actions = tuple(a for a in plan.actions if a.platform == "mirakl" and a not in before.actions)
    confirmed = _confirmed(mirakl, plan.memory, actions)
    after = _settled(
        replace(
            edited,
            mirakl=confirmed,
            memory=plan.memory,
            operations=(),
            refunds_made=(*edited.refunds_made, *_refunded(actions, now)),
        )
    )
    known = {(case.reason, case.subject) for case in before.cases}
    opened = tuple(case for case in plan.cases if (case.reason, case.subject) not in known)
    calls = tuple(c for c in (_call(a, mirakl, plan.memory) for a in actions) if c is not None)
    cases = tuple(_case(case, mirakl, plan.memory) for case in opened)
    # An edit that only has to wait asks nothing of anybody.
    to_do = [case for case in opened if case.reason is not Reason.EDIT_WAITING]
    still = {(case.reason, case.subject) for case in plan.cases}
    blocking = tuple(case for case in opened if case.reason in BLOCKING)
    said = tuple(one for one in plan.because if not speaks_of_the_hold(one))
    because = tuple(one for one in said if one not in before.because)
    figures = [
        *(figure for call in calls for figure in call.lines),
        *(figure for case in cases for figure in case.lines),
    ]
    parcel, sentence = _parcel(plan, after, bool(calls), edit)
    return Preview(
        order=view.order_id,
        kind=edit.kind,
        version=version_of(view),
        shopify_seen_at=shopify.observed_at,
        mirakl_seen_at=mirakl.observed_at,
        mirakl_state=mirakl.state,
        currency=mirakl.currency,
        tax_mode=mirakl.tax_mode,
        lines=_lines(view, edited, after.memory, confirmed),
        calls=calls,
        cases=cases,
        closes=tuple(
            CATALOGUE[case.reason].title for case in before.cases if (case.reason, case.subject) not in still
        ),
        impossible=tuple(case.sentence for case in blocking),
        choices=tuple(
            dict.fromkeys(o.value for case in blocking for o in case.options if o in MAY_COME_ALONG)
        ),
        # An order that may take this one's place keeps the edit waiting like all before it.
        waits=() if calls or to_do or _agree(plan, edited) else said if plan.memory.candidates else because,
        because=because,
        parcel=parcel,
        parcel_sentence=sentence,
        refund_total=sum((figure.customer for figure in figures), ZERO),
        commission_total=sum((figure.commission for figure in figures), ZERO),
        notes=(*_pause_notes(view, now, actions, parcel), *_notes(edit, shopify, view.memory)),
        refused=_refusal(view, edit, blocking),
    )


MAY_COME_ALONG = (
    Option.SHIP_AS_EDITED,
    Option.DONE_IN_PORTAL,
    Option.CANCEL_AT_MARKETPLACE,
)
"""Answers that may be given with an edit the marketplace cannot take. Undoing it would make no sense."""


def check_edit(view: View, edit: DeskEdit, now: datetime) -> Preview:
    """The preview of an edit the desk may begin. Raises RequestRefused, naming the field, when it may not: a stale
    version, a closed order, or what the marketplace cannot take without a legal answer that comes along."""
    check(view, edit)
    found = preview(view, edit, now)
    if edit.decision is not None and edit.decision.value not in found.choices:
        offered = ", ".join(found.choices) or "none"
        raise RequestRefused(
            "option_not_legal",
            "decision",
            f"The answer {edit.decision.value!r} is not possible for this edit; possible are: {offered}.",
        )
    if found.refused:
        raise RequestRefused("not_possible", "edit", found.refused)
    return found


# -- asking the rules --------------------------------------------------------------------------------------


def _calm(view: View, mirakl: MiraklOrder, shopify: ShopifyOrder, now: datetime) -> View:
    """The view with no time left to wait for: both sides just read, no quiet period, no wait for a successor. Other orders
    that stand or may stand for the sale hold it as they do."""
    return replace(
        view,
        now=now,
        rules=replace(view.rules, quiet_period=NO_TIME, lineage_wait=NO_TIME),
        mirakl=replace(mirakl, observed_at=now),
        shopify=replace(shopify, observed_at=now),
        requests=(),
        mirakl_written_at=None,
        shopify_unreadable=False,
    )


def _settled(view: View) -> Plan:
    """The plan once the rules have nothing more to note: what is decided on the next look is decided here."""
    plan = decide(view)
    for _ in range(SETTLES_WITHIN):
        if plan.look_at is None or plan.look_at > view.now or plan.memory == view.memory:
            break
        view = replace(view, memory=plan.memory, answers=())
        plan = decide(view)
    return plan


def _agree(plan: Plan, edited: View) -> bool:
    if edited.shopify is None or not edited.shopify.live:
        return False
    shown = dict(shopify_quantities(edited.shopify, plan.memory))
    return plan.memory.disagreeing_since is None and all(
        shown.get(line_id, 0) == units for line_id, units in plan.agreed
    )


def _confirmed(mirakl: MiraklOrder, memory: Memory, actions: tuple[Action, ...]) -> MiraklOrder:
    """The marketplace order once it has confirmed these calls."""
    for action in actions:
        if isinstance(action, CancelMiraklOrder):
            return replace(mirakl, state="CANCELED", can_cancel=False, can_ship=False)
        if isinstance(action, CancelQuantities | RefundLines):
            taken = {part.line_id: _reduction(part) for part in action.lines}
            mirakl = replace(mirakl, lines=tuple(_less(line, taken, action) for line in mirakl.lines))
        if isinstance(action, CancelQuantities):
            gone = sum((line.amount + line.shipping_amount for line in action.lines), ZERO)
            mirakl = replace(mirakl, total_price=mirakl.total_price - gone)
    return mirakl


def _less(
    line: MiraklLine, taken: Mapping[str, Reduction], action: CancelQuantities | RefundLines
) -> MiraklLine:
    """The line with what the call takes from it, if anything."""
    if line.id not in taken:
        return line
    if isinstance(action, CancelQuantities):
        return replace(line, cancelations=(*line.cancelations, taken[line.id]))
    return replace(line, refunds=(*line.refunds, taken[line.id]))


def _refunded(actions: tuple[Action, ...], now: datetime) -> tuple[RefundMade, ...]:
    """Our own refunds among these calls, as they are once the marketplace has confirmed them."""
    return tuple(
        RefundMade(action, now, tuple((line.line_id, f"preview:{line.line_id}") for line in action.lines))
        for action in actions
        if isinstance(action, RefundLines)
    )


def _reduction(line: LineCancelation | LineRefund) -> Reduction:
    return Reduction(
        f"preview:{line.line_id}",
        line.quantity,
        line.amount,
        line.shipping_amount,
        line.taxes,
        line.shipping_taxes,
        "",
        None,
    )


# -- what it comes to --------------------------------------------------------------------------------------


def _lines(view: View, edited: View, memory: Memory, confirmed: MiraklOrder) -> tuple[LinePreview, ...]:
    mirakl, shopify, then = view.mirakl, view.shopify, edited.shopify
    if mirakl is None or shopify is None or then is None:
        return ()
    now_shown, then_shown = (
        dict(shopify_quantities(shopify, view.memory)),
        dict(shopify_quantities(then, memory)),
    )
    agreed_now = dict(agreed_quantities(mirakl, view.memory))
    agreed_then = dict(agreed_quantities(confirmed, memory))
    shipped = dict(fulfilled_quantities(shopify, view.memory))
    standing = dict(standing_quantities(then, memory))
    found = [
        LinePreview(
            ordered.line_id,
            tuple(line.id for line in then.lines if mirakl_line_id_of(line, memory) == ordered.line_id),
            ordered.sku,
            ordered.title,
            now_shown.get(ordered.line_id, 0),
            then_shown.get(ordered.line_id, 0),
            agreed_now[ordered.line_id],
            agreed_then[ordered.line_id],
            shipped.get(ordered.line_id, 0),
            standing.get(ordered.line_id, 0) == agreed_then[ordered.line_id],
        )
        for ordered in ordered_of(mirakl, view.memory)
    ]
    units = {line.id: line.current_quantity for line in shopify.lines}
    for line in then.lines:
        if mirakl_line_id_of(line, memory) in agreed_now:
            continue
        before = units.get(line.id, 0)
        if before or line.current_quantity:
            found.append(
                LinePreview(
                    "",
                    (line.id,),
                    line.sku,
                    line.title,
                    before,
                    line.current_quantity,
                    0,
                    0,
                    line.fulfilled_quantity,
                    line.current_quantity == 0,
                )
            )
    return tuple(found)


def _call(action: Action, mirakl: MiraklOrder, memory: Memory) -> CallPreview | None:
    kind = type(action).__name__
    match action:
        case CancelQuantities(lines):
            figures = tuple(_of_cancelation(line, mirakl, memory) for line in lines)
            what = ", ".join(f"{figure.quantity} of {figure.sku}" for figure in figures)
            return CallPreview("OR30", kind, f"The marketplace is asked to cancel {what}.", figures)
        case CancelMiraklOrder():
            figures = _of_everything(mirakl, memory)
            return CallPreview("OR29", kind, "The whole order is cancelled at the marketplace.", figures)
        case RefundLines(_, lines):
            dues = [
                RefundDue(
                    line.line_id,
                    line.quantity,
                    line.amount,
                    line.shipping_amount,
                    line.taxes,
                    line.shipping_taxes,
                    line.seen_refunds,
                    line.fees,
                )
                for line in lines
            ]
            figures = tuple(_of_due(due, mirakl, memory) for due in dues)
            return CallPreview("OR28", kind, "The marketplace is told to refund the customer.", figures)
        case AnswerAcceptance():
            return CallPreview("OR21", kind, "The acceptance of the order is answered.", ())
        case SendMessage():
            return CallPreview("OR43", kind, "A message goes to the customer.", ())
        case SetTracking():
            return CallPreview("OR23", kind, "The tracking is sent.", ())
        case ShipOrder():
            return CallPreview("OR24", kind, "The marketplace is told that the parcel is on its way.", ())
        case CreateShipment():
            return CallPreview("ST01", kind, "A shipment is made for the parcel.", ())
        case TrackShipment():
            return CallPreview("ST23", kind, "The tracking of a shipment is sent.", ())
        case ValidateShipment():
            return CallPreview("ST24", kind, "The marketplace is told that a parcel is on its way.", ())
        case DeleteShipment():
            return CallPreview("ST06", kind, "A shipment that did not leave is taken back.", ())
        case SetSellerReference():
            return CallPreview("OR04", kind, "Our number is written on the marketplace order.", ())
    return None


def _of_cancelation(line: LineCancelation, mirakl: MiraklOrder, memory: Memory) -> Figures:
    due = RefundDue(
        line.line_id,
        line.quantity,
        line.amount,
        line.shipping_amount,
        line.taxes,
        line.shipping_taxes,
        (),
        line.fees,
    )
    return _of_due(due, mirakl, memory)


def _of_due(due: RefundDue, mirakl: MiraklOrder, memory: Memory) -> Figures:
    line = next(line for line in mirakl.lines if line.id == due.line_id)
    ordered = next(o for o in ordered_of(mirakl, memory) if o.line_id == due.line_id)
    taxes = (*due.taxes, *due.shipping_taxes)
    customer = total_of(due.amount, due.shipping_amount, taxes, mirakl.tax_mode, due.fees)
    return Figures(
        due.line_id,
        ordered.sku,
        due.quantity,
        due.amount,
        due.shipping_amount,
        due.taxes,
        due.shipping_taxes,
        due.fees,
        customer,
        commission_back(line, ordered, due.quantity, mirakl.currency),
    )


def _of_everything(mirakl: MiraklOrder, memory: Memory) -> tuple[Figures, ...]:
    """The money of every unit that is still agreed."""
    agreed = dict(agreed_quantities(mirakl, memory))
    found = []
    for line, ordered in zip(mirakl.lines, ordered_of(mirakl, memory), strict=True):
        units = agreed[line.id]
        if units:
            share = portion_of(ordered, taken_so_far(line, memory), units, mirakl.currency)
            due = RefundDue(
                line.id,
                units,
                share.amount,
                share.shipping_amount,
                share.taxes,
                share.shipping_taxes,
                (),
                share.fees,
            )
            found.append(_of_due(due, mirakl, memory))
    return tuple(found)


def commission_back(line: MiraklLine, ordered: OrderedLine, units: int, currency: str) -> Decimal:
    """The commission that is expected back for `units` units, taxes included. The marketplace's own figure counts.

    Where it has given commission back for units of this line before, the same is expected again for each unit, because
    nobody documents whether `total_commission` shrinks with its cancelations (OR11). Else it is the units' share.
    """
    if units < 1 or ordered.quantity < 1:
        return ZERO
    before = [c for c in line.cancelations if c.quantity > 0]
    gone = sum(c.quantity for c in before)
    if gone:
        given = sum((c.commission for c in before), ZERO)
        return rounded(given * units / gone, currency)
    return cumulative_share(line.commission, min(units, ordered.quantity), ordered.quantity, currency)


def _case(case: Case, mirakl: MiraklOrder, memory: Memory) -> CasePreview:
    page = CATALOGUE[case.reason]
    lines: tuple[Figures, ...] = ()
    if case.reason in (Reason.REFUND_TASK, Reason.REFUND_APPROVAL):
        lines = tuple(
            _of_due(due, mirakl, memory)
            for task in memory.refund_tasks
            if task.subject == case.subject and is_open(task)
            for due in task.lines
        )
    options = tuple(option.value for option in case.options)
    return CasePreview(case.reason.value, page.title, page.kind, page.owner, case.sentence, options, lines)


def _parcel(plan: Plan, after: Plan, calls: bool, edit: DeskEdit) -> tuple[str, str]:
    if edit.kind == "cancel":
        return "stays held", "No parcel leaves: the Shopify order ends."
    if plan.memory.released_at is not None:
        return "may leave", "Both sides agree after the edit: the parcel may leave."
    if calls and after.memory.released_at is not None:
        return (
            "may leave once the marketplace confirms",
            "The parcel is held until the marketplace has confirmed, then it is released by itself.",
        )
    held = [said for said in after.because if speaks_of_the_hold(said)]
    return "stays held", held[0] if held else "The parcel is held."


def _pause_notes(view: View, now: datetime, actions: tuple[Action, ...], parcel: str) -> tuple[str, ...]:
    """What pauses do to the edit: the figures are those of their end. Besides edits these are the flows of its calls, and
    shipping where the parcel goes on because of it."""
    flows: list[Flow | None] = ["edits", *map(flow_of, actions)]
    if parcel != "stays held":
        flows.append("shipping")
    notes = []
    for flow in dict.fromkeys(flows):
        pause = None if flow is None else view.rules.paused(flow, now)
        if pause is not None:
            waits = (
                "The marketplace is told nothing before, and the parcel stays held."
                if pause.flow == "edits"
                else WHAT_WAITS[pause.flow]
            )
            notes.append(
                f"{pause.flow.capitalize()} {paused_is(pause)} paused until {pause.until:%Y-%m-%d %H:%M} UTC by "
                f"{pause.who}: {pause.why} {waits}"
            )
    return tuple(notes)


def _notes(edit: DeskEdit, shopify: ShopifyOrder, memory: Memory) -> tuple[str, ...]:
    """What a person should know besides: a line that comes back gets the shop's present price."""
    notes = []
    prices = {link.mirakl_line_id: link.unit_price for link in memory.links}
    if any(new.mirakl_line_id in prices for new in edit.added):
        notes.append(
            "It is not known whether Shopify raises a removed line, so its item is added anew at the shop's present price; if that "
            "differs from the price the marketplace sold it for, the totals of the two orders differ."
        )
    if shopify.closed:
        notes.append("The Shopify order is archived; editing it may take it out of the archive.")
    return tuple(notes)


def _refusal(view: View, edit: DeskEdit, blocking: tuple[Case, ...]) -> str:
    if not view.shopify or not view.shopify.editable:
        return "Shopify does not let our app edit this order."
    if not blocking or edit.kind == "undo":
        return ""
    offered = {option for case in blocking for option in case.options}
    if edit.decision is not None and edit.decision in offered and edit.decision in MAY_COME_ALONG:
        return ""
    return blocking[0].sentence
