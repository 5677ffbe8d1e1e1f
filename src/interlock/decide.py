"""The router: what is noticed is remembered, every room says its part, and the parts become one plan.

All rules of one order are reached from here, and nothing here or below does any I/O.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from interlock.acceptance import decide as acceptance
from interlock.acceptance.window import due_at, starts_at
from interlock.cancellations import decide as cancellations
from interlock.cancellations import missing
from interlock.desk import decide as desk
from interlock.edits import decide as edits
from interlock.edits import decisions
from interlock.edits.diff import differences
from interlock.holds import decide as holds
from interlock.holds.let_go import is_let_go
from interlock.imports import contact, earlier
from interlock.imports import decide as imports
from interlock.imports.bundles import bundle_of
from interlock.imports.completeness import incomplete_address_case
from interlock.imports.eligibility import is_ours, not_ours_case, unknown_value_case
from interlock.imports.lines import active_lines, import_lines, shipping_of, sold_lines
from interlock.imports.links import links_of, repriced
from interlock.orders.actions import (
    Action,
    AnswerAcceptance,
    AskServiceToStop,
    CancelMiraklOrder,
    CancelQuantities,
    CancelShopifyOrder,
    ClearMarker,
    ClearStatus,
    CompleteDraft,
    CreateDraft,
    CreateOrder,
    CreateShipment,
    DeleteDraft,
    DeleteShipment,
    EditShopifyOrder,
    FillDraftAddress,
    FillOrderAddress,
    MarkOrder,
    MarkPaid,
    PlaceHold,
    RefundLines,
    ReleaseHold,
    SendMessage,
    SetOrderAddress,
    SetSellerReference,
    SetTracking,
    ShipOrder,
    ShowStatus,
    TrackShipment,
    ValidateShipment,
)
from interlock.orders.agreement import (
    agreed_quantities,
    as_ordered,
    as_sold,
    broken_bundles,
    is_untaken,
    recalculated,
    standing_quantities,
    unlinked,
)
from interlock.orders.content import content_of
from interlock.orders.destination import is_same, with_contact
from interlock.orders.ending import is_declined, was_paid_back
from interlock.orders.label import BY_ITSELF, Label
from interlock.orders.leaving import with_labels_seen
from interlock.orders.memory import Decision, Incident, Memory, OrderedLine
from interlock.orders.plan import Case, Part, Plan, earliest, latest
from interlock.orders.prices import shop_prices
from interlock.orders.reasons import CATALOGUE, Option, Reason
from interlock.orders.snapshots import (
    BEFORE_DEBIT_DONE,
    DEAD,
    ENDED,
    GONE_OUT,
    KNOWN_STATES,
    TO_SHIP,
    MiraklOrder,
    ShopifyOrder,
)
from interlock.orders.view import OpenOperation, View
from interlock.quarantine import decide as quarantine
from interlock.refunds import decide as refunds
from interlock.refunds import elsewhere, sending
from interlock.replacements import decide as replacements
from interlock.replacements import twins
from interlock.shipping import decide as shipping
from interlock.shipping import watch
from interlock.shop_status import decide as shop_status

JUST_AFTER = timedelta(microseconds=1)


def decide(view: View) -> Plan:
    """What has to happen to this order now. The same view always gives the same plan."""
    given = view
    so_far = _SoFar(noticed(view))
    so_far.add(twins.decide(view, so_far.memory))
    so_far.add(replacements.decide(view, so_far.memory))
    linked = replacements.as_linked(view, so_far.memory)
    if linked is not view:
        # Another Shopify order stands for the sale from now on: every rule looks at that one.
        view = linked
        so_far.memory = noticed(view, so_far.memory)
    if any(answer not in view.memory.decisions for answer in view.answers):
        # The answer is kept with this plan; what follows from it is sent on the next look.
        so_far.look_at = view.now
    if view.mirakl is None:
        so_far.because.append("The marketplace order has not been read yet, or could not be read.")
    elif not view.mirakl_is_current and view.mirakl_written_at is not None:
        so_far.mirakl_since = view.mirakl_written_at + JUST_AFTER
    if view.shopify_unreadable:
        so_far.because.append(
            "Shopify cannot be read at the moment; nothing is concluded from what is missing."
        )
    if view.shopify_gone:
        name = so_far.memory.shopify_order_name or "The Shopify order"
        so_far.because.append(
            f"{name} is not shown by Shopify any more. It counts as cancelled, and what that asks for goes on."
        )
    _rooms(view, so_far)
    left, asked = quarantine.withheld(view, so_far.memory, so_far.actions)
    so_far.actions, so_far.cases = list(left), [*so_far.cases, *asked]
    reasons = tuple(dict.fromkeys(so_far.keep_held))
    who = so_far.settled_by or _settled_by(so_far.cases)
    so_far.add(holds.decide(view, so_far.memory, reasons, who, so_far.as_decided))
    so_far.cases.extend(_refused_cases(view, so_far))
    so_far.cases.extend(_incident_case(incident) for incident in so_far.memory.incidents)
    open_cases = tuple(case for case in so_far.cases if case is not None)
    if not given.let_go and is_let_go(view.shopify, so_far.memory, so_far.actions, open_cases):
        # Whether the hold is on was only known at the end: everything is said once more by what is true of it.
        return decide(replace(given, let_go=True))
    so_far.add(shop_status.decide(view, so_far.memory, open_cases, tuple(so_far.actions)))
    return _plan(view, so_far)


# -- the rooms ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _SoFar:
    """What the rooms have said so far; the memory is handed from one to the next."""

    memory: Memory
    actions: list[Action] = field(default_factory=list)
    cases: list[Case | None] = field(default_factory=list)
    keep_held: list[str] = field(default_factory=list)
    because: list[str] = field(default_factory=list)
    look_at: datetime | None = None
    mirakl_since: datetime | None = None
    as_decided: str = ""
    label: Label | None = None
    judged: bool = True
    settled_by: str = ""

    def add(self, part: Part) -> Part:
        self.memory = part.memory
        self.actions.extend(part.actions)
        self.cases.extend(part.cases)
        self.keep_held.extend(part.keep_held)
        self.because.extend(part.because)
        self.look_at = earliest(self.look_at, part.look_at)
        self.mirakl_since = latest(self.mirakl_since, part.mirakl_since)
        self.as_decided = self.as_decided or part.as_decided
        self.label = part.label or self.label
        return part


def _rooms(view: View, so_far: _SoFar) -> None:
    """Ask every room that may judge this order, in the order in which they build on each other."""
    mirakl = view.mirakl
    if mirakl is not None:
        stranger = unknown_value_case(mirakl)
        if stranger is not None:
            # The time to accept runs all the same, so its ladder goes on; of the writes only holds remain.
            so_far.add(acceptance.decide(view, so_far.memory, import_blocked=True))
            so_far.actions = [action for action in so_far.actions if isinstance(action, PlaceHold)]
            so_far.cases.append(stranger)
            so_far.keep_held.append("The marketplace sent a value that is not known, so nothing moves.")
            so_far.judged = False
            return
        if not is_ours(mirakl, view.rules):
            so_far.cases.append(not_ours_case(mirakl, view.rules, so_far.memory))
            so_far.keep_held.append("The marketplace ships this order itself, or is not paid for it.")
            so_far.settled_by = CATALOGUE[Reason.NOT_OURS_TO_SHIP].owner
            # Of one that was never ours nothing else is to be asked, nor of one that has ended; of one that was, nobody looks
            # at what is open.
            so_far.judged = not so_far.memory.shopify_order_id or mirakl.state in ENDED
            return
        if earlier.is_somebody_elses(view, so_far.memory):
            so_far.add(earlier.decide(view, so_far.memory, mirakl))
            return
        so_far.add(earlier.taken_back(so_far.memory))
    so_far.add(quarantine.decide(view, so_far.memory))
    part = so_far.add(imports.decide(view, so_far.memory))
    so_far.add(acceptance.decide(view, so_far.memory, import_blocked=bool(part.cases)))
    so_far.add(desk.decide(view, so_far.memory))
    so_far.add(cancellations.decide(view, so_far.memory))
    so_far.add(missing.decide(view, so_far.memory))
    so_far.add(refunds.decide(view, so_far.memory))
    so_far.add(contact.decide(view, so_far.memory))
    if mirakl is None or cancellations.has_ended(mirakl, so_far.memory):
        if mirakl is not None:
            so_far.add(edits.dropped(so_far.memory, "the marketplace order has ended"))
            so_far.add(decisions.messages(view, so_far.memory))
        ended = mirakl is not None and view.shopify is not None and not view.shopify.live
        so_far.add(desk.followed(view, so_far.memory, ended))
        return
    found = differences(view, so_far.memory)
    if so_far.memory.candidates:
        so_far.memory = edits.still_standing(view, so_far.memory, found)
        so_far.keep_held.extend(replacements.unsettled(view, so_far.memory))
        so_far.because.append("No edit is carried across until it is settled which Shopify order stands.")
    else:
        so_far.add(edits.decide(view, so_far.memory, found))
        so_far.add(sending.decide(view, so_far.memory, found))
    so_far.add(shipping.decide(view, so_far.memory, found, bool(so_far.as_decided)))
    so_far.add(watch.watched(view, so_far.memory))
    so_far.add(elsewhere.decide(view, so_far.memory))
    so_far.cases.append(incomplete_address_case(mirakl, view.hold))
    paid_back = was_paid_back(so_far.memory) or is_declined(so_far.memory)
    agree = not found and view.shopify is not None and (view.shopify.live or paid_back)
    so_far.add(desk.followed(view, so_far.memory, agree))
    _answer_with_the_edit(view, so_far)


def _answer_with_the_edit(view: View, so_far: _SoFar) -> None:
    """A person may answer with the edit what its case will ask; what follows from it is decided on the next look."""
    before = so_far.memory
    so_far.add(desk.undone_by_us(view, so_far.memory, so_far.cases))
    so_far.cases = [desk.with_failed_undo(so_far.memory, case) for case in so_far.cases]
    so_far.add(desk.answered(view, so_far.memory, so_far.cases))
    if so_far.memory is not before:
        so_far.look_at = view.now


def _plan(view: View, so_far: _SoFar) -> Plan:
    cases: dict[tuple[Reason, str], Case] = {}
    for case in so_far.cases:
        if case is not None:
            cases.setdefault((case.reason, case.subject), case)
    agreed = agreed_quantities(view.mirakl, so_far.memory) if view.mirakl is not None else ()
    return Plan(
        memory=so_far.memory,
        actions=tuple(dict.fromkeys(so_far.actions)),
        cases=tuple(cases.values()),
        look_at=so_far.look_at,
        mirakl_since=so_far.mirakl_since,
        because=tuple(dict.fromkeys(so_far.because)),
        agreed=agreed,
        label=so_far.label,
        judged=so_far.judged,
    )


# Cases that say nothing about whether the parcel may move.
_BESIDE_THE_PARCEL = frozenset(
    {
        Reason.CARRIER_UNKNOWN,
        Reason.TRACKING_MISSING,
        Reason.TRACKING_UNUSABLE,
        Reason.SHIPPING_REFUSED,
        Reason.ACCEPTANCE_RUNNING_OUT,
        Reason.ACCEPTANCE_REFUSED,
        Reason.SHIPPING_DEADLINE_NEAR,
        Reason.PARTIAL_SHIPMENT,
        Reason.FULFILLMENT_CANCELLED,
        Reason.TRACKING_NOT_CORRECTED,
        Reason.STILL_HERE,
        Reason.LABEL_GIVEN_BACK,
        Reason.SHIPPED_WITHOUT_ORDER,
        Reason.SHIPMENT_IN_PORTAL,
        Reason.SHIPMENTS_HIDDEN,
        Reason.OPERATOR_SHIPS,
        Reason.REFUND_ONLY_AT_MARKETPLACE,
        Reason.EMAIL_NOT_RELAY,
        Reason.MARKETING_POSSIBLE,
    }
)


def _settled_by(cases: list[Case | None]) -> str:
    """Whose work it is that the parcel may move: the owner of the most urgent case, or nobody's."""
    there = [case for case in cases if case is not None and case.reason not in _BESIDE_THE_PARCEL]
    for severity in ("urgent", "today", "note"):
        for case in there:
            if case.how_severe == severity:
                return CATALOGUE[case.reason].owner
    return BY_ITSELF


def _incident_case(incident: Incident) -> Case | None:
    if incident.closed_at is not None:
        return None
    options: tuple[Option, ...] = (Option.DISMISS,)
    if incident.reason is Reason.OUTCOME_UNCLEAR:
        options = (Option.SEND_AGAIN, Option.DISMISS)
    return Case(incident.reason, incident.subject, incident.sentence, options)


# -- refusals that no room judges --------------------------------------------------------------------------


def _refused_cases(view: View, so_far: _SoFar) -> list[Case | None]:
    """A case for every refused call that is still wanted and that no room has a better word for. The action stays
    in the plan: the ledger remembers the refusal only as long as it is wanted, and paces another attempt."""
    cases: list[Case | None] = []
    for operation in view.operations:
        what = _plain_name(operation.action)
        if desk.is_ours(operation.action, so_far.memory, view.shopify):
            continue  # the edit desk has a case for it
        if operation.state == "REJECTED" and what and operation.action in so_far.actions:
            cases.append(_refused_case(operation, what))
    return cases


def _refused_case(operation: OpenOperation, what: str) -> Case:
    return Case(
        Reason.PLATFORM_REFUSED,
        type(operation.action).__name__,
        f"{operation.action.platform.capitalize()} refused {what}: “{operation.words}”. Nothing changed. It is tried "
        "again a few times by itself; put right what the platform names, or send it again when that is done.",
        (Option.SEND_AGAIN,),
        (("code", operation.code),) if operation.code else (),
    )


def _plain_name(action: Action) -> str:
    """What the action is called in a sentence; empty where a room has its own case for a refusal."""
    match action:
        case DeleteDraft():
            return "to delete a draft order"
        case FillOrderAddress():
            return "to put the address into the order"
        case MarkOrder():
            return "to put our marker and tags on the order"
        case MarkPaid():
            return "to mark the order as paid"
        case ReleaseHold():
            return "to release our hold"
        case CancelShopifyOrder():
            return "to cancel the order"
        case EditShopifyOrder():
            return "our edit of the order"
        case SetOrderAddress():
            return "the new address of the order"
        case ClearMarker():
            return "to take our marker off the replaced order"
        case SendMessage():
            return "the message to the customer"
        case SetSellerReference():
            return "to take the Shopify order's name as reference"
        case (
            CreateDraft()
            | FillDraftAddress()
            | CompleteDraft()
            | CreateOrder()
            | PlaceHold()
            | AskServiceToStop()
            | AnswerAcceptance()
            | CancelQuantities()
            | CancelMiraklOrder()
            | RefundLines()
            | SetTracking()
            | ShipOrder()
            | CreateShipment()
            | TrackShipment()
            | ValidateShipment()
            | DeleteShipment()
            | ShowStatus()
            | ClearStatus()
        ):
            return ""


# -- what is noticed ---------------------------------------------------------------------------------------


def noticed(view: View, memory: Memory | None = None) -> Memory:
    """The memory with the plain facts of this view written down, before any rule is asked."""
    memory = _answers_taken(view, view.memory if memory is None else memory)
    mirakl = view.mirakl
    if mirakl is not None:
        memory = _marketplace_noted(view, memory, mirakl)
    if view.made_order_id and not memory.shopify_order_id:
        memory = replace(memory, shopify_order_id=view.made_order_id, linked_at=view.now)
    memory = missing.noted(view, memory)
    shopify = view.shopify
    if shopify is not None and memory.shopify_order_id in ("", shopify.id):
        memory = _bundles_noted(view, _shopify_noted(view, memory, shopify), shopify)
        if mirakl is not None and shopify.live:
            memory = _both_noted(view, memory, mirakl, shopify)
        elif mirakl is not None and not memory.links:
            # It was cancelled before we saw it live. What its lines stood for tells what those of its successor do.
            memory = _links_noted(memory, mirakl, shopify)
    return desk.taken_up(view, memory)


def _answers_taken(view: View, memory: Memory) -> Memory:
    for answer in view.answers:
        if answer in memory.decisions:
            continue
        memory = replace(memory, decisions=(*memory.decisions, answer))
        if answer.option is Option.DISMISS:
            because = f"{answer.who}: {answer.why}"
            memory = memory.with_incidents_closed(answer.reason, answer.at, because, (answer.subject,))
        if answer.option is Option.PRINT_ANYWAY:
            memory = memory.with_incident(_overridden(answer))
    mapped = [
        sku
        for sku in memory.custom_line_skus
        if (said := memory.decision(Reason.SKU_UNKNOWN, sku)) is not None and said.option is Option.MAP_SKU
    ]
    if mapped:
        left = tuple(sku for sku in memory.custom_line_skus if sku not in mapped)
        memory = replace(memory, custom_line_skus=left)
    return memory


def _overridden(answer: Decision) -> Incident:
    parcel = answer.subject.partition(" ")[0].rpartition("/")[2]
    return Incident(
        answer.reason,
        answer.subject,
        answer.at,
        f"{answer.who} had the label of fulfillment order {parcel} printed although the label check said no, because: "
        f"{answer.why} Settle what differed in the marketplace portal if the parcel left with it, then close this.",
    )


def _accepted_from(view: View, memory: Memory, mirakl: MiraklOrder, seen_before: bool) -> datetime | None:
    """From when the time to accept counts, as far as has been seen. Behind a state that nobody knows the order may wait
    already; behind STAGING it does not."""
    if mirakl.state == "STAGING":
        return None
    may_wait = mirakl.state == "WAITING_ACCEPTANCE" or mirakl.state not in KNOWN_STATES
    if memory.acceptance_from is None and may_wait:
        return starts_at(mirakl.created_at, view.now, seen_before)
    return memory.acceptance_from


def _marketplace_noted(view: View, memory: Memory, mirakl: MiraklOrder) -> Memory:
    seen_before = memory.first_seen_at is not None
    if not seen_before:
        memory = replace(memory, first_seen_at=view.now)
    if not memory.ordered:
        memory = replace(memory, ordered=as_ordered(mirakl))
    elif _nothing_was_made(view, memory):
        # What is created later is created with the figures of that moment.
        memory = replace(memory, ordered=_at_present(mirakl, memory))
    if memory.acceptance_due_at is None:
        memory = replace(memory, acceptance_from=_accepted_from(view, memory, mirakl, seen_before))
    if memory.acceptance_from is not None and mirakl.state == "WAITING_ACCEPTANCE":
        memory = replace(memory, acceptance_due_at=due_at(view.rules, memory.acceptance_from))
    if view.offers:
        memory = replace(memory, shop_prices=shop_prices(mirakl, view.offers))
    if memory.sent_seen_at is None and mirakl.state in GONE_OUT:
        memory = replace(memory, sent_seen_at=view.now)
    if memory.accepted_seen_at is None and mirakl.state in (*BEFORE_DEBIT_DONE, *TO_SHIP, *GONE_OUT):
        memory = replace(memory, accepted_seen_at=view.now)
    return memory


def _nothing_was_made(view: View, memory: Memory) -> bool:
    """Whether neither a draft nor an order was asked for yet, as far as this view tells."""
    asked = any(isinstance(op.action, CreateDraft | CreateOrder | CompleteDraft) for op in view.operations)
    known = memory.shopify_order_id or memory.draft_id or view.drafts or view.shopify is not None
    return not asked and not known


def _at_present(mirakl: MiraklOrder, memory: Memory) -> tuple[OrderedLine, ...]:
    untaken = {line.id: line for line in mirakl.lines if is_untaken(line)}
    return tuple(
        replace(recalculated(untaken[line.line_id], line), recalculated=line.recalculated)
        if line.line_id in untaken
        else line
        for line in memory.ordered
    )


def _shopify_noted(view: View, memory: Memory, shopify: ShopifyOrder) -> Memory:
    if not memory.shopify_order_id:
        memory = replace(memory, shopify_order_id=shopify.id, linked_at=view.now)
    memory = replace(
        memory,
        shopify_order_name=shopify.name or memory.shopify_order_name,
        marked=shopify.marker == f"{view.rules.name}:{view.order_id}",
    )
    if not shopify.live and memory.shopify_cancelled_seen_at is None:
        memory = replace(memory, shopify_cancelled_seen_at=view.now)
    memory = with_labels_seen(memory, shopify, view.now)
    content = content_of(shopify)
    if content != memory.content:
        memory = replace(memory, content=content, content_since=shopify.observed_at)
    return memory


def _bundles_noted(view: View, memory: Memory, shopify: ShopifyOrder) -> Memory:
    """What the bundles of an order are made of, where it was found again after everything remembered of it was lost. One
    whose articles the order never had was told of after the order was made."""
    if memory.bundles or memory.links:
        return memory
    there = {line.variant_id for line in shopify.lines if line.variant_id}
    found = [
        offer for offer in view.offers if offer.parts and {part.variant_id for part in offer.parts} <= there
    ]
    return replace(memory, bundles=tuple(bundle_of(offer) for offer in found))


def _links_noted(memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder) -> Memory:
    active = active_lines(as_sold(mirakl, memory), memory)
    expected = import_lines(active, mirakl.currency, {}, memory.bundles)
    return replace(memory, links=links_of(shopify, memory, expected))


def _both_noted(view: View, memory: Memory, mirakl: MiraklOrder, shopify: ShopifyOrder) -> Memory:
    if mirakl.seller_reference and mirakl.seller_reference == shopify.name:
        memory = replace(memory, referenced=shopify.name)
    active = active_lines(as_sold(mirakl, memory), memory)
    memory = _links_noted(memory, mirakl, shopify)
    if any(line.recalculated for line in memory.ordered):
        anew = import_lines(sold_lines(mirakl, memory), mirakl.currency, {}, memory.bundles)
        memory = replace(memory, links=repriced(memory, anew))
    if memory.agreed_shipping is None and active:
        memory = replace(memory, agreed_shipping=shipping_of(active))
    both_addressed = mirakl.address.complete and shopify.address.complete
    if is_same(mirakl, shopify):
        memory = replace(memory, agreed_address=mirakl.address.digest, agreed_address_here="")
    elif not memory.agreed_address and both_addressed and view.rules.import_route == "draft":
        # A draft is completed with the address; the order route fills it in itself, and agrees once both show the same.
        memory = replace(memory, agreed_address=mirakl.address.digest)
    memory = with_contact(mirakl, shopify, memory)
    whole = not unlinked(shopify, memory) and not broken_bundles(shopify, memory)
    if mirakl.state not in DEAD and view.mirakl_is_current and whole:
        agreed = agreed_quantities(mirakl, memory)
        shown = dict(standing_quantities(shopify, memory))
        if dict(agreed) == {line_id: shown.get(line_id, 0) for line_id, _ in agreed} and not any(
            units for line_id, units in shown.items() if line_id not in dict(agreed)
        ):
            memory = replace(memory, settled=agreed)
    return memory
